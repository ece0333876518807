//! Pieces of ink: connected components, joined and cut.

use image::{GrayImage, imageops};

use super::{InkCrop, ink::Ink};
use formread_raster::{Components, find_components, geometry::Rect};

/// Maximum number of components in a field; the largest are kept. Fixed by design: writing has fewer.
const MAX_PARTS: usize = 200;

/// A piece of ink with its place in the crop.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// [H, W] u8, 0 no ink of this part .. 255 full ink; tight.
    pub ink: GrayImage,
    /// Left edge in the crop, pixels.
    pub x: i32,
    /// Top edge in the crop, pixels.
    pub y: i32,
    /// Number of the connected component it comes from.
    pub component: usize,
}

impl Part {
    /// Pixels with ink.
    pub fn area(&self) -> usize {
        self.ink.pixels().filter(|p| p[0] > 0).count()
    }

    pub fn width(&self) -> i32 {
        self.ink.width() as i32
    }

    pub fn height(&self) -> i32 {
        self.ink.height() as i32
    }

    /// One past the right edge.
    pub fn right(&self) -> i32 {
        self.x + self.width()
    }

    /// One past the bottom edge.
    pub fn bottom(&self) -> i32 {
        self.y + self.height()
    }

    /// Its bounding box, pixels of the crop.
    pub fn bounds(&self) -> Rect {
        Rect::from_xywh(f64::from(self.x), f64::from(self.y), f64::from(self.width()), f64::from(self.height()))
    }

    /// Share of its ink in pixels of the crop that fulfil `is_in`.
    pub fn share(&self, is_in: impl Fn(i32, i32) -> bool) -> f64 {
        let (mut all, mut inside) = (0u64, 0u64);
        for (x, y, p) in self.ink.enumerate_pixels() {
            all += u64::from(p[0]);
            if p[0] > 0 && is_in(self.x + x as i32, self.y + y as i32) {
                inside += u64::from(p[0]);
            }
        }
        inside as f64 / all.max(1) as f64
    }

    /// The ink of all `parts` together. `None` without parts.
    pub fn joined<'a>(parts: impl IntoIterator<Item = &'a Part> + Clone) -> Option<Part> {
        let all = || parts.clone().into_iter();
        let (x, y) = (all().map(|p| p.x).min()?, all().map(|p| p.y).min()?);
        let (right, bottom) = (all().map(Part::right).max()?, all().map(Part::bottom).max()?);
        let mut ink = GrayImage::new((right - x) as u32, (bottom - y) as u32);
        for part in all() {
            for (u, v, p) in part.ink.enumerate_pixels() {
                let place = ink.get_pixel_mut((part.x - x) as u32 + u, (part.y - y) as u32 + v);
                place[0] = place[0].max(p[0]);
            }
        }
        Some(Part { ink, x, y, component: all().next()?.component })
    }

    /// Its ink in pixels of the crop that fulfil `is_kept`; tight. `None` where there is none.
    pub fn keep(&self, is_kept: impl Fn(i32, i32) -> bool) -> Option<Part> {
        let mut kept = GrayImage::new(self.ink.width(), self.ink.height());
        let (mut x0, mut y0, mut x1, mut y1) = (u32::MAX, u32::MAX, 0, 0);
        for ((x, y, p), kept) in self.ink.enumerate_pixels().zip(kept.pixels_mut()) {
            if p[0] > 0 && is_kept(self.x + x as i32, self.y + y as i32) {
                *kept = *p;
                (x0, y0, x1, y1) = (x0.min(x), y0.min(y), x1.max(x + 1), y1.max(y + 1));
            }
        }
        if x0 >= x1 {
            return None;
        }
        let ink = imageops::crop_imm(&kept, x0, y0, x1 - x0, y1 - y0).to_image();
        Some(Part { ink, x: self.x + x0 as i32, y: self.y + y0 as i32, component: self.component })
    }

    pub fn into_crop(self) -> InkCrop {
        InkCrop { ink: self.ink, x: self.x, y: self.y }
    }
}

/// The connected components of `ink` of at least `min_area` pixels, with the grey fringe around them, from left to
/// right.
pub(super) fn components(ink: &Ink, min_area: usize) -> Vec<Part> {
    let Components { runs, n_components: n_labels } = find_components(&ink.mask, |value| value > 0);
    let (w, h) = ink.mask.dimensions();
    let mut owner = vec![0u32; (w * h) as usize];
    let pixels = |y: u32, from: u32, to: u32| (y * w + from) as usize..(y * w + to) as usize;
    for run in &runs {
        owner[pixels(run.y, run.start, run.end)].fill(run.component);
    }
    // The grey fringe goes with its neighbour: resampling needs it.
    let (mask, grey) = (ink.mask.as_raw(), ink.grey.as_raw());
    let mut fringe: Vec<usize> = Vec::new();
    for run in &runs {
        for v in run.y.saturating_sub(1)..(run.y + 2).min(h) {
            for i in pixels(v, run.start.saturating_sub(1), (run.end + 1).min(w)) {
                if mask[i] == 0 && grey[i] > 0 && owner[i] < run.component {
                    owner[i] = run.component;
                    fringe.push(i);
                }
            }
        }
    }
    #[derive(Clone, Copy)]
    struct Bounds {
        x0: u32,
        y0: u32,
        x1: u32,
        y1: u32,
        area: usize,
    }
    let mut bounds = vec![Bounds { x0: u32::MAX, y0: u32::MAX, x1: 0, y1: 0, area: 0 }; n_labels + 1];
    for run in &runs {
        let b = &mut bounds[run.component as usize];
        (b.x0, b.y0) = (b.x0.min(run.start), b.y0.min(run.y));
        (b.x1, b.y1) = (b.x1.max(run.end), b.y1.max(run.y + 1));
        b.area += (run.end - run.start) as usize;
    }
    for i in fringe {
        let (x, y) = (i as u32 % w, i as u32 / w);
        let b = &mut bounds[owner[i] as usize];
        (b.x0, b.y0, b.x1, b.y1) = (b.x0.min(x), b.y0.min(y), b.x1.max(x + 1), b.y1.max(y + 1));
    }
    let mut kept: Vec<usize> = (1..=n_labels).filter(|&i| bounds[i].area >= min_area.max(1)).collect();
    kept.sort_by_key(|&i| (std::cmp::Reverse(bounds[i].area), i));
    kept.truncate(MAX_PARTS);
    let mut parts: Vec<Part> = kept
        .into_iter()
        .map(|i| {
            let Bounds { x0, y0, x1, y1, .. } = bounds[i];
            let mut part = GrayImage::new(x1 - x0, y1 - y0);
            for (y, row) in (y0..).zip(part.chunks_exact_mut((x1 - x0) as usize)) {
                let (owner, grey) = (&owner[pixels(y, x0, x1)], &grey[pixels(y, x0, x1)]);
                for ((value, &owner), &grey) in row.iter_mut().zip(owner).zip(grey) {
                    *value = if owner as usize == i { grey } else { 0 };
                }
            }
            Part { ink: part, x: x0 as i32, y: y0 as i32, component: i }
        })
        .collect();
    parts.sort_by_key(|part| (part.x + part.right(), part.y));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::tests::{ink, numbers};

    const ROWS: [&str; 5] = ["0000000000", "0993000000", "0990000660", "0000000660", "0900000000"];

    #[test]
    fn components_are_tight_with_their_grey_fringe_from_left_to_right() {
        let parts = components(&ink(&ROWS), 2);
        let found: Vec<_> = parts.iter().map(|part| (part.x, part.y, numbers(&part.ink))).collect();
        let rows = |rows: &[&str]| rows.iter().map(|&row| row.to_owned()).collect::<Vec<_>>();
        assert_eq!(found, [(1, 1, rows(&["993", "990"])), (7, 2, rows(&["66", "66"]))]);
        assert_eq!(components(&ink(&ROWS), 1).len(), 3, "the speck is a part where specks count");
        assert!(components(&ink(&["000", "030"]), 1).is_empty(), "a fringe alone is no part");
    }

    #[test]
    fn components_beyond_the_most_leave_the_smallest_out() {
        let row = "9900".repeat(MAX_PARTS) + "9000";
        let parts = components(&ink(&[&row]), 1);
        assert_eq!(parts.len(), MAX_PARTS);
        assert!(parts.iter().all(|part| part.width() == 2));
    }

    #[test]
    fn joined_parts_keep_the_ink_of_each_in_its_place() {
        let parts = components(&ink(&ROWS), 2);
        let joined = Part::joined(&parts).expect("there are two");
        assert_eq!((joined.x, joined.y, joined.right(), joined.bottom()), (1, 1, 9, 4));
        assert_eq!(numbers(&joined.ink), ["99300000", "99000066", "00000066"]);
        assert_eq!(joined.area(), parts.iter().map(Part::area).sum::<usize>());
        assert_eq!(Part::joined(&[]), None);
    }

    #[test]
    fn kept_ink_is_tight_and_none_where_nothing_is_kept() {
        let parts = components(&ink(&ROWS), 2);
        let kept = parts[0].keep(|x, _| x == 2).expect("there is ink");
        assert_eq!((kept.x, kept.y, numbers(&kept.ink)), (2, 1, vec!["9".to_owned(), "9".to_owned()]));
        assert_eq!(parts[0].keep(|_, y| y > 10), None);
    }

    #[test]
    fn share_of_a_part_is_weighed_by_darkness() {
        let part = &components(&ink(&ROWS), 2)[0];
        let share = part.share(|x, _| x == 3);
        assert!((share - 3.0 / 39.0).abs() < 1e-9, "{share}");
        assert_eq!((part.share(|_, _| true), part.share(|_, _| false)), (1.0, 0.0));
    }
}
