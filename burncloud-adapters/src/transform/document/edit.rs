//! What the operations do to a body. A place that is not there, or of another shape than the path says, is left alone.

use super::step::Operation;
use crate::transform::json::weight;
use crate::transform::path::{self, Path, Place, Segment, TooMuch};
use serde_json::{Map, Value};

impl Operation {
    /// How many places it changed; `left` is how much may still be added.
    pub(super) fn edit(&self, body: &mut Value, left: &mut usize) -> Result<usize, TooMuch> {
        match self {
            Operation::Move { from, to } => {
                let ((prefix, from), (_, to)) = (from.split_at_each(), to.split_at_each());
                path::each(body, prefix, &mut |body| Ok(usize::from(move_one(body, from, to))))
            }
            Operation::Copy { from, to } => {
                let ((prefix, from), (_, to)) = (from.split_at_each(), to.split_at_each());
                path::each(body, prefix, &mut |body| copy_one(body, from, to, left))
            }
            Operation::Rename { at, to } => Ok(rename(body, at, to)),
            Operation::Set { at, value, weight } => {
                path::make(body, at.segments(), &mut |place| set(place, value, *weight, left))
            }
            Operation::Default { at, value, weight } => {
                path::make(body, at.segments(), &mut |place| match place {
                    Place::There(there) if !there.is_null() => Ok(0),
                    place => set(place, value, *weight, left),
                })
            }
            Operation::Remove(paths) => {
                Ok(paths.iter().map(|path| path::remove(body, path.segments())).sum())
            }
            Operation::MapValue { at, values, otherwise } => {
                path::each(body, at.segments(), &mut |value| match values
                    .get(&*word(value))
                    .or(otherwise.as_ref())
                {
                    Some(new) => set(Place::There(value), new, weight(new), left),
                    None => Ok(0),
                })
            }
            Operation::Keep(kept) => Ok(kept.edit(body)),
        }
    }
}

fn charge(left: &mut usize, weight: usize) -> Result<(), TooMuch> {
    *left = left.checked_sub(weight).ok_or(TooMuch)?;
    Ok(())
}

/// Sets a value in a place; 0 where it stood there already.
pub(in crate::transform) fn set(
    place: Place<'_>,
    value: &Value,
    weight: usize,
    left: &mut usize,
) -> Result<usize, TooMuch> {
    match place {
        Place::There(there) if there == value => return Ok(0),
        Place::There(there) => {
            charge(left, weight)?;
            *there = value.clone();
        }
        Place::Free(map, key) => {
            charge(left, weight + key.len())?;
            map.insert(key.to_owned(), value.clone());
        }
    }
    Ok(1)
}

/// How `map_value` names a value: a text as it is, all else as JSON.
fn word(value: &Value) -> std::borrow::Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        Value::Array(_) | Value::Object(_) => "\0".into(),
        other => other.to_string().into(),
    }
}

fn copy_one(body: &mut Value, from: &[Segment], to: &[Segment], left: &mut usize) -> Result<usize, TooMuch> {
    let Some(value) = path::get_mut(body, from) else { return Ok(0) };
    let weight = weight(value);
    charge(left, weight)?;
    let value = value.clone();
    path::make(body, to, &mut |place| set(place, &value, weight, left))
}

/// Where a value was taken from.
enum Hole {
    Member(usize),
    Element(usize),
}

fn move_one(body: &mut Value, from: &[Segment], to: &[Segment]) -> bool {
    let Some((value, hole)) = take(body, from) else { return false };
    let mut value = Some(value);
    let placed = path::make(body, to, &mut |place| {
        let Some(value) = value.take() else { return Ok(0) };
        match place {
            Place::There(there) => *there = value,
            Place::Free(map, key) => drop(map.insert(key.to_owned(), value)),
        }
        Ok(1)
    });
    if placed.unwrap_or_default() > 0 {
        return true;
    }
    // There is no such place: the value goes back to where it was.
    if let Some(value) = value {
        put_back(body, from, hole, value);
    }
    false
}

fn take(body: &mut Value, from: &[Segment]) -> Option<(Value, Hole)> {
    let (last, before) = from.split_last()?;
    match (last, path::get_mut(body, before)?) {
        (Segment::Key(key), Value::Object(map)) => {
            let at = map.keys().position(|k| k.as_str() == &**key)?;
            Some((map.shift_remove(&**key)?, Hole::Member(at)))
        }
        (Segment::Index(index), Value::Array(items)) => {
            let at = path::resolve(*index, items.len())?;
            Some((items.remove(at), Hole::Element(at)))
        }
        _ => None,
    }
}

fn put_back(body: &mut Value, from: &[Segment], hole: Hole, value: Value) {
    let Some((last, before)) = from.split_last() else { return };
    match (last, path::get_mut(body, before), hole) {
        (Segment::Key(key), Some(Value::Object(map)), Hole::Member(at)) => {
            map.shift_insert(at.min(map.len()), key.to_string(), value);
        }
        (_, Some(Value::Array(items)), Hole::Element(at)) => items.insert(at.min(items.len()), value),
        _ => (),
    }
}

fn rename(body: &mut Value, at: &Path, to: &str) -> usize {
    let Some((Segment::Key(key), before)) = at.segments().split_last() else { return 0 };
    let renamed = path::each(body, before, &mut |value| match value {
        Value::Object(map) if map.contains_key(&**key) => {
            // A key of that name gives way. The rest keeps its order.
            map.shift_remove(to);
            let renamed =
                |(name, value): (String, Value)| (if *name == **key { to.to_owned() } else { name }, value);
            *map = std::mem::take(map).into_iter().map(renamed).collect::<Map<_, _>>();
            Ok(1)
        }
        _ => Ok(0),
    });
    renamed.unwrap_or_default()
}
