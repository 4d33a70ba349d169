//! What scripts and people may rely on: codes, streams, formats, files, errors.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use serde_json::Value;

use crate::command::{Ran, run, zastava};
use crate::proc_tree::ProcTree;

fn tree() -> ProcTree {
    let tree = ProcTree::new();
    tree.process(7);
    tree
}

fn inspect(tree: &ProcTree, more: &[&str]) -> Ran {
    run(zastava(["inspect", "pid", "7", "--proc"]).arg(tree.path()).args(more))
}

/// The answer with what differs between two runs replaced.
fn steady(text: &str, tree: &ProcTree) -> String {
    let text = text.replace(tree.path().to_str().unwrap(), "<tree>");
    let age = text.find("running ").zip(text.find(" (since"));
    match age {
        Some((from, to)) => format!("{}running <age>{}", &text[..from], &text[to..]),
        None => text,
    }
}

#[test]
fn the_table_of_an_ordinary_process() {
    let tree = tree();
    let ran = inspect(&tree, &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        steady(&ran.stdout, &tree),
        "\
app  pid 7, uid 1000, running <age> (since 2025-11-24 00:00:01Z)
  on the host, in no container

EXECUTABLE  <tree>/rootfs/app   11 B
  build-id  -
  sha256    50fda23bf0a5115d4f893dc10d122c10a4705f47688f5620e80611c092d4053e
  argv      /app --serve
ANCESTRY    1 init > 7 app
NAMESPACES  the host's: cgroup ipc mnt net pid time user uts
SECURITY    no capabilities, no seccomp, no new privileges: no
LISTENING   -
LIBRARIES   1 mapped file, 11 B, 1 with code, 1 hashed; list: zastava libs pid:7
"
    );
}

#[test]
fn what_is_denied_stands_under_gaps_and_its_cell_is_a_question_mark() {
    let tree = tree();
    tree.process(7).without("exe").file("maps", b"");
    let ran = inspect(&tree, &[]);
    assert_eq!(ran.code, Some(0));
    let tail: Vec<_> = ran.stdout.lines().skip(3).filter(|line| line.contains('?')).collect();
    let text = steady(&tail.join("\n"), &tree);
    assert_eq!(
        text,
        "\
EXECUTABLE  ?
LIBRARIES   ?
? process.exe  not-found  <tree>/7/exe
? loadedLibs   vanished   <tree>/7/maps"
    );
}

#[test]
fn a_usage_error_is_code_2_one_line_and_nothing_on_stdout() {
    let cases: [(&[&str], &str); 13] = [
        (&["inspect", "pid", "0"], "error: invalid pid `0`: expected 1 to 2147483647, or self"),
        (&["inspect", "pid", "-5"], "error: invalid pid `-5`: expected 1 to 2147483647, or self"),
        (&["inspect", "pid", "abc"], "error: invalid pid `abc`: expected 1 to 2147483647, or self"),
        (
            &["inspect", "pid", "18446744073709551616"],
            "error: invalid pid `18446744073709551616`: expected 1 to 2147483647, or self",
        ),
        (
            &["inspect", "pid", "1", "--proc", "/nonexistent"],
            "error: failed to use /nonexistent as proc root: no such file or directory",
        ),
        (
            &["inspect", "pid", "1", "--proc", "/etc"],
            "error: failed to use /etc as proc root: not a procfs",
        ),
        (
            &["inspect", "pid", "1", "-o", "json", "-o", "wide"],
            "error: -o json and -o wide both write to standard output",
        ),
        (
            &["inspect", "pid", "1", "-o", "yaml"],
            "error: invalid format `yaml`: expected table, wide, json, ndjson, event or none",
        ),
        (
            &["inspect", "pid", "1", "--color", "red"],
            "error: invalid --color `red`: expected auto, always or never",
        ),
        (
            &["inspect", "pid", "1", "--timeout", "5"],
            "error: invalid --timeout `5`: expected a time such as 500ms, 5s or 2m",
        ),
        (
            &["inspect", "pid", "1", "--bogus"],
            "error: failed to read the command line: unexpected argument `--bogus` found",
        ),
        (&["inspekt"], "error: failed to read the command line: unrecognized subcommand `inspekt`"),
        (&["inspect", "pid"], "error: failed to read the command line: <PID|self> is missing"),
    ];
    for (arguments, message) in cases {
        let ran = run(&mut zastava(arguments));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        let mut lines = ran.stderr.lines();
        assert_eq!(lines.next(), Some(message), "{arguments:?}");
        assert!(lines.all(|line| line.starts_with("hint: ")), "{}", ran.stderr);
    }
}

#[test]
fn a_bad_path_from_the_environment_names_its_variable() {
    let ran = run(zastava(["inspect", "pid", "1"]).env("ZASTAVA_PROC", "/etc"));
    let expected = "error: failed to use /etc as proc root: not a procfs\n\
        hint: the path is from ZASTAVA_PROC\n\
        hint: mount -t proc proc DIR makes one; on a node it is /proc\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), expected));
}

#[test]
fn a_pid_that_is_not_there_is_code_3() {
    for pid in ["99999999", "4194304"] {
        let tree = tree();
        let ran = run(zastava(["inspect", "pid", pid, "--proc"]).arg(tree.path()));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
        let first = ran.stderr.lines().next().unwrap();
        assert_eq!(first, format!("error: no process {pid} under {}", tree.path().display()));
    }
}

#[test]
fn a_run_that_is_over_before_anything_was_read_is_code_3() {
    let tree = tree();
    tree.process(7).fifo("stat");
    let ran = inspect(&tree, &["--timeout", "300ms"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
    let expected = format!(
        "error: failed to read {}/7/stat: no answer in time\n\
         hint: --timeout raises the limit of the whole run\n",
        tree.path().display()
    );
    assert_eq!(ran.stderr, expected);
}

#[test]
fn an_error_names_hostile_objects_without_obeying_them() {
    let ran = run(&mut zastava(["inspect", "pid", "1\u{1b}[2J\n"]));
    assert_eq!(
        ran.stderr,
        "error: invalid pid `1\\x1b[2J\\n`: expected 1 to 2147483647, or self\n"
    );
}

#[test]
fn json_is_one_document_that_says_what_it_is() {
    let tree = tree();
    let ran = inspect(&tree, &["-o", "json", "--node", "n1"]);
    assert_eq!(ran.stdout.lines().count(), 1);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["schemaVersion"], "zastava.cli.inspect.pid@v1.0");
    assert_eq!(document["outcome"], "done");
    assert_eq!(
        document["target"],
        serde_json::json!({"given": "7", "kind": "process", "id": "pid:7"})
    );
    assert_eq!(
        document["host"],
        serde_json::json!({
            "node": "n1", "kernel": "6.18.0-test", "arch": "x86_64",
            "bootId": "0d52994e-5eab-4f0e-9a3d-0123456789ab"
        })
    );
    assert_eq!(document["result"]["process"]["startedAt"], "2025-11-24T00:00:01Z");
    assert!(!ran.stdout.contains("null") && !ran.stdout.contains("\"\""));
}

#[test]
fn every_document_is_of_the_checked_in_schema() {
    let schema = include_str!("../../docs/schemas/zastava.cli.inspect.pid@v1.0.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let tree = tree();
    tree.process(8).without("exe").file("maps", b"").file("cmdline", b"\xff\0");
    for pid in ["7", "8"] {
        let ran = run(zastava(["inspect", "pid", pid, "-o", "json", "--proc"]).arg(tree.path()));
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        let errors: Vec<_> =
            validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0]);
        // The twin: a document with a word for a number is not of the schema.
        let mut wrong = document.clone();
        wrong["result"]["process"]["pid"] = "7".into();
        assert!(!validator.is_valid(&wrong));
    }
    // And of the machine's own processes, whatever they are.
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        entry.unwrap().file_name().into_string().ok().filter(|name| name.parse::<u32>().is_ok())
    });
    let mut documents = 0;
    for pid in pids.take(64) {
        let ran = run(&mut zastava(["inspect", "pid", &pid, "-o", "json"]));
        if ran.code == Some(0) {
            let document: Value = serde_json::from_str(&ran.stdout).unwrap();
            let errors: Vec<_> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
            assert_eq!(errors, [""; 0], "{document:#}");
            documents += 1;
        }
    }
    assert!(documents > 0);
}

#[test]
fn ndjson_is_a_row_a_line_and_ends_with_the_summary() {
    let tree = tree();
    tree.process(7).without("exe");
    let ran = inspect(&tree, &["-o", "ndjson"]);
    assert!(ran.stdout.lines().all(|line| line.starts_with(r#"{"type":""#)), "{}", ran.stdout);
    let lines: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["lib", "gap", "summary"]);
    assert_eq!(
        (&lines[0]["target"], &lines[0]["path"]),
        (&"pid:7".into(), &tree.name("/app").into())
    );
    assert_eq!(
        (&lines[1]["field"], &lines[1]["reason"]),
        (&"process.exe".into(), &"not-found".into())
    );
    assert_eq!(lines[2]["outcome"], "done");
    assert_eq!((lines[2].get("gaps"), lines[2]["result"].get("loadedLibs")), (None, None));
}

#[test]
fn a_file_is_written_beside_the_table_and_replaced_at_once() {
    let (tree, dir) = (tree(), tempfile::tempdir().unwrap());
    let (json, rows) = (dir.path().join("a.json"), dir.path().join("b"));
    fs::write(&json, "old").unwrap();
    let into = |format: &str, path: &std::path::Path| format!("{format}={}", path.display());
    let ran = inspect(&tree, &["-o", &into("json", &json), "-o", &into("ndjson", &rows)]);
    assert!(ran.stdout.starts_with("app  pid 7"), "{ran:?}");
    let document: Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    assert_eq!(document["target"]["id"], "pid:7");
    assert!(fs::read_to_string(&rows).unwrap().lines().last().unwrap().starts_with(r#"{"#));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
    let silent = inspect(&tree, &["-o", "none", "-o", &into("json", &json)]);
    assert_eq!((silent.code, silent.stdout.as_str()), (Some(0), ""));
    // A descriptor's name is written through, even where it leads to a regular file.
    let log = dir.path().join("log");
    fs::write(&log, "kept\n").unwrap();
    let open = fs::OpenOptions::new().append(true).open(&log).unwrap();
    let mut command =
        zastava(["inspect", "pid", "7", "-o", "none", "-o", "json=/dev/stderr", "--proc"]);
    assert!(command.arg(tree.path()).stderr(open).status().unwrap().success());
    assert!(fs::read_to_string(&log).unwrap().starts_with("kept\n{\"schemaVersion\""));
    let through = inspect(&tree, &["-o", "none", "-o", "json=/dev/stderr"]);
    assert!(through.stderr.starts_with("{\"schemaVersion\""), "{through:?}");
}

#[test]
fn a_file_that_cannot_be_written_is_code_3_with_its_path() {
    let tree = tree();
    let ran = inspect(&tree, &["-o", "json=/nonexistent/x"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
    assert_eq!(ran.stderr, "error: failed to write to /nonexistent/x: no such file or directory\n");
    let full = inspect(&tree, &["-o", "json=/dev/full"]);
    assert_eq!(full.code, Some(3));
    assert_eq!(full.stderr, "error: failed to write to /dev/full: no space left on device\n");
}

#[test]
fn on_an_error_no_file_is_touched() {
    let (tree, dir) = (tree(), tempfile::tempdir().unwrap());
    let kept = dir.path().join("kept");
    fs::write(&kept, "old").unwrap();
    let ran =
        run(zastava(["inspect", "pid", "9", "-o", &format!("json={}", kept.display()), "--proc"])
            .arg(tree.path()));
    assert_eq!((ran.code, fs::read_to_string(&kept).unwrap().as_str()), (Some(3), "old"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let tree = tree();
    let lines: Vec<u8> = (0..20_000)
        .flat_map(|n| format!("1000-2000 r-xp 0 00:01 {n}    socket:[{n}]\n").into_bytes())
        .collect();
    tree.process(7).file("maps", &lines);
    let mut command = zastava(["inspect", "pid", "7", "-o", "ndjson", "--proc"]);
    let mut child =
        command.arg(tree.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn arguments_are_counted_and_not_shown_when_redacted() {
    let tree = tree();
    tree.process(7).file("cmdline", b"/app\0--password\0hunter2\0");
    let shown = inspect(&tree, &["-o", "json"]);
    assert!(shown.stdout.contains("hunter2"));
    // A title that holds them all, and a loader's program, are arguments, too.
    tree.process(8).file("cmdline", b"postgres: alice hunter2 10.0.0.1");
    let loader = tree.rootfs_file("ld-linux.so.2", b"a loader");
    let process = tree.process(9).file("cmdline", b"ld.so\0/bin/hunter2\0");
    process.link("exe", loader.to_str().unwrap());
    for pid in ["8", "9"] {
        let look = |more: &[&str]| {
            run(zastava(["inspect", "pid", pid, "--proc"]).arg(tree.path()).args(more)).stdout
        };
        for format in ["table", "json"] {
            assert!(look(&["-o", format]).contains("hunter2"));
            let redacted = look(&["-o", format, "--redact"]);
            assert!(!redacted.contains("hunter2") && !redacted.contains("alice"), "{redacted}");
        }
    }
    for format in ["table", "wide", "json", "ndjson"] {
        let ran = inspect(&tree, &["-o", format, "--redact", "--explain"]);
        assert!(
            !ran.stdout.contains("hunter2") && !ran.stdout.contains("--password"),
            "{}",
            ran.stdout
        );
        let by_variable = run(zastava(["inspect", "pid", "7", "-o", format, "--proc"])
            .arg(tree.path())
            .env("ZASTAVA_REDACT", "1"));
        assert!(!by_variable.stdout.contains("hunter2"));
    }
    let table = inspect(&tree, &["--redact"]);
    assert!(table.stdout.contains("  argv      /app +2 redacted\n"), "{}", table.stdout);
}

#[test]
fn colour_is_asked_for_or_on_a_terminal_and_no_color_wins() {
    let tree = tree();
    tree.process(7).without("exe");
    let colour = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = zastava(["inspect", "pid", "7", "--proc"]);
        command.arg(tree.path()).args(more).envs(variables.iter().copied());
        run(&mut command).stdout.contains('\u{1b}')
    };
    assert!(!colour(&[], &[]));
    assert!(colour(&[], &["--color", "always"]));
    assert!(colour(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(!colour(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[]));
    assert!(!colour(&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], &[]));
    assert!(colour(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")], &[]));
}

#[test]
fn explain_shows_what_was_read() {
    let tree = tree();
    let ran = inspect(&tree, &["--explain"]);
    let evidence = ran.stdout.split("EVIDENCE").nth(1).unwrap();
    for file in ["stat", "status", "cgroup", "mountinfo", "maps", "cmdline", "net/tcp6"] {
        assert!(
            evidence.contains(&format!("{}/7/{file} ", tree.path().display())),
            "{file} in {evidence}"
        );
    }
}

#[test]
fn help_and_version_are_answers() {
    for (arguments, begins) in [
        (&["--help"][..], "zastava tells what really runs"),
        (&["--version"], "zastava "),
        (&["help"], "zastava tells what really runs"),
        (&["help", "inspect", "pid"], "One process"),
        (&["inspect", "pid", "--help"], "One process"),
    ] {
        let ran = run(&mut zastava(arguments));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert!(ran.stdout.contains(begins), "{}", ran.stdout);
        assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    }
}

/// A terminal of 60 to 100 columns, made by script(1).
mod on_a_terminal {
    use super::*;

    fn at(columns: usize, tree: &ProcTree, more: &str) -> String {
        let line = format!(
            "stty cols {columns}; LC_ALL=C.UTF-8 '{}' inspect pid 7 --proc '{}' {more}",
            crate::command::ZASTAVA,
            tree.path().display()
        );
        let ran = run(std::process::Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .stdin(Stdio::null()));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stdout.replace('\r', "")
    }

    #[test]
    fn every_line_of_a_table_fits() {
        let tree = ProcTree::new();
        let id = "0d7b506bbcea05f3a1c0de5b0c0ffee00112233445566778899aabbccddeeff0";
        let pod = "76d2231f-cecc-4824-b77f-bcc556996bfd";
        let own = ["mnt", "pid", "ipc", "uts"];
        let process = tree.process(7).own_namespaces(&own);
        let long = format!("/app\0{}\0", "x".repeat(300));
        let deep = format!("1-2 r-xp 0 fe:00 5    /very/{}/lib.so (deleted)\n", "deep/".repeat(40));
        let unix = format!(
            "head\n0000000000000000: 00000002 00000000 00010000 0001 01 9 /run/{}\n",
            "s".repeat(90)
        );
        process
            .file("cmdline", long.as_bytes())
            .file("maps", deep.as_bytes())
            .file("net/unix", unix.as_bytes())
            .file("cgroup", format!("0::/kubepods/burstable/pod{pod}/{id}\n").as_bytes())
            .link("fd/3", "socket:[9]");
        for columns in [60, 80, 100] {
            for more in ["--color never", "--color never --explain"] {
                let text = at(columns, &tree, more);
                let wide: Vec<_> =
                    text.lines().filter(|line| line.chars().count() > columns).collect();
                assert_eq!(wide, [""; 0], "{columns}");
                assert!(text.contains("ctr:0d7b506bbcea ") && text.contains("lib.so"), "{text}");
            }
        }
    }

    #[test]
    fn a_person_gets_json_in_lines_and_a_next_command() {
        let tree = tree();
        let text = at(80, &tree, "-o json");
        assert!(text.starts_with("{\n  \"schemaVersion\""), "{text}");
        assert!(at(80, &tree, "").ends_with("next: zastava inspect pid 7 -o wide\n"));
        assert!(!at(80, &tree, "--quiet").contains("next:"));
    }
}
