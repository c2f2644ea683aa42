//! Every address of the server on one page. Each belongs to exactly one listener.
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;

use crate::shell::{App, Side, guard};
use crate::{api, pages};

/// The terminals' listener.
pub fn terminals(app: App) -> Router {
    let routes = Router::new()
        .route("/healthz", get(api::healthz))
        .route("/api/v1/enrol", post(api::enrol))
        .route("/api/v1/envelopes", post(api::envelopes))
        .route("/api/v1/changes", get(api::changes));
    finish(routes, app, Side::Terminals)
}

/// The people's listener.
pub fn people(app: App) -> Router {
    let routes = Router::new()
        .route("/healthz", get(api::healthz))
        .route("/", get(pages::home))
        .route("/cases", get(pages::cases))
        .route("/cases/{number}", get(pages::case))
        .route("/slips/{number}", get(pages::slip))
        .route("/problems/{code}", get(pages::problem))
        .route("/static/{name}", get(pages::static_file));
    finish(routes, app, Side::People)
}

fn finish(routes: Router<App>, app: App, side: Side) -> Router {
    routes
        .fallback(api::not_found)
        .method_not_allowed_fallback(api::method_not_allowed)
        .layer(from_fn_with_state((app.clone(), side), guard))
        .layer(CompressionLayer::new())
        .with_state(app)
}
