//! The ledger, tenants above tenants, and what else is kept of money.

use super::columns::{column, id, number, table, text, word};
use crate::backend;
use burncloud_core::UnixMicros;
use sea_orm::sea_query::{ColumnDef, Expr, ExprTrait, Index, Query, Table, TableCreateStatement};
use sea_orm::{DbBackend, Statement};

fn added() -> Vec<(&'static str, ColumnDef)> {
    let zero = |name| number(name).default(0).to_owned();
    let maybe = |name| column(name).string_len(255).to_owned();
    vec![
        ("tenants", column("parent_id").big_integer().to_owned()),
        ("tenants", word("status", 16).default("active").to_owned()),
        ("tenants", zero("balance")),
        ("tenants", zero("credit")),
        ("tenants", column("unlimited").boolean().not_null().default(false).to_owned()),
        ("tenants", zero("used")),
        ("tenants", maybe("customer_group")),
        ("tenants", maybe("plan")),
        ("tenants", word("time_zone", 64).default("").to_owned()),
        ("users", word("role", 16).default("end_user").to_owned()),
        ("users", zero("credit")),
        ("users", column("unlimited").boolean().not_null().default(false).to_owned()),
        ("users", maybe("customer_group")),
        ("users", maybe("plan")),
        ("api_keys", maybe("customer_group")),
        ("prices", column("book").big_integer().to_owned()),
        ("prices", column("channel_id").big_integer().to_owned()),
        // The entry that posted it, and the link of the chain it is in; NULL before there were any.
        ("receipts", column("entry").big_integer().to_owned()),
        ("receipts", column("seal").big_integer().to_owned()),
    ]
}

fn ledger(backend: DbBackend) -> [TableCreateStatement; 3] {
    let entries = table("ledger_entries")
        .col(id("id"))
        .col(number("at"))
        .col(word("kind", 32))
        .col(column("reference").string_len(200).unique_key())
        .col(word("author", 255))
        .col(text("reason"))
        .col(column("reverses").big_integer().unique_key())
        // The receipts of an entry of that kind: their ids, 16 bytes each, sorted.
        .col(column("receipts").blob())
        .to_owned();
    let mut postings = table("ledger_postings")
        .col(number("entry"))
        .col(word("account", 64))
        .col(number("amount"))
        .primary_key(Index::create().col("entry").col("account"))
        .to_owned();
    backend::clustered(&mut postings, backend);
    let mut balances =
        table("ledger_balances").col(word("account", 64).primary_key()).col(number("balance")).to_owned();
    backend::clustered(&mut balances, backend);
    [entries, postings, balances]
}

fn terms() -> [TableCreateStatement; 4] {
    let budgets = table("budgets")
        .col(word("name", 255).primary_key())
        .col(word("scope", 255))
        // JSON of the rest.
        .col(text("terms"))
        .to_owned();
    let plans = table("plans").col(word("name", 255).primary_key()).col(text("abort")).to_owned();
    let codes = table("redeem_codes")
        .col(column("hash").binary_len(32).not_null().primary_key())
        .col(word("batch", 255))
        .col(number("amount"))
        .col(number("tenant_id"))
        .col(column("sold").boolean().not_null())
        .col(column("expires_at").big_integer())
        .col(number("created_at"))
        .col(column("redeemed_by").big_integer())
        .col(column("redeemed_at").big_integer())
        .col(column("entry").big_integer())
        .col(column("revoked_at").big_integer())
        .to_owned();
    let catalogues = table("catalogues")
        .col(id("version"))
        .col(number("fetched_at"))
        .col(text("source"))
        .col(word("state", 16))
        .col(text("body"))
        .to_owned();
    [budgets, plans, codes, catalogues]
}

fn records(backend: DbBackend) -> [TableCreateStatement; 5] {
    let alerts = table("alerts")
        .col(id("id"))
        .col(number("at"))
        .col(word("kind", 32))
        .col(text("subject"))
        .col(text("text"))
        .to_owned();
    let seals = table("receipt_seals")
        .col(number("sequence").primary_key())
        .col(number("entry"))
        .col(number("at"))
        // 16 bytes each, sorted.
        .col(column("receipts").blob().not_null())
        // Their hashes, 32 bytes each, in the same order.
        .col(column("leaves").blob().not_null())
        .col(column("salt").binary_len(16).not_null())
        .col(column("previous").binary_len(32).not_null())
        .col(column("root").binary_len(32).not_null())
        .col(column("hash").binary_len(32).not_null())
        .col(column("signature").binary_len(64).not_null())
        .col(column("signer").binary_len(8).not_null())
        .to_owned();
    let keys = table("receipt_keys")
        .col(column("id").binary_len(8).not_null().primary_key())
        .col(column("public").binary_len(32).not_null())
        // The private half, sealed like channels' credentials.
        .col(column("seed").blob().not_null())
        .col(number("created_at"))
        .to_owned();
    // Quarters of an hour since the epoch; a channel of 0 is none.
    let mut usage = table("usage_quarters")
        .col(number("quarter"))
        .col(number("key_id"))
        .col(number("user_id"))
        .col(number("tenant_id"))
        .col(number("channel_id"))
        .col(word("model", 255))
        .col(number("requests"))
        .col(number("tokens_in"))
        .col(number("tokens_out"))
        .col(number("charge"))
        .col(number("cost"))
        .primary_key(
            Index::create()
                .col("quarter")
                .col("key_id")
                .col("user_id")
                .col("tenant_id")
                .col("channel_id")
                .col("model"),
        )
        .to_owned();
    backend::clustered(&mut usage, backend);
    // What tenants spent, with all below them.
    let mut tenants = table("tenant_quarters")
        .col(number("quarter"))
        .col(number("tenant_id"))
        .col(number("tokens"))
        .col(number("money"))
        .primary_key(Index::create().col("quarter").col("tenant_id"))
        .to_owned();
    backend::clustered(&mut tenants, backend);
    [alerts, seals, keys, usage, tenants]
}

/// Balances from before the ledger become opening entries; who had none had no bound. Each is an entry of its own: one for all
/// could hold no more on its other side than an `i64`.
fn opening(backend: DbBackend) -> Vec<Statement> {
    let unlimited = Query::update()
        .table("users")
        .value("unlimited", true)
        .value("balance", 0)
        .and_where(Expr::col("balance").is_null())
        .to_owned();
    let now = UnixMicros::now().0;
    let opening = [
        // Its negative is none.
        format!("UPDATE users SET balance = balance + 1 WHERE balance = {}", backend::LEAST),
        format!(
            "INSERT INTO ledger_entries (at, kind, reference, author, reason) \
             SELECT {now}, 'opening', CONCAT('opening:', u.id), 'burncloud', 'opening' \
             FROM users u WHERE u.balance <> 0 ORDER BY u.id"
        ),
        "INSERT INTO ledger_postings (entry, account, amount) SELECT e.id, CONCAT('user:', u.id), u.balance \
         FROM users u JOIN ledger_entries e ON e.reference = CONCAT('opening:', u.id)"
            .to_owned(),
        "INSERT INTO ledger_postings (entry, account, amount) SELECT e.id, 'opening', -u.balance \
         FROM users u JOIN ledger_entries e ON e.reference = CONCAT('opening:', u.id)"
            .to_owned(),
        balances(backend),
    ];
    let concat = |sql: String| match backend {
        DbBackend::Sqlite => sql
            .replace("CONCAT('user:', u.id)", "'user:' || u.id")
            .replace("CONCAT('opening:', u.id)", "'opening:' || u.id"),
        _ => sql,
    };
    let opening = opening.map(|sql| Statement::from_string(backend, concat(sql)));
    std::iter::once(backend.build(&unlimited)).chain(opening).collect()
}

/// The sums of postings, as near as an `i64` comes. They are summed in halves, and made up of a high half and a low one
/// that is never negative: so nothing in between is more than a database can hold.
fn balances(backend: DbBackend) -> String {
    let halves = backend::halves("amount", backend);
    let quotient = if backend == DbBackend::MySql { "DIV" } else { "/" };
    let (most, least) = (backend::MOST, backend::LEAST);
    format!(
        "INSERT INTO ledger_balances (account, balance) SELECT account, \
         CASE WHEN high > 2147483647 THEN {most} WHEN high < -2147483648 THEN {least} \
         ELSE high * 4294967296 + low END \
         FROM (SELECT account, \
         amount_high + amount_low {quotient} 4294967296 \
         - CASE WHEN amount_low % 4294967296 < 0 THEN 1 ELSE 0 END AS high, \
         (amount_low % 4294967296 + 4294967296) % 4294967296 AS low \
         FROM (SELECT account, {halves} FROM ledger_postings GROUP BY account) AS halves) AS sums"
    )
}

/// Everything, in order.
pub(super) fn statements(backend: DbBackend) -> Vec<Statement> {
    let add = |(table, mut column): (&'static str, ColumnDef)| {
        backend.build(&Table::alter().table(table).add_column(&mut column).to_owned())
    };
    let mut all: Vec<Statement> = added().into_iter().map(add).collect();
    let tables = ledger(backend).into_iter().chain(terms()).chain(records(backend));
    all.extend(tables.map(|table| backend.build(&table)));
    let indexes = [
        ("ledger_postings_account", "ledger_postings", "account", "entry"),
        ("redeem_codes_batch", "redeem_codes", "batch", "hash"),
        ("usage_quarters_key", "usage_quarters", "key_id", "quarter"),
        ("usage_quarters_user", "usage_quarters", "user_id", "quarter"),
        ("usage_quarters_channel", "usage_quarters", "channel_id", "quarter"),
        ("usage_quarters_model", "usage_quarters", "model", "quarter"),
        ("tenant_quarters_tenant", "tenant_quarters", "tenant_id", "quarter"),
    ];
    all.extend(indexes.map(|(name, table, first, then)| {
        backend.build(&Index::create().name(name).table(table).col(first).col(then).to_owned())
    }));
    all.extend(opening(backend));
    all
}
