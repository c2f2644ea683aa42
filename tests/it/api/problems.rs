//! Each problem code has a page for people in the server and an entry in `docs/api/problems.md`, each with what
//! happened and what to do.
use anyhow::Result;
use domain::text::Language;
use sync_server::error::ProblemCode;
use sync_server::words::{Words, english};
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
