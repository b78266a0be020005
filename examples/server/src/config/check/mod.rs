//! From the file as it is written to a configuration that can be used, collecting every fault on the way.

mod budgets;
mod channels;
mod console;
mod keys;
mod people;
mod prices;
mod settings;
mod shared;

use super::declared::DEFAULT;
use super::problem::Problem;
use super::raw::{Moment, RawFile, Usd};
use super::secret::SecretRef;
use super::{Config, Declared, JournalConfig, StoreConfig};
use burncloud_core::adapter::Registry;
use burncloud_core::routing::Timeouts;
use burncloud_core::usecase::{UseCaseError, check_limits, check_name};
use burncloud_core::{Limits, Nano, UnixMicros};
use secrecy::SecretString;
use shared::Declares;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use toml::Spanned;

/// Where faults are collected.
struct Checker {
    problems: Vec<Problem>,
    allow_inline: bool,
}

/// The whole file.
pub(super) fn check(raw: RawFile, registry: &Registry) -> Result<Config, Vec<Problem>> {
    let mut c = Checker { problems: Vec::new(), allow_inline: raw.allow_inline_secrets };
    let declares = Declares::of(&raw);
    let timeouts = c.timeouts("timeouts", raw.timeouts.as_ref());
    let model_limits = c.model_limits(raw.limits.models);
    let server = c.server(raw.server);
    let console = c.console(&raw.console);
    let store = c.store(raw.store);
    let journal = c.journal(raw.journal, &store);
    let retention = c.retention(raw.retention, &store);
    let billing = c.billing(raw.billing);
    let catalogue = c.catalogue(raw.catalogue);
    let failover = c.failover(&raw.failover);
    let plans = c.plans(raw.plans);
    let tenants = c.tenants(raw.tenants, &plans);
    let users = c.users(raw.users, &tenants, &plans);
    let channels = c.channels(raw.channels, registry);
    let keys = c.keys(raw.keys, &users);
    let budgets = c.budgets(raw.budgets, &tenants, &users, &keys, &channels);
    let mut prices = c.prices(raw.prices, &tenants, &channels);
    prices.extend(c.book_settings(raw.price_groups, raw.exchange_rates, &tenants));
    let settings = declares.values(&server, &console, &failover, &retention);
    let config = Config {
        server,
        console,
        store,
        journal,
        retention,
        billing,
        catalogue,
        timeouts: Timeouts::default().with(&timeouts),
        failover,
        model_limits,
        declared: Declared { channels, plans, tenants, users, keys, budgets, prices },
        settings,
    };
    if c.problems.is_empty() { Ok(config) } else { Err(c.problems) }
}

/// `[store]` and `[journal]` alone.
pub(super) fn check_places_alone(raw: RawFile) -> Result<(StoreConfig, JournalConfig), Vec<Problem>> {
    let mut c = Checker { problems: Vec::new(), allow_inline: raw.allow_inline_secrets };
    let store = c.store(raw.store);
    let journal = c.journal(raw.journal, &store);
    if c.problems.is_empty() { Ok((store, journal)) } else { Err(c.problems) }
}

impl Checker {
    fn report(&mut self, span: Range<usize>, field: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem { span, field: field.into(), message: message.into() });
    }

    fn report_use_case(&mut self, span: Range<usize>, table: &str, error: &UseCaseError) {
        match error {
            UseCaseError::Invalid { field, message } => {
                self.report(span, format!("{table}.{field}"), message.en());
            }
            other => self.report(span, table, other.to_string()),
        }
    }

    /// A name that must be well-formed and not `taken` yet.
    fn name(&mut self, table: &str, name: &Spanned<String>, taken: &mut HashSet<String>) {
        if let Err(error) = check_name(name.get_ref()) {
            self.report_use_case(name.span(), table, &error);
        }
        if !taken.insert(name.get_ref().clone()) {
            let message = format!("`{}` is declared twice; names are unique", name.get_ref());
            self.report(name.span(), format!("{table}.name"), message);
        }
    }

    fn positive<T: Copy + Default + PartialEq>(
        &mut self,
        field: &str,
        value: Option<Spanned<T>>,
        default: T,
    ) -> T {
        match value {
            Some(value) if *value.get_ref() == T::default() => {
                self.report(value.span(), field, "it is at least 1; leave it out for the default");
                default
            }
            Some(value) => value.into_inner(),
            None => default,
        }
    }

    fn money(&mut self, field: &str, text: Option<&Spanned<Usd>>) -> Option<Nano> {
        let text = text?;
        match text.get_ref().0.parse::<Nano>() {
            Ok(amount) if amount < Nano::ZERO => {
                self.report(text.span(), field, "the amount is negative");
                None
            }
            Ok(amount) => Some(amount),
            Err(error) => {
                self.report(text.span(), field, error.to_string());
                None
            }
        }
    }

    fn moment(&mut self, field: &str, text: Option<&Spanned<Moment>>) -> Option<UnixMicros> {
        let text = text?;
        match crate::moment::parse(&text.get_ref().0) {
            Ok(at) => Some(at),
            Err(why) => {
                self.report(text.span(), field, why);
                None
            }
        }
    }

    fn secret(&mut self, field: &str, secret: &Spanned<SecretRef>) -> Option<SecretString> {
        match secret.get_ref().resolve(self.allow_inline) {
            Ok(value) => Some(value),
            Err(why) => {
                self.report(secret.span(), field, why);
                None
            }
        }
    }

    /// Limits that let something through; faulty ones count as none, so that they are reported once.
    fn limits(&mut self, field: &str, limits: Option<Spanned<Limits>>) -> Limits {
        let Some(limits) = limits else { return Limits::default() };
        match check_limits(limits.get_ref()) {
            Err(UseCaseError::Invalid { message, .. }) => {
                self.report(limits.span(), field, message.en());
                Limits::default()
            }
            _ => limits.into_inner(),
        }
    }

    fn model_limits(&mut self, raw: BTreeMap<String, Spanned<Limits>>) -> BTreeMap<String, Limits> {
        let mut all = BTreeMap::new();
        for (model, limits) in raw {
            if limits.get_ref().is_unlimited() {
                tracing::warn!(model, "limits.models names a model without any limit");
            }
            let limits = self.limits("limits.models", Some(limits));
            all.insert(model, limits);
        }
        all
    }

    fn reference<'a>(
        &mut self,
        field: &str,
        name: &Spanned<String>,
        what: &str,
        table: &str,
        known: impl Iterator<Item = &'a str>,
    ) {
        let wanted = name.get_ref().as_str();
        if wanted != DEFAULT && !known.into_iter().any(|k| k == wanted) {
            let message = format!("there is no {what} `{wanted}` in this file; declare it under {table}");
            self.report(name.span(), field, message);
        }
    }
}
