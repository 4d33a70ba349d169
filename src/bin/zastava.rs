//! The binary: hands the world to [`zastava::cmd`] and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    zastava::cmd::main().into()
}
