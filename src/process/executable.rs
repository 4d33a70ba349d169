//! The executable: `/proc/<pid>/exe`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::dir::FileId;
use super::error::ReadError;
use super::handle::{Identity, ProcessHandle};
use super::mapped::{MappedKind, kind};
use super::parse::Device;
use super::parse::mountinfo::Mount;
use super::target_root::{Named, Printed, TargetRoot, unmarked};
use super::told::Content;
use crate::contract::{Gap, Gaps, Observed};

/// What a process runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executable {
    /// Its path as the kernel shows it, without the mark of a deleted file.
    pub path: Vec<u8>,
    /// The file, which can still be read when its name is gone.
    pub file: Option<FileId>,
    /// Whether its name is gone.
    pub deleted: bool,
    /// Whether another file has its name now.
    pub replaced: bool,
    /// Whether its name leads to another file, though nobody took it away: mounted over.
    pub elsewhere: bool,
    /// Whether it never had a name: it was run from memory.
    pub memfd: bool,
    /// The program that it runs by its arguments, where it can run many.
    pub program: Option<Program>,
    /// What is in it, once that was asked for.
    pub content: Content,
    /// Why the file could not be looked at.
    pub(super) error: Option<ReadError>,
    /// Whether its name leads to the very file.
    pub(super) is_named: bool,
}

impl Executable {
    /// Why it is not known which file it is.
    pub(super) fn refused(&self) -> ReadError {
        let path = || PathBuf::from(OsStr::from_bytes(&self.path));
        self.error.clone().unwrap_or_else(|| ReadError::missing(path()))
    }
}

/// A program that runs by way of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its path, or its applet's name, as the arguments have it.
    pub path: Vec<u8>,
    /// What kind of executable runs it.
    pub through: Through,
}

/// An executable that can run many programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// A dynamic loader or an emulator, which seldom stands in the arguments of its own accord.
    Loader,
    /// busybox or toybox, for which it is the ordinary way.
    Applet,
}

/// Reads the executable; `None` where there is none or it is not to be seen, and a gap says which.
#[must_use]
pub fn executable(
    process: &ProcessHandle,
    identity: &Identity,
    argv: &[Vec<u8>],
    mounts: &[Mount],
) -> Observed<Option<Executable>> {
    if let Some((reason, why)) = identity.no_memory() {
        return Observed::partial(None, Gap::new(FIELD, reason, why));
    }
    let text = match process.living().link("exe") {
        Ok(text) => text,
        Err(error) => return Observed::partial(None, process.gap(FIELD, &error)),
    };
    let mut gaps = Gaps::default();
    let file = process.living().identify("exe");
    if let Err(error) = &file {
        let fields = ["process.exe.inode", "process.exe.dev", "process.exe.size"];
        fields.iter().for_each(|field| gaps.push(process.gap(field, error)));
    }
    let (file, error) = match file {
        Ok(file) => (Some(file), None),
        Err(error) => (None, Some(error)),
    };
    let device = file.map_or(Device::default(), |file| file.device);
    let program = program_behind(&text, argv);
    let memfd = kind(&text, device, mounts, file) == MappedKind::Memfd;
    let named = match memfd {
        true => Named::alive(unmarked(&text), file),
        false => {
            let printed = Printed { device, inode: file.map_or(0, |file| file.inode) };
            let root = TargetRoot::of(process, mounts);
            root.name(&text, root.lookup(&text), file, printed)
        }
    };
    if let Some(error) = &named.doubt {
        let field = if named.deleted { "process.exe.deleted" } else { "process.exe.path" };
        gaps.push(process.gap(field, error));
    }
    let Named { path, file, deleted, replaced, elsewhere, doubt } = named;
    let is_named = !memfd && !deleted && !elsewhere && doubt.is_none();
    let content = Content::default();
    let executable = Executable {
        path,
        file,
        deleted,
        replaced,
        elsewhere,
        memfd,
        program,
        content,
        error,
        is_named,
    };
    Observed { value: Some(executable), gaps }
}

const FIELD: &str = "process.exe";

/// The program that an executable of many runs by its arguments: behind a dynamic loader or a
/// user-mode emulator the first argument that is no option, behind busybox its applet. `None` where
/// the executable is none of these.
fn program_behind(exe: &[u8], argv: &[Vec<u8>]) -> Option<Program> {
    let name = base_name(unmarked(exe));
    if matches!(name, b"busybox" | b"busybox.static" | b"toybox") {
        return applet(name, argv)
            .map(|name| Program { path: name.to_vec(), through: Through::Applet });
    }
    let path = loaded(name, argv)?;
    Some(Program { path: path.to_vec(), through: Through::Loader })
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&b| b == b'/').next().unwrap_or(path)
}

/// `argv[0]`, or what follows where that is the box itself; a login shell's begins with a dash.
fn applet<'a>(name: &[u8], argv: &'a [Vec<u8>]) -> Option<&'a [u8]> {
    let mut words = argv.iter().map(|word| base_name(word.strip_prefix(b"-").unwrap_or(word)));
    let first = words.next()?;
    if first == name { words.next() } else { Some(first) }
}

fn loaded<'a>(name: &[u8], argv: &'a [Vec<u8>]) -> Option<&'a [u8]> {
    let versioned = |name: &[u8]| name.ends_with(b".so") || name.windows(4).any(|w| w == b".so.");
    let loader = (name.starts_with(b"ld-") || name.starts_with(b"ld.")) && versioned(name);
    let emulator = name.starts_with(b"qemu-") && !name.starts_with(b"qemu-system-");
    let with_value = match (loader, emulator) {
        (true, _) => LD_SO,
        (_, true) => QEMU,
        _ => return None,
    };
    let mut rest = argv.iter().skip(1);
    while let Some(argument) = rest.next() {
        match argument.as_slice() {
            option if with_value.contains(&option) => _ = rest.next(),
            option if option.starts_with(b"-") => {}
            program => return Some(program),
        }
    }
    None
}

/// Options with their value in the next argument: glibc's `ld.so --help`.
const LD_SO: &[&[u8]] = &[
    b"--library-path",
    b"--glibc-hwcaps-prepend",
    b"--inhibit-rpath",
    b"--audit",
    b"--preload",
    b"--argv0",
];

/// The same of `qemu-user`.
const QEMU: &[&[u8]] = &[b"-L", b"-0", b"-E", b"-U", b"-s", b"-cpu", b"-B", b"-g"];

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(exe: &str, argv: &[&str]) -> Option<String> {
        let argv: Vec<_> = argv.iter().map(|argument| argument.as_bytes().to_vec()).collect();
        program_behind(exe.as_bytes(), &argv)
            .map(|program| String::from_utf8(program.path).unwrap())
    }

    // Pitfall 20.
    #[test]
    fn behind_a_loader_or_an_emulator_stands_the_program_it_was_given() {
        let cases = [
            (
                "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
                &["ld.so", "/bin/ls", "-l"][..],
                Some("/bin/ls"),
            ),
            (
                "/lib/ld-musl-x86_64.so.1",
                &["ld", "--library-path", "/x", "--", "/app"],
                Some("/app"),
            ),
            ("/lib64/ld-2.31.so", &["ld.so", "--list", "/bin/ls"], Some("/bin/ls")),
            (
                "/usr/bin/qemu-aarch64-static",
                &["qemu", "-L", "/sysroot", "/bin/sh"],
                Some("/bin/sh"),
            ),
            ("/usr/bin/qemu-system-x86_64", &["qemu", "disk.img"], None),
            ("/usr/bin/ld", &["ld", "a.o"], None),
            ("/run/ldap.socket", &["x", "y"], None),
            ("/lib/ld-linux.so.2", &["ld.so"], None),
            ("/bin/busybox", &["sh", "-c", "x"], Some("sh")),
            ("/bin/busybox", &["-sh"], Some("sh")),
            ("/bin/busybox", &["/bin/busybox", "nc", "-l"], Some("nc")),
            ("/bin/busybox", &["busybox"], None),
        ];
        for (exe, argv, expected) in cases {
            assert_eq!(behind(exe, argv).as_deref(), expected, "{exe}");
        }
    }
}
