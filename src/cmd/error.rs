//! What ends a command, in words: the act, the object, the cause and the way out.

use std::error::Error as StdError;
use std::path::Path;
use std::{fmt, io};

use super::exit::ExitStatus;
use crate::contract::canonical::NotCanonical;
use crate::process;

/// An error with its exit code and advice.
#[derive(Debug)]
pub(super) struct Failure {
    status: ExitStatus,
    message: String,
    hints: Vec<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Failure {
    /// The command line, the environment or a file is wrong.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { status: ExitStatus::Usage, message: message.into(), hints: Vec::new(), source: None }
    }

    /// What was asked could not be found out.
    pub(super) fn undetermined(message: impl Into<String>) -> Self {
        Self { status: ExitStatus::Undetermined, ..Self::usage(message) }
    }

    /// The answer could not be written. A reader that went away is no error.
    pub(super) fn output(to: &str, error: io::Error) -> Self {
        let status = match error.kind() {
            io::ErrorKind::BrokenPipe => ExitStatus::Done,
            _ => ExitStatus::Undetermined,
        };
        let message = format!("failed to write to {to}: {}", process::describe(&error));
        Self { status, message, hints: Vec::new(), source: Some(error.into()) }
    }

    /// The same for a file.
    pub(super) fn file(path: &Path, error: io::Error) -> Self {
        let mut failure = Self::output(&path.display().to_string(), error);
        failure.status = ExitStatus::Undetermined;
        failure
    }

    /// The same failure with advice.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same failure with advice before what it has.
    pub(super) fn first_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.insert(0, hint.into());
        self
    }

    /// The code that it ends with.
    pub(super) fn status(&self) -> ExitStatus {
        self.status
    }

    /// Whether there is nothing to tell: the reader went away and does not care.
    pub(super) fn is_silent(&self) -> bool {
        self.status == ExitStatus::Done
    }

    /// At most two, so that the error stays in sight.
    pub(super) fn hints(&self) -> impl Iterator<Item = &str> {
        self.hints.iter().take(2).map(String::as_str)
    }

    /// The causes below the message, for `-v`.
    pub(super) fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next: Option<&dyn StdError> = self.source.as_deref().map(|e| e as &dyn StdError);
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<NotCanonical> for Failure {
    fn from(error: NotCanonical) -> Self {
        Self::undetermined(error.to_string())
    }
}

impl From<process::Error> for Failure {
    fn from(error: process::Error) -> Self {
        let status = match error {
            process::Error::NoProcRoot { .. } => ExitStatus::Usage,
            process::Error::NoProcess { .. }
            | process::Error::Unreadable(_)
            | process::Error::Malformed { .. } => ExitStatus::Undetermined,
        };
        Self {
            status,
            message: error.to_string(),
            hints: error.hints(),
            source: Some(error.into()),
        }
    }
}
