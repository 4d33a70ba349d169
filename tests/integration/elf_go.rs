//! Go programs: those that are built here, and what `go version -m` says of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use zastava::process::parse::elf::{Go, Linkage};

use crate::elf_differential::ours;

/// The part of Go's build information that `go version -m` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GoTold {
    version: String,
    path: Option<String>,
    /// Its path, its version and its checksum, which may be empty.
    module: Option<[String; 3]>,
    cgo: Option<bool>,
}

impl From<&Go> for GoTold {
    fn from(go: &Go) -> Self {
        let module = go.module.clone();
        Self {
            version: go.version.clone().unwrap_or_default(),
            path: go.path.clone(),
            module: module.map(|m| [m.path, m.version, m.sum.unwrap_or_default()]),
            cgo: go.cgo,
        }
    }
}

impl GoTold {
    fn line(&mut self, line: &str) {
        let fields: Vec<_> = line.trim_start_matches('\t').split('\t').map(str::to_owned).collect();
        match fields.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["path", path] => self.path = Some(path.to_owned()),
            ["mod", path, version] => self.module = Some([path, version, ""].map(str::to_owned)),
            ["mod", path, version, sum] => {
                self.module = Some([path, version, sum].map(str::to_owned));
            }
            ["build", "CGO_ENABLED=0"] => self.cgo = Some(false),
            ["build", "CGO_ENABLED=1"] => self.cgo = Some(true),
            _ => {}
        }
    }
}

/// What `go version -m` says of the files that it takes for Go programs.
pub(crate) fn ask(paths: &[PathBuf]) -> BTreeMap<PathBuf, GoTold> {
    let mut command = Command::new("go");
    command.args(["version", "-m"]).args(paths);
    let output = command.env("GOTOOLCHAIN", "local").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut all: BTreeMap<PathBuf, GoTold> = BTreeMap::new();
    let mut last = None;
    for line in text.lines() {
        match line.rsplit_once(": ").filter(|_| !line.starts_with('\t')) {
            Some((path, version)) => {
                let told = GoTold { version: version.to_owned(), ..GoTold::default() };
                all.insert(path.into(), told);
                last = Some(PathBuf::from(path));
            }
            None => {
                let told = last.as_ref().and_then(|last| all.get_mut(last));
                told.into_iter().for_each(|told| told.line(line));
            }
        }
    }
    all
}

/// A folder with a module, and Go's caches.
struct Workshop(tempfile::TempDir);

impl Workshop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let module = "module example.org/fixture/deep\n\ngo 1.19\n";
        fs::write(folder.path().join("go.mod"), module).unwrap();
        fs::write(folder.path().join("main.go"), "package main\n\nfunc main() {}\n").unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn go(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("go");
        command.current_dir(self.path()).args(arguments).env("HOME", self.path());
        command.env("GOCACHE", self.path().join("cache")).env("GOFLAGS", "-mod=mod");
        command.envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("CGO_ENABLED", "0")]);
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "go {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn build(&self, name: &str, flags: &[&str]) -> PathBuf {
        self.go(&[&["build", "-o", name], flags].concat());
        self.path().join(name)
    }
}

/// Takes the section table out of the header of a file, as packers of programs do.
fn without_sections(path: &Path) -> PathBuf {
    let mut file = fs::read(path).unwrap();
    assert_eq!(file[..5], *b"\x7fELF\x02", "the machines that this is built on have 64 bits");
    // e_shoff, and e_shnum with e_shstrndx.
    [40..48, 60..64].into_iter().for_each(|field| file[field].fill(0));
    let other = path.with_added_extension("bare");
    fs::write(&other, file).unwrap();
    other
}

/// Pitfalls 25 and 28.
#[test]
fn programs_that_are_built_here_are_read_as_go_reads_them() {
    let workshop = Workshop::new();
    for (name, flags) in [
        ("plain", &[][..]),
        ("stripped", &["-ldflags=-s -w"]),
        ("redacted", &["-ldflags=-buildid=redacted"]),
        ("nameless", &["-ldflags=-buildid="]),
        ("position-independent", &["-buildmode=pie"]),
        ("without-modules", &["-trimpath", "main.go"]),
    ] {
        let path = workshop.build(name, flags);
        let bare = without_sections(&path);
        let told = ask(std::slice::from_ref(&path)).remove(&path).unwrap();
        let (whole, searched) = (ours(&path).unwrap(), ours(&bare).unwrap());
        for elf in [&whole, &searched] {
            let go = elf.go.as_ref().unwrap();
            assert_eq!(GoTold::from(go), told, "{name}");
            assert_eq!(elf.doubts, [], "{name}");
        }
        assert_eq!(told.cgo, Some(false), "go was told so, and tells it");
        let linkage = if name.starts_with("position") { Linkage::Dynamic } else { Linkage::Static };
        assert_eq!(whole.linkage, linkage);
        let id = whole.go.and_then(|go| go.build_id).unwrap_or_default();
        assert_eq!(String::from_utf8(id).unwrap(), workshop.go(&["tool", "buildid", name]).trim());
    }
}
