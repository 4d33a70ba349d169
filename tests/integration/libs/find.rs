//! Who has a file mapped, over trees: the codes that scripts rely on.

use serde_json::json;

use super::*;

/// The build-id of `aarch64-library`, by readelf.
const ID: &str = "355beb8e5b666fdd15b30c65141543c6fd24c19f";
const DIGEST: &str = "f9a7c3baea8ac4fb1044d84bbefc14e0e4c7f6d11a2eef583424b669606d9d52";

fn library() -> Vec<u8> {
    fs::read(fixture("aarch64-library")).unwrap()
}

/// The same library with another last byte of its build-id.
fn sibling() -> Vec<u8> {
    let mut library = library();
    let id: Vec<u8> = (0..ID.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&ID[at..at + 2], 16).unwrap())
        .collect();
    let at = library.windows(id.len()).position(|window| window == id).unwrap();
    assert_eq!(library[at + 19], 0x9f);
    library[at + 19] = 0x9e;
    library
}

/// A tree in which processes 7 and 8 have the library mapped.
fn tree() -> ProcTree {
    let tree = ProcTree::new();
    let line = code(&tree, "usr/lib/lib.so", &library());
    for pid in [7, 8] {
        tree.process(pid).file("maps", &[app(&tree), line.clone()].concat());
    }
    tree
}

/// What a search came to: its code, and its first line.
fn find(tree: &ProcTree, query: &str) -> (Option<i32>, String) {
    let ran = libs(tree, &["--find", query]);
    assert_eq!(ran.stderr, "", "{query}");
    (ran.code, ran.stdout.lines().next().unwrap().to_owned())
}

#[test]
fn every_kind_of_query_finds_what_it_names_and_nothing_that_is_only_alike() {
    let tree = tree();
    let path = tree.name("/usr/*/lib.so");
    let (whole_path, no_path) =
        (format!("path:{path}"), format!("path:{}", tree.name("/*/lib.so")));
    let deep = format!("path:{}", tree.name("/**/lib.so"));
    let found = (Some(0), "2 processes have it mapped now".to_owned());
    for query in [
        "build-id:355beb8e",
        "build-id:355BEB8E5B",
        &format!("build-id:{ID}"),
        "sha256:f9a7c3ba",
        &format!("sha256:{DIGEST}"),
        "soname:libfixture.so.1",
        "path:lib.so",
        "path:l?b.*",
        &whole_path,
        &deep,
    ] {
        assert_eq!(find(&tree, query), found, "{query}");
    }
    let none = (Some(1), "none of 3 processes has it mapped".to_owned());
    for query in [
        "build-id:355beb8f",
        &format!("build-id:{ID}00"),
        "sha256:f9a7c3bb",
        "soname:libfixture.so",
        "soname:libfixture.so.*",
        "soname:LIBFIXTURE.so.1",
        "path:lib",
        &no_path,
    ] {
        assert_eq!(find(&tree, query), none, "{query}");
    }
}

#[test]
fn the_table_names_each_build_and_who_has_it() {
    let tree = tree();
    let other = code(&tree, "opt/lib.so", &sibling());
    tree.process(9).stat("x\n", b'S', 1, 100).file("maps", &other);
    let ran = libs(&tree, &["--find", "soname:libfixture.so.1"]);
    let digest = sha256sum(&tree.rootfs().join("opt/lib.so"));
    let root = tree.rootfs();
    let root = root.display();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        ran.stdout,
        format!(
            "\
3 processes have it mapped now, as 2 builds

BUILD 355beb8e5b666fdd15b30c65141543c6fd24c19e  {root}/opt/lib.so  sha256 {digest}
  9  x\\n  host

BUILD {ID}  {root}/usr/lib/lib.so  sha256 {DIGEST}
  7  app  host
  8  app  host
"
        )
    );
}

#[test]
fn the_document_of_a_search_is_whole() {
    let tree = tree();
    let seen = libs_json(&tree, &["--find", "build-id:355BEB8E"]);
    let path = tree.name("/usr/lib/lib.so");
    let holder = |pid: u32| {
        json!({
            "pid": pid, "comm": "app", "workload": {"platform": "host"}, "path": path,
            "deleted": false, "replaced": false
        })
    };
    let target = json!({"given": "build-id:355BEB8E", "kind": "node", "id": "node"});
    assert_eq!((&seen["target"], &seen["outcome"]), (&target, &json!("done")));
    assert_eq!(
        seen["result"],
        json!({
            "query": {"kind": "build-id", "value": "355beb8e"},
            "searched": {"processes": 3, "unreadable": 0},
            "builds": [{
                "buildId": ID, "sha256": DIGEST, "soname": "libfixture.so.1", "size": 5080,
                "mappings": [holder(7), holder(8)]
            }]
        })
    );
    let none = libs_json(&tree, &["--find", "build-id:00000000"]);
    assert_eq!((&none["outcome"], &none["result"]["builds"]), (&json!("findings"), &json!([])));
}

#[test]
fn a_process_that_has_two_builds_mapped_is_one_process() {
    let tree = tree();
    let other = code(&tree, "zzz/lib.so", &sibling());
    let both = [code(&tree, "usr/lib/lib.so", &library()), other].concat();
    tree.process(7).file("maps", &both);
    assert_eq!(
        find(&tree, "path:lib.so"),
        (Some(0), "2 processes have it mapped now, as 2 builds".to_owned())
    );
}

#[test]
fn where_a_process_cannot_be_read_nobody_is_not_said_to_have_it() {
    let tree = tree();
    let denied = tree.process(9).without("maps");
    fs::create_dir(denied.path("maps")).unwrap();
    let unsure = "none of 4 processes has it mapped, as far as could be read".to_owned();
    for query in ["path:nobodys", "soname:nobodys", "build-id:00000000", "sha256:00000000"] {
        assert_eq!(find(&tree, query), (Some(3), unsure.clone()), "{query}");
    }
    let seen = libs_json(&tree, &["--find", "path:nobodys"]);
    assert_eq!(seen["outcome"], "undetermined");
    assert_eq!(seen["result"]["searched"], json!({"processes": 4, "unreadable": 1}));
    assert_eq!(seen["gaps"][0]["field"], "processes");
    assert_eq!(seen["gaps"][0]["tried"], "1 of 4 could not be read (9)");
    assert_eq!(seen["gaps"].as_array().unwrap().len(), 1);
    // Who has it is certain all the same.
    assert_eq!(find(&tree, "path:lib.so").0, Some(0));
    // The twin: one that ended meanwhile is not there any more, and leaves nothing open.
    fs::remove_dir(denied.path("maps")).unwrap();
    denied.file("maps", b"");
    let sure = (Some(1), "none of 3 processes has it mapped".to_owned());
    assert_eq!(find(&tree, "path:nobodys"), sure);
}

#[test]
fn processes_that_cannot_be_read_are_told_by_why() {
    let tree = tree();
    for pid in 20..30 {
        let denied = tree.process(pid).without("maps");
        fs::create_dir(denied.path("maps")).unwrap();
    }
    // Nobody ever writes to it.
    tree.process(9).fifo("stat");
    let seen = libs_json(&tree, &["--find", "path:nobodys"]);
    let gaps = seen["gaps"].as_array().unwrap().iter();
    let told: Vec<_> = gaps.map(|gap| json!([gap["field"], gap["reason"], gap["tried"]])).collect();
    assert_eq!(
        told,
        [
            json!(["processes", "timeout", "1 of 14 could not be read (9)"]),
            json!([
                "processes",
                "malformed",
                "10 of 14 could not be read (20, 21, 22, 23, 24, 25, 26, 27, …)"
            ]),
        ]
    );
    assert_eq!(seen["result"]["searched"], json!({"processes": 14, "unreadable": 11}));
}

#[test]
fn a_file_whose_headers_cannot_be_read_leaves_open_what_they_would_have_said() {
    let tree = tree();
    let code_of = |query: &str| find(&tree, query).0;
    // The program headers begin behind the end of the file: just there, and where no file reaches.
    for place in [5080, 1 << 62, u64::MAX] {
        let mut broken = library();
        broken[32..40].copy_from_slice(&u64::to_le_bytes(place));
        let line = code(&tree, "broken.so", &broken);
        tree.process(9).file("maps", &line);
        assert_eq!(code_of("build-id:00000000"), Some(3), "{place:#x}");
    }
    assert_eq!(code_of("build-id:00000000"), Some(3));
    assert_eq!(code_of("soname:nobodys"), Some(3));
    assert_eq!(code_of("path:nobodys"), Some(1));
    assert_eq!(code_of("sha256:00000000"), Some(1));
    let digest = sha256sum(&tree.rootfs().join("broken.so"));
    assert_eq!(code_of(&format!("sha256:{digest}")), Some(0));
    assert_eq!(code_of("path:broken.so"), Some(0));
    // The twin: the same file with its headers.
    let line = code(&tree, "broken.so", &library());
    tree.process(9).file("maps", &line);
    assert_eq!(code_of("build-id:00000000"), Some(1));
    assert_eq!(code_of("soname:nobodys"), Some(1));
}

#[test]
fn a_file_that_is_gone_leaves_open_what_is_in_it_and_its_name_is_known() {
    let tree = tree();
    tree.process(9).file("maps", &gone(&tree, "/old.so"));
    for query in ["build-id:00000000", "soname:nobodys", "sha256:00000000"] {
        assert_eq!(find(&tree, query).0, Some(3), "{query}");
    }
    assert_eq!(find(&tree, "path:nobodys").0, Some(1));
    let ran = libs(&tree, &["--find", "path:old.so"]);
    let root = tree.rootfs();
    let expected = format!(
        "\
1 process has it mapped now

BUILD ? not-found  {root}/old.so  sha256 ? not-found
! 9  app  host  deleted: still runs it

GAPS (2)
? loadedLibs.buildId  not-found  {root}/old.so
? loadedLibs.sha256   not-found  {root}/old.so
",
        root = root.display()
    );
    assert_eq!((ran.code, ran.stdout), (Some(0), expected));
}

#[test]
fn the_beginning_of_two_ids_is_code_2_and_both_are_told() {
    let tree = tree();
    let other = code(&tree, "opt/lib.so", &sibling());
    tree.process(9).file("maps", &other);
    let ran = libs(&tree, &["--find", "build-id:355beb8e"]);
    let expected = format!(
        "error: `build-id:355beb8e` fits 2 files: build-id:355beb8e5b666fdd15b30c65141543c6fd24c19e, \
         build-id:{ID}\nhint: type more of its digits\n"
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert_eq!(ran.stderr, expected);
    // The twins: all of its digits, and one file of two names.
    assert_eq!(find(&tree, &format!("build-id:{ID}")).0, Some(0));
    let same = code(&tree, "opt/lib.so", &library());
    tree.process(9).file("maps", &same);
    let one = (Some(0), "3 processes have it mapped now".to_owned());
    assert_eq!(find(&tree, "build-id:355beb8e"), one);
}

/// A file of procfs says that it has no bytes, and has some: so does one that grows while it is read.
#[test]
fn a_file_that_is_not_what_it_was_when_it_is_read_leaves_its_digest_open() {
    let tree = tree();
    let real = Path::new("/proc/version");
    tree.process(9).link("root", "/").file("maps", &map_line(real, "/proc/version"));
    assert_eq!(find(&tree, "sha256:00000000").0, Some(3));
    assert_eq!(find(&tree, "path:nobodys").0, Some(1));
    // The twin: one that keeps its bytes.
    let kept = tree.rootfs().join("app");
    tree.process(9).link("root", "/").file("maps", &map_line(&kept, kept.to_str().unwrap()));
    assert_eq!(find(&tree, "sha256:00000000").0, Some(1));
}
