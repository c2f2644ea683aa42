//! Badges and the network pill: a state told by icon, word and colour together. Refuses clicks.
use domain::catalogue::Entry;
use domain::item::OfflineMode;
use egui::{Color32, Rect, Ui, vec2};

use super::shape::{icon, well};
use super::text::{text, width_of};
use super::{Cx, at};
use crate::model::{Caveat, Model};
use crate::theme::{Colors, TypeRole, radius};

/// A badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Badge {
    /// 断网可办
    WorksOffline,
    /// 需联网
    NeedsNetwork,
    /// 先登记后确认
    Tentative,
    /// 需工作人员
    NeedsStaff,
    /// 正在开门
    Open,
    /// 24 小时自助
    AllDay,
    /// 已关门
    Closed,
    /// What is to be said besides, or instead.
    Caveat(Caveat),
}

impl Badge {
    /// Badges of an item or bundle as it stands now. The first says whether and how it can be begun, so what stops it
    /// takes that place; what is only to be known stands beside it.
    pub fn now(model: &Model, entry: Entry<'_>) -> Vec<Self> {
        let caveat = model.caveat(entry.code());
        let stops = caveat.filter(|caveat| caveat.stops()).map(Self::Caveat);
        let beside = caveat.filter(|caveat| !caveat.stops()).map(Self::Caveat);
        let staff = entry.needs_staff().then_some(Self::NeedsStaff);
        let first = stops.unwrap_or_else(|| Self::of_mode(entry));
        [Some(first), beside, staff].into_iter().flatten().collect()
    }

    fn of_mode(entry: Entry<'_>) -> Self {
        match entry {
            Entry::Item(item) => match item.offline_mode {
                OfflineMode::Queue => Self::WorksOffline,
                OfflineMode::Tentative => Self::Tentative,
                OfflineMode::Online => Self::NeedsNetwork,
            },
            Entry::Bundle(_) => Self::WorksOffline,
        }
    }

    /// Nobody can begin it now.
    pub fn stops(self) -> bool {
        matches!(self, Self::Caveat(caveat) if caveat.stops())
    }

    /// Key of its words.
    pub fn key(self) -> &'static str {
        match self {
            Self::WorksOffline => "badge.offline",
            Self::NeedsNetwork => "badge.online",
            Self::Tentative => "badge.tentative",
            Self::NeedsStaff => "badge.staff",
            Self::Open => "badge.open",
            Self::AllDay => "badge.all_day",
            Self::Closed => "badge.closed",
            Self::Caveat(Caveat::Withdrawn) => "badge.withdrawn",
            Self::Caveat(Caveat::NoNetwork) => "badge.no_network",
            Self::Caveat(Caveat::Blocked) => "badge.blocked",
            Self::Caveat(Caveat::RegisterOnly) => "badge.register_only",
            Self::Caveat(Caveat::Old) => "badge.old",
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Self::WorksOffline => "center",
            Self::NeedsNetwork => "wifi",
            Self::Tentative | Self::Open | Self::AllDay | Self::Closed => "clock",
            Self::Caveat(Caveat::NoNetwork) => "wifioff",
            Self::Caveat(Caveat::RegisterOnly | Caveat::Old) => "info",
            Self::Caveat(Caveat::Withdrawn | Caveat::Blocked) => "warn",
            Self::NeedsStaff => "person",
        }
    }

    fn colors(self, colors: &Colors) -> (Color32, Color32) {
        match self {
            Self::WorksOffline | Self::Open => (colors.ok50, colors.ok),
            Self::Caveat(Caveat::Withdrawn) => (colors.error50, colors.error),
            Self::NeedsNetwork | Self::Closed | Self::Caveat(_) => (colors.warn50, colors.warn),
            Self::Tentative | Self::AllDay => (colors.info50, colors.info),
            Self::NeedsStaff => (colors.staff50, colors.staff),
        }
    }

    /// How wide it is.
    pub fn width(self, ui: &Ui, cx: &Cx<'_>) -> f32 {
        let words = width_of(ui, cx.t(self.key()), cx.letters(TypeRole::SmallBold, Color32::PLACEHOLDER));
        words + cx.theme.metrics.badge_icon + cx.theme.pick(32.0, 40.0)
    }
}

/// Draws a badge with its left top here; gives its rectangle.
pub fn badge(ui: &mut Ui, cx: &Cx<'_>, left_top: egui::Pos2, badge: Badge) -> Rect {
    let metrics = &cx.theme.metrics;
    let (fill, ink) = badge.colors(&cx.theme.colors);
    let rect = Rect::from_min_size(left_top, vec2(badge.width(ui, cx), metrics.badge));
    ui.painter().rect_filled(rect, radius::BADGE, fill);
    let pad = cx.theme.pick(10.0, 14.0);
    let side = metrics.badge_icon;
    icon(ui, cx, at(rect.left() + pad, rect.center().y - side / 2.0, side, side), badge.icon(), ink);
    let left = rect.left() + pad + side + 8.0;
    let words = at(left, rect.top(), rect.right() - left, rect.height());
    text(ui, cx, words, cx.t(badge.key()), cx.letters(TypeRole::SmallBold, ink).middle().quiet());
    rect
}

/// Draws badges from left to right, as many as fit into the width.
pub fn badges(ui: &mut Ui, cx: &Cx<'_>, place: Rect, all: &[Badge]) {
    let mut left = place.left();
    for one in all {
        if left + one.width(ui, cx) > place.right() + 1.0 {
            return;
        }
        let drawn = badge(ui, cx, egui::pos2(left, place.top()), *one);
        left = drawn.right() + 8.0;
    }
}

/// Draws a pill with an icon and words whose right end is here; gives its left end.
pub fn pill(ui: &mut Ui, cx: &Cx<'_>, right_middle: egui::Pos2, look: (&str, &str, Color32, Color32)) -> f32 {
    let (name, words, fill, ink) = look;
    let letters = cx.letters(TypeRole::SmallBold, ink).middle();
    let (height, side) = (cx.theme.pick(56.0, 68.0), cx.theme.pick(28.0, 36.0));
    let width = width_of(ui, words, letters) + side + 50.0;
    let rect = at(right_middle.x - width, right_middle.y - height / 2.0, width, height);
    well(ui, cx, rect, radius::PILL, fill);
    icon(ui, cx, at(rect.left() + 18.0, rect.center().y - side / 2.0, side, side), name, ink);
    let left = rect.left() + 28.0 + side;
    text(ui, cx, at(left, rect.top(), rect.right() - left, height), words, letters);
    rect.left()
}
