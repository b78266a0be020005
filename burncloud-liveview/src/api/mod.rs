//! The management API: everything that the console does, as JSON over HTTP, at `{prefix}/api/*`.
//!
//! One place gives each route and its part of the OpenAPI document: the attribute on its handler. Handlers read the
//! request, call the [`Desk`], and write its answer down as JSON; who may do what is the desk's to say.
//!
//! From the outside in: [`finish`] (ids, headers, problems) → the door ([`door`]: who asks, how fast) →
//! [`once`] (idempotency keys) → handlers.

mod audit;
mod budgets;
mod channels;
mod docs;
mod document;
mod door;
mod findings;
mod finish;
mod groups;
mod house;
mod keys;
mod logins;
mod logs;
mod me;
mod money;
mod once;
mod page;
mod prices;
mod problem;
mod read;
mod reply;
mod schema;
mod settings;
mod slow;
mod table;
mod tenants;
#[cfg(test)]
mod tests;
mod usage;
mod users;

pub(crate) use channels::rows as channel_rows;

use crate::Console;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::any;
use burncloud_billing::Desk;
use serde_json::Value;
use slow::Pace;
use std::fmt;
use std::sync::{Arc, OnceLock};
use utoipa_axum::router::OpenApiRouter;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Api(Arc<Parts>);

struct Parts {
    console: Console,
    pace: Pace,
    document: OnceLock<Value>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Api")
    }
}

impl Api {
    fn desk(&self) -> &Desk {
        self.0.console.desk()
    }

    fn console(&self) -> &Console {
        &self.0.console
    }

    fn pace(&self) -> &Pace {
        &self.0.pace
    }

    /// The OpenAPI document.
    fn document(&self) -> &Value {
        self.0.document.get().unwrap_or(&Value::Null)
    }
}

/// The API, mounted below the console's prefix.
pub(crate) fn router(console: &Console) -> Router {
    mount(console, guarded(), public())
}

fn mount(console: &Console, guarded: OpenApiRouter<Api>, public: OpenApiRouter<Api>) -> Router {
    let parts = Parts { console: console.clone(), pace: Pace::default(), document: OnceLock::new() };
    let api = Api(Arc::new(parts));
    let guarded = guarded
        .route_layer(from_fn_with_state(api.clone(), once::once))
        .route_layer(from_fn_with_state(api.clone(), door::enter));
    let (routes, document) = guarded.merge(public).split_for_parts();
    api.0.document.get_or_init(|| document::finish(document, console.prefix()));
    // Said here, not by a fallback: beside the API there are pages, which take every address that nothing else takes.
    let routes = routes
        .route("/api", any(finish::nothing))
        .route("/api/", any(finish::nothing))
        .route("/api/{*rest}", any(finish::nothing))
        .route("/internal/{*rest}", any(finish::nothing))
        .method_not_allowed_fallback(finish::not_so)
        .layer(from_fn(finish::finish))
        .with_state(api);
    match console.prefix() {
        "" => routes,
        prefix => Router::new().nest(prefix, routes),
    }
}

/// What needs somebody who signed in.
fn guarded() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(audit::routes())
        .merge(budgets::routes())
        .merge(channels::routes())
        .merge(findings::routes())
        .merge(groups::routes())
        .merge(keys::routes())
        .merge(logins::routes())
        .merge(logs::routes())
        .merge(me::routes())
        .merge(money::routes())
        .merge(prices::routes())
        .merge(settings::routes())
        .merge(tenants::routes())
        .merge(usage::routes())
        .merge(users::routes())
}

/// What anybody may see: it says nothing of this house.
fn public() -> OpenApiRouter<Api> {
    OpenApiRouter::new().merge(house::routes())
}
