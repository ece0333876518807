//! Scores -> values: the best path through each field's lattice, its canonical form, and what becomes of it.

mod across;
mod alignment;
mod canonical;
mod complete;
mod confidence;
mod cut_value;
mod defect;
mod document;
mod grammar;
mod keyed;
mod lattice;
mod mark;
mod params;
mod point;
mod readings;
mod reconcile;
mod search;
mod state;
mod stored;
mod symbols;
mod unexplained;
mod weighed;

use std::{borrow::Cow, slice};

use serde::{Serialize, Serializer};

use crate::{
    form::{Field, FormTemplate},
    register::{FieldRegistration, Registration},
    scores::FieldScores,
    segment::{FieldCut, FieldInk, StrayInk},
};
use formread_raster::{
    checkpoint,
    error::PageReject,
    geometry::{Point, Rect},
};

use lattice::likely_edges;
use state::{Reading, read};

pub use alignment::{edges_by_strip, is_disputed};
pub use complete::{DocumentRecord, DocumentVerdict, PageCopies, PageStatus, PageSummary, documents};
pub use confidence::ConfidenceInputs;
pub use cut_value::{CutDigit, cut_value};
pub use keyed::{KeyedFault, keyed_value};
pub use params::{
    AlignmentParams, AssembleParams, CombinationParams, CtcParams, DefectParams, LatticeParams, MarkParams,
    RefineParams, RuleParams, UnexplainedParams,
};
pub use reconcile::{number, reconcile};
pub use state::{AcceptParams, AcceptTable, confidence_inputs};
pub use stored::FieldReadings;
pub use weighed::{WeighedReading, strip_texts, weighed_readings};

/// The record of one page: a row of the table, or the reason why there is none.
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
        /// What was measured, for a person.
        detail: String,
    },
    /// Every field was read, is blank, or needs review.
    Read {
        /// The template's name.
        form: String,
        /// One a field, in the template's order.
        fields: Vec<FieldValue>,
        /// Root mean square distance of the landmarks from the fit, pixels.
        residual_px: f64,
        /// Whether somebody wrote beside the fields.
        has_writing_outside: bool,
    },
}

/// The value of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldValue {
    /// The field's name.
    pub name: String,
    /// What becomes of it.
    pub state: FieldState,
    /// The best reading in canonical form, accepted or not; empty only for blank, or where nothing could be read.
    pub guess: String,
    /// All readings, most likely first. The best one is the first.
    pub alternatives: Vec<Alternative>,
    /// Its reading before any rule.
    pub unconstrained: UnconstrainedReading,
    /// Where a rule replaced the most likely reading.
    pub correction: Option<RuleCorrection>,
    /// 0 to 1, of the guess: the chance that it is right.
    pub confidence: f64,
    /// The field's box on the scan as stored, pixels, origin left top.
    pub bounds: Rect,
    /// Quarter turns clockwise that bring the field on the decoded page upright, 0 to 3.
    pub quarter_turns: u8,
    /// RMS distance of the field's frame from its fit, pixels; `None` where it has no printed frame of its own.
    pub residual_px: Option<f64>,
}

/// The reading of a field before any rule. Rules start from it each time.
#[derive(Debug, Clone, PartialEq)]
pub struct UnconstrainedReading {
    /// Its state.
    pub state: FieldState,
    /// As [`FieldValue::guess`].
    pub guess: String,
    /// 0 to 1, of the guess.
    pub confidence: f64,
    /// Whether a person settled it: then no rule changes the guess or doubts it. A rule that it breaks is named all the same.
    pub is_settled: bool,
}

/// One reading of a field.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alternative {
    /// Canonical form.
    pub text: String,
    /// Probability among the field's readings, 0 to 1.
    pub probability: f64,
}

/// A rule replaced a reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleCorrection {
    /// The replaced reading, in canonical form: the most likely one before any rule.
    pub from: String,
    /// The rule or check that it does not satisfy.
    pub by: String,
}

/// What becomes of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldState {
    /// The guess is the value.
    Accepted,
    /// Nothing is written there.
    Blank,
    /// A person must review it.
    Review(ReviewReason),
}

impl FieldState {
    /// `accepted`, `blank`, or the word of the `reason` column.
    pub fn word(&self) -> Cow<'static, str> {
        match self {
            Self::Accepted => Cow::Borrowed("accepted"),
            Self::Blank => Cow::Borrowed("blank"),
            Self::Review(reason) => reason.word(),
        }
    }
}

impl Serialize for FieldState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.word())
    }
}

/// Why a person must review a field. The words of the `reason` column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReviewReason {
    /// The confidence is below the acceptance level, and nothing else is wrong.
    LowConfidence,
    /// No digits could be read.
    Illegible,
    /// A digit is struck out, or there is something unreadable beside digits.
    StruckOut,
    /// A digit is written over another one.
    Overwritten,
    /// More digits than there is room for.
    Overflow,
    /// Fewer digits than the field asks for.
    TooShort,
    /// Part of the field is not on the scan.
    OffPage,
    /// A date that does not exist.
    ImpossibleDate,
    /// A rule between fields or a check of the field fails: the rule as written in the template, or the name of the check.
    FailedCheck(String),
    /// A required field is blank.
    Missing,
    /// A rule about the field names a page of its document that is missing or could not be read: that page's form.
    MissingPage(String),
    /// A rule about the field names a page of its document that occurs several times with different values: that page's form.
    SurplusPage(String),
    /// The field's printed frame was not found: the reading may be of something else.
    FrameNotFound,
    /// There are signs among or beside the digits that a number of this kind does not have.
    NotANumber,
    /// There is ink in the field that no part of the reading explains.
    UnexplainedInk,
    /// There is ink in the field that belongs to something else, such as a line through the form.
    StrayInk,
    /// What is written is hardly darker than the paper.
    TooFaint,
    /// More than one box of a choice is marked.
    SeveralMarked,
}

impl ReviewReason {
    /// The word in the table.
    pub fn word(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::FailedCheck(check) => return Cow::Owned(format!("failed-check:{check}")),
            Self::MissingPage(form) => return Cow::Owned(format!("missing-page:{form}")),
            Self::SurplusPage(form) => return Cow::Owned(format!("surplus-page:{form}")),
            Self::LowConfidence => "low-confidence",
            Self::Illegible => "illegible",
            Self::StruckOut => "struck-out",
            Self::Overwritten => "overwritten",
            Self::Overflow => "overflow",
            Self::TooShort => "too-short",
            Self::OffPage => "off-page",
            Self::ImpossibleDate => "impossible-date",
            Self::Missing => "missing",
            Self::FrameNotFound => "frame-not-found",
            Self::NotANumber => "not-a-number",
            Self::UnexplainedInk => "unexplained-ink",
            Self::StrayInk => "stray-ink",
            Self::TooFaint => "too-faint",
            Self::SeveralMarked => "several-marked",
        })
    }
}

/// Makes values of the scores of a page. `cuts` as [`crate::segment::segment`] gives them, `scores` one
/// for each of them. `page` is 1-based.
///
/// The fields' bounds are in pixels of [`formread_page::Page::pixels`]. The rules of the page are applied as if its
/// document had no other page; [`reconcile()`] applies them to all pages.
pub fn assemble_page(
    page: u32,
    template: &FormTemplate,
    registration: &Registration,
    cuts: &[FieldCut],
    scores: &[FieldScores],
    params: &AssembleParams,
    accept: &AcceptTable,
) -> PageRecord {
    let fields = cuts.iter().enumerate().filter_map(|(i, cut)| {
        checkpoint();
        let field = template.fields.get(cut.field_idx)?;
        let nothing = FieldScores::default();
        let scores = scores.get(i).unwrap_or(&nothing);
        let accept = accept.of(&template.name, &field.name);
        let mut value =
            assemble_field(field, &cut.ink, scores, registration.fields.get(cut.field_idx), params, &accept);
        if let Some(reason) = cut.stray.and_then(|stray| stray_reason(stray, &value.state)) {
            if reason == ReviewReason::TooFaint {
                // as likely as not
                (value.confidence, value.unconstrained.confidence) = (0.5, 0.5);
            }
            value.state = FieldState::Review(reason);
            value.unconstrained.state = value.state.clone();
        }
        Some(value)
    });
    let reading = PageReading::Read {
        form: template.name.clone(),
        fields: fields.collect(),
        residual_px: registration.residual_px,
        has_writing_outside: cuts.iter().any(|cut| cut.stray == Some(StrayInk::Beside)),
    };
    let mut record = PageRecord { page, reading };
    reconcile(slice::from_ref(template), slice::from_mut(&mut record), accept, &params.rules);
    record
}

/// The reason of a field with stray ink. `None` where the state of its reading already says more.
fn stray_reason(stray: StrayInk, state: &FieldState) -> Option<ReviewReason> {
    let is_open =
        matches!(state, FieldState::Accepted | FieldState::Blank | FieldState::Review(ReviewReason::LowConfidence));
    is_open.then_some(match stray {
        StrayInk::Line | StrayInk::OverPrint | StrayInk::Beside | StrayInk::OtherCell => ReviewReason::StrayInk,
        StrayInk::Overflow => ReviewReason::Overflow,
        StrayInk::Point | StrayInk::Bar | StrayInk::OnLine => ReviewReason::UnexplainedInk,
        StrayInk::Pale => ReviewReason::TooFaint,
    })
}

/// Makes a value of the scores of one field.
pub fn assemble_field(
    field: &Field,
    ink: &FieldInk,
    scores: &FieldScores,
    fit: Option<&FieldRegistration>,
    params: &AssembleParams,
    accept: &AcceptParams,
) -> FieldValue {
    let reading = match ink {
        FieldInk::Blank if accept.accepts(1.0) => Reading::of_state(FieldState::Blank, 1.0),
        // the field is never accepted, not even as blank
        FieldInk::Blank => Reading::of_state(FieldState::Review(ReviewReason::LowConfidence), 1.0),
        FieldInk::OffPage => Reading::of_state(FieldState::Review(ReviewReason::OffPage), 0.0),
        FieldInk::Written(lattice) => read(field, lattice, scores, params, accept),
        FieldInk::Marks(boxes) => mark::read(&field.kind, boxes, &params.mark, accept),
    };
    let has_frame = !field.layout.printed_lines().is_empty();
    let frame_is_missing = fit.is_some_and(|fit| fit.is_loose || fit.residual_px.is_none() && has_frame);
    let state = match reading.state {
        FieldState::Accepted | FieldState::Blank | FieldState::Review(ReviewReason::LowConfidence)
            if frame_is_missing =>
        {
            FieldState::Review(ReviewReason::FrameNotFound)
        }
        state => state,
    };
    let unconstrained =
        UnconstrainedReading { state, guess: reading.guess, confidence: reading.confidence, is_settled: false };
    let corners = fit.map(|fit| fit.page_from_template.apply_rect(field.layout.bounds()));
    FieldValue {
        name: field.name.clone(),
        state: unconstrained.state.clone(),
        guess: unconstrained.guess.clone(),
        alternatives: reading.alternatives,
        confidence: unconstrained.confidence,
        unconstrained,
        correction: None,
        bounds: corners.and_then(Rect::around).unwrap_or_default(),
        quarter_turns: corners.map_or(0, |[left_top, right_top, ..]| quarter_turns(right_top - left_top)),
        residual_px: fit.and_then(|fit| fit.residual_px),
    }
}

/// Quarter turns clockwise that bring this direction, y downwards, to that of writing: to the right.
fn quarter_turns(along: Point) -> u8 {
    match (along.x.abs() >= along.y.abs(), along.x >= 0.0, along.y >= 0.0) {
        (true, true, _) => 0,
        (true, false, _) => 2,
        (false, _, true) => 3,
        (false, _, false) => 1,
    }
}

/// Whether the scores of a field are so clear that refining them would not change its reading.
pub fn is_settled(field: &Field, ink: &FieldInk, scores: &FieldScores, params: &AssembleParams) -> bool {
    let FieldInk::Written(lattice) = ink else { return true };
    let min_confidence = params.refine.settled_confidence;
    let accept = AcceptParams { min_confidence, min_confidence_corrected: f64::INFINITY };
    read(field, lattice, scores, params, &accept).state == FieldState::Accepted
}

/// For each edge of a field's lattice, whether it lies on a path whose log score is within
/// [`RefineParams::margin_log`] of the best one. The glyphs of other edges do not change the reading.
pub fn edges_within_margin(field: &Field, ink: &FieldInk, scores: &FieldScores, params: &AssembleParams) -> Vec<bool> {
    match ink {
        FieldInk::Written(lattice) => {
            likely_edges(field, lattice, &scores.edges, params.refine.margin_log, &params.lattice)
        }
        FieldInk::Blank | FieldInk::OffPage | FieldInk::Marks(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use image::GrayImage;

    use super::*;
    use crate::{
        form::{DateOrder, DigitCount, FieldChecks, FieldKind, FieldLayout, Filler, PrintedSides},
        scores::{EdgeScores, GlyphClass, GlyphScores, N_CLASSES},
        segment::{InkCrop, Lattice, LatticeEdge},
    };

    /// A free integer field.
    pub(super) fn field(min: usize, max: usize) -> Field {
        Field {
            name: "n".to_owned(),
            kind: FieldKind::Integer,
            layout: FieldLayout::Box { frame: Rect::from_xywh(0.0, 0.0, 40.0, 8.0), printed: PrintedSides::ALL },
            digits: DigitCount { min, max },
            fillers: Vec::new(),
            fillers_mean: None,
            is_signed: false,
            ignores_punctuation: false,
            checks: FieldChecks::default(),
        }
    }

    /// A comb of `n` cells, in which crosses and dashes fill unused cells and alone mean zero.
    fn comb(n: usize) -> Field {
        let cells = (0..n).map(|i| Rect::from_xywh(5.0 * i as f64, 0.0, 5.0, 8.0)).collect();
        Field {
            layout: FieldLayout::Comb { cells, printed: PrintedSides::ALL },
            fillers: vec![Filler::Cross, Filler::Dash],
            fillers_mean: Some("0".to_owned()),
            ..field(1, n)
        }
    }

    pub(super) fn edge(from: usize, to: usize) -> LatticeEdge {
        let crop = Some(InkCrop { ink: GrayImage::new(4, 4), x: 0, y: 0 });
        LatticeEdge { from, to, crop, log_prior: 0.0, loose: None, components: Vec::new() }
    }

    pub(super) fn empty(from: usize, to: usize) -> LatticeEdge {
        LatticeEdge { crop: None, ..edge(from, to) }
    }

    /// A digit of the given probability; the rest is spread over the other digits.
    pub(super) fn glyph(digit: usize, probability: f32) -> GlyphScores {
        let mut digits = [(1.0 - probability) / 9.0; 10];
        digits[digit] = probability;
        GlyphScores::of_digit(digits)
    }

    fn no_digit(class: GlyphClass) -> GlyphScores {
        let mut classes = [0.002; N_CLASSES];
        classes[class as usize] = 0.99;
        GlyphScores { digits: [0.1; 10], classes }
    }

    /// A chain of cells: a digit, `X`, `-`, `?` for a scribble, `_` for an empty cell.
    fn read_cells(field: &Field, cells: &str) -> FieldValue {
        let (edges, scores): (Vec<_>, Vec<_>) = cells
            .chars()
            .enumerate()
            .map(|(i, cell)| match cell {
                '_' => (empty(i, i + 1), EdgeScores::Empty),
                'X' => (edge(i, i + 1), EdgeScores::Scored(no_digit(GlyphClass::Cross))),
                '-' => (edge(i, i + 1), EdgeScores::Scored(no_digit(GlyphClass::Dash))),
                '?' => (edge(i, i + 1), EdgeScores::Scored(no_digit(GlyphClass::Other))),
                digit => {
                    let digit = digit.to_digit(10).expect("it is a digit");
                    (edge(i, i + 1), EdgeScores::Scored(glyph(digit as usize, 0.995)))
                }
            })
            .unzip();
        let ink = FieldInk::Written(Lattice { n_nodes: edges.len() + 1, edges, ..Lattice::default() });
        assemble_field(
            field,
            &ink,
            &FieldScores { edges: scores, ..FieldScores::default() },
            None,
            &AssembleParams::default(),
            &AcceptParams::default(),
        )
    }

    #[test]
    fn comb_with_fillers_and_empty_cells_has_its_digits() {
        use FieldState::{Accepted, Review};
        for (cells, state, guess) in [
            ("012", Accepted, "12"),
            ("XX3", Accepted, "3"),
            ("X--", Accepted, "0"),
            ("XXX", Accepted, "0"),
            ("__5", Accepted, "5"),
            ("X40", Accepted, "40"),
            ("12_", Accepted, "12"),
            ("1_2", Review(ReviewReason::LowConfidence), "12"),
        ] {
            let value = read_cells(&comb(3), cells);
            assert_eq!((value.state, value.guess.as_str()), (state, guess), "{cells}");
        }
        for cells in ["???", "1?2", "1X2", "??3"] {
            let value = read_cells(&comb(3), cells);
            assert!(matches!(value.state, Review(_)), "{cells}: {value:?}");
        }
    }

    #[test]
    fn fillers_alone_mean_what_the_template_declares() {
        let silent = Field { fillers_mean: None, ..comb(3) };
        let value = read_cells(&silent, "XXX");
        assert_eq!((value.state, value.guess.as_str()), (FieldState::Blank, ""));
        let strict = Field { fillers: Vec::new(), ..comb(3) };
        assert!(matches!(read_cells(&strict, "XX3").state, FieldState::Review(_)));
    }

    #[test]
    fn impossible_date_needs_review() {
        let kind = FieldKind::Date { order: DateOrder::DayMonthYear, pivot: 50 };
        let date = Field { kind, fillers: Vec::new(), digits: DigitCount { min: 8, max: 8 }, ..comb(8) };
        let value = read_cells(&date, "31022020");
        assert_eq!(value.state, FieldState::Review(ReviewReason::ImpossibleDate));
        assert_eq!(value.guess, "2020-02-31");
        let value = read_cells(&date, "29022020");
        assert_eq!((value.state, value.guess.as_str()), (FieldState::Accepted, "2020-02-29"));
    }

    #[test]
    fn scribble_beside_digits_needs_review() {
        for cells in ["12?", "?12", "???"] {
            let value = read_cells(&comb(3), cells);
            assert!(matches!(value.state, FieldState::Review(_)), "{cells}: {value:?}");
        }
        assert_eq!(read_cells(&comb(3), "X12").state, FieldState::Accepted);
    }

    #[test]
    fn too_many_or_too_few_digits_need_review() {
        let value = read_cells(&field(1, 2), "123");
        assert_eq!((value.state, value.guess.as_str()), (FieldState::Review(ReviewReason::Overflow), "123"));
        let value = read_cells(&field(4, 4), "123");
        assert_eq!((value.state, value.guess.as_str()), (FieldState::Review(ReviewReason::TooShort), "123"));
    }

    #[test]
    fn field_without_ink_is_blank_and_field_off_the_page_needs_review() {
        let read = |ink| {
            assemble_field(
                &field(1, 3),
                &ink,
                &FieldScores::default(),
                None,
                &AssembleParams::default(),
                &AcceptParams::default(),
            )
        };
        assert_eq!(read(FieldInk::Blank).state, FieldState::Blank);
        let never = assemble_field(
            &field(1, 3),
            &FieldInk::Blank,
            &FieldScores::default(),
            None,
            &AssembleParams::default(),
            &AcceptParams::NEVER,
        );
        assert_eq!(never.state, FieldState::Review(ReviewReason::LowConfidence));
        assert_eq!(read(FieldInk::OffPage).state, FieldState::Review(ReviewReason::OffPage));
        let unread = FieldInk::Written(Lattice { n_nodes: 2, edges: vec![edge(0, 1)], ..Lattice::default() });
        assert_eq!(read(unread).state, FieldState::Review(ReviewReason::Illegible));
    }

    #[test]
    fn doubtful_digit_lowers_the_confidence_and_names_the_alternative() {
        let ink = FieldInk::Written(Lattice { n_nodes: 2, edges: vec![edge(0, 1)], ..Lattice::default() });
        let mut scores = glyph(1, 0.55);
        scores.digits[7] = 0.4;
        let value = assemble_field(
            &field(1, 3),
            &ink,
            &FieldScores { edges: vec![EdgeScores::Scored(scores)], ..FieldScores::default() },
            None,
            &AssembleParams::default(),
            &AcceptParams::default(),
        );
        assert_eq!(value.state, FieldState::Review(ReviewReason::LowConfidence));
        assert!((0.55..0.7).contains(&value.confidence), "{}", value.confidence);
        assert_eq!((value.guess.as_str(), value.alternatives[1].text.as_str()), ("1", "7"));
    }
}
