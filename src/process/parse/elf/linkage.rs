//! How a file comes to its libraries, and for which C library it was linked.

use goblin::elf::program_header::PT_INTERP;

use super::dynamic::Dynamic;
use super::findings::Findings;
use super::image::{FileType, Image};
use super::{Doubts, Field, Why};

/// How a file comes to its libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// A program at a fixed address that has everything in it.
    Static,
    /// The same at any address; its dynamic table has the flag `DF_1_PIE`.
    StaticPie,
    /// A program that an interpreter loads and links. So is a library that can be run, as glibc's
    /// `libc.so.6`; its SONAME tells.
    Dynamic,
    /// A library, and no program.
    Shared,
    /// An object that is yet to be linked; a kernel module.
    Relocatable,
    /// The memory of a process that has crashed.
    Core,
    /// What the specification leaves to others.
    Other,
}

/// A C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Libc {
    /// The GNU C library.
    Glibc,
    /// musl.
    Musl,
}

/// What else tells the C library.
pub(super) struct Told<'a> {
    pub(super) linkage: Linkage,
    pub(super) interpreter: Option<&'a [u8]>,
    pub(super) findings: &'a Findings,
}

/// The first interpreter's path; the kernel takes the first as well, and none that is empty.
pub(super) fn interpreter(image: &Image<'_>, doubts: &mut Doubts) -> Option<Vec<u8>> {
    let segment = image.segments_of(PT_INTERP).next()?;
    let path = image.reader.string(segment.p_offset, segment.p_filesz);
    let path = path.and_then(|path| if path.is_empty() { Err(Why::Malformed) } else { Ok(path) });
    doubts.unless(Field::Interpreter, path)
}

/// How the file comes to its libraries.
pub(super) fn linkage(image: &Image<'_>, dynamic: &Dynamic) -> Linkage {
    match (image.kind(), image.has_interpreter()) {
        (FileType::Fixed | FileType::Anywhere, true) => Linkage::Dynamic,
        (FileType::Fixed, false) => Linkage::Static,
        (FileType::Anywhere, false) if dynamic.is_program => Linkage::StaticPie,
        (FileType::Anywhere, false) => Linkage::Shared,
        (FileType::Relocatable, _) => Linkage::Relocatable,
        (FileType::Core, _) => Linkage::Core,
        (FileType::Other, _) => Linkage::Other,
    }
}

/// The C library: by the interpreter, else by the libraries' names, else by its startup code.
pub(super) fn libc(
    image: &Image<'_>,
    told: &Told<'_>,
    dynamic: &Dynamic,
    doubts: &mut Doubts,
) -> Option<Libc> {
    let by_interpreter = told.interpreter.and_then(by_interpreter);
    let by_own_name = || dynamic.soname.as_deref().and_then(by_own_name);
    let is_static = matches!(told.linkage, Linkage::Static | Linkage::StaticPie);
    let by_startup = || (is_static && told.findings.has_gnu_abi_tag).then_some(Libc::Glibc);
    by_interpreter
        .or_else(by_own_name)
        .or_else(|| by_needed(image, told, dynamic, doubts))
        .or_else(by_startup)
}

fn by_interpreter(path: &[u8]) -> Option<Libc> {
    let name = path.rsplit(|&b| b == b'/').next()?;
    let is = |beginning: &[u8]| name.starts_with(beginning);
    if is(b"ld-musl-") {
        Some(Libc::Musl)
    } else if is(b"ld-linux") || is(b"ld64.so") || name == b"ld.so.1" {
        Some(Libc::Glibc)
    } else {
        None
    }
}

/// The name of the library itself.
fn by_own_name(soname: &[u8]) -> Option<Libc> {
    let musl = soname.starts_with(b"ld-musl-") || soname.starts_with(b"libc.musl-");
    match soname {
        b"libc.so.6" => Some(Libc::Glibc),
        _ => musl.then_some(Libc::Musl),
    }
}

fn by_needed(
    image: &Image<'_>,
    told: &Told<'_>,
    dynamic: &Dynamic,
    doubts: &mut Doubts,
) -> Option<Libc> {
    // Android's library is called `libc.so` too, and a program for it names another interpreter.
    let may_be_musl = told.interpreter.is_none() && !told.findings.has_android_ident;
    for name in dynamic.needed(image) {
        match doubts.unless(Field::Libc, name).as_deref() {
            Some(b"libc.so.6") => return Some(Libc::Glibc),
            Some(b"libc.so") if may_be_musl => return Some(Libc::Musl),
            Some(name) if name.starts_with(b"libc.musl-") => return Some(Libc::Musl),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::builder::{Builder, KINDS, PT_INTERP, PT_NOTE};
    use super::super::{Doubt, Elf};
    use super::*;

    const DT_NEEDED: u64 = 1;
    const DT_SONAME: u64 = 14;
    const DT_FLAGS_1: u64 = 0x6fff_fffb;
    const DF_1_PIE: u64 = 0x0800_0000;
    const GLIBC: &[u8] = b"/lib64/ld-linux-x86-64.so.2\0";

    fn built(kind: usize, with: impl Fn(&mut Builder)) -> Elf {
        let mut builder = Builder::new(KINDS[kind]);
        with(&mut builder);
        builder.read()
    }

    #[test]
    fn a_file_is_linked_as_its_type_its_interpreter_and_its_flags_say() {
        for kind in 0..4 {
            let flags = |value| move |b: &mut Builder| b.dynamic(&[(DT_FLAGS_1, value)], b"\0");
            assert_eq!(built(kind, flags(DF_1_PIE)).linkage, Linkage::StaticPie);
            assert_eq!(built(kind, flags(1)).linkage, Linkage::Shared);
            assert_eq!(built(kind, |_| ()).linkage, Linkage::Shared);
            let program = |b: &mut Builder| {
                b.segment(PT_INTERP, GLIBC);
            };
            assert_eq!(built(kind, program).linkage, Linkage::Dynamic);
        }
        for (file_type, expected) in [
            (2, Linkage::Static),
            (1, Linkage::Relocatable),
            (4, Linkage::Core),
            (0, Linkage::Other),
            (0xfe00, Linkage::Other),
        ] {
            assert_eq!(built(2, |b| b.file_type = file_type).linkage, expected, "{file_type}");
        }
        let fixed = built(2, |b| {
            b.file_type = 2;
            b.segment(PT_INTERP, GLIBC);
        });
        assert_eq!(fixed.linkage, Linkage::Dynamic);
    }

    #[test]
    fn an_interpreter_ends_at_its_nul_and_one_without_is_a_doubt() {
        let with = |path: &'static [u8]| {
            built(2, |b| {
                b.segment(PT_INTERP, path);
            })
        };
        assert_eq!(with(b"/a\0b").interpreter.as_deref(), Some(&b"/a"[..]));
        for bad in [&b"/a"[..], b"", b"\0"] {
            let elf = with(bad);
            assert_eq!((elf.interpreter, elf.linkage), (None, Linkage::Dynamic));
            let doubt = Doubt { field: Field::Interpreter, why: Why::Malformed };
            assert_eq!(elf.doubts, [doubt], "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn the_c_library_is_told_by_the_interpreters_name() {
        for (path, expected) in [
            (GLIBC, Some(Libc::Glibc)),
            (b"/lib/ld-linux-armhf.so.3\0", Some(Libc::Glibc)),
            (b"/lib/ld64.so.1\0", Some(Libc::Glibc)),
            (b"/lib/ld.so.1\0", Some(Libc::Glibc)),
            (b"/nix/store/x/ld-linux-x86-64.so.2\0", Some(Libc::Glibc)),
            (b"/lib/ld-musl-x86_64.so.1\0", Some(Libc::Musl)),
            (b"/system/bin/linker64\0", None),
            (b"/ld-musl-x/own\0", None),
        ] {
            let elf = built(2, |b| {
                b.segment(PT_INTERP, path);
            });
            assert_eq!(elf.libc, expected, "{}", path.escape_ascii());
        }
    }

    #[test]
    fn the_c_library_of_a_library_is_told_by_what_it_needs_or_is() {
        for (tag, name, expected) in [
            (DT_NEEDED, "libc.so.6", Some(Libc::Glibc)),
            (DT_NEEDED, "libc.musl-x86_64.so.1", Some(Libc::Musl)),
            (DT_NEEDED, "libc.so", Some(Libc::Musl)),
            (DT_NEEDED, "libm.so.6", None),
            (DT_SONAME, "libc.so.6", Some(Libc::Glibc)),
            (DT_SONAME, "libc.musl-x86_64.so.1", Some(Libc::Musl)),
            (DT_SONAME, "ld-musl-x86_64.so.1", Some(Libc::Musl)),
            (DT_SONAME, "libx.so.6", None),
        ] {
            let strings = format!("\0{name}\0");
            let elf = built(1, |b| b.dynamic(&[(tag, 1)], strings.as_bytes()));
            assert_eq!((elf.libc, elf.doubts), (expected, vec![]), "{tag} {name}");
        }
    }

    #[test]
    fn androids_c_library_is_not_taken_for_musl_whose_name_it_has() {
        let needed = |b: &mut Builder| b.dynamic(&[(DT_NEEDED, 1)], b"\0libc.so\0");
        assert_eq!(built(2, needed).libc, Some(Libc::Musl));
        let noted = built(2, |b| {
            let note = b.note((b"Android\0", 1), &[0; 4], 4);
            b.segment(PT_NOTE, &note);
            needed(b);
        });
        assert_eq!(noted.libc, None);
    }

    #[test]
    fn a_static_program_with_the_gnu_tag_for_linux_has_glibc_in_it() {
        for (file_type, os, expected) in [(2, 0, Some(Libc::Glibc)), (2, 1, None), (3, 0, None)] {
            let elf = built(1, |b| {
                b.file_type = file_type;
                let desc = [b.number(os, 4), vec![0; 12]].concat();
                let note = b.note((b"GNU\0", 1), &desc, 4);
                b.segment(PT_NOTE, &note);
            });
            assert_eq!(elf.libc, expected, "type {file_type}, system {os}");
        }
    }
}
