//! A house with a reseller, two months of receipts, and a page drawn as a browser would see it.

use crate::Console;
use crate::kit::{PulseState, Toasts};
use crate::lang::{Lang, Look};
use crate::live::{Changes, Client, Conn, Viewer, use_live_history};
use crate::pages::finance::Finance;
use burncloud_billing::people::{self, Actor};
use burncloud_billing::{Desk, PriceBook, reload_prices};
use burncloud_core::store::{
    ChannelStore, MemoryStore, NewTenant, NewUser, PriceOverride, PriceStore, ReceiptStore, UserStore,
};
use burncloud_core::{
    Attempt, ChannelConfig, ChannelId, ChannelSettings, Dialect, End, KeyId, Leg, Nano, Operation, Receipt,
    ReceiptId, Role, Status, TenantId, TraceId, UnixMicros, Usage, UsageSource, User,
};
use dioxus::prelude::*;
use std::sync::Arc;
use std::time::Duration;

pub(super) const DOLLAR: i64 = 1_000_000_000;

pub(super) struct Shop {
    pub(super) store: Arc<MemoryStore>,
    pub(super) desk: Desk,
    pub(super) house: TenantId,
    pub(super) reseller: TenantId,
}

impl Shop {
    pub(super) async fn open() -> Shop {
        let store = Arc::new(MemoryStore::default());
        let book = Arc::new(PriceBook::new());
        let desk = Desk::new(store.clone(), burncloud_adapters::registry()).with_book(book.clone());
        let boss = Actor::operator("boss");
        let house = store.tenant_by_name("default").await.unwrap().unwrap().id;
        let new =
            NewTenant { name: "Delta".into(), parent: Some(house), unlimited: true, ..NewTenant::default() };
        let reseller = people::create_tenant(&*store, &boss, new).await.unwrap().id;
        for (name, tenant, role) in [
            ("Pixel", house, Role::EndUser),
            ("Kepler", reseller, Role::EndUser),
            ("Rita", reseller, Role::Reseller),
            ("Anna", house, Role::Accountant),
            ("Adam", house, Role::Administrator),
        ] {
            let new = NewUser { name: name.into(), tenant, role, ..NewUser::default() };
            people::create_user(&*store, &boss, new).await.unwrap();
        }
        let shop = Shop { store, desk, house, reseller };
        for name in ["harbour", "lagoon"] {
            shop.channel(name).await;
        }
        for (book, model, rates) in [
            (None, "*", serde_json::json!({ "markup": "1.4" })),
            (None, "gpt-4o", serde_json::json!({ "input": "4.20", "output": "21" })),
            (Some(reseller), "*", serde_json::json!({ "markup": "1.2" })),
        ] {
            let effective_at = UnixMicros(0);
            let rule =
                PriceOverride { version: 0, book, channel: None, model: model.into(), effective_at, rates };
            shop.store.add_price(rule).await.unwrap();
        }
        reload_prices(&*shop.store, &book).await.unwrap();
        shop
    }

    async fn channel(&self, name: &str) {
        let channel = ChannelConfig {
            id: ChannelId(0),
            name: name.into(),
            provider: "openai".into(),
            base_url: None,
            credential: "sk-channel-secret".to_owned().into(),
            models: vec!["gpt-4o".into(), "<b>mine</b>".into()],
            model_mapping: Default::default(),
            priority: 0,
            weight: 1,
            status: Status::Active,
            settings: ChannelSettings::default(),
        };
        self.store.create_channel(channel).await.unwrap();
    }

    pub(super) async fn user(&self, name: &str) -> User {
        self.store.user_by_name(name).await.unwrap().unwrap()
    }

    /// A request that came to so many dollars and cost so many.
    pub(super) async fn sold(&self, name: &str, model: &str, dollars: i64, cost: i64, at: UnixMicros) {
        let user = self.user(name).await;
        let charge = Nano(dollars * DOLLAR);
        let channels = self.store.channels().await.unwrap();
        let channel = channels[usize::from(dollars % 2 == 0)].id;
        let legs = if user.tenant == self.reseller {
            let charge = Nano(charge.0 / 2);
            vec![Leg { tenant: user.tenant, parent: self.house, charge, shortfall: Nano::ZERO }]
        } else {
            vec![]
        };
        let receipt = Receipt {
            id: ReceiptId::new(at),
            trace_id: TraceId::random(),
            at,
            key: KeyId(1),
            user: user.id,
            tenant: user.tenant,
            dialect: Dialect::OpenAi,
            operation: Operation::Chat,
            model: model.into(),
            upstream_model: model.into(),
            channel: Some(channel),
            upstream_request_id: None,
            streamed: false,
            status: 200,
            end: End::Finished,
            attempts: vec![Attempt { channel, status: Some(200), error: None, took_us: 1 }],
            usage: Usage { input: 900_000, output: 100_000, ..Usage::default() },
            usage_source: UsageSource::Reported,
            price_version: 1,
            lines: vec![],
            reserved: charge,
            charge,
            shortfall: Nano::ZERO,
            legs,
            abort: None,
            upstream_cost: Nano(cost * DOLLAR),
            first_byte_us: Some(1),
            took_us: 1,
            bytes_in: 1,
            bytes_out: 1,
        };
        self.store.record(&[Arc::new(receipt)]).await.unwrap();
    }

    /// The page at `path` as that user sees it, once everything was read; `None` is the operator of the house.
    pub(super) async fn page(&self, who: Option<&str>, lang: Lang, path: &str) -> String {
        let actor = match who {
            Some(name) => Actor::of(&self.user(name).await),
            None => Actor::operator("boss"),
        };
        let viewer = Viewer::signed_in(actor, lang);
        let console = Console::builder(self.desk.clone()).build(tokio::runtime::Handle::current());
        let look = Look { lang, ..Look::default() };
        let mut conn = Conn::page(console, Arc::new(viewer), look.clone(), format!("/console{path}"));
        let (frames, _rest) = tokio::sync::mpsc::channel(64);
        conn.client = Some(Client::new(frames));
        let mut dom = VirtualDom::new(Root).with_root_context(look).with_root_context(conn);
        dom.rebuild_in_place();
        // Drawn again for as long as something is still being read.
        for _ in 0..200 {
            if tokio::time::timeout(Duration::from_millis(500), dom.wait_for_work()).await.is_err() {
                break;
            }
            dom.render_immediate(&mut dioxus::dioxus_core::NoOpMutations);
            let html = dioxus_ssr::render(&dom);
            if !html.contains("aria-busy=\"true\"") && !html.contains("aria-busy=true") {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        dioxus_ssr::render(&dom)
    }
}

#[allow(non_snake_case, reason = "a component")]
fn Root() -> Element {
    use_live_history();
    use_context_provider(Changes::new);
    use_context_provider(Toasts::new);
    use_context_provider(|| Signal::new(PulseState::default()));
    rsx! { Finance {} }
}

/// All of these are there.
#[track_caller]
pub(super) fn has(html: &str, words: &[&str]) {
    for word in words {
        assert!(html.contains(word), "`{word}` is missing in {html}");
    }
}

/// None of these is.
#[track_caller]
pub(super) fn lacks(html: &str, words: &[&str]) {
    for word in words {
        assert!(!html.contains(word), "`{word}` is in {html}");
    }
}
