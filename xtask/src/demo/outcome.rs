//! Whether the story ended as promised: one slip, one receipt, one case at the centre, the same digest everywhere.
//! And `story.json`, which says so with everything that it rests on.
//!
//! Refuses to believe the screen: it asks the terminal's store and the centre's pages.
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use domain::envelope::SignedDocument;
use domain::wire::v1::{ReceiptBody, SlipBody};
use serde_json::{Value, json};

use super::http;
use super::people::Visitor;
use super::programs::{Server, Terminal};
use crate::process::{Interrupt, wait_until};

/// How long the centre may take to open the content after the receipt.
const OPENING_LIMIT: Duration = Duration::from_secs(30);
/// How long a submission may take to arrive once the link is back: longer than the longest pause between two tries.
pub const DELIVERY_LIMIT: Duration = Duration::from_secs(180);

/// The one row of the terminal's queue.
pub struct Row {
    /// As `terminal status --json` tells it.
    pub all: Value,
    /// What the slip says.
    pub slip: SlipBody,
    /// What the receipt says, once there is one.
    pub receipt: Option<ReceiptBody>,
}

impl Row {
    /// Reads the terminal's queue, which must hold exactly one row.
    ///
    /// # Errors
    /// If there are more or fewer, or the slip cannot be read.
    pub fn read(terminal: &Terminal) -> Result<Self> {
        Self::parse(&terminal.status()?)
    }

    fn parse(status: &Value) -> Result<Self> {
        let rows = status["rows"].as_array().context("terminal status has no rows")?;
        let [row] = rows.as_slice() else { bail!("the terminal holds {} submissions, not one", rows.len()) };
        let slip: SignedDocument =
            serde_json::from_value(row["slip"].clone()).context("no slip in the store")?;
        let receipt: Option<SignedDocument> =
            serde_json::from_value(row["receipt"].clone()).context("the receipt cannot be read")?;
        let receipt =
            receipt.map(|r| serde_json::from_slice(&r.body.0).context("the receipt cannot be read"));
        let slip = serde_json::from_slice(&slip.body.0).context("the slip cannot be read")?;
        Ok(Self { all: row.clone(), slip, receipt: receipt.transpose()? })
    }

    /// Waits until the receipt is there.
    ///
    /// # Errors
    /// If it does not come; says what the last try said.
    pub fn delivered(terminal: &Terminal, interrupt: &Interrupt) -> Result<Self> {
        let mut last = Value::Null;
        let row = wait_until(DELIVERY_LIMIT, interrupt, || {
            let row = Self::read(terminal)?;
            last = row.all["last_error"].clone();
            Ok((row.all["state"] == "delivered" && row.receipt.is_some()).then_some(row))
        })?;
        row.with_context(|| {
            format!("no receipt within {} s; the last try said {last}", DELIVERY_LIMIT.as_secs())
        })
    }
}

/// What the centre holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Centre {
    /// Addresses of cases in the console's list of all cases.
    pub cases: Vec<String>,
    /// The digest on the page of the case.
    pub digest: String,
    /// Where the public page of the slip is, relative to the people's listener.
    pub slip_page: String,
}

/// Asks the console, as somebody who is signed in, until the content of the case was opened and found right.
///
/// # Errors
/// If it is not there in time, or there is another case.
pub fn centre(server: &Server, visitor: &Visitor, slip: &SlipBody, interrupt: &Interrupt) -> Result<Centre> {
    let opened = wait_until(OPENING_LIMIT, interrupt, || {
        let page = visitor.page("/cases?state=submitted")?;
        Ok(cases(&page).contains(&format!("/cases/{}", slip.number)).then_some(()))
    })?;
    opened.with_context(|| format!("case {} was not found right by the centre", slip.number))?;
    let all = visitor.page("/cases")?;
    let case = visitor.page(&format!("/cases/{}", slip.number))?;
    let wanted = slip.digest.to_string();
    ensure!(case.contains(&wanted), "the page of the case does not show the slip's digest {wanted}");
    let slip_page = links(&case).find(|l| l.starts_with("/slips/")).context("the case has no public page")?;
    // Whoever has the slip needs no account.
    let public = http::get(&format!("{}{slip_page}", server.addresses().people), None)?;
    ensure!(public.status == 200, "the public page of the slip answers {}", public.status);
    Ok(Centre { cases: cases(&all), digest: wanted, slip_page })
}

/// All that must be true at the end.
///
/// # Errors
/// Names what is not.
pub fn judge(row: &Row, centre: &Centre) -> Result<()> {
    let receipt = row.receipt.as_ref().context("there is no receipt")?;
    ensure!(centre.cases.len() == 1, "the centre holds {} cases, not one", centre.cases.len());
    ensure!(
        centre.cases[0] == format!("/cases/{}", row.slip.number),
        "the centre's case is {}",
        centre.cases[0]
    );
    ensure!(receipt.envelope_id == row.slip.envelope_id, "the receipt is for another envelope");
    ensure!(receipt.complete, "the receipt says that something is missing");
    let digest = row.slip.digest.to_string();
    let others = [
        receipt.digest.to_string(),
        centre.digest.clone(),
        row.all["digest"].as_str().unwrap_or("").to_owned(),
    ];
    ensure!(
        others.iter().all(|other| *other == digest),
        "digests differ: {digest} on the slip, then {others:?}"
    );
    Ok(())
}

/// The part of `story.json` that this page answers for.
pub fn report(row: &Row, centre: &Centre) -> Value {
    json!({
        "number": row.slip.number,
        "counts": { "slips": 1, "receipts": u8::from(row.receipt.is_some()), "cases": centre.cases.len() },
        "digests": {
            "slip": row.slip.digest, "store": row.all["digest"],
            "receipt": row.receipt.as_ref().map(|r| r.digest), "centre": centre.digest,
        },
        "slip": { "body": row.slip, "document": row.all["slip"] },
        "receipt": { "body": row.receipt, "document": row.all["receipt"] },
        "attempts": row.all["attempts"],
    })
}

/// Reads the QR code in a picture and gives its text.
///
/// # Errors
/// If there is none.
pub fn qr_code(picture: &Path) -> Result<String> {
    let mut command = std::process::Command::new("zbarimg");
    command.args(["--quiet", "--raw", "--nodbus"]).arg(picture);
    let text = crate::process::output(command)
        .context("the picture of the slip shows no QR code that can be read")?;
    Ok(text.trim().to_owned())
}

fn cases(page: &str) -> Vec<String> {
    links(page).filter(|link| link.strip_prefix("/cases/").is_some_and(|number| !number.is_empty())).collect()
}

fn links(page: &str) -> impl Iterator<Item = String> {
    let hrefs = page.split("href=\"").skip(1);
    hrefs
        .filter_map(|rest| rest.split('"').next())
        .map(|link| link.replace("&#38;", "&").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(digest: &str, receipt_digest: &str) -> Row {
        let id = "01890000-0000-7000-8000-000000000001";
        let slip = json!({ "envelope_id": id, "digest": digest, "number": "XN26112400100013", "item": "hrss.flex-enroll",
            "station": "XN-CCB-CD-01", "terminal": "T-1", "made_at_ms": 1 });
        let receipt = json!({ "envelope_id": id, "digest": receipt_digest, "server_seq": 1, "accepted_at_ms": 2,
            "complete": true });
        let slip: SlipBody = serde_json::from_value(slip).unwrap();
        Row { all: json!({ "digest": digest }), slip, receipt: serde_json::from_value(receipt).unwrap() }
    }

    fn held(cases: &[&str], digest: &str) -> Centre {
        let cases = cases.iter().map(|c| (*c).to_owned()).collect();
        Centre { cases, digest: digest.to_owned(), slip_page: String::new() }
    }

    #[test]
    fn only_one_case_with_the_slips_digest_is_good() {
        let (a, b) = ("a1".repeat(32), "b2".repeat(32));
        let ours = "/cases/XN26112400100013";
        assert!(judge(&row(&a, &a), &held(&[ours], &a)).is_ok());
        let bad = [
            (row(&a, &a), held(&[], &a), "0 cases"),
            (row(&a, &a), held(&[ours, "/cases/XN26112400100021"], &a), "2 cases"),
            (row(&a, &a), held(&["/cases/XN26112400100021"], &a), "the centre's case"),
            (row(&a, &b), held(&[ours], &a), "digests differ"),
            (row(&a, &a), held(&[ours], &b), "digests differ"),
            (Row { receipt: None, ..row(&a, &a) }, held(&[ours], &a), "no receipt"),
        ];
        for (row, centre, why) in bad {
            let error = judge(&row, &centre).unwrap_err().to_string();
            assert!(error.contains(why), "{error} / {why}");
        }
    }

    #[test]
    fn two_submissions_or_none_are_not_one() {
        for rows in [json!([]), json!([{}, {}]), Value::Null] {
            assert!(Row::parse(&json!({ "rows": rows })).is_err());
        }
    }

    #[test]
    fn cases_are_counted_by_their_links() {
        let page = "<a href=\"/cases/XN1\">1</a><a href=\"/cases\">all</a><a href=\"/cases?q=&#38;a\"><a href=\"/cases/XN2\">";
        assert_eq!(cases(page), ["/cases/XN1", "/cases/XN2"]);
    }
}
