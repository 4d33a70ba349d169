//! A few threads that read files, none of which can hold its caller.
//!
//! A file on a server that is gone hangs its reader for as long as the kernel likes. Each thread
//! strikes a beat after every read; one whose beat stands still is left behind with its file, counted,
//! and another thread takes its place.

use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::reader::LeftBehind;
use crate::limits::Deadline;

/// More threads than this would be a noisy neighbour on a large node.
const THREADS_MAX: usize = 8;

/// What is read at once. Larger buffers do not read faster, and smaller ones cost calls.
const BUFFER: usize = 128 << 10;

/// How often the beats are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How fast the crew works and how long it may take.
pub(super) struct Pace {
    threads: usize,
    /// How long one read may take.
    read: Duration,
    deadline: Deadline,
    left_behind: LeftBehind,
}

impl Pace {
    /// For what keeps so many threads busy.
    pub(super) fn new(
        busy: usize,
        read: Duration,
        deadline: Deadline,
        left_behind: LeftBehind,
    ) -> Self {
        let cores = rustix::thread::sched_getaffinity(None);
        let cores = cores.map_or(1, |cores| cores.count() as usize);
        let threads = cores.min(THREADS_MAX).min(busy).max(1);
        Self { threads, read, deadline, left_behind }
    }
}

/// What a thread works at: its beat and its buffer.
pub(super) struct Desk {
    pub(super) beat: Beat,
    buffer: Vec<u8>,
    /// Bytes that were read for the digest of the file at hand.
    pub(super) hashed: u64,
}

impl Desk {
    /// The next bytes of a file; none at its end.
    pub(super) fn read(&mut self, file: &File, at: u64) -> io::Result<&[u8]> {
        self.buffer.resize(BUFFER, 0);
        let read = file.read_at(&mut self.buffer, at)?;
        self.beat.strike();
        Ok(self.buffer.get(..read).unwrap_or_default())
    }
}

/// The sign of life of one thread.
#[derive(Clone, Default)]
pub(super) struct Beat(Arc<Pulse>);

#[derive(Default)]
struct Pulse {
    /// Goes up with each read.
    count: AtomicU64,
    /// Whether nobody waits for the thread any more; a copy of `place` that costs no lock.
    over: AtomicBool,
    place: Mutex<Place>,
}

/// Where a thread is, as it and its foreman agree.
#[derive(Default)]
struct Place {
    job: Option<usize>,
    state: State,
}

#[derive(Default, PartialEq, Eq)]
enum State {
    #[default]
    Wanted,
    /// What it still does is of no use.
    Dismissed,
    /// It hangs, and is counted for as long as it does.
    LeftBehind,
    /// It has ended.
    Gone,
}

impl Beat {
    /// Says that a read came back.
    pub(super) fn strike(&self) {
        self.0.count.fetch_add(1, Relaxed);
    }

    /// Whether nobody waits for the result any more.
    pub(super) fn is_over(&self) -> bool {
        self.0.over.load(Relaxed)
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a job, if anybody still waits for it.
    fn begin(&self, number: usize) -> bool {
        let mut place = self.place();
        let is_wanted = place.state == State::Wanted;
        place.job = is_wanted.then_some(number);
        is_wanted
    }

    fn end(&self) {
        self.place().job = None;
    }

    /// Whether the thread has ended, and not in the middle of a job.
    fn has_left(&self) -> bool {
        let place = self.place();
        place.state == State::Gone && place.job.is_none()
    }

    /// Leaves the thread behind, if it is still at that job.
    fn abandon(&self, number: usize, left_behind: &LeftBehind) -> bool {
        let mut place = self.place();
        if place.job != Some(number) {
            return false;
        }
        // One that has ended in the middle of a job hangs no more.
        if place.state != State::Gone {
            place.state = State::LeftBehind;
            left_behind.add();
        }
        self.0.over.store(true, Relaxed);
        true
    }
}

/// A thread's way out, however it ends.
struct Leave(Beat, LeftBehind);

impl Drop for Leave {
    fn drop(&mut self) {
        let mut place = self.0.place();
        if place.state == State::LeftBehind {
            self.1.take_back();
        }
        place.state = State::Gone;
    }
}

/// A thread as its foreman sees it.
struct Hand {
    beat: Beat,
    seen: (u64, Option<usize>),
    since: Instant,
}

impl Hand {
    /// The job that it hangs at, if its beat has stood still for too long.
    fn hangs_at(&mut self, limit: Duration) -> Option<usize> {
        let now = (self.beat.0.count.load(Relaxed), self.beat.place().job);
        if now != self.seen {
            (self.seen, self.since) = (now, Instant::now());
        }
        now.1.filter(|_| self.since.elapsed() >= limit)
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        let mut place = self.beat.place();
        if place.state == State::Wanted {
            place.state = State::Dismissed;
        }
        self.beat.0.over.store(true, Relaxed);
    }
}

/// What the threads share with their foreman.
struct Board<T, R> {
    /// The jobs that nobody has begun yet, with their numbers.
    jobs: Mutex<VecDeque<(usize, T)>>,
    results: Mutex<Vec<(usize, R)>>,
    /// Told when a thread has nothing more to do: waking the foreman for each result would cost more
    /// than most of them.
    idle: Condvar,
}

impl<T, R> Board<T, R> {
    fn has_jobs(&self) -> bool {
        !self.jobs.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn next(&self) -> Option<(usize, T)> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn put_back(&self, job: (usize, T)) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).push_front(job);
    }

    fn put(&self, number: usize, result: R) {
        self.results.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
    }

    /// The results so far, when there are as many as are waited for or the time is over.
    fn take(&self, awaited: usize, time: Duration) -> Vec<(usize, R)> {
        let results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        let few = |results: &mut Vec<_>| results.len() < awaited;
        let waited = self.idle.wait_timeout_while(results, time, few);
        let (mut results, _over) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut results)
    }
}

/// What a thread does with a job.
type Work<T, R> = fn(T, &mut Desk) -> R;

/// Does all jobs and hands over their results, each with the number of its job. Returns the numbers of
/// those that did not come back, or were not begun in time.
pub(super) fn work<T: Send + 'static, R: Send + 'static>(
    jobs: Vec<T>,
    pace: &Pace,
    job: Work<T, R>,
    mut done: impl FnMut(usize, R),
) -> Vec<usize> {
    let mut open: BTreeSet<usize> = (0..jobs.len()).collect();
    let mut lost = Vec::new();
    let board = Arc::new(Board {
        jobs: Mutex::new(jobs.into_iter().enumerate().collect()),
        results: Mutex::default(),
        idle: Condvar::new(),
    });
    let mut crew: Vec<Hand> = Vec::new();
    while !open.is_empty() {
        let may_hire = || board.has_jobs() && !pace.left_behind.is_too_many();
        while crew.len() < pace.threads && may_hire() {
            crew.push(match hire(&board, job, &pace.left_behind) {
                Some(hand) => hand,
                None => break,
            });
        }
        let wait = pace.deadline.left(LOOK);
        let is_over = crew.is_empty() || wait.is_zero();
        let awaited = if is_over { 0 } else { open.len() };
        for (number, result) in board.take(awaited, wait) {
            if open.remove(&number) {
                done(number, result);
            }
        }
        if is_over {
            break;
        }
        crew.retain_mut(|hand| {
            let hangs = hand.hangs_at(pace.read);
            let lost_now = hangs.filter(|number| hand.beat.abandon(*number, &pace.left_behind));
            lost.extend(lost_now.filter(|number| open.remove(number)));
            // One that has ended well may have left a job that was put back.
            lost_now.is_none() && !hand.beat.has_left()
        });
    }
    lost.extend(open);
    lost
}

/// Starts a thread that works until nothing is left to do.
fn hire<T: Send + 'static, R: Send + 'static>(
    board: &Arc<Board<T, R>>,
    job: Work<T, R>,
    left_behind: &LeftBehind,
) -> Option<Hand> {
    let beat = Beat::default();
    let (board, leave) = (Arc::clone(board), Leave(beat.clone(), left_behind.clone()));
    let mut desk = Desk { beat: beat.clone(), buffer: Vec::new(), hashed: 0 };
    let work = move || {
        let _leave = leave;
        while let Some((number, task)) = board.next() {
            if !desk.beat.begin(number) {
                board.put_back((number, task));
                break;
            }
            let result = job(task, &mut desk);
            desk.beat.end();
            board.put(number, result);
        }
        board.idle.notify_one();
    };
    thread::Builder::new().name("zastava-content".to_owned()).spawn(work).ok()?;
    Some(Hand { beat, seen: (0, None), since: Instant::now() })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn pace(read: Duration, deadline: Deadline) -> Pace {
        Pace { threads: 2, read, deadline, left_behind: LeftBehind::default() }
    }

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(200);

    /// A job that waits until its sender is gone, or answers at once.
    type Errand = Option<mpsc::Receiver<()>>;

    fn run(errand: Errand, desk: &mut Desk) -> bool {
        desk.beat.strike();
        errand.is_none_or(|held| held.recv().is_err())
    }

    #[test]
    fn every_job_is_done_once_and_told_with_its_number() {
        let jobs: Vec<u32> = (0..1000).collect();
        let mut told = vec![None; jobs.len()];
        let square = |job: u32, _: &mut Desk| job * job;
        let lost = work(jobs, &pace(LONG, Deadline::never()), square, |number, result| {
            assert_eq!(told[number].replace(result), None);
        });
        assert_eq!(lost, [0; 0]);
        assert!((0..1000).all(|n| told[n as usize] == Some(n * n)));
        assert_eq!(work(Vec::new(), &pace(LONG, Deadline::never()), square, |_, _| {}), [0; 0]);
    }

    #[test]
    fn a_job_that_hangs_is_left_behind_and_all_others_are_done() {
        let (release, held) = mpsc::channel();
        let (release_too, held_too) = mpsc::channel();
        let jobs: Vec<Errand> = vec![Some(held), None, Some(held_too), None, None];
        let pace = pace(SHORT, Deadline::never());
        let mut done = Vec::new();
        let mut lost = work(jobs, &pace, run, |number, _| done.push(number));
        lost.sort_unstable();
        done.sort_unstable();
        assert_eq!((lost, done), (vec![0, 2], vec![1, 3, 4]));
        assert_eq!(pace.left_behind.count(), 2);
        drop((release, release_too));
        while pace.left_behind.count() > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn a_job_that_panics_is_lost_and_counts_as_hanging_no_more() {
        let jobs: Vec<Option<()>> = vec![None, Some(()), Some(())];
        let pace = pace(SHORT, Deadline::never());
        let job = |job: Option<()>, _: &mut Desk| assert!(job.is_some(), "a panic that is wanted");
        let mut done = Vec::new();
        assert_eq!(work(jobs, &pace, job, |number, ()| done.push(number)), [0]);
        done.sort_unstable();
        assert_eq!((done, pace.left_behind.count()), (vec![1, 2], 0));
    }

    #[test]
    fn what_is_not_begun_before_the_deadline_is_told() {
        let (release, held) = mpsc::channel();
        let (release_too, held_too) = mpsc::channel();
        let jobs: Vec<Errand> = vec![Some(held), Some(held_too), None];
        let pace = pace(LONG, Deadline::after(SHORT));
        assert_eq!(work(jobs, &pace, run, |_, _| {}), [0, 1, 2]);
        assert_eq!(pace.left_behind.count(), 0, "they are only late");
        drop((release, release_too));
    }
}
