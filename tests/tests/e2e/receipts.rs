//! Receipts as proof: callers read and verify their own, operators verify all, and what is changed is named.

use crate::common::*;
use burncloud_tests::config::{Key, secret_of};
use burncloud_tests::eventually;
use burncloud_tests::gateway::Gateway;
use burncloud_tests::raw::{Request, Response};
use burncloud_tests::sdk::Script;
use burncloud_tests::upstream::{Behaviour, Upstream};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The program of `docs/receipts.md`, as a file.
fn verifier(folder: &Path) -> PathBuf {
    let docs = std::fs::read_to_string(burncloud_tests::root().join("docs/receipts.md")).unwrap();
    let program = docs.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let path = folder.join("verify.py");
    std::fs::write(&path, program).unwrap();
    path
}

async fn stage() -> (Upstream, Gateway) {
    let upstream = Upstream::start().await;
    let config = config(&upstream)
        .section("\n[[users]]\nname = \"stranger\"\n")
        .key(Key::new("strange").line("user = \"stranger\""));
    let gateway = Gateway::start(config).await;
    (upstream, gateway)
}

async fn public_key(gateway: &Gateway) -> String {
    gateway.cli(&["receipts", "key"]).await["public_key"].as_str().unwrap().to_owned()
}

fn id_of(answer: &Response) -> String {
    let id = answer.headers.get("x-burncloud-receipt-id");
    id.unwrap_or_else(|| panic!("no receipt id in {answer:?}")).to_owned()
}

/// The receipt as its owner reads it, once it is recorded.
async fn read(gateway: &Gateway, key: &str, id: &str) -> Value {
    let ask = || gateway.ask(key, Request::get(&format!("/v1/receipts/{id}")));
    eventually("the receipt is recorded", || async { ask().await.status == 200 }).await;
    ask().await.json()
}

/// What `receipts verify` says, which must have failed.
async fn complaint(gateway: &Gateway, args: &[&str]) -> String {
    let output = gateway.run(&[&["receipts", "verify"], args].concat()).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_of_the_sdk_proves_its_receipts() {
    let (_upstream, gateway) = stage().await;
    let public = public_key(&gateway).await;
    let folder = gateway.folder().to_owned();
    let orders = json!({"base": gateway.url(), "key": secret_of("dev"), "model": MODEL, "errors": [], "listed": [],
        "stranger": secret_of("strange"), "public": public, "verifier": verifier(&folder), "folder": folder});
    if Script::PythonReceipts.run(&orders).await.is_none() {
        return;
    }
    // The same answers, by the command line.
    for name in ["whole", "streamed", "refused"] {
        let file = folder.join(format!("{name}.json"));
        let file = file.to_str().unwrap();
        let seen = gateway.cli(&["receipts", "verify", file, "--key", &public]).await;
        assert_eq!(seen["ok"], true, "{seen}");
        assert!(
            complaint(&gateway, &[file, "--key", &"00".repeat(32)]).await.contains("none of those given")
        );
        let forged = folder.join(format!("{name}-forged.json"));
        let said = complaint(&gateway, &[forged.to_str().unwrap(), "--key", &public]).await;
        assert!(said.contains("was changed"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_their_owners_alone() {
    let (upstream, gateway) = stage().await;
    let id = id_of(&gateway.ask("dev", chat(MODEL)).await);
    let answer = read(&gateway, "dev", &id).await;
    assert_eq!(answer["receipt"]["id"], id.as_str());
    assert!(answer["receipt"]["charge"].as_i64().is_some_and(|charge| charge > 0), "{answer}");
    for hidden in ["upstream", "attempts", "channel", "legs", "salt"] {
        assert!(!answer.to_string().contains(hidden), "{hidden}: {answer}");
    }
    let get = |path: String| Request::get(&path);
    let path = format!("/v1/receipts/{id}");
    let strange = gateway.ask("strange", get(path.clone())).await;
    let unknown = gateway.ask("dev", get(format!("/v1/receipts/rc_{}", "0".repeat(32)))).await;
    assert_eq!((strange.status, unknown.status), (404, 404));
    assert_eq!(openai_error(&strange), openai_error(&unknown));
    assert_eq!(unknown.headers.get("retry-after"), None, "that id is of long ago");
    let malformed = gateway.ask("dev", get(format!("{path}0"))).await;
    assert_eq!(
        (malformed.status, openai_error(&malformed)["code"].as_str()),
        (400, Some("invalid_receipt_id"))
    );
    assert_eq!(get(path.clone()).send(gateway.addr()).await.status, 401);
    let posted = gateway.ask("dev", Request::post(&path, "{}")).await;
    assert_eq!((posted.status, posted.headers.get("allow")), (405, Some("GET")));
    // None of these left a receipt; every other answer names its own, whatever its status and dialect.
    gateway.receipts_when(1).await;
    upstream.next(Behaviour::Status(400, Vec::new()));
    for ask in [chat(MODEL), chat_stream(MODEL), chat("no-such-model"), message(true), generate(false)] {
        let answer = gateway.ask("dev", ask).await;
        let trace = answer.trace_id();
        assert_eq!(gateway.receipt_of(&trace).await["id"], id_of(&answer).as_str());
    }
    gateway.idle().await;
}

/// Changes the database under the gateway's hands.
fn sql(gateway: &Gateway, statement: &str) {
    let program = "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1], timeout=20)\n\
        changed = db.execute(sys.argv[2]).rowcount\ndb.commit()\nsys.exit(0 if changed == 1 else f'{changed} rows')";
    let database = std::fs::read_dir(gateway.folder()).unwrap().flatten().map(|entry| entry.path());
    let database = database.into_iter().find(|path| path.extension().is_some_and(|e| e == "db")).unwrap();
    let run =
        std::process::Command::new("python3").args(["-c", program]).arg(database).arg(statement).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_in_the_database_is_named() {
    let (_upstream, mut gateway) = stage().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(id_of(&gateway.ask("dev", chat(MODEL)).await));
        read(&gateway, "dev", &ids[ids.len() - 1]).await;
    }
    let whole = gateway.cli(&["receipts", "verify"]).await;
    assert_eq!((whole["ok"].as_bool(), whole["receipts"].as_u64()), (Some(true), Some(3)), "{whole}");
    let old = public_key(&gateway).await;

    // An export is verified far from here; a later key does not make it worse.
    let rotated = gateway.cli(&["receipts", "key", "--rotate"]).await["public_key"].clone();
    let new = rotated.as_str().unwrap().to_owned();
    assert_ne!(old, new);
    gateway.stop().await;
    gateway.restart().await;
    ids.push(id_of(&gateway.ask("dev", chat(MODEL)).await));
    let answer = read(&gateway, "dev", &ids[3]).await;
    assert_eq!(answer["proof"]["public_key"], new.as_str());
    assert_eq!(gateway.cli(&["receipts", "key", "--all"]).await.as_array().map(Vec::len), Some(2));
    let file = gateway.folder().join("all.jsonl");
    let file = file.to_str().unwrap();
    let done = gateway.cli(&["receipts", "export", file]).await;
    assert_eq!(done["receipts"], 4, "{done}");
    let seen = gateway.cli(&["receipts", "verify", file, "--key", &old, "--key", &new]).await;
    assert_eq!((seen["ok"].as_bool(), seen["receipts"].as_u64()), (Some(true), Some(4)), "{seen}");
    assert!(complaint(&gateway, &[file, "--key", &old]).await.contains("none of those given"));
    let text = std::fs::read_to_string(file).unwrap();
    let cut: Vec<&str> = text.lines().take(3).collect();
    std::fs::write(file, cut.join("\n")).unwrap();
    assert!(complaint(&gateway, &[file, "--key", &old, "--key", &new]).await.contains("cut off"));

    let hex = &ids[1]["rc_".len()..];
    sql(&gateway, &format!("UPDATE receipts SET charge = charge - 1 WHERE id = x'{hex}'"));
    let said = complaint(&gateway, &[]).await;
    assert!(said.contains(&ids[1]) && said.contains("was changed"), "{said}");
    let shown = gateway.ask("dev", Request::get(&format!("/v1/receipts/{}", ids[1]))).await;
    assert_eq!((shown.status, openai_error(&shown)["code"].as_str()), (500, Some("receipt_not_provable")));
    sql(&gateway, &format!("DELETE FROM receipts WHERE id = x'{}'", &ids[0]["rc_".len()..]));
    let said = complaint(&gateway, &[]).await;
    assert!(said.contains(&ids[0]) && said.contains("is missing"), "{said}");
    sql(&gateway, "DELETE FROM receipt_seals WHERE sequence = 1");
    assert!(complaint(&gateway, &[]).await.contains("link 1 is missing"));
    let log = gateway.log();
    assert!(!log.contains("panicked"), "{log}");
    gateway.books_are_spoilt();
}

fn now() -> String {
    let date = std::process::Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S.%NZ"]).output().unwrap();
    String::from_utf8(date.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_receipt_is_proved_by_its_file() {
    let (_upstream, gateway) = stage().await;
    let public = public_key(&gateway).await;
    let id = id_of(&gateway.ask("dev", chat(MODEL)).await);
    let path = format!("/v1/receipts/{id}");
    let kept = gateway.folder().join("kept.json");
    std::fs::write(&kept, read(&gateway, "dev", &id).await.to_string()).unwrap();
    let later =
        gateway.run(&["receipts", "archive", "--before", "2200-01-01T00:00:00Z", "--to", "old"]).await;
    assert!(!later.status.success(), "what is recorded now is not archived");
    let done = gateway.cli(&["receipts", "archive", "--before", &now(), "--to", "old"]).await;
    assert_eq!((done["receipts"].as_u64(), done["files"][0].as_str()), (Some(1), Some("receipts-1-1.jsonl")));
    let again = gateway.cli(&["receipts", "archive", "--before", &now(), "--to", "old"]).await;
    assert_eq!(again["links"], 0, "{again}");
    let next = id_of(&gateway.ask("dev", chat(MODEL)).await);
    read(&gateway, "dev", &next).await;

    // The gateway that runs knows of it; nobody else learns that there is one.
    let gone = gateway.ask("dev", Request::get(&path)).await;
    assert_eq!((gone.status, openai_error(&gone)["code"].as_str()), (404, Some("receipt_archived")));
    let strange = gateway.ask("strange", Request::get(&path)).await;
    assert_eq!((strange.status, openai_error(&strange)["code"].as_str()), (404, Some("receipt_not_found")));
    let shown = gateway.run(&["receipts", "show", &id]).await;
    assert!(String::from_utf8_lossy(&shown.stderr).contains("is archived: it is in link 1"));

    // What its owner kept, the file, the chain and the books, with the file and without.
    let file = gateway.folder().join("old/receipts-1-1.jsonl");
    for proof in [kept.to_str().unwrap(), file.to_str().unwrap()] {
        assert_eq!(
            gateway.cli(&["receipts", "verify", proof, "--key", &public]).await["ok"],
            true,
            "{proof}"
        );
    }
    let chain = gateway.cli(&["receipts", "verify"]).await;
    let counts =
        |seen: &Value| ["receipts", "archived_receipts", "archive_files_read"].map(|of| seen[of].as_u64());
    assert_eq!(counts(&chain), [Some(2), Some(1), Some(0)], "{chain}");
    let chain = gateway.cli(&["receipts", "verify", "--archive", "old"]).await;
    assert_eq!(counts(&chain), [Some(2), Some(1), Some(1)], "{chain}");
    let said = gateway.run(&["receipts", "verify"]).await;
    assert!(String::from_utf8_lossy(&said.stdout).contains("was not looked at"));
    for (args, reread) in [(&["ledger", "verify"][..], 0), (&["ledger", "verify", "--archive", "old"], 1)] {
        let books = gateway.cli(args).await;
        assert_eq!(
            (books["archived"].as_u64(), books["reread"].as_u64()),
            (Some(1), Some(reread)),
            "{books}"
        );
    }
    let export = gateway.folder().join("rest.jsonl");
    let done = gateway.cli(&["receipts", "export", export.to_str().unwrap()]).await;
    assert_eq!((done["receipts"].as_u64(), done["archived_links"].as_u64()), (Some(1), Some(1)), "{done}");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("\"status\":200", "\"status\":201", 1)).unwrap();
    let said = complaint(&gateway, &["--archive", "old"]).await;
    assert!(said.contains("receipts-1-1.jsonl") && said.contains("was changed"), "{said}");
}
