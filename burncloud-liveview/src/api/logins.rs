//! How others get in: invitations, passwords, the settings of the door.

use super::page::{List, PageParams};
use super::problem::Problem;
use super::read::{At, Body, Params, Who};
use super::reply::{Answer, created_once, nothing, ok};
use super::{Api, schema};
use axum::extract::State;
use burncloud_billing::desk::login::{AccessSettings, InvitationSpec};
use burncloud_core::store::Invitation;
use burncloud_core::{Nano, Role, TenantId, UnixMicros, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Days for which an invitation stands where nobody says.
const DAYS: u32 = 7;
const DAY_US: i64 = 86_400_000_000;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_invitations, create_invitation))
        .routes(routes!(revoke_invitation))
        .routes(routes!(set_user_login))
        .routes(routes!(sign_out_user))
        .routes(routes!(drop_user_factor))
        .routes(routes!(get_access, set_access))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInvitation, example = json!({ "note": "for Mina", "gift": 5_000_000_000_i64 }))]
struct InvitationBody {
    /// Where they will belong; where you do, if it is left out.
    #[serde(default)]
    tenant: Option<i64>,
    /// What they may do; an end user where it is left out.
    #[serde(default)]
    #[schema(value_type = schema::Role)]
    role: Role,
    /// For whom.
    #[serde(default)]
    note: String,
    /// Credit that is given to them at the start, in nano-dollars.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 0)]
    gift: Nano,
    /// For how many days it stands: 1 to 90, and 7 where it is left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 90)]
    days: Option<u32>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLogin, example = json!({ "name": "mina@harbour.example", "password": "a sentence that only Mina knows" }))]
struct LoginBody {
    /// What they type to sign in; may be left out where they have a name already.
    #[serde(default)]
    name: Option<String>,
    /// A password, which they change at the next sign-in.
    #[schema(write_only)]
    password: String,
}

fn id_of(invitation: &Invitation) -> String {
    invitation.hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn shown(invitation: &Invitation) -> Value {
    json!({
        "id": id_of(invitation),
        "tenant": invitation.tenant,
        "role": invitation.role,
        "note": invitation.note,
        "gift": invitation.gift,
        "author": invitation.author,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
        "used_at": invitation.used.map(|(at, _)| at),
        "used_by": invitation.used.and_then(|(_, user)| user),
        "revoked_at": invitation.revoked_at,
    })
}

/// List invitations
#[utoipa::path(get, path = "/api/invitations", tag = "Users", params(PageParams),
    responses((status = 200, description = "Newest first, without the codes", body = schema::InvitationList)))]
async fn list_invitations(
    State(api): State<Api>,
    Who(actor): Who,
    Params(page): Params<PageParams>,
) -> Answer {
    let all = api.desk().invitations(&actor).await?;
    ok(&List::counted(all.iter().map(shown).collect(), &page)?)
}

/// Invite somebody
///
/// The code is in this answer and nowhere else: give it to them as `{prefix}/join?code=…`.
#[utoipa::path(post, path = "/api/invitations", tag = "Users", request_body = InvitationBody,
    responses((status = 201, description = "It is made", body = schema::MadeInvitation)))]
async fn create_invitation(
    State(api): State<Api>,
    Who(actor): Who,
    Body(body): Body<InvitationBody>,
) -> Answer {
    let days = body.days.unwrap_or(DAYS);
    if !(1..=90).contains(&days) {
        return Err(Problem::invalid("days", "an invitation stands for 1 to 90 days"));
    }
    let tenant = body.tenant.map_or(actor.tenant, TenantId);
    let spec = InvitationSpec {
        tenant: api.desk().tenant(&actor, tenant).await?.tenant.id,
        role: body.role,
        note: body.note,
        gift: body.gift,
        expires_at: UnixMicros(UnixMicros::now().0 + i64::from(days) * DAY_US),
    };
    let made = api.desk().invite(&actor, spec).await?;
    let mut answer = shown(&made.invitation);
    answer["code"] = json!(made.code.expose_secret());
    created_once(&answer, &["code"])
}

/// Withdraw an invitation
#[utoipa::path(delete, path = "/api/invitations/{id}", tag = "Users", params(schema::ByWord),
    responses((status = 204, description = "It is worth nothing any more")))]
async fn revoke_invitation(State(api): State<Api>, Who(actor): Who, At(id): At<String>) -> Answer {
    let seen = api.desk().invitations(&actor).await?;
    let found = seen.iter().find(|invitation| id_of(invitation) == id);
    let found = found.ok_or_else(|| Problem::missing("there is no such invitation"))?;
    api.desk().revoke_invitation(&actor, &found.hash).await?;
    nothing()
}

/// Give somebody a name to sign in by and a password
///
/// They are signed out everywhere, and change the password at the next sign-in.
#[utoipa::path(put, path = "/api/users/{id}/login", tag = "Users", params(schema::ById),
    request_body = LoginBody, responses((status = 204, description = "It is done")))]
async fn set_user_login(
    State(api): State<Api>,
    Who(actor): Who,
    At(id): At<i64>,
    Body(body): Body<LoginBody>,
) -> Answer {
    let user = api.desk().user(&actor, UserId(id)).await?.user.id;
    let password = SecretString::from(body.password);
    api.desk().set_password_of(&actor, user, body.name.as_deref(), password).await?;
    nothing()
}

/// Sign somebody out everywhere
///
/// Their management tokens end as well.
#[utoipa::path(post, path = "/api/users/{id}/sign-out", tag = "Users", params(schema::ById),
    responses((status = 200, description = "How many sessions and tokens ended", body = schema::Count)))]
async fn sign_out_user(State(api): State<Api>, Who(actor): Who, At(id): At<i64>) -> Answer {
    let user = api.desk().user(&actor, UserId(id)).await?.user.id;
    ok(&json!({ "count": api.desk().sign_out_user(&actor, user).await? }))
}

/// Take away somebody's second factor, who lost it
#[utoipa::path(delete, path = "/api/users/{id}/factor", tag = "Users", params(schema::ById),
    responses((status = 204, description = "It is gone")))]
async fn drop_user_factor(State(api): State<Api>, Who(actor): Who, At(id): At<i64>) -> Answer {
    let user = api.desk().user(&actor, UserId(id)).await?.user.id;
    api.desk().drop_factor_of(&actor, user).await?;
    nothing()
}

/// Show how people get in
#[utoipa::path(get, path = "/api/settings/access", tag = "Settings",
    responses((status = 200, description = "As it is set", body = schema::Access)))]
async fn get_access(State(api): State<Api>, Who(actor): Who) -> Answer {
    ok(&api.desk().access_for(&actor).await?)
}

/// Set how people get in
///
/// All of it: what is left out is set back to its default. The provider of identities is for owners to set.
#[utoipa::path(put, path = "/api/settings/access", tag = "Settings", request_body = schema::Access,
    responses((status = 200, description = "As it is set", body = schema::Access)))]
async fn set_access(State(api): State<Api>, Who(actor): Who, Body(next): Body<AccessSettings>) -> Answer {
    api.desk().set_access(&actor, &next).await?;
    ok(&api.desk().access_for(&actor).await?)
}
