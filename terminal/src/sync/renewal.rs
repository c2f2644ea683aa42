//! Renews the terminal's certificate by itself: before a call, when a third of its time is left or it has ended.
//!
//! The centre gives another one for a request that the device key signed; a call that fails is tried again after a
//! while, and the call that was to be made is made in any case. Refuses a certificate of another key or authority.
use std::sync::{Arc, Mutex, PoisonError};

use domain::wire::v1::{CertificateRequest, CertificateResponse};

use super::client::{Answer, read_answer};
use super::tls::{Credentials, certificate_request};
use super::transport::{
    HangUp, Method, Request, Response, Sink, Transport, TransportError, UploadAnswer, UploadCall,
};
use crate::clock::Clock;
use crate::store::Store;

/// So long after a call for a certificate the next one is made at the earliest, milliseconds.
const PAUSE_MS: u64 = 60_000;

/// A link that renews the certificate which it shows.
pub struct Renewing {
    link: Box<dyn Transport>,
    credentials: Arc<Credentials>,
    store: Arc<Mutex<Store>>,
    clock: Arc<dyn Clock>,
    asked_boot_ms: Option<u64>,
}

impl Renewing {
    /// Renews on this link.
    pub fn new(
        link: Box<dyn Transport>,
        credentials: Arc<Credentials>,
        store: Arc<Mutex<Store>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { link, credentials, store, clock, asked_boot_ms: None }
    }

    fn renew_if_due(&mut self) {
        let boot_ms = self.clock.boot_ms();
        let asked_lately = self.asked_boot_ms.is_some_and(|asked| boot_ms.saturating_sub(asked) < PAUSE_MS);
        if !self.credentials.is_renewal_due() || asked_lately {
            return;
        }
        self.asked_boot_ms = Some(boot_ms);
        match self.renew() {
            Ok(()) => tracing::info!("this terminal's certificate was renewed"),
            Err(why) => tracing::warn!(reason = why, "this terminal's certificate was not renewed yet"),
        }
    }

    fn renew(&mut self) -> Result<(), String> {
        let words = |e: &dyn std::error::Error| e.to_string();
        let identity = self.store.lock().unwrap_or_else(PoisonError::into_inner).identity();
        let identity = identity.map_err(|e| words(&e))?.ok_or("this terminal is not enrolled")?;
        let csr = certificate_request(self.credentials.key()).map_err(|e| words(&e))?;
        let body = CertificateRequest { terminal: identity.terminal, csr };
        let request = Request {
            method: Method::Post,
            path_and_query: "/api/v1/certificate".to_owned(),
            headers: Vec::new(),
            body: Some(serde_json::to_vec(&body).map_err(|e| words(&e))?),
        };
        let certified = match read_answer::<CertificateResponse>(self.link.exchange(&request)) {
            Answer::Good(answer) => answer.certified,
            Answer::Later { why, .. } | Answer::NotLetIn(why) | Answer::Malformed(why) => return Err(why),
        };
        if !self.credentials.fits(&certified) {
            return Err("the centre gave a certificate of another key or authority".to_owned());
        }
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.keep_certificate(certified.clone()).map_err(|e| words(&e))?;
        self.credentials.renew(certified);
        Ok(())
    }
}

impl Transport for Renewing {
    fn hang_up(&self) -> Option<HangUp> {
        self.link.hang_up()
    }

    fn exchange(&mut self, request: &Request) -> Result<Response, TransportError> {
        self.renew_if_due();
        self.link.exchange(request)
    }

    fn upload(&mut self, call: &UploadCall) -> Result<UploadAnswer, TransportError> {
        self.renew_if_due();
        self.link.upload(call)
    }

    fn download(&mut self, request: &Request, sink: &mut dyn Sink) -> Result<(), TransportError> {
        self.renew_if_due();
        self.link.download(request, sink)
    }
}
