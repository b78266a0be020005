//! The console over HTTP: its pages, the socket that keeps them alive, its assets, and the headers of all of them.
//!
//! | path below the prefix | |
//! |---|---|
//! | any page | the first HTML, never cached; whoever has not signed in is sent to `signin` |
//! | `ws` | the socket: 403 from another origin, 401 without a session, 429 beside as many as may be open |
//! | `assets/{name}` | embedded files under names with their hash, cached for ever |
//! | `logs/export` | requests as a file |
//! | `uploads/pictures`, `uploads/texts`, `uploads/{id}` | POST: pictures and long texts for the playground, held for their session; GET: one of them |
//! | `look` | POST: another language or theme, then back |

mod assets;
mod document;
mod export;
mod headers;
mod look;
mod origin;
mod page;
mod socket;
#[cfg(test)]
mod tests;
mod uploads;
mod whole;

pub(crate) use whole::to_its_end;

pub use document::still;
pub(crate) use export::EXPORT_MOST;
pub use headers::{CSP, secure};
pub use origin::same_origin;

use crate::Console;
use crate::auth::{self, Caller};
use crate::live::Viewer;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::routing::{get, post};
use dioxus_liveview::LiveViewPool;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Where pictures go.
pub(crate) const PICTURES: &str = "/uploads/pictures";
/// Where long texts go.
pub(crate) const TEXTS: &str = "/uploads/texts";

/// How it is found out who sent a request.
type Viewers = fn(Console, Caller) -> Pin<Box<dyn Future<Output = Option<Arc<Viewer>>> + Send>>;

/// What the handlers share.
#[derive(Clone)]
struct Web {
    console: Console,
    viewers: Viewers,
    pool: LiveViewPool,
}

impl Web {
    async fn viewer(&self, caller: &Caller) -> Option<Arc<Viewer>> {
        (self.viewers)(self.console.clone(), caller.clone()).await
    }
}

impl FromRef<Web> for Console {
    fn from_ref(web: &Web) -> Console {
        web.console.clone()
    }
}

/// Everything of the console that is a page. Needs a tokio runtime around it.
pub fn router(console: Console) -> Router {
    router_for(console, |console, caller| Box::pin(async move { auth::viewer(&console, &caller).await }))
}

fn router_for(console: Console, viewers: Viewers) -> Router {
    let prefix = console.prefix().to_owned();
    let under = |path: &str| format!("{prefix}{path}");
    let root = if prefix.is_empty() { "/".to_owned() } else { prefix.clone() };
    let mut router = Router::new()
        .route(&under("/ws"), get(socket::socket))
        .route(&under("/assets/{name}"), get(assets::asset))
        .route(&under("/look"), post(look::look).layer(DefaultBodyLimit::max(look::LARGEST)))
        .route(&under("/logs/export"), get(export::export))
        .route(&under(PICTURES), post(uploads::picture))
        .route(&under(TEXTS), post(uploads::text))
        .route(&under("/uploads/{id}"), get(uploads::show))
        .route(&root, get(page::page))
        .route(&under("/{*path}"), get(page::page));
    if !prefix.is_empty() {
        router = router.route(&under("/"), get(page::page));
    }
    let web = Web { console, viewers, pool: LiveViewPool::new() };
    secure(router.with_state(web))
}
