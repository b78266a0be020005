//! Which addresses are refused again and again: who guesses keys, or goes on with one that was switched off.
//!
//! Only a refusal touches this. What it holds is bounded: a thousand addresses, a few hundred bytes each; when there are
//! more, those with the fewest refusals make room, so that somebody who changes addresses drives out nobody who is busy.

use crate::{Error, ErrorKind, UnixMicros};
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Most addresses that are counted.
const MOST: usize = 1_000;
/// Most addresses that are shown.
const SHOWN: usize = 100;
/// Refusals are counted in slices of five minutes, an hour of them.
const SLICE_US: i64 = 300_000_000;
const SLICES: usize = 12;
/// Of so many, spread over all of them, the one with the fewest refusals makes room: to look at each would cost too much
/// under attack.
const LOOKED_AT: usize = 16;
const APART: usize = 61;

/// An address that was refused in the last hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Suspect {
    /// It; of IPv6 the first of its 64-bit network, which one machine has all of. Shown by [`Display`](fmt::Display) as such.
    pub address: IpAddr,
    /// How often without a key or with one that nobody knows: 401.
    pub unauthenticated: u64,
    /// How often with a key that may not be used, or not from there, or with a wrong signature: 403.
    pub forbidden: u64,
    /// When it was refused first, without an hour's pause since.
    pub first: UnixMicros,
    /// When it was refused last.
    pub last: UnixMicros,
}

impl Suspect {
    /// How often in all.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.unauthenticated + self.forbidden
    }
}

impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

/// Counts refusals (401, 403) by address over the last hour: of a thousand addresses at most, a few hundred bytes each. When
/// there are more, those with the fewest refusals make room. A request that is let in never touches it.
#[derive(Default)]
pub struct Suspects(Mutex<Inner>);

impl fmt::Debug for Suspects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Suspects")
    }
}

#[derive(Default)]
struct Inner {
    places: HashMap<IpAddr, usize>,
    entries: Vec<Entry>,
    hand: usize,
}

/// 401 and 403.
type Counts = [u32; 2];

#[derive(Clone, Copy)]
struct Entry {
    address: IpAddr,
    slices: [Counts; SLICES],
    /// The number of the newest slice since the epoch.
    newest: i64,
    first: UnixMicros,
    last: UnixMicros,
}

fn slice(at: UnixMicros) -> i64 {
    at.0.div_euclid(SLICE_US)
}

fn place(slice: i64) -> usize {
    usize::try_from(slice.rem_euclid(SLICES as i64)).unwrap_or_default()
}

impl Entry {
    fn new(address: IpAddr, at: UnixMicros) -> Entry {
        Entry { address, slices: [[0; 2]; SLICES], newest: slice(at), first: at, last: at }
    }

    /// Forgets what is older than an hour. A clock that was set back forgets nothing.
    fn turn(&mut self, at: UnixMicros) {
        let now = slice(at);
        let gone = now.saturating_sub(self.newest).clamp(0, SLICES as i64);
        for n in 0..gone {
            self.slices[place(now - n)] = [0; 2];
        }
        self.newest = self.newest.max(now);
        if gone == SLICES as i64 {
            self.first = at;
        }
    }

    fn counts(&self) -> [u64; 2] {
        [0, 1].map(|n| self.slices.iter().map(|counts| u64::from(counts[n])).sum())
    }

    fn all(&self) -> u64 {
        self.counts().iter().sum()
    }

    fn shown(mut self, at: UnixMicros) -> Suspect {
        self.turn(at);
        let [unauthenticated, forbidden] = self.counts();
        Suspect { address: self.address, unauthenticated, forbidden, first: self.first, last: self.last }
    }
}

impl Inner {
    /// The entry of an address; where all are taken, that of the least busy of a few.
    fn entry(&mut self, address: IpAddr, at: UnixMicros) -> &mut Entry {
        let place = match self.places.get(&address) {
            Some(place) => *place,
            None if self.entries.len() < MOST => {
                self.entries.push(Entry::new(address, at));
                self.entries.len() - 1
            }
            None => {
                let place = self.least(at);
                self.places.remove(&self.entries[place].address);
                self.entries[place] = Entry::new(address, at);
                place
            }
        };
        self.places.insert(address, place);
        &mut self.entries[place]
    }

    fn least(&mut self, at: UnixMicros) -> usize {
        let from = self.hand;
        self.hand = (self.hand + 1) % MOST;
        let places = (0..LOOKED_AT).map(|n| (from + n * APART) % MOST);
        let busy = |place: usize| {
            let mut entry = self.entries[place];
            entry.turn(at);
            (entry.all(), entry.last)
        };
        places.min_by_key(|place| busy(*place)).unwrap_or(from)
    }
}

/// One machine of IPv6 has a whole network of addresses to come from.
fn whole(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

impl Suspects {
    /// Counts a refusal, if the error is one.
    pub(super) fn note(&self, address: IpAddr, error: &Error) {
        self.note_at(address, error.kind(), UnixMicros::now());
    }

    fn note_at(&self, address: IpAddr, kind: ErrorKind, at: UnixMicros) {
        let which = match kind {
            ErrorKind::Unauthenticated => 0,
            ErrorKind::Forbidden => 1,
            _ => return,
        };
        let mut inner = self.0.lock();
        let entry = inner.entry(whole(address), at);
        entry.turn(at);
        entry.last = at;
        let count = &mut entry.slices[place(entry.newest)][which];
        *count = count.saturating_add(1);
    }

    /// The hundred addresses with the most refusals in the last hour (to five minutes), the busiest first.
    #[must_use]
    pub fn list(&self) -> Vec<Suspect> {
        self.list_at(UnixMicros::now())
    }

    fn list_at(&self, at: UnixMicros) -> Vec<Suspect> {
        let entries = self.0.lock().entries.clone();
        let mut all: Vec<Suspect> = entries.into_iter().map(|entry| entry.shown(at)).collect();
        all.retain(|suspect| suspect.refusals() > 0);
        all.sort_by_key(|suspect| (std::cmp::Reverse(suspect.refusals()), suspect.address));
        all.truncate(SHOWN);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;
    const NOW: i64 = 1_795_181_400_000_000;

    fn v4(n: usize) -> IpAddr {
        let [.., a, b, c] = n.to_be_bytes();
        IpAddr::from([10, a, b, c])
    }

    fn at(minutes: i64) -> UnixMicros {
        UnixMicros(NOW + minutes * MINUTE)
    }

    #[test]
    fn refusals_of_the_last_hour_count() {
        let suspects = Suspects::default();
        let note = |kind, minutes| suspects.note_at(v4(1), kind, at(minutes));
        note(ErrorKind::Unauthenticated, 0);
        note(ErrorKind::Unauthenticated, 1);
        note(ErrorKind::Forbidden, 30);
        note(ErrorKind::Unavailable, 31);
        note(ErrorKind::RateLimited, 31);
        let one = suspects.list_at(at(40))[0];
        assert_eq!((one.unauthenticated, one.forbidden, one.refusals()), (2, 1, 3));
        assert_eq!((one.first, one.last, one.to_string()), (at(0), at(30), "10.0.0.1".to_owned()));
        let later = suspects.list_at(at(70))[0];
        assert_eq!((later.unauthenticated, later.forbidden), (0, 1), "an hour ago is forgotten");
        assert_eq!(suspects.list_at(at(95)), [], "and so is the whole");
        note(ErrorKind::Forbidden, 200);
        note(ErrorKind::Forbidden, 190);
        let again = suspects.list_at(at(200))[0];
        assert_eq!((again.refusals(), again.first), (2, at(200)), "a clock that is set back loses nothing");
    }

    #[test]
    fn a_network_of_ipv6_is_one_and_a_mapped_address_is_the_one_it_maps() {
        let suspects = Suspects::default();
        for text in ["2001:db8:0:7::1", "2001:db8:0:7:ffff::2", "::ffff:192.0.2.7", "192.0.2.7"] {
            suspects.note_at(text.parse().unwrap(), ErrorKind::Forbidden, at(0));
        }
        let shown = suspects.list_at(at(0)).into_iter().map(|one| (one.to_string(), one.refusals()));
        let shown: Vec<_> = shown.collect();
        assert_eq!(shown, [("192.0.2.7".to_owned(), 2), ("2001:db8:0:7::/64".to_owned(), 2)]);
    }

    #[test]
    fn memory_is_bounded_and_the_busiest_stay() {
        let suspects = Suspects::default();
        for n in 0..150 {
            (0..200 - n).for_each(|_| suspects.note_at(v4(n), ErrorKind::Unauthenticated, at(0)));
        }
        for n in 1_000..50_000 {
            suspects.note_at(v4(n), ErrorKind::Unauthenticated, at(1));
        }
        let shown = suspects.list_at(at(1));
        assert_eq!(shown.len(), SHOWN);
        assert!(shown.iter().enumerate().all(|(n, one)| one.address == v4(n)), "the busiest, in order");
        let inner = suspects.0.lock();
        assert_eq!((inner.entries.len(), inner.places.len()), (MOST, MOST));
        assert!(inner.places.iter().all(|(address, place)| inner.entries[*place].address == *address));
    }
}
