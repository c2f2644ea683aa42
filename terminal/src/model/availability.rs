//! Whether an item can be begun on this terminal now, and if not, why: told before anything is typed.
//!
//! Days and ages are those of trusted time: a machine's clock in 1970 or 2040 neither opens nor closes anything.
use domain::catalogue::{Entry, StaleAction};
use domain::date::CivilDate;
use domain::form::{Form, Widget};
use domain::ids::ItemCode;
use domain::item::{OfflineMode, Withdrawal};
use domain::text::Text;
use domain::wire::v1::WithdrawnItem;

use super::{Model, Network};

const HOUR_MS: i64 = 3_600_000;

/// Why an item cannot be begun; each has its own words (`guide.unavailable.{name}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// It needs a scanner or camera, which this terminal does not have.
    FieldType(Widget),
    /// It needs the network, and there is none.
    OnlineOnly,
    /// Queries, prints and payments come with a later version.
    NotBuiltYet,
    /// The terminal takes nothing now.
    Outage,
    /// It is not offered any more.
    Withdrawn,
    /// The catalogue is so old that it may not be begun with it.
    OldCatalogue,
    /// The catalogue does not have it, or its form cannot be used.
    NoForm,
}

impl Unavailable {
    /// Name in `assets/text`.
    pub fn name(self) -> &'static str {
        match self {
            Self::FieldType(_) => "field_type",
            Self::OnlineOnly => "online_only",
            Self::NotBuiltYet => "not_built_yet",
            Self::Outage => "outage",
            Self::NoForm => "no_form",
            Self::Withdrawn => "withdrawn",
            Self::OldCatalogue => "old_catalogue",
        }
    }
}

/// What is to be said of an item before it is begun, the weightiest only; each has its own words (`caveat.{name}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caveat {
    /// It is not offered any more.
    Withdrawn,
    /// It needs the network, and there is none.
    NoNetwork,
    /// The catalogue is so old that it may not be begun with it.
    Blocked,
    /// The catalogue is old: the matter is registered, and time and fee are to be confirmed.
    RegisterOnly,
    /// The catalogue is old.
    Old,
}

impl Caveat {
    /// Name in `assets/text`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::NoNetwork => "no_network",
            Self::Blocked => "blocked",
            Self::RegisterOnly => "register_only",
            Self::Old => "old",
        }
    }

    /// Nobody can begin it now.
    pub fn stops(self) -> bool {
        matches!(self, Self::Withdrawn | Self::NoNetwork | Self::Blocked)
    }
}

/// How current the catalogue is, by the time that this terminal trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Milliseconds since the centre last confirmed the catalogue; none where no root signs catalogues.
    pub unconfirmed_ms: Option<i64>,
    /// Milliseconds since 1970, as the centre's own words say; none before its first word.
    pub calendar_ms: Option<i64>,
}

impl Model {
    /// Today in China by the centre's words; by this machine's clock before the first of them.
    pub fn trusted_today(&self) -> CivilDate {
        self.standing.calendar_ms.map_or_else(|| self.today(), CivilDate::in_china)
    }

    /// Days since the catalogue was confirmed, at least one, if that is so long ago that it is old.
    pub fn old_catalogue_days(&self) -> Option<i64> {
        let limit_ms = i64::from(self.catalogue.policies.stale.after_hours) * HOUR_MS;
        let age_ms = self.standing.unconfirmed_ms.filter(|age_ms| *age_ms > limit_ms)?;
        Some((age_ms / (24 * HOUR_MS)).max(1))
    }

    /// Takes over what the centre withdrew in an emergency: all of it, and nothing else is.
    pub(crate) fn withdraw(&mut self, items: Vec<WithdrawnItem>) {
        let withdrawal = |item: WithdrawnItem| {
            let since = CivilDate::in_china(item.since_ms);
            (item.item, Withdrawal { since, reason: Text::new(item.reason, ""), instead: None })
        };
        self.withdrawn = items.into_iter().map(withdrawal).collect();
    }

    /// Why an item or bundle is not offered any more; none while it is. A bundle goes with each of its items that the
    /// centre withdrew in an emergency: nobody would do that part of it.
    pub fn withdrawal(&self, code: &ItemCode) -> Option<&Withdrawal> {
        let entry = self.catalogue.entry(code);
        let members = match entry {
            Some(Entry::Bundle(bundle)) => bundle.members.as_slice(),
            _ => &[],
        };
        let in_emergency = std::iter::once(code).chain(members).find_map(|code| self.withdrawn.get(code));
        let today = self.trusted_today();
        let said = entry.and_then(Entry::withdrawn);
        in_emergency.or(said).filter(|withdrawal| !withdrawal.may_start(today))
    }

    /// What is to be said of an item or bundle before it is begun. Cheap: every tile asks.
    pub fn caveat(&self, code: &ItemCode) -> Option<Caveat> {
        let entry = self.catalogue.entry(code)?;
        if self.withdrawal(code).is_some() {
            return Some(Caveat::Withdrawn);
        }
        if is_online_only(entry) && self.network == Network::Offline {
            return Some(Caveat::NoNetwork);
        }
        self.old_catalogue_days()?;
        Some(match self.catalogue.policies.stale.action(code) {
            StaleAction::Warn => Caveat::Old,
            StaleAction::RegisterOnly => Caveat::RegisterOnly,
            StaleAction::Block => Caveat::Blocked,
        })
    }

    /// Whether an item or bundle can be begun now.
    ///
    /// # Errors
    /// [`Unavailable`], to be told on the guide page.
    pub fn can_begin(&self, code: &ItemCode) -> Result<(), Unavailable> {
        if self.outage.is_some() {
            return Err(Unavailable::Outage);
        }
        let entry = self.catalogue.entry(code).ok_or(Unavailable::NoForm)?;
        match self.caveat(code) {
            Some(Caveat::Withdrawn) => return Err(Unavailable::Withdrawn),
            Some(Caveat::NoNetwork) => return Err(Unavailable::OnlineOnly),
            _ if is_online_only(entry) => return Err(Unavailable::NotBuiltYet),
            Some(Caveat::Blocked) => return Err(Unavailable::OldCatalogue),
            Some(Caveat::RegisterOnly | Caveat::Old) | None => {}
        }
        if self.capture_devices.any() {
            return Form::compile(entry.form()).map(|_| ()).map_err(|_| Unavailable::NoForm);
        }
        let form = Form::compile(entry.form()).map_err(|_| Unavailable::NoForm)?;
        form.unsupported().first().map_or(Ok(()), |widget| Err(Unavailable::FieldType(*widget)))
    }

    /// Whether what was begun of an item or bundle can be gone on with and handed in: an old catalogue never hinders
    /// it, and a withdrawn item has its days of grace.
    ///
    /// # Errors
    /// [`Unavailable`]
    pub fn can_finish(&self, code: &ItemCode) -> Result<(), Unavailable> {
        if self.outage.is_some() {
            return Err(Unavailable::Outage);
        }
        let (today, grace_days) = (self.trusted_today(), self.catalogue.policies.grace_days);
        match self.withdrawal(code) {
            Some(withdrawal) if !withdrawal.may_finish(today, grace_days) => Err(Unavailable::Withdrawn),
            _ => Ok(()),
        }
    }
}

fn is_online_only(entry: Entry<'_>) -> bool {
    matches!(entry, Entry::Item(item) if item.offline_mode == OfflineMode::Online)
}
