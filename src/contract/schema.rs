//! The JSON Schemas of what is sent, one a minor, from the types.

use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

use super::decision::AdmissionDecision;
use super::envelope::{DecisionEnvelope, EventEnvelope};
use super::event::RuntimeEvent;
use super::version::{Minor, SchemaVersion};

/// Marks what a later minor appended, in the schemas themselves too.
const SINCE: &str = "x-since";

const DEFINITIONS: &str = "$defs";

/// Every schema by its name, such as `zastava.runtime.event@v1.1`. Properties stand in canonical order.
#[must_use]
pub fn schemas() -> Vec<(String, Schema)> {
    let events = RuntimeEvent::MINORS;
    let events = events.map(|minor| of::<EventEnvelope>(RuntimeEvent::SCHEMA, minor));
    let decisions = AdmissionDecision::MINORS;
    let decisions = decisions.map(|minor| of::<DecisionEnvelope>(AdmissionDecision::SCHEMA, minor));
    events.into_iter().chain(decisions).collect()
}

/// The schema of a document that we write, under its name. What is absent is left out and never
/// `null`, and the schema says so.
#[must_use]
pub fn document<T: JsonSchema>(name: &str) -> Schema {
    let mut root = SchemaGenerator::default().into_root_schema_for::<T>();
    root.insert("title".to_owned(), name.into());
    root.as_object_mut().into_iter().for_each(never_null);
    root
}

fn of<T: JsonSchema>(schema: &'static str, minor: Minor) -> (String, Schema) {
    let name = SchemaVersion::of(schema, minor).to_string();
    let mut root = document::<T>(&name);
    if let Some(version) =
        root.pointer_mut("/properties/schemaVersion").and_then(Value::as_object_mut)
    {
        version.insert("const".to_owned(), name.clone().into());
    }
    if minor == Minor::V1_0 {
        root.as_object_mut().into_iter().for_each(without_appended);
        prune(&mut root);
    }
    (name, root)
}

/// Takes the `null` from what may be absent, however deep it stands.
fn never_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|word| word != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|word| word != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
    let below = object.values_mut().flat_map(|value| match value {
        Value::Array(items) => items.iter_mut().collect(),
        value => vec![value],
    });
    below.filter_map(Value::as_object_mut).for_each(never_null);
}

/// Takes away what was appended to 1.0, however deep it stands.
fn without_appended(object: &mut Map<String, Value>) {
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|_, property| property.get(SINCE).is_none());
    }
    object.values_mut().filter_map(Value::as_object_mut).for_each(without_appended);
}

/// Takes away definitions that nothing refers to any more.
fn prune(root: &mut Schema) {
    let mut used = BTreeSet::new();
    let mut next: Vec<Value> = root.get("properties").cloned().into_iter().collect();
    while let Some(value) = next.pop() {
        let names = references(&value).into_iter();
        let new: Vec<_> = names.filter(|name| used.insert(name.clone())).collect();
        let definitions = root.get(DEFINITIONS);
        next.extend(new.iter().filter_map(|name| definitions?.get(name).cloned()));
    }
    if let Some(definitions) = root.get_mut(DEFINITIONS).and_then(Value::as_object_mut) {
        definitions.retain(|name, _| used.contains(name));
    }
}

/// The names of the definitions that a piece of schema refers to.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value) {
                ("$ref", Value::String(to)) => {
                    to.rsplit('/').next().map(str::to_owned).into_iter().collect()
                }
                _ => references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
