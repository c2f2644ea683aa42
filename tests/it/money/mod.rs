//! Money over a real server and a simulated gateway: from the bill at the desk to the page of the slip, call-backs that come
//! twice, at once, forged, late and never, and what a restored centre has forgotten.
mod calls;
mod pages;
mod story;

use anyhow::{Context as _, Result, ensure};
use domain::case::CaseState;
use domain::ids::EnvelopeId;
use serde_json::json;
use sync_server::auth::role::Role;
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::http;
use tests::payment_gateway::PaymentGateway;
use tests::people::Person;
use tests::server::Server;

/// An item of which the catalogue says that a fee may come, and not how much.
const ITEM: &str = "hrss.sscard-reissue";
const UNIT: &str = "人社";

/// A server, its gateway, and people.
struct Till {
    server: Server,
    gateway: PaymentGateway,
    device: Device,
    reviewer: Person,
    operator: Person,
}

/// A case at the centre.
struct Case {
    id: EnvelopeId,
    number: String,
}

impl Till {
    fn new() -> Result<Self> {
        let server = Server::start()?;
        let gateway = PaymentGateway::start()?;
        gateway.serve_for(server.data())?;
        Ok(Self {
            device: Device::enrol(&server, 1)?,
            reviewer: server.person_of(("社甲", UNIT), &[Role::Reviewer])?,
            operator: server.person(&[Role::Operator])?,
            gateway,
            server,
        })
    }

    /// A case comes in and is accepted.
    fn accepted(&mut self) -> Result<Case> {
        let mut submission = courier();
        let sign = submission.answers.get("sign").cloned().context("a signature")?;
        let phone = submission.answers.get("phone").cloned().context("a phone")?;
        submission.answers.clear();
        submission.answers.extend([
            ("loss_reason".to_owned(), json!("遗失")),
            ("card_bank".to_owned(), json!("建设银行")),
            ("receive_way".to_owned(), json!("本站自取")),
            ("phone".to_owned(), phone),
            ("sign".to_owned(), sign),
        ]);
        submission.situation = None;
        let item = ITEM.parse()?;
        let plain = serde_json::to_vec(&submission)?;
        let upload = self.device.seal_with(&plain, |header| header.item = Some(item))?;
        let header = header_of(&upload)?;
        self.device.send(&self.server, &[upload])?;
        wait_for_state(&self.device, &self.server, header.envelope_id, CaseState::Submitted)?;
        let number = header.number.context("a number")?.to_string();
        let case = Case { id: header.envelope_id, number };
        self.does(&case, "accept", &[])?;
        Ok(case)
    }

    /// A case with a bill of 25.50 yuan, of which the gateway has an order.
    fn billed(&mut self) -> Result<(Case, String)> {
        let case = self.accepted()?;
        let before = self.gateway.orders(0)?.len();
        self.does(&case, "bill", &[("amount", "25.50"), ("basis", "0"), ("text", "样例：工本费")])?;
        let bill = self.bill_of(&case)?;
        ensure!(self.gateway.orders(before + 1)?.iter().any(|ordered| ordered.order.order == bill));
        self.until("the link for paying", |till| {
            Ok(till
                .server
                .number(&format!("SELECT COUNT(*) FROM bill WHERE number = '{bill}' AND pay_url <> ''"))?
                == 1)
        })?;
        Ok((case, bill))
    }

    fn bill_of(&self, case: &Case) -> Result<String> {
        let sql = "SELECT number FROM bill WHERE envelope_id = $1 ORDER BY place DESC";
        let rows = self.server.database()?.open_read_only()?.query(sql, &[case.id.to_string().into()])?;
        Ok(rows.first().context("a bill")?.text(0)?.to_owned())
    }

    /// Does something with the form that the page of a case offers.
    fn does(&self, case: &Case, deed: &str, more: &[(&str, &str)]) -> Result<()> {
        let page = self.page(&self.reviewer, &format!("/desk/{}?step=review", case.number))?;
        let hidden = crate::desk::form(&page, deed).with_context(|| format!("no {deed} in {page}"))?;
        let mut fields: Vec<(&str, &str)> = hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        fields.extend(more);
        let answer = self.server.submit(&self.reviewer.cookie, &format!("/desk/{}", case.number), &fields)?;
        ensure!(answer.status == 303, "{deed}: {} {}", answer.status, answer.text());
        Ok(())
    }

    fn page(&self, who: &Person, path: &str) -> Result<String> {
        let answer = self.server.page_of(who, path)?;
        ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
        Ok(answer.text())
    }

    /// The page of a case's slip, as its QR code opens it.
    fn slip_address(&self, case: &Case) -> Result<String> {
        let page = self.page(&self.operator, &format!("/cases/{}", case.number))?;
        let address = page.split("href=\"/slips/").nth(1).and_then(|rest| rest.split('"').next());
        Ok(format!("/slips/{}", address.context("a slip")?))
    }

    fn slip(&self, case: &Case) -> Result<String> {
        let answer = http::get(&self.server.people, &self.slip_address(case)?, &[])?;
        ensure!(answer.status == 200, "{}", answer.status);
        Ok(answer.text())
    }

    /// Waits until something is so; the server does it by itself.
    fn until(&self, what: &str, is: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while std::time::Instant::now() < end {
            if is(self)? {
                return Ok(());
            }
            std::thread::yield_now();
        }
        anyhow::bail!("{what} does not come")
    }

    /// State and the four sums of a bill: received, kept, refunded, to be refunded.
    fn sums(&self, bill: &str) -> Result<(String, [i64; 4])> {
        let sql = "SELECT state, received_fen, kept_fen, refunded_fen, owed_fen FROM bill WHERE number = $1";
        let rows = self.server.database()?.open_read_only()?.query(sql, &[bill.into()])?;
        let row = rows.first().context("a bill")?;
        Ok((row.text(0)?.to_owned(), [row.int(1)?, row.int(2)?, row.int(3)?, row.int(4)?]))
    }

    /// Rows are what events and actions say.
    fn is_sound(&self) -> Result<()> {
        let output = self.server.command(&["verify"])?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        Ok(())
    }
}
