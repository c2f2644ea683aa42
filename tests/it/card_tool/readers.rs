//! `card-tool list` and `read` against a real pcscd with the simulated reader in it.
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use hardware::card_file;
use hardware::samv::Command as Samv;
use serde_json::{Value, json};
use tests::binaries::{binary, repository};
use tests::pcscd::Pcscd;
use virtual_reader::order::{Fault, Order, Part};

use super::blocks::SAMPLES;
use super::{good, json, refused, run};

/// The number that the simulated module tells.
const SAM_ID: &str = "05.03-20160318-0000000001-0000000001";

/// Runs the program against this daemon.
pub(super) fn tool(pcscd: &Pcscd, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(binary("card-tool"));
    command.args(arguments);
    if let Some(socket) = pcscd.client_socket() {
        command.env("PCSCLITE_CSOCK_NAME", socket);
    }
    run(&mut command, &[])
}

pub(super) fn image(name: &str) -> Result<Vec<u8>> {
    let path = repository().join("assets/cards").join(name).with_extension("toml");
    Ok(card_file::load_image(&path).context("a sample card")?.to_vec())
}

#[test]
fn readers_are_listed_with_their_module_and_whether_a_card_lies_there() -> Result<()> {
    let pcscd = Pcscd::lock()?;
    let mut hand = pcscd.control()?;
    let list = |card: bool| -> Result<()> {
        let value = json(&tool(&pcscd, &["list", "--json"])?)?;
        let readers = value["readers"].as_array().context("a list")?;
        ensure!(readers.len() == 1, "{value}");
        ensure!(readers[0]["name"].as_str().is_some_and(|name| name.starts_with("Jinban")), "{value}");
        assert_eq!((&readers[0]["card"], &readers[0]["sam_id"]), (&json!(card), &json!(SAM_ID)));
        Ok(())
    };
    list(false)?;
    hand.insert(&image("courier")?)?;
    // The program that reads has waited until pcscd sees the card.
    json(&tool(&pcscd, &["read", "--json"])?)?;
    list(true)?;
    let line = good(&tool(&pcscd, &["list"])?)?;
    ensure!(line.lines().count() == 1 && line.contains("card") && line.contains(SAM_ID), "{line}");
    assert_eq!(
        json(&tool(&pcscd, &["list", "--json", "--reader", "another make"])?)?,
        json!({ "readers": [] })
    );
    ensure!(good(&tool(&pcscd, &["list", "--reader", "another make"])?)?.contains("no reader"));
    // A reader without a security module has no number.
    hand.switch(Part::Module, false)?;
    let value = json(&tool(&pcscd, &["list", "--json"])?)?;
    assert_eq!(value["readers"][0]["sam_id"], Value::Null);
    Ok(())
}

#[test]
fn a_card_of_every_kind_is_read_as_a_capture_of_it_is_decoded() -> Result<()> {
    let pcscd = Pcscd::lock()?;
    let mut hand = pcscd.control()?;
    for sample in &SAMPLES {
        for route in ["auto", "control", "image", "pass-through"] {
            hand.insert(&sample.image())?;
            let mut value =
                json(&tool(&pcscd, &["read", "--json", "--route", route])?).context(sample.kind)?;
            let fields = value.as_object_mut().context("an object")?;
            let by_image = route == "image";
            assert_eq!(fields.remove("sam_id"), Some(if by_image { Value::Null } else { json!(SAM_ID) }));
            assert_eq!(fields.remove("address_is_newest"), Some(json!(false)));
            let body_number = fields.remove("body_number");
            assert_eq!(body_number, (!by_image).then(|| json!("4A42000000000001")));
            let decoded = json(&super::card_tool(&["decode", "-", "--json"], &sample.image())?)?;
            assert_eq!(value, decoded, "{} by {route}", sample.kind);
        }
    }
    Ok(())
}

#[test]
fn the_newest_address_is_the_one_that_is_printed() -> Result<()> {
    let pcscd = Pcscd::lock()?;
    let mut hand = pcscd.control()?;
    let newest = format!("{:<35}", "样例省样例市新样例路9号");
    hand.order(&Order::NewestAddress(newest.encode_utf16().flat_map(u16::to_le_bytes).collect()))?;
    hand.insert(&image("courier")?)?;
    let value = json(&tool(&pcscd, &["read", "--json"])?)?;
    assert_eq!((&value["address"], &value["address_is_newest"]), (&json!(newest.trim_end()), &json!(true)));
    hand.insert(&image("courier")?)?;
    // A module that does not know the question reads all the same.
    hand.fault(Fault::Status(0x21, Some(Samv::ReadNewestAddress)), 100)?;
    let value = json(&tool(&pcscd, &["read", "--json"])?)?;
    assert_eq!(
        (&value["id_number"], &value["address_is_newest"]),
        (&json!("639900199005201035"), &json!(false))
    );
    Ok(())
}

#[test]
fn what_cannot_be_read_is_said() -> Result<()> {
    let mut pcscd = Pcscd::lock()?;
    let mut hand = pcscd.control()?;
    let said = refused(&tool(&pcscd, &["read", "--wait", "0"])?)?;
    ensure!(said.contains("no card was laid down"), "{said}");
    let said = refused(&tool(&pcscd, &["read", "--reader", "another make"])?)?;
    ensure!(said.contains("no reader"), "{said}");
    let mut damaged = image("courier")?;
    damaged[4 + 122 + 34] = b'0';
    hand.insert(&damaged)?;
    let said = refused(&tool(&pcscd, &["read"])?)?;
    ensure!(said.contains("damaged") && !said.contains("6399"), "{said}");
    hand.switch(Part::Module, false)?;
    let said = refused(&tool(&pcscd, &["read"])?)?;
    ensure!(said.contains("no security module"), "{said}");
    pcscd.kill()?;
    for task in ["list", "read"] {
        let said = refused(&tool(&pcscd, &[task])?)?;
        ensure!(said.contains("pcscd"), "{task}: {said}");
    }
    Ok(())
}
