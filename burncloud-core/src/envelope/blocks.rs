//! Stepping over strings and nested values, 64 bytes at a time.
//!
//! Each block becomes four bit masks (quotes, backslashes, opening and closing brackets), one bit per byte.
//! Arithmetic on the masks then says which quotes are escaped and which bytes lie inside a string, with no
//! branch per byte. The comparison itself runs on the widest vectors that the processor has.

use std::mem;

use fearless_simd::{Level, dispatch, prelude::*, u8x64};

/// Deeper nesting is refused. No provider's parser comes near, and a bound keeps what is skipped finite.
pub(super) const MAX_DEPTH: u64 = 1_000_000;

/// Why a nested value could not be stepped over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unclosed {
    Truncated,
    TooDeep,
}

/// Finds the quote that ends the string whose first byte after the opening quote is at `from`.
pub(super) fn string_end(level: Level, body: &[u8], from: usize) -> Option<usize> {
    /// Keys and most values are short: a few words are cheaper than switching to vectors.
    const WORDS: usize = 4;
    let mut at = from;
    for word in body.get(from..)?.as_chunks::<8>().0.iter().take(WORDS) {
        let word = u64::from_le_bytes(*word);
        let hits = first_equal(word, b'"') | first_equal(word, b'\\');
        if hits != 0 {
            at += hits.trailing_zeros() as usize / 8;
            if body[at] == b'"' {
                return Some(at);
            }
            break;
        }
        at += 8;
    }
    let rest = &body[at..];
    dispatch!(level, simd => string_in(simd, rest)).map(|length| at + length)
}

/// Finds the end (exclusive) of the array or object whose first byte after the opening bracket is at `from`.
///
/// Kinds of brackets are not told apart: the provider does that.
pub(super) fn nest_end(level: Level, body: &[u8], from: usize) -> Result<usize, Unclosed> {
    let rest = &body[from..];
    dispatch!(level, simd => nest_in(simd, rest)).map(|length| from + length)
}

/// A word whose lowest set bit marks the first byte of `word` that equals `byte`; higher bits may err.
fn first_equal(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let difference = word ^ (LOW * u64::from(byte));
    difference.wrapping_sub(LOW) & !difference & (LOW << 7)
}

// Everything below is inlined into one function per instruction set, or the vectors would be passed through
// memory.

#[inline(always)]
fn string_in<S: Simd>(simd: S, text: &[u8]) -> Option<usize> {
    let mut escape = 0;
    let (blocks, rest) = text.as_chunks::<64>();
    for (index, block) in blocks.iter().enumerate() {
        if let Some(bit) = closing_quote(simd, block, &mut escape) {
            return Some(index * 64 + bit);
        }
    }
    closing_quote(simd, &padded(rest), &mut escape).map(|bit| blocks.len() * 64 + bit)
}

#[inline(always)]
fn closing_quote<S: Simd>(simd: S, block: &[u8; 64], escape: &mut u64) -> Option<usize> {
    let (quotes, backslashes) = string_masks(simd, block);
    let ends = quotes & !escaped(backslashes, escape);
    (ends != 0).then_some(ends.trailing_zeros() as usize)
}

#[inline(always)]
fn nest_in<S: Simd>(simd: S, text: &[u8]) -> Result<usize, Unclosed> {
    let mut nest = Nest { simd, escape: 0, inside: 0, depth: 1 };
    let (blocks, rest) = text.as_chunks::<64>();
    for (index, block) in blocks.iter().enumerate() {
        if let Some(bit) = nest.step(block) {
            return Ok(index * 64 + bit + 1);
        }
        if nest.depth > MAX_DEPTH {
            return Err(Unclosed::TooDeep);
        }
    }
    nest.step(&padded(rest)).map(|bit| blocks.len() * 64 + bit + 1).ok_or(Unclosed::Truncated)
}

/// What one block of a nested value leaves behind for the next.
struct Nest<S> {
    simd: S,
    /// 1 when the last byte was a backslash that escapes the next.
    escape: u64,
    /// All ones when the last byte was inside a string.
    inside: u64,
    /// Brackets that are open.
    depth: u64,
}

impl<S: Simd> Nest<S> {
    /// The bit of the bracket that closes the value, if it lies in `block`.
    #[inline(always)]
    fn step(&mut self, block: &[u8; 64]) -> Option<usize> {
        let (quotes, backslashes) = string_masks(self.simd, block);
        // The inside of a long string, such as an image: no bracket counts here.
        if quotes | backslashes == 0 && self.inside != 0 {
            self.escape = 0;
            return None;
        }
        let in_string = prefix_xor(quotes & !escaped(backslashes, &mut self.escape)) ^ self.inside;
        self.inside = 0_u64.wrapping_sub(in_string >> 63);
        let (open, close) = bracket_masks(self.simd, block);
        let (open, close) = (open & !in_string, close & !in_string);
        if u64::from(close.count_ones()) < self.depth {
            self.depth += u64::from(open.count_ones());
            self.depth -= u64::from(close.count_ones());
            return None;
        }
        match closing_bit(open, close, self.depth) {
            Ok(bit) => Some(bit),
            Err(depth) => {
                self.depth = depth;
                None
            }
        }
    }
}

/// The bit at which `depth` falls to zero, or the depth after the block.
#[inline(always)]
fn closing_bit(open: u64, close: u64, mut depth: u64) -> Result<usize, u64> {
    let mut brackets = open | close;
    while brackets != 0 {
        let bit = brackets.trailing_zeros();
        if open >> bit & 1 == 1 {
            depth += 1;
        } else if depth == 1 {
            return Ok(bit as usize);
        } else {
            depth -= 1;
        }
        brackets &= brackets - 1;
    }
    Err(depth)
}

/// The last block, filled up with spaces, which mean nothing outside a string and end none inside.
#[inline(always)]
fn padded(rest: &[u8]) -> [u8; 64] {
    let mut block = [b' '; 64];
    block[..rest.len()].copy_from_slice(rest);
    block
}

#[inline(always)]
fn string_masks<S: Simd>(simd: S, block: &[u8; 64]) -> (u64, u64) {
    let bytes = u8x64::from_slice(simd, block);
    (bytes.simd_eq(b'"').to_bitmask(), bytes.simd_eq(b'\\').to_bitmask())
}

/// `[` and `{` differ in one bit, and so do `]` and `}`; no other byte becomes one of them by setting it.
#[inline(always)]
fn bracket_masks<S: Simd>(simd: S, block: &[u8; 64]) -> (u64, u64) {
    let bytes = u8x64::from_slice(simd, block) | 0x20;
    (bytes.simd_eq(b'{').to_bitmask(), bytes.simd_eq(b'}').to_bitmask())
}

/// Each bit becomes the parity of itself and all lower bits: set from an opening quote up to its closing one.
#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// The bytes that follow an odd run of backslashes. `carry` is 1 when the first byte of the next block is one.
#[inline(always)]
fn escaped(backslashes: u64, carry: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    if backslashes == 0 {
        return mem::take(carry);
    }
    let starts = backslashes & !*carry;
    let follows = starts << 1 | *carry;
    // Adding a run's first bit to the run moves it past the run's end, whose parity then tells the length's.
    let odd_starts = starts & !EVEN & !follows;
    let (sum, overflow) = odd_starts.overflowing_add(starts);
    *carry = u64::from(overflow);
    (EVEN ^ (sum << 1)) & follows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn levels() -> Vec<Level> {
        let best = Level::new();
        #[cfg(target_arch = "x86_64")]
        return [
            best.as_sse2().map(Level::Sse2),
            best.as_sse4_2().map(Level::Sse4_2),
            best.as_avx2().map(Level::Avx2),
            Some(best),
        ]
        .into_iter()
        .flatten()
        .collect();
        #[cfg(not(target_arch = "x86_64"))]
        vec![best]
    }

    fn naive_string(text: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            match text.get(at)? {
                b'"' => return Some(at),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
    }

    fn naive_nest(text: &[u8]) -> Option<usize> {
        let (mut at, mut depth) = (0, 1);
        loop {
            match text.get(at)? {
                b'"' => at += 1 + naive_string(&text[at + 1..])?,
                // No JSON has a backslash out here; should there be one, it escapes all the same.
                b'\\' if matches!(text.get(at + 1), Some(b'"' | b'\\')) => at += 1,
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 1 => return Some(at + 1),
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            at += 1;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn every_instruction_set_agrees_with_a_byte_by_byte_walk(
            text in prop_oneof![
                "[\"\\\\\\[\\]{} a]{0,300}",
                "[\\\\a]{0,200}\"",
                "\"?[\"\\\\{}a-z]{0,20}[a-z]{60,200}[\"}\\]]{0,9}",
            ],
            from in 0_usize..9,
        ) {
            let text = text.as_bytes();
            let from = from.min(text.len());
            let string = naive_string(&text[from..]).map(|end| from + end);
            let nest = naive_nest(&text[from..]).map(|end| from + end);
            for level in levels() {
                prop_assert_eq!(string_end(level, text, from), string);
                prop_assert_eq!(nest_end(level, text, from), nest.ok_or(Unclosed::Truncated));
            }
        }
    }

    #[test]
    fn depth_is_bounded() {
        let level = Level::new();
        let deep = vec![b'['; 3 * MAX_DEPTH as usize];
        assert_eq!(nest_end(level, &deep, 0), Err(Unclosed::TooDeep));
        assert_eq!(nest_end(level, &deep[..1000], 0), Err(Unclosed::Truncated));
    }
}
