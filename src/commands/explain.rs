//! `formread explain`

use std::fs;

use anyhow::{Context, Result};
use formread_core::rows::Verdict;
use formread_page::scans::read_file;
use formread_raster::error::ErrorKind;
use formread_tools::explain;

use super::{SOME_REJECTED, SUCCESS, print, save_png};
use crate::{cli::ExplainArgs, options};

pub fn explain(args: &ExplainArgs) -> Result<u8> {
    let reader = options::accepting(options::reader(&args.with)?, args.acceptance.as_deref())?;
    let (path, page) = (&args.scan, args.page.get());
    let scan = path.to_string_lossy();
    fs::metadata(path).with_context(|| path.display().to_string())?;
    let explanation = match read_file(path, reader.limits()) {
        Ok(bytes) => explain::explain(&reader, &scan, &bytes, page, &args.field)?,
        Err(error) if matches!(error.kind(), ErrorKind::Usage(_)) => return Err(error.in_file(scan).into()),
        Err(error) => explain::explain_unreadable(&reader, &scan, page, &error),
    };
    save_png(&explain::sheet::draw(&explanation), &args.out)?;
    print(&explanation, &args.output)?;
    Ok(if explanation.verdict == Verdict::Rejected { SOME_REJECTED } else { SUCCESS })
}
