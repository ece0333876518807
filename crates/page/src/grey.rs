//! Conversion of samples of any layout to grey.

use image::{DynamicImage, GrayImage};

use formread_raster::error::{Error, Format, Result};

/// What the first samples of a pixel mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// One sample, 0 black.
    Grey,
    /// One sample, 0 white.
    GreyInverted,
    /// Red, green, blue.
    Rgb,
    /// Cyan, magenta, yellow, black; 0 no ink.
    Cmyk,
    /// Luma first; the two chroma samples do not matter to grey.
    YCbCr,
}

impl Colour {
    /// How many samples a pixel has before its alpha.
    pub fn n_samples(self) -> usize {
        match self {
            Self::Grey | Self::GreyInverted => 1,
            Self::Rgb | Self::YCbCr => 3,
            Self::Cmyk => 4,
        }
    }
}

/// What the sample after the colour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alpha {
    /// There is none, or its meaning is not known.
    None,
    /// Opacity; the colour is that of the opaque pixel.
    Straight,
    /// Opacity; the colour was multiplied by it.
    Premultiplied,
}

/// How samples make up pixels.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Meaning of the first samples.
    pub colour: Colour,
    /// Meaning of the sample after them.
    pub alpha: Alpha,
    /// From a pixel to its neighbour, samples.
    pub pixel_stride: usize,
    /// From one sample of a pixel to its next, samples: 1 where interleaved, a whole plane's length where planar.
    pub sample_stride: usize,
}

impl Layout {
    /// Pixels of `n_samples` adjacent samples.
    pub fn interleaved(colour: Colour, alpha: Alpha, n_samples: usize) -> Self {
        Self { colour, alpha, pixel_stride: n_samples, sample_stride: 1 }
    }
}

/// A sample that scales to a byte.
pub trait Sample: Copy {
    /// 0 to 255, rounded.
    fn to_byte(self) -> u8;
}

impl Sample for u8 {
    fn to_byte(self) -> u8 {
        self
    }
}

impl Sample for u16 {
    fn to_byte(self) -> u8 {
        // 65535 = 255 * 257
        u8::try_from((u32::from(self) + 128) / 257).expect("65535 + 128 is under 256 * 257")
    }
}

/// Converts `n_pixels` pixels to grey on white paper; `None` where there are too few samples.
pub fn grey_from_samples<S: Sample>(samples: &[S], layout: Layout, n_pixels: usize) -> Option<Vec<u8>> {
    let alpha_idx = (layout.alpha != Alpha::None).then(|| layout.colour.n_samples());
    let last_sample = layout.colour.n_samples() - 1 + usize::from(alpha_idx.is_some());
    let last = (n_pixels.checked_sub(1)?).checked_mul(layout.pixel_stride)?;
    let last = last.checked_add(last_sample.checked_mul(layout.sample_stride)?)?;
    if last >= samples.len() {
        return None;
    }
    let grey = (0..n_pixels).map(|pixel_idx| {
        let at =
            |sample_idx: usize| samples[pixel_idx * layout.pixel_stride + sample_idx * layout.sample_stride].to_byte();
        let grey = match layout.colour {
            Colour::Grey | Colour::YCbCr => at(0),
            Colour::GreyInverted => 255 - at(0),
            Colour::Rgb => luma([at(0), at(1), at(2)]),
            Colour::Cmyk => {
                let light = |ink: u8| multiply(255 - ink, 255 - at(3));
                luma([light(at(0)), light(at(1)), light(at(2))])
            }
        };
        match (alpha_idx, layout.alpha) {
            (Some(idx), Alpha::Straight) => multiply(grey, at(idx)) + (255 - at(idx)),
            (Some(idx), Alpha::Premultiplied) => grey.saturating_add(255 - at(idx)),
            _ => grey,
        }
    });
    Some(grey.collect())
}

/// Converts an image to grey; transparent parts become white paper.
///
/// # Errors
/// `Unsupported` for samples that are not integers.
pub fn grey_from_dynamic(what: Format, image: DynamicImage) -> Result<GrayImage> {
    use Colour::{Grey, Rgb};
    let [width, height] = [image.width(), image.height()];
    let n_pixels = width as usize * height as usize;
    let layout = |colour, alpha, n_samples| Layout::interleaved(colour, alpha, n_samples);
    let grey = match &image {
        DynamicImage::ImageLuma8(_) => return Ok(image.into_luma8()),
        DynamicImage::ImageLumaA8(b) => grey_from_samples(b, layout(Grey, Alpha::Straight, 2), n_pixels),
        DynamicImage::ImageRgb8(b) => grey_from_samples(b, layout(Rgb, Alpha::None, 3), n_pixels),
        DynamicImage::ImageRgba8(b) => grey_from_samples(b, layout(Rgb, Alpha::Straight, 4), n_pixels),
        DynamicImage::ImageLuma16(b) => grey_from_samples(b, layout(Grey, Alpha::None, 1), n_pixels),
        DynamicImage::ImageLumaA16(b) => grey_from_samples(b, layout(Grey, Alpha::Straight, 2), n_pixels),
        DynamicImage::ImageRgb16(b) => grey_from_samples(b, layout(Rgb, Alpha::None, 3), n_pixels),
        DynamicImage::ImageRgba16(b) => grey_from_samples(b, layout(Rgb, Alpha::Straight, 4), n_pixels),
        other => return Err(Error::unsupported(what, format!("samples of type {:?}", other.color()))),
    };
    grey.and_then(|grey| GrayImage::from_raw(width, height, grey))
        .ok_or_else(|| Error::format(what, "fewer samples than the size asks for"))
}

/// ITU-R BT.601 luma, weights in 1/256.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    const WEIGHTS: [u32; 3] = [77, 150, 29];
    let sum = WEIGHTS[0] * u32::from(r) + WEIGHTS[1] * u32::from(g) + WEIGHTS[2] * u32::from(b);
    u8::try_from((sum + 128) >> 8).expect("the weights sum to 256")
}

/// `a * b / 255`, rounded.
fn multiply(a: u8, b: u8) -> u8 {
    u8::try_from((u32::from(a) * u32::from(b) + 127) / 255).expect("255 * 255 / 255 is 255")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_every_layout_reach_black_and_white() {
        struct Case {
            layout: Layout,
            black: &'static [u8],
            white: &'static [u8],
        }
        let cases = [
            Case { layout: Layout::interleaved(Colour::Grey, Alpha::None, 1), black: &[0], white: &[255] },
            Case { layout: Layout::interleaved(Colour::GreyInverted, Alpha::None, 1), black: &[255], white: &[0] },
            Case { layout: Layout::interleaved(Colour::Rgb, Alpha::None, 3), black: &[0; 3], white: &[255; 3] },
            Case {
                layout: Layout::interleaved(Colour::Rgb, Alpha::Straight, 4),
                black: &[0, 0, 0, 255],
                white: &[9, 8, 7, 0],
            },
            Case {
                layout: Layout::interleaved(Colour::Grey, Alpha::Premultiplied, 2),
                black: &[0, 255],
                white: &[0, 0],
            },
            Case {
                layout: Layout::interleaved(Colour::Cmyk, Alpha::None, 4),
                black: &[0, 0, 0, 255],
                white: &[0, 0, 0, 0],
            },
            Case {
                layout: Layout::interleaved(Colour::YCbCr, Alpha::None, 3),
                black: &[0, 128, 128],
                white: &[255, 128, 128],
            },
        ];
        for Case { layout, black, white } in cases {
            let both = [black, white].concat();
            assert_eq!(grey_from_samples(&both, layout, 2), Some(vec![0, 255]), "{layout:?}");
            assert_eq!(grey_from_samples(&both, layout, 3), None, "{layout:?}");
        }
    }

    #[test]
    fn planar_samples_equal_interleaved_ones() {
        let interleaved = [10u8, 20, 30, 200, 100, 50];
        let planar = [10u8, 200, 20, 100, 30, 50];
        let planes = Layout { colour: Colour::Rgb, alpha: Alpha::None, pixel_stride: 1, sample_stride: 2 };
        let expected = grey_from_samples(&interleaved, Layout::interleaved(Colour::Rgb, Alpha::None, 3), 2);
        assert_eq!(expected, Some(vec![18, 124]));
        assert_eq!(grey_from_samples(&planar, planes, 2), expected);
    }

    #[test]
    fn sample_of_16_bits_rounds_to_8() {
        for byte in 0..=255u8 {
            assert_eq!((u16::from(byte) * 257).to_byte(), byte);
        }
        assert_eq!(128u16.to_byte(), 0);
        assert_eq!(129u16.to_byte(), 1);
    }
}
