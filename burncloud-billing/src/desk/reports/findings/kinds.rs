//! What can be found, and what would help: codes with parameters that pages put into words.

use super::super::fault::{Fault, Reason};
use super::super::view::Customer;
use burncloud_core::{Allowance, ChannelId, KeyId, LineKind, Nano, ReceiptId, Scope, TenantId, UnixMicros};
use serde::Serialize;

/// How much something matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It costs money, or many customers (three) are not served.
    Hurt,
    /// It needs somebody.
    Care,
    /// It is settled, or nobody's but a caller's own.
    Info,
}

/// What would help. Only what the actor may do is suggested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Suggestion {
    /// Pay the provider.
    TopUpAccount {
        /// Whose account.
        channel: ChannelId,
    },
    /// Try again at once what rests.
    WakeLane {
        /// The account.
        channel: ChannelId,
        /// The model there.
        model: String,
    },
    /// See whether the account's credential is right.
    CheckCredential {
        /// Whose.
        channel: ChannelId,
    },
    /// Let a key do more in a minute.
    RaiseLimit {
        /// Which.
        key: KeyId,
    },
    /// Set a price, or another.
    SetPrice {
        /// In whose book; `None` is the house's.
        book: Option<TenantId>,
        /// Of which model.
        model: String,
    },
    /// Put the published prices that wait in force, or aside.
    ApprovePrices {
        /// The number of the copy.
        version: i64,
    },
    /// Put money into a wallet.
    TopUpCustomer {
        /// Whose.
        customer: Customer,
    },
    /// Allow more.
    RaiseBudget {
        /// The budget's name.
        budget: String,
    },
    /// See what the key's requests are.
    LookAtKey {
        /// Which.
        key: KeyId,
    },
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Kind {
    /// Requests that were not answered, or not by the account that was asked first, for one reason.
    Errors {
        /// Why.
        reason: Reason,
        /// Where the fault lies.
        fault: Fault,
        /// The account that was asked; the house's, and `None` where none was.
        #[serde(skip_serializing_if = "Option::is_none")]
        channel: Option<ChannelId>,
        /// Its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        channel_name: Option<String>,
        /// The model as callers ask for it; empty of a caller's own faults.
        model: String,
        /// Of a caller's own faults: the key.
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<KeyId>,
        /// Its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        key_name: Option<String>,
        /// Of a caller's own faults: the customer.
        #[serde(skip_serializing_if = "Option::is_none")]
        customer: Option<Customer>,
        /// Its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        customer_name: Option<String>,
        /// How many of them another account answered all the same, so that the caller noticed nothing.
        answered: u64,
    },
    /// An account that is passed over for a model.
    Resting {
        /// Which.
        channel: ChannelId,
        /// Its name.
        channel_name: Option<String>,
        /// The model as callers ask for it.
        model: String,
        /// Why it failed the last time, where that is known.
        reason: Option<Reason>,
        /// How long still, in microseconds.
        back_in_us: u64,
        /// Whether nobody else serves the model now.
        alone: bool,
    },
    /// A model is sold below its cost.
    Loss {
        /// The model as callers ask for it.
        model: String,
        /// In whose book; `None` is the house's.
        seller: Option<TenantId>,
        /// Its name.
        seller_name: Option<String>,
        /// Where it would be served; the house's.
        #[serde(skip_serializing_if = "Option::is_none")]
        channel: Option<ChannelId>,
        /// Its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        channel_name: Option<String>,
        /// The first class that is too cheap.
        class: LineKind,
    },
    /// A model has no price.
    Unpriced {
        /// The model as callers ask for it.
        model: String,
        /// Whether requests for it are refused; else the operator declared what is taken.
        refused: bool,
    },
    /// A budget is used up, or by four fifths.
    Budget {
        /// Its name.
        name: String,
        /// Whose.
        scope: Scope,
        /// How much it allows.
        allowance: Allowance,
        /// What was spent, in nano-dollars.
        spent_money: Nano,
        /// What was spent, in tokens.
        spent_tokens: u64,
        /// Of a thousand that it allows so many are spent, rounded down.
        permille: u64,
        /// Whether requests are refused when it is used up.
        hard: bool,
    },
    /// A wallet has nothing left, or will not for a day at the pace of the time looked at.
    Credit {
        /// Whose; of one's own wallet oneself.
        whose: Customer,
        /// Its name.
        name: Option<String>,
        /// Whether it is the actor's own.
        own: bool,
        /// What is in it; negative is owed.
        balance: Nano,
        /// How far below zero it may go.
        credit: Nano,
        /// Whether nothing is left.
        empty: bool,
    },
    /// Published prices wait for approval.
    PricesWait {
        /// The number of the copy.
        version: i64,
        /// When it was fetched.
        fetched_at: UnixMicros,
        /// From where.
        source: String,
    },
    /// An address was refused again and again in the last hour.
    Address {
        /// It; of IPv6 its network.
        address: String,
        /// How often without a key or with one that nobody knows.
        unauthenticated: u64,
        /// How often with a key that may not be used, or not from there.
        forbidden: u64,
    },
}

/// Something that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The same for the same thing, however often it is asked for.
    pub id: String,
    /// What.
    #[serde(flatten)]
    pub kind: Kind,
    /// How much it matters.
    pub severity: Severity,
    /// Of errors: whether the same account (the same model, the same key) answered since.
    pub settled: bool,
    /// How often, in requests; 1 for what is there or not.
    pub count: u64,
    /// How many customers it touched.
    pub customers: u64,
    /// When first, where that is known.
    pub first: Option<UnixMicros>,
    /// When last.
    pub last: Option<UnixMicros>,
    /// The three newest examples.
    pub receipts: Vec<ReceiptId>,
    /// What would help, the most useful first.
    pub actions: Vec<Suggestion>,
}
