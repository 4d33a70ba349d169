//! Every ELF file of this machine, and some of other machines, read by us and by somebody else.
//!
//! binutils' readelf tells class, order, machine, type, interpreter, SONAME, linkage, notes and
//! build-ids; `go version -m` tells what Go's linker wrote. The files of other machines are in
//! `tests/fixtures/elf`, with what readelf said of them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use zastava::limits::ElfLimits;
use zastava::process::parse::elf::{
    Class, Elf, Endian, Libc, Linkage, NotIdentified, Source, Unreadable, identify,
};

use crate::elf_go::{self, GoTold};
use crate::elf_readelf::{Told, ask, hexadecimal};

/// A file, by positioned reads.
struct OnDisk(File);

impl Source for OnDisk {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Unreadable> {
        let mut read = 0;
        while read < buffer.len() {
            match self.0.read_at(&mut buffer[read..], offset + read as u64) {
                Ok(0) => break,
                Ok(more) => read += more,
                // An offset beyond what the kernel counts is beyond the end.
                Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => break,
                Err(_) => return Err(Unreadable),
            }
        }
        Ok(read)
    }
}

/// Our own reading of a file on disk.
pub(crate) fn ours(path: &Path) -> Result<Elf, NotIdentified> {
    identify(&OnDisk(File::open(path).unwrap()), &ElfLimits::default())
}

/// What is nobody's program or changes while it is read.
const ELSEWHERE: [&str; 5] = ["/proc", "/sys", "/dev", "/run", "/tmp"];

/// Each ELF file once, however many names it has.
fn elf_files() -> Vec<PathBuf> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    let mut folders = vec![PathBuf::from("/")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type());
            if kind.as_ref().is_ok_and(fs::FileType::is_dir) && is_to_be_searched(&path) {
                folders.push(path);
            } else if kind.is_ok_and(|kind| kind.is_file()) && is_elf(&path) {
                let is_new = entry.metadata().is_ok_and(|m| seen.insert((m.dev(), m.ino())));
                found.extend(is_new.then_some(path));
            }
        }
    }
    found.sort();
    found
}

/// Cargo marks what it builds into, and builds while tests run; a fuzzer keeps what it made up.
fn is_to_be_searched(folder: &Path) -> bool {
    let is_elsewhere = ELSEWHERE.iter().any(|other| folder == Path::new(other));
    let is_at_work = ["CACHEDIR.TAG", "fuzz_targets"].iter().any(|mark| folder.join(mark).exists());
    !is_elsewhere && !is_at_work
}

/// A name with a newline cannot be found again in another program's text.
fn is_elf(path: &Path) -> bool {
    let mut magic = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && &magic == b"\x7fELF" && !path.as_os_str().as_bytes().contains(&b'\n')
}

/// What is different in a file. One that differs is read again by both, since it may have been
/// written to between them; one that is gone differs in nothing.
fn differences(path: &Path, told: &Told) -> Vec<String> {
    let differs = |told: &Told| match ours(path) {
        Ok(elf) => told.differences(&elf),
        Err(why) => vec![format!("we {why:?}, readelf {told:?}")],
    };
    if !path.exists() || differs(told).is_empty() {
        return Vec::new();
    }
    let again = ask(&[path.to_owned()]).remove(0);
    differs(&again).iter().map(|line| format!("{}: {line}", path.display())).collect()
}

/// What was compared.
#[derive(Debug, Default)]
struct Tally {
    files: usize,
    build_ids: usize,
    sonames: usize,
    packages: usize,
    doubts: Vec<String>,
    refused_by_both: usize,
}

impl Tally {
    fn add(&mut self, path: &Path, elf: &Elf) {
        self.files += 1;
        self.build_ids += usize::from(elf.build_id.is_some());
        self.sonames += usize::from(elf.soname.is_some());
        self.packages += elf.packages.len();
        if !elf.doubts.is_empty() {
            self.doubts.push(format!("{}: {:?}", path.display(), elf.doubts));
        }
    }
}

#[test]
fn every_elf_file_of_this_machine_is_read_as_readelf_reads_it() {
    let (mut tally, mut different) = (Tally::default(), Vec::new());
    for some in elf_files().chunks(200) {
        for (path, told) in some.iter().zip(ask(some)).filter(|(path, _)| path.exists()) {
            match ours(path) {
                Err(NotIdentified::Malformed(_)) if told.is_refused() => tally.refused_by_both += 1,
                ours => {
                    ours.iter().for_each(|elf| tally.add(path, elf));
                    different.extend(differences(path, &told));
                }
            }
        }
    }
    println!("by readelf: {tally:?}");
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
    assert!(tally.files >= 100, "{} are too few to mean anything", tally.files);
}

/// `go version` reads only what may be executed, so others are not asked for.
#[test]
fn every_go_program_of_this_machine_is_read_as_go_reads_it() {
    let is_executable =
        |path: &PathBuf| fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o111 != 0);
    let files: Vec<_> = elf_files().into_iter().filter(is_executable).collect();
    let (mut differences, mut compared) = (Vec::new(), 0);
    for some in files.chunks(500) {
        let told = elf_go::ask(some);
        for path in some.iter().filter(|path| path.exists()) {
            let go = ours(path).ok().and_then(|elf| elf.go).filter(|go| go.version.is_some());
            let ours = go.map(|go| GoTold::from(&go));
            compared += usize::from(ours.is_some());
            if told.get(path) != ours.as_ref() {
                let told = told.get(path);
                differences.push(format!("{}: go {told:?}, we {ours:?}", path.display()));
            }
        }
    }
    println!("by go: {compared} Go programs among {} files", files.len());
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
    assert!(compared >= 1, "not even go itself");
}

fn fixture(name: &str) -> (Elf, Told) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/elf").join(name);
    let recorded = fs::read(path.with_added_extension("readelf")).unwrap();
    (ours(&path).unwrap(), Told::parse(&recorded))
}

#[test]
fn files_of_other_machines_are_read_as_readelf_has_read_them() {
    let mut compared = 0;
    for (machine, class, endian) in [
        ("aarch64", Class::Elf64, Endian::Little),
        ("arm", Class::Elf32, Endian::Little),
        ("s390x", Class::Elf64, Endian::Big),
    ] {
        for (kind, linkage, libc) in [
            ("library", Linkage::Shared, None),
            ("static", Linkage::Static, None),
            ("static-pie", Linkage::StaticPie, None),
            ("dynamic", Linkage::Dynamic, Some(Libc::Glibc)),
        ] {
            let (ours, told) = fixture(&format!("{machine}-{kind}"));
            assert_eq!(told.differences(&ours), [""; 0]);
            assert_eq!((ours.class, ours.endian), (class, endian), "{machine}");
            assert_eq!((ours.linkage, ours.libc), (linkage, libc), "{machine}-{kind}");
            assert_eq!(ours.build_id.as_deref().map(hexadecimal).as_ref(), told.build_ids.first());
            assert_eq!(ours.doubts, []);
            let soname = (kind == "library").then_some(&b"libfixture.so.1"[..]);
            assert_eq!(ours.soname.as_deref(), soname);
            compared += 1;
        }
    }
    println!("by recorded readelf: {compared} files");
}

#[test]
fn musls_files_are_told_from_glibcs() {
    for (name, linkage) in [("musl-dynamic", Linkage::Dynamic), ("musl-library", Linkage::Shared)] {
        let (ours, told) = fixture(name);
        assert_eq!(told.differences(&ours), [""; 0]);
        assert_eq!(told.needed, [b"libc.so"], "the recorded text says whose it is");
        assert_eq!((ours.linkage, ours.libc), (linkage, Some(Libc::Musl)));
    }
}

/// Pitfall 27: each byte and each field of a real file, one after the other.
#[test]
fn a_real_file_may_be_damaged_anywhere() {
    for name in ["aarch64-static", "arm-library", "s390x-dynamic"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/elf").join(name);
        let file = fs::read(path).unwrap();
        let mut damaged = file.clone();
        for size in [1, 2, 4, 8] {
            for at in 0..=file.len() - size {
                for fill in [0, 1, 0x7f, 0xff] {
                    damaged[at..at + size].fill(fill);
                    zastava::process::parse::promises::elf(&damaged);
                    damaged[at..at + size].copy_from_slice(&file[at..at + size]);
                }
            }
        }
    }
}
