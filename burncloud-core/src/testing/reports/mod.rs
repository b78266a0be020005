//! Sums and searches: what receipts say, and nothing else.

mod cases;

use super::receipt;
use crate::store::{
    Dim, LogQuery, Outcome, ReceiptStore, ReportStore, Step, TenantRow, UsageQuery, UsageRow, Who,
};
use crate::{
    ChannelId, KeyId, Nano, Operation, QUARTER_US, Receipt, ReceiptId, TenantId, UnixMicros, Usage, UserId,
};
use cases::{Case, DAY, HOUR, MIDNIGHT, MODELS, case, cases, is_of, record, span};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// What a query is expected to give, sorted as [`sorted`] does.
fn expected(cases: &[Case], query: &UsageQuery) -> Vec<UsageRow> {
    let since = query.since.0 - query.since.0 % QUARTER_US;
    let until = (query.until.0 + QUARTER_US - 1) / QUARTER_US * QUARTER_US;
    let by = |dim| query.by.contains(&dim);
    let mut rows: BTreeMap<String, UsageRow> = BTreeMap::new();
    for Case { receipt: r, expected, revenue } in cases {
        let of_model = query.model.as_deref().is_none_or(|model| *model == *r.model);
        if !(since..until).contains(&r.at.0) || !is_of(&query.who, r) || !of_model {
            continue;
        }
        for (n, (channel, [requests, failed, refused, begun, attempts, attempts_failed])) in
            expected.iter().enumerate()
        {
            let channel = (*channel != 0).then_some(ChannelId(*channel));
            if query.channel.is_some() && query.channel != channel {
                continue;
            }
            let named = UsageRow {
                start: UnixMicros(span(query.step, r.at.0)),
                key: by(Dim::Key).then_some(r.key),
                user: by(Dim::User).then_some(r.user),
                tenant: by(Dim::Tenant).then_some(r.tenant),
                channel: channel.filter(|_| by(Dim::Channel)),
                model: by(Dim::Model).then(|| r.model.to_string()),
                ..UsageRow::default()
            };
            let row = rows.entry(format!("{named:?}")).or_insert(named);
            row.requests += requests;
            row.failed += failed;
            row.refused += refused;
            row.begun += begun;
            row.attempts += attempts;
            row.attempts_failed += attempts_failed;
            if n == 0 {
                let spent = r.operation != Operation::CountTokens;
                row.tokens_in += if spent { r.usage.input + r.usage.cached_read } else { 0 };
                row.tokens_out += if spent { r.usage.output } else { 0 };
                row.charge.0 += r.charge.0;
                row.revenue.0 += revenue;
                row.cost.0 += if r.channel.is_some() { r.upstream_cost.0 } else { 0 };
                row.waited_us += u64::from(r.first_byte_us.unwrap_or_default());
            }
        }
    }
    sorted(rows.into_values().collect())
}

fn sorted(mut rows: Vec<UsageRow>) -> Vec<UsageRow> {
    rows.sort_by_key(|row| (row.start, format!("{row:?}")));
    rows
}

async fn usage<S: ReportStore>(store: &S, query: &UsageQuery) -> Vec<UsageRow> {
    let rows = store.usage(query).await.expect("usage answers");
    assert!(rows.is_sorted_by_key(|row| row.start), "sums come in the order of their time: {query:?}");
    sorted(rows)
}

fn everything() -> UsageQuery {
    UsageQuery { until: UnixMicros(MIDNIGHT + 40 * DAY), ..UsageQuery::default() }
}

pub(super) async fn sums_are_those_of_the_receipts<S: ReceiptStore + ReportStore>(store: Arc<S>) {
    assert_eq!(usage(&*store, &everything()).await, [], "a new store has no sums");
    let cases = cases();
    record(&*store, &cases).await;
    let day = |offset| Step::Day { offset };
    let steps = [
        Step::Whole,
        Step::Quarter,
        Step::Hour,
        day(0),
        day(8 * HOUR),
        day(-5 * HOUR),
        day(5 * HOUR + 2 * QUARTER_US),
        day(-3 * HOUR - 2 * QUARTER_US),
        day(13 * HOUR + 3 * QUARTER_US),
    ];
    let whose = [
        Who::All,
        Who::Tenants(vec![TenantId(3), TenantId(2)]),
        Who::User(UserId(2)),
        Who::Key(KeyId(5)),
        Who::Tenants(vec![]),
        Who::Tenants(vec![TenantId(1), TenantId(1), TenantId(77)]),
    ];
    let filters = [(None, None), (Some(2), None), (None, Some(1)), (Some(1), Some(2)), (Some(99), None)];
    let times = [
        (0, MIDNIGHT + 40 * DAY),
        (MIDNIGHT - 7 * HOUR, MIDNIGHT + 30 * HOUR),
        (MIDNIGHT - DAY + QUARTER_US + 5, MIDNIGHT + DAY - 1),
        (MIDNIGHT + QUARTER_US, MIDNIGHT + 3 * QUARTER_US),
        (MIDNIGHT + 1, MIDNIGHT + 2),
        (MIDNIGHT, MIDNIGHT),
        // In the midst of an hour: nothing comes after it, and something does.
        (MIDNIGHT - 7 * HOUR, MIDNIGHT + 2 * DAY + HOUR + QUARTER_US + 5),
        (MIDNIGHT - 9 * HOUR, MIDNIGHT + 2 * DAY - HOUR - 2 * QUARTER_US + 5),
    ];
    let dims = [Dim::Key, Dim::User, Dim::Tenant, Dim::Channel, Dim::Model];
    let mut n = 0;
    for by in 0..32_usize {
        let by: Vec<Dim> =
            dims.iter().enumerate().filter(|(d, _)| by & (1 << d) != 0).map(|(_, d)| *d).collect();
        for step in steps {
            // The first of all, then by turns: what is wrong with one is not wrong with all the others by chance.
            for turn in 0..4 {
                n += usize::from(turn > 0);
                let pick = if turn == 0 { 0 } else { n };
                let (channel, model) = filters[pick / 7 % filters.len()];
                let (since, until) = times[pick % times.len()];
                let query = UsageQuery {
                    since: UnixMicros(since),
                    until: UnixMicros(until),
                    step,
                    by: by.clone(),
                    who: whose[pick / 3 % whose.len()].clone(),
                    channel: channel.map(ChannelId),
                    model: model.map(|model: usize| MODELS[model].to_owned()),
                };
                assert_eq!(usage(&*store, &query).await, expected(&cases, &query), "{query:?}");
            }
        }
    }
}

pub(super) async fn a_receipt_counts_once_and_late_ones_too<S: ReceiptStore + ReportStore>(store: Arc<S>) {
    let (mut all, late) = (cases(), case(7_777, MIDNIGHT - DAY + 5));
    record(&*store, &all).await;
    let again: Vec<_> = all.iter().step_by(3).map(|case| case.receipt.clone()).collect();
    let with_late: Vec<_> = again.iter().chain([&late.receipt, &late.receipt]).cloned().collect();
    assert_eq!(store.record(&again).await.expect("record records"), 0);
    assert_eq!(store.record(&with_late).await.expect("record records"), 1);
    all.push(late);
    for by in [vec![], vec![Dim::Model], vec![Dim::Channel], vec![Dim::Tenant], vec![Dim::Key, Dim::Model]] {
        let query = UsageQuery { step: Step::Hour, by, ..everything() };
        assert_eq!(
            usage(&*store, &query).await,
            expected(&all, &query),
            "each receipt counts once: {query:?}"
        );
    }
    let extent = store.extent().await.expect("extent answers");
    assert_eq!(extent.receipts, all.len() as u64, "there are as many receipts as were recorded");
}

pub(super) async fn attempts_in_vain_count_where_they_were_made<S: ReceiptStore + ReportStore>(
    store: Arc<S>,
) {
    // Channel 3 answered after channel 2 had not.
    let usual = Receipt { legs: vec![], ..receipt(1) };
    let at = usual.at.0;
    store.record(&[Arc::new(usual)]).await.expect("record records");
    let of = async |channel| {
        let channel = Some(ChannelId(channel));
        let query = UsageQuery { until: UnixMicros(at + 1), channel, ..UsageQuery::default() };
        usage(&*store, &query).await
    };
    let only = UsageRow { attempts: 1, attempts_failed: 1, ..UsageRow::default() };
    assert_eq!(of(2).await, [only], "the channel that failed has the attempt, and not the request");
    let served = &of(3).await[0];
    assert_eq!((served.requests, served.attempts, served.attempts_failed), (1, 1, 0));
    assert_eq!((served.charge, served.revenue, served.cost), (Nano(5), Nano(5), Nano(3)));
    assert_eq!((served.begun, served.waited_us), (1, 1_234));
    assert_eq!(of(4).await, [], "a channel that was not asked has no sum");
}

pub(super) async fn tenants_paid_what_their_legs_say<S: ReceiptStore + ReportStore>(store: Arc<S>) {
    let cases = cases();
    record(&*store, &cases).await;
    let (since, until) = (MIDNIGHT - DAY + 3 * HOUR, MIDNIGHT + DAY);
    for step in [Step::Whole, Step::Quarter, Step::Hour, Step::Day { offset: -QUARTER_US }] {
        let mut sums: BTreeMap<(i64, i64), (u64, i64)> = BTreeMap::new();
        for Case { receipt: r, revenue, .. } in &cases {
            if !(since..until).contains(&r.at.0) {
                continue;
            }
            let spent = r.operation != Operation::CountTokens;
            let tokens = if spent { r.usage.input + r.usage.cached_read + r.usage.output } else { 0 };
            let paid = r.legs.iter().map(|leg| (leg.tenant.0, leg.charge.0));
            for (tenant, paid) in paid.chain([(1, *revenue)]).filter(|(tenant, _)| *tenant != 2) {
                let sum = sums.entry((span(step, r.at.0), tenant)).or_default();
                *sum = (sum.0 + tokens, sum.1 + paid);
            }
        }
        let rows =
            sums.into_iter().filter(|(_, sum)| *sum != (0, 0)).map(|((start, tenant), (tokens, paid))| {
                TenantRow { start: UnixMicros(start), tenant: TenantId(tenant), tokens, money: Nano(paid) }
            });
        let tenants = [TenantId(3), TenantId(1), TenantId(9)];
        let found = store.paid(&tenants, UnixMicros(since), UnixMicros(until), step).await;
        assert_eq!(found.expect("paid answers"), rows.collect::<Vec<_>>(), "{step:?}");
    }
    let nobody = store.paid(&[], UnixMicros(0), UnixMicros(until), Step::Whole).await;
    assert_eq!(nobody.expect("paid answers"), []);
}

fn is_listed(case: &Case, query: &LogQuery) -> bool {
    let r = &case.receipt;
    // The first of what is expected is the request itself.
    let [_, failed, refused, ..] = case.expected[0].1;
    let outcome = match (failed, refused) {
        (1, _) => Outcome::Failed,
        (_, 1) => Outcome::Refused,
        _ => Outcome::Answered,
    };
    is_of(&query.who, r)
        && query.since.is_none_or(|since| since.0 <= r.at.0)
        && query.until.is_none_or(|until| r.at.0 < until.0)
        && query.channel.is_none_or(|channel| Some(channel) == r.channel)
        && query.model.as_deref().is_none_or(|model| *model == *r.model)
        && query.outcome.is_none_or(|wanted| wanted == outcome)
        && query.trace.as_deref().is_none_or(|trace| trace == r.trace_id.to_string())
}

/// What lists are asked for: each filter alone, and with others.
fn lists() -> Vec<LogQuery> {
    let none = LogQuery { limit: 7, ..LogQuery::default() };
    let model = Some(MODELS[2].to_owned());
    let outcomes = [Outcome::Answered, Outcome::Refused, Outcome::Failed];
    let mut all = vec![
        LogQuery { limit: 0, ..none.clone() },
        LogQuery { limit: 1_000, ..none.clone() },
        LogQuery { since: Some(UnixMicros(MIDNIGHT + 123_456_789)), ..none.clone() },
        LogQuery { until: Some(UnixMicros(MIDNIGHT + 3 * QUARTER_US)), ..none.clone() },
        LogQuery { channel: Some(ChannelId(2)), ..none.clone() },
        LogQuery { channel: Some(ChannelId(99)), ..none.clone() },
        LogQuery { model: model.clone(), ..none.clone() },
        LogQuery { model: model.clone(), channel: Some(ChannelId(1)), ..none.clone() },
        LogQuery { model: Some("gpt".into()), ..none.clone() },
        LogQuery { trace: Some(format!("{:032x}", 200)), ..none.clone() },
        LogQuery { trace: Some("%".into()), ..none.clone() },
    ];
    for who in [
        Who::Key(KeyId(4)),
        Who::User(UserId(3)),
        Who::Tenants(vec![TenantId(2), TenantId(1)]),
        Who::Tenants(vec![TenantId(3)]),
        Who::Tenants(vec![]),
    ] {
        let whose = LogQuery { who, ..none.clone() };
        all.push(LogQuery { model: model.clone(), ..whose.clone() });
        all.push(LogQuery { channel: Some(ChannelId(3)), ..whose.clone() });
        all.extend(outcomes.map(|outcome| LogQuery { outcome: Some(outcome), ..whose.clone() }));
        all.push(whose);
    }
    for outcome in outcomes {
        let ended = LogQuery { outcome: Some(outcome), ..none.clone() };
        let (since, until) = (UnixMicros(MIDNIGHT), UnixMicros(MIDNIGHT + 9 * HOUR));
        all.push(LogQuery { since: Some(since), until: Some(until), ..ended.clone() });
        all.push(LogQuery { model: model.clone(), channel: Some(ChannelId(2)), ..ended.clone() });
        all.push(ended);
    }
    all
}

pub(super) async fn the_log_is_paged_without_gaps<S: ReceiptStore + ReportStore>(store: Arc<S>) {
    let mut cases = cases();
    record(&*store, &cases).await;
    cases.sort_by_key(|case| std::cmp::Reverse(case.receipt.id));
    for query in lists() {
        let wanted: Vec<ReceiptId> =
            cases.iter().filter(|case| is_listed(case, &query)).map(|case| case.receipt.id).collect();
        let mut found = Vec::new();
        let mut before = None;
        loop {
            let page = store.log(&LogQuery { before, ..query.clone() }).await.expect("log answers");
            let most = if query.limit == 0 { 50 } else { query.limit as usize };
            assert!(page.len() <= most, "at most so many: {query:?}");
            found.extend(page.iter().map(|receipt| receipt.id));
            if page.len() < most {
                break;
            }
            before = found.last().copied();
        }
        let once: HashSet<&ReceiptId> = found.iter().collect();
        assert_eq!(once.len(), found.len(), "nothing is listed twice: {query:?}");
        assert_eq!(found, wanted, "everything is listed, the newest first: {query:?}");
    }
    let all = LogQuery { limit: u32::MAX, ..LogQuery::default() };
    let whole = store.log(&all).await.expect("log answers");
    let recorded = cases.iter().map(|case| (*case.receipt).clone());
    assert!(whole.into_iter().eq(recorded), "receipts are listed as they were recorded");
}

pub(super) async fn keys_were_last_used_when_they_were<S: ReceiptStore + ReportStore>(store: Arc<S>) {
    let cases = cases();
    record(&*store, &cases).await;
    let keys: Vec<KeyId> = (0..=6).map(KeyId).collect();
    let mut last: BTreeMap<KeyId, UnixMicros> = BTreeMap::new();
    for Case { receipt: r, .. } in cases.iter().filter(|case| keys.contains(&case.receipt.key)) {
        let quarter = UnixMicros(r.at.0 - r.at.0 % QUARTER_US);
        let known = last.entry(r.key).or_default();
        *known = quarter.max(*known);
    }
    let found = store.last_used(&keys).await.expect("last_used answers");
    assert_eq!(
        found,
        last.into_iter().collect::<Vec<_>>(),
        "to the quarter, by id, without those never used"
    );
    assert_eq!(store.last_used(&[]).await.expect("last_used answers"), []);
}

pub(super) async fn sums_never_overflow<S: ReceiptStore + ReportStore>(store: Arc<S>) {
    let most = |n: u64| {
        let (charge, upstream_cost) = (Nano(i64::MAX - 1), Nano(i64::MIN));
        let at = UnixMicros(MIDNIGHT + n.cast_signed() * HOUR);
        let usage = Usage { output: u64::MAX / 2, ..Usage::default() };
        Arc::new(Receipt { at, charge, upstream_cost, usage, legs: vec![], ..receipt(n) })
    };
    store.record(&[most(1), most(2)]).await.expect("record records");
    store.record(&[most(2), most(3), most(400)]).await.expect("record records");
    for by in [vec![], vec![Dim::Model], vec![Dim::Key], vec![Dim::Tenant]] {
        let rows = usage(&*store, &UsageQuery { by: by.clone(), ..everything() }).await;
        assert_eq!(rows.len(), 1, "{by:?}");
        assert_eq!(
            (rows[0].charge, rows[0].revenue),
            (Nano::MAX, Nano::MAX),
            "a sum stops at its end: {by:?}"
        );
        assert_eq!((rows[0].cost, rows[0].requests), (Nano(i64::MIN), 4), "{by:?}");
        assert!(rows[0].tokens_out >= u64::MAX / 2, "{by:?}");
    }
}
