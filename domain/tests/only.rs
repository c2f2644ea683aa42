//! Whatever the sample catalogue asks can be asked for once more, alone: each field, each repeat group, all together.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use domain::catalogue::Catalogue;
use domain::date::CivilDate;
use domain::form::{Answers, Facts, Form, Layout};
use domain::text::Text;
use serde_json::json;

fn catalogue() -> Catalogue {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/catalogue");
    let mut files = BTreeMap::new();
    for sub in ["", "items", "bundles"] {
        for entry in std::fs::read_dir(folder.join(sub)).expect("a folder").flatten() {
            let name = Path::new(sub).join(entry.file_name()).to_string_lossy().into_owned();
            if entry.path().is_file() && !name.ends_with(".md") {
                files.insert(name, std::fs::read(entry.path()).expect("a file"));
            }
        }
    }
    Catalogue::review(&files, Vec::new()).catalogue.expect("a catalogue")
}

fn title() -> Text {
    Text { zh: "补正".to_owned(), en: String::new() }
}

#[test]
fn each_field_and_each_repeat_group_can_be_asked_for_alone_and_all_together() {
    let catalogue = catalogue();
    let facts = Facts::on("2026-11-24".parse::<CivilDate>().expect("a day"));
    let codes = catalogue.items.keys().chain(catalogue.bundles.keys());
    let (mut alone, mut forms) = (0, 0);
    for code in codes {
        let spec = catalogue.entry(code).expect("an entry").form();
        let form = Form::compile(spec).expect("a form");
        let repeated: BTreeSet<&str> = spec
            .groups()
            .filter(|group| group.repeat.is_some())
            .flat_map(|group| group.fields.iter().map(|field| field.key.as_str()))
            .collect();
        let computed: BTreeSet<&str> =
            spec.fields().filter(|field| field.computed.is_some()).map(|field| field.key.as_str()).collect();
        let keys: Vec<&str> = spec.keys().filter(|key| !repeated.contains(key)).collect();
        let files = [("material_0".to_owned(), title())];
        for key in &keys {
            let only = form.only(&BTreeSet::from([*key]), &[], &title());
            let only = only.unwrap_or_else(|e| unreachable!("{code} {key}: {e}"));
            assert_eq!(only.is_none(), computed.contains(key), "{code} {key}");
            let Some(only) = only else { continue };
            let errors = only.validate_with(&Answers::default(), &facts);
            assert!(
                errors.iter().any(|error| error.key == *key),
                "{code} {key} must be answered: {errors:?}"
            );
            let plan = only.plan(&Answers::default(), &facts, Layout::Grouped);
            assert_eq!(plan.pages.len(), 1, "{code} {key}");
            alone += 1;
        }
        let all: BTreeSet<&str> = keys.iter().copied().collect();
        let only = form.only(&all, &files, &title()).unwrap_or_else(|e| unreachable!("{code}: {e}"));
        assert!(only.is_some_and(|only| only.spec().keys().any(|key| key == "material_0")), "{code}");
        forms += 1;
    }
    assert!(alone > 500 && forms > 100, "{alone} of {forms}");
}

#[test]
fn files_are_judged_and_cannot_take_the_place_of_a_field() {
    let catalogue = catalogue();
    let (_, item) = catalogue.items.first_key_value().expect("an item");
    let form = Form::compile(&item.form).expect("a form");
    let own = form.spec().keys().next().expect("a key").to_owned();
    assert!(form.only(&BTreeSet::new(), &[(own, title())], &title()).is_err());
    assert!(form.only(&BTreeSet::new(), &[], &title()).expect("a form").is_none(), "nothing is asked for");
    let files = [("material_2".to_owned(), title())];
    let only = form.only(&BTreeSet::new(), &files, &title()).expect("a form").expect("files");
    let facts = Facts::on("2026-11-24".parse::<CivilDate>().expect("a day"));
    let file = json!({"hash": "0".repeat(64), "bytes": 7, "kind": "image/png"});
    let wrong = |value| {
        let answers = json!({ "material_2": value }).as_object().cloned().unwrap_or_default();
        !only.validate_with(&Answers::from_map(answers), &facts).is_empty()
    };
    assert!(!wrong(json!([file])) && wrong(json!([])) && wrong(json!(7)));
    assert!(wrong(json!(vec![file.clone(); 11])), "too many");
    assert!(wrong(json!([{"hash": "x", "bytes": 7, "kind": "image/png"}])));
    assert!(wrong(json!([{"hash": "0".repeat(64), "bytes": 7, "kind": "text/html"}])));
}
