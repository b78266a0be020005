//! Credit lines: how far below zero a wallet may go.

use super::actor::Actor;
use super::moves::{Move, own_reference};
use super::wallets::Wallet;
use burncloud_core::Nano;
use burncloud_core::ledger::{Account, EntryKind};
use burncloud_core::store::{LedgerStore, Posted, UserStore};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};

/// Raises a credit line by `amount`, or (negative) lowers it. A `reference` makes doing it twice one entry.
///
/// # Errors
/// `Invalid` for nothing and for a reference that is none, `Forbidden` (nobody but the house raises its own tenant's), and the
/// store's: `Invalid` for a line that would be negative.
pub async fn grant_credit<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    wallet: &Wallet,
    amount: Nano,
    reference: Option<String>,
    reason: &str,
) -> UseCaseResult<Posted> {
    wallet.check_credit(store, actor).await?;
    let (kind, against) = (EntryKind::CreditLine, Account::Granted(wallet.keeper()));
    let next = Move { kind, account: wallet.credit_account(), against, amount, reason };
    next.post(store, actor, own_reference(kind, wallet, reference)?).await
}

/// Makes a credit line that long, as [`set_balance`](super::set_balance) does with balances. `None` where it is already.
///
/// # Errors
/// As [`grant_credit`]; `Invalid` where the line changed each time it was looked at.
pub async fn set_credit<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    wallet: &Wallet,
    credit: Nano,
    reason: &str,
) -> UseCaseResult<Option<Posted>> {
    if credit < Nano::ZERO {
        return Err(UseCaseError::invalid("credit", ("a credit line is not negative", "信用额度不能为负")));
    }
    wallet.check_credit(store, actor).await?;
    let against = Account::Granted(wallet.keeper());
    let target = Move {
        kind: EntryKind::CreditLine,
        account: wallet.credit_account(),
        against,
        amount: credit,
        reason,
    };
    target.post_what_is_missing(store, actor, wallet, Wallet::credit).await
}
