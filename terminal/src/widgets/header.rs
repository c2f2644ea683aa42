//! The header of every page: mark, station, network, clock, and the switches for size, contrast and language.
//!
//! Refuses page-dependent content: a citizen finds the same things in the same places everywhere.
use domain::date::china_clock;
use domain::text::Language;
use egui::{Color32, Rect, Ui, pos2};

use super::badge::pill;
use super::bank_mark::bank_mark_ui;
use super::button::{Button, Kind, press};
use super::shape::{mark, rule};
use super::text::{text, width_of};
use super::{Cx, at};
use crate::command::Command;
use crate::model::{Network, TextSize};
use crate::theme::TypeRole;

/// Draws the header.
pub fn header_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect) {
    let colors = &cx.theme.colors;
    ui.painter().rect_filled(rect, 0, colors.surface);
    rule(ui, cx, rect.left(), rect.right(), rect.bottom() - 0.5);
    let right = switches_ui(ui, cx, rect);
    let right = clock_ui(ui, cx, rect, right);
    let (icon, key, fill, ink) = network_look(cx);
    let left = pill(ui, cx, pos2(right, rect.center().y), (icon, cx.t(key), fill, ink));
    station_ui(ui, cx, rect, left - 24.0);
}

/// The product's mark and name, and the bank's picture if it ends before `right`; gives the right end.
pub fn brand_ui(ui: &mut Ui, cx: &Cx<'_>, left_middle: egui::Pos2, side: f32, right: f32) -> f32 {
    mark(ui, at(left_middle.x, left_middle.y - side / 2.0, side, side));
    let size = side * 0.64;
    let mut letters = cx.letters(TypeRole::H2, cx.theme.colors.ink).sized(size, size * 1.4).middle();
    letters.style.spacing = 2.0;
    let left = left_middle.x + side + side * 0.28;
    let place = at(left, left_middle.y - side / 2.0, 400.0, side);
    let end = text(ui, cx, place, cx.t("header.name"), letters).right();
    bank_mark_ui(ui, cx, pos2(end, left_middle.y), side, right)
}

fn network_look(cx: &Cx<'_>) -> (&'static str, &'static str, Color32, Color32) {
    let colors = &cx.theme.colors;
    match cx.model.network {
        Network::Online => ("wifi", "header.online", colors.ok50, colors.ok),
        Network::Weak => ("wifi", "header.weak", colors.warn50, colors.warn),
        Network::Offline => ("wifioff", "header.offline", colors.warn50, colors.warn),
    }
}

/// Size, contrast and language, from the right; gives the left end.
fn switches_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect) -> f32 {
    let look = cx.model.look;
    let (language, to_language) = match look.language {
        Language::ZhCn => ("header.to_english", Language::En),
        Language::En => ("header.to_chinese", Language::ZhCn),
    };
    let contrast = if look.high_contrast { "header.to_usual_contrast" } else { "header.to_high_contrast" };
    let (size, to_size) = match look.size {
        TextSize::Normal => ("header.to_elder", TextSize::Elder),
        TextSize::Elder => ("header.to_normal", TextSize::Normal),
    };
    let switches = [
        (cx.t(language), "globe", Command::SetLanguage(to_language)),
        (cx.t(contrast), "display", Command::SetHighContrast(!look.high_contrast)),
        (cx.t(size), "glasses", Command::SetSize(to_size)),
    ];
    let pad = cx.theme.pick(16.0, 18.0);
    let target = cx.theme.metrics.target;
    // The last label ends at the page margin, its target reaches beyond.
    let mut right = rect.right() - cx.theme.metrics.margin + pad;
    for (label, icon, command) in switches {
        let look = Button::new(Kind::Header, label).icon(icon);
        let width = (look.inner_width(ui, cx) + 2.0 * pad + 2.0).max(target);
        press(ui, cx, at(right - width, rect.center().y - target / 2.0, width, target), &look, command);
        right -= width + cx.theme.pick(4.0, 4.0);
    }
    right
}

/// Hour and minute in the normal version; gives the left end.
fn clock_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, right: f32) -> f32 {
    if cx.elder() {
        return right - 12.0;
    }
    let (hour, minute) = china_clock(cx.model.now_ms);
    let clock = format!("{hour:02}:{minute:02}");
    let letters = cx.body().bold().middle();
    let width = width_of(ui, &clock, letters) + 1.0;
    let left = right - 12.0 - width;
    text(ui, cx, at(left, rect.top(), width, rect.height()), &clock, letters);
    left - 20.0
}

fn station_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, right: f32) {
    let left_middle = pos2(rect.left() + cx.theme.metrics.margin, rect.center().y);
    let end = brand_ui(ui, cx, left_middle, cx.theme.pick(56.0, 60.0), right);
    let line_x = end + 20.0;
    let Some(station) = &cx.model.station else { return };
    let place = Rect::from_min_max(pos2(line_x + 20.0, rect.top() + 10.0), pos2(right, rect.bottom() - 10.0));
    if place.width() <= 60.0 {
        return;
    }
    let half = cx.theme.pick(16.0, 22.0);
    let (top, bottom) = (rect.center().y - half, rect.center().y + half);
    ui.painter().vline(line_x, top..=bottom, egui::Stroke::new(2.0, cx.theme.colors.line));
    text(ui, cx, place, cx.say(&station.name), cx.small().middle().data());
}
