//! What is done with the money in wallets. Each is an entry in the ledger.

use super::actor::Actor;
use super::moves::{
    ATTEMPTS, Move, changed_meanwhile, check_payback, check_reason, look, own_reference, posted_before,
};
use super::roles::Action;
use super::tree::Tree;
use super::{find_tenant, find_user};
use crate::codes::{Batch, PlainCode};
use burncloud_core::ledger::{Account, EntryKind, NewEntry, Posting};
use burncloud_core::store::{CodeStore, EntryFilter, LedgerStore, Posted, StoreError, UserStore};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{Nano, Tenant, TenantId, User};

/// A wallet: a user's at their tenant, or a tenant's at its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wallet {
    /// A user's.
    User(User),
    /// That of a tenant with a parent.
    Tenant(Tenant),
}

impl Wallet {
    /// That of the user of that name.
    ///
    /// # Errors
    /// `Store(NotFound)`.
    pub async fn of_user<S: UserStore + ?Sized>(store: &S, name: &str) -> UseCaseResult<Wallet> {
        Ok(Wallet::User(find_user(store, name).await?))
    }

    /// That of the tenant of that name.
    ///
    /// # Errors
    /// `Store(NotFound)`; `Invalid` for a tenant of the house, which has none.
    pub async fn of_tenant<S: UserStore + ?Sized>(store: &S, name: &str) -> UseCaseResult<Wallet> {
        let tenant = find_tenant(store, name).await?;
        if tenant.parent.is_some() {
            return Ok(Wallet::Tenant(tenant));
        }
        let message = (
            format!(
                "`{name}` is a tenant of the house: it buys from nobody and has no wallet; name one of its users, or a \
             tenant with a parent"
            ),
            format!("`{name}` 是自营租户，不进货，没有钱包；请选它的某个用户，或有上级的租户"),
        );
        Err(UseCaseError::invalid("tenant", message))
    }

    /// Whose it is.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Wallet::User(user) => &user.name,
            Wallet::Tenant(tenant) => &tenant.name,
        }
    }

    /// What is in it, as it was read.
    #[must_use]
    pub fn balance(&self) -> Nano {
        match self {
            Wallet::User(user) => user.balance,
            Wallet::Tenant(tenant) => tenant.balance,
        }
    }

    /// How far below zero it may go, as it was read.
    #[must_use]
    pub fn credit(&self) -> Nano {
        match self {
            Wallet::User(user) => user.credit,
            Wallet::Tenant(tenant) => tenant.credit,
        }
    }

    /// Whether it has no bound, as it was read.
    #[must_use]
    pub fn unlimited(&self) -> bool {
        match self {
            Wallet::User(user) => user.unlimited,
            Wallet::Tenant(tenant) => tenant.unlimited,
        }
    }

    /// What was spent from it, as it was read.
    #[must_use]
    pub fn used(&self) -> Nano {
        match self {
            Wallet::User(user) => user.used,
            Wallet::Tenant(tenant) => tenant.used,
        }
    }

    /// Its account.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Wallet::User(user) => Account::User(user.id),
            Wallet::Tenant(tenant) => Account::Tenant(tenant.id),
        }
    }

    /// The account of its credit line.
    #[must_use]
    pub fn credit_account(&self) -> Account {
        match self {
            Wallet::User(user) => Account::UserCredit(user.id),
            Wallet::Tenant(tenant) => Account::TenantCredit(tenant.id),
        }
    }

    /// Who keeps it: whom its holder pays.
    #[must_use]
    pub fn keeper(&self) -> TenantId {
        match self {
            Wallet::User(user) => user.tenant,
            Wallet::Tenant(tenant) => tenant.parent.unwrap_or(tenant.id),
        }
    }

    /// As it is now.
    pub(super) async fn again<S: UserStore + ?Sized>(&self, store: &S) -> UseCaseResult<Wallet> {
        let name = self.name().to_owned();
        Ok(match self {
            Wallet::User(held) => {
                let user = store.user(held.id).await?;
                Wallet::User(user.ok_or(StoreError::NotFound { what: "user", name })?)
            }
            Wallet::Tenant(held) => {
                let tenant = store.tenant(held.id).await?;
                Wallet::Tenant(tenant.ok_or(StoreError::NotFound { what: "tenant", name })?)
            }
        })
    }

    async fn check_fund<S: UserStore + ?Sized>(&self, store: &S, actor: &Actor) -> UseCaseResult<()> {
        let tree = Tree::load(store).await?;
        match self {
            Wallet::User(user) => actor.check(&tree, Action::FundUser, user.tenant),
            Wallet::Tenant(tenant) => actor.check(&tree, Action::FundTenant, tenant.id),
        }
    }

    pub(super) async fn check_credit<S: UserStore + ?Sized>(
        &self,
        store: &S,
        actor: &Actor,
    ) -> UseCaseResult<()> {
        let tree = Tree::load(store).await?;
        match self {
            Wallet::User(user) => actor.check(&tree, Action::CreditUser, user.tenant),
            Wallet::Tenant(tenant) => actor.check(&tree, Action::CreditTenant, tenant.id),
        }
    }
}

/// Money that came in from outside, or (negative) was paid back. A `reference`, such as the payment's number, makes doing
/// it twice one entry. It is the keeper's own: the ledger has it as `top_up:TENANT:REFERENCE`, with the number of the
/// tenant whose books it is in, so that two tenants may use the same.
///
/// Of two who pay back without a reference at the same moment one is looked at again, so that both together pay back no
/// more than there is. With references they are told apart by those alone.
///
/// # Errors
/// `Invalid` for nothing, for a reference that is none and for more than there is to pay back, `Forbidden`, and the store's.
pub async fn top_up<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    wallet: &Wallet,
    amount: Nano,
    reference: Option<String>,
    reason: &str,
) -> UseCaseResult<Posted> {
    wallet.check_fund(store, actor).await?;
    let against = Account::Cash(wallet.keeper());
    if amount < Nano::ZERO && reference.is_none() {
        for _ in 0..ATTEMPTS {
            let (wallet, seen) = look(store, wallet, wallet.account()).await?;
            check_payback(&wallet, amount)?;
            let next = Move { kind: EntryKind::TopUp, account: wallet.account(), against, amount, reason };
            if let Some(posted) = next.post_after(store, actor, &seen).await?.filter(|posted| posted.new) {
                return Ok(posted);
            }
        }
        return Err(changed_meanwhile(wallet));
    }
    let reference = own_reference(EntryKind::TopUp, wallet, reference)?;
    if amount < Nano::ZERO
        && let Some(reference) = &reference
        && let Some(posted) = posted_before(store, wallet.account(), reference).await?
    {
        return Ok(posted);
    }
    check_payback(wallet, amount)?;
    let next = Move { kind: EntryKind::TopUp, account: wallet.account(), against, amount, reason };
    next.post(store, actor, reference).await
}

/// Credit that is given away.
///
/// # Errors
/// `Invalid` for nothing and less, `Forbidden`, and the store's.
pub async fn promote<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    wallet: &Wallet,
    amount: Nano,
    reference: Option<String>,
    reason: &str,
) -> UseCaseResult<Posted> {
    wallet.check_fund(store, actor).await?;
    if amount < Nano::ZERO {
        return Err(UseCaseError::invalid(
            "amount",
            ("what is given away is not negative; adjust instead", "赠送额不能为负，请改用调整"),
        ));
    }
    let against = Account::Promotion(wallet.keeper());
    let kind = EntryKind::Promotion;
    let next = Move { kind, account: wallet.account(), against, amount, reason };
    next.post(store, actor, own_reference(kind, wallet, reference)?).await
}

/// Corrects a balance by hand, in either direction.
///
/// # Errors
/// `Invalid` for nothing and without a reason, `Forbidden`, and the store's.
pub async fn adjust<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    wallet: &Wallet,
    amount: Nano,
    reference: Option<String>,
    reason: &str,
) -> UseCaseResult<Posted> {
    wallet.check_fund(store, actor).await?;
    check_reason(reason)?;
    let against = Account::Adjustment(wallet.keeper());
    let kind = EntryKind::Adjustment;
    let next = Move { kind, account: wallet.account(), against, amount, reason };
    next.post(store, actor, own_reference(kind, wallet, reference)?).await
}

/// Makes a balance what it should be, as it is now and not when `wallet` was read: the difference is an adjustment. `None`
/// where there is none. Of two who do so at the same moment one is first and the other looks again.
///
/// # Errors
/// As [`adjust`]; `Invalid` where the wallet changed each time it was looked at.
pub async fn set_balance<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    wallet: &Wallet,
    balance: Nano,
    reason: &str,
) -> UseCaseResult<Option<Posted>> {
    wallet.check_fund(store, actor).await?;
    check_reason(reason)?;
    let against = Account::Adjustment(wallet.keeper());
    let target =
        Move { kind: EntryKind::Adjustment, account: wallet.account(), against, amount: balance, reason };
    target.post_what_is_missing(store, actor, wallet, Wallet::balance).await
}

/// What a wallet starts with (reference `opening:user:NAME`); it is never paid twice, and not into a wallet that was in use
/// before. `None` where nothing was done.
///
/// # Errors
/// `Invalid` for less than nothing, `Forbidden`, and the store's: `Conflict` where another wallet's entry has that reference.
pub async fn open_wallet<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    wallet: &Wallet,
    amount: Nano,
) -> UseCaseResult<Option<Posted>> {
    wallet.check_fund(store, actor).await?;
    if amount < Nano::ZERO {
        return Err(UseCaseError::invalid(
            "balance",
            ("a balance does not start negative", "初始余额不能为负"),
        ));
    }
    if amount == Nano::ZERO || wallet.used() != Nano::ZERO || wallet.balance() != Nano::ZERO {
        return Ok(None);
    }
    let filter = EntryFilter { account: Some(wallet.account()), limit: 1, ..EntryFilter::default() };
    if !store.entries(&filter).await?.is_empty() {
        return Ok(None);
    }
    let kind = if matches!(wallet, Wallet::User(_)) { "user" } else { "tenant" };
    let reference = format!("opening:{kind}:{}", wallet.name());
    let (account, against) = (wallet.account(), Account::Cash(wallet.keeper()));
    let opening = Move { kind: EntryKind::TopUp, account, against, amount, reason: "opening balance" };
    match opening.post(store, actor, Some(reference.clone())).await {
        Err(UseCaseError::Store(error @ StoreError::Conflict { .. })) => {
            // Somebody else was first with the same wallet, with another amount.
            match posted_before(store, account, &reference).await? {
                Some(_) => Ok(None),
                None => Err(error.into()),
            }
        }
        done => done.map(|posted| Some(posted).filter(|posted| posted.new)),
    }
}

/// Uses a redeem code for a user's wallet: one's own, or that of somebody whose money the actor moves. Answers what it was
/// worth.
///
/// # Errors
/// `Forbidden`, and those of [`crate::codes::redeem_code`].
pub async fn redeem_code<S: UserStore + LedgerStore + CodeStore + ?Sized>(
    store: &S,
    actor: &Actor,
    user: &User,
    code: &str,
) -> UseCaseResult<(Posted, Nano)> {
    let tree = Tree::load(store).await?;
    actor.check_user(&tree, Action::FundUser, Action::RedeemOwn, user)?;
    crate::codes::redeem_code(store, &actor.name, user, code).await
}

/// Makes redeem codes that a tenant answers for.
///
/// # Errors
/// `Forbidden`, and those of [`crate::codes::generate_codes`].
pub async fn generate_codes<S: UserStore + CodeStore + ?Sized>(
    store: &S,
    actor: &Actor,
    batch: &Batch,
) -> UseCaseResult<Vec<PlainCode>> {
    actor.check(&Tree::load(store).await?, Action::MakeCodes, batch.tenant)?;
    crate::codes::generate_codes(store, batch).await
}

/// Undoes an entry: all of its postings the other way. What receipts posted is not undone but adjusted.
///
/// # Errors
/// `Invalid` without a reason and for receipts, `Forbidden` where the actor may not move money in each wallet of it, and
/// the store's.
pub async fn reverse<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    entry: i64,
    reason: &str,
) -> UseCaseResult<Posted> {
    let found = store.entry(entry).await?;
    let found = found.ok_or_else(|| StoreError::NotFound { what: "entry", name: entry.to_string() })?;
    let tree = Tree::load(store).await?;
    for posting in &found.postings {
        check_reversal(store, actor, &tree, posting.account).await?;
    }
    if reason.trim().is_empty() {
        return Err(UseCaseError::invalid(
            "reason",
            ("say why: a reversal is read long after it was made", "请写明原因：冲正日后还会有人查看"),
        ));
    }
    if found.kind == EntryKind::Receipts {
        let message = (
            "what requests cost is not undone: adjust the wallet, and say why",
            "请求的费用不能冲正，请调整钱包并写明原因",
        );
        return Err(UseCaseError::invalid("entry", message));
    }
    let back = |posting: &Posting| Posting { amount: Nano::ZERO.minus(posting.amount), ..*posting };
    let undo = NewEntry {
        kind: EntryKind::Reversal,
        reference: None,
        author: actor.name.clone(),
        reason: reason.to_owned(),
        reverses: Some(entry),
        postings: found.postings.iter().map(back).collect(),
    };
    Ok(store.post(undo).await?)
}

async fn check_reversal<S: UserStore + ?Sized>(
    store: &S,
    actor: &Actor,
    tree: &Tree,
    account: Account,
) -> UseCaseResult<()> {
    match account {
        Account::User(id) | Account::UserCredit(id) => {
            let user = store.user(id).await?;
            let user = user.ok_or_else(|| StoreError::NotFound { what: "user", name: id.to_string() })?;
            let credit = matches!(account, Account::UserCredit(_));
            let action = if credit { Action::CreditUser } else { Action::FundUser };
            actor.check(tree, action, user.tenant)
        }
        Account::Tenant(id) => actor.check(tree, Action::FundTenant, id),
        Account::TenantCredit(id) => actor.check(tree, Action::CreditTenant, id),
        Account::Revenue(id)
        | Account::Cash(id)
        | Account::Promotion(id)
        | Account::Adjustment(id)
        | Account::Granted(id) => actor.check(tree, Action::SeeMoney, id),
        Account::Cost(_) | Account::Payable(_) | Account::Opening => {
            actor.check_in_house(Action::ManageHouse)
        }
    }
}
