//! What the lines of the device check say: a tone, a state in a word, and one sentence of facts or of what to do.
use egui::Color32;
use hardware::device::{DeviceKind, DeviceState};

use crate::devices::DeviceView;
use crate::model::Network;
use crate::widgets::Cx;

/// A parked or waiting submission older than this is worth a look, milliseconds.
const LONG_WAIT_MS: i64 = 24 * 3_600_000;

/// How good it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Well,
    Warn,
    Bad,
    /// This terminal is not meant to have one.
    Off,
}

impl Tone {
    /// Ground, ink and icon.
    pub(super) fn look(self, cx: &Cx<'_>) -> (Color32, Color32, &'static str) {
        let colors = &cx.theme.colors;
        match self {
            Self::Well => (colors.ok50, colors.ok, "check"),
            Self::Warn => (colors.warn50, colors.warn, "warn"),
            Self::Bad => (colors.error50, colors.error, "warn"),
            Self::Off => (colors.brand50, colors.ink2, "info"),
        }
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) icon: &'static str,
    pub(super) name: String,
    pub(super) detail: String,
    pub(super) state: String,
    pub(super) tone: Tone,
}

/// All lines: devices first, then what else a terminal needs.
pub(super) fn of(cx: &Cx<'_>) -> Vec<Line> {
    let device = |kind: DeviceKind| match cx.model.devices.list.iter().find(|view| view.kind == kind) {
        Some(view) => device(cx, view),
        None => line(cx, (icon_of(kind), kind.name()), Tone::Off, cx.t("devices.none").to_owned()),
    };
    let mut lines: Vec<Line> = DeviceKind::ALL.into_iter().map(device).collect();
    lines.extend([network(cx), queue(cx), catalogue(cx)]);
    lines
}

fn icon_of(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::CardReader => "idcard",
        DeviceKind::ReceiptPrinter => "receipt",
        DeviceKind::PagePrinter => "printer",
        DeviceKind::Scanner => "scan",
        DeviceKind::Camera => "camera",
    }
}

fn line(cx: &Cx<'_>, (icon, name): (&'static str, &str), tone: Tone, detail: String) -> Line {
    let state = match tone {
        Tone::Well => cx.t("devices.state.well"),
        Tone::Warn => cx.t("devices.state.warn"),
        Tone::Bad => cx.t("devices.state.bad"),
        Tone::Off => cx.t("devices.state.off"),
    };
    Line { icon, name: cx.tf(&format!("devices.{name}"), &[]), detail, state: state.to_owned(), tone }
}

fn device(cx: &Cx<'_>, view: &DeviceView) -> Line {
    let (done, failed) = (view.counts.done.to_string(), view.counts.failed.to_string());
    let work = || cx.tf("devices.work", &[("done", &done), ("failed", &failed)]);
    let (tone, detail) = match view.state {
        DeviceState::Off => (Tone::Off, cx.t("devices.none").to_owned()),
        DeviceState::Unknown => (Tone::Off, cx.t("devices.unknown").to_owned()),
        DeviceState::Ready => (Tone::Well, work()),
        DeviceState::Working => (Tone::Well, cx.t("devices.working").to_owned()),
        DeviceState::Trouble(trouble) => {
            let tone = if trouble.still_works() { Tone::Warn } else { Tone::Bad };
            (tone, cx.tf(&format!("devices.trouble.{}", trouble.name()), &[]))
        }
    };
    line(cx, (icon_of(view.kind), view.kind.name()), tone, detail)
}

fn network(cx: &Cx<'_>) -> Line {
    let (tone, icon, key) = match cx.model.network {
        Network::Online => (Tone::Well, "wifi", "devices.online"),
        Network::Weak => (Tone::Warn, "wifi", "devices.weak"),
        Network::Offline => (Tone::Warn, "wifioff", "devices.offline"),
    };
    line(cx, (icon, "network"), tone, cx.t(key).to_owned())
}

fn queue(cx: &Cx<'_>) -> Line {
    let queue = &cx.model.queue;
    let waits_ms = queue.oldest_ms.map_or(0, |oldest_ms| cx.model.now_ms.saturating_sub(oldest_ms));
    let tone = if queue.parked > 0 || waits_ms > LONG_WAIT_MS { Tone::Warn } else { Tone::Well };
    let hours = (waits_ms.max(0) / 3_600_000).to_string();
    let (waiting, parked) = (queue.waiting.to_string(), queue.parked.to_string());
    let values = [("waiting", waiting.as_str()), ("parked", &parked), ("hours", &hours)];
    let key = if queue.waiting + queue.parked == 0 { "devices.queue_empty" } else { "devices.queue_holds" };
    line(cx, ("center", "queue"), tone, cx.tf(key, &values))
}

fn catalogue(cx: &Cx<'_>) -> Line {
    let catalogue = &cx.model.catalogue;
    let tone = match cx.model.old_catalogue_days() {
        _ if catalogue.items.is_empty() => Tone::Bad,
        Some(_) => Tone::Warn,
        None => Tone::Well,
    };
    let (version, items) = (catalogue.version.to_string(), catalogue.items.len().to_string());
    line(
        cx,
        ("grid", "catalogue"),
        tone,
        cx.tf("devices.catalogue_is", &[("version", &version), ("items", &items)]),
    )
}
