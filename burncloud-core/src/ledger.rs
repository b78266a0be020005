//! The words of the ledger: accounts, postings, entries. Double entry: the postings of an entry sum to zero.
//!
//! Amounts are in nano-dollars, and positive where the account's holder is owed: a wallet with money in it, a revenue
//! that was earned, a provider's bill to pay. Costs and cash received are negative. So the sum of all accounts is zero
//! at every moment.

use crate::store::{StoreError, StoreResult};
use crate::{ChannelId, Nano, Receipt, TenantId, UnixMicros, UserId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// One account of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// A user's wallet.
    User(UserId),
    /// A tenant's wallet at its parent.
    Tenant(TenantId),
    /// What a tenant earned from its users and from the tenants right below it.
    Revenue(TenantId),
    /// What a channel's provider is expected to bill: the cost.
    Cost(ChannelId),
    /// The same, as the debt to the provider.
    Payable(ChannelId),
    /// Money that a tenant received from outside.
    Cash(TenantId),
    /// Credit that a tenant gave away.
    Promotion(TenantId),
    /// What a tenant corrected by hand.
    Adjustment(TenantId),
    /// How far below zero a user's wallet may go.
    UserCredit(UserId),
    /// How far below zero a tenant's wallet may go.
    TenantCredit(TenantId),
    /// The credit lines that a tenant granted: the other side of the two above.
    Granted(TenantId),
    /// Balances from before the ledger was kept.
    Opening,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Account::User(id) => write!(f, "user:{id}"),
            Account::Tenant(id) => write!(f, "tenant:{id}"),
            Account::Revenue(id) => write!(f, "revenue:{id}"),
            Account::Cost(id) => write!(f, "cost:{id}"),
            Account::Payable(id) => write!(f, "payable:{id}"),
            Account::Cash(id) => write!(f, "cash:{id}"),
            Account::Promotion(id) => write!(f, "promotion:{id}"),
            Account::Adjustment(id) => write!(f, "adjustment:{id}"),
            Account::UserCredit(id) => write!(f, "user_credit:{id}"),
            Account::TenantCredit(id) => write!(f, "tenant_credit:{id}"),
            Account::Granted(id) => write!(f, "granted:{id}"),
            Account::Opening => f.write_str("opening"),
        }
    }
}

impl Account {
    /// Reads the shown form back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Account> {
        if text == "opening" {
            return Some(Account::Opening);
        }
        let (kind, id) = text.split_once(':')?;
        let id: i64 = id.parse().ok()?;
        Some(match kind {
            "user" => Account::User(UserId(id)),
            "tenant" => Account::Tenant(TenantId(id)),
            "revenue" => Account::Revenue(TenantId(id)),
            "cost" => Account::Cost(ChannelId(id)),
            "payable" => Account::Payable(ChannelId(id)),
            "cash" => Account::Cash(TenantId(id)),
            "promotion" => Account::Promotion(TenantId(id)),
            "adjustment" => Account::Adjustment(TenantId(id)),
            "user_credit" => Account::UserCredit(UserId(id)),
            "tenant_credit" => Account::TenantCredit(TenantId(id)),
            "granted" => Account::Granted(TenantId(id)),
            _ => return None,
        })
    }
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Account, D::Error> {
        let text = String::deserialize(from)?;
        Account::parse(&text).ok_or_else(|| serde::de::Error::custom("not an account"))
    }
}

/// Why an entry was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Receipts were recorded: the sum of what they come to.
    Receipts,
    /// Money came in.
    TopUp,
    /// A redeem code was used.
    Redeem,
    /// Credit was given away.
    Promotion,
    /// Somebody corrected a balance.
    Adjustment,
    /// A credit line was granted or taken back.
    CreditLine,
    /// An earlier entry is undone.
    Reversal,
    /// What there was before the ledger.
    Opening,
}

impl EntryKind {
    /// Every one.
    pub const ALL: [EntryKind; 8] = [
        EntryKind::Receipts,
        EntryKind::TopUp,
        EntryKind::Redeem,
        EntryKind::Promotion,
        EntryKind::Adjustment,
        EntryKind::CreditLine,
        EntryKind::Reversal,
        EntryKind::Opening,
    ];

    /// The name used in storage.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EntryKind::Receipts => "receipts",
            EntryKind::TopUp => "top_up",
            EntryKind::Redeem => "redeem",
            EntryKind::Promotion => "promotion",
            EntryKind::Adjustment => "adjustment",
            EntryKind::CreditLine => "credit_line",
            EntryKind::Reversal => "reversal",
            EntryKind::Opening => "opening",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<EntryKind> {
        EntryKind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One side of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Which account.
    pub account: Account,
    /// By how much its balance changes.
    pub amount: Nano,
}

/// An entry to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// Why.
    pub kind: EntryKind,
    /// What makes posting it twice one posting, such as an order's number; at most 200 bytes.
    pub reference: Option<String>,
    /// Who did it.
    pub author: String,
    /// Why, in words.
    pub reason: String,
    /// The entry that this one undoes; an entry is undone at most once.
    pub reverses: Option<i64>,
    /// At least two; their sum is zero.
    pub postings: Vec<Posting>,
}

impl NewEntry {
    /// What every store refuses of an entry before it looks at its accounts.
    ///
    /// # Errors
    /// [`StoreError::Invalid`]: see [`LedgerStore::post`](crate::store::LedgerStore::post).
    pub fn check(&self) -> StoreResult<()> {
        let invalid = |why: String| Err(StoreError::Invalid(why));
        let sum: i128 = self.postings.iter().map(|posting| i128::from(posting.amount.0)).sum();
        if sum != 0 {
            return invalid(format!("the postings of an entry sum to zero, these to {sum} nano-dollars"));
        }
        if self.postings.len() < 2 || self.postings.iter().any(|posting| posting.amount == Nano::ZERO) {
            return invalid("an entry has at least two postings, none of them of zero".to_owned());
        }
        let mut accounts: Vec<Account> = self.postings.iter().map(|posting| posting.account).collect();
        accounts.sort_unstable();
        if accounts.windows(2).any(|pair| pair[0] == pair[1]) {
            return invalid("an entry names an account once".to_owned());
        }
        if self.reference.as_ref().is_some_and(|reference| reference.is_empty() || reference.len() > 200) {
            return invalid("a reference has 1 to 200 bytes".to_owned());
        }
        Ok(())
    }
}

/// An entry as it stands for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number: increasing, never given twice.
    pub id: i64,
    /// When it was posted.
    pub at: UnixMicros,
    /// Why.
    pub kind: EntryKind,
    /// See [`NewEntry::reference`].
    pub reference: Option<String>,
    /// Who did it.
    pub author: String,
    /// Why, in words.
    pub reason: String,
    /// The entry that this one undoes.
    pub reverses: Option<i64>,
    /// Sorted by account.
    pub postings: Vec<Posting>,
}

/// What recording these receipts posts: for each, the charge from the user's wallet to the revenue of the user's tenant, each
/// leg from the wallet of a tenant to the revenue of its parent, and the expected cost to what is owed to the provider.
/// Summed per account, sorted, without zeros.
#[must_use]
pub fn postings<'a>(receipts: impl IntoIterator<Item = &'a Receipt>) -> Vec<Posting> {
    let mut sums: BTreeMap<Account, i128> = BTreeMap::new();
    let mut transfer = |from: Account, to: Account, amount: Nano| {
        if amount != Nano::ZERO {
            *sums.entry(from).or_default() -= i128::from(amount.0);
            *sums.entry(to).or_default() += i128::from(amount.0);
        }
    };
    for receipt in receipts {
        transfer(Account::User(receipt.user), Account::Revenue(receipt.tenant), receipt.charge);
        for leg in &receipt.legs {
            transfer(Account::Tenant(leg.tenant), Account::Revenue(leg.parent), leg.charge);
        }
        if let Some(channel) = receipt.channel {
            transfer(Account::Cost(channel), Account::Payable(channel), receipt.upstream_cost);
        }
    }
    let clamp = |sum: i128| i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX });
    let posted = sums.into_iter().filter(|(_, sum)| *sum != 0);
    posted.map(|(account, sum)| Posting { account, amount: Nano(clamp(sum)) }).collect()
}
