//! What the console is made of: one object that handlers, sockets and pages share.

use crate::auth::{Provider, Proxies, Sockets, keep};
use crate::held::Held;
use crate::pages::Drafts;
use crate::pages::Figures;
use crate::room::Slots;
use crate::watch::Watch;
use arc_swap::ArcSwap;
use burncloud_billing::desk::login::random;
use burncloud_billing::{Biller, Desk};
use burncloud_core::Gateway;
use burncloud_core::store::ReportStore;
use secrecy::SecretString;
use std::fmt;
use std::net::IpAddr;
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
    proxies: Proxies,
    sockets: Sockets,
    key: [u8; 32],
    provider: Provider,
    watch: Option<Watch>,
    house: ArcSwap<String>,
    release: Box<str>,
    drafts: Drafts,
    held: Held,
    slots: Slots,
    figures: Figures,
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
        ConsoleBuilder {
            desk,
            gateway: None,
            biller: None,
            prefix: "/console".into(),
            public_url: None,
            proxies: Proxies::default(),
            release: env!("CARGO_PKG_VERSION").into(),
        }
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

    /// What happens at that gateway at the moment; `None` where there is none.
    #[must_use]
    pub fn watch(&self) -> Option<&Watch> {
        self.0.watch.as_ref()
    }

    /// What the house is called, as it was read last.
    #[must_use]
    pub fn house(&self) -> Arc<String> {
        self.0.house.load_full()
    }

    /// Reads again what the house is called.
    pub(crate) async fn take_house(&self) {
        match self.desk().house().await {
            Ok(settings) => self.0.house.store(Arc::new(settings.shown_name().to_owned())),
            Err(error) => tracing::warn!(%error, "the name of the house could not be read"),
        }
    }

    /// Version and build of the program, for people who help.
    #[must_use]
    pub fn release(&self) -> &str {
        &self.0.release
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

    /// What dashboards show, read once for all who see the same.
    pub(crate) fn figures(&self) -> &Figures {
        &self.0.figures
    }

    pub(crate) fn proxies(&self) -> &Proxies {
        &self.0.proxies
    }

    /// Whoever has pages open.
    pub(crate) fn sockets(&self) -> &Sockets {
        &self.0.sockets
    }

    /// What was posted on the models page and waits for a second look.
    pub(crate) fn drafts(&self) -> &Drafts {
        &self.0.drafts
    }

    /// What was posted for the playground.
    pub(crate) fn held(&self) -> &Held {
        &self.0.held
    }

    /// Who reads large posts at the moment.
    pub(crate) fn slots(&self) -> &Slots {
        &self.0.slots
    }

    /// Seals what a browser carries to the provider of identities and back. Gone with the process.
    pub(crate) fn key(&self) -> &[u8] {
        &self.0.key
    }

    pub(crate) fn provider(&self) -> &Provider {
        &self.0.provider
    }
}

/// See [`Console::builder`].
pub struct ConsoleBuilder {
    desk: Desk,
    gateway: Option<Gateway>,
    biller: Option<Arc<Biller>>,
    prefix: Box<str>,
    public_url: Option<Box<str>>,
    proxies: Proxies,
    release: Box<str>,
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

    /// The one-time password with which the first owner is made, as the server printed it. Only its hash is kept, until it is
    /// used; without one nobody becomes the first owner here.
    #[must_use]
    pub fn setup_code(mut self, code: &SecretString) -> ConsoleBuilder {
        self.desk = self.desk.setup_code(code);
        self
    }

    /// The addresses of proxies before the console: what they say in `X-Forwarded-For` is taken for where somebody comes
    /// from. None is believed unless it is named.
    #[must_use]
    pub fn trusted_proxies(mut self, proxies: impl IntoIterator<Item = IpAddr>) -> ConsoleBuilder {
        self.proxies = Proxies(proxies.into_iter().collect());
        self
    }

    /// Version and build of the program, shown under Settings; by default this crate's version.
    #[must_use]
    pub fn release(mut self, text: &str) -> ConsoleBuilder {
        self.release = text.into();
        self
    }

    /// The console. Its work runs on `runtime`.
    ///
    /// # Panics
    /// Where the system gives no random bytes.
    #[must_use]
    pub fn build(self, runtime: Handle) -> Console {
        let ConsoleBuilder { desk, gateway, biller, prefix, public_url, proxies, release } = self;
        let reports: Arc<dyn ReportStore> = desk.store().clone();
        let watch = biller.as_ref().map(|biller| Watch::start(biller.feed(), reports, &runtime));
        let console = Console(Arc::new(Parts {
            desk,
            gateway,
            biller,
            prefix,
            public_url,
            runtime,
            proxies,
            sockets: Sockets::default(),
            key: random().expect("the system gives random bytes"),
            provider: Provider::default(),
            watch,
            house: ArcSwap::from_pointee("BurnCloud".to_owned()),
            release,
            drafts: Drafts::default(),
            held: Held::default(),
            slots: Slots::default(),
            figures: Figures::default(),
        }));
        let weak = Arc::downgrade(&console.0);
        console.runtime().spawn(keep(move || weak.upgrade().map(Console)));
        console
    }
}
