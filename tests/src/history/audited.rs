//! (h): the audit of a centre and what it speaks of: every row has its change, every change its row, and the chain holds.
use std::collections::{BTreeMap, BTreeSet};

use super::{Broken, CentreView, Rule, StoredAudit};

/// What happens once more to a page that a restored centre had lost.
const AGAIN: [&str; 2] = ["blob.stored", "envelope.complete"];
/// The alarm that tells of such a page.
const LOST: &str = "blob.lost";

/// Holds the audit of a centre against its store; empty if they agree.
pub(super) fn check(centre: &CentreView) -> Vec<Broken> {
    let mut broken: Vec<String> =
        centre.broken_link.iter().map(|row| format!("the chain breaks at row {row}")).collect();
    let mut changes: Vec<StoredAudit> = centre.others.clone();
    changes.extend(
        centre
            .envelopes
            .iter()
            .map(|e| ("envelope.stored".to_owned(), e.id.to_string(), e.digest.to_string())),
    );
    changes.extend(
        centre
            .actions
            .iter()
            .map(|a| (format!("case.{}", a.recorded.action.name()), a.id.to_string(), a.digest.clone())),
    );
    let mut balance: BTreeMap<&StoredAudit, i64> = BTreeMap::new();
    changes.iter().for_each(|c| *balance.entry(c).or_default() += 1);
    centre.audit.iter().for_each(|a| *balance.entry(a).or_default() -= 1);
    let lost: BTreeSet<&str> =
        centre.others.iter().filter(|(kind, ..)| kind == LOST).map(|(_, id, _)| id.as_str()).collect();
    let again = |(event, id, _): &StoredAudit| AGAIN.contains(&event.as_str()) && lost.contains(id.as_str());
    // A terminal that died before it kept its certificate asks with the same code once more.
    let certificates: BTreeSet<StoredAudit> =
        centre.others.iter().filter(|(event, ..)| event == "certificate.issued").cloned().collect();
    for (row, n) in balance.into_iter().filter(|(_, n)| *n != 0) {
        if n > 0 || !(again(row) || certificates.contains(row)) {
            let what = if n > 0 { "a change without its row" } else { "a row without its change" };
            broken.push(format!("{} {}: {what}", row.0, row.1));
        }
    }
    broken.into_iter().map(|what| Broken { rule: Rule::Audit, what }).collect()
}
