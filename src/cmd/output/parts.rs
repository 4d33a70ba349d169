//! The parts of a table that several commands have: what could not be seen, and what was read.

use super::page::{Page, size};
use crate::contract::Gap;
use crate::process::Traffic;

/// The end of every table: what could not be seen and, for `--explain`, what was read.
pub(in crate::cmd) fn end(page: &mut Page, unseen: &[Gap], explained: Option<&Traffic>) {
    gaps(page, unseen);
    if let Some(traffic) = explained {
        evidence(page, traffic);
    }
}

/// Nothing where there are no gaps.
fn gaps(page: &mut Page, gaps: &[Gap]) {
    if gaps.is_empty() {
        return;
    }
    page.gap();
    page.line(format!("GAPS ({})", gaps.len()));
    let field = gaps.iter().map(|gap| gap.field.len()).max().unwrap_or(0);
    let reason = gaps.iter().map(|gap| gap.reason.as_str().len()).max().unwrap_or(0);
    for gap in gaps {
        let label = format!("? {:field$}  {:reason$}  ", gap.field, gap.reason.as_str());
        let mut why = page.safe(gap.tried.as_bytes());
        if let Some(hint) = &gap.hint {
            why.push_str(&format!(": {hint}"));
        }
        if gap.count > 1 {
            why.push_str(&format!(" ({} times)", gap.count));
        }
        page.prose(&label, &why);
    }
}

fn evidence(page: &mut Page, traffic: &Traffic) {
    page.gap();
    page.line(format!("EVIDENCE  {} reads, {}", traffic.reads, size(traffic.bytes)));
    let rows = traffic.accesses.iter().map(|access| {
        let outcome = match access.outcome {
            Ok(bytes) => size(bytes),
            Err(reason) => reason.to_string(),
        };
        let path = page.safe(access.path.as_os_str().as_encoded_bytes());
        vec![format!("  {path}"), outcome, format!("{} us", access.took.as_micros())]
    });
    let rows = rows.collect();
    page.columns(rows, 0);
    let untold = traffic.reads.saturating_sub(traffic.accesses.len() as u64);
    if untold > 0 {
        page.line(format!("  [{untold} more reads]"));
    }
}
