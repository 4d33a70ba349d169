//! How reading behaves: limits, processes that end or hang, pids that change hands.

use std::fs;
use std::io::Write;
use std::thread;
use std::time::Duration;

use zastava::contract::Reason;
use zastava::limits::ReadLimits;
use zastava::process::{ContentCache, ContentRequest, Error};

use crate::proc_tree::{ProcTree, gaps};

fn hurried() -> ReadLimits {
    ReadLimits { read: Duration::from_secs(1), ..ReadLimits::default() }
}

#[test]
fn an_ordinary_process_has_no_gaps() {
    let tree = ProcTree::new();
    tree.process(7);
    let observed = tree.observe(7);
    assert_eq!(gaps(&observed), [""; 0]);
    let seen = observed.value;
    assert_eq!(seen.argv, Some(vec![b"/app".to_vec(), b"--serve".to_vec()]));
    assert_eq!((seen.identity.uid, seen.identity.gid), (Some(1000), Some(100)));
    let since_boot = Duration::from_secs(1_763_942_401);
    assert_eq!(seen.identity.started, Some(std::time::UNIX_EPOCH + since_boot));
}

// Pitfall 18: the target holds its memory lock, and `cmdline` never comes back.
#[test]
fn a_read_that_blocks_is_left_behind_and_the_rest_is_read() {
    let tree = ProcTree::new();
    tree.process(7).fifo("cmdline");
    let observed = tree.try_observe(7, hurried()).unwrap();
    assert_eq!(gaps(&observed), ["process.argv: timeout"]);
    assert_eq!(observed.value.argv, None);
    assert_eq!(
        observed.value.exe.unwrap().path,
        tree.rootfs().join("app").into_os_string().into_encoded_bytes()
    );
    assert_eq!(observed.value.mapped.unwrap().len(), 1);
}

#[test]
fn a_run_that_is_over_says_timeout_and_not_vanished() {
    let tree = ProcTree::new();
    tree.process(7).fifo("cmdline");
    let deadline = zastava::limits::Deadline::after(Duration::from_millis(300));
    let root =
        zastava::process::ProcRoot::open(tree.path(), ReadLimits::default(), deadline).unwrap();
    let handle =
        zastava::process::ProcessHandle::open(&root, zastava::process::Asked::Pid(7)).unwrap();
    let observed = zastava::inspect::process(
        &root,
        &handle,
        &ContentRequest::headers(&ContentCache::default()),
    );
    let told: Vec<_> = gaps(&observed);
    assert!(told.contains(&"process: timeout".to_owned()), "{told:?}");
    assert!(
        told.iter()
            .all(|gap| gap.ends_with(": timeout") || gap == "process.namespaces.host: denied"),
        "{told:?}"
    );
    assert_eq!(observed.value.identity.comm, b"app");
}

#[test]
fn what_was_left_behind_is_counted() {
    let tree = ProcTree::new();
    tree.process(7).fifo("cmdline").fifo("maps");
    let root = tree.root(hurried());
    let handle =
        zastava::process::ProcessHandle::open(&root, zastava::process::Asked::Pid(7)).unwrap();
    let observed = zastava::inspect::process(
        &root,
        &handle,
        &ContentRequest::headers(&ContentCache::default()),
    );
    assert_eq!(gaps(&observed), ["process.argv: timeout", "loadedLibs: timeout"]);
    assert_eq!(root.traffic().left_behind, 2);
}

// Pitfall 15: an ending process shows an empty file for a moment.
#[test]
fn an_empty_maps_is_asked_for_once_more_and_then_is_a_gap() {
    let tree = ProcTree::new();
    tree.process(7).file("maps", b"");
    let observed = tree.observe(7);
    assert_eq!(gaps(&observed), ["loadedLibs: vanished"]);
    assert_eq!(observed.value.mapped, None);
}

#[test]
fn a_maps_that_was_empty_only_once_is_read() {
    let tree = ProcTree::new();
    let process = tree.process(7);
    let line = fs::read(process.path("maps")).unwrap();
    let fifo = process.fifo("maps").path("maps");
    let writer = thread::spawn(move || {
        drop(fs::OpenOptions::new().write(true).open(&fifo).unwrap());
        // The reader has to have seen the end of the first one before the second begins.
        thread::sleep(Duration::from_millis(50));
        fs::OpenOptions::new().write(true).open(&fifo).unwrap().write_all(&line).unwrap();
    });
    let observed = tree.observe(7);
    writer.join().unwrap();
    assert_eq!(gaps(&observed), [""; 0]);
    assert_eq!(observed.value.mapped.unwrap().len(), 1);
}

// Pitfall 16.
#[test]
fn a_maps_beyond_the_limit_ends_with_a_whole_line_and_a_gap() {
    let tree = ProcTree::new();
    let line = b"1000-2000 r-xp 00000000 00:01 5    anon_inode:x\n";
    tree.process(7).file("maps", &line.repeat(10));
    let limits = ReadLimits { maps: line.len() * 2 + 10, ..ReadLimits::default() };
    let observed = tree.try_observe(7, limits).unwrap();
    assert_eq!(gaps(&observed), ["loadedLibs: budget"]);
    let exact = ReadLimits { maps: line.len() * 10, ..ReadLimits::default() };
    assert_eq!(gaps(&tree.try_observe(7, exact).unwrap()), [""; 0]);
}

#[test]
fn more_mapped_files_than_the_limit_are_counted_in_a_gap() {
    let tree = ProcTree::new();
    let lines: Vec<u8> = (0..9)
        .flat_map(|n| format!("1000-2000 r-xp 0 00:01 {n}    socket:[{n}]\n").into_bytes())
        .collect();
    tree.process(7).file("maps", &lines);
    let limits = ReadLimits { mapped_files: 4, ..ReadLimits::default() };
    let observed = tree.try_observe(7, limits).unwrap();
    let told: Vec<_> = observed.gaps.as_slice().iter().map(|g| (g.reason, g.count)).collect();
    assert_eq!(told, [(Reason::Budget, 5)]);
    assert_eq!(observed.value.mapped.unwrap().len(), 4);
}

#[test]
fn arguments_beyond_the_limit_are_cut_with_a_gap() {
    let tree = ProcTree::new();
    tree.process(7).file("cmdline", b"/app\0--long");
    let limits = ReadLimits { argv: 6, ..ReadLimits::default() };
    let observed = tree.try_observe(7, limits).unwrap();
    assert_eq!(gaps(&observed), ["process.argv: budget"]);
    assert_eq!(observed.value.argv, Some(vec![b"/app".to_vec(), b"-".to_vec()]));
}

// Pitfall 51: the pid is given to another process while it is read.
#[test]
fn a_reused_pid_is_a_gap_and_not_a_mixture() {
    let tree = ProcTree::new();
    let process = tree.process(7).fifo("cmdline");
    let (stat, fifo) = (process.path("stat"), process.path("cmdline"));
    let other = fs::read_to_string(&stat).unwrap().replace(" 100 0 0", " 999 0 0");
    let changer = thread::spawn(move || {
        let mut held = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
        fs::write(&stat, other).unwrap();
        held.write_all(b"other\0").unwrap();
    });
    let observed = tree.observe(7);
    changer.join().unwrap();
    assert_eq!(gaps(&observed), ["process: reused"]);
    assert_eq!(observed.value.identity.start_ticks, 100);
}

// Pitfall 49.
#[test]
fn a_process_that_vanishes_leaves_what_was_seen_of_it() {
    let tree = ProcTree::new();
    tree.process(7);
    let root = tree.root(ReadLimits::default());
    let handle =
        zastava::process::ProcessHandle::open(&root, zastava::process::Asked::Pid(7)).unwrap();
    fs::remove_dir_all(tree.path().join("7")).unwrap();
    let observed = zastava::inspect::process(
        &root,
        &handle,
        &ContentRequest::headers(&ContentCache::default()),
    );
    assert_eq!(observed.value.identity.comm, b"app");
    assert!(gaps(&observed).contains(&"process: vanished".to_owned()));
    let other: Vec<_> =
        observed.gaps.as_slice().iter().filter(|g| g.reason != Reason::Vanished).collect();
    assert!(other.is_empty(), "{other:?}");
}

#[test]
fn a_zombie_and_a_kernel_thread_have_gaps_and_are_no_errors() {
    let tree = ProcTree::new();
    tree.process(7)
        .stat("gone", b'Z', 1, 100)
        .without("exe")
        .without("root")
        .file("maps", b"")
        .file("cmdline", b"");
    let ended = ["process.argv: vanished", "process.exe: vanished", "loadedLibs: vanished"];
    assert_eq!(gaps(&tree.observe(7)), ended);
    let kthread = b"8 (kworker/0:0-ev) I 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n";
    tree.process(8)
        .file("stat", kthread)
        .without("exe")
        .without("root")
        .file("maps", b"")
        .file("cmdline", b"");
    let observed = tree.observe(8);
    assert_eq!(gaps(&observed), ["process.exe: not-found"]);
    assert!(observed.value.identity.kernel_thread);
    assert_eq!(observed.value.mapped, Some(Vec::new()));
}

#[test]
fn a_process_that_is_not_there_or_has_no_stat_is_an_error() {
    let tree = ProcTree::new();
    assert!(matches!(tree.try_observe(9, hurried()), Err(Error::NoProcess { pid: 9, .. })));
    tree.process(7).file("stat", b"");
    assert!(matches!(tree.try_observe(7, hurried()), Err(Error::NoProcess { pid: 7, .. })));
    tree.process(7).file("stat", b"7 (app) S");
    assert!(matches!(tree.try_observe(7, hurried()), Err(Error::Malformed { .. })));
    tree.process(7).stat("app", b'S', 1, 100);
    assert!(tree.try_observe(7, hurried()).is_ok());
}

// Forged rows can neither lend a listener to another socket nor take one away.
#[test]
fn of_two_unix_rows_with_one_inode_both_are_told_and_of_an_ip_sockets_none() {
    let tree = ProcTree::new();
    let row = |inode: u32, name: &str| {
        format!("0000000000000000: 00000002 00000000 00010000 0001 01 {inode} {name}\n")
    };
    let tcp = "head\n 0: 00000000:0016 00000000:0000 0A 0:0 0:0 0 0 0 7\n";
    let unix = format!("head\n{}{}{}", row(7, "/run/forged"), row(9, "/run/a"), row(9, "/run/b"));
    tree.process(7).file("net/tcp", tcp.as_bytes()).file("net/unix", unix.as_bytes());
    let observed = tree.observe(7);
    let told: Vec<_> = observed
        .value
        .listening
        .as_ref()
        .unwrap()
        .others
        .iter()
        .map(|s| (s.protocol.as_str(), s.inode))
        .collect();
    assert_eq!(told, [("tcp", 7), ("unix", 9), ("unix", 9)]);
    assert_eq!(observed.gaps.as_slice()[0].count, 2);
    assert_eq!(gaps(&observed)[0], "process.listening: malformed");
}

#[test]
fn ancestors_that_loop_or_are_younger_than_their_child_end_the_chain() {
    let tree = ProcTree::new();
    tree.process(7).stat("app", b'S', 8, 100);
    tree.process(8).stat("parent", b'S', 7, 100);
    let limits = ReadLimits { ancestors: 5, ..ReadLimits::default() };
    let observed = tree.try_observe(7, limits).unwrap();
    assert_eq!(gaps(&observed), ["process.ancestry: budget"]);
    tree.process(8).stat("impostor", b'S', 1, 101);
    let observed = tree.observe(7);
    assert_eq!(gaps(&observed), ["process.ancestry: reused"]);
    tree.process(8).stat("parent", b'S', 1, 99);
    let observed = tree.observe(7);
    assert_eq!(gaps(&observed), [""; 0]);
    let chain: Vec<_> = observed.value.ancestry.iter().map(|a| a.pid).collect();
    assert_eq!(chain, [1, 8]);
}

#[test]
fn a_tree_without_a_boot_time_is_no_proc_root() {
    let tree = ProcTree::new();
    let open = || {
        zastava::process::ProcRoot::open(tree.path(), hurried(), zastava::limits::Deadline::never())
    };
    assert!(open().is_ok());
    tree.file("stat", b"cpu 1 2 3\n");
    assert_eq!(
        open().unwrap_err().to_string(),
        format!("failed to use {} as proc root: not a procfs", tree.path().display())
    );
}
