//! `/metrics` on an address of its own, for Prometheus: figures only, no sign-in, loopback unless somebody insists.
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::serve::Listener as _;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinHandle;

use super::listener::CappedListener;
use super::serve::ServeError;
use crate::centre::Centre;
use crate::error::ServiceError;
use crate::{doctor, metrics};

/// How often samples are put into their buckets, so that they do not pile up while nobody asks.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// The media type of Prometheus' text format.
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A bound listener whose figures are being kept.
pub(super) struct Figures {
    listener: CappedListener,
    handle: PrometheusHandle,
    address: SocketAddr,
}

impl Figures {
    /// Binds the address and starts to keep figures; none if there is to be no such listener. An address that was
    /// not asked for and is taken is no reason not to serve.
    ///
    /// # Errors
    /// [`ServeError::Bind`] if an address that was asked for cannot be had.
    pub(super) async fn bind(
        wanted: Option<SocketAddr>,
        insist: bool,
        database: &'static str,
    ) -> Result<Option<Self>, ServeError> {
        let Some(address) = wanted else { return Ok(None) };
        let listener = match CappedListener::bind(address).await {
            Ok(listener) => listener,
            Err(source) if insist => return Err(ServeError::Bind { address, flag: "--metrics", source }),
            Err(e) => {
                tracing::warn!(
                    error = &e as &dyn std::error::Error,
                    listen.metrics = %address,
                    "no figures are served, since their address is taken; name another with --metrics"
                );
                return Ok(None);
            }
        };
        let system = |source| ServeError::System { what: "address of the listener", source };
        let address = listener.local_addr().map_err(system)?;
        match metrics::start(database, crate::startup::now_ms()) {
            Ok(handle) => Ok(Some(Self { listener, handle, address })),
            Err(e) => Err(ServeError::System { what: "figures", source: std::io::Error::other(e) }),
        }
    }

    /// Where they are served.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the tasks are ended.
    pub(super) fn serve(self, centre: Arc<Centre>) -> [JoinHandle<()>; 2] {
        let upkeep = self.handle.clone();
        let keep = async move {
            let mut every = tokio::time::interval(UPKEEP_EVERY);
            loop {
                every.tick().await;
                upkeep.run_upkeep();
            }
        };
        let router = Router::new().route("/metrics", get(answer)).with_state((self.handle, centre));
        let serve = async move {
            let _ = axum::serve(self.listener, router).await;
        };
        [tokio::spawn(keep), tokio::spawn(serve)]
    }
}

async fn answer(State((handle, centre)): State<(PrometheusHandle, Arc<Centre>)>) -> impl IntoResponse {
    let looked = tokio::task::spawn_blocking(move || {
        centre.read(|tx| Ok::<_, ServiceError>((doctor::count_waiting(tx)?, tx.size_bytes()?)))
    });
    // A store that does not answer now is no reason to withhold the other figures.
    if let Ok(Ok((waiting, bytes))) = looked.await {
        metrics::looked_up(waiting, bytes);
    }
    ([(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, "no-store")], handle.render())
}
