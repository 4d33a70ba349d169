//! `.note.package`: what the packager says of a file
//! (<https://systemd.io/ELF_PACKAGE_METADATA/>).

use serde::Deserialize;

/// One package note. Whoever built the file wrote it, and nobody checked it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageNote {
    /// `type`: `rpm`, `deb`, `apk`, ….
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `name`, of the source package.
    pub name: Option<String>,
    /// `version`, with the packager's own part.
    pub version: Option<String>,
    /// `architecture`, in the packager's words.
    pub architecture: Option<String>,
    /// `os`, as `ID` in os-release.
    pub os: Option<String>,
    /// `osVersion`, as `VERSION_ID` in os-release.
    pub os_version: Option<String>,
    /// `osCpe`, as `CPE_NAME` in os-release.
    pub os_cpe: Option<String>,
}

/// The package in a text, which NULs may follow. Members that are not known are passed over
/// unbuilt, so a text takes no more memory than its own size.
pub(super) fn parse(text: &[u8]) -> Option<PackageNote> {
    let end = text.iter().rposition(|&b| b != 0).map_or(0, |last| last.saturating_add(1));
    let text = text.get(..end)?.trim_ascii_start();
    // An array would be read as the members in their order.
    text.starts_with(b"{").then(|| serde_json::from_slice(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_as_fedora_writes_it() {
        let text = br#"{"type":"rpm","name":"coreutils","version":"9.4-7.fc40","architecture":"x86_64","osCpe":"cpe:/o:fedoraproject:fedora:40","debugInfoUrl":["a",{"b":1}]}"#;
        let told = |text: &str| Some(text.to_owned());
        assert_eq!(
            parse(&[&text[..], b"\0\0"].concat()),
            Some(PackageNote {
                kind: told("rpm"),
                name: told("coreutils"),
                version: told("9.4-7.fc40"),
                architecture: told("x86_64"),
                os: None,
                os_version: None,
                os_cpe: told("cpe:/o:fedoraproject:fedora:40"),
            })
        );
    }

    #[test]
    fn only_an_object_of_texts_is_a_package() {
        assert_eq!(parse(b"{}"), Some(PackageNote::default()));
        assert!(parse(b"{\"name\":\"a\",\"osVersion\":null}\n\0").is_some());
        let array = br#"["a","b","c","d","e","f","g"]"#;
        for bad in [&b""[..], b"\0", array, b"{\"name\":1}", b"{", b"{}x", b"{\"\xff\":1}"] {
            assert_eq!(parse(bad), None, "{}", bad.escape_ascii());
        }
    }
}
