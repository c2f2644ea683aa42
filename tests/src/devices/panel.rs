//! A small page on this machine with a button for everything that can happen to the virtual devices, and with what they
//! printed. Refuses everything that is not on its list, and everybody who is not on this machine.
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::Desk;
use super::deeds::{self, Group};

/// What the page shows and works on.
pub struct Panel {
    desk: Mutex<Desk>,
    groups: Vec<Group>,
    /// What was pressed last, and what came of it.
    last: Mutex<String>,
}

impl Panel {
    /// A panel of a desk; `cards` are the names of the sample cards.
    pub fn new(desk: Desk, cards: &[String]) -> Arc<Self> {
        Arc::new(Self { desk: Mutex::new(desk), groups: deeds::all(cards), last: Mutex::default() })
    }

    /// Does what a button of this name does; false if there is none.
    pub fn press(&self, name: &str) -> bool {
        let Some(button) = self.groups.iter().flat_map(|group| &group.buttons).find(|b| b.name == name)
        else {
            return false;
        };
        let done = self.desk.lock().unwrap_or_else(PoisonError::into_inner).act(&button.deed);
        let words = match done {
            Ok(()) => format!("done: {}", button.words),
            Err(error) => format!("not done: {}: {error:#}", button.words),
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = words;
        true
    }

    /// Serves the page on this port of this machine (0: a free one) until the process ends; tells its address first.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub async fn serve(self: Arc<Self>, port: u16, ready: impl FnOnce(SocketAddr)) -> Result<()> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        ready(listener.local_addr()?);
        let routes = axum::Router::new()
            .route("/", get(page))
            .route("/do", post(press))
            .route("/strip.png", get(strip))
            .with_state(self);
        Ok(axum::serve(listener, routes).await?)
    }

    fn html(&self) -> String {
        let mut page = String::from(HEAD);
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let _ = writeln!(page, "<p class=last role=status>{}</p>", escaped(&last));
        for group in &self.groups {
            let _ = writeln!(page, "<section><h2>{}</h2><form method=post action=/do>", group.title);
            for button in &group.buttons {
                let words = escaped(&button.words);
                let _ = writeln!(page, "<button name=what value={}>{words}</button>", button.name);
            }
            page.push_str("</form></section>\n");
        }
        let desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let (strips, pages) = (desk.receipt().strips().len(), desk.pages_printed());
        let _ = writeln!(page, "<section><h2>Printed</h2><p>{strips} slips, {pages} pages</p>");
        if strips > 0 {
            let _ = writeln!(page, "<img alt=\"the newest slip\" src=\"/strip.png?n={strips}\">");
        }
        page.push_str("</section></main></html>\n");
        page
    }
}

const HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
<title>Virtual devices</title><style>body{font:16px/1.5 sans-serif;margin:24px;background:#f6f4ee;color:#17282c}\
main{max-width:1100px;margin:auto}h2{font-size:18px;margin:16px 0 6px}button{font:inherit;min-height:44px;padding:6px \
14px;margin:3px;border:1px solid #5b6b6f;border-radius:8px;background:#fff}section{background:#fff;border-radius:12px;\
padding:6px 18px 14px;margin:12px 0}.last{min-height:24px}img{max-width:100%;border:1px solid #ccc}</style><main>\
<h1>Virtual devices</h1><p>Simulators, all of them: they show how the terminal behaves, and prove nothing of any real model.</p>";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

async fn page(State(panel): State<Arc<Panel>>) -> Html<String> {
    Html(panel.html())
}

#[derive(Deserialize)]
struct Pressed {
    what: String,
}

/// A page of another site cannot press: it would say so in `Origin`.
async fn press(
    State(panel): State<Arc<Panel>>,
    headers: HeaderMap,
    Form(pressed): Form<Pressed>,
) -> Response {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (origin, host) = (text(header::ORIGIN), text(header::HOST));
    if !origin.is_empty() && origin.strip_prefix("http://") != Some(host) {
        return StatusCode::FORBIDDEN.into_response();
    }
    // Starting a service takes a moment.
    let known = tokio::task::spawn_blocking(move || panel.press(&pressed.what)).await.unwrap_or(false);
    if known { Redirect::to("/").into_response() } else { StatusCode::NOT_FOUND.into_response() }
}

async fn strip(State(panel): State<Arc<Panel>>) -> Response {
    let strips = panel.desk.lock().unwrap_or_else(PoisonError::into_inner).receipt().strips();
    let picture = strips.last().and_then(|strip| strip.png().ok());
    picture.map_or_else(
        || StatusCode::NOT_FOUND.into_response(),
        |bytes| ([(header::CONTENT_TYPE, "image/png")], bytes).into_response(),
    )
}
