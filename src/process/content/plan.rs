//! Which files are read, and for what: decided before the first byte is.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::cache::{Key, Known};
use super::layers::Layers;
use super::read::{Job, Outcome, Way};
use super::{Amount, ContentRequest};
use crate::contract::{Digest, Reason};
use crate::process::crew;
use crate::process::dir::{Access, FileId, ProcDir};
use crate::process::error::ReadError;
use crate::process::parse::Device;
use crate::process::parse::elf::{Doubt, Elf, Field, Why};
use crate::process::told::{Content, Told, reason_of};

/// A file whose content is asked for.
pub(super) struct Subject {
    pub(super) file: Result<FileId, Missing>,
    /// How it may be reached; each way is held against the file's identity, so the quickest stands first.
    pub(super) ways: Vec<Way>,
    /// Whether it goes before the others: the executable.
    pub(super) first: bool,
    /// Its name below the process's root, where that leads to it.
    pub(super) inner: Option<Vec<u8>>,
    /// Whether it may be remembered.
    pub(super) is_lasting: bool,
    /// Its name, for those who read about it.
    pub(super) path: Vec<u8>,
}

/// Why something is not known, and what was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) reason: Reason,
    pub(super) tried: String,
}

impl Missing {
    pub(super) fn new(reason: Reason, path: &[u8]) -> Self {
        Self { reason, tried: String::from_utf8_lossy(path).into_owned() }
    }
}

impl From<ReadError> for Missing {
    fn from(error: ReadError) -> Self {
        Self::new(error.reason(), error.path().as_os_str().as_encoded_bytes())
    }
}

/// What came of a subject: its content, and by field what is missing of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) content: Content,
    pub(super) missing: Vec<(&'static str, Missing)>,
}

/// One file, however many subjects ask for it.
struct Entry {
    subject: Subject,
    key: Option<Key>,
    elf: Option<Told<Arc<Elf>>>,
    digest: Option<Told<Digest>>,
    missing: Vec<(&'static str, Missing)>,
}

/// What is asked for, and what is known of it already.
pub(super) struct Plan<'a> {
    layers: Layers<'a>,
    request: &'a ContentRequest<'a>,
    /// The files, each once, however many names it has.
    files: Vec<Subject>,
    /// By identity, so that a file is read once.
    known: HashMap<(Device, u64), usize>,
    /// Which file answers which subject.
    subjects: Vec<usize>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(layers: Layers<'a>, request: &'a ContentRequest<'a>) -> Self {
        let (files, known, subjects) = (Vec::new(), HashMap::new(), Vec::new());
        Self { layers, request, files, known, subjects }
    }

    /// Adds a file and tells the number of its answer.
    pub(super) fn add(&mut self, subject: Subject) -> usize {
        let number = self.subjects.len();
        let identity = subject.file.as_ref().ok().map(|file| (file.device, file.inode));
        let seen = identity.and_then(|identity| self.known.get(&identity).copied());
        let file = match seen.and_then(|file| Some((file, self.files.get_mut(file)?))) {
            Some((number, file)) => {
                file.ways.extend(subject.ways);
                file.first |= subject.first;
                file.is_lasting &= subject.is_lasting;
                number
            }
            None => {
                self.known.extend(identity.map(|identity| (identity, self.files.len())));
                self.files.push(subject);
                self.files.len() - 1
            }
        };
        self.subjects.push(file);
        number
    }

    /// Reads what is not known yet, as far as the budget goes.
    pub(super) fn carry_out(mut self, dir: &ProcDir) -> Vec<Answer> {
        let files = std::mem::take(&mut self.files);
        let entries = files.into_iter().map(|subject| self.entry(subject)).collect();
        let mut reading = Reading { request: self.request, entries };
        reading.refuse_what_cannot_be_opened();
        let order = reading.within_budget();
        reading.read(dir, &order);
        let answers: Vec<Answer> = reading.entries.iter().map(Entry::answer).collect();
        self.subjects.iter().map(|&file| answers[file].clone()).collect()
    }

    /// What is known of a file before it is opened.
    fn entry(&self, subject: Subject) -> Entry {
        let key = self.key(&subject);
        let known = key.and_then(|key| self.request.cache.get(&key));
        let digest = match self.request.digest {
            None => Some(Told::NotAsked),
            Some(algorithm) => {
                let digest = known.as_ref().and_then(|known| known.digest(algorithm));
                digest.map(|digest| {
                    self.request.cache.count_known_digest();
                    Told::Known(digest)
                })
            }
        };
        let elf = match self.request.headers || digest.is_none() {
            true => known.map(|known| known.elf.map_or(Told::None, Told::Known)),
            false => Some(Told::NotAsked),
        };
        Entry { subject, key, elf, digest, missing: Vec::new() }
    }

    /// What a file is remembered by, if it may be.
    fn key(&self, subject: &Subject) -> Option<Key> {
        let file = subject.file.as_ref().ok().filter(|_| subject.is_lasting)?;
        Key::is_settled(file).then(|| self.layers.key(file, subject.inner.as_deref()))?
    }
}

/// The files that are being read.
struct Reading<'a> {
    request: &'a ContentRequest<'a>,
    entries: Vec<Entry>,
}

impl Reading<'_> {
    fn refuse_what_cannot_be_opened(&mut self) {
        let field = self.request.digest_field();
        for entry in &mut self.entries {
            if let Err(missing) = entry.subject.file.clone() {
                entry.lack_elf(missing.clone());
                entry.lack_digest(field, missing);
            }
        }
    }

    /// The entries that are to be read, in order; those that do not get a digest are told why.
    fn within_budget(&mut self) -> Vec<usize> {
        let request = self.request;
        let size = |entry: &Entry| entry.subject.file.as_ref().map_or(0, |file| file.size);
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(|&number| {
            let entry = &self.entries[number];
            (!entry.subject.first, size(entry), number)
        });
        let (mut files, mut bytes) = (request.budget.files, request.budget.bytes);
        let field = request.digest_field();
        for &number in &order {
            let entry = &mut self.entries[number];
            if entry.digest.is_some() {
                continue;
            }
            match (files.checked_sub(1), bytes.checked_sub(size(entry))) {
                (Some(files_left), Some(bytes_left)) => (files, bytes) = (files_left, bytes_left),
                _ => {
                    let missing = Missing::new(Reason::Budget, &entry.subject.path);
                    entry.lack_digest(field, missing);
                }
            }
        }
        order.retain(|&number| self.entries[number].is_open());
        order
    }

    fn read(&mut self, dir: &ProcDir, order: &[usize]) {
        let jobs: Vec<Job> = order.iter().map(|&number| self.job(number)).collect();
        let hashed = jobs.iter().filter(|job| job.digest.is_some());
        let of = hashed.fold(Amount::default(), |sum, job| Amount {
            files: sum.files + 1,
            bytes: sum.bytes.saturating_add(job.file.size),
        });
        let mut done = Amount::default();
        let (progress, cache) = (self.request.progress, self.request.cache);
        let field = self.request.digest_field();
        let entries = &mut self.entries;
        let pace = dir.pace(jobs.len());
        let left = crew::work(jobs, &pace, Job::carry_out, |number, outcome: Outcome| {
            if outcome.digest.is_some() {
                done.files += 1;
                done.bytes = done.bytes.saturating_add(outcome.hashed);
                cache.count_hashed(outcome.hashed);
                progress.at(done, of);
            }
            let entry = &mut entries[order[number]];
            dir.note(outcome.access(&entry.subject.path));
            let is_stable = outcome.is_stable;
            entry.take(outcome, field);
            if let (Some(key), Some(known)) = (entry.key, entry.known().filter(|_| is_stable)) {
                cache.put(key, known);
            }
        });
        for number in left {
            let entry = &mut self.entries[order[number]];
            let missing = Missing::new(Reason::Timeout, &entry.subject.path);
            entry.lack_elf(missing.clone());
            entry.lack_digest(field, missing);
        }
    }

    fn job(&mut self, number: usize) -> Job {
        let entry = &mut self.entries[number];
        let no_file = FileId::default();
        Job {
            ways: std::mem::take(&mut entry.subject.ways),
            file: entry.subject.file.as_ref().copied().unwrap_or(no_file),
            elf: entry.elf.is_none(),
            digest: self.request.digest.filter(|_| entry.digest.is_none()),
        }
    }
}

impl Entry {
    fn is_open(&self) -> bool {
        self.elf.is_none() || self.digest.is_none()
    }

    fn lack_elf(&mut self, missing: Missing) {
        if self.elf.is_none() {
            self.elf = Some(Told::Unknown(missing.reason));
            self.missing.push(("buildId", missing));
        }
    }

    fn lack_digest(&mut self, field: Option<&'static str>, missing: Missing) {
        if let (None, Some(field)) = (&self.digest, field) {
            self.digest = Some(Told::Unknown(missing.reason));
            self.missing.push((field, missing));
        }
    }

    fn take(&mut self, outcome: Outcome, digest_field: Option<&'static str>) {
        match outcome.elf {
            Some(Ok(elf)) => self.elf = Some(elf.map_or(Told::None, Told::Known)),
            Some(Err(reason)) => self.lack_elf(Missing::new(reason, &self.subject.path)),
            None => {}
        }
        match outcome.digest {
            Some(Ok(digest)) => self.digest = Some(Told::Known(digest)),
            Some(Err(reason)) => {
                let missing = Missing::new(reason, &self.subject.path);
                self.lack_digest(digest_field, missing);
            }
            None => {}
        }
    }

    /// What may be remembered of it.
    fn known(&self) -> Option<Known> {
        let elf = match self.elf.as_ref()? {
            Told::Known(elf) => Some(Arc::clone(elf)),
            Told::None => None,
            Told::Unknown(_) | Told::NotAsked => return None,
        };
        // What could not be read this time may be the next.
        let passing = |doubt: &Doubt| doubt.why == Why::Unreadable;
        if elf.as_ref().is_some_and(|elf| elf.doubts.iter().any(passing)) {
            return None;
        }
        let digest = self.digest.as_ref().and_then(Told::known);
        Some(Known::new(elf, digest))
    }

    fn answer(&self) -> Answer {
        let content = Content {
            elf: self.elf.clone().unwrap_or_default(),
            digest: self.digest.clone().unwrap_or_default(),
        };
        let mut missing = self.missing.clone();
        let doubts = content.elf.known().map(|elf| elf.doubts.as_slice()).unwrap_or_default();
        missing.extend(doubts.iter().map(|doubt| self.doubt(doubt)));
        Answer { content, missing }
    }

    /// What a file's own headers leave open.
    fn doubt(&self, doubt: &Doubt) -> (&'static str, Missing) {
        let field = match doubt.field {
            Field::BuildId => "buildId",
            Field::Soname => "soname",
            Field::Interpreter => "interpreter",
            Field::Linkage => "linkage",
            Field::Libc => "libc",
            Field::Go => "go",
            Field::Package => "packages",
        };
        (field, Missing::new(reason_of(doubt.why), &self.subject.path))
    }
}

impl Outcome {
    /// The reading, for those who want to know what it rests on.
    fn access(&self, path: &[u8]) -> Access {
        use std::os::unix::ffi::OsStringExt;
        let path = PathBuf::from(std::ffi::OsString::from_vec(path.to_vec()));
        let failed = [
            self.elf.as_ref().and_then(|elf| elf.as_ref().err()),
            self.digest.as_ref().and_then(|digest| digest.as_ref().err()),
        ];
        let failed = failed.into_iter().flatten().next().copied();
        let took: Duration = self.took;
        Access { path, took, outcome: failed.map_or(Ok(self.bytes), Err) }
    }
}
