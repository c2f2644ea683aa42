//! 统计 where something is odd, on both databases: damaged rows, two clocks, no item, a newer catalogue.
use anyhow::{Context as _, Result, ensure};
use domain::catalogue::Catalogue;
use domain::ids::{EnvelopeId, ItemCode};
use sync_server::error::ServiceError;
use sync_server::services::catalogue::{Shelf, publish};
use sync_server::services::statistics::figures::{self, By};
use sync_server::services::statistics::list::{self, Of};
use sync_server::services::statistics::{Filter, facts};
use sync_server::services::{cases, results};
use sync_server::store::{StoreError, Tx, Value};

use super::on_both;
use super::stage::{FIVE_DAYS, Stage, sample};
use super::statistics::{ESTATE, count_anew, few, fill, fill_by, filter};

#[test]
fn damaged_cases_are_not_counted_and_keep_no_centre_from_starting_on_both() -> Result<()> {
    on_both(|stage| {
        let loaded = fill(stage, 1)?;
        // (what is damaged, where it stands, a value that does not read back)
        let places = [
            ("number", "case_ WHERE server_seq = (SELECT MIN(server_seq) FROM case_)"),
            ("body", "action WHERE version = 1 AND envelope_id = (SELECT MAX(envelope_id) FROM case_)"),
            ("document", "catalogue WHERE version = (SELECT MAX(version) FROM catalogue)"),
        ];
        let mut good = Vec::new();
        for (column, place) in places {
            good.push(stage.in_tx(|tx, _, _| {
                let row = tx.query_first(&format!("SELECT {column} FROM {place}"), &[])?;
                let text = row.map(|row| row.text(0).map(str::to_owned)).transpose()?;
                write(tx, (column, place), "{")?;
                Ok(text)
            })?);
        }
        count_anew(stage, &Shelf::default())?;
        let count = |stage: &mut Stage<'_>, sql: &str| stage.in_tx(|tx, _, _| Ok(tx.query_int(sql, &[])?));
        let whole = "SELECT COUNT(*) FROM case_fact WHERE unit = ''";
        assert_eq!(count(stage, whole)?, i64::try_from(loaded.cases)? - 2, "all but the damaged ones");
        let decided = "SELECT COUNT(*) FROM case_fact WHERE unit = '' AND used_s IS NOT NULL";
        ensure!(count(stage, decided)? > 0);
        assert_eq!(count(stage, "SELECT MAX(counted_by) FROM case_fact")?, 0, "by no calendar");
        for ((column, place), good) in places.into_iter().zip(good) {
            let good = good.context("a value")?;
            stage.in_tx(|tx, _, _| Ok(write(tx, (column, place), &good)?))?;
        }
        count_anew(stage, &Shelf::default())?;
        assert_eq!(count(stage, whole)?, i64::try_from(loaded.cases)?);
        ensure!(count(stage, "SELECT MAX(counted_by) FROM case_fact")? > 0);
        Ok(())
    })
}

fn write(tx: &mut Tx<'_>, (column, place): (&str, &str), text: &str) -> Result<u64, StoreError> {
    let (table, condition) = place.split_once(' ').unwrap_or((place, ""));
    tx.execute(&format!("UPDATE {table} SET {column} = $1 {condition}"), &[text.into()])
}

#[test]
fn times_of_two_clocks_are_never_ranked_together_on_both() -> Result<()> {
    on_both(|stage| {
        fill(stage, 2)?;
        let whole = filter()?;
        let item: ItemCode = ESTATE.parse().map_err(|_| anyhow::anyhow!("a code"))?;
        let one = Filter { item: Some(item), ..whole.clone() };
        let times = |stage: &mut Stage<'_>| -> Result<_> {
            let lines = stage.in_tx(|tx, _, _| Ok(figures::lines(tx, &whole, By::Item)?))?;
            let course = stage.in_tx(|tx, _, _| Ok(figures::course(tx, &one)?))?;
            let counted: u64 = course.iter().map(|(_, _, spread)| spread.count()).sum();
            Ok((lines, counted))
        };
        let (lines, counted) = times(stage)?;
        let line = lines.get(ESTATE).context("real estate")?;
        ensure!(line.clock() == Some(facts::EXACT) && line.used.count() == counted && counted > 10);
        stage.in_tx(|tx, _, _| {
            let one = "SELECT MIN(envelope_id) FROM case_fact WHERE item = $1 AND used_s IS NOT NULL";
            let sql = format!("UPDATE case_fact SET clock = $2 WHERE envelope_id = ({one})");
            Ok(tx.execute(&sql, &[ESTATE.into(), facts::OFFICE.into()])?)
        })?;
        let (lines, counted) = times(stage)?;
        let line = lines.get(ESTATE).context("real estate")?;
        ensure!(line.is_mixed() && line.clock().is_none() && line.used.count() == 0 && counted == 0);
        ensure!(line.counts.decided > 10, "they are counted all the same");
        let ride = lines.get("one.ridehail").context("another one")?;
        ensure!(ride.clock() == Some(facts::OFFICE) && ride.used.count() > 0, "others are as they were");
        count_anew(stage, &Shelf::default())
    })
}

#[test]
fn cases_that_named_no_item_lead_to_themselves_on_both() -> Result<()> {
    on_both(|stage| {
        fill(stage, 1)?;
        let changed = stage.in_tx(|tx, _, _| {
            Ok(tx.execute("UPDATE case_fact SET item = '' WHERE item = $1", &[FIVE_DAYS.into()])?)
        })?;
        let whole = filter()?;
        let none = Filter { no_item: true, ..whole.clone() };
        let lines = stage.in_tx(|tx, _, _| Ok(figures::lines(tx, &whole, By::Item)?))?;
        let wanted = lines.get("").context("a line")?.counts.all;
        let (cases, _) = stage.in_tx(|tx, _, _| Ok(list::page(tx, &none, Of::All, (None, 1_000))?))?;
        ensure!(changed > 0 && cases.len() as u64 == wanted && cases.iter().all(|case| case.item.is_empty()));
        stage.in_tx(|tx, _, _| Ok(figures::course(tx, &none)?))?;
        count_anew(stage, &Shelf::default())
    })
}

#[test]
fn what_was_decided_keeps_its_calendar_and_invented_certificates_say_so_on_both() -> Result<()> {
    on_both(|stage| {
        let (mut official, mut some) = (sample()?, few()?);
        for catalogue in [&mut official, &mut some] {
            catalogue.version += 1;
            catalogue.data_label = "official".into();
        }
        put(stage, &official)?;
        fill_by(stage, 1, &some)?;
        let id: EnvelopeId = stage.in_tx(|tx, _, _| {
            let row = tx.query_first("SELECT envelope_id FROM certificate ORDER BY number LIMIT 1", &[])?;
            Ok(row.ok_or_else(|| ServiceError::Inconsistent("no certificate".into()))?.parsed(0)?)
        })?;
        let key = stage.key(&id)?;
        let issued = stage.in_tx(|tx, _, _| Ok(results::of_case(tx, &id)?))?;
        let (_, certificate) = issued.first().context("one")?.open(&key)?.context("sealed")?;
        ensure!(certificate.sample, "a certificate of an invented person");

        let decided = "SELECT envelope_id FROM case_fact WHERE unit = '' AND used_s IS NOT NULL
                       ORDER BY envelope_id LIMIT 1";
        let id: EnvelopeId = stage.in_tx(|tx, _, _| {
            let row = tx.query_first(decided, &[])?;
            Ok(row.ok_or_else(|| ServiceError::Inconsistent("nothing decided".into()))?.parsed(0)?)
        })?;
        let before = official.version;
        official.version += 1;
        put(stage, &official)?;
        for (decided_before, version) in [(true, before), (false, official.version)] {
            let counted = stage.in_tx(|tx, context, _| {
                let (row, view) = cases::current(tx, &id)?;
                facts::of(tx, &context.shelf, &row, &view, decided_before)
            })?;
            let rows = facts::rows(("id", "item", "station"), &counted.context("counted")?);
            assert_eq!(rows[0].last(), Some(&Value::from(version)), "{decided_before}");
        }
        Ok(())
    })
}

fn put(stage: &mut Stage<'_>, catalogue: &Catalogue) -> Result<()> {
    stage.in_tx(|tx, _, now_ms| {
        publish(tx, now_ms, catalogue).map_err(|e| ServiceError::Inconsistent(e.to_string()))
    })?;
    Ok(())
}
