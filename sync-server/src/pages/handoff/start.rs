//! `/handoffs/start`: which home region, found by its pinyin initials, and which of its matters.
use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query as UrlQuery, State};
use domain::handoff::Adcode;
use domain::text::Language;
use domain::wire::v1::PartnerItem;
use serde::Deserialize;

use super::{W, partners, sample_of};
use crate::api::blocking;
use crate::error::{ProblemCode, ServiceError};
use crate::pages::form::searched;
use crate::pages::frame::{Frame, Here, frame};
use crate::pages::{Page, in_address, in_query, render};
use crate::partners::items_of;
use crate::services::handoff;
use crate::services::sessions::Caller;
use crate::shell::App;
use crate::words::Words;

/// Regions and matters that are shown at once, at most.
const MOST: usize = 40;

/// What stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    told: String,
}

#[derive(Template)]
#[template(path = "handoff_start.html")]
struct StartPage {
    w: Words,
    frame: Frame,
    sample: Option<String>,
    text: String,
    /// The region whose matters are shown, and its phone; none while a region is looked for.
    region: Option<(String, String)>,
    own_address: String,
    /// Name, a line below it, and where it leads.
    found: Vec<(String, String, String)>,
    /// The region does not answer: what is known from before is shown.
    silent: bool,
    /// What was chosen is not taken any more.
    not_taken: bool,
}

/// The list of regions.
pub async fn regions(
    State(app): State<App>,
    caller: Caller,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let text = searched(&in_address(asked)?.q);
    let page = blocking(move || {
        let (register, now_ms) = (partners(&app)?, app.centre.now_ms());
        let found = register.partners.iter().filter(|partner| partner.is_found_by(&text)).take(MOST);
        let found = found.map(|p| (p.name.clone(), p.phone.clone(), format!("/handoffs/start/{}", p.adcode)));
        let found = found.collect();
        let (frame, sample) = app.centre.read(|tx| {
            Ok::<_, ServiceError>((frame(tx, &caller, now_ms, Here::Handoffs)?, sample_of(tx, &app)?))
        })?;
        let own_address = "/handoffs/start".to_owned();
        let (silent, not_taken) = (false, false);
        Ok(StartPage { w: W, frame, sample, text, region: None, own_address, found, silent, not_taken })
    })
    .await?;
    render(&page)
}

/// What a region takes from elsewhere.
pub async fn items(
    State(app): State<App>,
    caller: Caller,
    region: Result<Path<String>, PathRejection>,
    asked: Result<UrlQuery<Asked>, QueryRejection>,
) -> Page {
    let asked = in_address(asked)?;
    let (text, not_taken) = (searched(&asked.q), asked.told == "not_taken");
    let code: Option<Adcode> = region.ok().and_then(|Path(code)| code.parse().ok());
    let page = blocking(move || {
        let (register, now_ms) = (partners(&app)?, app.centre.now_ms());
        let partner = code.and_then(|code| register.partner(&code).cloned()).ok_or(ProblemCode::NotFound)?;
        let heard = items_of(&partner).map(|list| list.items);
        let silent = heard.is_err();
        let (items, frame, sample) = app.centre.read(|tx| {
            let items = match heard {
                Ok(items) => items,
                Err(_) => handoff::heard_items(tx, &partner.adcode)?,
            };
            Ok::<_, ServiceError>((items, frame(tx, &caller, now_ms, Here::Handoffs)?, sample_of(tx, &app)?))
        })?;
        let own_address = format!("/handoffs/start/{}", partner.adcode);
        let found = items.iter().filter(|item| is_found(item, &text)).take(MOST).map(|item| {
            let name = item.name.get(Language::ZhCn).to_owned();
            (name, item.department.clone(), format!("{own_address}/{}", in_query(item.code.as_str())))
        });
        let found = found.collect();
        let region = Some((partner.name, partner.phone));
        Ok(StartPage { w: W, frame, sample, text, region, own_address, found, silent, not_taken })
    })
    .await?;
    render(&page)
}

fn is_found(item: &PartnerItem, text: &str) -> bool {
    let text = text.to_lowercase();
    item.initials.to_lowercase().contains(&text)
        || item.code.as_str().contains(&text)
        || item.name.get(Language::ZhCn).contains(&text)
}
