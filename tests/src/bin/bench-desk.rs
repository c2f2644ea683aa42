//! `desk`: what whoever works at the centre waits for over 50,000 open cases and a million closed ones, on SQLite and on
//! PostgreSQL: work lists, a case, an action, a certificate, the figures; and one decision by rules. The floor of each
//! page is one that asks the store for nothing, of the same server, in turns.
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use domain::date::CivilDate;
use domain::rules::{Facts, RuleSet};
use serde_json::Value;
use sync_server::auth::role::Role;
use sync_server::pages::in_query;
use sync_server::store::{Database, Driver, in_transaction};
use tests::bench::archive::{self, Wanted};
use tests::bench::client::{Connection, post};
use tests::bench::process::{Program, beside, tied};
use tests::bench::row::Row;
use tests::bench::stats::{in_turns, percentile};
use tests::binaries::repository;
use tests::device::now_ms;
use tests::people::{FORM, OWN_PAGE, Person, form, person_of};
use tests::postgres::fresh_database;

/// What the list of cases is searched for: the words of some items.
const WORDS: &str = "社保";

fn main() -> Result<()> {
    let quick = std::env::args().any(|a| a == "--quick");
    let wanted = if quick {
        Wanted { open: 2_000, closed: 40_000 }
    } else {
        Wanted { open: 50_000, closed: 1_000_000 }
    };
    let rounds = if quick { 20 } else { 200 };
    decisions(rounds)?;
    for (suffix, address) in [("", None), ("_postgresql", Some(fresh_database()?))] {
        let folder = tempfile::tempdir()?;
        let desk = Desk::start(folder.path(), address.as_deref(), wanted)?;
        desk.measure(suffix, rounds)?;
    }
    Ok(())
}

/// One decision, with every fact asked.
fn decisions(rounds: usize) -> Result<()> {
    let file = std::fs::read(repository().join("assets/rules/one.ent-open.json"))?;
    let set = RuleSet::parse(&file).map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))?;
    let facts = Facts::on(CivilDate::in_china(now_ms()));
    let mut timed = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let began = Instant::now();
        black_box(set.decide(black_box(&facts)));
        timed.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Row::alone("desk.decision_p99", percentile(&timed, 0.99), "ms").tell()
}

/// A running centre over a full store, and who works there.
struct Desk {
    _program: Program,
    people: String,
    store: Database,
    reviewer: Person,
    operator: Person,
    unit: String,
}

impl Desk {
    fn start(folder: &Path, address: Option<&str>, wanted: Wanted) -> Result<Self> {
        let data = folder.join("server");
        let at: Vec<&str> = address.iter().flat_map(|address| ["--database", address]).collect();
        let mut load = Command::new(beside("sync-server")?);
        load.args(["sample-data", "--half-year", "--json", "--data"]).arg(&data).args(&at);
        let loaded = load.current_dir(repository()).output()?;
        ensure!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
        let store: Database = match address {
            Some(address) => address.parse()?,
            None => Database::Sqlite(data.join("server.db")),
        };
        let began = Instant::now();
        let cases = archive::fill(&store, wanted)?;
        eprintln!("{cases} cases after {} s", began.elapsed().as_secs());
        let mut command = tied(&beside("sync-server")?);
        command.args(["serve", "--terminals", "127.0.0.1:0", "--people", "127.0.0.1:0"]);
        command.args(["--metrics", "127.0.0.1:0", "--data"]).arg(&data).args(&at);
        let ready = folder.join("ready");
        command.arg("--ready-file").arg(&ready).current_dir(repository());
        let mut program = Program::start("sync-server", command, &folder.join("log"))?;
        let answer: Value = program.wait_for("its ready file", || {
            Ok(std::fs::read(&ready).ok().and_then(|text| serde_json::from_slice(&text).ok()))
        })?;
        let people = answer["people"].as_str().context("an address")?.to_owned();
        let mut driver = store.open()?;
        let unit = first(
            driver.as_mut(),
            "SELECT unit FROM task WHERE open_ = 1 GROUP BY unit ORDER BY COUNT(*) DESC, unit LIMIT 1",
        )?;
        let reviewer = person_of(driver.as_mut(), ("样例员", &unit), &[Role::Clerk, Role::Reviewer])?;
        let operator = person_of(driver.as_mut(), ("样例管", ""), &[Role::Operator, Role::Inspector])?;
        Ok(Self { _program: program, people, store, reviewer, operator, unit })
    }

    fn measure(&self, suffix: &str, rounds: usize) -> Result<()> {
        let mut store = self.store.open()?;
        let unit = &self.unit;
        // An original: what it holds opens.
        let case = first(
            store.as_mut(),
            &format!(
                "SELECT c.number FROM case_ c JOIN task t ON t.envelope_id = c.envelope_id
                 WHERE t.unit = '{unit}' AND t.open_ = 1 AND t.state = 'ready' ORDER BY c.server_seq LIMIT 1"
            ),
        )?;
        let station = first(store.as_mut(), "SELECT id FROM station ORDER BY number LIMIT 1")?;
        let (reviewer, operator) = (&self.reviewer, &self.operator);
        let second = self.second_page("/desk", reviewer)?;
        let older = self.second_page("/cases?state=completed", operator)?;
        let lists = [
            ("inbox", reviewer, "/desk".to_owned()),
            ("inbox_second", reviewer, second),
            ("inbox_state", reviewer, "/desk?list=supplement".to_owned()),
            ("inbox_over", reviewer, "/desk?list=over".to_owned()),
            ("cases", operator, "/cases".to_owned()),
            ("cases_closed", operator, "/cases?state=completed".to_owned()),
            ("cases_older", operator, older),
            ("cases_station", operator, format!("/cases?station={station}&state=returned")),
            ("cases_words", operator, format!("/cases?q={}", in_query(WORDS))),
            ("cases_end", operator, format!("/cases?q={}", &case[12..])),
            ("cases_day", operator, "/cases?q=200110".to_owned()),
            ("cases_number", operator, format!("/cases?q={case}")),
            ("case_page", reviewer, format!("/desk/{case}")),
            ("case_history", operator, format!("/cases/{case}")),
        ];
        for (name, who, path) in &lists {
            self.page(&format!("desk.{name}_p99{suffix}"), who, path, rounds)?;
        }
        self.page(&format!("desk.statistics_p99{suffix}"), operator, "/statistics", rounds.div_ceil(20))?;
        self.action(&format!("desk.action_p99{suffix}"), &case, rounds)?;
        self.certificate(&format!("desk.certificate_p99{suffix}"), store.as_mut(), rounds)
    }

    /// One page in turns with the floor.
    fn page(&self, name: &str, who: &Person, path: &str, rounds: usize) -> Result<()> {
        let mut connection = Connection::open(&self.people, None)?;
        let mut other = Connection::open(&self.people, None)?;
        let (wanted, floor) = (self.request(path, Some(who)), self.request("/sign-in", None));
        let real = |_| timed(&mut connection, &wanted);
        let bare = |_| timed(&mut other, &floor);
        let (real, floor) = in_turns(rounds, real, bare).with_context(|| path.to_owned())?;
        Row::beside(name, percentile(&real, 0.99), "ms", percentile(&floor, 0.99)).tell()
    }

    /// A note to a case, each with the page that it comes from; only the sending is timed.
    fn action(&self, name: &str, case: &str, rounds: usize) -> Result<()> {
        let mut connection = Connection::open(&self.people, None)?;
        let path = format!("/desk/{case}");
        let (_, host) = self.people.split_once("://").context("an address")?;
        let mut times = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            let (status, page) = connection.exchange(&self.request(&path, Some(&self.reviewer)))?;
            ensure!(status == 200, "{path}: {status}");
            let page = String::from_utf8_lossy(page).into_owned();
            let note = page.split("id=\"deed-note\"").nth(1).context("a note can be made")?;
            let hidden = |name: &str| {
                let value = note.split(&format!("name=\"{name}\" value=\"")).nth(1)?;
                value.split('"').next()
            };
            let (step, seen) = (hidden("step").context("a step")?, hidden("seen").context("a version")?);
            let click = hidden("click").context("a click")?;
            let fields =
                [("deed", "note"), ("step", step), ("seen", seen), ("click", click), ("text", "样例备注")];
            let headers = [FORM, OWN_PAGE, ("cookie", self.reviewer.cookie.as_str())];
            let request = post(host, &path, &headers, form(&fields).as_bytes());
            let began = Instant::now();
            let (status, _) = connection.exchange(&request)?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
            ensure!(status == 303, "a note: {status}");
        }
        Row::alone(name, percentile(&times, 0.99), "ms").tell()
    }

    /// The file of a certificate: opened, drawn, written.
    fn certificate(&self, name: &str, store: &mut dyn Driver, rounds: usize) -> Result<()> {
        let sql = "SELECT c.number || '/certificates/' || k.number || '|' || k.unit FROM certificate k
             JOIN case_ c ON c.envelope_id = k.envelope_id ORDER BY k.number LIMIT 1";
        let found = first(store, sql)?;
        let (path, unit) = found.split_once('|').context("a certificate")?;
        let owner = person_of(store, ("样例证", unit), &[Role::Clerk, Role::Reviewer])?;
        self.page(name, &owner, &format!("/desk/{path}/file"), rounds)
    }

    /// The address of the next page of a list.
    fn second_page(&self, path: &str, who: &Person) -> Result<String> {
        let mut connection = Connection::open(&self.people, None)?;
        let (status, page) = connection.exchange(&self.request(path, Some(who)))?;
        ensure!(status == 200, "{path}: {status}");
        let page = String::from_utf8_lossy(page).into_owned();
        let before = page.split("rel=\"next\"").next().context("a page")?;
        let href = before.rsplit("href=\"").next().and_then(|rest| rest.split('"').next());
        Ok(href.context("a second page")?.replace("&amp;", "&").replace("&#38;", "&"))
    }

    fn request(&self, path: &str, who: Option<&Person>) -> Vec<u8> {
        let host = self.people.split_once("://").map_or("", |(_, host)| host);
        let cookie = who.map(|who| format!("cookie: {}\r\n", who.cookie)).unwrap_or_default();
        format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{cookie}\r\n").into_bytes()
    }
}

/// Milliseconds until the answer is there whole.
fn timed(connection: &mut Connection, request: &[u8]) -> Result<f64> {
    let began = Instant::now();
    let (status, _) = connection.exchange(request)?;
    let taken = began.elapsed().as_secs_f64() * 1e3;
    ensure!(status == 200, "answered {status}");
    Ok(taken)
}

/// The only value of a query.
fn first(store: &mut dyn Driver, sql: &str) -> Result<String> {
    let row = in_transaction(store, |tx| tx.query_first(sql, &[]))?;
    Ok(row.context("nothing to measure")?.text(0)?.to_owned())
}
