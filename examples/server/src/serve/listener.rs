//! Accepting connections: HTTP/1.1 and HTTP/2, clear or TLS, until told to stop.

use super::app::App;
use super::stall::{Activity, PATIENCE, Progressing};
use super::tls;
use crate::cli::CliResult;
use crate::config::ServerConfig;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// After a failure to accept (no file descriptors left), so that it does not spin.
const PAUSE: Duration = Duration::from_millis(100);

/// A bound port.
pub(super) struct Listener {
    tcp: TcpListener,
    addr: SocketAddr,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// Binds; nothing is accepted yet.
    ///
    /// # Errors
    /// When the port is taken, or certificate or key cannot be used.
    pub(super) async fn bind(config: &ServerConfig) -> CliResult<Listener> {
        let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
        let tcp = TcpListener::bind(config.listen)
            .await
            .map_err(|e| format!("cannot listen on {}: {e}", config.listen))?;
        let addr = tcp.local_addr()?;
        Ok(Listener { tcp, addr, tls })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Accepts until `stop`; returns when every connection has ended. On `force` they are dropped.
    pub(super) async fn run(
        self,
        app: App,
        mut stop: watch::Receiver<bool>,
        mut force: watch::Receiver<bool>,
    ) {
        let graceful = GracefulShutdown::new();
        let http = http();
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.tcp.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let (tcp, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            tracing::trace!(%peer, "a connection was accepted");
            // Without it the small frames of a stream wait for acknowledgements, 40 ms each.
            if let Err(error) = tcp.set_nodelay(true) {
                tracing::debug!(%error, "no TCP_NODELAY");
            }
            let activity = Arc::<Activity>::default();
            let app = app.at(peer, activity.clone());
            let connection = Connection { http: http.clone(), app, activity, watcher: graceful.watcher() };
            let tls = self.tls.clone();
            while connections.try_join_next().is_some() {}
            connections.spawn(connection.serve(tcp, tls));
        }
        drop(self.tcp);
        let forced = async { force.wait_for(|force| *force).await.is_ok() };
        tokio::select! {
            () = graceful.shutdown() => (),
            _ = forced => connections.shutdown().await,
        }
    }
}

fn http() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    // No timer of hyper's for heads: `Progressing` bounds them.
    http.http2().timer(TokioTimer::new()).keep_alive_interval(Some(Duration::from_secs(30)));
    http
}

struct Connection {
    http: auto::Builder<TokioExecutor>,
    app: App,
    activity: Arc<Activity>,
    watcher: hyper_util::server::graceful::Watcher,
}

impl Connection {
    async fn serve(self, tcp: TcpStream, tls: Option<TlsAcceptor>) {
        let tcp = Progressing::new(tcp, PATIENCE, self.activity.clone());
        match tls {
            None => self.drive(tcp).await,
            Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(tcp)).await {
                Ok(Ok(stream)) => self.drive(stream).await,
                Ok(Err(error)) => tracing::debug!(%error, "the TLS handshake failed"),
                Err(_) => tracing::debug!("the TLS handshake took too long"),
            },
        }
    }

    async fn drive(self, io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        // With upgrades: the console's pages live on web sockets.
        let connection = self.http.serve_connection_with_upgrades(TokioIo::new(io), self.app);
        if let Err(error) = self.watcher.watch(connection.into_owned()).await {
            tracing::debug!(%error, "a connection ended with an error");
        }
    }
}
