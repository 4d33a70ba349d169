//! What Go's linker writes: a build-id of its own, and the version and modules of the build.
//!
//! The build information begins with a magic and comes in two forms: since Go 1.18 the two texts
//! follow it, before that it held the addresses of two strings. It is in a section of its own; where
//! names of sections are gone it is searched, since it is all that tells a stripped Go program.

use goblin::elf::program_header::{PF_W, PT_LOAD, ProgramHeader};
use goblin::elf::section_header::SectionHeader;

use crate::limits::ElfLimits;

use super::go_modules::{self, Modules};
use super::image::Image;
use super::sections::Sections;
use super::{Doubts, Endian, Field, Source, Why};

/// How the build information begins, on an address that is a multiple of [`ALIGNMENT`].
const MAGIC: &[u8] = b"\xff Go buildinf:";
const ALIGNMENT: usize = 16;

/// Its size before the texts.
const HEADER: usize = 32;

/// Flags in the last byte before the addresses.
const BIG_ENDIAN: u8 = 1;
const TEXTS_FOLLOW: u8 = 2;

const SECTION: &[u8] = b".go.buildinfo";

/// How much is searched at once: a multiple of [`ALIGNMENT`], so that no magic is cut.
const STEP: usize = 64 << 10;

/// How often the magic may stand where nothing follows it: it is a constant in every program that
/// looks for it.
const CANDIDATES: usize = 1024;

/// What Go's linker wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Go {
    /// Go's own build-id. It may be empty, and Bazel writes `redacted` into every file.
    pub build_id: Option<Vec<u8>>,
    /// The toolchain, as `go1.25.3`.
    pub version: Option<String>,
    /// The path of the main package.
    pub path: Option<String>,
    /// The main module.
    pub module: Option<GoModule>,
    /// `CGO_ENABLED` during the build.
    pub cgo: Option<bool>,
}

/// A module of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoModule {
    /// Its path.
    pub path: String,
    /// Its version, `(devel)` where none was given.
    pub version: String,
    /// Its checksum.
    pub sum: Option<String>,
}

/// The two texts.
struct BuildInfo {
    version: Vec<u8>,
    modules: Result<Vec<u8>, Why>,
}

/// Bytes of the file and the address that they are loaded at.
#[derive(Clone, Copy)]
struct Place {
    offset: u64,
    size: u64,
    address: u64,
}

struct Search<'a> {
    image: &'a Image<'a>,
    /// Bytes that may still be searched.
    left: usize,
    candidates: usize,
    /// What went wrong; it matters if nothing is found.
    trouble: Option<Why>,
}

/// What Go's linker wrote; `None` where it was not Go's.
pub(super) fn find(
    image: &Image<'_>,
    sections: &Result<Sections, Why>,
    build_id: Option<Vec<u8>>,
    doubts: &mut Doubts,
) -> Option<Go> {
    let section = sections.as_ref().ok().and_then(|sections| sections.named(SECTION).next());
    let nameless = sections.as_ref().map_or(true, Sections::are_nameless);
    let mut search = Search::new(image);
    let mut info = section.and_then(|section| search.place(Place::from(section), |_| true));
    if info.is_none() && (build_id.is_some() || nameless) {
        info = search.segments();
    }
    if info.is_none() {
        let broken = section.map(|_| Why::Malformed);
        search.trouble.or(broken).into_iter().for_each(|why| doubts.add(Field::Go, why));
    }
    let is_go = info.is_some() || section.is_some() || build_id.is_some();
    is_go.then(|| told(build_id, info, doubts))
}

/// What is found in any bytes.
pub(in super::super) fn find_in(bytes: &[u8], limits: &ElfLimits) -> Option<Go> {
    let source: &dyn Source = &bytes;
    let image = Image::flat(source, limits).ok()?;
    find(&image, &Ok(Sections::none()), None, &mut Doubts::default())
}

fn told(build_id: Option<Vec<u8>>, info: Option<BuildInfo>, doubts: &mut Doubts) -> Go {
    let Some(info) = info else {
        return Go { build_id, ..Go::default() };
    };
    let version = Some(String::from_utf8_lossy(&info.version).into_owned());
    let text = doubts.unless(Field::Go, info.modules).unwrap_or_default();
    let Modules { path, module, cgo, is_whole } = go_modules::parse(&text);
    if !is_whole {
        doubts.add(Field::Go, Why::Malformed);
    }
    Go { build_id, version, path, module, cgo }
}

impl From<&SectionHeader> for Place {
    fn from(section: &SectionHeader) -> Self {
        Self { offset: section.sh_offset, size: section.sh_size, address: section.sh_addr }
    }
}

impl From<&ProgramHeader> for Place {
    fn from(segment: &ProgramHeader) -> Self {
        Self { offset: segment.p_offset, size: segment.p_filesz, address: segment.p_vaddr }
    }
}

impl Place {
    /// The same from its first aligned address.
    fn aligned(self) -> Option<Self> {
        let address = self.address.checked_next_multiple_of(u64::try_from(ALIGNMENT).ok()?)?;
        let skipped = address.checked_sub(self.address)?;
        let offset = self.offset.checked_add(skipped)?;
        Some(Self { offset, size: self.size.checked_sub(skipped)?, address })
    }

    fn is_empty(self) -> bool {
        self.size == 0
    }

    /// What is left behind so many bytes.
    fn behind(self, bytes: usize) -> Option<Self> {
        let bytes = u64::try_from(bytes).ok()?;
        let size = self.size.checked_sub(bytes)?;
        Some(Self { offset: self.offset.checked_add(bytes)?, size, ..self })
    }
}

impl<'a> Search<'a> {
    fn new(image: &'a Image<'a>) -> Self {
        Self { image, left: image.limits().go_search, candidates: CANDIDATES, trouble: None }
    }

    /// Where it usually is comes first: data that may be written.
    fn segments(&mut self) -> Option<BuildInfo> {
        let writable = |segment: &&ProgramHeader| segment.p_flags & PF_W != 0;
        let image = self.image;
        let first = image.segments_of(PT_LOAD).filter(writable);
        let others = image.segments_of(PT_LOAD).filter(|segment| !writable(segment));
        first.chain(others).find_map(|segment| self.place(Place::from(segment), is_go_version))
    }

    /// The first build information in a place whose version is one.
    fn place(&mut self, place: Place, is_version: fn(&[u8]) -> bool) -> Option<BuildInfo> {
        let mut rest = place.aligned()?;
        while !rest.is_empty() {
            let wanted = usize::try_from(rest.size).unwrap_or(usize::MAX).min(STEP);
            let bytes = self.read(rest.offset, wanted)?;
            for (number, piece) in bytes.chunks(ALIGNMENT).enumerate() {
                if piece.starts_with(MAGIC) {
                    let at = rest.behind(number.checked_mul(ALIGNMENT)?)?.offset;
                    let info = self.candidate(at).filter(|info| is_version(&info.version));
                    if info.is_some() {
                        return info;
                    }
                }
            }
            rest = rest.behind(bytes.len()).filter(|_| bytes.len() == wanted)?;
        }
        None
    }

    fn read(&mut self, offset: u64, wanted: usize) -> Option<Vec<u8>> {
        let allowed = wanted.min(self.left);
        if allowed < wanted {
            self.trouble = Some(Why::Budget);
        }
        let bytes = self.image.reader.read(offset, allowed).map_err(|why| self.trouble = Some(why));
        let bytes = bytes.ok()?;
        if bytes.len() < allowed {
            self.trouble = Some(Why::Malformed);
        }
        self.left = self.left.saturating_sub(bytes.len());
        Some(bytes.into_owned())
    }

    /// What follows a magic; most often that is nothing.
    fn candidate(&mut self, at: u64) -> Option<BuildInfo> {
        let Some(left) = self.candidates.checked_sub(1) else {
            self.trouble = Some(Why::Budget);
            return None;
        };
        self.candidates = left;
        let info = decode(self.image, at);
        if let Err(why @ (Why::Budget | Why::Unreadable)) = info {
            self.trouble = Some(why);
        }
        info.ok().filter(|info| !info.version.is_empty())
    }
}

/// How every released and every development version of Go begins.
fn is_go_version(version: &[u8]) -> bool {
    let begins = version.starts_with(b"go") || version.starts_with(b"devel");
    begins && std::str::from_utf8(version).is_ok()
}

/// The two texts behind the magic at `at`.
fn decode(image: &Image<'_>, at: u64) -> Result<BuildInfo, Why> {
    let header = image.reader.exact(at, 32, HEADER)?;
    let [size, flags] =
        *header.get(MAGIC.len()..).and_then(<[u8]>::first_chunk).ok_or(Why::Malformed)?;
    if flags & TEXTS_FOLLOW != 0 {
        let start = at.checked_add(32).ok_or(Why::Malformed)?;
        return following(image, start);
    }
    let endian = if flags & BIG_ENDIAN != 0 { Endian::Big } else { Endian::Little };
    let size =
        Some(usize::from(size)).filter(|size| [4, 8].contains(size)).ok_or(Why::Malformed)?;
    let strings = Strings { image, endian, size };
    let addresses = header.get(ALIGNMENT..).unwrap_or(&[]);
    let version = strings.at(addresses, 0, image.limits().string)?;
    Ok(BuildInfo { version, modules: strings.at(addresses, 1, image.limits().go_modules) })
}

/// The form since Go 1.18: a length and a text, twice.
fn following(image: &Image<'_>, start: u64) -> Result<BuildInfo, Why> {
    let (version, next) = counted(image, start, image.limits().string)?;
    let modules = counted(image, next, image.limits().go_modules).map(|(text, _)| text);
    Ok(BuildInfo { version, modules })
}

/// A length and so many bytes, and where they end.
fn counted(image: &Image<'_>, at: u64, limit: usize) -> Result<(Vec<u8>, u64), Why> {
    let bytes = image.reader.read(at, 10)?;
    let (length, taken) = varint(&bytes).ok_or(Why::Malformed)?;
    let start = at.checked_add(taken).ok_or(Why::Malformed)?;
    let end = start.checked_add(length).ok_or(Why::Malformed)?;
    Ok((image.reader.exact(start, length, limit)?.into_owned(), end))
}

/// A number in groups of seven bits, the lowest first, and the bytes that it took.
fn varint(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut value = 0_u64;
    for (taken, &byte) in (0_u32..).zip(bytes) {
        let bits = u64::from(byte & 0x7f);
        let shift = taken.checked_mul(7)?;
        let shifted = bits.checked_shl(shift)?;
        if shifted >> shift != bits {
            return None;
        }
        value |= shifted;
        if byte & 0x80 == 0 {
            return Some((value, u64::from(taken).checked_add(1)?));
        }
    }
    None
}

/// The form before Go 1.18: strings of the program, as they are in its memory.
struct Strings<'a> {
    image: &'a Image<'a>,
    endian: Endian,
    /// Of an address.
    size: usize,
}

impl Strings<'_> {
    /// The string whose address is the `index`-th; empty for none.
    fn at(&self, addresses: &[u8], index: usize, limit: usize) -> Result<Vec<u8>, Why> {
        let address = self.word(addresses, index)?;
        if address == 0 {
            return Ok(Vec::new());
        }
        let (offset, _) = self.image.locate(address)?;
        let bytes = self.image.reader.read(offset, self.size.saturating_mul(2))?;
        let (data, length) = (self.word(&bytes, 0)?, self.word(&bytes, 1)?);
        if length == 0 {
            return Ok(Vec::new());
        }
        let (offset, left) = self.image.locate(data)?;
        if length > left {
            return Err(Why::Malformed);
        }
        Ok(self.image.reader.exact(offset, length, limit)?.into_owned())
    }

    fn word(&self, bytes: &[u8], index: usize) -> Result<u64, Why> {
        let rest = bytes.get(index.saturating_mul(self.size)..);
        rest.and_then(|rest| self.endian.number(rest, self.size)).ok_or(Why::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::builder::{Builder, KINDS, PT_NOTE, Put, SHT_NOTE, SHT_PROGBITS};
    use super::super::{Class, Doubt, Elf, identify};
    use super::*;

    const TEXT: &str = "path\ta\nmod\ta\t(devel)\t\nbuild\tCGO_ENABLED=0\n";

    fn marked() -> Vec<u8> {
        [&[1; 16][..], TEXT.as_bytes(), &[2; 16]].concat()
    }

    /// A text with its length before it, which is below 128.
    fn counted(text: &[u8]) -> Vec<u8> {
        [&[u8::try_from(text.len()).unwrap()][..], text].concat()
    }

    /// The form since Go 1.18.
    fn following(version: &str) -> Vec<u8> {
        let header = [MAGIC, &[8, 2], &[0; 16]].concat();
        [header, counted(version.as_bytes()), counted(&marked())].concat()
    }

    /// The form before: the addresses of two strings.
    fn addressed(builder: &mut Builder, (class, endian): (Class, Endian)) -> Vec<u8> {
        let mut string = |text: &[u8]| {
            let data = builder.put(text);
            let words = builder.words(&[data.address(), data.size]);
            builder.put(&words).address()
        };
        let strings = [string(b"go1.17"), string(&marked())];
        let flags = if endian == Endian::Big { 1 } else { 0 };
        let size = if class == Class::Elf32 { 4 } else { 8 };
        let mut info = [MAGIC, &[size, flags], &builder.words(&strings)].concat();
        info.resize(HEADER, 0);
        info
    }

    fn go_note(builder: &mut Builder, id: &[u8]) {
        let note = builder.note((b"Go\0\0", 4), id, 4);
        builder.segment(PT_NOTE, &note);
    }

    fn version(elf: &Elf) -> Option<&str> {
        elf.go.as_ref().and_then(|go| go.version.as_deref())
    }

    #[test]
    fn both_forms_are_read_in_every_class_and_order() {
        for kind in KINDS {
            for is_new in [true, false] {
                let mut builder = Builder::new(kind);
                let info =
                    if is_new { following("go1.25.3") } else { addressed(&mut builder, kind) };
                builder.section((".go.buildinfo", SHT_PROGBITS), &info);
                let elf = builder.read();
                let module =
                    GoModule { path: "a".to_owned(), version: "(devel)".to_owned(), sum: None };
                let expected = Go {
                    build_id: None,
                    version: Some(if is_new { "go1.25.3" } else { "go1.17" }.to_owned()),
                    path: Some("a".to_owned()),
                    module: Some(module),
                    cgo: Some(false),
                };
                assert_eq!(elf.go, Some(expected), "{kind:?}");
                assert_eq!(elf.doubts, []);
            }
        }
    }

    // Pitfall 25.
    #[test]
    fn gos_build_id_is_not_the_gnu_build_id_and_may_be_redacted_or_empty() {
        for id in [&b"abc/def"[..], b"redacted", b""] {
            let mut builder = Builder::new(KINDS[2]);
            go_note(&mut builder, id);
            let elf = builder.read();
            assert_eq!(elf.build_id, None);
            assert_eq!(elf.go, Some(Go { build_id: Some(id.to_vec()), ..Go::default() }));
            assert_eq!(elf.doubts, []);

            let both = [builder.build_id(b"gnu"), builder.note((b"Go\0\0", 4), id, 4)].concat();
            let mut builder = Builder::new(KINDS[2]);
            builder.section((".notes", SHT_NOTE), &both);
            let elf = builder.read();
            assert_eq!(elf.build_id.as_deref(), Some(&b"gnu"[..]));
            assert_eq!(elf.go.unwrap().build_id.as_deref(), Some(id));
        }
    }

    // Pitfall 28.
    #[test]
    fn a_program_without_sections_is_searched_deep_and_in_segments_that_are_not_written_too() {
        for flags in [6, 4] {
            let mut builder = Builder::new(KINDS[2]);
            builder.load_flags = flags;
            builder.put(&[0x90; 300_001]);
            builder.put(&following("go1.21"));
            let elf = builder.read();
            assert_eq!((version(&elf), elf.doubts.as_slice()), (Some("go1.21"), &[][..]));
        }
    }

    #[test]
    fn a_program_with_sections_is_searched_only_if_it_is_gos() {
        let mut builder = Builder::new(KINDS[2]);
        builder.put(&following("go1.21"));
        builder.section((".text", SHT_PROGBITS), b"x");
        assert_eq!(builder.read().go, None);
        go_note(&mut builder, b"id");
        assert_eq!(version(&builder.read()), Some("go1.21"));
    }

    // Pitfall 28. Every program that looks for the magic has it in itself.
    #[test]
    fn a_magic_that_nothing_follows_does_not_end_the_search() {
        let mut builder = Builder::new(KINDS[2]);
        builder.put(MAGIC);
        builder.put(&[MAGIC, &[8, 2], &[0; 16], b"\x05hello\0"].concat());
        builder.put(&[MAGIC, &[8, 0], &[0xff; 16]].concat());
        builder.put(&[MAGIC, &[9, 0], &[0; 16]].concat());
        builder.put(&[MAGIC, &[8, 2], &[0; 16], &[0xff; 11]].concat());
        assert_eq!(builder.read().go, None, "these alone are no Go program");
        builder.put(&following("devel +abc"));
        assert_eq!(version(&builder.read()), Some("devel +abc"));
    }

    #[test]
    fn a_magic_off_its_alignment_is_none() {
        for (skew, expected) in [(0, Some("go1.21")), (8, None), (1, None)] {
            let mut builder = Builder::new(KINDS[2]);
            builder.put(&[&vec![0; skew][..], &following("go1.21")].concat());
            assert_eq!(version(&builder.read()), expected, "{skew}");
        }
    }

    #[test]
    fn the_alignment_is_the_addresss_and_not_the_places() {
        let mut builder = Builder::new(KINDS[2]);
        let put = builder.put(&[&[0; 16][..], &following("go1.21")].concat());
        let skewed = Put { offset: put.offset + 8, size: put.size - 8 };
        builder.section_of((".go.buildinfo", SHT_PROGBITS), skewed);
        assert_eq!(version(&builder.read()), Some("go1.21"));
    }

    #[test]
    fn a_string_that_goes_beyond_its_segment_is_none() {
        for (beyond, expected) in [(0, Some("go1.17")), (1, None)] {
            let mut builder = Builder::new(KINDS[2]);
            let section = [MAGIC, &[8, 0], &[0; 16]].concat();
            let info = builder.section((".go.buildinfo", SHT_PROGBITS), &section);
            let words = builder.put(&[0; 16]);
            // The last bytes of the segment; the table of sections follows them in the file.
            let data = builder.put(b"go1.17");
            builder.overwrite(words, &builder.words(&[data.address(), data.size + beyond]));
            let addresses = builder.words(&[words.address(), 0]);
            builder.overwrite(info, &[MAGIC, &[8, 0], &addresses].concat());
            assert_eq!(version(&builder.read()), expected, "{beyond} beyond");
        }
    }

    #[test]
    fn a_search_that_is_cut_is_a_doubt() {
        let mut builder = Builder::new(KINDS[2]);
        go_note(&mut builder, b"id");
        builder.put(&vec![0; 5000]);
        let file = builder.build();
        let read = |go_search| {
            let limits = ElfLimits { go_search, ..ElfLimits::default() };
            identify(&&file[..], &limits).unwrap().doubts
        };
        assert_eq!(read(file.len()), []);
        assert_eq!(read(4096), [Doubt { field: Field::Go, why: Why::Budget }]);
    }

    #[test]
    fn a_list_of_modules_beyond_its_limit_or_the_file_leaves_the_version() {
        let mut builder = Builder::new(KINDS[2]);
        builder.section((".go.buildinfo", SHT_PROGBITS), &following("go1.25"));
        let file = builder.build();
        let limits = ElfLimits { go_modules: 10, ..ElfLimits::default() };
        let elf = identify(&&file[..], &limits).unwrap();
        assert_eq!(version(&elf), Some("go1.25"));
        assert_eq!(elf.doubts, [Doubt { field: Field::Go, why: Why::Budget }]);

        let endless = [MAGIC, &[8, 2], &[0; 16], b"\x04go1.\xff\xff\x7f"].concat();
        let mut builder = Builder::new(KINDS[2]);
        builder.section((".go.buildinfo", SHT_PROGBITS), &endless);
        let elf = builder.read();
        assert_eq!(version(&elf), Some("go1."));
        assert_eq!(elf.doubts, [Doubt { field: Field::Go, why: Why::Budget }]);
    }

    #[test]
    fn a_section_of_gos_without_what_belongs_there_is_a_doubt() {
        let mut builder = Builder::new(KINDS[2]);
        builder.section((".go.buildinfo", SHT_PROGBITS), b"something else");
        let elf = builder.read();
        assert_eq!(elf.go, Some(Go::default()));
        assert_eq!(elf.doubts, [Doubt { field: Field::Go, why: Why::Malformed }]);
    }

    #[test]
    fn a_number_in_groups_of_seven_bits_fits_into_64() {
        assert_eq!(varint(&[0x7f]), Some((127, 1)));
        assert_eq!(varint(&[0x80, 0x01, 0xff]), Some((128, 2)));
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(varint(&most), Some((u64::MAX, 10)));
        let more = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        assert_eq!(varint(&more), None);
        assert_eq!(varint(&[0x80; 11]), None);
        assert_eq!(varint(&[0x80]), None);
        assert_eq!(varint(&[]), None);
    }
}
