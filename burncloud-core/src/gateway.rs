//! The gateway: every layer, stacked.

use crate::adapter::Registry;
use crate::billing::{Billing, NoBilling};
use crate::layers::auth::{AuthLayer, Suspects};
use crate::layers::classify::ClassifyLayer;
use crate::layers::failover::{FailoverLayer, FailoverSettings};
use crate::layers::inspect::{InspectLayer, InspectSettings};
use crate::layers::limit::{LimitLayer, ModelLimits};
use crate::layers::meter::MeterLayer;
use crate::layers::passthrough::PassthroughLayer;
use crate::layers::receipts::ReceiptsLayer;
use crate::layers::rescue::RescueLayer;
use crate::layers::reserve::ReserveLayer;
use crate::layers::route::RouteLayer;
use crate::layers::shed::{ShedLayer, ShedSettings};
use crate::layers::sign::SignLayer;
use crate::layers::trace::TraceLayer;
use crate::routing::{BreakerSettings, ChannelError, Timeouts};
use crate::seam::{InnerService, Layers};
use crate::stats::Stats;
use crate::store::CallerStore;
use crate::transport::Transport;
use crate::{Body, BoxError, ChannelConfig, DrainSettings, RouteTable};
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response};
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tower::{Layer, Service};

/// An LLM gateway as a service: clone it, mount it in axum, serve it from hyper, or call it in process.
///
/// It is always ready, never fails (an error is an answer in the caller's dialect), and takes any body.
#[derive(Clone)]
pub struct Gateway {
    stack: Arc<dyn Entry>,
    handle: Handle,
}

/// The whole stack behind one pointer: a connection clones the gateway per request, and that must not
/// clone thirteen layers.
trait Entry: Send + Sync {
    fn enter(&self, request: Request<Body>) -> Answering;
}

struct Shared<S>(S);

impl<S> Entry for Shared<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    fn enter(&self, request: Request<Body>) -> Answering {
        Answering(Box::pin(self.0.clone().call(request)))
    }
}

/// A request under way. Dropping it cancels it; its receipt is written all the same.
pub struct Answering(Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>);

impl Future for Answering {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answering")
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gateway")
    }
}

impl<B> Service<Request<B>> for Gateway
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answering {
        self.stack.enter(request.map(Body::new))
    }
}

impl Gateway {
    /// Starts building one. `callers` knows who may call.
    #[must_use]
    pub fn builder(callers: Arc<dyn CallerStore>, registry: Registry) -> GatewayBuilder {
        GatewayBuilder {
            callers,
            registry,
            billing: Arc::new(NoBilling),
            timeouts: Timeouts::default(),
            shed: ShedSettings::default(),
            inspect: InspectSettings::default(),
            failover: FailoverSettings::default(),
            breakers: BreakerSettings::default(),
            drains: DrainSettings::default(),
            keep_alive: Some(Duration::from_secs(15)),
            outside: Layers::default(),
            inside: Layers::default(),
            attempt: Layers::default(),
        }
    }

    /// What may be changed and read while it runs.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Answers one request: [`Service::call`] without the trait.
    pub fn answer(&self, request: Request<Body>) -> Answering {
        self.stack.enter(request)
    }
}

/// What may be changed and read while a gateway runs. Changes take effect for the next request; those
/// under way keep what they started with.
#[derive(Clone)]
pub struct Handle {
    table: Arc<ArcSwap<RouteTable>>,
    model_limits: Arc<ArcSwap<ModelLimits>>,
    failover: Arc<ArcSwap<FailoverSettings>>,
    stats: Arc<Stats>,
    suspects: Arc<Suspects>,
    registry: Registry,
    timeouts: Timeouts,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("stats", &self.stats).finish_non_exhaustive()
    }
}

impl Handle {
    /// Replaces all channels. Connections and breakers of channels that did not change go on.
    ///
    /// # Errors
    /// The channel and field at fault; nothing is changed then.
    pub fn set_channels(&self, channels: &[ChannelConfig]) -> Result<(), ChannelError> {
        let table = RouteTable::build(channels, &self.registry, &self.timeouts, Some(&self.table.load()))?;
        self.table.store(Arc::new(table));
        Ok(())
    }

    /// Replaces the limits per model.
    pub fn set_model_limits(&self, limits: ModelLimits) {
        self.model_limits.store(Arc::new(limits));
    }

    /// Replaces the bounds of failover.
    pub fn set_failover(&self, settings: FailoverSettings) {
        self.failover.store(Arc::new(settings));
    }

    /// The bounds of failover as they are now.
    #[must_use]
    pub fn failover(&self) -> FailoverSettings {
        **self.failover.load()
    }

    /// Replaces when breakers open and for how long: for those that are there too, from their next failure. A rest that has
    /// begun lasts as long as it was to last.
    pub fn set_breakers(&self, settings: BreakerSettings) {
        self.table.load().set_breakers(settings);
    }

    /// When breakers open and for how long, as it is now.
    #[must_use]
    pub fn breakers(&self) -> BreakerSettings {
        self.table.load().breakers()
    }

    /// The channels and models as they are now.
    #[must_use]
    pub fn table(&self) -> Arc<RouteTable> {
        self.table.load_full()
    }

    /// What is counted.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Which addresses were refused lately.
    #[must_use]
    pub fn suspects(&self) -> &Suspects {
        &self.suspects
    }
}

/// Builds a [`Gateway`].
pub struct GatewayBuilder {
    callers: Arc<dyn CallerStore>,
    registry: Registry,
    billing: Arc<dyn Billing>,
    timeouts: Timeouts,
    shed: ShedSettings,
    inspect: InspectSettings,
    failover: FailoverSettings,
    breakers: BreakerSettings,
    drains: DrainSettings,
    keep_alive: Option<Duration>,
    outside: Layers,
    inside: Layers,
    attempt: Layers,
}

impl fmt::Debug for GatewayBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatewayBuilder")
    }
}

/// A layer that an embedder may add: over [`InnerService`], with any error that can be boxed.
pub trait UserLayer: Layer<InnerService, Service: UserService> + Send + Sync + 'static {}
impl<L: Layer<InnerService, Service: UserService> + Send + Sync + 'static> UserLayer for L {}

/// The service of a [`UserLayer`].
pub trait UserService:
    Service<Request<Body>, Response = Response<Body>, Error: Into<BoxError>, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + 'static
{
}
impl<S> UserService for S where
    S: Service<Request<Body>, Response = Response<Body>, Error: Into<BoxError>, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static
{
}

impl GatewayBuilder {
    /// Who keeps the money. Without it nothing is charged and nothing recorded.
    #[must_use]
    pub fn billing(mut self, billing: Arc<dyn Billing>) -> GatewayBuilder {
        self.billing = billing;
        self
    }

    /// Time limits of upstream calls, for channels that set none of their own.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> GatewayBuilder {
        self.timeouts = timeouts;
        self
    }

    /// What may be in flight.
    #[must_use]
    pub fn shed(mut self, settings: ShedSettings) -> GatewayBuilder {
        self.shed = settings;
        self
    }

    /// The bounds on a body.
    #[must_use]
    pub fn inspect(mut self, settings: InspectSettings) -> GatewayBuilder {
        self.inspect = settings;
        self
    }

    /// The bounds of failover.
    #[must_use]
    pub fn failover(mut self, settings: FailoverSettings) -> GatewayBuilder {
        self.failover = settings;
        self
    }

    /// When breakers open and for how long.
    #[must_use]
    pub fn breakers(mut self, settings: BreakerSettings) -> GatewayBuilder {
        self.breakers = settings;
        self
    }

    /// The bounds on answers that are read on after their caller has gone, as
    /// [`AbortPolicy::Reported`](crate::AbortPolicy::Reported) asks for.
    #[must_use]
    pub fn drains(mut self, settings: DrainSettings) -> GatewayBuilder {
        self.drains = settings;
        self
    }

    /// After how long a silent stream gets a sign of life (15 s); `None` or zero: never.
    #[must_use]
    pub fn keep_alive(mut self, after: Option<Duration>) -> GatewayBuilder {
        self.keep_alive = after;
        self
    }

    /// A layer outside everything but `trace` and `rescue`: it sees every request, authenticated or not,
    /// and its errors become answers in the caller's dialect.
    #[must_use]
    pub fn layer_outside(mut self, layer: impl UserLayer) -> GatewayBuilder {
        self.outside.push(layer);
        self
    }

    /// A layer between `auth` and `limit`: it sees the caller, the envelope and the body.
    #[must_use]
    pub fn layer_inside(mut self, layer: impl UserLayer) -> GatewayBuilder {
        self.inside.push(layer);
        self
    }

    /// A layer around each attempt: it sees the lane, and the provider's answer before it is read.
    #[must_use]
    pub fn layer_attempt(mut self, layer: impl UserLayer) -> GatewayBuilder {
        self.attempt.push(layer);
        self
    }

    /// Stacks the layers, with these channels.
    ///
    /// # Errors
    /// The channel and field at fault.
    pub fn build(self, channels: &[ChannelConfig]) -> Result<Gateway, ChannelError> {
        let table = RouteTable::build(channels, &self.registry, &self.timeouts, None)?;
        table.set_breakers(self.breakers);
        let handle = Handle {
            table: Arc::new(ArcSwap::from_pointee(table)),
            model_limits: Arc::default(),
            failover: Arc::new(ArcSwap::from_pointee(self.failover)),
            stats: Arc::default(),
            suspects: Arc::default(),
            registry: self.registry.clone(),
            timeouts: self.timeouts,
        };
        handle.stats.drains.set(self.drains);
        let stack = self.stack(&handle);
        Ok(Gateway { stack: Arc::new(Shared(stack)), handle })
    }

    /// Innermost first; `layers` says why each stands where it does.
    fn stack(
        &self,
        handle: &Handle,
    ) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
    + use<> {
        let stats = &handle.stats;
        let attempt = PassthroughLayer.layer(SignLayer.layer(Transport));
        let attempt = self.attempt.wrap(attempt);
        let dispatch =
            FailoverLayer::live(handle.failover.clone()).billing(self.billing.clone()).layer(attempt);
        let dispatch = ReserveLayer::new(self.billing.clone()).layer(dispatch);
        let dispatch = RouteLayer.layer(dispatch);
        let dispatch = ReceiptsLayer::new(self.billing.clone()).layer(dispatch);
        let limited = LimitLayer::new(handle.model_limits.clone(), stats.clone()).layer(dispatch);
        let inside = self.inside.wrap(limited);
        let inspected = InspectLayer::new(self.inspect).layer(inside);
        let metered = MeterLayer::new(self.billing.clone(), stats.clone()).layer(inspected);
        let known = AuthLayer::new(self.callers.clone())
            .inspect(self.inspect)
            .suspects(handle.suspects.clone())
            .layer(metered);
        let classified = ClassifyLayer::new(handle.table.clone()).layer(known);
        let admitted = ShedLayer::new(self.shed, stats.clone()).layer(classified);
        let outside = self.outside.wrap(admitted);
        let rescued = RescueLayer::new(stats.clone()).keep_alive(self.keep_alive).layer(outside);
        TraceLayer.layer(rescued)
    }
}
