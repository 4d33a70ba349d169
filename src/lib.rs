//! Ground truth from running Linux containers.
//!
//! The library behind the `zastava` binary. It only reads: it never executes anything in a
//! container, never pauses one and never writes outside its own state directory.
//!
//! The rooms, from the bottom up: [`limits`] and [`contract`] know nothing of the others;
//! [`process`] reads one process from a proc root that is handed in; [`inspect`] puts one whole
//! observation together; [`cmd`] is the command line, and the only room that prints or chooses an
//! exit code. `docs/ARCHITECTURE.md` has the table of who may use whom, and a test
//! holds the code to it.
//!
//! ```
//! use std::path::Path;
//!
//! use zastava::limits::{Deadline, ReadLimits};
//! use zastava::process::{Asked, ContentCache, ContentRequest, ProcRoot, ProcessHandle};
//!
//! let root = ProcRoot::open(Path::new("/proc"), ReadLimits::default(), Deadline::never())?;
//! let handle = ProcessHandle::open(&root, Asked::Oneself)?;
//! let cache = ContentCache::default();
//! let observed = zastava::inspect::process(&root, &handle, &ContentRequest::headers(&cache));
//! assert_eq!(observed.value.identity.pid, std::process::id());
//! for gap in observed.gaps.as_slice() {
//!     println!("{}: {} ({})", gap.field, gap.reason, gap.tried);
//! }
//! # Ok::<(), zastava::process::Error>(())
//! ```

#[cfg(not(target_os = "linux"))]
compile_error!("zastava reads Linux's /proc and builds for Linux only (docs/ARCHITECTURE.md)");

pub mod cmd;
pub mod contract;
pub mod inspect;
pub mod limits;
pub mod process;
