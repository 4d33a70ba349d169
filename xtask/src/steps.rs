//! `cargo xtask test`: the steps, in order of what they cost, with the time of each.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::needs::{self, LeftOut};
use crate::{cargo, done, root, say};

type Step = (&'static str, fn(&LeftOut) -> Result<(), String>);

const STEPS: [Step; 7] = [
    ("format", |_| done("cargo fmt --check", &mut cargo(&["fmt", "--all", "--check"]))),
    ("lints", |_| lints()),
    ("unit and integration tests", tests),
    ("documentation tests", |_| {
        done("cargo test --doc", &mut cargo(&["test", "--quiet", "--doc"]))
    }),
    ("documentation", |_| documentation()),
    ("fuzz targets compile", |_| fuzz_targets()),
    ("dependencies", |_| dependencies()),
];

/// Runs every step to its end; the first that fails ends the run.
pub(crate) fn test() -> Result<(), String> {
    let begun = Instant::now();
    let left_out = needs::install()?;
    let mut times = vec![("what the tests need", begun.elapsed())];
    let done = STEPS.into_iter().try_for_each(|(name, step)| {
        say(&format!("== {name}"));
        let begun = Instant::now();
        let done = step(&left_out);
        times.push((name, begun.elapsed()));
        done
    });
    times.push(("total", begun.elapsed()));
    times.iter().for_each(|(name, took)| say(&row(name, *took)));
    done
}

fn row(name: &str, took: Duration) -> String {
    format!("{name:28} {:>4} s", took.as_secs())
}

fn lints() -> Result<(), String> {
    let lint = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"];
    done("cargo clippy", &mut cargo(&lint))
}

fn tests(left_out: &LeftOut) -> Result<(), String> {
    let mut command = cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--"]);
    done("cargo test", command.args(left_out.flags()))
}

fn documentation() -> Result<(), String> {
    let document = ["doc", "--quiet", "--no-deps", "--document-private-items"];
    done("cargo doc", cargo(&document).env("RUSTDOCFLAGS", "-D warnings"))
}

/// The fuzzer is a workspace of its own; its targets build with the stable toolchain, though they
/// only find their way with the nightly one.
fn fuzz_targets() -> Result<(), String> {
    let build = ["build", "--quiet", "--locked", "--manifest-path", "fuzz/Cargo.toml"];
    done("cargo build of the fuzz targets", &mut cargo(&build))
}

/// Licences, sources and bans. Advisories need a database from elsewhere and are asked for by hand.
fn dependencies() -> Result<(), String> {
    let tool = match cargo_deny() {
        Ok(tool) => tool,
        Err(why) if !needs::is_ci() => {
            say(&format!("SKIPPED dependencies: {why}"));
            return Ok(());
        }
        Err(why) => return Err(why),
    };
    let check = ["check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    let mut command = std::process::Command::new(tool);
    done("cargo deny", command.current_dir(root()).args(check))
}

/// The tool where it is installed, else built once into the target folder.
fn cargo_deny() -> Result<PathBuf, String> {
    const VERSION: &str = "0.20.2";
    if needs::is_there("cargo-deny") {
        return Ok("cargo-deny".into());
    }
    let place = root().join("target/tools");
    let tool = place.join("bin/cargo-deny");
    if !tool.exists() {
        let mut install = cargo(&[
            "install",
            "--quiet",
            "--locked",
            "cargo-deny",
            "--version",
            VERSION,
            "--root",
        ]);
        done("cargo install cargo-deny", install.arg(&place))?;
    }
    Ok(tool)
}
