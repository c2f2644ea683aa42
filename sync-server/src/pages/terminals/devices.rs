//! The devices of a terminal, as its last heartbeat told.
use domain::wire::v1::{DeviceReport, DeviceTrouble};

use super::W;
use crate::pages::view::{self, Badge};
use crate::services::standing::Heard;

/// A row of the table.
pub(super) struct DeviceRow {
    pub(super) name: String,
    pub(super) badge: Badge,
    /// For how long it has been so.
    pub(super) span: String,
    /// What it did, and how often that failed.
    pub(super) work: String,
}

/// The rows; a terminal of an earlier version tells none.
pub(super) fn rows(heard: Option<&Heard>) -> Vec<DeviceRow> {
    heard.map(|heard| heard.devices.iter().map(row).collect()).unwrap_or_default()
}

fn row(device: &DeviceReport) -> DeviceRow {
    let (done, failed) = (device.done.to_string(), device.failed.to_string());
    let for_ms = i64::try_from(device.for_secs.saturating_mul(1_000)).unwrap_or(i64::MAX);
    DeviceRow {
        name: name(&device.device),
        badge: badge(device.trouble),
        span: view::span(W, for_ms),
        work: W.fill("terminals.device_work", &[("done", &done), ("failed", &failed)]),
    }
}

/// Its name; one that came later is called what it calls itself.
pub(super) fn name(device: &str) -> String {
    const KNOWN: [&str; 5] = ["card_reader", "receipt_printer", "page_printer", "scanner", "camera"];
    if KNOWN.contains(&device) { W.of("terminals_device", device) } else { device.to_owned() }
}

fn badge(trouble: Option<DeviceTrouble>) -> Badge {
    let (glyph, key) = match trouble {
        None => ("ok", "well"),
        Some(DeviceTrouble::PaperLow) => ("warn", "paper_low"),
        Some(DeviceTrouble::Unclaimed) => ("warn", "unclaimed"),
        Some(DeviceTrouble::OneLost) => ("warn", "one_lost"),
        Some(DeviceTrouble::NotFound) => ("bad", "not_found"),
        Some(DeviceTrouble::ServiceOff) => ("bad", "service_off"),
        Some(DeviceTrouble::Silent) => ("bad", "silent"),
        Some(DeviceTrouble::Busy) => ("bad", "busy"),
        Some(DeviceTrouble::CoverOpen) => ("bad", "cover_open"),
        Some(DeviceTrouble::Jammed) => ("bad", "jammed"),
        Some(DeviceTrouble::NoPaper) => ("bad", "no_paper"),
        Some(DeviceTrouble::Unsupported) => ("bad", "unsupported"),
        Some(DeviceTrouble::OutOfOrder) => ("bad", "out_of_order"),
        Some(DeviceTrouble::Other) => ("bad", "other"),
    };
    Badge { glyph, word: W.of("terminals_trouble", key) }
}
