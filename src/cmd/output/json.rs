//! JSON that is safe to look at: C1 and bidirectional controls stand as `\uNNNN`.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::escape::is_deceptive;

/// How a document is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cmd) enum Style {
    /// Indented, for a person.
    Pretty,
    /// On one line.
    Line,
}

/// One document and a newline.
pub(super) fn write(value: &impl Serialize, style: Style) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = match style {
        Style::Pretty => {
            let safe = Safe(PrettyFormatter::new());
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, safe))
        }
        Style::Line => {
            let safe = Safe(CompactFormatter);
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, safe))
        }
    };
    debug_assert!(written.is_ok(), "our own types have string keys and write to memory");
    bytes.push(b'\n');
    bytes
}

/// JSON in which characters that would drive a terminal are escaped; it means the same. Outside its
/// strings JSON has none of them.
pub(super) fn safe(json: &[u8]) -> Vec<u8> {
    let mut safe = String::with_capacity(json.len());
    for character in String::from_utf8_lossy(json).chars() {
        match is_deceptive(character) {
            true => escape(character, |unit| safe.push_str(unit)),
            false => safe.push(character),
        }
    }
    safe.into_bytes()
}

fn escape(character: char, mut push: impl FnMut(&str)) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        push(&format!("\\u{unit:04x}"));
    }
}

/// A formatter that escapes more than JSON asks for.
struct Safe<F>(F);

impl<F: Formatter> Formatter for Safe<F> {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        let mut plain = 0;
        for (at, character) in text.char_indices() {
            if is_deceptive(character) {
                out.write_all(&text.as_bytes()[plain..at])?;
                plain = at + character.len_utf8();
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        out.write_all(&text.as_bytes()[plain..])
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }
    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }
    fn end_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }
    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }
    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }
    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }
    fn end_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_drive_a_terminal_is_escaped_and_means_the_same() {
        let text = "a\u{9b}2J\u{202e}b\u{1b}\u{7f}\u{e0041}ž\"";
        let line = String::from_utf8(write(&text, Style::Line)).unwrap();
        assert_eq!(line, "\"a\\u009b2J\\u202eb\\u001b\\u007f\\udb40\\udc41ž\\\"\"\n");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }

    #[test]
    fn a_person_gets_it_indented() {
        let value = serde_json::json!({"a": [1, {"b": []}]});
        let ours = write(&value, Style::Pretty);
        assert_eq!(ours.trim_ascii_end(), serde_json::to_vec_pretty(&value).unwrap());
    }
}
