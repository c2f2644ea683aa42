//! What an item alone gives: what its certificate is called and how long it is good. Data beside the catalogue, because
//! catalogues that are signed already say nothing of it. An item that is not there gives none.
use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::ids::ItemCode;
use serde::Deserialize;

const TEXT: &str = include_str!("../../../../assets/sample/certificates.toml");

/// What a certificate is called, and how long it is good.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Its title.
    pub title: String,
    /// Days for which it is good, the first one included; none is 长期.
    #[serde(default)]
    pub days: Option<u16>,
}

#[derive(Deserialize)]
struct File {
    certificate: BTreeMap<String, Given>,
}

/// Empty if the file that was built in cannot be read, which a test rules out.
static GIVEN: LazyLock<BTreeMap<String, Given>> =
    LazyLock::new(|| toml::from_str::<File>(TEXT).map(|file| file.certificate).unwrap_or_default());

/// What an item alone gives, if it gives a certificate.
pub fn given_by(item: &ItemCode) -> Option<&'static Given> {
    GIVEN.get(item.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_and_every_title_fits() {
        let file: File = toml::from_str(TEXT).expect("the file");
        assert_eq!(file.certificate.len(), GIVEN.len());
        for (code, given) in &file.certificate {
            assert!(code.parse::<ItemCode>().is_ok(), "{code}");
            assert!((2..=30).contains(&given.title.chars().count()) && given.days != Some(0), "{code}");
        }
        assert!(
            given_by(&"psb.no-crime".parse().expect("a code")).is_some_and(|given| given.days == Some(180))
        );
        assert!(given_by(&"dpf.card-replace".parse().expect("a code")).is_none());
    }
}
