//! The golden events, built of the product's own types. What `golden.py` says in JSON is said here
//! in Rust, by hand and a second time; the bytes must be the same.

use jiff::Timestamp;
use zastava::contract::{
    Alternative, Attestation, BuildId, Confidence, Delta, EntryStep, Evidence, Finding, Gap, Kind,
    LoadedLib, Minor, NewBinary, Owner, Platform, PolicyVerdict, Posture, Process, Reason, Runtime,
    RuntimeEvent, SbomReferrer, Service, Severity, Sha256, Signal, Strength, Terminal,
    TerminalMode, Verdict, Workload,
};

use super::{HELPER, LIBSSL, MANIFEST, s, some};

/// Every golden event by its name, with the minor that it is written in.
pub(super) fn all() -> Vec<(&'static str, Minor, RuntimeEvent)> {
    vec![
        ("event-everything-1.0", Minor::V1_0, everything()),
        ("event-everything-1.1", Minor::V1_1, everything()),
        ("event-path-bytes-1.0", Minor::V1_0, path_that_is_no_utf_8()),
        ("event-path-bytes-1.1", Minor::V1_1, path_that_is_no_utf_8()),
        ("event-stop-1.1", Minor::V1_1, stop()),
        ("event-drift-1.1", Minor::V1_1, drift()),
        ("event-policy-violation-1.1", Minor::V1_1, policy_violation()),
        ("event-attestation-status-1.0", Minor::V1_0, attestation_status()),
        ("event-host-process-1.1", Minor::V1_1, host_process()),
        ("event-entry-1.1", Minor::V1_1, entry()),
        ("event-text-1.1", Minor::V1_1, text()),
        ("event-largest-numbers-1.1", Minor::V1_1, largest_numbers()),
        ("event-empty-lists-1.1", Minor::V1_1, empty_lists()),
        ("event-least-1.0", Minor::V1_0, least()),
    ]
}

/// A pod's container, with every field set somewhere.
pub(super) fn everything() -> RuntimeEvent {
    RuntimeEvent {
        tenant: some("tenant-01"),
        node: some("ip-10-0-1-23"),
        runtime: Some(Runtime { engine: s("containerd"), version: some("1.7.19") }),
        workload: a_pods_container(),
        process: Some(a_whole_process()),
        loaded_libs: Some(vec![a_known_lib(), a_lib_without_digest()]),
        posture: Some(Posture {
            image_signed: Some(true),
            sbom_referrer: Some(SbomReferrer::Present),
            attestation: Some(Attestation { uuid: some("24296fb24b8ad77a"), verified: Some(true) }),
        }),
        delta: Some(a_whole_delta()),
        evidence: vec![evidence("cri.task.inspect", "pid=12345")],
        findings: Some(vec![a_whole_finding()]),
        policy: Some(PolicyVerdict {
            verdict: Verdict::Warn,
            revision: some("r17"),
            reasons: vec![s("missing SBOM")],
        }),
        recovered: Some(true),
        gaps: Some(vec![
            Gap::new("process.entrypoint", Reason::Unreachable, "cri: ImageStatus"),
            Gap::new("loadedLibs.sha256", Reason::Budget, "/usr/lib/libz.so.1")
                .times(3)
                .with_hint("raise collect.maxHashBytesPerContainer"),
        ]),
        ..event("2025-10-17T12:34:56.123456789Z", Kind::ContainerStart)
    }
}

fn a_pods_container() -> Workload {
    Workload {
        platform: Some(Platform::Kubernetes),
        namespace: some("payments"),
        pod: some("api-7c9fbbd8b7-ktd84"),
        container: some("api"),
        container_id: some("containerd://4f1d"),
        image_ref: Some(format!("ghcr.io/acme/api@{MANIFEST}")),
        owner: Some(Owner { kind: s("Deployment"), name: s("api") }),
    }
}

fn a_whole_process() -> Process {
    Process {
        pid: 12345,
        entrypoint: Some(vec![s("/entrypoint.sh"), s("--serve")]),
        entry_trace: Some(vec![
            EntryStep {
                line: Some(3),
                user: some("app"),
                guard: some("$# -gt 0"),
                confidence: Some(Confidence::Assumed),
                ..step("/entrypoint.sh", "exec", "/usr/bin/python3")
            },
            step("<argv>", "python", "/opt/app/server.py"),
        ]),
        build_id: Some(build_id("9f3a1cd4c0b7adfe91c0e3b51d2f45fb0f76a4c1")),
        started_at: Some(time("2025-10-17T12:34:55Z")),
        terminal: Some(Terminal {
            uid: Some(1000),
            user: some("app"),
            mode: Some(TerminalMode::Exec),
            path_bytes: some("L3g"),
            ..terminal("/usr/bin/python3")
        }),
        observed_trace: Some(vec![step("<procfs>", "exec", "/usr/bin/python3.12")]),
        alternatives: Some(vec![Alternative {
            terminal: terminal("/bin/sh"),
            guard: s("-z $1"),
            file: s("/entrypoint.sh"),
            line: Some(5),
        }]),
        services: Some(vec![Service {
            name: s("api"),
            terminal: Some(terminal("/opt/app/server.py")),
        }]),
        exit_code: Some(0),
    }
}

fn a_known_lib() -> LoadedLib {
    LoadedLib {
        path: s("/lib/x86_64-linux-gnu/libssl.so.3"),
        inode: Some(123_456),
        sha256: Some(sha256(LIBSSL)),
        dev: some("8:1"),
        size: Some(688_128),
        build_id: Some(build_id("00ff")),
        deleted: Some(false),
        layer: some("sha256:1f"),
        digest_status: None,
        path_bytes: None,
    }
}

fn a_lib_without_digest() -> LoadedLib {
    LoadedLib {
        path: s("/usr/lib/libz.so.1"),
        inode: Some(123_457),
        digest_status: Some(Reason::Budget),
        path_bytes: some("L3Vzci9saWIvbGliei5zby4x"),
        ..LoadedLib::default()
    }
}

fn a_whole_delta() -> Delta {
    Delta {
        baseline_image_digest: some(MANIFEST),
        changed_files: Some(vec![s("/opt/app/server.py")]),
        new_binaries: Some(vec![NewBinary {
            path: s("/usr/local/bin/helper"),
            sha256: Some(sha256(HELPER)),
            path_bytes: some("L3g"),
        }]),
        removed: Some(vec![s("/etc/motd")]),
        hidden: Some(vec![s("/var/cache")]),
        metadata_only: Some(vec![s("/opt/app/run")]),
        from_volume: Some(vec![s("/data/tool")]),
    }
}

fn a_whole_finding() -> Finding {
    Finding {
        key: s("filesystem:/usr/local/bin/helper"),
        signal: Signal::Filesystem,
        class: s("new"),
        severity: Severity::High,
        path: some("/usr/local/bin/helper"),
        pid: Some(12346),
        port: Some(8443),
        sha256: Some(sha256(HELPER)),
        expected: s("no such file"),
        seen: s("a program"),
        strength: Strength::Layer,
        count: 1,
        evidence: vec![evidence("overlay.upper", "/usr/local/bin/helper")],
        path_bytes: some("L3g"),
    }
}

fn path_that_is_no_utf_8() -> RuntimeEvent {
    RuntimeEvent {
        workload: Workload {
            platform: Some(Platform::Docker),
            container: some("web"),
            container_id: some("docker://c0ffee"),
            ..Workload::default()
        },
        process: Some(Process { pid: 7, ..Process::default() }),
        loaded_libs: Some(vec![LoadedLib {
            path: s("/tmp/\u{fffd}/lib.so"),
            inode: Some(9),
            path_bytes: some("L3RtcC__L2xpYi5zbw"),
            ..LoadedLib::default()
        }]),
        ..event("2025-10-17T12:34:56.5Z", Kind::ContainerStart)
    }
}

fn stop() -> RuntimeEvent {
    RuntimeEvent {
        node: some("worker-2"),
        runtime: Some(Runtime { engine: s("cri-o"), version: None }),
        workload: Workload {
            platform: Some(Platform::Kubernetes),
            namespace: some("dev"),
            pod: some("job-1"),
            container: some("job"),
            container_id: some("cri-o://ab12"),
            ..Workload::default()
        },
        process: Some(Process {
            pid: 4711,
            started_at: Some(time("2025-10-17T12:00:00Z")),
            exit_code: Some(137),
            ..Process::default()
        }),
        evidence: vec![evidence("cri.event", "CONTAINER_STOPPED_EVENT")],
        recovered: Some(false),
        gaps: Some(vec![]),
        ..event("2025-10-17T12:34:57.000000001Z", Kind::ContainerStop)
    }
}

fn drift() -> RuntimeEvent {
    RuntimeEvent {
        runtime: Some(Runtime { engine: s("containerd"), version: some("2.1.9") }),
        workload: Workload {
            platform: Some(Platform::Containerd),
            container_id: some("containerd://77"),
            image_ref: some("docker.io/library/nginx"),
            ..Workload::default()
        },
        process: Some(Process { pid: 88, build_id: Some(build_id("00")), ..Process::default() }),
        delta: Some(Delta {
            changed_files: Some(vec![]),
            new_binaries: Some(vec![NewBinary { path: s("/app/x"), ..NewBinary::default() }]),
            removed: Some(vec![s("/etc/issue")]),
            ..Delta::default()
        }),
        findings: Some(findings()),
        gaps: Some(vec![Gap::new(
            "delta.baselineImageDigest",
            Reason::NotFound,
            "only the config digest is known",
        )]),
        ..event("2025-10-17T12:35:00.25Z", Kind::Drift)
    }
}

fn findings() -> Vec<Finding> {
    let of_a_port = Finding {
        key: s("network:tcp/4444"),
        signal: Signal::Network,
        class: s("undeclared-port"),
        severity: Severity::Medium,
        path: None,
        pid: Some(88),
        port: Some(4444),
        sha256: None,
        expected: s("80/tcp"),
        seen: s("4444/tcp"),
        strength: Strength::Socket,
        count: 2,
        evidence: vec![],
        path_bytes: None,
    };
    let of_a_library = Finding {
        key: s("library:/app/x"),
        signal: Signal::Library,
        class: s("content-changed"),
        severity: Severity::Low,
        path: some("/app/x"),
        pid: None,
        port: None,
        expected: s("as in the image"),
        seen: s("other bytes"),
        strength: Strength::Digest,
        count: 1,
        evidence: vec![evidence("procfs.maps", "/app/x@+0x1000")],
        ..of_a_port.clone()
    };
    let of_a_process = Finding {
        key: s("process:/app/x"),
        signal: Signal::Process,
        class: s("new"),
        severity: Severity::Info,
        path: None,
        expected: s("nginx"),
        seen: s("/app/x"),
        strength: Strength::Time,
        evidence: vec![],
        ..of_a_library.clone()
    };
    vec![of_a_port, of_a_library, of_a_process]
}

fn policy_violation() -> RuntimeEvent {
    RuntimeEvent {
        tenant: some("tenant-01"),
        workload: Workload {
            platform: Some(Platform::Kubernetes),
            namespace: some("prod"),
            pod: some("web-0"),
            owner: Some(Owner { kind: s("StatefulSet"), name: s("web") }),
            ..Workload::default()
        },
        posture: Some(Posture {
            image_signed: Some(false),
            sbom_referrer: Some(SbomReferrer::Missing),
            attestation: None,
        }),
        evidence: vec![evidence("policy.runtime", "fail")],
        policy: Some(PolicyVerdict {
            verdict: Verdict::Fail,
            revision: None,
            reasons: vec![s("unsigned"), s("missing SBOM")],
        }),
        ..event("2025-10-17T12:36:00Z", Kind::PolicyViolation)
    }
}

/// At version 1.0, where the gap is evidence.
fn attestation_status() -> RuntimeEvent {
    RuntimeEvent {
        workload: Workload {
            image_ref: Some(format!("ghcr.io/acme/api@{MANIFEST}")),
            ..Workload::default()
        },
        posture: Some(Posture {
            image_signed: None,
            sbom_referrer: Some(SbomReferrer::Missing),
            attestation: Some(Attestation { uuid: None, verified: Some(false) }),
        }),
        evidence: vec![evidence("registry.referrers", "sbom: none")],
        gaps: Some(vec![Gap::new("posture.imageSigned", Reason::Unreachable, "the backend")]),
        ..event("2025-10-17T12:37:00.1Z", Kind::AttestationStatus)
    }
}

fn host_process() -> RuntimeEvent {
    RuntimeEvent {
        node: some("laptop"),
        workload: Workload { platform: Some(Platform::Host), ..Workload::default() },
        process: Some(Process {
            pid: 1,
            started_at: Some(time("2025-10-01T00:00:00Z")),
            terminal: Some(Terminal {
                path: s("/usr/sbin/sshd"),
                uid: Some(0),
                user: some("root"),
                mode: Some(TerminalMode::InitChild),
                path_bytes: None,
            }),
            observed_trace: Some(vec![EntryStep {
                confidence: Some(Confidence::Exact),
                ..step("<procfs>", "exec", "/usr/lib/systemd/systemd")
            }]),
            ..Process::default()
        }),
        recovered: Some(true),
        gaps: Some(vec![
            Gap::new("process.exe", Reason::Denied, "/proc/1/exe").with_hint("run as root"),
        ]),
        ..event("2025-10-17T12:38:00Z", Kind::ContainerStart)
    }
}

fn entry() -> RuntimeEvent {
    let first = EntryStep {
        line: Some(1),
        confidence: Some(Confidence::Dynamic),
        ..step("/init", "exec", "<env:APP>")
    };
    let second = EntryStep {
        line: Some(2),
        guard: some("else"),
        confidence: Some(Confidence::Ambiguous),
        ..step("/init", "sh", "<inline>")
    };
    let a = Terminal { uid: Some(33), ..terminal("/bin/a") };
    let b = Terminal { mode: Some(TerminalMode::Exit), ..terminal("/bin/b") };
    let served = Terminal { user: some("www"), ..terminal("/bin/b") };
    RuntimeEvent {
        workload: Workload { platform: Some(Platform::Docker), ..Workload::default() },
        process: Some(Process {
            pid: 10,
            entrypoint: Some(vec![s("/init")]),
            entry_trace: Some(vec![first, second]),
            terminal: Some(Terminal {
                mode: Some(TerminalMode::ShellParent),
                ..terminal("/bin/a")
            }),
            alternatives: Some(vec![
                Alternative { terminal: a, guard: s("$1 = a"), file: s("/init"), line: Some(2) },
                Alternative { terminal: b, guard: s("$1 = b"), file: s("/init"), line: None },
            ]),
            services: Some(vec![
                Service { name: s("cron"), terminal: None },
                Service { name: s("web"), terminal: Some(served) },
            ]),
            ..Process::default()
        }),
        ..event("2025-10-17T12:39:00Z", Kind::ContainerStart)
    }
}

fn text() -> RuntimeEvent {
    let controls: String = ('\0'..' ').collect();
    RuntimeEvent {
        tenant: some("застава e\u{301} \u{1f980}"),
        node: Some(format!("{controls}\"\\/'")),
        workload: Workload {
            namespace: some("a\u{2028}b\u{2029}c\u{202e}d\u{7f}e\u{85}f\u{9b}g"),
            pod: some("\u{e000}\u{ffff}\u{feff}\u{10000}\u{10ffff}"),
            container: some(""),
            ..Workload::default()
        },
        evidence: vec![evidence("\\u0041", "<script>&amp;")],
        ..event("2025-10-17T12:40:00Z", Kind::ContainerStart)
    }
}

fn largest_numbers() -> RuntimeEvent {
    let lib = |path, inode, size| LoadedLib {
        path: s(path),
        inode: Some(inode),
        size: Some(size),
        ..LoadedLib::default()
    };
    let finding = Finding {
        key: s(""),
        class: s(""),
        severity: Severity::Info,
        pid: Some(0),
        port: Some(u16::MAX),
        expected: s(""),
        seen: s(""),
        count: u64::MAX,
        ..findings().remove(0)
    };
    RuntimeEvent {
        process: Some(Process {
            pid: u32::MAX,
            entry_trace: Some(vec![EntryStep { line: Some(u32::MAX), ..step("", "", "") }]),
            terminal: Some(Terminal { uid: Some(u32::MAX), ..terminal("") }),
            exit_code: Some(i32::MIN),
            ..Process::default()
        }),
        loaded_libs: Some(vec![
            lib("/a", u64::MAX, u64::MAX),
            // The first integer that a double has not.
            lib("/b", (1 << 53) + 1, 0),
        ]),
        findings: Some(vec![finding]),
        gaps: Some(vec![Gap::new("", Reason::Timeout, "").times(u64::MAX)]),
        ..event("9999-12-30T22:00:00.999999999Z", Kind::ContainerStop)
    }
}

fn empty_lists() -> RuntimeEvent {
    RuntimeEvent {
        process: Some(Process {
            entrypoint: Some(vec![]),
            entry_trace: Some(vec![]),
            observed_trace: Some(vec![]),
            alternatives: Some(vec![]),
            services: Some(vec![]),
            ..Process::default()
        }),
        loaded_libs: Some(vec![]),
        posture: Some(Posture { attestation: Some(Attestation::default()), ..Posture::default() }),
        delta: Some(Delta {
            baseline_image_digest: None,
            changed_files: Some(vec![]),
            new_binaries: Some(vec![]),
            removed: Some(vec![]),
            hidden: Some(vec![]),
            metadata_only: Some(vec![]),
            from_volume: Some(vec![]),
        }),
        findings: Some(vec![]),
        policy: Some(PolicyVerdict { verdict: Verdict::Pass, revision: None, reasons: vec![] }),
        gaps: Some(vec![]),
        ..event("1970-01-01T00:00:00Z", Kind::Drift)
    }
}

fn least() -> RuntimeEvent {
    event("1969-12-31T23:59:59.999999999Z", Kind::AttestationStatus)
}

/// An event with nothing in it but what every event has.
pub(super) fn event(when: &str, kind: Kind) -> RuntimeEvent {
    RuntimeEvent {
        event_id: None,
        when: time(when),
        kind,
        tenant: None,
        node: None,
        runtime: None,
        workload: Workload::default(),
        process: None,
        loaded_libs: None,
        posture: None,
        delta: None,
        evidence: vec![],
        findings: None,
        policy: None,
        recovered: None,
        gaps: None,
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn sha256(digits: &str) -> Sha256 {
    digits.parse().unwrap()
}

fn build_id(digits: &str) -> BuildId {
    digits.parse().unwrap()
}

fn step(file: &str, op: &str, target: &str) -> EntryStep {
    EntryStep { file: s(file), op: s(op), target: s(target), ..EntryStep::default() }
}

fn terminal(path: &str) -> Terminal {
    Terminal { path: s(path), ..Terminal::default() }
}

fn evidence(signal: &str, value: &str) -> Evidence {
    Evidence { signal: s(signal), value: s(value) }
}
