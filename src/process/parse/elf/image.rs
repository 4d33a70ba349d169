//! The headers: what kind of file it is, and where its parts are.

use std::borrow::Cow;

use goblin::container::{Container, Ctx};
use goblin::elf::header::{ET_CORE, ET_DYN, ET_EXEC, ET_REL, Header};
use goblin::elf::program_header::{PF_R, PF_W, PT_INTERP, PT_LOAD, ProgramHeader};
use goblin::elf::section_header::SectionHeader;

use crate::limits::ElfLimits;

use super::source::Reader;
use super::{Class, Endian, NotIdentified, Source, Why};

/// What begins every ELF file.
const MAGIC: &[u8] = b"\x7fELF";

/// `e_phnum` when the number does not fit; it is in section 0 then.
const PN_XNUM: u16 = 0xffff;

/// `e_shstrndx` when the index does not fit.
pub(super) const SHN_XINDEX: u16 = 0xffff;

/// A file whose header and program headers were read.
pub(super) struct Image<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) class: Class,
    pub(super) endian: Endian,
    pub(super) machine: u16,
    pub(super) file_type: u16,
    pub(super) segments: Vec<ProgramHeader>,
    pub(super) header: Header,
    pub(super) context: Ctx,
}

/// What `e_type` says, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileType {
    Fixed,
    Anywhere,
    Relocatable,
    Core,
    Other,
}

impl<'a> Image<'a> {
    /// Reads the header and the program headers.
    pub(super) fn open(
        source: &'a dyn Source,
        limits: &'a ElfLimits,
    ) -> Result<Self, NotIdentified> {
        let reader = Reader::open(source, limits).map_err(refused("ELF header"))?;
        if !reader.head().starts_with(MAGIC) {
            return Err(NotIdentified::NotElf);
        }
        let malformed = |_| NotIdentified::Malformed("ELF header");
        let header = goblin::elf::Elf::parse_header(reader.head()).map_err(malformed)?;
        let container = header.container().map_err(malformed)?;
        let context = Ctx::new(container, header.endianness().map_err(malformed)?);
        let mut image = Self::bare(reader, header, context);
        image.segments = image.read_segments().map_err(refused("program headers"))?;
        Ok(image)
    }

    /// A file without headers that is loaded as it is: the searches can be tried on any bytes.
    pub(super) fn flat(source: &'a dyn Source, limits: &'a ElfLimits) -> Result<Self, Why> {
        let context = Ctx::new(Container::Big, goblin::container::Endian::Little);
        let mut image = Self::bare(Reader::open(source, limits)?, Header::new(context), context);
        let mut segment = ProgramHeader::new();
        (segment.p_type, segment.p_flags) = (PT_LOAD, PF_R | PF_W);
        segment.p_filesz = limits.total;
        image.segments = vec![segment];
        Ok(image)
    }

    fn bare(reader: Reader<'a>, header: Header, context: Ctx) -> Self {
        let class = if context.is_big() { Class::Elf64 } else { Class::Elf32 };
        let endian = if context.le.is_little() { Endian::Little } else { Endian::Big };
        let (machine, file_type) = (header.e_machine, header.e_type);
        Self { reader, class, endian, machine, file_type, segments: Vec::new(), header, context }
    }

    /// What `e_type` says.
    pub(super) fn kind(&self) -> FileType {
        match self.file_type {
            ET_EXEC => FileType::Fixed,
            ET_DYN => FileType::Anywhere,
            ET_REL => FileType::Relocatable,
            ET_CORE => FileType::Core,
            _ => FileType::Other,
        }
    }

    /// The segments of one `p_type`.
    pub(super) fn segments_of(&self, kind: u32) -> impl Iterator<Item = &ProgramHeader> {
        self.segments.iter().filter(move |segment| segment.p_type == kind)
    }

    /// Whether an interpreter is asked for.
    pub(super) fn has_interpreter(&self) -> bool {
        self.segments_of(PT_INTERP).next().is_some()
    }

    /// Where in the file an address is, and how many bytes of its segment follow there.
    pub(super) fn locate(&self, address: u64) -> Result<(u64, u64), Why> {
        let located = self.segments_of(PT_LOAD).find_map(|segment| {
            let into = address.checked_sub(segment.p_vaddr)?;
            let left = segment.p_filesz.checked_sub(into).filter(|&left| left > 0)?;
            Some((segment.p_offset.checked_add(into)?, left))
        });
        located.ok_or(Why::Malformed)
    }

    fn read_segments(&self) -> Result<Vec<ProgramHeader>, Why> {
        let count = match self.header.e_phnum {
            PN_XNUM => u64::from(self.first_section()?.sh_info),
            count => u64::from(count),
        };
        let size = ProgramHeader::size(self.context);
        if count == 0 {
            return Ok(Vec::new());
        }
        if usize::from(self.header.e_phentsize) != size {
            return Err(Why::Malformed);
        }
        let bytes =
            self.table(self.header.e_phoff, (count, size), self.limits().program_headers)?;
        let count = bytes.len().checked_div(size).unwrap_or(0);
        ProgramHeader::parse(&bytes, 0, count, self.context).map_err(|_| Why::Malformed)
    }

    /// Section 0, which is no section: it holds the numbers that do not fit into the header.
    pub(super) fn first_section(&self) -> Result<SectionHeader, Why> {
        let size = SectionHeader::size(self.context);
        if self.header.e_shoff == 0 || usize::from(self.header.e_shentsize) != size {
            return Err(Why::Malformed);
        }
        let bytes = self.table(self.header.e_shoff, (1, size), 1)?;
        let parsed = SectionHeader::parse_from(&bytes, 0, 1, self.context);
        parsed.ok().and_then(|headers| headers.into_iter().next()).ok_or(Why::Malformed)
    }

    /// So many entries of such a size, of which there may be `limit`.
    pub(super) fn table(
        &self,
        offset: u64,
        (count, size): (u64, usize),
        limit: usize,
    ) -> Result<Cow<'_, [u8]>, Why> {
        let length = u64::try_from(size).ok().and_then(|size| size.checked_mul(count));
        self.reader.exact(offset, length.ok_or(Why::Budget)?, limit.saturating_mul(size))
    }

    pub(super) fn limits(&self) -> &ElfLimits {
        self.reader.limits
    }
}

/// What it means for the whole file that a header could not be read.
fn refused(header: &'static str) -> impl Fn(Why) -> NotIdentified {
    move |why| match why {
        Why::Malformed => NotIdentified::Malformed(header),
        Why::Budget => NotIdentified::Budget,
        Why::Unreadable => NotIdentified::Unreadable,
    }
}

impl Class {
    /// The size of an address.
    pub(super) fn word(self) -> usize {
        match self {
            Self::Elf32 => 4,
            Self::Elf64 => 8,
        }
    }
}

impl Endian {
    /// The number in the first `size` bytes.
    pub(super) fn number(self, bytes: &[u8], size: usize) -> Option<u64> {
        let bytes = bytes.get(..size)?;
        let push = |value: u64, &byte: &u8| Some(value.checked_mul(256)? | u64::from(byte));
        match self {
            Self::Big => bytes.iter().try_fold(0, push),
            Self::Little => bytes.iter().rev().try_fold(0, push),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded((p_vaddr, p_offset): (u64, u64), p_filesz: u64) -> ProgramHeader {
        ProgramHeader { p_type: PT_LOAD, p_vaddr, p_offset, p_filesz, ..ProgramHeader::new() }
    }

    #[test]
    fn an_address_is_in_the_segment_that_has_bytes_for_it() {
        let (file, limits) = (&b""[..], ElfLimits::default());
        let mut image = Image::flat(&file, &limits).unwrap();
        image.segments = vec![loaded((0x1000, 0), 0x10), loaded((0x1010, 0x100), 0x20)];
        assert_eq!(image.locate(0x1000), Ok((0, 0x10)));
        assert_eq!(image.locate(0x100f), Ok((0xf, 1)));
        assert_eq!(image.locate(0x1010), Ok((0x100, 0x20)), "the next one's first");
        for outside in [0, 0xfff, 0x1030, u64::MAX] {
            assert_eq!(image.locate(outside), Err(Why::Malformed), "{outside:#x}");
        }
    }

    #[test]
    fn numbers_are_read_in_both_orders() {
        assert_eq!(Endian::Little.number(&[1, 2, 3], 2), Some(0x0201));
        assert_eq!(Endian::Big.number(&[1, 2, 3], 2), Some(0x0102));
        assert_eq!(Endian::Big.number(&[0xff; 8], 8), Some(u64::MAX));
        assert_eq!(Endian::Little.number(&[1, 2, 3], 4), None);
    }
}
