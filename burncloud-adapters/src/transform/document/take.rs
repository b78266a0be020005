//! Takes tables apart, naming what does not belong.

use super::node::{Key, Kind, Node, fault, short};
use crate::transform::TransformError;

/// The entries of a table, each to be taken once.
pub(super) struct Fields<'a>(Vec<&'a (Key, Node)>);

impl<'a> Fields<'a> {
    pub(super) fn of(node: &'a Node, wanted: &str) -> Result<Fields<'a>, TransformError> {
        match &node.kind {
            Kind::Map(entries) => Ok(Fields(entries.iter().collect())),
            _ => Err(node.error(format!("{} stands here; write {wanted}", node.name()))),
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<&'a Node> {
        let at = self.0.iter().position(|(key, _)| key.text == name)?;
        Some(&self.0.remove(at).1)
    }

    pub(super) fn need(&mut self, of: &Node, name: &str, example: &str) -> Result<&'a Node, TransformError> {
        self.take(name).ok_or_else(|| of.error(format!("`{name}` is missing; write {example}")))
    }

    pub(super) fn map<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a Node) -> Result<T, TransformError>,
    ) -> Result<Option<T>, TransformError> {
        self.take(name).map(read).transpose()
    }

    /// The first one, whatever its name.
    pub(super) fn pop(&mut self) -> Option<&'a (Key, Node)> {
        if self.0.is_empty() { None } else { Some(self.0.remove(0)) }
    }

    /// Nothing may be left.
    pub(super) fn finish(mut self, what: &str, known: &str) -> Result<(), TransformError> {
        match self.pop() {
            None => Ok(()),
            Some((key, _)) => {
                let text = format!("`{}` is not {what}; one of: {known}", short(&key.text));
                Err(fault(key.mark, text))
            }
        }
    }
}

/// One, or a list of at least one.
pub(super) fn list_of<T>(
    node: &Node,
    what: &str,
    mut read: impl FnMut(&Node) -> Result<T, TransformError>,
) -> Result<Vec<T>, TransformError> {
    match &node.kind {
        Kind::List(items) if items.is_empty() => Err(node.error(format!("the list is empty; name {what}"))),
        Kind::List(items) => items.iter().map(read).collect(),
        _ => Ok(vec![read(node)?]),
    }
}

pub(super) fn flag(node: &Node) -> Result<bool, TransformError> {
    match &node.kind {
        Kind::Scalar { plain: true, .. } => node.value()?.as_bool(),
        _ => None,
    }
    .ok_or_else(|| node.error(format!("{} stands here; write true or false", node.name())))
}
