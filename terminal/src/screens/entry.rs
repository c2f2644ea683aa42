//! How an item or bundle is told on tiles and rows: title, meta line, badges. Refuses to draw.
use domain::catalogue::Entry;
use domain::item::Period;

use crate::promise;
use crate::widgets::{Badge, Cx, Tile};

/// A tile of an entry with what it takes and costs. In the elder version, which has no room for badges beside a line of
/// words, the line says why an entry cannot be begun now.
pub fn tile_of<'e>(cx: &Cx<'e>, entry: Entry<'e>, meta: &'e str) -> Tile<'e> {
    let badges = Badge::now(cx.model, entry);
    let stops = badges.first().filter(|badge| cx.elder() && badge.stops());
    Tile {
        icon: &entry.guide().icon,
        number: None,
        title: cx.say(entry.short_name()),
        meta: stops.map_or(meta, |badge| cx.t(badge.key())),
        badges,
        matched: None,
    }
}

/// About how long, and what it costs: `约 4 分钟 · 免费`.
pub fn time_and_fee(cx: &Cx<'_>, entry: Entry<'_>) -> String {
    format!("{} · {}", minutes(cx, entry), fee(cx, entry))
}

/// About how long, and whose matter it is: `约 4 分钟 · 人社`.
pub fn time_and_department(cx: &Cx<'_>, entry: Entry<'_>) -> String {
    format!("{} · {}", minutes(cx, entry), department(cx, entry))
}

/// The official name, and whose matter it is. The official name of a sensitive matter names its cause, so it is left
/// out: what is told here is told after the matter was opened.
pub fn official_and_department(cx: &Cx<'_>, entry: Entry<'_>) -> String {
    let unit = department(cx, entry);
    if entry.is_sensitive() { unit } else { format!("{} · {unit}", cx.say(entry.name())) }
}

/// How a search tells an entry below its short name: that it is a bundle, its official name where that is another one,
/// otherwise what [`time_and_department`] or, in the elder version, [`badge_and_time`] says.
pub fn found(cx: &Cx<'_>, entry: Entry<'_>) -> String {
    let official = cx.say(entry.name());
    let known = official == cx.say(entry.short_name()) || entry.is_sensitive();
    let words = match (known, cx.elder()) {
        (true, true) => badge_and_time(cx, entry),
        (true, false) => time_and_department(cx, entry),
        (false, true) => official.to_owned(),
        (false, false) => format!("{official} · {}", department(cx, entry)),
    };
    let bundle = cx.t("meta.bundle");
    // Most official names of bundles say it themselves.
    let unsaid = matches!(entry, Entry::Bundle(_)) && !words.contains(bundle);
    if unsaid { format!("{bundle} · {words}") } else { words }
}

/// Whether it works offline, and about how long: `断网可办 · 约 4 分钟`.
pub fn badge_and_time(cx: &Cx<'_>, entry: Entry<'_>) -> String {
    let first = Badge::now(cx.model, entry).first().map_or("", |badge| cx.t(badge.key()));
    format!("{first} · {}", minutes(cx, entry))
}

/// `约 4 分钟`
pub fn minutes(cx: &Cx<'_>, entry: Entry<'_>) -> String {
    let minutes = entry.guide().minutes.to_string();
    cx.tf("meta.minutes", &[("minutes", &minutes)])
}

/// What it costs.
pub fn fee(cx: &Cx<'_>, entry: Entry<'_>) -> String {
    let guide = entry.guide();
    if guide.fee_unsure {
        return cx.t("meta.fee_unsure").to_owned();
    }
    if guide.fee_fen == 0 {
        return cx.t("meta.free").to_owned();
    }
    cx.tf("meta.fee", &[("yuan", &yuan(guide.fee_fen))])
}

/// Whose matter it is, in short words.
pub fn department(cx: &Cx<'_>, entry: Entry<'_>) -> String {
    let unit = match entry {
        Entry::Item(item) => &item.department,
        Entry::Bundle(bundle) => &bundle.lead_department,
    };
    department_name(cx, unit.as_str())
}

/// The short words for a department; its own name where there are none.
pub fn department_name(cx: &Cx<'_>, unit: &str) -> String {
    let key = format!("department.{unit}");
    cx.kit.words.find(cx.language(), &key).unwrap_or(unit).to_owned()
}

/// `5 个工作日`, `当场`.
pub fn period(cx: &Cx<'_>, period: Period) -> String {
    promise::period(&cx.kit.words, cx.language(), period)
}

/// What happens afterwards, with the promised time in its words: `受理后 1 个工作日内`.
pub fn after(cx: &Cx<'_>, entry: Entry<'_>) -> String {
    promise::after(&cx.kit.words, cx.language(), entry)
}

fn yuan(fen: i64) -> String {
    if fen % 100 == 0 { (fen / 100).to_string() } else { format!("{}.{:02}", fen / 100, (fen % 100).abs()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_short() {
        assert_eq!((yuan(1000), yuan(1050), yuan(5)), ("10".into(), "10.50".into(), "0.05".into()));
    }
}
