//! What files are called.

/// The name of the file with the links `first` to `last`.
pub(super) fn of(first: i64, last: i64) -> String {
    format!("receipts-{first}-{last}.jsonl")
}

/// The links of the file of that name; `None` for what is none of ours.
pub(super) fn links(name: &str) -> Option<(i64, i64)> {
    let (first, last) = name.strip_prefix("receipts-")?.strip_suffix(".jsonl")?.split_once('-')?;
    let links = (first.parse().ok()?, last.parse().ok()?);
    (of(links.0, links.1) == name).then_some(links)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_read() {
        assert_eq!(links(&of(1, 90)), Some((1, 90)));
        for other in
            ["receipts-1.jsonl", "receipts-01-2.jsonl", "../receipts-1-2.jsonl", "receipts-1-2.jsonl.partial"]
        {
            assert_eq!(links(other), None, "{other}");
        }
    }
}
