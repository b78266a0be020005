//! Sums of each user by the day: a month of quarters, which tell apart keys, channels and models too, is too much to read
//! for the few numbers of a page.

use crate::backend::{self, DAYS_BY_USER, USAGE};
use sea_orm::{DbBackend, Statement};

/// Everything, in order.
pub(super) fn statements(backend: DbBackend) -> Vec<Statement> {
    let day = format!("{} * 24", backend::floored("quarter", 96, backend));
    let columns = USAGE.join(", ");
    let sums = USAGE.map(|sum| backend::saturated(sum, backend)).join(", ");
    let sql = format!(
        "INSERT INTO usage_hours (tenant_id, kind, hour, id, model, {columns}) \
         SELECT tenant_id, {DAYS_BY_USER}, {day}, user_id, '', {sums} FROM usage_quarters \
         GROUP BY tenant_id, {day}, user_id"
    );
    vec![Statement::from_string(backend, sql)]
}
