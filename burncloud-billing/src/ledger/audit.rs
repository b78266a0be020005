//! One pass over the books.

use super::archived::Taken;
use super::claims::Claims;
use super::receipt::{self, Parents};
use super::report::{VerifyError, VerifyReport, differ, same};
use super::{Books, claims};
use burncloud_core::ledger::{Account, Entry, EntryKind, Posting, postings};
use burncloud_core::store::{ArchivedSums, EntryFilter, ReceiptFilter};
use burncloud_core::{
    KeyId, Nano, Receipt, ReceiptId, Scope, Tenant, TenantId, UnixMicros, UserId, spending,
};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Rows read at once.
const PAGE: u32 = 500;

/// What receipts add to a scope: all, and those since the quarter after the ledger was begun.
#[derive(Clone, Copy, Default)]
struct Sum {
    money: [i128; 2],
    tokens: [u128; 2],
}

pub(super) struct Audit<'a, S: ?Sized, P> {
    pub(super) store: &'a S,
    progress: &'a mut P,
    pub(super) report: VerifyReport,
    pub(super) begun: UnixMicros,
    pub(super) parents: Parents,
    claims: Claims,
    /// The oldest receipt that was read.
    read_to: Option<ReceiptId>,
    read_all: bool,
    /// A receipt is older than the ledger, whatever it comes to: sums of spending may lack it.
    older: bool,
    accounts: BTreeMap<Account, i128>,
    keys: HashMap<KeyId, i128>,
    users: HashMap<UserId, i128>,
    tenants: HashMap<TenantId, i128>,
    spent: HashMap<Scope, Sum>,
    pub(super) archived: Taken,
}

/// What an entry moves is what these receipts come to.
pub(super) fn same_postings(entry: &Entry, receipts: &[Receipt]) -> Result<(), VerifyError> {
    let id = entry.id;
    let by_account = |all: &[Posting]| -> BTreeMap<Account, Nano> {
        all.iter().map(|posting| (posting.account, posting.amount)).collect()
    };
    let (expected, found) = (by_account(&postings(receipts)), by_account(&entry.postings));
    for account in expected.keys().chain(found.keys()) {
        let of = |all: &BTreeMap<Account, Nano>| all.get(account).copied().unwrap_or_default();
        same(
            format_args!("the posting of entry {id} to {account}, by its receipts"),
            of(&expected),
            of(&found),
        )?;
    }
    Ok(())
}

pub(super) fn clamp(sum: i128) -> Nano {
    Nano(i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX }))
}

impl<'a, S: Books + ?Sized, P: FnMut(&VerifyReport)> Audit<'a, S, P> {
    pub(super) async fn run(
        store: &'a S,
        folder: Option<&Path>,
        progress: &'a mut P,
    ) -> Result<VerifyReport, VerifyError> {
        let begun = store.ledger_begun().await?;
        let tenants = store.tenants().await?;
        let parents = tenants.iter().map(|tenant| (tenant.id, tenant.parent)).collect();
        let mut audit = Audit {
            store,
            progress,
            report: VerifyReport::default(),
            begun,
            parents,
            claims: Claims::default(),
            read_to: None,
            read_all: false,
            older: false,
            accounts: BTreeMap::new(),
            keys: HashMap::new(),
            users: HashMap::new(),
            tenants: HashMap::new(),
            spent: HashMap::new(),
            archived: Taken::default(),
        };
        audit.archives(folder).await?;
        audit.entries().await?;
        audit.archived.check()?;
        audit.rest_of_receipts().await?;
        audit.balances().await?;
        audit.check_tenants().await?;
        audit.check_users().await?;
        audit.check_keys().await?;
        audit.check_spending().await?;
        Ok(audit.report)
    }

    pub(super) fn tell(&mut self) {
        (self.progress)(&self.report);
    }

    async fn entries(&mut self) -> Result<(), VerifyError> {
        let mut filter = EntryFilter { limit: PAGE, ..EntryFilter::default() };
        loop {
            let page = self.store.entries(&filter).await?;
            for entry in &page {
                self.entry(entry).await?;
            }
            (self.progress)(&self.report);
            match page.last() {
                Some(last) if page.len() == PAGE as usize => filter.before = Some(last.id),
                _ => return Ok(()),
            }
        }
    }

    async fn entry(&mut self, entry: &Entry) -> Result<(), VerifyError> {
        let id = entry.id;
        let sum: i128 = entry.postings.iter().map(|posting| i128::from(posting.amount.0)).sum();
        same(format_args!("the sum of the postings of entry {id}, in nano-dollars"), 0, sum)?;
        for posting in &entry.postings {
            *self.accounts.entry(posting.account).or_default() += i128::from(posting.amount.0);
        }
        self.report.entries += 1;
        let ids = self.store.receipt_ids_of(id).await?;
        if entry.kind != EntryKind::Receipts {
            return same(format_args!("receipts of entry {id}, which posts none"), 0, ids.len());
        }
        let receipts = self.store.receipts_of(id).await?;
        if receipts.len() < ids.len() && self.is_archived(entry, &ids).await? {
            return Ok(());
        }
        let mut there = receipts.iter().map(|receipt| receipt.id).peekable();
        if let Some(gone) = ids.iter().find(|id| there.next_if_eq(*id).is_none()) {
            return differ(format_args!("receipt {gone} of entry {id}"), "it is there", "it is gone");
        }
        same_postings(entry, &receipts)?;
        for receipt in &receipts {
            self.claims.claim(id, receipt)?;
        }
        if let Some(oldest) = ids.first() {
            self.receipts_to(*oldest).await?;
        }
        Ok(())
    }

    /// Reads receipts until there is none left that is newer than this one.
    async fn receipts_to(&mut self, oldest: ReceiptId) -> Result<(), VerifyError> {
        while !self.read_all && self.read_to.is_none_or(|read| read > oldest) {
            self.receipts_page().await?;
        }
        Ok(())
    }

    async fn rest_of_receipts(&mut self) -> Result<(), VerifyError> {
        self.report.before_ledger += self.claims.settle(self.begun)?;
        while !self.read_all {
            self.receipts_page().await?;
            self.report.before_ledger += self.claims.settle(self.begun)?;
        }
        self.claims.finish()
    }

    async fn receipts_page(&mut self) -> Result<(), VerifyError> {
        let filter = ReceiptFilter { before: self.read_to, limit: PAGE, ..ReceiptFilter::default() };
        let page = self.store.receipts(&filter).await?;
        for receipt in &page {
            receipt::check(receipt, &self.parents)?;
            self.claims.seen(receipt);
            self.add(receipt);
        }
        self.report.receipts += page.len() as u64;
        self.read_to = page.last().map(|receipt| receipt.id).or(self.read_to);
        self.read_all = page.len() < PAGE as usize;
        (self.progress)(&self.report);
        Ok(())
    }

    fn add(&mut self, receipt: &Receipt) {
        self.older |= receipt.at < self.begun;
        let charge = i128::from(receipt.charge.0);
        *self.keys.entry(receipt.key).or_default() += charge;
        *self.users.entry(receipt.user).or_default() += charge;
        for leg in &receipt.legs {
            *self.tenants.entry(leg.tenant).or_default() += i128::from(leg.charge.0);
        }
        let later = receipt.at >= ArchivedSums::later(self.begun);
        for (scope, more) in spending(receipt) {
            let sum = self.spent.entry(scope).or_default();
            for place in if later { 0..2 } else { 0..1 } {
                sum.money[place] += i128::from(more.money.0);
                sum.tokens[place] += u128::from(more.tokens);
            }
        }
    }

    /// What archived receipts add to all of that.
    pub(super) fn add_archived(&mut self, sums: &ArchivedSums) {
        self.older |= sums.older > 0;
        for (scope, more) in &sums.scopes {
            let used = i128::from(more.used.0);
            match scope {
                Scope::Key(id) => *self.keys.entry(*id).or_default() += used,
                Scope::User(id) => *self.users.entry(*id).or_default() += used,
                Scope::Tenant(id) => *self.tenants.entry(*id).or_default() += used,
                Scope::Channel(_) | Scope::Model(_) => {}
            }
            let sum = self.spent.entry(scope.clone()).or_default();
            for (place, spent) in [more.spent, more.later].into_iter().enumerate() {
                sum.money[place] += i128::from(spent.money.0);
                sum.tokens[place] += u128::from(spent.tokens);
            }
        }
    }

    async fn balances(&mut self) -> Result<(), VerifyError> {
        let (mut after, mut seen) = (None, 0);
        loop {
            let page = self.store.balances(after, PAGE).await?;
            for (account, found) in &page {
                seen += u64::from(self.accounts.contains_key(account));
                same(format_args!("the balance of {account}"), self.sum(*account), *found)?;
            }
            self.report.accounts += page.len() as u64;
            match page.last() {
                Some((last, _)) if page.len() == PAGE as usize => after = Some(*last),
                _ => break,
            }
        }
        if seen == self.accounts.len() as u64 {
            return Ok(());
        }
        for (account, sum) in &self.accounts {
            let found = self.store.balance(*account).await?;
            same(format_args!("the balance of {account}"), clamp(*sum), found)?;
        }
        Ok(())
    }

    fn sum(&self, account: Account) -> Nano {
        clamp(self.accounts.get(&account).copied().unwrap_or_default())
    }

    async fn check_tenants(&mut self) -> Result<(), VerifyError> {
        for Tenant { id, name, balance, credit, used, .. } in self.store.tenants().await? {
            same(format_args!("the balance of tenant `{name}`"), self.sum(Account::Tenant(id)), balance)?;
            same(format_args!("the credit of tenant `{name}`"), self.sum(Account::TenantCredit(id)), credit)?;
            let spent = clamp(self.tenants.get(&id).copied().unwrap_or_default());
            same(format_args!("what tenant `{name}` has used"), spent, used)?;
            self.report.tenants += 1;
        }
        Ok(())
    }

    async fn check_users(&mut self) -> Result<(), VerifyError> {
        let mut after = None;
        loop {
            let page = self.store.users(after, PAGE).await?;
            for user in &page {
                let name = &user.name;
                let (wallet, line) = (Account::User(user.id), Account::UserCredit(user.id));
                same(format_args!("the balance of user `{name}`"), self.sum(wallet), user.balance)?;
                same(format_args!("the credit of user `{name}`"), self.sum(line), user.credit)?;
                let spent = clamp(self.users.get(&user.id).copied().unwrap_or_default());
                same(format_args!("what user `{name}` has used"), spent, user.used)?;
            }
            self.report.users += page.len() as u64;
            match page.last() {
                Some(last) if page.len() == PAGE as usize => after = Some(last.id),
                _ => return Ok(()),
            }
        }
    }

    async fn check_keys(&mut self) -> Result<(), VerifyError> {
        let mut after = None;
        loop {
            let page = self.store.keys(after, PAGE).await?;
            for key in &page {
                let spent = clamp(self.keys.get(&key.id).copied().unwrap_or_default());
                same(format_args!("what key `{}` has used", key.name), spent, key.used)?;
            }
            self.report.keys += page.len() as u64;
            match page.last() {
                Some(last) if page.len() == PAGE as usize => after = Some(last.id),
                _ => return Ok(()),
            }
        }
    }

    /// Receipts from before the ledger are not in these sums: with any of them only what came later is compared.
    async fn check_spending(&mut self) -> Result<(), VerifyError> {
        let later = self.older;
        let since = if later { ArchivedSums::later(self.begun) } else { UnixMicros(0) };
        let place = usize::from(later);
        let mut all: Vec<(&Scope, &Sum)> = self.spent.iter().collect();
        all.sort_unstable_by_key(|(scope, _)| *scope);
        for (scope, sum) in all {
            if matches!(scope, Scope::Model(name) if name.chars().count() > claims::LONGEST_MODEL) {
                // Such names are cut off: their sums are those of many.
                continue;
            }
            let found = self.store.spent(scope, since).await?;
            same(
                format_args!("what {scope} has spent, as budgets count it"),
                clamp(sum.money[place]),
                found.money,
            )?;
            let tokens = u64::try_from(sum.tokens[place]).unwrap_or(u64::MAX);
            same(format_args!("the tokens of {scope}, as budgets count them"), tokens, found.tokens)?;
        }
        Ok(())
    }
}
