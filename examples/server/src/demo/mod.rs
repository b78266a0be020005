//! tmp
mod client;
mod provider;
pub(crate) async fn run(_: crate::cli::DemoArgs) -> crate::cli::CliResult {
    Ok(())
}
