//! Damage in PNG, GIF and WebP files that their decoders do not report.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageFormat, Limits};

use formread_raster::error::{Error, Format, Result};

/// Bytes at the end of the data of a WebP picture without which it cannot be decoded. More than its coders pad.
const WEBP_TAIL_BYTES: usize = 16;

/// Whether the chunks of a PNG file that make up its picture have their checksums (PNG third edition, 5.3), up to its end. The
/// decoder stops before the last of them.
pub fn png_has_checksums(bytes: &[u8]) -> bool {
    let mut at = 8;
    loop {
        let Some(length) = bytes.get(at..).and_then(<[u8]>::first_chunk).map(|length| u32::from_be_bytes(*length))
        else {
            return false;
        };
        let end = usize::try_from(length).ok().and_then(|length| at.checked_add(8)?.checked_add(length));
        let Some((body, checksum)) =
            end.and_then(|end| Some((bytes.get(at + 4..end)?, u32::from_be_bytes(*bytes.get(end..)?.first_chunk()?))))
        else {
            return false;
        };
        // a chunk with a capital letter first is part of the picture
        if body[0].is_ascii_uppercase() && crc32fast::hash(body) != checksum {
            return false;
        }
        if body.starts_with(b"IEND") {
            return true;
        }
        at += body.len() + 8;
    }
}

/// Checks that a GIF file ends after its first picture.
///
/// # Errors
/// `Format` where it breaks off, `Unsupported` where it has several pictures.
pub fn check_gif(bytes: &[u8], limits: Limits) -> Result<()> {
    let damaged = |error| Error::format(Format::Gif, error);
    let mut decoder = GifDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    decoder.set_limits(limits).map_err(damaged)?;
    match decoder.into_frames().nth(1) {
        None => Ok(()),
        Some(Ok(_)) => Err(Error::unsupported(Format::Gif, "several pictures")),
        Some(Err(error)) => Err(damaged(error)),
    }
}

/// Whether the data of a WebP picture is used to its end. Its codes have no check: a decoder that lost its place reads any codes
/// and leaves data over. So the picture must not decode without the last bytes.
pub fn webp_is_used_up(bytes: &[u8]) -> bool {
    let Some(shortened) = without_tail(bytes) else { return true };
    let reader = image::ImageReader::with_format(Cursor::new(shortened), ImageFormat::WebP);
    // without limits, since the file itself passed them
    reader.into_decoder().and_then(DynamicImage::from_decoder).is_err()
}

/// The file with the picture data some bytes shorter; `None` where it is hardly longer than that, or there is none.
fn without_tail(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut at = 12;
    loop {
        let kind: &[u8; 4] = bytes.get(at..)?.first_chunk()?;
        let length = u32::from_le_bytes(*bytes.get(at + 4..)?.first_chunk()?);
        let length = usize::try_from(length).ok()?;
        if [*b"VP8 ", *b"VP8L"].contains(kind) {
            let kept = length.checked_sub(WEBP_TAIL_BYTES).filter(|kept| *kept > 2 * WEBP_TAIL_BYTES)?;
            let mut shortened = bytes.get(..at + 8 + kept)?.to_vec();
            shortened[at + 4..at + 8].copy_from_slice(&u32::try_from(kept).ok()?.to_le_bytes());
            if kept % 2 == 1 {
                shortened.push(0);
            }
            let riff_length = u32::try_from(shortened.len() - 8).ok()?;
            shortened[4..8].copy_from_slice(&riff_length.to_le_bytes());
            return Some(shortened);
        }
        at = at.checked_add(8)?.checked_add(length)?.checked_add(length % 2)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coded(format: ImageFormat) -> Vec<u8> {
        let picture = image::GrayImage::from_fn(200, 150, |x, y| {
            let is_ink = y % 50 < 3 || (x / 7 + y / 5) % 13 == 3;
            let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(97_531_357)) >> 13 & 7;
            image::Luma([if is_ink { 40 } else { 240 + grain as u8 }])
        });
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::from(picture).into_rgb8().write_to(&mut bytes, format).expect("it can be coded");
        bytes.into_inner()
    }

    #[test]
    fn changed_byte_of_a_png_is_found() {
        let bytes = coded(ImageFormat::Png);
        assert!(png_has_checksums(&bytes));
        for at in 8..bytes.len() - 12 {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            assert!(!png_has_checksums(&changed), "byte {at}");
            assert!(!png_has_checksums(&bytes[..at]), "{at} bytes");
        }
    }

    #[test]
    fn gif_truncated_or_of_several_pictures_is_no_page() {
        let bytes = coded(ImageFormat::Gif);
        let is_page = |bytes: &[u8]| {
            let pages = super::super::open(bytes, &super::super::Limits::default());
            pages.is_ok_and(|mut pages| pages.next().is_some_and(|page| page.is_ok()))
        };
        assert!(is_page(&bytes));
        for len in (0..bytes.len() - 1).rev().step_by(97) {
            assert!(!is_page(&bytes[..len]), "{len} of {} bytes", bytes.len());
        }
        let mut two = Vec::new();
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut two);
        for grey in [0, 255] {
            let frame = image::Frame::new(image::RgbaImage::from_pixel(64, 64, image::Rgba([grey, grey, grey, 255])));
            encoder.encode_frame(frame).expect("it can be coded");
        }
        drop(encoder);
        assert!(!is_page(&two));
    }

    #[test]
    fn zeroed_bytes_of_a_webp_are_found() {
        let bytes = coded(ImageFormat::WebP);
        assert!(webp_is_used_up(&bytes));
        let (mut n_missed, mut n_places) = (0, 0);
        for at in (1000..bytes.len() - 200).step_by(211) {
            let mut zeroed = bytes.clone();
            zeroed[at..at + 100].fill(0);
            let whole = image::load_from_memory_with_format(&zeroed, ImageFormat::WebP);
            n_missed += u32::from(whole.is_ok() && webp_is_used_up(&zeroed));
            n_places += 1;
        }
        assert!(n_places > 20 && n_missed * 10 <= n_places, "{n_missed} of {n_places} are not found");
    }
}
