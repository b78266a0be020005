//! How a page lives: the first HTML is drawn on the server, then a websocket carries events in and edits out.
//!
//! dioxus' `LiveViewPool` runs the components; everything between it and the browser is here: [`Conn`], what a page
//! knows; [`Client`], what it may ask of the browser; [`Place`] and [`Here`], where somebody is; [`use_load`] and
//! [`use_act`], which read and write off the threads that draw; and the socket itself.
//!
//! What a browser sends is not trusted: an event's files are dropped (dioxus would read the path that they name from
//! the server's disk), frames have a limit, a flood ends the connection. No frame is ever logged: an event within a
//! form carries the whole form.

mod act;
mod client;
mod conn;
mod fault;
mod filter;
mod here;
mod load;
mod pace;
mod place;
mod pump;
mod script;
mod turns;
mod watch;

pub use act::{Act, use_act};
pub(crate) use act::{Changes, broken};
pub use client::Client;
pub use conn::{Conn, Cx, Viewer, use_conn, use_lang};
pub use fault::Fault;
pub use here::{Here, use_here, use_live_history};
pub use load::{Loaded, use_load};
pub use place::Place;
pub(crate) use pump::{MAX_FRAME, pump};
pub(crate) use script::script;
pub(crate) use turns::use_again;
pub use turns::{use_turns, use_turns_after};
pub use watch::use_watch;
