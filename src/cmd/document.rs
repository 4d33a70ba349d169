//! The envelope of every JSON document that a command prints.

use std::path::Path;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::exit::ExitStatus;
use crate::contract::{Gap, Reason};
use crate::inspect::Around;
use crate::process::{Counters, HostFacts, Traffic};

/// One document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document<R> {
    /// `zastava.cli.<command>@v<major>.<minor>`; a new minor only appends.
    pub(super) schema_version: String,
    pub(super) tool: Tool,
    pub(super) host: Host,
    /// When the observation began, RFC 3339 in UTC.
    pub(super) when: String,
    /// How long it took, in milliseconds.
    pub(super) duration_ms: u64,
    pub(super) target: Target,
    /// `done`, `findings` or `undetermined`: exit code 0, 1 or 3.
    pub(super) outcome: String,
    pub(super) result: R,
    /// What could not be seen; empty when everything was. Rows of their own in NDJSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required)]
    pub(super) gaps: Option<Vec<Gap>>,
    pub(super) cost: Cost,
}

/// The program that looked.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) version: String,
    /// The commit that it was built from, where the build said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) commit: Option<String>,
}

impl Tool {
    pub(super) fn this() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("ZASTAVA_COMMIT").map(str::to_owned),
        }
    }
}

/// The machine that was looked at.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Host {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) node: Option<String>,
    /// The kernel's release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kernel: Option<String>,
    /// As `uname -m`.
    pub(super) arch: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) boot_id: Option<String>,
}

impl Host {
    pub(super) fn new(facts: HostFacts, node: Option<String>) -> Self {
        Self {
            node: node.or(facts.hostname),
            kernel: facts.kernel,
            arch: facts.arch.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            boot_id: facts.boot_id,
        }
    }

    /// What the proc root did not say.
    pub(super) fn gaps(&self, root: &Path) -> Vec<Gap> {
        let facts = [
            ("host.node", self.node.is_some(), "sys/kernel/hostname"),
            ("host.kernel", self.kernel.is_some(), "sys/kernel/osrelease"),
            ("host.bootId", self.boot_id.is_some(), "sys/kernel/random/boot_id"),
        ];
        let missing = facts.into_iter().filter(|(_, told, _)| !told);
        missing
            .map(|(field, _, file)| {
                Gap::new(field, Reason::NotFound, root.join(file).to_string_lossy())
            })
            .collect()
    }
}

/// What was asked about.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Target {
    /// As it was typed.
    pub(super) given: String,
    /// `process`, `container`, `pod`, `node`, `image` or `manifest`.
    pub(super) kind: String,
    /// In a form that every command takes, such as `pid:4711`.
    pub(super) id: String,
}

impl Target {
    /// One process.
    pub(super) fn process(given: &str, pid: u32) -> Self {
        Self { given: given.to_owned(), kind: "process".to_owned(), id: format!("pid:{pid}") }
    }

    /// The whole node.
    pub(super) fn node(given: &str) -> Self {
        Self { given: given.to_owned(), kind: "node".to_owned(), id: "node".to_owned() }
    }
}

/// What looking cost.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cost {
    /// Processor time of this process, in milliseconds.
    pub(super) cpu_ms: u64,
    pub(super) bytes_read: u64,
    /// Reads that never came back and were left behind.
    pub(super) reads_left_behind: u64,
    /// Bytes that were read for digests, counted in `bytesRead` too.
    pub(super) bytes_hashed: u64,
    /// How often a digest was known from another process of the same look.
    pub(super) digests_cached: u64,
}

impl Cost {
    pub(super) fn of(traffic: &Traffic, content: Counters) -> Self {
        let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let cpu = Duration::try_from(used).unwrap_or_default();
        Self {
            cpu_ms: millis(cpu),
            bytes_read: traffic.bytes,
            reads_left_behind: traffic.left_behind as u64,
            bytes_hashed: content.hashed_bytes,
            digests_cached: content.known_digests,
        }
    }
}

/// What was observed, and everything around it, before it becomes a document.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) schema: &'static str,
    pub(super) host: Host,
    pub(super) begun: SystemTime,
    pub(super) took: Duration,
    pub(super) target: Target,
    pub(super) outcome: ExitStatus,
    pub(super) gaps: Vec<Gap>,
    pub(super) cost: Cost,
}

impl Frame {
    /// What an event says of where and when it was seen.
    pub(super) fn around(&self) -> Around {
        Around { when: timestamp(self.begun), tenant: None, node: self.host.node.clone() }
    }

    /// The document around `result`.
    pub(super) fn document<R>(&self, result: R) -> Document<R> {
        Document {
            schema_version: self.schema.to_owned(),
            tool: Tool::this(),
            host: self.host.clone(),
            when: rfc3339(self.begun),
            duration_ms: millis(self.took),
            target: self.target.clone(),
            outcome: self.outcome.outcome().to_owned(),
            result,
            gaps: Some(self.gaps.clone()),
            cost: self.cost.clone(),
        }
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A time beyond the calendar's years is shown as its end.
pub(super) fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::MAX)
}

/// The start of a process: the kernel tells the boot in whole seconds, and nothing finer is known.
pub(super) fn started(time: SystemTime) -> Timestamp {
    timestamp(time)
        .round(
            jiff::TimestampRound::new().smallest(jiff::Unit::Second).mode(jiff::RoundMode::Trunc),
        )
        .unwrap_or(Timestamp::MAX)
}

pub(super) fn rfc3339(time: SystemTime) -> String {
    timestamp(time).to_string()
}

/// Many names as [`Text`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts {
    pub(super) texts: Vec<String>,
    /// All of them, where one is no UTF-8.
    pub(super) bytes: Option<Vec<String>>,
}

impl Texts {
    pub(super) fn of(names: &[&[u8]]) -> Self {
        let broken = names.iter().any(|name| str::from_utf8(name).is_err());
        Self {
            texts: names.iter().map(|name| Text::of(name).text).collect(),
            bytes: broken.then(|| names.iter().map(|name| URL_SAFE_NO_PAD.encode(name)).collect()),
        }
    }
}

/// A name that somebody else chose, as JSON can hold it: `text` has U+FFFD where it is no UTF-8, and
/// then `bytes` has the whole of it in base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) bytes: Option<String>,
}

impl Text {
    /// Both halves of a name that may be missing.
    pub(super) fn halves(bytes: Option<&[u8]>) -> (Option<String>, Option<String>) {
        match bytes.map(Self::of) {
            Some(Self { text, bytes }) => (Some(text), bytes),
            None => (None, None),
        }
    }

    pub(super) fn of(bytes: &[u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => Self { text: text.to_owned(), bytes: None },
            Err(_) => Self {
                text: String::from_utf8_lossy(bytes).into_owned(),
                bytes: Some(URL_SAFE_NO_PAD.encode(bytes)),
            },
        }
    }
}
