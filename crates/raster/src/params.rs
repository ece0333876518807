//! The parameters of ink extraction: every number that was chosen by measurement, in November 2026.
//!
//! Extraction prepares the pictures of data sets. The reader finds ink by other means (`segment` in formread-core).

/// The parameters in use.
pub(crate) const PARAMS: ExtractionParams = ExtractionParams {
    min_edge_contrast: 0.2,
    ground_tile_px: 24,
    ground_quantile: 0.75,
    n_plane_rounds: 4,
    max_ground_drop: 0.5,
    ground_drop_levels: 40.0,
    max_clean_texture: 1.5,
    min_smoothed_px: 48,
    smooth_px: 1.2,
    texture_deviations: 3.0,
    min_contrast: 12.0,
    full_ink_quantile: 0.5,
    max_neighbour_ink: 0.25,
    min_component_ink: 64,
};

/// How the ink of a grey picture of one sign is extracted. Set not recorded.
pub(crate) struct ExtractionParams {
    /// The edge of a picture tells dark ground from light where its median is this far from the middle of all grey levels, as a share of
    /// their range. By design. Raising it asks the ink more often.
    pub min_edge_contrast: f64,
    /// Side of the tiles in which the ground is estimated, pixels: wider than any stroke of a crop of one sign. Raising it
    /// follows uneven ground less well; lowering it takes strokes for ground.
    pub ground_tile_px: u32,
    /// The ground of a tile is this quantile of its grey levels: most of a tile is paper, and its texture is both lighter and
    /// darker. Raising it takes dark texture for ink.
    pub ground_quantile: f64,
    /// Number of times that a plane is laid through the tiles that were not darker than the one before. By design. Raising it costs time.
    pub n_plane_rounds: usize,
    /// A tile that is darker than this plane by more than this share of the contrast lies within ink. Raising it takes
    /// solid ink for ground.
    pub max_ground_drop: f64,
    /// The ground may always be darker than the plane by this much, grey levels of 255: a shadow at the edge of a scan. Raising it loses
    /// faint solid ink.
    pub ground_drop_levels: f64,
    /// A picture with more texture than this, standard deviation in grey levels of 255, is smoothed: it is a photo. By design. Raising it
    /// leaves specks.
    pub max_clean_texture: f64,
    /// Shortest side of a picture that is smoothed, pixels: strokes of smaller ones are too thin. By design. Raising it leaves specks.
    pub min_smoothed_px: u32,
    /// Standard deviation of the smoothing, pixels. By design. Raising it blurs thin strokes.
    pub smooth_px: f32,
    /// Standard deviations of the paper's texture by which ink is darker than the ground. Raising it loses faint ink.
    pub texture_deviations: f64,
    /// A contrast between ink and ground below this, grey levels of 255, is texture. Raising it loses faint signs.
    pub min_contrast: f64,
    /// Full ink is this quantile of the depths that are over half of the greatest one. Raising it makes strokes paler.
    pub full_ink_quantile: f64,
    /// A component at the picture's edge with less than this share of the largest one's ink belongs to a neighbour. Raising it
    /// loses separate strokes at the edge.
    pub max_neighbour_ink: f64,
    /// Ink from which a pixel belongs to a component, of 255. Raising it breaks faint strokes into components.
    pub min_component_ink: u8,
}
