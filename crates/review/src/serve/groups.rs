//! The requests of groups of like digits, and the thread that cuts the digits.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Shared,
    api::{Failure, Hand, Reply, append, check_id, hand_of, session_of, wait},
    now,
};
use crate::{
    crops::let_others_go_first,
    digits::{DigitSource, add_digits},
    review::Review,
};
use formread_raster::error::Result;

/// How long the thread waits before it looks again for room for pictures.
const WAIT_FOR_ROOM: Duration = Duration::from_millis(200);

#[derive(Deserialize)]
pub struct GroupBody {
    id: String,
    group: u64,
    /// The crops that were struck, by their place in the group.
    struck: Vec<usize>,
}

/// Takes what was struck in a group.
pub async fn answer(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(GroupBody { id, group, struck }): Json<GroupBody>,
) -> Reply<Hand> {
    let session = session_of(&shared, &headers)?;
    check_id(&id)?;
    let (hand, stored) = {
        let mut review = shared.review();
        let event = review.answer_group(session, group, &id, &struck, now())??;
        // under the lock, so that the journal has the order of the review
        let stored = append(&shared, event);
        (hand_of(&shared, &mut review, session)?, stored)
    };
    wait(stored).await?;
    Ok(Json(hand))
}

/// The picture of a crop of the group before the session. Its address has nothing of its field.
pub async fn picture(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path((group, crop)): Path<(u64, usize)>,
) -> std::result::Result<Response, Failure> {
    let session = session_of(&shared, &headers)?;
    let png = shared.review().group_picture(session, group, crop);
    let png = png.ok_or_else(|| Failure::new(StatusCode::FORBIDDEN, "not-asked"))?;
    Ok(([(header::CONTENT_TYPE, "image/png")], png.to_vec()).into_response())
}

/// Starts the thread that cuts the digits. It ends once `stop` is `true`, or with an error: the fields that are left are keyed.
pub(super) fn cut(source: DigitSource, shared: &Arc<Shared>, stop: Arc<AtomicBool>) -> JoinHandle<Result<()>> {
    shared.review().set_digits_growing(true);
    let n_documents = shared.review().run().n_documents();
    let shared: Weak<Shared> = Arc::downgrade(shared);
    thread::spawn(move || {
        let_others_go_first();
        let lend = |take: &mut dyn FnMut(&mut Review) -> Result<()>| {
            loop {
                let shared = shared.upgrade().filter(|_| !stop.load(Ordering::Relaxed))?;
                let mut review = shared.review();
                if !review.has_digits_enough() {
                    return Some(take(&mut review));
                }
                drop(review);
                drop(shared);
                thread::sleep(WAIT_FOR_ROOM);
            }
        };
        let result = add_digits(&source, n_documents, lend);
        if let Some(shared) = shared.upgrade() {
            shared.review().set_digits_growing(false);
        }
        result
    })
}
