//! Recorded answers and streams for callers of every other format.

use super::{Exchange, Tally, exchanges};
use crate::translate::said::{Said, rewritten, said, translated};
use crate::translate::Format;

#[test]
fn recorded_answers_say_the_same_in_every_format() {
    let (mut made, mut wrong) = (Tally::default(), Tally::default());
    for exchange in exchanges() {
        let Exchange { from, recording } = &exchange;
        for to in Format::ALL.into_iter().filter(|to| to != from) {
            let kind = if recording.streamed { "streams" } else { "answers" };
            let pair = format!("{kind} {} -> {}", from.as_str(), to.as_str());
            let name = format!("{pair}: {}", exchange.name());
            let out = match translated(&recording.provider, (*from, to), recording.streamed, &recording.response) {
                Ok(out) => out,
                Err(error) => {
                    wrong.add(format!("{name}: {error:?}"));
                    continue;
                }
            };
            made.add(pair);
            match said("openai", to, recording.streamed, &out.body) {
                Ok(after) => {
                    for it in differences(&out.said, &after) {
                        wrong.add(format!("{name}: {it}"));
                    }
                }
                Err(error) => wrong.add(format!("{name}: again: {error:?}")),
            }
        }
    }
    made.show("translated");
    wrong.show("wrong");
    assert!(wrong.0.is_empty());
}

fn differences(before: &Said, after: &Said) -> Vec<String> {
    let mut found = Vec::new();
    let short = |text: String| text.chars().take(100).collect::<String>();
    let mut check = |what: &str, a: String, b: String| {
        if a != b {
            found.push(format!("{what}: {} -> {}", short(a), short(b)));
        }
    };
    check("text", before.text.clone(), after.text.clone());
    check("refusal", before.refusal.clone(), after.refusal.clone());
    check("thoughts", before.thoughts.clone(), after.thoughts.clone());
    check("calls", format!("{:?}", before.calls), format!("{:?}", after.calls));
    check("stop", format!("{:?}", before.stop), format!("{:?}", after.stop));
    check("failure", format!("{:?}", before.failure), format!("{:?}", after.failure));
    let usage = |said: &Said| {
        said.usage.map(|u| (u.total_input(), u.total_output(), u.cached_read, u.reasoning))
    };
    check("usage", format!("{:?}", usage(before)), format!("{:?}", usage(after)));
    found
}

#[test]
fn streams_are_translated_alike_however_they_are_cut() {
    for exchange in exchanges().iter().filter(|it| it.recording.streamed) {
        let (profile, bytes) = (exchange.profile(), exchange.recording.response.as_slice());
        for to in Format::ALL.into_iter().filter(|to| *to != exchange.from) {
            let pair = (exchange.from, to);
            let whole = masked(rewritten(&profile, pair, true, [bytes]));
            for size in [1, 7] {
                let cut = masked(rewritten(&profile, pair, true, bytes.chunks(size)));
                assert!(cut == whole, "{} {pair:?} in pieces of {size}", exchange.name());
            }
        }
    }
}

fn masked(out: Result<(String, Vec<u8>), burncloud_core::Error>) -> Result<(String, Vec<u8>), String> {
    out.map_err(|error| format!("{error:?}"))
}
