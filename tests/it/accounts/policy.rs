//! Every address of both listeners with every role, made from the server's own tables.
use anyhow::{Context as _, Result};
use sync_server::auth::policy::{Verdict, Who};
use sync_server::auth::role::{Role, Roles};
use sync_server::pages::in_query;
use sync_server::routes::{Entry, people_table, terminals_table};
use tests::binaries::repository;
use tests::http::{self, Answer};
use tests::people::{FORM, OWN_PAGE};
use tests::server::Server;

use super::leads_to;

/// An address of a pattern.
fn address(pattern: &str) -> String {
    [
        ("{number}", "XN26112400100013"),
        ("{code}", "busy"),
        ("{name}", "mark.svg"),
        ("{id}", "A-0099"),
        ("{envelope_id}", "019ab2c3-d4e5-7000-8000-000000000001"),
        ("{version}", "1"),
        ("{step}", "pause"),
        ("{page}", "1"),
    ]
    .iter()
    .fold(pattern.to_owned(), |path, (name, value)| path.replace(name, value))
}

fn call(base: &str, entry: &Entry, cookie: Option<&str>) -> Result<Answer> {
    let mut headers: Vec<_> = cookie.iter().map(|c| ("cookie", *c)).collect();
    let body = (entry.method != "GET").then_some(&b""[..]);
    if body.is_some() {
        headers.extend([FORM, OWN_PAGE]);
    }
    http::call(base, entry.method, &address(&entry.path), &headers, body)
}

/// What the gate did, as a caller sees it.
fn verdict(entry: &Entry, answer: &Answer) -> Verdict {
    let asked = format!("/sign-in?to={}", in_query(&address(&entry.path)));
    let text = answer.text();
    match (answer.status, leads_to(answer)) {
        (303, Some(to)) if to == asked || to == "/sign-in" => Verdict::SignInFirst,
        (401, _) if text.contains("sign-in-needed") => Verdict::SignInFirst,
        (403, _) if text.contains("role-needed") => Verdict::NotYours,
        _ => Verdict::Go,
    }
}

#[test]
fn every_address_of_people_lets_in_exactly_whom_the_policy_names() -> Result<()> {
    let server = Server::start()?;
    let (mut tried, mut table) = (0, people_table());
    assert!(table.len() >= 20, "{}", table.len());
    // Sets of roles as well: the second one may be what opens an address.
    let singles = Role::ALL.iter().map(|role| vec![*role]);
    let pairs = [
        vec![Role::Admin, Role::Editor],
        vec![Role::Editor, Role::Inspector],
        vec![Role::Checker, Role::Admin],
    ];
    let people: Vec<Vec<Role>> = singles.chain(pairs).collect();
    table.sort_by(|a, b| a.path.cmp(&b.path));
    for entry in &table {
        let nobody = call(&server.people, entry, None)?;
        assert_eq!(
            verdict(entry, &nobody),
            entry.permit.judge(None),
            "{} {} for nobody: {}",
            entry.method,
            entry.path,
            nobody.status
        );
        for roles in &people {
            // A new one each: some addresses end the session.
            let person = server.person(roles)?;
            let answer = call(&server.people, entry, Some(&person.cookie))?;
            let expected = entry.permit.judge(Some(Roles::of(roles)));
            assert_eq!(
                verdict(entry, &answer),
                expected,
                "{} {} for {roles:?}: {}",
                entry.method,
                entry.path,
                answer.status
            );
            assert_ne!(answer.status, 500, "{} {}", entry.method, entry.path);
            if expected == Verdict::NotYours {
                let text = answer.text();
                assert!(
                    entry.permit.roles().iter().all(|r| text.contains(word(*r))),
                    "it says who can: {text}"
                );
            }
            tried += 1;
        }
    }
    assert_eq!(tried, table.len() * people.len());
    Ok(())
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Clerk => "受理员",
        Role::Window => "窗口人员",
        Role::Reviewer => "审批员",
        Role::Leader => "部门负责人",
        Role::Inspector => "巡查员",
        Role::Editor => "目录编辑",
        Role::Checker => "目录审核",
        Role::Operator => "运维",
        Role::Admin => "管理员",
    }
}

#[test]
fn no_account_opens_anything_on_the_terminals_listener() -> Result<()> {
    let server = Server::start()?;
    let everything: Vec<_> = Role::ALL.iter().copied().filter(|r| *r != Role::Checker).collect();
    let person = server.person(&everything)?;
    for entry in terminals_table() {
        let nobody = call(&server.terminals, &entry, None)?;
        let somebody = call(&server.terminals, &entry, Some(&person.cookie))?;
        assert_eq!(nobody.status, somebody.status, "{}", entry.path);
        if entry.permit.who == Who::Device {
            assert!([401, 415].contains(&nobody.status), "{} {}", entry.path, nobody.status);
        } else {
            // Nothing was signed here yet: no such file is an answer for everybody too.
            let wanted = match entry.method {
                _ if entry.path.starts_with("/tuf/") => 404,
                // No register of other regions was set up.
                _ if entry.path.starts_with("/api/v1/partner/") => 404,
                "OPTIONS" => 204,
                _ => 200,
            };
            assert_eq!(nobody.status, wanted, "{}", entry.path);
        }
    }
    // Neither does the people's listener know their calls, nor they the pages.
    for entry in terminals_table().iter().filter(|e| e.path.starts_with("/api/")) {
        assert_eq!(call(&server.people, entry, Some(&person.cookie))?.status, 404, "{}", entry.path);
    }
    for entry in people_table().iter().filter(|e| !["/healthz", "/openapi.json"].contains(&e.path.as_str())) {
        assert_eq!(call(&server.terminals, entry, Some(&person.cookie))?.status, 404, "{}", entry.path);
    }
    Ok(())
}

#[test]
fn the_handbook_has_the_same_table() -> Result<()> {
    let text = std::fs::read_to_string(repository().join("docs/operations/README.md"))?;
    let words = sync_server::words::Words(domain::text::Language::ZhCn);
    for permit in sync_server::auth::policy::PERMITS {
        let begin = format!("| {} |", words.of("permit", permit.name));
        let row = text.lines().find(|l| l.starts_with(&begin)).with_context(|| format!("no row {begin}"))?;
        let cells: Vec<_> = row.trim_matches('|').split('|').skip(1).map(str::trim).collect();
        let expected: Vec<_> = std::iter::once(permit.judge(None))
            .chain(Role::ALL.iter().map(|role| permit.judge(Some(Roles::of(&[*role])))))
            .map(|verdict| if permit.who == Who::Device || verdict != Verdict::Go { "" } else { "✓" })
            .collect();
        assert_eq!(cells, expected, "{row}");
    }
    Ok(())
}
