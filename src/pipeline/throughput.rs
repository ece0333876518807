//! Measures speed: decoding alone, then the whole reading of the same files. No page can be read faster than it is decoded.

use std::{fmt, fs, num::NonZeroUsize, time::Instant};

use serde::Serialize;

use super::{
    files::{Files, Item},
    ordered::{Ticket, WorkQueue, in_order},
    outcome::Outcome,
    read_in_order,
    stages::{StageTime, measure_stages},
    window,
};
use formread_core::{reader::Reader, rows::PageRows};
use formread_page::{
    decoder_process::{DecoderCommand, DecoderPool},
    scans::{Scan, read_file},
};
use formread_raster::error::{Error, Result};

/// What was measured in one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Throughput {
    /// Pages, including those that could not be read.
    pub pages: u64,
    /// Workers.
    pub jobs: usize,
    /// Decoding alone.
    pub decode_pages_per_s: f64,
    /// From the file's bytes to the records.
    pub read_pages_per_s: f64,
    /// `read_pages_per_s / decode_pages_per_s`, at most about 1.
    pub ratio: f64,
    /// Digits in the readings, accepted or not, per second of reading.
    pub digits_per_s: f64,
    /// Peak memory of this process, MiB; `None` if the system does not report it.
    pub peak_rss_mb: Option<f64>,
    /// The time of each stage, on the first pages.
    pub stages: Vec<StageTime>,
}

/// Decodes `scans` in this process, then reads them as [`super::run`] does with this `decoder`, both on `jobs` workers. The
/// files are read once before, so that neither waits for the disk; starting the processes that decode counts as reading. Then
/// the first pages are read once more, stage by stage, by one worker.
///
/// # Errors
/// `Usage` where there are no pages to measure.
pub fn measure_throughput(
    reader: &Reader,
    scans: &[Scan],
    jobs: NonZeroUsize,
    decoder: Option<&DecoderCommand>,
) -> Result<Throughput> {
    let scans: Vec<&Scan> = scans.iter().collect();
    for scan in &scans {
        // A file that cannot be read is measured as such below.
        let _ = read_file(&scan.path, reader.limits());
    }
    let start = Instant::now();
    let pages = decode(reader, &scans, jobs)?;
    let decode_s = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let mut n_digits = 0;
    let decoders = DecoderPool::new(reader.limits(), decoder);
    read_in_order(reader, &Files::new(&decoders, &scans)?, jobs, None, &decoders, |outcome| {
        if let Outcome::Page { scan, record, .. } = outcome {
            n_digits += PageRows::new(&scan.name, &record).n_digits();
        }
        Ok(())
    })?;
    let read_s = start.elapsed().as_secs_f64();
    if pages == 0 {
        return Err(Error::usage("there are no pages to measure"));
    }
    let read_pages_per_s = pages as f64 / read_s;
    Ok(Throughput {
        pages,
        jobs: jobs.get(),
        decode_pages_per_s: pages as f64 / decode_s,
        read_pages_per_s,
        ratio: decode_s / read_s,
        digits_per_s: n_digits as f64 / read_s,
        peak_rss_mb: peak_rss_mb(),
        stages: measure_stages(reader, &scans)?,
    })
}

/// Decodes every page in this process and drops it. Returns the number of pages.
fn decode(reader: &Reader, scans: &[&Scan], jobs: NonZeroUsize) -> Result<u64> {
    let mut n_pages = 0;
    let decoders = DecoderPool::new(reader.limits(), None);
    let work = |queue: &WorkQueue<'_, Files<'_>>, hand_in: &dyn Fn(Ticket, bool)| {
        while let Some((ticket, item)) = queue.take() {
            let is_page = match item {
                Item::Page { file, page_idx } => {
                    // A page that cannot be read counts as well.
                    let _ =
                        std::hint::black_box(decoders.page(&file.bytes, page_idx, &reader.limits().page_deadline()));
                    true
                }
                Item::Faulty { .. } => true,
                Item::Known(_) => false,
            };
            hand_in(ticket, is_page);
        }
    };
    let deliver = |is_page| {
        n_pages += u64::from(is_page);
        Ok::<_, Error>(())
    };
    in_order(&Files::new(&decoders, scans)?, jobs, window(jobs), work, deliver)?;
    Ok(n_pages)
}

/// `VmHWM` of Linux's proc(5), in KiB there.
fn peak_rss_mb() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// A table for people.
impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pages, jobs, decode_pages_per_s, read_pages_per_s, ratio, digits_per_s, .. } = self;
        writeln!(f, "pages             {pages:>10}, {jobs} at a time")?;
        writeln!(f, "decoding alone    {decode_pages_per_s:>10.1} pages/s")?;
        writeln!(f, "whole reading     {read_pages_per_s:>10.1} pages/s, {ratio:.2} of that")?;
        writeln!(f, "                  {digits_per_s:>10.0} digits/s")?;
        match self.peak_rss_mb {
            Some(mb) => writeln!(f, "peak memory       {mb:>10.0} MiB")?,
            None => writeln!(f, "peak memory       not known on this system")?,
        }
        for StageTime { stage, ms_per_page, share } in &self.stages {
            writeln!(f, "{stage:<17} {ms_per_page:>10.2} ms a page, {:.0} % of one worker", 100.0 * share)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_known_on_linux() {
        if cfg!(target_os = "linux") {
            assert!(peak_rss_mb().expect("proc is mounted") > 1.0);
        }
    }
}
