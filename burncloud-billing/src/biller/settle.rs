//! After the answer: what was used is charged, and the receipt written down.

use super::{Biller, Held, OrphanPolicy};
use crate::estimate::{Dir, estimate};
use crate::journal::Admit;
use crate::rating::{Rated, rate, total};
use crate::tariff::Amounts;
use burncloud_core::billing::{Hold, Outcome};
use burncloud_core::{Caller, End, Leg, Nano, Operation, Receipt, TenantId, UnixMicros, Usage, UsageSource};
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
        let held = hold.as_ref().map_or_else(Amounts::default, Held::amounts);
        let reserved = held.user;
        let mut bill = self.bill(&mut outcome);
        let costs = Amounts { user: bill.rated.total, tenants: std::mem::take(&mut bill.above) };
        let charged = if held.is_zero() && costs.is_zero() {
            Amounts::default()
        } else {
            self.accounts.with(&outcome.caller, |purse| purse.settle(&held, &costs))
        };
        if reserved > Nano::ZERO {
            self.held.fetch_sub(reserved.0, Ordering::Relaxed);
        }
        let legs = legs(&outcome.caller, &costs, &charged);
        let receipt = Receipt { legs, ..self.receipt(outcome, bill, reserved, charged.user) };
        self.journal.settle(Arc::new(receipt), admitted);
    }

    fn bill(&self, outcome: &mut Outcome) -> Bill {
        let Some((usage, source)) = used(outcome) else { return Bill::default() };
        let mut bill = Bill { usage, source, ..Bill::default() };
        if outcome.endpoint.operation.is_free() {
            return bill;
        }
        let (Some(route), Some(served)) = (&outcome.route, &outcome.served) else { return bill };
        self.ladder(&outcome.caller, route, served, outcome.at, |ladder| {
            if let Some(cost) = &ladder.cost {
                bill.upstream_cost = total(cost, &usage);
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

/// What each tenant on the path paid.
fn legs(caller: &Caller, costs: &Amounts, charged: &Amounts) -> Vec<Leg> {
    let paying = caller.tenants().filter_map(|tenant| Some((tenant.id, tenant.parent?)));
    let amounts = costs.tenants.iter().zip(&charged.tenants);
    let leg = |((tenant, parent), (cost, charge)): ((TenantId, TenantId), (&Nano, &Nano))| Leg {
        tenant,
        parent,
        charge: *charge,
        shortfall: cost.minus(*charge),
    };
    paying.zip(amounts).map(leg).collect()
}

/// The usage and how it is known: what the provider reported; else, of an answer that was under way, an estimate;
/// else nothing was used.
fn used(outcome: &mut Outcome) -> Option<(Usage, UsageSource)> {
    if let Some(mut usage) = outcome.usage.take() {
        // What a stream reports before its end may be provisional (Anthropic's first event says one output token):
        // where more was received than was reported, that counts.
        // A provider that ends a stream with an error of its own has said all it has to say.
        let broken = !matches!(outcome.end, End::Finished | End::UpstreamError);
        let cut = outcome.streamed && broken && !outcome.endpoint.operation.is_free();
        let received = if cut { estimate(&outcome.response_sample, Dir::Out) } else { 0 };
        if received > usage.total_output() {
            usage.output = usage.output.saturating_add(received - usage.total_output());
            return Some((usage, UsageSource::Estimated));
        }
        return Some((usage, UsageSource::Reported));
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
    Some((Usage { input, output, ..Usage::default() }, UsageSource::Estimated))
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
