//! A process: who it is, where it belongs, what it has mapped and where it listens.

use super::notable::{self, Notable};
use crate::contract::{Gap, Gaps, Observed, Reason};
use crate::process::{
    Ancestor, Executable, Fate, Identity, Listening, MappedFile, Membership, Namespace, ProcRoot,
    ProcessHandle, ancestry, arguments, executable, listening, mapped_files, membership,
    namespaces,
};

/// All that was seen of a process. What is `None` has a gap.
#[derive(Clone, Debug)]
pub struct ProcessObservation {
    /// Who it is.
    pub identity: Identity,
    /// What it runs.
    pub exe: Option<Executable>,
    /// Its arguments.
    pub argv: Option<Vec<Vec<u8>>>,
    /// Its ancestors, the oldest first.
    pub ancestry: Vec<Ancestor>,
    /// Its namespaces.
    pub namespaces: Vec<Namespace>,
    /// Its container and pod.
    pub membership: Membership,
    /// The sockets that wait, its own and those beside it.
    pub listening: Option<Listening>,
    /// The files that it has mapped.
    pub mapped: Option<Vec<MappedFile>>,
    /// What deserves a look.
    pub notable: Vec<Notable>,
}

/// Observes a process once.
///
/// The start time is compared at the end: of a process that ended meanwhile the answer is what was
/// seen before, with a gap in `process`.
#[must_use]
pub fn process(root: &ProcRoot, handle: &ProcessHandle) -> Observed<ProcessObservation> {
    let mut gaps = Gaps::default();
    let identity = gaps.take(handle.identity(root));
    let argv = gaps.take(arguments(handle, &identity));
    let ancestry = gaps.take(ancestry(root, handle, &identity));
    let namespaces = gaps.take(namespaces(root, handle));
    let member = membership(root, handle, &identity, &namespaces, &ancestry);
    let membership = gaps.take(member);
    let arguments = argv.as_deref().unwrap_or(&[]);
    let exe = gaps.take(executable(handle, &identity, arguments, &membership.mounts));
    let mapped = gaps.take(mapped_files(handle, &identity, &membership.mounts));
    let listening = gaps.take(listening(root, handle));
    match handle.check(root) {
        Fate::Same => {}
        Fate::Vanished => {
            gaps.push(Gap::new("process", Reason::Vanished, "it ended while it was read"));
        }
        Fate::Unknown(error) => {
            gaps.push(Gap::new("process", error.reason(), error.path().to_string_lossy()));
        }
        Fate::Reused => {
            let tried = format!("pid {} has another start time now", handle.pid());
            gaps.push(Gap::new("process", Reason::Reused, tried));
        }
    }
    let mut notable = exe.as_ref().map(notable::of_executable).unwrap_or_default();
    notable.extend(notable::of_membership(&membership, &namespaces));
    notable.extend(notable::of_mapped(mapped.as_deref().unwrap_or(&[]), exe.as_ref()));
    let value = ProcessObservation {
        identity,
        exe,
        argv,
        ancestry,
        namespaces,
        membership,
        listening,
        mapped,
        notable,
    };
    Observed { value, gaps: advise(gaps, root.own_capabilities()) }
}

/// The capability to read other users' processes (`linux/capability.h`).
const CAP_SYS_PTRACE: u64 = 1 << 19;

/// Says of each refusal what would help, as far as the reader's own capabilities tell.
fn advise(gaps: Gaps, own: Option<u64>) -> Gaps {
    let privileged = own.map(|bits| bits & CAP_SYS_PTRACE != 0);
    let mut advised = Gaps::default();
    for gap in gaps {
        let hint = match (gap.reason, privileged) {
            (Reason::Denied, _) if gap.tried.contains("/map_files/") => {
                "needs CAP_CHECKPOINT_RESTORE"
            }
            (Reason::Denied, Some(false)) => "needs root or CAP_SYS_PTRACE",
            (Reason::Denied, Some(true)) => "refused despite CAP_SYS_PTRACE",
            (Reason::Timeout, _) => "--timeout raises the limit of the whole run",
            _ => {
                advised.push(gap);
                continue;
            }
        };
        advised.push(gap.with_hint(hint));
    }
    advised
}
