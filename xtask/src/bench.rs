//! `cargo xtask bench`: how long the commands take beside the tool that one would use instead.
//!
//! Whole processes, taken in turn (A B A B …) in one run, so that what else the machine does falls
//! on both; the medians and their ratio are what counts, and no test asserts them.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{cargo, done, root, say};

/// Runs of each command that count; one before them warms the caches.
const RUNS: usize = 21;

/// A process with so many files mapped, killed when it is dropped.
struct Target(Child);

impl Target {
    fn start(files: usize) -> Result<Self, String> {
        let program = format!(
            "import mmap, os, tempfile, time\nd = tempfile.mkdtemp()\nkept = []\n\
             for n in range({files}):\n\
             \x20   p = os.path.join(d, f'lib{{n}}.so'); f = open(p, 'w+b'); f.write(b'x' * 300000); f.flush()\n\
             \x20   kept.append(mmap.mmap(f.fileno(), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ)); f.close(); \n\
             print('ready', flush=True)\ntry:\n    input()\nexcept EOFError:\n    pass\nfinally:\n    import shutil; shutil.rmtree(d)"
        );
        let mut command = Command::new("python3");
        command.args(["-c", &program]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("python3: {error}"))?;
        let mut line = String::new();
        let ready = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        match ready {
            Some(Ok(1..)) => Ok(Self(child)),
            _ => Err("the process to be measured did not start".to_owned()),
        }
    }
}

impl Drop for Target {
    /// Closing its input lets it take its files away.
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _asked = self.0.wait();
    }
}

/// Builds what ships and measures it.
pub(crate) fn run() -> Result<(), String> {
    done(
        "cargo build",
        &mut cargo(&["build", "--quiet", "--profile", "dist", "--bin", "zastava"]),
    )?;
    let zastava = root().join("target/dist/zastava");
    say("one process, its files mapped      ours      other     ratio");
    for files in [64, 256] {
        let target = Target::start(files)?;
        let pid = target.0.id().to_string();
        let ours = || command(&zastava, &["inspect", "pid", &pid, "-o", "json"]);
        compare(&format!("inspect pid, {files}, with lsof -p"), ours, || {
            command(&"lsof".into(), &["-p", &pid])
        })?;
    }
    Ok(())
}

fn command(program: &PathBuf, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn compare(
    what: &str,
    ours: impl Fn() -> Command,
    other: impl Fn() -> Command,
) -> Result<(), String> {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for run in 0..=RUNS {
        let (first, second) = (time(ours())?, time(other())?);
        if run > 0 {
            a.push(first);
            b.push(second);
        }
    }
    let (a, b) = (median(a), median(b));
    let ratio = a.as_secs_f64() / b.as_secs_f64();
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    say(&format!("{what:34} {:>9} {:>9} {ratio:9.2}", ms(a), ms(b)));
    Ok(())
}

fn time(mut command: Command) -> Result<Duration, String> {
    let begun = Instant::now();
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    match status.success() {
        true => Ok(begun.elapsed()),
        false => Err(format!("{command:?}: {status}")),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
