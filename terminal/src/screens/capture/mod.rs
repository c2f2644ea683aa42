//! Taking pages for a field: ways to take them and the pages so far, a device at work, or a page that is shown before
//! it is kept.
//!
//! Refuses to judge a page: what is wrong with it is told, and the citizen decides.
mod list;
mod picture;
mod shown;

use domain::form::PlanField;
use egui::{Rect, Ui, pos2, vec2};

use super::heading;
use crate::command::Command;
use crate::model::{Capture, CaptureStep, Session, Way};
use crate::theme::radius;
use crate::widgets::button::{Button, press};
use crate::widgets::shape::{fill, well};
use crate::widgets::{Cx, Footer, at, frame, height_of, icon, text, upright};

pub use picture::forget;

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let model = cx.model;
    let parts = model.session.as_ref().and_then(|s| Some((s, s.capture.as_ref()?, s.captured_field()?)));
    let Some((session, capture, field)) = parts else {
        frame(ui, cx, Footer::go(cx.t("capture.done"), Command::Continue), |_, _, _| {});
        return;
    };
    let footer = match &capture.step {
        CaptureStep::Pages => Footer::go(cx.t("capture.done"), Command::Continue),
        CaptureStep::Shown(shown) if shown.cutting => Footer::say(cx.t("capture.cutting")),
        CaptureStep::Shown(_) => Footer::go(cx.t("capture.use"), Command::UsePage),
        CaptureStep::Taking { .. } => Footer::say(cx.t("capture.sealed")),
        CaptureStep::Keeping => Footer::say(cx.t("capture.keeping")),
    };
    frame(ui, cx, footer, |ui, cx, content| {
        let (side, pane) = split(cx, content);
        let top = heading::heading_ui(ui, cx, side, &caption(cx, session), cx.say(&field.label));
        let side = side.with_min_y(top);
        match &capture.step {
            CaptureStep::Shown(shown) => {
                let side = failed_ui(ui, cx, side, capture);
                shown::side_ui(ui, cx, side, shown);
                shown::pane_ui(ui, cx, pane, (shown, capture.ticket));
            }
            CaptureStep::Taking { way, page, percent } => {
                taking_ui(ui, cx, side, (*way, *page, *percent));
                list::list_ui(ui, cx, pane, (session, field, false));
            }
            CaptureStep::Pages | CaptureStep::Keeping => {
                ways_ui(ui, cx, side, (session, capture, field));
                let settled = matches!(capture.step, CaptureStep::Pages);
                list::list_ui(ui, cx, pane, (session, field, settled));
            }
        }
    });
}

/// Words and buttons at the left, pages or picture at the right; one above the other on an upright panel.
fn split(cx: &Cx<'_>, content: Rect) -> (Rect, Rect) {
    if upright(content) {
        let middle = content.top() + content.height() * 0.46;
        return (
            content.with_max_y(middle),
            content.with_min_y(middle + 24.0).with_max_y(content.bottom() - 24.0),
        );
    }
    let width = cx.theme.pick(640.0, 760.0);
    let pane = content.with_min_x(content.left() + width + 48.0);
    let pane = pane.with_min_y(content.top() + 28.0).with_max_y(content.bottom() - 24.0);
    (content.with_max_x(content.left() + width).with_max_y(content.bottom() - 24.0), pane)
}

fn caption(cx: &Cx<'_>, session: &Session) -> String {
    let item = session.item.as_ref().and_then(|code| cx.model.pinned().entry(code));
    let item = item.map(|entry| cx.say(entry.title()).to_owned()).unwrap_or_default();
    cx.tf("capture.caption", &[("item", &item)])
}

/// Why the last try gave nothing; gives what is left of the place.
fn failed_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, capture: &Capture) -> Rect {
    let Some(key) = capture.failed else { return place };
    let words = cx.tf(&format!("capture.failed.{key}"), &[]);
    note_ui(ui, cx, place, ("warn", &words), true)
}

/// A line with an icon on its colour, a warning or a good word; gives what is left of the place.
fn note_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, (name, words): (&str, &str), warns: bool) -> Rect {
    let colors = &cx.theme.colors;
    let (ground, ink) = if warns { (colors.warn50, colors.warn) } else { (colors.ok50, colors.ok) };
    let (letters, side) = (cx.strong().color(ink), cx.theme.metrics.badge_icon + 8.0);
    let width = place.width() - side - 72.0;
    let height = height_of(ui, words, letters, width) + cx.theme.pick(32.0, 24.0);
    let rect = at(place.left(), place.top(), place.width(), height);
    well(ui, cx, rect, radius::BUTTON, ground);
    icon(ui, cx, at(rect.left() + 24.0, rect.center().y - side / 2.0, side, side), name, ink);
    let inner = Rect::from_min_max(pos2(rect.left() + 48.0 + side, rect.top()), rect.max - vec2(16.0, 0.0));
    text(ui, cx, inner, words, letters.middle());
    place.with_min_y(rect.bottom() + cx.theme.metrics.gap)
}

/// What can be done to get a page.
fn ways_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    place: Rect,
    (session, capture, field): (&Session, &Capture, &PlanField),
) {
    let mut place = failed_ui(ui, cx, place, capture);
    // Why it failed takes the place of how it is done.
    if capture.failed.is_none() {
        let (body, full) = (cx.body(), session.captured_room() == 0);
        let words = cx.t(if full { "capture.full" } else { "capture.how" });
        let height = height_of(ui, words, body, place.width());
        text(ui, cx, at(place.left(), place.top(), place.width(), height), words, body);
        place = place.with_min_y(place.top() + height + cx.theme.pick(24.0, 16.0));
    }
    if session.captured_room() > 0 && matches!(capture.step, CaptureStep::Pages) {
        let devices = cx.model.capture_devices;
        let several = field.files.as_ref().is_some_and(|files| files.max > 1);
        let ways = [
            (devices.camera, "capture.shoot", "camera", Way::Camera),
            (devices.scanner, "capture.scan", "scan", Way::Glass),
            (devices.scanner && several, "capture.feed", "layers", Way::Feeder),
        ];
        for (_, key, name, way) in ways.into_iter().filter(|(there, ..)| *there) {
            let rect = at(place.left(), place.top(), place.width(), cx.theme.metrics.target);
            press(ui, cx, rect, &Button::secondary(cx.t(key)).icon(name), Command::TakePage(way));
            place = place.with_min_y(rect.bottom() + 16.0);
        }
    }
    sealed_ui(ui, cx, place);
}

/// Where pages are kept, in small words at the end of the place, if there is room.
fn sealed_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect) {
    let (small, side) = (cx.small(), cx.theme.metrics.badge_icon);
    let words = cx.t("capture.sealed");
    let width = place.width() - side - 16.0;
    let height = height_of(ui, words, small, width);
    if height > place.height() {
        return;
    }
    let line = at(place.left() + side + 16.0, place.bottom() - height, width, height);
    icon(ui, cx, at(place.left(), line.top() + 2.0, side, side), "lock", cx.theme.colors.brand600);
    text(ui, cx, line, words, small);
}

/// A device at work: which page, how far, and how to stop it.
fn taking_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, (way, page, percent): (Way, u16, u8)) {
    let words = match way {
        Way::Camera => cx.t("capture.shooting").to_owned(),
        Way::Glass | Way::Feeder => cx.tf("capture.scanning", &[("n", &page.to_string())]),
    };
    let letters = cx.h2();
    let line = at(place.left(), place.top(), place.width(), height_of(ui, &words, letters, place.width()));
    text(ui, cx, line, &words, letters);
    let bar = at(place.left(), line.bottom() + 16.0, place.width(), 24.0);
    let colors = &cx.theme.colors;
    if way != Way::Camera {
        well(ui, cx, bar, radius::BADGE, colors.brand200);
        let share = f32::from(percent.min(100)) / 100.0;
        fill(ui.painter(), bar.with_max_x(bar.left() + bar.width() * share), radius::BADGE, colors.brand700);
    }
    let stop = at(place.left(), bar.bottom() + 32.0, place.width(), cx.theme.metrics.footer_button);
    press(ui, cx, stop, &Button::secondary(cx.t("capture.stop")).icon("x"), Command::StopTaking);
}
