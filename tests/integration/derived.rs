//! What is made from the code is checked in, and is what the code makes now.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use zastava::cmd::generated_files;

const PLACES: [(&str, &str); 3] =
    [("man", "man"), ("completions", "completions"), ("schemas", "docs/schemas")];

fn checked_in(directory: &str) -> BTreeMap<String, Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn man_pages_completions_and_schemas_are_what_the_code_makes() {
    for (kind, directory) in PLACES {
        let made: BTreeMap<_, _> = generated_files(kind)
            .unwrap()
            .into_iter()
            .map(|file| (file.name, file.content))
            .collect();
        let there = checked_in(directory);
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&there), names(&made), "cargo xtask generate writes {directory}/");
        for (name, content) in made {
            assert!(
                there[&name] == content,
                "{directory}/{name} is stale: cargo xtask generate writes it"
            );
        }
    }
}

#[test]
fn every_shell_takes_its_completion() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    for (shell, file) in [("bash", "zastava.bash"), ("zsh", "_zastava"), ("fish", "zastava.fish")] {
        let status = Command::new(shell).arg("-n").arg(directory.join(file)).status();
        let status =
            status.unwrap_or_else(|error| panic!("install the Debian package {shell}: {error}"));
        assert!(status.success(), "{file}");
    }
}

#[test]
fn every_man_page_is_taken_without_a_warning() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    for name in checked_in("man").keys() {
        let linted = Command::new("mandoc")
            .args(["-T", "lint", "-W", "error"])
            .arg(directory.join(name))
            .output();
        let linted =
            linted.unwrap_or_else(|error| panic!("install the Debian package mandoc: {error}"));
        assert!(linted.status.success(), "{name}: {}", String::from_utf8_lossy(&linted.stdout));
    }
}

#[test]
fn an_unknown_kind_makes_nothing() {
    assert!(generated_files("poem").is_none());
}
