//! Which ink is what is left of a printed line, and which is a stroke beside it.

use super::{CROP_PX_PER_MM, params::PARAMS, parts::Part, strip_params::PARAMS as STRIP};
use formread_raster::geometry::{Point, Rect, Segment};

/// Whether `part` is so near to printed lines or to the edge of a frame that it must be a remnant of them.
pub(super) fn is_remnant(part: &Part, lines: &[Segment]) -> bool {
    let reach = PARAMS.field.remnant_reach_mm * CROP_PX_PER_MM;
    let near = lines.iter().filter_map(|line| Rect::around([line.a, line.b])).map(|r| r.inflate(reach));
    let near: Vec<Rect> = near.filter(|r| r.intersection(part.bounds()).is_some()).collect();
    let share = part.share(|x, y| {
        let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
        near.iter().any(|r| r.contains(p))
    });
    share >= PARAMS.field.min_remnant_share
}

/// Whether `part` is a stroke that runs beside one of the lines that were removed, and not a remnant of it: as thick as a pen's,
/// and shorter than the line.
pub(super) fn is_stroke_beside(part: &Part, dropped: &[Segment]) -> bool {
    let (width, height) = (f64::from(part.width()), f64::from(part.height()));
    let length = width.max(height);
    let is_stroke = length >= PARAMS.field.min_stroke_px && part.area() as f64 >= PARAMS.field.min_pen_px * length;
    let reach = PARAMS.field.remnant_reach_mm * CROP_PX_PER_MM;
    let is_beside = |line: &Segment| {
        let around = Rect::around([line.a, line.b]).map(|r| r.inflate(reach));
        line.is_horizontal() == (width > height)
            && length <= PARAMS.field.max_stroke_share * line.length()
            && around.is_some_and(|r| r.intersection(part.bounds()).is_some())
    };
    is_stroke && dropped.iter().any(is_beside)
}

/// Whether one of the digits among `parts` has its head on one of the `lines` that were removed. The bar of a 7 that lies on the
/// line went with it.
pub(super) fn may_hide_bar<'a>(
    parts: &[Part],
    lines: impl Iterator<Item = &'a Segment> + Clone,
    digit_height: f32,
) -> bool {
    let is_on = |part: &Part, line: &Segment| {
        let middle = f64::from(part.x + part.right()) / 2.0;
        let along = ((middle - line.a.x) / (line.b.x - line.a.x)).clamp(0.0, 1.0);
        let y = line.a.y + along * (line.b.y - line.a.y);
        (f64::from(part.y) - y).abs() <= f64::from(STRIP.max_bar_gap_px)
    };
    let is_digit = |part: &&Part| 2.0 * part.height() as f32 >= digit_height;
    parts
        .iter()
        .filter(is_digit)
        .any(|part| lines.clone().filter(|line| line.is_horizontal()).any(|line| is_on(part, line)))
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::*;

    fn part(x: i32, y: i32, width: u32, height: u32) -> Part {
        Part { ink: GrayImage::from_pixel(width, height, Luma([200])), x, y, component: 1 }
    }

    #[test]
    fn part_along_a_printed_line_is_a_remnant_and_one_across_it_is_not() {
        let line = [Segment::new(Point::new(0.0, 20.0), Point::new(60.0, 20.0))];
        assert!(is_remnant(&part(10, 17, 20, 4), &line));
        assert!(!is_remnant(&part(10, 0, 4, 40), &line), "most of it is further from the line");
        assert!(!is_remnant(&part(10, 40, 20, 4), &line) && !is_remnant(&part(10, 17, 20, 4), &[]));
    }

    #[test]
    fn digit_whose_head_is_on_a_removed_line_may_have_a_bar_there() {
        let line = [Segment::new(Point::new(0.0, 20.0), Point::new(60.0, 22.0))];
        let hides = |part: Part| may_hide_bar(&[part], line.iter(), 40.0);
        assert!(hides(part(30, 24, 4, 40)));
        assert!(!hides(part(30, 34, 4, 40)) && !hides(part(30, 10, 4, 40)), "its head is elsewhere");
        assert!(!hides(part(30, 24, 4, 10)), "it is no digit");
    }

    #[test]
    fn stroke_beside_a_removed_line_is_writing_and_a_sliver_is_not() {
        let line = [Segment::new(Point::new(20.0, 0.0), Point::new(20.0, 80.0))];
        assert!(is_stroke_beside(&part(22, 20, 4, 40), &line));
        assert!(!is_stroke_beside(&part(22, 20, 1, 40), &line), "a sliver of the line");
        assert!(!is_stroke_beside(&part(22, 0, 4, 80), &line), "a second printed line");
        assert!(!is_stroke_beside(&part(22, 20, 40, 4), &line) && !is_stroke_beside(&part(22, 20, 4, 40), &[]));
        assert!(!is_stroke_beside(&part(40, 20, 4, 40), &line), "it is not beside it");
    }
}
