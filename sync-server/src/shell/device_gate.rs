//! The gate before each address of terminals: does the connection show the certificate of an enrolled terminal, and is
//! it the one that the request names?
//!
//! Whether the terminal may still send is asked by the call itself, in the transaction that reads or writes for it: so
//! a terminal that is taken out of service is refused with its next request, also on an open connection. Where plain
//! HTTP is spoken (loopback only) the signatures of the calls are all there is.
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use domain::ids::TerminalId;
use domain::wire::v1::TERMINAL_HEADER;

use super::App;
use super::problem::Refusal;
use super::tls::Link;
use crate::api::blocking;
use crate::auth::policy::{self, Permit};
use crate::error::{ProblemCode, ServiceError};
use crate::services::terminals;

/// The terminal whose certificate the connection shows; none where plain HTTP is spoken.
#[derive(Debug, Clone)]
pub struct CertifiedTerminal(pub Option<TerminalId>);

impl CertifiedTerminal {
    /// Checks that this terminal is the one of the certificate.
    ///
    /// # Errors
    /// [`ServiceError`] `certificate-mismatch`.
    pub fn agree(&self, terminal: &TerminalId) -> Result<(), ServiceError> {
        match &self.0 {
            Some(certified) if certified != terminal => Err(ProblemCode::CertificateMismatch.into()),
            _ => Ok(()),
        }
    }
}

/// See the module.
pub async fn device_gate(permit: &'static Permit, mut request: Request, next: Next) -> Response {
    if *permit != policy::DEVICES {
        return next.run(request).await;
    }
    let (link, app) =
        (request.extensions().get::<Link>().cloned(), request.extensions().get::<App>().cloned());
    let certified = match certified(link, app).await {
        Ok(certified) => certified,
        Err(e) => return Refusal::from(e).into_response(),
    };
    let named = request.headers().get(TERMINAL_HEADER).and_then(|v| v.to_str().ok());
    // A name that is none is refused by the call.
    if let Some(named) = named.and_then(|n| n.parse().ok())
        && let Err(e) = certified.agree(&named)
    {
        return Refusal::from(e).into_response();
    }
    request.extensions_mut().insert(certified);
    next.run(request).await
}

async fn certified(link: Option<Link>, app: Option<App>) -> Result<CertifiedTerminal, ServiceError> {
    let (Some(link), Some(app)) = (link, app) else {
        return Err(ServiceError::Inconsistent("a gate without a connection or a server".into()));
    };
    let shown = match link {
        Link::Plain => return Ok(CertifiedTerminal(None)),
        Link::Tls(None) => return Err(ProblemCode::CertificateNeeded.into()),
        Link::Tls(Some(shown)) => shown,
    };
    if let Some(terminal) = shown.terminal.get() {
        return Ok(CertifiedTerminal(Some(terminal.clone())));
    }
    blocking(move || {
        let found = app.centre.read(|tx| terminals::with_key(tx, &shown.key))?;
        // A store that was restored may not know it yet.
        let terminal = found.ok_or(ProblemCode::TerminalUnknown)?.id;
        Ok(CertifiedTerminal(Some(shown.terminal.get_or_init(|| terminal).clone())))
    })
    .await
}

impl<S: Sync> FromRequestParts<S> for CertifiedTerminal {
    type Rejection = Refusal;

    /// Whom the gate let through.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let certified = parts.extensions.get::<Self>().cloned();
        certified
            .ok_or_else(|| ServiceError::Inconsistent("an address of terminals without a gate".into()).into())
    }
}
