//! The requests of the list of pages that have more than fields to key. Only where people may see pages.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::{Deserialize, Serialize};

use super::{
    Shared,
    api::{Failure, Nothing, Reply, append, check_id, cut, cut_by, png, session_of, wait},
    now,
};
use crate::{
    answer::{Decision, Refusal},
    context::Context,
    crops::{PageBoxes, PageFields, Shown},
    pages::PageToSee,
    review::Review,
};

/// Most pages that the page lists.
const MAX_LISTED: usize = 200;

/// A page of the list.
#[derive(Serialize)]
struct ListedPage {
    idx: usize,
    #[serde(flatten)]
    page: PageToSee,
    /// Whether a form can be chosen for it.
    can_be_keyed: bool,
}

/// A form.
#[derive(Serialize)]
struct ListedForm {
    name: String,
    title: String,
}

/// The pages, those first that nobody has decided.
#[derive(Serialize)]
pub struct List {
    pages: Vec<ListedPage>,
    /// Those that can be chosen.
    forms: Vec<ListedForm>,
    /// How many nobody has decided, and all.
    open: usize,
    all: usize,
}

fn list_of(review: &Review) -> List {
    let all = review.pages_to_see().all();
    let with_idx = || all.iter().enumerate();
    let open = with_idx().filter(|(_, page)| page.decided.is_none());
    let decided = with_idx().filter(|(_, page)| page.decided.is_some());
    let listed = open.clone().chain(decided).take(MAX_LISTED);
    let listed_page =
        |(idx, page): (usize, &PageToSee)| ListedPage { idx, page: page.clone(), can_be_keyed: page.can_be_keyed() };
    let pages = listed.map(listed_page).collect();
    let forms = review.forms().map(|(name, title)| ListedForm { name: name.to_owned(), title: title.to_owned() });
    List { pages, forms: forms.collect(), open: open.count(), all: all.len() }
}

/// The session, where it may see pages.
fn session_with_pages(shared: &Shared, headers: &HeaderMap) -> Result<u64, Failure> {
    let session = session_of(shared, headers)?;
    if shared.context == Context::Page {
        return Ok(session);
    }
    Err(Failure::new(StatusCode::FORBIDDEN, "not-asked"))
}

/// The list.
pub async fn list(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Nothing {}): Json<Nothing>,
) -> Reply<List> {
    session_with_pages(&shared, &headers)?;
    Ok(Json(list_of(&shared.review())))
}

#[derive(Deserialize)]
pub struct DecisionBody {
    id: String,
    page: usize,
    decision: Decision,
}

/// Takes a decision.
pub async fn decide(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(DecisionBody { id, page, decision }): Json<DecisionBody>,
) -> Reply<List> {
    let session = session_with_pages(&shared, &headers)?;
    check_id(&id)?;
    let (list, stored) = {
        let mut review = shared.review();
        let event = review.decide(session, page, &id, decision, now())??;
        (list_of(&review), append(&shared, event))
    };
    wait(stored).await?;
    Ok(Json(list))
}

#[derive(Deserialize)]
pub struct PageBody {
    page: usize,
}

/// Takes back a decision.
pub async fn take_back(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(PageBody { page }): Json<PageBody>,
) -> Reply<List> {
    let session = session_with_pages(&shared, &headers)?;
    let (list, stored) = {
        let mut review = shared.review();
        let events = review.take_back_decision(session, page, now())??;
        let stored: Vec<_> = events.into_iter().map(|event| append(&shared, Some(event))).collect();
        (list_of(&review), stored)
    };
    for stored in stored {
        wait(stored).await?;
    }
    Ok(Json(list))
}

/// The picture of a page.
pub async fn picture(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(page): Path<usize>,
) -> Result<Response, Failure> {
    session_with_pages(&shared, &headers)?;
    let wanted = Shown::Page(page);
    if let Some(picture) = shared.crops.cached(wanted) {
        return Ok(png(picture));
    }
    let receiver = {
        let review = shared.review();
        let of = review.pages_to_see().all().get(page).ok_or(Refusal::NoPage)?;
        let (place, scan) = (of.place, of.scan.clone());
        let page = of.page;
        let boxes = Box::new(move || Ok(PageBoxes { page, fields: Vec::new() }));
        cut(&shared, PageFields { place, scan, boxes, wanted })
    };
    Ok(png(cut_by(receiver).await?))
}
