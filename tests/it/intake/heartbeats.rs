//! Heartbeats at the centre: whose they are, and that an order comes back.
use anyhow::{Context as _, Result};
use domain::envelope::{DeviceKey, KeyRing, SignedDocument, SignedKind, sign_document, verify_document};
use domain::wire::v1::{DeviceReport, DeviceTrouble, Heartbeat, HeartbeatRequest, HeartbeatResponse, Order};
use sync_server::services::rollout;
use sync_server::store::in_transaction;
use tests::device::{Device, JSON, now_ms, set_status};
use tests::http::{self, Answer};
use tests::server::Server;

fn beat(device: &Device, number: u64, catalogue: u64) -> Heartbeat {
    Heartbeat {
        terminal: device.enrolled.terminal.clone(),
        number,
        catalogue,
        failures: Vec::new(),
        order: 0,
        sealing_keys: 0,
        program: "test 0.1".to_owned(),
        queued: 3,
        oldest_ms: Some(1),
        parked: 0,
        disk_free: Some(9),
        disk_percent: None,
        aside: None,
        clock_offset_ms: None,
        devices: Vec::new(),
    }
}

fn signed(heartbeat: &Heartbeat, key: &DeviceKey) -> Result<SignedDocument> {
    Ok(sign_document(SignedKind::Heartbeat, serde_json::to_vec(heartbeat)?, key))
}

fn send(server: &Server, heartbeat: SignedDocument) -> Result<Answer> {
    let body = serde_json::to_vec(&HeartbeatRequest { heartbeat })?;
    http::post(&server.terminals, "/api/v1/heartbeat", &[JSON], &body)
}

#[test]
fn a_heartbeat_is_heard_once_and_brings_the_order() -> Result<()> {
    let server = Server::start()?;
    let (device, other) = (Device::enrol(&server, 1)?, Device::enrol(&server, 2)?);
    let ask = |number| -> Result<HeartbeatResponse> {
        send(&server, signed(&beat(&device, number, 2), &device.key)?)?.json()
    };
    assert_eq!(ask(7)?.order, None, "nothing is ordered yet");
    assert_eq!(device.enrolled.order, None);
    let mut store = server.database()?.open()?;
    in_transaction(store.as_mut(), |tx| rollout::settle(tx, now_ms(), 2))?;
    let order = ask(8)?.order.context("an order")?;
    let ring = KeyRing::new(device.enrolled.receipt_keys.iter().map(|k| k.key.clone()));
    let order: Order = serde_json::from_slice(verify_document(SignedKind::Order, &order, &ring)?)?;
    assert_eq!((order.run, &order.terminal), (Some(2), &device.enrolled.terminal));
    // Whoever waits for news hears of the same, and a newcomer has it from the beginning.
    let path = "/api/v1/changes?after=0&wait=0&order=0";
    let news: domain::wire::v1::ChangesResponse = other.signed_get(&server, path)?.json()?;
    assert!(news.order.is_some());
    let path = format!("/api/v1/changes?after=0&wait=0&order={}", order.number);
    let news: domain::wire::v1::ChangesResponse = other.signed_get(&server, &path)?.json()?;
    assert!(news.order.is_none(), "it has it");
    assert!(device.changes(&server, 0, 0)?.order.is_none(), "who does not ask gets none");
    assert!(Device::enrol(&server, 3)?.enrolled.order.is_some());

    // An old one that comes again is answered and changes nothing.
    let heard = || server.number("SELECT number_ FROM heartbeat WHERE terminal = 'T-01'");
    assert_eq!(heard()?, 8);
    assert!(ask(3)?.order.is_some());
    assert_eq!(heard()?, 8);
    Ok(())
}

#[test]
fn a_heartbeat_that_is_not_its_terminals_own_is_refused() -> Result<()> {
    let server = Server::start()?;
    let (device, other) = (Device::enrol(&server, 1)?, Device::enrol(&server, 2)?);
    let own = beat(&device, 7, 2);
    let problem = |document| -> Result<(u16, String)> {
        let answer = send(&server, document)?;
        Ok((answer.status, answer.problem()?))
    };
    let refused = (401, "signature-invalid".to_owned());
    assert_eq!(problem(signed(&own, &other.key)?)?, refused, "another's key");
    let mut bent = signed(&own, &device.key)?;
    *bent.body.0.last_mut().context("bytes")? = b' ';
    assert_eq!(problem(bent)?.0, 400, "no JSON any more");
    let mut bent = signed(&own, &device.key)?;
    bent.body.0.push(b' ');
    assert_eq!(problem(bent)?, refused, "other bytes");
    let slip = sign_document(SignedKind::Slip, serde_json::to_vec(&own)?, &device.key);
    assert_eq!(problem(slip)?, refused, "another label");
    let mut stranger = own.clone();
    stranger.terminal = "T-77".parse()?;
    assert_eq!(problem(signed(&stranger, &device.key)?)?, (401, "terminal-unknown".to_owned()));
    let mut long = own.clone();
    long.program = "x".repeat(5_000);
    assert_eq!(problem(signed(&long, &device.key)?)?.0, 400);
    let garbage = sign_document(SignedKind::Heartbeat, b"[]".to_vec(), &device.key);
    assert_eq!(problem(garbage)?.0, 400);
    assert_eq!(server.number("SELECT COUNT(*) FROM heartbeat")?, 0);
    assert_eq!(send(&server, signed(&own, &device.key)?)?.status, 200);
    set_status(&server, &device, "blocked")?;
    let mut next = own;
    next.number += 1;
    assert_eq!(problem(signed(&next, &device.key)?)?, (403, "terminal-blocked".to_owned()));
    Ok(())
}

#[test]
fn the_console_shows_how_the_devices_of_a_terminal_are() -> Result<()> {
    let server = Server::start()?;
    let device = Device::enrol(&server, 1)?;
    let report = |name: &str, trouble| DeviceReport {
        device: name.to_owned(),
        trouble,
        for_secs: 7_200,
        done: 41,
        failed: 3,
        recovered: 1,
    };
    let mut heartbeat = beat(&device, 1, 2);
    heartbeat.devices = vec![
        report("card_reader", None),
        report("receipt_printer", Some(DeviceTrouble::NoPaper)),
        report("<b>later</b>", Some(DeviceTrouble::Other)),
    ];
    assert_eq!(send(&server, signed(&heartbeat, &device.key)?)?.status, 200);
    let page = server.page(&format!("/terminals/{}", device.enrolled.terminal))?.text();
    for words in ["读卡器", "凭条打印机", "没有纸", "2 小时", "41 次，失败 3 次"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(page.contains("later") && !page.contains("<b>later"), "a name of a later version is text");
    assert!(server.page("/terminals")?.text().contains("设备有问题"), "the list says so");
    // All well again: the next heartbeat takes the place of the last.
    let mut heartbeat = beat(&device, 2, 2);
    heartbeat.devices = vec![report("receipt_printer", None)];
    assert_eq!(send(&server, signed(&heartbeat, &device.key)?)?.status, 200);
    let page = server.page(&format!("/terminals/{}", device.enrolled.terminal))?.text();
    assert!(page.contains("凭条打印机") && !page.contains("没有纸") && !page.contains("读卡器"));
    // One reader of two is worth a look, and nothing that does not work.
    let mut heartbeat = beat(&device, 3, 2);
    heartbeat.devices = vec![report("card_reader", Some(DeviceTrouble::OneLost))];
    assert_eq!(send(&server, signed(&heartbeat, &device.key)?)?.status, 200);
    let page = server.page(&format!("/terminals/{}", device.enrolled.terminal))?.text();
    assert!(page.contains("读卡器") && page.contains("有一个用不了，另一个能用"), "{page}");
    assert!(!server.page("/terminals")?.text().contains("设备有问题"), "citizens go on");
    Ok(())
}
