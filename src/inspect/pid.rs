//! A process: who it is, where it belongs, what it has mapped and where it listens.

use super::notable::{self, Notable};
use crate::contract::{Gap, Gaps, Observed, Reason};
use crate::process::{
    Ancestor, ContentRequest, Executable, Fate, Files, Identity, Listening, MappedFile, Membership,
    Namespace, ProcRoot, ProcessHandle, ancestry, arguments, executable, listening, mapped_files,
    membership, namespaces, read_contents,
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

/// Observes a process once, and reads of its files what is asked for.
///
/// The start time is compared at the end: of a process that ended meanwhile the answer is what was
/// seen before, with a gap in `process`.
#[must_use]
pub fn process(
    root: &ProcRoot,
    handle: &ProcessHandle,
    request: &ContentRequest<'_>,
) -> Observed<ProcessObservation> {
    let mut gaps = Gaps::default();
    let identity = gaps.take(handle.identity(root));
    let argv = gaps.take(arguments(handle, &identity));
    let ancestry = gaps.take(ancestry(root, handle, &identity));
    let ancestors = || ancestry.clone();
    let subject = Subject { root, handle, identity: &identity, ancestors: &ancestors };
    let arguments = argv.as_deref().unwrap_or(&[]);
    let Loaded { namespaces, membership, exe, mapped } =
        gaps.take(subject.loaded(arguments, request));
    gaps.extend(exe.as_ref().and_then(untold_libc));
    let listening = gaps.take(listening(root, handle));
    gaps.extend(fate(root, handle));
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

/// What was seen of a process's files, and where it belongs. What is `None` has a gap.
#[derive(Clone, Debug)]
pub struct LoadedObservation {
    /// Who it is.
    pub identity: Identity,
    /// Its container and pod.
    pub membership: Membership,
    /// What it runs.
    pub exe: Option<Executable>,
    /// The files that it has mapped.
    pub mapped: Option<Vec<MappedFile>>,
}

/// Observes the files that a process has mapped, and nothing that does not help to tell them.
#[must_use]
pub fn loaded(
    root: &ProcRoot,
    handle: &ProcessHandle,
    request: &ContentRequest<'_>,
) -> Observed<LoadedObservation> {
    let mut gaps = Gaps::default();
    let identity = gaps.take(handle.identity(root));
    let ancestors = || ancestry(root, handle, &identity).value;
    let subject = Subject { root, handle, identity: &identity, ancestors: &ancestors };
    let Loaded { membership, exe, mapped, .. } = gaps.take(subject.loaded(&[], request));
    gaps.extend(fate(root, handle));
    let value = LoadedObservation { identity, membership, exe, mapped };
    Observed { value, gaps: advise(gaps, root.own_capabilities()) }
}

/// A process whose files are looked at.
struct Subject<'a> {
    root: &'a ProcRoot,
    handle: &'a ProcessHandle,
    identity: &'a Identity,
    ancestors: &'a dyn Fn() -> Vec<Ancestor>,
}

/// What every observation has of a process's files.
struct Loaded {
    namespaces: Vec<Namespace>,
    membership: Membership,
    exe: Option<Executable>,
    mapped: Option<Vec<MappedFile>>,
}

impl Subject<'_> {
    fn loaded(&self, arguments: &[Vec<u8>], request: &ContentRequest<'_>) -> Observed<Loaded> {
        let Self { root, handle, identity, ancestors } = *self;
        let mut gaps = Gaps::default();
        let namespaces = gaps.take(namespaces(root, handle));
        let member = membership(root, handle, identity, &namespaces, ancestors);
        let membership = gaps.take(member);
        let mut exe = gaps.take(executable(handle, identity, arguments, &membership.mounts));
        let mut mapped = gaps.take(mapped_files(handle, identity, &membership.mounts));
        let files = Files {
            exe: exe.as_mut(),
            mapped: mapped.as_deref_mut().unwrap_or_default(),
            mounts: &membership.mounts,
        };
        gaps.extend(read_contents(root, handle, files, request));
        Observed { value: Loaded { namespaces, membership, exe, mapped }, gaps }
    }
}

/// A program whose file does not say which C library it was made for. One of Go alone has none.
fn untold_libc(exe: &Executable) -> Option<Gap> {
    let elf = exe.content.elf.known()?;
    let has_none = elf.go.as_ref().and_then(|go| go.cgo) == Some(false);
    let tried = "nothing in the file tells its C library";
    let told = elf.libc.is_some() || has_none;
    (!told).then(|| Gap::new("process.exe.libc", Reason::Unsupported, tried))
}

/// What became of the process while it was read.
fn fate(root: &ProcRoot, handle: &ProcessHandle) -> Option<Gap> {
    let (reason, tried) = match handle.check(root) {
        Fate::Same => return None,
        Fate::Vanished => (Reason::Vanished, "it ended while it was read".to_owned()),
        Fate::Unknown(error) => (error.reason(), error.path().to_string_lossy().into_owned()),
        Fate::Reused => {
            (Reason::Reused, format!("pid {} has another start time now", handle.pid()))
        }
    };
    Some(Gap::new("process", reason, tried))
}

/// The capability to read other users' processes (`linux/capability.h`).
const CAP_SYS_PTRACE: u64 = 1 << 19;

/// Either of them opens files whatever their mode says.
const CAP_DAC_OVERRIDE: u64 = 1 << 1;
const CAP_DAC_READ_SEARCH: u64 = 1 << 2;

/// Whether a reader with these capabilities may read other users' processes.
pub(super) fn may_read_others(own: Option<u64>) -> bool {
    own.is_some_and(|bits| bits & CAP_SYS_PTRACE != 0)
}

/// Whether a field is a digest.
fn is_digest(field: &str) -> bool {
    field.ends_with(".sha256") || field.ends_with(".blake3")
}

/// Whether a field is read from the file itself.
fn is_content(field: &str) -> bool {
    is_digest(field) || field.ends_with(".buildId")
}

/// Says of each refusal what would help, as far as the reader's own capabilities tell.
pub(super) fn advise(gaps: Gaps, own: Option<u64>) -> Gaps {
    let privileged = own.map(|_| may_read_others(own));
    let reads_all = own.is_none_or(|bits| bits & (CAP_DAC_READ_SEARCH | CAP_DAC_OVERRIDE) != 0);
    let mut advised = Gaps::default();
    for gap in gaps {
        let hint = match (gap.reason, privileged) {
            (Reason::Denied, _) if gap.tried.ends_with("/map_files") => {
                "needs CAP_CHECKPOINT_RESTORE"
            }
            (Reason::Denied, Some(true)) if is_content(&gap.field) && !reads_all => {
                "needs CAP_DAC_READ_SEARCH"
            }
            (Reason::Denied, Some(false)) => "needs root or CAP_SYS_PTRACE",
            (Reason::Denied, Some(true)) => "refused despite CAP_SYS_PTRACE",
            (Reason::Timeout, _) => "--timeout raises the limit of the whole run",
            (Reason::Budget, _) if is_digest(&gap.field) => "--max-bytes and --max-libs raise it",
            _ => {
                advised.push(gap);
                continue;
            }
        };
        advised.push(gap.with_hint(hint));
    }
    advised
}
