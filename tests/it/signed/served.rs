//! The server's addresses under `/tuf/`, and its commands from the ceremony to a new version on a terminal.
use anyhow::{Context as _, Result};
use domain::wire::v1::tuf::{TUF_METADATA, TUF_TARGETS};
use serde_json::Value;
use tests::device::now_ms;
use tests::http::{self, Answer};
use tests::server::Server;
use tests::signed::Publisher;

use super::office::Office;

fn published() -> Result<(Server, Publisher)> {
    let server = Server::start()?;
    let publisher = Publisher::new(&server.data().join("tuf"), 1, now_ms())?;
    publisher.publish(2, now_ms())?;
    Ok((server, publisher))
}

#[test]
fn files_are_served_and_may_be_kept_for_ever() -> Result<()> {
    let (server, publisher) = published()?;
    for (address, body) in publisher.files()? {
        let answer = http::get(&server.terminals, &address, &[])?;
        assert_eq!((answer.status, &answer.body), (200, &body), "{address}");
        let lasting = answer.header("cache-control").unwrap_or_default();
        let changes = address.ends_with("timestamp.json");
        assert_eq!(lasting == "no-cache", changes, "{address}: {lasting}");
        assert_eq!(lasting.contains("immutable"), !changes, "{address}: {lasting}");
        let tag = answer.header("etag").context("a tag")?.to_owned();
        let again = http::get(&server.terminals, &address, &[("if-none-match", &tag)])?;
        assert_eq!((again.status, again.body.len()), (304, 0), "{address}");
        // People's pages have nothing of it.
        assert_eq!(http::get(&server.people, &address, &[])?.status, 404, "{address}");
    }
    Ok(())
}

#[test]
fn the_rest_of_a_catalogue_is_served_and_never_packed_twice() -> Result<()> {
    let (server, publisher) = published()?;
    let files = publisher.files()?;
    let (address, body) = files.iter().find(|(a, _)| a.starts_with(TUF_TARGETS)).context("a target")?;
    let ask = |range: &str| -> Result<Answer> {
        http::get(&server.terminals, address, &[("range", range), ("accept-encoding", "zstd")])
    };
    let rest = ask("bytes=1000-")?;
    assert_eq!((rest.status, &rest.body[..]), (206, &body[1_000..]));
    let range = format!("bytes 1000-{}/{}", body.len() - 1, body.len());
    assert_eq!(rest.header("content-range"), Some(range.as_str()));
    assert_eq!(rest.header("content-encoding"), None);
    let whole = [
        format!("bytes={}-", body.len()),
        "bytes=0-5".into(),
        "bytes=-5".into(),
        "bytes=a-".into(),
        "lines=1-".into(),
    ];
    for range in whole {
        let answer = ask(&range)?;
        assert_eq!((answer.status, &answer.body), (200, body), "{range}");
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    }
    Ok(())
}

#[test]
fn hostile_names_lead_nowhere() -> Result<()> {
    let (server, _publisher) = published()?;
    let long = "a".repeat(3_000);
    let names = [
        "",
        "..",
        "../keys/receipt.key",
        "..%2f..%2fkeys%2freceipt.key",
        "%2e%2e/lock",
        "..%5clock",
        "1.root.json%00",
        "1.root.json/",
        "01.root.json",
        "root.json",
        "lock",
        "timestamp.json.new",
        "TIMESTAMP.JSON",
        "%ff",
        "1.root.json%20",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "99999999999999999999.root.json",
        "2.root.json",
        &long,
    ];
    for base in [TUF_METADATA, TUF_TARGETS, "/tuf/", "/tuf/targets/../metadata/"] {
        for name in names {
            let answer = http::get(&server.terminals, &format!("{base}{name}"), &[])?;
            assert!([400, 404].contains(&answer.status), "{base}{name}: {}", answer.status);
            let code = answer.problem()?;
            assert!(["not-found", "malformed-request"].contains(&code.as_str()), "{base}{name}: {code}");
            let kept = answer.header("cache-control").unwrap_or_default();
            assert_eq!(kept, "no-store", "a root that is not there yet must not be remembered as missing");
        }
    }
    let posted = http::post(&server.terminals, "/tuf/metadata/timestamp.json", &[], b"{}")?;
    assert_eq!((posted.status, posted.problem()?.as_str()), (405, "method-not-allowed"));
    Ok(())
}

#[test]
fn a_version_goes_from_its_files_to_the_terminals_by_commands_only() -> Result<()> {
    let office = Office::new()?;
    assert_eq!(office.says("keys status")?.0, Some(1), "there is no root yet");
    office.ceremony()?;
    office.publish(5)?;
    let again: Value = serde_json::from_str(&office.does("publish @v5 --json")?)?;
    assert_eq!(again["published"], serde_json::json!([]), "again: nothing new");
    let stored = office.server.number("SELECT COUNT(*) FROM catalogue WHERE version = 5")?;
    assert_eq!(stored, 1, "the centre understands what names it");
    let timestamp = http::get(&office.server.terminals, "/tuf/metadata/timestamp.json", &[])?;
    assert_eq!(timestamp.status, 200);
    let status = office.status()?;
    assert_eq!(status["catalogues"], serde_json::json!([5]));
    assert!(
        status["roles"].as_array().is_some_and(|r| r.len() == 4 && r.iter().all(|r| r["signed"] == true))
    );
    Ok(())
}

#[test]
fn keys_are_rotated_and_revoked_by_commands() -> Result<()> {
    let office = Office::new()?;
    office.ceremony()?;
    office.does("keys status --copy @in-force")?;
    // New online keys, made on the server.
    std::fs::write(office.path("online-2.json"), office.does("keys init --online")?)?;
    office.does("keys rotate --root @in-force/root.json --add @online-2.json --out @2.root.json")?;
    let first = office.does("keys sign-root @2.root.json --before @in-force/root.json --key @keys/root-1.p8 --passphrase-file @word-1")?;
    assert!(first.contains("not enough yet"), "{first}");
    assert_ne!(office.says("keys install @2.root.json")?.0, Some(0), "one signature is too few");
    let wrong = office.says("keys sign-root @2.root.json --before @in-force/root.json --key @keys/root-2.p8 --passphrase-file @word-3")?;
    assert!(wrong.0 == Some(1) && wrong.1.contains("passphrase"), "{wrong:?}");
    let enough = office.does("keys sign-root @2.root.json --before @in-force/root.json --key @keys/root-2.p8 --passphrase-file @word-2")?;
    assert!(enough.contains("carry it to the server"), "{enough}");
    office.does("keys install @2.root.json")?;
    // A root key is lost.
    office.does("keys status --copy @in-force")?;
    let status = office.status()?;
    let lost = status["roles"][0]["keys"][2].as_str().context("a key")?[..16].to_owned();
    office.does(&format!("keys revoke --root @in-force/root.json --id {lost} --out @3.root.json"))?;
    for n in 1..=2 {
        office.does(&format!("keys sign-root @3.root.json --before @in-force/root.json --key @keys/root-{n}.p8 --passphrase-file @word-{n}"))?;
    }
    office.does("keys install @3.root.json")?;
    // Another targets key signs the list anew, and no other list counts.
    office.does("keys status --copy @in-force")?;
    office.does("keys rotate --root @in-force/root.json --role targets --new-key @keys/targets-2.p8 --out @4.root.json --passphrase-file @word-3")?;
    for n in 1..=2 {
        office.does(&format!("keys sign-root @4.root.json --before @in-force/root.json --key @keys/root-{n}.p8 --passphrase-file @word-{n}"))?;
    }
    let (code, said) = office.says("keys install @4.root.json")?;
    assert!(code == Some(1) && said.contains("signed anew with the targets key"), "{said}");
    std::fs::create_dir(office.path("next"))?;
    std::fs::copy(office.path("4.root.json"), office.path("next/root.json"))?;
    std::fs::copy(office.path("in-force/targets.json"), office.path("next/targets.json"))?;
    office.does("sign --in-force @next --key @keys/targets-2.p8 --out @list --passphrase-file @word-3")?;
    office.does("keys install @4.root.json --bundle @list")?;
    let status = office.status()?;
    assert_eq!(
        (&status["roles"][0]["version"], status["roles"][0]["keys"].as_array().map(Vec::len)),
        (&4.into(), Some(2))
    );
    assert_eq!(office.does("refresh")?, "not due\n");
    Ok(())
}
