//! The page of figures over a real server with invented cases: who sees what, drill-down, files, charts in a real browser.
mod browser;
mod files;
mod page;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use sync_server::auth::role::Role;
use tests::people::Person;
use tests::server::Server;

/// Everything here ends far sooner.
const SOON: Duration = Duration::from_secs(60);

/// Until when the invented half-year goes.
const UNTIL: &str = "2026-11-23";
/// The period of the stories.
const PERIOD: &str = "from=2026-05-25&to=2026-11-23";

/// A server with invented cases, and whoever sees all of them.
struct Centre {
    server: Server,
    operator: Person,
}

impl Centre {
    /// So many of a hundred of the cases.
    fn filled(percent: &str) -> Result<Self> {
        let mut server = Server::start()?;
        server.stop()?;
        let loaded = server.command(&[
            "sample-data",
            "--half-year",
            "--percent",
            percent,
            "--until",
            UNTIL,
            "--json",
        ])?;
        ensure!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
        let server = server.restart()?;
        let operator = server.person(&[Role::Operator])?;
        let centre = Self { server, operator };
        centre.settle()?;
        Ok(centre)
    }

    /// Waits until the clock has done what was due: though what came in last is days old, it runs on from today.
    fn settle(&self) -> Result<()> {
        let (database, now_ms) = (self.server.database()?, sync_server::startup::now_ms());
        let sql = "SELECT COUNT(*) FROM case_ WHERE wake_ms <= $1";
        let end = Instant::now() + SOON;
        while Instant::now() < end {
            let due = database.open_read_only()?.query(sql, &[now_ms.into()])?;
            if due.first().context("a row")?.int(0)? == 0 {
                return Ok(());
            }
            std::thread::yield_now();
        }
        bail!("the clock stands still")
    }

    fn page(&self, who: &Person, path: &str) -> Result<String> {
        let answer = self.server.page_of(who, path)?;
        ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
        Ok(answer.text())
    }
}

/// The number in the tile of a word.
fn tile(page: &str, word: &str) -> Result<String> {
    let tile = page
        .split("<dt>")
        .find(|tile| tile.split("</dt>").next().is_some_and(|dt| dt.trim_end().ends_with(word)));
    let tile = tile.with_context(|| format!("a tile {word}"))?;
    let value = tile.split("<b>").nth(1).and_then(|b| b.split('<').next()).context("a value")?;
    Ok(value.trim().replace(',', ""))
}

/// Where the tile of a word leads.
fn leads(page: &str, word: &str) -> Result<String> {
    let tile = page
        .split("<dt>")
        .find(|tile| tile.split("</dt>").next().is_some_and(|dt| dt.trim_end().ends_with(word)));
    let href = tile.and_then(|tile| tile.split("<a href=\"").nth(1)).and_then(|rest| rest.split('"').next());
    Ok(href.with_context(|| format!("a link of {word}"))?.replace("&#38;", "&").replace("&amp;", "&"))
}
