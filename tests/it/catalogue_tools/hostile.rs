//! Tables that are broken, half, hostile or simply wrong: refused as a whole, told by row and column, nothing written.
use anyhow::Result;
use serde_json::{Value, json};

use super::tables::{cell, edit};
use super::{Desk, lines};

#[test]
fn a_bad_table_is_refused_with_row_and_column() -> Result<()> {
    let desk = Desk::new()?;
    let utf16: Vec<u8> = "code,theme\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let gbk: &[u8] = b"code,theme\npsb.no-crime,\xd6\xa4\xc3\xf7\n";
    let long = format!("code,theme\npsb.no-crime,{}\n", "长".repeat(10 << 20));
    let deep = format!("code,theme\n{}", "psb.no-crime,\"".repeat(1_000));
    let table: [(&str, &[u8], &str); 24] = [
        ("empty", b"", "row 0: -: is empty"),
        ("only a mark", b"\xef\xbb\xbf", "row 0: -: is empty"),
        ("UTF-16", &utf16, "row 1"),
        ("GBK", gbk, "row 2: -: is no UTF-8 text: save it as `CSV UTF-8`"),
        ("NUL", b"code,theme\npsb.no-crime,a\0b\n", "row 2: theme: holds the sign U+0000"),
        ("turned", "code,theme\npsb.no-crime,a\u{202e}b\n".as_bytes(), "row 2: theme: holds the sign U+202E"),
        ("formula", b"code,theme\npsb.no-crime,=1+1\n", "row 2: theme: begins with `=`"),
        ("program", b"code,theme\npsb.no-crime,@SUM(1)|cmd\n", "row 2: theme: begins with `@`"),
        ("full width", "code,theme\npsb.no-crime,＝1\n".as_bytes(), "row 2: theme: begins with"),
        ("long", long.as_bytes(), "row 2: theme: 10485760 characters; at most 250000"),
        (
            "cut off",
            b"code,theme\npsb.no-crime,\"half",
            "row 2: -: a quoted cell has no end: the file is cut off",
        ),
        ("half a row", b"code,theme\npsb.no-crime", "row 2: -: 1 cells, but 2 columns"),
        ("stray quote", b"code,theme\npsb.no-crime,a\"b\n", "row 2: -: a quote in the middle of a cell"),
        ("quotes", deep.as_bytes(), "row 2: -: "),
        ("no name", b"theme\na\n", "row 1: code: the column is missing"),
        ("unknown column", b"code,color\npsb.no-crime,a\n", "row 1: color: there is no such column"),
        ("unknown item", b"code,theme\nno.such,a\n", "row 2: code: there is no `no.such`"),
        ("way out", b"code,theme\n../catalogue,a\n", "row 2: code: there is no `../catalogue`"),
        ("twice", b"code,theme\npsb.no-crime,a\npsb.no-crime,b\n", "row 3: code: stands in row 2 already"),
        ("bundle", b"code,theme\none.utilities,a\n", "row 2: code: is a bundle"),
        ("two lines", b"code,theme\npsb.no-crime,\"a\nb\"\n", "row 2: theme: one line only"),
        (
            "no number",
            b"code,promised\npsb.no-crime,0.25\n",
            "row 2: promised: must be a number such as 5 or 0.5",
        ),
        ("no word", b"code,category\npsb.no-crime,sell\n", "row 2: category: unknown variant `sell`"),
        (
            "unknown field",
            b"code,key,label.zh\npsb.no-crime,age,a\n",
            "row 2: key: the form of `psb.no-crime` has no field `age`",
        ),
    ];
    for (name, bytes, wanted) in table {
        desk.write("t.csv", bytes)?;
        let said = desk.refuses("catalogue import t.csv --base c --to new")?;
        let told = format!("error t.csv: {wanted}");
        assert!(lines(&said, "error ").iter().any(|line| line.starts_with(&told)), "{name}: {told}: {said}");
        assert!(said.contains("nothing was changed"), "{name}: {said}");
        assert!(said.len() < 20_000 && !said.contains('\u{202e}') && !said.contains('\0'), "{name}");
    }
    desk.holds_only(&["c", "t.csv"])
}

#[test]
fn every_mistake_of_both_tables_is_told_at_once() -> Result<()> {
    let desk = Desk::new()?;
    desk.does("catalogue export c --csv --to t")?;
    edit(&desk, "t/items.csv", |rows| {
        *cell(rows, &["psb.no-crime"], "category") = "sell".to_owned();
        *cell(rows, &["psb.no-crime"], "guide.minutes") = "five".to_owned();
        *cell(rows, &["psb.no-crime"], "guide.who.en") = "a\nb\nc\nd".to_owned();
        *cell(rows, &["psb.id-loss"], "accepted_cards") = "idcard\nlibrary_card".to_owned();
        *cell(rows, &["psb.id-loss"], "sensitive") = "maybe".to_owned();
    })?;
    edit(&desk, "t/fields.csv", |rows| {
        *cell(rows, &["psb.no-crime", "phone"], "label.zh") = "长".repeat(10_000);
        *cell(rows, &["psb.no-crime", "phone"], "widget") = "text".to_owned();
        *cell(rows, &["psb.no-crime", "purpose"], "choices.en") = format!("{}x", "x\n".repeat(30));
    })?;
    let said = desk.refuses("catalogue import t --base c --to new")?;
    let errors = lines(&said, "error ");
    for wanted in [
        ": category: unknown variant `sell`",
        ": guide.minutes: must be a whole number",
        ": guide.who.en: line 3 has no line in `guide.who.zh`",
        ": accepted_cards: line 2: unknown variant `library_card`",
        ": sensitive: must be `true` or `false`",
        ": label.zh: 10000 characters; at most 200",
        ": widget: is shown for orientation",
        ": choices.en: line ",
    ] {
        assert!(errors.iter().any(|line| line.contains(wanted)), "{wanted}: {said}");
    }
    assert!(said.contains(&format!("{} mistakes; nothing was changed", errors.len())), "{said}");
    assert!(errors.len() == 8 && !desk.path().join("new").exists(), "{said}");
    Ok(())
}

#[test]
fn what_the_catalogue_refuses_is_told_by_the_row_it_comes_from() -> Result<()> {
    let desk = Desk::new()?;
    desk.does("catalogue export c --csv --to t")?;
    edit(&desk, "t/items.csv", |rows| {
        *cell(rows, &["psb.no-crime"], "promised") = "900".to_owned();
        *cell(rows, &["psb.id-loss"], "synonyms") = "无犯罪证明".to_owned();
        *cell(rows, &["psb.id-loss"], "guide.life_events") = "papers\nmoon".to_owned();
        *cell(rows, &["mca.dibao-cert"], "withdrawn.reason.zh") = "不办了".to_owned();
    })?;
    edit(&desk, "t/fields.csv", |rows| {
        *cell(rows, &["psb.no-crime", "phone"], "label.zh") = String::new();
        let values = cell(rows, &["hrss.insured-cert", "purpose"], "choices.value");
        *values = values.replace("其他", "别的");
    })?;
    let (code, said, _) = desk.says("catalogue import t --base c --to new --json")?;
    let answer: Value = serde_json::from_str(&said)?;
    let told: Vec<(String, u64, String)> = answer["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|e| {
            let text = |name: &str| e[name].as_str().unwrap_or_default().to_owned();
            (text("file"), e["row"].as_u64().unwrap_or(0), text("column"))
        })
        .collect();
    assert_eq!((code, &answer["others"]), (1, &json!([])), "{said}");
    for (file, column) in [
        ("items.csv", "promised"),
        ("items.csv", "synonyms"),
        ("items.csv", "guide.life_events"),
        ("items.csv", "withdrawn.since"),
        ("fields.csv", "-"),
    ] {
        assert!(told.iter().any(|(f, row, c)| f == file && c == column && *row > 1), "{column}: {told:?}");
    }
    assert!(!desk.path().join("new").exists());
    Ok(())
}

#[test]
fn what_is_no_table_or_has_a_bad_base_is_an_error() -> Result<()> {
    let desk = Desk::new()?;
    std::fs::create_dir(desk.path().join("empty"))?;
    assert!(
        desk.refuses("catalogue import empty --base c")?.contains("has neither items.csv nor fields.csv")
    );
    assert!(desk.refuses("catalogue import nowhere --base c")?.contains("nowhere"));
    assert_eq!(desk.says("catalogue import empty")?.0, 2);
    let file = std::fs::File::create(desk.path().join("huge.csv"))?;
    file.set_len(65 << 20)?;
    assert!(desk.refuses("catalogue import huge.csv --base c")?.contains("too large"));
    desk.write("one.csv", b"code,theme\npsb.no-crime,a\n")?;
    desk.write("c/stations.json", b"[")?;
    let said = desk.refuses("catalogue import one.csv --base c --to new")?;
    assert!(said.contains("stations.json") && !desk.path().join("new").exists(), "{said}");
    Ok(())
}
