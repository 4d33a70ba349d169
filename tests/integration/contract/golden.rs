//! The golden files: bytes and ids that were fixed without the product.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use proptest::prelude::*;
use zastava::contract::{DecisionEnvelope, Encoded, EventEnvelope, Minor, promises};

use super::{decisions, events, fixture, read};

/// A golden payload, and what it should be: its file and its line in `ids.txt`.
fn expected(name: &str) -> (String, String) {
    let ids = read("ids.txt");
    let line = ids.lines().find_map(|line| line.split_once(' ').filter(|(of, _)| *of == name));
    let (_, id) = line.unwrap_or_else(|| panic!("{name} is not in ids.txt"));
    (read(&format!("{name}.json")), id.to_owned())
}

fn told(encoded: Encoded) -> (String, String) {
    (String::from_utf8(encoded.bytes).unwrap(), encoded.id.to_string())
}

fn minor_of(name: &str) -> Minor {
    match name.ends_with("-1.0") {
        true => Minor::V1_0,
        false => Minor::V1_1,
    }
}

#[test]
fn every_golden_event_has_the_bytes_and_the_id_that_were_fixed_without_us() {
    for (name, minor, event) in events::all() {
        assert_eq!(told(event.encode(minor).unwrap()), expected(name), "{name}");
    }
}

#[test]
fn every_golden_decision_has_the_bytes_and_the_id_that_were_fixed_without_us() {
    for (name, decision) in decisions::all() {
        assert_eq!(told(decision.encode().unwrap()), expected(name), "{name}");
    }
}

#[test]
fn every_golden_file_is_one_that_is_built_here_too() {
    let events = events::all().into_iter().map(|(name, _, _)| name);
    let built: Vec<_> = events.chain(decisions::all().into_iter().map(|(name, _)| name)).collect();
    let ids = read("ids.txt");
    let listed: Vec<_> = ids.lines().filter_map(|line| Some(line.split_once(' ')?.0)).collect();
    assert_eq!(listed, built);
}

#[test]
fn every_golden_event_is_read_and_written_again_to_the_same_bytes() {
    for (name, _, built) in events::all() {
        let (text, id) = expected(name);
        let read = EventEnvelope::decode(text.as_bytes()).unwrap().event;
        assert_eq!(read.event_id.map(|id| id.to_string()), Some(id.clone()), "{name}");
        let mut built = built.at(minor_of(name));
        built.event_id = read.event_id;
        assert_eq!(read, built, "{name}");
        assert_eq!(told(read.encode(minor_of(name)).unwrap()), (text, id), "{name}");
    }
}

#[test]
fn every_golden_decision_is_read_and_written_again_to_the_same_bytes() {
    for (name, built) in decisions::all() {
        let (text, id) = expected(name);
        let read = DecisionEnvelope::decode(text.as_bytes()).unwrap().decision;
        assert_eq!(read, built, "{name}");
        assert_eq!(told(read.encode().unwrap()), (text, id), "{name}");
    }
}

#[test]
fn the_golden_files_are_what_is_written_by_python_alone() {
    let ran = python("golden.py", &["--check"], b"");
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    assert!(ran.status.success());
}

#[test]
fn a_golden_file_that_was_changed_added_or_lost_is_told_by_python() {
    let copy = tempfile::tempdir().unwrap();
    let script = copy.path().join("golden.py");
    fs::copy(fixture("golden.py"), &script).unwrap();
    let script = script.to_str().unwrap();
    assert!(python(script, &[], b"").status.success());
    let checked = || {
        let ran = python(script, &["--check"], b"");
        (ran.status.code(), String::from_utf8(ran.stderr).unwrap())
    };
    assert_eq!(checked(), (Some(0), String::new()));
    fs::write(copy.path().join("ids.txt"), "").unwrap();
    fs::write(copy.path().join("event-x-1.0.json"), "{}").unwrap();
    fs::remove_file(copy.path().join("event-least-1.0.json")).unwrap();
    let names = ["event-least-1.0.json", "event-x-1.0.json", "ids.txt"];
    let told = names.map(|name| format!("{name} is not what golden.py writes\n"));
    assert_eq!(checked(), (Some(1), told.concat()));
}

#[test]
fn every_golden_event_id_is_found_again_by_python_in_the_bytes() {
    for (name, _, _) in events::all() {
        let (text, id) = expected(name);
        let ran = python("event_id.py", &[], text.as_bytes());
        assert_eq!(String::from_utf8_lossy(&ran.stderr), "", "{name}");
        assert_eq!(String::from_utf8_lossy(&ran.stdout), format!("{id}\n"), "{name}");
    }
}

#[test]
fn an_event_that_differs_in_one_character_has_another_id_by_python_too() {
    let (text, id) = expected("event-least-1.0");
    let other = text.replace("ATTESTATION_STATUS", "CONTAINER_START");
    let ran = python("event_id.py", &[], other.as_bytes());
    let found = String::from_utf8(ran.stdout).unwrap();
    let ours = EventEnvelope::decode(other.as_bytes()).unwrap().event.encode(Minor::V1_0).unwrap();
    assert_eq!(found, format!("{}\n", ours.id));
    assert_ne!(found, format!("{id}\n"));
}

/// The id that the event in an envelope has by the specification.
pub(crate) fn event_id_by_python(envelope: &[u8]) -> String {
    let ran = python("event_id.py", &[], envelope);
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    String::from_utf8(ran.stdout).unwrap().trim_end().to_owned()
}

/// Runs a script, of the fixtures if its path is relative, with bytes on its standard input.
fn python(script: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new("python3");
    command.arg(fixture(script)).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("install the Debian package python3: {error}"));
    // Dropped at the end of the statement, so that the script sees the end of its input.
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

/// A change of a few bytes: where, how many are taken, and what is put there.
type Change = (prop::sample::Index, usize, Vec<u8>);

fn changed(text: &str, changes: Vec<Change>) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (place, taken, put) in changes {
        let start = place.index(bytes.len() + 1);
        let end = (start + taken).min(bytes.len());
        bytes.splice(start..end, put);
    }
    bytes
}

fn change() -> impl Strategy<Value = Change> {
    // What JSON and its numbers are made of comes more often than what is anything.
    let letter = prop_oneof![
        3 => prop::sample::select(br#"{}[]",:\u0129.-eEnultrfs "#.to_vec()),
        1 => any::<u8>(),
    ];
    (any::<prop::sample::Index>(), 0..4_usize, prop::collection::vec(letter, 0..4))
}

proptest! {
    #[test]
    fn no_change_of_golden_bytes_breaks_a_promise(
        (name, _, _) in prop::sample::select(events::all()),
        changes in prop::collection::vec(change(), 0..4),
    ) {
        promises::event(&changed(&expected(name).0, changes));
    }
}
