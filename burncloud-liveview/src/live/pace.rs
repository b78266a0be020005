//! How often what is live is drawn: the less often the more look on.

use super::conn::Cx;
use std::time::Duration;

/// So many pages are drawn as often as they want; more of them together no more often than these.
const PAGES: usize = 100;

/// How long a page waits that wants to be drawn `every` so often, while so many are open.
fn paced(every: Duration, open: usize) -> Duration {
    every.mul_f64(open.max(PAGES) as f64 / PAGES as f64)
}

impl Cx {
    /// Waits until a page that is drawn `every` so often is drawn again: longer where more than a hundred pages are open, so
    /// that what all pages together cost has a bound, and requests beside them do not pay for whoever looks on.
    pub(crate) async fn pause(&self, every: Duration) {
        tokio::time::sleep(paced(every, self.console.sockets().count())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_look_they_are_drawn_no_more_often_than_a_hundred() {
        let second = Duration::from_secs(1);
        assert_eq!([0, 1, 100].map(|open| paced(second, open)), [second; 3]);
        assert_eq!(paced(second, 200), 2 * second);
        for open in [101, 150, 999, 2_000] {
            let drawings = open as f64 / paced(second, open).as_secs_f64();
            assert!((drawings - 100.0).abs() < 1e-6, "{drawings} a second for {open}");
        }
    }
}
