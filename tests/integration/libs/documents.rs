//! The documents of `libs`, and the rows that NDJSON cuts them into.

use serde_json::json;

use super::*;

const LIBS: &str = "zastava.cli.libs@v1.0";
const FIND: &str = "zastava.cli.find@v1.0";

/// A tree with gaps, names of every kind, and two processes that share a file.
fn tree() -> ProcTree {
    let tree = ProcTree::new();
    let library = fs::read(fixture("musl-library")).unwrap();
    let shared = code(&tree, "shared.so", &library);
    let odd = [&b"1000-2000 r--p 0 fe:00 5    "[..], tree.name("/\u{1}").as_bytes(), b"\xff.so\n"]
        .concat();
    tree.process(7)
        .file("maps", &[app(&tree), shared.clone(), gone(&tree, "/gone.so"), odd].concat());
    tree.process(8).stat("b\u{7}ell", b'S', 1, 200).file("maps", &shared);
    let denied = tree.process(9).without("maps");
    fs::create_dir(denied.path("maps")).unwrap();
    tree
}

const ASKED: [(&[&str], &str); 6] = [
    (&["7"], LIBS),
    (&["7", "--max-libs", "1"], LIBS),
    (&["7", "--digest", "blake3"], LIBS),
    (&["--all"], LIBS),
    (&["--all", "--digest", "sha256"], LIBS),
    (&["--find", "path:*.so"], FIND),
];

#[test]
fn every_document_is_of_its_checked_in_schema() {
    let tree = tree();
    for (arguments, name) in ASKED {
        let (schema, seen) = (schema(name), libs_json(&tree, arguments));
        assert_eq!(seen["schemaVersion"], name, "{arguments:?}");
        assert_eq!(errors(&schema, &seen), [""; 0], "{arguments:?}");
        assert!(!seen.to_string().contains("null"), "{seen:#}");
        // The twin: a document without its result is not of the schema.
        let mut wrong = seen;
        wrong.as_object_mut().unwrap().remove("result");
        assert_eq!(errors(&schema, &wrong).len(), 1, "{arguments:?}");
    }
}

/// What differs between two runs.
fn without_times(document: &Value) -> Value {
    let mut document = document.clone();
    let members = document.as_object_mut().unwrap();
    ["when", "durationMs", "cost"].iter().for_each(|name| _ = members.remove(*name).unwrap());
    document
}

#[test]
fn the_rows_of_ndjson_and_its_summary_are_the_document() {
    let tree = tree();
    for (arguments, name) in ASKED {
        let ran = libs(&tree, &[arguments, &["-o", "ndjson"]].concat());
        let mut rows: Vec<Value> =
            ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut document = rows.pop().unwrap();
        assert_eq!(document.as_object_mut().unwrap().remove("type"), Some("summary".into()));
        let files = if name == FIND { "builds" } else { "loadedLibs" };
        document["result"][files] = json!([]);
        document["gaps"] = json!([]);
        if name == LIBS {
            document["result"]["processes"] = json!([]);
        }
        for mut row in rows {
            let members = row.as_object_mut().unwrap();
            assert_eq!(members.remove("target"), Some(document["target"]["id"].clone()));
            let list = match members.remove("type").unwrap().as_str().unwrap() {
                "lib" => &mut document["result"][files],
                "process" => &mut document["result"]["processes"],
                "gap" => &mut document["gaps"],
                other => panic!("{other}"),
            };
            list.as_array_mut().unwrap().push(row);
        }
        let whole = libs_json(&tree, arguments);
        assert_eq!(without_times(&document), without_times(&whole), "{arguments:?}");
        assert_eq!(errors(&schema(name), &document), [""; 0]);
    }
}

#[test]
fn the_document_of_a_process_is_whole() {
    use std::os::unix::fs::MetadataExt;
    let tree = tree();
    let seen = libs_json(&tree, &["7"]);
    assert_eq!(seen["target"], json!({"given": "7", "kind": "process", "id": "pid:7"}));
    assert_eq!(seen["outcome"], "done");
    let meta = |name: &str| fs::metadata(tree.rootfs().join(name)).unwrap();
    let dev = meta("app").dev();
    let device = format!("{}:{}", rustix::fs::major(dev), rustix::fs::minor(dev));
    let absent = |path: String, inode: u64| {
        json!({
            "path": path, "inode": inode, "dev": "254:0", "deleted": inode == 77, "replaced": false,
            "executable": inode == 77, "kind": "file", "digestStatus": "not-found", "pids": [7]
        })
    };
    // printf '%s/\1\377.so' TREE | basenc --base64url
    let mut broken = absent(tree.name("/\u{1}\u{fffd}.so"), 5);
    let bytes = [tree.name("/\u{1}").as_bytes(), b"\xff.so"].concat();
    broken["pathBytes"] = basenc(&bytes).into();
    assert_eq!(
        seen["result"],
        json!({
            "workload": {"platform": "host", "containerId": "none", "outer": []},
            "processes": [{"pid": 7, "comm": "app", "startedAt": "2025-11-24T00:00:01Z"}],
            "loadedLibs": [
                broken,
                {
                    "path": tree.name("/app"), "inode": meta("app").ino(), "dev": device,
                    "deleted": false, "size": 11, "replaced": false, "executable": true,
                    "kind": "file", "buildId": "none",
                    "sha256": "50fda23bf0a5115d4f893dc10d122c10a4705f47688f5620e80611c092d4053e",
                    "pids": [7]
                },
                absent(tree.name("/gone.so"), 77),
                {
                    "path": tree.name("/shared.so"), "inode": meta("shared.so").ino(),
                    "dev": device, "deleted": false, "size": 4872, "replaced": false,
                    "executable": true, "kind": "file",
                    "buildId": "b761fed324c5cfc1231b54f8e6c7d70a22332fe2",
                    "sha256": "ba7aadbff62b47ba1d523d04633551bdd38d56b7cff6010ae34d42620a38d887",
                    "soname": "libmuslfixture.so", "pids": [7]
                },
            ],
            "totals": {"files": 4, "bytes": 4883, "hashed": 2, "cached": 0}
        })
    );
}

/// Base64 for URLs without padding, by coreutils.
fn basenc(bytes: &[u8]) -> String {
    use std::io::Write;
    let dir = tempfile::NamedTempFile::new().unwrap();
    dir.as_file().write_all(bytes).unwrap();
    let ran = Command::new("basenc").args(["--base64url", "-w0"]).arg(dir.path()).output().unwrap();
    String::from_utf8(ran.stdout).unwrap().trim_end_matches('=').to_owned()
}

#[test]
fn the_document_of_a_node_refers_to_files_by_their_place() {
    let tree = tree();
    let seen = libs_json(&tree, &["--all"]);
    assert_eq!(seen["target"], json!({"given": "--all", "kind": "node", "id": "node"}));
    let host = json!({"platform": "host"});
    let process = |pid: u32, comm: &str, second: u32, places: &[usize]| {
        let places: Vec<_> = places.iter().map(|place| json!({"ref": place})).collect();
        let started = format!("2025-11-24T00:00:0{second}Z");
        json!({
            "pid": pid, "comm": comm, "startedAt": started, "workload": host, "loadedLibs": places
        })
    };
    assert_eq!(
        seen["result"]["processes"],
        json!([
            process(1, "init", 0, &[1]),
            process(7, "app", 1, &[0, 1, 2, 3]),
            process(8, "b\u{7}ell", 2, &[3]),
        ])
    );
    let pids = ["[7]", "[1,7]", "[7]", "[7,8]"].map(|pids| Some(pids.to_owned()));
    assert_eq!(of_each(&seen, "pids"), pids);
    // No digest was asked for, so that none is missing.
    assert_eq!(of_each(&seen, "digestStatus"), [const { None }; 4]);
    let fields: Vec<_> =
        seen["gaps"].as_array().unwrap().iter().map(|gap| gap["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["loadedLibs.size", "loadedLibs.buildId", "processes"]);
}
