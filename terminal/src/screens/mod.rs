//! One file a screen: each draws what the model says and pushes commands.
//!
//! Refuses I/O, waiting and truth of its own; which screen is drawn is the model's decision alone.
pub mod attract;
mod blocks;
pub mod capture;
pub mod card;
mod caveat;
pub mod check;
pub mod chooser;
pub mod countdown;
pub mod devices;
mod entry;
pub mod form;
pub mod guide;
mod heading;
pub mod help;
pub mod home;
pub mod items;
mod materials;
pub mod my_cases;
pub mod out_of_service;
mod printing;
mod refusal;
pub mod resume;
pub mod search;
pub mod situation;
pub mod slip;
pub mod stations;

use egui::{Color32, Ui};

use crate::command::Command;
use crate::model::{Model, Screen};
use crate::theme::Theme;
use crate::widgets::{Cx, Kit, portrait};

/// The colour below every screen.
pub fn ground(model: &Model) -> Color32 {
    Theme::of(model.look).colors.ground
}

/// Draws the whole window: the ground, then the screen that the model is on.
pub fn draw(ui: &mut Ui, model: &Model, kit: &Kit, out: &mut Vec<Command>) {
    ui.painter().rect_filled(ui.max_rect(), 0, ground(model));
    draw_on_ground(ui, model, kit, out);
}

/// Draws the screen that the model is on into a window that was cleared with [`ground`]: a rectangle of its size
/// would cost as much as all the rest where a processor draws.
pub fn draw_on_ground(ui: &mut Ui, model: &Model, kit: &Kit, out: &mut Vec<Command>) {
    let before = out.len();
    let mut cx = Cx::new(model, kit, out);
    let cx = &mut cx;
    match &model.screen {
        Screen::Attract => attract::show(ui, cx),
        Screen::Home => home::show(ui, cx),
        Screen::Items(list) => items::show(ui, cx, list),
        Screen::Search => search::show(ui, cx),
        Screen::Guide(code) => guide::show(ui, cx, code),
        Screen::Question => situation::question::show(ui, cx),
        Screen::Ended => situation::ended::show(ui, cx),
        Screen::Needs => situation::needs::show(ui, cx),
        Screen::Card => card::show(ui, cx),
        Screen::Resume(code) => resume::show(ui, cx, code),
        Screen::Form => form::show(ui, cx),
        Screen::Capture => capture::show(ui, cx),
        Screen::Check => check::show(ui, cx),
        Screen::Slip => slip::show(ui, cx),
        Screen::MyCases => my_cases::show(ui, cx),
        Screen::Help => help::show(ui, cx),
        Screen::Devices => devices::show(ui, cx),
        Screen::DeviceTrace => devices::show_trace(ui, cx),
        Screen::Stations => stations::show(ui, cx),
        Screen::Station(id) => stations::detail::show(ui, cx, id),
        Screen::OutOfService => out_of_service::show(ui, cx),
    }
    if model.screen != Screen::Capture {
        capture::forget(ui);
    }
    if model.screen != Screen::Card {
        portrait::forget(ui);
    }
    if model.idle.seconds_left.is_some() {
        // What the page below asked for (a key typed into a field) does not count.
        cx.out.truncate(before);
        countdown::show(ui, cx);
    }
}
