//! `/proc/<pid>/maps`: what is mapped where (`proc_pid_maps(5)`).
//!
//! Only the first five fields are split; the path is everything after them, whatever it holds. The
//! kernel escapes newlines in it as `\012` and nothing else, so a file whose name has these four
//! characters prints the same; and it appends ` (deleted)`, which a file may also be called. Both
//! are told apart by the file's identity, not here: see `process::mapped`.

use super::{Cursor, Device, Malformed, lines, number};

/// One line of `maps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping<'a> {
    /// First address.
    pub start: u64,
    /// First address after the mapping; `[vsyscall]` ends near the top of 64 bits.
    pub end: u64,
    /// Whether its pages may be executed.
    pub executable: bool,
    /// Whether what is written to its pages is written to the file.
    pub writes_through: bool,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
    /// The device of the file, 0:0 for none.
    pub device: Device,
    /// The inode of the file, 0 for none.
    pub inode: u64,
    /// The path as printed: empty for anonymous memory, `[heap]` and the like for the kernel's own
    /// names, else a file's.
    pub path: &'a [u8],
}

impl Mapping<'_> {
    /// Whether a file stands behind the mapping. Anonymous memory has no name, and the names that
    /// the kernel gives (`[heap]`, `[vdso]`, `[anon:…]`) begin with a bracket, which no path does.
    #[must_use]
    pub fn is_file_backed(&self) -> bool {
        !matches!(self.path.first(), None | Some(b'['))
    }
}

/// The mappings in `bytes`, in the kernel's order; a bad line is an item of its own.
pub fn mappings(bytes: &[u8]) -> impl Iterator<Item = Result<Mapping<'_>, Malformed>> {
    lines(bytes).map(|(number, line)| mapping(number, line))
}

fn mapping(line: usize, bytes: &[u8]) -> Result<Mapping<'_>, Malformed> {
    let mut cursor = Cursor::new(line, bytes);
    let start = hex(&mut cursor, b'-', "start address")?;
    let end = hex(&mut cursor, b' ', "end address")?;
    let (executable, writes_through) = match cursor.until(b' ') {
        [_, w, x, shared] => (*x == b'x', *w == b'w' && *shared == b's'),
        _ => return Err(cursor.malformed("permissions")),
    };
    let offset = hex(&mut cursor, b' ', "offset")?;
    let major = hex(&mut cursor, b':', "device")?;
    let minor = hex(&mut cursor, b' ', "device")?;
    let inode = cursor.decimal("inode")?;
    // The kernel pads with spaces up to the path, and no path begins with one.
    let padding = cursor.rest.iter().take_while(|&&b| b == b' ').count();
    let path = cursor.rest.get(padding..).unwrap_or(&[]);
    let device = Device { major, minor };
    Ok(Mapping { start, end, executable, writes_through, offset, device, inode, path })
}

fn hex<N: TryFrom<u64>>(
    cursor: &mut Cursor<'_>,
    end: u8,
    field: &'static str,
) -> Result<N, Malformed> {
    let digits = cursor.until(end);
    number(digits, 16).ok_or_else(|| cursor.malformed(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(line: &[u8]) -> Mapping<'_> {
        let mut all = mappings(line);
        let first = all.next().unwrap().unwrap();
        assert!(all.next().is_none());
        first
    }

    #[test]
    fn a_line_as_the_kernel_prints_it() {
        // Linux 6.18, head(1) reading its own maps.
        let line = b"5558077b4000-5558077ba000 r-xp 00002000 fe:00 247282                     /usr/bin/head\n";
        assert_eq!(
            only(line),
            Mapping {
                start: 0x5558_077b_4000,
                end: 0x5558_077b_a000,
                executable: true,
                writes_through: false,
                offset: 0x2000,
                device: Device { major: 0xfe, minor: 0 },
                inode: 247_282,
                path: b"/usr/bin/head",
            }
        );
    }

    // Pitfall 1 of the field notes.
    #[test]
    fn spaces_inside_and_after_a_path_are_part_of_it() {
        let line = b"7f00-7f01 r--p 00000000 fe:00 12 /a/sp  ace .so \n";
        assert_eq!(only(line).path, b"/a/sp  ace .so ");
    }

    #[test]
    fn only_a_writable_and_shared_mapping_writes_to_its_file() {
        for (permissions, writes) in [("rw-s", true), ("r--s", false), ("rw-p", false)] {
            let line = format!("1-2 {permissions} 0 fe:00 12 /a\n");
            assert_eq!(only(line.as_bytes()).writes_through, writes, "{permissions}");
        }
    }

    // Pitfall 12.
    #[test]
    fn a_minor_number_may_be_wider_than_two_digits() {
        let line = b"7f00-7f01 r--p 00000000 00:21a 12 /usr/lib/libc.so.6\n";
        assert_eq!(only(line).device, Device { major: 0, minor: 0x21a });
    }

    // Pitfall 13.
    #[test]
    fn a_number_too_large_for_its_field_is_a_bad_line_and_not_a_panic() {
        let lines = b"10000000000000000-2 r--p 0 0:0 0 /a\n\
                      1-2 r--p 0 0:0 18446744073709551616 /b\n\
                      1-2 r--p 0 0:100000000 1 /c\n\
                      1-2 r--p 0 0:0 0 /d\n";
        let read: Vec<_> = mappings(lines).collect();
        assert_eq!(read[0], Err(Malformed { field: "start address", line: 1 }));
        assert_eq!(read[1], Err(Malformed { field: "inode", line: 2 }));
        assert_eq!(read[2], Err(Malformed { field: "device", line: 3 }));
        assert_eq!(read[3].as_ref().unwrap().path, b"/d");
    }

    // Pitfall 14.
    #[test]
    fn the_kernels_own_names_and_an_empty_last_line_are_read() {
        let lines = b"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n\
                      7ffe-7fff r-xp 00000000 00:00 0                          [vdso]\n\
                      7ffd-7ffe r--p 00000000 00:00 0                          [vvar]\n\
                      7ff0-7ff1 rw-p 00000000 00:00 0                          [anon: glibc: malloc]\n\
                      7fe0-7fe1 rw-p 00000000 00:00 0 \n\n";
        let read: Vec<_> = mappings(lines).map(Result::unwrap).collect();
        let names: Vec<_> = read.iter().map(|m| String::from_utf8_lossy(m.path)).collect();
        assert_eq!(names, ["[vsyscall]", "[vdso]", "[vvar]", "[anon: glibc: malloc]", ""]);
        assert_eq!(read[0].start, 0xffff_ffff_ff60_0000);
        assert!(read.iter().all(|m| !m.is_file_backed()));
    }

    // The byte that makes one well-known library give up on the whole process.
    #[test]
    fn a_path_that_is_no_utf8_hides_neither_itself_nor_the_next_line() {
        let lines = b"1-2 r--p 0 fe:00 7 /x/\xff.so\n3-4 r--p 0 fe:00 8 /x/b.so\n";
        let paths: Vec<_> = mappings(lines).map(|m| m.unwrap().path).collect();
        assert_eq!(paths, [&b"/x/\xff.so"[..], b"/x/b.so"]);
    }

    #[test]
    fn each_field_that_is_missing_is_named() {
        let cases: [(&[u8], &str); 8] = [
            (b"zz", "start address"),
            (b"1", "end address"),
            (b"1-", "end address"),
            (b"1-2", "permissions"),
            (b"1-2 r-x", "permissions"),
            (b"1-2 r-xp", "offset"),
            (b"1-2 r-xp 0", "device"),
            (b"1-2 r-xp 0 0:0", "inode"),
        ];
        for (line, field) in cases {
            let read: Vec<_> = mappings(line).collect();
            assert_eq!(read, [Err(Malformed { field, line: 1 })], "{}", line.escape_ascii());
        }
    }
}
