//! An ID number judged: its kind, or the first rule that it breaks.
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};
use domain::applicant::id_number_kind;
use domain::date::CivilDate;

use super::report;

/// Prints what kind of number it is.
///
/// # Errors
/// The rule that is broken; with `json` it is printed as well.
pub(super) fn check(number: &str, json: bool, out: &mut dyn Write) -> Result<()> {
    match id_number_kind(number, today()) {
        Ok(kind) => report::write(&[("valid", true.into()), ("kind", kind.name().into())], json, out),
        Err(error) => {
            if json {
                let rows = [("valid", false.into()), ("error", error.to_string().into())];
                report::write(&rows, json, out)?;
            }
            Err(anyhow!(error))
        }
    }
}

/// The day in China; nothing if the clock is before 1970.
fn today() -> Option<CivilDate> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(CivilDate::in_china(i64::try_from(since.as_millis()).ok()?))
}
