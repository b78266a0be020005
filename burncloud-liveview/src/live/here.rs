//! Where somebody is, and how a page sends them elsewhere.

use super::conn::{Conn, use_conn};
use super::place::Place;
use dioxus::prelude::*;

/// Where somebody is: reading [`place`](Here::place) in a component draws it again when they move.
#[derive(Clone, Copy)]
pub struct Here {
    place: Signal<Place>,
    conn: CopyValue<Conn>,
}

impl Here {
    /// Where they are.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place.read().clone()
    }

    /// A part of the query; an empty one is none.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<String> {
        self.place.read().get(key).map(str::to_owned)
    }

    /// A part of the query as a number, an id, an enumeration; one that cannot be read is none.
    #[must_use]
    pub fn parsed<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.place.read().parsed(key)
    }

    /// One part of the path: 0 is the page's own, 1 the first after it.
    #[must_use]
    pub fn segment(&self, at: usize) -> Option<String> {
        self.place.read().segment(at).map(str::to_owned)
    }

    /// The URL of a place, for a plain `a { href }`.
    #[must_use]
    pub fn href(&self, place: &Place) -> String {
        self.conn.read().href(&place.to_string())
    }

    /// The URL of where they are with another part of the query; an empty value takes it away.
    #[must_use]
    pub fn with(&self, key: &str, value: impl std::fmt::Display) -> String {
        self.href(&self.place().with(key, value))
    }

    /// Goes there; the browser's "back" comes back here.
    pub fn go(&mut self, place: Place) {
        let url = self.href(&place);
        if let Some(client) = &self.conn.peek().client {
            client.push(&url);
        }
        self.moved(place);
    }

    /// Goes there in place of where they are: a filter while somebody types.
    pub fn replace(&mut self, place: Place) {
        let url = self.href(&place);
        if let Some(client) = &self.conn.peek().client {
            client.replace(&url);
        }
        self.moved(place);
    }

    fn moved(&mut self, place: Place) {
        if *self.place.peek() != place {
            self.place.set(place);
        }
    }
}

/// Where somebody is.
///
/// # Panics
/// Where [`use_live_history`] was not called above.
#[must_use]
pub fn use_here() -> Here {
    use_context::<Here>()
}

/// Called once, by the root component: provides [`Here`] and follows the browser's links, "back" and "forward".
pub fn use_live_history() -> Here {
    let conn = use_conn();
    let here = use_context_provider(|| {
        let place = Place::parse(conn.console.prefix(), &conn.path);
        Here { place: Signal::new(place), conn: CopyValue::new(conn.clone()) }
    });
    use_hook(move || {
        let moves = conn.moves.lock().take();
        spawn(async move {
            let Some(mut moves) = moves else { return };
            let mut here = here;
            while moves.changed().await.is_ok() {
                let path = moves.borrow_and_update().clone();
                let place = Place::parse(conn.console.prefix(), &path);
                here.moved(place);
            }
        });
    });
    here
}
