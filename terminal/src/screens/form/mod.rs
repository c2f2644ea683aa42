//! A page of the form: caption, title, errors, fields; a pad or picker on the right pane when a field needs one.
//!
//! Draws [`domain::form::RenderPlan`] and nothing else: which fields there are and what is wrong with them is
//! decided in `domain::form`. One field alone on its page is a question page in both sizes.
mod cell;
mod editor;
mod entry;
mod error_summary;
mod flow;
pub mod focus;
mod signature;

use domain::applicant::mask_name;
use domain::form::{PlanField, PlanPage, Widget};
use egui::{Rect, Ui, pos2, vec2};

use crate::command::Command;
use crate::model::Session;
use crate::widgets::button::{Button, Kind, button};
use crate::widgets::field::read_only_ui;
use crate::widgets::text::height_of;
use crate::widgets::{Cx, Footer, at, frame, text};

use cell::{Cell, cell_ui};
use editor::Editor;
use flow::{Flow, Room};
use focus::Part;

/// Gap between the two columns, and between left and right pane.
const COLUMN_GAP: f32 = 56.0;
/// A single question is not wider than this, unless it is answered by choices.
const BOX_WIDTH: f32 = 1_120.0;

/// Draws the page of the form on which the session stands.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let model = cx.model;
    let page = model.session.as_ref().and_then(|s| Some((s, s.plan.pages.get(s.page)?)));
    let Some((session, page)) = page else {
        frame(ui, cx, Footer::go(cx.t("form.go_on"), Command::Continue), |_, _, _| {});
        return;
    };
    if let [field] = page.fields.as_slice()
        && field.widget == Widget::Signature
    {
        return signature::show(ui, cx, session, field);
    }
    let footer = Footer::go(cx.t("form.go_on"), Command::Continue);
    frame(ui, cx, footer, |ui, cx, content| page_ui(ui, cx, content, (session, page)));
}

/// A number or date as it was typed.
pub fn typed_value(field: &PlanField) -> String {
    entry::Entry::of(field).map(|entry| entry.typed(field.value.as_ref(), None)).unwrap_or_default()
}

/// The line above the title: the item, and how far it is.
fn caption(cx: &Cx<'_>, session: &Session) -> String {
    let item = session.item.as_ref().and_then(|code| cx.model.pinned().entry(code));
    let item = item.map(|entry| cx.say(entry.title()).to_owned()).unwrap_or_default();
    if session.from_check {
        return cx.tf("form.caption_change", &[("item", &item)]);
    }
    let (page, pages) = ((session.page + 1).to_string(), session.plan.pages.len().to_string());
    let key = if cx.elder() { "form.caption_question" } else { "form.caption" };
    cx.tf(key, &[("item", &item), ("page", &page), ("pages", &pages)])
}

fn page_ui(ui: &mut Ui, cx: &mut Cx<'_>, content: Rect, (session, page): (&Session, &PlanPage)) {
    let single = page.fields.len() == 1;
    let cells: Vec<Cell<'_>> =
        page.fields.iter().map(|field| Cell::new(cx.model, field, single, single && cx.elder())).collect();
    let editor = Editor::of(&cells);
    let pane_gap = if cx.elder() { 40.0 } else { COLUMN_GAP };
    let left = match &editor {
        Some(editor) => content.with_max_x(content.right() - editor.width(cx) - pane_gap),
        None => content,
    };
    // With several fields a summary takes the whole width, and the pane stands below it.
    let across = !single && !session.errors.is_empty() && editor.as_ref().is_none_or(Editor::is_low);
    let upper = if across { content } else { left };
    let top = heading_ui(ui, cx, upper, (session, page));
    let top = summary_ui(ui, cx, upper.with_min_y(top), (session, page));
    let pane_top = if across { top } else { content.top() + 24.0 };
    let bottom = content.bottom() - 24.0;
    let fields = Rect::from_min_max(pos2(left.left(), top), pos2(left.right(), bottom));
    fields_ui(ui, cx, fields, (session, &cells), editor.is_some());
    if let Some(editor) = &editor {
        let pane = Rect::from_min_max(pos2(left.right() + pane_gap, pane_top), pos2(content.right(), bottom));
        editor.show(ui, cx, pane);
    }
}

/// Caption and title; gives where they end.
fn heading_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, (session, page): (&Session, &PlanPage)) -> f32 {
    let caption_letters = cx.body().data();
    let top = place.top() + cx.theme.pick(24.0, 28.0);
    let line = at(place.left(), top, place.width(), caption_letters.style.line);
    text(ui, cx, line, &caption(cx, session), caption_letters);
    let title = cx.say(&page.title);
    let letters = title_letters(ui, cx, title, place.width());
    let height = height_of(ui, title, letters, place.width()).min(2.0 * letters.style.line);
    let below = at(place.left(), line.bottom() + cx.theme.pick(0.0, 4.0), place.width(), height);
    text(ui, cx, below, title, letters.data());
    below.bottom() + cx.theme.pick(16.0, 20.0)
}

/// A title that would take three lines of its role is set as a section title.
fn title_letters(ui: &Ui, cx: &Cx<'_>, title: &str, width: f32) -> crate::widgets::Lettering {
    if height_of(ui, title, cx.h1(), width) > 2.5 * cx.h1().style.line { cx.h2() } else { cx.h1() }
}

fn summary_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, (session, page): (&Session, &PlanPage)) -> f32 {
    let height = error_summary::height(ui, cx, place.width(), &session.errors);
    if height <= 0.0 {
        return place.top();
    }
    let label = |key: &str| {
        let everywhere = session.plan.pages.iter().flat_map(|p| &p.fields);
        let field = page.fields.iter().chain(everywhere).find(|field| field.key == key);
        field.map(|field| field.label.get(cx.model.look.language).to_owned()).unwrap_or_default()
    };
    let rect = Rect::from_min_size(place.min, vec2(place.width(), height));
    error_summary::summary_ui(ui, cx, rect, &session.errors, &label);
    rect.bottom() + cx.theme.pick(20.0, 20.0)
}

/// The fields in their columns, part by part.
fn fields_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    place: Rect,
    (session, cells): (&Session, &[Cell<'_>]),
    pane: bool,
) {
    let single = cells.len() == 1;
    let place = named(ui, cx, place, session, (cells, pane));
    let columns = if pane || single || cx.elder() { 1 } else { 2 };
    let by_choice = cells.iter().all(|cell| matches!(cell.field.widget, Widget::Enum | Widget::Month));
    #[allow(clippy::cast_precision_loss)] // one or two
    let width = (place.width() - COLUMN_GAP * (columns - 1) as f32) / columns as f32;
    let width = if single && !by_choice { width.min(BOX_WIDTH) } else { width };
    let heights: Vec<f32> = cells.iter().map(|cell| cell.height(ui, cx, width)).collect();
    let target = cx.theme.metrics.target;
    let room = Room {
        columns,
        height: place.height(),
        height_with_arrows: place.height() - target - 16.0,
        gap: cx.theme.space(24.0),
    };
    let flow = Flow::of(&heights, room);
    let focused = cells.iter().position(|cell| cell.part.is_some());
    let part = focused.and_then(|field| flow.part_of(field)).unwrap_or(0);
    for spot in flow.parts.get(part).into_iter().flatten() {
        #[allow(clippy::cast_precision_loss)] // one or two
        let left = place.left() + spot.column as f32 * (width + COLUMN_GAP);
        cell_ui(ui, cx, at(left, place.top() + spot.top, width, spot.height), &cells[spot.field]);
    }
    if flow.parts.len() > 1 {
        let arrows = Rect::from_min_max(pos2(place.left(), place.bottom() - target), place.max);
        arrows_ui(ui, cx, arrows, (&flow, part), cells);
    }
}

/// The name from the card, above the fields of the first page; gives what is left of the place.
fn named(
    ui: &mut Ui,
    cx: &Cx<'_>,
    place: Rect,
    session: &Session,
    (cells, pane): (&[Cell<'_>], bool),
) -> Rect {
    let Some(applicant) = session.applicant.as_ref().filter(|_| session.page == 0 && !cx.elder()) else {
        return place;
    };
    let columns = if pane || cells.len() == 1 { 1.0 } else { 2.0 };
    let width = ((place.width() - COLUMN_GAP * (columns - 1.0)) / columns).min(BOX_WIDTH);
    let label = cx.strong();
    let taken = label.style.line + 8.0 + cx.theme.metrics.field + 24.0;
    let needed: f32 = cells.iter().map(|cell| cell.height(ui, cx, width) + 24.0).sum::<f32>() / columns;
    if needed + taken > place.height() {
        return place;
    }
    text(ui, cx, at(place.left(), place.top(), width, label.style.line), cx.t("form.name"), label);
    let rect = at(place.left(), place.top() + label.style.line + 8.0, width, cx.theme.metrics.field);
    read_only_ui(ui, cx, rect, &mask_name(&applicant.name), ("idcard", cx.t("form.from_card")));
    place.with_min_y(place.top() + taken)
}

/// Arrows to the other parts of the page.
fn arrows_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, (flow, part): (&Flow, usize), cells: &[Cell<'_>]) {
    let first_of =
        |part: usize| flow.parts.get(part).and_then(|places| places.first()).map(|spot| spot.field);
    let after: usize = flow.parts.iter().skip(part + 1).map(Vec::len).sum();
    let below = cx.tf("form.more_below", &[("n", &after.to_string())]);
    let strong = cx.strong();
    let (up, down) =
        (Button::new(Kind::Secondary, cx.t("pager.previous")), Button::new(Kind::Secondary, &below));
    let (up, down) = (up.icon("up").lettering(strong), down.icon("down").lettering(strong));
    let down_width = down.inner_width(ui, cx) + 64.0;
    if after > 0
        && button(ui, cx, at(place.right() - down_width, place.top(), down_width, place.height()), &down)
            .clicked()
    {
        go(cx, cells, first_of(part + 1));
    }
    let up_width = up.inner_width(ui, cx) + 64.0;
    if part > 0 && button(ui, cx, at(place.left(), place.top(), up_width, place.height()), &up).clicked() {
        go(cx, cells, first_of(part - 1));
    }
}

fn go(cx: &mut Cx<'_>, cells: &[Cell<'_>], field: Option<usize>) {
    if let Some(cell) = field.and_then(|field| cells.get(field)) {
        cx.push(focus::focus(&cell.field.key, Part::Seen));
    }
}
