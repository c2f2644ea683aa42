//! What can be done to a case at the desk: only what this caller may do now is offered, each as a form of its own.
use domain::case::{CaseView, Flaw, StepView, Want};
use domain::ids::UnitId;
use domain::money::{Fee, Fen};

use super::W;
use super::gathered::Gathered;
use super::send::Typed;
use crate::auth::role::Role;
use crate::services::accounts::Account;
use crate::services::review::{self, Deed, MAX_SUPPLEMENT_DAYS};

/// Working days that a notice gives if nobody says otherwise.
const USUAL_DAYS: u16 = 5;

/// What somebody can do, in the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Accept,
    Take,
    Pass,
    Return,
    Answer,
    Refuse,
    Decline,
    Consult,
    Transfer,
    Assign,
    Release,
    Recuse,
    Bill,
    Unbill,
    Note,
    Withdraw,
    Terminate,
}

impl Kind {
    /// All.
    pub const ALL: [Kind; 17] = [
        Self::Accept,
        Self::Take,
        Self::Pass,
        Self::Return,
        Self::Answer,
        Self::Refuse,
        Self::Decline,
        Self::Consult,
        Self::Transfer,
        Self::Assign,
        Self::Release,
        Self::Recuse,
        Self::Bill,
        Self::Unbill,
        Self::Note,
        Self::Withdraw,
        Self::Terminate,
    ];

    /// The name in forms, addresses and texts: it is part of the name of a click.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Take => "take",
            Self::Pass => "pass",
            Self::Return => "return",
            Self::Answer => "answer",
            Self::Refuse => "refuse",
            Self::Decline => "decline",
            Self::Consult => "consult",
            Self::Transfer => "transfer",
            Self::Assign => "assign",
            Self::Release => "release",
            Self::Recuse => "recuse",
            Self::Bill => "bill",
            Self::Unbill => "unbill",
            Self::Note => "note",
            Self::Withdraw => "withdraw",
            Self::Terminate => "terminate",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is about the whole case and not about one of its steps.
    pub fn is_of_case(self) -> bool {
        matches!(self, Self::Accept | Self::Decline | Self::Withdraw | Self::Terminate)
    }

    /// Whether the caller goes on with the same case afterwards.
    pub fn stays(self) -> bool {
        matches!(self, Self::Take | Self::Bill | Self::Unbill | Self::Note)
    }

    /// Whether it is done by its button alone.
    fn is_plain(self) -> bool {
        matches!(self, Self::Accept | Self::Take | Self::Release)
    }

    /// What is done by it.
    pub fn deed(self, step: Option<&str>, with: &Chosen) -> Deed {
        let of = step.unwrap_or_default().to_owned();
        match self {
            Self::Accept => Deed::Accept,
            Self::Decline => Deed::Decline,
            Self::Withdraw => Deed::Withdraw,
            Self::Terminate => Deed::Terminate,
            Self::Take => Deed::Take { step: of },
            Self::Release => Deed::Release { step: of },
            Self::Recuse => Deed::Recuse { step: of },
            Self::Pass => Deed::Pass { step: of },
            Self::Answer => Deed::Answer { step: of },
            Self::Refuse => Deed::Refuse { step: of, basis: with.basis.clone() },
            Self::Return => Deed::AskSupplement { step: of, wants: with.wants.clone(), days: with.days },
            Self::Consult => Deed::Consult { step: of, unit: with.unit.clone() },
            Self::Transfer => Deed::Transfer { step: of, unit: with.unit.clone() },
            Self::Assign => Deed::Assign { step: of, to: with.to.clone() },
            Self::Bill => Deed::Bill { step: of, fen: with.fen, basis: with.basis.clone() },
            Self::Unbill => Deed::CancelBill { step: of, bill: with.bill.clone() },
            Self::Note => {
                let mentions = Some(with.to.clone()).filter(|to| !to.is_empty()).into_iter().collect();
                Deed::Note { step: step.map(str::to_owned), mentions }
            }
        }
    }
}

/// What was chosen with a deed, each part only where the deed has one.
pub struct Chosen {
    /// What is missing.
    pub wants: Vec<Want>,
    /// Working days for it.
    pub days: u16,
    /// Another unit.
    pub unit: UnitId,
    /// Place of the legal basis.
    pub basis: String,
    /// An account.
    pub to: String,
    /// An amount, where it is typed.
    pub fen: Option<Fen>,
    /// The number of the bill of the step that is open.
    pub bill: String,
}

/// A deed as the page offers it.
pub struct DeedView {
    /// Its name.
    pub name: &'static str,
    /// On its button.
    pub word: String,
    /// What it does.
    pub about: String,
    /// The name of the click.
    pub click: String,
    /// The step that it is about; empty for the whole case.
    pub step: String,
    /// What stood on the page.
    pub seen: u64,
    /// The key that does it.
    pub key: &'static str,
    /// Class of the button.
    pub look: &'static str,
    /// Its button alone does it.
    pub plain: bool,
    /// It has a button at the foot of the page.
    pub quick: bool,
    /// Words can be written with it.
    pub says: bool,
    /// It needs words.
    pub needs_text: bool,
    /// Words that were typed.
    pub text: String,
    /// Working days, where it gives some.
    pub days: Option<String>,
    /// What is to be paid, where it asks for that.
    pub fee: Option<FeeView>,
    /// Legal bases to choose from.
    pub bases: Vec<Choice>,
    /// Units to choose from.
    pub units: Vec<Choice>,
    /// People to choose from.
    pub people: Vec<Choice>,
    /// It was tried: it is open.
    pub open: bool,
}

/// What a bill is about to ask for.
pub struct FeeView {
    /// The amount of the catalogue in words; none where it is worked out.
    pub fixed: Option<String>,
    /// What was typed.
    pub typed: String,
}

/// A choice of a list.
pub struct Choice {
    /// As it is sent.
    pub value: String,
    /// Its words.
    pub word: String,
    /// It was chosen.
    pub chosen: bool,
}

/// Days, units and people that a page offers.
pub const MOST_DAYS: u16 = MAX_SUPPLEMENT_DAYS;

/// What the caller may do now with a case and this step of it.
pub fn offered(of: &Gathered, step: Option<&StepView>, page: &str, typed: Option<&Typed>) -> Vec<DeedView> {
    let all = Kind::ALL.into_iter().filter(|kind| may(of, step, *kind));
    let mut deeds: Vec<_> =
        all.map(|kind| view(of, kind, step, page, typed.filter(|typed| typed.kind == kind))).collect();
    // One clear action a page: the first is the filled one.
    let filled = deeds.iter_mut().filter(|deed| deed.look == FILLED);
    filled.skip(1).for_each(|deed| deed.look = "");
    deeds
}

/// How the button looks that is the page's clear action.
const FILLED: &str = "pri";

fn may(of: &Gathered, step: Option<&StepView>, kind: Kind) -> bool {
    let view = of.view();
    let others = || units(of, step);
    let stands_in = match kind {
        Kind::Refuse if step.is_none_or(|step| of.bases(&step.id).is_empty()) => return false,
        Kind::Bill if step.is_none_or(|step| of.fee(&step.id).is_none() || of.bases(&step.id).is_empty()) => {
            return false;
        }
        Kind::Assign if assignable(of, step).is_empty() => return false,
        Kind::Consult | Kind::Transfer => others().first().cloned(),
        _ => Some(of.unit.clone()),
    };
    let Some(unit) = stands_in else { return false };
    let some = Want { key: "material.0".to_owned(), flaw: Flaw::Missing };
    let to = if kind == Kind::Assign { "-" } else { "" };
    let chosen = Chosen {
        wants: vec![some],
        days: 1,
        unit,
        basis: "0".to_owned(),
        to: to.to_owned(),
        fen: Fen::new(1).ok(),
        bill: open_bill(view, step.map(|step| step.id.as_str())),
    };
    let step = step.map(|step| step.id.as_str()).filter(|_| !kind.is_of_case());
    let about_case = kind.is_of_case() || kind == Kind::Note;
    (about_case || step.is_some())
        && review::fits(&of.caller, view, &kind.deed(of_note(view, kind, step), &chosen))
}

/// The number of the bill of a step that is open; empty if there is none.
pub fn open_bill(view: &CaseView, step: Option<&str>) -> String {
    let open = step.and_then(|step| view.open_bill(step));
    open.map(|billed| billed.bill.clone()).unwrap_or_default()
}

/// A note about a step that nobody works at any more is one about the case.
pub fn of_note<'s>(view: &CaseView, kind: Kind, step: Option<&'s str>) -> Option<&'s str> {
    let open = |id: &&str| view.step(id).is_some_and(|step| step.state.is_open());
    if kind == Kind::Note { step.filter(open) } else { step }
}

/// Units that can be asked or given the step: all but the one that has it.
fn units(of: &Gathered, step: Option<&StepView>) -> Vec<UnitId> {
    let other = |unit: &&UnitId| step.is_none_or(|step| step.unit != **unit);
    of.units.iter().filter(other).cloned().collect()
}

/// People of the unit who may be given the step.
fn assignable<'g>(of: &'g Gathered, step: Option<&StepView>) -> Vec<&'g Account> {
    let fits = |account: &&Account| {
        let reviews = account.roles.has(Role::Reviewer) || account.roles.has(Role::Leader);
        reviews && step.is_some_and(|step| step.may(account.id.as_str()))
    };
    of.colleagues.iter().filter(fits).collect()
}

/// Whether an account may be chosen for a deed.
pub fn may_be_chosen(of: &Gathered, kind: Kind, step: Option<&StepView>, id: &str) -> bool {
    match kind {
        Kind::Assign => assignable(of, step).iter().any(|account| account.id.as_str() == id),
        _ => id.is_empty() || of.colleagues.iter().any(|account| account.id.as_str() == id),
    }
}

/// Whether a unit may be chosen for a deed about a step.
pub fn may_be_asked(of: &Gathered, step: Option<&StepView>, unit: &UnitId) -> bool {
    units(of, step).contains(unit)
}

fn view(of: &Gathered, kind: Kind, step: Option<&StepView>, page: &str, typed: Option<&Typed>) -> DeedView {
    let about_step = step.filter(|_| !kind.is_of_case());
    let about_step = about_step.filter(|step| of_note(of.view(), kind, Some(&step.id)).is_some());
    let chosen = |value: &str, typed: Option<&str>| typed == Some(value);
    let choice = |value: String, word: String, typed: Option<&str>| Choice {
        chosen: chosen(&value, typed),
        value,
        word,
    };
    let typed_to = typed.map(|t| t.to.as_str());
    let person = |account: &&Account| choice(account.id.to_string(), account.display.clone(), typed_to);
    let words = |group: &str| W.of(group, kind.name());
    let example = kind.deed(step.map(|step| step.id.as_str()), &none(of));
    DeedView {
        name: kind.name(),
        word: words("desk_deed"),
        about: words("desk_deed_about"),
        click: format!("{page}-{}", kind.name()),
        step: about_step.map(|step| step.id.clone()).unwrap_or_default(),
        seen: about_step.map_or(of.view().version, |step| step.version),
        key: match kind {
            Kind::Pass => "a",
            Kind::Return => "r",
            _ => "",
        },
        look: match kind {
            Kind::Accept | Kind::Take | Kind::Pass | Kind::Answer => FILLED,
            Kind::Refuse | Kind::Decline | Kind::Terminate => "danger",
            _ => "",
        },
        plain: kind.is_plain(),
        quick: kind.is_plain() || kind == Kind::Pass,
        // What nobody keeps is not asked for.
        says: !matches!(kind, Kind::Assign | Kind::Recuse),
        needs_text: example.needs_text()
            || (kind == Kind::Bill && step.and_then(|step| of.fee(&step.id)) == Some(Fee::Computed)),
        text: typed.map(|t| t.text.clone()).unwrap_or_default(),
        days: (kind == Kind::Return)
            .then(|| typed.map_or_else(|| USUAL_DAYS.to_string(), |t| t.days.clone())),
        fee: (kind == Kind::Bill)
            .then(|| step.and_then(|step| of.fee(&step.id)))
            .flatten()
            .map(|fee| fee_view(fee, typed)),
        bases: match (kind, step) {
            (Kind::Refuse | Kind::Bill, Some(step)) => {
                let bases = of.bases(&step.id).into_iter().enumerate();
                bases.map(|(n, word)| choice(n.to_string(), word, typed.map(|t| t.basis.as_str()))).collect()
            }
            _ => Vec::new(),
        },
        units: match kind {
            Kind::Consult | Kind::Transfer => {
                let unit =
                    |unit: UnitId| choice(unit.to_string(), unit.to_string(), typed.map(|t| t.unit.as_str()));
                units(of, step).into_iter().map(unit).collect()
            }
            _ => Vec::new(),
        },
        people: match kind {
            Kind::Assign => assignable(of, step).iter().map(person).collect(),
            Kind::Note => {
                let other = |account: &&Account| account.id != of.caller.account;
                of.colleagues.iter().filter(other).map(|account| person(&account)).collect()
            }
            _ => Vec::new(),
        },
        open: typed.is_some(),
    }
}

fn fee_view(fee: Fee, typed: Option<&Typed>) -> FeeView {
    let fixed = match fee {
        Fee::Fixed(fen) => Some(W.fill("desk.bill_fixed", &[("yuan", &fen.to_string())])),
        Fee::Computed => None,
    };
    FeeView { fixed, typed: typed.map(|t| t.amount.clone()).unwrap_or_default() }
}

fn none(of: &Gathered) -> Chosen {
    let (basis, to, bill) = (String::new(), String::new(), String::new());
    Chosen { wants: Vec::new(), days: 1, unit: of.unit.clone(), basis, to, fen: None, bill }
}
