//! Small things that every writer needs.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
pub(crate) fn now_seconds() -> i64 {
    #[cfg(test)]
    if fixed::next().is_some() {
        return 1;
    }
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}

/// A new id: the prefix and 24 random letters and digits.
pub(crate) fn new_id(prefix: &str) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = [0_u8; 24];
    // Without randomness ids only collide, which no caller is harmed by within one answer.
    let _ = getrandom::fill(&mut random);
    #[cfg(test)]
    if let Some(number) = fixed::next() {
        random = [number; 24];
    }
    let mut id = String::with_capacity(prefix.len() + random.len());
    id.push_str(prefix);
    id.extend(random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])));
    id
}

/// A provider's id in the caller's form: with the prefix that the caller's dialect gives its ids.
pub(crate) fn prefixed_id(prefix: &str, id: Option<&str>) -> String {
    match id {
        Some(id) if id.starts_with(prefix) => id.to_owned(),
        Some(id) if !id.is_empty() => format!("{prefix}{id}"),
        _ => new_id(prefix),
    }
}

/// Ids and times that are the same in every run, so that a test may compare what is written byte for byte.
#[cfg(test)]
pub(super) mod fixed {
    use std::cell::Cell;

    std::thread_local! {
        static NEXT: Cell<Option<u8>> = const { Cell::new(None) };
    }

    /// From here on, in this thread.
    pub(in crate::translate) fn start() {
        NEXT.set(Some(0));
    }

    pub(super) fn next() -> Option<u8> {
        let number = NEXT.get()?;
        NEXT.set(Some(number.wrapping_add(1)));
        Some(number)
    }
}
