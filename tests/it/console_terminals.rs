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

/// What a scanner reads from the drawing on a page: `zbarimg` looks at the dark runs of its path.
fn scanned(page: &str) -> Result<String> {
    const SCALE: usize = 4;
    let after = |text: &str, mark: &str| -> Result<String> {
        Ok(text.split_once(mark).with_context(|| mark.to_owned())?.1.to_owned())
    };
    let drawing = after(page, "<figure class=\"qr\">")?;
    let number = |text: &str| text.parse::<usize>().with_context(|| text.to_owned());
    let side = number(after(&drawing, "viewBox=\"0 0 ")?.split(' ').next().context("a side")?)?;
    let path = after(&drawing, "<path d=\"")?;
    let mut light = vec![255_u8; side * side * SCALE * SCALE];
    for run in path.split_once('"').context("an end")?.0.split('M').skip(1) {
        let (x, rest) = run.split_once(' ').context("a place")?;
        let (y, rest) = rest.split_once('h').context("a run")?;
        let (x, y, wide) = (number(x)?, number(y)?, number(rest.split_once('v').context("its width")?.0)?);
        for row in y * SCALE..(y + 1) * SCALE {
            light[row * side * SCALE..][x * SCALE..(x + wide) * SCALE].fill(0);
        }
    }
    let folder = tempfile::tempdir()?;
    let (file, pixels) = (folder.path().join("code.pgm"), side * SCALE);
    std::fs::write(&file, [format!("P5 {pixels} {pixels} 255\n").as_bytes(), &light].concat())?;
    let said = std::process::Command::new("zbarimg").args(["--quiet", "--raw"]).arg(&file).output();
    let said = said.context("zbarimg is not here: cargo xtask setup installs it")?;
    ensure!(said.status.success(), "no code is seen: {}", String::from_utf8_lossy(&said.stderr));
    Ok(String::from_utf8(said.stdout)?.trim_end().to_owned())
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
    assert_eq!(scanned(&page)?, typed, "the code to be scanned is the one to be typed");
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
