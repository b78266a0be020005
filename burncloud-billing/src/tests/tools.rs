//! What a provider's own tools cost: held before, charged after, also of answers that broke off.

use super::support::*;
use crate::bound::TOOL_CALLS;
use burncloud_core::billing::{Billing, Outcome};
use burncloud_core::{End, Nano, Operation, Receipt, Usage, UsageSource};
use std::sync::Arc;
use tempfile::TempDir;

fn reserved(upstream: &str, operation: Operation, tools: &'static str) -> Nano {
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
    let (biller, _shipper) = open(dir.path(), &store);
    let (route, _) = lane_route(upstream, upstream);
    let who = caller(Some(Nano(i64::MAX / 4)), None, 0, 0);
    let mut request = Request::new(&who, &route);
    (request.endpoint, request.tools) = (endpoint(operation), tools);
    request.reserve(&biller).unwrap().reserved
}

#[test]
fn searches_are_held_for_where_the_caller_allows_them() {
    let hold = |tools| reserved("gpt-5", Operation::Responses, tools).0;
    let plain = hold("");
    // A cent for a search of the web, a quarter of one for a search of files.
    let each = 10_000_000 + 2_500_000;
    let more = each * i64::try_from(TOOL_CALLS).unwrap();
    assert_eq!(hold(r#"[{"type":"function","name":"weather"}]"#), plain);
    for tools in [
        r#"[{"type":"web_search"}]"#,
        r#"[{"type":"web_search_preview"}]"#,
        r#"[{"type":"web_search_20250305","max_uses":5}]"#,
        r#"[{"type":"file_search"}]"#,
        r#"[{"type":"code_interpreter","container":{"type":"auto"}}]"#,
        r#"[{"type":"code_execution_20250825"}]"#,
        r#"[{"google_search":{}}]"#,
        r#"[{"googleSearch":{}}]"#,
        r#"[{"codeExecution":{}}]"#,
    ] {
        assert_eq!(hold(tools), plain + more, "{tools}");
    }
    let unpriced = |tools| reserved("text-embedding-3-small", Operation::Embeddings, tools);
    assert_eq!(unpriced(r#"[{"type":"web_search"}]"#), unpriced(""), "no price, no hold");
}

async fn receipt(usage: Usage, set: impl FnOnce(&mut Outcome)) -> Receipt {
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
    let (biller, mut shipper) = open(dir.path(), &store);
    let (route, _) = lane_route("gpt-5", "gpt-5");
    let who = caller(Some(Nano(1_000_000_000)), None, 0, 0);
    let mut request = Request::new(&who, &route);
    request.endpoint = endpoint(Operation::Responses);
    let hold = request.reserve(&biller).unwrap();
    let mut outcome = request.outcome(Some(usage));
    set(&mut outcome);
    biller.settle(Some(hold), outcome);
    shipper.recover().await.unwrap();
    let found = store.receipts.lock().get(&request.id).cloned();
    Arc::unwrap_or_clone(found.unwrap())
}

fn searched() -> Usage {
    Usage { web_searches: 3, file_searches: 2, ..Usage::default() }
}

#[tokio::test]
async fn searches_are_charged_beside_tokens() {
    let receipt = receipt(Usage { input: 1_000, output: 10, ..searched() }, |_| ()).await;
    assert_eq!(receipt.charge, Nano(1_000 * 1_250 + 10 * 10_000 + 3 * 10_000_000 + 2 * 2_500_000));
    assert_eq!((receipt.lines.len(), receipt.shortfall), (4, Nano(0)));
}

#[tokio::test]
async fn an_answer_that_broke_after_its_searches_is_charged_for_them_and_what_arrived() {
    let receipt = receipt(searched(), |o| {
        (o.end, o.streamed) = (End::UpstreamCut, true);
        o.request_sample = sample(r#"{"input":"hello world"}"#);
        o.response_sample =
            sample("data: {\"type\":\"response.output_text.delta\",\"delta\":\"hello world\"}\n\n");
    })
    .await;
    let expect = Usage { input: 2, output: receipt.usage.output, ..searched() };
    assert_eq!((receipt.usage, receipt.usage_source), (expect, UsageSource::Estimated));
    assert!(receipt.usage.output >= 2, "{:?}", receipt.usage);
    let tokens = 2 * 1_250 + i64::try_from(receipt.usage.output).unwrap() * 10_000;
    assert_eq!(receipt.charge, Nano(tokens + 3 * 10_000_000 + 2 * 2_500_000));
}
