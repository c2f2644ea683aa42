//! The signature: a page of its own, with a pad as large as it can be.
//!
//! Refuses to judge the signature and to keep it: strokes are an answer like any other.
use domain::applicant::mask_name;
use domain::form::PlanField;
use egui::{Rect, Ui, pos2};

use super::{caption, summary_ui};
use crate::command::Command;
use crate::model::Session;
use crate::screens::heading::title_letters;
use crate::widgets::button::{Button, Kind, button};
use crate::widgets::signature_pad::signature_pad;
use crate::widgets::strokes::Strokes;
use crate::widgets::text::{height_of, width_of};
use crate::widgets::{Cx, Footer, at, frame, icon, text};

/// Draws the page.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>, session: &Session, field: &PlanField) {
    let footer = Footer::go(cx.t("signature.done"), Command::Continue);
    frame(ui, cx, footer, |ui, cx, content| page_ui(ui, cx, content, (session, field)));
}

fn page_ui(ui: &mut Ui, cx: &mut Cx<'_>, content: Rect, (session, field): (&Session, &PlanField)) {
    let top = heading_ui(ui, cx, content, session);
    let top = match session.plan.pages.get(session.page) {
        Some(page) => summary_ui(ui, cx, content.with_min_y(top), (session, page)),
        None => top,
    };
    let target = cx.theme.metrics.footer_button.min(content.height() / 6.0);
    let buttons = at(content.left(), content.bottom() - 24.0 - target, content.width(), target);
    let pad = Rect::from_min_max(pos2(content.left(), top), pos2(content.right(), buttons.top() - 20.0));
    let strokes = Strokes::read(field.value.as_ref());
    let name = session.applicant.as_ref().map(|a| mask_name(&a.name)).unwrap_or_default();
    if let Some(signed) = signature_pad(ui, cx, pad, &strokes, &name) {
        answer(cx, &field.key, &signed);
    }
    buttons_ui(ui, cx, buttons, (&field.key, strokes));
}

/// Caption and title at the left, what the signature is for at the right; gives where they end.
fn heading_ui(ui: &mut Ui, cx: &Cx<'_>, content: Rect, session: &Session) -> f32 {
    let body = cx.body();
    let hint = [cx.t("signature.hint"), cx.t("signature.use")];
    let side = cx.theme.pick(40.0, 0.0);
    let hint_width = hint.iter().map(|line| width_of(ui, line, body)).fold(0.0, f32::max) + 4.0;
    let hint_left = content.right() - hint_width;
    let top = content.top() + cx.theme.pick(24.0, 20.0);
    // The elder version has no room beside its title.
    let beside = !cx.elder() && hint_left > content.center().x - 120.0;
    let left = if beside { content.with_max_x(hint_left - side - 40.0) } else { content };
    let line = at(left.left(), top, left.width(), body.style.line);
    text(ui, cx, line, &caption(cx, session), body.data());
    let title = session.plan.pages.get(session.page).map(|page| cx.say(&page.title)).unwrap_or_default();
    let letters = title_letters(ui, cx, title, left.width());
    let height = height_of(ui, title, letters, left.width()).min(2.0 * letters.style.line);
    let below = at(left.left(), line.bottom(), left.width(), height);
    let filled = text(ui, cx, below, title, letters.data());
    if beside {
        let middle = (top + below.bottom()) / 2.0;
        let first = at(hint_left, middle - body.style.line, hint_width, body.style.line);
        icon(
            ui,
            cx,
            at(hint_left - side - 16.0, middle - side / 2.0, side, side),
            "info",
            cx.theme.colors.brand600,
        );
        text(ui, cx, first, hint[0], body);
        text(ui, cx, first.translate(egui::vec2(0.0, body.style.line)), hint[1], body);
    } else if filled.right() + 48.0 + width_of(ui, hint[0], body) < content.right() {
        let place = Rect::from_min_max(
            pos2(filled.right() + 48.0, filled.top()),
            pos2(content.right(), filled.bottom()),
        );
        text(ui, cx, place, hint[0], body.middle().right());
    }
    below.bottom() + cx.theme.pick(20.0, 16.0)
}

fn buttons_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, (key, strokes): (&str, Strokes)) {
    let letters = cx.letters(crate::theme::TypeRole::Button, cx.theme.colors.ink);
    let mut left = place.left();
    let mut one = |ui: &mut Ui, label: &str, icon: &str| {
        let look = Button::new(Kind::Secondary, label).icon(icon).lettering(letters);
        let width = look.inner_width(ui, cx) + 64.0;
        let clicked = button(ui, cx, at(left, place.top(), width, place.height()), &look).clicked();
        left += width + cx.theme.metrics.gap.max(16.0);
        clicked
    };
    let undo = one(ui, cx.t("signature.undo"), "undo");
    let clear = one(ui, cx.t("signature.clear"), "trash");
    if undo {
        answer(cx, key, &strokes.undone());
    } else if clear {
        cx.push(Command::ClearAnswer(key.to_owned()));
    }
    let room = Rect::from_min_max(pos2(left + 24.0, place.top()), place.max);
    let words = cx.t("signature.cannot_write");
    if width_of(ui, words, cx.body()) < room.width() {
        text(ui, cx, room, words, cx.body().middle().right());
    }
}

fn answer(cx: &mut Cx<'_>, key: &str, strokes: &Strokes) {
    cx.push(match strokes.write() {
        Some(value) => Command::Answer { key: key.to_owned(), value },
        None => Command::ClearAnswer(key.to_owned()),
    });
}
