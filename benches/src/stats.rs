//! Percentiles and medians.

/// The smallest value that at least `percent` of 100 of the values do not exceed (nearest rank); 0 when there are
/// none. `sorted` ascends.
pub(crate) fn percentile(sorted: &[u64], percent: u64) -> u64 {
    let len = sorted.len() as u64;
    let rank = (percent.min(100) * len).div_ceil(100).max(1);
    usize::try_from(rank - 1).ok().and_then(|i| sorted.get(i)).copied().unwrap_or(0)
}

/// The middle value, or the mean of the two in the middle; `None` when there are none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let mid = values.len() / 2;
    let upper = *values.get(mid)?;
    if values.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(values[mid - 1], upper)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<u64> = (1..=200).collect();
        assert_eq!(percentile(&values, 50), 100);
        assert_eq!(percentile(&values, 99), 198);
        assert_eq!(percentile(&values, 100), 200);
        assert_eq!(percentile(&values, 0), 1);
        assert_eq!(percentile(&[7], 99), 7);
        assert_eq!(percentile(&[], 50), 0);
    }

    #[test]
    fn a_median_needs_no_order() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
    }
}
