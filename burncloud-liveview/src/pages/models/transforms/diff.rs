//! Two texts side by side.

/// A row: what was, what is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    pub(super) changed: bool,
}

/// From lines that begin with a space, `-` or `+`: what goes stands beside what comes.
pub(super) fn rows(diff: &str) -> Vec<Row> {
    let (mut out, mut gone): (Vec<Row>, Vec<String>) = (Vec::new(), Vec::new());
    let mut filled = 0;
    for line in diff.lines() {
        let mut chars = line.chars();
        let mark = chars.next().unwrap_or(' ');
        let text = chars.as_str().strip_prefix(' ').unwrap_or(chars.as_str()).to_owned();
        match mark {
            '-' => {
                // A change that follows another begins anew.
                if filled > 0 {
                    (filled, gone) = (0, Vec::new());
                }
                out.push(Row { before: Some(text.clone()), after: None, changed: true });
                gone.push(text);
            }
            '+' if filled < gone.len() => {
                let at = out.len() - gone.len() + filled;
                out[at].after = Some(text);
                filled += 1;
            }
            '+' => {
                out.push(Row { before: None, after: Some(text), changed: true });
                // What comes beyond what goes stands alone.
                (filled, gone) = (0, Vec::new());
            }
            _ => {
                (filled, gone) = (0, Vec::new());
                out.push(Row { before: Some(text.clone()), after: Some(text), changed: false });
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_stands_beside_what_comes() {
        let rows = rows("  {\n- a\n- b\n+ c\n+ d\n+ e\n  }\n- f\n");
        let pairs: Vec<_> = rows.iter().map(|row| (row.before.as_deref(), row.after.as_deref())).collect();
        let wanted = [
            (Some("{"), Some("{")),
            (Some("a"), Some("c")),
            (Some("b"), Some("d")),
            (None, Some("e")),
            (Some("}"), Some("}")),
            (Some("f"), None),
        ];
        assert_eq!(pairs, wanted);
        assert_eq!(rows.iter().filter(|row| row.changed).count(), 4);
    }
}
