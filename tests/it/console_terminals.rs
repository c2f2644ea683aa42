//! The console's page of terminals: codes, taking out of service, replacing, and what is known of one that is lost.
use anyhow::{Context as _, Result, ensure};
use domain::enrolment::take_apart;
use tests::device::{Device, STATION, courier, enrol_raw};
use tests::http::Answer;
use tests::people::Person;
use tests::server::Server;
use tests::tls::{authority_of, key};

/// The code on a page that shows one.
fn code_on(page: &str) -> Result<String> {
    let (_, rest) = page.split_once("class=\"number\">").context("a code")?;
    Ok(rest.split_once('<').context("its end")?.0.to_owned())
}

fn post(server: &Server, operator: &Person, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
    server.submit(&operator.cookie, path, fields)
}

#[test]
fn an_operator_enrols_takes_out_of_service_and_replaces() -> Result<()> {
    let server = Server::start_secure(&[])?;
    let operator = server.console()?;
    let empty = server.page("/terminals")?.text();
    ensure!(empty.contains("没有这样的终端") && empty.contains("开登记码"));
    let page = post(&server, operator, "/terminals/new", &[("station", STATION)])?.text();
    let typed = code_on(&page)?;
    let (code, centre) = take_apart(&typed).context("a code")?;
    assert_eq!(centre.as_ref(), Some(authority_of(&server)?.fingerprint()));
    let mut device = Device::enrol_with(&server, &code, 1)?;
    let id = device.enrolled.terminal.to_string();
    // Two places of the series never come.
    let first = device.seal(&courier())?;
    device.seq += 2;
    let fourth = device.seal(&courier())?;
    device.send(&server, &[first, fourth])?;
    let path = format!("/terminals/{id}");
    let page = server.page(&path)?.text();
    for words in ["2–3", "2 件，最大 4", "这台终端登记以后还没有报告过", "登记", STATION]
    {
        ensure!(page.contains(words), "{words}: {page}");
    }
    ensure!(server.page("/terminals")?.text().contains(&path), "it is listed");
    // Out of service: with a reason, and from the next request on.
    let block = format!("{path}/block");
    ensure!(server.page(&block)?.text().contains("从它的下一个请求起"));
    assert_eq!(post(&server, operator, &block, &[("reason", " ")])?.status, 422);
    assert_eq!(post(&server, operator, &block, &[("reason", "机器丢了")])?.status, 303);
    let refused = device.signed_get(&server, "/api/v1/changes?after=0&wait=0")?;
    assert_eq!(refused.problem()?, "terminal-blocked");
    assert_eq!(post(&server, operator, &block, &[("reason", "再来一次")])?.status, 409);
    let page = server.page(&path)?.text();
    ensure!(page.contains("机器丢了") && page.contains("恢复使用") && page.contains("已停用"));
    // The one that takes its place.
    let page = post(&server, operator, &format!("{path}/replace"), &[("reason", "换新机")])?.text();
    ensure!(page.contains("代替") && page.contains(&id));
    let (code, _) = take_apart(&code_on(&page)?).context("a code")?;
    let next = Device::enrol_with(&server, &code, 2)?;
    assert_eq!(next.enrolled.station, device.enrolled.station);
    let page = server.page(&format!("/terminals/{}", next.enrolled.terminal))?.text();
    ensure!(page.contains(&id), "its history says whom it replaces");
    assert_eq!(enrol_raw(&server, &code, &key(3))?.problem()?, "enrol-code-used");
    assert_eq!(post(&server, operator, &format!("{path}/unblock"), &[("reason", "找到了")])?.status, 303);
    assert_eq!(device.signed_get(&server, "/api/v1/changes?after=0&wait=0")?.status, 200);
    for nowhere in ["/terminals/T-99", "/terminals/T-99/block", &format!("{path}/pause"), "/terminals/%00"] {
        assert_eq!(server.page(nowhere)?.status, 404, "{nowhere}");
    }
    let codes = server.rows("SELECT digest FROM enrol_code", &[])?;
    ensure!(
        codes.iter().all(|row| row.text(0).is_ok_and(|digest| digest.len() == 64)),
        "only digests are kept"
    );
    Ok(())
}
