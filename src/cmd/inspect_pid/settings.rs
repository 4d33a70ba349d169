//! From what was typed and set to what is meant.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use crate::cmd::arguments::{InspectPidArgs, LookArgs};
use crate::cmd::environment::Environment;
use crate::cmd::error::Failure;
use crate::cmd::output::Plan;
use crate::cmd::place::PlaceSettings;
use crate::inspect::{Code, Notable};
use crate::process::Asked;

/// What `inspect pid` needs, defaults applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cmd) struct InspectPidSettings {
    /// The target as it was typed, for the document.
    pub(super) given: String,
    pub(super) asked: Asked,
    pub(super) place: PlaceSettings,
    pub(super) node: Option<String>,
    pub(super) timeout: Duration,
    pub(super) output: Plan,
    pub(super) arguments: Shown,
    pub(super) explain: bool,
}

/// What is shown of arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cmd) enum Shown {
    /// What they say.
    Whole,
    /// The first word, and how many there are.
    Redacted,
}

impl Shown {
    /// The arguments that may be shown. A process may have written all of them into the first one
    /// (`setproctitle(3)`), so that is cut at its first blank.
    pub(super) fn of(self, argv: &[Vec<u8>]) -> Vec<&[u8]> {
        match self {
            Self::Whole => argv.iter().map(Vec::as_slice).collect(),
            Self::Redacted => {
                let word = |first: &'_ Vec<u8>| first.iter().position(u8::is_ascii_whitespace);
                argv.iter()
                    .take(1)
                    .map(|first| &first[..word(first).unwrap_or(first.len())])
                    .collect()
            }
        }
    }

    /// What a remark may name: the program behind a loader is an argument.
    pub(super) fn subject(self, remark: &Notable) -> &[u8] {
        match (self, remark.code) {
            (Self::Redacted, Code::ExeLoader) => b"(redacted)",
            _ => &remark.subject,
        }
    }
}

const TIMEOUT: Duration = Duration::from_secs(30);

impl InspectPidSettings {
    /// A flag wins over the environment, and that over the default.
    pub(in crate::cmd) fn resolve(
        typed: &InspectPidArgs,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let LookArgs { output, proc, host_root, node, timeout, redact, explain } = &typed.look;
        let node = node.as_deref().or_else(|| environment.get("ZASTAVA_NODE"));
        let node = node.or_else(|| environment.get("NODE_NAME"));
        Ok(Self {
            given: typed.pid.to_string_lossy().into_owned(),
            asked: asked(&typed.pid)?,
            place: place(proc.as_ref(), host_root.as_ref(), environment),
            node: node.map(|node| node.to_string_lossy().into_owned()),
            timeout: limit(timeout.as_ref(), environment)?,
            output: Plan::resolve(output)?,
            arguments: match *redact || environment.is_on("ZASTAVA_REDACT") {
                true => Shown::Redacted,
                false => Shown::Whole,
            },
            explain: *explain,
        })
    }
}

fn place(
    proc: Option<&PathBuf>,
    host_root: Option<&PathBuf>,
    environment: &Environment,
) -> PlaceSettings {
    let mut place = PlaceSettings::default();
    let mut path = |typed: Option<&PathBuf>, name: &'static str| {
        let set = || environment.get(name).map(PathBuf::from);
        place.variables.extend((typed.is_none() && set().is_some()).then_some(name));
        typed.cloned().or_else(set)
    };
    let (proc, host_root) = (path(proc, "ZASTAVA_PROC"), path(host_root, "ZASTAVA_HOST_ROOT"));
    PlaceSettings { proc, host_root, ..place }
}

/// `self`, `4711` or `pid:4711`. Any number that the kernel's type for pids holds is well written;
/// whether there is such a process is found out later.
fn asked(typed: &OsStr) -> Result<Asked, Failure> {
    let invalid = || {
        let message =
            format!("invalid pid `{}`: expected 1 to {}, or self", typed.display(), i32::MAX);
        Failure::usage(message)
    };
    let text = typed.to_str().ok_or_else(invalid)?;
    if text == "self" {
        return Ok(Asked::Oneself);
    }
    let digits = text.strip_prefix("pid:").unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let pid = digits.parse::<i32>().ok().filter(|pid| plain && *pid > 0).ok_or_else(invalid)?;
    Ok(Asked::Pid(pid.unsigned_abs()))
}

fn limit(typed: Option<&OsString>, environment: &Environment) -> Result<Duration, Failure> {
    let set = environment.get("ZASTAVA_TIMEOUT").map(|value| ("ZASTAVA_TIMEOUT", value));
    let Some((source, text)) = typed.map(|text| ("--timeout", text.as_os_str())).or(set) else {
        return Ok(TIMEOUT);
    };
    let read = text.to_str().and_then(duration).filter(|limit| !limit.is_zero());
    read.ok_or_else(|| {
        let message = format!(
            "invalid {source} `{}`: expected a time such as 500ms, 5s or 2m",
            text.display()
        );
        Failure::usage(message)
    })
}

/// `500ms`, `5s`, `2m`, `1h`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    let milliseconds = match text.strip_prefix(digits)? {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(typed: &InspectPidArgs, set: &[(&str, &str)]) -> Result<InspectPidSettings, String> {
        let environment =
            set.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        InspectPidSettings::resolve(typed, &environment).map_err(|failure| failure.to_string())
    }

    fn typed(pid: &str) -> InspectPidArgs {
        InspectPidArgs { pid: pid.into(), look: LookArgs::default() }
    }

    #[test]
    fn a_pid_is_read_in_every_form_and_nothing_else_is() {
        for (text, asked) in [
            ("1", Asked::Pid(1)),
            ("pid:4711", Asked::Pid(4711)),
            ("99999999", Asked::Pid(99_999_999)),
            ("self", Asked::Oneself),
        ] {
            assert_eq!(resolve(&typed(text), &[]).unwrap().asked, asked);
        }
        for text in [
            "0",
            "-5",
            "+5",
            "abc",
            "",
            "pid:",
            "pid:self",
            "1 ",
            "2147483648",
            "18446744073709551616",
        ] {
            let message = format!("invalid pid `{text}`: expected 1 to 2147483647, or self");
            assert_eq!(resolve(&typed(text), &[]), Err(message));
        }
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_default() {
        let flagged = InspectPidArgs {
            look: LookArgs {
                timeout: Some("2m".into()),
                proc: Some("/a".into()),
                ..LookArgs::default()
            },
            ..typed("1")
        };
        let set = [
            ("ZASTAVA_TIMEOUT", "500ms"),
            ("ZASTAVA_PROC", "/b"),
            ("NODE_NAME", "n"),
            ("ZASTAVA_REDACT", "1"),
        ];
        let settings = resolve(&flagged, &set).unwrap();
        assert_eq!(settings.timeout, Duration::from_secs(120));
        assert_eq!(settings.place.proc, Some("/a".into()));
        let settings = resolve(&typed("1"), &set).unwrap();
        assert_eq!(settings.timeout, Duration::from_millis(500));
        assert_eq!((settings.place.proc, settings.node), (Some("/b".into()), Some("n".to_owned())));
        assert_eq!(settings.arguments, Shown::Redacted);
        let settings =
            resolve(&typed("1"), &[("ZASTAVA_TIMEOUT", ""), ("ZASTAVA_REDACT", "0")]).unwrap();
        assert_eq!((settings.timeout, settings.arguments), (TIMEOUT, Shown::Whole));
    }

    #[test]
    fn a_bad_time_names_where_it_comes_from() {
        for bad in ["5", "s", "5 s", "-5s", "0s", "5d", "99999999999999999999s"] {
            let message = resolve(&typed("1"), &[("ZASTAVA_TIMEOUT", bad)]).unwrap_err();
            assert_eq!(
                message,
                format!("invalid ZASTAVA_TIMEOUT `{bad}`: expected a time such as 500ms, 5s or 2m")
            );
        }
    }
}
