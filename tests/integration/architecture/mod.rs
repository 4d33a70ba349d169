//! The code keeps to the architecture: who uses whom, what is pure, who prints.
//!
//! [`rules`] holds the tree to the headers of its rooms and to `docs/ARCHITECTURE.md`. The tests
//! below the first plant one violation each in a small healthy tree, so that a rule which has gone
//! blind is noticed. Two things are beyond a look at names: a method of a value that came from
//! elsewhere (`path.exists()`), and a path that a macro of another crate puts together.

mod rules;
mod sources;

use std::io;

use rules::violations;
use sources::Sources;

#[test]
fn the_code_keeps_to_its_headers() -> io::Result<()> {
    assert_eq!(violations(&Sources::of_this_repository()?), NONE);
    Ok(())
}

const NONE: [&str; 0] = [];

const MANIFEST: &str = r#"[package]
name = "small"

[dependencies]
# Names on the wire.
serde = { version = "1", features = ["derive"] }
unicode-width = "0.2"

[dev-dependencies]
proptest = "1"
"#;

const DOCUMENT: &str = "\
| Room | What lives here | May use |
|---|---|---|
| `contract/` | nouns | – |
| `process/` | one process | contract |
| `inspect.rs` | an observation | contract, process |
| `cmd/` | the command line | inspect |

| Path | Meaning |
|---|---|
| `/proc` | not a room |
";

/// A tree with a room of one file, a pure room, a pure sub-room and the command line.
const FILES: [(&str, &str); 9] = [
    (
        "src/lib.rs",
        "//! Small.\n\npub mod cmd;\npub mod contract;\npub mod inspect;\npub mod process;\n",
    ),
    (
        "src/bin/small.rs",
        "//! The binary.\n\nfn main() -> std::process::ExitCode { small::cmd::main() }\n",
    ),
    (
        "src/contract/mod.rs",
        "//! Nouns.\n//!\n//! May use: nothing. Crates: `serde`.\n\nmod gap;\n\npub use gap::Gap;\n",
    ),
    (
        "src/contract/gap.rs",
        "//! A gap.\n\nuse core::net::IpAddr;\n\n#[derive(serde::Serialize)]\npub struct Gap(IpAddr);\n",
    ),
    (
        "src/process/mod.rs",
        "//! Reads.\n//!\n//! May use: `contract`. Crates: none.\n\nmod dir;\npub mod parse;\n",
    ),
    (
        "src/process/dir.rs",
        "//! Opens.\n\nuse super::parse::number;\nuse crate::contract::Gap;\nuse std::fs;\n\n\
         pub(super) fn read() -> Option<Gap> { fs::exists(\"x\"); number() }\n",
    ),
    (
        "src/process/parse/mod.rs",
        "//! Parses.\n//!\n//! May use: nothing. Crates: none.\n\n\
         pub(super) fn number<T>() -> Option<T> { None }\n",
    ),
    (
        "src/inspect.rs",
        "//! Looks.\n//!\n//! May use: `contract`,\n//! `process`. Crates:\n//! none.\n//!\n//! More.\n\n\
         pub fn look(gap: crate::contract::Gap) { crate::process::parse::number(gap); }\n",
    ),
    (
        "src/cmd/mod.rs",
        "//! Commands.\n//!\n//! May use: `inspect`. Crates: `unicode_width`.\n\n\
         use crate::inspect;\nuse unicode_width as width;\n\n\
         pub fn main() {\n    let typed = std::env::args_os();\n    inspect::look(typed);\n    \
         println!(\"{}\", width::of(typed));\n}\n",
    ),
];

fn healthy() -> Sources {
    Sources {
        files: FILES.map(|(path, text)| (path.to_owned(), text.to_owned())).into(),
        manifest: MANIFEST.to_owned(),
        architecture: Some(DOCUMENT.to_owned()),
    }
}

/// What is reported when a file has this behind its text; a new file begins with it.
fn with(path: &str, code: &str) -> Vec<String> {
    let mut tree = healthy();
    tree.files.entry(path.to_owned()).or_default().push_str(code);
    violations(&tree)
}

/// What is reported when a part of a file is another.
fn changed(path: &str, from: &str, to: &str) -> Vec<String> {
    let mut tree = healthy();
    let text = tree.files.remove(path).unwrap_or_default();
    assert!(text.contains(from), "{path} has no {from:?} to change");
    tree.files.insert(path.to_owned(), text.replacen(from, to, 1));
    violations(&tree)
}

/// What is reported when the document is another.
fn documented(from: &str, to: &str) -> Vec<String> {
    assert!(DOCUMENT.contains(from), "the document has no {from:?} to change");
    let architecture = Some(DOCUMENT.replacen(from, to, 1));
    violations(&Sources { architecture, ..healthy() })
}

/// Pitfall 57: a refusal is a gap, and nothing is tried again with other credentials. Nor is a target
/// entered, traced or written to.
#[test]
fn no_source_names_a_call_that_changes_credentials_or_touches_a_target() {
    const CALLS: [&str; 8] = [
        "setuid",
        "setgid",
        "setresuid",
        "capset",
        "set_capabilities",
        "ptrace(",
        "setns(",
        "process_vm",
    ];
    let sources = Sources::of_this_repository().unwrap();
    let named = |text: &str| CALLS.into_iter().find(|call| text.contains(call));
    let found: Vec<_> =
        sources.files.iter().filter_map(|(path, text)| Some((path, named(text)?))).collect();
    assert_eq!(found, []);
}

#[test]
fn a_healthy_tree_has_no_violation() {
    assert_eq!(violations(&healthy()), NONE);
}

#[test]
fn a_room_may_not_use_what_its_header_does_not_list() {
    let line = "src/cmd/mod.rs: `cmd` uses room `process`, which src/cmd/mod.rs does not list";
    for code in [
        "use crate::process::Dir;",
        "use crate::{inspect::{self as looks, Look}, process::{Dir, File}};",
        "use crate::process as reads;",
        "use crate::process::*;",
        "use super::process::parse;",
        "use crate::{self as root};\nfn f() { root::process::f() }",
        "use crate::*;\nfn f() { process::f() }",
        "fn f() { crate::process::parse::number(); }",
        "fn f(dir: &crate::process::Dir<'_>) {}",
        "fn f() { let super::process::Kind::File(_) = g() else { return }; }",
        "fn f() { g::<Vec<crate::process::Dir>>(); }",
        "impl crate::process::Read for Answer {}",
        "mod inner { use super::super::process::Dir; }",
        "mod inner { mod more { fn f() { super::super::super::process::f() } } }",
        "fn f() { println!(\"{}\", g(&crate::process::NAME)); }",
        "macro_rules! m { ($x:expr) => { $crate::process::f($x) } }",
        "macro_rules! m { () => { use crate::{process::Dir, inspect}; } }",
        "fn f() { crate::process::report!(); }",
        "#[derive(crate::process::Kind)]\nstruct Answer;",
        "#[cfg(not(test))]\nuse crate::process::Dir;",
        "#[cfg(any(test, feature = \"fuzz\"))]\nuse crate::process::Dir;",
    ] {
        assert_eq!(with("src/cmd/mod.rs", code), [line], "{code}");
    }
}

#[test]
fn what_the_root_of_the_crate_re_exports_is_still_the_rooms() {
    let mut tree = healthy();
    tree.files.entry("src/lib.rs".to_owned()).or_default().push_str("pub use process::Dir;\n");
    tree.files.entry("src/cmd/mod.rs".to_owned()).or_default().push_str("use crate::Dir;\n");
    assert_eq!(
        violations(&tree),
        ["src/cmd/mod.rs: `cmd` uses room `process`, which src/cmd/mod.rs does not list"]
    );
}

#[test]
fn tests_and_look_alikes_are_not_reported() {
    for code in [
        "#[cfg(test)]\nmod tests { use crate::process::Dir; use proptest::prelude::*; }",
        "#[cfg(all(test, unix))]\nmod tests { use crate::process::Dir; }",
        "#[cfg(test)]\nuse crate::process::Dir;",
        "#[cfg(test)]\nfn f() { crate::process::f() }",
        "impl Answer { #[cfg(test)] fn f() { crate::process::f() } }",
        "mod process { fn f() {} }\nfn g() { process::f(); self::process::f() }",
        "/// See [`crate::process`].\nfn f(process: u8) { g(\"crate::process\", process) }",
        "mod inner { pub(in crate::cmd) struct Answer; use super::inspect; }",
    ] {
        assert_eq!(with("src/cmd/mod.rs", code), NONE, "{code}");
    }
    let mut tree = healthy();
    let module = "#[cfg(test)]\nmod fixtures;\n";
    tree.files.entry("src/cmd/mod.rs".to_owned()).or_default().push_str(module);
    let fixtures = "use crate::process::Dir;\n".to_owned();
    tree.files.insert("src/cmd/fixtures.rs".to_owned(), fixtures);
    assert_eq!(violations(&tree), NONE);
}

#[test]
fn rooms_may_not_use_each_other_in_a_circle() {
    assert_eq!(
        with("src/contract/gap.rs", "use crate::{contract::Gap as G, inspect::Look};"),
        [
            "src/contract/gap.rs: `contract` uses room `inspect`, which src/contract/mod.rs does \
             not list",
            "src: rooms in a circle: contract -> inspect -> contract",
        ]
    );
    assert_eq!(
        with("src/process/parse/mod.rs", "fn f() { super::super::process::dir::read(); }"),
        [
            "src/process/parse/mod.rs: `process/parse` uses room `process`, which \
             src/process/parse/mod.rs does not list",
            "src: rooms in a circle: process -> process/parse -> process",
        ]
    );
    let mut tree = healthy();
    let header = "//! Reads.\n//!\n//! May use: `contract`, `cmd`. Crates: none.\n\n\
                  mod dir;\nmod parse;\nuse crate::cmd;\n";
    tree.files.insert("src/process/mod.rs".to_owned(), header.to_owned());
    let row = "one process | contract";
    tree.architecture = Some(DOCUMENT.replacen(row, "one process | cmd, contract", 1));
    assert_eq!(
        violations(&tree),
        ["src: rooms in a circle: cmd -> inspect -> process -> cmd"],
        "listed everywhere, and a circle all the same"
    );
}

#[test]
fn a_pure_room_may_not_name_the_world() {
    for (code, what) in [
        ("use std::fs;", "std::fs"),
        ("use std::{fmt, io::{self, Read}};", "std::io"),
        ("use ::std::os::fd::OwnedFd;", "std::os"),
        ("use std as s;\nfn f() { s::thread::yield_now() }", "std::thread"),
        ("use std::time;\nfn f() { time::Instant::now(); }", "std::time::Instant"),
        ("use std::time::{Duration, SystemTime as Now};", "std::time::SystemTime"),
        ("use std::*;\nfn f() { net::TcpStream::connect(1); }", "std::net"),
        ("fn f() { let _ = format!(\"{:?}\", std::env::current_dir()); }", "std::env"),
        ("fn f(child: &std::process::Child) {}", "std::process"),
    ] {
        for (path, room) in
            [("src/contract/gap.rs", "contract"), ("src/process/parse/mod.rs", "process/parse")]
        {
            let line = format!(
                "{path}: `{room}` is pure and names `{what}`: no file system, network, process, \
                 environment, thread or clock"
            );
            assert_eq!(with(path, code), [line], "{code}");
        }
    }
    assert_eq!(with("src/contract/gap.rs", "use std::time::Duration;"), NONE);
    assert_eq!(with("src/contract/gap.rs", "#[cfg(test)]\nmod tests { use std::fs; }"), NONE);
}

#[test]
fn a_room_may_not_use_a_crate_that_its_header_does_not_list() {
    for code in [
        "use unicode_width::UnicodeWidthStr;",
        "use {serde::Serialize, unicode_width as width};",
        "fn f() { unicode_width::width(\"\"); }",
        "fn f() { assert!(::unicode_width::width(\"\") == 0); }",
        "#[derive(Debug, unicode_width::Wide)]\nstruct Answer;",
        "extern crate unicode_width;",
    ] {
        assert_eq!(
            with("src/contract/gap.rs", code),
            ["src/contract/gap.rs: `contract` uses crate `unicode_width`, which \
              src/contract/mod.rs does not list"],
            "{code}"
        );
    }
}

#[test]
fn a_header_may_not_list_what_its_room_does_not_use() {
    assert_eq!(
        changed("src/contract/mod.rs", "`serde`", "`serde`,\n//! `unicode-width`"),
        ["src/contract/mod.rs: lists crate `unicode_width`, which `contract` does not use"]
    );
    assert_eq!(
        changed("src/inspect.rs", "crate::process::parse::number(gap);", ""),
        ["src/inspect.rs: lists room `process`, which `inspect` does not use"]
    );
    assert_eq!(
        changed("src/process/parse/mod.rs", "May use: nothing", "May use: `contract`"),
        ["src/process/parse/mod.rs: lists room `contract`, which `process/parse` does not use"]
    );
}

#[test]
fn a_file_may_not_lack_its_header() {
    assert_eq!(
        changed("src/contract/gap.rs", "//! A gap.\n", "\n"),
        ["src/contract/gap.rs: does not open with a `//!` header"]
    );
    assert_eq!(
        changed("src/contract/mod.rs", "May use:", "Uses:"),
        ["src/contract/mod.rs: the header of `contract` has no `May use: …. Crates: ….`"]
    );
    assert_eq!(
        changed("src/process/parse/mod.rs", "Crates: none.", ""),
        ["src/process/parse/mod.rs: the header of `process/parse` has no `May use: …. Crates: ….`"]
    );
}

#[test]
fn only_cmd_may_print_exit_or_read_the_environment() {
    for (code, what) in [
        ("fn f() { println!(); }", "std::println"),
        ("fn f() { g(|| std::eprintln!(\"x\")); }", "std::eprintln"),
        ("fn f() { vec![dbg!(1)]; }", "std::dbg"),
        ("fn f() { std::process::exit(1) }", "std::process::exit"),
        ("use std::process::*;\nfn f() { exit(1) }", "std::process::exit"),
        ("use std::env as e;\nfn f() { g(e::var_os(\"HOME\")) }", "std::env::var_os"),
        ("use std::env::{self, var as of};", "std::env::var"),
        ("use std::io;\nmod inner { fn f() { super::io::stdout(); } }", "std::io::stdout"),
        ("use std::io;\nmod inner { use super::*;\nfn f() { io::stderr(); } }", "std::io::stderr"),
        ("fn f() { write!(std::io::stdout(), \"x\"); }", "std::io::stdout"),
    ] {
        for path in ["src/process/dir.rs", "src/bin/small.rs"] {
            let line = format!("{path}: names `{what}`, which only `cmd` may");
            assert_eq!(with(path, code), [line], "{code}");
        }
        assert_eq!(with("src/cmd/mod.rs", code), NONE, "{code}");
    }
    let harmless = "use std::env;\nfn f() { env::temp_dir(); std::io::stdin(); print(); }";
    assert_eq!(with("src/process/dir.rs", harmless), NONE);
}

// Pitfall 17.
#[test]
fn the_file_that_stalls_its_process_may_not_be_named() {
    let line = "src/process/dir.rs:8: `smaps` is never named: reading it stalls its process";
    for code in [
        "// Not smaps_rollup either.",
        "const F: &str = \"smaps\";",
        "#[cfg(test)] const SLOW: &str = \"smaps\";",
    ] {
        assert_eq!(with("src/process/dir.rs", code), [line], "{code}");
    }
}

#[test]
fn a_room_may_be_neither_empty_nor_undeclared() {
    let header = "//! Later.\n//!\n//! May use: nothing. Crates: none.\n";
    let mut tree = healthy();
    let row = "|---|---|---|\n| `image/` | later | – |";
    tree.architecture = Some(DOCUMENT.replacen("|---|---|---|", row, 1));
    tree.files.insert("src/image/mod.rs".to_owned(), format!("{header}\nfn f() {{}}\n"));
    assert_eq!(violations(&tree), ["src/lib.rs: does not declare `image`, which is under src/"]);

    tree.files.entry("src/lib.rs".to_owned()).or_default().push_str("pub mod image;\n");
    assert_eq!(violations(&tree), NONE);

    for code in ["", "mod more;\npub use more::*;\n", "#[cfg(test)]\nmod tests { fn f() {} }\n"] {
        tree.files.insert("src/image/mod.rs".to_owned(), format!("{header}\n{code}"));
        assert_eq!(violations(&tree), ["src/lib.rs: declares `image`, which has no code"]);
    }
}

#[test]
fn the_document_may_not_disagree_with_the_headers() {
    assert_eq!(
        violations(&Sources { architecture: None, ..healthy() }),
        ["docs/ARCHITECTURE.md: is missing"]
    );
    assert_eq!(
        documented("| Room |", "| Where |"),
        ["docs/ARCHITECTURE.md: has no table `| Room | … | May use |`"]
    );
    assert_eq!(
        documented("| `process/` | one process | contract |\n", ""),
        ["docs/ARCHITECTURE.md: has no row for `process`"]
    );
    assert_eq!(
        documented("| `cmd/`", "| `drift/` | later | contract |\n| `cmd/`"),
        ["docs/ARCHITECTURE.md: row `drift` names a room without code"]
    );
    assert_eq!(
        documented("| nouns | – |", "| nouns | process |"),
        ["docs/ARCHITECTURE.md: row `contract` says process, its header says –"]
    );
    assert_eq!(
        documented("| `cmd/`", "| `process/parse/` | bytes | contract |\n| `cmd/`"),
        ["docs/ARCHITECTURE.md: row `process/parse` says contract, its header says –"]
    );
}

#[test]
fn a_file_may_not_be_longer_than_600_lines_without_its_tests() {
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    // A test.\n".repeat(700));
    let before = FILES.iter().find(|(path, _)| *path == "src/process/dir.rs").map(|(_, text)| text);
    let room = 600 - before.map_or(0, |text| text.lines().count());
    let (full, more) = ("// Code.\n".repeat(room), "// Code.\n".repeat(room + 1));

    assert_eq!(with("src/process/dir.rs", &format!("{full}{tests}")), NONE);
    let line = "src/process/dir.rs: 601 lines without its tests, at most 600 are allowed";
    assert_eq!(with("src/process/dir.rs", &format!("{more}{tests}")), [line]);
    assert_eq!(with("src/process/dir.rs", &format!("{tests}{more}")), [line]);
}

#[test]
fn a_file_that_does_not_parse_is_reported() {
    assert_eq!(
        with("src/process/dir.rs", "fn 1() {}"),
        [
            "src/process/dir.rs: does not parse: expected identifier",
            "src/process/mod.rs: lists room `contract`, which `process` does not use",
        ]
    );
}
