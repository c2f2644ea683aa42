//! The header of every page: mark, station, network, clock, and the switches for size, contrast and language.
//!
//! Refuses page-dependent content: a citizen finds the same things in the same places everywhere.
use domain::date::china_clock;
use domain::text::Language;
use egui::{Color32, Rect, Ui, pos2, vec2};

use super::badge::pill;
use super::bank_mark::bank_mark_ui;
use super::button::{Button, Kind, press};
use super::shape::{mark, rule};
use super::text::{Lettering, height_of, text, width_of};
use super::{Cx, at, margin, upright};
use crate::command::Command;
use crate::model::{Network, TextSize};
use crate::theme::TypeRole;

/// Height of the header: an upright page has a second line for place, network and clock.
pub fn height(cx: &Cx<'_>, page: Rect) -> f32 {
    let line = if upright(page) { cx.theme.pick(72.0, 88.0) } else { 0.0 };
    cx.theme.metrics.header + line
}

/// Draws the header.
pub fn header_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect) {
    let colors = &cx.theme.colors;
    ui.painter().rect_filled(rect, 0, colors.surface);
    rule(ui, cx, rect.left(), rect.right(), rect.bottom() - 0.5);
    let margin = margin(cx, ui.max_rect());
    let first = Rect::from_min_size(rect.min, vec2(rect.width(), cx.theme.metrics.header));
    let right = switches_ui(ui, cx, first, margin);
    let left = rect.left() + margin;
    let end = brand_ui(ui, cx, pos2(left, first.center().y), cx.theme.pick(56.0, 60.0), right);
    if upright(ui.max_rect()) {
        let second = Rect::from_min_max(pos2(left, first.bottom() - 12.0), pos2(rect.right(), rect.bottom()));
        let end = state_ui(ui, cx, second, rect.right() - margin);
        return station_ui(ui, cx, second.with_max_x(end - 24.0));
    }
    let right = state_ui(ui, cx, first, right);
    let line_x = end + 20.0;
    if cx.model.station.is_some() {
        let half = cx.theme.pick(16.0, 22.0);
        let (top, bottom) = (rect.center().y - half, rect.center().y + half);
        ui.painter().vline(line_x, top..=bottom, egui::Stroke::new(2.0, colors.line));
    }
    let place = Rect::from_min_max(pos2(line_x + 20.0, rect.top()), pos2(right - 24.0, rect.bottom()));
    station_ui(ui, cx, place);
}

/// Clock and network, whose right end is here; gives their left end.
fn state_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, right: f32) -> f32 {
    let right = clock_ui(ui, cx, rect, right);
    let (icon, key, fill, ink) = network_look(cx);
    pill(ui, cx, pos2(right, rect.center().y), (icon, cx.t(key), fill, ink))
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
fn switches_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, margin: f32) -> f32 {
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
    let mut right = rect.right() - margin + pad;
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

fn station_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect) {
    let Some(station) = &cx.model.station else { return };
    let place = rect.shrink2(vec2(0.0, 10.0));
    if place.width() > 60.0 {
        let name = cx.say(&station.name);
        match cx.model.old_catalogue_days() {
            Some(days) => old_catalogue_ui(ui, cx, place, (name, days)),
            None => {
                text(ui, cx, place, name, cx.small().middle().data());
            }
        }
    }
}

/// What must be said of an old catalogue, which goes on serving; above it the station, where there is room.
fn old_catalogue_ui(ui: &mut Ui, cx: &Cx<'_>, place: Rect, (name, days): (&str, i64)) {
    let days = days.to_string();
    let [long, short] =
        ["header.old_catalogue", "header.old_catalogue_short"].map(|key| cx.tf(key, &[("days", &days)]));
    let warn = cx.letters(TypeRole::SmallBold, cx.theme.colors.warn);
    let small = warn.sized(warn.style.size * 0.8, warn.style.line * 0.8);
    let ways = [(&long, warn), (&long, small), (&short, warn), (&short, small)];
    let high = |(words, letters): &(&String, Lettering)| height_of(ui, words, *letters, place.width());
    let fitting = ways.into_iter().find(|way| high(way) <= place.height());
    let (words, letters) = fitting.unwrap_or((&short, small));
    let height = high(&(words, letters)).min(place.height());
    let station = cx.small().data();
    let above = if height_of(ui, name, station, place.width()) <= place.height() - height {
        station.style.line
    } else {
        0.0
    };
    let top = place.center().y - (above + height) / 2.0;
    if above > 0.0 {
        text(ui, cx, at(place.left(), top, place.width(), above), name, station);
    }
    text(ui, cx, at(place.left(), top + above, place.width(), height), words, letters);
}
