//! Measures the time of each stage of reading.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{
    batch::is_full,
    files::{Files, Item},
    ordered::Source,
};
use formread_core::reader::{PreparedPage, Reader};
use formread_page::{decoder_process::DecoderPool, scans::Scan};
use formread_raster::error::Result;

/// Maximum number of pages on which the stages are timed: enough for shares, without reading a whole archive again.
const MAX_TIMED_PAGES: usize = 64;

/// The time of a stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageTime {
    /// Name of the stage.
    pub stage: &'static str,
    /// Mean time per page on one core, milliseconds.
    pub ms_per_page: f64,
    /// Share of all stages together, 0 to 1.
    pub share: f64,
}

/// The stages, in the order in which a page goes through them, and their names.
#[derive(Clone, Copy)]
enum Stage {
    Decode,
    Register,
    Segment,
    Normalise,
    Recognise,
    Assemble,
}

const NAMES: [&str; 6] = ["decode", "register", "segment", "normalise", "recognise", "assemble"];

/// Time spent on each stage.
#[derive(Default)]
struct Spent([Duration; NAMES.len()]);

impl Spent {
    /// Does `work`, and adds its time to that of `stage`.
    fn on<T>(&mut self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        self.0[stage as usize] += start.elapsed();
        done
    }
}

/// Reads the first pages of `scans` on this thread and times each stage. Pages that cannot be decoded do not count. Returns
/// nothing if there is no page.
///
/// # Errors
/// Where the net fails.
pub fn measure_stages(reader: &Reader, scans: &[&Scan]) -> Result<Vec<StageTime>> {
    let mut spent = Spent::default();
    let mut n_pages = 0usize;
    let decoders = DecoderPool::new(reader.limits(), None);
    let mut gathered: Vec<PreparedPage> = Vec::new();
    let files = Files::new(&decoders, scans)?;
    for item in (0..files.n_groups()).flat_map(|idx| files.open(idx)) {
        let Item::Page { file, page_idx } = item else { continue };
        let deadline = reader.limits().page_deadline();
        let Ok(page) = spent.on(Stage::Decode, || decoders.page(&file.bytes, page_idx, &deadline)) else { continue };
        n_pages += 1;
        if let Ok((idx, registration)) = spent.on(Stage::Register, || reader.stages().register(&page)) {
            let cut = spent.on(Stage::Segment, || reader.stages().cut(&page, idx, registration));
            gathered.push(spent.on(Stage::Normalise, || reader.stages().normalise(1, &page, cut)));
        }
        let n_glyphs: usize = gathered.iter().map(|page| page.n_glyphs()).sum();
        if is_full(n_glyphs, gathered.len()) {
            finish(reader, &mut gathered, &mut spent)?;
        }
        if n_pages == MAX_TIMED_PAGES {
            break;
        }
    }
    finish(reader, &mut gathered, &mut spent)?;
    let all: f64 = spent.0.iter().map(Duration::as_secs_f64).sum();
    let stage = |(stage, time): (&'static str, Duration)| StageTime {
        stage,
        ms_per_page: 1000.0 * time.as_secs_f64() / n_pages as f64,
        share: time.as_secs_f64() / all,
    };
    Ok(if n_pages == 0 { Vec::new() } else { NAMES.into_iter().zip(spent.0).map(stage).collect() })
}

/// Recognises the gathered pages and assembles their values.
fn finish(reader: &Reader, gathered: &mut Vec<PreparedPage>, spent: &mut Spent) -> Result<()> {
    let scored = spent.on(Stage::Recognise, || reader.stages().recognise(gathered))?;
    spent.on(Stage::Assemble, || {
        for page in scored {
            reader.stages().finish(page);
        }
    });
    Ok(())
}
