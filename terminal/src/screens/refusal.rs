//! Why a matter cannot be handed in at this machine, and the nearest way. Refuses to draw.
use domain::catalogue::Entry;
use domain::form::UiField;
use domain::text::Text;

use super::caveat;
use crate::model::Unavailable;
use crate::widgets::Cx;

/// The words for a reason.
pub fn words(cx: &Cx<'_>, entry: Entry<'_>, why: Unavailable) -> String {
    let needed =
        |field: &&UiField| !field.widget.supported() && (field.required || field.required_if.is_some());
    match why {
        Unavailable::FieldType(_) => {
            let labels: Vec<Text> =
                entry.form().fields().filter(needed).map(|field| field.label.clone()).collect();
            needs_capture(cx, &labels)
        }
        _ => caveat::refusal(cx, entry.code(), why),
    }
}

/// It needs photos or scans, which this machine cannot take: of what, and where to go.
pub fn needs_capture(cx: &Cx<'_>, labels: &[Text]) -> String {
    let names: Vec<&str> = labels.iter().map(|label| cx.say(label)).collect();
    let list = names.join(cx.t("guide.separator"));
    let why = cx.tf("guide.unavailable.field_type", &[("what", &list)]);
    match cx.model.station.as_ref().filter(|station| !station.weekday_hours.is_empty()) {
        Some(station) => {
            let counter = cx.tf("guide.unavailable.counter", &[("weekday", &station.weekday_hours)]);
            format!("{why}{counter}")
        }
        None => why,
    }
}
