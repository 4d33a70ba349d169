//! Digests and build-ids: what identifies a file's content.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that is not the hexadecimal digits that were expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not {0} in lower-case hexadecimal digits")]
pub struct NotHex(&'static str);

/// A SHA-256 digest: the identity of a file that leaves the node. On the wire 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl FromStr for Sha256 {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        let bytes = unhex(text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(NotHex("a SHA-256 digest"))
    }
}

/// A digest that names its algorithm. Only SHA-256 leaves the node; BLAKE3 is for comparisons that
/// stay on it, and one cannot be turned into the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digest {
    /// FIPS 180-4.
    Sha256(Sha256),
    /// BLAKE3, 256 bits of it.
    Blake3([u8; 32]),
}

impl Digest {
    /// The SHA-256 digest, if it is one.
    #[must_use]
    pub fn sha256(&self) -> Option<Sha256> {
        match self {
            Self::Sha256(digest) => Some(*digest),
            Self::Blake3(_) => None,
        }
    }

    /// Its algorithm's name in every format.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Blake3(_) => "blake3",
        }
    }

    /// Its hexadecimal digits, without the algorithm.
    #[must_use]
    pub fn hex(&self) -> String {
        match self {
            Self::Sha256(Sha256(bytes)) | Self::Blake3(bytes) => Sha256(*bytes).to_string(),
        }
    }
}

/// A GNU build-id (`NT_GNU_BUILD_ID`), of whatever length the linker gave it; on the wire in
/// hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId(Vec<u8>);

impl BuildId {
    /// The id of these bytes; `None` for none, which is no id.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        Some(bytes.into()).filter(|bytes| !bytes.is_empty()).map(Self)
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl FromStr for BuildId {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        unhex(text).and_then(Self::new).ok_or(NotHex("a build-id"))
    }
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Pairs of lower-case digits; upper case would be a second form of the same value.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?));
    rest.is_empty().then(|| bytes.collect()).flatten()
}

/// Text on the wire: `Display` writes it and `FromStr` takes it back.
macro_rules! text_on_the_wire {
    ($type:ty, $name:literal, $pattern:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }

            fn inline_schema() -> bool {
                true
            }
        }
    };
}
pub(super) use text_on_the_wire;

text_on_the_wire!(Sha256, "Sha256", "^[0-9a-f]{64}$");
text_on_the_wire!(BuildId, "BuildId", "^([0-9a-f]{2})+$");

#[cfg(test)]
mod tests {
    use super::*;

    // FIPS 180-4's own example.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_is_its_64_digits_and_nothing_else() {
        assert_eq!(Sha256::of(b"abc").to_string(), ABC);
        assert_eq!(ABC.parse(), Ok(Sha256::of(b"abc")));
        let short = &ABC[1..];
        for text in [short, &ABC.to_uppercase(), &format!("{ABC}00"), &format!("g{short}"), ""] {
            assert_eq!(text.parse::<Sha256>(), Err(NotHex("a SHA-256 digest")), "{text}");
        }
    }

    #[test]
    fn a_build_id_has_any_length_but_none() {
        for text in ["00", "9f3a1cd4c0b7adfe91c0e3b51d2f45fb0f76a4c1"] {
            assert_eq!(text.parse::<BuildId>().unwrap().to_string(), text);
        }
        for text in ["", "0", "9F", "zz", "žž"] {
            assert_eq!(text.parse::<BuildId>(), Err(NotHex("a build-id")), "{text}");
        }
    }

    #[test]
    fn only_one_of_two_algorithms_leaves_the_node() {
        let digest = Sha256::of(b"abc");
        assert_eq!(Digest::Sha256(digest).sha256(), Some(digest));
        assert_eq!(Digest::Blake3(digest.0).sha256(), None);
        assert_eq!(Digest::Blake3(digest.0).hex(), ABC);
    }
}
