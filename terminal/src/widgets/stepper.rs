//! A stepper: minus, value, plus. Refuses to hold the value: it says in which direction it was tapped.
use egui::{Rect, Stroke, Ui, pos2};

use super::button::{Button, Kind, button};
use super::shape::{fill, outline_rect};
use super::text::text;
use super::{Cx, at};
use crate::theme::radius;

/// What is stepped and what it says now.
#[derive(Debug, Clone, Copy)]
pub struct Stepper<'a> {
    /// Its name, such as 年份.
    pub name: &'a str,
    /// Its value in words.
    pub value: &'a str,
}

/// Height of a stepper without its name.
pub fn height(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(96.0, 112.0)
}

/// Draws a stepper with its name above; gives -1 or 1 if it was tapped.
pub fn stepper(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, stepper: &Stepper<'_>) -> Option<i8> {
    let letters = cx.strong();
    let label =
        text(ui, cx, at(rect.left(), rect.top(), rect.width(), letters.style.line), stepper.name, letters);
    let top = label.bottom() + 8.0;
    let (side, gap) = (height(cx), cx.theme.metrics.gap);
    let less = at(rect.left(), top, side, side);
    let more = at(rect.right() - side, top, side, side);
    let value = Rect::from_min_max(pos2(less.right() + gap, top), pos2(more.left() - gap, top + side));
    fill(ui.painter(), value, radius::FIELD, cx.theme.colors.surface);
    outline_rect(ui.painter(), value, radius::FIELD, Stroke::new(2.0, cx.theme.colors.border));
    text(
        ui,
        cx,
        value,
        stepper.value,
        cx.letters(crate::theme::TypeRole::Field, cx.theme.colors.ink).center(),
    );
    let less_name = cx.tf("picker.less", &[("what", stepper.name)]);
    let more_name = cx.tf("picker.more", &[("what", stepper.name)]);
    let big = cx.h2();
    if button(ui, cx, less, &Button::new(Kind::Secondary, "−").named(&less_name).lettering(big)).clicked() {
        return Some(-1);
    }
    let look = Button::new(Kind::Secondary, "+").named(&more_name).lettering(big);
    button(ui, cx, more, &look).clicked().then_some(1)
}
