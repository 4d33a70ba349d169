//! The nouns that every room shares: what was seen, and what was not and why.
//!
//! May use: nothing. Crates: `schemars`, `serde`.
//!
//! Pure: no file system, network, process or clock. A [`Gap`] is part of an answer (D4 of the
//! design): what could not be seen stands beside what was, in every format. Absent data is never
//! silence.

mod gap;

pub use gap::{Gap, Gaps, Observed, Reason};
