//! PDF: scanned pages inside a document.
//!
//! ISO 32000-1. The hayro crates read the structure of a file, decrypt and render it. A page that is one picture, with or without
//! invisible text over it, is taken from the picture as stored, at its own resolution. Any other page (strips, tiles, a mask over a
//! background, stamps, text that was never on paper) is rendered at the resolution of its finest pictures.

mod content;
pub mod filters;
mod picture;
mod sketch;
mod text;
mod typed;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hayro::hayro_interpret::util::TransformExt;
use hayro::hayro_interpret::{InterpreterSettings, InterpreterWarning, RenderContent};
use hayro::hayro_syntax::object::Dict;
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro::kurbo::Affine;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit};
use hayro::{RenderCache, RenderSettings, render_into};
use image::GrayImage;

use super::grey::{Alpha, Colour, Layout, grey_from_samples};
use super::resolution::whole_pixels;
use super::stored::{StoredPage, check_size};
use super::{Limits, Orientation};
use formread_raster::error::{Error, ErrorKind, Format, Result, Unit};
use formread_raster::geometry::{MM_PER_INCH, Projection};
use sketch::Sketch;

pub use text::{PageText, TextWord, page_text, text_of};

/// Units of user space per inch, unless the page sets another.
const UNITS_PER_INCH: f64 = 72.0;
/// Resolution of a rendered page without a scan.
pub const RENDER_DPI: f64 = 300.0;
/// Pictures that together cover less than this share of the area of a page are not its scan.
const MIN_COVER: f64 = 0.1;
/// Most bytes before the mark of a PDF file (ISO 32000-1, annex H, note 13).
const MAX_BYTES_BEFORE_MARK: usize = 1024;

/// Whether bytes are a PDF file.
pub fn is_pdf(bytes: &[u8]) -> bool {
    const MARK: &[u8] = b"%PDF-";
    bytes[..bytes.len().min(MAX_BYTES_BEFORE_MARK)].windows(MARK.len()).any(|window| window == MARK)
}

/// An open PDF file.
pub struct Document {
    pdf: Pdf,
    /// An error where the file lists pages that are not in it.
    pub broken: Option<Error>,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("n_pages", &self.n_pages()).finish_non_exhaustive()
    }
}

impl Document {
    /// Reads the list of pages.
    ///
    /// # Errors
    /// `Unsupported` where it is encrypted with a password, `Format` where it is not a PDF file, `Limit` where it has too
    /// many pages.
    pub fn open(bytes: &[u8], limits: &Limits) -> Result<Self> {
        let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
            LoadPdfError::Decryption(DecryptionError::UnsupportedAlgorithm) => {
                Error::unsupported(Format::Pdf, "encrypted, in a way that is not known")
            }
            LoadPdfError::Decryption(_) => Error::unsupported(Format::Pdf, "encrypted"),
            LoadPdfError::Invalid => Error::format(Format::Pdf, "it has no pages that can be found"),
        })?;
        let n_pages = pdf.pages().len() as u64;
        if n_pages > limits.pages.into() {
            return Err(ErrorKind::Limit { limit: limits.pages.into(), actual: n_pages, unit: Unit::Pages }.into());
        }
        let broken = match listed_pages(&pdf) {
            Some(n_listed) if n_listed <= n_pages => None,
            Some(n_listed) => Some(format!("pages that are listed and not in the file: {}", n_listed - n_pages)),
            None => Some("its list of pages is broken: some may be missing".to_owned()),
        };
        Ok(Self { pdf, broken: broken.map(|detail| Error::format(Format::Pdf, detail)) })
    }

    /// Number of pages that were found.
    pub fn n_pages(&self) -> usize {
        self.pdf.pages().len()
    }

    /// Decodes the page at `idx`; `None` where there is none.
    pub fn decode(&self, idx: usize, limits: &Limits) -> Option<Result<StoredPage>> {
        let form = self.catalogue().and_then(|catalogue| catalogue.get::<Dict<'_>>("AcroForm"));
        self.pdf.pages().get(idx).map(|page| decode(page, form.as_ref(), limits))
    }

    /// The page at `idx` with its objects; `None` where there is none.
    pub fn page(&self, idx: usize) -> Option<&Page<'_>> {
        self.pdf.pages().get(idx)
    }

    /// The document catalogue, the root of all objects (ISO 32000-1, 7.7.2).
    pub fn catalogue(&self) -> Option<Dict<'_>> {
        catalogue(&self.pdf)
    }
}

fn catalogue(pdf: &Pdf) -> Option<Dict<'_>> {
    pdf.xref().get::<Dict<'_>>(pdf.xref().root_id())
}

/// Number of pages that the file declares.
fn listed_pages(pdf: &Pdf) -> Option<u64> {
    let count = catalogue(pdf)?.get::<Dict<'_>>("Pages")?.get::<i32>("Count")?;
    u64::try_from(count).ok()
}

fn units_per_inch(page: &Page<'_>) -> f64 {
    UNITS_PER_INCH / page.raw().get::<f32>("UserUnit").filter(|unit| *unit > 0.0).map_or(1.0, f64::from)
}

/// The map from the user space of a page (ISO 32000-1, 8.3.2.3) to millimetres from the left top corner of the page as [`render`] draws
/// it.
pub fn mm_from_user_space(page: &Page<'_>) -> Projection {
    let [a, b, c, d, e, f] = page.initial_transform(true).as_coeffs();
    let mm_per_unit = MM_PER_INCH / units_per_inch(page);
    Projection::scaling(mm_per_unit, mm_per_unit).compose(&Projection([a, c, e, b, d, f, 0.0, 0.0, 1.0]))
}

/// Renders a whole page at [`RENDER_DPI`], with or without its annotations (form fields with their values, notes, stamps): [H, W] u8,
/// 0 black .. 255 white.
///
/// # Errors
/// `Format` where a part of it is missing, `Limit` and `Unsupported` where it is too large or cannot be rendered.
pub fn render(page: &Page<'_>, with_annotations: bool, limits: &Limits) -> Result<GrayImage> {
    content::check(page)?;
    let sketch = Sketch::of(page, limits)?;
    let content = if with_annotations { RenderContent::all() } else { RenderContent::PAGE };
    draw(page, sketch.size, RENDER_DPI / units_per_inch(page), content, limits)
}

fn decode(page: &Page<'_>, form: Option<&Dict<'_>>, limits: &Limits) -> Result<StoredPage> {
    content::check(page)?;
    let units_per_inch = units_per_inch(page);
    let sketch = Sketch::of(page, limits)?;
    let typed = typed::instructions(page, form)?;
    if typed.is_empty()
        && let Some(only) = sketch.only_picture(page)?
    {
        let dpi = only.placed.resolution().map(|pixels_per_unit| pixels_per_unit * units_per_inch);
        return Ok(StoredPage { pixels: only.pixels, dpi: Some(dpi), orientation: only.orientation });
    }
    let pixels_per_unit = scan_resolution(&sketch).unwrap_or(RENDER_DPI / units_per_inch);
    let mut pixels = draw(page, sketch.size, pixels_per_unit, RenderContent::all(), limits)?;
    if !typed.is_empty() {
        let sheet = typed::sheet(page, &typed)?;
        let over = sheet.pages().first().ok_or_else(|| Error::internal("the page of typed values is not there"))?;
        let over = draw(over, sketch.size, pixels_per_unit, RenderContent::PAGE, limits)?;
        pixels.iter_mut().zip(over.iter()).for_each(|(pixel, over)| *pixel = (*pixel).min(*over));
    }
    Ok(StoredPage { pixels, dpi: Some([pixels_per_unit * units_per_inch; 2]), orientation: Orientation::default() })
}

/// The highest resolution, pixels per unit, whose pictures cover [`MIN_COVER`] of the page together with all finer ones; `None` where
/// pictures cover less.
fn scan_resolution(sketch: &Sketch) -> Option<f64> {
    let fineness = |placed: &sketch::PlacedPicture| {
        let [across, down] = placed.resolution();
        across.max(down)
    };
    let mut by_fineness: Vec<(f64, f64)> =
        sketch.placed.iter().map(|placed| (fineness(placed), placed.area())).collect();
    by_fineness.sort_by(|a, b| b.0.total_cmp(&a.0));
    let min_area = MIN_COVER * sketch.size[0] * sketch.size[1];
    let mut area = 0.0;
    by_fineness.into_iter().find_map(|(fineness, covered)| {
        area += covered;
        (area >= min_area && fineness.is_finite()).then_some(fineness)
    })
}

/// Renders a page on white paper.
fn draw(
    page: &Page<'_>,
    size: [f64; 2],
    pixels_per_unit: f64,
    content: RenderContent,
    limits: &Limits,
) -> Result<GrayImage> {
    let [width, height] = size.map(|side| whole_pixels(side * pixels_per_unit));
    check_size(Format::Pdf, [width, height], limits)?;
    let side = |side: u32| {
        u16::try_from(side).map_err(|_| Error::unsupported(Format::Pdf, format!("a side of so many pixels: {side}")))
    };
    let mut context = RenderContext::new(side(width)?, side(height)?);

    let is_incomplete = Arc::new(AtomicBool::new(false));
    let warned = Arc::clone(&is_incomplete);
    let settings = InterpreterSettings {
        warning_sink: Arc::new(move |warning| {
            if matches!(warning, InterpreterWarning::ImageDecodeFailure | InterpreterWarning::UnsupportedFont) {
                warned.store(true, Ordering::Relaxed);
            }
        }),
        render_content: content,
        ..InterpreterSettings::default()
    };
    let transform = Affine::scale(pixels_per_unit) * page.initial_transform(true).to_kurbo();
    render_into(page, &RenderCache::new(), &settings, &RenderSettings::default(), &mut context, transform);
    context.flush();
    if is_incomplete.load(Ordering::Relaxed) {
        return Err(Error::unsupported(Format::Pdf, "a picture or a font on it that cannot be drawn"));
    }
    let mut pixmap = Pixmap::new(context.width(), context.height());
    let on_white = RasterizerSettings { target_init: TargetInit::Clear(WHITE), ..RasterizerSettings::default() };
    context.render_with(&mut pixmap, &mut Resources::default(), on_white);

    let layout = Layout::interleaved(Colour::Rgb, Alpha::None, 4);
    let n_pixels = width as usize * height as usize;
    grey_from_samples(pixmap.data_as_u8_slice(), layout, n_pixels)
        .and_then(|grey| GrayImage::from_raw(width, height, grey))
        .ok_or_else(|| Error::format(Format::Pdf, "fewer pixels than the size asks for"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Page as Scan, open};
    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/decode").join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn pages(bytes: &[u8]) -> Vec<Result<Scan>> {
        open(bytes, &Limits::default()).map(Iterator::collect).unwrap_or_else(|error| vec![Err(error)])
    }

    #[track_caller]
    fn readable(name: &str) -> Vec<Scan> {
        pages(&fixture(name)).into_iter().map(|page| page.unwrap_or_else(|error| panic!("{name}: {error}"))).collect()
    }

    fn max_difference(a: &GrayImage, b: &GrayImage) -> u8 {
        assert_eq!(a.dimensions(), b.dimensions());
        a.iter().zip(b.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
    }

    #[test]
    fn page_of_one_picture_has_its_pixels_and_resolution() {
        let picture = readable("bits-1.png").remove(0).pixels;
        let names = [
            ("bits-1.pdf", 1),
            ("encrypted.pdf", 2),
            ("flate-predictor.pdf", 1),
            ("form.pdf", 1),
            ("g4.pdf", 1),
            ("inline.pdf", 1),
            ("jbig2.pdf", 1),
            ("jpx.pdf", 1),
            ("mask-over-background.pdf", 1),
            ("palette.pdf", 1),
            ("polarity.pdf", 3),
            ("rotated.pdf", 1),
            ("soft-mask.pdf", 1),
            ("strips.pdf", 1),
            ("turned-by-matrix.pdf", 1),
        ];
        for (name, n_pages) in names {
            let pages = readable(name);
            assert_eq!(pages.len(), n_pages, "{name}");
            for page in pages {
                let most = max_difference(&page.pixels, &picture);
                assert_eq!(most, 0, "{name}");
                let dpi = page.dpi.unwrap_or_else(|| panic!("{name} has a resolution"));
                assert!((dpi - 300.0).abs() < 0.5, "{name}: {dpi}");
            }
        }
        // a code that loses, and inks as they look in print
        for name in ["jpeg.pdf", "cmyk.pdf"] {
            let close = &readable(name)[0].pixels;
            let n_same = close.iter().zip(picture.iter()).filter(|(a, b)| a.abs_diff(**b) < 64).count();
            assert!(n_same > picture.len() * 99 / 100, "{name}: {n_same} of {}", picture.len());
        }
    }

    #[test]
    fn picture_on_its_side_maps_to_the_stored_pixels() {
        for name in ["rotated.pdf", "turned-by-matrix.pdf"] {
            let page = readable(name).remove(0);
            assert_eq!(page.orientation, Orientation { mirrored: false, quarter_turns: 1 }, "{name}");
            assert_eq!(page.stored_size, [48, 64], "{name}");
        }
    }

    #[test]
    fn page_without_a_scan_is_rendered() {
        let page = readable("drawn.pdf").remove(0);
        assert_eq!((page.pixels.dimensions(), page.dpi), ((600, 300), Some(300.0)));
        // the frame's left edge, 10 points from the page's, and a digit within
        let is_dark = |x: u32, y: u32| page.pixels.get_pixel(x, y)[0] < 128;
        assert!((39..=43).any(|x| is_dark(x, 150)) && !(45..75).any(|x| is_dark(x, 150)));
        assert!((80..300).any(|x| is_dark(x, 150)));
    }

    #[test]
    fn encrypted_file_is_unsupported() {
        let error = pages(&fixture("locked.pdf")).remove(0).expect_err("nobody knows the password");
        assert_eq!(error.kind().to_string(), "unsupported pdf: encrypted");
    }

    /// The same bytes with the first `old` written over.
    fn changed(name: &str, old: &str, new: &str) -> Vec<u8> {
        assert_eq!(old.len(), new.len(), "nothing may move");
        let mut bytes = fixture(name);
        let at = bytes.windows(old.len()).position(|window| window == old.as_bytes()).expect("it is in the file");
        bytes[at..at + old.len()].copy_from_slice(new.as_bytes());
        bytes
    }

    #[test]
    fn page_with_a_missing_part_is_refused() {
        let cases = [
            ("strips.pdf", "/S1 ", "/Sx "),
            ("strips.pdf", "/Width 64", "/Width 99"),
            ("g4.pdf", "/Columns 64", "/Columns 50"),
            ("polarity.pdf", "/Height 48", "/Height 99"),
        ];
        for (name, old, new) in cases {
            let page = pages(&changed(name, old, new)).remove(0);
            assert!(page.is_err(), "{name} with {new}");
        }
        let listed = pages(&changed("polarity.pdf", "/Count 3", "/Count 4"));
        assert_eq!(listed.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, true, false]);
    }

    #[test]
    fn size_over_the_limit_is_refused_before_allocation() {
        for (name, old, new) in [
            ("strips.pdf", "/Width 64", "/Width 9999999999"),
            ("jbig2.pdf", "/Width 64", "/Width 999999"),
            ("drawn.pdf", "0 0 144 72", "0 0 144e5 72"),
        ] {
            let mut bytes = fixture(name);
            let at = bytes.windows(old.len()).position(|window| window == old.as_bytes()).expect("it is in the file");
            bytes.splice(at..at + old.len(), new.bytes());
            assert!(pages(&bytes).remove(0).is_err(), "{name} with {new}");
        }
    }
}
