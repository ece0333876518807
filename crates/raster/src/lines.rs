//! Straight lines in a binary picture: at any angle, thin or thick, with gaps.
//!
//! After Zheng, Liu and Ding, "A form frame line detection algorithm based on directional single-connected chain"
//! (Journal of Software 13, 2002). A vertical run of ink, no longer than a line is thick, is joined to the only run that it touches
//! in the next column. Joined runs make a chain, and a straight chain is a piece of a horizontal line. Text gives short or bent
//! chains; a crossing breaks a chain. Vertical lines are found with the axes exchanged.

use image::GrayImage;

use super::{components::first_ink, quarters::transpose};
use crate::{
    checkpoint,
    geometry::{Point, Segment},
};

/// Parameters of [`find_line_pieces`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineParams {
    /// Longest run, pixels. The runs of a slanted line are longer than the line is thick.
    pub max_thickness_px: u32,
    /// Shortest piece, pixels.
    pub min_length_px: f64,
    /// Largest distance of the middle of a run from the straight line, pixels. A bent line is split into straight pieces.
    pub max_deviation_px: f64,
}

/// Straight pieces of lines.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LinePieces {
    /// Pieces nearer to horizontal, `a` at the left.
    pub horizontal: Vec<Segment>,
    /// Pieces nearer to vertical, `a` at the top.
    pub vertical: Vec<Segment>,
}

/// One run of a chain: its place along the line, and its first and last pixel across it.
#[derive(Debug, Clone, Copy)]
struct Run {
    along: u32,
    from: u32,
    to: u32,
}

impl Run {
    fn middle(self) -> f64 {
        f64::from(self.from + self.to) / 2.0
    }
}

/// Finds the straight pieces of lines in `mask` ([H, W], 0 paper, else ink). Coordinates are of pixel centres.
pub fn find_line_pieces(mask: &GrayImage, params: LineParams) -> LinePieces {
    let mut horizontal = chains(&transpose(mask), params);
    let mut vertical = chains(mask, params);
    for piece in &mut vertical {
        *piece = Segment::new(Point::new(piece.a.y, piece.a.x), Point::new(piece.b.y, piece.b.x));
    }
    // a thin slanted line has short runs along both axes
    horizontal.retain(|s| s.is_horizontal());
    vertical.retain(|s| !s.is_horizontal());
    LinePieces { horizontal, vertical }
}

/// Straight chains of runs in the rows of `mask`, one under the other: `x` of the segments is the row.
fn chains(mask: &GrayImage, params: LineParams) -> Vec<Segment> {
    let mut pieces = Vec::new();
    // the open chains, by where they end across; closed ones are used again, because most are short and soon closed
    let mut open: Vec<Vec<Run>> = Vec::new();
    let mut closed: Vec<Vec<Run>> = Vec::new();
    let mut continued: Vec<Vec<Run>> = Vec::new();
    let (mut runs, mut partners): (Vec<Run>, Vec<Partners>) = (Vec::new(), Vec::new());
    let rows = mask.as_raw().chunks_exact(mask.width().max(1) as usize);
    for (along, row) in (0..).zip(rows) {
        checkpoint();
        thin_runs(along, row, params.max_thickness_px, &mut runs);
        partners.clear();
        partners.resize(runs.len(), Partners::default());
        // an open chain or a new run with more than one partner is not continued; both lists are in order across
        let mut first = 0;
        for (chain_idx, chain) in open.iter().enumerate() {
            let end = chain[chain.len() - 1];
            while first < runs.len() && runs[first].to + 1 < end.from {
                first += 1;
            }
            let n_touching = runs[first..].iter().take_while(|run| run.from <= end.to + 1).count();
            for partners in &mut partners[first..first + n_touching] {
                partners.n_chains += 1;
                partners.only_chain = (n_touching == 1).then_some(chain_idx);
            }
        }
        for (run, partners) in runs.iter().zip(&partners) {
            let own = partners.only_chain.filter(|_| partners.n_chains == 1).map(|idx| std::mem::take(&mut open[idx]));
            let mut chain = own.or_else(|| closed.pop()).unwrap_or_default();
            chain.push(*run);
            continued.push(chain);
        }
        for mut chain in open.drain(..).filter(|chain| !chain.is_empty()) {
            straight_pieces(&chain, params, &mut pieces);
            chain.clear();
            closed.push(chain);
        }
        std::mem::swap(&mut open, &mut continued);
    }
    for chain in open {
        straight_pieces(&chain, params, &mut pieces);
    }
    pieces
}

/// The open chains that a run touches.
#[derive(Debug, Clone, Copy, Default)]
struct Partners {
    n_chains: usize,
    /// The last of them, where that touches no other run.
    only_chain: Option<usize>,
}

/// Runs of ink in a row, no longer than `max_px`, into `runs`.
fn thin_runs(along: u32, row: &[u8], max_px: u32, runs: &mut Vec<Run>) {
    runs.clear();
    let mut from = 0;
    while let Some(paper) = first_ink(&row[from..], |v| v > 0) {
        let start = from + paper;
        let end = row[start..].iter().position(|&v| v == 0).map_or(row.len(), |ink| start + ink);
        if end - start <= max_px as usize {
            runs.push(Run { along, from: start as u32, to: end as u32 - 1 });
        }
        from = end;
    }
}

/// Splits `chain` where it bends (Ramer, 1972; Douglas and Peucker, 1973) and keeps the parts that are long enough.
fn straight_pieces(chain: &[Run], params: LineParams, pieces: &mut Vec<Segment>) {
    let (Some(first), Some(last)) = (chain.first(), chain.last()) else { return };
    if f64::from(last.along - first.along + 1) < params.min_length_px {
        return;
    }
    let (slope, offset) = fit(chain);
    let deviation = |run: &Run| (run.middle() - offset - slope * f64::from(run.along)).abs();
    let worst = chain.iter().map(deviation).enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
    let Some((worst_idx, worst_px)) = worst else { return };
    if worst_px <= params.max_deviation_px {
        let at = |along: f64| Point::new(along, offset + slope * along);
        pieces.push(Segment::new(at(f64::from(first.along)), at(f64::from(last.along))));
        return;
    }
    // at an end this cuts off one run, in the middle it splits the chain
    let split = worst_idx.clamp(1, chain.len() - 1);
    straight_pieces(&chain[..split], params, pieces);
    straight_pieces(&chain[split..], params, pieces);
}

/// Least-squares line through the middles of the runs: slope and offset of across over along.
fn fit(chain: &[Run]) -> (f64, f64) {
    let n = chain.len() as f64;
    let mean_along = chain.iter().map(|r| f64::from(r.along)).sum::<f64>() / n;
    let mean_across = chain.iter().map(|r| r.middle()).sum::<f64>() / n;
    let (mut covariance, mut variance) = (0.0, 0.0);
    for run in chain {
        let along = f64::from(run.along) - mean_along;
        covariance += along * (run.middle() - mean_across);
        variance += along * along;
    }
    let slope = if variance > 0.0 { covariance / variance } else { 0.0 };
    (slope, mean_across - slope * mean_along)
}

/// Joins pieces that continue each other, such as those of a line that is broken by crossings. The gap may be `gap_px` plus a tenth
/// of the length of both pieces; the ends may be `offset_px` apart across the line. All pieces are horizontal, or all are vertical.
pub fn join_pieces(pieces: &[Segment], gap_px: f64, offset_px: f64) -> Vec<Segment> {
    let is_horizontal =
        pieces.iter().map(|s| if s.is_horizontal() { s.length() } else { -s.length() }).sum::<f64>() > 0.0;
    let along = |p: Point| if is_horizontal { p.x } else { p.y };
    let mut sorted = pieces.to_vec();
    sorted.sort_by(|s, t| along(s.a).total_cmp(&along(t.a)));
    let mut joined: Vec<Segment> = Vec::new();
    for piece in sorted {
        checkpoint();
        let continues = |line: &Segment| {
            let gap = along(piece.a) - along(line.b);
            let longer = if line.length() > piece.length() { *line } else { piece };
            let direction = longer.direction();
            let offset = |p: Point, q: Point| direction.cross(q - p).abs();
            let drift_px = offset_px + gap.max(0.0) * 0.02;
            gap <= gap_px + 0.1 * (line.length() + piece.length())
                && gap > -0.5 * piece.length().min(line.length())
                && offset(line.b, piece.a) <= drift_px
                && offset(longer.middle(), if longer == piece { line.a } else { piece.b }) <= 2.0 * drift_px
        };
        let best = joined
            .iter()
            .enumerate()
            .filter(|(_, line)| continues(line))
            .min_by(|(_, s), (_, t)| (piece.a - s.b).norm().total_cmp(&(piece.a - t.b).norm()))
            .map(|(idx, _)| idx);
        match best {
            Some(idx) => joined[idx].b = if along(piece.b) > along(joined[idx].b) { piece.b } else { joined[idx].b },
            None => joined.push(piece),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    const PARAMS: LineParams = LineParams { max_thickness_px: 10, min_length_px: 20.0, max_deviation_px: 1.0 };

    fn draw(lines: &[Segment], thickness_px: f64) -> GrayImage {
        GrayImage::from_fn(300, 200, |x, y| {
            let p = Point::new(f64::from(x), f64::from(y));
            let on = |s: &Segment| {
                let along = (p - s.a).dot(s.direction());
                (p - s.a).cross(s.direction()).abs() <= thickness_px / 2.0 && (0.0..=s.length()).contains(&along)
            };
            Luma([if lines.iter().any(on) { 255 } else { 0 }])
        })
    }

    #[track_caller]
    fn assert_near(found: Segment, drawn: Segment, px: f64) {
        assert!((found.a - drawn.a).norm() <= px && (found.b - drawn.b).norm() <= px, "{found:?} is not {drawn:?}");
    }

    #[test]
    fn line_slanted_is_one_piece_within_a_pixel() {
        for degrees in [-12.0f64, -3.0, 0.0, 0.5, 8.0] {
            let b = Point::new(40.0 + 200.0 * degrees.to_radians().cos(), 100.0 + 200.0 * degrees.to_radians().sin());
            let line = Segment::new(Point::new(40.0, 100.0), b);
            let pieces = find_line_pieces(&draw(&[line], 3.0), PARAMS);
            assert_eq!(pieces.horizontal.len(), 1, "{degrees} degrees: {pieces:?}");
            assert_near(pieces.horizontal[0], line, 1.5);
        }
    }

    #[test]
    fn lines_broken_by_a_crossing_are_joined() {
        let across = Segment::new(Point::new(20.0, 90.0), Point::new(280.0, 96.0));
        let down = Segment::new(Point::new(150.0, 10.0), Point::new(146.0, 190.0));
        let pieces = find_line_pieces(&draw(&[across, down], 3.0), PARAMS);
        assert_eq!((pieces.horizontal.len(), pieces.vertical.len()), (2, 2), "{pieces:?}");
        let joined = join_pieces(&pieces.horizontal, 10.0, 2.0);
        assert_eq!(joined.len(), 1, "{joined:?}");
        assert_near(joined[0], across, 1.5);
        let joined = join_pieces(&pieces.vertical, 10.0, 2.0);
        assert_eq!(joined.len(), 1, "{joined:?}");
        assert_near(joined[0], down, 1.5);
    }

    #[test]
    fn solid_area_gives_no_line() {
        let solid = GrayImage::from_fn(300, 200, |x, y| Luma([if x > 50 && y > 50 { 255 } else { 0 }]));
        assert_eq!(find_line_pieces(&solid, PARAMS), LinePieces::default());
    }
}
