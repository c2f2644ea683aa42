//! Two centres of two regions as real processes: what one takes in the other decides, whatever fails in between.
mod browser;
mod hostile;
mod story;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::envelope::{PublicKey, SealingPublicKey};
use domain::ids::EnvelopeId;
use serde_json::{Value, json};
use sync_server::auth::role::Role;
use sync_server::keys::Keys;
use tests::device::{ITEM, courier};
use tests::http::{self, Answer};
use tests::people::{OWN_PAGE, Person};
use tests::server::Server;

use crate::desk::HALL;

/// The accepting region, and the home region (样例).
const HERE: &str = "630100";
const THERE: &str = "632700";
const PENSION: &str = "人社";
/// Nobody listens here.
const NOWHERE: &str = "127.0.0.1:9";

/// The two centres with a clerk at a window of one and a reviewer of the other.
struct Regions {
    here: Server,
    there: Server,
    clerk: Person,
    reviewer: Person,
}

fn keys(server: &Server) -> Result<(PublicKey, SealingPublicKey)> {
    let keys = Keys::load(&server.data().join("keys"))?;
    Ok((keys.receipt.public(), keys.sealing.first().public()))
}

fn own(code: &str) -> Value {
    let (name, phone) = match code {
        HERE => ("西宁市政务服务中心（样例）", "0971-0000001"),
        _ => ("玉树州政务服务中心（样例）", "0976-0000002"),
    };
    json!({ "adcode": code, "name": name, "phone": phone })
}

fn entry(code: &str, server: &Server, address: &str) -> Result<Value> {
    let (signing, sealing) = keys(server)?;
    let mut entry = own(code);
    entry["initials"] = json!(if code == HERE { "XN" } else { "YS" });
    entry["address"] = json!(address);
    entry["signing_key"] = serde_json::to_value(signing)?;
    entry["sealing_key"] = serde_json::to_value(sealing)?;
    Ok(entry)
}

fn register(server: &Server, code: &str, partners: &[Value]) -> Result<()> {
    let text = json!({ "own": own(code), "partners": partners }).to_string();
    // Whole or not at all: the server reads it all the time.
    let path = server.data().join("partners.json");
    let written = path.with_extension("new");
    std::fs::write(&written, text)?;
    Ok(std::fs::rename(written, path)?)
}

fn address(server: &Server) -> String {
    server.terminals.trim_start_matches("http://").to_owned()
}

impl Regions {
    fn new() -> Result<Self> {
        let (here, there) = (Server::start()?, Server::start()?);
        let clerk = here.person_of(("窗甲", HALL), &[Role::Window])?;
        let reviewer = there.person_of(("社甲", PENSION), &[Role::Reviewer])?;
        let regions = Self { here, there, clerk, reviewer };
        regions.meet()?;
        Ok(regions)
    }

    /// Each learns where the other listens now.
    fn meet(&self) -> Result<()> {
        register(&self.here, HERE, &[entry(THERE, &self.there, &address(&self.there))?])?;
        register(&self.there, THERE, &[entry(HERE, &self.here, &address(&self.here))?])
    }

    /// The home region is away: nobody listens at the address that the accepting one has of it.
    fn part(&self) -> Result<()> {
        register(&self.here, HERE, &[entry(THERE, &self.there, NOWHERE)?])
    }

    fn page(&self, server: &Server, who: &Person, path: &str) -> Result<String> {
        let answer = server.page_of(who, path)?;
        ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
        Ok(answer.text())
    }

    /// The courier's application is taken in for the home region.
    fn taken_in(&self) -> Result<String> {
        let path = format!("/handoffs/start/{THERE}/{ITEM}");
        let page = self.page(&self.here, &self.clerk, &path)?;
        let id = hidden(&page, "_id")?;
        let answer = self.sends_form(&path, &id, "13900139000")?;
        leads_to(&answer).map(str::to_owned)
    }

    fn sends_form(&self, path: &str, id: &str, phone: &str) -> Result<Answer> {
        const EDGE: &str = "edge-of-a-part-7Jk2";
        let mut answers = courier().answers;
        answers.insert("phone".to_owned(), json!(phone));
        let state = json!({ "rest": answers, "given": {}, "told": [] }).to_string();
        let fields = [
            ("_id", id),
            ("_who.number", "639900199005201035"),
            ("_who.name", "样小川"),
            ("_who.address", ""),
            ("_state", state.as_str()),
            ("_page", "9"),
            ("_s.agent", "self"),
            ("_do", "submit"),
        ];
        let part = |(name, value): (&str, &str)| {
            format!("--{EDGE}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let body = fields.into_iter().map(part).collect::<String>() + &format!("--{EDGE}--\r\n");
        let media_type = format!("multipart/form-data; boundary={EDGE}");
        let headers = [("content-type", media_type.as_str()), OWN_PAGE, ("cookie", &self.clerk.cookie)];
        http::post(&self.here.people, path, &headers, body.as_bytes())
    }

    /// Hands over what stands at this address.
    fn hands_over(&self, path: &str) -> Result<Answer> {
        let page = self.page(&self.here, &self.clerk, path)?;
        let seen = hidden(&page, "seen")?;
        let fields = [
            ("deed", "hand_over"),
            ("seen", seen.as_str()),
            ("complete", "on"),
            ("identity", "on"),
            ("consent", "on"),
            ("phones", "on"),
        ];
        self.here.submit(&self.clerk.cookie, path, &fields)
    }

    /// Does something with what came.
    fn does(&self, id: &str, deed: &str, more: &[(&str, &str)]) -> Result<Answer> {
        let path = format!("/handoffs/incoming/{id}");
        let page = self.page(&self.there, &self.reviewer, &path)?;
        let seen = hidden(&page, "seen")?;
        let fields = [&[("deed", deed), ("seen", seen.as_str())][..], more].concat();
        self.there.submit(&self.reviewer.cookie, &path, &fields)
    }

    /// Taken in, handed over and arrived; gives its address here and its id.
    fn arrived(&self) -> Result<(String, String)> {
        let path = self.taken_in()?;
        ensure!(leads_to(&self.hands_over(&path)?)?.ends_with("told=sent"));
        let id = path.rsplit('/').next().context("an id")?.to_owned();
        self.settles(&self.there, &id, "sent")?;
        Ok((path, id))
    }

    /// Waits until a handoff is in a state at a centre.
    fn settles(&self, server: &Server, id: &str, state: &str) -> Result<()> {
        let id: EnvelopeId = id.parse()?;
        until(server, &format!("SELECT COUNT(*) FROM handoff WHERE id = '{id}' AND state = '{state}'"), 1)
    }
}

/// Waits until a statement gives a number.
fn until(server: &Server, sql: &str, number: i64) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(90);
    while Instant::now() < deadline {
        if server.number(sql)? == number {
            return Ok(());
        }
    }
    anyhow::bail!("{sql} did not become {number}")
}

/// The value of the first hidden field of this name.
fn hidden(page: &str, name: &str) -> Result<String> {
    let mark = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
    let rest = page.split(&mark).nth(1).with_context(|| format!("no {name} in {page}"))?;
    Ok(rest.split('"').next().unwrap_or_default().to_owned())
}

fn leads_to(answer: &Answer) -> Result<&str> {
    ensure!(answer.status == 303, "{}: {}", answer.status, answer.text());
    answer.header("location").context("a location")
}
