//! JPEG 2000: whether a picture can be decoded strictly.

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};

use super::Limits;
use super::stored::check_size;
use formread_raster::error::{Error, Format, Result};

/// Checks the size of a picture, and decodes it strictly: hayro skips what it cannot read.
///
/// # Errors
/// `Format` where it is damaged, `Limit` where it is too large.
pub fn check(what: Format, bytes: &[u8], limits: &Limits) -> Result<()> {
    let settings = DecodeSettings { strict: true, ..DecodeSettings::default() };
    let image = Image::new(bytes, &settings).map_err(|error| Error::format(what, error))?;
    check_size(what, [image.width(), image.height()], limits)?;
    image.decode(&mut DecoderContext::default()).map(drop).map_err(|error| Error::format(what, error))
}
