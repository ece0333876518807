//! An index of line pieces by their position, so that a search visits only near ones.

use formread_raster::geometry::{Point, Segment};

/// Height of a band, pixels. It changes the time of a search, never its result.
const BAND_PX: f64 = 64.0;

/// Length of a part of a band, pixels. It changes the time of a search, never its result.
const PART_PX: f64 = 256.0;

/// Pieces of one family in bands across their direction, and in parts of these along it.
#[derive(Debug, Clone, Default)]
pub struct Bands {
    /// By band, then by part.
    parts: Vec<Vec<Piece>>,
    /// Number of the first band and of the first part, counted from the page's edge.
    first: [i64; 2],
    /// Number of bands, and of parts in each.
    n: [i64; 2],
    is_horizontal: bool,
}

/// A piece of a line.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    /// Where it begins.
    pub start: Point,
    /// Its direction, a unit vector.
    pub along: Point,
    /// Its length, pixels.
    pub length: f64,
}

impl Bands {
    /// An index of `pieces`, which all run sideways (`is_horizontal`) or all run up and down.
    pub fn new(pieces: &[Segment], is_horizontal: bool) -> Self {
        let span = |piece: &Segment| {
            let [a, b] = [piece.a, piece.b].map(|p| across_and_along(p, is_horizontal));
            [0, 1].map(|axis| (number_of(a[axis].min(b[axis]), axis), number_of(a[axis].max(b[axis]), axis)))
        };
        let first = [0, 1].map(|axis| pieces.iter().map(|piece| span(piece)[axis].0).min().unwrap_or(0));
        let last = [0, 1].map(|axis| pieces.iter().map(|piece| span(piece)[axis].1).max().unwrap_or(first[axis] - 1));
        let n = [0, 1].map(|axis| last[axis] + 1 - first[axis]);
        let mut parts = vec![Vec::new(); usize::try_from(n[0] * n[1]).unwrap_or(0)];
        for piece in pieces {
            let own = Piece { start: piece.a, along: piece.direction(), length: piece.length() };
            let [(low, high), (from, to)] = span(piece);
            for band in low..=high {
                for part in from..=to {
                    parts[((band - first[0]) * n[1] + part - first[1]) as usize].push(own);
                }
            }
        }
        Self { parts, first, n, is_horizontal }
    }

    /// Pieces within `reach_px` of `p` across their direction, and within `reach_along_px` along it. Others near them are given too,
    /// and some more than once.
    pub fn near(&self, p: Point, reach_px: f64, reach_along_px: f64) -> impl Iterator<Item = &Piece> {
        let at = across_and_along(p, self.is_horizontal);
        let numbers = |axis: usize, reach: f64| {
            let number = |v: f64| number_of(v, axis).saturating_sub(self.first[axis]);
            let low = number(at[axis] - reach).clamp(0, self.n[axis]);
            low..number(at[axis] + reach).saturating_add(1).clamp(low, self.n[axis])
        };
        let along = numbers(1, reach_along_px);
        let part = move |band: i64| {
            let start = band * self.n[1];
            &self.parts[(start + along.start) as usize..(start + along.end) as usize]
        };
        numbers(0, reach_px).flat_map(part).flatten()
    }
}

fn across_and_along(p: Point, is_horizontal: bool) -> [f64; 2] {
    if is_horizontal { [p.y, p.x] } else { [p.x, p.y] }
}

/// Number of the band (`axis` 0) or of the part of one (1) in which `v` lies.
fn number_of(v: f64, axis: usize) -> i64 {
    (v / [BAND_PX, PART_PX][axis]).floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_gives_pieces_within_reach_only() {
        let at = |y: f64| Segment::new(Point::new(0.0, y), Point::new(300.0, y + 70.0));
        let bands = Bands::new(&[at(100.0), at(1000.0)], true);
        let found = |y: f64, reach: f64| -> Vec<f64> {
            let mut starts: Vec<f64> = bands.near(Point::new(9.0, y), reach, 5.0).map(|piece| piece.start.y).collect();
            starts.dedup();
            starts
        };
        assert_eq!(found(150.0, 5.0), [100.0]);
        assert_eq!(found(150.0, 2000.0), [100.0, 1000.0]);
        assert_eq!(found(500.0, 5.0), [0.0; 0]);
        assert_eq!(bands.near(Point::new(900.0, 150.0), 5.0, 5.0).count(), 0, "it is beyond their ends");
        for far in [-1e12, 1e12] {
            assert_eq!(found(far, 5.0), [0.0; 0]);
        }
        assert_eq!(Bands::new(&[], false).near(Point::default(), 1e9, 1e9).count(), 0);
    }
}
