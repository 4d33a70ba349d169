//! Every live process of this machine, read by us and by somebody else.
//!
//! The expected values come from other readers only: `ls -l`, `ss` and a Python script
//! (`tests/fixtures/differential.py`) that shares nothing with the library, and the crate `procfs`
//! for the numbers. Compared are who a process is, its arguments, cgroups, namespaces, ancestors,
//! executable, mapped files and mounts, and the sockets that wait in its network namespace.
//!
//! A process changes while it is read, so the other reader is asked before and after us, and only
//! what is the same both times is compared. What the other reader is refused must be a gap of ours.
//! The tests start processes with awkward names themselves and demand that these were compared.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed assumption in a test should panic"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug, Write as _};
use std::io::{BufRead, BufReader, Write as _};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use zastava::contract::{Gaps, Observed, Reason};
use zastava::inspect::{self, ProcessObservation};
use zastava::limits::{Deadline, ReadLimits};
use zastava::process::{
    Address, Asked, ContentCache, ContentRequest, Device, Executable, Identity, Listener,
    MappedFile, MappedKind, ProcRoot, ProcessHandle,
};

const SCRIPT: &str = include_str!("../fixtures/differential.py");

/// How often a process is read again that changed meanwhile, or seemed to differ: a child between
/// its fork and its exec is seen by one reader and not by the other. A real difference stays.
const TRIES: usize = 5;

#[test]
fn every_live_process_is_read_as_ls_and_python_read_it() {
    let crowd = Crowd::gather();
    let mut oracle = Oracle::start();
    let root = proc_root();
    let tally = Tally::over(live_pids(), |pid| {
        let before: Option<View> = oracle.ask(&format!("view {pid}"));
        let ours = observe(&root, pid);
        let after = oracle.ask(&format!("view {pid}"));
        Verdict::of((before, after), ours, compare_view)
    });
    println!("by ls and Python: {tally}");
    tally.demand(&crowd.all());
    let view: Option<View> = oracle.ask(&format!("view {}", crowd.workload.pid()));
    let mapped = view.unwrap().mapped.unwrap();
    for name in &crowd.promise.files {
        let seen = mapped.iter().any(|part| part.file.path == *name);
        assert!(seen, "Python did not see {name:?}, which it has mapped");
    }
}

#[test]
fn every_socket_that_waits_is_told_as_ss_tells_it() {
    let crowd = Crowd::gather();
    let mut oracle = Oracle::start();
    let root = proc_root();
    let tally = Tally::over(live_pids(), |pid| {
        let before = Sockets::around(&mut oracle, pid);
        let ours = observe(&root, pid);
        let after = Sockets::around(&mut oracle, pid);
        Verdict::of((before, after), ours, compare_sockets)
    });
    let rows: BTreeSet<Row> = oracle.ask("sockets");
    println!("by ss: {tally}, with {} sockets each", rows.len());
    tally.demand(&crowd.living());
    let holder = crowd.workload.pid();
    for (protocol, promised) in &crowd.promise.listeners {
        let is_its = |row: &&Row| row.protocol == *protocol && row.pids.contains(&holder);
        let told = rows.iter().filter(is_its).count();
        assert_eq!(told, *promised, "sockets of {protocol} that ss tells");
    }
}

#[test]
fn the_crate_procfs_counts_what_we_count() {
    let crowd = Crowd::gather();
    let root = proc_root();
    let mut refused = BTreeSet::new();
    let tally = Tally::over(live_pids(), |pid| {
        let before = Numbers::by_procfs(pid);
        let ours = observe(&root, pid);
        let after = Numbers::by_procfs(pid);
        if before.is_none() && ours.is_some() && after.is_none() {
            refused.insert(pid);
        }
        Verdict::of((before, after), ours, compare_numbers)
    });
    println!("by procfs: {tally}; given up by procfs: {refused:?}");
    tally.demand(&crowd.all());
}

// What the other reader answers.

/// What was told, or the name of the error.
type Told<T> = Result<T, String>;

/// Bytes that need not be UTF-8; Python writes each as one character.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct Bytes(Vec<u8>);

impl TryFrom<String> for Bytes {
    type Error = std::char::TryFromCharError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.chars().map(u8::try_from).collect::<Result<_, _>>().map(Self)
    }
}

impl Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

/// One process.
#[derive(Debug, PartialEq, Deserialize)]
struct View {
    who: Who,
    ancestors: Vec<u32>,
    argv: Told<Vec<Bytes>>,
    cgroups: Told<Vec<(Bytes, Bytes)>>,
    mounts: Told<usize>,
    namespaces: BTreeMap<String, Told<u64>>,
    exe: Told<File>,
    mapped: Told<BTreeSet<Mapped>>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Who {
    comm: Bytes,
    ppid: u32,
    uid: Option<u32>,
    gid: Option<u32>,
    threads: u64,
    start_ticks: u64,
    kernel_thread: bool,
    zombie: bool,
    ns_pids: Vec<u32>,
    cap_eff: Option<u64>,
    seccomp: Option<u8>,
    no_new_privs: Option<bool>,
}

impl From<&Identity> for Who {
    fn from(ours: &Identity) -> Self {
        Self {
            comm: ours.comm.as_slice().into(),
            ppid: ours.ppid,
            uid: ours.uid,
            gid: ours.gid,
            threads: ours.threads,
            start_ticks: ours.start_ticks,
            kernel_thread: ours.kernel_thread,
            zombie: ours.is_zombie(),
            ns_pids: ours.ns_pids.clone(),
            cap_eff: ours.cap_eff,
            seccomp: ours.seccomp,
            no_new_privs: ours.no_new_privs,
        }
    }
}

/// A file that runs or is mapped.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct File {
    path: Bytes,
    device: (u32, u32),
    inode: u64,
    size: Option<u64>,
    deleted: bool,
    replaced: bool,
    memory: bool,
}

impl From<&Executable> for File {
    fn from(ours: &Executable) -> Self {
        let Device { major, minor } = ours.file.map(|file| file.device).unwrap_or_default();
        Self {
            path: ours.path.as_slice().into(),
            device: (major, minor),
            inode: ours.file.map_or(0, |file| file.inode),
            size: ours.file.map(|file| file.size),
            deleted: ours.deleted,
            replaced: ours.replaced,
            memory: ours.memfd,
        }
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Mapped {
    #[serde(flatten)]
    file: File,
    executable: bool,
}

impl From<&MappedFile> for Mapped {
    fn from(ours: &MappedFile) -> Self {
        let file = File {
            path: ours.path.as_slice().into(),
            device: (ours.device.major, ours.device.minor),
            inode: ours.inode,
            size: ours.size,
            deleted: ours.deleted,
            replaced: ours.replaced,
            memory: matches!(ours.kind, MappedKind::Memfd | MappedKind::SharedMemory),
        };
        Self { file, executable: ours.executable }
    }
}

/// A socket that waits. The address is an IP address's bytes in network order, or a UNIX name; the
/// port of a UNIX socket is 0.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Row {
    protocol: String,
    address: Bytes,
    port: u16,
    inode: u64,
    pids: Vec<u32>,
}

impl From<&Listener> for Row {
    fn from(ours: &Listener) -> Self {
        let (address, port) = match &ours.address {
            // `ss` pads names on the left, so spaces there cannot be told.
            Address::Unix(name) => (name.trim_ascii_start().to_vec(), 0),
            Address::Inet(socket) => match socket.ip() {
                IpAddr::V4(ip) => (ip.octets().to_vec(), socket.port()),
                IpAddr::V6(ip) => (ip.octets().to_vec(), socket.port()),
            },
        };
        Self {
            protocol: ours.protocol.as_str().to_owned(),
            address: Bytes(address),
            port,
            inode: ours.inode,
            pids: ours.owners.iter().map(|owner| owner.pid).collect(),
        }
    }
}

/// What can be known of a process's sockets.
#[derive(Debug, PartialEq, Deserialize)]
struct Network {
    /// Whether its network namespace is this one, the only one that `ss` shows.
    here: Told<bool>,
    /// Whether its descriptors can be followed.
    descriptors: Told<()>,
}

#[derive(Debug, PartialEq)]
struct Sockets {
    pid: u32,
    network: Network,
    rows: BTreeSet<Row>,
}

impl Sockets {
    fn around(oracle: &mut Oracle, pid: u32) -> Option<Self> {
        let network = oracle.ask::<Option<Network>>(&format!("network {pid}"))?;
        let rows = oracle.ask("sockets");
        Some(Self { pid, network, rows })
    }
}

/// What the crate `procfs` reads, where it can.
#[derive(Debug, PartialEq)]
struct Numbers {
    comm: String,
    ppid: u32,
    threads: u64,
    start_ticks: u64,
    uid: u32,
    gid: u32,
    /// None for a zombie, which has no mount namespace any more.
    mounts: Option<usize>,
}

impl Numbers {
    fn by_procfs(pid: u32) -> Option<Self> {
        let process = procfs::process::Process::new(i32::try_from(pid).unwrap()).ok()?;
        let (stat, status) = (process.stat().ok()?, process.status().ok()?);
        Some(Self {
            comm: stat.comm,
            ppid: u32::try_from(stat.ppid).ok()?,
            threads: status.threads,
            start_ticks: stat.starttime,
            uid: status.euid,
            gid: status.egid,
            mounts: process.mountinfo().ok().map(|mounts| mounts.0.len()),
        })
    }
}

// Comparing.

fn compare_view<'a>(theirs: &View, ours: &'a Observed<ProcessObservation>) -> Findings<'a> {
    let value = &ours.value;
    let mut found = Findings::new(&ours.gaps);
    found.no_memory = theirs.who.kernel_thread || theirs.who.zombie;
    found.same("identity", &theirs.who, &Who::from(&value.identity));
    let ancestors: Vec<u32> = value.ancestry.iter().map(|above| above.pid).collect();
    found.same("ancestors", &theirs.ancestors, &ancestors);
    let argv = value.argv.as_ref();
    let argv = argv.map(|whole| whole.iter().map(|part| part.as_slice().into()).collect());
    // A zombie's arguments are gone with its memory, and `cmdline` is empty: that is no argument
    // vector, and a gap of ours.
    match theirs.who.zombie {
        true => found.told("process.argv", &Err("gone".to_owned()), argv),
        false => found.told("process.argv", &theirs.argv, argv),
    }
    let cgroups = value.membership.cgroups.iter();
    let cgroups: Vec<(Bytes, Bytes)> = cgroups
        .map(|cgroup| (cgroup.controllers.as_slice().into(), cgroup.path.as_slice().into()))
        .collect();
    found.told("process.cgroups", &theirs.cgroups, Some(cgroups).filter(|all| !all.is_empty()));
    let mounts = Some(value.membership.mounts.len()).filter(|&count| count > 0);
    found.told("workload", &theirs.mounts, mounts);
    compare_namespaces(theirs, value, &mut found);
    found.told("process.exe", &theirs.exe, value.exe.as_ref().map(File::from));
    compare_mapped(theirs, value, &mut found);
    found
}

fn compare_mapped(theirs: &View, ours: &ProcessObservation, found: &mut Findings) {
    let mapped = ours.mapped.as_ref();
    let mapped = mapped.map(|files| files.iter().map(Mapped::from).collect::<BTreeSet<_>>());
    match (&theirs.mapped, mapped) {
        (Ok(theirs), Some(ours)) => found.rows("loadedLibs", theirs, &ours),
        (theirs, ours) => found.told("loadedLibs", theirs, ours),
    }
}

/// A kind that the kernel does not have is left out by us without a gap.
fn compare_namespaces(theirs: &View, ours: &ProcessObservation, found: &mut Findings) {
    let ours: BTreeMap<_, _> = ours.namespaces.iter().map(|ns| (ns.kind.as_str(), ns.id)).collect();
    for (kind, theirs) in &theirs.namespaces {
        let ours = ours.get(kind.as_str()).copied();
        match (theirs, ours) {
            (Err(why), None) if why == "ENOENT" => {}
            _ => found.told("process.namespaces", theirs, ours),
        }
    }
}

fn compare_sockets<'a>(theirs: &Sockets, ours: &'a Observed<ProcessObservation>) -> Findings<'a> {
    let mut found = Findings::new(&ours.gaps);
    let Some(listening) = &ours.value.listening else {
        found.told("process.listening", &theirs.network.descriptors, None);
        return found;
    };
    found.told("process.listening", &theirs.network.descriptors, Some(()));
    if theirs.network.here != Ok(true) {
        found.elsewhere = true;
        return found;
    }
    let both = listening.own.iter().chain(&listening.others);
    let all: BTreeSet<Row> = both.map(Row::from).collect();
    found.rows("listening", &theirs.rows, &all);
    let is_own = |row: &&Row| row.pids.contains(&theirs.pid);
    let inodes = |rows: Vec<&Row>| rows.iter().map(|row| row.inode).collect::<BTreeSet<_>>();
    let held = inodes(theirs.rows.iter().filter(is_own).collect());
    let own = listening.own.iter().map(|socket| socket.inode).collect();
    found.rows("listening.own, by inode", &held, &own);
    found
}

fn compare_numbers<'a>(theirs: &Numbers, ours: &'a Observed<ProcessObservation>) -> Findings<'a> {
    let mut found = Findings::new(&ours.gaps);
    let who = &ours.value.identity;
    let mounts = Some(ours.value.membership.mounts.len()).filter(|&count| count > 0);
    let ours = Numbers {
        comm: String::from_utf8_lossy(&who.comm).into_owned(),
        ppid: who.ppid,
        threads: who.threads,
        start_ticks: who.start_ticks,
        uid: who.uid.unwrap_or(u32::MAX),
        gid: who.gid.unwrap_or(u32::MAX),
        mounts,
    };
    found.same("numbers", theirs, &ours);
    found
}

/// What two readers disagree about.
struct Findings<'a> {
    gaps: &'a Gaps,
    /// A thread of the kernel and a zombie have no memory: we need not be refused to say so.
    no_memory: bool,
    refused: bool,
    elsewhere: bool,
    differences: Vec<String>,
}

impl<'a> Findings<'a> {
    fn new(gaps: &'a Gaps) -> Self {
        Self { gaps, no_memory: false, refused: false, elsewhere: false, differences: Vec::new() }
    }

    fn same<T: PartialEq + Debug>(&mut self, what: &str, theirs: &T, ours: &T) {
        if theirs != ours {
            let told = format!("{what}:\n    theirs {theirs:?}\n    ours   {ours:?}");
            self.differences.push(told);
        }
    }

    /// What they are told we tell too; what they are refused is a gap of ours in `field`.
    fn told<T: PartialEq + Debug>(&mut self, field: &str, theirs: &Told<T>, ours: Option<T>) {
        match (theirs, ours) {
            (Ok(theirs), Some(ours)) => self.same(field, theirs, &ours),
            (Err(why), None) if self.has_gap(field, why) => {
                self.refused |= is_refusal(why) && !self.no_memory;
            }
            (theirs, ours) => {
                let gaps = self.gaps.as_slice();
                let told =
                    format!("{field}:\n    theirs {theirs:?}\n    ours   {ours:?}, {gaps:?}");
                self.differences.push(told);
            }
        }
    }

    fn has_gap(&self, field: &str, why: &str) -> bool {
        let refused = is_refusal(why) && !self.no_memory;
        let fits = |reason| !refused || reason == Reason::Denied;
        let mut gaps = self.gaps.as_slice().iter();
        gaps.any(|gap| gap.field == field && fits(gap.reason))
    }

    fn rows<T: Ord + Debug>(&mut self, what: &str, theirs: &BTreeSet<T>, ours: &BTreeSet<T>) {
        let only_theirs = theirs.difference(ours).map(|row| ("theirs", row));
        let only_ours = ours.difference(theirs).map(|row| ("ours  ", row));
        let mut told = String::new();
        for (whose, row) in only_theirs.chain(only_ours) {
            write!(told, "\n    only {whose} {row:?}").unwrap();
        }
        if !told.is_empty() {
            self.differences.push(format!("{what}:{told}"));
        }
    }
}

fn is_refusal(why: &str) -> bool {
    matches!(why, "EACCES" | "EPERM")
}

// Going through the processes.

/// What came of one process.
enum Verdict {
    Gone,
    Changed,
    /// In another network namespace than this one.
    Elsewhere,
    Same {
        refused: bool,
    },
    Differs(Vec<String>),
}

impl Verdict {
    fn of<T: PartialEq>(
        (before, after): (Option<T>, Option<T>),
        ours: Option<Observed<ProcessObservation>>,
        compare: impl for<'a> Fn(&T, &'a Observed<ProcessObservation>) -> Findings<'a>,
    ) -> Self {
        let (Some(before), Some(after)) = (before, after) else {
            return Self::Gone;
        };
        if before != after {
            return Self::Changed;
        }
        let Some(ours) = ours else {
            return Self::Differs(vec!["we find no such process".to_owned()]);
        };
        match compare(&after, &ours) {
            found if !found.differences.is_empty() => Self::Differs(found.differences),
            found if found.elsewhere => Self::Elsewhere,
            found => Self::Same { refused: found.refused },
        }
    }
}

/// What came of all processes, by pid.
#[derive(Default)]
struct Tally {
    same: Vec<u32>,
    refused: Vec<u32>,
    changed: Vec<u32>,
    gone: usize,
    elsewhere: usize,
    differs: BTreeMap<u32, Vec<String>>,
}

impl Tally {
    fn over(pids: Vec<u32>, mut read: impl FnMut(u32) -> Verdict) -> Self {
        let mut tally = Self::default();
        for pid in pids {
            let mut verdict = read(pid);
            for _again in 1..TRIES {
                if !matches!(verdict, Verdict::Changed | Verdict::Differs(_)) {
                    break;
                }
                verdict = read(pid);
            }
            tally.add(pid, verdict);
        }
        tally
    }

    fn add(&mut self, pid: u32, verdict: Verdict) {
        match verdict {
            Verdict::Gone => self.gone += 1,
            Verdict::Changed => self.changed.push(pid),
            Verdict::Elsewhere => self.elsewhere += 1,
            Verdict::Differs(how) => _ = self.differs.insert(pid, how),
            Verdict::Same { refused } => {
                self.same.push(pid);
                if refused {
                    self.refused.push(pid);
                }
            }
        }
    }

    /// Nothing differs, and enough was compared for that to say something.
    fn demand(&self, ours: &[u32]) {
        let mut told = String::new();
        for (pid, how) in &self.differs {
            writeln!(told, "process {pid} differs in {}", how.join("\n  ")).unwrap();
        }
        assert!(self.differs.is_empty(), "{told}");
        for pid in ours {
            assert!(self.same.contains(pid), "our own {pid} was not compared: {self}");
        }
        assert!(self.same.len() > ours.len(), "only our own were compared: {self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} processes are the same (of these refused to both: {:?}), {} differ, {} kept changing \
             {:?}, {} ended, {} are in another network namespace",
            self.same.len(),
            self.refused,
            self.differs.len(),
            self.changed.len(),
            self.changed,
            self.gone,
            self.elsewhere,
        )
    }
}

fn live_pids() -> Vec<u32> {
    let names = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let mut pids: Vec<u32> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    pids
}

fn proc_root() -> ProcRoot {
    ProcRoot::open(Path::new("/proc"), ReadLimits::default(), Deadline::never()).unwrap()
}

fn observe(root: &ProcRoot, pid: u32) -> Option<Observed<ProcessObservation>> {
    let handle = ProcessHandle::open(root, Asked::Pid(pid)).ok()?;
    Some(inspect::process(root, &handle, &ContentRequest::headers(&ContentCache::default())))
}

// The other reader, and processes to be read.

/// A child that does not outlive its test.
struct Started(Child);

impl Started {
    fn by(command: &mut Command) -> Self {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        Self(started.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ended_before = self.0.kill();
        let _reaped_before = self.0.wait();
    }
}

/// The programs without which there is nothing to compare with, and their Debian packages.
fn need_programs() {
    for (program, package) in [("python3", "python3"), ("ss", "iproute2"), ("ls", "coreutils")] {
        let answer = Command::new(program).arg("--version").output();
        let runs = answer.is_ok_and(|output| output.status.success());
        assert!(runs, "this test needs {program}, of the Debian package {package}");
    }
}

fn script(arguments: &[&str]) -> Started {
    Started::by(Command::new("python3").args(["-c", SCRIPT]).args(arguments))
}

fn answer<T: DeserializeOwned>(from: &mut BufReader<ChildStdout>) -> T {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    assert!(!line.is_empty(), "the script ended; standard error has its words");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// The script as another reader of `/proc`.
struct Oracle {
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    _started: Started,
}

impl Oracle {
    fn start() -> Self {
        need_programs();
        let mut started = script(&["oracle"]);
        Self {
            questions: started.0.stdin.take().unwrap(),
            answers: BufReader::new(started.0.stdout.take().unwrap()),
            _started: started,
        }
    }

    fn ask<T: DeserializeOwned>(&mut self, question: &str) -> T {
        writeln!(self.questions, "{question}").unwrap();
        answer(&mut self.answers)
    }
}

/// What the workload says that there is to be found of it.
#[derive(Deserialize)]
struct Promise {
    files: Vec<Bytes>,
    listeners: BTreeMap<String, usize>,
}

/// Processes of every kind that a test can have.
struct Crowd {
    workload: Started,
    promise: Promise,
    others: Vec<Started>,
    zombie: Started,
    _dir: tempfile::TempDir,
}

impl Crowd {
    fn gather() -> Self {
        need_programs();
        let dir = tempfile::tempdir().unwrap();
        let mut workload = script(&["workload", dir.path().to_str().unwrap()]);
        let promise = answer(&mut BufReader::new(workload.0.stdout.take().unwrap()));
        let sleep = Started::by(Command::new("sleep").arg("3600"));
        let shell = Started::by(Command::new("sh").args(["-c", "read line"]));
        let others = vec![
            sleep,
            shell,
            runs_without_its_file(&dir.path().join("deleted exe"), None),
            runs_without_its_file(&dir.path().join("replaced exe"), Some(b"another")),
        ];
        Self { workload, promise, others, zombie: zombie(), _dir: dir }
    }

    /// Those that have not ended: a zombie has no network namespace any more.
    fn living(&self) -> Vec<u32> {
        let others = self.others.iter().map(Started::pid);
        others.chain([self.workload.pid()]).collect()
    }

    fn all(&self) -> Vec<u32> {
        [self.living(), vec![self.zombie.pid()]].concat()
    }
}

/// A child that ended and was not asked how.
fn zombie() -> Started {
    let started = Started::by(&mut Command::new("true"));
    let pid = started.pid();
    until("a zombie", || {
        let stat = procfs::process::Process::new(i32::try_from(pid).unwrap()).unwrap().stat();
        stat.unwrap().state == 'Z'
    });
    started
}

/// A process whose executable is deleted, and perhaps another file with its name.
fn runs_without_its_file(dir: &Path, instead: Option<&[u8]>) -> Started {
    std::fs::create_dir(dir).unwrap();
    // Not renamed: a `sleep` of many programs in one file goes by its name.
    let copy = dir.join("sleep");
    let steps = r#"cp "$(command -v sleep)" "$0" && exec "$0" 3600"#;
    let started = Started::by(Command::new("sh").args(["-c", steps]).arg(&copy));
    let exe = format!("/proc/{}/exe", started.pid());
    until("a sleep of our own", || std::fs::read_link(&exe).is_ok_and(|to| to == copy));
    std::fs::remove_file(&copy).unwrap();
    if let Some(bytes) = instead {
        std::fs::write(&copy, bytes).unwrap();
    }
    started
}

fn until(what: &str, there: impl Fn() -> bool) {
    for _again in 0..3000 {
        if there() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{what} never came");
}
