//! `/proc/<pid>/cmdline`: the argument vector, or what the process wrote over it.

/// The arguments in `bytes`, empty ones kept.
///
/// Each argument ends with a NUL. A process that writes over its own arguments (`setproctitle(3)`)
/// may leave the last one open, and often pads the area with NULs, which are read as empty
/// arguments: the two cannot be told apart.
#[must_use]
pub fn arguments(bytes: &[u8]) -> Vec<&[u8]> {
    match bytes {
        [] => Vec::new(),
        bytes => bytes.strip_suffix(b"\0").unwrap_or(bytes).split(|&b| b == 0).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_arguments_are_kept_wherever_they_stand() {
        assert_eq!(arguments(b"sh\0-c\0\0x\0\0"), [&b"sh"[..], b"-c", b"", b"x", b""]);
        assert_eq!(arguments(b"\0"), [&b""[..]]);
    }

    #[test]
    fn no_bytes_are_no_arguments() {
        assert!(arguments(b"").is_empty());
    }

    #[test]
    fn a_title_written_over_the_arguments_may_have_no_end() {
        assert_eq!(arguments(b"nginx: master process"), [&b"nginx: master process"[..]]);
    }

    #[test]
    fn bytes_that_are_no_utf8_stay_as_they_are() {
        assert_eq!(arguments(b"a\xff\0\x1b[2J\0"), [&b"a\xff"[..], b"\x1b[2J"]);
    }
}
