//! chat.

use super::Codec;

/// Not there yet.
pub(super) fn codec() -> Option<&'static dyn Codec> {
    None
}
