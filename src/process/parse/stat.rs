//! `/proc/<pid>/stat`: one line that anyone may read (`proc_pid_stat(5)`).

use super::{Cursor, Malformed};

/// The kernel's flag for its own threads (`PF_KTHREAD`, `include/linux/sched.h`).
const PF_KTHREAD: u64 = 0x0020_0000;

/// The fields of `stat` that we use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat<'a> {
    /// Field 1, in the pid namespace of the proc root.
    pub pid: u32,
    /// Field 2 without its parentheses, unescaped: the process chooses it, and it may hold
    /// parentheses, spaces and newlines.
    pub comm: &'a [u8],
    /// Field 3, such as `S`; `Z` is a zombie.
    pub state: u8,
    /// Field 4; 0 where the parent is outside the pid namespace.
    pub ppid: u32,
    /// Field 9: whether this is a thread of the kernel, which has no executable and no memory.
    pub kernel_thread: bool,
    /// Field 20.
    pub threads: u64,
    /// Field 22: ticks between boot and the start of the process.
    pub start_ticks: u64,
}

/// Whether a process of this state and number of threads has ended: the state alone is that of its
/// first thread, which may leave others behind.
#[must_use]
pub fn has_ended(state: u8, threads: u64) -> bool {
    state == b'Z' && threads <= 1
}

/// Reads the one line of `stat`.
///
/// # Errors
///
/// Names the first field that is missing or no number.
pub fn stat(bytes: &[u8]) -> Result<Stat<'_>, Malformed> {
    let mut cursor = Cursor::new(1, bytes.trim_ascii_end());
    let pid = cursor.decimal("pid")?;
    let comm = comm(&mut cursor)?;
    let state = match cursor.word("state")? {
        [state] => *state,
        _ => return Err(cursor.malformed("state")),
    };
    let ppid = cursor.decimal("ppid")?;
    skip(&mut cursor, 4)?; // pgrp, session, tty_nr, tpgid
    let flags: u64 = cursor.decimal("flags")?;
    skip(&mut cursor, 10)?; // fault counts, times, priority, nice
    let threads = cursor.decimal("num_threads")?;
    skip(&mut cursor, 1)?; // itrealvalue
    let start_ticks = cursor.decimal("starttime")?;
    Ok(Stat {
        pid,
        comm,
        state,
        ppid,
        kernel_thread: flags & PF_KTHREAD != 0,
        threads,
        start_ticks,
    })
}

/// The name ends at the *last* closing parenthesis of the line: no later field has one.
fn comm<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Malformed> {
    let named = cursor.rest.strip_prefix(b"(").ok_or_else(|| cursor.malformed("comm"))?;
    let end = named.iter().rposition(|&b| b == b')').ok_or_else(|| cursor.malformed("comm"))?;
    let (comm, rest) = named.split_at_checked(end).unwrap_or((named, &[]));
    cursor.rest = rest.get(1..).unwrap_or(&[]);
    Ok(comm)
}

fn skip(cursor: &mut Cursor<'_>, fields: usize) -> Result<(), Malformed> {
    (0..fields).try_for_each(|_| cursor.word("field before starttime").map(|_| ()))
}

/// The `btime` line of `/proc/stat`: seconds between the epoch and the boot of the machine.
#[must_use]
pub fn boot_time(bytes: &[u8]) -> Option<u64> {
    super::lines(bytes)
        .find_map(|(_, line)| super::number(line.strip_prefix(b"btime ")?.trim_ascii(), 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Linux 6.18, `cat /proc/self/stat`.
    const CAT: &[u8] = b"4242 (cat) R 4200 4242 4200 0 -1 4194304 97 0 0 0 0 0 0 0 20 0 1 0 \
        166822 2994176 224 18446744073709551615 94341 94359 140726 0 0 0 0 0 0 0 0 0 17 1 0 0 0 \
        0 0 94371 94372 94397 1407 1407 1407 1407 0\n";

    #[test]
    fn a_line_as_the_kernel_prints_it() {
        assert_eq!(
            stat(CAT),
            Ok(Stat {
                pid: 4242,
                comm: b"cat",
                state: b'R',
                ppid: 4200,
                kernel_thread: false,
                threads: 1,
                start_ticks: 166_822,
            })
        );
    }

    #[test]
    fn the_flag_of_a_kernel_thread_is_seen() {
        let line = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0";
        let read = stat(line).unwrap();
        assert!(read.kernel_thread);
        assert_eq!((read.comm, read.ppid), (&b"kthreadd"[..], 0));
    }

    #[test]
    fn a_name_cannot_forge_the_fields_behind_it() {
        let line = b"7 (x) R 1 (y\n) \xff) S 3 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 9 0 77 0 0\n";
        let read = stat(line).unwrap();
        assert_eq!(read.comm, b"x) R 1 (y\n) \xff");
        assert_eq!((read.state, read.ppid, read.threads, read.start_ticks), (b'S', 3, 9, 77));
    }

    // The first three make a well-known library panic.
    #[test]
    fn what_is_missing_is_named() {
        let cases: [(&[u8], &str); 7] = [
            (b"(a) S 1", "pid"),
            (b"1 (a)", "state"),
            (b"1 (a", "comm"),
            (b"", "pid"),
            (b"1 a S 1", "comm"),
            (b"1 (a) SS 1", "state"),
            (b"1 (a) S 1 1 1 0 -1 0 0 0 0", "field before starttime"),
        ];
        for (line, field) in cases {
            assert_eq!(stat(line), Err(Malformed { field, line: 1 }), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn the_boot_time_is_found_among_the_other_lines() {
        assert_eq!(
            boot_time(b"cpu  1 2 3\nintr 0\nbtime 1763942400\nprocesses 9\n"),
            Some(1_763_942_400)
        );
        assert_eq!(boot_time(b"cpu  1 2 3\nbtime x\n"), None);
    }
}
