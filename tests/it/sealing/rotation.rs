//! Sealing keys change while a terminal is away with what it sealed: everything opens, nothing is sealed anew, and what
//! waits for a key that is not there waits until it is.
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use domain::case::CaseState;
use domain::envelope::{DataKey, Suite};
use domain::form::Answers;
use domain::ids::{EnvelopeId, KeyId};
use domain::wire::v1::{EnvelopeHeader, SealingKeyList};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::Value;
use sync_server::sealing_ring::path_of;
use terminal::clock::{Clock, SystemClock};
use terminal::store::{NewSubmission, QueuedSlip, Store};
use terminal::sync::http::HttpTransport;
use terminal::sync::tls::Trust;
use terminal::sync::{Engine, Tuning};
use tests::device::{CATALOGUE, Device, ITEM, STATION, courier, enrol_raw, now_ms, wait_for_state};
use tests::server::Server;
use tests::visit;

const PATIENCE: Duration = Duration::from_secs(30);

/// A terminal that is enrolled and has no link before it is given one.
struct Away {
    store: Arc<Mutex<Store>>,
    rng: ChaCha20Rng,
}

impl Away {
    fn enrol(server: &Server, data: &Path) -> Result<Self> {
        visit::enrol(server, data)?;
        let store = Arc::new(Mutex::new(Store::open(data, now_ms())?));
        Ok(Self { store, rng: ChaCha20Rng::seed_from_u64(5) })
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A form is begun now.
    fn begin(&mut self) -> Result<(EnvelopeId, DataKey)> {
        let suite = self.store().sealing_suite()?;
        Ok((EnvelopeId::new(now_ms(), &mut self.rng), DataKey::random(suite, &mut self.rng)))
    }

    fn hand_in(&mut self, (envelope_id, data_key): (EnvelopeId, DataKey)) -> Result<QueuedSlip> {
        let said = courier();
        let answers = Answers::from_map(said.answers);
        let new = NewSubmission {
            envelope_id,
            data_key,
            item: ITEM.parse()?,
            catalogue_version: CATALOGUE,
            person: said.applicant,
            answers: &answers,
            situation: said.situation.as_ref(),
            now_ms: now_ms(),
            boot_ms: 1,
        };
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(store.submit(new, &mut self.rng)?)
    }

    /// Meets the centre until everything is sent and the newest list of keys is here.
    fn meet(&self, server: &Server) -> Result<()> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let trust = Trust::of(&mut self.store(), &clock)?;
        let link = HttpTransport::new(&server.terminals, &trust)?;
        let tuning = Tuning { news_every_ms: 50, beat_every_ms: 100, ..Tuning::default() };
        let mut engine = Engine::new(self.store.clone(), Box::new(link), clock, 1).with_tuning(tuning);
        let newest = newest_number(server)?;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let step = engine.step();
            let waiting = self.store().queue_view()?.waiting;
            if waiting == 0 && self.store().sealing_keys_number()? == newest {
                return Ok(());
            }
            std::thread::park_timeout(Duration::from_millis(step.wait_ms.min(20)));
        }
        bail!("the terminal and the centre never agreed: {:?}", self.store().queue_view()?)
    }
}

fn newest_number(server: &Server) -> Result<u64> {
    let rows = server.rows("SELECT value FROM meta WHERE name = $1", &["sealing_list_number".into()])?;
    Ok(rows.first().context("a number")?.text(0)?.parse()?)
}

fn keys(server: &Server, arguments: &[&str]) -> Result<Value> {
    let output = server.command(&[&["sealing-keys"], arguments, &["--json"]].concat())?;
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Makes a key of a suite and puts it into force.
fn rotate(server: &Server, suite: &str) -> Result<KeyId> {
    let made = keys(server, &["make", "--suite", suite])?;
    let id = made["id"].as_str().context("an id")?.to_owned();
    keys(server, &["use", &id])?;
    Ok(id.parse()?)
}

/// The header of an envelope as the centre has it, and its digest.
fn stored(server: &Server, slip: &QueuedSlip) -> Result<(EnvelopeHeader, String)> {
    let sql = "SELECT header, digest FROM envelope WHERE envelope_id = $1";
    let rows = server.rows(sql, &[slip.envelope_id.to_string().into()])?;
    let row = rows.first().context("an envelope")?;
    Ok((serde_json::from_slice(row.blob(0)?)?, row.text(1)?.to_owned()))
}

/// Waits until the case of a slip is in this state; `watcher` is another terminal of the station.
fn becomes((watcher, server): (&Device, &Server), slip: &QueuedSlip, state: CaseState) -> Result<()> {
    wait_for_state(watcher, server, slip.envelope_id, state).map(|_| ())
}

#[test]
fn keys_change_while_a_terminal_is_away_and_everything_opens() -> Result<()> {
    let server = Server::start()?;
    let data = tempfile::tempdir()?;
    let mut terminal = Away::enrol(&server, data.path())?;
    let watcher = Device::enrol(&server, 7)?;
    let first = terminal.store().identity()?.context("enrolled")?.sealing_key.id;
    let before = [terminal.begin()?, terminal.begin()?, terminal.begin()?];
    let [one, two, open] = before;
    let queued = [terminal.hand_in(one)?, terminal.hand_in(two)?];
    let (second, national) = (rotate(&server, "1")?, rotate(&server, "2")?);
    keys(&server, &["suite", "2"])?;
    terminal.meet(&server)?;
    for slip in &queued {
        becomes((&watcher, &server), slip, CaseState::Submitted)?;
        let (header, digest) = stored(&server, slip)?;
        assert_eq!((header.suite, header.key_id), (Suite::One, first.clone()), "the key of before");
        assert_eq!(digest, slip.digest.to_string(), "the bytes that were sealed then");
    }
    // A form that was open keeps its suite and takes the new key of it; one that begins now is of the new suite.
    let begun = terminal.begin()?;
    let late = [terminal.hand_in(open)?, terminal.hand_in(begun)?];
    terminal.meet(&server)?;
    for (slip, expected) in late.iter().zip([(Suite::One, second), (Suite::Two, national.clone())]) {
        becomes((&watcher, &server), slip, CaseState::Submitted)?;
        let (header, _) = stored(&server, slip)?;
        assert_eq!((header.suite, header.key_id), expected);
    }
    // Away again, with something under a key that is retired meanwhile.
    let begun = terminal.begin()?;
    let held = terminal.hand_in(begun)?;
    let newest = rotate(&server, "2")?;
    terminal.meet(&server)?;
    becomes((&watcher, &server), &held, CaseState::Submitted)?;
    assert_eq!(stored(&server, &held)?.0.key_id, national);
    let listed = keys(&server, &["list"])?;
    let state = |id: &KeyId| {
        let rows = listed["keys"].as_array().into_iter().flatten();
        rows.filter(|k| k["id"] == id.as_str()).map(|k| k["state"].clone()).next_back()
    };
    let states = [first, national, newest].map(|id| state(&id));
    assert_eq!(states, ["retired", "retired", "in-force"].map(|s| Some(s.into())));
    assert_eq!(server.number("SELECT COUNT(*) FROM case_key")?, 5, "each under the key of the year");
    Ok(())
}

#[test]
fn what_is_sealed_to_a_key_that_is_not_there_waits_and_opens_when_it_is_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start_in(folder.path())?;
    server.console()?;
    let data = tempfile::tempdir()?;
    let mut terminal = Away::enrol(&server, data.path())?;
    let watcher = Device::enrol(&server, 7)?;
    let id = rotate(&server, "2")?;
    keys(&server, &["suite", "2"])?;
    terminal.meet(&server)?;
    let file = path_of(&folder.path().join("keys"), &id);
    let safe = data.path().join("safe");
    std::fs::rename(&file, &safe)?;
    let begun = terminal.begin()?;
    let slip = terminal.hand_in(begun)?;
    terminal.meet(&server)?;
    becomes((&watcher, &server), &slip, CaseState::Quarantined)?;
    let said = |server: &Server| -> Result<String> {
        Ok(String::from_utf8_lossy(&server.command(&["doctor"])?.stdout).into_owned())
    };
    let told = said(&server)?;
    assert!(told.contains("1 submissions wait") && told.contains(id.as_str()), "{told}");
    assert!(String::from_utf8_lossy(&server.command(&["sealing-keys", "list"])?.stdout).contains("MISSING"));
    let page = server.page(&format!("/cases/{}", slip.number))?.text();
    assert!(page.contains("用中心没有的密钥封装"), "the console says why");
    let alarms = server.rows("SELECT subject FROM alarm WHERE kind = $1", &["sealing.unknown-key".into()])?;
    assert_eq!(alarms.first().context("an alarm")?.text(0)?, id.as_str());
    // Another start does not change it, and does not repeat it.
    let server = server.restart()?;
    let versions = server.number("SELECT version FROM case_")?;
    assert_eq!((versions, stored(&server, &slip)?.1), (2, slip.digest.to_string()));
    std::fs::rename(&safe, &file)?;
    let server = server.restart()?;
    becomes((&watcher, &server), &slip, CaseState::Submitted)?;
    assert!(said(&server)?.contains("suite 2; in force"));
    Ok(())
}

#[test]
fn a_key_is_destroyed_only_when_nothing_can_come_for_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start_in(folder.path())?;
    let retired = rotate(&server, "2")?;
    let in_force = rotate(&server, "2")?;
    let refused = |arguments: &[&str]| -> Result<String> {
        let output = server.command(&[&["sealing-keys", "destroy"], arguments].concat())?;
        ensure!(!output.status.success(), "{arguments:?} went well");
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert!(refused(&[retired.as_str()])?.contains("90 days"));
    assert!(refused(&[in_force.as_str(), "--early"])?.contains("should be retired"));
    let folder = folder.path().join("keys");
    assert!(path_of(&folder, &retired).exists());
    keys(&server, &["destroy", retired.as_str(), "--early"])?;
    assert!(!path_of(&folder, &retired).exists() && path_of(&folder, &in_force).exists());
    Ok(())
}

#[test]
fn a_key_in_force_whose_file_is_gone_is_told_and_given_to_nobody() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start_in(folder.path())?;
    let data = tempfile::tempdir()?;
    let mut terminal = Away::enrol(&server, data.path())?;
    let id = rotate(&server, "2")?;
    keys(&server, &["suite", "2"])?;
    terminal.meet(&server)?;
    assert_eq!(terminal.store().sealing_suite()?, Suite::Two);
    let offered = |device: &Device| -> Result<Vec<(Suite, KeyId)>> {
        let list = device.enrolled.sealing_keys.as_ref().context("a list")?;
        let list: SealingKeyList = serde_json::from_slice(&list.body.0)?;
        ensure!(list.is_consistent(), "{list:?}");
        Ok(list.keys.into_iter().map(|key| (key.suite, key.id)).collect())
    };
    let file = path_of(&folder.path().join("keys"), &id);
    let safe = data.path().join("safe");
    std::fs::rename(&file, &safe)?;
    // Without a new start already: the next terminal gets the other suite's key only.
    let first = terminal.store().identity()?.context("enrolled")?.sealing_key.id;
    assert_eq!(offered(&Device::enrol(&server, 7)?)?, [(Suite::One, first.clone())]);
    let mut server = server.restart()?;
    server.wait_for_log("restore its file from the key backup at once")?;
    let alarms = "SELECT subject FROM alarm WHERE kind = 'sealing.key-missing'";
    let row = server.rows(alarms, &[])?;
    assert_eq!(row.first().context("an alarm")?.text(0)?, id.as_str());
    terminal.meet(&server)?;
    assert_eq!(terminal.store().sealing_suite()?, Suite::One, "nothing more is sealed to it");
    let begun = terminal.begin()?;
    let slip = terminal.hand_in(begun)?;
    terminal.meet(&server)?;
    assert_eq!(stored(&server, &slip)?.0.key_id, first);
    // The other one's file is gone as well: nobody can be enrolled, and the code stays good.
    let own = folder.path().join("keys/sealing.key");
    let kept = data.path().join("kept");
    std::fs::rename(&own, &kept)?;
    let code = server.enrol_code(STATION)?;
    let refused = Device::enrol_through(8, |key| {
        let answer = enrol_raw(&server, &code, key)?;
        ensure!(answer.status == 503 && answer.problem()? == "sealing-key-missing", "{}", answer.text());
        bail!("refused as it should be")
    });
    ensure!(refused.is_err_and(|e| e.to_string() == "refused as it should be"), "not refused");
    std::fs::rename(&kept, &own)?;
    std::fs::rename(&safe, &file)?;
    assert_eq!(offered(&Device::enrol_with(&server, &code, 8)?)?.len(), 2);
    let server = server.restart()?;
    // The new list comes as soon as the server has looked.
    let end = Instant::now() + PATIENCE;
    while terminal.store().sealing_suite()? != Suite::Two {
        ensure!(Instant::now() < end, "it is back, and nobody hears of it");
        terminal.meet(&server)?;
    }
    Ok(())
}
