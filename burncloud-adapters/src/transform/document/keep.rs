//! `keep`: everything but what some paths lead to goes.

use crate::transform::path::{Path, Segment, resolve};
use serde_json::Value;
use std::collections::HashMap;

/// Paths as a tree, so that a body is walked once however many there are.
#[derive(Debug)]
pub(in crate::transform) struct Kept {
    paths: Vec<Path>,
    root: Tree,
}

#[derive(Debug, Default)]
struct Tree {
    /// A path ends here.
    whole: bool,
    keys: HashMap<Box<str>, Tree>,
    indexes: Vec<(i64, Tree)>,
    each: Option<Box<Tree>>,
}

impl Kept {
    pub(super) fn new(paths: Vec<Path>) -> Kept {
        let mut root = Tree::default();
        for path in &paths {
            path.segments().iter().fold(&mut root, Tree::child).whole = true;
        }
        Kept { paths, root }
    }

    pub(super) fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// How many values went. What is neither an object nor an array has no parts to take out.
    pub(super) fn edit(&self, body: &mut Value) -> usize {
        keep(body, &[&self.root])
    }
}

impl Tree {
    fn child(&mut self, segment: &Segment) -> &mut Tree {
        match segment {
            Segment::Key(key) => self.keys.entry(key.clone()).or_default(),
            Segment::Each => self.each.get_or_insert_default(),
            Segment::Index(index) => {
                let at = self.indexes.iter().position(|(i, _)| i == index).unwrap_or_else(|| {
                    self.indexes.push((*index, Tree::default()));
                    self.indexes.len() - 1
                });
                &mut self.indexes[at].1
            }
        }
    }
}

/// Several branches may lead to one value: `a[]` and `a[0]`.
fn keep(value: &mut Value, trees: &[&Tree]) -> usize {
    if trees.iter().any(|tree| tree.whole) {
        return 0;
    }
    let mut gone = 0;
    match value {
        Value::Object(map) => map.retain(|key, value| {
            let below: Vec<&Tree> = trees.iter().filter_map(|tree| tree.keys.get(key.as_str())).collect();
            part(value, &below, &mut gone)
        }),
        Value::Array(items) => {
            let len = items.len();
            let mut named: HashMap<usize, Vec<&Tree>> = HashMap::new();
            for (index, tree) in trees.iter().flat_map(|tree| &tree.indexes) {
                if let Some(at) = resolve(*index, len) {
                    named.entry(at).or_default().push(tree);
                }
            }
            let each: Vec<&Tree> = trees.iter().filter_map(|tree| tree.each.as_deref()).collect();
            let mut at = 0;
            items.retain_mut(|item| {
                let mut below = each.clone();
                below.extend(named.get(&at).into_iter().flatten());
                at += 1;
                part(item, &below, &mut gone)
            });
        }
        _ => (),
    }
    gone
}

/// Whether a part stays. What has no parts stays only where a path ends.
fn part(value: &mut Value, trees: &[&Tree], gone: &mut usize) -> bool {
    let whole = trees.iter().any(|tree| tree.whole);
    let stays = whole || !trees.is_empty() && matches!(value, Value::Object(_) | Value::Array(_));
    *gone += if stays { keep(value, trees) } else { 1 };
    stays
}
