//! The web server: a page, its pictures, and the answers. It listens on loopback alone, or behind a proxy that is named.

mod api;
mod groups;
mod page;
mod pages;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{context::Context, crops::Crops, digits::DigitSource, journal::Journal, review::Review};
use axum::{
    Router,
    routing::{get, post},
};
use formread_page::{Limits, decoder_process::DecoderCommand, scans::Scan};
use formread_raster::error::{Error, Result};
use formread_serve::{Auth, People, Server};

/// Options of the server.
pub struct ServeOptions {
    /// Where it listens; port 0 is any that is free.
    pub listen: SocketAddr,
    /// The origin by which people reach a proxy before it, such as `https://review.example.org`.
    pub proxy: Option<String>,
    /// Who may answer.
    pub reviewers: People,
    /// How much they may see.
    pub context: Context,
    /// The scans of the run.
    pub scans: Vec<Scan>,
    /// The limits on them.
    pub limits: Limits,
    /// Starts a decoding process. `None`: pages are decoded in this process.
    pub decoder: Option<DecoderCommand>,
    /// Cuts digits for groups of like ones. `None`: there are no groups.
    pub groups: Option<DigitSource>,
    /// Ends the server once it is `true`.
    pub stop: Arc<AtomicBool>,
}

/// What all requests share.
struct Shared {
    review: Mutex<Review>,
    journal: Journal,
    crops: Crops,
    auth: Arc<Auth>,
    context: Context,
}

impl Shared {
    fn review(&self) -> MutexGuard<'_, Review> {
        self.review.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many fields have their pictures cut before anybody asks.
const FIRST_FIELDS: usize = 64;

/// Time since 1970.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Serves a review until it is stopped. `started` is called with the address to open.
///
/// # Errors
/// `Usage` where it would listen beyond loopback without a proxy and a list of reviewers; `Io` where it cannot listen.
pub fn serve(mut review: Review, journal: Journal, options: ServeOptions, started: impl FnOnce(&str)) -> Result<()> {
    let ServeOptions { listen, proxy, reviewers, context, scans, limits, decoder, groups: digits, stop } = options;
    let server = Server::bind(listen, proxy.as_deref(), reviewers)?;
    let first = review.queue().first(FIRST_FIELDS);
    let shared = Arc::new(Shared {
        review: Mutex::new(review),
        journal,
        crops: Crops::new(scans, limits, decoder),
        auth: server.auth(),
        context,
    });
    api::cut_ahead(&shared, &shared.review(), first);
    let cutter = digits.map(|digits| groups::cut(digits, &shared, stop.clone()));
    started(&server.address());
    let result = server.run(router(shared), stop.clone());
    stop.store(true, Ordering::Relaxed);
    let cut = cutter.map_or(Ok(()), |cutter| {
        cutter.join().unwrap_or_else(|_| Err(Error::internal("the thread that cuts digits panicked")))
    });
    result.and(cut)
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/review.js", get(page::script))
        .route("/value.js", get(page::value_script))
        .route("/pages.js", get(page::pages_script))
        .route("/groups.js", get(page::groups_script))
        .route("/review.css", get(page::style))
        .route("/texts.json", get(page::texts))
        .route("/icon.svg", get(page::icon))
        .route("/crop/{item}", get(api::crop))
        .route("/strip/{item}", get(api::strip))
        .route("/page/{item}", get(api::whole_page))
        .route("/seen/{page}", get(pages::picture))
        .route("/api/enter", post(api::enter))
        .route("/api/hand", post(api::hand))
        .route("/api/answer", post(api::answer))
        .route("/digit/{group}/{crop}", get(groups::picture))
        .route("/api/group", post(groups::answer))
        .route("/api/undo", post(api::undo))
        .route("/api/later", post(api::later))
        .route("/api/rest", post(api::rest))
        .route("/api/summary", post(api::summary))
        .route("/api/place", post(api::place))
        .route("/api/pages", post(pages::list))
        .route("/api/page", post(pages::decide))
        .route("/api/page/take-back", post(pages::take_back))
        .with_state(shared)
}
