//! `zastava inspect pid PID|self`: what a process is, where it belongs, what it has mapped, where it
//! listens, and what could not be seen.

mod document;
mod settings;
mod table;

use serde::Serialize;

use super::document::{Frame, Target};
use super::error::Failure;
use super::exit::ExitStatus;
use super::look::Look;
use super::output::page::Page;
use super::output::{Answer, Format, Lines, Printer, publish};
use super::streams::Streams;
use crate::contract::Encoded;
use crate::inspect::{self, ProcessObservation};
use crate::process::Traffic;

pub(super) use document::PidDocument;
use document::ResultDocument;
pub(super) use settings::InspectPidSettings;

/// The name of the document's schema.
pub(super) const SCHEMA: &str = "zastava.cli.inspect.pid@v1.0";

/// Looks once and answers.
pub(super) fn run(
    settings: &InspectPidSettings,
    printer: Printer,
    streams: &mut Streams,
) -> Result<ExitStatus, Failure> {
    let look = Look::begin(&settings.look, printer, streams)?;
    let handle = look.open(settings.asked, printer, streams)?;
    let bar = settings.content.bar(printer, streams);
    let request = settings.content.request(&look.cache, &bar);
    let observed = inspect::process(&look.place.root, &handle, &request);
    bar.clear();
    let target = Target::process(&settings.given, handle.pid());
    let frame = look.frame(SCHEMA, target, ExitStatus::Done, observed.gaps);
    let traffic = look.place.root.traffic();
    let answer = PidAnswer { frame, observation: observed.value, traffic, settings };
    publish(&answer, &settings.look.output, printer, streams)?;
    if let Some(command) = answer.next() {
        printer.next(streams, &command);
    }
    Ok(answer.frame.outcome)
}

/// Everything that the renderings draw from.
struct PidAnswer<'a> {
    frame: Frame,
    observation: ProcessObservation,
    traffic: Traffic,
    settings: &'a InspectPidSettings,
}

impl PidAnswer<'_> {
    /// The one command that shows most of what is missing.
    fn next(&self) -> Option<String> {
        let pid = self.observation.identity.pid;
        let refused = self
            .frame
            .gaps
            .iter()
            .any(|gap| gap.hint.as_deref().is_some_and(|h| h.contains("root")));
        if refused {
            return Some(format!("sudo zastava inspect pid {pid}"));
        }
        let more = self.observation.mapped.as_ref().is_some_and(|files| !files.is_empty());
        more.then(|| format!("zastava inspect pid {pid} -o wide"))
    }

    fn result(&self) -> ResultDocument {
        ResultDocument::of(&self.observation, self.settings.look.arguments)
    }
}

impl Answer for PidAnswer<'_> {
    fn table(&self, page: &mut Page, format: Format) {
        table::Table { answer: self, page, wide: format == Format::Wide }.draw();
    }

    fn document(&self) -> impl Serialize {
        self.frame.document(self.result())
    }

    fn lines(&self, lines: &mut Lines) {
        let mut document = self.frame.document(self.result());
        let target = self.frame.target.id.as_str();
        for file in document.result.loaded_libs.take().unwrap_or_default() {
            lines.row("lib", target, file);
        }
        lines.end(target, document);
    }

    fn event(&self) -> Result<Encoded, Failure> {
        let event =
            inspect::event((&self.observation).into(), &self.frame.gaps, self.frame.around());
        Ok(event.encode(self.settings.content.minor)?)
    }
}
