//! What the pages are made of: components over the classes of `console.css`.
//!
//! A page takes them all: `use crate::kit::*;`. Each draws the markup that the design knows; each word it shows of its
//! own is in both languages.

mod bars;
mod basic;
mod button;
mod charts;
mod field;
mod form;
mod look;
mod markdown;
mod menu;
mod overlay;
mod sky;
mod switcher;
mod table;
mod toast;
mod trace;
mod words;

pub use bars::{Fence, Heat, Meter, Span};
pub use basic::{Badge, Brand, Copy, Dot, Hotkey, Icon, Pulse, PulseState, Tile, Tone, hue, initials};
pub use button::{Button, Kind, LinkButton};
pub use charts::{Chart, Spark};
pub use field::{Check, Choice, Field, Hint, Select, Text, Toggle};
pub use form::Form;
pub use look::LookSwitch;
pub use markdown::{Markdown, blocks, html};
pub use menu::{Menu, MenuItem, MenuLink};
pub use overlay::{Confirm, Dialog, Drawer};
pub use sky::{Horizon, Sun};
pub use switcher::{Tab, Tabs, Views};
pub use table::{Pager, Table};
pub use toast::{Toast, ToastStack, Toasts, use_toasts};
pub use trace::{Fall, FallBar, Hop, Hops, Locator, ReceiptBox, ReceiptLine, ReceiptSum, Tree};
pub use words::{Broken, Empty, Figure, Headline, Loading, Section};

use crate::fmt::Fmt;
use crate::lang::Look;
use dioxus::prelude::*;

/// What the logo shows on every page, at rest until something sets it.
#[must_use]
pub fn use_pulse() -> Signal<PulseState> {
    use_context::<Signal<PulseState>>()
}

/// How numbers and times are written for whoever looks.
#[must_use]
pub fn use_fmt() -> Fmt {
    use_hook(|| Fmt::from(&try_consume_context::<Look>().unwrap_or_default()))
}
