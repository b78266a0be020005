//! What the console is made of: one object that handlers, sockets and pages share.

use burncloud_billing::{Biller, Desk};
use burncloud_core::Gateway;
use std::fmt;
use std::sync::Arc;
use tokio::runtime::Handle;

/// What every part of the console knows. Cheap to clone.
#[derive(Clone)]
pub struct Console(Arc<Parts>);

struct Parts {
    desk: Desk,
    gateway: Option<Gateway>,
    biller: Option<Arc<Biller>>,
    prefix: Box<str>,
    public_url: Option<Box<str>>,
    runtime: Handle,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("prefix", &self.prefix()).finish_non_exhaustive()
    }
}

impl Console {
    /// A console of what `desk` keeps, under `/console`, with no gateway beside it.
    #[must_use]
    pub fn builder(desk: Desk) -> ConsoleBuilder {
        ConsoleBuilder { desk, gateway: None, biller: None, prefix: "/console".into(), public_url: None }
    }

    /// What is done here.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.0.desk
    }

    /// The gateway in the same process: for the playground, and for what rests. `None` where the console runs alone; what
    /// needs it is not shown then.
    #[must_use]
    pub fn gateway(&self) -> Option<&Gateway> {
        self.0.gateway.as_ref()
    }

    /// Who keeps the money of that gateway.
    #[must_use]
    pub fn biller(&self) -> Option<&Arc<Biller>> {
        self.0.biller.as_ref()
    }

    /// The path it is mounted at, without a slash at the end.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// Where browsers reach it, where that is not what the request says (behind a proxy): scheme and authority.
    #[must_use]
    pub fn public_url(&self) -> Option<&str> {
        self.0.public_url.as_deref()
    }

    /// Where work is done: not the threads of the pages.
    #[must_use]
    pub fn runtime(&self) -> &Handle {
        &self.0.runtime
    }
}

/// See [`Console::builder`].
pub struct ConsoleBuilder {
    desk: Desk,
    gateway: Option<Gateway>,
    biller: Option<Arc<Biller>>,
    prefix: Box<str>,
    public_url: Option<Box<str>>,
}

impl fmt::Debug for ConsoleBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleBuilder").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl ConsoleBuilder {
    /// The gateway in the same process.
    #[must_use]
    pub fn gateway(mut self, gateway: Gateway) -> ConsoleBuilder {
        self.gateway = Some(gateway);
        self
    }

    /// Who keeps the money of that gateway.
    #[must_use]
    pub fn biller(mut self, biller: Arc<Biller>) -> ConsoleBuilder {
        self.biller = Some(biller);
        self
    }

    /// Another path than `/console`, such as `/admin`.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> ConsoleBuilder {
        self.prefix = prefix.trim_end_matches('/').into();
        self
    }

    /// Where browsers reach it, such as `https://gateway.example`, where a proxy stands before it: cookies are marked secure
    /// if it is HTTPS, and sockets and writes are taken from pages of this origin alone.
    #[must_use]
    pub fn public_url(mut self, url: &str) -> ConsoleBuilder {
        self.public_url = Some(url.trim_end_matches('/').into());
        self
    }

    /// The console. Its work runs on `runtime`.
    #[must_use]
    pub fn build(self, runtime: Handle) -> Console {
        let ConsoleBuilder { desk, gateway, biller, prefix, public_url } = self;
        Console(Arc::new(Parts { desk, gateway, biller, prefix, public_url, runtime }))
    }
}
