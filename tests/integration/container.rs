//! Containers that a test starts with plain runc, which needs root.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use serde_json::{Value, json};
use tempfile::TempDir;

/// A container of plain runc, killed and deleted when it is dropped.
#[derive(Debug)]
pub(crate) struct Container {
    dir: TempDir,
    id: String,
}

impl Container {
    /// Starts one of busybox alone.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Relaxed);
        let id = format!("zastava-test.{}.{number}", std::process::id());
        let container = Self { dir: tempfile::tempdir().unwrap(), id };
        let bin = container.bundle().join("rootfs/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::copy("/bin/busybox", bin.join("busybox")).unwrap();
        assert!(container.runc(&["spec"]).status().unwrap().success());
        let path = container.bundle().join("config.json");
        let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        config["process"]["terminal"] = json!(false);
        config["process"]["args"] = json!(arguments);
        // A machine may lack the right to raise them.
        config["process"]["rlimits"] = json!([]);
        fs::write(&path, serde_json::to_vec(&config).unwrap()).unwrap();
        let mut run = container.runc(&["run", "--detach", &container.id]);
        assert!(run.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap().success());
        container
    }

    /// Its name, which runc gives its cgroup.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    fn bundle(&self) -> PathBuf {
        self.dir.path().join("bundle")
    }

    fn runc(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("runc");
        command
            .arg("--root")
            .arg(self.dir.path().join("state"))
            .args(arguments)
            .current_dir(self.bundle());
        command
    }

    /// The pid of its init.
    pub(crate) fn pid(&self) -> u32 {
        let state = self.runc(&["state", &self.id]).output().unwrap();
        let state: Value = serde_json::from_slice(&state.stdout).unwrap();
        state["pid"].as_u64().unwrap().try_into().unwrap()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _deleted = self.runc(&["delete", "--force", &self.id]).status();
    }
}
