//! The store itself: its connections, and what every change has in common.

use crate::backend::{self, Connections, Waits};
use crate::cache::CallerCache;
use crate::entity::{api_key, change};
use crate::error::{Failure, database};
use crate::{SecretBox, migration};
use burncloud_core::KeyHash;
use burncloud_core::store::{StoreError, StoreResult};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QuerySelect,
    TransactionTrait,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// Every store trait over one SQL database.
///
/// Callers are cached (up to 100 000, refreshed after 60 seconds; unknown keys up to 10 000, for 5 seconds).
/// A change through this store is seen by it at once; for changes of other processes poll
/// [`change_version`](SqlStore::change_version).
pub struct SqlStore {
    pub(crate) read: DatabaseConnection,
    pub(crate) write: DatabaseConnection,
    pub(crate) secrets: SecretBox,
    pub(crate) callers: CallerCache,
    pub(crate) receipts: crate::receipt::Statements,
    pub(crate) archives: crate::archive::Statements,
    pub(crate) sealer: crate::proof::SealerSlot,
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("database", &self.write.get_database_backend())
            .finish_non_exhaustive()
    }
}

/// Whose cached callers a change makes wrong.
pub(crate) enum Touched {
    Nobody,
    Hashes(Vec<KeyHash>),
    User(i64),
    Everybody,
}

impl SqlStore {
    /// Opens the database at `url` and brings its tables up to date; a new one gets the tenant `default` and
    /// its user `default`. `secrets` encrypts the credentials of channels.
    ///
    /// `sqlite://data/burncloud.db` (relative), `sqlite:///var/lib/burncloud.db` (absolute) create the file,
    /// readable for its owner alone; the folder must exist. `sqlite::memory:` lives as long as the store.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for an address of another kind or tables of a newer version,
    /// [`StoreError::Unavailable`] when the database cannot be opened. Neither repeats the address.
    pub async fn connect(url: &str, secrets: SecretBox) -> StoreResult<SqlStore> {
        SqlStore::open(url, secrets, Waits::default(), CallerCache::default()).await
    }

    pub(crate) async fn open(
        url: &str,
        secrets: SecretBox,
        waits: Waits,
        callers: CallerCache,
    ) -> StoreResult<SqlStore> {
        let Connections { read, write } = backend::open(url, waits).await?;
        migration::run(&write).await?;
        Ok(SqlStore {
            read,
            write,
            secrets,
            callers,
            receipts: Default::default(),
            archives: Default::default(),
            sealer: Default::default(),
        })
    }

    /// A number that grows with every change of a key, user, tenant, channel or price, by whatever process;
    /// receipts leave it alone. One look-up by primary key: cheap enough to ask each second. When it moved,
    /// call [`invalidate_all`](SqlStore::invalidate_all) and read channels and prices again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn change_version(&self) -> StoreResult<i64> {
        let row = change::Entity::find_by_id(change::ONLY).one(&self.read).await.map_err(database)?;
        Ok(row.map_or(0, |row| row.version))
    }

    /// Forgets every cached caller.
    pub fn invalidate_all(&self) {
        self.callers.invalidate_all();
    }

    /// Closes the connections; what was committed stays. Calls after it answer [`StoreError::Unavailable`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when a connection could not be closed in order.
    pub async fn close(&self) -> StoreResult<()> {
        self.read.close_by_ref().await.map_err(database)?;
        self.write.close_by_ref().await.map_err(database)
    }

    /// Begins a transaction that will write.
    pub(crate) async fn begin(&self) -> StoreResult<DatabaseTransaction> {
        self.write.begin_with_options(backend::writing()).await.map_err(database)
    }

    /// Ends a management change: counts it, commits it, and forgets the callers it makes wrong before
    /// anyone is told that it is done.
    pub(crate) async fn commit(&self, change: DatabaseTransaction, touched: Touched) -> StoreResult<()> {
        change::Entity::update_many()
            .col_expr(change::Column::Version, Expr::col(change::Column::Version).add(1))
            .filter(change::Column::Id.eq(change::ONLY))
            .exec(&change)
            .await
            .map_err(database)?;
        // Whoever waits for this may go away at any await, and a failed commit may have happened all the
        // same: unless all goes well, every caller is forgotten.
        let doubt = self.callers.doubt();
        change.commit().await.map_err(database)?;
        match touched {
            Touched::Nobody => {}
            Touched::Hashes(hashes) => self.callers.invalidate(&hashes).await,
            Touched::User(user) => match self.hashes_of(user).await {
                Ok(hashes) => self.callers.invalidate(&hashes).await,
                Err(_) => return Ok(()),
            },
            Touched::Everybody => return Ok(()),
        }
        doubt.dispel();
        Ok(())
    }

    async fn hashes_of(&self, user: i64) -> StoreResult<Vec<KeyHash>> {
        let rows: Vec<(Vec<u8>, Option<Vec<u8>>)> = api_key::Entity::find()
            .select_only()
            .column(api_key::Column::Hash)
            .column(api_key::Column::PreviousHash)
            .filter(api_key::Column::UserId.eq(user))
            .into_tuple()
            .all(&self.read)
            .await
            .map_err(database)?;
        rows.iter()
            .flat_map(|(hash, before)| [Some(hash), before.as_ref()])
            .flatten()
            .map(|hash| key_hash(hash))
            .collect()
    }
}

pub(crate) fn key_hash(bytes: &[u8]) -> StoreResult<KeyHash> {
    let hash = bytes.try_into().map_err(|_| Failure::Damaged {
        what: "hash",
        name: "a key".into(),
        why: format!("{} bytes instead of 32", bytes.len()),
    })?;
    Ok(KeyHash(hash))
}

/// The longest name in characters: what every database can hold in a unique column.
const NAME: usize = 255;

pub(crate) fn check_name(what: &str, name: &str) -> StoreResult<()> {
    if name.is_empty() || name.chars().count() > NAME || name.contains('\0') {
        return Err(StoreError::Invalid(format!(
            "the name of a {what} has 1 to {NAME} characters, none of them NUL"
        )));
    }
    Ok(())
}

/// JSON for a text column.
pub(crate) fn to_json<T: Serialize>(value: &T) -> String {
    // Room for what most rows hold: to grow a text twice costs more than to write it.
    let mut text = Vec::with_capacity(384);
    serde_json::to_writer(&mut text, value).expect("plain structs with string keys always have a JSON form");
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// Reads a text column that [`to_json`] wrote.
pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, name: &str, text: &str) -> StoreResult<T> {
    serde_json::from_str(text)
        .map_err(|error| Failure::Damaged { what, name: name.to_owned(), why: error.to_string() }.into())
}
