//! `burncloud plans …`

use super::args::{Abort, PlansCommand, SetPlanArgs};
use super::{CliResult, Desk};
use burncloud_billing::people;
use burncloud_core::store::PlanStore;
use burncloud_core::{AbortPolicy, Plan};

pub(super) async fn run(command: PlansCommand, desk: &Desk) -> CliResult {
    match command {
        PlansCommand::List => list(desk).await,
        PlansCommand::Set(SetPlanArgs { name, abort, drain_ms }) => {
            let abort = match abort {
                Abort::Delivered => AbortPolicy::Delivered,
                Abort::Reported => AbortPolicy::Reported { drain_ms },
                Abort::Nothing => AbortPolicy::Nothing,
            };
            let plan = Plan { name, abort };
            people::set_plan(&*desk.store, &desk.actor, &plan).await?;
            let line = format!("the plan `{}`: unfinished answers cost {}", plan.name, words(abort));
            desk.out.show(&serde_json::to_value(&plan)?, &[line])
        }
    }
}

async fn list(desk: &Desk) -> CliResult {
    let all = desk.store.plans().await?;
    let rows: Vec<_> = all.iter().map(|plan| [plan.name.clone(), words(plan.abort)]).collect();
    let json = all.iter().map(|plan| serde_json::to_value(plan).unwrap_or_default()).collect();
    desk.out.list(json, ["name", "unfinished answers cost"], &rows)
}

fn words(abort: AbortPolicy) -> String {
    match abort {
        AbortPolicy::Delivered => "what was delivered".to_owned(),
        AbortPolicy::Reported { drain_ms } => {
            format!("what the provider reports within {drain_ms} ms, else what was delivered")
        }
        AbortPolicy::Nothing => "nothing".to_owned(),
    }
}
