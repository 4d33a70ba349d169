//! The file systems below a process's mounts: which files may be remembered, and as what.
//!
//! Every container's overlay has a device number of its own, though most files come from the same
//! lower layers. Where all layers of an overlay lie on one file system, the kernel shows the lower
//! file's inode, size and times, so such a file is known by that file system's device, and containers
//! of one image share what is known. Only for overlays that the *host* mounted: the text of another one
//! is its owner's, who may name any directory. And only for files that are not in the upper layer: a
//! copied-up file keeps its inode, and two copies can be given one time of change. Anything else keeps
//! its own device.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::cache::Key;
use crate::contract::Reason;
use crate::process::dir::{FileId, ProcDir};
use crate::process::namespaces::{NamespaceKind, is_reader_in_initial};
use crate::process::parse::Device;
use crate::process::parse::mountinfo::{self, Mount};
use crate::process::root::ProcRoot;

/// The mounts of a process, and those of the host, by which the layers below them are found.
pub(super) struct Layers<'a> {
    root: &'a ProcRoot,
    mounts: &'a [Mount],
    host: OnceCell<Option<Host>>,
    seen: RefCell<HashMap<Device, Option<Rc<Overlay>>>>,
}

/// The host's root and mounts.
struct Host {
    root: ProcDir,
    mounts: Vec<Mount>,
}

/// An overlay of the host whose layers lie on one file system.
struct Overlay {
    /// That file system.
    device: Device,
    /// Where it is mounted in the process's root.
    mount_point: Vec<u8>,
    /// Its upper directory, in the host's root.
    upper: Option<Vec<u8>>,
}

impl<'a> Layers<'a> {
    pub(super) fn new(root: &'a ProcRoot, mounts: &'a [Mount]) -> Self {
        Self { root, mounts, host: OnceCell::new(), seen: RefCell::default() }
    }

    /// What a file is known by. `path` is its name in the process's root, where that leads to it.
    pub(super) fn key(&self, file: &FileId, path: Option<&[u8]>) -> Key {
        let below = path.and_then(|path| self.below(file.device, path));
        Key::new(file, below.unwrap_or(file.device))
    }

    /// Whether a device holds memory: what is written there through a mapping leaves no trace.
    pub(super) fn is_memory(&self, device: Device) -> bool {
        let memory: [&[u8]; 4] = [b"tmpfs", b"ramfs", b"devtmpfs", b"hugetlbfs"];
        let mut mounts = self.mounts.iter().filter(|mount| mount.device == device);
        mounts.any(|mount| memory.contains(&mount.fs_type.as_slice()))
    }

    /// The device below an overlay, for a file that comes from a lower layer.
    fn below(&self, device: Device, path: &[u8]) -> Option<Device> {
        let overlay = self.overlay(device)?;
        let Some(upper) = &overlay.upper else {
            return Some(overlay.device);
        };
        let mount_point = overlay.mount_point.strip_suffix(b"/").unwrap_or(&overlay.mount_point);
        let inner = path.strip_prefix(mount_point).filter(|inner| inner.starts_with(b"/"))?;
        let copy = self.host()?.root.identify_in_root(&[upper.as_slice(), inner].concat());
        copy.is_err_and(|error| error.reason() == Reason::NotFound).then_some(overlay.device)
    }

    fn overlay(&self, device: Device) -> Option<Rc<Overlay>> {
        let known = self.seen.borrow().get(&device).cloned();
        known.unwrap_or_else(|| {
            let found = self.find(device).map(Rc::new);
            self.seen.borrow_mut().insert(device, found.clone());
            found
        })
    }

    fn find(&self, device: Device) -> Option<Overlay> {
        let overlay = |mount: &&Mount| mount.fs_type == b"overlay" && mount.device == device;
        let mount_point = self.mounts.iter().find(overlay)?.mount_point.clone();
        let host = self.host()?;
        let mount = host.mounts.iter().find(overlay)?;
        let upper = mount.super_option(b"upperdir");
        let layers: Vec<Vec<u8>> = lower(mount).into_iter().chain(upper.clone()).collect();
        let paths: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
        let found = host.root.identify_all_in_root(&paths);
        let mut devices = found.into_iter().map(|layer| layer.ok().map(|layer| layer.device));
        let first = devices.next()??;
        let is_one = devices.all(|layer| layer == Some(first));
        is_one.then_some(Overlay { device: first, mount_point, upper })
    }

    fn host(&self) -> Option<&Host> {
        self.host.get_or_init(|| Host::find(self.root)).as_ref()
    }
}

impl Host {
    /// As the first process sees it, or the reader where that is on the host.
    fn find(root: &ProcRoot) -> Option<Self> {
        let of = |process: &str| {
            let limit = root.dir().limits().mountinfo;
            let bytes = root.dir().read(&format!("{process}/mountinfo"), limit).ok()?.bytes;
            let mounts = mountinfo::mounts(&bytes).flatten().collect();
            Some(Self { root: root.dir().subdir(&format!("{process}/root")).ok()?, mounts })
        };
        let on_host = || is_reader_in_initial(root, NamespaceKind::Mnt);
        of("1").or_else(|| on_host().then(|| of("self")).flatten())
    }
}

/// The lower directories of an overlay.
fn lower(mount: &Mount) -> Vec<Vec<u8>> {
    let lower = mount.super_option(b"lowerdir").unwrap_or_default();
    let lower = lower.split(|&b| b == b':').filter(|path| !path.is_empty());
    lower.map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_directories_of_an_overlay_are_all_of_them() {
        let line = b"1 2 0:54 / / rw - overlay overlay rw,lowerdir=/l/2/fs:/l/1\\040x/fs,upperdir=/u/fs,workdir=/w\n";
        let mount = mountinfo::mounts(line).next().unwrap().unwrap();
        assert_eq!(lower(&mount), [&b"/l/2/fs"[..], b"/l/1 x/fs"]);
    }
}
