//! Pages of one worker that go through the nets together.

use std::sync::Arc;

use super::{
    catch_panic::{catch_panic, until},
    file_time::PageTime,
    files::{Item, OpenFile},
    ordered::Ticket,
    outcome::Outcome,
    pictures::{MAX_SMALL_PIXELS, Pictures, n_pixels},
};
use formread_core::{
    assemble::PageRecord,
    reader::{PageReport, PreparedPage, Reader, ScoredPage, rejected},
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
    file: Arc<OpenFile<'a>>,
    time: PageTime,
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
                let mut time = PageTime::default();
                let prepared = file.time.spend(&mut time, reader.limits(), |deadline| {
                    let pixels = decoders.page(&file.bytes, page_idx, deadline)?;
                    let prepared = until(*deadline, || reader.stages().prepare(number, &pixels));
                    Ok((prepared, self.pictures.map(|_| pixels)))
                });
                match prepared {
                    Ok((prepared, pixels)) => {
                        self.n_glyphs += prepared.n_glyphs();
                        self.n_pixels += pixels.as_ref().map_or(0, n_pixels);
                        self.pending.push((prepared, Pending { place, file, time, pixels }));
                    }
                    Err(error) => self.hand_in_page(place, rejected(number, &error)),
                }
            }
        }
    }

    /// Recognises all pages at once, and hands them in. A page with more glyphs than a whole batch may have is recognised alone:
    /// the others do not wait for it.
    pub fn finish(mut self) {
        let is_small = |(page, _): &(PreparedPage, _)| page.n_glyphs() < MAX_BATCH_GLYPHS;
        let (small, large): (Vec<_>, Vec<_>) = self.pending.drain(..).partition(is_small);
        let (mut prepared, pending): (Vec<PreparedPage>, Vec<Pending<'_>>) = small.into_iter().unzip();
        let stages = self.reader.stages();
        let deadline = self.reader.limits().page_deadline();
        let together = catch_panic(|| until(deadline, || stages.recognise(&mut prepared))).unwrap_or_default();
        let mut pending = pending.into_iter();
        for (scored, pending) in together.into_iter().zip(pending.by_ref()) {
            self.finish_page(pending, scored);
        }
        // The net failed on the batch, or took too long. Now each page alone, so that only the page that causes it is lost.
        for (page, mut pending) in prepared.into_iter().zip(pending).chain(large) {
            let number = page.page();
            let mut page = vec![page];
            let scored = pending.file.time.spend(&mut pending.time, self.reader.limits(), |deadline| {
                let mut scored = until(*deadline, || stages.recognise(&mut page))?;
                scored.pop().ok_or_else(|| Error::net("no scores"))
            });
            match scored {
                Ok(scored) => self.finish_page(pending, scored),
                Err(error) => self.hand_in_report(pending, rejected_report(number, &error)),
            }
        }
    }

    fn finish_page(&self, mut pending: Pending<'s>, scored: ScoredPage) {
        let (number, stages) = (scored.page(), self.reader.stages());
        let report = pending
            .file
            .time
            .spend(&mut pending.time, self.reader.limits(), |deadline| Ok(until(*deadline, || stages.finish(scored))));
        self.hand_in_report(pending, report.unwrap_or_else(|error| rejected_report(number, &error)));
    }

    fn hand_in_report(&self, Pending { place, pixels, .. }: Pending<'s>, report: PageReport) {
        let draw = |pictures: &Pictures, page| pictures.draw(place.scan, page, &report, self.reader.templates());
        if let (Some(pictures), Some(page)) = (self.pictures, &pixels)
            && let Err(error) = catch_panic(|| draw(pictures, page))
        {
            return (self.hand_in)(place.ticket, Err(error));
        }
        self.hand_in_page(place, report.record);
    }

    fn hand_in_page(&self, Place { ticket, scan, sha256 }: Place<'s>, record: PageRecord) {
        (self.hand_in)(ticket, Ok(Outcome::Page { scan, sha256, record }));
    }
}

fn rejected_report(number: u32, error: &Error) -> PageReport {
    PageReport { record: rejected(number, error), cut: None }
}
