//! Every exit code that zastava returns.

use std::process::ExitCode;

/// How a command ended. Where several hold, the order is 2, 1, 3, 0: what is known to be bad is
/// certain, and a gap cannot undo it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: done; also when the reader of the output went away.
    Done,
    /// 1: a command that judges found something. Commands that only look never return it.
    Findings,
    /// 2: the command line, the environment or the configuration is wrong; found before anything
    /// was started.
    Usage,
    /// 3: what was asked could not be determined, or the answer could not be written.
    Undetermined,
}

impl ExitStatus {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Undetermined => 3,
        }
    }

    /// The word in a document's `outcome`. A usage error has no document.
    #[must_use]
    pub fn outcome(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Findings => "findings",
            Self::Usage | Self::Undetermined => "undetermined",
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}
