//! Budgets for everything that is read from outside.
//!
//! May use: nothing. Crates: none.
//!
//! A loop over outside data has a limit from here, and a reader that meets it says so with a gap
//! of reason `budget` or `timeout`; it never cuts in silence.

use std::time::{Duration, Instant};

/// How much of one process may be read, and how long one read may take.
///
/// Byte limits are per file. The defaults hold for the largest processes that were seen in the
/// field: the kernel's own default limit of 65 530 mappings is about 8 MB of `maps`.
#[derive(Clone, Debug)]
pub struct ReadLimits {
    /// How long one read of one proc file may take before it is left behind.
    pub read: Duration,
    /// Files of a few lines: `stat`, `status`, `cgroup`. The longest `status` has 65 536 groups.
    pub small_file: usize,
    /// `cmdline`; the kernel allows a process 6 MiB of arguments (three quarters of `_STK_LIM`).
    pub argv: usize,
    /// `maps`.
    pub maps: usize,
    /// `mountinfo`.
    pub mountinfo: usize,
    /// Each table under `net/`.
    pub net_table: usize,
    /// Threads that are looked at.
    pub threads: usize,
    /// Ancestors that are followed.
    pub ancestors: usize,
    /// Processes whose descriptors are searched for the owner of a socket.
    pub processes: usize,
    /// Descriptors that are looked at, over all processes.
    pub descriptors: usize,
    /// Mapped files that are described.
    pub mapped_files: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            read: Duration::from_secs(2),
            small_file: 2 << 20,
            argv: 6 << 20,
            maps: 64 << 20,
            mountinfo: 8 << 20,
            net_table: 32 << 20,
            threads: 4096,
            ancestors: 64,
            processes: 65_536,
            descriptors: 1 << 20,
            mapped_files: 65_536,
        }
    }
}

/// How much of one ELF file may be read. Sizes are in bytes.
#[derive(Clone, Debug)]
pub struct ElfLimits {
    /// Program headers. The kernel runs no file with more than 64 KiB of them: 2048 of 32 bits.
    pub program_headers: usize,
    /// Section headers.
    pub section_headers: usize,
    /// The table of the sections' names.
    pub section_names: usize,
    /// All notes of the file.
    pub notes: usize,
    /// Packager's notes that are kept, each as long as a string may be: a file is remembered for the
    /// whole run.
    pub packages: usize,
    /// Entries of the dynamic table.
    pub dynamic_entries: usize,
    /// One string: a path, a library's name, a version. The kernel's own limit of a path is 4096.
    pub string: usize,
    /// What is searched for Go's build information where no section names it.
    pub go_search: usize,
    /// The list of a Go program's modules; with a thousand of them it is about 100 KiB.
    pub go_modules: usize,
    /// All reads of the file together.
    pub total: u64,
}

impl Default for ElfLimits {
    fn default() -> Self {
        Self {
            program_headers: 2048,
            section_headers: 4096,
            section_names: 256 << 10,
            notes: 1 << 20,
            packages: 8,
            dynamic_entries: 4096,
            string: 4096,
            go_search: 4 << 20,
            go_modules: 1 << 20,
            total: 16 << 20,
        }
    }
}

/// How much of the files of one process (or container) is read to take digests of them.
///
/// A file that is larger than what is left is passed over without spending, and keeps its build-id
/// and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestBudget {
    /// Files; those whose digest is known already are not counted.
    pub files: usize,
    /// Bytes of them all.
    pub bytes: u64,
}

impl DigestBudget {
    /// What the node agent may spend on one container (specification, sections 3.2 and 6).
    pub const AGENT: Self = Self { files: 256, bytes: 64_000_000 };

    /// What a command may spend on one target, which somebody waits for.
    pub const COMMAND: Self = Self { files: 4096, bytes: 1_000_000_000 };
}

/// The end of a whole run. Reads that would begin after it are not begun.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Ends `limit` from now; a limit beyond the clock's range is none.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self(Instant::now().checked_add(limit))
    }

    /// Never ends.
    #[must_use]
    pub fn never() -> Self {
        Self(None)
    }

    /// What is left, at most `step`; zero when the run is over.
    #[must_use]
    pub fn left(&self, step: Duration) -> Duration {
        match self.0 {
            Some(end) => end.saturating_duration_since(Instant::now()).min(step),
            None => step,
        }
    }
}
