//! Values of an item in words, for people who compare two contents.
use serde_json::Value;

use super::parts::{CERTAINTIES, Kind, SOURCES, UNITS, owner_of};
use super::typed::{tenths, yuan};
use super::view::W;

/// A value at a path of an item, such as `promised.tenths`, as people say it; as JSON if they have no word for it.
pub(in crate::pages) fn value_words(path: &str, value: &Value) -> String {
    let choice = |group: &str, value: &str| W.of("choice", &format!("{group}.{value}"));
    let last = path.rsplit(['.', ']']).next().unwrap_or_default();
    match (owner_of(path).map(|(_, field)| field.kind), value) {
        (_, Value::Null) => String::new(),
        (Some(Kind::Choice(group, values)), Value::String(name)) if values.contains(&name.as_str()) => {
            choice(group, name)
        }
        (Some(Kind::Materials), Value::String(name))
            if last == "source" && SOURCES.contains(&name.as_str()) =>
        {
            choice("source", name)
        }
        (Some(Kind::Basis), Value::String(name))
            if last == "certainty" && CERTAINTIES.contains(&name.as_str()) =>
        {
            choice("certainty", name)
        }
        (Some(Kind::Period), Value::String(name)) if UNITS.contains(&name.as_str()) => choice("unit", name),
        (Some(Kind::Period), Value::Number(n)) => n.as_u64().map_or_else(|| n.to_string(), tenths),
        (Some(Kind::Yuan), Value::Number(n)) => n.as_i64().map_or_else(|| n.to_string(), yuan),
        (Some(Kind::Set(group, known)), Value::Array(values)) => {
            let names = values.iter().filter_map(Value::as_str).filter(|name| known.contains(name));
            names.map(|name| choice(group, name)).collect::<Vec<_>>().join(W.t("edit.and"))
        }
        (_, Value::Bool(yes)) => W.t(if *yes { "edit.yes" } else { "edit.no" }).to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Array(texts)) if texts.iter().all(Value::is_string) => {
            texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(W.t("edit.and"))
        }
        (_, other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_read_words_and_no_names_of_the_program() {
        for (path, value, wanted) in [
            ("promised.tenths", json!(45), "4.5"),
            ("promised.unit", json!("working_day"), "个工作日"),
            ("guide.fee_fen", json!(1250), "12.50"),
            ("offline_mode", json!("queue"), "可离线收件"),
            ("materials[0].source", json!("card"), "读卡"),
            ("legal_basis[1].certainty", json!("sample"), "示例"),
            ("audience", json!(["person", "legal_person"]), "个人、法人"),
            ("synonyms", json!(["甲", "乙"]), "甲、乙"),
            ("needs_staff", json!(true), "是"),
            ("name.zh", json!("queue"), "queue"),
            ("form.pages", json!([{ "a": 1 }]), "[{\"a\":1}]"),
            ("guide.fee_note", json!(null), ""),
        ] {
            assert_eq!(value_words(path, &value), wanted, "{path}");
        }
    }
}
