//! One situation question: large choices, and Continue, which says what is missing.
use domain::situation::Question;
use egui::{Rect, Ui, pos2};

use crate::command::Command;
use crate::screens::heading::heading_ui;
use crate::theme::radius;
use crate::widgets::choice::{self, Picked, Row, Tapped, pick};
use crate::widgets::shape::well;
use crate::widgets::{Cx, Footer, at, frame, icon, text};

/// The value of "none of these"; no option has an empty id.
const NONE: &str = "";

/// Draws the question on which the session stands.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let footer = Footer::go(cx.t("form.go_on"), Command::Continue);
    frame(ui, cx, footer, |ui, cx, content| {
        let model = cx.model;
        if let Some(question) = model.question() {
            page_ui(ui, cx, content, question);
        }
    });
}

fn page_ui(ui: &mut Ui, cx: &mut Cx<'_>, content: Rect, question: &Question) {
    let top = heading_ui(ui, cx, content, &caption(cx), cx.say(&question.text));
    let top = hint_ui(ui, cx, content.with_min_y(top), question);
    let bottom = content.bottom() - cx.theme.pick(32.0, 24.0);
    let place = Rect::from_min_max(pos2(content.left(), top), pos2(content.right(), bottom));
    choices_ui(ui, cx, place, question);
}

/// The line above the question: the item, and how far it is.
fn caption(cx: &Cx<'_>) -> String {
    let model = cx.model;
    let item = model.entry().map(|entry| cx.say(entry.title())).unwrap_or_default();
    let Some(situation) = model.session.as_ref().map(|session| &session.situation) else {
        return item.to_owned();
    };
    if situation.before.is_some() {
        return cx.tf("form.caption_change", &[("item", item)]);
    }
    let (at, all) = ((situation.at + 1).to_string(), model.questions().len().to_string());
    cx.tf("situation.caption", &[("item", item), ("n", &at), ("all", &all)])
}

/// That several may be chosen, or that one is missing; gives where the choices begin.
fn hint_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, question: &Question) -> f32 {
    let missing = cx.model.session.as_ref().is_some_and(|session| session.situation.missing);
    let key = match (missing, question.multi) {
        (false, false) => return place.top(),
        (false, true) => "situation.several",
        (true, false) => "situation.missing",
        (true, true) => "situation.missing_several",
    };
    if !missing {
        let letters = cx.body();
        let line = at(place.left(), place.top(), place.width(), letters.style.line);
        text(ui, cx, line, cx.t(key), letters);
        return line.bottom() + cx.theme.pick(12.0, 16.0);
    }
    let colors = &cx.theme.colors;
    let strip = at(place.left(), place.top(), place.width(), cx.theme.pick(72.0, 76.0));
    well(ui, cx, strip, radius::BUTTON, colors.error50);
    let side = cx.theme.pick(36.0, 48.0);
    let mark = at(strip.left() + 28.0, strip.center().y - side / 2.0, side, side);
    icon(ui, cx, mark, "warn", colors.error);
    let words = Rect::from_min_max(pos2(mark.right() + 20.0, strip.top()), strip.max);
    text(ui, cx, words, cx.t(key), cx.strong().color(colors.error).middle());
    strip.bottom() + cx.theme.pick(16.0, 12.0)
}

fn choices_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, question: &Question) {
    let model = cx.model;
    let options = question.options.iter();
    let mut rows: Vec<Row<'_>> =
        options.map(|option| Row { value: &option.id, label: cx.say(&option.text) }).collect();
    if question.multi {
        rows.push(Row { value: NONE, label: cx.t("situation.none") });
    }
    let answer = model.session.as_ref().and_then(|session| question.answer(&session.situation.answers));
    let mut chosen: Vec<&str> = answer.into_iter().flatten().map(String::as_str).collect();
    if answer.is_some() && chosen.is_empty() {
        chosen.push(NONE);
    }
    let picked = Picked { values: &chosen, several: question.multi };
    let grid = choice::grid(ui, cx, &rows, place.width(), true);
    match pick(ui, cx, place, (&rows, picked), (grid, Some(model.list_page))) {
        Some(Tapped::Choice(index)) => {
            let value = rows[index].value;
            let option = (value != NONE).then(|| value.to_owned());
            cx.push(Command::Choose { question: question.id.clone(), option });
        }
        Some(Tapped::Page(page)) => cx.push(Command::ShowPage(page)),
        None => {}
    }
}
