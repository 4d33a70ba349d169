//! A small linker for tests: headers, segments, sections and notes as they are told.
//!
//! Everything is put behind a fixed room for the headers, so that an offset is known as soon as its
//! bytes are put. One segment loads the whole file at [`BASE`].
#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "the numbers are a test's own"
)]

use std::ops::Range;

use super::{Class, Elf, Endian, NotIdentified, identify};
use crate::limits::ElfLimits;

/// The address of the file's first byte.
pub(super) const BASE: u64 = 0x1_0000;

const ROOM: usize = 0x400;

pub(super) const PT_LOAD: u32 = 1;
pub(super) const PT_DYNAMIC: u32 = 2;
pub(super) const PT_INTERP: u32 = 3;
pub(super) const PT_NOTE: u32 = 4;
pub(super) const SHT_PROGBITS: u32 = 1;
pub(super) const SHT_NOTE: u32 = 7;

/// All four kinds of file.
pub(super) const KINDS: [(Class, Endian); 4] = [
    (Class::Elf32, Endian::Little),
    (Class::Elf32, Endian::Big),
    (Class::Elf64, Endian::Little),
    (Class::Elf64, Endian::Big),
];

/// Bytes that were put.
#[derive(Clone, Copy)]
pub(super) struct Put {
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl Put {
    pub(super) fn address(self) -> u64 {
        BASE + self.offset
    }
}

struct Segment {
    kind: u32,
    flags: u32,
    put: Put,
    align: u64,
}

struct Section {
    name: &'static str,
    kind: u32,
    put: Put,
    align: u64,
}

pub(super) struct Builder {
    class: Class,
    endian: Endian,
    pub(super) file_type: u16,
    pub(super) load_flags: u32,
    body: Vec<u8>,
    segments: Vec<Segment>,
    sections: Vec<Section>,
}

impl Builder {
    pub(super) fn new((class, endian): (Class, Endian)) -> Self {
        let (body, segments, sections) = (vec![0; ROOM], vec![], vec![]);
        Self { class, endian, file_type: 3, load_flags: 6, body, segments, sections }
    }

    /// A number of so many bytes.
    pub(super) fn number(&self, value: u64, size: usize) -> Vec<u8> {
        match self.endian {
            Endian::Little => value.to_le_bytes()[..size].to_vec(),
            Endian::Big => value.to_be_bytes()[8 - size..].to_vec(),
        }
    }

    pub(super) fn word(&self, value: u64) -> Vec<u8> {
        self.number(value, self.class.word())
    }

    pub(super) fn words(&self, values: &[u64]) -> Vec<u8> {
        values.iter().flat_map(|&value| self.word(value)).collect()
    }

    /// One note, padded to 4 or 8.
    pub(super) fn note(&self, (owner, kind): (&[u8], u64), desc: &[u8], pad: usize) -> Vec<u8> {
        let sizes = [owner.len() as u64, desc.len() as u64, kind];
        let mut note: Vec<u8> = sizes.iter().flat_map(|&size| self.number(size, 4)).collect();
        for part in [owner, desc] {
            note.extend_from_slice(part);
            note.resize(note.len().next_multiple_of(pad), 0);
        }
        note
    }

    pub(super) fn build_id(&self, id: &[u8]) -> Vec<u8> {
        self.note((b"GNU\0", 3), id, 4)
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> Put {
        self.body.resize(self.body.len().next_multiple_of(16), 0);
        let offset = self.body.len() as u64;
        self.body.extend_from_slice(bytes);
        Put { offset, size: bytes.len() as u64 }
    }

    /// Other bytes in the place of some that were put.
    pub(super) fn overwrite(&mut self, put: Put, bytes: &[u8]) {
        let start = put.offset as usize;
        self.body[start..start + bytes.len()].copy_from_slice(bytes);
    }

    pub(super) fn segment(&mut self, kind: u32, bytes: &[u8]) -> Put {
        self.segment_aligned((kind, 4), bytes)
    }

    pub(super) fn segment_aligned(&mut self, (kind, align): (u32, u64), bytes: &[u8]) -> Put {
        let put = self.put(bytes);
        self.segments.push(Segment { kind, flags: 4, put, align });
        put
    }

    pub(super) fn section(&mut self, (name, kind): (&'static str, u32), bytes: &[u8]) -> Put {
        let put = self.put(bytes);
        self.section_of((name, kind), put);
        put
    }

    /// A section of bytes that were put before.
    pub(super) fn section_of(&mut self, (name, kind): (&'static str, u32), put: Put) {
        self.sections.push(Section { name, kind, put, align: 4 });
    }

    /// A dynamic table with these entries and strings.
    pub(super) fn dynamic(&mut self, entries: &[(u64, u64)], strings: &[u8]) {
        let table = self.put(strings);
        let own = [(5, table.address()), (10, table.size), (0, 0)];
        let all: Vec<u64> = entries.iter().chain(&own).flat_map(|&(tag, v)| [tag, v]).collect();
        let words = self.words(&all);
        self.segment(PT_DYNAMIC, &words);
    }

    pub(super) fn build(&self) -> Vec<u8> {
        let mut file = self.body.clone();
        let shoff = if self.sections.is_empty() { 0 } else { self.append_sections(&mut file) };
        let mut head = b"\x7fELF".to_vec();
        head.push(if self.class == Class::Elf32 { 1 } else { 2 });
        head.push(if self.endian == Endian::Little { 1 } else { 2 });
        head.push(1);
        head.resize(16, 0);
        head.extend([self.number(self.file_type.into(), 2), self.number(62, 2)].concat());
        head.extend(self.number(1, 4));
        let (size, entry, section) = self.sizes();
        head.extend(self.words(&[0, size, shoff]));
        head.extend(self.number(0, 4));
        let count = self.sections.len() as u64;
        let (sections, names) = if shoff == 0 { (0, 0) } else { (count + 2, count + 1) };
        for half in [size, entry, self.segments.len() as u64 + 1, section, sections, names] {
            head.extend(self.number(half, 2));
        }
        let all = Put { offset: 0, size: self.body.len() as u64 };
        head.extend(self.segment_header(&Segment {
            kind: PT_LOAD,
            flags: self.load_flags,
            put: all,
            align: 4096,
        }));
        self.segments.iter().for_each(|segment| head.extend(self.segment_header(segment)));
        assert!(head.len() <= ROOM, "too many segments for a test");
        file[..head.len()].copy_from_slice(&head);
        file
    }

    /// The sizes of the header and of the entries of both tables.
    fn sizes(&self) -> (u64, u64, u64) {
        if self.class == Class::Elf32 { (52, 32, 40) } else { (64, 56, 64) }
    }

    fn segment_header(&self, segment: &Segment) -> Vec<u8> {
        let Put { offset, size } = segment.put;
        let (address, flags) = (segment.put.address(), self.number(segment.flags.into(), 4));
        let (kind, align) = (self.number(segment.kind.into(), 4), segment.align);
        let places = self.words(&[offset, address, address, size, size]);
        match self.class {
            Class::Elf32 => [kind, places, flags, self.word(align)].concat(),
            Class::Elf64 => [kind, flags, places, self.word(align)].concat(),
        }
    }

    fn append_sections(&self, file: &mut Vec<u8>) -> u64 {
        let (mut names, mut table) = (vec![0], vec![0; self.sizes().2 as usize]);
        for section in &self.sections {
            table.extend(self.section_header(section, names.len() as u64));
            names.extend([section.name.as_bytes(), b"\0"].concat());
        }
        let at = names.len() as u64;
        names.extend(b".shstrtab\0");
        let put = Put { offset: file.len() as u64, size: names.len() as u64 };
        let own = Section { name: ".shstrtab", kind: 3, put, align: 1 };
        table.extend(self.section_header(&own, at));
        file.extend(names);
        file.resize(file.len().next_multiple_of(16), 0);
        let shoff = file.len() as u64;
        file.extend(table);
        shoff
    }

    fn section_header(&self, section: &Section, name: u64) -> Vec<u8> {
        let Put { offset, size } = section.put;
        [
            self.number(name, 4),
            self.number(section.kind.into(), 4),
            self.words(&[2, section.put.address(), offset, size]),
            self.number(0, 8),
            self.words(&[section.align, 0]),
        ]
        .concat()
    }

    pub(super) fn read(&self) -> Elf {
        read(&self.build()).unwrap()
    }
}

/// By the limits that hold by default.
pub(super) fn read(file: &[u8]) -> Result<Elf, NotIdentified> {
    identify(&file, &ElfLimits::default())
}

/// Where a field of the header is.
pub(super) fn field(class: Class, name: &str) -> Range<usize> {
    let (narrow, wide) = match name {
        "e_phoff" => ((28, 4), (32, 8)),
        "e_shoff" => ((32, 4), (40, 8)),
        "e_phentsize" => ((42, 2), (54, 2)),
        "e_phnum" => ((44, 2), (56, 2)),
        "e_shentsize" => ((46, 2), (58, 2)),
        "e_shnum" => ((48, 2), (60, 2)),
        "e_shstrndx" => ((50, 2), (62, 2)),
        _ => panic!("no field {name}"),
    };
    let (start, size) = if class == Class::Elf32 { narrow } else { wide };
    start..start + size
}
