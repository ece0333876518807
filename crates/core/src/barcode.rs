//! Barcodes, read from a picture and drawn as one, by the crate that knows them.

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

/// Half of what surrounds a pixel of averaged bars, pixels: a third of a millimetre, a bar or two.
const SURROUNDINGS_PX: u32 = 8;
/// What a QR code can lose when it is drawn: level M, 15 %, the common one in print.
const QR_CORRECTION: &str = "M";

/// How bars or modules say a text (ISO/IEC 19762).
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

    /// The word that templates have for it.
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

/// One way of looking at a picture.
#[derive(Debug, Clone, Copy)]
enum Look {
    /// As it is, dark or light by its surroundings.
    Local,
    /// As it is, dark or light by one threshold.
    Global,
    /// The first at half the size: noise is averaged.
    Halved,
    /// Bars averaged along themselves and sharpened.
    Averaged {
        /// Which part of their length, shares of it.
        part: [f64; 2],
        /// Rows that are left, each the mean of many.
        rows: u32,
        /// How much of its difference from its surroundings is added to a pixel.
        sharpness: f32,
    },
}

impl Look {
    const MATRIX: [Self; 3] = [Self::Local, Self::Global, Self::Halved];
    /// The first two see different ink. Empirically chosen: 0.3 mm modules at 150 to 200 dpi are read so where they are not
    /// without sharpening.
    const LINEAR: [Self; 4] = [
        Self::Averaged { part: [0.0, 0.5], rows: 8, sharpness: 1.0 },
        Self::Averaged { part: [0.5, 1.0], rows: 8, sharpness: 1.0 },
        Self::Averaged { part: [0.0, 1.0], rows: 5, sharpness: 1.0 },
        Self::Averaged { part: [0.0, 1.0], rows: 15, sharpness: 2.0 },
    ];
}

/// What the barcode in `picture` (some 12 pixels a millimetre) says, once for each way of looking at it that reads one: ways
/// are tried as more is asked for. Linear barcodes and PDF417 run along the picture's longer side; others may be turned.
pub fn barcode_readings(picture: &GrayImage, symbology: Symbology) -> impl Iterator<Item = String> {
    let looks: &[Look] = if symbology.is_linear() { &Look::LINEAR } else { &Look::MATRIX };
    let is_upright = picture.height() > picture.width() && !symbology.is_square();
    let picture = if is_upright { Cow::Owned(imageops::rotate90(picture)) } else { Cow::Borrowed(picture) };
    looks.iter().filter_map(move |&look| seen(&picture, symbology, look))
}

fn seen(picture: &GrayImage, symbology: Symbology, look: Look) -> Option<String> {
    match look {
        Look::Local => decoded(picture.clone(), HybridBinarizer::new, symbology),
        Look::Global => decoded(picture.clone(), GlobalHistogramBinarizer::new, symbology),
        Look::Halved => {
            let [width, height] = [picture.width(), picture.height()].map(|side| (side / 2).max(1));
            let halved = imageops::resize(picture, width, height, FilterType::Triangle);
            decoded(halved, HybridBinarizer::new, symbology)
        }
        Look::Averaged { part, rows, sharpness } => {
            decoded(averaged(picture, part, rows, sharpness), GlobalHistogramBinarizer::new, symbology)
        }
    }
}

/// As [`Look::Averaged`], twice as wide.
fn averaged(picture: &GrayImage, part: [f64; 2], rows: u32, sharpness: f32) -> GrayImage {
    let (width, height) = picture.dimensions();
    let [top, bottom] = part.map(|share| (share * f64::from(height)) as u32);
    let bars = imageops::crop_imm(picture, 0, top, width, bottom - top).to_image();
    let means = imageops::resize(&bars, width, rows, FilterType::Triangle);
    let wide = imageops::resize(&means, 2 * width, rows, FilterType::CatmullRom);
    let around = box_filter(&wide, SURROUNDINGS_PX, 0);
    let sharp = |&value: &u8, mean: &u8| f32::from(value) + sharpness * (f32::from(value) - f32::from(*mean));
    let sharp = wide.as_raw().iter().zip(around.as_raw()).map(|(value, mean)| sharp(value, mean) as u8);
    GrayImage::from_raw(2 * width, rows, sharp.collect()).expect("it has a pixel for each of the wide picture")
}

fn decoded<B: Binarizer>(
    picture: GrayImage,
    binarised: impl FnOnce(Luma8LuminanceSource) -> B,
    symbology: Symbology,
) -> Option<String> {
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return None;
    }
    contained(|| {
        let source = Luma8LuminanceSource::new(picture.into_raw(), width, height).ok()?;
        let formats = Some([symbology.format()].into());
        let is_thorough = Some(!symbology.is_linear());
        let hints = DecodeHints { PossibleFormats: formats, TryHarder: is_thorough, ..DecodeHints::default() };
        let mut bitmap = BinaryBitmap::new(binarised(source));
        let result = MultiFormatReader::default().decode_with_hints(&mut bitmap, &hints).ok()?;
        Some(result.getText().to_owned())
    })
}

/// The barcode that says `text`: one pixel a module, 0 paper, 255 ink, nothing around it; of a linear one a single row.
/// `None` where the symbology cannot say it.
pub fn draw_barcode(text: &str, symbology: Symbology) -> Option<GrayImage> {
    let mut hints = EncodeHints {
        Margin: Some("0".to_owned()),
        DataMatrixShape: Some(SymbolShapeHint::FORCE_SQUARE),
        ..EncodeHints::default()
    };
    if symbology == Symbology::Qr {
        hints.ErrorCorrection = Some(QR_CORRECTION.to_owned());
    }
    let bits = contained(|| MultiFormatWriter.encode_with_hints(text, &symbology.format(), 1, 1, &hints).ok())?;
    Some(GrayImage::from_fn(bits.width(), bits.height(), |x, y| Luma([if bits.get(x, y) { 255 } else { 0 }])))
}

/// What the crate makes of what it is given, a panic being nothing.
fn contained<T>(work: impl FnOnce() -> Option<T>) -> Option<T> {
    // nothing that the closure may leave half done is looked at again
    catch_unwind(AssertUnwindSafe(work)).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(symbology: Symbology) -> &'static str {
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
    fn what_is_drawn_is_read_and_on_its_side_too() {
        for symbology in Symbology::ALL {
            let picture = printed(says(symbology), symbology, 4);
            for picture in [&picture, &imageops::rotate90(&picture), &imageops::rotate180(&picture)] {
                let read: Vec<String> = barcode_readings(picture, symbology).collect();
                assert!(!read.is_empty() && read.iter().all(|text| text == says(symbology)), "{symbology:?}: {read:?}");
            }
        }
    }

    #[test]
    fn no_barcode_says_nothing() {
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
    fn what_a_symbology_lacks_is_not_drawn() {
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
    fn a_panic_of_the_crate_is_no_reading() {
        assert_eq!(contained(|| -> Option<u8> { panic!("as a decoder may") }), None);
        assert_eq!(contained(|| Some(7)), Some(7));
    }
}
