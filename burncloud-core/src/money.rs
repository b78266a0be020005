//! Money: integer nano-dollars, never a float.
//!
//! One US dollar is 1 000 000 000 nano-dollars, so an `i64` holds about nine billion dollars. Prices are
//! nano-dollars per *million* units; products are taken in `i128` and rounded once, half up.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Nano-dollars in one dollar.
pub const NANOS_PER_DOLLAR: i64 = 1_000_000_000;

/// An amount of money in nano-dollars (10⁻⁹ USD).
///
/// ```
/// use burncloud_core::Nano;
/// let ten: Nano = "10.00".parse().unwrap();
/// assert_eq!(ten, Nano(10_000_000_000));
/// assert_eq!(ten.to_string(), "10.00");
/// // 1 234 tokens at 0.15 dollars a million
/// assert_eq!(Nano(150_000_000).for_units(1_234), Nano(185_100));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nano(pub i64);

impl Nano {
    /// Nothing.
    pub const ZERO: Nano = Nano(0);
    /// The largest amount that can be held.
    pub const MAX: Nano = Nano(i64::MAX);

    /// `self` is a price per million units: what `units` of them cost, rounded half up, saturating.
    #[must_use]
    pub fn for_units(self, units: u64) -> Nano {
        // A division of 128 bits is a call of some 30 ns; nearly every product fits into 64.
        let small =
            i64::try_from(units).ok().and_then(|units| self.0.checked_mul(units)?.checked_add(500_000));
        if let Some(product) = small {
            return Nano(product.div_euclid(1_000_000));
        }
        let exact = i128::from(self.0) * i128::from(units);
        let rounded = (exact + 500_000).div_euclid(1_000_000);
        Nano(i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX }))
    }

    /// The sum, saturating at the ends of the range.
    #[must_use]
    pub fn plus(self, other: Nano) -> Nano {
        Nano(self.0.saturating_add(other.0))
    }

    /// The difference, saturating at the ends of the range.
    #[must_use]
    pub fn minus(self, other: Nano) -> Nano {
        Nano(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Nano {
    /// Dollars with at least two and at most nine decimals: `0.00018510`-style values keep every digit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let abs = self.0.unsigned_abs();
        let (whole, rest) = (abs / NANOS_PER_DOLLAR as u64, abs % NANOS_PER_DOLLAR as u64);
        let digits = format!("{rest:09}");
        let kept = digits.trim_end_matches('0').len().max(2);
        write!(f, "{sign}{whole}.{}", &digits[..kept])
    }
}

impl fmt::Debug for Nano {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${self}")
    }
}

/// An amount that is not a plain decimal number of dollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseNanoError(&'static str);

impl fmt::Display for ParseNanoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ParseNanoError {}

impl std::str::FromStr for Nano {
    type Err = ParseNanoError;

    /// Parses dollars such as `10`, `10.00`, `-0.000000001`. No exponent, no separator, at most nine decimals.
    fn from_str(text: &str) -> Result<Nano, ParseNanoError> {
        const SHAPE: ParseNanoError = ParseNanoError("write an amount in dollars such as \"10.00\"");
        let (sign, body) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let (whole, rest) = body.split_once('.').unwrap_or((body, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(rest) || (body.contains('.') && rest.is_empty()) {
            return Err(SHAPE);
        }
        if rest.len() > 9 {
            return Err(ParseNanoError("an amount has at most nine decimals (nano-dollars)"));
        }
        let too_big = || ParseNanoError("an amount is at most 9 223 372 036 dollars");
        let whole: i64 = whole.parse().map_err(|_| too_big())?;
        let nanos: i64 = format!("{rest:0<9}").parse().map_err(|_| SHAPE)?;
        let total =
            whole.checked_mul(NANOS_PER_DOLLAR).and_then(|w| w.checked_add(nanos)).ok_or_else(too_big)?;
        Ok(Nano(sign * total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounds_half_up_once() {
        assert_eq!(Nano(1).for_units(499_999), Nano(0));
        assert_eq!(Nano(1).for_units(500_000), Nano(1));
        assert_eq!(Nano(i64::MAX).for_units(u64::MAX), Nano::MAX);
    }

    #[test]
    fn refuses_what_is_not_an_amount() {
        for text in ["", "-", ".5", "5.", "1e3", "1,000", "+1", "1.0000000001", "99999999999", "NaN", " 1"] {
            assert!(text.parse::<Nano>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn both_ways_of_rounding_agree(price in i64::MIN..i64::MAX, units in 0u64..u64::MAX) {
            let exact = i128::from(price) * i128::from(units);
            let wide = (exact + 500_000).div_euclid(1_000_000).clamp(i64::MIN.into(), i64::MAX.into());
            prop_assert_eq!(i128::from(Nano(price).for_units(units).0), wide);
            let (price, units) = (price >> 24, units >> 40);
            let exact = i128::from(price) * i128::from(units);
            prop_assert_eq!(i128::from(Nano(price).for_units(units).0), (exact + 500_000).div_euclid(1_000_000));
        }

        #[test]
        fn shows_and_reads_back(nanos in -i64::MAX..i64::MAX) {
            prop_assert_eq!(Nano(nanos).to_string().parse::<Nano>(), Ok(Nano(nanos)));
        }
    }
}
