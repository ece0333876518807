//! A page as it comes out of its file, before it is squared and turned.

use image::GrayImage;

use super::{Limits, Orientation};
use formread_raster::error::{Error, ErrorKind, Format, Result, Unit};

/// A page as a file stores it.
#[derive(Debug)]
pub struct Stored {
    /// Grey, neither turned nor squared.
    pub pixels: GrayImage,
    /// Resolution across and down as the file claims it.
    pub dpi: Option<[f64; 2]>,
    /// How to turn it.
    pub orientation: Orientation,
}

/// Checks the size of a page before memory is taken for it.
///
/// # Errors
/// `Format` of a page without pixels, `Limit` of one with too many.
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
