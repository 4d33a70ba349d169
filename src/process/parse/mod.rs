//! Parsers of what the kernel prints under `/proc`, and of the ELF files that a process has mapped.
//!
//! May use: `limits`. Crates: `goblin`, `serde`, `serde_json`.
//!
//! Pure and total: bytes in, borrowed values out; no panic, no endless loop, no memory beyond the
//! input's own size times a small constant. Nothing here is UTF-8: a process chooses its own name,
//! arguments, paths and socket names, and one byte of `0xff` must not hide the rest. A line that
//! cannot be understood is a [`Malformed`] of its own and the next line is read. Each parser has a
//! target of the same name under `fuzz/`.
#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::arithmetic_side_effects
)]

pub mod cgroup;
pub mod cmdline;
pub mod container_id;
pub mod elf;
pub mod link;
pub mod maps;
pub mod mountinfo;
pub mod net;
pub mod promises;
pub mod stat;
pub mod status;

use std::fmt;

/// A line or field that is not in the form that the kernel documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The field that could not be understood.
    pub field: &'static str,
    /// The line it stands on, counted from 1.
    pub line: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: bad {}", self.line, self.field)
    }
}

impl std::error::Error for Malformed {}

/// A block device or anonymous file system, as `st_dev` and `maps` name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    /// The major number.
    pub major: u32,
    /// The minor number; wider than two hexadecimal digits on hosts with many mounts.
    pub minor: u32,
}

impl fmt::Display for Device {
    /// Decimal, as in `mountinfo` and `stat -c %Hd:%Ld`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

/// The lines of `bytes` with their numbers, empty ones left out.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    (1..).zip(bytes.split(|&b| b == b'\n')).filter(|(_, line)| !line.is_empty())
}

/// A line that is taken apart from its front.
#[derive(Debug)]
struct Cursor<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Cursor<'a> {
    fn new(line: usize, rest: &'a [u8]) -> Self {
        Self { rest, line }
    }

    fn malformed(&self, field: &'static str) -> Malformed {
        Malformed { field, line: self.line }
    }

    /// Drops leading spaces and tabs.
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    /// Everything before the next `end`, which is dropped; all of the rest where there is none.
    fn until(&mut self, end: u8) -> &'a [u8] {
        let at = self.rest.iter().position(|&b| b == end).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at_checked(at).unwrap_or((self.rest, &[]));
        self.rest = rest.get(1..).unwrap_or(&[]);
        field
    }

    /// The next field before a run of blanks; an absent one is an error.
    fn word(&mut self, field: &'static str) -> Result<&'a [u8], Malformed> {
        self.skip_blanks();
        match self.until(b' ') {
            [] => Err(self.malformed(field)),
            word => Ok(word),
        }
    }

    fn decimal<N: TryFrom<u64>>(&mut self, field: &'static str) -> Result<N, Malformed> {
        let word = self.word(field)?;
        number(word, 10).ok_or_else(|| self.malformed(field))
    }
}

/// An unsigned number that fills all of `digits` and fits; no sign, no white space.
pub(super) fn number<N: TryFrom<u64>>(digits: &[u8], radix: u32) -> Option<N> {
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0_u64, |value, &digit| {
        let digit = char::from(digit).to_digit(radix)?;
        value.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))
    })?;
    N::try_from(value).ok()
}

/// Undoes the kernel's `\ooo` escapes of `mountinfo` (space, tab, newline, backslash, `#`, `,`).
///
/// A backslash that no three octal digits follow stands for itself.
#[must_use]
pub fn unescape_octal(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = tail.get(..3).filter(|_| first == b'\\').and_then(|ooo| number::<u8>(ooo, 8));
        match escaped {
            Some(byte) => {
                plain.push(byte);
                rest = tail.get(3..).unwrap_or(&[]);
            }
            None => {
                plain.push(first);
                rest = tail;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_fills_its_field_and_fits() {
        assert_eq!(number::<u64>(b"18446744073709551615", 10), Some(u64::MAX));
        assert_eq!(number::<u64>(b"18446744073709551616", 10), None);
        assert_eq!(number::<u64>(b"ffffffffff600000", 16), Some(0xffff_ffff_ff60_0000));
        assert_eq!(number::<u32>(b"21a", 16), Some(0x21a));
        for bad in [&b""[..], b"+1", b"-1", b" 1", b"1 ", b"0x1", b"\xff"] {
            assert_eq!(number::<u64>(bad, 10), None, "{bad:?}");
        }
        assert_eq!(number::<u32>(b"4294967296", 10), None);
    }

    #[test]
    fn octal_escapes_are_undone_and_a_lone_backslash_stays() {
        assert_eq!(unescape_octal(br"/a\040b\011c\012d\134e"), b"/a b\tc\nd\\e");
        assert_eq!(unescape_octal(br"\"), br"\");
        assert_eq!(unescape_octal(br"\04"), br"\04");
        assert_eq!(unescape_octal(br"\999\0408"), b"\\999 8");
        assert_eq!(unescape_octal(br"\777"), br"\777");
    }
}
