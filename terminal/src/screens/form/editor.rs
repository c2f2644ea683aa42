//! The right pane of a form page: number pad, region picker, month picker, letter keys, whichever the field with
//! the attention needs.
//!
//! Refuses to stay open for nothing: a field that is answered by choices has no editor here.
use domain::catalogue::regions;
use domain::form::{PlanField, Widget};
use egui::{Rect, Ui, vec2};
use serde_json::{Value, json};

use super::cell::{Cell, TEXT_CHARS};
use super::entry::Entry;
use super::focus::{Part, focus};
use crate::command::Command;
use crate::widgets::Cx;
use crate::widgets::date_picker::{self, Month, month_picker};
use crate::widgets::keyboard::{KeyPress, keyboard, keyboard_height};
use crate::widgets::number_pad::{self, number_pad};
use crate::widgets::region_picker::{Open, Picked, region_picker};

/// Width of the region picker and of the letter keys.
const WIDE: f32 = 960.0;

/// The editor that is open.
#[derive(Clone, Copy)]
pub struct Editor<'a> {
    kind: Kind,
    cell: Cell<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pad(Entry),
    Region,
    Month,
    Keys,
}

impl<'a> Editor<'a> {
    /// The editor of the first cell that has one open.
    pub fn of(cells: &[Cell<'a>]) -> Option<Self> {
        cells.iter().filter(|cell| !cell.field.computed).find_map(|cell| {
            let kind = match cell.field.widget {
                Widget::Region => opens_regions(cell).then_some(Kind::Region),
                Widget::Address if opens_regions(cell) => Some(Kind::Region),
                Widget::Address => (cell.part == Some(Part::Detail)).then_some(Kind::Keys),
                Widget::Text => opens_keys(cell).then_some(Kind::Keys),
                Widget::Month => (cell.part == Some(Part::Keys)).then_some(Kind::Month),
                _ => Entry::of(cell.field).filter(|_| opens_pad(cell)).map(Kind::Pad),
            }?;
            Some(Self { kind, cell: *cell })
        })
    }

    /// Width of the pane.
    pub fn width(&self, cx: &Cx<'_>) -> f32 {
        match self.kind {
            Kind::Pad(_) => number_pad::width(cx),
            Kind::Region | Kind::Keys => WIDE,
            Kind::Month => date_picker::width(cx),
        }
    }

    /// It is low enough to stand below an error summary.
    pub fn is_low(&self) -> bool {
        self.kind != Kind::Keys
    }

    /// Draws it.
    pub fn show(&self, ui: &mut Ui, cx: &mut Cx<'_>, pane: Rect) {
        match self.kind {
            Kind::Pad(entry) => pad_ui(ui, cx, pane, (&self.cell, entry)),
            Kind::Region => region_ui(ui, cx, pane, &self.cell),
            Kind::Month => month_ui(ui, cx, pane, self.cell.field),
            Kind::Keys => keys_ui(ui, cx, pane, self.cell.field),
        }
    }
}

/// The number pad is open for this field.
pub fn opens_pad(cell: &Cell<'_>) -> bool {
    match cell.part {
        None => cell.single,
        Some(part) => part != Part::Seen,
    }
}

/// Letter keys are open for this text: after a tap, not by an error alone, so that a page with errors stays in
/// sight.
fn opens_keys(cell: &Cell<'_>) -> bool {
    opens_pad(cell) && (cell.single || cell.part == Some(Part::Keys))
}

/// The region picker is open for this field.
pub fn opens_regions(cell: &Cell<'_>) -> bool {
    let address = cell.field.widget == Widget::Address;
    let open_at_once = region_of(cell.field).is_empty();
    match cell.part {
        None => cell.single && open_at_once,
        Some(Part::Region(..)) => true,
        Some(Part::Whole) => !address || open_at_once,
        Some(_) => false,
    }
}

/// The words of an address are being typed.
pub fn types_detail(cell: &Cell<'_>) -> bool {
    match cell.part {
        Some(Part::Detail) => true,
        Some(Part::Whole) => !region_of(cell.field).is_empty(),
        _ => false,
    }
}

/// Zeros after the point that the stored number does not show.
pub fn zeros(cell: &Cell<'_>) -> Option<usize> {
    match cell.part {
        Some(Part::Tail(zeros)) => Some(zeros),
        _ => None,
    }
}

fn region_of(field: &PlanField) -> &str {
    let value = field.value.as_ref();
    let region = if field.widget == Widget::Address { value.and_then(|v| v.get("region")) } else { value };
    region.and_then(Value::as_str).unwrap_or_default()
}

/// Letters and digits; Chinese comes from a physical keyboard.
fn keys_ui(ui: &mut Ui, cx: &mut Cx<'_>, pane: Rect, field: &PlanField) {
    let place = Rect::from_min_size(pane.min, vec2(pane.width(), keyboard_height(cx)));
    let pressed = keyboard(ui, cx, place);
    let before = words_of(field);
    let mut after = before.to_owned();
    match pressed {
        Some(KeyPress::Sign(sign)) => after.push(sign.to_ascii_uppercase()),
        Some(KeyPress::Delete) => {
            after.pop();
        }
        Some(KeyPress::Clear) => after.clear(),
        None => return,
    }
    if after.chars().count() <= field.max_chars.unwrap_or(TEXT_CHARS) && after != before {
        cx.push(words_answer(field, &after));
    }
}

/// The words of a text field, or those of an address.
pub fn words_of(field: &PlanField) -> &str {
    let value = field.value.as_ref();
    let words = if field.widget == Widget::Address { value.and_then(|v| v.get("detail")) } else { value };
    words.and_then(Value::as_str).unwrap_or_default()
}

/// The command that makes these words the answer of a text field, or the words of an address.
pub fn words_answer(field: &PlanField, words: &str) -> Command {
    let key = field.key.clone();
    if field.widget == Widget::Address {
        return Command::Answer { key, value: address(region_of(field), words) };
    }
    if words.is_empty() {
        return Command::ClearAnswer(key);
    }
    Command::Answer { key, value: Value::from(words) }
}

/// An address of what is known of it.
fn address(region: &str, detail: &str) -> Value {
    let mut value = json!({});
    for (part, words) in [("region", region), ("detail", detail)] {
        if !words.is_empty() {
            value[part] = Value::from(words);
        }
    }
    value
}

fn pad_ui(ui: &mut Ui, cx: &mut Cx<'_>, pane: Rect, (cell, entry): (&Cell<'_>, Entry)) {
    let Some(key) = number_pad(ui, cx, pane, entry.has_point()) else { return };
    let before = entry.typed(cell.field.value.as_ref(), zeros(cell));
    let after = entry.press(&before, key);
    let name = cell.field.key.clone();
    if zeros(cell) != entry.zeros(&after) || cell.part.is_none() {
        cx.push(focus(&name, entry.zeros(&after).map_or(Part::Whole, Part::Tail)));
    }
    if after != before {
        cx.push(match entry.value(&after) {
            Some(value) => Command::Answer { key: name, value },
            None => Command::ClearAnswer(name),
        });
    }
}

fn region_ui(ui: &mut Ui, cx: &mut Cx<'_>, pane: Rect, cell: &Cell<'_>) {
    let chosen = region_of(cell.field);
    let home = cx.model.station.as_ref().map(|station| station.division_code.clone());
    let start = regions::start(&cx.model.pinned().regions, Some(chosen), home.as_deref());
    let (list, page) = match cell.part {
        Some(Part::Region(list, page)) => (list, page),
        _ => (start.as_deref(), 0),
    };
    let key = &cell.field.key;
    match region_picker(ui, cx, pane, Open { list, page, chosen }) {
        Some(Picked::List(list, page)) => cx.push(focus(key, Part::Region(list.as_deref(), page))),
        Some(Picked::Region(code)) => choose(cx, cell.field, code),
        None => {}
    }
}

/// The region is the answer; an address goes on with its words.
fn choose(cx: &mut Cx<'_>, field: &PlanField, code: String) {
    let key = field.key.clone();
    if field.widget != Widget::Address {
        cx.push(Command::Answer { key: key.clone(), value: Value::from(code) });
        cx.push(focus(&key, Part::Seen));
        return;
    }
    let value = address(&code, words_of(field));
    cx.push(Command::Answer { key: key.clone(), value });
    cx.push(focus(&key, Part::Detail));
}

fn month_ui(ui: &mut Ui, cx: &mut Cx<'_>, pane: Rect, field: &PlanField) {
    let now = Month::of_now(cx.model.now_ms);
    let shown = field.value.as_ref().and_then(Value::as_str).and_then(Month::read).unwrap_or(now);
    if let Some(month) = month_picker(ui, cx, pane, shown) {
        let value = Value::from(month.answer());
        cx.push(Command::Answer { key: field.key.clone(), value });
    }
}
