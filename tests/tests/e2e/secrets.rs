//! After a full run at trace level, no secret is anywhere but where it must be.

use crate::common::*;
use burncloud_tests::config::{Channel, Key, secret_of};
use burncloud_tests::gateway::Gateway;
use burncloud_tests::raw::{Connection, Request};
use burncloud_tests::upstream::{Behaviour, Upstream};
use rustix::process::Signal;
use std::path::Path;

/// Everything a caller can do, well and badly, in every dialect.
async fn full_run(gateway: &Gateway, upstream: &Upstream) {
    let key = secret_of("dev");
    for ask in
        [chat(MODEL), chat_stream("fast"), message(false), message(true), generate(false), generate(true)]
    {
        assert_eq!(gateway.ask("dev", ask).await.status, 200);
    }
    message(false).header("x-api-key", &key).send(gateway.addr()).await;
    generate(false).header("x-goog-api-key", &key).send(gateway.addr()).await;
    Request::get(&format!("/v1beta/models?key={key}")).send(gateway.addr()).await;
    Request::get(&format!("/no/such/path?key={key}")).send(gateway.addr()).await;
    chat(MODEL).bearer(&secret_of("unknown")).send(gateway.addr()).await;
    gateway.ask("dev", Request::post("/v1/chat/completions", format!("{{\"user\":\"{key}\""))).await;
    gateway.ask("broke", chat(MODEL)).await;
    for behaviour in [
        Behaviour::ResetBeforeHeaders,
        Behaviour::ResetAfterHeaders,
        Behaviour::Hang,
        Behaviour::Cut(2),
        Behaviour::Status(401, Vec::new()),
        Behaviour::Status(500, Vec::new()),
        Behaviour::Html(502),
    ] {
        upstream.next(behaviour);
        gateway.ask("dev", message(true)).await;
    }
    let mut connection = Connection::open(gateway.addr()).await.unwrap();
    connection.write(&chat(MODEL).bearer(&key).encode()[..80]).await.unwrap();
    connection.hang_up();
}

/// Every file below `folder` but those named.
fn files(folder: &Path, but: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path, but));
        } else if !but.contains(&name.as_str()) {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap_or_default()));
        }
    }
    found
}

#[tokio::test]
async fn a_full_run_at_trace_level_shows_no_secret() {
    let upstream = Upstream::start().await;
    let config = config(&upstream)
        .channel(Channel::new("spare", "anthropic", &upstream.url()).models([CLAUDE]).line(IMPATIENT))
        .key(Key::new("broke").line("quota_usd = \"0.000000001\""))
        .section("[timeouts]\nfirst_byte_ms = 400\nidle_ms = 400");
    let mut secrets = config.secrets();
    secrets.push(secret_of("unknown"));
    let mut gateway = Gateway::start(config).await;
    let made = gateway.cli(&["keys", "create", "made"]).await;
    secrets.push(made["secret"].as_str().expect("shown once").to_owned());
    chat(MODEL).bearer(secrets.last().unwrap()).send(gateway.addr()).await;
    full_run(&gateway, &upstream).await;
    gateway.signal(Signal::HUP);
    gateway.idle().await;

    let mut shown = vec![("/metrics".to_owned(), gateway.metrics().await.into_bytes())];
    for args in [
        &["receipts", "list"][..],
        &["keys", "list"],
        &["keys", "show", "made"],
        &["channels", "list"],
        &["channels", "show", "openai-main"],
        &["check"],
    ] {
        let output = gateway.run(args).await;
        shown.push((format!("burncloud {args:?}"), [output.stdout, output.stderr].concat()));
    }
    assert!(gateway.stop().await.success());
    let log = gateway.log();
    assert!(log.contains("DEBUG"), "the log is as detailed as it can be");
    shown.push(("the log".to_owned(), log.into_bytes()));
    // The database and the journal too: keys are kept as hashes, credentials encrypted.
    shown.extend(files(gateway.folder(), &["log"]));
    assert!(
        shown.iter().any(|(name, _)| name.ends_with("burncloud.db")),
        "the data lies where it was looked for"
    );
    for (place, bytes) in &shown {
        for secret in &secrets {
            let tail = &secret.as_bytes()[secret.len() - 16..];
            assert!(
                memchr::memmem::find(bytes, secret.as_bytes()).is_none()
                    && memchr::memmem::find(bytes, tail).is_none(),
                "{place} holds {secret}"
            );
        }
    }
}
