//! The footer of every page: back, call for staff, and one named action or one useful sentence, in fixed places.
//!
//! Refuses a disabled button: an action always answers, if need be with what is missing.
use egui::{Rect, Ui, pos2};

use super::button::{Button, Kind, press};
use super::shape::{fill, icon, rule};
use super::text::{height_of, text, width_of};
use super::{Cx, at, margin, upright};
use crate::command::Command;
use crate::theme::{TypeRole, radius};

/// What the left button does.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Back {
    /// 返回
    #[default]
    Back,
    /// 结束: ends the visit.
    Finish,
    /// 返回, by asking for this instead.
    To(Command),
    /// 办别的事: to the home page.
    Other,
    /// Nothing to go back to.
    None,
}

/// The named action at the right.
#[derive(Clone)]
pub struct Action<'a> {
    /// Its verb.
    pub label: &'a str,
    /// Icon after it.
    pub icon: &'a str,
    /// What it asks for.
    pub command: Command,
    /// The filled button of the page; otherwise it has a border only.
    pub filled: bool,
}

impl<'a> Action<'a> {
    /// The filled button, with an arrow.
    pub fn go(label: &'a str, command: Command) -> Self {
        Self { label, icon: "right", command, filled: true }
    }
}

/// What stands in the footer.
#[derive(Clone, Default)]
pub struct Footer<'a> {
    /// Left button.
    pub back: Back,
    /// Right button.
    pub action: Option<Action<'a>>,
    /// Icon, bold line and small line at the right, when there is no action.
    pub note: Option<(&'a str, &'a str, &'a str)>,
}

impl<'a> Footer<'a> {
    /// Back and a filled action.
    pub fn go(label: &'a str, command: Command) -> Self {
        Self { action: Some(Action::go(label, command)), ..Self::default() }
    }

    /// Back and a sentence.
    pub fn say(sentence: &'a str) -> Self {
        Self { note: Some(("", sentence, "")), ..Self::default() }
    }
}

/// Draws the footer.
pub fn footer_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, footer: Footer<'_>) {
    let metrics = cx.theme.metrics;
    ui.painter().rect_filled(rect, 0, cx.theme.colors.surface);
    rule(ui, cx, rect.left(), rect.right(), rect.top() + 0.5);
    let top = rect.center().y - metrics.footer_button / 2.0;
    let widths = Widths::of(cx, ui.max_rect());
    let mut left = rect.left() + widths.margin;
    let back = match footer.back {
        Back::Back => Some((cx.t("footer.back"), "left", Command::Back)),
        Back::Finish => Some((cx.t("footer.finish"), "out", Command::Finish)),
        Back::To(command) => Some((cx.t("footer.back"), "left", command)),
        Back::Other => Some((cx.t("slip.other"), "grid", Command::Home)),
        Back::None => None,
    };
    if let Some((label, icon, command)) = back {
        let place = at(left, top, widths.back, metrics.footer_button);
        press(ui, cx, place, &Button::secondary(label).icon(icon), command);
    }
    left += widths.back + widths.gap;
    let call = if cx.model.staff_called_ms.is_some() { cx.t("footer.called") } else { cx.t("footer.call") };
    let place = at(left, top, widths.call, metrics.footer_button);
    press(ui, cx, place, &Button::secondary(call).icon("bell"), Command::CallStaff);
    let right = rect.right() - widths.margin;
    if let Some(action) = footer.action {
        let place = at(right - widths.action, top, widths.action, metrics.footer_button);
        let kind = if action.filled { Kind::Primary } else { Kind::Secondary };
        press(ui, cx, place, &Button::new(kind, action.label).icon_after(action.icon), action.command);
    } else if let Some(note) = footer.note {
        let room =
            Rect::from_min_max(pos2(place.right() + widths.gap, rect.top()), pos2(right, rect.bottom()));
        note_ui(ui, cx, room, note);
    }
}

/// Widths in the footer: an upright page is narrow, and there the action takes what is left.
struct Widths {
    margin: f32,
    gap: f32,
    back: f32,
    call: f32,
    action: f32,
}

impl Widths {
    fn of(cx: &Cx<'_>, page: Rect) -> Self {
        let metrics = &cx.theme.metrics;
        let margin = margin(cx, page);
        let (gap, back, call) = if upright(page) {
            (16.0, cx.theme.pick(208.0, 232.0), cx.theme.pick(300.0, 380.0))
        } else {
            (24.0, metrics.back_width, metrics.call_width)
        };
        let left = page.width() - 2.0 * (margin + gap) - back - call;
        Self { margin, gap, back, call, action: metrics.action_width.min(left) }
    }
}

/// The short message above the footer, while it is to be shown.
pub fn toast_ui(ui: &mut Ui, cx: &mut Cx<'_>, middle: Rect) {
    let Some(toast) = cx.model.toast.as_ref().filter(|toast| toast.until_ms > cx.model.now_ms) else {
        return;
    };
    let words = cx.t(toast.key);
    let letters = cx.letters(TypeRole::Strong, cx.theme.colors.ground).middle();
    let height = cx.theme.pick(72.0, 96.0);
    let width = (width_of(ui, words, letters) + 120.0).min(middle.width() - 192.0);
    let left = middle.center().x - width / 2.0;
    let rect = at(left, middle.bottom() - 24.0 - height, width, height);
    fill(ui.painter(), rect, radius::BUTTON, cx.theme.colors.ink);
    let side = cx.theme.pick(36.0, 48.0);
    let place = at(rect.left() + 24.0, rect.center().y - side / 2.0, side, side);
    icon(ui, cx, place, "info", cx.theme.colors.ground);
    let words_left = place.right() + 16.0;
    text(ui, cx, at(words_left, rect.top(), rect.right() - words_left - 16.0, height), words, letters);
}

fn note_ui(ui: &mut Ui, cx: &Cx<'_>, room: Rect, (name, line, more): (&str, &str, &str)) {
    let strong = if more.is_empty() { cx.body() } else { cx.strong() };
    let (strong, small) = (strong.right(), cx.small().right());
    let widest =
        width_of(ui, line, strong).max(if more.is_empty() { 0.0 } else { width_of(ui, more, small) });
    if more.is_empty() {
        text(ui, cx, room.shrink2(egui::vec2(0.0, 10.0)), line, strong.middle());
    } else {
        // A long notice takes two lines.
        let lines = height_of(ui, more, small, room.width()) / small.style.line;
        let small = if lines > 1.5 { small.data() } else { small };
        let height = strong.style.line + small.style.line * lines.clamp(1.0, 2.0).round();
        let top = room.center().y - height / 2.0;
        let upper = Rect::from_min_max(pos2(room.left(), top), pos2(room.right(), top + strong.style.line));
        text(ui, cx, upper, line, strong);
        let lower = Rect::from_min_max(pos2(room.left(), upper.bottom()), pos2(room.right(), top + height));
        text(ui, cx, lower, more, small);
    }
    let side = cx.theme.pick(40.0, 48.0);
    let left = room.right() - widest - 16.0 - side;
    if !name.is_empty() && left > room.left() {
        icon(ui, cx, at(left, room.center().y - side / 2.0, side, side), name, cx.theme.colors.brand600);
    }
}
