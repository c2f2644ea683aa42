//! The real sync server of a bench with its enrolled devices, and the floor that stands beside it.
//!
//! Envelopes are sealed and signed before any clock starts. Refuses to touch the server's files: it only looks.
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use domain::wire::v1::{EnrolRequest, EnvelopeBatch};
use rusqlite::{Connection, OpenFlags};
use sync_server::keys::Keys;
use terminal::sync::tls::certificate_request;

use super::client::{self, Client};
use super::process::{Program, beside, tied};
use crate::binaries::repository;
use crate::device::{Device, JSON, STATION, courier};
use crate::http;
use crate::tls::Caller;

/// Bytes of a sealed payload; its tag is the last 16 of them.
pub const PAYLOAD_BYTES: usize = 4_096;
const TAG_BYTES: usize = 16;
/// What the floor listens to and the real server takes envelopes at.
const PATH: &str = "/api/v1/envelopes";

/// A running server.
pub struct Centre {
    /// The process.
    pub program: Program,
    /// Its address for terminals, `https://127.0.0.1:PORT`.
    pub url: String,
    /// Enrolled devices, one for each client.
    pub devices: Vec<Device>,
    /// Its store, to be looked at.
    pub look: Look,
    data: PathBuf,
}

/// A view of the server's store beside the running server.
pub struct Look(PathBuf);

/// How requests travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Plain JSON.
    Plain,
    /// zstd in both directions, as the terminal does.
    Zstd,
    /// As [`Packing::Zstd`], with so many envelopes in a request: a queue that waited for the link.
    Queue(usize),
}

impl Packing {
    /// Envelopes in a request.
    pub fn together(self) -> usize {
        if let Self::Queue(count) = self { count } else { 1 }
    }
}

impl Centre {
    /// Starts the real server in a folder and enrols devices; terminals call it over TLS with their certificates.
    ///
    /// # Errors
    /// If it does not get ready or refuses a device.
    pub fn start(folder: &Path, devices: usize) -> Result<Self> {
        let data = folder.join("server");
        let mut command = tied(&beside("sync-server")?);
        command.args(["serve", "--terminals", "127.0.0.1:0"]);
        command.args(["--people", "127.0.0.1:0", "--data"]).arg(&data);
        // What is measured is what the server can do, not what it is told to let in.
        command.args(["--admitted-per-second", "1000000"]);
        let (program, url) = started("sync-server", command, folder)?;
        let look = Look(data.join("server.db"));
        let mut centre = Self { program, url, devices: Vec::new(), look, data };
        for seed in 0..devices as u64 {
            let device = centre.enrol(seed)?;
            centre.devices.push(device);
        }
        Ok(centre)
    }

    /// A one-time code for a device.
    ///
    /// # Errors
    /// If the server's program refuses.
    pub fn enrol_code(&self) -> Result<String> {
        let mut command = Command::new(beside("sync-server")?);
        command.args(["enrol-code", "--station", STATION, "--json", "--data"]).arg(&self.data);
        let output = command.current_dir(repository()).output()?;
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        Ok(answer["code"].as_str().context("a code")?.to_owned())
    }

    fn enrol(&self, seed: u64) -> Result<Device> {
        let code = self.enrol_code()?;
        Device::enrol_through(seed, |key| {
            let (csr, software) = (Some(certificate_request(key)?), "bench".into());
            let request = EnrolRequest {
                code,
                public_key: key.public(),
                software,
                csr,
                terminal: None,
                returning: None,
            };
            let body = serde_json::to_vec(&request)?;
            let authority = Keys::load_authority(&self.data.join("keys"))?.certificate().to_vec();
            let caller = Caller { authority, shows: None };
            let target = ("POST", "/api/v1/enrol");
            http::call_as(&caller, &self.url, target, &[JSON], Some(&body))?.json()
        })
    }

    /// Seals `count` requests for each of the first `clients` devices.
    ///
    /// # Errors
    /// If one cannot be sealed.
    pub fn seal(&mut self, clients: usize, count: usize, packing: Packing) -> Result<Vec<Client>> {
        let mut plain = serde_json::to_vec(&courier())?;
        ensure!(plain.len() + TAG_BYTES <= PAYLOAD_BYTES, "the sample submission is too large");
        // White space behind a JSON document belongs to it.
        plain.resize(PAYLOAD_BYTES - TAG_BYTES, b' ');
        let (_, host) = self.url.split_once("://").context("an address")?;
        let plain = plain.as_slice();
        std::thread::scope(|scope| {
            let devices = self.devices.iter_mut().take(clients);
            let threads: Vec<_> = devices
                .map(|device| {
                    scope.spawn(move || {
                        let caller = device.caller();
                        let requests = (0..count).map(|_| request(device, host, plain, packing));
                        Ok(Client { caller, requests: requests.collect::<Result<_>>()? })
                    })
                })
                .collect();
            let sealed = threads.into_iter().map(|t| t.join().map_err(|_| anyhow::anyhow!("sealing"))?);
            sealed.collect()
        })
    }
}

impl Look {
    /// Cases that nobody has opened yet, and all cases.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn cases(&self) -> Result<(u64, u64)> {
        let sql = "SELECT COALESCE(SUM(state = 'received'), 0), COUNT(*) FROM case_";
        let counts = self.open()?.query_row(sql, [], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?)))?;
        Ok((u64::try_from(counts.0)?, u64::try_from(counts.1)?))
    }

    /// Bytes of the store's pages.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn store_bytes(&self) -> Result<f64> {
        let look = self.open()?;
        let pragma = |name: &str| look.pragma_query_value(None, name, |r| r.get::<_, f64>(0));
        Ok(pragma("page_count")? * pragma("page_size")?)
    }

    fn open(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        Ok(Connection::open_with_flags(&self.0, flags)?)
    }
}

/// Starts the floor in a folder; gives it and its address.
///
/// # Errors
/// If it does not get ready.
pub fn floor(folder: &Path) -> Result<(Program, String)> {
    let mut command = tied(&beside("floor-ingest")?);
    command.arg(folder.join("floor.db"));
    started("floor-ingest", command, folder)
}

/// What says that the real server took an envelope for the first time. A compressed answer is not looked into:
/// whoever counts the cases afterwards sees the same.
pub fn taken(packing: Packing) -> fn(u16, &[u8]) -> bool {
    const WORD: &[u8] = b"\"outcome\":\"accepted\"";
    match packing {
        Packing::Plain => |status, body| status == 200 && body.windows(WORD.len()).any(|w| w == WORD),
        Packing::Zstd | Packing::Queue(_) => |status, _| status == 200,
    }
}

/// Whether the floor committed a row.
pub fn created(status: u16, _: &[u8]) -> bool {
    status == 201
}

fn started(name: &str, mut command: Command, folder: &Path) -> Result<(Program, String)> {
    let ready = folder.join(format!("{name}.ready"));
    command.arg("--ready-file").arg(&ready).current_dir(repository());
    let mut program = Program::start(name, command, &folder.join(format!("{name}.log")))?;
    let answer: serde_json::Value = program.wait_for("its ready file", || {
        Ok(std::fs::read(&ready).ok().and_then(|text| serde_json::from_slice(&text).ok()))
    })?;
    Ok((program, answer["terminals"].as_str().context("an address")?.to_owned()))
}

fn request(device: &mut Device, host: &str, plain: &[u8], packing: Packing) -> Result<Vec<u8>> {
    let envelopes = (0..packing.together()).map(|_| device.seal_with(plain, |_| {}));
    let batch = EnvelopeBatch { envelopes: envelopes.collect::<Result<_>>()? };
    let body = serde_json::to_vec(&batch)?;
    Ok(match packing {
        Packing::Plain => client::post(host, PATH, &[JSON], &body),
        Packing::Zstd | Packing::Queue(_) => {
            let headers = [JSON, ("content-encoding", "zstd"), ("accept-encoding", "zstd")];
            client::post(host, PATH, &headers, &zstd::encode_all(body.as_slice(), 3)?)
        }
    })
}
