//! The dynamic table: the name of a library, and what it needs.

use goblin::elf::dynamic::{
    DF_1_PIE, DT_FLAGS_1, DT_NEEDED, DT_NULL, DT_SONAME, DT_STRSZ, DT_STRTAB,
};
use goblin::elf::program_header::PT_DYNAMIC;

use super::image::{FileType, Image};
use super::{Doubts, Field, Why};

/// What the table says; empty where there is none.
#[derive(Debug, Default)]
pub(super) struct Dynamic {
    pub(super) soname: Option<Vec<u8>>,
    /// It says of itself that it is a program.
    pub(super) is_program: bool,
    entries: Entries,
}

/// The entries that matter. Of an entry that is there twice the last counts, as for the loader.
#[derive(Debug, Default)]
struct Entries {
    strings: Option<u64>,
    strings_size: Option<u64>,
    soname: Option<u64>,
    needed: Vec<u64>,
    flags_1: u64,
}

impl Dynamic {
    /// Reads the table.
    pub(super) fn read(image: &Image<'_>, doubts: &mut Doubts) -> Self {
        let (entries, trouble) = Entries::read(image);
        if let Some(why) = trouble {
            doubts.add(Field::Soname, why);
            // Whether it is a program or a library is told by a flag in the table.
            if image.kind() == FileType::Anywhere && !image.has_interpreter() {
                doubts.add(Field::Linkage, why);
            }
        }
        let soname = entries.soname.map(|at| entries.string(image, at));
        let soname = soname.and_then(|read| doubts.unless(Field::Soname, read));
        Self { soname, is_program: entries.flags_1 & DF_1_PIE != 0, entries }
    }

    /// The names of the libraries that it needs, read as they are asked for.
    pub(super) fn needed<'a>(
        &'a self,
        image: &'a Image<'_>,
    ) -> impl Iterator<Item = Result<Vec<u8>, Why>> + 'a {
        self.entries.needed.iter().map(|&at| self.entries.string(image, at))
    }
}

impl Entries {
    /// As many entries as could be read, and why not more.
    fn read(image: &Image<'_>) -> (Self, Option<Why>) {
        let mut entries = Self::default();
        let Some(segment) = image.segments_of(PT_DYNAMIC).next() else {
            return (entries, None);
        };
        let word = image.class.word();
        let limit = image.limits().dynamic_entries.saturating_mul(word.saturating_mul(2));
        let claimed = usize::try_from(segment.p_filesz).unwrap_or(usize::MAX);
        let bytes = match image.reader.read(segment.p_offset, claimed.min(limit)) {
            Ok(bytes) => bytes,
            Err(why) => return (entries, Some(why)),
        };
        for entry in bytes.chunks_exact(word.saturating_mul(2)) {
            let number =
                |at: usize| image.endian.number(entry.get(at..)?, word).unwrap_or(0).into();
            match (number(0), number(word)) {
                (Some(DT_NULL), _) => return (entries, None),
                (Some(tag), Some(value)) => entries.add(tag, value),
                _ => {}
            }
        }
        let cut = bytes.len() < claimed;
        let why = if bytes.len() < limit { Why::Malformed } else { Why::Budget };
        (entries, cut.then_some(why))
    }

    fn add(&mut self, tag: u64, value: u64) {
        match tag {
            DT_STRTAB => self.strings = Some(value),
            DT_STRSZ => self.strings_size = Some(value),
            DT_SONAME => self.soname = Some(value),
            DT_NEEDED => self.needed.push(value),
            DT_FLAGS_1 => self.flags_1 = value,
            _ => {}
        }
    }

    fn string(&self, image: &Image<'_>, at: u64) -> Result<Vec<u8>, Why> {
        let (offset, left) = image.locate(self.strings.ok_or(Why::Malformed)?)?;
        let table = self.strings_size.unwrap_or(left).min(left);
        let left = table.checked_sub(at).ok_or(Why::Malformed)?;
        image.reader.string(offset.checked_add(at).ok_or(Why::Malformed)?, left)
    }
}

#[cfg(test)]
mod tests {
    use super::super::builder::{Builder, KINDS, PT_DYNAMIC};
    use super::super::{Doubt, Elf, identify};
    use super::*;
    use crate::limits::ElfLimits;

    fn with(entries: &[(u64, u64)], strings: &[u8]) -> Elf {
        let mut builder = Builder::new(KINDS[2]);
        builder.dynamic(entries, strings);
        builder.read()
    }

    fn malformed(field: Field) -> Doubt {
        Doubt { field, why: Why::Malformed }
    }

    #[test]
    fn a_soname_is_read_in_every_class_and_order() {
        for kind in KINDS {
            let mut builder = Builder::new(kind);
            builder.dynamic(&[(DT_NEEDED, 1), (DT_SONAME, 6)], b"\0a.so\0libb.so.1\0");
            let elf = builder.read();
            assert_eq!(elf.soname.as_deref(), Some(&b"libb.so.1"[..]), "{kind:?}");
            assert_eq!(elf.doubts, []);
        }
    }

    #[test]
    fn of_two_sonames_the_last_counts_and_none_behind_the_end_of_the_table() {
        let elf = with(&[(DT_SONAME, 1), (DT_SONAME, 3)], b"\0a\0b\0");
        assert_eq!(elf.soname.as_deref(), Some(&b"b"[..]));
        let mut builder = Builder::new(KINDS[2]);
        let words = builder.words(&[DT_NULL, 0, DT_SONAME, 1]);
        builder.segment(PT_DYNAMIC, &words);
        assert_eq!(builder.read().soname, None);
        assert_eq!(builder.read().doubts, []);
    }

    #[test]
    fn a_name_that_does_not_end_in_its_table_is_a_doubt() {
        assert_eq!(with(&[(DT_SONAME, 1)], b"\0a\0").soname.as_deref(), Some(&b"a"[..]));
        assert_eq!(with(&[(DT_SONAME, 2)], b"\0a\0").soname.as_deref(), Some(&b""[..]));
        for (at, strings) in [(1, &b"\0a"[..]), (3, b"\0a\0"), (u64::MAX, b"\0a\0")] {
            let elf = with(&[(DT_SONAME, at)], strings);
            assert_eq!((elf.soname, elf.doubts), (None, vec![malformed(Field::Soname)]), "{at}");
        }
    }

    #[test]
    fn strings_at_an_address_that_is_not_loaded_are_a_doubt() {
        let mut builder = Builder::new(KINDS[0]);
        let words = builder.words(&[DT_SONAME, 1, DT_STRTAB, 0x900_0000, DT_NULL, 0]);
        builder.segment(PT_DYNAMIC, &words);
        assert_eq!(builder.read().doubts, [malformed(Field::Soname)]);
    }

    #[test]
    fn a_table_of_more_entries_than_the_limit_is_told_as_a_budget() {
        let mut builder = Builder::new(KINDS[3]);
        builder.dynamic(&[(DT_SONAME, 1)], b"\0a\0");
        let file = builder.build();
        let read = |dynamic_entries| {
            identify(&&file[..], &ElfLimits { dynamic_entries, ..ElfLimits::default() }).unwrap()
        };
        assert_eq!(read(4).soname.as_deref(), Some(&b"a"[..]));
        let fields: Vec<_> = read(2).doubts.iter().map(|doubt| (doubt.field, doubt.why)).collect();
        let soname = [(Field::Soname, Why::Budget), (Field::Linkage, Why::Budget)];
        assert_eq!(fields[..2], soname);
    }
}
