//! The envelope around a payload: its schema and version, and the payload under its own name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::canonical::{self, NotCanonical};
use super::decision::AdmissionDecision;
use super::event::RuntimeEvent;
use super::id::Id;
use super::version::{BadVersion, Minor, SchemaVersion};

/// A payload as it is sent and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The id of the payload.
    pub id: Id,
    /// The canonical bytes of the envelope, on one line and without an end of line.
    pub bytes: Vec<u8>,
}

/// Why bytes are not the payload that was expected.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// They are not JSON of the payload's shape.
    #[error("failed to read the envelope: {0}")]
    Shape(#[from] serde_json::Error),
    /// The version is not in the form.
    #[error("failed to read the envelope: {0}")]
    Version(#[from] BadVersion),
    /// The payload is another one, or of a major that we do not read.
    #[error("failed to read the envelope: {found} is not {expected}@v1.x")]
    Other {
        /// What it is.
        found: SchemaVersion,
        /// What was expected.
        expected: &'static str,
    },
}

/// A runtime event in its envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventEnvelope {
    /// `zastava.runtime.event@v1.<minor>`.
    pub schema_version: SchemaVersion,
    /// The event.
    pub event: RuntimeEvent,
}

impl RuntimeEvent {
    /// The bytes to be sent, with the event's id in them. This is done once: what is sent again is
    /// the same.
    ///
    /// # Errors
    ///
    /// None that these types can cause.
    pub fn encode(self, minor: Minor) -> Result<Encoded, NotCanonical> {
        let mut event = Self { event_id: None, ..self.at(minor) };
        let id = Id::of(&canonical::to_bytes(&event)?);
        event.event_id = Some(id);
        let schema_version = SchemaVersion::of(Self::SCHEMA, minor);
        let bytes = canonical::to_bytes(&EventEnvelope { schema_version, event })?;
        Ok(Encoded { id, bytes })
    }
}

impl EventEnvelope {
    /// Reads any minor of major 1; what later ones appended is ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where it is another schema, another major, or not of the event's shape.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        expect(bytes, RuntimeEvent::SCHEMA)?;
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// An admission decision in its envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionEnvelope {
    /// `zastava.admission.decision@v1.<minor>`.
    pub schema_version: SchemaVersion,
    /// The decision.
    pub decision: AdmissionDecision,
}

impl AdmissionDecision {
    /// The bytes for the log and the decision stream, and their id.
    ///
    /// # Errors
    ///
    /// None that these types can cause.
    pub fn encode(self) -> Result<Encoded, NotCanonical> {
        let id = Id::of(&canonical::to_bytes(&self)?);
        let schema_version = SchemaVersion::of(Self::SCHEMA, Minor::V1_0);
        let bytes = canonical::to_bytes(&DecisionEnvelope { schema_version, decision: self })?;
        Ok(Encoded { id, bytes })
    }
}

impl DecisionEnvelope {
    /// Reads any minor of major 1; what later ones appended is ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where it is another schema, another major, or not of the decision's shape.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        expect(bytes, AdmissionDecision::SCHEMA)?;
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// Looks at the version first: of another major nothing else need be as we know it.
fn expect(bytes: &[u8], expected: &'static str) -> Result<(), DecodeError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head {
        schema_version: String,
    }
    let head: Head = serde_json::from_slice(bytes)?;
    let found: SchemaVersion = head.schema_version.parse()?;
    match found.schema() == expected && found.version().major == 1 {
        true => Ok(()),
        false => Err(DecodeError::Other { found, expected }),
    }
}
