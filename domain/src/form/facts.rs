//! What is known besides the answers: the card, the day, and what the machine can take in.
use serde_json::{Value, json};

use super::spec::Prefill;
use crate::applicant::{Applicant, birth_of_id_number, region_of_id_number};
use crate::date::CivilDate;
use crate::expr::{CardFact, Val};

/// What is known besides the answers. The terminal has it from the card, the server from the submission: a rule sees
/// the same on both ends.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Address on the card.
    pub card_address: Option<String>,
    /// ID number on the card.
    pub id_number: Option<String>,
    /// Name on the card.
    pub name: Option<String>,
    /// Birth date on the card; without it the one in the ID number.
    pub birth: Option<CivilDate>,
    /// Sex on the card (ISO 5218).
    pub sex: Option<u8>,
    /// The day on which the form is filled in; without it rules about today are unknown.
    pub today: Option<CivilDate>,
    /// Photos and scans can be taken here: optional ones are then asked for as well.
    pub captures: bool,
}

impl Facts {
    /// Nothing but the day.
    pub fn on(today: CivilDate) -> Self {
        Self { today: Some(today), ..Self::default() }
    }

    /// What the card of an applicant says, and the day.
    pub fn of_applicant(applicant: &Applicant, today: CivilDate) -> Self {
        Self {
            card_address: Some(applicant.address.clone()),
            id_number: Some(applicant.id_number.clone()),
            name: Some(applicant.name.clone()),
            birth: applicant.birth,
            sex: Some(applicant.sex),
            ..Self::on(today)
        }
    }

    /// The answer that 同身份证地址 gives: the card's address, in the region that the ID number names.
    pub fn offered_address(&self) -> Option<Value> {
        let detail = self.card_address.as_ref().map(|a| a.trim()).filter(|a| !a.is_empty())?;
        Some(json!({"region": self.id_region()?, "detail": detail}))
    }

    /// The region that a resident's ID number names, perhaps a retired one.
    pub fn id_region(&self) -> Option<&str> {
        region_of_id_number(self.id_number.as_deref()?)
    }

    pub(super) fn gives(&self, prefill: Prefill) -> bool {
        match prefill {
            Prefill::OfferCardAddress => self.offered_address().is_some(),
            Prefill::IdRegion => self.id_region().is_some(),
        }
    }

    /// A fact as expressions see it.
    pub(super) fn card(&self, fact: CardFact) -> Option<Val<'_>> {
        match fact {
            CardFact::Name => text(self.name.as_deref()),
            CardFact::IdNumber => text(self.id_number.as_deref()),
            CardFact::Region => text(self.id_region()),
            CardFact::Birth => {
                let in_number = || birth_of_id_number(self.id_number.as_deref()?);
                self.birth.or_else(in_number).map(Val::Date)
            }
            CardFact::Sex => self.sex.filter(|sex| matches!(sex, 1 | 2)).map(|sex| Val::Int(i64::from(sex))),
        }
    }
}

fn text(text: Option<&str>) -> Option<Val<'_>> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(|text| Val::Text(text.into()))
}

impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Facts(..)")
    }
}
