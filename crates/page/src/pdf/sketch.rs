//! What is drawn on a PDF page: its pictures and their places, and whether anything else is visible.

use hayro::hayro_interpret::font::GlyphRun;
use hayro::hayro_interpret::util::TransformExt;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, SoftMask, interpret_page,
};
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::{Affine, BezPath, Rect};
use image::GrayImage;

use super::super::{Limits, Orientation};
use super::picture;
use formread_raster::error::{Error, Result};

/// How far a picture may reach past the edge of the page or of a clip and still count as completely visible, relative to its
/// sides: the software of scanners rounds.
const EDGE_TOLERANCE: f64 = 0.01;
/// A picture at a smaller angle to the axes of the page, as a sine, is taken as stored: registration corrects a small rotation
/// with less loss than resampling does.
const MAX_SKEW_SINE: f64 = 0.1;

/// A picture on the page.
#[derive(Debug, Clone, Copy)]
pub struct PlacedPicture {
    /// From its pixels to the page, as [`Sketch`] measures it.
    page_from_pixels: Affine,
    /// Width and height, pixels.
    size: [u32; 2],
}

impl PlacedPicture {
    /// Pixels per unit of the page, across and down.
    pub fn resolution(&self) -> [f64; 2] {
        let [a, b, c, d, _, _] = self.page_from_pixels.as_coeffs();
        [1.0 / a.hypot(b), 1.0 / c.hypot(d)]
    }

    /// Area on the page, square units.
    pub fn area(&self) -> f64 {
        self.page_from_pixels.determinant().abs() * f64::from(self.size[0]) * f64::from(self.size[1])
    }

    fn bounds(&self) -> Rect {
        self.page_from_pixels.transform_rect_bbox(Rect::new(0.0, 0.0, f64::from(self.size[0]), f64::from(self.size[1])))
    }

    /// How its stored pixels are to be turned; `None` where it is not parallel to the axes.
    fn orientation(&self) -> Option<Orientation> {
        let [a, b, c, d, _, _] = self.page_from_pixels.as_coeffs();
        let mirrored = a * d - b * c < 0.0;
        // the direction of the rows, without mirroring
        let [x, y] = if mirrored { [-a, -b] } else { [a, b] };
        let quarter_turns = match (x.abs() > y.abs(), x > 0.0, y > 0.0) {
            (true, true, _) => 0,
            (false, _, true) => 1,
            (true, false, _) => 2,
            (false, _, false) => 3,
        };
        let [across, down] = [a.hypot(b), c.hypot(d)];
        let off_axis = if quarter_turns % 2 == 0 { [b / across, c / down] } else { [a / across, d / down] };
        off_axis.iter().all(|sine| sine.abs() < MAX_SKEW_SINE).then_some(Orientation { mirrored, quarter_turns })
    }
}

/// What is drawn on a page, in units of its user space, y down, turned as the page is to be shown.
pub struct Sketch {
    /// Width and height of the page.
    pub size: [f64; 2],
    /// Its pictures, in the order in which they are drawn.
    pub placed: Vec<PlacedPicture>,
    /// Whether anything is visible besides the pixels of pictures.
    pub has_more: bool,
    /// Pixels of the first picture, where `wants_pixels` is set.
    pixels: Option<GrayImage>,
    wants_pixels: bool,
    limits: Limits,
    /// What is wrong with a picture.
    fault: Option<Error>,
    /// The clips in force; `None` where one is not a rectangle.
    clips: Vec<Option<Rect>>,
}

/// The only visible thing on a page, a complete picture.
pub struct OnlyPicture {
    pub pixels: GrayImage,
    pub orientation: Orientation,
    pub placed: PlacedPicture,
}

impl Sketch {
    /// Examines a page without decoding its pictures.
    ///
    /// # Errors
    /// As [`picture::check`], of any of its pictures.
    pub fn of(page: &Page<'_>, limits: &Limits) -> Result<Self> {
        Self::trace(page, limits, false)
    }

    /// The picture of a page where it is the only visible thing.
    ///
    /// # Errors
    /// As [`Sketch::of`].
    pub fn only_picture(&self, page: &Page<'_>) -> Result<Option<OnlyPicture>> {
        let [placed] = self.placed[..] else { return Ok(None) };
        let Some(orientation) = placed.orientation().filter(|_| !self.has_more) else { return Ok(None) };
        let pixels = Self::trace(page, &self.limits, true)?.pixels;
        // the data may have another size than the dictionary declares
        let pixels = pixels.filter(|pixels| pixels.dimensions() == placed.size.into());
        Ok(pixels.map(|pixels| OnlyPicture { pixels, orientation, placed }))
    }

    fn trace(page: &Page<'_>, limits: &Limits, wants_pixels: bool) -> Result<Self> {
        let (width, height) = page.render_dimensions();
        let mut sketch = Self {
            size: [width, height].map(f64::from),
            placed: Vec::new(),
            has_more: false,
            pixels: None,
            wants_pixels,
            limits: *limits,
            fault: None,
            clips: Vec::new(),
        };
        let transform = page.initial_transform(true).to_kurbo();
        let cache = InterpreterCache::new();
        let mut context = Context::new(transform, sketch.whole(), &cache, page.xref(), InterpreterSettings::default());
        interpret_page(page, &mut context, &mut sketch);
        match sketch.fault.take() {
            Some(fault) => Err(fault),
            None => Ok(sketch),
        }
    }

    fn whole(&self) -> Rect {
        Rect::new(0.0, 0.0, self.size[0], self.size[1])
    }

    fn is_fully_visible(&self, placed: &PlacedPicture) -> bool {
        let bounds = placed.bounds();
        let [width, height] = [bounds.width(), bounds.height()].map(|side| side * EDGE_TOLERANCE);
        let shows = |window: Rect| window.inflate(width, height).contains_rect(bounds);
        shows(self.whole()) && self.clips.iter().all(|clip| clip.is_some_and(shows))
    }
}

impl<'a> Device<'a> for Sketch {
    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        if self.fault.is_some() {
            return;
        }
        let stream = match &image {
            Image::Raster(raster) => raster.stream(),
            Image::Stencil(stencil) => stencil.stream(),
        };
        if let Err(fault) = picture::check(stream, &self.limits) {
            self.fault = Some(fault);
            return;
        }
        let placed = PlacedPicture { page_from_pixels: props.transform, size: [image.width(), image.height()] };
        self.has_more |= !self.is_fully_visible(&placed);
        if self.wants_pixels && self.placed.is_empty() {
            self.pixels = picture::grey(&image);
        }
        self.placed.push(placed);
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {
        self.has_more = true;
    }

    fn draw_glyph_run(&mut self, _: &GlyphRun<'_, 'a>, _: DrawProps<'a>, mode: &DrawMode) {
        // text recognition adds its result as invisible text
        self.has_more |= !matches!(mode, DrawMode::Invisible);
    }

    fn push_clip_path(&mut self, _: &ClipPath) {
        self.clips.push(None);
    }

    fn push_clip_rect(&mut self, rect: &Rect) {
        self.clips.push(Some(*rect));
    }

    fn pop_clip(&mut self) {
        self.clips.pop();
    }

    fn push_transparency_group(&mut self, opacity: f32, mask: Option<SoftMask<'a>>, blend_mode: BlendMode) {
        // on white paper these blend modes equal plain drawing
        let is_plain = matches!(blend_mode, BlendMode::Normal | BlendMode::Multiply | BlendMode::Darken);
        self.has_more |= opacity < 1.0 || mask.is_some() || !is_plain;
    }

    fn pop_transparency_group(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_in_every_orientation_is_turned_upright() {
        let stored = GrayImage::from_fn(3, 2, |x, y| image::Luma([(16 * y + x) as u8]));
        for code in 1..=8 {
            let orientation = Orientation::from_exif(code).expect("1 to 8 are the codes there are");
            let shown = orientation.apply(stored.clone());
            // each stored pixel's centre lies where the turned picture has its value
            let place = |x: u32, y: u32| {
                let value = stored.get_pixel(x, y);
                let (x, y, _) = shown.enumerate_pixels().find(|(_, _, other)| *other == value).expect("it is there");
                [f64::from(x), f64::from(y)]
            };
            let ([x0, y0], [x1, y1], [x2, y2]) = (place(0, 0), place(1, 0), place(0, 1));
            let [a, b, c, d] = [x1 - x0, y1 - y0, x2 - x0, y2 - y0];
            let origin = [x0 + 0.5 - 0.5 * (a + c), y0 + 0.5 - 0.5 * (b + d)];
            let page_from_pixels = Affine::new([a, b, c, d, origin[0], origin[1]]);
            let placed = PlacedPicture { page_from_pixels, size: [3, 2] };
            assert_eq!(placed.orientation(), Some(orientation), "orientation {code}");
            assert_eq!(placed.area(), 6.0);
        }
        let askew = PlacedPicture { page_from_pixels: Affine::rotate(0.2), size: [3, 2] };
        assert_eq!(askew.orientation(), None);
        let hardly = PlacedPicture { page_from_pixels: Affine::rotate(0.02), size: [3, 2] };
        assert_eq!(hardly.orientation(), Some(Orientation::default()));
    }
}
