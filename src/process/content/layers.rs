//! The file systems below a process's mounts: which files may be remembered, and as what.
//!
//! Every container's overlay has a device number of its own, though most files come from the same
//! lower layers. Where all layers of an overlay lie on one file system, the kernel shows the lower
//! file's inode, size and times, so such a file is known by that file system's device, and containers
//! of one image share what is known. Only for overlays that the *host* mounted: the text of another one
//! is its owner's, who may name any directory. And only for files that are not in the upper layer: a
//! copied-up file keeps its inode, and two copies can be given one time of change. Of any other overlay
//! no file is remembered; a file of another file system is known by its own device.

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

    /// What a file is remembered by, if it may be: on a file system that marks every change. `path` is
    /// its name in the process's root, where that leads to it.
    pub(super) fn key(&self, file: &FileId, path: Option<&[u8]>) -> Option<Key> {
        let of_file = |mount: &&Mount| mount.device == file.device;
        let mut types = self.mounts.iter().filter(of_file).map(|mount| mount.fs_type.as_slice());
        match types.next()? {
            b"overlay" => Some(Key::new(file, self.below(file.device, path?)?)),
            fs_type => ON_DISK.contains(&fs_type).then(|| Key::new(file, file.device)),
        }
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
        // Bound elsewhere too, or in part, the same name is another one in the upper directory.
        let mut own = self.mounts.iter().filter(overlay);
        let mount_point = own.next().filter(|mount| mount.root == b"/")?.mount_point.clone();
        let host = self.host()?;
        let mount = host.mounts.iter().find(overlay)?;
        if own.next().is_some() || has_another_rule(mount) {
            return None;
        }
        let upper = mount.super_option(b"upperdir");
        let layers: Vec<Vec<u8>> = lower(mount)?.into_iter().chain(upper.clone()).collect();
        let paths: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
        let found = host.root.identify_all_in_root(&paths);
        let mut devices = found.into_iter().map(|layer| layer.ok().map(|layer| layer.device));
        let first = devices.next()??;
        let is_one = devices.all(|layer| layer == Some(first));
        let of_layers = |mount: &&Mount| mount.device == first;
        let fs_type = &host.mounts.iter().find(of_layers)?.fs_type;
        let is_on_disk = ON_DISK.contains(&fs_type.as_slice());
        (is_one && is_on_disk).then_some(Overlay { device: first, mount_point, upper })
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

/// File systems of this machine that mark every change of a file in its times. A server's, a
/// process's (FUSE) or memory may not.
const ON_DISK: [&[u8]; 9] =
    [b"ext4", b"ext3", b"ext2", b"xfs", b"btrfs", b"f2fs", b"zfs", b"squashfs", b"erofs"];

/// The lower directories of an overlay, where it names them in one option.
fn lower(mount: &Mount) -> Option<Vec<Vec<u8>>> {
    let lower = mount.super_option(b"lowerdir")?;
    let lower = lower.split(|&b| b == b':').filter(|path| !path.is_empty());
    Some(lower.map(<[u8]>::to_vec).collect())
}

/// Whether an overlay has options by which a lower file is not what it seems: layers named one by one,
/// inodes of its own, copies that are found by an index.
fn has_another_rule(mount: &Mount) -> bool {
    let mut options = mount.super_options.split(|&b| b == b',');
    options.any(|option| {
        option.starts_with(b"lowerdir+")
            || option.starts_with(b"datadir+")
            || matches!(option, b"xino=on" | b"index=on" | b"metacopy=on")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_directories_of_an_overlay_are_all_of_them() {
        let line = b"1 2 0:54 / / rw - overlay overlay rw,lowerdir=/l/2/fs:/l/1\\040x/fs,upperdir=/u/fs,workdir=/w\n";
        let mount = mountinfo::mounts(line).next().unwrap().unwrap();
        assert_eq!(lower(&mount).unwrap(), [&b"/l/2/fs"[..], b"/l/1 x/fs"]);
        assert!(!has_another_rule(&mount));
        for other in ["lowerdir+=/l/3", "index=on", "xino=on"] {
            let line = format!("1 2 0:54 / / rw - overlay overlay rw,{other}\n");
            let mount = mountinfo::mounts(line.as_bytes()).next().unwrap().unwrap();
            assert!(has_another_rule(&mount), "{other}");
        }
    }
}
