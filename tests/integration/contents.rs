//! What is read of files, what is known of them already, and what the budget leaves out.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use zastava::contract::{Observed, Reason};
use zastava::inspect::{self, LoadedObservation};
use zastava::limits::{Deadline, DigestBudget, ReadLimits};
use zastava::process::{
    Algorithm, Asked, ContentCache, ContentRequest, Counters, MappedFile, ProcRoot, ProcessHandle,
    Told,
};

use crate::live::Live;
use crate::proc_tree::{ProcTree, gaps, map_line};

fn look(root: &ProcRoot, pid: u32, request: &ContentRequest<'_>) -> Observed<LoadedObservation> {
    let handle = ProcessHandle::open(root, Asked::Pid(pid)).unwrap();
    inspect::loaded(root, &handle, request)
}

fn machine() -> ProcRoot {
    ProcRoot::open(Path::new("/proc"), ReadLimits::default(), Deadline::never()).unwrap()
}

fn sha256(cache: &ContentCache, budget: DigestBudget) -> ContentRequest<'_> {
    ContentRequest { budget, ..ContentRequest::digests(cache, Algorithm::Sha256) }
}

fn mapped(seen: &Observed<LoadedObservation>) -> &[MappedFile] {
    seen.value.mapped.as_deref().unwrap()
}

/// Each file's digest, or why it has none, as `name: digest`.
fn digests(seen: &Observed<LoadedObservation>) -> Vec<String> {
    let told = |file: &MappedFile| match &file.content.digest {
        Told::Known(digest) => digest.hex()[..8].to_owned(),
        Told::Unknown(reason) => reason.to_string(),
        Told::None => "none".to_owned(),
        Told::NotAsked => "not asked".to_owned(),
    };
    let name = |file: &MappedFile| {
        String::from_utf8_lossy(&file.path).rsplit('/').next().unwrap().to_owned()
    };
    mapped(seen).iter().map(|file| format!("{} {}", name(file), told(file))).collect()
}

/// A process with files of 10, 20 and 50 bytes mapped besides its executable of 11.
fn tree() -> ProcTree {
    let tree = ProcTree::new();
    let files = [("a", 10), ("b", 20), ("c", 50)];
    let mut maps = map_line(&tree.rootfs().join("app"), &tree.name("/app"));
    for (name, size) in files {
        let path = tree.rootfs_file(name, &vec![b'x'; size]);
        maps.extend(map_line(&path, &tree.name(&format!("/{name}"))));
    }
    tree.process(7).file("maps", &maps);
    tree
}

// printf 'the program' | sha256sum, and so many x: head -c 10 /dev/zero | tr '\0' x | sha256sum
const APP: &str = "app 50fda23b";
const A: &str = "a fc11d6f2";
const B: &str = "b d4fc1db6";
const C: &str = "c 77cf1206";

#[test]
fn the_executable_comes_first_then_the_smallest_and_what_does_not_fit_is_passed_over() {
    let tree = tree();
    let root = tree.root(ReadLimits::default());
    let within = |files: usize, bytes: u64| {
        let cache = ContentCache::default();
        let seen = look(&root, 7, &sha256(&cache, DigestBudget { files, bytes }));
        (digests(&seen), gaps(&seen))
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(within(4, 91), ([A, APP, B, C].map(String::from).to_vec(), none.clone()));
    let left_out = vec!["loadedLibs.sha256: budget".to_owned()];
    let all_but_c = [A, APP, B, "c budget"].map(String::from).to_vec();
    assert_eq!(within(4, 90), (all_but_c.clone(), left_out.clone()));
    assert_eq!(within(4, 41), (all_but_c.clone(), left_out.clone()));
    assert_eq!(within(3, 91), (all_but_c, left_out.clone()));
    let exe_alone = ["a budget", APP, "b budget", "c budget"].map(String::from).to_vec();
    assert_eq!(within(4, 11), (exe_alone, left_out));
    // The executable does not fit and spends nothing: the smallest still does.
    let a_alone = [A, "app budget", "b budget", "c budget"].map(String::from).to_vec();
    let both =
        ["process.exe.sha256: budget", "loadedLibs.sha256: budget"].map(String::from).to_vec();
    assert_eq!(within(4, 10), (a_alone, both));
}

#[test]
fn without_digests_asked_for_there_are_none_and_no_gap() {
    let tree = tree();
    let cache = ContentCache::default();
    let seen = look(&tree.root(ReadLimits::default()), 7, &ContentRequest::headers(&cache));
    assert_eq!(gaps(&seen), [""; 0]);
    assert!(mapped(&seen).iter().all(|file| file.content.digest == Told::NotAsked));
    assert!(mapped(&seen).iter().all(|file| file.content.build_id() == Told::None));
}

#[test]
fn a_file_that_has_just_changed_is_read_again() {
    let tree = tree();
    let root = tree.root(ReadLimits::default());
    let cache = ContentCache::default();
    let request = sha256(&cache, DigestBudget::COMMAND);
    assert_eq!(digests(&look(&root, 7, &request))[0], A);
    // As large as before, and written within the same tick of the kernel's clock.
    fs::write(tree.rootfs().join("a"), b"0123456789").unwrap();
    // printf 0123456789 | sha256sum
    assert_eq!(digests(&look(&root, 7, &request))[0], "a 84d89877");
}

/// What was read for digests between two looks.
fn hashed(before: Counters, after: Counters) -> (u64, u64) {
    (after.hashed_files - before.hashed_files, after.hashed_bytes - before.hashed_bytes)
}

#[test]
fn what_is_known_is_not_read_again_whatever_the_budget_left_out_before() {
    let process = Live::shell("true");
    let (root, cache) = (machine(), ContentCache::default());
    let little = DigestBudget { files: 1, bytes: u64::MAX };
    let first = look(&root, process.pid(), &sha256(&cache, little));
    let files = mapped(&first).len() as u64;
    let known = |seen: &Observed<LoadedObservation>| {
        mapped(seen).iter().filter(|file| file.content.digest.known().is_some()).count() as u64
    };
    assert!(files > 2, "sleep and its libraries are mapped");
    assert_eq!(known(&first), 1);
    let once = cache.counters();
    let second = look(&root, process.pid(), &sha256(&cache, DigestBudget::COMMAND));
    assert_eq!(known(&second), files, "{:?}", second.gaps);
    let twice = cache.counters();
    assert_eq!(hashed(once, twice).0, files - 1);
    let third = look(&root, process.pid(), &sha256(&cache, DigestBudget { files: 0, bytes: 0 }));
    assert_eq!(hashed(twice, cache.counters()), (0, 0));
    assert_eq!(digests(&third), digests(&second));
}

#[test]
fn two_processes_of_one_program_are_read_once() {
    let (one, other) = (Live::shell("true"), Live::shell("true"));
    let (root, cache) = (machine(), ContentCache::default());
    let request = sha256(&cache, DigestBudget::COMMAND);
    let first = look(&root, one.pid(), &request);
    let before = cache.counters();
    let second = look(&root, other.pid(), &request);
    assert_eq!(hashed(before, cache.counters()), (0, 0));
    assert_eq!(digests(&first), digests(&second));
}

#[test]
fn a_file_that_its_process_writes_through_a_mapping_is_not_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shared");
    fs::write(&path, [b'x'; 4096]).unwrap();
    let mapping = |flag: &str| {
        Live::python(&format!(
            "import mmap\nf = open('{}', 'r+b'); m = mmap.mmap(f.fileno(), 4096, mmap.{flag})",
            path.display()
        ))
    };
    std::thread::sleep(std::time::Duration::from_millis(3100));
    let (root, cache) = (machine(), ContentCache::default());
    let request = sha256(&cache, DigestBudget::COMMAND);
    let reads = |process: &Live| {
        let before = cache.counters();
        look(&root, process.pid(), &request);
        hashed(before, cache.counters()).0
    };
    let writer = mapping("MAP_SHARED");
    assert!(reads(&writer) > 1, "python and its libraries");
    assert_eq!(reads(&writer), 1);
    // The twin: a copy of its own is changed and not the file.
    let reader = mapping("MAP_PRIVATE");
    assert_eq!(reads(&reader), 1);
    assert_eq!(reads(&reader), 0);
}

#[test]
fn a_file_that_was_cut_short_under_its_process_is_read_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cut.so");
    let process = Live::python(&format!(
        "import mmap, os\nf = open('{0}', 'w+b'); f.write(b'x' * 65536); f.flush()\n\
         m = mmap.mmap(f.fileno(), 65536, mmap.MAP_PRIVATE, mmap.PROT_READ); os.truncate('{0}', 0)",
        path.display()
    ));
    let cache = ContentCache::default();
    let seen = look(&machine(), process.pid(), &sha256(&cache, DigestBudget::COMMAND));
    // printf '' | sha256sum
    assert!(digests(&seen).contains(&"cut.so e3b0c442".to_owned()), "{:?}", digests(&seen));
}

#[test]
fn a_file_that_is_cut_and_grown_while_it_is_read_never_ends_the_reader() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("restless.so");
    let elf =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/elf/musl-library"));
    let whole = [elf.unwrap(), vec![0; 8 << 20]].concat();
    fs::write(&path, &whole).unwrap();
    let process = Live::python(&format!(
        "import mmap, threading, os\nf = open('{0}', 'rb')\n\
         m = mmap.mmap(f.fileno(), 4096, mmap.MAP_PRIVATE, mmap.PROT_READ)\n\
         def restless():\n  w = os.open('{0}', os.O_WRONLY)\n  while True:\n    \
         os.ftruncate(w, 100); os.ftruncate(w, {1})\n\
         threading.Thread(target=restless, daemon=True).start()",
        path.display(),
        whole.len()
    ));
    let (root, cache) = (machine(), ContentCache::default());
    for _ in 0..40 {
        let seen = look(&root, process.pid(), &sha256(&cache, DigestBudget::COMMAND));
        let restless = |file: &&MappedFile| file.path.ends_with(b"restless.so");
        let file = mapped(&seen).iter().find(restless).unwrap();
        let told = [file.content.elf.unknown(), file.content.digest.unknown()];
        let allowed = [None, Some(Reason::Malformed)];
        assert!(told.iter().all(|reason| allowed.contains(reason)), "{told:?}");
    }
}

#[test]
fn a_name_that_leads_nowhere_has_its_reason_and_its_twin_a_digest() {
    let tree = ProcTree::new();
    // Whoever may read everything is refused by nothing, so what is tried is a loop of links.
    let real = tree.rootfs_file("real.so", b"real");
    std::os::unix::fs::symlink("loop.so", tree.rootfs().join("loop.so")).unwrap();
    let maps = |name: &str| map_line(&real, &tree.name(name));
    tree.process(7).file("maps", &maps("/loop.so"));
    let (root, cache) = (tree.root(ReadLimits::default()), ContentCache::default());
    let request = sha256(&cache, DigestBudget::COMMAND);
    let seen = look(&root, 7, &request);
    assert_eq!(
        seen.value.mapped.as_ref().unwrap()[0].content.digest,
        Told::Unknown(Reason::Malformed)
    );
    tree.process(7).file("maps", &maps("/real.so"));
    // printf real | sha256sum
    assert_eq!(digests(&look(&root, 7, &request)), ["real.so aa33996d"]);
}

mod as_root {
    use super::*;

    /// An overlay with a directory of its own above `lower`, taken away when it is dropped.
    struct Overlay {
        root: PathBuf,
        upper: PathBuf,
    }

    impl Overlay {
        fn command(dir: &Path, name: &str) -> (Self, String) {
            let (root, upper) = (dir.join(format!("root-{name}")), dir.join(name));
            let work = dir.join(format!("work-{name}"));
            [&root, &upper, &work].iter().for_each(|dir| fs::create_dir(dir).unwrap());
            let mount = format!(
                "mount -t overlay overlay -o lowerdir={},upperdir={},workdir={} {}",
                dir.join("lower").display(),
                upper.display(),
                work.display(),
                root.display()
            );
            (Self { root, upper }, mount)
        }

        /// Mounted by the host.
        fn mount(dir: &Path, name: &str) -> Self {
            let (overlay, mount) = Self::command(dir, name);
            assert!(Command::new("sh").args(["-c", &mount]).status().unwrap().success());
            overlay
        }

        fn shell(&self, script: &str) {
            let mut shell = Command::new("sh");
            let done = shell.args(["-c", script]).current_dir(&self.root).status().unwrap();
            assert!(done.success(), "{script}");
        }

        /// Runs the overlay's busybox with the overlay as its root; `before` is a command that a shell
        /// is given first.
        fn run(&self, before: &str) -> Live {
            let script = format!(
                "{before} cd {} && exec chroot . /busybox sh -c 'echo ready; exec /busybox sleep 600'",
                self.root.display()
            );
            let live = Live::start(Command::new("unshare").args(["--mount", "sh", "-c", &script]));
            let arguments = format!("/proc/{}/cmdline", live.pid());
            crate::live::wait_for("the shell to become sleep", || {
                fs::read(&arguments).is_ok_and(|words| words.ends_with(b"sleep\x00600\0"))
            });
            live
        }
    }

    impl Drop for Overlay {
        fn drop(&mut self) {
            let _not_mounted = Command::new("umount").arg("-l").arg(&self.root).output();
        }
    }

    fn busybox() -> PathBuf {
        let paths = std::env::var_os("PATH").unwrap();
        let mut found = std::env::split_paths(&paths).map(|path| path.join("busybox"));
        let there = found.find(|path| path.exists());
        there.unwrap_or_else(|| panic!("install the Debian package busybox-static"))
    }

    /// A directory whose `lower` has busybox, for long enough to be remembered.
    fn image() -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("lower")).unwrap();
        fs::copy(busybox(), dir.path().join("lower/busybox")).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(3100));
        dir
    }

    fn told_by_sha256sum(path: &Path) -> String {
        let told = Command::new("sha256sum").arg(path).output().unwrap().stdout;
        format!("busybox {}", &String::from_utf8(told).unwrap()[..8])
    }

    /// What each of two processes is told to be, and what the second one cost.
    fn one_after_the_other(one: &Live, other: &Live) -> ([Vec<String>; 2], u64) {
        let (root, cache) = (machine(), ContentCache::default());
        let request = sha256(&cache, DigestBudget::COMMAND);
        let first = look(&root, one.pid(), &request);
        let before = cache.counters();
        let second = look(&root, other.pid(), &request);
        assert_ne!(mapped(&first)[0].device, mapped(&second)[0].device, "a device each");
        ([digests(&first), digests(&second)], hashed(before, cache.counters()).0)
    }

    #[test]
    fn containers_of_one_image_share_what_is_known() {
        let dir = image();
        let overlays = ["one", "other"].map(|name| Overlay::mount(dir.path(), name));
        let [one, other] = overlays.each_ref().map(|overlay| overlay.run(""));
        let told = told_by_sha256sum(&busybox());
        assert_eq!(one_after_the_other(&one, &other), ([vec![told.clone()], vec![told]], 0));
    }

    // A copied-up file has its inode still, and two copies can be given the same times.
    #[test]
    fn files_of_one_image_that_were_changed_are_read_each() {
        let dir = image();
        let overlays = ["one", "other"].map(|name| Overlay::mount(dir.path(), name));
        for (overlay, letter) in overlays.iter().zip(["x", "y"]) {
            overlay.shell(&format!(
                "printf {letter} | dd of=busybox bs=1 seek=$(($(stat -c %s busybox) - 1)) \
                 conv=notrunc status=none && touch -r ../lower/busybox busybox"
            ));
        }
        std::thread::sleep(std::time::Duration::from_millis(3100));
        let [one, other] = overlays.each_ref().map(|overlay| overlay.run(""));
        let inode = |overlay: &Overlay| {
            let file = fs::metadata(overlay.root.join("busybox")).unwrap();
            (file.ino(), file.size(), file.mtime(), file.mtime_nsec())
        };
        assert_eq!(inode(&overlays[0]), inode(&overlays[1]));
        let told = overlays.each_ref().map(|o| vec![told_by_sha256sum(&o.upper.join("busybox"))]);
        assert_ne!(told[0], told[1]);
        assert_eq!(one_after_the_other(&one, &other), (told, 1));
    }

    // Whoever mounts an overlay writes its options, and may name any directory of the host.
    #[test]
    fn an_overlay_that_the_host_did_not_mount_shares_nothing() {
        let dir = image();
        let overlay = Overlay::mount(dir.path(), "one");
        let (other, mount) = Overlay::command(dir.path(), "other");
        let (one, other) = (overlay.run(""), other.run(&format!("{mount} &&")));
        let told = told_by_sha256sum(&busybox());
        assert_eq!(one_after_the_other(&one, &other), ([vec![told.clone()], vec![told]], 1));
    }
}
