//! How long one sample of a process's mapped files takes, as the node agent would take it: the first,
//! when nothing is known of the files, and those after it.
//!
//! `cargo xtask bench` runs it with the pid of a process that it started; it prints a line a figure,
//! `name microseconds`, each the median of many samples.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark talks to whoever runs it"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use zastava::contract::Reason;
use zastava::inspect::{self, LoadedObservation};
use zastava::limits::{Deadline, DigestBudget, ReadLimits};
use zastava::process::{Algorithm, Asked, ContentCache, ContentRequest, ProcRoot, ProcessHandle};

const RUNS: usize = 31;

fn main() {
    let Some(pid) = std::env::args().find_map(|argument| argument.parse().ok()) else {
        return println!("a pid is missing: cargo xtask bench starts a process and names it");
    };
    let root = ProcRoot::open(Path::new("/proc"), ReadLimits::default(), Deadline::never());
    let root = root.expect("/proc is a procfs");
    let first = median(|| {
        let cache = ContentCache::default();
        timed(&root, pid, &cache).0
    });
    println!("first {}", first.as_micros());
    let cache = ContentCache::default();
    let (_, seen) = timed(&root, pid, &cache);
    let files = seen.mapped.unwrap_or_default();
    let skipped = files.iter().filter(|f| f.content.digest.unknown() == Some(Reason::Budget));
    println!("skipped {}", skipped.count());
    println!("files {}", files.len());
    println!("second {}", median(|| timed(&root, pid, &cache).0).as_micros());
}

/// One sample with the agent's budget.
fn timed(root: &ProcRoot, pid: u32, cache: &ContentCache) -> (Duration, LoadedObservation) {
    let budget = DigestBudget::AGENT;
    let request = ContentRequest { budget, ..ContentRequest::digests(cache, Algorithm::Sha256) };
    let begun = Instant::now();
    let handle = ProcessHandle::open(root, Asked::Pid(pid)).expect("the process is there");
    let seen = inspect::loaded(root, &handle, &request).value;
    (begun.elapsed(), seen)
}

fn median(mut sample: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<_> = (0..RUNS).map(|_| sample()).collect();
    times.sort_unstable();
    times.get(RUNS / 2).copied().unwrap_or_default()
}
