//! The terminal takes nothing now: what is true for the citizen, where else to go, and what staff must know.
use egui::{Ui, vec2};

use super::help::devices_ui;
use crate::command::Command;
use crate::model::Outage;
use crate::theme::radius;
use crate::widgets::{Action, Back, Cx, Footer, at, frame, icon, shape, text, upright};

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let stations = Action {
        label: cx.t("stations.button"),
        icon: "pin",
        command: Command::OpenStations(None),
        filled: true,
    };
    let known = !cx.model.catalogue.stations.is_empty();
    let footer = Footer { back: Back::None, action: known.then_some(stations), ..Footer::default() };
    frame(ui, cx, footer, |ui, cx, room| {
        let taller = if upright(room) { 1.4 } else { 1.0 };
        let height = cx.theme.pick(500.0, 600.0) * taller;
        let width = cx.theme.pick(1_320.0_f32, 1_600.0).min(room.width());
        let place = egui::Rect::from_center_size(room.center(), vec2(width, height));
        shape::large_card(ui, cx, place);
        let inner = place.shrink(cx.theme.pick(64.0, 56.0));
        let side = 112.0;
        icon(ui, cx, at(inner.left(), inner.top(), side, side), "warn", cx.theme.colors.warn);
        let left = inner.left() + side + 40.0;
        let width = inner.right() - left;
        let line = cx.h1().style.line;
        text(ui, cx, at(left, inner.top() + 8.0, width, line * 2.0), cx.t("out_of_service.title"), cx.h1());
        let mut top = inner.top() + line + cx.theme.pick(40.0, 32.0);
        for key in ["out_of_service.safe", "out_of_service.elsewhere"] {
            let body = if cx.elder() { cx.body() } else { cx.body().sized(30.0, 46.0) };
            let filled = text(ui, cx, at(left, top, width, body.style.line * 2.0), cx.t(key), body);
            top = filled.bottom() + 12.0;
        }
        let reason = cx.model.outage.map_or("", |outage| cx.t(reason_key(outage)));
        let words = cx.tf("out_of_service.staff", &[("reason", reason)]);
        let note = at(left, top + 20.0, width, inner.bottom() - top - 20.0);
        shape::well(ui, cx, note, radius::BUTTON, cx.theme.colors.warn50);
        text(ui, cx, note.shrink2(vec2(24.0, 12.0)), &words, cx.body().color(cx.theme.colors.warn).middle());
        let side = cx.theme.metrics.target;
        devices_ui(ui, cx, at(place.left(), place.bottom() + 16.0, place.width(), side));
    });
}

fn reason_key(outage: Outage) -> &'static str {
    match outage {
        Outage::NotEnrolled => "out_of_service.not_enrolled",
        Outage::StoreCorrupt => "out_of_service.store_corrupt",
        Outage::StoreNewer => "out_of_service.store_newer",
        Outage::KeyLost => "out_of_service.key_lost",
        Outage::StoreFull => "out_of_service.store_full",
        Outage::NoCatalogue => "out_of_service.no_catalogue",
    }
}
