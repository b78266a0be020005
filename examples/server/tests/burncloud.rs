//! The binary as an operator uses it: checked files, the command line on a database of its own, a start without
//! a configuration, reload, and an end in order.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]
#![allow(
    clippy::zombie_processes,
    reason = "a server that does not start ends the test; one that does is reaped on drop"
)]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

fn burncloud(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_burncloud"));
    command.current_dir(dir).env_remove("RUST_LOG").env_remove("BURNCLOUD_CONFIG");
    command.env_remove("BURNCLOUD_SECRET_KEY").env_remove("BURNCLOUD_LOG_FORMAT").stdin(Stdio::null());
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    burncloud(dir).args(args).output().unwrap()
}

#[track_caller]
fn json(dir: &Path, args: &[&str]) -> Value {
    let output = run(dir, &[args, &["--format", "json"]].concat());
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{args:?}: {out}{err}");
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {e}: {out}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running server; killed when dropped.
struct Server {
    child: Child,
    addr: String,
    /// What it said before it listened.
    said: Vec<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(dir: &Path, args: &[&str]) -> Server {
        let log = std::fs::File::options().create(true).append(true).open(dir.join("log")).unwrap();
        let mut command = burncloud(dir);
        command.args(args).args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        loop {
            let Some(line) = lines.next() else {
                let log = std::fs::read_to_string(dir.join("log")).unwrap();
                panic!("{args:?} did not start: {said:?}\n{log}");
            };
            let line = line.unwrap();
            if let Some((_, addr)) = line.split_once("burncloud listens on http://") {
                return Server { child, addr: addr.to_owned(), said };
            }
            said.push(line);
        }
    }

    fn get(&self, path: &str, key: &str) -> (u16, String) {
        let mut tcp = TcpStream::connect(&self.addr).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"
        );
        tcp.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    /// The head of the answer to a page's request: a browser's question before it, or itself.
    fn page_asks(&self, method: &str, path: &str, more: &str) -> String {
        let mut tcp = TcpStream::connect(&self.addr).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\norigin: https://app.example.com\r\n{more}connection: close\r\n\r\n"
        );
        tcp.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().0.to_ascii_lowercase()
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    fn stop(self) {
        self.signal("-TERM");
        self.ended();
    }

    fn ended(mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "ended with {status}");
                return;
            }
            assert!(Instant::now() < deadline, "does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn models(answer: &str) -> Vec<String> {
    let json: Value = serde_json::from_str(answer).unwrap_or_else(|e| panic!("{e}: {answer}"));
    let list = json["data"].as_array().unwrap_or_else(|| panic!("no list: {answer}"));
    list.iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect()
}

const FILE: &str = r#"
allow_inline_secrets = true
[[channels]]
name = "main"
provider = "openai"
credential = "sk-upstream-hunter2"
models = ["gpt-4o-mini"]
[[keys]]
name = "dev"
secret = "sk-callers-hunter2"
quota_usd = "10.00"
"#;

fn with_file(text: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("burncloud.toml"), text).unwrap();
    dir
}

const CONFIG: [&str; 2] = ["--config", "burncloud.toml"];

#[test]
fn check_passes_a_file_in_order_and_touches_nothing() {
    let dir = with_file(FILE);
    let output = run(dir.path(), &["check", CONFIG[0], CONFIG[1]]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "something was made");
}

#[test]
fn check_warns_and_passes() {
    let dir = with_file(&FILE.replace("quota_usd", "models = [\"typo\"]\nquota_usd"));
    let output = run(dir.path(), &["check", CONFIG[0], CONFIG[1]]);
    let error = text(&output.stderr);
    assert!(output.status.success() && error.contains("warning: ") && error.contains("`typo`"), "{error}");
}

#[test]
fn check_names_the_line_at_fault_and_fails() {
    let dir = with_file(&FILE.replace("quota_usd = \"10.00\"", "quota_usd = \"ten\""));
    let output = run(dir.path(), &["check", CONFIG[0], CONFIG[1]]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.contains("burncloud.toml:11:13: keys.quota_usd: "), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn keys_are_made_listed_shown_rotated_and_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let made =
        json(dir, &["keys", "create", "k", "--quota-usd", "2.50", "--models", "a,b", "--concurrency", "3"]);
    let secret = made["secret"].as_str().unwrap();
    assert_eq!((secret.len(), made["quota"].as_i64()), (56, Some(2_500_000_000)));
    assert_eq!(made["hint"], format!("sk-burn-…{}", &secret[52..]));
    let list = json(dir, &["keys", "list"]);
    assert_eq!((list.as_array().unwrap().len(), &list[0]["models"]), (1, &serde_json::json!(["a", "b"])));
    assert!(list[0]["secret"].is_null() && !list.to_string().contains(secret));
    assert_eq!(json(dir, &["keys", "show", "k"])["limits"]["concurrency"], 3);
    let rotated = json(dir, &["keys", "rotate", "k"]);
    assert_ne!(rotated["secret"], made["secret"]);
    assert_eq!(json(dir, &["keys", "revoke", "k"])["status"], "revoked");
    let refused = run(dir, &["keys", "rotate", "k"]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("revoked for good"));
    assert!(text(&run(dir, &["keys", "show", "nobody"]).stderr).contains("there is no key `nobody`"));
    let twice = run(dir, &["keys", "create", "k"]);
    assert!(text(&twice.stderr).contains("already"), "{}", text(&twice.stderr));
}

#[test]
fn a_key_of_the_file_is_rotated_where_the_file_points_to() {
    let dir = with_file(FILE);
    Server::start(dir.path(), &["serve", CONFIG[0], CONFIG[1]]).stop();
    let refused = run(dir.path(), &["keys", "rotate", "dev", CONFIG[0], CONFIG[1]]);
    let error = text(&refused.stderr);
    assert!(!refused.status.success() && error.contains("where the file points to"), "{error}");
    json(dir.path(), &["keys", "create", "other", CONFIG[0], CONFIG[1]]);
    json(dir.path(), &["keys", "rotate", "other", CONFIG[0], CONFIG[1]]);
}

#[test]
fn reading_makes_no_store_and_making_says_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let path = dir.canonicalize().unwrap().join("burncloud.db").display().to_string();
    for args in [&["keys", "list"][..], &["channels", "show", "c"], &["receipts", "list"]] {
        let refused = run(dir, args);
        let error = text(&refused.stderr);
        assert!(!refused.status.success() && error.contains(&path) && error.contains("--config"), "{error}");
        assert_eq!(std::fs::read_dir(dir).unwrap().count(), 0, "{args:?} made something");
    }
    let made = run(dir, &["keys", "create", "k"]);
    assert!(made.status.success() && text(&made.stderr).contains(&path), "{}", text(&made.stderr));
    assert!(!text(&run(dir, &["keys", "create", "l"]).stderr).contains(&path));
}

#[test]
fn an_unlimited_balance_is_not_topped_up_by_mistake() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    json(dir, &["users", "create", "ada"]);
    let refused = run(dir, &["users", "top-up", "ada", "5"]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("users set-balance ada"));
    let user = || json(dir, &["users", "list"]).as_array().unwrap().last().unwrap().clone();
    assert_eq!(user()["unlimited"], true);
    let set = json(dir, &["users", "set-balance", "ada", "5"]);
    assert_eq!((set["balance_usd"].as_str(), set["unlimited"].as_bool()), (Some("5.00"), Some(false)));
    let topped = json(dir, &["users", "top-up", "ada", "1"]);
    assert_eq!(
        (user()["balance"].as_i64(), topped["balance_usd"].as_str()),
        (Some(6_000_000_000), Some("6.00"))
    );
    assert_eq!(json(dir, &["users", "set-balance", "ada", "unlimited"])["unlimited"], true);
    assert_eq!(
        (user()["unlimited"].as_bool(), user()["balance"].as_i64()),
        (Some(true), Some(6_000_000_000))
    );
}

#[test]
fn money_moves_through_the_ledger_by_reference_reason_and_author() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    json(
        dir,
        &["tenants", "create", "acme", "--parent", "default", "--balance-usd", "100", "--credit-usd", "20"],
    );
    json(
        dir,
        &["tenants", "create", "deep", "--parent", "acme", "--group", "vip", "--time-zone", "Europe/Berlin"],
    );
    json(dir, &["users", "create", "ada", "--tenant", "deep", "--limited", "--role", "reseller"]);
    let top = ["tenants", "top-up", "deep", "5", "--reference", "inv-1", "--author", "kim"];
    let first = json(dir, &top);
    let again = json(dir, &top);
    assert_eq!((first["new"].as_bool(), again["new"].as_bool()), (Some(true), Some(false)));
    assert_eq!((again["balance"].as_i64(), &again["entry"]), (Some(5_000_000_000), &first["entry"]));
    assert_eq!(json(dir, &["users", "promote", "ada", "2.5"])["balance_usd"], "2.50");
    let silent = run(dir, &["users", "adjust", "ada", "-1"]);
    assert!(
        !silent.status.success() && text(&silent.stderr).contains("reason: "),
        "{}",
        text(&silent.stderr)
    );
    let adjusted = json(dir, &["users", "adjust", "ada", "-1", "--reason", "promised less"]);
    assert_eq!(adjusted["balance_usd"], "1.50");
    assert_eq!(json(dir, &["users", "credit", "ada", "3"])["credit_usd"], "3.00");
    let house = run(dir, &["tenants", "top-up", "default", "5"]);
    assert!(
        text(&house.stderr).contains("tenant: `default` is a tenant of the house"),
        "{}",
        text(&house.stderr)
    );
    let tree = json(dir, &["tenants", "tree"]);
    let levels: Vec<_> = tree
        .as_array()
        .unwrap()
        .iter()
        .map(|t| (t["level"].as_i64().unwrap(), t["name"].as_str().unwrap()))
        .collect();
    assert_eq!(levels, [(0, "default"), (1, "acme"), (2, "deep")]);
    assert_eq!(
        (tree[1]["balance_usd"].as_str(), tree[1]["credit_usd"].as_str()),
        (Some("100.00"), Some("20.00"))
    );
    let off = json(dir, &["tenants", "update", "acme", "--disable", "--concurrency", "3"]);
    assert_eq!((off["status"].as_str(), off["limits"]["concurrency"].as_i64()), (Some("disabled"), Some(3)));
    assert_eq!(json(dir, &["tenants", "update", "deep", "--no-group"])["group"], Value::Null);
    assert_eq!(json(dir, &["users", "update", "ada", "--role", "accountant"])["role"], "accountant");
    let misplaced = run(dir, &["users", "update", "ada", "--role", "owner"]);
    assert!(text(&misplaced.stderr).contains("role: "), "{}", text(&misplaced.stderr));
}

#[test]
fn budgets_and_plans_are_set_listed_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    json(dir, &["keys", "create", "k"]);
    let set = json(dir, &["budgets", "set", "daily", "--key", "k", "--per", "day", "--usd", "10.00"]);
    assert_eq!((set["allowance_usd"].as_str(), set["of"].as_str()), (Some("10.00"), Some("key k")));
    json(dir, &["budgets", "set", "words", "--model", "m", "--per", "hour", "--tokens", "500", "--soft"]);
    let list = json(dir, &["budgets", "list"]);
    assert_eq!((list.as_array().unwrap().len(), &list[1]["enforcement"]), (2, &serde_json::json!("soft")));
    for (args, words) in [
        (&["budgets", "set", "x", "--per", "day", "--usd", "1"][..], "--key"),
        (&["budgets", "set", "x", "--key", "none", "--per", "day", "--usd", "1"], "there is no key `none`"),
        (&["budgets", "set", "x", "--key", "k", "--per", "day"], "--usd"),
        (&["budgets", "set", "x", "--key", "k", "--per", "day", "--usd", "-1"], "negative"),
        (&["budgets", "delete", "none"], "there is no budget `none`"),
    ] {
        let refused = run(dir, args);
        assert!(
            !refused.status.success() && text(&refused.stderr).contains(words),
            "{}",
            text(&refused.stderr)
        );
    }
    json(dir, &["budgets", "delete", "words"]);
    assert_eq!(json(dir, &["budgets", "list"]).as_array().unwrap().len(), 1);
    assert!(json(dir, &["budgets", "alerts"]).as_array().unwrap().is_empty());
    json(dir, &["plans", "set", "gentle", "--abort", "nothing"]);
    json(dir, &["plans", "set", "exact", "--abort", "reported", "--drain-ms", "800"]);
    assert_eq!(json(dir, &["plans", "list"])[0]["abort"]["drain_ms"], 800);
    assert_eq!(json(dir, &["users", "update", "default", "--plan", "gentle"])["plan"], "gentle");
    let unknown = run(dir, &["users", "update", "default", "--plan", "none"]);
    assert!(text(&unknown.stderr).contains("there is no plan `none`"), "{}", text(&unknown.stderr));
}

#[test]
fn a_price_comes_down_the_tree_as_it_is_quoted() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    json(
        dir,
        &["channels", "create", "main", "--provider", "openai", "--models", "m", "--credential-env", "PATH"],
    );
    json(dir, &["tenants", "create", "acme", "--parent", "default"]);
    json(dir, &["users", "create", "ada", "--tenant", "acme", "--limited", "--group", "vip"]);
    json(dir, &["prices", "set", "m", "--channel", "main", "input=1", "output=4"]);
    json(dir, &["prices", "set", "m", "markup=1.5"]);
    json(dir, &["prices", "set", "*", "--tenant", "acme", "markup=2"]);
    json(dir, &["prices", "groups", "--tenant", "acme", "vip=0.8", "vip/batch=0.5"]);
    json(dir, &["prices", "fx", "CNY=7.20"]);
    let quoted = json(dir, &["prices", "quote", "m", "--user", "ada"]);
    let input = |n: usize| quoted[0]["levels"][n]["nano_per_million"]["input"].as_i64();
    assert_eq!(quoted[0]["cost_nano_per_million"]["input"], 1_000_000_000_i64);
    let last = quoted[0]["levels"].as_array().unwrap().len() - 1;
    assert_eq!((input(last - 1), input(last)), (Some(1_500_000_000), Some(2_400_000_000)), "{quoted}");
    let rules = json(dir, &["prices", "list", "--tenant", "acme"]);
    assert_eq!((rules.as_array().unwrap().len(), rules[0]["book_name"].as_str()), (2, Some("acme")));
    for (args, words) in [
        (&["prices", "set", "m", "markup=-1"][..], "markup: "),
        (&["prices", "set", "m", "--tenant", "acme", "--channel", "main", "input=1"], "--channel"),
        (&["prices", "fx", "Yuan=7"], "fx.Yuan: "),
        (&["prices", "quote", "unknown"], "serves `unknown`"),
    ] {
        let refused = run(dir, args);
        assert!(
            !refused.status.success() && text(&refused.stderr).contains(words),
            "{}",
            text(&refused.stderr)
        );
    }
}

#[test]
fn channels_users_and_prices_are_kept_and_credentials_are_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("credential"), "sk-upstream-hunter2\n").unwrap();
    let create = ["channels", "create", "c", "--provider", "openai", "--credential-file", "credential"];
    let made = json(dir, &[&create[..], &["--models", "m,fast=m", "--priority", "-1"]].concat());
    assert_eq!((&made["model_mapping"]["fast"], made["priority"].as_i64()), (&"m".into(), Some(-1)));
    let shown =
        json(dir, &["channels", "show", "c"]).to_string() + &text(&run(dir, &["channels", "list"]).stdout);
    assert!(!shown.contains("hunter2"), "{shown}");
    let database = std::fs::read(dir.join("burncloud.db")).unwrap();
    assert!(!database.windows(7).any(|w| w == b"hunter2"), "the credential lies in clear");
    let unknown = run(dir, &["channels", "create", "d", "--provider", "opnai", "--models", "m"]);
    assert!(text(&unknown.stderr).contains("provider: `opnai` is not known"), "{}", text(&unknown.stderr));
    json(dir, &["users", "create", "ada", "--balance-usd", "5"]);
    assert_eq!(json(dir, &["users", "top-up", "ada", "-1.5"])["balance"], 3_500_000_000_i64);
    let price = json(dir, &["prices", "set", "m", "input=0.15", "output=0.6"]);
    assert_eq!(json(dir, &["prices", "list"])[0]["version"], price["version"]);
    let wrong = run(dir, &["prices", "set", "m", "imput=0.15"]);
    assert!(text(&wrong.stderr).contains("imput: "), "{}", text(&wrong.stderr));
    assert_eq!(json(dir, &["receipts", "list"]), serde_json::json!([]));
}

#[test]
fn the_first_start_makes_a_key_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &["serve"]);
    let key = server.said.iter().find_map(|l| l.trim().strip_prefix("sk-burn-")).expect("no key is shown");
    let key = format!("sk-burn-{key}");
    assert_eq!(server.get("/v1/models", &key).0, 200);
    assert_eq!(server.get("/v1/models", "sk-burn-nobody-has-this-one").0, 401);
    server.stop();
    let again = Server::start(dir.path(), &["serve"]);
    assert!(!again.said.iter().any(|line| line.contains("sk-burn-")), "{:?}", again.said);
    assert_eq!(again.get("/v1/models", &key).0, 200);
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(!log.contains(&key), "the key is in the log");
}

#[test]
fn the_operators_paths_answer() {
    let dir = with_file(FILE);
    let server = Server::start(dir.path(), &["serve", CONFIG[0], CONFIG[1]]);
    assert_eq!(server.get("/healthz", "").0, 200);
    assert_eq!(server.get("/readyz", "").0, 200);
    assert_eq!(server.get("/console/internal/health", "").0, 200);
    assert_eq!(server.get("/v1/models", "sk-callers-hunter2").0, 200);
    let (_, page) = server.get("/metrics", "");
    for name in [
        "burncloud_requests_total{dialect=\"openai\",status_class=\"2xx\"} 1",
        "burncloud_requests_in_flight 0",
        "burncloud_body_bytes_in_flight 0",
        "burncloud_reserved_nanodollars 0",
        "burncloud_concurrency_permits 0",
        "burncloud_journal_unshipped ",
        "burncloud_attempts_total{channel=\"main\",outcome=\"answered\"} 0",
        "burncloud_breaker_open{channel=\"main\",model=\"gpt-4o-mini\"} 0",
        "burncloud_request_duration_seconds_bucket{le=\"+Inf\"} ",
    ] {
        assert!(page.contains(name), "no {name} in\n{page}");
    }
    let router = with_file(FILE);
    let router = Server::start(router.path(), &["router", CONFIG[0], CONFIG[1]]);
    assert_eq!(router.get("/console/internal/health", "").0, 404);
}

#[test]
fn pages_of_other_websites_call_where_the_file_says_so_from_the_moment_it_does() {
    const ORIGIN: &str = "access-control-allow-origin: https://app.example.com";
    const ASKS: &str =
        "access-control-request-method: POST\r\naccess-control-request-headers: authorization\r\n";
    const KEY: &str = "authorization: Bearer sk-callers-hunter2\r\n";
    let dir = with_file(FILE);
    let server = Server::start(dir.path(), &["serve", CONFIG[0], CONFIG[1]]);
    for (method, more) in [("OPTIONS", ASKS), ("GET", KEY)] {
        let head = server.page_asks(method, "/v1/models", more);
        assert!(!head.contains("access-control-"), "{head}");
    }
    let with = format!("{FILE}\n[server]\ncors_origins = [\"https://app.example.com\"]\n");
    std::fs::write(dir.path().join("burncloud.toml"), with).unwrap();
    eventually("a page is told that it may call", || {
        server.page_asks("OPTIONS", "/v1/models", ASKS).contains(ORIGIN)
    });
    let head = server.page_asks("OPTIONS", "/v1/chat/completions", ASKS);
    assert!(
        head.starts_with("http/1.1 204 ") && head.contains("access-control-allow-headers: authorization"),
        "{head}"
    );
    for (more, status) in [(KEY, "200"), ("", "401")] {
        let head = server.page_asks("GET", "/v1/models", more);
        assert!(head.starts_with(&format!("http/1.1 {status} ")) && head.contains(ORIGIN), "{head}");
    }
    let head = server.page_asks("GET", "/metrics", "");
    assert!(!head.contains("access-control-"), "the operator's paths are open to no page: {head}");
    server.stop();
}

#[test]
fn a_changed_file_and_a_changed_store_take_effect_and_a_broken_file_does_not() {
    let dir = with_file(FILE);
    let path = dir.path().join("burncloud.toml");
    let server = Server::start(dir.path(), &["serve", CONFIG[0], CONFIG[1]]);
    let served = || models(&server.get("/v1/models", "sk-callers-hunter2").1);
    assert_eq!(served(), ["gpt-4o-mini"]);

    std::fs::write(&path, FILE.replace("[\"gpt-4o-mini\"]", "[\"gpt-4o-mini\", \"gpt-4o\"]")).unwrap();
    eventually("the file's second model is served", || served().len() == 2);

    std::fs::write(&path, FILE.replace("10.00", "ten")).unwrap();
    server.signal("-HUP");
    let log = || std::fs::read_to_string(dir.path().join("log")).unwrap();
    eventually("the fault is logged", || log().contains("burncloud.toml:11:13: keys.quota_usd"));
    assert_eq!(served().len(), 2);

    let create = ["channels", "create", "more", "--provider", "openai", "--credential-env", "PATH"];
    json(dir.path(), &[&create[..], &["--models", "o3"]].concat());
    eventually("the store's channel is served", || served().contains(&"o3".to_owned()));
    json(dir.path(), &["keys", "revoke", "dev"]);
    eventually("the revoked key is refused", || server.get("/v1/models", "sk-callers-hunter2").0 == 401);
    server.stop();
    assert!(!log().contains("hunter2"), "a secret is in the log");
}

/// A provider that begins a stream and goes on when told to.
fn pausing_provider() -> (String, std::sync::mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let (go_on, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut tcp, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = tcp.read(&mut request).unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        let chunk =
            |text: &str| format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n");
        tcp.write_all((head.to_owned() + &chunk("begun")).as_bytes()).unwrap();
        if told.recv().is_ok() {
            tcp.write_all((chunk("ended") + "data: [DONE]\n\n").as_bytes()).unwrap();
        }
    });
    (addr, go_on)
}

/// Asks for a stream and returns when its first chunk is here.
fn begin_stream(server: &Server) -> TcpStream {
    let mut tcp = TcpStream::connect(&server.addr).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    let body = r#"{"model":"gpt-4o-mini","stream":true,"messages":[]}"#;
    let head =
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-callers-hunter2\r\n";
    write!(tcp, "{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .unwrap();
    let mut seen = String::new();
    while !seen.contains("begun") {
        let mut piece = [0; 4096];
        let n = tcp.read(&mut piece).unwrap();
        assert!(n > 0, "ended early: {seen}");
        seen.push_str(&text(&piece[..n]));
    }
    tcp
}

fn streaming_file(provider: &str, grace_ms: u32) -> TempDir {
    let base_url = format!("base_url = \"http://{provider}\"\nmodels");
    let server = format!("[server]\nshutdown_grace_ms = {grace_ms}\n[[channels]]");
    with_file(&FILE.replace("models", &base_url).replace("[[channels]]", &server))
}

fn ends(dir: &Path) -> Vec<String> {
    let receipts = json(dir, &["receipts", "list", CONFIG[0], CONFIG[1]]);
    receipts.as_array().unwrap().iter().map(|r| r["end"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_stream_is_finished_before_the_end() {
    let (provider, go_on) = pausing_provider();
    let dir = streaming_file(&provider, 60_000);
    let server = Server::start(dir.path(), &["serve", CONFIG[0], CONFIG[1]]);
    let mut stream = begin_stream(&server);
    server.signal("-TERM");
    let refused = || TcpStream::connect(&server.addr).is_err();
    eventually("new connections are refused", refused);
    go_on.send(()).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(text(&rest).contains("ended") && text(&rest).contains("[DONE]"), "{}", text(&rest));
    server.ended();
    assert_eq!(ends(dir.path()), ["finished"]);
}

#[test]
fn a_stream_that_outlives_the_grace_is_cut_off_and_leaves_its_receipt() {
    let (provider, go_on) = pausing_provider();
    let dir = streaming_file(&provider, 50);
    let server = Server::start(dir.path(), &["serve", CONFIG[0], CONFIG[1]]);
    let stream = begin_stream(&server);
    server.stop();
    assert_eq!(ends(dir.path()), ["caller_gone"]);
    drop((stream, go_on));
}

#[test]
fn the_demo_shows_receipts_and_balance() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["demo", "--once"]);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}{}", text(&output.stderr));
    assert!(shown.contains("only on loopback.") && shown.contains("data: [DONE]"), "{shown}");
    assert_eq!(shown.matches("(reported)").count(), 2, "{shown}");
    assert!(shown.contains("x $0.15 per million") && shown.contains("before  $1.00"), "{shown}");
    assert!(std::fs::read_dir(dir.path()).unwrap().next().is_none(), "something is left behind");
}

#[test]
fn transforms_are_tried_before_they_are_used() {
    let dir = TempDir::new().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("t.yaml", "request:\n- rename: {at: max_tokens, to: max_completion_tokens}\n  when: {model: o*}\n");
    write("bad.yaml", "request:\n- remvoe: user\n");
    write("s.rhai", "if ctx.dialect == \"anthropic\" {\n  headers[\"x-team\"] = \"a\";\n}\nreq.n.x.y = 1;\n");
    write("ok.rhai", "res.n += 1;");
    write("req.json", r#"{"model": "o9", "max_tokens": 5}"#);
    write("ev.json", r#"{"n": 1}"#);
    let test = |args: &[&str]| run(dir.path(), &[&["transform", "test"], args].concat());

    let shown = test(&["--file", "t.yaml", "--request", "req.json"]);
    let out = text(&shown.stdout);
    assert!(shown.status.success() && out.contains("request[0]"), "{out}{}", text(&shown.stderr));
    assert!(
        out.contains("-   \"max_tokens\": 5") && out.contains("+   \"max_completion_tokens\": 5"),
        "{out}"
    );
    let json = test(&["--file", "t.yaml", "--request", "req.json", "--model", "gpt", "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["after"], json["before"]);
    let event = test(&["--script", "ok.rhai", "--event", "ev.json", "--json"]);
    assert_eq!(serde_json::from_slice::<Value>(&event.stdout).unwrap()["after"]["n"], 2);

    let faults: [(&[&str], &str); 4] = [
        (&["--file", "bad.yaml", "--request", "req.json"], "bad.yaml:2:3: request[0]: "),
        (&["--script", "s.rhai", "--request", "req.json"], "s.rhai:4:"),
        (&["--file", "t.yaml", "--request", "t.yaml"], "t.yaml is not JSON"),
        (&["--file", "none.yaml", "--request", "req.json"], "none.yaml cannot be read"),
    ];
    for (args, wanted) in faults {
        let failed = test(args);
        let err = text(&failed.stderr);
        assert!(failed.status.code() == Some(1) && err.contains(wanted), "{args:?}: {err}");
    }

    let channel = "allow_inline_secrets = true\n[[channels]]\nname = \"c\"\nprovider = \"openai\"\n\
                   credential = \"k\"\nmodels = [\"o9\"]\n\
                   transforms = { file = \"t.yaml\" }\nheader_override = { x-team = \"b\" }\n";
    write("burncloud.toml", channel);
    let named = test(&["--config", "burncloud.toml", "--channel", "c", "--request", "req.json"]);
    let out = text(&named.stdout);
    assert!(
        out.contains("max_completion_tokens") && out.contains("+ x-team: b"),
        "{out}{}",
        text(&named.stderr)
    );
}
