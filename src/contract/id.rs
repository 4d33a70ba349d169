//! Ids that anybody can compute from the bytes.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::digest::{Sha256, text_on_the_wire};

const PREFIX: &str = "sha256-";

/// A text that is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected sha256- and 43 characters of base64url")]
pub struct NotAnId;

/// The name of a payload: `sha256-` and the base64url, without padding, of the SHA-256 digest of its
/// canonical bytes (specification, section 2.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Sha256);

impl Id {
    /// The id of canonical bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::of(bytes))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(self.0.0))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let digits = text.strip_prefix(PREFIX).ok_or(NotAnId)?;
        let bytes = URL_SAFE_NO_PAD.decode(digits).map_err(|_digits| NotAnId)?;
        bytes.try_into().map(|bytes| Self(Sha256(bytes))).map_err(|_length| NotAnId)
    }
}

text_on_the_wire!(Id, "Id", "^sha256-[A-Za-z0-9_-]{43}$");

#[cfg(test)]
mod tests {
    use super::*;

    // printf '' | openssl dgst -sha256 -binary | basenc --base64url, without its `=`.
    const EMPTY: &str = "sha256-47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

    #[test]
    fn an_id_is_what_openssl_and_basenc_make_of_the_bytes() {
        assert_eq!(Id::of(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse(), Ok(Id::of(b"")));
    }

    #[test]
    fn what_is_not_in_that_form_is_no_id() {
        let padded = format!("{EMPTY}=");
        let other = EMPTY.replace("sha256-", "sha512-");
        // The last character has bits that no digest sets.
        let loose = EMPTY.replace("uFU", "uFV");
        for text in ["", "sha256-", "9f6a", &EMPTY[..49], &padded, &other, &loose] {
            assert_eq!(text.parse::<Id>(), Err(NotAnId), "{text}");
        }
    }
}
