//! A part of a form, asked for once more: these fields and repeat groups alone, and files that are no field of it.
//!
//! What a rule of such a field says of other fields is left out: they are not here. Whoever takes the answers judges
//! them with the whole form afterwards.
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Form;
use super::error::FormError;
use super::files::{FILE_KINDS, HASH};
use super::spec::{FormSpec, UiField, UiGroup, UiPage, Widget};
use crate::text::Text;

/// Files of one thing that is asked for, at most.
const MOST_FILES: u64 = 10;
/// Bytes of one of them, at most: as large as a picture may be that is brought.
const MOST_BYTES: u64 = 12 << 20;

impl Form {
    /// The form of these fields and repeat groups on one page, each of which must be answered; behind them a list of files
    /// for each of `files` (key and label). Choices are those that are left of this form. What is worked out is not asked;
    /// nothing if nothing is left.
    ///
    /// # Errors
    /// [`FormError`] if a key of a file is one of the form's or no key at all.
    pub fn only(
        &self,
        asked: &BTreeSet<&str>,
        files: &[(String, Text)],
        title: &Text,
    ) -> Result<Option<Self>, FormError> {
        let mut spec = self.spec().clone();
        let groups = spec.pages.iter_mut().flat_map(|page| &mut page.groups);
        for (at, field) in groups.flat_map(|group| &mut group.fields).enumerate() {
            if field.widget == Widget::Enum {
                field.choices = self.choices(at).to_vec();
            }
        }
        let groups = std::mem::take(&mut spec.pages).into_iter().flat_map(|page| page.groups);
        let mut groups: Vec<UiGroup> = groups.filter_map(|group| left(group, asked)).collect();
        let mut schema = spec.schema.take();
        keep_properties(&mut schema, &groups);
        if !files.is_empty() {
            let fields = files.iter().map(|(key, label)| of_files(key, label)).collect();
            groups.push(UiGroup { title: None, show_if: None, repeat: None, fields });
        }
        if groups.is_empty() {
            return Ok(None);
        }
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            for (key, _) in files {
                if self.spec().keys().any(|own| own == key) {
                    return Err(FormError::new(key, "a file has the key of a field"));
                }
                properties.insert(key.clone(), list_of_files());
            }
        }
        let mut only =
            FormSpec { schema, pages: vec![UiPage { title: title.clone(), show_if: None, groups }] };
        only.align_schema();
        Self::compile(&only).map(Some)
    }
}

/// What is asked for of a group; nothing if nothing is.
fn left(mut group: UiGroup, asked: &BTreeSet<&str>) -> Option<UiGroup> {
    group.show_if = None;
    let rows = group.repeat.as_mut();
    let whole = rows.is_some();
    if let Some(rows) = rows {
        if !asked.contains(rows.key.as_str()) {
            return None;
        }
        rows.min = rows.min.max(1);
    }
    group.fields.retain(|field| field.computed.is_none() && (whole || asked.contains(field.key.as_str())));
    for field in &mut group.fields {
        // In a row a field that comes and goes may stay empty: its rule is not here.
        let always = field.show_if.is_none() && field.required_if.is_none();
        field.required = if whole { field.required && always } else { true };
        (field.show_if, field.required_if, field.default, field.prefill) = (None, None, None, None);
    }
    (!group.fields.is_empty()).then_some(group)
}

/// Keeps of the schema what the groups have.
fn keep_properties(schema: &mut Value, groups: &[UiGroup]) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let own = |group: &&UiGroup| group.repeat.is_none();
    let fields: Vec<&UiField> = groups.iter().filter(own).flat_map(|group| &group.fields).collect();
    let rows: BTreeSet<&str> =
        groups.iter().filter_map(|g| g.repeat.as_ref()).map(|rows| rows.key.as_str()).collect();
    properties.retain(|key, _| rows.contains(key.as_str()) || fields.iter().any(|field| field.key == *key));
    fields.iter().for_each(|field| align(properties, field));
    for group in groups {
        let Some(rows) = &group.repeat else { continue };
        let row = properties.get_mut(&rows.key);
        if let Some(list) = row.and_then(Value::as_object_mut) {
            list.insert("minItems".to_owned(), json!(rows.min));
            let row = list.get_mut("items").and_then(|row| row.get_mut("properties"));
            if let Some(row) = row.and_then(Value::as_object_mut) {
                row.retain(|key, _| group.fields.iter().any(|field| field.key == *key));
                group.fields.iter().for_each(|field| align(row, field));
            }
        }
    }
}

/// A property without what it says of other fields, and with the choices that are left.
fn align(properties: &mut Map<String, Value>, field: &UiField) {
    let Some(property) = properties.get_mut(&field.key).and_then(Value::as_object_mut) else { return };
    property.remove("x-differs-from");
    if let Some(dates) = property.get_mut("x-date").and_then(Value::as_object_mut) {
        dates.remove("notBefore");
        dates.remove("after");
    }
    if field.widget == Widget::Enum {
        let values: Vec<&str> = field.choices.iter().map(|choice| choice.value.as_str()).collect();
        property.insert("enum".to_owned(), json!(values));
    }
}

fn of_files(key: &str, label: &Text) -> UiField {
    UiField {
        key: key.to_owned(),
        widget: Widget::Attachment,
        label: label.clone(),
        question: None,
        hint: None,
        choices: Vec::new(),
        required: true,
        required_if: None,
        show_if: None,
        computed: None,
        default: None,
        mask: None,
        prefill: None,
    }
}

fn list_of_files() -> Value {
    let hash = json!({"type": "string", "pattern": HASH});
    let bytes = json!({"type": "integer", "minimum": 1, "maximum": MOST_BYTES});
    let kind = json!({"type": "string", "enum": FILE_KINDS});
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"hash": hash, "bytes": bytes, "kind": kind},
            "required": ["hash", "bytes", "kind"],
            "additionalProperties": false,
        },
        "minItems": 1,
        "maxItems": MOST_FILES,
    })
}
