//! Who signs in to the console, what they did there, and indexes for its lists.

use super::columns::{column, id, number, table, text, word};
use crate::backend;
use sea_orm::sea_query::{Index, TableCreateStatement};
use sea_orm::{DbBackend, Statement};

fn sign_in(backend: DbBackend) -> [TableCreateStatement; 3] {
    let logins = table("logins")
        .col(number("user_id").primary_key())
        .col(word("name", 255).unique_key())
        .col(text("display"))
        .col(column("password").text())
        .col(column("must_change").boolean().not_null())
        // Sealed like channels' credentials.
        .col(column("totp").blob())
        .col(column("totp_step").big_integer())
        .col(backend::exact(column("subject").string_len(512).unique_key(), backend))
        .col(number("failures"))
        .col(column("locked_until").big_integer())
        .col(column("last_at").big_integer())
        .col(number("created_at"))
        .to_owned();
    let sessions = table("sessions")
        .col(column("hash").binary_len(32).not_null().primary_key())
        .col(number("user_id"))
        .col(column("acting_id").big_integer())
        .col(number("created_at"))
        .col(number("seen_at"))
        .col(number("expires_at"))
        .col(text("ip"))
        .col(text("agent"))
        .to_owned();
    let invitations = table("invitations")
        .col(column("hash").binary_len(32).not_null().primary_key())
        .col(number("tenant_id"))
        .col(word("role", 16))
        .col(text("note"))
        .col(number("gift"))
        .col(text("author"))
        .col(number("created_at"))
        .col(number("expires_at"))
        .col(column("used_at").big_integer())
        .col(column("used_by").big_integer())
        .col(column("revoked_at").big_integer())
        .to_owned();
    [logins, sessions, invitations]
}

/// No foreign key: what was done is kept whatever became of whom it names.
fn records(backend: DbBackend) -> [TableCreateStatement; 3] {
    let audits = table("audits")
        .col(id("id"))
        .col(number("at"))
        .col(text("author"))
        .col(column("user_id").big_integer())
        .col(column("acting_id").big_integer())
        .col(number("tenant_id"))
        .col(word("action", 255))
        .col(backend::exact(&mut word("subject", 255), backend))
        .col(text("name"))
        .col(text("was"))
        .col(text("became"))
        .col(text("ip"))
        .to_owned();
    let onces = table("onces")
        .col(backend::exact(&mut word("who", 255), backend))
        .col(backend::exact(&mut word("name", 255), backend))
        .col(column("fingerprint").binary_len(32).not_null())
        .col(number("began_at"))
        .col(column("status").integer())
        .col(column("body").text())
        .primary_key(Index::create().col("who").col("name"))
        .to_owned();
    let settings = table("settings")
        .col(backend::exact(word("name", 255).primary_key(), backend))
        .col(text("value"))
        .to_owned();
    [audits, onces, settings]
}

/// Everything, in order.
pub(super) fn statements(backend: DbBackend) -> Vec<Statement> {
    let tables = sign_in(backend).into_iter().chain(records(backend));
    let mut all: Vec<Statement> = tables.map(|table| backend.build(&table)).collect();
    let indexes = [
        ("sessions_user", "sessions", "user_id", "seen_at"),
        ("sessions_acting", "sessions", "acting_id", "seen_at"),
        ("sessions_seen", "sessions", "seen_at", "user_id"),
        ("audits_tenant", "audits", "tenant_id", "id"),
        ("audits_subject", "audits", "subject", "id"),
        ("audits_user", "audits", "user_id", "id"),
        ("audits_acting", "audits", "acting_id", "id"),
        ("onces_began", "onces", "began_at", "who"),
        ("users_tenant", "users", "tenant_id", "id"),
    ];
    all.extend(indexes.map(|(name, table, first, then)| {
        backend.build(&Index::create().name(name).table(table).col(first).col(then).to_owned())
    }));
    all
}
