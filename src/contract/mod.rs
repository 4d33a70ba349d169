//! The wire that backends, observers and webhooks agree on to the byte, and the nouns that every room
//! shares.
//!
//! May use: nothing. Crates: `base64`, `jiff`, `schemars`, `serde`, `serde_json`, `sha2`,
//! `thiserror`.
//!
//! Pure: no file system, network, process or clock.
//!
//! * [`RuntimeEvent`] and [`AdmissionDecision`] are what we send, each in an envelope that names its
//!   schema and version; [`PolicyRequest`] and [`PolicyResponse`] are what the webhook asks and is
//!   told. Names and their order are the specification's, sections 2 and 5.2.
//! * Version 1.0 is the specification's fields and nothing else; 1.1 appends ours, each at the end of
//!   its object. A type here has the fields of the newest minor in canonical order, and its `v1_0`
//!   keeps the first ones. Fields are only ever appended; a test compares with the last release.
//! * [`canonical`] writes the bytes that are hashed and sent; [`Id`] is their name. A payload is
//!   encoded once and never again, so a retry has the same bytes and id.
//! * A [`Gap`] is part of an answer: what could not be seen stands beside what was, in every format.
//!   Absent data is never silence.

pub mod canonical;
mod decision;
mod digest;
mod envelope;
mod event;
mod gap;
mod id;
mod policy;
mod process;
pub mod promises;
pub mod schema;
mod version;

pub use decision::{AdmissionDecision, Decided, ImageDecision};
pub use digest::{BuildId, Digest, NotHex, Sha256};
pub use envelope::{DecisionEnvelope, DecodeError, Encoded, EventEnvelope};
pub use event::{
    Attestation, Delta, Evidence, Finding, Kind, LoadedLib, NewBinary, Owner, Platform, Posture,
    Runtime, RuntimeEvent, SbomReferrer, Severity, Signal, Strength, Workload,
};
pub use gap::{Gap, Gaps, Observed, Reason};
pub use id::{Id, NotAnId};
pub use policy::{ImageVerdict, PolicyRequest, PolicyResponse, PolicyVerdict, Rekor, Verdict};
pub use process::{Alternative, Confidence, EntryStep, Process, Service, Terminal, TerminalMode};
pub use version::{BadVersion, Minor, Offer, SchemaVersion, Version};
