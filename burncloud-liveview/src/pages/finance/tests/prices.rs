use super::shop::{Shop, has, lacks};
use crate::lang::Lang;
use burncloud_billing::desk::PriceDraft;
use burncloud_billing::people::Actor;
use burncloud_core::UnixMicros;
use serde_json::json;

#[tokio::test]
async fn the_book_says_what_is_sold_bought_and_kept() {
    let shop = Shop::open().await;
    let html = shop.page(None, Lang::En, "/finance/prices").await;
    has(
        &html,
        &["gpt-4o", "$4.20", "$21.00", "1 model has", "no price", "Older books", "Price of all others"],
    );
    has(&html, &["&#60;b&#62;mine", "edit=gpt-4o"]);
    lacks(&html, &["<b>mine", "sk-channel"]);
    let html = shop.page(None, Lang::Zh, "/finance/prices?q=gpt").await;
    has(&html, &["没有价格", "gpt-4o", "$4.20"]);
    lacks(&html, &["&#60;b&#62;mine"]);
    let html = shop.page(None, Lang::En, "/finance/prices?q=none-such").await;
    has(&html, &["No model is called that"]);
}

#[tokio::test]
async fn a_price_is_edited_where_one_may() {
    let shop = Shop::open().await;
    let html = shop.page(None, Lang::En, "/finance/prices?edit=gpt-4o").await;
    has(
        &html,
        &[
            "price-how",
            "price-input",
            "4.20",
            "Takes effect",
            "See what it comes to",
            "harbour",
            "Set so far",
            "in force",
        ],
    );
    let html = shop.page(None, Lang::En, "/finance/prices?edit=*").await;
    has(&html, &["price-markup", "1.4", "1.4 times its cost"]);
    let html = shop.page(Some("Rita"), Lang::En, "/finance/prices").await;
    has(&html, &["gpt-4o", "$5.04"]);
    lacks(&html, &["harbour", "lagoon", "openai", "New-API"]);
    let html = shop.page(Some("Rita"), Lang::En, "/finance/prices?edit=*").await;
    has(&html, &["price-markup", "1.2"]);
    lacks(&html, &["harbour", "1.4"]);
    let html = shop.page(Some("Anna"), Lang::En, "/finance/prices?edit=gpt-4o").await;
    lacks(&html, &["price-how", "Price of all others"]);
}

#[tokio::test]
async fn sheets_of_the_book() {
    let shop = Shop::open().await;
    let boss = Actor::operator("boss");
    let later = UnixMicros(UnixMicros::now().0 + 86_400_000_000);
    for (model, effective_at, rates) in [
        ("", None, json!({ "groups": { "vip": "0.8" }, "fx": { "CNY": "7.2" } })),
        ("gpt-4o", Some(later), json!({ "per_request": "0.05" })),
    ] {
        let draft = PriceDraft { book: None, channel: None, model: model.into(), effective_at, rates };
        shop.desk.set_price(&boss, draft, None).await.unwrap();
    }
    let html = shop.page(None, Lang::En, "/finance/prices?sheet=rules").await;
    has(
        &html,
        &["All others", "1.4 times its cost", "to come", "$0.05 a call", "The whole book", "groups: vip"],
    );
    let html = shop.page(None, Lang::En, "/finance/prices?sheet=ratios").await;
    has(&html, &["vip", "× 0.8", "7.2 CNY", "ratio-form"]);
    let html = shop.page(None, Lang::En, "/finance/prices?sheet=import").await;
    has(&html, &["import-tables", "import-file", "x-file"]);
    let html = shop.page(None, Lang::Zh, "/finance/prices?sheet=quote").await;
    has(&html, &["quote-user", "给客户报价"]);
    let html = shop.page(Some("Rita"), Lang::En, "/finance/prices?sheet=import").await;
    lacks(&html, &["import-tables"]);
    let html = shop.page(Some("Rita"), Lang::En, "/finance/prices?sheet=rules").await;
    lacks(&html, &["vip", "1.4"]);
}
