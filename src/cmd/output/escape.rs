//! Names that somebody else chose, made safe for a terminal, so that it can be undone.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// What the terminal's locale can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cmd) enum Charset {
    /// All of Unicode.
    Utf8,
    /// ASCII, to be on the safe side.
    Ascii,
}

/// Writes `bytes` so that nothing in them drives a terminal or hides from a reader.
///
/// Control characters, those without width, those that turn the writing direction and bytes that
/// are no UTF-8 become `\n`, `\x1b`, `\u{202e}`, `\xff`; a backslash becomes two. Without a UTF-8
/// locale every character beyond ASCII is escaped.
#[must_use]
pub(in crate::cmd) fn text(bytes: &[u8], charset: Charset) -> String {
    let mut safe = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push(&mut safe, character, charset);
        }
        for byte in chunk.invalid() {
            hex(&mut safe, *byte);
        }
    }
    safe
}

fn push(safe: &mut String, character: char, charset: Charset) {
    match character {
        '\\' => safe.push_str(r"\\"),
        '\n' => safe.push_str(r"\n"),
        '\r' => safe.push_str(r"\r"),
        '\t' => safe.push_str(r"\t"),
        control @ '\0'..='\u{1f}' | control @ '\u{7f}' => hex(safe, control as u8),
        other if is_deceptive(other) || (charset == Charset::Ascii && !other.is_ascii()) => {
            // Writing to a string does not fail.
            let _written = write!(safe, "\\u{{{:x}}}", u32::from(other));
        }
        plain => safe.push(plain),
    }
}

fn hex(safe: &mut String, byte: u8) {
    let _written = write!(safe, "\\x{byte:02x}");
}

/// Whether a character beyond ASCII controls, turns or hides: C1, bidirectional controls, line and
/// paragraph separators, and whatever has no width.
#[must_use]
pub(in crate::cmd) fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}')
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || character.width() == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drives_a_terminal_is_shown_instead() {
        let cases: [(&[u8], &str); 10] = [
            (b"plain name.so", "plain name.so"),
            (b"a\x1b[2J\x07", r"a\x1b[2J\x07"),
            (b"a\nb\tc\rd\0\x7f", r"a\nb\tc\rd\x00\x7f"),
            (b"\xff.so", r"\xff.so"),
            (br"a\n", r"a\\n"),
            ("a\u{202e}b".as_bytes(), r"a\u{202e}b"),
            ("a\u{9b}2J".as_bytes(), r"a\u{9b}2J"),
            ("a\u{200b}\u{feff}\u{ad}\u{2028}b".as_bytes(), r"a\u{200b}\u{feff}\u{ad}\u{2028}b"),
            ("e\u{301}".as_bytes(), r"e\u{301}"),
            ("žaba 日本".as_bytes(), "žaba 日本"),
        ];
        for (bytes, safe) in cases {
            assert_eq!(text(bytes, Charset::Utf8), safe);
        }
        assert_eq!(text("ž".as_bytes(), Charset::Ascii), r"\u{17e}");
    }

    #[test]
    fn two_names_never_look_alike() {
        assert_ne!(text(b"\n", Charset::Utf8), text(br"\n", Charset::Utf8));
        assert_ne!(text(b"\xff", Charset::Utf8), text(br"\xff", Charset::Utf8));
    }
}
