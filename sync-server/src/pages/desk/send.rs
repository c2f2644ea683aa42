//! `POST /desk/{number}`: one deed. It leads to the next case, or back with what is wrong and everything that was typed.
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::case::{CaseView, Flaw, Want};
use domain::ids::{CaseNo, EnvelopeId, UnitId};
use domain::money::{Fee, Fen};

use super::deeds::{self, Chosen, Kind, MOST_DAYS};
use super::gathered::{Gathered, gather};
use super::review::{Trouble, page};
use super::{W, address, history, next, number};
use crate::api::blocking;
use crate::centre::Centre;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::form::Fields;
use crate::pages::sign_in::drawn;
use crate::pages::{Page, render};
use crate::services::review::{self, Click, Deed, MAX_WANTS};
use crate::services::sessions::Caller;
use crate::services::{case_text, cases};
use crate::shell::App;
use crate::shell::gate::see_other;

/// Fields of the form.
const FIELDS: [&str; 11] =
    ["deed", "step", "seen", "click", "text", "want", "days", "unit", "basis", "to", "amount"];

/// What came. Never printed: people wrote it.
pub struct Typed {
    /// What is to be done.
    pub kind: Kind,
    /// The step that it is about; empty for the whole case.
    pub step: String,
    /// What stood on the page.
    pub seen: u64,
    /// The name of the click.
    pub click: String,
    /// Words.
    pub text: String,
    /// What is missing, and why.
    pub wants: Vec<(String, Flaw)>,
    /// Working days.
    pub days: String,
    /// Another unit.
    pub unit: String,
    /// Place of a legal basis.
    pub basis: String,
    /// An account.
    pub to: String,
    /// An amount in yuan.
    pub amount: String,
}

impl Typed {
    fn read(fields: Fields) -> Result<Self, ServiceError> {
        let malformed = || ServiceError::from(ProblemCode::MalformedRequest);
        let pairs = fields.into_pairs();
        let mut wants = Vec::new();
        for (place, (name, value)) in pairs.iter().enumerate() {
            let twice = pairs.iter().take(place).any(|(other, _)| other == name);
            if !FIELDS.contains(&name.as_str()) || (twice && name != "want") {
                return Err(malformed());
            }
            if name == "want" && !value.is_empty() {
                let (key, flaw) = value.rsplit_once(':').ok_or_else(malformed)?;
                wants.push((key.to_owned(), Flaw::from_name(flaw).ok_or_else(malformed)?));
            }
        }
        let get = |name: &str| {
            pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        Ok(Self {
            kind: Kind::from_name(&get("deed")).ok_or_else(malformed)?,
            step: get("step"),
            seen: get("seen").parse().map_err(|_| malformed())?,
            click: get("click"),
            text: get("text"),
            wants,
            days: get("days"),
            unit: get("unit"),
            basis: get("basis"),
            to: get("to"),
            amount: get("amount"),
        })
    }

    fn step(&self) -> Option<&str> {
        Some(self.step.as_str()).filter(|step| !step.is_empty() && !self.kind.is_of_case())
    }

    /// What is to be done, or what is wrong: keys of words, each with the field that it is about.
    fn deed(&self, of: &Gathered) -> Result<Deed, Vec<Mistake>> {
        let (view, kind) = (of.view(), self.kind);
        let step = self.step().and_then(|id| view.step(id));
        let mut wrong = Vec::new();
        let mut tell = |field: &'static str, key: &str| {
            wrong
                .push(Mistake { field: format!("{}-{field}", kind.name()), text: W.of("desk_mistake", key) });
        };
        let mut chosen = Chosen {
            wants: Vec::new(),
            days: 0,
            unit: of.unit.clone(),
            basis: self.basis.clone(),
            to: self.to.clone(),
            fen: None,
            bill: deeds::open_bill(view, self.step()),
        };
        match case_text::clean(&self.text) {
            Err(_) => tell("text", "text_long"),
            Ok(None) if kind.deed(self.step(), &chosen).needs_text() => tell("text", "text"),
            Ok(_) => {}
        }
        match kind {
            Kind::Return => {
                chosen.wants =
                    self.wants.iter().map(|(key, flaw)| Want { key: key.clone(), flaw: *flaw }).collect();
                if chosen.wants.is_empty() {
                    tell("wants", "wants");
                } else if chosen.wants.len() > MAX_WANTS {
                    tell("wants", "wants_many");
                }
                let days = self.days.trim().parse().ok().filter(|days| (1..=MOST_DAYS).contains(days));
                match days {
                    Some(days) => chosen.days = days,
                    None => tell("days", "days"),
                }
            }
            Kind::Bill => {
                let fee = step.and_then(|step| of.fee(&step.id));
                if fee == Some(Fee::Computed) {
                    match Fen::from_yuan(&self.amount).ok().filter(|fen| !fen.is_nothing()) {
                        Some(fen) => chosen.fen = Some(fen),
                        None => tell("amount", "amount"),
                    }
                    if self.text.trim().is_empty() {
                        tell("text", "text");
                    }
                }
                let bases = step.map_or(0, |step| of.bases(&step.id).len());
                if self.basis.parse::<usize>().ok().is_none_or(|at| at >= bases) {
                    tell("basis", "basis");
                }
            }
            Kind::Refuse => {
                let bases = step.map_or(0, |step| of.bases(&step.id).len());
                if self.basis.parse::<usize>().ok().is_none_or(|at| at >= bases) {
                    tell("basis", "basis");
                }
            }
            Kind::Consult | Kind::Transfer => {
                match self.unit.parse::<UnitId>().ok().filter(|unit| deeds::may_be_asked(of, step, unit)) {
                    Some(unit) => chosen.unit = unit,
                    None => tell("unit", "unit"),
                }
            }
            Kind::Assign | Kind::Note if !deeds::may_be_chosen(of, kind, step, &self.to) => tell("to", "to"),
            _ => {}
        }
        if wrong.is_empty() { Ok(kind.deed(self.step(), &chosen)) } else { Err(wrong) }
    }

    /// Whether what is asked for can be asked for at all: no page offers anything else.
    fn knows_its_wants(&self, of: &Gathered) -> bool {
        let materials = of.entry().map_or(0, |entry| entry.materials().len());
        let known = |key: &str| match key.strip_prefix("material.") {
            Some(n) => n.parse::<usize>().is_ok_and(|n| n < materials) && of.found.scope.has(key),
            None => of.content.fields().any(|field| field.key == key),
        };
        let mut keys: Vec<_> = self.wants.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        let doubled = keys.windows(2).any(|two| two.first() == two.last());
        !doubled && keys.into_iter().all(known)
    }
}

/// Something wrong with what was typed.
pub struct Mistake {
    /// Id of the field.
    pub field: String,
    /// What.
    pub text: String,
}

/// What was done last, told on the page that comes after it.
pub struct Strip {
    /// What.
    pub word: String,
    /// To which case.
    pub number: String,
}

impl Strip {
    /// What an address tells; nothing if it is not one of ours.
    pub fn read(done: &str, was: &str) -> Option<Self> {
        let (kind, number) = (Kind::from_name(done)?, was.parse::<CaseNo>().ok()?);
        Some(Self { word: W.of("desk_done", kind.name()), number: number.to_string() })
    }
}

/// What became of a click.
enum Became {
    /// It is done: where to go.
    Done(String),
    /// It is not: the page with what is wrong.
    Not(StatusCode, Box<super::review::ReviewPage>),
}

/// Does it.
pub async fn send(
    State(app): State<App>,
    caller: Caller,
    named: Result<Path<String>, PathRejection>,
    fields: Fields,
) -> Page {
    let case = number(&named.map(|Path(text)| text).unwrap_or_default())?;
    let typed = Typed::read(fields)?;
    let became = blocking(move || act(&app, &caller, &case, typed)).await?;
    match became {
        Became::Done(address) => Ok(see_other(&address)),
        Became::Not(status, page) => drawn(render(&*page)?, status, None),
    }
}

fn act(app: &App, caller: &Caller, case: &CaseNo, typed: Typed) -> Result<Became, ServiceError> {
    let (centre, now_ms) = (&app.centre, app.centre.now_ms());
    let context = centre.context();
    let unit = caller.unit.as_ref().ok_or(ProblemCode::UnitNeeded)?;
    // Whoever clicks once more is led where the first click led, whatever became of the case since.
    let (id, due_ms, again) = centre.read(|tx| {
        let row = cases::by_number(tx, case)?.into_iter().next().ok_or(ProblemCode::NotFound)?;
        let again = review::is_done(tx, caller, &typed.click, &row.envelope_id)?;
        Ok::<_, ServiceError>((row.envelope_id, row.due_ms, again))
    })?;
    let done = |view: Option<&CaseView>| lead(centre, (caller, unit), (case, &id, due_ms), (&typed, view));
    if again {
        return Ok(Became::Done(done(None)?));
    }
    let of = centre.read(|tx| gather(tx, context, case, (caller, now_ms)))?;
    if !typed.knows_its_wants(&of) {
        return Err(ProblemCode::MalformedRequest.into());
    }
    let deed = match typed.deed(&of) {
        Ok(deed) => deed,
        Err(wrong) => return not(centre, of, typed, Trouble::Mistakes(wrong)),
    };
    match perform(app, (caller, id), &typed, deed) {
        Ok(view) => Ok(Became::Done(done(Some(&view))?)),
        Err(ServiceError::Refused { code: ProblemCode::CaseChanged, .. }) => {
            // What stands there now is what the page shows.
            let of = centre.read(|tx| gather(tx, context, case, (caller, now_ms)))?;
            let news = history::since(&of, typed.seen, typed.step());
            not(centre, of, typed, Trouble::Changed(news))
        }
        Err(ServiceError::Refused { code: ProblemCode::TooEarly, .. }) => {
            let step = typed.step().unwrap_or_default();
            let end = centre.read(|tx| review::statutory_end(tx, context, of.view(), (step, now_ms)))?;
            let date = end.map_or_else(|| "—".to_owned(), |end| end.date.to_string());
            not(centre, of, typed, Trouble::TooEarly(date))
        }
        Err(other) => Err(other),
    }
}

fn perform(
    app: &App,
    (caller, id): (&Caller, EnvelopeId),
    typed: &Typed,
    deed: Deed,
) -> Result<CaseView, ServiceError> {
    let (shared, caller) = (app.centre.clone(), caller.clone());
    let (now_ms, rng) = (app.centre.now_ms(), app.centre.random());
    let (click, seen, text) = (typed.click.clone(), typed.seen, typed.text.clone());
    app.centre.write(move |tx| {
        let click = Click { name: &click, seen, text: &text };
        review::perform(tx, shared.context(), (now_ms, &mut rng.clone()), (&caller, &id), (click, &deed))
    })
}

/// Where to go after a deed: the same case if there is more to do for the caller, or the next one, or the inbox.
fn lead(
    centre: &Centre,
    (caller, unit): (&Caller, &UnitId),
    (case, id, due_ms): (&CaseNo, &EnvelopeId, Option<i64>),
    (typed, view): (&Typed, Option<&CaseView>),
) -> Result<String, ServiceError> {
    let told = format!("done={}&was={case}", typed.kind.name());
    let here = match view {
        _ if typed.kind.stays() => typed.step().map(str::to_owned).or_else(|| Some(String::new())),
        Some(view) if typed.kind == Kind::Accept => {
            let own = view.steps.iter().find(|step| view.books(unit, step) && step.state.is_workable());
            own.map(|step| step.id.clone())
        }
        _ => None,
    };
    if let Some(step) = here {
        return Ok(format!("{}&{told}", address(case, Some(&step))));
    }
    let next = centre.read(|tx| next::after(tx, (caller, unit), (id, due_ms)))?;
    Ok(next.map_or_else(|| format!("/desk?{told}"), |next| format!("{next}&{told}")))
}

fn not(centre: &Centre, of: Gathered, typed: Typed, trouble: Trouble) -> Result<Became, ServiceError> {
    let status = match trouble {
        Trouble::Mistakes(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Trouble::Changed(_) | Trouble::TooEarly(_) => StatusCode::CONFLICT,
    };
    let step = typed.step.clone();
    Ok(Became::Not(status, Box::new(page(centre, of, &step, (Some(typed), Some(trouble)), None)?)))
}
