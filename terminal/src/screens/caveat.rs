//! What is to be said of an item because the catalogue is old, the network is down or the item is withdrawn. Words only.
use domain::ids::ItemCode;

use crate::model::{Caveat, Unavailable};
use crate::widgets::Cx;

/// Why an item is not offered any more, as the centre says it; empty while it is.
pub fn reason(cx: &Cx<'_>, code: &ItemCode) -> String {
    cx.model.withdrawal(code).map(|withdrawal| cx.say(&withdrawal.reason).to_owned()).unwrap_or_default()
}

/// Why an item cannot be begun.
pub fn refusal(cx: &Cx<'_>, code: &ItemCode, why: Unavailable) -> String {
    let key = format!("guide.unavailable.{}", why.name());
    let days = days(cx);
    cx.tf(&key, &[("reason", &reason(cx, code)), ("days", &days)])
}

/// The item that is offered in place of a withdrawn one, with the title that it will have.
pub fn instead(cx: &Cx<'_>, code: &ItemCode) -> Option<(ItemCode, String)> {
    let other = cx.model.withdrawal(code)?.instead.clone()?;
    let name = cx.say(cx.model.catalogue.entry(&other)?.title()).to_owned();
    Some((other, name))
}

/// What must be known of an item that can be begun all the same.
pub fn note(cx: &Cx<'_>, code: &ItemCode) -> Option<String> {
    let caveat = cx.model.caveat(code).filter(|caveat| !caveat.stops())?;
    let key = match caveat {
        Caveat::RegisterOnly => "caveat.register_only",
        _ => "caveat.old",
    };
    let days = days(cx);
    Some(cx.tf(key, &[("days", &days)]))
}

fn days(cx: &Cx<'_>) -> String {
    cx.model.old_catalogue_days().unwrap_or(1).to_string()
}
