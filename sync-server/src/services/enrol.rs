//! Enrolment: a one-time code makes a device a terminal of a station and gives it an issuer of numbers.
//!
//! The code is kept as a digest only. The same device may ask again with its code (its answer got lost) and hears
//! the same; another device hears that the code was used.
mod gap;
mod returning;

pub use gap::leave as leave_gap;

use domain::date::CivilDate;
use domain::enrolment::CODE_SIGNS;
use domain::envelope::{Digest, PublicKey, Suite};
use domain::ids::{CounterState, Issuer, StationId, TerminalId};
use domain::signs;
use domain::wire::v1::{Certified, EnrolRequest, EnrolResponse, ReceiptKey, SealingKeyEntry};
use rand_core::CryptoRng;

use super::terminals::{self, Terminal};
use super::{Context, audit, certificates, receipt, rollout, sealing_keys, terminal_steps};
use crate::error::{ProblemCode, ServiceError};
use crate::store::{StoreError, Tx, Value};

/// How long a code may be used, in milliseconds.
const CODE_VALID_MS: i64 = 24 * 60 * 60 * 1_000;
/// Issuers of further terminals of a station begin here.
const FIRST_FURTHER_ISSUER: u16 = 50;
/// The centre's own channels begin here.
pub const FIRST_CENTRE_ISSUER: u16 = 900;
/// The longest text that names a terminal's software.
const MAX_SOFTWARE_CHARS: usize = 60;

/// A new code, shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolCode {
    /// The code in groups of four.
    pub code: String,
    /// Last moment of its use, milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// For whom a code is made, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct For<'a> {
    /// Where the terminal will stand.
    pub station: &'a StationId,
    /// The terminal whose place it takes, if it takes one.
    pub replaces: Option<&'a TerminalId>,
    /// The account, or `operator` for the command line.
    pub actor: &'a str,
}

/// Makes a code for a station, on the command line.
///
/// # Errors
/// As [`make_code_for`].
pub fn make_code<R: CryptoRng + ?Sized>(
    tx: &mut Tx<'_>,
    now_ms: i64,
    station: &StationId,
    rng: &mut R,
) -> Result<EnrolCode, ServiceError> {
    make_code_for(tx, now_ms, &For { station, replaces: None, actor: "operator" }, rng)
}

/// Makes a code.
///
/// # Errors
/// [`ServiceError`]: `not-found` for a station that the catalogue does not have, `issuers-exhausted` if the centre is
/// full, or the store's.
pub fn make_code_for<R: CryptoRng + ?Sized>(
    tx: &mut Tx<'_>,
    now_ms: i64,
    whom: &For<'_>,
    rng: &mut R,
) -> Result<EnrolCode, ServiceError> {
    let station = whom.station;
    let known = tx.query_int("SELECT COUNT(*) FROM station WHERE id = $1", &[station.as_str().into()])?;
    if known == 0 {
        return Err(ServiceError::refused(ProblemCode::NotFound, format!("no station {station}")));
    }
    // Whoever stands before the terminal with a code must not be the first to hear it.
    free_issuer(tx, station)?;
    let code = random_signs(rng, CODE_SIGNS);
    let expires_at_ms = now_ms + CODE_VALID_MS;
    let digest = code_digest(&code)?.to_string();
    tx.execute(
        "INSERT INTO enrol_code (digest, station, made_at_ms, expires_at_ms, replaces) VALUES ($1, $2, $3, $4, $5)",
        &[
            digest.clone().into(),
            station.as_str().into(),
            now_ms.into(),
            expires_at_ms.into(),
            whom.replaces.map_or(Value::Null, |id| id.as_str().into()),
        ],
    )?;
    let event = audit::Event {
        actor: whom.actor,
        event: "enrol-code.made",
        subject: station.as_str(),
        object_digest: &digest,
    };
    audit::append(tx, now_ms, event)?;
    Ok(EnrolCode { code, expires_at_ms })
}

/// Random signs that nobody misreads, in groups of four; each stands for five random bits.
pub fn random_signs<R: CryptoRng + ?Sized>(rng: &mut R, count: usize) -> String {
    let mut random = vec![0; count];
    rng.fill_bytes(&mut random);
    signs::grouped(&random)
}

/// Enrols a device; one that a restored centre has forgotten comes back as the terminal that it was.
///
/// # Errors
/// [`ServiceError`]: malformed, unknown, expired or used codes, a malformed key or certificate request, a return that is not
/// proven or not needed, no sealing key whose file is there, or the store's. The code is not used then.
pub fn enrol(
    tx: &mut Tx<'_>,
    now_ms: i64,
    context: &Context,
    request: &EnrolRequest,
) -> Result<EnrolResponse, ServiceError> {
    let code = code_digest(&request.code)?;
    let digest = code.to_string();
    check_key(&request.public_key)?;
    if let Some(csr) = &request.csr {
        certificates::check_request(&csr.0, &request.public_key)?;
    }
    let sql = "SELECT station, expires_at_ms, used_by, replaces FROM enrol_code WHERE digest = $1";
    let row = tx.query_first(sql, &[digest.clone().into()])?.ok_or(ProblemCode::EnrolCodeUnknown)?;
    let station: StationId = row.parsed(0)?;
    let known = terminals::with_key(tx, &request.public_key)?;
    let named = request.terminal.as_ref();
    if known.as_ref().zip(named).is_some_and(|(known, named)| known.id != *named) {
        return Err(ProblemCode::EnrolledOtherwise.into());
    }
    let terminal = match (row.text_or_null(2)?, known) {
        (Some(used_by), Some(t)) if used_by == t.id.as_str() => t,
        (Some(_), _) => return Err(ProblemCode::EnrolCodeUsed.into()),
        (None, _) if now_ms > row.int(1)? => return Err(ProblemCode::EnrolCodeExpired.into()),
        (None, Some(t)) if !t.active => return Err(ProblemCode::TerminalBlocked.into()),
        (None, Some(t)) if returning::is_as_it_says(context, request, &code, &t)? => {
            return Err(ProblemCode::TerminalKnown.into());
        }
        (None, Some(t)) if t.station != station => return Err(ProblemCode::KeyEnrolledElsewhere.into()),
        (None, Some(t)) => {
            use_code(tx, now_ms, &digest, &t)?;
            t
        }
        (None, None) => {
            let (terminal, step) = match &request.returning {
                // What it has belongs to the terminal that it is: as another it could never send it.
                None if named.is_some() => return Err(ProblemCode::ReturnNotProven.into()),
                None => (add_terminal(tx, now_ms, station, request)?, "enrolled"),
                Some(document) => {
                    let said = returning::proven(context, (request, document), &code);
                    let said = said.ok_or(ProblemCode::ReturnNotProven)?;
                    let returned = returning::take_back(tx, now_ms, said, (&station, request))?;
                    (returned, "returned")
                }
            };
            use_code(tx, now_ms, &digest, &terminal)?;
            let replaces = row.text_or_null(3)?.unwrap_or_default();
            terminal_steps::note(tx, now_ms, (terminal.id.as_str(), step), (&terminal.id, replaces))?;
            terminal
        }
    };
    if !terminal.active {
        return Err(ProblemCode::TerminalBlocked.into());
    }
    let last_counter = last_counter(tx, terminal.issuer, CivilDate::in_china(now_ms))?;
    let order = rollout::order_for(tx, &terminal.id, (0, now_ms))?;
    let order = order.map(|order| receipt::sign_order(&order, &context.keys)).transpose()?;
    let certified = match &request.csr {
        Some(_) => Some(certificates::issue(tx, now_ms, context, &terminal)?),
        None => None,
    };
    let answer = response(context, now_ms, (terminal, certified), last_counter);
    let ring = &context.keys.sealing;
    let list = sealing_keys::list_after(tx, now_ms, 0, ring)?;
    let offered = list.as_ref().and_then(|list| list.of_suite(Suite::One)).cloned();
    // The first key opens on when it is retired. A terminal that has nothing to seal to waits; its code stays good.
    let first = Some(answer.sealing_key).filter(|key| ring.is_kept(&key.id));
    let sealing_key = offered.or(first).ok_or(ProblemCode::SealingKeyMissing)?;
    let sealing_keys = list.map(|list| receipt::sign_sealing_keys(&list, &context.keys)).transpose()?;
    Ok(EnrolResponse { order, sealing_key, sealing_keys, ..answer })
}

/// The last number that an issuer is known to have used.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn last_counter(tx: &mut Tx<'_>, issuer: Issuer, today: CivilDate) -> Result<CounterState, StoreError> {
    let sql = "SELECT date, counter FROM issuer_counter WHERE issuer = $1";
    match tx.query_first(sql, &[i64::from(issuer.get()).into()])? {
        Some(row) => {
            let counter = u16::try_from(row.int(1)?).map_err(|_| StoreError::Stored { what: "counter" })?;
            Ok(CounterState { date: row.parsed(0)?, counter })
        }
        None => Ok(CounterState { date: today, counter: 0 }),
    }
}

/// Lets no code that was given out be used any more: in a restored store some may look unused that were used since.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn void_codes(tx: &mut Tx<'_>, now_ms: i64) -> Result<u64, StoreError> {
    let sql = "UPDATE enrol_code SET expires_at_ms = $1 WHERE used_at_ms IS NULL AND expires_at_ms > $1";
    tx.execute(sql, &[now_ms.into()])
}

/// Notes that an issuer has used a number; an earlier one changes nothing.
///
/// # Errors
/// [`StoreError`] if the store fails.
pub fn note_counter(tx: &mut Tx<'_>, issuer: Issuer, used: CounterState) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO issuer_counter (issuer, date, counter) VALUES ($1, $2, $3)
         ON CONFLICT (issuer) DO UPDATE SET date = $2, counter = $3
         WHERE issuer_counter.date < $2 OR (issuer_counter.date = $2 AND issuer_counter.counter < $3)",
        &[i64::from(issuer.get()).into(), used.date.to_string().into(), i64::from(used.counter).into()],
    )?;
    Ok(())
}

fn code_digest(code: &str) -> Result<Digest, ServiceError> {
    let signs = if code.len() > 60 { None } else { signs::read(code, CODE_SIGNS) };
    let signs = signs.filter(|s| s.len() == CODE_SIGNS).ok_or(ProblemCode::EnrolCodeMalformed)?;
    Ok(Digest::of(&[b"jinban/enrol-code/1", signs.as_slice()].concat()))
}

fn check_key(key: &PublicKey) -> Result<(), ServiceError> {
    let bytes: [u8; 32] = key.0.0.as_slice().try_into().map_err(|_| ProblemCode::PublicKeyMalformed)?;
    let point =
        ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| ProblemCode::PublicKeyMalformed)?;
    if point.is_weak() { Err(ProblemCode::PublicKeyMalformed.into()) } else { Ok(()) }
}

fn add_terminal(
    tx: &mut Tx<'_>,
    now_ms: i64,
    station: StationId,
    request: &EnrolRequest,
) -> Result<Terminal, ServiceError> {
    let issuer = free_issuer(tx, &station)?;
    let id = gap::next_id(tx)?;
    let terminal = Terminal { id, station, public_key: request.public_key.clone(), issuer, active: true };
    insert(tx, now_ms, &terminal, &request.software)?;
    let key = terminal.public_key.key_id();
    let event = audit::Event {
        actor: terminal.id.as_str(),
        event: "terminal.enrolled",
        subject: terminal.station.as_str(),
        object_digest: key.as_str(),
    };
    audit::append(tx, now_ms, event)?;
    Ok(terminal)
}

fn insert(tx: &mut Tx<'_>, now_ms: i64, terminal: &Terminal, software: &str) -> Result<(), StoreError> {
    let software: String = software.chars().filter(|c| !c.is_control()).take(MAX_SOFTWARE_CHARS).collect();
    tx.execute(
        "INSERT INTO terminal (id, station, public_key, issuer, status, software, enrolled_at_ms)
         VALUES ($1, $2, $3, $4, 'active', $5, $6)",
        &[
            terminal.id.as_str().into(),
            terminal.station.as_str().into(),
            terminal.public_key.0.0.as_slice().into(),
            i64::from(terminal.issuer.get()).into(),
            software.into(),
            now_ms.into(),
        ],
    )?;
    Ok(())
}

/// The station's own number for its first terminal; further ones get the lowest free number from 050 that is not a
/// station's, after a restore from behind its gap. A number belongs to its terminal for ever, so that a centre enrols 899
/// at most.
fn free_issuer(tx: &mut Tx<'_>, station: &StationId) -> Result<Issuer, ServiceError> {
    let own = tx.query_int("SELECT number FROM station WHERE id = $1", &[station.as_str().into()])?;
    let taken = tx.query(
        "SELECT issuer FROM terminal UNION SELECT number FROM station WHERE id <> $1 ORDER BY 1 LIMIT 2000",
        &[station.as_str().into()],
    )?;
    let taken: Vec<i64> = taken.iter().map(|r| r.int(0)).collect::<Result<_, _>>()?;
    gap::issuers(tx, own)?
        .into_iter()
        .find(|n| !taken.contains(n))
        .and_then(|n| Issuer::new(u16::try_from(n).ok()?))
        .ok_or_else(|| ProblemCode::IssuersExhausted.into())
}

fn use_code(tx: &mut Tx<'_>, now_ms: i64, digest: &str, terminal: &Terminal) -> Result<(), StoreError> {
    let used = tx.execute(
        "UPDATE enrol_code SET used_at_ms = $2, used_by = $3 WHERE digest = $1 AND used_at_ms IS NULL",
        &[digest.into(), now_ms.into(), Value::from(terminal.id.as_str())],
    )?;
    if used == 1 { Ok(()) } else { Err(StoreError::Stored { what: "enrolment code" }) }
}

fn response(
    context: &Context,
    now_ms: i64,
    (terminal, certified): (Terminal, Option<Certified>),
    last_counter: CounterState,
) -> EnrolResponse {
    let receipt = context.keys.receipt.public();
    let sealing = context.keys.sealing.first().public();
    EnrolResponse {
        terminal: terminal.id,
        station: terminal.station,
        issuer: terminal.issuer,
        last_counter,
        receipt_keys: vec![ReceiptKey { id: receipt.key_id(), key: receipt }],
        sealing_key: SealingKeyEntry { id: sealing.key_id(), suite: Suite::One, key: sealing },
        people_url: context.people_url.clone(),
        certified,
        order: None,
        sealing_keys: None,
        contact: context.contact(now_ms),
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::store::fresh_in_memory;

    #[test]
    fn a_full_centre_says_so_when_a_code_is_asked_for() {
        let mut db = fresh_in_memory().expect("fresh");
        let mut tx = Tx::new(&mut db);
        let sql = "INSERT INTO station (id, number, name, district, catalogue_version) VALUES ('S-1', 1, '', '', 1)";
        tx.execute(sql, &[]).expect("a station");
        let add = "INSERT INTO terminal (id, station, public_key, issuer, status, software, enrolled_at_ms)
                   VALUES ($1, 'S-1', $2, $3, 'blocked', '', 0)";
        let station: StationId = "S-1".parse().expect("a station");
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut code = |tx: &mut Tx<'_>| make_code(tx, 0, &station, &mut rng).map(|_| ());
        for n in (1..FIRST_CENTRE_ISSUER).filter(|n| *n == 1 || *n >= FIRST_FURTHER_ISSUER) {
            code(&mut tx).expect("room is left");
            let key = n.to_be_bytes().to_vec();
            tx.execute(add, &[format!("T-{n}").into(), key.into(), i64::from(n).into()]).expect("a terminal");
        }
        let full = code(&mut tx).expect_err("full");
        assert_eq!(full.to_problem(None).code, "issuers-exhausted");
        let said = crate::words::english("problem.issuers-exhausted.what");
        assert!(said.contains("899") && said.contains("out of service"), "{said}");
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let digest = |s: &str| code_digest(s).map_err(|_| ());
        assert_eq!(digest("0123-456a-bc1x"), digest(" o i23 456A BCLX "));
        for bad in
            ["", "0123", "0123-4567-89AB-C", "0123-4567-89AU", "０１２３４５６７８９AB", &"-".repeat(99)]
        {
            assert!(digest(bad).is_err(), "{bad}");
        }
    }
}
