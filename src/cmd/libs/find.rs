//! `zastava libs --find KIND:VALUE`: who has it mapped now, and as which builds.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::LibsSettings;
use crate::cmd::document::{Document, Frame, Target, Text};
use crate::cmd::error::Failure;
use crate::cmd::exit::ExitStatus;
use crate::cmd::files::cell;
use crate::cmd::look::Look;
use crate::cmd::output::page::Page;
use crate::cmd::output::{Answer, Format, Lines, Printer, parts, publish};
use crate::cmd::streams::Streams;
use crate::contract::{BuildId, Observed, Sha256, Workload};
use crate::inspect::{self, Build, Found, Holder, Looking, Query};
use crate::process::Traffic;

/// The name of the document's schema.
pub(in crate::cmd) const SCHEMA: &str = "zastava.cli.find@v1.0";

/// Asks every process and answers as `grep` does: found, not found, or not to be told.
pub(super) fn run(
    settings: &LibsSettings,
    (given, query): (&str, &Query),
    printer: Printer,
    streams: &mut Streams,
) -> Result<ExitStatus, Failure> {
    let look = Look::begin(&settings.look, printer, streams)?;
    let bar = settings.content.bar(printer, streams);
    let looking = Looking { cache: &look.cache, progress: &bar };
    let Observed { value: found, gaps } = inspect::find(&look.place.root, query, &looking);
    bar.clear();
    ambiguous(query, &found)?;
    let outcome = match (found.builds.is_empty(), gaps.is_empty() && look.place.gap.is_none()) {
        (false, _) => ExitStatus::Done,
        (true, true) => ExitStatus::Findings,
        (true, false) => ExitStatus::Undetermined,
    };
    let frame = look.frame(SCHEMA, Target::node(given), outcome, gaps);
    let traffic = look.place.root.traffic();
    let answer = FindAnswer { frame, found, traffic, query, settings };
    publish(&answer, &settings.look.output, printer, streams)?;
    Ok(outcome)
}

/// The beginning of two ids is no answer.
fn ambiguous(query: &Query, found: &Found) -> Result<(), Failure> {
    let candidates = found.candidates(query);
    if candidates.len() < 2 {
        return Ok(());
    }
    let (kind, value) = (query.kind(), query.value());
    let ids: Vec<_> = candidates.iter().take(4).map(|id| format!("{kind}:{id}")).collect();
    let message = format!("`{kind}:{value}` fits {} files: {}", candidates.len(), ids.join(", "));
    Err(Failure::usage(message).hint("type more of its digits"))
}

/// Everything that the renderings draw from.
struct FindAnswer<'a> {
    frame: Frame,
    found: Found,
    traffic: Traffic,
    query: &'a Query,
    settings: &'a LibsSettings,
}

impl Answer for FindAnswer<'_> {
    fn table(&self, page: &mut Page, _format: Format) {
        self.verdict(page);
        for build in &self.found.builds {
            draw(page, build);
        }
        let explained = self.settings.look.explain.then_some(&self.traffic);
        parts::end(page, &self.frame.gaps, explained);
    }

    fn document(&self) -> impl Serialize {
        self.frame.document(ResultDocument::of(self.query, &self.found))
    }

    fn lines(&self, lines: &mut Lines) {
        let mut document = self.frame.document(ResultDocument::of(self.query, &self.found));
        let target = self.frame.target.id.as_str();
        for build in document.result.builds.take().unwrap_or_default() {
            lines.row("lib", target, build);
        }
        lines.end(target, document);
    }
}

impl FindAnswer<'_> {
    fn verdict(&self, page: &mut Page) {
        let holders: Vec<&Holder> =
            self.found.builds.iter().flat_map(|build| &build.mappings).collect();
        let processes = self.found.searched.processes;
        if holders.is_empty() {
            let sure = match self.frame.outcome {
                ExitStatus::Undetermined => ", as far as could be read",
                _ => "",
            };
            return page.line(format!("none of {processes} processes has it mapped{sure}"));
        }
        // A process may have several builds mapped.
        let pids = |holders: &mut dyn Iterator<Item = &&Holder>| -> BTreeSet<u32> {
            holders.map(|holder| holder.pid).collect()
        };
        let having = pids(&mut holders.iter()).len();
        let (who, has) = match having {
            1 => ("process", "has"),
            _ => ("processes", "have"),
        };
        let mut line = format!("{having} {who} {has} it mapped now");
        if self.found.builds.len() > 1 {
            line.push_str(&format!(", as {} builds", self.found.builds.len()));
        }
        let old = pids(&mut holders.iter().filter(|holder| holder.replaced)).len();
        if old > 0 {
            let runs = if old == 1 { "runs" } else { "run" };
            line.push_str(&format!("; {old} {runs} a copy that was replaced"));
        }
        page.prose("", &line);
    }
}

fn draw(page: &mut Page, build: &Build) {
    page.gap();
    let id = cell(page, &build.build_id, BuildId::to_string);
    let path = build.mappings.first().map(|first| page.name(&first.path)).unwrap_or_default();
    let digest = cell(page, &build.sha256, Sha256::to_string);
    page.flow("BUILD ", &[id, path, format!("sha256 {digest}")], "  ");
    let first = build.mappings.first().map(|first| first.path.as_slice());
    let mut rows: Vec<_> = build.mappings.iter().map(|one| row(page, one, first)).collect();
    if rows.iter().all(|row| row[PATH].is_empty()) {
        rows.iter_mut().for_each(|row| _ = row.remove(PATH));
    }
    page.columns(rows, PATH);
}

/// The column of another name for the same file; it is left out where there is none.
const PATH: usize = 3;

/// A process, and its name for the file where that is another than the first one's.
fn row(page: &Page, holder: &Holder, first: Option<&[u8]>) -> Vec<String> {
    let state = match (holder.replaced, holder.deleted) {
        (true, _) => "replaced since: runs the old copy",
        (_, true) => "deleted: still runs it",
        _ => "",
    };
    let mark = if state.is_empty() { ' ' } else { '!' };
    let pid = format!("{mark} {}", holder.pid);
    let elsewhere = first != Some(holder.path.as_slice());
    let path = if elsewhere { page.name(&holder.path) } else { String::new() };
    vec![pid, page.name(&holder.comm), place(page, &holder.workload), path, state.to_owned()]
}

fn place(page: &Page, workload: &Workload) -> String {
    match (&workload.container_id, workload.platform) {
        (Some(id), _) => {
            let id = id.rsplit("//").next().unwrap_or(id);
            format!("ctr:{}", page.digest(id))
        }
        (None, Some(platform)) => platform.as_str().to_owned(),
        (None, None) => "?".to_owned(),
    }
}

/// The whole document.
pub(in crate::cmd) type FindDocument = Document<ResultDocument>;

/// Who has a file mapped.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cmd) struct ResultDocument {
    query: QueryDocument,
    searched: SearchedDocument,
    /// The files by their content. Rows of their own in NDJSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required)]
    builds: Option<Vec<BuildDocument>>,
}

/// What was looked for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct QueryDocument {
    /// `sha256`, `build-id`, `soname` or `path`.
    kind: String,
    value: String,
}

/// How many processes were asked.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct SearchedDocument {
    processes: u64,
    unreadable: u64,
}

/// One file by its content.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct BuildDocument {
    /// The GNU build-id, or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    build_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    soname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    soname_bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    mappings: Vec<MappingDocument>,
}

/// A process that has it mapped.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MappingDocument {
    pid: u32,
    comm: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comm_bytes: Option<String>,
    workload: Workload,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    deleted: bool,
    replaced: bool,
}

impl ResultDocument {
    fn of(query: &Query, found: &Found) -> Self {
        let (kind, value) = (query.kind().to_owned(), query.value().to_owned());
        let searched = found.searched;
        Self {
            query: QueryDocument { kind, value },
            searched: SearchedDocument {
                processes: searched.processes,
                unreadable: searched.unreadable,
            },
            builds: Some(found.builds.iter().map(BuildDocument::of).collect()),
        }
    }
}

impl BuildDocument {
    fn of(build: &Build) -> Self {
        let none = || build.build_id.is_none().then(|| "none".to_owned());
        let (soname, soname_bytes) = Text::halves(build.soname.as_deref());
        Self {
            build_id: build.build_id.known().map(BuildId::to_string).or_else(none),
            sha256: build.sha256.known().map(Sha256::to_string),
            soname,
            soname_bytes,
            size: build.size,
            mappings: build.mappings.iter().map(MappingDocument::of).collect(),
        }
    }
}

impl MappingDocument {
    fn of(holder: &Holder) -> Self {
        let (comm, path) = (Text::of(&holder.comm), Text::of(&holder.path));
        Self {
            pid: holder.pid,
            comm: comm.text,
            comm_bytes: comm.bytes,
            workload: holder.workload.clone(),
            path: path.text,
            path_bytes: path.bytes,
            deleted: holder.deleted,
            replaced: holder.replaced,
        }
    }
}
