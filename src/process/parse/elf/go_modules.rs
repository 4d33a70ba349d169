//! The text in which a Go program says of which modules it was built.

use super::GoModule;

/// Marks of 16 bytes stand on both sides of the text, for tools that search a file for them.
const MARK: usize = 16;

/// The longest line that is kept: a file is remembered for the whole run.
const LINE: usize = 4096;

/// What the text says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Modules {
    pub(super) path: Option<String>,
    pub(super) module: Option<GoModule>,
    pub(super) cgo: Option<bool>,
    /// Whether all of it that matters could be understood. No text is whole: it was built without
    /// modules.
    pub(super) is_whole: bool,
}

/// Reads the text with its marks.
pub(super) fn parse(text: &[u8]) -> Modules {
    let mut modules = Modules { is_whole: true, ..Modules::default() };
    if text.is_empty() {
        return modules;
    }
    let Some(text) = between_marks(text) else {
        return Modules { is_whole: false, ..modules };
    };
    let lines = text.split(|&b| b == b'\n');
    lines.for_each(|line| modules.line(line));
    modules
}

/// The text between its marks; the last line ends just before the second.
fn between_marks(text: &[u8]) -> Option<&[u8]> {
    let end = text.len().checked_sub(MARK)?;
    text.get(MARK..end).filter(|text| text.ends_with(b"\n"))
}

impl Modules {
    fn line(&mut self, line: &[u8]) {
        if line.len() > LINE {
            self.is_whole &= !line.starts_with(b"path\t") && !line.starts_with(b"mod\t");
            return;
        }
        let line = String::from_utf8_lossy(line);
        match line.split_once('\t') {
            Some(("path", path)) => self.path = Some(path.to_owned()),
            Some(("mod", fields)) => {
                self.module = module(fields);
                self.is_whole &= self.module.is_some();
            }
            Some(("build", "CGO_ENABLED=0")) => self.cgo = Some(false),
            Some(("build", "CGO_ENABLED=1")) => self.cgo = Some(true),
            _ => {}
        }
    }
}

/// A path, a version, and perhaps a checksum.
fn module(fields: &str) -> Option<GoModule> {
    let mut fields = fields.split('\t').map(str::to_owned);
    let (path, version, sum) = (fields.next()?, fields.next()?, fields.next());
    let module = GoModule { path, version, sum: sum.filter(|sum| !sum.is_empty()) };
    fields.next().is_none().then_some(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str) -> Vec<u8> {
        format!("0123456789abcdef{text}fedcba9876543210").into_bytes()
    }

    #[test]
    fn a_text_as_go_writes_it() {
        let text = "path\texample.org/a/cmd/b\nmod\texample.org/a\tv1.2.3\th1:abc=\n\
                    dep\texample.org/c\tv0.1.0\th1:def=\n=>\texample.org/d\tv0.2.0\th1:ghi=\n\
                    build\t-ldflags=\"-s -w\"\nbuild\tCGO_ENABLED=1\nbuild\tGOARCH=amd64\n";
        let module = GoModule {
            path: "example.org/a".to_owned(),
            version: "v1.2.3".to_owned(),
            sum: Some("h1:abc=".to_owned()),
        };
        assert_eq!(
            parse(&marked(text)),
            Modules {
                path: Some("example.org/a/cmd/b".to_owned()),
                module: Some(module),
                cgo: Some(true),
                is_whole: true,
            }
        );
    }

    #[test]
    fn a_module_without_a_checksum_has_none() {
        let told = parse(&marked("mod\ta\t(devel)\t\nbuild\tCGO_ENABLED=0\n"));
        let module = GoModule { path: "a".to_owned(), version: "(devel)".to_owned(), sum: None };
        assert_eq!(told.module.as_ref(), Some(&module));
        assert_eq!(told.cgo, Some(false));
        assert_eq!(parse(&marked("mod\ta\t(devel)\n")).module, Some(module));
    }

    #[test]
    fn a_line_that_is_broken_hides_no_other() {
        for bad in ["mod\ta", "mod\t", "mod\ta\tv1\th1:x\tmore"] {
            let told = parse(&marked(&format!("{bad}\npath\tb\n")));
            assert_eq!((told.module, told.is_whole), (None, false), "{bad}");
            assert_eq!(told.path.as_deref(), Some("b"));
        }
    }

    #[test]
    fn no_text_is_a_build_without_modules_and_one_without_marks_is_broken() {
        assert!(parse(b"").is_whole);
        assert!(parse(&marked("path\ta\n")).is_whole);
        assert!(!parse(&marked("path\ta")).is_whole);
        assert!(!parse(&marked("")).is_whole);
        assert!(!parse(b"path\ta\n").is_whole);
    }
}
