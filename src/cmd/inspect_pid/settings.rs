//! From what was typed and set to what is meant.

use crate::cmd::arguments::InspectPidArgs;
use crate::cmd::environment::Environment;
use crate::cmd::error::Failure;
use crate::cmd::look::{ContentSettings, LookSettings, asked};
use crate::process::{Algorithm, Asked};

/// What `inspect pid` needs, defaults applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cmd) struct InspectPidSettings {
    /// The target as it was typed, for the document.
    pub(super) given: String,
    pub(super) asked: Asked,
    pub(super) look: LookSettings,
    pub(super) content: ContentSettings,
}

impl InspectPidSettings {
    pub(in crate::cmd) fn resolve(
        typed: &InspectPidArgs,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let look = LookSettings::resolve(&typed.look, environment)?;
        let digest = Some(Algorithm::Sha256);
        Ok(Self {
            given: typed.pid.to_string_lossy().into_owned(),
            asked: asked(&typed.pid)?,
            content: ContentSettings::resolve(&typed.content, environment, &look, digest)?,
            look,
        })
    }
}
