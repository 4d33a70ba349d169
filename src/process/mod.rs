//! One process, read from a proc root that is handed in.
//!
//! May use: `contract`, `limits`. Crates: `blake3`, `rustix`, `sha2`,
//! `thiserror`.
//!
//! Everything of one process is read through one directory handle on `/proc/<pid>`, so that a
//! reused pid cannot mix two processes; [`ProcessHandle::check`] says at the end whether it was
//! still the same one. Reads have a limit in bytes and in time: one that does not come back is left
//! behind on its thread and is a gap. Files of the process's own mount namespace are looked up under
//! its root with `openat2`, never followed out of it. Nothing here is written, executed, traced or
//! entered, and the per-page table of memory that stalls its owner while it is read is never opened.
//!
//! One file a subject; the parsers of what the kernel prints are in [`parse`].

mod ancestry;
mod arguments;
mod content;
mod crew;
mod dir;
mod error;
mod executable;
mod handle;
mod hidepid;
mod listening;
mod mapped;
mod membership;
mod namespaces;
pub mod parse;
mod reader;
mod root;
mod target_root;
mod told;

pub use ancestry::{Ancestor, ancestry};
pub use arguments::arguments;
pub use content::{
    Algorithm, Amount, ContentCache, ContentRequest, Counters, Files, Progress, read_contents,
};
pub use dir::{Access, FileId, FileTime, ProcDir, Traffic};
pub use error::{Error, ReadError, describe};
pub use executable::{Executable, Program, Through, executable};
pub use handle::{Asked, Fate, Identity, Label, ProcessHandle};
pub use hidepid::Hidepid;
pub use listening::{Address, Listener, Listening, Owner, Protocol, listening};
pub use mapped::{MappedFile, MappedKind, mapped_files};
pub use membership::{Cgroup, ContainerIdentity, Membership, Source, membership};
pub use namespaces::{Namespace, NamespaceKind, has_all_processes, namespaces};
pub use parse::Device;
pub use parse::container_id::{Engine, PodUid, QosClass};
pub use parse::elf::{Class, Elf, Endian, Go, GoModule, Libc, Linkage, PackageNote};
pub use parse::mountinfo::Mount;
pub use root::{HostFacts, ProcRoot};
pub use told::{Content, Told};
