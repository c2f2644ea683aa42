//! 走到哪一步 on a phone: the marks of a slip with the steps of its case between them, and what the citizen has to do.
//!
//! Refuses to say how anything ended.
use domain::case::{CaseState, Mark, Outcome, Want};
use domain::catalogue::Entry;
use domain::date::CivilDate;
use domain::ids::ItemCode;
use domain::money::{BillState, Why};
use domain::parcel::ParcelState;

use super::called;
use super::payments::{going_back, yuan};
use super::qr::{self, QrView};
use super::view::{self, MarkView};
use crate::carriers::SIMULATED;
use crate::services::progress::{Paying, Progress, Stage, Standing};
use crate::services::results::given_by;
use crate::words::Words;

/// A line of the timeline.
pub struct Line {
    /// Name of the glyph and class of its colour.
    pub glyph: &'static str,
    /// It happened, or happens now.
    pub begun: bool,
    /// What.
    pub word: String,
    /// When, or what is waited for.
    pub note: String,
}

/// What the citizen has to do.
pub struct Turn {
    /// The heading of the page.
    pub heading: String,
    /// Why the clock stands, and how long there still is.
    pub note: String,
    /// What is missing; nothing for whoever has no token.
    pub wants: Vec<WantView>,
    /// What people wrote with it.
    pub words: Vec<String>,
    /// Things are missing that are not named here.
    pub untold: bool,
}

/// A thing that is missing.
pub struct WantView {
    /// Its place, from 1.
    pub place: usize,
    /// What.
    pub name: String,
    /// What is wrong with it.
    pub flaw: String,
}

/// A bill on a phone.
pub struct PayView {
    /// What is paid for.
    pub what: String,
    /// How much is still to be paid, or was to be.
    pub amount: String,
    /// Until when, or what became of it.
    pub word: String,
    /// Name of the glyph and class of its colour.
    pub glyph: &'static str,
    /// A part came; what goes back.
    pub notes: Vec<String>,
    /// Where it is paid; none while nobody can, or need.
    pub pay: Option<PayLink>,
}

/// Where a bill is paid.
pub struct PayLink {
    /// The address.
    pub url: String,
    /// The same as a code.
    pub qr: Option<QrView>,
    /// There is a simulator.
    pub simulated: bool,
}

/// For whom, and when.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// In which language.
    pub w: Words,
    /// The item or bundle.
    pub item: Option<&'a ItemCode>,
    /// The token was brought.
    pub has_token: bool,
    /// The present time, milliseconds since 1970.
    pub now_ms: i64,
}

/// The marks alone, or with the steps before the last of them.
pub fn lines(marks: Vec<MarkView>, progress: Option<&Progress>, reader: Reader<'_>) -> Vec<Line> {
    let mut lines: Vec<Line> = marks.into_iter().map(of_mark).collect();
    if let Some(progress) = progress {
        let last = lines.len().saturating_sub(usize::from(lines.len() == Mark::ALL.len()));
        let steps = progress.steps.iter().map(|stage| of_step(progress, stage, reader));
        lines.splice(last..last, steps);
        if let (Some(line), Some(due_ms)) = (lines.last_mut().filter(|line| !line.begun), progress.due_ms) {
            line.note = due(reader, due_ms, progress.expected);
        }
    }
    lines
}

/// What the citizen has to do, if it is the citizen's turn.
pub fn turn(progress: &Progress, reader: Reader<'_>) -> Option<Turn> {
    let Reader { w, item, has_token, now_ms } = reader;
    let Some(request) = &progress.request else {
        let pays = progress.steps.iter().any(|stage| stage.standing == Standing::Payment);
        let (heading, note) = (w.t("progress.pay").to_owned(), w.t("progress.pay_note").to_owned());
        return pays.then_some(Turn { heading, note, wants: Vec::new(), words: Vec::new(), untold: false });
    };
    let catalogue = progress.volume.as_deref().map(|v| &v.catalogue);
    let entry: Option<Entry<'_>> = item.and_then(|code| catalogue.and_then(|c| c.entry(code)));
    let until = view::last_moment(w, request.due_at_ms, now_ms);
    let count = request.wants.len().to_string();
    let left = CivilDate::in_china(now_ms).days_to(CivilDate::in_china(request.due_at_ms)).max(0);
    let named = |(at, want): (usize, &Want)| WantView {
        place: at + 1,
        name: called::want(w, entry, &want.key),
        flaw: w.of("desk_flaw", want.flaw.as_str()),
    };
    Some(Turn {
        heading: w.fill("progress.supplement", &[("until", &until), ("n", &count)]),
        note: w.number("progress.supplement_note", left),
        wants: request.wants.iter().enumerate().filter(|_| has_token).map(named).collect(),
        words: request.words.clone(),
        untold: !has_token,
    })
}

/// Where the result of a case is.
pub struct Whereabouts {
    /// Name of the glyph and class of its colour.
    pub glyph: &'static str,
    /// In one sentence.
    pub sentence: String,
    /// Carrier and number, while it is on its way; may be empty.
    pub carrier: String,
}

/// Where the result is, in words for whoever waits for it.
pub fn result(progress: &Progress, reader: Reader<'_>) -> Option<Whereabouts> {
    let Reader { w, now_ms, .. } = reader;
    if let Some(same) = in_person(progress, reader) {
        return Some(same);
    }
    let stored = progress.result.as_ref()?;
    let state = stored.parcel.state;
    let glyph = match state {
        ParcelState::Delivered | ParcelState::PickedUp => "ok",
        ParcelState::Refused | ParcelState::Lost | ParcelState::Returned => "warn",
        _ => "run",
    };
    let time = view::time(stored.parcel.changed_at_ms, now_ms);
    let values = [("unit", stored.unit.as_str()), ("time", &time)];
    let on_its_way = matches!(state, ParcelState::Handed | ParcelState::OnTheWay);
    let carrier = carrier_name(w, &stored.parcel.carrier);
    let tracked = [("carrier", carrier.as_str()), ("number", &stored.tracking)];
    Some(Whereabouts {
        glyph,
        sentence: w.fill(&format!("result_is.{}", state.as_str()), &values),
        carrier: if on_its_way && !stored.tracking.is_empty() {
            w.fill("result_is.carrier", &tracked)
        } else {
            String::new()
        },
    })
}

/// A certificate of an item alone that was asked for, and that nobody has yet: whether it was given or not, the words are
/// the same, and the department says to the person alone how it ended.
fn in_person(progress: &Progress, reader: Reader<'_>) -> Option<Whereabouts> {
    let decided =
        matches!(progress.view.outcome, Some(Outcome::Granted | Outcome::PartlyGranted | Outcome::Refused));
    let over = decided && progress.view.state == CaseState::Completed;
    let here = progress.result.as_ref().is_none_or(|stored| {
        matches!(stored.parcel.state, ParcelState::AtWindow | ParcelState::ToPack | ParcelState::Packed)
    });
    let gives = reader.item.and_then(given_by).is_some();
    let unit = progress.view.accepting_unit().filter(|_| over && here && gives && reader.has_token)?;
    let sentence = reader.w.fill("result_is.in_person", &[("unit", unit.as_str())]);
    Some(Whereabouts { glyph: "run", sentence, carrier: String::new() })
}

/// What a carrier is called: the simulator says that it is one.
pub fn carrier_name(w: Words, carrier: &str) -> String {
    if carrier == SIMULATED { w.t("parcels.simulated").to_owned() } else { carrier.to_owned() }
}

/// The bills of a case, for whoever has the token: the newest first, without those that were taken back unpaid.
pub fn bills(progress: &Progress, reader: Reader<'_>) -> Vec<PayView> {
    let shown = |paying: &&Paying| {
        !matches!(paying.row.state, BillState::Cancelled) || !paying.row.received.is_nothing()
    };
    progress.bills.iter().rev().filter(shown).map(|paying| paid(progress, paying, reader)).collect()
}

/// A bill. That all of it goes back because a step was refused, or given up, would tell how it ended: such a bill stays
/// paid here, without that refund.
fn paid(progress: &Progress, paying: &Paying, reader: Reader<'_>) -> PayView {
    let (w, row) = (reader.w, &paying.row);
    let state = if row.state == BillState::GivenBack { BillState::Paid } else { row.state };
    let catalogue = progress.volume.as_deref().map(|v| &v.catalogue);
    let planned = progress.view.plan.step(&row.step);
    let what =
        planned.map_or_else(|| row.step.clone(), |step| called::step(w, (catalogue, reader.item), step));
    let open = row.state == BillState::Open;
    let left = row.fen.minus(row.kept).unwrap_or_default();
    let until = || w.fill("payments.until", &[("time", &view::last_moment(w, row.due_ms, reader.now_ms))]);
    let part = (open && !row.kept.is_nothing())
        .then(|| w.fill("payments.part", &[("paid", &yuan(w, row.kept)), ("left", &yuan(w, left))]));
    let told = paying.refunds.iter().filter(|(_, _, why)| *why != Why::GivenBack);
    let back = told.map(|(fen, state, _)| going_back(w, (*fen, *state)));
    let waits = (open && row.pay_url.is_empty()).then(|| w.t("payments.no_link").to_owned());
    let simulated = row.simulated;
    let link = |url: &str| PayLink { url: url.to_owned(), qr: qr::draw(url), simulated };
    PayView {
        what,
        amount: yuan(w, if open { left } else { row.fen }),
        word: if open { until() } else { w.of("bill_state", state.as_str()) },
        glyph: match state {
            BillState::Open | BillState::Lapsed => "warn",
            BillState::Paid => "ok",
            _ => "run",
        },
        notes: part.into_iter().chain(waits).chain(back).collect(),
        pay: Some(row.pay_url.as_str()).filter(|url| open && !url.is_empty()).map(link),
    }
}

fn of_mark(mark: MarkView) -> Line {
    let glyph = if mark.done { "ok" } else { "wait" };
    Line { glyph, begun: mark.done, word: mark.word, note: mark.note }
}

fn of_step(progress: &Progress, stage: &Stage, reader: Reader<'_>) -> Line {
    let Reader { w, item, now_ms, .. } = reader;
    let catalogue = progress.volume.as_deref().map(|v| &v.catalogue);
    let planned = progress.view.plan.step(&stage.id);
    let word = planned.map_or_else(|| stage.id.clone(), |step| called::step(w, (catalogue, item), step));
    let glyph = match stage.standing {
        Standing::Over => "ok",
        Standing::Office | Standing::Post => "run",
        Standing::Supplement | Standing::Payment => "warn",
        Standing::Later => "wait",
    };
    let since = stage.since_ms.map(|at_ms| view::time(at_ms, now_ms)).unwrap_or_default();
    let note = w.fill(&format!("progress.is_{}", stage.standing.as_str()), &[("time", &since)]);
    Line { glyph, begun: stage.standing != Standing::Later, word, note }
}

/// Until when it is to be decided, or that this is over.
fn due(reader: Reader<'_>, due_ms: i64, expected: bool) -> String {
    let Reader { w, now_ms, .. } = reader;
    let key = match (due_ms < now_ms, expected) {
        (true, _) => "progress.over_due",
        (false, true) => "progress.due_expected",
        (false, false) => "progress.due",
    };
    w.fill(key, &[("time", &view::last_moment(w, due_ms, now_ms))])
}
