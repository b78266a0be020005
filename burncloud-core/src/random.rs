//! Fast random numbers for identifiers and weighted choice. Not for secrets.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};

/// Sixty-four random bits (wyrand, seeded per thread from the operating system by way of `RandomState`).
pub(crate) fn u64() -> u64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().build_hasher().finish());
    }
    STATE.with(|state| {
        let next = state.get().wrapping_add(0xa076_1d64_78bd_642f);
        state.set(next);
        let wide = u128::from(next) * u128::from(next ^ 0xe703_7ed1_a0b4_28db);
        ((wide >> 64) as u64) ^ (wide as u64)
    })
}
