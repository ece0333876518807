//! What holds for every request: its host, its origin, and the headers of its response.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::auth::Auth;

/// The page runs its own script and style, shows its own pictures, and talks to its own server: nothing else.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                              base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Refuses a request to another host (a name that was made to point here), and a change that another site asks for.
pub async fn guard(State(auth): State<Arc<Auth>>, request: Request, next: Next) -> Response {
    let mut response = match refusal(&auth, &request) {
        None => next.run(request).await,
        Some(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn refusal(auth: &Auth, request: &Request) -> Option<(StatusCode, &'static str)> {
    let text = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    if !text(header::HOST).is_some_and(|host| auth.is_host(host)) {
        return Some((StatusCode::MISDIRECTED_REQUEST, "another host"));
    }
    let is_ours = match text(header::ORIGIN) {
        Some(origin) => auth.is_origin(origin),
        None => request.method() == Method::GET,
    };
    (!is_ours).then_some((StatusCode::FORBIDDEN, "another origin"))
}
