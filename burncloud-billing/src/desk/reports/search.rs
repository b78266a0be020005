//! What somebody typed into the search box, and where that is looked for.

use super::logs::{LogFilter, LogRow};
use super::view::{Customer, Sight, Source, View};
use burncloud_core::store::{LogQuery, Outcome, StoreResult, Who};
use burncloud_core::{KeyId, ReceiptId, TenantId, TraceId, UnixMicros};

/// How far back a trace is looked for, if nothing else is said: a week.
const TRACE_US: i64 = 7 * 86_400_000_000;

/// What a text is, by its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// `rc_` and 32 hexadecimal digits.
    Receipt(ReceiptId),
    /// 32 hexadecimal digits.
    Trace(TraceId),
    /// Anything else: the whole name of a customer, a user or a key, or a part of one or of a model's or an account's;
    /// case does not matter for a part.
    Words(String),
}

impl Search {
    /// Of a text; `None` of an empty one.
    #[must_use]
    pub fn of(text: &str) -> Option<Search> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        if text.is_empty() {
            None
        } else if let Some(id) = ReceiptId::parse(&lower) {
            Some(Search::Receipt(id))
        } else if let Some(id) = TraceId::from_hex(lower.as_bytes()) {
            Some(Search::Trace(id))
        } else {
            Some(Search::Words(text.to_owned()))
        }
    }
}

/// What the store is asked for, and what is chosen of its answer.
pub(super) struct Sought {
    pub(super) query: LogQuery,
    /// In small letters; empty is anything.
    words: String,
}

impl Sought {
    /// `None` where nobody's eyes are meant to see what is asked for: nothing is found then.
    pub(super) async fn of<S: Source + ?Sized>(
        store: &S,
        sight: &Sight,
        filter: &LogFilter,
        search: Option<Search>,
        now: UnixMicros,
    ) -> StoreResult<Option<Sought>> {
        let narrowed = match (filter.key, filter.customer) {
            (None, None) => None,
            (Some(key), None) => Some(of_key(store, sight, key).await?),
            (None, Some(customer)) => Some(of_customer(store, sight, customer).await?),
            (Some(key), Some(customer)) => {
                let of_customer = of_customer(store, sight, customer).await?;
                let of_key = of_key(store, sight, key).await?;
                let theirs = match (&of_customer, store.key(key).await?) {
                    (Some(Who::User(user)), Some(key)) => key.user == *user,
                    (Some(Who::Tenants(tenants)), Some(key)) => {
                        store.user(key.user).await?.is_some_and(|user| tenants.contains(&user.tenant))
                    }
                    _ => false,
                };
                Some(of_key.filter(|_| theirs))
            }
        };
        let mut query = LogQuery {
            since: filter.since,
            until: filter.until,
            channel: filter.channel,
            model: filter.model.clone().filter(|model| !model.is_empty()),
            outcome: filter.outcome,
            ..LogQuery::default()
        };
        let mut words = String::new();
        let mut named = None;
        match search {
            Some(Search::Trace(id)) => {
                query.trace = Some(id.to_string());
                query.since = query.since.or(Some(UnixMicros(now.0 - TRACE_US)));
            }
            Some(Search::Words(text)) => {
                if narrowed.is_none() {
                    named = by_name(store, sight, &text).await?;
                }
                if named.is_none() {
                    words = text.to_lowercase();
                }
            }
            Some(Search::Receipt(_)) | None => {}
        }
        query.who = match (narrowed, named) {
            (Some(None), _) => return Ok(None),
            (Some(Some(who)), _) | (None, Some(who)) => who,
            (None, None) => sight.who(),
        };
        Ok(Some(Sought { query, words }))
    }

    /// Whether the store cannot choose all of it.
    pub(super) fn picky(&self, filter: &LogFilter) -> bool {
        !self.words.is_empty() || filter.errors || filter.switched || filter.slower_than_us.is_some()
    }

    pub(super) fn fits(&self, filter: &LogFilter, row: &LogRow) -> bool {
        let slow = |than| row.first_us.map_or(row.took_us, u64::from) > than;
        (!filter.errors || row.outcome != Outcome::Answered)
            && (!filter.switched || row.switches.is_some_and(|switches| switches > 0))
            && filter.slower_than_us.is_none_or(slow)
            && (self.words.is_empty() || self.says(row))
    }

    /// Only what is in the row is compared, so nothing is found by what is not for these eyes.
    fn says(&self, row: &LogRow) -> bool {
        let names = [&row.customer_name, &row.user_name, &row.key_name];
        let names = names.into_iter().flatten().map(String::as_str);
        let road = row.road.iter().filter_map(|hop| hop.name.as_deref());
        names.chain([row.model.as_str()]).chain(road).any(|name| name.to_lowercase().contains(&self.words))
    }
}

/// Whose requests those of a key are, if it may be seen.
async fn of_key<S: Source + ?Sized>(store: &S, sight: &Sight, id: KeyId) -> StoreResult<Option<Who>> {
    let Some(key) = store.key(id).await? else { return Ok(None) };
    let user = store.user(key.user).await?.filter(|user| sight.sees_user(user));
    Ok(user.map(|_| Who::Key(id)))
}

async fn of_customer<S: Source + ?Sized>(
    store: &S,
    sight: &Sight,
    customer: Customer,
) -> StoreResult<Option<Who>> {
    match customer {
        Customer::User(id) => {
            let user = store.user(id).await?.filter(|user| sight.sees_user(user));
            Ok(user.map(|_| Who::User(id)))
        }
        Customer::Tenant(id) => Ok(branch(sight, id)),
    }
}

/// A tenant and those below it, as far as they may be seen.
fn branch(sight: &Sight, top: TenantId) -> Option<Who> {
    if matches!(sight.view, View::EndUser(_)) || !sight.sees_tenant(top) || sight.tree.get(top).is_none() {
        return None;
    }
    let all = sight.tree.in_order().into_iter().map(|(_, tenant)| tenant.id);
    let under = |id: &TenantId| sight.tree.path(*id).any(|tenant| tenant.id == top);
    Some(Who::Tenants(all.filter(|id| under(id) && sight.sees_tenant(*id)).collect()))
}

/// Somebody who is called exactly so, and may be seen: a user, a key, a tenant.
async fn by_name<S: Source + ?Sized>(store: &S, sight: &Sight, name: &str) -> StoreResult<Option<Who>> {
    if let Some(user) = store.user_by_name(name).await?.filter(|user| sight.sees_user(user)) {
        return Ok(Some(Who::User(user.id)));
    }
    if let Some(key) = store.key_by_name(name).await?
        && let Some(who) = of_key(store, sight, key.id).await?
    {
        return Ok(Some(who));
    }
    Ok(store.tenant_by_name(name).await?.and_then(|tenant| branch(sight, tenant.id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_it_looks_like() {
        let id = "0199c82cc0001f2e3d4c5b6a00000007";
        let number = u128::from_str_radix(id, 16).unwrap();
        assert_eq!(Search::of(&format!(" rc_{id} ")), Some(Search::Receipt(ReceiptId(number))));
        assert_eq!(Search::of(&id.to_uppercase()), Some(Search::Trace(TraceId(number.to_be_bytes()))));
        assert_eq!(Search::of(" \t"), None);
        for words in ["claude", "rc_0199", &id[1..], "像素茶社"] {
            assert_eq!(Search::of(words), Some(Search::Words(words.to_owned())), "{words}");
        }
    }
}
