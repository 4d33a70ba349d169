//! Mapped files as rows of a table.

use super::output::page::{Page, size};
use crate::contract::{BuildId, Digest};
use crate::process::{Algorithm, MappedFile, MappedKind, Told};

/// Which columns such a table has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    digest: Option<Algorithm>,
    wide: bool,
}

impl Columns {
    /// What fits on a screen.
    pub(super) fn narrow(digest: Option<Algorithm>) -> Self {
        Self { digest, wide: false }
    }

    /// All there are.
    pub(super) fn wide(digest: Option<Algorithm>) -> Self {
        Self { digest, wide: true }
    }

    pub(super) fn heads(self) -> Vec<String> {
        let wide: &[&str] = if self.wide { &["DEVICE", "INODE", "STATE", "SONAME"] } else { &[] };
        let digest = self.digest.map(Algorithm::as_str).map(str::to_uppercase);
        let fixed = ["  FILE", "SIZE"].into_iter().chain(wide.iter().copied()).chain(["BUILD-ID"]);
        fixed.map(str::to_owned).chain(digest).collect()
    }

    pub(super) fn row(self, page: &Page, file: &MappedFile) -> Vec<String> {
        let mark = if odd(file).is_some() { '!' } else { ' ' };
        let mut row = vec![format!("{mark} {}", page.name(&file.path))];
        row.push(file.size.map_or_else(|| "?".to_owned(), size));
        if self.wide {
            let soname = file.content.elf.known().and_then(|elf| elf.soname.as_deref());
            let soname = soname.map_or_else(|| "-".to_owned(), |name| page.name(name));
            row.extend([file.device.to_string(), file.inode.to_string()]);
            row.extend([state(file).to_owned(), soname]);
        }
        row.push(cell(page, &file.content.build_id(), BuildId::to_string));
        if self.digest.is_some() {
            row.push(cell(page, &file.content.digest, Digest::hex));
        }
        row
    }
}

/// An identity, `-` for known to be none, `?` with the reason for not known.
pub(super) fn cell<T>(page: &Page, told: &Told<T>, text: impl Fn(&T) -> String) -> String {
    match told {
        Told::Known(value) => page.digest(&text(value)),
        Told::Unknown(reason) => format!("? {reason}"),
        Told::None => "-".to_owned(),
        Told::NotAsked => "not asked".to_owned(),
    }
}

/// Why a file deserves a look.
pub(super) fn odd(file: &MappedFile) -> Option<&'static str> {
    match (file.kind, file.replaced, file.deleted) {
        (MappedKind::Memfd, _, _) if file.executable => Some("code in memory, never a file"),
        (MappedKind::Memfd, _, _) => Some("memory, never a file"),
        (MappedKind::SharedMemory | MappedKind::KernelObject, _, _) if file.executable => {
            Some("code in memory, never a file")
        }
        (MappedKind::File, true, _) => Some("replaced on disk since it was mapped"),
        (MappedKind::File, _, true) => Some("deleted"),
        _ => None,
    }
}

fn state(file: &MappedFile) -> &'static str {
    match (file.kind, file.replaced, file.deleted) {
        (MappedKind::Memfd, _, _) => "in memory",
        (MappedKind::SharedMemory, _, _) => "shared memory",
        (MappedKind::Device, _, _) => "device",
        (MappedKind::KernelObject, _, _) => "kernel object",
        (_, true, _) => "replaced",
        (_, _, true) => "deleted",
        _ if file.executable => "code",
        _ => "data",
    }
}
