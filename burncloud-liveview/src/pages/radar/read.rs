//! What the radar shows, read.

use crate::Console;
use burncloud_billing::Desk;
use burncloud_billing::desk::reports::{By, Finding, Hop, Kind, Live, Severity, Slice, Span};
use burncloud_billing::people::Actor;
use burncloud_core::UnixMicros;
use burncloud_core::usecase::UseCaseResult;

/// So many models are shown.
const MODELS: usize = 5;
const HOUR_US: i64 = 3_600_000_000;
/// Findings that need somebody and of which an example is read.
const EXAMPLES: usize = 12;

/// A finding, and what providers said to its newest request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) finding: Finding,
    pub(crate) said: Vec<Hop>,
}

impl Found {
    /// Whether it costs money, or many are not served, and nobody has helped yet.
    pub(crate) fn hurts(&self) -> bool {
        self.finding.severity == Severity::Hurt && !self.finding.settled
    }
}

/// The findings of the last 24 hours.
pub(crate) async fn read(console: &Console, actor: &Actor) -> UseCaseResult<Vec<Found>> {
    let desk = console.desk();
    let live = console.gateway().map_or_else(Live::default, |gateway| desk.live(gateway.handle()));
    let since = UnixMicros(UnixMicros::now().0 - 24 * HOUR_US);
    let mut all = Vec::new();
    let mut left = EXAMPLES;
    for finding in desk.findings(actor, since, &live).await? {
        let mut said = Vec::new();
        let newest = finding.receipts.first().filter(|_| !finding.settled && left > 0);
        if let (Kind::Errors { .. }, Some(id)) = (&finding.kind, newest) {
            left -= 1;
            said = desk.receipt(actor, *id).await?.map(|receipt| receipt.row.road).unwrap_or_default();
            said.retain(|hop| hop.reason.is_some());
        }
        all.push(Found { finding, said });
    }
    Ok(all)
}

/// The last 24 hours by model, by what they brought in.
pub(super) async fn models(desk: &Desk, actor: &Actor) -> UseCaseResult<Vec<Slice>> {
    let until = UnixMicros::now();
    let span = Span::Between { since: UnixMicros(until.0 - 24 * HOUR_US), until };
    let mut slices = desk.seen(actor, span, By::Model).await?.leaders;
    slices.retain(|slice| slice.sums.requests > 0 && slice.name.is_some());
    slices.truncate(MODELS);
    Ok(slices)
}
