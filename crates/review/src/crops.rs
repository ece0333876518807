//! Pictures of fields, cut from their scans by threads of their own, and kept while there is room.

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
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
/// Threads that decode pages: a page is decoded while a field of the page before is keyed.
const N_THREADS: usize = 2;

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

/// What is called with a picture.
pub type Reply = Box<dyn FnOnce(Result<Picture, String>) + Send>;

/// A request for a picture of one of the fields of a page. The pictures of the others are cut at the same time, since the page is
/// decoded.
pub struct Request {
    /// The file.
    pub scan: String,
    /// 1-based page in it.
    pub page: u32,
    /// All fields of the page that may be asked; none where the page alone is to be seen.
    pub fields: Vec<FieldBox>,
    /// The one that is wanted.
    pub wanted: Shown,
    /// Is called with its picture.
    pub reply: Reply,
}

/// Cuts pictures.
pub struct Crops {
    requests: Sender<Request>,
    cache: Arc<Mutex<Cache>>,
}

#[derive(Default)]
struct Cache {
    pictures: HashMap<Shown, Picture>,
    /// First in, first out.
    order: VecDeque<Shown>,
    n_bytes: usize,
}

/// What a thread cuts from.
struct Cutter {
    paths: HashMap<String, PathBuf>,
    limits: Limits,
    decoder: Option<DecoderCommand>,
    cache: Arc<Mutex<Cache>>,
    requests: Mutex<Receiver<Request>>,
}

impl Picture {
    fn new(png: Vec<u8>, field: [f64; 2]) -> Self {
        Self { png: png.into(), field }
    }
}

impl Crops {
    /// Cuts from these scans. Without `decoder` pages are decoded in this process.
    pub fn new(scans: Vec<Scan>, limits: Limits, decoder: Option<DecoderCommand>) -> Self {
        let cache = Arc::new(Mutex::new(Cache::default()));
        let (sender, receiver) = mpsc::channel();
        let paths = scans.into_iter().map(|scan| (scan.name, scan.path)).collect();
        let cutter = Arc::new(Cutter { paths, limits, decoder, cache: cache.clone(), requests: Mutex::new(receiver) });
        for _ in 0..N_THREADS {
            let cutter = cutter.clone();
            thread::spawn(move || cutter.work());
        }
        Self { requests: sender, cache }
    }

    /// The picture, where it is there.
    pub fn cached(&self, shown: Shown) -> Option<Picture> {
        lock(&self.cache).pictures.get(&shown).cloned()
    }

    /// Requests a picture.
    pub fn request(&self, request: Request) {
        if let Err(unsent) = self.requests.send(request) {
            (unsent.0.reply)(Err("no thread cuts pictures".to_owned()));
        }
    }
}

impl Cutter {
    fn work(&self) {
        let pool = DecoderPool::new(&self.limits, self.decoder.as_ref());
        let mut last: Option<(String, Arc<[u8]>)> = None;
        loop {
            let request = match self.requests.lock().unwrap_or_else(PoisonError::into_inner).recv() {
                Ok(request) => request,
                Err(_) => return,
            };
            let Request { scan, page, fields, wanted, reply } = request;
            let cached = lock(&self.cache).pictures.get(&wanted).cloned();
            let picture = match cached {
                Some(picture) => Ok(picture),
                None => self.cut(&pool, &mut last, &scan, page, &fields, wanted),
            };
            reply(picture.map_err(|error| error.to_string()));
        }
    }

    fn cut(
        &self,
        pool: &DecoderPool<'_>,
        last: &mut Option<(String, Arc<[u8]>)>,
        scan: &str,
        page: u32,
        fields: &[FieldBox],
        wanted: Shown,
    ) -> Result<Picture> {
        if last.as_ref().is_none_or(|(name, _)| name != scan) {
            let path = self.paths.get(scan).ok_or_else(|| Error::usage("scan not found"))?;
            *last = Some((scan.to_owned(), read_file(path, &self.limits)?));
        }
        let (_, bytes) = last.as_ref().ok_or_else(|| Error::internal("a file was read and is gone"))?;
        let decoded = pool.page(bytes, page.saturating_sub(1) as usize, &self.limits.page_deadline())?;
        let mut found = Err(Error::usage("the field is not among those of the page"));
        let Shown::Field(idx, context) = wanted else { return self.keep(wanted, whole(&decoded)) };
        for field in fields {
            let shown = Shown::Field(field.idx, Context::None);
            if field.idx == idx {
                found = self.keep(wanted, picture(&decoded, field, context));
            } else if context == Context::None && !lock(&self.cache).pictures.contains_key(&shown) {
                // an error is found again when the picture is wanted
                let _ = self.keep(shown, picture(&decoded, field, Context::None));
            }
        }
        found
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

fn lock(cache: &Mutex<Cache>) -> MutexGuard<'_, Cache> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A picture of a field: the field, a strip of the page with it, or the page.
fn picture(page: &Page, field: &FieldBox, context: Context) -> Result<Picture> {
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
    use image::{GrayImage, ImageFormat, Luma};

    use super::*;

    #[test]
    fn fields_of_a_page_are_cut_together_and_kept() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("a.png");
        let page = GrayImage::from_fn(400, 300, |x, _| Luma([if x < 200 { 0 } else { 255 }]));
        page.save_with_format(&path, ImageFormat::Png).expect("the folder is writable");
        let crops = Crops::new(vec![Scan { name: "a.png".to_owned(), path }], Limits::default(), None);
        let cut = |wanted: Shown, scan: &str| {
            let (sender, receiver) = mpsc::channel();
            let fields = vec![
                FieldBox { idx: 0, bounds: [10, 20, 110, 60], quarter_turns: 0 },
                FieldBox { idx: 1, bounds: [250, 20, 350, 60], quarter_turns: 0 },
                FieldBox { idx: 2, bounds: [900, 20, 950, 60], quarter_turns: 0 },
            ];
            let reply = Box::new(move |picture| sender.send(picture).expect("it is awaited"));
            crops.request(Request { scan: scan.to_owned(), page: 1, fields, wanted, reply });
            receiver.recv().expect("it comes")
        };
        let decoded = |picture: &Picture| image::load_from_memory(&picture.png).expect("it is a PNG").into_luma8();
        let black = decoded(&cut(Shown::Field(0, Context::None), "a.png").expect("it is on the page"));
        assert_eq!((black.get_pixel(20, 20)[0], black.height()), (0, 72));
        let white = crops.cached(Shown::Field(1, Context::None)).expect("it was cut with the other");
        assert_eq!(decoded(&white).get_pixel(20, 20)[0], 255);
        let strip = decoded(&cut(Shown::Field(0, Context::Strip), "a.png").expect("it is on the page"));
        assert!(strip.width() == 400 && strip.height() > 100, "{:?}", strip.dimensions());
        assert!(
            cut(Shown::Field(2, Context::None), "a.png").expect_err("it is off the page").contains("not on the scan")
        );
        assert!(cut(Shown::Field(0, Context::Page), "b.png").expect_err("there is no such scan").contains("not found"));
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
            let Picture { png, field: [x, y] } = picture(&page, &field, context).expect("it is on the page");
            let picture = image::load_from_memory(&png).expect("it is a PNG").into_luma8();
            let at = [x * f64::from(picture.width()), y * f64::from(picture.height())].map(|at| at as u32);
            assert_eq!(picture.get_pixel(at[0], at[1])[0], 0, "{quarter_turns} {context:?} {at:?}");
        }
        assert_eq!(whole(&page).expect("it has pixels").field, MIDDLE);
    }
}
