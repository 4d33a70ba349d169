//! `cargo xtask bench`: how long the commands take beside the tool that one would use instead.
//!
//! Whole processes, taken in turn (A B A B …) in one run, so that what else the machine does falls
//! on both; the medians and their ratio are what counts, and no test asserts them. What happens within
//! one process is measured by `benches/sample.rs`.

mod target;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{cargo, done, root, say};
use target::Target;

/// Runs of each command that count; one before them warms the caches.
const RUNS: usize = 21;

/// Builds what ships and measures it.
pub(crate) fn run() -> Result<(), String> {
    let build = ["build", "--quiet", "--profile", "dist", "--bin", "zastava"];
    done("cargo build", &mut cargo(&build))?;
    let zastava = root().join("target/dist/zastava");
    for files in [64, 256] {
        let target = Target::start(files)?;
        say(&format!("== {target}"));
        say("                                            ours      other     ratio    aim");
        against_openssl(&zastava, &target)?;
        against_lsof(&zastava, &target)?;
        memory(&zastava, &target)?;
        samples(&target)?;
    }
    Ok(())
}

/// Digests of all mapped files, nothing known of them, everything in the page cache.
fn against_openssl(zastava: &Path, target: &Target) -> Result<(), String> {
    let pid = target.pid();
    let ours = || command(zastava, &["libs", &pid, "-o", "json"]);
    let openssl =
        format!("xargs -0 -P {} -n {} openssl dgst -sha256 -r <", cores(), target.share(cores()));
    let line = format!("{openssl} {}", target.list().display());
    let other = || command(Path::new("sh"), &["-c", &line]);
    compare("libs, with openssl dgst -sha256", "1.2", ours, other)
}

fn against_lsof(zastava: &Path, target: &Target) -> Result<(), String> {
    let pid = target.pid();
    let lsof = || command(Path::new("lsof"), &["-p", &pid]);
    let ours = || command(zastava, &["libs", &pid, "--digest", "none", "-o", "json"]);
    compare("libs --digest none, with lsof -p", "0.2", ours, lsof)?;
    let ours = || command(zastava, &["inspect", "pid", &pid, "--digest", "none", "-o", "json"]);
    compare("inspect pid --digest none, with lsof -p", "", ours, lsof)
}

/// The most memory that it had, as the kernel counted it.
fn memory(zastava: &Path, target: &Target) -> Result<(), String> {
    const PROGRAM: &str = "import resource, subprocess, sys\n\
        subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n\
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let mut python = Command::new("python3");
    python.args(["-c", PROGRAM]).arg(zastava).args(["libs", &target.pid()]);
    let printed = output(&mut python)?;
    let kib: f64 = printed.trim().parse().map_err(|_| format!("python3 printed {printed}"))?;
    say(&format!("{:40} {:>5.1} MiB {:>32}", "libs, peak memory", kib / 1024.0, "25 MiB"));
    Ok(())
}

/// Samples within one process, with the agent's budget.
fn samples(target: &Target) -> Result<(), String> {
    let bench = ["bench", "--quiet", "--profile", "dist", "--bench", "sample", "--"];
    let printed = output(cargo(&bench).arg(target.pid()))?;
    let figure = |name: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        line.ok_or_else(|| format!("the bench did not print {name}: {printed}"))
    };
    let ms = |us: u64| format!("{:.1} ms", us as f64 / 1000.0);
    let (first, second) = if target.files() <= 64 { (30, 2) } else { (200, 6) };
    let skipped = format!("first sample, agent's budget, {} skipped", figure("skipped")?);
    say(&format!("{skipped:40} {:>9} {:>29} ms", ms(figure("first")?), first));
    say(&format!("{:40} {:>9} {:>29} ms", "second sample", ms(figure("second")?), second));
    Ok(())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn command(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn output(command: &mut Command) -> Result<String, String> {
    let ran = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let ran = ran.map_err(|error| format!("{command:?}: {error}"))?;
    match ran.status.success() {
        true => Ok(String::from_utf8_lossy(&ran.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", ran.status)),
    }
}

fn compare(
    what: &str,
    aim: &str,
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
    say(&format!("{what:40} {:>9} {:>9} {ratio:9.2} {aim:>8}", ms(a), ms(b)));
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
