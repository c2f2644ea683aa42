//! Work lists of a unit: to pack, on the way, needs somebody, at the window, over. What waits longest stands first.
use domain::certificate::CertificateNo;
use domain::ids::{CaseNo, ItemCode, UnitId};
use domain::parcel::ParcelNo;

use super::{COLUMNS, Stored, read};
use crate::error::ServiceError;
use crate::store::{Tx, Value};

/// Rows of a page.
pub const PAGE: u64 = 50;
/// The lists, in the order of tabs.
pub const LISTS: [&str; 5] = ["pack", "way", "needs", "window", "done"];
/// Columns of the parcel before those of its case.
const OF_PARCEL: usize = 12;

/// A place in a list: when the parcel last changed, and its number.
pub type Place = (i64, ParcelNo);

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// One of [`LISTS`]; all if it is empty.
    pub list: String,
    /// A number of a case, a certificate or a parcel, or the carrier's; everything if it is empty.
    pub text: String,
    /// Rows behind this place.
    pub after: Option<Place>,
    /// Rows, at most.
    pub limit: u64,
}

/// A parcel with what is told of its case in lists.
pub struct Listed {
    /// The parcel.
    pub stored: Stored,
    /// The number of its case.
    pub case: CaseNo,
    /// Item or bundle.
    pub item: Option<ItemCode>,
    /// The catalogue version that has its name.
    pub catalogue_version: u64,
}

/// Parcels of a unit, and the place behind which there are more.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn page(
    tx: &mut Tx<'_>,
    unit: &UnitId,
    query: &Query,
) -> Result<(Vec<Listed>, Option<Place>), ServiceError> {
    let mut values: Vec<Value> = vec![unit.as_str().into()];
    let mut wheres = vec!["p.unit = $1".to_owned()];
    let mut parameter = |value: Value| {
        values.push(value);
        values.len()
    };
    if !query.list.is_empty() {
        wheres.push(format!("p.list_ = ${}", parameter(query.list.as_str().into())));
    }
    if let Some((at_ms, number)) = &query.after {
        let (at, no) = (parameter((*at_ms).into()), parameter(number.as_str().into()));
        wheres.push(format!("(p.changed_at_ms > ${at} OR (p.changed_at_ms = ${at} AND p.number > ${no}))"));
    }
    if !query.text.is_empty() {
        wheres.push(searched(&query.text, &mut parameter));
    }
    let limit = parameter(query.limit.saturating_add(1).into());
    let columns = COLUMNS.split(", ").map(|name| format!("p.{}", name.trim())).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT {columns}, c.number, c.item, c.catalogue_version FROM parcel p
         JOIN case_ c ON c.envelope_id = p.envelope_id WHERE {} ORDER BY p.changed_at_ms, p.number LIMIT ${limit}",
        wheres.join(" AND ")
    );
    let mut found = Vec::new();
    for row in tx.query(&sql, &values)? {
        found.push(Listed {
            stored: read(&row)?,
            case: row.parsed(OF_PARCEL)?,
            item: row.text(OF_PARCEL + 1)?.parse().ok(),
            catalogue_version: row.uint(OF_PARCEL + 2)?,
        });
    }
    let more = found.len() as u64 > query.limit;
    found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
    let last = found.last().filter(|_| more);
    let next = last.map(|last| (last.stored.parcel.changed_at_ms, last.stored.number.clone()));
    Ok((found, next))
}

/// The condition of a text: column names are the program's own, what was typed is always a parameter.
fn searched(text: &str, parameter: &mut impl FnMut(Value) -> usize) -> String {
    if let Ok(number) = text.parse::<ParcelNo>() {
        return format!("p.number = ${}", parameter(number.as_str().into()));
    }
    if let Ok(number) = text.parse::<CaseNo>() {
        let n = parameter(number.as_str().into());
        return format!("(c.number = ${n} OR c.slip_number = ${n})");
    }
    if let Ok(number) = text.parse::<CertificateNo>() {
        let n = parameter(number.as_str().into());
        return format!("p.envelope_id IN (SELECT envelope_id FROM certificate WHERE number = ${n})");
    }
    let n = parameter(text.to_ascii_uppercase().into());
    format!("(p.tracking <> '' AND UPPER(p.tracking) = ${n})")
}

/// How many parcels of a unit stand in each list.
///
/// # Errors
/// [`ServiceError`] if the store fails.
pub fn counts(tx: &mut Tx<'_>, unit: &UnitId) -> Result<[u64; LISTS.len()], ServiceError> {
    let sql = "SELECT list_, COUNT(*) FROM parcel WHERE unit = $1 GROUP BY list_";
    let mut counts = [0; LISTS.len()];
    for row in tx.query(sql, &[unit.as_str().into()])? {
        let place = LISTS.iter().position(|list| row.text(0).is_ok_and(|name| name == *list));
        if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
            *count = row.uint(1)?;
        }
    }
    Ok(counts)
}
