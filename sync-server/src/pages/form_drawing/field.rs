//! One field of a plan as the template draws it.
use domain::form::{PlanField, PlanPage, Widget};
use serde_json::Value;

use super::Sheet;
use super::place::id_of;
use super::region::{Level, levels};
use super::words;
use crate::words::Words;

/// More choices than this stand in a list that opens.
const MOST_RADIOS: usize = 7;
/// A text that may be longer than this has several lines.
const LINE_CHARS: usize = 60;
/// Strokes of a signature that are drawn, and points of each: more are not looked at.
const MOST_STROKES: usize = 200;
const MOST_POINTS: usize = 2_000;

/// A group of fields.
pub struct GroupView {
    /// Its heading.
    pub title: Option<String>,
    /// What a repeat group needs besides.
    pub repeat: Option<RepeatView>,
    /// Its rows.
    pub rows: Vec<RowView>,
}

/// See [`GroupView`].
pub struct RepeatView {
    /// Its key.
    pub key: String,
    /// Id of the group.
    pub id: String,
    /// What the rows are.
    pub label: String,
    /// A row can be added.
    pub can_add: bool,
    /// A row can be taken away.
    pub can_remove: bool,
    /// What is wrong with it as a whole.
    pub error: Option<String>,
}

/// A row of a group.
pub struct RowView {
    /// Its heading.
    pub title: Option<String>,
    /// Its number from 0.
    pub index: usize,
    /// Its fields.
    pub fields: Vec<FieldView>,
}

/// A field.
pub struct FieldView {
    /// Name of its input: the path of its answer.
    pub name: String,
    /// Id of its input, or of what holds its inputs.
    pub id: String,
    /// Label.
    pub label: String,
    /// It may stay empty.
    pub optional: bool,
    /// One line of help.
    pub hint: Option<String>,
    /// What is wrong.
    pub error: Option<String>,
    /// How it is drawn.
    pub input: Input,
}

/// How a field is drawn.
pub enum Input {
    /// One line.
    Line(Line),
    /// Several lines.
    Lines {
        /// What stands in it.
        value: String,
        /// The longest text, in characters.
        most: usize,
    },
    /// Choices beside each other: value, words, chosen.
    Radios(Vec<(String, String, bool)>),
    /// Choices in a list.
    List(Vec<(String, String, bool)>),
    /// A region.
    Region(Vec<Level>),
    /// A region and a line for street and number.
    Address {
        /// Lists of the region.
        levels: Vec<Level>,
        /// Street and house number.
        detail: String,
        /// The longest text, in characters.
        most: usize,
        /// The card offers its address.
        same: bool,
    },
    /// Worked out, not typed.
    Computed(String),
    /// A signature: what was drawn.
    Signature {
        /// `0 0 width height`.
        view_box: String,
        /// Points of each stroke.
        strokes: Vec<String>,
        /// The answer as JSON, empty if there is none.
        json: String,
    },
    /// A photo or an attachment.
    Files {
        /// A line for each file.
        files: Vec<String>,
        /// One more may be put in.
        room: bool,
        /// What is taken.
        limits: String,
        /// The same for a browser's chooser of files.
        accept: String,
        /// How many there are, so that the chooser is another one once a file was taken in.
        count: usize,
        /// Several may be chosen at once.
        several: bool,
        /// The answer as JSON, empty if there is none.
        json: String,
    },
}

/// One line of text.
pub struct Line {
    /// `type` of the input.
    pub kind: &'static str,
    /// Keys that a telephone shows.
    pub keys: &'static str,
    /// The longest text, in characters.
    pub most: usize,
    /// What stands in it.
    pub value: String,
    /// An example.
    pub example: &'static str,
}

impl FieldView {
    /// Several inputs belong to it, so that its label is a legend.
    pub fn is_group(&self) -> bool {
        !matches!(self.input, Input::Line(_) | Input::Lines { .. } | Input::List(_) | Input::Computed(_))
    }

    /// Ids of hint and mistake, as far as they are there.
    pub fn described(&self) -> String {
        let hint = self.hint.iter().map(|_| format!("{}-hint", self.id));
        let error = self.error.iter().map(|_| format!("{}-error", self.id));
        hint.chain(error).collect::<Vec<_>>().join(" ")
    }
}

/// The groups of a page.
pub fn groups(sheet: &Sheet<'_>, page: &PlanPage) -> Vec<GroupView> {
    let w = Words(sheet.language);
    let text = |text: &domain::text::Text| text.get(sheet.language).to_owned();
    page.groups
        .iter()
        .map(|group| GroupView {
            title: group.title.as_ref().map(text),
            repeat: group.repeat.as_ref().map(|repeat| RepeatView {
                key: repeat.key.clone(),
                id: id_of(&repeat.key),
                label: text(&repeat.label),
                can_add: repeat.can_add,
                can_remove: repeat.can_remove,
                error: repeat.error.as_ref().map(|kind| words::of_error(w, kind)),
            }),
            rows: group
                .rows
                .iter()
                .map(|row| RowView {
                    title: row.title.as_ref().map(text),
                    index: row.index,
                    fields: page
                        .fields
                        .get(row.fields.clone())
                        .unwrap_or_default()
                        .iter()
                        .map(|field| view(sheet, field))
                        .collect(),
                })
                .collect(),
        })
        .collect()
}

fn view(sheet: &Sheet<'_>, field: &PlanField) -> FieldView {
    FieldView {
        name: field.key.clone(),
        id: id_of(&field.key),
        label: field.label.get(sheet.language).to_owned(),
        optional: !field.required && !field.computed,
        hint: field.hint.as_ref().map(|hint| hint.get(sheet.language).to_owned()),
        error: field.error.as_ref().map(|kind| words::of_error(Words(sheet.language), kind)),
        input: input(sheet, field),
    }
}

fn input(sheet: &Sheet<'_>, field: &PlanField) -> Input {
    let w = Words(sheet.language);
    let text = || field.value.as_ref().map(plain).unwrap_or_default();
    let most = field.max_chars.unwrap_or(LINE_CHARS);
    let line = |kind, keys, most, example| Input::Line(Line { kind, keys, most, value: text(), example });
    if field.computed {
        return Input::Computed(words::of_answer(sheet.language, sheet.regions, field));
    }
    if !field.choices.is_empty() {
        return choices(sheet, field);
    }
    match field.widget {
        Widget::Text | Widget::Enum if most > LINE_CHARS => Input::Lines { value: text(), most },
        Widget::Text | Widget::Enum => line("text", "text", most, ""),
        Widget::Date => line(calendar_kind("date", &text()), "numeric", 10, "2026-01-31"),
        Widget::Month => line(calendar_kind("month", &text()), "numeric", 7, "2026-01"),
        Widget::Number => {
            let value = field.value.as_ref().map(|value| words::written(field, value)).unwrap_or_default();
            let keys = if field.decimals > 0 { "decimal" } else { "numeric" };
            Input::Line(Line { kind: "text", keys, most: 20, value, example: "" })
        }
        Widget::Phone => line("tel", "tel", 20, ""),
        Widget::BankCard => line("text", "numeric", 24, ""),
        Widget::Region => {
            Input::Region(levels(w, sheet.regions, &text(), sheet.filled.lists.get(&field.key)))
        }
        Widget::Address => address(sheet, field),
        Widget::Signature => signature(field.value.as_ref()),
        Widget::Photo | Widget::Attachment => files(w, field),
    }
}

/// A browser's own picker, unless what stands there is no day: then it could not be seen.
fn calendar_kind(kind: &'static str, value: &str) -> &'static str {
    let day = if kind == "month" { format!("{value}-01") } else { value.to_owned() };
    if value.is_empty() || day.parse::<domain::date::CivilDate>().is_ok() { kind } else { "text" }
}

/// A value as it can be typed; of another shape than text, its JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn choices(sheet: &Sheet<'_>, field: &PlanField) -> Input {
    let w = Words(sheet.language);
    let value = field.value.as_ref().map(plain).unwrap_or_default();
    let mut options: Vec<(String, String, bool)> = field
        .choices
        .iter()
        .map(|c| (c.value.clone(), c.label.get(sheet.language).to_owned(), c.value == value))
        .collect();
    // An answer that is no choice is shown, so that it can be told and changed.
    if !value.is_empty() && !options.iter().any(|(.., chosen)| *chosen) {
        options.push((value.clone(), value.clone(), true));
    }
    if options.len() <= MOST_RADIOS {
        if !field.required {
            options.push((String::new(), w.t("drawing.none").to_owned(), value.is_empty()));
        }
        return Input::Radios(options);
    }
    options.insert(0, (String::new(), w.t("drawing.choose").to_owned(), value.is_empty()));
    Input::List(options)
}

fn address(sheet: &Sheet<'_>, field: &PlanField) -> Input {
    let part = |name: &str| field.value.as_ref().and_then(|v| v.get(name)).and_then(Value::as_str);
    let open = sheet.filled.lists.get(&field.key);
    Input::Address {
        levels: levels(Words(sheet.language), sheet.regions, part("region").unwrap_or_default(), open),
        detail: part("detail").unwrap_or_default().to_owned(),
        most: field.max_chars.unwrap_or(LINE_CHARS),
        same: field.prefill.is_some(),
    }
}

fn signature(value: Option<&Value>) -> Input {
    let part = |name: &str| value.and_then(|v| v.get(name));
    let size = |name: &str| part(name).and_then(Value::as_i64).filter(|n| (1..=10_000).contains(n));
    let strokes = part("strokes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let point = |point: &Value| {
        let at = |n: usize| point.get(n).and_then(Value::as_i64);
        Some(format!("{},{}", at(0)?, at(1)?))
    };
    let stroke = |stroke: &Value| {
        let points = stroke.as_array().map_or(&[][..], Vec::as_slice);
        points.iter().take(MOST_POINTS).filter_map(point).collect::<Vec<_>>().join(" ")
    };
    Input::Signature {
        view_box: format!("0 0 {} {}", size("width").unwrap_or(400), size("height").unwrap_or(240)),
        strokes: strokes.iter().take(MOST_STROKES).map(stroke).collect(),
        json: value.map(Value::to_string).unwrap_or_default(),
    }
}

fn files(w: Words, field: &PlanField) -> Input {
    let value = field.value.as_ref();
    let list: Vec<&Value> = match value {
        Some(Value::Array(list)) => list.iter().collect(),
        other => other.into_iter().collect(),
    };
    let most = field.files.as_ref().map_or(1, |files| files.max);
    let kinds = field.files.as_ref().map(|files| files.kinds.join(" ")).unwrap_or_default();
    let accept = if kinds.is_empty() { "image/jpeg,image/png".to_owned() } else { kinds.replace(' ', ",") };
    let mib = field.files.as_ref().and_then(|files| files.max_bytes).map_or(0, |bytes| bytes >> 20);
    let named = kinds.split(' ').map(|kind| match kind {
        "image/jpeg" => "JPG",
        "image/png" => "PNG",
        "application/pdf" => "PDF",
        other => other,
    });
    let named = named.collect::<Vec<_>>().join(" / ");
    let limits = [("most", most.to_string()), ("mib", mib.max(1).to_string()), ("kinds", named)];
    let limits: Vec<(&str, &str)> = limits.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let line = |file: &&Value| {
        let bytes = file.get("bytes").and_then(Value::as_i64).unwrap_or(0);
        let kind = file.get("kind").and_then(Value::as_str).unwrap_or("SHA-256");
        format!("{kind} · {} KiB", bytes / 1024)
    };
    Input::Files {
        files: list.iter().map(line).collect(),
        room: (list.len() as u64) < most,
        limits: w.fill("drawing.file_limits", &limits),
        accept,
        count: list.len(),
        several: most > 1,
        json: value.map(Value::to_string).unwrap_or_default(),
    }
}
