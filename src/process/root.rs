//! The proc root: a mounted procfs, or a recorded tree of the same shape.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::dir::{ProcDir, Shared, Traffic};
use super::error::{Error, ReadError};
use super::hidepid::Hidepid;
use super::parse::{mountinfo, number, stat, status};
use crate::contract::Reason;
use crate::limits::{Deadline, ReadLimits};

/// The magic number of a procfs (`PROC_SUPER_MAGIC`).
const PROC_SUPER_MAGIC: u64 = 0x9fa0;

/// The inode of its root directory (`PROC_ROOT_INO`).
const PROC_ROOT_INODE: u64 = 1;

/// A proc root and the limits of reading from it.
#[derive(Clone, Debug)]
pub struct ProcRoot {
    dir: ProcDir,
}

/// What a proc root says of its machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// The host name of the reader's UTS namespace.
    pub hostname: Option<String>,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// The machine's architecture, as `uname -m` (since Linux 6.1).
    pub arch: Option<String>,
    /// A name for this boot.
    pub boot_id: Option<String>,
}

impl ProcRoot {
    /// Opens a proc root.
    ///
    /// It is one if it is a mounted procfs, or if it has a `stat` with a boot time as a recorded
    /// tree does.
    ///
    /// # Errors
    ///
    /// [`Error::NoProcRoot`], or [`Error::Unreadable`] when it does not answer in time.
    pub fn open(path: &Path, limits: ReadLimits, deadline: Deadline) -> Result<Self, Error> {
        let no_root = |why: String| Error::NoProcRoot { path: path.to_owned(), why };
        let dir = ProcDir::open(path, Arc::new(Shared::new(limits, deadline)));
        let dir = dir.map_err(|error| match error.reason() {
            Reason::Timeout => Error::Unreadable(error),
            _ => no_root(error.cause()),
        })?;
        let root = Self { dir };
        let at_its_root = root.dir.identify(".").is_ok_and(|id| id.inode == PROC_ROOT_INODE);
        let mounted = at_its_root && rustix::fs::statfs(path).is_ok_and(|fs| is_procfs(&fs));
        match root.boot_time() {
            Err(error) if error.reason() == Reason::Timeout => Err(Error::Unreadable(error)),
            Err(_) if !mounted => Err(no_root("not a procfs".to_owned())),
            _ => Ok(root),
        }
    }

    /// The path by which it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// What was read from it so far, by all its handles.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.dir.traffic()
    }

    pub(super) fn dir(&self) -> &ProcDir {
        &self.dir
    }

    pub(super) fn no_process(&self, pid: u32) -> Error {
        let hides = self.hides();
        Error::NoProcess { pid, root: self.path().to_owned(), hides }
    }

    /// All pids, in ascending order, at most `max`, and whether there were more.
    pub(super) fn pids(&self, max: usize) -> Result<(Vec<u32>, bool), ReadError> {
        // The other names of a procfs are some seventy.
        let (names, cut) = self.dir.list(".", max.saturating_add(256))?;
        let mut pids: Vec<u32> =
            names.iter().filter_map(|name| number(name.as_bytes(), 10)).collect();
        pids.sort_unstable();
        let more = cut || pids.len() > max;
        pids.truncate(max);
        Ok((pids, more))
    }

    /// The pids of all processes, in ascending order, and whether there are more than the limits
    /// allow.
    ///
    /// # Errors
    ///
    /// When the proc root cannot be listed.
    pub fn processes(&self) -> Result<(Vec<u32>, bool), ReadError> {
        self.pids(self.dir.limits().processes)
    }

    /// A handle on another process's directory, if it is there.
    pub(super) fn neighbour(&self, pid: u32) -> Result<ProcDir, ReadError> {
        self.dir.subdir(&pid.to_string())
    }

    /// When the machine booted, in whole seconds.
    ///
    /// # Errors
    ///
    /// When `stat` cannot be read (a procfs mounted with `subset=pid` has none) or has no `btime`.
    pub fn boot_time(&self) -> Result<SystemTime, ReadError> {
        let bytes = self.dir.read("stat", self.dir.limits().net_table)?.bytes;
        let since = stat::boot_time(&bytes).map(Duration::from_secs);
        let path = self.path().join("stat");
        since.and_then(|s| UNIX_EPOCH.checked_add(s)).ok_or_else(|| ReadError::gone(path))
    }

    /// Whether processes of other users are hidden here.
    #[must_use]
    pub fn hides(&self) -> Option<Hidepid> {
        let bytes = self.dir.read("self/mountinfo", self.dir.limits().mountinfo).ok()?.bytes;
        let real: PathBuf = self.path().canonicalize().ok()?;
        let here = real.as_os_str().as_encoded_bytes();
        let mounts = mountinfo::mounts(&bytes).flatten();
        let ours = mounts.filter(|m| m.fs_type == b"proc" && m.mount_point == here).last()?;
        Hidepid::parse(&ours.super_option(b"hidepid")?)
    }

    /// The effective capabilities of the process that reads, a bit each.
    #[must_use]
    pub fn own_capabilities(&self) -> Option<u64> {
        status::status(&self.dir.read_small("self/status").ok()?).cap_eff
    }

    /// What the proc root says of its machine; what it does not say stays empty.
    #[must_use]
    pub fn host(&self) -> HostFacts {
        let fact = |name: &str| {
            let bytes = self.dir.read_small(name).ok()?;
            let text = String::from_utf8_lossy(bytes.trim_ascii()).into_owned();
            (!text.is_empty()).then_some(text)
        };
        HostFacts {
            hostname: fact("sys/kernel/hostname"),
            kernel: fact("sys/kernel/osrelease"),
            arch: fact("sys/kernel/arch"),
            boot_id: fact("sys/kernel/random/boot_id"),
        }
    }
}

/// Compares as 64 bits: the field's width differs between architectures.
fn is_procfs(fs: &rustix::fs::StatFs) -> bool {
    u64::try_from(fs.f_type) == Ok(PROC_SUPER_MAGIC)
}
