//! The picker of a region: provinces, cities, districts as large buttons on the right pane, page by page.
//!
//! Refuses to remember: which list is open comes in and goes out.
use domain::catalogue::regions::{self, Offer};
use egui::{Rect, Ui, pos2, vec2};

use super::button::{Button, Kind, button};
use super::choice::turned;
use super::pager::Pages;
use super::text::{height_of, text};
use super::{Cx, at};
use crate::theme::radius;

/// What is open, and what is chosen.
#[derive(Debug, Clone, Copy)]
pub struct Open<'a> {
    /// Code of the list; `None`: the provinces.
    pub list: Option<&'a str>,
    /// Page of it.
    pub page: usize,
    /// The answer so far.
    pub chosen: &'a str,
}

/// What was tapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picked {
    /// Open this list (`None`: the provinces) at a page.
    List(Option<String>, usize),
    /// This region is the answer.
    Region(String),
}

/// Draws the picker.
pub fn region_picker(ui: &mut Ui, cx: &mut Cx<'_>, pane: Rect, open: Open<'_>) -> Option<Picked> {
    super::shape::well(ui, cx, pane, radius::CARD, cx.theme.colors.sunken);
    let pane = pane.shrink(cx.theme.pick(20.0, 16.0));
    let home = cx.model.station.as_ref().map(|station| station.division_code.clone());
    let catalogue = std::sync::Arc::clone(cx.model.pinned());
    let (crumbs_bottom, crumb) = crumbs_ui(ui, cx, pane, open.list);
    let offers = regions::offers(&catalogue.regions, open.list, home.as_deref());
    let rest = Rect::from_min_max(pos2(pane.left(), crumbs_bottom + cx.theme.metrics.gap), pane.max);
    if offers.is_empty() {
        text(ui, cx, rest, cx.t("picker.nothing"), cx.body().color(cx.theme.colors.ink));
        return crumb;
    }
    crumb.or_else(|| offers_ui(ui, cx, rest, (&offers, open)))
}

/// The way from 全国 down to the open list, each a button; gives its bottom and what was tapped.
fn crumbs_ui(ui: &mut Ui, cx: &Cx<'_>, pane: Rect, list: Option<&str>) -> (f32, Option<Picked>) {
    let target = cx.theme.metrics.target;
    let path = list.map(|code| regions::path(&cx.model.pinned().regions, code)).unwrap_or_default();
    let mut left = pane.left();
    let mut picked = None;
    let mut crumb = |ui: &mut Ui, label: &str, here: bool, to: Option<String>| {
        let look = Button::new(if here { Kind::Key } else { Kind::Quiet }, label).lettering(cx.strong());
        let width = (look.inner_width(ui, cx) + 40.0).max(target).min(pane.right() - left);
        if button(ui, cx, at(left, pane.top(), width, target), &look).clicked() {
            picked = Some(Picked::List(to, 0));
        }
        left += width + cx.theme.metrics.gap;
    };
    crumb(ui, cx.t("picker.provinces"), path.is_empty(), None);
    for code in &path {
        let name = cx.model.pinned().regions.get(code).map_or(code.as_str(), |region| region.name.as_str());
        crumb(ui, name, Some(code.as_str()) == list, Some(code.clone()));
    }
    (pane.top() + target, picked)
}

fn offers_ui(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    rest: Rect,
    (offers, open): (&[Offer], Open<'_>),
) -> Option<Picked> {
    let columns = if cx.elder() && open.list.is_some() { 2 } else { 3 };
    let gap = cx.theme.metrics.gap;
    let row = cx.theme.metrics.target;
    let fit = |height: f32| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a screen has a few rows
        let rows = ((height + gap + 1.0) / (row + gap)).floor().max(1.0) as usize;
        rows * columns
    };
    let all = fit(rest.height());
    let per_page = if offers.len() <= all { all } else { fit(rest.height() - row - gap) };
    let pages = Pages::new(offers.len(), per_page, open.page);
    #[allow(clippy::cast_precision_loss)] // two or three columns
    let width = (rest.width() - gap * (columns as f32 - 1.0)) / columns as f32;
    let mut picked = None;
    for (place, offer) in offers[pages.shown()].iter().enumerate() {
        #[allow(clippy::cast_precision_loss)] // a few dozen buttons
        let offset = vec2((place % columns) as f32 * (width + gap), (place / columns) as f32 * (row + gap));
        let cell = Rect::from_min_size(rest.min + offset, vec2(width, row));
        if offer_ui(ui, cx, cell, offer, open.chosen) {
            picked = Some(if offer.opens {
                Picked::List(Some(offer.code.clone()), 0)
            } else {
                Picked::Region(offer.code.clone())
            });
        }
    }
    let below = Rect::from_min_max(pos2(rest.left(), rest.bottom() - row), rest.max);
    let list = open.list.map(str::to_owned);
    picked.or_else(|| turned(ui, cx, below, pages).map(|page| Picked::List(list, page)))
}

fn offer_ui(ui: &mut Ui, cx: &Cx<'_>, cell: Rect, offer: &Offer, chosen: &str) -> bool {
    let room = cell.width() - 24.0;
    let strong = cx.strong();
    let small = cx.small().bold();
    let letters =
        if height_of(ui, &offer.name, strong, room) > strong.style.line + 1.0 { small } else { strong };
    let look = Button::new(Kind::Secondary, &offer.name).lettering(letters.data());
    let look = if offer.code == chosen { look.selected(true) } else { look };
    button(ui, cx, cell, &look).clicked()
}
