//! What the console can set of the house: each with its default and its check, whether the configuration file declares
//! it (then it is only shown here), and whether it waits for a restart.

mod known;

pub use known::{Known, SETTINGS};

use super::audit::Change;
use super::login::AccessSettings;
use super::{Actor, Desk};
use crate::people::Action;
use burncloud_core::TenantId;
use burncloud_core::store::{SettingStore, StoreResult};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Settings by name, as JSON.
pub type Values = BTreeMap<String, Value>;

/// What the server knows of settings beside what is stored.
#[derive(Clone, Debug, Default)]
pub struct SettingsSource {
    /// Those that the configuration file declares: they win, and the console does not change them.
    pub declared: Values,
    /// Those in force since the start; what differs from them and needs a restart waits for one. `None`: not known.
    pub running: Option<Values>,
}

/// A setting as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SettingView {
    /// Its name, such as `routing.max_attempts`.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What holds, or will after a restart.
    pub value: Value,
    /// What holds where nothing is set.
    pub default: Value,
    /// Whether the configuration file declares it: change it there.
    pub declared: bool,
    /// Whether a change takes effect at the next start.
    pub needs_restart: bool,
    /// Whether a change waits for that.
    pub waits: bool,
}

/// Everything that can be set, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What the house is called on its own pages.
    pub name: String,
    /// What customers see it called, at the door; empty is the name.
    pub public_name: String,
    /// Most attempts for one request.
    pub max_attempts: u32,
    /// Failures in half a minute after which a channel's model rests.
    pub breaker_failures: u32,
    /// For how long it rests at first.
    pub breaker_pause: Duration,
    /// Origins whose pages may call the gateway.
    pub cors_origins: Vec<String>,
    /// An HTTP proxy for channels that name none.
    pub upstream_proxy: Option<String>,
    /// Where browsers reach the console, if not where the server listens.
    pub public_url: Option<String>,
    /// Addresses of proxies whose word on the caller's address is taken.
    pub trusted_proxies: Vec<String>,
    /// The address and port of the server.
    pub listen: Option<String>,
    /// For how long requests are kept before they are archived; `None` is for ever.
    pub keep: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings::of(&Values::new())
    }
}

impl Settings {
    /// What is stored, over the defaults.
    ///
    /// # Errors
    /// The store's.
    pub async fn load<S: SettingStore + ?Sized>(store: &S) -> StoreResult<Settings> {
        Settings::load_over(store, &Values::new()).await
    }

    /// What is declared, over what is stored, over the defaults.
    ///
    /// # Errors
    /// The store's.
    pub async fn load_over<S: SettingStore + ?Sized>(store: &S, declared: &Values) -> StoreResult<Settings> {
        let mut values: Values = store.settings().await?.into_iter().collect();
        values.extend(declared.clone());
        Ok(Settings::of(&values))
    }

    /// Those values over the defaults. What is no setting, or breaks its rule (an older version stored it), is left out.
    #[must_use]
    pub fn of(values: &Values) -> Settings {
        let get = |name: &str| value(values, name);
        let text = |name: &str| get(name).as_str().unwrap_or_default().to_owned();
        let some = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
        let number = |name: &str| get(name).as_u64().unwrap_or_default();
        let count = |name: &str| u32::try_from(number(name)).unwrap_or(u32::MAX);
        let list = |name: &str| -> Vec<String> {
            let value = get(name);
            value.as_array().into_iter().flatten().filter_map(|v| Some(v.as_str()?.to_owned())).collect()
        };
        Settings {
            name: text("house.name"),
            public_name: text("house.public_name"),
            max_attempts: count("routing.max_attempts"),
            breaker_failures: count("routing.breaker_failures"),
            breaker_pause: Duration::from_secs(number("routing.breaker_pause_seconds")),
            cors_origins: list("cors.origins"),
            upstream_proxy: some("upstream.proxy"),
            public_url: some("server.public_url"),
            trusted_proxies: list("server.trusted_proxies"),
            listen: some("server.listen"),
            keep: Some(number("log.keep_days"))
                .filter(|days| *days > 0)
                .map(|days| Duration::from_secs(days.saturating_mul(86_400))),
        }
    }

    /// What customers see the house called.
    #[must_use]
    pub fn shown_name(&self) -> &str {
        if self.public_name.is_empty() { &self.name } else { &self.public_name }
    }
}

/// What holds of one: the value if it is right, or the default.
fn value(values: &Values, name: &str) -> Value {
    let Some(known) = Known::named(name) else { return Value::Null };
    values.get(name).and_then(|value| (known.check)(value).ok()).unwrap_or_else(known.default)
}

impl Desk {
    /// What holds now, what the configuration file declares included.
    ///
    /// # Errors
    /// The store's.
    pub async fn house(&self) -> StoreResult<Settings> {
        let declared = self.settings.load().declared.clone();
        Settings::load_over(&*self.store, &declared).await
    }

    /// Every setting.
    ///
    /// # Errors
    /// `Forbidden` for whoever may not decide for the house; the store's.
    pub async fn list_settings(&self, actor: &Actor) -> UseCaseResult<Vec<SettingView>> {
        actor.check_in_house(Action::ManageHouse)?;
        let values = self.setting_values().await?;
        Ok(SETTINGS.iter().map(|known| self.setting_view(known, &values)).collect())
    }

    /// Sets some, all or none; null is the default.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` with the setting at fault: unknown, declared by the configuration file, or of no use.
    pub async fn set_settings(&self, actor: &Actor, wanted: Values) -> UseCaseResult<Vec<SettingView>> {
        actor.check_in_house(Action::ManageHouse)?;
        let mut next = Values::new();
        for (name, value) in wanted {
            let value = self.check_setting(&name, &value)?;
            next.insert(name, value);
        }
        let before = self.setting_values().await?;
        for (name, new) in next {
            let old = before.get(&name).cloned().unwrap_or_default();
            if old == new {
                continue;
            }
            self.store.set_setting(&name, &new).await?;
            let change = Change {
                action: "setting.set",
                subject: format!("setting:{name}"),
                name,
                tenant: TenantId::default(),
                before: old,
                after: new,
            };
            self.note(actor, change).await?;
        }
        self.list_settings(actor).await
    }

    /// How people get in, for whoever may change it.
    ///
    /// # Errors
    /// `Forbidden` for whoever may not decide for the house; the store's.
    pub async fn access_for(&self, actor: &Actor) -> UseCaseResult<AccessSettings> {
        actor.check_in_house(Action::ManageHouse)?;
        self.access().await
    }

    async fn setting_values(&self) -> StoreResult<Values> {
        let mut values: Values = self.store.settings().await?.into_iter().collect();
        values.extend(self.settings.load().declared.clone());
        Ok(values)
    }

    fn setting_view(&self, known: &'static Known, values: &Values) -> SettingView {
        let now = value(values, known.name);
        let source = self.settings.load();
        let running = source.running.as_ref().map(|running| value(running, known.name));
        SettingView {
            name: known.name,
            about: known.about,
            default: (known.default)(),
            declared: source.declared.contains_key(known.name),
            needs_restart: known.needs_restart,
            waits: known.needs_restart && running.is_some_and(|running| running != now),
            value: now,
        }
    }

    fn check_setting(&self, name: &str, value: &Value) -> UseCaseResult<Value> {
        let fail =
            |message: (&'static str, &'static str)| Err(UseCaseError::invalid(name.to_owned(), message));
        let Some(known) = Known::named(name) else {
            return fail(("there is no such setting", "没有这项设置"));
        };
        if self.settings.load().declared.contains_key(name) {
            return fail((
                "the configuration file declares it: change it there",
                "由配置文件声明，请在那里修改",
            ));
        }
        if value.is_null() {
            return Ok(Value::Null);
        }
        let value =
            (known.check)(value).map_err(|message| UseCaseError::invalid(name.to_owned(), message))?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::adapter::Registry;
    use burncloud_core::store::MemoryStore;
    use serde_json::json;
    use std::sync::Arc;

    fn desk(source: SettingsSource) -> Desk {
        let desk = Desk::new(Arc::new(MemoryStore::default()), Registry::new());
        desk.settings_from(source);
        desk
    }

    fn values(all: &[(&str, Value)]) -> Values {
        all.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn named<'a>(all: &'a [SettingView], name: &str) -> &'a SettingView {
        all.iter().find(|view| view.name == name).unwrap()
    }

    #[tokio::test]
    async fn what_is_set_holds_and_null_is_the_default_again() {
        let (desk, boss) = (desk(SettingsSource::default()), Actor::operator("boss"));
        let all = desk.set_settings(&boss, values(&[("house.name", json!("Harbour AI"))])).await.unwrap();
        assert_eq!(named(&all, "house.name").value, json!("Harbour AI"));
        assert_eq!(desk.house().await.unwrap().shown_name(), "Harbour AI");
        let all = desk.set_settings(&boss, values(&[("house.name", Value::Null)])).await.unwrap();
        assert_eq!(named(&all, "house.name").value, json!("BurnCloud"));
        let audit = desk.audit(&boss, &crate::desk::AuditQuery::default()).await.unwrap().items;
        let first = &audit.last().unwrap().entry;
        assert_eq!((first.action.as_str(), first.after.clone()), ("setting.set", json!("Harbour AI")));
    }

    #[tokio::test]
    async fn one_that_is_wrong_keeps_all_from_being_set() {
        let (desk, boss) = (desk(SettingsSource::default()), Actor::operator("boss"));
        for (name, value) in [("routing.max_attempts", json!(0)), ("no.such", json!(1))] {
            let wanted = values(&[("house.name", json!("X")), (name, value)]);
            let error = desk.set_settings(&boss, wanted).await.unwrap_err();
            assert!(error.to_string().starts_with(name), "{error}");
            assert_eq!(desk.house().await.unwrap().name, "BurnCloud");
        }
    }

    #[tokio::test]
    async fn what_the_file_declares_wins_and_what_started_otherwise_waits() {
        let source = SettingsSource {
            declared: values(&[("cors.origins", json!(["https://a.example"]))]),
            running: Some(values(&[("server.listen", json!("127.0.0.1:3000"))])),
        };
        let (desk, boss) = (desk(source), Actor::operator("boss"));
        let error = desk.set_settings(&boss, values(&[("cors.origins", json!([]))])).await.unwrap_err();
        assert!(error.to_string().contains("configuration file"), "{error}");
        assert_eq!(desk.house().await.unwrap().cors_origins, ["https://a.example"]);
        let all =
            desk.set_settings(&boss, values(&[("server.listen", json!("0.0.0.0:3100"))])).await.unwrap();
        assert!(named(&all, "cors.origins").declared);
        assert!(named(&all, "server.listen").waits && !named(&all, "house.name").waits);
        let all =
            desk.set_settings(&boss, values(&[("server.listen", json!("127.0.0.1:3000"))])).await.unwrap();
        assert!(!named(&all, "server.listen").waits, "back to what is in force");
    }

    #[tokio::test]
    async fn what_an_older_version_stored_is_not_taken() {
        let store = MemoryStore::default();
        store.set_setting("routing.max_attempts", &json!("many")).await.unwrap();
        store.set_setting("gone", &json!(1)).await.unwrap();
        assert_eq!(Settings::load(&store).await.unwrap(), Settings::default());
    }
}
