//! A headless terminal in a process of its own, which one person visits and asks for paper: to be killed in between.
//!
//! `print-visit DATA RECEIPT_PRINTER`. It says `asked` when the paper was asked for and its wish lies in the store; then
//! it stays until it is killed or its standard input ends.
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use operator::settings::Setting as _;
use terminal::command::Command;
use terminal::config::{Config, ReceiptPrinterChoice};
use tests::visit;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, printer] = arguments.as_slice() else { bail!("DATA RECEIPT_PRINTER") };
    let data = Path::new(data);
    let receipt_printer = ReceiptPrinterChoice::read(printer).context("a printer")?;
    let config = Config { receipt_printer, ..visit::config(data, "http://127.0.0.1:9") };
    let mut terminal = visit::start(&config);
    let slip = visit::whole(&mut terminal, data)?;
    terminal.command(Command::Print);
    visit::wait(&mut terminal, "the wish", |m| m.print_of(slip.envelope_id).is_some())?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", slip.envelope_id)?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
