//! A conversation while it goes on: its turns, the one that is being answered, and what survives a lost connection.

use super::run::{self, News, Order, State, Take};
use super::speech::{Ask, Dials, Picture, Said, Speech};
use crate::held::Blob;
use crate::live::use_conn;
use burncloud_core::{KeyId, ReceiptId};
use dioxus::prelude::*;
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Streamed words are drawn at most so often.
const PAINT: Duration = Duration::from_millis(40);
/// The most that a browser is given to keep, in bytes: less than a frame may be long.
const KEPT: usize = 120 << 10;

/// What somebody said and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Turn {
    pub(super) id: u64,
    pub(super) ask: Ask,
    pub(super) take: Take,
}

impl Turn {
    /// The ids of what is held for it.
    fn held(&self) -> impl Iterator<Item = &str> {
        let drawn = self.take.said.pictures.iter().filter_map(|picture| match picture {
            Picture::Held(id, _) => Some(id.as_str()),
            Picture::Away(_) | Picture::Odd => None,
        });
        self.ask.held().chain(drawn)
    }
}

/// With what a turn is asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Terms {
    pub(super) key: KeyId,
    pub(super) model: String,
    pub(super) speech: Speech,
    pub(super) dials: Dials,
}

/// A turn as a browser keeps it.
#[derive(Serialize, Deserialize)]
struct Kept {
    ask: Ask,
    said: Said,
    model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    receipt: Option<ReceiptId>,
}

/// A conversation.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Talk {
    pub(super) turns: Signal<Vec<Turn>>,
    stop: Signal<Option<CancellationToken>>,
    next: Signal<u64>,
    send: Callback<(Terms, Ask)>,
    follow: Callback<(u64, ReceiptId)>,
    /// Holds what belongs to its turns for as long as they are there.
    hold: Callback<()>,
}

/// A conversation that lives as long as the component that calls this: its requests are dropped with it.
pub(super) fn use_talk() -> Talk {
    let conn = use_conn();
    let turns = use_signal(Vec::<Turn>::new);
    let stop = use_signal(|| None::<CancellationToken>);
    let next = use_signal(|| 0_u64);
    let held = use_signal(Vec::<Arc<Blob>>::new);
    let cx = conn.cx();
    let hold = use_callback(move |()| {
        let mut held = held;
        let find = |id: &str| cx.console.held().find(&cx.viewer.csrf, id);
        held.set(turns.peek().iter().flat_map(Turn::held).filter_map(find).collect());
    });
    let cx = conn.cx();
    let follow = use_callback(move |(id, receipt): (u64, ReceiptId)| {
        let cx = cx.clone();
        spawn(async move {
            let mut turns = turns;
            let reading = cx.console.runtime().spawn(run::receipt(cx.clone(), receipt));
            if let Ok(Some(view)) = AbortOnDropHandle::new(reading).await {
                change(&mut turns, id, |take| take.receipt = Some(Rc::new(view)));
            }
        });
    });
    let cx = conn.cx();
    let send = use_callback(move |(terms, ask): (Terms, Ask)| {
        let (mut turns, mut stop, mut next) = (turns, stop, next);
        let id = *next.peek();
        next.set(id + 1);
        let before: Vec<(Ask, Said)> =
            turns.peek().iter().map(|turn| (turn.ask.clone(), turn.take.said.clone())).collect();
        let take = Take { model: terms.model.clone(), ..Take::default() };
        turns.write().push(Turn { id, ask: ask.clone(), take });
        hold.call(());
        let Terms { key, model, speech, dials } = terms;
        let order = Order { key, speech, model, dials, before, now: ask };
        let token = CancellationToken::new();
        stop.set(Some(token.clone()));
        let cx = cx.clone();
        spawn(async move {
            let (tx, rx) = mpsc::channel(64);
            let asking = cx.console.runtime().spawn(run::ask(cx.clone(), order, token, tx));
            // Dropped with this page: nobody waits for the answer then.
            let _asking = AbortOnDropHandle::new(asking);
            listen(&mut turns, id, rx).await;
            stop.set(None);
            hold.call(());
            let receipt =
                turns.peek().iter().find(|turn| turn.id == id).and_then(|turn| turn.take.receipt_id);
            if let Some(receipt) = receipt {
                follow.call((id, receipt));
            }
        });
    });
    Talk { turns, stop, next, send, follow, hold }
}

fn change(turns: &mut Signal<Vec<Turn>>, id: u64, with: impl FnOnce(&mut Take)) {
    if let Some(turn) = turns.write().iter_mut().find(|turn| turn.id == id) {
        with(&mut turn.take);
    }
}

/// Takes in what happens, in batches, until it is over.
async fn listen(turns: &mut Signal<Vec<Turn>>, id: u64, mut news: mpsc::Receiver<News>) {
    while let Some(first) = news.recv().await {
        let mut batch = vec![first];
        while let Ok(more) = news.try_recv() {
            batch.push(more);
        }
        change(turns, id, |take| batch.into_iter().for_each(|news| take.hear(news)));
        tokio::time::sleep(PAINT).await;
    }
    change(turns, id, |take| {
        if take.busy() {
            // Whoever asked is gone without a word.
            take.fault = Some("the request failed: the server's log says why".to_owned());
            take.state = State::Failed;
        }
    });
}

impl Talk {
    /// Whether an answer is on its way.
    pub(super) fn busy(&self) -> bool {
        self.stop.read().is_some()
    }

    /// Says something, unless an answer is on its way.
    pub(super) fn say(&self, terms: Terms, ask: Ask) {
        if self.stop.peek().is_none() {
            self.send.call((terms, ask));
        }
    }

    /// Drops the request: what came stays.
    pub(super) fn stop(&self) {
        if let Some(token) = &*self.stop.peek() {
            token.cancel();
        }
    }

    /// Forgets all of it, and gives what was there.
    pub(super) fn clear(&mut self) -> Vec<Turn> {
        self.stop();
        let mut gone = std::mem::take(&mut *self.turns.write());
        // Nobody listens any more to what was on its way.
        gone.retain(|turn| !turn.take.busy());
        self.hold.call(());
        gone
    }

    /// Puts back what was forgotten, before what was said since. Does nothing where the page is gone.
    pub(super) fn bring_back(&mut self, gone: &[Turn]) {
        if let Ok(mut turns) = self.turns.try_write() {
            turns.splice(0..0, gone.iter().cloned());
            drop(turns);
            self.hold.call(());
        }
    }

    /// Asks once more what that turn asked; what came after it is forgotten.
    pub(super) fn retry(&mut self, id: u64, terms: Terms) {
        if let Some(ask) = self.back_to(id) {
            self.say(terms, ask);
        }
    }

    /// Forgets that turn and what came after it, and gives what it asked.
    pub(super) fn back_to(&mut self, id: u64) -> Option<Ask> {
        if self.stop.peek().is_some() {
            return None;
        }
        let mut turns = self.turns.write();
        let at = turns.iter().position(|turn| turn.id == id)?;
        turns.drain(at..).next().map(|turn| turn.ask)
    }

    /// What a browser keeps of it, newest turns first to count: empty while an answer is on its way.
    pub(super) fn kept(&self) -> String {
        let turns = self.turns.read();
        let (mut kept, mut size) = (Vec::new(), 0);
        for turn in turns.iter().rev().filter(|turn| !turn.take.busy()) {
            let take = &turn.take;
            let one = Kept {
                ask: turn.ask.clone(),
                said: take.said.clone(),
                model: take.model.clone(),
                receipt: take.receipt_id,
            };
            size += serde_json::to_string(&one).map_or(KEPT, |text| text.len());
            if size > KEPT {
                break;
            }
            kept.insert(0, one);
        }
        if kept.is_empty() { String::new() } else { serde_json::to_string(&kept).unwrap_or_default() }
    }

    /// Takes back what a browser kept, where nothing is there yet.
    pub(super) fn restore(&mut self, text: &str) {
        if !self.turns.peek().is_empty() || text.len() > 2 * KEPT {
            return;
        }
        let Ok(kept) = serde_json::from_str::<Vec<Kept>>(text) else { return };
        for Kept { ask, said, model, receipt } in kept {
            let id = *self.next.peek();
            self.next.set(id + 1);
            let take = Take { state: State::Done, said, model, receipt_id: receipt, ..Take::default() };
            self.turns.write().push(Turn { id, ask, take });
            if let Some(receipt) = receipt {
                self.follow.call((id, receipt));
            }
        }
        self.hold.call(());
    }
}
