//! Certificates: one for each step of the kind that issues, once it is granted; taken back with what granted it; gone with
//! the case.
use anyhow::{Context as _, Result, ensure};
use domain::case::{Action, CaseState, Outcome, StepState};
use domain::certificate::{CertificateNo, RevocationList, Verdict, judge};
use domain::date::CivilDate;
use domain::envelope::KeyRing;
use domain::ids::EnvelopeId;
use sync_server::auth::role::Role;
use sync_server::error::{ProblemCode, ServiceError};
use sync_server::services::erasure::{self, Erasure, Why as Erased};
use sync_server::services::results::{self, PublicView, Stored, Why};
use sync_server::services::review::{Click, Deed};
use sync_server::services::sessions::Caller;
use sync_server::store::Database;

use super::bundles::{by, plan_of};
use super::clicks::pass;
use super::on_both;
use super::stage::{DAY_MS, Stage, TUESDAY_MS, code, person};

/// A bundle of which one step issues, and another decides beside it.
const CHANGE: &str = "one.ent-change";
const REGISTRY: &str = "市场监管";
const TAX: &str = "税务";
const NAME: &str = "样小川";

/// A case of the bundle that was accepted.
fn accepted(stage: &mut Stage<'_>) -> Result<EnvelopeId> {
    let plan = plan_of(CHANGE, &[("what", "rep"), ("staff", "no"), ("fund", "no")])?;
    let id = stage.case(CHANGE, plan)?;
    stage.click(&by(REGISTRY, 2), &id, &Deed::Accept)?;
    Ok(id)
}

fn leader(unit: &str) -> Caller {
    person(7, unit, &[Role::Leader])
}

fn all(stage: &mut Stage<'_>, id: &EnvelopeId) -> Result<Vec<Stored>> {
    Ok(stage.in_tx(|tx, _, _| Ok(results::of_case(tx, id)?))?)
}

fn why(stored: &Stored) -> Option<Why> {
    stored.issued.revoked.as_ref().map(|revoked| revoked.why)
}

fn revoke(
    stage: &mut Stage<'_>,
    (who, id): (&Caller, &EnvelopeId),
    (number, reason): (&CertificateNo, &str),
) -> Result<(), ServiceError> {
    let row = stage.current(id)?.0;
    stage.in_tx_with_rng(|tx, context, now| results::revoke(tx, context, now, (who, &row), (number, reason)))
}

fn public(stage: &mut Stage<'_>, number: &str, token: &str) -> Result<Option<PublicView>, ServiceError> {
    stage.in_tx(|tx, context, _| results::find_public(tx, context, (number, token)))
}

/// What somebody without a network says of a certificate's file today.
fn offline(stage: &mut Stage<'_>, file: &[u8]) -> Result<Verdict> {
    let list = stage.in_tx(results::revoked_list)?;
    let ring = KeyRing::new([stage.context.keys.receipt.public()]);
    let today = CivilDate::in_china(stage.now_ms);
    let list = serde_json::to_vec(&list)?;
    Ok(judge(file, Some(&list), &ring, today).context("genuine")?.verdict)
}

fn file(stage: &mut Stage<'_>, id: &EnvelopeId, stored: &Stored) -> Result<(Vec<u8>, String)> {
    let key = stage.key(id)?;
    let (document, certificate) = stored.open(&key)?.context("sealed")?;
    ensure!(certificate.holder.name == NAME && certificate.step == "s2" && certificate.sample);
    Ok((serde_json::to_vec(&document)?, certificate.token.as_str().to_owned()))
}

/// The whole life of certificates, for the conformance suite as well.
pub fn certificates(stage: &mut Stage<'_>) -> Result<()> {
    one_step_one_certificate(stage)?;
    what_is_taken_back(stage)?;
    erased(stage)
}

fn one_step_one_certificate(stage: &mut Stage<'_>) -> Result<()> {
    let id = accepted(stage)?;
    ensure!(all(stage, &id)?.is_empty(), "accepting gives nothing");
    let view = stage.view(&id)?;
    let seen = view.step("s2").context("a step")?.version;
    let click = Click { name: "issue", seen, text: "同意" };
    for _ in 0..2 {
        stage.click_seen((&by(REGISTRY, 2), &id), &click, &pass("s2"))?;
    }
    let issued = all(stage, &id)?;
    ensure!(issued.len() == 1, "one step, one certificate: {}", issued.len());
    let number = CertificateNo::of(&view.number, 1).context("a number")?;
    let one = &issued[0].issued;
    ensure!((&one.number, one.title.as_str(), one.step.as_str()) == (&number, "变更登记", "s2"));
    ensure!(one.unit.as_str() == REGISTRY && one.revoked.is_none() && one.valid_until.is_none());
    stage.click(&by(TAX, 3), &id, &pass("s4"))?;
    ensure!(stage.view(&id)?.outcome == Some(Outcome::Granted));
    ensure!(all(stage, &id)?.len() == 1, "a step that only decides gives none");

    let (file, token) = file(stage, &id, &issued[0])?;
    ensure!(offline(stage, &file)? == Verdict::Good);
    let seen = public(stage, number.as_str(), &token)?.context("known")?;
    ensure!(seen.holder == Some(("样*川".to_owned(), "6399************35".to_owned())) && seen.sample);
    let typed = number.as_str().to_lowercase();
    for (number, token) in [
        (number.as_str(), "0123456789abcdef"),
        (number.as_str(), ""),
        ("ZZ2611240010001010", token.as_str()),
        ("", ""),
        (&typed, &token),
    ] {
        ensure!(public(stage, number, token)?.is_none(), "{number} {token}");
    }

    // Only a leader of the unit revokes, with words, once and for all.
    let late = stage.now_ms + DAY_MS;
    stage.now_ms = late;
    let refused = |stage: &mut Stage<'_>, who: &Caller, reason: &str| {
        code(revoke(stage, (who, &id), (&number, reason)))
    };
    ensure!(refused(stage, &by(REGISTRY, 2), "错发") == Some(ProblemCode::RoleNeeded));
    ensure!(refused(stage, &leader(TAX), "错发") == Some(ProblemCode::UnitNeeded));
    ensure!(refused(stage, &leader(REGISTRY), " \n") == Some(ProblemCode::MalformedRequest));
    ensure!(refused(stage, &leader(REGISTRY), &"长".repeat(2_001)) == Some(ProblemCode::TooLarge));
    let other = accepted(stage)?;
    ensure!(
        code(revoke(stage, (&leader(REGISTRY), &other), (&number, "错发"))) == Some(ProblemCode::NotFound)
    );
    ensure!(offline(stage, &file)? == Verdict::Good);
    for reason in ["错发 canary-of-revoking", "又一次"] {
        revoke(stage, (&leader(REGISTRY), &id), (&number, reason))?;
        stage.now_ms += DAY_MS;
    }
    let stored = all(stage, &id)?.remove(0);
    let key = stage.key(&id)?;
    ensure!(stored.said(&key)?.as_deref() == Some("错发 canary-of-revoking"), "the first reason stays");
    ensure!(why(&stored) == Some(Why::Leader));
    ensure!(stored.issued.revoked.as_ref().map(|r| (r.at_ms, r.by.as_str())) == Some((late, "A-0007")));
    ensure!(offline(stage, &file)? == Verdict::Revoked(CivilDate::in_china(late)));
    Ok(())
}

fn what_is_taken_back(stage: &mut Stage<'_>) -> Result<()> {
    // A refused step gives nothing.
    let refused = accepted(stage)?;
    stage.click(&by(REGISTRY, 2), &refused, &Deed::Refuse { step: "s2".into(), basis: "0".into() })?;
    ensure!(stage.view(&refused)?.outcome == Some(Outcome::Refused) && all(stage, &refused)?.is_empty());

    // A step that is done again: its certificate is no longer good, and another one takes its place.
    let again = accepted(stage)?;
    stage.click(&by(REGISTRY, 2), &again, &pass("s2"))?;
    let first = all(stage, &again)?.remove(0);
    let (old, _) = file(stage, &again, &first)?;
    ensure!(offline(stage, &old)? == Verdict::Good);
    stage.by_centre(&again, Action::supplement(again, &["phone"]))?;
    ensure!(why(&all(stage, &again)?[0]).is_none(), "nothing was decided on it");
    stage.by_centre(&again, Action::supplement(again, &["legal_rep"]))?;
    ensure!(stage.state(&again, "s2")? == StepState::Ready);
    ensure!(why(&all(stage, &again)?[0]) == Some(Why::Reopened));
    ensure!(offline(stage, &old)? == Verdict::Revoked(CivilDate::in_china(stage.now_ms)));
    stage.click(&by(REGISTRY, 2), &again, &pass("s2"))?;
    let both = all(stage, &again)?;
    ensure!(both.len() == 2 && why(&both[0]) == Some(Why::Reopened) && why(&both[1]).is_none());
    let number = &stage.view(&again)?.number;
    ensure!(Some(&both[1].issued.number) == CertificateNo::of(number, 2).as_ref());

    // A case that ends without being granted takes all with it.
    stage.click(&leader(REGISTRY), &again, &Deed::Terminate)?;
    let both = all(stage, &again)?;
    ensure!((why(&both[0]), why(&both[1])) == (Some(Why::Reopened), Some(Why::NotGranted)));
    ensure!(stage.view(&again)?.state == CaseState::Completed);

    let list = stage.in_tx(results::revoked_list)?;
    let same = stage.in_tx(|tx, context, now_ms| results::revoked_list(tx, context, now_ms + 1))?;
    ensure!(list == same, "the same bytes all day");
    let list: RevocationList = serde_json::from_slice(&list.body.0)?;
    ensure!(list.version == list.revoked.len() as u64 && list.revoked.len() >= 3, "{list:?}");
    Ok(())
}

fn erased(stage: &mut Stage<'_>) -> Result<()> {
    let id = accepted(stage)?;
    stage.click(&by(REGISTRY, 2), &id, &pass("s2"))?;
    let stored = all(stage, &id)?.remove(0);
    let number = stored.issued.number.clone();
    let (_, token) = file(stage, &id, &stored)?;
    let key = stage.key(&id)?;
    revoke(stage, (&leader(REGISTRY), &id), (&number, "要销毁的理由"))?;
    let erasures = [Erasure { envelope_id: id, at_ms: stage.now_ms, why: Erased::Request }];
    ensure!(stage.in_tx(|tx, _, _| Ok(erasure::erase(tx, &erasures)?))? == 1);
    // Whoever kept the key has nothing to open with it.
    let stored = all(stage, &id)?.remove(0);
    ensure!(stored.open(&key)?.is_none() && stored.said(&key)?.is_none());
    // What it was and that it is revoked is still told, of nobody.
    let seen = public(stage, number.as_str(), &token)?.context("known")?;
    ensure!(seen.holder.is_none() && seen.issued.revoked.is_some() && seen.issued.title == "变更登记");
    ensure!(seen.sample, "nor is it ever taken for one that proves something");
    Ok(())
}

#[test]
fn certificates_are_issued_once_taken_back_and_erased_on_both() -> Result<()> {
    on_both(certificates)
}

#[test]
fn a_step_with_levels_gives_its_certificate_with_the_last_one() -> Result<()> {
    on_both(|stage| {
        let plan = plan_of("one.drugstore", &[("device", "no"), ("food", "no"), ("pay", "no")])?;
        let id = stage.case("one.drugstore", plan)?;
        stage.click(&by("政务服务中心(综合受理)", 1), &id, &Deed::Accept)?;
        stage.click(&by(REGISTRY, 2), &id, &pass("s2"))?;
        ensure!(stage.state(&id, "s2")? == StepState::Ready && all(stage, &id)?.is_empty());
        stage.click(&leader(REGISTRY), &id, &pass("s2"))?;
        let all = all(stage, &id)?;
        ensure!(all.len() == 1 && all[0].issued.title == "药品经营许可");
        ensure!(stage.names(&id)?.last() == Some(&"completed"));
        // A note afterwards, and an end that was granted, take nothing back.
        ensure!(all[0].issued.revoked.is_none());
        Ok(())
    })
}

#[test]
fn nobody_is_named_in_the_files_of_the_store() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let store = Database::Sqlite(folder.path().join("server.db"));
    let mut driver = store.open()?;
    let mut stage = Stage::begin(driver.as_mut(), TUESDAY_MS)?;
    certificates(&mut stage)?;
    let id = accepted(&mut stage)?;
    stage.click(&by(REGISTRY, 2), &id, &pass("s2"))?;
    let stored = all(&mut stage, &id)?.remove(0);
    let (_, token) = file(&mut stage, &id, &stored)?;
    let (mut found, title) = (false, stored.issued.title.clone());
    for entry in std::fs::read_dir(folder.path())? {
        let bytes = std::fs::read(entry?.path())?;
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        for secret in [NAME, "639900199005201035", token.as_str(), "canary-of-revoking", "要销毁的理由"]
        {
            ensure!(!holds(secret.as_bytes()), "{secret} in clear");
        }
        found |= holds(title.as_bytes());
    }
    ensure!(found, "the search finds what is there");
    Ok(())
}
