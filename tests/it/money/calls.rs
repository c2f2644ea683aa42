//! Call-backs: believed only if signed and young, counted once however often and however many at once, and never lost.
use std::io::Write as _;
use std::net::TcpStream;

use anyhow::{Context as _, Result, ensure};
use domain::money::Fen;
use sync_server::gateway::Told;
use sync_server::gateway::sign::{NONCE, SIGNATURE, TIMESTAMP, sign};
use tests::device::{JSON, now_ms};
use tests::http::{self, Answer};
use tests::payment_gateway::{KEY, Manner};

use super::Till;

const PATH: &str = "/payments/notify";

/// A call-back as somebody sends it.
struct Call {
    key: [u8; 32],
    at_ms: i64,
    body: Vec<u8>,
}

impl Call {
    fn of(transaction: &str, order: &str, fen: i64) -> Result<Self> {
        let (transaction, order, fen) = (transaction.to_owned(), order.to_owned(), Fen::new(fen)?);
        let told = Told { transaction, order, fen, currency: "CNY".into(), paid_at_ms: now_ms() };
        Ok(Self { key: KEY, at_ms: now_ms(), body: serde_json::to_vec(&told)? })
    }

    fn fields(&self) -> [(&'static str, String); 3] {
        let signed = sign(&self.key, &format!("POST {PATH}"), (self.at_ms, "nonce0123456789"), &self.body);
        [(TIMESTAMP, self.at_ms.to_string()), (NONCE, signed.nonce), (SIGNATURE, signed.signature)]
    }

    fn send(&self, till: &Till) -> Result<Answer> {
        self.send_to(&till.server.people)
    }

    fn send_to(&self, people: &str) -> Result<Answer> {
        let fields = self.fields();
        let mut headers = vec![JSON];
        headers.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
        http::post(people, PATH, &headers, &self.body)
    }
}

#[test]
fn what_is_not_signed_not_young_or_no_payment_changes_nothing() -> Result<()> {
    let mut till = Till::new()?;
    let (_, bill) = till.billed()?;
    let good = Call::of("C1", &bill, 2_550)?;
    let bare = http::post(&till.server.people, PATH, &[JSON], &good.body)?;
    ensure!(bare.status == 401 && bare.text().contains("FAIL"), "{}", bare.text());
    let old = now_ms() - 6 * 60_000;
    let table = [
        (Call { key: [1; 32], ..Call::of("C1", &bill, 2_550)? }, 401),
        (Call { at_ms: old, ..Call::of("C1", &bill, 2_550)? }, 400),
        (Call { at_ms: now_ms() + 6 * 60_000, ..Call::of("C1", &bill, 2_550)? }, 400),
        (Call { body: b"<html>".to_vec(), ..Call::of("C1", &bill, 1)? }, 400),
        (Call { body: b"{}".to_vec(), ..Call::of("C1", &bill, 1)? }, 400),
        (
            Call {
                body: br#"{"transaction":"C1","order":"x","fen":-5,"currency":"CNY","paid_at_ms":1}"#
                    .to_vec(),
                ..Call::of("C1", &bill, 1)?
            },
            400,
        ),
        (
            Call {
                body: br#"{"transaction":"C1","order":"x","fen":1.5,"currency":"CNY","paid_at_ms":1}"#
                    .to_vec(),
                ..Call::of("C1", &bill, 1)?
            },
            400,
        ),
        (Call::of("C 1", &bill, 5)?, 400),
        (Call::of("C1", &bill, 0)?, 400),
        (Call { body: vec![b' '; 20_000], ..Call::of("C1", &bill, 1)? }, 413),
    ];
    for (call, status) in table {
        let answer = call.send(&till)?;
        ensure!(
            answer.status == status && answer.text().contains("FAIL"),
            "{status}: {} {:.200}",
            answer.status,
            answer.text()
        );
    }
    ensure!(till.server.number("SELECT COUNT(*) FROM payment")? == 0);
    // With the right key the same word is believed, and told otherwise afterwards it is not.
    ensure!(good.send(&till)?.text().contains("SUCCESS") && good.send(&till)?.text().contains("SUCCESS"));
    ensure!(Call::of("C1", &bill, 9)?.send(&till)?.status == 409);
    ensure!(till.sums(&bill)?.1 == [2_550, 2_550, 0, 0]);
    ensure!(till.server.number("SELECT COUNT(*) FROM alarm WHERE kind = 'payment.differs'")? == 1);
    till.is_sound()
}

#[test]
fn call_backs_at_the_same_time_count_each_payment_once() -> Result<()> {
    let mut till = Till::new()?;
    let (_, bill) = till.billed()?;
    let people = till.server.people.clone();
    let answers = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..16)
            .map(|n| {
                let (people, bill) = (people.clone(), bill.clone());
                // Eight times one payment, and eight times another.
                scope.spawn(move || Call::of(&format!("S{}", n % 2), &bill, 2_550)?.send_to(&people))
            })
            .collect();
        calls.into_iter().map(|call| call.join().ok().context("a call")?).collect::<Result<Vec<_>>>()
    })?;
    ensure!(
        answers.iter().all(|answer| answer.status == 200),
        "{:?}",
        answers.iter().map(|a| a.status).collect::<Vec<_>>()
    );
    ensure!(till.server.number("SELECT COUNT(*) FROM payment")? == 2);
    ensure!(till.server.number("SELECT COUNT(*) FROM action WHERE kind = 'bill_paid'")? == 1);
    till.until("the refund", |till| Ok(till.sums(&bill)?.1 == [5_100, 2_550, 2_550, 0]))?;
    till.is_sound()
}

#[test]
fn a_server_that_dies_between_the_call_and_its_answer_counts_it_once() -> Result<()> {
    let mut till = Till::new()?;
    let (_, bill) = till.billed()?;
    till.gateway.set(Manner::NoCalls);
    let transaction = till.gateway.pay(&bill, 2_550)?;
    let call = Call::of(&transaction, &bill, 2_550)?;
    // The call is sent, and nobody hears the answer.
    let host = till.server.people.strip_prefix("http://").context("an address")?.to_owned();
    let mut stream = TcpStream::connect(&host)?;
    let fields: String = call.fields().iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = call.body.len();
    write!(stream, "POST {PATH} HTTP/1.1\r\nhost: {host}\r\n{fields}content-length: {length}\r\n\r\n")?;
    stream.write_all(&call.body)?;
    till.until("the payment", |till| Ok(till.server.number("SELECT COUNT(*) FROM payment")? == 1))?;
    let Till { server, gateway, device, reviewer, operator } = till;
    let server = server.kill_and_restart()?;
    let till = Till { server, gateway, device, reviewer, operator };
    drop(stream);
    till.gateway.calls_go_to(&till.server.people);
    till.gateway.set(Manner::Honest);
    till.gateway.answered(&transaction, 1)?;
    ensure!(till.server.number("SELECT COUNT(*) FROM payment")? == 1);
    ensure!(till.sums(&bill)? == ("paid".to_owned(), [2_550, 2_550, 0, 0]));
    till.is_sound()
}

#[test]
fn an_order_of_which_the_server_heard_no_answer_is_paid_all_the_same() -> Result<()> {
    let mut till = Till::new()?;
    let case = till.accepted()?;
    // The gateway makes the order, and what it answers cannot be believed: the bill knows of no order.
    till.gateway.set(Manner::OtherKey);
    till.does(&case, "bill", &[("amount", "25.50"), ("basis", "0"), ("text", "样例：工本费")])?;
    let bill = till.bill_of(&case)?;
    till.gateway.orders(1)?;
    let transaction = till.gateway.pay(&bill, 2_550)?;
    till.gateway.refused(&transaction, 401)?;
    till.gateway.set(Manner::Honest);
    till.gateway.answered(&transaction, 1)?;
    ensure!(till.sums(&bill)?.0 == "paid");
    till.is_sound()
}

#[test]
fn what_a_restored_centre_has_forgotten_waits_for_people_and_goes_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (data, kept) = (folder.path().join("data"), folder.path().join("kept.db"));
    let server = tests::server::Server::start_in(&data)?;
    let gateway = tests::payment_gateway::PaymentGateway::start()?;
    gateway.serve_for(&data)?;
    let mut till = Till {
        device: tests::device::Device::enrol(&server, 1)?,
        reviewer: server.person_of(("社甲", super::UNIT), &[sync_server::auth::role::Role::Reviewer])?,
        operator: server.person(&[sync_server::auth::role::Role::Operator])?,
        gateway,
        server,
    };
    let case = till.accepted()?;
    till.server.stop()?;
    std::fs::copy(data.join("server.db"), &kept)?;
    till.server = tests::server::Server::start_in(&data)?;
    till.does(&case, "bill", &[("amount", "25.50"), ("basis", "0"), ("text", "样例：工本费")])?;
    let bill = till.bill_of(&case)?;
    till.gateway.orders(1)?;
    till.server.stop()?;
    std::fs::copy(&kept, data.join("server.db"))?;
    till.server = tests::server::Server::start_in(&data)?;
    till.gateway.calls_go_to(&till.server.people);
    let transaction = till.gateway.pay(&bill, 2_550)?;
    till.gateway.answered(&transaction, 1)?;
    let page = till.page(&till.operator, "/payments")?;
    let stray = format!("WZ{transaction}");
    ensure!(page.contains(&stray) && page.contains("有钱到账，对不上缴费单"), "{page}");
    ensure!(!page.contains("社甲"));
    for _ in 0..2 {
        let answer =
            till.server.submit(&till.operator.cookie, &format!("/payments/{stray}/give-back"), &[])?;
        ensure!(answer.status == 303, "{} {}", answer.status, answer.text());
    }
    let refunds = till.gateway.refunds(1)?;
    ensure!(refunds.values().all(|refund| refund.transaction == transaction && refund.fen.get() == 2_550));
    till.until("the refund", |till| Ok(till.sums(&stray)?.1 == [2_550, 0, 2_550, 0]))?;
    till.is_sound()?;
    till.server.stop()
}

#[test]
fn a_payment_whose_call_back_was_lost_comes_from_the_file_of_the_day() -> Result<()> {
    let mut till = Till::new()?;
    let (_, bill) = till.billed()?;
    till.gateway.set(Manner::NoCalls);
    till.gateway.pay(&bill, 2_550)?;
    let file = till.server.data().parent().context("a folder")?.join(format!("{bill}.csv"));
    std::fs::write(&file, till.gateway.file())?;
    let day = domain::date::CivilDate::in_china(now_ms()).to_string();
    let path = file.to_str().context("a path")?;
    let compared = till.server.command(&["reconcile", path, "--day", &day])?;
    let told = String::from_utf8_lossy(&compared.stdout).into_owned();
    ensure!(compared.status.code() == Some(1) && told.contains("is missing here"), "{told}");
    let taken = till.server.command(&["reconcile", path, "--day", &day, "--take", "--json"])?;
    ensure!(
        String::from_utf8_lossy(&taken.stdout).contains("\"taken\":1")
            || String::from_utf8_lossy(&taken.stdout).contains("\"taken\": 1"),
        "{}",
        String::from_utf8_lossy(&taken.stdout)
    );
    ensure!(till.sums(&bill)?.0 == "paid");
    let again = till.server.command(&["reconcile", path, "--day", &day])?;
    ensure!(again.status.success(), "{}", String::from_utf8_lossy(&again.stdout));
    std::fs::write(&file, "<html>502</html>")?;
    let odd = till.server.command(&["reconcile", path, "--day", &day])?;
    ensure!(!odd.status.success() && odd.status.code() != Some(0), "no file of a day");
    std::fs::remove_file(&file)?;
    till.is_sound()
}
