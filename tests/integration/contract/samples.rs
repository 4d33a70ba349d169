//! The specification's own samples, with the first of each listed alternative, without comments, and
//! with the ids and digests that it elides filled in.

use serde::Serialize;
use zastava::contract::{DecisionEnvelope, EventEnvelope, canonical};

use super::json::compacted;
use super::read;

/// The sample in the envelope of version 1.0, without white space.
fn in_an_envelope(schema: &str, member: &str, sample: &str) -> String {
    let sample = compacted(&read(sample));
    format!(r#"{{"schemaVersion":"{schema}@v1.0","{member}":{sample}}}"#)
}

fn canonical(value: &impl Serialize) -> String {
    String::from_utf8(canonical::to_bytes(value).unwrap()).unwrap()
}

#[test]
fn the_specifications_event_is_read_and_written_in_its_own_order() {
    let sample = in_an_envelope("zastava.runtime.event", "event", "spec-event.json");
    let read = EventEnvelope::decode(sample.as_bytes()).unwrap();
    assert_eq!(canonical(&read), sample);
}

#[test]
fn the_specifications_decision_is_read_and_written_in_its_own_order() {
    let sample = in_an_envelope("zastava.admission.decision", "decision", "spec-decision.json");
    let read = DecisionEnvelope::decode(sample.as_bytes()).unwrap();
    assert_eq!(canonical(&read), sample);
}

/// The sample has an id of the right form that is not its own; what is sent has its own.
#[test]
fn the_specifications_event_is_sent_with_its_own_id() {
    let sample = in_an_envelope("zastava.runtime.event", "event", "spec-event.json");
    let read = EventEnvelope::decode(sample.as_bytes()).unwrap().event;
    let elided = read.event_id.unwrap().to_string();
    let sent = read.encode(zastava::contract::Minor::V1_0).unwrap();
    let expected = sample.replace(&elided, &sent.id.to_string());
    assert_eq!(String::from_utf8(sent.bytes).unwrap(), expected);
    assert_ne!(sent.id.to_string(), elided);
}
