//! `formread bench`

use anyhow::Result;
use formread::pipeline::measure_throughput;

use super::{SUCCESS, print};
use crate::{cli::BenchArgs, options};

pub fn bench(args: &BenchArgs) -> Result<u8> {
    let scans = options::scans(&args.scans.scans)?;
    let reader = options::reader(&args.read.with)?;
    let decoder = options::decoder(&args.read.with.limits)?;
    print(&measure_throughput(&reader, &scans, options::jobs(&args.read), Some(&decoder))?, &args.output)?;
    Ok(SUCCESS)
}
