//! The table of `libs PID` and `libs --all`.

use super::*;

/// The answer with the tree's path, which is another one each time, replaced in the text and its width
/// taken from the column of names.
fn steady(text: &str, tree: &ProcTree) -> String {
    let (path, short) = (tree.path().to_str().unwrap(), "<tree>");
    let heads = format!("  FILE{}", " ".repeat(path.len() - short.len()));
    text.replace(&heads, "  FILE").replace(path, short)
}

/// A tree in which process 7 has a bit of everything mapped.
fn tree() -> ProcTree {
    let tree = ProcTree::new();
    let library = fs::read(fixture("aarch64-library")).unwrap();
    let lines = [
        data(&tree, "zone.dat", b"small"),
        app(&tree),
        code(&tree, "lib.so", &library),
        data(&tree, "empty", b""),
        gone(&tree, "/b/gone.so"),
        data(&tree, "a.dat", &[b'x'; 4096]),
    ];
    tree.process(7).file("maps", &lines.concat());
    tree
}

// The digests are sha256sum's, of the fixture as of what is written above; the build-id is readelf's.
#[test]
fn the_odd_files_stand_on_top_then_code_then_data_each_by_path() {
    let tree = tree();
    let ran = libs(&tree, &["7"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        steady(&ran.stdout, &tree),
        "\
6 files mapped by pid 7 app, on the host; 1 notable

  FILE                     SIZE    BUILD-ID                                  SHA256
! <tree>/rootfs/b/gone.so  ?       ? not-found                               ? not-found
    deleted
  <tree>/rootfs/app        11 B    -                                         50fda23bf0a5115d4f893dc10d122c10a4705f47688f5620e80611c092d4053e
  <tree>/rootfs/lib.so     5.0 KB  355beb8e5b666fdd15b30c65141543c6fd24c19f  f9a7c3baea8ac4fb1044d84bbefc14e0e4c7f6d11a2eef583424b669606d9d52
  <tree>/rootfs/a.dat      4.0 KB  -                                         a2e659dacb4691e887ac0139f8893d04764ee197d70fb73d3190d56113d18e3e
  <tree>/rootfs/empty      0 B     -                                         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
  <tree>/rootfs/zone.dat   5 B     -                                         81db8ebbbbc69c6c6ad4a6aa92b76e0c08af547da236b9e2c9dbe1d8285a8130
6 files, 9.1 KB: 5 hashed

GAPS (3)
? loadedLibs.size     not-found  <tree>/rootfs/b/gone.so
? loadedLibs.buildId  not-found  <tree>/rootfs/b/gone.so
? loadedLibs.sha256   not-found  <tree>/rootfs/b/gone.so
"
    );
}

#[test]
fn without_a_digest_there_is_no_column_of_digests_and_no_gap_in_one() {
    let tree = tree();
    let ran = libs(&tree, &["7", "--digest", "none"]);
    assert_eq!(
        steady(&ran.stdout, &tree),
        "\
6 files mapped by pid 7 app, on the host; 1 notable

  FILE                     SIZE    BUILD-ID
! <tree>/rootfs/b/gone.so  ?       ? not-found
    deleted
  <tree>/rootfs/app        11 B    -
  <tree>/rootfs/lib.so     5.0 KB  355beb8e5b666fdd15b30c65141543c6fd24c19f
  <tree>/rootfs/a.dat      4.0 KB  -
  <tree>/rootfs/empty      0 B     -
  <tree>/rootfs/zone.dat   5 B     -
6 files, 9.1 KB

GAPS (2)
? loadedLibs.size     not-found  <tree>/rootfs/b/gone.so
? loadedLibs.buildId  not-found  <tree>/rootfs/b/gone.so
"
    );
}

/// BLAKE3's own test vectors, of 0 and of 1024 bytes that count from 0 to 250 and again.
const BLAKE3: [(usize, &str); 2] = [
    (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
    (1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
];

#[test]
fn blake3_is_the_one_of_its_own_test_vectors() {
    let tree = ProcTree::new();
    let vector = |length: usize| -> Vec<u8> { (0..=250).cycle().take(length).collect() };
    let lines = BLAKE3.map(|(length, _)| data(&tree, &format!("{length:04}"), &vector(length)));
    tree.process(7).file("maps", &lines.concat());
    let seen = libs_json(&tree, &["7", "--digest", "blake3"]);
    assert_eq!(of_each(&seen, "blake3"), BLAKE3.map(|(_, digest)| Some(digest.to_owned())));
    assert_eq!(of_each(&seen, "sha256"), [None, None]);
    let table = libs(&tree, &["7", "--digest", "blake3"]).stdout;
    assert!(table.lines().nth(2).unwrap().ends_with("  BUILD-ID  BLAKE3"), "{table}");
    assert!(BLAKE3.iter().all(|(_, digest)| table.contains(digest)), "{table}");
}

#[test]
fn wide_has_every_column_and_row() {
    use std::os::unix::fs::MetadataExt;
    let tree = tree();
    let meta = fs::metadata(tree.rootfs().join("lib.so")).unwrap();
    let (major, minor) = (rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
    let inode = |name: &str| fs::metadata(tree.rootfs().join(name)).unwrap().ino().to_string();
    let device = format!("{major}:{minor}");
    let ran = libs(&tree, &["7", "-o", "wide"]);
    let rows: Vec<Vec<&str>> =
        ran.stdout.lines().skip(2).take(8).map(|line| line.split_whitespace().collect()).collect();
    let (app, lib, zone) = (tree.name("/app"), tree.name("/lib.so"), tree.name("/zone.dat"));
    let gone = tree.name("/b/gone.so");
    let (app_inode, lib_inode, zone_inode) = (inode("app"), inode("lib.so"), inode("zone.dat"));
    assert_eq!(
        rows[0],
        ["FILE", "SIZE", "DEVICE", "INODE", "STATE", "SONAME", "BUILD-ID", "SHA256"]
    );
    assert_eq!(
        rows[1],
        ["!", &gone, "?", "254:0", "77", "deleted", "-", "?", "not-found", "?", "not-found"]
    );
    assert_eq!(
        rows[3],
        [
            &app,
            "11",
            "B",
            &device,
            &app_inode,
            "code",
            "-",
            "-",
            "50fda23bf0a5115d4f893dc10d122c10a4705f47688f5620e80611c092d4053e"
        ]
    );
    assert_eq!(
        rows[4],
        [
            &lib,
            "5.0",
            "KB",
            &device,
            &lib_inode,
            "code",
            "libfixture.so.1",
            "355beb8e5b666fdd15b30c65141543c6fd24c19f",
            "f9a7c3baea8ac4fb1044d84bbefc14e0e4c7f6d11a2eef583424b669606d9d52"
        ]
    );
    assert_eq!(rows[7][..6], [&zone, "5", "B", &device, &zone_inode, "data"]);
}

#[test]
fn sixteen_plain_rows_are_shown_and_the_others_are_counted() {
    for (files, last) in
        [(16, "  0 notable"), (17, "  [1 more: -o wide]"), (40, "  [24 more: -o wide]")]
    {
        let tree = ProcTree::new();
        let plain = (0..files).map(|n| data(&tree, &format!("{n:02}"), &[b'x'; 1]));
        let odd = (0..3).map(|n| gone(&tree, &format!("/gone{n}")));
        let lines: Vec<u8> = plain.chain(odd).flatten().collect();
        tree.process(7).file("maps", &lines);
        let shown = |more: &[&str]| {
            let ran = libs(&tree, &[&["7"], more].concat());
            let paths = ran.stdout.lines().filter(|line| line.contains("/rootfs/")).count();
            // Each gone file is told in a gap of its size, one of its build-id and one of its digest.
            let gaps = ran.stdout.lines().filter(|line| line.starts_with("? ")).count();
            (paths - gaps, ran.stdout)
        };
        let (rows, text) = shown(&[]);
        assert_eq!(rows, 3 + files.min(16), "{text}");
        assert_eq!(text.lines().any(|line| line == last), files > 16, "{text}");
        assert!(
            text.contains(&format!("\n{} files, {files} B: {files} hashed\n", files + 3)),
            "{text}"
        );
        let (rows, text) = shown(&["-o", "wide"]);
        assert_eq!((rows, text.contains("more: -o wide")), (files + 3, false), "{text}");
    }
}

#[test]
fn with_all_each_file_stands_once_with_the_pids_of_those_who_have_it() {
    let tree = ProcTree::new();
    let other = code(&tree, "other.so", b"small");
    tree.process(7).file("maps", &[app(&tree), other.clone()].concat());
    tree.process(8).file("maps", &other);
    for pid in 20..28 {
        tree.process(pid);
    }
    let ran = libs(&tree, &["--all", "--node", "n\u{1b}1"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        steady(&ran.stdout, &tree),
        "\
2 files mapped by 11 processes on n\\x1b1; 0 notable

  FILE                    SIZE  BUILD-ID  PIDS
  <tree>/rootfs/app       11 B  -         1 7 20 +7
  <tree>/rootfs/other.so  5 B   -         7 8
2 files, 16 B
"
    );
    let wide = libs(&tree, &["--all", "-o", "wide"]).stdout;
    assert!(wide.contains("  1 7 20 21 22 23 24 25 26 27\n"), "{wide}");
}

#[test]
fn a_process_without_files_has_a_line_and_no_table() {
    let tree = ProcTree::new();
    tree.process(7).file("maps", b"1000-2000 rw-p 00000000 00:00 0    [heap]\n");
    let ran = libs(&tree, &["7"]);
    let line = "0 files mapped by pid 7 app, on the host; 0 notable\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), line));
}
