//! Searches of users and keys.

use crate::SqlStore;
use crate::backend::{self, in_list};
use crate::entity::{api_key, login, user};
use crate::error::database;
use crate::key::api_key as read_key;
use crate::user::user as read_user;
use async_trait::async_trait;
use burncloud_core::store::{KeyQuery, PeopleStore, StoreResult, UserQuery, Who};
use burncloud_core::{ApiKey, User};
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, Query};
use sea_orm::{ColumnTrait, Condition, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

/// Values that are bound one by one; more go as one.
const FEW: usize = 100;

/// No name is longer, so nothing holds a longer text, and databases bound what they search for.
const TEXT: usize = 255;

/// `column` is one of these numbers, however many they are.
pub(crate) fn one_of(column: &'static str, ids: &[i64], backend: DbBackend) -> Expr {
    match ids.len() {
        0..=FEW => Expr::col(column).is_in(ids.iter().copied()),
        _ => in_list(column, ids, backend),
    }
}

/// A pattern for what holds `text`; nothing in it is special.
fn holding(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// `column` holds `text`, whatever the case.
fn holds(column: &str, text: &str, backend: DbBackend) -> Expr {
    backend::like(column, holding(text), backend)
}

fn users(query: &UserQuery, backend: DbBackend) -> Select<user::Entity> {
    let mut found = user::Entity::find();
    if let Some(tenants) = &query.tenants {
        let tenants: Vec<i64> = tenants.iter().map(|tenant| tenant.0).collect();
        found = found.filter(one_of("tenant_id", &tenants, backend));
    }
    if let Some(ids) = &query.ids {
        let ids: Vec<i64> = ids.iter().map(|user| user.0).collect();
        found = found.filter(one_of("id", &ids, backend));
    }
    if let Some(status) = query.status {
        found = found.filter(user::Column::Status.eq(crate::entity::Status::from(status)));
    }
    if query.broke {
        // Not the sum: it may be more than a database can hold.
        let nothing_left = Expr::cust("COALESCE(balance, 0) <= -credit");
        found = found.filter(user::Column::Unlimited.eq(false)).filter(nothing_left);
    }
    if let Some(text) = query.text.as_ref().filter(|text| !text.is_empty()) {
        let by_login = Query::select()
            .column(login::Column::UserId)
            .from(login::Entity)
            .and_where(login::Column::Name.like(LikeExpr::new(holding(&text.to_lowercase())).escape('!')))
            .to_owned();
        let called =
            Condition::any().add(holds("name", text, backend)).add(user::Column::Id.in_subquery(by_login));
        found = found.filter(if text.chars().count() > TEXT { nobody() } else { called });
    }
    found
}

fn keys(query: &KeyQuery, backend: DbBackend) -> Select<api_key::Entity> {
    use api_key::Column as C;
    let mut found = api_key::Entity::find();
    match &query.who {
        Who::All => {}
        Who::Tenants(tenants) => {
            let tenants: Vec<i64> = tenants.iter().map(|tenant| tenant.0).collect();
            let theirs = Query::select()
                .column(user::Column::Id)
                .from(user::Entity)
                .and_where(one_of("tenant_id", &tenants, backend))
                .to_owned();
            found = found.filter(C::UserId.in_subquery(theirs));
        }
        Who::User(user) => found = found.filter(C::UserId.eq(user.0)),
        Who::Key(key) => found = found.filter(C::Id.eq(key.0)),
    }
    if let Some(ids) = &query.ids {
        let ids: Vec<i64> = ids.iter().map(|key| key.0).collect();
        found = found.filter(one_of("id", &ids, backend));
    }
    if let Some(status) = query.status {
        found = found.filter(C::Status.eq(crate::entity::Status::from(status)));
    }
    if let Some(text) = query.text.as_ref().filter(|text| !text.is_empty()) {
        let called = Condition::any().add(holds("name", text, backend)).add(holds("hint", text, backend));
        found = found.filter(if text.chars().count() > TEXT { nobody() } else { called });
    }
    found
}

fn nobody() -> Condition {
    Condition::all().add(Expr::cust("1 = 0"))
}

impl SqlStore {
    async fn count<E: EntityTrait>(&self, found: Select<E>) -> StoreResult<u64> {
        let count = found.select_only().column_as(Expr::cust("COUNT(*)"), "n").into_tuple::<i64>();
        let count = count.one(&self.read).await.map_err(database)?;
        Ok(count.map_or(0, i64::unsigned_abs))
    }
}

#[async_trait]
impl PeopleStore for SqlStore {
    async fn find_users(&self, query: &UserQuery) -> StoreResult<Vec<User>> {
        let mut found = users(query, self.read.get_database_backend());
        if let Some(after) = query.after {
            found = found.filter(user::Column::Id.gt(after.0));
        }
        let page = found.order_by_asc(user::Column::Id).limit(u64::from(query.page()));
        page.all(&self.read).await.map_err(database)?.into_iter().map(read_user).collect()
    }

    async fn count_users(&self, query: &UserQuery) -> StoreResult<u64> {
        self.count(users(query, self.read.get_database_backend())).await
    }

    async fn find_keys(&self, query: &KeyQuery) -> StoreResult<Vec<ApiKey>> {
        let mut found = keys(query, self.read.get_database_backend());
        if let Some(after) = query.after {
            found = found.filter(api_key::Column::Id.gt(after.0));
        }
        let page = found.order_by_asc(api_key::Column::Id).limit(u64::from(query.page()));
        page.all(&self.read).await.map_err(database)?.into_iter().map(read_key).collect()
    }

    async fn count_keys(&self, query: &KeyQuery) -> StoreResult<u64> {
        self.count(keys(query, self.read.get_database_backend())).await
    }
}
