//! What the floor, the upstream and the load have in common: one thread, one listener.

use std::{future::Future, net::SocketAddr};

use tokio::net::{TcpListener, TcpStream};

use crate::Error;

/// Runs `future` on a runtime of one thread.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

/// Accepts for ever, without Nagle's delay, and spawns what `serve` makes of each connection.
pub(crate) async fn accept<F, Fut>(listen: SocketAddr, serve: F) -> Result<(), Error>
where
    F: Fn(TcpStream) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(listen).await.map_err(|e| format!("cannot listen on {listen}: {e}"))?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(serve(stream));
    }
}

/// An address on loopback that nothing listens on just now.
pub(crate) fn free_address() -> Result<SocketAddr, Error> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}
