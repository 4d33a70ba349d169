//! One whole observation of one process.
//!
//! May use: `contract`, `process`. Crates: none.
//!
//! Asks every subject of [`process`](crate::process) once, lets each say what it could not see, and
//! checks at the end that it was one process all along. Renders nothing: the commands make tables
//! and documents of what is returned.

mod notable;
mod pid;

pub use notable::{Code, Notable};
pub use pid::{ProcessObservation, process};
