//! How one rollout stands, in words and bars: its rings, its terminals, what was done with it.
use domain::catalogue::{Ring, RingSize};

use super::{W, state_badge, title};
use crate::error::ServiceError;
use crate::pages::view::{self, Badge};
use crate::services::rollout::board::{self, BoardRow, StepRow};
use crate::services::rollout::{self, Count, Rollout, State as Standing, Step, Told};
use crate::store::Tx;

/// Rows of the board, at most; the tabs lead to the others.
const MAX_ROWS: usize = 500;
/// Length of a bar of progress, in units of its drawing.
const BAR: u64 = 300;

pub(super) struct Current {
    pub(super) title: String,
    pub(super) sizes: String,
    pub(super) badge: Badge,
    pub(super) note: Option<NoteView>,
    pub(super) rings: Vec<RingView>,
    pub(super) back: Vec<(&'static str, String)>,
    pub(super) way_back_command: bool,
    pub(super) tabs: Vec<Tab>,
    pub(super) cells: Vec<(&'static str, String)>,
    pub(super) rows: Vec<RowView>,
    pub(super) more: Option<String>,
    pub(super) history: Vec<StepView>,
    pub(super) actions: Vec<Action>,
}

pub(super) struct NoteView {
    pub(super) class: &'static str,
    pub(super) title: String,
    pub(super) text: String,
}

pub(super) struct RingView {
    pub(super) name: String,
    pub(super) fresh: String,
    pub(super) badge: Badge,
    pub(super) good: u64,
    pub(super) bad: u64,
    pub(super) facts: Vec<(&'static str, String)>,
}

pub(super) struct Tab {
    pub(super) href: String,
    pub(super) word: &'static str,
    pub(super) count: usize,
    pub(super) current: bool,
}

pub(super) struct RowView {
    pub(super) terminal: String,
    pub(super) station: String,
    pub(super) ring: String,
    pub(super) badge: Badge,
    pub(super) version: String,
    pub(super) since: String,
    pub(super) heard: String,
    pub(super) note: String,
}

pub(super) struct StepView {
    pub(super) glyph: &'static str,
    pub(super) word: String,
    pub(super) about: String,
    pub(super) reason: String,
}

pub(super) struct Action {
    pub(super) href: String,
    pub(super) word: &'static str,
    pub(super) main: bool,
}

/// Reads how a rollout stands.
pub(super) fn current(
    tx: &mut Tx<'_>,
    rollout: &Rollout,
    latest: Option<&Rollout>,
    (show, now_ms): (&str, i64),
) -> Result<Current, ServiceError> {
    let counts = board::counts(tx, rollout)?;
    let rows = board::terminals(tx, rollout.id)?;
    let steps = board::steps(tx, rollout.id)?;
    let is_latest = latest.is_some_and(|l| l.id == rollout.id);
    let show = Show::from_name(show).unwrap_or_else(|| Show::usual(rollout));
    let wanted = |tab: Show| rows.iter().filter(move |row| tab.has(rollout, row));
    let tabs = Show::ALL.map(|tab| Tab {
        href: tab_address(rollout, is_latest, tab),
        word: W.t(tab.key()),
        count: wanted(tab).count(),
        current: tab == show,
    });
    let all = wanted(show).count();
    Ok(Current {
        title: title(rollout),
        sizes: sizes(rollout, rows.len()),
        badge: state_badge(rollout),
        note: note(rollout, &counts, &steps, now_ms),
        rings: ring_views(rollout, &counts, now_ms),
        back: back(rollout, &rows),
        way_back_command: rollout.way_back.is_none() && rollout.before > 0,
        tabs: tabs.into(),
        cells: rows
            .iter()
            .filter(|row| row.ring == Some(rollout.course.ring))
            .take(MAX_ROWS)
            .map(|row| (result(rollout, row).glyph, row.station_name.clone()))
            .collect(),
        rows: wanted(show).take(MAX_ROWS).map(|row| row_view(rollout, row, now_ms)).collect(),
        more: (all > MAX_ROWS).then(|| W.fill("rollout.more", &[("n", &(all - MAX_ROWS).to_string())])),
        history: steps.iter().map(|step| step_view(rollout, step, now_ms)).collect(),
        actions: if is_latest { actions(rollout) } else { Vec::new() },
    })
}

fn tab_address(rollout: &Rollout, is_latest: bool, tab: Show) -> String {
    let id = if is_latest { String::new() } else { format!("id={}&", rollout.id) };
    format!("/rollout?{id}show={}", tab.name())
}

/// Which terminals the board shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    /// Those of the ring in hand.
    Ring,
    /// Those that failed or are awaited.
    Open,
    /// All.
    All,
}

impl Show {
    const ALL: [Self; 3] = [Self::Ring, Self::Open, Self::All];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Open => "open",
            Self::All => "all",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Ring => "rollout.show_ring",
            Self::Open => "rollout.show_open",
            Self::All => "rollout.show_all",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.name() == name)
    }

    /// What is of interest while nobody chose.
    fn usual(rollout: &Rollout) -> Self {
        if rollout.is_under_way() || rollout.course.state == Standing::Halted {
            Self::Ring
        } else {
            Self::All
        }
    }

    fn has(self, rollout: &Rollout, row: &BoardRow) -> bool {
        match self {
            Self::Ring => row.ring == Some(rollout.course.ring),
            Self::Open => matches!(result(rollout, row).glyph, "bad" | "wait"),
            Self::All => true,
        }
    }
}

fn sizes(rollout: &Rollout, all: usize) -> String {
    let size = |size: RingSize| match size {
        RingSize::Terminals(n) => usize::try_from(n).unwrap_or(all).min(all),
        RingSize::All(_) => all,
    };
    let mut sizes: Vec<usize> = rollout.course.rings.iter().map(|ring| size(ring.size)).collect();
    sizes.dedup();
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    if sizes.is_empty() {
        return W.t("rollout.to_all").to_owned();
    }
    W.fill("rollout.sizes", &[("sizes", &sizes.join(" → "))])
}

fn note(rollout: &Rollout, counts: &[Count], steps: &[StepRow], now_ms: i64) -> Option<NoteView> {
    let class = match rollout.course.state {
        Standing::Halted => "bad",
        Standing::Paused => "warn",
        Standing::RolledBack => "run",
        Standing::Running | Standing::Done => return None,
    };
    let state = rollout.course.state.as_str();
    let count = counts.get(rollout.course.ring).copied().unwrap_or_default();
    let numbers = [
        ("ring", (rollout.course.ring + 1).to_string()),
        ("all", count.all.to_string()),
        ("failed", count.failed.to_string()),
        ("silent", count.silent().to_string()),
        ("v", rollout.version.to_string()),
        ("before", rollout.before.to_string()),
        ("back", rollout.way_back.unwrap_or(0).to_string()),
        ("span", view::span(W, now_ms - rollout.changed_ms)),
    ];
    let numbers = numbers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let reason = steps.first().map(why).filter(|reason| !reason.is_empty());
    let text = W.fill(&format!("rollout_note.{state}_text"), &numbers);
    Some(NoteView {
        class,
        title: W.fill(&format!("rollout_note.{state}"), &numbers),
        text: reason.map_or(text.clone(), |reason| format!("{}{reason}。{text}", W.t("rollout.reason_is"))),
    })
}

/// The reason of a step in words.
fn why(step: &StepRow) -> String {
    match rollout::Why::from_name(&step.reason) {
        Some(why) if step.actor == "centre" => W.of("rollout_why", why.as_str()),
        _ => step.reason.clone(),
    }
}

fn ring_views(rollout: &Rollout, counts: &[Count], now_ms: i64) -> Vec<RingView> {
    let rings = rollout.course.rings.iter().zip(counts).enumerate();
    let view = |(at, (ring, count)): (usize, (&Ring, &Count))| {
        let number = (at + 1).to_string();
        let share = |part: u64| (part * BAR).checked_div(count.all).unwrap_or(0);
        let minutes = i64::from(ring.deadline_minutes) * 60_000;
        let numbers = [
            ("adopted", count.adopted.to_string()),
            ("all", count.all.to_string()),
            ("failed", count.failed.to_string()),
            ("silent", count.silent().to_string()),
            ("success", ring.success_percent.to_string()),
            ("failure", ring.failure_percent.to_string()),
            ("span", view::span(W, minutes)),
            ("watch", view::span(W, i64::from(ring.watch_minutes) * 60_000)),
        ];
        let numbers = numbers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let mut facts = vec![
            (W.t("rollout.good"), W.fill("rollout.good_of", &numbers)),
            (W.t("rollout.shares"), W.fill("rollout.shares_of", &numbers)),
        ];
        let here = at == rollout.course.ring && rollout.course.state == Standing::Running;
        let watched_ms = rollout.course.watched_ms(*count).filter(|until| here && *until > now_ms);
        if here && watched_ms.is_none() {
            let time = view::time(rollout.course.deadline_ms(), now_ms);
            facts.push((W.t("rollout.deadline"), W.fill("rollout.deadline_at", &[("time", &time)])));
        }
        if ring.watch_minutes > 0 {
            let words = match watched_ms {
                Some(ms) => W.fill("rollout.watched_until", &[("time", &view::time(ms, now_ms))]),
                None => W.fill("rollout.watch_of", &numbers),
            };
            facts.push((W.t("rollout.watch"), words));
        }
        RingView {
            name: W.fill("rollout.ring", &[("n", &number)]),
            fresh: W.fill("rollout.fresh", &[("n", &count.all.to_string())]),
            badge: ring_badge(rollout, at, count.all),
            good: share(count.adopted),
            bad: share(count.failed),
            facts,
        }
    };
    rings.map(view).collect()
}

fn ring_badge(rollout: &Rollout, at: usize, terminals: u64) -> Badge {
    let here = rollout.course.ring;
    if terminals == 0 {
        return Badge { glyph: "off", word: W.t("rollout.ring_empty").to_owned() };
    }
    if at == here && rollout.course.state != Standing::Done {
        return state_badge(rollout);
    }
    let (glyph, key) = if at <= here { ("ok", "rollout.ring_done") } else { ("off", "rollout.ring_waits") };
    Badge { glyph, word: W.t(key).to_owned() }
}

/// What became of a terminal.
fn result(rollout: &Rollout, row: &BoardRow) -> Badge {
    let told = rollout.course.tells(row.ring, row.adopted_ms.is_some());
    let (glyph, key) = match (told, row.catalogue) {
        (Told::Back, now) if now.is_some() && now == rollout.way_back => ("ok", "back"),
        (Told::Back, _) => ("wait", "going_back"),
        (_, Some(now)) if now == rollout.version => ("ok", "adopted"),
        (_, Some(now)) if now > rollout.version => ("ok", "newer"),
        _ if row.failed.is_some() => ("bad", "failed"),
        _ if was_silent(rollout, row) => ("bad", "silent"),
        (Told::New, _) => ("wait", "awaited"),
        (Told::Before, _) => ("off", "not_told"),
    };
    Badge { glyph, word: W.of("rollout_result", key) }
}

/// Nothing was heard of a terminal until its ring's time was over, which counts as a failure.
fn was_silent(rollout: &Rollout, row: &BoardRow) -> bool {
    let course = &rollout.course;
    let over = matches!(course.state, Standing::Halted | Standing::RolledBack)
        && rollout.changed_ms >= course.deadline_ms();
    over && row.ring == Some(course.ring) && row.adopted_ms.is_none()
}

fn row_view(rollout: &Rollout, row: &BoardRow, now_ms: i64) -> RowView {
    let time = |ms: Option<i64>| ms.map_or_else(|| "—".to_owned(), |ms| view::time(ms, now_ms));
    // A terminal that runs something else now has not had it since then.
    let adopted = row.adopted_ms.filter(|_| row.catalogue == Some(rollout.version));
    let since = adopted.or(row.failed.as_ref().map(|(at, _)| *at));
    let failure = row.failed.as_ref().map(|(_, kind)| kind.as_str());
    let failure = failure.or_else(|| row.failures.first().map(|f| f.kind.as_str()));
    let running = rollout.course.state == Standing::Running && row.ring == Some(rollout.course.ring);
    let note = match (failure, row.adopted_ms) {
        (Some(kind), None) => W.of("rollout_failure", kind),
        (None, None) if running => {
            let time = view::time(rollout.course.deadline_ms(), now_ms);
            W.fill("rollout.fails_at", &[("time", &time)])
        }
        _ => String::new(),
    };
    RowView {
        terminal: row.terminal.to_string(),
        station: row.station_name.clone(),
        ring: match row.ring {
            Some(ring) => W.fill("rollout.in_ring", &[("n", &(ring + 1).to_string())]),
            None => W.t("rollout.newcomer").to_owned(),
        },
        badge: result(rollout, row),
        version: row.catalogue.map_or_else(|| "—".to_owned(), |v| format!("v{v}")),
        since: time(since),
        heard: time(row.heard_ms),
        note,
    }
}

fn back(rollout: &Rollout, rows: &[BoardRow]) -> Vec<(&'static str, String)> {
    let ahead = rollout.course.state != Standing::RolledBack;
    let Some(way_back) = rollout.way_back.filter(|_| ahead) else { return Vec::new() };
    let told = rows.iter().filter(|r| r.ring.is_some_and(|ring| ring <= rollout.course.ring)).count();
    let numbers = [
        ("back", way_back.to_string()),
        ("before", rollout.before.to_string()),
        ("v", rollout.version.to_string()),
        ("told", told.to_string()),
        ("rest", (rows.len() - told).to_string()),
    ];
    let numbers = numbers.each_ref().map(|(name, value)| (*name, value.as_str()));
    ["how", "terminals", "cases", "number"]
        .map(|key| {
            let label = match key {
                "how" => W.t("rollout_back.how"),
                "terminals" => W.t("rollout_back.terminals"),
                "cases" => W.t("rollout_back.cases"),
                _ => W.t("rollout_back.number"),
            };
            (label, W.fill(&format!("rollout_back.{key}_is"), &numbers))
        })
        .into()
}

fn step_view(rollout: &Rollout, step: &StepRow, now_ms: i64) -> StepView {
    let glyph = match step.step {
        Step::Begin | Step::NextRing | Step::GoOn => "run",
        Step::Finish => "ok",
        Step::Pause => "off",
        Step::Halt => "bad",
        Step::RollBack => "undo",
    };
    let numbers = [("ring", (step.ring + 1).to_string()), ("v", rollout.version.to_string())];
    let numbers = numbers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let who = match (&step.person, step.actor.as_str()) {
        (Some(person), _) => person.clone(),
        (None, "centre") => W.t("rollout.by_itself").to_owned(),
        (None, "operator") => W.t("rollout.by_command").to_owned(),
        (None, other) => other.to_owned(),
    };
    StepView {
        glyph,
        word: W.fill(&format!("rollout_step.{}", step.step.as_str()), &numbers),
        about: format!("{} · {who}", view::time(step.at_ms, now_ms)),
        reason: why(step),
    }
}

fn actions(rollout: &Rollout) -> Vec<Action> {
    let steps = [Step::Pause, Step::Halt, Step::GoOn, Step::RollBack];
    let may = steps.into_iter().filter(|step| rollout.course.may(*step, rollout.way_back.is_some()));
    may.map(|step| Action {
        href: format!("/rollout/{}", step.as_str()),
        word: match step {
            Step::Pause => W.t("rollout_do.pause"),
            Step::Halt => W.t("rollout_do.halt"),
            Step::GoOn => W.t("rollout_do.go_on"),
            _ => W.t("rollout_do.roll_back"),
        },
        main: step == Step::RollBack && rollout.course.state == Standing::Halted,
    })
    .collect()
}
