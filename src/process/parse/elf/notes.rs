//! Notes: a kind, an owner that defines it, and bytes.

use super::Endian;

/// The size of a note's three numbers.
const HEADER: usize = 12;

/// One note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Note<'a> {
    /// Who defines `kind`, without the NULs at its end. Not UTF-8.
    pub(in super::super) owner: &'a [u8],
    /// `n_type`.
    pub(in super::super) kind: u32,
    /// The bytes.
    pub(in super::super) desc: &'a [u8],
}

/// A note that claims more than there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct BadNote;

/// To what the parts of a note are padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Alignment {
    /// What nearly all notes are.
    Four,
    /// What the specification asks for in 64-bit files, and few linkers do.
    Eight,
}

impl Alignment {
    /// What `p_align` or `sh_addralign` means for notes. Old linkers wrote 0, 1 and 2 and meant 4.
    pub(in super::super) fn of(align: u64) -> Self {
        if align == 8 { Self::Eight } else { Self::Four }
    }

    /// The one that it is not.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Four => Self::Eight,
            Self::Eight => Self::Four,
        }
    }

    fn pad(self, length: usize) -> Option<usize> {
        match self {
            Self::Four => length.checked_next_multiple_of(4),
            Self::Eight => length.checked_next_multiple_of(8),
        }
    }
}

/// The notes in `bytes`. A bad one is the last item: behind it nothing says where the next begins.
pub(in super::super) fn notes(
    bytes: &[u8],
    endian: Endian,
    alignment: Alignment,
) -> impl Iterator<Item = Result<Note<'_>, BadNote>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.len() < HEADER && rest.iter().all(|&b| b == 0) {
            return None;
        }
        let taken = take(rest, endian, alignment);
        rest = taken.map_or(&[], |(_, rest)| rest);
        Some(taken.map(|(note, _)| note).ok_or(BadNote))
    })
}

/// The first note and what follows it, which is less.
fn take(bytes: &[u8], endian: Endian, alignment: Alignment) -> Option<(Note<'_>, &[u8])> {
    let number = |at: usize| endian.number(bytes.get(at..)?, 4);
    let name_end = HEADER.checked_add(usize::try_from(number(0)?).ok()?)?;
    let start = alignment.pad(name_end)?;
    let end = start.checked_add(usize::try_from(number(4)?).ok()?)?;
    let name = bytes.get(HEADER..name_end)?;
    // An empty description may stand at the very end, where its padding was left out.
    let desc = if start == end { &[] } else { bytes.get(start..end)? };
    let owned = name.iter().rposition(|&b| b != 0).map_or(0, |last| last.saturating_add(1));
    let note = Note { owner: name.get(..owned)?, kind: u32::try_from(number(8)?).ok()?, desc };
    Some((note, bytes.get(alignment.pad(end)?..).unwrap_or(&[])))
}

#[cfg(test)]
mod tests {
    use super::super::builder::{Builder, KINDS};
    use super::*;

    fn little(bytes: &[u8], alignment: Alignment) -> Vec<Result<Note<'_>, BadNote>> {
        notes(bytes, Endian::Little, alignment).collect()
    }

    #[test]
    fn notes_follow_each_other_in_either_order_and_alignment() {
        for kind in KINDS {
            let builder = Builder::new(kind);
            for (alignment, pad) in [(Alignment::Four, 4), (Alignment::Eight, 8)] {
                // 17 bytes of owner and 1 of description need padding in both.
                let first = builder.note((b"an owner of eight", 7), b"x", pad);
                let second = builder.note((b"B\0", 0xffff_ffff), b"", pad);
                let bytes = [first, second].concat();
                let read: Vec<_> = notes(&bytes, kind.1, alignment).map(Result::unwrap).collect();
                let expected = [
                    Note { owner: b"an owner of eight", kind: 7, desc: b"x" },
                    Note { owner: b"B", kind: 0xffff_ffff, desc: b"" },
                ];
                assert_eq!(read, expected, "{kind:?} {alignment:?}");
            }
        }
    }

    // Pitfall 24.
    #[test]
    fn an_alignment_of_0_1_2_and_4_means_4_and_an_odd_one_too() {
        for align in [0, 1, 2, 4, 3, 16, 4096, u64::MAX] {
            assert_eq!(Alignment::of(align), Alignment::Four, "{align}");
        }
        assert_eq!(Alignment::of(8), Alignment::Eight);
    }

    // Pitfall 24.
    #[test]
    fn padding_that_is_missing_at_the_end_or_too_long_is_no_bad_note() {
        let note = b"\x04\0\0\0\x01\0\0\0\x03\0\0\0GNU\0x";
        let expected = Ok(Note { owner: b"GNU", kind: 3, desc: b"x" });
        assert_eq!(little(note, Alignment::Four), [expected]);
        assert_eq!(little(&[note, &[0; 3 + 8][..]].concat(), Alignment::Four), [expected]);
        let empty = b"\x01\0\0\0\0\0\0\0\x03\0\0\0A";
        let expected = Ok(Note { owner: b"A", kind: 3, desc: b"" });
        assert_eq!(little(empty, Alignment::Eight), [expected]);
    }

    #[test]
    fn a_bad_note_is_the_last_item_and_the_ones_before_it_stand() {
        let good = b"\x04\0\0\0\0\0\0\0\x03\0\0\0GNU\0";
        let bad = b"\x04\0\0\0\x05\0\0\0\x03\0\0\0GNU\0abcd";
        let read = little(&[&good[..], bad].concat(), Alignment::Four).len();
        assert_eq!(read, 2);
        assert_eq!(little(bad, Alignment::Four), [Err(BadNote)]);
        assert_eq!(little(b"\x01", Alignment::Four), [Err(BadNote)], "too short for a note");
        assert_eq!(little(b"\0", Alignment::Four), []);
    }

    #[test]
    fn an_owner_that_is_no_utf8_hides_nothing() {
        let note = b"\x02\0\0\0\0\0\0\0\x03\0\0\0\xff\0\0\0";
        let all = little(note, Alignment::Four);
        assert_eq!(all, [Ok(Note { owner: b"\xff", kind: 3, desc: b"" })]);
    }
}
