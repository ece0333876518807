//! Where the time of a page goes, stage by stage.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{
    apart::Decoder,
    batch::{BATCH_GLYPHS, BATCH_PAGES},
    items::{Item, Items},
    walk::Scan,
};
use crate::{
    error::Result,
    reader::{PreparedPage, Reader},
};

/// Most pages on which the stages are timed, the first ones: enough for shares, and no second reading of a whole archive.
const TIMED_PAGES: usize = 64;

/// A stage, and how long it takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageTime {
    /// What is done.
    pub stage: &'static str,
    /// Milliseconds of one core, in the mean of the pages.
    pub ms_per_page: f64,
    /// Share of all stages together, 0 to 1.
    pub share: f64,
}

/// The stages, in the order in which a page goes through them.
const STAGES: [&str; 6] = ["decode", "register", "segment", "normalise", "recognise", "assemble"];

/// Reads the first pages of `scans` on this thread alone and times each stage. Pages that cannot be decoded are left out;
/// none of no page.
///
/// # Errors
/// Where the net fails.
pub fn measure_stages(reader: &Reader, scans: &[&Scan]) -> Result<Vec<StageTime>> {
    let mut spent = [Duration::ZERO; STAGES.len()];
    let mut n_pages = 0usize;
    let mut decoder = Decoder::new(reader.limits(), None);
    let mut gathered: Vec<PreparedPage> = Vec::new();
    for item in Items::open(reader.limits(), None, scans)? {
        let Item::Page { bytes, page_idx, .. } = item else { continue };
        let Ok(page) = timed(&mut spent[0], || decoder.page(&bytes, page_idx)) else { continue };
        n_pages += 1;
        if let Ok((idx, registration)) = timed(&mut spent[1], || reader.register(&page)) {
            let cut = timed(&mut spent[2], || reader.cut(&page, idx, registration));
            gathered.push(timed(&mut spent[3], || reader.normalise(1, &page, cut)));
        }
        let n_glyphs: usize = gathered.iter().map(|page| page.glyphs().len()).sum();
        if n_glyphs >= BATCH_GLYPHS || gathered.len() == BATCH_PAGES {
            finish(reader, &mut gathered, &mut spent)?;
        }
        if n_pages == TIMED_PAGES {
            break;
        }
    }
    finish(reader, &mut gathered, &mut spent)?;
    let all: f64 = spent.iter().map(Duration::as_secs_f64).sum();
    let stage = |(stage, time): (&'static str, Duration)| StageTime {
        stage,
        ms_per_page: 1000.0 * time.as_secs_f64() / n_pages as f64,
        share: time.as_secs_f64() / all,
    };
    Ok(if n_pages == 0 { Vec::new() } else { STAGES.into_iter().zip(spent).map(stage).collect() })
}

/// Recognises what was gathered, and makes values of it.
fn finish(reader: &Reader, gathered: &mut Vec<PreparedPage>, spent: &mut [Duration; STAGES.len()]) -> Result<()> {
    let scores = timed(&mut spent[4], || reader.recognise(gathered.iter()))?;
    timed(&mut spent[5], || {
        for (page, scores) in gathered.drain(..).zip(scores) {
            reader.finish(page, scores);
        }
    });
    Ok(())
}

/// What `work` gives; its time is added to `spent`.
fn timed<T>(spent: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    *spent += start.elapsed();
    done
}
