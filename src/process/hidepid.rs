//! The mount option by which a procfs hides processes (`proc(5)`).

use std::fmt;

/// How a procfs hides processes from users who do not own them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidepid {
    /// The directories are there, and closed (`hidepid=1`).
    NoAccess,
    /// They are not there (`hidepid=2`).
    Invisible,
    /// Only those that may be traced are there (`hidepid=4`).
    Ptraceable,
}

impl fmt::Display for Hidepid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAccess => "1",
            Self::Invisible => "2",
            Self::Ptraceable => "4",
        })
    }
}

impl Hidepid {
    /// The option's value, which newer kernels print as a word; `None` for one that hides nothing.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        match value {
            b"1" | b"noaccess" => Some(Self::NoAccess),
            b"2" | b"invisible" => Some(Self::Invisible),
            b"4" | b"ptraceable" => Some(Self::Ptraceable),
            _ => None,
        }
    }
}
