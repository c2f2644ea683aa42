//! The text block of an ID card's chip: 256 bytes of UCS-2 to the fields of an [`IdCard`], and back for samples.
//!
//! What a reader delivers is the image `0100 0400 | text 256 | photo 1024`. Four layouts of the text exist and a
//! flag at byte 248 tells them apart; only the resident's is decoded so far. Pure; it decodes no photo, and its
//! errors never contain what a card says.
use domain::applicant::check_id_number;
use domain::date::CivilDate;
use zeroize::Zeroizing;

use crate::card_reader::{IdCard, ReadError};

/// Bytes in the image of a card: header, text and photo.
pub const IMAGE_LEN: usize = 4 + TEXT_LEN + PHOTO_LEN;
/// Bytes in the text block.
pub const TEXT_LEN: usize = 256;
/// Bytes in the photo (WLT, no open decoder known).
pub const PHOTO_LEN: usize = 1024;
/// The two lengths, big endian, that every image begins with.
pub const IMAGE_HEADER: [u8; 4] = [0x01, 0x00, 0x04, 0x00];
/// What stands instead of the last day on a card that never expires.
pub const FOR_EVER: &str = "长期";

/// Where the flag of the layout stands in the text block.
const FLAG_AT: usize = 248;

/// The layouts of a text block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// 居民身份证, flag space.
    Resident,
    /// 港澳台居民居住证, flag J.
    HongKongMacaoTaiwan,
    /// 外国人永久居留身份证 of 2017, flag I.
    Foreigner2017,
    /// 外国人永久居留身份证 of 2023, flag Y.
    Foreigner2023,
}

impl Layout {
    /// The layout of a text block by its flag; `None` if the flag is in no table.
    pub fn of(text: &[u8; TEXT_LEN]) -> Option<Self> {
        match u16::from_le_bytes([text[FLAG_AT], text[FLAG_AT + 1]]) {
            0x0020 | 0 => Some(Self::Resident),
            0x004A => Some(Self::HongKongMacaoTaiwan),
            0x0049 => Some(Self::Foreigner2017),
            0x0059 => Some(Self::Foreigner2023),
            _ => None,
        }
    }
}

/// A field of the resident's text block: its place, its length, both in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place(usize, usize);

const NAME: Place = Place(0, 30);
const SEX: Place = Place(30, 2);
const NATION: Place = Place(32, 4);
const BIRTH: Place = Place(36, 16);
const ADDRESS: Place = Place(52, 70);
const ID_NUMBER: Place = Place(122, 36);
const ISSUER: Place = Place(158, 30);
const VALID_FROM: Place = Place(188, 16);
const VALID_TO: Place = Place(204, 16);

/// Why an image is not a card that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdCardError {
    /// Fewer or more bytes than [`IMAGE_LEN`]; the payload is how many.
    #[error("the card image has {0} bytes")]
    Length(usize),
    /// The image does not begin with [`IMAGE_HEADER`].
    #[error("the card image has a wrong header")]
    Header,
    /// A card of a layout that is not decoded (or not known).
    #[error("not a resident identity card: {0:?}")]
    OtherLayout(Option<Layout>),
    /// The named field breaks the rules.
    #[error("the card's field `{0}` breaks the rules")]
    Field(&'static str),
}

impl From<IdCardError> for ReadError {
    fn from(error: IdCardError) -> Self {
        match error {
            IdCardError::OtherLayout(_) => Self::UnknownCard,
            IdCardError::Length(_) | IdCardError::Header | IdCardError::Field(_) => Self::Damaged,
        }
    }
}

/// The fields of a resident ID card out of the image that a reader delivers.
///
/// The ID number's check digit and birthday, the dates and the characters must be right. Whether the card has
/// expired is for the caller to judge: this has no clock. Bytes behind the image (fingerprints) are refused.
///
/// # Errors
/// [`IdCardError`].
pub fn decode(image: &[u8]) -> Result<IdCard, IdCardError> {
    let image: &[u8; IMAGE_LEN] = image.try_into().map_err(|_| IdCardError::Length(image.len()))?;
    let (header, rest) = image.split_at(IMAGE_HEADER.len());
    if header != IMAGE_HEADER {
        return Err(IdCardError::Header);
    }
    let (text, photo) = rest.split_at(TEXT_LEN);
    let text: &[u8; TEXT_LEN] = text.try_into().map_err(|_| IdCardError::Length(text.len()))?;
    match Layout::of(text) {
        Some(Layout::Resident) => resident(text, photo),
        other => Err(IdCardError::OtherLayout(other)),
    }
}

/// The image of a resident ID card: for sample cards, simulators and tests. The fields' meaning is not checked,
/// so that damaged cards can be made too; a photo shorter than [`PHOTO_LEN`] is filled with zeros.
///
/// # Errors
/// [`IdCardError::Field`] if a field does not fit its place or has characters beyond UCS-2.
pub fn encode(card: &IdCard) -> Result<Zeroizing<Vec<u8>>, IdCardError> {
    let mut image = Zeroizing::new(IMAGE_HEADER.to_vec());
    image.extend([0x20, 0x00].repeat(TEXT_LEN / 2));
    let sex = card.sex.to_string();
    let fields = [
        ("name", NAME, card.name.as_str()),
        ("sex", SEX, &sex),
        ("nation", NATION, &card.nation),
        ("birth", BIRTH, &card.birth),
        ("address", ADDRESS, &card.address),
        ("id_number", ID_NUMBER, &card.id_number),
        ("issuer", ISSUER, &card.issuer),
        ("valid_from", VALID_FROM, &card.valid_from),
        ("valid_to", VALID_TO, &card.valid_to),
    ];
    for (label, Place(start, len), value) in fields {
        let units: Zeroizing<Vec<u16>> = Zeroizing::new(value.encode_utf16().collect());
        if units.len() * 2 > len || value.chars().any(|c| c.len_utf16() != 1) {
            return Err(IdCardError::Field(label));
        }
        for (at, unit) in units.iter().enumerate() {
            let at = IMAGE_HEADER.len() + start + at * 2;
            image[at..at + 2].copy_from_slice(&unit.to_le_bytes());
        }
    }
    if card.photo.len() > PHOTO_LEN {
        return Err(IdCardError::Field("photo"));
    }
    image.extend_from_slice(&card.photo);
    image.resize(IMAGE_LEN, 0);
    Ok(image)
}

fn resident(text: &[u8; TEXT_LEN], photo: &[u8]) -> Result<IdCard, IdCardError> {
    let read = |label, place| field(text, place).ok_or(IdCardError::Field(label));
    let card = IdCard {
        name: read("name", NAME)?,
        sex: match read("sex", SEX)?.as_str() {
            "0" => 0,
            "1" => 1,
            "2" => 2,
            "9" => 9,
            _ => return Err(IdCardError::Field("sex")),
        },
        nation: read("nation", NATION)?,
        birth: read("birth", BIRTH)?,
        address: read("address", ADDRESS)?,
        id_number: read("id_number", ID_NUMBER)?,
        issuer: read("issuer", ISSUER)?,
        valid_from: read("valid_from", VALID_FROM)?,
        valid_to: read("valid_to", VALID_TO)?,
        photo: photo.to_vec(),
    };
    let rules = [
        ("name", !card.name.is_empty()),
        ("nation", card.nation.len() == 2 && card.nation.bytes().all(|b| b.is_ascii_digit())),
        ("birth", compact_date(&card.birth).is_some()),
        ("id_number", check_id_number(&card.id_number, None).is_ok()),
        ("valid_from", compact_date(&card.valid_from).is_some()),
        ("valid_to", card.valid_to == FOR_EVER || compact_date(&card.valid_to).is_some()),
    ];
    match rules.into_iter().find(|(_, kept)| !kept) {
        Some((label, _)) => Err(IdCardError::Field(label)),
        None => Ok(card),
    }
}

/// A field's text without its padding; PUA code points stay, lone surrogates and control characters are a fault.
fn field(text: &[u8; TEXT_LEN], Place(start, len): Place) -> Option<String> {
    let units = text[start..start + len].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    // Room for the longest text from the start: growing would leave copies behind that nobody wipes.
    let mut value = String::with_capacity(len / 2 * 3);
    for character in char::decode_utf16(units) {
        value.push(character.ok()?);
    }
    value.truncate(value.trim_end_matches([' ', '\0']).len());
    (!value.chars().any(char::is_control)).then_some(value)
}

/// A date of the form `YYYYMMDD`, as all dates on the chip.
fn compact_date(text: &str) -> Option<CivilDate> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    CivilDate::new(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn card() -> IdCard {
        IdCard {
            name: "样某".into(),
            sex: 1,
            nation: "01".into(),
            birth: "19491231".into(),
            address: "样例省样例市样例路1号".into(),
            id_number: "11010519491231002X".into(),
            issuer: "样例市公安局".into(),
            valid_from: "20200101".into(),
            valid_to: FOR_EVER.into(),
            photo: (0..PHOTO_LEN).map(|i| i as u8).collect(),
        }
    }

    /// What a test does to a card, and what it is called.
    type Change = (&'static str, fn(&mut IdCard));

    /// The text block's bytes, to damage them.
    fn at(place: Place) -> usize {
        IMAGE_HEADER.len() + place.0
    }

    #[test]
    fn what_is_encoded_comes_back() {
        let changes: [Change; 5] = [
            ("plain", |_| {}),
            ("dotted", |c| c.name = "多杰·仁青才让".into()),
            ("rare and private use", |c| c.name = "\u{3F06}\u{E81E}".into()),
            ("full name field", |c| c.name = "样".repeat(15)),
            ("dated", |c| c.valid_to = "20300101".into()),
        ];
        for (name, change) in changes {
            let mut card = card();
            change(&mut card);
            let image = encode(&card).expect(name);
            assert_eq!(image.len(), IMAGE_LEN);
            assert!(decode(&image) == Ok(card), "{name}");
        }
    }

    #[test]
    fn the_image_has_the_published_places() {
        let image = encode(&card()).expect("fits");
        assert_eq!(&image[..4], &[1, 0, 4, 0]);
        assert_eq!(&image[4..8], &[0x37, 0x68, 0xD0, 0x67]);
        assert_eq!(&image[4 + 122..4 + 126], &[b'1', 0, b'1', 0]);
        assert_eq!(&image[4 + 248..4 + 250], &[0x20, 0]);
        assert_eq!(&image[260..264], &[0, 1, 2, 3]);
    }

    #[test]
    fn a_field_that_breaks_the_rules_is_named() {
        let changes: [Change; 9] = [
            ("name", |c| c.name = String::new()),
            ("name", |c| c.name = "样\n某".into()),
            ("sex", |c| c.sex = 3),
            ("nation", |c| c.nation = "1x".into()),
            ("birth", |c| c.birth = "19490230".into()),
            ("id_number", |c| c.id_number = "110105194912310021".into()),
            ("id_number", |c| c.id_number = "12345".into()),
            ("valid_from", |c| c.valid_from = "2020".into()),
            ("valid_to", |c| c.valid_to = "永久".into()),
        ];
        for (field, change) in changes {
            let mut card = card();
            change(&mut card);
            let error = decode(&encode(&card).expect(field)).err();
            assert_eq!(error, Some(IdCardError::Field(field)));
            assert_eq!(error.map(ReadError::from), Some(ReadError::Damaged));
        }
    }

    #[test]
    fn a_lone_surrogate_is_a_damaged_text() {
        let mut image = encode(&card()).expect("fits");
        image[at(NAME)..at(NAME) + 2].copy_from_slice(&[0x00, 0xD8]);
        assert_eq!(decode(&image).err(), Some(IdCardError::Field("name")));
    }

    #[test]
    fn cards_of_other_layouts_are_unknown() {
        let flags = [
            (b'J', Some(Layout::HongKongMacaoTaiwan)),
            (b'I', Some(Layout::Foreigner2017)),
            (b'Y', Some(Layout::Foreigner2023)),
            (b'?', None),
        ];
        for (flag, layout) in flags {
            let mut image = encode(&card()).expect("fits");
            image[4 + FLAG_AT] = flag;
            let error = decode(&image).err();
            assert_eq!(error, Some(IdCardError::OtherLayout(layout)));
            assert_eq!(error.map(ReadError::from), Some(ReadError::UnknownCard));
        }
    }

    #[test]
    fn wrong_lengths_and_headers_are_refused() {
        let image = encode(&card()).expect("fits");
        assert_eq!(decode(&[]).err(), Some(IdCardError::Length(0)));
        assert_eq!(decode(&image[..1283]).err(), Some(IdCardError::Length(1283)));
        let longer = [&image[..], &[0]].concat();
        assert_eq!(decode(&longer).err(), Some(IdCardError::Length(1285)));
        let mut other = image.clone();
        other[1] = 1;
        assert_eq!(decode(&other).err(), Some(IdCardError::Header));
    }

    #[test]
    fn what_does_not_fit_is_not_encoded() {
        let changes: [Change; 3] = [
            ("name", |c| c.name = "样".repeat(16)),
            ("name", |c| c.name = "\u{20087}".into()),
            ("photo", |c| c.photo = vec![0; PHOTO_LEN + 1]),
        ];
        for (field, change) in changes {
            let mut card = card();
            change(&mut card);
            assert_eq!(encode(&card).err(), Some(IdCardError::Field(field)));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_images_never_panic(text in prop::collection::vec(any::<u8>(), TEXT_LEN)) {
            let mut image = IMAGE_HEADER.to_vec();
            image.extend_from_slice(&text);
            image.resize(IMAGE_LEN, 0);
            let _ = decode(&image);
        }
    }
}
