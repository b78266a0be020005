//! What every implementation must do, as suites to run (feature `testing`).
//!
//! A store of your own keeps the traits' promises if this passes:
//!
//! ```
//! # use burncloud_core::store::MemoryStore;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! burncloud_core::testing::store_suite(async || MemoryStore::default()).await;
//! # }
//! ```

mod archive;
mod budgets;
mod callers;
mod channels;
mod codes;
mod keys;
mod ledger;
mod logins;
mod people;
mod receipts;
mod records;
mod reports;
mod sessions;
mod users;

use crate::ledger::{Account, EntryKind, NewEntry, Posting};
use crate::store::{
    AlertStore, ArchiveStore, AuditStore, BudgetStore, CallerStore, CatalogueStore, CodeStore,
    InvitationStore, LedgerStore, LoginStore, NewKey, NewUser, OnceStore, PeopleStore, PlanStore, Posted,
    ReceiptStore, ReportStore, SessionStore, SettingStore, SpendingStore, Store, StoreError, StoreResult,
    UserStore,
};
use crate::{
    AbortKind, Attempt, Caller, ChannelId, Dialect, End, KeyHash, KeyId, Leg, Limits, Line, LineKind, Nano,
    Operation, Picture, Quality, Receipt, ReceiptId, ServiceTier, TenantId, TraceId, UnixMicros, Usage,
    UsageSource, User, UserId,
};
use std::sync::Arc;

pub use archive::sealer;

/// Runs every case, each against a store of its own that `fresh` makes: empty but for the tenant `default`
/// and its user `default`.
///
/// # Panics
/// At the first promise that is broken; the text names it.
pub async fn store_suite<S: Store, F: AsyncFn() -> S>(fresh: F) {
    macro_rules! run {
        ($($case:path),* $(,)?) => { $( $case(Arc::new(fresh().await)).await; )* };
    }
    run!(
        users::begins_with_a_default_tenant_and_user,
        users::tenants_are_made_found_listed_and_changed,
        users::users_are_made_found_and_changed,
        users::users_are_listed_in_pages,
        ledger::an_entry_moves_balances,
        ledger::entries_are_listed_newest_first,
        ledger::entries_that_do_not_balance_are_refused,
        ledger::a_reference_posts_once,
        ledger::an_entry_is_reversed_once,
        ledger::credit_lines_are_never_negative,
        ledger::a_balance_never_overflows,
        ledger::concurrent_payments_all_count,
        ledger::receipts_are_posted_as_one_entry,
        keys::keys_are_made_and_found,
        keys::every_field_of_a_key_is_kept,
        keys::keys_are_listed_in_pages,
        keys::names_and_secrets_of_keys_are_unique,
        keys::an_update_replaces_what_may_change,
        keys::names_of_any_kind_are_kept_apart,
        callers::a_caller_has_its_user_and_tenant,
        callers::nobody_is_nobody_until_the_key_is_made,
        callers::a_changed_key_is_seen_at_once,
        callers::a_rotated_secret_is_seen_at_once,
        callers::the_secret_before_works_for_its_term,
        callers::a_changed_user_or_tenant_is_seen_at_once,
        callers::an_unchanged_caller_keeps_its_slots,
        callers::concurrent_lookups_share_one_caller,
        channels::every_field_of_a_channel_is_kept,
        channels::channels_are_unique_by_name,
        channels::channels_are_changed_and_removed,
        channels::prices_are_only_added,
        receipts::every_field_of_a_receipt_is_kept,
        receipts::receipts_are_listed_newest_first,
        receipts::a_charge_is_applied_once,
        receipts::a_long_batch_is_recorded_whole,
        receipts::concurrent_batches_apply_each_charge_once,
        receipts::spending_never_overflows,
        receipts::receipts_outlive_what_they_name,
    );
}

/// Runs the cases of budgets, plans, spending, alerts, redeem codes and copies of prices, as [`store_suite`] does the others.
///
/// # Panics
/// At the first promise that is broken; the text names it.
pub async fn money_suite<S, F: AsyncFn() -> S>(fresh: F)
where
    S: Store + BudgetStore + SpendingStore + PlanStore + AlertStore + CodeStore + CatalogueStore,
{
    macro_rules! run {
        ($($case:path),* $(,)?) => { $( $case(Arc::new(fresh().await)).await; )* };
    }
    run!(
        budgets::budgets_are_set_listed_and_removed,
        budgets::plans_are_set_and_listed,
        budgets::alerts_are_listed_newest_first,
        budgets::spending_is_summed_in_quarters,
        budgets::spending_of_tenants_holds_those_below,
        budgets::spending_counts_a_receipt_once,
        budgets::concurrent_receipts_are_all_spent,
        budgets::spending_never_overflows,
        codes::codes_are_made_all_or_none,
        codes::a_code_is_used_once,
        codes::what_cannot_be_used_credits_nothing,
        codes::the_newest_copies_of_prices_are_kept,
    );
}

/// Runs the cases of logins, sessions, invitations, the audit log, answers given once and settings, as [`store_suite`] does
/// the others.
///
/// # Panics
/// At the first promise that is broken; the text names it.
pub async fn identity_suite<S, F: AsyncFn() -> S>(fresh: F)
where
    S: Store + LoginStore + SessionStore + InvitationStore + AuditStore + OnceStore + SettingStore,
{
    macro_rules! run {
        ($($case:path),* $(,)?) => { $( $case(Arc::new(fresh().await)).await; )* };
    }
    run!(
        logins::every_field_of_a_login_is_kept,
        logins::a_login_is_replaced_but_for_what_happened,
        logins::names_and_subjects_of_logins_are_unique,
        logins::concurrent_logins_share_no_name,
        logins::failures_are_counted_and_lock,
        logins::concurrent_failures_all_count,
        logins::a_code_of_the_second_factor_is_used_once,
        sessions::sessions_are_kept_touched_and_ended,
        sessions::ending_a_users_sessions_ends_those_of_others_as_them,
        sessions::who_was_seen_is_known_and_the_rest_forgotten,
        sessions::an_invitation_is_used_given_back_and_withdrawn,
        sessions::of_concurrent_claims_one_wins,
        records::the_audit_log_only_grows,
        records::concurrent_entries_are_all_kept,
        records::a_request_is_done_once,
        records::of_concurrent_requests_one_begins,
        records::settings_are_set_and_taken_out,
    );
}

/// Runs the cases of searches of users and keys, as [`store_suite`] does the others.
///
/// # Panics
/// At the first promise that is broken; the text names it.
pub async fn people_suite<S, F: AsyncFn() -> S>(fresh: F)
where
    S: Store + PeopleStore + LoginStore,
{
    macro_rules! run {
        ($($case:path),* $(,)?) => { $( $case(Arc::new(fresh().await)).await; )* };
    }
    run!(
        people::users_are_found_by_tenant_text_and_status,
        people::who_has_nothing_left_is_found,
        people::keys_are_found_by_owner_text_and_status,
        people::a_page_has_a_bound,
    );
}

/// Runs the cases of sums and searches, as [`store_suite`] does the others.
///
/// # Panics
/// At the first promise that is broken; the text names it.
pub async fn report_suite<S: ReceiptStore + ReportStore, F: AsyncFn() -> S>(fresh: F) {
    macro_rules! run {
        ($($case:path),* $(,)?) => { $( $case(Arc::new(fresh().await)).await; )* };
    }
    run!(
        reports::sums_are_those_of_the_receipts,
        reports::a_receipt_counts_once_and_late_ones_too,
        reports::attempts_in_vain_count_where_they_were_made,
        reports::tenants_paid_what_their_legs_say,
        reports::the_log_is_paged_without_gaps,
        reports::keys_were_last_used_when_they_were,
        reports::sums_never_overflow,
    );
}

/// Runs the cases of receipts that are archived, as [`store_suite`] does the others. A store that can makes links (those of
/// [`sealer`] will do); of one that makes none it is only seen that nothing goes away.
///
/// # Panics
/// At the first promise that is broken; the text names it.
pub async fn archive_suite<S, F: AsyncFn() -> S>(fresh: F)
where
    S: Store + ArchiveStore + ReportStore + SpendingStore,
{
    macro_rules! run {
        ($($case:path),* $(,)?) => { $( $case(Arc::new(fresh().await)).await; )* };
    }
    run!(
        archive::nothing_is_archived_of_itself,
        archive::what_is_archived_leaves_its_sums,
        archive::parts_follow_one_another,
        archive::an_archived_receipt_is_never_recorded_again,
        archive::archiving_while_recording_loses_nothing,
    );
}

/// A receipt with every field set, the `n`th in time. It names key 7 and user 8, which need not exist.
#[must_use]
pub fn receipt(n: u64) -> Receipt {
    Receipt {
        id: ReceiptId((1_760_000_000_000 << 80) | u128::from(n)),
        trace_id: TraceId([9; 16]),
        at: UnixMicros(1_760_000_000_000_123 + n.cast_signed()),
        key: KeyId(7),
        user: UserId(8),
        tenant: TenantId(9),
        dialect: Dialect::Anthropic,
        operation: Operation::Messages,
        model: "claude-ü".into(),
        upstream_model: "upstream/模型".into(),
        channel: Some(ChannelId(3)),
        upstream_request_id: Some("req_\"1\"".into()),
        streamed: true,
        status: 200,
        end: End::CallerGone,
        attempts: vec![
            Attempt { channel: ChannelId(2), status: None, error: Some("refused".into()), took_us: 12 },
            Attempt { channel: ChannelId(3), status: Some(200), error: None, took_us: 4_000_000_000 },
        ],
        usage: Usage {
            input: 1,
            cached_read: 2,
            cache_write_5m: 3,
            cache_write_1h: 4,
            output: 5,
            reasoning: 6,
            audio_in: 7,
            audio_out: 8,
            image_in: 9,
            image_out: 10,
            pieces: 11,
            audio_ms: 12,
            video_ms: 13,
            web_searches: 14,
            file_searches: 15,
            code_sessions: 16,
            picture: Picture { width: 1024, height: 1536, quality: Quality::High },
            tier: ServiceTier::Priority,
        },
        usage_source: UsageSource::Estimated,
        price_version: 42,
        lines: vec![
            Line { kind: LineKind::Input, units: 1, price: Nano(2_000_000), amount: Nano(2) },
            Line { kind: LineKind::CacheWrite1h, units: 4, price: Nano(1_000_000), amount: Nano(4) },
        ],
        reserved: Nano(100),
        charge: Nano(5),
        shortfall: Nano(1),
        legs: vec![
            Leg { tenant: TenantId(9), parent: TenantId(10), charge: Nano(4), shortfall: Nano(1) },
            Leg { tenant: TenantId(10), parent: TenantId(11), charge: Nano(3), shortfall: Nano(0) },
        ],
        abort: Some(AbortKind::Reported),
        upstream_cost: Nano(3),
        first_byte_us: Some(1_234),
        took_us: 5_000_000_000,
        bytes_in: 77,
        bytes_out: 6_000_000_000,
    }
}

/// A key to be made, with nothing optional set; its secret is its name.
#[must_use]
pub fn new_key(name: &str, user: UserId) -> NewKey {
    NewKey {
        name: name.to_owned(),
        hint: "sk-…".to_owned(),
        hash: KeyHash::of(name.as_bytes()),
        user,
        quota: None,
        limits: Limits::default(),
        models: None,
        ips: None,
        expires_at: None,
        group: None,
        apps: None,
    }
}

/// The user that every store begins with.
async fn default_user<S: UserStore>(store: &S) -> User {
    let user = store.user_by_name("default").await.expect("user_by_name answers");
    user.expect("a new store has a user `default`")
}

/// A user to be made, with nothing optional set.
fn new_user(name: &str, tenant: TenantId) -> NewUser {
    NewUser { name: name.to_owned(), tenant, ..NewUser::default() }
}

/// Pays into a user's wallet.
async fn top_up<S: LedgerStore>(store: &S, user: &User, amount: Nano) -> StoreResult<Posted> {
    let side = |account, amount| Posting { account, amount };
    let postings =
        vec![side(Account::User(user.id), amount), side(Account::Cash(user.tenant), Nano(-amount.0))];
    let (author, reason) = ("suite".to_owned(), "top-up".to_owned());
    store
        .post(NewEntry { kind: EntryKind::TopUp, reference: None, author, reason, reverses: None, postings })
        .await
}

async fn caller_of<S: CallerStore>(store: &S, secret: &str) -> Option<Arc<Caller>> {
    let hash = KeyHash::of(secret.as_bytes());
    let found = store.caller(&hash).await.expect("caller answers");
    if let Some(at_hand) = store.peek(&hash) {
        let ids = |caller: &Option<Arc<Caller>>| caller.as_ref().map(|caller| caller.key.id);
        assert_eq!(ids(&at_hand), ids(&found), "peek and caller agree");
    }
    found
}

#[track_caller]
fn assert_conflict<T: std::fmt::Debug>(result: StoreResult<T>, promise: &str) {
    assert!(matches!(result, Err(StoreError::Conflict { .. })), "{promise}: Conflict, not {result:?}");
}

#[track_caller]
fn assert_not_found<T: std::fmt::Debug>(result: StoreResult<T>, promise: &str) {
    assert!(matches!(result, Err(StoreError::NotFound { .. })), "{promise}: NotFound, not {result:?}");
}

/// All optional limits, at their ends.
const LIMITS: Limits =
    Limits { requests_per_minute: Some(0), tokens_per_minute: Some(u64::MAX), concurrency: Some(3) };
