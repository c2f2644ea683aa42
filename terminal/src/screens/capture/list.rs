//! The pages of a field, in their order: what is wrong with each, one place up, and out of the list.
//!
//! Refuses to show what is on them: they lie sealed.
use domain::form::PlanField;
use egui::{Rect, Ui, pos2};
use hardware::pages::Finding;

use crate::command::Command;
use crate::model::{PageLine, Session};
use crate::theme::radius;
use crate::widgets::button::{Button, Kind, press};
use crate::widgets::shape::card;
use crate::widgets::{Cx, Pages, at, icon, icon_block, pager, text, width_of};

/// Draws the list; nothing of it can be changed while a page is being taken or kept (`settled` is false).
pub(super) fn list_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    place: Rect,
    (session, field, settled): (&Session, &PlanField, bool),
) {
    let pages = session.captured_pages();
    if pages.is_empty() {
        return empty_ui(ui, cx, place);
    }
    let most = field.files.as_ref().map_or(1, |files| files.max).to_string();
    let words = cx.tf("capture.count", &[("n", &pages.len().to_string()), ("max", &most)]);
    let strong = cx.strong();
    let line = at(place.left(), place.top(), place.width(), strong.style.line);
    text(ui, cx, line, &words, strong);
    let below = place.with_min_y(line.bottom() + 16.0);
    let (row, gap, target) = (cx.theme.metrics.target + 24.0, cx.theme.metrics.gap, cx.theme.metrics.target);
    let room = below.height() - target - 16.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a screen has a few rows
    let per_page = ((room + gap) / (row + gap)).floor().max(1.0) as usize;
    // What was taken last is seen first.
    let newest = if settled { cx.model.list_page } else { usize::MAX };
    let shown = Pages::new(pages.len(), per_page, newest);
    let mut top = below.top();
    for number in shown.shown() {
        let rect = at(below.left(), top, below.width(), row);
        row_ui(ui, cx, rect, (&pages[number], number, settled));
        top += row + gap;
    }
    if settled {
        let strip = Rect::from_min_max(pos2(below.left(), below.bottom() - target), below.max);
        pager(ui, cx, strip, shown, Command::ShowPage);
    }
}

fn row_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, (line, number, settled): (&PageLine, usize, bool)) {
    card(ui, cx, rect, radius::BUTTON);
    let inner = rect.shrink(12.0);
    let name = (number + 1).to_string();
    let mut right = inner.right();
    let title = cx.strong();
    if settled {
        let mut one = |ui: &mut Ui, cx: &mut Cx<'_>, key: &'static str, icon: &str, command: Command| {
            let label = cx.t(key);
            let named = cx.tf("capture.of_page", &[("what", label), ("n", &name)]);
            let look = Button::new(Kind::Secondary, label).icon(icon).named(&named).lettering(title);
            let width = look.inner_width(ui, cx) + 48.0;
            press(ui, cx, at(right - width, inner.top(), width, inner.height()), &look, command);
            right -= width + 12.0;
        };
        one(ui, cx, "capture.remove", "trash", Command::RemovePage(line.hash.clone()));
        if number > 0 {
            one(ui, cx, "capture.up", "up", Command::MovePageUp(line.hash.clone()));
        }
    }
    let words = cx.tf("capture.page", &[("n", &name)]);
    let width = width_of(ui, &words, title) + 4.0;
    let left = inner.left() + 16.0;
    text(ui, cx, at(left, inner.top(), width, inner.height()), &words, title.middle());
    let place = Rect::from_min_max(pos2(left + width + 24.0, inner.top()), pos2(right, inner.bottom()));
    state_ui(ui, cx, place, line);
}

/// All that is wrong with a page; where there is no room for it, the weightiest and how many there are.
fn state_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, line: &PageLine) {
    let colors = &cx.theme.colors;
    let short = |finding: &Finding| cx.tf(&format!("capture.finding_short.{}", finding.name()), &[]);
    let (name, ink, ways) = match &line.findings[..] {
        [] => ("check", colors.ok, vec![cx.t("capture.kept").to_owned()]),
        [only] => ("warn", colors.warn, vec![short(only)]),
        [first, ..] => {
            let all: Vec<_> = line.findings.iter().map(short).collect();
            let (first, n) = (short(first), line.findings.len().to_string());
            let fewer = cx.tf("capture.finding_short.more", &[("first", &first), ("n", &n)]);
            ("warn", colors.warn, vec![all.join(cx.t("guide.separator")), fewer, first])
        }
    };
    let side = cx.theme.metrics.badge_icon;
    let room = place.with_min_x(place.left() + side + 12.0);
    icon(ui, cx, at(place.left(), place.center().y - side / 2.0, side, side), name, ink);
    let sizes = [cx.body().color(ink), cx.small().color(ink)];
    let mut looks = ways.iter().flat_map(|words| sizes.map(|letters| (words, letters)));
    if let Some((words, letters)) =
        looks.find(|(words, letters)| width_of(ui, words, *letters) < room.width())
    {
        text(ui, cx, room, words, letters.middle());
    }
}

fn empty_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect) {
    let side = cx.theme.pick(120.0, 144.0);
    let block = at(place.center().x - side / 2.0, place.top() + place.height() * 0.25, side, side);
    icon_block(ui, cx, block, "doc", side * 0.6);
    let letters = cx.body().centered_across();
    let line = at(place.left(), block.bottom() + 24.0, place.width(), letters.style.line * 2.0);
    text(ui, cx, line, cx.t("capture.none"), letters);
}
