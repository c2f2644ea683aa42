//! One field of a page: its words, and the boxes or choices by which it is answered.
//!
//! Refuses to open pads and pickers: those stand on the right pane, see [`super::editor`].
use domain::form::{FieldErrorKind, PlanField, Widget};
use egui::{Rect, Ui, pos2};
use serde_json::Value;

use super::entry::{Entry, MOBILE_DIGITS};
use super::focus::{Part, focus};
use super::heights;
use crate::command::Command;
use crate::model::{Model, hashes, takes_pages};
use crate::screens::check::answer_words;
use crate::widgets::button::{Button, press};
use crate::widgets::choice::{self, Row, Tapped, choices};
use crate::widgets::date_picker::Month;
use crate::widgets::field::{Boxed, Head, box_ui, error_bar, head_height, head_ui, read_only_ui};
use crate::widgets::text::{text, typed, width_of};
use crate::widgets::{Cx, at, icon};

/// The most characters of a text without a limit of its own.
pub const TEXT_CHARS: usize = 200;

/// A field as it is to be drawn.
#[derive(Clone, Copy)]
pub struct Cell<'a> {
    /// The field.
    pub field: &'a PlanField,
    /// What is wrong with it.
    pub error: Option<&'a FieldErrorKind>,
    /// It has the attention.
    pub part: Option<Part<'a>>,
    /// It is alone on its page.
    pub single: bool,
    /// Its choices may be as high as a page that holds nothing else lets them.
    pub roomy: bool,
    /// Its label is said by the page's title.
    pub titled: bool,
}

impl<'a> Cell<'a> {
    /// The field with its error and attention.
    pub fn new(model: &'a Model, field: &'a PlanField, single: bool, titled: bool) -> Self {
        let session = model.session.as_ref();
        let error = session.and_then(|s| s.errors.iter().find(|e| e.key == field.key)).map(|e| &e.kind);
        let focus = session.and_then(|s| s.focus.as_deref()).map(super::focus::Focus::read);
        let part = focus.filter(|f| f.key == field.key).map(|f| f.part);
        Self { field, error, part, single, roomy: single, titled }
    }

    /// Height that it takes in this width.
    pub fn height(&self, ui: &Ui, cx: &Cx<'_>, width: f32) -> f32 {
        heights::height(ui, cx, self, width, || {
            let words = Words::of(cx, self);
            head_height(ui, cx, width, &words.head(self)) + self.body_height(ui, cx, width)
        })
    }

    fn body_height(&self, ui: &Ui, cx: &Cx<'_>, width: f32) -> f32 {
        let field = cx.theme.metrics.field;
        match self.field.widget {
            _ if self.field.computed => field,
            Widget::Enum | Widget::Month => {
                let labels = labels(cx, self.field);
                let rows = rows(self.field, &labels);
                choice::height(cx, rows.len(), choice::grid(ui, cx, &rows, width, self.roomy))
            }
            Widget::Address => {
                let button =
                    if self.field.prefill.is_some() { cx.theme.metrics.target + gap(cx) } else { 0.0 };
                2.0 * field + gap(cx) + button
            }
            Widget::Phone if self.single => field + gap(cx) + cx.body().style.line,
            Widget::Photo | Widget::Attachment if captures(cx, self.field) => cx.theme.metrics.target,
            Widget::Photo | Widget::Attachment | Widget::Signature => cx.body().style.line,
            _ => field,
        }
    }
}

/// Draws a field.
pub fn cell_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, cell: &Cell<'_>) {
    let words = Words::of(cx, cell);
    if cell.error.is_some() {
        error_bar(ui, cx, rect);
    }
    let top = head_ui(ui, cx, rect, &words.head(cell));
    let body = Rect::from_min_max(pos2(rect.left(), top), rect.max);
    match cell.field.widget {
        _ if cell.field.computed => computed_ui(ui, cx, body, cell.field),
        Widget::Enum => enum_ui(ui, cx, body, cell),
        Widget::Month => month_ui(ui, cx, body, cell),
        Widget::Address => address_ui(ui, cx, body, cell),
        Widget::Region => {
            region_box_ui(ui, cx, body, cell, cell.field.value.as_ref().and_then(Value::as_str))
        }
        Widget::Text => text_ui(ui, cx, body, cell),
        Widget::Phone | Widget::BankCard | Widget::Number | Widget::Date => pad_box_ui(ui, cx, body, cell),
        Widget::Photo | Widget::Attachment if captures(cx, cell.field) => pages_ui(ui, cx, body, cell.field),
        Widget::Photo | Widget::Attachment | Widget::Signature => {
            text(ui, cx, body, cx.t("form.not_supported"), cx.body());
        }
    }
}

/// Whether pages can be taken for a field here.
fn captures(cx: &Cx<'_>, field: &PlanField) -> bool {
    cx.model.capture_devices.any() && takes_pages(field)
}

/// The way to the pages of a field, and how many there are.
fn pages_ui(ui: &mut Ui, cx: &mut Cx<'_>, body: Rect, field: &PlanField) {
    let look = Button::secondary(cx.t("form.take_pages")).icon("camera");
    let width = (look.inner_width(ui, cx) + 64.0).min(body.width());
    let place = at(body.left(), body.top(), width, cx.theme.metrics.target);
    press(ui, cx, place, &look, Command::OpenCapture(field.key.clone()));
    let count = hashes(field.value.as_ref()).len();
    let words = cx.tf("form.pages_taken", &[("n", &count.to_string())]);
    let room =
        Rect::from_min_max(pos2(place.right() + 24.0, place.top()), pos2(body.right(), place.bottom()));
    if count > 0 && width_of(ui, &words, cx.body()) < room.width() {
        text(ui, cx, room, &words, cx.body().middle());
    }
}

/// Label, help and error in words.
struct Words {
    label: String,
    hint: Option<String>,
    error: Option<String>,
}

impl Words {
    fn of(cx: &Cx<'_>, cell: &Cell<'_>) -> Self {
        let field = cell.field;
        let retired = match (field.widget, field.value.as_ref().and_then(Value::as_str)) {
            (Widget::Region, Some(code)) => cx.model.pinned().regions.get(code).is_some_and(|r| !r.current),
            _ => false,
        };
        let own = field.hint.as_ref().map(|hint| cx.say(hint).to_owned());
        let hint = match field.widget {
            _ if retired => Some(cx.t("form.retired_region").to_owned()),
            Widget::Date => own.or_else(|| Some(cx.t("form.date_hint").to_owned())),
            _ => own,
        };
        Self {
            label: if cell.titled { String::new() } else { cx.say(&field.label).to_owned() },
            hint,
            error: cell.error.map(|kind| super::error_summary::words(cx, kind)),
        }
    }

    fn head(&self, cell: &Cell<'_>) -> Head<'_> {
        Head {
            label: &self.label,
            optional: !cell.field.required && !cell.field.computed,
            hint: self.hint.as_deref(),
            error: self.error.as_deref(),
        }
    }
}

fn gap(cx: &Cx<'_>) -> f32 {
    cx.theme.metrics.gap
}

/// A value that nobody types.
fn computed_ui(ui: &mut Ui, cx: &Cx<'_>, body: Rect, field: &PlanField) {
    let rect = at(body.left(), body.top(), body.width(), cx.theme.metrics.field);
    let words = answer_words(cx, field, true).unwrap_or_default();
    read_only_ui(ui, cx, rect, &words, ("info", cx.t("form.computed")));
}

fn enum_ui(ui: &mut Ui, cx: &mut Cx<'_>, body: Rect, cell: &Cell<'_>) {
    let labels = labels(cx, cell.field);
    let rows = rows(cell.field, &labels);
    let selected = cell.field.value.as_ref().and_then(Value::as_str).unwrap_or_default();
    let grid = choice::grid(ui, cx, &rows, body.width(), cell.roomy);
    let page = match cell.part {
        Some(Part::Page(page)) => Some(page),
        _ => None,
    };
    match choices(ui, cx, body, (&rows, selected), (grid, page)) {
        Some(Tapped::Choice(index)) => {
            let key = cell.field.key.clone();
            cx.push(Command::Answer { key, value: Value::from(rows[index].value) });
        }
        Some(Tapped::Page(page)) => cx.push(focus(&cell.field.key, Part::Page(page))),
        None => {}
    }
}

/// This month, the next one, another one.
fn month_ui(ui: &mut Ui, cx: &mut Cx<'_>, body: Rect, cell: &Cell<'_>) {
    let labels = labels(cx, cell.field);
    let rows = rows(cell.field, &labels);
    let answer = cell.field.value.as_ref().and_then(Value::as_str).unwrap_or_default();
    let other = !answer.is_empty() && rows[..2].iter().all(|row| row.value != answer);
    let selected = if other { "" } else { answer };
    let selected = if other { rows[2].value } else { selected };
    let grid = choice::grid(ui, cx, &rows, body.width(), cell.roomy);
    match choices(ui, cx, body, (&rows, selected), (grid, None)) {
        Some(Tapped::Choice(2)) => cx.push(focus(&cell.field.key, Part::Keys)),
        Some(Tapped::Choice(index)) => {
            let key = cell.field.key.clone();
            cx.push(Command::Answer { key, value: Value::from(rows[index].value) });
            cx.push(Command::Focus(None));
        }
        _ => {}
    }
}

/// Values and labels of the rows of an enum or month field.
fn labels(cx: &Cx<'_>, field: &PlanField) -> Vec<(String, String)> {
    if field.widget == Widget::Enum {
        return field.choices.iter().map(|c| (c.value.clone(), cx.say(&c.label).to_owned())).collect();
    }
    let now = Month::of_now(cx.model.now_ms);
    let next = now.plus(1);
    let named = |key: &'static str, month: Month| format!("{} · {}", cx.t(key), month.words(cx));
    let answer = field.value.as_ref().and_then(Value::as_str).and_then(Month::read);
    let other = match answer.filter(|month| *month != now && *month != next) {
        Some(month) => month.words(cx),
        None => cx.t("form.other_month").to_owned(),
    };
    vec![
        (now.answer(), named("form.this_month", now)),
        (next.answer(), named("form.next_month", next)),
        ("other".to_owned(), other),
    ]
}

fn rows<'l>(_: &PlanField, labels: &'l [(String, String)]) -> Vec<Row<'l>> {
    labels.iter().map(|(value, label)| Row { value, label }).collect()
}

fn address_ui(ui: &mut Ui, cx: &mut Cx<'_>, body: Rect, cell: &Cell<'_>) {
    let (field, gap) = (cx.theme.metrics.field, gap(cx));
    let value = cell.field.value.as_ref();
    let region = value.and_then(|v| v.get("region")).and_then(Value::as_str);
    let first = at(body.left(), body.top(), body.width(), field);
    region_box_ui(ui, cx, first, cell, region.filter(|r| !r.is_empty()));
    let mut second = first.translate(egui::vec2(0.0, field + gap));
    // Under an error summary there may be no room for all: then what is needed next stands there.
    let target = cx.theme.metrics.target;
    let both = body.height() + 1.0 >= 2.0 * (field + gap) + target;
    let offers = cell.field.prefill.is_some() && (both || !super::editor::types_detail(cell));
    if both || !offers {
        detail_ui(ui, cx, second, cell);
        second = second.translate(egui::vec2(0.0, field + gap));
    }
    if offers {
        let place = at(body.left(), second.top(), body.width(), target);
        let look = Button::secondary(cx.t("form.same_as_card")).icon("idcard");
        press(ui, cx, place, &look, Command::UseCardAddress(cell.field.key.clone()));
    }
}

fn detail_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, cell: &Cell<'_>) {
    let detail = super::editor::words_of(cell.field);
    let typing = super::editor::types_detail(cell);
    let groups = group_of(detail);
    let boxed = Boxed {
        name: cx.t("form.address_detail"),
        groups: &groups,
        placeholder: cx.t("form.address_detail"),
        focused: typing,
        caret: true,
        wrong: cell.error.is_some(),
        end: (typing && detail.is_empty()).then(|| (cx.t("form.type_on_keyboard"), "keyboard")),
        typed: true,
    };
    if box_ui(ui, cx, rect, &boxed).clicked() {
        cx.push(focus(&cell.field.key, Part::Detail));
    }
    type_words(ui, cx, cell.field, typing);
}

/// What a physical keyboard adds to the words of a field.
fn type_words(ui: &Ui, cx: &mut Cx<'_>, field: &PlanField, typing: bool) {
    let most = field.max_chars.unwrap_or(TEXT_CHARS);
    if let Some(words) = typing.then(|| typed(ui, super::editor::words_of(field), most)).flatten() {
        cx.push(super::editor::words_answer(field, &words));
    }
}

fn region_box_ui(ui: &mut Ui, cx: &mut Cx<'_>, body: Rect, cell: &Cell<'_>, code: Option<&str>) {
    let rect = at(body.left(), body.top(), body.width(), cx.theme.metrics.field);
    let groups = code.map(|code| vec![cx.model.pinned().region_path(code)]).unwrap_or_default();
    let open = super::editor::opens_regions(cell);
    let boxed = Boxed {
        name: cx.say(&cell.field.label),
        groups: &groups,
        placeholder: cx.t("form.choose_region"),
        focused: open,
        caret: false,
        wrong: cell.error.is_some(),
        end: (!open && code.is_some()).then(|| (cx.t("form.choose_again"), "chev")),
        typed: false,
    };
    if box_ui(ui, cx, rect, &boxed).clicked() {
        let home = cx.model.station.as_ref().map(|s| s.division_code.as_str());
        let list = domain::catalogue::regions::start(&cx.model.pinned().regions, code, home);
        cx.push(focus(&cell.field.key, Part::Region(list.as_deref(), 0)));
    }
}

fn text_ui(ui: &mut Ui, cx: &mut Cx<'_>, body: Rect, cell: &Cell<'_>) {
    let rect = at(body.left(), body.top(), body.width(), cx.theme.metrics.field);
    let words = super::editor::words_of(cell.field);
    let groups = group_of(words);
    let focused = super::editor::opens_pad(cell);
    let boxed = Boxed {
        name: cx.say(&cell.field.label),
        groups: &groups,
        placeholder: "",
        focused,
        caret: true,
        wrong: cell.error.is_some(),
        end: (focused && words.is_empty()).then(|| (cx.t("form.type_on_keyboard"), "keyboard")),
        typed: true,
    };
    if box_ui(ui, cx, rect, &boxed).clicked() {
        cx.push(focus(&cell.field.key, Part::Keys));
    }
    type_words(ui, cx, cell.field, focused);
}

fn pad_box_ui(ui: &mut Ui, cx: &mut Cx<'_>, body: Rect, cell: &Cell<'_>) {
    let Some(entry) = Entry::of(cell.field) else { return };
    let rect = at(body.left(), body.top(), body.width(), cx.theme.metrics.field);
    let typed = entry.typed(cell.field.value.as_ref(), super::editor::zeros(cell));
    let mut groups = entry.groups(&typed);
    if entry == Entry::Date {
        let units = ["form.date_year", "form.date_month", "form.date_day"];
        for (at, (group, unit)) in groups.iter_mut().zip(units).enumerate() {
            let complete = group.len() == if at == 0 { 4 } else { 2 };
            if complete {
                group.push_str(cx.t(unit));
            }
        }
    }
    let boxed = Boxed {
        name: cx.say(&cell.field.label),
        groups: &groups,
        placeholder: "",
        focused: super::editor::opens_pad(cell),
        caret: true,
        wrong: cell.error.is_some(),
        end: None,
        typed: false,
    };
    if box_ui(ui, cx, rect, &boxed).clicked() {
        cx.push(focus(&cell.field.key, Part::Whole));
    }
    if entry == Entry::Phone && cell.single && cell.error.is_none() && !typed.starts_with('0') {
        count_ui(ui, cx, rect, typed.len());
    }
}

/// How many digits of a mobile number are missing.
fn count_ui(ui: &mut Ui, cx: &Cx<'_>, above: Rect, have: usize) {
    let (missing, all) = ((MOBILE_DIGITS.saturating_sub(have)).to_string(), MOBILE_DIGITS.to_string());
    let (key, name) =
        if have >= MOBILE_DIGITS { ("form.phone_complete", "check") } else { ("form.phone_missing", "info") };
    let words = cx.tf(key, &[("n", &missing), ("all", &all)]);
    let letters = cx.body();
    let side = cx.theme.pick(32.0, 48.0);
    let line = at(above.left(), above.bottom() + gap(cx), above.width(), letters.style.line);
    icon(ui, cx, at(line.left(), line.center().y - side / 2.0, side, side), name, cx.theme.colors.brand600);
    let left = line.left() + side + 12.0;
    text(ui, cx, Rect::from_min_max(pos2(left, line.top()), line.max), &words, letters);
}

fn group_of(words: &str) -> Vec<String> {
    if words.is_empty() { Vec::new() } else { vec![words.to_owned()] }
}
