//! Prices that come down through tenants, by hand.

use super::support::*;
use crate::tariff::Class;
use crate::{BillingError, Offer, PriceBook, Quote, Unpriced, quote};
use burncloud_core::routing::Candidate;
use burncloud_core::store::PriceOverride;
use burncloud_core::{Caller, ChannelId, LineKind, Nano, Route, ServiceTier, Tenant, TenantId, UnixMicros};
use serde_json::{Value, json};
use std::sync::Arc;

/// A caller of the last of these tenants, each of which buys from the one before, by id and group; `""` is none.
pub(super) fn below(tenants: &[(i64, &str)], user: &str, key: &str) -> Arc<Caller> {
    let group = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    let tenant = |n: usize| Tenant {
        id: TenantId(tenants[n].0),
        parent: n.checked_sub(1).map(|above| TenantId(tenants[above].0)),
        group: group(tenants[n].1),
        unlimited: true,
        ..Tenant::default()
    };
    let one = caller(None, None, 0, 0);
    let (mut own_key, mut own) = (one.key.clone(), one.user.clone());
    (own_key.group, own.group) = (group(key), group(user));
    let last = tenants.len() - 1;
    Arc::new(Caller::new(own_key, own, tenant(last)).under((0..last).rev().map(tenant).collect()))
}

/// A buying rule.
pub(super) fn buying(channel: i64, model: &str, rates: Value) -> PriceOverride {
    PriceOverride { channel: Some(ChannelId(channel)), ..rule(None, model, 0, rates) }
}

/// A book of these rules, versions in their order.
pub(super) fn book_of(rules: Vec<PriceOverride>) -> PriceBook {
    let book = PriceBook::new();
    book.set_overrides(numbered(rules)).unwrap();
    book
}

pub(super) fn numbered(rules: Vec<PriceOverride>) -> Vec<PriceOverride> {
    (1..).zip(rules).map(|(version, rule)| PriceOverride { version, ..rule }).collect()
}

fn quoted(book: &PriceBook, who: &Caller, route: &Route, lane: &Candidate, at: i64) -> Quote {
    let others = route.lanes.iter().filter(|other| !Arc::ptr_eq(other, lane));
    let others: Vec<_> = others.map(|other| Offer::of(route, other)).collect();
    quote(book, who, &Offer::of(route, lane), &others, UnixMicros(at))
}

/// The price of input at each level, the user's last, in nano-dollars a million; the ladder that requests go by must
/// agree, made anew and kept.
pub(super) fn prices(
    book: &PriceBook,
    who: &Caller,
    (route, lane): &(Arc<Route>, Candidate),
    at: i64,
) -> Vec<i64> {
    let input = |rates: &crate::Rates| rates.prices(ServiceTier::Standard, 0).get(LineKind::Input).0;
    let quote = quoted(book, who, route, lane, at);
    let posted: Vec<i64> =
        quote.levels.iter().filter(|level| level.paid).map(|level| input(&level.rates)).collect();
    for _ in 0..2 {
        let ladder: Vec<i64> = book.ladder((who, Class::of(who)), route, lane, UnixMicros(at), |ladder| {
            assert_eq!((ladder.cost.clone(), ladder.loss), (quote.cost.clone(), quote.loss));
            ladder.tenants.iter().rev().chain(&ladder.user).map(|rates| input(rates)).collect()
        });
        assert_eq!(ladder, posted);
    }
    quote.levels.iter().map(|level| input(&level.rates)).collect()
}

fn user(book: &PriceBook, lane: &(Arc<Route>, Candidate)) -> Option<i64> {
    prices(book, &below(&[(1, "")], "", ""), lane, 5).last().copied()
}

#[test]
fn a_markup_of_the_house_is_on_what_it_pays() {
    let (mini, claude) = (lane_route("m", "gpt-4o-mini"), lane_route("m", "claude-sonnet-4-5"));
    let markup = |model| rule(None, model, 0, json!({"markup": "1.25"}));
    let book = book_of(vec![markup("m")]);
    assert_eq!(user(&book, &mini), Some(187_500_000), "on the published price");
    assert_eq!(user(&book, &claude), Some(3_750_000_000), "on another provider's, where its own has none");
    assert_eq!(user(&book, &lane_route("other", "gpt-4o-mini")), Some(150_000_000));
    assert_eq!(user(&book, &lane_route("m", "no-such-model")), None, "of nothing known");
    let book = book_of(vec![markup("*"), buying(1, "gpt-4o-mini", json!({"input": "1", "output": "2"}))]);
    assert_eq!(user(&book, &mini), Some(1_250_000_000), "on the buying price of the channel");
    assert_eq!(user(&book, &claude), Some(3_750_000_000), "which is one model's");
    let book = book_of(vec![
        markup("m"),
        buying(1, "*", json!({"markup": "0.6"})),
        buying(2, "*", json!({"input": "9"})),
    ]);
    assert_eq!(user(&book, &mini), Some(112_500_000), "0.15 × 0.6 × 1.25");
    let quote = quoted(&book, &below(&[(1, "")], "", ""), &claude.0, &claude.1, 5);
    let cost = quote.cost.unwrap();
    assert_eq!(cost.prices(ServiceTier::Standard, 0).get(LineKind::Output), Nano(9_000_000_000), "15 × 0.6");
    let book = book_of(vec![buying(1, "*", json!({"markup": "0.6"}))]);
    assert_eq!(user(&book, &mini), Some(150_000_000), "without a rule the published price is taken");
}

#[test]
fn each_level_sells_on_what_it_pays_times_the_group_of_its_buyer() {
    let lane = lane_route("m", "gpt-4o-mini");
    let groups = |vip: &str, gold: &str| json!({"groups": {"vip": vip, "gold": gold, "default": "1.1"}});
    let book = book_of(vec![
        rule(None, "m", 0, json!({"input": "10", "output": "20"})),
        rule(None, "", 0, groups("0.8", "0.7")),
        rule(Some(2), "m", 0, json!({"markup": "1.5"})),
        rule(Some(2), "", 0, groups("0.9", "0.5")),
        rule(Some(3), "*", 0, json!({"markup": "2"})),
        rule(
            Some(3),
            "",
            0,
            json!({"groups": {"gold": "0.25"}, "pairs": {"gold": {"night": "0.125", "gold": "0.2"}}}),
        ),
    ]);
    let at =
        |tenants: &[(i64, &str)], user: &str, key: &str| prices(&book, &below(tenants, user, key), &lane, 5);
    let dollars = |list: &[f64]| list.iter().map(|d| (d * 1e9).round() as i64).collect::<Vec<_>>();
    let path: &[(i64, &str)] = &[(1, "gold"), (2, "vip"), (3, "gold"), (4, "")];
    // 10 × 0.8; × 1.5 × 0.5; × 2 × 1; tenant 4 has no rule.
    assert_eq!(at(path, "", ""), dollars(&[8.0, 6.0, 12.0, 12.0]));
    assert_eq!(at(&path[..3], "", ""), dollars(&[8.0, 6.0, 12.0]));
    assert_eq!(at(&path[..3], "gold", ""), dollars(&[8.0, 6.0, 2.4]), "a pair of the group with itself");
    assert_eq!(at(&path[..3], "gold", "night"), dollars(&[8.0, 6.0, 1.5]), "pairs go before groups");
    assert_eq!(at(&path[..3], "", "gold"), dollars(&[8.0, 6.0, 3.0]), "the group of the key");
    assert_eq!(at(&path[..3], "gold", "none"), dollars(&[8.0, 6.0, 12.0]));
    assert_eq!(at(&path[..2], "gold", ""), dollars(&[8.0, 6.0]));
    assert_eq!(at(&path[..2], "", ""), dollars(&[8.0, 13.2]), "who has no group is in `default`");
    assert_eq!(at(&path[..1], "", ""), dollars(&[11.0]), "a tenant without a parent is the house");
    assert_eq!(at(&path[..1], "vip", "gold"), dollars(&[7.0]));
}

#[test]
fn a_part_of_the_house_may_have_a_book_of_its_own() {
    let lane = lane_route("m", "gpt-4o-mini");
    let book = book_of(vec![
        rule(None, "m", 0, json!({"input": "10"})),
        rule(None, "", 0, json!({"groups": {"inner": "0.5", "vip": "0.1"}})),
        rule(Some(1), "m", 3, json!({"markup": "3"})),
    ]);
    let at = |tenants: &[(i64, &str)], at| prices(&book, &below(tenants, "vip", ""), &lane, at);
    assert_eq!(at(&[(1, "inner")], 2), [1_000_000_000], "not yet");
    assert_eq!(
        at(&[(1, "inner")], 3),
        [5_000_000_000, 15_000_000_000],
        "its price is no leg, but what it builds on"
    );
    assert_eq!(at(&[(1, "inner"), (2, "")], 3), [5_000_000_000, 15_000_000_000, 15_000_000_000]);
    assert_eq!(at(&[(9, "inner")], 3), [1_000_000_000]);
}

#[test]
fn list_prices_and_prices_per_call_at_any_level() {
    let lane = lane_route("m", "gpt-4o-mini");
    let book = book_of(vec![
        rule(Some(2), "m", 0, json!({"per_request": "0.01"})),
        rule(
            Some(3),
            "*",
            0,
            json!({"input": "4", "tiers": [{"above": 100, "input": "5"}], "flex": {"input": "2"}}),
        ),
        rule(Some(3), "", 0, json!({"groups": {"vip": "0.5"}})),
    ]);
    let who = below(&[(1, ""), (2, ""), (3, "")], "vip", "");
    assert_eq!(prices(&book, &who, &lane, 5), [150_000_000, 0, 2_000_000_000]);
    let quote = quoted(&book, &who, &lane.0, &lane.1, 5);
    let call =
        |n: usize| quote.levels[n].rates.prices(ServiceTier::Standard, 0).get(LineKind::Request).for_units(1);
    assert_eq!([call(0), call(1), call(2)], [Nano(0), Nano(10_000_000), Nano(0)]);
    let input = |tier, size| quote.user().unwrap().prices(tier, size).get(LineKind::Input).0;
    assert_eq!(input(ServiceTier::Standard, 101), 2_500_000_000, "every tier times the ratio");
    assert_eq!(input(ServiceTier::Flex, 1), 1_000_000_000);
    assert_eq!(
        quote.loss,
        Some((Some(TenantId(3)), LineKind::Request)),
        "who pays by the call and sells by the token"
    );
}

#[test]
fn the_newest_row_that_names_it_counts_for_each_group_pair_and_currency() {
    let lane = lane_route("m", "gpt-4o-mini");
    let book = book_of(vec![
        rule(None, "m", 0, json!({"input": "10"})),
        rule(None, "", 0, json!({"groups": {"a": "0.5", "b": "0.5"}, "pairs": {"b": {"a": "0.3"}}})),
        rule(None, "", 10, json!({"groups": {"a": "0.6"}})),
        rule(None, "", 20, json!({"groups": {"b": null}, "pairs": {"b": {"a": null}}})),
    ]);
    let at = |user, key, at| prices(&book, &below(&[(1, "")], user, key), &lane, at)[0] / 100_000_000;
    assert_eq!([at("a", "", 9), at("a", "", 10), at("a", "", 20)], [50, 60, 60]);
    assert_eq!([at("b", "", 9), at("b", "", 19), at("b", "", 20)], [50, 50, 100]);
    assert_eq!([at("b", "a", 19), at("b", "a", 20)], [30, 60], "taken out again");
}

#[test]
fn prices_in_another_currency_are_converted_at_the_rate_of_the_moment() {
    let lane = lane_route("m", "gpt-4o-mini");
    let rules = vec![
        rule(None, "", 0, json!({"fx": {"CNY": "7.20"}})),
        rule(None, "", 10, json!({"fx": {"CNY": "7"}, "groups": {"vip": "0.7"}})),
        rule(None, "m", 5, json!({"input": "14", "currency": "CNY"})),
        buying(1, "*", json!({"input": "7", "currency": "CNY"})),
        rule(Some(2), "m", 0, json!({"input": "21", "currency": "CNY"})),
    ];
    let book = book_of(rules.clone());
    let at = |user, at| prices(&book, &below(&[(1, "")], user, ""), &lane, at);
    assert_eq!((at("", 9), at("", 10)), (vec![1_944_444_444], vec![2_000_000_000]));
    assert_eq!(at("vip", 10), [1_400_000_000]);
    let reseller = below(&[(1, ""), (2, "")], "", "");
    assert_eq!(prices(&book, &reseller, &lane, 9), [1_944_444_444, 2_916_666_667], "rounded half up");
    let quote = quoted(&book, &reseller, &lane.0, &lane.1, 9);
    assert_eq!(quote.cost.unwrap().prices(ServiceTier::Standard, 0).get(LineKind::Input), Nano(972_222_222));
    assert_eq!(quote.until, Some(UnixMicros(10)));

    let late = vec![rule(None, "", 6, json!({"fx": {"CNY": "7.20"}})), rules[2].clone()];
    let error = book.set_overrides(numbered(late)).unwrap_err();
    assert!(
        matches!(&error, BillingError::Price { model, source } if model == "m" && source.field == "currency")
    );
    assert_eq!(at("", 10), [2_000_000_000], "nothing was changed");

    let mut gone = rules;
    gone.push(rule(None, "", 20, json!({"fx": {"CNY": null}})));
    let book = book_of(gone);
    book.set_unpriced(Unpriced::Free);
    assert!(prices(&book, &below(&[(1, "")], "", ""), &lane, 20).is_empty(), "never free by accident");
}

#[test]
fn the_price_of_the_model_at_another_channel_stands_in() {
    let table = table("m", &[("openai", "no-such-model"), ("openai", "gpt-4o-mini")]);
    let route = table.route("m").unwrap().clone();
    let first = (route.clone(), route.lanes[0].clone());
    assert_eq!(user(&book_of(Vec::new()), &first), Some(150_000_000));
    let book = book_of(vec![
        rule(None, "*", 0, json!({"markup": "2"})),
        buying(2, "gpt-4o-mini", json!({"input": "1"})),
    ]);
    assert_eq!(user(&book, &first), Some(2_000_000_000));
    assert_eq!(quoted(&book, &below(&[(1, "")], "", ""), &route, &first.1, 5).cost, None);
}

#[test]
fn what_is_declared_for_models_without_a_price_is_the_houses_price() {
    let lane = lane_route("m", "no-such-model");
    let book = book_of(vec![
        rule(None, "", 0, json!({"groups": {"vip": "0.5"}})),
        rule(Some(2), "*", 0, json!({"markup": "3"})),
    ]);
    let who = below(&[(1, ""), (2, "vip")], "", "");
    assert!(prices(&book, &who, &lane, 5).is_empty());
    let rates = crate::Rates::from_json(&json!({"input": "2"})).unwrap();
    book.set_unpriced(Unpriced::At(Arc::new(rates)));
    assert_eq!(prices(&book, &who, &lane, 5), [1_000_000_000, 3_000_000_000]);
    assert!(quoted(&book, &who, &lane.0, &lane.1, 5).unpriced);
    book.set_unpriced(Unpriced::Free);
    assert_eq!(prices(&book, &who, &lane, 5), [0, 0]);
}

#[test]
fn kept_ladders_follow_the_book_and_the_clock() {
    let lane = lane_route("m", "gpt-4o-mini");
    let list = |from, input: &str| rule(None, "m", from, json!({ "input": input }));
    let (one, other) = (book_of(vec![list(0, "1"), list(10, "2")]), book_of(vec![list(0, "5")]));
    let (plain, vip) = (below(&[(1, "")], "", ""), below(&[(1, "")], "vip", ""));
    let at = |book: &PriceBook, who: &Caller, at| prices(book, who, &lane, at)[0] / 1_000_000_000;
    assert_eq!([at(&one, &plain, 9), at(&one, &plain, 10), at(&one, &plain, 9)], [1, 2, 1], "also backwards");
    assert_eq!([at(&other, &plain, 9), at(&one, &plain, 11), at(&other, &vip, 9)], [5, 2, 5], "two books");
    let groups = rule(None, "", 0, json!({"groups": {"vip": "3"}}));
    one.set_overrides(numbered(vec![list(0, "1"), list(10, "2"), groups])).unwrap();
    assert_eq!(
        [at(&one, &plain, 9), at(&one, &vip, 9), at(&one, &vip, 10), at(&one, &plain, 11)],
        [1, 3, 6, 2]
    );
    one.set_unpriced(Unpriced::Free);
    assert_eq!(at(&one, &vip, 10), 6);
}

#[test]
fn callers_with_the_same_prices_are_of_one_class() {
    let class = |tenants: &[(i64, &str)], user, key| Class::of(&below(tenants, user, key));
    let one = class(&[(1, ""), (2, "a")], "b", "c");
    assert_eq!(one, class(&[(1, ""), (2, "a")], "b", "c"));
    let others = [
        class(&[(1, ""), (3, "a")], "b", "c"),
        class(&[(1, ""), (2, "")], "b", "c"),
        class(&[(2, "a"), (1, "")], "b", "c"),
        class(&[(2, "a")], "b", "c"),
        class(&[(1, ""), (2, "a")], "c", "b"),
        class(&[(1, ""), (2, "a")], "b", ""),
    ];
    assert!(others.iter().all(|other| *other != one));
}
