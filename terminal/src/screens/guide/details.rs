//! The pages after the guide: the steps, what often goes wrong, the periods, and what the matter stands on.
use domain::catalogue::Entry;
use domain::item::Certainty;
use egui::{Rect, Ui, pos2, vec2};

use crate::command::Command;
use crate::screens::blocks::{Block, Line, Mark, blocks_ui};
use crate::screens::entry::period;
use crate::screens::heading::heading_ui;
use crate::widgets::button::target;
use crate::widgets::shape::focus_ring;
use crate::widgets::{Cx, at, best_fit, icon, text, width_of};

/// The fact that leads to these pages: how many steps there are, on a target of its own.
pub(super) fn way_ui(ui: &mut Ui, cx: &mut Cx<'_>, rect: Rect, entry: Entry<'_>) {
    let steps = cx.tf("guide.steps", &[("count", &entry.guide().how.len().to_string())]);
    let response = target(ui, rect, cx.t("guide.details_open"), None);
    let (small, color) = (cx.small().quiet(), cx.theme.colors.brand600);
    let strong = cx.strong().color(color).quiet();
    let left = rect.left() + 12.0;
    icon(ui, cx, at(left, rect.center().y - 22.0, 44.0, 44.0), "path", color);
    let words = at(left + 60.0, rect.top() + 16.0, rect.width() - 72.0, small.style.line);
    text(ui, cx, words, cx.t("guide.details"), small);
    let side = cx.theme.pick(24.0, 36.0);
    let below = at(words.left(), words.bottom(), words.width() - side - 8.0, strong.style.line);
    let letters = best_fit(ui, &steps, below.size(), [strong, small.bold().color(color)]);
    let all = steps.chars().count();
    text(ui, cx, below, &steps, letters.underlined(0, all, color));
    let beside = below.left() + width_of(ui, &steps, letters) + 8.0;
    icon(ui, cx, at(beside, below.center().y - side / 2.0, side, side), "chev", color);
    if response.has_focus() {
        focus_ring(ui, cx, rect, crate::theme::radius::BUTTON);
    }
    if response.clicked() {
        cx.push(Command::ShowPage(1));
    }
}

/// Draws one of the pages.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>, room: Rect, entry: Entry<'_>) {
    let top = heading_ui(ui, cx, room, cx.say(entry.title()), cx.t("guide.details"));
    let place = Rect::from_min_max(pos2(room.left(), top), room.max - vec2(0.0, 24.0));
    let how = [steps(cx, entry), mistakes(cx, entry)];
    let basis = basis(cx, entry);
    // What the matter stands on has a column of its own; without it, so have the mistakes.
    let left = if basis.is_some() { how.iter().flatten().count() } else { 1 };
    let blocks: Vec<Block> = how.into_iter().chain([basis]).flatten().collect();
    blocks_ui(ui, cx, place, (&blocks, left), 1);
}

fn steps(cx: &Cx<'_>, entry: Entry<'_>) -> Option<Block> {
    let line = |(n, step): (usize, &domain::text::Text)| Line {
        mark: Mark::Number((n + 1).to_string()),
        words: cx.say(step).to_owned(),
        hint: String::new(),
    };
    block(cx.t("guide.steps_title"), entry.guide().how.iter().enumerate().map(line).collect())
}

fn mistakes(cx: &Cx<'_>, entry: Entry<'_>) -> Option<Block> {
    let mistakes = entry.guide().common_mistakes.iter();
    let lines = mistakes.map(|mistake| Line::plain("warn", cx.say(mistake).to_owned())).collect();
    block(cx.t("guide.mistakes"), lines)
}

/// The legal period beside the promised one, and the laws. Those of a sensitive matter name its cause, so they are
/// left out, as its official name is.
fn basis(cx: &Cx<'_>, entry: Entry<'_>) -> Option<Block> {
    let Entry::Item(item) = entry else { return None };
    let promised = cx.tf("guide.promised", &[("period", &period(cx, item.promised))]);
    let mut lines = vec![Line {
        mark: Mark::Icon("clock"),
        words: cx.tf("guide.legal", &[("period", &period(cx, item.legal))]),
        hint: hint(&[&promised, certainty(cx, item.days_source)]),
    }];
    if !item.sensitive {
        lines.extend(item.legal_basis.iter().map(|basis| Line {
            mark: Mark::Icon("scale"),
            words: basis.name.clone(),
            hint: certainty(cx, basis.certainty).to_owned(),
        }));
    }
    block(cx.t("guide.basis"), lines)
}

/// What is to be known of a figure or a law that nobody has published or confirmed.
fn certainty<'a>(cx: &Cx<'a>, certainty: Certainty) -> &'a str {
    match certainty {
        Certainty::Published | Certainty::Confirmed => "",
        Certainty::ToConfirm => cx.t("guide.to_confirm"),
        Certainty::Sample => cx.t("guide.sample"),
    }
}

fn hint(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

fn block(heading: &str, lines: Vec<Line>) -> Option<Block> {
    (!lines.is_empty()).then(|| Block { heading: heading.to_owned(), lines })
}
