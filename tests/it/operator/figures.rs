//! `/metrics`: what happened is counted, nothing that somebody sent becomes a label, and it is no burden.
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use domain::case::CaseState;
use domain::wire::v1::Outcome;
use sync_server::metrics::{FIGURES, FigureKind};
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::http;
use tests::server::{CANARIES, Server};

use super::{run, text};

/// Everything here ends far sooner.
const SOON: Duration = Duration::from_secs(60);

fn figures(server: &Server) -> Result<BTreeMap<String, f64>> {
    let answer = http::get(&server.metrics, "/metrics", &[])?;
    assert_eq!(answer.status, 200);
    let media_type = answer.header("content-type").unwrap_or_default().to_owned();
    assert!(media_type.starts_with("text/plain; version=0.0.4"), "{media_type}");
    let said = answer.text();
    assert!(!CANARIES.iter().any(|c| said.contains(c)), "personal data in the figures");
    let rows = said.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
    rows.map(|row| {
        let (name, value) = row.rsplit_once(' ').with_context(|| row.to_owned())?;
        Ok((name.to_owned(), value.parse()?))
    })
    .collect()
}

fn figure(all: &BTreeMap<String, f64>, begin: &str) -> f64 {
    all.iter().filter(|(name, _)| name.starts_with(begin)).map(|(_, value)| value).sum()
}

#[test]
fn what_happened_is_counted() -> Result<()> {
    let server = Server::start()?;
    let mut device = Device::enrol(&server, 1)?;
    let upload = device.seal(&courier())?;
    assert_eq!(
        device.send(&server, std::slice::from_ref(&upload))?.results.remove(0).outcome,
        Outcome::Accepted
    );
    let again = device.send(&server, std::slice::from_ref(&upload))?.results.remove(0);
    assert_eq!(again.outcome, Outcome::Duplicate);
    wait_for_state(&device, &server, header_of(&upload)?.envelope_id, CaseState::Submitted)?;
    // The job counts behind its commit, by which the case is there already.
    let opened = |all: &BTreeMap<String, f64>| all.get("jinban_jobs_total{outcome=\"opened\"}") == Some(&1.0);
    let end = Instant::now() + SOON;
    let mut all = figures(&server)?;
    while !opened(&all) && Instant::now() < end {
        all = figures(&server)?;
    }
    assert!(opened(&all), "{all:?}");
    assert_eq!(all.get("jinban_envelopes_total{outcome=\"accepted\"}"), Some(&1.0));
    assert_eq!(all.get("jinban_envelopes_total{outcome=\"duplicate\"}"), Some(&1.0));
    assert_eq!(all.get("jinban_envelopes_total{outcome=\"conflict\"}"), Some(&0.0));
    assert_eq!(all.get("jinban_jobs_waiting"), Some(&0.0));
    assert_eq!(all.get("jinban_writer_waiting"), Some(&0.0));
    // Enrolment, two sends and the opening each went through the writer.
    let commits = figure(&all, "jinban_commit_seconds_count");
    assert!(commits >= 3.0 && figure(&all, "jinban_commit_group_size_count") == commits, "{commits}");
    assert!(figure(&all, "jinban_store_bytes") > 4_096.0);
    let kind = server.database()?.kind();
    assert!(all.keys().any(|k| k.starts_with("jinban_build_info") && k.contains(kind)), "{kind}");
    let sent = "jinban_http_requests_total{listener=\"terminals\",method=\"POST\",route=\"/api/v1/envelopes\",\
                status=\"200\"}";
    assert_eq!(all.get(sent), Some(&2.0), "{:#?}", all.keys());
    Ok(())
}

#[test]
fn every_figure_has_help_and_type_and_is_named_in_the_table() -> Result<()> {
    let server = Server::start()?;
    server.page("/")?;
    let device = Device::enrol(&server, 1)?;
    drop(device);
    let said = http::get(&server.metrics, "/metrics", &[])?.text();
    for figure in FIGURES {
        let kind = match figure.kind {
            FigureKind::Counter => "counter",
            FigureKind::Gauge => "gauge",
            FigureKind::Seconds | FigureKind::Sizes => "histogram",
        };
        assert!(said.contains(&format!("# HELP {} {}", figure.name, figure.about)), "{}", figure.name);
        assert!(said.contains(&format!("# TYPE {} {kind}\n", figure.name)), "{}", figure.name);
    }
    let types = said.lines().filter_map(|l| l.strip_prefix("# TYPE ")?.split(' ').next());
    for name in types {
        assert!(FIGURES.iter().any(|f| f.name == name), "{name} is in no table");
    }
    Ok(())
}

#[test]
fn what_somebody_sends_becomes_no_label() -> Result<()> {
    let server = Server::start()?;
    // Other figures come by themselves as the server goes on.
    let of_calls = || -> Result<Vec<String>> {
        Ok(figures(&server)?.into_keys().filter(|name| name.starts_with("jinban_http_")).collect())
    };
    let before = of_calls()?.len();
    let visit = |n: usize| -> Result<()> {
        for path in [format!("/{}{n}", CANARIES[1]), format!("/cases/{n}"), format!("/?q={n}"), "/%ff".into()]
        {
            http::get(&server.people, &path, &[])?;
            http::call(&server.terminals, &format!("BREW{n}"), &path, &[], None)?;
        }
        Ok(())
    };
    visit(0)?;
    let once = of_calls()?.len();
    assert!(once > before, "they are counted");
    for n in 1..20 {
        visit(n)?;
    }
    let often = of_calls()?;
    assert_eq!(often.len(), once, "{often:#?}");
    assert!(often.iter().any(|name| name.contains("method=\"other\"")));
    Ok(())
}

#[test]
fn figures_are_on_their_own_address_only_and_nothing_else_is_there() -> Result<()> {
    let server = Server::start()?;
    for address in [&server.terminals, &server.people] {
        assert_eq!(http::get(address, "/metrics", &[])?.status, 404);
    }
    for path in ["/", "/healthz", "/cases", "/api/v1/changes"] {
        assert_eq!(http::get(&server.metrics, path, &[])?.status, 404, "{path}");
    }
    assert_eq!(http::post(&server.metrics, "/metrics", &[], b"")?.status, 405);
    Ok(())
}

#[test]
fn the_default_address_being_taken_keeps_nobody_from_serving() -> Result<()> {
    // Whoever has it, this test or another program of the machine: it is taken.
    let _holder = std::net::TcpListener::bind("127.0.0.1:8490");
    let folder = tempfile::tempdir()?;
    let mut server = Server::start_with_default_metrics(folder.path(), &[])?;
    server.wait_for_log("no figures are served, since their address is taken")?;
    assert_eq!(http::get(&server.people, "/healthz", &[])?.status, 200);
    server.stop()?;
    let mut off = Server::start_with_default_metrics(folder.path(), &["--metrics", "off"])?;
    off.stop()?;
    assert!(off.metrics.is_empty());
    // Asked for by name, it is needed.
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let output = run(
        "sync-server",
        folder.path(),
        &["serve", "--terminals=127.0.0.1:0", "--people=127.0.0.1:0", "--metrics", &address],
        &[],
    )?;
    assert_eq!(output.status.code(), Some(69), "{}", text(&output.stderr));
    Ok(())
}
