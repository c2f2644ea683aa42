//! Tables for the departments: what was not touched stays, what was edited comes back, and a spreadsheet runs nothing.
use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Desk, lines};

/// A table as rows of cells; the first row has the headings.
pub(super) type Rows = Vec<Vec<String>>;

/// Reads, changes and writes a table of the desk.
pub(super) fn edit(desk: &Desk, name: &str, change: impl FnOnce(&mut Rows)) -> Result<()> {
    let bytes = desk.read(name)?;
    let text = std::str::from_utf8(&bytes)?.strip_prefix('\u{feff}').context("the mark of UTF-8")?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut rows: Rows = Vec::new();
    for record in reader.records() {
        rows.push(record?.iter().map(str::to_owned).collect());
    }
    change(&mut rows);
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    rows.iter().try_for_each(|row| writer.write_record(row))?;
    desk.write(name, &writer.into_inner()?)
}

/// The cell of a column in the row that these names begin.
pub(super) fn cell<'a>(rows: &'a mut Rows, names: &[&str], column: &str) -> &'a mut String {
    let at = rows[0]
        .iter()
        .position(|heading| heading.split(' ').next_back() == Some(column))
        .expect("the column");
    let row =
        rows.iter_mut().find(|row| row.iter().zip(names).all(|(cell, name)| cell == name)).expect("the row");
    &mut row[at]
}

fn item(desk: &Desk, folder: &str, code: &str) -> Result<Value> {
    Ok(serde_json::from_slice(&desk.read(&format!("{folder}/items/{code}.json"))?)?)
}

#[test]
fn a_table_that_was_only_opened_and_saved_changes_nothing() -> Result<()> {
    let desk = Desk::new()?;
    desk.does("catalogue export c --csv --to t")?;
    let bytes = desk.read("t/items.csv")?;
    assert!(bytes.starts_with("\u{feff}事项编码 code,".as_bytes()));
    assert!(String::from_utf8(bytes)?.lines().count() > 96);
    for name in ["t/items.csv", "t/fields.csv"] {
        edit(&desk, name, |_| {})?;
    }
    let said = desk.does("catalogue import t --base c --to new")?;
    assert!(
        said.contains("version 2 -> 2: 0 added, 0 removed, 0 changed in 0 fields, 0 new revisions\n"),
        "{said}"
    );
    assert!(
        said.contains(" rows, 0 files changed by them, 0 warnings; ") && said.ends_with("written to new\n"),
        "{said}"
    );
    assert_eq!(desk.files("new")?, desk.files("c")?);
    Ok(())
}

/// One more choice at the top, and a field that nobody has to fill in.
fn change_fields(rows: &mut Rows) {
    let field = ["psb.no-crime", "purpose"];
    for (column, line) in
        [("choices.value", "志愿服务"), ("choices.zh", "志愿服务"), ("choices.en", "Volunteering")]
    {
        let cell = cell(rows, &field, column);
        *cell = format!("{line}\n{cell}");
    }
    *cell(rows, &["psb.no-crime", "phone"], "required") = "false".to_owned();
    *cell(rows, &["psb.no-crime", "phone"], "hint.zh") = String::new();
    *cell(rows, &["psb.no-crime", "phone"], "hint.en") = String::new();
}

#[test]
fn what_departments_edit_comes_back_and_nothing_else() -> Result<()> {
    let desk = Desk::new()?;
    desk.does("migrate")?;
    desk.does("catalogue export version:2 --csv --to t")?;
    let code = ["psb.no-crime"];
    edit(&desk, "t/items.csv", |rows| {
        *cell(rows, &code, "name.zh") = "银行无犯罪记录证明".to_owned();
        *cell(rows, &code, "promised") = "0.5".to_owned();
        *cell(rows, &code, "needs_staff") = "FALSE".to_owned();
        *cell(rows, &code, "guide.fee_fen") = "1000".to_owned();
        *cell(rows, &code, "guide.fee_note.zh") = "'=HYPERLINK(\"http://x\")".to_owned();
        *cell(rows, &code, "guide.fee_note.en") = "'-5".to_owned();
        let synonyms = cell(rows, &code, "synonyms");
        *synonyms = format!("清白证明\r\n{synonyms}\r\n");
        cell(rows, &code, "materials.zh").push_str("\n单位介绍信");
        cell(rows, &code, "materials.en").push_str("\nLetter of the employer");
        cell(rows, &code, "materials.source").push_str("\nbring");
        let other = ["hrss.insured-cert"];
        *cell(rows, &other, "withdrawn.since") = "2027-01-01".to_owned();
        *cell(rows, &other, "withdrawn.reason.zh") = "改在网上办".to_owned();
        *cell(rows, &other, "withdrawn.reason.en") = "Online from now on".to_owned();
    })?;
    edit(&desk, "t/fields.csv", change_fields)?;
    let said = desk.does("catalogue import t --base c --after version:2 --to new")?;
    for wanted in [
        "promised.tenths: 10 -> 5",
        "needs_staff: true -> false",
        "psb.no-crime 无犯罪记录证明 (revision 2 -> 3)",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(said.contains("version 2 -> 3: 0 added, 0 removed, 2 changed in "), "{said}");
    let new = item(&desk, "new", "psb.no-crime")?;
    assert_eq!(new["pinyin"], "yin hang wu fan zui ji lu zheng ming", "made anew, with the folder's words");
    assert_eq!(new["pinyin_initials"], "yhwfzjlzm");
    assert_eq!(new["guide"]["fee_note"], json!({"zh": "=HYPERLINK(\"http://x\")", "en": "-5"}));
    assert_eq!(
        (&new["synonyms"][0], &new["synonym_pinyin"][0]),
        (&json!("清白证明"), &json!("qing bai zheng ming"))
    );
    assert_eq!(new["synonym_pinyin"][1], item(&desk, "c", "psb.no-crime")?["synonym_pinyin"][0]);
    assert_eq!(
        new["materials"][4],
        json!({"name": {"zh": "单位介绍信", "en": "Letter of the employer"}, "source": "bring"})
    );
    let properties = &new["form"]["schema"]["properties"];
    assert_eq!(properties["purpose"]["enum"][0], "志愿服务");
    assert_eq!(new["form"]["schema"]["required"], json!(["purpose", "receive_way", "sign"]));
    let phone = new.pointer("/form/pages/1/groups/0/fields/0").context("the field")?;
    assert_eq!((phone.get("hint"), phone.get("required")), (None, None));
    assert_eq!(item(&desk, "new", "hrss.insured-cert")?["withdrawn"]["since"], "2027-01-01");
    let (before, after) = (desk.files("c")?, desk.files("new")?);
    let changed: Vec<&String> =
        after.iter().filter(|(name, bytes)| before.get(*name) != Some(*bytes)).map(|(n, _)| n).collect();
    assert_eq!(changed, ["catalogue.json", "items/hrss.insured-cert.json", "items/psb.no-crime.json"]);
    assert_eq!(before.len(), after.len());
    // What was defused is so again, and a second way round changes nothing more.
    desk.does("catalogue export new --csv --to t2")?;
    let table = String::from_utf8(desk.read("t2/items.csv")?)?;
    assert!(table.contains("\"'=HYPERLINK(\"\"http://x\"\")\"") && table.contains(",'-5,"));
    let said = desk.does("catalogue import t2 --base new")?;
    assert!(said.contains(" 0 changed in 0 fields") && said.contains("nothing was written"), "{said}");
    Ok(())
}

#[test]
fn rows_and_columns_that_are_left_out_keep_what_is_there() -> Result<()> {
    let desk = Desk::new()?;
    desk.write("one.csv", "code,theme\npsb.no-crime,证明\n\nhrss.insured-cert,社保\n".as_bytes())?;
    let said = desk.does("catalogue import one.csv --base c --to new")?;
    assert!(said.contains("theme: \"户籍\" -> \"证明\"") && said.contains("1 changed in 1 fields"), "{said}");
    assert!(said.contains("note version and revisions are those of the base"), "{said}");
    assert!(said.contains("2 rows, 1 files changed by them"), "{said}");
    let answer: Value = serde_json::from_str(&desk.does("catalogue import one.csv --base c --json")?)?;
    assert_eq!((&answer["rows"], &answer["changed"]), (&json!(2), &json!(["items/psb.no-crime.json"])));
    Ok(())
}

#[test]
fn a_version_of_the_store_can_be_changed_by_tables_too() -> Result<()> {
    let desk = Desk::new()?;
    desk.does("migrate")?;
    desk.write("one.csv", "code,short_name.zh\npsb.no-crime,银行证明\n".as_bytes())?;
    desk.does("catalogue import one.csv --base version:newest --after version:newest --to new")?;
    // The words with other readings came from the assets.
    assert_eq!(item(&desk, "new", "psb.no-crime")?["short_pinyin"], "yin hang zheng ming");
    let said = desk.does("catalogue check new")?;
    assert!(said.contains("version 3: 95 items") && lines(&said, "error").is_empty(), "{said}");
    Ok(())
}
