//! Ground truth from running Linux containers.
//!
//! The library behind the `zastava` binary. It only reads: it never executes anything in a
//! container, never pauses one and never writes outside its own state directory.

#[cfg(not(target_os = "linux"))]
compile_error!("zastava reads Linux's /proc and builds for Linux only (docs/ARCHITECTURE.md)");

pub mod contract;
pub mod inspect;
pub mod limits;
pub mod process;
