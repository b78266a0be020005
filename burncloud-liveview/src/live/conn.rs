//! What a page knows of who looks at it.

use super::client::Client;
use crate::Console;
use crate::lang::{Lang, Look, Theme};
use burncloud_billing::people::Actor;
use dioxus::prelude::*;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Somebody who signed in.
#[derive(Clone)]
pub struct Viewer {
    /// Whom use cases are told.
    pub actor: Actor,
    /// As the page calls them.
    pub name: String,
    /// Their language.
    pub lang: Lang,
    /// Their theme.
    pub theme: Theme,
    /// What a form that is posted has to carry.
    pub csrf: String,
    /// Cancelled when the session ends; their sockets close then.
    pub ended: CancellationToken,
    /// Who really sits there, where an administrator acts as this user.
    pub acting: Option<String>,
}

#[cfg(test)]
impl Viewer {
    /// Somebody who signed in, for tests: `token` is what their forms carry.
    pub(crate) fn signed_in(actor: Actor, lang: Lang) -> Viewer {
        Viewer {
            name: actor.name.clone(),
            actor,
            lang,
            theme: Theme::System,
            csrf: "token".into(),
            ended: CancellationToken::new(),
            acting: None,
        }
    }
}

impl fmt::Debug for Viewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the CSRF token.
        f.debug_struct("Viewer")
            .field("actor", &self.actor)
            .field("acting", &self.acting)
            .finish_non_exhaustive()
    }
}

/// What a load or a write is given: it may leave the page's thread.
#[derive(Clone, Debug)]
pub struct Cx {
    /// The console.
    pub console: Console,
    /// Who looks.
    pub viewer: Arc<Viewer>,
}

/// What one page knows, as first HTML or on a socket: the root context of its components.
#[derive(Clone)]
pub struct Conn {
    /// The console.
    pub console: Console,
    /// Who looks.
    pub viewer: Arc<Viewer>,
    /// How they want to see it.
    pub look: Look,
    /// Where they came in: path with its prefix, and query.
    pub path: String,
    /// The browser; `None` while the first HTML is drawn.
    pub client: Option<Client>,
    /// Where the browser reaches the console, such as `https://gateway.example`; empty while the first HTML is drawn, unless
    /// it is configured.
    pub origin: String,
    pub(super) moves: Arc<Mutex<Option<watch::Receiver<String>>>>,
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn").field("viewer", &self.viewer).finish_non_exhaustive()
    }
}

impl Conn {
    /// For the first HTML of the page at `path`, which has the prefix.
    #[must_use]
    pub fn page(console: Console, viewer: Arc<Viewer>, look: Look, path: String) -> Conn {
        let look = Look { lang: viewer.lang, theme: viewer.theme, ..look };
        let origin = console.public_url().unwrap_or_default().to_owned();
        Conn { console, viewer, look, path, client: None, origin, moves: Arc::default() }
    }

    /// Where the browser says that it is, where nothing is configured.
    #[must_use]
    pub(crate) fn at(mut self, origin: &str) -> Conn {
        if self.origin.is_empty() {
            origin.clone_into(&mut self.origin);
        }
        self
    }

    /// For a socket: with the browser, and where it moves to.
    pub(super) fn live(mut self, client: Client, moves: watch::Receiver<String>) -> Conn {
        self.client = Some(client);
        self.moves = Arc::new(Mutex::new(Some(moves)));
        self
    }

    /// What a load or a write is given.
    #[must_use]
    pub fn cx(&self) -> Cx {
        Cx { console: self.console.clone(), viewer: self.viewer.clone() }
    }

    /// The URL of a path within the console: `/logs` becomes `/console/logs`.
    #[must_use]
    pub fn href(&self, path: &str) -> String {
        format!("{}{}", self.console.prefix(), if path == "/" { "" } else { path })
    }
}

/// What this page knows.
///
/// # Panics
/// Where no [`Conn`] is around: on a page for whoever has not signed in.
#[must_use]
pub fn use_conn() -> Conn {
    use_context::<Conn>()
}

/// The language of whoever looks, signed in or not.
#[must_use]
pub fn use_lang() -> Lang {
    use_hook(|| try_consume_context::<Look>().unwrap_or_default().lang)
}
