//! A model of how money is held, settled, written down, shipped and recovered, explored to its end (`stateright`).
//!
//! Three requests share a wallet. Holds, settlements, commits of the journal, the two steps of shipping and crashes (which
//! keep any part of what was not committed) come in every order. The accounts' own compare-and-swaps are explored on the
//! real code, in `accounts::model`; here each is one step.

use stateright::{Checker, HasDiscoveries, Model, Property};
use std::collections::BTreeMap;

const WALLET: i8 = 10;
/// What is held for each request, and what each may turn out to cost.
const HELD: [i8; 3] = [6, 4, 3];
const COSTS: [[i8; 2]; 3] = [[2, 6], [0, 9], [3, 1]];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Request {
    New,
    /// Looked at the wallet and saw room (in the broken model alone).
    Looked,
    Held,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Record {
    Admit(usize),
    Settle(usize, i8),
    Shipped(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    requests: [Request; 3],
    committed: i8,
    spent: i8,
    pending: Vec<Record>,
    durable: Vec<Record>,
    /// How much of the journal is shipped, and up to where the store has recorded it.
    shipped: usize,
    recorded_to: Option<usize>,
    /// The store: receipts, how often each was taken, and what they come to.
    store: BTreeMap<usize, (i8, u8)>,
    used: i8,
    crashes: u8,
    /// Whether this process serves before it has shipped what the one before left.
    served_first: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Look(usize),
    Hold(usize),
    Settle(usize, i8),
    Commit,
    Record,
    Mark,
    /// So many of the pending records reached the disk. The next process ships first, or serves first.
    Crash {
        kept: usize,
        ships_first: bool,
    },
}

/// The protocol, and what can be broken in it to see that the model would tell.
#[derive(Clone, Default)]
struct Protocol {
    looks_then_holds: bool,
    store_takes_twice: bool,
    marks_before_recording: bool,
    forgets_unshipped: bool,
}

fn settles(records: &[Record]) -> impl Iterator<Item = (usize, usize, i8)> + '_ {
    records.iter().enumerate().filter_map(|(at, record)| match record {
        Record::Settle(id, charge) => Some((at, *id, *charge)),
        _ => None,
    })
}

impl State {
    fn hold(&mut self, id: usize, checked: bool) {
        if checked || self.committed + HELD[id] <= WALLET {
            self.committed += HELD[id];
            self.requests[id] = Request::Held;
            self.pending.push(Record::Admit(id));
        } else {
            self.requests[id] = Request::Ended;
        }
    }

    fn settle(&mut self, id: usize, cost: i8) {
        let others = self.committed - HELD[id];
        let charge = cost.min((WALLET - others).max(0));
        self.committed = others + charge;
        self.spent += charge;
        self.requests[id] = Request::Ended;
        self.pending.push(Record::Settle(id, charge));
    }

    fn next_to_ship(&self) -> Option<(usize, usize, i8)> {
        settles(&self.durable).find(|(at, ..)| *at >= self.shipped)
    }

    fn record(&mut self, id: usize, charge: i8, twice: bool) {
        let times = self.store.get(&id).map_or(0, |(_, times)| *times);
        if times == 0 || twice {
            self.store.insert(id, (charge, times + 1));
            self.used += charge;
        }
    }

    fn crash(&mut self, kept: usize, ships_first: bool, broken: &Protocol) {
        self.pending.truncate(kept);
        self.durable.append(&mut self.pending);
        self.requests
            .iter_mut()
            .filter(|r| matches!(r, Request::Held | Request::Looked))
            .for_each(|r| *r = Request::Ended);
        let marks =
            self.durable.iter().filter_map(|r| if let Record::Shipped(to) = r { Some(*to) } else { None });
        (self.shipped, self.recorded_to) = (marks.max().unwrap_or(0), None);
        let ended: Vec<usize> = settles(&self.durable).map(|(_, id, _)| id).collect();
        let orphan = |record: &Record| match record {
            Record::Admit(id) if !ended.contains(id) => Some(Record::Settle(*id, 0)),
            _ => None,
        };
        self.pending = self.durable.iter().filter_map(orphan).collect();
        if ships_first {
            self.durable.append(&mut self.pending);
            while let Some((at, id, charge)) = self.next_to_ship() {
                self.record(id, charge, broken.store_takes_twice);
                self.shipped = at + 1;
            }
            self.pending.push(Record::Shipped(self.shipped));
        }
        let unshipped =
            settles(&self.durable).filter(|(at, ..)| *at >= self.shipped).map(|(.., charge)| charge);
        let unshipped: i8 = if broken.forgets_unshipped { 0 } else { unshipped.sum() };
        self.spent = self.used + unshipped;
        self.committed = self.spent;
        self.crashes += 1;
        self.served_first = !ships_first;
    }

    /// Everything that was ever charged and is known anywhere, each request once.
    fn charged(&self) -> BTreeMap<usize, i8> {
        let journal =
            settles(&self.durable).chain(settles(&self.pending)).map(|(_, id, charge)| (id, charge));
        journal.chain(self.store.iter().map(|(id, (charge, _))| (*id, *charge))).collect()
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            requests: [Request::New; 3],
            committed: 0,
            spent: 0,
            pending: Vec::new(),
            durable: Vec::new(),
            shipped: 0,
            recorded_to: None,
            store: BTreeMap::new(),
            used: 0,
            crashes: 0,
            served_first: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        for (id, request) in state.requests.iter().enumerate() {
            match request {
                Request::New if self.looks_then_holds => actions.push(Step::Look(id)),
                Request::New | Request::Looked => actions.push(Step::Hold(id)),
                Request::Held => actions.extend(COSTS[id].map(|cost| Step::Settle(id, cost))),
                Request::Ended => {}
            }
        }
        if !state.pending.is_empty() {
            actions.push(Step::Commit);
        }
        match state.recorded_to {
            Some(_) => actions.push(Step::Mark),
            None if state.next_to_ship().is_some() => actions.push(Step::Record),
            None => {}
        }
        if state.crashes < 2 {
            for kept in 0..=state.pending.len() {
                actions.extend([true, false].map(|ships_first| Step::Crash { kept, ships_first }));
            }
        }
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut state = last.clone();
        match step {
            Step::Look(id) => {
                let room = state.committed + HELD[id] <= WALLET;
                state.requests[id] = if room { Request::Looked } else { Request::Ended };
            }
            Step::Hold(id) => state.hold(id, self.looks_then_holds),
            Step::Settle(id, cost) => state.settle(id, cost),
            Step::Commit => state.durable.append(&mut state.pending),
            Step::Record => {
                let (at, id, charge) = state.next_to_ship()?;
                if self.marks_before_recording {
                    (state.shipped, state.recorded_to) = (at + 1, Some(at + 1));
                    state.durable.push(Record::Shipped(at + 1));
                } else {
                    state.record(id, charge, self.store_takes_twice);
                    state.recorded_to = Some(at + 1);
                }
            }
            Step::Mark => {
                let to = state.recorded_to.take()?;
                if self.marks_before_recording {
                    let Record::Settle(id, charge) = state.durable[to - 1] else { return None };
                    state.record(id, charge, false);
                } else {
                    state.shipped = to;
                    state.pending.push(Record::Shipped(to));
                }
            }
            Step::Crash { kept, ships_first } => state.crash(kept, ships_first, self),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Protocol>> {
        vec![
            Property::always("no overdraft", |_, state: &State| {
                let charged: i8 = state.charged().values().sum();
                charged <= WALLET && state.used <= WALLET
            }),
            // A receipt that was recorded and not marked before a crash counts twice at a process that serves before it has
            // shipped: too much is withheld, never too little.
            Property::always("the count is exact", |_, state: &State| {
                state.served_first || state.spent == state.charged().values().sum::<i8>()
            }),
            Property::always("no more is held than there is", |_, state: &State| {
                state.served_first || state.committed <= WALLET
            }),
            Property::always("holds add up", |_, state: &State| {
                let held = state.requests.iter().zip(HELD).filter(|(request, _)| **request == Request::Held);
                state.committed == state.spent + held.map(|(_, held)| held).sum::<i8>()
            }),
            Property::always("nothing is forgotten", |_, state: &State| {
                state.spent >= state.charged().values().sum()
            }),
            Property::always("no lost settlement", |_, state: &State| {
                settles(&state.durable).all(|(at, id, charge)| {
                    at >= state.shipped || state.store.get(&id).is_some_and(|(kept, _)| *kept == charge)
                })
            }),
            Property::always("no double settlement", |_, state: &State| {
                let journal: Vec<usize> =
                    settles(&state.durable).chain(settles(&state.pending)).map(|(_, id, _)| id).collect();
                let once = |id: &usize| journal.iter().filter(|other| *other == id).count() == 1;
                let kept: i8 = state.store.values().map(|(charge, _)| *charge).sum();
                journal.iter().all(once)
                    && state.used == kept
                    && state.store.values().all(|(_, times)| *times == 1)
            }),
            Property::sometimes("all is recorded after two crashes", |_, state: &State| {
                state.crashes == 2 && state.store.len() == 3 && state.used > 0
            }),
            Property::sometimes("the wallet is spent to the last", |_, state: &State| state.used == WALLET),
        ]
    }
}

#[test]
fn the_protocol_loses_nothing_and_charges_nothing_twice() {
    let checker = Protocol::default().checker().threads(2).spawn_bfs().join();
    println!("states: {}, of which {} differ", checker.state_count(), checker.unique_state_count());
    checker.assert_properties();
    assert!(checker.is_done() && checker.unique_state_count() > 10_000);
}

#[test]
fn what_is_broken_in_the_protocol_is_found() {
    let found = |protocol: Protocol, property: &'static str| {
        let first = HasDiscoveries::AnyOf([property].into());
        let checker = protocol.checker().threads(2).finish_when(first).spawn_bfs().join();
        assert!(checker.discovery(property).is_some(), "{property}");
    };
    found(Protocol { looks_then_holds: true, ..Protocol::default() }, "no more is held than there is");
    found(Protocol { store_takes_twice: true, ..Protocol::default() }, "no double settlement");
    found(Protocol { marks_before_recording: true, ..Protocol::default() }, "no lost settlement");
    found(Protocol { forgets_unshipped: true, ..Protocol::default() }, "nothing is forgotten");
}
