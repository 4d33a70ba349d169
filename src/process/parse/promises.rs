//! What each parser promises of any bytes at all.
//!
//! The fuzz targets hand these functions their inputs, and so does a property test below. They
//! panic when a promise is broken, and are called by nothing else.

use std::cell::Cell;

use crate::limits::ElfLimits;

use super::elf::{self, Elf, Endian, Source, Unreadable, go, notes};
use super::{
    cgroup, cmdline, container_id, link, maps, mountinfo, net, stat, status, unescape_octal,
};

/// As many items as non-empty lines, and every path is a piece of the input.
pub fn maps(bytes: &[u8]) {
    let read: Vec<_> = maps::mappings(bytes).collect();
    assert_eq!(read.len(), non_empty_lines(bytes));
    for mapping in read.into_iter().flatten() {
        assert!(within(bytes, mapping.path));
        assert!(!mapping.path.contains(&b'\n'));
        assert_eq!(mapping.is_file_backed(), mapping.path.first().is_some_and(|&b| b != b'['));
    }
}

/// Joined with NULs the arguments are the input, but for one NUL at its end.
pub fn cmdline(bytes: &[u8]) {
    let joined = cmdline::arguments(bytes).join(&0);
    assert_eq!(joined, bytes.strip_suffix(b"\0").unwrap_or(bytes));
}

/// A name is part of the line, and nothing is found that is not there.
pub fn stat(bytes: &[u8]) {
    if let Ok(read) = stat::stat(bytes) {
        assert!(within(bytes, read.comm));
        let last = bytes.iter().rposition(|&b| b == b')').and_then(|at| bytes.get(at..));
        assert!(last.is_some_and(|rest| !rest.is_empty()));
    }
    assert!(stat::boot_time(bytes).is_none() || bytes.windows(6).any(|w| w == b"btime "));
    let read = status::status(bytes);
    assert!(read.ns_pids.len() <= bytes.len());
    assert!(link::inode_of(bytes, b"socket").is_none() || bytes.starts_with(b"socket:["));
}

/// As many items as non-empty lines; an id is of the letters that runc takes.
pub fn cgroup(bytes: &[u8]) {
    let read: Vec<_> = cgroup::cgroups(bytes).collect();
    assert_eq!(read.len(), non_empty_lines(bytes));
    let paths = read.into_iter().flatten().map(|cgroup| cgroup.path);
    for path in paths.chain([bytes]) {
        let found = container_id::placement(path);
        let named = found.containers.iter().map(|container| container.id);
        for id in named.chain(found.candidate) {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"_+-.".contains(&b);
            assert!(!id.is_empty() && id.len() <= 255 && id.bytes().all(plain), "{id:?}");
            assert!(within(path, id.as_bytes()));
        }
    }
}

/// As many items as non-empty lines; undoing escapes never makes a name longer.
pub fn mountinfo(bytes: &[u8]) {
    let read: Vec<_> = mountinfo::mounts(bytes).collect();
    assert_eq!(read.len(), non_empty_lines(bytes));
    for mount in read.into_iter().flatten() {
        assert!(mount.root.len() <= bytes.len() && mount.mount_point.len() <= bytes.len());
        let upper = mount.super_option(b"upperdir");
        assert!(upper.is_none_or(|upper| upper.len() < mount.super_options.len()));
    }
    assert!(unescape_octal(bytes).len() <= bytes.len());
}

/// No more sockets than lines, and no names longer than the table.
pub fn net(bytes: &[u8]) {
    let lines = bytes.split(|&b| b == b'\n').count();
    let inet: Vec<_> = net::inet_sockets(bytes).collect();
    assert!(inet.len() < lines.max(2));
    for socket in inet.into_iter().flatten() {
        assert!(!(socket.listens() && socket.receives()));
    }
    let unix = net::unix_sockets(bytes);
    assert!(unix.len() < lines.max(2));
    let names: usize = unix.into_iter().flatten().map(|socket| socket.path.len()).sum();
    assert!(names <= bytes.len());
}

/// No more is read than the limits allow, and no text is longer.
pub fn elf(bytes: &[u8]) {
    let narrow = ElfLimits {
        program_headers: 8,
        section_headers: 8,
        section_names: 64,
        notes: 128,
        packages: 1,
        dynamic_entries: 4,
        string: 16,
        go_search: 256,
        go_modules: 64,
        total: 8192,
    };
    for limits in [ElfLimits::default(), narrow] {
        let source = Counted { bytes, asked: Cell::new(0) };
        let read = elf::identify(&source, &limits);
        assert!(source.asked.get() <= limits.total);
        assert!(read.is_err() || bytes.starts_with(b"\x7fELF"));
        read.iter().for_each(|elf| keeps_to(elf, &limits));
    }
}

fn keeps_to(elf: &Elf, limits: &ElfLimits) {
    assert!(elf.build_id.as_ref().is_none_or(|id| (1..=64).contains(&id.len())));
    for string in elf.interpreter.iter().chain(&elf.soname) {
        assert!(string.len() < limits.string && !string.contains(&0));
    }
    assert!(elf.packages.len() <= limits.packages);
    for (number, doubt) in (1..).zip(&elf.doubts) {
        assert!(!elf.doubts.iter().skip(number).any(|other| other == doubt), "told twice");
    }
}

/// A file that counts what is asked of it.
struct Counted<'a> {
    bytes: &'a [u8],
    asked: Cell<u64>,
}

impl Source for Counted<'_> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Unreadable> {
        let asked = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        self.asked.set(self.asked.get().saturating_add(asked));
        self.bytes.read_at(offset, buffer)
    }
}

/// Every note is a piece of the input, and a bad one is the last.
pub fn elf_notes(bytes: &[u8]) {
    for endian in [Endian::Little, Endian::Big] {
        for alignment in [notes::Alignment::Four, notes::Alignment::Eight] {
            let read: Vec<_> = notes::notes(bytes, endian, alignment).collect();
            assert!(read.len().saturating_mul(12) <= bytes.len().saturating_add(12));
            assert!(read.iter().rev().skip(1).all(Result::is_ok));
            for note in read.into_iter().flatten() {
                assert!(within(bytes, note.owner) && within(bytes, note.desc));
                assert_ne!(note.owner.last(), Some(&0));
            }
        }
    }
}

/// Nothing is found without the mark that begins it, and its texts are pieces of the input.
pub fn go_buildinfo(bytes: &[u8]) {
    let Some(found) = go::find_in(bytes, &ElfLimits::default()) else {
        return;
    };
    assert!(bytes.windows(14).any(|piece| piece == b"\xff Go buildinf:"));
    let version = found.version.unwrap_or_default();
    assert!(bytes.windows(version.len()).any(|piece| piece == version.as_bytes()));
    // A byte that is no UTF-8 is shown as three.
    let longest = bytes.len().saturating_mul(3);
    assert!(found.path.is_none_or(|path| path.len() <= longest));
}

fn non_empty_lines(bytes: &[u8]) -> usize {
    bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty()).count()
}

/// Whether `piece` is empty or borrows from `whole`.
fn within(whole: &[u8], piece: &[u8]) -> bool {
    let (whole, part) = (whole.as_ptr_range(), piece.as_ptr_range());
    piece.is_empty() || (whole.start <= part.start && part.end <= whole.end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [fn(&[u8]); 9] =
        [maps, cmdline, stat, cgroup, mountinfo, net, elf, elf_notes, go_buildinfo];

    proptest! {
        #[test]
        fn no_bytes_break_a_promise(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            ALL.iter().for_each(|promise| promise(&bytes));
        }

        #[test]
        fn no_text_of_the_formats_own_letters_breaks_a_promise(
            text in r"[0-9a-f :/()\-\n\\@\[\]pod.slicecubetn]{0,300}"
        ) {
            ALL.iter().for_each(|promise| promise(text.as_bytes()));
        }
    }
}
