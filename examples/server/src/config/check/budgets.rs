//! `[[budgets]]`.

use super::Checker;
use crate::config::raw::{RawBudget, Usd};
use crate::config::{DeclaredBudget, DeclaredKey, DeclaredScope, DeclaredTenant, DeclaredUser};
use burncloud_core::{Allowance, ChannelConfig, Enforcement, Nano, Period};
use std::collections::HashSet;
use std::ops::Range;
use toml::Spanned;

impl Checker {
    pub(super) fn budgets(
        &mut self,
        raw: Vec<Spanned<RawBudget>>,
        tenants: &[DeclaredTenant],
        users: &[DeclaredUser],
        keys: &[DeclaredKey],
        channels: &[ChannelConfig],
    ) -> Vec<DeclaredBudget> {
        let mut taken = HashSet::new();
        let mut budgets = Vec::new();
        for entry in raw {
            let whole = entry.span();
            let raw = entry.into_inner();
            self.name("budgets", &raw.name, &mut taken);
            if let Some(name) = &raw.tenant {
                let known = tenants.iter().map(|t| t.name.as_str());
                self.reference("budgets.tenant", name, "tenant", "[[tenants]]", known);
            }
            if let Some(name) = &raw.user {
                let known = users.iter().map(|u| u.name.as_str());
                self.reference("budgets.user", name, "user", "[[users]]", known);
            }
            if let Some(name) = &raw.key {
                let known = keys.iter().map(|k| k.spec.name.as_str());
                self.reference("budgets.key", name, "key", "[[keys]]", known);
            }
            if let Some(name) = &raw.channel {
                let known = channels.iter().map(|c| c.name.as_str());
                self.reference("budgets.channel", name, "channel", "[[channels]]", known);
            }
            let period = self.period(&raw.per);
            let allowance = self.allowance(raw.usd.as_ref(), raw.tokens.as_ref(), whole.clone());
            let time_zone = self.time_zone("budgets.time_zone", raw.time_zone.as_ref());
            let Some(scope) = self.scope(&raw, whole) else { continue };
            budgets.push(DeclaredBudget {
                name: raw.name.into_inner(),
                scope,
                period,
                allowance,
                enforcement: if raw.soft { Enforcement::Soft } else { Enforcement::Hard },
                time_zone,
            });
        }
        budgets
    }

    fn scope(&mut self, raw: &RawBudget, whole: Range<usize>) -> Option<DeclaredScope> {
        type Make = fn(String) -> DeclaredScope;
        let given: [(&Option<Spanned<String>>, Make); 5] = [
            (&raw.key, DeclaredScope::Key),
            (&raw.user, DeclaredScope::User),
            (&raw.tenant, DeclaredScope::Tenant),
            (&raw.channel, DeclaredScope::Channel),
            (&raw.model, DeclaredScope::Model),
        ];
        let mut given = given.into_iter().filter_map(|(name, make)| Some((name.as_ref()?, make)));
        let (Some((name, make)), None) = (given.next(), given.next()) else {
            let message = "say whose spending it is: one of key, user, tenant, channel, model";
            self.report(whole, "budgets", message);
            return None;
        };
        Some(make(name.get_ref().clone()))
    }

    fn period(&mut self, text: &Spanned<String>) -> Period {
        match text.get_ref().as_str() {
            "hour" => Period::Hour,
            "day" => Period::Day,
            "month" => Period::Month,
            "total" => Period::Total,
            _ => {
                self.report(text.span(), "budgets.per", "write \"hour\", \"day\", \"month\" or \"total\"");
                Period::Total
            }
        }
    }

    fn allowance(
        &mut self,
        usd: Option<&Spanned<Usd>>,
        tokens: Option<&Spanned<u64>>,
        whole: Range<usize>,
    ) -> Allowance {
        match (usd, tokens) {
            (Some(_), None) => Allowance::Money(self.money("budgets.usd", usd).unwrap_or_default()),
            (None, Some(tokens)) => Allowance::Tokens(*tokens.get_ref()),
            _ => {
                self.report(whole, "budgets", "say how much: either usd = \"10.00\" or tokens = 1000000");
                Allowance::Money(Nano::ZERO)
            }
        }
    }
}
