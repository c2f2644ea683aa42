//! Pages with repeat groups: one card a row, a button for one more and one less, the way back after a row was taken
//! out, and how many there may be. Where errors leave no room for cards, the fields stand alone.
//!
//! Refuses to count: how many rows there may be is in the plan.
use domain::form::{FieldErrorKind, PlanGroup, PlanPage, PlanRepeat, PlanRow};
use domain::text::Text;
use egui::{Rect, Ui};

use super::cell::{Cell, cell_ui};
use super::error_summary;
use super::flow::{Flow, Place, Room};
use super::{COLUMN_GAP, arrows_ui};
use crate::command::Command;
use crate::model::Session;
use crate::theme::radius;
use crate::widgets::button::{Button, press};
use crate::widgets::field::{Head, head_height, head_ui};
use crate::widgets::shape::card;
use crate::widgets::{Cx, at, text};

/// Room around the fields of a card; the bar of an error stands in it.
const PAD: f32 = 40.0;

/// Whether a page has a repeat group.
pub fn has_rows(page: &PlanPage) -> bool {
    page.groups.iter().any(|group| group.repeat.is_some())
}

/// Heading of the row in which a field stands, by its place on the page.
pub fn row_of(page: &PlanPage, field: usize) -> Option<&Text> {
    let mut rows = page.groups.iter().flat_map(|group| &group.rows);
    rows.find(|row| row.fields.contains(&field)).and_then(|row| row.title.as_ref())
}

/// The name of what an error or answer belongs to: `子女 1 · 姓名`, or what the rows are.
pub fn label_of(cx: &Cx<'_>, page: &PlanPage, key: &str) -> Option<String> {
    if let Some(at) = page.fields.iter().position(|field| field.key == key) {
        let label = cx.say(&page.fields[at].label);
        return Some(match row_of(page, at) {
            Some(row) => format!("{} · {label}", cx.say(row)),
            None => label.to_owned(),
        });
    }
    let mut repeats = page.groups.iter().filter_map(|group| group.repeat.as_ref());
    let repeat = repeats.find(|repeat| key == repeat.key || key.starts_with(&format!("{}[", repeat.key)));
    repeat.map(|repeat| cx.say(&repeat.label).to_owned())
}

/// What stands on a page, one below the other.
struct Block<'p> {
    /// Heading of the group, above its first block; the first group of a page has the page's title.
    title: Option<&'p Text>,
    kind: Kind<'p>,
    height: f32,
    /// What the focus names to bring it onto the screen.
    key: String,
}

enum Kind<'p> {
    /// A field outside rows.
    Field(usize),
    /// A row, or a part of one that is too high for a page.
    Row { repeat: &'p PlanRepeat, row: &'p PlanRow, part: usize, places: Vec<Place> },
    /// One more, and how many there may be, where the last row ends; or the way back after one was taken out.
    Tail { repeat: &'p PlanRepeat, ends: bool },
}

/// Draws the groups of a page, part by part.
pub fn groups_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    place: Rect,
    (session, page): (&Session, &PlanPage),
    (cells, pane): (&[Cell<'_>], bool),
) {
    let target = cx.theme.metrics.target;
    let gap = cx.theme.space(24.0);
    let columns = if pane || cx.elder() { 1 } else { 2 };
    let most = place.height() - target - 16.0;
    let mut sheet = Sheet { session, cells, columns, width: place.width(), most, bare: false };
    sheet.bare = !session.errors.is_empty() && sheet.is_tight(ui, cx, page);
    let blocks = sheet.blocks(ui, cx, page);
    let heights: Vec<f32> = blocks.iter().map(|block| block.height).collect();
    let room = Room { columns: 1, height: place.height(), height_with_arrows: most, gap };
    let flow = Flow::of(&heights, room);
    let part = attended(session, &blocks, cells).and_then(|block| flow.part_of(block)).unwrap_or(0);
    for spot in flow.parts.get(part).into_iter().flatten() {
        let rect = at(place.left(), place.top() + spot.top, place.width(), spot.height);
        sheet.block_ui(ui, cx, rect, &blocks[spot.field]);
    }
    let first = |part: usize| flow.parts.get(part)?.first().map(|spot| blocks[spot.field].key.clone());
    if flow.parts.len() > 1 {
        let arrows = place.with_min_y(place.bottom() - target);
        let before = part.checked_sub(1).and_then(first);
        arrows_ui(ui, cx, arrows, (before, first(part + 1)), cx.t("form.more_rows"));
    }
}

/// The block that the focus names.
fn attended(session: &Session, blocks: &[Block<'_>], cells: &[Cell<'_>]) -> Option<usize> {
    let key = super::focus::Focus::read(session.focus.as_deref()?).key;
    let has = |block: &Block<'_>| match &block.kind {
        Kind::Field(at) => cells[*at].field.key == key,
        Kind::Row { row, places, .. } => {
            places.iter().any(|place| cells[row.fields.start + place.field].field.key == key)
        }
        Kind::Tail { .. } => block.key == key,
    };
    blocks.iter().position(has)
}

/// What all blocks of a page need to know.
struct Sheet<'s> {
    session: &'s Session,
    cells: &'s [Cell<'s>],
    columns: usize,
    width: f32,
    /// The most height that a block may have.
    most: f32,
    /// There is room for fields alone.
    bare: bool,
}

impl Sheet<'_> {
    fn blocks<'p>(&self, ui: &Ui, cx: &Cx<'_>, page: &'p PlanPage) -> Vec<Block<'p>> {
        let mut blocks = Vec::new();
        for (index, group) in page.groups.iter().enumerate() {
            let from = blocks.len();
            match &group.repeat {
                Some(repeat) => self.repeat(ui, cx, (page, group, repeat), &mut blocks),
                None => self.fields(ui, cx, group, &mut blocks),
            }
            let title = group.title.as_ref().filter(|_| index > 0 && !self.bare);
            if let (Some(title), Some(first)) = (title, blocks.get_mut(from)) {
                first.title = Some(title);
                first.height += title_height(cx);
            }
        }
        blocks
    }

    fn fields<'p>(&self, ui: &Ui, cx: &Cx<'_>, group: &'p PlanGroup, blocks: &mut Vec<Block<'p>>) {
        for at in group.rows.iter().flat_map(|row| row.fields.clone()) {
            let height = self.cells[at].height(ui, cx, self.width.min(super::BOX_WIDTH));
            let key = self.cells[at].field.key.clone();
            blocks.push(Block { title: None, kind: Kind::Field(at), height, key });
        }
    }

    fn repeat<'p>(
        &self,
        ui: &Ui,
        cx: &Cx<'_>,
        (page, group, repeat): (&PlanPage, &'p PlanGroup, &'p PlanRepeat),
        blocks: &mut Vec<Block<'p>>,
    ) {
        if self.bare {
            self.fields(ui, cx, group, blocks);
        } else {
            group.rows.iter().for_each(|row| self.row(ui, cx, (repeat, row), blocks));
        }
        let wrong = self.session.errors.iter().any(|error| error.key == repeat.key);
        let ends = self.ends(page, repeat) && (!self.bare || wrong || group.rows.is_empty());
        if ends || self.removed(repeat).is_some() {
            let error = head_height(ui, cx, self.width, &self.tail_head(cx, repeat, &mut String::new()));
            let (kind, height) = (Kind::Tail { repeat, ends }, cx.theme.metrics.target + error);
            blocks.push(Block { title: None, kind, height, key: repeat.key.clone() });
        }
    }

    /// Not even one field has room for a card around it.
    fn is_tight(&self, ui: &Ui, cx: &Cx<'_>, page: &PlanPage) -> bool {
        let heights = self.cells.iter().map(|cell| cell.height(ui, cx, self.column()));
        let repeats = page.groups.iter().filter_map(|group| group.repeat.as_ref());
        let head = repeats.map(|repeat| head_of_row(cx, repeat)).fold(0.0, f32::max);
        heights.fold(0.0, f32::max) + head + PAD > self.most
    }

    /// Where the row stood that can be put back.
    fn removed(&self, repeat: &PlanRepeat) -> Option<usize> {
        let removed = self.session.removed_row.as_ref().filter(|removed| removed.key == repeat.key);
        removed.filter(|_| repeat.can_add).map(|removed| removed.index)
    }

    /// The page on which the last row ends, where there are several.
    fn ends(&self, page: &PlanPage, repeat: &PlanRepeat) -> bool {
        let pages = &self.session.plan.pages;
        let own = pages.iter().position(|other| std::ptr::eq(other, page)).unwrap_or(self.session.page);
        !pages.get(own + 1).is_some_and(|next| next.has(&repeat.key))
    }

    fn row<'p>(
        &self,
        ui: &Ui,
        cx: &Cx<'_>,
        (repeat, row): (&'p PlanRepeat, &'p PlanRow),
        blocks: &mut Vec<Block<'p>>,
    ) {
        let width = self.column();
        let heights: Vec<f32> =
            self.cells[row.fields.clone()].iter().map(|cell| cell.height(ui, cx, width)).collect();
        let around = head_of_row(cx, repeat) + PAD;
        let most = self.most - around;
        let room =
            Room { columns: self.columns, height: most, height_with_arrows: most, gap: cx.theme.space(24.0) };
        for (part, places) in Flow::of(&heights, room).parts.into_iter().enumerate() {
            let inner = places.iter().map(|place| place.top + place.height).fold(0.0, f32::max);
            let first = places.first().map_or(0, |place| place.field);
            let key = self.cells[row.fields.start + first].field.key.clone();
            let kind = Kind::Row { repeat, row, part, places };
            blocks.push(Block { title: None, kind, height: inner + around, key });
        }
    }

    /// Width of a column in a card.
    #[allow(clippy::cast_precision_loss)] // one or two
    fn column(&self) -> f32 {
        let columns = self.columns as f32;
        (self.width - 2.0 * PAD - COLUMN_GAP * (columns - 1.0)) / columns
    }

    fn block_ui(&self, ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, block: &Block<'_>) {
        let mut rect = rect;
        if let Some(title) = block.title {
            let line = rect.with_max_y(rect.top() + title_height(cx));
            text(ui, cx, line, cx.say(title), cx.h2().data());
            rect = rect.with_min_y(line.bottom());
        }
        match &block.kind {
            Kind::Field(at) => {
                let width = rect.width().min(super::BOX_WIDTH);
                cell_ui(ui, cx, rect.with_max_x(rect.left() + width), &self.cells[*at]);
            }
            Kind::Row { repeat, row, part, places } => {
                self.row_ui(ui, cx, rect, (repeat, row, *part, places));
            }
            Kind::Tail { repeat, ends } => self.tail_ui(ui, cx, rect, (repeat, *ends)),
        }
    }

    fn row_ui(
        &self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        rect: Rect,
        (repeat, row, part, places): (&PlanRepeat, &PlanRow, usize, &[Place]),
    ) {
        card(ui, cx, rect, radius::CARD);
        let head = head_of_row(cx, repeat);
        let title = row.title.as_ref().map_or("", |title| cx.say(title));
        let line = at(rect.left() + PAD, rect.top(), rect.width() - 2.0 * PAD, head);
        let right = match repeat.can_remove && part == 0 {
            true => remove_ui(ui, cx, line, (repeat, row, title)),
            false => line.right(),
        };
        let words = match part {
            0 => title.to_owned(),
            _ => cx.tf("form.continued", &[("row", title)]),
        };
        text(ui, cx, line.with_max_x(right - 16.0), &words, cx.title().middle().data());
        let width = self.column();
        for place in places {
            #[allow(clippy::cast_precision_loss)] // one or two
            let left = line.left() + place.column as f32 * (width + COLUMN_GAP);
            let cell = &self.cells[row.fields.start + place.field];
            cell_ui(ui, cx, at(left, line.bottom() + place.top, width, place.height), cell);
        }
    }

    /// What is wrong with the group as a whole.
    fn tail_head<'h>(&self, cx: &Cx<'_>, repeat: &PlanRepeat, words: &'h mut String) -> Head<'h> {
        let error: Option<&FieldErrorKind> =
            self.session.errors.iter().find(|error| error.key == repeat.key).map(|error| &error.kind);
        if let Some(kind) = error {
            *words = error_summary::words(cx, kind);
        }
        Head { error: error.is_some().then_some(words.as_str()), ..Head::default() }
    }

    /// One more row, and how many there may be; or the way back.
    fn tail_ui(&self, ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, (repeat, ends): (&PlanRepeat, bool)) {
        let mut words = String::new();
        let top = head_ui(ui, cx, rect, &self.tail_head(cx, repeat, &mut words));
        let rect = rect.with_min_y(top);
        let mut left = rect.left();
        if repeat.can_add && ends {
            let add = cx.t(if repeat.count == 0 { "form.add_first" } else { "form.add_row" });
            let name = cx.tf("form.add_what", &[("add", add), ("what", cx.say(&repeat.label))]);
            let look = Button::secondary(add).icon("plus").named(&name);
            let width = look.inner_width(ui, cx) + 64.0;
            let place = at(left, rect.top(), width, cx.theme.metrics.target);
            press(ui, cx, place, &look, Command::AddRow(repeat.key.clone()));
            left = place.right() + 24.0;
        }
        let place = at(left, rect.top(), rect.right() - left, cx.theme.metrics.target);
        match self.removed(repeat) {
            Some(index) => undo_ui(ui, cx, place, index),
            None => {
                text(ui, cx, place, &self.limits(cx, repeat), cx.body().middle().data());
            }
        }
    }

    fn limits(&self, cx: &Cx<'_>, repeat: &PlanRepeat) -> String {
        let form = self.session.form.as_ref();
        let mut groups = form.into_iter().flat_map(|form| form.spec().groups());
        let spec = groups.find_map(|group| group.repeat.as_ref().filter(|spec| spec.key == repeat.key));
        let (count, most) = (repeat.count.to_string(), spec.map_or(0, |spec| spec.max).to_string());
        let least = spec.map_or(0, |spec| spec.min);
        if repeat.count == 0 {
            return cx.t("form.rows_none").to_owned();
        }
        if !repeat.can_add {
            return cx.tf("form.rows_full", &[("most", &most)]);
        }
        let words = cx.tf("form.rows_count", &[("count", &count), ("most", &most)]);
        if least == 0 || repeat.can_remove {
            return words;
        }
        let least = cx.tf("form.rows_least", &[("least", &least.to_string())]);
        format!("{words}{}{least}", cx.t("stations.between_days"))
    }
}

fn title_height(cx: &Cx<'_>) -> f32 {
    cx.h2().style.line + 12.0
}

/// Height of the heading of a row: that of its button, if it has one.
fn head_of_row(cx: &Cx<'_>, repeat: &PlanRepeat) -> f32 {
    if repeat.can_remove { cx.theme.metrics.target + 8.0 } else { cx.title().style.line + 32.0 }
}

/// Takes the row out; gives the left end of the button.
fn remove_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    line: Rect,
    (repeat, row, title): (&PlanRepeat, &PlanRow, &str),
) -> f32 {
    let name = cx.tf("form.remove_what", &[("row", title)]);
    let label = cx.t("form.remove_row");
    let look = Button::quiet(label).icon("trash").lettering(cx.strong()).named(&name);
    let width = (look.inner_width(ui, cx) + 40.0).max(cx.theme.metrics.target);
    let place = at(line.right() - width + 16.0, line.top() + 4.0, width, cx.theme.metrics.target);
    press(ui, cx, place, &look, Command::RemoveRow { key: repeat.key.clone(), row: row.index });
    place.left()
}

/// Says that a row was taken out, and puts it back.
fn undo_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, index: usize) {
    let words = cx.tf("form.removed", &[("n", &(index + 1).to_string())]);
    let look = Button::secondary(cx.t("form.undo")).icon("undo");
    let width = look.inner_width(ui, cx) + 56.0;
    press(ui, cx, at(rect.left(), rect.top(), width, rect.height()), &look, Command::UndoRow);
    let room = rect.with_min_x(rect.left() + width + 20.0);
    if room.width() > 0.0 {
        text(ui, cx, room, &words, cx.body().middle().data());
    }
}
