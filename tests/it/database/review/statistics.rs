//! 统计 on both databases: figures are what a plain recount of the actions gives, for the whole and for each unit.
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use domain::bundle::StepKind;
use domain::case::{Action, Outcome, Plan, Recorded};
use domain::catalogue::Catalogue;
use domain::date::CivilDate;
use domain::ids::EnvelopeId;
use domain::item::{Period, PeriodUnit};
use sync_server::refold_command::verify;
use sync_server::sample_data::{Loaded, Wanted, load, used_table};
use sync_server::services::catalogue::Shelf;
use sync_server::services::statistics::figures::{self, By};
use sync_server::services::statistics::list::{self, Of};
use sync_server::services::statistics::{Filter, facts};
use sync_server::store::Value;

use super::on_both;
use super::stage::{FIVE_DAYS, Stage, sample, single};

pub(super) const ESTATE: &str = "one.realestate";
/// In a year of which no other story has a key.
const UNTIL: &str = "2025-11-20";

/// A catalogue of which only a few things come in.
pub(super) fn few() -> Result<Catalogue> {
    let mut catalogue = sample()?;
    let kept = [ESTATE, "one.ridehail", FIVE_DAYS];
    catalogue.bundles.retain(|code, _| kept.contains(&code.as_str()));
    catalogue.items.retain(|code, _| kept.contains(&code.as_str()));
    Ok(catalogue)
}

pub(super) fn fill(stage: &mut Stage<'_>, percent: u32) -> Result<Loaded> {
    fill_by(stage, percent, &few()?)
}

pub(super) fn fill_by(stage: &mut Stage<'_>, percent: u32, catalogue: &Catalogue) -> Result<Loaded> {
    let wanted = Wanted { until: UNTIL.parse()?, percent, seed: 7 };
    load(&mut *stage.driver, &stage.context, (catalogue, wanted), &mut |_| {})
}

/// As at the first start of this program on a store of before.
pub(super) fn count_anew(stage: &mut Stage<'_>, shelf: &Shelf) -> Result<()> {
    stage.in_tx(|tx, _, _| {
        tx.execute("DELETE FROM case_fact", &[])?;
        Ok(tx.execute("DELETE FROM meta WHERE name = 'statistics.caught_up'", &[])?)
    })?;
    while stage.in_tx(|tx, _, _| facts::catch_up(tx, shelf))? {}
    Ok(())
}

pub(super) fn filter() -> Result<Filter> {
    let to: CivilDate = UNTIL.parse()?;
    Ok(Filter { from: to.plus_days(-365), to, unit: None, item: None, no_item: false, station: None })
}

/// What a recount finds of one case.
#[derive(Debug, Default)]
struct Recounted {
    id: String,
    item: String,
    /// From acceptance to decision, without the citizen's turns.
    active_ms: Option<i64>,
    /// The clock told that its time is over.
    told: bool,
    units: BTreeSet<String>,
    wall_s: Option<i64>,
    net_s: Option<i64>,
    rounds: u64,
    left_out: bool,
}

/// Looks at the actions only, and nowhere at the fold.
fn recount(history: &[Recorded]) -> Recounted {
    let (mut of, mut plan, mut received) = (Recounted::default(), Plan::default(), 0);
    let mut ended: BTreeMap<&str, i64> = BTreeMap::new();
    let (mut pauses, mut stands): (Vec<(i64, i64)>, Option<i64>) = (Vec::new(), None);
    let (mut refused, mut accepted, mut told) = (false, 0, false);
    for recorded in history {
        match &recorded.action {
            Action::Received { .. } => received = recorded.at_ms,
            Action::Submitted { plan: planned } => plan = planned.clone(),
            Action::Returned { .. } => of.left_out = true,
            Action::Accepted { deemed } => accepted = if *deemed { received } else { recorded.at_ms },
            Action::Escalated { over } => told |= *over,
            Action::SupplementAsked { .. } => of.rounds += 1,
            Action::SupplementSent { .. } => stands = Some(recorded.at_ms),
            Action::SupplementReceived { .. } | Action::SupplementLapsed => {
                pauses.extend(stands.take().map(|from| (from, recorded.at_ms)));
            }
            Action::Passed { step, .. } | Action::Refused { step, .. } => {
                let kind = plan.step(step).map(|planned| planned.kind);
                if kind == Some(StepKind::Pay) {
                    // It could be paid once the step before it was passed.
                    let from = plan
                        .step(step)
                        .and_then(|p| p.depends.iter().filter_map(|id| ended.get(id.as_str())).max());
                    pauses.extend(from.map(|from| (*from, recorded.at_ms)));
                }
                ended.insert(step, recorded.at_ms);
                refused |= matches!(recorded.action, Action::Refused { .. });
            }
            Action::Completed { outcome, .. } => {
                of.left_out =
                    matches!(outcome, Some(Outcome::Declined | Outcome::Withdrawn | Outcome::Terminated));
            }
            _ => {}
        }
    }
    let decides = |kind| matches!(kind, StepKind::Share | StepKind::Review | StepKind::Issue);
    let deciding: Vec<_> = plan.steps().iter().filter(|step| decides(step.kind) && !step.off).collect();
    let all = !deciding.is_empty() && deciding.iter().all(|step| ended.contains_key(step.id.as_str()));
    of.told = told;
    if (all || refused) && !of.left_out {
        let decided = deciding.iter().filter_map(|step| ended.get(step.id.as_str())).max().copied();
        let stood = |until: i64| pauses.iter().map(|(a, b)| (*b.min(&until) - a).max(0)).sum::<i64>();
        of.active_ms = decided.map(|at| at - accepted - (stood(at) - stood(accepted)));
        of.wall_s = decided.map(|at| (at - received) / 1_000);
        of.net_s = decided.map(|at| (at - received - stood(at)) / 1_000);
    }
    of.units = plan.steps().iter().map(|step| step.unit.to_string()).collect();
    of
}

fn all_recounted(stage: &mut Stage<'_>) -> Result<Vec<Recounted>> {
    stage
        .in_tx(|tx, _, _| {
            let rows = tx.query("SELECT envelope_id, item FROM case_ ORDER BY server_seq", &[])?;
            rows.iter()
                .map(|row| {
                    let id: EnvelopeId = row.parsed(0)?;
                    let of = recount(&sync_server::services::cases::history(tx, &id)?);
                    Ok(Recounted { id: id.to_string(), item: row.text(1)?.to_owned(), ..of })
                })
                .collect::<Result<Vec<_>, _>>()
        })
        .context("recounted")
}

/// As the store keeps a time.
fn kept(seconds: i64) -> i64 {
    if seconds < 3_600 { seconds } else { seconds / 60 * 60 }
}

fn the_figures_are_a_recount(stage: &mut Stage<'_>) -> Result<()> {
    let loaded = fill(stage, 2)?;
    ensure!(loaded.cases > 50 && loaded.deeds > 200, "{loaded:?}");
    let recounted = all_recounted(stage)?;
    let whole = filter()?;
    let lines = stage.in_tx(|tx, _, _| Ok(figures::lines(tx, &whole, By::Item)?))?;
    let estate: Vec<_> = recounted.iter().filter(|one| one.item == ESTATE).collect();
    let line = lines.get(ESTATE).context("real estate")?;
    let mut net: Vec<i64> = estate.iter().filter_map(|one| one.net_s).map(kept).collect();
    net.sort_unstable();
    let place = |tenths: usize| net[(net.len() * tenths).div_ceil(10) - 1];
    ensure!(net.len() > 20, "{}", net.len());
    assert_eq!(line.used.deciles(), Some(std::array::from_fn(|n| place(n + 1))), "{net:?}");
    assert_eq!(line.used.median(), Some(place(5)));
    for (item, line) in &lines {
        let of: Vec<_> = recounted.iter().filter(|one| one.item == *item).collect();
        let count = |holds: &dyn Fn(&Recounted) -> bool| of.iter().filter(|one| holds(one)).count() as u64;
        assert_eq!(line.counts.all, of.len() as u64, "{item}");
        assert_eq!(line.counts.decided, count(&|one| one.wall_s.is_some()), "{item}");
        assert_eq!(line.counts.supplemented, count(&|one| one.wall_s.is_some() && one.rounds > 0), "{item}");
        assert_eq!(line.counts.excluded.values().sum::<u64>(), count(&|one| one.left_out), "{item}");
        assert_eq!(line.counts.open, count(&|one| one.wall_s.is_none() && !one.left_out), "{item}");
    }
    // Real estate is promised in minutes, which a recount can count.
    let promised = few()?.bundles.iter().find(|(code, _)| code.as_str() == ESTATE).map(|(_, b)| b.promised);
    ensure!(promised == Some(Period { tenths: 200, unit: PeriodUnit::Minute }));
    let late = |one: &Recounted, minutes: i64| {
        !one.left_out && one.active_ms.map_or(one.told, |active_ms| active_ms > minutes * 60_000)
    };
    assert_eq!(line.counts.overdue, estate.iter().filter(|one| late(one, 20)).count() as u64);
    // Few are late; had twelve minutes been promised, about half would be.
    let (twelve, mut many) = (Period { tenths: 120, unit: PeriodUnit::Minute }, 0);
    for one in estate.iter().filter(|one| one.active_ms.is_some()) {
        let id: EnvelopeId = one.id.parse().map_err(|_| anyhow::anyhow!("an id"))?;
        let (_, view) = stage.current(&id)?;
        let counted = facts::of_view(&view, Some(twelve), None).context("counted")?;
        let overdue =
            facts::rows(("id", ESTATE, "station"), &counted)[0].get(10) == Some(&Value::from(1_u64));
        assert_eq!(overdue, late(one, 12), "{one:?}");
        many += u64::from(overdue);
    }
    ensure!(many > 5, "{many}");
    let wall = stage.in_tx(|tx, _, _| Ok(figures::wall(tx, &whole)?))?;
    let mut plain: Vec<i64> = recounted.iter().filter_map(|one| one.wall_s).map(kept).collect();
    plain.sort_unstable();
    assert_eq!(wall.count(), plain.len() as u64);
    assert_eq!(wall.median(), plain.get(plain.len().div_ceil(2) - 1).copied());

    // A unit has the cases in which it has a part, and no other.
    let housing = Filter { unit: Some("住建".parse()?), ..whole.clone() };
    let (cases, next) = stage.in_tx(|tx, _, _| Ok(list::page(tx, &housing, Of::All, (None, 1_000))?))?;
    let theirs = recounted.iter().filter(|one| one.units.contains("住建") && one.item == ESTATE).count();
    ensure!(next.is_none() && theirs > 0 && cases.len() <= theirs, "{} of {theirs}", cases.len());
    ensure!(cases.iter().all(|case| case.item == ESTATE));
    let listed: BTreeSet<_> = cases.iter().map(|case| case.place.1.to_string()).collect();
    let (own, foreign): (Vec<_>, Vec<_>) = recounted.iter().partition(|one| one.units.contains("住建"));
    ensure!(!foreign.is_empty() && foreign.iter().all(|one| !listed.contains(&one.id)), "a foreign case");
    ensure!(own.iter().any(|one| listed.contains(&one.id)));
    Ok(())
}

#[test]
fn the_figures_are_what_a_plain_recount_of_the_actions_gives_on_both() -> Result<()> {
    on_both(the_figures_are_a_recount)
}

/// Every statement, on a store that has other cases: pages of the list meet, and each figure leads to as many cases.
pub fn every_statement(stage: &mut Stage<'_>) -> Result<()> {
    stage.case(FIVE_DAYS, single()?)?;
    ensure!(stage.in_tx(|tx, _, _| Ok(used_table(tx)?))? == Some("envelope"), "somebody used it");
    fill(stage, 1)?;
    ensure!(fill(stage, 1).is_err(), "a second time");
    let whole = filter()?;
    let station = Some("XN-CCB-CD-01".parse()?);
    let narrow = Filter {
        item: Some(ESTATE.parse().map_err(|_| anyhow::anyhow!("a code"))?),
        station,
        ..whole.clone()
    };
    for filter in [&whole, &narrow] {
        stage.in_tx(|tx, _, _| {
            figures::lines(tx, filter, By::Station)?;
            figures::wall(tx, filter)?;
            figures::hours(tx, filter)?;
            Ok(figures::course(tx, filter)?)
        })?;
    }
    let lines = stage.in_tx(|tx, _, _| Ok(figures::lines(tx, &whole, By::Item)?))?;
    let sum = |of: fn(&figures::Counts) -> u64| lines.values().map(|line| of(&line.counts)).sum::<u64>();
    let table = [
        (Of::All, sum(|c| c.all)),
        (Of::Decided, sum(|c| c.decided)),
        (Of::Open, sum(|c| c.open)),
        (Of::FirstTime, sum(|c| c.first_time)),
        (Of::Supplemented, sum(|c| c.supplemented)),
        (Of::Overdue, sum(|c| c.overdue)),
        (Of::Excluded, sum(|c| c.excluded.values().sum())),
        (Of::Slower(600), lines.values().map(|line| line.used.longer_than(600)).sum()),
    ];
    for (of, wanted) in table {
        let (mut seen, mut before) = (BTreeSet::new(), None);
        loop {
            let (cases, next) = stage.in_tx(|tx, _, _| Ok(list::page(tx, &whole, of, (before, 7))?))?;
            let new = cases.iter().filter(|case| seen.insert(case.number.to_string())).count();
            ensure!(new == cases.len(), "{of:?}: a case stands twice");
            before = next;
            if next.is_none() {
                break;
            }
        }
        ensure!(seen.len() as u64 == wanted, "{of:?}: {} cases for a figure of {wanted}", seen.len());
    }
    while stage.in_tx(|tx, context, _| facts::catch_up(tx, &context.shelf))? {}
    Ok(())
}

#[test]
fn every_figure_leads_to_as_many_cases_on_both() -> Result<()> {
    on_both(every_statement)
}

#[test]
fn facts_that_are_wrong_are_told_and_lost_ones_are_made_anew_on_both() -> Result<()> {
    on_both(|stage| {
        fill(stage, 1)?;
        let rows = stage
            .in_tx(|tx, _, _| Ok(tx.query("SELECT * FROM case_fact ORDER BY unit, envelope_id", &[])?))?;
        let spoils = [
            "UPDATE case_fact SET used_s = 1 WHERE used_s > 1",
            "UPDATE case_fact SET overdue = 1 - overdue",
            "DELETE FROM case_fact WHERE unit <> ''",
        ];
        for spoil in spoils {
            stage.in_tx(|tx, _, _| Ok(tx.execute(spoil, &[])?))?;
            let report = verify(&mut *stage.driver, &mut |_| {})?;
            ensure!(report.differences > 10, "{spoil}: {}", report.differences);
            ensure!(
                report.told.iter().all(|told| told.place.starts_with("case_fact")),
                "{:?}",
                report.told.first()
            );
            count_anew(stage, &Shelf::default())?;
            let report = verify(&mut *stage.driver, &mut |_| {})?;
            ensure!(report.differences == 0, "{:?}", report.told);
        }
        let again = stage
            .in_tx(|tx, _, _| Ok(tx.query("SELECT * FROM case_fact ORDER BY unit, envelope_id", &[])?))?;
        ensure!(rows == again && !rows.is_empty(), "the same rows");
        let none: [Value; 0] = [];
        ensure!(stage.in_tx(|tx, _, _| Ok(tx.query_int("SELECT COUNT(*) FROM alarm", &none)?))? == 0);
        Ok(())
    })
}
