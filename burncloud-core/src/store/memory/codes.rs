//! Redeem codes and copies of the published prices in memory.

use super::{MemoryStore, conflict, missing};
use crate::ledger::NewEntry;
use crate::store::{
    CatalogueCopy, CatalogueState, CatalogueStore, CodeStore, NewCode, Posted, RedeemCode, StoreResult,
};
use crate::{UnixMicros, UserId};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

/// How many of the newest copies are kept.
const KEPT: usize = 20;

#[derive(Default)]
pub(super) struct Codes {
    codes: BTreeMap<[u8; 32], RedeemCode>,
    catalogues: BTreeMap<i64, CatalogueCopy>,
}

impl Codes {
    fn newest(&self, state: CatalogueState) -> Option<&CatalogueCopy> {
        self.catalogues.values().rev().find(|copy| copy.state == state)
    }
}

#[async_trait]
impl CodeStore for MemoryStore {
    async fn create_codes(&self, codes: &[NewCode]) -> StoreResult<()> {
        let state = &mut *self.state.write();
        let mut new = BTreeMap::new();
        for code in codes {
            let (created_at, redeemed, revoked_at) = (UnixMicros::now(), None, None);
            let made = RedeemCode { code: code.clone(), created_at, redeemed, revoked_at };
            if state.codes.codes.contains_key(&code.hash) || new.insert(code.hash, made).is_some() {
                return conflict("redeem code in batch", &code.batch);
            }
        }
        state.codes.codes.append(&mut new);
        Ok(())
    }

    async fn code(&self, hash: &[u8; 32]) -> StoreResult<Option<RedeemCode>> {
        Ok(self.state.read().codes.codes.get(hash).cloned())
    }

    async fn codes(
        &self,
        batch: Option<&str>,
        after: Option<[u8; 32]>,
        limit: u32,
    ) -> StoreResult<Vec<RedeemCode>> {
        let state = self.state.read();
        let from = after.map_or(Unbounded, Excluded);
        let all = state.codes.codes.range((from, Unbounded)).map(|(_, code)| code);
        let wanted = all.filter(|code| batch.is_none_or(|batch| code.code.batch == batch));
        Ok(wanted.take(limit as usize).cloned().collect())
    }

    async fn redeem(
        &self,
        hash: &[u8; 32],
        user: UserId,
        now: UnixMicros,
        entry: NewEntry,
    ) -> StoreResult<Posted> {
        let state = &mut *self.state.write();
        let unknown = || missing("redeem code", "of that hash");
        let code = state.codes.codes.get(hash).ok_or_else(unknown)?;
        let home = state.users.get(&user).ok_or_else(|| missing("user", user))?.tenant;
        if home != code.code.tenant {
            return Err(unknown());
        }
        code.check(now)?;
        let posted = state.post(entry)?;
        if !posted.new {
            return conflict("use of the", "redeem code");
        }
        if let Some(code) = state.codes.codes.get_mut(hash) {
            code.redeemed = Some((user, now, posted.id));
        }
        Ok(posted)
    }

    async fn revoke_codes(&self, batch: &str, now: UnixMicros) -> StoreResult<u64> {
        let state = &mut *self.state.write();
        let mut revoked = 0;
        for code in state.codes.codes.values_mut() {
            if code.code.batch == batch && code.redeemed.is_none() && code.revoked_at.is_none() {
                code.revoked_at = Some(now);
                revoked += 1;
            }
        }
        Ok(revoked)
    }
}

#[async_trait]
impl CatalogueStore for MemoryStore {
    async fn add_catalogue(&self, copy: CatalogueCopy) -> StoreResult<i64> {
        let state = &mut *self.state.write();
        let version = state.next_id();
        let kept = &mut state.codes;
        kept.catalogues.insert(version, CatalogueCopy { version, ..copy });
        let in_force = kept.newest(CatalogueState::Active).map(|copy| copy.version);
        let oldest = kept.catalogues.keys().rev().nth(KEPT - 1).copied().unwrap_or(version);
        kept.catalogues.retain(|version, _| *version >= oldest || Some(*version) == in_force);
        Ok(version)
    }

    async fn catalogue(&self, state: CatalogueState) -> StoreResult<Option<CatalogueCopy>> {
        Ok(self.state.read().codes.newest(state).cloned())
    }

    async fn set_catalogue_state(&self, version: i64, to: CatalogueState) -> StoreResult<()> {
        let state = &mut *self.state.write();
        let copy = state.codes.catalogues.get_mut(&version);
        copy.ok_or_else(|| missing("copy of the published prices", version))?.state = to;
        Ok(())
    }
}
