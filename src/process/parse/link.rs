//! The texts of proc's symbolic links: `ns/*` and `fd/*`.

use super::number;

/// The inode in a link such as `mnt:[4026531841]` or `socket:[12345]`, where `kind` is the word
/// before the colon.
#[must_use]
pub fn inode_of(link: &[u8], kind: &[u8]) -> Option<u64> {
    let digits = link.strip_prefix(kind)?.strip_prefix(b":[")?.strip_suffix(b"]")?;
    number(digits, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_must_be_the_one_asked_for() {
        assert_eq!(inode_of(b"mnt:[4026531841]", b"mnt"), Some(4_026_531_841));
        assert_eq!(inode_of(b"socket:[7]", b"socket"), Some(7));
        for other in
            [&b"pipe:[7]"[..], b"socket:[]", b"socket:[7", b"/socket:[7]", b"socket:[-7]", b""]
        {
            assert_eq!(inode_of(other, b"socket"), None, "{}", other.escape_ascii());
        }
    }
}
