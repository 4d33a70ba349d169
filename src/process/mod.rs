//! One process, read from a proc root that is handed in.
//!
//! May use: nothing. Crates: none.

pub mod parse;
