//! Logs go to stderr: what the gateway does, never what passes through it.

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, registry};

/// At the level of trace these repeat what passes through them: headers with callers' keys, what is typed into the
/// console's forms, whole pages with a key that is shown once. However `RUST_LOG` is set, they never do.
const LOUD: &[&str] =
    &["h2", "hyper", "hyper_util", "tungstenite", "tokio_tungstenite", "dioxus", "generational_box"];

fn is_told(line: &Metadata<'_>) -> bool {
    *line.level() != Level::TRACE || !is_loud(line.target())
}

fn is_loud(target: &str) -> bool {
    let name = target.split("::").next().unwrap_or(target);
    LOUD.contains(&name) || name.starts_with("dioxus_")
}

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
    let levels = EnvFilter::new(asked.as_deref().unwrap_or(default));
    let quiet = filter_fn(is_told).with_max_level_hint(levels.max_level_hint().unwrap_or(LevelFilter::TRACE));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => {
            let lines = lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
            registry().with(levels).with(quiet).with(lines).try_init()
        }
        LogFormat::Json => registry().with(levels).with(quiet).with(lines.json()).try_init(),
    };
    if let Err(error) = started {
        tracing::warn!(%error, "logging was started already");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_secrets_is_told_apart_by_its_crate() {
        for loud in ["h2::codec", "hyper", "dioxus_core::virtual_dom", "tungstenite::protocol"] {
            assert!(is_loud(loud), "{loud}");
        }
        for other in ["hyperion", "burncloud_core::failover", "h2o", "sqlx::query"] {
            assert!(!is_loud(other), "{other}");
        }
    }
}
