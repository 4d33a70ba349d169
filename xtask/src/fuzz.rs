//! `cargo xtask fuzz`: every target for a while. Needs the nightly toolchain and cargo-fuzz.

use std::fs;

use crate::{done, root, say};

/// Runs each target for so many seconds; a crash ends the run and leaves its input in
/// `fuzz/artifacts/`.
pub(crate) fn run(seconds: &str) -> Result<(), String> {
    for target in targets()? {
        say(&format!("== {target}"));
        let time = format!("-max_total_time={seconds}");
        // The nightly cargo is asked for by name: this one is the project's.
        let mut command = std::process::Command::new("cargo");
        command
            .current_dir(root())
            .env_remove("RUSTUP_TOOLCHAIN")
            .args(["+nightly", "fuzz", "run", &target, "--"]);
        let limits = ["-max_len=8192", "-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1"];
        done(&target, command.arg(time).args(limits))?;
    }
    Ok(())
}

/// The names of the files in `fuzz/fuzz_targets/`.
fn targets() -> Result<Vec<String>, String> {
    let directory = root().join("fuzz/fuzz_targets");
    let entries =
        fs::read_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}
