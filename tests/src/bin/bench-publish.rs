//! `publish`: from publishing a version to the last terminal that runs it, waiting without news, and activation.
//!
//! The server is the real process; terminals are headless ones with their real workers in this process, so the figures
//! of 49 include the work of 49 machines on this one. Publishing is what `catalogue publish` does, without its start.
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::catalogue::{AllTerminals, Catalogue, CatalogueDocument, Ring, RingSize};
use domain::ids::StationId;
use publishing::bundle::Bundle;
use publishing::repository::TARGETS_MS;
use sync_server::services::catalogue as centre;
use sync_server::services::enrol;
use sync_server::services::rollout::{self, Begin};
use sync_server::startup::load_catalogue;
use sync_server::store::{Database, in_transaction};
use terminal::headless::HeadlessTerminal;
use terminal::model::NewCatalogue;
use terminal::runtime::Outside;
use terminal::store::Store;
use terminal::sync::catalogue_client::{CatalogueClient as _, Staging, TufClient};
use terminal::sync::http::HttpTransport;
use terminal::sync::tls::Trust;
use tests::bench::enlarged::enlarged;
use tests::bench::process::{Program, beside, pause, tied};
use tests::bench::row::Row;
use tests::bench::stats::median;
use tests::bench::usage::cpu_ms;
use tests::binaries::repository;
use tests::device::{Device, now_ms};
use tests::http;
use tests::signed::{Mirror, Publisher};
use tests::visit;

/// Terminals of the city.
const ALL: usize = 49;
/// Longest wait for a version.
const PATIENCE: Duration = Duration::from_secs(60);
/// After a start, until all terminals wait at the centre.
const SETTLE: Duration = Duration::from_secs(3);

fn main() -> Result<()> {
    let rounds = if std::env::args().any(|a| a == "--quick") { 1 } else { 5 };
    let sample = load_catalogue(&repository().join("assets/catalogue"))?;
    activation(&sample, 95, rounds)?;
    activation(&enlarged(sample.clone(), 3_000)?, 3_000, rounds)?;
    applied(&sample, 1, rounds)?;
    applied(&sample, ALL, rounds)?;
    downloads(&enlarged(sample.clone(), 1_000)?, rounds)?;
    without_news(&sample, rounds)
}

/// The real server with a key ceremony of its own.
struct City {
    folder: tempfile::TempDir,
    server: Program,
    url: String,
    publisher: Publisher,
    sample: Catalogue,
}

impl City {
    fn new(sample: &Catalogue) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("server");
        let ready = folder.path().join("ready");
        let mut command = tied(&beside("sync-server")?);
        command.args(["serve", "--terminals-tls=false", "--terminals", "127.0.0.1:0"]);
        command.args(["--people", "127.0.0.1:0", "--metrics", "off"]);
        command.arg("--data").arg(&data).arg("--ready-file").arg(&ready).current_dir(repository());
        let mut server = Program::start("sync-server", command, &folder.path().join("log"))?;
        let answer: serde_json::Value = server.wait_for("its ready file", || {
            Ok(std::fs::read(&ready).ok().and_then(|text| serde_json::from_slice(&text).ok()))
        })?;
        let url = answer["terminals"].as_str().context("an address")?.to_owned();
        let publisher = Publisher::new(&data.join("tuf"), 1, now_ms())?;
        let city = Self { folder, server, url, publisher, sample: sample.clone() };
        city.publish(10)?;
        Ok(city)
    }

    fn store(&self) -> Result<Database> {
        Ok(Database::Sqlite(self.folder.path().join("server/server.db")))
    }

    /// Stores, lists and begins at once for all, as the command does.
    fn publish(&self, version: u64) -> Result<()> {
        let mut catalogue = self.sample.clone();
        catalogue.version = version;
        let (now_ms, mut store) = (now_ms(), self.store()?.open()?);
        in_transaction(store.as_mut(), |tx| centre::publish(tx, now_ms, &catalogue))?;
        let view = self.publisher.repository.view()?;
        let documents = [catalogue.to_document()];
        let targets = &self.publisher.targets;
        let bundle =
            Bundle::sign(&view.root, view.targets.as_ref(), &documents, targets, now_ms + TARGETS_MS)?;
        self.publisher.repository.publish(&bundle, &self.publisher.online, now_ms)?;
        let ring = Ring {
            id: "all".to_owned(),
            size: RingSize::All(AllTerminals::All),
            success_percent: 100,
            failure_percent: 10,
            deadline_minutes: 30,
            watch_minutes: 0,
        };
        let begin =
            Begin { version, way_back: None, rings: vec![ring], back_by_itself: false, pilots: Vec::new() };
        in_transaction(store.as_mut(), |tx| rollout::begin(tx, now_ms, "operator", &begin))?;
        Ok(())
    }

    fn code(&self, station: &StationId) -> Result<String> {
        let mut store = self.store()?.open()?;
        let mut rng = sync_server::startup::random()?;
        Ok(in_transaction(store.as_mut(), |tx| enrol::make_code(tx, now_ms(), station, &mut rng))?.code)
    }

    fn terminals(&self, count: usize) -> Result<Vec<HeadlessTerminal>> {
        let stations: Vec<&StationId> = self.sample.stations.keys().collect();
        let start = |n: usize| {
            let data = self.folder.path().join(format!("terminal-{n}"));
            let mut store = Store::open(&data, now_ms())?;
            let mut transport = HttpTransport::new(&self.url, &Trust::Nobody)?;
            let station = stations.get(n % stations.len()).context("a station")?;
            terminal::sync::enrol(&mut store, &mut transport, &self.code(station)?)?;
            drop(store);
            Ok(HeadlessTerminal::start_with(&visit::config(&data, &self.url), Outside::default()))
        };
        (0..count).map(start).collect()
    }
}

/// From publishing to the last of so many terminals.
fn applied(sample: &Catalogue, count: usize, rounds: usize) -> Result<()> {
    let city = City::new(sample)?;
    let mut terminals = city.terminals(count)?;
    wait_for(&mut terminals, 10)?;
    let mut seconds = Vec::new();
    for round in 0..rounds {
        pause(SETTLE);
        let version = 11 + round as u64;
        let began = Instant::now();
        city.publish(version)?;
        wait_for(&mut terminals, version)?;
        seconds.push(began.elapsed().as_secs_f64());
        wait_until_over(&city, version)?;
    }
    Row::alone(&format!("publish.applied_{count}"), median(&seconds), "s").tell()
}

fn wait_for(terminals: &mut [HeadlessTerminal], version: u64) -> Result<()> {
    for (n, terminal) in terminals.iter_mut().enumerate() {
        let came = terminal.wait_until(PATIENCE, |m| m.catalogue.version == version);
        ensure!(came, "terminal {n} runs {} and not {version}", terminal.model().catalogue.version);
    }
    Ok(())
}

/// All have said that they have it: the next one may begin.
fn wait_until_over(city: &City, version: u64) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    let mut store = city.store()?.open_read_only()?;
    loop {
        let rollout = in_transaction(store.as_mut(), rollout::latest)?.context("a rollout")?;
        if rollout.version == version && !rollout.is_under_way() {
            return Ok(());
        }
        ensure!(Instant::now() < end, "the rollout of {version} does not end");
        pause(Duration::from_millis(50));
    }
}

/// All terminals look, download and verify at once.
fn downloads(catalogue: &Catalogue, rounds: usize) -> Result<()> {
    let city = City::new(catalogue)?;
    let root = terminal::store::CatalogueTrust::in_root(city.publisher.first_root()?);
    let mut seconds = Vec::new();
    for round in 0..rounds {
        let folders: Vec<PathBuf> =
            (0..ALL).map(|n| city.folder.path().join(format!("look-{round}-{n}"))).collect();
        let began = Instant::now();
        std::thread::scope(|scope| {
            let all: Vec<_> =
                folders.iter().map(|folder| scope.spawn(|| download(&city.url, &root, folder))).collect();
            all.into_iter().try_for_each(|t| t.join().map_err(|_| anyhow::anyhow!("a download broke off"))?)
        })?;
        seconds.push(began.elapsed().as_secs_f64());
    }
    Row::alone("publish.download_49_of_1000_items", median(&seconds), "s").tell()
}

fn download(url: &str, root: &terminal::store::CatalogueTrust, folder: &Path) -> Result<()> {
    let mut client = TufClient::new(Box::new(HttpTransport::new(url, &Trust::Nobody)?), folder.join("look"))?;
    let published = client.look(root, None)?;
    let offer = published.offers.last().context("an offer")?;
    Ok(client.fetch(offer, &Staging::new(folder.join("staging")))?)
}

/// One question of each terminal, and no news: requests, and the server's time for all of them.
fn without_news(sample: &Catalogue, rounds: usize) -> Result<()> {
    let city = City::new(sample)?;
    let stations: Vec<&StationId> = sample.stations.keys().collect();
    let devices = (0..ALL).map(|n| {
        let code = city.code(stations[n % stations.len()])?;
        Device::enrol_through(n as u64, |key| {
            let request = domain::wire::v1::EnrolRequest {
                code,
                public_key: key.public(),
                software: "bench".into(),
                csr: None,
                terminal: None,
                returning: None,
            };
            let body = serde_json::to_vec(&request)?;
            http::post(&city.url, "/api/v1/enrol", &[tests::device::JSON], &body)?.json()
        })
    });
    let devices = devices.collect::<Result<Vec<_>>>()?;
    let asked = |device: &Device| {
        let path = "/api/v1/changes?after=1000000&wait=0&order=9000000000000000";
        let answer = device.signed_get_at(&city.url, path)?;
        ensure!(answer.status == 200, "{}", answer.status);
        anyhow::Ok(())
    };
    devices.iter().try_for_each(asked)?;
    // A tick of the processor's clock is 10 ms: twenty turns are one figure.
    let turns = 20;
    let mut spent = Vec::new();
    for _ in 0..rounds {
        let before = cpu_ms(city.server.pid())?;
        for _ in 0..turns {
            devices.iter().try_for_each(asked)?;
        }
        spent.push((cpu_ms(city.server.pid())? - before) / f64::from(turns));
    }
    #[allow(clippy::cast_precision_loss)] // 49
    Row::alone("publish.no_news_requests_49", devices.len() as f64, "").tell()?;
    Row::alone("publish.no_news_server_49", median(&spent), "ms").tell()
}

/// What a terminal does with a version that came: verify, read, check, store, prepare the search.
fn activation(catalogue: &Catalogue, items: usize, rounds: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let publisher = Publisher::new(&folder.path().join("tuf"), 1, now_ms())?;
    let mut milliseconds = Vec::new();
    for round in 0..rounds {
        let document = renumbered(catalogue, 10 + round as u64);
        let view = publisher.repository.view()?;
        let ends_ms = now_ms() + TARGETS_MS;
        let bundle =
            Bundle::sign(&view.root, view.targets.as_ref(), &[document], &publisher.targets, ends_ms)?;
        publisher.repository.publish(&bundle, &publisher.online, now_ms())?;
        let mirror = Mirror::of(&publisher)?;
        let mut client = TufClient::new(Box::new(mirror), folder.path().join("look"))?;
        let root = terminal::store::CatalogueTrust::in_root(publisher.first_root()?);
        let published = client.look(&root, None)?;
        let offer = published.offers.last().context("an offer")?;
        let staging = Staging::new(folder.path().join(format!("staging-{round}")));
        client.fetch(offer, &staging)?;
        let store = Mutex::new(Store::open(&folder.path().join("terminal"), now_ms())?);
        let began = Instant::now();
        let (catalogue, document) = staging.read(offer)?;
        store.lock().map_err(|_| anyhow::anyhow!("a lock"))?.activate_catalogue(&document, now_ms())?;
        let has = catalogue.items.len();
        let new = NewCatalogue::new(Arc::new(catalogue));
        milliseconds.push(began.elapsed().as_secs_f64() * 1e3);
        ensure!(has >= items, "{new:?} has {has} items");
    }
    Row::alone(&format!("publish.activation_{items}"), median(&milliseconds), "ms").tell()
}

fn renumbered(catalogue: &Catalogue, version: u64) -> CatalogueDocument {
    let mut catalogue = catalogue.clone();
    catalogue.version = version;
    catalogue.to_document()
}
