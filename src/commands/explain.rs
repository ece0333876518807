//! `formread explain`

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use formread_core::rows::Verdict;
use formread_page::scans::read_file;
use formread_raster::error::ErrorKind;
use formread_tools::explain;

use super::{SOME_REJECTED, SUCCESS, check_no_input, print, save_png};
use crate::{cli::ExplainArgs, options};

pub fn explain(args: &ExplainArgs) -> Result<u8> {
    let reader = options::accepting(options::reader(&args.with)?, args.acceptance.as_deref())?;
    let (path, page) = (&args.scan, args.page.get());
    let scan = path.to_string_lossy();
    let of_reader = options::reader_files(&args.with, args.acceptance.as_deref());
    check_no_input(&args.out, of_reader.iter().chain([path]).map(PathBuf::as_path))?;
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
