//! `burncloud demo`: the gateway at work, without an account and without a network.

mod client;
mod provider;

use crate::cli::{CliResult, DemoArgs, ReceiptNames, receipt_lines, say};
use crate::serve::{Server, Source};
use burncloud_core::store::{ReceiptFilter, ReceiptStore, UserStore};
use burncloud_core::usecase::keys::generate_secret;
use burncloud_core::{Nano, Receipt};
use secrecy::ExposeSecret;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// How long the receipts may take into the store.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shows it; then leaves the gateway running until SIGINT or SIGTERM, or ends with `--once`.
///
/// # Errors
/// Whatever keeps it from working.
pub(crate) async fn run(args: DemoArgs) -> CliResult {
    let folder = tempfile::Builder::new().prefix("burncloud-demo-").tempdir()?;
    let key = generate_secret()?;
    let provider = provider::start().await?;
    let path = folder.path().join("burncloud.toml");
    let listen = args.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
    write_private(&path, &file(folder.path(), listen, provider, key.expose_secret()))?;
    let registry = crate::providers();
    let source = Source { path: Some(path), listen: None };
    let mut signals = crate::serve::Signals::new()?;
    let server = Server::start(source.load(&registry)?, source, registry, true).await?;
    let shown = show(&server, folder.path(), key.expose_secret()).await;
    if shown.is_ok() && !args.once {
        invite(server.addr, key.expose_secret())?;
        signals.stop().await;
    }
    server.stop(async move { signals.stop().await }).await;
    shown
}

fn file(folder: &Path, listen: SocketAddr, provider: SocketAddr, key: &str) -> String {
    let folder = folder.display();
    let credential = provider::CREDENTIAL;
    format!(
        r#"# What `burncloud demo` runs on. Outside a demo, write {{ env = "NAME" }} in the place of a secret.
allow_inline_secrets = true

[server]
listen = "{listen}"
shutdown_grace_ms = 2000

[store]
url = "sqlite://{folder}/burncloud.db"

[[channels]]
name = "demo-provider"
provider = "openai"
base_url = "http://{provider}"
credential = "{credential}"
models = ["gpt-4o-mini"]
model_mapping = {{ fast = "gpt-4o-mini" }}

[[users]]
name = "demo"
balance_usd = "1.00"

[[keys]]
name = "demo"
user = "demo"
secret = "{key}"
"#
    )
}

/// For its owner alone: it holds a key.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

async fn show(server: &Server, folder: &Path, key: &str) -> CliResult {
    say(&format!("A gateway listens on http://{}, its files are in {}.", server.addr, folder.display()))?;
    say("Behind it stands a provider that exists only in this process.\n")?;
    let before = balance(server).await?;

    say("A whole answer. The caller asks for \"fast\"; the provider is asked for \"gpt-4o-mini\":\n")?;
    ask(server, key, &body(false)).await?;
    say(
        "\nA stream, shown as it arrives. The gateway asks for usage and keeps that extra event from the caller:\n",
    )?;
    ask(server, key, &body(true)).await?;

    let receipts = receipts(server, 2).await?;
    let names = ReceiptNames::of(&*server.store, &receipts).await?;
    for receipt in receipts {
        say(&format!(
            "\nThe receipt of the {}:\n",
            if receipt.streamed { "stream" } else { "whole answer" }
        ))?;
        for line in receipt_lines(&receipt, &names) {
            say(&format!("    {line}"))?;
        }
    }
    say("\nThe user's balance:\n")?;
    let after = balance(server).await?;
    say(&format!("    before  ${before}\n    after   ${after}\n    spent   ${}", before.minus(after)))
}

fn body(stream: bool) -> String {
    let messages = serde_json::json!([{ "role": "user", "content": "Say hello." }]);
    let mut body = serde_json::json!({ "model": "fast", "messages": messages });
    if stream {
        body["stream"] = true.into();
    }
    body.to_string()
}

async fn ask(server: &Server, key: &str, body: &str) -> CliResult {
    say(&format!("    > POST /v1/chat/completions {body}"))?;
    let path = "/v1/chat/completions";
    let status = client::post(server.addr, path, key, body.to_owned(), |piece| {
        let text = String::from_utf8_lossy(piece);
        text.lines().filter(|line| !line.is_empty()).try_for_each(|line| say(&format!("    < {line}")))
    })
    .await?;
    if status == 200 { Ok(()) } else { Err(format!("the gateway answered {status}").into()) }
}

async fn balance(server: &Server) -> CliResult<Nano> {
    let user = server.store.user_by_name("demo").await?.ok_or("the demo's user is gone")?;
    Ok(user.balance)
}

/// The receipts, oldest first, once they are in the store.
async fn receipts(server: &Server, count: usize) -> CliResult<Vec<Receipt>> {
    let arrived = async {
        loop {
            let mut receipts = server.store.receipts(&ReceiptFilter::default()).await?;
            if receipts.len() >= count {
                receipts.reverse();
                return Ok(receipts);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, arrived).await.map_err(|_| "the receipts did not reach the store")?
}

fn invite(addr: SocketAddr, key: &str) -> CliResult {
    let (url, auth) = (format!("http://{addr}/v1"), format!("-H 'Authorization: Bearer {key}'"));
    let json = "-H 'Content-Type: application/json'";
    say("\nThe gateway goes on running; stop it with Ctrl-C. Try it:\n")?;
    say(&format!("curl {url}/models {auth}"))?;
    say(&format!("curl {url}/chat/completions {auth} {json} -d '{}'", body(false)))?;
    say(&format!("curl -N {url}/chat/completions {auth} {json} -d '{}'", body(true)))
}
