//! What one database does otherwise than the others: addresses, settings, transactions, words of errors.
//! Everything else in this crate is written for all of them.

mod reports;

pub(crate) use reports::*;

use burncloud_core::store::{StoreError, StoreResult};
use sea_orm::sea_query::{ColumnDef, Expr, TableCreateStatement};
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::{DatabaseConnection, DbBackend, SqliteTransactionMode, TransactionOptions};
use std::path::Path;
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

/// A column of text whose letters are told apart by case where that has to be asked for.
pub(crate) fn exact(column: &mut ColumnDef, backend: DbBackend) -> ColumnDef {
    if backend == DbBackend::MySql {
        column.extra("COLLATE utf8mb4_bin");
    }
    column.to_owned()
}

/// What a value that is bound is written as in the text of a condition.
fn place(backend: DbBackend) -> &'static str {
    if backend == DbBackend::Postgres { "$1" } else { "?" }
}

/// `column` is one of these numbers, bound as one value: databases bound how many there may be.
pub(crate) fn in_list(column: &str, ids: &[i64], backend: DbBackend) -> Expr {
    let place = place(backend);
    let list = match backend {
        DbBackend::MySql => {
            format!("SELECT id FROM JSON_TABLE({place}, '$[*]' COLUMNS (id BIGINT PATH '$')) AS list")
        }
        DbBackend::Sqlite => format!("SELECT value FROM json_each({place})"),
        _ => format!("SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST({place} AS JSON))"),
    };
    Expr::cust_with_values(format!("{column} IN ({list})"), [crate::sql::to_json(&ids)])
}

/// `column` is like `pattern`, in which `!` escapes, whatever the case of letters as the database knows it.
pub(crate) fn like(column: &str, pattern: String, backend: DbBackend) -> Expr {
    let place = place(backend);
    Expr::cust_with_values(format!("LOWER({column}) LIKE LOWER({place}) ESCAPE '!'"), [pattern])
}

/// Whether this is a SQLite database in a file.
pub(crate) fn is_file(database: &DatabaseConnection) -> bool {
    #[cfg(feature = "sqlite")]
    return database.get_database_backend() == DbBackend::Sqlite
        && sqlite::is_file(database.get_sqlite_connection_pool());
    #[cfg(not(feature = "sqlite"))]
    return database.get_database_backend() == DbBackend::Sqlite;
}

/// Copies a SQLite database, as it is at one moment, into the empty file at `to`.
#[cfg_attr(not(feature = "sqlite"), expect(clippy::unused_async, reason = "it is where there is SQLite"))]
pub(crate) async fn copy(database: &DatabaseConnection, to: &Path) -> StoreResult<()> {
    #[cfg(feature = "sqlite")]
    return sqlite::copy(database.get_sqlite_connection_pool(), to).await;
    #[cfg(not(feature = "sqlite"))]
    return Err(StoreError::Invalid(format!("{database:?} is not copied to `{}`", to.display())));
}

/// Whether every page and index of the SQLite database at `path` is as it should be.
#[cfg_attr(not(feature = "sqlite"), expect(clippy::unused_async, reason = "it is where there is SQLite"))]
pub(crate) async fn is_whole(path: &Path) -> StoreResult<bool> {
    #[cfg(feature = "sqlite")]
    return sqlite::is_whole(path).await;
    #[cfg(not(feature = "sqlite"))]
    return Err(StoreError::Invalid(format!("`{}` is not read", path.display())));
}

/// An insert of many rows whose failure ends the transaction. SQLite need not be able to undo it alone then,
/// for which it would first copy every page that the statement touches.
pub(crate) fn bulk_insert(text: String, backend: DbBackend) -> String {
    match (backend, text.strip_prefix("INSERT INTO")) {
        (DbBackend::Sqlite, Some(rest)) => format!("INSERT OR FAIL INTO{rest}"),
        _ => text,
    }
}

/// A table whose sums are moved in bulk.
pub(crate) struct Sums {
    pub(crate) table: &'static str,
    /// The columns that name a row.
    pub(crate) key: &'static [&'static str],
    pub(crate) sums: &'static [&'static str],
}

/// The sum of a column in two halves, `high` of 2³² each and `low`: a sum as such may be more than a database can hold.
pub(crate) fn halves(column: &str, backend: DbBackend) -> String {
    let (quotient, whole) = match backend {
        DbBackend::MySql => ("DIV", "SIGNED"),
        _ => ("/", "BIGINT"),
    };
    let half = |operator: &str, name: String| {
        format!("CAST(SUM({column} {operator} 4294967296) AS {whole}) AS {name}")
    };
    format!("{}, {}", half(quotient, format!("{column}_high")), half("%", format!("{column}_low")))
}

/// The largest and the smallest number that a column holds.
pub(crate) const MOST: &str = "9223372036854775807";
pub(crate) const LEAST: &str = "(-9223372036854775807 - 1)";

/// `column` moved by `by`, but never beyond the range of an `i64`: past it SQLite would go on in floating point, and others
/// would refuse.
fn saturating(column: &str, by: &str) -> String {
    format!(
        "CASE WHEN {by} > 0 THEN CASE WHEN {column} > {MOST} - {by} THEN {MOST} ELSE {column} + {by} END \
         ELSE CASE WHEN {column} < {LEAST} - {by} THEN {LEAST} ELSE {column} + {by} END END"
    )
}

impl Sums {
    /// How many values a row takes: the key's, then one for each sum.
    pub(crate) fn width(&self) -> usize {
        self.key.len() + self.sums.len()
    }

    /// Adds to the sums of rows, and makes those that are not there.
    pub(crate) fn add(&self, rows: usize, backend: DbBackend) -> String {
        let columns: Vec<&str> = self.key.iter().chain(self.sums).copied().collect();
        let places = places(rows, self.width(), backend, |place| place);
        let (table, columns, key) = (self.table, columns.join(", "), self.key.join(", "));
        let mysql = backend == DbBackend::MySql;
        let upsert = match mysql {
            true => "ON DUPLICATE KEY UPDATE".to_owned(),
            false => format!("ON CONFLICT ({key}) DO UPDATE SET"),
        };
        let moved = |sum: &&str| {
            let new = if mysql { format!("VALUES({sum})") } else { format!("excluded.{sum}") };
            format!("{sum} = {}", saturating(&format!("{table}.{sum}"), &new))
        };
        let moved: Vec<String> = self.sums.iter().map(moved).collect();
        let text = format!("INSERT INTO {table} ({columns}) VALUES {places} {upsert} {}", moved.join(", "));
        bulk_insert(text, backend)
    }

    /// Adds to the sums of those rows that are there; the key is one number.
    pub(crate) fn shift(&self, rows: usize, backend: DbBackend) -> String {
        let key = self.key[0];
        let columns: Vec<String> =
            (0..self.width()).map(|n| if n == 0 { key.to_owned() } else { format!("by{n}") }).collect();
        let (table, columns) = (self.table, columns.join(", "));
        let moved = |(n, sum): (usize, &&str)| {
            let column = format!("{table}.{sum}");
            let set = if backend == DbBackend::MySql { column.as_str() } else { sum };
            format!("{set} = {}", saturating(&column, &format!("moved.by{}", n + 1)))
        };
        let sets: Vec<String> = self.sums.iter().enumerate().map(moved).collect();
        let sets = sets.join(", ");
        if backend == DbBackend::MySql {
            // MariaDB has no table of values. Without the cast sums would be of floating point.
            let named = columns.split(", ").map(|name| format!("CAST(? AS SIGNED) AS {name}"));
            let row = named.collect::<Vec<_>>().join(", ");
            let moved = vec![format!("SELECT {row}"); rows].join(" UNION ALL ");
            return format!(
                "UPDATE {table} JOIN ({moved}) AS moved ON {table}.{key} = moved.{key} SET {sets}"
            );
        }
        // Without the cast PostgreSQL would take the values for texts.
        let places = places(rows, self.width(), backend, |place| format!("CAST({place} AS BIGINT)"));
        let or_fail = if backend == DbBackend::Sqlite { "OR FAIL " } else { "" };
        format!(
            "WITH moved ({columns}) AS (VALUES {places}) UPDATE {or_fail}{table} SET {sets} FROM moved \
             WHERE {table}.{key} = moved.{key}"
        )
    }
}

/// `(?, ?), (?, ?)`, in the words of the database.
fn places(rows: usize, width: usize, backend: DbBackend, place: impl Fn(String) -> String) -> String {
    let mut places = String::new();
    for row in 0..rows {
        places.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..width {
            let name = match backend {
                DbBackend::Postgres => format!("${}", row * width + column + 1),
                _ => "?".to_owned(),
            };
            places.push_str(if column == 0 { "" } else { ", " });
            places.push_str(&place(name));
        }
        places.push(')');
    }
    places
}

/// Whether a database cannot hold a value that it was given: to try again will not help. Servers say so by SQLSTATEs of the
/// class 22, MySQL also by a number of its own, SQLite by `SQLITE_TOOBIG` and `SQLITE_MISMATCH`.
pub(crate) fn is_unfit(error: &dyn DatabaseError) -> bool {
    #[cfg(feature = "sqlite")]
    if error.try_downcast_ref::<sea_orm::sqlx::sqlite::SqliteError>().is_some() {
        return matches!(error.code().as_deref(), Some("18" | "20"));
    }
    #[cfg(feature = "mysql")]
    if let Some(error) = error.try_downcast_ref::<sea_orm::sqlx::mysql::MySqlDatabaseError>() {
        // Too long, and characters that a column cannot hold.
        return matches!(error.number(), 1366 | 1406) || is_data(error.code());
    }
    is_data(error.code().as_deref())
}

/// A SQLSTATE of the class "data exception".
fn is_data(code: Option<&str>) -> bool {
    code.is_some_and(|code| code.len() == 5 && code.starts_with("22"))
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
    use sea_orm::sqlx::{self, Connection, Error};
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

    fn failed(error: Error) -> StoreError {
        database(DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error))))
    }

    /// Whether there is a file. What a connection to a database in memory copies into is in memory too, whatever its name.
    pub(super) fn is_file(pool: &SqlitePool) -> bool {
        pool.connect_options().get_filename().is_file()
    }

    /// On a connection of its own, so that no transaction waits for it.
    pub(super) async fn copy(pool: &SqlitePool, to: &Path) -> StoreResult<()> {
        let unreadable = || StoreError::Invalid("the path of a copy is a text in UTF-8".into());
        let copy = sqlx::query("VACUUM INTO ?").bind(to.to_str().ok_or_else(unreadable)?.to_owned());
        let mut own = pool.connect_options().connect().await.map_err(failed)?;
        copy.execute(&mut own).await.map_err(failed)?;
        own.close().await.map_err(failed)
    }

    /// Nobody else has the file: it is read as it lies, without locks or side files.
    pub(super) async fn is_whole(path: &Path) -> StoreResult<bool> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
        let mut file = options.disable_statement_logging().connect().await.map_err(failed)?;
        let said = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut file).await;
        let tables = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master").fetch_one(&mut file).await;
        file.close().await.map_err(failed)?;
        // An empty file is a database without tables.
        if !matches!(tables, Ok(1_i64..)) {
            return Ok(false);
        }
        let said: Vec<String> = match said {
            // What is damaged enough is no database at all.
            Err(Error::Database(_)) => return Ok(false),
            said => said.map_err(failed)?,
        };
        Ok(said == ["ok"])
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
