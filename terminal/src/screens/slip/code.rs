//! What a citizen takes along from a slip: the code to scan, and the paper, with where it is.
use egui::{Color32, Rect, Ui, pos2, vec2};

use super::super::printing::{self, Offer};
use crate::model::SlipView;
use crate::theme::radius;
use crate::widgets::button::{Button, press};
use crate::widgets::shape::{card, well};
use crate::widgets::text::height_of;
use crate::widgets::{Cx, at, icon, qr, rule, text};

/// The code, and below it the paper, or where the branch is if nothing prints.
pub(super) fn code_card(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, slip: &SlipView) {
    card(ui, cx, rect, radius::CARD);
    let inner = rect.shrink2(vec2(32.0, 28.0));
    let key = if slip.marks.delivered_ms.is_some() { "slip.scan_receipt" } else { "slip.scan" };
    let title = cx.strong();
    text(
        ui,
        cx,
        at(inner.left(), inner.top(), inner.width(), title.style.line),
        cx.t(key),
        title.centered_across(),
    );
    let prints = cx.model.paper().is_some();
    let side = if prints { 280.0 } else { 320.0 };
    let square = at(inner.center().x - side / 2.0, inner.top() + title.style.line + 12.0, side, side);
    let words =
        if qr::qr_ui(ui, cx, square, &slip.qr_url) { "slip.no_personal_data" } else { "slip.no_code" };
    let small = cx.small();
    let note = at(inner.left(), square.bottom() + 8.0, inner.width(), small.style.line);
    text(ui, cx, note, cx.t(words), small.centered_across());
    if prints {
        return print_ui(
            ui,
            cx,
            Rect::from_min_max(pos2(inner.left(), note.bottom() + 16.0), inner.max),
            slip,
        );
    }
    let Some(station) = &cx.model.station else { return };
    rule(ui, cx, inner.left(), inner.right(), note.bottom() + 16.0);
    let place = Rect::from_min_max(pos2(inner.left() + 52.0, note.bottom() + 32.0), inner.max);
    icon(ui, cx, at(inner.left(), place.top(), 36.0, 36.0), "pin", cx.theme.colors.brand600);
    let name = cx.body().bold().color(cx.theme.colors.ink);
    let first = text(
        ui,
        cx,
        place.with_max_y(place.top() + name.style.line * 2.0),
        cx.say(&station.name),
        name.data(),
    );
    text(ui, cx, place.with_min_y(first.bottom() + 4.0), cx.say(&station.address), small.data());
}

/// The print button, where there are two printers a quiet one for the other paper beside it, and below where the paper is.
/// While it is on its way that stands in the place of the button.
fn print_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, slip: &SlipView) {
    let (own, beside) = printing::offers(cx, slip.envelope_id);
    let line = printing::line(cx, slip.envelope_id);
    let Some(own) = own else { return on_its_way_ui(ui, cx, rect, (line, beside)) };
    let mut button = rect.with_max_y(rect.top() + cx.theme.metrics.target);
    if let Some(other) = beside {
        let look = Button::quiet(cx.t(other.label));
        let width = look.inner_width(ui, cx) + 32.0;
        let place = button.with_min_x(button.right() - width);
        press(ui, cx, place, &look, other.command);
        button.set_right(place.left() - 8.0);
    }
    press(ui, cx, button, &Button::secondary(cx.t(own.label)).icon("printer"), own.command);
    let Some((words, ink, name)) = line else { return };
    let place = rect.with_min_y(button.bottom() + 10.0);
    icon(ui, cx, at(place.left(), place.top(), 32.0, 32.0), name, ink);
    text(ui, cx, place.with_min_x(place.left() + 44.0), &words, cx.small().color(ink));
}

/// A quiet block that says what the paper waits for, and below it the other printer, if the paper may go there.
fn on_its_way_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    rect: Rect,
    (line, beside): (Option<(String, Color32, &'static str)>, Option<Offer>),
) {
    let Some((words, ink, name)) = line else { return };
    let target = cx.theme.metrics.target;
    let mut block = rect.with_max_y(rect.bottom() - if beside.is_some() { target + 12.0 } else { 0.0 });
    let colors = &cx.theme.colors;
    let ground = if ink == colors.warn { colors.warn50 } else { colors.brand50 };
    let letters = cx.small().color(ink);
    let inside = block.shrink2(vec2(20.0, 12.0));
    let place = inside.with_min_x(inside.left() + 56.0);
    let height = height_of(ui, &words, letters, place.width()).max(target - 24.0);
    block.set_height((height + 24.0).min(block.height()));
    well(ui, cx, block, radius::BUTTON, ground);
    let place = place.with_max_y(block.bottom() - 12.0);
    icon(ui, cx, at(inside.left(), block.center().y - 20.0, 40.0, 40.0), name, ink);
    text(ui, cx, place, &words, letters.middle());
    if let Some(other) = beside {
        let place = at(rect.left(), block.bottom() + 12.0, rect.width(), target);
        press(ui, cx, place, &Button::secondary(cx.t(other.label)).icon("printer"), other.command);
    }
}
