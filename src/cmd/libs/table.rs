//! The table of `libs TARGET` and `libs --all`: the odd files on top, the identity of the rest.

use super::LibsAnswer;
use super::document::Totals;
use super::shared::SharedFile;
use crate::cmd::files::{Columns, odd};
use crate::cmd::output::page::{Page, size};
use crate::cmd::output::parts;
use crate::process::Membership;

/// How many files are shown besides the odd ones, so that the answer stays on a screen.
const ROWS: usize = 16;

/// How many pids a row tells.
const PIDS: usize = 3;

/// A table being drawn.
pub(super) struct Table<'a> {
    pub(super) answer: &'a LibsAnswer<'a>,
    pub(super) page: &'a mut Page,
    pub(super) wide: bool,
}

impl Table<'_> {
    pub(super) fn draw(&mut self) {
        let totals = Totals::of(self.answer);
        self.who(totals.files);
        if totals.files > 0 {
            self.files();
            self.totals(totals);
        }
        let explained = self.answer.settings.look.explain.then_some(&self.answer.traffic);
        parts::end(self.page, &self.answer.frame.gaps, explained);
    }

    fn who(&mut self, files: u64) {
        let odd = self.answer.files.by_path().iter().filter(|s| odd(&s.file).is_some()).count();
        let noun = if files == 1 { "file" } else { "files" };
        let whose = match self.answer.only() {
            Some(one) => {
                let place = place(&one.membership, self.page);
                format!("pid {} {}, {place}", one.identity.pid, self.page.name(&one.identity.comm))
            }
            None => {
                let node = self.answer.frame.host.node.as_deref().unwrap_or("?");
                let node = self.page.safe(node.as_bytes());
                format!("{} processes on {node}", self.answer.processes.len())
            }
        };
        let line = format!("{files} {noun} mapped by {whose}; {odd} notable");
        self.page.prose("", &line);
    }

    fn files(&mut self) {
        let digest = self.answer.settings.content.digest;
        let columns = if self.wide { Columns::wide(digest) } else { Columns::narrow(digest) };
        let mut rows = vec![columns.heads()];
        let mut notes = vec![None];
        let everywhere = self.answer.only().is_none();
        let most = if self.wide { usize::MAX } else { PIDS };
        if everywhere {
            rows.iter_mut().for_each(|heads| heads.push("PIDS".to_owned()));
        }
        let (mut plain, mut left_out) = (0, 0);
        for shared in self.answer.files.in_order() {
            let note = odd(&shared.file).map(str::to_owned);
            plain += usize::from(note.is_none());
            if plain > ROWS && note.is_none() && !self.wide {
                left_out += 1;
                continue;
            }
            let mut row = columns.row(self.page, &shared.file);
            row.extend(everywhere.then(|| pids(shared, most)));
            rows.push(row);
            notes.push(note);
        }
        self.page.gap();
        self.page.annotated(rows, &notes, 0);
        if left_out > 0 {
            self.page.line(format!("  [{left_out} more: -o wide]"));
        }
    }

    fn totals(&mut self, totals: Totals) {
        let noun = if totals.files == 1 { "file" } else { "files" };
        let mut line = format!("{} {noun}, {}", totals.files, size(totals.bytes));
        if self.answer.settings.content.digest.is_some() {
            line.push_str(&format!(": {} hashed", totals.hashed));
            if totals.cached > 0 {
                line.push_str(&format!(" ({} from cache)", totals.cached));
            }
        }
        self.page.line(line);
    }
}

/// Where a process belongs, in a few words.
fn place(member: &Membership, page: &Page) -> String {
    match (&member.container, &member.pod, member.isolated) {
        (Some(container), _, _) => format!("ctr:{}", page.digest(&container.id)),
        (None, Some(pod), _) => format!("pod {}", pod.uid),
        (None, None, Some(false)) => "on the host".to_owned(),
        (None, None, _) => "container ?".to_owned(),
    }
}

fn pids(shared: &SharedFile, most: usize) -> String {
    let mut told: Vec<_> = shared.pids.iter().take(most).map(u32::to_string).collect();
    let more = shared.pids.len() - told.len();
    told.extend((more > 0).then(|| format!("+{more}")));
    told.join(" ")
}
