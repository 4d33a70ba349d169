//! One file: opened, held against its identity, and read.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use sha2::Digest as _;

use super::Algorithm;
use crate::contract::{Digest, Reason, Sha256};
use crate::limits::ElfLimits;
use crate::process::crew::Desk;
use crate::process::dir::{FileId, Handle, ProcDir};
use crate::process::error::ReadError;
use crate::process::parse::elf::{self, Elf, NotIdentified, Source, Unreadable};

/// A way to a file. A way may lead to another file by now: see [`Job::open`].
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// A magic link of procfs, which leads to the very file.
    Link(ProcDir, String),
    /// A path below the target's own root.
    InRoot(ProcDir, Vec<u8>),
}

impl Way {
    fn handle(&self) -> io::Result<Handle> {
        match self {
            Self::Link(dir, name) => dir.handle(name),
            Self::InRoot(root, path) => root.handle_in_root(path),
        }
    }
}

/// What is to be read of a file.
pub(super) struct Job {
    pub(super) ways: Vec<Way>,
    pub(super) file: FileId,
    pub(super) elf: bool,
    pub(super) digest: Option<Algorithm>,
}

/// What was read; `None` for what was not asked for.
pub(super) struct Outcome {
    pub(super) elf: Option<Result<Option<Arc<Elf>>, Reason>>,
    pub(super) digest: Option<Result<Digest, Reason>>,
    /// Bytes that were read for the digest.
    pub(super) hashed: u64,
    /// Bytes that were read in all.
    pub(super) bytes: u64,
    pub(super) took: Duration,
    /// Whether the file was the same all along, and is in the state that it was planned with.
    pub(super) is_stable: bool,
}

impl Job {
    /// Opens the file and reads what is wanted of it.
    pub(super) fn carry_out(self, desk: &mut Desk) -> Outcome {
        let begun = Instant::now();
        let mut outcome = match self.open(desk) {
            Ok(file) => self.read(&file, desk),
            Err(reason) => Outcome {
                elf: self.elf.then_some(Err(reason)),
                digest: self.digest.map(|_| Err(reason)),
                hashed: 0,
                bytes: 0,
                took: Duration::ZERO,
                is_stable: false,
            },
        };
        outcome.took = begun.elapsed();
        outcome
    }

    /// The file by the first way that leads to it; else the first refusal, and only without one that
    /// it is not there any more.
    fn open(&self, desk: &Desk) -> Result<File, Reason> {
        let mut refused = None;
        for way in &self.ways {
            match self.open_by(way, desk) {
                Ok(Some(file)) => return Ok(file),
                Ok(None) => {}
                Err(error) => match ReadError::reason_of(&error) {
                    Reason::NotFound | Reason::Vanished => {}
                    reason => refused = refused.or(Some(reason)),
                },
            }
        }
        Err(refused.unwrap_or(Reason::Vanished))
    }

    /// Nothing where the way leads to another file by now.
    fn open_by(&self, way: &Way, desk: &Desk) -> io::Result<Option<File>> {
        let handle = way.handle();
        desk.beat.strike();
        let handle = handle?;
        let now = handle.identify()?;
        (now.regular && now.is_same_file(&self.file)).then(|| handle.open()).transpose()
    }

    fn read(&self, file: &File, desk: &mut Desk) -> Outcome {
        let source = Positioned { file, bytes: AtomicU64::new(0), desk };
        let elf = self.elf.then(|| match elf::identify(&source, &ElfLimits::default()) {
            Ok(elf) => Ok(Some(Arc::new(elf))),
            Err(NotIdentified::NotElf) => Ok(None),
            Err(NotIdentified::Malformed(_)) => Err(Reason::Malformed),
            Err(NotIdentified::Budget) => Err(Reason::Budget),
            Err(NotIdentified::Unreadable) => Err(Reason::Malformed),
        });
        let bytes = source.bytes.into_inner();
        let digest = self.digest.map(|algorithm| self.digest(file, algorithm, desk));
        let hashed = if digest.is_some() { desk.hashed } else { 0 };
        let is_stable = identity(file).is_some_and(|now| now == self.file);
        Outcome { elf, digest, hashed, bytes: bytes + hashed, took: Duration::ZERO, is_stable }
    }

    /// The digest of the whole file. What changes while it is read has none: it is read once more,
    /// and then given up, for bytes that never stood together are nobody's content.
    fn digest(&self, file: &File, algorithm: Algorithm, desk: &mut Desk) -> Result<Digest, Reason> {
        desk.hashed = 0;
        let mut last = Reason::Malformed;
        for _try in 0..2 {
            let before = identity(file);
            match hash(file, algorithm, self.file.size, desk) {
                Ok(digest) if before.is_some() && identity(file) == before => return Ok(digest),
                Ok(_) => {}
                Err(reason) => last = reason,
            }
        }
        Err(last)
    }
}

fn identity(file: &File) -> Option<FileId> {
    rustix::fs::fstat(file).ok().as_ref().map(FileId::of)
}

/// Reads as many bytes as the file had when it was planned, and no more.
fn hash(file: &File, algorithm: Algorithm, size: u64, desk: &mut Desk) -> Result<Digest, Reason> {
    match algorithm {
        Algorithm::Sha256 => {
            let mut state = sha2::Sha256::new();
            feed(file, size, desk, |chunk| state.update(chunk))?;
            Ok(Digest::Sha256(Sha256(state.finalize().into())))
        }
        Algorithm::Blake3 => {
            let mut state = blake3::Hasher::new();
            feed(file, size, desk, |chunk| _ = state.update(chunk))?;
            Ok(Digest::Blake3(state.finalize().into()))
        }
    }
}

fn feed(
    file: &File,
    size: u64,
    desk: &mut Desk,
    mut take: impl FnMut(&[u8]),
) -> Result<(), Reason> {
    let mut at = 0;
    loop {
        if desk.beat.is_over() {
            return Err(Reason::Timeout);
        }
        let chunk = match desk.read(file, at) {
            Ok([]) => break,
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ReadError::reason_of(&error)),
        };
        let length = chunk.len() as u64;
        at += length;
        if at > size {
            // It grows while it is read.
            return Err(Reason::Malformed);
        }
        take(chunk);
        desk.hashed += length;
    }
    // What is shorter than it was is not the file that was asked for.
    if at == size { Ok(()) } else { Err(Reason::Malformed) }
}

/// Positioned reads that are counted.
struct Positioned<'a> {
    file: &'a File,
    bytes: AtomicU64,
    desk: &'a Desk,
}

impl Source for Positioned<'_> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Unreadable> {
        let mut filled = 0;
        // The kernel takes no offset beyond this, and a file has nothing there.
        if offset > i64::MAX.unsigned_abs() {
            return Ok(0);
        }
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(read) => filled += read,
                // A file system may say so for ever.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    if self.desk.beat.is_over() {
                        return Err(Unreadable);
                    }
                }
                Err(_) => return Err(Unreadable),
            }
        }
        self.desk.beat.strike();
        self.bytes.fetch_add(filled as u64, Relaxed);
        Ok(filled)
    }
}
