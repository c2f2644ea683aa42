//! 统计: what is counted of each case, the figures of a page, and the cases behind each of them.
//!
//! Reads `case_fact` only, which follows from the actions (`facts`). `docs/statistics.md` defines each number. Refuses to
//! know anything of a person.
pub mod facts;
pub mod figures;
pub mod list;
pub mod spread;

use domain::date::CivilDate;
use domain::ids::{ItemCode, StationId, UnitId};

use crate::store::Value;

/// Days of a period, at most: what is read stays bounded.
pub const MAX_DAYS: i64 = 366;

/// Which cases are counted: those that were received from one day to another one, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The first day.
    pub from: CivilDate,
    /// The last day.
    pub to: CivilDate,
    /// Only those in which this unit has a part.
    pub unit: Option<UnitId>,
    /// Only of this item or bundle.
    pub item: Option<ItemCode>,
    /// Only those whose envelope named no item; `item` says nothing then.
    pub no_item: bool,
    /// Only from this station.
    pub station: Option<StationId>,
}

impl Filter {
    /// The condition on `case_fact f`, and its parameters.
    fn condition(&self) -> (String, Vec<Value>) {
        let unit = self.unit.as_ref().map_or(facts::WHOLE, UnitId::as_str);
        let mut values = vec![unit.into(), facts::day(self.from).into(), facts::day(self.to).into()];
        let mut text = String::from("f.unit = $1 AND f.day_ >= $2 AND f.day_ <= $3");
        let named = [
            ("item", if self.no_item { Some("") } else { self.item.as_ref().map(ItemCode::as_str) }),
            ("station", self.station.as_ref().map(StationId::as_str)),
        ];
        for (column, value) in named {
            if let Some(value) = value {
                values.push(value.into());
                text.push_str(&format!(" AND f.{column} = ${}", values.len()));
            }
        }
        (text, values)
    }
}
