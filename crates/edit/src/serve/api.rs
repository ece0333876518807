//! The requests of the page. Each that writes or reads something of the user's is a POST with JSON and needs a session.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Shared;
use crate::{
    change::{self, Change},
    file::{OnDisk, Save},
    keys::{FIELD_KEYS, FieldKey, SIDES},
    view::{self, View},
};
use formread_raster::{
    error::{Error, Result},
    hash::Sha256,
};
use formread_tools::template::Finding;

/// Why a request has no answer.
pub struct Failure {
    status: StatusCode,
    fault: Fault,
}

/// What is wrong, for a person, with the line of the text that it is in.
#[derive(Debug, Serialize)]
struct Fault {
    detail: String,
    hint: String,
    line: Option<usize>,
}

impl Failure {
    fn no_session() -> Self {
        let fault = Fault { detail: "no session".to_owned(), hint: String::new(), line: None };
        Self { status: StatusCode::UNAUTHORIZED, fault }
    }

    fn of(status: StatusCode, error: &Error) -> Self {
        let hint = error.hint().unwrap_or_default().to_owned();
        Self { status, fault: Fault { detail: error.kind().to_string(), hint, line: error.location().line } }
    }

    /// The user asks for what cannot be.
    fn refused(error: &Error) -> Self {
        Self::of(StatusCode::UNPROCESSABLE_ENTITY, error)
    }

    /// The machine fails.
    fn failed(error: &Error) -> Self {
        Self::of(StatusCode::INTERNAL_SERVER_ERROR, error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(self.fault)).into_response()
    }
}

type Reply<T> = std::result::Result<Json<T>, Failure>;

fn check_session(shared: &Shared, headers: &HeaderMap) -> std::result::Result<(), Failure> {
    shared.auth.session(headers).map(drop).ok_or_else(Failure::no_session)
}

/// Runs work that takes longer than a moment where it blocks nobody.
async fn unblocked<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> std::result::Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.unwrap_or_else(|error| Err(Error::internal(error.to_string())));
    done.map_err(|error| Failure::failed(&error))
}

#[derive(Deserialize)]
pub struct Enter {
    token: String,
}

/// Exchanges the token for a cookie; a page that has a cookie goes on with its session.
pub async fn enter(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Enter { token }): Json<Enter>,
) -> std::result::Result<Response, Failure> {
    if shared.auth.session(&headers).is_some() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    shared.auth.person(&token).ok_or_else(Failure::no_session)?;
    let (_, cookie) = shared.auth.begin().map_err(|error| Failure::failed(&error))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

#[derive(Deserialize)]
pub struct Nothing {}

/// What the page begins with.
#[derive(Serialize)]
pub struct Opened {
    /// The name of the file.
    file: String,
    #[serde(flatten)]
    on_disk: OnDisk,
    /// Why the template does not fit the blank.
    misfit: Option<String>,
    keys: &'static [FieldKey],
    sides: [&'static str; 5],
}

/// The file as it is on the disk.
pub async fn open(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Nothing {}): Json<Nothing>,
) -> Reply<Opened> {
    check_session(&shared, &headers)?;
    let on_disk = shared.file.read().map_err(|error| Failure::failed(&error))?;
    let misfit = shared.blank.misfit.clone();
    Ok(Json(Opened { file: shared.file.name(), on_disk, misfit, keys: &FIELD_KEYS, sides: SIDES }))
}

/// The blank form.
pub async fn blank(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> std::result::Result<Response, Failure> {
    check_session(&shared, &headers)?;
    Ok(([(header::CONTENT_TYPE, "image/png")], shared.blank.png.clone()).into_response())
}

#[derive(Deserialize)]
pub struct Text {
    text: String,
}

/// What a text looks like.
pub async fn view(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Text { text }): Json<Text>,
) -> Reply<View> {
    check_session(&shared, &headers)?;
    view::view(&text).map(Json).map_err(|error| Failure::refused(&error))
}

#[derive(Deserialize)]
pub struct Asked {
    text: String,
    change: Change,
}

/// A text after a change, and what it looks like.
#[derive(Serialize)]
pub struct After {
    text: String,
    field: Option<usize>,
    dropped: Vec<String>,
    view: View,
}

/// Makes a change of a text; writes nothing.
pub async fn change(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Asked { text, change }): Json<Asked>,
) -> Reply<After> {
    check_session(&shared, &headers)?;
    let changed = change::apply(&text, &change).and_then(|changed| Ok((view::view(&changed.text)?, changed)));
    let (view, change::Changed { text, field, dropped }) = changed.map_err(|error| Failure::refused(&error))?;
    Ok(Json(After { text, field, dropped, view }))
}

/// What `template check` finds in a text and on the blank.
pub async fn check(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Text { text }): Json<Text>,
) -> Reply<Vec<Finding>> {
    check_session(&shared, &headers)?;
    Ok(Json(unblocked(move || shared.checks.run(&text)).await?))
}

#[derive(Deserialize)]
pub struct SaveBody {
    text: String,
    /// What the file is to be before; `null`: not there.
    base: Option<Sha256>,
}

/// Writes a text that is a template into the file.
pub async fn save(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(SaveBody { text, base }): Json<SaveBody>,
) -> std::result::Result<Response, Failure> {
    check_session(&shared, &headers)?;
    view::view(&text).map_err(|error| Failure::refused(&error))?;
    Ok(match unblocked(move || shared.file.save(&text, base)).await? {
        Save::Done(sha256) => Json(json!({ "sha256": sha256 })).into_response(),
        Save::Changed(now) => (StatusCode::CONFLICT, Json(json!({ "now": now }))).into_response(),
    })
}
