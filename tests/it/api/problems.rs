//! Each problem code has a page for people in the server and an entry in `docs/api/problems.md`, each with what
//! happened and what to do.
use anyhow::Result;
use domain::text::Language;
use sync_server::error::ProblemCode;
use sync_server::words::{Words, english};
use tests::http::{call, get};
use tests::server::Server;

use super::same_as_file;

#[test]
fn the_docs_list_every_code() -> Result<()> {
    let mut text = String::from(
        "# Problems\n\nEvery error is `application/problem+json` (RFC 9457). `code` is stable; `type` is \
         `/problems/{code}`, a page of the\npeople's listener with the same words in Chinese. This file is made from \
         the server's own words and compared by a test.\n\n| code | status | what happened | is anything lost | what \
         to do |\n|---|---|---|---|---|\n",
    );
    for code in ProblemCode::ALL {
        let part = |part: &str| english(&format!("problem.{}.{part}", code.as_str()));
        text.push_str(&format!(
            "| `{}` | {} | {} {} | {} | {} |\n",
            code.as_str(),
            code.status(),
            part("title") + ".",
            part("what"),
            part("safe"),
            part("next")
        ));
    }
    same_as_file("docs/api/problems.md", &text)
}

#[test]
fn peoples_pages_answer_programs_with_a_problem_and_browsers_with_a_page() -> Result<()> {
    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let server = Server::start()?;
    for (path, code) in [("/no-such-page", "not-found"), ("/slips/nonsense", "not-found")] {
        for accept in ["application/json", "application/problem+json", "text/html;q=0.1, application/json"] {
            let answer = get(&server.people, path, &[("accept", accept)])?;
            assert_eq!(answer.problem()?, code, "{path} {accept}");
            assert!(answer.headers.iter().any(|(n, v)| n == "vary" && v == "accept"), "{:?}", answer.headers);
        }
        for headers in [&[("accept", BROWSER)][..], &[("accept", "*/*")], &[]] {
            let answer = get(&server.people, path, headers)?;
            let media_type = answer.header("content-type").unwrap_or_default();
            assert_eq!((answer.status, media_type), (404, "text/html; charset=utf-8"), "{path} {headers:?}");
        }
    }
    let post = call(&server.people, "POST", "/sign-in", &[("accept", "application/json")], Some(b""))?;
    assert_eq!(post.problem()?, "cross-site");
    Ok(())
}

#[test]
fn every_code_has_its_page_with_cause_and_next_step() -> Result<()> {
    let server = Server::start()?;
    for code in ProblemCode::ALL {
        let page = server.page(&format!("/problems/{}", code.as_str()))?;
        assert_eq!(page.status, 200, "{code:?}");
        for part in ["title", "what", "safe", "next"] {
            let key = format!("problem.{}.{part}", code.as_str());
            let chinese = Words(Language::ZhCn).t(&key).to_owned();
            assert!(chinese != key && page.text().contains(&chinese), "{key}: {chinese}");
            let english = english(&key);
            assert!(english != key && english != chinese && english.is_ascii(), "{key}: {english}");
        }
    }
    assert_eq!(server.page("/problems/no-such-code")?.status, 404);
    Ok(())
}
