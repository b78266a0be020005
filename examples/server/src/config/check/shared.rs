//! What the file says of things that the console can set too: where it says something, that holds, and the console only
//! shows it.

use crate::config::raw::RawFile;
use crate::config::{ConsoleConfig, FailoverConfig, RetentionConfig, ServerConfig};
use burncloud_billing::desk::settings::Values;
use serde_json::{Value, json};

/// Which of them it says something of.
pub(super) struct Declares {
    listen: bool,
    cors: bool,
    max_attempts: bool,
    public_url: bool,
    proxies: bool,
    keep_days: bool,
}

impl Declares {
    pub(super) fn of(raw: &RawFile) -> Declares {
        Declares {
            listen: raw.server.listen.is_some(),
            cors: raw.server.cors_origins.is_some(),
            max_attempts: raw.failover.max_attempts.is_some(),
            public_url: raw.console.public_url.is_some(),
            proxies: raw.console.trusted_proxies.is_some(),
            keep_days: raw.retention.keep_days.is_some(),
        }
    }

    /// Them, by the names of settings.
    pub(super) fn values(
        &self,
        server: &ServerConfig,
        console: &ConsoleConfig,
        failover: &FailoverConfig,
        retention: &RetentionConfig,
    ) -> Values {
        let all: [(bool, &str, Value); 6] = [
            (self.listen, "server.listen", json!(server.listen.to_string())),
            (self.cors, "cors.origins", json!(server.cors_origins)),
            (self.max_attempts, "routing.max_attempts", json!(failover.max_attempts)),
            (self.public_url, "server.public_url", json!(console.public_url)),
            (self.proxies, "server.trusted_proxies", json!(console.trusted_proxies)),
            (self.keep_days, "log.keep_days", json!(retention.keep_days)),
        ];
        all.into_iter().filter(|(says, ..)| *says).map(|(_, name, value)| (name.to_owned(), value)).collect()
    }
}
