//! What each model leaves.

use super::books::{Books, Reckoned, ranked, reckon, whole};
use super::span::Span;
use super::tally::{Asked, By, Of, Tallies, Tally};
use super::view::{Sight, Source};
use crate::desk::Desk;
use crate::people::Actor;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{Nano, UnixMicros};
use serde::Serialize;

/// What a model brought in and cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelMargin {
    /// The model, as callers ask for it.
    pub model: String,
    /// What came in.
    pub revenue: Nano,
    /// What it is expected to cost.
    pub cost: Nano,
}

impl Desk {
    /// The books of a span, and what each model brought the house and cost it in that time, what brought in most first. Whoever
    /// is not of the house is told of no model.
    ///
    /// # Errors
    /// As [`books`](Desk::books).
    pub async fn books_and_margins(
        &self,
        actor: &Actor,
        span: Span,
        by: By,
    ) -> UseCaseResult<(Books, Vec<ModelMargin>)> {
        books_and_margins(&*self.store, actor, span, by, UnixMicros::now()).await
    }
}

pub(super) async fn books_and_margins<S: Source + ?Sized>(
    store: &S,
    actor: &Actor,
    span: Span,
    by: By,
    now: UnixMicros,
) -> UseCaseResult<(Books, Vec<ModelMargin>)> {
    let sight = Sight::of(store, actor).await?;
    // By model the books tell.
    let asked = sight.is_house() && by != By::Model;
    let models = async {
        if !asked {
            return Ok(Tallies::new());
        }
        let window = span.resolve(&sight.zone, now)?.now;
        Ok(Asked { by: Some(By::Model), ..whole(store, &sight, window, None) }.tallies().await?)
    };
    let (Reckoned { books, slices, .. }, models) =
        tokio::try_join!(reckon(store, &sight, span, by, now), models)?;
    let models = if asked { models } else { slices };
    let margins = match sight.is_house() {
        true => ranked(models, usize::MAX).into_iter().filter_map(margin).collect(),
        false => Vec::new(),
    };
    Ok((books, margins))
}

/// Of a model that brought something in or cost something.
fn margin((of, tally): (Of, Tally)) -> Option<ModelMargin> {
    let Of::Model(model) = of else { return None };
    let (revenue, cost) = (tally.revenue?, tally.cost?);
    (revenue != Nano::ZERO || cost != Nano::ZERO).then_some(ModelMargin { model, revenue, cost })
}
