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
    /// The secret of a second factor that this key does not open.
    #[error(
        "the second factor of `{name}` cannot be decrypted: it was encrypted with another key, or changed since; \
         start with the right secret key, or set the login again"
    )]
    SealedLogin { name: String },
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> StoreError {
        match &failure {
            // Trying again will not help.
            Failure::Database(error) if is_unreadable(error) || is_unfit(error) => {
                StoreError::Invalid(failure.to_string())
            }
            Failure::Damaged { .. } | Failure::Sealed { .. } | Failure::SealedLogin { .. } => {
                StoreError::Invalid(failure.to_string())
            }
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

/// Whether the database cannot hold what it was given.
fn is_unfit(error: &DbErr) -> bool {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => match &**e {
            SqlxError::Database(error) => crate::backend::is_unfit(&**error),
            _ => false,
        },
        _ => false,
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

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::sqlx::error::{DatabaseError, ErrorKind};
    use std::borrow::Cow;
    use std::error::Error;
    use std::fmt;
    use std::sync::Arc;

    /// What a server says.
    #[derive(Debug)]
    struct Said(&'static str);

    impl fmt::Display for Said {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Said {}

    impl DatabaseError for Said {
        fn message(&self) -> &str {
            "it quotes the value"
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    #[test]
    fn what_a_database_cannot_hold_is_invalid_and_what_may_pass_is_not() {
        let says = |code| {
            let error = SqlxError::Database(Box::new(Said(code)));
            database(DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error))))
        };
        // Too long, out of range, a NUL in a text.
        for code in ["22001", "22003", "22021"] {
            let error = says(code);
            assert!(matches!(error, StoreError::Invalid(_)), "{code}: {error:?}");
            assert!(!error.to_string().contains("quotes"), "{error}");
        }
        // Deadlock, shutdown, disk full; SQLite's file without large file support and failed assertion.
        for code in ["40001", "57P01", "53100", "22", "2570"] {
            assert!(matches!(says(code), StoreError::Unavailable(_)), "{code}");
        }
    }
}
