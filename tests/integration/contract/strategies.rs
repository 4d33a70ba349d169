//! Payloads of anything that can be sent: every field, there or not, with any text of Unicode.

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use zastava::contract::{
    AdmissionDecision, Alternative, Attestation, BuildId, Confidence, Decided, Delta, EntryStep,
    Evidence, Finding, Gap, ImageDecision, Kind, LoadedLib, NewBinary, Owner, Platform,
    PolicyVerdict, Posture, Process, Reason, Runtime, RuntimeEvent, SbomReferrer, Service,
    Severity, Sha256, Signal, Strength, Terminal, TerminalMode, Verdict, Workload,
};

pub(super) const KINDS: [Kind; 5] = [
    Kind::ContainerStart,
    Kind::ContainerStop,
    Kind::Drift,
    Kind::PolicyViolation,
    Kind::AttestationStatus,
];
pub(super) const PLATFORMS: [Platform; 4] =
    [Platform::Kubernetes, Platform::Docker, Platform::Containerd, Platform::Host];
pub(super) const REFERRERS: [SbomReferrer; 2] = [SbomReferrer::Present, SbomReferrer::Missing];
pub(super) const SIGNALS: [Signal; 4] =
    [Signal::Process, Signal::Library, Signal::Filesystem, Signal::Network];
pub(super) const SEVERITIES: [Severity; 4] =
    [Severity::High, Severity::Medium, Severity::Low, Severity::Info];
pub(super) const STRENGTHS: [Strength; 4] =
    [Strength::Layer, Strength::Digest, Strength::Socket, Strength::Time];
pub(super) const CONFIDENCES: [Confidence; 6] = [
    Confidence::Exact,
    Confidence::Assumed,
    Confidence::Merged,
    Confidence::Ambiguous,
    Confidence::Dynamic,
    Confidence::None,
];
pub(super) const MODES: [TerminalMode; 4] =
    [TerminalMode::Exec, TerminalMode::InitChild, TerminalMode::ShellParent, TerminalMode::Exit];
pub(super) const VERDICTS: [Verdict; 3] = [Verdict::Pass, Verdict::Warn, Verdict::Fail];
pub(super) const DECIDED: [Decided; 2] = [Decided::Allow, Decided::Deny];
pub(super) const REASONS: [Reason; 10] = [
    Reason::Vanished,
    Reason::Reused,
    Reason::Denied,
    Reason::Budget,
    Reason::Unsupported,
    Reason::Malformed,
    Reason::Unreachable,
    Reason::Unauthorized,
    Reason::NotFound,
    Reason::Timeout,
];

/// Any text at all, control characters too. Boxed, as are the lists: an event of strategies by value
/// does not fit on a test's stack.
pub(super) fn text() -> BoxedStrategy<String> {
    let letter = prop_oneof![3 => any::<char>(), 1 => proptest::char::range('\0', '\u{a0}')];
    vec(letter, 0..6).prop_map(String::from_iter).boxed()
}

fn few<T, S>(of: S) -> BoxedStrategy<Vec<T>>
where
    T: std::fmt::Debug,
    S: Strategy<Value = T> + 'static,
{
    vec(of, 0..3).boxed()
}

fn time() -> impl Strategy<Value = Timestamp> {
    (Timestamp::MIN.as_nanosecond()..=Timestamp::MAX.as_nanosecond())
        .prop_map(|nanoseconds| Timestamp::from_nanosecond(nanoseconds).unwrap())
}

fn sha256() -> impl Strategy<Value = Sha256> {
    any::<[u8; 32]>().prop_map(Sha256)
}

fn build_id() -> impl Strategy<Value = BuildId> {
    vec(any::<u8>(), 1..24).prop_map(|bytes| BuildId::new(bytes).unwrap())
}

prop_compose! {
    /// An event that has no id yet.
    pub(super) fn event()(
        when in time(),
        kind in select(&KINDS[..]),
        tenant in of(text()),
        node in of(text()),
        runtime in of(runtime().boxed()),
        workload in workload().boxed(),
        process in of(process().boxed()),
        loaded_libs in of(few(loaded_lib())),
        posture in of(posture().boxed()),
        delta in of(delta().boxed()),
        evidence in few(evidence()),
        findings in of(few(finding())),
        policy in of(policy().boxed()),
        recovered in of(any::<bool>()),
        gaps in of(few(gap())),
    ) -> RuntimeEvent {
        RuntimeEvent {
            event_id: None, when, kind, tenant, node, runtime, workload, process, loaded_libs,
            posture, delta, evidence, findings, policy, recovered, gaps,
        }
    }
}

prop_compose! {
    fn runtime()(engine in text(), version in of(text())) -> Runtime {
        Runtime { engine, version }
    }
}

prop_compose! {
    fn workload()(
        platform in of(select(&PLATFORMS[..])),
        namespace in of(text()),
        pod in of(text()),
        container in of(text()),
        container_id in of(text()),
        image_ref in of(text()),
        owner in of(owner()),
    ) -> Workload {
        Workload { platform, namespace, pod, container, container_id, image_ref, owner }
    }
}

prop_compose! {
    fn owner()(kind in text(), name in text()) -> Owner {
        Owner { kind, name }
    }
}

prop_compose! {
    fn process()(
        pid in any::<u32>(),
        entrypoint in of(few(text())),
        entry_trace in of(few(step())),
        build_id in of(build_id()),
        started_at in of(time()),
        terminal in of(terminal().boxed()),
        observed_trace in of(few(step())),
        alternatives in of(few(alternative())),
        services in of(few(service())),
        exit_code in of(any::<i32>()),
    ) -> Process {
        Process {
            pid, entrypoint, entry_trace, build_id, started_at, terminal, observed_trace,
            alternatives, services, exit_code,
        }
    }
}

prop_compose! {
    fn step()(
        file in text(),
        line in of(any::<u32>()),
        op in text(),
        target in text(),
        user in of(text()),
        guard in of(text()),
        confidence in of(select(&CONFIDENCES[..])),
    ) -> EntryStep {
        EntryStep { file, line, op, target, user, guard, confidence }
    }
}

prop_compose! {
    fn terminal()(
        path in text(),
        uid in of(any::<u32>()),
        user in of(text()),
        mode in of(select(&MODES[..])),
        path_bytes in of(text()),
    ) -> Terminal {
        Terminal { path, uid, user, mode, path_bytes }
    }
}

prop_compose! {
    fn alternative()(
        terminal in terminal().boxed(), guard in text(), file in text(), line in of(any::<u32>()),
    ) -> Alternative {
        Alternative { terminal, guard, file, line }
    }
}

prop_compose! {
    fn service()(name in text(), terminal in of(terminal().boxed())) -> Service {
        Service { name, terminal }
    }
}

prop_compose! {
    fn loaded_lib()(
        path in text(),
        inode in of(any::<u64>()),
        sha256 in of(sha256()),
        dev in of(text()),
        size in of(any::<u64>()),
        build_id in of(build_id()),
        deleted in of(any::<bool>()),
        layer in of(text()),
        digest_status in of(select(&REASONS[..])),
        path_bytes in of(text()),
    ) -> LoadedLib {
        LoadedLib {
            path, inode, sha256, dev, size, build_id, deleted, layer, digest_status, path_bytes,
        }
    }
}

prop_compose! {
    fn posture()(
        image_signed in of(any::<bool>()),
        sbom_referrer in of(select(&REFERRERS[..])),
        attestation in of(attestation()),
    ) -> Posture {
        Posture { image_signed, sbom_referrer, attestation }
    }
}

prop_compose! {
    fn attestation()(uuid in of(text()), verified in of(any::<bool>())) -> Attestation {
        Attestation { uuid, verified }
    }
}

prop_compose! {
    fn delta()(
        baseline_image_digest in of(text()),
        changed_files in of(few(text())),
        new_binaries in of(few(new_binary())),
        removed in of(few(text())),
        hidden in of(few(text())),
        metadata_only in of(few(text())),
        from_volume in of(few(text())),
    ) -> Delta {
        Delta {
            baseline_image_digest, changed_files, new_binaries, removed, hidden, metadata_only,
            from_volume,
        }
    }
}

prop_compose! {
    fn new_binary()(
        path in text(), sha256 in of(sha256()), path_bytes in of(text()),
    ) -> NewBinary {
        NewBinary { path, sha256, path_bytes }
    }
}

prop_compose! {
    fn evidence()(signal in text(), value in text()) -> Evidence {
        Evidence { signal, value }
    }
}

prop_compose! {
    fn finding()(
        key in text(),
        signal in select(&SIGNALS[..]),
        class in text(),
        severity in select(&SEVERITIES[..]),
        path in of(text()),
        pid in of(any::<u32>()),
        port in of(any::<u16>()),
        sha256 in of(sha256()),
        expected in text(),
        seen in text(),
        strength in select(&STRENGTHS[..]),
        count in any::<u64>(),
        (evidence, path_bytes) in (few(evidence()), of(text())),
    ) -> Finding {
        Finding {
            key, signal, class, severity, path, pid, port, sha256, expected, seen, strength, count,
            evidence, path_bytes,
        }
    }
}

prop_compose! {
    fn policy()(
        verdict in select(&VERDICTS[..]), revision in of(text()), reasons in few(text()),
    ) -> PolicyVerdict {
        PolicyVerdict { verdict, revision, reasons }
    }
}

prop_compose! {
    fn gap()(
        field in text(),
        reason in select(&REASONS[..]),
        tried in text(),
        count in any::<u64>(),
        hint in of(text()),
    ) -> Gap {
        Gap { field, reason, tried, count, hint }
    }
}

prop_compose! {
    pub(super) fn decision()(
        admission_id in text(),
        namespace in text(),
        pod_spec_digest in text(),
        images in few(image()),
        decision in select(&DECIDED[..]),
        ttl_seconds in any::<u64>(),
    ) -> AdmissionDecision {
        AdmissionDecision {
            admission_id, namespace, pod_spec_digest, images, decision, ttl_seconds,
        }
    }
}

prop_compose! {
    fn image()(
        name in text(),
        resolved in of(text()),
        signed in of(any::<bool>()),
        has_sbom_referrers in of(any::<bool>()),
        policy_verdict in of(select(&VERDICTS[..])),
        reasons in few(text()),
    ) -> ImageDecision {
        ImageDecision { name, resolved, signed, has_sbom_referrers, policy_verdict, reasons }
    }
}
