//! `[[plans]]`, `[[tenants]]` and `[[users]]`.

use super::Checker;
use crate::config::declared::{DEFAULT, status};
use crate::config::raw::{RawPlan, RawTenant, RawUser, Usd};
use crate::config::{DeclaredTenant, DeclaredUser, DeclaredWallet};
use burncloud_billing::people::MAX_DEPTH;
use burncloud_core::usecase::{UseCaseError, check_name};
use burncloud_core::{AbortPolicy, Plan, Role};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use toml::Spanned;

/// How long an answer is read on for its report, where a plan does not say.
const DRAIN_MS: u32 = 5000;

impl Checker {
    pub(super) fn plans(&mut self, raw: Vec<RawPlan>) -> Vec<Plan> {
        let mut taken = HashSet::new();
        let mut plans = Vec::new();
        for RawPlan { name, abort, drain_ms } in raw {
            self.name("plans", &name, &mut taken);
            let bound = drain_ms.as_ref().map_or(DRAIN_MS, |ms| *ms.get_ref());
            let policy = match abort.get_ref().as_str() {
                "delivered" => AbortPolicy::Delivered,
                "reported" => AbortPolicy::Reported { drain_ms: bound },
                "nothing" => AbortPolicy::Nothing,
                _ => {
                    let message = "write \"delivered\", \"reported\" or \"nothing\"";
                    self.report(abort.span(), "plans.abort", message);
                    AbortPolicy::default()
                }
            };
            match drain_ms {
                Some(ms) if *ms.get_ref() > 600_000 => {
                    self.report(ms.span(), "plans.drain_ms", "it is at most 600000 (ten minutes)");
                }
                Some(ms) if abort.get_ref() != "reported" => {
                    let message = "only the policy \"reported\" reads on; leave it out";
                    self.report(ms.span(), "plans.drain_ms", message);
                }
                _ => {}
            }
            plans.push(Plan { name: name.into_inner(), abort: policy });
        }
        plans
    }

    pub(super) fn tenants(&mut self, raw: Vec<Spanned<RawTenant>>, plans: &[Plan]) -> Vec<DeclaredTenant> {
        let mut taken = HashSet::new();
        let names: HashSet<String> = raw.iter().map(|t| t.get_ref().name.get_ref().clone()).collect();
        let mut declared = Vec::new();
        for entry in raw {
            let raw = entry.into_inner();
            self.name("tenants", &raw.name, &mut taken);
            if let Some(parent) = &raw.parent {
                let known = names.iter().map(String::as_str);
                self.reference("tenants.parent", parent, "tenant", "[[tenants]]", known);
            } else {
                self.refuse_house_wallet(&raw);
            }
            let wallet =
                self.wallet("tenants", raw.unlimited, raw.balance_usd.as_ref(), raw.credit_usd.as_ref());
            let at = raw.parent.as_ref().map_or_else(|| raw.name.span(), Spanned::span);
            let tenant = DeclaredTenant {
                name: raw.name.into_inner(),
                parent: raw.parent.map(Spanned::into_inner),
                status: raw.enabled.map(status),
                wallet,
                group: self.word("tenants.group", raw.group.as_ref()),
                plan: self.plan("tenants.plan", raw.plan, plans),
                time_zone: self.time_zone("tenants.time_zone", raw.time_zone.as_ref()),
                limits: self.limits("tenants.rate_limit", raw.rate_limit),
            };
            declared.push((at, tenant));
        }
        self.in_order(declared)
    }

    /// Each after its parent.
    fn in_order(&mut self, declared: Vec<(Range<usize>, DeclaredTenant)>) -> Vec<DeclaredTenant> {
        let parents: HashMap<String, Option<String>> =
            declared.iter().map(|(_, t)| (t.name.clone(), t.parent.clone())).collect();
        let level = |name: &str| {
            let next = |name: &&str| parents.get(*name)?.as_deref();
            std::iter::successors(Some(name), next).take(2 * MAX_DEPTH + 1).count()
        };
        let mut levels = Vec::with_capacity(declared.len());
        for (at, tenant) in declared {
            let level = level(&tenant.name);
            if level > 2 * MAX_DEPTH {
                let message = "it is below itself; name the parents so that they end at one without a parent";
                self.report(at, "tenants.parent", message);
            } else if level > MAX_DEPTH {
                let message = format!("tenants are at most {MAX_DEPTH} levels deep; name one further up");
                self.report(at, "tenants.parent", message);
            }
            levels.push((level, tenant));
        }
        levels.sort_by_key(|(level, _)| *level);
        levels.into_iter().map(|(_, tenant)| tenant).collect()
    }

    /// One without a parent buys from nobody.
    fn refuse_house_wallet(&mut self, raw: &RawTenant) {
        let fields = [
            ("unlimited", raw.unlimited.as_ref().map(Spanned::span)),
            ("balance_usd", raw.balance_usd.as_ref().map(Spanned::span)),
            ("credit_usd", raw.credit_usd.as_ref().map(Spanned::span)),
            ("group", raw.group.as_ref().map(Spanned::span)),
        ];
        for (field, span) in fields {
            if let Some(span) = span {
                let message = "a tenant without a parent buys from nobody; leave it out, or name a parent";
                self.report(span, format!("tenants.{field}"), message);
            }
        }
    }

    pub(super) fn users(
        &mut self,
        raw: Vec<Spanned<RawUser>>,
        tenants: &[DeclaredTenant],
        plans: &[Plan],
    ) -> Vec<DeclaredUser> {
        let mut taken = HashSet::new();
        let mut users = Vec::new();
        for entry in raw {
            let user = entry.into_inner();
            self.name("users", &user.name, &mut taken);
            if let Some(tenant) = &user.tenant {
                let known = tenants.iter().map(|t| t.name.as_str());
                self.reference("users.tenant", tenant, "tenant", "[[tenants]]", known);
            }
            let of_house = !tenants.iter().any(|t| {
                t.parent.is_some() && user.tenant.as_ref().is_some_and(|name| *name.get_ref() == t.name)
            });
            let balance = user.balance_usd.as_ref();
            users.push(DeclaredUser {
                role: self.role(user.role.as_ref(), of_house),
                wallet: self.wallet("users", user.unlimited, balance, user.credit_usd.as_ref()),
                name: user.name.into_inner(),
                tenant: user.tenant.map_or_else(|| DEFAULT.to_owned(), Spanned::into_inner),
                group: self.word("users.group", user.group.as_ref()),
                plan: self.plan("users.plan", user.plan, plans),
                limits: self.limits("users.rate_limit", user.rate_limit),
                status: user.enabled.map(status),
            });
        }
        users
    }

    fn role(&mut self, text: Option<&Spanned<String>>, of_house: bool) -> Option<Role> {
        let text = text?;
        match Role::parse(text.get_ref()) {
            Some(Role::Owner | Role::Administrator) if !of_house => {
                let message = "owners and administrators belong to a tenant without a parent";
                self.report(text.span(), "users.role", message);
                None
            }
            Some(Role::Reseller) if of_house => {
                let message = "resellers belong to a tenant with a parent, which they buy from";
                self.report(text.span(), "users.role", message);
                None
            }
            Some(role) => Some(role),
            None => {
                let known = Role::ALL.map(Role::as_str).join(", ");
                self.report(text.span(), "users.role", format!("one of: {known}"));
                None
            }
        }
    }

    fn wallet(
        &mut self,
        table: &str,
        unlimited: Option<Spanned<bool>>,
        balance: Option<&Spanned<Usd>>,
        credit: Option<&Spanned<Usd>>,
    ) -> DeclaredWallet {
        if let Some(unlimited) = unlimited.as_ref().filter(|unlimited| *unlimited.get_ref())
            && (balance.is_some() || credit.is_some())
        {
            let message =
                "an unlimited wallet has no balance to start with and no credit line; leave one out";
            self.report(unlimited.span(), format!("{table}.unlimited"), message);
        }
        DeclaredWallet {
            opening_balance: self.money(&format!("{table}.balance_usd"), balance),
            credit: self.money(&format!("{table}.credit_usd"), credit),
            unlimited: unlimited.map(Spanned::into_inner),
        }
    }

    fn plan(&mut self, field: &str, plan: Option<Spanned<String>>, plans: &[Plan]) -> Option<String> {
        let plan = plan?;
        if !plans.iter().any(|known| known.name == *plan.get_ref()) {
            let message =
                format!("there is no plan `{}` in this file; declare it under [[plans]]", plan.get_ref());
            self.report(plan.span(), field, message);
        }
        Some(plan.into_inner())
    }

    /// A group's name.
    pub(super) fn word(&mut self, field: &str, word: Option<&Spanned<String>>) -> Option<String> {
        let word = word?;
        if let Err(UseCaseError::Invalid { message, .. }) = check_name(word.get_ref()) {
            self.report(word.span(), field, message.en());
        }
        Some(word.get_ref().clone())
    }

    pub(super) fn time_zone(&mut self, field: &str, zone: Option<&Spanned<String>>) -> Option<String> {
        let zone = zone?;
        if let Err(UseCaseError::Invalid { message, .. }) =
            burncloud_billing::people::check_time_zone(zone.get_ref())
        {
            self.report(zone.span(), field, message.en());
        }
        Some(zone.get_ref().clone())
    }
}
