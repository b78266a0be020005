//! Who somebody is.

use crate::Console;
use crate::live::Viewer;
use http::HeaderMap;
use std::sync::Arc;

/// Whoever sent a request, where it carries a session that stands.
pub async fn viewer(_console: &Console, _headers: &HeaderMap) -> Option<Arc<Viewer>> {
    None
}
