//! Long lists, a page at a time.

use super::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// The most items on a page.
pub(super) const MAX_LIMIT: u32 = 200;
/// How many there are where nobody says.
const LIMIT: u32 = 50;

/// Which page.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PageParams {
    /// At most so many.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(default)]
    limit: Option<u32>,
    /// What comes after: the `next` of the page before.
    #[serde(default)]
    after: Option<String>,
}

impl PageParams {
    /// At most so many.
    pub(super) fn limit(&self) -> Result<u32, Problem> {
        limit(self.limit)
    }

    /// The number that the page begins after.
    pub(super) fn after(&self) -> Result<Option<i64>, Problem> {
        after(self.after.as_deref())
    }
}

pub(super) fn limit(given: Option<u32>) -> Result<u32, Problem> {
    let limit = given.unwrap_or(LIMIT);
    if (1..=MAX_LIMIT).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::unreadable("limit", "a page has 1 to 200 items"))
}

pub(super) fn bad_cursor() -> Problem {
    Problem::unreadable("after", "this is not the `next` of a page of this list")
}

pub(super) fn after(given: Option<&str>) -> Result<Option<i64>, Problem> {
    let number = given.map(|text| text.parse::<i64>().ok().filter(|number| *number >= 0));
    match number {
        None => Ok(None),
        Some(number) => number.map(Some).ok_or_else(bad_cursor),
    }
}

/// A page.
#[derive(Debug, Serialize)]
pub(super) struct List<T> {
    /// What is on it.
    pub(super) items: Vec<T>,
    /// What the next one comes after; null on the last.
    pub(super) next: Option<String>,
}

impl<T> List<T> {
    /// Everything on one page.
    pub(super) fn whole(items: Vec<T>) -> List<T> {
        List { items, next: None }
    }

    /// A page of all of them, in the order in which they are: the cursor is a number of items.
    pub(super) fn counted(all: Vec<T>, page: &PageParams) -> Result<List<T>, Problem> {
        let numbered = (1..).zip(all).collect();
        let list = List::cut(numbered, page, |(number, _)| *number)?;
        Ok(List { items: list.items.into_iter().map(|(_, item)| item).collect(), next: list.next })
    }

    /// A page of all of them, which are in the order of what `id` says.
    pub(super) fn cut(all: Vec<T>, page: &PageParams, id: impl Fn(&T) -> i64) -> Result<List<T>, Problem> {
        let (after, limit) = (page.after()?, page.limit()? as usize);
        let mut rest = all.into_iter().filter(|item| after.is_none_or(|after| id(item) > after));
        let items: Vec<T> = rest.by_ref().take(limit).collect();
        let more = rest.next().is_some();
        let next = items.last().filter(|_| more).map(|item| id(item).to_string());
        Ok(List { items, next })
    }
}

impl<T> From<burncloud_billing::desk::Page<T>> for List<T> {
    fn from(page: burncloud_billing::desk::Page<T>) -> List<T> {
        List { items: page.items, next: page.next.map(|next| next.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_cut_without_gap_or_overlap() {
        let all: Vec<i64> = (1..=7).collect();
        let mut seen = Vec::new();
        let mut page = PageParams { limit: Some(3), after: None };
        loop {
            let list = List::cut(all.clone(), &page, |id| *id).unwrap();
            seen.extend(list.items);
            match list.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, all);
        for (limit, after) in [(Some(0), None), (Some(201), None), (None, Some("x")), (None, Some("-1"))] {
            let page = PageParams { limit, after: after.map(str::to_owned) };
            assert!(List::cut(all.clone(), &page, |id| *id).is_err());
        }
    }
}
