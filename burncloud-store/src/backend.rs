//! What one database does otherwise than the others: addresses, settings, transactions, words of errors.
//! Everything else in this crate is written for all of them.

use burncloud_core::store::{StoreError, StoreResult};
use sea_orm::sea_query::TableCreateStatement;
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::{DatabaseConnection, DbBackend, SqliteTransactionMode, TransactionOptions};
use std::time::Duration;

/// How long a statement waits for a lock, and a caller for a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "a server has its own"))]
    pub(crate) lock: Duration,
    pub(crate) connection: Duration,
}

impl Default for Waits {
    fn default() -> Waits {
        Waits { lock: Duration::from_secs(5), connection: Duration::from_secs(10) }
    }
}

/// The connections of a store; both may be the same.
pub(crate) struct Connections {
    /// For look-ups.
    pub(crate) read: DatabaseConnection,
    /// For transactions that change something.
    pub(crate) write: DatabaseConnection,
}

/// Opens a database.
pub(crate) async fn open(url: &str, waits: Waits) -> StoreResult<Connections> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        #[cfg(feature = "sqlite")]
        Some("sqlite") => sqlite::open(url, waits).await,
        #[cfg(feature = "postgres")]
        Some("postgres" | "postgresql") => server::open(url, waits).await,
        #[cfg(feature = "mysql")]
        Some("mysql") => server::open(url, waits).await,
        // The text must not repeat the address: it may hold a password.
        _ => Err(StoreError::Invalid(
            "the database's address is of a kind that this build does not know; write sqlite://path/to/file.db"
                .into(),
        )),
    }
}

/// How a transaction begins that will write. SQLite takes the write lock at once: to take it later, after a
/// read, fails without waiting when another process wrote in between.
pub(crate) fn writing() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}

/// Makes a table whose rows lie in the order of their primary key where that has to be asked for.
pub(crate) fn clustered(table: &mut TableCreateStatement, backend: DbBackend) {
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
}

/// An insert of many rows whose failure ends the transaction. SQLite need not be able to undo it alone then,
/// for which it would first copy every page that the statement touches.
pub(crate) fn bulk_insert(text: String, backend: DbBackend) -> String {
    match (backend, text.strip_prefix("INSERT INTO")) {
        (DbBackend::Sqlite, Some(rest)) => format!("INSERT OR FAIL INTO{rest}"),
        _ => text,
    }
}

/// What a database says of an error, if that cannot hold a value; else its code.
pub(crate) fn describe(error: &dyn DatabaseError) -> String {
    #[cfg(feature = "sqlite")]
    if error.try_downcast_ref::<sea_orm::sqlx::sqlite::SqliteError>().is_some() {
        return error.message().to_owned();
    }
    format!("the database refused (code {})", error.code().unwrap_or_default())
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::{Connections, Waits};
    use crate::error::database;
    use burncloud_core::store::{StoreError, StoreResult};
    use sea_orm::sqlx::ConnectOptions;
    use sea_orm::sqlx::sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
    };
    use sea_orm::{DbErr, RuntimeErr, SqlxSqliteConnector};
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    /// Connections for look-ups; each is a thread with a page cache of 2 MiB at most.
    const READERS: u32 = 4;

    pub(super) async fn open(url: &str, waits: Waits) -> StoreResult<Connections> {
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        let options: SqliteConnectOptions = url
            .parse()
            .map_err(|_| StoreError::Invalid("write the address as sqlite://path/to/file.db".into()))?;
        let options = options.foreign_keys(true).busy_timeout(waits.lock).disable_statement_logging();
        if in_memory {
            let only = connect(options, 1, waits).await?;
            let only = SqlxSqliteConnector::from_sqlx_sqlite_pool(only);
            return Ok(Connections { read: only.clone(), write: only });
        }
        create(options.get_filename())?;
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            // A commit is on the disk when it returns: the journal forgets what the database has.
            .synchronous(SqliteSynchronous::Full)
            .pragma("temp_store", "MEMORY")
            // 16 MiB: a page that is written often is then copied into the database less often.
            .pragma("wal_autocheckpoint", "4000")
            .pragma("journal_size_limit", "67108864");
        let writer = connect(options.clone().pragma("cache_size", "-8000"), 1, waits).await?;
        let readers = connect(options.pragma("query_only", "ON"), READERS, waits).await?;
        Ok(Connections {
            read: SqlxSqliteConnector::from_sqlx_sqlite_pool(readers),
            write: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
        })
    }

    /// An in-memory database lives as long as its connection, so a lone connection is never closed.
    async fn connect(options: SqliteConnectOptions, most: u32, waits: Waits) -> StoreResult<SqlitePool> {
        let idle = (most > 1).then_some(Duration::from_secs(600));
        SqlitePoolOptions::new()
            .max_connections(most)
            .min_connections(u32::from(most == 1))
            .acquire_timeout(waits.connection)
            .idle_timeout(idle)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .map_err(|error| database(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))))
    }

    /// Makes the file if there is none, for its owner alone; SQLite gives its side files the same mode.
    fn create(path: &Path) -> StoreResult<()> {
        let mut options = std::fs::OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(drop).map_err(|error| {
            StoreError::Unavailable(format!(
                "the database file `{}` cannot be opened: {error}",
                path.display()
            ))
        })
    }
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server {
    use super::{Connections, Waits};
    use crate::error::database;
    use burncloud_core::store::StoreResult;
    use sea_orm::{ConnectOptions, Database};

    pub(super) async fn open(url: &str, waits: Waits) -> StoreResult<Connections> {
        let mut options = ConnectOptions::new(url);
        options.sqlx_logging(false).max_connections(10).acquire_timeout(waits.connection);
        let both = Database::connect(options).await.map_err(database)?;
        Ok(Connections { read: both.clone(), write: both })
    }
}
