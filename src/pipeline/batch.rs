//! Pages of one worker, read together.

use std::{io, path::Path};

use super::{catch_panic::catch_panic, items::Item, outcome::Outcome};
use formread_core::{
    assemble::PageRecord,
    reader::{PageReport, PreparedPage, Reader, rejected},
};
use formread_page::Page;
use formread_page::{decoder_process::DecoderPool, scans::Scan};
use formread_raster::error::{Error, Result};
use formread_tools::overlay;

/// A worker recognises what it has gathered when it has this many glyphs: three tax returns, among whose strips there are
/// several of one width to be read at a time. Past that the nets gain little, and every glyph waits in memory. Empirically
/// chosen.
const BATCH_GLYPHS: usize = 1_024;
/// Most pages a worker gathers: pages with few glyphs must not wait for ever, and what is gathered is lost when a run is
/// cut off.
pub const BATCH_PAGES: usize = 8;

/// Whether so much goes through the net at once.
pub fn is_full(n_glyphs: usize, n_pages: usize) -> bool {
    n_glyphs >= BATCH_GLYPHS || n_pages >= BATCH_PAGES
}

/// Pages that a worker has prepared, and that go through the net together.
pub struct Batch<'a, 's> {
    reader: &'a Reader,
    overlay: Option<&'a Path>,
    decoders: &'a DecoderPool<'a>,
    hand_in: &'a dyn Fn(u64, Result<Outcome<'s>>),
    pending: Vec<Pending<'s>>,
    n_glyphs: usize,
}

struct Pending<'a> {
    sequence: u64,
    scan: &'a Scan,
    prepared: PreparedPage,
    /// Kept only where it is to be drawn on.
    pixels: Option<Page>,
}

impl<'a, 's> Batch<'a, 's> {
    pub fn new(
        reader: &'a Reader,
        overlay: Option<&'a Path>,
        decoders: &'a DecoderPool<'a>,
        hand_in: &'a dyn Fn(u64, Result<Outcome<'s>>),
    ) -> Self {
        Self { reader, overlay, decoders, hand_in, pending: Vec::new(), n_glyphs: 0 }
    }

    pub fn is_full(&self) -> bool {
        is_full(self.n_glyphs, self.pending.len())
    }

    /// Prepares a page; what needs no net is handed in at once.
    pub fn add(&mut self, sequence: u64, item: Item<'s>) {
        match item {
            Item::FileEnd { file, pages } => (self.hand_in)(sequence, Ok(Outcome::FileEnd { file, pages })),
            Item::Known(outcome) => (self.hand_in)(sequence, outcome),
            Item::Faulty { scan, error } => self.hand_in_page(sequence, scan, rejected(1, &error)),
            Item::Page { scan, bytes, page_idx } => {
                let number = u32::try_from(page_idx + 1).unwrap_or(u32::MAX);
                let (reader, decoders) = (self.reader, self.decoders);
                let prepare = || -> Result<_> {
                    let pixels = decoders.page(&bytes, page_idx)?;
                    let prepared = reader.prepare(number, &pixels);
                    Ok((prepared, self.overlay.map(|_| pixels)))
                };
                match catch_panic(prepare) {
                    Ok((prepared, pixels)) => {
                        self.n_glyphs += prepared.glyphs().len();
                        self.pending.push(Pending { sequence, scan, prepared, pixels });
                    }
                    Err(error) => self.hand_in_page(sequence, scan, rejected(number, &error)),
                }
            }
        }
    }

    /// Sends the glyphs of all pages through the net at once, and hands in the pages.
    pub fn finish(mut self) {
        let pending = std::mem::take(&mut self.pending);
        let scores = catch_panic(|| self.reader.recognise(pending.iter().map(|page| &page.prepared))).ok();
        let mut scores = scores.map(Vec::into_iter);
        for Pending { sequence, scan, prepared, pixels } in pending {
            let page = prepared.page();
            let own = scores.as_mut().and_then(Iterator::next);
            let finish = || {
                Ok(match own {
                    Some(scores) => self.reader.finish(prepared, scores),
                    // The net failed on the batch: each page by itself, so that only the one it cannot bear falls.
                    None => {
                        let scores = self.reader.recognise([&prepared])?.pop().unwrap_or_default();
                        self.reader.finish(prepared, scores)
                    }
                })
            };
            let report =
                catch_panic(finish).unwrap_or_else(|error| PageReport { record: rejected(page, &error), cut: None });
            if let (Some(folder), Some(pixels)) = (self.overlay, &pixels)
                && let Err(error) = catch_panic(|| self.draw(folder, scan, pixels, &report))
            {
                (self.hand_in)(sequence, Err(error));
                continue;
            }
            self.hand_in_page(sequence, scan, report.record);
        }
    }

    fn draw(&self, folder: &Path, scan: &Scan, pixels: &Page, report: &PageReport) -> Result<()> {
        let path = folder.join(overlay::file_name(&scan.name, report.record.page));
        let picture = overlay::draw(pixels, report, self.reader.templates());
        picture.save(&path).map_err(|error| Error::from(io::Error::other(error)).in_file(path.to_string_lossy()))
    }

    fn hand_in_page(&self, sequence: u64, scan: &'s Scan, record: PageRecord) {
        (self.hand_in)(sequence, Ok(Outcome::Page { scan, record }));
    }
}
