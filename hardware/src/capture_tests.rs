//! Tests of captures: what each form gives, what is refused and why, every length, bit flips, arbitrary bytes.
use domain::applicant::IdNumberKind;
use proptest::prelude::*;

use super::*;

/// A resident's text block, written down by offsets.
fn text() -> Vec<u8> {
    let texts = [
        (0, "样某"),
        (30, "1"),
        (32, "01"),
        (36, "19491231"),
        (52, "样例省样例路1号"),
        (122, "11010519491231002X"),
        (158, "样例市公安局"),
        (188, "20200101"),
        (204, "长期"),
    ];
    let mut text = [0x20, 0x00].repeat(128);
    for (offset, value) in texts {
        for (index, unit) in value.encode_utf16().enumerate() {
            text[offset + 2 * index..offset + 2 * index + 2].copy_from_slice(&unit.to_le_bytes());
        }
    }
    text
}

fn image() -> Vec<u8> {
    [vec![1, 0, 4, 0], text(), vec![7; 1024]].concat()
}

/// An image with so many bytes of fingerprints behind it.
fn with_fingerprints(count: u16) -> Vec<u8> {
    [vec![1, 0, 4, 0], count.to_be_bytes().to_vec(), text(), vec![7; 1024], vec![9; count.into()]].concat()
}

/// A frame, made without the codec: preamble, length, status, data, XOR.
fn frame(status: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 4).expect("short");
    let body = [&length.to_be_bytes()[..], &[0, 0, status], data].concat();
    let sum = body.iter().fold(0, |sum, byte| sum ^ byte);
    [&[0xAA, 0xAA, 0xAA, 0x96, 0x69][..], &body, &[sum]].concat()
}

const READ: [u8; 10] = [0xAA, 0xAA, 0xAA, 0x96, 0x69, 0x00, 0x03, 0x30, 0x01, 0x32];

#[test]
fn every_form_of_a_capture_gives_the_card() {
    let good = frame(0x90, &image());
    let found = frame(0x9F, &[0; 4]);
    let table = [
        ("text block", text(), 0),
        ("image", image(), 1024),
        ("image with fingerprints", with_fingerprints(1024), 1024),
        ("frame", good.clone(), 1024),
        ("frame with 1024 bytes of fingerprints", frame(0x90, &with_fingerprints(1024)), 1024),
        ("frame with 512 bytes of fingerprints", frame(0x90, &with_fingerprints(512)), 1024),
        ("frame with no fingerprints", frame(0x90, &with_fingerprints(0)), 1024),
        (
            "a whole dialogue",
            [&found[..], &frame(0x90, &[0; 8]), &READ, &good, &frame(0x91, &[])].concat(),
            1024,
        ),
        ("noise around it", [&[0xAA, 0x55, 0x96][..], &good, &[0xAA; 9]].concat(), 1024),
        ("a broken frame in front", [&good[..700], &good].concat(), 1024),
    ];
    for (name, capture, photo) in table {
        let card = decode(&capture).expect(name);
        assert_eq!((card.kind, card.name.as_str()), (IdNumberKind::Resident, "样某"), "{name}");
        assert_eq!(
            (card.id_number.as_str(), card.valid_to.as_str()),
            ("11010519491231002X", "长期"),
            "{name}"
        );
        assert_eq!(card.photo, vec![7; photo], "{name}");
    }
    assert_eq!((good.len(), &good[5..7]), (1295, &[0x05, 0x08][..]));
    assert_eq!(frame(0x90, &with_fingerprints(1024))[5..7], [0x09, 0x0A]);
}

#[test]
fn what_is_no_card_is_refused_with_its_reason() {
    let mut unknown = text();
    unknown[248] = b'?';
    let mut wrong_sum = frame(0x90, &image());
    *wrong_sum.last_mut().expect("bytes") ^= 1;
    let mut header = image();
    header[3] = 1;
    let table = [
        ("nothing", vec![], CaptureError::Unknown(0)),
        ("a few bytes", vec![1, 2, 3], CaptureError::Unknown(3)),
        ("all ones", vec![0xFF; 256], CaptureError::Card(IdCardError::UnknownLayout(0xFFFF))),
        ("zeros", vec![0; 256], CaptureError::Card(IdCardError::Field("sex"))),
        ("unknown layout", unknown, CaptureError::Card(IdCardError::UnknownLayout(0x3F))),
        ("another header", header, CaptureError::Unknown(1284)),
        ("half an image", image()[..700].to_vec(), CaptureError::Card(IdCardError::Length(700))),
        (
            "fingerprints cut",
            with_fingerprints(512)[..1500].to_vec(),
            CaptureError::Card(IdCardError::Length(1500)),
        ),
        ("wrong sum", wrong_sum, CaptureError::Frame(FrameError::Checksum)),
        ("half a frame", frame(0x90, &image())[..700].to_vec(), CaptureError::Frame(FrameError::Incomplete)),
        ("no card", frame(0x80, &[]), CaptureError::Status(Sw3::NoCard)),
        ("not read", frame(0x41, &[]), CaptureError::Status(Sw3::ReadFailed)),
        ("only a request", READ.to_vec(), CaptureError::Frame(FrameError::Incomplete)),
        ("only the number", frame(0x90, &[1; 16]), CaptureError::NoImage(16)),
        ("too long", vec![0; MAX_CAPTURE_LEN + 1], CaptureError::TooLong),
    ];
    for (name, capture, wanted) in table {
        assert_eq!(decode(&capture).err(), Some(wanted), "{name}");
    }
}

/// The only lengths at which a prefix of these bytes is a card.
fn good_lengths(bytes: &[u8]) -> Vec<usize> {
    (0..=3000).filter(|length| decode(&bytes[..(*length).min(bytes.len())]).is_ok()).collect()
}

#[test]
fn captures_of_every_length_are_a_card_or_an_error() {
    let filled = |mut bytes: Vec<u8>, fill: u8| {
        bytes.resize(3000, fill);
        bytes
    };
    let whole_frame: Vec<usize> = (1295..=3000).collect();
    assert_eq!(good_lengths(&filled(frame(0x90, &image()), 0)), whole_frame);
    // At 256 bytes an image is cut, and taken for a text block, which it is not.
    assert_eq!(good_lengths(&filled(image(), 0)), [1284]);
    assert_eq!(good_lengths(&filled(text(), 0x20)), [256]);
    assert_eq!(good_lengths(&filled(with_fingerprints(512), 0)), [1798]);
    for fill in [0x00, 0x20, 0xAA, 0xFF] {
        assert_eq!(good_lengths(&filled(vec![], fill)), [0; 0], "{fill:02X}");
    }
    let mixed: Vec<u8> = (0..3000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    assert_eq!(good_lengths(&mixed), [0; 0]);
}

#[test]
fn no_flipped_bit_in_a_frame_is_taken_for_another_card() {
    let good = frame(0x90, &image());
    for bit in 0..good.len() * 8 {
        let mut flipped = good.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(decode(&flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn no_error_tells_what_the_card_says() {
    for offset in (0..220).step_by(2) {
        let mut capture = text();
        capture[offset..offset + 2].copy_from_slice(&[0xFF, 0xFF]);
        if let Err(error) = decode(&capture) {
            let said =
                format!("{error} {error:?} {:?}", std::error::Error::source(&error).map(ToString::to_string));
            assert!(!["样", "1949", "1101"].iter().any(|part| said.contains(part)), "{said}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_captures_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        prop_assert!(decode(&bytes).is_err());
    }

    #[test]
    fn arbitrary_data_in_good_frames_never_panic(
        datas in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..1400)), 0..4)
    ) {
        let frames: Vec<u8> = datas.iter().flat_map(|(status, data)| frame(*status, data)).collect();
        prop_assert!(decode(&frames).is_err());
    }
}
