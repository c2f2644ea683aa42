//! The department desk over a real server: a case comes in sealed, and each department sees and does its part of it.
mod approval;
mod at_phone;
mod at_window;
mod attachments;
mod browser;
mod certificates;
mod citizen;
pub mod fits;
mod messages;
mod no_crime;
mod parcels;
mod progress;
mod safe;
mod story;
mod supplement;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use domain::case::CaseState;
use domain::ids::EnvelopeId;
use domain::wire::v1::Submission;
use serde_json::json;
use sync_server::auth::role::Role;
use tests::device::{Device, courier, header_of, wait_for_state};
use tests::http::Answer;
use tests::people::Person;
use tests::server::Server;

/// The desk that accepts bundles.
pub const HALL: &str = "政务服务中心(综合受理)";
/// Departments of the bundle of the stories, whose steps run side by side.
const PENSION: &str = "人社";
const MEDICAL: &str = "医保";
/// The bundle.
pub const BUNDLE: &str = "one.flexwork";
/// The item of [`courier`], done by [`PENSION`] alone.
const PHONE: &str = "13900139000";
const ID_NUMBER: &str = "639900199005201035";
const NAME: &str = "样小川";
/// On the card of whoever applies for the bundle.
const ADDRESS: &str = "样例省样例市样例路七号";

/// A server with people of three departments.
struct Desk {
    server: Server,
    device: Device,
    hall: Person,
    pension: Person,
    colleague: Person,
    leader: Person,
    medical: Person,
    stranger: Person,
}

/// A case at the centre.
struct Case {
    id: EnvelopeId,
    number: String,
}

impl Desk {
    fn new() -> Result<Self> {
        Self::with(&[])
    }

    /// With further arguments of the server.
    fn with(arguments: &[&str]) -> Result<Self> {
        let server = Server::start_with(arguments)?;
        let device = Device::enrol(&server, 1)?;
        let person = |name, unit, role| server.person_of((name, unit), &[role]);
        Ok(Self {
            hall: person("厅甲", HALL, Role::Clerk)?,
            pension: person("社甲", PENSION, Role::Reviewer)?,
            colleague: person("社乙", PENSION, Role::Reviewer)?,
            leader: person("社长", PENSION, Role::Leader)?,
            medical: person("医甲", MEDICAL, Role::Reviewer)?,
            stranger: person("公甲", "公安", Role::Reviewer)?,
            device,
            server,
        })
    }

    /// A submission of the courier for the bundle comes in and is opened.
    fn bundle(&mut self) -> Result<Case> {
        self.comes_in(&bundle()?, BUNDLE)
    }

    /// A submission of the courier for one item comes in and is opened.
    fn item(&mut self) -> Result<Case> {
        self.comes_in(&courier(), tests::device::ITEM)
    }

    fn comes_in(&mut self, submission: &Submission, code: &str) -> Result<Case> {
        let item = code.parse()?;
        let plain = serde_json::to_vec(submission)?;
        let upload = self.device.seal_with(&plain, |header| header.item = Some(item))?;
        let header = header_of(&upload)?;
        self.device.send(&self.server, std::slice::from_ref(&upload))?;
        wait_for_state(&self.device, &self.server, header.envelope_id, CaseState::Submitted)?;
        Ok(Case { id: header.envelope_id, number: header.number.context("a number")?.to_string() })
    }

    fn page(&self, who: &Person, path: &str) -> Result<String> {
        let answer = self.server.page_of(who, path)?;
        ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
        Ok(answer.text())
    }

    /// The page of a case at a step.
    fn case(&self, who: &Person, case: &Case, step: &str) -> Result<String> {
        self.page(who, &format!("/desk/{}?step={step}", case.number))
    }

    /// Opens the case and does something there, with more fields.
    fn does(
        &self,
        (who, case): (&Person, &Case),
        step: &str,
        deed: &str,
        more: &[(&str, &str)],
    ) -> Result<Answer> {
        let page = self.case(who, case, step)?;
        self.sends((who, case), &page, deed, more)
    }

    /// Does something with the form of a page that was opened before.
    fn sends(
        &self,
        (who, case): (&Person, &Case),
        page: &str,
        deed: &str,
        more: &[(&str, &str)],
    ) -> Result<Answer> {
        let hidden = form(page, deed).with_context(|| format!("no {deed} in {page}"))?;
        let mut fields: Vec<(&str, &str)> = hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        fields.extend(more);
        self.server.submit(&who.cookie, &format!("/desk/{}", case.number), &fields)
    }

    /// How many actions of a kind a case has.
    fn actions(&self, case: &Case, kind: &str) -> Result<i64> {
        let sql =
            format!("SELECT COUNT(*) FROM action WHERE envelope_id = '{}' AND kind = '{kind}'", case.id);
        self.server.number(&sql)
    }

    /// How many audit rows of an event a case has.
    fn audited(&self, case: &Case, event: &str) -> Result<i64> {
        self.audited_of(&case.id, event)
    }

    /// How many audit rows of an event an envelope has.
    fn audited_of(&self, id: &EnvelopeId, event: &str) -> Result<i64> {
        self.server
            .number(&format!("SELECT COUNT(*) FROM audit WHERE subject = '{id}' AND event = '{event}'"))
    }
}

/// The courier's application for the bundle: registered already, both insurances, no subsidy.
pub fn bundle() -> Result<Submission> {
    let mut submission = courier();
    submission.applicant.address = Some(ADDRESS.to_owned());
    submission.answers.remove("hukou_region");
    submission.answers.insert("job_desc".to_owned(), json!("送外卖"));
    let situation = [("reg", "yes"), ("which", "both"), ("hard", "no")];
    let chosen = situation.map(|(q, o)| (q.to_owned(), std::iter::once(o.to_owned()).collect()));
    submission.situation = Some(BTreeMap::from(chosen));
    Ok(submission)
}

/// The hidden fields of a deed's form; none if the page does not offer it.
pub fn form(page: &str, deed: &str) -> Option<Vec<(String, String)>> {
    let form = page.split(&format!("<form id=\"deed-{deed}\"")).nth(1)?.split("</form>").next()?;
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    inputs
        .map(|input| {
            let (name, rest) = input.split_once('"')?;
            let value = rest.split("value=\"").nth(1)?.split('"').next()?;
            Some((name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// The deeds that a page offers.
fn offered(page: &str) -> Vec<&str> {
    page.split("<form id=\"deed-").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Where an answer leads.
fn leads_to(answer: &Answer) -> Result<&str> {
    ensure!(answer.status == 303, "{}: {}", answer.status, answer.text());
    answer.header("location").context("a location")
}
