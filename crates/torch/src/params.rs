//! The parameters of recognition: every number that was chosen by measurement, in November 2026.
//!
//! `Default` gives the values of this version. The views of test-time augmentation are beside their code (`tta`).

/// Which glyphs and strips are scored again.
///
/// A recogniser refines the fields that one pass does not settle: `RefineParams` of formread-core. Of these, it scores the
/// ambiguous glyphs and strips again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RefinementParams {
    /// A glyph is ambiguous where its best digit is less likely than this, 0 to 1. It goes through the ensemble; one that
    /// belongs to no field also through test-time augmentation, while it stays ambiguous. Chosen empirically, set not recorded.
    /// Raising it costs time.
    pub max_ambiguous_digit_probability: f32,
    /// A glyph that is a digit with at most this probability, 0 to 1, is not scored again: pieces of digits are many, and
    /// always ambiguous. Chosen empirically, set not recorded. Raising it scores fewer pieces of digits again.
    pub min_digit_probability: f32,
    /// A strip is ambiguous, and read in several views, where the most likely path through its columns is less likely than
    /// this,
    /// 0 to 1. Chosen empirically, set not recorded. Raising it reads more strips again and costs time.
    pub max_ambiguous_path_probability: f32,
}

impl Default for RefinementParams {
    fn default() -> Self {
        Self { max_ambiguous_digit_probability: 0.97, min_digit_probability: 0.02, max_ambiguous_path_probability: 0.9 }
    }
}

/// How unclear digits are adapted to the writer of their page. The sets on which these values were chosen are not recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WriterParams {
    /// A digit is clear from this probability on, 0 to 1, and adapted below it. Raising it leaves fewer examples of the
    /// writer.
    pub min_clear_probability: f32,
    /// Number of clear digits that count as much as what is known of all writers. Raising it trusts the writer's own digits
    /// less.
    pub prior_count: f32,
    /// Weight of the writer's means; low, because the ten dimensions are far from independent. Raising it changes more
    /// readings.
    pub weight: f32,
    /// Limit of the change of a digit's log probability. Raising it lets few examples change a reading.
    pub max_log_change: f32,
}

impl Default for WriterParams {
    fn default() -> Self {
        Self { min_clear_probability: 0.98, prior_count: 3.0, weight: 0.15, max_log_change: 3.0 }
    }
}
