//! Lay down the card: a picture of where, three steps, and what the reader says in words.
//!
//! Refuses typed data in place of a card.
use domain::applicant::mask_name;
use egui::epaint::{PathShape, PathStroke};
use egui::{Rect, Shape, Stroke, Ui, pos2, vec2};
use hardware::card_reader::{ReadError, ReaderStatus};

use crate::command::Command;
use crate::model::CardStep;
use crate::theme::{TypeRole, radius};
use crate::widgets::shape::{card, fill, outline_rect, well};
use crate::widgets::{Action, Cx, Footer, Lettering, at, best_fit, frame, height_of, icon, portrait, text};

/// Draws the card page.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let done = cx.model.session.as_ref().is_some_and(|s| s.card == CardStep::Done);
    let footer = if done {
        Footer { action: Some(Action::go(cx.t("card.continue"), Command::Continue)), ..Footer::default() }
    } else {
        Footer::say(cx.t("card.no_card"))
    };
    frame(ui, cx, footer, |ui, cx, room| {
        let left = at(room.left(), room.top(), cx.theme.pick(704.0, 760.0), room.height());
        let right = Rect::from_min_max(
            pos2(left.right() + cx.theme.pick(64.0, 40.0), room.top() + cx.theme.pick(40.0, 24.0)),
            pos2(room.right(), room.bottom()),
        );
        words_ui(ui, cx, left);
        let state_height = cx.theme.pick(120.0, 180.0);
        let bottom = right.bottom() - cx.theme.pick(56.0, 24.0);
        let state =
            Rect::from_min_max(pos2(right.left(), bottom - state_height), pos2(right.right(), bottom));
        let picture = Rect::from_min_max(right.min, pos2(right.right(), state.top() - 32.0));
        picture_ui(ui, cx, picture, done);
        state_ui(ui, cx, state);
    });
}

fn words_ui(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect) {
    let model = cx.model;
    let session = model.session.as_ref();
    let entry = session.and_then(|s| s.item.as_ref()).and_then(|code| model.catalogue.entry(code));
    let caption = entry.map_or(cx.t("card.my_cases"), |e| cx.say(e.title()));
    let small = cx.body();
    let top = room.top() + cx.theme.pick(36.0, 20.0);
    text(ui, cx, at(room.left(), top, room.width(), small.style.line), caption, small.data());
    let h1 = cx.h1();
    let title = at(room.left(), top + small.style.line + 4.0, room.width(), h1.style.line * 2.0);
    text(ui, cx, title, cx.t("card.title"), h1);
    let mut line = title.bottom() + cx.theme.pick(40.0, 16.0);
    let side = cx.theme.pick(56.0, 72.0);
    let now = if session.is_some_and(|s| s.card == CardStep::Done) { 2 } else { 0 };
    for (n, key) in ["card.step1", "card.step2", "card.step3"].into_iter().enumerate() {
        let disc = at(room.left(), line, side, side);
        let number = (n + 1).to_string();
        let colors = &cx.theme.colors;
        let (ink, letters) = if n == now {
            ui.painter().circle_filled(disc.center(), side / 2.0, colors.brand700);
            (colors.on_brand, cx.strong())
        } else {
            ui.painter().circle_stroke(disc.center(), side / 2.0 - 1.0, Stroke::new(2.0, colors.border));
            (colors.ink2, cx.body())
        };
        text(ui, cx, disc, &number, cx.strong().color(ink).center().quiet());
        text(
            ui,
            cx,
            at(disc.right() + 20.0, line, room.width() - side - 20.0, side),
            cx.t(key),
            letters.middle(),
        );
        line += side + cx.theme.pick(20.0, 12.0);
    }
    let height = cx.theme.pick(116.0, 184.0);
    let note = at(room.left(), line + cx.theme.pick(32.0, 12.0), room.width(), height);
    well(ui, cx, note, radius::BUTTON, cx.theme.colors.brand50);
    icon(
        ui,
        cx,
        at(note.left() + 28.0, note.center().y - 20.0, 40.0, 40.0),
        "lock",
        cx.theme.colors.brand600,
    );
    let inner =
        Rect::from_min_max(pos2(note.left() + 88.0, note.top()), pos2(note.right() - 24.0, note.bottom()));
    let inner = inner.shrink2(vec2(0.0, 8.0));
    let letters = best_fit(ui, cx.t("card.privacy"), inner.size(), [cx.body(), cx.small()]);
    text(ui, cx, inner, cx.t("card.privacy"), letters.middle());
}

/// Words and icon of what the reader is doing.
fn state_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect) {
    let (key, name, good) = state(cx);
    card(ui, cx, rect, radius::BUTTON);
    let colors = &cx.theme.colors;
    let color = if good { colors.brand600 } else { colors.error };
    if !good {
        outline_rect(ui.painter(), rect, radius::BUTTON, Stroke::new(4.0, colors.error));
    }
    let session = cx.model.session.as_ref();
    let read = session.filter(|s| s.card == CardStep::Done && !s.social_security);
    let mut left = rect.left() + 112.0;
    if let Some(read) = read {
        // Whose card it is, for who stands beside an old person: the face, and beside it that it was read.
        let high = rect.height() - 16.0;
        let face = at(rect.left() + 16.0, rect.top() + 8.0, high * portrait::ASPECT, high);
        portrait(ui, cx, face, read.photo.as_ref());
        left = face.right() + 20.0;
    } else {
        icon(ui, cx, at(rect.left() + 36.0, rect.center().y - 24.0, 48.0, 48.0), name, color);
    }
    let person = cx.model.session.as_ref().and_then(|s| s.applicant.as_ref()).map(|a| mask_name(&a.name));
    let title = cx.tf(&format!("card.{key}"), &[("name", person.as_deref().unwrap_or_default())]);
    let hint = cx.tf(&format!("card.{key}_hint"), &[]);
    let bold = cx.letters(TypeRole::Strong, if good { colors.ink } else { colors.error });
    let place = Rect::from_min_max(pos2(left, rect.top() + 8.0), rect.max - vec2(24.0, 8.0));
    let bold = best_fit(ui, &title, vec2(place.width(), bold.style.line), [bold, shrunk(bold)]);
    let title_height = height_of(ui, &title, bold, place.width()).min(2.0 * bold.style.line);
    let room = vec2(place.width(), place.height() - title_height);
    let small = best_fit(ui, &hint, room, [cx.body(), cx.small(), shrunk(cx.small())]);
    let hint_height = height_of(ui, &hint, small, place.width()).min(room.y);
    let top = place.center().y - (title_height + hint_height) / 2.0;
    // A person's name may be of any length.
    let letters = if person.is_some() { bold.data() } else { bold };
    text(ui, cx, at(left, top, place.width(), title_height), &title, letters);
    text(ui, cx, at(left, top + title_height, place.width(), hint_height), &hint, small);
}

/// A tenth smaller, for the few sentences that would not fit otherwise.
fn shrunk(letters: Lettering) -> Lettering {
    letters.sized(letters.style.size * 0.9, letters.style.line * 0.9)
}

/// Key below `card`, icon, and whether it is an ordinary wait.
fn state(cx: &Cx<'_>) -> (&'static str, &'static str, bool) {
    match cx.model.card_step() {
        _ if cx.model.second_card => ("state.second", "warn", false),
        // Nobody walks away from a card.
        CardStep::Done if cx.model.reader == ReaderStatus::Card => ("state.done_lying", "check", true),
        CardStep::Done => ("state.done", "check", true),
        CardStep::UseIdCard => ("state.use_id_card", "warn", false),
        CardStep::Staff => ("state.staff", "warn", false),
        CardStep::Reading => ("state.reading", "scan", true),
        CardStep::Expired => ("state.expired", "warn", false),
        CardStep::NotAccepted => ("state.not_accepted", "warn", false),
        CardStep::Failed(error) => (failed(error), "warn", false),
        CardStep::Waiting => match cx.model.reader {
            ReaderStatus::ServiceOff => ("state.service_off", "warn", false),
            ReaderStatus::NoReader => ("state.no_reader", "warn", false),
            // Staff see on the page of the devices which of the two it is; here only staff can help.
            ReaderStatus::OutOfOrder | ReaderStatus::Busy => ("state.out_of_order", "warn", false),
            ReaderStatus::Unknown => ("state.starting", "scan", true),
            ReaderStatus::Empty | ReaderStatus::Card => ("state.waiting", "scan", true),
        },
    }
}

fn failed(error: ReadError) -> &'static str {
    match error {
        ReadError::Removed => "failed.removed",
        ReadError::LayAgain => "failed.lay_again",
        ReadError::NoSecurityModule => "failed.no_security_module",
        ReadError::UnknownCard => "failed.unknown_card",
        ReadError::OutOfOrder | ReadError::Busy => "failed.out_of_order",
        ReadError::Damaged => "failed.damaged",
        ReadError::ReaderGone => "failed.reader_gone",
    }
}

/// A card above the reader; it lies on it once it was read.
fn picture_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, done: bool) {
    let colors = &cx.theme.colors;
    well(ui, cx, rect, radius::CARD, colors.brand100);
    let painter = ui.painter();
    let middle = rect.center().x;
    let base = rect.bottom() - 60.0;
    let reader = [(-330.0, -120.0), (330.0, -120.0), (392.0, 0.0), (-392.0, 0.0)];
    let points = reader.iter().map(|(x, y)| pos2(middle + x, base + y)).collect();
    painter.add(Shape::Path(PathShape::convex_polygon(points, colors.brand700, PathStroke::NONE)));
    let size = vec2(400.0, 250.0);
    let top = if done { base - 60.0 - size.y } else { rect.top() + 48.0 };
    let shape = Rect::from_min_size(pos2(middle - size.x / 2.0, top), size);
    fill(painter, shape, 20, colors.surface);
    outline_rect(painter, shape, 20, Stroke::new(4.0, colors.brand700));
    for (n, width) in [150.0, 104.0, 138.0, 174.0].into_iter().enumerate() {
        let line = at(shape.left() + 32.0, shape.top() + 62.0 + n as f32 * 44.0, width, 8.0);
        fill(painter, line, 4, colors.border);
    }
    let face = pos2(shape.right() - 90.0, shape.top() + 100.0);
    let stroke = Stroke::new(6.0, colors.brand600);
    painter.circle_stroke(face, 36.0, stroke);
    let shoulders: Vec<_> = (0..=24)
        .map(|n| {
            let angle = std::f32::consts::PI * (1.0 + n as f32 / 24.0);
            face + vec2(60.0 * angle.cos(), 110.0 + 60.0 * angle.sin())
        })
        .collect();
    painter.add(Shape::line(shoulders, stroke));
    if !done {
        let arrow = Stroke::new(12.0, colors.rape);
        let (from, to) = (pos2(middle, shape.bottom() + 16.0), pos2(middle, base - 140.0));
        if to.y - from.y > 40.0 {
            painter.line_segment([from, to], arrow);
            painter.line_segment([to + vec2(-34.0, -34.0), to], arrow);
            painter.line_segment([to + vec2(34.0, -34.0), to], arrow);
        }
    }
}
