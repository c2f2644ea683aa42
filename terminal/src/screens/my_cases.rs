//! My cases: own slips of the card just read, with number and marks.
//!
//! Refuses to show content: number, item and marks are all there is. Neutral titles for sensitive matters.
use domain::applicant::mask_name;
use domain::case::CaseState;
use egui::{Color32, Rect, Ui, pos2, vec2};

use super::printing;
use crate::command::Command;
use crate::model::{CaseLine, PrintStep};
use crate::theme::radius;
use crate::widgets::button::{Button, press};
use crate::widgets::footer::Action;
use crate::widgets::marks::{Standing, marks_ui, standing};
use crate::widgets::shape::{card, fill, well};
use crate::widgets::text::width_of;
use crate::widgets::{Cx, Footer, Pages, at, frame, icon, icon_block, marks, pager, text};

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let model = cx.model;
    let cases = model.session.as_ref().and_then(|s| s.cases.as_deref());
    let finish =
        Action { label: cx.t("my_cases.finish"), icon: "out", command: Command::Finish, filled: true };
    let footer = Footer { action: Some(finish), ..Footer::default() };
    frame(ui, cx, footer, |ui, cx, content| {
        let top = heading_ui(ui, cx, content, cases.map(<[CaseLine]>::len));
        let place = content.with_min_y(top);
        match cases {
            None => message_ui(ui, cx, place, ("search", "my_cases.loading", "my_cases.loading_note")),
            Some([]) => empty_ui(ui, cx, place),
            Some(cases) => list_ui(ui, cx, place, cases),
        }
    });
}

/// Title at the left, whose cases and how many at the right; gives where they end.
fn heading_ui(ui: &mut Ui, cx: &Cx<'_>, content: Rect, count: Option<usize>) -> f32 {
    let h1 = cx.h1();
    let line = at(content.left(), content.top() + cx.theme.pick(32.0, 20.0), content.width(), h1.style.line);
    let filled = text(ui, cx, line, cx.t("my_cases.title"), h1);
    let name = cx.model.session.as_ref().and_then(|s| s.applicant.as_ref()).map(|a| mask_name(&a.name));
    if let (Some(name), Some(count)) = (name, count) {
        let words = cx.tf("my_cases.count", &[("name", &name), ("n", &count.to_string())]);
        let body = cx.body().right().middle().data();
        let right = text(ui, cx, line.with_min_x(filled.right() + 80.0), &words, body);
        let side = cx.theme.pick(36.0, 48.0);
        let place = at(right.left() - 12.0 - side, line.center().y - side / 2.0, side, side);
        icon(ui, cx, place, "person", cx.theme.colors.brand600);
    }
    line.bottom() + cx.theme.pick(20.0, 12.0)
}

fn list_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, cases: &[CaseLine]) {
    let (row, gap) = (row_height(cx), cx.theme.metrics.gap);
    let below = cx.theme.metrics.target + 12.0;
    let room = place.height() - below - 12.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a screen has a few rows
    let per_page = ((room + gap) / (row + gap)).floor().max(1.0) as usize;
    let pages = Pages::new(cases.len(), per_page, cx.model.list_page);
    let mut top = place.top();
    for case in &cases[pages.shown()] {
        case_ui(ui, cx, at(place.left(), top, place.width(), row), case);
        top += row + gap;
    }
    let strip = Rect::from_min_max(
        pos2(place.left(), place.bottom() - below),
        pos2(place.right(), place.bottom() - 12.0),
    );
    // Where a paper is that was asked for here, or one that may lie there since this machine was started anew.
    let doubtful = cases.iter().find(|case| matches!(case.print, Some((_, PrintStep::Doubtful(_)))));
    let printing = cx.model.session.as_ref().and_then(|s| s.print).map(|(id, _)| id);
    let printing = printing.or(doubtful.map(|case| case.envelope_id)).and_then(|id| printing::line(cx, id));
    let (only, ink) = match &printing {
        Some((words, ink, _)) => (words.as_str(), *ink),
        None => (cx.t("my_cases.only_you"), cx.body().color),
    };
    let pager_width = if pages.count() > 1 { cx.theme.pick(600.0, 872.0) } else { 0.0 };
    let words = strip.with_max_x(strip.right() - pager_width - 16.0);
    let fits = width_of(ui, only, cx.body()) < words.width();
    let letters = if fits { cx.body().middle() } else { cx.small().middle() };
    text(ui, cx, words, only, letters.color(ink));
    pager(ui, cx, strip, pages, Command::ShowPage);
}

fn row_height(cx: &Cx<'_>) -> f32 {
    marks::height(cx) + cx.theme.pick(44.0, 32.0)
}

/// A case: item and number at the left, its marks at the right.
fn case_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, case: &CaseLine) {
    card(ui, cx, rect, radius::CARD);
    let inner = rect.shrink2(vec2(32.0, cx.theme.pick(22.0, 16.0)));
    let words = inner.with_max_x(inner.left() + cx.theme.pick(560.0, 520.0));
    let item = cx.model.catalogue.entry(&case.item).map(|entry| cx.say(entry.title()).to_owned());
    let item = item.unwrap_or_else(|| case.item.to_string());
    let (title, small) = (cx.title(), cx.small());
    let badge_height = cx.theme.metrics.badge;
    let block = title.style.line + small.style.line + 8.0 + badge_height;
    let top = inner.center().y - block / 2.0;
    let first = at(words.left(), top, words.width(), title.style.line);
    text(ui, cx, first, &item, title.data());
    let number = case.number.groups().join(" ");
    let number = cx.tf("my_cases.number", &[("number", &number)]);
    let second = at(words.left(), first.bottom(), words.width(), small.style.line);
    text(ui, cx, second, &number, small.data());
    state_ui(ui, cx, pos2(words.left(), second.bottom() + 8.0), case);
    let mut marks = inner.with_min_x(words.right() + 8.0);
    let said = printing::instead_of_button(cx, case.envelope_id);
    if said.is_some() || cx.model.paper().is_some() {
        let name = cx.tf("my_cases.print_name", &[("number", case.number.as_str())]);
        let look = Button::secondary(cx.t("my_cases.print")).named(&name);
        // One column for button and words: the marks stand where they stood when one takes the other's place.
        let width = look.inner_width(ui, cx) + cx.theme.pick(64.0, 56.0);
        let column = inner.with_min_x(inner.right() - width.max(cx.theme.pick(232.0, 192.0)));
        marks.set_right(column.left() - 8.0);
        if let Some(said) = said {
            on_its_way_ui(ui, cx, column, said);
        } else {
            let height = cx.theme.metrics.target;
            let place = at(inner.right() - width, inner.center().y - height / 2.0, width, height);
            press(ui, cx, place, &look, Command::PrintCase(case.envelope_id));
        }
    }
    marks_ui(ui, cx, marks, &case.marks, case.state);
}

/// A quiet block in the place of the button: nothing to tap, and why. In the elder version the words need all of it.
fn on_its_way_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, (words, ink, name): (String, Color32, &'static str)) {
    let colors = &cx.theme.colors;
    well(ui, cx, place, radius::BUTTON, if ink == colors.warn { colors.warn50 } else { colors.brand50 });
    let mut inside = place.shrink2(vec2(cx.theme.pick(12.0, 4.0), 4.0));
    let mut letters = cx.small().color(ink).middle();
    if cx.elder() {
        letters = letters.centered_across();
    } else {
        let side = cx.theme.metrics.button_icon;
        icon(ui, cx, at(inside.left(), inside.center().y - side / 2.0, side, side), name, ink);
        inside.set_left(inside.left() + side + 8.0);
    }
    text(ui, cx, inside, &words, letters);
}

/// Where it stands, as a badge of icon and word.
fn state_ui(ui: &mut Ui, cx: &Cx<'_>, corner: egui::Pos2, case: &CaseLine) {
    let (key, name, ground, ink) = state_of(cx, case);
    let words = cx.tf(&format!("my_cases.state.{key}"), &[]);
    let letters = cx.letters(crate::theme::TypeRole::SmallBold, ink).middle();
    let (height, side) = (cx.theme.metrics.badge, cx.theme.metrics.badge_icon);
    let width = 14.0 + side + 8.0 + width_of(ui, &words, letters) + 18.0;
    let rect = at(corner.x, corner.y, width, height);
    fill(ui.painter(), rect, radius::BADGE, ground);
    icon(ui, cx, at(rect.left() + 14.0, rect.center().y - side / 2.0, side, side), name, ink);
    text(ui, cx, rect.with_min_x(rect.left() + 22.0 + side), &words, letters);
}

fn state_of(cx: &Cx<'_>, case: &CaseLine) -> (&'static str, &'static str, Color32, Color32) {
    use domain::case::Mark;
    let colors = &cx.theme.colors;
    let done = |mark| standing(mark, &case.marks, case.state) == Standing::Done;
    match case.state {
        _ if done(Mark::Completed) => ("completed", "check", colors.ok50, colors.ok),
        Some(CaseState::Returned) => ("returned", "warn", colors.error50, colors.error),
        _ if done(Mark::Accepted) => ("accepted", "stamp", colors.info50, colors.info),
        Some(CaseState::Quarantined) => ("checking", "search", colors.info50, colors.info),
        _ if done(Mark::Delivered) => ("delivered", "center", colors.ok50, colors.ok),
        _ => ("saved", "saved", colors.warn50, colors.warn),
    }
}

/// No case yet: says what will stand here, and leads on.
fn empty_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect) {
    message_ui(ui, cx, place, ("folder", "my_cases.empty", "my_cases.empty_note"));
    let look = Button::secondary(cx.t("my_cases.empty_action")).icon("grid");
    let size = vec2(cx.theme.pick(400.0, 560.0), cx.theme.metrics.footer_button);
    let center = pos2(place.center().x, place.bottom() - 40.0 - size.y);
    press(ui, cx, Rect::from_center_size(center, size), &look, Command::Home);
}

fn message_ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    place: Rect,
    (name, title, more): (&str, &'static str, &'static str),
) {
    let side = cx.theme.pick(120.0, 144.0);
    let top = place.top() + cx.theme.pick(64.0, 32.0);
    let block = at(place.center().x - side / 2.0, top, side, side);
    icon_block(ui, cx, block, name, side * 0.6);
    let h2 = cx.h2().centered_across();
    let first = at(place.left(), block.bottom() + 24.0, place.width(), h2.style.line);
    text(ui, cx, first, cx.t(title), h2);
    let room = Rect::from_center_size(first.center(), vec2(cx.theme.pick(1_000.0, 1_500.0), 0.0));
    let second = at(room.left(), first.bottom() + 12.0, room.width(), cx.body().style.line * 3.0);
    text(ui, cx, second, cx.t(more), cx.body().centered_across());
}
