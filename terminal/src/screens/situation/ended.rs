//! The matter ends before the form: what is so, the nearest way, and the item or bundle to take instead.
use egui::{Rect, Ui, pos2, vec2};

use crate::command::Command;
use crate::screens::heading::heading_ui;
use crate::theme::{TypeRole, radius};
use crate::widgets::shape::card;
use crate::widgets::{Cx, Footer, at, best_fit, frame, height_of, icon, icon_block, text, width_of};

/// What the page says.
struct Said<'a> {
    message: &'a str,
    way: &'a str,
    /// Name of the item to take instead, and what leads to it.
    go: Option<(&'a str, Command)>,
}

/// Draws the end.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let said = said(cx);
    let label = said.go.as_ref().map(|(item, _)| go_label(ui, cx, item)).unwrap_or_default();
    let footer = match &said.go {
        Some((_, command)) => Footer::go(&label, command.clone()),
        None => Footer::say(cx.t("situation.ended_note")),
    };
    frame(ui, cx, footer, |ui, cx, content| page_ui(ui, cx, content, &said));
}

fn said<'a>(cx: &Cx<'a>) -> Said<'a> {
    let model = cx.model;
    if let Some(ending) = model.ending() {
        let target = ending.go.as_ref().and_then(|code| model.catalogue.entry(code));
        let go = target.map(|entry| (cx.say(entry.title()), Command::OpenGuide(entry.code().clone())));
        return Said { message: cx.say(&ending.message), way: cx.say(&ending.way), go };
    }
    let code = model.session.as_ref().and_then(|session| session.item.as_ref());
    let left = code.and_then(|code| model.resolution(code)).and_then(|resolution| resolution.nothing_left);
    let message = left.map_or(cx.t("guide.missing"), |left| cx.say(left));
    Said { message, way: cx.t("situation.nothing_left_way"), go: None }
}

/// The button names the item where there is room for its name.
fn go_label(ui: &Ui, cx: &Cx<'_>, item: &str) -> String {
    let label = cx.tf("situation.go", &[("item", item)]);
    let metrics = &cx.theme.metrics;
    let letters = cx.letters(TypeRole::Button, cx.theme.colors.on_brand);
    let fits = width_of(ui, &label, letters) + metrics.button_icon + 40.0 <= metrics.action_width;
    if fits { label } else { cx.t("situation.go_there").to_owned() }
}

fn page_ui(ui: &mut Ui, cx: &mut Cx<'_>, content: Rect, said: &Said<'_>) {
    let item = cx.model.entry().map(|entry| cx.say(entry.title())).unwrap_or_default();
    let caption = cx.tf("situation.ended_caption", &[("item", item)]);
    let top = heading_ui(ui, cx, content, &caption, said.message);
    let inner_width = content.width() - cx.theme.pick(192.0, 240.0);
    let heading = cx.h2();
    let body =
        best_fit(ui, said.way, vec2(inner_width, 4.0 * cx.title().style.line), [cx.title(), cx.body()]);
    let height = height_of(ui, said.way, body, inner_width);
    let pad = cx.theme.pick(40.0, 36.0);
    let rect = at(content.left(), top + 8.0, content.width(), heading.style.line + 8.0 + height + 2.0 * pad);
    card(ui, cx, rect, radius::CARD);
    let side = cx.theme.pick(72.0, 96.0);
    let mark = at(rect.left() + pad, rect.center().y - side / 2.0, side, side);
    icon_block(ui, cx, mark, "path", side * 0.6);
    let words = at(mark.right() + pad, rect.top() + pad, inner_width, heading.style.line);
    text(ui, cx, words, cx.t("situation.way"), heading);
    let below = at(words.left(), words.bottom() + 8.0, inner_width, height);
    text(ui, cx, below, said.way, body.color(cx.theme.colors.ink));
    let side = cx.theme.pick(36.0, 48.0);
    let letters = cx.body();
    let safe =
        at(content.left(), rect.bottom() + cx.theme.pick(32.0, 28.0), content.width(), letters.style.line);
    icon(
        ui,
        cx,
        at(safe.left(), safe.center().y - side / 2.0, side, side),
        "shield",
        cx.theme.colors.brand600,
    );
    let line = Rect::from_min_max(pos2(safe.left() + side + 16.0, safe.top()), safe.max);
    text(ui, cx, line, cx.t("situation.safe"), letters);
}
