//! The console over a store in memory, with a little shop in it that trades while one looks.
//!
//! ```sh
//! cargo run -p burncloud-liveview --example console
//! ```

mod provider;
mod shop;

use burncloud_billing::desk::login::{Guest, NewLogin};
use burncloud_billing::{Biller, BillerOptions, Desk, PriceBook, reload_prices};
use burncloud_core::Gateway;
use burncloud_core::store::MemoryStore;
use burncloud_liveview::Console;
use secrecy::SecretString;
use std::sync::Arc;

#[tokio::main]
#[allow(clippy::print_stdout, reason = "it says where it is")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3100".to_owned());
    let store = Arc::new(MemoryStore::default());
    let shop = shop::open(&store, provider::start().await?).await?;
    shop::history(&store, &shop, 20_000).await?;

    let journal = tempfile::tempdir()?;
    let book = Arc::new(PriceBook::new());
    let (biller, shipper) = Biller::open(BillerOptions::new(journal.path()), store.clone(), book.clone())?;
    reload_prices(&*store, &book).await?;
    tokio::spawn(shipper.run());
    let registry = burncloud_adapters::registry();
    let gateway =
        Gateway::builder(store.clone(), registry.clone()).billing(biller.clone()).build(&shop.channels)?;
    shop::trade(&shop, gateway.clone());

    let desk = Desk::new(store, registry).with_book(book).with_biller(biller.clone());
    let code = SecretString::from("example");
    let console = Console::builder(desk.clone()).gateway(gateway).biller(biller).setup_code(&code);
    let console = console.build(tokio::runtime::Handle::current());
    let owner = NewLogin {
        name: "owner".to_owned(),
        display: "Lin Yue".to_owned(),
        password: SecretString::from("the console example"),
    };
    if desk.first_owner(&code, owner, &Guest::default()).await.is_err() {
        return Err("the owner could not be made".into());
    }
    let listener = tokio::net::TcpListener::bind(&listen).await?;
    println!("http://{}/console   sign in as `owner`, `the console example`", listener.local_addr()?);
    axum::serve(listener, burncloud_liveview::console(console)).await?;
    Ok(())
}
