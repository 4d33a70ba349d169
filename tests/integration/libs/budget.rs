//! Which files get a digest where not all can have one.

use super::*;

/// What the files of process 7 came to, by path: `app`, `big`, `middle` and `small`, with 11, 100, 20
/// and 5 bytes; and its gaps.
fn statuses(arguments: &[&str]) -> (Vec<&'static str>, Vec<Value>) {
    let tree = ProcTree::new();
    let lines = [
        code(&tree, "big", &[b'x'; 100]),
        app(&tree),
        data(&tree, "small", b"small"),
        code(&tree, "middle", &[b'x'; 20]),
    ];
    tree.process(7).file("maps", &lines.concat());
    let seen = libs_json(&tree, &[&["7"], arguments].concat());
    assert_eq!(of_each(&seen, "size"), ["11", "100", "20", "5"].map(|size| Some(size.to_owned())));
    assert_eq!(of_each(&seen, "buildId"), ["none"; 4].map(|id| Some(id.to_owned())));
    let names = ["app", "big", "middle", "small"];
    let digests = of_each(&seen, "sha256").into_iter().zip(of_each(&seen, "digestStatus"));
    let told = names.into_iter().zip(digests).filter_map(|(name, told)| match told {
        (Some(digest), None) => {
            assert_eq!(digest, sha256sum(&tree.rootfs().join(name)), "{name}");
            Some(name)
        }
        (None, Some(status)) if status == "budget" => None,
        other => panic!("{name}: {other:?}"),
    });
    (told.collect(), seen["gaps"].as_array().unwrap().clone())
}

#[test]
fn the_executable_comes_first_and_then_the_smallest() {
    let cases: [(&str, &[&str]); 12] = [
        ("0", &[]),
        ("4", &[]),
        // The executable is too large, and is passed over without spending.
        ("5", &["small"]),
        ("10", &["small"]),
        ("11", &["app"]),
        ("15", &["app"]),
        ("16", &["app", "small"]),
        ("35", &["app", "small"]),
        ("36", &["app", "middle", "small"]),
        ("135", &["app", "middle", "small"]),
        ("136", &["app", "big", "middle", "small"]),
        ("1KB", &["app", "big", "middle", "small"]),
    ];
    for (bytes, hashed) in cases {
        assert_eq!(statuses(&["--max-bytes", bytes]).0, hashed, "{bytes}");
    }
}

#[test]
fn so_many_files_get_a_digest_and_no_more() {
    let cases: [(&str, &[&str]); 5] = [
        ("0", &[]),
        ("1", &["app"]),
        ("2", &["app", "small"]),
        ("3", &["app", "middle", "small"]),
        ("4", &["app", "big", "middle", "small"]),
    ];
    for (files, hashed) in cases {
        assert_eq!(statuses(&["--max-libs", files]).0, hashed, "{files}");
    }
}

#[test]
fn what_was_passed_over_is_a_gap_that_says_what_raises_the_budget() {
    let (_, gaps) = statuses(&["--max-bytes", "35"]);
    let told: Vec<_> = gaps
        .iter()
        .map(|gap| {
            let name = gap["tried"].as_str().unwrap().rsplit('/').next().unwrap();
            (gap["field"].as_str().unwrap(), gap["reason"].as_str().unwrap(), name, &gap["count"])
        })
        .collect();
    let (one, two) = (Value::from(1), Value::from(2));
    assert_eq!(told, [("loadedLibs.sha256", "budget", "big", &two)]);
    assert_eq!(gaps[0]["hint"], "--max-bytes and --max-libs raise it");
    // Without a digest of the executable its own field is open, too.
    let (_, gaps) = statuses(&["--max-bytes", "10"]);
    let fields: Vec<_> =
        gaps.iter().map(|gap| (gap["field"].as_str().unwrap(), &gap["count"])).collect();
    let three = Value::from(3);
    assert_eq!(fields, [("process.exe.sha256", &one), ("loadedLibs.sha256", &three)]);
    // The twin.
    assert_eq!(statuses(&["--max-bytes", "136"]).1, [Value::Null; 0]);
}

/// Two names of one file cost once.
#[test]
fn a_file_with_two_names_is_counted_once() {
    let tree = ProcTree::new();
    let first = code(&tree, "a.so", &[b'x'; 20]);
    let (a, b) = (tree.rootfs().join("a.so"), tree.rootfs().join("b.so"));
    fs::hard_link(&a, &b).unwrap();
    let second = map_line(&b, &tree.name("/b.so"));
    tree.process(7).file("maps", &[app(&tree), first, second].concat());
    let hashed = |bytes: &str| {
        let seen = libs_json(&tree, &["7", "--max-bytes", bytes]);
        of_each(&seen, "sha256").iter().flatten().count()
    };
    assert_eq!((hashed("30"), hashed("31")), (1, 3));
}

/// What one process's budget did not reach, another's did: the file's digest is known.
#[test]
fn a_digest_that_is_known_by_way_of_another_process_is_told() {
    let tree = ProcTree::new();
    tree.process(1).without("exe").file("maps", b"1000-2000 rw-p 00000000 00:00 0    [heap]\n");
    let small = data(&tree, "a", b"small");
    let large = data(&tree, "b", &[b'x'; 20]);
    tree.process(7).without("exe").file("maps", &[small, large.clone()].concat());
    tree.process(8).without("exe").file("maps", &large);
    let seen = libs_json(&tree, &["--all", "--digest", "sha256", "--max-libs", "1"]);
    let expected = ["a", "b"].map(|name| Some(sha256sum(&tree.rootfs().join(name))));
    assert_eq!(of_each(&seen, "sha256"), expected);
    assert_eq!(of_each(&seen, "digestStatus"), [None, None]);
    assert_eq!(seen["result"]["totals"]["hashed"], 2);
}

#[test]
fn a_file_of_eight_gibibytes_is_passed_over_and_keeps_its_size() {
    let tree = ProcTree::new();
    let line = code(&tree, "hole", b"");
    let hole = fs::OpenOptions::new().write(true).open(tree.rootfs().join("hole")).unwrap();
    hole.set_len(8 << 30).unwrap();
    tree.process(7).file("maps", &[app(&tree), line].concat());
    let seen = libs_json(&tree, &["7"]);
    let told = &seen["result"]["loadedLibs"][1];
    assert_eq!((&told["size"], &told["digestStatus"]), (&(8_u64 << 30).into(), &"budget".into()));
    assert_eq!((told.get("sha256"), &told["buildId"]), (None, &"none".into()));
    assert_eq!(seen["cost"]["bytesHashed"], 11);
    // The twin: the same file, within the budget.
    hole.set_len(8 << 20).unwrap();
    let seen = libs_json(&tree, &["7"]);
    let told = &seen["result"]["loadedLibs"][1];
    assert_eq!((&told["size"], told.get("digestStatus")), (&(8_u64 << 20).into(), None));
    assert_eq!(told["sha256"], sha256sum(&tree.rootfs().join("hole")));
}
