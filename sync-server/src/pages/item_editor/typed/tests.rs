//! Items of the sample through the inputs of a page, and what people may type.
use domain::item::Item;

use super::super::parts::{PARTS, part_named};
use super::*;
use crate::startup::load_catalogue;

fn sample() -> Vec<Item> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/catalogue");
    load_catalogue(&folder).expect("the sample").items.into_values().collect()
}

fn json_of(item: &Item) -> Value {
    serde_json::to_value(item).expect("JSON")
}

#[test]
fn every_part_of_every_item_goes_through_the_inputs_unchanged() {
    for item in sample() {
        let before = json_of(&item);
        let mut after = before.clone();
        for part in &PARTS {
            let mistakes = gather(part, &spread(part, &before), &mut after);
            assert_eq!(mistakes, [], "{} {}", item.code, part.name);
        }
        let after: Item = serde_json::from_value(after).expect("an item");
        let sets = |item: &Item| {
            let mut item = json_of(item);
            for path in ["audience", "accepted_cards", "guide.life_events"] {
                let mut set = value_at(&item, path).as_array().cloned().unwrap_or_default();
                set.sort_by_key(ToString::to_string);
                put(&mut item, path, Some(set.into()));
            }
            item
        };
        assert_eq!(sets(&after), sets(&item), "{}", item.code);
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let item = json_of(&sample()[0]);
    let mut content = item.clone();
    let part = part_named("basics");
    let mut typed = spread(part, &item);
    typed.insert("name.zh".into(), String::new());
    typed.insert("short_name.zh".into(), "长".repeat(10_000));
    typed.insert("theme".into(), "a\u{202e}b".into());
    typed.insert("department".into(), "\u{7}".into());
    typed.insert("category".into(), "nonsense".into());
    typed.retain(|name, _| !name.starts_with("audience."));
    let paths: Vec<_> = gather(part, &typed, &mut content).iter().map(|m| m.path).collect();
    let wanted = ["name", "short_name", "department", "theme", "category", "audience"];
    assert_eq!(paths, wanted);
}

#[test]
fn a_mistake_in_json_is_told_with_its_line() {
    let item = json_of(&sample()[0]);
    let part = part_named("form");
    for (text, wanted) in [
        ("{\n  \"schema\": {},\n  \"pages\": [,]\n}", "第 3 行"),
        ("{\n  \"schema\": {},\n  \"pages\": [],\n  \"odd\": 1\n}", "第 4 行"),
        ("", "第 1 行"),
    ] {
        let mut content = item.clone();
        let typed = Typed::from([("form".to_owned(), text.to_owned())]);
        let mistakes = gather(part, &typed, &mut content);
        assert!(mistakes.len() == 1 && mistakes[0].text.contains(wanted), "{text}: {mistakes:?}");
    }
}

#[test]
fn rows_are_added_taken_away_and_moved() {
    let part = part_named("search");
    let words = |typed: &Typed| -> Vec<String> {
        (0..row_count(typed, "synonyms")).map(|at| typed[&format!("synonyms.{at}.text")].clone()).collect()
    };
    let mut typed =
        Typed::from([("synonyms.rows".to_owned(), "2".to_owned()), ("pinyin".to_owned(), "a".to_owned())]);
    typed.insert("synonyms.0.text".into(), "甲".into());
    typed.insert("synonyms.1.text".into(), "乙".into());
    for (button, wanted) in [
        ("down:synonyms:0", vec!["乙", "甲"]),
        ("add:synonyms", vec!["乙", "甲", ""]),
        ("up:synonyms:2", vec!["乙", "", "甲"]),
        ("remove:synonyms:0", vec!["", "甲"]),
    ] {
        assert!(rearrange(part, &mut typed, button), "{button}");
        assert_eq!(words(&typed), wanted, "{button}");
    }
    let odd = [
        "save",
        "",
        "up:synonyms:0",
        "up:synonyms:9",
        "remove:pinyin:0",
        "add:materials",
        "add:synonyms:x:y",
    ];
    for button in odd {
        assert!(!rearrange(part, &mut typed, button) || button == "add:synonyms:x:y", "{button}");
    }
    assert_eq!(typed["pinyin"], "a");
    typed.insert("synonyms.rows".into(), "99999999".into());
    assert_eq!(row_count(&typed, "synonyms"), super::super::parts::MOST_ROWS);
}

#[test]
fn amounts_are_exact() {
    for (text, digits, wanted) in [
        ("12.5", 2, Some(1250)),
        ("0", 2, Some(0)),
        ("0.05", 2, Some(5)),
        ("0.5", 1, Some(5)),
        ("5", 1, Some(50)),
        ("0.55", 1, None),
        ("-1", 2, None),
        ("1e3", 2, None),
        ("", 2, None),
        ("9999999999", 2, None),
    ] {
        assert_eq!(decimal(text, digits), wanted, "{text}");
    }
    assert_eq!((yuan(1250), yuan(5), yuan(300)), ("12.50".into(), "0.05".into(), "3".into()));
    assert_eq!((tenths(5), tenths(50)), ("0.5".into(), "5".into()));
}
