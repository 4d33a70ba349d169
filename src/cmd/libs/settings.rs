//! From what was typed and set to what is meant.

use std::ffi::{OsStr, OsString};

use crate::cmd::arguments::LibsArgs;
use crate::cmd::environment::Environment;
use crate::cmd::error::Failure;
use crate::cmd::look::{ContentSettings, LookSettings, asked};
use crate::inspect::{BadQuery, Query};
use crate::process::{Algorithm, Asked};

/// What `libs` needs, defaults applied.
#[derive(Clone, Debug)]
pub(in crate::cmd) struct LibsSettings {
    pub(super) scope: Scope,
    pub(super) look: LookSettings,
    pub(super) content: ContentSettings,
}

/// Whose files.
#[derive(Clone, Debug)]
pub(super) enum Scope {
    /// One process, as it was typed and as it is meant.
    One(String, Asked),
    /// Every process.
    All,
    /// Those that have a file mapped.
    Find(String, Query),
}

impl LibsSettings {
    pub(in crate::cmd) fn resolve(
        typed: &LibsArgs,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let scope = scope(typed)?;
        let look = LookSettings::resolve(&typed.look, environment)?;
        let digest = matches!(scope, Scope::One(..)).then_some(Algorithm::Sha256);
        let content = ContentSettings::resolve(&typed.content, environment, &look, digest)?;
        if look.output.has_event() && !matches!(scope, Scope::One(..)) {
            let failure = Failure::usage("invalid -o event: an event is of one target");
            return Err(failure.hint("zastava libs TARGET -o event"));
        }
        Ok(Self { scope, look, content })
    }
}

fn scope(typed: &LibsArgs) -> Result<Scope, Failure> {
    match (&typed.target, &typed.find) {
        (Some(name), _) => Ok(Scope::One(lossy(name), target(name)?)),
        (None, Some(find)) => Ok(Scope::Find(lossy(find), query(find)?)),
        (None, None) => Ok(Scope::All),
    }
}

/// A pid in one of its forms. Any other word would be a container.
fn target(typed: &OsStr) -> Result<Asked, Failure> {
    let text = typed.to_string_lossy();
    let is_pid = text.starts_with("pid:") || text.trim_start_matches('-').parse::<u64>().is_ok();
    match asked(typed) {
        Err(_) if !is_pid => {
            let message = format!("invalid target `{text}`: expected a pid, pid:NUMBER or self");
            let failure = Failure::usage(message);
            Err(failure
                .hint("a container is not asked for by its name yet: type the pid of its process"))
        }
        asked => asked,
    }
}

fn lossy(typed: &OsString) -> String {
    typed.to_string_lossy().into_owned()
}

fn query(typed: &OsStr) -> Result<Query, Failure> {
    let text = typed.to_str().ok_or_else(|| {
        Failure::usage(format!("invalid --find `{}`: it is no UTF-8", typed.display()))
    })?;
    Query::parse(text).map_err(|why| {
        let such = match why {
            BadQuery::Digits(kind) => format!("{kind}:8f2b41c09d31"),
            BadQuery::Pattern(_) | BadQuery::Empty("path") => {
                "'path:/usr/**/libssl.so*'".to_owned()
            }
            BadQuery::Kind | BadQuery::Empty(_) => "soname:libssl.so.3".to_owned(),
        };
        let message = format!("invalid --find `{text}`: {why}");
        Failure::usage(message).hint(format!("such as --find {such}"))
    })
}
