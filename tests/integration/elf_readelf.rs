//! What binutils' readelf says of ELF files, from its text, in the words of the library.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use zastava::process::parse::elf::{Class, Elf, Endian, Linkage, PackageNote};

/// The part of a file's identity that readelf tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    class: Option<Class>,
    endian: Option<Endian>,
    file_type: Option<u16>,
    /// By name, which [`machine`] knows the number of.
    machine: String,
    interpreter: Option<Vec<u8>>,
    soname: Option<Vec<u8>>,
    pub(crate) needed: Vec<Vec<u8>>,
    /// In lower case hexadecimal; there may be several.
    pub(crate) build_ids: Vec<String>,
    has_go_note: bool,
    /// The packager's notes.
    packages: Vec<Value>,
    has_interpreter: bool,
    is_pie: bool,
}

impl Told {
    /// From the text about one file.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let mut told = Self::default();
        text.split(|&b| b == b'\n').for_each(|line| told.line(line.trim_ascii()));
        told
    }

    fn line(&mut self, line: &[u8]) {
        let after = |start: &str| line.strip_prefix(start.as_bytes()).map(<[u8]>::trim_ascii);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if let Some(class) = after("Class:") {
            self.class = Some(if class == b"ELF32" { Class::Elf32 } else { Class::Elf64 });
        } else if let Some(data) = after("Data:") {
            let is_little = data.ends_with(b"little endian");
            self.endian = Some(if is_little { Endian::Little } else { Endian::Big });
        } else if let Some(kind) = after("Type:") {
            self.file_type = file_type(kind);
        } else if let Some(machine) = after("Machine:") {
            self.machine = text(machine);
        } else if let Some(path) = after("[Requesting program interpreter:") {
            self.interpreter = path.strip_suffix(b"]").map(<[u8]>::to_vec);
        } else if let Some(id) = between(line, b"Build ID: ", b"") {
            self.build_ids.push(text(id));
        } else if let Some(package) = between(line, b"Packaging Metadata: ", b"") {
            self.packages.push(serde_json::from_slice(package).unwrap());
        } else if line.starts_with(b"Go ") {
            self.has_go_note = true;
        } else if line.starts_with(b"INTERP ") {
            self.has_interpreter = true;
        } else if line.starts_with(b"0x") {
            self.entry(line);
        }
    }

    /// A line of the dynamic table.
    fn entry(&mut self, line: &[u8]) {
        if let Some(name) = between(line, b"(SONAME)", b"]").and_then(|n| between(n, b"[", b"")) {
            self.soname = Some(name.to_vec());
        }
        if let Some(name) = between(line, b"(NEEDED)", b"]").and_then(|n| between(n, b"[", b"")) {
            self.needed.push(name.to_vec());
        }
        let flags = between(line, b"(FLAGS_1)", b"").unwrap_or_default();
        self.is_pie |= flags.split(|&b| b == b' ').any(|flag| flag == b"PIE");
    }

    /// Whether readelf could not even read the header.
    pub(crate) fn is_refused(&self) -> bool {
        self.class.is_none()
    }

    /// How it is linked, by what was told. A file of debugging information asks for an interpreter
    /// whose path it has not.
    fn linkage(&self) -> Linkage {
        match (self.file_type, self.has_interpreter) {
            (Some(2 | 3), true) => Linkage::Dynamic,
            (Some(2), false) => Linkage::Static,
            (Some(3), false) if self.is_pie => Linkage::StaticPie,
            (Some(3), false) => Linkage::Shared,
            (Some(1), _) => Linkage::Relocatable,
            (Some(4), _) => Linkage::Core,
            _ => Linkage::Other,
        }
    }

    /// The fields in which we say something else.
    pub(crate) fn differences(&self, ours: &Elf) -> Vec<String> {
        let id = ours.build_id.as_deref().map(hexadecimal);
        let same_id = match &id {
            Some(id) => self.build_ids.contains(id),
            None => self.build_ids.is_empty(),
        };
        let fields = [
            ("class", self.class == Some(ours.class)),
            ("order", self.endian == Some(ours.endian)),
            ("type", self.file_type.is_none_or(|kind| kind == ours.file_type)),
            ("machine", machine(&self.machine) == Some(ours.machine)),
            ("interpreter", self.interpreter == ours.interpreter),
            ("soname", self.soname == ours.soname),
            ("linkage", self.linkage() == ours.linkage),
            ("build-id", same_id),
            ("Go's note", self.has_go_note == has_go_id(ours)),
            ("packages", self.has_packages(&ours.packages)),
        ];
        let differs = fields.iter().filter(|(_, same)| !same);
        differs.map(|(name, _)| format!("{name}: readelf {self:?}, we {ours:?}")).collect()
    }

    fn has_packages(&self, ours: &[PackageNote]) -> bool {
        let is = |(told, ours): (&Value, &PackageNote)| {
            let of = |member: &str| told.get(member).and_then(Value::as_str).map(str::to_owned);
            let ours = ours.clone();
            let members = [
                ("type", ours.kind),
                ("name", ours.name),
                ("version", ours.version),
                ("architecture", ours.architecture),
                ("os", ours.os),
                ("osVersion", ours.os_version),
                ("osCpe", ours.os_cpe),
            ];
            members.into_iter().all(|(member, ours)| of(member) == ours)
        };
        self.packages.len() == ours.len() && self.packages.iter().zip(ours).all(is)
    }
}

fn has_go_id(ours: &Elf) -> bool {
    ours.go.as_ref().is_some_and(|go| go.build_id.is_some())
}

/// What readelf prints of one or more files. Two are asked for at least: of one alone it prints no
/// name.
pub(crate) fn ask(paths: &[PathBuf]) -> Vec<Told> {
    let mut command = Command::new("readelf");
    command.args(["--wide", "--file-header", "--program-headers", "--dynamic", "--notes", "--"]);
    let output = command.args(paths).arg("/dev/null").env("LC_ALL", "C").output().unwrap();
    let mut rest = &output.stdout[..];
    let mut all = Vec::new();
    for (number, path) in paths.iter().enumerate() {
        rest = between(rest, &title(path), b"").unwrap_or(rest);
        let next = paths.get(number + 1).map(|path| title(path));
        let end = next.and_then(|title| find(rest, &title)).unwrap_or(rest.len());
        all.push(Told::parse(&rest[..end]));
    }
    all
}

fn title(path: &Path) -> Vec<u8> {
    [b"\nFile: ", OsStr::as_bytes(path.as_os_str()), b"\n"].concat()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// What stands behind `start` and, where there is one, before `end`.
fn between<'a>(text: &'a [u8], start: &[u8], end: &[u8]) -> Option<&'a [u8]> {
    let rest = &text[find(text, start)? + start.len()..];
    let end = if end.is_empty() { None } else { Some(find(rest, end)?) };
    Some(&rest[..end.unwrap_or(rest.len())])
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file_type(text: &[u8]) -> Option<u16> {
    let word = text.split(|&b| b == b' ').next()?;
    [&b"NONE"[..], b"REL", b"EXEC", b"DYN", b"CORE"]
        .iter()
        .position(|&name| name == word)
        .and_then(|at| u16::try_from(at).ok())
}

/// `e_machine` by readelf's name for it.
fn machine(name: &str) -> Option<u16> {
    let known = [
        ("None", 0),
        ("Intel 80386", 3),
        ("MIPS R3000", 8),
        ("PowerPC", 20),
        ("PowerPC64", 21),
        ("IBM S/390", 22),
        ("ARM", 40),
        ("Sparc v9", 43),
        ("Advanced Micro Devices X86-64", 62),
        ("AArch64", 183),
        ("RISC-V", 243),
        ("Linux BPF", 247),
        ("LoongArch", 258),
    ];
    known.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}
