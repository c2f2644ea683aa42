//! What staff write is sealed, and gone for good once the case is erased.
use anyhow::{Result, ensure};
use sync_server::auth::role::Role;
use sync_server::error::ProblemCode;
use sync_server::services::erasure::{self, Erasure, Why};
use sync_server::services::review::Deed;
use sync_server::store::{Database, Tx};

use super::on_both;
use super::stage::{FIVE_DAYS, Stage, TUESDAY_MS, code, parallel, person};

/// A text that stands nowhere else.
const CANARY: &str = "金丝雀甲乙丙丁 canary-of-the-desk";

/// Decides, and erases.
pub fn words_go_with_the_key(stage: &mut Stage<'_>) -> Result<()> {
    let id = stage.case(FIVE_DAYS, parallel()?)?;
    let kept = stage.case(FIVE_DAYS, parallel()?)?;
    let clerk = person(1, "desk", &[Role::Clerk]);
    for id in [&id, &kept] {
        stage.click_with(&clerk, id, (&Deed::Decline, CANARY))?;
        ensure!(stage.texts(id)?.into_values().collect::<Vec<_>>() == [CANARY]);
    }
    let erasures = [Erasure { envelope_id: id, at_ms: stage.now_ms, why: Why::Request }];
    ensure!(stage.in_tx(|tx, _, _| Ok(erasure::erase(tx, &erasures)?))? == 1);
    ensure!(code(stage.texts(&id)) == Some(ProblemCode::NotFound));
    let count = |tx: &mut Tx<'_>, id: &domain::ids::EnvelopeId| {
        tx.query_int("SELECT COUNT(*) FROM case_text WHERE envelope_id = $1", &[id.to_string().into()])
    };
    ensure!(stage.in_tx(|tx, _, _| Ok(count(tx, &id)?))? == 0, "not even sealed");
    ensure!(stage.in_tx(|tx, _, _| Ok(count(tx, &kept)?))? == 1);
    ensure!(stage.texts(&kept)?.into_values().collect::<Vec<_>>() == [CANARY]);
    // What happened is still known, without a word of it.
    ensure!(stage.names(&id)?.last() == Some(&"completed"));
    Ok(())
}

#[test]
fn what_staff_write_goes_with_the_case_on_both() -> Result<()> {
    on_both(words_go_with_the_key)
}

#[test]
fn what_staff_write_stands_nowhere_in_the_files() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let store = Database::Sqlite(folder.path().join("server.db"));
    let mut driver = store.open()?;
    let mut stage = Stage::begin(driver.as_mut(), TUESDAY_MS)?;
    words_go_with_the_key(&mut stage)?;
    // What would be found: the ciphertext of the text that was kept.
    let sealed = stage.in_tx(|tx, _, _| Ok(tx.query("SELECT sealed FROM case_text LIMIT 2", &[])?))?;
    ensure!(sealed.len() == 1);
    let sealed = sealed[0].blob(0)?.to_vec();
    let mut found = false;
    for entry in std::fs::read_dir(folder.path())? {
        let bytes = std::fs::read(entry?.path())?;
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        ensure!(!holds("金丝雀甲乙".as_bytes()) && !holds(b"canary-of-the-desk"), "in clear");
        found |= holds(&sealed[..32]);
    }
    ensure!(found, "the search finds what is there");
    Ok(())
}
