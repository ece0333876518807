//! PNG, JPEG, BMP, GIF and WebP: files of one page, decoded by the image crate.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};

use super::ifd::{Header, Ifd, tag};
use super::stored::{StoredPage, check_size};
use super::{Limits, Orientation, damage, grey, jpeg};
use formread_raster::error::{Error, ErrorKind, Format, Result, Unit};

/// The formats that are decoded here, and the extensions of their files, lower case.
pub(super) const FORMATS: [(ImageFormat, Format, &[&str]); 5] = [
    (ImageFormat::Png, Format::Png, &["png"]),
    (ImageFormat::Jpeg, Format::Jpeg, &["jpg", "jpeg", "jpe", "jfif"]),
    (ImageFormat::Bmp, Format::Bmp, &["bmp"]),
    (ImageFormat::Gif, Format::Gif, &["gif"]),
    (ImageFormat::WebP, Format::WebP, &["webp"]),
];

const METRES_PER_INCH: f64 = 0.0254;
/// The largest pixel that is decoded, bytes: four samples of 16 bits.
const PIXEL_BYTES: u64 = 8;
/// Memory of a decoder besides the pixels (rows, tables, colour profiles), bytes.
const DECODER_BYTES: u64 = 64 << 20;

/// Decodes the page. `what` names the format in errors.
pub fn decode(bytes: &[u8], format: ImageFormat, what: Format, limits: &Limits) -> Result<StoredPage> {
    let error = |error: ImageError| match error {
        ImageError::Unsupported(detail) => Error::unsupported(what, detail),
        other => Error::format(what, other),
    };
    let jpeg_header = (format == ImageFormat::Jpeg).then(|| jpeg::read_header(bytes));
    if let Some(header) = &jpeg_header {
        // the decoder allocates the rows of the frame when it is created
        check_size(what, header.size.unwrap_or([1, 1]), limits)?;
        jpeg::check(what, bytes, &[])?;
    }
    if format == ImageFormat::Png && !damage::png_has_checksums(bytes) {
        return Err(Error::format(what, "the data of its picture is damaged or breaks off"));
    }
    if format == ImageFormat::WebP && riff_len(bytes).is_none_or(|len| len > bytes.len() as u64) {
        return Err(Error::format(what, "the file ends before its picture does"));
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(decoder_limits(limits));
    let mut decoder = reader.into_decoder().map_err(error)?;
    check_size(what, decoder.dimensions().into(), limits)?;
    if decoder.total_bytes() > limits.memory_bytes {
        let (limit, actual) = (limits.memory_bytes, decoder.total_bytes());
        return Err(ErrorKind::Limit { limit, actual, unit: Unit::BytesOfMemory }.into());
    }

    // a picture with a broken EXIF block is read without it
    let exif = decoder.exif_metadata().ok().flatten().unwrap_or_default();
    let exif = Exif::read(exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif));
    let own_dpi = match format {
        ImageFormat::Png => png_dpi(bytes),
        ImageFormat::Bmp => bmp_dpi(bytes),
        _ => jpeg_header.and_then(|header| header.dpi),
    };
    let image = DynamicImage::from_decoder(decoder).map_err(error)?;
    if format == ImageFormat::Gif {
        damage::check_gif(bytes, decoder_limits(limits))?;
    }
    if format == ImageFormat::WebP && !damage::webp_is_used_up(bytes) {
        return Err(Error::format(what, "the data of its picture is damaged"));
    }
    Ok(StoredPage {
        pixels: grey::grey_from_dynamic(what, image)?,
        dpi: own_dpi.or(exif.dpi),
        orientation: exif.orientation,
    })
}

/// What an EXIF block contains about a page.
#[derive(Debug, Default)]
struct Exif {
    dpi: Option<[f64; 2]>,
    orientation: Orientation,
}

impl Exif {
    /// Reads a block; one that cannot be read gives the defaults.
    fn read(block: &[u8]) -> Self {
        let ifd = Header::read(block).and_then(|header| Ifd::read(header, header.first()?));
        let Ok(ifd) = ifd else { return Self::default() };
        Self { dpi: tagged_dpi(&ifd), orientation: tagged_orientation(&ifd) }
    }
}

/// Resolution in dpi, across and down, from the tags that TIFF and EXIF share; `None` where they give only an aspect ratio.
pub fn tagged_dpi(ifd: &Ifd) -> Option<[f64; 2]> {
    let unit_dpi = match ifd.uint(tag::RESOLUTION_UNIT).unwrap_or(2) {
        2 => 1.0,
        3 => 2.54, // per centimetre
        _ => return None,
    };
    Some([ifd.number(tag::X_RESOLUTION)? * unit_dpi, ifd.number(tag::Y_RESOLUTION)? * unit_dpi])
}

/// Orientation from the tag that TIFF and EXIF share; upright where it is absent or not valid.
pub fn tagged_orientation(ifd: &Ifd) -> Orientation {
    ifd.uint(tag::ORIENTATION).and_then(Orientation::from_exif).unwrap_or_default()
}

fn decoder_limits(limits: &Limits) -> image::Limits {
    let mut decoder_limits = image::Limits::no_limits();
    let max_bytes = limits.page_pixels.saturating_mul(PIXEL_BYTES).saturating_add(DECODER_BYTES);
    decoder_limits.max_alloc = Some(max_bytes.min(limits.memory_bytes));
    decoder_limits
}

/// The length that a RIFF file declares, bytes. Chunks after the pixels count, since one may hold the orientation.
fn riff_len(bytes: &[u8]) -> Option<u64> {
    let body_len = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
    Some(u64::from(body_len) + 8)
}

/// Resolution in the pHYs chunk (PNG third edition, 11.3.4.3), which precedes the pixels.
fn png_dpi(bytes: &[u8]) -> Option<[f64; 2]> {
    let be_u32 = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?));
    let mut at = 8;
    loop {
        let length = be_u32(at)? as usize;
        match bytes.get(at + 4..at + 8)? {
            b"pHYs" => {
                let is_metres = *bytes.get(at + 16)? == 1;
                let dpi = [be_u32(at + 8)?, be_u32(at + 12)?].map(|n| f64::from(n) * METRES_PER_INCH);
                return is_metres.then_some(dpi);
            }
            b"IDAT" => return None,
            _ => at = at.checked_add(length)?.checked_add(12)?,
        }
    }
}

/// Resolution in the information header (BITMAPINFOHEADER and its successors), stored in pixels per metre; 0 where not known.
fn bmp_dpi(bytes: &[u8]) -> Option<[f64; 2]> {
    let le_u32 = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let has_density = le_u32(14)? >= 40;
    let dpi = [le_u32(38)?, le_u32(42)?].map(|n| f64::from(n) * METRES_PER_INCH);
    has_density.then_some(dpi)
}
