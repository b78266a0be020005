//! What was spent of a budget in the current window, and what is held for requests under way.

use super::period::Window;
use burncloud_core::{Allowance, Period, Spent, UnixMicros};
use jiff::tz::TimeZone;
use parking_lot::Mutex;

/// A sum that no spending overflows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    money: i128,
    tokens: i128,
}

impl Sum {
    fn of(spent: Spent) -> Sum {
        Sum { money: spent.money.0.into(), tokens: spent.tokens.into() }
    }

    fn add(&mut self, more: Sum) {
        self.money += more.money;
        self.tokens += more.tokens;
    }

    fn take(&mut self, less: Sum) {
        self.money -= less.money;
        self.tokens -= less.tokens;
    }

    /// The part of it that an allowance is about, and the allowance.
    fn against(self, allowance: Allowance) -> (i128, i128) {
        match allowance {
            Allowance::Money(nano) => (self.money, nano.0.into()),
            Allowance::Tokens(tokens) => (self.tokens, tokens.into()),
        }
    }

    fn spent(self) -> Spent {
        let money = i64::try_from(self.money).unwrap_or(i64::MAX);
        Spent { money: burncloud_core::Nano(money), tokens: u64::try_from(self.tokens).unwrap_or(u64::MAX) }
    }
}

#[derive(Debug)]
struct State {
    window: Window,
    spent: Sum,
    held: Sum,
    /// Whether somebody was told that the allowance is used up, and that a request was refused.
    told: (bool, bool),
}

/// A hold at a counter: it belongs to the window it was made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    window: i64,
    amount: Spent,
}

/// Why a counter did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// When the budget begins anew.
    pub(crate) until: i64,
    /// The first refusal of its window.
    pub(crate) first: bool,
}

/// One budget's count. A budget of another size or severity goes on with the count there is.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) period: Period,
    pub(crate) zone: TimeZone,
    state: Mutex<State>,
}

impl Counter {
    pub(crate) fn new(period: Period, zone: TimeZone, at: UnixMicros) -> Counter {
        let window = Window::of(period, &zone, at);
        let state = State { window, spent: Sum::default(), held: Sum::default(), told: (false, false) };
        Counter { period, zone, state: Mutex::new(state) }
    }

    /// Begins anew if the time has come. It never goes back: a request that arrived before the current window began
    /// counts in the current one.
    fn roll(&self, state: &mut State, at: UnixMicros) {
        if at.0 >= state.window.end {
            let window = Window::of(self.period, &self.zone, at);
            *state = State { window, spent: Sum::default(), held: Sum::default(), told: (false, false) };
        }
    }

    /// Takes over what the store says was spent in the window that began at `since`, if that is more than is known here.
    pub(crate) fn take_over(&self, since: UnixMicros, stored: Spent) {
        let mut state = self.state.lock();
        self.roll(&mut state, since);
        if state.window.start == since.0 {
            let stored = Sum::of(stored);
            state.spent.money = state.spent.money.max(stored.money);
            state.spent.tokens = state.spent.tokens.max(stored.tokens);
        }
    }

    /// Checks and holds, in one step; without a `limit` it always holds.
    pub(crate) fn hold(
        &self,
        amount: Spent,
        limit: Option<Allowance>,
        at: UnixMicros,
    ) -> Result<Held, Refused> {
        let mut state = self.state.lock();
        self.roll(&mut state, at);
        let mut next = state.held;
        next.add(Sum::of(amount));
        if let Some(limit) = limit {
            let (held, _) = next.against(limit);
            let (spent, allowed) = state.spent.against(limit);
            let (more, _) = Sum::of(amount).against(limit);
            if more > 0 && held + spent > allowed {
                let first = !std::mem::replace(&mut state.told.1, true);
                return Err(Refused { until: state.window.end, first });
            }
        }
        state.held = next;
        Ok(Held { window: state.window.start, amount })
    }

    /// Puts what was spent in the place of a hold; nothing if the hold's window is over. Tells whether this is the first
    /// time in the window that `allowance` is used up.
    pub(crate) fn settle(&self, held: Held, spent: Spent, allowance: Allowance) -> bool {
        let mut state = self.state.lock();
        if state.window.start != held.window {
            return false;
        }
        state.held.take(Sum::of(held.amount));
        state.spent.add(Sum::of(spent));
        used_up(&mut state, allowance)
    }

    /// Takes a hold back.
    pub(crate) fn release(&self, held: Held) {
        let mut state = self.state.lock();
        if state.window.start == held.window {
            state.held.take(Sum::of(held.amount));
        }
    }

    /// Tells whether this is the first time in the window that `allowance` is used up.
    pub(crate) fn is_newly_used_up(&self, allowance: Allowance) -> bool {
        used_up(&mut self.state.lock(), allowance)
    }

    /// What was spent and what is held in the window of `at`, and when it ends.
    pub(crate) fn now(&self, at: UnixMicros) -> (Spent, Spent, Window) {
        let mut state = self.state.lock();
        self.roll(&mut state, at);
        (state.spent.spent(), state.held.spent(), state.window)
    }
}

fn used_up(state: &mut State, allowance: Allowance) -> bool {
    let (spent, allowed) = state.spent.against(allowance);
    spent >= allowed && !std::mem::replace(&mut state.told.0, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::Nano;

    const HOUR: i64 = 3_600_000_000;

    fn counter() -> Counter {
        Counter::new(Period::Hour, TimeZone::UTC, UnixMicros(0))
    }

    fn some(money: i64, tokens: u64) -> Spent {
        Spent { money: Nano(money), tokens }
    }

    const MONEY: Option<Allowance> = Some(Allowance::Money(Nano(100)));

    #[test]
    fn what_does_not_fit_is_not_held() {
        let counter = counter();
        let first = counter.hold(some(60, 5), MONEY, UnixMicros(1)).unwrap();
        assert_eq!(
            counter.hold(some(41, 0), MONEY, UnixMicros(2)),
            Err(Refused { until: HOUR, first: true })
        );
        assert_eq!(
            counter.hold(some(41, 0), MONEY, UnixMicros(2)),
            Err(Refused { until: HOUR, first: false })
        );
        let second = counter.hold(some(40, 0), MONEY, UnixMicros(3)).unwrap();
        assert!(!counter.settle(first, some(10, 3), Allowance::Money(Nano(100))));
        counter.release(second);
        assert_eq!(counter.now(UnixMicros(4)).0, some(10, 3));
        assert_eq!(counter.now(UnixMicros(4)).1, some(0, 0));
        let tokens = Some(Allowance::Tokens(4));
        assert!(
            counter.hold(some(1_000, 1), tokens, UnixMicros(5)).is_ok(),
            "tokens and no money are counted"
        );
        assert!(counter.hold(some(0, 1), tokens, UnixMicros(5)).is_err());
        assert!(
            counter.hold(some(9, 0), tokens, UnixMicros(5)).is_ok(),
            "what takes nothing is never refused"
        );
    }

    #[test]
    fn a_hold_belongs_to_its_window() {
        let counter = counter();
        let old = counter.hold(some(100, 0), MONEY, UnixMicros(1)).unwrap();
        let gone = counter.hold(some(0, 1), MONEY, UnixMicros(1)).unwrap();
        let new = counter.hold(some(70, 0), MONEY, UnixMicros(HOUR)).unwrap();
        assert!(!counter.settle(old, some(100, 0), Allowance::Money(Nano(100))));
        counter.release(gone);
        assert_eq!(counter.now(UnixMicros(HOUR)).0, some(0, 0), "the new window owes nothing");
        assert_eq!(counter.now(UnixMicros(HOUR)).1, some(70, 0));
        counter.settle(new, some(30, 0), Allowance::Money(Nano(100)));
        let late = counter.hold(some(71, 0), MONEY, UnixMicros(HOUR - 1));
        assert_eq!(
            late,
            Err(Refused { until: 2 * HOUR, first: true }),
            "a late one counts where the time is now"
        );
    }

    #[test]
    fn what_the_store_says_counts_if_it_is_more() {
        let counter = counter();
        let held = counter.hold(some(20, 2), MONEY, UnixMicros(1)).unwrap();
        counter.settle(held, some(20, 2), Allowance::Money(Nano(100)));
        counter.take_over(UnixMicros(0), some(5, 9));
        assert_eq!(counter.now(UnixMicros(2)).0, some(20, 9));
        counter.take_over(UnixMicros(0), some(50, 1));
        assert_eq!(counter.now(UnixMicros(2)).0, some(50, 9), "another process spent");
        assert_eq!(counter.now(UnixMicros(HOUR)).0, some(0, 0));
        counter.take_over(UnixMicros(0), some(70, 70));
        assert_eq!(counter.now(UnixMicros(HOUR)).0, some(0, 0), "of a window that is over");
        assert!(!counter.is_newly_used_up(Allowance::Money(Nano(1))));
        counter.take_over(UnixMicros(HOUR), some(1, 0));
        assert!(counter.is_newly_used_up(Allowance::Money(Nano(1))));
        assert!(!counter.is_newly_used_up(Allowance::Money(Nano(1))), "said once");
    }
}
