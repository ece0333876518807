//! Pictures of fields, cut from their scans by threads of their own, and kept while there is room.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::{context::Context, params::MAX_CROP_BYTES, queue::ItemIdx};
use formread_page::{
    Limits, Page,
    decoder_process::{DecoderCommand, DecoderPool},
    scans::{Scan, read_file},
};
use formread_raster::{
    error::{Error, Result},
    geometry::Rect,
};
use formread_tools::evaluate::{cut_context, cut_field};

/// Maximum width and height of a field's picture, pixels.
const MAX_FIELD: [u32; 2] = [1100, 300];
/// The same of a strip, and of a page.
const MAX_STRIP: [u32; 2] = [1400, 420];
const MAX_PAGE: [u32; 2] = [1400, 2000];
/// Height of a strip, as a multiple of its field's.
const STRIP_HEIGHT: i64 = 5;
/// The middle of a picture.
const MIDDLE: [f64; 2] = [0.5; 2];
/// Threads that decode pages, and whether they work ahead. One does nothing else, at low priority; the others are there for those who wait.
const THREADS: [bool; 3] = [true, false, false];
/// Niceness of the thread that works ahead, and of its decoding process: answers get the processor first.
#[cfg(target_os = "linux")]
const NICE_AHEAD: i32 = 10;
/// Maximum number of pages that wait to be cut ahead.
const MAX_AHEAD: usize = 256;

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shown {
    /// A field, and so much of its page.
    Field(ItemIdx, Context),
    /// A page to see, by its index among them.
    Page(usize),
}

/// A picture.
#[derive(Debug, Clone)]
pub struct Picture {
    /// PNG.
    pub png: Arc<[u8]>,
    /// Where the middle of the field is, from left and from above, as shares of the picture's width and height.
    pub field: [f64; 2],
}

/// A field of a page, and the edges of its box on the scan as stored.
#[derive(Debug, Clone, Copy)]
pub struct FieldBox {
    /// The item.
    pub idx: ItemIdx,
    /// Left, top, right and bottom edge, pixels.
    pub bounds: [i64; 4],
    /// Quarter turns clockwise that bring it upright.
    pub quarter_turns: u8,
}

/// A page, and the fields on it that may be asked: their pictures are cut together, since the page is decoded.
pub struct PageFields {
    /// Index of its file among the run's, and of the page in it.
    pub place: (u32, u32),
    /// The file.
    pub scan: String,
    /// Finds its fields. The thread that cuts calls it, so that no answer waits for the readings of a page.
    pub boxes: FindBoxes,
    /// The picture that is wanted first.
    pub wanted: Shown,
}

/// Finds the fields of a page.
pub type FindBoxes = Box<dyn Fn() -> Result<PageBoxes> + Send>;

/// A page, and where its fields are.
pub struct PageBoxes {
    /// 1-based page in its file.
    pub page: u32,
    /// The fields; none where the page alone is to be seen.
    pub fields: Vec<FieldBox>,
}

/// What is called with a picture.
pub type Reply = Box<dyn FnOnce(Result<Picture, String>) + Send>;

/// Cuts pictures.
pub struct Crops {
    cutter: Arc<Cutter>,
}

#[derive(Default)]
struct Cache {
    pictures: HashMap<Shown, Picture>,
    /// First in, first out.
    order: VecDeque<Shown>,
    n_bytes: usize,
}

/// A page whose first picture somebody waits for.
struct Request {
    page: PageFields,
    reply: Reply,
}

/// What is to be cut.
#[derive(Default)]
struct Work {
    requests: VecDeque<Request>,
    /// Pages whose pictures are wanted soon. They are cut when nobody waits.
    ahead: VecDeque<PageFields>,
    /// Pages that are being cut, and requests for pictures of them.
    busy: HashMap<(u32, u32), Vec<Request>>,
    is_closed: bool,
}

/// What the threads share.
struct Cutter {
    paths: HashMap<String, PathBuf>,
    limits: Limits,
    decoder: Option<DecoderCommand>,
    cache: Mutex<Cache>,
    work: Mutex<Work>,
    has_work: Condvar,
}

impl Picture {
    fn new(png: Vec<u8>, field: [f64; 2]) -> Self {
        Self { png: png.into(), field }
    }
}

impl Crops {
    /// Cuts from these scans. Without `decoder` pages are decoded in this process.
    pub fn new(scans: Vec<Scan>, limits: Limits, decoder: Option<DecoderCommand>) -> Self {
        let paths = scans.into_iter().map(|scan| (scan.name, scan.path)).collect();
        let (cache, work, has_work) = (Mutex::default(), Mutex::default(), Condvar::new());
        let cutter = Arc::new(Cutter { paths, limits, decoder, cache, work, has_work });
        for works_ahead in THREADS {
            let cutter = cutter.clone();
            thread::spawn(move || cutter.work(works_ahead));
        }
        Self { cutter }
    }

    /// The picture, where it is there.
    pub fn cached(&self, shown: Shown) -> Option<Picture> {
        self.cutter.cached(shown)
    }

    /// Has the wanted picture of a page cut now.
    pub fn request(&self, page: PageFields, reply: Reply) {
        lock(&self.cutter.work).requests.push_back(Request { page, reply });
        self.cutter.has_work.notify_all();
    }

    /// Whether the pictures of a page are being cut, or will be.
    pub fn is_waiting(&self, place: (u32, u32)) -> bool {
        let work = lock(&self.cutter.work);
        work.busy.contains_key(&place) || work.ahead.iter().any(|page| page.place == place)
    }

    /// Has the pictures of a page cut when nobody waits for another one.
    pub fn cut_ahead(&self, page: PageFields) {
        let mut work = lock(&self.cutter.work);
        work.ahead.push_back(page);
        if work.ahead.len() > MAX_AHEAD {
            work.ahead.pop_front();
        }
        drop(work);
        self.cutter.has_work.notify_all();
    }
}

impl Drop for Crops {
    fn drop(&mut self) {
        lock(&self.cutter.work).is_closed = true;
        self.cutter.has_work.notify_all();
    }
}

impl Cutter {
    fn cached(&self, shown: Shown) -> Option<Picture> {
        lock(&self.cache).pictures.get(&shown).cloned()
    }

    fn work(&self, works_ahead: bool) {
        if works_ahead {
            let_others_go_first();
        }
        let pool = DecoderPool::new(&self.limits, self.decoder.as_ref());
        let mut last: Option<(String, Arc<[u8]>)> = None;
        while let Some((page, reply)) = self.next(works_ahead) {
            self.cut(&pool, &mut last, &page, reply);
            let waiting = lock(&self.work).busy.remove(&page.place).unwrap_or_default();
            // what could not be cut is tried again by itself, to know why
            lock(&self.work).requests.extend(waiting);
            self.has_work.notify_all();
        }
    }

    /// The next page, and who waits for its first picture. `None` once nothing is to be cut any more.
    fn next(&self, works_ahead: bool) -> Option<(PageFields, Option<Reply>)> {
        let mut work = lock(&self.work);
        loop {
            if work.is_closed {
                return None;
            }
            if !works_ahead && let Some(request) = work.requests.pop_front() {
                if let Some(waiting) = work.busy.get_mut(&request.page.place) {
                    waiting.push(request);
                    continue;
                }
                work.busy.insert(request.page.place, Vec::new());
                return Some((request.page, Some(request.reply)));
            }
            if works_ahead && let Some(page) = work.ahead.pop_front() {
                if let Entry::Vacant(free) = work.busy.entry(page.place) {
                    free.insert(Vec::new());
                    return Some((page, None));
                }
                continue;
            }
            work = self.has_work.wait(work).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Cuts the pictures of a page, the wanted one first.
    fn cut(
        &self,
        pool: &DecoderPool<'_>,
        last: &mut Option<(String, Arc<[u8]>)>,
        page: &PageFields,
        reply: Option<Reply>,
    ) {
        let wanted = self.cached(page.wanted);
        let decoded = match wanted {
            Some(_) if reply.is_none() => return,
            Some(_) => None,
            None => {
                Some((page.boxes)().and_then(|boxes| Ok((self.decode(pool, last, page, boxes.page)?, boxes.fields))))
            }
        };
        let picture = match (wanted, &decoded) {
            (Some(picture), _) => Ok(picture),
            (None, Some(Ok((decoded, fields)))) => {
                self.wanted(page.wanted, decoded, fields).map_err(|error| error.to_string())
            }
            (None, Some(Err(error))) => Err(error.to_string()),
            (None, None) => Err("the page was not decoded".to_owned()),
        };
        if let Some(reply) = reply {
            reply(picture);
        }
        let (Some(Ok((decoded, fields))), Shown::Field(_, Context::None)) = (&decoded, page.wanted) else { return };
        for field in fields {
            let shown = Shown::Field(field.idx, Context::None);
            if self.cached(shown).is_none() {
                // an error is found again when the picture is wanted
                let _ = self.keep(shown, picture_of(decoded, field, Context::None));
            }
            self.reply_to_waiting(page.place);
        }
    }

    fn decode(
        &self,
        pool: &DecoderPool<'_>,
        last: &mut Option<(String, Arc<[u8]>)>,
        page: &PageFields,
        number: u32,
    ) -> Result<Page> {
        if last.as_ref().is_none_or(|(name, _)| *name != page.scan) {
            let path = self.paths.get(&page.scan).ok_or_else(|| Error::usage("scan not found"))?;
            *last = Some((page.scan.clone(), read_file(path, &self.limits)?));
        }
        let (_, bytes) = last.as_ref().ok_or_else(|| Error::internal("a file was read and is gone"))?;
        pool.page(bytes, number.saturating_sub(1) as usize, &self.limits.page_deadline())
    }

    fn wanted(&self, wanted: Shown, decoded: &Page, fields: &[FieldBox]) -> Result<Picture> {
        let Shown::Field(idx, context) = wanted else { return self.keep(wanted, whole(decoded)) };
        let field = fields.iter().find(|field| field.idx == idx);
        let field = field.ok_or_else(|| Error::usage("the field is not among those of the page"))?;
        self.keep(wanted, picture_of(decoded, field, context))
    }

    /// Replies to those who wait for a picture of a page that is there now.
    fn reply_to_waiting(&self, place: (u32, u32)) {
        let mut work = lock(&self.work);
        let Some(waiting) = work.busy.get_mut(&place) else { return };
        let there: Vec<Request> =
            waiting.extract_if(.., |request| self.cached(request.page.wanted).is_some()).collect();
        drop(work);
        for Request { page, reply } in there {
            reply(self.cached(page.wanted).ok_or_else(|| "the picture was not kept".to_owned()));
        }
    }

    fn keep(&self, shown: Shown, picture: Result<Picture>) -> Result<Picture> {
        let picture = picture?;
        let mut cache = lock(&self.cache);
        cache.n_bytes += picture.png.len();
        cache.order.push_back(shown);
        if let Some(before) = cache.pictures.insert(shown, picture.clone()) {
            cache.n_bytes -= before.png.len();
        }
        while cache.n_bytes > MAX_CROP_BYTES {
            let Some(oldest) = cache.order.pop_front() else { break };
            if let Some(removed) = cache.pictures.remove(&oldest) {
                cache.n_bytes -= removed.png.len();
            }
        }
        Ok(picture)
    }
}

/// Lowers the priority of this thread and of the processes that it starts.
pub(crate) fn let_others_go_first() {
    // on Linux each thread has a priority of its own; it can always be lowered
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICE_AHEAD);
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A picture of a field: the field, a strip of the page with it, or the page.
fn picture_of(page: &Page, field: &FieldBox, context: Context) -> Result<Picture> {
    let [width, height] = page.stored_size.map(i64::from);
    let FieldBox { bounds, quarter_turns, .. } = *field;
    let [x0, y0, x1, y1] = bounds;
    // whether lines of writing run down the scan as stored
    let is_on_its_side = page.orientation.swaps_axes() != (quarter_turns % 2 == 1);
    let (shown, max_size) = match context {
        Context::None => return Ok(Picture::new(cut_field(page, bounds, quarter_turns, MAX_FIELD)?, MIDDLE)),
        Context::Strip if is_on_its_side => {
            let around = x1.saturating_sub(x0).saturating_mul((STRIP_HEIGHT - 1) / 2);
            ([x0.saturating_sub(around), 0, x1.saturating_add(around), height], MAX_STRIP)
        }
        Context::Strip => {
            let around = y1.saturating_sub(y0).saturating_mul((STRIP_HEIGHT - 1) / 2);
            ([0, y0.saturating_sub(around), width, y1.saturating_add(around)], MAX_STRIP)
        }
        Context::Page => ([0, 0, width, height], MAX_PAGE),
    };
    let png = cut_context(page, shown, bounds, quarter_turns, max_size)?;
    let at = field_of_page(page, bounds);
    let at = match context {
        Context::Page => at,
        // a strip has its field in the middle, across its lines
        _ if is_on_its_side != page.orientation.swaps_axes() => [MIDDLE[0], at[1]],
        _ => [at[0], MIDDLE[1]],
    };
    Ok(Picture::new(png, turned(at, quarter_turns)))
}

/// A picture of a page on which no field is asked.
fn whole(page: &Page) -> Result<Picture> {
    let [width, height] = page.stored_size.map(i64::from);
    Ok(Picture::new(cut_field(page, [0, 0, width, height], 0, MAX_PAGE)?, MIDDLE))
}

/// Where the middle of a box on the scan as stored is on the decoded page, as shares of its width and height.
fn field_of_page(page: &Page, bounds: [i64; 4]) -> [f64; 2] {
    let [x0, y0, x1, y1] = bounds.map(|edge| edge as f64);
    let field = page.page_bounds(Rect::from_edges(x0, y0, x1, y1));
    let share = |a: f64, b: f64, side: u32| ((a + b) / 2.0 / f64::from(side.max(1))).clamp(0.0, 1.0);
    [share(field.x0, field.x1, page.pixels.width()), share(field.y0, field.y1, page.pixels.height())]
}

/// Where a place on a picture is after quarter turns clockwise.
fn turned([x, y]: [f64; 2], quarter_turns: u8) -> [f64; 2] {
    match quarter_turns % 4 {
        0 => [x, y],
        1 => [1.0 - y, x],
        2 => [1.0 - x, 1.0 - y],
        _ => [y, 1.0 - x],
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::mpsc};

    use image::{GrayImage, ImageFormat, Luma};

    use super::*;

    /// A page, black on the left and white on the right, in a folder.
    fn crops_of_a_page() -> (tempfile::TempDir, PathBuf, Crops) {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("a.png");
        let page = GrayImage::from_fn(400, 300, |x, _| Luma([if x < 200 { 0 } else { 255 }]));
        page.save_with_format(&path, ImageFormat::Png).expect("the folder is writable");
        let scan = Scan { name: "a.png".to_owned(), path: path.clone() };
        (dir, path, Crops::new(vec![scan], Limits::default(), None))
    }

    /// Its fields: a black one, a white one, and one that is not on it.
    fn page_of(wanted: Shown, scan: &str) -> PageFields {
        let fields = [
            FieldBox { idx: 0, bounds: [10, 20, 110, 60], quarter_turns: 0 },
            FieldBox { idx: 1, bounds: [250, 20, 350, 60], quarter_turns: 0 },
            FieldBox { idx: 2, bounds: [900, 20, 950, 60], quarter_turns: 0 },
        ];
        let boxes: FindBoxes = Box::new(move || Ok(PageBoxes { page: 1, fields: fields.to_vec() }));
        PageFields { place: (u32::from(scan != "a.png"), 0), scan: scan.to_owned(), boxes, wanted }
    }

    fn cut(crops: &Crops, wanted: Shown, scan: &str) -> Result<Picture, String> {
        let (sender, receiver) = mpsc::channel();
        crops.request(page_of(wanted, scan), Box::new(move |picture| sender.send(picture).expect("it is awaited")));
        receiver.recv().expect("it comes")
    }

    #[test]
    fn fields_of_a_page_are_cut_together_and_kept() {
        let (_dir, path, crops) = crops_of_a_page();
        let cut = |wanted: Shown, scan: &str| cut(&crops, wanted, scan);
        let decoded = |picture: &Picture| image::load_from_memory(&picture.png).expect("it is a PNG").into_luma8();
        let black = decoded(&cut(Shown::Field(0, Context::None), "a.png").expect("it is on the page"));
        assert_eq!((black.get_pixel(20, 20)[0], black.height()), (0, 72));
        let white = cut(Shown::Field(1, Context::None), "a.png").expect("it is on the page");
        assert_eq!(decoded(&white).get_pixel(20, 20)[0], 255);
        let strip = decoded(&cut(Shown::Field(0, Context::Strip), "a.png").expect("it is on the page"));
        assert!(strip.width() == 400 && strip.height() > 100, "{:?}", strip.dimensions());
        assert!(
            cut(Shown::Field(2, Context::None), "a.png").expect_err("it is off the page").contains("not on the scan")
        );
        assert!(cut(Shown::Field(0, Context::Page), "b.png").expect_err("there is no such scan").contains("not found"));
        fs::remove_file(path).expect("the folder is writable");
        assert!(cut(Shown::Field(1, Context::None), "a.png").is_ok(), "it was kept");
    }

    #[test]
    fn picture_that_was_cut_ahead_is_there_and_one_of_a_busy_page_comes() {
        let (_dir, path, crops) = crops_of_a_page();
        crops.cut_ahead(page_of(Shown::Field(0, Context::None), "a.png"));
        // whether it waits for the page, or has it cut itself
        for idx in [1, 0] {
            assert!(cut(&crops, Shown::Field(idx, Context::None), "a.png").is_ok());
        }
        // until the last one of it was tried
        while crops.is_waiting((0, 0)) {
            thread::yield_now();
        }
        fs::remove_file(path).expect("the folder is writable");
        for idx in [1, 0] {
            assert!(crops.cached(Shown::Field(idx, Context::None)).is_some());
        }
    }

    #[test]
    fn middle_of_a_field_is_found_on_the_picture_of_its_page() {
        let mut page = Page::upright(GrayImage::from_pixel(400, 300, Luma([255])), None);
        // a dark field
        for (x, y) in (80..120).flat_map(|x| (85..95).map(move |y| (x, y))) {
            page.pixels.put_pixel(x, y, Luma([0]));
        }
        let pages = (0..4).map(|quarter_turns| (quarter_turns, Context::Page));
        // near the edge of the page a strip is cut off, and its field is not quite in the middle
        for (quarter_turns, context) in pages.chain([(0, Context::Strip)]) {
            let field = FieldBox { idx: 0, bounds: [80, 85, 120, 95], quarter_turns };
            let Picture { png, field: [x, y] } = picture_of(&page, &field, context).expect("it is on the page");
            let picture = image::load_from_memory(&png).expect("it is a PNG").into_luma8();
            let at = [x * f64::from(picture.width()), y * f64::from(picture.height())].map(|at| at as u32);
            assert_eq!(picture.get_pixel(at[0], at[1])[0], 0, "{quarter_turns} {context:?} {at:?}");
        }
        assert_eq!(whole(&page).expect("it has pixels").field, MIDDLE);
    }
}
