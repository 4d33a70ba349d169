//! What holds of any payload: it is read as it was written, and version 1.0 is what it was.

use proptest::prelude::*;
use zastava::contract::{
    DecisionEnvelope, EventEnvelope, Evidence, Id, Minor, RuntimeEvent, canonical,
};

use super::strategies;

proptest! {
    #[test]
    fn an_event_is_read_as_it_was_written(event in strategies::event()) {
        let encoded = event.clone().encode(Minor::V1_1).unwrap();
        let read = EventEnvelope::decode(&encoded.bytes).unwrap().event;
        prop_assert_eq!(read.event_id, Some(encoded.id));
        prop_assert_eq!(RuntimeEvent { event_id: None, ..read }, event);
    }

    #[test]
    fn a_decision_is_read_as_it_was_written(decision in strategies::decision()) {
        let encoded = decision.clone().encode().unwrap();
        let read = DecisionEnvelope::decode(&encoded.bytes).unwrap().decision;
        prop_assert_eq!(&read, &decision);
        prop_assert_eq!(read.encode(), Ok(encoded));
    }

    #[test]
    fn an_event_that_was_read_is_written_as_it_was(event in strategies::event()) {
        for minor in Minor::ALL {
            let encoded = event.clone().encode(minor).unwrap();
            let read = EventEnvelope::decode(&encoded.bytes).unwrap().event;
            prop_assert_eq!(read.encode(minor), Ok(encoded));
        }
    }

    #[test]
    fn an_id_is_of_the_event_without_it_whatever_id_it_came_with(event in strategies::event()) {
        for minor in Minor::ALL {
            let expected = Id::of(&canonical::to_bytes(&event.clone().at(minor)).unwrap());
            for came_with in [None, Some(Id::of(b"another"))] {
                let event = RuntimeEvent { event_id: came_with, ..event.clone() };
                prop_assert_eq!(event.encode(minor).unwrap().id, expected);
            }
        }
    }

    #[test]
    fn version_1_0_of_version_1_0_is_itself(event in strategies::event()) {
        let once = event.at(Minor::V1_0);
        prop_assert_eq!(once.clone().at(Minor::V1_0), once);
    }

    #[test]
    fn in_version_1_0_every_gap_is_evidence_after_the_other(event in strategies::event()) {
        let gap = |field: &str, reason: &str| Evidence {
            signal: "gap".to_owned(),
            value: format!("{field}: {reason}"),
        };
        let gaps = event.gaps.iter().flatten();
        let gaps = gaps.map(|seen| gap(&seen.field, seen.reason.as_str()));
        let expected: Vec<_> = event.evidence.iter().cloned().chain(gaps).collect();
        let encoded = event.encode(Minor::V1_0).unwrap();
        prop_assert_eq!(EventEnvelope::decode(&encoded.bytes).unwrap().event.evidence, expected);
    }
}
