//! The frame of console pages: top bar, navigation, foot. Every number is a link to what makes it, and nothing is
//! shown that the caller may not open.
use domain::case::CaseState;
use domain::catalogue::Catalogue;
use domain::ids::UnitId;
use domain::text::Language;

use super::view;
use crate::auth::policy::{self, Permit, Verdict};
use crate::auth::role::{Role, Roles};
use crate::error::ServiceError;
use crate::services::catalogue::newest_version;
use crate::services::editing;
use crate::services::handoff;
use crate::services::sessions::Caller;
use crate::services::tally::Tally;
use crate::services::work_list::{self, Query};
use crate::services::{accounts, durability, meta, money, notifications, parcels, rollout, standing, tasks};
use crate::store::{StoreError, Tx};
use crate::words::Words;

/// What every console page shows around its content.
#[derive(Clone)]
pub struct Frame {
    /// Time in China.
    pub clock: String,
    /// Version of the program.
    pub version: &'static str,
    /// Newest catalogue version, or a dash.
    pub catalogue: String,
    /// How old the newest verified backup is, in words.
    pub backup: String,
    /// Alarms so far.
    pub alarms: i64,
    /// What stands in the search field; none if the caller may not search.
    pub search: Option<String>,
    /// The caller's name.
    pub person: String,
    /// The caller's unit and roles.
    pub roles: String,
    /// The store has invented cases: every page says so.
    pub invented: bool,
    /// Groups of the navigation.
    pub nav: Vec<NavGroup>,
}

/// A group of the navigation.
#[derive(Debug, Clone)]
pub struct NavGroup {
    /// Its words.
    pub word: String,
    /// Its links.
    pub entries: Vec<NavEntry>,
}

/// A link of the navigation.
#[derive(Debug, Clone)]
pub struct NavEntry {
    /// Where it leads.
    pub href: String,
    /// Name of its icon.
    pub icon: &'static str,
    /// Its words.
    pub word: String,
    /// How many wait there.
    pub count: Option<Tally>,
    /// The count is shown as a fault.
    pub alarming: bool,
    /// This is the page.
    pub current: bool,
}

/// Which page is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Here<'a> {
    /// The inbox of the caller's unit, or a case of it.
    Desk,
    /// The window: a visit, a form.
    Window,
    /// Cases that the caller opened at a window.
    WindowMine,
    /// What the caller took in for other regions.
    Handoffs,
    /// What came from other regions for the caller's unit.
    Incoming,
    /// Visits by hour.
    WindowVisits,
    /// What waits at the window for the person standing there.
    PickUp,
    /// Parcels of the own unit.
    Parcels,
    /// The list of cases, or one of them.
    Cases(&'a Query),
    /// The list of items, or one of them.
    Items,
    /// The figures of cases.
    Statistics,
    /// Bills, payments and refunds.
    Payments,
    /// Drafts and the version that waits.
    Changes,
    /// Versions of the catalogue.
    Versions,
    /// Bundles, one of them, or a form.
    Bundles,
    /// The working-day calendar.
    Calendar,
    /// Rollouts of catalogue versions.
    Rollout,
    /// The list of terminals, or one of them.
    Terminals,
    /// Messages to citizens.
    Notifications,
    /// The list of accounts, or one of them.
    Accounts,
    /// The caller's own account.
    OwnAccount,
}

/// Reads what the frame shows to a caller.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn frame(tx: &mut Tx<'_>, caller: &Caller, now_ms: i64, here: Here<'_>) -> Result<Frame, ServiceError> {
    let words = Words(Language::ZhCn);
    let nav = navigation(tx, words, caller, (now_ms, here))?;
    let unit = caller.unit.iter().map(|unit| format!("{unit} · ")).collect::<String>();
    Ok(Frame {
        clock: view::time(now_ms, now_ms),
        version: env!("CARGO_PKG_VERSION"),
        catalogue: newest_version(tx)?.map_or_else(|| "—".into(), |v| format!("v{v}")),
        backup: backup(tx, words, now_ms)?,
        alarms: tx.query_int("SELECT COUNT(*) FROM alarm", &[])?,
        search: may(caller, &policy::SEE_CASES).then(String::new),
        person: caller.display.clone(),
        invented: meta::sample_data(tx)?.is_some(),
        roles: unit + &role_words(words, caller.roles),
        nav,
    })
}

fn may(caller: &Caller, permit: &Permit) -> bool {
    permit.judge(Some(caller.roles)) == Verdict::Go
}

/// The groups of the navigation, each with what the caller may open.
fn navigation(
    tx: &mut Tx<'_>,
    words: Words,
    caller: &Caller,
    (now_ms, here): (i64, Here<'_>),
) -> Result<Vec<NavGroup>, ServiceError> {
    let may = |permit: &Permit| may(caller, permit);
    let mut groups = vec![("windows", windows(words, caller, here))];
    groups.push(("cases", of_cases(tx, words, caller, (now_ms, here))?));
    if may(&policy::SEE_PAYMENTS) && (caller.unit.is_some() || sees_all(caller)) {
        groups.push(("money", vec![payments(tx, words, caller, here)?]));
    }
    if may(&policy::SEE_STATISTICS) && (caller.unit.is_some() || caller.roles.has(Role::Operator)) {
        let place = ("statistics", "/statistics", "chart");
        groups.push(("figures", vec![link(words, place, here == Here::Statistics, None)]));
    }
    let mut entries = if may(&policy::SEE_CATALOGUE) { catalogue(tx, words, here)? } else { Vec::new() };
    if may(&policy::PUBLISH) {
        entries.push(publishing(tx, words, here)?);
    }
    groups.push(("catalogue", entries));
    groups.push(("system", system(tx, words, caller, here)?));
    let shown = groups.into_iter().filter(|(_, entries)| !entries.is_empty());
    Ok(shown.map(|(word, entries)| NavGroup { word: words.of("nav", word), entries }).collect())
}

/// What is done at a window.
fn windows(words: Words, caller: &Caller, here: Here<'_>) -> Vec<NavEntry> {
    let mut entries = Vec::new();
    if may(caller, &policy::WINDOW) {
        for (place, is_here) in [
            (("window", "/window", "user"), here == Here::Window),
            (("window_mine", "/window/mine", "list"), here == Here::WindowMine),
            (("pick_up", "/window/pick-up", "right"), here == Here::PickUp),
            (("handoffs", "/handoffs", "undo"), here == Here::Handoffs),
        ] {
            entries.push(link(words, place, is_here, None));
        }
    }
    if may(caller, &policy::SEE_VISITS) {
        let place = ("window_visits", "/window/visits", "calendar");
        entries.push(link(words, place, here == Here::WindowVisits, None));
    }
    entries
}

/// Cases: the own desk, what comes from elsewhere, all of them, and how results are handed over.
fn of_cases(
    tx: &mut Tx<'_>,
    words: Words,
    caller: &Caller,
    (now_ms, here): (i64, Here<'_>),
) -> Result<Vec<NavEntry>, ServiceError> {
    if !may(caller, &policy::SEE_CASES) {
        return Ok(Vec::new());
    }
    let mut entries = cases(tx, words, here)?;
    if may(caller, &policy::DECIDE_CASES) {
        entries.insert(0, desk(tx, words, caller, (now_ms, here))?);
        if let Some(unit) = &caller.unit {
            let count = Some(handoff::waiting_at_home(tx, unit.as_str())?);
            let place = ("incoming", "/handoffs/incoming", "doc");
            entries.insert(1, link(words, place, here == Here::Incoming, count));
        }
    }
    if may(caller, &policy::PARCELS)
        && let Some(unit) = &caller.unit
    {
        entries.push(of_parcels(tx, words, unit, here)?);
    }
    Ok(entries)
}

/// Terminals, messages, accounts.
fn system(
    tx: &mut Tx<'_>,
    words: Words,
    caller: &Caller,
    here: Here<'_>,
) -> Result<Vec<NavEntry>, ServiceError> {
    let mut entries = Vec::new();
    if may(caller, &policy::MANAGE_TERMINALS) {
        let count = Some(standing::counts(tx)?.0);
        entries.push(link(words, ("terminals", "/terminals", "term"), here == Here::Terminals, count));
    }
    if may(caller, &policy::SEND_MESSAGES) {
        entries.push(messages(tx, words, here)?);
    }
    if may(caller, &policy::MANAGE_ACCOUNTS) {
        let count = Some(accounts::count(tx)?.0);
        entries.push(link(words, ("accounts", "/accounts", "list"), here == Here::Accounts, count));
    }
    entries.push(link(words, ("account", "/account", "user"), here == Here::OwnAccount, None));
    Ok(entries)
}

/// The notice of sample data, if a catalogue is one: every page that shows its content says so.
pub fn sample(catalogue: &Catalogue) -> Option<String> {
    catalogue.is_sample().then(|| catalogue.notice.get(Language::ZhCn).to_owned())
}

/// Roles in words.
pub fn role_words(words: Words, roles: Roles) -> String {
    roles.iter().map(|role| words.of("role", role.as_str())).collect::<Vec<_>>().join("、")
}

fn link(
    words: Words,
    (key, href, icon): (&str, &str, &'static str),
    current: bool,
    count: Option<u64>,
) -> NavEntry {
    let (href, word) = (href.to_owned(), words.of("nav", key));
    NavEntry { href, icon, word, count: count.map(Tally::new), alarming: false, current }
}

fn catalogue(tx: &mut Tx<'_>, words: Words, here: Here<'_>) -> Result<Vec<NavEntry>, ServiceError> {
    let (drafts, _) = editing::counts(tx)?;
    Ok(vec![
        link(words, ("items", "/catalogue/items", "doc"), here == Here::Items, None),
        link(words, ("bundles", "/catalogue/bundles", "graph"), here == Here::Bundles, None),
        link(words, ("calendar", "/catalogue/calendar", "calendar"), here == Here::Calendar, None),
        link(words, ("changes", "/catalogue/changes", "undo"), here == Here::Changes, Some(drafts)),
        link(words, ("versions", "/catalogue/versions", "list"), here == Here::Versions, None),
    ])
}

/// Whether a caller sees the bills of every unit.
pub fn sees_all(caller: &Caller) -> bool {
    caller.roles.has_any(&[Role::Operator, Role::Inspector])
}

/// The unit whose bills a caller sees; none for whoever sees all.
pub fn bills_of(caller: &Caller) -> Option<&str> {
    let own = caller.unit.as_ref().map_or("", |unit| unit.as_str());
    (!sees_all(caller)).then_some(own)
}

/// The link to bills: it counts those for which a person has to do something.
fn payments(
    tx: &mut Tx<'_>,
    words: Words,
    caller: &Caller,
    here: Here<'_>,
) -> Result<NavEntry, ServiceError> {
    let needs = money::needs(tx, bills_of(caller))?;
    let entry = link(words, ("payments", "/payments", "doc"), here == Here::Payments, Some(needs));
    Ok(NavEntry { alarming: needs > 0, ..entry })
}

/// The link to rollouts: it counts the one that waits for somebody.
fn publishing(tx: &mut Tx<'_>, words: Words, here: Here<'_>) -> Result<NavEntry, ServiceError> {
    let halted = rollout::latest(tx)?.is_some_and(|r| r.course.state == rollout::State::Halted);
    let entry = link(words, ("rollout", "/rollout", "ring"), here == Here::Rollout, halted.then_some(1));
    Ok(NavEntry { alarming: halted, ..entry })
}

/// The link to messages: it counts those that failed.
fn messages(tx: &mut Tx<'_>, words: Words, here: Here<'_>) -> Result<NavEntry, ServiceError> {
    let failed = notifications::failed(tx)?;
    let entry = link(
        words,
        ("notifications", "/notifications", "bell"),
        here == Here::Notifications,
        (failed > 0).then_some(failed),
    );
    Ok(NavEntry { alarming: failed > 0, ..entry })
}

/// The link to the inbox: it counts what waits for the caller's unit, as a fault if something of it is over.
fn desk(
    tx: &mut Tx<'_>,
    words: Words,
    caller: &Caller,
    (now_ms, here): (i64, Here<'_>),
) -> Result<NavEntry, ServiceError> {
    let counts = caller.unit.as_ref().map(|unit| tasks::counts(tx, unit, now_ms)).transpose()?;
    let over = counts.as_ref().is_some_and(|(_, over)| !over.is_zero());
    let count = counts.map(|(states, _)| states.iter().map(|(_, n)| n).sum());
    let entry = link(words, ("desk", "/desk", "inbox"), here == Here::Desk, count);
    Ok(NavEntry { alarming: over, ..entry })
}

/// The link to parcels: it counts what is to be packed and what needs somebody, the latter as a fault.
fn of_parcels(
    tx: &mut Tx<'_>,
    words: Words,
    unit: &UnitId,
    here: Here<'_>,
) -> Result<NavEntry, ServiceError> {
    let [pack, _, needs, ..] = parcels::counts(tx, unit)?;
    let entry = link(words, ("parcels", "/parcels", "ring"), here == Here::Parcels, Some(pack + needs));
    Ok(NavEntry { alarming: needs > 0, ..entry })
}

fn cases(tx: &mut Tx<'_>, words: Words, here: Here<'_>) -> Result<Vec<NavEntry>, ServiceError> {
    let counts = work_list::counts(tx, &Query::default())?;
    let count = |state| counts.iter().find(|(s, _)| *s == state).map(|(_, n)| *n);
    let state_here = match here {
        Here::Cases(query) => Some(query.state),
        _ => None,
    };
    let entry = |state: CaseState, icon, key| NavEntry {
        href: format!("/cases?state={}", state.as_str()),
        icon,
        word: words.of("nav", key),
        count: count(state),
        alarming: state == CaseState::Quarantined && count(state).is_some_and(|n| !n.is_zero()),
        current: state_here == Some(Some(state)),
    };
    let all = NavEntry {
        href: "/cases".into(),
        icon: "doc",
        word: words.of("nav", "all"),
        count: Some(counts.iter().map(|(_, n)| *n).sum()),
        alarming: false,
        current: state_here == Some(None),
    };
    Ok(vec![
        all,
        entry(CaseState::Submitted, "wait", "submitted"),
        entry(CaseState::Returned, "undo", "returned"),
        entry(CaseState::Quarantined, "list", "quarantined"),
    ])
}

/// How old the newest verified backup is.
fn backup(tx: &mut Tx<'_>, words: Words, now_ms: i64) -> Result<String, StoreError> {
    Ok(match durability::last(tx)? {
        None => words.t("site.no_backup").to_owned(),
        Some(last) => {
            let span = view::span(words, now_ms.saturating_sub(last.made_at_ms));
            words.fill("site.backup", &[("span", &span)])
        }
    })
}
