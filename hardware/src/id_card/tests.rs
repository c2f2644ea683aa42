//! Tests of the four layouts: blocks written down byte by byte here, what breaks the rules, hostile bytes.
use domain::applicant::IdNumberKind::{self, *};
use proptest::prelude::*;

use super::*;

/// A text block filled with spaces, with these texts at these offsets; it knows nothing of the decoder's table.
fn block(flag: u16, texts: &[(usize, &str)]) -> [u8; TEXT_LEN] {
    let mut text: [u8; TEXT_LEN] = std::array::from_fn(|at| if at % 2 == 0 { 0x20 } else { 0 });
    for (offset, value) in texts {
        for (index, unit) in value.encode_utf16().enumerate() {
            text[offset + 2 * index..offset + 2 * index + 2].copy_from_slice(&unit.to_le_bytes());
        }
    }
    text[248..250].copy_from_slice(&flag.to_le_bytes());
    text
}

type Texts = Vec<(usize, &'static str)>;

/// A good block of each kind: its flag and texts.
fn texts(kind: IdNumberKind) -> (u16, Texts) {
    let dates = [(188, "20200101"), (204, "20300101")];
    let own: (u8, Texts) = match kind {
        Resident | HongKongMacaoTaiwan => {
            let mut texts: Texts = vec![(0, "样某"), (30, "1"), (36, "19491231"), (52, "样例省样例路1号")];
            texts.extend([(122, "11010519491231002X"), (158, "样例市公安局")]);
            match kind {
                Resident => texts.push((32, "01")),
                _ => texts.extend([
                    (122, "830000199201300022"),
                    (36, "19920130"),
                    (220, "12345678"),
                    (238, "02"),
                ]),
            }
            (if kind == Resident { b' ' } else { b'J' }, texts)
        }
        Foreigner2017 => {
            let mut texts: Texts =
                vec![(0, "SAMPLE, ANDREW"), (120, "2"), (122, "KAZ110090123105"), (152, "KAZ")];
            texts.extend([(158, "样安德"), (220, "19901231"), (236, "01"), (240, "1100")]);
            (b'I', texts)
        }
        Foreigner2023 => {
            let mut texts: Texts = vec![(0, "样玛丽"), (30, "2"), (32, "03"), (36, "19901231")];
            texts.extend([(52, "SAMPLE OF A FAMILY NAME OF 34 SIGN "), (122, "911398199012310021")]);
            texts.extend([(220, "MARY-ANN"), (242, "KAZ"), (250, "110")]);
            (b'Y', texts)
        }
    };
    (own.0.into(), [own.1, dates.to_vec()].concat())
}

/// The good block with other texts over it.
fn changed(kind: IdNumberKind, changes: &[(usize, &str)]) -> [u8; TEXT_LEN] {
    let (flag, all) = texts(kind);
    let all: Vec<(usize, &str)> = all.into_iter().chain(changes.iter().copied()).collect();
    block(flag, &all)
}

fn image(text: &[u8; TEXT_LEN]) -> Vec<u8> {
    let photo = (0..PHOTO_LEN).map(|i| u8::try_from(i % 256).expect("below 256"));
    IMAGE_HEADER.into_iter().chain(*text).chain(photo).collect()
}

/// All fields that are not empty, by name.
fn fields(card: &IdCard) -> Vec<(&'static str, String)> {
    let mut card = card.clone();
    let kind = card.kind;
    let sex = card.sex.to_string();
    let read = places::of(kind).iter().map(|(field, _)| {
        let value = fields::slot(&mut card, *field).map_or_else(|| sex.clone(), |value| value.clone());
        (field.name(), value)
    });
    read.filter(|(_, value)| !value.is_empty()).collect()
}

#[test]
fn every_layout_gives_all_its_fields() {
    let table: [(IdNumberKind, &[(&str, &str)]); 4] = [
        (
            Resident,
            &[
                ("name", "样某"),
                ("sex", "1"),
                ("nation", "01"),
                ("birth", "19491231"),
                ("address", "样例省样例路1号"),
                ("id_number", "11010519491231002X"),
                ("issuer", "样例市公安局"),
                ("valid_from", "20200101"),
                ("valid_to", "20300101"),
            ],
        ),
        (
            HongKongMacaoTaiwan,
            &[
                ("name", "样某"),
                ("sex", "1"),
                ("birth", "19920130"),
                ("address", "样例省样例路1号"),
                ("id_number", "830000199201300022"),
                ("issuer", "样例市公安局"),
                ("valid_from", "20200101"),
                ("valid_to", "20300101"),
                ("pass_number", "12345678"),
                ("issue_count", "02"),
            ],
        ),
        (
            Foreigner2017,
            &[
                ("name_en", "SAMPLE, ANDREW"),
                ("sex", "2"),
                ("id_number", "KAZ110090123105"),
                ("country", "KAZ"),
                ("name", "样安德"),
                ("valid_from", "20200101"),
                ("valid_to", "20300101"),
                ("birth", "19901231"),
                ("version", "01"),
                ("issuer", "1100"),
            ],
        ),
        (
            Foreigner2023,
            &[
                ("name", "样玛丽"),
                ("sex", "2"),
                ("issue_count", "03"),
                ("birth", "19901231"),
                ("name_en", "SAMPLE OF A FAMILY NAME OF 34 SIGN MARY-ANN"),
                ("id_number", "911398199012310021"),
                ("valid_from", "20200101"),
                ("valid_to", "20300101"),
                ("country", "KAZ"),
                ("former_link", "110"),
            ],
        ),
    ];
    for (kind, wanted) in table {
        let card = decode(&image(&changed(kind, &[]))).expect("a good card");
        let wanted: Vec<(&str, String)> =
            wanted.iter().map(|(name, value)| (*name, (*value).into())).collect();
        assert_eq!((card.kind, fields(&card)), (kind, wanted));
        assert_eq!((card.photo.len(), card.photo[257]), (PHOTO_LEN, 1), "{kind:?}");
    }
}

#[test]
fn every_layout_is_written_as_it_is_read() {
    for kind in IdNumberKind::ALL {
        let image = image(&changed(kind, &[]));
        let again = encode(&decode(&image).expect("a good card")).expect("a good card");
        assert!(*again == image, "{kind:?}");
    }
}

#[test]
fn the_flag_tells_the_layout_and_others_are_unknown() {
    let plain = texts(Resident).1;
    for flag in [0x0020, 0x0000] {
        assert_eq!(parse_text(&block(flag, &plain)).expect("a resident").kind, Resident);
    }
    for flag in [0x003F, 0x006A, 0x0079, 0x0120, 0x4A00, 0x4A4A, 0xFFFF] {
        let error = parse_text(&block(flag, &plain)).err();
        assert_eq!(error, Some(IdCardError::UnknownLayout(flag)));
        assert_eq!(error.map(ReadError::from), Some(ReadError::UnknownCard));
    }
}

#[test]
fn texts_stay_as_they_are_on_the_chip() {
    let full = "样".repeat(15);
    let table: [(IdNumberKind, usize, &str, &str); 7] = [
        (Resident, 0, "多杰·仁青才让", "name"),
        (Resident, 0, "\u{3F06}\u{E81E}\u{E816}", "name"),
        (Resident, 0, &full, "name"),
        (Resident, 204, "长期      ", "valid_to"),
        (Resident, 52, " 样例 路\u{3000}1号", "address"),
        (Foreigner2017, 158, "   ", "name"),
        (Foreigner2023, 32, "  ", "issue_count"),
    ];
    for (kind, offset, text, field) in table {
        let card = decode(&image(&changed(kind, &[(offset, text)]))).expect(field);
        let value = fields(&card).into_iter().find(|(name, _)| *name == field).map(|(_, value)| value);
        let wanted = text.trim_end_matches(' ');
        assert_eq!(value.unwrap_or_default(), wanted, "{field}");
    }
    // Zeros instead of spaces behind a text are padding as well.
    let card = parse_text(&changed(Resident, &[(0, "样某\0\0\0 \0")])).expect("padded");
    assert_eq!(card.name, "样某");
}

#[test]
fn a_field_that_breaks_the_rules_is_named() {
    let table: [(IdNumberKind, usize, &str, &str); 24] = [
        (Resident, 0, "  ", "name"),
        (Resident, 0, "样\n某", "name"),
        (Resident, 0, "样\0某", "name"),
        (Resident, 0, "\u{FFFF}", "name"),
        (Resident, 0, "\u{FDD0}", "name"),
        (Resident, 30, "3", "sex"),
        (Resident, 30, " ", "sex"),
        (Resident, 32, "1x", "nation"),
        (Resident, 32, "  ", "nation"),
        (Resident, 36, "19490230", "birth"),
        (Resident, 36, "00000000", "birth"),
        (Resident, 122, "110105194912310021", "id_number"),
        (Resident, 122, "12345             ", "id_number"),
        (Resident, 122, "911398199012310021", "id_number"),
        (Resident, 188, "2020    ", "valid_from"),
        (Resident, 188, "长期      ", "valid_from"),
        (Resident, 204, "永久      ", "valid_to"),
        (Resident, 204, "        ", "valid_to"),
        (HongKongMacaoTaiwan, 122, "11010519491231002X", "id_number"),
        (HongKongMacaoTaiwan, 238, "1x", "issue_count"),
        (Foreigner2017, 0, "              ", "name_en"),
        (Foreigner2017, 122, "KAZ110090123106", "id_number"),
        (Foreigner2017, 152, "K1Z", "country"),
        (Foreigner2023, 122, "11010519491231002X", "id_number"),
    ];
    for (kind, offset, text, field) in table {
        let error = decode(&image(&changed(kind, &[(offset, text)]))).err();
        assert_eq!(error, Some(IdCardError::Field(field)), "{kind:?} {text:?}");
        assert_eq!(error.map(ReadError::from), Some(ReadError::Damaged));
        let said = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(text.trim().is_empty() || !said.contains(text.trim()), "{said}: tells what the card says");
    }
}

#[test]
fn a_lone_surrogate_is_a_damaged_text() {
    for kind in IdNumberKind::ALL {
        for surrogate in [0xD800_u16, 0xDFFF] {
            let mut text = changed(kind, &[]);
            text[..2].copy_from_slice(&surrogate.to_le_bytes());
            assert!(matches!(parse_text(&text), Err(IdCardError::Field("name" | "name_en"))), "{kind:?}");
        }
    }
}

#[test]
fn a_wrong_number_is_shown_to_a_technician_and_refused_by_a_terminal() {
    let image = image(&changed(Resident, &[(122, "110105194912310021")]));
    let card = parse(&image).expect("shown");
    assert!(!number_is_valid(&card));
    assert_eq!(decode(&image).err(), Some(IdCardError::Field("id_number")));
    for kind in IdNumberKind::ALL {
        assert!(number_is_valid(&parse_text(&changed(kind, &[])).expect("good")), "{kind:?}");
    }
}

#[test]
fn wrong_lengths_and_headers_are_refused() {
    let image = image(&changed(Resident, &[]));
    for length in [0, 1, 256, 1283] {
        assert_eq!(decode(&image[..length]).err(), Some(IdCardError::Length(length)));
    }
    let longer = [&image[..], &[0]].concat();
    assert_eq!(decode(&longer).err(), Some(IdCardError::Length(1285)));
    let mut other = image;
    other[1] = 1;
    assert_eq!(decode(&other).err(), Some(IdCardError::Header));
}

/// What a test does to a card, and the field it damages.
type Change = (&'static str, fn(&mut IdCard));

#[test]
fn what_does_not_fit_is_not_encoded() {
    let changes: [Change; 3] = [
        ("name", |c| c.name = "样".repeat(16)),
        ("name", |c| c.name = "\u{20087}".into()),
        ("photo", |c| c.photo = vec![0; PHOTO_LEN + 1]),
    ];
    for (field, change) in changes {
        let mut card = parse_text(&changed(Resident, &[])).expect("good");
        change(&mut card);
        assert_eq!(encode(&card).err(), Some(IdCardError::Field(field)));
    }
}

#[test]
fn the_newest_address_replaces_the_first_where_a_card_has_one() {
    let bytes = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let padded = bytes(&format!("{:<35}", "样例新路2号"));
    let long = bytes(&"样".repeat(71));
    let table: [(&[u8], Option<&str>); 7] = [
        (&padded, Some("样例新路2号")),
        (&bytes("样\0\0"), Some("样")),
        (&[], None),
        (&bytes("   "), None),
        (&padded[..7], None),
        (&[0x00, 0xD8], None),
        (&long, None),
    ];
    for (data, wanted) in table {
        assert_eq!(newest_address(data).as_deref(), wanted, "{} bytes", data.len());
    }
    for kind in IdNumberKind::ALL {
        let mut card = parse_text(&changed(kind, &[])).expect("good");
        card.move_to("样例新路2号".into());
        let has_one = matches!(kind, Resident | HongKongMacaoTaiwan);
        assert_eq!((card.address == "样例新路2号", card.address_is_newest), (has_one, has_one), "{kind:?}");
    }
}

#[test]
fn nothing_of_a_card_is_printed_by_debug() {
    let card = parse(&image(&changed(Foreigner2023, &[]))).expect("good");
    assert_eq!(format!("{card:?}"), "IdCard(..)");
}

proptest! {
    #[test]
    fn arbitrary_blocks_never_panic(mut text in prop::collection::vec(any::<u8>(), TEXT_LEN), flag in 0..6_usize) {
        if let Some((flag, _)) = FLAGS.get(flag) {
            text[FLAG_AT..FLAG_AT + 2].copy_from_slice(&flag.to_le_bytes());
        }
        let text: [u8; TEXT_LEN] = text.try_into().expect("256 bytes");
        // Nearly all are refused; what is accepted keeps the rules.
        if let Ok(card) = parse_text(&text) {
            prop_assert!(rules::check(&card).is_ok());
        }
    }

    #[test]
    fn hostile_units_in_a_good_block_never_panic(
        kind in prop::sample::select(IdNumberKind::ALL.to_vec()),
        hits in prop::collection::vec((0..TEXT_LEN / 2, prop::sample::select(vec![
            0x0000_u16, 0x0009, 0x0020, 0x0030, 0x0039, 0x0041, 0x4E00, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE816, 0xFFFE,
            0xFFFF,
        ])), 1..20),
    ) {
        let mut text = changed(kind, &[]);
        for (unit, value) in hits {
            text[2 * unit..2 * unit + 2].copy_from_slice(&value.to_le_bytes());
        }
        if let Ok(card) = decode(&image(&text)) {
            prop_assert!(number_is_valid(&card) && rules::check(&card).is_ok());
            prop_assert!(!fields(&card).iter().any(|(_, value)| value.chars().any(char::is_control)));
        }
    }
}
