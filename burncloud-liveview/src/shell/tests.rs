//! The whole of a page, with everything that is around it.

use super::App;
use crate::Console;
use crate::lang::{Lang, Look};
use crate::live::{Client, Conn, Viewer};
use burncloud_billing::Desk;
use burncloud_billing::people::Actor;
use burncloud_core::store::MemoryStore;
use dioxus::dioxus_core::NoOpMutations;
use dioxus::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// The most drawings until a page has read all it shows; those that never end are many more.
const DRAWINGS: usize = 200;

const PATHS: &[&str] = &[
    "",
    "/models",
    "/models/cards",
    "/models/groups",
    "/models/transforms",
    "/radar",
    "/logs",
    "/logs?result=errors",
    "/logs?live=off",
    "/logs/changes",
    "/access",
    "/access/new",
    "/users",
    "/users/tree",
    "/finance",
    "/finance/prices",
    "/finance/codes",
    "/playground",
    "/settings",
    "/account",
    "/nowhere",
];

/// A component that writes what it draws from, or passes on another signal at each drawing, is drawn for ever: a whole
/// core, and no effect ever runs.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_comes_to_rest() {
    let desk = Desk::new(Arc::new(MemoryStore::default()), burncloud_adapters::registry());
    let console = Console::builder(desk).build(tokio::runtime::Handle::current());
    let viewer = Arc::new(Viewer::signed_in(Actor::operator("boss"), Lang::En));
    let stage = tokio::task::LocalSet::new();
    stage
        .run_until(async {
            for path in PATHS {
                let (frames, _rest) = tokio::sync::mpsc::channel(64);
                let mut conn =
                    Conn::page(console.clone(), viewer.clone(), Look::default(), format!("/console{path}"));
                conn.client = Some(Client::new(frames));
                let mut dom =
                    VirtualDom::new(App).with_root_context(conn.look.clone()).with_root_context(conn);
                dom.rebuild_in_place();
                let mut drawings = 0;
                while timeout(Duration::from_millis(400), dom.wait_for_work()).await.is_ok() {
                    dom.render_immediate(&mut NoOpMutations);
                    drawings += 1;
                    assert!(drawings < DRAWINGS, "`{path}` draws itself again and again");
                }
            }
        })
        .await;
}
