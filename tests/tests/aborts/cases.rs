//! The cases: what the provider does, what the caller does, and what the receipt must say.

use crate::speech::{Dialect, Ending, FINAL, PROMPT, chunked, pieces};
use crate::{PRICE, Policy, Said, model, retried};
use burncloud_tests::http1::encode_chunk;
use burncloud_tests::raw::Request;
use burncloud_tests::upstream::{Act, Behaviour};

/// What the caller does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caller {
    /// Goes away after so many bytes of the body; with none, before there is a head.
    Leaves(usize),
    /// Reads what there is.
    Stays,
    /// Reads so many bytes, has the provider go on, and reads what there is.
    StaysPast(usize),
}

/// One case.
pub(crate) struct Case {
    pub(crate) title: &'static str,
    pub(crate) ask: Request,
    pub(crate) streamed: bool,
    /// Attempts before the one that is played.
    pub(crate) before: Vec<Behaviour>,
    pub(crate) acts: Vec<Act>,
    pub(crate) caller: Caller,
    /// How often a provider is asked.
    pub(crate) attempts: usize,
    pub(crate) expect: Said,
}

/// How many pieces of text have arrived in the middle of a stream.
const MIDDLE: usize = 3;

fn tokens(text: &str) -> u64 {
    bpe_openai::o200k_base().count(text) as u64
}

/// What was used, and how that is known.
type Bill = (u64, u64, &'static str);

const NONE: Bill = (0, 0, "none");
const REPORTED: Bill = (FINAL.0, FINAL.1, "reported");

/// What so many pieces come to, at least.
fn delivered(report: Option<(u64, u64)>, count: usize) -> Bill {
    let received = tokens(&pieces()[..count].concat());
    match report {
        Some((input, output)) if received <= output => (input, output, "reported"),
        Some((input, _)) => (input, received, "estimated"),
        None => (tokens(PROMPT), received, "estimated"),
    }
}

/// Of a stream that the provider did not bring to its end.
fn broken(report: Option<(u64, u64)>, count: usize, policy: Policy) -> Bill {
    match (policy, report) {
        (Policy::Reported, Some((input, output))) => (input, output, "reported"),
        _ => delivered(report, count),
    }
}

/// Of an answer that its caller left.
fn left(report: Option<(u64, u64)>, count: usize, policy: Policy) -> Bill {
    if policy == Policy::Reported { REPORTED } else { delivered(report, count) }
}

fn charge((input, output, _): Bill, price: (i64, i64)) -> i64 {
    i64::try_from(input).unwrap() * price.0 + i64::try_from(output).unwrap() * price.1
}

fn finished(bill: Bill) -> Said {
    let (input, output, source) = bill;
    let (end, source) = ("finished".to_owned(), source.to_owned());
    Said { end, abort: None, source, input, output, charge: charge(bill, PRICE) }
}

fn aborted(end: &str, bill: Bill, policy: Policy) -> Said {
    let charge = if policy == Policy::Nothing { 0 } else { charge(bill, PRICE) };
    Said { end: end.into(), abort: Some(policy.name().into()), charge, ..finished(bill) }
}

fn size(frames: &[Vec<u8>]) -> usize {
    frames.iter().map(Vec::len).sum()
}

struct Bench {
    dialect: Dialect,
    policy: Policy,
}

impl Bench {
    fn stream(&self, title: &'static str, acts: Vec<Act>, caller: Caller, expect: Said) -> Case {
        let head = Act::Write(self.dialect.head(None));
        let acts = [vec![head], acts].concat();
        let ask = self.dialect.ask(model(self.dialect), true);
        Case { title, ask, streamed: true, before: Vec::new(), acts, caller, attempts: 1, expect }
    }

    fn whole(&self, title: &'static str, acts: Vec<Act>, caller: Caller, expect: Said) -> Case {
        let ask = self.dialect.ask(model(self.dialect), false);
        Case { title, ask, streamed: false, before: Vec::new(), acts, caller, attempts: 1, expect }
    }

    /// The frames until so many pieces, and those after.
    fn parts(&self, count: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let speech = self.dialect.speech(Ending::Complete);
        let mut until = speech.open;
        until.extend_from_slice(&speech.texts[..count]);
        (until, [&speech.texts[count..], &speech.tail[..]].concat())
    }

    /// A caller who leaves after so many pieces, while the provider waits.
    fn leaving(&self, count: usize) -> (Vec<Act>, Caller) {
        let (until, after) = self.parts(count);
        let acts = vec![Act::Write(chunked(&until)), Act::Gate, Act::Write(chunked(&after)), end()];
        (acts, Caller::Leaves(size(&until)))
    }

    fn callers(&self) -> Vec<Case> {
        let (policy, report) = (self.policy, self.dialect.provisional());
        let speech = self.dialect.speech(Ending::Complete);
        let all = [speech.open, speech.texts, speech.tail].concat();
        let before = if policy == Policy::Reported { REPORTED } else { NONE };
        let (middle, last) = (self.leaving(MIDDLE), self.leaving(pieces().len()));
        let gone = |bill| aborted("caller_gone", bill, policy);
        let mut first = self.stream(
            "caller gone before the first byte",
            vec![Act::Write(chunked(&all)), end()],
            Caller::Leaves(0),
            gone(before),
        );
        first.acts.insert(0, Act::Gate);
        vec![
            first,
            self.stream("caller gone mid-stream", middle.0, middle.1, gone(left(report, MIDDLE, policy))),
            self.stream(
                "caller gone after the last text, before the report",
                last.0,
                last.1,
                gone(left(report, pieces().len(), policy)),
            ),
            self.stream(
                "caller gone after the closing event",
                vec![Act::Write(chunked(&all)), Act::Gate, end()],
                Caller::Leaves(size(&all)),
                finished(REPORTED),
            ),
        ]
    }

    fn providers(&self) -> Vec<Case> {
        let (policy, report) = (self.policy, self.dialect.provisional());
        let (until, after) = self.parts(MIDDLE);
        let some = Act::Write(chunked(&until));
        let next = encode_chunk(&after[0]);
        let half = Act::Write(next[..next.iter().position(|b| *b == b'\n').unwrap() + 9].to_vec());
        let bill = broken(report, MIDDLE, policy);
        let error = encode_chunk(&self.dialect.error());
        let with = |mut case: Case, suffix: &str| {
            case.ask = self.dialect.ask(&format!("{}{suffix}", model(self.dialect)), true);
            case
        };
        vec![
            self.stream(
                "cut in the middle of a frame",
                vec![some.clone(), half, Act::Close],
                Caller::Stays,
                aborted("upstream_cut", bill, policy),
            ),
            self.stream(
                "reset mid-stream",
                vec![some.clone(), Act::Gate, Act::Reset],
                Caller::StaysPast(size(&until)),
                aborted("upstream_cut", bill, policy),
            ),
            with(
                self.stream(
                    "silent mid-stream",
                    vec![some.clone(), Act::Hang],
                    Caller::Stays,
                    aborted("timed_out", bill, policy),
                ),
                "-silent",
            ),
            self.stream(
                "error event mid-stream",
                vec![some, Act::Write(error.clone()), end()],
                Caller::Stays,
                aborted("upstream_error", bill, policy),
            ),
            self.stream(
                "error event in the place of an answer",
                vec![Act::Write(error), end()],
                Caller::Stays,
                aborted("upstream_error", NONE, policy),
            ),
        ]
    }

    fn endings(&self) -> Vec<Case> {
        let acts = |ending: Ending| {
            let speech = self.dialect.speech(ending);
            let all = [speech.open, speech.texts, speech.tail].concat();
            vec![Act::Write(chunked(&all)), end()]
        };
        let mut cases = vec![
            self.stream(
                "ended at a limit (incomplete)",
                acts(Ending::Incomplete),
                Caller::Stays,
                finished(REPORTED),
            ),
            self.stream(
                "ended without a report",
                acts(Ending::NoUsage),
                Caller::Stays,
                finished(delivered(None, pieces().len())),
            ),
        ];
        if self.dialect.fails_with_report() {
            // It comes at the end, so it is the provider's last word whatever was received.
            let bill = REPORTED;
            cases.push(self.stream(
                "failed, with a report",
                acts(Ending::Failed),
                Caller::Stays,
                aborted("upstream_error", bill, self.policy),
            ));
        }
        cases
    }

    fn retry(&self) -> Case {
        let (acts, caller) = self.leaving(MIDDLE);
        let bill = left(self.dialect.provisional(), MIDDLE, self.policy);
        let mut expect = aborted("caller_gone", bill, self.policy);
        if self.policy != Policy::Nothing {
            expect.charge = charge(bill, retried(self.dialect).2);
        }
        let mut case =
            self.stream("retried at another channel, caller gone mid-stream", acts, caller, expect);
        case.ask = self.dialect.ask(&format!("{}-retry", model(self.dialect)), true);
        (case.before, case.attempts) = (vec![Behaviour::ResetBeforeHeaders], 2);
        case
    }

    fn wholes(&self) -> Vec<Case> {
        let body = self.dialect.whole();
        let head = Act::Write(self.dialect.head(Some(body.len())));
        let text = pieces().concat();
        let at =
            body.windows(text.len()).position(|window| window == text.as_bytes()).unwrap() + text.len() + 1;
        let (until, after) = (body[..at].to_vec(), body[at..].to_vec());
        let before = if self.policy == Policy::Reported { REPORTED } else { NONE };
        let cut = delivered(None, pieces().len());
        vec![
            self.whole(
                "whole answer, caller gone before the first byte",
                vec![Act::Gate, head.clone(), Act::Write(body)],
                Caller::Leaves(0),
                aborted("caller_gone", before, self.policy),
            ),
            self.whole(
                "whole answer, caller gone mid-body",
                vec![head.clone(), Act::Write(until.clone()), Act::Gate, Act::Write(after)],
                Caller::Leaves(at),
                aborted("caller_gone", left(None, pieces().len(), self.policy), self.policy),
            ),
            self.whole(
                "whole answer, cut mid-body",
                vec![head, Act::Write(until), Act::Close],
                Caller::Stays,
                aborted("upstream_cut", cut, self.policy),
            ),
        ]
    }
}

fn end() -> Act {
    Act::Write(b"0\r\n\r\n".to_vec())
}

/// All of a dialect's.
pub(crate) fn cases(dialect: Dialect, policy: Policy) -> Vec<Case> {
    let bench = Bench { dialect, policy };
    [bench.callers(), bench.providers(), bench.endings(), vec![bench.retry()], bench.wholes()]
        .into_iter()
        .flatten()
        .collect()
}
