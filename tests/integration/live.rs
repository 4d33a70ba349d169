//! Processes that a test starts, and ends whatever happens.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// A process that is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Live {
    child: Child,
    /// The first line that it printed, by which it says that it is ready.
    pub(crate) said: String,
    /// Kept open: a process that says more must not die of it.
    _stdout: BufReader<ChildStdout>,
}

impl Live {
    /// Starts a command and waits for its first line.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut said).unwrap();
        assert!(!said.is_empty(), "{command:?} ended before it was ready");
        Self { child, said: said.trim_end().to_owned(), _stdout: stdout }
    }

    /// Runs a Python program that prints a line when it is ready; it then waits to be killed.
    pub(crate) fn python(program: &str) -> Self {
        Self::start(&mut Self::python_command(program))
    }

    /// The command for it, to be changed before it is started.
    pub(crate) fn python_command(program: &str) -> Command {
        let mut command = Command::new("python3");
        command.args([
            "-c",
            &format!("import sys, time\n{program}\nprint('ready', flush=True)\ntime.sleep(600)"),
        ]);
        command
    }

    /// Runs a shell program in the same way.
    pub(crate) fn shell(program: &str) -> Self {
        let line = format!("{program}; echo ready; exec sleep 600");
        let live = Self::start(Command::new("sh").args(["-c", &line]));
        wait_for("the shell to become sleep", || comm(live.pid()) == b"sleep\n");
        live
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it and asks how, so that nothing is left of it.
    pub(crate) fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it and does not ask: a zombie.
    pub(crate) fn leave_as_zombie(&mut self) {
        self.child.kill().unwrap();
        let stat = format!("/proc/{}/stat", self.pid());
        wait_for("a zombie", || fs::read_to_string(&stat).unwrap().contains(") Z "));
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _asked = self.child.wait();
    }
}

/// Waits until something holds, and fails when it does not come.
pub(crate) fn wait_for(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..6000 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("waited in vain for {what}");
}

/// The name of a process and a newline; empty where it is gone.
pub(crate) fn comm(pid: u32) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/comm")).unwrap_or_default()
}

/// The user and group `nobody` of Debian.
pub(crate) const NOBODY: u32 = 65_534;

/// A folder that everybody may read, with a copy of the binary.
#[derive(Debug)]
pub(crate) struct Public {
    pub(crate) dir: TempDir,
    pub(crate) zastava: PathBuf,
}

impl Public {
    pub(crate) fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let zastava = dir.path().join("zastava");
        fs::copy(crate::command::ZASTAVA, &zastava).unwrap();
        Self { dir, zastava }
    }

    /// Makes a command run as `nobody`.
    pub(crate) fn as_nobody(command: &mut Command) -> &mut Command {
        command.uid(NOBODY).gid(NOBODY)
    }
}
