//! What the contract promises of any bytes at all.
//!
//! The fuzz targets hand these functions their inputs, and so do property tests. They panic when a
//! promise is broken, and are called by nothing else.

#![expect(clippy::panic, reason = "a broken promise ends the fuzzer")]

use super::canonical;
use super::envelope::EventEnvelope;
use super::version::{Minor, Offer, SchemaVersion};

/// What can be read as an event is written, read back as the same, and written again to the same
/// bytes and id, in every minor.
pub fn event(bytes: &[u8]) {
    let Ok(read) = EventEnvelope::decode(bytes) else {
        return;
    };
    for minor in Minor::ALL {
        let encoded = read.event.clone().encode(minor);
        let once = encoded.unwrap_or_else(|error| panic!("an event has canonical bytes: {error}"));
        let back = EventEnvelope::decode(&once.bytes);
        let back = back.unwrap_or_else(|error| panic!("what we write we read: {error}"));
        assert_eq!(back.event.event_id, Some(once.id));
        assert_eq!(back.event.clone().encode(minor), Ok(once));
    }
}

/// Any text is written as one JSON string that reads back as the same.
pub fn canonical(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let written = canonical::to_bytes(&text).unwrap_or_default();
    assert!(written.iter().all(|&b| b >= b' '), "control characters are escaped");
    assert_eq!(serde_json::from_slice::<String>(&written).ok().as_deref(), Some(&*text));
}

/// A version has one form, an offer is read to its end, and neither side of a negotiation comes first.
pub fn versions(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(version) = text.parse::<SchemaVersion>() {
        assert_eq!(version.to_string(), text);
    }
    let (left, right) = text.split_once(';').unwrap_or((&text, ""));
    let (left, right) = (Offer::parse(left), Offer::parse(right));
    let schema = "zastava.runtime.event";
    let agreed = left.negotiate(&right, schema);
    assert_eq!(agreed, right.negotiate(&left, schema));
    assert_eq!(agreed.major, 1);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [fn(&[u8]); 3] = [event, canonical, versions];

    proptest! {
        #[test]
        fn no_bytes_break_a_promise(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            ALL.iter().for_each(|promise| promise(&bytes));
        }

        #[test]
        fn no_text_breaks_a_promise(
            letters in proptest::collection::vec(any::<char>(), 0..200)
        ) {
            let text = String::from_iter(letters);
            ALL.iter().for_each(|promise| promise(text.as_bytes()));
        }

        #[test]
        fn no_offers_break_a_promise(
            text in r"((zastava\.runtime\.event|[a-z.]{0,5})@v[0-2]\.[0-9]{0,2}[,; ]{0,2}){0,12}"
        ) {
            ALL.iter().for_each(|promise| promise(text.as_bytes()));
        }
    }
}
