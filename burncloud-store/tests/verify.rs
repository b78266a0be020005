//! `ledger verify` finds what was tampered with, and names it.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

use burncloud_billing::ledger::{VerifyError, VerifyReport, verify};
use burncloud_core::ledger::{Account, EntryKind, NewEntry, Posting};
use burncloud_core::store::{KeyStore, LedgerStore, NewTenant, NewUser, ReceiptStore, UserStore};
use burncloud_core::testing::{new_key, receipt};
use burncloud_core::{ApiKey, Leg, Line, LineKind, Nano, Receipt, ReceiptId, TenantId, UnixMicros, User};
use burncloud_store::{SecretBox, SqlStore};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use std::sync::Arc;
use tempfile::TempDir;

struct House {
    _folder: TempDir,
    store: SqlStore,
    raw: DatabaseConnection,
    user: User,
    key: ApiKey,
    /// The user's tenant's parent.
    parent: TenantId,
}

fn posting(account: Account, amount: i64) -> Posting {
    Posting { account, amount: Nano(amount) }
}

fn entry(kind: EntryKind, postings: Vec<Posting>) -> NewEntry {
    let (author, reason) = ("tests".to_owned(), "because".to_owned());
    NewEntry { kind, reference: None, author, reason, reverses: None, postings }
}

impl House {
    /// A reseller's user who paid in, has a credit line, and called seven times in three batches.
    async fn new() -> House {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("burncloud.db").display());
        let store = SqlStore::connect(&url, SecretBox::generate().unwrap()).await.unwrap();
        let parent = store.tenants().await.unwrap()[0].id;
        let new = NewTenant { name: "acme".into(), parent: Some(parent), ..NewTenant::default() };
        let tenant = store.create_tenant(new).await.unwrap().id;
        let new = NewUser { name: "ann".into(), tenant, ..NewUser::default() };
        let user = store.create_user(new).await.unwrap();
        let key = store.create_key(new_key("k", user.id)).await.unwrap();
        let paid = vec![posting(Account::User(user.id), 1_000), posting(Account::Cash(tenant), -1_000)];
        store.post(entry(EntryKind::TopUp, paid)).await.unwrap();
        let line = vec![posting(Account::UserCredit(user.id), 50), posting(Account::Granted(tenant), -50)];
        store.post(entry(EntryKind::CreditLine, line)).await.unwrap();
        let raw = Database::connect(&url).await.unwrap();
        let house = House { _folder: folder, store, raw, user, key, parent };
        let all: Vec<_> = (1..=7).map(|n| Arc::new(house.receipt(n))).collect();
        // Not in the order of their arrival.
        for batch in [&all[4..], &all[..2], &all[2..4]] {
            house.store.record(batch).await.unwrap();
        }
        house
    }

    fn receipt(&self, n: i64) -> Receipt {
        let at = UnixMicros::now();
        let tenant = self.user.tenant;
        let amount = Nano(10 + n);
        Receipt {
            id: ReceiptId::new(at),
            at,
            key: self.key.id,
            user: self.user.id,
            tenant,
            lines: vec![Line {
                kind: LineKind::Request,
                units: 1,
                price: Nano(amount.0 * 1_000_000),
                amount,
            }],
            charge: amount,
            shortfall: Nano::ZERO,
            legs: vec![Leg { tenant, parent: self.parent, charge: Nano(n), shortfall: Nano::ZERO }],
            abort: None,
            ..receipt(n.cast_unsigned())
        }
    }

    async fn run(&self, sql: &str) {
        assert_ne!(self.raw.execute_unprepared(sql).await.unwrap().rows_affected(), 0, "{sql}");
    }

    async fn difference(&self) -> String {
        match verify(&self.store, |_| ()).await {
            Err(VerifyError::Difference(difference)) => difference.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn books_in_order_are_found_in_order() {
    let house = House::new().await;
    let mut pages = 0;
    let report = verify(&house.store, |_| pages += 1).await.unwrap();
    assert!(pages > 0);
    assert_eq!((report.entries, report.receipts, report.before_ledger), (5, 7, 0));
    assert_eq!((report.users, report.tenants, report.keys), (2, 2, 1));
    assert_eq!(report.accounts, 9, "{report:?}");
}

#[tokio::test]
async fn each_kind_of_tampering_is_named() {
    let last = "(SELECT MAX(id) FROM ledger_entries)";
    let one = "(SELECT MIN(id) FROM receipts)";
    for (sql, what) in [
        (
            format!(
                "UPDATE ledger_postings SET amount = amount + 1 WHERE entry = {last} AND account LIKE 'user:%'"
            ),
            "the sum of the postings of entry",
        ),
        (
            format!("DELETE FROM ledger_postings WHERE entry = {last} AND account LIKE 'payable:%'"),
            "the sum of the postings of entry",
        ),
        (
            format!(
                "UPDATE ledger_postings SET amount = amount + CASE WHEN account LIKE 'user:%' THEN 1 ELSE -1 END \
                 WHERE entry = {last} AND (account LIKE 'user:%' OR account LIKE 'payable:%')"
            ),
            "by its receipts",
        ),
        (
            "UPDATE ledger_postings SET amount = amount * 2 WHERE entry = (SELECT MIN(id) FROM ledger_entries)".to_owned(),
            "the balance of cash:2: expected -0.000002, found -0.000001",
        ),
        (format!("UPDATE receipts SET charge = charge + 1 WHERE id = {one}"), "charge and shortfall of receipt"),
        (format!("UPDATE receipts SET upstream_cost = upstream_cost + 1 WHERE id = {one}"), "by its receipts"),
        (
            format!(
                "UPDATE receipts SET rest = replace(rest, '\"lines\":[[', '\"lines\":[[\"input\",1,1,1],[') WHERE id = {one}"
            ),
            "charge and shortfall of receipt",
        ),
        (format!("DELETE FROM receipts WHERE id = {one}"), "expected it is there, found it is gone"),
        (
            "UPDATE ledger_balances SET balance = balance + 1 WHERE account LIKE 'revenue:%'".to_owned(),
            "the balance of revenue:1",
        ),
        ("DELETE FROM ledger_balances WHERE account LIKE 'payable:%'".to_owned(), "the balance of payable:3"),
        (
            "INSERT INTO ledger_balances (account, balance) VALUES ('cash:77', 5)".to_owned(),
            "the balance of cash:77: expected 0.00, found 0.000000005",
        ),
        ("UPDATE users SET balance = balance + 1 WHERE name = 'ann'".to_owned(), "the balance of user `ann`"),
        ("UPDATE users SET credit = 51 WHERE name = 'ann'".to_owned(), "the credit of user `ann`"),
        ("UPDATE users SET used = used - 1 WHERE name = 'ann'".to_owned(), "what user `ann` has used"),
        ("UPDATE tenants SET balance = 0 WHERE name = 'acme'".to_owned(), "the balance of tenant `acme`"),
        ("UPDATE tenants SET credit = 1 WHERE name = 'acme'".to_owned(), "the credit of tenant `acme`"),
        ("UPDATE tenants SET used = 0 WHERE name = 'acme'".to_owned(), "what tenant `acme` has used"),
        ("UPDATE api_keys SET used = used + 1".to_owned(), "what key `k` has used"),
        ("UPDATE usage_quarters SET charge = charge + 1".to_owned(), "what key:1 has spent"),
        ("UPDATE usage_quarters SET cost = cost + 1".to_owned(), "what channel:3 has spent"),
        ("UPDATE usage_quarters SET tokens_out = tokens_out + 1".to_owned(), "the tokens of key:1"),
        ("UPDATE tenant_quarters SET money = money + 1".to_owned(), "what tenant:1 has spent"),
        ("DELETE FROM tenant_quarters".to_owned(), "what tenant:1 has spent"),
        (
            format!(
                "UPDATE receipts SET rest = replace(rest, '\"legs\":[[2,1,', '\"legs\":[[2,9,') WHERE id = {one}"
            ),
            "the legs of receipt",
        ),
        ("UPDATE tenants SET parent_id = NULL".to_owned(), "the legs of receipt"),
    ] {
        let house = House::new().await;
        house.run(&sql).await;
        let found = house.difference().await;
        assert!(found.contains(what), "{sql}\n{found}");
    }
}

#[tokio::test]
async fn a_receipt_is_in_exactly_one_entry() {
    let house = House::new().await;
    // The entry of two receipts is gone altogether, with what it posted.
    let gone = "(SELECT entry FROM receipts ORDER BY id LIMIT 1)";
    house.run(&format!("DELETE FROM ledger_entries WHERE id = {gone}")).await;
    house.run(&format!("DELETE FROM ledger_postings WHERE entry = {gone}")).await;
    let found = house.difference().await;
    assert!(found.contains("entries that post receipt") && found.ends_with("expected 1, found 0"), "{found}");

    let house = House::new().await;
    // An entry is there twice.
    let of = "(SELECT MAX(id) FROM ledger_entries)";
    house
        .run(&format!(
            "INSERT INTO ledger_entries (at, kind, author, reason, receipts) \
             SELECT at, kind, author, reason, receipts FROM ledger_entries WHERE id = {of}"
        ))
        .await;
    house
        .run(&format!(
            "INSERT INTO ledger_postings (entry, account, amount) \
             SELECT {of}, account, amount FROM ledger_postings WHERE entry = {of} - 1"
        ))
        .await;
    let found = house.difference().await;
    assert!(found.contains("entries that post receipt") && found.contains("expected 1"), "{found}");
}

impl House {
    /// A receipt that comes to nothing, but counts tokens; it arrived before all others.
    async fn record_free(&self, n: i64) {
        let at = self.store.ledger_begun().await.unwrap();
        let (lines, legs) = (Vec::new(), Vec::new());
        let (charge, upstream_cost) = (Nano::ZERO, Nano::ZERO);
        let free =
            Receipt { id: ReceiptId::new(at), at, lines, legs, charge, upstream_cost, ..self.receipt(n) };
        assert_eq!(self.store.record(&[Arc::new(free)]).await.unwrap(), 1);
    }

    /// Verifies while others record, each time a page was read, what comes to nothing; at most so often.
    async fn verify_among_others(&self, most: i64) -> Result<VerifyReport, VerifyError> {
        let mut n = 0;
        let others = |_: &VerifyReport| {
            if n < most {
                n += 1;
                let record = self.record_free(100 + n);
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(record));
            }
        };
        verify(&self.store, others).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_write_in_between_is_no_difference() {
    let house = House::new().await;
    let report = house.verify_among_others(2).await.unwrap();
    assert_eq!((report.entries, report.receipts), (5, 9), "it was read anew");
    let house = House::new().await;
    let busy = house.verify_among_others(i64::MAX).await;
    assert!(matches!(busy, Err(VerifyError::Busy)), "{busy:?}");
    verify(&house.store, |_| ()).await.unwrap();
}

#[tokio::test]
async fn what_came_to_nothing_before_the_ledger_is_in_no_sum_either() {
    let house = House::new().await;
    house
        .run(
            "INSERT INTO receipts (id, at, key_id, user_id, tenant_id, channel_id, model, upstream_model, dialect, \
             operation, status, \"end\", streamed, input, cached_read, output, reasoning, charge, upstream_cost, \
             first_byte_us, took_us, rest) VALUES (X'000102030405060708090a0b0c0d0e0f', 5, 1, 2, 1, 3, 'm', 'm', \
             'openai', 'chat', 200, 'finished', 0, 1, 0, 2, 0, 0, 0, NULL, 7, \
             '{\"trace\":\"09090909090909090909090909090909\",\"source\":\"reported\",\"bytes\":[1,2],\"lines\":[]}')",
        )
        .await;
    let report = verify(&house.store, |_| ()).await.unwrap();
    assert_eq!((report.receipts, report.before_ledger), (8, 0));
}
