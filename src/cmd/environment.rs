//! The environment, read once and handed in.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::output::escape::Charset;

/// Environment variables; an empty one counts as unset.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        std::env::vars_os().collect()
    }

    /// A variable's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Whether a switch is on: set to anything but `0`.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value != "0")
    }

    /// What the locale can show: the first of the three variables that is set decides.
    #[must_use]
    pub(super) fn charset(&self) -> Charset {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| self.get(name));
        let name = locale.and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
        match name.contains("utf-8") || name.contains("utf8") {
            true => Charset::Utf8,
            false => Charset::Ascii,
        }
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}
