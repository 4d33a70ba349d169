//! The command line: arguments, dispatch, rendering and exit codes.
//!
//! May use: `contract`, `inspect`, `limits`, `process`. Crates: `anstyle`, `base64`, `clap`,
//! `clap_complete`, `clap_mangen`, `comfy_table`, `indicatif`, `jiff`, `rustix`, `schemars`, `serde`,
//! `serde_json`, `tempfile`, `unicode_width`.
//!
//! The only room that reads the environment, writes to the standard streams or chooses an exit
//! code. A command has three types: its arguments are what was typed and only hold it, its settings
//! are what that means with the environment and the defaults applied, and its function takes the
//! settings and returns a value that `output` renders.

mod arguments;
mod document;
mod environment;
mod error;
mod exit;
mod files;
mod generate;
mod inspect_pid;
mod libs;
mod look;
mod observed;
mod output;
mod place;
mod streams;

use std::ffi::OsString;

pub use environment::Environment;
pub use exit::ExitStatus;
pub use generate::{GeneratedFile, generated_files};
pub use streams::{Streams, Terminal};

use arguments::{Cli, Command, Parsed};
use error::Failure;
use output::Printer;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitStatus {
    std::panic::set_hook(Box::new(streams::tell_of_a_bug));
    run(std::env::args_os(), &Environment::of_this_process(), Streams::standard())
}

/// Runs a command line in a world that is handed in.
#[must_use]
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    mut streams: Streams,
) -> ExitStatus {
    let cli = match Cli::read(arguments) {
        Ok(Parsed::Command(cli)) => cli,
        Ok(Parsed::Text(text)) => {
            return streams.print(text.as_bytes()).unwrap_or_else(|failure| failure.status());
        }
        Err(failure) => return streams.tell(&failure, environment, 0),
    };
    let verbosity = cli.global.verbose;
    let done = Printer::resolve(&cli.global, environment, &streams)
        .and_then(|printer| dispatch(cli.command, environment, printer, &mut streams));
    done.unwrap_or_else(|failure| streams.tell(&failure, environment, verbosity))
}

fn dispatch(
    command: Command,
    environment: &Environment,
    printer: Printer,
    streams: &mut Streams,
) -> Result<ExitStatus, Failure> {
    match command {
        Command::Inspect(inspect) => match inspect.what {
            arguments::InspectWhat::Pid(arguments) => {
                let settings = inspect_pid::InspectPidSettings::resolve(&arguments, environment)?;
                inspect_pid::run(&settings, printer, streams)
            }
        },
        Command::Libs(arguments) => {
            let settings = libs::LibsSettings::resolve(&arguments, environment)?;
            libs::run(&settings, printer, streams)
        }
        Command::Generate(arguments) => generate::run(&arguments),
    }
}
