//! `[[tenants]]` and `[[users]]`.

use super::Checker;
use crate::config::declared::{DEFAULT, status};
use crate::config::raw::{RawTenant, RawUser};
use crate::config::{DeclaredTenant, DeclaredUser};
use std::collections::HashSet;
use toml::Spanned;

impl Checker {
    pub(super) fn tenants(&mut self, raw: Vec<RawTenant>) -> Vec<DeclaredTenant> {
        let mut taken = HashSet::new();
        let mut declare = |tenant: RawTenant| {
            self.name("tenants", &tenant.name, &mut taken);
            let limits = self.limits("tenants.rate_limit", tenant.rate_limit);
            DeclaredTenant { name: tenant.name.into_inner(), limits }
        };
        raw.into_iter().map(&mut declare).collect()
    }

    pub(super) fn users(&mut self, raw: Vec<RawUser>, tenants: &[DeclaredTenant]) -> Vec<DeclaredUser> {
        let mut taken = HashSet::new();
        let mut users = Vec::new();
        for user in raw {
            self.name("users", &user.name, &mut taken);
            if let Some(tenant) = &user.tenant {
                let known = tenants.iter().map(|t| t.name.as_str());
                self.reference("users.tenant", tenant, "tenant", "[[tenants]]", known);
            }
            users.push(DeclaredUser {
                opening_balance: self.money("users.balance_usd", user.balance_usd.as_ref()),
                name: user.name.into_inner(),
                tenant: user.tenant.map_or_else(|| DEFAULT.to_owned(), Spanned::into_inner),
                limits: self.limits("users.rate_limit", user.rate_limit),
                status: status(user.enabled),
            });
        }
        users
    }
}
