//! Paper: a citizen gets a slip, or hears why not; nothing is printed twice by itself, and no fault ends a visit.
mod both;
mod kills;
mod pages;
mod receipts;
mod tools;
mod visits;

use std::path::Path;
use std::process::Command as Process;

use anyhow::{Context as _, Result, ensure};
use hardware::printer::ReceiptPlace;
use operator::settings::Setting as _;
use terminal::config::{Config, PagePrinterChoice, ReceiptPrinterChoice};
use terminal::store::Store;
use tests::centre::Centre;
use tests::device::now_ms;
use tests::printers::Dots;
use tests::visit;

/// A server that nobody runs.
const NOBODY: &str = "http://127.0.0.1:9";

/// An enrolled terminal without a link, with these printers.
fn enrolled(data: &Path, receipt: &str, page: &str) -> Result<Config> {
    Store::open(data, now_ms())?.save_enrolment(&Centre::default().enrolment()?)?;
    with_printers(visit::config(data, NOBODY), receipt, page)
}

fn with_printers(config: Config, receipt: &str, page: &str) -> Result<Config> {
    let receipt_printer = ReceiptPrinterChoice::read(receipt).context("a receipt printer")?;
    let page_printer = PagePrinterChoice::read(page).context("a page printer")?;
    Ok(Config { receipt_printer, page_printer, ..config })
}

fn place(text: &str) -> Result<ReceiptPlace> {
    ReceiptPlace::read(text).context("a place")
}

/// What the QR code of a strip says, read by another program from the dots.
fn code_of(dots: &Dots) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("strip.png");
    dots.save(&file)?;
    output(Process::new("zbarimg").args(["--quiet", "--raw"]).arg(&file))
}

/// What a program says, without the line end.
fn output(command: &mut Process) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}
