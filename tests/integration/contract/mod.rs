//! The contract: golden bytes, the specification's samples, properties of anything that can be sent,
//! and the last release.
//!
//! `events` and `decisions` are the golden payloads in Rust; `tests/fixtures/contract/golden.py` has
//! them in Python, and shares nothing with the product. `strategies` makes payloads of anything at
//! all. The other files are promises.

mod decisions;
mod events;
mod golden;
mod json;
mod negotiation;
mod policy;
mod properties;
mod readers;
mod released;
mod samples;
mod schemas;
mod strategies;

pub(crate) use golden::event_id_by_python;
pub(crate) use schemas::wrong_in_event;

use std::fs;
use std::path::{Path, PathBuf};

const LIBSSL: &str = "8f0e1c4d2b3a59687786a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
const HELPER: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const MANIFEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/contract").join(name)
}

fn read(name: &str) -> String {
    let path = fixture(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn s(text: &str) -> String {
    text.to_owned()
}

/// A member that may be absent and is there.
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}
