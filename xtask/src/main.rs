//! `cargo xtask COMMAND`: what is done to the project, by people and by CI, in the same words.
//!
//! | command | does |
//! |---|---|
//! | `test` | everything that must hold before a change lands, with each step's time |
//! | `generate` | writes what is made from the code: man pages, completions, schemas |
//! | `bench` | measures commands beside the tool that one would use instead |
//! | `fuzz [SECONDS]` | runs every fuzz target for so long (600), with the nightly toolchain |

mod bench;
mod fuzz;
mod needs;
mod steps;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => steps::test(),
        ["generate"] => generate(),
        ["bench"] => bench::run(),
        ["fuzz"] => fuzz::run("600"),
        ["fuzz", seconds] => fuzz::run(seconds),
        _ => Err("usage: cargo xtask test | generate | bench | fuzz [SECONDS]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&format!("error: {why}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes what is checked in but made from the code.
fn generate() -> Result<(), String> {
    for (kind, directory) in
        [("man", "man"), ("completions", "completions"), ("schemas", "docs/schemas")]
    {
        let mut command = cargo(&["run", "--quiet", "--bin", "zastava", "--", "generate", kind]);
        done("generate", command.arg(root().join(directory)))?;
    }
    Ok(())
}

/// The directory of the project.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The cargo that runs this, in the project's directory.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command to a good end.
fn done(what: &str, command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{what} failed: {status}")),
        Err(error) => Err(format!("{what} could not be started: {error}")),
    }
}

/// Prints a line.
#[expect(clippy::print_stdout, reason = "the task runner talks to whoever runs it")]
fn say(line: &str) {
    println!("{line}");
}
