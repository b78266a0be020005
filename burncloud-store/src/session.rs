//! Who is signed in, and who may become a user.

use crate::SqlStore;
use crate::entity::{invitation, session};
use crate::error::{Failure, conflict, database, missing};
use async_trait::async_trait;
use burncloud_core::store::{Invitation, InvitationStore, Session, SessionStore, StoreError, StoreResult};
use burncloud_core::{Nano, Role, TenantId, UnixMicros, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

const OF_THAT_HASH: &str = "of that hash";

/// Sessions looked up by their hashes in one statement.
const SOME: usize = 500;

fn hash_of(what: &'static str, bytes: &[u8]) -> Result<[u8; 32], Failure> {
    bytes.try_into().map_err(|_| Failure::Damaged {
        what: "hash",
        name: what.to_owned(),
        why: format!("{} bytes instead of 32", bytes.len()),
    })
}

fn read_session(row: session::Model) -> StoreResult<Session> {
    Ok(Session {
        hash: hash_of("a session", &row.hash)?,
        user: UserId(row.user_id),
        acting: row.acting_id.map(UserId),
        created_at: UnixMicros(row.created_at),
        seen_at: UnixMicros(row.seen_at),
        expires_at: UnixMicros(row.expires_at),
        ip: row.ip,
        agent: row.agent,
    })
}

#[async_trait]
impl SessionStore for SqlStore {
    async fn create_session(&self, session: &Session) -> StoreResult<()> {
        let row = session::ActiveModel {
            hash: Set(session.hash.to_vec()),
            user_id: Set(session.user.0),
            acting_id: Set(session.acting.map(|user| user.0)),
            created_at: Set(session.created_at.0),
            seen_at: Set(session.seen_at.0),
            expires_at: Set(session.expires_at.0),
            ip: Set(session.ip.clone()),
            agent: Set(session.agent.clone()),
        };
        let made = session::Entity::insert(row).exec_without_returning(&self.write).await;
        made.map(drop).map_err(conflict("session", OF_THAT_HASH))
    }

    async fn session(&self, hash: &[u8; 32]) -> StoreResult<Option<Session>> {
        let found = session::Entity::find_by_id(hash.to_vec()).one(&self.read).await.map_err(database)?;
        found.map(read_session).transpose()
    }

    async fn sessions(&self, hashes: &[[u8; 32]]) -> StoreResult<Vec<Session>> {
        let mut all = Vec::with_capacity(hashes.len());
        for some in hashes.chunks(SOME) {
            let some = some.iter().map(|hash| hash.to_vec());
            let found =
                session::Entity::find().filter(session::Column::Hash.is_in(some)).all(&self.read).await;
            for row in found.map_err(database)? {
                all.push(read_session(row)?);
            }
        }
        Ok(all)
    }

    async fn touch_session(&self, hash: &[u8; 32], at: UnixMicros) -> StoreResult<()> {
        use session::Column as C;
        let touched = session::Entity::update_many()
            .col_expr(C::SeenAt, Expr::value(at.0))
            .filter(C::Hash.eq(hash.to_vec()))
            .filter(C::SeenAt.lt(at.0))
            .exec(&self.write)
            .await;
        touched.map(drop).map_err(database)
    }

    async fn end_session(&self, hash: &[u8; 32]) -> StoreResult<bool> {
        let ended = session::Entity::delete_by_id(hash.to_vec()).exec(&self.write).await.map_err(database)?;
        Ok(ended.rows_affected > 0)
    }

    async fn end_sessions_of(&self, user: UserId, except: Option<&[u8; 32]>) -> StoreResult<u64> {
        use session::Column as C;
        let theirs = Condition::any().add(C::UserId.eq(user.0)).add(C::ActingId.eq(user.0));
        let mut end = session::Entity::delete_many().filter(theirs);
        if let Some(except) = except {
            end = end.filter(C::Hash.ne(except.to_vec()));
        }
        Ok(end.exec(&self.write).await.map_err(database)?.rows_affected)
    }

    async fn sessions_of(&self, user: UserId) -> StoreResult<Vec<Session>> {
        use session::Column as C;
        let own = session::Entity::find().filter(C::UserId.eq(user.0)).filter(C::ActingId.is_null());
        let own = own.order_by_desc(C::SeenAt).order_by_asc(C::Hash).all(&self.read).await;
        own.map_err(database)?.into_iter().map(read_session).collect()
    }

    async fn seen_since(&self, since: UnixMicros) -> StoreResult<Vec<(UserId, UnixMicros)>> {
        use session::Column as C;
        let rows: Vec<(i64, i64)> = session::Entity::find()
            .select_only()
            .column(C::UserId)
            .column_as(C::SeenAt.max(), "last")
            .filter(C::SeenAt.gte(since.0))
            .filter(C::ActingId.is_null())
            .group_by(C::UserId)
            .order_by_desc(C::SeenAt.max())
            .order_by_asc(C::UserId)
            .into_tuple()
            .all(&self.read)
            .await
            .map_err(database)?;
        Ok(rows.into_iter().map(|(user, at)| (UserId(user), UnixMicros(at))).collect())
    }

    async fn purge_sessions(&self, now: UnixMicros, idle: UnixMicros) -> StoreResult<u64> {
        use session::Column as C;
        let over = Condition::any().add(C::ExpiresAt.lt(now.0)).add(C::SeenAt.lt(idle.0));
        let gone = session::Entity::delete_many().filter(over).exec(&self.write).await;
        Ok(gone.map_err(database)?.rows_affected)
    }
}

fn read_invitation(row: invitation::Model) -> StoreResult<Invitation> {
    let role = Role::parse(&row.role).ok_or_else(|| Failure::Damaged {
        what: "role",
        name: "an invitation".into(),
        why: "it is unknown".into(),
    })?;
    Ok(Invitation {
        hash: hash_of("an invitation", &row.hash)?,
        tenant: TenantId(row.tenant_id),
        role,
        note: row.note,
        gift: Nano(row.gift),
        author: row.author,
        created_at: UnixMicros(row.created_at),
        expires_at: UnixMicros(row.expires_at),
        used: row.used_at.map(|at| (UnixMicros(at), row.used_by.map(UserId))),
        revoked_at: row.revoked_at.map(UnixMicros),
    })
}

/// An invitation as it is, held until the transaction ends.
async fn held(tx: &DatabaseTransaction, hash: &[u8; 32]) -> StoreResult<Invitation> {
    let row = invitation::Entity::find_by_id(hash.to_vec()).lock_exclusive().one(tx).await;
    read_invitation(row.map_err(database)?.ok_or_else(|| missing("invitation", OF_THAT_HASH))?)
}

/// Writes what may change of an invitation that is held.
async fn put(tx: DatabaseTransaction, of: &Invitation) -> StoreResult<()> {
    use invitation::Column as C;
    invitation::Entity::update_many()
        .col_expr(C::UsedAt, Expr::value(of.used.map(|(at, _)| at.0)))
        .col_expr(C::UsedBy, Expr::value(of.used.and_then(|(_, user)| user).map(|user| user.0)))
        .col_expr(C::RevokedAt, Expr::value(of.revoked_at.map(|at| at.0)))
        .filter(C::Hash.eq(of.hash.to_vec()))
        .exec(&tx)
        .await
        .map_err(database)?;
    tx.commit().await.map_err(database)
}

fn refuse<T>(what: &'static str) -> StoreResult<T> {
    Err(StoreError::Conflict { what, name: "invitation".to_owned() })
}

#[async_trait]
impl InvitationStore for SqlStore {
    async fn create_invitation(&self, new: &Invitation) -> StoreResult<()> {
        let row = invitation::ActiveModel {
            hash: Set(new.hash.to_vec()),
            tenant_id: Set(new.tenant.0),
            role: Set(new.role.as_str().to_owned()),
            note: Set(new.note.clone()),
            gift: Set(new.gift.0),
            author: Set(new.author.clone()),
            created_at: Set(new.created_at.0),
            expires_at: Set(new.expires_at.0),
            used_at: Set(new.used.map(|(at, _)| at.0)),
            used_by: Set(new.used.and_then(|(_, user)| user).map(|user| user.0)),
            revoked_at: Set(new.revoked_at.map(|at| at.0)),
        };
        let made = invitation::Entity::insert(row).exec_without_returning(&self.write).await;
        made.map(drop).map_err(conflict("invitation", OF_THAT_HASH))
    }

    async fn invitations(&self) -> StoreResult<Vec<Invitation>> {
        use invitation::Column as C;
        let all = invitation::Entity::find().order_by_desc(C::CreatedAt).order_by_asc(C::Hash);
        all.all(&self.read).await.map_err(database)?.into_iter().map(read_invitation).collect()
    }

    async fn invitation(&self, hash: &[u8; 32]) -> StoreResult<Option<Invitation>> {
        let found = invitation::Entity::find_by_id(hash.to_vec()).one(&self.read).await;
        found.map_err(database)?.map(read_invitation).transpose()
    }

    async fn claim_invitation(&self, hash: &[u8; 32], now: UnixMicros) -> StoreResult<Invitation> {
        let tx = self.begin().await?;
        let mut invitation = held(&tx, hash).await?;
        invitation.check(now)?;
        invitation.used = Some((now, None));
        put(tx, &invitation).await?;
        Ok(invitation)
    }

    async fn invitation_used_by(&self, hash: &[u8; 32], user: UserId) -> StoreResult<()> {
        let tx = self.begin().await?;
        let mut invitation = held(&tx, hash).await?;
        let (_, by) =
            invitation.used.as_mut().ok_or_else(|| missing("claim of the invitation", OF_THAT_HASH))?;
        *by = Some(user);
        put(tx, &invitation).await
    }

    async fn release_invitation(&self, hash: &[u8; 32]) -> StoreResult<()> {
        let tx = self.begin().await?;
        let invitation = held(&tx, hash).await?;
        if matches!(invitation.used, Some((_, Some(_)))) {
            return refuse("user of the");
        }
        put(tx, &Invitation { used: None, ..invitation }).await
    }

    async fn revoke_invitation(&self, hash: &[u8; 32], now: UnixMicros) -> StoreResult<()> {
        let tx = self.begin().await?;
        let mut invitation = held(&tx, hash).await?;
        if invitation.used.is_some() {
            return refuse("use of the");
        }
        invitation.revoked_at = invitation.revoked_at.or(Some(now));
        put(tx, &invitation).await
    }
}
