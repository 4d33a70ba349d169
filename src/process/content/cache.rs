//! What is known of files by their identity, for the whole run and never on disk.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Algorithm;
use crate::contract::{Digest, Sha256};
use crate::process::dir::{FileId, FileTime};
use crate::process::parse::Device;
use crate::process::parse::elf::Elf;

/// How many files are remembered; a node with more distinct ones forgets all and begins again.
const REMEMBERED_MAX: usize = 65_536;

/// How long ago a file must have changed last to be remembered: within the kernel's coarse clock a
/// file can change again without a trace.
const SETTLED: Duration = Duration::from_secs(2);

/// A file's identity and state. A copy-up of an overlay that puts size and time of modification back
/// keeps the inode too, and only the time of change tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) device: Device,
    inode: u64,
    size: u64,
    modified: FileTime,
    changed: FileTime,
}

impl Key {
    pub(super) fn new(file: &FileId, device: Device) -> Self {
        let FileId { inode, size, modified, changed, .. } = *file;
        Self { device, inode, size, modified, changed }
    }

    /// Whether a file, as it is before it is read, can no more change without a trace.
    pub(super) fn is_settled(file: &FileId) -> bool {
        let changed = u64::try_from(file.changed.0).unwrap_or(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now >= Duration::from_secs(changed).saturating_add(SETTLED + Duration::from_secs(1))
    }
}

/// What is known of a file.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Its ELF headers; `None` for a file of another kind.
    pub(super) elf: Option<Arc<Elf>>,
    pub(super) sha256: Option<Sha256>,
    pub(super) blake3: Option<[u8; 32]>,
}

impl Known {
    pub(super) fn new(elf: Option<Arc<Elf>>, digest: Option<&Digest>) -> Self {
        let (sha256, blake3) = match digest {
            Some(Digest::Sha256(digest)) => (Some(*digest), None),
            Some(Digest::Blake3(digest)) => (None, Some(*digest)),
            None => (None, None),
        };
        Self { elf, sha256, blake3 }
    }

    pub(super) fn digest(&self, algorithm: Algorithm) -> Option<Digest> {
        match algorithm {
            Algorithm::Sha256 => self.sha256.map(Digest::Sha256),
            Algorithm::Blake3 => self.blake3.map(Digest::Blake3),
        }
    }
}

/// How much was read, and how much did not have to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Files whose content was known.
    pub hits: u64,
    /// Files whose content was not.
    pub misses: u64,
    /// Files whose digest was wanted and known.
    pub known_digests: u64,
    /// Files that were read for a digest.
    pub hashed_files: u64,
    /// Bytes that were read for digests.
    pub hashed_bytes: u64,
}

/// The content of files that were read in this run.
///
/// Containers of one image share it: where all layers of an overlay lie on one file system, files
/// that come from its lower layers are known by that file system's device.
#[derive(Debug, Default)]
pub struct ContentCache {
    files: Mutex<HashMap<Key, Known>>,
    hits: AtomicU64,
    misses: AtomicU64,
    known_digests: AtomicU64,
    hashed_files: AtomicU64,
    hashed_bytes: AtomicU64,
}

impl ContentCache {
    /// What it was asked so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            known_digests: self.known_digests.load(Relaxed),
            hashed_files: self.hashed_files.load(Relaxed),
            hashed_bytes: self.hashed_bytes.load(Relaxed),
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Known> {
        let known = self.files.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        let counter = if known.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Relaxed);
        known
    }

    /// Remembers a file, beside what is known of it already.
    pub(super) fn put(&self, key: Key, known: Known) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() >= REMEMBERED_MAX {
            files.clear();
        }
        let before = files.insert(key, known);
        if let (Some(before), Some(kept)) = (before, files.get_mut(&key)) {
            kept.sha256 = kept.sha256.or(before.sha256);
            kept.blake3 = kept.blake3.or(before.blake3);
        }
    }

    pub(super) fn count_known_digest(&self) {
        self.known_digests.fetch_add(1, Relaxed);
    }

    pub(super) fn count_hashed(&self, bytes: u64) {
        self.hashed_files.fetch_add(1, Relaxed);
        self.hashed_bytes.fetch_add(bytes, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(changed: SystemTime) -> Key {
        let seconds = changed.duration_since(UNIX_EPOCH).unwrap().as_secs();
        let changed = (i64::try_from(seconds).unwrap(), 0);
        Key { device: Device::default(), inode: 1, size: 2, modified: (0, 0), changed }
    }

    const KNOWN: Known = Known { elf: None, sha256: None, blake3: Some([7; 32]) };

    #[test]
    fn a_file_that_has_just_changed_is_not_settled() {
        let at = |ago: u64| {
            let changed = SystemTime::now() - Duration::from_secs(ago);
            let seconds = changed.duration_since(UNIX_EPOCH).unwrap().as_secs();
            FileId { changed: (i64::try_from(seconds).unwrap(), 0), ..FileId::default() }
        };
        assert!(!Key::is_settled(&at(0)) && !Key::is_settled(&at(2)));
        assert!(Key::is_settled(&at(10)));
    }

    #[test]
    fn what_is_asked_for_is_counted() {
        let cache = ContentCache::default();
        let key = key(SystemTime::now());
        assert!(cache.get(&key).is_none());
        cache.put(key, KNOWN);
        assert!(cache.get(&key).is_some());
        let counters = cache.counters();
        assert_eq!((counters.hits, counters.misses), (1, 1));
    }

    // A copy-up with size and time of modification put back.
    #[test]
    fn the_time_of_change_alone_makes_another_file() {
        let cache = ContentCache::default();
        let before = SystemTime::now() - Duration::from_secs(100);
        cache.put(key(before), KNOWN);
        assert!(cache.get(&key(before + Duration::from_secs(1))).is_none());
    }

    #[test]
    fn a_second_algorithm_is_remembered_beside_the_first() {
        let cache = ContentCache::default();
        let key = key(SystemTime::now() - Duration::from_secs(100));
        cache.put(key, KNOWN);
        let other = Known { sha256: Some(Sha256::of(b"")), blake3: None, ..KNOWN };
        cache.put(key, other);
        let known = cache.get(&key).unwrap();
        assert_eq!(known.digest(Algorithm::Blake3), Some(Digest::Blake3([7; 32])));
        assert_eq!(known.digest(Algorithm::Sha256), Some(Digest::Sha256(Sha256::of(b""))));
    }
}
