//! The sockets that wait in a process's network namespace, and whose they are.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::dir::ProcDir;
use super::error::ReadError;
use super::handle::{ProcessHandle, living_task};
use super::namespaces::{NamespaceKind, has_all_processes, namespace_id};
use super::parse::net::{InetSocket, inet_sockets, unix_sockets};
use super::parse::{Malformed, link, stat};
use super::root::ProcRoot;
use crate::contract::{Gap, Gaps, Observed, Reason};

/// A transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names of the protocols")]
pub enum Protocol {
    Tcp,
    Udp,
    Unix,
}

impl Protocol {
    /// The word in every format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Unix => "unix",
        }
    }
}

/// Where a socket waits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// An IP address and a port.
    Inet(SocketAddr),
    /// A path, or an abstract name with `@` for every NUL; empty for none.
    Unix(Vec<u8>),
}

/// A process that holds a socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Its pid.
    pub pid: u32,
    /// Its name, of its own choice.
    pub comm: Vec<u8>,
}

/// A socket that waits: a TCP or UNIX listener, or a UDP socket that is bound and not connected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// Its transport.
    pub protocol: Protocol,
    /// Where it waits.
    pub address: Address,
    /// Its inode, by which descriptors name it.
    pub inode: u64,
    /// The processes that hold it, by pid; empty for one of the kernel's own, or of a process that
    /// could not be read (then there is a gap).
    pub owners: Vec<Owner>,
}

impl Listener {
    /// A socket whose holders are not known yet.
    fn new(protocol: Protocol, address: Address, inode: u64) -> Self {
        Self { protocol, address, inode, owners: Vec::new() }
    }
}

/// What waits in a network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listening {
    /// Sockets that the process itself holds.
    pub own: Vec<Listener>,
    /// The other ones of its network namespace.
    pub others: Vec<Listener>,
}

/// Reads the socket tables of a process's network namespace and finds the holders.
///
/// The value is `None` where the process's own descriptors cannot be read: then nobody can say
/// which sockets are its own.
#[must_use]
pub fn listening(root: &ProcRoot, process: &ProcessHandle) -> Observed<Option<Listening>> {
    let mut gaps = Gaps::default();
    let mut waiting = gaps.take(waiting(process));
    drop_forged(&mut waiting, &mut gaps);
    let held = match held_by_target(process) {
        Ok(held) => held,
        Err(error) => {
            gaps.push(process.gap(FIELD, &error));
            gaps.push(process.gap(BESIDE, &error));
            return Observed { value: None, gaps };
        }
    };
    gaps.extend(held.gaps);
    if held.sockets.is_empty() && held.refused > 0 {
        let tried = process.living().path().join("fd");
        gaps.push(Gap::new(BESIDE, Reason::Denied, tried.to_string_lossy()));
        return Observed { value: None, gaps };
    }
    let own = held.sockets;
    let owners = gaps.take(owners(root, &waiting));
    let mut told = Listening::default();
    for mut listener in waiting {
        listener.owners = owners.get(&listener.inode).cloned().unwrap_or_default();
        match own.contains(&listener.inode) {
            true => told.own.push(listener),
            false => told.others.push(listener),
        }
    }
    told.own.sort();
    told.others.sort();
    Observed { value: Some(told), gaps }
}

const FIELD: &str = "process.listening";
const BESIDE: &str = "process.listeningBeside";

/// A UNIX socket's name can imitate rows of other sockets, and no inode has two. A UNIX row with the
/// inode of an IP socket is a forgery and left out; of two UNIX rows either may be, and both are
/// told. A gap says so of each.
fn drop_forged(waiting: &mut Vec<Listener>, gaps: &mut Gaps) {
    let (unix, inet): (Vec<&Listener>, Vec<&Listener>) =
        waiting.iter().partition(|listener| listener.protocol == Protocol::Unix);
    let inet: BTreeSet<u64> = inet.into_iter().map(|listener| listener.inode).collect();
    let mut rows: BTreeMap<u64, usize> = BTreeMap::new();
    unix.iter().for_each(|listener| *rows.entry(listener.inode).or_default() += 1);
    for (inode, _) in rows.iter().filter(|(inode, count)| **count > 1 || inet.contains(inode)) {
        let tried = format!("net/unix: two rows claim inode {inode}");
        gaps.push(Gap::new(FIELD, Reason::Malformed, tried));
    }
    let forged = |row: &Listener| row.protocol == Protocol::Unix && inet.contains(&row.inode);
    waiting.retain(|row| !forged(row));
}

/// The sockets that a process holds.
#[derive(Default)]
struct Held {
    sockets: BTreeSet<u64>,
    refused: u64,
    gaps: Gaps,
}

/// How many descriptors of the target's threads are looked at, over all of them.
const THREADS_DESCRIPTORS: usize = 200_000;

/// What the process holds, through any of its threads: one can have left the others' descriptors
/// and hold some of its own. One in another network namespace listens there, which is not looked at.
fn held_by_target(process: &ProcessHandle) -> Result<Held, ReadError> {
    let mut held = Held::default();
    let limits = process.dir().limits();
    held.add(process.living(), limits.descriptors)?;
    let (tasks, mut cut) = process.dir().list("task", limits.threads).unwrap_or_default();
    let network = namespace_id(process.living(), NamespaceKind::Net);
    let mut left = THREADS_DESCRIPTORS;
    // The first one was read as the process itself, or holds nothing any more.
    let first = process.pid().to_string();
    for task in tasks.iter().filter(|task| task.as_bytes() != first.as_bytes()) {
        let task = process.dir().subdir(&format!("task/{}", task.to_string_lossy()));
        // One that has ended meanwhile holds nothing.
        let Some(task) = task.ok().filter(|_| left > 0) else {
            cut |= left == 0;
            continue;
        };
        left = left.saturating_sub(held.add(&task, left).unwrap_or(0).max(1));
        let own = namespace_id(&task, NamespaceKind::Net);
        if own.is_some() && network.is_some() && own != network {
            let tried = format!("a thread in another network namespace: {}", task.path().display());
            held.gaps.push(Gap::new(FIELD, Reason::Unsupported, tried));
        }
    }
    if cut {
        let tried = format!("{} threads and their descriptors", tasks.len());
        held.gaps.push(Gap::new(FIELD, Reason::Budget, tried));
    }
    Ok(held)
}

impl Held {
    /// Adds what one thread holds and returns how many descriptors it has.
    fn add(&mut self, dir: &ProcDir, max: usize) -> Result<usize, ReadError> {
        let links = dir.links("fd", max)?;
        let tried = || dir.path().join("fd").to_string_lossy().into_owned();
        if links.cut {
            self.gaps.push(Gap::new(FIELD, Reason::Budget, tried()));
        }
        if links.refused > 0 && self.refused == 0 {
            self.refused = links.refused;
            self.gaps.push(Gap::new(FIELD, Reason::Denied, tried()).times(links.refused));
        }
        self.sockets.extend(socket_inodes(&links.texts));
        Ok(links.texts.len())
    }
}

fn socket_inodes(links: &[Vec<u8>]) -> BTreeSet<u64> {
    links.iter().filter_map(|text| link::inode_of(text, b"socket")).collect()
}

/// The sockets that wait, without their holders.
fn waiting(process: &ProcessHandle) -> Observed<Vec<Listener>> {
    let mut gaps = Gaps::default();
    let mut found = Vec::new();
    let tables: [(&str, Protocol); 4] = [
        ("net/tcp", Protocol::Tcp),
        ("net/tcp6", Protocol::Tcp),
        ("net/udp", Protocol::Udp),
        ("net/udp6", Protocol::Udp),
    ];
    for (name, protocol) in tables {
        let Some(bytes) = table(process, name, &mut gaps) else {
            continue;
        };
        for row in inet_sockets(&bytes) {
            match row {
                Ok(socket) if waits(&socket, protocol) => {
                    found.push(Listener::new(protocol, Address::Inet(socket.local), socket.inode));
                }
                Ok(_) => {}
                Err(why) => gaps.push(malformed(name, why)),
            }
        }
    }
    for row in
        table(process, "net/unix", &mut gaps).as_deref().map(unix_sockets).unwrap_or_default()
    {
        match row {
            Ok(socket) if socket.listens => {
                let address = Address::Unix(socket.path);
                found.push(Listener::new(Protocol::Unix, address, socket.inode));
            }
            Ok(_) => {}
            Err(why) => gaps.push(malformed("net/unix", why)),
        }
    }
    Observed { value: found, gaps }
}

fn waits(socket: &InetSocket, protocol: Protocol) -> bool {
    match protocol {
        Protocol::Tcp => socket.listens(),
        _ => socket.receives(),
    }
}

fn malformed(table: &str, why: Malformed) -> Gap {
    Gap::new(FIELD, Reason::Malformed, format!("{table} {why}"))
}

/// One table; a kernel without the protocol has none.
fn table(process: &ProcessHandle, name: &str, gaps: &mut Gaps) -> Option<Vec<u8>> {
    let limit = process.dir().limits().net_table;
    match process.living().read(name, limit) {
        Ok(contents) => {
            if contents.cut {
                let tried = format!("{name} is longer than {limit} bytes");
                gaps.push(Gap::new(FIELD, Reason::Budget, tried));
            }
            Some(contents.bytes)
        }
        Err(error) => {
            let gap = process.gap(FIELD, &error);
            if gap.reason != Reason::NotFound {
                gaps.push(gap);
            }
            None
        }
    }
}

/// The processes that hold each of the sockets.
///
/// Every process is looked through, of whatever network namespace: a socket stays in the one that it
/// was made in, and is handed on.
fn owners(root: &ProcRoot, waiting: &[Listener]) -> Observed<BTreeMap<u64, Vec<Owner>>> {
    let wanted: BTreeSet<u64> = waiting.iter().map(|listener| listener.inode).collect();
    let mut search = Search { wanted, ..Search::default() };
    if search.wanted.is_empty() {
        return Observed::whole(search.found);
    }
    let limits = root.dir().limits().clone();
    let (pids, mut cut) = match root.pids(limits.processes) {
        Ok(listed) => listed,
        Err(error) => {
            let gap = Gap::new(OWNERS, error.reason(), error.path().to_string_lossy());
            return Observed::partial(search.found, gap);
        }
    };
    let mut left = limits.descriptors;
    for pid in pids {
        if left == 0 {
            cut = true;
            break;
        }
        left = left.saturating_sub(search.process(root, pid, left));
    }
    let mut gaps = Gaps::default();
    // A socket may have holders among those that could not be looked through, besides those found.
    gaps.extend(search.unread);
    if search.found.len() < search.wanted.len() && !has_all_processes(root) {
        let tried = format!("{} has not all of the machine's processes", root.path().display());
        gaps.push(Gap::new(OWNERS, Reason::Unsupported, tried));
    }
    if root.hides().is_some() {
        let tried = format!("{} hides other users' processes", root.path().display());
        gaps.push(Gap::new(OWNERS, Reason::Denied, tried));
    }
    if cut {
        gaps.push(Gap::new(OWNERS, Reason::Budget, "too many processes or descriptors"));
    }
    Observed { value: search.found, gaps }
}

const OWNERS: &str = "process.listening.pids";

#[derive(Default)]
struct Search {
    wanted: BTreeSet<u64>,
    found: BTreeMap<u64, Vec<Owner>>,
    unread: Gaps,
}

impl Search {
    /// Looks through one process and returns how many descriptors that took.
    fn process(&mut self, root: &ProcRoot, pid: u32, max: usize) -> usize {
        let fd = root.path().join(format!("{pid}/fd"));
        let unread = |reason| Gap::new(OWNERS, reason, fd.to_string_lossy());
        let found = root.neighbour(pid).and_then(|dir| Ok((dir.links("fd", max)?, dir)));
        let (mut links, dir) = match found {
            Ok(found) => found,
            Err(error) => {
                if !error.is_gone() {
                    self.unread.push(unread(error.reason()));
                }
                return 1;
            }
        };
        // Every living process of users has descriptors, but for a first thread that has ended.
        if links.texts.is_empty() {
            let bytes = dir.read_small("stat").unwrap_or_default();
            let task = stat::stat(&bytes).ok().and_then(|read| living_task(&dir, &read));
            links = task.and_then(|task| task.links("fd", max).ok()).unwrap_or(links);
        }
        if links.refused > 0 {
            self.unread.push(unread(Reason::Denied));
        }
        let held: BTreeSet<u64> =
            socket_inodes(&links.texts).intersection(&self.wanted).copied().collect();
        if !held.is_empty() {
            let bytes = dir.read_small("stat").unwrap_or_default();
            let comm = stat::stat(&bytes).map(|read| read.comm.to_vec()).unwrap_or_default();
            for inode in held {
                self.found.entry(inode).or_default().push(Owner { pid, comm: comm.clone() });
            }
        }
        links.texts.len().max(1)
    }
}
