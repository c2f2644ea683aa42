//! Sample cards: one TOML file a card, all fields of an invented person, for simulators, demonstrations and tests.
//!
//! Refuses to be a way in for typed data: what comes from here is only ever fed to a simulator or [`FileReader`],
//! which say that they are simulators.
//!
//! [`FileReader`]: crate::FileReader
use std::path::Path;

use domain::applicant::IdNumberKind;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::card_reader::IdCard;
use crate::id_card::{self, IMAGE_LEN, IdCardError, PHOTO_LEN};

/// Most bytes in a card file that are read.
const MAX_FILE_LEN: u64 = 16 * 1024;
/// What a photo begins with; behind it a sample has zeros.
const PHOTO_HEADER: [u8; 11] = [0x57, 0x4C, 0x66, 0x00, 0x7E, 0x00, 0x32, 0x00, 0x00, 0xFF, 0x85];

/// Why a card file gives no card.
#[derive(Debug, thiserror::Error)]
pub enum CardFileError {
    /// The file cannot be read.
    #[error("cannot read the card file")]
    Read(#[source] std::io::Error),
    /// The file is longer than any card file.
    #[error("the card file is too long")]
    TooLong,
    /// Not a card file; the position is in the source.
    #[error("the card file breaks the format")]
    Format(#[source] Box<toml::de::Error>),
    /// No such kind of card; the payload is what the file says.
    #[error("there is no kind of card `{0}`")]
    Kind(String),
    /// A field does not fit on a chip.
    #[error("the card does not fit on a chip")]
    Encode(#[source] IdCardError),
}

/// The fields as they stand in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CardFile {
    /// One of the names of [`IdNumberKind`]; a resident's card needs none.
    kind: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    name_en: String,
    sex: u8,
    #[serde(default)]
    nation: String,
    birth: String,
    #[serde(default)]
    address: String,
    id_number: String,
    #[serde(default)]
    issuer: String,
    valid_from: String,
    valid_to: String,
    #[serde(default)]
    pass_number: String,
    #[serde(default)]
    issue_count: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    former_link: String,
}

impl CardFile {
    fn kind(&self) -> Result<IdNumberKind, CardFileError> {
        let Some(name) = self.kind.as_deref() else { return Ok(IdNumberKind::Resident) };
        let kind = IdNumberKind::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| CardFileError::Kind(name.to_owned()))
    }
}

/// The card in a TOML text.
///
/// # Errors
/// [`CardFileError::Format`] and [`CardFileError::Kind`].
pub fn parse(text: &str) -> Result<IdCard, CardFileError> {
    let file: CardFile = toml::from_str(text).map_err(|error| CardFileError::Format(Box::new(error)))?;
    let mut photo = PHOTO_HEADER.to_vec();
    photo.resize(PHOTO_LEN, 0);
    Ok(IdCard {
        kind: file.kind()?,
        name: file.name,
        name_en: file.name_en,
        sex: file.sex,
        nation: file.nation,
        birth: file.birth,
        address: file.address,
        address_is_newest: false,
        id_number: file.id_number,
        issuer: file.issuer,
        valid_from: file.valid_from,
        valid_to: file.valid_to,
        pass_number: file.pass_number,
        issue_count: file.issue_count,
        country: file.country,
        version: file.version,
        former_link: file.former_link,
        body_number: String::new(),
        photo,
    })
}

/// The image on the chip of the card in a file: a TOML text, or the image itself as [`IMAGE_LEN`] bytes in a file
/// whose name ends in `.bin`.
///
/// # Errors
/// [`CardFileError`]. A binary image of a wrong length is given as it is: reading it must fail, not loading it.
pub fn load_image(path: &Path) -> Result<Zeroizing<Vec<u8>>, CardFileError> {
    let bytes = read_bounded(path)?;
    if path.extension().is_some_and(|ending| ending == "bin") {
        return Ok(bytes);
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| CardFileError::Read(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))?;
    id_card::encode(&parse(text)?).map_err(CardFileError::Encode)
}

fn read_bounded(path: &Path) -> Result<Zeroizing<Vec<u8>>, CardFileError> {
    use std::io::Read;
    let file = std::fs::File::open(path).map_err(CardFileError::Read)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(IMAGE_LEN));
    file.take(MAX_FILE_LEN + 1).read_to_end(&mut bytes).map_err(CardFileError::Read)?;
    if bytes.len() as u64 > MAX_FILE_LEN {
        return Err(CardFileError::TooLong);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn cards() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/cards")
    }

    #[test]
    fn every_sample_card_is_a_readable_card_of_an_invented_person() {
        for name in ["elder", "courier", "dotted-name", "rare-character", "expired"] {
            let image = load_image(&cards().join(name).with_extension("toml")).expect(name);
            let card = id_card::decode(&image).expect(name);
            assert!(card.id_number.starts_with("639900"), "{name}: the region of nobody");
            assert!(card.address.contains("样例"), "{name}: the address says sample");
            assert_eq!(card.birth, card.id_number[6..14], "{name}");
            let male = card.id_number.as_bytes()[16] % 2 == 1;
            assert_eq!(card.sex, if male { 1 } else { 2 }, "{name}");
        }
    }

    #[test]
    fn sample_cards_of_other_kinds_are_readable_cards_of_invented_people() {
        let table = [
            ("taiwan", IdNumberKind::HongKongMacaoTaiwan, "830000"),
            ("foreigner-2017", IdNumberKind::Foreigner2017, "UTO"),
            ("foreigner-2023", IdNumberKind::Foreigner2023, "9639"),
        ];
        for (name, kind, front) in table {
            let image = load_image(&cards().join(name).with_extension("toml")).expect(name);
            let card = id_card::decode(&image).expect(name);
            assert_eq!(card.kind, kind, "{name}");
            assert!(card.id_number.starts_with(front), "{name}: a number of nobody");
            assert!(card.address.is_empty() || card.address.contains("样例"), "{name}");
        }
    }

    #[test]
    fn broken_card_files_are_refused() {
        let courier = std::fs::read_to_string(cards().join("courier.toml")).expect("courier");
        let unknown = parse(&format!("kind = \"passport\"\n{courier}"));
        assert!(matches!(unknown, Err(CardFileError::Kind(kind)) if kind == "passport"));
        assert!(matches!(parse("name = "), Err(CardFileError::Format(_))));
        assert!(matches!(parse("name = \"a\""), Err(CardFileError::Format(_))), "fields missing");
        let missing = load_image(&cards().join("nobody.toml"));
        assert!(matches!(missing, Err(CardFileError::Read(_))));
    }
}
