//! Versions of the contract: reading, writing and agreeing on one (specification, section 2.3).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::digest::text_on_the_wire;

/// How many malformed items of one offer are told. Versions have no such limit: the first ones would
/// count for more.
const MALFORMED_MAX: usize = 64;

/// `<schema>@v<major>.<minor>` was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no contract version: expected <schema>@v<major>.<minor>", .0.escape_debug())]
pub struct BadVersion(pub String);

/// A version of a schema. A new minor only appends fields; a new major breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The line that must be the same on both sides.
    pub major: u32,
    /// How much was appended.
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}", self.major, self.minor)
    }
}

/// The minors of major 1 that we write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Minor {
    /// The specification's fields and nothing else; what is written where nothing was agreed on.
    #[default]
    V1_0,
    /// Ours appended.
    V1_1,
}

impl Minor {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::V1_0, Self::V1_1];

    /// Its version.
    #[must_use]
    pub const fn version(self) -> Version {
        match self {
            Self::V1_0 => Version { major: 1, minor: 0 },
            Self::V1_1 => Version { major: 1, minor: 1 },
        }
    }
}

impl From<Version> for Minor {
    /// What was agreed on; a version that we do not write is 1.0.
    fn from(agreed: Version) -> Self {
        Self::ALL.into_iter().find(|minor| minor.version() == agreed).unwrap_or_default()
    }
}

/// A schema's name and version, as an envelope has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaVersion {
    schema: String,
    version: Version,
}

impl SchemaVersion {
    /// A version of one of our schemas.
    pub(super) fn of(schema: &'static str, minor: Minor) -> Self {
        Self { schema: schema.to_owned(), version: minor.version() }
    }

    /// The schema's name, such as `zastava.runtime.event`.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.schema, self.version)
    }
}

impl FromStr for SchemaVersion {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, BadVersion> {
        parse(text).ok_or_else(|| BadVersion(text.to_owned()))
    }
}

text_on_the_wire!(SchemaVersion, "SchemaVersion", "^[a-z][a-z0-9.-]*@v[0-9]+\\.[0-9]+$");

fn parse(text: &str) -> Option<SchemaVersion> {
    let (schema, version) = text.split_once("@v")?;
    let (major, minor) = version.split_once('.')?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    let named = schema.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    if !named || !schema.bytes().all(plain) {
        return None;
    }
    let version = Version { major: number(major)?, minor: number(minor)? };
    Some(SchemaVersion { schema: schema.to_owned(), version })
}

/// Digits alone and no leading zero: one form a value.
fn number(digits: &str) -> Option<u32> {
    let plain = digits == "0" || !digits.starts_with('0');
    let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    (plain && all).then(|| digits.parse().ok()).flatten()
}

/// The versions that a side says it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    versions: BTreeSet<SchemaVersion>,
    /// What could not be understood, and was passed over: the first 64 of it.
    pub malformed: Vec<BadVersion>,
}

impl Offer {
    /// Reads a list with commas between, as the header `Zastava-Contract-Versions` has it. What is
    /// not in the form is passed over and told; white space around an item and empty items are not
    /// counted.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
        let mut offer = Self::default();
        for item in items {
            match item.parse() {
                Ok(version) => _ = offer.versions.insert(version),
                Err(bad) if offer.malformed.len() < MALFORMED_MAX => offer.malformed.push(bad),
                Err(_more) => {}
            }
        }
        offer
    }

    /// What we write of a schema.
    #[must_use]
    pub fn ours(schema: &'static str, minors: &[Minor]) -> Self {
        let versions = minors.iter().map(|minor| SchemaVersion::of(schema, *minor)).collect();
        Self { versions, malformed: Vec::new() }
    }

    /// The version of `schema` that both sides take: the highest common one of major 1, else 1.0.
    /// Neither side comes first.
    #[must_use]
    pub fn negotiate(&self, other: &Self, schema: &str) -> Version {
        let common = self.versions.intersection(&other.versions);
        let ours = common.filter(|both| both.schema == schema && both.version.major == 1);
        ours.map(|both| both.version).max().unwrap_or(Minor::V1_0.version())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "zastava.runtime.event";

    #[test]
    fn a_version_has_one_form() {
        let read: SchemaVersion = "zastava.runtime.event@v1.10".parse().unwrap();
        assert_eq!((read.schema(), read.version()), (EVENT, Version { major: 1, minor: 10 }));
        assert_eq!(read.to_string(), "zastava.runtime.event@v1.10");
        for bad in [
            "",
            "@v1.0",
            "event",
            "event@1.0",
            "event@v1",
            "event@v1.",
            "event@v.0",
            "event@v01.0",
            "event@v1.00",
            "event@v1.0.0",
            "event@v+1.0",
            "event@v1.-1",
            "event@v1.4294967296",
            "Event@v1.0",
            "1event@v1.0",
            "ev ent@v1.0",
            "event@v1.0 ",
            "event@@v1.0",
            "ževent@v1.0",
        ] {
            assert_eq!(bad.parse::<SchemaVersion>(), Err(BadVersion(bad.to_owned())));
        }
    }

    #[test]
    fn the_highest_common_minor_is_taken_and_else_the_first() {
        let cases = [
            ("zastava.runtime.event@v1.0", Minor::V1_0),
            ("zastava.runtime.event@v1.1", Minor::V1_1),
            ("zastava.runtime.event@v1.0, zastava.runtime.event@v1.1,", Minor::V1_1),
            ("zastava.runtime.event@v1.7,zastava.runtime.event@v1.0", Minor::V1_0),
            ("zastava.runtime.event@v1.2", Minor::V1_0),
            ("zastava.runtime.event@v2.1", Minor::V1_0),
            ("zastava.admission.decision@v1.1", Minor::V1_0),
            ("nonsense, zastava.runtime.event@v1.1", Minor::V1_1),
            ("", Minor::V1_0),
        ];
        let ours = Offer::ours(EVENT, &Minor::ALL);
        for (offered, expected) in cases {
            let agreed = ours.negotiate(&Offer::parse(offered), EVENT);
            assert_eq!(agreed, expected.version(), "{offered}");
        }
    }

    #[test]
    fn what_is_malformed_in_an_offer_is_told_and_the_rest_holds() {
        let offer = Offer::parse("x, zastava.runtime.event@v1.1 ,, a@v1");
        assert_eq!(offer.malformed, [BadVersion("x".to_owned()), BadVersion("a@v1".to_owned())]);
        assert_eq!(Offer { malformed: Vec::new(), ..offer }, Offer::ours(EVENT, &[Minor::V1_1]));
    }
}
