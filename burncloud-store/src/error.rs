//! What can go wrong in here, and how the traits say it.

use burncloud_core::store::StoreError;
use sea_orm::sqlx::Error as SqlxError;
use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// A failure of this store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The database refused, or did not answer.
    #[error("{}", describe(.0))]
    Database(#[from] DbErr),
    /// A row holds what cannot be read.
    #[error("the stored {what} of `{name}` cannot be read: {why}")]
    Damaged { what: &'static str, name: String, why: String },
    /// A credential that this key does not open.
    #[error(
        "the credential of channel `{channel}` cannot be decrypted: it was encrypted with another key, or \
         changed since; start with the right secret key, or set the credential again"
    )]
    Sealed { channel: String },
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> StoreError {
        match &failure {
            // Trying again will not help.
            Failure::Database(error) if is_unreadable(error) => StoreError::Invalid(failure.to_string()),
            Failure::Damaged { .. } | Failure::Sealed { .. } => StoreError::Invalid(failure.to_string()),
            Failure::Database(_) => StoreError::Unavailable(failure.to_string()),
        }
    }
}

/// For `map_err`.
pub(crate) fn database(error: DbErr) -> StoreError {
    Failure::Database(error).into()
}

pub(crate) fn missing(what: &'static str, name: impl ToString) -> StoreError {
    StoreError::NotFound { what, name: name.to_string() }
}

pub(crate) fn is_duplicate(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// For `map_err`: a unique column that is taken is a conflict.
pub(crate) fn conflict(what: &'static str, name: &str) -> impl FnOnce(DbErr) -> StoreError {
    move |error| match is_duplicate(&error) {
        true => StoreError::Conflict { what, name: name.to_owned() },
        false => database(error),
    }
}

/// Whether a row is there but holds what its column should not.
fn is_unreadable(error: &DbErr) -> bool {
    match error {
        DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. } => true,
        DbErr::Conn(RuntimeErr::SqlxError(e))
        | DbErr::Exec(RuntimeErr::SqlxError(e))
        | DbErr::Query(RuntimeErr::SqlxError(e)) => {
            matches!(
                **e,
                SqlxError::ColumnDecode { .. } | SqlxError::Decode(_) | SqlxError::ColumnNotFound(_)
            )
        }
        _ => false,
    }
}

/// Words without values, addresses or statements: what a database says of itself may quote any of them.
fn describe(error: &DbErr) -> String {
    let runtime = match error {
        DbErr::ConnectionAcquire(_) => return "no connection became free in time".into(),
        _ if is_unreadable(error) => return "a column holds what cannot be read".into(),
        DbErr::Conn(error) | DbErr::Exec(error) | DbErr::Query(error) => error,
        _ => return "the database gave an answer that makes no sense".into(),
    };
    match runtime {
        RuntimeErr::SqlxError(error) => match &**error {
            SqlxError::Database(error) => crate::backend::describe(&**error),
            SqlxError::Io(error) => format!("input or output failed: {}", error.kind()),
            SqlxError::Tls(_) => "the encrypted connection failed".into(),
            SqlxError::PoolTimedOut => "no connection became free in time".into(),
            SqlxError::PoolClosed | SqlxError::WorkerCrashed => "the connection is closed".into(),
            _ => "the connection failed".into(),
        },
        _ => "the connection failed".into(),
    }
}
