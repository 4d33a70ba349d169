//! Which container a process belongs to, by the kernel's files alone.
//!
//! Three witnesses: the cgroup path, in a form that an engine writes; the mount table, where engines
//! and the kubelet leave bind mounts of their own; and, for the engine's name alone, its shim among
//! the ancestors. What anybody could arrange, a bare name in the cgroup path or a bind mount with an
//! engine's path, counts only for a process with a mount namespace and a root file system of its own:
//! a service of the host has none. That a process is in *no* container is said only when cgroups and
//! mounts were read and it shares the host's files.

use super::ancestry::Ancestor;
use super::handle::{Identity, ProcessHandle};
use super::namespaces::{Namespace, NamespaceKind, has_all_processes, is_reader_in_initial};
use super::parse::cgroup::cgroups;
use super::parse::container_id::{Engine, PodUid, placement};
use super::parse::mountinfo::{Mount, mounts};
use super::root::ProcRoot;
use crate::contract::{Gap, Gaps, Observed, Reason};

/// One of a process's cgroups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroup {
    /// The controllers of a version 1 hierarchy; empty for version 2.
    pub controllers: Vec<u8>,
    /// The path, as the reader's cgroup namespace shows it.
    pub path: Vec<u8>,
}

/// What names the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A cgroup path in an engine's form.
    Cgroup,
    /// A bind mount that an engine made.
    Mountinfo,
    /// The end of a cgroup path without an engine's form, of a process with namespaces of its own.
    CgroupName,
}

/// A container as far as the kernel's files tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerIdentity {
    /// The full id.
    pub id: String,
    /// The engine, where something tells.
    pub engine: Option<Engine>,
    /// What names it.
    pub source: Source,
}

impl ContainerIdentity {
    /// `<engine>://<id>`, or the id alone where the engine is not known.
    #[must_use]
    pub fn full_id(&self) -> String {
        match self.engine {
            Some(engine) => format!("{}://{}", engine.as_str(), self.id),
            None => self.id.clone(),
        }
    }
}

/// Where a process belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// Its container; `None` for none, or where nothing tells (then there is a gap).
    pub container: Option<ContainerIdentity>,
    /// Containers around that one, the outermost first.
    pub outer: Vec<ContainerIdentity>,
    /// Its pod.
    pub pod: Option<PodUid>,
    /// The name of its container in the pod, which the kubelet's mounts tell.
    pub container_name: Option<String>,
    /// Whether it lives apart from the host, in a mount namespace of its own and with another root
    /// file system or other pids; `None` where nothing tells.
    pub isolated: Option<bool>,
    /// Its cgroups.
    pub cgroups: Vec<Cgroup>,
    /// Its mounts.
    pub mounts: Vec<Mount>,
}

/// Reads the witnesses and lets them speak in order; the ancestors only where the others leave the engine
/// open.
#[must_use]
pub fn membership(
    root: &ProcRoot,
    process: &ProcessHandle,
    identity: &Identity,
    namespaces: &[Namespace],
    ancestors: &dyn Fn() -> Vec<Ancestor>,
) -> Observed<Membership> {
    let mut gaps = Gaps::default();
    let mut told = Membership {
        cgroups: gaps.take(read_cgroups(process)),
        mounts: gaps.take(read_mounts(process)),
        ..Membership::default()
    };
    // Where what would tell is missing, it is missing for the same reason.
    let unread = gaps.as_slice().first().map(|gap| gap.reason);
    let refused = namespaces.is_empty().then_some(Reason::Denied);
    let reason = unread.or(refused).unwrap_or(Reason::NotFound);
    let apart = Apart::find(root, identity, namespaces, &told.mounts);
    told.isolated =
        apart.isolated().filter(|_| !told.cgroups.is_empty() && !told.mounts.is_empty());
    let mounted = Mounted::read(&told.mounts);
    told.by_cgroup();
    if told.container.is_none() && told.pod.is_none() && apart.has_own_files() {
        told.container = mounted.container;
        told.pod = mounted.pod;
        if told.container.is_none() && told.pod.is_none() {
            told.by_name();
        }
    }
    if told.pod.is_some() {
        told.container_name = mounted.name;
    }
    if let Some(container) = told.container.as_mut().filter(|c| c.engine.is_none()) {
        let own = namespaces.iter().find(|ns| ns.kind == NamespaceKind::Mnt).map(|ns| ns.id);
        container.engine = engine_above(&ancestors(), own, told.pod.as_ref());
    }
    if !identity.kernel_thread {
        gaps.extend(told.untold(reason));
    }
    Observed { value: told, gaps }
}

impl Membership {
    /// Takes the first hierarchy that names a container or a pod: version 2 before systemd's before
    /// the others.
    fn by_cgroup(&mut self) {
        let mut order: Vec<&Cgroup> = self.cgroups.iter().collect();
        order.sort_by_key(|cgroup| match cgroup.controllers.as_slice() {
            b"" => 0,
            b"name=systemd" => 1,
            _ => 2,
        });
        let mut found = order.into_iter().map(|cgroup| placement(&cgroup.path));
        let Some(found) = found.find(|p| !p.containers.is_empty() || p.pod.is_some()) else {
            return;
        };
        let pod = found.containers.last().and_then(|c| c.pod.clone()).or(found.pod);
        let mut containers: Vec<_> = found
            .containers
            .into_iter()
            .map(|c| ContainerIdentity {
                id: c.id.to_owned(),
                engine: c.engine,
                source: Source::Cgroup,
            })
            .collect();
        self.container = containers.pop();
        self.outer = containers;
        self.pod = pod;
    }

    /// Takes the end of a path for an id.
    fn by_name(&mut self) {
        let names = self.cgroups.iter().filter_map(|cgroup| placement(&cgroup.path).candidate);
        let named = |id: &str| ContainerIdentity {
            id: id.to_owned(),
            engine: None,
            source: Source::CgroupName,
        };
        self.container = names.map(named).next();
    }

    /// What is left unsaid.
    fn untold(&self, reason: Reason) -> Gaps {
        let mut gaps = Gaps::default();
        match &self.container {
            Some(ContainerIdentity { engine: None, .. }) => {
                let tried = "no engine's form in the cgroup path, no engine's shim above";
                gaps.push(Gap::new("runtime.engine", Reason::Unsupported, tried));
                if self.pod.is_none() {
                    gaps.push(Gap::new("workload.platform", Reason::Unsupported, tried));
                }
            }
            None if self.pod.is_some() || self.isolated != Some(false) => {
                let tried = "neither cgroups, mounts nor namespaces tell";
                gaps.push(Gap::new("workload.containerId", reason, tried));
            }
            _ => {}
        }
        gaps
    }
}

/// In what a process differs from the host; `None` where nothing tells.
struct Apart {
    mount_namespace: Option<bool>,
    pids: Option<bool>,
    root: Option<bool>,
}

impl Apart {
    fn find(
        root: &ProcRoot,
        identity: &Identity,
        namespaces: &[Namespace],
        mounts: &[Mount],
    ) -> Self {
        let own = |kind| Some(!namespaces.iter().find(|ns| ns.kind == kind)?.host?);
        // The pids that a process has inside tell how deep it is, but only from the first namespace.
        let depth = match identity.ns_pids.len() {
            0 => None,
            depth => has_all_processes(root).then_some(depth > 1),
        };
        Self {
            mount_namespace: own(NamespaceKind::Mnt),
            pids: own(NamespaceKind::Pid).or(depth),
            root: own_root(root, mounts),
        }
    }

    fn has_own_files(&self) -> bool {
        self.mount_namespace == Some(true) && self.root == Some(true)
    }

    fn isolated(&self) -> Option<bool> {
        match (self.mount_namespace, self.root, self.pids) {
            (Some(false), _, _) => Some(false),
            (Some(true), Some(true), _) | (Some(true), _, Some(true)) => Some(true),
            (_, Some(false), Some(false)) => Some(false),
            _ => None,
        }
    }
}

/// Whether the file system at `/` is another than the first process's, or than the reader's own
/// where that is in the host's mount namespace.
fn own_root(root: &ProcRoot, target: &[Mount]) -> Option<bool> {
    let place = |mounts: &[Mount]| {
        let at_root = mounts.iter().rfind(|mount| mount.mount_point == b"/")?;
        Some((at_root.device, at_root.root.clone()))
    };
    let root_of = |pid: &str| {
        let dir = root.dir().subdir(pid).ok()?;
        let bytes = dir.read("mountinfo", dir.limits().mountinfo).ok()?.bytes;
        place(&mounts(&bytes).flatten().collect::<Vec<_>>())
    };
    let init = has_all_processes(root).then(|| root_of("1")).flatten();
    let reader =
        || is_reader_in_initial(root, NamespaceKind::Mnt).then(|| root_of("self")).flatten();
    let reference = init.or_else(reader)?;
    place(target).map(|own| own != reference)
}

/// The engine whose shim is an ancestor outside the container.
fn engine_above(ancestors: &[Ancestor], own: Option<u64>, pod: Option<&PodUid>) -> Option<Engine> {
    let outside = |a: &&Ancestor| a.mount_namespace.is_some() && a.mount_namespace != own;
    let shim = ancestors.iter().rfind(|a| !a.argv.is_empty() && outside(a))?;
    let says = |word: &[u8]| shim.argv.iter().any(|argument| argument == word);
    match shim.comm.as_slice() {
        b"conmon" if pod.is_some() => Some(Engine::CriO),
        b"conmon" => Some(Engine::Podman),
        _ if says(b"moby") => Some(Engine::Docker),
        _ => Some(Engine::Containerd),
    }
}

fn read_cgroups(process: &ProcessHandle) -> Observed<Vec<Cgroup>> {
    const FIELD: &str = "process.cgroups";
    let bytes = match process.living().read_small("cgroup") {
        Ok(bytes) => bytes,
        Err(error) => return Observed::partial(Vec::new(), process.gap(FIELD, &error)),
    };
    let mut read = Observed::whole(Vec::new());
    for line in cgroups(&bytes) {
        match line {
            Ok(cgroup) => read.value.push(Cgroup {
                controllers: cgroup.controllers.to_vec(),
                path: cgroup.path.to_vec(),
            }),
            Err(why) => read.gaps.push(Gap::new(FIELD, Reason::Malformed, format!("cgroup {why}"))),
        }
    }
    read
}

fn read_mounts(process: &ProcessHandle) -> Observed<Vec<Mount>> {
    const FIELD: &str = "workload";
    let limit = process.dir().limits().mountinfo;
    let contents = match process.living().read("mountinfo", limit) {
        Ok(contents) => contents,
        Err(error) => return Observed::partial(Vec::new(), process.gap(FIELD, &error)),
    };
    let mut read = Observed::whole(Vec::new());
    if contents.cut {
        let tried = format!("mountinfo is longer than {limit} bytes");
        read.gaps.push(Gap::new(FIELD, Reason::Budget, tried));
    }
    for line in mounts(&contents.bytes) {
        match line {
            Ok(mount) => read.value.push(mount),
            Err(why) => {
                read.gaps.push(Gap::new(FIELD, Reason::Malformed, format!("mountinfo {why}")));
            }
        }
    }
    read
}

/// What the bind mounts of engines and of the kubelet tell.
#[derive(Debug, Default)]
struct Mounted {
    container: Option<ContainerIdentity>,
    pod: Option<PodUid>,
    name: Option<String>,
}

impl Mounted {
    fn read(mounts: &[Mount]) -> Self {
        let mut told = Self::default();
        for mount in mounts {
            let segments: Vec<&[u8]> = mount.root.split(|&b| b == b'/').collect();
            told.kubelet(&segments);
            told.engine(&segments, &mount.mount_point);
        }
        // In a pod such mounts are the sandbox's, whose id is not the container's.
        if told.pod.is_some() {
            told.container = None;
        }
        told
    }

    /// `…/pods/<uid>/etc-hosts` and `…/pods/<uid>/containers/<name>/<8 hex>`.
    fn kubelet(&mut self, segments: &[&[u8]]) {
        let Some(at) = segments.iter().position(|segment| *segment == b"pods") else {
            return;
        };
        let below = segments.get(at + 1..).unwrap_or(&[]);
        let (uid, name) = match below {
            [uid, b"etc-hosts"] => (uid, None),
            [uid, b"containers", name, _file] => (uid, Some(name)),
            _ => return,
        };
        let path = [b"/pod", *uid].concat();
        let Some(pod) = placement(&path).pod else {
            return;
        };
        self.pod = Some(pod);
        self.name =
            name.and_then(|name| String::from_utf8(name.to_vec()).ok()).or(self.name.take());
    }

    /// `…/containers/<64 hex>/hostname` of Docker, `…/overlay-containers/<64 hex>/userdata/…` of
    /// Podman.
    fn engine(&mut self, segments: &[&[u8]], mount_point: &[u8]) {
        const FILES: [&[u8]; 3] = [b"/etc/hostname", b"/etc/resolv.conf", b"/etc/hosts"];
        let (id, engine) = match segments {
            [.., b"containers", id, _file] => (id, Engine::Docker),
            [.., b"overlay-containers", id, b"userdata", _file] => (id, Engine::Podman),
            _ => return,
        };
        if !FILES.contains(&mount_point) {
            return;
        }
        let path = [b"/docker/", *id].concat();
        if let Some(named) = placement(&path).containers.pop() {
            let (id, source) = (named.id.to_owned(), Source::Mountinfo);
            self.container = Some(ContainerIdentity { id, engine: Some(engine), source });
        }
    }
}
