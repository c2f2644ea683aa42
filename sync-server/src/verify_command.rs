//! `sync-server verify` (see `refold_command`), and `verify-slip` and `verification-keys`: whether a slip or a receipt is genuine, whose it is and of when.
//! Public keys are enough for that: whoever was given them needs neither the centre nor its network.
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use domain::date::{CivilDate, china_clock};
use domain::document::slip_code::SlipCode;
use domain::envelope::{KeyRing, PublicKey, SignedDocument, SignedKind, verify_document};
use domain::ids::{StationId, TerminalId};
use domain::wire::v1::ReceiptBody;
use operator::exit::Exit;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answer::{say, say_json};
use crate::config::Config;
use crate::keys::Keys;
use crate::refold_command;
use crate::services::{terminals, window};
use crate::store::Tx;

/// Bytes of a receipt or a file of keys, at most.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum VerifyJob {
    /// Fold the actions of every case anew, hold its row and its tasks against them, and make every decision by rules again
    /// of its facts; reads only, the server may run.
    #[command(
        after_help = "Exit code 1 if anything differs: then show the lines to whoever looks after the program.

Examples:
  sync-server verify
  sync-server verify --json --data /var/lib/jinban/server"
    )]
    Verify {
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say whether a slip or a receipt is genuine, of which terminal and of when; without a network.
    #[command(after_help = "Exit code 1 if it is not genuine.

Examples:
  sync-server verify-slip 'https://jinban.example/slips/XN26112400100013?d=0123456789abcdef#T-01.1795541400000.AbC…'
  sync-server verify-slip --receipt XN26112400100013-receipt.json
  sync-server verify-slip --keys jinban-keys.json --receipt XN26112400100013-receipt.json --json")]
    VerifySlip(VerifySlip),
    /// Print the public keys of the terminals and of the receipts, for verifying elsewhere (`verify-slip --keys`).
    #[command(after_help = "Examples:
  sync-server verification-keys > jinban-keys.json")]
    VerificationKeys,
}

/// What is verified.
#[derive(Debug, Args)]
pub struct VerifySlip {
    /// The text of a slip's QR code, with all that stands after the sign #.
    #[arg(required_unless_present = "receipt", conflicts_with = "receipt")]
    code: Option<String>,
    /// A receipt, as the page of the slip hands it out.
    #[arg(long)]
    receipt: Option<PathBuf>,
    /// Public keys, as `verification-keys` prints them; without it those of this centre.
    #[arg(long)]
    keys: Option<PathBuf>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Public keys, each with whose it is.
#[derive(Debug, Serialize, Deserialize)]
struct PublicKeys {
    terminals: Vec<TerminalKey>,
    receipts: Vec<PublicKey>,
}

#[derive(Debug, Serialize, Deserialize)]
struct TerminalKey {
    terminal: TerminalId,
    station: StationId,
    /// It was in service when the keys were written.
    active: bool,
    key: PublicKey,
}

/// What was found.
enum Found {
    Slip { code: SlipCode, station: StationId, active: bool },
    Receipt(ReceiptBody),
    NotGenuine(&'static str),
}

/// Runs one of the commands.
///
/// # Errors
/// Whatever it runs into; that something is not genuine is no error but the exit code.
pub fn run(job: &VerifyJob, config: &Config) -> anyhow::Result<Exit> {
    match job {
        VerifyJob::Verify { json } => refold_command::run(config, *json),
        VerifyJob::VerificationKeys => say_json(&own_keys(config)?),
        VerifyJob::VerifySlip(args) => {
            let keys = match &args.keys {
                Some(file) => read_json(file)?,
                None => own_keys(config)?,
            };
            let found = match (&args.receipt, &args.code) {
                (Some(file), _) => match serde_json::from_str(&read(file)?) {
                    Ok(receipt) => judge_receipt(&receipt, &keys),
                    Err(_) => {
                        Found::NotGenuine("this is not the whole file of a receipt, as the page gives it")
                    }
                },
                (None, Some(code)) => judge_slip(code.trim(), &keys),
                (None, None) => bail!("name the text of a slip's code, or a receipt with --receipt"),
            };
            tell(&found, args.json)
        }
    }
}

fn own_keys(config: &Config) -> anyhow::Result<PublicKeys> {
    let data = config.data_folder();
    let receipt = Keys::load(&data.keys_path())?.receipt.public();
    let mut store = data.reader()?;
    store.begin_read()?;
    let all = terminals::all(&mut Tx::new(store.as_mut()));
    store.rollback();
    let one = |t: terminals::Terminal| TerminalKey {
        terminal: t.id,
        station: t.station,
        active: t.active,
        key: t.public_key,
    };
    // At a window the centre itself signs.
    let window = TerminalKey {
        terminal: window::PLACE.parse()?,
        station: window::PLACE.parse()?,
        active: true,
        key: receipt.clone(),
    };
    let terminals = all?.into_iter().map(one).chain([window]).collect();
    Ok(PublicKeys { terminals, receipts: vec![receipt] })
}

fn judge_slip(text: &str, keys: &PublicKeys) -> Found {
    let Ok(code) = SlipCode::read(text) else {
        return Found::NotGenuine("this is not the whole text of a slip's QR code");
    };
    let Some(signer) = keys.terminals.iter().find(|t| t.terminal == code.terminal) else {
        return Found::NotGenuine("it names a terminal that is not known here");
    };
    match code.verify(&signer.key) {
        Ok(()) => Found::Slip { station: signer.station.clone(), active: signer.active, code },
        Err(_) => Found::NotGenuine("the terminal that it names did not sign it"),
    }
}

fn judge_receipt(document: &SignedDocument, keys: &PublicKeys) -> Found {
    let ring = KeyRing::new(keys.receipts.iter().cloned());
    let Ok(body) = verify_document(SignedKind::Receipt, document, &ring) else {
        return Found::NotGenuine("this centre did not sign it");
    };
    serde_json::from_slice(body).map_or(Found::NotGenuine("it is signed, and no receipt"), Found::Receipt)
}

fn tell(found: &Found, as_json: bool) -> anyhow::Result<Exit> {
    if as_json {
        say_json(&match found {
            Found::Slip { code, station, active } => json!({
                "genuine": true, "kind": "slip", "number": code.number, "token": code.token,
                "terminal": code.terminal, "station": station, "in_service": active, "at_ms": code.made_at_ms,
            }),
            Found::Receipt(body) => {
                json!({ "genuine": true, "kind": "receipt", "receipt": body, "at_ms": body.accepted_at_ms })
            }
            Found::NotGenuine(why) => json!({ "genuine": false, "why": why }),
        })?;
    } else {
        say(&in_words(found))?;
    }
    Ok(if matches!(found, Found::NotGenuine(_)) { Exit::Failure } else { Exit::Ok })
}

fn in_words(found: &Found) -> String {
    match found {
        Found::Slip { code, station, active } => format!(
            "GENUINE slip {}\nhanded in on terminal {} of {station}{}, {} by its clock\n\
             whether it has arrived says the receipt of the centre\n",
            code.number,
            code.terminal,
            if *active { "" } else { " (out of service now)" },
            moment(code.made_at_ms)
        ),
        Found::Receipt(body) => format!(
            "GENUINE receipt {}\nthe centre has had it since {}, as number {} in its order{}\ndigest {}\n",
            body.number.as_ref().map_or("without a number", |n| n.as_str()),
            moment(body.accepted_at_ms),
            body.server_seq,
            if body.complete { "" } else { "; pages were missing then" },
            body.digest
        ),
        Found::NotGenuine(why) => format!("NOT GENUINE: {why}\n"),
    }
}

/// Date and time in China.
fn moment(at_ms: i64) -> String {
    let (hour, minute) = china_clock(at_ms);
    format!("{} {hour:02}:{minute:02}", CivilDate::in_china(at_ms))
}

fn read_json<T: serde::de::DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    serde_json::from_str(&read(file)?).with_context(|| format!("{} is not what it should be", file.display()))
}

/// The text of a file; bytes that are none stand for themselves in it, so that what is made of it does not verify.
fn read(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).with_context(|| file.display().to_string())?;
    opened.take(MAX_FILE_BYTES).read_to_end(&mut bytes).with_context(|| file.display().to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
