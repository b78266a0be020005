//! The rows of the log, read again as new ones come.

use super::query::Query;
use crate::live::{Cx, Loaded, use_conn, use_load};
use crate::watch::Watch;
use burncloud_billing::desk::reports::{LogFilter, LogRow, Page};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{Receipt, ReceiptId, UnixMicros};
use dioxus::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep, timeout};

/// Between two readings, at least; and for how much longer than a reading took the store is left in peace.
const PAUSE: Duration = Duration::from_secs(1);
const REST: u32 = 9;
/// Another process may have recorded something that the feed of this one says nothing of.
const ANYWAY: Duration = Duration::from_secs(5);
/// So many new ones are counted; more are "and more".
const COUNTED: u32 = 200;

/// What was read.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) query: Query,
    pub(super) page: Page<LogRow>,
    /// Those that came since the reading before.
    pub(super) fresh: BTreeSet<ReceiptId>,
}

impl Shown {
    /// Whether there never was a request for these eyes.
    pub(super) fn never(&self) -> bool {
        self.page.rows.is_empty() && self.query == Query::default()
    }
}

/// How many came that are not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) count: usize,
    /// Whether there are more.
    pub(super) more: bool,
}

/// The rows as they are read, and how many wait.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Tail {
    pub(super) rows: Loaded<Shown>,
    pub(super) waiting: Signal<Waiting>,
}

/// What the last reading showed.
#[derive(Clone, Debug, Default)]
struct Known {
    query: Query,
    ids: BTreeSet<ReceiptId>,
    newest: Option<(ReceiptId, UnixMicros)>,
}

impl Known {
    fn of(shown: &Shown) -> Known {
        let rows = &shown.page.rows;
        Known {
            query: shown.query.clone(),
            ids: rows.iter().map(|row| row.id).collect(),
            newest: rows.first().map(|row| (row.id, row.at)),
        }
    }

    /// Those of a page that were not there before; none of the first page of another question.
    fn fresh(&self, query: &Query, rows: &[LogRow]) -> BTreeSet<ReceiptId> {
        if self.query != *query || self.ids.is_empty() {
            return BTreeSet::new();
        }
        rows.iter().map(|row| row.id).filter(|id| !self.ids.contains(id)).collect()
    }

    /// What has to be looked through for those that came since.
    fn since(&self, query: &Query, now: UnixMicros) -> LogFilter {
        let filter = query.filter(now);
        let since = self.newest.map(|(_, at)| at).max(filter.since);
        LogFilter { since, limit: COUNTED, ..filter }
    }

    fn waiting(&self, page: &Page<LogRow>) -> Waiting {
        let newer = |row: &&LogRow| self.newest.is_none_or(|(id, _)| row.id > id);
        let count = page.rows.iter().filter(newer).count();
        Waiting { count, more: page.next.is_some() && count == page.rows.len() && count > 0 }
    }
}

async fn read(cx: Cx, query: Query, known: Known) -> UseCaseResult<Shown> {
    let filter = query.filter(UnixMicros::now());
    let page = cx.console.desk().logs(&cx.viewer.actor, &filter).await?;
    let fresh = known.fresh(&query, &page.rows);
    Ok(Shown { query, page, fresh })
}

async fn count(cx: Cx, query: Query, known: Known) -> UseCaseResult<Waiting> {
    let filter = known.since(&query, UnixMicros::now());
    let page = cx.console.desk().logs(&cx.viewer.actor, &filter).await?;
    Ok(known.waiting(&page))
}

/// Waits until something was recorded, or might have been.
async fn something(feed: &mut Option<Receiver<Arc<[Arc<Receipt>]>>>) {
    let Some(receiver) = feed else { return sleep(ANYWAY).await };
    match timeout(ANYWAY, receiver.recv()).await {
        Ok(Err(RecvError::Closed)) => *feed = None,
        Ok(_) => while receiver.try_recv().is_ok() {},
        Err(_) => {}
    }
}

/// Reads what `query` asks for. While `following`, new rows come to the top; otherwise they are counted, if they would
/// be on this page at all.
pub(super) fn use_tail(query: Query, following: bool) -> Tail {
    let conn = use_conn();
    let mut known = use_hook(|| CopyValue::new(Known::default()));
    let rows = use_load(query.clone(), move |cx, query| read(cx, query, known.peek().clone()));
    let mut waiting = use_signal(Waiting::default);
    use_effect(move || {
        if let Some(Ok(shown)) = &*rows.read() {
            known.set(Known::of(shown));
            if *waiting.peek() != Waiting::default() {
                waiting.set(Waiting::default());
            }
        }
    });
    let mut now = use_hook(|| CopyValue::new((Query::default(), following)));
    let resumed = following && !now.peek().1;
    now.set((query, following));
    use_effect(use_reactive!(|(resumed,)| {
        let mut rows = rows;
        if resumed {
            rows.reload();
        }
    }));
    use_hook(move || {
        if conn.client.is_none() {
            return;
        }
        spawn(async move {
            let mut rows = rows;
            let mut feed = conn.console.watch().map(Watch::receipts);
            loop {
                something(&mut feed).await;
                let begun = Instant::now();
                let (query, following) = now.peek().clone();
                if !query.newest() || (following && rows.busy()) {
                    // Nothing new would be here, or it is on its way.
                } else if following {
                    rows.reload();
                    loop {
                        sleep(PAUSE / 20).await;
                        if !rows.busy() {
                            break;
                        }
                    }
                } else {
                    let counted = count(conn.cx(), query.clone(), known.peek().clone());
                    let found = conn.console.runtime().spawn(counted).await;
                    let found = found.ok().and_then(Result::ok).unwrap_or_default();
                    // Meanwhile it may have gone on.
                    if !now.peek().1 && now.peek().0 == query && *waiting.peek() != found {
                        waiting.set(found);
                    }
                }
                conn.cx().pause(PAUSE.max(begun.elapsed() * REST)).await;
            }
        });
    });
    Tail { rows, waiting }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[u128]) -> Page<LogRow> {
        let rows = ids.iter().map(|id| super::super::tests::row(*id)).collect();
        Page { rows, next: None, searched_to: None }
    }

    #[test]
    fn what_was_not_there_before_is_fresh() {
        let query = Query::default();
        let first = Known::default();
        assert!(first.fresh(&query, &page(&[9]).rows).is_empty(), "nothing flashes at first");
        let shown = Shown { query: query.clone(), page: page(&[3, 2]), fresh: BTreeSet::new() };
        let known = Known::of(&shown);
        let next = page(&[5, 3, 2]);
        assert_eq!(known.fresh(&query, &next.rows), BTreeSet::from([ReceiptId(5)]));
        let other = Query { text: "tea".into(), ..Query::default() };
        assert!(known.fresh(&other, &next.rows).is_empty(), "another question's first page");
    }

    #[test]
    fn what_came_since_is_counted() {
        let shown = Shown { query: Query::default(), page: page(&[3, 2]), fresh: BTreeSet::new() };
        let known = Known::of(&shown);
        assert_eq!(known.waiting(&page(&[6, 5, 3])), Waiting { count: 2, more: false });
        let full = Page { next: Some(ReceiptId(5)), ..page(&[6, 5]) };
        assert_eq!(known.waiting(&full), Waiting { count: 2, more: true });
        let filter = known.since(&Query::default(), UnixMicros(0));
        assert_eq!((filter.since, filter.limit), (Some(shown.page.rows[0].at), COUNTED));
        assert_eq!(Known::default().waiting(&page(&[1])).count, 1);
    }
}
