//! What the commands that look at this machine have in common: from what was typed and set to what is
//! meant, and the frame of the answer.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::arguments::{ContentArgs, LookArgs};
use super::document::{Cost, Frame, Host, Target};
use super::environment::Environment;
use super::error::Failure;
use super::exit::ExitStatus;
use super::output::progress::Bar;
use super::output::{Plan, Printer};
use super::place::{Place, PlaceSettings};
use super::streams::Streams;
use crate::contract::{Gap, Gaps, Minor};
use crate::inspect::{Code, Notable};
use crate::limits::{Deadline, DigestBudget};
use crate::process::{Algorithm, Asked, ContentCache, ContentRequest, ProcessHandle, Progress};

/// Where to look, for how long, and in what form to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LookSettings {
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

impl LookSettings {
    /// A flag wins over the environment, and that over the default.
    pub(super) fn resolve(typed: &LookArgs, environment: &Environment) -> Result<Self, Failure> {
        let LookArgs { output, proc, host_root, node, timeout, redact, explain } = typed;
        let node = node.as_deref().or_else(|| environment.get("ZASTAVA_NODE"));
        let node = node.or_else(|| environment.get("NODE_NAME"));
        Ok(Self {
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

/// What to read of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContentSettings {
    pub(super) digest: Option<Algorithm>,
    pub(super) budget: DigestBudget,
    /// The minor of the contract that events are written in.
    pub(super) minor: Minor,
    progress: bool,
}

impl ContentSettings {
    /// `digest` is what is taken where nothing was typed.
    pub(super) fn resolve(
        typed: &ContentArgs,
        environment: &Environment,
        look: &LookSettings,
        digest: Option<Algorithm>,
    ) -> Result<Self, Failure> {
        let default = DigestBudget::COMMAND;
        let files = typed.max_libs.as_deref().map(count).transpose()?;
        let bytes = typed.max_bytes.as_deref().map(size).transpose()?;
        let digest = typed.digest.as_deref().map_or(Ok(digest), algorithm)?;
        if digest == Some(Algorithm::Blake3) && look.output.has_event() {
            let failure = Failure::usage("invalid --digest `blake3`: an event has SHA-256 digests");
            return Err(failure.hint("leave --digest out"));
        }
        Ok(Self {
            digest,
            budget: DigestBudget {
                files: files.unwrap_or(default.files),
                bytes: bytes.unwrap_or(default.bytes),
            },
            minor: typed.contract.as_deref().map_or(Ok(Minor::V1_1), minor)?,
            progress: !typed.no_progress && !environment.is_on("ZASTAVA_NO_PROGRESS"),
        })
    }

    pub(super) fn request<'a>(
        &self,
        cache: &'a ContentCache,
        progress: &'a dyn Progress,
    ) -> ContentRequest<'a> {
        let Self { digest, budget, .. } = *self;
        ContentRequest { headers: true, digest, budget, cache, progress }
    }

    /// The line that tells how far it is, where somebody sees it.
    pub(super) fn bar(&self, printer: Printer, streams: &Streams) -> Bar {
        match self.progress && printer.shows_progress(streams) {
            true => Bar::shown(),
            false => Bar::hidden(),
        }
    }
}

/// A look that has begun.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) place: Place,
    pub(super) cache: ContentCache,
    host: Host,
    begun: Instant,
    now: SystemTime,
}

impl Look {
    pub(super) fn begin(
        settings: &LookSettings,
        printer: Printer,
        streams: &mut Streams,
    ) -> Result<Self, Failure> {
        let (begun, now) = (Instant::now(), SystemTime::now());
        let deadline = Deadline::after(settings.timeout);
        let place = Place::find(&settings.place, deadline).map_err(|e| settings.place.blame(e))?;
        let host = Host::new(place.root.host(), settings.node.clone());
        if let Some(note) = &place.note {
            printer.note(streams, note);
        }
        Ok(Self { place, cache: ContentCache::default(), host, begun, now })
    }

    /// Opens the process that was asked for, and says so where that is another.
    pub(super) fn open(
        &self,
        asked: Asked,
        printer: Printer,
        streams: &mut Streams,
    ) -> Result<ProcessHandle, Failure> {
        let handle = ProcessHandle::open(&self.place.root, asked)?;
        if let Some(thread) = handle.asked_as_thread() {
            printer.note(streams, &format!("{thread} is a thread of process {}", handle.pid()));
        }
        Ok(handle)
    }

    /// The frame of what was seen, with the gaps of the place before those of the look.
    pub(super) fn frame(
        &self,
        schema: &'static str,
        target: Target,
        outcome: ExitStatus,
        seen: Gaps,
    ) -> Frame {
        let mut gaps = Gaps::default();
        gaps.extend(self.place.gap.clone());
        gaps.extend(self.host.gaps(self.place.root.path()));
        gaps.extend(seen);
        Frame {
            schema,
            host: self.host.clone(),
            begun: self.now,
            took: self.begun.elapsed(),
            target,
            outcome,
            gaps: gaps.into_iter().collect::<Vec<Gap>>(),
            cost: Cost::of(&self.place.root.traffic(), self.cache.counters()),
        }
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
pub(super) fn asked(typed: &OsStr) -> Result<Asked, Failure> {
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

fn algorithm(typed: &OsStr) -> Result<Option<Algorithm>, Failure> {
    match typed.to_str() {
        Some("sha256") => Ok(Some(Algorithm::Sha256)),
        Some("blake3") => Ok(Some(Algorithm::Blake3)),
        Some("none") => Ok(None),
        _ => Err(invalid("--digest", typed, "sha256, blake3 or none")),
    }
}

fn minor(typed: &OsStr) -> Result<Minor, Failure> {
    let written = |minor: &Minor| typed == OsStr::new(&minor.version().to_string());
    let minor = Minor::ALL.into_iter().find(written);
    minor.ok_or_else(|| invalid("--contract", typed, "v1.0 or v1.1"))
}

fn count(typed: &OsStr) -> Result<usize, Failure> {
    let count = typed.to_str().and_then(digits).and_then(|count| usize::try_from(count).ok());
    count.ok_or_else(|| invalid("--max-libs", typed, "a number"))
}

/// `64MB`, `64_000_000`; units are decimal.
fn size(typed: &OsStr) -> Result<u64, Failure> {
    let read = typed.to_str().and_then(|text| {
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit: u64 = match text.strip_prefix(number)? {
            "" | "B" => 1,
            "KB" | "kB" => 1000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            _ => return None,
        };
        digits(number)?.checked_mul(unit)
    });
    read.ok_or_else(|| invalid("--max-bytes", typed, "a size such as 64MB or 64_000_000"))
}

/// A number, with underscores between its digits if that helps to read it.
fn digits(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let begins = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
    (plain && begins).then(|| text.replace('_', "").parse().ok()).flatten()
}

fn invalid(flag: &str, typed: &OsStr, expected: &str) -> Failure {
    Failure::usage(format!("invalid {flag} `{}`: expected {expected}", typed.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(typed: &LookArgs, set: &[(&str, &str)]) -> Result<LookSettings, String> {
        LookSettings::resolve(typed, &environment(set)).map_err(|failure| failure.to_string())
    }

    fn environment(set: &[(&str, &str)]) -> Environment {
        set.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    fn content(typed: &ContentArgs) -> Result<ContentSettings, String> {
        let (set, sha256) = (environment(&[]), Some(Algorithm::Sha256));
        let look = LookSettings::resolve(&LookArgs::default(), &set).unwrap();
        let settings = ContentSettings::resolve(typed, &set, &look, sha256);
        settings.map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_pid_is_read_in_every_form_and_nothing_else_is() {
        let read = |text: &str| asked(text.as_ref()).map_err(|failure| failure.to_string());
        for (text, asked) in [
            ("1", Asked::Pid(1)),
            ("pid:4711", Asked::Pid(4711)),
            ("99999999", Asked::Pid(99_999_999)),
            ("self", Asked::Oneself),
        ] {
            assert_eq!(read(text), Ok(asked));
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
            assert_eq!(read(text), Err(message));
        }
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_default() {
        let flagged =
            LookArgs { timeout: Some("2m".into()), proc: Some("/a".into()), ..LookArgs::default() };
        let set = [
            ("ZASTAVA_TIMEOUT", "500ms"),
            ("ZASTAVA_PROC", "/b"),
            ("NODE_NAME", "n"),
            ("ZASTAVA_REDACT", "1"),
        ];
        let settings = resolve(&flagged, &set).unwrap();
        assert_eq!(settings.timeout, Duration::from_secs(120));
        assert_eq!(settings.place.proc, Some("/a".into()));
        let settings = resolve(&LookArgs::default(), &set).unwrap();
        assert_eq!(settings.timeout, Duration::from_millis(500));
        assert_eq!((settings.place.proc, settings.node), (Some("/b".into()), Some("n".to_owned())));
        assert_eq!(settings.arguments, Shown::Redacted);
        let unset = [("ZASTAVA_TIMEOUT", ""), ("ZASTAVA_REDACT", "0")];
        let settings = resolve(&LookArgs::default(), &unset).unwrap();
        assert_eq!((settings.timeout, settings.arguments), (TIMEOUT, Shown::Whole));
    }

    #[test]
    fn a_bad_time_names_where_it_comes_from() {
        for bad in ["5", "s", "5 s", "-5s", "0s", "5d", "99999999999999999999s"] {
            let message = resolve(&LookArgs::default(), &[("ZASTAVA_TIMEOUT", bad)]).unwrap_err();
            assert_eq!(
                message,
                format!("invalid ZASTAVA_TIMEOUT `{bad}`: expected a time such as 500ms, 5s or 2m")
            );
        }
    }

    #[test]
    fn sizes_and_counts_are_decimal_and_nothing_else_is_one() {
        let bytes = |text: &str| {
            let typed = ContentArgs { max_bytes: Some(text.into()), ..ContentArgs::default() };
            content(&typed).map(|settings| settings.budget.bytes)
        };
        for (text, expected) in [
            ("0", 0),
            ("64MB", 64_000_000),
            ("64_000_000", 64_000_000),
            ("1GB", 1_000_000_000),
            ("7kB", 7000),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for bad in ["", "MB", "-1", "1.5MB", "64 MB", "64MiB", "_1", "99999999999GB"] {
            let message =
                format!("invalid --max-bytes `{bad}`: expected a size such as 64MB or 64_000_000");
            assert_eq!(bytes(bad), Err(message));
        }
        let typed = ContentArgs { max_libs: Some("x".into()), ..ContentArgs::default() };
        assert_eq!(content(&typed), Err("invalid --max-libs `x`: expected a number".to_owned()));
    }

    #[test]
    fn digest_and_contract_are_closed_words() {
        let typed = |digest: Option<&str>, contract: Option<&str>| ContentArgs {
            digest: digest.map(Into::into),
            contract: contract.map(Into::into),
            ..ContentArgs::default()
        };
        let settings = content(&typed(None, None)).unwrap();
        assert_eq!((settings.digest, settings.minor), (Some(Algorithm::Sha256), Minor::V1_1));
        let settings = content(&typed(Some("none"), Some("v1.0"))).unwrap();
        assert_eq!((settings.digest, settings.minor), (None, Minor::V1_0));
        let settings = content(&typed(Some("blake3"), None)).unwrap();
        assert_eq!(settings.digest, Some(Algorithm::Blake3));
        let message = "invalid --digest `md5`: expected sha256, blake3 or none";
        assert_eq!(content(&typed(Some("md5"), None)), Err(message.to_owned()));
        let message = "invalid --contract `v2.0`: expected v1.0 or v1.1";
        assert_eq!(content(&typed(None, Some("v2.0"))), Err(message.to_owned()));
    }
}
