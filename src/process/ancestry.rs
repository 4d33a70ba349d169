//! From the first process down to the target.

use super::dir::ProcDir;
use super::error::ReadError;
use super::handle::{Identity, ProcessHandle};
use super::namespaces::{NamespaceKind, namespace_id};
use super::parse::{cmdline, stat};
use super::root::ProcRoot;
use crate::contract::{Gap, Observed, Reason};

/// One of the processes above the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ancestor {
    /// Its pid.
    pub pid: u32,
    /// Its name, of its own choice.
    pub comm: Vec<u8>,
    /// Its executable as the kernel prints it; `None` where that is not to be read.
    pub exe: Option<Vec<u8>>,
    /// Why the executable is not to be read; a thread of the kernel has none.
    pub(super) exe_refused: Option<Reason>,
    /// Its arguments, for recognising an engine's shim; not shown.
    pub(super) argv: Vec<Vec<u8>>,
    /// Its mount namespace, where readable.
    pub(super) mount_namespace: Option<u64>,
}

/// The ancestors of a process, the oldest first, without the process itself.
#[must_use]
pub fn ancestry(
    root: &ProcRoot,
    process: &ProcessHandle,
    of: &Identity,
) -> Observed<Vec<Ancestor>> {
    let mut chain: Vec<Ancestor> = Vec::new();
    let (mut pid, mut youngest) = (of.ppid, of.start_ticks);
    let mut gap = None;
    while pid != 0 {
        if chain.len() >= process.dir().limits().ancestors {
            let limit = format!("more than {} ancestors", chain.len());
            gap = Some(Gap::new(FIELD, Reason::Budget, limit));
            break;
        }
        match ancestor(root, pid) {
            // A parent is never younger than its child: a younger one has only the pid.
            Ok((_, _, started)) if started > youngest => {
                gap = Some(Gap::new(FIELD, Reason::Reused, format!("parent pid {pid}")));
                break;
            }
            Ok((ancestor, ppid, started)) => {
                chain.push(ancestor);
                (pid, youngest) = (ppid, started);
            }
            Err(reason) => {
                let tried = root.path().join(pid.to_string());
                gap = Some(Gap::new(FIELD, reason, tried.to_string_lossy()));
                break;
            }
        }
    }
    chain.reverse();
    let mut observed = Observed::whole(chain);
    observed.gaps.extend(gap);
    let dir = |a: &Ancestor| root.path().join(a.pid.to_string()).join("exe");
    let unread = observed.value.iter().filter_map(|a| Some((dir(a), a.exe_refused?)));
    let refused: Vec<_> =
        unread.map(|(exe, why)| Gap::new(EXE, why, exe.to_string_lossy())).collect();
    observed.gaps.extend(refused);
    observed
}

const FIELD: &str = "process.ancestry";
const EXE: &str = "process.ancestry.exe";

/// A process, its parent and its start, or why there is none.
fn ancestor(root: &ProcRoot, pid: u32) -> Result<(Ancestor, u32, u64), Reason> {
    let hidden_or_gone = || root.hides().map_or(Reason::Vanished, |_| Reason::Denied);
    let why = |error: ReadError| match error.is_gone() {
        true => hidden_or_gone(),
        false => error.reason(),
    };
    let dir = root.neighbour(pid).map_err(why)?;
    let bytes = dir.read_small("stat").map_err(why)?;
    let read = stat::stat(&bytes).map_err(|_| Reason::Malformed)?;
    let exe = dir.link("exe");
    let refused = exe.as_ref().err().map(ReadError::reason).filter(|_| !read.kernel_thread);
    let ancestor = Ancestor {
        pid,
        comm: read.comm.to_vec(),
        exe: exe.ok(),
        exe_refused: refused,
        argv: argv_of_shim(&dir, read.comm),
        mount_namespace: namespace_id(&dir, NamespaceKind::Mnt),
    };
    Ok((ancestor, read.ppid, read.start_ticks))
}

/// Arguments are read of the engines' shims alone: of others they are nobody's business here.
fn argv_of_shim(dir: &ProcDir, comm: &[u8]) -> Vec<Vec<u8>> {
    if !comm.starts_with(b"containerd-shim") && comm != b"conmon" {
        return Vec::new();
    }
    let bytes = dir.read_small("cmdline").unwrap_or_default();
    cmdline::arguments(&bytes).into_iter().map(<[u8]>::to_vec).collect()
}
