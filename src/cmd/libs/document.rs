//! The result document of `libs TARGET` and `libs --all`: its shape is a contract, new fields are appended.

use schemars::JsonSchema;
use serde::Serialize;

use super::LibsAnswer;
use crate::cmd::document::{Document, Text, started};
use crate::cmd::observed::{Engine, LoadedLib, Place};
use crate::contract::Workload;
use crate::inspect::{LoadedObservation, workload};

/// The whole document.
pub(in crate::cmd) type LibsDocument = Document<ResultDocument>;

/// The mapped files. What could not be seen is left out and named in `gaps`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::cmd) struct ResultDocument {
    /// The engine of the target's container, where something tells; absent with `--all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<Engine>,
    /// Where the target belongs; absent with `--all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<Place>,
    /// Rows of their own in NDJSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required)]
    pub(super) processes: Option<Vec<Process>>,
    /// The files, each once, by path. Rows of their own in NDJSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required)]
    pub(super) loaded_libs: Option<Vec<LoadedLib>>,
    totals: Totals,
}

/// A process that was looked at.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Process {
    pid: u32,
    comm: String,
    /// The name's bytes in base64url, where they are no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    comm_bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    /// Where it belongs; with `--all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<Workload>,
    /// Its files; with `--all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    loaded_libs: Option<Vec<Reference>>,
}

/// A file of the document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Reference {
    /// Its place in `loadedLibs`, from 0.
    r#ref: usize,
}

/// Sums over the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Totals {
    pub(super) files: u64,
    /// Their sizes, as far as they are known.
    pub(super) bytes: u64,
    /// Files that have a digest.
    pub(super) hashed: u64,
    /// How often a digest was known already, from another process or another name.
    pub(super) cached: u64,
}

impl Totals {
    pub(super) fn of(answer: &LibsAnswer<'_>) -> Self {
        let files = answer.files.by_path().iter().map(|shared| &shared.file);
        let start = Self { cached: answer.content.known_digests, ..Self::default() };
        files.fold(start, |sum, file| Self {
            files: sum.files + 1,
            bytes: sum.bytes.saturating_add(file.size.unwrap_or(0)),
            hashed: sum.hashed + u64::from(file.content.digest.known().is_some()),
            cached: sum.cached,
        })
    }
}

impl ResultDocument {
    pub(super) fn of(answer: &LibsAnswer<'_>) -> Self {
        let only = answer.only();
        let lib = |shared: &super::shared::SharedFile| {
            LoadedLib::of(&shared.file).with_pids(&shared.pids)
        };
        Self {
            runtime: only.and_then(|one| Engine::of(&one.membership)),
            workload: only.map(|one| Place::of(&one.membership, &one.identity)),
            processes: Some(answer.processes.iter().map(|one| Process::of(one, answer)).collect()),
            loaded_libs: Some(answer.files.by_path().iter().map(lib).collect()),
            totals: Totals::of(answer),
        }
    }
}

impl Process {
    fn of(seen: &LoadedObservation, answer: &LibsAnswer<'_>) -> Self {
        let comm = Text::of(&seen.identity.comm);
        let everywhere = answer.only().is_none();
        let files = seen.mapped.as_deref().unwrap_or_default().iter();
        let places = files.filter_map(|file| answer.files.place(file));
        Self {
            pid: seen.identity.pid,
            comm: comm.text,
            comm_bytes: comm.bytes,
            started_at: seen.identity.started.map(|time| started(time).to_string()),
            workload: everywhere.then(|| workload(&seen.membership, &seen.identity)),
            loaded_libs: everywhere.then(|| places.map(|r#ref| Reference { r#ref }).collect()),
        }
    }
}
