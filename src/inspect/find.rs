//! Who has a file mapped now: every process is asked, by what identifies the file.

use std::collections::BTreeSet;

use globset::{Glob, GlobBuilder, GlobMatcher};

use super::node::{Searched, each_of, each_process};
use super::pid::LoadedObservation;
use crate::contract::{BuildId, Digest, Gap, Gaps, Observed, Reason, Sha256, Workload};
use crate::limits::DigestBudget;
use crate::process::{
    Algorithm, Content, ContentCache, ContentRequest, Files, MappedFile, Mount, ProcRoot,
    ProcessHandle, Progress, Told, read_contents,
};

/// The fewest digits of a digest or build-id that are looked for.
const DIGITS_MIN: usize = 8;

/// What is looked for.
#[derive(Clone, Debug)]
pub enum Query {
    /// The beginning of a SHA-256 digest.
    Sha256(String),
    /// The beginning of a build-id.
    BuildId(String),
    /// A SONAME.
    Soname(String),
    /// A pattern of paths, or of names where it has no slash.
    Path(Pattern),
}

/// A pattern that was written as one.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    matcher: GlobMatcher,
}

/// A query that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    /// It names no kind.
    #[error("expected sha256:HEX, build-id:HEX, soname:NAME or path:GLOB")]
    Kind,
    /// It has too few digits, too many, or other characters.
    #[error("expected at least {DIGITS_MIN} hexadecimal digits behind {0}:")]
    Digits(&'static str),
    /// Nothing stands behind the colon.
    #[error("nothing stands behind {0}:")]
    Empty(&'static str),
    /// The pattern cannot be read.
    #[error("{0}")]
    Pattern(String),
}

impl Query {
    /// Reads `KIND:VALUE`.
    ///
    /// # Errors
    ///
    /// [`BadQuery`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadQuery> {
        let (kind, value) = text.split_once(':').ok_or(BadQuery::Kind)?;
        match kind {
            "sha256" => digits(value, 64).map(Self::Sha256).ok_or(BadQuery::Digits("sha256")),
            "build-id" => {
                digits(value, usize::MAX).map(Self::BuildId).ok_or(BadQuery::Digits("build-id"))
            }
            "soname" if value.is_empty() => Err(BadQuery::Empty("soname")),
            "soname" => Ok(Self::Soname(value.to_owned())),
            "path" if value.is_empty() => Err(BadQuery::Empty("path")),
            "path" => Pattern::new(value).map(Self::Path),
            _ => Err(BadQuery::Kind),
        }
    }

    /// `sha256`, `build-id`, `soname` or `path`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::BuildId(_) => "build-id",
            Self::Soname(_) => "soname",
            Self::Path(_) => "path",
        }
    }

    /// What stands behind the colon.
    #[must_use]
    pub fn value(&self) -> &str {
        match self {
            Self::Sha256(text) | Self::BuildId(text) | Self::Soname(text) => text,
            Self::Path(pattern) => &pattern.text,
        }
    }

    fn matches(&self, file: &MappedFile) -> bool {
        let elf = || file.content.elf.known();
        match self {
            Self::Sha256(_) | Self::BuildId(_) => {
                self.full(file).is_some_and(|full| full.starts_with(self.value()))
            }
            Self::Soname(name) => {
                elf().and_then(|elf| elf.soname.as_deref()) == Some(name.as_bytes())
            }
            Self::Path(pattern) => pattern.matches(&file.path),
        }
    }

    /// The whole of what a query has the beginning of.
    fn full(&self, file: &MappedFile) -> Option<String> {
        match self {
            Self::Sha256(_) => file.content.digest.known().map(Digest::hex),
            Self::BuildId(_) => file.content.build_id().known().map(BuildId::to_string),
            Self::Soname(_) | Self::Path(_) => None,
        }
    }

    /// The whole of what a query has the beginning of.
    fn id(&self, build: &Build) -> Option<String> {
        match self {
            Self::Sha256(_) => build.sha256.known().map(Sha256::to_string),
            Self::BuildId(_) => build.build_id.known().map(BuildId::to_string),
            Self::Soname(_) | Self::Path(_) => None,
        }
    }

    /// What must be known of every file.
    fn request<'a>(&self, looking: &Looking<'a>) -> ContentRequest<'a> {
        ContentRequest {
            headers: matches!(self, Self::BuildId(_) | Self::Soname(_)),
            digest: matches!(self, Self::Sha256(_)).then_some(Algorithm::Sha256),
            budget: DigestBudget::COMMAND,
            cache: looking.cache,
            progress: looking.progress,
        }
    }

    /// Whether a gap leaves open that there is a match.
    fn hangs_on(&self, gap: &Gap) -> bool {
        let field = match self {
            Self::Sha256(_) => SHA256,
            Self::BuildId(_) | Self::Soname(_) => "loadedLibs.buildId",
            Self::Path(_) => "loadedLibs.path",
        };
        let soname = matches!(self, Self::Soname(_)) && gap.field == "loadedLibs.soname";
        matches!(gap.field.as_str(), "processes" | "loadedLibs") || gap.field == field || soname
    }
}

const SHA256: &str = "loadedLibs.sha256";

fn digits(text: &str, most: usize) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let fits = (DIGITS_MIN..=most).contains(&lower.len());
    (fits && lower.bytes().all(|b| b.is_ascii_hexdigit())).then_some(lower)
}

impl Pattern {
    fn new(text: &str) -> Result<Self, BadQuery> {
        let glob: Result<Glob, _> =
            GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
        let glob = glob.map_err(|error| BadQuery::Pattern(error.kind().to_string()))?;
        Ok(Self { text: text.to_owned(), matcher: glob.compile_matcher() })
    }

    fn matches(&self, path: &[u8]) -> bool {
        use std::os::unix::ffi::OsStrExt;
        let whole = self.text.contains('/');
        let name = path.rsplit(|&b| b == b'/').next().filter(|_| !whole).unwrap_or(path);
        self.matcher.is_match(std::ffi::OsStr::from_bytes(name))
    }
}

/// What a search needs besides the query.
#[derive(Clone, Copy, Debug)]
pub struct Looking<'a> {
    /// What is known of files already.
    pub cache: &'a ContentCache,
    /// Who is told how far it is.
    pub progress: &'a dyn Progress,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// How many processes were asked.
    pub searched: Searched,
    /// The files, by build and then by path.
    pub builds: Vec<Build>,
}

/// One file by its content, and who has it mapped.
#[derive(Clone, Debug)]
pub struct Build {
    /// Its build-id.
    pub build_id: Told<BuildId>,
    /// Its digest.
    pub sha256: Told<Sha256>,
    /// Its SONAME.
    pub soname: Option<Vec<u8>>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Who has it mapped, by pid.
    pub mappings: Vec<Holder>,
}

/// A process that has a file mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its pid.
    pub pid: u32,
    /// Its name.
    pub comm: Vec<u8>,
    /// Where it belongs.
    pub workload: Workload,
    /// The file's path there.
    pub path: Vec<u8>,
    /// Whether that name is gone.
    pub deleted: bool,
    /// Whether another file has that name now, and the old one is still mapped.
    pub replaced: bool,
}

impl Found {
    /// The different ids that a query has the beginning of: more than one, and it was too short.
    #[must_use]
    pub fn candidates(&self, query: &Query) -> BTreeSet<String> {
        self.builds.iter().filter_map(|build| query.id(build)).collect()
    }
}

/// Asks every process. The gaps are those that leave open whether there is more; what ended meanwhile
/// is not there any more and leaves nothing open.
///
/// Of a digest, files that are too large for a command's budget are read last, so that one huge file
/// cannot keep the others from being found.
#[must_use]
pub fn find(root: &ProcRoot, query: &Query, looking: &Looking<'_>) -> Observed<Found> {
    let mut search = Search { root, query, looking, builds: Vec::new(), of_hits: Gaps::default() };
    let mut large = BTreeSet::new();
    let ordinary = query.request(looking);
    let first = each_process(root, &ordinary, |handle, seen| {
        large.extend(has_large(&seen).then(|| handle.pid()));
        search.take(handle, seen);
    });
    let Observed { value: searched, gaps: mut all } = first;
    let mut gaps = Gaps::default();
    let open = |gap: &Gap| query.hangs_on(gap);
    if !large.is_empty() {
        let left_out = |gap: &Gap| gap.reason == Reason::Budget && gap.field == SHA256;
        gaps.extend(all.into_iter().filter(|gap| open(gap) && !left_out(gap)));
        let budget = DigestBudget { files: usize::MAX, bytes: u64::MAX };
        let request = ContentRequest { budget, ..ordinary };
        let pids: Vec<u32> = large.into_iter().collect();
        let second = each_of(root, &pids, &request, |handle, seen| search.take(handle, seen));
        all = second.gaps;
    }
    gaps.extend(all.into_iter().filter(open));
    gaps.extend(std::mem::take(&mut search.of_hits));
    let gaps = super::pid::advise(gaps, root.own_capabilities());
    Observed { value: Found { searched, builds: search.builds() }, gaps }
}

/// Whether the budget left out a file.
fn has_large(seen: &LoadedObservation) -> bool {
    let mut files = seen.mapped.iter().flatten();
    files.any(|file| file.content.digest.unknown() == Some(Reason::Budget))
}

/// A search that goes on.
struct Search<'a> {
    root: &'a ProcRoot,
    query: &'a Query,
    looking: &'a Looking<'a>,
    builds: Vec<Build>,
    /// What is missing of what was found.
    of_hits: Gaps,
}

impl Search<'_> {
    fn take(&mut self, handle: &ProcessHandle, seen: LoadedObservation) {
        let mapped = seen.mapped.unwrap_or_default();
        let hits = mapped.into_iter().filter(|file| self.query.matches(file)).collect();
        let workload = super::event::workload(&seen.membership, &seen.identity);
        for file in self.complete(handle, hits, &seen.membership.mounts) {
            let holder = Holder {
                pid: seen.identity.pid,
                comm: seen.identity.comm.clone(),
                workload: workload.clone(),
                path: file.path.clone(),
                deleted: file.deleted,
                replaced: file.replaced,
            };
            self.add(&file, holder);
        }
    }

    /// Reads what the search itself did not need, and keeps what it found.
    fn complete(
        &mut self,
        handle: &ProcessHandle,
        mut hits: Vec<MappedFile>,
        mounts: &[Mount],
    ) -> Vec<MappedFile> {
        if hits.iter().all(|file| file.content.digest != Told::NotAsked) {
            return hits;
        }
        let found: Vec<Content> = hits.iter().map(|file| file.content.clone()).collect();
        let show = ContentRequest::digests(self.looking.cache, Algorithm::Sha256);
        let files = Files { exe: None, mapped: &mut hits, mounts };
        self.of_hits.extend(read_contents(self.root, handle, files, &show));
        for (file, found) in hits.iter_mut().zip(found) {
            if found.elf.known().is_some() {
                file.content.elf = found.elf;
            }
        }
        hits
    }

    fn add(&mut self, file: &MappedFile, holder: Holder) {
        let sha256 = match &file.content.digest {
            Told::Known(digest) => digest.sha256().map_or(Told::None, Told::Known),
            Told::Unknown(reason) => Told::Unknown(*reason),
            Told::None => Told::None,
            Told::NotAsked => Told::NotAsked,
        };
        let build_id = file.content.build_id();
        // Without a digest two files cannot be told to be one, so each path is one.
        let same = |build: &&mut Build| match (build.sha256.known(), sha256.known()) {
            (Some(theirs), Some(ours)) => theirs == ours,
            (None, None) => {
                let alike = (&build.build_id, build.size) == (&build_id, file.size);
                alike && build.mappings.iter().any(|mapping| mapping.path == holder.path)
            }
            _ => false,
        };
        match self.builds.iter_mut().find(same) {
            Some(build) if build.mappings.contains(&holder) => {}
            Some(build) => build.mappings.push(holder),
            None => self.builds.push(Build {
                build_id,
                sha256,
                soname: file.content.elf.known().and_then(|elf| elf.soname.clone()),
                size: file.size,
                mappings: vec![holder],
            }),
        }
    }

    /// What was found, in order. A whole id wins over those that only begin so.
    fn builds(self) -> Vec<Build> {
        let Self { query, mut builds, .. } = self;
        let is_whole = |build: &Build| query.id(build).is_some_and(|id| id == query.value());
        if builds.iter().any(is_whole) {
            builds.retain(is_whole);
        }
        builds.iter_mut().for_each(|build| build.mappings.sort_by_key(|holder| holder.pid));
        builds.sort_by(|a, b| order(a).cmp(&order(b)));
        builds
    }
}

/// By the first path and pid, so that two runs tell the same in the same order.
fn order(build: &Build) -> Option<(&[u8], u32)> {
    build.mappings.first().map(|mapping| (mapping.path.as_slice(), mapping.pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_a_kind_and_a_value() {
        let upper = Query::parse("build-id:8F2B41C09D31").unwrap();
        assert_eq!((upper.kind(), upper.value()), ("build-id", "8f2b41c09d31"));
        let colon = Query::parse("soname:a:b").unwrap();
        assert_eq!((colon.kind(), colon.value()), ("soname", "a:b"));
        let bad = [
            ("", BadQuery::Kind),
            ("libssl.so.3", BadQuery::Kind),
            ("md5:00000000", BadQuery::Kind),
            ("sha256:1234567", BadQuery::Digits("sha256")),
            ("sha256:1234567g", BadQuery::Digits("sha256")),
            ("build-id:", BadQuery::Digits("build-id")),
            ("soname:", BadQuery::Empty("soname")),
            ("path:", BadQuery::Empty("path")),
        ];
        for (text, expected) in bad {
            assert_eq!(Query::parse(text).unwrap_err(), expected, "{text}");
        }
        let long = format!("sha256:{}", "0".repeat(65));
        assert_eq!(Query::parse(&long).unwrap_err(), BadQuery::Digits("sha256"));
        assert!(Query::parse(&long[..long.len() - 1]).is_ok());
        assert!(matches!(Query::parse("path:a[").unwrap_err(), BadQuery::Pattern(_)));
    }

    #[test]
    fn a_pattern_without_a_slash_is_of_names_and_a_star_stops_at_one() {
        let cases: [(&str, &[u8], bool); 8] = [
            ("libssl.so*", b"/usr/lib/libssl.so.3", true),
            ("libssl.so*", b"/usr/libssl.so/x", false),
            ("/usr/*/libssl.so.3", b"/usr/lib/libssl.so.3", true),
            ("/usr/*/libssl.so.3", b"/usr/lib/x86_64/libssl.so.3", false),
            ("/usr/**/libssl.so.3", b"/usr/lib/x86_64/libssl.so.3", true),
            ("**/*.so", b"/x/\xff.so", true),
            ("*.so", b"/x/\xff.so", true),
            (r"a\*.so", b"/x/a*.so", true),
        ];
        for (pattern, path, matches) in cases {
            let pattern = Pattern::new(pattern).unwrap();
            assert_eq!(pattern.matches(path), matches, "{} {}", pattern.text, path.escape_ascii());
        }
    }
}
