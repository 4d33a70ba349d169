//! The standard streams, handed in.

use std::io::{self, IsTerminal, Write};

use super::environment::Environment;
use super::error::Failure;
use super::exit::ExitStatus;
use super::output::escape;

/// What is known of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// How many columns it has.
    pub columns: usize,
}

/// Where answers and everything else go.
pub struct Streams {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    /// The terminal behind standard output, if it is one.
    pub out_terminal: Option<Terminal>,
    /// The terminal behind standard error, if it is one.
    pub err_terminal: Option<Terminal>,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { out_terminal, err_terminal, .. } = self;
        f.debug_struct("Streams").field("out", out_terminal).field("err", err_terminal).finish()
    }
}

impl Streams {
    /// Those of this process.
    #[must_use]
    pub fn standard() -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let terminal = |is_one: bool, size: rustix::io::Result<rustix::termios::Winsize>| {
            let columns = size.map_or(0, |size| usize::from(size.ws_col));
            is_one.then_some(Terminal { columns: if columns == 0 { 80 } else { columns } })
        };
        Self {
            out_terminal: terminal(out.is_terminal(), rustix::termios::tcgetwinsize(&out)),
            err_terminal: terminal(err.is_terminal(), rustix::termios::tcgetwinsize(&err)),
            out: Box::new(out),
            err: Box::new(err),
        }
    }

    /// Writes an answer to standard output.
    pub(super) fn print(&mut self, answer: &[u8]) -> Result<ExitStatus, Failure> {
        let written = self.out.write_all(answer).and_then(|()| self.out.flush());
        written
            .map(|()| ExitStatus::Done)
            .map_err(|error| Failure::output("standard output", error))
    }

    /// Writes one line beside the answer, such as `note: …`. If nobody listens there any more, there
    /// is nobody to tell that to either.
    pub(super) fn say(&mut self, kind: &str, text: &str) {
        let _unheard = writeln!(self.err, "{kind}: {text}");
    }

    /// Tells of a failure: one line, at most two hints, and with `-v` the causes.
    pub(super) fn tell(
        &mut self,
        failure: &Failure,
        environment: &Environment,
        verbosity: u8,
    ) -> ExitStatus {
        if failure.is_silent() {
            return failure.status();
        }
        let safe = |text: &str| escape::text(text.as_bytes(), environment.charset());
        self.say("error", &safe(&failure.to_string()));
        let causes = failure.causes().into_iter().filter(|_| verbosity > 0);
        causes.for_each(|cause| self.say("cause", &safe(&cause)));
        failure.hints().for_each(|hint| self.say("hint", &safe(hint)));
        failure.status()
    }
}

/// What a panic says: it is a bug, and what to send along. The process then ends with code 101.
pub(super) fn tell_of_a_bug(panic: &std::panic::PanicHookInfo<'_>) {
    let mut err = io::stderr();
    let version = env!("CARGO_PKG_VERSION");
    let _unheard = writeln!(err, "error: this is a bug in zastava {version}: {panic}");
    let _unheard =
        writeln!(err, "hint: please report it to the project, with these lines and the command");
}
