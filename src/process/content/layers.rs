//! The file system below an overlay.
//!
//! Every container's overlay has a device number of its own, though the files come from the same
//! lower layers. Where all layers of an overlay lie on one file system, the kernel shows the lower
//! file's inode, size and times, and of a copied-up file the same inode with another time of change.
//! So such a file is known by that file system's device, and containers of one image share what is
//! known. Anything else (layers on several file systems, or out of reach) keeps its own device.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::cache::Key;
use crate::process::dir::{FileId, ProcDir};
use crate::process::namespaces::{NamespaceKind, is_reader_in_initial};
use crate::process::parse::Device;
use crate::process::parse::mountinfo::Mount;
use crate::process::root::ProcRoot;

/// The mounts of a process, and the root by which the layers below them are found.
pub(super) struct Layers<'a> {
    mounts: &'a [Mount],
    /// The host's root: engines put layers there.
    host: Option<ProcDir>,
    seen: Mutex<HashMap<Device, Device>>,
}

impl<'a> Layers<'a> {
    pub(super) fn new(root: &ProcRoot, mounts: &'a [Mount]) -> Self {
        let overlays = mounts.iter().any(|mount| mount.fs_type == b"overlay");
        let host = overlays.then(|| hosts_root(root)).flatten();
        Self { mounts, host, seen: Mutex::default() }
    }

    pub(super) fn key(&self, file: &FileId) -> Key {
        Key::new(file, self.below(file.device))
    }

    /// The device below an overlay's, else the same one.
    fn below(&self, device: Device) -> Device {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen.entry(device).or_insert_with(|| self.common_device(device).unwrap_or(device))
    }

    fn common_device(&self, device: Device) -> Option<Device> {
        let overlay = |mount: &&Mount| mount.fs_type == b"overlay" && mount.device == device;
        let mount = self.mounts.iter().find(overlay)?;
        let layers = layers(mount);
        let paths: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
        let found = self.host.as_ref()?.identify_all_in_root(&paths);
        let mut devices = found.into_iter().map(|layer| layer.ok().map(|layer| layer.device));
        let first = devices.next()??;
        devices.all(|layer| layer == Some(first)).then_some(first)
    }
}

/// The first process's root, or the reader's own where that is the host's.
fn hosts_root(root: &ProcRoot) -> Option<ProcDir> {
    let own = || {
        let on_host = is_reader_in_initial(root, NamespaceKind::Mnt);
        on_host.then(|| root.dir().subdir("self/root").ok()).flatten()
    };
    root.dir().subdir("1/root").ok().or_else(own)
}

/// The directories of an overlay, lower and upper.
fn layers(mount: &Mount) -> Vec<Vec<u8>> {
    let lower = mount.super_option(b"lowerdir").unwrap_or_default();
    let lower = lower.split(|&b| b == b':').filter(|path| !path.is_empty());
    let upper = mount.super_option(b"upperdir");
    lower.map(<[u8]>::to_vec).chain(upper).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::parse::mountinfo::mounts;

    #[test]
    fn the_layers_of_an_overlay_are_its_lower_and_upper_directories() {
        let line = b"1 2 0:54 / / rw - overlay overlay rw,lowerdir=/l/2/fs:/l/1\\040x/fs,upperdir=/u/fs,workdir=/w\n";
        let mount = mounts(line).next().unwrap().unwrap();
        assert_eq!(layers(&mount), [&b"/l/2/fs"[..], b"/l/1 x/fs", b"/u/fs"]);
        let line = b"1 2 0:54 / / ro - overlay overlay ro,lowerdir=/l/2\n";
        let mount = mounts(line).next().unwrap().unwrap();
        assert_eq!(layers(&mount), [b"/l/2"]);
    }
}
