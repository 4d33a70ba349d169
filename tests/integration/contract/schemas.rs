//! What is sent is what the checked-in schemas say, in their order and with nothing besides.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::Value;
use zastava::contract::{AdmissionDecision, Minor, RuntimeEvent};

use super::json::{for_every_object, names};
use super::{decisions, events, strategies};

pub(super) fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    serde_json::from_slice(&fs::read(path.join(format!("{name}.json"))).unwrap()).unwrap()
}

/// A schema, and the same one taken at its word: what it does not name may not be there.
struct Strict {
    schema: Value,
    validator: Validator,
}

impl Strict {
    fn new(name: &str) -> Self {
        let schema = schema(name);
        let mut strict = schema.clone();
        for_every_object(&mut strict, &mut |object| {
            if object.get("properties").is_some() {
                object["additionalProperties"] = false.into();
            }
        });
        Self { schema, validator: jsonschema::validator_for(&strict).unwrap() }
    }

    /// What is wrong with a document, by the schema and by the order of its members.
    fn wrong(&self, bytes: &[u8]) -> Vec<String> {
        let document: Value = serde_json::from_slice(bytes).unwrap();
        let errors = self.validator.iter_errors(&document).map(|error| error.to_string());
        errors.chain(self.walk(&document).out_of_order).collect()
    }

    fn walk(&self, document: &Value) -> Walk<'_> {
        let mut walk =
            Walk { schema: &self.schema, shown: BTreeSet::new(), out_of_order: Vec::new() };
        walk.visit(("", &self.schema), document);
        walk
    }

    /// Every property that the schema has, each with the name of its object.
    fn properties(&self) -> BTreeSet<String> {
        let definitions = self.schema["$defs"].as_object().unwrap();
        let definitions = definitions.iter().map(|(name, schema)| (name.as_str(), schema));
        let objects = definitions.chain([("", &self.schema)]);
        objects
            .flat_map(|(object, schema)| {
                names(&schema["properties"]).into_iter().map(move |name| format!("{object}.{name}"))
            })
            .collect()
    }
}

/// A way through a document and its schema at once.
struct Walk<'a> {
    schema: &'a Value,
    shown: BTreeSet<String>,
    out_of_order: Vec<String>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, (name, schema): (&str, &'a Value), document: &Value) {
        if let Some(to) = schema["$ref"].as_str() {
            let name = to.rsplit('/').next().unwrap();
            return self.visit((name, &self.schema["$defs"][name]), document);
        }
        for item in document.as_array().into_iter().flatten() {
            self.visit((name, &schema["items"]), item);
        }
        let mut in_order = names(&schema["properties"]).into_iter();
        for (member, value) in document.as_object().into_iter().flatten() {
            if !in_order.any(|next| next == member) {
                self.out_of_order.push(format!("{name}.{member} is out of order"));
            }
            self.shown.insert(format!("{name}.{member}"));
            self.visit((member, &schema["properties"][member]), value);
        }
    }
}

static EVENT_1_0: LazyLock<Strict> = LazyLock::new(|| Strict::new("zastava.runtime.event@v1.0"));
static EVENT_1_1: LazyLock<Strict> = LazyLock::new(|| Strict::new("zastava.runtime.event@v1.1"));
static DECISION: LazyLock<Strict> =
    LazyLock::new(|| Strict::new("zastava.admission.decision@v1.0"));

fn of(minor: Minor) -> &'static Strict {
    match minor {
        Minor::V1_0 => &EVENT_1_0,
        Minor::V1_1 => &EVENT_1_1,
    }
}

/// What is wrong with an event's bytes, by the schema of a minor taken at its word.
pub(crate) fn wrong_in_event(minor: Minor, bytes: &[u8]) -> Vec<String> {
    of(minor).wrong(bytes)
}

fn event(event: &RuntimeEvent, minor: Minor) -> Vec<u8> {
    event.clone().encode(minor).unwrap().bytes
}

fn decision(decision: &AdmissionDecision) -> Vec<u8> {
    decision.clone().encode().unwrap().bytes
}

const NOTHING: [String; 0] = [];

proptest! {
    #[test]
    fn every_event_is_of_its_schema_in_its_order_and_has_nothing_besides(
        any in strategies::event()
    ) {
        for minor in Minor::ALL {
            prop_assert_eq!(of(minor).wrong(&event(&any, minor)), NOTHING);
        }
    }

    #[test]
    fn every_decision_is_of_its_schema_in_its_order_and_has_nothing_besides(
        any in strategies::decision()
    ) {
        prop_assert_eq!(DECISION.wrong(&decision(&any)), NOTHING);
    }
}

#[test]
fn an_event_with_everything_shows_every_property_of_its_schema() {
    for minor in Minor::ALL {
        let document = serde_json::from_slice(&event(&events::everything(), minor)).unwrap();
        assert_eq!(of(minor).walk(&document).shown, of(minor).properties());
    }
}

#[test]
fn a_decision_with_everything_shows_every_property_of_its_schema() {
    let (_, allow) = decisions::all().remove(0);
    let document = serde_json::from_slice(&decision(&allow)).unwrap();
    assert_eq!(DECISION.walk(&document).shown, DECISION.properties());
}

#[test]
fn what_was_appended_is_no_part_of_version_1_0() {
    let text = String::from_utf8(event(&events::everything(), Minor::V1_1)).unwrap();
    let renamed = text.replace("event@v1.1", "event@v1.0");
    assert!(!EVENT_1_0.validator.is_valid(&serde_json::from_str(&renamed).unwrap()));
    // The twin.
    assert_eq!(EVENT_1_1.wrong(text.as_bytes()), NOTHING);
}

#[test]
fn a_member_out_of_its_place_is_seen() {
    let evidence = r#"{"schemaVersion":"zastava.runtime.event@v1.0","event":{"when":"2025-10-17T12:34:56Z","kind":"DRIFT","workload":{},"evidence":[{"signal":"a","value":"b"}]}}"#;
    assert_eq!(EVENT_1_0.wrong(evidence.as_bytes()), NOTHING);
    let turned = evidence.replace(r#""signal":"a","value":"b""#, r#""value":"b","signal":"a""#);
    assert_eq!(EVENT_1_0.wrong(turned.as_bytes()), ["Evidence.signal is out of order"]);
}

/// The words of a definition in a schema.
fn words(definition: &str) -> Vec<Value> {
    let names = ["zastava.runtime.event@v1.1", "zastava.admission.decision@v1.0"];
    let found = names.map(|name| schema(name)["$defs"][definition].clone());
    let found = found.into_iter().find(|found| !found.is_null()).unwrap();
    match found["enum"].as_array() {
        Some(words) => words.clone(),
        None => found["oneOf"].as_array().unwrap().iter().map(|one| one["const"].clone()).collect(),
    }
}

/// So that a word which is added is tested too.
#[test]
fn the_payloads_of_anything_have_every_word_of_the_schemas() {
    use strategies as any;
    let made = [
        ("Kind", serde_json::to_value(any::KINDS)),
        ("Platform", serde_json::to_value(any::PLATFORMS)),
        ("SbomReferrer", serde_json::to_value(any::REFERRERS)),
        ("Signal", serde_json::to_value(any::SIGNALS)),
        ("Severity", serde_json::to_value(any::SEVERITIES)),
        ("Strength", serde_json::to_value(any::STRENGTHS)),
        ("Confidence", serde_json::to_value(any::CONFIDENCES)),
        ("TerminalMode", serde_json::to_value(any::MODES)),
        ("Verdict", serde_json::to_value(any::VERDICTS)),
        ("Decided", serde_json::to_value(any::DECIDED)),
        ("Reason", serde_json::to_value(any::REASONS)),
    ];
    for (definition, made) in made {
        assert_eq!(made.unwrap(), Value::Array(words(definition)), "{definition}");
    }
}
