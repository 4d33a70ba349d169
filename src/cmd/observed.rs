//! The parts of a document that several commands have: where a process belongs, its mapped files, what
//! deserves a look. New fields are appended.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Text;
use super::look::Shown;
use crate::contract::{Digest, Reason};
use crate::inspect::{Notable, workload};
use crate::process::{
    Algorithm, ContainerIdentity, Content, Elf, Go, Identity, Libc, Linkage, MappedFile,
    MappedKind, Membership, PackageNote, Source, Told,
};

/// A container engine.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Engine {
    /// `containerd`, `cri-o`, `docker` or `podman`.
    engine: String,
}

impl Engine {
    pub(super) fn of(member: &Membership) -> Option<Self> {
        let engine = member.container.as_ref()?.engine?;
        Some(Self { engine: engine.as_str().to_owned() })
    }
}

/// What a process belongs to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
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

impl Place {
    pub(super) fn of(member: &Membership, identity: &Identity) -> Self {
        let told = workload(member, identity);
        let platform = told.platform.map(|platform| platform.as_str().to_owned());
        let on_host = platform.as_deref() == Some("host");
        Self {
            container: told.container,
            container_id: told.container_id.or_else(|| on_host.then(|| "none".to_owned())),
            platform,
            pod_uid: member.pod.as_ref().map(|pod| pod.uid.clone()),
            qos_class: member.pod.as_ref().and_then(|pod| Some(pod.qos?.as_str().to_owned())),
            found_by: member.container.as_ref().map(|container| match container.source {
                Source::Cgroup => "cgroup".to_owned(),
                Source::Mountinfo => "mountinfo".to_owned(),
                Source::CgroupName => "cgroup-name".to_owned(),
            }),
            outer: member.outer.iter().map(ContainerIdentity::full_id).collect(),
        }
    }
}

/// A mapped file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoadedLib {
    path: String,
    /// The path's bytes in base64url, where they are no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    inode: u64,
    /// `major:minor`, decimal.
    dev: String,
    /// The name is gone.
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// Another file has the name now, and this one is still mapped.
    replaced: bool,
    /// Whether any part of it may be executed.
    executable: bool,
    /// `file`, `memfd`, `shared-memory`, `device` or `kernel-object`.
    kind: String,
    /// The GNU build-id, or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    build_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
    /// Why it has no digest, in the words of gaps.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest_status: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    soname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    soname_bytes: Option<String>,
    /// The processes that have it mapped, where several were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pids: Option<Vec<u32>>,
}

impl LoadedLib {
    pub(super) fn of(file: &MappedFile) -> Self {
        let path = Text::of(&file.path);
        let elf = file.content.elf.known();
        let (soname, soname_bytes) = Text::halves(elf.and_then(|elf| elf.soname.as_deref()));
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
            build_id: build_id(&file.content),
            sha256: hex(&file.content, Algorithm::Sha256),
            blake3: hex(&file.content, Algorithm::Blake3),
            digest_status: file.content.digest.unknown(),
            soname,
            soname_bytes,
            pids: None,
        }
    }

    /// The same file with those who have it mapped.
    pub(super) fn with_pids(self, pids: &[u32]) -> Self {
        Self { pids: Some(pids.to_vec()), ..self }
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

/// A build-id, or that there is none; `None` where that is not known.
pub(super) fn build_id(content: &Content) -> Option<String> {
    match content.build_id() {
        Told::Known(id) => Some(id.to_string()),
        Told::None => Some("none".to_owned()),
        Told::Unknown(_) | Told::NotAsked => None,
    }
}

/// A digest by this algorithm.
pub(super) fn hex(content: &Content, algorithm: Algorithm) -> Option<String> {
    let digest = content.digest.known().filter(|digest| digest.algorithm() == algorithm.as_str());
    digest.map(Digest::hex)
}

pub(super) fn linkage(elf: &Elf) -> &'static str {
    match elf.linkage {
        Linkage::Static => "static",
        Linkage::StaticPie => "static-pie",
        Linkage::Dynamic => "dynamic",
        Linkage::Shared => "shared",
        Linkage::Relocatable => "relocatable",
        Linkage::Core => "core",
        Linkage::Other => "other",
    }
}

/// The C library; `none` for a Go program that was built without C.
pub(super) fn libc(elf: &Elf) -> Option<&'static str> {
    match elf.libc {
        Some(Libc::Glibc) => Some("glibc"),
        Some(Libc::Musl) => Some("musl"),
        None => (elf.go.as_ref().and_then(|go| go.cgo) == Some(false)).then_some("none"),
    }
}

/// What Go's linker wrote.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct GoBuild {
    /// Go's own build-id.
    #[serde(skip_serializing_if = "Option::is_none")]
    build_id: Option<String>,
    /// The toolchain, such as `go1.25.3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// The path of the main package.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<GoModule>,
}

/// A Go module.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct GoModule {
    path: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<String>,
}

impl GoBuild {
    pub(super) fn of(go: &Go) -> Self {
        Self {
            build_id: go.build_id.as_deref().map(|id| Text::of(id).text),
            version: go.version.clone(),
            path: go.path.clone(),
            module: go.module.as_ref().map(|module| GoModule {
                path: module.path.clone(),
                version: module.version.clone(),
                sum: module.sum.clone(),
            }),
        }
    }
}

/// What a packager wrote into a file; nobody checked it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Package {
    /// `deb`, `rpm`, `apk`, ….
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    architecture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    os: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    os_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    os_cpe: Option<String>,
}

impl Package {
    pub(super) fn of(note: &PackageNote) -> Self {
        let PackageNote { kind, name, version, architecture, os, os_version, os_cpe } =
            note.clone();
        Self { kind, name, version, architecture, os, os_version, os_cpe }
    }
}

/// What deserves a look.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Remark {
    code: String,
    text: String,
    /// What it is about: a path, or an id.
    #[serde(rename = "ref")]
    reference: String,
    #[serde(rename = "refBytes", skip_serializing_if = "Option::is_none")]
    reference_bytes: Option<String>,
}

impl Remark {
    pub(super) fn of(notable: &Notable, arguments: Shown) -> Self {
        let subject = Text::of(arguments.subject(notable));
        Self {
            code: notable.code.as_str().to_owned(),
            text: format!("{} {}", subject.text, notable.text),
            reference: subject.text,
            reference_bytes: subject.bytes,
        }
    }
}
