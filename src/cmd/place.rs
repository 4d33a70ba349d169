//! Where zastava runs: which directory is the proc root, and what follows from a guess.

use std::path::{Path, PathBuf};

use super::error::Failure;
use crate::contract::{Gap, Reason};
use crate::limits::{Deadline, ReadLimits};
use crate::process::{Error, ProcRoot, has_all_processes};

/// An open proc root and how it was found.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) root: ProcRoot,
    /// What was guessed, for a `note:` line.
    pub(super) note: Option<String>,
    /// What cannot be seen from here.
    pub(super) gap: Option<Gap>,
}

/// What was typed or set about the place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PlaceSettings {
    pub(super) proc: Option<PathBuf>,
    pub(super) host_root: Option<PathBuf>,
    /// The variables that these come from, where no flag was typed.
    pub(super) variables: Vec<&'static str>,
}

impl PlaceSettings {
    /// An error that names where a bad path comes from.
    pub(super) fn blame(&self, error: Error) -> Failure {
        let usage = matches!(error, Error::NoProcRoot { .. });
        match self.variables.first().filter(|_| usage) {
            Some(variable) => {
                Failure::from(error).first_hint(format!("the path is from {variable}"))
            }
            None => error.into(),
        }
    }
}

impl Place {
    /// Opens the proc root that was named, or finds one: `/proc` if it has all of the machine's
    /// processes, else the host's where a container usually has it, else `/proc` with a gap.
    pub(super) fn find(settings: &PlaceSettings, deadline: Deadline) -> Result<Self, Error> {
        let open = |path: &Path| ProcRoot::open(path, ReadLimits::default(), deadline);
        let named = |root| Self { root, note: None, gap: None };
        if let Some(path) = &settings.proc {
            return open(path).map(named);
        }
        if let Some(host) = &settings.host_root {
            return open(&host.join("proc")).map(named);
        }
        let here = open(Path::new("/proc"))?;
        if has_all_processes(&here) {
            return Ok(named(here));
        }
        for host in ["/host/proc", "/proc/1/root/proc"] {
            if let Some(root) = open(Path::new(host)).ok().filter(has_all_processes) {
                let note = Some(format!("reading the host's processes at {host}"));
                return Ok(Self { root, note, gap: None });
            }
        }
        let tried = "/proc has only the processes of this pid namespace";
        Ok(Self {
            root: here,
            note: None,
            gap: Some(Gap::new("processes", Reason::Unsupported, tried)),
        })
    }
}
