//! Pages of one worker that go through the nets together.

use super::{
    catch_panic::{catch_panic, until},
    files::Item,
    ordered::Ticket,
    outcome::Outcome,
    pictures::{MAX_SMALL_PIXELS, Pictures, n_pixels},
};
use formread_core::{
    assemble::PageRecord,
    reader::{PageReport, PreparedPage, Reader, rejected},
};
use formread_page::{Page, decoder_process::DecoderPool, scans::Scan};
use formread_raster::{
    error::{Error, Result},
    hash::Sha256,
};

/// A batch is recognised when it has this many glyphs: about three tax returns, among whose strips several have one width
/// and can be read together. A larger batch gains little speed, and every glyph waits in memory. Chosen by trial; set not
/// recorded.
const MAX_BATCH_GLYPHS: usize = 1_024;
/// Maximum number of pages in a batch: pages with few glyphs must not wait for long, and what is in a batch is lost when a
/// run is cut off.
pub const MAX_BATCH_PAGES: usize = 8;

/// Whether a batch of this size is to be recognised.
pub fn is_full(n_glyphs: usize, n_pages: usize) -> bool {
    n_glyphs >= MAX_BATCH_GLYPHS || n_pages >= MAX_BATCH_PAGES
}

/// Pages that a worker has prepared and not yet recognised.
pub struct Batch<'a, 's> {
    reader: &'a Reader,
    pictures: Option<&'a Pictures>,
    decoders: &'a DecoderPool<'a>,
    hand_in: &'a dyn Fn(Ticket, Result<Outcome<'s>>),
    pending: Vec<(PreparedPage, Pending<'s>)>,
    n_glyphs: usize,
    /// Pixels of the pages that are kept to be drawn on.
    n_pixels: u64,
}

/// The place of a page in the output.
#[derive(Clone, Copy)]
struct Place<'a> {
    ticket: Ticket,
    scan: &'a Scan,
    sha256: Option<Sha256>,
}

struct Pending<'a> {
    place: Place<'a>,
    /// Kept only if an overlay is to be drawn on it.
    pixels: Option<Page>,
}

impl<'a, 's> Batch<'a, 's> {
    pub fn new(
        reader: &'a Reader,
        pictures: Option<&'a Pictures>,
        decoders: &'a DecoderPool<'a>,
        hand_in: &'a dyn Fn(Ticket, Result<Outcome<'s>>),
    ) -> Self {
        Self { reader, pictures, decoders, hand_in, pending: Vec::new(), n_glyphs: 0, n_pixels: 0 }
    }

    pub fn is_full(&self) -> bool {
        is_full(self.n_glyphs, self.pending.len()) || self.n_pixels >= MAX_SMALL_PIXELS
    }

    /// Prepares a page; what needs no net is handed in at once.
    pub fn add(&mut self, ticket: Ticket, item: Item<'s>) {
        match item {
            Item::Known(outcome) => (self.hand_in)(ticket, outcome),
            Item::Faulty { scan, sha256, error } => {
                self.hand_in_page(Place { ticket, scan, sha256 }, rejected(1, &error));
            }
            Item::Page { file, page_idx } => {
                let place = Place { ticket, scan: file.scan, sha256: Some(file.sha256) };
                let number = u32::try_from(page_idx + 1).unwrap_or(u32::MAX);
                let (reader, decoders) = (self.reader, self.decoders);
                let prepared = file.time.spend(decoders.limits(), |deadline| {
                    let pixels = decoders.page(&file.bytes, page_idx, deadline)?;
                    let prepared = until(*deadline, || reader.stages().prepare(number, &pixels));
                    Ok((prepared, self.pictures.map(|_| pixels)))
                });
                match prepared {
                    Ok((prepared, pixels)) => {
                        self.n_glyphs += prepared.glyphs().len();
                        self.n_pixels += pixels.as_ref().map_or(0, n_pixels);
                        self.pending.push((prepared, Pending { place, pixels }));
                    }
                    Err(error) => self.hand_in_page(place, rejected(number, &error)),
                }
            }
        }
    }

    /// Recognises all pages at once, and hands them in.
    pub fn finish(mut self) {
        let (mut prepared, pending): (Vec<PreparedPage>, Vec<Pending<'_>>) = self.pending.drain(..).unzip();
        let stages = self.reader.stages();
        let together = catch_panic(|| stages.recognise(&mut prepared)).unwrap_or_default();
        // The net failed on the batch. Now each page alone, so that only the page that causes it is lost.
        let alone = prepared.into_iter().map(|page| {
            let number = page.page();
            let mut page = vec![page];
            let scored = catch_panic(|| stages.recognise(&mut page)?.pop().ok_or_else(|| Error::net("no scores")));
            scored.map_err(|error| (number, error))
        });
        let scored: Vec<_> = together.into_iter().map(Ok).chain(alone).collect();
        for (Pending { place, pixels }, scored) in pending.into_iter().zip(scored) {
            let report = scored.and_then(|scored| {
                let number = scored.page();
                let deadline = self.reader.limits().page_deadline();
                let finished = catch_panic(|| until(deadline, || Ok(stages.finish(scored))));
                finished.map_err(|error| (number, error))
            });
            let report =
                report.unwrap_or_else(|(number, error)| PageReport { record: rejected(number, &error), cut: None });
            let draw = |pictures: &Pictures, page| pictures.draw(place.scan, page, &report, self.reader.templates());
            if let (Some(pictures), Some(page)) = (self.pictures, &pixels)
                && let Err(error) = catch_panic(|| draw(pictures, page))
            {
                (self.hand_in)(place.ticket, Err(error));
                continue;
            }
            self.hand_in_page(place, report.record);
        }
    }

    fn hand_in_page(&self, Place { ticket, scan, sha256 }: Place<'s>, record: PageRecord) {
        (self.hand_in)(ticket, Ok(Outcome::Page { scan, sha256, record }));
    }
}
