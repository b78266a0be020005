//! The first tables, with the tenant `default` and its user `default`.

use super::columns::{column, id, number, table, text, word};
use crate::backend;
use burncloud_core::UnixMicros;
use sea_orm::sea_query::{ForeignKey, Index, Query, TableCreateStatement};
use sea_orm::{DbBackend, Statement};

fn people() -> [TableCreateStatement; 3] {
    let tenants = table("tenants")
        .col(id("id"))
        .col(word("name", 255).unique_key())
        .col(text("limits"))
        .col(number("created_at"))
        .to_owned();
    let users = table("users")
        .col(id("id"))
        .col(word("name", 255).unique_key())
        .col(number("tenant_id"))
        .col(word("status", 16))
        .col(column("balance").big_integer())
        .col(number("used"))
        .col(text("limits"))
        .col(number("created_at"))
        .foreign_key(ForeignKey::create().from("users", "tenant_id").to("tenants", "id"))
        .to_owned();
    let keys = table("api_keys")
        .col(id("id"))
        .col(word("name", 255).unique_key())
        .col(text("hint"))
        .col(column("hash").binary_len(32).not_null().unique_key())
        .col(number("user_id"))
        .col(word("status", 16))
        .col(column("quota").big_integer())
        .col(number("used"))
        .col(text("limits"))
        .col(column("models").text())
        .col(column("ips").text())
        .col(column("expires_at").big_integer())
        .col(number("created_at"))
        .foreign_key(ForeignKey::create().from("api_keys", "user_id").to("users", "id"))
        .to_owned();
    [tenants, users, keys]
}

fn trade() -> [TableCreateStatement; 3] {
    let channels = table("channels")
        .col(id("id"))
        .col(word("name", 255).unique_key())
        .col(word("provider", 255))
        .col(column("base_url").text())
        .col(column("credential").blob().not_null())
        .col(text("models"))
        .col(text("model_mapping"))
        .col(column("priority").integer().not_null())
        .col(number("weight"))
        .col(word("status", 16))
        .col(text("settings"))
        .to_owned();
    let prices = table("prices")
        .col(id("version"))
        .col(text("model"))
        .col(number("effective_at"))
        .col(text("rates"))
        .to_owned();
    let changes = table("changes")
        .col(column("id").integer().not_null().primary_key())
        .col(number("version"))
        .to_owned();
    [channels, prices, changes]
}

/// No foreign key: a receipt is recorded whatever became of what it names.
fn receipts(backend: DbBackend) -> TableCreateStatement {
    let mut receipts = table("receipts")
        .col(column("id").binary_len(16).not_null().primary_key())
        .col(number("at"))
        .col(number("key_id"))
        .col(number("user_id"))
        .col(number("tenant_id"))
        .col(column("channel_id").big_integer())
        .col(text("model"))
        .col(text("upstream_model"))
        .col(word("dialect", 32))
        .col(word("operation", 64))
        .col(column("status").integer().not_null())
        .col(word("end", 32))
        .col(column("streamed").boolean().not_null())
        .col(number("input"))
        .col(number("cached_read"))
        .col(number("output"))
        .col(number("reasoning"))
        .col(number("charge"))
        .col(number("upstream_cost"))
        .col(column("first_byte_us").big_integer())
        .col(number("took_us"))
        .col(text("rest"))
        .to_owned();
    backend::clustered(&mut receipts, backend);
    receipts
}

/// Everything, in order.
pub(super) fn statements(backend: DbBackend) -> Vec<Statement> {
    let mut all: Vec<Statement> = people()
        .iter()
        .chain(&trade())
        .chain([&receipts(backend)])
        .map(|table| backend.build(table))
        .collect();
    let indexes = [
        ("api_keys_user", "api_keys", "user_id", "id"),
        ("receipts_key", "receipts", "key_id", "id"),
        ("receipts_user", "receipts", "user_id", "id"),
    ];
    all.extend(indexes.map(|(name, table, first, then)| {
        backend.build(&Index::create().name(name).table(table).col(first).col(then).to_owned())
    }));
    let now = UnixMicros::now().0;
    let rows = [
        Query::insert()
            .into_table("tenants")
            .columns(["name", "limits", "created_at"])
            .values_panic(["default".into(), "{}".into(), now.into()])
            .to_owned(),
        Query::insert()
            .into_table("users")
            .columns(["name", "tenant_id", "status", "used", "limits", "created_at"])
            .values_panic([
                "default".into(),
                1_i64.into(),
                "active".into(),
                0_i64.into(),
                "{}".into(),
                now.into(),
            ])
            .to_owned(),
        Query::insert()
            .into_table("changes")
            .columns(["id", "version"])
            .values_panic([1.into(), 0_i64.into()])
            .to_owned(),
    ];
    all.extend(rows.iter().map(|row| backend.build(row)));
    all
}
