//! A page that is shown before it is kept: what is wrong with it, and what can be done about it.
use egui::{Rect, Ui, pos2};
use hardware::pages::{Corners, Point};

use super::picture;
use super::{note_ui, sealed_ui};
use crate::command::Command;
use crate::model::{Shown, Way};
use crate::theme::radius;
use crate::widgets::button::{Button, Kind, press};
use crate::widgets::shape::well;
use crate::widgets::{Cx, at, height_of, text};

/// Warnings that are told, at most: the weightiest.
const MOST_WARNINGS: usize = 2;
/// How far an arrow moves a corner, as a share of the picture.
const STEP: f32 = 0.01;

/// Warnings and buttons.
pub(super) fn side_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, shown: &Shown) {
    let mut place = place;
    for finding in shown.page.findings.iter().take(MOST_WARNINGS) {
        let words = cx.tf(&format!("capture.finding.{}", finding.name()), &[]);
        place = note_ui(ui, cx, place, ("warn", &words), true);
    }
    let (key, body) = if shown.page.findings.is_empty() {
        place = note_ui(ui, cx, place, ("check", cx.t("capture.good")), false);
        ("capture.look", cx.body())
    } else {
        ("capture.ask", cx.body())
    };
    let words = cx.t(key);
    let height = height_of(ui, words, body, place.width());
    text(ui, cx, at(place.left(), place.top() + 8.0, place.width(), height), words, body);
    place = place.with_min_y(place.top() + height + cx.theme.pick(28.0, 20.0));
    let (gap, high) = (cx.theme.metrics.gap.max(16.0), cx.theme.metrics.footer_button);
    let half = (place.width() - gap) / 2.0;
    let again =
        if shown.way == Way::Camera { ("capture.retake", "camera") } else { ("capture.rescan", "scan") };
    let look = Button::secondary(cx.t(again.0)).icon(again.1);
    press(ui, cx, at(place.left(), place.top(), half, high), &look, Command::RetakePage);
    let turn = at(place.left() + half + gap, place.top(), half, high);
    press(ui, cx, turn, &Button::secondary(cx.t("capture.turn")).icon("rotate"), Command::TurnPage);
    place = place.with_min_y(turn.bottom() + gap);
    if shown.way == Way::Camera && shown.cut.corners != Corners::WHOLE && place.height() > high {
        let whole = at(place.left(), place.top(), place.width(), high);
        press(ui, cx, whole, &Button::secondary(cx.t("capture.whole")).icon("scan"), Command::WholePage);
        place = place.with_min_y(whole.bottom() + gap);
    }
    sealed_ui(ui, cx, place);
}

/// The picture, with the corners of its page and arrows where it is a photo.
pub(super) fn pane_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, (shown, ticket): (&Shown, u64)) {
    let target = cx.theme.metrics.target;
    well(ui, cx, place, radius::CARD, cx.theme.colors.sunken);
    let movable = shown.way == Way::Camera;
    let inner = place.shrink(16.0);
    if !movable {
        picture::picture_ui(ui, cx, inner, (&shown.picture, ticket));
        return;
    }
    let body = cx.body().centered_across();
    let words = cx.t("capture.corners");
    let height = height_of(ui, words, body, inner.width());
    let strip = Rect::from_min_max(pos2(inner.left(), inner.bottom() - height), inner.max);
    text(ui, cx, strip, words, body);
    let arrows =
        Rect::from_min_max(pos2(inner.right() - target, inner.top()), pos2(inner.right(), strip.top()));
    // Handles stand out over the picture's edge by half a target.
    let room =
        Rect::from_min_max(inner.min, pos2(arrows.left() - 16.0, strip.top() - 8.0)).shrink(target / 2.0);
    let frame = picture::picture_ui(ui, cx, room, (&shown.picture, ticket));
    picture::handles_ui(ui, cx, frame, (shown, ticket));
    arrows_ui(ui, cx, arrows, shown);
}

/// Arrows that move one corner by a little.
fn arrows_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, shown: &Shown) {
    let (target, gap) = (cx.theme.metrics.target, cx.theme.metrics.gap);
    let mut top = place.center().y - (4.0 * target + 3.0 * gap) / 2.0;
    let ways = [
        ("up", "capture.move_up", (0.0, -STEP)),
        ("down", "capture.move_down", (0.0, STEP)),
        ("left", "capture.move_left", (-STEP, 0.0)),
        ("right", "capture.move_right", (STEP, 0.0)),
    ];
    let corner = shown.corner.min(3);
    let from = shown.cut.corners.points()[corner];
    for (name, key, (x, y)) in ways {
        let look = Button::new(Kind::Secondary, "").icon(name).named(cx.t(key));
        let to = Point::new((from.x + x).clamp(0.0, 1.0), (from.y + y).clamp(0.0, 1.0));
        let rect = at(place.left(), top, target, target);
        press(ui, cx, rect, &look, Command::MoveCorner { corner, at: to });
        top += target + gap;
    }
}
