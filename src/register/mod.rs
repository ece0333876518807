//! Lays a template on a page from the form's own printed lines and words. Marks are printed lines' ends like any
//! other; none is required.
//!
//! 1. [`PageEvidence`] is measured once a page: pieces of straight lines, and where ink lies.
//! 2. [`search`] proposes placements: every line of the template on every line of the page gives a similarity; the few
//!    that put most lines on lines are kept.
//! 3. [`fit`] refines them to an affine or projective map by iterated closest lines.
//! 4. A page in perspective is first made level by its vanishing points ([`perspective`]); then it is a flat page.
//! 5. [`settle`] lets each field find its own printed frame, because paper bends.

mod evidence;
mod fit;
mod landmarks;
mod perspective;
mod search;
mod settle;

use crate::{
    error::PageReject,
    form::{FormTemplate, PageLayout},
    geometry::{Point, Projection},
    page::Page,
};

pub use evidence::PageEvidence;
pub use landmarks::{FoundLandmarks, LandmarkParams, find_landmarks};

/// A template laid on a page.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Template millimetres to page pixels, for the whole page.
    pub page_from_template: Projection,
    /// Root mean square distance of the landmarks found from where the fit puts them, pixels.
    pub residual_px: f64,
    /// Share of the template's printed lines that were found where the fit puts them, 0 to 1.
    pub support: f64,
    /// Each field's own fit, in the template's order.
    pub fields: Vec<FieldRegistration>,
}

/// A field settled on its own printed frame.
#[derive(Debug, Clone)]
pub struct FieldRegistration {
    /// Template millimetres to page pixels, true near this field.
    pub page_from_template: Projection,
    /// RMS distance of the frame's lines from where the fit puts them, pixels; `None` where no printed frame was found
    /// and the page's fit stands.
    pub residual_px: Option<f64>,
    /// Whether the whole field lies on the page.
    pub on_page: bool,
}

impl FieldRegistration {
    /// Where the template's point lies on the page.
    pub fn locate(&self, template_mm: Point) -> Point {
        self.page_from_template.apply(template_mm)
    }
}

/// When a page is taken for a form, and when it is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegisterParams {
    /// Least share of the template's visible lines that must be found. Less of it reads worse pages, and takes other
    /// forms for this one.
    pub min_support: f64,
    /// Share of lines found from which a flat fit is not challenged by one in perspective.
    pub sure_support: f64,
    /// Largest residual of the page's fit, millimetres. Paper that is bent more is not read.
    pub max_residual_mm: f64,
    /// Least share of the fields with printed frames whose frames must be found.
    pub min_fields_settled: f64,
    /// A page with a smaller share of ink than this is blank.
    pub min_ink_share: f64,
}

impl Default for RegisterParams {
    /// Chosen on `mtc`, `c1` and `hsf` pages and drawn decks against all templates but their own.
    fn default() -> Self {
        Self {
            min_support: 0.5,
            sure_support: 0.85,
            max_residual_mm: 1.0,
            min_fields_settled: 0.5,
            min_ink_share: 0.0005,
        }
    }
}

/// A page that is no known form, or cannot be read as the form it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Misfit {
    /// Index of the template that was recognised, if one was.
    pub template_idx: Option<usize>,
    /// Why the page is not read.
    pub reason: PageReject,
    /// For a person: what was measured.
    pub detail: String,
}

/// Finds the template that fits `page` best and lays it on. Returns its index and the registration.
///
/// A template that takes the whole image fits every page, so it is only taken where it is the only one.
///
/// # Errors
/// [`Misfit`]: a verdict on the page, not a fault.
pub fn identify(
    page: &Page,
    templates: &[FormTemplate],
    params: &RegisterParams,
) -> Result<(usize, Registration), Misfit> {
    if let [FormTemplate { layout: PageLayout::WholeImage, .. }] = templates {
        return Ok((0, whole_image(page, &templates[0])));
    }
    let misfit = |template_idx, reason, detail| Misfit { template_idx, reason, detail };
    let evidence = PageEvidence::measure(page);
    if evidence.ink_share() < params.min_ink_share {
        let detail = format!("share of ink: {:.5}", evidence.ink_share());
        return Err(misfit(None, PageReject::BlankPage, detail));
    }
    let best = templates
        .iter()
        .enumerate()
        .filter_map(|(idx, template)| Some((idx, place(&evidence, template, params)?)))
        .max_by(|(_, a), (_, b)| a.score().total_cmp(&b.score()));
    let Some((idx, placement)) = best else {
        return Err(misfit(None, PageReject::UnknownForm, "no template's lines are on the page".to_owned()));
    };
    if placement.support < params.min_support {
        let found_percent = 100.0 * placement.support;
        let detail = format!("nearest template: {}, lines found: {found_percent:.0} %", templates[idx].name);
        return Err(misfit(None, PageReject::UnknownForm, detail));
    }
    let registration = settle::settle(page, &templates[idx], &placement);
    let px_per_mm = placement.page_from_template.scale_at(templates[idx].centre());
    if registration.residual_px > params.max_residual_mm * px_per_mm {
        let detail = format!("residual: {:.2} px at {px_per_mm:.2} px/mm", registration.residual_px);
        return Err(misfit(Some(idx), PageReject::PoorRegistration, detail));
    }
    let framed =
        templates[idx].fields.iter().zip(&registration.fields).filter(|(f, _)| !f.layout.printed_lines().is_empty());
    let (n_framed, n_settled) = framed
        .fold((0, 0), |(n, settled), (_, r)| (n + 1, settled + usize::from(r.residual_px.is_some() || !r.on_page)));
    if (n_settled as f64) < params.min_fields_settled * f64::from(n_framed) {
        let detail = format!("frames found: {n_settled} of {n_framed}");
        return Err(misfit(Some(idx), PageReject::PoorRegistration, detail));
    }
    Ok((idx, registration))
}

/// The best placement of one template, flat or in perspective; `None` where there is nothing to hold on to.
fn place(evidence: &PageEvidence, template: &FormTemplate, params: &RegisterParams) -> Option<fit::Placement> {
    let PageLayout::Printed(landmarks) = &template.layout else { return None };
    let model = search::LineModel::new(template, landmarks);
    let flat = search::search(&evidence.lines, evidence.page_bounds(), &model)
        .into_iter()
        .filter_map(|start| fit::refine(evidence, &model, start))
        .max_by(|a, b| a.score().total_cmp(&b.score()));
    if flat.as_ref().is_some_and(|p| p.support >= params.sure_support) {
        return flat;
    }
    let level = perspective::level(&evidence.lines, evidence.page_bounds()).and_then(|level_from_page| {
        let page_from_level = level_from_page.inverse()?;
        let (lines, bounds) = evidence.seen_through(&level_from_page)?;
        search::search(&lines, bounds, &model)
            .into_iter()
            .filter_map(|start| fit::refine(evidence, &model, page_from_level.compose(&start)))
            .max_by(|a, b| a.score().total_cmp(&b.score()))
    });
    flat.into_iter().chain(level).max_by(|a, b| a.score().total_cmp(&b.score()))
}

/// The whole page as one field: the template's unit square is stretched over it.
fn whole_image(page: &Page, template: &FormTemplate) -> Registration {
    let (width, height) = page.pixels.dimensions();
    let bounds = template.bounds();
    let page_from_template = Projection::scaling(
        f64::from(width) / bounds.width().max(f64::MIN_POSITIVE),
        f64::from(height) / bounds.height().max(f64::MIN_POSITIVE),
    );
    let field = FieldRegistration { page_from_template, residual_px: None, on_page: true };
    Registration { page_from_template, residual_px: 0.0, support: 1.0, fields: vec![field; template.fields.len()] }
}
