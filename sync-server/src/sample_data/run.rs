//! Lets the invented cases go through the centre, in the order of their time: what people click and what the clock does
//! are the services that everybody else uses, so that `verify` agrees.
//!
//! Only what is on its way is in memory. Refuses to invent a result: the fold gives it.
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use domain::bundle::DoneBy;
use domain::case::{Action, CaseState, CaseView, Flaw, Plan, ReturnReason, StepState, StepView, Want};
use domain::catalogue::{Catalogue, Entry};
use domain::date::CivilDate;
use domain::ids::{CaseNo, CounterState, EnvelopeId, Issuer, StationId, UnitId};
use domain::situation::SituationAnswers;
use rand_chacha::ChaCha20Rng;

use super::make::{HandedIn, hand_in, person};
use super::pace::{in_office, stages};
use super::shape::{Arrival, Fate, Flow, MINUTE_MS, Pace, Shape, below};
use crate::auth::names::AccountId;
use crate::auth::role::{Role, Roles};
use crate::auth::token::Token;
use crate::error::{ProblemCode, ServiceError};
use crate::services::cases::{self, Actor};
use crate::services::review::{self, Click, Deed};
use crate::services::sessions::Caller;
use crate::services::{Context, clockwork, enrol};
use crate::store::Tx;

const HOUR_MS: i64 = 60 * MINUTE_MS;
/// The clock has its turn so often.
const TURN_MS: i64 = 5 * MINUTE_MS;
/// Places of accounts from which on nobody real is for long.
const FIRST_ACCOUNT: u64 = 900_000;
/// A deed that does not fit is tried again so often.
const TRIES: u8 = 40;

/// Something that comes in its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Accept,
    Step(usize),
    Supply,
    Withdraw,
}

/// A case on its way.
struct Going {
    id: EnvelopeId,
    exact: bool,
    fate: Fate,
    pace: Pace,
    awaited: BTreeSet<Event>,
    tries: u8,
    asked: bool,
}

/// All that goes on.
pub struct Course<'a> {
    pub(super) shape: &'a Shape,
    pub(super) catalogue: &'a Catalogue,
    pub(super) flows: &'a [Flow],
    pub(super) first_ms: i64,
    /// Nothing happens from here on.
    pub(super) end_ms: i64,
    pub(super) rng: ChaCha20Rng,
    going: BTreeMap<u64, Going>,
    queue: BinaryHeap<Reverse<(i64, u64, Event)>>,
    stations: Vec<(StationId, u16)>,
    counters: BTreeMap<u16, CounterState>,
    people: BTreeMap<UnitId, u64>,
    clicks: u64,
    turned_ms: i64,
}

impl<'a> Course<'a> {
    /// Nothing has come in yet.
    pub fn new(
        shape: &'a Shape,
        (catalogue, flows): (&'a Catalogue, &'a [Flow]),
        (first_ms, end_ms): (i64, i64),
        rng: ChaCha20Rng,
    ) -> Self {
        let stations = catalogue.stations.values().map(|s| (s.id.clone(), s.number)).collect();
        Self {
            shape,
            catalogue,
            flows,
            first_ms,
            end_ms,
            rng,
            going: BTreeMap::new(),
            queue: BinaryHeap::new(),
            stations,
            counters: BTreeMap::new(),
            people: BTreeMap::new(),
            clicks: 0,
            turned_ms: first_ms,
        }
    }

    /// Whether something comes before this moment; without a moment, whether anything comes at all.
    pub fn has_before(&self, at_ms: i64) -> bool {
        self.queue.peek().is_some_and(|Reverse((next, ..))| *next < at_ms.min(self.end_ms))
    }

    /// Does what comes next.
    ///
    /// # Errors
    /// [`ServiceError`] if the store fails, or a case does not go as it should.
    pub fn step(&mut self, tx: &mut Tx<'_>, context: &Context) -> Result<(), ServiceError> {
        let Some(Reverse((at_ms, key, event))) = self.queue.pop() else { return Ok(()) };
        self.turn(tx, context, at_ms)?;
        let Some(mut going) = self.going.remove(&key) else { return Ok(()) };
        going.awaited.remove(&event);
        let (row, view) = cases::current(tx, &going.id)?;
        let done = match event {
            _ if !view.state.is_open() => Ok(view),
            Event::Supply => {
                if view.asked.iter().any(|asked| asked.sent) {
                    let action = Action::supplement(EnvelopeId::new(at_ms, &mut self.rng), &["material.0"]);
                    let actor = Actor {
                        id: row.terminal.as_str(),
                        role: "terminal",
                        on_behalf_of: None,
                        click: None,
                    };
                    let view = cases::add(tx, &context.shelf, at_ms, (&row, view), (actor, action))?;
                    review::follow(tx, context, at_ms, (&row, view))
                } else {
                    Err(ProblemCode::CaseChanged.into())
                }
            }
            Event::Accept if view.state != CaseState::Submitted => Ok(view),
            _ => self.deed(tx, context, (at_ms, event), (&mut going, &view)),
        };
        match done {
            Ok(view) => self.go_on(key, going, (at_ms, &view)),
            Err(ServiceError::Refused { code, .. }) if going.tries < TRIES => {
                // Too early by the law, or the clock was there first.
                going.tries += 1;
                let later = if code == ProblemCode::TooEarly { 24 * HOUR_MS } else { 10 * MINUTE_MS };
                going.awaited.insert(event);
                self.queue.push(Reverse((at_ms + later, key, event)));
                self.going.insert(key, going);
            }
            Err(e) => return Err(e),
        }
        Ok(())
    }

    /// What the clock does by itself until a moment.
    fn turn(&mut self, tx: &mut Tx<'_>, context: &Context, at_ms: i64) -> Result<(), ServiceError> {
        if at_ms < self.turned_ms + TURN_MS {
            return Ok(());
        }
        self.turned_ms = at_ms;
        while clockwork::is_behind(tx)? {
            clockwork::follow_catalogue(tx, context, at_ms)?;
        }
        while clockwork::is_due(tx, at_ms)? && clockwork::turn(tx, context, at_ms)?.more {}
        Ok(())
    }

    /// A case comes in.
    ///
    /// # Errors
    /// As [`Course::step`].
    pub fn arrive(
        &mut self,
        tx: &mut Tx<'_>,
        context: &Context,
        arrival: Arrival,
    ) -> Result<(), ServiceError> {
        let (at_ms, flows) = (arrival.at_ms, self.flows);
        self.turn(tx, context, at_ms)?;
        let Some(flow) = flows.get(arrival.flow) else { return Ok(()) };
        let Some(entry) = self.catalogue.entry(flow.code()) else { return Ok(()) };
        let missing = |what: &str| ServiceError::Inconsistent(format!("sample data: {} {what}", flow.code()));
        let fate = flow.fate(&mut self.rng);
        let (plan, situation) = self.plan(entry).ok_or_else(|| missing("has no plan"))?;
        let (station, issuer) = self.station().ok_or_else(|| missing("has no station"))?;
        let today = CivilDate::in_china(at_ms);
        let counter = self.counters.entry(issuer).or_insert(CounterState { date: today, counter: 0 });
        *counter = counter.next(today).map_err(|_| missing("has too many cases a day"))?;
        let used = *counter;
        let of = Issuer::new(issuer).ok_or_else(|| missing("has a station without a number"))?;
        let id = EnvelopeId::new(at_ms, &mut self.rng);
        let handed_in = HandedIn {
            id,
            number: CaseNo::issue(of, used),
            item: flow.code(),
            catalogue_version: self.catalogue.version,
            station: &station,
            applicant: person(self.shape, today, &mut self.rng),
            situation,
        };
        hand_in(tx, context, (at_ms, &mut self.rng), handed_in)?;
        enrol::note_counter(tx, of, used)?;
        let action = if fate == Fate::Returned {
            Action::Returned { reasons: vec![ReturnReason { field: "phone".into(), kind: "phone".into() }] }
        } else {
            Action::Submitted { plan }
        };
        let view = cases::act(tx, &context.shelf, at_ms, (&id, 1), action)?;
        let day = (at_ms - self.first_ms) / (24 * HOUR_MS);
        let pace = flow.pace(day, &mut self.rng);
        let going =
            Going { id, exact: flow.exact, fate, pace, awaited: BTreeSet::new(), tries: 0, asked: false };
        self.clicks += 1;
        self.go_on(self.clicks, going, (at_ms, &view));
        Ok(())
    }

    /// The plan of somebody in one of the situations that the bundle is tried by.
    fn plan(&mut self, entry: Entry<'_>) -> Option<(Plan, Option<SituationAnswers>)> {
        let posted = below(&mut self.rng, 10) < 6;
        let of = |answers: &SituationAnswers| Plan::of(self.catalogue, entry, answers, &|_| posted).ok();
        let Entry::Bundle(bundle) = entry else { return Some((of(&SituationAnswers::new())?, None)) };
        let samples: Vec<_> = bundle.sample_cases.iter().filter(|case| !case.steps.is_empty()).collect();
        if samples.is_empty() {
            return Some((of(&SituationAnswers::new())?, None));
        }
        let n = below(&mut self.rng, u32::try_from(samples.len()).unwrap_or(1));
        let answers = &samples.get(n as usize)?.answers;
        let of = |answers: &SituationAnswers| Plan::of(self.catalogue, entry, answers, &|_| posted).ok();
        Some((of(answers)?, Some(answers.clone())))
    }

    /// The first stations of the catalogue are busier.
    fn station(&mut self) -> Option<(StationId, u16)> {
        let all = u32::try_from(self.stations.len()).unwrap_or(1);
        let n = below(&mut self.rng, all).min(below(&mut self.rng, all));
        self.stations.get(n as usize).cloned()
    }

    fn go_on(&mut self, key: u64, mut going: Going, (at_ms, view): (i64, &CaseView)) {
        if !view.state.is_open() {
            return;
        }
        let mut new: Vec<(i64, Event)> = Vec::new();
        if view.state == CaseState::Submitted && view.asked.is_empty() {
            new.push((self.later(at_ms, going.pace.accept_ms, going.exact), Event::Accept));
        }
        if view.state == CaseState::Accepted && going.fate == Fate::Withdrawn {
            new.push((self.later(at_ms, going.pace.decide_ms / 3, going.exact), Event::Withdraw));
        }
        let stages = stages(view);
        let most = stages.iter().copied().max().unwrap_or(1).max(1);
        let mut taken = BTreeSet::new();
        for (place, step) in view.steps.iter().enumerate() {
            if view.state == CaseState::Accepted && step.state.is_workable() {
                let stage = stages.get(place).copied().unwrap_or(1);
                let first = taken.insert(stage);
                let wait = self.wait(&going, (view, step), most, first);
                new.push((wait.at(self, at_ms, going.exact), Event::Step(place)));
            }
            if step.state == StepState::Supplement {
                let ms = if going.exact {
                    25 + below(&mut self.rng, 150)
                } else {
                    240 + below(&mut self.rng, 3_000)
                };
                new.push((at_ms + i64::from(ms) * MINUTE_MS, Event::Supply));
            }
        }
        for (due_ms, event) in new {
            if going.awaited.insert(event) {
                self.queue.push(Reverse((due_ms, key, event)));
            }
        }
        self.going.insert(key, going);
    }

    /// How long a step waits for whoever does it.
    fn wait(
        &mut self,
        going: &Going,
        (view, step): (&CaseView, &StepView),
        stages: i64,
        first: bool,
    ) -> Wait {
        let planned = view.plan.step(&step.id);
        let by = planned.map_or(DoneBy::Department, |planned| planned.done_by());
        let decides = planned.is_some_and(|planned| planned.kind.needs_department());
        match by {
            DoneBy::Department if decides => {
                let whole = going.pace.decide_ms / stages / i64::from(planned.map_or(1, |p| p.levels));
                let share = if first { 100 } else { 50 + i64::from(below(&mut self.rng, 50)) };
                Wait::Work(whole * share / 100)
            }
            DoneBy::Applicant if going.exact => {
                Wait::Wall(i64::from(2 + below(&mut self.rng, 10)) * MINUTE_MS)
            }
            DoneBy::Applicant => Wait::Wall(i64::from(1 + below(&mut self.rng, 20)) * HOUR_MS),
            DoneBy::Post => Wait::Wall(i64::from(20 + below(&mut self.rng, 50)) * HOUR_MS),
            DoneBy::Department | DoneBy::System => {
                Wait::Work(i64::from(10 + below(&mut self.rng, 400)) * MINUTE_MS)
            }
        }
    }

    /// So much later: at any time, or in office hours.
    fn later(&self, at_ms: i64, ms: i64, exact: bool) -> i64 {
        if exact { at_ms + ms } else { in_office(at_ms, ms, &self.catalogue.calendar) }
    }

    /// Somebody clicks.
    fn deed(
        &mut self,
        tx: &mut Tx<'_>,
        context: &Context,
        (at_ms, event): (i64, Event),
        (going, view): (&mut Going, &CaseView),
    ) -> Result<CaseView, ServiceError> {
        let place = match event {
            Event::Step(place) => Some(place),
            _ => None,
        };
        let step = place.and_then(|place| view.steps.get(place));
        let deed = match (event, step) {
            (Event::Withdraw, _) => Deed::Withdraw,
            (_, None) => Deed::Accept,
            (_, Some(step)) if !step.state.is_workable() => return Ok(view.clone()),
            (_, Some(step)) => {
                let decides = view.plan.step(&step.id).is_some_and(|planned| planned.kind.needs_department());
                let id = step.id.clone();
                match going.fate {
                    Fate::Supplemented if decides && !going.asked => {
                        going.asked = true;
                        let wants = vec![Want { key: "material.0".into(), flaw: Flaw::Unclear }];
                        Deed::AskSupplement { step: id, wants, days: 5 }
                    }
                    Fate::Refused if decides => Deed::Refuse { step: id, basis: "0".into() },
                    _ => Deed::Pass { step: id },
                }
            }
        };
        let unit = match step {
            Some(step) => view.booking_unit(step),
            None => view.accepting_unit().ok_or(ProblemCode::NotFound)?,
        };
        let level = step.map_or(0, |step| step.passed_by.len() as u64);
        let caller = self.caller(unit.clone(), level);
        self.clicks += 1;
        let name = format!("sample-{}", self.clicks);
        let seen = step.map_or(view.version, |step| step.version);
        let text = if deed.needs_text() { self.shape.reason.as_str() } else { "" };
        let click = Click { name: &name, seen, text };
        review::perform(tx, context, (at_ms, &mut self.rng), (&caller, &going.id), (click, &deed))
    }

    /// Somebody of a unit; each level of a review is somebody else.
    fn caller(&mut self, unit: UnitId, level: u64) -> Caller {
        let many = self.people.len() as u64;
        let place = *self.people.entry(unit.clone()).or_insert(FIRST_ACCOUNT + many * 10);
        Caller {
            account: AccountId::at(place + level),
            display: String::new(),
            unit: Some(unit),
            roles: Roles::of(&[Role::Clerk, Role::Reviewer, Role::Leader]),
            must_change: false,
            session: Token::new(&mut self.rng).key(),
            seen_at_ms: 0,
        }
    }
}

/// How somebody's time is counted.
enum Wait {
    Work(i64),
    Wall(i64),
}

impl Wait {
    fn at(self, course: &Course<'_>, at_ms: i64, exact: bool) -> i64 {
        match self {
            Self::Work(ms) => course.later(at_ms, ms, exact),
            Self::Wall(ms) => at_ms + ms,
        }
    }
}
