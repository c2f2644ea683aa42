//! The slip: the number in large type, what is true now, what happens next, and a code to take along.
//!
//! Becomes the receipt when that arrives. Refuses to say more than receipts and case news say; no ID number.
mod code;
mod now;

use egui::{Color32, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use self::code::code_card;
use self::now::{Now, banner_ui, note};
use super::printing::{self, Offer};
use crate::command::Command;
use crate::model::{PrintStep, SlipView};
use crate::theme::{TypeRole, radius};
use crate::widgets::button::{Button, press};
use crate::widgets::footer::{Action, Back};
use crate::widgets::shape::{card, fill};
use crate::widgets::text::height_of;
use crate::widgets::{Cx, Footer, Lettering, at, frame, icon, marks, qr, rule, text};

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let model = cx.model;
    let shown = model.session.as_ref().and_then(|s| s.slip.as_ref());
    let footer = match shown.filter(|_| cx.elder() && model.paper().is_some()) {
        Some(slip) => elder_footer(cx, slip),
        None => Footer { back: Back::Other, action: Some(finish(cx)), ..Footer::default() },
    };
    frame(ui, cx, footer, |ui, cx, content| {
        let Some(slip) = model.session.as_ref().and_then(|s| s.slip.as_ref()) else { return };
        let top = heading_ui(ui, cx, content, slip);
        let place =
            Rect::from_min_max(pos2(content.left(), top), pos2(content.right(), content.bottom() - 20.0));
        if cx.elder() {
            elder_ui(ui, cx, place, slip);
        } else {
            normal_ui(ui, cx, place, slip);
        }
    });
}

fn finish<'a>(cx: &Cx<'a>) -> Action<'a> {
    Action { label: cx.t("slip.finish"), icon: "out", command: Command::Finish, filled: true }
}

/// In the elder version there is one thing to do at a time: take the paper along, then finish. Nothing stands in the place
/// of the print button while the paper comes, so that a second tap on it ends no visit.
fn elder_footer<'a>(cx: &Cx<'a>, slip: &SlipView) -> Footer<'a> {
    let (offer, _) = printing::offers(cx, slip.envelope_id);
    let step = cx.model.print_of(slip.envelope_id);
    let (back, action) = match offer {
        Some(Offer { label, command }) if step != Some(PrintStep::Printed) => {
            (Back::Finish, Some(Action { label: cx.t(label), icon: "printer", command, filled: true }))
        }
        None if step == Some(PrintStep::Printing) || cx.model.print_just_asked() => (Back::Finish, None),
        _ => (Back::Other, Some(finish(cx))),
    };
    Footer { back, action, ..Footer::default() }
}

/// Disc, title and what it means; gives where they end.
fn heading_ui(ui: &mut Ui, cx: &Cx<'_>, content: Rect, slip: &SlipView) -> f32 {
    let now = Now::of(slip);
    let side = cx.theme.pick(88.0, 92.0);
    let top = content.top() + cx.theme.pick(24.0, 14.0);
    let disc = at(content.left(), top, side, side);
    let ground = if now == Now::Returned { cx.theme.colors.error } else { cx.theme.colors.brand700 };
    ui.painter().circle_filled(disc.center(), side / 2.0, ground);
    let inner = Rect::from_center_size(disc.center(), vec2(side * 0.6, side * 0.6));
    let on_disc = if now == Now::Returned { cx.theme.colors.surface } else { cx.theme.colors.on_brand };
    icon(ui, cx, inner, now.icon(), on_disc);
    let left = disc.right() + 24.0;
    let key = if cx.elder() && now == Now::Saved { "saved_elder" } else { now.key() };
    let title = cx.tf(&format!("slip.{key}"), &[]);
    let h1 = cx.h1();
    let room = content.right() - left;
    if cx.elder() {
        text(ui, cx, at(left, disc.top(), room, side), &title, h1.middle());
        return disc.bottom() + 14.0;
    }
    text(ui, cx, at(left, top - 6.0, room, h1.style.line), &title, h1);
    let below = at(left, top - 6.0 + h1.style.line, room, 40.0);
    text(ui, cx, below, cx.t(note(cx, now)), cx.body().sized(26.0, 40.0));
    disc.bottom() + 24.0
}

fn normal_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, slip: &SlipView) {
    let left = place.with_max_x(place.left() + 1_120.0);
    card(ui, cx, left, radius::CARD);
    let inner = left.shrink2(vec2(48.0, 28.0));
    let number = number_block(ui, cx, inner, slip);
    perforation(ui, cx, left, number + 30.0);
    let line = at(inner.left() - 16.0, number + 56.0, inner.width() + 32.0, marks::height(cx) + 4.0);
    marks::marks_ui(ui, cx, line, &slip.marks, slip.state);
    let banner = at(inner.left(), line.bottom() + 16.0, inner.width(), 112.0);
    banner_ui(ui, cx, banner, slip);
    let next = Rect::from_min_max(pos2(inner.left(), banner.bottom() + 16.0), inner.max);
    next_ui(ui, cx, next, after(cx, slip));
    let right = place.with_min_x(left.right() + 32.0);
    code_card(ui, cx, right, slip);
}

/// Caption, whose it is, and the number; gives where they end.
fn number_block(ui: &mut Ui, cx: &Cx<'_>, inner: Rect, slip: &SlipView) -> f32 {
    let body = cx.body();
    let line = at(inner.left(), inner.top(), inner.width(), body.style.line);
    let whose = whose(cx, slip);
    let filled = text(ui, cx, line.with_min_x(line.left() + line.width() * 0.5), &whose, body.right().data());
    caption_ui(ui, cx, line.with_max_x(filled.left() - 24.0), slip, "slip.number");
    let size = number_ui(
        ui,
        cx,
        pos2(inner.left(), line.bottom() + 8.0),
        (slip, cx.letters(TypeRole::Number, cx.theme.colors.ink)),
    );
    line.bottom() + 8.0 + size
}

/// "Remember the last four", or that the number was corrected.
fn caption_ui(ui: &mut Ui, cx: &Cx<'_>, line: Rect, slip: &SlipView, key: &'static str) {
    match &slip.corrected_from {
        Some(old) => {
            let words = cx.tf("slip.corrected", &[("number", old.as_str())]);
            let letters = cx.small().bold().color(cx.theme.colors.warn);
            text(ui, cx, line, &words, letters.middle().data());
        }
        None => {
            text(ui, cx, line, cx.t(key), cx.body());
        }
    }
}

fn whose(cx: &Cx<'_>, slip: &SlipView) -> String {
    let item = cx.model.pinned().entry(&slip.item).map(|entry| cx.say(entry.title()).to_owned());
    let item = item.unwrap_or_else(|| slip.item.to_string());
    cx.tf("slip.whose", &[("item", &item), ("name", &slip.masked_name)])
}

/// The number in groups, the last four on yellow; gives its height.
fn number_ui(ui: &mut Ui, cx: &Cx<'_>, corner: egui::Pos2, (slip, letters): (&SlipView, Lettering)) -> f32 {
    let letters = letters.quiet().middle();
    let height = letters.style.line;
    let gap = letters.style.size * 0.31;
    let mut left = corner.x;
    for (index, group) in slip.number.groups().into_iter().enumerate() {
        let width = crate::widgets::width_of(ui, group, letters);
        if index == 3 {
            let ground = at(left - 2.0, corner.y, width + 16.0, height);
            fill(ui.painter(), ground, 8, cx.theme.colors.rape100);
            fill(
                ui.painter(),
                at(ground.left(), ground.bottom() - 3.0, ground.width(), 6.0),
                3,
                cx.theme.colors.rape,
            );
            left += 8.0;
        }
        text(ui, cx, at(left, corner.y, width + 4.0, height), group, letters);
        left += width + gap;
    }
    let all = Rect::from_min_max(corner, pos2(left, corner.y + height));
    let name = cx.tf("slip.number_name", &[("number", slip.number.as_str())]);
    let response = ui.interact(all, ui.scope_id().with("number"), Sense::empty());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name.as_str()));
    height
}

/// Half circles of the ground colour, as if torn off here.
fn perforation(ui: &Ui, cx: &Cx<'_>, card: Rect, y: f32) {
    let mut x = card.left() + 38.0;
    while x < card.right() - 20.0 {
        ui.painter().circle_filled(pos2(x, y), 9.0, cx.theme.colors.ground);
        x += 36.0;
    }
}

/// What happens next, as the guide says it.
fn next_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, words: Option<String>) {
    let Some(words) = words else { return };
    line_ui(ui, cx, rect, (&words, "calendar", cx.theme.colors.ink));
}

/// An icon and words beside it, as large as they fit.
fn line_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, (words, name, ink): (&str, &str, Color32)) {
    let side = cx.theme.pick(44.0, 48.0);
    let place = rect.with_min_x(rect.left() + side + 16.0);
    let letters = fitted(ui, words, place, [cx.body().color(ink), cx.small().color(ink)]);
    let filled = text(ui, cx, place, words, letters.middle().data());
    let line = letters.style.line.min(filled.height());
    let top = filled.top() + (line - side) / 2.0;
    let color = if ink == cx.theme.colors.ink { cx.theme.colors.brand600 } else { ink };
    icon(ui, cx, at(rect.left(), top.max(rect.top()), side, side), name, color);
}

fn after(cx: &Cx<'_>, slip: &SlipView) -> Option<String> {
    if Now::of(slip) == Now::Returned {
        return None;
    }
    let entry = cx.model.pinned().entry(&slip.item)?;
    let words = super::entry::after(cx, entry);
    (!words.is_empty()).then_some(words)
}

/// The first lettering with which the words fit, else the last.
fn fitted(ui: &Ui, words: &str, place: Rect, letters: [Lettering; 2]) -> Lettering {
    let fits = height_of(ui, words, letters[0], place.width()) <= place.height() + 1.0;
    if fits { letters[0] } else { letters[1] }
}

fn elder_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, slip: &SlipView) {
    card(ui, cx, place, radius::CARD);
    let inner = Rect::from_min_max(place.min + vec2(48.0, 24.0), place.max - vec2(48.0, 12.0));
    let side = 248.0;
    let square = at(inner.right() - side, inner.top(), side, side);
    let note = if qr::qr_ui(ui, cx, square, &slip.qr_url) { "slip.no_personal_data" } else { "slip.no_code" };
    let body = cx.body();
    let words = inner.with_max_x(square.left() - 32.0);
    caption_ui(
        ui,
        cx,
        at(words.left(), words.top(), words.width(), body.style.line),
        slip,
        "slip.number_elder",
    );
    let number = cx.letters(TypeRole::Number, cx.theme.colors.ink).sized(84.0, 112.0);
    let top = words.top() + body.style.line;
    let height = number_ui(ui, cx, pos2(words.left(), top), (slip, number));
    let line = at(words.left(), top + height + 10.0, words.width(), body.style.line);
    text(ui, cx, line, &whose(cx, slip), body.color(cx.theme.colors.ink).data());
    let small = cx.small();
    let below = at(inner.left(), square.bottom() + 4.0, inner.width(), small.style.line);
    text(ui, cx, below, cx.t(note), small.right());
    rule(ui, cx, inner.left(), inner.right(), below.bottom() + 6.0);
    let line = at(inner.left(), below.bottom() + 18.0, inner.width(), marks::height(cx));
    marks::marks_ui(ui, cx, line, &slip.marks, slip.state);
    let returned = || cx.t("slip.returned_note").to_owned();
    let words = after(cx, slip).or_else(|| (Now::of(slip) == Now::Returned).then(returned));
    let mut place = Rect::from_min_max(pos2(inner.left(), line.bottom() + 4.0), inner.max);
    // The paper is there: what comes next is to take it and to finish, one more is beside it.
    if cx.model.print_of(slip.envelope_id) == Some(PrintStep::Printed)
        && let (Some(again), _) = printing::offers(cx, slip.envelope_id)
    {
        let look = Button::secondary(cx.t(again.label)).icon("printer");
        let (width, height) = (look.inner_width(ui, cx) + 64.0, cx.theme.metrics.target);
        let button = at(place.right() - width, place.bottom() - height, width, height);
        press(ui, cx, button, &look, again.command);
        place =
            Rect::from_min_max(pos2(place.left(), button.top()), pos2(button.left() - 24.0, place.bottom()));
    }
    match printing::line(cx, slip.envelope_id) {
        Some((words, ink, name)) => line_ui(ui, cx, place, (&words, name, ink)),
        None => next_ui(ui, cx, place, words),
    }
}
