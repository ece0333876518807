//! The server: it listens on loopback alone, or behind a proxy that is named.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, middleware};
use tokio::{net::TcpListener, runtime::Runtime};

use super::{
    auth::{Auth, People},
    guard::guard,
};
use formread_raster::error::{Error, Result};

/// How long the server waits before it looks whether it should stop.
const STOP_INTERVAL: Duration = Duration::from_millis(200);

/// A server that listens, and does not yet answer.
pub struct Server {
    runtime: Runtime,
    listener: TcpListener,
    auth: Arc<Auth>,
}

impl Server {
    /// Listens on `listen`; port 0 is any that is free. `proxy` is the origin by which people reach a proxy before it, such as
    /// `https://review.example.org`.
    ///
    /// # Errors
    /// `Usage` where it would listen beyond loopback without a proxy and a list of people; `Io` where it cannot listen.
    pub fn bind(listen: SocketAddr, proxy: Option<&str>, people: People) -> Result<Self> {
        if !listen.ip().is_loopback() && (proxy.is_none() || !people.is_listed()) {
            let error = Error::usage(format!("listens beyond this machine: {listen}"));
            return Err(error.with_hint("give --reviewers and the --proxy that is before it, or listen on 127.0.0.1"));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(listen))?;
        let address = listener.local_addr()?;
        let auth = Auth::new(people, address.port(), origins(address, proxy), proxy.is_some())?;
        Ok(Self { runtime, listener, auth: Arc::new(auth) })
    }

    /// Who may enter.
    pub fn auth(&self) -> Arc<Auth> {
        self.auth.clone()
    }

    /// The address to open, with the token that was made.
    pub fn address(&self) -> String {
        let token = self.auth.token().map(|token| format!("#{token}")).unwrap_or_default();
        format!("{}/{token}", self.auth.origin())
    }

    /// Answers by `router` until `stop` is `true`.
    ///
    /// # Errors
    /// `Io`.
    pub fn run(self, router: Router, stop: Arc<AtomicBool>) -> Result<()> {
        let Self { runtime, listener, auth } = self;
        let router = router.layer(middleware::from_fn_with_state(auth, guard));
        let stopped = async move {
            while !stop.load(Ordering::Relaxed) {
                tokio::time::sleep(STOP_INTERVAL).await;
            }
        };
        Ok(runtime.block_on(async { axum::serve(listener, router).with_graceful_shutdown(stopped).await })?)
    }
}

/// The origins by which the server is reached, the one for people first.
fn origins(address: SocketAddr, proxy: Option<&str>) -> Vec<String> {
    let port = address.port();
    let own = match address.ip() {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => vec![format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}")],
        _ => vec![format!("http://{address}")],
    };
    match proxy {
        Some(proxy) => vec![proxy.trim_end_matches('/').to_owned()],
        None => own,
    }
}
