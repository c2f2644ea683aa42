//! The four marks on their line: saved here, at the centre, accepted, completed. Always all four.
//!
//! Refuses to say what is not yet true: a mark that was not reached is dashed and its words say "waiting".
use domain::case::{CaseState, Mark};
use domain::date::{CivilDate, china_clock};
use egui::{Color32, Rect, Stroke, Ui, pos2, vec2};

use super::shape::{dashed_circle, icon};
use super::text::{text, width_of};
use super::{Cx, at};
use crate::model::{Marks, PagesSent};

/// How a mark stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Reached.
    Done,
    /// Not yet.
    Waiting,
    /// Will not be reached this way: the words say what to do.
    Failed,
}

/// How each mark stands; a later mark that was reached means that the earlier ones were, too.
pub fn standing(mark: Mark, marks: &Marks, state: Option<CaseState>) -> Standing {
    let reached = Mark::ALL.iter().any(|later| *later >= mark && marks.at(*later).is_some());
    match (reached, state, mark) {
        (true, ..) => Standing::Done,
        (false, Some(CaseState::Returned), Mark::Accepted) => Standing::Failed,
        _ => Standing::Waiting,
    }
}

/// Height of the line with two lines of words.
pub fn height(cx: &Cx<'_>) -> f32 {
    disc(cx) + 8.0 + cx.strong().style.line + cx.small().style.line
}

/// Draws the line over the whole width of the place.
pub fn marks_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, marks: &Marks, state: Option<CaseState>) {
    let width = place.width() / 4.0;
    let half = disc(cx) / 2.0;
    let mut before: Option<f32> = None;
    let mut left = place.left();
    for mark in Mark::ALL {
        let stand = standing(mark, marks, state);
        let center = pos2(left + width / 2.0, place.top() + half);
        if let Some(from) = before {
            line_ui(
                ui,
                cx,
                [pos2(from + half + 12.0, center.y), pos2(center.x - half - 12.0, center.y)],
                stand,
            );
        }
        disc_ui(ui, cx, Rect::from_center_size(center, vec2(2.0 * half, 2.0 * half)), (mark, stand, state));
        let words =
            at(left + 4.0, center.y + half + 8.0, width - 8.0, place.bottom() - center.y - half - 8.0);
        words_ui(ui, cx, words, (mark, stand), (marks, state));
        before = Some(center.x);
        left += width;
    }
}

/// An instant in words: 今天 10:33, or with its date.
pub fn moment(cx: &Cx<'_>, ms: i64) -> String {
    let (hour, minute) = china_clock(ms);
    let time = format!("{hour:02}:{minute:02}");
    let day = CivilDate::in_china(ms);
    if day == CivilDate::in_china(cx.model.now_ms) {
        return cx.tf("slip.mark.today", &[("time", &time)]);
    }
    let (_, month, day) = day.parts();
    cx.tf("slip.mark.day", &[("month", &month.to_string()), ("day", &day.to_string()), ("time", &time)])
}

/// The part of a text key that names a mark.
pub fn key(mark: Mark) -> &'static str {
    match mark {
        Mark::Saved => "saved",
        Mark::Delivered => "delivered",
        Mark::Accepted => "accepted",
        Mark::Completed => "completed",
    }
}

fn disc(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(62.0, 92.0)
}

fn line_ui(ui: &Ui, cx: &Cx<'_>, ends: [egui::Pos2; 2], stand: Standing) {
    let colors = &cx.theme.colors;
    if stand == Standing::Done {
        ui.painter().line_segment(ends, Stroke::new(6.0, colors.brand700));
    } else {
        let stroke = Stroke::new(3.0, colors.border);
        ui.painter().extend(egui::Shape::dashed_line(&ends, stroke, 8.0, 4.0));
    }
}

fn disc_ui(ui: &Ui, cx: &Cx<'_>, rect: Rect, (mark, stand, state): (Mark, Standing, Option<CaseState>)) {
    let colors = &cx.theme.colors;
    let inner = |part: f32| Rect::from_center_size(rect.center(), rect.size() * part);
    let own = match mark {
        Mark::Saved => "saved",
        Mark::Delivered => "center",
        Mark::Accepted if state == Some(CaseState::Quarantined) => "search",
        Mark::Accepted => "stamp",
        Mark::Completed => "doccheck",
    };
    match stand {
        Standing::Done => {
            ui.painter().circle_filled(rect.center(), rect.width() / 2.0, colors.brand700);
            icon(ui, cx, inner(0.56), "check", colors.on_brand);
        }
        Standing::Waiting => {
            ui.painter().circle_filled(rect.center(), rect.width() / 2.0, colors.surface);
            dashed_circle(ui, rect, Stroke::new(3.0, colors.border));
            icon(ui, cx, inner(0.5), own, colors.ink2);
        }
        Standing::Failed => {
            ui.painter().circle_filled(rect.center(), rect.width() / 2.0, colors.error50);
            ui.painter().circle_stroke(
                rect.center(),
                rect.width() / 2.0 - 2.0,
                Stroke::new(4.0, colors.error),
            );
            icon(ui, cx, inner(0.5), "warn", colors.error);
        }
    }
}

fn words_ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    rect: Rect,
    (mark, stand): (Mark, Standing),
    (marks, state): (&Marks, Option<CaseState>),
) {
    let colors = &cx.theme.colors;
    let name = key(mark);
    let checking = mark == Mark::Accepted && state == Some(CaseState::Quarantined);
    // The text is at the centre; what it awaits is said.
    let pages = marks.pages.filter(|_| mark == Mark::Delivered);
    let (words, note, color): (String, String, Color32) = match stand {
        Standing::Done => {
            let when = marks.at(mark).map(|ms| moment(cx, ms)).unwrap_or_default();
            (format!("slip.mark.{name}"), when, colors.ink)
        }
        Standing::Failed => {
            ("slip.mark.returned".to_owned(), cx.tf("slip.mark.returned_note", &[]), colors.error)
        }
        Standing::Waiting if pages.is_some() => {
            let PagesSent { sent, all } = pages.unwrap_or_default();
            let values = [("sent", &*sent.to_string()), ("all", &*all.to_string())];
            ("slip.mark.wait_pages".to_owned(), cx.tf("slip.mark.wait_pages_note", &values), colors.ink2)
        }
        Standing::Waiting if checking => ("slip.mark.checking".to_owned(), String::new(), colors.ink2),
        Standing::Waiting => {
            let note = match mark {
                Mark::Saved => String::new(),
                _ => cx.tf(&format!("slip.mark.wait_{name}_note"), &[]),
            };
            (format!("slip.mark.wait_{name}"), note, colors.ink2)
        }
    };
    let words = cx.tf(&words, &[]);
    let strong = cx.strong().color(color).centered_across();
    let line = at(rect.left(), rect.top(), rect.width(), strong.style.line);
    let narrow = width_of(ui, &words, strong) > rect.width();
    let letters = if narrow { cx.small().bold().color(color).centered_across().middle() } else { strong };
    let title = text(ui, cx, line, &words, letters);
    let below =
        Rect::from_min_max(pos2(rect.left(), title.bottom().max(rect.top() + strong.style.line)), rect.max);
    text(ui, cx, below, &note, cx.small().centered_across());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_done_only_by_news_of_it_or_of_a_later_one() {
        let saved = Marks { saved_ms: Some(1), ..Marks::default() };
        let accepted = Marks { accepted_ms: Some(1), ..saved };
        let of = |marks, state| Mark::ALL.map(|mark| standing(mark, marks, state));
        use Standing::{Done, Failed, Waiting};
        assert_eq!(of(&saved, None), [Done, Waiting, Waiting, Waiting]);
        assert_eq!(of(&accepted, None), [Done, Done, Done, Waiting]);
        assert_eq!(of(&saved, Some(CaseState::Returned)), [Done, Waiting, Failed, Waiting]);
        assert_eq!(of(&saved, Some(CaseState::Quarantined)), [Done, Waiting, Waiting, Waiting]);
    }
}
