//! Messages that no partner would send: twice, early, forged, of a stranger, of a newer program, for somebody else, huge.
use anyhow::{Context as _, Result};
use domain::envelope::{DeviceKey, KeyRing, SignedDocument, SignedKind, sign_document, verify_document};
use domain::ids::EnvelopeId;
use domain::wire::v1::{
    MAX_PARTNER_MESSAGE_BYTES, PartnerAnswer, PartnerMessage, PartnerOutcome, PartnerReceipt, PartnerRequest,
    PartnerSaid,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::keys::Keys;
use tests::device::JSON;
use tests::http::{self, Answer};

use super::{Regions, keys, leads_to};

/// Says something at the home region's door, as the accepting region.
struct Voice {
    regions: Regions,
    key: DeviceKey,
    handed: PartnerMessage,
}

impl Voice {
    /// A handoff that is written here and was not sent: its message is at hand.
    fn new() -> Result<Self> {
        let regions = Regions::new()?;
        let path = regions.taken_in()?;
        regions.part()?;
        regions.hands_over(&path)?;
        let rows = regions.here.rows("SELECT document FROM partner_message", &[])?;
        let document: SignedDocument = serde_json::from_str(rows.first().context("a message")?.text(0)?)?;
        let handed = PartnerMessage::read(&document.body.0)?;
        let key = DeviceKey::from_seed(*Keys::load(&regions.here.data().join("keys"))?.receipt.to_seed());
        Ok(Self { regions, key, handed })
    }

    fn says(&self, document: SignedDocument) -> Result<Answer> {
        let body = serde_json::to_vec(&PartnerRequest { message: document })?;
        http::post(&self.regions.there.terminals, "/api/v1/partner/messages", &[JSON], &body)
    }

    fn signed(&self, body: Vec<u8>) -> SignedDocument {
        sign_document(SignedKind::PartnerMessage, body, &self.key)
    }

    fn hands(&self, message: &PartnerMessage) -> Result<PartnerReceipt> {
        let answer: PartnerAnswer = self.says(self.signed(message.to_bytes()?))?.json()?;
        let ring = KeyRing::new([keys(&self.regions.there)?.0]);
        Ok(serde_json::from_slice(verify_document(SignedKind::PartnerReceipt, &answer.receipt, &ring)?)?)
    }

    fn count(&self, table: &str) -> Result<i64> {
        self.regions.there.number(&format!("SELECT COUNT(*) FROM {table}"))
    }
}

#[test]
fn twice_early_and_otherwise_are_told_apart() -> Result<()> {
    let voice = Voice::new()?;
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let early = PartnerMessage {
        id: EnvelopeId::new(1, &mut rng),
        seq: 2,
        said: PartnerSaid::ResultReceived,
        ..voice.handed.clone()
    };
    let receipt = voice.hands(&early)?;
    assert_eq!((receipt.outcome, receipt.expected), (PartnerOutcome::Early, 1));
    assert_eq!((voice.count("partner_message")?, voice.count("handoff")?), (0, 0));
    let first = voice.hands(&voice.handed)?;
    assert_eq!((first.outcome, first.expected), (PartnerOutcome::Taken, 2));
    for _ in 0..3 {
        let again = voice.hands(&voice.handed)?;
        assert_eq!(
            (again.outcome, again.digest, again.expected),
            (PartnerOutcome::Duplicate, first.digest, 2)
        );
    }
    let otherwise = PartnerMessage { made_at_ms: 7, ..voice.handed.clone() };
    assert_eq!(voice.hands(&otherwise)?.outcome, PartnerOutcome::Conflict);
    let place = PartnerMessage { id: EnvelopeId::new(2, &mut rng), ..voice.handed.clone() };
    assert_eq!(voice.hands(&place)?.outcome, PartnerOutcome::Conflict);
    assert_eq!((voice.count("partner_message")?, voice.count("handoff")?), (1, 1));
    // A step that does not follow is kept for people, and holds up nothing.
    assert_eq!(voice.hands(&early)?.outcome, PartnerOutcome::Taken);
    let odd = "SELECT COUNT(*) FROM partner_message WHERE state = 'odd'";
    assert_eq!(voice.regions.there.number(odd)?, 1);
    assert_eq!(voice.regions.there.number("SELECT COUNT(*) FROM alarm WHERE kind LIKE 'partner.%'")?, 2);
    // What the accepting side may not say: steps of the home region.
    let foreign =
        PartnerMessage { id: EnvelopeId::new(3, &mut rng), seq: 3, said: PartnerSaid::Decided, ..early };
    assert_eq!(voice.hands(&foreign)?.outcome, PartnerOutcome::Taken);
    assert_eq!(voice.regions.there.number(odd)?, 2);
    let state = voice.regions.there.number("SELECT COUNT(*) FROM handoff WHERE state = 'sent'")?;
    assert_eq!(state, 1, "nothing of it counts");
    // The real one comes after all, from the outbox, and is the same.
    voice.regions.meet()?;
    let confirmed = "SELECT COUNT(*) FROM partner_message WHERE state = 'confirmed'";
    super::until(&voice.regions.here, confirmed, 1)
}

#[test]
fn what_does_not_open_is_told_and_can_be_returned() -> Result<()> {
    let voice = Voice::new()?;
    let mut broken = voice.handed.clone();
    let PartnerSaid::HandedOver { sealed, .. } = &mut broken.said else { anyhow::bail!("another message") };
    if let Some(byte) = sealed.ciphertext.0.first_mut() {
        *byte ^= 1;
    }
    assert_eq!(voice.hands(&broken)?.outcome, PartnerOutcome::Taken);
    let (regions, id) = (&voice.regions, broken.handoff.to_string());
    leads_to(&regions.does(&id, "sign_for", &[])?)?;
    let page = regions.page(&regions.there, &regions.reviewer, &format!("/handoffs/incoming/{id}"))?;
    assert!(page.contains("传来的内容打不开") && !page.contains("value=\"accept\""), "{page}");
    leads_to(&regions.does(&id, "return", &[("words", "打不开，请重填")])?)?;
    regions.settles(&regions.there, &id, "returned")
}

#[test]
fn forged_foreign_newer_misled_and_huge_messages_leave_nothing() -> Result<()> {
    let voice = Voice::new()?;
    let whole = voice.handed.to_bytes()?;
    let text = String::from_utf8(whole.clone())?;
    let stranger = DeviceKey::from_seed([77; 32]);
    let mut altered = voice.signed(whole.clone());
    altered.signature.0.0[5] ^= 1;
    let mut lent = sign_document(SignedKind::PartnerMessage, whole.clone(), &stranger);
    lent.key_id = voice.key.key_id().clone();
    let elsewhere = PartnerMessage { to: "632600".parse()?, ..voice.handed.clone() };
    let another = PartnerMessage { from: "632600".parse()?, ..voice.handed.clone() };
    let table = [
        ("altered", altered, 401, "signature-invalid"),
        (
            "of a stranger",
            sign_document(SignedKind::PartnerMessage, whole.clone(), &stranger),
            401,
            "partner-unknown",
        ),
        ("a lent name", lent, 401, "signature-invalid"),
        (
            "another kind",
            sign_document(SignedKind::PartnerReceipt, whole.clone(), &voice.key),
            401,
            "signature-invalid",
        ),
        ("newer", voice.signed(text.replace("{\"v\":1,", "{\"v\":2,").into_bytes()), 422, "partner-version"),
        ("for another region", voice.signed(elsewhere.to_bytes()?), 401, "partner-unknown"),
        ("of another region", voice.signed(another.to_bytes()?), 401, "partner-unknown"),
        (
            "written otherwise",
            voice.signed(text.replace("{\"v\":1,", "{ \"v\":1,").into_bytes()),
            400,
            "malformed-request",
        ),
        ("cut", voice.signed(whole[..whole.len() / 2].to_vec()), 400, "malformed-request"),
        ("nothing", voice.signed(Vec::new()), 400, "malformed-request"),
        ("huge", voice.signed(vec![b'1'; MAX_PARTNER_MESSAGE_BYTES + 1]), 413, "too-large"),
    ];
    for (what, document, status, code) in table {
        let answer = voice.says(document)?;
        assert_eq!((answer.status, answer.problem()?.as_str()), (status, code), "{what}");
    }
    let bytes = vec![b' '; 600 * 1024];
    let huge = http::post(&voice.regions.there.terminals, "/api/v1/partner/messages", &[JSON], &bytes)?;
    assert_eq!(huge.status, 413);
    assert_eq!((voice.count("partner_message")?, voice.count("handoff")?), (0, 0));
    // Without a register there is no such door.
    std::fs::remove_file(voice.regions.there.data().join("partners.json"))?;
    assert_eq!(voice.says(voice.signed(whole))?.status, 404);
    let items = http::get(&voice.regions.there.terminals, "/api/v1/partner/items", &[])?;
    assert_eq!(items.problem()?, "not-found");
    Ok(())
}
