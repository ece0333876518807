//! What there is to tell of one field.

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

/// Readings, and texts of a strip, that are told of.
const MAX_READINGS: usize = 8;
const MAX_TEXTS: usize = 4;

/// Most pixels of a field's surroundings, width and height.
const VIEW_PX: [u32; 2] = [1480, 240];

/// How much of the page is shown round a field, as a share of its height.
const AROUND: f64 = 1.0;

/// What became of a field, and how.
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
    /// 0 to 1, of the guess.
    pub confidence: f64,
    /// Why a person must look; empty otherwise.
    pub reason: String,
    /// Left, top, right and bottom edge on the scan as stored, whole pixels.
    pub bounds: [i64; 4],
    /// Whether the form has a printed frame for it.
    pub has_frame: bool,
    /// RMS distance of that frame from its fit, pixels; `None` where it was not found or there is none.
    pub residual_px: Option<f64>,
    /// The rules that name it, of its form and of others, as the templates have them.
    pub rules: Vec<String>,
    /// Where one of them, or a check of the field's own, put the guess in the place of a likelier reading.
    pub correction: Option<RuleCorrection>,
    /// Readings in canonical form with their probabilities, likeliest first.
    pub alternatives: Vec<Alternative>,
    /// What the cuts and the strip say, each by itself, best reading first.
    pub readings: Vec<WeighedReading>,
    /// Its ink as one strip; `None` where nothing is written.
    pub strip: Option<StripExplanation>,
    /// Nodes of the lattice; 0 where nothing is written.
    pub n_nodes: usize,
    /// Its edges.
    pub candidates: Vec<CandidateCut>,
    /// Of it.
    #[serde(skip)]
    pub images: FieldImages,
}

/// What is between two nodes of the lattice.
#[derive(Debug, Clone, Serialize)]
pub struct CandidateCut {
    /// Node where it begins.
    pub from: usize,
    /// Node where it ends.
    pub to: usize,
    /// Log prior of the cut from its geometry.
    pub log_prior: f32,
    /// Whether the best reading goes this way.
    pub is_chosen: bool,
    /// Left, top, width and height of its ink, pixels of [`FieldPictures::cleaned`]; `None` where there is no ink.
    pub bounds: Option<[i32; 4]>,
    /// What the net says of its glyph, after all of the page's glyphs were looked at together.
    pub scores: Option<GlyphScores>,
    /// What the net saw: [28, 28] f32 row-major, paper 0 .. ink 1.
    #[serde(skip)]
    pub glyph: Option<Glyph>,
}

/// A field's ink as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct StripExplanation {
    /// Width, pixels; it is 32 high.
    pub width: usize,
    /// What all views together say, likeliest first.
    pub together: Vec<StripText>,
    /// What each view says by itself, its likeliest text. The first is the strip as it is; others there are only where that
    /// was doubtful.
    pub views: Vec<StripText>,
    /// What the net saw.
    #[serde(skip)]
    pub pixels: GrayImage,
}

/// What a strip may say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StripText {
    /// ASCII digits, and `?` for what cannot be read.
    pub text: String,
    /// Probability, 0 to 1.
    pub probability: f64,
}

/// Pictures of a field.
#[derive(Debug, Default)]
pub struct FieldImages {
    /// The page round it, with the outlines of its cells; `None` where nothing of it is on the page.
    pub around: Option<View>,
    /// As scanned and as cut; `None` where it is not all on the page.
    pub pictures: Option<FieldPictures>,
}

/// A field of a page that was read.
pub(super) struct FieldPlace<'a> {
    pub page: &'a Page,
    pub template: &'a FormTemplate,
    pub cut: &'a CutPage,
    /// Index into the template's fields.
    pub idx: usize,
    /// How many quarters clockwise the form is turned on the page.
    pub quarters: u8,
    /// How scores became values.
    pub params: &'a AssembleParams,
    /// The rules that name it.
    pub rules: Vec<String>,
}

/// Collects all that there is. `row` is what the tables say of `value`.
pub(super) fn explain(
    place: FieldPlace<'_>,
    value: &FieldValue,
    row: FieldRow,
    seen: &ScoredField,
) -> FieldExplanation {
    let FieldPlace { template, cut, idx, params, .. } = place;
    let field = &template.fields[idx];
    let (n_nodes, readings, candidates) = match cut.cuts.get(idx).map(|cut| &cut.ink) {
        Some(FieldInk::Written(lattice)) => {
            let readings = weighed_readings(field, lattice, &seen.scores, params, MAX_READINGS);
            let chosen = readings.first().map_or(&[][..], |best| best.edges.as_slice());
            let candidate = |i: usize| {
                let edge = &lattice.edges[i];
                CandidateCut {
                    from: edge.from,
                    to: edge.to,
                    log_prior: edge.log_prior,
                    is_chosen: chosen.contains(&i),
                    bounds: edge.crop.as_ref().map(bounds),
                    scores: seen.scores.edges.get(i).copied().flatten(),
                    glyph: seen.glyphs.get(i).cloned().flatten(),
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
        strip: seen.strip.as_ref().map(|strip| explain_strip(strip, &seen.scores.strip, &params.ctc)),
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
    let texts = |scores: &StripScores, most| -> Vec<StripText> {
        strip_texts(scores, params, most)
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
    let reach = AROUND * frame.width().min(frame.height());
    let around = View::new(&page.pixels, frame.inflate(reach), quarters, VIEW_PX, cells);
    FieldImages { around, pictures: field_pictures(page, &cut.registration, template, idx) }
}
