//! The admission decision (specification, section 2.2).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::policy::Verdict;
use super::version::Minor;

/// What was decided about a pod. It has one minor, 1.0: nothing was appended yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionDecision {
    /// The uid of the admission review.
    pub admission_id: String,
    /// The pod's namespace.
    pub namespace: String,
    /// `sha256:` over the pod's `spec` with keys sorted and no white space.
    pub pod_spec_digest: String,
    /// The pod's images, in the order of its containers.
    pub images: Vec<ImageDecision>,
    /// Whether the pod is let in.
    pub decision: Decided,
    /// How long the decision may be used again, in seconds.
    pub ttl_seconds: u64,
}

/// What was found of one image. What is absent is not known; a reason `unknown: …` says why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageDecision {
    /// The image as the pod has it.
    pub name: String,
    /// `name@<manifest digest>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<String>,
    /// Whether a required signature was verified; `false` means that it was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<bool>,
    /// Whether an SBOM is attached or known to the backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_sbom_referrers: Option<bool>,
    /// What the policy says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_verdict: Option<Verdict>,
    /// Why.
    pub reasons: Vec<String>,
}

/// The decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Decided {
    /// The pod is let in.
    Allow,
    /// It is not.
    Deny,
}

impl AdmissionDecision {
    /// The schema's name.
    pub const SCHEMA: &str = "zastava.admission.decision";

    /// The minors that we write.
    pub const MINORS: [Minor; 1] = [Minor::V1_0];
}
