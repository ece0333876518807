//! The server of the editor: the page, the blank, and the requests of the page. It listens on loopback alone.

mod api;
mod page;

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};

use crate::{blank::Blank, file::SavedTemplate, verdicts::Checks};
use formread_core::form::{FormTemplate, parse_template};
use formread_page::{Limits, Page, scans::Scan};
use formread_raster::error::{Error, Result};
use formread_serve::{Auth, People, Server};

/// Largest request, bytes: a template, and what JSON adds to it.
const MAX_BODY_BYTES: usize = 16 << 20;

/// What is edited, and where the page is served.
pub struct EditOptions {
    /// Where it listens; port 0 is any that is free.
    pub listen: SocketAddr,
    /// The template, as the user named it.
    pub template: std::path::PathBuf,
    /// The file with the blank form, and the page in it, from 1.
    pub blank: Scan,
    /// From 1.
    pub page: u32,
    /// The limits on the blank.
    pub limits: Limits,
    /// The templates that are known anyway.
    pub known: Vec<FormTemplate>,
    /// Ends the server once it is `true`.
    pub stop: Arc<AtomicBool>,
}

/// What all requests share.
struct Shared {
    file: SavedTemplate,
    blank: Blank,
    checks: Checks,
    auth: Arc<Auth>,
}

/// Serves the editor of a template on `page`, its blank form, until it is stopped. `started` is called with the address to open.
///
/// # Errors
/// `Format` where the file is no template; `Usage` where it has no places, or it would listen beyond loopback; `Io`.
pub fn serve(page: &Page, options: EditOptions, started: impl FnOnce(&str)) -> Result<()> {
    let EditOptions { listen, template, blank, page: number, limits, known, stop } = options;
    if !listen.ip().is_loopback() {
        let error = Error::usage(format!("listens beyond this machine: {listen}"));
        return Err(error.with_hint("listen on 127.0.0.1"));
    }
    let path = template.to_string_lossy().into_owned();
    let file = SavedTemplate::open(&template)?;
    let text = file.read()?.text;
    crate::view::view(&text).map_err(|error| error.in_file(path.clone()))?;
    let laid = Blank::new(page, &parse_template(&text)?)?;
    let server = Server::bind(listen, None, People::One("editor".to_owned()))?;
    let checks = Checks { path, blank, page: number, limits, known };
    let shared = Arc::new(Shared { file, blank: laid, checks, auth: server.auth() });
    started(&server.address());
    server.run(router(shared), stop)
}

fn router(shared: Arc<Shared>) -> Router {
    page::routes()
        .route("/blank.png", get(api::blank))
        .route("/api/enter", post(api::enter))
        .route("/api/open", post(api::open))
        .route("/api/view", post(api::view))
        .route("/api/change", post(api::change))
        .route("/api/check", post(api::check))
        .route("/api/save", post(api::save))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(shared)
}
