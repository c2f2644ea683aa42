//! Rules of the resident ID number (GB 11643): length, signs, birthday, check digit; birth and sex read from it.
//!
//! Refuses to judge the region code in front: regions are retired and split, their numbers stay with their people.
use super::IdNumberError;
use crate::date::CivilDate;

/// Weights of the first 17 digits (ISO 7064 MOD 11-2).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// Check sign by the weighted sum modulo 11.
const CHECK: [u8; 11] = *b"10X98765432";

/// Checks an 18-character ID number; a small `x` counts as `X`. With `today` the birthday must not lie after it.
///
/// # Errors
/// [`IdNumberError`], the first rule that is broken.
pub fn check_id_number(text: &str, today: Option<CivilDate>) -> Result<(), IdNumberError> {
    let count = text.chars().count();
    if count != 18 {
        return Err(IdNumberError::Length(count));
    }
    let signs = signs(text).ok_or(IdNumberError::Character)?;
    let birth = birth(&signs).ok_or(IdNumberError::Birthday)?;
    if today.is_some_and(|today| birth > today) {
        return Err(IdNumberError::Birthday);
    }
    let sum: u32 = signs.iter().zip(WEIGHTS).map(|(sign, weight)| u32::from(sign - b'0') * weight).sum();
    let check = usize::try_from(sum % 11).ok().and_then(|at| CHECK.get(at));
    if check == signs.last() { Ok(()) } else { Err(IdNumberError::CheckDigit) }
}

/// The birthday in an ID number; `None` if the text has no such shape or there is no such day.
pub fn birth_of_id_number(text: &str) -> Option<CivilDate> {
    birth(&signs(text)?)
}

/// Sex by the 17th digit as an ISO 5218 code: odd is 1 (male), even is 2 (female), 0 if unreadable.
pub fn sex_of_id_number(text: &str) -> u8 {
    match signs(text) {
        Some(signs) if (signs[16] - b'0') % 2 == 1 => 1,
        Some(_) => 2,
        None => 0,
    }
}

/// The 18 signs, if there are 17 digits and a digit or X.
fn signs(text: &str) -> Option<[u8; 18]> {
    let mut signs: [u8; 18] = text.as_bytes().try_into().ok()?;
    signs[17] = signs[17].to_ascii_uppercase();
    let digits = signs[..17].iter().all(u8::is_ascii_digit);
    (digits && (signs[17].is_ascii_digit() || signs[17] == b'X')).then_some(signs)
}

fn birth(signs: &[u8; 18]) -> Option<CivilDate> {
    let number = |part: &[u8]| part.iter().fold(0i16, |n, d| n * 10 + i16::from(d - b'0'));
    let (month, day) = (number(&signs[10..12]), number(&signs[12..14]));
    CivilDate::new(number(&signs[6..10]), i8::try_from(month).ok()?, i8::try_from(day).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_judged_rule_by_rule() {
        let today = "2026-11-24".parse().ok();
        let table = [
            ("11010519491231002X", Ok(())),
            ("11010519491231002x", Ok(())),
            ("639900194403150015", Ok(())),
            ("639900195811020222", Ok(())),
            ("639900199005201035", Ok(())),
            ("639900200101012045", Ok(())),
            ("", Err(IdNumberError::Length(0))),
            ("1101051949123100", Err(IdNumberError::Length(16))),
            ("11010519491231002XX", Err(IdNumberError::Length(19))),
            ("1101051949123100ZX", Err(IdNumberError::Character)),
            ("X10105194912310021", Err(IdNumberError::Character)),
            ("１１０１０５１９４９１２３１００２Ｘ", Err(IdNumberError::Character)),
            ("110105194902310021", Err(IdNumberError::Birthday)),
            ("110105194900310021", Err(IdNumberError::Birthday)),
            ("110105000012310021", Err(IdNumberError::Birthday)),
            ("110105194912310021", Err(IdNumberError::CheckDigit)),
            ("639900194403150016", Err(IdNumberError::CheckDigit)),
        ];
        for (text, wanted) in table {
            assert_eq!(check_id_number(text, today), wanted, "{text}");
        }
    }

    #[test]
    fn a_birthday_after_today_is_refused_only_if_today_is_known() {
        let number = "639900200101012045";
        assert_eq!(check_id_number(number, "2000-12-31".parse().ok()), Err(IdNumberError::Birthday));
        assert_eq!(check_id_number(number, "2001-01-01".parse().ok()), Ok(()));
        assert_eq!(check_id_number(number, None), Ok(()));
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
        assert_eq!(sex_of_id_number("639900199005201035"), 1);
        assert_eq!(sex_of_id_number("639900195811020222"), 2);
        assert_eq!(sex_of_id_number("nonsense"), 0);
    }
}
