//! Parcels on both databases: made with what a case gives, listed, packed, told of, handed over, erased.
use anyhow::{Context as _, Result, ensure};
use domain::case::{Action, StepState};
use domain::certificate::CertificateNo;
use domain::ids::EnvelopeId;
use domain::parcel::{News, ParcelState};
use rand_core::CryptoRng;
use serde_json::json;
use sync_server::auth::role::Role;
use sync_server::error::{ProblemCode, ServiceError};
use sync_server::services::Context;
use sync_server::services::erasure::{self, Erasure, Why};
use sync_server::services::parcels::{
    self, Deed, Inside, LISTS, Message, Outcome, PAGE, Query, Seen, Stored, Waits,
};
use sync_server::services::review::Deed as OfCase;
use sync_server::services::sessions::Caller;
use sync_server::services::{person_key, results};
use sync_server::store::{Tx, Value};
use tests::device::courier_at;

use super::bundles::{by, plan_of};
use super::clicks::{ask, pass};
use super::on_both;
use super::stage::{DAY_MS, MINUTE_MS, Stage, code, person};

const CHANGE: &str = "one.ent-change";
/// A bundle with a step by which something is posted.
const DISABLED: &str = "one.disabled";
const HALL: &str = "政务服务中心(综合受理)";
const REGISTRY: &str = "市场监管";
const ID_NUMBER: &str = "639900199005201035";

type Clicks<'a> = (i64, &'a mut dyn CryptoRng);

fn post(stage: &Stage<'_>) -> domain::wire::v1::Submission {
    let mut submission = courier_at(stage.now_ms);
    let address = json!({ "region": "630103", "detail": "样例路 8 号" });
    submission.answers.insert("mail_addr".to_owned(), address);
    submission
}

/// A case that was granted, with or without an address.
fn granted(stage: &mut Stage<'_>, by_post: bool) -> Result<EnvelopeId> {
    granted_for(stage, "rep", by_post)
}

/// As [`granted`]; whoever changes the name (`name`) gets a second certificate.
fn granted_for(stage: &mut Stage<'_>, what: &str, by_post: bool) -> Result<EnvelopeId> {
    let plan = plan_of(CHANGE, &[("what", what), ("staff", "no"), ("fund", "no")])?;
    let submission = if by_post { post(stage) } else { courier_at(stage.now_ms) };
    let id = stage.case_with((CHANGE, 0), plan, &submission)?;
    stage.click(&by(REGISTRY, 2), &id, &OfCase::Accept)?;
    stage.click(&by(REGISTRY, 2), &id, &pass("s2"))?;
    if what == "name" {
        stage.click(&by("公安", 4), &id, &pass("s3"))?;
    }
    ensure!(parcel(stage, &id)?.is_none(), "the rest is still to be done");
    stage.click(&by("税务", 3), &id, &pass("s4"))?;
    Ok(id)
}

fn parcel(stage: &mut Stage<'_>, id: &EnvelopeId) -> Result<Option<Stored>> {
    Ok(stage.in_tx(|tx, _, _| Ok(parcels::of_case(tx, id)?))?.pop())
}

fn the(stage: &mut Stage<'_>, id: &EnvelopeId) -> Result<Stored> {
    parcel(stage, id)?.context("a parcel")
}

fn does(stage: &mut Stage<'_>, who: &Caller, id: &EnvelopeId, deed: &Deed) -> Result<Stored, ServiceError> {
    let stored = the(stage, id).map_err(|e| ServiceError::Inconsistent(e.to_string()))?;
    let click = format!("{}-{}", stored.number, stored.parcel.version);
    let seen = Seen { click: &click, version: stored.parcel.version };
    stage.in_tx_with_rng(|tx, context, now| {
        parcels::perform(tx, context, now, (who, &stored.number), (seen, deed))
    })
}

fn pack() -> Deed {
    Deed::Pack { seal: "F-1".into(), lines: vec!["公章".into()] }
}

fn hand() -> Deed {
    Deed::Hand { carrier: "EMS".into(), tracking: "EM1".into() }
}

fn hear(stage: &mut Stage<'_>, stored: &Stored, (id, news): (&str, News)) -> Result<Outcome, ServiceError> {
    let order = stored.number.order(stored.parcel.round);
    let message = Message { id: id.into(), order, news, at_ms: 1, words: "canary-words".into() };
    let told = |tx: &mut Tx<'_>, context: &Context, now: Clicks<'_>| {
        parcels::hear(tx, context, now, ("EMS", &message))
    };
    stage.in_tx_with_rng(told)
}

/// Each statement about parcels, for the conformance suite as well.
pub fn every_statement(stage: &mut Stage<'_>) -> Result<()> {
    by_post(stage)?;
    with_a_post_step(stage)?;
    with_a_post_step_that_waits(stage)?;
    at_the_window(stage)?;
    taken_back(stage)?;
    one_of_two_taken_back(stage)?;
    erased_on_its_way(stage)
}

fn by_post(stage: &mut Stage<'_>) -> Result<()> {
    let clerk = by(REGISTRY, 2);
    let unit = REGISTRY.parse()?;
    let before = stage.in_tx(|tx, _, _| parcels::counts(tx, &unit))?;
    let id = granted(stage, true)?;
    let first = the(stage, &id)?;
    ensure!(first.parcel.state == ParcelState::ToPack && first.unit == unit);
    let counts = stage.in_tx(|tx, _, _| parcels::counts(tx, &unit))?;
    ensure!(counts[0] == before[0] + 1, "{counts:?}");
    ensure!(code(does(stage, &by("税务", 3), &id, &pack())) == Some(ProblemCode::UnitNeeded));
    for deed in [hand(), Deed::Settle] {
        ensure!(code(does(stage, &clerk, &id, &deed)) == Some(ProblemCode::CaseChanged), "{deed:?}");
    }
    for seal in ["", "x", "=1+1", &"1".repeat(31)] {
        let deed = Deed::Pack { seal: seal.into(), lines: Vec::new() };
        ensure!(code(does(stage, &clerk, &id, &deed)) == Some(ProblemCode::MalformedRequest), "{seal}");
    }
    does(stage, &clerk, &id, &pack())?;
    let key = stage.key(&id)?;
    let events = stage.in_tx(|tx, _, _| Ok(parcels::events(tx, &first.number)?))?;
    let inside = events.last().context("packed")?.open(&key, &first.number)?.context("sealed")?;
    let Inside { to: Some(to), contents, .. } = inside else { anyhow::bail!("to whom") };
    ensure!(to.name == "样小川" && to.address.ends_with("样例路 8 号") && to.address.contains("城中区"));
    ensure!(contents.len() == 2 && contents[0].starts_with("变更登记 ZZ"), "{contents:?}");
    let handed = does(stage, &clerk, &id, &hand())?;
    // Found by each of its numbers, and by nobody else's list.
    let (row, certificates) =
        (stage.current(&id)?.0, stage.in_tx(|tx, _, _| Ok(results::of_case(tx, &id)?))?);
    let certificate: &CertificateNo = &certificates.first().context("one")?.issued.number;
    for text in [row.number.as_str(), certificate.as_str(), handed.number.as_str(), "em1"] {
        let query = Query { text: text.to_owned(), limit: PAGE, ..Query::default() };
        let (found, more) = stage.in_tx(|tx, _, _| parcels::page(tx, &unit, &query))?;
        ensure!(found.iter().any(|listed| listed.case == row.number) && more.is_none(), "{text}");
        let others = "税务".parse()?;
        ensure!(stage.in_tx(|tx, _, _| parcels::page(tx, &others, &query))?.0.is_empty(), "{text}");
    }
    for (told, outcome) in [
        (("1", News::OnTheWay), Outcome::Taken),
        (("1", News::OnTheWay), Outcome::Known),
        (("2", News::OnTheWay), Outcome::Late),
        (("3", News::Delivered), Outcome::Taken),
        (("4", News::Returned), Outcome::Late),
    ] {
        ensure!(hear(stage, &handed, told)? == outcome, "{told:?}");
    }
    ensure!(the(stage, &id)?.parcel.state == ParcelState::Delivered);
    let left = stage.in_tx(|tx, _, _| parcels::contents(tx, &id))?;
    ensure!(left.is_empty(), "what arrived is not sent again");
    let mut after = None;
    for turn in 0.. {
        ensure!(turn < 100, "the list ends");
        let query = Query { list: LISTS[4].to_owned(), after, limit: 1, ..Query::default() };
        let (found, next) = stage.in_tx(|tx, _, _| parcels::page(tx, &unit, &query))?;
        ensure!(found.len() <= 1);
        if next.is_none() {
            break;
        }
        after = next;
    }
    Ok(())
}

/// A case of a bundle with a post step, whose parcel a carrier has.
fn with_the_post(stage: &mut Stage<'_>) -> Result<(EnvelopeId, Stored)> {
    let hall = by(HALL, 1);
    let plan = plan_of(DISABLED, &[("card", "no")])?;
    let submission = courier_at(stage.now_ms);
    let id = stage.case_with((DISABLED, 0), plan, &submission)?;
    stage.click(&hall, &id, &OfCase::Accept)?;
    stage.click(&by("残联", 2), &id, &pass("s2"))?;
    ensure!(parcel(stage, &id)?.is_none(), "another level must pass it");
    stage.click(&person(7, "残联", &[Role::Leader]), &id, &pass("s2"))?;
    let made = the(stage, &id)?;
    ensure!(made.parcel.state == ParcelState::ToPack && made.unit.as_str() == HALL, "{made:?}");
    does(stage, &hall, &id, &pack())?;
    let handed = does(stage, &hall, &id, &hand())?;
    stage.now_ms += MINUTE_MS;
    Ok((id, handed))
}

/// The parcel is made when the post step can begin, and what arrived books it, whoever has the step.
fn with_a_post_step(stage: &mut Stage<'_>) -> Result<()> {
    let (id, handed) = with_the_post(stage)?;
    stage.click(&by(HALL, 1), &id, &OfCase::Take { step: "s7".into() })?;
    ensure!(stage.state(&id, "s7")? == StepState::Taken);
    ensure!(hear(stage, &handed, ("s7-1", News::OnTheWay))? == Outcome::Taken);
    ensure!(stage.state(&id, "s7")? == StepState::Taken, "it did not arrive yet");
    ensure!(hear(stage, &handed, ("s7-2", News::Delivered))? == Outcome::Taken);
    ensure!(stage.state(&id, "s7")? == StepState::Passed);
    ensure!(stage.in_tx(|tx, _, _| Ok(parcels::of_case(tx, &id)?))?.len() == 1, "one parcel");
    Ok(())
}

/// Where the post step cannot be done when the parcel arrives, the parcel goes on, and the step is booked later.
fn with_a_post_step_that_waits(stage: &mut Stage<'_>) -> Result<()> {
    let (id, handed) = with_the_post(stage)?;
    stage.click(&by(HALL, 1), &id, &ask("s7", 5))?;
    stage.by_centre(&id, Action::SupplementSent { due_ms: stage.now_ms + DAY_MS })?;
    ensure!(hear(stage, &handed, ("s7-3", News::Delivered))? == Outcome::Taken);
    ensure!(stage.state(&id, "s7")? == StepState::Supplement);
    ensure!(the(stage, &id)?.parcel.state == ParcelState::Delivered);
    stage.by_centre(&id, Action::SupplementLapsed)?;
    ensure!(stage.state(&id, "s7")? == StepState::Passed, "it is booked later");
    Ok(())
}

fn at_the_window(stage: &mut Stage<'_>) -> Result<()> {
    let id = granted(stage, false)?;
    let stored = the(stage, &id)?;
    ensure!(stored.parcel.state == ParcelState::AtWindow);
    let hmac = stage.context.keys.person_hmac(person_key::ID_NUMBER, ID_NUMBER);
    stage.in_tx(|tx, _, _| {
        let sql = "INSERT INTO person_key (kind, hmac, envelope_id) VALUES ($1, $2, $3)";
        let values = [person_key::ID_NUMBER.into(), Value::from(hmac.as_slice()), id.to_string().into()];
        Ok(tx.execute(sql, &values)?)
    })?;
    let number = stage.view(&id)?.number.to_string();
    let issued = stage.in_tx(|tx, _, _| Ok(results::of_case(tx, &id)?))?;
    let certificate = issued.first().context("one")?.issued.number.to_string();
    let looks = |stage: &mut Stage<'_>, number: &str, id_number: &str| {
        stage.in_tx(|tx, context, _| parcels::find(tx, context, (number, id_number)))
    };
    for named in [number.as_str(), certificate.as_str(), stored.number.as_str()] {
        let found = looks(stage, named, "639900199005201035 ")?.context("found")?;
        ensure!(found.waits == Waits::Yes && found.contents.len() == 1, "{named}");
        ensure!(looks(stage, named, "639900199005201027")?.is_none() && looks(stage, named, "")?.is_none());
    }
    let window = person(9, "窗", &[Role::Window]);
    let hands = |stage: &mut Stage<'_>, click: &str, version: u64| {
        let seen = Seen { click, version };
        stage.in_tx(|tx, context, now_ms| {
            parcels::hand_over(tx, context, now_ms, (&window, &number, ID_NUMBER), seen)
        })
    };
    ensure!(code(hands(stage, "a", 7)) == Some(ProblemCode::CaseChanged), "an old page");
    for _ in 0..2 {
        ensure!(hands(stage, "b", 1)?.parcel.state == ParcelState::PickedUp);
    }
    ensure!(code(hands(stage, "c", 1)) == Some(ProblemCode::CaseChanged), "once only");
    let found = looks(stage, &number, ID_NUMBER)?.context("found")?;
    ensure!(matches!(&found.waits, Waits::Before(_, by) if by == "A-0009"), "{:?}", found.waits);
    ensure!(found.contents.is_empty(), "what was handed over is not handed over again");
    Ok(())
}

/// Revokes the first certificate of a case, which the registry issued.
fn revoke(stage: &mut Stage<'_>, id: &EnvelopeId) -> Result<()> {
    let leader = person(7, REGISTRY, &[Role::Leader]);
    let row = stage.current(id)?.0;
    let issued = stage.in_tx(|tx, _, _| Ok(results::of_case(tx, id)?))?;
    let number = issued.first().context("one")?.issued.number.clone();
    stage.in_tx_with_rng(|tx, context, now| {
        results::revoke(tx, context, now, (&leader, &row), (&number, "错发"))
    })?;
    Ok(())
}

/// One of two certificates is revoked: the other one is neither lost nor given twice.
fn one_of_two_taken_back(stage: &mut Stage<'_>) -> Result<()> {
    let clerk = by(REGISTRY, 2);
    let left = |stage: &mut Stage<'_>, id: &EnvelopeId| -> Result<usize> {
        Ok(stage.in_tx(|tx, _, _| parcels::contents(tx, id))?.len())
    };
    let here = granted_for(stage, "name", false)?;
    let before = the(stage, &here)?;
    ensure!(left(stage, &here)? == 2);
    revoke(stage, &here)?;
    let after = the(stage, &here)?;
    ensure!(after.parcel.state == ParcelState::AtWindow && left(stage, &here)? == 1);
    ensure!(after.parcel.version == before.parcel.version + 1, "a page of before is old");
    let id = granted_for(stage, "name", true)?;
    does(stage, &clerk, &id, &pack())?;
    let handed = does(stage, &clerk, &id, &hand())?;
    revoke(stage, &id)?;
    ensure!(the(stage, &id)?.parcel.recalled);
    ensure!(hear(stage, &handed, ("two-lost", News::Lost))? == Outcome::Taken);
    let settled = code(does(stage, &clerk, &id, &Deed::Settle));
    ensure!(settled == Some(ProblemCode::CaseChanged), "the other one is good");
    let again = does(stage, &clerk, &id, &Deed::Again)?.parcel;
    ensure!(again.recalled && again.round == 2, "what is lost may turn up yet");
    does(stage, &clerk, &id, &pack())?;
    let handed = does(stage, &clerk, &id, &hand())?;
    ensure!(hear(stage, &handed, ("two-there", News::Delivered))? == Outcome::Taken);
    let settled = does(stage, &clerk, &id, &Deed::Settle)?.parcel;
    ensure!(settled.state == ParcelState::Delivered && !settled.needs_somebody());
    ensure!(left(stage, &id)? == 0, "what arrived is not sent again");
    Ok(())
}

fn taken_back(stage: &mut Stage<'_>) -> Result<()> {
    let clerk = by(REGISTRY, 2);
    let here = granted(stage, false)?;
    revoke(stage, &here)?;
    ensure!(the(stage, &here)?.parcel.state == ParcelState::Withdrawn);
    let id = granted(stage, true)?;
    does(stage, &clerk, &id, &pack())?;
    let handed = does(stage, &clerk, &id, &hand())?;
    revoke(stage, &id)?;
    let called = the(stage, &id)?;
    ensure!(called.parcel.recalled && called.parcel.needs_somebody());
    ensure!(code(does(stage, &clerk, &id, &Deed::Settle)) == Some(ProblemCode::CaseChanged));
    ensure!(hear(stage, &handed, ("lost", News::Lost))? == Outcome::Taken);
    for deed in [Deed::Again, Deed::ToWindow] {
        ensure!(code(does(stage, &clerk, &id, &deed)) == Some(ProblemCode::CaseChanged), "{deed:?}");
    }
    ensure!(does(stage, &clerk, &id, &Deed::Settle)?.parcel.state == ParcelState::Withdrawn);
    Ok(())
}

fn erased_on_its_way(stage: &mut Stage<'_>) -> Result<()> {
    let clerk = by(REGISTRY, 2);
    let (waits, id, packed) = (granted(stage, true)?, granted(stage, true)?, granted(stage, true)?);
    does(stage, &clerk, &packed, &pack())?;
    does(stage, &clerk, &id, &pack())?;
    let handed = does(stage, &clerk, &id, &hand())?;
    ensure!(hear(stage, &handed, ("away", News::OnTheWay))? == Outcome::Taken);
    let key = stage.key(&id)?;
    stage.now_ms += DAY_MS;
    let erasures = [waits, id, packed].map(|envelope_id| Erasure {
        envelope_id,
        at_ms: stage.now_ms,
        why: Why::Request,
    });
    ensure!(stage.in_tx(|tx, _, _| Ok(erasure::erase(tx, &erasures)?))? == 3);
    for event in stage.in_tx(|tx, _, _| Ok(parcels::events(tx, &handed.number)?))? {
        ensure!(event.open(&key, &handed.number)?.is_none(), "whoever kept the key has nothing to open");
    }
    ensure!(the(stage, &id)?.tracking.is_empty());
    // The carrier still tells, and its words are not kept.
    ensure!(hear(stage, &handed, ("there", News::Returned))? == Outcome::Taken);
    let last = stage.in_tx(|tx, _, _| Ok(parcels::events(tx, &handed.number)?))?.pop().context("told")?;
    ensure!(last.open(&key, &handed.number)?.is_none());
    ensure!(
        code(does(stage, &clerk, &waits, &pack())) == Some(ProblemCode::CaseChanged),
        "nobody knows where to"
    );
    let by_hand = does(stage, &clerk, &packed, &hand())?;
    ensure!(by_hand.parcel.state == ParcelState::Handed && the(stage, &packed)?.tracking.is_empty());
    let back = does(stage, &clerk, &id, &Deed::ToWindow)?.parcel;
    ensure!(back.state == ParcelState::AtWindow && back.round == 2);
    // Nobody can get them any more.
    for id in [waits, id] {
        ensure!(does(stage, &clerk, &id, &Deed::Settle)?.parcel.state == ParcelState::Withdrawn);
    }
    Ok(())
}

#[test]
fn parcels_live_on_both() -> Result<()> {
    on_both(every_statement)
}
