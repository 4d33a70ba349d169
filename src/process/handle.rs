//! One process, held by its directory and its start time.

use std::time::{Duration, SystemTime};

use super::dir::ProcDir;
use super::error::{Error, ReadError};
use super::parse::{number, stat, status};
use super::root::ProcRoot;
use crate::contract::{Gap, Gaps, Observed, Reason};

/// What `stat` and `status` say of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its pid in the proc root's pid namespace.
    pub pid: u32,
    /// Its parent's; 0 for none, or one outside the pid namespace.
    pub ppid: u32,
    /// Its name, of its own choice.
    pub comm: Vec<u8>,
    /// Its state's letter, such as `S`.
    pub state: u8,
    /// Whether it is a thread of the kernel: without executable, arguments or memory.
    pub kernel_thread: bool,
    /// How many threads it has.
    pub threads: u64,
    /// Ticks between boot and its start.
    pub start_ticks: u64,
    /// When it started; known when the boot time is.
    pub started: Option<SystemTime>,
    /// Its effective user id.
    pub uid: Option<u32>,
    /// Its effective group id.
    pub gid: Option<u32>,
    /// Its pids in the pid namespaces that it is in, the proc root's first.
    pub ns_pids: Vec<u32>,
    /// Its effective capabilities, a bit each.
    pub cap_eff: Option<u64>,
    /// Its seccomp mode: 0 none, 1 strict, 2 filter.
    pub seccomp: Option<u8>,
    /// Whether new privileges are ruled out.
    pub no_new_privs: Option<bool>,
    /// What its security module calls it.
    pub lsm: Label,
}

/// What a security module calls a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// Its label, such as `docker-default (enforce)`.
    Named(Vec<u8>),
    /// No module says anything.
    None,
    /// It could not be read; there is a gap.
    Unknown,
}

impl Identity {
    /// Whether all of it has ended and its parent has not asked how.
    #[must_use]
    pub fn is_zombie(&self) -> bool {
        stat::has_ended(self.state, self.threads)
    }

    /// Why it has no memory, and so no executable and no mappings; `None` where it has.
    #[must_use]
    pub(super) fn no_memory(&self) -> Option<(Reason, &'static str)> {
        if self.kernel_thread {
            return Some((Reason::NotFound, "a thread of the kernel has no executable"));
        }
        let ended = "a zombie: it has ended and its memory is gone";
        self.is_zombie().then_some((Reason::Vanished, ended))
    }
}

/// What became of a process while it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is still the same one.
    Same,
    /// It is gone.
    Vanished,
    /// Its pid now belongs to another.
    Reused,
    /// It could not be asked any more.
    Unknown(ReadError),
}

/// Which process was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The process that asks, as the proc root numbers it.
    Oneself,
    /// A process, or one of its threads.
    Pid(u32),
}

/// A process whose directory is held open. After its end every read through it fails, even when the
/// pid is given to another process.
#[derive(Clone, Debug)]
pub struct ProcessHandle {
    dir: ProcDir,
    living: ProcDir,
    anchor: Anchor,
    asked_as_thread: Option<u32>,
}

/// What `stat` said when the process was opened.
#[derive(Clone, Debug)]
struct Anchor {
    pid: u32,
    ppid: u32,
    comm: Vec<u8>,
    state: u8,
    kernel_thread: bool,
    threads: u64,
    start_ticks: u64,
}

impl ProcessHandle {
    /// Opens the process that was asked for; the pid of a thread leads to its process, which
    /// [`ProcessHandle::asked_as_thread`] tells.
    ///
    /// # Errors
    ///
    /// [`Error::NoProcess`] if there is none, [`Error::Unreadable`] if even `stat`, which anyone
    /// may read, cannot be read.
    pub fn open(root: &ProcRoot, asked: Asked) -> Result<Self, Error> {
        let pid = match asked {
            Asked::Oneself => own_pid(root)?,
            Asked::Pid(pid) => pid,
        };
        let dir = open_pid(root, pid)?;
        let thread_of = dir.read_small("status").ok().and_then(|bytes| status::status(&bytes).tgid);
        match thread_of {
            Some(process) if process != pid => {
                Self::anchor(open_pid(root, process)?, root, Some(pid))
            }
            _ => Self::anchor(dir, root, None),
        }
    }

    /// Reads `stat`, by which the process is known from now on.
    fn anchor(dir: ProcDir, root: &ProcRoot, thread: Option<u32>) -> Result<Self, Error> {
        // A process that ends while its file is open reads as empty, once.
        let bytes = match read_anchor(&dir).or_else(|_once| read_anchor(&dir)) {
            Ok(bytes) => bytes,
            Err(error) if error.is_gone() => return Err(root.no_process(pid_of(&dir))),
            Err(error) => return Err(error.into()),
        };
        let path = dir.path().join("stat");
        let read = stat::stat(&bytes).map_err(|why| Error::Malformed { path, why })?;
        let anchor = Anchor {
            pid: read.pid,
            ppid: read.ppid,
            comm: read.comm.to_vec(),
            state: read.state,
            kernel_thread: read.kernel_thread,
            threads: read.threads,
            start_ticks: read.start_ticks,
        };
        let living = living_task(&dir, &read).unwrap_or_else(|| dir.clone());
        Ok(Self { dir, living, anchor, asked_as_thread: thread })
    }

    /// Its pid.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.anchor.pid
    }

    /// The pid that was asked for, if that was of a thread other than the first.
    #[must_use]
    pub fn asked_as_thread(&self) -> Option<u32> {
        self.asked_as_thread
    }

    pub(super) fn dir(&self) -> &ProcDir {
        &self.dir
    }

    /// The directory to read memory, descriptors and namespaces through: the process's own, or that
    /// of one of its threads where the first one has ended and left the others behind.
    pub(super) fn living(&self) -> &ProcDir {
        &self.living
    }

    /// Whether the pid still belongs to the process that the handle was opened on.
    #[must_use]
    pub fn check(&self, root: &ProcRoot) -> Fate {
        let now = root.neighbour(self.anchor.pid).and_then(|dir| dir.read_small("stat"));
        match now {
            Err(error) if !error.is_gone() => Fate::Unknown(error),
            Err(_) => Fate::Vanished,
            Ok(bytes) => match stat::stat(&bytes) {
                Ok(read) if read.start_ticks == self.anchor.start_ticks => Fate::Same,
                Ok(_) => Fate::Reused,
                // What ends is read as empty.
                Err(_) => Fate::Vanished,
            },
        }
    }

    /// What `stat` and `status` say.
    #[must_use]
    pub fn identity(&self, root: &ProcRoot) -> Observed<Identity> {
        let mut gaps = Gaps::default();
        let status = match self.dir.read_small("status") {
            Ok(bytes) => {
                let told = status::status(&bytes);
                gaps.extend(missing(&told).map(|field| self.untold(field)));
                told
            }
            Err(error) => {
                let untold = status::Status::default();
                gaps.extend(missing(&untold).map(|field| self.gap(field, &error)));
                untold
            }
        };
        let Anchor { pid, ppid, ref comm, state, kernel_thread, threads, start_ticks } =
            self.anchor;
        let started = match root.boot_time() {
            Ok(boot) => boot.checked_add(ticks(start_ticks)),
            Err(error) => {
                gaps.push(self.gap("process.startedAt", &error));
                None
            }
        };
        let identity = Identity {
            pid,
            ppid,
            comm: comm.clone(),
            state,
            kernel_thread,
            threads,
            start_ticks,
            started,
            uid: status.uid,
            gid: status.gid,
            ns_pids: status.ns_pids,
            cap_eff: status.cap_eff,
            seccomp: status.seccomp,
            no_new_privs: status.no_new_privs,
            lsm: gaps.take(self.label()),
        };
        Observed { value: identity, gaps }
    }

    /// The label of the security module. A kernel without one has no such file, or calls reading it
    /// an invalid argument.
    fn label(&self) -> Observed<Label> {
        match self.dir.read_small("attr/current") {
            Ok(bytes) => {
                let label = bytes.strip_suffix(b"\0").unwrap_or(&bytes).trim_ascii_end();
                Observed::whole(if label.is_empty() {
                    Label::None
                } else {
                    Label::Named(label.to_vec())
                })
            }
            Err(error) => match error.reason() {
                Reason::Unsupported => Observed::whole(Label::None),
                Reason::NotFound if self.dir.read_small("stat").is_ok() => {
                    Observed::whole(Label::None)
                }
                _ => Observed::partial(Label::Unknown, self.gap("process.security.lsm", &error)),
            },
        }
    }

    /// A field that `status` does not have here.
    fn untold(&self, field: &'static str) -> Gap {
        let tried = self.dir.path().join("status");
        Gap::new(field, Reason::Unsupported, tried.to_string_lossy())
    }

    /// A read that failed, as a gap: where the whole process is gone, that is the reason.
    pub(super) fn gap(&self, field: &str, error: &ReadError) -> Gap {
        let gone = || self.dir.read_small("stat").is_err_and(|error| error.is_gone());
        // A zombie has given up its files, mounts and namespaces; the kernel says so in many ways.
        let ended = stat::has_ended(self.anchor.state, self.anchor.threads);
        let reason = match error.reason() {
            Reason::NotFound | Reason::Unsupported if ended || gone() => Reason::Vanished,
            reason => reason,
        };
        Gap::new(field, reason, error.path().to_string_lossy())
    }
}

/// The directory of a pid.
fn open_pid(root: &ProcRoot, pid: u32) -> Result<ProcDir, Error> {
    root.neighbour(pid).map_err(|error| match error.is_gone() {
        true => root.no_process(pid),
        false => Error::Unreadable(error),
    })
}

fn own_pid(root: &ProcRoot) -> Result<u32, Error> {
    let link = root.dir().link("self")?;
    number(&link, 10).ok_or_else(|| ReadError::gone(root.path().join("self")).into())
}

/// What a `status` does not tell, as fields of the result.
fn missing(status: &status::Status) -> impl Iterator<Item = &'static str> {
    let fields = [
        ("process.uid", status.uid.is_some()),
        ("process.gid", status.gid.is_some()),
        ("process.nsPids", !status.ns_pids.is_empty()),
        ("process.security.capEff", status.cap_eff.is_some()),
        ("process.security.seccomp", status.seccomp.is_some()),
        ("process.security.noNewPrivs", status.no_new_privs.is_some()),
    ];
    fields.into_iter().filter(|(_, told)| !told).map(|(field, _)| field)
}

/// A thread that lives where the first one has ended: then that one shows no memory, descriptors
/// or namespaces, and the process goes on without it.
pub(super) fn living_task(dir: &ProcDir, read: &stat::Stat<'_>) -> Option<ProcDir> {
    if read.state != b'Z' || stat::has_ended(read.state, read.threads) {
        return None;
    }
    let (tasks, _cut) = dir.list("task", dir.limits().threads).ok()?;
    tasks.iter().find_map(|task| {
        let task = dir.subdir(&format!("task/{}", task.to_str().ok()?)).ok()?;
        let bytes = task.read_small("stat").ok()?;
        (stat::stat(&bytes).ok()?.state != b'Z').then_some(task)
    })
}

fn read_anchor(dir: &ProcDir) -> Result<Vec<u8>, ReadError> {
    match dir.read_small("stat")? {
        bytes if bytes.is_empty() => Err(ReadError::gone(dir.path().join("stat"))),
        bytes => Ok(bytes),
    }
}

fn pid_of(dir: &ProcDir) -> u32 {
    let name = dir.path().file_name().and_then(|name| name.to_str());
    name.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Clock ticks as time; Linux shows 100 a second to programs on all but old Alpha and IA-64.
fn ticks(count: u64) -> Duration {
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let rest = (count % per_second).saturating_mul(1_000_000_000) / per_second;
    Duration::from_secs(count / per_second).saturating_add(Duration::from_nanos(rest))
}
