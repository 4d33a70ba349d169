//! One whole observation: of one process, or of the files that every process has mapped.
//!
//! May use: `contract`, `limits`, `process`. Crates: `base64`, `globset`, `jiff`, `thiserror`.
//!
//! Asks every subject of [`process`](crate::process) once, lets each say what it could not see, and
//! checks at the end that it was one process all along. Renders nothing: the commands make tables
//! and documents of what is returned.

mod event;
mod find;
mod node;
mod notable;
mod pid;

pub use event::{Around, Sample, event, workload};
pub use find::{BadQuery, Build, Found, Holder, Looking, Pattern, Query, find};
pub use node::{Searched, each_process};
pub use notable::{Code, Notable};
pub use pid::{LoadedObservation, ProcessObservation, loaded, process};
