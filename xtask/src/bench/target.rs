//! The process that is measured: so many files mapped, about 80 MB of them.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A process with files mapped, which ends and takes its files away when it is dropped.
pub(super) struct Target {
    child: Child,
    files: usize,
    /// The names of its files, with a NUL behind each.
    list: PathBuf,
}

/// Maps as many files as make the wanted number together with those that Python has itself. Each is a
/// real ELF file, the dynamic loader, with bytes behind it, so that headers are there to be read.
const PROGRAM: &str = r"
import mmap, os, shutil, sys, tempfile
def mapped():
    paths = (line.split(None, 5)[5].rstrip('\n') for line in open('/proc/self/maps') if '/' in line)
    return sorted({path for path in paths if os.path.isfile(path)})
wanted, total = int(sys.argv[1]), 80_000_000
base = mapped()
loader = next(path for path in base if '/ld-' in path or '/ld.' in path)
elf, count = open(loader, 'rb').read(), wanted - len(base)
size = max(len(elf), (total - sum(map(os.path.getsize, base))) // count)
folder = tempfile.mkdtemp()
kept = []
for number in range(count):
    with open(os.path.join(folder, f'lib{number}.so'), 'w+b') as file:
        file.write(elf + os.urandom(size - len(elf)))
        file.flush()
        kept.append(mmap.mmap(file.fileno(), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ))
names = os.path.join(folder, 'names')
with open(names, 'w') as file:
    file.write(''.join(path + '\0' for path in mapped()))
print(names, flush=True)
try:
    input()
except EOFError:
    pass
finally:
    shutil.rmtree(folder)
";

impl Target {
    pub(super) fn start(files: usize) -> Result<Self, String> {
        let mut command = Command::new("python3");
        command.args(["-c", PROGRAM, &files.to_string()]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("python3: {error}"))?;
        let mut line = String::new();
        let ready = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        match ready {
            Some(Ok(1..)) => Ok(Self { child, files, list: PathBuf::from(line.trim_end()) }),
            _ => Err("the process to be measured did not start".to_owned()),
        }
    }

    pub(super) fn pid(&self) -> String {
        self.child.id().to_string()
    }

    pub(super) fn files(&self) -> usize {
        self.files
    }

    /// The file that names its files.
    pub(super) fn list(&self) -> &Path {
        &self.list
    }

    /// How many files each of so many processes gets.
    pub(super) fn share(&self, processes: usize) -> usize {
        self.files.div_ceil(processes.max(1))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a process with {} files mapped, 80 MB", self.files)
    }
}

impl Drop for Target {
    /// Closing its input lets it take its files away.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _asked = self.child.wait();
    }
}
