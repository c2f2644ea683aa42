//! Every address of the server on one page, each with the permit of whoever may call it. Each belongs to exactly one
//! listener.
//!
//! What terminals and programs call is routed and described in one step, so that no call is without a description. An
//! address of people cannot be written here without a permit, and stands behind the gate that asks it.
use axum::extract::{DefaultBodyLimit, Request};
use axum::handler::Handler;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, head, post};
use axum::{Extension, Router};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use crate::api::{
    calls, carriers, certificates, changes, citizen, heartbeat, offers, partner, payments, reads, tuf,
    uploads,
};
use crate::auth::policy::{self, Permit};
use crate::shell::device_gate::device_gate;
use crate::shell::etag::weaken_compressed;
use crate::shell::gate::gate;
use crate::shell::{App, Side, guard};
use crate::{api, pages};

/// One address with its method and its permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The method.
    pub method: &'static str,
    /// The pattern of the address.
    pub path: String,
    /// Who may.
    pub permit: &'static Permit,
}

/// What is packed already.
const NOT_PACKED: NotForContentType = NotForContentType::const_new(tuf::PACKED);

/// The terminals' listener.
pub fn terminals(app: App) -> Router {
    let (routes, _) = calls_of_terminals().with_other_protocols().router.split_for_parts();
    finish(routes, app, Side::Terminals)
}

/// The calls of the terminals' listener with their descriptions.
pub fn described() -> OpenApiRouter<App> {
    calls_of_terminals().router
}

/// Every address of the terminals' listener.
pub fn terminals_table() -> Vec<Entry> {
    calls_of_terminals().with_other_protocols().entries
}

fn calls_of_terminals() -> Calls {
    Calls::default()
        .add(&policy::OPEN, routes!(calls::healthz))
        .add(&policy::OPEN, routes!(calls::describe))
        .add(&policy::ENROLMENT, routes!(calls::enrol))
        .add(&policy::ENROLMENT, routes!(calls::certificate))
        .add(&policy::DEVICES, routes!(calls::envelopes))
        .add(&policy::DEVICES, routes!(changes::changes))
        .add(&policy::DEVICES, routes!(heartbeat::heartbeat))
        .add(&policy::DEVICES, routes!(offers::offers))
        .add(&policy::DEVICES, routes!(citizen::citizen_cases))
        .add(&policy::DEVICES, routes!(reads::cases))
        .add(&policy::DEVICES, routes!(reads::case))
        .add(&policy::DEVICES, routes!(reads::catalogue))
        .add(&policy::DEVICES, routes!(reads::catalogue_version))
        .add(&policy::OPEN, routes!(certificates::revoked))
        .add(&policy::PARTNERS, routes!(partner::messages))
        .add(&policy::OPEN, routes!(partner::items))
        .add(&policy::OPEN, routes!(partner::item))
}

/// The people's listener.
pub fn people(app: App) -> Router {
    let routes = doors().router.layer(DefaultBodyLimit::max(pages::MAX_FORM_BYTES));
    finish(routes, app, Side::People)
}

/// Every address of the people's listener.
pub fn people_table() -> Vec<Entry> {
    doors().entries
}

fn doors() -> Doors {
    use policy::{
        MANAGE_ACCOUNTS, MANAGE_TERMINALS, OPEN, OWN_ACCOUNT, OWN_PASSWORD, PUBLISH, SEE_CASES,
        SEE_STATISTICS, SEND_MESSAGES,
    };
    payments(parcels(window(desk(catalogue(Doors::default())))))
        .get(&OPEN, "/healthz", calls::healthz)
        .get(&OPEN, "/openapi.json", calls::describe)
        .get(&OPEN, "/slips/{number}", pages::slip)
        .get(&OPEN, "/slips/{number}/receipt", pages::slip_receipt)
        .get(&OPEN, "/slips/{number}/supplement", pages::slip_supplement)
        .post_files(&OPEN, "/slips/{number}/supplement", pages::send_slip_supplement)
        .get(&OPEN, "/verify", pages::verify_form)
        .post(&OPEN, "/verify", pages::verify)
        .get(&OPEN, "/certificates/revoked", certificates::revoked)
        .get(&OPEN, "/certificates/{number}", pages::certificate)
        .get(&OPEN, "/problems/{code}", pages::problem)
        .get(&OPEN, "/static/{name}", pages::static_file)
        .get(&OPEN, "/sign-in", pages::sign_in_form)
        .post(&OPEN, "/sign-in", pages::sign_in)
        .post(&OWN_PASSWORD, "/sign-out", pages::sign_out)
        .get(&OWN_PASSWORD, "/account/password", pages::password_form)
        .post(&OWN_PASSWORD, "/account/password", pages::change_password)
        .get(&OWN_ACCOUNT, "/account", pages::own_account)
        .post(&OWN_ACCOUNT, "/account/sessions", pages::end_other_sessions)
        .get(&OWN_ACCOUNT, "/", pages::home)
        .get(&SEE_CASES, "/cases", pages::cases)
        .get(&SEE_CASES, "/cases/{number}", pages::case)
        .get(&SEE_STATISTICS, "/statistics", pages::statistics)
        .get(&SEE_STATISTICS, "/statistics/cases", pages::statistics_cases)
        .get(&SEE_STATISTICS, "/statistics/cases.csv", pages::statistics_cases_csv)
        .get(&SEE_STATISTICS, "/statistics/items.csv", pages::statistics_items_csv)
        .get(&SEE_STATISTICS, "/statistics/export.xlsx", pages::statistics_xlsx)
        .get(&PUBLISH, "/rollout", pages::rollout)
        .get(&PUBLISH, "/rollout/{step}", pages::rollout_step)
        .post(&PUBLISH, "/rollout/{step}", pages::take_rollout_step)
        .get(&MANAGE_TERMINALS, "/terminals", pages::terminals)
        .post(&MANAGE_TERMINALS, "/terminals/new", pages::new_terminal)
        .get(&MANAGE_TERMINALS, "/terminals/{id}", pages::terminal)
        .get(&MANAGE_TERMINALS, "/terminals/{id}/{step}", pages::terminal_step)
        .post(&MANAGE_TERMINALS, "/terminals/{id}/{step}", pages::take_terminal_step)
        .get(&SEND_MESSAGES, "/notifications", pages::notifications)
        .post(&SEND_MESSAGES, "/notifications/again", pages::send_again)
        .get(&MANAGE_ACCOUNTS, "/accounts", pages::accounts)
        .post(&MANAGE_ACCOUNTS, "/accounts", pages::add_account)
        .get(&MANAGE_ACCOUNTS, "/accounts/new", pages::new_account)
        .get(&MANAGE_ACCOUNTS, "/accounts/{id}", pages::account)
        .post(&MANAGE_ACCOUNTS, "/accounts/{id}", pages::change_account)
        .post(&MANAGE_ACCOUNTS, "/accounts/{id}/lock", pages::lock_account)
        .post(&MANAGE_ACCOUNTS, "/accounts/{id}/unlock", pages::unlock_account)
        .post(&MANAGE_ACCOUNTS, "/accounts/{id}/reset", pages::reset_password)
}

/// The catalogue: looking, editing, checking.
fn catalogue(doors: Doors) -> Doors {
    use policy::{CHECK_CATALOGUE, EDIT_CATALOGUE, SEE_CASES, SEE_CATALOGUE};
    doors
        .get(&SEE_CATALOGUE, "/catalogue/items", pages::items)
        .get(&SEE_CATALOGUE, "/catalogue/items.csv", pages::items_csv)
        .get(&SEE_CATALOGUE, "/catalogue/items/{code}", pages::item)
        .get(&EDIT_CATALOGUE, "/catalogue/items/{code}/draft", pages::edit_item)
        .post_item(&EDIT_CATALOGUE, "/catalogue/items/{code}/draft", pages::save_item)
        .post_item(&EDIT_CATALOGUE, "/catalogue/items/{code}/draft/preview", pages::preview_item)
        .post(&EDIT_CATALOGUE, "/catalogue/items/{code}/draft/ready", pages::ready_draft)
        .post(&EDIT_CATALOGUE, "/catalogue/items/{code}/draft/renew", pages::renew_draft)
        .post(&EDIT_CATALOGUE, "/catalogue/items/{code}/draft/discard", pages::discard_draft)
        .post(&CHECK_CATALOGUE, "/catalogue/items/{code}/draft/approve", pages::approve_draft)
        .post(&CHECK_CATALOGUE, "/catalogue/items/{code}/draft/return", pages::return_draft)
        .get(&SEE_CATALOGUE, "/catalogue/changes", pages::changes)
        .post(&CHECK_CATALOGUE, "/catalogue/candidate", pages::make_candidate)
        .post(&CHECK_CATALOGUE, "/catalogue/candidate/drop", pages::drop_candidate)
        .get(&SEE_CATALOGUE, "/catalogue/candidate.json", pages::candidate_file)
        .get(&SEE_CATALOGUE, "/catalogue/versions", pages::versions)
        .get(&SEE_CATALOGUE, "/catalogue/bundles", pages::bundles)
        .get(&SEE_CATALOGUE, "/catalogue/bundles/{code}", pages::bundle)
        .get(&SEE_CATALOGUE, "/catalogue/items/{code}/form", pages::form_trial)
        .post(&SEE_CATALOGUE, "/catalogue/items/{code}/form", pages::try_form)
        .get(&SEE_CATALOGUE, "/catalogue/calendar", pages::calendar)
        .get(&SEE_CATALOGUE, "/catalogue/calendar/calendar.json", pages::changed_calendar)
        .get(&SEE_CASES, "/catalogue/calendar/moved.csv", pages::moved_cases)
}

/// The department desk.
fn desk(doors: Doors) -> Doors {
    use policy::DECIDE_CASES;
    doors
        .get(&DECIDE_CASES, "/desk", pages::desk)
        .get(&DECIDE_CASES, "/desk/{number}", pages::desk_case)
        .post_item(&DECIDE_CASES, "/desk/{number}", pages::desk_deed)
        .post(&DECIDE_CASES, "/desk/{number}/reveal", pages::desk_reveal)
        .get(&DECIDE_CASES, "/desk/{number}/attachments/{page}", pages::desk_attachment)
        .get(&DECIDE_CASES, "/desk/{number}/scans/{round}", pages::desk_scans)
        .get(&DECIDE_CASES, "/desk/{number}/certificates/{name}", pages::desk_certificate)
        .get(&DECIDE_CASES, "/desk/{number}/certificates/{name}/file", pages::desk_certificate_file)
        .post_item(&DECIDE_CASES, "/desk/{number}/certificates/{name}/revoke", pages::desk_revoke)
}

/// Money.
fn payments(doors: Doors) -> Doors {
    use policy::{GATEWAY, SEE_PAYMENTS, SETTLE_PAYMENTS};
    doors
        .post(&GATEWAY, "/payments/notify", payments::notify)
        .get(&SEE_PAYMENTS, "/payments", pages::payments)
        .get(&SEE_PAYMENTS, "/payments.csv", pages::payments_csv)
        .post(&SETTLE_PAYMENTS, "/payments/{id}/retry", pages::retry_refunds)
        .post(&SETTLE_PAYMENTS, "/payments/{id}/give-back", pages::give_back_stray)
}

/// The window desk.
fn window(doors: Doors) -> Doors {
    use policy::{DECIDE_CASES, SEE_VISITS, WINDOW};
    doors
        .get(&WINDOW, "/window", pages::window)
        .post(&WINDOW, "/window/call", pages::window_call)
        .post(&WINDOW, "/window/visits/{id}/end", pages::window_end)
        .get(&WINDOW, "/window/start/{code}", pages::window_person)
        .post(&WINDOW, "/window/start/{code}", pages::window_begin)
        .get(&WINDOW, "/window/forms/{id}", pages::window_form)
        .post_files(&WINDOW, "/window/forms/{id}", pages::window_turn)
        .post(&WINDOW, "/window/forms/{id}/discard", pages::window_discard)
        .get(&WINDOW, "/window/slips/{number}", pages::window_slip)
        .get(&WINDOW, "/window/slips/{number}/slip.pdf", pages::window_slip_pdf)
        .get(&WINDOW, "/window/mine", pages::window_mine)
        .get(&WINDOW, "/window/supplement", pages::window_supplement)
        .post(&WINDOW, "/window/supplement", pages::window_supplement_begin)
        .get(&WINDOW, "/window/supplements/{id}", pages::window_supplement_done)
        .get(&WINDOW, "/handoffs", pages::handoffs)
        .get(&WINDOW, "/handoffs/start", pages::handoff_regions)
        .get(&WINDOW, "/handoffs/start/{region}", pages::handoff_items)
        .get(&WINDOW, "/handoffs/start/{region}/{code}", pages::handoff_form)
        .post_files(&WINDOW, "/handoffs/start/{region}/{code}", pages::handoff_turn)
        .get(&WINDOW, "/handoffs/one/{id}", pages::handoff)
        .post(&WINDOW, "/handoffs/one/{id}", pages::handoff_deed)
        .get(&WINDOW, "/handoffs/one/{id}/form", pages::handoff_refill)
        .get(&DECIDE_CASES, "/handoffs/incoming", pages::incoming)
        .get(&DECIDE_CASES, "/handoffs/incoming/{id}", pages::incoming_one)
        .post_item(&DECIDE_CASES, "/handoffs/incoming/{id}", pages::incoming_deed)
        .get(&SEE_VISITS, "/window/visits", pages::window_visits)
        .get(&SEE_VISITS, "/window/visits.csv", pages::window_visits_csv)
}

/// Results on their way to whoever gets them.
fn parcels(doors: Doors) -> Doors {
    use policy::{PARCELS, WINDOW};
    doors
        .get(&PARCELS, "/parcels", pages::parcels)
        .get(&PARCELS, "/parcels.csv", pages::parcels_csv)
        .get(&PARCELS, "/parcels/{number}", pages::parcel)
        .post(&PARCELS, "/parcels/{number}", pages::parcel_deed)
        .get(&PARCELS, "/parcels/{number}/paper", pages::parcel_paper)
        .get(&WINDOW, "/window/pick-up", pages::pick_up_form)
        .post(&WINDOW, "/window/pick-up", pages::pick_up)
        .post(&WINDOW, "/window/pick-up/hand", pages::pick_up_hand)
}

/// Addresses of people, each behind its gate.
#[derive(Default)]
struct Doors {
    router: Router<App>,
    entries: Vec<Entry>,
}

impl Doors {
    fn get<H, T>(self, permit: &'static Permit, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add("GET", permit, path, get(handler))
    }

    fn post<H, T>(self, permit: &'static Permit, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add("POST", permit, path, post(handler))
    }

    /// A form whose texts may be long: a part of an item, a deed with its reason.
    fn post_item<H, T>(self, permit: &'static Permit, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let limit = DefaultBodyLimit::max(pages::MAX_ITEM_FORM_BYTES);
        self.add("POST", permit, path, post(handler).layer(limit))
    }

    /// A form with scans.
    fn post_files<H, T>(self, permit: &'static Permit, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let limit = DefaultBodyLimit::max(pages::MAX_WINDOW_FORM_BYTES);
        self.add("POST", permit, path, post(handler).layer(limit))
    }

    fn add(
        mut self,
        method: &'static str,
        permit: &'static Permit,
        path: &'static str,
        handler: MethodRouter<App>,
    ) -> Self {
        let judged =
            handler.route_layer(from_fn(move |request: Request, next: Next| gate(permit, request, next)));
        self.router = self.router.route(path, judged);
        self.entries.push(Entry { method, path: path.to_owned(), permit });
        self
    }
}

/// Calls of terminals, each behind its gate: whoever calls brings a certificate and a proof of its own, which the call
/// itself checks.
#[derive(Default)]
struct Calls {
    router: OpenApiRouter<App>,
    entries: Vec<Entry>,
}

impl Calls {
    fn add(mut self, permit: &'static Permit, routes: UtoipaMethodRouter<App>) -> Self {
        for (path, item) in &routes.1.paths {
            let methods = [
                ("GET", &item.get),
                ("PUT", &item.put),
                ("POST", &item.post),
                ("DELETE", &item.delete),
                ("PATCH", &item.patch),
            ];
            let there = methods.into_iter().filter(|(_, operation)| operation.is_some());
            self.entries.extend(there.map(|(method, _)| Entry { method, path: path.clone(), permit }));
        }
        let (schemas, paths, methods) = routes;
        let gate = from_fn(move |request: Request, next: Next| device_gate(permit, request, next));
        self.router = self.router.routes((schemas, paths, methods.route_layer(gate)));
        self
    }

    /// What the description of the API leaves out: signed catalogues (TUF) and uploads (tus) are protocols of their own, and
    /// carriers call back.
    fn with_other_protocols(self) -> Self {
        let gated = |calls: MethodRouter<App>| {
            calls.route_layer(from_fn(|request: Request, next: Next| {
                device_gate(&policy::DEVICES, request, next)
            }))
        };
        let device = |method: &'static str| (method, &policy::DEVICES);
        let open = ("OPTIONS", &policy::OPEN);
        let all = gated(post(uploads::create)).options(uploads::options);
        let one = gated(head(uploads::look).patch(uploads::add).delete(uploads::give_up));
        self.other("/tuf/metadata/{name}", &[("GET", &policy::OPEN)], get(tuf::metadata))
            .other("/tuf/targets/{name}", &[("GET", &policy::OPEN)], get(tuf::target))
            .other("/api/v1/uploads", &[device("POST"), open], all)
            .other(
                "/api/v1/uploads/{id}",
                &[device("HEAD"), device("PATCH"), device("DELETE"), open],
                one.options(uploads::options),
            )
            .other(
                "/api/v1/carriers/{carrier}/events",
                &[("POST", &policy::CALL_BACKS)],
                post(carriers::heard),
            )
    }

    /// An address of another protocol, with its methods. Those of devices and carriers bring a proof, which the call checks.
    fn other(
        mut self,
        path: &'static str,
        methods: &[(&'static str, &'static Permit)],
        handler: MethodRouter<App>,
    ) -> Self {
        self.router = self.router.route(path, handler);
        let entries = methods.iter().map(|(method, permit)| Entry { method, path: path.to_owned(), permit });
        self.entries.extend(entries);
        self
    }
}

fn finish(routes: Router<App>, app: App, side: Side) -> Router {
    routes
        .fallback(api::not_found)
        .method_not_allowed_fallback(api::method_not_allowed)
        .layer(Extension(app.clone()))
        .layer(from_fn_with_state((app.clone(), side), guard))
        .layer(from_fn(uploads::name_version))
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(NOT_PACKED)))
        .layer(from_fn(weaken_compressed))
        .with_state(app)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_goes_through_one_of_the_two_builders() {
        // Whoever writes an address past them writes one without a permit.
        let product = include_str!("routes.rs").split("#[cfg(test)]").next().unwrap_or_default();
        for (call, times) in
            [(".route(", 2), (".routes(", 1), (".merge(", 0), (".nest(", 0), ("_service(", 0)]
        {
            assert_eq!(product.matches(call).count(), times, "{call}");
        }
        let written =
            [".get(&", ".post(&", ".post_item(&", ".post_files(&"].map(|call| product.matches(call).count());
        assert_eq!(written.iter().sum::<usize>(), people_table().len());
    }

    #[test]
    fn no_address_stands_twice_and_every_permit_is_used() {
        for table in [terminals_table(), people_table()] {
            assert!(table.len() >= 9, "{}", table.len());
            for (n, entry) in table.iter().enumerate() {
                let same = |e: &Entry| (e.method, &e.path) == (entry.method, &entry.path);
                assert!(!table[n + 1..].iter().any(same), "{} {}", entry.method, entry.path);
            }
        }
        for permit in policy::PERMITS {
            let used = terminals_table().iter().chain(&people_table()).any(|e| e.permit == permit);
            assert!(used, "{}", permit.name);
        }
    }
}
