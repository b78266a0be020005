//! Wallets, codes, budgets, plans. Amounts are nano-dollars, times are microseconds.

use super::lists;
use utoipa::ToSchema;

/// Whose wallet: `{"user": 7}` or `{"tenant": 3}`
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum WalletId {
    /// A user's.
    User(i64),
    /// A tenant's, at the one it buys from.
    Tenant(i64),
}

/// A wallet
#[derive(ToSchema)]
pub(in crate::api) struct Wallet {
    /// Whose.
    wallet: WalletId,
    /// Their name.
    name: String,
    /// The tenant that keeps it.
    keeper: i64,
    /// What is in it, in nano-dollars; negative is owed.
    balance: i64,
    /// How far below zero it may go, in nano-dollars.
    credit: i64,
    /// Whether it has no bound.
    unlimited: bool,
    /// What was spent from it, in nano-dollars.
    used: i64,
}

/// Money to be moved
#[derive(ToSchema)]
#[schema(example = json!({ "kind": "top_up", "amount": 20_000_000_000_i64, "reference": "invoice 2027-118" }))]
pub(in crate::api) struct MoneyMove {
    /// How.
    kind: MoveKind,
    /// How much, in nano-dollars; negative is out of the wallet.
    amount: i64,
    /// What it is known by elsewhere: the same one is not moved twice.
    reference: Option<String>,
    /// Why.
    #[schema(required = false)]
    reason: String,
}

/// How money is moved by hand
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum MoveKind {
    /// Money came in from outside, or was paid back.
    TopUp,
    /// Credit is given away.
    Promotion,
    /// A correction; wants a reason.
    Adjustment,
    /// The credit line is raised, or lowered.
    CreditLine,
}

/// What became of it
#[derive(ToSchema)]
pub(in crate::api) struct Moved {
    /// The entry of the ledger.
    entry: i64,
    /// False: an entry of this reference was there already, and nothing was moved.
    new: bool,
    /// The wallet afterwards.
    wallet: Wallet,
}

/// A line of a statement
#[derive(ToSchema)]
pub(in crate::api) struct StatementLine {
    /// The entry of the ledger.
    entry: i64,
    /// When, in microseconds.
    at: i64,
    /// What kind: `receipts`, `top_up`, `redeem`, `promotion`, `adjustment`, `credit_line`, `reversal`, `opening`.
    kind: String,
    /// What it did to the wallet, in nano-dollars.
    amount: i64,
    /// What it did to the credit line, in nano-dollars.
    credit: i64,
    /// Who did it.
    author: String,
    /// Why.
    reason: String,
    /// What it is known by elsewhere.
    reference: Option<String>,
    /// The entry that it undoes.
    reverses: Option<i64>,
    /// The account on the other side, for whoever keeps the wallet.
    #[schema(value_type = Option<String>)]
    against: Option<String>,
}

/// The number of an entry of the ledger
#[derive(ToSchema)]
pub(in crate::api) struct EntryNumber {
    /// It.
    entry: i64,
}

/// What an operator should know of money
#[derive(ToSchema)]
pub(in crate::api) struct Alert {
    /// When, in microseconds.
    at: i64,
    /// What kind, such as `budget_hard`.
    kind: String,
    /// What about.
    subject: String,
    /// In words.
    text: String,
}

/// A batch of redeem codes
#[derive(ToSchema)]
pub(in crate::api) struct CodeBatch {
    /// Its name.
    name: String,
    /// Who answers for it.
    tenant: i64,
    /// Its name.
    tenant_name: String,
    /// When the first was made, in microseconds.
    created_at: i64,
    /// When the last stops working.
    expires_at: Option<i64>,
    /// Whether they were sold.
    sold: bool,
    /// Made.
    count: u64,
    /// Used.
    used: u64,
    /// Can be used.
    open: u64,
    /// Expired unused.
    expired: u64,
    /// Withdrawn unused.
    revoked: u64,
    /// What all are worth together, in nano-dollars.
    worth: i64,
    /// What the used ones were worth.
    used_worth: i64,
    /// What can still be used.
    open_worth: i64,
}

/// Redeem codes to be made
#[derive(ToSchema)]
#[schema(example = json!({ "name": "autumn", "count": 10, "amount": 5_000_000_000_i64, "sold": true }))]
pub(in crate::api) struct NewCodes {
    /// The name of the batch.
    name: String,
    /// How many.
    #[schema(minimum = 1)]
    count: u32,
    /// What each is worth, in nano-dollars.
    #[schema(minimum = 1)]
    amount: i64,
    /// When they stop working, in microseconds.
    expires_at: Option<i64>,
    /// Whether they are sold (cash received) or given away.
    #[schema(required = false)]
    sold: bool,
    /// The tenant that answers for them; yours where it is left out.
    tenant: Option<i64>,
}

/// Redeem codes, shown this once
#[derive(ToSchema)]
pub(in crate::api) struct MadeCodes {
    /// The name of the batch.
    name: String,
    /// Each; left out where the answer is a repetition.
    #[schema(required = false)]
    codes: Vec<String>,
}

/// A code that was used
#[derive(ToSchema)]
pub(in crate::api) struct Redeemed {
    /// The entry of the ledger.
    entry: i64,
    /// What it was worth, in nano-dollars.
    amount: i64,
}

/// Whose spending, such as `{"key": 12}` or `{"model": "gpt-4o"}`
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum Scope {
    /// One key's.
    Key(i64),
    /// One user's, by all keys.
    User(i64),
    /// A tenant's, with every tenant below it.
    Tenant(i64),
    /// A channel's, by what the provider is expected to bill.
    Channel(i64),
    /// A model's, as callers ask for it.
    Model(String),
}

/// The span of time in which a budget counts
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum Period {
    /// From full hour to full hour.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the next.
    Month,
    /// For ever.
    Total,
}

/// How much a budget holds: `{"money": nano-dollars}` or `{"tokens": n}`
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum Allowance {
    /// Nano-dollars.
    Money(i64),
    /// Tokens, input and output.
    Tokens(u64),
}

/// What happens when a budget is used up
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum Enforcement {
    /// Requests are refused.
    Hard,
    /// Somebody is told.
    Soft,
}

/// A budget, with what was spent
#[derive(ToSchema)]
pub(in crate::api) struct Budget {
    /// Its name; unique.
    name: String,
    /// Whose spending.
    scope: Scope,
    /// In which time.
    period: Period,
    /// How much.
    allowance: Allowance,
    /// And then.
    enforcement: Enforcement,
    /// IANA name of the time zone whose clock it goes by.
    time_zone: String,
    /// When the span began that it counts in, in microseconds.
    since: i64,
    /// What was spent in that, in nano-dollars.
    spent_money: i64,
    /// What was spent in that, in tokens.
    spent_tokens: u64,
    /// Which form of it this is: the entity tag.
    version: String,
}

/// A plan: what becomes of the money when an answer does not come to its end
#[derive(ToSchema)]
pub(in crate::api) struct Plan {
    /// Its name; unique.
    name: String,
    /// What is charged for answers that are not finished.
    abort: AbortPolicy,
    /// Which form of it this is: the entity tag.
    version: String,
}

/// What is charged for an answer that is not finished
#[derive(ToSchema)]
pub(in crate::api) struct AbortPolicy {
    /// Which way.
    charge: AbortKind,
    /// Of `reported`: for how many milliseconds the answer is read on to learn what was used.
    #[schema(required = false, nullable = false)]
    drain_ms: u32,
}

/// In which way
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum AbortKind {
    /// What was delivered.
    Delivered,
    /// What the provider reports.
    Reported,
    /// Nothing.
    Nothing,
}

lists! {
    /// Lines of a statement
    StatementList of StatementLine
    /// What should be known
    AlertList of Alert
    /// Batches of codes
    BatchList of CodeBatch
    /// Budgets
    BudgetList of Budget
    /// Plans
    PlanList of Plan
}
