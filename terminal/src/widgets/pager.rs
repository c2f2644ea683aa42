//! Pages of a list with large arrows instead of scrolling. Refuses to know what is listed.
use std::ops::Range;

use egui::{Rect, Ui, vec2};

use super::button::{Button, Kind, press};
use super::text::text;
use super::{Cx, at};
use crate::command::Command;

/// Which part of a list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    /// How many there are in all.
    pub total: usize,
    /// How many fit on a page, at least 1.
    pub per_page: usize,
    /// Page shown, from 0, within what there is.
    pub page: usize,
}

impl Pages {
    /// Pages of a list; a page beyond the end becomes the last.
    pub fn new(total: usize, per_page: usize, page: usize) -> Self {
        let per_page = per_page.max(1);
        Self { total, per_page, page: page.min(total.saturating_sub(1) / per_page) }
    }

    /// How many pages there are, at least 1.
    pub fn count(self) -> usize {
        self.total.div_ceil(self.per_page).max(1)
    }

    /// What the page shows.
    pub fn shown(self) -> Range<usize> {
        let from = (self.page * self.per_page).min(self.total);
        from..(from + self.per_page).min(self.total)
    }

    /// How many come after this page.
    pub fn after(self) -> usize {
        self.total - self.shown().end
    }
}

/// Draws "previous", where one is, and "next", right-aligned in this place; nothing for a single page.
pub fn pager(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, pages: Pages, ask: impl Fn(usize) -> Command) {
    if pages.count() < 2 {
        return;
    }
    let target = cx.theme.metrics.target;
    let width = cx.theme.pick(184.0, 260.0);
    let middle = cx.theme.pick(220.0, 340.0);
    let top = place.center().y - target / 2.0;
    let next = at(place.right() - width, top, width, target);
    let count = at(next.left() - middle, top, middle, target);
    let before = at(count.left() - width, top, width, target);
    let (page, all) = ((pages.page + 1).to_string(), pages.count().to_string());
    let words = cx.tf("pager.page", &[("page", &page), ("all", &all)]);
    text(ui, cx, count.shrink2(vec2(8.0, 0.0)), &words, cx.body().center());
    let button_letters = cx.strong();
    if pages.page > 0 {
        let look = Button::new(Kind::Secondary, cx.t("pager.previous")).icon("up").lettering(button_letters);
        press(ui, cx, before, &look, ask(pages.page - 1));
    }
    if pages.page + 1 < pages.count() {
        let look = Button::new(Kind::Secondary, cx.t("pager.next")).icon("down").lettering(button_letters);
        press(ui, cx, next, &look, ask(pages.page + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_the_list_once() {
        let cases = [
            (0, 5, 0, 1, 0..0),
            (5, 5, 0, 1, 0..5),
            (6, 5, 1, 2, 5..6),
            (6, 5, 9, 2, 5..6),
            (3, 0, 2, 3, 2..3),
        ];
        for (total, per_page, page, count, shown) in cases {
            let pages = Pages::new(total, per_page, page);
            assert_eq!((pages.count(), pages.shown()), (count, shown), "{total} {per_page} {page}");
            assert_eq!(pages.after(), total - pages.shown().end);
        }
    }
}
