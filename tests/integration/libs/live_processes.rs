//! `libs` of processes that a test starts.

use std::fmt::Write;

use serde_json::json;

use super::*;
use crate::command::document;
use crate::live::Live;

/// A shared library that no other process of the machine has: a fixture with a name and a build-id of
/// its own.
struct Library {
    bytes: Vec<u8>,
    soname: String,
    build_id: String,
}

impl Library {
    /// `number` tells those of one test apart.
    fn new(number: u8) -> Self {
        let mut bytes = fs::read(fixture("aarch64-library")).unwrap();
        let own = std::process::id();
        let soname = format!("lib{number:x}{own:06x}.so.1");
        let mut replace = |from: &[u8], to: &[u8]| {
            let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
            bytes[at..at + to.len()].copy_from_slice(to);
        };
        replace(b"libfixture.so.1", soname.as_bytes());
        let id = [&[number][..], &own.to_be_bytes(), &[0xaa; 3]].concat();
        replace(&[0x35, 0x5b, 0xeb, 0x8e, 0x5b, 0x66, 0x6f, 0xdd], &id);
        let rest = "15b30c65141543c6fd24c19f";
        let mut build_id = id.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
        build_id.push_str(rest);
        Self { bytes, soname, build_id }
    }
}

/// A process that has the first page of some files mapped as code.
fn mapping(paths: &[&Path]) -> Live {
    let mut program = "import mmap, os\nkept = []\n".to_owned();
    for path in paths {
        let path = path.display();
        writeln!(
            program,
            "kept.append(mmap.mmap(os.open('{path}', os.O_RDONLY), 4096, mmap.MAP_PRIVATE, \
             mmap.PROT_READ | mmap.PROT_EXEC))"
        )
        .unwrap();
    }
    Live::python(&program)
}

fn file<'a>(document: &'a Value, path: &Path) -> &'a Value {
    let files = document["result"]["loadedLibs"].as_array().unwrap();
    files.iter().find(|file| file["path"] == path.to_str().unwrap()).unwrap()
}

#[test]
fn the_documents_of_the_machine_are_of_their_schemas() {
    let process = Live::shell("true");
    let (libs, find) = (schema("zastava.cli.libs@v1.0"), schema("zastava.cli.find@v1.0"));
    let pid = process.pid().to_string();
    for (arguments, schema) in [
        (&["libs", &pid, "-o", "json"][..], &libs),
        (&["libs", "--all", "-o", "json"], &libs),
        (&["libs", "--find", "path:libc.so*", "-o", "json"], &find),
    ] {
        let seen = document(&mut zastava(arguments));
        assert_eq!(errors(schema, &seen), [""; 0], "{arguments:?}");
    }
}

#[test]
fn what_is_hashed_and_identified_of_a_process_is_what_is_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (library, path) = (Library::new(1), dir.path().join("lib.so"));
    fs::write(&path, &library.bytes).unwrap();
    let process = mapping(&[&path]);
    let seen = document(&mut zastava(["libs", &process.pid().to_string(), "-o", "json"]));
    let told = file(&seen, &path);
    assert_eq!(told["sha256"], sha256sum(&path));
    assert_eq!(told["buildId"], library.build_id.as_str());
    assert_eq!(told["soname"], library.soname.as_str());
}

/// What needs root: the kernel leads nobody else to a file that has no name any more.
mod as_root {
    use super::*;

    /// Who has a file mapped, as `(pid, path, deleted, replaced)` for each build.
    fn found(query: &str) -> Vec<(Value, Vec<Value>)> {
        // Whoever has a very large file mapped makes it long.
        let look = ["libs", "--find", query, "-o", "json", "--timeout", "10m"];
        let seen = document(&mut zastava(look));
        let builds = seen["result"]["builds"].as_array().unwrap().iter();
        let holder = |mapping: &Value| {
            json!([mapping["pid"], mapping["path"], mapping["deleted"], mapping["replaced"]])
        };
        builds
            .map(|build| {
                let mappings = build["mappings"].as_array().unwrap();
                let identity = json!([build["buildId"], build["sha256"], build["soname"]]);
                (identity, mappings.iter().map(holder).collect())
            })
            .collect()
    }

    #[test]
    fn who_runs_the_old_copy_of_a_replaced_library_and_who_the_new_one_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (Library::new(2), Library::new(3));
        let (path, beside) = (dir.path().join("lib.so"), dir.path().join("next"));
        fs::write(&path, &old.bytes).unwrap();
        let old_digest = sha256sum(&path);
        let old_holder = mapping(&[&path]);
        fs::write(&beside, &new.bytes).unwrap();
        fs::rename(&beside, &path).unwrap();
        let new_digest = sha256sum(&path);
        let new_holder = mapping(&[&path]);
        let name = path.to_str().unwrap();
        let of_old = (
            json!([old.build_id, old_digest, old.soname]),
            vec![json!([old_holder.pid(), name, true, true])],
        );
        let of_new = (
            json!([new.build_id, new_digest, new.soname]),
            vec![json!([new_holder.pid(), name, false, false])],
        );
        let sorted = |mut builds: Vec<(Value, Vec<Value>)>| {
            builds.sort_by_key(|(_, holders)| holders[0][0].as_u64());
            builds
        };
        let both = sorted(vec![of_old.clone(), of_new.clone()]);
        assert_eq!(found(&format!("path:{name}")), both);
        for (library, digest, expected) in
            [(&old, &old_digest, of_old), (&new, &new_digest, of_new)]
        {
            // The number is the first byte, and the process's own the next four.
            assert_eq!(
                found(&format!("build-id:{}", &library.build_id[..10])),
                std::slice::from_ref(&expected)
            );
            assert_eq!(
                found(&format!("build-id:{}", library.build_id)),
                std::slice::from_ref(&expected)
            );
            assert_eq!(
                found(&format!("soname:{}", library.soname)),
                std::slice::from_ref(&expected)
            );
            assert_eq!(found(&format!("sha256:{}", &digest[..16])), [expected]);
        }
        let table = run(&mut zastava(["libs", "--find", &format!("path:{name}")]));
        assert_eq!(table.code, Some(0));
        let first = table.stdout.lines().next().unwrap();
        assert_eq!(
            first,
            "2 processes have it mapped now, as 2 builds; 1 runs a copy that was replaced"
        );
        // What stands between tells where it belongs, which a machine that is a container cannot.
        let row = |holder: &Live| {
            let pid = holder.pid().to_string();
            let mut rows = table.stdout.lines().skip(1).map(str::split_whitespace);
            let mine = rows.find(|words| words.clone().take(2).any(|word| word == pid)).unwrap();
            mine.collect::<Vec<_>>().join(" ")
        };
        let (old_row, new_row) = (row(&old_holder), row(&new_holder));
        assert!(old_row.starts_with(&format!("! {} ", old_holder.pid())), "{old_row}");
        assert!(old_row.ends_with(" replaced since: runs the old copy"), "{old_row}");
        assert!(new_row.starts_with(&format!("{} ", new_holder.pid())), "{new_row}");
        assert!(!new_row.contains("replaced"), "{new_row}");
    }

    #[test]
    fn a_deleted_library_is_found_by_what_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let (library, path) = (Library::new(4), dir.path().join("gone.so"));
        fs::write(&path, &library.bytes).unwrap();
        let digest = sha256sum(&path);
        let holder = mapping(&[&path]);
        let expect = |deleted: bool| {
            let name = path.to_str().unwrap();
            let expected = (
                json!([library.build_id, digest, library.soname]),
                vec![json!([holder.pid(), name, deleted, false])],
            );
            for query in [
                format!("path:{name}"),
                format!("build-id:{}", library.build_id),
                format!("sha256:{digest}"),
            ] {
                assert_eq!(found(&query), std::slice::from_ref(&expected), "{query}");
            }
        };
        expect(false);
        fs::remove_file(&path).unwrap();
        expect(true);
    }

    /// Two processes of one build, one of them from before the file was replaced by a copy of itself.
    #[test]
    fn the_same_bytes_put_in_place_again_are_one_build_with_one_old_copy() {
        let dir = tempfile::tempdir().unwrap();
        let (library, path) = (Library::new(5), dir.path().join("lib.so"));
        let beside = dir.path().join("next");
        fs::write(&path, &library.bytes).unwrap();
        let before = mapping(&[&path]);
        fs::write(&beside, &library.bytes).unwrap();
        fs::rename(&beside, &path).unwrap();
        let after = mapping(&[&path]);
        let name = path.to_str().unwrap();
        let mut holders =
            vec![json!([before.pid(), name, true, true]), json!([after.pid(), name, false, false])];
        holders.sort_by_key(|holder| holder[0].as_u64());
        let identity = json!([library.build_id, sha256sum(&path), library.soname]);
        assert_eq!(found(&format!("build-id:{}", library.build_id)), [(identity, holders)]);
    }
}

/// A file of the machine as `libs` tells it, where its name leads to the very file in our own root.
fn comparable(seen: &Value) -> Vec<(PathBuf, Value)> {
    use std::os::unix::fs::MetadataExt;
    let files = seen["result"]["loadedLibs"].as_array().unwrap().iter();
    let ours = files.filter(|file| {
        let path = Path::new(file["path"].as_str().unwrap());
        let same = fs::metadata(path).is_ok_and(|meta| {
            let (major, minor) = (rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
            file["inode"] == meta.ino() && file["dev"] == format!("{major}:{minor}")
        });
        let is_plain =
            file["kind"] == "file" && file["deleted"] == false && file["replaced"] == false;
        is_plain && same && file.get("pathBytes").is_none() && fs::File::open(path).is_ok()
    });
    ours.map(|file| (PathBuf::from(file["path"].as_str().unwrap()), file.clone())).collect()
}

/// The build-id that readelf shows, or `none`.
fn readelf(path: &Path) -> String {
    let ran = Command::new("readelf").args(["--notes", "--wide"]).arg(path).output();
    let ran = ran.unwrap_or_else(|error| panic!("install the Debian package binutils: {error}"));
    let told = crate::elf_readelf::Told::parse(&ran.stdout);
    told.build_ids.first().cloned().unwrap_or_else(|| "none".to_owned())
}

/// Those that differ: the path, and what is said and what should be.
fn differences() -> (usize, Vec<(PathBuf, Value, Value)>) {
    let look = ["libs", "--all", "--digest", "sha256", "-o", "json", "--timeout", "10m"];
    let files = comparable(&document(&mut zastava(look)));
    let wrong = files.iter().filter_map(|(path, file)| {
        let ours = json!([file.get("sha256"), file.get("buildId")]);
        let theirs = json!([sha256sum(path), readelf(path)]);
        (ours != theirs).then(|| (path.clone(), ours, theirs))
    });
    (files.len(), wrong.collect())
}

#[test]
fn every_file_that_is_mapped_on_this_machine_is_told_as_readelf_reads_and_sha256sum_sums_it() {
    let _some =
        (Live::shell("true"), Live::python("import ssl, sqlite3, decimal, lzma, bz2, ctypes"));
    let (mut compared, mut wrong) = differences();
    if !wrong.is_empty() {
        // What was written to meanwhile.
        let before: Vec<_> = wrong.into_iter().map(|(path, ..)| path).collect();
        (compared, wrong) = differences();
        wrong.retain(|(path, ..)| before.contains(path));
    }
    assert_eq!(wrong, [], "of {compared}");
    assert!(compared >= 20, "{compared}");
}
