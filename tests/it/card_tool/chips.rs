//! `card-tool` with chip cards and status words: what it reads, prints and never asks.
use anyhow::{Context as _, Result, ensure};
use hardware::simulated_card::Sample;
use serde_json::{Value, json};
use tests::pcscd::Pcscd;
use virtual_reader::order::Order;
use virtual_reader::serial::SerialReader;
use virtual_reader::vpcd::VpcdCard;

use super::readers::{image, tool};
use super::{card_tool, good, json, refused};

/// What the sample says of its holder.
fn holder() -> Value {
    json!({
        "kind": "social_security", "name": "样小川", "nation": "01", "birth": "1990-05-20",
        "birthplace": "639900", "id_number": "639900199005201035", "card_number": "Y12345678",
        "card_code": "63990011111111111111111111111111", "area": "639900", "card_kind": "3", "version": "3.00",
        "valid_from": "2020-01-02", "valid_to": "2049-12-31", "sex": 1, "number_valid": true, "holder_locked": false
    })
}

#[test]
fn social_security_and_staff_cards_are_read_and_a_bank_card_is_not() -> Result<()> {
    let pcscd = Pcscd::lock()?;
    let mut hand = pcscd.control()?;
    hand.order(&Order::InsertChip(Sample::SocialSecurity))?;
    for route in ["auto", "contact"] {
        assert_eq!(json(&tool(&pcscd, &["read", "--json", "--route", route])?)?, holder(), "{route}");
    }
    hand.order(&Order::InsertChip(Sample::SocialSecurityLocked))?;
    let value = json(&tool(&pcscd, &["read", "--json"])?)?;
    assert_eq!((&value["holder_locked"], &value["id_number"]), (&json!(true), &Value::Null));
    hand.order(&Order::InsertChip(Sample::Staff))?;
    let value = json(&tool(&pcscd, &["read", "--json"])?)?;
    assert_eq!(value, json!({ "kind": "staff", "staff_number": "1007" }));
    hand.order(&Order::InsertChip(Sample::Bank))?;
    let said = refused(&tool(&pcscd, &["read"])?)?;
    ensure!(said.contains("not an identity card of a known kind"), "{said}");
    ensure!(hand.status()?.ends_with(" forbidden=0"), "{}", hand.status()?);
    Ok(())
}

#[test]
fn a_pure_chip_card_is_read_in_vpcd() -> Result<()> {
    let (pcscd, port) = Pcscd::lock_vpcd()?;
    let card = VpcdCard::insert(port, Sample::SocialSecurityByTag)?;
    let arguments = ["read", "--json", "--reader", "Virtual PCD 00 00", "--route", "contact"];
    assert_eq!(json(&tool(&pcscd, &arguments)?)?, holder());
    assert_eq!(card.forbidden(), 0);
    Ok(())
}

#[test]
fn the_readers_of_a_readers_file_are_used() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let serial = SerialReader::plug_in(None)?;
    serial.obey(Order::Insert(image("courier")?));
    let file = folder.path().join("readers.toml");
    std::fs::write(&file, format!("[[reader]]\nport = \"{}\"\n", serial.port().display()))?;
    let file = file.to_str().context("a path")?;
    let value = json(&card_tool(&["read", "--json", "--readers", file], &[])?)?;
    assert_eq!(
        (&value["id_number"], &value["body_number"]),
        (&json!("639900199005201035"), &json!("4A42000000000001"))
    );
    std::fs::write(file, "[[reader]]\nport = \"/dev/ttyS9\"\nspeed = 1\n")?;
    let said = refused(&card_tool(&["read", "--readers", file], &[])?)?;
    ensure!(said.contains("line 3") && said.contains("speed"), "{said}");
    let both = card_tool(&["read", "--readers", file, "--reader", "x"], &[])?;
    assert_eq!(both.status.code(), Some(2));
    Ok(())
}

#[test]
fn records_of_a_capture_are_decoded() -> Result<()> {
    let records = [
        &[0x01, 16, 0x63, 0x99, 0x00][..],
        &[0x11; 13],
        &[0x08, 18],
        b"639900199005201035",
        &[0x09, 6, 0xD1, 0xF9, 0xD0, 0xA1, 0xB4, 0xA8],
        &[0x0A, 1, b'1'],
    ]
    .concat();
    let value = json(&card_tool(&["decode", "--social-security", "--json", "-"], &records)?)?;
    assert_eq!(
        (&value["name"], &value["area"], &value["number_valid"]),
        (&json!("样小川"), &json!("639900"), &json!(true))
    );
    let bad: [(&[u8], &str); 4] = [
        (&[], "no record"),
        (&[0x08, 9, 1], "ends early"),
        (&[0x09, 1, 0xD1], "`name`"),
        (&[0xAA; 70_000], "longer"),
    ];
    for (bytes, wanted) in bad {
        let said = refused(&card_tool(&["decode", "--social-security", "-"], bytes)?)?;
        ensure!(said.contains(wanted), "{said}");
    }
    Ok(())
}

#[test]
fn every_status_word_is_explained() -> Result<()> {
    let table = [
        ("6982", "PIN"),
        ("9303", "locked for ever"),
        ("63c2", "2 tries left"),
        ("61FF", "255 more bytes"),
        ("80", "looked for again"),
        ("66", "out of order"),
        ("fe", "lay it down again"),
    ];
    for (word, wanted) in table {
        let line = good(&card_tool(&["status-word", word], &[])?)?;
        ensure!(line.contains(wanted), "{word}: {line}");
        let value = json(&card_tool(&["status-word", word, "--json"], &[])?)?;
        assert_eq!(value["status"], json!(word.to_uppercase()));
    }
    let all = json(&card_tool(&["status-word", "all", "--json"], &[])?)?;
    ensure!(all["status_words"].as_array().is_some_and(|words| words.len() > 60), "{all}");
    ensure!(good(&card_tool(&["status-word", "all"], &[])?)?.lines().count() > 60);
    for word in ["", "6", "698", "69822", "zz", "+982", "98 2"] {
        refused(&card_tool(&["status-word", word], &[])?).with_context(|| word.to_owned())?;
    }
    Ok(())
}
