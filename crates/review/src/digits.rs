//! Cuts the digits of open fields for groups: reads their pages again, as the run did.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use crate::{
    digit_groups::{DigitPicture, FieldDigits},
    review::{PageDigits, Review, WantedDigits},
    samples::{cut_digits, explain},
};
use formread_core::{
    reader::{PageExplanation, Reader},
    rows::PageRows,
    segment::{InkCrop, crop_bounds},
};
use formread_page::{
    Page,
    decoder_process::{DecoderCommand, DecoderPool},
    scans::{Scan, read_file},
};
use formread_raster::{
    error::{Error, Result},
    geometry::Rect,
    hash::{Sha256, sha256},
};
use formread_tools::evaluate::cut_field;

/// Maximum width and height of a digit's picture, pixels.
const MAX_PICTURE: [u32; 2] = [120, 120];

/// What digits are cut from.
pub struct DigitSource {
    reader: Reader,
    paths: HashMap<String, PathBuf>,
    decoder: Option<DecoderCommand>,
}

impl DigitSource {
    /// The scans of the run, and what cuts their fields as in the run. Without `decoder` pages are decoded in this process.
    pub fn new(reader: Reader, scans: &[Scan], decoder: Option<DecoderCommand>) -> Self {
        let paths = scans.iter().map(|scan| (scan.name.clone(), scan.path.clone())).collect();
        Self { reader, paths, decoder }
    }
}

/// Cuts the digits of all fields that may be in groups. `with_review` lends the review for a moment; it returns `None` once nothing is to be cut
/// any more. What is wrong with a scan leaves its fields out: they are keyed.
///
/// # Errors
/// What is wrong with the files of the run, or with the nets.
pub fn add_digits(
    source: &DigitSource,
    n_documents: u32,
    mut with_review: impl FnMut(&mut dyn FnMut(&mut Review) -> Result<()>) -> Option<Result<()>>,
) -> Result<()> {
    let pool = DecoderPool::new(source.reader.limits(), source.decoder.as_ref());
    for document in 0..n_documents {
        let mut of: Option<(Vec<WantedDigits>, Vec<PageRows>, Sha256, PathBuf)> = None;
        let lent = with_review(&mut |review| {
            let wanted = review.digits_wanted(document)?;
            let path = source.paths.get(review.run().scan(document).0);
            if let (false, Some(path), Some(content)) = (wanted.is_empty(), path, review.run().sha256(document)) {
                of = Some((wanted, review.pages(document)?, content, path.clone()));
            }
            Ok(())
        });
        match lent {
            None => return Ok(()),
            Some(result) => result?,
        }
        let Some((wanted, pages, content, path)) = of else { continue };
        let Ok(bytes) = read_file(&path, source.reader.limits()) else { continue };
        if sha256(&bytes) != content {
            continue;
        }
        for (page_idx, rows) in (0..).zip(&pages) {
            let wanted: Vec<&WantedDigits> = wanted.iter().filter(|of| of.place.page == page_idx).collect();
            if wanted.is_empty() {
                continue;
            }
            let digits = page_digits(source, &pool, &bytes, rows, &wanted)?;
            match with_review(&mut |review| review.add_digits(document, digits.clone())) {
                None => return Ok(()),
                Some(result) => result?,
            }
        }
    }
    Ok(())
}

/// The digits of a page.
fn page_digits(
    source: &DigitSource,
    pool: &DecoderPool<'_>,
    bytes: &Arc<[u8]>,
    rows: &PageRows,
    wanted: &[&WantedDigits],
) -> Result<PageDigits> {
    let mut digits = PageDigits::default();
    let Ok((page, explained)) = explain(&source.reader, pool, bytes, rows.page)? else { return Ok(digits) };
    for WantedDigits { place, value, is_known } in wanted {
        let field_idx = place.field as usize;
        // a field that cannot be cut apart is keyed
        let Ok(cut) = cut_digits(&explained, &source.reader, &rows.form, field_idx, value) else { continue };
        let turns = rows.readings.get(field_idx).map_or(0, |readings| readings.quarter_turns);
        let picture = |(digit, crop): (u8, &InkCrop)| {
            let png = picture(&page, &explained, &source.reader, field_idx, crop, turns)?;
            Ok(DigitPicture { digit, png: png.into() })
        };
        let Ok(pictures) = cut.into_iter().map(picture).collect::<Result<Vec<_>>>() else { continue };
        let field = FieldDigits { place: *place, value: value.clone(), digits: pictures };
        if *is_known {
            digits.known.push(field)
        } else {
            digits.in_doubt.push(field)
        };
    }
    Ok(digits)
}

/// The paper around a digit: what the machine left out of it is on the picture, too.
fn picture(
    page: &Page,
    explained: &PageExplanation,
    reader: &Reader,
    field_idx: usize,
    crop: &InkCrop,
    quarter_turns: u8,
) -> Result<Vec<u8>> {
    let cut = explained.report.cut.as_ref();
    let of =
        cut.and_then(|cut| Some((reader.templates().get(cut.template_idx)?, cut.registration.fields.get(field_idx)?)));
    let (template, fit) = of.ok_or_else(|| Error::internal("a digit is on no page"))?;
    let corners = fit.page_from_template.apply_rect(crop_bounds(page, template, field_idx, crop));
    let edge = |of: fn(f64, f64) -> f64, along: [f64; 4]| along.into_iter().reduce(of).unwrap_or_default();
    let (x, y) = (corners.map(|corner| corner.x), corners.map(|corner| corner.y));
    let on_page = Rect::from_edges(edge(f64::min, x), edge(f64::min, y), edge(f64::max, x), edge(f64::max, y));
    let stored = page.stored_bounds(on_page);
    let bounds = [stored.x0.floor(), stored.y0.floor(), stored.x1.ceil(), stored.y1.ceil()].map(|edge| edge as i64);
    cut_field(page, bounds, quarter_turns, MAX_PICTURE)
}
