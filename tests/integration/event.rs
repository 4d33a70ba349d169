//! `-o event`: what the node agent would send of a process, printed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use zastava::contract::Minor;

use crate::command::{ZASTAVA, run, zastava};
use crate::contract::{event_id_by_python, wrong_in_event};
use crate::proc_tree::ProcTree;

const BOTH: [&[&str]; 2] = [&["inspect", "pid"], &["libs"]];
const MINORS: [(&str, Minor); 2] = [("v1.0", Minor::V1_0), ("v1.1", Minor::V1_1)];

/// The bytes that a command prints for a process, without the newline.
fn bytes(command: &[&str], pid: u32, more: &[&str]) -> Vec<u8> {
    let pid = pid.to_string();
    let output = zastava(command).arg(&pid).args(["-o", "event"]).args(more).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""));
    let mut bytes = output.stdout;
    assert_eq!(bytes.pop(), Some(b'\n'));
    assert!(!bytes.contains(&b'\n'));
    bytes
}

fn read(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// An event without what two samples differ in.
fn steady(bytes: &[u8]) -> Value {
    let mut envelope = read(bytes);
    let event = envelope["event"].as_object_mut().unwrap();
    assert!(event.remove("when").is_some() && event.remove("eventId").is_some());
    envelope
}

/// The gaps of an event, as `field: reason`.
fn gaps(envelope: &Value) -> Vec<String> {
    let gaps = envelope["event"]["gaps"].as_array().unwrap().iter();
    let word = |gap: &Value, name: &str| gap[name].as_str().unwrap().to_owned();
    gaps.map(|gap| format!("{}: {}", word(gap, "field"), word(gap, "reason"))).collect()
}

/// The gaps that an event of version 1.0 has as evidence.
fn gaps_in_evidence(envelope: &Value) -> Vec<String> {
    let evidence = envelope["event"]["evidence"].as_array().unwrap().iter();
    let gaps = evidence.filter(|one| one["signal"] == "gap");
    gaps.map(|gap| gap["value"].as_str().unwrap().to_owned()).collect()
}

/// A tree whose process 7 has a gap, a deleted file and a name that would drive a terminal.
fn tree() -> ProcTree {
    let tree = ProcTree::new();
    let (app, odd) = (tree.rootfs().join("app"), "csi\u{9b}2J rtl\u{202e}.so");
    let file = tree.rootfs_file(odd, b"small");
    let lines = [
        crate::proc_tree::map_line(&app, &tree.name("/app")),
        crate::proc_tree::map_line(&file, &tree.name(&format!("/{odd}"))),
        format!(
            "7f0000000000-7f0000001000 r-xp 00003000 fe:00 77    {} (deleted)\n",
            tree.name("/gone.so")
        )
        .into_bytes(),
    ];
    tree.process(7).file("maps", &lines.concat());
    tree
}

fn of_tree(tree: &ProcTree, more: &[&str]) -> Vec<u8> {
    let proc = ["--proc", tree.path().to_str().unwrap(), "--node", "n1"];
    bytes(&["libs"], 7, &[&proc, more].concat())
}

#[test]
fn the_event_of_a_process_is_whole() {
    use std::os::unix::fs::MetadataExt;
    let tree = tree();
    let meta = |name: &str| fs::metadata(tree.rootfs().join(name)).unwrap();
    let odd = "csi\u{9b}2J rtl\u{202e}.so";
    let dev = meta("app").dev();
    let dev = format!("{}:{}", rustix::fs::major(dev), rustix::fs::minor(dev));
    let odd_path = tree.name(&format!("/{odd}"));
    let (app, gone) = (tree.name("/app"), tree.name("/gone.so"));
    // printf 'the program' | sha256sum; printf small | sha256sum
    const APP: &str = "50fda23bf0a5115d4f893dc10d122c10a4705f47688f5620e80611c092d4053e";
    const SMALL: &str = "81db8ebbbbc69c6c6ad4a6aa92b76e0c08af547da236b9e2c9dbe1d8285a8130";
    let gap =
        |field: &str| json!({"field": field, "reason": "not-found", "tried": gone, "count": 1});
    let expected = json!({
        "schemaVersion": "zastava.runtime.event@v1.1",
        "event": {
            "kind": "CONTAINER_START",
            "node": "n1",
            "workload": {"platform": "host"},
            "process": {
                "pid": 7,
                "startedAt": "2025-11-24T00:00:01Z",
                "observedTrace": [{"file": "<procfs>", "op": "exec", "target": app}],
            },
            "loadedLibs": [
                {"path": app, "inode": meta("app").ino(), "sha256": APP, "dev": dev, "size": 11, "deleted": false},
                {"path": odd_path, "inode": meta(odd).ino(), "sha256": SMALL, "dev": dev, "size": 5, "deleted": false},
                {"path": gone, "inode": 77, "dev": "254:0", "deleted": true, "digestStatus": "not-found"},
            ],
            "evidence": [
                {"signal": "procfs.maps", "value": format!("{app}@+0x0")},
                {"signal": "procfs.maps", "value": format!("{odd_path}@+0x0")},
                {"signal": "procfs.maps", "value": format!("{gone}@+0x3000")},
            ],
            "recovered": true,
            "gaps": [gap("loadedLibs.size"), gap("loadedLibs.buildId"), gap("loadedLibs.sha256")],
        }
    });
    let seen = of_tree(&tree, &[]);
    assert_eq!(steady(&seen), expected);
    assert_eq!(wrong_in_event(Minor::V1_1, &seen), [""; 0]);
}

#[test]
fn at_version_1_0_each_gap_is_evidence_and_nothing_is_there_that_was_appended() {
    let tree = tree();
    let (old, new) = (of_tree(&tree, &["--contract", "v1.0"]), of_tree(&tree, &[]));
    assert_eq!(wrong_in_event(Minor::V1_0, &old), [""; 0]);
    // The twin: what version 1.1 says is too much for it.
    let renamed = String::from_utf8(new.clone()).unwrap().replace("event@v1.1", "event@v1.0");
    assert_ne!(wrong_in_event(Minor::V1_0, renamed.as_bytes()), [""; 0]);
    let (mut old, mut new) = (steady(&old), steady(&new));
    let names = ["size", "buildId", "sha256"].map(|name| format!("loadedLibs.{name}: not-found"));
    assert_eq!((gaps_in_evidence(&old), gaps(&new)), (names.to_vec(), names.to_vec()));
    assert_eq!(old["schemaVersion"], "zastava.runtime.event@v1.0");
    // But for what was appended they say the same.
    let evidence = |envelope: &mut Value| {
        let list = envelope["event"]["evidence"].as_array_mut().unwrap();
        list.retain(|one| one["signal"] != "gap");
    };
    evidence(&mut old);
    let event = new["event"].as_object_mut().unwrap();
    assert!(event.remove("gaps").is_some() && event.remove("recovered").is_some());
    let process = new["event"]["process"].as_object_mut().unwrap();
    assert!(process.remove("startedAt").is_some() && process.remove("observedTrace").is_some());
    for file in new["event"]["loadedLibs"].as_array_mut().unwrap() {
        let members = file.as_object_mut().unwrap();
        members.retain(|name, _| ["path", "inode", "sha256"].contains(&name.as_str()));
    }
    assert_eq!(old["event"], new["event"]);
}

#[test]
fn a_file_gets_the_canonical_bytes_that_a_pipe_gets() {
    let (tree, dir) = (tree(), tempfile::tempdir().unwrap());
    let file = dir.path().join("event.json");
    let into = format!("event={}", file.display());
    for command in BOTH {
        let mut both = zastava(command);
        both.args(["7", "-o", "event", "-o", &into, "--proc"]).arg(tree.path());
        let output = both.output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(output.stdout, fs::read(&file).unwrap());
        // They stand as they are: nothing is escaped that canonical JSON does not escape.
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("csi\u{9b}2J rtl\u{202e}.so") && !text.contains("\\u009b"), "{text}");
        assert!(text.ends_with("}\n") && text.matches('\n').count() == 1);
        // The table goes to stdout where only the file was asked for.
        let mut table = zastava(command);
        table.args(["7", "-o", &into, "--proc"]).arg(tree.path());
        assert!(run(&mut table).stdout.contains("app"));
        assert_eq!(read(&fs::read(&file).unwrap())["event"]["process"]["pid"], 7);
    }
}

mod on_a_terminal {
    use super::*;

    #[test]
    fn what_would_drive_a_terminal_is_escaped_and_means_the_same() {
        let tree = tree();
        let line = |command: &str, more: &str| {
            format!(
                "LC_ALL=C.UTF-8 '{ZASTAVA}' {command} 7 -o event --quiet --node n1 --proc '{}' {more}",
                tree.path().display()
            )
        };
        for command in ["libs", "inspect pid"] {
            let shown = run(Command::new("script")
                .args(["-qec", &line(command, ""), "/dev/null"])
                .stdin(Stdio::null()));
            assert_eq!(shown.code, Some(0), "{shown:?}");
            let text = shown.stdout.trim_end();
            assert!(text.contains(r"csi\u009b2J rtl\u202e.so"), "{text}");
            assert!(!text.contains(['\u{9b}', '\u{202e}', '\u{1b}']), "{text}");
            let arguments: Vec<&str> = command.split(' ').collect();
            let proc = ["--proc", tree.path().to_str().unwrap(), "--node", "n1"];
            let in_a_pipe = bytes(&arguments, 7, &proc);
            assert_eq!(steady(text.as_bytes()), steady(&in_a_pipe));
            // A file has the canonical bytes even then.
            let file = tree.path().join("event.json");
            let more = format!("-o event='{}'", file.display());
            let both = line(command, &more);
            run(Command::new("script").args(["-qec", &both, "/dev/null"]).stdin(Stdio::null()));
            let written = fs::read_to_string(&file).unwrap();
            assert!(written.contains("csi\u{9b}2J rtl\u{202e}.so"), "{written}");
        }
    }
}

/// Processes that a test starts.
mod live_processes {
    use super::*;
    use crate::live::Live;

    /// A shell, and a server with mappings of every kind, one of a name that is no UTF-8.
    fn processes(dir: &Path) -> Vec<Live> {
        let odd = format!(
            "import mmap, os, socket\n\
             t = socket.socket(); t.bind(('127.0.0.1', 0)); t.listen()\n\
             def code(fd): return mmap.mmap(fd, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC)\n\
             def made(name):\n\
             \x20   fd = os.open(os.fsencode('{}') + b'/' + name, os.O_CREAT | os.O_RDWR)\n\
             \x20   os.write(fd, b'x' * 4096); return code(fd)\n\
             memory = os.memfd_create('m'); os.ftruncate(memory, 4096)\n\
             kept = [made(b'gone.so'), made(b'\\xff\\xfe.so'), made(b'\\xe2\\x80\\xaex'), code(memory)]\n\
             os.unlink('{}/gone.so')",
            dir.display(),
            dir.display()
        );
        vec![Live::shell("true"), Live::python(&odd)]
    }

    #[test]
    fn every_event_is_of_its_schema_in_both_versions_and_has_nothing_besides() {
        let dir = tempfile::tempdir().unwrap();
        for process in processes(dir.path()) {
            for command in BOTH {
                for (version, minor) in MINORS {
                    let seen = bytes(command, process.pid(), &["--contract", version]);
                    assert_eq!(wrong_in_event(minor, &seen), [""; 0], "{command:?} {version}");
                    assert_eq!(read(&seen)["event"]["process"]["pid"], process.pid());
                }
            }
        }
    }

    #[test]
    fn a_name_that_is_no_utf_8_has_its_bytes_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let processes = processes(dir.path());
        let seen = read(&bytes(&["libs"], processes[1].pid(), &[]));
        let libs = seen["event"]["loadedLibs"].as_array().unwrap();
        let broken: Vec<_> = libs.iter().filter_map(|lib| lib.get("pathBytes")).collect();
        let python = "import base64, os, sys; b = os.fsencode(sys.argv[1]) + b'/\\xff\\xfe.so'\n\
            print(base64.urlsafe_b64encode(b).decode().rstrip('='))";
        let told = Command::new("python3").args(["-c", python]).arg(dir.path()).output().unwrap();
        assert_eq!(broken, [String::from_utf8(told.stdout).unwrap().trim_end()]);
        let path = format!("{}/\u{fffd}\u{fffd}.so", dir.path().display());
        assert!(libs.iter().any(|lib| lib["path"] == path.as_str()), "{libs:#?}");
        // Memory is there, the kernel's own objects are not.
        assert!(libs.iter().any(|lib| lib["path"] == "/memfd:m"), "{libs:#?}");
        assert!(libs.iter().all(|lib| lib["path"].as_str().unwrap().starts_with('/')));
    }

    #[test]
    fn two_samples_differ_in_their_time_and_id_alone_and_both_commands_say_the_same() {
        let dir = tempfile::tempdir().unwrap();
        for process in processes(dir.path()) {
            for (version, _) in MINORS {
                let samples = BOTH.map(|command| {
                    [(); 2].map(|()| bytes(command, process.pid(), &["--contract", version]))
                });
                let [first, rest @ ..] = &samples.concat()[..] else { panic!() };
                for other in rest {
                    assert_eq!(steady(first), steady(other), "{version}");
                    let (first, other) = (read(first), read(other));
                    assert_ne!(first["event"]["when"], other["event"]["when"]);
                    assert_ne!(first["event"]["eventId"], other["event"]["eventId"]);
                }
            }
        }
    }

    #[test]
    fn the_id_of_every_event_is_found_again_by_python_in_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        for process in processes(dir.path()) {
            for command in BOTH {
                for (version, _) in MINORS {
                    let seen = bytes(command, process.pid(), &["--contract", version]);
                    let id = event_id_by_python(&seen);
                    assert_eq!(read(&seen)["event"]["eventId"], id, "{command:?} {version}");
                }
            }
        }
    }

    /// What would tell an adversary how to attack the process, or what it was trusted with.
    fn secrets(process: &Live) -> Vec<String> {
        let maps = fs::read_to_string(format!("/proc/{}/maps", process.pid())).unwrap();
        let ends = maps.lines().flat_map(|line| line.split(' ').next().unwrap().split('-'));
        let mut secrets: Vec<_> = ends.map(str::to_owned).collect();
        assert!(secrets.len() > 20, "{maps}");
        secrets.extend(["hunter2".to_owned(), "swordfish".to_owned(), "TOKEN".to_owned()]);
        secrets
    }

    /// A process with a secret in its arguments and one in its environment.
    fn trusted(program: &str) -> Command {
        let mut command = Live::python_command(program);
        command.arg("--password=hunter2").env("API_TOKEN", "swordfish");
        command
    }

    fn leaked(secrets: &[String], seen: &[u8]) -> Vec<String> {
        let text = String::from_utf8(seen.to_vec()).unwrap();
        secrets.iter().filter(|secret| text.contains(*secret)).cloned().collect()
    }

    #[test]
    fn no_argument_no_variable_and_no_address_is_in_an_event() {
        let process = Live::start(&mut trusted("pass"));
        let secrets = secrets(&process);
        for command in BOTH {
            for (version, _) in MINORS {
                let seen = bytes(command, process.pid(), &["--contract", version]);
                assert_eq!(leaked(&secrets, &seen), [""; 0], "{command:?} {version}");
            }
        }
        // The twin: they are what this test looks for, and the document for the node has some of them.
        let pid = process.pid().to_string();
        let document = run(&mut zastava(["inspect", "pid", &pid, "-o", "json"]));
        assert_eq!(leaked(&secrets, document.stdout.as_bytes()), ["hunter2"]);
    }

    /// What needs root.
    mod as_root {
        use std::os::unix::process::CommandExt;

        use super::*;
        use crate::command::binary;
        use crate::live::{NOBODY, Public};

        #[test]
        fn a_gap_of_a_mapping_tells_no_address_either() {
            let public = Public::new();
            let path = public.dir.path().join("gone.so");
            let program = format!(
                "import mmap, os\nfd = os.open('{0}', os.O_CREAT | os.O_RDWR); os.write(fd, b'x' * 4096)\n\
                 m = mmap.mmap(fd, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC); os.unlink('{0}')",
                path.display()
            );
            let mut command = trusted(&program);
            let process =
                Live::start(command.uid(NOBODY).gid(NOBODY).env("HOME", public.dir.path()));
            let (secrets, pid) = (secrets(&process), process.pid().to_string());
            let denied = ["size", "buildId", "sha256"].map(|n| format!("loadedLibs.{n}: denied"));
            for command in BOTH {
                for (version, minor) in MINORS {
                    let mut look = binary(&public.zastava, command);
                    look.args([&pid, "-o", "event", "--contract", version]);
                    let ran = run(Public::as_nobody(&mut look));
                    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
                    let seen = ran.stdout.trim_end().as_bytes();
                    let mut told = match minor {
                        Minor::V1_0 => gaps_in_evidence(&read(seen)),
                        Minor::V1_1 => gaps(&read(seen)),
                    };
                    // A machine that is a container cannot tell where a process belongs.
                    told.retain(|gap| gap.starts_with("loadedLibs"));
                    assert_eq!(told, denied, "{command:?} {version}");
                    assert_eq!(leaked(&secrets, seen), [""; 0], "{command:?} {version}");
                    assert_eq!(wrong_in_event(minor, seen), [""; 0]);
                }
            }
        }

        mod with_runc {
            use super::*;
            use crate::container::Container;

            const UNASKED: [&str; 3] = [
                "runtime.version: unsupported",
                "workload.imageRef: unsupported",
                "process.entrypoint: unsupported",
            ];

            #[test]
            fn a_container_has_its_name_and_what_only_an_engine_knows_is_a_gap() {
                let container = Container::start(&["/bin/busybox", "sleep", "600"]);
                for command in BOTH {
                    for (version, minor) in MINORS {
                        let seen = bytes(command, container.pid(), &["--contract", version]);
                        assert_eq!(wrong_in_event(minor, &seen), [""; 0]);
                        let envelope = read(&seen);
                        let workload = json!({"containerId": container.id()});
                        assert_eq!(envelope["event"]["workload"], workload);
                        assert_eq!(envelope["event"].get("runtime"), None);
                        let told = match minor {
                            Minor::V1_0 => gaps_in_evidence(&envelope),
                            Minor::V1_1 => gaps(&envelope),
                        };
                        let engine =
                            ["runtime.engine: unsupported", "workload.platform: unsupported"];
                        assert_eq!(told, [&engine[..], &UNASKED].concat(), "{command:?} {version}");
                        assert_eq!(event_id_by_python(&seen), envelope["event"]["eventId"]);
                    }
                }
            }

            #[test]
            fn a_process_of_the_host_has_no_such_gap() {
                let process = Live::shell("true");
                let envelope = read(&bytes(&["libs"], process.pid(), &[]));
                assert_eq!(envelope["event"]["workload"], json!({"platform": "host"}));
                assert_eq!(gaps(&envelope), [""; 0]);
            }
        }
    }
}
