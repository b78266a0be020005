//! The most a request can cost, told before it is dispatched.

use crate::rates::Rates;
use burncloud_core::billing::Ask;
use burncloud_core::{Nano, Operation};

/// An upper estimate and the part of it that is spent by sending the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) input: Nano,
    pub(crate) all: Nano,
}

/// Whether the answer is made of tokens that are charged.
fn has_output(operation: Operation) -> bool {
    use Operation as O;
    !matches!(operation, O::Embeddings | O::EmbedContent | O::Moderation | O::Rerank)
}

fn makes_pictures(operation: Operation) -> bool {
    matches!(operation, Operation::ImageGeneration | Operation::ImageEdit | Operation::ImageVariation)
}

/// Pictures of one request for a prediction, whose number stands where the gateway does not look: what providers allow.
const PREDICTED: u64 = 8;

/// How many things billed by the piece an answer may be made of.
fn pieces(ask: &Ask<'_>, answers: u64) -> u64 {
    match ask.endpoint.operation {
        operation if makes_pictures(operation) => answers,
        Operation::Predict => answers.max(PREDICTED),
        // A unit is a question put to a hundred documents; a document takes at least four bytes.
        Operation::Rerank => 1 + ask.body_len / 400,
        _ => 0,
    }
}

/// The most tokens a request can take, in and out; `window` where the model's is known.
pub(crate) fn tokens(ask: &Ask<'_>, window: Option<u64>, default_output: u64) -> u64 {
    let operation = ask.endpoint.operation;
    // A token of a recording stands for at least 30 ms, which are at least 32 bytes.
    let input = if hears(operation) { ask.body_len.div_ceil(32) } else { ask.body_len };
    let each = if has_output(operation) { ask.max_output.unwrap_or(default_output) } else { 0 };
    input.min(window.unwrap_or(u64::MAX)).saturating_add(each.saturating_mul(ask.answers.max(1)))
}

fn hears(operation: Operation) -> bool {
    matches!(operation, Operation::Transcription | Operation::Translation)
}

/// How many searches of each kind, and sessions of code, money is held for where the caller lets the provider do such
/// things: hardly any answer takes more, and no provider has a limit of its own. What one takes beyond is charged to
/// what is left, as is other input that the body does not hold.
pub(crate) const TOOL_CALLS: u64 = 10;

/// Whether these tools search or run code at the provider, told by the names that all providers' have in common. A
/// caller's own tool may have one too: then more is held than need be, until the answer ends.
fn are_charged(tools: &[u8]) -> bool {
    let names = |name: &str| memchr::memmem::find(tools, name.as_bytes()).is_some();
    !tools.is_empty() && ["search", "Search", "code", "grounding"].into_iter().any(names)
}

/// Every byte of the body taken for a token of the dearest input class, as far as the model's window goes; every
/// answer as long as it may be, in the dearest output class; every byte of a recording taken for a millisecond
/// (audio below 8 kbit/s is not speech any more).
pub(crate) fn bound(rates: &Rates, ask: &Ask<'_>, window: Option<u64>, default_output: u64) -> Bound {
    let operation = ask.endpoint.operation;
    let tokens_in = ask.body_len.min(window.unwrap_or(u64::MAX));
    let ceiling = rates.ceiling(tokens_in);
    let each = if has_output(operation) { ask.max_output.unwrap_or(default_output) } else { 0 };
    let answers = ask.answers.max(1);
    let mut input = ceiling.input.for_units(tokens_in).plus(ceiling.request.for_units(1));
    if hears(operation) {
        input = input.plus(ceiling.audio_time.for_units(ask.body_len));
    }
    let mut output = ceiling.output.for_units(each.saturating_mul(answers));
    if ceiling.tools > Nano::ZERO && are_charged(ask.tools) {
        output = output.plus(ceiling.tools.for_units(TOOL_CALLS));
    }
    output = output.plus(ceiling.piece.for_units(pieces(ask, answers)));
    Bound { input, all: input.plus(output) }
}
