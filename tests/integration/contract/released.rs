//! What was released is kept: today's schemas only append to those of the last release.

use std::fs;

use serde_json::{Value, json};

use super::fixture;
use super::json::names;
use super::schemas::schema;

/// What a pair of schemas breaks of the promise.
fn broken(released: &Value, today: &Value) -> Vec<String> {
    let mut compared = Compared { released, today, broken: Vec::new() };
    compared.visit("", released, today);
    compared.broken
}

/// A way through two schemas at once. It goes by what stands on the wire, so that a type may get
/// another name.
struct Compared<'a> {
    released: &'a Value,
    today: &'a Value,
    broken: Vec<String>,
}

impl<'a> Compared<'a> {
    fn visit(&mut self, place: &str, released: &'a Value, today: &'a Value) {
        let (released, today) = (resolved(self.released, released), resolved(self.today, today));
        if form(released) != form(today) {
            self.broken.push(format!("{place} is something else"));
        }
        if !words(today).starts_with(&words(released)) {
            self.broken.push(format!("{place} has lost a word"));
        }
        if let Some(items) = released.get("items") {
            self.visit(&format!("{place}[]"), items, &today["items"]);
        }
        self.object(place, released, today);
    }

    fn object(&mut self, place: &str, released: &'a Value, today: &'a Value) {
        let (then, now) = (&released["properties"], &today["properties"]);
        if !names(now).starts_with(&names(then)) {
            self.broken.push(format!("{place} does not append to {:?}", names(then)));
        }
        if required(released) != required(today) {
            self.broken.push(format!("{place} does not require {:?}", required(released)));
        }
        for (name, property) in then.as_object().into_iter().flatten() {
            if let Some(today) = now.get(name) {
                self.visit(&format!("{place}.{name}"), property, today);
            }
        }
    }
}

fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let Some(to) = schema["$ref"].as_str() else {
        return schema;
    };
    &root["$defs"][to.rsplit('/').next().unwrap()]
}

/// What a value may be; the version is another one in each minor, and so is no part of it.
fn form(schema: &Value) -> Vec<Option<&Value>> {
    let words = schema.get("oneOf").or(schema.get("enum")).is_some();
    // An enumeration is its words, however it is written.
    let keys = ["type", "pattern", "format", "minimum", "maximum"];
    keys.into_iter().filter(|_| !words).map(|key| schema.get(key)).collect()
}

fn words(schema: &Value) -> Vec<&Value> {
    let each = schema["oneOf"].as_array().into_iter().flatten().map(|one| &one["const"]);
    each.chain(schema["enum"].as_array().into_iter().flatten()).collect()
}

/// Sorted: their order says nothing.
fn required(schema: &Value) -> Vec<&str> {
    let required = schema["required"].as_array().into_iter().flatten();
    let mut required: Vec<_> = required.filter_map(Value::as_str).collect();
    required.sort_unstable();
    required
}

fn released(name: &str) -> Value {
    let path = fixture("released").join(format!("{name}.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

const NOTHING: [String; 0] = [];

#[test]
fn todays_schemas_append_to_the_last_releases_and_change_nothing() {
    let (first, newest) = ("zastava.runtime.event@v1.0", "zastava.runtime.event@v1.1");
    let decision = "zastava.admission.decision@v1.0";
    let pairs = [(first, first), (first, newest), (newest, newest), (decision, decision)];
    for (then, now) in pairs {
        assert_eq!(broken(&released(then), &schema(now)), NOTHING, "{then} and {now}");
    }
}

#[test]
fn every_released_schema_is_compared() {
    let files = fs::read_dir(fixture("released")).unwrap();
    let mut names: Vec<_> =
        files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    let expected = [
        "README.md",
        "zastava.admission.decision@v1.0.json",
        "zastava.runtime.event@v1.0.json",
        "zastava.runtime.event@v1.1.json",
    ];
    assert_eq!(names, expected);
}

/// The schema with a change in one of its definitions.
fn planted(definition: &str, change: impl Fn(&mut Value)) -> Vec<String> {
    let last = released("zastava.runtime.event@v1.1");
    let mut today = last.clone();
    change(&mut today["$defs"][definition]);
    assert_ne!(today, last);
    broken(&last, &today)
}

/// Puts a property into an object, at a place.
fn put(definition: &mut Value, place: usize, name: &str) {
    let properties = definition["properties"].as_object_mut().unwrap();
    let mut all: Vec<_> = std::mem::take(properties).into_iter().collect();
    all.insert(place, (name.to_owned(), json!({"type": "string"})));
    properties.extend(all);
}

#[test]
fn a_property_may_be_appended_and_not_put_between() {
    let between = planted("Evidence", |evidence| put(evidence, 1, "at"));
    let appends = r#"does not append to ["signal", "value"]"#;
    let places = [".event.evidence[]", ".event.findings[].evidence[]"];
    assert_eq!(between, places.map(|place| format!("{place} {appends}")));
    // The twin.
    assert_eq!(planted("Evidence", |evidence| put(evidence, 2, "at")), NOTHING);
}

#[test]
fn what_is_appended_may_not_be_required_and_what_was_optional_may_not_become_it() {
    let appended = planted("Gap", |gap| {
        put(gap, 5, "at");
        gap["required"].as_array_mut().unwrap().push("at".into());
    });
    let expected =
        [r#".event.gaps[] does not require ["count", "field", "reason", "tried"]"#.to_owned()];
    assert_eq!(appended, expected);
    let hint = |gap: &mut Value| gap["required"].as_array_mut().unwrap().push("hint".into());
    assert_eq!(planted("Gap", hint), expected);
    // What an older reader needs may not be left out either.
    let count = |gap: &mut Value| drop(gap["required"].as_array_mut().unwrap().pop());
    assert_eq!(planted("Gap", count), expected);
    // The twins: appended and optional, and required in another order.
    assert_eq!(planted("Gap", |gap| put(gap, 5, "at")), NOTHING);
    assert_eq!(planted("Gap", |gap| gap["required"].as_array_mut().unwrap().reverse()), NOTHING);
}

#[test]
fn a_property_may_not_disappear_or_get_another_name() {
    let gone = planted("Runtime", |runtime| {
        drop(runtime["properties"].as_object_mut().unwrap().shift_remove("version"));
    });
    let expected = [r#".event.runtime does not append to ["engine", "version"]"#.to_owned()];
    assert_eq!(gone, expected);
    let renamed = planted("Runtime", |runtime| {
        drop(runtime["properties"].as_object_mut().unwrap().shift_remove("version"));
        put(runtime, 1, "release");
    });
    assert_eq!(renamed, expected);
    // The twin: what describes it may change.
    let described =
        |runtime: &mut Value| runtime["properties"]["version"]["description"] = "x".into();
    assert_eq!(planted("Runtime", described), NOTHING);
}

#[test]
fn a_property_may_not_become_something_else() {
    let retyped = |to: &'static str| {
        planted("Owner", move |owner| owner["properties"]["kind"] = json!({ "type": to }))
    };
    assert_eq!(retyped("integer"), [".event.workload.owner.kind is something else"]);
    // The twin.
    assert_eq!(retyped("string"), NOTHING);
    let narrowed =
        planted("Finding", |finding| finding["properties"]["port"]["maximum"] = 1023.into());
    assert_eq!(narrowed, [".event.findings[].port is something else"]);
}

#[test]
fn a_word_may_be_appended_and_none_may_go() {
    let kind = |change: fn(&mut Vec<Value>)| {
        planted("Kind", move |kind| change(kind["oneOf"].as_array_mut().unwrap()))
    };
    assert_eq!(kind(|words| drop(words.pop())), [".event.kind has lost a word"]);
    assert_eq!(kind(|words| words.push(json!({"type": "string", "const": "LATER"}))), NOTHING);
}
