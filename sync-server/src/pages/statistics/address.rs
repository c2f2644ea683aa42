//! What stands in the address of a page of figures, and addresses with the same filter.
use domain::date::CivilDate;
use domain::ids::UnitId;
use serde::Deserialize;

use super::W;
use crate::auth::role::Role;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::view::in_query;
use crate::services::sessions::Caller;
use crate::services::statistics::{Filter, MAX_DAYS};

/// Days that are shown where nobody says which.
const USUAL_DAYS: i64 = 183;
/// In an address: those whose envelope named no item. No code of an item looks so.
pub const NO_ITEM: &str = "-";

/// As it was typed; empty values are the same as none.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    item: String,
    #[serde(default)]
    station: String,
    #[serde(default)]
    unit: String,
    /// Which of the cases.
    #[serde(default)]
    pub(super) of: String,
    /// Slower than so many seconds.
    #[serde(default)]
    pub(super) over: String,
    /// Where the page of the list begins.
    #[serde(default)]
    pub(super) before: String,
}

/// What it means for this caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understood {
    /// Which cases.
    pub filter: Filter,
    /// The caller may choose the unit.
    pub all_units: bool,
    usual: bool,
}

/// One choice of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub word: String,
    pub chosen: bool,
}

/// Choices, first the one that narrows nothing.
pub fn choices(list: Vec<(String, String)>, chosen: Option<&str>) -> Vec<Choice> {
    let any = Choice { value: String::new(), word: W.t("cases.any").to_owned(), chosen: chosen.is_none() };
    let each = list.into_iter().map(|(value, word)| Choice { chosen: chosen == Some(&value), value, word });
    std::iter::once(any).chain(each).collect()
}

impl Asked {
    /// The filter that is meant; what cannot be read narrows nothing, and a period that is too long is cut.
    ///
    /// # Errors
    /// `unit-needed` for a leader without a unit.
    pub fn understood(&self, caller: &Caller, now_ms: i64) -> Result<Understood, ServiceError> {
        let all_units = caller.roles.has(Role::Operator);
        let asked_unit: Option<UnitId> = self.unit.parse().ok();
        let unit = if all_units {
            asked_unit.filter(|_| !self.unit.is_empty())
        } else {
            Some(caller.unit.clone().ok_or(ProblemCode::UnitNeeded)?)
        };
        let today = CivilDate::in_china(now_ms);
        let to: CivilDate = self.to.parse().unwrap_or(today);
        let from: CivilDate = self.from.parse().unwrap_or_else(|_| to.plus_days(1 - USUAL_DAYS));
        let (from, to) = if from <= to { (from, to) } else { (to, from) };
        let from = from.max(to.plus_days(1 - MAX_DAYS));
        let filter = Filter {
            from,
            to,
            unit,
            item: self.item.parse().ok().filter(|_| !self.item.is_empty() && self.item != NO_ITEM),
            no_item: self.item == NO_ITEM,
            station: self.station.parse().ok().filter(|_| !self.station.is_empty()),
        };
        let usual = to == today && from == today.plus_days(1 - USUAL_DAYS);
        Ok(Understood { filter, all_units, usual })
    }
}

impl Understood {
    /// The one item that is asked for; empty for those without one.
    pub fn item(&self) -> Option<&str> {
        if self.filter.no_item { Some("") } else { self.filter.item.as_ref().map(|code| code.as_str()) }
    }

    /// Whether another filter would show more.
    pub fn narrowed(&self) -> bool {
        let unit = self.all_units && self.filter.unit.is_some();
        self.item().is_some() || self.filter.station.is_some() || unit || !self.usual
    }

    /// The page of the figures with another item or station.
    pub fn figures(&self, item: Option<&str>, station: Option<&str>) -> String {
        format!("/statistics?{}", self.query(item, station))
    }

    /// The cases behind a figure.
    pub fn list(&self, of: &str, line: Option<(&str, &str)>) -> String {
        let own = |name: &str| line.filter(|(of, _)| *of == name).map(|(_, value)| value);
        let item = own("item").or(self.item());
        let station = own("station").or(self.filter.station.as_ref().map(|id| id.as_str()));
        format!("/statistics/cases?{}&of={of}", self.query(item, station))
    }

    /// The same figures as files, each with its word.
    pub fn files(&self) -> Vec<(String, String)> {
        let query = self.query(self.item(), self.filter.station.as_ref().map(|id| id.as_str()));
        [("export.xlsx", "xlsx"), ("items.csv", "items_csv"), ("cases.csv", "cases_csv")]
            .map(|(file, word)| (format!("/statistics/{file}?{query}"), W.of("statistics", word)))
            .into()
    }

    fn query(&self, item: Option<&str>, station: Option<&str>) -> String {
        let filter = &self.filter;
        let mut query = format!("from={}&to={}", filter.from, filter.to);
        let unit = filter.unit.as_ref().filter(|_| self.all_units).map(UnitId::as_str);
        let item = item.map(|code| if code.is_empty() { NO_ITEM } else { code });
        for (name, value) in [("item", item), ("station", station), ("unit", unit)] {
            if let Some(value) = value {
                query.push_str(&format!("&{name}={}", in_query(value)));
            }
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::auth::names::AccountId;
    use crate::auth::role::Roles;
    use crate::auth::token::Token;

    const NOW: i64 = 1_795_541_400_000; // 2026-11-25 01:30 in China

    fn caller(unit: &str, roles: &[Role]) -> Caller {
        Caller {
            account: AccountId::at(1),
            display: String::new(),
            unit: unit.parse().ok().filter(|_| !unit.is_empty()),
            roles: Roles::of(roles),
            must_change: false,
            session: Token::new(&mut ChaCha20Rng::seed_from_u64(1)).key(),
            seen_at_ms: 0,
        }
    }

    #[test]
    fn a_leader_sees_the_own_unit_whatever_is_asked() {
        let asked = Asked { unit: "other".into(), ..Asked::default() };
        let unit = |caller: &Caller| {
            asked.understood(caller, NOW).map(|here| here.filter.unit.map(|u| u.to_string()))
        };
        assert_eq!(unit(&caller("own", &[Role::Leader])).ok(), Some(Some("own".into())));
        assert_eq!(unit(&caller("own", &[Role::Operator])).ok(), Some(Some("other".into())));
        assert!(unit(&caller("", &[Role::Leader])).is_err());
        let here = Asked::default().understood(&caller("", &[Role::Operator]), NOW).expect("all");
        assert_eq!((here.filter.unit.clone(), here.narrowed()), (None, false));
        assert!(!here.figures(None, None).contains("unit"));
    }

    #[test]
    fn what_names_no_item_leads_to_itself() {
        let it = caller("", &[Role::Operator]);
        let all = Asked::default().understood(&it, NOW).expect("all");
        let list = all.list("overdue", Some(("item", "")));
        assert!(list.contains("&item=-&of=overdue"), "{list}");
        assert!(all.figures(Some(""), None).ends_with("&item=-"));
        let asked = Asked { item: NO_ITEM.into(), ..Asked::default() };
        let here = asked.understood(&it, NOW).expect("those");
        assert_eq!((here.filter.no_item, here.item(), here.narrowed()), (true, Some(""), true));
        assert!(here.list("all", None).contains("item=-"));
    }

    #[test]
    fn odd_periods_are_put_right() {
        let it = caller("", &[Role::Operator]);
        let table = [
            ("", "", "2026-05-27", "2026-11-25"),
            ("2026-11-20", "2026-11-01", "2026-11-01", "2026-11-20"),
            ("1990-01-01", "2026-11-25", "2025-11-25", "2026-11-25"),
            ("=1+1", "<script>", "2026-05-27", "2026-11-25"),
        ];
        for (from, to, first, last) in table {
            let asked = Asked { from: from.into(), to: to.into(), ..Asked::default() };
            let filter = asked.understood(&it, NOW).expect("a filter").filter;
            assert_eq!(
                (filter.from.to_string().as_str(), filter.to.to_string().as_str()),
                (first, last),
                "{from}"
            );
        }
    }
}
