//! The runtime event of an observation: what the node agent sends, and what `-o event` prints.
//!
//! Nothing in it but the time changes between two looks at a process that stands still: no durations,
//! no counters, no addresses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::pid::{LoadedObservation, ProcessObservation};
use crate::contract::{
    Digest, EntryStep, Evidence, Gap, Kind, LoadedLib, Platform, Process, Reason, Runtime,
    RuntimeEvent, Workload,
};
use crate::process::{
    ContainerIdentity, Engine, Executable, Identity, MappedFile, MappedKind, Membership, Told,
};

/// What an event is made from.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    identity: &'a Identity,
    membership: &'a Membership,
    exe: Option<&'a Executable>,
    mapped: Option<&'a [MappedFile]>,
}

impl<'a> From<&'a ProcessObservation> for Sample<'a> {
    fn from(seen: &'a ProcessObservation) -> Self {
        let ProcessObservation { identity, membership, exe, mapped, .. } = seen;
        Self { identity, membership, exe: exe.as_ref(), mapped: mapped.as_deref() }
    }
}

impl<'a> From<&'a LoadedObservation> for Sample<'a> {
    fn from(seen: &'a LoadedObservation) -> Self {
        let LoadedObservation { identity, membership, exe, mapped, .. } = seen;
        Self { identity, membership, exe: exe.as_ref(), mapped: mapped.as_deref() }
    }
}

/// What an event says of where and when it was seen.
#[derive(Clone, Debug)]
pub struct Around {
    /// When.
    pub when: Timestamp,
    /// Whose node it is.
    pub tenant: Option<String>,
    /// The node's name.
    pub node: Option<String>,
}

/// The event of a process that was already running when it was looked at.
#[must_use]
pub fn event(sample: Sample<'_>, gaps: &[Gap], around: Around) -> RuntimeEvent {
    let Sample { identity, membership, exe, mapped } = sample;
    let listed: Vec<&MappedFile> = mapped.unwrap_or_default().iter().filter(is_listed).collect();
    let loaded_libs = mapped.map(|_| listed.iter().map(|file| loaded_lib(file)).collect());
    let workload = workload(membership, identity);
    let mut missing: Vec<Gap> = gaps.iter().filter_map(of_event).collect();
    missing.extend(unasked(&workload));
    if listed.iter().any(|file| file.content.digest == Told::NotAsked) {
        let tried = "no digests were asked for";
        missing.push(Gap::new("loadedLibs.sha256", Reason::Unsupported, tried));
    }
    RuntimeEvent {
        event_id: None,
        when: around.when,
        kind: Kind::ContainerStart,
        tenant: around.tenant,
        node: around.node,
        runtime: runtime(membership),
        workload,
        process: Some(process(identity, exe)),
        loaded_libs,
        posture: None,
        delta: None,
        evidence: listed.iter().filter(|file| file.executable).map(|file| mapping(file)).collect(),
        findings: None,
        policy: None,
        recovered: Some(true),
        gaps: Some(missing),
    }
}

/// The container's engine, where something tells.
fn runtime(membership: &Membership) -> Option<Runtime> {
    let engine = membership.container.as_ref()?.engine?;
    Some(Runtime { engine: engine.as_str().to_owned(), version: None })
}

/// Where a process belongs, as far as the kernel's files tell.
#[must_use]
pub fn workload(membership: &Membership, identity: &Identity) -> Workload {
    let on_host = membership.container.is_none()
        && membership.pod.is_none()
        && (identity.kernel_thread || membership.isolated == Some(false));
    Workload {
        platform: if on_host { Some(Platform::Host) } else { platform(membership) },
        container: membership.container_name.clone(),
        container_id: membership.container.as_ref().map(ContainerIdentity::full_id),
        ..Workload::default()
    }
}

/// The specification's words. Podman speaks for Docker; CRI-O serves Kubernetes alone.
fn platform(membership: &Membership) -> Option<Platform> {
    if membership.pod.is_some() {
        return Some(Platform::Kubernetes);
    }
    match membership.container.as_ref()?.engine? {
        Engine::Containerd => Some(Platform::Containerd),
        Engine::CriO => Some(Platform::Kubernetes),
        Engine::Docker | Engine::Podman => Some(Platform::Docker),
    }
}

fn process(identity: &Identity, exe: Option<&Executable>) -> Process {
    // The kernel tells the boot in whole seconds, and nothing finer is known.
    let seconds = identity.started.and_then(|started| {
        let since = started.duration_since(std::time::UNIX_EPOCH).ok()?;
        Timestamp::from_second(i64::try_from(since.as_secs()).ok()?).ok()
    });
    let runs = |exe: &Executable| {
        let target = String::from_utf8_lossy(&exe.path).into_owned();
        vec![EntryStep {
            file: "<procfs>".to_owned(),
            op: "exec".to_owned(),
            target,
            ..EntryStep::default()
        }]
    };
    Process {
        pid: identity.pid,
        build_id: exe.and_then(|exe| exe.content.build_id().known().cloned()),
        started_at: seconds,
        observed_trace: exe.map(runs),
        ..Process::default()
    }
}

/// Devices, shared memory and the kernel's own objects are no files that were loaded.
fn is_listed(file: &&MappedFile) -> bool {
    matches!(file.kind, MappedKind::File | MappedKind::Memfd)
}

fn loaded_lib(file: &MappedFile) -> LoadedLib {
    let path = String::from_utf8_lossy(&file.path).into_owned();
    let is_broken = str::from_utf8(&file.path).is_err();
    LoadedLib {
        path,
        inode: Some(file.inode),
        sha256: file.content.digest.known().and_then(Digest::sha256),
        dev: Some(file.device.to_string()),
        size: file.size,
        build_id: file.content.build_id().known().cloned(),
        deleted: Some(file.deleted),
        layer: None,
        digest_status: file.content.digest.unknown(),
        path_bytes: is_broken.then(|| URL_SAFE_NO_PAD.encode(&file.path)),
    }
}

/// That code of a file is mapped, by its place in the file: an address would tell the layout of a
/// live process.
fn mapping(file: &MappedFile) -> Evidence {
    let value = format!("{}@+{:#x}", String::from_utf8_lossy(&file.path), file.offset);
    Evidence { signal: "procfs.maps".to_owned(), value }
}

/// The fields of an event, by what their gaps are called in an observation.
const FIELDS: [(&str, &str); 14] = [
    ("host.node", "node"),
    ("process", "process"),
    ("process.startedAt", "process.startedAt"),
    ("process.exe", "process.observedTrace"),
    ("process.exe.path", "process.observedTrace"),
    ("process.exe.buildId", "process.buildId"),
    ("runtime.engine", "runtime.engine"),
    ("workload.platform", "workload.platform"),
    ("workload.containerId", "workload.containerId"),
    ("loadedLibs", "loadedLibs"),
    ("loadedLibs.path", "loadedLibs.path"),
    ("loadedLibs.size", "loadedLibs.size"),
    ("loadedLibs.buildId", "loadedLibs.buildId"),
    ("loadedLibs.sha256", "loadedLibs.sha256"),
];

/// A gap of the observation that leaves a field of the event open. Advice stays here.
fn of_event(gap: &Gap) -> Option<Gap> {
    let (_, field) = FIELDS.iter().find(|(ours, _)| *ours == gap.field)?;
    Some(Gap { field: (*field).to_owned(), hint: None, ..gap.clone() })
}

/// What only an engine knows of a container, and none was asked.
fn unasked(workload: &Workload) -> Vec<Gap> {
    let of_container = ["runtime.version", "workload.imageRef", "process.entrypoint"];
    let of_pod = ["workload.namespace", "workload.pod", "workload.owner"];
    let fields: &[&[&str]] = match workload.platform {
        Some(Platform::Host) => &[],
        Some(Platform::Kubernetes) => &[&of_container, &of_pod],
        _ => &[&of_container],
    };
    let gap = |field: &&str| Gap::new(*field, Reason::Unsupported, "no engine was asked");
    fields.iter().flat_map(|fields| fields.iter()).map(gap).collect()
}
