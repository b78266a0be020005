//! Moments as people write them: RFC 3339.

use burncloud_core::UnixMicros;

/// Reads `2027-01-31T00:00:00Z`, or any other offset.
///
/// # Errors
/// How to write one.
pub(crate) fn parse(text: &str) -> Result<UnixMicros, String> {
    let at: jiff::Timestamp =
        text.parse().map_err(|_| "write a moment such as \"2027-01-31T00:00:00Z\"".to_owned())?;
    Ok(UnixMicros(at.as_microsecond()))
}

/// Shows a moment in UTC, to the second.
pub(crate) fn show(at: UnixMicros) -> String {
    match jiff::Timestamp::from_second(at.0.div_euclid(1_000_000)) {
        Ok(at) => at.to_string(),
        Err(_) => at.0.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows() {
        let at = parse("2027-01-31T02:00:00+02:00").unwrap();
        assert_eq!(show(at), "2027-01-31T00:00:00Z");
        for text in ["", "2027-01-31", "2027-01-31T00:00:00", "tomorrow"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
