//! Page -> cuts: each field's ink, freed of its printed frame and parted into what may be digits.
//!
//! A field becomes a [`Lattice`]: nodes are places where one digit may end and the next begin, from left to right; an
//! edge is the ink between two nodes, a candidate digit. A comb's lattice is a chain, one edge a cell; a box field's
//! has an edge for every likely way to join broken strokes and to split touching ones. The net scores every edge, and
//! [`crate::assemble`] takes the best path.

use image::GrayImage;

/// One field, cut from the page.
#[derive(Debug, Clone)]
pub struct FieldCut {
    /// Index into the template's fields.
    pub field_idx: usize,
    /// What stands in it.
    pub ink: FieldInk,
}

/// What stands in a field.
#[derive(Debug, Clone)]
pub enum FieldInk {
    /// Nothing was written.
    Blank,
    /// Part of the field, or all of it, is not on the page.
    OffPage,
    /// Something was written.
    Written(Lattice),
}

/// The ways to part a field's ink into digits.
#[derive(Debug, Clone, Default)]
pub struct Lattice {
    /// Number of nodes; a path goes from node 0 to node `n_nodes - 1`.
    pub n_nodes: usize,
    /// Candidates, by `from`, then `to`.
    pub edges: Vec<LatticeEdge>,
}

/// The ink between two nodes.
#[derive(Debug, Clone)]
pub struct LatticeEdge {
    /// Node where it begins.
    pub from: usize,
    /// Node where it ends, greater than `from`.
    pub to: usize,
    /// `None`: nothing is written between the nodes (an empty cell).
    pub crop: Option<InkCrop>,
    /// Log prior of this cut from its geometry alone (width, gap, ink cut through), 0 where there is no choice.
    pub log_prior: f32,
}

/// The ink of one candidate digit.
#[derive(Debug, Clone)]
pub struct InkCrop {
    /// [H, W] u8, 0 paper .. 255 full ink, tight around the ink, frame and neighbours removed. Grey edges are kept.
    pub ink: GrayImage,
    /// Left edge in the field's rectified crop, pixels of [`CROP_PX_PER_MM`].
    pub x: i32,
    /// Top edge, likewise.
    pub y: i32,
}

/// Resolution of the rectified crops in which fields are cut, whatever the scan's: 254 dpi.
pub const CROP_PX_PER_MM: f64 = 10.0;
