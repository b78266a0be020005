//! What is done with the money in wallets, and with credit lines. Each is an entry in the ledger.

use super::actor::Actor;
use super::roles::Action;
use super::tree::Tree;
use super::{find_tenant, find_user};
use burncloud_core::ledger::{Account, EntryKind, NewEntry, Posting};
use burncloud_core::store::{EntryFilter, LedgerStore, Posted, StoreError, UserStore};
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
        let message = format!(
            "`{name}` is a tenant of the house: it buys from nobody and has no wallet; name one of its users, or a \
             tenant with a parent"
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

    async fn check_fund<S: UserStore + ?Sized>(&self, store: &S, actor: &Actor) -> UseCaseResult<()> {
        let tree = Tree::load(store).await?;
        match self {
            Wallet::User(user) => actor.check(&tree, Action::FundUser, user.tenant),
            Wallet::Tenant(tenant) => actor.check(&tree, Action::FundTenant, tenant.id),
        }
    }

    async fn check_credit<S: UserStore + ?Sized>(&self, store: &S, actor: &Actor) -> UseCaseResult<()> {
        let tree = Tree::load(store).await?;
        match self {
            Wallet::User(user) => actor.check(&tree, Action::CreditUser, user.tenant),
            Wallet::Tenant(tenant) => actor.check(&tree, Action::CreditTenant, tenant.id),
        }
    }
}

/// Money that came in from outside, or (negative) was paid back. A `reference`, such as the payment's number, makes doing
/// it twice one entry.
///
/// # Errors
/// `Invalid` for nothing and for more than there is to pay back, `Forbidden`, and the store's.
pub async fn top_up<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    wallet: &Wallet,
    amount: Nano,
    reference: Option<String>,
    reason: &str,
) -> UseCaseResult<Posted> {
    wallet.check_fund(store, actor).await?;
    if amount < Nano::ZERO && wallet.balance().plus(amount) < Nano::ZERO {
        let message =
            format!("`{}` has ${}: no more than that is paid back", wallet.name(), wallet.balance());
        return Err(UseCaseError::invalid("amount", message));
    }
    let against = Account::Cash(wallet.keeper());
    move_money(store, actor, EntryKind::TopUp, wallet.account(), against, amount, reference, reason).await
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
        return Err(UseCaseError::invalid("amount", "what is given away is not negative; adjust instead"));
    }
    let against = Account::Promotion(wallet.keeper());
    move_money(store, actor, EntryKind::Promotion, wallet.account(), against, amount, reference, reason).await
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
    if reason.trim().is_empty() {
        return Err(UseCaseError::invalid("reason", "say why: an adjustment is read long after it was made"));
    }
    let against = Account::Adjustment(wallet.keeper());
    move_money(store, actor, EntryKind::Adjustment, wallet.account(), against, amount, reference, reason)
        .await
}

/// Makes a balance what it should be: the difference is an adjustment. `None` where there is none.
///
/// # Errors
/// As [`adjust`].
pub async fn set_balance<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    wallet: &Wallet,
    balance: Nano,
    reason: &str,
) -> UseCaseResult<Option<Posted>> {
    wallet.check_fund(store, actor).await?;
    match balance.minus(wallet.balance()) {
        Nano::ZERO => Ok(None),
        difference => adjust(store, actor, wallet, difference, None, reason).await.map(Some),
    }
}

/// What a wallet starts with (reference `opening:user:NAME`); it is never paid twice, and not into a wallet that was in use before. `None` where nothing
/// was done.
///
/// # Errors
/// `Invalid` for less than nothing, `Forbidden`, and the store's.
pub async fn open_wallet<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    wallet: &Wallet,
    amount: Nano,
) -> UseCaseResult<Option<Posted>> {
    if amount < Nano::ZERO {
        return Err(UseCaseError::invalid("balance", "a balance does not start negative"));
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
    match top_up(store, actor, wallet, amount, Some(reference), "opening balance").await {
        // Somebody else was first, with another amount.
        Err(UseCaseError::Store(StoreError::Conflict { .. })) => Ok(None),
        done => done.map(|posted| Some(posted).filter(|posted| posted.new)),
    }
}

/// Raises a credit line by `amount`, or (negative) lowers it.
///
/// # Errors
/// `Invalid` for nothing, `Forbidden` (nobody but the house raises its own tenant's), and the store's: `Invalid` for a
/// line that would be negative.
pub async fn grant_credit<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    wallet: &Wallet,
    amount: Nano,
    reason: &str,
) -> UseCaseResult<Posted> {
    wallet.check_credit(store, actor).await?;
    let (line, against) = (wallet.credit_account(), Account::Granted(wallet.keeper()));
    move_money(store, actor, EntryKind::CreditLine, line, against, amount, None, reason).await
}

/// Makes a credit line that long. `None` where it is already.
///
/// # Errors
/// As [`grant_credit`].
pub async fn set_credit<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    wallet: &Wallet,
    credit: Nano,
    reason: &str,
) -> UseCaseResult<Option<Posted>> {
    if credit < Nano::ZERO {
        return Err(UseCaseError::invalid("credit", "a credit line is not negative"));
    }
    wallet.check_credit(store, actor).await?;
    match credit.minus(wallet.credit()) {
        Nano::ZERO => Ok(None),
        difference => grant_credit(store, actor, wallet, difference, reason).await.map(Some),
    }
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
        return Err(UseCaseError::invalid("reason", "say why: a reversal is read long after it was made"));
    }
    if found.kind == EntryKind::Receipts {
        let message = "what requests cost is not undone: adjust the wallet, and say why";
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

#[expect(clippy::too_many_arguments, reason = "an entry is that many things")]
async fn move_money<S: LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    kind: EntryKind,
    account: Account,
    against: Account,
    amount: Nano,
    reference: Option<String>,
    reason: &str,
) -> UseCaseResult<Posted> {
    if amount == Nano::ZERO {
        return Err(UseCaseError::invalid("amount", "an amount of nothing moves nothing"));
    }
    let other = Posting { account: against, amount: Nano::ZERO.minus(amount) };
    let entry = NewEntry {
        kind,
        reference,
        author: actor.name.clone(),
        reason: reason.to_owned(),
        reverses: None,
        postings: vec![Posting { account, amount }, other],
    };
    Ok(store.post(entry).await?)
}
