//! The command line: keys, channels, receipts, and a check that names the line at fault.

use crate::common::*;
use burncloud_tests::eventually;
use serde_json::Value;

fn find<'a>(list: &'a Value, name: &str) -> &'a Value {
    let entries = list.as_array().unwrap_or_else(|| panic!("not a list: {list}"));
    entries.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {list}"))
}

#[tokio::test]
async fn a_key_is_created_used_and_revoked_while_the_server_runs() {
    let (_upstream, gateway) = pair().await;
    let made = gateway.cli(&["keys", "create", "fresh", "--quota-usd", "1.00"]).await;
    let secret = made["secret"].as_str().unwrap_or_else(|| panic!("no secret in {made}")).to_owned();
    assert!(secret.starts_with("sk-burn-"), "{secret}");
    let ask = chat(MODEL).bearer(&secret);
    eventually("the new key is known", || async { ask.send(gateway.addr()).await.status == 200 }).await;

    let list = gateway.cli(&["keys", "list"]).await;
    assert_eq!(find(&list, "fresh")["status"], "active", "{list}");
    assert!(!list.to_string().contains(&secret), "a secret is shown once");
    let shown = gateway.cli(&["keys", "show", "fresh"]).await;
    assert!(!shown.to_string().contains(&secret), "a secret is shown once");
    assert_eq!(shown["quota"], 1_000_000_000, "{shown}");

    gateway.cli(&["keys", "revoke", "fresh"]).await;
    eventually("the key is refused", || async { ask.send(gateway.addr()).await.status == 401 }).await;
}

#[tokio::test]
async fn channels_are_listed_and_shown_without_their_credential() {
    let (_upstream, gateway) = pair().await;
    let list = gateway.cli(&["channels", "list"]).await;
    assert_eq!(find(&list, "claude-main")["provider"], "anthropic");
    let shown = gateway.cli(&["channels", "show", "openai-main"]).await;
    assert_eq!(shown["model_mapping"]["fast"], MODEL, "{shown}");
    for text in [list.to_string(), shown.to_string()] {
        assert!(!text.contains("credential-of"), "{text}");
    }
}

#[tokio::test]
async fn a_receipt_is_listed_and_shown() {
    let (_upstream, gateway) = pair().await;
    let answer = gateway.ask("dev", chat("fast")).await;
    let listed = gateway.receipt_of(&answer.trace_id()).await;
    let shown = gateway.cli(&["receipts", "show", listed["id"].as_str().unwrap()]).await;
    for field in
        ["id", "trace_id", "status", "end", "model", "upstream_model", "channel_name", "usage", "charge_nano"]
    {
        assert_eq!(shown[field], listed[field], "{field}");
    }
    assert_eq!((listed["model"].as_str(), listed["upstream_model"].as_str()), (Some("fast"), Some(MODEL)));
    assert_eq!(listed["channel_name"], "openai-main");
    assert_eq!((listed["streamed"].as_bool(), listed["status"].as_u64()), (Some(false), Some(200)));
    assert_eq!(listed["attempts"].as_array().map(Vec::len), Some(1));
    assert!(listed["took_us"].as_u64().is_some_and(|took| took > 0), "{listed}");
    assert!(!gateway.run(&["receipts", "show", "no-such-receipt"]).await.status.success());
}

#[tokio::test]
async fn check_accepts_a_good_file_and_names_the_line_at_fault() {
    let (_upstream, gateway) = pair().await;
    assert!(gateway.run(&["check"]).await.status.success());
    let good = std::fs::read_to_string(gateway.config_path()).unwrap();
    let line_of = |text: &str, what: &str| text.lines().position(|line| line.contains(what)).unwrap() + 1;
    let faults = [
        ("provider = \"openai\"", "provider = \"nobody\""),
        ("name = \"openai-main\"", "nmae = \"openai-main\""),
        ("name = \"claude-main\"", "name = \"openai-main\" # again"),
        ("BURNCLOUD_TEST_CRED_GEMINI_MAIN", "BURNCLOUD_TEST_NOT_SET"),
        ("name = \"dev\"", "name = \"dev\"\nquota_usd = \"ten\""),
        ("name = \"dev\"", "name = \"dev\"\nrate_limit = { requests_per_minute = -1 }"),
    ];
    for (from, to) in faults {
        let broken = good.replacen(from, to, 1);
        assert_ne!(broken, good, "{from}");
        std::fs::write(gateway.config_path(), &broken).unwrap();
        let output = gateway.run(&["check"]).await;
        assert!(!output.status.success(), "accepted: {to}");
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let line = line_of(&broken, to.lines().last().unwrap());
        let section = (line.saturating_sub(8)..=line)
            .any(|near| said.contains(&format!(":{near}:")) || said.contains(&format!("line {near}")));
        assert!(section, "the fault is on line {line}, but: {said}");
    }
}

#[tokio::test]
async fn the_demo_shows_a_receipt_and_a_balance_without_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = tokio::process::Command::new(burncloud_tests::gateway::binary());
    demo.args(["demo", "--once"]).current_dir(folder.path()).env_remove("RUST_LOG").kill_on_drop(true);
    let output = tokio::time::timeout(burncloud_tests::PATIENCE, demo.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for word in ["receipt", "charge", "balance", "streamed"] {
        assert!(said.to_lowercase().contains(word), "no {word} in:\n{said}");
    }
}
