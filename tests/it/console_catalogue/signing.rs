//! The way from an approved change to the terminals: the document that the console gives is signed away from the server
//! and published, with the commands of the handbook.
use std::path::Path;

use anyhow::{Result, ensure};
use tests::device::CATALOGUE;
use tests::server::{Server, command_in};

use super::{CODE, Console};

/// A command of signed catalogues that works; gives what it says.
fn does(server: &Server, words: &[&str]) -> Result<String> {
    let output = command_in(server.data(), &[&["catalogue"], words].concat())?;
    ensure!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn ceremony(server: &Server, stick: &Path) -> Result<()> {
    let path = |name: &str| stick.join(name).display().to_string();
    let words: String = (1..=4).map(|n| format!("passphrase number {n}\n")).collect();
    std::fs::write(path("words"), words)?;
    std::fs::write(path("word"), "passphrase number 4\n")?;
    std::fs::write(path("online"), does(server, &["keys", "init", "--online"])?)?;
    let offline = ["keys", "init", "--offline", &path("keys"), "--online-keys", &path("online")];
    does(server, &[&offline[..], &["--passphrase-file", &path("words")]].concat())?;
    does(server, &["keys", "install", &path("keys/1.root.json"), "--bundle", &path("keys/first")])?;
    does(server, &["keys", "status", "--copy", &path("in-force")])?;
    Ok(())
}

#[test]
fn the_consoles_document_is_signed_offline_and_its_publication_closes_the_draft() -> Result<()> {
    let console = Console::new()?;
    let (server, stick) = (&console.server, tempfile::tempdir()?);
    ceremony(server, stick.path())?;
    let path = |name: &str| stick.path().join(name).display().to_string();
    let document = console.candidate("guide", &[("guide.minutes", "7")])?.text();
    let sign = |file: &str| -> Result<String> {
        std::fs::write(path("catalogue.json"), file)?;
        let (catalogue, force, key) = (path("catalogue.json"), path("in-force"), path("keys/targets.p8"));
        let words = ["sign", "--catalogue", &catalogue, "--in-force", &force, "--key", &key];
        does(server, &[&words[..], &["--out", &path("signed"), "--passphrase-file", &path("word")]].concat())
    };
    let broken = document.replacen("\"minutes\":7", "\"minutes\":700", 1);
    assert_ne!(broken, document);
    let refused = sign(&broken).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(refused.contains("guide.minutes"), "what breaks a rule is not signed: {refused}");
    sign(&document)?;
    assert!(console.version()? > 0, "signing closes nothing");
    does(server, &["publish", &path("signed")])?;
    assert_eq!(console.version()?, 0);
    let page = server.page_of(&console.maker, &format!("/catalogue/items/{CODE}"))?.text();
    let version = CATALOGUE + 1;
    assert!(page.contains(&format!("v{version}")) && page.contains("样例员 改，样例员 审"), "{page}");
    let next = console.candidate("guide", &[("guide.minutes", "8")])?.text();
    assert!(next.contains(&format!("\"version\":{}", version + 2)), "after the way back");
    Ok(())
}
