//! TIFF: a chain of directories, a page each.
//!
//! Fax codes are decoded by [`super::fax`], all other data by the tiff crate, one page at a time. It reads the file through a
//! [`Source`], in which the directory of the page is the first one, the most significant bit is first, and the indices of a
//! palette are grey: features that it does not support itself.

mod packed;

use std::collections::BTreeSet;
use std::ops::Range;

use image::{GrayImage, ImageFormat};
use tiff::decoder::{Decoder, DecodingResult};
use tiff::{ColorType, TiffError};

use super::fax::{self, Coding};
use super::grey::{Alpha, Colour, Layout, Sample, grey_from_samples};
use super::ifd::{Header, Ifd, tag};
use super::single::{self, tagged_dpi, tagged_orientation};
use super::source::Source;
use super::stored::{StoredPage, check_size};
use super::{Limits, jpeg};
use formread_raster::error::{Error, ErrorKind, Format, Result, Unit};

/// Values of the Compression tag that matter here.
const OLD_JPEG: u64 = 6;
const MODIFIED_HUFFMAN: u64 = 2;
const GROUP_3: u64 = 3;
const GROUP_4: u64 = 4;
const JPEG: u64 = 7;
/// Values of the PhotometricInterpretation tag that matter here.
const WHITE_IS_ZERO: u64 = 0;
const BLACK_IS_ZERO: u16 = 1;
const PALETTE: u64 = 3;
/// Bits of the NewSubfileType tag: a smaller version of another page, and a mask for one.
const NOT_A_PAGE: u64 = 0b101;
/// Value of the SubfileType tag, which is older: a smaller version of another page.
const REDUCED: u64 = 2;
/// Values of the ExtraSamples tag that matter here.
const UNSPECIFIED: u64 = 0;
const PREMULTIPLIED: u64 = 1;
const STRAIGHT: u64 = 2;
const STRAIGHT_ALPHA: u16 = 2;
/// Colours that differ by less than this are those of an empty page.
const MIN_CONTRAST: u8 = 32;
/// The largest pixel that is decoded, bytes: five samples of 16 bits.
const PIXEL_BYTES: u64 = 10;

/// The directories of a file that are pages.
#[derive(Debug)]
pub struct IfdChain<'a> {
    /// The header of the file.
    pub header: Header<'a>,
    /// Offset of each page's directory.
    pub offsets: Vec<u64>,
    /// Why the chain ends after these, where it is broken.
    pub broken: Option<Error>,
}

impl<'a> IfdChain<'a> {
    /// Follows the chain without decoding pages. Reduced versions of pages, and masks, are skipped unless the file has
    /// nothing else.
    ///
    /// # Errors
    /// `Format` where it is no TIFF file or has no directory, `Limit` where it has too many.
    pub fn walk(bytes: &'a [u8], limits: &Limits) -> Result<Self> {
        let header = Header::read(bytes)?;
        let mut next = Some(header.first()?).filter(|&offset| offset != 0);
        let mut visited = BTreeSet::new();
        let (mut offsets, mut auxiliary, mut broken) = (Vec::new(), Vec::new(), None);
        while let Some(offset) = next {
            if !visited.insert(offset) {
                broken = Some(Error::format(Format::Tiff, "its directories run in a circle"));
                break;
            }
            if visited.len() as u64 > limits.pages.into() {
                let kind =
                    ErrorKind::Limit { limit: limits.pages.into(), actual: visited.len() as u64, unit: Unit::Pages };
                return Err(kind.into());
            }
            match Ifd::read(header, offset) {
                Ok(ifd) => {
                    let is_auxiliary = ifd.uint(tag::NEW_SUBFILE_TYPE).is_some_and(|bits| bits & NOT_A_PAGE != 0)
                        || ifd.uint(tag::SUBFILE_TYPE) == Some(REDUCED);
                    if is_auxiliary { &mut auxiliary } else { &mut offsets }.push(offset);
                    next = ifd.next;
                }
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        if offsets.is_empty() {
            offsets = auxiliary;
        }
        if offsets.is_empty() && broken.is_none() {
            return Err(Error::format(Format::Tiff, "it has no pages"));
        }
        Ok(Self { header, offsets, broken })
    }
}

/// Decodes the page whose directory is at `offset`.
pub fn decode(bytes: &[u8], header: Header, offset: u64, limits: &Limits) -> Result<StoredPage> {
    let ifd = Ifd::read(header, offset)?;
    let size = [dimension(&ifd, tag::IMAGE_WIDTH)?, dimension(&ifd, tag::IMAGE_LENGTH)?];
    check_size(Format::Tiff, size, limits)?;
    let compression = ifd.uint(tag::COMPRESSION).unwrap_or(1);
    if compression == OLD_JPEG {
        return decode_old_jpeg(bytes, &ifd, size, limits);
    }
    let chunks = chunks(&ifd, size, bytes.len(), limits)?;
    let coding = match compression {
        MODIFIED_HUFFMAN => Some(Coding::ModifiedHuffman),
        GROUP_3 if ifd.uint(tag::T4_OPTIONS).is_some_and(|bits| bits & 1 != 0) => Some(Coding::Group3TwoDimensional),
        GROUP_3 => Some(Coding::Group3),
        GROUP_4 => Some(Coding::Group4),
        _ => None,
    };
    let pixels = match coding {
        Some(coding) => decode_fax(bytes, &ifd, coding, size, &chunks)?,
        None => {
            if compression == JPEG {
                check_jpeg_chunks(bytes, &ifd, size[1], &chunks, limits)?;
            }
            packed::check_chunks(bytes, &ifd, compression, size[1], &chunks)?;
            decode_samples(bytes, &ifd, offset, size, &chunks, limits)?
        }
    };
    Ok(StoredPage { pixels, dpi: tagged_dpi(&ifd), orientation: tagged_orientation(&ifd) })
}

/// A strip or a tile.
#[derive(Debug)]
struct Chunk {
    /// Left top corner on the page.
    at: [u32; 2],
    /// Width and height as coded. A tile may reach past the page's edge.
    size: [u32; 2],
    /// Its data in the file. Where the length is not declared, the rest of the file.
    data: Range<usize>,
    /// Whether the length is declared.
    is_measured: bool,
}

fn dimension(ifd: &Ifd, tag: u16) -> Result<u32> {
    let value = ifd.uint(tag).ok_or_else(|| Error::format(Format::Tiff, format!("no value for tag: {tag}")))?;
    u32::try_from(value).map_err(|_| Error::format(Format::Tiff, format!("no size in pixels: {value}")))
}

/// The strips or tiles of a page, those of its first plane first. All of their data is within the file.
fn chunks(ifd: &Ifd, [width, height]: [u32; 2], file_len: usize, limits: &Limits) -> Result<Vec<Chunk>> {
    let is_tiled = ifd.has(tag::TILE_OFFSETS);
    let ([offsets, lengths], chunk_size) = if is_tiled {
        let size = [dimension(ifd, tag::TILE_WIDTH)?, dimension(ifd, tag::TILE_LENGTH)?];
        check_size(Format::Tiff, size, limits)?;
        ([tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS], size)
    } else {
        let n_rows = ifd.uint(tag::ROWS_PER_STRIP).map_or(height, |n| u32::try_from(n).unwrap_or(height).min(height));
        check_size(Format::Tiff, [width, n_rows], limits)?;
        ([tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS], [width, n_rows])
    };
    let n_across = width.div_ceil(chunk_size[0]);
    let n_a_plane = n_across as usize * height.div_ceil(chunk_size[1]) as usize;
    let missing = || Error::format(Format::Tiff, "it does not say where its strips or tiles are");
    let offsets = ifd.uints(offsets).ok_or_else(missing)?;
    let mut lengths = match ifd.uints(lengths) {
        Some(lengths) => lengths,
        None if offsets.len() == 1 && !ifd.has(lengths) => vec![0],
        None => return Err(missing()),
    };
    // some software writes one strip and leaves its length out
    let is_measured = offsets.len() > 1 || lengths != [0];
    if !is_measured {
        lengths = vec![(file_len as u64).saturating_sub(offsets[0])];
    }
    if offsets.len() != lengths.len() || offsets.len() < n_a_plane {
        return Err(missing());
    }
    let chunk = |(idx, (offset, length)): (usize, (u64, u64))| {
        let in_plane = u32::try_from(idx % n_a_plane).ok()?;
        let at = [in_plane % n_across * chunk_size[0], in_plane / n_across * chunk_size[1]];
        let size = if is_tiled { chunk_size } else { [width, chunk_size[1].min(height - at[1])] };
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        (end <= file_len).then_some(Chunk { at, size, data: start..end, is_measured })
    };
    let chunks = offsets.into_iter().zip(lengths).enumerate().map(chunk).collect::<Option<Vec<_>>>();
    chunks.ok_or_else(|| Error::format(Format::Tiff, "the file ends before its picture does"))
}

/// Whether the bits of the data run from the least significant one.
fn is_reversed(ifd: &Ifd) -> bool {
    ifd.uint(tag::FILL_ORDER) == Some(2)
}

fn decode_fax(
    bytes: &[u8],
    ifd: &Ifd,
    coding: Coding,
    [width, height]: [u32; 2],
    chunks: &[Chunk],
) -> Result<GrayImage> {
    let bits =
        ifd.uint(tag::BITS_PER_SAMPLE).unwrap_or(1).saturating_mul(ifd.uint(tag::SAMPLES_PER_PIXEL).unwrap_or(1));
    if bits != 1 {
        return Err(Error::unsupported(Format::Tiff, format!("fax code of so many bits a pixel: {bits}")));
    }
    let white = match ifd.uint(tag::PHOTOMETRIC) {
        None | Some(WHITE_IS_ZERO) => 255,
        Some(_) => 0,
    };
    let is_reversed = is_reversed(ifd);
    let stride = width as usize;
    let mut pixels = vec![0; stride * height as usize];
    for chunk in chunks {
        let data = bytes[chunk.data.clone()].iter().map(|&byte| if is_reversed { byte.reverse_bits() } else { byte });
        let [x0, y0] = chunk.at.map(|v| v as usize);
        // a tile has rows below the page, too
        let [chunk_width, n_rows] = chunk.size;
        let x1 = stride.min(x0 + chunk_width as usize);
        let rest = fax::decode_rows(data, coding, chunk_width, n_rows, |row_idx, changes| {
            let start = (y0 + row_idx as usize) * stride;
            if let Some(row) = pixels.get_mut(start + x0..start + x1) {
                fax::paint(changes, white, row);
            }
        })
        .map_err(|row_idx| {
            Error::format(Format::Tiff, format!("the fax code breaks off in row: {}", y0 + row_idx as usize))
        })?;
        // each row of the other codings shows by its length that it is whole
        if coding == Coding::Group4 && rest == fax::Rest::Data && chunk.is_measured {
            return Err(Error::format(Format::Tiff, "the fax code has more rows than the picture"));
        }
    }
    GrayImage::from_raw(width, height, pixels)
        .ok_or_else(|| Error::format(Format::Tiff, "fewer pixels than the size asks for"))
}

/// Checks strips and tiles that are JPEG pictures: each declares a size of its own, for which the decoder allocates memory.
fn check_jpeg_chunks(bytes: &[u8], ifd: &Ifd, page_height: u32, chunks: &[Chunk], limits: &Limits) -> Result<()> {
    let tables = ifd.bytes(tag::JPEG_TABLES).unwrap_or_default();
    for chunk in chunks {
        let data = &bytes[chunk.data.clone()];
        let [width, height] = jpeg::read_header(data).size.unwrap_or([1, 1]);
        check_size(Format::Tiff, [width, height], limits)?;
        let [right_width, min_height] = [chunk.size[0], chunk.size[1].min(page_height - chunk.at[1])];
        if width != right_width || height < min_height {
            return Err(Error::format(Format::Tiff, format!("a strip or tile is of another size: {width} x {height}")));
        }
        jpeg::check(Format::Tiff, data, tables)?;
    }
    Ok(())
}

/// Decodes a page in the JPEG coding of TIFF 6.0, section 22, where the whole JPEG file is in one place, as most software wrote it.
fn decode_old_jpeg(bytes: &[u8], ifd: &Ifd, size: [u32; 2], limits: &Limits) -> Result<StoredPage> {
    let start = ifd.uint(tag::OLD_JPEG_OFFSET).and_then(|offset| usize::try_from(offset).ok());
    let data = start.and_then(|start| bytes.get(start..)).filter(|data| data.starts_with(&jpeg::START));
    let data = data.ok_or_else(|| Error::unsupported(Format::Tiff, "old-style JPEG in parts"))?;
    let len = ifd.uint(tag::OLD_JPEG_LENGTH).and_then(|len| usize::try_from(len).ok()).filter(|len| *len > 0);
    let data = match len {
        Some(len) => {
            data.get(..len).ok_or_else(|| Error::format(Format::Tiff, "the file ends before its picture does"))?
        }
        None => data,
    };
    if jpeg::read_header(data).size != Some(size) {
        return Err(Error::unsupported(Format::Tiff, "old-style JPEG of another size than the page"));
    }
    let stored = single::decode(data, ImageFormat::Jpeg, Format::Tiff, limits)?;
    Ok(StoredPage { pixels: stored.pixels, dpi: tagged_dpi(ifd), orientation: tagged_orientation(ifd) })
}

/// Whether all pixels have about the same colour.
fn is_uniform<S: Sample>(samples: &[S], n_samples: usize) -> bool {
    let colours = || samples.chunks_exact(n_samples).flat_map(|pixel| &pixel[..3]).map(|sample| sample.to_byte());
    colours().max().unwrap_or(0) - colours().min().unwrap_or(0) < MIN_CONTRAST
}

fn decode_samples(
    bytes: &[u8],
    ifd: &Ifd,
    offset: u64,
    [width, height]: [u32; 2],
    chunks: &[Chunk],
    limits: &Limits,
) -> Result<GrayImage> {
    let photometric = ifd.uint(tag::PHOTOMETRIC);
    let mut patches = vec![ifd.header().first_patch(offset), ifd.last_patch()];
    if matches!(photometric, Some(WHITE_IS_ZERO | PALETTE)) {
        patches.extend(ifd.short_patch(tag::PHOTOMETRIC, BLACK_IS_ZERO));
    }
    // the tiff crate leaves out samples without a meaning
    if ifd.uint(tag::EXTRA_SAMPLES) == Some(UNSPECIFIED) && ifd.uint(tag::SAMPLES_PER_PIXEL) == Some(4) {
        patches.extend(ifd.short_patch(tag::EXTRA_SAMPLES, STRAIGHT_ALPHA));
    }
    if let [Chunk { data, is_measured: false, .. }] = chunks {
        let len = u32::try_from(data.len()).unwrap_or(u32::MAX);
        patches.extend(ifd.long_patch(tag::STRIP_BYTE_COUNTS, len));
    }
    // JPEG data is a stream of bytes, whatever the order of bits
    let is_reversed = is_reversed(ifd) && ifd.uint(tag::COMPRESSION) != Some(JPEG);
    let reversed = if is_reversed { chunks.iter().map(|chunk| chunk.data.clone()).collect() } else { Vec::new() };
    let source = Source::new(bytes, patches).with_reversed(reversed);

    let mut decoder_limits = tiff::decoder::Limits::default();
    let max_bytes = limits.page_pixels.saturating_mul(PIXEL_BYTES).min(limits.memory_bytes);
    decoder_limits.decoding_buffer_size = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    decoder_limits.intermediate_buffer_size = bytes.len();
    let mut decoder = Decoder::new(source).map_err(error)?.with_limits(decoder_limits);
    let colour_type = decoder.colortype().map_err(error)?;
    let mut samples = DecodingResult::U8(Vec::new());
    let buffer = decoder.read_image_to_buffer(&mut samples).map_err(error)?;

    let n_pixels = width as usize * height as usize;
    let too_few = || Error::format(Format::Tiff, "fewer samples than the size asks for");
    let is_inverted = photometric == Some(WHITE_IS_ZERO);
    let grey = match (&samples, colour_type) {
        (DecodingResult::U8(samples), ColorType::Gray(bits @ (1 | 2 | 4 | 8))) => {
            let table = if photometric == Some(PALETTE) { palette(ifd, bits)? } else { ramp(bits, is_inverted) };
            unpack(samples, bits, width as usize, &table)
        }
        (samples, colour_type) => {
            let (colour, n_samples) = colour_layout(colour_type, is_inverted)
                .ok_or_else(|| Error::unsupported(Format::Tiff, format!("colours of type: {colour_type:?}")))?;
            let alpha = match ifd.uint(tag::EXTRA_SAMPLES) {
                Some(PREMULTIPLIED) if n_samples > colour.n_samples() => Alpha::Premultiplied,
                Some(STRAIGHT) if n_samples > colour.n_samples() => Alpha::Straight,
                // a page of one colour is drawn by its fourth sample; that of a scanner may be infrared light
                Some(UNSPECIFIED) if colour == Colour::Rgb && n_samples == 4 && buffer.planes < 2 => {
                    let is_uniform = match samples {
                        DecodingResult::U8(samples) => is_uniform(samples, n_samples),
                        DecodingResult::U16(samples) => is_uniform(samples, n_samples),
                        _ => false,
                    };
                    if is_uniform { Alpha::Straight } else { Alpha::None }
                }
                // image software writes alpha as a fourth sample without a tag for it
                None if colour == Colour::Rgb && n_samples > 3 => Alpha::Straight,
                _ => Alpha::None,
            };
            let plane_bytes = buffer.plane_stride.map_or(0, std::num::NonZeroUsize::get);
            let layout = |sample_bytes: usize| match buffer.planes {
                0 | 1 => Layout::interleaved(colour, alpha, n_samples),
                _ => Layout { colour, alpha, pixel_stride: 1, sample_stride: plane_bytes / sample_bytes },
            };
            match samples {
                DecodingResult::U8(samples) => grey_from_samples(samples, layout(1), n_pixels),
                DecodingResult::U16(samples) => grey_from_samples(samples, layout(2), n_pixels),
                _ => {
                    return Err(Error::unsupported(
                        Format::Tiff,
                        "samples that are not unsigned numbers of 1 to 16 bits",
                    ));
                }
            }
            .ok_or_else(too_few)?
        }
    };
    GrayImage::from_raw(width, height, grey).ok_or_else(too_few)
}

/// What the samples mean, and how many a pixel has. `None` where the colours are not read.
fn colour_layout(colour_type: ColorType, is_inverted: bool) -> Option<(Colour, usize)> {
    let grey = if is_inverted { Colour::GreyInverted } else { Colour::Grey };
    Some(match colour_type {
        ColorType::Gray(8 | 16) => (grey, 1),
        ColorType::Multiband { bit_depth: 8 | 16, num_samples } => (grey, num_samples.into()),
        ColorType::RGB(8 | 16) => (Colour::Rgb, 3),
        ColorType::RGBA(8 | 16) => (Colour::Rgb, 4),
        ColorType::CMYK(8 | 16) => (Colour::Cmyk, 4),
        ColorType::CMYKA(8 | 16) => (Colour::Cmyk, 5),
        ColorType::YCbCr(8) => (Colour::YCbCr, 3),
        _ => return None,
    })
}

/// Grey of every sample of `bits` bits.
fn ramp(bits: u8, is_inverted: bool) -> Vec<u8> {
    let n_values = 1usize << bits;
    let ramp = (0..n_values).map(|value| u8::try_from(value * 255 / (n_values - 1)).unwrap_or(u8::MAX));
    if is_inverted { ramp.rev().collect() } else { ramp.collect() }
}

/// Grey of every index into the page's colour map, which keeps all reds, then all greens, then all blues.
fn palette(ifd: &Ifd, bits: u8) -> Result<Vec<u8>> {
    let n_colours = 1usize << bits;
    let map = ifd.uints(tag::COLOUR_MAP).filter(|map| map.len() >= 3 * n_colours);
    let map = map.ok_or_else(|| Error::format(Format::Tiff, "a palette without its colours"))?;
    // 16 bits each, but some software writes only the lower 8
    let shift = if map.iter().all(|&v| v < 256) { 0 } else { 8 };
    let map: Vec<u8> = map.iter().map(|&v| u8::try_from(v >> shift).unwrap_or(u8::MAX)).collect();
    let layout = Layout { colour: Colour::Rgb, alpha: Alpha::None, pixel_stride: 1, sample_stride: n_colours };
    grey_from_samples(&map, layout, n_colours)
        .ok_or_else(|| Error::format(Format::Tiff, "a palette without its colours"))
}

/// Looks up samples of 1 to 8 bits in `table`; rows begin on byte boundaries.
fn unpack(packed: &[u8], bits: u8, width: usize, table: &[u8]) -> Vec<u8> {
    let bits = usize::from(bits);
    let row_bytes = (width * bits).div_ceil(8);
    let mask = table.len() - 1;
    let value = |row: &[u8], x: usize| {
        let shift = 8 - bits - x * bits % 8;
        table[usize::from(row[x * bits / 8]) >> shift & mask]
    };
    let mut values = Vec::with_capacity(packed.len() / row_bytes.max(1) * width);
    for row in packed.chunks_exact(row_bytes) {
        values.extend((0..width).map(|x| value(row, x)));
    }
    values
}

fn error(error: TiffError) -> Error {
    match error {
        TiffError::UnsupportedError(detail) => Error::unsupported(Format::Tiff, detail),
        TiffError::IoError(_) => Error::format(Format::Tiff, "the data of its picture breaks off"),
        other => Error::format(Format::Tiff, other),
    }
}

#[cfg(test)]
mod tests;
