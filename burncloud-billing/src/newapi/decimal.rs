//! Decimal numbers of any size that a ratio table holds, kept digit by digit: no float touches money.

use std::fmt;

/// `mantissa` × 10^−`scale`, without trailing zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i128,
    scale: u32,
}

/// Digits after the point, and in all, beyond which a number is no ratio.
const MOST_DIGITS: u32 = 30;

impl Decimal {
    /// One.
    pub const ONE: Decimal = Decimal { mantissa: 1, scale: 0 };

    /// A fraction of small numbers, if it is a decimal.
    #[must_use]
    pub const fn new(mantissa: i128, scale: u32) -> Decimal {
        let (mut mantissa, mut scale) = (mantissa, scale);
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Decimal { mantissa, scale }
    }

    /// Reads a JSON number, with or without an exponent: every digit counts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Decimal> {
        let (text, exponent) = match text.split_once(['e', 'E']) {
            Some((text, exponent)) => (text, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(rest) || (text.contains('.') && rest.is_empty()) {
            return None;
        }
        let rest = rest.trim_end_matches('0');
        let mantissa: i128 = format!("{whole}{rest}").parse().ok()?;
        let mantissa = if negative { -mantissa } else { mantissa };
        let scale = i32::try_from(rest.len()).ok()?.checked_sub(exponent)?;
        if scale.unsigned_abs() > MOST_DIGITS || mantissa.unsigned_abs() >= 10_u128.pow(MOST_DIGITS) {
            return None;
        }
        match u32::try_from(scale) {
            Ok(scale) => Some(Decimal::new(mantissa, scale)),
            Err(_) => Some(Decimal::new(mantissa.checked_mul(10_i128.pow(scale.unsigned_abs()))?, 0)),
        }
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// As a fraction: what is above the line and below.
    pub(super) fn fraction(self) -> (i128, i128) {
        (self.mantissa, 10_i128.pow(self.scale))
    }
}

impl fmt::Display for Decimal {
    /// As a JSON number, every digit, without an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs().to_string();
        let scale = self.scale as usize;
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, rest) = digits.split_at(digits.len() - scale);
        write!(f, "{sign}{whole}.{rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_json_may_write() {
        for (text, shown) in [
            ("1", "1"),
            ("1.0", "1"),
            ("0.0750", "0.075"),
            ("-2.5", "-2.5"),
            ("1e-05", "0.00001"),
            ("2.5E3", "2500"),
            ("0", "0"),
            ("8.333333333333334", "8.333333333333334"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for text in ["", "-", ".5", "1.", "1e", "NaN", "1e99", "1,5", "+1", "--1"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn shows_and_reads_back(mantissa in -(10_i128.pow(20))..10_i128.pow(20), scale in 0u32..25) {
            let decimal = Decimal::new(mantissa, scale);
            prop_assert_eq!(Decimal::parse(&decimal.to_string()), Some(decimal));
        }
    }
}
