//! `zastava libs TARGET | --all | --find KIND:VALUE`: which files are mapped, what identifies them, and
//! who has one of them mapped now.

mod document;
mod find;
mod settings;
mod shared;
mod table;

use serde::Serialize;

use super::document::{Frame, Target};
use super::error::Failure;
use super::exit::ExitStatus;
use super::look::Look;
use super::output::page::Page;
use super::output::{Answer, Format, Lines, Printer, publish};
use super::streams::Streams;
use crate::contract::{Encoded, Observed};
use crate::inspect::{self, LoadedObservation};
use crate::process::{Asked, Counters, Traffic};

pub(super) use document::LibsDocument;
use document::ResultDocument;
pub(super) use find::{FindDocument, SCHEMA as FIND_SCHEMA};
pub(super) use settings::LibsSettings;
use settings::Scope;
use shared::SharedFiles;

/// The name of the document's schema.
pub(super) const SCHEMA: &str = "zastava.cli.libs@v1.0";

/// Looks once and answers.
pub(super) fn run(
    settings: &LibsSettings,
    printer: Printer,
    streams: &mut Streams,
) -> Result<ExitStatus, Failure> {
    match &settings.scope {
        Scope::One(given, asked) => one(settings, (given, *asked), printer, streams),
        Scope::All => all(settings, printer, streams),
        Scope::Find(given, query) => find::run(settings, (given, query), printer, streams),
    }
}

/// One process.
fn one(
    settings: &LibsSettings,
    (given, asked): (&str, Asked),
    printer: Printer,
    streams: &mut Streams,
) -> Result<ExitStatus, Failure> {
    let look = Look::begin(&settings.look, printer, streams)?;
    let handle = look.open(asked, printer, streams)?;
    let bar = settings.content.bar(printer, streams);
    let request = settings.content.request(&look.cache, &bar);
    let Observed { value: seen, gaps } = inspect::loaded(&look.place.root, &handle, &request);
    bar.clear();
    let outcome = match seen.mapped {
        Some(_) => ExitStatus::Done,
        None => ExitStatus::Undetermined,
    };
    let target = Target::process(given, handle.pid());
    let frame = look.frame(SCHEMA, target, outcome, gaps);
    if outcome == ExitStatus::Undetermined {
        return Err(unreadable(&frame, handle.pid()));
    }
    let files = SharedFiles::of(std::slice::from_ref(&seen));
    LibsAnswer::new(settings, &look, frame, (vec![seen], files)).publish(printer, streams)
}

/// Nothing was read: the reason, and what would help.
fn unreadable(frame: &Frame, pid: u32) -> Failure {
    let gap = frame.gaps.iter().find(|gap| gap.field == "loadedLibs");
    let why = gap.map_or("no reason is known", |gap| gap.reason.as_str());
    let message = format!("failed to read the mapped files of process {pid}: {why}");
    let failure = Failure::undetermined(message);
    match gap.and_then(|gap| gap.hint.clone()) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Every process of the node.
fn all(
    settings: &LibsSettings,
    printer: Printer,
    streams: &mut Streams,
) -> Result<ExitStatus, Failure> {
    let look = Look::begin(&settings.look, printer, streams)?;
    let bar = settings.content.bar(printer, streams);
    let request = settings.content.request(&look.cache, &bar);
    let mut seen = Vec::new();
    let searched = inspect::each_process(&look.place.root, &request, |_, process| {
        seen.push(process);
    });
    bar.clear();
    let target = Target::node("--all");
    let frame = look.frame(SCHEMA, target, ExitStatus::Done, searched.gaps);
    if searched.value.processes == searched.value.unreadable {
        let failure = Failure::undetermined("failed to read the mapped files of any process");
        return Err(failure.hint("run as root"));
    }
    let files = SharedFiles::of(&seen);
    LibsAnswer::new(settings, &look, frame, (seen, files)).publish(printer, streams)
}

/// Everything that the renderings draw from.
struct LibsAnswer<'a> {
    frame: Frame,
    processes: Vec<LoadedObservation>,
    files: SharedFiles,
    traffic: Traffic,
    content: Counters,
    settings: &'a LibsSettings,
}

impl<'a> LibsAnswer<'a> {
    fn new(
        settings: &'a LibsSettings,
        look: &Look,
        frame: Frame,
        (processes, files): (Vec<LoadedObservation>, SharedFiles),
    ) -> Self {
        let (traffic, content) = (look.place.root.traffic(), look.cache.counters());
        Self { frame, processes, files, traffic, content, settings }
    }

    fn publish(&self, printer: Printer, streams: &mut Streams) -> Result<ExitStatus, Failure> {
        publish(self, &self.settings.look.output, printer, streams)?;
        if let Some(command) = self.next() {
            printer.next(streams, &command);
        }
        Ok(self.frame.outcome)
    }

    /// Who else has the oddest file.
    fn next(&self) -> Option<String> {
        let files = self.files.in_order();
        let odd = files.into_iter().find(|shared| super::files::odd(&shared.file).is_some())?;
        let digest = odd.file.content.digest.known()?.sha256()?.to_string();
        Some(format!("zastava libs --find sha256:{}", digest.get(..12)?))
    }

    /// The only process, where one was asked for.
    fn only(&self) -> Option<&LoadedObservation> {
        match &self.settings.scope {
            Scope::One(..) => self.processes.first(),
            Scope::All | Scope::Find(..) => None,
        }
    }
}

impl Answer for LibsAnswer<'_> {
    fn table(&self, page: &mut Page, format: Format) {
        table::Table { answer: self, page, wide: format == Format::Wide }.draw();
    }

    fn document(&self) -> impl Serialize {
        self.frame.document(ResultDocument::of(self))
    }

    fn lines(&self, lines: &mut Lines) {
        let mut document = self.frame.document(ResultDocument::of(self));
        let target = self.frame.target.id.as_str();
        for file in document.result.loaded_libs.take().unwrap_or_default() {
            lines.row("lib", target, file);
        }
        for process in document.result.processes.take().unwrap_or_default() {
            lines.row("process", target, process);
        }
        lines.end(target, document);
    }

    fn event(&self) -> Result<Encoded, Failure> {
        let one = self.only().ok_or_else(|| Failure::usage("failed to make an event of a node"))?;
        let event = inspect::event(one.into(), &self.frame.gaps, self.frame.around());
        Ok(event.encode(self.settings.content.minor)?)
    }
}
