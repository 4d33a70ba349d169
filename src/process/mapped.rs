//! The files that a process has mapped: `/proc/<pid>/maps`, and `map_files` where it may be read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::dir::FileId;
use super::error::ReadError;
use super::handle::{Identity, ProcessHandle};
use super::parse::maps::{Mapping, mappings};
use super::parse::mountinfo::Mount;
use super::parse::{Device, Malformed};
use super::target_root::{Named, Printed, TargetRoot, unmarked};
use super::told::Content;
use crate::contract::{Gap, Gaps, Observed, Reason};

/// What stands behind a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MappedKind {
    /// A file with a name, or one that had one.
    File,
    /// Memory with a descriptor and no name (`memfd_create(2)`).
    Memfd,
    /// Shared memory of the kernel's own: System V segments and shared anonymous mappings.
    SharedMemory,
    /// A character or block device.
    Device,
    /// Another object of the kernel's, such as a socket's ring or `anon_inode:…`.
    KernelObject,
}

/// One file that is mapped, however many of its parts are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedFile {
    /// Its path as the kernel shows it, without the mark of a deleted file.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: MappedKind,
    /// Its device: `stat`'s where the file could be looked at, else what `maps` prints.
    pub device: Device,
    /// Its inode.
    pub inode: u64,
    /// Its size in bytes, where the file could be looked at.
    pub size: Option<u64>,
    /// Whether any part of it may be executed.
    pub executable: bool,
    /// Whether its name is gone.
    pub deleted: bool,
    /// Whether another file has its name now, and the old one is still what runs.
    pub replaced: bool,
    /// Where in the file its first executable part begins, in bytes, or its first part.
    pub offset: u64,
    /// What is in it, once that was asked for.
    pub content: Content,
    /// The file itself, or why it could not be looked at.
    pub(super) file: Result<FileId, ReadError>,
    /// The name in `map_files` of its first part, where that may be opened.
    pub(super) link: Option<String>,
    /// Whether its name leads to the very file.
    pub(super) is_named: bool,
    /// Whether the process can change it through a mapping.
    pub(super) writes_through: bool,
}

/// The mapped files of a process, by path.
///
/// The value is `None` where `maps` cannot be read at all.
#[must_use]
pub fn mapped_files(
    process: &ProcessHandle,
    identity: &Identity,
    mounts: &[Mount],
) -> Observed<Option<Vec<MappedFile>>> {
    match identity.no_memory() {
        _ if identity.kernel_thread => return Observed::whole(Some(Vec::new())),
        Some((reason, why)) => return Observed::partial(None, Gap::new(FIELD, reason, why)),
        None => {}
    }
    let mut gaps = Gaps::default();
    let bytes = match read_maps(process, &mut gaps) {
        Ok(bytes) => bytes,
        Err(error) => return Observed::partial(None, process.gap(FIELD, &error)),
    };
    let limit = process.dir().limits().mapped_files;
    let (groups, left_out) = group(&bytes, limit, &mut gaps);
    if left_out > 0 {
        let tried = format!("more than {limit} mapped files");
        gaps.push(Gap::new(FIELD, Reason::Budget, tried).times(left_out));
    }
    let mut describe = Describe::new(process, mounts, &mut gaps);
    let names: Vec<&[u8]> = groups.keys().map(|(_, text)| *text).collect();
    let found = describe.root.lookup_all(&names);
    let mut seen: Vec<_> =
        groups.iter().zip(found).map(|(file, found)| Seen::new(file, found)).collect();
    describe.prove(&mut seen);
    let mut files: Vec<_> = seen.into_iter().map(|seen| describe.file(seen)).collect();
    files.sort_by(|a, b| (&a.path, a.device, a.inode).cmp(&(&b.path, b.device, b.inode)));
    Observed { value: Some(files), gaps }
}

const FIELD: &str = "loadedLibs";
const PATH: &str = "loadedLibs.path";

/// Reads `maps`. A process that is ending shows an empty file for a moment before it is gone, so
/// emptiness is asked about once more. A file that was cut off ends with a whole line.
fn read_maps(process: &ProcessHandle, gaps: &mut Gaps) -> Result<Vec<u8>, ReadError> {
    let limit = process.dir().limits().maps;
    let mut contents = process.living().read("maps", limit)?;
    if contents.bytes.is_empty() {
        contents = process.living().read("maps", limit)?;
    }
    if contents.bytes.is_empty() {
        return Err(ReadError::gone(process.living().path().join("maps")));
    }
    if contents.cut {
        let whole = contents.bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        contents.bytes.truncate(whole);
        let tried = format!("maps is longer than {limit} bytes");
        gaps.push(Gap::new(FIELD, Reason::Budget, tried));
    }
    Ok(contents.bytes)
}

/// One file in `maps`: two files of one inode number on two file systems are two.
type Key<'a> = (Printed, &'a [u8]);

struct Group {
    first: (u64, u64),
    executable: bool,
    writes_through: bool,
    /// Where the first executable part begins in the file, or the first part.
    offset: u64,
}

/// One file as the kernel shows it.
struct Seen<'a> {
    printed: Printed,
    text: Cow<'a, [u8]>,
    group: &'a Group,
    /// What its name leads to.
    found: Result<FileId, ReadError>,
    /// Its identity through the link to the very file.
    proof: Option<FileId>,
}

impl<'a> Seen<'a> {
    fn new(
        (&(printed, text), group): (&Key<'a>, &'a Group),
        found: Result<FileId, ReadError>,
    ) -> Self {
        Self { printed, text: Cow::Borrowed(text), group, found, proof: None }
    }

    /// Whether its name leads to the very file: an inode that is mapped is not given to another one.
    fn is_proven(&self) -> bool {
        let Printed { device, inode } = self.printed;
        self.found.as_ref().is_ok_and(|file| (file.device, file.inode) == (device, inode))
    }
}

impl Group {
    /// The name in `map_files` of its first mapping.
    fn link(&self) -> String {
        let (start, end) = self.first;
        format!("{start:x}-{end:x}")
    }
}

fn group<'a>(bytes: &'a [u8], limit: usize, gaps: &mut Gaps) -> (BTreeMap<Key<'a>, Group>, u64) {
    let mut groups: BTreeMap<Key<'a>, Group> = BTreeMap::new();
    let mut left_out = 0;
    let malformed = |why: Malformed| Gap::new(FIELD, Reason::Malformed, format!("maps {why}"));
    for mapping in mappings(bytes) {
        let mapping: Mapping<'a> = match mapping {
            Ok(mapping) if mapping.is_file_backed() => mapping,
            Ok(_) => continue,
            Err(why) => {
                gaps.push(malformed(why));
                continue;
            }
        };
        let printed = Printed { device: mapping.device, inode: mapping.inode };
        let key = (printed, mapping.path);
        if let Some(group) = groups.get_mut(&key) {
            group.writes_through |= mapping.writes_through;
            if mapping.executable && !group.executable {
                (group.executable, group.offset) = (true, mapping.offset);
            }
        } else if groups.len() < limit {
            let Mapping { start, end, executable, writes_through, offset, .. } = mapping;
            let first = (start, end);
            groups.insert(key, Group { first, executable, writes_through, offset });
        } else {
            left_out += 1;
        }
    }
    (groups, left_out)
}

/// Finds out what each file is.
struct Describe<'a> {
    process: &'a ProcessHandle,
    mounts: &'a [Mount],
    gaps: &'a mut Gaps,
    root: TargetRoot,
    /// `map_files` needs a capability; one refusal is enough.
    map_files: Result<(), ReadError>,
}

impl<'a> Describe<'a> {
    fn new(process: &'a ProcessHandle, mounts: &'a [Mount], gaps: &'a mut Gaps) -> Self {
        Self { process, mounts, gaps, root: TargetRoot::of(process, mounts), map_files: Ok(()) }
    }

    fn file(&mut self, seen: Seen<'_>) -> MappedFile {
        let is_named = seen.is_proven();
        let Seen { printed, ref text, group, found, proof } = seen;
        let kind = kind(text, printed.device, self.mounts, proof);
        let named = match kind {
            MappedKind::File | MappedKind::Device => self.root.name(text, found, proof, printed),
            _ => Named::alive(unmarked(text), proof),
        };
        // What a link did not tell, the name may.
        let kind = match kind {
            MappedKind::File if named.file.is_some_and(|file| !file.regular) => MappedKind::Device,
            kind => kind,
        };
        let refused = named.doubt.as_ref().or(self.map_files.as_ref().err()).cloned();
        let refused = refused.unwrap_or_else(|| ReadError::missing(path_of(&named.path)));
        match (named.file, &named.doubt) {
            (None, _) if kind == MappedKind::File => {
                self.gaps.push(self.process.gap("loadedLibs.size", &refused));
            }
            (Some(_), Some(error)) => self.gaps.push(self.process.gap(PATH, error)),
            _ if named.elsewhere => {
                let tried =
                    String::from_utf8_lossy(&named.path).into_owned() + " leads to another file";
                self.gaps.push(Gap::new(PATH, Reason::Unsupported, tried));
            }
            _ => {}
        }
        MappedFile {
            kind,
            device: named.file.map_or(printed.device, |file| file.device),
            inode: named.file.map_or(printed.inode, |file| file.inode),
            size: named.file.map(|file| file.size),
            path: named.path.clone(),
            executable: group.executable,
            deleted: named.deleted,
            replaced: named.replaced,
            offset: group.offset,
            content: Content::default(),
            file: match (named.file, proof) {
                (Some(file), None)
                    if (file.device, file.inode) != (printed.device, printed.inode) =>
                {
                    Err(ReadError::unproven(path_of(&named.path)))
                }
                (file, _) => file.ok_or(refused),
            },
            link: self.map_files.is_ok().then(|| group.link()),
            is_named,
            writes_through: group.writes_through,
        }
    }

    /// Where the name alone proves nothing: the identity of the very file behind the first mapping,
    /// where the kernel tells.
    fn prove(&mut self, seen: &mut [Seen<'_>]) {
        let mut doubtful: Vec<&mut Seen<'_>> =
            seen.iter_mut().filter(|seen| !seen.is_proven()).collect();
        if doubtful.is_empty() {
            return;
        }
        let links: Vec<String> = doubtful.iter().map(|seen| seen.group.link()).collect();
        let proofs = match self.process.dir().identify_all("map_files", links) {
            Ok(proofs) => proofs,
            Err(error) => return self.refuse(error),
        };
        for (seen, proof) in doubtful.iter_mut().zip(proofs) {
            seen.proof = proof.map_err(|error| self.refuse(error)).ok();
            self.unescape(seen);
        }
    }

    /// Remembers the first refusal. That a mapping went away since, or that this tree has no such
    /// directory, is none.
    fn refuse(&mut self, error: ReadError) {
        if self.map_files.is_ok() && error.reason() != Reason::NotFound {
            self.map_files = Err(error);
        }
    }

    /// The kernel's text for a file with its newlines: `maps` escapes them, a link does not.
    fn unescape(&self, seen: &mut Seen<'_>) {
        let doubtful = seen.text.windows(4).any(|four| four == br"\012") && self.map_files.is_ok();
        let link = || self.process.dir().link(&format!("map_files/{}", seen.group.link()));
        if let Some(Ok(text)) = doubtful.then(link) {
            seen.found = self.root.lookup(&text);
            seen.text = Cow::Owned(text);
        }
    }
}

fn path_of(name: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(name))
}

/// What stands behind a name as the kernel prints it.
pub(super) fn kind(
    text: &[u8],
    device: Device,
    mounts: &[Mount],
    proof: Option<FileId>,
) -> MappedKind {
    let name = unmarked(text);
    // Memory without a file is marked and lies on a device that is in no mount table: the kernel's
    // mount for it is nobody's. A file that is only called so lies on one that is.
    let mounted = mounts.iter().any(|mount| mount.device == device);
    let unnamed = (name != text && !mounted).then_some(name);
    match unnamed {
        _ if text.first() != Some(&b'/') => MappedKind::KernelObject,
        Some(b"/secretmem") => MappedKind::Memfd,
        Some(name) if name.starts_with(b"/memfd:") => MappedKind::Memfd,
        Some(b"/dev/zero" | b"/anon_hugepage" | b"/drm mm object" | b"/i915") => {
            MappedKind::SharedMemory
        }
        Some(name) if name.starts_with(b"/SYSV") && name.len() == 13 => MappedKind::SharedMemory,
        Some(b"/[aio]") => MappedKind::KernelObject,
        _ if proof.is_some_and(|file| !file.regular) => MappedKind::Device,
        _ => MappedKind::File,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounted(major: u32, minor: u32) -> Mount {
        Mount {
            id: 1,
            device: Device { major, minor },
            root: b"/".to_vec(),
            mount_point: b"/".to_vec(),
            options: Vec::new(),
            fs_type: b"ext4".to_vec(),
            super_options: Vec::new(),
        }
    }

    // Pitfalls 5 and 6.
    #[test]
    fn memory_without_a_file_is_told_from_a_file_that_is_called_so() {
        let internal = Device { major: 0, minor: 1 };
        let disk = Device { major: 254, minor: 0 };
        let mounts = [mounted(254, 0)];
        let cases = [
            (&b"/memfd:x (deleted)"[..], internal, MappedKind::Memfd),
            (b"/memfd:x (deleted)", disk, MappedKind::File),
            (b"/SYSV00000000 (deleted)", internal, MappedKind::SharedMemory),
            (b"/secretmem (deleted)", internal, MappedKind::Memfd),
            (b"/i915 (deleted)", internal, MappedKind::SharedMemory),
            (b"/SYSV00000000 (deleted)", disk, MappedKind::File),
            (b"/dev/zero (deleted)", internal, MappedKind::SharedMemory),
            (b"/[aio] (deleted)", internal, MappedKind::KernelObject),
            (b"anon_inode:[perf_event]", internal, MappedKind::KernelObject),
            (b"socket:[42]", internal, MappedKind::KernelObject),
            (b"/tmp/.cache/libhook.so (deleted)", internal, MappedKind::File),
            (b"/usr/lib/libc.so.6", disk, MappedKind::File),
        ];
        for (text, device, expected) in cases {
            assert_eq!(kind(text, device, &mounts, None), expected, "{}", text.escape_ascii());
        }
    }
}
