//! An index of line pieces by their position, so that a search visits only near ones.

use formread_raster::geometry::{Point, Segment};

/// Height of a band, pixels. It changes the time of a search, never its result.
const BAND_PX: f64 = 64.0;

/// Pieces of one family in bands across their direction.
#[derive(Debug, Clone, Default)]
pub struct Bands {
    bands: Vec<Vec<Piece>>,
    /// Number of the first band, counted from the page's edge.
    first: i64,
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
            let (from, to) = if is_horizontal { (piece.a.y, piece.b.y) } else { (piece.a.x, piece.b.x) };
            (band_of(from.min(to)), band_of(from.max(to)))
        };
        let first = pieces.iter().map(|piece| span(piece).0).min().unwrap_or(0);
        let last = pieces.iter().map(|piece| span(piece).1).max().unwrap_or(first - 1);
        let mut bands = vec![Vec::new(); usize::try_from(last + 1 - first).unwrap_or(0)];
        for piece in pieces {
            let (low, high) = span(piece);
            let own = Piece { start: piece.a, along: piece.direction(), length: piece.length() };
            for band in low..=high {
                bands[(band - first) as usize].push(own);
            }
        }
        Self { bands, first, is_horizontal }
    }

    /// Pieces in the bands within `reach_px` of `p`. A piece that crosses bands may be given twice.
    pub fn near(&self, p: Point, reach_px: f64) -> impl Iterator<Item = &Piece> {
        let across = if self.is_horizontal { p.y } else { p.x };
        let n = self.bands.len() as i64;
        let low = band_of(across - reach_px).saturating_sub(self.first).clamp(0, n);
        let end = band_of(across + reach_px).saturating_sub(self.first).saturating_add(1).clamp(low, n);
        self.bands[low as usize..end as usize].iter().flatten()
    }
}

fn band_of(across: f64) -> i64 {
    (across / BAND_PX).floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_gives_pieces_within_reach_only() {
        let at = |y: f64| Segment::new(Point::new(0.0, y), Point::new(300.0, y + 70.0));
        let bands = Bands::new(&[at(100.0), at(1000.0)], true);
        let found = |y: f64, reach: f64| -> Vec<f64> {
            let mut starts: Vec<f64> = bands.near(Point::new(9.0, y), reach).map(|piece| piece.start.y).collect();
            starts.dedup();
            starts
        };
        assert_eq!(found(150.0, 5.0), [100.0]);
        assert_eq!(found(150.0, 2000.0), [100.0, 1000.0]);
        assert_eq!(found(500.0, 5.0), [0.0; 0]);
        for far in [-1e12, 1e12] {
            assert_eq!(found(far, 5.0), [0.0; 0]);
        }
        assert_eq!(Bands::new(&[], false).near(Point::default(), 1e9).count(), 0);
    }
}
