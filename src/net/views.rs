//! A glyph as it would look had the hand or the scanner turned or slanted it a little. What the net says of several views
//! is right more often than what it says of one.

use crate::normalise::GLYPH_SIDE;

/// Turns (radians) and slants (pixels sideways a pixel up) of the views.
const VIEWS: [(f32, f32); N_VIEWS] = [(0.13, 0.0), (-0.13, 0.0), (0.0, 0.16), (0.0, -0.16)];

/// Views of a glyph beside itself.
pub(super) const N_VIEWS: usize = 4;

/// Appends the views of `glyph` ([28, 28], paper 0 .. ink 1) to `pixels`.
pub(super) fn add_views(glyph: &[f32], pixels: &mut Vec<f32>) {
    let middle = (GLYPH_SIDE as f32 - 1.0) / 2.0;
    for (turn, slant) in VIEWS {
        let (sin, cos) = turn.sin_cos();
        for i in 0..GLYPH_SIDE * GLYPH_SIDE {
            let (dx, dy) = ((i % GLYPH_SIDE) as f32 - middle, (i / GLYPH_SIDE) as f32 - middle);
            let (tx, ty) = (cos * dx + sin * dy, cos * dy - sin * dx);
            pixels.push(sampled(glyph, middle + tx + slant * ty, middle + ty));
        }
    }
}

/// Bilinear; paper beyond the edge.
fn sampled(glyph: &[f32], x: f32, y: f32) -> f32 {
    let (i, j) = (x.floor(), y.floor());
    let (u, v) = (x - i, y - j);
    let at = |i: f32, j: f32| {
        let inside = |k: f32| (0.0..GLYPH_SIDE as f32).contains(&k);
        if inside(i) && inside(j) { glyph[j as usize * GLYPH_SIDE + i as usize] } else { 0.0 }
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
        for row in 4..24 {
            bar[row * GLYPH_SIDE + 13..row * GLYPH_SIDE + 15].fill(1.0);
        }
        let mut pixels = Vec::new();
        add_views(&bar, &mut pixels);
        assert_eq!(pixels.len(), N_VIEWS * bar.len());
        let mass: f32 = bar.iter().sum();
        for view in pixels.chunks_exact(bar.len()) {
            let own: f32 = view.iter().sum();
            assert!((own - mass).abs() < 0.1 * mass, "{own} of {mass}");
            assert!(view.iter().all(|v| (0.0..=1.0).contains(v)));
            let middle_of = |row: usize| {
                let row = &view[row * GLYPH_SIDE..(row + 1) * GLYPH_SIDE];
                row.iter().enumerate().map(|(x, v)| x as f32 * v).sum::<f32>() / row.iter().sum::<f32>()
            };
            assert!((middle_of(6) - middle_of(21)).abs() > 1.0);
        }
    }
}
