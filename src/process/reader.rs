//! The thread that reads, so that a read which never comes back cannot hold its caller.
//!
//! `/proc/<pid>/cmdline` and others block for as long as the target's memory lock is held, which a
//! process in uninterruptible sleep may do for ever. No signal ends such a read; the thread can only
//! be left behind. It is counted, and after [`LEFT_BEHIND_MAX`] no more are begun.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How many threads may hang before every further read is refused at once.
const LEFT_BEHIND_MAX: usize = 16;

/// How many reads hang now, of all threads that read.
#[derive(Clone, Debug, Default)]
pub(super) struct LeftBehind(Arc<AtomicUsize>);

impl LeftBehind {
    pub(super) fn count(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// Whether no more may be begun.
    pub(super) fn is_too_many(&self) -> bool {
        self.count() >= LEFT_BEHIND_MAX
    }

    pub(super) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// A read came back after all.
    pub(super) fn take_back(&self) {
        let _before = self.0.fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1));
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// Runs jobs one after the other on a thread of its own.
#[derive(Debug, Default)]
pub(super) struct Reader {
    thread: Mutex<Option<Sender<Job>>>,
    left_behind: LeftBehind,
}

impl Reader {
    /// What `job` returns, or nothing if it takes longer than `limit` or too many reads hang.
    pub(super) fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if limit.is_zero() || self.left_behind.is_too_many() {
            return None;
        }
        let (answer, answered) = mpsc::sync_channel(1);
        self.send(Box::new(move || {
            // Nobody listens any more after the limit, and then the answer is of no use.
            let _unheard = answer.send(job());
        }))?;
        if let Some(value) = soon(&answered) {
            return Some(value);
        }
        match answered.recv_timeout(limit) {
            Ok(value) => Some(value),
            Err(RecvTimeoutError::Timeout) => self.leave_behind(&answered),
            // The thread is gone; the next job gets a new one.
            Err(RecvTimeoutError::Disconnected) => {
                *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = None;
                None
            }
        }
    }

    /// The reads that hang now.
    pub(super) fn left_behind(&self) -> &LeftBehind {
        &self.left_behind
    }

    /// Hands the job to the thread, which is started when there is none.
    fn send(&self, job: Job) -> Option<()> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(jobs) = thread.as_ref() {
            return jobs.send(job).ok();
        }
        let (jobs, received) = mpsc::channel::<Job>();
        let named = thread::Builder::new().name("zastava-reader".to_owned());
        let left_behind = self.left_behind.clone();
        named
            .spawn(move || {
                while let Some(job) = soon(&received).or_else(|| received.recv().ok()) {
                    job();
                }
                // The channel is closed early only by `leave_behind`; the job came back after all.
                left_behind.take_back();
            })
            .ok()?;
        jobs.send(job).ok()?;
        *thread = Some(jobs);
        Some(())
    }

    /// Forgets the thread; the next job gets a new one. An answer that came meanwhile is taken.
    fn leave_behind<T>(&self, answered: &mpsc::Receiver<T>) -> Option<T> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(value) = answered.try_recv() {
            return Some(value);
        }
        *thread = None;
        self.left_behind.add();
        None
    }
}

/// What comes within a moment. Most reads take less time than it takes to wake a thread, so both
/// sides look for a while before they go to sleep.
fn soon<T>(received: &mpsc::Receiver<T>) -> Option<T> {
    const LOOKS: usize = 512;
    (0..LOOKS).find_map(|_| {
        std::hint::spin_loop();
        received.try_recv().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_job_that_hangs_is_left_behind_and_the_next_one_runs() {
        let reader = Reader::default();
        let (release, held) = mpsc::channel::<()>();
        assert_eq!(reader.run(SOON, move || held.recv().is_ok()), None);
        assert_eq!(reader.left_behind().count(), 1);
        assert_eq!(reader.run(LONG, || 7), Some(7));
        drop(release);
        while reader.left_behind().count() > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn with_too_many_left_behind_no_more_are_begun() {
        let reader = Reader::default();
        reader.left_behind.0.store(LEFT_BEHIND_MAX, Relaxed);
        assert_eq!(reader.run(LONG, || 7), None);
        reader.left_behind.0.store(LEFT_BEHIND_MAX - 1, Relaxed);
        assert_eq!(reader.run(LONG, || 7), Some(7));
    }

    #[test]
    fn a_run_that_is_over_begins_nothing() {
        let reader = Reader::default();
        assert_eq!(reader.run(Duration::ZERO, || 7), None);
        assert_eq!(reader.left_behind().count(), 0);
    }
}
