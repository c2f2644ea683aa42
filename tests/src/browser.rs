//! A real Chromium that a test drives as a person would: it opens pages, types, clicks, reads and takes pictures.
//!
//! A small client of the WebDriver protocol over loopback; `chromedriver` and `chromium` come from `cargo xtask setup`.
//! Whatever is looked for is waited for by the driver itself, for at most [`PATIENCE`]. The browser reaches this machine
//! only: a page that loads from elsewhere is seen in [`Browser::complaints`]. One browser at a time runs in a process;
//! it ends with the process that started it, even a killed one, and leaves no file behind.
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http;
use crate::people::Person;
use crate::server::Server;

/// How long something that is looked for may take to appear, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The name under which the protocol hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Becomes Chromium, and is killed with the driver that started it.
const WRAPPER: &str = "#!/bin/sh\nexec setpriv --pdeathsig KILL chromium \"$@\"\n";

/// Without a display, without a sandbox (tests run as root), and with nothing but this machine in reach.
const ARGUMENTS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=zh-CN",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];

static TURN: Mutex<()> = Mutex::new(());

/// A browser window with a fresh profile.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    /// Address of the driver.
    base: String,
    /// Path of the session, once there is one.
    session: String,
    // Behind the driver's end in `drop`: its files go when nobody writes any more.
    _home: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// Something on the page that was found. It is good until the page or its part is replaced.
#[derive(Debug)]
pub struct Element<'a> {
    browser: &'a Browser,
    id: String,
}

impl Browser {
    /// Waits for this test's turn and starts a window of 1280 x 900.
    ///
    /// # Errors
    /// If driver or browser is missing or does not start.
    pub fn start() -> Result<Self> {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let home = tempfile::tempdir()?;
        let wrapper = home.path().join("chromium.sh");
        let mut file = std::fs::File::create(&wrapper)?;
        file.write_all(WRAPPER.as_bytes())?;
        file.set_permissions(std::fs::Permissions::from_mode(0o700))?;
        drop(file);
        let (driver, base) = start_driver(home.path())?;
        let mut browser = Self { driver, base, session: String::new(), _home: home, _turn: turn };
        let made = browser.call("POST", "/session", &capabilities(&wrapper))?;
        let id = made["sessionId"].as_str().context("a session")?;
        browser.session = format!("/session/{id}");
        browser.resize(1280, 900)?;
        Ok(browser)
    }

    /// Opens an address and waits until the page is loaded.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn open(&self, address: &str) -> Result<()> {
        self.post("/url", &json!({ "url": address })).map(|_| ())
    }

    /// Is somebody from now on: forgets every cookie and takes the one of this person for the server's pages.
    ///
    /// # Errors
    /// If the server does not answer.
    pub fn become_person(&self, server: &Server, person: &Person) -> Result<()> {
        let (name, value) = person.cookie.split_once('=').context("a cookie")?;
        self.open(&format!("{}/sign-in", server.people))?;
        self.call("DELETE", &format!("{}/cookie", self.session), &Value::Null)?;
        let cookie =
            json!({ "name": name, "value": value, "path": "/", "httpOnly": true, "sameSite": "Strict" });
        self.post("/cookie", &json!({ "cookie": cookie })).map(|_| ())
    }

    /// The address that the window shows.
    ///
    /// # Errors
    /// If the browser is gone.
    pub fn address(&self) -> Result<String> {
        text_of(self.get("/url")?)
    }

    /// The title of the page.
    ///
    /// # Errors
    /// If the browser is gone.
    pub fn title(&self) -> Result<String> {
        text_of(self.get("/title")?)
    }

    /// The first element that a CSS selector names, waited for.
    ///
    /// # Errors
    /// If none appears in time.
    pub fn find(&self, css: &str) -> Result<Element<'_>> {
        self.locate("css selector", css)
    }

    /// All elements that a CSS selector names, of which at least one is waited for.
    ///
    /// # Errors
    /// If the selector is none. No element is no error: the list is empty after the wait.
    pub fn find_all(&self, css: &str) -> Result<Vec<Element<'_>>> {
        let found = self.post("/elements", &json!({ "using": "css selector", "value": css }))?;
        found.as_array().context("a list")?.iter().map(|e| self.element(e)).collect()
    }

    /// The innermost element whose text has these words, waited for. Words that have `"` in them are refused.
    ///
    /// # Errors
    /// If they do not appear in time.
    pub fn find_words(&self, words: &str) -> Result<Element<'_>> {
        if words.contains('"') {
            bail!("quotes in {words}");
        }
        let has = format!("contains(normalize-space(.), \"{words}\")");
        self.locate("xpath", &format!("//body//*[{has}][not(*[{has}])]"))
    }

    /// The link or button with exactly this text, waited for.
    ///
    /// # Errors
    /// If there is none in time.
    pub fn find_control(&self, words: &str) -> Result<Element<'_>> {
        if words.contains('"') {
            bail!("quotes in {words}");
        }
        let is = format!("normalize-space(.)=\"{words}\"");
        self.locate("xpath", &format!("//button[{is}]|//a[{is}]|//summary[{is}]"))
    }

    /// Clicks the link or button with exactly this text; a page that it leads to is loaded then.
    ///
    /// # Errors
    /// If there is none, or something lies over it.
    pub fn press(&self, words: &str) -> Result<()> {
        self.find_control(words)?.click()
    }

    /// Clicks the link or button with exactly this text, and waits until the page that it leads to has taken the place
    /// of this one. For those who ask the page next: a click alone may come back while the old page is still there.
    ///
    /// # Errors
    /// If there is none, or no other page comes in time.
    pub fn follow(&self, words: &str) -> Result<()> {
        self.run("document.body.dataset.left = ''")?;
        self.press(words)?;
        self.find("body:not([data-left])").map(|_| ()).with_context(|| format!("following {words}"))
    }

    /// Waits until the page has no question to its server in the air (htmx marks who asks).
    ///
    /// # Errors
    /// If one stays unanswered.
    pub fn settle(&self) -> Result<()> {
        self.wait_until("document.querySelector('.htmx-request') === null")
    }

    /// Writes into the field of this name instead of what is there.
    ///
    /// # Errors
    /// If there is no such field, or it takes no text.
    pub fn fill(&self, name: &str, text: &str) -> Result<()> {
        let field = self.find(&format!("[name=\"{name}\"]"))?;
        field.clear()?;
        field.type_keys(text)
    }

    /// Chooses a value in the drop-down field of this name.
    ///
    /// # Errors
    /// If there is no such field or value.
    pub fn choose(&self, name: &str, value: &str) -> Result<()> {
        self.find(&format!("select[name=\"{name}\"] option[value=\"{value}\"]"))?.click()
    }

    /// Waits until an expression of the page's language is true, looked at 20 times a second by the page itself. For
    /// what changes without a new page; a page that is left meanwhile is an error.
    ///
    /// # Errors
    /// If it does not become true in time.
    pub fn wait_until(&self, expression: &str) -> Result<()> {
        let script = format!(
            "const done = arguments[arguments.length - 1]; \
             const timer = setInterval(() => {{ if ({expression}) {{ clearInterval(timer); done(true); }} }}, 50);"
        );
        let asked = json!({ "script": script, "args": [] });
        self.post("/execute/async", &asked).with_context(|| format!("waiting for {expression}")).map(|_| ())
    }

    /// Runs a script in the page (`return …` gives its value).
    ///
    /// # Errors
    /// If it throws.
    pub fn run(&self, script: &str) -> Result<Value> {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Sets the size of the window, in pixels.
    ///
    /// # Errors
    /// If the browser is gone.
    pub fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.post("/window/rect", &json!({ "width": width, "height": height })).map(|_| ())
    }

    /// Writes a picture (PNG) of what the window shows.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn picture(&self, file: &Path) -> Result<()> {
        let encoded = text_of(self.get("/screenshot")?)?;
        std::fs::write(file, STANDARD.decode(encoded)?).with_context(|| file.display().to_string())
    }

    /// What the browser found wrong since it was last asked: errors of scripts, what the page's own policy forbade,
    /// what could not be loaded.
    ///
    /// # Errors
    /// If the browser is gone.
    pub fn complaints(&self) -> Result<Vec<String>> {
        let entries = self.post("/se/log", &json!({ "type": "browser" }))?;
        let entries = entries.as_array().context("a list")?;
        let bad = entries.iter().filter(|e| matches!(e["level"].as_str(), Some("SEVERE" | "WARNING")));
        Ok(bad.map(|e| e["message"].as_str().unwrap_or_default().to_owned()).collect())
    }

    fn locate(&self, using: &str, value: &str) -> Result<Element<'_>> {
        let found = self.post("/element", &json!({ "using": using, "value": value }));
        let found =
            found.with_context(|| format!("looking for {value} at {:?}", self.address().ok().as_deref()))?;
        self.element(&found)
    }

    fn element(&self, found: &Value) -> Result<Element<'_>> {
        Ok(Element { browser: self, id: found[ELEMENT].as_str().context("an element")?.to_owned() })
    }

    fn get(&self, path: &str) -> Result<Value> {
        self.call("GET", &format!("{}{path}", self.session), &Value::Null)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call("POST", &format!("{}{path}", self.session), body)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = (!body.is_null()).then(|| body.to_string());
        let answer = http::call_by_length(&self.base, method, path, body.as_ref().map(String::as_bytes))?;
        let value = answer.json::<Value>()?["value"].take();
        if answer.status == 200 {
            return Ok(value);
        }
        let message = value["message"].as_str().unwrap_or_default().lines().next().unwrap_or_default();
        Err(anyhow!("{}: {message}", value["error"].as_str().unwrap_or("no error named")))
    }
}

impl Element<'_> {
    /// Clicks it; a page that it leads to is loaded then.
    ///
    /// # Errors
    /// If it cannot be seen, or something lies over it.
    pub fn click(&self) -> Result<()> {
        self.post("/click", &json!({})).map(|_| ())
    }

    /// Empties a field.
    ///
    /// # Errors
    /// If it is none.
    pub fn clear(&self) -> Result<()> {
        self.post("/clear", &json!({})).map(|_| ())
    }

    /// Types a text.
    ///
    /// # Errors
    /// If it takes none.
    pub fn type_keys(&self, text: &str) -> Result<()> {
        self.post("/value", &json!({ "text": text })).map(|_| ())
    }

    /// Its text as it is seen.
    ///
    /// # Errors
    /// If it is gone.
    pub fn text(&self) -> Result<String> {
        text_of(self.get("/text")?)
    }

    /// What a field holds now.
    ///
    /// # Errors
    /// If it is gone.
    pub fn value(&self) -> Result<String> {
        Ok(self.get("/property/value")?.as_str().unwrap_or_default().to_owned())
    }

    /// An attribute, if it is there.
    ///
    /// # Errors
    /// If the element is gone.
    pub fn attribute(&self, name: &str) -> Result<Option<String>> {
        Ok(self.get(&format!("/attribute/{name}"))?.as_str().map(str::to_owned))
    }

    fn get(&self, path: &str) -> Result<Value> {
        self.browser.get(&format!("/element/{}{path}", self.id))
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.browser.post(&format!("/element/{}{path}", self.id), body)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.call("DELETE", &self.session, &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Starts the driver on a free port; it says which one on its standard output.
fn start_driver(home: &Path) -> Result<(Child, String)> {
    let mut driver = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "chromedriver", "--port=0"])
        .envs([("HOME", home), ("TMPDIR", home)])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("starting chromedriver; `cargo xtask setup` installs it")?;
    let lines = BufReader::new(driver.stdout.take().context("a pipe")?).lines();
    let port = lines.map_while(Result::ok).find_map(|line| {
        let port = line.split_once("successfully on port ")?.1;
        port.trim_end_matches('.').parse::<u16>().ok()
    });
    match port {
        Some(port) => Ok((driver, format!("http://127.0.0.1:{port}"))),
        None => {
            driver.wait()?;
            bail!("chromedriver did not start; `cargo xtask setup` installs it")
        }
    }
}

fn capabilities(chromium: &Path) -> Value {
    let millis = u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX);
    let wanted = json!({
        "browserName": "chrome",
        "goog:loggingPrefs": { "browser": "ALL" },
        "timeouts": { "implicit": millis, "script": millis, "pageLoad": 2 * millis },
        "goog:chromeOptions": { "binary": chromium, "args": ARGUMENTS },
    });
    json!({ "capabilities": { "alwaysMatch": wanted } })
}

fn text_of(value: Value) -> Result<String> {
    Ok(value.as_str().context("a text")?.to_owned())
}
