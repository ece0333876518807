//! The ink of a comb -> one candidate digit for each cell.

use super::{
    Lattice, LatticeEdge,
    cut::{cut, seam},
    params::PARAMS,
    parts::Part,
};
use formread_raster::geometry::Rect;

/// Gives each of `parts` to the cell that has most of its ink (`cells`: pixels of the crop, from left to right). A part in two
/// cells is cut. The lattice is a chain; `None` where all cells are empty.
pub(super) fn comb_lattice(parts: Vec<Part>, cells: &[Rect]) -> Option<Lattice> {
    let mut in_cells: Vec<Vec<Part>> = vec![Vec::new(); cells.len()];
    for part in parts {
        for piece in at_boundaries(part, cells) {
            in_cells[home(&piece, cells)].push(piece);
        }
    }
    let edges: Vec<LatticeEdge> = in_cells
        .into_iter()
        .zip(cells)
        .enumerate()
        .map(|(i, (parts, cell))| LatticeEdge {
            from: i,
            to: i + 1,
            crop: written(parts, *cell).map(Part::into_crop),
            log_prior: 0.0,
            loose: None,
            components: Vec::new(),
        })
        .collect();
    edges.iter().any(|edge| edge.crop.is_some()).then(|| Lattice {
        n_nodes: cells.len() + 1,
        edges,
        ..Lattice::default()
    })
}

/// Where cell `i` ends and the next begins.
fn boundary(cells: &[Rect], i: usize) -> f64 {
    (cells[i].x1 + cells[i + 1].x0) / 2.0
}

/// Share of the part's ink in cell `i`.
fn share_in(part: &Part, cells: &[Rect], i: usize) -> f64 {
    let left = i.checked_sub(1).map_or(f64::NEG_INFINITY, |previous| boundary(cells, previous));
    let right = if i + 1 < cells.len() { boundary(cells, i) } else { f64::INFINITY };
    part.share(|x, _| (left..right).contains(&(f64::from(x) + 0.5)))
}

/// The cell that has most of the part's ink.
fn home(part: &Part, cells: &[Rect]) -> usize {
    let shares: Vec<f64> = (0..cells.len()).map(|i| share_in(part, cells, i)).collect();
    (0..cells.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b]).then(b.cmp(&a))).unwrap_or(0)
}

/// Cuts a part near every boundary that has a good share of its ink on both sides.
fn at_boundaries(part: Part, cells: &[Rect]) -> Vec<Part> {
    let is_in = |i: usize| {
        let reach = f64::from(part.right()).min(cells[i].x1) - f64::from(part.x).max(cells[i].x0);
        reach >= PARAMS.comb.min_reach * cells[i].width() && share_in(&part, cells, i) >= PARAMS.comb.min_share
    };
    let seams: Vec<_> = (0..cells.len().saturating_sub(1))
        .filter(|&i| is_in(i) && is_in(i + 1))
        .filter_map(|i| {
            let range = PARAMS.comb.cut_range * cells[i].width().min(cells[i + 1].width());
            let at = boundary(cells, i);
            seam(&part, (at - range) as i32..(at + range) as i32 + 1)
        })
        .collect();
    if seams.is_empty() { vec![part] } else { cut(&part, &seams) }
}

/// The ink of a cell without dirt; `None` where nothing is left.
fn written(parts: Vec<Part>, cell: Rect) -> Option<Part> {
    let main = parts.iter().max_by_key(|part| part.area())?;
    let (x0, y0, x1, y1) = (main.x, main.y, main.right(), main.bottom());
    let dirt_area = (main.area() as f64 * PARAMS.comb.max_dirt_share) as usize;
    let is_near = |part: &Part| {
        let gap_x = (part.x - x1).max(x0 - part.right());
        let gap_y = (part.y - y1).max(y0 - part.bottom());
        gap_x.max(gap_y) <= PARAMS.comb.min_dirt_gap_px
    };
    let kept: Vec<&Part> = parts.iter().filter(|part| part.area() >= dirt_area || is_near(part)).collect();
    let ink = Part::joined(kept.iter().copied())?;
    let least = PARAMS.comb.min_extent_px.min(PARAMS.comb.min_extent * cell.height().max(cell.width())).max(1.0);
    (f64::from(ink.width().max(ink.height())) >= least).then_some(ink)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::tests::{ink, numbers};
    use crate::segment::{ink::Ink, parts::components};
    use image::{GrayImage, Luma};

    const CELLS: [Rect; 3] = [
        Rect::from_edges(0.0, 0.0, 50.0, 80.0),
        Rect::from_edges(50.0, 0.0, 100.0, 80.0),
        Rect::from_edges(100.0, 0.0, 150.0, 80.0),
    ];

    /// Ink in rectangles: left, top, right, bottom.
    fn parts(rects: &[[u32; 4]]) -> Vec<Part> {
        let mask = GrayImage::from_fn(150, 80, |x, y| {
            let inside = rects.iter().any(|r| (r[0]..r[2]).contains(&x) && (r[1]..r[3]).contains(&y));
            Luma([if inside { 255 } else { 0 }])
        });
        components(&Ink { grey: mask.clone(), mask }, 4)
    }

    fn spans(lattice: &Lattice) -> Vec<Option<(i32, i32)>> {
        lattice.edges.iter().map(|e| e.crop.as_ref().map(|c| (c.x, c.x + c.ink.width() as i32))).collect()
    }

    #[test]
    fn stroke_into_a_neighbour_cell_stays_with_its_digit() {
        // A 7 whose bar reaches far into the second cell, where a 1 is.
        let ink = parts(&[[20, 20, 64, 25], [40, 20, 45, 70], [75, 20, 80, 70]]);
        let lattice = comb_lattice(ink, &CELLS).expect("two cells are written");
        assert_eq!(spans(&lattice), [Some((20, 64)), Some((75, 80)), None]);
    }

    #[test]
    fn part_in_two_cells_is_cut_at_its_thinnest_place() {
        // Two uprights joined by a thin bar, thinnest at columns 53 and 54.
        let ink = parts(&[[20, 10, 30, 70], [75, 10, 85, 70], [30, 35, 53, 45], [53, 39, 55, 41], [55, 35, 75, 45]]);
        let lattice = comb_lattice(ink, &CELLS).expect("two cells are written");
        let spans = spans(&lattice);
        let (left, right) = (spans[0].expect("written"), spans[1].expect("written"));
        assert!((53..=55).contains(&left.1) && left.1 == right.0, "{left:?} {right:?}");
    }

    #[test]
    fn specks_alone_are_blank() {
        assert!(comb_lattice(parts(&[[20, 20, 24, 24], [70, 60, 73, 66]]), &CELLS).is_none());
    }

    #[test]
    fn dirt_is_dropped_and_broken_stroke_is_kept() {
        let ink = parts(&[[20, 20, 25, 45], [20, 50, 25, 70], [45, 2, 47, 6]]);
        let lattice = comb_lattice(ink, &CELLS).expect("a cell is written");
        let crop = lattice.edges[0].crop.as_ref().expect("written");
        assert_eq!((crop.x, crop.y, crop.ink.dimensions()), (20, 20, (5, 50)));
    }

    #[test]
    fn cells_apart_share_the_gap_between_them() {
        // two groups of cells, 4 pixels apart; both digits are in the gap, each nearer to its own cell
        let rows = ["00000000000990099000000000"; 10];
        let cells = [Rect::from_edges(0.0, 0.0, 11.0, 10.0), Rect::from_edges(15.0, 0.0, 26.0, 10.0)];
        let lattice = comb_lattice(components(&ink(&rows), 4), &cells).expect("both are written");
        assert_eq!(spans(&lattice), [Some((11, 13)), Some((15, 17))]);
    }

    #[test]
    fn ink_beside_the_comb_belongs_to_the_cell_at_its_end() {
        let rows = ["9900000000000000000000000099"; 10];
        let cells = [Rect::from_edges(4.0, 0.0, 14.0, 10.0), Rect::from_edges(14.0, 0.0, 24.0, 10.0)];
        let lattice = comb_lattice(components(&ink(&rows), 4), &cells).expect("both are written");
        assert_eq!(spans(&lattice), [Some((0, 2)), Some((26, 28))]);
        assert!(lattice.edges.iter().enumerate().all(|(i, edge)| (edge.from, edge.to) == (i, i + 1)));
    }

    #[test]
    fn crop_of_a_cell_has_the_grey_of_its_strokes() {
        let rows = ["000000000000", "000369630000", "000369630000", "000369630000", "000000000000"];
        let cells = [Rect::from_edges(0.0, 0.0, 12.0, 5.0)];
        let lattice = comb_lattice(components(&ink(&rows), 4), &cells).expect("it is written");
        let crop = lattice.edges[0].crop.as_ref().expect("it is written");
        assert_eq!(numbers(&crop.ink), ["36963"; 3]);
    }
}
