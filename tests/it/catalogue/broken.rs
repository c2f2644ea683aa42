//! Broken catalogues: each mistake is refused with file, item and field, many at once, and nothing panics.
use domain::catalogue::{Catalogue, CatalogueError};
use domain::form::Form;
use domain::item::Item;
use serde_json::{Value, json};

use super::{Files, files, sample};

/// Loads the sample with one change; the errors.
fn errors_after(file: &str, change: impl FnOnce(&mut Value)) -> Vec<CatalogueError> {
    let mut files = files();
    let mut value: Value = serde_json::from_slice(&files[file]).expect("JSON");
    change(&mut value);
    files.insert(file.to_owned(), serde_json::to_vec(&value).expect("JSON"));
    Catalogue::load(&files).err().unwrap_or_default()
}

fn has(errors: &[CatalogueError], file: &str, item: &str, field: &str) -> bool {
    errors.iter().any(|e| e.file == file && e.item == item && e.field == field && !e.reason.is_empty())
}

const FLEX: &str = "items/hrss.flex-enroll.json";
const BABY: &str = "bundles/one.newborn.json";

type Change = fn(&mut Value);
/// File, item, field, and the change that makes them wrong.
type Row = (&'static str, &'static str, &'static str, Change);

const FLEX_CODE: &str = "hrss.flex-enroll";

const ITEM_MISTAKES: &[Row] = &[
    (FLEX, FLEX_CODE, "colour", |v| v["colour"] = json!("red")),
    (FLEX, FLEX_CODE, "guide.colour", |v| v["guide"]["colour"] = json!("red")),
    (FLEX, FLEX_CODE, "name", |v| drop_key(v, "name")),
    (FLEX, FLEX_CODE, "name.zh", |v| v["name"]["zh"] = json!("  ")),
    (FLEX, FLEX_CODE, "name", |v| v["name"]["zh"] = json!("x".repeat(500))),
    (FLEX, FLEX_CODE, "category", |v| v["category"] = json!("fun")),
    (FLEX, FLEX_CODE, "code", |v| v["code"] = json!("hrss.other")),
    (FLEX, FLEX_CODE, "code", |v| v["code"] = json!("NO CODE")),
    (FLEX, FLEX_CODE, "promised.tenths", |v| v["promised"]["tenths"] = json!(-1)),
    (FLEX, FLEX_CODE, "promised", |v| v["promised"]["tenths"] = json!(4_000_000)),
    (FLEX, FLEX_CODE, "days_source", |v| v["days_source"] = json!("rumour")),
    (FLEX, FLEX_CODE, "pinyin", |v| v["pinyin"] = json!("Líng huó")),
    (FLEX, FLEX_CODE, "pinyin_initials", |v| v["pinyin_initials"] = json!("zzz")),
    (FLEX, FLEX_CODE, "synonym_pinyin", |v| v["synonym_pinyin"] = json!(["zi ji"])),
    (FLEX, FLEX_CODE, "synonyms[0]", |v| v["synonyms"][0] = json!("失业登记")),
    (FLEX, FLEX_CODE, "neutral_title", |v| v["sensitive"] = json!(true)),
    (FLEX, FLEX_CODE, "audience", |v| v["audience"] = json!([])),
    (FLEX, FLEX_CODE, "guide.life_events[0]", |v| v["guide"]["life_events"] = json!(["party"])),
    (FLEX, FLEX_CODE, "guide.minutes", |v| v["guide"]["minutes"] = json!(0)),
    (FLEX, FLEX_CODE, "guide.how[1].zh", |v| v["guide"]["how"][1]["zh"] = json!("")),
    (FLEX, FLEX_CODE, "materials[0].source", |v| v["materials"][0]["source"] = json!("thin air")),
];

const FORM_MISTAKES: &[Row] = &[
    (FLEX, FLEX_CODE, "form.phone", |v| drop_key(&mut v["form"]["schema"]["properties"], "phone")),
    (FLEX, FLEX_CODE, "form.wish", |v| v["form"]["schema"]["properties"]["wish"] = json!({"type": "string"})),
    (FLEX, FLEX_CODE, "form.phone", |v| {
        v["form"]["schema"]["properties"]["phone"]["x-phone"] = json!("any kind")
    }),
    (FLEX, FLEX_CODE, "form.phone", |v| {
        v["form"]["schema"]["properties"]["phone"]["type"] = json!("integer")
    }),
    (FLEX, FLEX_CODE, "form.hukou_region", |v| {
        v["form"]["schema"]["properties"]["hukou_region"]["pattern"] = json!("([")
    }),
    (FLEX, FLEX_CODE, "form.base_level", |v| {
        v["form"]["schema"]["properties"]["base_level"]["enum"][0] = json!("61%")
    }),
    (FLEX, FLEX_CODE, "form.start_month", |v| {
        v["form"]["schema"]["properties"]["start_month"]["x-date"]["max"] = json!("soon")
    }),
    (FLEX, FLEX_CODE, "form.phone", |v| not_required(v, "phone")),
    (FLEX, FLEX_CODE, "form", |v| v["form"]["schema"]["$ref"] = json!("https://example.org/s.json")),
    (FLEX, FLEX_CODE, "form", |v| drop_key(&mut v["form"]["schema"], "additionalProperties")),
    (FLEX, FLEX_CODE, "form", |v| v["form"]["schema"] = json!(7)),
    (FLEX, FLEX_CODE, "form.pages[0].groups[0].fields[0].widget", |v| {
        v["form"]["pages"][0]["groups"][0]["fields"][0]["widget"] = json!("telepathy");
    }),
    (FLEX, FLEX_CODE, "form.phone", |v| {
        let rule = json!({"field": "nobody", "one_of": ["x"]});
        v["form"]["pages"][0]["groups"][0]["fields"][0]["show_if"] = rule;
        not_required(v, "phone");
    }),
];

const OTHER_MISTAKES: &[Row] = &[
    (BABY, "one.newborn", "members[0]", |v| v["members"][0] = json!("hrss.nothing")),
    (BABY, "one.newborn", "steps[0].depends", |v| v["steps"][0]["depends"] = json!(["s8"])),
    (BABY, "one.newborn", "steps[1].depends", |v| v["steps"][1]["depends"] = json!(["s99"])),
    (BABY, "one.newborn", "steps[2].id", |v| v["steps"][2]["id"] = json!("s1")),
    (BABY, "one.newborn", "lead_department", |v| v["lead_department"] = json!("海关")),
    ("catalogue.json", "-", "version", |v| v["version"] = json!(0)),
    ("catalogue.json", "-", "data_label", |v| v["data_label"] = json!("real")),
    ("catalogue.json", "-", "home_items[0]", |v| v["home_items"][0] = json!("hrss.gone")),
    ("catalogue.json", "-", "home_items[1]", |v| v["home_items"][1] = v["home_items"][0].clone()),
    ("stations.json", "XN-CCB-CD-01", "home_items[0]", |v| v[0]["home_items"] = json!(["hrss.gone"])),
    ("stations.json", "XN-CCB-CD-01", "home_items[1]", |v| {
        v[0]["home_items"] = json!(["psb.no-crime", "psb.no-crime"])
    }),
    ("stations.json", "XN-CCB-CD-01", "home_items", |v| v[0]["home_items"] = json!(vec!["psb.no-crime"; 17])),
    ("stations.json", "XN-CCB-CD-02", "number", |v| v[1]["number"] = json!(1)),
    ("stations.json", "XN-CCB-CD-01", "number", |v| v[0]["number"] = json!(900)),
    ("stations.json", "XN-CCB-CD-01", "division_code", |v| v[0]["division_code"] = json!("630122")),
    ("stations.json", "XN-CCB-CD-01", "weekday_hours", |v| v[0]["weekday_hours"] = json!("17:00-09:00")),
    ("stations.json", "XN-CCB-CD-01", "lon_e6", |v| v[0]["lon_e6"] = json!("east")),
    ("stations.json", "XN-CCB-CD-02", "id", |v| v[0]["id"] = json!("XN-CCB-CD-02")),
    ("calendar.json", "2026-10-10", "date", |v| {
        v["days"].as_array_mut().into_iter().for_each(|days| {
            let last = days.iter().find(|d| d["date"] == "2026-10-10").cloned();
            days.extend(last);
        })
    }),
    ("calendar.json", "2023-01-32", "date", |v| v["days"][0]["date"] = json!("2023-01-32")),
    ("calendar.json", "2023-01-02", "kind", |v| v["days"][1]["kind"] = json!("workday")),
    ("calendar.json", "-", "years.?", |v| v["years"] = json!({"soon": "published"})),
    ("calendar.json", "-", "years.2026", |v| v["years"]["2026"] = json!("rumoured")),
    ("life_events.json", "birth", "id", |v| v[1]["id"] = json!("birth")),
    ("phrases.json", "打流水", "shared.codes[0]", |v| {
        v["shared"]["打流水"]["codes"][0] = json!("hrss.gone")
    }),
    ("phrases.json", "办护照", "not_here.say.zh", |v| v["not_here"]["办护照"]["say"]["zh"] = json!("")),
    ("regions.json", "630102", "parent", |v| v["630102"]["parent"] = json!("630199")),
    ("regions.json", "630199", "parent", |v| v["630199"] = json!({"name": "x", "parent": "999900"})),
    ("regions.json", "63010", "-", |v| v["63010"] = json!({"name": "x", "parent": "630100"})),
];

#[test]
fn broken_catalogues_are_refused_with_file_item_and_field() {
    for (file, item, field, change) in ITEM_MISTAKES.iter().chain(FORM_MISTAKES).chain(OTHER_MISTAKES) {
        let errors = errors_after(file, change);
        assert!(has(&errors, file, item, field), "{file}: {item}: {field}: got {errors:#?}");
    }
}

fn not_required(item: &mut Value, key: &str) {
    item["form"]["schema"]["required"].as_array_mut().into_iter().for_each(|keys| keys.retain(|k| k != key));
}

fn drop_key(value: &mut Value, key: &str) {
    value.as_object_mut().into_iter().for_each(|map| {
        map.remove(key);
    });
}

#[test]
fn broken_files_are_errors_too() {
    type Change = fn(&mut Files);
    let table: &[(&str, Change)] = &[
        ("catalogue.json", |f| f.retain(|name, _| name != "catalogue.json")),
        (FLEX, |f| f.get_mut(FLEX).into_iter().for_each(|bytes| bytes.truncate(1_000))),
        (FLEX, |f| drop(f.insert(FLEX.into(), b"\xff\xfe\x00".to_vec()))),
        (FLEX, |f| drop(f.insert(FLEX.into(), "[".repeat(100_000).into_bytes()))),
        (FLEX, |f| drop(f.insert(FLEX.into(), vec![b' '; 5 << 20]))),
        (FLEX, |f| f.get_mut(FLEX).into_iter().for_each(|bytes| bytes.extend_from_slice(b"{}"))),
        ("items/notes.txt", |f| drop(f.insert("items/notes.txt".into(), Vec::new()))),
        ("items/../x.json", |f| drop(f.insert("items/../x.json".into(), b"{}".to_vec()))),
        ("stations.json", |f| drop(f.insert("stations.json".into(), b"{}".to_vec()))),
        ("-", |f| f.extend((0..13_000).map(|i| (format!("items/a.b{i}.json"), Vec::new())))),
    ];
    for (file, change) in table {
        let mut files = files();
        change(&mut files);
        let errors = Catalogue::load(&files).expect_err("broken");
        assert!(errors.iter().any(|e| e.file == *file), "{file}: {errors:#?}");
    }
    assert!(!Catalogue::load(&Files::new()).expect_err("nothing at all").is_empty());
}

#[test]
fn all_mistakes_are_told_at_once_and_documents_are_checked_alike() {
    let mut files = files();
    for file in [FLEX, BABY] {
        let mut value: Value = serde_json::from_slice(&files[file]).expect("JSON");
        value["short_name"]["zh"] = json!("");
        files.insert(file.to_owned(), serde_json::to_vec(&value).expect("JSON"));
    }
    let errors = Catalogue::load(&files).expect_err("two mistakes");
    assert!(has(&errors, FLEX, "hrss.flex-enroll", "short_name.zh"), "{errors:#?}");
    assert!(has(&errors, BABY, "one.newborn", "short_name.zh"), "{errors:#?}");

    let mut document: Value = serde_json::from_str(&sample().to_document().json).expect("JSON");
    document["items"][0]["guide"]["minutes"] = json!(0);
    document["items"][1]["category"] = json!("fun");
    let errors = Catalogue::from_document(&document.to_string()).expect_err("two mistakes");
    let items: Vec<&str> = errors.iter().map(|e| e.item.as_str()).collect();
    for at in [0, 1] {
        assert!(items.contains(&document["items"][at]["code"].as_str().expect("a code")), "{errors:#?}");
    }
    for bad in ["", "null", "{}", "[]", "{\"version\":1}", "\u{feff}{}"] {
        assert!(Catalogue::from_document(bad).is_err(), "{bad}");
    }
}

/// All JSON pointers of a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let escaped = |key: &String| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, v)| pointers(v, &format!("{at}/{}", escaped(key)), found))
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| pointers(v, &format!("{at}/{i}"), found))
        }
        _ => {}
    }
}

#[test]
fn no_value_anywhere_in_an_item_makes_it_panic() {
    let item: Value = serde_json::from_slice(&files()[FLEX]).expect("JSON");
    let mut places = Vec::new();
    pointers(&item, "", &mut places);
    let mut refused = 0;
    for place in &places {
        for value in [Value::Null, json!(-7.5), json!("x"), json!([{}]), json!({"x": []})] {
            let mut changed = item.clone();
            *changed.pointer_mut(place).expect("its own pointer") = value;
            let good =
                serde_json::from_value::<Item>(changed).is_ok_and(|item| Form::compile(&item.form).is_ok());
            refused += usize::from(!good);
        }
    }
    assert!(refused > places.len() * 2, "{refused} of {}", places.len() * 5);
}
