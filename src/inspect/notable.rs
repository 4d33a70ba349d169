//! What deserves a look before any detail.

use crate::process::{
    Executable, MappedFile, MappedKind, Membership, Namespace, NamespaceKind, Program, Through,
};

/// The kind of a remark; scripts select by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// The executable has no name any more.
    ExeDeleted,
    /// Another file has the executable's name now.
    ExeReplaced,
    /// The executable's name leads to another file, without having been taken away.
    ExeElsewhere,
    /// The executable never had a name.
    ExeMemfd,
    /// The executable is a loader or emulator that runs another program.
    ExeLoader,
    /// Code is mapped from a file that has no name any more.
    LibDeleted,
    /// Another file has the name of a mapped one now.
    LibReplaced,
    /// Code is mapped from memory without a file.
    LibMemfd,
    /// The cgroup names a container, but the mount namespace is the host's.
    NotIsolated,
    /// A process of a container shares namespaces with the host.
    HostNamespace,
}

impl Code {
    /// The word in every format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExeDeleted => "exe-deleted",
            Self::ExeReplaced => "exe-replaced",
            Self::ExeElsewhere => "exe-elsewhere",
            Self::ExeMemfd => "exe-memfd",
            Self::ExeLoader => "exe-loader",
            Self::LibDeleted => "lib-deleted",
            Self::LibReplaced => "lib-replaced",
            Self::LibMemfd => "lib-memfd",
            Self::NotIsolated => "not-isolated",
            Self::HostNamespace => "host-namespace",
        }
    }
}

/// A remark: `subject` is what the workload chose, `text` is ours and goes behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notable {
    /// Its kind.
    pub code: Code,
    /// What it is about: a path, or an id.
    pub subject: Vec<u8>,
    /// What is to be said of the subject.
    pub text: String,
}

impl Notable {
    fn new(code: Code, subject: impl Into<Vec<u8>>, text: impl Into<String>) -> Self {
        Self { code, subject: subject.into(), text: text.into() }
    }
}

pub(super) fn of_executable(exe: &Executable) -> Vec<Notable> {
    let path = || exe.path.clone();
    let mut notable = Vec::new();
    if exe.memfd {
        notable.push(Notable::new(
            Code::ExeMemfd,
            path(),
            "is its executable: memory, never a file",
        ));
    } else if exe.replaced {
        let text = "is its executable, replaced on disk since: the old one runs";
        notable.push(Notable::new(Code::ExeReplaced, path(), text));
    } else if exe.elsewhere {
        let text = "is its executable's name, which leads to another file: mounted over";
        notable.push(Notable::new(Code::ExeElsewhere, path(), text));
    } else if exe.deleted {
        notable.push(Notable::new(Code::ExeDeleted, path(), "is its executable, and deleted"));
    }
    if let Some(Program { path, through: Through::Loader }) = &exe.program {
        let text = "is, by its arguments, what its loader runs";
        notable.push(Notable::new(Code::ExeLoader, path.clone(), text));
    }
    notable
}

/// Mapped code that is not what its name says. The executable itself has its own remark.
pub(super) fn of_mapped(files: &[MappedFile], exe: Option<&Executable>) -> Vec<Notable> {
    let is_exe = |file: &&MappedFile| {
        exe.and_then(|exe| exe.file)
            .is_some_and(|exe| (exe.device, exe.inode) == (file.device, file.inode))
    };
    let code = files.iter().filter(|file| file.executable && !is_exe(file));
    code.filter_map(|file| {
        let (code, text) = match file.kind {
            MappedKind::Memfd | MappedKind::SharedMemory | MappedKind::KernelObject => {
                (Code::LibMemfd, "is mapped as code: memory, never a file")
            }
            MappedKind::File if file.replaced => {
                (Code::LibReplaced, "was replaced on disk since: the old one is mapped")
            }
            MappedKind::File if file.deleted => (Code::LibDeleted, "is mapped and deleted"),
            _ => return None,
        };
        Some(Notable::new(code, file.path.clone(), text))
    })
    .collect()
}

pub(super) fn of_membership(membership: &Membership, namespaces: &[Namespace]) -> Vec<Notable> {
    let Some(container) = &membership.container else {
        return Vec::new();
    };
    let id = container.id.as_bytes();
    let hosts: Vec<_> =
        namespaces.iter().filter(|ns| ns.host == Some(true)).map(|ns| ns.kind).collect();
    if hosts.contains(&NamespaceKind::Mnt) {
        let text = "is the container that its cgroup names, but it sees the host's files";
        return vec![Notable::new(Code::NotIsolated, id, text)];
    }
    // Engines share the user, time and (on cgroup version 1) cgroup namespace by default.
    let telling = [NamespaceKind::Ipc, NamespaceKind::Net, NamespaceKind::Pid, NamespaceKind::Uts];
    let shared: Vec<_> =
        telling.iter().filter(|kind| hosts.contains(kind)).map(|kind| kind.as_str()).collect();
    match shared.is_empty() {
        true => Vec::new(),
        false => {
            let text = format!("is its container, in the host's {} namespace", shared.join(", "));
            vec![Notable::new(Code::HostNamespace, id, text)]
        }
    }
}
