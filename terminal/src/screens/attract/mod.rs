//! Nobody is here: what this machine does, and two ways in. Refuses anything of a person.
mod landscape;

use domain::text::Language;
use egui::{Rect, Stroke, Ui, pos2, vec2};

use crate::command::Command;
use crate::model::TextSize;
use crate::theme::{TypeRole, radius};
use crate::widgets::button::{Kind, target};
use crate::widgets::header::brand_ui;
use crate::widgets::shape::{fill, focus_ring, outline_rect, shadow};
use crate::widgets::{Button, Cx, at, icon, press, text, width_of};

/// Draws the attract page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let page = ui.max_rect();
    if !cx.theme.high_contrast {
        landscape::paint(ui.painter(), page);
    }
    top_ui(ui, cx, page);
    let title = cx.letters(TypeRole::Display, cx.theme.colors.ink).sized(88.0, 116.0);
    text(ui, cx, at(page.left() + 96.0, page.top() + 206.0, 1300.0, 240.0), cx.t("attract.title"), title);
    let count = cx.model.catalogue.items.len().to_string();
    let subtitle = cx.tf("attract.subtitle", &[("count", &count)]);
    let place = at(page.left() + 96.0, page.top() + 462.0, 1100.0, 52.0);
    text(ui, cx, place, &subtitle, cx.body().sized(32.0, 50.0));
    staff_ui(ui, cx, page);
    entrances_ui(ui, cx, page);
}

/// For whoever works here: a printer that wants something, above the two ways in.
fn staff_ui(ui: &mut Ui, cx: &Cx<'_>, page: Rect) {
    let Some(trouble) = cx.model.printer_trouble() else { return };
    let what = cx.tf(&format!("print.trouble.{}", trouble.name()), &[]);
    let words = cx.tf("attract.for_staff", &[("what", &what)]);
    let letters = cx.strong().sized(26.0, 40.0).color(cx.theme.colors.warn).middle();
    let (height, side) = (64.0, 36.0);
    let width = width_of(ui, &words, letters) + side + 72.0;
    let rect = at(page.left() + 96.0, page.bottom() - 76.0 - 250.0 - 24.0 - height, width, height);
    fill(ui.painter(), rect, radius::BUTTON, cx.theme.colors.warn50);
    icon(
        ui,
        cx,
        at(rect.left() + 24.0, rect.center().y - side / 2.0, side, side),
        "printer",
        cx.theme.colors.warn,
    );
    text(ui, cx, rect.with_min_x(rect.left() + 24.0 + side + 16.0), &words, letters);
}

fn top_ui(ui: &mut Ui, cx: &mut Cx<'_>, page: Rect) {
    let middle = page.top() + 98.0;
    let brand = pos2(page.left() + 96.0, middle);
    let end = brand_ui(ui, cx, brand, 84.0, page.center().x) + 28.0;
    ui.painter().vline(end, middle - 19.0..=middle + 19.0, Stroke::new(2.0, cx.theme.colors.border));
    let words = cx.body().sized(26.0, 40.0).middle();
    text(ui, cx, at(end + 28.0, middle - 40.0, 800.0, 80.0), cx.t("attract.place"), words);
    let mut right = page.right() - 96.0;
    let height = cx.theme.metrics.target;
    for (key, language) in [("header.to_english", Language::En), ("header.to_chinese", Language::ZhCn)] {
        let label = cx.t(key);
        let letters = cx.strong().sized(28.0, 42.0);
        let width = width_of(ui, label, letters) + 56.0;
        let place = at(right - width, middle - height / 2.0, width, height);
        let look = Button::new(Kind::Secondary, label).lettering(letters).selected(cx.language() == language);
        press(ui, cx, place, &look, Command::SetLanguage(language));
        right -= width + cx.theme.metrics.gap;
    }
}

fn entrances_ui(ui: &mut Ui, cx: &mut Cx<'_>, page: Rect) {
    let height = 250.0;
    let top = page.bottom() - 76.0 - height;
    let width = (page.width() - 2.0 * 96.0 - 32.0) / 2.0;
    let start = at(page.left() + 96.0, top, width, height);
    let elder = at(start.right() + 32.0, top, width, height);
    if entrance_ui(ui, cx, start, true) {
        cx.push(Command::Start(TextSize::Normal));
    }
    if entrance_ui(ui, cx, elder, false) {
        cx.push(Command::Start(TextSize::Elder));
    }
}

fn entrance_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, filled: bool) -> bool {
    let colors = &cx.theme.colors;
    let (title, hint, name) = if filled {
        (cx.t("attract.start"), cx.t("attract.start_hint"), "right")
    } else {
        (cx.t("attract.elder"), cx.t("attract.elder_hint"), "glasses")
    };
    let response = target(ui, rect, title, None);
    let down = response.is_pointer_button_down_on();
    let (ground, ink, ink2) = match (filled, down) {
        (true, false) => (colors.brand700, colors.on_brand, colors.on_brand),
        (true, true) => (colors.brand800, colors.on_brand, colors.on_brand),
        (false, false) => (colors.surface, colors.ink, colors.ink2),
        (false, true) => (colors.brand50, colors.ink, colors.ink2),
    };
    if !cx.theme.high_contrast {
        ui.painter().add(shadow(8, 28, 36).as_shape(rect, radius::DIALOG));
    }
    fill(ui.painter(), rect, radius::DIALOG, ground);
    if !filled {
        outline_rect(ui.painter(), rect, radius::DIALOG, Stroke::new(4.0, colors.brand700));
    }
    let words = at(rect.left() + 56.0, rect.top() + 56.0, rect.width() - 260.0, 84.0);
    text(ui, cx, words, title, cx.letters(TypeRole::Number, ink).sized(64.0, 84.0).middle().quiet());
    let below = at(words.left(), words.bottom() + 8.0, words.width(), 46.0);
    let hint_letters = cx.body().color(ink2).sized(30.0, 46.0).quiet();
    text(ui, cx, below, hint, hint_letters);
    let block = at(rect.right() - 56.0 - 120.0, rect.center().y - 60.0, 120.0, 120.0);
    let (corner, block_fill) = if filled { (60, colors.on_brand) } else { (radius::DIALOG, colors.brand50) };
    fill(ui.painter(), block, corner, block_fill);
    let line = if filled { ground } else { colors.brand600 };
    icon(ui, cx, block.shrink2(vec2(22.0, 22.0)), name, line);
    if response.has_focus() {
        focus_ring(ui, cx, rect, radius::DIALOG);
    }
    response.clicked()
}
