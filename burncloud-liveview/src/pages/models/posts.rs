//! What comes by POST because it is a file or much text: lists of accounts, transforms and scripts. What was posted waits
//! in memory for whoever posted it, and the page shows it: nothing of it is in a URL or on the socket.

use super::transforms::Try;
use crate::Console;
use crate::auth::Caller;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use burncloud_billing::desk::channels::{NewChannel, RowError};
use burncloud_billing::desk::login::random_text;
use burncloud_billing::people::{Action, Actor};
use burncloud_core::usecase::Said;
use http::StatusCode;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The largest post in bytes.
const LARGEST: usize = 4 << 20;
/// Drafts that wait at most; the oldest goes.
const ROOM: usize = 64;
/// How long one waits.
const WAITS: Duration = Duration::from_secs(15 * 60);

/// Rows of a list of accounts, or why it cannot be read.
pub(super) type Rows = Result<Vec<Result<NewChannel, RowError>>, Said>;

/// What was posted.
#[derive(Clone)]
pub(super) enum Draft {
    /// A list of accounts.
    List(Arc<Rows>),
    /// Transforms of an account, and what they do.
    Try(Arc<Try>),
}

struct Waiting {
    /// Whose: nobody else finds it.
    owner: Actor,
    since: Instant,
    draft: Draft,
}

/// What was posted and waits for a second look, in this process alone.
#[derive(Default)]
pub(crate) struct Drafts(Mutex<HashMap<String, Waiting>>);

impl std::fmt::Debug for Drafts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // They hold credentials.
        f.debug_struct("Drafts").field("waiting", &self.0.lock().len()).finish_non_exhaustive()
    }
}

fn same(a: &Actor, b: &Actor) -> bool {
    (a.user, &a.name, a.acting) == (b.user, &b.name, b.acting)
}

impl Drafts {
    /// Keeps it; the answer finds it again. Empty where the system gives no random bytes.
    pub(super) fn keep(&self, owner: &Actor, draft: Draft) -> String {
        let Ok(id) = random_text() else { return String::new() };
        let mut waiting = self.0.lock();
        waiting.retain(|_, one| one.since.elapsed() < WAITS);
        while waiting.len() >= ROOM {
            let oldest = waiting.iter().min_by_key(|(_, one)| one.since).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { break };
            waiting.remove(&oldest);
        }
        waiting.insert(id.clone(), Waiting { owner: owner.clone(), since: Instant::now(), draft });
        id
    }

    /// What its owner posted, unless it waited too long.
    pub(super) fn find(&self, owner: &Actor, id: &str) -> Option<Draft> {
        let waiting = self.0.lock();
        let one = waiting.get(id).filter(|one| same(&one.owner, owner) && one.since.elapsed() < WAITS)?;
        Some(one.draft.clone())
    }

    /// It is not needed any more.
    pub(super) fn drop_one(&self, owner: &Actor, id: &str) {
        let mut waiting = self.0.lock();
        if waiting.get(id).is_some_and(|one| same(&one.owner, owner)) {
            waiting.remove(id);
        }
    }
}

/// The parts of a form by name; of a name that comes twice the first that holds something.
pub(super) struct Posted(HashMap<String, String>);

impl Posted {
    async fn read(mut form: Multipart) -> Result<Posted, Response> {
        let mut parts: HashMap<String, String> = HashMap::new();
        loop {
            let part = form.next_field().await.map_err(IntoResponse::into_response)?;
            let Some(part) = part else { return Ok(Posted(parts)) };
            let name = part.name().unwrap_or_default().to_owned();
            let bytes = part.bytes().await.map_err(IntoResponse::into_response)?;
            // A browser sends the ends of lines as CR LF.
            let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
            if !text.is_empty() {
                parts.entry(name).or_insert(text);
            }
        }
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// Who may post here, else what they are answered.
async fn sender(console: &Console, caller: &Caller, form: &Posted) -> Result<Actor, Response> {
    let actor = crate::auth::sender(console, caller, form.text("csrf")).await;
    let actor = actor.ok_or_else(|| StatusCode::FORBIDDEN.into_response())?;
    match actor.check_in_house(Action::ManageHouse) {
        Ok(()) => Ok(actor),
        Err(_) => Err(StatusCode::FORBIDDEN.into_response()),
    }
}

async fn import(State(console): State<Console>, caller: Caller, form: Multipart) -> Response {
    let form = match Posted::read(form).await {
        Ok(form) => form,
        Err(answer) => return answer,
    };
    let actor = match sender(&console, &caller, &form).await {
        Ok(actor) => actor,
        Err(answer) => return answer,
    };
    let text = Some(form.text("file")).filter(|text| !text.trim().is_empty()).unwrap_or(form.text("list"));
    let rows = crate::api::channel_rows(text.as_bytes());
    let id = console.drafts().keep(&actor, Draft::List(Arc::new(rows)));
    Redirect::to(&format!("{}/models/import?draft={id}", console.prefix())).into_response()
}

async fn transforms(State(console): State<Console>, caller: Caller, form: Multipart) -> Response {
    let form = match Posted::read(form).await {
        Ok(form) => form,
        Err(answer) => return answer,
    };
    let actor = match sender(&console, &caller, &form).await {
        Ok(actor) => actor,
        Err(answer) => return answer,
    };
    let tried = super::transforms::tried(&console, &actor, &form).await;
    let channel = tried.channel;
    let id = console.drafts().keep(&actor, Draft::Try(Arc::new(tried)));
    let to = format!("{}/models/accounts/{channel}?tab=transforms&draft={id}", console.prefix());
    Redirect::to(&to).into_response()
}

/// Where the page posts to.
pub(crate) fn routes(console: Console) -> Router {
    let under = |path: &str| format!("{}{path}", console.prefix());
    let router = Router::new()
        .route(&under(IMPORT), post(import))
        .route(&under(TRANSFORMS), post(transforms))
        .layer(DefaultBodyLimit::max(LARGEST));
    crate::web::secure(router.with_state(console))
}

/// Where lists of accounts go.
pub(super) const IMPORT: &str = "/post/models/import";
/// Where transforms go.
pub(super) const TRANSFORMS: &str = "/post/models/transforms";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_found_by_its_owner_alone_and_the_oldest_goes() {
        let drafts = Drafts::default();
        let (ann, bob) = (Actor::operator("ann"), Actor::operator("bob"));
        let first = drafts.keep(&ann, Draft::List(Arc::new(Ok(Vec::new()))));
        assert!(drafts.find(&ann, &first).is_some() && drafts.find(&bob, &first).is_none());
        drafts.drop_one(&bob, &first);
        assert!(drafts.find(&ann, &first).is_some(), "it is not bob's to drop");
        for _ in 0..ROOM {
            drafts.keep(&bob, Draft::List(Arc::new(Ok(Vec::new()))));
        }
        assert!(drafts.find(&ann, &first).is_none());
        assert_eq!(drafts.0.lock().len(), ROOM);
        assert_eq!(format!("{drafts:?}"), "Drafts { waiting: 64, .. }");
    }
}
