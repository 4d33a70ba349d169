//! The section table, which says nothing that a loader needs and need not be there.

use goblin::elf::section_header::{SHT_NOBITS, SHT_NOTE, SectionHeader};

use super::Why;
use super::image::{Image, SHN_XINDEX};

/// The sections of a file; none where it has no table.
pub(super) struct Sections {
    headers: Vec<SectionHeader>,
    names: Vec<u8>,
    /// Why the name of some section is not known.
    pub(super) unnamed: Option<Why>,
}

impl Sections {
    /// No table.
    pub(super) fn none() -> Self {
        Self { headers: Vec::new(), names: Vec::new(), unnamed: None }
    }

    /// Whether names tell nothing: there is no table, or not all names in it could be read.
    pub(super) fn are_nameless(&self) -> bool {
        self.names.is_empty() || self.unnamed.is_some()
    }

    /// The sections of this name that have bytes in the file.
    pub(super) fn named(&self, name: &'static [u8]) -> impl Iterator<Item = &SectionHeader> {
        self.with_bytes().filter(move |section| self.is_named(section, name))
    }

    /// Sections of type `SHT_NOTE`.
    pub(super) fn notes(&self) -> impl Iterator<Item = &SectionHeader> {
        self.with_bytes().filter(|section| section.sh_type == SHT_NOTE)
    }

    fn with_bytes(&self) -> impl Iterator<Item = &SectionHeader> {
        self.headers.iter().skip(1).filter(|section| section.sh_type != SHT_NOBITS)
    }

    fn is_named(&self, section: &SectionHeader, name: &[u8]) -> bool {
        let after = self.names.get(section.sh_name..).and_then(|rest| rest.strip_prefix(name));
        after.is_some_and(|after| after.first() == Some(&0))
    }
}

impl Image<'_> {
    /// Reads the section table and its names.
    pub(super) fn sections(&self) -> Result<Sections, Why> {
        if self.header.e_shoff == 0 {
            return Ok(Sections::none());
        }
        // Zero with a table means that the number is in section 0.
        let count = match self.header.e_shnum {
            0 => self.first_section()?.sh_size,
            count => u64::from(count),
        };
        let size = SectionHeader::size(self.context);
        if count == 0 || usize::from(self.header.e_shentsize) != size {
            return Err(Why::Malformed);
        }
        let bytes =
            self.table(self.header.e_shoff, (count, size), self.limits().section_headers)?;
        let count = bytes.len().checked_div(size).unwrap_or(0);
        let headers = SectionHeader::parse_from(&bytes, 0, count, self.context);
        Ok(self.named_sections(headers.map_err(|_| Why::Malformed)?))
    }

    fn named_sections(&self, headers: Vec<SectionHeader>) -> Sections {
        let unnamed = Sections { headers, names: Vec::new(), unnamed: None };
        // No index says that no section has a name.
        if self.header.e_shstrndx == 0 {
            return unnamed;
        }
        let names = match self.section_names(&unnamed.headers) {
            Ok(names) => names,
            Err(why) => return Sections { unnamed: Some(why), ..unnamed },
        };
        let is_cut = unnamed.headers.iter().any(|section| section.sh_name >= names.len());
        let is_whole = names.len() < self.limits().section_names;
        let why = if is_whole { Why::Malformed } else { Why::Budget };
        Sections { names, unnamed: is_cut.then_some(why), ..unnamed }
    }

    /// The table of names, as far as its limit. A linker may have put it behind all symbols' names.
    fn section_names(&self, headers: &[SectionHeader]) -> Result<Vec<u8>, Why> {
        let index = match self.header.e_shstrndx {
            SHN_XINDEX => headers.first().map_or(0, |first| first.sh_link),
            index => u32::from(index),
        };
        let table = usize::try_from(index).ok().and_then(|index| headers.get(index));
        let table = table.filter(|table| table.sh_type != SHT_NOBITS).ok_or(Why::Malformed)?;
        let size = usize::try_from(table.sh_size).unwrap_or(usize::MAX);
        let size = size.min(self.limits().section_names);
        Ok(self.reader.read(table.sh_offset, size)?.into_owned())
    }
}
