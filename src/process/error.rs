//! What can go wrong with a proc root or a process.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::hidepid::Hidepid;
use crate::contract::Reason;

/// The largest pid that Linux gives (`PID_MAX_LIMIT`).
const PID_MAX: u32 = 4_194_304;

/// Why a process or a proc root cannot be used at all. What is missing from an answer is a gap
/// instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory cannot be opened, or does not hold what a procfs holds.
    #[error("failed to use {} as proc root: {why}", path.display())]
    NoProcRoot {
        /// The directory.
        path: PathBuf,
        /// What stands in the way.
        why: String,
    },
    /// No such process, as far as this proc root shows.
    #[error("no process {pid} under {}{}", root.display(), Hides(*hides))]
    NoProcess {
        /// The pid.
        pid: u32,
        /// The proc root.
        root: PathBuf,
        /// Whether the proc root hides other users' processes.
        hides: Option<Hidepid>,
    },
    /// Nothing of the process can be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// What was read of the process is not in the kernel's form.
    #[error("failed to understand {}: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The field.
        why: super::parse::Malformed,
    },
}

struct Hides(Option<Hidepid>);

impl std::fmt::Display for Hides {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(how) => write!(f, ", which hides other users' processes (hidepid={how})"),
            None => Ok(()),
        }
    }
}

impl Error {
    /// Why, as a gap says it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::NoProcRoot { .. } => Reason::Unsupported,
            Self::NoProcess { .. } => Reason::Vanished,
            Self::Unreadable(error) => error.reason(),
            Self::Malformed { .. } => Reason::Malformed,
        }
    }

    /// What would help.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::NoProcRoot { .. } => "mount -t proc proc DIR makes one; on a node it is /proc",
            Self::NoProcess { hides: Some(_), .. } => {
                "run as root, or as a member of the gid= group of that mount"
            }
            Self::NoProcess { pid, .. } if *pid > PID_MAX => {
                return vec![format!("Linux gives no pid above {}", PID_MAX)];
            }
            Self::NoProcess { .. } => "it ended, or the pid is of another pid namespace",
            Self::Unreadable(error) if error.reason() == Reason::Denied => {
                "needs root or CAP_SYS_PTRACE; in a debug pod: kubectl debug … --profile=sysadmin"
            }
            Self::Unreadable(error) if error.reason() == Reason::Timeout => {
                "--timeout raises the limit of the whole run"
            }
            Self::Unreadable(_) | Self::Malformed { .. } => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

/// One read that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read {}: {}", path.display(), self.cause())]
pub struct ReadError {
    path: PathBuf,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Errno(Errno),
    Gone,
    Late,
    Outside,
    Unproven,
}

impl ReadError {
    /// The kernel's refusal.
    pub(super) fn from_io(path: PathBuf, error: &io::Error) -> Self {
        let errno = error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error);
        Self { path, kind: Kind::Errno(errno) }
    }

    /// The kernel's refusal, as a gap says it.
    pub(super) fn reason_of(error: &io::Error) -> Reason {
        Self::from_io(PathBuf::new(), error).reason()
    }

    /// No answer in time.
    pub(super) fn late(path: PathBuf) -> Self {
        Self { path, kind: Kind::Late }
    }

    /// The process ended between opening and reading: what came back was empty.
    pub(super) fn gone(path: PathBuf) -> Self {
        Self { path, kind: Kind::Gone }
    }

    /// There is no such file.
    pub(super) fn missing(path: PathBuf) -> Self {
        Self { path, kind: Kind::Errno(Errno::NOENT) }
    }

    /// A name that leads to a file of the right number on another device than `maps` prints.
    pub(super) fn unproven(path: PathBuf) -> Self {
        Self { path, kind: Kind::Unproven }
    }

    /// A name that leads out of the target's root directory, and so means nothing in it.
    pub(super) fn outside(path: PathBuf) -> Self {
        Self { path, kind: Kind::Outside }
    }

    /// The file that was read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why, as a gap says it. `ENOENT` is [`Reason::NotFound`]: whether the file or the process is
    /// missing is for the caller to find out.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self.kind {
            Kind::Errno(Errno::SRCH) | Kind::Gone => Reason::Vanished,
            Kind::Errno(Errno::ACCESS | Errno::PERM) => Reason::Denied,
            Kind::Errno(Errno::NOENT | Errno::NOTDIR) => Reason::NotFound,
            Kind::Errno(Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL) => Reason::Unsupported,
            Kind::Outside | Kind::Unproven => Reason::Unsupported,
            Kind::Errno(_) => Reason::Malformed,
            Kind::Late => Reason::Timeout,
        }
    }

    /// Whether what was to be read is not there, or not any more.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.reason(), Reason::NotFound | Reason::Vanished)
    }

    /// The cause in words, without the system's error number.
    pub(super) fn cause(&self) -> String {
        match self.kind {
            Kind::Late => "no answer in time".to_owned(),
            Kind::Outside => "it is outside the process's root directory".to_owned(),
            Kind::Unproven => "maps prints another device for it".to_owned(),
            Kind::Gone => "it is empty: the process is ending".to_owned(),
            Kind::Errno(errno) => describe(&errno.into()),
        }
    }
}

/// The system's text for an error, in lower case and without its number.
#[must_use]
pub fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    words.to_lowercase()
}
