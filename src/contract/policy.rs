//! What the webhook asks the backend about images, and what it is told (specification, section 5.2).
//!
//! The backend is someone else's: its answer is read leniently, unknown members are ignored and a
//! missing one is not known.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// What is asked: what the policy says to these images in this namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyRequest {
    /// The namespace that they are to run in.
    pub namespace: String,
    /// The pod's labels.
    pub labels: BTreeMap<String, String>,
    /// `name@<manifest digest>`, each once.
    pub images: Vec<String>,
}

/// What is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyResponse {
    /// How long the answer holds, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
    /// By the image as it was asked for.
    #[serde(default, deserialize_with = "null_is_absent")]
    pub results: BTreeMap<String, ImageVerdict>,
}

/// What is answered of one image. What is absent is not known, which is neither yes nor no.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageVerdict {
    /// Whether it is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<bool>,
    /// Whether an SBOM of it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_sbom: Option<bool>,
    /// What the policy says. A word that we do not know is no verdict that we know.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known_word")]
    pub policy_verdict: Option<Verdict>,
    /// Why.
    #[serde(default, deserialize_with = "null_is_absent")]
    pub reasons: Vec<String>,
    /// Its entry in the transparency log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rekor: Option<Rekor>,
}

/// An entry in the transparency log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rekor {
    /// Its UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
}

/// Some backends write `null` for what they have not, where others write nothing.
fn null_is_absent<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The specification writes the words in capitals too.
fn known_word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Verdict>, D::Error> {
    let word: Option<String> = Option::deserialize(deserializer)?;
    Ok(word.and_then(|word| match word.to_ascii_lowercase().as_str() {
        "pass" => Some(Verdict::Pass),
        "warn" => Some(Verdict::Warn),
        "fail" => Some(Verdict::Fail),
        _ => None,
    }))
}

/// A verdict of the policy.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Allowed.
    Pass,
    /// Allowed where warnings are.
    Warn,
    /// Not allowed.
    Fail,
}

/// What a policy said to a workload that runs (1.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyVerdict {
    /// The verdict.
    pub verdict: Verdict,
    /// The revision of the policy, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Why.
    pub reasons: Vec<String>,
}
