//! `/certificates/{number}?t=…`: what the QR code of a certificate opens on anybody's phone: whether it is genuine and
//! still good, with its holder masked. An unknown number, a wrong token and a misspelt number look the same, at the same
//! moment.
use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use domain::date::CivilDate;
use domain::text::Language;
use serde::Deserialize;

use super::moment::Begun;
use super::sign_in::drawn;
use super::view::{self, Badge};
use super::{Page, render};
use crate::api::blocking;
use crate::services::results::{self, Issued, PublicView};
use crate::shell::App;
use crate::words::Words;

/// Signs of a number or a token that are looked at.
const MAX_TYPED_CHARS: usize = 40;

/// What stands in the address.
#[derive(Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    t: String,
    #[serde(default)]
    lang: String,
}

#[derive(Template)]
#[template(path = "certificate.html")]
struct CertificatePage {
    w: Words,
    sample: bool,
    other_language: String,
    title: String,
    state: Badge,
    heading: &'static str,
    note: Option<String>,
    holder: Option<(String, String)>,
    unit: String,
    groups: Vec<String>,
    valid: String,
    issued: String,
}

#[derive(Template)]
#[template(path = "certificate_not_here.html")]
struct NotHerePage {
    w: Words,
}

/// The page.
pub async fn certificate(
    State(app): State<App>,
    number: Result<Path<String>, PathRejection>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Page {
    let begun = Begun::now();
    let asked = query.map(|Query(q)| q).unwrap_or_default();
    let w = Words(if asked.lang == "en" { Language::En } else { Language::ZhCn });
    let typed = |text: &str| text.chars().take(MAX_TYPED_CHARS).collect::<String>();
    let number = typed(&number.map(|Path(number)| number).unwrap_or_default());
    let token = typed(&asked.t);
    let page = blocking(move || {
        let (centre, now_ms) = (&app.centre, app.centre.now_ms());
        let found = centre.read(|tx| results::find_public(tx, centre.context(), (&number, &token)))?;
        Ok(found.map(|found| draw(found, (w, &token), now_ms)))
    })
    .await?;
    match page {
        Some(page) => render(&page),
        None => {
            begun.until_refused().await;
            drawn(render(&NotHerePage { w })?, StatusCode::NOT_FOUND, None)
        }
    }
}

fn draw(found: PublicView, (w, token): (Words, &str), now_ms: i64) -> CertificatePage {
    let PublicView { issued, holder, sample } = found;
    let standing = Standing::of(&issued, now_ms);
    let (heading, note) = match standing {
        Standing::Good => ("certificate.heading_good", None),
        Standing::Expired => ("certificate.heading_expired", None),
        Standing::Revoked(at_ms) => {
            let since = w.fill("certificate.revoked_since", &[("time", &view::time(at_ms, now_ms))]);
            ("certificate.heading_revoked", Some(since))
        }
    };
    let other = if w.0 == Language::En { "" } else { "&lang=en" };
    CertificatePage {
        other_language: format!("/certificates/{}?t={token}{other}", issued.number),
        state: standing.badge(w),
        heading: w.t(heading),
        note,
        holder,
        unit: issued.unit.to_string(),
        groups: issued.number.groups().map(str::to_owned).to_vec(),
        valid: valid(w, &issued),
        issued: CivilDate::in_china(issued.issued_at_ms).to_string(),
        title: issued.title,
        sample,
        w,
    }
}

/// How a certificate stands today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// 有效
    Good,
    /// 已过期
    Expired,
    /// 已吊销, since when, milliseconds since 1970.
    Revoked(i64),
}

impl Standing {
    pub(super) fn of(issued: &Issued, now_ms: i64) -> Self {
        match &issued.revoked {
            Some(revoked) => Self::Revoked(revoked.at_ms),
            None if issued.valid_until.is_some_and(|last| last < CivilDate::in_china(now_ms)) => {
                Self::Expired
            }
            None => Self::Good,
        }
    }

    pub(super) fn badge(self, w: Words) -> Badge {
        let (glyph, key) = match self {
            Self::Good => ("ok", "good"),
            Self::Expired => ("warn", "expired"),
            Self::Revoked(_) => ("bad", "revoked"),
        };
        Badge { glyph, word: w.of("certificate_state", key) }
    }
}

/// From when to when it is good.
pub(super) fn valid(w: Words, issued: &Issued) -> String {
    let from = issued.valid_from.to_string();
    match issued.valid_until {
        Some(last) => w.fill("certificate.from_to", &[("from", &from), ("to", &last.to_string())]),
        None => w.fill("certificate.lasting", &[("from", &from)]),
    }
}
