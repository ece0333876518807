//! Barcodes: read from a picture, and drawn as one, with the `rxing` crate.

use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
};

use image::{
    GrayImage, Luma,
    imageops::{self, FilterType},
};
use imageproc::filter::box_filter;
use rxing::{
    BarcodeFormat, Binarizer, BinaryBitmap, DecodeHints, EncodeHints, Luma8LuminanceSource, MultiFormatReader,
    MultiFormatWriter, Reader, Writer,
    common::{GlobalHistogramBinarizer, HybridBinarizer},
    datamatrix::encoder::SymbolShapeHint,
};
use serde::Serialize;

/// Radius of the neighbourhood by which averaged bars are sharpened, pixels: a third of a millimetre, a bar or two.
const SHARPENING_RADIUS_PX: u32 = 8;
/// Error correction of QR codes that are drawn: level M, which restores 15 %, the usual one in print.
const QR_CORRECTION: &str = "M";

/// How bars or modules encode a text (ISO/IEC 19762).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Symbology {
    /// QR code.
    Qr,
    /// Data Matrix, ECC 200.
    DataMatrix,
    /// Aztec code.
    Aztec,
    /// PDF417: rows of bars.
    Pdf417,
    /// Code 128: bars.
    Code128,
    /// Code 39: bars.
    Code39,
    /// Interleaved 2 of 5: bars, an even number of digits.
    Itf,
}

impl Symbology {
    /// All that are read.
    pub const ALL: [Self; 7] =
        [Self::Qr, Self::DataMatrix, Self::Aztec, Self::Pdf417, Self::Code128, Self::Code39, Self::Itf];

    /// Its word in templates.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qr => "qr",
            Self::DataMatrix => "data-matrix",
            Self::Aztec => "aztec",
            Self::Pdf417 => "pdf417",
            Self::Code128 => "code-128",
            Self::Code39 => "code-39",
            Self::Itf => "itf",
        }
    }

    /// Whether it is one row of bars.
    pub fn is_linear(self) -> bool {
        matches!(self, Self::Code128 | Self::Code39 | Self::Itf)
    }

    /// Whether its modules are as wide as they are high.
    pub fn is_square(self) -> bool {
        matches!(self, Self::Qr | Self::DataMatrix | Self::Aztec)
    }

    fn format(self) -> BarcodeFormat {
        match self {
            Self::Qr => BarcodeFormat::QR_CODE,
            Self::DataMatrix => BarcodeFormat::DATA_MATRIX,
            Self::Aztec => BarcodeFormat::AZTEC,
            Self::Pdf417 => BarcodeFormat::PDF_417,
            Self::Code128 => BarcodeFormat::CODE_128,
            Self::Code39 => BarcodeFormat::CODE_39,
            Self::Itf => BarcodeFormat::ITF,
        }
    }
}

/// A preprocessing of the picture before it is decoded.
#[derive(Debug, Clone, Copy)]
enum Preprocessing {
    /// None; binarised by local thresholds.
    Local,
    /// None; binarised by one threshold.
    Global,
    /// Halved, which averages noise; binarised by local thresholds.
    Halved,
    /// Bars averaged along themselves and sharpened; binarised by one threshold.
    Averaged {
        /// From where to where on their length, as shares of it.
        part: [f64; 2],
        /// Rows that remain, each the mean of many.
        rows: u32,
        /// How much of a pixel's difference from its neighbourhood is added to it.
        sharpness: f32,
    },
}

impl Preprocessing {
    const MATRIX: [Self; 3] = [Self::Local, Self::Global, Self::Halved];
    /// The first two use different ink, so that they err independently. Chosen on drawn barcodes: modules of 0.3 mm at 150 to
    /// 200 dpi are read like this and not without sharpening. More rows or sharpening amplify noise.
    const LINEAR: [Self; 4] = [
        Self::Averaged { part: [0.0, 0.5], rows: 8, sharpness: 1.0 },
        Self::Averaged { part: [0.5, 1.0], rows: 8, sharpness: 1.0 },
        Self::Averaged { part: [0.0, 1.0], rows: 5, sharpness: 1.0 },
        Self::Averaged { part: [0.0, 1.0], rows: 15, sharpness: 2.0 },
    ];
}

/// The text of the barcode in `picture` (about 12 pixels a millimetre), once for each preprocessing with which one is decoded.
/// They are tried one by one as the caller asks for more. Linear barcodes and PDF417 run along the picture's longer side;
/// others may be turned.
pub fn barcode_readings(picture: &GrayImage, symbology: Symbology) -> impl Iterator<Item = String> {
    let preprocessings: &[Preprocessing] =
        if symbology.is_linear() { &Preprocessing::LINEAR } else { &Preprocessing::MATRIX };
    let is_upright = picture.height() > picture.width() && !symbology.is_square();
    let picture = if is_upright { Cow::Owned(imageops::rotate90(picture)) } else { Cow::Borrowed(picture) };
    preprocessings.iter().filter_map(move |&preprocessing| decode_preprocessed(&picture, symbology, preprocessing))
}

fn decode_preprocessed(picture: &GrayImage, symbology: Symbology, preprocessing: Preprocessing) -> Option<String> {
    match preprocessing {
        Preprocessing::Local => decode(picture.clone(), HybridBinarizer::new, symbology),
        Preprocessing::Global => decode(picture.clone(), GlobalHistogramBinarizer::new, symbology),
        Preprocessing::Halved => {
            let [width, height] = [picture.width(), picture.height()].map(|side| (side / 2).max(1));
            let halved = imageops::resize(picture, width, height, FilterType::Triangle);
            decode(halved, HybridBinarizer::new, symbology)
        }
        Preprocessing::Averaged { part, rows, sharpness } => {
            decode(average_bars(picture, part, rows, sharpness), GlobalHistogramBinarizer::new, symbology)
        }
    }
}

/// The picture as [`Preprocessing::Averaged`] describes, twice as wide.
fn average_bars(picture: &GrayImage, part: [f64; 2], rows: u32, sharpness: f32) -> GrayImage {
    let (width, height) = picture.dimensions();
    let [top, bottom] = part.map(|share| (share * f64::from(height)) as u32);
    let bars = imageops::crop_imm(picture, 0, top, width, bottom - top).to_image();
    let means = imageops::resize(&bars, width, rows, FilterType::Triangle);
    let wide = imageops::resize(&means, 2 * width, rows, FilterType::CatmullRom);
    let around = box_filter(&wide, SHARPENING_RADIUS_PX, 0);
    let sharp = |&value: &u8, mean: &u8| f32::from(value) + sharpness * (f32::from(value) - f32::from(*mean));
    let sharp = wide.as_raw().iter().zip(around.as_raw()).map(|(value, mean)| sharp(value, mean) as u8);
    GrayImage::from_raw(2 * width, rows, sharp.collect()).expect("it has a pixel for each of the wide picture")
}

fn decode<B: Binarizer>(
    picture: GrayImage,
    binarised: impl FnOnce(Luma8LuminanceSource) -> B,
    symbology: Symbology,
) -> Option<String> {
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return None;
    }
    catch_panic(|| {
        let source = Luma8LuminanceSource::new(picture.into_raw(), width, height).ok()?;
        let formats = Some([symbology.format()].into());
        let is_thorough = Some(!symbology.is_linear());
        let hints = DecodeHints { PossibleFormats: formats, TryHarder: is_thorough, ..DecodeHints::default() };
        let mut bitmap = BinaryBitmap::new(binarised(source));
        let result = MultiFormatReader::default().decode_with_hints(&mut bitmap, &hints).ok()?;
        Some(result.getText().to_owned())
    })
}

/// The barcode of `text`: one pixel a module, 0 paper, 255 ink, nothing around it; of a linear one a single row.
/// `None` where the symbology cannot express it.
pub fn draw_barcode(text: &str, symbology: Symbology) -> Option<GrayImage> {
    let mut hints = EncodeHints {
        Margin: Some("0".to_owned()),
        DataMatrixShape: Some(SymbolShapeHint::FORCE_SQUARE),
        ..EncodeHints::default()
    };
    if symbology == Symbology::Qr {
        hints.ErrorCorrection = Some(QR_CORRECTION.to_owned());
    }
    let bits = catch_panic(|| MultiFormatWriter.encode_with_hints(text, &symbology.format(), 1, 1, &hints).ok())?;
    Some(GrayImage::from_fn(bits.width(), bits.height(), |x, y| Luma([if bits.get(x, y) { 255 } else { 0 }])))
}

/// The result of `work` in `rxing`, which may panic on odd pictures; `None` of a panic.
fn catch_panic<T>(work: impl FnOnce() -> Option<T>) -> Option<T> {
    // nothing that the closure may leave half done is used again
    catch_unwind(AssertUnwindSafe(work)).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(symbology: Symbology) -> &'static str {
        if symbology == Symbology::Itf { "20260001" } else { "TAX-2026/1" }
    }

    /// The barcode as it would be printed, on white: a linear one as high as 20 of its modules.
    fn printed(text: &str, symbology: Symbology, px_per_module: u32) -> GrayImage {
        let drawn = draw_barcode(text, symbology).expect("it can be drawn");
        let rows = if symbology.is_linear() { 20 } else { drawn.height() };
        let margin = 10;
        let module = |i: u32| (i / px_per_module).checked_sub(margin);
        let side = |n: u32| (n + 2 * margin) * px_per_module;
        GrayImage::from_fn(side(drawn.width()), side(rows), |x, y| {
            let at = module(x).zip(module(y).filter(|&y| y < rows));
            let ink = at.and_then(|(x, y)| drawn.get_pixel_checked(x, if symbology.is_linear() { 0 } else { y }));
            Luma([255 - ink.map_or(0, |ink| ink[0])])
        })
    }

    #[test]
    fn barcode_readings_of_a_drawn_barcode_give_its_text_when_turned_too() {
        for symbology in Symbology::ALL {
            let picture = printed(text_of(symbology), symbology, 4);
            for picture in [&picture, &imageops::rotate90(&picture), &imageops::rotate180(&picture)] {
                let read: Vec<String> = barcode_readings(picture, symbology).collect();
                assert!(
                    !read.is_empty() && read.iter().all(|text| text == text_of(symbology)),
                    "{symbology:?}: {read:?}"
                );
            }
        }
    }

    #[test]
    fn barcode_readings_without_a_barcode_are_none() {
        let white = GrayImage::from_pixel(300, 120, Luma([255]));
        let black = GrayImage::from_pixel(120, 300, Luma([0]));
        let chequered = GrayImage::from_fn(301, 97, |x, y| Luma([if (x / 3 + y / 5) % 2 == 0 { 10 } else { 240 }]));
        let noise = GrayImage::from_fn(257, 255, |x, y| Luma([(x * x * 31 + y * y * 17 + x * y * 7) as u8]));
        let tiny = [(0, 0), (1, 1), (2, 1), (1, 9), (3, 3), (40, 1)].map(|(w, h)| GrayImage::new(w, h));
        for picture in [white, black, chequered, noise].iter().chain(&tiny) {
            for symbology in Symbology::ALL {
                let read: Vec<String> = barcode_readings(picture, symbology).collect();
                assert_eq!(read, [""; 0], "{symbology:?} of {:?}", picture.dimensions());
            }
        }
    }

    #[test]
    fn draw_barcode_of_a_text_that_the_symbology_lacks_is_none() {
        for (text, symbology) in [
            ("", Symbology::Qr),
            ("123", Symbology::Itf),
            ("12a4", Symbology::Itf),
            ("\u{1f600}", Symbology::Code39),
            ("\u{1f600}", Symbology::Code128),
        ] {
            assert_eq!(draw_barcode(text, symbology), None, "{text:?} as {symbology:?}");
        }
    }

    #[test]
    fn catch_panic_of_a_panic_is_none() {
        assert_eq!(catch_panic(|| -> Option<u8> { panic!("as a decoder may") }), None);
        assert_eq!(catch_panic(|| Some(7)), Some(7));
    }
}
