//! Whether an item or bundle can be begun at a window, or handed in: told before anything is typed.
//!
//! The rules are the terminal's, but for what only a machine lacks: a window has a network and can take scans in.
use domain::applicant::IdNumberKind;
use domain::catalogue::{Catalogue, Entry};
use domain::date::CivilDate;
use domain::ids::ItemCode;
use domain::item::OfflineMode;
use domain::text::Text;

use crate::services::rollout::Withdrawal;

/// Why an item or bundle is not done at the window; each has its own words (`window_unavailable.{name}`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unavailable {
    /// The catalogue does not have it.
    Unknown,
    /// It is not offered any more, and what is said of it.
    Withdrawn(Text),
    /// Queries, prints and payments are done in systems of their own.
    OnlineOnly,
    /// It does not take a card of the kind to which the number belongs.
    Card,
}

impl Unavailable {
    /// Name in `assets/text`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Withdrawn(_) => "withdrawn",
            Self::OnlineOnly => "online_only",
            Self::Card => "card",
        }
    }
}

/// Whether somebody with a number of this kind can begin it; without a kind, whether anybody can.
///
/// # Errors
/// [`Unavailable`]
pub fn can_begin(
    (catalogue, withdrawn): (&Catalogue, &[Withdrawal]),
    code: &ItemCode,
    kind: Option<IdNumberKind>,
    today: CivilDate,
) -> Result<(), Unavailable> {
    let entry = catalogue.entry(code).ok_or(Unavailable::Unknown)?;
    let said = entry.withdrawn().filter(|withdrawal| !withdrawal.may_start(today));
    if let Some(reason) = in_emergency(withdrawn, entry).or_else(|| said.map(|s| s.reason.clone())) {
        return Err(Unavailable::Withdrawn(reason));
    }
    let Entry::Item(item) = entry else { return Ok(()) };
    if item.offline_mode == OfflineMode::Online {
        return Err(Unavailable::OnlineOnly);
    }
    match kind {
        Some(kind) if !item.accepted_cards.contains(&kind.accepted_card()) => Err(Unavailable::Card),
        _ => Ok(()),
    }
}

/// Whether what was begun can be handed in: what is withdrawn has its days of grace, unless it was in an emergency.
///
/// # Errors
/// [`Unavailable`]
pub fn can_finish(
    (own, newest): (&Catalogue, &Catalogue),
    withdrawn: &[Withdrawal],
    code: &ItemCode,
    today: CivilDate,
) -> Result<(), Unavailable> {
    let entry = own.entry(code).ok_or(Unavailable::Unknown)?;
    if let Some(reason) = in_emergency(withdrawn, entry) {
        return Err(Unavailable::Withdrawn(reason));
    }
    let said = newest.entry(code).and_then(Entry::withdrawn);
    match said.filter(|withdrawal| !withdrawal.may_finish(today, newest.policies.grace_days)) {
        Some(withdrawal) => Err(Unavailable::Withdrawn(withdrawal.reason.clone())),
        None => Ok(()),
    }
}

/// What is said of an item that was taken away at once. A bundle goes with each of its items: nobody would do that part.
fn in_emergency(withdrawn: &[Withdrawal], entry: Entry<'_>) -> Option<Text> {
    let members = match entry {
        Entry::Bundle(bundle) => bundle.members.as_slice(),
        Entry::Item(_) => &[],
    };
    let all = std::iter::once(entry.code()).chain(members);
    let mut found = all.filter_map(|code| withdrawn.iter().find(|w| w.item.item == *code));
    found.next().map(|w| Text::new(w.item.reason.clone(), ""))
}
