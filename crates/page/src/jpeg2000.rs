//! JPEG 2000, decoded strictly: by default hayro skips what it cannot read.

use hayro_jpeg2000::{ColorSpace, DecodeSettings, DecoderContext, Image};
use image::GrayImage;

use super::grey::{Alpha, Colour, Layout, grey_from_samples};
use super::stored::{StoredPage, check_size};
use super::{Limits, Orientation};
use formread_raster::error::{Error, ErrorKind, Format, Result, Unit};

/// Bytes of memory for a sample of a picture while it is decoded.
const SAMPLE_BYTES: u64 = 12;

/// Checks the size of a picture, and that all of it can be decoded.
///
/// # Errors
/// `Format` where it is damaged, `Limit` where it is too large.
pub fn check(what: Format, bytes: &[u8], limits: &Limits) -> Result<()> {
    let image = open(what, bytes, limits)?;
    image.decode(&mut DecoderContext::default()).map(drop).map_err(|error| Error::format(what, error))
}

/// Decodes the page of a file.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<StoredPage> {
    let what = Format::Jpeg2000;
    let image = open(what, bytes, limits)?;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|error| Error::format(what, error))?;
    let colour = match image.color_space() {
        ColorSpace::CMYK => Colour::Cmyk,
        other => match other.num_channels() {
            1 => Colour::Grey,
            3 => Colour::Rgb,
            n_channels => return Err(Error::unsupported(what, format!("colours of so many samples: {n_channels}"))),
        },
    };
    let alpha = if image.has_alpha() { Alpha::Straight } else { Alpha::None };
    let n_samples = colour.n_samples() + usize::from(image.has_alpha());
    let n_pixels = image.width() as usize * image.height() as usize;
    let samples = decoded.data_u8();
    let pixels = grey_from_samples(&samples, Layout::interleaved(colour, alpha, n_samples), n_pixels)
        .and_then(|grey| GrayImage::from_raw(image.width(), image.height(), grey))
        .ok_or_else(|| Error::format(what, "fewer samples than the size asks for"))?;
    Ok(StoredPage { pixels, dpi: None, orientation: Orientation::default() })
}

fn open<'a>(what: Format, bytes: &'a [u8], limits: &Limits) -> Result<Image<'a>> {
    let settings = DecodeSettings { strict: true, ..DecodeSettings::default() };
    let image = Image::new(bytes, &settings).map_err(|error| Error::format(what, error))?;
    check_size(what, [image.width(), image.height()], limits)?;
    let n_samples = u64::from(image.color_space().num_channels()) + u64::from(image.has_alpha());
    let actual = (u64::from(image.width()) * u64::from(image.height())).saturating_mul(n_samples * SAMPLE_BYTES);
    if actual > limits.memory_bytes {
        return Err(ErrorKind::Limit { limit: limits.memory_bytes, actual, unit: Unit::BytesOfMemory }.into());
    }
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_in_its_own_file_is_read_and_a_damaged_one_is_not() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/decode/jpx.pdf");
        let pdf = std::fs::read(path).expect("it is a fixture");
        let start = pdf.windows(4).position(|bytes| bytes == b"\xFF\x4F\xFF\x51").expect("the picture begins so");
        let len = pdf[start..].windows(2).position(|bytes| bytes == b"\xFF\xD9").expect("it has an end") + 2;
        let bytes = &pdf[start..start + len];
        let page = |bytes: &[u8]| super::super::open(bytes, &Limits::default())?.next().expect("it has one page");
        let pixels = page(bytes).expect("it is whole").pixels;
        assert!(pixels.dimensions() == (64, 48) && pixels.pixels().any(|pixel| pixel[0] == 0));
        for len in 0..bytes.len() - 2 {
            let is_same = page(&bytes[..len]).is_ok_and(|page| page.pixels != pixels);
            assert!(!is_same, "{len} of {} bytes give another picture", bytes.len());
        }
        let small = Limits { page_pixels: 64 * 48 - 1, ..Limits::default() };
        decode(bytes, &small).expect_err("it is over the limit");
    }
}
