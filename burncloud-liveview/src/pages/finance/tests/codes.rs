use super::shop::{DOLLAR, Shop, has, lacks};
use crate::lang::Lang;
use burncloud_billing::desk::{BooksChecked, CodesDraft};
use burncloud_billing::ledger::{Difference, VerifyReport};
use burncloud_billing::people::Actor;
use burncloud_core::{Nano, UnixMicros};

async fn printed() -> (Shop, Vec<String>) {
    let shop = Shop::open().await;
    let boss = Actor { tenant: shop.house, ..Actor::operator("boss") };
    let draft = |name: &str, tenant, count, expires_at| CodesDraft {
        name: name.into(),
        count,
        amount: Nano(5 * DOLLAR),
        expires_at,
        sold: false,
        tenant: Some(tenant),
    };
    let later = UnixMicros(UnixMicros::now().0 + 86_400_000_000);
    let made =
        shop.desk.create_codes(&boss, draft("Autumn <trial>", shop.house, 4, Some(later))).await.unwrap();
    shop.desk.create_codes(&boss, draft("Delta launch", shop.reseller, 3, None)).await.unwrap();
    let codes: Vec<String> = made.codes.iter().map(|code| code.expose().to_owned()).collect();
    let pixel = Actor::of(&shop.user("Pixel").await);
    shop.desk.redeem(&pixel, &codes[0]).await.unwrap();
    (shop, codes)
}

#[tokio::test]
async fn batches_say_how_many_are_used_and_never_the_codes() {
    let (shop, codes) = printed().await;
    let html = shop.page(None, Lang::En, "/finance/codes").await;
    has(
        &html,
        &[
            "$30.00 in codes",
            "Autumn &#60;trial&#62;",
            "Delta launch",
            "1 / 4",
            "0 / 3",
            "Never",
            "Print codes",
            "given away",
        ],
    );
    for code in &codes {
        lacks(&html, &[code]);
    }
    let html = shop.page(None, Lang::Zh, "/finance/codes").await;
    has(&html, &["还有", "$30.00 的兑换码", "生成兑换码", "不过期"]);
    let html = shop.page(Some("Rita"), Lang::En, "/finance/codes").await;
    has(&html, &["$15.00 in codes", "Delta launch"]);
    lacks(&html, &["Autumn"]);
}

#[tokio::test]
async fn printing_and_withdrawing_are_asked_for_in_the_url() {
    let (shop, _) = printed().await;
    let html = shop.page(None, Lang::En, "/finance/codes?new=1").await;
    has(
        &html,
        &[
            "print-codes",
            "codes-name",
            "codes-count",
            "codes-amount",
            "$500.00",
            "Print 50 codes",
            "For users of",
        ],
    );
    let html = shop.page(Some("Rita"), Lang::En, "/finance/codes?new=1").await;
    has(&html, &["print-codes"]);
    lacks(&html, &["For users of"]);
    let html = shop.page(None, Lang::En, "/finance/codes?revoke=Delta%20launch").await;
    has(&html, &["3 unused codes worth $15.00", "revoke-codes-word"]);
    let html = shop.page(Some("Rita"), Lang::En, "/finance/codes?revoke=Autumn%20%3Ctrial%3E").await;
    lacks(&html, &["revoke-codes-word"]);
    let html = Shop::open().await.page(None, Lang::En, "/finance/codes").await;
    has(&html, &["No codes were printed yet"]);
}

#[test]
fn what_a_check_of_the_books_found_is_said_plainly() {
    use crate::lang::Look;
    use crate::pages::finance::books::{Said, SaidProps};
    use dioxus::prelude::*;
    let draw = |found: BooksChecked, lang| {
        let props = SaidProps { found: Some(found) };
        let mut dom =
            VirtualDom::new_with_props(Said, props).with_root_context(Look { lang, ..Look::default() });
        dom.rebuild_in_place();
        dioxus_ssr::render(&dom)
    };
    let report = VerifyReport { entries: 1_204, receipts: 31_044, accounts: 18, ..VerifyReport::default() };
    has(
        &draw(BooksChecked::Agree(report), Lang::En),
        &["The books agree.", "1,204 entries", "31,044 receipts"],
    );
    let partly = VerifyReport { archived: 2_500, ..VerifyReport::default() };
    let said = draw(BooksChecked::Agree(partly), Lang::En);
    has(&said, &["2,500 archived receipts were not read again"]);
    let what = "balance of user:7".to_owned();
    let difference = Difference { what, expected: "$1.00".into(), found: "$2.00".into() };
    has(&draw(BooksChecked::Differ(difference), Lang::Zh), &["账本不一致", "user:7"]);
    has(&draw(BooksChecked::Busy, Lang::En), &["Try again"]);
}
