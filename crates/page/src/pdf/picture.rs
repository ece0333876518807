//! One picture of a PDF page: whether it is complete and within limits, and its pixels in grey.
//!
//! hayro decodes leniently, as a viewer should: missing data is white. White in the place of digits is worse than no page, so
//! the data is checked here before hayro decodes it.

use hayro::hayro_interpret::{Image, ImageData, LumaData, Paint};
use hayro::hayro_syntax::Filter;
use hayro::hayro_syntax::object::{Array, Dict, Name, Object, Stream};
use image::GrayImage;

use super::super::fax::{self, Coding};
use super::super::grey::{Alpha, Colour, Layout, grey_from_samples};
use super::super::stored::check_size;
use super::super::{Limits, jpeg, jpeg2000};
use super::filters::{UnpackedStream, unpack};
use formread_raster::error::{Error, Format, Result};

/// Most bytes of a decompressed stream besides its pixels.
const SPARE_BYTES: u64 = 1 << 20;
/// The end of a JPEG 2000 codestream, and the first byte of one without a file format around it (ITU-T T.800, A.2).
const JPX_END: [u8; 2] = [0xFF, 0xD9];
const JPX_START: u8 = 0xFF;

/// Checks that a picture and its masks have the size that they declare, that it is within limits, and that their data is complete,
/// and decodes no more than that needs.
///
/// # Errors
/// `Format` where it is not complete, `Limit` where it is too large, `Unsupported` where a filter is not read.
pub fn check(stream: &Stream<'_>, limits: &Limits) -> Result<()> {
    check_one(stream, limits)?;
    let masks = ["SMask", "Mask"].into_iter().filter_map(|key| stream.dict().get::<Stream<'_>>(key));
    masks.into_iter().try_for_each(|mask| check_one(&mask, limits))
}

/// Entries of the dictionary of a picture that change its pixels.
const PARTS: [&str; 8] = ["ColorSpace", "CS", "Decode", "DecodeParms", "Filter", "Mask", "SMask", "BitsPerComponent"];
/// How deep these are checked where they are nested.
const MAX_DEPTH: u32 = 4;

/// Whether all that an entry refers to is in the file. hayro treats an entry whose object is missing as absent.
fn is_complete(dict: &Dict<'_>, key: impl AsRef<[u8]>, depth: u32) -> bool {
    match dict.get::<Object<'_>>(&key) {
        Some(value) => is_whole(&value, depth),
        None => !dict.contains_key(key),
    }
}

fn is_whole(value: &Object<'_>, depth: u32) -> bool {
    match value {
        _ if depth == 0 => true,
        Object::Array(values) => {
            values.raw_iter().count() == values.iter::<Object<'_>>().count()
                && values.iter::<Object<'_>>().all(|value| is_whole(&value, depth - 1))
        }
        // a dictionary with a length is that of a stream whose data is truncated
        Object::Dict(dict) => !dict.contains_key("Length") && dict.keys().all(|key| is_complete(dict, key, depth - 1)),
        _ => true,
    }
}

fn check_one(stream: &Stream<'_>, limits: &Limits) -> Result<()> {
    let dict = stream.dict();
    if !PARTS.iter().all(|key| is_complete(dict, key, MAX_DEPTH)) {
        return Err(Error::format(Format::Pdf, "a part of a picture is not in the file"));
    }
    let size = size(dict)?;
    check_size(Format::Pdf, size, limits)?;
    let row_bits = u64::from(size[0]) * sample_bits(dict);
    let n_bytes = row_bits.div_ceil(8) * u64::from(size[1]);
    // a predictor adds a byte per row
    let max_bytes = 2 * n_bytes + u64::from(size[1]) + SPARE_BYTES;
    let UnpackedStream { data, code, is_whole: _ } = unpack(stream, max_bytes)?;
    match code {
        None if (data.len() as u64) < n_bytes => Err(broken_off()),
        None => Ok(()),
        Some((Filter::CcittFaxDecode, params)) => check_fax(&data, &params, size, limits),
        Some((Filter::DctDecode, _)) => {
            check_size(Format::Pdf, jpeg::read_header(&data).size.unwrap_or([1, 1]), limits)?;
            jpeg::check(Format::Pdf, &data, &[])
        }
        Some((Filter::Jbig2Decode, params)) => check_jbig2(&data, &params, limits),
        Some((_, _)) => {
            jpeg2000::check(Format::Pdf, &data, limits)?;
            let is_bare = data.first() == Some(&JPX_START);
            if is_bare && !data.trim_ascii_end().ends_with(&JPX_END) { Err(broken_off()) } else { Ok(()) }
        }
    }
}

/// Width and height that a picture declares, pixels.
///
/// # Errors
/// `Format` where it declares none.
pub fn size(dict: &Dict<'_>) -> Result<[u32; 2]> {
    let number = |short: &str, long: &str| dict.get::<u32>(short).or_else(|| dict.get::<u32>(long));
    match (number("W", "Width"), number("H", "Height")) {
        (Some(width @ 1..), Some(height @ 1..)) => Ok([width, height]),
        _ => Err(Error::format(Format::Pdf, "a picture of no size")),
    }
}

fn broken_off() -> Error {
    Error::format(Format::Pdf, "the data of a picture breaks off")
}

/// Bits per pixel, at least. A colour space that is named in the resources is not looked up, and counts as one sample.
fn sample_bits(dict: &Dict<'_>) -> u64 {
    let is_mask = dict.get::<bool>("IM").or_else(|| dict.get::<bool>("ImageMask")).unwrap_or(false);
    if is_mask {
        return 1;
    }
    let bits = dict.get::<u8>("BPC").or_else(|| dict.get::<u8>("BitsPerComponent")).unwrap_or(1);
    let space = dict.get::<Object<'_>>("CS").or_else(|| dict.get::<Object<'_>>("ColorSpace"));
    let n_samples = match &space {
        Some(Object::Name(name)) => named_samples(name),
        Some(Object::Array(parts)) => array_samples(parts),
        _ => 1,
    };
    u64::from(bits) * n_samples
}

fn named_samples(name: &Name<'_>) -> u64 {
    match name.as_str() {
        "DeviceRGB" | "RGB" | "CalRGB" | "Lab" => 3,
        "DeviceCMYK" | "CMYK" => 4,
        _ => 1,
    }
}

fn array_samples(parts: &Array<'_>) -> u64 {
    let mut parts = parts.iter::<Object<'_>>();
    let Some(Object::Name(family)) = parts.next() else { return 1 };
    match (family.as_str(), parts.next()) {
        ("ICCBased", Some(Object::Stream(profile))) => profile.dict().get::<u8>("N").map_or(1, u64::from),
        _ => named_samples(&family),
    }
}

fn check_fax(data: &[u8], params: &Dict<'_>, [_, height]: [u32; 2], limits: &Limits) -> Result<()> {
    let flag = |key: &str| params.get::<bool>(key).unwrap_or(false);
    let width = params.get::<u32>("Columns").unwrap_or(1728);
    check_size(Format::Pdf, [width, height], limits)?;
    let coding = match (params.get::<i32>("K").unwrap_or(0), flag("EncodedByteAlign")) {
        (..0, false) => Coding::Group4,
        (..0, true) => Coding::Group4Aligned,
        (0, false) => Coding::Group3,
        (0, true) if !flag("EndOfLine") => Coding::ModifiedHuffman,
        // only hayro reads these codings
        _ => return Ok(()),
    };
    let rest = fax::decode_rows(data.iter().copied(), coding, width, height, |_, _| {})
        .map_err(|row_idx| Error::format(Format::Pdf, format!("the fax code breaks off in row: {row_idx}")))?;
    let is_checked = matches!(coding, Coding::Group4 | Coding::Group4Aligned);
    if is_checked && rest == fax::Rest::Data {
        return Err(Error::format(Format::Pdf, "the fax code has more rows than the picture"));
    }
    Ok(())
}

fn check_jbig2(data: &[u8], params: &Dict<'_>, limits: &Limits) -> Result<()> {
    let settings = hayro_jbig2::DecodeSettings { strict: true };
    let error = |error: hayro_jbig2::DecodeError| Error::format(Format::Pdf, error);
    let globals = params.get::<Stream<'_>>("JBIG2Globals").map(|globals| unpack(&globals, SPARE_BYTES)).transpose()?;
    let globals =
        globals.map(|globals| hayro_jbig2::Globals::new(&globals.data, &settings)).transpose().map_err(error)?;
    let page = hayro_jbig2::Page::new_embedded(data, globals.as_ref(), &settings).map_err(error)?;
    check_size(Format::Pdf, [page.width(), page.height()], limits)?;
    // strictly, since hayro skips regions that it cannot read
    page.decode(&mut Nowhere).map_err(error)
}

/// Discards pixels.
struct Nowhere;

impl hayro_jbig2::Decoder for Nowhere {
    fn push_pixel(&mut self, _: bool) {}
    fn push_pixel_chunk(&mut self, _: bool, _: u32) {}
    fn next_line(&mut self) {}
}

/// The pixels of a picture as stored, on white paper. `None` where the page must be rendered to get them: a picture that cannot be
/// decoded, paint that is a pattern, a mask of another size.
pub fn grey(image: &Image<'_, '_>) -> Option<GrayImage> {
    let mut grey = None;
    match image {
        Image::Raster(raster) => raster.with_rgba(|pixels, alpha| grey = blend_on_white(pixels, alpha), None),
        Image::Stencil(stencil) => stencil.with_stencil(|mask, paint| grey = paint_mask(&mask, paint), None),
    }
    grey
}

fn blend_on_white(pixels: ImageData, alpha: Option<LumaData>) -> Option<GrayImage> {
    let [width, height] = [pixels.width(), pixels.height()];
    let n_pixels = width as usize * height as usize;
    let grey = match pixels {
        ImageData::Luma(luma) => luma.data,
        ImageData::Rgb(rgb) => {
            grey_from_samples(&rgb.data, Layout::interleaved(Colour::Rgb, Alpha::None, 3), n_pixels)?
        }
    };
    let grey = match alpha {
        None => grey,
        Some(alpha) if [alpha.width, alpha.height] == [width, height] => {
            let both: Vec<u8> = grey.iter().zip(&alpha.data).flat_map(|(&grey, &alpha)| [grey, alpha]).collect();
            grey_from_samples(&both, Layout::interleaved(Colour::Grey, Alpha::Straight, 2), n_pixels)?
        }
        Some(_) => return None,
    };
    GrayImage::from_raw(width, height, grey)
}

fn paint_mask(mask: &LumaData, paint: &Paint<'_>) -> Option<GrayImage> {
    let Paint::Color(colour) = paint else { return None };
    let rgb = colour.to_rgba().to_rgba8();
    let layout = Layout::interleaved(Colour::Rgb, Alpha::None, 4);
    let ink = *grey_from_samples(&rgb, layout, 1)?.first()?;
    let both: Vec<u8> = mask.data.iter().flat_map(|&alpha| [ink, alpha]).collect();
    let layout = Layout::interleaved(Colour::Grey, Alpha::Straight, 2);
    let grey = grey_from_samples(&both, layout, mask.data.len())?;
    GrayImage::from_raw(mask.width, mask.height, grey)
}
