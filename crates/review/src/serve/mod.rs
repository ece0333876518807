//! The web server: a page, its pictures, and the answers. It listens on loopback alone, or behind a proxy that is named.

mod api;
mod auth;
mod guard;
mod page;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{context::Context, crops::Crops, journal::Journal, review::Review};
use axum::{
    Router, middleware,
    routing::{get, post},
};
use formread_page::{Limits, decoder_process::DecoderCommand, scans::Scan};
use formread_raster::error::{Error, Result};

pub use auth::Reviewers;

/// How long the server waits before it looks whether it should stop.
const STOP_INTERVAL: Duration = Duration::from_millis(200);

/// Options of the server.
pub struct ServeOptions {
    /// Where it listens; port 0 is any that is free.
    pub listen: SocketAddr,
    /// The origin by which people reach a proxy before it, such as `https://review.example.org`.
    pub proxy: Option<String>,
    /// Who may answer.
    pub reviewers: Reviewers,
    /// How much they may see.
    pub context: Context,
    /// The scans of the run.
    pub scans: Vec<Scan>,
    /// The limits on them.
    pub limits: Limits,
    /// Starts a decoding process. `None`: pages are decoded in this process.
    pub decoder: Option<DecoderCommand>,
    /// Ends the server once it is `true`.
    pub stop: Arc<AtomicBool>,
}

/// What all requests share.
struct Shared {
    review: Mutex<Review>,
    journal: Journal,
    crops: Crops,
    auth: auth::Auth,
    context: Context,
}

impl Shared {
    fn review(&self) -> MutexGuard<'_, Review> {
        self.review.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Time since 1970.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Serves a review until it is stopped. `started` is called with the address to open.
///
/// # Errors
/// `Usage` where it would listen beyond loopback without a proxy and a list of reviewers; `Io` where it cannot listen.
pub fn serve(review: Review, journal: Journal, options: ServeOptions, started: impl FnOnce(&str)) -> Result<()> {
    let ServeOptions { listen, proxy, reviewers, context, scans, limits, decoder, stop } = options;
    if !listen.ip().is_loopback() && (proxy.is_none() || !reviewers.is_listed()) {
        let error = Error::usage(format!("listens beyond this machine: {listen}"));
        return Err(error.with_hint("give --reviewers and the --proxy that is before it, or listen on 127.0.0.1"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let auth = auth::Auth::new(reviewers, address.port(), origins(address, proxy.as_deref()), proxy.is_some())?;
        let origin = auth.origin().to_owned();
        let token = auth.token().map(|token| format!("#{token}")).unwrap_or_default();
        let shared = Arc::new(Shared {
            review: Mutex::new(review),
            journal,
            crops: Crops::new(scans, limits, decoder),
            auth,
            context,
        });
        started(&format!("{origin}/{token}"));
        let stopped = async move {
            while !stop.load(Ordering::Relaxed) {
                tokio::time::sleep(STOP_INTERVAL).await;
            }
        };
        Ok(axum::serve(listener, router(shared)).with_graceful_shutdown(stopped).await?)
    })
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

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/review.js", get(page::script))
        .route("/value.js", get(page::value_script))
        .route("/review.css", get(page::style))
        .route("/texts.json", get(page::texts))
        .route("/icon.svg", get(page::icon))
        .route("/crop/{item}", get(api::crop))
        .route("/strip/{item}", get(api::strip))
        .route("/page/{item}", get(api::whole_page))
        .route("/api/enter", post(api::enter))
        .route("/api/hand", post(api::hand))
        .route("/api/answer", post(api::answer))
        .route("/api/undo", post(api::undo))
        .route("/api/later", post(api::later))
        .route("/api/rest", post(api::rest))
        .route("/api/summary", post(api::summary))
        .layer(middleware::from_fn_with_state(shared.clone(), guard::guard))
        .with_state(shared)
}
