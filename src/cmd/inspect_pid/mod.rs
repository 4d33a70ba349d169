//! `zastava inspect pid PID|self`: what a process is, where it belongs, what it has mapped, where it
//! listens, and what could not be seen.

mod document;
mod settings;
mod table;

use std::time::{Instant, SystemTime};

use serde::Serialize;

use super::document::{Cost, Frame, Host, Target};
use super::error::Failure;
use super::exit::ExitStatus;
use super::output::page::Page;
use super::output::{Answer, Format, Lines, Printer, publish};
use super::place::Place;
use super::streams::Streams;
use crate::contract::Gaps;
use crate::inspect::{self, ProcessObservation};
use crate::limits::Deadline;
use crate::process::{ProcessHandle, Traffic};

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
    let (begun, now) = (Instant::now(), SystemTime::now());
    let deadline = Deadline::after(settings.timeout);
    let place = Place::find(&settings.place, deadline).map_err(|e| settings.place.blame(e))?;
    let host = Host::new(place.root.host(), settings.node.clone());
    if let Some(note) = &place.note {
        printer.note(streams, note);
    }
    let handle = ProcessHandle::open(&place.root, settings.asked)?;
    if let Some(thread) = handle.asked_as_thread() {
        printer.note(streams, &format!("{thread} is a thread of process {}", handle.pid()));
    }
    let observed = inspect::process(&place.root, &handle);
    let mut gaps = Gaps::default();
    gaps.extend(place.gap);
    gaps.extend(host.gaps(place.root.path()));
    let observation = gaps.take(observed);
    let traffic = place.root.traffic();
    let id = format!("pid:{}", handle.pid());
    let target = Target { given: settings.given.clone(), kind: "process".to_owned(), id };
    let frame = Frame {
        schema: SCHEMA,
        host,
        begun: now,
        took: begun.elapsed(),
        target,
        outcome: ExitStatus::Done,
        gaps: gaps.as_slice().to_vec(),
        cost: Cost::of(&traffic),
    };
    let answer = PidAnswer { frame, observation, traffic, settings };
    publish(&answer, &settings.output, printer, streams)?;
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
        ResultDocument::of(&self.observation, self.settings.arguments)
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
        for gap in document.gaps.take().unwrap_or_default() {
            lines.row("gap", target, gap);
        }
        lines.summary(document);
    }
}
