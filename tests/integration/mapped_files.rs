//! What the names in `maps` mean, from trees that show what this kernel cannot be made to print.
//! What it can be made to print is in `live_processes`.

use std::fs;
use std::os::unix::fs::MetadataExt;

use zastava::contract::Observed;
use zastava::inspect::ProcessObservation;
use zastava::process::{Device, MappedFile};

use crate::proc_tree::{ProcTree, gaps, map_line};

fn mapped(observed: &Observed<ProcessObservation>) -> &[MappedFile] {
    observed.value.mapped.as_deref().unwrap()
}

fn device_of(path: &std::path::Path) -> Device {
    let dev = fs::metadata(path).unwrap().dev();
    Device { major: rustix::fs::major(dev), minor: rustix::fs::minor(dev) }
}

// Pitfalls 8 and 9: stacked file systems and btrfs print a device that `stat` does not show.
#[test]
fn a_device_that_stat_does_not_show_is_still_the_same_file() {
    let tree = ProcTree::new();
    let app = tree.rootfs().join("app");
    let inode = fs::metadata(&app).unwrap().ino();
    let line = format!("1000-2000 r-xp 00000000 00:474 {inode}    {}\n", tree.name("/app"));
    tree.process(7).file("maps", line.as_bytes());
    let observed = tree.observe(7);
    // Its name is believed; what is in it would be somebody else's word.
    assert_eq!(gaps(&observed), ["loadedLibs.buildId: unsupported"]);
    let [file] = mapped(&observed) else { panic!("{observed:?}") };
    assert_eq!((file.device, file.inode, file.size), (device_of(&app), inode, Some(11)));
    assert!(!file.deleted && !file.replaced);
}

// What is mounted over a mapped file can be given a file with its number.
#[test]
fn a_file_of_another_mounted_device_does_not_lend_its_number() {
    let tree = ProcTree::new();
    let app = tree.rootfs().join("app");
    let inode = fs::metadata(&app).unwrap().ino();
    let line = format!("1000-2000 r-xp 00000000 00:474 {inode}    {}\n", tree.name("/app"));
    let mounts = b"1 0 254:0 / / rw - ext4 /dev/vda rw\n2 1 0:1140 / /app rw - tmpfs tmpfs rw\n";
    tree.process(7).file("maps", line.as_bytes()).file("mountinfo", mounts);
    let observed = tree.observe(7);
    assert_eq!(mapped(&observed)[0].size, None);
    let told = ["loadedLibs.size: not-found", "loadedLibs.buildId: not-found"];
    assert_eq!(gaps(&observed), told);
}

// A file of another file system cannot lend its number to one that is gone.
#[test]
fn a_name_with_the_kernels_mark_is_alive_only_if_device_and_inode_agree() {
    let tree = ProcTree::new();
    let decoy = tree.rootfs_file("lib.so (deleted)", b"a decoy");
    let inode = fs::metadata(&decoy).unwrap().ino();
    let name = tree.name("/lib.so (deleted)");
    let line = format!("1000-2000 r-xp 00000000 00:474 {inode}    {name}\n");
    tree.process(7).file("maps", line.as_bytes());
    assert!(mapped(&tree.observe(7))[0].deleted);
    // The twin: it is what it is called.
    tree.process(7).file("maps", &map_line(&decoy, &name));
    let observed = tree.observe(7);
    assert!(!mapped(&observed)[0].deleted);
    assert_eq!(mapped(&observed)[0].path, name.as_bytes());
}

// Pitfall 10.
#[test]
fn one_inode_number_on_two_file_systems_is_two_files() {
    let tree = ProcTree::new();
    let lines = b"1000-2000 r-xp 0 00:1a 5    /a/lib.so\n\
        2000-3000 r--p 0 00:1a 5    /a/lib.so\n\
        3000-4000 r-xp 0 00:1b 5    /a/lib.so\n";
    tree.process(7).file("maps", lines);
    let observed = tree.observe(7);
    let devices: Vec<_> =
        mapped(&observed).iter().map(|f| (f.device.minor, f.executable)).collect();
    assert_eq!(devices, [(0x1a, true), (0x1b, true)]);
}

// Pitfall 11: kernels with shifted or mapped ids print the host's path.
#[test]
fn a_path_of_the_host_is_shown_and_its_size_is_a_gap() {
    let tree = ProcTree::new();
    let name = tree.name("/var/lib/docker/overlay2/ab/merged/bin/cat");
    tree.process(7).file("maps", format!("1000-2000 r-xp 0 00:1a 5    {name}\n").as_bytes());
    let observed = tree.observe(7);
    assert_eq!(gaps(&observed), ["loadedLibs.size: not-found", "loadedLibs.buildId: not-found"]);
    assert_eq!(mapped(&observed)[0].path, name.as_bytes());
    assert_eq!(mapped(&observed)[0].size, None);
}

// Pitfall 21: a path is one of the process's own root, and no link leads out of it.
#[test]
fn a_symbolic_link_cannot_lead_out_of_the_root() {
    let tree = ProcTree::new();
    let outside = tree.path().join("secret.so");
    fs::write(&outside, b"outside").unwrap();
    std::os::unix::fs::symlink(&outside, tree.rootfs().join("evil.so")).unwrap();
    std::os::unix::fs::symlink("../../../../../../secret.so", tree.rootfs().join("up.so")).unwrap();
    for name in ["/evil.so", "/up.so", "/../secret.so"] {
        tree.process(7).file("maps", &map_line(&outside, &tree.name(name)));
        let observed = tree.observe(7);
        assert_eq!(
            gaps(&observed),
            ["loadedLibs.size: not-found", "loadedLibs.buildId: not-found"],
            "{name}"
        );
    }
    // The twin: the same file inside.
    let inside = tree.rootfs_file("evil.so.real", b"inside");
    fs::remove_file(tree.rootfs().join("evil.so")).unwrap();
    std::os::unix::fs::symlink("/evil.so.real", tree.rootfs().join("evil.so")).unwrap();
    tree.process(7).file("maps", &map_line(&inside, &tree.name("/evil.so")));
    assert_eq!(gaps(&tree.observe(7)), [""; 0]);
}

#[test]
fn looking_at_a_fifo_or_a_directory_waits_for_nobody() {
    let tree = ProcTree::new();
    let fifo = tree.rootfs().join("pipe.so");
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    tree.process(7).file("maps", &map_line(&fifo, &tree.name("/pipe.so")));
    assert_eq!(gaps(&tree.observe(7)), [""; 0]);
}

#[test]
fn a_bad_line_is_a_gap_and_the_others_are_read() {
    let tree = ProcTree::new();
    let app = tree.rootfs().join("app");
    let lines = [
        &b"nonsense\n"[..],
        &map_line(&app, &tree.name("/app")),
        b"1-2 r-xp 0 0:0 18446744073709551616 /x\n",
    ]
    .concat();
    tree.process(7).file("maps", &lines);
    let observed = tree.observe(7);
    assert_eq!(gaps(&observed), ["loadedLibs: malformed"]);
    assert_eq!(observed.gaps.as_slice()[0].count, 2);
    assert_eq!(mapped(&observed).len(), 1);
}
