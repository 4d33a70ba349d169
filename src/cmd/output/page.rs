//! A table for a person: plain lines that fit the terminal, marks in the first column.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape::{self, Charset};

/// Whether marks are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cmd) enum Colour {
    /// They are.
    On,
    /// They are not.
    Off,
}

/// Lines that are put together and rendered at the end.
#[derive(Debug)]
pub(in crate::cmd) struct Page {
    width: Option<usize>,
    charset: Charset,
    lines: Vec<String>,
}

impl Page {
    pub(super) fn new(width: Option<usize>, charset: Charset) -> Self {
        Self { width, charset, lines: Vec::new() }
    }

    /// A name that somebody else chose, made safe.
    pub(in crate::cmd) fn safe(&self, bytes: &[u8]) -> String {
        escape::text(bytes, self.charset)
    }

    /// The same for one name among others: in quotes where it could be taken for more than one, or
    /// for a mark.
    pub(in crate::cmd) fn name(&self, bytes: &[u8]) -> String {
        let safe = self.safe(bytes);
        let doubtful =
            safe.is_empty() || safe.contains([' ', ',', '>', '\'']) || safe == "!" || safe == "?";
        if doubtful { quoted(&safe) } else { safe }
    }

    /// The same for an argument, as a shell would take it back.
    pub(in crate::cmd) fn argument(&self, bytes: &[u8]) -> String {
        let safe = self.safe(bytes);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"@%+=:,./-_\\".contains(&b) || b >= 0x80;
        if safe.is_empty() || !safe.bytes().all(plain) { quoted(&safe) } else { safe }
    }

    /// Adds a line, cut at its end where it does not fit.
    pub(in crate::cmd) fn line(&mut self, line: impl Into<String>) {
        let line = line.into();
        let line = match self.width {
            Some(width) => cut_end(&line, width, self.ellipsis()),
            None => line,
        };
        self.lines.push(line.trim_end().to_owned());
    }

    /// Adds an empty line between two parts.
    pub(in crate::cmd) fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }

    /// Adds a label and words behind it, over as many lines as they need.
    pub(in crate::cmd) fn flow(&mut self, label: &str, words: &[String], separator: &str) {
        let indent = label.width();
        let mut line = label.to_owned();
        for (number, word) in words.iter().enumerate() {
            let word = match number + 1 == words.len() {
                true => word.clone(),
                false => format!("{word}{separator}"),
            };
            let fits =
                self.width.is_none_or(|width| line.width() + word.trim_end().width() <= width);
            if !fits && line.width() > indent {
                self.line(std::mem::replace(&mut line, " ".repeat(indent)));
            }
            // A word that no line holds loses its middle.
            let room = self.width.map_or(usize::MAX, |width| width.saturating_sub(indent).max(8));
            line.push_str(&self.middle(&word, room));
        }
        self.line(line);
    }

    /// Adds a label and a sentence behind it, over as many lines as it needs.
    pub(in crate::cmd) fn prose(&mut self, label: &str, sentence: &str) {
        let words: Vec<_> = sentence.split(' ').map(str::to_owned).collect();
        self.flow(label, &words, " ");
    }

    /// A path or name within `room` columns, without its middle where it is too long.
    pub(in crate::cmd) fn middle(&self, text: &str, room: usize) -> String {
        match self.width {
            Some(_) => cut_middle(text, room, self.ellipsis()),
            None => text.to_owned(),
        }
    }

    /// A digest or id: its first 12 characters on a terminal.
    pub(in crate::cmd) fn digest(&self, text: &str) -> String {
        match self.width {
            Some(_) if is_hex(text) => text.chars().take(12).collect(),
            _ => text.to_owned(),
        }
    }

    /// Adds rows in columns, two spaces apart; the column `shrinks` loses its middle where a row
    /// does not fit.
    pub(in crate::cmd) fn columns(&mut self, rows: Vec<Vec<String>>, shrinks: usize) {
        self.annotated(rows, &[], shrinks);
    }

    /// The same with words below some of the rows.
    pub(in crate::cmd) fn annotated(
        &mut self,
        mut rows: Vec<Vec<String>>,
        notes: &[Option<String>],
        shrinks: usize,
    ) {
        if let Some(width) = self.width {
            let others = widest(&rows, |column| column != shrinks)
                + 2 * longest_row(&rows).saturating_sub(1);
            let room = width.saturating_sub(others).max(12);
            for cell in rows.iter_mut().filter_map(|row| row.get_mut(shrinks)) {
                // The mark before a name is not a part of it.
                let mark = ["! ", "? ", "  "].into_iter().find(|mark| cell.starts_with(mark));
                let (mark, name) = cell.split_at(mark.map_or(0, str::len));
                let name = cut_middle(name, room - mark.len(), self.ellipsis());
                *cell = format!("{mark}{name}");
            }
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.add_rows(rows);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let rendered = table.to_string();
        for (number, line) in rendered.lines().enumerate() {
            self.line(line);
            if let Some(Some(note)) = notes.get(number) {
                self.prose("    ", note);
            }
        }
    }

    fn ellipsis(&self) -> &'static str {
        match self.charset {
            Charset::Utf8 => "…",
            Charset::Ascii => "...",
        }
    }

    /// The page as text; colour stands only on a mark that says the same.
    pub(super) fn render(&self, colour: Colour) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let rest = line.get(1..).filter(|rest| colour == Colour::On && rest.starts_with(' '));
            match (line.chars().next(), rest) {
                (Some('!'), Some(rest)) => push_marked(&mut text, '!', AnsiColor::Red, rest),
                (Some('?'), Some(rest)) => push_marked(&mut text, '?', AnsiColor::Yellow, rest),
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn push_marked(text: &mut String, mark: char, colour: AnsiColor, rest: &str) {
    let style = Style::new().bold().fg_color(Some(colour.into()));
    text.push_str(&format!("{style}{mark}{style:#}{rest}"));
}

fn widest(rows: &[Vec<String>], counts: impl Fn(usize) -> bool) -> usize {
    let columns = (0..longest_row(rows)).filter(|&column| counts(column));
    let width = |column: usize| rows.iter().filter_map(|row| Some(row.get(column)?.width())).max();
    columns.filter_map(width).sum()
}

fn longest_row(rows: &[Vec<String>]) -> usize {
    rows.iter().map(Vec::len).max().unwrap_or(0)
}

fn is_hex(text: &str) -> bool {
    text.len() > 12 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn cut_end(text: &str, room: usize, ellipsis: &str) -> String {
    if text.trim_end().width() <= room {
        return text.to_owned();
    }
    let kept = prefix(text.chars(), room.saturating_sub(ellipsis.width()));
    format!("{kept}{ellipsis}")
}

fn cut_middle(text: &str, room: usize, ellipsis: &str) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let left = room.saturating_sub(ellipsis.width());
    // Of a path the last name says most, and stays whole where it can.
    let name = text.rfind('/').map_or(0, |at| text[at..].width());
    let kept = (left - left / 2).max(name.min(left));
    let tail: String = prefix(text.chars().rev(), kept).chars().rev().collect();
    let head = prefix(text.chars(), left - kept);
    format!("{head}{ellipsis}{tail}")
}

fn prefix(characters: impl Iterator<Item = char>, room: usize) -> String {
    let mut used = 0;
    characters
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= room
        })
        .collect()
}

/// A size in decimal units.
pub(in crate::cmd) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) if bytes / unit < 10 => {
            format!("{}.{} {name}", bytes / unit, bytes % unit / (unit / 10))
        }
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} B"),
    }
}

/// An age in its two largest units.
pub(in crate::cmd) fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) if minutes < 10 => format!("{minutes}m{}s", seconds % 60),
        (0, 0, _) => format!("{minutes}m"),
        (0, _, _) => format!("{hours}h{minutes}m"),
        (_, _, _) if days < 10 => format!("{days}d{hours}h"),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_too_long_loses_its_middle() {
        assert_eq!(
            cut_middle("/usr/lib/x86_64-linux-gnu/libc.so.6", 20, "…"),
            "/usr/lib/…/libc.so.6"
        );
        assert_eq!(cut_middle("/usr/lib/x86_64-linux-gnu/libc.so.6", 20, "...").width(), 20);
        assert_eq!(cut_middle("日本日本日本", 7, "…"), "日…本");
        assert_eq!(cut_middle("short", 5, "…"), "short");
    }

    #[test]
    fn words_flow_behind_their_label_and_nothing_is_cut_in_a_pipe() {
        let words: Vec<_> = ["1 init", "20 shell", "300 python"].map(str::to_owned).to_vec();
        let mut narrow = Page::new(Some(20), Charset::Utf8);
        narrow.flow("UP  ", &words, " > ");
        assert_eq!(narrow.render(Colour::Off), "UP  1 init >\n    20 shell >\n    300 python\n");
        let mut pipe = Page::new(None, Charset::Utf8);
        pipe.flow("UP  ", &words, " > ");
        assert_eq!(pipe.render(Colour::Off), "UP  1 init > 20 shell > 300 python\n");
    }

    #[test]
    fn colour_stands_on_the_mark_alone() {
        let mut page = Page::new(None, Charset::Utf8);
        page.line("! gone");
        page.line("!not a mark");
        assert_eq!(page.render(Colour::On), "\u{1b}[1m\u{1b}[31m!\u{1b}[0m gone\n!not a mark\n");
        assert_eq!(page.render(Colour::Off), "! gone\n!not a mark\n");
    }

    #[test]
    fn columns_fit_and_one_of_them_gives_way() {
        let rows = vec![
            vec!["/usr/lib/x86_64-linux-gnu/libcrypto.so.3".to_owned(), "4.7 MB".to_owned()],
            vec!["/bin/sh".to_owned(), "1 KB".to_owned()],
        ];
        let mut page = Page::new(Some(32), Charset::Utf8);
        page.columns(rows, 0);
        assert_eq!(
            page.render(Colour::Off),
            "/usr/lib…/libcrypto.so.3  4.7 MB\n/bin/sh                   1 KB\n"
        );
    }

    #[test]
    fn a_mark_stays_before_a_name_that_is_cut() {
        let mut page = Page::new(Some(24), Charset::Utf8);
        let long = "! /a/name-that-no-column-holds.so.1";
        page.columns(vec![vec![long.to_owned(), "4.7 MB".to_owned()]], 0);
        assert_eq!(page.render(Colour::Off), "! …mn-holds.so.1  4.7 MB\n");
    }

    #[test]
    fn arguments_and_names_can_be_told_apart() {
        let page = Page::new(None, Charset::Utf8);
        let cases = [
            ("", "''"),
            ("a b", "'a b'"),
            ("-l", "-l"),
            ("it's", r"'it'\''s'"),
            ("žaba", "žaba"),
            ("$x", "'$x'"),
        ];
        for (argument, shown) in cases {
            assert_eq!(page.argument(argument.as_bytes()), shown);
        }
        let cases = [
            ("kworker/0:0-ev", "kworker/0:0-ev"),
            ("(sd-pam)", "(sd-pam)"),
            ("a > 1 systemd", "'a > 1 systemd'"),
            ("x   tcp 0.0.0.0:22", "'x   tcp 0.0.0.0:22'"),
            ("! sshd, uid 0", "'! sshd, uid 0'"),
            ("", "''"),
        ];
        for (name, shown) in cases {
            assert_eq!(page.name(name.as_bytes()), shown);
        }
    }

    #[test]
    fn sizes_are_decimal_and_ages_have_two_units() {
        let sizes = [(0, "0 B"), (999, "999 B"), (2_345_678, "2.3 MB"), (48_200_000, "48 MB")];
        for (bytes, told) in sizes {
            assert_eq!(size(bytes), told);
        }
        let ages = [
            (5, "5s"),
            (65, "1m5s"),
            (960, "16m"),
            (7260, "2h1m"),
            (273_600, "3d4h"),
            (864_000, "10d"),
        ];
        for (seconds, told) in ages {
            assert_eq!(age(Duration::from_secs(seconds)), told);
        }
    }
}
