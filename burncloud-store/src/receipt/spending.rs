//! What a batch of receipts adds to the sums that are kept: `used` of keys, users and tenants, the wallets of users and
//! tenants, and spending by quarters of an hour.

use super::row::count;
use crate::backend::Sums;
use crate::bulk::Texts;
use burncloud_core::{QUARTER_US, Receipt};
use sea_orm::{DatabaseTransaction, DbErr, Value};
use std::collections::BTreeMap;

const KEYS: Sums = Sums { table: "api_keys", key: &["id"], sums: &["used"] };
const USERS: Sums = Sums { table: "users", key: &["id"], sums: &["used", "balance"] };
const TENANTS: Sums = Sums { table: "tenants", key: &["id"], sums: &["used", "balance"] };
const QUARTERS: Sums = Sums {
    table: "usage_quarters",
    key: &["quarter", "key_id", "user_id", "tenant_id", "channel_id", "model"],
    sums: &["requests", "tokens_in", "tokens_out", "charge", "cost"],
};
const TENANT_QUARTERS: Sums =
    Sums { table: "tenant_quarters", key: &["quarter", "tenant_id"], sums: &["tokens", "money"] };

/// The texts of the statements.
#[derive(Default)]
pub(super) struct Statements {
    keys: Texts,
    users: Texts,
    tenants: Texts,
    quarters: Texts,
    tenant_quarters: Texts,
}

/// Quarter, key, user, tenant, channel (0 is none), model.
type Quarter<'a> = (i64, i64, i64, i64, i64, &'a str);

/// What a batch comes to. Ordered, so that concurrent batches lock rows in one order.
#[derive(Default)]
pub(super) struct Spending<'a> {
    keys: BTreeMap<i64, i128>,
    users: BTreeMap<i64, i128>,
    tenants: BTreeMap<i64, i128>,
    quarters: BTreeMap<Quarter<'a>, [i128; 5]>,
    tenant_quarters: BTreeMap<(i64, i64), [i128; 2]>,
}

/// The longest name of a model by which spending is summed, in characters: what every database can hold in a key. A longer
/// one is cut off.
const MODEL: usize = 255;

/// A model's name as spending is summed by it.
pub(crate) fn model_key(name: &str) -> &str {
    name.char_indices().nth(MODEL).map_or(name, |(end, _)| &name[..end])
}

impl<'a> Spending<'a> {
    pub(super) fn add(&mut self, receipt: &'a Receipt) {
        let charge = i128::from(receipt.charge.0);
        if charge != 0 {
            *self.keys.entry(receipt.key.0).or_default() += charge;
            *self.users.entry(receipt.user.0).or_default() += charge;
        }
        let quarter = receipt.at.0.div_euclid(QUARTER_US);
        let (key, user, tenant) = (receipt.key.0, receipt.user.0, receipt.tenant.0);
        let channel = receipt.channel.map_or(0, |channel| channel.0);
        let place = (quarter, key, user, tenant, channel, model_key(&receipt.model));
        // Counting tokens spends none, as `spent_tokens` has it.
        let spent = |tokens| if receipt.operation.is_free() { 0 } else { count(tokens) };
        let (tokens_in, tokens_out) =
            (spent(receipt.usage.total_input()), spent(receipt.usage.total_output()));
        let cost = receipt.channel.map_or(0, |_| receipt.upstream_cost.0);
        let more = [1, tokens_in.into(), tokens_out.into(), charge, cost.into()];
        sum(self.quarters.entry(place).or_default(), more);
        let tokens = i128::from(tokens_in) + i128::from(tokens_out);
        let (mut house, mut earned) = (tenant, charge);
        for leg in &receipt.legs {
            let paid = i128::from(leg.charge.0);
            if paid != 0 {
                *self.tenants.entry(leg.tenant.0).or_default() += paid;
            }
            sum(self.tenant_quarters.entry((quarter, leg.tenant.0)).or_default(), [tokens, paid]);
            (house, earned) = (leg.parent.0, paid);
        }
        sum(self.tenant_quarters.entry((quarter, house)).or_default(), [tokens, earned]);
    }

    pub(super) async fn apply(self, tx: &DatabaseTransaction, texts: &Statements) -> Result<(), DbErr> {
        let keys = self.keys.into_iter().flat_map(|(id, used)| [id.into(), number(used)]).collect();
        texts.keys.run(tx, keys, KEYS.width(), |rows, of| KEYS.shift(rows, of)).await?;
        let users = paid(self.users);
        texts.users.run(tx, users, USERS.width(), |rows, of| USERS.shift(rows, of)).await?;
        let tenants = paid(self.tenants);
        texts.tenants.run(tx, tenants, TENANTS.width(), |rows, of| TENANTS.shift(rows, of)).await?;
        let mut values = Vec::with_capacity(self.quarters.len() * QUARTERS.width());
        for ((quarter, key, user, tenant, channel, model), sums) in self.quarters {
            values.extend([quarter, key, user, tenant, channel].map(Value::from));
            values.push(model.into());
            values.extend(sums.map(number));
        }
        texts.quarters.run(tx, values, QUARTERS.width(), |rows, of| QUARTERS.add(rows, of)).await?;
        let mut values = Vec::with_capacity(self.tenant_quarters.len() * TENANT_QUARTERS.width());
        for ((quarter, tenant), sums) in self.tenant_quarters {
            values.extend([quarter, tenant].map(Value::from));
            values.extend(sums.map(number));
        }
        let width = TENANT_QUARTERS.width();
        texts.tenant_quarters.run(tx, values, width, |rows, of| TENANT_QUARTERS.add(rows, of)).await
    }
}

fn sum<const N: usize>(sums: &mut [i128; N], more: [i128; N]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

fn clamp(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

fn number(sum: i128) -> Value {
    clamp(sum).into()
}

/// What was paid, added to `used` and taken from the wallet.
fn paid(spent: BTreeMap<i64, i128>) -> Vec<Value> {
    spent.into_iter().flat_map(|(id, used)| [id.into(), number(used), number(-used)]).collect()
}
