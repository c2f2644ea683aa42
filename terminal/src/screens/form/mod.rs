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
mod heights;
pub mod rows;
mod signature;

use domain::applicant::mask_name;
use domain::form::{PlanField, PlanPage, Widget};
use egui::{Rect, Ui, pos2, vec2};

use super::heading;
use crate::command::Command;
use crate::model::Session;
use crate::widgets::button::{Button, Kind, press};
use crate::widgets::field::read_only_ui;
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
    // A row has its card and a button below it, and leaves less room.
    let roomy = single && !rows::has_rows(page);
    let cell = |field| Cell { roomy, ..Cell::new(cx.model, field, single, single && cx.elder()) };
    let cells: Vec<Cell<'_>> = page.fields.iter().map(cell).collect();
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
    heading::heading_ui(ui, cx, place, &caption(cx, session), cx.say(&page.title))
}

fn summary_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, (session, page): (&Session, &PlanPage)) -> f32 {
    let height = error_summary::height(ui, cx, place.width(), &session.errors);
    if height <= 0.0 {
        return place.top();
    }
    let label = |cx: &Cx<'_>, key: &str| {
        let mut pages = std::iter::once(page).chain(&session.plan.pages);
        pages.find_map(|page| rows::label_of(cx, page, key)).unwrap_or_default()
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
    if let Some(page) = session.plan.pages.get(session.page).filter(|page| rows::has_rows(page)) {
        return rows::groups_ui(ui, cx, place, (session, page), (cells, pane));
    }
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
        let first = |part: usize| {
            let spot = flow.parts.get(part)?.first()?;
            cells.get(spot.field).map(|cell| cell.field.key.clone())
        };
        let after: usize = flow.parts.iter().skip(part + 1).map(Vec::len).sum();
        let below = cx.tf("form.more_below", &[("n", &after.to_string())]);
        arrows_ui(ui, cx, arrows, (part.checked_sub(1).and_then(first), first(part + 1)), &below);
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

/// Arrows to the other parts of the page, each known by what the focus then names.
fn arrows_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    place: Rect,
    (before, after): (Option<String>, Option<String>),
    below: &str,
) {
    let strong = cx.strong();
    let up = Button::new(Kind::Secondary, cx.t("pager.previous")).icon("up").lettering(strong);
    let down = Button::new(Kind::Secondary, below).icon("down").lettering(strong);
    if let Some(key) = after {
        let width = down.inner_width(ui, cx) + 64.0;
        let rect = at(place.right() - width, place.top(), width, place.height());
        press(ui, cx, rect, &down, focus::focus(&key, Part::Seen));
    }
    if let Some(key) = before {
        let width = up.inner_width(ui, cx) + 64.0;
        press(
            ui,
            cx,
            at(place.left(), place.top(), width, place.height()),
            &up,
            focus::focus(&key, Part::Seen),
        );
    }
}
