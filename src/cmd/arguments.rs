//! What can be typed. These types hold it and know nothing of what it means.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, ArgGroup, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::error::Failure;

const EXIT_CODES: &str = "\
Exit status:
  0  done, perhaps with gaps
  2  the command line or the environment is wrong; nothing was started
  3  it could not be determined, or the answer could not be written";

const FIND_EXIT_CODES: &str = "\
Exit status:
  0  done, perhaps with gaps; with --find: somebody has it mapped
  1  with --find: nobody has it mapped, and every process was read
  2  the command line or the environment is wrong; with --find: a prefix fits several
  3  it could not be determined, or the answer could not be written";

const ENVIRONMENT: &str = "\
Environment (a flag wins; an empty variable counts as unset):
  ZASTAVA_PROC         as --proc
  ZASTAVA_HOST_ROOT    as --host-root
  ZASTAVA_NODE         as --node; then NODE_NAME
  ZASTAVA_TIMEOUT      as --timeout
  ZASTAVA_REDACT       1: as --redact
  ZASTAVA_NO_PROGRESS  1: as --no-progress
  NO_COLOR, CLICOLOR_FORCE, TERM=dumb, COLUMNS, LC_ALL, LC_CTYPE, LANG
                       colour, width and characters of tables";

/// Ground truth from running Linux containers.
///
/// zastava tells what really runs in a container, what it has loaded, and what could not be seen and
/// why. It only reads: it executes nothing in a container and pauses nothing.
#[derive(Debug, Parser)]
#[command(name = "zastava", version, propagate_version = true)]
#[command(after_long_help = format!("{EXIT_CODES}\n\n{ENVIRONMENT}"))]
#[command(max_term_width = 80)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) global: GlobalArgs,
}

/// Flags of every command.
#[derive(Clone, Debug, Args)]
pub(super) struct GlobalArgs {
    /// Colour: auto, always or never
    ///
    /// Colour stands only beside a mark or word that says the same.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: String,
    /// Errors only: no notes, no advice
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Tell more; with an error, its causes
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// What a process is, where it belongs, what it loaded, what was hidden
    Inspect(Box<InspectArgs>),
    /// Which files are mapped, what identifies them, and who has one of them
    ///
    /// Prints what is odd first: files that are deleted, replaced on disk since they were mapped, or
    /// never were files. Each has its build-id and digest, or the reason why not.
    #[command(after_long_help = format!("{FIND_EXIT_CODES}\n\n{ENVIRONMENT}"))]
    Libs(Box<LibsArgs>),
    /// Write what is made from the code: man pages, completions, schemas
    #[command(hide = true)]
    Generate(GenerateArgs),
}

/// What a process is, where it belongs, what it loaded, what was hidden.
#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    #[command(subcommand)]
    pub(super) what: InspectWhat,
}

#[derive(Debug, Subcommand)]
pub(super) enum InspectWhat {
    /// One process: executable, ancestry, namespaces, container, mapped files, listeners
    ///
    /// Prints what deserves a look first, then what the process is. What could not be seen stands
    /// under GAPS with the reason; an answer without that section has none. The pid of a thread is
    /// answered for its process.
    #[command(after_long_help = format!("{EXIT_CODES}\n\n{ENVIRONMENT}"))]
    Pid(InspectPidArgs),
}

/// One process.
#[derive(Clone, Debug, Args)]
pub(super) struct InspectPidArgs {
    /// The process, in the proc root's pid namespace: a number, pid:NUMBER, or self
    #[arg(value_name = "PID|self", allow_negative_numbers = true)]
    pub(super) pid: OsString,
    #[command(flatten)]
    pub(super) look: LookArgs,
    #[command(flatten)]
    pub(super) content: ContentArgs,
}

/// Mapped files and their identity.
#[derive(Clone, Debug, Default, Args)]
#[command(group = ArgGroup::new("scope").required(true).args(["target", "all", "find"]))]
pub(super) struct LibsArgs {
    /// The process, in the proc root's pid namespace: a number, pid:NUMBER, or self
    #[arg(value_name = "TARGET", allow_negative_numbers = true)]
    pub(super) target: Option<OsString>,
    /// Every process of the node; digests only where --digest is typed
    #[arg(long)]
    pub(super) all: bool,
    /// Who has it mapped now: sha256:HEX, build-id:HEX, soname:NAME or path:GLOB
    ///
    /// Of a digest or build-id the first 8 digits are enough where they are unique. A glob without a
    /// slash is held against the file's name; `*` stops at a slash and `**` does not. It takes none of
    /// --digest, --max-libs, --max-bytes and --contract. Ends with 0 when
    /// somebody has it mapped, 1 when nobody has and every process was read, 3 when nobody has and
    /// something could not be read.
    #[arg(long, value_name = "KIND:VALUE")]
    #[arg(conflicts_with_all = ["digest", "max_libs", "max_bytes", "contract"])]
    pub(super) find: Option<OsString>,
    #[command(flatten)]
    pub(super) look: LookArgs,
    #[command(flatten)]
    pub(super) content: ContentArgs,
}

/// Flags of the commands that read the files of processes.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ContentArgs {
    /// The digest of each file: sha256, blake3 or none [default: sha256; libs --all: none]
    #[arg(long, value_name = "ALGORITHM")]
    pub(super) digest: Option<OsString>,
    /// How many files of a target get a digest [default: 4096]
    #[arg(long, value_name = "COUNT")]
    pub(super) max_libs: Option<OsString>,
    /// How many bytes of a target are read for digests, such as 64MB [default: 1GB]
    ///
    /// The executable comes first if it fits, then the smallest file; one that is larger than what is
    /// left keeps its build-id and size.
    #[arg(long, value_name = "SIZE")]
    pub(super) max_bytes: Option<OsString>,
    /// The version of the contract that -o event writes: v1.0 or v1.1 [default: v1.1]
    #[arg(long, value_name = "VERSION")]
    pub(super) contract: Option<OsString>,
    /// Show no progress
    #[arg(long)]
    pub(super) no_progress: bool,
}

/// Flags of the commands that look at this machine.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct LookArgs {
    /// The form of the answer: table, wide, json, ndjson, event or none; with =FILE, also into a file
    #[arg(short, long, value_name = "FORMAT[=FILE]")]
    pub(super) output: Vec<OsString>,
    /// The procfs to read [default: found: /proc, or /host/proc in a container]
    #[arg(long, value_name = "DIR")]
    pub(super) proc: Option<PathBuf>,
    /// The host's root directory; its proc is the default of --proc
    #[arg(long, value_name = "DIR")]
    pub(super) host_root: Option<PathBuf>,
    /// The node's name in documents [default: the host name]
    #[arg(long, value_name = "NAME")]
    pub(super) node: Option<OsString>,
    /// How long the whole run may take; then what is known is printed [default: 30s]
    #[arg(long, value_name = "DURATION")]
    pub(super) timeout: Option<OsString>,
    /// Show how many arguments there are, not what they say
    #[arg(long)]
    pub(super) redact: bool,
    /// Add to the table what was read, how long it took and how many bytes came
    #[arg(long)]
    pub(super) explain: bool,
}

/// Which files to write where.
#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    /// man, completions or schemas
    pub(super) kind: String,
    /// The directory, which must exist
    pub(super) directory: PathBuf,
}

/// A command, or a text that was asked for (help, version).
#[derive(Debug)]
pub(super) enum Parsed {
    Command(Box<Cli>),
    Text(String),
}

impl Cli {
    /// Reads a command line.
    pub(super) fn read(line: impl IntoIterator<Item = OsString>) -> Result<Parsed, Failure> {
        let matches = Self::command().try_get_matches_from(line);
        match matches.and_then(|matches| Self::from_arg_matches(&matches)) {
            Ok(cli) => Ok(Parsed::Command(Box::new(cli))),
            Err(error) => match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                    Ok(Parsed::Text(error.render().to_string()))
                }
                _ => Err(failure(&error)),
            },
        }
    }
}

/// An error of the argument parser as one line and a hint.
fn failure(error: &clap::Error) -> Failure {
    let rendered = error.render().to_string();
    let mut lines = rendered.lines().map(str::trim);
    let first = lines.next().unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            "failed to read the command line: a command is missing".to_owned()
        }
        // What is missing stands on lines of its own.
        ErrorKind::MissingRequiredArgument => {
            let missing = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
            format!("failed to read the command line: {missing} is missing")
        }
        ErrorKind::ArgumentConflict => {
            let name = |kind| match error.get(kind) {
                Some(ContextValue::String(word)) => word.clone(),
                Some(ContextValue::Strings(words)) => words.join("` or `"),
                _ => String::new(),
            };
            let (one, other) = (name(ContextKind::InvalidArg), name(ContextKind::PriorArg));
            format!(
                "failed to read the command line: the argument `{one}` cannot be used with `{other}`"
            )
        }
        _ => {
            let cause = first.strip_prefix("error: ").unwrap_or(first);
            format!("failed to read the command line: {cause}").replace('\'', "`")
        }
    };
    let suggested = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg];
    let suggestion = suggested.iter().find_map(|kind| match error.get(*kind)? {
        ContextValue::String(word) => Some(word.clone()),
        ContextValue::Strings(words) => words.first().cloned(),
        _ => None,
    });
    let failure = Failure::usage(message);
    match suggestion {
        Some(word) => failure.hint(format!("did you mean `{word}`?")),
        None => {
            failure.hint("zastava --help lists the commands, zastava COMMAND --help their flags")
        }
    }
}
