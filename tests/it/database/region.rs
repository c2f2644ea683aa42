//! The part of the conformance suite about handoffs: both sides of one at this centre, the other region being a voice.
use anyhow::{Context as _, Result, ensure};
use domain::envelope::{Digest, SignedKind, sign_document};
use domain::handoff::{ABANDONED_MS, Adcode, HandoffState, Mode, Side, Step};
use domain::ids::{CaseNo, EnvelopeId, ItemCode};
use domain::item::{Period, PeriodUnit};
use domain::wire::v1::{
    PARTNER_VERSION, PartnerContent, PartnerForm, PartnerMessage, PartnerOutcome, PartnerReceipt,
    PartnerSaid, PartnerSealed, SealedFor,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::json;
use sync_server::error::ServiceError;
use sync_server::keys::Keys;
use sync_server::partners::Register;
use sync_server::services::Context;
use sync_server::services::handoff::{self, Heard, New, NewContent, Own};
use sync_server::store::Tx;
use tests::device::{ITEM, courier_at};

use super::review::stage::Stage;

const CLERK: &str = "A-0007";
const PENSION: &str = "人社";

/// The other region, which only speaks.
struct Far {
    keys: Keys,
    register: Register,
    own: Adcode,
    here: Adcode,
}

impl Far {
    fn new(context: &Context) -> Result<Self> {
        let keys = Keys::in_memory(&mut ChaCha20Rng::seed_from_u64(99))?;
        let (signing, sealing) = (keys.receipt.public(), keys.sealing.first().public());
        let text = json!({
            "own": { "adcode": "630100", "name": "西宁（样例）", "phone": "0971-1" },
            "partners": [{
                "adcode": "632700", "name": "玉树（样例）", "initials": "YS", "phone": "0976-1",
                "address": "127.0.0.1:9", "signing_key": signing, "sealing_key": sealing,
            }],
        });
        ensure!(context.keys.receipt.public() != keys.receipt.public());
        let register = Register::parse(text.to_string().as_bytes())?;
        Ok(Self { keys, register, own: "632700".parse()?, here: "630100".parse()? })
    }

    /// Says something about a handoff, and is heard.
    fn says(
        &self,
        (tx, own, now_ms): (&mut Tx<'_>, Own<'_>, i64),
        (handoff, seq): (EnvelopeId, u32),
        said: impl Fn(EnvelopeId) -> Result<PartnerSaid>,
    ) -> Result<PartnerOutcome> {
        let id = EnvelopeId::new(now_ms + i64::from(seq), &mut ChaCha20Rng::seed_from_u64(u64::from(seq)));
        let (from, to) = (self.own.clone(), self.here.clone());
        let message = PartnerMessage {
            v: PARTNER_VERSION,
            id,
            handoff,
            from,
            to,
            seq,
            in_reply_to: None,
            made_at_ms: now_ms,
            said: said(id)?,
        };
        let document = sign_document(SignedKind::PartnerMessage, message.to_bytes()?, &self.keys.receipt);
        let answer = handoff::take(tx, own, now_ms, &handoff::judge(own, document)?)?;
        let receipt: PartnerReceipt = serde_json::from_slice(&answer.receipt.body.0)?;
        Ok(receipt.outcome)
    }

    fn seals(
        &self,
        context: &Context,
        (message, handoff): (EnvelopeId, EnvelopeId),
        content: &PartnerContent,
    ) -> Result<PartnerSealed> {
        let place = SealedFor { message, handoff, from: &self.own, to: &self.here };
        let key = context.keys.sealing.first().public();
        Ok(PartnerSealed::seal(content, place, &key, &mut ChaCha20Rng::seed_from_u64(4))?)
    }
}

fn words(text: &str) -> PartnerContent {
    PartnerContent::Words { words: text.to_owned() }
}

fn begin(
    tx: &mut Tx<'_>,
    context: &Context,
    (far, now_ms, rng): (&Far, i64, &mut ChaCha20Rng),
) -> Result<EnvelopeId> {
    let id = EnvelopeId::new(now_ms, rng);
    let item: ItemCode = ITEM.parse()?;
    let new = New {
        id,
        side: Side::Accepting,
        partner: &far.own,
        item: &item,
        title: "灵活就业参保",
        unit: PENSION,
        clerk: CLERK,
        legal: Period { tenths: 50, unit: PeriodUnit::WorkingDay },
        form_version: 2,
    };
    handoff::begin(tx, (now_ms, CLERK), &new, (now_ms, &Step::Received { mode: Mode::HandIn }, None))?;
    let mut huge = courier_at(now_ms);
    huge.answers.insert("phone".to_owned(), json!("1".repeat(200_000)));
    ensure!(NewContent::seal((&id, now_ms), &huge, &context.keys, rng).is_err(), "no case could take it");
    let content = NewContent::seal((&id, now_ms), &courier_at(now_ms), &context.keys, rng)?;
    handoff::keep_content(tx, &content, 2)?;
    let opened = handoff::open_content(tx, &id, &context.keys)?;
    ensure!(opened == courier_at(now_ms));
    Ok(id)
}

fn hand_over(
    tx: &mut Tx<'_>,
    own: Own<'_>,
    (id, now_ms, rng): (EnvelopeId, i64, &mut ChaCha20Rng),
) -> Result<()> {
    let mut row = handoff::find(tx, &id)?;
    let seen = row.handoff.version;
    for (n, step) in [Step::FormChecked, Step::IdentityChecked].into_iter().enumerate() {
        handoff::act(tx, own, (now_ms, &mut *rng), (&mut row, seen + n as u64), (CLERK, step, None))?;
    }
    let message = EnvelopeId::new(now_ms, rng);
    let content = PartnerContent::Submission { submission: courier_at(now_ms) };
    let said = PartnerSaid::HandedOver {
        mode: Mode::HandIn,
        item: row.item.clone(),
        form_version: 2,
        round: row.handoff.round + 1,
        sealed: handoff::seal_for(own, (&row, message), &content, rng)?,
    };
    let (step, seen) = (said.step(), row.handoff.version);
    handoff::act(tx, own, (now_ms, &mut *rng), (&mut row, seen), (CLERK, step, Some((message, said))))?;
    // The same click once more changes nothing.
    let again = Step::Sent { round: row.handoff.round, form_version: 2 };
    Ok(handoff::act(tx, own, (now_ms, &mut *rng), (&mut row, seen), (CLERK, again, None))?)
}

/// Everything that waits is confirmed, after failures of each kind.
fn sent(tx: &mut Tx<'_>, (now_ms, rng): (i64, &mut ChaCha20Rng)) -> Result<()> {
    for outcome in [None, Some(PartnerOutcome::Conflict), Some(PartnerOutcome::Early)] {
        let later = now_ms + 600_000;
        let due = handoff::due(tx, later)?.first().cloned().context("it waits")?;
        let receipt = outcome.map(|outcome| PartnerReceipt {
            message: due.id,
            digest: Digest::of(&due.document.body.0),
            outcome,
            expected: 1,
        });
        handoff::answered(tx, (now_ms, &mut *rng), &due, receipt.as_ref())?;
        ensure!(handoff::waits_for(tx, &due.handoff)?.0 >= 1);
    }
    // Those that the other side forgot go again before the newest.
    while let Some(due) = handoff::due(tx, now_ms + 6_000_000)?.first().cloned() {
        let receipt = PartnerReceipt {
            message: due.id,
            digest: Digest::of(&due.document.body.0),
            outcome: PartnerOutcome::Taken,
            expected: 2,
        };
        handoff::answered(tx, (now_ms, &mut *rng), &due, Some(&receipt))?;
    }
    Ok(())
}

fn accepting(tx: &mut Tx<'_>, context: &Context, now_ms: i64) -> Result<()> {
    let (far, mut rng) = (Far::new(context)?, ChaCha20Rng::seed_from_u64(5));
    let own = Own { context, register: &far.register };
    let id = begin(tx, context, (&far, now_ms, &mut rng))?;
    ensure!(handoff::taken_in(tx, CLERK)?.len() == 1 && handoff::taken_in(tx, "A-0008")?.is_empty());
    hand_over(tx, own, (id, now_ms, &mut rng))?;
    sent(tx, (now_ms, &mut rng))?;
    let taken = PartnerOutcome::Taken;
    ensure!(
        far.says((&mut *tx, own, now_ms), (id, 2), |_| Ok(PartnerSaid::SignedFor))? == PartnerOutcome::Early
    );
    ensure!(far.says((&mut *tx, own, now_ms), (id, 1), |_| Ok(PartnerSaid::SignedFor))? == taken);
    ensure!(
        far.says((&mut *tx, own, now_ms), (id, 1), |_| Ok(PartnerSaid::SignedFor))?
            == PartnerOutcome::Duplicate
    );
    let returned = |message: EnvelopeId| -> Result<PartnerSaid> {
        let sealed = far.seals(context, (message, id), &words("缺电话"))?;
        Ok(PartnerSaid::Returned { sealed })
    };
    ensure!(far.says((&mut *tx, own, now_ms), (id, 2), returned)? == taken);
    let row = handoff::find(tx, &id)?;
    ensure!(row.state() == HandoffState::Returned);
    ensure!(handoff::told(tx, own, &row)? == Some(words("缺电话")));
    hand_over(tx, own, (id, now_ms, &mut rng))?;
    sent(tx, (now_ms, &mut rng))?;
    ensure!(far.says((&mut *tx, own, now_ms), (id, 3), |_| Ok(PartnerSaid::SignedFor))? == taken);
    let number: CaseNo = "XN26112400100013".parse()?;
    let accepted =
        |_: EnvelopeId| -> Result<PartnerSaid> { Ok(PartnerSaid::Accepted { number: number.clone() }) };
    ensure!(far.says((&mut *tx, own, now_ms), (id, 4), accepted)? == taken);
    kept_for_a_week(tx, context, (id, now_ms, &mut rng))?;
    // Another one is not theirs: the words stay, what was brought goes.
    let other = begin(tx, context, (&far, now_ms, &mut rng))?;
    hand_over(tx, own, (other, now_ms, &mut rng))?;
    sent(tx, (now_ms, &mut rng))?;
    let not_ours = |message: EnvelopeId| -> Result<PartnerSaid> {
        let sealed = far.seals(context, (message, other), &words("转果洛"))?;
        Ok(PartnerSaid::NotOurs { sealed })
    };
    ensure!(far.says((&mut *tx, own, now_ms + 9), (other, 1), not_ours)? == taken);
    ensure!(handoff::open_content(tx, &other, &context.keys).is_err());
    let row = handoff::find(tx, &other)?;
    ensure!(handoff::told(tx, own, &row)? == Some(words("转果洛")));
    ensure!(handoff::told_if_it_opens(tx, own, &row)? == (Some(words("转果洛")), false));
    // Nothing follows from a decision of what is not theirs: it is kept without its content.
    let decided = |_: EnvelopeId| -> Result<PartnerSaid> { Ok(PartnerSaid::Decided) };
    ensure!(far.says((&mut *tx, own, now_ms + 20), (other, 2), decided)? == taken);
    let odd = "SELECT COUNT(*) FROM partner_message WHERE state = 'odd' AND document = ''";
    ensure!(tx.query_int(odd, &[])? == 1);
    for seq in 3..=101 {
        ensure!(far.says((&mut *tx, own, now_ms + 20), (other, seq), decided)? == taken);
    }
    ensure!(far.says((&mut *tx, own, now_ms + 20), (other, 102), decided).is_err(), "a flood is bounded");
    put_away(tx, &far, now_ms, &mut rng)
}

/// What was accepted stays for some days, and is offered again to a side that may have been restored.
fn kept_for_a_week(
    tx: &mut Tx<'_>,
    context: &Context,
    (id, now_ms, rng): (EnvelopeId, i64, &mut ChaCha20Rng),
) -> Result<()> {
    const DAY_MS: i64 = 24 * 3_600 * 1_000;
    ensure!(handoff::open_content(tx, &id, &context.keys).is_ok(), "a restored home region asks for it");
    ensure!(handoff::kept_too_long(tx, now_ms + 6 * DAY_MS)?.is_empty());
    ensure!(handoff::kept_too_long(tx, now_ms + 8 * DAY_MS)? == [id]);
    handoff::ask_again(tx, now_ms)?;
    let due = handoff::due(tx, now_ms)?.first().cloned().context("its newest message goes again")?;
    ensure!(due.handoff == id);
    handoff::put_away(tx, &id)?;
    ensure!(handoff::open_content(tx, &id, &context.keys).is_err(), "it lies where the case is");
    let receipt = PartnerReceipt {
        message: due.id,
        digest: Digest::of(&due.document.body.0),
        outcome: PartnerOutcome::Duplicate,
        expected: 3,
    };
    handoff::answered(tx, (now_ms, &mut *rng), &due, Some(&receipt))?;
    handoff::ask_again(tx, now_ms)?;
    ensure!(handoff::waits_for(tx, &id)?.0 == 0, "what is gone is not offered");
    Ok(())
}

/// What nobody goes on with is archived as it stands.
fn put_away(tx: &mut Tx<'_>, far: &Far, now_ms: i64, rng: &mut ChaCha20Rng) -> Result<()> {
    let (id, item) = (EnvelopeId::new(now_ms, rng), ITEM.parse::<ItemCode>()?);
    let new = New {
        id,
        side: Side::Accepting,
        partner: &far.own,
        item: &item,
        title: "灵活就业参保",
        unit: PENSION,
        clerk: CLERK,
        legal: Period { tenths: 50, unit: PeriodUnit::WorkingDay },
        form_version: 2,
    };
    let at_ms = now_ms - ABANDONED_MS;
    handoff::begin(tx, (now_ms, CLERK), &new, (at_ms, &Step::Received { mode: Mode::HandIn }, None))?;
    ensure!(handoff::abandoned(tx, now_ms - 1)?.is_empty());
    ensure!(handoff::abandoned(tx, now_ms)? == [id]);
    handoff::drop_abandoned(tx, now_ms, &id)?;
    ensure!(handoff::find(tx, &id)?.state() == HandoffState::Archived);
    ensure!(handoff::abandoned(tx, now_ms)?.is_empty());
    Ok(())
}

fn home(tx: &mut Tx<'_>, context: &Context, now_ms: i64) -> Result<()> {
    let (far, mut rng) = (Far::new(context)?, ChaCha20Rng::seed_from_u64(6));
    let own = Own { context, register: &far.register };
    let (id, item) = (EnvelopeId::new(now_ms, &mut rng), ITEM.parse::<ItemCode>()?);
    let content = PartnerContent::Submission { submission: courier_at(now_ms) };
    let version = context.shelf.newest(tx)?.context("a catalogue")?.catalogue.version;
    let handed = |message: EnvelopeId| -> Result<PartnerSaid> {
        Ok(PartnerSaid::HandedOver {
            mode: Mode::HandIn,
            item: item.clone(),
            form_version: version,
            round: 1,
            sealed: far.seals(context, (message, id), &content)?,
        })
    };
    ensure!(far.says((&mut *tx, own, now_ms + 50), (id, 1), handed)? == PartnerOutcome::Taken);
    ensure!(handoff::coming(tx, PENSION)?.len() == 1 && handoff::waiting_at_home(tx, PENSION)? == 1);
    ensure!(handoff::coming(tx, "公安")?.is_empty());
    let mut row = handoff::find(tx, &id)?;
    let (seen, message) = (row.handoff.version, EnvelopeId::new(now_ms, &mut rng));
    let signs = (CLERK, Step::SignedFor, Some((message, PartnerSaid::SignedFor)));
    handoff::act(tx, own, (now_ms, &mut rng), (&mut row, seen), signs)?;
    ensure!(handoff::told(tx, own, &row)? == Some(content.clone()));
    let volume = context.shelf.newest(tx)?.context("a catalogue")?;
    let day = domain::date::CivilDate::in_china(now_ms);
    let language = domain::text::Language::ZhCn;
    ensure!(handoff::misfits(&volume, &item, &courier_at(now_ms), (day, language)).is_empty());
    let seen = row.handoff.version;
    let whose = (CLERK, PENSION);
    let foreign = handoff::accept(tx, own, (now_ms, &mut rng), (&mut row, seen), (CLERK, "公安"));
    ensure!(foreign.is_err(), "another unit's");
    ensure!(handoff::unfit(tx, own, &row, (&courier_at(now_ms), language, now_ms))?.is_none());
    let number = handoff::accept(tx, own, (now_ms, &mut rng), (&mut row, seen), whose)?;
    let mut again = handoff::find(tx, &id)?;
    ensure!(handoff::accept(tx, own, (now_ms, &mut rng), (&mut again, seen), whose)? == number, "once");
    ensure!(handoff::decided_ones(tx)?.is_empty() && handoff::due(tx, now_ms)?.len() == 1);
    // Forms across regions.
    let form = PartnerForm {
        v: PARTNER_VERSION,
        region: far.own.clone(),
        catalogue_version: 7,
        item: volume.catalogue.items.get(&item).context("an item")?.clone(),
    };
    let heard = Heard::now(form, now_ms)?;
    handoff::keep_heard(tx, &heard)?;
    handoff::keep_heard(tx, &heard)?;
    let kept = handoff::heard(tx, &far.own, &item)?.context("kept")?;
    ensure!(kept.digest == heard.digest && handoff::heard_items(tx, &far.own)?.len() == 1);
    ensure!(!handoff::items_here(tx, own)?.body.0.is_empty() && handoff::form_here(tx, own, &item).is_ok());
    Ok(())
}

/// Both sides.
pub fn every_statement(stage: &mut Stage<'_>) -> Result<()> {
    type Part = fn(&mut Tx<'_>, &Context, i64) -> Result<()>;
    let parts: [Part; 2] = [accepting, home];
    for part in parts {
        stage.in_tx(|tx, context, now_ms| Ok::<_, ServiceError>(part(tx, context, now_ms)))??;
    }
    Ok(())
}

#[test]
fn a_handoff_is_the_same_on_both_databases() -> Result<()> {
    super::review::on_both(every_statement)
}
