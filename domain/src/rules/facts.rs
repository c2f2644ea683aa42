//! What was known when a case was decided: every fact with its value or the reason why there is none, and the day.
//!
//! It is recorded whole and sealed with the case's content; together with the rule set's version it gives the decision
//! again, byte by byte. Refuses to ask anybody: answers of the form, the person and answers of sources come in.
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fact::{ApplicantFact, Declaration, FactType, FactValue, Finding, Origin, Why};
use super::set::RuleSet;
use crate::applicant::{Applicant, IdentitySource, birth_of_id_number, region_of_id_number};
use crate::date::CivilDate;
use crate::form::Answers;

/// The most facts of one case.
pub const MAX_RECORDED: usize = 1_000;

/// Facts of one case. `Debug` tells how many there are.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Recorded")]
pub struct Facts {
    today: CivilDate,
    facts: BTreeMap<String, Finding>,
}

/// Facts as they are read back, not counted yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    today: CivilDate,
    facts: BTreeMap<String, Finding>,
}

/// More facts than [`MAX_RECORDED`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a case has at most {MAX_RECORDED} facts")]
pub struct TooManyFacts;

/// What a data source said, or why it said nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The day of the answer.
    pub on: CivilDate,
    /// Its values by name, or why there are none.
    pub answer: Result<BTreeMap<String, FactValue>, Why>,
}

/// Where facts are gathered from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// Answers that the form accepted.
    pub answers: &'a Answers,
    /// Who applies.
    pub applicant: &'a Applicant,
    /// What data sources said, by the name of the source. One that is not here was not asked.
    pub evidence: &'a BTreeMap<String, Evidence>,
}

impl Facts {
    /// Nothing but the day.
    pub fn on(today: CivilDate) -> Self {
        Self { today, facts: BTreeMap::new() }
    }

    /// Every fact that a rule set declares, out of what is known on a day.
    pub fn gather(set: &RuleSet, sources: &Sources<'_>, today: CivilDate) -> Self {
        let mut facts = Self::on(today);
        for declaration in set.facts().iter().filter(|fact| fact.derived().is_none()) {
            let finding = sources.find(declaration, today);
            facts.facts.insert(declaration.id.clone(), declaration.fitting(&finding));
        }
        facts
    }

    /// Notes what is known of a fact, in the place of what was noted before.
    ///
    /// # Errors
    /// [`TooManyFacts`]; nothing is noted then.
    pub fn note(&mut self, fact: &str, finding: Finding) -> Result<(), TooManyFacts> {
        if self.facts.len() >= MAX_RECORDED && !self.facts.contains_key(fact) {
            return Err(TooManyFacts);
        }
        self.facts.insert(fact.to_owned(), finding);
        Ok(())
    }

    /// The day on which the case is decided.
    pub fn today(&self) -> CivilDate {
        self.today
    }

    /// What is known of a fact. What was never noted was not asked.
    pub fn finding(&self, fact: &str) -> &Finding {
        const NOT_ASKED: &Finding = &Finding::Unknown(Why::NotAsked);
        self.facts.get(fact).unwrap_or(NOT_ASKED)
    }
}

impl TryFrom<Recorded> for Facts {
    type Error = TooManyFacts;

    fn try_from(recorded: Recorded) -> Result<Self, TooManyFacts> {
        let Recorded { today, facts } = recorded;
        if facts.len() > MAX_RECORDED { Err(TooManyFacts) } else { Ok(Self { today, facts }) }
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Facts({} on {})", self.facts.len(), self.today)
    }
}

impl Sources<'_> {
    fn find(&self, declaration: &Declaration, today: CivilDate) -> Finding {
        match &declaration.from {
            Origin::Form { field, part, absent } => {
                match self.answer(field, part.as_deref(), declaration.kind) {
                    Finding::Unknown(Why::NotAnswered) => match absent {
                        Some(literal) => Finding::Known(FactValue::of_literal(literal)),
                        None => Finding::Unknown(Why::NotAnswered),
                    },
                    answered => answered,
                }
            }
            Origin::Rows(group) => match self.answers.get(group) {
                None | Some(Value::Null) => Finding::Known(FactValue::Int(0)),
                Some(Value::Array(rows)) => known(i64::try_from(rows.len()).ok().map(FactValue::Int)),
                Some(_) => Finding::Unknown(Why::Unusable),
            },
            Origin::Applicant(fact) => self.person(*fact),
            Origin::Source { source, value, max_age_days } => self.said(source, value, *max_age_days, today),
            Origin::Derived(_) => Finding::Unknown(Why::NotDerivable),
        }
    }

    fn answer(&self, field: &str, part: Option<&str>, kind: FactType) -> Finding {
        let answer = self.answers.get(field);
        let answer = match part {
            Some(part) => answer.and_then(|whole| whole.get(part)),
            None => answer,
        };
        match (kind, answer) {
            (_, None | Some(Value::Null)) => Finding::Unknown(Why::NotAnswered),
            (_, Some(Value::String(text))) if text.trim().is_empty() => Finding::Unknown(Why::NotAnswered),
            (FactType::Bool, Some(Value::Bool(truth))) => Finding::Known(FactValue::Bool(*truth)),
            (FactType::Int, Some(Value::Number(number))) => known(number.as_i64().map(FactValue::Int)),
            (FactType::Text, Some(Value::String(text))) => Finding::Known(FactValue::Text(text.clone())),
            (FactType::Date, Some(Value::String(text))) => known(day(text).map(FactValue::Date)),
            _ => Finding::Unknown(Why::Unusable),
        }
    }

    fn person(&self, fact: ApplicantFact) -> Finding {
        let person = self.applicant;
        let text = |text: &str| match text.trim() {
            "" => None,
            text => Some(FactValue::Text(text.to_owned())),
        };
        let value = match fact {
            ApplicantFact::Name => text(&person.name),
            ApplicantFact::IdNumber => text(&person.id_number),
            ApplicantFact::Birth => {
                person.birth.or_else(|| birth_of_id_number(&person.id_number)).map(FactValue::Date)
            }
            ApplicantFact::Sex => {
                Some(person.sex).filter(|sex| matches!(sex, 1 | 2)).map(|sex| FactValue::Int(sex.into()))
            }
            ApplicantFact::Region => region_of_id_number(&person.id_number).and_then(text),
            ApplicantFact::Identity => text(match person.source {
                IdentitySource::Read => "read",
                IdentitySource::Typed => "typed",
            }),
        };
        value.map_or(Finding::Unknown(Why::NotAnswered), Finding::Known)
    }

    fn said(&self, source: &str, value: &str, max_age_days: Option<u16>, today: CivilDate) -> Finding {
        let Some(evidence) = self.evidence.get(source) else { return Finding::Unknown(Why::NotAsked) };
        let values = match &evidence.answer {
            Ok(values) => values,
            Err(why) => return Finding::Unknown(*why),
        };
        let age = evidence.on.days_to(today);
        if age < 0 {
            return Finding::Unknown(Why::Unusable);
        }
        if max_age_days.is_some_and(|most| age > i64::from(most)) {
            return Finding::Unknown(Why::TooOld);
        }
        known(values.get(value).cloned())
    }
}

fn known(value: Option<FactValue>) -> Finding {
    value.map_or(Finding::Unknown(Why::Unusable), Finding::Known)
}

/// A day, or the first one of a month.
fn day(text: &str) -> Option<CivilDate> {
    text.parse().or_else(|_| format!("{text}-01").parse()).ok()
}
