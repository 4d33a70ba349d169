//! Positioned reads of one file, each counted.

use std::borrow::Cow;
use std::cell::Cell;

use crate::limits::ElfLimits;

use super::Why;

/// Positioned reads of one file.
pub trait Source {
    /// Fills `buffer` from `offset` as far as the file goes; fewer bytes only at its end.
    ///
    /// # Errors
    ///
    /// When the file cannot be read there. Being short is not a failure.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Unreadable>;
}

/// A read failed. The source knows why; here it only matters that it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// A file that is in memory, for tests and fuzzing.
impl Source for &[u8] {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Unreadable> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.get(start..).unwrap_or(&[]);
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        Ok(length)
    }
}

/// The first read. In nearly every file it holds the header, the program headers, the name of the
/// interpreter and the notes.
const HEAD: usize = 4096;

/// The most that is allocated before the source has shown that the file goes on.
const STEP: usize = 64 << 10;

/// The first read for a string.
const SHORT: usize = 256;

/// A source, its limits, and what is left of them.
pub(super) struct Reader<'a> {
    pub(super) limits: &'a ElfLimits,
    source: &'a dyn Source,
    left: Cell<u64>,
    head: Vec<u8>,
}

impl<'a> Reader<'a> {
    /// Reads the beginning of the file.
    pub(super) fn open(source: &'a dyn Source, limits: &'a ElfLimits) -> Result<Self, Why> {
        let left = Cell::new(limits.total);
        let mut reader = Self { limits, source, left, head: Vec::new() };
        reader.head = reader.fetch(0, HEAD)?;
        Ok(reader)
    }

    /// The beginning of the file.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// At most `length` bytes from `offset`; fewer where the file ends.
    pub(super) fn read(&self, offset: u64, length: usize) -> Result<Cow<'_, [u8]>, Why> {
        match self.known(offset, length) {
            Some(bytes) => Ok(Cow::Borrowed(bytes)),
            None => self.fetch(offset, length).map(Cow::Owned),
        }
    }

    /// Exactly `length` bytes, of which there may be `limit`.
    pub(super) fn exact(
        &self,
        offset: u64,
        length: u64,
        limit: usize,
    ) -> Result<Cow<'_, [u8]>, Why> {
        let wanted = usize::try_from(length).unwrap_or(usize::MAX);
        if wanted > limit {
            return Err(Why::Budget);
        }
        let bytes = self.read(offset, wanted)?;
        if bytes.len() < wanted { Err(Why::Malformed) } else { Ok(bytes) }
    }

    /// The bytes before a NUL, which must come within `available` bytes and the limit of a string.
    pub(super) fn string(&self, offset: u64, available: u64) -> Result<Vec<u8>, Why> {
        let available = usize::try_from(available).unwrap_or(usize::MAX);
        let most = available.min(self.limits.string);
        let mut length = most.min(SHORT);
        loop {
            let bytes = self.read(offset, length)?;
            if let Some(string) = until_nul(&bytes) {
                return Ok(string.to_vec());
            }
            if bytes.len() == most && most < available {
                return Err(Why::Budget);
            }
            if bytes.len() < length || length == most {
                return Err(Why::Malformed);
            }
            length = length.saturating_mul(4).min(most);
        }
    }

    /// The bytes, where the first read has all of them.
    fn known(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        self.head.get(start..start.checked_add(length)?)
    }

    /// Grows with what the source returns, not with what a header claims.
    fn fetch(&self, offset: u64, length: usize) -> Result<Vec<u8>, Why> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let start = bytes.len();
            let step = length.saturating_sub(start).min(STEP);
            let at = u64::try_from(start).ok().and_then(|start| offset.checked_add(start));
            self.charge(step)?;
            bytes.resize(start.saturating_add(step), 0);
            let room = bytes.get_mut(start..).unwrap_or(&mut []);
            let got = self.source.read_at(at.ok_or(Why::Malformed)?, room)?;
            bytes.truncate(start.saturating_add(got));
            if got < step {
                break;
            }
        }
        Ok(bytes)
    }

    fn charge(&self, bytes: usize) -> Result<(), Why> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let left = self.left.get().checked_sub(bytes).ok_or(Why::Budget)?;
        self.left.set(left);
        Ok(())
    }
}

/// What stands before the first NUL.
fn until_nul(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(..bytes.iter().position(|&b| b == 0)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(file: &[u8], available: u64, limit: usize) -> Result<Vec<u8>, Why> {
        let limits = ElfLimits { string: limit, ..ElfLimits::default() };
        Reader::open(&file, &limits).unwrap().string(0, available)
    }

    #[test]
    fn a_string_ends_at_its_nul_and_not_at_the_end_of_a_read() {
        let long = [&[b'a'; 5000][..], b"\0b"].concat();
        assert_eq!(string(b"ab\0c\0", 9, 9), Ok(b"ab".to_vec()));
        assert_eq!(string(b"\0c", 9, 9), Ok(vec![]));
        assert_eq!(string(&long, 5001, 8192), Ok(vec![b'a'; 5000]));
    }

    #[test]
    fn a_string_without_a_nul_is_malformed_and_one_cut_by_the_limit_is_not() {
        assert_eq!(string(b"abc", 9, 9), Err(Why::Malformed), "the file ends");
        assert_eq!(string(b"abc\0", 3, 9), Err(Why::Malformed), "its table ends");
        assert_eq!(string(b"abc\0", 9, 3), Err(Why::Budget));
        assert_eq!(string(b"abc\0", 0, 3), Err(Why::Malformed));
    }

    #[test]
    fn a_read_is_refused_when_the_total_is_used_up_and_not_before() {
        let file = &[7_u8; 9000][..];
        let limits = ElfLimits { total: 4096 + 100, ..ElfLimits::default() };
        let reader = Reader::open(&file, &limits).unwrap();
        assert_eq!(reader.read(4000, 96).unwrap().len(), 96, "the first read has it");
        assert_eq!(reader.read(5000, 100).unwrap().len(), 100);
        assert_eq!(reader.read(5000, 1), Err(Why::Budget));
    }

    #[test]
    fn offsets_beyond_the_file_and_beyond_64_bits_are_its_end() {
        let file = &b"abc"[..];
        let limits = ElfLimits::default();
        let reader = Reader::open(&file, &limits).unwrap();
        assert_eq!(reader.read(3, 10).unwrap().len(), 0);
        assert_eq!(reader.read(u64::MAX, 10).unwrap().len(), 0);
        assert_eq!(reader.exact(2, 1, 9).unwrap(), &b"c"[..]);
        assert_eq!(reader.exact(2, 2, 9), Err(Why::Malformed));
        assert_eq!(reader.exact(2, 2, 1), Err(Why::Budget));
    }
}
