//! Factors on prices, exactly.

use burncloud_core::Nano;
use std::fmt;
use std::str::FromStr;

const ONE: i64 = 1_000_000_000;

/// A factor on prices, in units of 10⁻⁹; never negative.
///
/// ```
/// use burncloud_billing::Ratio;
/// let ratio: Ratio = "1.25".parse().unwrap();
/// assert_eq!(ratio.to_string(), "1.25");
/// assert!("-1".parse::<Ratio>().is_err() && "1e2".parse::<Ratio>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio(i64);

impl Ratio {
    /// The one that changes nothing.
    pub const ONE: Ratio = Ratio(ONE);

    /// In units of 10⁻⁹.
    #[must_use]
    pub fn billionths(self) -> i64 {
        self.0
    }

    fn wide(self) -> u128 {
        u128::from(self.0.unsigned_abs())
    }
}

impl Default for Ratio {
    fn default() -> Ratio {
        Ratio::ONE
    }
}

/// A text that is no ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseRatioError;

impl fmt::Display for ParseRatioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "write a factor as decimal text such as \"1.25\": not negative, with at most nine decimals",
        )
    }
}

impl std::error::Error for ParseRatioError {}

impl FromStr for Ratio {
    type Err = ParseRatioError;

    /// Parses decimal text such as `1.25`.
    fn from_str(text: &str) -> Result<Ratio, ParseRatioError> {
        // An amount of money has the same digits.
        let Nano(billionths) = text.parse().map_err(|_| ParseRatioError)?;
        if text.starts_with('-') { Err(ParseRatioError) } else { Ok(Ratio(billionths)) }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / ONE, self.0 % ONE);
        let digits = format!("{rest:09}");
        match digits.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            digits => write!(f, "{whole}.{digits}"),
        }
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "×{self}")
    }
}

/// What the prices of one level are multiplied by: all of it at once, so that each price is rounded once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Factor {
    over: u128,
    under: u128,
}

impl Factor {
    /// The one after the other.
    pub(crate) fn product(one: Ratio, other: Ratio) -> Factor {
        let unit = Ratio::ONE.wide();
        Factor { over: one.wide() * other.wide(), under: unit * unit }
    }

    /// `ratio`, of prices in a currency of which one dollar buys `rate`; that is more than zero.
    pub(crate) fn quotient(ratio: Ratio, rate: Ratio) -> Factor {
        Factor { over: ratio.wide(), under: rate.wide().max(1) }
    }

    pub(crate) fn is_one(self) -> bool {
        self.over == self.under
    }

    /// The price times this, rounded half up, saturating.
    pub(crate) fn of(self, price: Nano) -> Nano {
        // `over` is below 2¹²⁶, `under` and the price below 2⁶³. So the fraction's part, below `under`, can be
        // multiplied by the price and doubled within 128 bits; of the whole part, what does not fit saturates.
        let price = u128::from(price.0.max(0).unsigned_abs());
        let (whole, part) = (self.over / self.under, self.over % self.under);
        let part = (2 * part * price + self.under) / (2 * self.under);
        Nano(i64::try_from(whole.saturating_mul(price).saturating_add(part)).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ratio(text: &str) -> Ratio {
        text.parse().unwrap()
    }

    #[test]
    fn rounds_half_up_once() {
        let of = |a: &str, b: &str, price| Factor::product(ratio(a), ratio(b)).of(Nano(price)).0;
        assert_eq!([of("0.5", "1", 1), of("0.5", "1", 3), of("0.4", "1", 1)], [1, 2, 0]);
        assert_eq!(of("0.5", "0.5", 2), 1, "0.5 exactly; rounding twice would have made it the same");
        assert_eq!(of("0.7", "0.7", 1), 0, "0.49; rounding twice would have made it 1");
        assert_eq!(of("1.25", "0.8", 123_456_789), 123_456_789);
        assert_eq!(of("9223372036", "9223372036", i64::MAX), i64::MAX, "saturates");
        assert_eq!(of("0.000000001", "0.000000001", i64::MAX), 9, "9.22");
        let usd = |price, rate| Factor::quotient(Ratio::ONE, ratio(rate)).of(Nano(price)).0;
        assert_eq!(usd(1_000_000_000, "7.20"), 138_888_889);
        assert_eq!([usd(36, "7.2"), usd(1, "2"), usd(5, "0.000000001")], [5, 1, 5_000_000_000]);
    }

    #[test]
    fn refuses_what_is_no_ratio() {
        for text in ["", "-1", "-0", "1e3", "1.0000000001", ".5", "99999999999", "0,5", "NaN"] {
            assert_eq!(text.parse::<Ratio>(), Err(ParseRatioError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn shows_and_reads_back(n in 0i64..) {
            prop_assert_eq!(Ratio(n).to_string().parse(), Ok(Ratio(n)));
        }

        #[test]
        fn small_products_are_what_one_division_says(a in 0u64..1 << 42, b in 0u64..1 << 42, price in 0i64..1 << 40) {
            let factor = Factor::product(Ratio(a as i64), Ratio(b as i64));
            let exact = u128::from(a) * u128::from(b) * price as u128;
            let unit = 1_000_000_000_000_000_000;
            prop_assert_eq!(factor.of(Nano(price)).0 as u128, ((exact + unit / 2) / unit).min(i64::MAX as u128));
        }
    }
}
