//! `card-tool check`: numbers of all four kinds, and what is wrong with others.
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{card_tool, good, json, refused};

#[test]
fn good_numbers_are_told_by_kind() -> Result<()> {
    let table = [
        ("11010519491231002X", "resident"),
        ("11010519491231002x", "resident"),
        ("440524188001010014", "resident"),
        ("810000199408230021", "hong_kong_macao_taiwan"),
        ("830000199201300022", "hong_kong_macao_taiwan"),
        ("911398199012310021", "foreigner_2023"),
        ("KAZ110090123105", "foreigner_2017"),
    ];
    for (number, kind) in table {
        let line = good(&card_tool(&["check", number], &[])?).context(number)?;
        ensure!(line.contains(kind), "{number}: {line}");
        let typed = format!("{number}\nmore");
        for (argument, input) in [(number, ""), ("-", typed.as_str())] {
            let value =
                json(&card_tool(&["check", argument, "--json"], input.as_bytes())?).context(number)?;
            assert_eq!(value, json!({ "valid": true, "kind": kind }), "{number}");
        }
    }
    Ok(())
}

#[test]
fn wrong_numbers_are_told_what_is_wrong() -> Result<()> {
    let table = [
        ("", "not 0"),
        ("1101051949123100", "not 16"),
        ("110105491231002", "not 15"),
        ("110105194912310021", "check digit"),
        ("440524188001010015", "check digit"),
        ("810000199408230022", "check digit"),
        ("911398199012310022", "check digit"),
        ("KAZ110090123106", "check digit"),
        ("110105194902310021", "birthday"),
        ("110105299912310021", "birthday"),
        ("KAZ110090133105", "birthday"),
        ("1101051949123100ZX", "digits only"),
        ("KA1110090123105", "digits only"),
        ("１１０１０５１９４９１２３１００２Ｘ", "digits only"),
    ];
    for (number, wanted) in table {
        let said = refused(&card_tool(&["check", number], &[])?).context(number)?;
        ensure!(said.contains(wanted), "{number}: {said}");
        ensure!(number.is_empty() || !said.contains(number), "the number must not go to logs: {said}");
        let output = card_tool(&["check", number, "--json"], &[])?;
        let value: Value = serde_json::from_slice(&output.stdout)?;
        assert_eq!((output.status.code(), &value["valid"]), (Some(1), &json!(false)), "{number}");
        ensure!(value["error"].as_str().is_some_and(|error| error.contains(wanted)), "{number}: {value}");
    }
    refused(&card_tool(&["check", "-"], &[0xFF, 0xFE, b'\n'])?)?;
    refused(&card_tool(&["check", "-"], &[])?)?;
    Ok(())
}
