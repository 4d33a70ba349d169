//! `/proc/<pid>/cgroup`: the cgroups of a process (`cgroups(7)`).

use super::{Cursor, Malformed, lines, number};

/// One line: `hierarchy:controllers:path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroup<'a> {
    /// The hierarchy's number; 0 is version 2.
    pub hierarchy: u32,
    /// The controllers of a version 1 hierarchy, or its name as `name=systemd`; empty for version 2.
    pub controllers: &'a [u8],
    /// The path below the hierarchy's root, as the reader's cgroup namespace shows it.
    pub path: &'a [u8],
}

/// The lines of `cgroup`; a bad line is an item of its own.
///
/// A path may hold colons (`…slice:cri-containerd:<id>`), so only the first two split. The kernel
/// appends ` (deleted)` for a cgroup that is gone but still has this process; it is dropped.
pub fn cgroups(bytes: &[u8]) -> impl Iterator<Item = Result<Cgroup<'_>, Malformed>> {
    lines(bytes).map(|(line, bytes)| {
        let mut cursor = Cursor::new(line, bytes);
        let digits = cursor.until(b':');
        let hierarchy = number(digits, 10).ok_or_else(|| cursor.malformed("hierarchy"))?;
        let controllers = cursor.until(b':');
        match cursor.rest {
            path @ [b'/', ..] => {
                let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
                Ok(Cgroup { hierarchy, controllers, path })
            }
            _ => Err(cursor.malformed("path")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_version_2_and_both_at_once() {
        let lines = b"9:name=systemd:/docker/ab\n3:cpu,cpuacct:/docker/ab\n0::/system.slice\n";
        let read: Vec<_> = cgroups(lines).map(Result::unwrap).collect();
        assert_eq!(
            read,
            [
                Cgroup { hierarchy: 9, controllers: b"name=systemd", path: b"/docker/ab" },
                Cgroup { hierarchy: 3, controllers: b"cpu,cpuacct", path: b"/docker/ab" },
                Cgroup { hierarchy: 0, controllers: b"", path: b"/system.slice" },
            ]
        );
    }

    #[test]
    fn a_path_keeps_its_colons_and_bytes_and_loses_the_kernels_mark() {
        let read: Vec<_> = cgroups(b"0::/a.slice:cri-containerd:\xff\n0::/gone (deleted)\n")
            .map(Result::unwrap)
            .collect();
        assert_eq!(read[0].path, b"/a.slice:cri-containerd:\xff");
        assert_eq!(read[1].path, b"/gone");
    }

    #[test]
    fn a_bad_line_does_not_hide_the_next() {
        let read: Vec<_> = cgroups(b"x::/\n0:/\n0::a\n0::/ok\n").collect();
        assert_eq!(read[0], Err(Malformed { field: "hierarchy", line: 1 }));
        assert_eq!(read[1], Err(Malformed { field: "path", line: 2 }));
        assert_eq!(read[2], Err(Malformed { field: "path", line: 3 }));
        assert_eq!(read[3].as_ref().unwrap().path, b"/ok");
    }
}
