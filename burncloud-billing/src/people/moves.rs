//! Money on its way between two accounts.

use super::actor::Actor;
use super::wallets::Wallet;
use burncloud_core::Nano;
use burncloud_core::ledger::{Account, EntryKind, NewEntry, Posting};
use burncloud_core::store::{EntryFilter, LedgerStore, Posted, StoreError, UserStore};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};

/// How often a wallet is looked at again that others change.
pub(super) const ATTEMPTS: usize = 8;

/// Money on its way between two accounts.
pub(super) struct Move<'a> {
    pub(super) kind: EntryKind,
    pub(super) account: Account,
    pub(super) against: Account,
    pub(super) amount: Nano,
    pub(super) reason: &'a str,
}

impl Move<'_> {
    pub(super) async fn post<S: LedgerStore + ?Sized>(
        &self,
        store: &S,
        actor: &Actor,
        reference: Option<String>,
    ) -> UseCaseResult<Posted> {
        let Move { kind, account, against, amount, reason } = *self;
        if amount == Nano::ZERO {
            return Err(UseCaseError::invalid(
                "amount",
                ("an amount of nothing moves nothing", "金额不能为零"),
            ));
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

    /// `None` where another such entry was made since the wallet was looked at.
    pub(super) async fn post_after<S: LedgerStore + ?Sized>(
        &self,
        store: &S,
        actor: &Actor,
        seen: &str,
    ) -> UseCaseResult<Option<Posted>> {
        match self.post(store, actor, Some(seen.to_owned())).await {
            Err(UseCaseError::Store(StoreError::Conflict { .. })) => Ok(None),
            done => done.map(Some),
        }
    }

    /// With `amount` as what there is to be on the account: the difference to what `is` there now, and not when `wallet` was
    /// read. `None` where there is none. Of two who do so at the same moment one is first and the other looks again.
    pub(super) async fn post_what_is_missing<S: UserStore + LedgerStore + ?Sized>(
        &self,
        store: &S,
        actor: &Actor,
        wallet: &Wallet,
        is: impl Fn(&Wallet) -> Nano,
    ) -> UseCaseResult<Option<Posted>> {
        for _ in 0..ATTEMPTS {
            let (wallet, seen) = look(store, wallet, self.account).await?;
            let amount = self.amount.minus(is(&wallet));
            if amount == Nano::ZERO {
                return Ok(None);
            }
            if let Some(posted) = (Move { amount, ..*self }).post_after(store, actor, &seen).await? {
                return Ok(Some(posted));
            }
        }
        Err(changed_meanwhile(wallet))
    }
}

/// The wallet as it is now, and the reference of an entry that is computed from it: it names the last entry of the account,
/// so that of two entries computed from the same one only one can be posted. Read in this order: an entry between the two
/// is in the balance.
pub(super) async fn look<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    wallet: &Wallet,
    account: Account,
) -> UseCaseResult<(Wallet, String)> {
    let filter = EntryFilter { account: Some(account), limit: 1, ..EntryFilter::default() };
    let last = store.entries(&filter).await?.first().map_or(0, |entry| entry.id);
    Ok((wallet.again(store).await?, format!("set:{account}:{last}")))
}

pub(super) fn changed_meanwhile(wallet: &Wallet) -> UseCaseError {
    let message = (
        format!("somebody else changed the wallet of `{}`; look at it again", wallet.name()),
        format!("「{}」的钱包已被别人改动，请重新查看", wallet.name()),
    );
    UseCaseError::invalid("balance", message)
}

/// What somebody calls an entry, as the ledger has it: among those of its kind in the books of the wallet's keeper.
pub(super) fn own_reference(
    kind: EntryKind,
    wallet: &Wallet,
    reference: Option<String>,
) -> UseCaseResult<Option<String>> {
    let Some(reference) = reference else { return Ok(None) };
    if reference.trim().is_empty() || reference.starts_with("opening:") {
        let message = (
            "a reference is not empty and does not begin with `opening:`",
            "凭证号不能为空，也不能以 `opening:` 开头",
        );
        return Err(UseCaseError::invalid("reference", message));
    }
    Ok(Some(format!("{}:{}:{reference}", kind.as_str(), wallet.keeper())))
}

/// The entry of the account with that reference: money that was paid back is not there to be paid back again, and being
/// asked a second time is no reason to refuse.
pub(super) async fn posted_before<S: LedgerStore + ?Sized>(
    store: &S,
    account: Account,
    reference: &str,
) -> UseCaseResult<Option<Posted>> {
    let reference = Some(reference.to_owned());
    let filter = EntryFilter { account: Some(account), reference, limit: 1, ..EntryFilter::default() };
    Ok(store.entries(&filter).await?.first().map(|entry| Posted { id: entry.id, new: false }))
}

pub(super) fn check_payback(wallet: &Wallet, amount: Nano) -> UseCaseResult<()> {
    if amount >= Nano::ZERO || wallet.balance().plus(amount) >= Nano::ZERO {
        return Ok(());
    }
    let message = (
        format!("`{}` has ${}: no more than that is paid back", wallet.name(), wallet.balance()),
        format!("「{}」余额为 ${}，退款不能超过它", wallet.name(), wallet.balance()),
    );
    Err(UseCaseError::invalid("amount", message))
}

pub(super) fn check_reason(reason: &str) -> UseCaseResult<()> {
    if reason.trim().is_empty() {
        return Err(UseCaseError::invalid(
            "reason",
            ("say why: an adjustment is read long after it was made", "请写明原因：调整日后还会有人查看"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::store::{MemoryStore, NewUser};

    #[tokio::test]
    async fn of_two_computed_from_the_same_one_is_posted() {
        let store = MemoryStore::default();
        let tenant = store.tenant_by_name("default").await.unwrap().unwrap().id;
        let new = NewUser { name: "ada".into(), tenant, ..NewUser::default() };
        let wallet = Wallet::User(store.create_user(new).await.unwrap());
        let (actor, account) = (Actor::operator("boss"), wallet.account());
        let to = |amount| Move {
            kind: EntryKind::Adjustment,
            account,
            against: Account::Adjustment(wallet.keeper()),
            amount: Nano(amount),
            reason: "set",
        };
        let (one, first) = look(&store, &wallet, account).await.unwrap();
        let (_, second) = look(&store, &wallet, account).await.unwrap();
        assert!(to(5).post_after(&store, &actor, &first).await.unwrap().is_some_and(|posted| posted.new));
        assert!(to(7).post_after(&store, &actor, &second).await.unwrap().is_none(), "it is refused");
        assert!(to(5).post_after(&store, &actor, &second).await.unwrap().is_some_and(|posted| !posted.new));
        let (now, third) = look(&store, &wallet, account).await.unwrap();
        assert_eq!((one.balance(), now.balance()), (Nano::ZERO, Nano(5)));
        assert!(to(2).post_after(&store, &actor, &third).await.unwrap().is_some_and(|posted| posted.new));
    }
}
