//! Redeem codes, as the console handles them.

use super::audit::Change;
use super::common::{OneTime, missing, seen_tenant, tenant_name};
use super::{Actor, Desk};
use crate::codes::Batch;
use crate::people::{self, Action, Tree};
use burncloud_core::store::{RedeemCode, StoreError};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{Nano, TenantId, UnixMicros};
use parking_lot::Mutex;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// How many wrong codes somebody may type within [`WINDOW`].
const WRONG: usize = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// Of so many the oldest tries are forgotten.
const REMEMBERED: usize = 10_000;

/// Codes to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodesDraft {
    /// The name of the batch.
    pub name: String,
    /// How many.
    pub count: u32,
    /// What each is worth, in nano-dollars.
    pub amount: Nano,
    /// When they stop working.
    #[serde(default)]
    pub expires_at: Option<UnixMicros>,
    /// Whether they are sold (cash received) or given away.
    #[serde(default)]
    pub sold: bool,
    /// The tenant that answers for them; one's own where it is left out.
    #[serde(default)]
    pub tenant: Option<TenantId>,
}

/// Codes that were just made.
#[derive(Clone, Debug, Serialize)]
pub struct MadeCodes {
    /// The name of the batch.
    pub name: String,
    /// Each, shown this once.
    pub codes: Vec<OneTime>,
}

/// The codes of one name that a tenant answers for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BatchView {
    /// The name of the batch.
    pub name: String,
    /// Who answers for it.
    pub tenant: TenantId,
    /// Its name.
    pub tenant_name: String,
    /// When the first of them was made.
    pub created_at: UnixMicros,
    /// When the last of them stops working; `None` where one never does.
    pub expires_at: Option<UnixMicros>,
    /// Whether they were sold.
    pub sold: bool,
    /// Made.
    pub count: u64,
    /// Used.
    pub used: u64,
    /// Can be used.
    pub open: u64,
    /// Expired unused.
    pub expired: u64,
    /// Withdrawn unused.
    pub revoked: u64,
    /// What all are worth together, in nano-dollars.
    pub worth: Nano,
    /// What the used ones were worth.
    pub used_worth: Nano,
    /// What the open ones are worth.
    pub open_worth: Nano,
}

/// A code that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Redeemed {
    /// The number of the entry.
    pub entry: i64,
    /// What it was worth, in nano-dollars.
    pub amount: Nano,
}

/// Wrong codes that were typed lately.
#[derive(Debug, Default)]
pub(super) struct Tries {
    by: Mutex<HashMap<String, VecDeque<Instant>>>,
}

impl Tries {
    fn lately(&self, who: &str, now: Instant) -> usize {
        let mut by = self.by.lock();
        let Some(tries) = by.get_mut(who) else { return 0 };
        while tries.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
            tries.pop_front();
        }
        tries.len()
    }

    fn wrong(&self, who: &str, now: Instant) {
        let mut by = self.by.lock();
        if by.len() >= REMEMBERED {
            by.retain(|_, tries| tries.back().is_some_and(|last| now.duration_since(*last) < WINDOW));
        }
        // Whoever comes from more addresses than are remembered is not kept out by remembering more.
        if by.len() < REMEMBERED {
            by.entry(who.to_owned()).or_default().push_back(now);
        }
    }
}

impl Desk {
    /// Makes codes; each is shown this once.
    ///
    /// # Errors
    /// Those of [`people::generate_codes`]; `Store(NotFound)` for a tenant that the actor does not see; `Invalid` for the name
    /// of another tenant's batch.
    pub async fn create_codes(&self, actor: &Actor, draft: CodesDraft) -> UseCaseResult<MadeCodes> {
        let _one_at_a_time = self.writing.lock().await;
        let CodesDraft { name, count, amount, expires_at, sold, tenant } = draft;
        let tenant = seen_tenant(actor, &self.tree().await?, tenant.unwrap_or(actor.tenant))?.id;
        actor.check(&self.tree().await?, Action::MakeCodes, tenant)?;
        // Codes are withdrawn by the name of their batch: it is one tenant's.
        let taken = self.store.codes(Some(&name), None, 1).await?;
        if taken.first().is_some_and(|code| code.code.tenant != tenant) {
            return Err(UseCaseError::invalid(
                "name",
                ("there is a batch of this name already; choose another", "已有同名批次，请换个名字"),
            ));
        }
        let batch = Batch { name, count, amount, expires_at, sold, tenant };
        let codes = people::generate_codes(&*self.store, actor, &batch).await?;
        let change = Change {
            action: "codes.create",
            subject: format!("codes:{}", batch.name),
            name: batch.name.clone(),
            tenant,
            before: json!(null),
            after: json!({ "count": count, "amount": amount, "expires_at": expires_at, "sold": sold }),
        };
        self.note(actor, change).await?;
        let codes = codes.iter().map(|code| OneTime::new(SecretString::from(code.expose()))).collect();
        Ok(MadeCodes { name: batch.name, codes })
    }

    /// The batches of the tenants whose money the actor sees, the newest first.
    ///
    /// # Errors
    /// `Forbidden` for end users; the store's.
    pub async fn code_batches(&self, actor: &Actor) -> UseCaseResult<Vec<BatchView>> {
        let tree = self.tree().await?;
        actor.check(&tree, Action::SeeMoney, actor.tenant)?;
        let now = UnixMicros::now();
        let mut batches: BTreeMap<(TenantId, String), BatchView> = BTreeMap::new();
        let mut after = None;
        loop {
            let page = self.store.codes(None, after, 1_000).await?;
            after = page.last().map(|code| code.code.hash);
            let last = page.len() < 1_000;
            for code in page.iter().filter(|code| actor.may(&tree, Action::SeeMoney, code.code.tenant)) {
                let key = (code.code.tenant, code.code.batch.clone());
                batches.entry(key).or_insert_with(|| begin(code, &tree)).add(code, now);
            }
            if last {
                break;
            }
        }
        let mut all: Vec<BatchView> = batches.into_values().collect();
        all.sort_by(|a, b| (b.created_at, &a.name).cmp(&(a.created_at, &b.name)));
        Ok(all)
    }

    /// Withdraws what is unused of a batch; answers how many.
    ///
    /// # Errors
    /// `Store(NotFound)` for a batch that the actor does not see, `Forbidden`.
    pub async fn revoke_codes(&self, actor: &Actor, name: &str) -> UseCaseResult<u64> {
        let _one_at_a_time = self.writing.lock().await;
        let tree = self.tree().await?;
        let tenants = self.tenants_of_batch(name).await?;
        if !tenants.iter().any(|tenant| actor.may(&tree, Action::SeeMoney, *tenant)) {
            return Err(missing("batch of codes", name));
        }
        // A batch that was made before names were one tenant's may be of several.
        for tenant in &tenants {
            actor.check(&tree, Action::MakeCodes, *tenant)?;
        }
        let revoked = self.store.revoke_codes(name, UnixMicros::now()).await?;
        if revoked > 0 {
            let change = Change {
                action: "codes.revoke",
                subject: format!("codes:{name}"),
                name: name.to_owned(),
                tenant: tenants.first().copied().unwrap_or(actor.tenant),
                before: json!({ "open": revoked }),
                after: json!({ "open": 0 }),
            };
            self.note(actor, change).await?;
        }
        Ok(revoked)
    }

    /// Uses a code for the actor's own wallet.
    ///
    /// # Errors
    /// Those of [`people::redeem_code`]; `Invalid` for one who typed ten wrong ones from there within a minute, and where there
    /// is no user behind the actor.
    pub async fn redeem(&self, actor: &Actor, code: &str) -> UseCaseResult<Redeemed> {
        let id = actor.user.ok_or_else(|| {
            UseCaseError::invalid("code", ("sign in as the user whose it is", "请以兑换的用户身份登录"))
        })?;
        let who = format!("{id} {}", actor.ip);
        if self.tries.lately(&who, Instant::now()) >= WRONG {
            let message = (
                "too many wrong codes; wait a minute and check how it is written",
                "输错次数过多，请稍等一分钟并检查",
            );
            return Err(UseCaseError::invalid("code", message));
        }
        let user = self.store.user(id).await?.ok_or_else(|| missing("user", id))?;
        let (posted, amount) = match people::redeem_code(&*self.store, actor, &user, code).await {
            Err(error) => {
                let wrong = matches!(
                    error,
                    UseCaseError::Invalid { .. } | UseCaseError::Store(StoreError::Conflict { .. })
                );
                if wrong {
                    self.tries.wrong(&who, Instant::now());
                }
                return Err(error);
            }
            Ok(done) => done,
        };
        let change = Change {
            action: "codes.redeem",
            subject: format!("user:{id}"),
            name: user.name.clone(),
            tenant: user.tenant,
            before: json!({ "balance": user.balance }),
            after: json!({ "balance": user.balance.plus(amount), "amount": amount, "entry": posted.id }),
        };
        self.note(actor, change).await?;
        Ok(Redeemed { entry: posted.id, amount })
    }

    async fn tenants_of_batch(&self, name: &str) -> UseCaseResult<Vec<TenantId>> {
        let mut tenants = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.codes(Some(name), after, 1_000).await?;
            after = page.last().map(|code| code.code.hash);
            tenants.extend(page.iter().map(|code| code.code.tenant));
            tenants.sort_unstable();
            tenants.dedup();
            if page.len() < 1_000 {
                return Ok(tenants);
            }
        }
    }
}

fn begin(code: &RedeemCode, tree: &Tree) -> BatchView {
    BatchView {
        name: code.code.batch.clone(),
        tenant: code.code.tenant,
        tenant_name: tenant_name(tree, code.code.tenant),
        created_at: code.created_at,
        expires_at: code.code.expires_at,
        sold: code.code.sold,
        ..BatchView::default()
    }
}

impl BatchView {
    fn add(&mut self, code: &RedeemCode, now: UnixMicros) {
        let amount = code.code.amount;
        self.created_at = self.created_at.min(code.created_at);
        self.expires_at = self.expires_at.zip(code.code.expires_at).map(|(a, b)| a.max(b));
        self.sold |= code.code.sold;
        self.count += 1;
        self.worth = self.worth.plus(amount);
        if code.redeemed.is_some() {
            self.used += 1;
            self.used_worth = self.used_worth.plus(amount);
        } else if code.revoked_at.is_some() {
            self.revoked += 1;
        } else if code.check(now).is_err() {
            self.expired += 1;
        } else {
            self.open += 1;
            self.open_worth = self.open_worth.plus(amount);
        }
    }
}
