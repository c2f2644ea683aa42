//! Check the answers before submitting: each with Change beside it, masked, in clear for five seconds on a tap.
//!
//! What the card said stands in a card of its own, and so do the materials and what was answered. Says that nothing has
//! been submitted yet. Refuses to submit twice: while it is saved, taps change nothing.
mod columns;
mod value;

use domain::applicant::{mask_id_public, mask_name};
use domain::situation::Question;
use egui::{Rect, Ui, pos2, vec2};

use super::materials::groups;
use crate::command::Command;
use crate::model::{Session, SubmitStep};
use crate::theme::radius;
use crate::widgets::button::{Button, press};
use crate::widgets::footer::Action;
use crate::widgets::shape::{card, well};
use crate::widgets::text::{height_of, width_of};
use crate::widgets::{Cx, Footer, Pages, at, frame, icon, pager, rule, text};

use super::form::rows::label_of;

pub(super) use value::answer_words;

/// What a card is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// What the identity card says.
    Person,
    /// What is needed.
    Materials,
    /// What was answered.
    Answers,
}

/// One line: label and answer.
struct Line {
    /// On which card it stands.
    about: About,
    label: String,
    /// `None`: not answered.
    value: Option<String>,
    /// What Change asks for; the card's own data and the list of materials have none.
    change: Option<Command>,
    /// Height that it needs.
    height: f32,
}

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let model = cx.model;
    let submit = model.session.as_ref().map(|s| s.submit).unwrap_or_default();
    let (label, icon) = match submit {
        SubmitStep::Idle => (cx.t("check.submit"), "check"),
        SubmitStep::Saving { .. } => (cx.t("check.saving"), "saved"),
        SubmitStep::Failed { .. } => (cx.t("check.retry"), "check"),
    };
    let action = Action { label, icon, command: Command::Submit, filled: true };
    let footer = Footer { action: Some(action), ..Footer::default() };
    frame(ui, cx, footer, |ui, cx, content| {
        if let Some(session) = &model.session {
            page_ui(ui, cx, content, session);
        }
    });
}

fn page_ui(ui: &mut Ui, cx: &mut Cx<'_>, content: Rect, session: &Session) {
    let top = heading_ui(ui, cx, content, session);
    let strip_height = cx.theme.pick(84.0, 112.0);
    let bottom = content.bottom() - cx.theme.pick(24.0, 16.0);
    let cards =
        Rect::from_min_max(pos2(content.left(), top), pos2(content.right(), bottom - strip_height - 16.0));
    let width = (cards.width() - cx.theme.pick(32.0, 24.0)) / 2.0;
    let lines = lines(ui, cx, session, width);
    let columns = columns::of(&lines, title_height(cx) + PAD, cards.height());
    let pages = Pages::new(columns.len().div_ceil(2), 1, cx.model.list_page);
    for (index, column) in columns.iter().enumerate().skip(2 * pages.page).take(2) {
        let left = if index % 2 == 0 { cards.left() } else { cards.right() - width };
        let mut top = cards.top();
        for part in column {
            let shown = &lines[part.clone()];
            let rows: f32 = shown.iter().map(|line| line.height).sum();
            let place = at(left, top, width, title_height(cx) + PAD + rows);
            card_ui(ui, cx, place, shown);
            top = place.bottom() + columns::GAP;
        }
    }
    let strip = at(content.left(), bottom - strip_height, content.width(), strip_height);
    if pages.count() > 1 {
        let half = cx.theme.pick(620.0, 872.0);
        strip_ui(ui, cx, strip.with_max_x(strip.right() - half - 16.0), session.submit);
        pager(ui, cx, strip.with_min_x(strip.right() - half), pages, Command::ShowPage);
    } else {
        strip_ui(ui, cx, strip, session.submit);
    }
}

const PAD: f32 = 16.0;
/// The most lines of words of one answer.
const MAX_LINES: f32 = 8.0;

fn title_height(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(56.0, 0.0)
}

fn side_pad(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(32.0, 28.0)
}

fn label_width(cx: &Cx<'_>) -> f32 {
    cx.theme.pick(230.0, 280.0)
}

/// What can be changed has room for a target.
fn row_height(cx: &Cx<'_>, line: &Line) -> f32 {
    if line.change.is_some() { cx.theme.pick(84.0, 110.0) } else { cx.theme.pick(64.0, 80.0) }
}

/// Caption and title at the left, "show" at the right; gives where they end.
fn heading_ui(ui: &mut Ui, cx: &mut Cx<'_>, content: Rect, session: &Session) -> f32 {
    let key = if session.revealed_until_ms.is_some() { "check.revealed" } else { "check.reveal" };
    let look = Button::secondary(cx.t(key)).icon("eye").lettering(cx.strong());
    let width = look.inner_width(ui, cx) + 56.0;
    let target = cx.theme.metrics.target;
    let place = at(content.right() - width, content.top() + 28.0, width, target);
    press(ui, cx, place, &look, Command::Reveal);
    let body = cx.body().data();
    let item = session.item.as_ref().and_then(|code| cx.model.pinned().entry(code));
    let item = item.map(|entry| cx.say(entry.title())).unwrap_or_default();
    let room = content.width() - width - 40.0;
    let line = at(content.left(), content.top() + cx.theme.pick(24.0, 16.0), room, body.style.line);
    text(ui, cx, line, item, body);
    let title = cx.t("check.title");
    let letters = if width_of(ui, title, cx.h1()) <= room { cx.h1() } else { cx.h2() };
    let below = at(content.left(), line.bottom(), room, cx.h1().style.line);
    text(ui, cx, below, title, letters.middle());
    below.bottom() + 16.0
}

fn lines(ui: &Ui, cx: &Cx<'_>, session: &Session, width: f32) -> Vec<Line> {
    let clear = session.revealed_until_ms.is_some();
    let mut lines = Vec::new();
    let mut add = |about: About, label: String, value: Option<String>, change: Option<Command>| {
        let mut line = Line { about, label, value, change, height: 0.0 };
        line.height = height(ui, cx, &line, width - 2.0 * side_pad(cx));
        lines.push(line);
    };
    if let Some(person) = &session.applicant {
        let name = if clear { person.name.clone() } else { mask_name(&person.name) };
        let id = if clear { person.id_number.clone() } else { mask_id_public(&person.id_number) };
        add(About::Person, cx.t("check.name").to_owned(), Some(name), None);
        add(About::Person, cx.t("check.id_number").to_owned(), Some(id), None);
    }
    let needed = session.item.as_ref().and_then(|code| cx.model.resolution(code));
    let needed = needed.map(|resolution| resolution.materials).unwrap_or_default();
    for group in groups(&needed) {
        add(
            About::Materials,
            cx.tf(&format!("materials.{}_label", group.key), &[]),
            Some(group.list(cx)),
            None,
        );
    }
    for question in cx.model.questions() {
        let value = situation_words(cx, question, session);
        let change = Command::ChangeSituation(question.id.clone());
        add(About::Answers, cx.say(&question.text).to_owned(), value, Some(change));
    }
    for page in &session.plan.pages {
        for field in &page.fields {
            let optional = if field.required || field.computed { "" } else { cx.t("form.optional") };
            let label = label_of(cx, page, &field.key).unwrap_or_default();
            let change = (!field.computed).then(|| Command::Change(field.key.clone()));
            add(About::Answers, format!("{label}{optional}"), answer_words(cx, field, clear), change);
        }
        let repeats = page.groups.iter().filter_map(|group| group.repeat.as_ref());
        for repeat in repeats.filter(|repeat| repeat.count == 0) {
            let change = Command::Change(repeat.key.clone());
            add(About::Answers, cx.say(&repeat.label).to_owned(), None, Some(change));
        }
    }
    lines
}

/// What was chosen; `None`: not answered.
fn situation_words(cx: &Cx<'_>, question: &Question, session: &Session) -> Option<String> {
    let chosen = question.answer(&session.situation.answers)?;
    let options = question.options.iter().filter(|option| chosen.contains(&option.id));
    let words: Vec<&str> = options.map(|option| cx.say(&option.text)).collect();
    Some(if words.is_empty() {
        cx.t("situation.none").to_owned()
    } else {
        words.join(cx.t("guide.separator"))
    })
}

/// A line is higher where its words need more room.
fn height(ui: &Ui, cx: &Cx<'_>, line: &Line, width: f32) -> f32 {
    let small = cx.small();
    let label = height_of(ui, &line.label, small, label_width(cx));
    let change = line.change.as_ref().map_or(0.0, |_| change_look(cx, line).inner_width(ui, cx) + 24.0);
    let room = width - label_width(cx) - 16.0 - change - 12.0;
    let value = line.value.as_ref().map_or(0.0, |value| height_of(ui, value, small.bold(), room));
    (label.max(value).min(MAX_LINES * small.style.line) + 16.0).max(row_height(cx, line))
}

fn card_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, lines: &[Line]) {
    let Some(about) = lines.first().map(|line| line.about) else { return };
    card(ui, cx, rect, radius::CARD);
    let inner = rect.shrink2(vec2(side_pad(cx), PAD / 2.0));
    let title = title_height(cx);
    if title > 0.0 {
        let place = at(inner.left(), inner.top(), inner.width(), title);
        let key = match about {
            About::Person => "check.person",
            About::Materials => "check.materials",
            About::Answers => "check.answers",
        };
        text(ui, cx, place, cx.t(key), cx.strong().middle());
        if about == About::Person {
            let words = text(ui, cx, place, cx.t("check.from_card"), cx.small().middle().right());
            let side = 28.0;
            icon(
                ui,
                cx,
                at(words.left() - 8.0 - side, place.center().y - side / 2.0, side, side),
                "idcard",
                cx.theme.colors.ink2,
            );
        }
    }
    let mut top = inner.top() + title;
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            rule(ui, cx, inner.left(), inner.right(), top);
        }
        line_ui(ui, cx, at(inner.left(), top, inner.width(), line.height), line);
        top += line.height;
    }
}

fn line_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, line: &Line) {
    let label = at(rect.left(), rect.top(), label_width(cx), rect.height());
    let letters = fitting(ui, &line.label, label.size(), [cx.body(), cx.small()]);
    text(ui, cx, label, &line.label, letters.middle().data());
    let right = match &line.change {
        Some(command) => change_ui(ui, cx, rect, (line, command)),
        None => rect.right(),
    };
    let place = Rect::from_min_max(pos2(label.right() + 16.0, rect.top()), pos2(right - 12.0, rect.bottom()));
    let Some(value) = &line.value else {
        text(ui, cx, place, cx.t("check.empty"), cx.body().middle());
        return;
    };
    let ink = cx.theme.colors.ink;
    let letters = fitting(ui, value, place.size(), [cx.strong(), cx.small().bold().color(ink)]);
    text(ui, cx, place, value, letters.middle().data());
}

/// The first lettering with which the words fit on one line, else the last.
fn fitting<const N: usize>(
    ui: &Ui,
    words: &str,
    size: egui::Vec2,
    letters: [crate::widgets::Lettering; N],
) -> crate::widgets::Lettering {
    let fits = |l: &&crate::widgets::Lettering| height_of(ui, words, **l, size.x) <= l.style.line + 1.0;
    let last = letters[N - 1];
    letters.iter().find(fits).copied().unwrap_or(last)
}

/// Change, or Answer where nothing was answered.
fn change_look<'c>(cx: &Cx<'c>, line: &Line) -> Button<'c> {
    let word = if line.value.is_some() { "check.change" } else { "check.fill_in" };
    Button::quiet(cx.t(word)).icon("pen").lettering(cx.strong())
}

/// Change at the right end of a line; gives its left end.
fn change_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, (line, command): (&Line, &Command)) -> f32 {
    let name = if line.value.is_some() { "check.change_what" } else { "check.fill_in_what" };
    let name = cx.tf(name, &[("label", &line.label)]);
    let look = change_look(cx, line).named(&name);
    let target = cx.theme.metrics.target;
    let width = (look.inner_width(ui, cx) + 24.0).max(target);
    let place = at(rect.right() - width, rect.center().y - target / 2.0, width, target);
    press(ui, cx, place, &look, command.clone());
    place.left()
}

/// What the tap on submit means; while saving, that it is saved; after a failure, what went wrong.
fn strip_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, submit: SubmitStep) {
    let colors = &cx.theme.colors;
    let (ground, name, color, words) = match submit {
        SubmitStep::Idle => (colors.brand50, "shield", colors.brand600, cx.t("check.promise").to_owned()),
        SubmitStep::Saving { .. } => {
            (colors.brand50, "saved", colors.brand600, cx.t("check.saving_note").to_owned())
        }
        SubmitStep::Failed { key } => {
            let key = format!("submit.error.{key}");
            let why = cx.kit.words.find(cx.language(), &key).unwrap_or_else(|| cx.t("submit.error.other"));
            (colors.error50, "warn", colors.error, format!("{}　{why}", cx.t("check.failed")))
        }
    };
    well(ui, cx, rect, radius::BUTTON, ground);
    let side = cx.theme.pick(44.0, 56.0);
    icon(ui, cx, at(rect.left() + 28.0, rect.center().y - side / 2.0, side, side), name, color);
    let place =
        Rect::from_min_max(pos2(rect.left() + 28.0 + side + 20.0, rect.top()), rect.max - vec2(16.0, 0.0));
    let ink = if submit == SubmitStep::Idle || submit.saving() { colors.ink } else { colors.error };
    let letters = fitting(ui, &words, place.size(), [cx.body().color(ink), cx.small().color(ink)]);
    text(ui, cx, place, &words, letters.middle());
}
