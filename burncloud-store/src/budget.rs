//! Budgets, plans, and alerts.

use crate::SqlStore;
use crate::entity::{alert, budget, plan};
use crate::error::{Failure, database, missing};
use crate::sql::{Touched, from_json, to_json};
use async_trait::async_trait;
use burncloud_core::store::{AlertStore, BudgetStore, PlanStore, StoreError, StoreResult};
use burncloud_core::{Alert, Allowance, Budget, Enforcement, Period, Plan, Scope, UnixMicros};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

/// What of a budget has no column.
#[derive(Serialize, Deserialize)]
struct Terms {
    period: Period,
    allowance: Allowance,
    enforcement: Enforcement,
    time_zone: String,
}

fn check_name(name: &str) -> StoreResult<()> {
    let fits = (1..=255).contains(&name.len());
    if fits { Ok(()) } else { Err(StoreError::Invalid("a name has 1 to 255 bytes".into())) }
}

fn read(row: budget::Model) -> StoreResult<Budget> {
    let Terms { period, allowance, enforcement, time_zone } = from_json("budget", &row.name, &row.terms)?;
    let unknown =
        || Failure::Damaged { what: "budget", name: row.name.clone(), why: "its scope is unknown".into() };
    let scope = Scope::parse(&row.scope).ok_or_else(unknown)?;
    Ok(Budget { name: row.name, scope, period, allowance, enforcement, time_zone })
}

#[async_trait]
impl BudgetStore for SqlStore {
    async fn set_budget(&self, budget: &Budget) -> StoreResult<()> {
        check_name(&budget.name)?;
        let Budget { name, scope, period, allowance, enforcement, time_zone } = budget.clone();
        let row = budget::ActiveModel {
            name: Set(name),
            scope: Set(scope.to_string()),
            terms: Set(to_json(&Terms { period, allowance, enforcement, time_zone })),
        };
        use budget::Column as C;
        let tx = self.begin().await?;
        budget::Entity::insert(row)
            .on_conflict(OnConflict::column(C::Name).update_columns([C::Scope, C::Terms]).to_owned())
            .exec_without_returning(&tx)
            .await
            .map_err(database)?;
        self.commit(tx, Touched::Nobody).await
    }

    async fn budgets(&self) -> StoreResult<Vec<Budget>> {
        let all = budget::Entity::find().order_by_asc(budget::Column::Name).all(&self.read).await;
        all.map_err(database)?.into_iter().map(read).collect()
    }

    async fn delete_budget(&self, name: &str) -> StoreResult<()> {
        let tx = self.begin().await?;
        let gone = budget::Entity::delete_by_id(name).exec(&tx).await.map_err(database)?;
        if gone.rows_affected == 0 {
            return Err(missing("budget", name));
        }
        self.commit(tx, Touched::Nobody).await
    }
}

#[async_trait]
impl PlanStore for SqlStore {
    async fn set_plan(&self, plan: &Plan) -> StoreResult<()> {
        check_name(&plan.name)?;
        let row = plan::ActiveModel { name: Set(plan.name.clone()), abort: Set(to_json(&plan.abort)) };
        let tx = self.begin().await?;
        plan::Entity::insert(row)
            .on_conflict(OnConflict::column(plan::Column::Name).update_column(plan::Column::Abort).to_owned())
            .exec_without_returning(&tx)
            .await
            .map_err(database)?;
        self.commit(tx, Touched::Everybody).await
    }

    async fn plans(&self) -> StoreResult<Vec<Plan>> {
        let all = plan::Entity::find().order_by_asc(plan::Column::Name).all(&self.read).await;
        let read =
            |row: plan::Model| Ok(Plan { abort: from_json("plan", &row.name, &row.abort)?, name: row.name });
        all.map_err(database)?.into_iter().map(read).collect()
    }
}

#[async_trait]
impl AlertStore for SqlStore {
    async fn add_alert(&self, alert: &Alert) -> StoreResult<()> {
        let row = alert::ActiveModel {
            id: NotSet,
            at: Set(alert.at.0),
            kind: Set(alert.kind.clone()),
            subject: Set(alert.subject.clone()),
            text: Set(alert.text.clone()),
        };
        alert::Entity::insert(row).exec_without_returning(&self.write).await.map(drop).map_err(database)
    }

    async fn alerts(&self, limit: u32) -> StoreResult<Vec<Alert>> {
        let newest = alert::Entity::find().order_by_desc(alert::Column::Id).limit(u64::from(limit));
        let rows = newest.all(&self.read).await.map_err(database)?;
        let read = |row: alert::Model| Alert {
            at: UnixMicros(row.at),
            kind: row.kind,
            subject: row.subject,
            text: row.text,
        };
        Ok(rows.into_iter().map(read).collect())
    }
}
