//! A page as its file stores it, before its pixels are made square and upright.

use image::GrayImage;

use super::{Limits, Orientation};
use formread_raster::error::{Error, ErrorKind, Format, Result, Unit};

/// A page as a file stores it.
#[derive(Debug)]
pub struct StoredPage {
    /// Grey, as stored.
    pub pixels: GrayImage,
    /// Resolution in dpi, across and down, as the file declares it.
    pub dpi: Option<[f64; 2]>,
    /// How the pixels are to be turned.
    pub orientation: Orientation,
}

/// Checks the size of a page before memory is allocated for it.
///
/// # Errors
/// `Format` where a page has no pixels, `Limit` where it has too many.
pub fn check_size(what: Format, [width, height]: [u32; 2], limits: &Limits) -> Result<()> {
    let n_pixels = u64::from(width) * u64::from(height);
    if n_pixels == 0 {
        return Err(Error::format(what, format!("no pixels: {width} x {height}")));
    }
    if n_pixels > limits.page_pixels {
        return Err(ErrorKind::Limit { limit: limits.page_pixels, actual: n_pixels, unit: Unit::PixelsPerPage }.into());
    }
    Ok(())
}
