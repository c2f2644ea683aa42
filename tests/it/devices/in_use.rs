//! A reader and a printer at ports that another program has: told as in use while the terminal runs, and not as missing.
use std::path::Path;
use std::process::Command as Process;

use anyhow::{Context as _, Result, ensure};
use hardware::card_reader::ReaderStatus;
use hardware::device::{DeviceKind, DeviceState, Trouble};
use hardware::printer::{ReceiptPlace, ReceiptPort};
use hardware::transport::serial::{BAUD_RATE, Serial};
use operator::settings::Setting as _;
use serde_json::Value;
use terminal::config::{Config, ReaderChoice, ReceiptPrinterChoice};
use terminal::store::Store;
use tests::binaries::binary;
use tests::centre::Centre;
use tests::device::now_ms;
use tests::printers::SerialSimulator;
use tests::visit::{self, PATIENCE};
use virtual_reader::serial::SerialReader;

/// A server that nobody runs.
const NOBODY: &str = "http://127.0.0.1:9";

/// What a doctor finds of these subjects.
fn doctor(data: &Path, flags: [&str; 4], subjects: [&str; 2]) -> Result<[String; 2]> {
    let output = Process::new(binary("terminal"))
        .args(["doctor", "--json", "--server", NOBODY, "--data"])
        .arg(data)
        .args(flags)
        .output()?;
    let all: Value = serde_json::from_slice(&output.stdout)?;
    let rows = all.as_array().or_else(|| all["findings"].as_array()).context("a list")?;
    Ok(subjects.map(|subject| {
        let row = rows.iter().find(|row| row["subject"] == subject);
        row.and_then(|row| row["found"].as_str()).unwrap_or_default().to_owned()
    }))
}

#[test]
fn what_another_program_has_is_in_use_and_not_missing_and_serves_once_it_is_let_go() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (reader, printer) = (SerialReader::plug_in(None)?, SerialSimulator::start()?);
    let readers = folder.path().join("readers.toml");
    std::fs::write(&readers, format!("[[reader]]\nport = \"{}\"\n", reader.port().display()))?;
    let place = ReceiptPlace::read(&printer.place).context("a place")?;
    let ReceiptPort::Serial(port, _) = &place.port else { anyhow::bail!("{place:?}") };
    let open = |port: &Path| anyhow::Ok(Serial::open(port.to_str().context("a path")?, BAUD_RATE)?);
    let others = [open(reader.port())?, open(port)?];

    Store::open(folder.path(), now_ms())?.save_enrolment(&Centre::default().enrolment()?)?;
    let config = Config {
        reader: ReaderChoice::Pcsc,
        readers: Some(readers.clone()),
        receipt_printer: ReceiptPrinterChoice::read(&printer.place).context("a printer")?,
        ..visit::config(folder.path(), NOBODY)
    };
    let mut terminal = visit::start(&config);
    for kind in [DeviceKind::CardReader, DeviceKind::ReceiptPrinter] {
        let busy = DeviceState::Trouble(Trouble::Busy);
        let told = terminal.wait_until(PATIENCE, |m| m.device(kind) == busy);
        ensure!(told, "{kind:?}: {:?}", terminal.model().device(kind));
    }
    ensure!(terminal.model().reader == ReaderStatus::Busy, "{:?}", terminal.model().reader);

    let flags = ["--readers", readers.to_str().context("a path")?, "--receipt-printer", &printer.place];
    let said = doctor(folder.path(), flags, ["reader_port", "receipt_printer"])?;
    let who = format!("(process {})", std::process::id());
    ensure!(said.iter().all(|said| said.contains("in use by") && said.contains(&who)), "{said:?}");

    drop(others);
    for kind in [DeviceKind::CardReader, DeviceKind::ReceiptPrinter] {
        let well = terminal.wait_until(PATIENCE, |m| m.device(kind) == DeviceState::Ready);
        ensure!(well, "{kind:?}: {:?}", terminal.model().device(kind));
    }
    Ok(())
}
