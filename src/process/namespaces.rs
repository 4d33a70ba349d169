//! The namespaces of a process, and which of them are the host's.

use super::dir::ProcDir;
use super::handle::ProcessHandle;
use super::parse::link;
use super::root::ProcRoot;
use crate::contract::{Gap, Gaps, Observed, Reason};

/// A kind of namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names under /proc/<pid>/ns")]
pub enum NamespaceKind {
    Cgroup,
    Ipc,
    Mnt,
    Net,
    Pid,
    Time,
    User,
    Uts,
}

impl NamespaceKind {
    /// All kinds, in the order in which they are told.
    pub const ALL: [Self; 8] = [
        Self::Cgroup,
        Self::Ipc,
        Self::Mnt,
        Self::Net,
        Self::Pid,
        Self::Time,
        Self::User,
        Self::Uts,
    ];

    /// The kernel's name for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::Ipc => "ipc",
            Self::Mnt => "mnt",
            Self::Net => "net",
            Self::Pid => "pid",
            Self::Time => "time",
            Self::User => "user",
            Self::Uts => "uts",
        }
    }

    /// The inode of the initial one (`enum init_ns_ino` of `linux/nsfs.h`). Those of the mount and
    /// the network namespace are fixed in new kernels only; older ones number them as they come, but
    /// never with these two.
    fn initial(self) -> u64 {
        match self {
            Self::Mnt => 4_026_531_832,
            Self::Net => 4_026_531_833,
            Self::Time => 4_026_531_834,
            Self::Cgroup => 4_026_531_835,
            Self::Pid => 4_026_531_836,
            Self::User => 4_026_531_837,
            Self::Uts => 4_026_531_838,
            Self::Ipc => 4_026_531_839,
        }
    }

    /// Whether a kernel that is still in use may not have this kind.
    fn is_young(self) -> bool {
        matches!(self, Self::Cgroup | Self::Time)
    }

    /// Whether every kernel gives the initial one the same inode.
    fn always_fixed(self) -> bool {
        !matches!(self, Self::Mnt | Self::Net)
    }
}

/// One namespace of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Its kind.
    pub kind: NamespaceKind,
    /// Its inode, by which two processes can be compared.
    pub id: u64,
    /// Whether it is the host's; `None` where nothing tells.
    pub host: Option<bool>,
}

/// The namespaces of a process, in the order of [`NamespaceKind::ALL`]; kinds that the kernel does
/// not have are left out.
#[must_use]
pub fn namespaces(root: &ProcRoot, process: &ProcessHandle) -> Observed<Vec<Namespace>> {
    let mut gaps = Gaps::default();
    let mut found = Vec::new();
    let init = hosts_init(root);
    let hosts = |kind| init.as_ref().ok().and_then(|init| namespace_id(init, kind));
    for kind in NamespaceKind::ALL {
        match process.living().link(&format!("ns/{}", kind.as_str())) {
            Ok(text) => match link::inode_of(&text, kind.as_str().as_bytes()) {
                Some(id) => {
                    let host = is_initial(kind, id)
                        .or_else(|| hosts(kind).map(|hosts| id == hosts))
                        .or_else(|| is_reader_in_initial(root, kind).then_some(false));
                    found.push(Namespace { kind, id, host });
                }
                None => gaps.push(Gap::new(FIELD, Reason::Malformed, kind.as_str())),
            },
            // An older kernel without this kind.
            Err(error) if kind.is_young() && error.reason() == Reason::NotFound => {}
            Err(error) => gaps.push(process.gap(FIELD, &error)),
        }
    }
    let unknown = found.iter().filter(|ns| ns.host.is_none()).count();
    if unknown > 0 {
        gaps.push(init.err().unwrap_or_else(|| denied(root)).times(unknown as u64));
    }
    Observed { value: found, gaps }
}

/// Process 1, if it is the host's init; else why nothing can be compared with it.
fn hosts_init(root: &ProcRoot) -> Result<ProcDir, Gap> {
    let init = root.neighbour(1).ok();
    let pids = init.as_ref().and_then(|init| namespace_id(init, NamespaceKind::Pid));
    match (init, pids) {
        (Some(init), Some(pids)) if pids == NamespaceKind::Pid.initial() => Ok(init),
        (_, Some(_)) => {
            Err(Gap::new(HOST, Reason::Unsupported, "process 1 is not the host's init here"))
        }
        _ => Err(denied(root)),
    }
}

fn denied(root: &ProcRoot) -> Gap {
    Gap::new(HOST, Reason::Denied, root.path().join("1/ns").to_string_lossy())
}

/// Whether the reader is in the machine's first pid namespace, and so has all its processes.
#[must_use]
pub fn has_all_processes(root: &ProcRoot) -> bool {
    is_reader_in_initial(root, NamespaceKind::Pid)
}

/// Whether the reader is in the namespace that has the fixed number. Of the mount and network
/// namespace that also tells that this kernel fixes them.
pub(super) fn is_reader_in_initial(root: &ProcRoot, kind: NamespaceKind) -> bool {
    let own = root.dir().subdir("self").ok();
    own.and_then(|own| namespace_id(&own, kind)) == Some(kind.initial())
}

const FIELD: &str = "process.namespaces";
const HOST: &str = "process.namespaces.host";

/// Whether a namespace is the initial one, as far as its number alone tells.
fn is_initial(kind: NamespaceKind, id: u64) -> Option<bool> {
    let same = id == kind.initial();
    (same || kind.always_fixed()).then_some(same)
}

/// The inode of a namespace of the process behind `dir`.
pub(super) fn namespace_id(dir: &ProcDir, kind: NamespaceKind) -> Option<u64> {
    let text = dir.link(&format!("ns/{}", kind.as_str())).ok()?;
    link::inode_of(&text, kind.as_str().as_bytes())
}
