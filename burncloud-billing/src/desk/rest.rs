//! What the gateway passes over at the moment, and having it tried again at once.

use super::audit::Change;
use super::reports::{RestingLane, View};
use super::{Actor, Desk};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{ChannelId, Handle, Status, TenantId};
use serde_json::{Value, json};

impl Desk {
    /// The lanes that the gateway passes over now with the names of their accounts, those that are back soonest first.
    ///
    /// # Errors
    /// `Forbidden` but for the house, the store's.
    pub async fn resting(
        &self,
        actor: &Actor,
        gateway: &Handle,
    ) -> UseCaseResult<Vec<(String, RestingLane)>> {
        if self.view(actor).await? != View::House {
            return Err(UseCaseError::forbidden((
                "only the house sees which accounts rest",
                "只有自营方能看哪些账号在休息",
            )));
        }
        let table = gateway.table();
        let name = |id: ChannelId| {
            let channel = table.channels().iter().find(|channel| channel.id == id);
            channel.map(|channel| channel.name.to_string()).unwrap_or_default()
        };
        let mut all: Vec<(String, RestingLane)> =
            self.live(gateway).resting.into_iter().map(|lane| (name(lane.channel), lane)).collect();
        all.sort_by(|(a, lane), (b, other)| {
            let key = |lane: &RestingLane| lane.resting.back_in;
            key(lane).cmp(&key(other)).then_with(|| a.cmp(b)).then_with(|| lane.model.cmp(&other.model))
        });
        Ok(all)
    }

    /// Has an account tried again at once for that model, or for all; how many of its models rested.
    ///
    /// # Errors
    /// As [`channel`](Desk::channel).
    pub async fn wake_lanes(
        &self,
        actor: &Actor,
        gateway: &Handle,
        id: ChannelId,
        model: Option<&str>,
    ) -> UseCaseResult<usize> {
        let channel = self.channel(actor, id).await?;
        let woken = wake(gateway, id, model);
        if !woken.is_empty() {
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
        Ok(woken.len())
    }

    /// The account has money again: it is switched on if it was off, and whatever of it rests is tried again at once; how
    /// many of its models rested.
    ///
    /// # Errors
    /// As [`set_channel_status`](Desk::set_channel_status); `Invalid` for one that was withdrawn.
    pub async fn topped_up(
        &self,
        actor: &Actor,
        gateway: Option<&Handle>,
        id: ChannelId,
    ) -> UseCaseResult<usize> {
        let channel = self.channel(actor, id).await?;
        match channel.status {
            Status::Active => {}
            Status::Disabled => {
                self.set_channel_status(actor, id, Status::Active, Some(&channel.version)).await?;
            }
            Status::Revoked => {
                return Err(UseCaseError::invalid(
                    "channel",
                    ("this account was withdrawn", "这个账号已撤下"),
                ));
            }
        }
        match gateway {
            Some(gateway) => self.wake_lanes(actor, gateway, id, None).await,
            None => Ok(0),
        }
    }
}

fn wake(gateway: &Handle, id: ChannelId, model: Option<&str>) -> Vec<String> {
    let table = gateway.table();
    let mut woken = Vec::new();
    for (route, lane) in table.lanes() {
        let wanted = lane.channel.id == id && model.is_none_or(|model| *route.model == *model);
        if wanted && lane.breaker.resting().is_some() {
            lane.breaker.wake();
            woken.push(route.model.to_string());
        }
    }
    woken.sort();
    woken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::AuditQuery;
    use crate::tests::support::TestAdapter;
    use burncloud_core::adapter::Registry;
    use burncloud_core::store::{ChannelStore, MemoryStore};
    use burncloud_core::{ChannelConfig, ChannelSettings, Gateway, Role};
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Duration;

    struct World {
        desk: Desk,
        gateway: Gateway,
        id: ChannelId,
    }

    async fn world() -> World {
        let store = Arc::new(MemoryStore::default());
        let registry = Registry::default().with(TestAdapter("provider"));
        let channel = ChannelConfig {
            id: ChannelId(0),
            name: "harbour".into(),
            provider: "provider".into(),
            base_url: None,
            credential: String::new().into(),
            models: vec!["fast".into(), "slow".into()],
            model_mapping: BTreeMap::new(),
            priority: 0,
            weight: 1,
            status: Status::Active,
            settings: ChannelSettings::default(),
        };
        let channel = store.create_channel(channel).await.unwrap();
        let gateway =
            Gateway::builder(store.clone(), registry.clone()).build(std::slice::from_ref(&channel)).unwrap();
        for (n, model) in (1..).zip(["fast", "slow"]) {
            let table = gateway.handle().table();
            table.lane(model, channel.id).unwrap().breaker.rest(Duration::from_secs(100 * n));
        }
        World { desk: Desk::new(store, registry), gateway, id: channel.id }
    }

    async fn models(world: &World) -> Vec<String> {
        let lanes = world.desk.resting(&Actor::operator("ann"), world.gateway.handle()).await.unwrap();
        assert!(lanes.iter().all(|(name, _)| name == "harbour"));
        lanes.into_iter().map(|(_, lane)| lane.model).collect()
    }

    #[tokio::test]
    async fn what_rests_is_woken_model_by_model_and_written_down() {
        let world = world().await;
        let (owner, handle) = (Actor::operator("ann"), world.gateway.handle());
        assert_eq!(models(&world).await, ["fast", "slow"], "the soonest first");
        assert_eq!(world.desk.wake_lanes(&owner, handle, world.id, Some("fast")).await.unwrap(), 1);
        assert_eq!(models(&world).await, ["slow"]);
        assert_eq!(world.desk.topped_up(&owner, Some(handle), world.id).await.unwrap(), 1);
        assert_eq!(world.desk.wake_lanes(&owner, handle, world.id, None).await.unwrap(), 0, "all are awake");
        let log = world.desk.audit(&owner, &AuditQuery::default()).await.unwrap().items;
        let actions: Vec<_> =
            log.iter().map(|view| (&*view.entry.action, view.entry.after.clone())).collect();
        let wake = |model: &str| ("channel.wake", json!({ "models": [model] }));
        assert_eq!(actions, [wake("slow"), wake("fast")]);
    }

    #[tokio::test]
    async fn an_account_that_was_off_is_on_again_and_one_withdrawn_stays() {
        let world = world().await;
        let owner = Actor::operator("ann");
        let set = async |status| world.desk.set_channel_status(&owner, world.id, status, None).await.unwrap();
        set(Status::Disabled).await;
        assert_eq!(world.desk.topped_up(&owner, None, world.id).await.unwrap(), 0);
        assert_eq!(world.desk.channel(&owner, world.id).await.unwrap().status, Status::Active);
        set(Status::Revoked).await;
        let refused = world.desk.topped_up(&owner, None, world.id).await;
        assert!(matches!(refused, Err(UseCaseError::Invalid { .. })));
    }

    #[tokio::test]
    async fn only_the_house_sees_and_wakes() {
        let world = world().await;
        let handle = world.gateway.handle();
        for role in [Role::Reseller, Role::EndUser, Role::Accountant] {
            let actor = Actor { role, user: Some(burncloud_core::UserId(1)), ..Actor::operator("eve") };
            let woken = world.desk.wake_lanes(&actor, handle, world.id, None).await;
            assert!(matches!(woken, Err(UseCaseError::Forbidden(_))), "{role:?}: {woken:?}");
            let topped = world.desk.topped_up(&actor, Some(handle), world.id).await;
            assert!(matches!(topped, Err(UseCaseError::Forbidden(_))), "{role:?}");
            let seen = world.desk.resting(&actor, handle).await;
            assert!(
                matches!(seen, Err(UseCaseError::Forbidden(_))),
                "{role:?}, of a tenant that is not the house's"
            );
        }
        assert_eq!(models(&world).await.len(), 2, "nothing was woken");
    }
}
