//! Which lines stand on which card, and which cards in which column. Refuses to draw.
use std::ops::Range;

use super::{About, Line};

/// Between two cards of a column.
pub(super) const GAP: f32 = 16.0;
/// Steps in which a lower column is tried.
const STEP: f32 = 8.0;

/// The cards of each column, as ranges of lines: two columns beside each other are a page. A card is about one thing, so
/// nothing that was typed stands with what the identity card says. Answers have a column of their own if both fit on
/// one page; otherwise two columns are about as high as each other, and more are filled one by one.
pub(super) fn of(lines: &[Line], frame: f32, room: f32) -> Vec<Vec<Range<usize>>> {
    let apart = arranged(lines, frame, room, true);
    if apart.len() <= 2 {
        return apart;
    }
    let full = arranged(lines, frame, room, false);
    if full.len() > 2 {
        return full;
    }
    let steps = (room / 2.0 / STEP) as usize;
    let mut lower = (0..steps).map(|step| arranged(lines, frame, room / 2.0 + step as f32 * STEP, false));
    lower.find(|columns| columns.len() <= 2).unwrap_or(full)
}

/// Columns of this height at most; a line that is higher has one of its own.
fn arranged(lines: &[Line], frame: f32, room: f32, apart: bool) -> Vec<Vec<Range<usize>>> {
    let mut columns: Vec<Vec<Range<usize>>> = Vec::new();
    let mut taken = 0.0;
    for (n, line) in lines.iter().enumerate() {
        let before = n.checked_sub(1).and_then(|before| lines.get(before)).map(|line| line.about);
        let same = before == Some(line.about);
        let breaks = apart && !same && line.about == About::Answers;
        let more = line.height + if same { 0.0 } else { GAP + frame };
        match columns.last_mut() {
            Some(column) if !breaks && taken + more <= room + 1.0 => {
                taken += more;
                match column.last_mut().filter(|_| same) {
                    Some(card) => card.end = n + 1,
                    None => column.push(n..n + 1),
                }
            }
            _ => {
                columns.push(std::iter::once(n..n + 1).collect());
                taken = frame + line.height;
            }
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(person: usize, materials: usize, answers: usize) -> Vec<Line> {
        let all = [(About::Person, person), (About::Materials, materials), (About::Answers, answers)];
        let line = |about| Line { about, label: String::new(), value: None, change: None, height: 10.0 };
        all.into_iter().flat_map(|(about, n)| (0..n).map(move |_| line(about))).collect()
    }

    #[test]
    fn a_card_is_about_one_thing_and_no_column_is_fuller_than_the_room() {
        for (person, materials, answers) in
            [(2, 1, 5), (2, 2, 9), (2, 3, 40), (0, 0, 3), (2, 0, 0), (2, 4, 7)]
        {
            let lines = lines(person, materials, answers);
            let columns = of(&lines, 6.0, 80.0);
            let mut next = 0;
            for column in &columns {
                let mut high = -GAP;
                for card in column {
                    assert_eq!(card.start, next, "every line once");
                    next = card.end;
                    assert!(lines[card.clone()].iter().all(|line| line.about == lines[card.start].about));
                    high += GAP + 6.0 + 10.0 * card.len() as f32;
                }
                assert!(high <= 81.0, "{columns:?}");
            }
            assert_eq!(next, lines.len());
        }
    }

    #[test]
    fn answers_stand_beside_the_person_where_that_is_enough() {
        let told = |lines: &[Line], room| format!("{:?}", of(lines, 6.0, room));
        assert_eq!(told(&lines(2, 1, 7), 80.0), "[[0..2, 2..3], [3..10]]");
        // Two columns of about the same height.
        assert_eq!(told(&lines(2, 0, 9), 90.0), "[[0..2, 2..5], [5..11]]");
    }
}
