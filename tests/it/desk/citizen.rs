//! What a citizen with the card on a terminal hears of the own cases.
use anyhow::{Context as _, Result};
use domain::applicant::IdentitySource;
use domain::case::CaseState;
use domain::envelope::{SignedKind, sign_document};
use domain::wire::v1::{CitizenQuery, CitizenRequest, CitizenResponse, EnvelopeKind, Person, Withdrawal};
use tests::device::courier;
use tests::http::Answer;

use super::{Desk, leads_to};

const DOOR: &str = "/api/v1/citizen/cases";

impl Desk {
    pub(super) fn citizen(&self, applicant: &Person) -> Result<Answer> {
        let query =
            CitizenQuery { terminal: self.device.enrolled.terminal.clone(), applicant: applicant.clone() };
        let query = sign_document(SignedKind::Citizen, serde_json::to_vec(&query)?, &self.device.key);
        self.asks(&CitizenRequest { query })
    }

    fn asks(&self, request: &CitizenRequest) -> Result<Answer> {
        let json = [("content-type", "application/json")];
        self.device.signed_call(
            &self.server.terminals,
            ("POST", DOOR),
            &json,
            Some(&serde_json::to_vec(request)?),
        )
    }

    fn own(&self, applicant: &Person) -> Result<CitizenResponse> {
        let answer = self.citizen(applicant)?;
        anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
        answer.json()
    }
}

#[test]
fn the_card_shows_the_own_cases_what_is_asked_for_and_never_how_one_ended() -> Result<()> {
    let mut desk = Desk::new()?;
    let asked = desk.asked()?;
    let refused = desk.item()?;
    leads_to(&desk.does((&desk.pension, &refused), "review", "accept", &[])?)?;
    let words = [("basis", "0"), ("text", "不符合第十条")];
    leads_to(&desk.does((&desk.pension, &refused), "review", "refuse", &words)?)?;

    let me = courier().applicant;
    let answer = desk.citizen(&me)?;
    let text = answer.text();
    for secret in ["refused", "不符合", &me.id_number, &me.name, "13900139000", "送外卖"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let own = answer.json::<CitizenResponse>()?.cases;
    assert_eq!(
        own.iter().map(|case| case.envelope_id).collect::<Vec<_>>(),
        [refused.id, asked.id],
        "newest first"
    );
    assert_eq!((own[0].state, own[0].withdrawable), (CaseState::Completed, false));
    assert!(own[0].request.is_none() && own[0].due_at_ms.is_none());
    let request = own[1].request.as_ref().context("a request")?;
    let wants: Vec<_> = request.wants.iter().map(|want| want.key.as_str()).collect();
    assert_eq!((wants, request.words.as_slice()), (vec!["phone", "material.3"], &["请补".to_owned()][..]));
    assert!(own[1].withdrawable && own[1].due_at_ms.is_none(), "the office's clock stands");
    let looked = desk.server.number("SELECT COUNT(*) FROM audit WHERE event = 'citizen.looked'")?;
    assert_eq!(looked, 1);

    // Once it is taken back there is nothing to add.
    let withdrawal = serde_json::to_vec(&Withdrawal { applicant: me.clone() })?;
    assert_eq!(desk.follows(&asked, EnvelopeKind::Withdrawal, &withdrawal)?, "taken");
    let own = desk.own(&me)?.cases;
    assert!(own.iter().all(|case| case.request.is_none() && !case.withdrawable), "{own:?}");
    Ok(())
}

#[test]
fn others_what_was_typed_and_what_is_not_signed_show_nothing() -> Result<()> {
    let mut desk = Desk::new()?;
    desk.item()?;
    let me = courier().applicant;
    assert_eq!(desk.own(&me)?.cases.len(), 1);
    let other = Person { id_number: "639900194403150015".to_owned(), ..me.clone() };
    let namesake = Person { name: "样大川".to_owned(), ..me.clone() };
    for stranger in [other, namesake] {
        assert!(desk.own(&stranger)?.cases.is_empty(), "{stranger:?}");
    }
    let typed = Person { source: IdentitySource::Typed, ..me.clone() };
    assert_eq!(desk.citizen(&typed)?.status, 400);
    let query = CitizenQuery { terminal: desk.device.enrolled.terminal.clone(), applicant: me };
    let body = serde_json::to_vec(&query)?;
    // Signed for something else, or for another body.
    let offer = sign_document(SignedKind::Offer, body.clone(), &desk.device.key);
    let mut other = sign_document(SignedKind::Citizen, body, &desk.device.key);
    other.body.0.push(b' ');
    for query in [offer, other] {
        assert_eq!(desk.asks(&CitizenRequest { query })?.status, 401);
    }
    let nonsense = sign_document(SignedKind::Citizen, b"[]".to_vec(), &desk.device.key);
    assert_eq!(desk.asks(&CitizenRequest { query: nonsense })?.status, 400);
    Ok(())
}
