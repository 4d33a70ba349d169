//! What the notes of a file say, wherever they are.
//!
//! Segments come first, since they are what a loader and a core dump see; sections are asked when no
//! segment has a build-id, and for the packager's note, which need not be loaded.

use goblin::elf::program_header::PT_NOTE;
use goblin::elf::section_header::SectionHeader;

use super::image::Image;
use super::notes::{Alignment, Note, notes};
use super::package::{self, PackageNote};
use super::sections::Sections;
use super::{Doubts, Endian, Field, Why};

const NT_GNU_ABI_TAG: u32 = 1;
const NT_GNU_BUILD_ID: u32 = 3;
const NT_ANDROID_IDENT: u32 = 1;
const NT_GO_BUILD_ID: u32 = 4;
const NT_FDO_PACKAGE: u32 = 0xcafe_1a7e;

/// Where the packager's note is by convention.
const PACKAGE_SECTION: &[u8] = b".note.package";

/// The longest build-id that is taken for one: a SHA-512.
const LONGEST_BUILD_ID: usize = 64;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) build_id: Option<Vec<u8>>,
    pub(super) go_build_id: Option<Vec<u8>>,
    pub(super) packages: Vec<PackageNote>,
    /// The C library's startup code, linked in, says "GNU, for Linux".
    pub(super) has_gnu_abi_tag: bool,
    /// The same of Android's, whose C library has musl's name.
    pub(super) has_android_ident: bool,
}

/// A run of notes in the file.
#[derive(Clone, Copy)]
struct Place {
    offset: u64,
    size: u64,
    align: u64,
}

impl From<&SectionHeader> for Place {
    fn from(section: &SectionHeader) -> Self {
        let (offset, size) = (section.sh_offset, section.sh_size);
        Self { offset, size, align: section.sh_addralign }
    }
}

struct Gatherer<'a> {
    image: &'a Image<'a>,
    findings: Findings,
    doubts: &'a mut Doubts,
    /// Bytes of notes that may still be read.
    left: usize,
    /// What went wrong first; it matters if there is no build-id in the end.
    trouble: Option<Why>,
}

impl Findings {
    /// Reads the notes.
    pub(super) fn gather(
        image: &Image<'_>,
        sections: &Result<Sections, Why>,
        doubts: &mut Doubts,
    ) -> Self {
        let (findings, left) = (Self::default(), image.limits().notes);
        let mut gatherer = Gatherer { image, findings, doubts, left, trouble: None };
        gatherer.segments();
        match sections {
            Ok(sections) => gatherer.sections(sections),
            Err(why) => gatherer.without_sections(*why),
        }
        let Gatherer { findings, trouble, .. } = gatherer;
        if let (None, Some(why)) = (&findings.build_id, trouble) {
            doubts.add(Field::BuildId, why);
        }
        findings
    }
}

impl Gatherer<'_> {
    fn segments(&mut self) {
        for segment in self.image.segments_of(PT_NOTE) {
            let (offset, size, align) = (segment.p_offset, segment.p_filesz, segment.p_align);
            self.notes(Place { offset, size, align });
        }
    }

    fn sections(&mut self, sections: &Sections) {
        if self.findings.build_id.is_none() {
            sections.notes().for_each(|section| self.notes(Place::from(section)));
        }
        for section in sections.named(PACKAGE_SECTION) {
            if let Err(why) = self.place(Place::from(section)) {
                self.doubts.add(Field::Package, why);
            }
        }
        // The packager's note may be in a section that could not be found.
        if let Some(why) = sections.unnamed {
            self.doubts.add(Field::Package, why);
        }
    }

    fn without_sections(&mut self, why: Why) {
        self.trouble.get_or_insert(why);
        self.doubts.add(Field::Package, why);
    }

    fn notes(&mut self, place: Place) {
        if let Err(why) = self.place(place) {
            self.trouble.get_or_insert(why);
        }
    }

    /// Reads a run of notes as far as there is one, and tells why not all of it.
    fn place(&mut self, place: Place) -> Result<(), Why> {
        let claimed = usize::try_from(place.size).unwrap_or(usize::MAX);
        let allowed = claimed.min(self.left);
        let bytes = self.image.reader.read(place.offset, allowed)?.into_owned();
        self.left = self.left.saturating_sub(bytes.len());
        let is_whole = self.walk(&bytes, place.align);
        match bytes.len() {
            read if read < allowed => Err(Why::Malformed),
            read if read < claimed => Err(Why::Budget),
            _ if !is_whole => Err(Why::Malformed),
            _ => Ok(()),
        }
    }

    /// Whether all notes could be read, or a build-id was before one that could not. Some linkers
    /// declare one alignment and use the other, so both are tried.
    ///
    /// Some packagers wrote their text alone. No note begins with a brace: its first number is the
    /// length of the owner's name.
    fn walk(&mut self, bytes: &[u8], align: u64) -> bool {
        if bytes.trim_ascii_start().first() == Some(&b'{') {
            self.package(bytes);
            return true;
        }
        let declared = Alignment::of(align);
        self.walk_by(bytes, declared)
            || self.findings.build_id.is_some()
            || self.walk_by(bytes, declared.other())
    }

    fn walk_by(&mut self, bytes: &[u8], alignment: Alignment) -> bool {
        for note in notes(bytes, self.image.endian, alignment) {
            match note {
                Ok(note) => self.note(note),
                Err(_) => return false,
            }
        }
        true
    }

    fn note(&mut self, note: Note<'_>) {
        match (note.owner, note.kind) {
            (b"GNU", NT_GNU_BUILD_ID) => self.build_id(note.desc),
            (b"GNU", NT_GNU_ABI_TAG) => {
                self.findings.has_gnu_abi_tag |= is_for_linux(note.desc, self.image.endian);
            }
            (b"Android", NT_ANDROID_IDENT) => self.findings.has_android_ident = true,
            (b"Go", NT_GO_BUILD_ID) => {
                self.findings.go_build_id.get_or_insert_with(|| note.desc.to_vec());
            }
            (b"FDO", NT_FDO_PACKAGE) => self.package(note.desc),
            _ => {}
        }
    }

    fn build_id(&mut self, desc: &[u8]) {
        if desc.is_empty() || desc.len() > LONGEST_BUILD_ID {
            self.trouble.get_or_insert(Why::Malformed);
        } else {
            self.findings.build_id.get_or_insert_with(|| desc.to_vec());
        }
    }

    /// The same text is met in a segment and again in its section; it is one package.
    fn package(&mut self, text: &[u8]) {
        let Some(package) = package::parse(text) else {
            return self.doubts.add(Field::Package, Why::Malformed);
        };
        if self.findings.packages.contains(&package) {
            return;
        }
        let limits = self.image.limits();
        if self.findings.packages.len() >= limits.packages || text.len() > limits.string {
            return self.doubts.add(Field::Package, Why::Budget);
        }
        self.findings.packages.push(package);
    }
}

/// Whether the operating system of an ABI tag is Linux.
fn is_for_linux(desc: &[u8], endian: Endian) -> bool {
    endian.number(desc, 4) == Some(0)
}

#[cfg(test)]
mod tests {
    use super::super::builder::{Builder, KINDS, PT_NOTE, SHT_NOTE, SHT_PROGBITS, field, read};
    use super::super::{Class, Doubt};
    use super::*;

    const ID: &[u8] = b"\x01\x02\x03\x04\x05\x06\x07\x08";
    const SHT_NOBITS: u32 = 8;

    fn fdo(builder: &Builder, text: &str) -> Vec<u8> {
        builder.note((b"FDO\0", 0xcafe_1a7e), text.as_bytes(), 4)
    }

    fn names(packages: &[PackageNote]) -> Vec<&str> {
        packages.iter().map(|package| package.name.as_deref().unwrap_or("")).collect()
    }

    fn doubt(field: Field, why: Why) -> Vec<Doubt> {
        vec![Doubt { field, why }]
    }

    // Pitfall 22.
    #[test]
    fn a_build_id_that_no_segment_has_is_found_by_its_section() {
        for kind in KINDS {
            let mut builder = Builder::new(kind);
            let id = builder.build_id(ID);
            builder.section((".whatever", SHT_NOTE), &id);
            assert_eq!(builder.read().build_id.as_deref(), Some(ID), "{kind:?}");

            let mut without = Builder::new(kind);
            without.section((".whatever", SHT_PROGBITS), &id);
            without.section((".note.gnu.build-id", SHT_NOBITS), &id);
            assert_eq!(without.read().build_id, None, "neither is a note in the file");
            assert_eq!(without.read().doubts, []);
        }
    }

    #[test]
    fn a_segments_build_id_comes_before_a_sections() {
        let mut builder = Builder::new(KINDS[2]);
        let (loaded, other) = (builder.build_id(ID), builder.build_id(b"other"));
        builder.section((".note.gnu.build-id", SHT_NOTE), &other);
        builder.segment(PT_NOTE, &loaded);
        assert_eq!(builder.read().build_id.as_deref(), Some(ID));
    }

    // Pitfall 23.
    #[test]
    fn the_build_id_need_not_be_the_first_note_nor_in_the_first_segment() {
        for kind in KINDS {
            let mut builder = Builder::new(kind);
            let other = builder.note((b"GNU\0", 5), &[0; 16], 4);
            let same_number = builder.note((b"Xen\0", 3), b"not the id", 4);
            builder.segment(PT_NOTE, &other);
            let notes = [other, same_number, builder.build_id(ID)].concat();
            builder.segment(PT_NOTE, &notes);
            assert_eq!(builder.read().build_id.as_deref(), Some(ID), "{kind:?}");
        }
    }

    // Pitfall 24.
    #[test]
    fn notes_are_found_whatever_alignment_is_declared() {
        for kind in KINDS {
            for align in [0, 1, 2, 3, 4, 8, 16] {
                for pad in [4, 8] {
                    let mut builder = Builder::new(kind);
                    // 5 bytes are padded to 8 or 12, so that the other walk meets no note.
                    let first = builder.note((b"Xyzzy\0", 9), b"12345", pad);
                    let id = builder.note((b"GNU\0", 3), ID, pad);
                    builder.segment_aligned((PT_NOTE, align), &[first, id].concat());
                    let elf = builder.read();
                    assert_eq!(elf.build_id.as_deref(), Some(ID), "{kind:?} {align} {pad}");
                    assert_eq!(elf.doubts, []);
                }
            }
        }
    }

    // Pitfall 26: a reader of memory loses a note whose page is not resident.
    #[test]
    fn a_build_id_is_read_wherever_in_the_file_it_is() {
        let mut builder = Builder::new(KINDS[2]);
        builder.put(&[0xcc; 100_000]);
        let id = builder.build_id(ID);
        builder.segment(PT_NOTE, &id);
        assert_eq!(builder.read().build_id.as_deref(), Some(ID));
    }

    #[test]
    fn a_build_id_has_1_to_64_bytes() {
        for (length, is_one) in [(0, false), (1, true), (8, true), (64, true), (65, false)] {
            let mut builder = Builder::new(KINDS[2]);
            let id = vec![7; length];
            let note = builder.build_id(&id);
            builder.segment(PT_NOTE, &note);
            let elf = builder.read();
            let malformed = doubt(Field::BuildId, Why::Malformed);
            let expected = if is_one { (Some(id), vec![]) } else { (None, malformed) };
            assert_eq!((elf.build_id, elf.doubts), expected, "{length}");
        }
    }

    #[test]
    fn a_bad_note_costs_its_own_segment_only() {
        let mut builder = Builder::new(KINDS[2]);
        let bad = [builder.number(4, 4), builder.number(999, 4), builder.number(3, 4)].concat();
        builder.segment(PT_NOTE, &bad);
        assert_eq!(builder.read().doubts, doubt(Field::BuildId, Why::Malformed));
        let id = builder.build_id(ID);
        builder.section((".note.a", SHT_NOTE), &id);
        let elf = builder.read();
        assert_eq!((elf.build_id.as_deref(), elf.doubts), (Some(ID), vec![]));
    }

    // Pitfall 29.
    #[test]
    fn package_notes_are_found_with_and_without_a_notes_header_and_each_once() {
        for kind in KINDS {
            let mut builder = Builder::new(kind);
            let id = builder.build_id(ID);
            let loaded = [id, fdo(&builder, r#"{"name":"a"}"#), fdo(&builder, r#"{"name":"b"}"#)];
            builder.segment(PT_NOTE, &loaded.concat());
            let again = fdo(&builder, "{\"name\":\"b\"}\0\0");
            builder.section((".note.package", SHT_NOTE), &again);
            builder.section((".note.package", SHT_NOTE), b"{\"name\":\"c\"}\0");
            builder.section((".note.package", SHT_PROGBITS), b"\n {\"name\":\"d\"}");
            builder.section((".note.packager", SHT_PROGBITS), b"{\"name\":\"no\"}");
            let elf = builder.read();
            assert_eq!(names(&elf.packages), ["a", "b", "c", "d"], "{kind:?}");
            assert_eq!(elf.doubts, []);
        }
    }

    #[test]
    fn a_package_note_that_is_no_json_is_a_doubt_and_hides_no_other() {
        let mut builder = Builder::new(KINDS[2]);
        let notes = [fdo(&builder, "{name}"), fdo(&builder, r#"{"name":"a"}"#)].concat();
        builder.segment(PT_NOTE, &notes);
        let elf = builder.read();
        assert_eq!(names(&elf.packages), ["a"]);
        assert_eq!(elf.doubts, doubt(Field::Package, Why::Malformed));
    }

    #[test]
    fn packages_beyond_the_limit_are_a_doubt() {
        let mut builder = Builder::new(KINDS[2]);
        let all: Vec<_> = (0..9).map(|n| fdo(&builder, &format!("{{\"name\":\"{n}\"}}"))).collect();
        builder.segment(PT_NOTE, &all[..8].concat());
        assert_eq!((builder.read().packages.len(), builder.read().doubts), (8, vec![]));
        builder.segment(PT_NOTE, &all[8]);
        let elf = builder.read();
        assert_eq!((elf.packages.len(), elf.doubts), (8, doubt(Field::Package, Why::Budget)));
    }

    #[test]
    fn a_section_table_that_is_cut_off_leaves_what_segments_say_and_a_doubt() {
        let mut builder = Builder::new(KINDS[2]);
        let id = builder.build_id(ID);
        builder.segment(PT_NOTE, &id);
        builder.section((".text", SHT_PROGBITS), b"x");
        let file = builder.build();
        let cut = read(&file[..file.len() - 1]).unwrap();
        assert_eq!(cut.build_id.as_deref(), Some(ID));
        assert_eq!(cut.doubts, doubt(Field::Package, Why::Malformed));

        let mut no_table = file;
        no_table[field(Class::Elf64, "e_shoff")].fill(0);
        assert_eq!(read(&no_table).unwrap().doubts, [], "no table is no damage");
    }
}
