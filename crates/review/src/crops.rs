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
use formread_raster::error::{Error, Result};
use formread_tools::evaluate::{cut_context, cut_field};

/// Maximum width and height of a field's picture, pixels.
const MAX_FIELD: [u32; 2] = [1100, 300];
/// The same of a strip, and of a page.
const MAX_STRIP: [u32; 2] = [1400, 420];
const MAX_PAGE: [u32; 2] = [1400, 2000];
/// Height of a strip, as a multiple of its field's.
const STRIP_HEIGHT: i64 = 5;
/// Threads that decode pages: a page is decoded while a field of the page before is keyed.
const N_THREADS: usize = 2;

/// How much of the page a picture shows.
pub type Shown = (ItemIdx, Context);

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

/// What is called with a picture, a PNG.
pub type Reply = Box<dyn FnOnce(Result<Arc<[u8]>, String>) + Send>;

/// A request for a picture of one of the fields of a page. The pictures of the others are cut at the same time, since the page is
/// decoded.
pub struct Request {
    /// The file.
    pub scan: String,
    /// 1-based page in it.
    pub page: u32,
    /// All fields of the page that may be asked.
    pub fields: Vec<FieldBox>,
    /// The one that is wanted.
    pub wanted: Shown,
    /// Is called with its picture, a PNG.
    pub reply: Reply,
}

/// Cuts pictures.
pub struct Crops {
    requests: Sender<Request>,
    cache: Arc<Mutex<Cache>>,
}

#[derive(Default)]
struct Cache {
    pictures: HashMap<Shown, Arc<[u8]>>,
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
    pub fn cached(&self, shown: Shown) -> Option<Arc<[u8]>> {
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
    ) -> Result<Arc<[u8]>> {
        if last.as_ref().is_none_or(|(name, _)| name != scan) {
            let path = self.paths.get(scan).ok_or_else(|| Error::usage("scan not found"))?;
            *last = Some((scan.to_owned(), read_file(path, &self.limits)?));
        }
        let (_, bytes) = last.as_ref().ok_or_else(|| Error::internal("a file was read and is gone"))?;
        let decoded = pool.page(bytes, page.saturating_sub(1) as usize, &self.limits.page_deadline())?;
        let mut found = Err(Error::usage("the field is not among those of the page"));
        for field in fields {
            let shown = (field.idx, Context::None);
            if field.idx == wanted.0 && wanted.1 != Context::None {
                found = self.keep(wanted, picture(&decoded, field, wanted.1));
            } else if shown == wanted {
                found = self.keep(shown, picture(&decoded, field, Context::None));
            } else if wanted.1 == Context::None && !lock(&self.cache).pictures.contains_key(&shown) {
                // an error is found again when the picture is wanted
                let _ = self.keep(shown, picture(&decoded, field, Context::None));
            }
        }
        found
    }

    fn keep(&self, shown: Shown, picture: Result<Vec<u8>>) -> Result<Arc<[u8]>> {
        let picture: Arc<[u8]> = picture?.into();
        let mut cache = lock(&self.cache);
        cache.n_bytes += picture.len();
        cache.order.push_back(shown);
        if let Some(before) = cache.pictures.insert(shown, picture.clone()) {
            cache.n_bytes -= before.len();
        }
        while cache.n_bytes > MAX_CROP_BYTES {
            let Some(oldest) = cache.order.pop_front() else { break };
            if let Some(removed) = cache.pictures.remove(&oldest) {
                cache.n_bytes -= removed.len();
            }
        }
        Ok(picture)
    }
}

fn lock(cache: &Mutex<Cache>) -> MutexGuard<'_, Cache> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A picture of a field: the field, a strip of the page with it, or the page.
fn picture(page: &Page, field: &FieldBox, context: Context) -> Result<Vec<u8>> {
    let [width, height] = page.stored_size.map(i64::from);
    let FieldBox { bounds, quarter_turns, .. } = *field;
    let [x0, y0, x1, y1] = bounds;
    // whether lines of writing run down the scan as stored
    let is_on_its_side = page.orientation.swaps_axes() != (quarter_turns % 2 == 1);
    let (shown, max_size) = match context {
        Context::None => return cut_field(page, bounds, quarter_turns, MAX_FIELD),
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
    cut_context(page, shown, bounds, quarter_turns, max_size)
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
        let decoded = |png: &[u8]| image::load_from_memory(png).expect("it is a PNG").into_luma8();
        let black = decoded(&cut((0, Context::None), "a.png").expect("it is on the page"));
        assert_eq!((black.get_pixel(20, 20)[0], black.height()), (0, 72));
        let white = crops.cached((1, Context::None)).expect("it was cut with the other");
        assert_eq!(decoded(&white).get_pixel(20, 20)[0], 255);
        let strip = decoded(&cut((0, Context::Strip), "a.png").expect("it is on the page"));
        assert!(strip.width() == 400 && strip.height() > 100, "{:?}", strip.dimensions());
        assert!(cut((2, Context::None), "a.png").expect_err("it is off the page").contains("not on the scan"));
        assert!(cut((0, Context::Page), "b.png").expect_err("there is no such scan").contains("not found"));
    }
}
