//! The runtime event (specification, section 2.1), with what version 1.1 appends.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::{BuildId, Sha256};
use super::gap::{Gap, Reason};
use super::id::Id;
use super::policy::PolicyVerdict;
use super::process::Process;
use super::version::Minor;

/// Something that happened to a workload, or was seen of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeEvent {
    /// The id of the event without this member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<Id>,
    /// When it was seen, in UTC with nanoseconds.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub when: Timestamp,
    /// What happened.
    pub kind: Kind,
    /// Whose node it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The node's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The container's engine; absent outside any container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    /// Where it belongs.
    pub workload: Workload,
    /// What runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The files that it has mapped, by path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loaded_libs: Option<Vec<LoadedLib>>,
    /// What is attached to its image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posture: Option<Posture>,
    /// How its files differ from its image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<Delta>,
    /// What this rests on.
    pub evidence: Vec<Evidence>,
    /// What runs there that the image does not explain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub findings: Option<Vec<Finding>>,
    /// What the policy says to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub policy: Option<PolicyVerdict>,
    /// Whether it was already running when it was first looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub recovered: Option<bool>,
    /// What could not be seen; empty when everything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub gaps: Option<Vec<Gap>>,
}

impl RuntimeEvent {
    /// The schema's name.
    pub const SCHEMA: &str = "zastava.runtime.event";

    /// The minors that we write.
    pub const MINORS: [Minor; 2] = Minor::ALL;

    /// What a version has of it.
    #[must_use]
    pub fn at(self, minor: Minor) -> Self {
        match minor {
            Minor::V1_0 => self.v1_0(),
            Minor::V1_1 => self,
        }
    }

    /// Version 1.0 has no list of gaps: there they are evidence.
    fn v1_0(self) -> Self {
        let mut evidence = self.evidence;
        evidence.extend(self.gaps.iter().flatten().map(Evidence::of_gap));
        let libs = |libs: Vec<LoadedLib>| libs.into_iter().map(LoadedLib::v1_0).collect();
        Self {
            event_id: self.event_id,
            when: self.when,
            kind: self.kind,
            tenant: self.tenant,
            node: self.node,
            runtime: self.runtime,
            workload: self.workload,
            process: self.process.map(Process::v1_0),
            loaded_libs: self.loaded_libs.map(libs),
            posture: self.posture,
            delta: self.delta.map(Delta::v1_0),
            evidence,
            findings: None,
            policy: None,
            recovered: None,
            gaps: None,
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// A container started, or runs when it is first looked at.
    ContainerStart,
    /// A container ended.
    ContainerStop,
    /// Something runs that the image does not explain.
    Drift,
    /// A policy does not allow what runs.
    PolicyViolation,
    /// What is attached to an image is known, or has changed.
    AttestationStatus,
}

/// A container engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Runtime {
    /// `containerd`, `cri-o`, `docker` or `podman`.
    pub engine: String,
    /// The engine's own version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Where a process belongs; outside any container only `platform` is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// What runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The pod's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The pod's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// The container's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// `<engine>://<id>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// `name@<manifest digest>`; the name alone where only the config digest is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_ref: Option<String>,
    /// What owns the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
}

/// What runs a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// A pod's container.
    Kubernetes,
    /// A container of Docker, or of what speaks for it.
    Docker,
    /// A container of containerd, in no pod.
    Containerd,
    /// No container.
    Host,
}

impl Platform {
    /// The word as it stands in every format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Docker => "docker",
            Self::Containerd => "containerd",
            Self::Host => "host",
        }
    }
}

/// A Kubernetes object that owns a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Owner {
    /// Such as `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A mapped file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoadedLib {
    /// Its path in the process's own root; U+FFFD stands for what is no UTF-8.
    pub path: String,
    /// Its inode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
    /// The digest of its content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// Its device, `major:minor` in decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub dev: Option<String>,
    /// Its size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub size: Option<u64>,
    /// Its GNU build-id; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub build_id: Option<BuildId>,
    /// Whether its name is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub deleted: Option<bool>,
    /// The layer of the image that it is from, or `upper`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub layer: Option<String>,
    /// Why it has no digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub digest_status: Option<Reason>,
    /// The path's bytes in base64url, where they are no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub path_bytes: Option<String>,
}

impl LoadedLib {
    fn v1_0(self) -> Self {
        let Self { path, inode, sha256, .. } = self;
        Self { path, inode, sha256, ..Self::default() }
    }
}

/// What is attached to an image. What is absent is not known; `imageSigned: false` means that it was
/// looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Posture {
    /// Whether a required signature was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_signed: Option<bool>,
    /// Whether an SBOM refers to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sbom_referrer: Option<SbomReferrer>,
    /// Its attestation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Attestation>,
}

/// Whether an SBOM refers to an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SbomReferrer {
    /// One does.
    Present,
    /// None does.
    Missing,
}

/// An attestation about an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attestation {
    /// Its entry in the transparency log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Whether it was verified, by us or by the backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
}

/// How a container's files differ from its image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delta {
    /// The image's manifest digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_image_digest: Option<String>,
    /// Files with other content than in the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_files: Option<Vec<String>>,
    /// Programs that are not in the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_binaries: Option<Vec<NewBinary>>,
    /// Files of the image that are gone (whiteouts).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub removed: Option<Vec<String>>,
    /// Directories whose content in the image is hidden (opaque).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub hidden: Option<Vec<String>>,
    /// Files copied up with the same content.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub metadata_only: Option<Vec<String>>,
    /// Programs that are on a volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub from_volume: Option<Vec<String>>,
}

impl Delta {
    fn v1_0(self) -> Self {
        let binaries = |new: Vec<NewBinary>| new.into_iter().map(NewBinary::v1_0).collect();
        Self {
            baseline_image_digest: self.baseline_image_digest,
            changed_files: self.changed_files,
            new_binaries: self.new_binaries.map(binaries),
            ..Self::default()
        }
    }
}

/// A program that is not in the image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewBinary {
    /// Its path.
    pub path: String,
    /// The digest of its content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// The path's bytes in base64url, where they are no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub path_bytes: Option<String>,
}

impl NewBinary {
    fn v1_0(self) -> Self {
        let Self { path, sha256, .. } = self;
        Self { path, sha256, ..Self::default() }
    }
}

/// Something that was read or asked, and what it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Where from, such as `procfs.maps`, `cri.task.inspect` or `registry.referrers`.
    pub signal: String,
    /// What it said. Of a mapping `path@+0x<offset in the file>`: an address would tell the layout of
    /// a live process.
    pub value: String,
}

impl Evidence {
    fn of_gap(gap: &Gap) -> Self {
        Self { signal: "gap".to_owned(), value: format!("{}: {}", gap.field, gap.reason) }
    }
}

/// Something that runs and that the image does not explain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its name, the same each time it is found.
    pub key: String,
    /// What was compared.
    pub signal: Signal,
    /// What differs, such as `new`, `content-changed` or `undeclared-port`.
    pub class: String,
    /// How bad it is.
    pub severity: Severity,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The digest of the file's content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// What the image explains.
    pub expected: String,
    /// What is there.
    pub seen: String,
    /// What proves it.
    pub strength: Strength,
    /// How many alike findings this one stands for.
    pub count: u64,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// The path's bytes in base64url, where they are no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
}

/// What is compared with the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the specification's words, section 10")]
pub enum Signal {
    Process,
    Library,
    Filesystem,
    Network,
}

/// How bad a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words say it")]
pub enum Severity {
    High,
    Medium,
    Low,
    Info,
}

/// What proves a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// It is in the container's own layer, not in the image's.
    Layer,
    /// Its content differs.
    Digest,
    /// A socket of the kernel's.
    Socket,
    /// A time stamp, which can be forged.
    Time,
}
