//! A proc tree that a test writes byte by byte.
//!
//! Each process begins as an ordinary one of the host: a test changes what it is about. Symbolic
//! links stand for proc's magic ones, so a link's text is the path that it leads to.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zastava::contract::Observed;
use zastava::inspect::{self, ProcessObservation};
use zastava::limits::{Deadline, ReadLimits};
use zastava::process::{Asked, ContentCache, ContentRequest, Error, ProcRoot, ProcessHandle};

/// A tree, deleted when it is dropped.
#[derive(Debug)]
pub(crate) struct ProcTree {
    dir: TempDir,
}

/// One process in a tree.
#[derive(Clone, Debug)]
pub(crate) struct ProcessFiles<'a> {
    _tree: &'a ProcTree,
    dir: PathBuf,
}

/// The inodes of the initial namespaces.
const HOST: [(&str, u64); 8] = [
    ("mnt", 4_026_531_832),
    ("net", 4_026_531_833),
    ("time", 4_026_531_834),
    ("cgroup", 4_026_531_835),
    ("pid", 4_026_531_836),
    ("user", 4_026_531_837),
    ("uts", 4_026_531_838),
    ("ipc", 4_026_531_839),
];

impl ProcTree {
    /// A tree of a machine that booted at 2025-11-24T00:00:00Z, with `/app` in its root and an init.
    pub(crate) fn new() -> Self {
        let tree = Self { dir: tempfile::tempdir().unwrap() };
        tree.file("stat", b"cpu  1 2 3\nbtime 1763942400\n");
        tree.file("sys/kernel/hostname", b"node-1\n");
        tree.file("sys/kernel/osrelease", b"6.18.0-test\n");
        tree.file("sys/kernel/arch", b"x86_64\n");
        tree.file("sys/kernel/random/boot_id", b"0d52994e-5eab-4f0e-9a3d-0123456789ab\n");
        tree.rootfs_file("app", b"the program");
        tree.process(1).stat("init", b'S', 0, 1);
        symlink("1", tree.path().join("self")).unwrap();
        tree
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file of the tree.
    pub(crate) fn file(&self, name: &str, content: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The root directory of the tree's processes.
    pub(crate) fn rootfs(&self) -> PathBuf {
        self.path().join("rootfs")
    }

    /// Writes a file into the root directory of the tree's processes.
    pub(crate) fn rootfs_file(&self, name: &str, content: &[u8]) -> PathBuf {
        self.file(&format!("rootfs/{name}"), content);
        self.rootfs().join(name)
    }

    /// A path of the tree's processes as the kernel prints it: their root is no real one, so names
    /// begin with it, as those of a `chroot` do.
    pub(crate) fn name(&self, path: &str) -> String {
        format!("{}{path}", self.rootfs().display())
    }

    /// Adds a process of the host.
    pub(crate) fn process(&self, pid: u32) -> ProcessFiles<'_> {
        let files = ProcessFiles { _tree: self, dir: self.path().join(pid.to_string()) };
        let status = format!(
            "Name:\tapp\nTgid:\t{pid}\nPid:\t{pid}\nUid:\t0\t1000\t0\t0\nGid:\t0\t100\t0\t0\nNSpid:\t{pid}\n\
             CapEff:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\n"
        );
        for (kind, id) in HOST {
            files.link(&format!("ns/{kind}"), &format!("{kind}:[{id}]"));
        }
        for table in ["tcp", "tcp6", "udp", "udp6", "unix"] {
            files.file(&format!("net/{table}"), b"head\n");
        }
        let rootfs = self.rootfs();
        let (rootfs, app) = (rootfs.to_str().unwrap(), self.rootfs().join("app"));
        files
            .stat("app", b'S', 1, 100)
            .file("status", status.as_bytes())
            .file("cmdline", b"/app\0--serve\0")
            .file("cgroup", b"0::/\n")
            .file("mountinfo", b"1 0 254:0 / / rw - ext4 /dev/vda rw\n")
            .file("maps", &map_line(&app, &self.name("/app")))
            .file("fd/.keep", b"")
            .link("root", rootfs)
            .link("exe", app.to_str().unwrap())
    }

    /// Opens the tree.
    pub(crate) fn root(&self, limits: ReadLimits) -> ProcRoot {
        ProcRoot::open(self.path(), limits, Deadline::never()).unwrap()
    }

    /// Observes a process with the ordinary limits.
    pub(crate) fn observe(&self, pid: u32) -> Observed<ProcessObservation> {
        self.try_observe(pid, ReadLimits::default()).unwrap()
    }

    /// Observes a process.
    pub(crate) fn try_observe(
        &self,
        pid: u32,
        limits: ReadLimits,
    ) -> Result<Observed<ProcessObservation>, Error> {
        let root = self.root(limits);
        let handle = ProcessHandle::open(&root, Asked::Pid(pid))?;
        Ok(inspect::process(&root, &handle, &ContentRequest::headers(&ContentCache::default())))
    }
}

impl ProcessFiles<'_> {
    /// Writes `stat`: name, state, parent and start, and what the kernel would put between.
    pub(crate) fn stat(&self, comm: &str, state: u8, ppid: u32, start: u64) -> Self {
        let (pid, state) =
            (self.dir.file_name().unwrap().to_str().unwrap().to_owned(), char::from(state));
        let line = format!(
            "{pid} ({comm}) {state} {ppid} {pid} {pid} 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 {start} 0 0\n"
        );
        self.file("stat", line.as_bytes())
    }

    /// Writes a file.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> Self {
        let path = self.dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _absent = fs::remove_file(&path);
        fs::write(path, content).unwrap();
        self.clone()
    }

    /// Puts a FIFO in place of a file: opening it waits for somebody who writes.
    pub(crate) fn fifo(&self, name: &str) -> Self {
        let path = self.dir.join(name);
        let _absent = fs::remove_file(&path);
        let mode = rustix::fs::Mode::from_raw_mode(0o644);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        self.clone()
    }

    /// Makes a symbolic link.
    pub(crate) fn link(&self, name: &str, text: &str) -> Self {
        let path = self.dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _absent = fs::remove_file(&path);
        symlink(text, path).unwrap();
        self.clone()
    }

    /// Takes a file or link away.
    pub(crate) fn without(&self, name: &str) -> Self {
        fs::remove_file(self.dir.join(name)).unwrap();
        self.clone()
    }

    /// Gives the process namespaces of its own.
    pub(crate) fn own_namespaces(&self, kinds: &[&str]) -> Self {
        kinds.iter().zip(4_026_532_001_u64..).for_each(|(kind, id)| {
            self.link(&format!("ns/{kind}"), &format!("{kind}:[{id}]"));
        });
        self.clone()
    }

    /// The path of one of its files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// A line of `maps` for a file of the machine, under another name.
pub(crate) fn map_line(file: &Path, name: &str) -> Vec<u8> {
    let meta = fs::metadata(file).unwrap();
    let (major, minor) = (rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
    let inode = meta.ino();
    format!("1000-2000 r-xp 00000000 {major:02x}:{minor:02x} {inode}    {name}\n").into_bytes()
}

/// What was not seen, as `field: reason`, in order.
pub(crate) fn gaps<T>(observed: &Observed<T>) -> Vec<String> {
    observed.gaps.as_slice().iter().map(|gap| format!("{}: {}", gap.field, gap.reason)).collect()
}
