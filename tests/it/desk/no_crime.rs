//! 证明 that an item alone gives, and the one that is not given: where there is something on record, nobody but the
//! department says so, to the person alone.
use anyhow::{Context as _, Result, ensure};
use domain::wire::v1::Submission;
use serde_json::json;
use sync_server::auth::role::Role;
use tests::device::courier;
use tests::http;
use tests::people::Person;

use super::{Case, Desk, ID_NUMBER, NAME, leads_to};

const ITEM: &str = "psb.no-crime";
const POLICE: &str = "公安";
/// What would say how it ended, or what for.
const NEVER: [&str; 10] =
    ["不予", "准予", "efused", "犯罪", "驳回", "canary-of-record", "legal_basis", "granted", NAME, ID_NUMBER];

fn request() -> Submission {
    let mut submission = courier();
    let sign = submission.answers.remove("sign").unwrap_or_default();
    let answers =
        json!({ "purpose": "就业", "phone": "13900139000", "receive_way": "服务大厅自取", "sign": sign });
    submission.answers = answers.as_object().cloned().unwrap_or_default();
    let chosen = ("agent".to_owned(), std::iter::once("self".to_owned()).collect());
    submission.situation = Some(std::iter::once(chosen).collect());
    submission
}

/// A request that the police accepted.
fn accepted() -> Result<(Desk, Person, Case)> {
    let mut desk = Desk::new()?;
    let police = desk.server.person_of(("警甲", POLICE), &[Role::Clerk, Role::Reviewer])?;
    let case = desk.comes_in(&request(), ITEM)?;
    leads_to(&desk.does((&police, &case), "review", "accept", &[])?)?;
    Ok((desk, police, case))
}

/// A page without numbers, times and tokens.
fn bare(page: &str) -> String {
    let mut parts = page.split("?d=");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_alphanumeric()));
    rest.fold(first, |page, part| page + part).chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// All that the citizen's page and the terminal get to hear.
fn heard(desk: &Desk, case: &Case) -> Result<Vec<(&'static str, String)>> {
    let slip = desk.slip_address(case)?;
    let page = |path: &str| -> Result<String> { Ok(http::get(&desk.server.people, path, &[])?.text()) };
    let news = serde_json::to_string(&desk.device.changes(&desk.server, 0, 0)?)?;
    Ok(vec![
        ("slip", page(&slip)?),
        ("slip in English", page(&format!("{slip}&lang=en"))?),
        ("news of the terminal", news),
        ("own cases at the terminal", desk.citizen(&courier().applicant)?.text()),
    ])
}

#[test]
fn what_is_on_record_reaches_neither_the_terminal_nor_the_citizens_page() -> Result<()> {
    let (desk, police, case) = accepted()?;
    let words = [("basis", "0"), ("text", "canary-of-record")];
    leads_to(&desk.does((&police, &case), "review", "refuse", &words)?)?;
    for (what, text) in heard(&desk, &case)? {
        for word in NEVER {
            ensure!(!text.contains(word), "{what} says {word}: {text}");
        }
    }
    let slip = desk.slip(&desk.slip_address(&case)?)?;
    ensure!(slip.contains("请带身份证到公安领取结果") && slip.contains("公安证明申请"), "{slip}");
    let id = case.id;
    for table in ["certificate", "parcel"] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE envelope_id = '{id}'");
        ensure!(desk.server.number(&sql)? == 0, "{table}");
    }
    let stored = desk.server.stored_bytes()?;
    let holds = |part: &[u8]| stored.windows(part.len()).any(|window| window == part);
    ensure!(!holds(b"canary-of-record"), "it is sealed at the centre as well");
    Ok(())
}

#[test]
fn what_is_given_has_a_title_and_an_end_and_waits_at_the_department() -> Result<()> {
    let (desk, police, case) = accepted()?;
    leads_to(&desk.does((&police, &case), "review", "pass", &[])?)?;
    let page = desk.case(&police, &case, "review")?;
    ensure!(page.contains("无犯罪记录证明") && page.contains("id=\"certificates\""), "{page}");
    let sql = format!("SELECT valid_from, valid_until FROM certificate WHERE envelope_id = '{}'", case.id);
    let rows = desk.server.rows(&sql, &[])?;
    let row = rows.first().context("one")?;
    let (from, until): (domain::date::CivilDate, domain::date::CivilDate) = (row.parsed(0)?, row.parsed(1)?);
    ensure!(from.days_to(until) == 179 && rows.len() == 1, "{from} {until}");
    let slip = desk.slip(&desk.slip_address(&case)?)?;
    ensure!(slip.contains("请带身份证到公安领取结果"), "{slip}");
    for (what, text) in heard(&desk, &case)? {
        for word in NEVER {
            ensure!(!text.contains(word), "{what} says {word}: {text}");
        }
    }
    Ok(())
}

#[test]
fn the_slip_of_what_is_given_is_the_slip_of_what_is_refused() -> Result<()> {
    let (mut desk, police, refused) = accepted()?;
    let words = [("basis", "0"), ("text", "canary-of-record")];
    leads_to(&desk.does((&police, &refused), "review", "refuse", &words)?)?;
    let given = desk.comes_in(&request(), ITEM)?;
    leads_to(&desk.does((&police, &given), "review", "accept", &[])?)?;
    leads_to(&desk.does((&police, &given), "review", "pass", &[])?)?;
    for language in ["", "&lang=en"] {
        let slip = |case: &Case| desk.slip(&format!("{}{language}", desk.slip_address(case)?));
        let (one, other) = (bare(&slip(&refused)?), bare(&slip(&given)?));
        ensure!(one.contains("id=\"result\"") && one == other, "{one}\n{other}");
    }
    Ok(())
}
