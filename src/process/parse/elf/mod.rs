//! What an ELF file is: the identity that its linker and its packager wrote into it.
//!
//! Built on goblin's header types and on nothing else of goblin: the file is not read whole and never
//! mapped (a mapped file that shrinks kills its reader), but by few, small, positioned reads through
//! [`Source`]. Whoever made the file may have made it for us, so nothing here believes a length:
//! every read is counted against [`ElfLimits`], and a header that lies costs its own part of the
//! answer only. What was lost that way is a [`Doubt`], so that "has no build-id" and "could not be
//! told" stay apart.
//!
//! One file a subject: `source` reads, `image` and `sections` know the headers, `notes` walks notes
//! and `findings` keeps what they say; `dynamic`, `linkage`, `go` and `package` each tell their part.

#[cfg(test)]
mod builder;
mod dynamic;
mod findings;
pub(super) mod go;
mod go_modules;
#[cfg(test)]
mod hostile;
mod image;
mod linkage;
pub(super) mod notes;
mod package;
mod sections;
mod source;

use crate::limits::ElfLimits;

use dynamic::Dynamic;
use findings::Findings;
use image::Image;

pub use go::{Go, GoModule};
pub use linkage::{Libc, Linkage};
pub use package::PackageNote;
pub use source::{Source, Unreadable};

/// Whether the file's words are of 32 or 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// `ELFCLASS32`.
    Elf32,
    /// `ELFCLASS64`.
    Elf64,
}

/// The order of the bytes in the file's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// `ELFDATA2LSB`.
    Little,
    /// `ELFDATA2MSB`.
    Big,
}

/// Everything that identifies a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elf {
    /// 32 or 64 bits.
    pub class: Class,
    /// The order of bytes.
    pub endian: Endian,
    /// `e_machine`, as in `<elf.h>`: 62 is x86-64, 183 is aarch64.
    pub machine: u16,
    /// `e_type`: 2 is a program at a fixed address, 3 a library or a program at any address.
    pub file_type: u16,
    /// How it comes to its libraries.
    pub linkage: Linkage,
    /// The program interpreter (`PT_INTERP`), without its NUL.
    pub interpreter: Option<Vec<u8>>,
    /// `DT_SONAME`; of several the last, which is the one that the loader takes.
    pub soname: Option<Vec<u8>>,
    /// The C library that it was linked for; `None` where nothing tells.
    pub libc: Option<Libc>,
    /// The GNU build-id, 1 to 64 bytes.
    pub build_id: Option<Vec<u8>>,
    /// What Go's linker wrote, for a file that it linked.
    pub go: Option<Go>,
    /// What the packager wrote (`.note.package`).
    pub packages: Vec<PackageNote>,
    /// What could not be told.
    pub doubts: Vec<Doubt>,
}

/// A part of the answer that is missing or incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The part.
    pub field: Field,
    /// Why.
    pub why: Why,
}

/// The part of [`Elf`] that a doubt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// [`Elf::build_id`].
    BuildId,
    /// [`Elf::soname`].
    Soname,
    /// [`Elf::interpreter`].
    Interpreter,
    /// [`Elf::linkage`].
    Linkage,
    /// [`Elf::libc`].
    Libc,
    /// [`Elf::go`].
    Go,
    /// [`Elf::packages`].
    Package,
}

/// Why a part could not be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is not in the form that its specification asks for, or the file ends before it.
    Malformed,
    /// A limit of [`ElfLimits`] was met.
    Budget,
    /// The source failed.
    Unreadable,
}

impl From<Unreadable> for Why {
    fn from(Unreadable: Unreadable) -> Self {
        Self::Unreadable
    }
}

/// Why there is no answer at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotIdentified {
    /// The file does not begin as every ELF file does.
    NotElf,
    /// It begins so, and this header is damaged or not there.
    Malformed(&'static str),
    /// The source failed before anything was known.
    Unreadable,
    /// More headers than [`ElfLimits`] allows.
    Budget,
}

/// The doubts so far, each once.
#[derive(Debug, Default)]
struct Doubts(Vec<Doubt>);

impl Doubts {
    fn add(&mut self, field: Field, why: Why) {
        let doubt = Doubt { field, why };
        if !self.0.contains(&doubt) {
            self.0.push(doubt);
        }
    }

    /// The value; a failure becomes a doubt.
    fn unless<T>(&mut self, field: Field, read: Result<T, Why>) -> Option<T> {
        read.map_err(|why| self.add(field, why)).ok()
    }
}

/// Reads what identifies a file.
///
/// # Errors
///
/// When it is no ELF file, or its header or its program headers cannot be read. Everything else that
/// is wrong with it is one of [`Elf::doubts`].
pub fn identify(source: &dyn Source, limits: &ElfLimits) -> Result<Elf, NotIdentified> {
    let image = Image::open(source, limits)?;
    let mut doubts = Doubts::default();
    let sections = image.sections();
    let findings = Findings::gather(&image, &sections, &mut doubts);
    let dynamic = Dynamic::read(&image, &mut doubts);
    let interpreter = linkage::interpreter(&image, &mut doubts);
    let linkage = linkage::linkage(&image, &dynamic);
    let told = linkage::Told { linkage, interpreter: interpreter.as_deref(), findings: &findings };
    let libc = linkage::libc(&image, &told, &dynamic, &mut doubts);
    let go = go::find(&image, &sections, findings.go_build_id, &mut doubts);
    Ok(Elf {
        class: image.class,
        endian: image.endian,
        machine: image.machine,
        file_type: image.file_type,
        linkage,
        interpreter,
        soname: dynamic.soname,
        libc,
        build_id: findings.build_id,
        go,
        packages: findings.packages,
        doubts: doubts.0,
    })
}

#[cfg(test)]
mod tests {
    use super::builder::{Builder, KINDS, PT_NOTE, SHT_NOTE, SHT_PROGBITS, field, read};
    use super::*;

    /// A file with a field of its header changed.
    fn changed(builder: &Builder, kind: (Class, Endian), name: &str, value: u64) -> Vec<u8> {
        let mut file = builder.build();
        let field = field(kind.0, name);
        file[field.clone()].copy_from_slice(&builder.number(value, field.len()));
        file
    }

    #[test]
    fn class_order_machine_and_type_are_the_headers() {
        for kind in KINDS {
            let elf = Builder::new(kind).read();
            assert_eq!((elf.class, elf.endian), kind);
            assert_eq!((elf.machine, elf.file_type), (62, 3));
        }
    }

    #[test]
    fn what_does_not_begin_as_an_elf_file_is_none() {
        let file = Builder::new(KINDS[2]).build();
        assert!(read(&file).is_ok());
        for other in [&b""[..], b"\x7fEL", b"#!/bin/sh\n", b"\x7fELG\x02\x01\x01"] {
            assert_eq!(read(other), Err(NotIdentified::NotElf), "{}", other.escape_ascii());
        }
    }

    #[test]
    fn a_header_that_is_damaged_or_cut_is_named() {
        let file = Builder::new(KINDS[2]).build();
        let header = Err(NotIdentified::Malformed("ELF header"));
        assert_eq!(read(&file[..63]), header);
        for (at, value) in [(4, 0), (4, 3), (5, 0), (5, 3)] {
            let mut damaged = file.clone();
            damaged[at] = value;
            assert_eq!(read(&damaged), header, "byte {at}");
        }
        let segments = Err(NotIdentified::Malformed("program headers"));
        assert!(read(&file[..64 + 56]).is_ok());
        assert_eq!(read(&file[..64 + 55]), segments);
    }

    #[test]
    fn program_headers_of_another_size_or_beyond_the_file_or_the_limit_are_refused() {
        for kind in KINDS {
            let builder = Builder::new(kind);
            let size = if kind.0 == Class::Elf32 { 32 } else { 56 };
            let segments = Err(NotIdentified::Malformed("program headers"));
            let with = |name, value| read(&changed(&builder, kind, name, value));
            assert!(with("e_phentsize", size).is_ok());
            assert_eq!(with("e_phentsize", size + 1), segments);
            assert_eq!(with("e_phoff", 0x7fff_ffff), segments);
            assert_eq!(with("e_phnum", 2049), Err(NotIdentified::Budget));
            assert!(with("e_phnum", 0).is_ok());
        }
    }

    #[test]
    fn a_section_table_beyond_its_limits_is_a_doubt() {
        let mut builder = Builder::new(KINDS[2]);
        builder.section((".text", SHT_PROGBITS), b"x");
        for (name, value, why) in [
            ("e_shnum", 4097, Why::Budget),
            ("e_shentsize", 63, Why::Malformed),
            ("e_shoff", u64::MAX, Why::Malformed),
        ] {
            let elf = read(&changed(&builder, KINDS[2], name, value)).unwrap();
            let both = [Field::Package, Field::BuildId].map(|field| Doubt { field, why });
            assert_eq!(elf.doubts, both, "{name}");
        }
        let elf = read(&changed(&builder, KINDS[2], "e_shstrndx", 99)).unwrap();
        assert_eq!(elf.doubts, [Doubt { field: Field::Package, why: Why::Malformed }]);
        let elf = read(&changed(&builder, KINDS[2], "e_shstrndx", 0)).unwrap();
        assert_eq!(elf.doubts, [], "it says that there are no names");
    }

    /// A file with more than 65 535 of something keeps the number in section 0.
    #[test]
    fn numbers_that_do_not_fit_the_header_are_in_the_first_section() {
        for kind in KINDS {
            let mut builder = Builder::new(kind);
            let (id, info) = (builder.build_id(b"id"), b"{\"name\":\"a\"}");
            builder.section((".note.a", SHT_NOTE), &id);
            builder.section((".note.package", SHT_PROGBITS), info);
            let elsewhere = builder.note((b"Go\0\0", 4), b"g", 4);
            builder.segment(PT_NOTE, &elsewhere);
            let expected = builder.read();
            assert!(expected.go.is_some() && expected.packages.len() == 1);

            let mut file = builder.build();
            let take = |file: &mut Vec<u8>, name: &str, value: u64| {
                let field = field(kind.0, name);
                let old = kind.1.number(&file[field.clone()], field.len()).unwrap();
                file[field.clone()].copy_from_slice(&builder.number(value, field.len()));
                old
            };
            let phnum = take(&mut file, "e_phnum", 0xffff);
            let shnum = take(&mut file, "e_shnum", 0);
            let names = take(&mut file, "e_shstrndx", 0xffff);
            let shoff = kind.1.number(&file[field(kind.0, "e_shoff")], kind.0.word()).unwrap();
            let table = usize::try_from(shoff).unwrap();
            let word = kind.0.word();
            let put = |file: &mut Vec<u8>, at: usize, bytes: Vec<u8>| {
                file[at..at + bytes.len()].copy_from_slice(&bytes);
            };
            put(&mut file, table + 8 + 3 * word, builder.word(shnum));
            put(&mut file, table + 8 + 4 * word, builder.number(names, 4));
            put(&mut file, table + 12 + 4 * word, builder.number(phnum, 4));
            assert_eq!(read(&file), Ok(expected), "{kind:?}");
        }
    }

    #[test]
    fn without_a_single_read_there_is_no_answer() {
        struct Broken;
        impl Source for Broken {
            fn read_at(&self, _: u64, _: &mut [u8]) -> Result<usize, Unreadable> {
                Err(Unreadable)
            }
        }
        let limits = ElfLimits::default();
        assert_eq!(identify(&Broken, &limits), Err(NotIdentified::Unreadable));
        let file = Builder::new(KINDS[2]).build();
        let none = ElfLimits { total: 0, ..limits };
        assert_eq!(identify(&&file[..], &none), Err(NotIdentified::Budget));
    }
}
