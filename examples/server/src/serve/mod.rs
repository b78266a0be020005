//! tmp
pub(crate) mod tls;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
pub(crate) async fn run(
    _: Option<&Path>,
    _: Option<SocketAddr>,
    _: burncloud_core::adapter::Registry,
    _: bool,
) -> crate::cli::CliResult {
    Ok(())
}
pub(crate) async fn open_store(
    _: &crate::config::StoreConfig,
) -> crate::cli::CliResult<Arc<dyn burncloud_core::store::Store>> {
    Err("".into())
}
