//! Scores -> values: the best path through each field's lattice, its canonical form, and what becomes of it.

mod canonical;
mod lattice;
mod state;

use crate::{
    error::PageReject,
    form::{Field, FormTemplate},
    geometry::Rect,
    net::GlyphScores,
    register::{FieldRegistration, Registration},
    segment::{FieldCut, FieldInk},
};

pub use state::AcceptParams;
use state::{Reading, read};

/// What one page said: a row of the table, or the reason why there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRecord {
    /// 1-based page in its file.
    pub page: u32,
    /// What became of it.
    pub reading: PageReading,
}

/// What became of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum PageReading {
    /// The page as a whole could not be read.
    Rejected {
        /// The template that was recognised, if one was.
        form: Option<String>,
        /// Why it was not read.
        reason: PageReject,
        /// For a person: what was met.
        detail: String,
    },
    /// Every field was looked at.
    Read {
        /// The template's name.
        form: String,
        /// One a field, in the template's order.
        fields: Vec<FieldValue>,
        /// Root mean square distance of the landmarks from the fit, pixels.
        residual_px: f64,
    },
}

/// What one field said.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldValue {
    /// The field's name.
    pub name: String,
    /// What becomes of it.
    pub state: FieldState,
    /// The best reading in canonical form, accepted or not; empty only for blank, or where nothing could be read.
    pub guess: String,
    /// Other readings, likeliest first, the best one at the head.
    pub alternatives: Vec<Alternative>,
    /// 0 to 1, of the guess: the chance that it is right.
    pub confidence: f64,
    /// The field's box on the scan as stored, pixels, origin left top.
    pub bounds: Rect,
    /// RMS distance of the field's frame from its fit, pixels; `None` where it has no printed frame of its own.
    pub residual_px: Option<f64>,
}

/// One reading of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// Canonical form.
    pub text: String,
    /// Probability among the field's readings, 0 to 1.
    pub probability: f64,
}

/// What becomes of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldState {
    /// The guess may be booked.
    Accepted,
    /// Nothing is written there.
    Blank,
    /// A person must look.
    Review(ReviewReason),
}

/// Why a person must look. The words of the `reason` column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReviewReason {
    /// The best reading is not sure enough.
    LowConfidence,
    /// No digits could be made out.
    Illegible,
    /// More digits than there is room for.
    Overflow,
    /// Fewer digits than the field asks for.
    TooShort,
    /// Part of the field is not on the scan.
    OffPage,
    /// A date that no calendar has.
    ImpossibleDate,
}

impl ReviewReason {
    /// The word that stands in the CSV.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::LowConfidence => "low-confidence",
            Self::Illegible => "illegible",
            Self::Overflow => "overflow",
            Self::TooShort => "too-short",
            Self::OffPage => "off-page",
            Self::ImpossibleDate => "impossible-date",
        }
    }
}

/// What a page says that was registered, cut and scored. `cuts` as [`crate::segment::segment`] gives them; `scores` has
/// for each of them one entry an edge of its lattice, `None` where the edge has no ink (empty for a field that is not
/// written). `page` is 1-based.
///
/// The fields' bounds are in pixels of [`crate::page::Page::pixels`].
pub fn assemble_page(
    page: u32,
    template: &FormTemplate,
    registration: &Registration,
    cuts: &[FieldCut],
    scores: &[Vec<Option<GlyphScores>>],
    params: &AcceptParams,
) -> PageRecord {
    let fields = cuts.iter().enumerate().filter_map(|(i, cut)| {
        let field = template.fields.get(cut.field_idx)?;
        let scores = scores.get(i).map_or(&[][..], Vec::as_slice);
        Some(assemble_field(field, &cut.ink, scores, registration.fields.get(cut.field_idx), params))
    });
    let reading = PageReading::Read {
        form: template.name.clone(),
        fields: fields.collect(),
        residual_px: registration.residual_px,
    };
    PageRecord { page, reading }
}

/// What one field says. `scores` has one entry an edge of its lattice, `None` where the edge has no ink.
pub fn assemble_field(
    field: &Field,
    ink: &FieldInk,
    scores: &[Option<GlyphScores>],
    fit: Option<&FieldRegistration>,
    params: &AcceptParams,
) -> FieldValue {
    let reading = match ink {
        FieldInk::Blank => Reading::of_state(FieldState::Blank, 1.0),
        FieldInk::OffPage => Reading::of_state(FieldState::Review(ReviewReason::OffPage), 0.0),
        FieldInk::Written(lattice) => read(field, lattice, scores, params),
    };
    let corners = fit.map(|fit| fit.page_from_template.apply_rect(field.layout.bounds()));
    FieldValue {
        name: field.name.clone(),
        state: reading.state,
        guess: reading.guess,
        alternatives: reading.alternatives,
        confidence: reading.confidence,
        bounds: corners.and_then(Rect::around).unwrap_or_default(),
        residual_px: fit.and_then(|fit| fit.residual_px),
    }
}
