//! What is true of a slip now: its key and icon, the line in the heading, and the banner.
use domain::case::CaseState;
use egui::{Color32, Rect, Ui, pos2, vec2};

use crate::model::{Network, SlipView};
use crate::theme::radius;
use crate::widgets::shape::well;
use crate::widgets::{Cx, at, icon, text};

/// What is true now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Now {
    Saved,
    Delivered,
    Checking,
    Returned,
    Accepted,
    Completed,
}

impl Now {
    pub(super) fn of(slip: &SlipView) -> Self {
        match (slip.state, &slip.marks) {
            (_, marks) if marks.completed_ms.is_some() => Self::Completed,
            (Some(CaseState::Returned), _) => Self::Returned,
            (_, marks) if marks.accepted_ms.is_some() => Self::Accepted,
            (Some(CaseState::Quarantined), _) => Self::Checking,
            (_, marks) if marks.delivered_ms.is_some() => Self::Delivered,
            _ => Self::Saved,
        }
    }

    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Delivered => "delivered",
            Self::Checking => "checking",
            Self::Returned => "returned",
            Self::Accepted => "accepted",
            Self::Completed => "completed",
        }
    }

    /// The saved disk until it has arrived; the tick only once the department has it.
    pub(super) fn icon(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Delivered | Self::Checking => "center",
            Self::Returned => "warn",
            Self::Accepted | Self::Completed => "check",
        }
    }
}

/// The second line of the heading: what the banner does not say.
pub(super) fn note(cx: &Cx<'_>, now: Now) -> &'static str {
    match now {
        Now::Saved if cx.model.network == Network::Offline => "slip.saved_offline",
        Now::Saved => "slip.saved_online",
        Now::Delivered | Now::Checking | Now::Accepted => "slip.look_again",
        Now::Returned | Now::Completed => "slip.keep",
    }
}

/// The same at length, in its colour.
pub(super) fn banner_ui(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, slip: &SlipView) {
    let colors = &cx.theme.colors;
    let now = Now::of(slip);
    let online = cx.model.network != Network::Offline;
    let (ground, ink, name, title, more): (Color32, Color32, &str, &str, &str) = match now {
        Now::Saved if online => {
            (colors.info50, colors.info, "center", cx.t("slip.sending"), cx.t("slip.sending_note"))
        }
        Now::Saved => {
            (colors.warn50, colors.warn, "wifioff", cx.t("slip.keep_number"), cx.t("slip.no_second_trip"))
        }
        Now::Delivered => {
            (colors.ok50, colors.ok, "center", cx.t("slip.delivered"), cx.t("slip.delivered_note"))
        }
        Now::Checking => {
            (colors.info50, colors.info, "search", cx.t("slip.checking"), cx.t("slip.checking_note"))
        }
        Now::Returned => {
            (colors.error50, colors.error, "warn", cx.t("slip.returned"), cx.t("slip.returned_note"))
        }
        Now::Accepted => (colors.ok50, colors.ok, "stamp", cx.t("slip.accepted"), cx.t("slip.accepted_note")),
        Now::Completed => {
            (colors.ok50, colors.ok, "doccheck", cx.t("slip.completed"), cx.t("slip.completed_note"))
        }
    };
    well(ui, cx, rect, radius::BUTTON, ground);
    icon(ui, cx, at(rect.left() + 28.0, rect.center().y - 26.0, 52.0, 52.0), name, ink);
    let left = rect.left() + 104.0;
    let place = Rect::from_min_max(pos2(left, rect.center().y - 39.0), rect.max - vec2(16.0, 0.0));
    let head =
        text(ui, cx, place.with_max_y(place.top() + 40.0), title, cx.strong().sized(28.0, 40.0).color(ink));
    text(ui, cx, place.with_min_y(head.bottom()), more, cx.body().sized(24.0, 36.0).color(colors.ink));
}
