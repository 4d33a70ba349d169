//! The line that tells how far a long reading is: on a terminal's standard error, after a moment, and
//! gone before the answer comes.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::page::size;
use crate::process::{Amount, Progress};

/// What is quicker than this needs no progress.
const MOMENT: Duration = Duration::from_millis(400);

/// The line. It is drawn when the first moment is over.
#[derive(Debug)]
pub(in crate::cmd) struct Bar {
    begun: Instant,
    shown: bool,
    line: RefCell<Option<ProgressBar>>,
}

impl Bar {
    /// A line that is shown.
    pub(in crate::cmd) fn shown() -> Self {
        Self { begun: Instant::now(), shown: true, line: RefCell::new(None) }
    }

    /// A line that never is.
    pub(in crate::cmd) fn hidden() -> Self {
        Self { shown: false, ..Self::shown() }
    }

    /// Takes the line away.
    pub(in crate::cmd) fn clear(&self) {
        if let Some(line) = self.line.take() {
            line.finish_and_clear();
        }
    }
}

impl Progress for Bar {
    fn at(&self, done: Amount, of: Amount) {
        if !self.shown || self.begun.elapsed() < MOMENT {
            return;
        }
        let mut line = self.line.borrow_mut();
        let line = line.get_or_insert_with(|| {
            let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            line.set_style(
                ProgressStyle::with_template("{msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            line
        });
        line.set_message(text(done, of));
    }
}

fn text(done: Amount, of: Amount) -> String {
    format!(
        "hashing {} of {} files, {} of {}",
        done.files,
        of.files,
        size(done.bytes),
        size(of.bytes)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_numbers() {
        let (done, of) =
            (Amount { files: 112, bytes: 31_000_000 }, Amount { files: 256, bytes: 64_000_000 });
        assert_eq!(text(done, of), "hashing 112 of 256 files, 31 MB of 64 MB");
    }

    #[test]
    fn what_is_quick_or_unseen_draws_nothing() {
        let (quick, unseen) = (Bar::shown(), Bar::hidden());
        let amount = Amount { files: 1, bytes: 1 };
        quick.at(amount, amount);
        unseen.at(amount, amount);
        assert!(quick.line.borrow().is_none() && unseen.line.borrow().is_none());
    }
}
