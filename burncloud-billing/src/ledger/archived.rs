//! What can still be checked of receipts that were archived, and with their files everything.

use super::Books;
use super::audit::{Audit, clamp, same_postings};
use super::report::{VerifyError, VerifyReport, differ, same};
use crate::archive::read_archives;
use crate::proof::{ExportedLink, PublicKey};
use burncloud_core::ledger::{Account, Entry};
use burncloud_core::store::{ArchivedSum, ArchivedSums};
use burncloud_core::{Nano, ReceiptId, Scope};
use std::collections::BTreeMap;
use std::path::Path;

/// What was archived.
#[derive(Default)]
pub(super) struct Taken {
    /// The last link.
    last: i64,
    /// As the store noted it.
    sums: ArchivedSums,
    /// What the entries that posted them moved.
    moved: BTreeMap<Account, i128>,
}

impl Taken {
    /// What the entries moved is what was noted of their receipts.
    pub(super) fn check(&self) -> Result<(), VerifyError> {
        let mut expected: BTreeMap<Account, i128> = BTreeMap::new();
        for (scope, sum) in &self.sums.scopes {
            let (used, cost) = (i128::from(sum.used.0), i128::from(sum.spent.money.0));
            match scope {
                Scope::User(id) => drop(expected.insert(Account::User(*id), -used)),
                Scope::Tenant(id) => drop(expected.insert(Account::Tenant(*id), -used)),
                Scope::Channel(id) => {
                    expected.insert(Account::Cost(*id), -cost);
                    expected.insert(Account::Payable(*id), cost);
                }
                Scope::Key(_) | Scope::Model(_) => {}
            }
        }
        let told = |account: &&Account| !matches!(account, Account::Revenue(_));
        for account in expected.keys().chain(self.moved.keys().filter(told)) {
            let of = |all: &BTreeMap<Account, i128>| clamp(all.get(account).copied().unwrap_or_default());
            let what = format_args!("what archived receipts moved on {account}, as it was noted");
            same(what, of(&self.moved), of(&expected))?;
        }
        Ok(())
    }
}

impl<S: Books + ?Sized, P: FnMut(&VerifyReport)> Audit<'_, S, P> {
    /// Takes what was noted of archived receipts for what they come to, after looking at their files if there is a folder.
    pub(super) async fn archives(&mut self, folder: Option<&Path>) -> Result<(), VerifyError> {
        let Some(last) = self.store.last_archive().await? else { return Ok(()) };
        self.report.archived = last.total;
        self.archived =
            Taken { last: last.last, sums: self.store.archived_sums().await?, moved: BTreeMap::new() };
        self.parts().await?;
        if let Some(folder) = folder {
            self.files(folder).await?;
        }
        let sums = std::mem::take(&mut self.archived.sums);
        self.add_archived(&sums);
        self.archived.sums = sums;
        Ok(())
    }

    /// What was archived is the beginning of the chain, without a gap.
    async fn parts(&mut self) -> Result<(), VerifyError> {
        let (mut after, mut next, mut total) = (0, 1, 0);
        loop {
            let page = self.store.archives(after, 500).await?;
            let Some(end) = page.last() else { return Ok(()) };
            after = end.first;
            for part in page {
                same("the link after the last that was archived", next, part.first)?;
                total += part.receipts;
                same(format_args!("receipts archived up to link {}", part.last), total, part.total)?;
                next = part.last + 1;
            }
        }
    }

    async fn files(&mut self, folder: &Path) -> Result<(), VerifyError> {
        let store = self.store;
        let keys: Vec<PublicKey> = store.proof_keys().await?.into_iter().map(PublicKey::from).collect();
        let mut sums = ArchivedSums::default();
        read_archives(store, folder, &keys, async |link: ExportedLink| self.link(&link, &mut sums).await)
            .await?;
        same("receipts in the files of the archive", self.report.archived, self.report.reread)?;
        same_sums(&sums, &self.archived.sums)
    }

    async fn link(&mut self, link: &ExportedLink, sums: &mut ArchivedSums) -> Result<(), VerifyError> {
        let ids: Vec<ReceiptId> = link.receipts.iter().map(|receipt| receipt.id).collect();
        let known = self.store.archived_receipts(&ids).await?;
        let mut known =
            known.into_iter().filter(|one| one.link == link.sequence).map(|one| one.id).peekable();
        if let Some(unknown) = ids.iter().find(|id| known.next_if_eq(id).is_none()) {
            let what = format_args!("receipt {unknown} of the archived link {}", link.sequence);
            return differ(what, "it is known as archived", "it could be recorded again");
        }
        if link.entry != 0 {
            let entry = self.store.entry(link.entry).await?;
            let Some(entry) = entry else {
                return differ(format_args!("entry {}", link.entry), "it is there", "it is gone");
            };
            same_postings(&entry, &link.receipts)?;
        } else if let Some(moved) = burncloud_core::ledger::postings(&link.receipts).first() {
            let what = format_args!("entries that post the receipts of link {}", link.sequence);
            return differ(what, format_args!("one, with {}", moved.account), "none");
        }
        for receipt in &link.receipts {
            super::receipt::check(receipt, &self.parents)?;
            sums.add(receipt, self.begun);
        }
        self.report.reread += link.receipts.len() as u64;
        self.tell();
        Ok(())
    }

    /// Whether what an entry posts was archived: all of it, as one link.
    pub(super) async fn is_archived(
        &mut self,
        entry: &Entry,
        ids: &[ReceiptId],
    ) -> Result<bool, VerifyError> {
        let id = entry.id;
        let gone = self.store.archived_receipts(ids).await?;
        let Some(link) = gone.first().map(|one| one.link) else { return Ok(false) };
        let mut there = gone.iter().filter(|one| one.link == link).map(|one| one.id).peekable();
        if let Some(left) = ids.iter().find(|id| there.next_if_eq(id).is_none()) {
            let what = format_args!("receipt {left} of entry {id}, of which others were archived");
            return differ(what, format_args!("archived with link {link}"), "it is not");
        }
        let sealed = self.store.seals(link - 1, 1).await?.pop().filter(|sealed| sealed.sequence == link);
        let Some(sealed) = sealed else {
            return differ(format_args!("link {link} of entry {id}"), "it is there", "it is gone");
        };
        same(format_args!("the entry of link {link}"), id, sealed.entry)?;
        if sealed.receipts != ids {
            return differ(
                format_args!("the receipts of entry {id}"),
                format_args!("those of link {link}"),
                "others",
            );
        }
        let last = self.archived.last;
        if link > last {
            let expected = format_args!("there, as link {last} is the last that was archived");
            return differ(format_args!("the receipts of link {link}"), expected, "gone");
        }
        for posting in &entry.postings {
            *self.archived.moved.entry(posting.account).or_default() += i128::from(posting.amount.0);
        }
        Ok(true)
    }
}

/// What the files come to is what was noted.
fn same_sums(files: &ArchivedSums, noted: &ArchivedSums) -> Result<(), VerifyError> {
    same("archived receipts from before the ledger", files.older, noted.older)?;
    for scope in files.scopes.keys().chain(noted.scopes.keys()) {
        let of = |all: &ArchivedSums| all.scopes.get(scope).copied().unwrap_or_default();
        let (files, noted): (ArchivedSum, ArchivedSum) = (of(files), of(noted));
        let pairs: [(&str, Nano, Nano); 3] = [
            ("spent", files.spent.money, noted.spent.money),
            ("spent since the ledger was begun", files.later.money, noted.later.money),
            ("used", files.used, noted.used),
        ];
        for (what, files, noted) in pairs {
            same(format_args!("what {scope} {what} by archived receipts, as it was noted"), files, noted)?;
        }
        let what = format_args!("the tokens of {scope} in archived receipts, as they were noted");
        same(what, files.spent.tokens, noted.spent.tokens)?;
    }
    Ok(())
}
