//! The last quarter of an hour, second by second.

use burncloud_core::store::Outcome;
use burncloud_core::{Attempt, ChannelId, End, Receipt, ReceiptId, UnixMicros, spent_tokens};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

/// Seconds that a curve shows.
pub(super) const SECONDS: i64 = 900;
/// Seconds of one point of it.
pub(super) const BUCKET: i64 = 5;
/// Seconds that are kept: those of the curve, and of the point that is not complete.
const KEPT: i64 = SECONDS + 2 * BUCKET;
/// Seconds of which "now" is the mean.
const NOW: i64 = 10;
/// Outcomes that are kept of each channel.
const OUTCOMES: usize = 30;
/// Receipts that are kept.
const NEWEST: usize = 200;

/// How things go, as far as the house sees: of everybody.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pulse {
    /// When this was so.
    pub at: UnixMicros,
    /// Tokens per second, in and out, of the last 15 minutes: 180 means over 5 seconds each, the oldest first. A request
    /// counts when it ends.
    pub tokens_per_second: Vec<u32>,
    /// Tokens per second, over the last ten.
    pub now_tokens: u32,
    /// Requests per second, over the last ten.
    pub now_requests: f32,
    /// Requests that ended in the last 15 minutes, and
    pub requests: u64,
    /// of them those that were answered,
    pub answered: u64,
    /// those that were refused,
    pub refused: u64,
    /// and those that failed.
    pub failed: u64,
    /// Of each channel that was asked whether its last attempts went well: 30 at most, the oldest first.
    pub by_channel: BTreeMap<ChannelId, Vec<bool>>,
    /// The newest receipts, the newest first: 200 at most.
    pub newest: Vec<Arc<Receipt>>,
}

#[derive(Clone, Copy, Default)]
struct Second {
    tokens: u64,
    answered: u32,
    refused: u32,
    failed: u32,
}

impl Second {
    fn requests(&self) -> u64 {
        u64::from(self.answered) + u64::from(self.refused) + u64::from(self.failed)
    }
}

/// What a [`Pulse`] is made of.
pub(super) struct Ring {
    /// By their number since the epoch, modulo how many there are.
    seconds: Vec<Second>,
    /// The newest that is kept.
    head: i64,
    channels: BTreeMap<ChannelId, VecDeque<bool>>,
    newest: BTreeSet<Newest>,
    /// What was read from the store: the feed may tell of it too.
    known: HashSet<ReceiptId>,
}

/// A receipt by its place in time.
struct Newest(Arc<Receipt>);

impl PartialEq for Newest {
    fn eq(&self, other: &Newest) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Newest {}

impl PartialOrd for Newest {
    fn partial_cmp(&self, other: &Newest) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Newest {
    fn cmp(&self, other: &Newest) -> std::cmp::Ordering {
        self.0.id.cmp(&other.0.id)
    }
}

/// Whether an attempt went well; `None` where the caller did not wait for it. An answer that broke off did not.
fn went_well(receipt: &Receipt, attempt: &Attempt, last: bool) -> Option<bool> {
    let broke_off = matches!(receipt.end, End::UpstreamCut | End::TimedOut | End::UpstreamError);
    if attempt.failed() || (last && broke_off) {
        return Some(false);
    }
    attempt.status.map(|_| true)
}

impl Ring {
    pub(super) fn new(now: UnixMicros) -> Ring {
        Ring {
            seconds: vec![Second::default(); KEPT as usize],
            head: now.0.div_euclid(1_000_000),
            channels: BTreeMap::new(),
            newest: BTreeSet::new(),
            known: HashSet::new(),
        }
    }

    fn second(&mut self, number: i64) -> &mut Second {
        &mut self.seconds[number.rem_euclid(KEPT) as usize]
    }

    /// Forgets the seconds that are over by now.
    pub(super) fn turn(&mut self, now: UnixMicros) {
        let now = now.0.div_euclid(1_000_000);
        for number in (self.head + 1).max(now - KEPT + 1)..=now {
            *self.second(number) = Second::default();
        }
        self.head = self.head.max(now);
    }

    /// Forgets which receipts were read from the store.
    pub(super) fn forget_known(&mut self) {
        self.known = HashSet::new();
    }

    /// Adds receipts that were read from the store; the feed may tell of them too.
    pub(super) fn fill(&mut self, receipts: impl Iterator<Item = Receipt>) {
        for receipt in receipts {
            let receipt = Arc::new(receipt);
            self.add(&receipt);
            self.known.insert(receipt.id);
        }
    }

    pub(super) fn add(&mut self, receipt: &Arc<Receipt>) {
        if self.known.contains(&receipt.id) {
            return;
        }
        let took = i64::try_from(receipt.took_us).unwrap_or(i64::MAX);
        // Clocks differ, if receipts come from other machines: what ends in the future ends now.
        let ended = receipt.at.0.saturating_add(took).div_euclid(1_000_000).min(self.head);
        if ended > self.head - KEPT {
            let tokens = spent_tokens(receipt.operation, &receipt.usage);
            let second = self.second(ended);
            second.tokens = second.tokens.saturating_add(tokens);
            let count = match Outcome::of(receipt) {
                Outcome::Answered => &mut second.answered,
                Outcome::Refused => &mut second.refused,
                Outcome::Failed => &mut second.failed,
            };
            *count += 1;
        }
        for (n, attempt) in receipt.attempts.iter().enumerate() {
            let last = n + 1 == receipt.attempts.len();
            if let Some(well) = went_well(receipt, attempt, last) {
                let outcomes = self.channels.entry(attempt.channel).or_default();
                outcomes.push_back(well);
                if outcomes.len() > OUTCOMES {
                    outcomes.pop_front();
                }
            }
        }
        self.newest.insert(Newest(receipt.clone()));
        if self.newest.len() > NEWEST {
            self.newest.pop_first();
        }
    }

    fn kept(&self, number: i64) -> Second {
        self.seconds[number.rem_euclid(KEPT) as usize]
    }

    pub(super) fn pulse(&self, at: UnixMicros) -> Pulse {
        let tokens = |from: i64, seconds: i64| {
            let sum = (from..from + seconds).fold(0_u64, |sum, n| sum.saturating_add(self.kept(n).tokens));
            u32::try_from(sum / seconds.unsigned_abs()).unwrap_or(u32::MAX)
        };
        // The point, and the second, that is not over yet would always be too low.
        let end = self.head.div_euclid(BUCKET) * BUCKET;
        let points = (0..SECONDS / BUCKET).map(|n| tokens(end - SECONDS + n * BUCKET, BUCKET));
        let recent = (self.head - NOW..self.head).map(|n| self.kept(n).requests()).sum::<u64>();
        let all: Vec<Second> = (self.head - SECONDS + 1..=self.head).map(|n| self.kept(n)).collect();
        let sum = |of: fn(&Second) -> u32| all.iter().map(|second| u64::from(of(second))).sum();
        Pulse {
            at,
            tokens_per_second: points.collect(),
            now_tokens: tokens(self.head - NOW, NOW),
            now_requests: recent as f32 / NOW as f32,
            requests: all.iter().map(Second::requests).sum(),
            answered: sum(|second| second.answered),
            refused: sum(|second| second.refused),
            failed: sum(|second| second.failed),
            by_channel: self.channels.iter().map(|(id, all)| (*id, all.iter().copied().collect())).collect(),
            newest: self.newest.iter().rev().map(|newest| newest.0.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::testing::receipt;
    use burncloud_core::{Operation, Usage};

    const NOON: i64 = 1_800_000_000;

    fn at(second: i64) -> UnixMicros {
        UnixMicros(second * 1_000_000)
    }

    /// A request that ended in that second.
    fn ended(n: u64, second: i64, output: u64, end: End) -> Receipt {
        let usage = Usage { output, ..Usage::default() };
        let attempt = |channel, status| Attempt {
            channel: ChannelId(channel),
            status: Some(status),
            error: None,
            took_us: 1,
        };
        Receipt {
            at: UnixMicros(second * 1_000_000 - 2_500_000),
            took_us: 2_500_000,
            operation: Operation::Messages,
            attempts: vec![attempt(1, 503), attempt(2, 200)],
            status: 200,
            usage,
            end,
            ..receipt(n)
        }
    }

    #[test]
    fn seconds_pass_and_are_forgotten() {
        let mut ring = Ring::new(at(NOON));
        ring.add(&Arc::new(ended(1, NOON - 1, 50, End::Finished)));
        ring.add(&Arc::new(ended(2, NOON - 900, 5_000, End::Finished)));
        ring.add(&Arc::new(ended(3, NOON - 5_000, 7, End::Finished)));
        ring.add(&Arc::new(ended(4, NOON + 99, 10, End::UpstreamCut)));
        let pulse = ring.pulse(at(NOON));
        assert_eq!(pulse.tokens_per_second.len(), 180);
        assert_eq!((pulse.tokens_per_second[0], pulse.tokens_per_second[179]), (1_000, 10));
        assert_eq!((pulse.now_tokens, pulse.now_requests), (5, 0.1));
        assert_eq!((pulse.requests, pulse.answered, pulse.failed), (2, 1, 1));
        assert_eq!(pulse.newest.len(), 4, "the newest are kept however old they are");

        ring.turn(at(NOON + 5));
        let pulse = ring.pulse(at(NOON + 5));
        assert_eq!((pulse.tokens_per_second[178], pulse.tokens_per_second[179]), (10, 2));
        assert_eq!(pulse.tokens_per_second[..178], [0; 178]);
        ring.turn(at(NOON + 4_000));
        let pulse = ring.pulse(at(NOON + 4_000));
        assert_eq!((pulse.requests, pulse.now_tokens), (0, 0));
        assert!(pulse.tokens_per_second.iter().all(|tokens| *tokens == 0));
    }

    #[test]
    fn channels_are_known_by_their_last_attempts() {
        let mut ring = Ring::new(at(NOON));
        for n in 0..40 {
            let end = if n == 38 { End::UpstreamCut } else { End::Finished };
            ring.add(&Arc::new(ended(n, NOON, 1, end)));
        }
        let left = Attempt { channel: ChannelId(5), status: None, error: None, took_us: 1 };
        let left = Attempt { error: Some("the caller went away".into()), ..left };
        ring.add(&Arc::new(Receipt { attempts: vec![left], ..ended(41, NOON, 1, End::CallerGone) }));
        let pulse = ring.pulse(at(NOON));
        assert_eq!(pulse.by_channel[&ChannelId(1)], [false; 30]);
        let mut second = [true; 30];
        second[28] = false;
        assert_eq!(pulse.by_channel[&ChannelId(2)], second, "an answer that broke off did not go well");
        assert!(!pulse.by_channel.contains_key(&ChannelId(5)), "nobody's failure");
    }

    #[test]
    fn what_the_store_told_counts_once_and_the_newest_are_few() {
        let mut ring = Ring::new(at(NOON));
        ring.fill((0..250).map(|n| ended(n, NOON, 1, End::Finished)));
        for n in 240..260 {
            ring.add(&Arc::new(ended(n, NOON, 1, End::Finished)));
        }
        let pulse = ring.pulse(at(NOON));
        assert_eq!(pulse.requests, 260);
        let ids = pulse.newest.iter().map(|newest| newest.id);
        assert!(ids.eq((60..260).rev().map(|n| receipt(n).id)));
    }
}
