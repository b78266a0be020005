//! What a batch of receipts adds to the sums that are kept: `used` of keys, users and tenants, the wallets of users and
//! tenants, and spending by quarters of an hour.

use super::row::count;
use crate::backend::{ALL, DAYS_BY_USER, HOURS_BY_CHANNEL, HOURS_BY_MODEL, HOURS_BY_TENANT, Sums, USAGE};
use crate::bulk::Texts;
use burncloud_core::store::{UsageRow, usage};
use burncloud_core::{QUARTER_US, Receipt};
use sea_orm::{DatabaseTransaction, DbErr, Value};
use std::collections::BTreeMap;

const KEYS: Sums = Sums { table: "api_keys", key: &["id"], sums: &["used"] };
const USERS: Sums = Sums { table: "users", key: &["id"], sums: &["used", "balance"] };
const TENANTS: Sums = Sums { table: "tenants", key: &["id"], sums: &["used", "balance"] };
const QUARTERS: Sums = Sums {
    table: "usage_quarters",
    key: &["quarter", "key_id", "user_id", "tenant_id", "channel_id", "model"],
    sums: &USAGE,
};
const HOURS: Sums =
    Sums { table: "usage_hours", key: &["tenant_id", "kind", "hour", "id", "model"], sums: &USAGE };
const TENANT_QUARTERS: Sums =
    Sums { table: "tenant_quarters", key: &["quarter", "tenant_id"], sums: &["tokens", "money"] };

/// The texts of the statements.
#[derive(Default)]
pub(super) struct Statements {
    keys: Texts,
    users: Texts,
    tenants: Texts,
    quarters: Texts,
    hours: Texts,
    tenant_quarters: Texts,
}

/// Quarter, key, user, tenant, channel (0 is none), model.
type Quarter<'a> = (i64, i64, i64, i64, i64, &'a str);

/// Tenant, kind, hour, id, model.
type Hour<'a> = (i64, i64, i64, i64, &'a str);

/// What a batch comes to. Ordered, so that concurrent batches lock rows in one order.
#[derive(Default)]
pub(super) struct Spending<'a> {
    keys: BTreeMap<i64, i128>,
    users: BTreeMap<i64, i128>,
    tenants: BTreeMap<i64, i128>,
    quarters: BTreeMap<Quarter<'a>, [i128; USAGE.len()]>,
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
        let model = model_key(&receipt.model);
        let mut tokens = 0;
        usage(receipt, |more| {
            let channel = more.channel.map_or(0, |channel| channel.0);
            let place = (quarter, key, user, tenant, channel, model);
            let more = sums_of(&more);
            tokens += more[1] + more[2];
            sum(self.quarters.entry(place).or_default(), more);
        });
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
        let hours = hours(&self.quarters);
        let mut values = Vec::with_capacity(self.quarters.len() * QUARTERS.width());
        for ((quarter, key, user, tenant, channel, model), sums) in self.quarters {
            values.extend([quarter, key, user, tenant, channel].map(Value::from));
            values.push(model.into());
            values.extend(sums.map(number));
        }
        texts.quarters.run(tx, values, QUARTERS.width(), |rows, of| QUARTERS.add(rows, of)).await?;
        let mut values = Vec::with_capacity(hours.len() * HOURS.width());
        for ((tenant, kind, hour, id, model), sums) in hours {
            values.extend([tenant, kind, hour, id].map(Value::from));
            values.push(model.into());
            values.extend(sums.map(number));
        }
        texts.hours.run(tx, values, HOURS.width(), |rows, of| HOURS.add(rows, of)).await?;
        let mut values = Vec::with_capacity(self.tenant_quarters.len() * TENANT_QUARTERS.width());
        for ((quarter, tenant), sums) in self.tenant_quarters {
            values.extend([quarter, tenant].map(Value::from));
            values.extend(sums.map(number));
        }
        let width = TENANT_QUARTERS.width();
        texts.tenant_quarters.run(tx, values, width, |rows, of| TENANT_QUARTERS.add(rows, of)).await
    }
}

/// In the order of [`USAGE`].
fn sums_of(row: &UsageRow) -> [i128; USAGE.len()] {
    [
        row.requests.into(),
        count(row.tokens_in).into(),
        count(row.tokens_out).into(),
        row.charge.0.into(),
        row.cost.0.into(),
        row.failed.into(),
        row.refused.into(),
        row.revenue.0.into(),
        row.begun.into(),
        row.waited_us.into(),
        row.attempts.into(),
        row.attempts_failed.into(),
    ]
}

/// The hours, and the days, that quarters come to.
fn hours<'a>(
    quarters: &BTreeMap<Quarter<'a>, [i128; USAGE.len()]>,
) -> BTreeMap<Hour<'a>, [i128; USAGE.len()]> {
    let mut hours = BTreeMap::new();
    for ((quarter, _, user, tenant, channel, model), more) in quarters {
        let (hour, day) = (quarter.div_euclid(4), quarter.div_euclid(96) * 24);
        for place in [
            (ALL, HOURS_BY_MODEL, hour, 0, *model),
            (ALL, HOURS_BY_CHANNEL, hour, *channel, ""),
            (ALL, HOURS_BY_TENANT, hour, *tenant, ""),
            (*tenant, HOURS_BY_MODEL, hour, 0, *model),
            (*tenant, DAYS_BY_USER, day, *user, ""),
        ] {
            sum(hours.entry(place).or_insert([0; USAGE.len()]), *more);
        }
    }
    hours
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
