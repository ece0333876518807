//! Encodes pages as the bytes of a file, with the resolution if the format can store it.

use std::io::Cursor;

use fax::{Color, VecWriter, encoder::Encoder as FaxEncoder};
use image::{
    GrayImage,
    codecs::{
        bmp::BmpEncoder,
        jpeg::{JpegEncoder, PixelDensity},
        webp::WebPEncoder,
    },
};
use tiff::{
    encoder::{Compression, Rational, TiffEncoder, colortype::Gray8},
    tags::{CompressionMethod, PhotometricInterpretation, ResolutionUnit, Tag},
};

use formread_raster::error::{Error, Format, Result};

/// Quality of JPEG files, 1 to 100. It is high, since losses are the task of the degradations.
const JPEG_FILE_QUALITY: u8 = 90;
/// Pixels below this level are ink in a black-and-white file.
const BILEVEL_THRESHOLD: u8 = 150;
/// Inches per metre.
const INCHES_PER_METRE: f64 = 1.0 / 0.0254;

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanFormat {
    /// 8-bit grey, LZW; several pages per file.
    Tiff,
    /// Black and white, CCITT group 4; several pages per file.
    TiffBilevel,
    /// 8-bit grey.
    Png,
    /// 8-bit grey, quality 90.
    Jpeg,
    /// 8-bit grey, without resolution.
    Bmp,
    /// Lossless, without resolution.
    WebP,
}

impl ScanFormat {
    /// The format with the name `name`: `tif`, `png`, `jpg`, `bmp` or `webp`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "tif" => Some(Self::Tiff),
            "png" => Some(Self::Png),
            "jpg" => Some(Self::Jpeg),
            "bmp" => Some(Self::Bmp),
            "webp" => Some(Self::WebP),
            _ => None,
        }
    }

    /// File name extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Tiff | Self::TiffBilevel => "tif",
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Bmp => "bmp",
            Self::WebP => "webp",
        }
    }

    /// Whether a file can contain more than one page.
    pub fn is_multi_page(self) -> bool {
        matches!(self, Self::Tiff | Self::TiffBilevel)
    }
}

/// Encodes `pages` ([H, W] u8, 0 black .. 255 white) at `dpi` as one file.
///
/// # Errors
/// `Usage` if there is no page, or more than the format can contain; `Unsupported` if the codec refuses an image.
pub fn encode_scan(pages: &[GrayImage], format: ScanFormat, dpi: f64) -> Result<Vec<u8>> {
    let one = match pages {
        [] => return Err(Error::usage("no page to encode")),
        [one] => one,
        _ if format.is_multi_page() => &pages[0],
        _ => return Err(Error::usage(format!("more than one page in {}: {}", format.extension(), pages.len()))),
    };
    let mut bytes = Vec::new();
    match format {
        ScanFormat::Tiff => return tiff_grey(pages, dpi).map_err(|error| Error::unsupported(Format::Tiff, error)),
        ScanFormat::TiffBilevel => {
            return tiff_bilevel(pages, dpi).map_err(|error| Error::unsupported(Format::Tiff, error));
        }
        ScanFormat::Png => png_grey(one, dpi, &mut bytes).map_err(|error| Error::unsupported(Format::Png, error))?,
        ScanFormat::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_FILE_QUALITY);
            encoder.set_pixel_density(PixelDensity::dpi(dpi.round().clamp(1.0, 65_535.0) as u16));
            encoder.encode_image(one).map_err(|error| Error::unsupported(Format::Jpeg, error))?;
        }
        ScanFormat::Bmp => {
            let encoder = BmpEncoder::new(&mut bytes);
            one.write_with_encoder(encoder).map_err(|error| Error::unsupported(Format::Bmp, error))?;
        }
        ScanFormat::WebP => {
            let encoder = WebPEncoder::new_lossless(&mut bytes);
            one.write_with_encoder(encoder).map_err(|error| Error::unsupported(Format::WebP, error))?;
        }
    }
    Ok(bytes)
}

fn png_grey(page: &GrayImage, dpi: f64, bytes: &mut Vec<u8>) -> std::result::Result<(), png::EncodingError> {
    let mut encoder = png::Encoder::new(bytes, page.width(), page.height());
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let ppu = (dpi * INCHES_PER_METRE).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: ppu, yppu: ppu, unit: png::Unit::Meter }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(page.as_raw())?;
    writer.finish()
}

/// The resolution in hundredths of a dot per inch.
fn rational(dpi: f64) -> Rational {
    Rational { n: (dpi * 100.0).round() as u32, d: 100 }
}

fn tiff_grey(pages: &[GrayImage], dpi: f64) -> tiff::TiffResult<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file)?.with_compression(Compression::Lzw);
    for page in pages {
        let mut image = encoder.new_image::<Gray8>(page.width(), page.height())?;
        image.resolution(ResolutionUnit::Inch, rational(dpi));
        image.write_data(page.as_raw())?;
    }
    Ok(file.into_inner())
}

/// Encodes pages as ITU-T T.6 (group 4) with one strip per page; white is zero.
fn tiff_bilevel(pages: &[GrayImage], dpi: f64) -> tiff::TiffResult<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file)?;
    for page in pages {
        let mut fax = FaxEncoder::new(VecWriter::new());
        for row in page.rows() {
            let pels = row.map(|pixel| if pixel.0[0] < BILEVEL_THRESHOLD { Color::Black } else { Color::White });
            match fax.encode_line(pels, page.width()) {
                Ok(()) => {}
                Err(never) => match never {},
            }
        }
        let strip = match fax.finish() {
            Ok(writer) => writer.finish(),
            Err(never) => match never {},
        };
        let n_bytes = u32::try_from(strip.len()).map_err(|_| tiff::TiffError::IntSizeError)?;
        let mut directory = encoder.image_directory()?;
        let offset = u32::try_from(directory.write_data(&strip[..])?).map_err(|_| tiff::TiffError::IntSizeError)?;
        directory.write_tag(Tag::ImageWidth, page.width())?;
        directory.write_tag(Tag::ImageLength, page.height())?;
        directory.write_tag(Tag::BitsPerSample, 1_u16)?;
        directory.write_tag(Tag::Compression, CompressionMethod::Fax4.to_u16())?;
        directory.write_tag(Tag::PhotometricInterpretation, PhotometricInterpretation::WhiteIsZero.to_u16())?;
        directory.write_tag(Tag::StripOffsets, offset)?;
        directory.write_tag(Tag::SamplesPerPixel, 1_u16)?;
        directory.write_tag(Tag::RowsPerStrip, page.height())?;
        directory.write_tag(Tag::StripByteCounts, n_bytes)?;
        directory.write_tag(Tag::XResolution, rational(dpi))?;
        directory.write_tag(Tag::YResolution, rational(dpi))?;
        directory.write_tag(Tag::ResolutionUnit, ResolutionUnit::Inch.to_u16())?;
        directory.finish()?;
    }
    Ok(file.into_inner())
}

#[cfg(test)]
mod tests {
    use fax::decoder::{decode_g4, pels};
    use image::{ImageFormat, Luma};
    use tiff::decoder::Decoder;

    use super::*;

    fn page(period: u32) -> GrayImage {
        GrayImage::from_fn(61, 40, |x, y| Luma([if (x + y * y) % period < 2 { 0 } else { 255 }]))
    }

    #[test]
    fn encoded_page_decodes_to_the_same_pixels() {
        for (format, codec) in [
            (ScanFormat::Tiff, ImageFormat::Tiff),
            (ScanFormat::Png, ImageFormat::Png),
            (ScanFormat::Jpeg, ImageFormat::Jpeg),
            (ScanFormat::Bmp, ImageFormat::Bmp),
            (ScanFormat::WebP, ImageFormat::WebP),
        ] {
            let bytes = encode_scan(&[page(9)], format, 200.0).expect("it is small");
            let back = image::load_from_memory_with_format(&bytes, codec).expect("it was just written").into_luma8();
            assert_eq!(back.dimensions(), page(9).dimensions(), "{format:?}");
            assert!(format == ScanFormat::Jpeg || back == page(9), "{format:?}");
            assert_eq!(ScanFormat::from_name(format.extension()), Some(format));
        }
    }

    #[test]
    fn group_4_pages_decode_to_the_same_pixels() {
        let pages = [page(9), page(5), page(31)];
        let bytes = encode_scan(&pages, ScanFormat::TiffBilevel, 200.0).expect("it is small");
        let mut decoder = Decoder::new(Cursor::new(&bytes)).expect("it is a tiff");
        for (i, page) in pages.iter().enumerate() {
            assert_eq!(decoder.get_tag_u32(Tag::Compression).expect("it has the tag"), 4);
            let offset = decoder.get_tag_u32(Tag::StripOffsets).expect("it has the tag") as usize;
            let n_bytes = decoder.get_tag_u32(Tag::StripByteCounts).expect("it has the tag") as usize;
            let strip = bytes[offset..offset + n_bytes].iter().copied();
            let mut rows: Vec<Vec<u8>> = Vec::new();
            decode_g4(strip, 61, Some(40), |transitions| {
                rows.push(pels(transitions, 61).map(|c| if c == Color::Black { 0 } else { 255 }).collect());
            })
            .expect("it is group 4");
            assert_eq!(rows.concat(), *page.as_raw(), "page {i}");
            assert_eq!(decoder.more_images(), i < 2);
            if i < 2 {
                decoder.next_image().expect("there is one more");
            }
        }
    }

    #[test]
    fn encode_scan_rejects_several_pages_in_png() {
        assert!(encode_scan(&[], ScanFormat::Png, 200.0).is_err());
        assert!(encode_scan(&[page(9), page(5)], ScanFormat::Png, 200.0).is_err());
    }
}
