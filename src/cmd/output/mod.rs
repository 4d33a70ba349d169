//! The one place where answers leave: formats, files, colour and width.

pub(super) mod escape;
mod json;
pub(super) mod page;
pub(super) mod parts;
pub(super) mod progress;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::arguments::GlobalArgs;
use super::document::Document;
use super::environment::Environment;
use super::error::Failure;
use super::streams::Streams;
use crate::contract::Encoded;
use escape::Charset;
use page::{Colour, Page};

use json::Style;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// What fits one screen.
    Table,
    /// All rows and columns, nothing cut.
    Wide,
    /// One document.
    Json,
    /// A row a line, and the document without its rows as the last.
    Ndjson,
    /// The runtime event, as the node agent sends it.
    Event,
}

impl Format {
    const ALL: [(&'static str, Self); 5] = [
        ("table", Self::Table),
        ("wide", Self::Wide),
        ("json", Self::Json),
        ("ndjson", Self::Ndjson),
        ("event", Self::Event),
    ];
}

/// Where the answer goes, in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// On standard output; `None` silences it.
    pub(super) stdout: Option<Format>,
    /// Into files.
    pub(super) files: Vec<(Format, PathBuf)>,
}

impl Plan {
    /// Reads the `-o` flags.
    pub(super) fn resolve(typed: &[OsString]) -> Result<Self, Failure> {
        let mut stdout: Vec<(&str, Option<Format>)> = Vec::new();
        let mut files = Vec::new();
        let mut taken = BTreeSet::new();
        for output in typed {
            let (word, file) = split(output);
            let format = Format::ALL.iter().find(|(name, _)| OsStr::new(name) == word);
            match (format, file) {
                (Some((_, format)), Some(path)) if !path.as_os_str().is_empty() => {
                    if !taken.insert(path.clone()) {
                        let message = format!("two formats both write to {}", path.display());
                        return Err(Failure::usage(message).hint("give each a file of its own"));
                    }
                    files.push((*format, path));
                }
                (Some((name, format)), None) => stdout.push((name, Some(*format))),
                (None, None) if word == "none" => stdout.push(("none", None)),
                _ => return Err(unknown(output)),
            }
        }
        match stdout.as_slice() {
            [] => Ok(Self { stdout: Some(Format::Table), files }),
            [(_, format)] => Ok(Self { stdout: *format, files }),
            [(first, _), (second, _), ..] => {
                let message = format!("-o {first} and -o {second} both write to standard output");
                Err(Failure::usage(message).hint(format!("send one to a file: -o {second}=FILE")))
            }
        }
    }
}

impl Plan {
    /// Whether an event is asked for.
    pub(super) fn has_event(&self) -> bool {
        let files = self.files.iter().map(|(format, _)| *format);
        files.chain(self.stdout).any(|format| format == Format::Event)
    }
}

fn split(output: &OsStr) -> (&OsStr, Option<PathBuf>) {
    let bytes = output.as_bytes();
    match bytes.iter().position(|&b| b == b'=') {
        Some(at) => {
            let (word, path) = (&bytes[..at], &bytes[at + 1..]);
            (OsStr::from_bytes(word), Some(PathBuf::from(OsStr::from_bytes(path))))
        }
        None => (output, None),
    }
}

fn unknown(output: &OsStr) -> Failure {
    let names: Vec<_> = Format::ALL.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    let (word, file) = split(output);
    let message = match file {
        Some(path) if path.as_os_str().is_empty() || word == "none" => {
            format!("invalid output `{}`: expected FORMAT or FORMAT=FILE", output.display())
        }
        _ => format!("invalid format `{}`: expected {names} or none", word.display()),
    };
    Failure::usage(message)
}

/// How tables look here: decided once, from flags, environment and streams.
#[derive(Clone, Copy, Debug)]
pub(super) struct Printer {
    colour: Colour,
    charset: Charset,
    /// The columns of the terminal; `None` where nothing is cut.
    width: Option<usize>,
    quiet: bool,
    /// Whether standard output is a terminal.
    shown: bool,
    /// Whether both streams are.
    interactive: bool,
}

impl Printer {
    pub(super) fn resolve(
        global: &GlobalArgs,
        environment: &Environment,
        streams: &Streams,
    ) -> Result<Self, Failure> {
        let terminal = streams.out_terminal;
        let dumb = environment.get("TERM").is_some_and(|term| term == "dumb");
        let colour = match global.color.as_str() {
            "always" => Colour::On,
            "never" => Colour::Off,
            "auto" if environment.get("NO_COLOR").is_some() || dumb => Colour::Off,
            "auto" if terminal.is_some() || environment.is_on("CLICOLOR_FORCE") => Colour::On,
            "auto" => Colour::Off,
            other => {
                let message = format!("invalid --color `{other}`: expected auto, always or never");
                return Err(Failure::usage(message));
            }
        };
        let columns = environment.get("COLUMNS").and_then(|c| c.to_str()?.parse::<usize>().ok());
        let width = terminal.map(|terminal| columns.unwrap_or(terminal.columns).max(60));
        let interactive = terminal.is_some() && streams.err_terminal.is_some();
        let charset = environment.charset();
        let shown = terminal.is_some();
        Ok(Self { colour, charset, width, quiet: global.quiet, shown, interactive })
    }

    /// An empty table; a wide one is as wide as its rows.
    pub(super) fn page(&self, format: Format) -> Page {
        let width = self.width.filter(|_| format != Format::Wide);
        Page::new(width, self.charset)
    }

    /// Says something beside the answer.
    pub(super) fn note(&self, streams: &mut Streams, text: &str) {
        if !self.quiet {
            streams.say("note", &escape::text(text.as_bytes(), self.charset));
        }
    }

    /// Proposes a command to a person; scripts are not told.
    pub(super) fn next(&self, streams: &mut Streams, command: &str) {
        if self.interactive && !self.quiet {
            streams.say("next", command);
        }
    }

    /// Whether somebody sees how far it is.
    pub(super) fn shows_progress(&self, streams: &Streams) -> bool {
        streams.err_terminal.is_some() && !self.quiet
    }

    fn json(&self) -> Style {
        if self.interactive { Style::Pretty } else { Style::Line }
    }
}

/// An answer that can be rendered in every form.
pub(super) trait Answer {
    /// The table, in the page that it is given.
    fn table(&self, page: &mut Page, format: Format);
    /// The document.
    fn document(&self) -> impl Serialize;
    /// The rows of NDJSON, and the document without them.
    fn lines(&self, lines: &mut Lines);
    /// The event's canonical bytes.
    fn event(&self) -> Result<Encoded, Failure> {
        Err(Failure::usage("failed to make an event: it is of one process"))
    }
}

/// NDJSON that is being put together.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<u8>);

#[derive(Serialize)]
struct Row<'a, T> {
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(flatten)]
    row: T,
}

impl Lines {
    /// Adds a row: its type, its target and its own members.
    pub(super) fn row(&mut self, r#type: &str, target: &str, row: impl Serialize) {
        self.0.extend(json::write(&Row { r#type, target: Some(target), row }, Style::Line));
    }

    /// Ends with the gaps, and with what is left of the document, so that a stream that was cut off
    /// is seen.
    pub(super) fn end(&mut self, target: &str, mut document: Document<impl Serialize>) {
        for gap in document.gaps.take().unwrap_or_default() {
            self.row("gap", target, gap);
        }
        let summary = Row { r#type: "summary", target: None, row: document };
        self.0.extend(json::write(&summary, Style::Line));
    }
}

/// Sends an answer where the plan says.
pub(super) fn publish(
    answer: &impl Answer,
    plan: &Plan,
    printer: Printer,
    streams: &mut Streams,
) -> Result<(), Failure> {
    for (format, path) in &plan.files {
        let off = Colour::Off;
        let plain =
            Printer { colour: off, width: None, shown: false, interactive: false, ..printer };
        write_file(path, &render(answer, *format, plain)?)?;
    }
    match plan.stdout {
        Some(format) => streams.print(&render(answer, format, printer)?).map(|_done| ()),
        None => Ok(()),
    }
}

fn render(answer: &impl Answer, format: Format, printer: Printer) -> Result<Vec<u8>, Failure> {
    Ok(match format {
        Format::Table | Format::Wide => {
            let mut page = printer.page(format);
            answer.table(&mut page, format);
            page.render(printer.colour).into_bytes()
        }
        Format::Json => json::write(&answer.document(), printer.json()),
        Format::Ndjson => {
            let mut lines = Lines::default();
            answer.lines(&mut lines);
            lines.0
        }
        Format::Event => {
            let mut line = answer.event()?.bytes;
            // Whoever hashes it gets the canonical bytes; a person's terminal is not driven by them.
            if printer.shown {
                line = json::safe(&line);
            }
            line.push(b'\n');
            line
        }
    })
}

/// Replaces a regular file at once, so that nobody reads half of it; anything else that is there
/// (`/dev/stderr`, a FIFO) is written through.
fn write_file(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let special = fs::metadata(path).is_ok_and(|file| !file.is_file());
    // A descriptor's name (`/dev/stderr`, `/dev/fd/3`) may lead to a regular file that has more in it.
    let descriptor = path.starts_with("/dev") || path.starts_with("/proc");
    let written = if special || descriptor {
        let opened = fs::OpenOptions::new().append(true).open(path);
        opened.and_then(|mut file| file.write_all(content))
    } else {
        replace(path, content)
    };
    written.map_err(|error| Failure::file(path, error))
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // A symbolic link stays one: what it leads to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_new| path.to_owned());
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mode = fs::metadata(&path).map_or(0o666, |old| old.permissions().mode() & 0o777);
    let mut file = tempfile::Builder::new()
        .prefix(".zastava-")
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(directory)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|failed| failed.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(typed: &[&str]) -> Result<Plan, String> {
        let typed: Vec<_> = typed.iter().map(OsString::from).collect();
        Plan::resolve(&typed).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_table_goes_to_stdout_unless_something_else_does() {
        let stdout = |typed: &[&str]| plan(typed).unwrap().stdout;
        assert_eq!(stdout(&[]), Some(Format::Table));
        assert_eq!(stdout(&["json"]), Some(Format::Json));
        assert_eq!(stdout(&["json=/x"]), Some(Format::Table));
        assert_eq!(stdout(&["none"]), None);
        assert_eq!(stdout(&["ndjson", "json=/x"]), Some(Format::Ndjson));
        assert_eq!(plan(&["json=a=b"]).unwrap().files, [(Format::Json, PathBuf::from("a=b"))]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let refused = [
            (&["json", "wide"][..], "-o json and -o wide both write to standard output"),
            (&["json", "none"], "-o json and -o none both write to standard output"),
            (&["json=x", "table=x"], "two formats both write to x"),
            (&["yaml"], "invalid format `yaml`: expected table, wide, json, ndjson, event or none"),
            (
                &["yaml=x"],
                "invalid format `yaml`: expected table, wide, json, ndjson, event or none",
            ),
            (&["none=x"], "invalid output `none=x`: expected FORMAT or FORMAT=FILE"),
        ];
        for (typed, message) in refused {
            assert_eq!(plan(typed), Err(message.to_owned()), "{typed:?}");
        }
    }
}
