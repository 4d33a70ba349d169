//! JSON as these tests look at it.

use serde_json::Value;

/// The text without the white space between its tokens; order and numbers stay as they are.
pub(super) fn compacted(text: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    let kept = |c: &char| {
        let keep = inside || !c.is_ascii_whitespace();
        inside ^= *c == '"' && !escaped;
        escaped = inside && *c == '\\' && !escaped;
        keep
    };
    text.chars().filter(kept).collect()
}

/// Does something to every object, however deep it stands.
pub(super) fn for_every_object(value: &mut Value, act: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| for_every_object(item, act)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| for_every_object(member, act));
            act(value);
        }
        _ => {}
    }
}

/// The names of an object's members, in their order.
pub(super) fn names(object: &Value) -> Vec<&str> {
    object.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn white_space_in_strings_is_kept_and_between_tokens_it_is_not() {
    let text = "{ \"a b\" :\n [1, \"\\\" \\\\\" , \"c \"] }";
    assert_eq!(compacted(text), "{\"a b\":[1,\"\\\" \\\\\",\"c \"]}");
}

/// The tests of order rest on this; it comes from a feature of a crate, and could go away.
#[test]
fn an_object_that_is_read_keeps_its_order() {
    let read: Value = serde_json::from_str(r#"{"b":1,"a":2,"c":3}"#).unwrap();
    assert_eq!(names(&read), ["b", "a", "c"]);
}
