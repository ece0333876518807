//! Cuts through ink along the path from top to bottom that crosses the least of it.

use super::{params::PARAMS, parts::Part};

/// A cut from the top of a part to its bottom.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seam {
    /// For each row of the part the column, in pixels of the crop, of the first pixel right of the cut.
    pub columns: Vec<i32>,
    /// Ink that is cut through, pixels of full ink.
    pub ink_cut: f32,
    /// Distance from the first ink that is cut to the last, pixels: small at a joint of two digits, the digit's height where
    /// a loop is cut open.
    pub span: i32,
}

impl Seam {
    /// Column where the seam is on average.
    pub fn middle(&self) -> i32 {
        self.columns.iter().sum::<i32>() / self.columns.len().max(1) as i32
    }

    /// Whether the seam is right of a pixel of the crop; `top` is the top edge of the part that is cut.
    pub fn is_right_of(&self, top: i32, x: i32, y: i32) -> bool {
        let row = usize::try_from(y - top).unwrap_or(0).min(self.columns.len().saturating_sub(1));
        self.columns.get(row).is_some_and(|&column| x < column)
    }
}

/// The cheapest seam through `part` within `columns` (pixels of the crop). A seam has one column in each row and moves at most
/// one column from row to row; it is found by the dynamic programme of Avidan and Shamir (2007). `None` where the range does
/// not overlap the part's inside.
pub(super) fn seam(part: &Part, columns: std::ops::Range<i32>) -> Option<Seam> {
    let from = (columns.start - part.x).max(1);
    let to = (columns.end - part.x).min(part.width());
    if from >= to {
        return None;
    }
    let (from, n) = (from as u32, (to - from) as usize);
    let height = part.ink.height() as usize;
    // A cut left of pixel x goes through the darker of x and the pixel before it, so that it never slips between two.
    let width = part.ink.width() as usize;
    let pairs = |row: usize| part.ink.as_raw()[row * width..][..width][from as usize - 1..].windows(2).take(n);
    let ink_of = |pair: &[u8]| (f32::from(pair[1]) + f32::from(pair[0])) / 510.0;
    let ink = |i: usize, row: usize| ink_of(&part.ink.as_raw()[row * width + from as usize - 1 + i..][..2]);
    // with a column on each side that no seam comes from
    let mut cost = vec![f32::INFINITY; n + 2];
    cost[1..].iter_mut().zip(pairs(0)).for_each(|(cost, pair)| *cost = ink_of(pair));
    let mut next = cost.clone();
    let mut came_from = vec![0i8; n * height.saturating_sub(1)];
    for (row, steps) in (1..height).zip(came_from.chunks_exact_mut(n)) {
        let inner = next[1..].iter_mut().zip(cost.windows(3));
        for (((next, cost), step), pair) in inner.zip(steps).zip(pairs(row)) {
            let mut best = cost[1];
            for (side, from) in [(-1, cost[0]), (1, cost[2])] {
                if from + PARAMS.seam.sideways_cost < best {
                    (best, *step) = (from + PARAMS.seam.sideways_cost, side);
                }
            }
            *next = best + ink_of(pair);
        }
        std::mem::swap(&mut cost, &mut next);
    }
    let cost = &cost[1..=n];
    // Of equal seams the one nearest to the middle of the range.
    let mut i =
        (0..n).min_by(|&a, &b| cost[a].total_cmp(&cost[b]).then((2 * a).abs_diff(n).cmp(&(2 * b).abs_diff(n))))?;
    let mut columns = vec![0; height];
    let mut ink_cut = 0.0;
    let (mut first, mut last) = (height, 0);
    for row in (0..height).rev() {
        columns[row] = part.x + from as i32 + i as i32;
        ink_cut += ink(i, row);
        if ink(i, row) >= PARAMS.seam.min_ink {
            (first, last) = (first.min(row), last.max(row + 1));
        }
        if row > 0 {
            i = i.checked_add_signed(isize::from(came_from[(row - 1) * n + i]))?;
        }
    }
    Some(Seam { columns, ink_cut, span: last.saturating_sub(first) as i32 })
}

/// The pieces of `part` between consecutive `seams` (from left to right), left to right; empty pieces are left out.
pub(super) fn cut(part: &Part, seams: &[Seam]) -> Vec<Part> {
    let piece = |i: usize| {
        part.keep(|x, y| {
            let right_of_previous = i == 0 || !seams[i - 1].is_right_of(part.y, x, y);
            let left_of_next = i == seams.len() || seams[i].is_right_of(part.y, x, y);
            right_of_previous && left_of_next
        })
    };
    (0..=seams.len()).filter_map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::{
        parts::components,
        tests::{ink, numbers},
    };

    fn part(rows: &[&str]) -> Part {
        components(&ink(rows), 1).into_iter().next().expect("it has ink")
    }

    #[test]
    fn seam_between_two_blocks_goes_through_their_joint() {
        let part = part(&["999000999", "999000999", "999666999", "999000999", "999000999"]);
        let seam = seam(&part, 3..7).expect("the range meets the part");
        assert!(seam.columns.iter().all(|&column| (4..6).contains(&column)), "{seam:?}");
        assert!((seam.ink_cut - 6.0 * 28.0 / 255.0).abs() < 1e-6 && seam.span == 1, "{seam:?}");
        let pieces = cut(&part, &[seam]);
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces.iter().map(Part::area).sum::<usize>(), part.area(), "no ink is lost");
        assert!(pieces[0].right() <= pieces[1].x);
    }

    #[test]
    fn seam_along_a_slanted_gap_cuts_no_ink() {
        let rows = ["9990099999", "9999009999", "9999900999", "9999990099", "9999999999"];
        let part = part(&rows);
        let seam = seam(&part, 3..9).expect("the range meets the part");
        assert_eq!(seam.columns[..4], [4, 5, 6, 7]);
        assert!((seam.ink_cut - 9.0 * 28.0 / 255.0).abs() < 1e-6, "the foot alone: {seam:?}");
        let pieces = cut(&part, &[seam]);
        assert_eq!(numbers(&pieces[0].ink)[..4], ["9990000", "9999000", "9999900", "9999990"]);
    }

    #[test]
    fn seam_through_a_loop_spans_its_height() {
        let part = part(&["99999", "90009", "90009", "99999"]);
        let seam = seam(&part, 2..4).expect("the range meets the part");
        assert_eq!(seam.span, 4, "top and foot are cut: {seam:?}");
    }

    #[test]
    fn seam_outside_of_a_part_is_none() {
        let part = part(&["0099", "0099"]);
        assert_eq!([seam(&part, 10..20), seam(&part, 0..3), seam(&part, 3..3)], [None, None, None]);
        assert!(seam(&part, 3..4).is_some());
    }

    #[test]
    fn cut_without_seams_is_the_whole_part() {
        let part = part(&["99", "99"]);
        assert_eq!(cut(&part, &[]), std::slice::from_ref(&part));
    }
}
