//! Connected components.
//!
//! Ink is sparse, so that components are found by runs: the ink between two pixels of paper in a row (Rosenfeld and Pfaltz,
//! "Sequential operations in digital picture processing", Journal of the ACM 13, 1966).

use image::{GrayImage, Luma};

/// The number of the component of each pixel.
pub type Labels = image::ImageBuffer<Luma<u32>, Vec<u32>>;

/// Ink between two pixels of paper in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Its row, pixels from the top.
    pub y: u32,
    /// Its first pixel, from the left.
    pub start: u32,
    /// One past its last pixel.
    pub end: u32,
    /// Number of its component, from 1.
    pub component: u32,
}

/// The 8-connected components of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Components {
    /// All runs, row by row, from left to right.
    pub runs: Vec<Run>,
    /// Number of components. They are numbered from 1, in the order of their first pixels.
    pub n_components: usize,
}

/// Finds the 8-connected components of the pixels of `picture` that are ink.
pub fn find_components(picture: &GrayImage, is_ink: impl Fn(u8) -> bool) -> Components {
    let mut runs: Vec<Run> = Vec::new();
    // of each run one with which it is connected, an earlier one or itself
    let mut parents: Vec<usize> = Vec::new();
    let mut above = 0..0;
    for (y, row) in (0..).zip(picture.as_raw().chunks_exact(picture.width().max(1) as usize)) {
        let first = runs.len();
        let mut near = above.start;
        let mut from = 0;
        while let Some(paper) = first_ink(&row[from..], &is_ink) {
            let start = from + paper;
            let end = row[start..].iter().position(|&v| !is_ink(v)).map_or(row.len(), |ink| start + ink);
            let run = runs.len();
            parents.push(run);
            runs.push(Run { y, start: start as u32, end: end as u32, component: 0 });
            // those of the row above that it touches, also at a corner
            while near < above.end && (runs[near].end as usize) < start {
                near += 1;
            }
            for touched in (near..above.end).take_while(|&i| runs[i].start as usize <= end) {
                join(&mut parents, touched, run);
            }
            from = end;
        }
        above = first..runs.len();
    }
    let mut n_components = 0;
    for run in 0..runs.len() {
        let root = root(&mut parents, run);
        if root == run {
            n_components += 1;
            runs[run].component = n_components;
        } else {
            runs[run].component = runs[root].component;
        }
    }
    Components { runs, n_components: n_components as usize }
}

/// The place of the first pixel of `row` that is ink. Paper is passed over in blocks.
#[inline]
pub(crate) fn first_ink(row: &[u8], is_ink: impl Fn(u8) -> bool) -> Option<usize> {
    const BLOCK_PX: usize = 16;
    let (blocks, _) = row.as_chunks::<BLOCK_PX>();
    let has_ink = |block: &[u8; BLOCK_PX]| block.iter().fold(false, |any, &v| any | is_ink(v));
    let start = BLOCK_PX * blocks.iter().position(has_ink).unwrap_or(blocks.len());
    row[start..].iter().position(|&v| is_ink(v)).map(|ink| start + ink)
}

/// The first run of the component of `run`, as far as it is known.
fn root(parents: &mut [usize], mut run: usize) -> usize {
    while parents[run] != run {
        parents[run] = parents[parents[run]];
        run = parents[run];
    }
    run
}

fn join(parents: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b)] = a.min(b);
}

/// Numbers the 8-connected components of `mask`: [H, W] u32, 0 where `mask` is 0, else from 1.
pub fn label_components(mask: &GrayImage) -> Labels {
    let mut labels = Labels::new(mask.width(), mask.height());
    let width = mask.width() as usize;
    for run in find_components(mask, |v| v > 0).runs {
        let row = run.y as usize * width;
        labels.as_mut()[row + run.start as usize..row + run.end as usize].fill(run.component);
    }
    labels
}

#[cfg(test)]
mod tests {
    use imageproc::region_labelling::{Connectivity, connected_components};

    use super::*;

    #[test]
    fn first_ink_is_found_at_every_place_of_a_row() {
        for n in [0, 1, 15, 16, 17, 40] {
            assert_eq!(first_ink(&vec![0; n], |v| v > 0), None);
            for at in 0..n {
                let mut row = vec![0; n];
                row[at..].fill(9);
                assert_eq!(first_ink(&row, |v| v > 0), Some(at), "{at} of {n}");
            }
        }
    }

    #[test]
    fn labels_equal_those_of_another_implementation() {
        let mut state = 7u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        for (width, height) in [(2, 1), (1, 9), (31, 17), (64, 40)] {
            for share in [2, 5, 8] {
                let mask =
                    GrayImage::from_fn(width, height, |_, _| Luma([if random() % 10 < share { 255 } else { 0 }]));
                let expected = connected_components(&mask, Connectivity::Eight, Luma([0]));
                assert_eq!(label_components(&mask).as_raw(), expected.as_raw(), "{width} x {height}, {share}");
            }
        }
        assert_eq!(label_components(&GrayImage::from_pixel(1, 1, Luma([9]))).as_raw(), &[1]);
        assert!(label_components(&GrayImage::new(0, 4)).is_empty());
    }
}
