//! After the answer: what was used is charged, and the receipt written down.

use super::held::Held;
use super::{Biller, OrphanPolicy, abort};
use crate::estimate::{Dir, estimate};
use crate::journal::Admit;
use crate::rating::{Rated, rate, total};
use crate::tariff::Amounts;
use burncloud_core::billing::{Hold, Outcome};
use burncloud_core::{
    AbortPolicy, Caller, End, Leg, Nano, Operation, Receipt, Spent, TenantId, UnixMicros, Usage, UsageSource,
    spent_tokens,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What an outcome comes to.
#[derive(Default)]
struct Bill {
    usage: Usage,
    source: UsageSource,
    rated: Rated,
    /// What each tenant pays its parent.
    above: Vec<Nano>,
    upstream_cost: Nano,
    version: u64,
}

impl Biller {
    pub(super) fn end(&self, hold: Option<Hold>, mut outcome: Outcome) {
        let admitted = hold.is_some();
        let policy = abort::policy(hold.as_ref(), &outcome);
        let mut at = hold.map_or_else(Held::default, Held::of);
        let held = std::mem::take(&mut at.amounts);
        let reserved = held.user;
        let mut bill = self.bill(&mut outcome, policy);
        let costs = Amounts { user: bill.rated.total, tenants: std::mem::take(&mut bill.above) };
        let charged = if held.is_zero() && costs.is_zero() {
            Amounts::default()
        } else {
            self.accounts.with(&outcome.caller, |purse| purse.settle(&held, &costs))
        };
        if reserved > Nano::ZERO {
            self.held.fetch_sub(reserved.0, Ordering::Relaxed);
        }
        let tokens = spent_tokens(outcome.endpoint.operation, &bill.usage);
        let served = outcome.served.as_ref().map(|lane| lane.channel.id);
        at.settle(&charged, served, Spent { money: bill.upstream_cost, tokens }, &self.rules.alerts);
        let legs =
            if tokens == 0 && costs.is_zero() { Vec::new() } else { legs(&outcome.caller, &costs, &charged) };
        let abort = policy.map(AbortPolicy::kind);
        let receipt = Receipt { legs, abort, ..self.receipt(outcome, bill, reserved, charged.user) };
        self.journal.settle(Arc::new(receipt), admitted);
    }

    fn bill(&self, outcome: &mut Outcome, policy: Option<AbortPolicy>) -> Bill {
        let Some((usage, source)) = used(outcome, policy) else { return Bill::default() };
        let mut bill = Bill { usage, source, ..Bill::default() };
        if outcome.endpoint.operation.is_free() {
            return bill;
        }
        let (Some(route), Some(served)) = (&outcome.route, &outcome.served) else { return bill };
        self.ladder(&outcome.caller, route, served, outcome.at, |ladder| {
            if let Some(cost) = &ladder.cost {
                bill.upstream_cost = total(cost, &usage);
            }
            // The operator pays for what the caller does not.
            if policy == Some(AbortPolicy::Nothing) {
                return;
            }
            if let Some(rates) = &ladder.user {
                (bill.rated, bill.version) = (rate(rates, &usage), ladder.version);
                bill.above = ladder.tenants.iter().map(|rates| total(rates, &usage)).collect();
            }
        });
        bill
    }

    fn receipt(&self, outcome: Outcome, bill: Bill, reserved: Nano, charge: Nano) -> Receipt {
        let served = outcome.served.as_ref();
        Receipt {
            id: outcome.id,
            trace_id: outcome.trace_id,
            at: outcome.at,
            key: outcome.caller.key.id,
            user: outcome.caller.user.id,
            tenant: outcome.caller.tenant.id,
            dialect: outcome.endpoint.dialect,
            operation: outcome.endpoint.operation,
            model: outcome.model,
            upstream_model: served.map_or_else(|| self.nothing.clone(), |lane| lane.upstream_model.clone()),
            channel: served.map(|lane| lane.channel.id),
            upstream_request_id: outcome.upstream_request_id,
            streamed: outcome.streamed,
            status: outcome.status,
            end: outcome.end,
            attempts: outcome.attempts,
            usage: bill.usage,
            usage_source: bill.source,
            price_version: bill.version,
            shortfall: bill.rated.total.minus(charge),
            lines: bill.rated.lines,
            reserved,
            charge,
            legs: Vec::new(),
            abort: None,
            upstream_cost: bill.upstream_cost,
            first_byte_us: outcome.first_byte_us,
            took_us: outcome.took_us,
            bytes_in: outcome.bytes_in,
            bytes_out: outcome.bytes_out,
        }
    }
}

/// What each tenant on the path paid; one that pays nothing too, so that what was used is counted at it.
fn legs(caller: &Caller, costs: &Amounts, charged: &Amounts) -> Vec<Leg> {
    let paying = caller.tenants().filter_map(|tenant| Some((tenant.id, tenant.parent?)));
    let at = |amounts: &Amounts, n: usize| amounts.tenants.get(n).copied().unwrap_or_default();
    let leg = |(n, (tenant, parent)): (usize, (TenantId, TenantId))| {
        let charge = at(charged, n);
        Leg { tenant, parent, charge, shortfall: at(costs, n).minus(charge) }
    };
    paying.enumerate().map(leg).collect()
}

/// The usage and how it is known: what the provider reported; else, of an answer that was under way, an estimate;
/// else nothing was used.
fn used(outcome: &mut Outcome, policy: Option<AbortPolicy>) -> Option<(Usage, UsageSource)> {
    if let Some(mut usage) = outcome.usage.take() {
        if only_tools(&usage) && !outcome.endpoint.operation.is_free() {
            usage.input = estimate(&outcome.request_sample, Dir::In);
            usage.output = estimate(&outcome.response_sample, Dir::Out);
            return Some((usage, UsageSource::Estimated));
        }
        return Some(abort::reported(usage, outcome, policy));
    }
    let answered = outcome.served.is_some() && outcome.status < 400 && outcome.response_sample.total > 0;
    if !answered || outcome.endpoint.operation.is_free() {
        return None;
    }
    let input = estimate(&outcome.request_sample, Dir::In);
    let silent = matches!(
        outcome.endpoint.operation,
        Operation::Embeddings | Operation::EmbedContent | Operation::Moderation | Operation::Rerank
    );
    let output = if silent { 0 } else { estimate(&outcome.response_sample, Dir::Out) };
    // An error in the place of an answer: nothing of one was received.
    if outcome.end == End::UpstreamError && output == 0 {
        return None;
    }
    let usage = Usage { input, output, ..Usage::default() };
    Some((by_length(usage, outcome), UsageSource::Estimated))
}

/// Bytes of a recording that last a millisecond: 128 kbit/s, as MP3 usually is.
const BYTES_PER_MS: u64 = 16;

/// Milliseconds of speech that a token of audio stands for, about.
const MS_PER_TOKEN: u64 = 100;

/// What is heard or said without a report is told by its length: a caller who asks for plain text or for sound as it is must
/// not get it for nothing. Of time and tokens a model has a price for one.
fn by_length(usage: Usage, outcome: &Outcome) -> Usage {
    let (bytes_in, bytes_out) = (outcome.bytes_in, outcome.response_sample.total);
    match outcome.endpoint.operation {
        Operation::Transcription | Operation::Translation => {
            let audio_ms = bytes_in.div_ceil(BYTES_PER_MS);
            // Plain text is no JSON; four bytes are about a token.
            let output = usage.output.max(bytes_out.div_ceil(4));
            Usage { audio_ms, audio_in: audio_ms.div_ceil(MS_PER_TOKEN), output, ..usage }
        }
        Operation::Speech => {
            let said = bytes_out.div_ceil(BYTES_PER_MS).div_ceil(MS_PER_TOKEN);
            Usage { audio_out: said, output: 0, ..usage }
        }
        _ => usage,
    }
}

/// An answer told of tools by what they left in it, and broke off before its tokens were counted.
fn only_tools(usage: &Usage) -> bool {
    let tools = Usage {
        web_searches: usage.web_searches,
        file_searches: usage.file_searches,
        code_sessions: usage.code_sessions,
        ..Usage::default()
    };
    *usage == tools && tools != Usage::default()
}

pub(super) fn orphan(admit: &Admit, policy: OrphanPolicy, now: UnixMicros) -> Receipt {
    let charge = match policy {
        OrphanPolicy::Release => Nano::ZERO,
        OrphanPolicy::Charge => admit.input,
    };
    Receipt {
        id: admit.id,
        trace_id: admit.trace_id,
        at: admit.at,
        key: admit.key,
        user: admit.user,
        tenant: admit.tenant,
        dialect: admit.dialect,
        operation: admit.operation,
        model: admit.model.clone(),
        upstream_model: admit.upstream_model.clone(),
        channel: admit.channel,
        upstream_request_id: None,
        streamed: false,
        status: 500,
        end: End::Orphaned,
        attempts: Vec::new(),
        usage: Usage::default(),
        usage_source: UsageSource::None,
        price_version: if charge > Nano::ZERO { admit.price_version } else { 0 },
        lines: Vec::new(),
        reserved: admit.reserved,
        charge,
        shortfall: Nano::ZERO,
        legs: match policy {
            OrphanPolicy::Release => Vec::new(),
            OrphanPolicy::Charge => {
                let leg = |(tenant, parent, charge): &(TenantId, TenantId, Nano)| Leg {
                    tenant: *tenant,
                    parent: *parent,
                    charge: *charge,
                    shortfall: Nano::ZERO,
                };
                admit.legs.iter().map(leg).collect()
            }
        },
        abort: None,
        upstream_cost: Nano::ZERO,
        first_byte_us: None,
        took_us: u64::try_from(now.0.saturating_sub(admit.at.0)).unwrap_or(0),
        bytes_in: admit.bytes_in,
        bytes_out: 0,
    }
}
