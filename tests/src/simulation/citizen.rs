//! Invented people who hand in one and the same application at a terminal, again and again.
use domain::applicant::{IdentitySource, check_id_number};
use domain::wire::v1::{Person, Submission};

use crate::device::courier_at;

/// Submissions of one person before the next one comes.
const EACH: u32 = 40;

/// The application, valid on the day of a time, of the person whose turn it is.
pub fn application(now_ms: i64, terminal: usize, place: u32) -> Submission {
    let mut application = courier_at(now_ms);
    application.applicant = person(terminal, place / EACH, application.applicant);
    application
}

/// A person of the invented region 639900, by terminal and turn.
fn person(terminal: usize, turn: u32, sample: Person) -> Person {
    let (day, place) = (turn % 28 + 1, terminal % 499 * 2 + 1);
    let stem = format!("639900{}05{day:02}{place:03}", 1960 + turn / 28 % 40);
    let signs = "0123456789X".chars().map(|sign| format!("{stem}{sign}"));
    let id_number = signs.into_iter().find(|id| check_id_number(id, None).is_ok()).unwrap_or(stem);
    let birth = domain::applicant::birth_of_id_number(&id_number);
    Person { source: IdentitySource::Read, id_number, birth, ..sample }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_differ_and_have_numbers_that_hold() {
        let at = |terminal, place| application(1_795_993_200_000, terminal, place).applicant.id_number;
        for (terminal, place) in [(0, 0), (48, 39), (7, 40), (1, 30_000)] {
            assert!(check_id_number(&at(terminal, place), None).is_ok(), "{terminal} {place}");
        }
        assert_eq!(at(3, 0), at(3, 39));
        assert_ne!(at(3, 0), at(3, 40));
        assert_ne!(at(3, 0), at(4, 0));
    }
}
