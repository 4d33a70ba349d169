//! Runs the real binary.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The binary under test.
pub(crate) const ZASTAVA: &str = env!("CARGO_BIN_EXE_zastava");

/// The binary with arguments, in an environment of nothing but a UTF-8 locale.
pub(crate) fn zastava<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    binary(Path::new(ZASTAVA), arguments)
}

/// The same for a copy of the binary.
pub(crate) fn binary<S: AsRef<OsStr>>(
    path: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(path);
    command.args(arguments).env_clear().env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    Ran {
        code: status.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// Runs it and reads the one document that it prints.
pub(crate) fn document(command: &mut Command) -> serde_json::Value {
    let ran = run(command);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}
