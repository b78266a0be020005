//! Every format into every other: recorded traffic, and anything.

mod answers;
mod anything;
mod essence;
mod requests;

use super::test_kit::{Recording, recordings};
use super::{Format, Profile};

/// A recorded exchange, and the format it is in.
struct Exchange {
    from: Format,
    recording: Recording,
}

impl Exchange {
    fn name(&self) -> String {
        format!("{}/{}", self.recording.provider, self.recording.name)
    }

    fn profile(&self) -> Profile {
        super::said::profile_of(&self.recording.provider)
    }
}

/// What was recorded of these formats and succeeded. Gemini's streams as lists are left out: only a caller's path asks
/// for such, and providers are always asked for events.
fn exchanges() -> Vec<Exchange> {
    let apis: [(Format, &[&str]); 6] = [
        (Format::Chat, &["chat"]),
        (Format::Responses, &["responses"]),
        (Format::Messages, &["messages", "rawPredict", "streamRawPredict"]),
        (Format::Gemini, &["generateContent", "streamGenerateContent"]),
        (Format::Cohere, &["cohere-chat"]),
        (Format::Converse, &["converse", "converse-stream"]),
    ];
    let of = |(from, apis): (Format, &[&str])| {
        recordings(&[], apis).into_iter().map(move |recording| Exchange { from, recording })
    };
    let list = |it: &Exchange| it.recording.streamed && it.recording.response.starts_with(b"[");
    apis.into_iter().flat_map(of).filter(|it| it.recording.status == 200 && !list(it)).collect()
}

/// Counts by what they are of, for what a test prints.
struct Tally(std::collections::BTreeMap<String, usize>);

impl Tally {
    const fn new() -> Tally {
        Tally(std::collections::BTreeMap::new())
    }

    fn add(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    fn show(&self, title: &str) {
        println!("== {title}: {}", self.0.values().sum::<usize>());
        self.0.iter().for_each(|(what, count)| println!("{count:6} {what}"));
    }
}
