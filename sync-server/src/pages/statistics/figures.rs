//! Figures in words: tiles, the course, lines by item or station. Every number leads to its cases.
use std::collections::BTreeMap;

use domain::catalogue::Catalogue;
use domain::date::CivilDate;
use domain::item::Period;

use super::W;
use super::address::Understood;
use super::known::{Saves, bundle, promised, title};
use super::said::{Clock, count, range, share, spoken, time};
use crate::pages::view;
use crate::services::statistics::figures::{By, Counts, Line};
use crate::services::statistics::spread::{FEW, FEW_FOR_DECILES, Spread};

/// A figure with its word.
pub struct Tile {
    pub word: String,
    pub value: String,
    pub unit: String,
    pub note: String,
    pub href: Option<String>,
    /// Name of the glyph beside its word.
    pub glyph: Option<&'static str>,
}

/// A fortnight.
pub struct Point {
    pub day: String,
    pub cases: u64,
    pub median: String,
    pub spread: String,
    /// Median, first and ninth decile as plain numbers in the unit of the chart; empty if there are too few.
    pub plain: [String; 3],
}

/// One item, bundle or station.
pub struct LineView {
    pub name: String,
    pub code: String,
    pub href: String,
    pub cases: String,
    pub cases_href: String,
    pub median: String,
    pub spread: String,
    /// All nine deciles.
    pub deciles: String,
    pub promised: String,
    pub first_time: String,
    pub saved: String,
    pub overdue: u64,
    pub overdue_href: String,
}

/// What figures are put into words with.
pub struct Seen<'a> {
    pub here: &'a Understood,
    pub catalogue: Option<&'a Catalogue>,
    pub stations: &'a BTreeMap<String, String>,
    /// All that is asked for.
    pub line: &'a Line,
}

/// All lines together. Times of different clocks are never put together: of several items there are none.
pub fn whole(lines: &BTreeMap<String, Line>) -> Line {
    let mut whole = Line::default();
    for line in lines.values() {
        let (sum, one) = (&mut whole.counts, &line.counts);
        sum.all += one.all;
        sum.decided += one.decided;
        sum.open += one.open;
        sum.first_time += one.first_time;
        sum.supplemented += one.supplemented;
        sum.rounds += one.rounds;
        sum.overdue += one.overdue;
        for (state, cases) in &one.excluded {
            *sum.excluded.entry(state.clone()).or_default() += cases;
        }
    }
    if let (1, Some(line)) = (lines.len(), lines.values().next()) {
        whole.used = line.used.clone();
        whole.clocks = line.clocks.clone();
    }
    whole
}

/// What is in no time and no share, in words.
pub fn excluded(counts: &Counts) -> String {
    let each =
        counts.excluded.iter().map(|(state, n)| format!("{} {}", W.of("statistics_state", state), count(*n)));
    let each: Vec<_> = each.collect();
    let (open, n) = (count(counts.open), count(counts.decided));
    let out = if each.is_empty() { W.t("statistics.none_excluded").to_owned() } else { each.join(" · ") };
    W.fill("statistics.excluded", &[("n", &n), ("open", &open), ("out", &out)])
}

/// A median in words, or that there are too few.
fn median(spread: &Spread, clock: Clock) -> String {
    spread.median().map_or_else(|| few(spread), |seconds| spoken(seconds, clock))
}

/// That there are too few to say anything; a dash if there is none.
fn few(spread: &Spread) -> String {
    match spread.count() {
        0 => "—".to_owned(),
        _ => W.number("statistics.few", FEW),
    }
}

fn band(spread: &Spread, clock: Clock) -> String {
    match spread.deciles() {
        Some(deciles) => {
            let (numbers, unit) = range((deciles[0], deciles[8]), clock);
            format!("{numbers} {unit}")
        }
        None if spread.count() == 0 => "—".to_owned(),
        None => W.number("statistics.few", FEW_FOR_DECILES),
    }
}

impl Seen<'_> {
    fn item(&self) -> Option<&str> {
        self.here.item()
    }

    fn clock(&self) -> Clock {
        let promised = || Clock::of(self.item().and_then(|code| promised(self.catalogue, code)));
        self.line.clock().and_then(Clock::named).unwrap_or_else(promised)
    }

    /// Tenths of its unit that the bundle took before, and the unit.
    fn figure(&self, name: &str) -> Option<Period> {
        let figures = &bundle(self.catalogue, self.item()?)?.figures;
        let tenths = u32::try_from(figures.get(name)?.as_u64()?).ok()?;
        let unit = serde_json::from_value(figures.get("time_unit")?.clone()).ok()?;
        Some(Period { tenths, unit })
    }

    /// How long it took before, in the unit of the chart.
    pub fn before(&self) -> Option<String> {
        let before = self.figure("time_before_tenths")?;
        Some(super::said::tenths(i64::from(before.tenths)))
    }

    /// The same in words, with where it is from.
    pub fn before_word(&self) -> Option<String> {
        let before = self.figure("time_before_tenths")?;
        let source = bundle(self.catalogue, self.item()?)?.figures.get("source")?.as_str()?.to_owned();
        let source =
            if matches!(source.as_str(), "sample" | "published") { source } else { "other".to_owned() };
        let source = W.of("bundles_source", &source);
        Some(W.fill("statistics.before", &[("time", &view::period(W, before)), ("source", &source)]))
    }

    /// The unit of the chart.
    pub fn unit_word(&self) -> String {
        let unit = if self.clock() == Clock::Exact { "minutes" } else { "working_days" };
        W.of("statistics_unit", unit)
    }

    /// A number in the unit of the chart.
    fn plain(&self, seconds: i64) -> String {
        let hundredths = match self.clock() {
            Clock::Exact => seconds * 100 / 60,
            Clock::Office => seconds * 100 / (9 * 3_600),
        };
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    }

    pub fn tiles(&self, whole: &Line, wall: &Spread) -> Vec<Tile> {
        let (counts, here) = (&whole.counts, self.here);
        let (decided, open) = (count(counts.decided), count(counts.open));
        let cases = Tile {
            word: W.of("statistics", "cases"),
            value: count(counts.all),
            unit: String::new(),
            note: W.fill("statistics.cases_note", &[("decided", &decided), ("open", &open)]),
            href: Some(here.list("all", None)),
            glyph: None,
        };
        let first = Tile {
            word: W.of("statistics", "first_time"),
            value: share(counts.first_time, counts.decided).unwrap_or_else(|| "—".into()),
            unit: String::new(),
            note: W.fill(
                "statistics.first_note",
                &[("n", &count(counts.supplemented)), ("rounds", &count(counts.rounds))],
            ),
            href: Some(here.list("supplemented", None)),
            glyph: None,
        };
        let overdue = Tile {
            word: W.of("statistics", "overdue"),
            value: count(counts.overdue),
            unit: W.of("statistics_unit", "cases"),
            note: share(counts.overdue, counts.counted()).map_or_else(
                || "—".into(),
                |share| {
                    W.fill("statistics.overdue_note", &[("share", &share), ("n", &count(counts.counted()))])
                },
            ),
            href: Some(here.list("overdue", None)),
            glyph: (counts.overdue > 0).then_some("bad"),
        };
        let mut tiles = vec![cases];
        tiles.extend(self.times(&whole.used, wall));
        tiles.push(first);
        tiles.push(self.saved(whole));
        tiles.push(overdue);
        tiles
    }

    /// The tiles of how long: of one item by the clock of its promise, of all by the wall.
    fn times(&self, used: &Spread, wall: &Spread) -> [Tile; 2] {
        let one = self.item().is_some();
        let (spread, clock) = if one { (used, self.clock()) } else { (wall, Clock::Exact) };
        let (value, unit) = match spread.median() {
            Some(seconds) => time(seconds, clock),
            None => (few(spread), String::new()),
        };
        let by_wall = median(wall, Clock::Exact);
        let note = match self.before_word() {
            _ if !one => W.t("statistics.mixed").to_owned(),
            _ if self.line.is_mixed() => W.t("statistics.two_clocks").to_owned(),
            Some(before) => format!("{before} · {}", W.fill("statistics.wall_note", &[("time", &by_wall)])),
            None => W.fill("statistics.wall_note", &[("time", &by_wall)]),
        };
        let middle = Tile {
            word: W.of("statistics", if one { "median" } else { "median_wall" }),
            value,
            unit,
            note,
            href: Some(self.here.list("decided", None)),
            glyph: None,
        };
        let deciles = spread.deciles();
        let (value, unit) = match deciles {
            Some(deciles) => range((deciles[0], deciles[8]), clock),
            None => (few(spread), String::new()),
        };
        let slowest = deciles.filter(|_| one).map(|deciles| (deciles[8], spread.longer_than(deciles[8])));
        let outer = Tile {
            word: W.of("statistics", "deciles"),
            value,
            unit,
            note: match slowest {
                Some((_, n)) => W.fill("statistics.slow_note", &[("n", &count(n))]),
                None => W.number("statistics.of_decided", count(spread.count())),
            },
            href: slowest.map(|(seconds, _)| format!("{}&over={seconds}", self.here.list("slower", None))),
            glyph: None,
        };
        [middle, outer]
    }

    /// What the bundle saved, by what the catalogue says of before and after.
    fn saved(&self, whole: &Line) -> Tile {
        let word = W.of("statistics", "visits");
        let dash = |note: &str| Tile {
            word: W.of("statistics", "visits"),
            value: "—".into(),
            unit: String::new(),
            note: W.of("statistics", note),
            href: None,
            glyph: None,
        };
        let Some(code) = self.item() else { return dash("visits_each") };
        let Some(saves) = Saves::of(self.catalogue, code) else { return dash("visits_none") };
        let (visits, materials) = saves.times(whole.counts.decided);
        Tile {
            word,
            value: saves.visits.1.to_string(),
            unit: W.of("statistics_unit", "visits"),
            note: W.fill(
                "statistics.visits_note",
                &[
                    ("before", &saves.visits.0.to_string()),
                    ("visits", &count(visits)),
                    ("materials", &count(materials)),
                ],
            ),
            href: None,
            glyph: None,
        }
    }

    pub fn course(&self, course: &[(i64, u64, Spread)]) -> Vec<Point> {
        let clock = self.clock();
        let one = self.item().is_some();
        let point = |(day, cases, spread): &(i64, u64, Spread)| {
            let date = CivilDate::in_china(0).plus_days(*day).to_string();
            let plain = |seconds: Option<i64>| {
                seconds.filter(|_| one).map(|seconds| self.plain(seconds)).unwrap_or_default()
            };
            let deciles = spread.deciles();
            Point {
                day: date.get(5..).unwrap_or_default().to_owned(),
                cases: *cases,
                median: if one { median(spread, clock) } else { "—".into() },
                spread: if one { band(spread, clock) } else { "—".into() },
                plain: [
                    plain(spread.median()),
                    plain(deciles.map(|deciles| deciles[0])),
                    plain(deciles.map(|deciles| deciles[8])),
                ],
            }
        };
        course.iter().map(point).collect()
    }

    pub fn lines(&self, lines: &BTreeMap<String, Line>, by: By) -> Vec<LineView> {
        let mut views: Vec<_> =
            lines.iter().map(|(code, line)| (line.counts.all, self.line(code, line, by))).collect();
        views.sort_by_key(|(all, _)| std::cmp::Reverse(*all));
        views.into_iter().map(|(_, view)| view).collect()
    }

    fn line(&self, code: &str, line: &Line, by: By) -> LineView {
        let (item, kind, name) = match by {
            By::Item => (code, "item", title(self.catalogue, code)),
            By::Station => {
                let name = self.stations.get(code).cloned().unwrap_or_else(|| code.to_owned());
                (self.item().unwrap_or_default(), "station", name)
            }
        };
        let promise = promised(self.catalogue, item);
        let clock = line.clock().and_then(Clock::named).unwrap_or_else(|| Clock::of(promise));
        let saves = Saves::of(self.catalogue, item).map(|saves| saves.times(line.counts.decided));
        let said = |seconds: &i64| spoken(*seconds, clock);
        LineView {
            href: match by {
                By::Item => {
                    self.here.figures(Some(code), self.here.filter.station.as_ref().map(|id| id.as_str()))
                }
                By::Station => self.here.figures(self.item(), Some(code)),
            },
            cases: count(line.counts.all),
            cases_href: self.here.list("all", Some((kind, code))),
            median: if line.is_mixed() {
                W.t("statistics.two_clocks").to_owned()
            } else {
                median(&line.used, clock)
            },
            spread: band(&line.used, clock),
            deciles: line
                .used
                .deciles()
                .map(|d| d.iter().map(said).collect::<Vec<_>>().join(" · "))
                .unwrap_or_default(),
            promised: promise.map_or_else(|| "—".into(), |period| view::period(W, period)),
            first_time: share(line.counts.first_time, line.counts.decided).unwrap_or_else(|| "—".into()),
            saved: saves.map_or_else(
                || "—".into(),
                |(visits, materials)| {
                    W.fill(
                        "statistics.saved_line",
                        &[("visits", &count(visits)), ("materials", &count(materials))],
                    )
                },
            ),
            overdue: line.counts.overdue,
            overdue_href: self.here.list("overdue", Some((kind, code))),
            code: code.to_owned(),
            name,
        }
    }
}
