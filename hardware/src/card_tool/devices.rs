//! Readers behind the smart-card service, and the card on one of them.
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::cli::{ReadOptions, ReaderOptions, RouteChoice};
use super::{report, rows_of};
use crate::card_reader::{CardData, CardReader, ReaderEvent, ReaderStatus};
use crate::presence::fits;
use crate::readers_file;
use crate::security_module::SecurityModule;
use crate::trace::Trace;
use crate::transport::pcsc::{Service, Slot};
use crate::{PcscConfig, PcscReader, Route};

/// Prints the readers. No reader at all is an answer too.
///
/// # Errors
/// If the service does not run.
pub(super) fn list(options: &ReaderOptions, json: bool, out: &mut dyn Write) -> Result<()> {
    let mut service = Service::open().context("pcscd")?;
    let mut slots = service.wait(Duration::ZERO).context("the readers cannot be listed")?;
    if let Some(pattern) = &options.reader {
        slots.retain(|slot| fits(pattern, &slot.name));
    }
    let readers: Vec<Value> = slots
        .iter()
        .map(|slot| {
            let sam_id = sam_id(&service, slot, options.control_function);
            json!({ "name": slot.name, "card": slot.card, "sam_id": sam_id })
        })
        .collect();
    if json {
        return report::write(&[("readers", readers.into())], json, out);
    }
    if readers.is_empty() {
        writeln!(out, "no reader")?;
    }
    for (slot, reader) in slots.iter().zip(&readers) {
        let card = if slot.card { "card" } else { "empty" };
        writeln!(out, "{}\t{card}\t{}", slot.name, reader["sam_id"].as_str().unwrap_or("-"))?;
    }
    Ok(())
}

/// The number of the module behind a reader, if it answers to control commands.
fn sam_id(service: &Service, slot: &Slot, function: u32) -> Option<String> {
    let transport = service.open_control(&slot.name, function, &[]).ok()?;
    SecurityModule::new(transport).sam_id().ok().map(|id| id.to_string())
}

/// Waits for a card, reads it and prints its fields.
///
/// # Errors
/// If no card comes in time or it cannot be read.
pub(super) fn read(options: &ReadOptions, json: bool, out: &mut dyn Write) -> Result<()> {
    let mut reader = open(options)?;
    wait_for_card(reader.as_mut(), Duration::from_secs(options.wait))?;
    let card = reader.read().context("the card cannot be read")?;
    let mut rows = rows_of(&card);
    if matches!(card, CardData::IdCard(_)) {
        let sam_id = reader.sam_id().map_or(Value::Null, |id| id.to_string().into());
        rows.push(("sam_id", sam_id));
    }
    report::write(&rows, json, out)
}

/// The reader or readers that the options name.
fn open(options: &ReadOptions) -> Result<Box<dyn CardReader>> {
    if let Some(file) = &options.readers {
        let entries = readers_file::load(file).with_context(|| file.display().to_string())?;
        return Ok(readers_file::open(&entries, &Trace::default()));
    }
    let route = match options.route {
        RouteChoice::Auto => Route::Auto,
        RouteChoice::Control => Route::Control,
        RouteChoice::Image => Route::Image,
        RouteChoice::PassThrough => Route::PassThrough,
        RouteChoice::Contact => Route::Contact,
    };
    Ok(Box::new(PcscReader::new(PcscConfig {
        reader_pattern: options.reader.reader.clone(),
        route,
        control_function: options.reader.control_function,
        class: options.cla,
        instruction: options.ins,
        ..PcscConfig::default()
    })))
}

fn wait_for_card(reader: &mut dyn CardReader, max: Duration) -> Result<()> {
    let deadline = Instant::now() + max;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match reader.wait_event(left) {
            ReaderEvent::Status(ReaderStatus::Card) => return Ok(()),
            ReaderEvent::Status(ReaderStatus::ServiceOff) => {
                bail!("the smart-card service (pcscd) does not run")
            }
            ReaderEvent::Status(ReaderStatus::NoReader) => bail!("no reader is plugged in"),
            ReaderEvent::Status(ReaderStatus::Busy) => bail!("another program uses the reader"),
            ReaderEvent::Status(_) | ReaderEvent::Second => {}
            ReaderEvent::Nothing => bail!("no card was laid down within {} s", max.as_secs()),
        }
    }
}
