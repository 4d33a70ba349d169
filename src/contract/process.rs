//! The part of a runtime event that is about the process, and the entry trace.
//!
//! Arguments that a workload was started with stay on the node: what is here has paths, not arguments.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::BuildId;

/// The process that a container runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Its pid on the node.
    pub pid: u32,
    /// The *image's* entrypoint and command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// What the entrypoint ends up running, step by step, as the image's scripts say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_trace: Option<Vec<EntryStep>>,
    /// The GNU build-id of its executable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_id: Option<BuildId>,
    /// When it started, to the second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time", "x-since" = "v1.1"))]
    pub started_at: Option<Timestamp>,
    /// The program that the entry trace ends at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub terminal: Option<Terminal>,
    /// What runs, as the live process shows it; the last target is the executable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub observed_trace: Option<Vec<EntryStep>>,
    /// The programs that it may end at, where the trace does not decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub alternatives: Option<Vec<Alternative>>,
    /// The services of a supervisor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub services: Option<Vec<Service>>,
    /// How it ended: its exit code, or 128 and the signal's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub exit_code: Option<i32>,
}

impl Process {
    /// What version 1.0 has of it.
    pub(super) fn v1_0(self) -> Self {
        let steps = |steps: Vec<EntryStep>| steps.into_iter().map(EntryStep::v1_0).collect();
        Self {
            pid: self.pid,
            entrypoint: self.entrypoint,
            entry_trace: self.entry_trace.map(steps),
            build_id: self.build_id,
            ..Self::default()
        }
    }
}

/// One step from the entrypoint to the program that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntryStep {
    /// The file that the step stands in, or `<argv>` for an argument vector, `<procfs>` for a live
    /// process.
    pub file: String,
    /// The line, from 1; absent where there is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What happens, such as `exec` or `python`.
    pub op: String,
    /// What it leads to: a path; `<inline>` for a text given by `-c`, `<env:NAME>` for a value from the
    /// environment.
    pub target: String,
    /// The user from here on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub user: Option<String>,
    /// The condition that leads here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub guard: Option<String>,
    /// How sure the step is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-since" = "v1.1"))]
    pub confidence: Option<Confidence>,
}

impl EntryStep {
    fn v1_0(self) -> Self {
        let Self { file, line, op, target, .. } = self;
        Self { file, line, op, target, ..Self::default() }
    }
}

/// How sure a trace is; closed words and no numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// It follows from the files.
    Exact,
    /// It follows if external commands succeed.
    Assumed,
    /// Several ways lead to it.
    Merged,
    /// Several programs are possible.
    Ambiguous,
    /// It is decided when it runs.
    Dynamic,
    /// Nothing is known.
    None,
}

/// A program at the end of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Terminal {
    /// Its path.
    pub path: String,
    /// The user that it runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// That user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// How it stands to process 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<TerminalMode>,
    /// The path's bytes in base64url, where they are no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
}

/// How a program stands to the container's process 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TerminalMode {
    /// It is process 1.
    Exec,
    /// It is the child of an init that passes signals on.
    InitChild,
    /// It is the child of a shell, and signals do not reach it.
    ShellParent,
    /// The script ends without one.
    Exit,
}

/// One of several possible ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alternative {
    /// The program.
    pub terminal: Terminal,
    /// The condition that leads to it.
    pub guard: String,
    /// The file that the condition stands in.
    pub file: String,
    /// Its line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// A service that a supervisor runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The program at its end, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal: Option<Terminal>,
}
