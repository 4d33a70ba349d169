//! What the tests need of the machine, and what is left out where it is not there.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::{done, say};

/// A program that tests run, and the Debian package that has it.
struct Need {
    program: &'static str,
    package: &'static str,
    /// The tests that cannot run without it, by a part of their names.
    tests: &'static [&'static str],
}

const NEEDS: [Need; 11] = [
    Need {
        program: "busybox",
        package: "busybox-static",
        tests: &["a_static_program", "with_runc", "of_one_image"],
    },
    Need { program: "fish", package: "fish", tests: &["every_shell"] },
    Need { program: "go", package: "golang-go", tests: &["as_go_reads"] },
    Need { program: "mandoc", package: "mandoc", tests: &["every_man_page"] },
    Need {
        program: "python3",
        package: "python3",
        tests: &["live_processes", "differential", "by_python"],
    },
    Need { program: "readelf", package: "binutils", tests: &["as_readelf_reads"] },
    Need { program: "runc", package: "runc", tests: &["with_runc"] },
    Need { program: "script", package: "bsdutils", tests: &["on_a_terminal"] },
    Need { program: "setpriv", package: "util-linux", tests: &["as_root"] },
    Need { program: "ss", package: "iproute2", tests: &["differential"] },
    Need { program: "zsh", package: "zsh", tests: &["every_shell"] },
];

/// Tests of what is the host's and what is not, or is on its disk, which a container cannot tell.
const ON_THE_HOST: [&str; 7] = [
    "a_bind_mount_like_dockers",
    "are_read_once",
    "in_its_own_mount_and_pid_namespace",
    "is_not_read_again",
    "of_one_image",
    "through_a_mapping",
    "with_runc",
];

/// What was left out, by the names of tests.
#[derive(Debug, Default)]
pub(crate) struct LeftOut(Vec<&'static str>);

impl LeftOut {
    /// Flags for the test binary.
    pub(crate) fn flags(&self) -> Vec<&'static str> {
        self.0.iter().flat_map(|name| ["--skip", *name]).collect()
    }
}

/// Installs what is missing, as root on Debian; says what is left out where that cannot be done.
/// With `CI=true` nothing that Debian offers may be left out.
pub(crate) fn install() -> Result<LeftOut, String> {
    let mut missing = missing();
    if !missing.is_empty() && is_root() && Path::new("/etc/debian_version").exists() {
        let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
        say(&format!("installing {}", packages.join(" ")));
        let updated = done("apt-get update", &mut quiet_apt(&["update"]));
        let install = ["install", "--yes", "--no-install-recommends"];
        let installed =
            updated.and_then(|()| done("apt-get install", quiet_apt(&install).args(packages)));
        // What is still missing is told below.
        if let Err(why) = installed {
            say(&why);
        }
        missing = self::missing();
    }
    let mut left_out = LeftOut::default();
    for need in &missing {
        say(&format!(
            "SKIPPED {}: no {} (Debian package {})",
            need.tests.join(", "),
            need.program,
            need.package
        ));
        left_out.0.extend(need.tests);
    }
    if !is_root() {
        say("SKIPPED as_root: this user is not root");
        left_out.0.push("as_root");
    }
    let offered = !left_out.0.is_empty();
    if !is_on_the_host() {
        say(&format!("SKIPPED {}: this machine is a container", ON_THE_HOST.join(", ")));
        left_out.0.extend(ON_THE_HOST);
    }
    match !offered || !is_ci() {
        true => Ok(left_out),
        false => Err("CI=true, and something that Debian offers was left out".to_owned()),
    }
}

pub(crate) fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|ci| ci == "true")
}

fn missing() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !is_there(need.program)).collect()
}

/// Whether a program is on the path.
pub(crate) fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).exists())
}

/// Whether this is the machine's first pid namespace (`PROC_PID_INIT_INO`).
fn is_on_the_host() -> bool {
    let own = std::fs::read_link("/proc/self/ns/pid");
    own.is_ok_and(|own| own.as_os_str() == "pid:[4026531836]")
}

fn is_root() -> bool {
    let asked = Command::new("id").arg("-u").output();
    asked.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn quiet_apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet=2").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}
