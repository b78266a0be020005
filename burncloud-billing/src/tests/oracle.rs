//! Trees of markups against fractions that are reckoned another way.

use super::resale::{below, book_of, buying, prices};
use super::support::{lane_route, rule};
use proptest::prelude::*;
use serde_json::{Map, json};

/// Ten-thousandths, as a price or a ratio is written.
fn text(n: u32) -> String {
    format!("{}.{:04}", n / 10_000, n % 10_000)
}

/// `price × over / 10 000^powers`, rounded half up, digit by digit as on paper.
fn round(price: u128, over: u128, powers: u32) -> u128 {
    let (mut exact, mut last) = (price * over, 0);
    for _ in 0..4 * powers {
        last = exact % 10;
        exact /= 10;
    }
    exact + u128::from(last >= 5)
}

/// One tenant: the ratio of its group in its seller's book, and its own markup.
type Node = (Option<u32>, Option<u32>);

fn nodes(ratio: std::ops::Range<u32>) -> impl Strategy<Value = Vec<Node>> {
    let node = (prop::option::of(ratio.clone()), prop::option::of(ratio));
    prop::collection::vec(node, 1..6)
}

/// The house is the first node (its group is nobody's), then tenants downwards; the user's group is the last.
fn compare(cost: u32, nodes: &[Node], user: Option<u32>) -> Vec<i64> {
    let mut rules = vec![buying(1, "*", json!({"input": text(cost)}))];
    let mut tenants = vec![(100, String::new())];
    let mut expected: Vec<i64> = Vec::new();
    let mut price = u128::from(cost) * 100_000;
    for (n, (_, markup)) in nodes.iter().enumerate() {
        let book = (n > 0).then_some(100 + n as i64);
        let group = nodes.get(n + 1).map_or(user, |(group, _)| *group);
        let name = format!("g{n}");
        // The house without a markup would take the published price.
        let markup = markup.or((n == 0).then_some(10_000));
        if let Some(markup) = markup {
            rules.push(rule(book, if n % 2 == 0 { "m" } else { "*" }, 0, json!({"markup": text(markup)})));
        }
        if let Some(ratio) = group {
            let groups: Map<_, _> = [(name.clone(), json!(text(ratio)))].into_iter().collect();
            rules.push(rule(book, "", 0, json!({"groups": groups})));
        }
        let over = u128::from(markup.unwrap_or(10_000)) * u128::from(group.unwrap_or(10_000));
        price = round(price, over, 2);
        expected.push(i64::try_from(price).unwrap());
        tenants.push((101 + n as i64, name));
    }
    let (_, last) = tenants.pop().unwrap();
    let path: Vec<(i64, &str)> = tenants.iter().map(|(id, group)| (*id, group.as_str())).collect();
    let found = prices(&book_of(rules), &below(&path, &last, ""), &lane_route("m", "gpt-4o-mini"), 5);
    assert_eq!(found, expected);
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_tree_is_what_it_is_on_paper(
        cost in 0u32..1_000_000, nodes in nodes(0..90_000), user in prop::option::of(0u32..90_000),
    ) {
        compare(cost, &nodes, user);
    }

    #[test]
    fn where_nobody_sells_below_cost_no_price_falls_on_its_way(
        cost in 0u32..1_000_000, nodes in nodes(10_000..30_000), user in prop::option::of(10_000u32..30_000),
    ) {
        let mut all = vec![i64::from(cost) * 100_000];
        all.extend(compare(cost, &nodes, user));
        prop_assert!(all.is_sorted(), "{:?}", all);
    }
}
