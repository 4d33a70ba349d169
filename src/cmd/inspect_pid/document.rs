//! The result document of `inspect pid`: its shape is a contract, new fields are appended.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::settings::Shown;
use crate::cmd::document::{Document, Text, Texts, started};
use crate::inspect::{Notable, ProcessObservation};
use crate::process::{
    Address, Ancestor, ContainerIdentity, Executable, Identity, Label, Listener, MappedFile,
    MappedKind, Membership, Namespace, Source,
};

/// The whole document.
pub(in crate::cmd) type PidDocument = Document<ResultDocument>;

/// What was seen of a process. What could not be seen is left out and named in `gaps`; what does not
/// apply (a pod to a process of the host, a program to an executable that is one) is left out.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::cmd) struct ResultDocument {
    /// The engine, where something tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<Runtime>,
    workload: Workload,
    process: Process,
    /// The mapped files, by path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) loaded_libs: Option<Vec<LoadedLib>>,
    notable: Vec<Remark>,
}

/// A container engine.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Runtime {
    /// `containerd`, `cri-o`, `docker` or `podman`.
    engine: String,
}

/// What the process belongs to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Workload {
    /// `kubernetes`, `docker`, `containerd` or `host`; absent for a container of an engine that
    /// nothing tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    /// The container's name in its pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<String>,
    /// `<engine>://<id>`, or the id alone where the engine is not known; `none` on the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    container_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod_uid: Option<String>,
    /// `Guaranteed`, `Burstable` or `BestEffort`.
    #[serde(skip_serializing_if = "Option::is_none")]
    qos_class: Option<String>,
    /// What names the container: `cgroup`, `mountinfo` or `cgroup-name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    found_by: Option<String>,
    /// Containers around this one, the outermost first.
    outer: Vec<String>,
}

/// The process itself.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Process {
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    ppid: u32,
    comm: String,
    /// The name's bytes in base64url, where they are no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    comm_bytes: Option<String>,
    /// The kernel's letter, such as `S`; `Z` is a zombie.
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    argv: Option<Vec<String>>,
    /// All arguments in base64url, where one of them is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    argv_bytes: Option<Vec<String>>,
    /// How many arguments were left out of `argv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    argv_redacted: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gid: Option<u32>,
    threads: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exe: Option<Exe>,
    /// The oldest first.
    ancestry: Vec<Relative>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespaces: Option<BTreeMap<String, NamespaceId>>,
    /// As the reader's cgroup namespace shows them, without repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroups: Option<Vec<String>>,
    /// All of them in base64url, where one of them is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroups_bytes: Option<Vec<String>>,
    security: Security,
    /// The sockets that it waits on.
    #[serde(skip_serializing_if = "Option::is_none")]
    listening: Option<Vec<Socket>>,
    /// The other sockets that wait in its network namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    listening_beside: Option<Vec<Socket>>,
    kernel_thread: bool,
    /// Its pids, from the proc root's pid namespace down to its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    ns_pids: Option<Vec<u32>>,
}

/// The executable.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Exe {
    path: String,
    /// The path's bytes in base64url, where they are no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inode: Option<u64>,
    /// `major:minor`, decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    dev: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    deleted: bool,
    replaced: bool,
    /// Run from memory, never from a file.
    memfd: bool,
    /// The name leads to another file: mounted over.
    elsewhere: bool,
    /// By the arguments, the program behind a dynamic loader or an emulator, or busybox's applet.
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    program_bytes: Option<String>,
}

/// A process above.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Relative {
    pid: u32,
    comm: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comm_bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exe: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exe_bytes: Option<String>,
}

/// A namespace.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct NamespaceId {
    id: u64,
    /// Whether it is the host's.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<bool>,
}

/// Credentials and confinement.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Security {
    /// Effective capabilities, 16 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    cap_eff: Option<String>,
    /// `disabled`, `strict` or `filter`.
    #[serde(skip_serializing_if = "Option::is_none")]
    seccomp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_new_privs: Option<bool>,
    /// The security module's label, or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    lsm: Option<String>,
}

/// A socket that waits.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Socket {
    /// `tcp`, `udp` or `unix`.
    proto: String,
    /// The IP address, or a UNIX socket's path.
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    inode: u64,
    /// The processes that hold it.
    pids: Vec<u32>,
}

/// A mapped file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoadedLib {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    inode: u64,
    /// `major:minor`, decimal.
    dev: String,
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    replaced: bool,
    /// Whether any part of it may be executed.
    executable: bool,
    /// `file`, `memfd`, `shared-memory`, `device` or `kernel-object`.
    kind: String,
}

/// What deserves a look.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Remark {
    code: String,
    text: String,
    /// What it is about: a path, or an id.
    #[serde(rename = "ref")]
    reference: String,
    #[serde(rename = "refBytes", skip_serializing_if = "Option::is_none")]
    reference_bytes: Option<String>,
}

impl ResultDocument {
    pub(super) fn of(seen: &ProcessObservation, arguments: Shown) -> Self {
        let engine = seen.membership.container.as_ref().and_then(|container| container.engine);
        Self {
            runtime: engine.map(|engine| Runtime { engine: engine.as_str().to_owned() }),
            workload: Workload::of(&seen.membership, &seen.identity),
            process: Process::of(seen, arguments),
            loaded_libs: seen
                .mapped
                .as_ref()
                .map(|files| files.iter().map(LoadedLib::of).collect()),
            notable: seen.notable.iter().map(|remark| Remark::of(remark, arguments)).collect(),
        }
    }
}

impl Workload {
    fn of(member: &Membership, identity: &Identity) -> Self {
        let full_id = |c: &ContainerIdentity| match c.engine {
            Some(engine) => format!("{}://{}", engine.as_str(), c.id),
            None => c.id.clone(),
        };
        let on_host = member.container.is_none()
            && member.pod.is_none()
            && (identity.kernel_thread || member.isolated == Some(false));
        let container_id = match on_host {
            true => Some("none".to_owned()),
            false => member.container.as_ref().map(full_id),
        };
        Self {
            platform: if on_host { Some("host") } else { platform(member) }.map(str::to_owned),
            container: member.container_name.clone(),
            container_id,
            pod_uid: member.pod.as_ref().map(|pod| pod.uid.clone()),
            qos_class: member.pod.as_ref().and_then(|pod| Some(pod.qos?.as_str().to_owned())),
            found_by: member.container.as_ref().map(|c| match c.source {
                Source::Cgroup => "cgroup".to_owned(),
                Source::Mountinfo => "mountinfo".to_owned(),
                Source::CgroupName => "cgroup-name".to_owned(),
            }),
            outer: member.outer.iter().map(full_id).collect(),
        }
    }
}

/// The spec's four words. Podman speaks for Docker; CRI-O serves Kubernetes alone.
fn platform(member: &Membership) -> Option<&'static str> {
    use crate::process::Engine::{Containerd, CriO, Docker, Podman};
    if member.pod.is_some() {
        return Some("kubernetes");
    }
    match member.container.as_ref()?.engine? {
        Containerd => Some("containerd"),
        CriO => Some("kubernetes"),
        Docker | Podman => Some("docker"),
    }
}

impl Process {
    fn of(seen: &ProcessObservation, arguments: Shown) -> Self {
        let identity = &seen.identity;
        let comm = Text::of(&identity.comm);
        let told = Arguments::of(seen.argv.as_deref(), arguments);
        let sockets = |listeners: &[Listener]| listeners.iter().map(Socket::of).collect();
        let mut cgroups: Vec<_> =
            seen.membership.cgroups.iter().map(|c| c.path.as_slice()).collect();
        cgroups.sort_unstable();
        cgroups.dedup();
        let cgroups = Texts::of(&cgroups);
        let namespaces = seen.namespaces.iter().map(NamespaceId::of).collect();
        Self {
            pid: identity.pid,
            started_at: identity.started.map(|time| started(time).to_string()),
            ppid: identity.ppid,
            comm: comm.text,
            comm_bytes: comm.bytes,
            state: char::from(identity.state).to_string(),
            kernel_thread: identity.kernel_thread,
            argv: told.shown,
            argv_bytes: told.bytes,
            argv_redacted: told.redacted,
            uid: identity.uid,
            gid: identity.gid,
            threads: identity.threads,
            ns_pids: Some(identity.ns_pids.clone()).filter(|pids| !pids.is_empty()),
            exe: seen.exe.as_ref().map(|exe| Exe::of(exe, arguments)),
            ancestry: seen.ancestry.iter().map(Relative::of).collect(),
            namespaces: Some(namespaces).filter(|kinds: &BTreeMap<_, _>| !kinds.is_empty()),
            cgroups: Some(cgroups.texts).filter(|paths| !paths.is_empty()),
            cgroups_bytes: cgroups.bytes,
            security: Security::of(identity),
            listening: seen.listening.as_ref().map(|told| sockets(&told.own)),
            listening_beside: seen.listening.as_ref().map(|told| sockets(&told.others)),
        }
    }
}

#[derive(Default)]
struct Arguments {
    shown: Option<Vec<String>>,
    bytes: Option<Vec<String>>,
    redacted: Option<u64>,
}

impl Arguments {
    fn of(argv: Option<&[Vec<u8>]>, arguments: Shown) -> Self {
        let Some(argv) = argv else {
            return Self::default();
        };
        let kept = arguments.of(argv);
        let left_out = (argv.len() - kept.len()) as u64;
        let told = Texts::of(&kept);
        Self {
            shown: Some(told.texts),
            bytes: told.bytes,
            redacted: (arguments == Shown::Redacted).then_some(left_out),
        }
    }
}

impl Exe {
    fn of(exe: &Executable, arguments: Shown) -> Self {
        let path = Text::of(&exe.path);
        // It is an argument.
        let program = exe.program.as_ref().filter(|_| arguments == Shown::Whole);
        let (program, program_bytes) = Text::halves(program.map(|program| program.path.as_slice()));
        Self {
            path: path.text,
            path_bytes: path.bytes,
            inode: exe.file.map(|file| file.inode),
            dev: exe.file.map(|file| file.device.to_string()),
            size: exe.file.map(|file| file.size),
            deleted: exe.deleted,
            replaced: exe.replaced,
            memfd: exe.memfd,
            elsewhere: exe.elsewhere,
            program,
            program_bytes,
        }
    }
}

impl Relative {
    fn of(ancestor: &Ancestor) -> Self {
        let comm = Text::of(&ancestor.comm);
        let (exe, exe_bytes) = Text::halves(ancestor.exe.as_deref());
        Self { pid: ancestor.pid, comm: comm.text, comm_bytes: comm.bytes, exe, exe_bytes }
    }
}

impl NamespaceId {
    fn of(namespace: &Namespace) -> (String, Self) {
        (namespace.kind.as_str().to_owned(), Self { id: namespace.id, host: namespace.host })
    }
}

impl Security {
    fn of(identity: &Identity) -> Self {
        let mode = |mode| match mode {
            0 => Some("disabled"),
            1 => Some("strict"),
            2 => Some("filter"),
            _ => None,
        };
        Self {
            cap_eff: identity.cap_eff.map(|bits| format!("{bits:016x}")),
            seccomp: identity.seccomp.and_then(mode).map(str::to_owned),
            no_new_privs: identity.no_new_privs,
            lsm: match &identity.lsm {
                Label::Named(label) => Some(Text::of(label).text),
                Label::None => Some("none".to_owned()),
                Label::Unknown => None,
            },
        }
    }
}

impl Socket {
    fn of(listener: &Listener) -> Self {
        let (address, port) = match &listener.address {
            Address::Inet(socket) => {
                (Text { text: socket.ip().to_string(), bytes: None }, Some(socket.port()))
            }
            Address::Unix(path) => (Text::of(path), None),
        };
        Self {
            proto: listener.protocol.as_str().to_owned(),
            address: address.text,
            address_bytes: address.bytes,
            port,
            inode: listener.inode,
            pids: listener.owners.iter().map(|owner| owner.pid).collect(),
        }
    }
}

impl LoadedLib {
    fn of(file: &MappedFile) -> Self {
        let path = Text::of(&file.path);
        Self {
            path: path.text,
            path_bytes: path.bytes,
            inode: file.inode,
            dev: file.device.to_string(),
            deleted: file.deleted,
            size: file.size,
            replaced: file.replaced,
            executable: file.executable,
            kind: kind(file.kind).to_owned(),
        }
    }
}

fn kind(kind: MappedKind) -> &'static str {
    match kind {
        MappedKind::File => "file",
        MappedKind::Memfd => "memfd",
        MappedKind::SharedMemory => "shared-memory",
        MappedKind::Device => "device",
        MappedKind::KernelObject => "kernel-object",
    }
}

impl Remark {
    fn of(notable: &Notable, arguments: Shown) -> Self {
        let subject = Text::of(arguments.subject(notable));
        Self {
            code: notable.code.as_str().to_owned(),
            text: format!("{} {}", subject.text, notable.text),
            reference: subject.text,
            reference_bytes: subject.bytes,
        }
    }
}
