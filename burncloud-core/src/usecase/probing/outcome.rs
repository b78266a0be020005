//! What an answer, or the lack of one, says of an account.

use super::ProbeOutcome;
use super::ask::{Answered, Asker, Failed};
use crate::adapter::ProbedModel;

/// What is known, and how it is said.
pub(super) struct Finding {
    pub(super) outcome: ProbeOutcome,
    pub(super) message: String,
    pub(super) models: Vec<ProbedModel>,
}

impl Finding {
    pub(super) fn new(outcome: ProbeOutcome, message: String) -> Finding {
        Finding { outcome, message, models: Vec::new() }
    }
}

/// How providers say that an account is empty, whatever status goes with it.
const EMPTY: [&str; 6] = [
    "insufficient_quota",
    "insufficient balance",
    "insufficient_balance",
    "insufficient credit",
    "credit balance is too low",
    "out of credits",
];

fn is_empty(answer: &Answered) -> bool {
    let text = String::from_utf8_lossy(&answer.body).to_lowercase();
    answer.status.as_u16() == 402
        || (answer.status.is_client_error() && EMPTY.iter().any(|words| text.contains(words)))
}

/// Of an answer that is no list.
pub(super) fn of_answer(asker: &Asker, answer: &Answered) -> Finding {
    let status = answer.status.as_u16();
    let odd = ProbeOutcome::Odd(status);
    let (outcome, text) = match status {
        _ if is_empty(answer) => (ProbeOutcome::OutOfCredit, "the account has no credit left".to_owned()),
        _ if asker.may_not_list(answer) => (
            ProbeOutcome::Uncheckable,
            "the credential is known, but may not list models: whether it may do more shows with the first request"
                .to_owned(),
        ),
        401 | 403 => {
            (ProbeOutcome::CredentialRefused, format!("the provider refuses the credential ({status})"))
        }
        _ if asker.blames_credential(answer) => {
            (ProbeOutcome::CredentialRefused, format!("the provider refuses the credential ({status})"))
        }
        429 => (ProbeOutcome::RateLimited, "the provider asks to wait (429)".to_owned()),
        200..=299 => (odd, "it answers, but not with a list of models; check base_url".to_owned()),
        300..=399 => {
            (odd, format!("it answers with a redirect ({status}), which is not followed; check base_url"))
        }
        404 | 405 => (odd, format!("there is no list of models at this address ({status}); check base_url")),
        _ => (odd, format!("the provider answers {status}")),
    };
    match asker.quote(&answer.body) {
        Some(quote) => Finding::new(outcome, format!("{text}: {quote}")),
        None => Finding::new(outcome, text),
    }
}

/// Of a question that got no answer.
pub(super) fn of_failure(failed: &Failed) -> Finding {
    match failed {
        Failed::Unreachable(why) => {
            Finding::new(ProbeOutcome::Unreachable, format!("the provider cannot be reached: {why}"))
        }
        Failed::TooLong(status) => {
            let text = "its answer is longer than 2 MB, which no list of models is; check base_url";
            Finding::new(ProbeOutcome::Odd(status.as_u16()), text.to_owned())
        }
        Failed::Unsigned(why, true) => Finding::new(ProbeOutcome::CredentialRefused, why.clone()),
        Failed::Unsigned(why, false) => Finding::new(ProbeOutcome::Unreachable, why.clone()),
    }
}
