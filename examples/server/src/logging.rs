//! Logs go to stderr: what the gateway does, never what passes through it.

use tracing_subscriber::EnvFilter;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging at the levels of `RUST_LOG`; without it a service tells what it does and a command only
/// what it stumbles over.
pub(crate) fn start(format: LogFormat, service: bool) {
    let asked = std::env::var("RUST_LOG").ok().filter(|levels| !levels.is_empty());
    let default = if service { "info,sqlx=warn,sea_orm=warn,sea_orm_migration=warn" } else { "warn" };
    let mut filter = EnvFilter::new(asked.as_deref().unwrap_or(default));
    // At trace level these repeat the headers and frames that pass through them: callers' keys, and what is typed into
    // the console's forms.
    for target in ["h2", "hyper", "hyper_util", "tungstenite", "tokio_tungstenite"] {
        if let Ok(cap) = format!("{target}=debug").parse()
            && asked.is_some()
        {
            filter = filter.add_directive(cap);
        }
    }
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    if let Err(error) = started {
        tracing::warn!(%error, "logging was started already");
    }
}
