//! The countdown over everything: nobody touched the screen for a while.
//!
//! Any touch but the one on the outlined button means "I am still here". Refuses to end a visit by itself.
use egui::{Color32, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::command::Command;
use crate::theme::{TypeRole, radius};
use crate::widgets::button::{Button, button};
use crate::widgets::shape::{fill, outline_rect, shadow};
use crate::widgets::{Cx, at, text};

/// Opacity of the scrim, of 255: 62 percent.
const SCRIM: u8 = 158;
const RING: f32 = 276.0;

/// Draws the dialog over the page, which cannot be touched meanwhile.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let Some(left) = cx.model.idle.seconds_left else { return };
    let page = ui.max_rect();
    let cover = ui.interact(page, ui.scope_id().with("countdown_cover"), Sense::click());
    let [r, g, b, _] = cx.theme.colors.ink.to_array();
    let scrim = if cx.theme.high_contrast {
        Color32::from_black_alpha(220)
    } else {
        Color32::from_rgba_unmultiplied(r, g, b, SCRIM)
    };
    ui.painter().rect_filled(page, 0, scrim);
    let dialog = Rect::from_center_size(page.center(), vec2(1_200.0, 780.0));
    if !cx.theme.high_contrast {
        ui.painter().add(shadow(20, 60, 71).as_shape(dialog, radius::DIALOG));
    }
    fill(ui.painter(), dialog, radius::DIALOG, cx.theme.colors.surface);
    outline_rect(ui.painter(), dialog, radius::DIALOG, Stroke::new(2.0, cx.theme.colors.border));
    let inner = dialog.shrink2(vec2(72.0, 56.0));
    let ring = at(inner.left(), inner.top(), RING, RING);
    ring_ui(ui, cx, ring, left);
    let words =
        Rect::from_min_max(pos2(ring.right() + 64.0, ring.top() + 8.0), pos2(inner.right(), ring.bottom()));
    words_ui(ui, cx, words, left);
    let stay = at(inner.left(), ring.bottom() + 48.0, inner.width(), 184.0);
    let letters = cx.letters(TypeRole::H1, Color32::PLACEHOLDER).sized(72.0, 96.0);
    let here = button(ui, cx, stay, &Button::primary(cx.t("countdown.still_here")).lettering(letters));
    let end = at(inner.left(), stay.bottom() + 24.0, inner.width(), 120.0);
    let finish = button(ui, cx, end, &Button::secondary(cx.t("countdown.finish")));
    if finish.clicked() {
        cx.push(Command::Finish);
    } else if here.clicked() || cover.clicked() || key_pressed(ui) {
        cx.push(Command::StillHere);
    }
}

/// Any key of a keyboard, other than those that press the outlined button.
fn key_pressed(ui: &Ui) -> bool {
    ui.input(|input| input.events.iter().any(|event| matches!(event, egui::Event::Text(_))))
}

fn words_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, left: u32) {
    let title = cx.h1();
    let filled =
        text(ui, cx, place.with_max_y(place.top() + 2.0 * title.style.line), cx.t("countdown.title"), title);
    let session = cx.model.session.as_ref();
    let saved = session.is_some_and(|s| s.slip.is_some());
    let kept = session.is_some_and(|s| s.drafts.kept);
    let key = match (saved, kept) {
        (true, _) => "countdown.words_saved",
        (false, true) => "countdown.words_kept",
        (false, false) => "countdown.words",
    };
    let hours = cx.model.catalogue.policies.draft_hours.to_string();
    let words = cx.tf(key, &[("n", &left.to_string()), ("hours", &hours)]);
    let body = cx.body().sized(cx.theme.pick(30.0, 36.0), cx.theme.pick(46.0, 54.0));
    text(ui, cx, place.with_min_y(filled.bottom() + 12.0), &words, body);
}

/// The ring shrinks clockwise from the top; the number says the same.
fn ring_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, left: u32) {
    let colors = &cx.theme.colors;
    let radius = RING / 2.0 - 13.0;
    let center = rect.center();
    ui.painter().circle_stroke(center, radius, Stroke::new(22.0, colors.brand100));
    let part = fraction(left, cx.model.idle.countdown_secs);
    let points = arc(center, radius, part);
    let dark = if cx.theme.high_contrast { colors.surface } else { colors.brand800 };
    for (width, color) in [(26.0, dark), (18.0, colors.rape)] {
        for end in [points.first(), points.last()].into_iter().flatten() {
            ui.painter().circle_filled(*end, width / 2.0, color);
        }
        ui.painter().add(Shape::line(points.clone(), Stroke::new(width, color)));
    }
    let number = cx.letters(TypeRole::Number, colors.ink).sized(96.0, 104.0).center().quiet();
    text(
        ui,
        cx,
        Rect::from_center_size(center - vec2(0.0, 16.0), vec2(200.0, 104.0)),
        &left.to_string(),
        number,
    );
    let unit = cx.small().sized(32.0, 40.0).center().quiet();
    text(
        ui,
        cx,
        Rect::from_center_size(center + vec2(0.0, 56.0), vec2(180.0, 40.0)),
        cx.t("countdown.seconds"),
        unit,
    );
    let name = cx.tf("countdown.ring", &[("n", &left.to_string())]);
    let response = ui.interact(rect, ui.scope_id().with("ring"), Sense::empty());
    response.widget_info(|| WidgetInfo::labeled(Role::Timer, true, name.as_str()));
}

#[allow(clippy::cast_precision_loss)] // seconds of a countdown
fn fraction(left: u32, of: u32) -> f32 {
    (left as f32 / of.max(1) as f32).clamp(0.0, 1.0)
}

/// What is left of the circle: from the top clockwise, shorter and shorter.
fn arc(center: egui::Pos2, radius: f32, part: f32) -> Vec<egui::Pos2> {
    let full = std::f32::consts::TAU;
    let steps: u16 = 90;
    (0..=steps)
        .map(|step| {
            let angle = full * part * f32::from(step) / f32::from(steps);
            pos2(center.x + radius * angle.sin(), center.y - radius * angle.cos())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arc_is_as_long_as_the_time_that_is_left() {
        let center = pos2(0.0, 0.0);
        for (part, end) in [(1.0, (0.0, -10.0)), (0.5, (0.0, 10.0)), (0.25, (10.0, 0.0))] {
            let points = arc(center, 10.0, part);
            assert!(points[0].x.abs() < 0.01 && (points[0].y + 10.0).abs() < 0.01, "it begins at the top");
            let last = points[points.len() - 1];
            assert!((last.x - end.0).abs() < 0.01 && (last.y - end.1).abs() < 0.01, "{part}");
        }
        assert!((fraction(5, 20) - 0.25).abs() < f32::EPSILON);
        assert!((fraction(5, 0) - 1.0).abs() < f32::EPSILON);
    }
}
