//! Certificates and lists as somebody brings them: whole, altered, of others, too old.
use std::collections::BTreeMap;

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::list::{LIST_DAYS, MAX_REVOKED};
use super::number::MAX_OF_CASE;
use super::*;
use crate::envelope::KeyRing;
use crate::ids::{CounterState, Issuer};

const NAME: &str = "样小川";
const ID_NUMBER: &str = "639900199005201035";

fn centre() -> DeviceKey {
    DeviceKey::from_seed([7; 32])
}

fn ring() -> KeyRing {
    KeyRing::new([centre().public()])
}

fn day(text: &str) -> CivilDate {
    text.parse().expect("a day")
}

fn number(place: u8) -> CertificateNo {
    CertificateNo::of(&"XN26112400100013".parse().expect("a case"), place).expect("a number")
}

fn certificate() -> Certificate {
    Certificate {
        number: number(1),
        title: "食品经营许可".to_owned(),
        holder: Holder { name: NAME.to_owned(), id_number: ID_NUMBER.to_owned() },
        unit: "市场监管".parse().expect("a unit"),
        item: "one.restaurant".parse().expect("an item"),
        step: "s7".to_owned(),
        case: "XN26112400100013".parse().expect("a case"),
        valid_from: day("2026-11-24"),
        valid_until: Some(day("2031-11-23")),
        issued_at_ms: 1_795_541_400_000,
        token: CertificateToken::new(&mut ChaCha20Rng::seed_from_u64(1)),
        sample: true,
    }
}

fn file(document: &SignedDocument) -> Vec<u8> {
    serde_json::to_vec(document).expect("JSON")
}

fn list(date: &str, revoked: &[CertificateNo]) -> RevocationList {
    let revoked: BTreeMap<_, _> = revoked.iter().map(|no| (no.clone(), day("2026-11-30"))).collect();
    RevocationList::new(revoked.len() as u64, day(date), revoked).expect("a list")
}

fn said(file_: &[u8], list: Option<&[u8]>, today: &str) -> Result<Verdict, NotGenuine> {
    judge(file_, list, &ring(), day(today)).map(|judged| judged.verdict)
}

#[test]
fn what_is_signed_is_one_text_and_read_back() {
    let certificate = certificate();
    let document = certificate.sign(&centre());
    let text = concat!(
        r#"{"case":"XN26112400100013","#,
        r#""holder":{"id_number":"639900199005201035","name":"样小川"},"issued_at_ms":1795541400000,"#,
        r#""item":"one.restaurant","number":"ZZ2611240010001010","sample":true,"step":"s7","#,
        r#""title":"食品经营许可","token":"TOKEN","unit":"市场监管","#,
        r#""valid_from":"2026-11-24","valid_until":"2031-11-23"}"#,
    );
    let text = text.replace("TOKEN", certificate.token.as_str());
    assert_eq!(String::from_utf8(document.body.0.clone()).expect("a text"), text);
    let read = judge(&file(&document), None, &ring(), day("2026-12-01")).expect("genuine");
    assert_eq!(read.certificate, certificate);
    let list = list("2026-12-01", &[number(2), number(1)]).sign(&centre());
    let text = concat!(
        r#"{"date":"2026-12-01","good_until":"2026-12-15","#,
        r#""revoked":{"ZZ2611240010001010":"2026-11-30","ZZ2611240010001028":"2026-11-30"},"version":2}"#,
    );
    assert_eq!(String::from_utf8(list.body.0).expect("a text"), text);
}

#[test]
fn each_verdict_has_its_reason_and_the_worst_that_is_certain_wins() {
    let whole = file(&certificate().sign(&centre()));
    let (clear, revoked) = (list("2026-12-01", &[number(2)]), list("2026-12-01", &[number(1)]));
    let [clear, revoked] = [clear, revoked].map(|list| file(&list.sign(&centre())));
    let foreign = file(&list("2026-12-01", &[]).sign(&DeviceKey::from_seed([8; 32])));
    let since = day("2026-11-30");
    let table = [
        (Some(&clear), "2026-12-01", Verdict::Good),
        (Some(&clear), "2026-12-15", Verdict::Good),
        (Some(&clear), "2026-12-16", Verdict::NotKnown(ListFault::TooOld(day("2026-12-15")))),
        (None, "2026-12-01", Verdict::NotKnown(ListFault::Missing)),
        (Some(&foreign), "2026-12-01", Verdict::NotKnown(ListFault::UnknownKey)),
        (Some(&whole), "2026-12-01", Verdict::NotKnown(ListFault::Altered)),
        (Some(&revoked), "2026-12-01", Verdict::Revoked(since)),
        // What is revoked stays so, however old the list, and whatever else is true.
        (Some(&revoked), "2030-01-01", Verdict::Revoked(since)),
        (Some(&revoked), "2040-01-01", Verdict::Revoked(since)),
        (Some(&clear), "2026-11-23", Verdict::NotYet),
        (Some(&clear), "2026-11-24", Verdict::Good),
        (None, "2031-11-24", Verdict::Expired),
        (Some(&clear), "2031-11-24", Verdict::Expired),
    ];
    for (place, (list, today, verdict)) in table.into_iter().enumerate() {
        assert_eq!(said(&whole, list.map(Vec::as_slice), today), Ok(verdict), "row {place}");
    }
    let lasting = Certificate { valid_until: None, ..certificate() };
    let lasting = file(&lasting.sign(&centre()));
    assert_eq!(said(&lasting, None, "2999-01-01"), Ok(Verdict::NotKnown(ListFault::Missing)));
}

#[test]
fn nothing_else_passes_for_a_certificate() {
    let whole = certificate();
    let other = file(&whole.sign(&DeviceKey::from_seed([8; 32])));
    assert_eq!(said(&other, None, "2026-12-01"), Err(NotGenuine::UnknownKey));
    // Signed by the centre, as something else.
    let body = whole.sign(&centre()).body.0;
    for kind in [SignedKind::Receipt, SignedKind::RevokedCertificates] {
        let document = file(&sign_document(kind, body.clone(), &centre()));
        assert_eq!(said(&document, None, "2026-12-01"), Err(NotGenuine::Altered), "{kind:?}");
    }
    // Signed as a certificate, and none.
    let none = file(&sign_document(SignedKind::Certificate, b"{}".to_vec(), &centre()));
    assert_eq!(said(&none, None, "2026-12-01"), Err(NotGenuine::Altered));
    let large = [&file(&whole.sign(&centre()))[..], &b" ".repeat(MAX_CERTIFICATE_BYTES)[..]].concat();
    for bytes in [&b""[..], b"[]", b"\xff\xfe", &large] {
        assert_eq!(said(bytes, None, "2026-12-01"), Err(NotGenuine::Altered));
    }
}

/// Whether a file that was altered anywhere is still taken for genuine.
fn flips(whole: &[u8], passes: impl Fn(&[u8]) -> bool) {
    assert!(passes(whole), "before anything is altered");
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.to_vec();
            bytes[place] ^= 1 << bit;
            assert!(!passes(&bytes), "bit {bit} of byte {place}");
        }
    }
}

#[test]
fn one_bit_changed_anywhere_is_found() {
    let clear = file(&list("2026-12-01", &[number(2)]).sign(&centre()));
    flips(&file(&certificate().sign(&centre())), |bytes| said(bytes, Some(&clear), "2026-12-01").is_ok());
    let whole = file(&certificate().sign(&centre()));
    flips(&clear, |bytes| said(&whole, Some(bytes), "2026-12-01") == Ok(Verdict::Good));
    // Nobody takes a number off the list.
    let revoked = file(&list("2026-12-01", &[number(1)]).sign(&centre()));
    let since = Verdict::Revoked(day("2026-11-30"));
    flips(&revoked, |bytes| match said(&whole, Some(bytes), "2026-12-01") {
        Ok(verdict) if verdict == since => true,
        Ok(Verdict::NotKnown(_)) => false,
        other => panic!("{other:?}"),
    });
}

#[test]
fn a_number_follows_from_its_case_and_finds_a_wrong_digit() {
    let case: CaseNo = "XN26112400100013".parse().expect("a case");
    assert_eq!(CertificateNo::of(&case, 0), None);
    assert_eq!(CertificateNo::of(&case, MAX_OF_CASE + 1), None);
    let mut all: Vec<_> = (1..=MAX_OF_CASE).map(number).collect();
    let one = all[41].clone();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), usize::from(MAX_OF_CASE));
    assert_eq!(one.groups().join(" ").to_lowercase().parse(), Ok(one.clone()));
    for at in 2..18 {
        for digit in b'0'..=b'9' {
            let mut wrong = one.as_str().as_bytes().to_vec();
            if wrong[at] == digit {
                continue;
            }
            wrong[at] = digit;
            let wrong = String::from_utf8(wrong).expect("ASCII");
            assert!(wrong.parse::<CertificateNo>().is_err(), "{wrong}");
        }
    }
    let odd =
        ["", "ZZ", "XN26112400100013", "ZZ261124001000101", "ZZ26112400100010107", "ZZ２611240010001010"];
    for wrong in odd {
        assert!(wrong.parse::<CertificateNo>().is_err(), "{wrong}");
    }
}

#[test]
fn the_public_sees_masks_and_debug_sees_nobody() {
    let certificate = certificate();
    assert_eq!(certificate.holder.masked_name(), "样*川");
    assert_eq!(certificate.holder.masked_id_number(), "6399************35");
    let printed = format!("{certificate:?} {:?}", judge(b"", None, &ring(), day("2026-12-01")));
    for secret in [NAME, ID_NUMBER, certificate.token.as_str()] {
        assert!(!printed.contains(secret), "{printed}");
    }
    let address = certificate.address("https://jinban.example");
    let token = certificate.token.as_str();
    assert_eq!(address, format!("https://jinban.example/certificates/ZZ2611240010001010?t={token}"));
    for wrong in ["", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "0123456789abcdeg"] {
        assert!(wrong.parse::<CertificateToken>().is_err(), "{wrong}");
    }
}

#[test]
fn a_list_has_an_end() {
    let case = |n: usize| {
        let date = day("2026-11-24").plus_days((n / 9_000) as i64);
        let state = CounterState { date, counter: (n % 9_000) as u16 };
        CaseNo::issue(Issuer::new(1).expect("an issuer"), state)
    };
    let mut all: BTreeMap<_, _> = (0..=MAX_REVOKED)
        .map(|n| (CertificateNo::of(&case(n), 1).expect("a number"), day("2026-11-30")))
        .collect();
    let too_many = RevocationList::new(1, day("2026-12-01"), all.clone());
    assert_eq!(too_many, Err(list::ListTooLong(MAX_REVOKED + 1)));
    all.pop_last();
    let longest = RevocationList::new(1, day("2026-12-01"), all).expect("a list").sign(&centre());
    let bytes = file(&longest).len();
    assert!(bytes < list::MAX_LIST_BYTES, "{bytes}");
}

fn any_certificate() -> impl Strategy<Value = Certificate> {
    let texts = ("\\PC{0,60}", "\\PC{0,40}", "[0-9X]{0,18}", "\\PC{1,12}");
    let days = (0_i64..3_000, proptest::option::of(0_i64..3_000));
    (texts, days, 1_u8..=MAX_OF_CASE, any::<(u64, bool)>()).prop_map(
        |((title, name, id_number, step), (from, lasts), place, (seed, sample))| {
            let valid_from = day("2026-01-01").plus_days(from);
            Certificate {
                number: number(place),
                title,
                holder: Holder { name, id_number },
                step,
                valid_from,
                valid_until: lasts.map(|days| valid_from.plus_days(days)),
                token: CertificateToken::new(&mut ChaCha20Rng::seed_from_u64(seed)),
                sample,
                ..certificate()
            }
        },
    )
}

proptest! {
    #[test]
    fn whatever_stands_in_it_is_read_as_it_was_signed_and_one_bit_is_found(
        certificate in any_certificate(), at in any::<prop::sample::Index>(), bit in 0_u8..8,
    ) {
        let mut bytes = file(&certificate.sign(&centre()));
        let read = judge(&bytes, None, &ring(), day("2026-06-01"));
        prop_assert_eq!(read.map(|judged| judged.certificate), Ok(certificate));
        let place = at.index(bytes.len());
        bytes[place] ^= 1_u8 << bit;
        prop_assert!(judge(&bytes, None, &ring(), day("2026-06-01")).is_err());
    }

    #[test]
    fn good_is_what_is_in_time_and_not_on_a_list_that_is_in_force(
        certificate in any_certificate(), listed in any::<bool>(), of in 0_i64..3_100, today in 0_i64..3_100,
    ) {
        let (of, today) = (day("2026-01-01").plus_days(of), day("2026-01-01").plus_days(today));
        let named = listed.then(|| certificate.number.clone());
        let revoked: BTreeMap<_, _> = named.into_iter().map(|no| (no, of)).collect();
        let list = RevocationList::new(1, of, revoked).expect("a list").sign(&centre());
        let judged = judge(&file(&certificate.sign(&centre())), Some(&file(&list)), &ring(), today);
        let in_time = certificate.valid_from <= today && certificate.valid_until.is_none_or(|last| today <= last);
        let fresh = of.days_to(today) <= LIST_DAYS;
        let good = judged.map(|judged| judged.verdict) == Ok(Verdict::Good);
        prop_assert_eq!(good, in_time && fresh && !listed);
    }

    #[test]
    fn no_bytes_are_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(judge(&bytes, Some(&bytes), &ring(), day("2026-06-01")).is_err());
    }
}
