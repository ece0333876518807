//! The requests of the page. A change is a POST with JSON; what it changed is on the disk before it is acknowledged.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{Shared, now};
use crate::{
    answer::{Answer, Refusal},
    audit::Audit,
    context::Context,
    crops::{FieldBox, PageBoxes, PageFields, Picture, Shown},
    journal::Event,
    params::FIELDS_AHEAD,
    queue::ItemIdx,
    review::{AskedGroup, Review},
    run::Run,
    solve::Place,
};
use formread_core::{
    assemble::{KeyedFault, keyed_value},
    form::{DateOrder, DecimalPoint, Field, FieldKind, FormTemplate},
};
use formread_raster::error::Error;

/// Most characters of an answer's identifier.
const MAX_ID: usize = 64;

/// Why a request has no answer.
pub struct Failure {
    status: StatusCode,
    word: String,
    detail: String,
}

impl Failure {
    pub(super) fn new(status: StatusCode, word: &str) -> Self {
        Self { status, word: word.to_owned(), detail: String::new() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, word: "fault".to_owned(), detail: error.to_string() }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let (status, word) = match refusal {
            Refusal::NoSession => (StatusCode::UNAUTHORIZED, "no-session"),
            Refusal::NoField => (StatusCode::NOT_FOUND, "no-field"),
            Refusal::AlreadyRead => (StatusCode::CONFLICT, "already-read"),
            Refusal::NoPage => (StatusCode::NOT_FOUND, "no-page"),
            Refusal::NoForm => (StatusCode::NOT_FOUND, "no-form"),
            Refusal::AlreadyDecided => (StatusCode::CONFLICT, "already-decided"),
            Refusal::NoGroup => (StatusCode::CONFLICT, "no-group"),
            Refusal::NothingToUndo => (StatusCode::CONFLICT, "nothing-to-undo"),
        };
        Self::new(status, word)
    }
}

impl From<KeyedFault> for Failure {
    fn from(fault: KeyedFault) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, fault.as_str())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self { status, word, detail } = self;
        (status, Json(serde_json::json!({ "fault": word, "detail": detail }))).into_response()
    }
}

pub(super) type Reply<T> = Result<Json<T>, Failure>;

/// What the page has to ask, and how far the review is.
#[derive(Serialize)]
pub struct Hand {
    fields: Vec<AskedField>,
    /// A group of like digits; then there are no fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<AskedGroup>,
    /// Fields that this person can read, and all that somebody must read.
    left: usize,
    left_for_all: usize,
    /// Fields that this session has put off.
    later: usize,
}

/// A field, as the page asks it: with nothing that was read.
#[derive(Serialize)]
struct AskedField {
    item: ItemIdx,
    /// Where its picture is.
    picture: String,
    /// Whether that shows the whole page: nobody knows where the field lies on it.
    is_page: bool,
    form: String,
    field: String,
    kind: &'static str,
    decimals: usize,
    /// Whether decimals are always written, with a point or without one.
    has_all_decimals: bool,
    is_signed: bool,
    order: &'static str,
    max_digits: usize,
    /// Those of a choice, in the order of its boxes.
    values: Vec<String>,
    /// What fillers alone mean; `None` where there are none.
    fillers_mean: Option<String>,
}

pub(super) fn hand_of(shared: &Shared, review: &mut Review, session: u64) -> Result<Hand, Failure> {
    let Some(who) = review.queue().who(session).map(str::to_owned) else { return Err(Refusal::NoSession.into()) };
    let group = review.deal_group(session, now());
    let dealt = if group.is_some() { Vec::new() } else { review.deal_fields(session, 1, now()) };
    let next = review.queue().free_for(session, FIELDS_AHEAD, now());
    cut_ahead(shared, review, [dealt.as_slice(), &next].concat());
    let fields = dealt.into_iter().filter_map(|idx| asked(review, idx)).collect();
    let (left_for_all, left) = review.queue().n_wanted(&who);
    let later = review.queue().n_later(session);
    Ok(Hand { fields, group, left, left_for_all, later })
}

fn asked(review: &Review, item: ItemIdx) -> Option<AskedField> {
    let (template, field) = review.kind(item)?;
    let (decimals, has_all_decimals, order) = match field.kind {
        FieldKind::Amount { decimals, point } => (decimals, point != DecimalPoint::Written, ""),
        FieldKind::Date { order, .. } => {
            let order = match order {
                DateOrder::DayMonthYear => "dmy",
                DateOrder::MonthDayYear => "mdy",
                DateOrder::YearMonthDay => "ymd",
            };
            (0, true, order)
        }
        FieldKind::Integer | FieldKind::Code | FieldKind::Mark { .. } | FieldKind::Choice { .. } => (0, true, ""),
    };
    let values = match &field.kind {
        FieldKind::Choice { values, .. } => values.clone(),
        _ => Vec::new(),
    };
    let fillers_mean = (!field.fillers.is_empty()).then(|| field.fillers_mean.clone().unwrap_or_default());
    let page = review.page_of(item);
    Some(AskedField {
        item,
        picture: page.map_or_else(|| format!("/crop/{item}"), |page| format!("/seen/{page}")),
        is_page: page.is_some(),
        form: template.title.clone(),
        field: field.name.clone(),
        kind: field.kind.as_str(),
        decimals,
        has_all_decimals,
        is_signed: field.is_signed,
        order,
        max_digits: field.digits.max,
        values,
        fillers_mean,
    })
}

pub(super) fn session_of(shared: &Shared, headers: &HeaderMap) -> Result<u64, Failure> {
    shared.auth.session(headers).ok_or_else(|| Refusal::NoSession.into())
}

#[derive(Deserialize)]
pub struct Enter {
    token: String,
}

/// Exchanges a token for a cookie; a page that has a cookie goes on with its session.
pub async fn enter(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Enter { token }): Json<Enter>,
) -> Result<Response, Failure> {
    let known =
        shared.auth.session(&headers).and_then(|session| shared.review().queue().who(session).map(str::to_owned));
    let person = shared.auth.person(&token).map(str::to_owned);
    let (who, cookie) = match (person, known) {
        (Some(who), known) if known.as_ref() != Some(&who) => {
            let (session, cookie) = shared.auth.begin()?;
            shared.review().queue().open(session, &who, now());
            (who, Some(cookie))
        }
        (_, Some(who)) => (who, None),
        (_, None) => return Err(Failure::new(StatusCode::UNAUTHORIZED, "no-session")),
    };
    let body = Json(serde_json::json!({ "who": who, "context": shared.context }));
    Ok(match cookie {
        Some(cookie) => ([(header::SET_COOKIE, cookie)], body).into_response(),
        None => body.into_response(),
    })
}

/// A request without a body.
#[derive(Deserialize)]
pub struct Nothing {}

/// What there is to ask.
pub async fn hand(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Nothing {}): Json<Nothing>,
) -> Reply<Hand> {
    let session = session_of(&shared, &headers)?;
    let mut review = shared.review();
    let hand = hand_of(&shared, &mut review, session)?;
    if !hand.fields.is_empty() || hand.group.is_some() || hand.later == 0 {
        return Ok(Json(hand));
    }
    review.queue().recall(session);
    Ok(Json(hand_of(&shared, &mut review, session)?))
}

/// Checks the identifier of a change.
pub(super) fn check_id(id: &str) -> Result<(), Failure> {
    match id.is_empty() || id.len() > MAX_ID {
        true => Err(Failure::new(StatusCode::BAD_REQUEST, "no-identifier")),
        false => Ok(()),
    }
}

#[derive(Deserialize)]
pub struct AnswerBody {
    id: String,
    item: ItemIdx,
    #[serde(flatten)]
    said: Said,
}

/// What was keyed, or which key was pressed instead.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Said {
    Keyed(String),
    Key(OtherKey),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OtherKey {
    Blank,
    Illegible,
}

/// Takes an answer.
pub async fn answer(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(body): Json<AnswerBody>,
) -> Reply<Hand> {
    let session = session_of(&shared, &headers)?;
    check_id(&body.id)?;
    let (hand, stored) = {
        let mut review = shared.review();
        let answer = match &body.said {
            Said::Key(OtherKey::Blank) => Answer::Blank,
            Said::Key(OtherKey::Illegible) => Answer::Illegible,
            Said::Keyed(text) => {
                let (_, field) = review.kind(body.item).ok_or(Refusal::NoField)?;
                Answer::Value(keyed_value(field, text)?)
            }
        };
        let event = review.answer(session, body.item, &body.id, answer, now())??;
        // under the lock, so that the journal has the order of the review
        let stored = append(&shared, event);
        (hand_of(&shared, &mut review, session)?, stored)
    };
    wait(stored).await?;
    Ok(Json(hand))
}

/// Takes back the last answer.
pub async fn undo(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Nothing {}): Json<Nothing>,
) -> Reply<Hand> {
    let session = session_of(&shared, &headers)?;
    let (hand, stored) = {
        let mut review = shared.review();
        let event = review.undo(session, now())??;
        let stored = append(&shared, Some(event));
        (hand_of(&shared, &mut review, session)?, stored)
    };
    wait(stored).await?;
    Ok(Json(hand))
}

pub(super) fn append(shared: &Shared, event: Option<Event>) -> oneshot::Receiver<Result<(), String>> {
    let (sender, receiver) = oneshot::channel();
    // the page may have gone: then nobody waits
    let done = Box::new(move |stored| drop(sender.send(stored)));
    match event {
        Some(event) => shared.journal.append(event, done),
        None => shared.journal.sync(done),
    }
    receiver
}

pub(super) async fn wait(stored: oneshot::Receiver<Result<(), String>>) -> Result<(), Failure> {
    let failure =
        |detail: String| Failure { status: StatusCode::SERVICE_UNAVAILABLE, word: "not-stored".to_owned(), detail };
    stored.await.unwrap_or_else(|_| Err("the journal is closed".to_owned())).map_err(failure)
}

#[derive(Deserialize)]
pub struct ItemBody {
    item: ItemIdx,
}

/// Puts a field off.
pub async fn later(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(ItemBody { item }): Json<ItemBody>,
) -> Reply<Hand> {
    let session = session_of(&shared, &headers)?;
    let mut review = shared.review();
    review.queue().put_off(session, item);
    Ok(Json(hand_of(&shared, &mut review, session)?))
}

/// Lets others have what is in the hand: the page was left.
pub async fn rest(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Nothing {}): Json<Nothing>,
) -> Result<StatusCode, Failure> {
    let session = session_of(&shared, &headers)?;
    shared.review().rest(session);
    Ok(StatusCode::NO_CONTENT)
}

/// What the page shows at the end.
#[derive(Serialize)]
pub struct Summary {
    audit: Audit,
    /// How many pages have more than fields to key and are not decided, by reason.
    pages_to_see: BTreeMap<String, u64>,
    /// Whether people may see pages and decide. Otherwise they do not see names of scans.
    may_see_pages: bool,
}

/// What the audit has found, and how many pages are to be seen.
pub async fn summary(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(Nothing {}): Json<Nothing>,
) -> Reply<Summary> {
    session_of(&shared, &headers)?;
    let mut review = shared.review();
    let audit = Audit::of(review.queue().items());
    let counts = review.pages_to_see().open_by_reason().into_iter().map(|(reason, n)| (reason.to_owned(), n)).collect();
    Ok(Json(Summary { audit, pages_to_see: counts, may_see_pages: shared.context == Context::Page }))
}

/// The picture of a field.
pub async fn crop(shared: State<Arc<Shared>>, headers: HeaderMap, item: Path<ItemIdx>) -> Result<Response, Failure> {
    Ok(png(pictured(&shared, &headers, item.0, Context::None).await?))
}

/// The picture of a strip of its page.
pub async fn strip(shared: State<Arc<Shared>>, headers: HeaderMap, item: Path<ItemIdx>) -> Result<Response, Failure> {
    Ok(png(pictured(&shared, &headers, item.0, Context::Strip).await?))
}

/// The picture of its page.
pub async fn whole_page(
    shared: State<Arc<Shared>>,
    headers: HeaderMap,
    item: Path<ItemIdx>,
) -> Result<Response, Failure> {
    Ok(png(pictured(&shared, &headers, item.0, Context::Page).await?))
}

/// A field, and how much of its page is shown.
#[derive(Deserialize)]
pub struct PlaceBody {
    item: ItemIdx,
    context: Context,
}

/// Where the middle of a field is on a picture of more than the field: shares of its width and height.
pub async fn place(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(PlaceBody { item, context }): Json<PlaceBody>,
) -> Reply<[f64; 2]> {
    let of_form = {
        let review = shared.review();
        review.page_of(item).and_then(|_| review.kind(item)).map(|(template, field)| place_on(template, field))
    };
    if let Some(of_form) = of_form {
        session_of(&shared, &headers)?;
        return Ok(Json(of_form));
    }
    Ok(Json(pictured(&shared, &headers, item, context).await?.field))
}

/// Where the middle of a field is on its form.
fn place_on(template: &FormTemplate, field: &Field) -> [f64; 2] {
    let (page, field) = (template.bounds(), field.layout.bounds());
    let share = |a: f64, b: f64, from: f64, to: f64| (((a + b) / 2.0 - from) / (to - from)).clamp(0.0, 1.0);
    [share(field.x0, field.x1, page.x0, page.x1), share(field.y0, field.y1, page.y0, page.y1)]
}

/// A picture of a field that the session has in its hand.
async fn pictured(shared: &Shared, headers: &HeaderMap, item: ItemIdx, context: Context) -> Result<Picture, Failure> {
    let session = session_of(shared, headers)?;
    let receiver = {
        let mut review = shared.review();
        if context > shared.context || !review.queue().holds(session, item) {
            return Err(Failure::new(StatusCode::FORBIDDEN, "not-asked"));
        }
        let wanted = Shown::Field(item, context);
        if let Some(picture) = shared.crops.cached(wanted) {
            return Ok(picture);
        }
        cut(shared, fields_of_page(&review, item, wanted)?)
    };
    cut_by(receiver).await
}

/// Has a picture cut.
pub(super) fn cut(shared: &Shared, page: PageFields) -> oneshot::Receiver<Result<Picture, String>> {
    let (sender, receiver) = oneshot::channel();
    shared.crops.request(page, Box::new(move |picture| drop(sender.send(picture))));
    receiver
}

/// Has the pictures of fields cut that are asked soon.
pub(super) fn cut_ahead(shared: &Shared, review: &Review, items: impl IntoIterator<Item = ItemIdx>) {
    for item in items {
        let Some(of) = review.item(item).filter(|_| review.page_of(item).is_none()) else { continue };
        let wanted = Shown::Field(item, Context::None);
        if shared.crops.cached(wanted).is_some() || shared.crops.is_waiting((of.document, of.place.page)) {
            continue;
        }
        // an error is found again when the picture is wanted
        if let Ok(page) = fields_of_page(review, item, wanted) {
            shared.crops.cut_ahead(page);
        }
    }
}

/// The picture that is cut.
pub(super) async fn cut_by(receiver: oneshot::Receiver<Result<Picture, String>>) -> Result<Picture, Failure> {
    let cut = receiver.await.unwrap_or_else(|_| Err("no thread cuts pictures".to_owned()));
    cut.map_err(|detail| Failure { status: StatusCode::NOT_FOUND, word: "no-picture".to_owned(), detail })
}

pub(super) fn png(picture: Picture) -> Response {
    ([(header::CONTENT_TYPE, "image/png")], picture.png.to_vec()).into_response()
}

/// The page of an item, and all fields on it that may be asked.
fn fields_of_page(review: &Review, item: ItemIdx, wanted: Shown) -> Result<PageFields, Failure> {
    let of = review.item(item).ok_or(Refusal::NoField)?;
    let (document, page) = (of.document, of.place.page);
    let n_fields = review.kind(item).map_or(0, |(template, _)| template.fields.len() as u32);
    let items: Vec<(usize, ItemIdx)> = (0..n_fields)
        .filter_map(|field| Some((field as usize, review.idx_at(document, Place { page, field })?)))
        .collect();
    let (scan, run) = (review.run().scan(document).0.to_owned(), review.run().clone());
    let boxes = Box::new(move || boxes_of(&run, document, page as usize, &items));
    Ok(PageFields { place: (document, page), scan, boxes, wanted })
}

/// Where the fields of a page are, by their index and item.
fn boxes_of(run: &Run, document: u32, page_idx: usize, items: &[(usize, ItemIdx)]) -> Result<PageBoxes, Error> {
    let pages = run.pages(document)?;
    let page = pages.get(page_idx).ok_or_else(|| Error::internal("an item is in no page"))?;
    let of_item = |&(field, idx): &(usize, ItemIdx)| {
        let (row, readings) = (page.fields.get(field)?, page.readings.get(field)?);
        Some(FieldBox { idx, bounds: row.bounds, quarter_turns: readings.quarter_turns })
    };
    Ok(PageBoxes { page: page.page, fields: items.iter().filter_map(of_item).collect() })
}
