//! Whoever asks, and how people get in.

use super::{Role, lists};
use serde_json::Value;
use utoipa::ToSchema;

/// Whoever asks
#[derive(ToSchema)]
pub(in crate::api) struct Me {
    /// Your user.
    user: Option<i64>,
    /// Your name.
    name: String,
    /// What you may do.
    role: Role,
    /// Where you belong.
    tenant: i64,
    /// Who really sits there, where that is somebody else.
    acting: Option<i64>,
    /// How you sign in; null in another's name.
    login: Option<OwnLogin>,
}

/// How somebody signs in
#[derive(ToSchema)]
pub(in crate::api) struct OwnLogin {
    /// What you type.
    name: String,
    /// What you are called on screens.
    display: String,
    /// Whether you have a password.
    password: bool,
    /// Whether a provider of identities knows you.
    identity_provider: bool,
    /// Recovery codes that are left; null without a second factor.
    recovery_codes: Option<u64>,
}

/// A session of a browser, or a management token
#[derive(ToSchema)]
pub(in crate::api) struct Session {
    /// Names it; opens nothing.
    id: String,
    /// The token's name; null for a browser.
    token: Option<String>,
    /// When you signed in, in microseconds.
    created_at: i64,
    /// When you were seen last, to the minute or so.
    seen_at: i64,
    /// When it ends whatever happens.
    expires_at: i64,
    /// From where.
    ip: String,
    /// What the browser calls itself.
    agent: String,
}

/// A management token, shown this once
#[derive(ToSchema)]
pub(in crate::api) struct MadeToken {
    /// Its name.
    name: String,
    /// When it ends, in microseconds.
    expires_at: i64,
    /// The token; left out where the answer is a repetition.
    #[schema(required = false)]
    token: String,
}

/// An invitation, without its code
#[derive(ToSchema)]
pub(in crate::api) struct Invitation {
    /// Names it; opens nothing.
    id: String,
    /// Where they will belong.
    tenant: i64,
    /// What they may do.
    role: Role,
    /// For whom.
    note: String,
    /// Credit at the start, in nano-dollars.
    gift: i64,
    /// Who made it.
    author: String,
    /// When, in microseconds.
    created_at: i64,
    /// When it stops working.
    expires_at: i64,
    /// When somebody used it.
    used_at: Option<i64>,
    /// Who.
    used_by: Option<i64>,
    /// When it was withdrawn.
    revoked_at: Option<i64>,
}

/// An invitation with its code, shown this once
#[derive(ToSchema)]
pub(in crate::api) struct MadeInvitation {
    #[schema(inline)]
    #[serde(flatten)]
    invitation: Invitation,
    /// The code; left out where the answer is a repetition.
    #[schema(required = false)]
    code: String,
}

/// How people get in
#[derive(ToSchema)]
#[schema(example = json!({ "idle_minutes": 720, "absolute_days": 30, "require_totp_for_administrators": false }))]
pub(in crate::api) struct Access {
    /// Minutes after which a session ends that nobody uses.
    #[schema(required = false)]
    idle_minutes: u32,
    /// Days after which a session ends whatever happens.
    #[schema(required = false)]
    absolute_days: u32,
    /// Whether owners and administrators need a second factor.
    #[schema(required = false)]
    require_totp_for_administrators: bool,
    /// The tenant, by name, in which strangers may sign up; null: nobody may.
    registration: Option<String>,
    /// A provider of identities.
    oidc: Option<Oidc>,
}

/// A provider of identities (OpenID Connect)
#[derive(ToSchema)]
pub(in crate::api) struct Oidc {
    /// Its issuer.
    issuer: String,
    /// What it calls this console.
    client_id: String,
    /// Where the server finds the client's secret: `{"env": NAME}` or `{"file": PATH}`.
    client_secret: Option<Value>,
    /// The domains of e-mail addresses that may get in; none is all.
    #[schema(required = false)]
    domains: Vec<String>,
    /// The tenant, by name, in which whoever comes for the first time becomes a user.
    create_in: Option<String>,
    /// What the button says.
    #[schema(required = false)]
    button: String,
}

/// Something that was changed
#[derive(ToSchema)]
pub(in crate::api) struct AuditEntry {
    /// Its number.
    id: i64,
    /// When, in microseconds.
    at: i64,
    /// Who did it, by name.
    author: String,
    /// Who did it, where that is a user.
    user: Option<i64>,
    /// Who really sat there, where that is somebody else.
    acting: Option<i64>,
    /// The tenant that it concerns.
    tenant: i64,
    /// What, such as `key.create`.
    action: String,
    /// What of, such as `key:12`.
    subject: String,
    /// Its name at the time.
    name: String,
    /// What it was; null where it was made.
    before: Value,
    /// What it is; null where it is gone.
    after: Value,
    /// From where.
    ip: String,
}

lists! {
    /// Sessions and tokens
    SessionList of Session
    /// Invitations
    InvitationList of Invitation
    /// Changes
    AuditList of AuditEntry
}
