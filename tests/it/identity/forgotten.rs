//! A terminal that a restored centre has forgotten comes back as who it was, and nobody else does in its name.
use anyhow::{Context as _, Result, ensure};
use domain::envelope::{DeviceKey, SignedDocument, SignedKind, sign_document};
use domain::ids::{Issuer, StationId};
use domain::wire::v1::{EnrolResponse, Returning};
use sync_server::authority::Authority;
use sync_server::store::in_transaction;
use tests::device::{Device, STATION, enrol_as, enrol_raw, enrol_showing, now_ms};
use tests::http::Answer;
use tests::server::Server;
use tests::tls::{authority_of, key};

const ELSEWHERE: &str = "XN-CCB-CD-02";

/// A terminal that has a certificate of a centre which does not know it: as after a restore.
struct Forgotten {
    key: DeviceKey,
    said: Returning,
}

impl Forgotten {
    fn of(authority: &Authority, seed: u64, id: &str, issuer: u16) -> Result<Self> {
        let key = key(seed);
        // It was off for a long time.
        let certified = authority.certify(&id.parse()?, &key.public(), now_ms() - 400 * 24 * 3_600_000)?;
        let said = Returning {
            code: String::new(),
            terminal: id.parse()?,
            station: STATION.parse()?,
            issuer: Issuer::new(issuer).context("an issuer")?,
            certificate: certified.certificate,
        };
        Ok(Self { key, said })
    }

    fn document(&self, code: &str, change: impl FnOnce(&mut Returning)) -> Result<SignedDocument> {
        let mut said = Returning { code: code.to_owned(), ..self.said.clone() };
        change(&mut said);
        Ok(sign_document(SignedKind::Return, serde_json::to_vec(&said)?, &self.key))
    }

    fn comes_back(&self, server: &Server, code: &str) -> Result<Answer> {
        enrol_showing(server, code, &self.key, Some(self.document(code, |_| {})?))
    }
}

fn refused(answer: &Answer, status: u16, code: &str, what: &str) -> Result<()> {
    ensure!((answer.status, answer.problem()?.as_str()) == (status, code), "{what}: {}", answer.text());
    Ok(())
}

/// Codes that were not used.
fn unused(server: &Server) -> Result<i64> {
    server.number("SELECT COUNT(*) FROM enrol_code WHERE used_by IS NULL")
}

#[test]
fn only_the_forgotten_terminal_itself_comes_back_and_a_refusal_uses_no_code() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let ours = authority_of(&server)?;
    let forgotten = Forgotten::of(&ours, 7, "T-77", 77)?;
    let code = server.enrol_code(STATION)?;
    let foreign = Forgotten::of(&Authority::of(&key(9))?, 7, "T-77", 77)?;
    refused(&foreign.comes_back(&server, &code)?, 403, "return-not-proven", "another centre's certificate")?;
    let stranger = Forgotten { key: key(8), said: forgotten.said.clone() };
    refused(&stranger.comes_back(&server, &code)?, 403, "return-not-proven", "somebody else's key")?;
    let bits = [0, 40, forgotten.said.certificate.0.len() / 2, forgotten.said.certificate.0.len() - 1];
    for place in bits {
        let forged = forgotten.document(&code, |said| said.certificate.0[place] ^= 1)?;
        let answer = enrol_showing(&server, &code, &forgotten.key, Some(forged))?;
        refused(&answer, 403, "return-not-proven", "a forged certificate")?;
    }
    let listener = ours.serve_as(&["127.0.0.1".to_owned()], now_ms(), &forgotten.key.to_seed())?;
    type Change = Box<dyn Fn(&mut Returning)>;
    let changes: [(&str, Change); 4] = [
        ("no certificate", Box::new(|said| said.certificate.0.clear())),
        ("the listener's certificate", Box::new(move |said| said.certificate.0 = listener.chain[0].clone())),
        ("another id", Box::new(|said| said.terminal = "T-78".parse().expect("an id"))),
        ("another code", Box::new(|said| said.code = "EFTF-MWHF-G75T".to_owned())),
    ];
    for (what, change) in changes {
        let document = forgotten.document(&code, change)?;
        let answer = enrol_showing(&server, &code, &forgotten.key, Some(document))?;
        refused(&answer, 403, "return-not-proven", what)?;
    }
    for body in [&b""[..], b"{}", b"no JSON", &[0xff; 4_000]] {
        let document = sign_document(SignedKind::Return, body.to_vec(), &forgotten.key);
        let answer = enrol_showing(&server, &code, &forgotten.key, Some(document))?;
        refused(&answer, 403, "return-not-proven", "no return")?;
    }
    let offer = forgotten.document(&code, |_| {})?;
    let offer = sign_document(SignedKind::Offer, offer.body.0, &forgotten.key);
    let answer = enrol_showing(&server, &code, &forgotten.key, Some(offer))?;
    refused(&answer, 403, "return-not-proven", "signed as something else")?;
    let elsewhere = forgotten.comes_back(&server, &server.enrol_code(ELSEWHERE)?)?;
    refused(&elsewhere, 409, "key-enrolled-elsewhere", "the code of another station")?;
    assert_eq!((unused(&server)?, server.number("SELECT COUNT(*) FROM terminal")?), (2, 0));

    let back: EnrolResponse = forgotten.comes_back(&server, &code)?.json()?;
    assert_eq!((back.terminal.as_str(), back.issuer.get()), ("T-77", 77));
    assert_eq!(back.station, STATION.parse::<StationId>()?);
    ensure!(back.certified.is_some() && unused(&server)? == 1);
    // The answer was lost: the same once more. What was signed serves nobody else, and with no other code.
    let again: EnrolResponse = forgotten.comes_back(&server, &code)?.json()?;
    assert_eq!((again.terminal, again.issuer), (back.terminal, back.issuer));
    refused(&enrol_raw(&server, &code, &key(8))?, 409, "enrol-code-used", "another device")?;
    let fresh = server.enrol_code(STATION)?;
    let replayed = enrol_showing(&server, &fresh, &key(8), Some(forgotten.document(&code, |_| {})?))?;
    refused(&replayed, 403, "return-not-proven", "a replay by another device")?;
    refused(&forgotten.comes_back(&server, &fresh)?, 409, "terminal-known", "it is here")?;
    assert_eq!(unused(&server)?, 2);
    let steps = "SELECT COUNT(*) FROM terminal_step WHERE terminal = 'T-77' AND step = 'returned'";
    let audited = "SELECT COUNT(*) FROM audit WHERE event = 'terminal.returned' AND actor = 'T-77'";
    assert_eq!((server.number(steps)?, server.number(audited)?), (1, 1), "once");
    ensure!(server.page("/terminals/T-77")?.text().contains("恢复以后重新登记，还是这一台"));
    Ok(())
}

#[test]
fn an_id_or_an_issuer_that_is_somebodys_is_not_given_to_a_second_one() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let ours = authority_of(&server)?;
    let there = Device::enrol(&server, 1)?;
    let (id, issuer) = (there.enrolled.terminal.as_str(), there.enrolled.issuer.get());
    let code = server.enrol_code(STATION)?;
    let taken = Forgotten::of(&ours, 7, id, 77)?;
    refused(&taken.comes_back(&server, &code)?, 409, "terminal-id-taken", "another device's id")?;
    assert_eq!(unused(&server)?, 1);
    // It is admitted, since what it has must arrive; its next numbers are nobody else's.
    let back: EnrolResponse = Forgotten::of(&ours, 7, "T-77", issuer)?.comes_back(&server, &code)?.json()?;
    ensure!(back.terminal.as_str() == "T-77" && back.issuer.get() != issuer, "{:?}", back.issuer);
    assert_eq!(back.last_counter.counter, 0);
    // The centre's own issuers are for nobody.
    let code = server.enrol_code(STATION)?;
    let back: EnrolResponse = Forgotten::of(&ours, 8, "T-78", 950)?.comes_back(&server, &code)?.json()?;
    ensure!((50..900).contains(&back.issuer.get()), "{:?}", back.issuer);
    // An id far behind does not lead others behind it: somebody may have those.
    let next = Device::enrol(&server, 2)?;
    ensure!(!["T-77", "T-78", id].contains(&next.enrolled.terminal.as_str()));
    Ok(())
}

#[test]
fn what_is_a_terminal_already_does_not_become_another_one() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let there = Device::enrol(&server, 1)?;
    let code = server.enrol_code(STATION)?;
    let named = |id: &str| -> Result<_> { Ok((Some(id.parse()?), None)) };
    // Forgotten, and with nothing to show: it was enrolled without a certificate, or under another authority.
    let forgotten = enrol_as(&server, &code, &key(7), named("T-77")?)?;
    refused(&forgotten, 403, "return-not-proven", "it would leave what it has behind")?;
    let taken = enrol_as(&server, &code, &key(7), named(there.enrolled.terminal.as_str())?)?;
    refused(&taken, 403, "return-not-proven", "a stranger in somebody's name")?;
    // Known under another id.
    let other = enrol_as(&server, &code, &there.key, named("T-77")?)?;
    refused(&other, 409, "enrolled-otherwise", "as another one")?;
    // A terminal of before names itself in the document only.
    let ours = authority_of(&server)?;
    let certified = ours.certify(&"T-77".parse()?, &there.key.public(), now_ms())?;
    let said = Returning {
        code: String::new(),
        terminal: "T-77".parse()?,
        station: STATION.parse()?,
        issuer: Issuer::new(77).context("an issuer")?,
        certificate: certified.certificate,
    };
    let before = Forgotten { key: there.key.clone(), said };
    refused(&before.comes_back(&server, &code)?, 409, "enrolled-otherwise", "as another one")?;
    assert_eq!((unused(&server)?, server.number("SELECT COUNT(*) FROM terminal")?), (1, 1));
    let same = enrol_as(&server, &code, &there.key, named(there.enrolled.terminal.as_str())?)?;
    assert_eq!(same.json::<EnrolResponse>()?.terminal, there.enrolled.terminal);
    Ok(())
}

#[test]
fn whose_numbers_are_somebodys_by_now_hears_of_its_new_ones_however_often_answers_are_lost() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let ours = authority_of(&server)?;
    let issuer = Device::enrol(&server, 1)?.enrolled.issuer;
    let forgotten = Forgotten::of(&ours, 7, "T-77", issuer.get())?;
    let first: EnrolResponse = forgotten.comes_back(&server, &server.enrol_code(STATION)?)?.json()?;
    assert_ne!(first.issuer, issuer);
    // It did not hear that, and its code was thrown away.
    let second: EnrolResponse = forgotten.comes_back(&server, &server.enrol_code(STATION)?)?.json()?;
    assert_eq!((&second.terminal, second.issuer), (&first.terminal, first.issuer));
    let told = Forgotten { key: key(7), said: Returning { issuer: first.issuer, ..forgotten.said } };
    refused(&told.comes_back(&server, &server.enrol_code(STATION)?)?, 409, "terminal-known", "it heard")?;
    assert_eq!(server.number("SELECT COUNT(*) FROM terminal")?, 2);
    Ok(())
}

#[test]
fn a_terminal_that_was_taken_out_of_service_does_not_come_back() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let ours = authority_of(&server)?;
    let forgotten = Forgotten::of(&ours, 7, "T-77", 77)?;
    let code = server.enrol_code(STATION)?;
    ensure!(forgotten.comes_back(&server, &code)?.status == 200);
    in_transaction(server.database()?.open()?.as_mut(), |tx| {
        tx.execute("UPDATE terminal SET status = $1", &["blocked".into()])
    })?;
    refused(&forgotten.comes_back(&server, &code)?, 403, "terminal-blocked", "with its own code")?;
    let fresh = server.enrol_code(STATION)?;
    refused(&forgotten.comes_back(&server, &fresh)?, 403, "terminal-blocked", "with a new code")?;
    refused(&enrol_raw(&server, &fresh, &forgotten.key)?, 403, "terminal-blocked", "as a new one")?;
    assert_eq!(unused(&server)?, 1);
    Ok(())
}
