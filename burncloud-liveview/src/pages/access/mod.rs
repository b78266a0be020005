//! Keys: which there are, what each opens and spends, and everything that is done with one.
//!
//! `/access` lists them (`q`, `state`, `user` and `after` choose), `/access/new` (`do=new` too) makes one, `/access/ID` shows one; its `do`
//! says which dialog is open.

mod budget;
mod chart;
mod create;
mod edit;
mod fields;
mod key;
mod list;
mod shown;
mod sign;
mod snippets;
#[cfg(test)]
mod tests;
mod withdraw;
mod words;

use crate::live::{Place, use_here};
use crate::pages::Nothing;
use burncloud_core::KeyId;
use dioxus::prelude::*;
use std::time::Duration;

#[component]
pub(crate) fn Access() -> Element {
    let here = use_here();
    let Some(id) = here.segment(1).filter(|part| part != "new") else {
        return rsx! { list::Keys {} };
    };
    match id.parse() {
        // A list of one with a key: another key is another component, with hooks of its own.
        Ok(id) => rsx! { for id in [KeyId(id)] { key::Key { key: "{id}", id } } },
        Err(_) => rsx! { Nothing {} },
    }
}

/// Between two readings of what stands on the page, while somebody looks.
const AGAIN: Duration = Duration::from_secs(15);

/// The page of a key.
fn place_of(id: KeyId) -> Place {
    Place::at(["access".to_owned(), id.to_string()])
}
