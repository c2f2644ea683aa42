//! A draft is offered to the person whose card was read: go on, fill it in anew, or delete it.
//!
//! Refuses to show what was filled in: the item and times are all there is before somebody goes on.
use domain::ids::ItemCode;
use egui::{Rect, Ui, pos2, vec2};

use super::caveat;
use crate::command::Command;
use crate::model::DraftLine;
use crate::theme::radius;
use crate::widgets::button::Kind;
use crate::widgets::shape::{large_card, well};
use crate::widgets::{Button, Cx, Footer, at, frame, height_of, icon, icon_block, press, text};

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// What the page can offer.
enum Offer {
    /// Everything.
    Whole(DraftLine),
    /// The draft is there, and its time of grace is over.
    TooLate(DraftLine),
    /// The draft could not be opened and is gone.
    Lost,
}

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>, code: &ItemCode) {
    let offer = offer(cx, code);
    let footer = match &offer {
        Offer::Whole(_) => Footer::go(cx.t("resume.go_on"), Command::Resume),
        Offer::TooLate(_) => Footer::say(cx.t("resume.nothing_sent")),
        Offer::Lost if can_begin(cx, code) => Footer::go(cx.t("resume.start_over"), Command::StartOver),
        Offer::Lost => Footer::say(cx.t("resume.nothing_sent")),
    };
    frame(ui, cx, footer, |ui, cx, room| {
        let h1 = cx.h1();
        let top = room.top() + cx.theme.pick(48.0, 24.0);
        let title = if matches!(offer, Offer::Lost) { "resume.lost" } else { "resume.title" };
        let title = text(ui, cx, at(room.left(), top, room.width(), h1.style.line), cx.t(title), h1);
        let below = room.with_min_y(title.bottom() + cx.theme.pick(32.0, 20.0));
        match &offer {
            Offer::Whole(line) => {
                let card = card_ui(ui, cx, below, line);
                let buttons =
                    at(below.left(), card.bottom() + 32.0, below.width(), cx.theme.metrics.footer_button);
                buttons_ui(ui, cx, buttons, can_begin(cx, code));
            }
            Offer::TooLate(line) => {
                let card = card_ui(ui, cx, below, line);
                let words = cx.tf("resume.too_late", &[("reason", &caveat::reason(cx, code))]);
                let note = note_ui(ui, cx, below.with_min_y(card.bottom() + 24.0), &words);
                let buttons =
                    at(below.left(), note.bottom() + 24.0, below.width(), cx.theme.metrics.footer_button);
                buttons_ui(ui, cx, buttons, false);
            }
            Offer::Lost => {
                note_ui(ui, cx, below, cx.t("resume.lost_note"));
            }
        }
    });
}

fn offer(cx: &Cx<'_>, code: &ItemCode) -> Offer {
    let line = cx.model.session.as_ref().and_then(|session| session.drafts.of(code)).cloned();
    match line {
        Some(line) if cx.model.can_finish(code).is_ok() => Offer::Whole(line),
        Some(line) => Offer::TooLate(line),
        None => Offer::Lost,
    }
}

fn can_begin(cx: &Cx<'_>, code: &ItemCode) -> bool {
    cx.model.can_begin(code).is_ok()
}

/// The item, when it was filled in, how long it is kept, and who can see it; gives the card's rectangle.
fn card_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, line: &DraftLine) -> Rect {
    let (pad, side) = (cx.theme.pick(48.0, 40.0), cx.theme.pick(112.0, 144.0));
    let width = room.width() - 2.0 * pad - side - 40.0;
    let (title, body) = (cx.h2(), cx.body());
    let words = [age(cx, line.age_ms), left(cx, line.left_ms), cx.t("resume.only_you").to_owned()];
    let heights: Vec<f32> = words.iter().map(|words| height_of(ui, words, body, width)).collect();
    let title_height = height_of(ui, cx.say(&line.title), title, width).min(2.0 * title.style.line);
    let inside = title_height + heights.iter().sum::<f32>() + 12.0;
    let card = at(room.left(), room.top(), room.width(), inside.max(side) + 2.0 * pad);
    large_card(ui, cx, card);
    let block = at(card.left() + pad, card.center().y - side / 2.0, side, side);
    icon_block(ui, cx, block, "pen", side * 0.6);
    let mut top = card.center().y - inside / 2.0;
    let left = block.right() + 40.0;
    text(ui, cx, at(left, top, width, title_height), cx.say(&line.title), title.data());
    top += title_height + 12.0;
    for (words, height) in words.iter().zip(heights) {
        text(ui, cx, at(left, top, width, height), words, body);
        top += height;
    }
    card
}

/// What stands in the way, in words; gives the rectangle.
fn note_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, words: &str) -> Rect {
    let colors = &cx.theme.colors;
    let body = cx.body().color(colors.ink);
    let width = room.width() - 160.0;
    let height = height_of(ui, words, body, width) + 56.0;
    let note = at(room.left(), room.top(), room.width(), height);
    well(ui, cx, note, radius::CARD, colors.warn50);
    icon(ui, cx, at(note.left() + 36.0, note.center().y - 24.0, 48.0, 48.0), "warn", colors.warn);
    let inner = Rect::from_min_max(pos2(note.left() + 120.0, note.top()), note.max - vec2(40.0, 0.0));
    text(ui, cx, inner, words, body.middle());
    note
}

fn buttons_ui(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, anew: bool) {
    let width = cx.theme.metrics.call_width;
    let mut left = place.left();
    if anew {
        let look = Button::secondary(cx.t("resume.start_over")).icon("pen");
        press(ui, cx, at(left, place.top(), width, place.height()), &look, Command::StartOver);
        left += width + 24.0;
    }
    let look = Button::new(Kind::Danger, cx.t("resume.delete"));
    press(ui, cx, at(left, place.top(), width, place.height()), &look, Command::DeleteDraft);
}

/// `2 小时前填的`
fn age(cx: &Cx<'_>, age_ms: i64) -> String {
    match (age_ms / HOUR_MS, age_ms / MINUTE_MS) {
        (0, 0) => cx.t("resume.just_now").to_owned(),
        (0, 1) => cx.t("resume.one_minute_ago").to_owned(),
        (0, minutes) => cx.tf("resume.minutes_ago", &[("n", &minutes.to_string())]),
        (1, _) => cx.t("resume.one_hour_ago").to_owned(),
        (hours, _) => cx.tf("resume.hours_ago", &[("n", &hours.to_string())]),
    }
}

/// `还会留 22 小时`
fn left(cx: &Cx<'_>, left_ms: i64) -> String {
    match left_ms / HOUR_MS {
        ..=0 => cx.t("resume.kept_less").to_owned(),
        1 => cx.t("resume.kept_one").to_owned(),
        hours => cx.tf("resume.kept_hours", &[("n", &hours.to_string())]),
    }
}
