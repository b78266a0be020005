//! Sales below cost, and prices that requests meet on their way.

use super::resale::{below, book_of, buying, numbered};
use super::support::*;
use crate::{Biller, BillerOptions, Guard, Loss, PriceBook, Shipper};
use burncloud_core::billing::{Billing, Outcome};
use burncloud_core::{Caller, ChannelId, ErrorKind, Leg, LineKind, Nano, Receipt, Route, TenantId};
use serde_json::json;
use std::sync::Arc;
use tempfile::TempDir;

struct Shop {
    _dir: TempDir,
    store: Arc<MockStore>,
    biller: Arc<Biller>,
    shipper: Shipper,
    route: Arc<Route>,
}

/// Two channels: the first buys at 2, the second at 1.
fn shop(guard: Guard, book: PriceBook) -> Shop {
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
    let options = BillerOptions { guard, ..BillerOptions::new(dir.path()) };
    let (biller, shipper) = Biller::open(options, store.clone(), Arc::new(book)).unwrap();
    let route = table("m", &[("openai", "dear"), ("openai", "cheap")]).route("m").unwrap().clone();
    Shop { _dir: dir, store, biller, shipper, route }
}

fn two_channels(input: &str) -> Vec<burncloud_core::store::PriceOverride> {
    vec![
        buying(1, "dear", json!({"input": "2"})),
        buying(2, "cheap", json!({"input": "1"})),
        rule(None, "m", 0, json!({ "input": input })),
    ]
}

impl Shop {
    async fn receipt(&mut self, request: &Request, set: impl FnOnce(&mut Outcome)) -> Receipt {
        let hold = request.reserve(&self.biller).unwrap();
        let mut outcome = request.outcome(Some(tokens(1_000, 0)));
        set(&mut outcome);
        self.biller.settle(Some(hold), outcome);
        self.shipper.recover().await.unwrap();
        Receipt::clone(&self.store.receipts.lock()[&request.id])
    }

    fn request(&self, who: &Arc<Caller>) -> Request {
        Request::new(who, &self.route)
    }
}

#[tokio::test]
async fn a_sale_below_cost_is_served_and_told_once() {
    let mut shop = shop(Guard::Warn, book_of(two_channels("1.5")));
    let who = caller(Some(Nano(1_000_000_000)), None, 0, 0);
    let first = shop.request(&who);
    let receipt = shop.receipt(&first, |_| ()).await;
    assert_eq!((receipt.charge, receipt.upstream_cost), (Nano(1_500_000), Nano(2_000_000)));
    let again = shop.request(&who);
    shop.receipt(&again, |_| ()).await;
    let class = LineKind::Input;
    let loss = Loss { model: "m".into(), channel: ChannelId(1), seller: None, class, at: first.at };
    assert_eq!(shop.biller.losses(), [loss]);
    shop.biller.book().set_overrides(numbered(two_channels("2"))).unwrap();
    let mended = shop.request(&who);
    shop.receipt(&mended, |_| ()).await;
    assert_eq!(shop.biller.losses(), []);
}

#[tokio::test]
async fn a_channel_that_would_sell_below_cost_is_not_used() {
    let shop = shop(Guard::Refuse, book_of(two_channels("1.5")));
    let (dear, cheap) = (&shop.route.lanes[0], &shop.route.lanes[1]);
    for who in [caller(Some(Nano(1_000_000_000)), None, 0, 0), caller_of(5, 6, None, None, 0, 0)] {
        let request = shop.request(&who);
        let mut hold = request.reserve(&shop.biller).unwrap();
        let refused = shop.biller.attempt(&mut hold, dear, request.at).unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (ErrorKind::Unavailable, Some("below_cost")));
        assert!(!refused.message().contains("cost"), "margins are none of the caller's business: {refused}");
        assert!(shop.biller.attempt(&mut hold, cheap, request.at).is_ok());
        shop.biller.settle(Some(hold), request.outcome(None));
        assert_eq!(shop.biller.reserved_total(), Nano::ZERO);
    }
    shop.biller.book().set_overrides(numbered(two_channels("0.5"))).unwrap();
    let refused = shop.request(&caller(None, None, 0, 0)).reserve(&shop.biller).unwrap_err();
    assert_eq!(refused.code(), Some("below_cost"));
    assert_eq!(shop.biller.losses().len(), 2);
}

#[tokio::test]
async fn without_a_guard_nothing_is_said() {
    let mut shop = shop(Guard::Off, book_of(two_channels("0.5")));
    let request = shop.request(&caller(None, None, 0, 0));
    assert_eq!(shop.receipt(&request, |_| ()).await.charge, Nano(500_000));
    assert_eq!(shop.biller.losses(), []);
}

#[tokio::test]
async fn a_tenant_that_sells_below_what_it_pays_is_told_of() {
    let mut rules = two_channels("4");
    rules.push(rule(Some(12), "m", 0, json!({"markup": "0.9"})));
    let mut shop = shop(Guard::Warn, book_of(rules));
    let request = shop.request(&below(&[(11, ""), (12, ""), (13, "")], "", ""));
    let receipt = shop.receipt(&request, |_| ()).await;
    let leg = |tenant, parent, charge| Leg {
        tenant: TenantId(tenant),
        parent: TenantId(parent),
        charge: Nano(charge),
        shortfall: Nano::ZERO,
    };
    assert_eq!(receipt.legs, [leg(13, 12, 3_600_000), leg(12, 11, 4_000_000)]);
    assert_eq!(receipt.charge, Nano(3_600_000));
    let sellers: Vec<_> = shop.biller.losses().into_iter().map(|loss| loss.seller).collect();
    assert_eq!(sellers, [Some(TenantId(12)); 2]);
}

#[tokio::test]
async fn a_retry_settles_at_the_price_of_the_channel_that_served() {
    let mut rules = two_channels("4");
    rules[2] = rule(None, "m", 0, json!({"markup": "1.5"}));
    let mut shop = shop(Guard::Warn, book_of(rules));
    let request = shop.request(&caller(Some(Nano(1_000_000_000)), None, 0, 0));
    let second = shop.route.lanes[1].clone();
    let receipt = shop.receipt(&request, |outcome| outcome.served = Some(second)).await;
    assert_eq!((receipt.charge, receipt.upstream_cost), (Nano(1_500_000), Nano(1_000_000)));
    assert_eq!(receipt.reserved, Nano(3_000_000), "the dearest channel counted");
}

#[tokio::test]
async fn a_price_that_changes_under_way_is_that_of_the_arrival() {
    let mut shop = shop(Guard::Warn, book_of(two_channels("4")));
    let who = below(&[(1, ""), (2, "")], "", "");
    let (early, mut late) = (shop.request(&who), shop.request(&who));
    late.at.0 += 10;
    let hold = early.reserve(&shop.biller).unwrap();
    let mut rules = two_channels("4");
    rules.push(rule(None, "m", late.at.0, json!({"input": "8"})));
    rules.push(rule(Some(2), "m", late.at.0, json!({"markup": "2"})));
    shop.biller.book().set_overrides(numbered(rules)).unwrap();
    let after = shop.receipt(&late, |_| ()).await;
    assert_eq!((after.charge, after.legs[0].charge), (Nano(16_000_000), Nano(8_000_000)));
    shop.biller.settle(Some(hold), early.outcome(Some(tokens(1_000, 0))));
    shop.shipper.recover().await.unwrap();
    let before = Receipt::clone(&shop.store.receipts.lock()[&early.id]);
    assert_eq!((before.charge, before.legs[0].charge), (Nano(4_000_000), Nano(4_000_000)));
    assert_eq!(before.lines[0].price, Nano(4_000_000_000));
}
