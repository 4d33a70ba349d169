//! The root directory of a process, and what the kernel's name for a file means below it.
//!
//! The kernel prints the name of a mapped or running file with ` (deleted)` behind it when the name
//! is gone, and a file may be called just that. Names are therefore held against the file's
//! identity: what is found under the process's own root, and whether it is the same file.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::dir::{FileId, ProcDir};
use super::error::ReadError;
use super::handle::ProcessHandle;
use super::parse::Device;
use super::parse::mountinfo::Mount;
use crate::contract::Reason;

const DELETED: &[u8] = b" (deleted)";

/// A name without the kernel's mark, if it has that.
pub(super) fn unmarked(text: &[u8]) -> &[u8] {
    text.strip_suffix(DELETED).unwrap_or(text)
}

/// The root directory of a process.
#[derive(Debug)]
pub(super) struct TargetRoot {
    dir: Result<ProcDir, ReadError>,
    /// Where a `chroot` begins, as the kernel's names show it; empty for none.
    prefix: Vec<u8>,
    /// The devices of the process's mounts.
    devices: BTreeSet<Device>,
}

/// What a name turned out to mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// The name, without the kernel's mark.
    pub(super) path: Vec<u8>,
    /// The file, where its identity is known.
    pub(super) file: Option<FileId>,
    /// Whether the name is gone.
    pub(super) deleted: bool,
    /// Whether another file has the name now.
    pub(super) replaced: bool,
    /// Whether the name leads to a file that is not this one, though nobody took it away: something
    /// was mounted over it.
    pub(super) elsewhere: bool,
    /// Why the identity could not be held against the name.
    pub(super) doubt: Option<ReadError>,
}

impl Named {
    /// A name that nothing is to be said about.
    pub(super) fn alive(path: &[u8], file: Option<FileId>) -> Self {
        Self {
            path: path.to_vec(),
            file,
            deleted: false,
            replaced: false,
            elsewhere: false,
            doubt: None,
        }
    }
}

impl TargetRoot {
    pub(super) fn of(process: &ProcessHandle, mounts: &[Mount]) -> Self {
        let prefix = process.living().link("root").unwrap_or_default();
        let prefix = prefix.strip_suffix(b"/").unwrap_or(&prefix).to_vec();
        let devices = mounts.iter().map(|mount| mount.device).collect();
        Self { dir: process.living().subdir("root"), prefix, devices }
    }

    /// The file that a name leads to.
    pub(super) fn lookup(&self, path: &[u8]) -> Result<FileId, ReadError> {
        let dir = self.dir.as_ref().map_err(Clone::clone)?;
        dir.identify_in_root(self.inner(path)?)
    }

    /// The same for many names in one go, in their order.
    pub(super) fn lookup_all(&self, paths: &[&[u8]]) -> Vec<Result<FileId, ReadError>> {
        let dir = match &self.dir {
            Ok(dir) => dir,
            Err(error) => return vec![Err(error.clone()); paths.len()],
        };
        let inner: Vec<_> = paths.iter().map(|path| self.inner(path)).collect();
        let asked: Vec<&[u8]> = inner.iter().flatten().copied().collect();
        let mut found = dir.identify_all_in_root(&asked).into_iter();
        let late = || Err(ReadError::late(dir.path().to_owned()));
        inner.into_iter().map(|path| path.and_then(|_| found.next().unwrap_or_else(late))).collect()
    }

    /// A name as it is to be looked up below the root. A process in a `chroot` has names that begin
    /// with its root.
    fn inner<'p>(&self, path: &'p [u8]) -> Result<&'p [u8], ReadError> {
        if self.prefix.is_empty() {
            return Ok(path);
        }
        match path.strip_prefix(self.prefix.as_slice()) {
            Some(inner) if inner.starts_with(b"/") => Ok(inner),
            _ => Err(ReadError::outside(PathBuf::from(OsStr::from_bytes(path)))),
        }
    }

    /// The root, and a name to be opened below it.
    pub(super) fn way(&self, path: &[u8]) -> Option<(ProcDir, Vec<u8>)> {
        Some((self.dir.as_ref().ok()?.clone(), self.inner(path).ok()?.to_vec()))
    }

    /// What `text`, which leads to `looked_up`, means for a file that is known by `proof`, its identity
    /// through a link that leads to the very file, or only by the numbers that `maps` prints.
    pub(super) fn name(
        &self,
        text: &[u8],
        looked_up: Result<FileId, ReadError>,
        proof: Option<FileId>,
        printed: Printed,
    ) -> Named {
        let marked = text.ends_with(DELETED);
        let known =
            proof.map_or(printed, |file| Printed { device: file.device, inode: file.inode });
        // Older kernels, btrfs and some overlays print a device that `stat` does not show and that is in
        // no mount table. Only of such a one, and without the mark, is a name believed for its number
        // alone: a file with the same number on another file system could stand in its place.
        let strange = proof.is_none() && !marked && !self.devices.contains(&known.device);
        let same = |found: &FileId| {
            found.inode == known.inode && (strange || found.device == known.device)
        };
        let escaped = unescape_newlines(text).filter(|_| !looked_up.as_ref().is_ok_and(same));
        let (path, looked_up) = match escaped.map(|plain| (self.lookup(&plain), plain)) {
            Some((found, plain)) if found.as_ref().is_ok_and(same) => (plain, found),
            _ => (text.to_vec(), looked_up),
        };
        match looked_up {
            Ok(found) if same(&found) => Named::alive(&path, Some(proof.unwrap_or(found))),
            Ok(_) | Err(_) if marked => self.gone(text, known, (proof, looked_up.err())),
            Ok(_) => Named { elsewhere: true, ..Named::alive(&path, proof) },
            Err(error) => Named { doubt: Some(error), ..Named::alive(&path, proof) },
        }
    }

    /// A name that the kernel marks as gone, and that is none by its identity either.
    fn gone(
        &self,
        text: &[u8],
        known: Printed,
        (proof, failed): (Option<FileId>, Option<ReadError>),
    ) -> Named {
        let path = unmarked(text);
        // Whatever has the name now is another file, unless this one was given it back.
        let now = self.lookup(path).ok();
        if let Some(now) = now.filter(|now| (now.device, now.inode) == (known.device, known.inode))
        {
            return Named::alive(path, Some(proof.unwrap_or(now)));
        }
        let replaced = now.is_some();
        // A lookup that was refused leaves a doubt, unless the file itself says that it has no name.
        let refused = failed.filter(|error| error.reason() != Reason::NotFound);
        let doubt = refused.filter(|_| proof.is_none_or(|file| !file.nameless));
        Named { deleted: true, replaced, doubt, ..Named::alive(path, proof) }
    }
}

/// The identity that the kernel prints beside a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Printed {
    pub(super) device: Device,
    pub(super) inode: u64,
}

/// `maps` prints a newline as `\012`, and four such characters in a name just the same.
fn unescape_newlines(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(4).position(|four| four == br"\012") {
        plain.extend_from_slice(&rest[..at]);
        plain.push(b'\n');
        rest = &rest[at + 4..];
    }
    plain.extend_from_slice(rest);
    (plain != text).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_kernels_escape_is_undone() {
        assert_eq!(unescape_newlines(br"/a\012b\012").unwrap(), b"/a\nb\n");
        assert_eq!(unescape_newlines(br"/a\040b\01"), None);
    }
}
