use super::shop::{DOLLAR, Shop, has, lacks};
use crate::lang::Lang;
use crate::pages::finance::words::Month;
use burncloud_billing::desk::{CodesDraft, MoneyMove, MoveKind, WalletId};
use burncloud_billing::people::Actor;
use burncloud_core::{Nano, UnixMicros};
use jiff::tz::TimeZone;

async fn trading() -> Shop {
    let shop = Shop::open().await;
    let now = UnixMicros::now();
    shop.sold("Pixel", "gpt-4o", 700, 300, now).await;
    shop.sold("Pixel", "<b>mine</b>", 10, 25, now).await;
    shop.sold("Kepler", "gpt-4o", 400, 100, now).await;
    shop
}

#[tokio::test]
async fn the_house_sees_what_stays() {
    let shop = trading().await;
    let html = shop.page(None, Lang::En, "/finance").await;
    // 700 and 10 from its own, 200 from the reseller; 425 to providers.
    has(
        &html,
        &["$485 kept", "this month", "$910", "$425", "53.3% kept", "Who you pay", "What each model leaves"],
    );
    has(&html, &["gpt-4o", "openai", "x-chart", "Check the books", "Price book"]);
    has(&html, &["\u{2212}$15.00", "&#60;b&#62;mine"]);
    lacks(&html, &["<b>mine", "sk-channel"]);
    let html = shop.page(None, Lang::Zh, "/finance?by=customer").await;
    has(&html, &["本月", "净利 $485", "客户用了多少", "Pixel", "Delta", "钱付给谁"]);
}

#[tokio::test]
async fn a_month_without_trade_says_so_and_leads_back() {
    let shop = trading().await;
    let month = Month::of(UnixMicros::now(), &TimeZone::UTC).step(-3);
    let html = shop.page(None, Lang::En, &format!("/finance?month={}", month.code())).await;
    has(&html, &["Nothing came in", &month.full(Lang::En), &format!("month={}", month.step(1).code())]);
    has(&html, &["Nobody was paid", "No model was used"]);
}

#[tokio::test]
async fn a_reseller_sees_its_own_book_and_no_cost_of_the_house() {
    let shop = trading().await;
    let html = shop.page(Some("Rita"), Lang::En, "/finance").await;
    has(&html, &["$200 kept", "$400", "Your wallet at whom you buy from", "Top-ups"]);
    lacks(
        &html,
        &["Who you pay", "What each model leaves", "harbour", "openai", "Pixel", "$910", "Check the books"],
    );
}

#[tokio::test]
async fn an_accountant_of_the_house_looks_and_changes_nothing() {
    let shop = trading().await;
    let html = shop.page(Some("Anna"), Lang::En, "/finance").await;
    has(&html, &["$485 kept", "What each model leaves"]);
    lacks(&html, &["Check the books"]);
    let html = shop.page(Some("Anna"), Lang::En, "/finance/codes?new=1").await;
    has(&html, &["No code"]);
    lacks(&html, &["Print codes", "print-codes"]);
}

#[tokio::test]
async fn an_end_user_sees_what_is_left_and_nobody_else() {
    let shop = trading().await;
    let (boss, pixel) = (Actor::operator("boss"), shop.user("Pixel").await);
    let order = MoneyMove {
        kind: MoveKind::TopUp,
        amount: Nano(800 * DOLLAR),
        reference: None,
        reason: "paid".into(),
    };
    shop.desk.move_money(&boss, WalletId::User(pixel.id), order).await.unwrap();
    let html = shop.page(Some("Pixel"), Lang::En, "/finance").await;
    has(&html, &["$90.00 left", "$710", "Redeem a code", "redeem-code", "What you used", "Statement"]);
    lacks(&html, &["Price book", "Kepler", "Delta", "harbour", "$425", "Net margin", "Top-ups"]);
    let html = shop.page(Some("Pixel"), Lang::Zh, "/finance").await;
    has(&html, &["还有", "$90.00", "兑换码"]);
    let html = shop.page(Some("Pixel"), Lang::En, "/finance/statement").await;
    has(&html, &["$90.00", "in your wallet", "+$800.00", "Top-up", "paid", "\u{2212}$700.00"]);
    for hidden in ["prices", "codes", "topups"] {
        has(
            &shop.page(Some("Pixel"), Lang::En, &format!("/finance/{hidden}")).await,
            &["There is no page here"],
        );
    }
    let kepler = shop.user("Kepler").await;
    let html = shop.page(Some("Pixel"), Lang::En, &format!("/finance/statement?of=user-{}", kepler.id)).await;
    has(&html, &["This could not be read"]);
    lacks(&html, &["Kepler", "$400"]);
}

#[tokio::test]
async fn money_in_and_out_is_listed_with_a_way_back() {
    let shop = trading().await;
    let (boss, pixel) = (Actor::operator("boss"), shop.user("Pixel").await);
    let order = |kind, dollars: i64| MoneyMove {
        kind,
        amount: Nano(dollars * DOLLAR),
        reference: None,
        reason: "<i>first</i>".into(),
    };
    let wallet = WalletId::User(pixel.id);
    let entry = shop.desk.move_money(&boss, wallet, order(MoveKind::TopUp, 800)).await.unwrap().entry;
    shop.desk.move_money(&boss, wallet, order(MoveKind::Promotion, 5)).await.unwrap();
    let below = WalletId::Tenant(shop.reseller);
    shop.desk.move_money(&boss, below, order(MoveKind::TopUp, 50)).await.unwrap();
    let html = shop.page(None, Lang::En, "/finance/topups").await;
    has(
        &html,
        &["$850 came in", "$5.00 was given away", "Pixel", "Delta", "+$800.00", "Gift", "Undo this entry"],
    );
    lacks(&html, &["<i>first"]);
    let html = shop.page(None, Lang::Zh, "/finance/topups?kind=promotion").await;
    has(&html, &["赠送", "+$5.00"]);
    lacks(&html, &["+$800.00"]);
    let html = shop.page(None, Lang::En, &format!("/finance/topups?undo={entry}")).await;
    has(&html, &["undo-reason", "Both stay in the books"]);
    let html = shop.page(Some("Anna"), Lang::En, &format!("/finance/topups?undo={entry}")).await;
    has(&html, &["+$800.00"]);
    lacks(&html, &["undo-reason", "Undo this entry"]);
    let html = shop.page(Some("Rita"), Lang::En, "/finance/topups").await;
    lacks(&html, &["Pixel", "$800"]);
    let html = shop.page(Some("Rita"), Lang::En, "/finance/statement").await;
    has(&html, &["+$50.00", "\u{2212}$200.00"]);
    let html = shop.page(None, Lang::En, "/finance/statement?q=pix").await;
    has(&html, &["Whose statement", &format!("of=user-{}", pixel.id)]);
    let html = shop.page(None, Lang::En, &format!("/finance/statement?of=user-{}", pixel.id)).await;
    has(&html, &["Pixel", "has", "$95.00"]);
}

#[tokio::test]
async fn the_books_agree_after_all_that() {
    let shop = trading().await;
    let draft = CodesDraft {
        name: "autumn".into(),
        count: 2,
        amount: Nano(DOLLAR),
        expires_at: None,
        sold: false,
        tenant: None,
    };
    let actor = Actor { tenant: shop.house, ..Actor::operator("boss") };
    let codes = shop.desk.create_codes(&actor, draft).await.unwrap().codes;
    let pixel = Actor::of(&shop.user("Pixel").await);
    shop.desk.redeem(&pixel, codes[0].expose()).await.unwrap();
    let html = shop.page(Some("Pixel"), Lang::En, "/finance/statement").await;
    has(&html, &["Redeem code", "+$1.00"]);
    lacks(&html, &[codes[0].expose(), codes[1].expose()]);
}
