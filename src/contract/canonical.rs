//! The one writer of the bytes that are hashed and sent.
//!
//! Canonical JSON here is: properties in the order in which the types declare them, absent options
//! left out, free maps sorted by key (the types have `BTreeMap`), no white space, UTF-8, integers only,
//! and the shortest escapes: `\"`, `\\`, `\b`, `\t`, `\n`, `\f`, `\r`, and `\u00xx` in lower case for the
//! other control characters. It is *not* RFC 8785, which sorts every property: the specification
//! (section 2.3) fixes a declared order to which new fields are appended.

use serde::Serialize;
use serde_json::Value;

/// Why a value has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// It holds a number that is no integer.
    #[error("failed to write canonical JSON: a number is no integer")]
    Fraction,
    /// It holds a `null`: what is absent is left out.
    #[error("failed to write canonical JSON: a value is null")]
    Null,
    /// It has a form that JSON has not, such as a map whose keys are no strings.
    #[error("failed to write canonical JSON: a value has no form in JSON")]
    Form,
}

/// The canonical bytes of a value.
///
/// # Errors
///
/// [`NotCanonical`] says what in the value has no canonical form. The types of this room always have
/// one.
pub fn to_bytes(value: &impl Serialize) -> Result<Vec<u8>, NotCanonical> {
    let tree = serde_json::to_value(value).map_err(|_form| NotCanonical::Form)?;
    check(&tree)?;
    // Written from the value and not from the tree, whose maps need not keep their order.
    serde_json::to_vec(value).map_err(|_form| NotCanonical::Form)
}

fn check(tree: &Value) -> Result<(), NotCanonical> {
    match tree {
        Value::Null => Err(NotCanonical::Null),
        Value::Number(number) if number.is_f64() => Err(NotCanonical::Fraction),
        Value::Array(items) => items.iter().try_for_each(check),
        Value::Object(members) => members.values().try_for_each(check),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_escapes_are_the_shortest_and_everything_else_is_itself() {
        let text = "\u{0}\u{8}\t\n\u{b}\u{c}\r\u{1f} \"\\/\u{7f}\u{9b}\u{202e}žć\u{1f980}";
        let expected =
            "\"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f \\\"\\\\/\u{7f}\u{9b}\u{202e}žć\u{1f980}\"";
        assert_eq!(to_bytes(&text).unwrap(), expected.as_bytes());
    }

    #[test]
    fn free_maps_are_sorted_by_their_keys_bytes() {
        let map: BTreeMap<_, _> = [("b", 2), ("a", 1), ("B", 3), ("ž", 4), ("a.b", 5)].into();
        let expected = r#"{"B":3,"a":1,"a.b":5,"b":2,"ž":4}"#;
        assert_eq!(to_bytes(&map).unwrap(), expected.as_bytes());
    }

    #[test]
    fn integers_of_64_bits_are_written_whole() {
        let numbers = (u64::MAX, i64::MIN, 0);
        assert_eq!(to_bytes(&numbers).unwrap(), b"[18446744073709551615,-9223372036854775808,0]");
    }

    #[test]
    fn what_has_no_canonical_form_is_refused() {
        assert_eq!(to_bytes(&[1.5]), Err(NotCanonical::Fraction));
        assert_eq!(to_bytes(&[f64::NAN]), Err(NotCanonical::Null));
        assert_eq!(to_bytes(&[None::<u8>]), Err(NotCanonical::Null));
        assert_eq!(to_bytes(&BTreeMap::from([((1, 2), 3)])), Err(NotCanonical::Form));
        // The twins.
        assert_eq!(to_bytes(&[1]).unwrap(), b"[1]");
        assert_eq!(to_bytes(&[Some(1_u8)]).unwrap(), b"[1]");
        assert_eq!(to_bytes(&BTreeMap::from([("12", 3)])).unwrap(), br#"{"12":3}"#);
    }
}
