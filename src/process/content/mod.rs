//! What is in the files of a process: what the ELF headers say, and digests.
//!
//! Files are read on a few threads, each at its own pace, and a read that hangs is left behind. Which
//! files get a digest is decided before the first byte is read (D6): those whose digest is known cost
//! nothing; of the others the executable comes first if it fits, then the smallest, and a file that is
//! larger than what is left of the budget is passed over without spending.

mod cache;
mod layers;
mod plan;
mod read;

use super::executable::Executable;
use super::handle::ProcessHandle;
use super::mapped::{MappedFile, MappedKind};
use super::parse::mountinfo::Mount;
use super::root::ProcRoot;
use super::target_root::TargetRoot;
use super::told::Content;
use crate::contract::{Gap, Gaps};
use crate::limits::DigestBudget;

pub use cache::{ContentCache, Counters};
use layers::Layers;
use plan::{Missing, Plan, Subject};
use read::Way;

/// The algorithm of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// The identity that leaves the node.
    Sha256,
    /// For comparisons that stay on it.
    Blake3,
}

impl Algorithm {
    /// Its name in every format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Blake3 => "blake3",
        }
    }
}

/// Who is told how far the reading is.
pub trait Progress: std::fmt::Debug {
    /// So much is read of so much.
    fn at(&self, done: Amount, of: Amount);
}

/// Files and bytes that are read for their digests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Nobody is told.
impl Progress for () {
    fn at(&self, _done: Amount, _of: Amount) {}
}

/// What is wanted of the files' content.
#[derive(Clone, Copy, Debug)]
pub struct ContentRequest<'a> {
    /// Whether ELF headers are read.
    pub headers: bool,
    /// Which digest, if any.
    pub digest: Option<Algorithm>,
    /// What it may cost.
    pub budget: DigestBudget,
    /// What is known already.
    pub cache: &'a ContentCache,
    /// Who is told.
    pub progress: &'a dyn Progress,
}

impl<'a> ContentRequest<'a> {
    /// What the ELF headers say, and no digests.
    #[must_use]
    pub fn headers(cache: &'a ContentCache) -> Self {
        let budget = DigestBudget::COMMAND;
        Self { headers: true, digest: None, budget, cache, progress: &() }
    }

    /// The field of the digest, where one is asked for.
    fn digest_field(&self) -> Option<&'static str> {
        self.digest.map(Algorithm::as_str)
    }

    /// Digests too, as many as a command may take.
    #[must_use]
    pub fn digests(cache: &'a ContentCache, algorithm: Algorithm) -> Self {
        Self { digest: Some(algorithm), ..Self::headers(cache) }
    }
}

/// The files of a process whose content is asked for.
#[derive(Debug)]
pub struct Files<'a> {
    /// Its executable.
    pub exe: Option<&'a mut Executable>,
    /// Its mapped files.
    pub mapped: &'a mut [MappedFile],
    /// Its mounts, which tell the layers below an overlay.
    pub mounts: &'a [Mount],
}

/// Fills in the content of a process's files, and tells what could not be read of it.
#[must_use]
pub fn read_contents(
    root: &ProcRoot,
    process: &ProcessHandle,
    files: Files<'_>,
    request: &ContentRequest<'_>,
) -> Gaps {
    let target = TargetRoot::of(process, files.mounts);
    let mut plan = Plan::new(Layers::new(root, files.mounts), request);
    let exe = files.exe.as_ref().and_then(|exe| exe.file);
    let program = files.exe.map(|exe| {
        let subject = Subject {
            file: exe.file.ok_or_else(|| exe.refused().into()),
            ways: vec![Way::Link(process.living().clone(), "exe".to_owned())],
            first: true,
            inner: exe.is_named.then(|| target.way(&exe.path)).flatten().map(|(_, inner)| inner),
            is_lasting: !exe.memfd && !exe.deleted,
            path: exe.path.clone(),
        };
        (plan.add(subject), exe)
    });
    let mut mapped = Vec::new();
    for file in files.mapped.iter_mut() {
        match file.kind {
            MappedKind::File | MappedKind::Memfd => {
                let subject = subject(process, &target, file, exe);
                mapped.push((plan.add(subject), file));
            }
            _ => file.content = Content::NONE,
        }
    }
    let answers = plan.carry_out(process.dir());
    let mut gaps = Gaps::default();
    let mut tell = |content: &mut Content, number: usize, prefix: &str| {
        let answer = &answers[number];
        *content = answer.content.clone();
        gaps.extend(answer.missing.iter().map(|(field, missing)| {
            Gap::new(format!("{prefix}.{field}"), missing.reason, missing.tried.clone())
        }));
    };
    if let Some((number, exe)) = program {
        tell(&mut exe.content, number, "process.exe");
    }
    mapped.into_iter().for_each(|(number, file)| tell(&mut file.content, number, "loadedLibs"));
    gaps
}

/// A mapped file and the ways to it: the kernel's link to the very file, and its name where that
/// still leads there.
fn subject(
    process: &ProcessHandle,
    target: &TargetRoot,
    file: &MappedFile,
    exe: Option<super::dir::FileId>,
) -> Subject {
    let known = file.file.as_ref().ok();
    let is_exe = exe.is_some_and(|exe| known.is_some_and(|file| file.is_same_file(&exe)));
    let may_be_named = file.is_named || (!file.deleted && file.kind == MappedKind::File);
    let name = may_be_named.then(|| target.way(&file.path)).flatten();
    let inner = name.as_ref().filter(|_| file.is_named).map(|(_, inner)| inner.clone());
    let name = name.map(|(dir, path)| Way::InRoot(dir, path));
    let range = file.link.as_ref();
    let link = range.map(|range| Way::Link(process.dir().clone(), format!("map_files/{range}")));
    let mut ways = Vec::new();
    if is_exe {
        ways.push(Way::Link(process.living().clone(), "exe".to_owned()));
    }
    let by_worth = if file.is_named { [name, link] } else { [link, name] };
    ways.extend(by_worth.into_iter().flatten());
    Subject {
        file: file.file.clone().map_err(Missing::from),
        ways,
        first: is_exe,
        inner,
        // What is written through a mapping changes a file and not always its times.
        is_lasting: file.kind == MappedKind::File && !file.deleted && !file.writes_through,
        path: file.path.clone(),
    }
}
