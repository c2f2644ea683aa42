//! `terminal print-test`: a test page on each printer that the settings name. It says nothing of anybody.
use anyhow::Context as _;
use documents::DocumentError;
use hardware::printer::{PagePrinter, PrintError, Printed, ReceiptPrinter, Strip};
use operator::exit::Exit;
use operator::output::{print, print_json};
use serde_json::json;

use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::fonts::FontChoice;
use crate::paper::PaperMaker;
use crate::workers::printer::width;

/// What a printer made of it.
struct Tried {
    printer: &'static str,
    place: String,
    result: Result<Printed, PrintError>,
}

impl Tried {
    /// In words, one line.
    fn line(&self) -> String {
        let said = match self.result {
            Ok(None) => "printed".to_owned(),
            Ok(Some(warning)) => format!("printed; {warning}"),
            Err(error) => error.to_string(),
        };
        format!("{} {}: {said}\n", self.printer, self.place)
    }
}

/// Prints on each printer and says how it went; exit code 1 if one did not, or none is named.
///
/// # Errors
/// If the page cannot be drawn, or standard output cannot be written.
pub(crate) fn run(config: &Config, as_json: bool) -> anyhow::Result<Exit> {
    let maker = PaperMaker::load(&config.assets, FontChoice::System).context("words and fonts")?;
    let all = try_all(config, &maker).context("the test page")?;
    if as_json {
        let list: Vec<_> = all
            .iter()
            .map(|tried| {
                let trouble = match tried.result {
                    Ok(warning) => warning,
                    Err(error) => Some(error.trouble()),
                };
                json!({ "printer": tried.printer, "place": tried.place, "printed": tried.result.is_ok(),
                        "trouble": trouble })
            })
            .collect();
        print_json(&list).context("standard output")?;
    } else {
        let lines: String = all.iter().map(Tried::line).collect();
        print(if lines.is_empty() { "no printer is named in the settings\n" } else { &lines })
            .context("standard output")?;
    }
    let well = !all.is_empty() && all.iter().all(|tried| tried.result.is_ok());
    Ok(if well { Exit::Ok } else { Exit::Failure })
}

fn try_all(config: &Config, maker: &PaperMaker) -> Result<Vec<Tried>, DocumentError> {
    let paper = maker.test_page(SystemClock.now_ms());
    let mut all = Vec::new();
    if let Some(place) = &config.receipt_printer.0 {
        let dots = maker.dots(&paper, width(place.roll))?;
        let strip = Strip { bytes_per_row: dots.width() / 8, rows: dots.bytes() };
        let result = ReceiptPrinter::new(place.clone()).print(strip);
        all.push(Tried { printer: "receipt_printer", place: place.text(), result });
    }
    if let Some(place) = &config.page_printer.0 {
        let result = PagePrinter::new(place.clone()).print(&maker.page(&paper)?, "print-test");
        all.push(Tried { printer: "page_printer", place: place.text(), result });
    }
    Ok(all)
}
