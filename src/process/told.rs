//! What is known of a file's content, or why it is not.

use std::sync::Arc;

use super::parse::elf::{Elf, Field, Why};
use crate::contract::{BuildId, Digest, Reason};

/// What is known of something, or why it is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Told<T> {
    /// It is this.
    Known(T),
    /// There is none.
    None,
    /// It could not be found out; there is a gap.
    Unknown(Reason),
    /// Nobody asked.
    #[default]
    NotAsked,
}

impl<T> Told<T> {
    /// It, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it is known that there is none.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Why it is not known.
    pub fn unknown(&self) -> Option<Reason> {
        match self {
            Self::Unknown(reason) => Some(*reason),
            _ => None,
        }
    }
}

/// What is in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// What its ELF headers say; none for a file of another kind.
    pub elf: Told<Arc<Elf>>,
    /// Its digest; none for what is no file.
    pub digest: Told<Digest>,
}

impl Content {
    /// Nothing to be read: a device, or an object of the kernel's.
    pub(super) const NONE: Self = Self { elf: Told::None, digest: Told::None };

    /// Its GNU build-id. A file of another kind has none.
    #[must_use]
    pub fn build_id(&self) -> Told<BuildId> {
        match &self.elf {
            Told::Known(elf) => match elf.build_id.clone().and_then(BuildId::new) {
                Some(id) => Told::Known(id),
                None => doubt_about_build_id(elf).map_or(Told::None, Told::Unknown),
            },
            Told::None => Told::None,
            Told::Unknown(reason) => Told::Unknown(*reason),
            Told::NotAsked => Told::NotAsked,
        }
    }
}

pub(super) fn reason_of(why: Why) -> Reason {
    match why {
        Why::Malformed => Reason::Malformed,
        Why::Budget => Reason::Budget,
        Why::Unreadable => Reason::Malformed,
    }
}

/// Why a file that shows no build-id may have one all the same.
fn doubt_about_build_id(elf: &Elf) -> Option<Reason> {
    let doubt = elf.doubts.iter().find(|doubt| doubt.field == Field::BuildId);
    doubt.map(|doubt| reason_of(doubt.why))
}
