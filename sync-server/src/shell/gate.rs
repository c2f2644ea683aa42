//! The gate before each address of the people's listener: is it a call from our own pages, who calls, may they.
//!
//! Each address names its permit in `routes.rs`; an address without one cannot be written there. Refuses to pass
//! anything on that it did not judge.
use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::App;
use super::budget::counted_as;
use super::connections::Peer;
use super::cookie;
use super::problem::Refusal;
use crate::api::blocking;
use crate::auth::hashing::Hashing;
use crate::auth::policy::{self, Permit, Verdict, Who};
use crate::error::{ProblemCode, ServiceError};
use crate::pages;
use crate::services::sessions::{self, Caller};

/// The longest address that somebody is led back to after signing in, in bytes.
const MAX_RETURN_BYTES: usize = 500;

/// What the gate and the sign-in page of one server share.
#[derive(Default)]
pub struct Door {
    /// Hashing of passwords.
    pub hashing: Hashing,
    /// A proxy on this machine stands before the listener and names callers in `X-Forwarded-For`.
    pub behind_proxy: bool,
}

/// The address under which wrong sign-ins of a caller are counted; nothing for this machine itself, which may be a
/// proxy that all others come through.
#[derive(Debug, Clone, Copy)]
pub struct RemoteAddress(pub Option<IpAddr>);

/// See the module.
pub async fn gate(permit: &'static Permit, mut request: Request, next: Next) -> Response {
    let Some(app) = request.extensions().get::<App>().cloned() else {
        return refuse(ServiceError::Inconsistent("a gate without a server".into()));
    };
    // Whoever proves in the call itself who calls has no cookie that another site's page could use.
    if permit.who == Who::Device {
        return next.run(request).await;
    }
    let safe = request.method() == Method::GET || request.method() == Method::HEAD;
    if !safe && !from_our_pages(request.headers()) {
        return refuse(ProblemCode::CrossSite.into());
    }
    let address = remote_address(&request, app.door.behind_proxy);
    request.extensions_mut().insert(RemoteAddress(address));
    if permit.who == Who::Anyone {
        return next.run(request).await;
    }
    let caller = match caller(&app, request.headers()).await {
        Ok(caller) => caller,
        Err(e) => return refuse(e),
    };
    match (permit.judge(caller.as_ref().map(|c| c.roles)), caller) {
        (Verdict::Go, Some(caller)) if caller.must_change && *permit != policy::OWN_PASSWORD => {
            lead_to("/account/password", &request)
        }
        (Verdict::Go, Some(caller)) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        (Verdict::NotYours, Some(caller)) => pages::not_yours(permit, &caller),
        _ if safe => lead_to("/sign-in", &request),
        _ => refuse(ProblemCode::SignInNeeded.into()),
    }
}

/// Who calls, by the cookie; nobody, if it is missing or its session has ended.
async fn caller(app: &App, headers: &HeaderMap) -> Result<Option<Caller>, ServiceError> {
    let Some(key) = cookie::session_in(headers, uses_tls(app)) else { return Ok(None) };
    let centre = app.centre.clone();
    blocking(move || {
        let now_ms = centre.now_ms();
        let caller = centre.read(|tx| sessions::find(tx, now_ms, &key))?;
        if caller.as_ref().is_some_and(|c| now_ms - c.seen_at_ms >= sessions::NOTED_EVERY_MS) {
            // Whoever reads a page must not fail because the disk is full.
            if let Err(e) = centre.write(move |tx| Ok(sessions::touch(tx, now_ms, &key)?)) {
                tracing::warn!(error = &e as &dyn std::error::Error, "a call of a session was not noted");
            }
        }
        Ok(caller)
    })
    .await
}

/// Whether people reach the listener over TLS, which ends in a proxy.
pub fn uses_tls(app: &App) -> bool {
    app.centre.context().people_url.starts_with("https://")
}

/// Whether a call that changes something comes from one of our own pages. Browsers say so in `Sec-Fetch-Site`, or, on
/// addresses that they do not trust (plain HTTP), in `Origin`; who says neither is no browser of today.
fn from_our_pages(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        // `none`: the person did it, without any page.
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some_and(|host| text("host").is_some_and(|ours| ours.eq_ignore_ascii_case(host)))
        }
        (None, None) => false,
    }
}

fn remote_address(request: &Request, behind_proxy: bool) -> Option<IpAddr> {
    let Peer(peer) = request.extensions().get::<Peer>()?;
    if !peer.ip().to_canonical().is_loopback() {
        return Some(counted_as(peer.ip()));
    }
    if !behind_proxy {
        return None;
    }
    // The last one is what our own proxy saw; those before it are what others say.
    let line = request.headers().get_all("x-forwarded-for").iter().next_back()?;
    let last = line.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()?;
    Some(counted_as(last))
}

/// Leads to a page that comes first, and from there back to where the caller wanted to go.
fn lead_to(page: &str, request: &Request) -> Response {
    let wanted = request.uri().path_and_query().map(|p| p.as_str()).unwrap_or_default();
    let back = if request.method() == Method::GET { local(wanted).filter(|to| *to != "/") } else { None };
    let address = match back {
        Some(to) => format!("{page}?to={}", pages::in_query(to)),
        None => page.to_owned(),
    };
    see_other(&address)
}

/// Leads to an address of ours.
pub fn see_other(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(value) => (StatusCode::SEE_OTHER, [(header::LOCATION, value)]).into_response(),
        Err(_) => refuse(ServiceError::Inconsistent("an address that cannot be led to".into())),
    }
}

/// An address to be led back to, if it is one of ours: nobody is led to another site after signing in.
pub fn local(address: &str) -> Option<&str> {
    let plain = address.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let ours = address.starts_with('/') && !address.starts_with("//") && address.len() <= MAX_RETURN_BYTES;
    let loops = address.starts_with("/sign-") || address.starts_with("/account/password");
    (plain && ours && !loops).then_some(address)
}

fn refuse(error: ServiceError) -> Response {
    Refusal::from(error).into_response()
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    /// Whom the gate let through.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| ServiceError::Inconsistent("an address of callers without a gate".into()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (header::HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn only_our_own_pages_may_change_anything() {
        let host = ("host", "jinban.example:8480");
        let ours = [
            vec![("sec-fetch-site", "same-origin")],
            vec![("sec-fetch-site", "none")],
            vec![("sec-fetch-site", "same-origin"), ("origin", "http://evil.example")],
            vec![host, ("origin", "http://jinban.example:8480")],
            vec![host, ("origin", "https://JINBAN.example:8480")],
        ];
        for pairs in ours {
            assert!(from_our_pages(&headers(&pairs)), "{pairs:?}");
        }
        let others = [
            vec![],
            vec![host],
            vec![("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "same-site"), host, ("origin", "http://jinban.example:8480")],
            vec![("sec-fetch-site", "")],
            vec![("sec-fetch-site", "Same-Origin, cross-site")],
            vec![host, ("origin", "null")],
            vec![host, ("origin", "http://jinban.example")],
            vec![host, ("origin", "http://jinban.example:8480.evil.example")],
            vec![("origin", "http://")],
        ];
        for pairs in others {
            assert!(!from_our_pages(&headers(&pairs)), "{pairs:?}");
        }
    }

    #[test]
    fn nobody_is_led_to_another_site() {
        for ours in ["/", "/cases?state=returned&q=%E5%8A%9E", "/cases/XN26112400100013", "/accounts"] {
            assert_eq!(local(ours), Some(ours));
        }
        let long = format!("/{}", "a".repeat(MAX_RETURN_BYTES));
        let others = [
            "",
            "cases",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\r\nset-cookie: a=b",
            "/办件",
            " /cases",
            "/sign-in?to=/sign-in",
            "/sign-out",
            "/account/password",
            &long,
        ];
        for other in others {
            assert_eq!(local(other), None, "{other:?}");
        }
    }

    #[test]
    fn wrong_tries_are_counted_under_who_is_behind_the_proxy() {
        let from = |peer: &str, lines: &[&'static str], proxy: bool| {
            let mut request = Request::new(axum::body::Body::empty());
            request.extensions_mut().insert(Peer(peer.parse().expect("an address")));
            for line in lines {
                request.headers_mut().append("x-forwarded-for", HeaderValue::from_static(line));
            }
            remote_address(&request, proxy).map(|a| a.to_string()).unwrap_or_default()
        };
        assert_eq!(
            from("192.0.2.1:1", &["198.51.100.7"], true),
            "192.0.2.1",
            "only our own machine is believed"
        );
        assert_eq!(from("127.0.0.1:1", &["198.51.100.7"], false), "");
        assert_eq!(from("127.0.0.1:1", &["203.0.113.9, 198.51.100.7"], true), "198.51.100.7");
        assert_eq!(from("[::ffff:127.0.0.1]:1", &["203.0.113.9", "198.51.100.7"], true), "198.51.100.7");
        assert_eq!(from("127.0.0.1:1", &["2001:db8:1:2:3::4"], true), "2001:db8:1:2::");
        assert_eq!(from("127.0.0.1:1", &["nonsense"], true), "");
    }
}
