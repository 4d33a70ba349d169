//! Gaps: what could not be seen, and why.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why something could not be seen. The words are closed: a reader of any minor knows
/// them all, and a new one needs a new major.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It was there and is not any more.
    Vanished,
    /// The name (a pid) now belongs to something else.
    Reused,
    /// The kernel refused: credentials, capabilities, `hidepid` or a security module.
    Denied,
    /// A limit of ours was reached first.
    Budget,
    /// This source, kernel or build cannot tell.
    Unsupported,
    /// What came back could not be understood.
    Malformed,
    /// A service did not answer.
    Unreachable,
    /// A service refused our credentials.
    Unauthorized,
    /// It was looked for and does not exist.
    NotFound,
    /// No answer in time.
    Timeout,
}

impl Reason {
    /// The word as it stands in every format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vanished => "vanished",
            Self::Reused => "reused",
            Self::Denied => "denied",
            Self::Budget => "budget",
            Self::Unsupported => "unsupported",
            Self::Malformed => "malformed",
            Self::Unreachable => "unreachable",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not-found",
            Self::Timeout => "timeout",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that could not be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// The dotted path of the missing field in the result, such as `process.exe`.
    pub field: String,
    /// Why it is missing.
    pub reason: Reason,
    /// What was tried: a path that was read, or the fact that stood in the way.
    pub tried: String,
    /// How many alike gaps this one stands for; at least 1.
    #[schemars(range(min = 1))]
    pub count: u64,
    /// What would help, where something would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Gap {
    /// A gap that stands for itself.
    #[must_use]
    pub fn new(field: impl Into<String>, reason: Reason, tried: impl Into<String>) -> Self {
        Self { field: field.into(), reason, tried: tried.into(), count: 1, hint: None }
    }

    /// The same gap, standing for `count` alike ones.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = count.max(1);
        self
    }

    /// The same gap with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Gaps in the order in which they were met, alike ones counted in one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps(Vec<Gap>);

impl Gaps {
    /// Adds a gap; one with the same field, reason and hint is counted instead, and keeps what was
    /// tried first.
    pub fn push(&mut self, gap: Gap) {
        let alike = |seen: &&mut Gap| {
            seen.field == gap.field && seen.reason == gap.reason && seen.hint == gap.hint
        };
        match self.0.iter_mut().find(alike) {
            Some(seen) => seen.count = seen.count.saturating_add(gap.count),
            None => self.0.push(gap),
        }
    }

    /// Adds every gap of another observation.
    pub fn extend(&mut self, gaps: impl IntoIterator<Item = Gap>) {
        gaps.into_iter().for_each(|gap| self.push(gap));
    }

    /// Takes the value out of an observation and keeps its gaps.
    pub fn take<T>(&mut self, observed: Observed<T>) -> T {
        self.extend(observed.gaps.0);
        observed.value
    }

    /// The gaps as they are told.
    #[must_use]
    pub fn as_slice(&self) -> &[Gap] {
        &self.0
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Gaps {
    type Item = Gap;
    type IntoIter = std::vec::IntoIter<Gap>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A value together with what could not be seen of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed<T> {
    /// What was seen.
    pub value: T,
    /// What was not.
    pub gaps: Gaps,
}

impl<T> Observed<T> {
    /// A value of which everything was seen.
    pub fn whole(value: T) -> Self {
        Self { value, gaps: Gaps::default() }
    }

    /// A value with one thing missing.
    pub fn partial(value: T, gap: Gap) -> Self {
        let mut gaps = Gaps::default();
        gaps.push(gap);
        Self { value, gaps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_gaps_are_one_with_a_count_and_keep_what_was_tried_first() {
        let mut gaps = Gaps::default();
        gaps.push(Gap::new("process.listening.pids", Reason::Denied, "/proc/2/fd"));
        gaps.push(Gap::new("process.listening.pids", Reason::Denied, "/proc/17/fd"));
        gaps.push(Gap::new("process.exe", Reason::Denied, "/proc/2/exe"));
        let told: Vec<_> =
            gaps.as_slice().iter().map(|g| (g.field.as_str(), g.count, g.tried.as_str())).collect();
        assert_eq!(
            told,
            [("process.listening.pids", 2, "/proc/2/fd"), ("process.exe", 1, "/proc/2/exe")]
        );
    }

    #[test]
    fn the_word_in_json_is_the_word_in_the_table() {
        let all = [
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
        for reason in all {
            assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{reason}\""));
        }
    }
}
