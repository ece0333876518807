//! Measures how much of the inside of a box to be marked is ink.
//!
//! No print is removed: the box's own frame is all that is printed there, and only its inside is measured. A mark may cover
//! most of a small box, so the paper is measured around it.

use image::GrayImage;

use super::{
    CROP_PX_PER_MM, MarkInk, free,
    ink::{Paper, find_ink_on},
    params::{InkParams, PARAMS},
    parts::{self, Part},
    remnants::is_remnant,
};
use formread_raster::geometry::{Point, Rect};

/// The part of a box with this `frame` that is measured, in the unit of the frame.
pub(super) fn inside(frame: Rect) -> Rect {
    inset(frame, PARAMS.mark.fill_inset)
}

fn inset(frame: Rect, share: f64) -> Rect {
    frame.inflate(-share * frame.width().min(frame.height()))
}

/// Measures the ink inside `frame` (pixels). `darkness` shows the box with its frame and its surroundings: [H, W] u8, 0 paper
/// .. 255 black.
pub(super) fn mark_ink(darkness: &GrayImage, frame: Rect, around: &Around<'_>) -> MarkInk {
    let outside = MarkInk { n_inked_sides: around.n_inked_sides(frame), rim: around.rim(frame), ..MarkInk::default() };
    let inside = inset(frame, PARAMS.mark.inset);
    let min_dark_px = (PARAMS.mark.min_dark_share * inside.width() * inside.height()).ceil() as usize;
    let params = InkParams { min_dark_px, strong: PARAMS.mark.edge, weak: PARAMS.mark.edge, ..PARAMS.ink };
    let Some(ink) = find_ink_on(around.paper, darkness, inside, &params) else {
        return MarkInk { faint: around.faint(frame, inside, min_dark_px), ..outside };
    };
    let all = inset(frame, PARAMS.mark.fill_inset);
    let third = |k: f64, from: f64, side: f64| from + k * side / 3.0;
    let ninth = |right: f64, down: f64| {
        Rect::from_edges(
            third(right, all.x0, all.width()),
            third(down, all.y0, all.height()),
            third(right + 1.0, all.x0, all.width()),
            third(down + 1.0, all.y0, all.height()),
        )
    };
    let ninths = [0.0, 1.0, 2.0].into_iter().flat_map(|down| [0.0, 1.0, 2.0].map(|right| ninth(right, down)));
    MarkInk {
        covered: mean(&ink.mask, inside),
        min_ninth: ninths.map(|ninth| mean(&ink.grey, ninth)).fold(1.0, f32::min),
        ..outside
    }
}

/// The surroundings of a box.
pub(super) struct Around<'a> {
    /// As for [`mark_ink`], without what is printed.
    pub darkness: &'a GrayImage,
    /// Measured with what is printed: where that was removed, paper has no noise.
    pub paper: Paper,
    /// Frames of other fields, pixels.
    pub others: &'a [Rect],
}

impl Around<'_> {
    /// The four areas beyond the sides of `frame`, from and to this distance, in sides of the box.
    fn beyond(frame: Rect, from: f64, to: f64) -> [Rect; 4] {
        let side = frame.width().min(frame.height());
        let Rect { x0, y0, x1, y1 } = frame;
        let (near, far) = (from * side, to * side);
        [
            Rect::from_edges(x0, y0 - far, x1, y0 - near),
            Rect::from_edges(x1 + near, y0, x1 + far, y1),
            Rect::from_edges(x0, y1 + near, x1, y1 + far),
            Rect::from_edges(x0 - far, y0, x0 - near, y1),
        ]
    }

    /// Share of `area` that ink covers, 0 to 1. 0 where another field is there, or the outline of one.
    fn covered(&self, area: Rect) -> f32 {
        let with_outline = |other: &Rect| inset(*other, -PARAMS.mark.inset);
        if self.others.iter().any(|other| with_outline(other).intersection(area).is_some()) {
            return 0.0;
        }
        let params = InkParams { min_dark_px: PARAMS.mark.min_outside_px, ..PARAMS.ink };
        find_ink_on(self.paper, self.darkness, area, &params).map_or(0.0, |ink| mean(&ink.mask, area))
    }

    fn n_inked_sides(&self, frame: Rect) -> u8 {
        let (from, to) = PARAMS.mark.outside;
        let is_inked = |area: Rect| self.covered(area) >= PARAMS.mark.min_outside_share;
        // what goes on beyond is a line of print that the template does not declare
        let (width, height) = self.darkness.dimensions();
        let crop = Rect::from_edges(0.0, 0.0, f64::from(width), f64::from(height));
        let goes_on = |far: Rect| far.intersection(crop).is_some_and(is_inked);
        let sides = Self::beyond(frame, from, to).into_iter().zip(Self::beyond(frame, to, 2.0 * to));
        sides.filter(|&(near, far)| is_inked(near) && !goes_on(far)).count() as u8
    }

    /// Share of the `inside` of a box that pale strokes cover, 0 to 1. Texture of the paper is around the box as well.
    fn faint(&self, frame: Rect, inside: Rect, min_dark_px: usize) -> f32 {
        let faint = &PARAMS.faint;
        if frame.width().min(frame.height()) < PARAMS.mark.min_faint_side_mm * CROP_PX_PER_MM {
            return 0.0;
        }
        let params = InkParams { min_dark_px, ..faint.ink };
        let Some(ink) = find_ink_on(self.paper, self.darkness, inside, &params) else { return 0.0 };
        let is_stroke = |part: &Part| {
            f64::from(part.height()) >= faint.min_stroke_height * frame.height()
                && free::stroke_width(std::slice::from_ref(part)) <= faint.max_stroke_width_px
                && !is_remnant(part, &frame.edges())
        };
        let (mut strokes, mut all) = (0.0, 0.0);
        for part in parts::components(&ink, PARAMS.field.min_component_px) {
            let is_in = |x: i32, y: i32| inside.contains(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5));
            let area = part.share(is_in) * part.area() as f64;
            all += area;
            strokes += if is_stroke(&part) { area } else { 0.0 };
        }
        let covered = mean(&ink.mask, inside);
        let (from, to) = PARAMS.mark.outside;
        let is_own = |area: &Rect| !self.others.iter().any(|other| other.intersection(*area).is_some());
        let beyond: Vec<f32> =
            Self::beyond(frame, from, to).into_iter().filter(is_own).map(|area| mean(&ink.mask, area)).collect();
        let around = beyond.iter().sum::<f32>() / beyond.len().max(1) as f32;
        let is_texture = f64::from(around) > faint.max_share_around * f64::from(covered);
        if is_texture || strokes < faint.min_stroke_share * all { 0.0 } else { covered }
    }

    fn rim(&self, frame: Rect) -> f32 {
        let (from, to) = PARAMS.mark.rim;
        Self::beyond(frame, from, to).into_iter().map(|area| self.covered(area)).sum::<f32>() / 4.0
    }
}

/// Mean of the pixels in `area`, 0 to 1; 0 where there are none.
pub(super) fn mean(image: &GrayImage, area: Rect) -> f32 {
    let (mut sum, mut n) = (0.0, 0.0f32);
    for (x, y, pixel) in image.enumerate_pixels() {
        if area.contains(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5)) {
            sum += f32::from(pixel[0]) / 255.0;
            n += 1.0;
        }
    }
    sum / n.max(1.0)
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    /// A box of 1.8 mm, as small as they are printed, with a thin frame, and its ink.
    const FRAME: Rect = Rect::from_edges(30.0, 30.0, 48.0, 48.0);

    fn measured(is_ink: impl Fn(f64, f64) -> bool) -> MarkInk {
        let darkness = GrayImage::from_fn(78, 78, |x, y| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            let is_frame = FRAME.inflate(1.0).contains(p) && !FRAME.inflate(-1.0).contains(p);
            Luma([if is_ink(p.x - 39.0, p.y - 39.0) {
                150
            } else if is_frame {
                60
            } else {
                4
            }])
        });
        let is_print = |x: f64, y: f64| {
            FRAME.inflate(1.0).contains(Point::new(x, y)) && !FRAME.inflate(-1.0).contains(Point::new(x, y))
        };
        let mut cleaned = darkness.clone();
        for (x, y, pixel) in cleaned.enumerate_pixels_mut() {
            let p = (f64::from(x) + 0.5, f64::from(y) + 0.5);
            if is_print(p.0, p.1) && !is_ink(p.0 - 39.0, p.1 - 39.0) {
                pixel[0] = 4;
            }
        }
        mark_ink(&darkness, FRAME, &Around { darkness: &cleaned, paper: Paper::of(&darkness), others: &[] })
    }

    #[test]
    fn thick_cross_leaves_a_ninth_free_and_filled_box_does_not() {
        let cross = |width: f64| measured(move |x, y| x.abs().max(y.abs()) < 12.0 && (x.abs() - y.abs()).abs() < width);
        let (thin, thick) = (cross(0.8), cross(2.5));
        assert!((0.1..0.5).contains(&thin.covered) && thin.min_ninth < 0.1, "{thin:?}");
        assert!((0.5..0.9).contains(&thick.covered) && thick.min_ninth < 0.5, "{thick:?}");
        let filled = measured(|x, y| x.abs().max(y.abs()) < 8.0);
        assert_eq!((filled.covered, filled.min_ninth), (1.0, 1.0));
    }

    #[test]
    fn pale_stroke_is_faint_and_texture_is_not() {
        let crop = |is_ink: &dyn Fn(f64, f64) -> bool| {
            GrayImage::from_fn(100, 100, |x, y| {
                Luma([if is_ink(f64::from(x) - 49.5, f64::from(y) - 49.5) { 20 } else { 2 }])
            })
        };
        let frame = Rect::from_edges(30.0, 30.0, 70.0, 70.0);
        let faint = |is_ink: &dyn Fn(f64, f64) -> bool| {
            let darkness = crop(is_ink);
            mark_ink(&darkness, frame, &Around { darkness: &darkness, paper: Paper::of(&darkness), others: &[] })
        };
        let tick = faint(&|x, y| (x - y).abs() < 3.0 && x.abs() < 15.0);
        assert!(tick.covered == 0.0 && tick.faint > 0.1, "{tick:?}");
        assert_eq!(faint(&|_, _| false).faint, 0.0);
        assert_eq!(faint(&|x, _| x.rem_euclid(12.0) < 4.0).faint, 0.0, "it is all over the paper");
    }

    #[test]
    fn noise_of_paper_is_no_pale_stroke_where_print_around_it_was_removed() {
        let frame = Rect::from_edges(30.0, 30.0, 70.0, 70.0);
        // grains of two pixels
        let grain = |x: u32, y: u32| (x / 2).wrapping_mul(2_654_435_761) ^ (y / 2).wrapping_mul(2_246_822_519);
        let noisy = GrayImage::from_fn(100, 100, |x, y| Luma([(grain(x, y).wrapping_mul(668_265_263) >> 28) as u8]));
        let mut cleaned = noisy.clone();
        for (x, y, pixel) in cleaned.enumerate_pixels_mut() {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            if !frame.inflate(-4.0).contains(p) {
                pixel[0] = 0;
            }
        }
        let ink = mark_ink(&noisy, frame, &Around { darkness: &cleaned, paper: Paper::of(&noisy), others: &[] });
        assert_eq!(ink, MarkInk::default());
    }

    #[test]
    fn frame_and_writing_beside_it_are_no_mark() {
        assert_eq!(measured(|_, _| false), MarkInk::default());
        let beside = measured(|x, _| (10.0..14.0).contains(&x));
        assert_eq!((beside.covered, beside.min_ninth), (0.0, 0.0));
        let ring = measured(|x, y| (14.0..17.0).contains(&x.hypot(y)));
        assert_eq!((ring.covered, ring.n_inked_sides), (0.0, 4));
        let tick = measured(|x, y| (15.0..18.0).contains(&x) && y.abs() < 8.0);
        assert_eq!((tick.covered, tick.n_inked_sides), (0.0, 1));
    }
}
