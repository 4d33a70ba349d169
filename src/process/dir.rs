//! One directory handle under `/proc`, and every way in which something is read through it.

use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::crew::{self, Desk, Pace};
use super::error::ReadError;
use super::parse::Device;
use super::reader::Reader;
use crate::contract::Reason;
use crate::limits::{Deadline, ReadLimits};

/// How many single reads [`Traffic`] remembers; the sums go on.
const REMEMBERED: usize = 256;

/// What is asked for at once of a file whose size nobody knows.
const AT_ONCE: usize = 16 << 10;

/// For fewer look-ups than this a thread is not worth its start.
const LOOKUPS_A_THREAD: usize = 32;

/// What all handles of one proc root share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) limits: ReadLimits,
    deadline: Deadline,
    reader: Reader,
    traffic: Mutex<Traffic>,
}

impl Shared {
    pub(super) fn new(limits: ReadLimits, deadline: Deadline) -> Self {
        Self { limits, deadline, reader: Reader::default(), traffic: Mutex::default() }
    }

    pub(super) fn traffic(&self) -> Traffic {
        let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner).clone();
        traffic.left_behind = self.reader.left_behind().count();
        traffic
    }
}

/// What was read so far, and what it cost.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Bytes read, over all files.
    pub bytes: u64,
    /// Reads, of which `accesses` has the first ones.
    pub reads: u64,
    /// Reads that never came back.
    pub left_behind: usize,
    /// The first reads in their order.
    pub accesses: Vec<Access>,
}

/// One read.
#[derive(Clone, Debug)]
pub struct Access {
    /// What was read.
    pub path: PathBuf,
    /// How long it took.
    pub took: Duration,
    /// How many bytes came back, or why none did.
    pub outcome: Result<u64, Reason>,
}

/// A file's bytes, up to a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) bytes: Vec<u8>,
    /// Whether there was more.
    pub(super) cut: bool,
}

/// Which file one of many names leads to.
pub(super) type Identified = Result<FileId, ReadError>;

/// The texts of the symbolic links in a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Links {
    pub(super) texts: Vec<Vec<u8>>,
    /// How many the kernel would not tell.
    pub(super) refused: u64,
    /// Whether there were more.
    pub(super) cut: bool,
}

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileId {
    /// The device of its file system, as `stat(2)` shows it here.
    pub device: Device,
    /// Its inode there.
    pub inode: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it has no name any more (`st_nlink` is 0); an overlay says so of its own files only.
    pub nameless: bool,
    /// Whether it is a regular file: no directory, FIFO, socket or device.
    pub regular: bool,
    /// When its content changed last, which anybody may set back.
    pub modified: FileTime,
    /// When its inode changed last, which the kernel alone sets.
    pub changed: FileTime,
}

/// A file's time: seconds and nanoseconds since 1970.
pub type FileTime = (i64, u64);

impl FileId {
    pub(super) fn of(stat: &Stat) -> Self {
        #[expect(clippy::cast_sign_loss, reason = "a size below zero is a file system's bug")]
        Self {
            device: Device {
                major: rustix::fs::major(stat.st_dev),
                minor: rustix::fs::minor(stat.st_dev),
            },
            inode: stat.st_ino,
            size: stat.st_size.max(0) as u64,
            nameless: stat.st_nlink == 0,
            regular: FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile,
            modified: (stat.st_mtime, stat.st_mtime_nsec),
            changed: (stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    /// Whether both are one file.
    #[must_use]
    pub fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// An open directory: `/proc`, `/proc/<pid>` or one below it.
#[derive(Clone, Debug)]
pub struct ProcDir {
    fd: Arc<OwnedFd>,
    path: PathBuf,
    shared: Arc<Shared>,
}

impl ProcDir {
    /// Opens a directory by its path, as the root of what is read.
    pub(super) fn open(path: &Path, shared: Arc<Shared>) -> Result<Self, ReadError> {
        let late = || ReadError::late(path.to_owned());
        let limit = shared.deadline.left(shared.limits.read);
        let place = path.to_owned();
        let opened = shared.reader.run(limit, move || {
            rustix::fs::open(&place, DIRECTORY, Mode::empty()).map_err(io::Error::from)
        });
        let opened = opened.ok_or_else(late)?;
        let fd = opened.map_err(|error| ReadError::from_io(path.to_owned(), &error))?;
        Ok(Self { fd: Arc::new(fd), path: path.to_owned(), shared })
    }

    /// Opens a directory below this one; a magic link such as `root` is followed.
    pub(super) fn subdir(&self, name: &str) -> Result<Self, ReadError> {
        let fd = self.run(name, |dir, name| {
            Ok((rustix::fs::openat(dir, name, DIRECTORY, Mode::empty())?, 0))
        })?;
        Ok(Self { fd: Arc::new(fd), path: self.path.join(name), shared: Arc::clone(&self.shared) })
    }

    /// The path by which it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn limits(&self) -> &ReadLimits {
        &self.shared.limits
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.shared.traffic()
    }

    /// How fast a crew may read what keeps so many threads busy.
    pub(super) fn pace(&self, busy: usize) -> Pace {
        let Shared { limits, deadline, reader, .. } = &*self.shared;
        Pace::new(busy, limits.read, *deadline, reader.left_behind().clone())
    }

    /// Reads a file, at most `limit` bytes of it.
    pub(super) fn read(&self, name: &str, limit: usize) -> Result<Contents, ReadError> {
        self.run(name, move |dir, name| {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
            let file = File::from(rustix::fs::openat(dir, name, flags, Mode::empty())?);
            // Few reads: each is a look at something that changes.
            let mut bytes = Vec::with_capacity(limit.min(AT_ONCE));
            file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
            let cut = bytes.len() > limit;
            bytes.truncate(limit);
            let length = bytes.len() as u64;
            Ok((Contents { bytes, cut }, length))
        })
    }

    /// Reads a small file whole; one beyond the limit is cut, which only a forged one is.
    pub(super) fn read_small(&self, name: &str) -> Result<Vec<u8>, ReadError> {
        self.read(name, self.limits().small_file).map(|contents| contents.bytes)
    }

    /// The text of a symbolic link.
    pub(super) fn link(&self, name: &str) -> Result<Vec<u8>, ReadError> {
        self.run(name, |dir, name| {
            let text = rustix::fs::readlinkat(dir, name, Vec::new())?.into_bytes();
            let length = text.len() as u64;
            Ok((text, length))
        })
    }

    /// Which file a name leads to, links followed: a magic link leads to the very file.
    pub(super) fn identify(&self, name: &str) -> Result<FileId, ReadError> {
        self.run(name, |dir, name| {
            Ok((FileId::of(&rustix::fs::statat(dir, name, AtFlags::empty())?), 0))
        })
    }

    /// The same for many names in one go, in their order.
    pub(super) fn identify_all(
        &self,
        name: &str,
        below: Vec<String>,
    ) -> Result<Vec<Identified>, ReadError> {
        let path = self.path.join(name);
        self.run(name, move |dir, name| {
            let opened = rustix::fs::openat(dir, name, DIRECTORY, Mode::empty())?;
            // Refusals name the directory alone: its entries are addresses of the target's memory.
            let identify =
                |entry: String| match rustix::fs::statat(&opened, &entry, AtFlags::empty()) {
                    Ok(stat) => Ok(FileId::of(&stat)),
                    Err(errno) => Err(ReadError::from_io(path.clone(), &errno.into())),
                };
            Ok((below.into_iter().map(identify).collect(), 0))
        })
    }

    /// Which file a path leads to when this directory is the root: neither `..` nor a symbolic link
    /// leaves it, and no magic link is followed. Nothing is opened for reading.
    pub(super) fn identify_in_root(&self, path: &[u8]) -> Result<FileId, ReadError> {
        self.run(OsStr::from_bytes(path), |root, path| {
            let fd = open_in_root(root, path)?;
            Ok((FileId::of(&rustix::fs::fstat(fd)?), 0))
        })
    }

    /// The same for many paths, in their order, on a few threads at once.
    pub(super) fn identify_all_in_root(&self, paths: &[&[u8]]) -> Vec<Identified> {
        let jobs: Vec<_> = paths.iter().map(|path| (self.clone(), path.to_vec())).collect();
        let pace = self.pace(jobs.len().div_ceil(LOOKUPS_A_THREAD));
        let mut found: Vec<Option<Identified>> = vec![None; jobs.len()];
        let look = |(root, path): (Self, Vec<u8>), desk: &mut Desk| {
            let found = identify_below(&root, &path);
            desk.beat.strike();
            found
        };
        let begun = Instant::now();
        crew::work(jobs, &pace, look, |number, identified| found[number] = Some(identified));
        self.note(Access { path: self.path.clone(), took: begun.elapsed(), outcome: Ok(0) });
        let late = |path: &[u8]| Err(ReadError::late(self.path_below(path)));
        let all = found.into_iter().zip(paths);
        all.map(|(found, path)| found.unwrap_or_else(|| late(path))).collect()
    }

    /// How a path below this directory as the root is told.
    fn path_below(&self, path: &[u8]) -> PathBuf {
        let relative = path.strip_prefix(b"/").unwrap_or(path);
        self.path.join(OsStr::from_bytes(relative))
    }

    /// A handle on a file, links followed: a magic link leads to the very file. It reads nothing, and
    /// opening it does nothing to what it leads to. Whoever calls this is on a thread that may be left
    /// behind.
    pub(super) fn handle(&self, name: &str) -> io::Result<Handle> {
        let name = CString::new(name)?;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        Ok(Handle(rustix::fs::openat(&*self.fd, &name, flags, Mode::empty())?))
    }

    /// The same for a path below this directory as the root.
    pub(super) fn handle_in_root(&self, path: &[u8]) -> io::Result<Handle> {
        let path = CString::new(path)?;
        Ok(Handle(open_in_root(self.fd.as_fd(), &path)?))
    }

    /// The names in a directory below this one, at most `max`, and whether there were more.
    pub(super) fn list(&self, name: &str, max: usize) -> Result<(Vec<CString>, bool), ReadError> {
        self.run(name, move |dir, name| {
            let listed = entries(dir, name, max)?;
            let length = listed.0.iter().map(|entry| entry.as_bytes().len() as u64).sum();
            Ok((listed, length))
        })
    }

    /// The texts of all symbolic links in a directory below this one, such as `fd`, in one go.
    pub(super) fn links(&self, name: &str, max: usize) -> Result<Links, ReadError> {
        self.run(name, move |dir, name| {
            let (names, cut) = entries(dir, name, max)?;
            let below = rustix::fs::openat(dir, name, DIRECTORY, Mode::empty())?;
            let mut links = Links { cut, ..Links::default() };
            for entry in names {
                match rustix::fs::readlinkat(&below, &entry, Vec::new()) {
                    Ok(text) => links.texts.push(text.into_bytes()),
                    Err(Errno::ACCESS | Errno::PERM) => links.refused += 1,
                    // Closed since it was listed.
                    Err(_) => {}
                }
            }
            let length = links.texts.iter().map(|text| text.len() as u64).sum();
            Ok((links, length))
        })
    }

    /// Does one read on the reader's thread, in time, and writes it down.
    fn run<T: Send + 'static>(
        &self,
        name: impl AsRef<OsStr>,
        act: impl FnOnce(BorrowedFd<'_>, &CStr) -> io::Result<(T, u64)> + Send + 'static,
    ) -> Result<T, ReadError> {
        let name = name.as_ref();
        // `join` would drop our own path before a name that begins at the target's root.
        let relative = name.as_bytes().strip_prefix(b"/").unwrap_or(name.as_bytes());
        let path = self.path.join(OsStr::from_bytes(relative));
        let begun = Instant::now();
        let limit = self.shared.deadline.left(self.shared.limits.read);
        let fd = Arc::clone(&self.fd);
        let done = match CString::new(name.as_bytes()) {
            Ok(name) => self.shared.reader.run(limit, move || act(fd.as_fd(), &name)),
            Err(_nul) => Some(Err(Errno::INVAL.into())),
        };
        let outcome = match done {
            Some(Ok(read)) => Ok(read),
            Some(Err(error)) => Err(ReadError::from_io(path.clone(), &error)),
            None => Err(ReadError::late(path.clone())),
        };
        let told = outcome.as_ref().map(|(_, bytes)| *bytes).map_err(ReadError::reason);
        self.note(Access { path, took: begun.elapsed(), outcome: told });
        outcome.map(|(value, _)| value)
    }

    pub(super) fn note(&self, access: Access) {
        let mut traffic = self.shared.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        traffic.reads += 1;
        traffic.bytes += access.outcome.unwrap_or(0);
        if traffic.accesses.len() < REMEMBERED {
            traffic.accesses.push(access);
        }
    }
}

fn identify_below(root: &ProcDir, path: &[u8]) -> Identified {
    let named = CString::new(path).map_err(|_nul| Errno::INVAL);
    let opened = named.and_then(|path| open_in_root(root.fd.as_fd(), &path));
    let stat = opened.and_then(rustix::fs::fstat);
    stat.as_ref()
        .map(FileId::of)
        .map_err(|errno| ReadError::from_io(root.path_below(path), &(*errno).into()))
}

fn open_in_root(root: BorrowedFd<'_>, path: &CStr) -> rustix::io::Result<OwnedFd> {
    let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(root, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), how)
}

/// A file that is held and not yet opened: a device would take notice of that.
#[derive(Debug)]
pub(super) struct Handle(OwnedFd);

impl Handle {
    pub(super) fn identify(&self) -> io::Result<FileId> {
        Ok(FileId::of(&rustix::fs::fstat(&self.0)?))
    }

    /// Opens this very file for reading, waiting for nobody and, where the kernel lets us, without
    /// touching the time of last access, which is evidence.
    pub(super) fn open(&self) -> io::Result<File> {
        // The kernel has no other way from a handle to a file that can be read.
        let name = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let opened = match rustix::fs::open(&name, flags | OFlags::NOATIME, Mode::empty()) {
            Err(Errno::PERM) => rustix::fs::open(&name, flags, Mode::empty()),
            opened => opened,
        };
        Ok(File::from(opened?))
    }
}

/// A handle that names a directory and reads nothing itself.
const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

fn entries(dir: BorrowedFd<'_>, name: &CStr, max: usize) -> io::Result<(Vec<CString>, bool)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(dir, name, flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in Dir::new(opened)? {
        let entry = entry?.file_name().to_owned();
        if matches!(entry.as_bytes(), b"." | b"..") {
            continue;
        }
        if names.len() >= max {
            return Ok((names, true));
        }
        names.push(entry);
    }
    Ok((names, false))
}
