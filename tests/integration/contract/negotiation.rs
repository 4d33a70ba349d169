//! Agreeing on a version: neither side comes first, nothing that is said can break it, and how it is
//! said does not matter.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use zastava::contract::{Minor, Offer, Version};

use super::strategies;

const SCHEMAS: [&str; 2] = ["zastava.runtime.event", "zastava.admission.decision"];

const V1_0: Version = Minor::V1_0.version();

/// What may stand in an offer: mostly versions, else anything.
fn item() -> impl Strategy<Value = String> {
    let version = (select(&SCHEMAS[..]), 0..3_u32, 0..5_u32)
        .prop_map(|(schema, major, minor)| format!("{schema}@v{major}.{minor}"));
    prop_oneof![6 => version, 1 => strategies::text().prop_map(|text| text.replace(',', "")), 1 => Just(String::new())]
}

fn items() -> impl Strategy<Value = Vec<String>> {
    vec(item(), 0..8)
}

/// Any text at all, a list of versions, or something between.
fn offer() -> impl Strategy<Value = String> {
    let spaced = (items(), select(vec![",", ", ", " ,\t"]));
    prop_oneof![
        1 => vec(any::<char>(), 0..40).prop_map(String::from_iter),
        3 => spaced.prop_map(|(items, between)| items.join(between)),
    ]
}

fn agreed(left: &str, right: &str, schema: &str) -> Version {
    Offer::parse(left).negotiate(&Offer::parse(right), schema)
}

/// The same list with every item twice and in another order.
fn said_otherwise() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    items().prop_flat_map(|items| {
        let twice = [items.clone(), items.clone()].concat();
        (Just(items), Just(twice).prop_shuffle())
    })
}

proptest! {
    #[test]
    fn neither_side_comes_first_and_every_offer_has_an_answer(left in offer(), right in offer()) {
        for schema in SCHEMAS {
            let version = agreed(&left, &right, schema);
            prop_assert_eq!(version, agreed(&right, &left, schema));
            let word = format!("{schema}@{version}");
            let offers = |list: &str| list.split(',').any(|item| item.trim() == word);
            prop_assert_eq!(version.major, 1);
            prop_assert!(version == V1_0 || (offers(&left) && offers(&right)), "{}", word);
        }
    }

    #[test]
    fn no_higher_minor_is_common(left in items(), right in items(), minor in 0..5_u32) {
        let with_it = |mut items: Vec<String>| {
            items.push(format!("{}@v1.{minor}", SCHEMAS[0]));
            items.join(",")
        };
        prop_assert!(agreed(&with_it(left), &with_it(right), SCHEMAS[0]).minor >= minor);
    }

    #[test]
    fn order_and_repeats_do_not_matter((said, otherwise) in said_otherwise(), other in offer()) {
        for schema in SCHEMAS {
            let version = agreed(&said.join(","), &other, schema);
            prop_assert_eq!(version, agreed(&otherwise.join(","), &other, schema));
        }
    }

    #[test]
    fn what_is_agreed_on_with_us_is_what_we_write(offer in offer()) {
        let ours = Offer::ours(SCHEMAS[0], &Minor::ALL);
        let version = ours.negotiate(&Offer::parse(&offer), SCHEMAS[0]);
        prop_assert_eq!(Minor::from(version).version(), version);
    }
}

/// A limit on what is looked at must not make the first ones count for more.
#[test]
fn order_does_not_matter_in_a_long_offer_either() {
    let ours = "zastava.runtime.event@v1.1";
    for other in ["zastava.runtime.event@v2.0,", "nonsense,"] {
        let before = format!("{}{ours}", other.repeat(10_000));
        let after = format!("{ours},{}", other.repeat(10_000));
        for list in [before, after] {
            assert_eq!(agreed(ours, &list, SCHEMAS[0]), Minor::V1_1.version());
        }
    }
}

#[test]
fn what_is_malformed_in_a_long_offer_is_told_up_to_a_limit() {
    let told = |count| Offer::parse(&"x,".repeat(count)).malformed.len();
    assert_eq!((told(2), told(64), told(65), told(10_000)), (2, 64, 64, 64));
}
