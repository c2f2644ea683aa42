//! The console's pages of the catalogue: the list, the editor, checks by somebody else, the next version, the history.
mod browser;
mod changes;
mod hostile;
mod kept;
mod lists;
mod signing;
mod trial;

use anyhow::{Context as _, Result};
use sync_server::auth::role::Role;
use tests::http::Answer;
use tests::people::Person;
use tests::server::Server;

/// An item that all stories change.
const CODE: &str = "hrss.sscard-status";

/// A server with two who make changes and one who checks them.
struct Console {
    server: Server,
    maker: Person,
    other: Person,
    checker: Person,
}

impl Console {
    fn new() -> Result<Self> {
        let server = Server::start()?;
        let [maker, other] = [server.person(&[Role::Editor])?, server.person(&[Role::Editor])?];
        let checker = server.person(&[Role::Checker])?;
        Ok(Self { server, maker, other, checker })
    }

    /// The editor's page of a part, as somebody sees it.
    fn editor(&self, who: &Person, part: &str) -> Result<String> {
        Ok(self.server.page_of(who, &format!("/catalogue/items/{CODE}/draft?part={part}"))?.text())
    }

    /// Sends a part as a browser would: everything that the page holds, with some values changed.
    fn save(&self, who: &Person, part: &str, changes: &[(&str, &str)]) -> Result<Answer> {
        self.press(who, &self.editor(who, part)?, changes, "save")
    }

    /// Presses a button of a page that was drawn before.
    fn press(&self, who: &Person, page: &str, changes: &[(&str, &str)], button: &str) -> Result<Answer> {
        let mut inputs = inputs(page);
        inputs.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        inputs.extend(changes.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        inputs.push(("do".to_owned(), button.to_owned()));
        let fields: Vec<_> = inputs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        self.server.submit(&who.cookie, &format!("/catalogue/items/{CODE}/draft"), &fields)
    }

    /// Takes a step of the draft, as it is now.
    fn step(&self, who: &Person, step: &str, more: &[(&str, &str)]) -> Result<Answer> {
        let version = self.version()?.to_string();
        let fields = [&[("version", version.as_str())], more].concat();
        self.server.submit(&who.cookie, &format!("/catalogue/items/{CODE}/draft/{step}"), &fields)
    }

    /// Brings a change of a part through the check and makes a version of it; gives its document.
    fn candidate(&self, part: &str, changes: &[(&str, &str)]) -> Result<Answer> {
        leads_to(&self.save(&self.maker, part, changes)?)?;
        leads_to(&self.step(&self.maker, "ready", &[("note", "因为")])?)?;
        leads_to(&self.step(&self.checker, "approve", &[])?)?;
        leads_to(&self.server.submit(&self.checker.cookie, "/catalogue/candidate", &[])?)?;
        self.server.page_of(&self.checker, "/catalogue/candidate.json")
    }

    /// The version of the draft.
    fn version(&self) -> Result<i64> {
        self.server.number("SELECT COALESCE(MAX(version), 0) FROM catalogue_draft")
    }
}

/// What the editor's form holds: inputs, ticked boxes, chosen options, texts.
fn inputs(page: &str) -> Vec<(String, String)> {
    let action = format!("action=\"/catalogue/items/{CODE}/draft\"");
    let form = page.split(&action).nth(1).unwrap_or_default().split("</form>").next().unwrap_or_default();
    let mut found = Vec::new();
    for tag in form.split('<').skip(1) {
        let attribute = |name: &str| {
            let value = tag.split('>').next()?.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
            Some(plain(value))
        };
        let Some(name) = attribute("name") else { continue };
        let kind = attribute("type").unwrap_or_default();
        let ticked = tag.split('>').next().unwrap_or_default().ends_with("checked");
        let unticked = ["checkbox", "radio"].contains(&kind.as_str()) && !ticked;
        let value = match tag {
            _ if unticked || name == "do" => continue,
            _ if kind == "checkbox" => "on".to_owned(),
            _ if tag.starts_with("input") => attribute("value").unwrap_or_default(),
            _ if tag.starts_with("textarea") => {
                plain(tag.split_once('>').map_or("", |(_, text)| text.trim_start_matches('\n')))
            }
            _ if tag.starts_with("select") => {
                let rest = form.split(&format!("<{tag}")).nth(1).unwrap_or_default();
                let options = rest.split("</select>").next().unwrap_or_default();
                let chosen = options.split("<option").find(|option| option.contains(" selected"));
                let value = chosen.and_then(|o| o.split("value=\"").nth(1)?.split('"').next());
                plain(value.unwrap_or_default())
            }
            _ => continue,
        };
        found.push((name, value));
    }
    found
}

/// A text of a page as it was before it was escaped.
fn plain(text: &str) -> String {
    let signs = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    signs.iter().fold(text.to_owned(), |text, (escaped, sign)| text.replace(escaped, sign))
}

/// Where an answer leads.
fn leads_to(answer: &Answer) -> Result<&str> {
    anyhow::ensure!(answer.status == 303, "{}: {}", answer.status, answer.text());
    answer.header("location").context("a location")
}
