//! Test-time augmentation (TTA): views of a glyph or a strip that are rotated, slanted or scaled a little. The mean of several
//! views is right more often than one view.

use super::architecture::COLUMN_PX;
use formread_core::normalise::{GLYPH_SIDE, STRIP_HEIGHT, STRIP_WIDTH_MAX, Strip};

/// How a view differs from the glyph as it is.
#[derive(Clone, Copy)]
pub(super) struct View {
    /// Turn, radians.
    turn: f32,
    /// Pixels sideways a pixel up.
    slant: f32,
    /// Width and height against the glyph's.
    width: f32,
    height: f32,
}

const SAME: View = View { turn: 0.0, slant: 0.0, width: 1.0, height: 1.0 };

/// Number of views of a glyph in one round.
pub(super) const GLYPH_TTA_PER_ROUND: usize = 4;

/// The views of a glyph, besides itself, round by round: each round turns it, slants it and changes its width and its height.
/// Chosen empirically, set not recorded. More views cost time.
pub(super) const GLYPH_TTA: [[View; GLYPH_TTA_PER_ROUND]; 2] = [
    [
        View { turn: 0.13, ..SAME },
        View { slant: -0.16, ..SAME },
        View { width: 0.88, ..SAME },
        View { height: 1.08, ..SAME },
    ],
    [
        View { turn: -0.13, ..SAME },
        View { slant: 0.16, ..SAME },
        View { width: 1.1, ..SAME },
        View { height: 0.9, ..SAME },
    ],
];

/// Appends `views` of `glyph` ([28, 28], paper 0 .. ink 1) to `pixels`.
pub(super) fn add_views(glyph: &[f32], views: [View; GLYPH_TTA_PER_ROUND], pixels: &mut Vec<f32>) {
    let middle = (GLYPH_SIDE as f32 - 1.0) / 2.0;
    for View { turn, slant, width, height } in views {
        let (sin, cos) = turn.sin_cos();
        for i in 0..GLYPH_SIDE * GLYPH_SIDE {
            let (dx, dy) = ((i % GLYPH_SIDE) as f32 - middle, (i / GLYPH_SIDE) as f32 - middle);
            let (tx, ty) = (cos * dx + sin * dy, cos * dy - sin * dx);
            pixels.push(sampled(glyph, GLYPH_SIDE, middle + (tx + slant * ty) / width, middle + ty / height));
        }
    }
}

/// How a view differs from the strip as it is.
struct StripView {
    /// Size of the digits against the strip's.
    size: f32,
    /// Pixels sideways a pixel up.
    slant: f32,
}

/// What is paler than this in a view of a strip, 0 to 1, is the pattern of the paper and left out. Chosen on `car`.
const STRIP_FLOOR: f32 = 0.1;

/// The views of a strip, besides itself: other sizes, and slants to both sides. Chosen on `car`; these four of seven on `car`, `cobecore`,
/// `wfp` and drawn decks. More views cost time.
const STRIP_TTA: [StripView; N_STRIP_TTA] = [
    StripView { size: 0.8, slant: 0.0 },
    StripView { size: 1.2, slant: 0.0 },
    StripView { size: 1.0, slant: 0.2 },
    StripView { size: 1.0, slant: -0.2 },
];

/// Number of views of a strip, besides itself.
pub(super) const N_STRIP_TTA: usize = 4;

/// The views of `strip`.
pub(super) fn strip_views(strip: &Strip) -> impl Iterator<Item = Strip> + '_ {
    let middle = (STRIP_HEIGHT as f32 - 1.0) / 2.0;
    STRIP_TTA.into_iter().map(move |StripView { size, slant }| {
        let width = ((strip.width as f32 * size) as usize).next_multiple_of(COLUMN_PX).min(STRIP_WIDTH_MAX);
        let across = (strip.width as f32 - 1.0) / (width as f32 - 1.0);
        let pixel = |i: usize| {
            let (x, dy) = ((i % width) as f32, ((i / width) as f32 - middle) / size);
            let ink = sampled(&strip.pixels, strip.width, x * across + slant * dy, middle + dy);
            ((ink - STRIP_FLOOR) / (1.0 - STRIP_FLOOR)).max(0.0)
        };
        Strip { pixels: (0..STRIP_HEIGHT * width).map(pixel).collect(), width }
    })
}

/// Bilinear, of `pixels` in rows `width` long; paper beyond the edge.
fn sampled(pixels: &[f32], width: usize, x: f32, y: f32) -> f32 {
    let (i, j) = (x.floor(), y.floor());
    let (u, v) = (x - i, y - j);
    let height = pixels.len() / width;
    let at = |i: f32, j: f32| {
        let inside = (0.0..width as f32).contains(&i) && (0.0..height as f32).contains(&j);
        if inside { pixels[j as usize * width + i as usize] } else { 0.0 }
    };
    let upper = at(i, j) * (1.0 - u) + at(i + 1.0, j) * u;
    let lower = at(i, j + 1.0) * (1.0 - u) + at(i + 1.0, j + 1.0) * u;
    upper * (1.0 - v) + lower * v
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_keep_the_ink_and_move_its_ends() {
        let mut bar = vec![0.0; GLYPH_SIDE * GLYPH_SIDE];
        for row in 6..22 {
            bar[row * GLYPH_SIDE + 13..row * GLYPH_SIDE + 15].fill(1.0);
        }
        let mut pixels = Vec::new();
        GLYPH_TTA.into_iter().for_each(|views| add_views(&bar, views, &mut pixels));
        assert_eq!(pixels.len(), GLYPH_TTA.as_flattened().len() * bar.len());
        let mass: f32 = bar.iter().sum();
        for (pixels, view) in pixels.chunks_exact(bar.len()).zip(GLYPH_TTA.as_flattened()) {
            let (own, wanted) = (pixels.iter().sum::<f32>(), mass * view.width * view.height);
            assert!((own - wanted).abs() < 0.1 * mass, "{own}, not {wanted}");
            assert!(pixels.iter().all(|v| (0.0..=1.0).contains(v)));
            let middle_of = |row: usize| {
                let row = &pixels[row * GLYPH_SIDE..(row + 1) * GLYPH_SIDE];
                row.iter().enumerate().map(|(x, v)| x as f32 * v).sum::<f32>() / row.iter().sum::<f32>()
            };
            let is_upright = view.turn == 0.0 && view.slant == 0.0;
            assert_eq!((middle_of(8) - middle_of(19)).abs() < 0.5, is_upright);
        }
    }

    #[test]
    fn views_of_a_strip_are_whole_columns_wide_and_as_large_as_they_say() {
        let mut bar = Strip { pixels: vec![0.0; STRIP_HEIGHT * 40], width: 40 };
        for row in 6..26 {
            bar.pixels[row * 40 + 18..row * 40 + 22].fill(1.0);
        }
        let mass: f32 = bar.pixels.iter().sum();
        let views: Vec<Strip> = strip_views(&bar).collect();
        assert_eq!(views.len(), STRIP_TTA.len());
        for (view, StripView { size, .. }) in views.iter().zip(STRIP_TTA) {
            assert_eq!((view.width % COLUMN_PX, view.pixels.len()), (0, STRIP_HEIGHT * view.width));
            let own: f32 = view.pixels.iter().sum();
            assert!((own - mass * size * size).abs() < 0.15 * mass, "{own} of {mass} at {size}");
        }
    }
}
