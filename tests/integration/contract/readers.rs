//! A reader takes any minor of major 1 and ignores what it does not know; everything else is refused.

use proptest::prelude::*;
use serde_json::{Value, json};
use zastava::contract::{DecisionEnvelope, EventEnvelope, Minor};

use super::json::for_every_object;
use super::strategies;

/// Something that a later minor may append, under a name that no minor has.
fn appended() -> impl Strategy<Value = (String, Value)> {
    let value = prop::sample::select(vec![
        json!(null),
        json!(1.5),
        json!("2025-10-17T12:34:56Z"),
        json!([{"a": [[]]}]),
        json!({"when": 1, "event": {"kind": "LATER"}}),
    ]);
    (strategies::text().prop_map(|name| format!("later.{name}")), value)
}

/// The envelope with a member more in every object, and another version.
fn later(bytes: &[u8], version: &str, (name, member): (String, Value)) -> Vec<u8> {
    let mut envelope: Value = serde_json::from_slice(bytes).unwrap();
    for_every_object(&mut envelope, &mut |object| object[name.as_str()] = member.clone());
    let known = envelope["schemaVersion"].as_str().unwrap();
    let (schema, _) = known.split_once('@').unwrap();
    envelope["schemaVersion"] = format!("{schema}@{version}").into();
    serde_json::to_vec(&envelope).unwrap()
}

fn version() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["v1.0", "v1.1", "v1.2", "v1.999", "v1.4294967295"])
}

proptest! {
    #[test]
    fn what_a_later_minor_appends_to_any_object_of_an_event_is_ignored(
        event in strategies::event(), version in version(), appended in appended()
    ) {
        let bytes = event.encode(Minor::V1_1).unwrap().bytes;
        let read = EventEnvelope::decode(&later(&bytes, version, appended)).unwrap();
        prop_assert_eq!(
            read.schema_version.to_string(), format!("zastava.runtime.event@{version}")
        );
        prop_assert_eq!(read.event, EventEnvelope::decode(&bytes).unwrap().event);
    }

    #[test]
    fn what_a_later_minor_appends_to_any_object_of_a_decision_is_ignored(
        decision in strategies::decision(), version in version(), appended in appended()
    ) {
        let bytes = decision.clone().encode().unwrap().bytes;
        let read = DecisionEnvelope::decode(&later(&bytes, version, appended)).unwrap();
        prop_assert_eq!(read.decision, decision);
    }
}

const EVENT: &str = r#"{"schemaVersion":"zastava.runtime.event@v1.0","event":{"when":"2025-10-17T12:34:56Z","kind":"DRIFT","workload":{},"evidence":[]}}"#;

const DECISION: &str = r#"{"schemaVersion":"zastava.admission.decision@v1.0","decision":{"admissionId":"","namespace":"","podSpecDigest":"","images":[],"decision":"Deny","ttlSeconds":1}}"#;

fn read_event(text: &str) -> Result<(), String> {
    let read = EventEnvelope::decode(text.as_bytes());
    read.map(drop).map_err(|error| error.to_string())
}

fn read_decision(text: &str) -> Result<(), String> {
    let read = DecisionEnvelope::decode(text.as_bytes());
    read.map(drop).map_err(|error| error.to_string())
}

fn refused(why: &str) -> Result<(), String> {
    Err(format!("failed to read the envelope: {why}"))
}

/// Each differs from an event that is taken in one thing.
#[test]
fn another_schema_another_major_and_a_malformed_version_are_refused_by_name() {
    assert_eq!(read_event(EVENT), Ok(()));
    let form = "expected <schema>@v<major>.<minor>";
    let cases = [
        ("zastava.runtime.event@v1.2", Ok(())),
        ("zastava.runtime.event@v1.999", Ok(())),
        (
            "zastava.runtime.event@v2.0",
            refused("zastava.runtime.event@v2.0 is not zastava.runtime.event@v1.x"),
        ),
        (
            "zastava.runtime.event@v0.1",
            refused("zastava.runtime.event@v0.1 is not zastava.runtime.event@v1.x"),
        ),
        (
            "zastava.admission.decision@v1.0",
            refused("zastava.admission.decision@v1.0 is not zastava.runtime.event@v1.x"),
        ),
        (
            "zastava.runtime.event@v1",
            refused(&format!("`zastava.runtime.event@v1` is no contract version: {form}")),
        ),
        (
            "zastava.runtime.event@v1.00",
            refused(&format!("`zastava.runtime.event@v1.00` is no contract version: {form}")),
        ),
        ("", refused(&format!("`` is no contract version: {form}"))),
    ];
    for (version, expected) in cases {
        let text = EVENT.replace("zastava.runtime.event@v1.0", version);
        assert_eq!(read_event(&text), expected, "{version}");
    }
}

#[test]
fn a_decision_of_another_schema_or_major_is_refused_by_name() {
    assert_eq!(read_decision(DECISION), Ok(()));
    let another = DECISION.replace("admission.decision", "runtime.event");
    assert_eq!(
        read_decision(&another),
        refused("zastava.runtime.event@v1.0 is not zastava.admission.decision@v1.x")
    );
    let major = DECISION.replace("@v1.0", "@v2.0");
    assert_eq!(
        read_decision(&major),
        refused("zastava.admission.decision@v2.0 is not zastava.admission.decision@v1.x")
    );
}

#[test]
fn of_another_major_nothing_else_is_looked_at() {
    let text = r#"{"happened":17,"schemaVersion":"zastava.runtime.event@v2.0"}"#;
    assert_eq!(
        read_event(text),
        refused("zastava.runtime.event@v2.0 is not zastava.runtime.event@v1.x")
    );
    // The twin, whose shape is looked at.
    let missing = read_event(&text.replace("v2.0", "v1.0")).unwrap_err();
    assert!(missing.contains("missing field `event`"), "{missing}");
}

#[test]
fn what_is_not_of_the_events_shape_is_refused() {
    let changes = [
        (r#""evidence":[]"#, r#""evidence":null"#),
        (r#","evidence":[]"#, ""),
        (r#""kind":"DRIFT""#, r#""kind":"drift""#),
        (r#""kind":"DRIFT""#, r#""kind":"DRIFT","kind":"DRIFT""#),
        ("12:34:56Z", "12:34:56"),
        ("12:34:56Z", "25:34:56Z"),
        (r#""workload":{}"#, r#""workload":{},"process":{"pid":-1}"#),
        (r#""workload":{}"#, r#""workload":{},"process":{"pid":1.0}"#),
        (r#""workload":{}"#, r#""workload":{},"process":{"pid":4294967296}"#),
        (r#""workload":{}"#, r#""eventId":"9f6a","workload":{}"#),
        ("}}", "}} {}"),
        ("}}", "}"),
    ];
    for (from, to) in changes {
        let text = EVENT.replacen(from, to, 1);
        assert_ne!(text, EVENT);
        assert!(read_event(&text).is_err(), "{text}");
    }
    // The twins.
    for to in [r#""workload":{},"process":{"pid":4294967295}"#, r#""workload":{"pod":null}"#] {
        assert_eq!(read_event(&EVENT.replace(r#""workload":{}"#, to)), Ok(()));
    }
    assert_eq!(read_event(&EVENT.replace("12:34:56Z", "12:34:56.000000001+02:00")), Ok(()));
}
