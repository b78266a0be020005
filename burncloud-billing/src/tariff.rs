//! What an answer costs at each level of a caller's path: what the user pays their tenant, what each tenant pays its
//! parent, and what the provider takes from the house.
//!
//! Those prices are made once for each lane and each *class* of callers (those with the same tenants above them and the
//! same groups), and kept in the lane's slot until the book changes or the next price of it begins to hold.

use crate::book::PriceBook;
use crate::ladder::{Levels, Offer};
use crate::rates::Rates;
use arc_swap::ArcSwap;
use burncloud_core::routing::Lane;
use burncloud_core::{Caller, LineKind, Nano, Route, TenantId, UnixMicros};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

/// Amounts of one request by level: the user's, and those of the tenants with a parent, from the user's own upwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    pub(crate) user: Nano,
    pub(crate) tenants: Vec<Nano>,
}

impl Amounts {
    /// The larger one at each level.
    pub(crate) fn max(mut self, other: &Amounts) -> Amounts {
        self.user = self.user.max(other.user);
        let levels = self.tenants.len().max(other.tenants.len());
        self.tenants.resize(levels, Nano::ZERO);
        self.tenants.iter_mut().zip(&other.tenants).for_each(|(a, b)| *a = (*a).max(*b));
        self
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.user == Nano::ZERO && self.tenants.iter().all(|amount| *amount == Nano::ZERO)
    }
}

/// The rates at each level for one model on one lane.
#[derive(Debug, Default)]
pub(crate) struct Ladder {
    /// What the user pays; `None` where the model has no price.
    pub(crate) user: Option<Arc<Rates>>,
    /// What each tenant with a parent pays that parent, from the user's own upwards.
    pub(crate) tenants: Vec<Arc<Rates>>,
    /// What the provider takes, where that is known.
    pub(crate) cost: Option<Arc<Rates>>,
    /// How many tokens go in and out together, where that is known.
    pub(crate) window: Option<u64>,
    /// Of the book.
    pub(crate) version: u64,
    /// Whether the model has no price, and what was declared for that case applies.
    pub(crate) unpriced: bool,
    /// Which class is sold below its cost, and by whom (`None` is the house).
    pub(crate) loss: Option<(Option<TenantId>, LineKind)>,
    /// Whether that was said already.
    pub(crate) warned: AtomicBool,
    from: UnixMicros,
    until: UnixMicros,
}

impl Ladder {
    pub(crate) fn new(levels: Levels, version: u64, (from, until): (UnixMicros, UnixMicros)) -> Ladder {
        let Levels { mut levels, cost, window, unpriced, loss } = levels;
        let user = levels.pop().map(|level| level.rates);
        let tenants = levels.into_iter().rev().filter(|level| level.leg).map(|level| level.rates).collect();
        let warned = AtomicBool::new(false);
        Ladder { user, tenants, cost, window, version, unpriced, loss, warned, from, until }
    }

    fn holds(&self, at: UnixMicros) -> bool {
        self.from <= at && at < self.until
    }
}

// === Classes ===

/// All callers for whom every price is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Class(u32);

#[derive(PartialEq, Eq, Hash)]
struct ClassKey {
    /// Upwards, with their groups, and whether they have a parent.
    tenants: Vec<(TenantId, Option<String>, bool)>,
    user: Option<String>,
    key: Option<String>,
}

impl Class {
    /// The class of a caller. Takes a lock and allocates: it is found once for each [`Caller`]. As many are kept as there
    /// are tenants times the groups in use, for the life of the process, as accounts are.
    pub(crate) fn of(caller: &Caller) -> Class {
        static KNOWN: LazyLock<Mutex<HashMap<ClassKey, Class>>> = LazyLock::new(Mutex::default);
        let tenants = caller.tenants().map(|t| (t.id, t.group.clone(), t.parent.is_some())).collect();
        let key = ClassKey { tenants, user: caller.user.group.clone(), key: caller.key.group.clone() };
        let mut known = KNOWN.lock();
        let next = Class(u32::try_from(known.len()).unwrap_or(u32::MAX));
        *known.entry(key).or_insert(next)
    }
}

/// Spreads the few numbers of classes over a table.
#[derive(Default)]
pub(crate) struct ClassHasher(u64);

impl Hasher for ClassHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, n: u32) {
        self.0 = (self.0 ^ u64::from(n)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

// === What a lane's slot holds ===

/// Ladders that are kept for one lane; when there are more, it begins anew.
const SHELF: usize = 1024;

#[derive(Default)]
struct Cell(ArcSwap<Shelf>);

#[derive(Clone, Default)]
struct Shelf {
    /// Of the book they were made from; 0 is none.
    generation: u64,
    ladders: HashMap<Class, Arc<Ladder>, BuildHasherDefault<ClassHasher>>,
}

impl PriceBook {
    /// What `caller`, who is of that class, and those above pay for `route`'s model when `lane` serves it.
    pub(crate) fn ladder<R>(
        &self,
        caller: (&Caller, Class),
        route: &Route,
        lane: &Lane,
        at: UnixMicros,
        of: impl FnOnce(&Ladder) -> R,
    ) -> R {
        let Some(cell) = lane.billing_slot.get_or_init(|| Arc::new(Cell::default())) else {
            return of(&self.make_ladder(caller.0, route, lane, at));
        };
        let shelf = cell.0.load();
        if shelf.generation == self.generation()
            && let Some(ladder) = shelf.ladders.get(&caller.1)
            && ladder.holds(at)
        {
            return of(ladder);
        }
        drop(shelf);
        of(&self.put_on_shelf(cell, caller, route, lane, at))
    }

    /// Kept unless a later one is there: requests that arrived before a price changed are the few.
    #[cold]
    fn put_on_shelf(
        &self,
        cell: &Cell,
        (caller, class): (&Caller, Class),
        route: &Route,
        lane: &Lane,
        at: UnixMicros,
    ) -> Arc<Ladder> {
        // Read before the book itself, so that a book that changes meanwhile leaves this out of date, not wrong.
        let generation = self.generation();
        let made = Arc::new(self.make_ladder(caller, route, lane, at));
        cell.0.rcu(|old| {
            if old.generation == generation && old.ladders.len() < SHELF {
                let mut shelf = Shelf::clone(old);
                if shelf
                    .ladders
                    .get(&class)
                    .is_none_or(|kept| kept.from < made.from || kept.until <= made.from)
                {
                    shelf.ladders.insert(class, made.clone());
                }
                return Arc::new(shelf);
            }
            let mut shelf = Shelf { generation, ..Shelf::default() };
            shelf.ladders.insert(class, made.clone());
            Arc::new(shelf)
        });
        made
    }

    fn make_ladder(&self, caller: &Caller, route: &Route, lane: &Lane, at: UnixMicros) -> Ladder {
        let offers = route.lanes.iter().filter(|other| !std::ptr::eq(&***other, lane));
        let others: Vec<Offer<'_>> = offers.map(|lane| Offer::of(route, lane)).collect();
        self.with_mint(at, |mint| {
            let levels = mint.levels(caller, &Offer::of(route, lane), &others);
            Ladder::new(levels, mint.snapshot.version, mint.snapshot.holds(at))
        })
    }
}
