//! What the file says, and what is said about a faulty one.

use super::*;
use burncloud_core::{Nano, Status, UnixMicros};
use secrecy::ExposeSecret;

/// The shape that stays stable.
const STABLE: &str = r#"
allow_inline_secrets = true
[server]
listen = "127.0.0.1:3000"
[store]
url = "sqlite://data/burncloud.db"
[[channels]]
name = "openai-main"
provider = "openai"
base_url = "https://api.openai.com"
credential = { env = "PATH" }
models = ["gpt-4o-mini"]
model_mapping = { fast = "gpt-4o-mini" }
priority = 0
weight = 1
[[keys]]
name = "dev"
secret = "sk-burn-inline-secret"
quota_usd = "10.00"
rate_limit = { requests_per_minute = 600, tokens_per_minute = 200000, concurrency = 50 }
models = ["fast", "gpt-4o-mini"]
"#;

fn parse(text: &str) -> Result<Config, Problems> {
    Config::parse(Path::new("burncloud.toml"), text, &crate::providers())
}

#[test]
fn the_stable_shape_is_read() {
    let config = parse(STABLE).unwrap();
    assert_eq!(config.server, ServerConfig::default());
    assert_eq!(config.store.url.expose_secret(), "sqlite://data/burncloud.db");
    assert_eq!(config.store.key_file, Path::new("data/burncloud.key"));
    assert_eq!(config.journal.dir, Path::new("data/burncloud.journal"));
    let channel = &config.declared.channels[0];
    assert_eq!((channel.name.as_str(), channel.priority, channel.weight), ("openai-main", 0, 1));
    assert_eq!(channel.credential.expose_secret(), std::env::var("PATH").unwrap());
    assert_eq!(channel.model_mapping["fast"], "gpt-4o-mini");
    let key = &config.declared.keys[0];
    assert_eq!(key.spec.quota, Some(Nano(10_000_000_000)));
    assert_eq!((key.user.as_str(), key.status), ("default", Status::Active));
    assert_eq!(key.spec.limits.concurrency, Some(50));
}

#[test]
fn a_channels_options_are_read_and_checked() {
    let text = r#"
allow_inline_secrets = true
[[channels]]
name = "az"
provider = "azure"
base_url = "https://example.openai.azure.com"
credential = "0123456789"
models = ["gpt-4o"]
options = { api_version = "2024-10-21" }
"#;
    let config = parse(text).unwrap();
    assert_eq!(config.declared.channels[0].settings.options["api_version"], "2024-10-21");
    for (from, to, field) in [
        ("2024-10-21", "someday", "options.api_version"),
        ("api_version", "version", "options.version"),
        ("\"azure\"", "\"openai\"", "options.api_version"),
    ] {
        let problems = parse(&text.replace(from, to)).unwrap_err().to_string();
        assert!(problems.contains(field) && problems.contains("toml:9:"), "{problems}");
    }
}

#[test]
fn websites_that_may_call_are_origins_and_need_no_restart() {
    let with = |server: &str| parse(&STABLE.replace("[server]", &format!("[server]\n{server}")));
    let running = parse(STABLE).unwrap();
    let config = with("cors_origins = ['https://app.example.com', '*']").unwrap();
    assert_eq!(config.server.cors_origins, ["https://app.example.com", "*"]);
    assert!(config.needs_restart(&running).is_empty());
    let config = with("cors_origins = ['*']\nmax_in_flight = 1").unwrap();
    assert_eq!(config.needs_restart(&running), ["server"]);
    let problems = with("cors_origins = ['https://app.example.com/']").unwrap_err().to_string();
    assert!(problems.contains("server.cors_origins: ") && problems.contains("toml:4:"), "{problems}");
}

#[test]
fn how_long_requests_are_kept_is_a_setting_that_the_file_may_declare() {
    let plain = parse(STABLE).unwrap();
    assert_eq!(
        (plain.retention.keep_days, plain.retention.dir.to_str()),
        (0, Some("data/burncloud.archive"))
    );
    assert!(!plain.settings.contains_key("log.keep_days"), "the console's to set");
    let with = |lines: &str| parse(&STABLE.replace("[store]", &format!("[retention]\n{lines}\n[store]")));
    let days = with("keep_days = 90").unwrap();
    assert_eq!(days.settings["log.keep_days"], 90);
    assert!(days.needs_restart(&plain).is_empty(), "it holds at once");
    assert_eq!(with("keep_days = 0").unwrap().settings["log.keep_days"], 0, "for ever, whatever a page says");
    let elsewhere = with("dir = '/srv/archive'").unwrap();
    assert_eq!(elsewhere.retention.dir, Path::new("/srv/archive"));
    assert_eq!(elsewhere.needs_restart(&plain), ["retention"]);
    for wrong in ["keep_days = 7", "keep_days = 99999"] {
        let problems = with(wrong).unwrap_err().to_string();
        assert!(problems.contains("retention.keep_days: ") && problems.contains("30 to 3650"), "{problems}");
    }
}

/// A channel with these settings.
fn with_settings(settings: &str) -> String {
    format!(
        "allow_inline_secrets = true\n[[channels]]\nname = \"c\"\nprovider = \"openai\"\nmodels = [\"m\"]\n\
         credential = \"k\"\n{settings}\n"
    )
}

#[test]
fn what_a_channel_changes_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("s.rhai");
    std::fs::write(&script, "req.a = 1;").unwrap();
    let text = with_settings(&format!(
        r#"
strict = true
groups = ["vip", "staff"]
body_override = {{ temperature = 0.5, "provider.order" = ["a"] }}
header_override = {{ x-team = "a" }}
status_mapping = {{ 404 = 503 }}
system_prompt = {{ text = "Be brief.", mode = "append" }}
transforms = """
request:
- remove: user
"""
script = {{ file = '{}', on_error = "skip" }}
"#,
        script.display()
    ));
    let config = parse(&text).unwrap();
    let settings = &config.declared.channels[0].settings;
    assert_eq!((settings.strict, settings.groups.len()), (Some(true), 2));
    assert_eq!(settings.body_override["provider.order"], serde_json::json!(["a"]));
    assert_eq!(settings.header_override["x-team"], "a");
    assert_eq!(settings.status_mapping, [(404, 503)].into());
    let prompt = settings.system_prompt.as_ref().unwrap();
    assert_eq!((prompt.text.as_str(), prompt.mode), ("Be brief.", burncloud_core::SystemPromptMode::Append));
    assert!(settings.transforms.as_ref().unwrap().contains("remove: user"));
    let script = settings.script.as_ref().unwrap();
    assert_eq!(
        (script.source.as_str(), script.on_error),
        ("req.a = 1;", burncloud_core::ScriptFailure::Skip)
    );

    let short = parse(&with_settings("system_prompt = \"Hi\"\nbody_override = '{\"user\": null}'")).unwrap();
    let settings = &short.declared.channels[0].settings;
    assert_eq!(settings.system_prompt.as_ref().unwrap().text, "Hi");
    assert!(settings.body_override["user"].is_null());
}

#[test]
fn faults_in_what_a_channel_changes_name_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let document = dir.path().join("t.yaml");
    std::fs::write(&document, "request:\n- remvoe: user\n").unwrap();
    let by_file = format!("transforms = {{ file = '{}' }}", document.display());
    let cases = [
        (by_file.as_str(), "channels.transforms: ", "t.yaml: line 2, column 3: request[0]: "),
        ("transforms = \"\"\"\nrequest: 1\"\"\"", "channels.transforms: ", "line 1, column 10: "),
        ("transforms = { file = 'nowhere.yaml' }", "channels.transforms: ", "cannot be read"),
        ("transforms = 'steps.yaml'", "channels.transforms: ", "{ file = \"steps.yaml\" }"),
        ("transforms = 7", "", "write a document"),
        ("script = { source = 'req.a = ;' }", "channels.script: ", "line 1, column 9: "),
        ("script = { source = 'req.a = 1;', file = 'x' }", "", "on_error"),
        ("script = { source = '', on_error = 'panic' }", "", "on_error"),
        ("body_override = { model = 'm' }", "channels.body_override.model: ", "model_mapping"),
        ("body_override = '[]'", "", "JSON object"),
        (
            "header_override = { Authorization = 'x' }",
            "channels.header_override.Authorization: ",
            "credential",
        ),
        ("status_mapping = { 404 = 200 }", "channels.status_mapping: ", "200"),
        ("groups = ['a', 'a']", "channels.groups: ", "twice"),
        ("groups = ['']", "channels.groups: ", "empty"),
        ("status_mapping = { x = 500 }", "", "write statuses"),
        ("system_prompt = ''", "channels.system_prompt: ", "empty"),
        ("system_prompt = { text = 'x', mode = 'sideways' }", "", "prepend"),
    ];
    for (settings, field, what) in cases {
        let problems = parse(&with_settings(settings)).unwrap_err().to_string();
        assert!(problems.starts_with("burncloud.toml:7:"), "{settings}: {problems}");
        assert!(problems.contains(field) && problems.contains(what), "{settings}: {problems}");
    }
}

#[test]
fn an_empty_file_is_all_defaults() {
    let config = parse("").unwrap();
    assert_eq!(config.server.listen.port(), 3000);
    assert_eq!(config.store.url.expose_secret(), DEFAULT_STORE);
    assert_eq!(config.journal, JournalConfig::default());
    assert_eq!(config.failover, FailoverConfig::default());
}

#[test]
fn the_rest_is_read() {
    let config = parse(
        r#"
[server]
max_body_bytes = 1000
keep_alive_ms = 500
[journal]
orphans = "charge"
commit_ms = 2
[timeouts]
first_byte_ms = 7
[failover]
max_attempts = 2
max_total_ms = 900
[limits]
models = { m = { requests_per_minute = 5 } }
[[tenants]]
name = "acme"
rate_limit = { concurrency = 9 }
[[users]]
name = "ada"
tenant = "acme"
balance_usd = "5"
[[keys]]
name = "k"
secret = { env = "PATH" }
user = "ada"
ips = ["::1"]
expires = 2027-01-31T00:00:00Z
enabled = false
[[prices]]
model = "m"
effective = "2026-01-01T00:00:00Z"
input = "0.15"
per_request = "0.01"
tiers = [{ above = 200000, input = "0.30" }]
"#,
    )
    .unwrap();
    assert_eq!((config.server.max_body_bytes, config.server.keep_alive.as_millis()), (1000, 500));
    assert!(config.journal.charge_orphans);
    assert_eq!((config.journal.commit.as_millis(), config.timeouts.first_byte.as_millis()), (2, 7));
    assert_eq!((config.failover.max_attempts, config.failover.max_total.as_millis()), (2, 900));
    assert_eq!(config.model_limits["m"].requests_per_minute, Some(5));
    let declared = &config.declared;
    assert_eq!(
        (declared.tenants[0].limits.concurrency, declared.users[0].tenant.as_str()),
        (Some(9), "acme")
    );
    assert_eq!(declared.users[0].wallet.opening_balance, Some(Nano(5_000_000_000)));
    assert_eq!((declared.keys[0].user.as_str(), declared.keys[0].status), ("ada", Status::Disabled));
    assert_eq!(declared.keys[0].spec.expires_at, Some(UnixMicros(1_801_353_600_000_000)));
    assert_eq!(declared.prices[0].effective_at, UnixMicros(1_767_225_600_000_000));
    assert_eq!(declared.prices[0].rates["tiers"][0]["above"], 200_000);
}

const CHANNEL: &str = "[[channels]]\nname = 'c'\nprovider = 'openai'\ncredential = { env = 'PATH' }\n";
const KEY: &str = "[[keys]]\nname = 'k'\nsecret = { env = 'PATH' }\n";

/// Text, the place that must be named, and words of the message.
fn faults() -> Vec<(String, &'static str, &'static str)> {
    let channel = |line: &str| format!("{CHANNEL}{line}");
    let key = |line: &str| format!("{KEY}{line}");
    vec![
        ("[server]\nlisten = '3000'".into(), ":2:10: server.listen: ", "127.0.0.1:3000"),
        ("[server]\nlissten = ''".into(), ":2:1: ", "unknown field `lissten`"),
        ("[server]\nlisten = ".into(), ":2:", "string"),
        ("[server]\nmax_body_bytes = 0".into(), ":2:18: server.max_body_bytes: ", "at least 1"),
        ("[server]\ntls = { cert = '/nowhere', key = '/nowhere' }".into(), ":2:7: server.tls: ", "/nowhere"),
        ("[journal]\norphans = 'keep'".into(), ":2:11: journal.orphans: ", "release"),
        ("[billing]\nunpriced = 'maybe'".into(), ":2:12: billing.unpriced: ", "refuse"),
        ("[billing]\nunpriced = { inputs = '1' }".into(), ":2:12: billing.unpriced.inputs: ", "not a field"),
        ("[billing]\nguard = 'maybe'".into(), ":2:9: billing.guard: ", "warn"),
        ("[billing]\nabort = 'all'".into(), ":2:9: billing.abort: ", "delivered"),
        ("[billing]\ndrain_ms = 5".into(), ":2:12: billing.drain_ms: ", "reported"),
        ("[billing]\nabort = 'reported'\ndrain_ms = 0".into(), ":3:12: billing.drain_ms: ", "at least 1"),
        ("[timeouts]\nidle_ms = 0".into(), ":1:1: timeouts: ", "at least 1 ms"),
        ("[store]\nurl = 'postgres://u:hunter2@h/d'".into(), ":2:7: store.url: ", "a secret stands in the file"),
        ("[[users]]\nname = 'u'\ntenant = 'acme'".into(), ":3:10: users.tenant: ", "no tenant `acme`"),
        ("[[users]]\nname = 'u'\nbalance_usd = '-1'".into(), ":3:15: users.balance_usd: ", "negative"),
        ("[[tenants]]\nname = 't'\nbalance_usd = '1'".into(), ":3:15: tenants.balance_usd: ", "buys from nobody"),
        ("[[tenants]]\nname = 't'\nparent = 'x'".into(), ":3:10: tenants.parent: ", "no tenant `x`"),
        ("[[tenants]]\nname = 't'\nparent = 't'".into(), ":3:10: tenants.parent: ", "below itself"),
        ("[[tenants]]\nname = 't'\nplan = 'p'".into(), ":3:8: tenants.plan: ", "[[plans]]"),
        ("[[tenants]]\nname = 't'\ntime_zone = 'a b'".into(), ":3:13: tenants.time_zone: ", "Europe/Berlin"),
        ("[[users]]\nname = 'u'\nrole = 'king'".into(), ":3:8: users.role: ", "accountant"),
        (
            "[[users]]\nname = 'u'\nunlimited = true\nbalance_usd = '1'".into(),
            ":3:13: users.unlimited: ",
            "leave one out",
        ),
        ("[[plans]]\nname = 'p'\nabort = 'all'".into(), ":3:9: plans.abort: ", "reported"),
        ("[[plans]]\nname = 'p'\nabort = 'nothing'\ndrain_ms = 1".into(), ":4:12: plans.drain_ms: ", "leave it out"),
        ("[[budgets]]\nname = 'b'\nper = 'day'\nusd = '1'".into(), ":1:1: budgets: ", "one of key, user"),
        ("[[budgets]]\nname = 'b'\nmodel = 'm'\nper = 'day'".into(), ":1:1: budgets: ", "either usd"),
        ("[[budgets]]\nname = 'b'\nmodel = 'm'\nper = 'week'\ntokens = 1".into(), ":4:7: budgets.per: ", "month"),
        ("[[budgets]]\nname = 'b'\nkey = 'x'\nper = 'day'\ntokens = 1".into(), ":3:7: budgets.key: ", "[[keys]]"),
        ("[[prices]]\nmodel = 'm'\ntenant = 'x'\ninput = '1'".into(), ":3:10: prices.tenant: ", "[[tenants]]"),
        ("[[prices]]\nmodel = 'm'\nmarkup = '-1'".into(), ":3:10: prices.markup: ", ""),
        ("[[price_groups]]\ngroups = { vip = 0.8 }".into(), ":2:18: price_groups.groups.vip: ", "text"),
        ("[[price_groups]]\ntenant = 'x'\ngroups = { vip = '0.8' }".into(), ":2:10: price_groups.tenant: ", "[[tenants]]"),
        ("[[exchange_rates]]\nrates = { CNY = 7.2 }".into(), ":2:17: exchange_rates.rates.CNY: ", "text"),
        ("[[exchange_rates]]\nrates = { USD = '1' }".into(), ":2:17: exchange_rates.rates.USD: ", "a dollar"),
        ("[[tenants]]\nname = 't'\n[[tenants]]\nname = 't'".into(), ":4:8: tenants.name: ", "declared twice"),
        (channel("models = []"), ":5:10: channels.models: ", "serves no model"),
        (channel(""), ":1:1: channels.models: ", "serves no model"),
        (channel("models = ['m', 'm']"), ":5:10: channels.models: ", "named twice"),
        (channel("model_mapping = { a = 'a' }"), ":5:17: channels.model_mapping: ", "mapped to itself"),
        (channel("models = ['m']\nbase_url = 'ftp://x'"), ":6:12: channels.base_url: ", "https://"),
        (channel("models = ['m']\nproxy = 'x'"), ":6:9: channels.proxy: ", "http://host:port"),
        (channel("models = ['m']\nconcurrency = 0"), ":6:15: channels.concurrency: ", "nothing could use"),
        (channel("models = ['m']\ntimeouts = { idel_ms = 1 }"), ":6:", "unknown field `idel_ms`"),
        (
            "[[channels]]\nname = 'c'\nprovider = 'opnai'\nmodels = ['m']".into(),
            ":3:12: channels.provider: ",
            "`opnai` is not known",
        ),
        (
            "[[channels]]\nname = 'c'\nprovider = 'openai'\nmodels = ['m']\ncredential = { env = 'BURNCLOUD_NO_SUCH' }".into(),
            ":5:14: channels.credential: ",
            "variable BURNCLOUD_NO_SUCH is not set",
        ),
        (
            "[[channels]]\nname = 'c'\nprovider = 'openai'\nmodels = ['m']\ncredential = 'sk-hunter2'".into(),
            ":5:14: channels.credential: ",
            "allow_inline_secrets",
        ),
        ("[[channels]]\nname = 'c'\nmodels = ['m']".into(), ":1:1: ", "missing field `provider`"),
        ("[[keys]]\nname = 'k'".into(), ":1:1: keys.secret: ", "burncloud keys create"),
        ("allow_inline_secrets = true\n[[keys]]\nname = 'k'\nsecret = 'hunter2'".into(), ":4:10: keys.secret: ", "at least 8"),
        (key("quota_usd = 10"), ":4:13: ", "as a text, such as"),
        (key("quota_usd = '10.0000000001'"), ":4:13: keys.quota_usd: ", "nine decimals"),
        (key("quota_usd = '-1'"), ":4:13: keys.quota_usd: ", "negative"),
        (key("user = 'nobody'"), ":4:8: keys.user: ", "[[users]]"),
        (key("models = []"), ":4:10: keys.models: ", "leave it out for all"),
        (key("ips = ['::1', '10.0.0.x']"), ":4:15: keys.ips: ", "not an IP address"),
        (key("expires = 'soon'"), ":4:11: keys.expires: ", "2027-01-31T00:00:00Z"),
        (channel("models = ['m']").replace("'openai'", "'openai-compatible'"), ":1:1: channels.base_url: ", "set base_url"),
        (key("rate_limit = { concurrency = 0 }"), ":4:14: keys.rate_limit: ", "concurrency is 0"),
        ("[[users]]\nname = 'u'\nrate_limit = { tokens_per_minute = 0 }".into(), ":3:14: users.rate_limit: ", "leave it out"),
        ("[[tenants]]\nname = 'u'\nrate_limit = { tokens_per_minute = 0 }".into(), ":3:14: tenants.rate_limit: ", "leave it out"),
        ("[limits]\nmodels = { m = { requests_per_minute = 0 } }".into(), ":2:16: limits.models: ", "leave it out"),
        (key("rate_limit = { rpm = 1 }"), ":4:", "unknown field `rpm`"),
        (key("[[keys]]\nname = 'l'\nsecret = { env = 'PATH' }"), ":6:10: keys.secret: ", "of the key `k` too"),
        ("[[prices]]\ninput = '1'".into(), ":1:1: prices.model: ", "name the model"),
        ("[[prices]]\nmodel = 'm'".into(), ":1:1: prices: ", "no price is given"),
        ("[[prices]]\nmodel = 'm'\ninput = 0.15".into(), ":3:9: prices.input: ", "as text"),
        ("[[prices]]\nmodel = 'm'\nimput = '1'".into(), ":3:9: prices.imput: ", "not a field"),
        (
            "[[prices]]\nmodel = 'm'\ninput = '1'\n[[prices]]\nmodel = 'm'\ninput = '2'".into(),
            ":5:9: prices.model: ",
            "same moment",
        ),
    ]
}

#[test]
fn every_fault_is_named_with_its_place_and_its_mending() {
    for (text, place, words) in faults() {
        let shown = parse(&text).unwrap_err().to_string();
        assert!(shown.starts_with(&format!("burncloud.toml{place}")), "{text}\n gave\n{shown}\n not {place}");
        assert!(shown.contains(words), "{text}\n gave\n{shown}");
        assert!(!shown.contains("hunter2"), "a secret is shown: {shown}");
    }
}

#[test]
fn values_that_are_no_toml_or_of_another_type_are_not_shown() {
    for text in [
        "[[keys]]\nname = 'k'\nsecret = sk-hunter2-unquoted",
        "[[keys]]\nname = 'k'\nsecret = \"sk-hunter2",
        "[[keys]]\nname = 'k'\nsecret = 'a' sk-hunter2",
        "[[keys]]\nname = 'k'\nsecret = { sk-hunter2 }",
        "[[keys]]\nname = 'k'\nsecret = { 'sk-hunter2' = 'x' }",
        "[[keys]]\nname = 'k'\nsecret = ['sk-hunter2']",
        "[[keys]]\nname = 'k'\nsecret = true # sk-hunter2",
        "[[keys]]\nname = 'k'\nsk-hunter2 = 'x'",
        "[[keys]]\nname = 'k'\nenabled = 'sk-hunter2'",
        "[[keys]]\nname = 'k'\nmodels = 'sk-hunter2'",
        "[[keys]]\nname = 'k'\nrate_limit = { concurrency = 'sk-hunter2' }",
        "keys = 'sk-hunter2'",
        "sk-hunter2",
        "[[channels]]\nname = 'c'\nprovider = 'x'\nmodels = ['m']\nbase_url = 'https://h/?k=hunter2'\nproxy='://hunter2@'",
        "[[channels]]\nname = 'c'\nprovider = 'openai'\nmodels = ['m']\ncredential = { file = 'sk-hunter2' }",
    ] {
        let shown = parse(text).unwrap_err().to_string();
        assert!(!shown.contains("hunter2"), "{text}\n gave\n{shown}");
    }
}

#[test]
fn all_faults_are_reported_in_the_order_of_the_file() {
    let text = format!("{KEY}quota_usd = 'x'\nuser = 'nobody'\n{CHANNEL}models = []");
    let problems = parse(&text).unwrap_err();
    assert_eq!(problems.len(), 3);
    let shown = problems.to_string();
    let at = |place: &str| shown.find(place).unwrap_or_else(|| panic!("no {place} in {shown}"));
    assert!(at(":4:13:") < at(":5:8:") && at(":5:8:") < at(":10:10:"));
}

#[test]
fn debug_shows_no_secret() {
    let config = parse(STABLE).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("sk-burn-inline-secret") && !shown.contains(&std::env::var("PATH").unwrap()));
}

#[test]
fn the_store_alone_needs_no_secret_of_channels() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("burncloud.toml");
    let text =
        "[store]\nurl = 'sqlite://x.db'\n[[keys]]\nname = 'k'\nsecret = { env = 'BURNCLOUD_NO_SUCH' }\n";
    std::fs::write(&path, text).unwrap();
    assert_eq!(Config::load_places(&path).unwrap().0.url.expose_secret(), "sqlite://x.db");
    assert!(Config::load(&path, &crate::providers()).is_err());
}

#[test]
fn models_that_nobody_serves_or_that_have_no_price_are_warned_of() {
    let text = format!(
        "[limits]\nmodels = {{ nope = {{ concurrency = 1 }} }}\n{KEY}models = ['gpt-4o-mini', 'typo']\nquota_usd = '1'\n\
         {CHANNEL}models = ['gpt-4o-mini', 'our-own', 'ours-priced']\n[[prices]]\nmodel = 'ours-priced'\ninput = '1'\n"
    );
    let shown = parse(&text).unwrap().warnings();
    assert_eq!(shown.len(), 3, "{shown:?}");
    for (warning, words) in shown.iter().zip(["serves `typo`", "serves `nope`", "`our-own` has no price"]) {
        assert!(warning.contains(words), "{warning}");
    }
    let unlimited = text.replace("quota_usd = '1'", "");
    assert_eq!(parse(&unlimited).unwrap().warnings().len(), 3, "whoever asks is refused");
    for declared in ["'free'", "{ input = '1', output = '2' }"] {
        let text = format!("[billing]\nunpriced = {declared}\nguard = 'refuse'\n{text}");
        let config = parse(&text).unwrap();
        assert_eq!((config.warnings().len(), config.billing.guard), (2, burncloud_billing::Guard::Refuse));
    }
}
