//! The files that processes have mapped, each once, and who has it.

use std::collections::BTreeMap;

use crate::cmd::files::odd;
use crate::inspect::LoadedObservation;
use crate::process::{Device, MappedFile, Told};

/// A file and the pids of those who have it mapped, in ascending order.
#[derive(Clone, Debug)]
pub(super) struct SharedFile {
    pub(super) file: MappedFile,
    pub(super) pids: Vec<u32>,
}

/// By path and identity: the same path in another mount namespace is another file.
type Key = (Vec<u8>, Device, u64);

fn key(file: &MappedFile) -> Key {
    (file.path.clone(), file.device, file.inode)
}

/// Takes over what is known elsewhere and was not found out here.
fn learn<T: Clone>(ours: &mut Told<T>, theirs: &Told<T>) {
    if let (Told::Unknown(_), Told::Known(_) | Told::None) = (&*ours, theirs) {
        ours.clone_from(theirs);
    }
}

/// All files, by path.
#[derive(Clone, Debug)]
pub(super) struct SharedFiles {
    files: Vec<SharedFile>,
    /// Where in `files` each stands.
    places: BTreeMap<Key, usize>,
}

impl SharedFiles {
    pub(super) fn of(processes: &[LoadedObservation]) -> Self {
        let mut by_key: BTreeMap<Key, SharedFile> = BTreeMap::new();
        for process in processes {
            for file in process.mapped.as_deref().unwrap_or_default() {
                let new = || SharedFile { file: file.clone(), pids: Vec::new() };
                let shared = by_key.entry(key(file)).or_insert_with(new);
                shared.pids.push(process.identity.pid);
                // Code here and data there is code, and what was taken away meanwhile is gone.
                shared.file.executable |= file.executable;
                shared.file.deleted |= file.deleted;
                shared.file.replaced |= file.replaced;
                shared.file.size = shared.file.size.or(file.size);
                // What the budget of one process did not reach, that of another may have.
                learn(&mut shared.file.content.elf, &file.content.elf);
                learn(&mut shared.file.content.digest, &file.content.digest);
            }
        }
        let places = by_key.keys().cloned().zip(0..).collect();
        Self { files: by_key.into_values().collect(), places }
    }

    /// By path.
    pub(super) fn by_path(&self) -> &[SharedFile] {
        &self.files
    }

    /// The odd ones first, then code, then data, each by path.
    pub(super) fn in_order(&self) -> Vec<&SharedFile> {
        let mut files: Vec<&SharedFile> = self.files.iter().collect();
        files.sort_by_key(|shared| (odd(&shared.file).is_none(), !shared.file.executable));
        files
    }

    /// Where in [`SharedFiles::by_path`] a file stands.
    pub(super) fn place(&self, file: &MappedFile) -> Option<usize> {
        self.places.get(&key(file)).copied()
    }
}
