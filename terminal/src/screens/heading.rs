//! Caption and title of a page that asks something. Refuses to know what is asked.
use egui::{Rect, Ui};

use crate::widgets::text::height_of;
use crate::widgets::{Cx, Lettering, at, text};

/// Caption and title; gives where they end.
pub fn heading_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, caption: &str, title: &str) -> f32 {
    let letters = cx.body().data();
    let top = place.top() + cx.theme.pick(24.0, 28.0);
    let line = at(place.left(), top, place.width(), letters.style.line);
    text(ui, cx, line, caption, letters);
    let letters = title_letters(ui, cx, title, place.width());
    let height = height_of(ui, title, letters, place.width()).min(2.0 * letters.style.line);
    let below = at(place.left(), line.bottom() + cx.theme.pick(0.0, 4.0), place.width(), height);
    text(ui, cx, below, title, letters.data());
    below.bottom() + cx.theme.pick(16.0, 20.0)
}

/// A title that would take three lines of its role is set as a section title.
pub fn title_letters(ui: &Ui, cx: &Cx<'_>, title: &str, width: f32) -> Lettering {
    if height_of(ui, title, cx.h1(), width) > 2.5 * cx.h1().style.line { cx.h2() } else { cx.h1() }
}
