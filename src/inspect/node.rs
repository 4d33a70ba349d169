//! Every process of the node, one after the other.

use super::pid::{LoadedObservation, loaded};
use crate::contract::{Gap, Gaps, Observed, Reason};
use crate::process::{Asked, ContentRequest, Error, ProcRoot, ProcessHandle};

/// How many processes were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// All that there were.
    pub processes: u64,
    /// Those whose mapped files could not be read. One that ended meanwhile is none of them.
    pub unreadable: u64,
}

/// Those that could not be read, by why.
#[derive(Debug, Default)]
struct Unreadable(Vec<(Reason, Vec<u32>)>);

/// How many pids of unreadable processes are told.
const TOLD: usize = 8;

/// Observes the mapped files of every process and hands each over as it comes. One that ended
/// meanwhile is passed over; one that could not be read is counted, and told in a gap.
pub fn each_process(
    root: &ProcRoot,
    request: &ContentRequest<'_>,
    seen: impl FnMut(&ProcessHandle, LoadedObservation),
) -> Observed<Searched> {
    let mut gaps = Gaps::default();
    gaps.extend(hidden(root));
    let pids = match root.processes() {
        Ok((pids, more)) => {
            let limit = format!("more than {} processes", pids.len());
            gaps.extend(more.then(|| Gap::new(FIELD, Reason::Budget, limit)));
            pids
        }
        Err(error) => {
            let gap = Gap::new(FIELD, error.reason(), error.path().to_string_lossy());
            return Observed::partial(Searched::default(), gap);
        }
    };
    let Observed { value, gaps: seen } = each_of(root, &pids, request, seen);
    gaps.extend(seen);
    Observed { value, gaps: super::pid::advise(gaps, root.own_capabilities()) }
}

/// The same for these processes alone.
pub(super) fn each_of(
    root: &ProcRoot,
    pids: &[u32],
    request: &ContentRequest<'_>,
    mut seen: impl FnMut(&ProcessHandle, LoadedObservation),
) -> Observed<Searched> {
    let mut gaps = Gaps::default();
    let (mut searched, mut unreadable) = (Searched::default(), Unreadable::default());
    for &pid in pids {
        let handle = match ProcessHandle::open(root, Asked::Pid(pid)) {
            Ok(handle) => handle,
            Err(Error::NoProcess { .. }) => continue,
            Err(error) => {
                searched.processes += 1;
                unreadable.add(pid, error.reason());
                continue;
            }
        };
        let Observed { value, gaps: missing } = loaded(root, &handle, request);
        let refused = missing.as_slice().iter().find(|gap| gap.field == "loadedLibs");
        match (&value.mapped, refused.map(|gap| gap.reason)) {
            (None, Some(Reason::Vanished)) => continue,
            (None, reason) => unreadable.add(pid, reason.unwrap_or(Reason::NotFound)),
            (Some(_), _) => {
                // Of a process that ended meanwhile nothing is missing; a file that went away under one
                // that runs may still be mapped.
                let vanished = |gap: &Gap| gap.reason == Reason::Vanished;
                let ended = missing.as_slice().iter().any(|g| g.field == "process" && vanished(g));
                let of_files = |gap: &Gap| gap.field.starts_with("loadedLibs");
                let kept = missing.into_iter().filter(|gap| !(ended && vanished(gap)));
                gaps.extend(kept.filter(of_files));
                seen(&handle, value);
            }
        }
        searched.processes += 1;
    }
    searched.unreadable = unreadable.0.iter().map(|(_, pids)| pids.len() as u64).sum();
    gaps.extend(unreadable.gaps(searched.processes));
    Observed { value: searched, gaps }
}

const FIELD: &str = "processes";

/// What the proc root hides from a reader without the right to see it.
fn hidden(root: &ProcRoot) -> Option<Gap> {
    let hidepid = root.hides()?;
    let blind = !super::pid::may_read_others(root.own_capabilities());
    let tried = format!("hidepid={hidepid} hides other users' processes");
    blind.then(|| Gap::new(FIELD, Reason::Denied, tried))
}

impl Unreadable {
    fn add(&mut self, pid: u32, reason: Reason) {
        match self.0.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, pids)) => pids.push(pid),
            None => self.0.push((reason, vec![pid])),
        }
    }

    fn gaps(self, of: u64) -> impl Iterator<Item = Gap> {
        self.0.into_iter().map(move |(reason, pids)| {
            let count = pids.len();
            let mut told: Vec<_> = pids.iter().take(TOLD).map(u32::to_string).collect();
            told.extend((count > TOLD).then(|| "…".to_owned()));
            let tried = format!("{count} of {of} could not be read ({})", told.join(", "));
            Gap::new(FIELD, reason, tried)
        })
    }
}
