//! The rules that every history keeps, as in the proof of the sync protocol; each names what breaks it.
use std::collections::{BTreeMap, BTreeSet};

use domain::case::{CaseState, fold};
use domain::ids::{CaseNo, EnvelopeId};
use terminal::store::StatusRow;

use super::audited;
use super::changed::Changed;
use super::{CentreView, DiskView, History, Op, StoredCase};

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// (a) Every acknowledged id is at the centre.
    Acknowledged,
    /// (b) No id is there twice.
    Once,
    /// (c) No id is there that was never made.
    Made,
    /// (d) The digest is the same on the slip, on the disk and at the centre.
    Digest,
    /// (e) No gap in a terminal's series, except what it holds parked.
    Series,
    /// (f) Cases move along allowed edges, and the projection is what their actions say.
    Edges,
    /// (g) Nobody sees an older state after a newer one.
    Sight,
    /// (h) Every audit row has its change, every change its row, and the chain holds.
    Audit,
    /// (i) What came with pages has them all at the centre, the very bytes, and is complete.
    Pages,
    /// The promise, on the terminal: a number that was shown is on the disk, for one submission.
    Shown,
    /// The promise, at the centre: a number that was shown is there exactly once.
    Promise,
    /// After the drain nothing waits.
    Drained,
    /// After the drain a terminal knows what became of its cases.
    Told,
    /// A slip comes out of the printer no oftener than somebody asked for it.
    Paper,
    /// The database is sound.
    Sound,
    /// The row of each case and its tasks are what its actions say, to the last column.
    Projection,
}

/// A rule that a run broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub rule: Rule,
    /// By what: ids and numbers.
    pub what: String,
}

/// Complaints as lines, at most 20.
pub fn report(broken: &[Broken]) -> String {
    let lines: Vec<String> = broken.iter().take(20).map(|b| format!("{:?}: {}", b.rule, b.what)).collect();
    format!("{} broken\n{}", broken.len(), lines.join("\n"))
}

/// What the store of a centre keeps by itself, whatever the terminals hold and however far it came.
const OF_CENTRE: &[Rule] = &[
    Rule::Acknowledged,
    Rule::Once,
    Rule::Made,
    Rule::Digest,
    Rule::Series,
    Rule::Edges,
    Rule::Audit,
    Rule::Promise,
    Rule::Sound,
    Rule::Projection,
];
/// What the store of a terminal keeps by itself, whatever came to the centre.
const OF_DISK: &[Rule] = &[Rule::Made, Rule::Digest, Rule::Series, Rule::Shown];

/// Checks the store of a centre by itself, drained or not; empty if its rules hold. A number counts as shown only if
/// the centre gave a receipt for it.
pub fn check_centre(history: &History, centre: &CentreView) -> Vec<Broken> {
    let mut broken = check(history, centre, &[]);
    broken.retain(|b| OF_CENTRE.contains(&b.rule));
    broken
}

/// Checks the store of a terminal by itself, drained or not; empty if its rules hold.
pub fn check_disk(history: &History, disk: DiskView) -> Vec<Broken> {
    let mut broken = check(history, &CentreView::default(), &[disk]);
    broken.retain(|b| OF_DISK.contains(&b.rule));
    broken
}

/// Checks a drained run; empty if all rules hold.
pub fn check(history: &History, centre: &CentreView, disks: &[DiskView]) -> Vec<Broken> {
    let changed = Changed::of(history, centre);
    let mut checker = Checker { history, centre, disks, changed, broken: Vec::new() };
    checker.acknowledged();
    checker.once();
    checker.made();
    checker.digests();
    checker.series();
    checker.edges();
    checker.sight();
    checker.broken.extend(audited::check(centre));
    checker.promise();
    checker.drained();
    checker.papers();
    checker.sound();
    checker.projection();
    checker.broken
}

struct Checker<'a> {
    history: &'a History,
    centre: &'a CentreView,
    disks: &'a [DiskView],
    changed: Changed,
    broken: Vec<Broken>,
}

fn parked(state: &str) -> bool {
    matches!(state, "quarantined" | "conflict")
}

fn twice<T: Ord + Clone>(all: impl Iterator<Item = T>) -> BTreeSet<T> {
    let mut seen = BTreeSet::new();
    all.filter(|x| !seen.insert(x.clone())).collect()
}

impl Checker<'_> {
    fn say(&mut self, rule: Rule, what: impl Into<String>) {
        self.broken.push(Broken { rule, what: what.into() });
    }

    fn stored(&self) -> BTreeSet<String> {
        self.centre.envelopes.iter().map(|e| e.id.to_string()).collect()
    }

    fn acknowledged(&mut self) {
        let stored = self.stored();
        let told = self.history.0.iter().filter_map(|r| match &r.op {
            Op::Acked { id } => Some(id.to_string()),
            _ => None,
        });
        let rows = self.disks.iter().flat_map(|d| &d.rows);
        let kept = rows.filter(|r| r.state == "delivered").map(|r| r.envelope_id.clone());
        let all: BTreeSet<String> = told.chain(kept).collect();
        for id in all.difference(&stored) {
            self.say(Rule::Acknowledged, format!("{id} was acknowledged and is not at the centre"));
        }
    }

    fn once(&mut self) {
        let envelopes = twice(self.centre.envelopes.iter().map(|e| e.id.to_string()));
        let digests = twice(self.centre.envelopes.iter().map(|e| e.digest.to_string()));
        let cases = twice(self.centre.cases.iter().map(|c| c.id.to_string()));
        for (what, doubled) in [("envelope", envelopes), ("digest", digests), ("case", cases)] {
            for id in doubled {
                self.say(Rule::Once, format!("{what} {id} is there twice"));
            }
        }
    }

    fn made(&mut self) {
        let made: BTreeSet<String> = self
            .history
            .0
            .iter()
            .filter_map(|r| if let Op::Created { id } = &r.op { Some(id.to_string()) } else { None })
            .collect();
        for id in self.stored().difference(&made) {
            self.say(Rule::Made, format!("{id} is at the centre and was never made"));
        }
        for row in self.disks.iter().flat_map(|d| &d.rows).filter(|r| !made.contains(&r.envelope_id)) {
            self.say(Rule::Made, format!("{} is on a disk and was never made", row.envelope_id));
        }
    }

    fn digests(&mut self) {
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut add = |id: String, digest: String| known.entry(id).or_default().insert(digest);
        for e in &self.centre.envelopes {
            add(e.id.to_string(), e.digest.to_string());
            add(e.id.to_string(), e.computed.to_string());
        }
        for row in self.disks.iter().flat_map(|d| &d.rows) {
            add(row.envelope_id.clone(), row.digest.clone());
        }
        for record in &self.history.0 {
            if let Op::Slip { id, digest, .. } = &record.op {
                add(id.to_string(), digest.to_string());
            }
        }
        for (id, digests) in known.into_iter().filter(|(_, d)| d.len() > 1) {
            self.say(Rule::Digest, format!("{id} has {} digests", digests.len()));
        }
    }

    fn series(&mut self) {
        let mut series: BTreeMap<(&str, &str), Vec<u64>> = BTreeMap::new();
        for e in &self.centre.envelopes {
            series.entry((&e.terminal, &e.lineage)).or_default().push(e.seq);
        }
        let names: BTreeMap<String, &str> =
            self.centre.envelopes.iter().map(|e| (e.id.to_string(), e.terminal.as_str())).collect();
        let mut held: BTreeSet<(&str, u64)> = BTreeSet::new();
        for disk in self.disks {
            let own = disk.rows.iter().find_map(|r| names.get(&r.envelope_id)).copied().unwrap_or_default();
            let rows = disk.rows.iter().filter(|r| parked(&r.state));
            held.extend(rows.filter_map(|r| Some((own, u64::try_from(r.seq).ok()?))));
        }
        let mut complaints = Vec::new();
        for ((terminal, lineage), seqs) in series {
            let doubles = if self.changed.may_double(terminal, self.centre) {
                BTreeSet::new()
            } else {
                twice(seqs.iter())
            };
            for seq in doubles {
                complaints.push(format!("{terminal} {lineage}: place {seq} stands twice"));
            }
            let seqs: BTreeSet<u64> = seqs.into_iter().collect();
            let last = if self.changed.may_miss(terminal) { 0 } else { seqs.last().copied().unwrap_or(0) };
            for seq in (1..=last).filter(|s| !seqs.contains(s) && !held.contains(&(terminal, *s))) {
                complaints.push(format!("{terminal} {lineage}: place {seq} is missing"));
            }
        }
        for disk in self.disks {
            let seqs: Vec<i64> = disk.rows.iter().map(|r| r.seq).collect();
            if seqs.windows(2).any(|w| w[1] != w[0] + 1 && w[1] != 1) || seqs.first().is_some_and(|s| *s != 1)
            {
                complaints.push(format!("{}: the series on the disk has a gap: {seqs:?}", disk.terminal));
            }
        }
        complaints.into_iter().for_each(|c| self.say(Rule::Series, c));
    }

    fn edges(&mut self) {
        let mut histories: BTreeMap<EnvelopeId, Vec<_>> = BTreeMap::new();
        for action in &self.centre.actions {
            histories.entry(action.id).or_default().push(action.recorded.clone());
        }
        for case in &self.centre.cases {
            let history = histories.remove(&case.id).unwrap_or_default();
            match fold(&history) {
                Err(e) => self.say(Rule::Edges, format!("{}: {e}", case.id)),
                Ok(v) if (v.state, v.version, &v.number) != (case.state, case.version, &case.number) => {
                    self.say(Rule::Edges, format!("{}: the projection is not what the actions say", case.id));
                }
                Ok(_) => {}
            }
        }
        for id in histories.keys() {
            self.say(Rule::Edges, format!("{id} has actions and no case"));
        }
    }

    fn sight(&mut self) {
        let mut states: BTreeMap<&str, Vec<CaseState>> = BTreeMap::new();
        let cases: BTreeMap<EnvelopeId, _> = self.centre.cases.iter().map(|c| (c.id, c)).collect();
        for action in &self.centre.actions {
            // A corrected number takes the place of the one on the slip.
            let numbers = cases.get(&action.id).map(|c| std::iter::once(&c.number).chain(&c.slip_number));
            for number in numbers.into_iter().flatten() {
                states.entry(number.as_str()).or_default().extend(action.recorded.action.state());
            }
        }
        // What was seen before the centre was set back says nothing of the actions that it has now.
        let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, record) in self.history.0.iter().enumerate().filter(|(_, r)| r.op == Op::NewEpoch) {
            ends.insert(&record.terminal, place);
        }
        let bearers = self.bearers();
        let mut last: BTreeMap<(&str, &str), (usize, u8)> = BTreeMap::new();
        let mut complaints = Vec::new();
        for (place, record) in self.history.0.iter().enumerate() {
            if matches!(record.op, Op::Restored | Op::PutAside | Op::NewEpoch) {
                last.retain(|(terminal, _), _| *terminal != record.terminal);
            }
            let Op::Seen { number, state, marks } = &record.op else { continue };
            let (version, most) = last.entry((&record.terminal, number.as_str())).or_default();
            if *marks < *most {
                complaints.push(format!("{number}: a mark was taken back"));
            }
            *most = (*most).max(*marks);
            let outdated = ends.get(record.terminal.as_str()).is_some_and(|end| place < *end);
            let shared = bearers.get(number.as_str()).is_some_and(|ids| ids.len() > 1);
            if outdated || (shared && self.changed.has(&record.terminal)) {
                continue;
            }
            let known = states.get(number.as_str()).map(Vec::as_slice).unwrap_or_default();
            // The earliest version that can have been seen without going back.
            let possible = match state {
                None if *version == 0 => Some(0),
                None => None,
                Some(s) => (1..=known.len()).find(|v| *v >= *version && known[v - 1] == *s),
            };
            match possible {
                Some(v) => *version = v,
                None => complaints.push(format!("{number}: {state:?} was seen after version {version}")),
            }
        }
        complaints.into_iter().for_each(|c| self.say(Rule::Sight, c));
    }

    /// Who bears a number, or has it on the slip.
    fn bearers(&self) -> BTreeMap<&str, Vec<EnvelopeId>> {
        let mut bearers: BTreeMap<&str, Vec<EnvelopeId>> = BTreeMap::new();
        for case in &self.centre.cases {
            let shown = case.slip_number.as_ref().unwrap_or(&case.number);
            bearers.entry(shown.as_str()).or_default().push(case.id);
        }
        bearers
    }

    fn promise(&mut self) {
        let shown: Vec<(&str, EnvelopeId, CaseNo)> = self
            .history
            .0
            .iter()
            .filter_map(|r| match &r.op {
                Op::Slip { id, number, .. } => Some((r.terminal.as_str(), *id, number.clone())),
                _ => None,
            })
            .collect();
        let acked: BTreeSet<EnvelopeId> = self
            .history
            .0
            .iter()
            .filter_map(|r| if let Op::Acked { id } = &r.op { Some(*id) } else { None })
            .collect();
        let rows: BTreeMap<&str, _> =
            self.disks.iter().flat_map(|d| &d.rows).map(|r| (r.envelope_id.as_str(), r)).collect();
        let bearers = self.bearers();
        let mut complaints = Vec::new();
        for (terminal, id, number) in &shown {
            let (changed, excused) = (self.changed.has(terminal), self.changed.excuses(id));
            let row = rows.get(id.to_string().as_str());
            let held = row.is_some_and(|r| parked(&r.state)) || (excused && !acked.contains(id));
            let other = |r: &&StatusRow| !changed && r.number.as_deref() != Some(number.as_str());
            if !excused && (row.is_none() || row.is_some_and(other)) {
                complaints.push((Rule::Shown, format!("{number} was shown and is not on the disk")));
            }
            let there = bearers.get(number.as_str()).map(Vec::as_slice).unwrap_or_default();
            let once = there == [*id] || (changed && there.contains(id));
            if !held && !once {
                let what = format!("{number} was shown and is not at the centre exactly once");
                complaints.push((Rule::Promise, what));
            }
        }
        let ids: BTreeMap<&str, EnvelopeId> = shown.iter().map(|(_, id, n)| (n.as_str(), *id)).collect();
        let twice = shown.iter().filter(|(_, id, n)| ids.get(n.as_str()) != Some(id));
        for (_, id, number) in twice.filter(|(terminal, ..)| !self.changed.has(terminal)) {
            complaints.push((Rule::Shown, format!("{number} was shown for {id} and for another")));
        }
        complaints.into_iter().for_each(|(rule, what)| self.say(rule, what));
    }

    fn drained(&mut self) {
        let waiting = self.disks.iter().flat_map(|d| &d.rows).filter(|r| r.state == "queued");
        let mut complaints: Vec<String> =
            waiting.map(|r| format!("{} still waits: {:?}", r.envelope_id, r.last_error)).collect();
        // What awaits pages is not to be opened: rule (i) says whether it may.
        let awaits = |c: &&StoredCase| !self.centre.awaiting.contains(&c.id);
        let unopened = self.centre.cases.iter().filter(|c| c.state == CaseState::Received).filter(awaits);
        complaints.extend(unopened.map(|c| format!("{} was never opened", c.id)));
        complaints.into_iter().for_each(|c| self.say(Rule::Drained, c));
    }

    fn papers(&mut self) {
        let mut left: BTreeMap<(&str, EnvelopeId), i64> = BTreeMap::new();
        for record in &self.history.0 {
            let (id, more) = match record.op {
                Op::PaperAsked { id } => (id, 1),
                Op::Paper { id } => (id, -1),
                _ => continue,
            };
            *left.entry((&record.terminal, id)).or_default() += more;
        }
        // A disk that was set back, or lives twice, may know of a slip only that it was asked for.
        let odd = left.into_iter().filter(|((terminal, _), left)| *left < 0 && !self.changed.has(terminal));
        let complaints: Vec<String> =
            odd.map(|((_, id), left)| format!("{id} was printed {} times too often", -left)).collect();
        complaints.into_iter().for_each(|c| self.say(Rule::Paper, c));
    }

    fn projection(&mut self) {
        for difference in &self.centre.differing {
            self.say(Rule::Projection, difference.clone());
        }
    }

    fn sound(&mut self) {
        for mistake in &self.centre.unsound {
            self.say(Rule::Sound, mistake.clone());
        }
    }
}
