//! How fast accounts answer: a free question to each, a few beside one another.

use crate::live::Conn;
use burncloud_core::ChannelId;
use dioxus::core::Task;
use dioxus::prelude::*;
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// How many are asked beside one another.
const AT_ONCE: usize = 4;

/// What came of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Waiting,
    Asking,
    /// After so many microseconds.
    Answered(u64),
    /// It did not; why, without any secret.
    Silent(String),
}

/// The questions that were asked since the page was opened.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Speed {
    tests: Signal<BTreeMap<ChannelId, Test>>,
    running: Signal<Option<Task>>,
}

impl Speed {
    pub(super) fn of(&self, id: ChannelId) -> Option<Test> {
        self.tests.read().get(&id).cloned()
    }

    /// How many have been asked of how many, while it goes on.
    pub(super) fn progress(&self) -> Option<(usize, usize)> {
        self.running.read().as_ref()?;
        let tests = self.tests.read();
        let done = tests.values().filter(|test| !matches!(test, Test::Waiting | Test::Asking)).count();
        Some((done, tests.len()))
    }

    /// Asks these, anew.
    pub(super) fn start(&mut self, ids: Vec<ChannelId>) {
        if ids.is_empty() || self.running.peek().is_some() {
            return;
        }
        let conn = consume_context::<Conn>();
        let cx = conn.cx();
        let (tell, mut told) = mpsc::unbounded_channel();
        {
            let mut tests = self.tests.write();
            if ids.len() > 1 {
                tests.clear();
            }
            tests.extend(ids.iter().map(|id| (*id, Test::Waiting)));
        }
        let asking = AbortOnDropHandle::new(conn.console.runtime().spawn(async move {
            let mut waiting = ids.into_iter();
            let mut running = JoinSet::new();
            loop {
                while running.len() < AT_ONCE
                    && let Some(id) = waiting.next()
                {
                    let (cx, tell) = (cx.clone(), tell.clone());
                    running.spawn(async move {
                        let _ = tell.send((id, Test::Asking));
                        let timed = cx.console.desk().time_channel(&cx.viewer.actor, id).await;
                        let test = match timed {
                            Ok(timed) => timed.took_us.map_or(Test::Silent(timed.message), Test::Answered),
                            Err(error) => Test::Silent(error.to_string()),
                        };
                        let _ = tell.send((id, test));
                    });
                }
                if running.join_next().await.is_none() {
                    break;
                }
            }
        }));
        let (mut tests, mut running) = (self.tests, self.running);
        let task = spawn(async move {
            let _asking = asking;
            while let Some((id, test)) = told.recv().await {
                tests.write().insert(id, test);
            }
            running.set(None);
        });
        self.running.set(Some(task));
    }

    /// Asks no more; what was answered stays.
    pub(super) fn stop(&mut self) {
        if let Some(task) = self.running.write().take() {
            task.cancel();
        }
        self.tests.write().retain(|_, test| !matches!(test, Test::Waiting | Test::Asking));
    }
}

pub(super) fn use_speed() -> Speed {
    Speed { tests: use_signal(BTreeMap::new), running: use_signal(|| None) }
}
