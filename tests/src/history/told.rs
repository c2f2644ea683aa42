//! After a drain every terminal knows of its cases what the centre knows.
use std::collections::BTreeMap;

use super::{Broken, CentreView, DiskView, Rule};

/// Compares what disks say of their cases with the centre, once all news were heard; empty if they agree.
pub fn check_told(centre: &CentreView, disks: &[DiskView]) -> Vec<Broken> {
    let states: BTreeMap<String, String> =
        centre.cases.iter().map(|c| (c.id.to_string(), c.state.as_str().to_owned())).collect();
    let rows = disks.iter().flat_map(|d| d.rows.iter().map(|row| (&d.terminal, row)));
    let wrong = rows.filter_map(|(terminal, row)| {
        let known = states.get(&row.envelope_id)?;
        let told = row.case_state.as_deref();
        (told != Some(known.as_str())).then(|| Broken {
            rule: Rule::Told,
            what: format!("{terminal} says {told:?} of {}, and it is {known}", row.envelope_id),
        })
    });
    wrong.collect()
}
