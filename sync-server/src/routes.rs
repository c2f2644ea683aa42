//! Every address of the server on one page. Each belongs to exactly one listener.
//!
//! What terminals and programs call is routed and described in one step, so that no call is without a description.
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::{calls, changes, reads, tuf};
use crate::shell::etag::weaken_compressed;
use crate::shell::{App, Side, guard};
use crate::{api, pages};

/// What is packed already.
const NOT_PACKED: NotForContentType = NotForContentType::const_new(tuf::PACKED);

/// The terminals' listener.
pub fn terminals(app: App) -> Router {
    let (routes, _) = described().split_for_parts();
    let routes = routes
        .route("/tuf/metadata/{name}", get(tuf::metadata))
        .route("/tuf/targets/{name}", get(tuf::target));
    finish(routes, app, Side::Terminals)
}

/// The calls of the terminals' listener with their descriptions.
pub fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(calls::healthz))
        .routes(routes!(calls::describe))
        .routes(routes!(calls::enrol))
        .routes(routes!(calls::envelopes))
        .routes(routes!(changes::changes))
        .routes(routes!(reads::cases))
        .routes(routes!(reads::case))
        .routes(routes!(reads::catalogue))
        .routes(routes!(reads::catalogue_version))
}

/// The people's listener.
pub fn people(app: App) -> Router {
    let routes = Router::new()
        .route("/healthz", get(calls::healthz))
        .route("/openapi.json", get(calls::describe))
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
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(NOT_PACKED)))
        .layer(from_fn(weaken_compressed))
        .with_state(app)
}
