//! An upright grey crop of an area of a picture.

use image::GrayImage;

use super::Sampler;
use crate::geometry::{Point, Projection, Rect};

/// Longest side of a crop, pixels: longer than any page at the resolution of crops. It bounds the memory that a template can ask for.
const MAX_SIDE_PX: f64 = 6_000.0;

/// Pixels of a row of a crop between which a line is straight: in the perspective of a photo it bends by less than 1/256 of a pixel.
const PIECE_PX: usize = 8;

/// Width and rows of the blocks of a crop that are white without sampling where the picture is all white, pixels. They change the time
/// of a crop, never its result.
const BLOCK_PX: usize = 4 * PIECE_PX;
const BLOCK_ROWS: usize = 8;

/// Samples `area` (in millimetres) as an upright crop of `px_per_mm`, each side at most 6,000 pixels: [H, W] u8 as in the picture, white
/// outside of it. Pixel `i` covers `i .. i + 1`. Where the picture is coarser than the crop it is interpolated by cubics, where it
/// is finer it is averaged.
pub fn rectify(picture: &GrayImage, picture_from_area: &Projection, area: Rect, px_per_mm: f64) -> GrayImage {
    let width = (area.width() * px_per_mm).ceil().clamp(1.0, MAX_SIDE_PX) as u32;
    let height = (area.height() * px_per_mm).ceil().clamp(1.0, MAX_SIDE_PX) as u32;
    let [xx, xy, yx, yy] = picture_from_area.jacobian(area.centre());
    let sampler = Sampler::new([xx.hypot(xy) / px_per_mm, yx.hypot(yy) / px_per_mm]);
    let place = |px: usize, from: f64| from + (px as f64 + 0.5) / px_per_mm;
    let at = |x: usize, y: usize| picture_from_area.apply(Point::new(place(x, area.x0), place(y, area.y0)));
    let mut crop = GrayImage::new(width, height);
    // where each piece of a row begins, and where the last one ends
    let pieces = (0..width as usize).step_by(PIECE_PX).chain([width as usize]);
    let ends: Vec<f64> = pieces.map(|x| place(x, area.x0)).collect();
    let mut is_paper = vec![false; (width as usize).div_ceil(BLOCK_PX)];
    for (row, grey) in crop.chunks_exact_mut(width as usize).enumerate() {
        if row % BLOCK_ROWS == 0 && picture_from_area.is_affine() {
            for (block, is_paper) in is_paper.iter_mut().enumerate() {
                let (x0, x1) = (block * BLOCK_PX, (block + 1) * BLOCK_PX);
                let corners = [(x0, row), (x1, row), (x0, row + BLOCK_ROWS), (x1, row + BLOCK_ROWS)];
                let bounds = Rect::around(corners.map(|(x, y)| at(x, y)));
                *is_paper = bounds.is_some_and(|bounds| sampler.is_paper(picture, bounds));
            }
        }
        let y = place(row, area.y0);
        let ends_of = |x: usize| picture_from_area.apply(Point::new(ends[x], y));
        for (block, grey) in grey.chunks_mut(BLOCK_PX).enumerate() {
            if is_paper[block] {
                grey.fill(u8::MAX);
                continue;
            }
            // between two points of a row that are near, the places in the picture are on a line
            let first = block * BLOCK_PX / PIECE_PX;
            let mut from = ends_of(first);
            for (piece, grey) in (first..).zip(grey.chunks_mut(PIECE_PX)) {
                let to = ends_of(piece + 1);
                sampler.row(picture, from, (to - from) * (1.0 / grey.len() as f64), grey);
                from = to;
            }
        }
    }
    crop
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    #[test]
    fn crop_of_a_rotated_page_is_upright() {
        // A dark square of 2 mm at (10, 20) mm, on a page of 8 px/mm turned by 5 degrees.
        let map = Projection::rotation(5f64.to_radians()).compose(&Projection::scaling(8.0, 8.0));
        let back = map.inverse().expect("it is regular");
        let square = Rect::from_xywh(10.0, 20.0, 2.0, 2.0);
        let page = GrayImage::from_fn(200, 300, |x, y| {
            let p = back.apply(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5));
            Luma([if square.contains(p) { 0 } else { 255 }])
        });
        let crop = rectify(&page, &map, square.inflate(1.0), 10.0);
        assert_eq!(crop.dimensions(), (40, 40));
        for (x, y) in [(12, 12), (27, 12), (12, 27), (27, 27), (20, 20)] {
            assert!(crop.get_pixel(x, y)[0] < 60, "({x}, {y}) is inside");
        }
        for (x, y) in [(7, 20), (32, 20), (20, 7), (20, 32)] {
            assert!(crop.get_pixel(x, y)[0] > 200, "({x}, {y}) is outside");
        }
    }

    #[test]
    fn pixels_of_a_crop_are_samples_at_their_places() {
        let page =
            GrayImage::from_fn(220, 180, |x, y| Luma([(x * 37 + y * 91 + x * y * 3) as u8 / 2 + (x + y) as u8 / 4]));
        let area = Rect::from_xywh(1.0, 1.0, 17.3, 13.1);
        let turn = Projection::rotation(2f64.to_radians());
        let photo = Projection([9.0, 0.4, 3.0, -0.3, 9.5, 6.0, 4e-3, -3e-3, 1.0]);
        for map in [Projection::scaling(10.0, 10.0), turn.compose(&Projection::scaling(7.0, 8.0)), photo] {
            for px_per_mm in [4.0, 10.0, 12.0] {
                let crop = rectify(&page, &map, area, px_per_mm);
                let [xx, xy, yx, yy] = map.jacobian(area.centre());
                let sampler = Sampler::new([xx.hypot(xy) / px_per_mm, yx.hypot(yy) / px_per_mm]);
                for (x, y, p) in crop.enumerate_pixels() {
                    let place = |px: u32, from: f64| from + (f64::from(px) + 0.5) / px_per_mm;
                    let at = map.apply(Point::new(place(x, area.x0), place(y, area.y0)));
                    let grey = sampler.grey(&page, at);
                    assert!(p[0].abs_diff(grey) <= 3, "({x}, {y}): {} is not {grey}, {px_per_mm}", p[0]);
                }
            }
        }
    }

    #[test]
    fn crop_of_white_paper_with_specks_is_sampled_where_they_are() {
        let specks = [(3, 4), (64, 90), (65, 91), (140, 30), (199, 159)];
        let page = GrayImage::from_fn(200, 160, |x, y| Luma([if specks.contains(&(x, y)) { 0 } else { 255 }]));
        let area = Rect::from_xywh(-0.5, -0.5, 21.0, 17.0);
        for map in [Projection::scaling(10.0, 10.0), Projection::rotation(0.1).compose(&Projection::scaling(9.7, 9.7))]
        {
            for px_per_mm in [5.0, 10.0] {
                let crop = rectify(&page, &map, area, px_per_mm);
                let [xx, xy, yx, yy] = map.jacobian(area.centre());
                let sampler = Sampler::new([xx.hypot(xy) / px_per_mm, yx.hypot(yy) / px_per_mm]);
                for (x, y, p) in crop.enumerate_pixels() {
                    let place = |px: u32, from: f64| from + (f64::from(px) + 0.5) / px_per_mm;
                    let grey = sampler.grey(&page, map.apply(Point::new(place(x, area.x0), place(y, area.y0))));
                    assert!(p[0].abs_diff(grey) <= 2, "({x}, {y}): {} is not {grey}, {px_per_mm}", p[0]);
                }
            }
        }
    }

    #[test]
    fn crop_outside_of_the_page_is_white() {
        let page = GrayImage::from_pixel(10, 10, Luma([0]));
        let crop = rectify(&page, &Projection::scaling(10.0, 10.0), Rect::from_xywh(5.0, 5.0, 1.0, 1.0), 10.0);
        assert!(crop.pixels().all(|p| p[0] == 255));
    }
}
