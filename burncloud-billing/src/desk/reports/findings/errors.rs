//! Errors that belong together.

use super::super::fault::{Fault, Reason, of_reason, reason, why};
use super::super::names::Names;
use super::super::view::{Customer, View};
use super::{Finding, Kind, Look, MANY, Severity, Suggestion, id};
use burncloud_core::store::{LogQuery, Outcome, StoreResult, Who};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{ChannelId, KeyId, Receipt, ReceiptId, TenantId, UnixMicros};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// How many receipts of each outcome are read, and how many at a time.
const READ: usize = 5_000;
const BATCH: u32 = 1_000;
/// A caller's own faults are worth a word from so many on; what is not paid for from the first.
const CALLERS: u64 = 5;
/// Most clusters that are shown; those with the most requests.
const MOST: usize = 100;
/// How many examples are shown.
const EXAMPLES: usize = 3;

/// What errors have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Common {
    reason: Reason,
    fault: Fault,
    channel: Option<ChannelId>,
    model: String,
    /// Of a caller's own faults.
    key: Option<KeyId>,
}

struct Cluster {
    count: u64,
    answered: u64,
    customers: BTreeSet<Customer>,
    /// Those of them who got no answer.
    hurt: BTreeSet<Customer>,
    /// Of one key all are of one.
    tenant: TenantId,
    first: UnixMicros,
    last: UnixMicros,
    receipts: Vec<ReceiptId>,
}

type Clusters = BTreeMap<Common, Cluster>;

impl Look<'_> {
    pub(super) async fn errors(&self, all: &mut Vec<Finding>) -> UseCaseResult<()> {
        if matches!(self.sight.view, View::EndUser(_)) {
            return Ok(());
        }
        let mut clusters = Clusters::new();
        self.read(Outcome::Failed, &mut clusters).await?;
        self.read(Outcome::Refused, &mut clusters).await?;
        if self.sight.is_house() {
            // What was asked in vain before somebody answered is the house's to know.
            self.read(Outcome::Answered, &mut clusters).await?;
        }
        clusters.retain(|common, cluster| {
            common.fault != Fault::Caller || common.reason == Reason::NoCredit || cluster.count >= CALLERS
        });
        let mut found: Vec<(Common, Cluster)> = clusters.into_iter().collect();
        found.sort_by_key(|(_, cluster)| Reverse(cluster.count));
        found.truncate(MOST);
        let keys: BTreeSet<KeyId> = found.iter().filter_map(|(common, _)| common.key).collect();
        let names = Names::load(&*self.desk.store, self.sight, [], keys).await?;
        for (common, cluster) in found {
            let settled = self.answered_since(&common, cluster.last).await?;
            all.push(self.finding(&names, common, cluster, settled));
        }
        Ok(())
    }

    async fn read(&self, outcome: Outcome, clusters: &mut Clusters) -> StoreResult<()> {
        let (since, who) = (Some(self.since), self.sight.who());
        let outcome = Some(outcome);
        let mut query = LogQuery { since, who, outcome, limit: BATCH, ..LogQuery::default() };
        for _ in 0..READ / BATCH as usize {
            let receipts = self.desk.store.log(&query).await?;
            receipts
                .iter()
                .filter(|receipt| self.sight.sees(receipt))
                .for_each(|receipt| self.sort(receipt, clusters));
            query.before = receipts.last().map(|receipt| receipt.id);
            if receipts.len() < BATCH as usize {
                break;
            }
        }
        Ok(())
    }

    /// Counts a receipt where it belongs, once in each cluster.
    fn sort(&self, receipt: &Receipt, clusters: &mut Clusters) {
        let mut of = BTreeSet::new();
        if self.sight.is_house() {
            let failed = receipt.attempts.iter().filter(|attempt| attempt.failed());
            for (attempt, reason) in failed.filter_map(|attempt| Some((attempt, reason(attempt)?))) {
                if reason != Reason::NotAfforded {
                    of.insert(common(receipt, reason, Some(attempt.channel)));
                }
            }
        }
        match why(receipt) {
            None | Some(Reason::CallerLeft) => {}
            // Of the attempts, one says so already.
            Some(reason) if of.iter().any(|common| common.reason == reason) => {}
            Some(reason) if self.sight.is_house() => {
                of.insert(common(receipt, reason, receipt.channel));
            }
            Some(reason) => {
                let mut shown = common(receipt, reason, None);
                (shown.reason, shown.fault) = (reason.shown(self.sight), shown.fault.shown(self.sight));
                of.insert(shown);
            }
        }
        let outcome = Outcome::of(receipt);
        let customer = self.sight.customer(receipt.user, receipt.tenant);
        for common in of {
            let cluster = clusters.entry(common).or_insert_with(|| Cluster {
                count: 0,
                answered: 0,
                customers: BTreeSet::new(),
                hurt: BTreeSet::new(),
                tenant: receipt.tenant,
                first: receipt.at,
                last: receipt.at,
                receipts: Vec::new(),
            });
            cluster.count += 1;
            cluster.answered += u64::from(outcome == Outcome::Answered);
            cluster.customers.insert(customer);
            if outcome == Outcome::Failed {
                cluster.hurt.insert(customer);
            }
            cluster.first = cluster.first.min(receipt.at);
            cluster.last = cluster.last.max(receipt.at);
            cluster.receipts.push(receipt.id);
            cluster.receipts.sort_unstable_by_key(|id| Reverse(*id));
            cluster.receipts.truncate(EXAMPLES);
        }
    }

    /// Whether the same account answered for the same model, or the same key got an answer, after that.
    async fn answered_since(&self, common: &Common, last: UnixMicros) -> StoreResult<bool> {
        let query = LogQuery {
            since: Some(UnixMicros(last.0 + 1)),
            who: common.key.map_or_else(|| self.sight.who(), Who::Key),
            channel: common.channel,
            model: Some(common.model.clone()).filter(|model| !model.is_empty()),
            outcome: Some(Outcome::Answered),
            limit: 1,
            ..LogQuery::default()
        };
        Ok(!self.desk.store.log(&query).await?.is_empty())
    }

    fn finding(&self, names: &Names, common: Common, cluster: Cluster, settled: bool) -> Finding {
        let severity = match () {
            () if settled => Severity::Info,
            () if cluster.hurt.len() >= MANY => Severity::Hurt,
            () if common.fault == Fault::Caller && common.reason != Reason::NoCredit => Severity::Info,
            () => Severity::Care,
        };
        let customer = cluster.customers.first().copied().filter(|_| common.key.is_some());
        let actions = if settled { Vec::new() } else { self.help(&common, customer) };
        let Common { reason, fault, channel, model, key } = common;
        let text = |name: Option<&str>| name.map(str::to_owned);
        Finding {
            id: id(&("errors", reason, fault, channel, &model, key)),
            severity,
            settled,
            count: cluster.count,
            customers: cluster.customers.len() as u64,
            first: Some(cluster.first),
            last: Some(cluster.last),
            receipts: cluster.receipts,
            actions: self.suggest(actions, Some(cluster.tenant)),
            kind: Kind::Errors {
                reason,
                fault,
                channel,
                channel_name: text(channel.and_then(|id| names.channel(id))),
                model,
                key,
                key_name: text(key.and_then(|id| names.key(id))),
                customer,
                customer_name: customer.and_then(|customer| names.customer(self.sight, customer)),
                answered: cluster.answered,
            },
        }
    }

    fn help(&self, common: &Common, customer: Option<Customer>) -> Vec<Suggestion> {
        let mut all = Vec::new();
        match (common.reason, common.channel, common.key) {
            (Reason::AccountEmpty, Some(channel), _) => all.push(Suggestion::TopUpAccount { channel }),
            (Reason::Credential, Some(channel), _) => all.push(Suggestion::CheckCredential { channel }),
            (Reason::NoCredit, _, Some(key)) => {
                // A user of a tenant below is that tenant's to help.
                let user = customer.filter(|customer| matches!(customer, Customer::User(_)));
                all.extend(user.map(|customer| Suggestion::TopUpCustomer { customer }));
                all.push(Suggestion::LookAtKey { key });
            }
            (Reason::CallerLimit, _, Some(key)) => {
                all.extend([Suggestion::RaiseLimit { key }, Suggestion::LookAtKey { key }]);
            }
            (_, _, Some(key)) => all.push(Suggestion::LookAtKey { key }),
            _ => {}
        }
        if common.fault != Fault::Caller {
            let here = |channel| common.channel.is_none_or(|of| of == channel);
            let resting =
                self.live.resting.iter().filter(|lane| lane.model == common.model && here(lane.channel));
            all.extend(
                resting.map(|lane| Suggestion::WakeLane { channel: lane.channel, model: lane.model.clone() }),
            );
        }
        all
    }
}

fn common(receipt: &Receipt, reason: Reason, channel: Option<ChannelId>) -> Common {
    let fault = of_reason(reason);
    let own = fault == Fault::Caller;
    Common {
        reason,
        fault,
        channel: channel.filter(|_| !own),
        model: if own { String::new() } else { receipt.model.to_string() },
        key: own.then_some(receipt.key),
    }
}
