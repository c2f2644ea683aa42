//! Rules of the numbers on ID cards: length, signs, birthday, check digit; what kind of number it is; birth and sex
//! read from it.
//!
//! | number | rule | source |
//! |---|---|---|
//! | resident, 18 | GB 11643, check by ISO 7064 MOD 11-2 | the standard |
//! | 港澳台居民居住证, 18 | the same, 810000, 820000 or 830000 in front | the standard of the card |
//! | foreigner of 2017, 15 | three letters, area, `YYMMDD`, one digit, check by weights 7-3-1 | ICAO 9303 style |
//! | foreigner of 2023, 18 | 9, province, country, birthday, sequence, MOD 11-2 | the rules of 2023 |
//!
//! Refuses to judge the region code in front: regions are retired and split, their numbers stay with their people.
use super::{IdNumberError, IdNumberKind};
use crate::date::CivilDate;

/// Weights of the first 17 digits (ISO 7064 MOD 11-2).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// Check sign by the weighted sum modulo 11.
const CHECK: [u8; 11] = *b"10X98765432";
/// Weights of the foreigner's number of 2017, again and again (ICAO 9303).
const WEIGHTS_731: [u32; 3] = [7, 3, 1];
/// The earliest year of birth that is believed.
const FIRST_YEAR: i16 = 1800;
/// What stands in front of the numbers of people from Hong Kong, Macao and Taiwan.
const HONG_KONG_MACAO_TAIWAN: [&[u8]; 3] = [b"810000", b"820000", b"830000"];

/// Checks the number of an ID card of any kind; a small `x` counts as `X`. With `today` the birthday must not lie
/// after it.
///
/// # Errors
/// [`IdNumberError`], the first rule that is broken.
pub fn check_id_number(text: &str, today: Option<CivilDate>) -> Result<(), IdNumberError> {
    id_number_kind(text, today).map(drop)
}

/// The kind of a number that keeps its rules; a small `x` counts as `X`. With `today` the birthday must not lie
/// after it.
///
/// # Errors
/// [`IdNumberError`], the first rule that is broken.
pub fn id_number_kind(text: &str, today: Option<CivilDate>) -> Result<IdNumberKind, IdNumberError> {
    if text.len() == 15 && text.starts_with(|sign: char| sign.is_ascii_uppercase()) {
        return check_2017(text.as_bytes(), today).map(|()| IdNumberKind::Foreigner2017);
    }
    let count = text.chars().count();
    if count != 18 {
        return Err(IdNumberError::Length(count));
    }
    let signs = signs(text).ok_or(IdNumberError::Character)?;
    let [month, day] = [10, 12].map(|at| number(&signs[at..at + 2]));
    if !is_birthday(number(&signs[6..10]), month, day, today) {
        return Err(IdNumberError::Birthday);
    }
    let sum: u32 = signs.iter().zip(WEIGHTS).map(|(sign, weight)| u32::from(sign - b'0') * weight).sum();
    let check = usize::try_from(sum % 11).ok().and_then(|at| CHECK.get(at));
    if check != Some(&signs[17].to_ascii_uppercase()) {
        return Err(IdNumberError::CheckDigit);
    }
    Ok(match signs {
        [b'9', ..] => IdNumberKind::Foreigner2023,
        _ if HONG_KONG_MACAO_TAIWAN.iter().any(|front| signs.starts_with(front)) => {
            IdNumberKind::HongKongMacaoTaiwan
        }
        _ => IdNumberKind::Resident,
    })
}

/// The first six digits of a resident's number, perhaps a retired region; `None` for the numbers of other people,
/// whose digits in front name no region, and for a text of another shape.
pub fn region_of_id_number(text: &str) -> Option<&str> {
    let code = text.get(..6).filter(|code| code.bytes().all(|b| b.is_ascii_digit()))?;
    let elsewhere = code.starts_with('9') || HONG_KONG_MACAO_TAIWAN.contains(&code.as_bytes());
    (!elsewhere).then_some(code)
}

/// The birthday in an ID number of 18 signs; `None` if the text has no such shape or there is no such day. The
/// foreigner's number of 2017 does not say the century, so it has none.
pub fn birth_of_id_number(text: &str) -> Option<CivilDate> {
    birth(signs(text)?)
}

/// Sex by the 17th digit as an ISO 5218 code: odd is 1 (male), even is 2 (female), 0 if unreadable.
pub fn sex_of_id_number(text: &str) -> u8 {
    match signs(text) {
        Some(signs) if (signs[16] - b'0') % 2 == 1 => 1,
        Some(_) => 2,
        None => 0,
    }
}

/// The 15 signs of a foreigner's number of 2017.
fn check_2017(signs: &[u8], today: Option<CivilDate>) -> Result<(), IdNumberError> {
    let (country, digits) = signs.split_at(3);
    if !country.iter().all(u8::is_ascii_uppercase) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(IdNumberError::Character);
    }
    // The number says two digits of the year: a day that existed in one of the two centuries will do.
    let [year, month, day] = [4, 6, 8].map(|at| number(&digits[at..at + 2]));
    if ![1900, 2000].into_iter().any(|century| is_birthday(century + year, month, day, today)) {
        return Err(IdNumberError::Birthday);
    }
    let value = |sign: u8| match sign {
        b'A'..=b'Z' => u32::from(sign - b'A') + 10,
        _ => u32::from(sign - b'0'),
    };
    let (check, front) = (value(signs[14]), &signs[..14]);
    let sum: u32 =
        front.iter().zip(WEIGHTS_731.iter().cycle()).map(|(sign, weight)| value(*sign) * weight).sum();
    if sum % 10 == check { Ok(()) } else { Err(IdNumberError::CheckDigit) }
}

/// The 18 signs, if there are 17 digits and a digit or X. They are looked at where they stand: a copy would stay on
/// the stack, which nobody wipes.
fn signs(text: &str) -> Option<&[u8; 18]> {
    let signs: &[u8; 18] = text.as_bytes().try_into().ok()?;
    let digits = signs[..17].iter().all(u8::is_ascii_digit);
    (digits && (signs[17].is_ascii_digit() || signs[17].eq_ignore_ascii_case(&b'X'))).then_some(signs)
}

fn birth(signs: &[u8; 18]) -> Option<CivilDate> {
    let (month, day) = (number(&signs[10..12]), number(&signs[12..14]));
    CivilDate::new(number(&signs[6..10]), i8::try_from(month).ok()?, i8::try_from(day).ok()?)
}

/// Whether there is such a day, not after `today`. The standard's own example was born in 1880, before any
/// [`CivilDate`].
fn is_birthday(year: i16, month: i16, day: i16, today: Option<CivilDate>) -> bool {
    let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else { return false };
    let exists = year >= FIRST_YEAR && jiff::civil::Date::new(year, month, day).is_ok();
    exists && today.is_none_or(|today| (year, month, day) <= today.parts())
}

/// The value of at most four digits.
fn number(digits: &[u8]) -> i16 {
    digits.iter().fold(0, |n, d| n * 10 + i16::from(d - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_judged_rule_by_rule() {
        use IdNumberKind::{Foreigner2017, Foreigner2023, HongKongMacaoTaiwan, Resident};
        let today = "2026-11-24".parse().ok();
        let table = [
            ("11010519491231002X", Ok(Resident)),
            ("11010519491231002x", Ok(Resident)),
            ("440524188001010014", Ok(Resident)),
            ("639900194403150015", Ok(Resident)),
            ("639900195811020222", Ok(Resident)),
            ("639900199005201035", Ok(Resident)),
            ("639900200101012045", Ok(Resident)),
            ("810000199408230021", Ok(HongKongMacaoTaiwan)),
            ("830000199201300022", Ok(HongKongMacaoTaiwan)),
            ("911398199012310021", Ok(Foreigner2023)),
            ("KAZ110090123105", Ok(Foreigner2017)),
            ("", Err(IdNumberError::Length(0))),
            ("1101051949123100", Err(IdNumberError::Length(16))),
            ("110105491231002", Err(IdNumberError::Length(15))),
            ("kaz110090123105", Err(IdNumberError::Length(15))),
            ("11010519491231002XX", Err(IdNumberError::Length(19))),
            ("1101051949123100ZX", Err(IdNumberError::Character)),
            ("X10105194912310021", Err(IdNumberError::Character)),
            ("１１０１０５１９４９１２３１００２Ｘ", Err(IdNumberError::Character)),
            ("K1Z110090123105", Err(IdNumberError::Character)),
            ("KAZ11009012310X", Err(IdNumberError::Character)),
            ("110105194902310021", Err(IdNumberError::Birthday)),
            ("110105194900310021", Err(IdNumberError::Birthday)),
            ("110105000012310021", Err(IdNumberError::Birthday)),
            ("KAZ110090133105", Err(IdNumberError::Birthday)),
            ("110105194912310021", Err(IdNumberError::CheckDigit)),
            ("639900194403150016", Err(IdNumberError::CheckDigit)),
            ("810000199408230022", Err(IdNumberError::CheckDigit)),
            ("911398199012310022", Err(IdNumberError::CheckDigit)),
            ("KAZ110090123106", Err(IdNumberError::CheckDigit)),
            ("KAY110090123105", Err(IdNumberError::CheckDigit)),
        ];
        for (text, wanted) in table {
            assert_eq!(id_number_kind(text, today), wanted, "{text}");
            assert_eq!(check_id_number(text, today), wanted.map(drop), "{text}");
        }
    }

    #[test]
    fn a_birthday_after_today_is_refused_only_if_today_is_known() {
        let number = "639900200101012045";
        assert_eq!(check_id_number(number, "2000-12-31".parse().ok()), Err(IdNumberError::Birthday));
        assert_eq!(check_id_number(number, "2001-01-01".parse().ok()), Ok(()));
        assert_eq!(check_id_number(number, None), Ok(()));
        // Two digits of the year: born in 1990, or not yet.
        let number = "KAZ110090123105";
        assert_eq!(check_id_number(number, "1990-12-30".parse().ok()), Err(IdNumberError::Birthday));
        assert_eq!(check_id_number(number, "1990-12-31".parse().ok()), Ok(()));
    }

    #[test]
    fn every_wrong_digit_is_found() {
        let good = "11010519491231002X";
        for at in (0..6).chain(14..18) {
            for digit in b'0'..=b'9' {
                let mut wrong = good.as_bytes().to_vec();
                if wrong[at] != digit {
                    wrong[at] = digit;
                    let wrong = String::from_utf8(wrong).expect("ascii");
                    assert_eq!(check_id_number(&wrong, None), Err(IdNumberError::CheckDigit), "{wrong}");
                }
            }
        }
    }

    #[test]
    fn birth_and_sex_are_read() {
        assert_eq!(
            birth_of_id_number("639900199005201035").map(|d| d.to_string()).as_deref(),
            Some("1990-05-20")
        );
        assert_eq!(birth_of_id_number("6399001990"), None);
        assert_eq!(birth_of_id_number("KAZ110090123105"), None);
        assert_eq!(sex_of_id_number("639900199005201035"), 1);
        assert_eq!(sex_of_id_number("639900195811020222"), 2);
        assert_eq!(sex_of_id_number("nonsense"), 0);
    }

    #[test]
    fn only_a_residents_number_names_a_region() {
        let table = [
            ("639900199005201035", Some("639900")),
            ("810000199408230021", None),
            ("830000199201300022", None),
            ("911398199012310021", None),
            ("KAZ110090123105", None),
            ("6399", None),
            ("样例样例", None),
        ];
        for (text, region) in table {
            assert_eq!(region_of_id_number(text), region, "{text}");
        }
    }
}
