//! Collects the explanation of one field.

use image::GrayImage;
use serde::Serialize;

use crate::draw::View;
use formread_core::{
    assemble::{
        Alternative, AssembleParams, CtcParams, FieldValue, RuleCorrection, WeighedReading, strip_texts,
        weighed_readings,
    },
    form::FormTemplate,
    normalise::{Glyph, Strip},
    reader::{CutPage, ScoredField},
    rows::FieldRow,
    scores::{GlyphScores, StripScores},
    segment::{FieldInk, FieldPictures, InkCrop, field_pictures},
};
use formread_page::Page;
use formread_raster::geometry::Rect;

/// Maximum number of readings listed for a field.
const MAX_READINGS: usize = 8;
/// Maximum number of texts listed for a strip.
const MAX_TEXTS: usize = 4;

/// Maximum width and height of the picture of a field's surroundings, pixels.
const MAX_VIEW_PX: [u32; 2] = [1480, 240];

/// Margin of the page shown around a field, as a share of the field's shorter side.
const VIEW_MARGIN: f64 = 1.0;

/// The verdict on a field, and how it was read.
#[derive(Debug, Serialize)]
pub struct FieldExplanation {
    /// The field's name.
    pub name: String,
    /// `accepted`, `blank` or `review`.
    pub state: String,
    /// The accepted value in canonical form; empty otherwise.
    pub value: String,
    /// The best reading, accepted or not; empty for blank.
    pub guess: String,
    /// Confidence of the guess, 0 to 1.
    pub confidence: f64,
    /// Why the field is in review; empty otherwise.
    pub reason: String,
    /// Left, top, right and bottom edge on the scan as stored, whole pixels.
    pub bounds: [i64; 4],
    /// Whether the form has a printed frame for it.
    pub has_frame: bool,
    /// RMS distance between that frame and its fit, pixels; `None` if it was not found or there is none.
    pub residual_px: Option<f64>,
    /// The rules that name the field, of its form and of others, as written in the templates.
    pub rules: Vec<String>,
    /// The correction, if a rule or a check of the field replaced a more probable reading with the guess.
    pub correction: Option<RuleCorrection>,
    /// Readings in canonical form with their probabilities, most probable first.
    pub alternatives: Vec<Alternative>,
    /// Readings with their probabilities by cuts alone and by strip alone, best reading first.
    pub readings: Vec<WeighedReading>,
    /// Its ink as one strip; `None` if nothing is written.
    pub strip: Option<StripExplanation>,
    /// Number of nodes in the lattice; 0 if nothing is written.
    pub n_nodes: usize,
    /// Edges of the lattice.
    pub candidates: Vec<CandidateCut>,
    /// Pictures of the field.
    #[serde(skip)]
    pub images: FieldImages,
}

/// A candidate: the ink between two nodes of the lattice.
#[derive(Debug, Clone, Serialize)]
pub struct CandidateCut {
    /// Start node.
    pub from: usize,
    /// End node.
    pub to: usize,
    /// Log prior of the cut, from its geometry.
    pub log_prior: f32,
    /// Whether the best reading uses it.
    pub is_chosen: bool,
    /// Left, top, width and height of its ink, pixels of [`FieldPictures::cleaned`]; `None` if there is no ink.
    pub bounds: Option<[i32; 4]>,
    /// Scores of its glyph, after writer adaptation; `None` if there is no ink, or if it was not scored because others settle the field.
    pub scores: Option<GlyphScores>,
    /// Input of the net: [28, 28] f32 row-major, paper 0 .. ink 1.
    #[serde(skip)]
    pub glyph: Option<Glyph>,
}

/// A field's ink as one strip.
#[derive(Debug, Clone, Serialize)]
pub struct StripExplanation {
    /// Width, pixels; the height is 32.
    pub width: usize,
    /// Texts by all views together, most probable first.
    pub together: Vec<StripText>,
    /// The most probable text of each view by itself. The first view is the strip itself; test-time augmentation adds others
    /// if that was ambiguous.
    pub views: Vec<StripText>,
    /// Input of the net, as a picture.
    #[serde(skip)]
    pub pixels: GrayImage,
}

/// A possible text of a strip.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StripText {
    /// ASCII digits, and `?` for an illegible sign.
    pub text: String,
    /// Probability, 0 to 1.
    pub probability: f64,
}

/// Pictures of a field.
#[derive(Debug, Default)]
pub struct FieldImages {
    /// The page around it, with the outlines of its cells; `None` if no part of it is on the page.
    pub around: Option<View>,
    /// The field as scanned and as cut; `None` if part of it is off the page.
    pub pictures: Option<FieldPictures>,
}

/// A field on a page that was read.
pub(super) struct FieldPlace<'a> {
    pub page: &'a Page,
    pub template: &'a FormTemplate,
    pub cut: &'a CutPage,
    /// Index into the template's fields.
    pub idx: usize,
    /// Number of quarter turns clockwise by which the form is turned on the page.
    pub quarters: u8,
    /// How scores became values.
    pub params: &'a AssembleParams,
    /// The rules that name the field.
    pub rules: Vec<String>,
}

/// Collects the explanation. `row` is the row of `value` in the table.
pub(super) fn explain(
    place: FieldPlace<'_>,
    value: &FieldValue,
    row: FieldRow,
    scored: &ScoredField,
) -> FieldExplanation {
    let FieldPlace { template, cut, idx, params, .. } = place;
    let field = &template.fields[idx];
    let (n_nodes, readings, candidates) = match cut.cuts.get(idx).map(|cut| &cut.ink) {
        Some(FieldInk::Written(lattice)) => {
            let readings = weighed_readings(field, lattice, &scored.scores, params, MAX_READINGS);
            let chosen = readings.first().map_or(&[][..], |best| best.edges.as_slice());
            let candidate = |i: usize| {
                let edge = &lattice.edges[i];
                CandidateCut {
                    from: edge.from,
                    to: edge.to,
                    log_prior: edge.log_prior,
                    is_chosen: chosen.contains(&i),
                    bounds: edge.crop.as_ref().map(bounds),
                    scores: scored.scores.glyph(i),
                    glyph: scored.glyphs.get(i).cloned().flatten(),
                }
            };
            let candidates = (0..lattice.edges.len()).map(candidate).collect();
            (lattice.n_nodes, readings, candidates)
        }
        _ => (0, Vec::new(), Vec::new()),
    };
    FieldExplanation {
        name: row.field,
        state: row.state,
        value: row.value,
        guess: row.guess,
        confidence: value.confidence,
        reason: row.reason,
        bounds: row.bounds,
        has_frame: !field.layout.printed_lines().is_empty(),
        residual_px: value.residual_px,
        correction: value.correction.clone(),
        alternatives: value.alternatives.clone(),
        readings,
        strip: scored.strip.as_ref().map(|strip| explain_strip(strip, &scored.scores.strip, &params.ctc)),
        n_nodes,
        candidates,
        images: images(&place),
        rules: place.rules,
    }
}

fn bounds(crop: &InkCrop) -> [i32; 4] {
    let [width, height] = [crop.ink.width(), crop.ink.height()].map(|side| i32::try_from(side).unwrap_or(i32::MAX));
    [crop.x, crop.y, width, height]
}

fn explain_strip(strip: &Strip, scores: &StripScores, params: &CtcParams) -> StripExplanation {
    let texts = |scores: &StripScores, max_texts| -> Vec<StripText> {
        strip_texts(scores, params, max_texts)
            .into_iter()
            .map(|(text, probability)| StripText { text, probability })
            .collect()
    };
    let views = scores.views.iter().flat_map(|view| texts(&StripScores { views: vec![view.clone()] }, 1)).collect();
    let height = strip.pixels.len() / strip.width.max(1);
    let pixel = |x: u32, y: u32| {
        let ink = strip.pixels[y as usize * strip.width + x as usize];
        image::Luma([255 - (ink.clamp(0.0, 1.0) * 255.0).round() as u8])
    };
    let pixels = GrayImage::from_fn(strip.width as u32, height as u32, pixel);
    StripExplanation { width: strip.width, together: texts(scores, MAX_TEXTS), views, pixels }
}

fn images(place: &FieldPlace<'_>) -> FieldImages {
    let FieldPlace { page, template, cut, idx, quarters, .. } = *place;
    let layout = &template.fields[idx].layout;
    let Some(at) = cut.registration.fields.get(idx) else { return FieldImages::default() };
    let cells = layout.cells().iter().map(|&cell| at.page_from_template.apply_rect(cell)).collect();
    let frame = Rect::around(at.page_from_template.apply_rect(layout.bounds())).unwrap_or_default();
    let margin = VIEW_MARGIN * frame.width().min(frame.height());
    let around = View::new(&page.pixels, frame.inflate(margin), quarters, MAX_VIEW_PX, cells);
    FieldImages { around, pictures: field_pictures(page, &cut.registration, template, idx) }
}
