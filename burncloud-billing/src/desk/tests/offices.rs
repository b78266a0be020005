//! What is offered is what is let through.

use super::*;
use crate::desk::{UserDraft, UserEdit};
use burncloud_core::{Role, UserId};

#[tokio::test]
async fn the_roles_that_are_offered_are_those_that_can_be_given() {
    let world = World::new().await;
    for role in Role::ALL {
        for tenant in ["default", "reseller"] {
            let actor = world.actor(tenant, role).await;
            for powers in world.desk.powers(&actor).await.unwrap() {
                for wanted in Role::ALL {
                    let draft = UserDraft {
                        name: format!("{role:?}-{tenant}-{}-{wanted:?}", powers.name),
                        tenant: Some(powers.tenant),
                        role: wanted,
                        ..UserDraft::default()
                    };
                    let made = world.desk.create_user(&actor, draft).await.is_ok();
                    assert_eq!(powers.roles.contains(&wanted), made, "{role:?} of {tenant}: {wanted:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_offered_with_a_user_is_what_can_be_done() {
    let world = World::new().await;
    let (sub, other) = (world.user("sub").await, world.user("other").await);
    let owner = world.actor("default", Role::Owner).await;
    let reseller = world.actor("reseller", Role::Reseller).await;
    let over = world.desk.powers_over(&reseller, sub.id).await.unwrap();
    assert!(over.change && over.fund && over.credit && over.login && !over.oneself);
    assert_eq!(over.roles, [Role::Reseller, Role::Accountant]);
    hidden(world.desk.powers_over(&reseller, other.id).await);
    hidden(world.desk.powers_over(&owner, UserId(9_999)).await);
    let accountant = world.actor("reseller", Role::Accountant).await;
    let over = world.desk.powers_over(&accountant, sub.id).await.unwrap();
    assert!(!over.change && !over.fund && !over.credit && !over.login && !over.act_as);
    let own = world.me("sub").await;
    let over = world.desk.powers_over(&own, sub.id).await.unwrap();
    assert!(over.oneself && !over.change && !over.login && !over.act_as && over.roles.is_empty());
}

#[tokio::test]
async fn a_group_names_its_members_to_whoever_sees_the_seller() {
    let world = World::new().await;
    let (owner, user) = (world.actor("default", Role::Owner).await, world.user("sub").await);
    let edit = UserEdit { group: Some(Some("vip".into())), ..UserEdit::default() };
    world.desk.update_user(&owner, user.id, edit, None).await.unwrap();
    let members = world.desk.group_members(&owner, user.tenant, "vip").await.unwrap();
    assert_eq!(members.users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(), ["sub"]);
    assert!(world.desk.group_members(&owner, user.tenant, "none").await.unwrap().users.is_empty());
    let other = world.actor("other", Role::Reseller).await;
    hidden(world.desk.group_members(&other, user.tenant, "vip").await);
}

#[tokio::test]
async fn sessions_are_shown_to_whoever_decides_how_somebody_signs_in() {
    let world = World::new().await;
    let sub = world.user("sub").await;
    let own = world.me("sub").await;
    world.desk.create_token(&own, "nightly", 1).await.unwrap();
    let reseller = world.actor("reseller", Role::Reseller).await;
    let seen = world.desk.sessions_of_user(&reseller, sub.id).await.unwrap();
    assert_eq!(seen.iter().map(|place| place.token.as_deref()).collect::<Vec<_>>(), [Some("nightly")]);
    for (tenant, role) in [("other", Role::Reseller), ("reseller", Role::Accountant), ("sub", Role::EndUser)]
    {
        refused(world.desk.sessions_of_user(&world.actor(tenant, role).await, sub.id).await);
    }
}
