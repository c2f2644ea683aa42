//! Numbers as people write them and as they are stored: 12.5 yuan are 1250 fen.
//!
//! One place for the number pad of the terminal and for fields of pages. Refuses to judge: limits are the schema's.

/// The most digits of a written number, its places after the point included.
const MOST_DIGITS: usize = 18;

/// The stored number of a written one: `12.5` with two places is 1250. `None` if it is no number, or has more places.
pub fn number_entered(typed: &str, decimals: u8) -> Option<i64> {
    let typed = typed.trim();
    let (negative, digits) = typed.strip_prefix('-').map_or((false, typed), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let places = usize::from(decimals);
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let good = is_number(whole) && is_number(fraction) && !(whole.is_empty() && fraction.is_empty());
    let short = fraction.len() <= places && whole.len() + places <= MOST_DIGITS;
    if !good || !short {
        return None;
    }
    let number: i64 = format!("{whole}{fraction:0<places$}").parse().ok()?;
    Some(if negative { -number } else { number })
}

/// A stored number as it is written: 1250 with two places is `12.5`.
pub fn number_written(number: i64, decimals: u8) -> String {
    let scale = 10_u64.pow(u32::from(decimals.min(6)));
    let (whole, fraction) = (number.unsigned_abs() / scale, number.unsigned_abs() % scale);
    let sign = if number < 0 { "-" } else { "" };
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let digits = format!("{fraction:0width$}", width = usize::from(decimals.min(6)));
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_stored_numbers_are_the_same() {
        let table = [
            ("12.5", 2, Some(1_250)),
            ("12.", 2, Some(1_200)),
            (".5", 2, Some(50)),
            ("0012", 0, Some(12)),
            (" 7 ", 0, Some(7)),
            ("-3.05", 2, Some(-305)),
            ("12.345", 2, None),
            ("1.5", 0, None),
            ("", 0, None),
            (".", 2, None),
            ("-", 0, None),
            ("1e3", 0, None),
            ("1,000", 0, None),
            ("\u{ff11}", 0, None),
            ("9999999999999999999999", 0, None),
        ];
        for (typed, decimals, stored) in table {
            assert_eq!(number_entered(typed, decimals), stored, "{typed}");
        }
        for number in [0, 5, 50, 1_250, 1_205, -305, 999_999_999_999] {
            for decimals in [0, 2, 6] {
                assert_eq!(number_entered(&number_written(number, decimals), decimals), Some(number));
            }
        }
        assert!(number_written(i64::MIN, 2).starts_with("-92233720368547758"));
    }
}
