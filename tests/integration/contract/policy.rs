//! What the webhook asks the backend, and how it reads an answer that is someone else's.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use serde::Serialize;
use zastava::contract::{ImageVerdict, PolicyRequest, PolicyResponse, Rekor, Verdict, canonical};

use super::json::compacted;
use super::{read, s, strategies};

fn canonical(value: &impl Serialize) -> String {
    String::from_utf8(canonical::to_bytes(value).unwrap()).unwrap()
}

fn response(text: &str) -> Result<PolicyResponse, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn the_specifications_request_is_read_and_written_in_its_own_order() {
    let sample = compacted(&read("spec-policy-request.json"));
    let read: PolicyRequest = serde_json::from_str(&sample).unwrap();
    assert_eq!(canonical(&read), sample);
}

#[test]
fn the_specifications_response_is_read_and_written_in_its_own_order() {
    let sample = compacted(&read("spec-policy-response.json"));
    let first = ImageVerdict {
        signed: Some(true),
        has_sbom: Some(true),
        policy_verdict: Some(Verdict::Pass),
        reasons: vec![],
        rekor: Some(Rekor { uuid: Some(s("...")) }),
    };
    let second = ImageVerdict {
        signed: Some(false),
        has_sbom: Some(false),
        policy_verdict: Some(Verdict::Fail),
        reasons: vec![s("unsigned"), s("missing SBOM")],
        rekor: None,
    };
    let results = [("api", first), ("nginx", second)];
    let results =
        results.map(|(name, verdict)| (format!("ghcr.io/acme/{name}@sha256:..."), verdict));
    let expected = PolicyResponse { ttl_seconds: Some(300), results: results.into() };
    assert_eq!(response(&sample), Ok(expected.clone()));
    assert_eq!(canonical(&expected), sample);
}

#[test]
fn what_an_answer_does_not_say_is_not_known() {
    let silent = r#"{"results":{"a":{}}}"#;
    let expected =
        PolicyResponse { ttl_seconds: None, results: [(s("a"), ImageVerdict::default())].into() };
    assert_eq!(response(silent), Ok(expected.clone()));
    // Backends differ in how they say nothing.
    let nulls = r#"{"ttlSeconds":null,"results":{"a":{"signed":null,"hasSbom":null,"policyVerdict":null,"reasons":null,"rekor":null}}}"#;
    assert_eq!(response(nulls), Ok(expected));
    assert_eq!(response("{}"), Ok(PolicyResponse::default()));
    assert_eq!(response(r#"{"results":null}"#), Ok(PolicyResponse::default()));
    let of_rekor = |text: &str| response(text).unwrap().results["a"].rekor.clone();
    assert_eq!(of_rekor(r#"{"results":{"a":{"rekor":{}}}}"#), Some(Rekor { uuid: None }));
}

#[test]
fn what_an_answer_says_besides_is_ignored() {
    let plain =
        r#"{"ttlSeconds":7,"results":{"a":{"signed":true,"reasons":["x"],"rekor":{"uuid":"u"}}}}"#;
    let more = r#"{"x":1,"ttlSeconds":7,"results":{"a":{"signed":true,"x":{},"reasons":["x"],"rekor":{"uuid":"u","index":1}}}}"#;
    assert_eq!(response(more), response(plain));
    assert_eq!(response(plain).unwrap().ttl_seconds, Some(7));
}

// The specification writes the verdicts in capitals too (section 4.1).
#[test]
fn a_verdict_that_we_do_not_know_is_not_known_and_costs_no_other_image_its_own() {
    let text = r#"{"results":{"a":{"policyVerdict":"PASS"},"b":{"policyVerdict":"error"}}}"#;
    let read = response(text).unwrap();
    let verdict = |image: &str| read.results[image].policy_verdict;
    assert_eq!((verdict("a"), verdict("b")), (Some(Verdict::Pass), None));
}

#[test]
fn an_answer_in_which_a_known_member_is_something_else_is_refused() {
    let good = r#"{"ttlSeconds":7,"results":{"a":{"signed":true,"policyVerdict":"pass"}}}"#;
    assert!(response(good).is_ok());
    for (from, to) in [("7", "-7"), ("7", "\"7\""), ("true", "\"yes\""), ("\"pass\"", "1")] {
        assert!(response(&good.replace(from, to)).is_err(), "{to}");
    }
}

type Pairs = Vec<(String, String)>;

/// Labels with each key once, and the same ones in another order.
fn labels() -> impl Strategy<Value = (Pairs, Pairs)> {
    let map = vec((strategies::text(), strategies::text()), 0..6)
        .prop_map(|pairs| pairs.into_iter().collect::<BTreeMap<_, _>>());
    map.prop_flat_map(|map| {
        let pairs: Pairs = map.into_iter().collect();
        (Just(pairs.clone()), Just(pairs).prop_shuffle())
    })
}

/// A JSON object with its members in the given order, written without the code that is tested.
fn object(members: &[(String, String)]) -> String {
    let text = |text: &String| serde_json::to_string(text).unwrap();
    let members: Vec<_> =
        members.iter().map(|(key, value)| format!("{}:{}", text(key), text(value))).collect();
    format!("{{{}}}", members.join(","))
}

proptest! {
    #[test]
    fn the_order_in_which_labels_were_put_in_does_not_change_the_bytes((one, other) in labels()) {
        let asked = |labels: &[(String, String)]| {
            let built = PolicyRequest { labels: labels.iter().cloned().collect(), ..<_>::default() };
            let text = format!(r#"{{"images":[],"labels":{},"namespace":""}}"#, object(labels));
            let read: PolicyRequest = serde_json::from_str(&text).unwrap();
            (canonical(&built), canonical(&read))
        };
        let (built, read) = asked(&one);
        prop_assert_eq!(&built, &read);
        prop_assert_eq!(asked(&other), (built, read));
    }

    #[test]
    fn the_order_in_which_results_were_put_in_does_not_change_the_bytes((one, other) in labels()) {
        let told = |results: &[(String, String)]| {
            let verdict = |reason: &String| ImageVerdict {
                reasons: vec![reason.clone()],
                ..ImageVerdict::default()
            };
            let results = results.iter().map(|(image, reason)| (image.clone(), verdict(reason)));
            canonical(&PolicyResponse { ttl_seconds: Some(1), results: results.collect() })
        };
        prop_assert_eq!(told(&one), told(&other));
    }

    #[test]
    fn a_request_is_read_as_it_was_written(
        namespace in strategies::text(), (labels, _) in labels(), images in vec(strategies::text(), 0..4)
    ) {
        let asked = PolicyRequest { namespace, labels: labels.into_iter().collect(), images };
        let read: PolicyRequest = serde_json::from_str(&canonical(&asked)).unwrap();
        prop_assert_eq!(read, asked);
    }
}
