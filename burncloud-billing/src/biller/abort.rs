//! What an answer that did not come to its end costs.

use crate::estimate::{Dir, estimate};
use burncloud_core::billing::{Hold, Outcome};
use burncloud_core::{AbortPolicy, End, Usage, UsageSource};

/// The policy by which an outcome is charged: that of its hold, where an answer had begun, or might have, and did not
/// come to its end. What was refused, what no provider answered, and a provider's own 4xx or 5xx cost nothing anyway.
pub(super) fn policy(hold: Option<&Hold>, outcome: &Outcome) -> Option<AbortPolicy> {
    let begun = outcome.served.is_some();
    let aborted = match outcome.end {
        End::CallerGone => !begun || outcome.status < 400,
        End::UpstreamCut | End::TimedOut | End::UpstreamError => begun && outcome.status < 400,
        End::Finished | End::Refused | End::UpstreamFailed | End::Orphaned => false,
    };
    hold.filter(|_| aborted && !outcome.endpoint.operation.is_free()).map(|hold| hold.abort)
}

/// What a provider reported of an answer, and how far that can be relied on.
///
/// What a stream reports before its end may be provisional (Anthropic's first event says one output token): where more
/// was received than was reported, that counts. A report that comes at the end (OpenAI's) is the provider's last word,
/// whatever comes after it. Under [`AbortPolicy::Reported`] the provider's last word counts as it
/// is; but what stood in an answer that was left and could not be read on is not its last word.
pub(super) fn reported(
    mut usage: Usage,
    outcome: &Outcome,
    policy: Option<AbortPolicy>,
) -> (Usage, UsageSource) {
    let last_word = outcome.drained || outcome.end != End::CallerGone;
    let trusted = matches!(policy, Some(AbortPolicy::Reported { .. })) && last_word;
    let broken = outcome.end != End::Finished && !outcome.endpoint.operation.is_free();
    let broken = broken && outcome.provisional;
    let received =
        if outcome.streamed && broken && !trusted { estimate(&outcome.response_sample, Dir::Out) } else { 0 };
    if received > usage.total_output() {
        usage.output = usage.output.saturating_add(received - usage.total_output());
        return (usage, UsageSource::Estimated);
    }
    (usage, UsageSource::Reported)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{Request, caller, lane_route, sample, tokens};

    fn outcome(end: End, streamed: bool) -> Outcome {
        let (route, _) = lane_route("m", "gpt-4o-mini");
        let mut outcome = Request::new(&caller(None, None, 0, 0), &route).outcome(None);
        (outcome.end, outcome.streamed) = (end, streamed);
        outcome.response_sample = sample("data: {\"delta\":{\"text\":\"hello world\"}}\n\n");
        outcome
    }

    #[test]
    fn a_policy_is_applied_where_an_answer_broke_off_and_nowhere_else() {
        let hold = Hold { abort: AbortPolicy::Nothing, ..Hold::default() };
        let applied = |end, status, served: bool| {
            let mut outcome = outcome(end, true);
            outcome.status = status;
            outcome.served = outcome.served.filter(|_| served);
            policy(Some(&hold), &outcome).is_some()
        };
        for end in [End::CallerGone, End::UpstreamCut, End::TimedOut, End::UpstreamError] {
            assert!(applied(end, 200, true), "{end:?}");
            assert!(!applied(end, 400, true), "{end:?}: the provider refused");
        }
        assert!(applied(End::CallerGone, 499, false), "before there was an answer");
        for (end, status) in [(End::TimedOut, 504), (End::UpstreamFailed, 502), (End::Refused, 402)] {
            assert!(!applied(end, status, false), "{end:?}");
        }
        assert!(!applied(End::Finished, 200, true));
        assert_eq!(policy(None, &outcome(End::CallerGone, true)), None, "nothing was held");
    }

    #[test]
    fn a_report_stands_where_it_is_the_providers_last_word() {
        let reading_on = Some(AbortPolicy::Reported { drain_ms: 1 });
        let charged = |end, drained, policy| {
            let mut outcome = outcome(end, true);
            outcome.drained = drained;
            reported(tokens(5, 1), &outcome, policy).0.output
        };
        assert_eq!(charged(End::CallerGone, true, reading_on), 1);
        assert_eq!(charged(End::UpstreamCut, false, reading_on), 1);
        assert_eq!(charged(End::CallerGone, false, reading_on), 2, "the rest was not read");
        for end in [End::CallerGone, End::UpstreamCut, End::UpstreamError, End::TimedOut] {
            assert_eq!(charged(end, false, Some(AbortPolicy::Delivered)), 2, "{end:?}");
        }
        assert_eq!(charged(End::Finished, false, None), 1);
    }
}
