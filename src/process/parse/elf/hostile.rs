//! Files that lie: every field, every length, and a file that changes under its reader.
#![expect(clippy::arithmetic_side_effects, reason = "the numbers are a test's own")]

// Pitfall 27: other readers overflowed, ran out of memory or never came back.

use std::cell::Cell;

use super::builder::{Builder, KINDS, PT_INTERP, PT_NOTE, SHT_NOTE, SHT_PROGBITS, field, read};
use super::{Doubt, Field, NotIdentified, Source, Unreadable, Why, identify};
use crate::limits::ElfLimits;

/// A file with something of everything.
fn full(kind: (super::Class, super::Endian)) -> Builder {
    let mut builder = Builder::new(kind);
    builder.segment(PT_INTERP, b"/lib/ld-linux.so.2\0");
    let notes = [
        builder.note((b"GNU\0", 1), &[0; 16], 4),
        builder.note((b"Go\0\0", 4), b"a/b", 4),
        builder.build_id(b"0123456789abcdef0123"),
        builder.note((b"FDO\0", 0xcafe_1a7e), br#"{"name":"a"}"#, 4),
    ]
    .concat();
    builder.segment(PT_NOTE, &notes);
    builder.section((".note.more", SHT_NOTE), &notes);
    builder.section((".note.package", SHT_PROGBITS), br#"{"name":"b"}"#);
    let info = [&b"\xff Go buildinf:\x08\x02"[..], &[0; 16], b"\x06go1.25\x00"].concat();
    builder.section((".go.buildinfo", SHT_PROGBITS), &info);
    builder.dynamic(&[(14, 1), (1, 6)], b"\0a.so\0libc.so.6\0");
    builder
}

/// A file whose reads are counted, which ends after some and fails at one.
struct Watched<'a> {
    file: &'a [u8],
    asked: Cell<u64>,
    /// The most that was asked for at once, for which the reader has memory.
    largest: Cell<usize>,
    reads: Cell<usize>,
    ends_at: usize,
    fails_at: usize,
}

impl<'a> Watched<'a> {
    fn new(file: &'a [u8]) -> Self {
        let (asked, largest, reads) = (Cell::new(0), Cell::new(0), Cell::new(0));
        Self { file, asked, largest, reads, ends_at: usize::MAX, fails_at: usize::MAX }
    }
}

impl Source for Watched<'_> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Unreadable> {
        let read = self.reads.replace(self.reads.get() + 1);
        self.asked.set(self.asked.get() + buffer.len() as u64);
        self.largest.set(self.largest.get().max(buffer.len()));
        if read == self.fails_at {
            return Err(Unreadable);
        }
        let left = if read >= self.ends_at { self.file.len() / 2 } else { self.file.len() };
        (&self.file[..left]).read_at(offset, buffer)
    }
}

#[test]
fn the_whole_file_is_understood_before_it_is_damaged() {
    for kind in KINDS {
        let elf = full(kind).read();
        assert_eq!(elf.doubts, [], "{kind:?}");
        assert_eq!(elf.build_id.as_deref(), Some(&b"0123456789abcdef0123"[..]));
        assert_eq!(elf.soname.as_deref(), Some(&b"a.so"[..]));
        assert_eq!(elf.packages.len(), 2);
        assert_eq!(elf.go.unwrap().version.as_deref(), Some("go1.25"));
    }
}

/// Whatever a byte or a field of the headers says, the answer comes, and within the limit.
#[test]
fn no_field_makes_it_read_more_than_its_limit() {
    let limits = ElfLimits { total: 256 << 10, ..ElfLimits::default() };
    let mut tried = 0;
    for kind in KINDS {
        let file = full(kind).build();
        for size in [1, 2, 4, 8] {
            for at in 0..=file.len() - size {
                for fill in [0, 1, 0x7f, 0x80, 0xff_u8] {
                    let mut damaged = file.clone();
                    damaged[at..at + size].fill(0xff);
                    damaged[at] = fill;
                    damaged[at + size - 1] = fill;
                    let source = Watched::new(&damaged);
                    drop(identify(&source, &limits));
                    assert!(source.asked.get() <= limits.total, "{kind:?} {size} at {at}");
                    tried += 1;
                }
            }
        }
    }
    println!("{tried} files");
}

#[test]
fn a_note_of_four_gigabytes_takes_no_memory_and_ends_its_segment_only() {
    for kind in KINDS {
        let mut builder = Builder::new(kind);
        for sizes in [[u32::MAX, 0], [4, u32::MAX], [u32::MAX, u32::MAX], [u32::MAX - 11, 0]] {
            let sizes = sizes.map(|size| builder.number(size.into(), 4)).concat();
            let note = [sizes, builder.number(3, 4), b"GNU\0".to_vec()].concat();
            builder.segment(PT_NOTE, &note);
        }
        let none = builder.read();
        assert_eq!(none.build_id, None);
        assert_eq!(none.doubts, [Doubt { field: Field::BuildId, why: Why::Malformed }]);

        let good = builder.build_id(b"id");
        builder.segment(PT_NOTE, &good);
        let one = builder.read();
        assert_eq!((one.build_id.as_deref(), one.doubts), (Some(&b"id"[..]), vec![]));
    }
}

#[test]
fn no_more_memory_is_taken_than_the_file_turns_out_to_fill() {
    let mut builder = Builder::new(KINDS[2]);
    builder.segment(PT_NOTE, b"x");
    let mut file = builder.build();
    // The second program header's `p_filesz`: a megabyte, which the limit allows.
    file[64 + 56 + 32..][..8].copy_from_slice(&(1_u64 << 20).to_le_bytes());
    let source = Watched::new(&file);
    let elf = identify(&source, &ElfLimits::default()).unwrap();
    assert_eq!(elf.doubts, [Doubt { field: Field::BuildId, why: Why::Malformed }]);
    assert!(source.largest.get() <= 64 << 10, "{} at once", source.largest.get());
}

#[test]
fn a_segment_of_more_notes_than_the_limit_is_told_as_a_budget() {
    let mut builder = Builder::new(KINDS[2]);
    let notes = [builder.note((b"X\0\0\0", 1), &[1; 100], 4), builder.build_id(b"id")].concat();
    builder.segment(PT_NOTE, &notes);
    let file = builder.build();
    let with = |notes| identify(&&file[..], &ElfLimits { notes, ..ElfLimits::default() }).unwrap();
    assert_eq!(with(notes.len()).build_id.as_deref(), Some(&b"id"[..]));
    let cut = with(notes.len() - 3);
    assert_eq!(cut.build_id, None);
    assert_eq!(cut.doubts, [Doubt { field: Field::BuildId, why: Why::Budget }]);
}

/// A file may be written to, or be on a disk that fails, while it is read.
#[test]
fn whichever_read_fails_or_is_short_there_is_an_answer_and_it_says_so() {
    for kind in KINDS {
        let mut builder = full(kind);
        builder.put(&[0; 9000]);
        builder.section((".last", SHT_PROGBITS), b"x");
        let file = builder.build();
        let whole = Watched::new(&file);
        let answer = identify(&whole, &ElfLimits::default()).unwrap();
        assert_eq!(answer.doubts, []);
        for n in 0..whole.reads.get() {
            let failing = Watched { fails_at: n, ..Watched::new(&file) };
            match identify(&failing, &ElfLimits::default()) {
                Ok(elf) => {
                    assert!(n > 0);
                    assert!(elf.doubts.iter().any(|doubt| doubt.why == Why::Unreadable), "{n}");
                }
                Err(why) => assert_eq!((why, n), (NotIdentified::Unreadable, 0)),
            }
            let shrinking = Watched { ends_at: n, ..Watched::new(&file) };
            let elf = identify(&shrinking, &ElfLimits::default()).unwrap();
            assert!(elf.doubts.iter().any(|doubt| doubt.why == Why::Malformed), "{n}");
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_never_more_than_the_whole() {
    for kind in KINDS {
        let file = full(kind).build();
        let whole = read(&file).unwrap();
        for length in 0..file.len() {
            match read(&file[..length]) {
                Ok(cut) => {
                    assert!(!cut.doubts.is_empty(), "cut to {length} of {}", file.len());
                    assert!(cut.build_id.is_none() || cut.build_id == whole.build_id);
                    assert!(cut.soname.is_none() || cut.soname == whole.soname);
                }
                Err(NotIdentified::NotElf) => assert!(length < 4),
                Err(why) => assert!(matches!(why, NotIdentified::Malformed(_)), "{why:?}"),
            }
        }
    }
}

/// A thousand program headers that all load everything, a thousand sections of the same notes.
#[test]
fn many_headers_over_the_same_bytes_share_one_budget() {
    let mut builder = Builder::new(KINDS[2]);
    let notes = builder.note((b"FDO\0", 0xcafe_1a7e), b"{}", 4).repeat(2000);
    let put = builder.segment(PT_NOTE, &notes);
    let mut file = builder.build();
    let entry = file[64 + 56..64 + 112].to_vec();
    let phoff = file.len() as u64;
    file.extend(entry.repeat(2000));
    let set = |file: &mut Vec<u8>, name, value: u64| {
        let field = field(super::Class::Elf64, name);
        let size = field.len();
        file[field].copy_from_slice(&value.to_le_bytes()[..size]);
    };
    set(&mut file, "e_phoff", phoff);
    set(&mut file, "e_phnum", 2000);
    let limits = ElfLimits::default();
    let source = Watched::new(&file);
    let elf = identify(&source, &limits).unwrap();
    assert_eq!(elf.packages.len(), 1, "the same package");
    assert!(source.asked.get() <= limits.notes as u64 + 2 * put.size + phoff + 2000 * 56);
}
