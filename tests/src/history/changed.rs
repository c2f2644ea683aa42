//! Disks that were copied while they were in use or that broke, and what nobody can ask of a terminal afterwards.
//!
//! What lies in a damaged store that was put aside does not come to the centre by itself: people are told to fetch it. A
//! disk that was set back knows nothing of what was saved since the copy: if that had not reached the centre it is lost,
//! whatever a program does. Two disks with one series fork it. Refuses to excuse anything else: what was acknowledged must
//! be at the centre, and a fork must be told to people.
use std::collections::{BTreeMap, BTreeSet};

use domain::ids::EnvelopeId;

use super::{CentreView, History, Op};

/// The alarms that tell of a fork.
const FORKS: [&str; 2] = ["series.fork", "series.two-lineages"];

/// What was done to disks in a run.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// Terminals of the run that were set back, live twice, or put a damaged store aside.
    names: BTreeSet<String>,
    /// The same, by the centre's names.
    terminals: BTreeSet<String>,
    /// Shown, and gone with a disk that was set back, or in a store that lies aside.
    lost_with_disk: BTreeSet<EnvelopeId>,
}

impl Changed {
    /// Reads it from a history.
    pub(super) fn of(history: &History, centre: &CentreView) -> Self {
        let mut changed = Self::default();
        let mut since_copy: BTreeMap<&str, Vec<EnvelopeId>> = BTreeMap::new();
        let mut in_store: BTreeMap<&str, Vec<EnvelopeId>> = BTreeMap::new();
        for record in &history.0 {
            let name = record.terminal.as_str();
            match &record.op {
                Op::Copied => drop(since_copy.insert(name, Vec::new())),
                Op::Slip { id, .. } => {
                    since_copy.entry(name).or_default().push(*id);
                    in_store.entry(name).or_default().push(*id);
                }
                Op::PutAside => {
                    changed.names.insert(name.to_owned());
                    changed.lost_with_disk.extend(in_store.remove(name).unwrap_or_default());
                }
                Op::Restored => {
                    changed.names.insert(name.to_owned());
                    changed.lost_with_disk.extend(since_copy.remove(name).unwrap_or_default());
                }
                Op::Cloned { twin } => changed.names.extend([name.to_owned(), twin.clone()]),
                _ => {}
            }
        }
        let ids: BTreeSet<EnvelopeId> = history
            .0
            .iter()
            .filter(|r| changed.names.contains(&r.terminal))
            .filter_map(|r| if let Op::Created { id } = &r.op { Some(*id) } else { None })
            .collect();
        let sent = centre.envelopes.iter().filter(|e| ids.contains(&e.id));
        changed.terminals = sent.map(|e| e.terminal.clone()).collect();
        changed
    }

    /// Whether what a terminal of the run shows may stand twice or be corrected.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether a slip may be gone.
    pub(super) fn excuses(&self, id: &EnvelopeId) -> bool {
        self.lost_with_disk.contains(id)
    }

    /// Whether places of a terminal's series may be missing.
    pub(super) fn may_miss(&self, terminal: &str) -> bool {
        self.terminals.contains(terminal)
    }

    /// Whether places of a terminal's series may stand twice: then people must have been told.
    pub(super) fn may_double(&self, terminal: &str, centre: &CentreView) -> bool {
        let told = centre.others.iter().any(|(k, of, _)| FORKS.contains(&k.as_str()) && of == terminal);
        self.may_miss(terminal) && told
    }
}
