//! A box to be marked: how much of its inside ink covers.
//!
//! Nothing printed is taken away, since the box's own frame is all that is printed there: only what lies inside of it is
//! looked at. A mark may cover most of a small box, so that the paper is measured on what lies round it.

use image::GrayImage;

use super::{
    MarkInk,
    ink::{InkParams, Paper, find_ink_on},
    strip,
};
use formread_raster::geometry::{Point, Rect};

/// How far from its printed frame the inside of a box begins, as a share of its shorter side: neither the frame nor the
/// grey of its edges is a mark.
const INSET: f64 = 0.2;

/// The same where the box is asked whether it is filled: the middle of a small one is all ink where a cross is thick.
const FILL_INSET: f64 = 0.12;

/// Share of the inside that must be as dark as a pen for there to be any ink.
const LEAST_SHARE: f64 = 0.025;

/// What of a box is looked at whose `frame` is given: pixels, as the frame is.
pub(super) fn inside(frame: Rect) -> Rect {
    inset(frame, FILL_INSET)
}

fn inset(frame: Rect, share: f64) -> Rect {
    frame.inflate(-share * frame.width().min(frame.height()))
}

/// How much of the inside of `frame` (pixels) is ink. `darkness` is that of the box and its surroundings, with its frame:
/// [H, W] u8, 0 paper .. 255 black.
pub(super) fn mark_ink(darkness: &GrayImage, frame: Rect) -> MarkInk {
    let inside = inset(frame, INSET);
    let least_px = (LEAST_SHARE * inside.width() * inside.height()).ceil() as usize;
    // a stroke ends where it is half as dark as it gets: in a small box the grey of its edges would be much
    let params = InkParams { least_px, strong: 0.5, weak: 0.5, ..InkParams::default() };
    let paper = Paper::of(darkness, strip::whole(darkness));
    let Some(ink) = find_ink_on(paper, darkness, inside, &params) else { return MarkInk::default() };
    let all = inset(frame, FILL_INSET);
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
        least_ninth: ninths.map(|ninth| mean(&ink.grey, ninth)).fold(1.0, f32::min),
    }
}

/// The mean of the pixels in `area`, 0 to 1; 0 of none.
fn mean(image: &GrayImage, area: Rect) -> f32 {
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
        mark_ink(&darkness, FRAME)
    }

    #[test]
    fn a_thick_cross_leaves_a_ninth_free_and_a_filled_box_does_not() {
        let cross = |width: f64| measured(move |x, y| x.abs().max(y.abs()) < 12.0 && (x.abs() - y.abs()).abs() < width);
        let (thin, thick) = (cross(0.8), cross(2.5));
        assert!((0.1..0.5).contains(&thin.covered) && thin.least_ninth < 0.1, "{thin:?}");
        assert!((0.5..0.9).contains(&thick.covered) && thick.least_ninth < 0.5, "{thick:?}");
        let filled = measured(|x, y| x.abs().max(y.abs()) < 8.0);
        assert_eq!((filled.covered, filled.least_ninth), (1.0, 1.0));
    }

    #[test]
    fn neither_the_frame_nor_what_is_written_beside_it_is_a_mark() {
        assert_eq!(measured(|_, _| false), MarkInk::default());
        assert_eq!(measured(|x, _| (10.0..14.0).contains(&x)), MarkInk::default());
    }
}
