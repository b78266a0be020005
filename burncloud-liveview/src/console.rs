//! What all of the console shares.

use std::sync::Arc;
use tokio::runtime::Handle;

/// What all of the console shares; a clone is the same console.
#[derive(Clone, Debug)]
pub struct Console {
    /// Where it is mounted, as in `/console`: begins with a slash, does not end with one.
    pub prefix: Arc<str>,
    /// Where loads and writes run, off the threads that draw pages.
    pub runtime: Handle,
    /// Where browsers reach the console when that is not what their `Host` header says, as in
    /// `https://console.example.com`: behind a proxy.
    pub public_url: Option<Arc<str>>,
}
