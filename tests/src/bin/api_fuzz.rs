//! Schema-driven fuzzing of the real server: `api_fuzz SCHEMATHESIS` starts one on free ports, gives it a terminal
//! and cases, and lets schemathesis loose on it by its own description, once signed as that terminal and once not.
//!
//! Which checks run, and why a few do not, stands in `tests/schemathesis.toml`. The seed is fixed, so that a red run
//! is red again. Refuses to end green if schemathesis did, but the server is gone or has answered with a 500.
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail, ensure};
use domain::case::CaseState;
use tests::binaries::repository;
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::http;
use tests::server::Server;
use tests::signing_proxy::{self, Signer};

/// The seed of both runs.
const SEED: &str = "20261124";
/// Cases that are there to be read.
const CASES: usize = 3;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("api_fuzz: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let tool = std::env::args_os().nth(1).context("usage: api_fuzz PATH-OF-SCHEMATHESIS")?;
    let mut server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let uploads: Vec<_> = (0..CASES).map(|_| device.seal(&courier())).collect::<Result<_>>()?;
    device.send(&server, &uploads)?;
    for upload in &uploads {
        wait_for_state(&device, &server, header_of(upload)?.envelope_id, CaseState::Submitted)?;
    }
    let address: SocketAddr = server.terminals.strip_prefix("http://").context("http")?.parse()?;
    let signer = Signer { terminal: device.enrolled.terminal.clone(), key: device.key.clone() };
    let proxy = format!("http://{}", signing_proxy::start(address, signer)?);
    // The proxy signs whatever the tool leaves out, so here it is not to play with signatures.
    let signed = ["--exclude-checks", "ignored_auth", "--generation-with-security-parameters", "false"];
    fuzz(Path::new(&tool), &proxy, "150", &signed)?;
    // And here nothing is signed: 401 is the answer to all that is right.
    fuzz(Path::new(&tool), &server.terminals, "30", &[])?;
    let health = http::get(&server.terminals, "/healthz", &[])?;
    ensure!(health.status == 200, "the server does not serve any more: {}", health.text());
    let upload = device.seal(&courier())?;
    device.send(&server, &[upload])?;
    server.stop()
}

fn fuzz(tool: &Path, base: &str, examples: &str, further: &[&str]) -> Result<()> {
    let status = Command::new(tool)
        .arg("--config-file")
        .arg(repository().join("tests/schemathesis.toml"))
        .args(["run", &format!("{base}/openapi.json"), "--url", base, "--seed", SEED])
        .args(["--max-examples", examples])
        .args(further)
        .current_dir(repository().join("target"))
        // No colours and no invitations in a log.
        .env("NO_COLOR", "1")
        .status()
        .with_context(|| format!("{} cannot be started; run `cargo xtask setup`", tool.display()))?;
    if status.success() { Ok(()) } else { bail!("schemathesis found something at {base}: {status}") }
}
