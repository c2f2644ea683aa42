//! A certificate over a real server: from the last pass to the paper, the public page, the signed file, and its end.
use std::fs;

use anyhow::{Context as _, Result, ensure};
use domain::certificate::RevocationList;
use domain::envelope::SignedDocument;
use domain::wire::v1::{EnvelopeKind, Submission, Withdrawal};
use serde_json::{Value, json};
use sync_server::auth::role::Role;
use tests::binaries::binary;
use tests::browser::Browser;
use tests::device::courier;
use tests::http::{self, Answer};
use tests::people::Person;

use super::{Case, Desk, ID_NUMBER, NAME, leads_to, offered};

const CHANGE: &str = "one.ent-change";
const REGISTRY: &str = "市场监管";

/// A company changes who stands for it: no staff, no fund, so that one step issues and one of the tax office follows.
pub(super) fn change() -> Submission {
    let mut submission = courier();
    let sign = submission.answers.remove("sign").unwrap_or_default();
    let answers = json!({
        "uscc": "91110000802100433B", "legal_rep": "样大山", "change_item": "法定代表人", "new_value": "样大山",
        "phone": "13900139000", "sign": sign,
    });
    submission.answers = answers.as_object().cloned().unwrap_or_default();
    let situation = [("what", "rep"), ("staff", "no"), ("fund", "no")];
    let chosen = situation.map(|(q, o)| (q.to_owned(), std::iter::once(o.to_owned()).collect()));
    submission.situation = Some(chosen.into_iter().collect());
    submission
}

/// People of the registry, and a case of theirs whose certificate was issued.
struct Registry {
    desk: Desk,
    clerk: Person,
    leader: Person,
    tax: Person,
    case: Case,
}

impl Registry {
    fn new() -> Result<Self> {
        let mut desk = Desk::new()?;
        let case = desk.comes_in(&change(), CHANGE)?;
        let clerk = desk.server.person_of(("市甲", REGISTRY), &[Role::Clerk, Role::Reviewer])?;
        let leader = desk.server.person_of(("市长", REGISTRY), &[Role::Leader])?;
        let tax = desk.server.person_of(("税甲", "税务"), &[Role::Reviewer])?;
        leads_to(&desk.does((&clerk, &case), "s1", "accept", &[])?)?;
        ensure!(!desk.case(&clerk, &case, "s2")?.contains("id=\"certificates\""), "nothing yet");
        leads_to(&desk.does((&clerk, &case), "s2", "pass", &[])?)?;
        Ok(Self { desk, clerk, leader, tax, case })
    }

    /// The address of the certificate's files on a page of the case.
    fn address(&self) -> Result<String> {
        let page = self.desk.case(&self.clerk, &self.case, "s2")?;
        let start = format!("<a class=\"btn sm\" href=\"/desk/{}/certificates/", self.case.number);
        let rest = page.split(&start).nth(1).with_context(|| format!("no certificate in {page}"))?;
        let number = rest.split('"').next().context("an end")?;
        Ok(format!("/desk/{}/certificates/{number}", self.case.number))
    }

    /// The path of its public page, as the signed file has it.
    fn public(&self) -> Result<String> {
        let file = self.take(&self.clerk, &format!("{}/file", self.address()?))?;
        let body: Value = serde_json::from_slice(&file.json::<SignedDocument>()?.body.0)?;
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        Ok(format!("/certificates/{}?t={}", text("number"), text("token")))
    }

    fn take(&self, who: &Person, path: &str) -> Result<Answer> {
        self.desk.server.page_of(who, path)
    }
}

fn said(program: &str, arguments: &[&str]) -> Result<String> {
    let output = std::process::Command::new(program).args(arguments).output().context(program.to_owned())?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_granted_step_gives_a_paper_a_file_and_a_page_and_its_leader_ends_them() -> Result<()> {
    let registry = Registry::new()?;
    let Registry { desk, clerk, tax, case, .. } = &registry;
    let address = registry.address()?;
    let number = address.rsplit('/').next().context("a number")?.to_owned();
    let page = desk.case(clerk, case, "s2")?;
    ensure!(page.contains("变更登记") && page.contains("有效") && !page.contains("/revoke\""), "{page}");
    ensure!(!page.contains(NAME) && !page.contains(ID_NUMBER), "masked as ever");

    // The paper, with the code of its public page.
    let seen = || desk.audited(case, "certificate.seen");
    ensure!(seen()? == 0);
    let pdf = registry.take(clerk, &address)?;
    assert_eq!((pdf.status, pdf.header("content-type")), (200, Some("application/pdf")));
    let named = format!("attachment; filename=\"{number}.pdf\"");
    ensure!(pdf.header("content-disposition") == Some(named.as_str()));
    let folder = tempfile::tempdir()?;
    let place = |name: &str| folder.path().join(name).display().to_string();
    fs::write(place("page.pdf"), &pdf.body)?;
    let words = said("pdftotext", &["-layout", &place("page.pdf"), "-"])?;
    for part in [NAME, ID_NUMBER, "变更登记", REGISTRY, "示例印章", "示例数据"] {
        ensure!(words.contains(part), "{part}: {words}");
    }
    ensure!(said("pdfinfo", &["-meta", &place("page.pdf")])?.contains("<pdfaid:part>2<"));
    said("pdftoppm", &["-png", "-r", "150", "-singlefile", &place("page.pdf"), &place("page")])?;
    if let Some(kept) = std::env::var_os("JINBAN_PICTURES") {
        fs::copy(place("page.png"), std::path::Path::new(&kept).join("certificate-paper.png"))?;
    }
    let code = said("zbarimg", &["--quiet", "--raw", &place("page.png")])?;
    let path = code.trim().strip_prefix(&desk.server.people).context("of this centre")?.to_owned();
    ensure!(path.starts_with(&format!("/certificates/{number}?t=")), "{path}");

    // The page for the public.
    let public = desk.server.public_page(&path)?;
    ensure!(public.status == 200);
    for part in ["变更登记", "样*川", "6399************35", REGISTRY, "有效", "示例数据"] {
        ensure!(public.text().contains(part), "{part}: {}", public.text());
    }
    ensure!(!public.text().contains(NAME) && !public.text().contains(ID_NUMBER));
    ensure!(desk.server.public_page(&format!("{path}&lang=en"))?.text().contains("in force now"));

    // The file, and what a terminal says of it.
    let file = registry.take(clerk, &format!("{address}/file"))?;
    assert_eq!((file.status, file.header("content-type")), (200, Some("application/json")));
    file.json::<SignedDocument>()?;
    assert_eq!(seen()?, 2, "each look is noted");

    // Others have neither.
    let files = [address.clone(), format!("{address}/file")];
    for file in &files {
        for stranger in [&desk.medical, &desk.stranger, tax] {
            ensure!(registry.take(stranger, file)?.status == 403, "{file}");
        }
    }
    let tax_page = desk.case(tax, case, "s4")?;
    ensure!(
        tax_page.contains("id=\"certificates\"") && !tax_page.contains(&address),
        "it hears that there is one"
    );
    for wrong in ["ZZ2611240010001010", "x", "%ff"] {
        let path = format!("/desk/{}/certificates/{wrong}", case.number);
        ensure!(registry.take(clerk, &path)?.status == 404, "{wrong}");
    }
    assert_eq!(seen()?, 2);
    Ok(())
}

#[test]
fn only_the_leader_of_the_unit_ends_it_with_words_and_once() -> Result<()> {
    let registry = Registry::new()?;
    let Registry { desk, clerk, leader, tax, case } = &registry;
    let (address, path) = (registry.address()?, registry.public()?);
    let revoke = format!("{address}/revoke");
    let end = |who: &Person, text: &str| desk.server.submit(&who.cookie, &revoke, &[("text", text)]);
    ensure!(end(clerk, "错发")?.status == 403 && end(&desk.leader, "错发")?.status == 403);
    ensure!(end(leader, " ")?.status == 400);
    ensure!(desk.case(leader, case, "s2")?.contains(&revoke), "the leader is offered it");
    ensure!(desk.audited(case, "certificate.revoked")? == 0);
    for _ in 0..2 {
        ensure!(leads_to(&end(leader, "错发给了他人")?)? == format!("/desk/{}#certificates", case.number));
    }
    assert_eq!(desk.audited(case, "certificate.revoked")?, 1, "once");
    let page = desk.case(clerk, case, "s2")?;
    ensure!(page.contains("已吊销") && page.contains("错发给了他人") && page.contains("市长"), "{page}");
    ensure!(!desk.case(tax, case, "s4")?.contains("错发给了他人"));
    let public = desk.server.public_page(&path)?.text();
    ensure!(public.contains("已吊销") && !public.contains("错发"), "{public}");
    ensure!(offered(&page).contains(&"note"));
    Ok(())
}

#[test]
fn what_the_applicant_takes_back_is_revoked_by_the_centre() -> Result<()> {
    let mut registry = Registry::new()?;
    let withdrawal = serde_json::to_vec(&Withdrawal { applicant: courier().applicant })?;
    let told = registry.desk.follows(&registry.case, EnvelopeKind::Withdrawal, &withdrawal)?;
    ensure!(told == "taken", "{told}");
    let page = registry.desk.case(&registry.clerk, &registry.case, "s2")?;
    ensure!(page.contains("已吊销") && page.contains("吊销 · 中心 · "), "{page}");
    Ok(())
}

#[test]
fn wrong_and_unknown_look_the_same_and_are_answered_at_their_moment() -> Result<()> {
    let registry = Registry::new()?;
    let number = registry.address()?.rsplit('/').next().context("a number")?.to_owned();
    let mut pages = Vec::new();
    for path in [
        format!("/certificates/{number}?t=0123456789abcdef"),
        format!("/certificates/{number}"),
        "/certificates/ZZ2611240010001010?t=0123456789abcdef".to_owned(),
        "/certificates/x?t=".to_owned(),
        "/certificates/%ff?t=%ff".to_owned(),
    ] {
        let begun = std::time::Instant::now();
        let page = registry.desk.server.public_page(&path)?;
        ensure!(begun.elapsed() >= std::time::Duration::from_millis(150), "{path}");
        ensure!(page.status == 404, "{path}: {}", page.status);
        pages.push(page.text());
    }
    pages.dedup();
    ensure!(pages.len() == 1 && pages[0].contains("没有查到"), "{pages:?}");
    Ok(())
}

#[test]
fn a_terminal_without_a_network_says_what_is_good_revoked_or_not_known() -> Result<()> {
    let registry = Registry::new()?;
    let Registry { desk, clerk, leader, .. } = &registry;
    let address = registry.address()?;
    let folder = tempfile::tempdir()?;
    let place = |name: &str| folder.path().join(name).display().to_string();
    let file = registry.take(clerk, &format!("{address}/file"))?;
    fs::write(place("certificate.json"), &file.body)?;
    let list =
        || -> Result<Answer> { http::get(&desk.server.terminals, "/api/v1/certificates/revoked", &[]) };
    let clear = list()?;
    ensure!(clear.status == 200 && clear.header("cache-control") == Some("public, no-cache"));
    fs::write(place("clear.json"), &clear.body)?;
    let tag = clear.header("etag").context("a tag")?.to_owned();
    let known = [("if-none-match", tag.as_str())];
    let again = http::get(&desk.server.terminals, "/api/v1/certificates/revoked", &known)?;
    ensure!(again.status == 304 && again.body.is_empty());
    ensure!(desk.server.public_page("/certificates/revoked")?.body == clear.body, "people have it, too");
    leads_to(&desk.server.submit(&leader.cookie, &format!("{address}/revoke"), &[("text", "错发")])?)?;
    let revoked = http::get(&desk.server.terminals, "/api/v1/certificates/revoked", &known)?;
    ensure!(revoked.status == 200, "one more is another list");
    let body: RevocationList = serde_json::from_slice(&revoked.json::<SignedDocument>()?.body.0)?;
    ensure!(body.version == 1 && body.revoked.len() == 1, "{body:?}");
    fs::write(place("revoked.json"), &revoked.body)?;

    let said = |arguments: &[&str]| -> Result<(Option<i32>, String)> {
        let output = std::process::Command::new(binary("terminal"))
            .arg("verify-certificate")
            .args(arguments)
            .args(["--data", &place("terminal")])
            .current_dir(folder.path())
            .output()?;
        let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
        Ok((output.status.code(), String::from_utf8(text)?))
    };
    let (code, text) = said(&["certificate.json", "--list", "clear.json"])?;
    ensure!(code == Some(1) && !text.contains("GOOD"), "nothing is good where nobody was enrolled: {text}");
    tests::visit::enrol(&desk.server, &folder.path().join("terminal"))?;

    let whole = String::from_utf8(file.body.clone())?;
    fs::write(place("altered.json"), whole.replacen("\"body\":\"e", "\"body\":\"f", 1))?;
    fs::write(place("half.json"), &whole[..whole.len() / 2])?;
    let key = whole.split("\"key_id\":\"").nth(1).and_then(|rest| rest.split('"').next()).context("a key")?;
    fs::write(place("foreign.json"), whole.replace(key, "0123456789abcdef"))?;
    let table = [
        (&["certificate.json", "--list", "clear.json"][..], 0, "GOOD", "good"),
        (&["certificate.json", "--list", "revoked.json"], 1, "REVOKED", "revoked"),
        (&["certificate.json"], 3, "NOT KNOWN", "list_missing"),
        (&["certificate.json", "--list", "altered.json"], 3, "NOT KNOWN", "list_altered"),
        (&["altered.json", "--list", "clear.json"], 1, "NOT GENUINE", "altered"),
        (&["half.json", "--list", "clear.json"], 1, "NOT GENUINE", "altered"),
        (&["clear.json", "--list", "clear.json"], 1, "NOT GENUINE", "altered"),
        (&["foreign.json", "--list", "clear.json"], 1, "NOT GENUINE", "unknown_key"),
    ];
    for (arguments, exit, word, verdict) in table {
        let (code, text) = said(arguments)?;
        ensure!(code == Some(exit) && text.starts_with(word), "{arguments:?}: {code:?} {text}");
        let masked = !text.contains(NAME) && !text.contains(ID_NUMBER);
        ensure!(masked, "somebody may stand beside it: {text}");
        let (code, text) = said(&[arguments, &["--json"]].concat())?;
        let json: Value = serde_json::from_str(&text).with_context(|| text.clone())?;
        ensure!(code == Some(exit) && json["verdict"] == verdict, "{arguments:?}: {code:?} {text}");
    }
    let (code, text) = said(&["nowhere.json"])?;
    ensure!(code == Some(1) && text.contains("nowhere.json"), "{text}");
    Ok(())
}

#[test]
fn its_pages_fit_a_workstation_and_a_phone() -> Result<()> {
    let registry = Registry::new()?;
    let Registry { desk, leader, case, .. } = &registry;
    let address = registry.address()?;
    let public = registry.public()?;
    let browser = Browser::start()?;
    browser.become_person(&desk.server, leader)?;
    let look = |state: &str| -> Result<()> {
        let pages =
            [("desk", format!("/desk/{}?step=s2#certificates", case.number)), ("public", public.clone())];
        for (name, path) in pages {
            super::fits::fits(
                &browser,
                &desk.server.people,
                (&format!("certificate-{name}-{state}"), &path),
            )?;
        }
        Ok(())
    };
    look("good")?;
    leads_to(&desk.server.submit(
        &leader.cookie,
        &format!("{address}/revoke"),
        &[("text", "错发给了他人")],
    )?)?;
    look("revoked")?;
    ensure!(browser.complaints()?.is_empty());
    // The browser complains of what is not found.
    super::fits::fits(&browser, &desk.server.people, ("certificate-unknown", "/certificates/x"))
}
