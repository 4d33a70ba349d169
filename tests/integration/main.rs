//! The integration tests: the real binary and the library, against trees that a test builds byte by
//! byte and processes that it starts.
//!
//! `proc_tree`, `live` and `container` build worlds, `command` runs the binary; the other modules are promises.
//! What needs root lives in modules called `as_root`, so that a run without it can leave them out by
//! name and say so.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failed assumption in a test should panic, and a test reads its own files"
)]

mod architecture;
mod command;
mod container;
mod contents;
mod contract;
mod derived;
mod differential;
mod elf_differential;
mod elf_go;
mod elf_readelf;
mod event;
mod identity;
mod libs;
mod live;
mod live_processes;
mod mapped_files;
mod output;
mod proc_tree;
mod reads;
