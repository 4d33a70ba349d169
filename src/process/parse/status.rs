//! `/proc/<pid>/status`: `Key:<tab>value` lines (`proc_pid_status(5)`).
//!
//! Every field is an option, because kernels and configurations differ. The kernel escapes newlines
//! and backslashes in `Name`, so no process can forge a line.

use super::{lines, number};

/// The fields of `status` that we use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The process that this task is a thread of.
    pub tgid: Option<u32>,
    /// The effective user id, in the reader's user namespace.
    pub uid: Option<u32>,
    /// The effective group id.
    pub gid: Option<u32>,
    /// The pid in each pid namespace, from the proc root's down to its own.
    pub ns_pids: Vec<u32>,
    /// The effective capabilities, a bit each.
    pub cap_eff: Option<u64>,
    /// Whether new privileges are ruled out (`PR_SET_NO_NEW_PRIVS`).
    pub no_new_privs: Option<bool>,
    /// The seccomp mode: 0 none, 1 strict, 2 filter.
    pub seccomp: Option<u8>,
}

/// Reads what is there; a line that cannot be understood leaves its field empty.
#[must_use]
pub fn status(bytes: &[u8]) -> Status {
    let mut status = Status::default();
    for (_, line) in lines(bytes) {
        let Some(colon) = line.iter().position(|&b| b == b':') else {
            continue;
        };
        let (key, value) = line.split_at_checked(colon).unwrap_or((line, &[]));
        let value = value.get(1..).unwrap_or(&[]).trim_ascii();
        match key {
            b"Tgid" => status.tgid = number(value, 10),
            b"Uid" => status.uid = effective(value),
            b"Gid" => status.gid = effective(value),
            b"NSpid" => status.ns_pids = words(value).filter_map(|pid| number(pid, 10)).collect(),
            b"CapEff" => status.cap_eff = number(value, 16),
            b"NoNewPrivs" => status.no_new_privs = number::<u8>(value, 10).map(|set| set != 0),
            b"Seccomp" => status.seccomp = number(value, 10),
            _ => {}
        }
    }
    status
}

/// The second of real, effective, saved and file-system id.
fn effective(value: &[u8]) -> Option<u32> {
    words(value).nth(1).and_then(|id| number(id, 10))
}

fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Linux 6.18, a process in a container of its own pid namespace, shortened.
    const SHELL: &[u8] = b"Name:\tsh\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t812\nNgid:\t0\n\
        Pid:\t812\nPPid:\t1\nTracerPid:\t0\nUid:\t0\t1000\t0\t0\nGid:\t0\t100\t0\t0\nFDSize:\t256\n\
        NStgid:\t812\t1\nNSpid:\t812\t1\nThreads:\t1\nCapInh:\t0000000000000000\n\
        CapEff:\t00000000a80425fb\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n";

    #[test]
    fn a_file_as_the_kernel_prints_it() {
        assert_eq!(
            status(SHELL),
            Status {
                tgid: Some(812),
                uid: Some(1000),
                gid: Some(100),
                ns_pids: vec![812, 1],
                cap_eff: Some(0xa804_25fb),
                no_new_privs: Some(true),
                seccomp: Some(2),
            }
        );
    }

    #[test]
    fn a_name_with_colons_or_broken_utf8_leaves_the_other_fields_alone() {
        let read = status(b"Name:\ta:b\xff\\n\nTgid:\t7\nUid:\tx\nNoNewPrivs:\t2\nnonsense\n:\n");
        assert_eq!(read, Status { tgid: Some(7), no_new_privs: Some(true), ..Status::default() });
    }

    #[test]
    fn no_bytes_are_no_fields() {
        assert_eq!(status(b""), Status::default());
    }
}
