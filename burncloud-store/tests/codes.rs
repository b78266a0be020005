//! A redeem code is used once, whatever becomes of its row.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

use burncloud_billing::codes::{Batch, generate_codes, redeem_code};
use burncloud_core::Nano;
use burncloud_core::store::{LedgerStore, NewUser, StoreError, UserStore};
use burncloud_core::usecase::UseCaseError;
use burncloud_store::{SecretBox, SqlStore};
use sea_orm::{ConnectionTrait, Database};

#[tokio::test]
async fn the_ledger_refuses_a_second_credit() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("burncloud.db").display());
    let store = SqlStore::connect(&url, SecretBox::generate().unwrap()).await.unwrap();
    let tenant = store.tenants().await.unwrap()[0].id;
    let user = |name: &str| NewUser { name: name.into(), tenant, ..NewUser::default() };
    let users = [store.create_user(user("a")).await.unwrap(), store.create_user(user("b")).await.unwrap()];
    let amount = Nano(5_000);
    let batch = Batch { name: "spring".into(), count: 2, amount, expires_at: None, sold: true, tenant };
    let codes = generate_codes(&store, &batch).await.unwrap();
    let (posted, _) = redeem_code(&store, "a", &users[0], codes[0].expose()).await.unwrap();
    let reference = store.entry(posted.id).await.unwrap().unwrap().reference.unwrap();
    assert!(reference.starts_with("code:") && reference.len() == 5 + 64, "{reference}");

    let raw = Database::connect(&url).await.unwrap();
    let reset = "UPDATE redeem_codes SET redeemed_by = NULL, redeemed_at = NULL, entry = NULL";
    assert_eq!(raw.execute_unprepared(reset).await.unwrap().rows_affected(), 2);
    for user in &users {
        let again = redeem_code(&store, "a", user, codes[0].expose()).await.unwrap_err();
        assert!(matches!(again, UseCaseError::Store(StoreError::Conflict { .. })), "{again}");
    }
    assert_eq!(store.user(users[0].id).await.unwrap().unwrap().balance, amount);
    assert_eq!(store.user(users[1].id).await.unwrap().unwrap().balance, Nano(0));
    redeem_code(&store, "b", &users[1], codes[1].expose()).await.unwrap();
}
