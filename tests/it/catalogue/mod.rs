//! The sample catalogue in `assets/catalogue`: it loads, its forms work, its items are found; and broken
//! catalogues are refused with file, item and field. Only here are the sample's counts asserted.
mod broken;
pub mod limits;
mod search;
mod situations;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use domain::catalogue::{Catalogue, Entry};
use domain::date::CivilDate;
use domain::form::{Answers, Facts, FieldErrorKind, Form, Layout, Widget};
use domain::ids::ItemCode;
use serde_json::{Value, json};

pub type Files = BTreeMap<String, Vec<u8>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/catalogue")
}

/// All files, named relative to `assets/catalogue`.
pub fn files() -> Files {
    fn walk(folder: &Path, prefix: &str, files: &mut Files) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                walk(&entry.path(), &format!("{name}/"), files)?;
            } else {
                files.insert(name, std::fs::read(entry.path())?);
            }
        }
        Ok(())
    }
    let mut files = Files::new();
    walk(&root(), "", &mut files).expect("the catalogue's folder is readable");
    files
}

pub fn sample() -> Catalogue {
    Catalogue::load(&files()).unwrap_or_else(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        unreachable!("the sample catalogue has mistakes:\n{}", lines.join("\n"))
    })
}

pub fn entries(catalogue: &Catalogue) -> impl Iterator<Item = Entry<'_>> {
    catalogue.items.values().map(Entry::Item).chain(catalogue.bundles.values().map(Entry::Bundle))
}

fn code(text: &str) -> ItemCode {
    text.parse().expect("a code")
}

pub fn today() -> CivilDate {
    "2026-11-24".parse().expect("a date")
}

#[test]
fn nothing_looks_wrong_that_is_not_explained() {
    let mut files = files();
    let readings = sync_server::readings::fill(&files);
    assert_eq!(readings.changed.keys().collect::<Vec<_>>(), Vec::<&String>::new(), "a reading is missing");
    files.extend(readings.changed);
    let review = Catalogue::review(&files, readings.warnings);
    let lines: Vec<String> = review
        .errors
        .iter()
        .map(ToString::to_string)
        .chain(review.warnings.iter().map(ToString::to_string))
        .collect();
    assert!(review.is_clean(), "{}\n{}", lines.join("\n"), review.summary());
    assert_eq!(review.catalogue.map(|catalogue| catalogue.version), Some(tests::device::CATALOGUE));
}

#[test]
fn the_sample_has_what_its_source_has() {
    let catalogue = sample();
    assert_eq!((catalogue.items.len(), catalogue.bundles.len(), catalogue.stations.len()), (95, 21, 49));
    let keys: BTreeSet<&str> = entries(&catalogue)
        .flat_map(|e| &e.form().pages)
        .flat_map(|page| &page.groups)
        .flat_map(|group| &group.fields)
        .map(|field| field.key.as_str())
        .collect();
    assert_eq!(keys.len(), 113);
    assert_eq!(catalogue.calendar.days.len(), 143);
    assert_eq!(catalogue.life_events.len(), 17);
    assert_eq!(catalogue.data_label, "sample");
    assert!(catalogue.notice.zh.contains("示例目录"));
    assert_eq!(catalogue.home_items.len(), 8);
}

#[test]
fn regions_are_named_by_their_path_also_retired_ones() {
    let catalogue = sample();
    for (code, path) in [
        ("630102", "青海省 西宁市 城东区"),
        ("110101", "北京市 东城区"),
        ("630122", "青海省 西宁市 湟中县"),
        ("632121", "青海省 海东地区 平安县"),
        ("440524", "广东省 汕头市 潮阳县"),
        ("639900", "青海省 样例区（样例）"),
        ("990101", "990101"),
        ("", ""),
    ] {
        assert_eq!(catalogue.region_path(code), path);
    }
    assert!(!catalogue.regions["630122"].current && catalogue.regions["630106"].current);
}

#[test]
fn a_document_is_canonical_and_reads_back_to_the_same_catalogue() {
    let catalogue = sample();
    let document = catalogue.to_document();
    assert_eq!(document.version, catalogue.version);
    let again = Catalogue::from_document(&document.json).expect("its own document");
    assert_eq!(again, catalogue);
    assert_eq!(again.to_document(), document);
    assert!(document.json.len() < 2_000_000, "{} bytes", document.json.len());
}

#[test]
fn every_form_compiles_plans_in_both_layouts_and_takes_what_the_card_gives() {
    let catalogue = sample();
    let facts = Facts {
        card_address: Some("青海省样例市样例区样例路1号".to_owned()),
        id_number: Some("639900199005201035".to_owned()),
        ..Facts::on(today())
    };
    for entry in entries(&catalogue) {
        let form = Form::compile(entry.form()).expect("compiles");
        let mut answers = Answers::default();
        form.prefill(&mut answers, &facts);
        for layout in [Layout::Grouped, Layout::OneQuestion] {
            let plan = form.plan(&answers, &facts, layout);
            assert_eq!(plan.pages.is_empty(), entry.form().pages.is_empty(), "{}", entry.code());
            for page in &plan.pages {
                assert!(!page.title.zh.is_empty() && !page.title.en.is_empty(), "{}", entry.code());
                assert!((1..=4).contains(&page.fields.len()), "{}: {}", entry.code(), page.title.zh);
                let alone = page.fields.len() == 1;
                assert!(alone || layout == Layout::Grouped);
                assert!(
                    alone || page.fields.iter().all(|f| f.widget != Widget::Signature),
                    "{}",
                    entry.code()
                );
            }
        }
        let empty_errors = form.validate(&answers, today());
        assert!(
            empty_errors.iter().all(|e| e.kind == FieldErrorKind::Required),
            "{}: {empty_errors:?}",
            entry.code()
        );
    }
}

/// A good answer for a field, so that a whole form can be filled in by rule.
pub fn good_answer(field: &domain::form::UiField) -> Value {
    let text = |value: &str| Value::from(value);
    match field.widget {
        Widget::Enum => text(&field.choices[0].value),
        Widget::Phone => text("13000000013"),
        Widget::BankCard => text("6200000000000005"),
        Widget::Region if field.key == "to_region" => text("630102"),
        Widget::Region => text("639900"),
        Widget::Address => json!({"region": "639900", "detail": "样例路1号"}),
        Widget::Signature => {
            let stroke: Vec<Value> = (0..12).map(|i| json!([i * 10, i * 5, i * 16])).collect();
            json!({"strokes": [stroke], "width": 900, "height": 300})
        }
        Widget::Photo => text(&"a".repeat(64)),
        Widget::Attachment => json!(["b".repeat(64)]),
        Widget::Number if field.key == "year" => json!(2026),
        Widget::Number => json!(4),
        Widget::Month if field.key.starts_with("period") => text("2026-10"),
        Widget::Month => text("2026-12"),
        Widget::Date => text(if field.key == "end_date" || field.key == "appoint_date" {
            "2026-11-30"
        } else {
            "2026-11-20"
        }),
        Widget::Text => text(match field.key.as_str() {
            key if key.ends_with("_id") || key == "permit_no" => "639900195811020222",
            "uscc" => "91110000802100433B",
            "vin" => "1M8GDM9AXKP042788",
            "plate" => "青AD12345",
            "ticket_no" => "630100000000001",
            "licence_no" => "630100000001",
            "dis_cert_no" => "63990019581102022243",
            "qual_no" => "639900195811020222",
            "hpf_account" | "utility_no" => "6300000001",
            "skill_cert_no" => "S000000001",
            "case_fact" => "去年十月起在样例餐馆做工，三个月的工钱一直没有给。",
            _ => "样例文字样例",
        }),
    }
}

#[test]
fn every_form_can_be_filled_in_without_an_error() {
    let catalogue = sample();
    for entry in entries(&catalogue) {
        let form = Form::compile(entry.form()).expect("compiles");
        let mut answers = Answers::default();
        for field in entry.form().pages.iter().flat_map(|p| &p.groups).flat_map(|g| &g.fields) {
            answers.set(&field.key, good_answer(field));
            if matches!(entry.code().as_str(), "nhsa.reimb" | "one.x") && field.key == "end_date" {
                answers.set("end_date", Value::from("2026-11-22"));
            }
        }
        let errors = form.validate(&answers, today());
        assert!(errors.is_empty(), "{}: {errors:?}", entry.code());
        let server = Answers::from_map(form.effective(&answers, &Facts::on(today())).as_map().clone());
        assert!(form.validate(&server, today()).is_empty(), "{}", entry.code());
    }
}

#[test]
fn conditions_follow_the_answers() {
    let catalogue = sample();
    let cases = [
        ("psb.no-crime", "receive_way", "邮寄", "服务大厅自取", "mail_addr"),
        ("hrss.insured-cert", "purpose", "其他", "贷款", "purpose_text"),
        ("hrss.resident-pension-cancel", "stop_reason", "家人去世", "不再参加", "decease_id"),
    ];
    for (item, key, on, off, wanted) in cases {
        let form = Form::compile(catalogue.entry(&code(item)).expect("exists").form()).expect("compiles");
        for (value, required) in [(on, true), (off, false)] {
            let mut answers = Answers::default();
            answers.set(key, Value::from(value));
            let errors = form.validate(&answers, today());
            let missing = errors.iter().any(|e| e.key == wanted && e.kind == FieldErrorKind::Required);
            assert_eq!(missing, required, "{item}: {value}");
            let plan = form.plan(&answers, &Facts::default(), Layout::Grouped);
            let drawn = plan.pages.iter().flat_map(|p| &p.fields).any(|f| f.key == wanted && f.required);
            assert_eq!(drawn, required, "{item}: {value}");
        }
    }
}

#[test]
fn only_items_that_need_a_camera_or_scanner_say_so() {
    let catalogue = sample();
    let unsupported = |item: &str| {
        Form::compile(catalogue.entry(&code(item)).expect("exists").form()).expect("compiles").unsupported()
    };
    assert_eq!(unsupported("hrss.flex-enroll"), []);
    assert_eq!(unsupported("hrss.pension-qualification"), []);
    assert_eq!(unsupported("hrss.sscard-apply"), [Widget::Photo]);
    assert_eq!(unsupported("nhsa.reimb"), [Widget::Attachment]);
}
