//! Checks of single values that several forms need: phones, bank cards, credit codes, vehicle numbers.
//!
//! All work on the text as stored (no spaces) and answer only yes or no; the words for "no" are the form's.

/// `^1[3-9]\d{9}$`.
pub fn is_mobile(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() == 11 && b[0] == b'1' && (b'3'..=b'9').contains(&b[1]) && b.iter().all(u8::is_ascii_digit)
}

/// A landline with its area code, such as `09716123456` or `0971-6123456`; short numbers are refused.
pub fn is_landline(text: &str) -> bool {
    let digits = |part: &str, counts: std::ops::RangeInclusive<usize>| {
        counts.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    text.starts_with('0')
        && match text.split_once('-') {
            Some((area, local)) => digits(area, 3..=4) && digits(local, 7..=8),
            None => digits(text, 10..=12),
        }
}

/// 13 to 19 digits with a right Luhn check digit (ISO/IEC 7812).
pub fn is_bank_card(text: &str) -> bool {
    if !(13..=19).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let sum: u32 =
        text.bytes().rev().enumerate().map(|(at, b)| luhn_part(u32::from(b - b'0'), at % 2 == 1)).sum();
    sum.is_multiple_of(10)
}

fn luhn_part(digit: u32, doubled: bool) -> u32 {
    match digit * 2 {
        _ if !doubled => digit,
        twice if twice > 9 => twice - 9,
        twice => twice,
    }
}

/// Unified social credit code (GB 32100): 18 signs, the last one a check sign.
pub fn is_uscc(text: &str) -> bool {
    const SIGNS: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let values: Option<Vec<u32>> = text
        .bytes()
        .map(|b| SIGNS.iter().position(|s| *s == b).and_then(|at| u32::try_from(at).ok()))
        .collect();
    let Some(values) = values.filter(|v| v.len() == 18) else { return false };
    let mut weight = 1;
    let mut sum = 0;
    for value in &values[..17] {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    values[17] == (31 - sum % 31) % 31
}

/// Vehicle identification number (ISO 3779): 17 signs without I, O, Q; the ninth is the check sign.
pub fn is_vin(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let values: Option<Vec<u32>> = text.bytes().map(vin_value).collect();
    let Some(values) = values.filter(|v| v.len() == 17) else { return false };
    let sum: u32 = values.iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
    let check = match sum % 11 {
        10 => b'X',
        digit => b"0123456789"[digit as usize],
    };
    text.as_bytes()[8] == check
}

fn vin_value(sign: u8) -> Option<u32> {
    let value = match sign {
        b'0'..=b'9' => sign - b'0',
        b'A'..=b'H' => sign - b'A' + 1,
        b'J'..=b'N' => sign - b'J' + 1,
        b'P' => 7,
        b'R' => 9,
        b'S'..=b'Z' => sign - b'S' + 2,
        _ => return None,
    };
    Some(u32::from(value))
}

/// A number plate: a Chinese character, a letter, five signs (six for new-energy vehicles).
pub fn is_plate(text: &str) -> bool {
    let mut signs = text.chars();
    let place = signs.next().is_some_and(|c| ('\u{4e00}'..='\u{9fa5}').contains(&c));
    let office = signs.next().is_some_and(|c| c.is_ascii_uppercase());
    let rest: Vec<char> = signs.collect();
    place
        && office
        && (5..=6).contains(&rest.len())
        && rest.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones() {
        for (text, mobile, landline) in [
            ("13000000013", true, false),
            ("19900000000", true, false),
            ("12000000000", false, false),
            ("1300000001", false, false),
            ("130000000133", false, false),
            ("09716123456", false, true),
            ("0971-6123456", false, true),
            ("6123456", false, false),
            ("12345", false, false),
            ("0971--612345", false, false),
            ("", false, false),
        ] {
            assert_eq!((is_mobile(text), is_landline(text)), (mobile, landline), "{text}");
        }
    }

    #[test]
    fn bank_cards() {
        assert!(is_bank_card("6200000000000005"));
        for bad in ["6200000000000006", "0005", "620000000000000x", "62000000000000000000", ""] {
            assert!(!is_bank_card(bad), "{bad}");
        }
    }

    #[test]
    fn credit_codes() {
        // Published codes of public companies; then one wrong sign.
        for good in ["91110000802100433B", "91350100M000100Y43", "9144030071526726XG"] {
            assert!(is_uscc(good), "{good}");
        }
        for bad in ["91110000802100433A", "9111000080210043", "91110000802I00433B", ""] {
            assert!(!is_uscc(bad), "{bad}");
        }
    }

    #[test]
    fn vehicles() {
        assert!(is_vin("1M8GDM9AXKP042788"));
        assert!(is_vin("11111111111111111"));
        for bad in ["1M8GDM9A1KP042788", "1M8GDM9AXKP04278", "IM8GDM9AXKP042788", ""] {
            assert!(!is_vin(bad), "{bad}");
        }
        for (plate, good) in [
            ("青A12345", true),
            ("青AD12345", true),
            ("青A1234", false),
            ("AA12345", false),
            ("青a12345", false),
            ("", false),
        ] {
            assert_eq!(is_plate(plate), good, "{plate}");
        }
    }
}
