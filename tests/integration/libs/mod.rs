//! `zastava libs`: which files are mapped, what identifies them, and who has one of them.
//!
//! `table`, `documents`, `budget` and `find` look at trees, `live_processes` at what a test starts.
//! Digests are sha256sum's.

mod budget;
mod documents;
mod find;
mod live_processes;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::Validator;
use serde_json::Value;

use crate::command::{Ran, run, zastava};
use crate::proc_tree::{ProcTree, map_line};

/// `zastava libs` over a tree.
fn libs(tree: &ProcTree, arguments: &[&str]) -> Ran {
    run(zastava(["libs"]).args(arguments).arg("--proc").arg(tree.path()))
}

/// The document that it answers with, whatever its exit code.
fn libs_json(tree: &ProcTree, arguments: &[&str]) -> Value {
    let ran = libs(tree, &[arguments, &["-o", "json"]].concat());
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

/// The path of an ELF file of another machine.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/elf").join(name)
}

/// What sha256sum says of a file.
fn sha256sum(path: &Path) -> String {
    let ran = Command::new("sha256sum").arg("--").arg(path).output().unwrap();
    let text = String::from_utf8(ran.stdout).unwrap();
    // Of a file that is gone it says nothing.
    text.trim_start_matches('\\').get(..64).unwrap_or("gone").to_owned()
}

/// Writes a file into the root of a tree's processes and tells the line that maps its code.
fn code(tree: &ProcTree, name: &str, content: &[u8]) -> Vec<u8> {
    let path = tree.rootfs_file(name, content);
    map_line(&path, &tree.name(&format!("/{name}")))
}

/// The same for a file that is mapped to be read.
fn data(tree: &ProcTree, name: &str, content: &[u8]) -> Vec<u8> {
    String::from_utf8(code(tree, name, content)).unwrap().replace("r-xp", "r--p").into_bytes()
}

/// A line of `maps` for a file whose name is gone.
fn gone(tree: &ProcTree, name: &str) -> Vec<u8> {
    format!("1000-2000 r-xp 00000000 fe:00 77    {} (deleted)\n", tree.name(name)).into_bytes()
}

/// The line of the program that every process of a tree runs.
fn app(tree: &ProcTree) -> Vec<u8> {
    map_line(&tree.rootfs().join("app"), &tree.name("/app"))
}

/// A schema that is checked in.
fn schema(name: &str) -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    let schema = fs::read(path.join(format!("{name}.json"))).unwrap();
    jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap()
}

/// What a schema has against a document.
fn errors(schema: &Validator, document: &Value) -> Vec<String> {
    schema.iter_errors(document).map(|error| error.to_string()).collect()
}

/// The value of a member of each file, by path.
fn of_each(document: &Value, member: &str) -> Vec<Option<String>> {
    let files = document["result"]["loadedLibs"].as_array().unwrap();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    files.iter().map(|file| file.get(member).map(text)).collect()
}

#[test]
fn a_wrong_command_is_code_2_one_line_and_nothing_on_stdout() {
    let missing = "failed to read the command line: <TARGET|--all|--find <KIND:VALUE>> is missing";
    let both = |one: &str, other: &str| {
        format!(
            "failed to read the command line: the argument `{one}` cannot be used with `{other}`"
        )
    };
    let digits = |kind: &str| format!("expected at least 8 hexadecimal digits behind {kind}:");
    let cases: [(&[&str], &str); 19] = [
        (&[], missing),
        (&["1", "--all"], &both("[TARGET]", "--all")),
        (&["1", "--find", "soname:x"], &both("[TARGET]", "--find <KIND:VALUE>")),
        (&["--all", "--find", "soname:x"], &both("--all", "--find <KIND:VALUE>")),
        (
            &["--find", "x"],
            "invalid --find `x`: expected sha256:HEX, build-id:HEX, soname:NAME or path:GLOB",
        ),
        (
            &["--find", "sha256:1234567"],
            &format!("invalid --find `sha256:1234567`: {}", digits("sha256")),
        ),
        (
            &["--find", "build-id:1234567"],
            &format!("invalid --find `build-id:1234567`: {}", digits("build-id")),
        ),
        (&["--find", "soname:"], "invalid --find `soname:`: nothing stands behind soname:"),
        (&["--all", "-o", "event"], "invalid -o event: an event is of one target"),
        (&["--find", "soname:x", "-o", "event=/x"], "invalid -o event: an event is of one target"),
        (&["1", "--digest", "md5"], "invalid --digest `md5`: expected sha256, blake3 or none"),
        (
            &["1", "--max-bytes", "1.5MB"],
            "invalid --max-bytes `1.5MB`: expected a size such as 64MB or 64_000_000",
        ),
        (&["1", "--max-libs", "few"], "invalid --max-libs `few`: expected a number"),
        (&["1", "--contract", "v2.0"], "invalid --contract `v2.0`: expected v1.0 or v1.1"),
        (&["abc"], "invalid target `abc`: expected a pid, pid:NUMBER or self"),
        (&["ctr:7b506b"], "invalid target `ctr:7b506b`: expected a pid, pid:NUMBER or self"),
        (
            &["1", "--digest", "blake3", "-o", "event"],
            "invalid --digest `blake3`: an event has SHA-256 digests",
        ),
        (
            &["--find", "soname:x", "--digest", "none"],
            &both("--find <KIND:VALUE>", "--digest <ALGORITHM>"),
        ),
        (&["-5"], "invalid pid `-5`: expected 1 to 2147483647, or self"),
    ];
    for (arguments, message) in cases {
        let ran = run(zastava(["libs"]).args(arguments));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        let mut lines = ran.stderr.lines();
        assert_eq!(lines.next(), Some(format!("error: {message}").as_str()), "{arguments:?}");
        assert!(lines.all(|line| line.starts_with("hint: ")), "{}", ran.stderr);
    }
}

/// The twins of what is refused above.
#[test]
fn the_same_commands_written_well_are_answered() {
    let tree = ProcTree::new();
    tree.process(7);
    let cases: [&[&str]; 8] = [
        &["7"],
        &["--all"],
        &["--find", "path:app"],
        &["--find", "sha256:50fda23b"],
        &["7", "-o", "event", "--contract", "v1.0"],
        &["7", "--digest", "blake3"],
        &["7", "--max-bytes", "15MB"],
        &["7", "--max-libs", "1_000"],
    ];
    for arguments in cases {
        let ran = libs(&tree, arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(!ran.stdout.is_empty());
    }
}

#[test]
fn a_process_that_is_not_there_is_code_3_and_no_file_is_touched() {
    let (tree, dir) = (ProcTree::new(), tempfile::tempdir().unwrap());
    let kept = dir.path().join("kept");
    fs::write(&kept, "old").unwrap();
    let ran = libs(&tree, &["9", "-o", &format!("json={}", kept.display())]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
    let first = ran.stderr.lines().next().unwrap();
    assert_eq!(first, format!("error: no process 9 under {}", tree.path().display()));
    assert_eq!(fs::read_to_string(&kept).unwrap(), "old");
}

/// What needs root.
mod as_root {
    use super::*;
    use crate::command::binary;
    use crate::live::{Live, Public};

    #[test]
    fn an_ordinary_user_who_asks_for_roots_process_is_told_what_it_needs() {
        let (public, roots) = (Public::new(), Live::shell("true"));
        let pid = roots.pid().to_string();
        for format in ["table", "json", "ndjson", "event"] {
            let mut command = binary(&public.zastava, ["libs", &pid, "-o", format]);
            let ran = run(Public::as_nobody(&mut command));
            let expected = format!(
                "error: failed to read the mapped files of process {pid}: denied\n\
                 hint: needs root or CAP_SYS_PTRACE\n"
            );
            let told = (ran.code, ran.stdout.as_str(), ran.stderr.as_str());
            assert_eq!(told, (Some(3), "", expected.as_str()), "{format}");
            // The twin.
            let ran = run(&mut zastava(["libs", &pid, "-o", format]));
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{format}");
        }
    }
}
