//! Accounts that a gateway passes over for a while.

use crate::desk::audit::Change;
use crate::desk::{Actor, Desk};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{ChannelId, TenantId};
use serde_json::{Value, json};

impl Desk {
    /// Has a channel that rests tried again at once, and answers with how many of its models rested. `wake` does so at the
    /// gateway of this process and says how many there were.
    ///
    /// # Errors
    /// As [`channel`](Desk::channel).
    pub async fn wake_channel(
        &self,
        actor: &Actor,
        id: ChannelId,
        wake: impl FnOnce() -> usize + Send,
    ) -> UseCaseResult<usize> {
        let channel = self.channel_config(actor, id).await?;
        let woken = wake();
        if woken > 0 {
            let change = Change {
                action: "channel.wake",
                subject: format!("channel:{id}"),
                name: channel.name,
                tenant: TenantId::default(),
                before: Value::Null,
                after: json!({ "models": woken }),
            };
            self.note(actor, change).await?;
        }
        Ok(woken)
    }
}
