//! A centre without listeners on one database: cases with plans, people who click, a clock that only the story moves.
use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow, ensure};
use domain::bundle::StepKind;
use domain::case::{Action, CaseView, FailPolicy, Plan, PlannedStep, Recorded, StepState};
use domain::catalogue::Catalogue;
use domain::date::CivilDate;
use domain::envelope::{DataKey, Nonce};
use domain::ids::{CaseNo, CounterState, EnvelopeId, Issuer, ItemCode};
use domain::wire::v1::Submission;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng as _};
use sync_server::auth::names::AccountId;
use sync_server::auth::role::{Role, Roles};
use sync_server::auth::token::Token;
use sync_server::error::{ProblemCode, ServiceError};
use sync_server::keys::Keys;
use sync_server::refold_command::verify;
use sync_server::services::cases::{self, BY_CENTRE, CaseRow, NewCase};
use sync_server::services::catalogue::{Shelf, newest_version, publish};
use sync_server::services::clockwork::{self, Happened, Stretch};
use sync_server::services::review::{self, Click, Deed};
use sync_server::services::sessions::Caller;
use sync_server::services::{Context, case_key, case_text, meta, time_left};
use sync_server::startup::load_catalogue;
use sync_server::store::{Driver, Tx, in_transaction, migrate};
use tests::binaries::repository;
use tests::device::courier_at;

use super::content::Content;

/// Tuesday, 24 November 2026, 10:00 in China.
pub const TUESDAY_MS: i64 = 1_795_485_600_000;
pub const MINUTE_MS: i64 = 60_000;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// An item that is promised for five working days.
pub const FIVE_DAYS: &str = "dpf.card-replace";

/// The sample catalogue.
pub fn sample() -> Result<Catalogue> {
    Ok(load_catalogue(&repository().join("assets/catalogue"))?)
}

/// A step of a plan, done by the unit of its name.
pub fn step(id: &str, kind: StepKind, depends: &[&str]) -> PlannedStep {
    PlannedStep {
        depends: depends.iter().map(|d| (*d).to_owned()).collect(),
        ..PlannedStep::new(id, id.parse().expect("a unit"), kind)
    }
}

/// A desk, then two units side by side.
pub fn parallel() -> Result<Plan> {
    Ok(Plan::new(vec![
        step("desk", StepKind::Accept, &[]),
        step("a", StepKind::Review, &["desk"]),
        step("b", StepKind::Review, &["desk"]),
    ])?)
}

/// One unit, one step.
pub fn single() -> Result<Plan> {
    Ok(Plan::new(vec![PlannedStep { fail: FailPolicy::All, ..step("a", StepKind::Review, &[]) }])?)
}

/// Somebody with an account.
pub fn person(place: u64, unit: &str, roles: &[Role]) -> Caller {
    Caller {
        account: AccountId::at(place),
        display: "样例员".into(),
        unit: unit.parse().ok(),
        roles: Roles::of(roles),
        must_change: false,
        session: Token::new(&mut ChaCha20Rng::seed_from_u64(place)).key(),
        seen_at_ms: 0,
    }
}

/// The code of a refusal.
pub fn code<T>(outcome: Result<T, ServiceError>) -> Option<ProblemCode> {
    match outcome {
        Err(ServiceError::Refused { code, .. }) => Some(code),
        _ => None,
    }
}

/// The centre.
pub struct Stage<'d> {
    pub driver: &'d mut dyn Driver,
    pub context: Context,
    pub now_ms: i64,
    rng: ChaCha20Rng,
    number: CounterState,
    clicks: u32,
}

impl<'d> Stage<'d> {
    /// On an empty store.
    pub fn begin(driver: &'d mut dyn Driver, now_ms: i64) -> Result<Self> {
        migrate(driver, now_ms)?;
        let catalogue = sample()?;
        in_transaction(driver, |tx| publish(tx, now_ms, &catalogue))?;
        Self::on(driver, now_ms)
    }

    /// On a store that has a catalogue.
    pub fn on(driver: &'d mut dyn Driver, now_ms: i64) -> Result<Self> {
        let mut rng = ChaCha20Rng::seed_from_u64(31);
        let keys = Keys::in_memory(&mut rng)?;
        let epoch = in_transaction(driver, |tx| meta::epoch(tx, &mut rng))?;
        let context = Context {
            keys,
            epoch,
            people_url: "http://127.0.0.1:1".into(),
            shelf: Shelf::default(),
            durable: Default::default(),
        };
        let number = CounterState { date: CivilDate::in_china(now_ms), counter: 0 };
        Ok(Self { driver, context, now_ms, rng, number, clicks: 0 })
    }

    pub fn in_tx<T>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>, &Context, i64) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        let (context, now_ms) = (&self.context, self.now_ms);
        in_transaction(&mut *self.driver, |tx| work(tx, context, now_ms))
    }

    /// As [`Stage::in_tx`], for what needs randomness.
    pub fn in_tx_with_rng<T>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>, &Context, (i64, &mut dyn CryptoRng)) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        let Self { driver, context, now_ms, rng, .. } = self;
        in_transaction(&mut **driver, |tx| work(tx, context, (*now_ms, rng)))
    }

    /// A case that was handed in and opened, with its key.
    pub fn case(&mut self, item: &str, plan: Plan) -> Result<EnvelopeId> {
        self.case_of((item, 0), plan)
    }

    /// As [`Stage::case`], of a catalogue version; 0 for the newest.
    pub fn case_of(&mut self, entry: (&str, u64), plan: Plan) -> Result<EnvelopeId> {
        let submission = courier_at(self.now_ms);
        self.case_with(entry, plan, &submission)
    }

    /// As [`Stage::case_of`], with what was handed in.
    pub fn case_with(
        &mut self,
        (item, version): (&str, u64),
        plan: Plan,
        submission: &Submission,
    ) -> Result<EnvelopeId> {
        let (now_ms, rng) = (self.now_ms, &mut self.rng);
        let id = EnvelopeId::new(now_ms, rng);
        self.number = self.number.next(self.number.date)?;
        let number = CaseNo::issue(Issuer::new(990).context("an issuer")?, self.number);
        let item: ItemCode = item.parse().map_err(|_| anyhow!("a code"))?;
        let year = self.context.keys.of_year(CivilDate::in_china(now_ms).parts().0, rng)?;
        let nonce = Nonce::new(rng);
        let key = DataKey::new(rng);
        let wrapped = year.key.encrypt(nonce, &key.pack(), id.as_bytes());
        let wrapped = wrapped.map_err(|_| anyhow!("wrapped"))?;
        let content = Content::seal(&self.context, (id, &number, &item), (&key, rng), (now_ms, submission))?;
        let shelf = &self.context.shelf;
        in_transaction(&mut *self.driver, |tx| -> Result<()> {
            let seq = tx.query_int("SELECT COALESCE(MAX(server_seq), 0) + 1 FROM envelope", &[])?;
            let version = if version == 0 { newest_version(tx)? } else { Some(version) };
            let new = NewCase {
                envelope_id: id,
                server_seq: u64::try_from(seq)?,
                number,
                slip_number: None,
                item: Some(&item),
                catalogue_version: version,
                station: &"XN-CCB-CD-01".parse()?,
                terminal: &"T-01".parse()?,
            };
            cases::begin(tx, now_ms, &new)?;
            content.write(tx, (&id, seq), now_ms)?;
            tx.execute(
                "INSERT INTO case_key (envelope_id, key_id, nonce, wrapped) VALUES ($1, $2, $3, $4)",
                &[
                    id.to_string().into(),
                    year.id.as_str().into(),
                    nonce.0.as_slice().into(),
                    wrapped.as_slice().into(),
                ],
            )?;
            cases::act(tx, shelf, now_ms, (&id, 1), Action::Submitted { plan })?;
            Ok(())
        })?;
        Ok(id)
    }

    /// The key of a case.
    pub fn key(&mut self, id: &EnvelopeId) -> Result<DataKey, ServiceError> {
        self.in_tx(|tx, context, _| case_key::find(tx, id)?.open(&context.keys))
    }

    pub fn current(&mut self, id: &EnvelopeId) -> Result<(CaseRow, CaseView), ServiceError> {
        self.in_tx(|tx, _, _| cases::current(tx, id))
    }

    pub fn view(&mut self, id: &EnvelopeId) -> Result<CaseView, ServiceError> {
        Ok(self.current(id)?.1)
    }

    pub fn state(&mut self, id: &EnvelopeId, step: &str) -> Result<StepState> {
        Ok(self.view(id)?.step(step).context("a step")?.state)
    }

    pub fn history(&mut self, id: &EnvelopeId) -> Result<Vec<Recorded>> {
        Ok(self.in_tx(|tx, _, _| Ok(cases::history(tx, id)?))?)
    }

    pub fn names(&mut self, id: &EnvelopeId) -> Result<Vec<&'static str>> {
        Ok(self.history(id)?.iter().map(|recorded| recorded.action.name()).collect())
    }

    /// Something that the centre does by itself.
    pub fn by_centre(&mut self, id: &EnvelopeId, action: Action) -> Result<CaseView, ServiceError> {
        self.in_tx(|tx, context, now_ms| {
            let (row, view) = cases::current(tx, id)?;
            let view = cases::add(tx, &context.shelf, now_ms, (&row, view), (BY_CENTRE, action))?;
            review::follow(tx, context, now_ms, (&row, view))
        })
    }

    /// A click on a page that shows how things stand now.
    pub fn click(&mut self, who: &Caller, id: &EnvelopeId, deed: &Deed) -> Result<CaseView, ServiceError> {
        let text = if deed.needs_text() { "样例理由" } else { "" };
        self.click_with(who, id, (deed, text))
    }

    /// A click with words.
    pub fn click_with(
        &mut self,
        who: &Caller,
        id: &EnvelopeId,
        (deed, text): (&Deed, &str),
    ) -> Result<CaseView, ServiceError> {
        let view = self.view(id)?;
        let seen = deed.step().and_then(|step| view.step(step)).map_or(view.version, |step| step.version);
        self.clicks += 1;
        let name = format!("click-{}", self.clicks);
        self.click_seen((who, id), &Click { name: &name, seen, text }, deed)
    }

    /// A click on a page that may be old, or was clicked before.
    pub fn click_seen(
        &mut self,
        (who, id): (&Caller, &EnvelopeId),
        click: &Click<'_>,
        deed: &Deed,
    ) -> Result<CaseView, ServiceError> {
        let Self { driver, context, now_ms, rng, .. } = self;
        in_transaction(&mut **driver, |tx| {
            review::perform(tx, context, (*now_ms, rng), (who, id), (*click, deed))
        })
    }

    /// All texts of a case.
    pub fn texts(&mut self, id: &EnvelopeId) -> Result<BTreeMap<u64, String>, ServiceError> {
        self.in_tx(|tx, context, _| {
            let key = case_key::find(tx, id)?.open(&context.keys)?;
            case_text::all(tx, &key, id)
        })
    }

    /// The clock has its turn until nothing is due; what happened to this case.
    pub fn tick(&mut self, id: &EnvelopeId) -> Result<Vec<Happened>> {
        let mut happened = Vec::new();
        type Part = fn(&mut Tx<'_>, &Context, i64) -> Result<Stretch, ServiceError>;
        for part in [clockwork::follow_catalogue as Part, clockwork::turn as Part] {
            for turns in 0.. {
                ensure!(turns < 1_000, "the clock comes to an end");
                let stretch = self.in_tx(part)?;
                ensure!(stretch.failed.is_empty(), "{:?}", stretch.failed);
                happened.extend(stretch.done.iter().filter(|(of, _)| of == id).map(|(_, what)| *what));
                if !stretch.more {
                    break;
                }
            }
        }
        ensure!(!self.in_tx(|tx, _, now_ms| clockwork::is_due(tx, now_ms))?, "nothing is left");
        Ok(happened)
    }

    /// Rows and tasks are what the actions say, and lists say what the rows say.
    pub fn is_sound(&mut self) -> Result<()> {
        let report = verify(&mut *self.driver, &mut |_| {})?;
        ensure!(report.differences == 0 && report.cases > 0, "{:?}", report.told);
        self.in_tx(|tx, context, now_ms| {
            let follows = !clockwork::is_behind(tx)?;
            for row in tx.query("SELECT envelope_id FROM case_ ORDER BY server_seq", &[])? {
                let (row, view) = cases::current(tx, &row.parsed(0)?)?;
                let running = time_left::of(tx, &context.shelf, (&row, &view), now_ms)?;
                let end_ms = running.map(|running| running.end.at_ms);
                if follows && !row.standing && end_ms != row.due_ms {
                    let told = format!("{}: a list says {end_ms:?}, the row {:?}", row.number, row.due_ms);
                    return Err(ServiceError::Inconsistent(told));
                }
            }
            Ok(())
        })?;
        Ok(())
    }
}
