//! The result document of `inspect pid`: its shape is a contract, new fields are appended.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cmd::document::{Document, Text, Texts, started};
use crate::cmd::look::Shown;
use crate::cmd::observed::{self, Engine, GoBuild, LoadedLib, Package, Place, Remark};
use crate::contract::Reason;
use crate::inspect::ProcessObservation;
use crate::process::{
    Address, Algorithm, Ancestor, Executable, Identity, Label, Listener, Namespace,
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
    runtime: Option<Engine>,
    workload: Place,
    process: Process,
    /// The mapped files, by path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) loaded_libs: Option<Vec<LoadedLib>>,
    notable: Vec<Remark>,
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
    /// `none` where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    build_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
    /// Why it has no digest, in the words of gaps.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest_status: Option<Reason>,
    /// `static`, `static-pie`, `dynamic` or `shared`; absent for what is no ELF file.
    #[serde(skip_serializing_if = "Option::is_none")]
    linkage: Option<String>,
    /// `glibc` or `musl`; `none` for a Go program without C.
    #[serde(skip_serializing_if = "Option::is_none")]
    libc: Option<String>,
    /// The program interpreter; absent where it asks for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    interpreter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interpreter_bytes: Option<String>,
    /// What Go's linker wrote, for a Go program.
    #[serde(skip_serializing_if = "Option::is_none")]
    go: Option<GoBuild>,
    /// What the packager wrote into the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    packages: Option<Vec<Package>>,
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

impl ResultDocument {
    pub(super) fn of(seen: &ProcessObservation, arguments: Shown) -> Self {
        Self {
            runtime: Engine::of(&seen.membership),
            workload: Place::of(&seen.membership, &seen.identity),
            process: Process::of(seen, arguments),
            loaded_libs: seen
                .mapped
                .as_ref()
                .map(|files| files.iter().map(LoadedLib::of).collect()),
            notable: seen.notable.iter().map(|remark| Remark::of(remark, arguments)).collect(),
        }
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
        let content = &exe.content;
        let elf = content.elf.known();
        let (interpreter, interpreter_bytes) =
            Text::halves(elf.and_then(|elf| elf.interpreter.as_deref()));
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
            build_id: observed::build_id(content),
            sha256: observed::hex(content, Algorithm::Sha256),
            blake3: observed::hex(content, Algorithm::Blake3),
            digest_status: content.digest.unknown(),
            linkage: elf.map(|elf| observed::linkage(elf).to_owned()),
            libc: elf.and_then(|elf| observed::libc(elf)).map(str::to_owned),
            interpreter,
            interpreter_bytes,
            go: elf.and_then(|elf| elf.go.as_ref()).map(GoBuild::of),
            packages: elf.map(|elf| elf.packages.iter().map(Package::of).collect()),
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
