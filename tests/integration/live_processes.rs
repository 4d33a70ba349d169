//! Real processes, looked at by the real binary.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::{document, run, zastava};
use crate::live::{Live, comm, wait_for};

fn inspect(pid: u32) -> Value {
    document(&mut zastava(["inspect", "pid", &pid.to_string(), "-o", "json"]))
}

fn gap_list(document: &Value) -> Vec<String> {
    let word = |gap: &Value, key: &str| gap[key].as_str().unwrap().to_owned();
    let gaps = document["gaps"].as_array().unwrap();
    gaps.iter().map(|gap| format!("{}: {}", word(gap, "field"), word(gap, "reason"))).collect()
}

/// Gaps of the process itself: not those that come of its neighbours and ancestors, whom this machine
/// may hide, nor of a machine that is itself a container and cannot see what is the host's.
fn own_gaps(document: &Value) -> Vec<String> {
    const OTHERS: [&str; 2] = ["process.listening.pids", "process.ancestry.exe"];
    const INSIDE: [&str; 3] = ["processes", "process.namespaces.host", "workload.containerId"];
    let left_out = [&OTHERS[..], if on_the_host() { &[] } else { &INSIDE }].concat();
    let of_others =
        |gap: &String| left_out.iter().any(|field| gap.starts_with(&format!("{field}: ")));
    gap_list(document).into_iter().filter(|gap| !of_others(gap)).collect()
}

/// Whether these tests run in the machine's first pid namespace.
fn on_the_host() -> bool {
    fs::read_link("/proc/self/ns/pid").unwrap().to_str() == Some("pid:[4026531836]")
}

fn codes(document: &Value) -> Vec<&str> {
    document["result"]["notable"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n["code"].as_str().unwrap())
        .collect()
}

fn lib<'a>(document: &'a Value, path: &str) -> &'a Value {
    let libs = document["result"]["loadedLibs"].as_array().unwrap();
    libs.iter().find(|lib| lib["path"] == path).unwrap_or_else(|| panic!("no {path} in {libs:#?}"))
}

#[test]
fn a_shell_is_told_whole() {
    let shell = Live::shell("true");
    let seen = inspect(shell.pid());
    let process = &seen["result"]["process"];
    assert_eq!(process["pid"], shell.pid());
    assert_eq!(process["comm"], "sleep");
    assert_eq!(process["argv"], json!(["sleep", "600"]));
    assert_eq!(process["ppid"], std::process::id());
    assert_eq!(own_gaps(&seen), [""; 0]);
    assert_eq!(process["listening"], json!([]));
    let exe = fs::read_link(format!("/proc/{}/exe", shell.pid())).unwrap();
    assert_eq!(process["exe"]["path"], exe.to_str().unwrap());
    assert_eq!(process["exe"]["size"], fs::metadata(exe).unwrap().len());
}

#[test]
fn a_server_shows_its_listeners_and_not_its_connections() {
    let server = Live::python(
        "import socket, tempfile\n\
         t = socket.socket(); t.bind(('127.0.0.1', 0)); t.listen()\n\
         c = socket.create_connection(t.getsockname())\n\
         six = socket.socket(socket.AF_INET6); six.bind(('::1', 0)); six.listen()\n\
         u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('127.0.0.1', 0))\n\
         n = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); n.connect(u.getsockname())\n\
         x = socket.socket(socket.AF_UNIX); x.bind(b'\\0zastava test \\xff\\x1b%d' % t.getsockname()[1]); x.listen()\n\
         print(t.getsockname()[1], six.getsockname()[1], u.getsockname()[1], flush=True)",
    );
    let ports: Vec<u16> = server.said.split(' ').map(|port| port.parse().unwrap()).collect();
    let seen = inspect(server.pid());
    let listening = seen["result"]["process"]["listening"].as_array().unwrap();
    let told: Vec<_> = listening
        .iter()
        .map(|s| {
            (
                s["proto"].as_str().unwrap(),
                s["address"].as_str().unwrap().to_owned(),
                s["port"].as_u64(),
            )
        })
        .collect();
    let unix = format!("@zastava test \u{fffd}\u{1b}{}", ports[0]);
    assert_eq!(
        told,
        [
            ("tcp", "127.0.0.1".to_owned(), Some(ports[0].into())),
            ("tcp", "::1".to_owned(), Some(ports[1].into())),
            ("udp", "127.0.0.1".to_owned(), Some(ports[2].into())),
            ("unix", unix, None),
        ]
    );
    assert!(listening.iter().all(|socket| socket["pids"] == json!([server.pid()])));
}

#[test]
fn what_a_neighbour_listens_on_stands_beside_with_its_owner() {
    let server = Live::python(
        "import socket\nt = socket.socket(); t.bind(('127.0.0.1', 0)); t.listen()\nprint(t.getsockname()[1], flush=True)",
    );
    let port: u16 = server.said.parse().unwrap();
    let other = Live::shell("true");
    let seen = inspect(other.pid());
    let beside = seen["result"]["process"]["listeningBeside"].as_array().unwrap();
    let found = beside.iter().find(|socket| socket["port"] == port).unwrap();
    assert_eq!(found["pids"], json!([server.pid()]));
}

// Pitfalls 3 and 4.
#[test]
fn a_deleted_executable_is_told_from_one_that_is_called_so() {
    let dir = tempfile::tempdir().unwrap();
    let deleted = dir.path().join("gone");
    let called = dir.path().join("here (deleted)");
    for path in [&deleted, &called] {
        fs::copy("/bin/sleep", path).unwrap();
    }
    let start =
        |path: &Path| Live::shell(&format!("exec 3<&0; '{0}' 600 & echo $!", path.display()));
    let (gone, here) = (start(&deleted), start(&called));
    let size = fs::metadata(&deleted).unwrap().len();
    let (gone_pid, here_pid) = (gone.said.parse().unwrap(), here.said.parse().unwrap());
    wait_for_exec(gone_pid);
    wait_for_exec(here_pid);
    fs::remove_file(&deleted).unwrap();
    let seen = inspect(gone_pid);
    let exe = &seen["result"]["process"]["exe"];
    assert_eq!(
        (&exe["path"], &exe["deleted"], &exe["size"]),
        (&json!(deleted), &json!(true), &json!(size))
    );
    assert_eq!(codes(&seen), ["exe-deleted"]);
    let seen = inspect(here_pid);
    let exe = &seen["result"]["process"]["exe"];
    assert_eq!((&exe["path"], &exe["deleted"]), (&json!(called), &json!(false)));
    assert_eq!(codes(&seen), [""; 0]);
    kill(gone_pid);
    kill(here_pid);
}

/// Waits until a child of a shell has become what it was told to run.
fn wait_for_exec(pid: u32) {
    wait_for("an exec", || !matches!(comm(pid).as_slice(), b"sh\n" | b""));
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

// Pitfall 5.
#[test]
fn a_program_run_from_memory_is_told_from_a_file_that_is_called_so() {
    let memory = Live::python(
        "import os\n\
         fd = os.memfd_create('x'); os.write(fd, open('/bin/sleep', 'rb').read())\n\
         pid = os.posix_spawn(f'/proc/self/fd/{fd}', ['innocent', '600'], os.environ)\n\
         print(pid, flush=True)",
    );
    let pid = memory.said.parse().unwrap();
    let seen = inspect(pid);
    kill(pid);
    let exe = &seen["result"]["process"]["exe"];
    assert_eq!(
        (&exe["path"], &exe["memfd"], &exe["deleted"]),
        (&json!("/memfd:x"), &json!(true), &json!(false))
    );
    assert_eq!(codes(&seen), ["exe-memfd"]);
}

// Pitfalls 6 and 7.
#[test]
fn memory_of_the_kernels_own_is_no_deleted_library() {
    let process = Live::python(
        "import mmap, os\n\
         shared = mmap.mmap(-1, 4096)\n\
         fd = os.memfd_create('heap'); os.ftruncate(fd, 4096); data = mmap.mmap(fd, 4096)\n\
         code = mmap.mmap(os.open('/bin/sleep', os.O_RDONLY), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ)",
    );
    let seen = inspect(process.pid());
    assert_eq!(lib(&seen, "/memfd:heap")["kind"], "memfd");
    assert_eq!(lib(&seen, "/dev/zero")["kind"], "shared-memory");
    assert_eq!(codes(&seen), [""; 0]);
}

#[test]
fn code_in_memory_that_no_file_stands_behind_is_remarked_upon() {
    let program = |memory: &str| {
        format!("import mmap, os\nfd = os.memfd_create('x'); os.ftruncate(fd, 4096)\nm = {memory}")
    };
    let all = "mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC";
    for memory in
        [format!("mmap.mmap(-1, 4096, prot={all})"), format!("mmap.mmap(fd, 4096, prot={all})")]
    {
        let process = Live::python(&program(&memory));
        assert_eq!(codes(&inspect(process.pid())), ["lib-memfd"], "{memory}");
    }
}

#[test]
fn a_library_replaced_under_a_process_and_one_deleted_are_remarked_upon() {
    let dir = tempfile::tempdir().unwrap();
    let (old, gone, new) =
        (dir.path().join("old.so"), dir.path().join("gone.so"), dir.path().join("new.so"));
    for path in [&old, &gone, &new] {
        fs::copy("/bin/sleep", path).unwrap();
    }
    let map = |path: &Path| {
        format!(
            "mmap.mmap(os.open('{}', os.O_RDONLY), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)",
            path.display()
        )
    };
    let process = Live::python(&format!("import mmap, os\na = {}\nb = {}", map(&old), map(&gone)));
    assert_eq!(codes(&inspect(process.pid())), [""; 0]);
    let (old_inode, size) = {
        let m = fs::metadata(&old).unwrap();
        (std::os::unix::fs::MetadataExt::ino(&m), m.len())
    };
    fs::rename(&new, &old).unwrap();
    fs::remove_file(&gone).unwrap();
    let seen = inspect(process.pid());
    assert_eq!(codes(&seen), ["lib-deleted", "lib-replaced"]);
    let told = lib(&seen, old.to_str().unwrap());
    assert_eq!(
        (&told["inode"], &told["replaced"], &told["size"]),
        (&json!(old_inode), &json!(true), &json!(size))
    );
    assert_eq!(lib(&seen, gone.to_str().unwrap())["replaced"], false);
}

// Pitfalls 1, 2 and 3, in names that are mapped.
#[test]
fn mapped_names_are_told_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let program = format!(
        "import mmap, os\nkept = []\n\
         for name in [b'sp  ace ', b'new\\nline', b'b\\\\012s', b'live (deleted)', b'\\xff.so', b'esc\\x1b[2J']:\n\
         \x20   path = os.fsencode('{}') + b'/' + name\n\
         \x20   fd = os.open(path, os.O_CREAT | os.O_RDWR); os.write(fd, b'x' * 4096)\n\
         \x20   kept.append(mmap.mmap(fd, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ))",
        dir.path().display()
    );
    let process = Live::python(&program);
    let seen = inspect(process.pid());
    let path = |name: &str| format!("{}/{name}", dir.path().display());
    for name in
        ["sp  ace ", "new\nline", r"b\012s", "live (deleted)", "\u{fffd}.so", "esc\u{1b}[2J"]
    {
        let told = lib(&seen, &path(name));
        assert_eq!((&told["deleted"], &told["size"]), (&json!(false), &json!(4096)), "{name:?}");
    }
    assert_eq!(own_gaps(&seen), [""; 0]);
    let wide = run(&mut zastava(["inspect", "pid", &process.pid().to_string(), "-o", "wide"]));
    for name in ["sp  ace ", r"new\nline", r"b\\012s", "live (deleted)", r"\xff.so", r"esc\x1b[2J"]
    {
        assert!(wide.stdout.contains(&path(name)), "{name} in {}", wide.stdout);
    }
    assert!(!wide.stdout.contains('\u{1b}'));
}

#[test]
fn a_name_with_terminal_escapes_drives_nothing() {
    let process = Live::python("open('/proc/self/comm', 'wb').write(b'a\\x1b[2J\\n) S \\xff')");
    let table = run(&mut zastava(["inspect", "pid", &process.pid().to_string()]));
    assert!(
        table.stdout.starts_with(&format!(r"'a\x1b[2J\n) S \xff'  pid {}, ", process.pid())),
        "{}",
        table.stdout
    );
    let seen = inspect(process.pid());
    let told = &seen["result"]["process"];
    assert_eq!(
        (&told["comm"], &told["commBytes"]),
        (&json!("a\u{1b}[2J\n) S \u{fffd}"), &json!("YRtbMkoKKSBTIP8"))
    );
}

#[test]
fn five_thousand_mappings_are_read() {
    let process = Live::python(
        "import mmap, os, tempfile\n\
         f = tempfile.TemporaryFile(); f.write(b'x' * 4096); f.flush()\n\
         kept = [mmap.mmap(f.fileno(), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ) for _ in range(5000)]",
    );
    let lines =
        fs::read(format!("/proc/{}/maps", process.pid())).unwrap().split(|&b| b == b'\n').count();
    assert!(lines > 5000, "{lines}");
    assert_eq!(own_gaps(&inspect(process.pid())), [""; 0]);
}

#[test]
fn a_process_that_dies_meanwhile_leaves_what_was_seen_of_it() {
    use zastava::limits::{Deadline, ReadLimits};
    use zastava::process::{Asked, ContentCache, ContentRequest, ProcRoot, ProcessHandle};
    let mut process = Live::shell("true");
    let root =
        ProcRoot::open(Path::new("/proc"), ReadLimits::default(), Deadline::never()).unwrap();
    let handle = ProcessHandle::open(&root, Asked::Pid(process.pid())).unwrap();
    process.end();
    let observed = zastava::inspect::process(
        &root,
        &handle,
        &ContentRequest::headers(&ContentCache::default()),
    );
    assert!(!observed.value.identity.comm.is_empty());
    let own = observed.gaps.as_slice().iter().filter(|gap| gap.field != "process.ancestry.exe");
    let reasons: Vec<_> = own.map(|gap| gap.reason.as_str()).collect();
    assert!(
        reasons.contains(&"vanished") && reasons.iter().all(|r| *r == "vanished"),
        "{:?}",
        observed.gaps
    );
    assert!(matches!(
        ProcessHandle::open(&root, Asked::Pid(process.pid())),
        Err(zastava::process::Error::NoProcess { .. })
    ));
}

#[test]
fn a_zombie_is_answered_for() {
    let mut process = Live::shell("true");
    process.leave_as_zombie();
    let seen = inspect(process.pid());
    assert_eq!(seen["result"]["process"]["state"], "Z");
    assert!(gap_list(&seen).contains(&"process.exe: vanished".to_owned()));
}

// The first thread may end and leave the others behind: `stat` calls that a zombie, too.
#[test]
fn a_process_whose_first_thread_has_ended_is_still_told_whole() {
    let process = Live::python(
        "import ctypes, socket, threading, os\n\
         t = socket.socket(); t.bind(('127.0.0.1', 0)); t.listen()\n\
         def stay():\n\
         \x20   while b') Z ' not in open(f'/proc/{os.getpid()}/stat', 'rb').read(): time.sleep(0.01)\n\
         \x20   print(t.getsockname()[1], flush=True); time.sleep(600)\n\
         threading.Thread(target=stay).start()\n\
         libc = ctypes.CDLL(None); libc.pthread_exit(None)",
    );
    let port: u16 = process.said.parse().unwrap();
    let seen = inspect(process.pid());
    let told = &seen["result"]["process"];
    assert_eq!((&told["state"], &told["threads"]), (&json!("Z"), &json!(2)));
    assert!(told["exe"]["path"].as_str().unwrap().contains("python"), "{told}");
    assert_eq!(told["listening"][0]["port"], port);
    assert_eq!(told["listening"][0]["pids"], json!([process.pid()]));
    assert_eq!(own_gaps(&seen), [""; 0]);
    assert!(seen["result"]["loadedLibs"].as_array().unwrap().len() > 3);
    let table = run(&mut zastava(["inspect", "pid", &process.pid().to_string()])).stdout;
    assert!(table.contains("first thread ended"), "{table}");
}

#[test]
fn a_listener_of_a_thread_that_left_the_others_descriptors_is_the_processs_own() {
    let process = Live::python(
        "import ctypes, os, socket, threading\n\
         spare = os.open('/dev/null', os.O_RDONLY)\n\
         def stay():\n\
         \x20   assert ctypes.CDLL(None).unshare(0x400) == 0\n\
         \x20   os.close(spare)\n\
         \x20   t = socket.socket(); t.bind(('127.0.0.1', 0)); t.listen()\n\
         \x20   print(t.getsockname()[1], flush=True); time.sleep(600)\n\
         threading.Thread(target=stay, daemon=True).start(); time.sleep(600)",
    );
    let port: u16 = process.said.parse().unwrap();
    let seen = inspect(process.pid());
    assert_eq!(own_gaps(&seen), [""; 0]);
    assert_eq!(seen["result"]["process"]["listening"][0]["port"], port);
}

#[test]
fn threads_that_open_and_close_descriptors_are_no_gap() {
    let process = Live::python(
        "import threading\n\
         def churn():\n\
         \x20   while True: open('/etc/passwd').close()\n\
         for _ in range(8): threading.Thread(target=churn, daemon=True).start()",
    );
    for _ in 0..10 {
        assert_eq!(own_gaps(&inspect(process.pid())), [""; 0]);
    }
}

// A name is the socket's owner's to choose, and may imitate a row of the table.
#[test]
fn a_socket_name_cannot_lend_a_listener_to_a_neighbour() {
    let victim = Live::python(
        "import socket, os\nt = socket.socket(); t.bind(('127.0.0.1', 0)); t.listen()\n\
         print(os.fstat(t.fileno()).st_ino, flush=True)",
    );
    let _forger = Live::python(&format!(
        "import socket\nx = socket.socket(socket.AF_UNIX)\n\
         x.bind(b'\\0a\\n0000000000000000: 00000002 00000000 00010000 0001 01 {} /run/evil.sock'); x.listen()",
        victim.said
    ));
    let seen = inspect(victim.pid());
    let listening = seen["result"]["process"]["listening"].as_array().unwrap();
    assert_eq!(listening.len(), 1, "{listening:#?}");
    assert_eq!(listening[0]["proto"], "tcp");
    assert_eq!(own_gaps(&seen), ["process.listening: malformed"]);
}

#[test]
fn a_process_with_very_many_groups_keeps_its_status() {
    let process = Live::python("import os\nif os.getuid() == 0: os.setgroups(range(65536))");
    let seen = inspect(process.pid());
    assert_eq!(own_gaps(&seen), [""; 0]);
    assert!(seen["result"]["process"]["security"]["capEff"].is_string());
}

#[test]
fn a_thread_is_answered_for_by_its_process() {
    let process = Live::python(
        "import threading\nt = threading.Thread(target=time.sleep, args=(600,), daemon=True); t.start()\n\
         print(t.native_id, flush=True)",
    );
    let ran = run(&mut zastava(["inspect", "pid", &process.said, "-o", "json"]));
    let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(seen["result"]["process"]["pid"], process.pid());
    assert_eq!(
        ran.stderr,
        format!("note: {} is a thread of process {}\n", process.said, process.pid())
    );
}

// Pitfall 20.
#[test]
fn behind_the_dynamic_loader_the_real_program_is_named() {
    let loader = fs::read_dir("/lib64").unwrap().map(|entry| entry.unwrap().path());
    let loader =
        loader.into_iter().find(|path| path.to_string_lossy().contains("/ld-linux")).unwrap();
    let process = Live::shell(&format!("{} /bin/sleep 600 & echo $!", loader.display()));
    let pid = process.said.parse().unwrap();
    wait_for_exec(pid);
    let seen = inspect(pid);
    kill(pid);
    assert_eq!(seen["result"]["process"]["exe"]["program"], "/bin/sleep");
    assert_eq!(codes(&seen), ["exe-loader"]);
}

#[test]
fn a_static_program_has_itself_mapped_and_nothing_else() {
    let busybox = Path::new("/bin/busybox");
    assert!(busybox.exists(), "install the Debian package busybox-static");
    let process =
        Live::start(std::process::Command::new(busybox).args(["sh", "-c", "echo ready; read x"]));
    let seen = inspect(process.pid());
    let libs = seen["result"]["loadedLibs"].as_array().unwrap();
    let paths: Vec<_> = libs.iter().map(|lib| lib["path"].as_str().unwrap()).collect();
    assert_eq!(paths, [fs::canonicalize(busybox).unwrap().to_str().unwrap()]);
    // The other half of pitfall 20: which applet it is stands in the arguments alone.
    assert_eq!(seen["result"]["process"]["exe"]["program"], "sh");
    assert_eq!(codes(&seen), [""; 0]);
}

/// What needs root.
mod as_root {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::*;
    use crate::command::{Ran, binary};
    use crate::live::{NOBODY, Public};

    fn nobody(public: &Public, arguments: &[&str]) -> Ran {
        run(Public::as_nobody(&mut binary(&public.zastava, arguments)))
    }

    #[test]
    fn an_ordinary_user_sees_their_own_process_whole() {
        let public = Public::new();
        let mut command = Live::python_command("import json");
        let own = Live::start(command.uid(NOBODY).gid(NOBODY).env("HOME", public.dir.path()));
        let ran = nobody(&public, &["inspect", "pid", &own.pid().to_string(), "-o", "json"]);
        let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((ran.code, own_gaps(&seen)), (Some(0), vec![]));
        assert!(
            seen["result"]["loadedLibs"].as_array().unwrap().iter().all(|lib| lib["size"].is_u64())
        );
    }

    // Pitfall 54: a security module refuses although the capability is there, so it is not advised.
    #[test]
    fn advice_knows_the_capabilities_that_the_reader_has() {
        use std::os::unix::fs::PermissionsExt;
        let (public, tree) = (Public::new(), crate::proc_tree::ProcTree::new());
        fs::set_permissions(tree.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let process = tree.process(7);
        fs::set_permissions(process.path("maps"), fs::Permissions::from_mode(0o000)).unwrap();
        fs::remove_file(tree.path().join("self")).unwrap();
        std::os::unix::fs::symlink("8", tree.path().join("self")).unwrap();
        for (capabilities, advice) in [
            ("0000000000080000", "refused despite CAP_SYS_PTRACE"),
            ("0000000000000000", "needs root or CAP_SYS_PTRACE"),
        ] {
            tree.process(8)
                .file("status", format!("Tgid:\t8\nCapEff:\t{capabilities}\n").as_bytes());
            let ran = nobody(
                &public,
                &["inspect", "pid", "7", "-o", "json", "--proc", tree.path().to_str().unwrap()],
            );
            let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
            let gaps = seen["gaps"].as_array().unwrap();
            let denied = gaps.iter().find(|gap| gap["field"] == "loadedLibs").unwrap();
            let told = (&denied["reason"], &denied["hint"]);
            assert_eq!(told, (&json!("denied"), &json!(advice)));
        }
    }

    // Pitfalls 19, 54, 55, 56 and 58: whoever refuses, a refusal is a gap in each field that it hides.
    #[test]
    fn an_ordinary_user_is_told_what_is_denied_of_others() {
        let (public, roots) = (Public::new(), Live::shell("true"));
        let ran = nobody(&public, &["inspect", "pid", &roots.pid().to_string(), "-o", "json"]);
        let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert_eq!(
            own_gaps(&seen),
            [
                "process.namespaces: denied",
                "process.exe: denied",
                "loadedLibs: denied",
                "process.listening: denied",
                "process.listeningBeside: denied"
            ]
        );
        let gaps = seen["gaps"].as_array().unwrap().iter().filter(|gap| gap["reason"] == "denied");
        let hints = gaps.map(|gap| &gap["hint"]);
        assert!(hints.into_iter().all(|hint| hint == "needs root or CAP_SYS_PTRACE"));
        assert_eq!(seen["result"]["process"]["argv"], json!(["sleep", "600"]));
    }

    #[test]
    fn without_the_right_to_map_files_a_deleted_library_is_known_and_its_size_is_a_gap() {
        let public = Public::new();
        let path = public.dir.path().join("gone.so");
        let mut command = Live::python_command(&format!(
            "import mmap, os\nfd = os.open('{}', os.O_CREAT | os.O_RDWR); os.write(fd, b'x' * 4096)\n\
             m = mmap.mmap(fd, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC); os.unlink('{}')",
            path.display(),
            path.display()
        ));
        let own = Live::start(command.uid(NOBODY).gid(NOBODY).env("HOME", public.dir.path()));
        let ran = nobody(&public, &["inspect", "pid", &own.pid().to_string(), "-o", "json"]);
        let seen: Value = serde_json::from_str(&ran.stdout).unwrap();
        let told = lib(&seen, path.to_str().unwrap());
        assert_eq!((&told["deleted"], told.get("size")), (&json!(true), None));
        assert_eq!(told["digestStatus"], "denied");
        let denied = ["size", "buildId", "sha256"].map(|f| format!("loadedLibs.{f}: denied"));
        assert_eq!(own_gaps(&seen), denied);
        let gaps = seen["gaps"].as_array().unwrap();
        let denied = gaps.iter().find(|gap| gap["field"] == "loadedLibs.size").unwrap();
        assert_eq!(denied["hint"], "needs CAP_CHECKPOINT_RESTORE");
        // The twin: root has the right. head -c 4096 /dev/zero | tr '\\0' x | sha256sum
        const X: &str = "a2e659dacb4691e887ac0139f8893d04764ee197d70fb73d3190d56113d18e3e";
        let seen = inspect(own.pid());
        let told = lib(&seen, path.to_str().unwrap());
        assert_eq!((&told["size"], &told["sha256"]), (&json!(4096), &json!(X)));
    }

    /// Looks as `nobody` through a procfs that hides other users' processes.
    fn nobody_under_hidepid(public: &Public, hidepid: u32, pid: u32) -> Ran {
        let look = format!(
            "mount -t proc -o hidepid={hidepid} proc /proc && \
             exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups {} inspect pid {pid}",
            public.zastava.display()
        );
        let mut command = Command::new("unshare");
        run(command.args(["--mount", "sh", "-c", &look]).env("LC_ALL", "C.UTF-8"))
    }

    // Pitfall 53.
    #[test]
    fn a_hidden_process_is_no_process_and_the_mount_option_is_named() {
        let (public, roots) = (Public::new(), Live::shell("true"));
        let ran = nobody_under_hidepid(&public, 2, roots.pid());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
        assert_eq!(
            ran.stderr,
            format!(
                "error: no process {} under /proc, which hides other users' processes (hidepid=2)\n\
                 hint: run as root, or as a member of the gid= group of that mount\n",
                roots.pid()
            )
        );
    }

    #[test]
    fn where_the_directories_are_closed_nothing_is_readable_and_that_is_said() {
        let (public, roots) = (Public::new(), Live::shell("true"));
        let ran = nobody_under_hidepid(&public, 1, roots.pid());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
        let first = ran.stderr.lines().next().unwrap();
        assert_eq!(
            first,
            format!("error: failed to read /proc/{}/stat: operation not permitted", roots.pid())
        );
    }

    // Anybody can make a bind mount that looks like an engine's.
    #[test]
    fn a_bind_mount_like_dockers_makes_no_container_of_the_hosts_files() {
        let dir = tempfile::tempdir().unwrap();
        let id = "0d7b506bbcea05f3a1c0de5b0c0ffee00112233445566778899aabbccddeeff0";
        let fake = dir.path().join(format!("containers/{id}"));
        fs::create_dir_all(&fake).unwrap();
        fs::write(fake.join("hostname"), "x").unwrap();
        let line = format!(
            "mount --bind {}/hostname /etc/hostname && echo ready; exec sleep 600",
            fake.display()
        );
        let process = Live::start(Command::new("unshare").args(["--mount", "sh", "-c", &line]));
        let seen = inspect(process.pid());
        let on_host = json!({"platform": "host", "containerId": "none", "outer": []});
        assert_eq!(seen["result"]["workload"], on_host);
    }

    #[test]
    fn an_executable_that_was_mounted_over_or_unmounted_is_told() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::copy("/bin/true", other.path().join("zastava-run")).unwrap();
        let start = |after: &str| {
            let line = format!(
                "mount -t tmpfs none {0} && cp /bin/sleep {0}/zastava-run || exit 1; {0}/zastava-run 600 & p=$!; \
                 until [ \"$(cat /proc/$p/comm)\" = zastava-run ]; do :; done; {after}; echo $p; wait",
                dir.path().display()
            );
            Live::start(Command::new("unshare").args(["--mount", "sh", "-c", &line]))
        };
        let look = |process: Live| {
            let pid = process.said.parse().unwrap();
            let seen = inspect(pid);
            kill(pid);
            seen
        };
        let over = format!("mount --bind {} {}", other.path().display(), dir.path().display());
        assert_eq!(codes(&look(start(&over))), ["exe-elsewhere"]);
        // Of an unmounted file the kernel prints the name from that mount's own root: it leads nowhere.
        let seen = look(start(&format!("umount -l {}", dir.path().display())));
        assert_eq!(seen["result"]["process"]["exe"]["path"], "/zastava-run");
        assert!(own_gaps(&seen).contains(&"process.exe.path: not-found".to_owned()), "{seen:#}");
    }

    #[test]
    fn a_name_outside_a_chroot_is_not_looked_up_inside_it() {
        let (jail, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = outside.path().join("o.so");
        fs::copy("/bin/sleep", &file).unwrap();
        let decoy = jail.path().join(file.strip_prefix("/").unwrap());
        fs::create_dir_all(decoy.parent().unwrap()).unwrap();
        fs::write(&decoy, "unrelated").unwrap();
        let process = Live::python(&format!(
            "import mmap, os\n\
             m = mmap.mmap(os.open('{0}', os.O_RDONLY), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)\n\
             os.chroot('{1}'); os.chdir('/')",
            file.display(),
            jail.path().display()
        ));
        fs::remove_file(&file).unwrap();
        let seen = inspect(process.pid());
        assert_eq!(lib(&seen, file.to_str().unwrap())["replaced"], false);
        assert_eq!(codes(&seen), ["lib-deleted"]);
    }

    // Pitfall 21, and the process that lives in namespaces of its own without being a container.
    #[test]
    fn a_process_in_its_own_mount_and_pid_namespace_is_seen_by_its_own_root() {
        let process = Live::start(Command::new("unshare").args([
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
            "mount -t tmpfs none /mnt && cp /bin/sleep /mnt/hidden && /mnt/hidden 600 & echo ready; wait",
        ]));
        let hidden = child_named(process.pid(), b"hidden\n");
        let seen = inspect(hidden);
        let told = &seen["result"]["process"];
        assert_eq!(told["exe"]["path"], "/mnt/hidden");
        assert_eq!(told["exe"]["deleted"], false);
        assert_eq!(
            (&told["namespaces"]["mnt"]["host"], &told["namespaces"]["pid"]["host"]),
            (&json!(false), &json!(false))
        );
        assert_eq!(told["nsPids"].as_array().unwrap().len(), 2);
        assert_eq!(own_gaps(&seen), ["workload.containerId: not-found"]);
    }

    /// The descendant of a process that has a name.
    fn child_named(ancestor: u32, name: &[u8]) -> u32 {
        let found = std::cell::Cell::new(0);
        wait_for("a descendant", || {
            let mut next = vec![ancestor];
            while let Some(pid) = next.pop() {
                if comm(pid) == name {
                    found.set(pid);
                    return true;
                }
                let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
                let children = children.unwrap_or_default();
                next.extend(children.split_whitespace().map(|pid| pid.parse::<u32>().unwrap()));
            }
            false
        });
        found.get()
    }

    /// What needs runc.
    mod with_runc {
        use super::*;
        use crate::container::Container;

        #[test]
        fn a_container_that_no_engine_lists_has_its_name_and_its_own_root() {
            let container = Container::start(&["/bin/busybox", "sleep", "600"]);
            let seen = inspect(container.pid());
            let result = &seen["result"];
            assert_eq!(result["workload"]["containerId"], container.id());
            assert_eq!(result["workload"]["foundBy"], "cgroup-name");
            assert_eq!(result["process"]["exe"]["path"], "/bin/busybox");
            assert_eq!(result["process"]["argv"], json!(["/bin/busybox", "sleep", "600"]));
            let host: Vec<_> = ["mnt", "pid", "net", "ipc", "uts", "user"]
                .map(|kind| result["process"]["namespaces"][kind]["host"].as_bool().unwrap())
                .to_vec();
            assert_eq!(host, [false, false, false, false, false, true]);
            assert_eq!(result["process"]["nsPids"], json!([container.pid(), 1]));
            assert_eq!(codes(&seen), [""; 0]);
            assert_eq!(
                own_gaps(&seen),
                ["runtime.engine: unsupported", "workload.platform: unsupported"]
            );
        }
    }
}
