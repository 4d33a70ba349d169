//! `/proc/<pid>/mountinfo`: the mounts in a process's mount namespace (`proc_pid_mountinfo(5)`).

use super::{Cursor, Device, Malformed, lines, number, unescape_octal};

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Its number.
    pub id: u64,
    /// `st_dev` of its files, where the file system is not stacked.
    pub device: Device,
    /// The directory of the file system that is its root: the host's side of a bind mount.
    pub root: Vec<u8>,
    /// Where it is mounted, from the process's root directory.
    pub mount_point: Vec<u8>,
    /// The mount's own options.
    pub options: Vec<u8>,
    /// The type of the file system, such as `overlay`.
    pub fs_type: Vec<u8>,
    /// The file system's options, still joined and escaped: see [`Mount::super_option`].
    pub super_options: Vec<u8>,
}

impl Mount {
    /// The value of an option of the file system, such as `upperdir`, unescaped.
    #[must_use]
    pub fn super_option(&self, name: &[u8]) -> Option<Vec<u8>> {
        let mut options = self.super_options.split(|&b| b == b',');
        options.find_map(|option| option.strip_prefix(name)?.strip_prefix(b"=")).map(unescape_octal)
    }
}

/// The mounts in `bytes`, in the kernel's order; a bad line is an item of its own.
pub fn mounts(bytes: &[u8]) -> impl Iterator<Item = Result<Mount, Malformed>> {
    lines(bytes).map(|(number, line)| mount(number, line))
}

fn mount(line: usize, bytes: &[u8]) -> Result<Mount, Malformed> {
    let mut cursor = Cursor::new(line, bytes);
    let id = cursor.decimal("mount id")?;
    let _parent: u64 = cursor.decimal("parent id")?;
    let device = device(&mut cursor)?;
    let root = unescape_octal(cursor.word("root")?);
    let mount_point = unescape_octal(cursor.word("mount point")?);
    let options = cursor.word("options")?.to_vec();
    // Any number of optional fields, and a dash.
    while cursor.word("separator")? != b"-" {}
    // From here on a field may be empty: an empty source is printed as nothing.
    let fs_type = unescape_octal(cursor.until(b' '));
    let _source = cursor.until(b' ');
    let super_options = cursor.until(b' ').to_vec();
    Ok(Mount { id, device, root, mount_point, options, fs_type, super_options })
}

fn device(cursor: &mut Cursor<'_>) -> Result<Device, Malformed> {
    let word = cursor.word("device")?;
    let mut numbers = word.splitn(2, |&b| b == b':').map(|digits| number(digits, 10));
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => Ok(Device { major, minor }),
        _ => Err(cursor.malformed("device")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlay_root_as_the_kernel_prints_it() {
        let line = b"300 280 0:54 / / rw,relatime master:5 shared:9 - overlay overlay \
            rw,lowerdir=/l/2/fs:/l/1/fs,upperdir=/u/a\\040b/fs,workdir=/w\n";
        let read: Vec<_> = mounts(line).map(Result::unwrap).collect();
        assert_eq!(
            read,
            [Mount {
                id: 300,
                device: Device { major: 0, minor: 54 },
                root: b"/".to_vec(),
                mount_point: b"/".to_vec(),
                options: b"rw,relatime".to_vec(),
                fs_type: b"overlay".to_vec(),
                super_options: b"rw,lowerdir=/l/2/fs:/l/1/fs,upperdir=/u/a\\040b/fs,workdir=/w"
                    .to_vec(),
            }]
        );
        assert_eq!(read[0].super_option(b"upperdir").unwrap(), b"/u/a b/fs");
        assert_eq!(read[0].super_option(b"upper"), None);
    }

    #[test]
    fn no_optional_fields_an_empty_source_and_escaped_names() {
        let line = b"22 27 0:21 /r\\012x /m\\040\xff rw - tmpfs  rw\n";
        let read: Vec<_> = mounts(line).map(Result::unwrap).collect();
        assert_eq!(read[0].root, b"/r\nx");
        assert_eq!(read[0].mount_point, b"/m \xff");
        assert_eq!((&read[0].fs_type[..], &read[0].super_options[..]), (&b"tmpfs"[..], &b"rw"[..]));
    }

    #[test]
    fn a_bad_line_does_not_hide_the_next() {
        let lines = b"x 27 0:21 / / rw - proc proc rw\n\
            1 2 0 / / rw - proc proc rw\n\
            1 2 0:1 / / rw shared:1\n\
            3 2 0:1 / /ok rw - proc proc rw\n";
        let read: Vec<_> = mounts(lines).collect();
        assert_eq!(read[0], Err(Malformed { field: "mount id", line: 1 }));
        assert_eq!(read[1], Err(Malformed { field: "device", line: 2 }));
        assert_eq!(read[2], Err(Malformed { field: "separator", line: 3 }));
        assert_eq!(read[3].as_ref().unwrap().mount_point, b"/ok");
    }
}
