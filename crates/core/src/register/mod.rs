//! Lays a template on a page from the form's own printed lines. Words and marks tell a right placement from a wrong one
//! where there are any; none is required.
//!
//! 1. [`PageEvidence`] is measured once a page: pieces of straight lines, and where ink lies.
//! 2. `search` proposes placements: every line of the template on every line of the page gives a similarity; the few
//!    that put most lines on lines are kept. Of many templates, those that differ little are looked for together
//!    ([`Families`]), and where there are still many, those alone that are worth it at a glance.
//! 3. `fit` refines them to an affine or projective map by iterated closest lines.
//!    Of templates that lie there about equally well, those remain that the page's barcodes and printed numbers name
//!    (`imprints`), where templates declare any; of these, `rivals` asks the page for what only one of them has; where it
//!    does not say, the form is unknown.
//! 4. A page in perspective is first made level by its vanishing points (`perspective`); then it is a flat page.
//! 5. `settle` lets each field find its own printed frame, because paper bends.

mod bands;
mod evidence;
mod families;
mod fit;
mod imprints;
mod perspective;
mod rivals;
mod search;
mod settle;

use serde::Serialize;

use crate::form::{FormTemplate, PageLayout};
use formread_page::Page;
use formread_raster::{
    error::{Error, PageReject},
    geometry::{Point, Projection, Rect},
};

use fit::Placement;
use imprints::Word;
use rivals::{Which, which};
use search::{DistanceMaps, LineModel, Reach, Start, search};

pub use evidence::PageEvidence;
use evidence::PageLines;
pub use families::Families;
use families::Family;
pub use imprints::{NumberReading, ReadNumber, read_no_number};

/// A template laid on a page.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Template millimetres to page pixels, for the whole page.
    pub page_from_template: Projection,
    /// Root mean square distance of the landmarks found from where the fit puts them, pixels.
    pub residual_px: f64,
    /// Share of the template's printed lines that were found where the fit puts them, 0 (chance) to 1.
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

/// A page made level keeps its tilt's foreshortening, along or across; these are tried.
const FORESHORTENINGS: [f64; 9] = [1.0, 0.93, 1.07, 0.87, 1.15, 0.81, 1.23, 0.76, 1.32];

/// A template whose lines are found at first sight to less than this share of the best one's is no rival of it. Empirically
/// chosen: on drawn and real pages other forms come to 0.4 to 0.55. Lowering it costs time alone.
const RIVAL_SHARE: f64 = 0.6;

/// Families that are all searched for; of more than these, as many as are likeliest at a glance. Raising it costs time alone.
const MOST_SEARCHED: usize = 8;

/// A form that lies straight on the page is not looked for elsewhere where so much of it is found at first sight. Empirically
/// chosen: on ten drawn scans the right one came to 0.9 and more, another one to 0.54 and less; raising it costs time alone.
const SURE_START: f64 = 0.8;

/// Placements whose scores differ by less than this lie about equally well: then the page is asked which it is.
const NEAR_SCORE: f64 = 0.05;

/// When a page is taken for a form, and when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RegisterParams {
    /// Least score (template's lines found, words and marks inked, page's lines explained; 0 to 1) of a form that is recognised.
    /// Less of it reads worse pages, and takes other forms for this one.
    pub min_score: f64,
    /// Score from which a flat fit is not challenged by one in perspective.
    pub sure_score: f64,
    /// Largest residual of the page's fit, millimetres. Paper that is bent more is not read.
    pub max_residual_mm: f64,
    /// Least share of the fields with printed frames whose frames must be found; of tick boxes only where there are no others.
    pub min_fields_settled: f64,
    /// A page with a smaller share of ink than this is blank.
    pub min_ink_share: f64,
}

impl Default for RegisterParams {
    /// Empirically chosen: 101 real and degraded pages of three forms scored 0.86 and more on their own template, 72
    /// trials of such pages on another form's template 0.59 and less.
    fn default() -> Self {
        Self { min_score: 0.72, sure_score: 0.9, max_residual_mm: 1.0, min_fields_settled: 0.5, min_ink_share: 0.0005 }
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

/// As [`identify_among`], of templates that are used once, and without reading numbers.
///
/// # Errors
/// As there.
pub fn identify(
    page: &Page,
    templates: &[FormTemplate],
    params: &RegisterParams,
) -> Result<(usize, Registration), Misfit> {
    identify_among(page, templates, &Families::of(templates), params, &read_no_number)
}

/// Finds the template that fits `page` best and lays it on; of those that fit alike, one that the page's barcodes and
/// numbers name. Returns its index and the registration. `families` are those of `templates`; `read_number` is asked where
/// templates that may be the page declare a number.
///
/// A template that takes the whole image fits every page, so it is only taken where it is the only one.
///
/// # Errors
/// [`Misfit`]: a verdict on the page, not a fault.
pub fn identify_among(
    page: &Page,
    templates: &[FormTemplate],
    families: &Families,
    params: &RegisterParams,
    read_number: &ReadNumber<'_>,
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
    let Some((found, near)) = best_placement(&evidence, families, params) else {
        return Err(misfit(None, PageReject::UnknownForm, "no template's lines are on the page".to_owned()));
    };
    if found.placement.score() < params.min_score {
        let Placement { support, printed, explained, .. } = found.placement;
        let detail = format!(
            "nearest template: {}, lines found: {support:.2}, words and marks: {printed:.2}, lines explained: {explained:.2}",
            templates[found.idx].name
        );
        return Err(misfit(None, PageReject::UnknownForm, detail));
    }
    let named = match named_by_imprints(page, templates, near, read_number) {
        Ok(named) => named.map_err(|detail| misfit(None, PageReject::UnknownForm, detail))?,
        Err(error) => return Err(misfit(None, PageReject::InternalError, error.to_string())),
    };
    let found = named.and_then(|near| told_apart(&evidence, families, near)).map_or(found, |(found, _)| found);
    let Found { idx, placement, twin } = found;
    if let Some(twin) = twin {
        let detail = format!("fits two templates alike: {} and {}", templates[idx].name, templates[twin].name);
        return Err(misfit(None, PageReject::UnknownForm, detail));
    }
    let registration = settle::settle(page, &templates[idx], &placement);
    let px_per_mm = placement.page_from_template.scale_at(templates[idx].centre());
    if registration.residual_px > params.max_residual_mm * px_per_mm {
        let detail = format!("residual: {:.2} px at {px_per_mm:.2} px/mm", registration.residual_px);
        return Err(misfit(Some(idx), PageReject::PoorRegistration, detail));
    }
    let (n_framed, n_settled) = frames(&templates[idx], &registration);
    if (n_settled as f64) < params.min_fields_settled * n_framed as f64 {
        let detail = format!("frames found: {n_settled} of {n_framed}");
        return Err(misfit(Some(idx), PageReject::PoorRegistration, detail));
    }
    Ok((idx, registration))
}

/// How many fields have printed frames, and how many of these were found. Small ones count only where there are no others:
/// on a pale copy they are gone, and the form is there all the same.
fn frames(template: &FormTemplate, registration: &Registration) -> (usize, usize) {
    let framed = template.fields.iter().zip(&registration.fields);
    let framed = framed.filter(|(field, _)| !field.layout.printed_lines().is_empty());
    let (small, large): (Vec<_>, Vec<_>) = framed.partition(|(field, _)| settle::is_small(field.layout.bounds()));
    let counted = if large.is_empty() { small } else { large };
    let n_found = counted.iter().filter(|(_, fit)| fit.residual_px.is_some() || !fit.on_page).count();
    (counted.len(), n_found)
}

/// A template that lies on the page.
struct Found {
    idx: usize,
    placement: Placement,
    /// Another one that it cannot be told from.
    twin: Option<usize>,
}

/// Templates of one family that may be the page.
struct Kin {
    idxs: Vec<usize>,
    /// How one of the family lies on it, and which one.
    placement: Placement,
    laid_idx: usize,
}

/// The template that lies best on the page, and where, with all that lie there about as well. Only where none lies well flat
/// are they tried in perspective.
fn best_placement(evidence: &PageEvidence, families: &Families, params: &RegisterParams) -> Option<(Found, Vec<Kin>)> {
    let best_of = |lines: &PageLines, bounds: Rect, stretches: &[f64], page_from_seen: &Projection| {
        let maps = DistanceMaps::new(lines, bounds);
        let search = |model: &LineModel, reach: Reach| search(&maps, lines, bounds, model, stretches, reach);
        let found = straight(families, search).unwrap_or_else(|| anywhere(families, search));
        let best = found.iter().map(|(_, starts)| score(starts)).fold(0.0, f64::max);
        let rivals = found.into_iter().filter(|(_, starts)| score(starts) >= RIVAL_SHARE * best);
        let refined = rivals.filter_map(|(Family { members, model }, starts)| {
            let starts = starts.iter().map(|start| page_from_seen.compose(&start.map)).collect();
            let placement = fit::refine(evidence, model, starts)?;
            Some(Kin { idxs: members.to_vec(), placement, laid_idx: members[0] })
        });
        told_apart(evidence, families, refined.collect())
    };
    let flat = best_of(&evidence.lines, evidence.page_bounds(), &[1.0], &Projection::IDENTITY);
    if flat.as_ref().is_some_and(|(found, _)| found.placement.score() >= params.sure_score) {
        return flat;
    }
    let level = perspective::level(&evidence.lines, evidence.page_bounds()).and_then(|level_from_page| {
        let page_from_level = level_from_page.inverse()?;
        let (lines, bounds) = evidence.seen_through(&level_from_page)?;
        best_of(&lines, bounds, &FORESHORTENINGS, &page_from_level)
    });
    flat.into_iter().chain(level).max_by(|(a, _), (b, _)| a.placement.score().total_cmp(&b.placement.score()))
}

/// Score of the best of some placements.
fn score(starts: &[Start]) -> f64 {
    starts.first().map_or(0.0, |start| start.score)
}

/// Families, where each may lie, best first.
type Sought<'a> = Vec<(Family<'a>, Vec<Start>)>;

/// The families that are likeliest at a glance, likeliest first.
fn at_a_glance(families: &Families, search: impl Fn(&LineModel, Reach) -> Vec<Start>, glance: Reach) -> Sought<'_> {
    let mut ranked: Sought<'_> = families.each().map(|family| (family, search(family.model, glance))).collect();
    ranked.sort_by(|(_, a), (_, b)| score(b).total_cmp(&score(a)));
    ranked.truncate(MOST_SEARCHED);
    ranked
}

/// Where the families lie on a page that one of them surely fills, straight as a scanner sees it; `None` where none does. Of
/// the others those alone that may be rivals of it.
fn straight(families: &Families, search: impl Fn(&LineModel, Reach) -> Vec<Start>) -> Option<Sought<'_>> {
    let mut ranked = at_a_glance(families, &search, Reach::StraightGlance).into_iter();
    let (best, _) = ranked.next()?;
    let starts = search(best.model, Reach::Straight);
    let least = RIVAL_SHARE * Some(score(&starts)).filter(|score| *score >= SURE_START)?;
    let rivals = ranked.filter(|(_, seen)| score(seen) >= least);
    let rivals = rivals.map(|(family, _)| (family, search(family.model, Reach::Straight)));
    Some([(best, starts)].into_iter().chain(rivals).collect())
}

/// Where the families may lie, wherever that is.
fn anywhere(families: &Families, search: impl Fn(&LineModel, Reach) -> Vec<Start>) -> Sought<'_> {
    let likeliest: Vec<Family<'_>> = if families.each().count() > MOST_SEARCHED {
        at_a_glance(families, &search, Reach::Glance).into_iter().map(|(family, _)| family).collect()
    } else {
        families.each().collect()
    };
    likeliest.into_iter().map(|family| (family, search(family.model, Reach::Anywhere))).collect()
}

/// Which of `kin` the page is.
fn member(evidence: &PageEvidence, families: &Families, kin: &Kin) -> Found {
    let is_second = |first: usize, second: usize, map: &Projection| {
        let [first, second] = [first, second].map(|idx| families.laid(idx, map));
        first.zip(second).map(|(first, second)| which(evidence, first, second))
    };
    let map = kin.placement.page_from_template;
    let idx = kin.idxs[1..].iter().fold(kin.idxs[0], |best, &other| match is_second(best, other, &map) {
        Some(Which::Second) => other,
        _ => best,
    });
    let own = families.laid(idx, &map).filter(|_| idx != kin.laid_idx);
    let own = own.and_then(|own| fit::refine(evidence, own.model, vec![map]));
    let placement = own.unwrap_or_else(|| kin.placement.clone());
    let is_twin =
        |&&other: &&usize| other != idx && is_second(idx, other, &placement.page_from_template) != Some(Which::First);
    let twin = kin.idxs.iter().find(is_twin).copied();
    Found { idx, placement, twin }
}

/// The best of templates of several families, and the families of all that lie about as well. Where one does, the page
/// says which it is.
fn told_apart(evidence: &PageEvidence, families: &Families, mut near: Vec<Kin>) -> Option<(Found, Vec<Kin>)> {
    let mut found: Vec<Found> = near.iter().map(|kin| member(evidence, families, kin)).collect();
    let scores: Vec<f64> = found.iter().map(|found| found.placement.score()).collect();
    // of equals the last one, as ever
    let best_idx = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]))?;
    let least = scores[best_idx] - NEAR_SCORE;
    let mut is_near = scores.iter().map(|&score| score >= least);
    near.retain(|_| is_near.next().unwrap_or(false));

    let mut best = found.swap_remove(best_idx);
    for other in found.into_iter().filter(|other| other.placement.score() >= least) {
        let first = families.laid(best.idx, &best.placement.page_from_template);
        let second = families.laid(other.idx, &other.placement.page_from_template);
        match first.zip(second).map(|(first, second)| which(evidence, first, second)) {
            Some(Which::Second) => best = other,
            Some(Which::Neither) => best.twin = Some(other.idx),
            Some(Which::First) | None => {}
        }
    }
    Some((best, near))
}

/// What the imprints leave of the families near: `None` where they say nothing; an error tells a person of another form.
type Named = Result<Option<Vec<Kin>>, String>;

/// Of `near` what the page's imprints leave: the templates that they name, or else those to which they say nothing.
///
/// # Errors
/// Where `read_number` fails.
fn named_by_imprints(
    page: &Page,
    templates: &[FormTemplate],
    mut near: Vec<Kin>,
    read_number: &ReadNumber<'_>,
) -> Result<Named, Error> {
    let mut words: Vec<Word> = Vec::new();
    for Kin { idxs, placement, .. } in &near {
        words.extend(imprints::words(page, templates, idxs, &placement.page_from_template, read_number)?);
    }
    if words.iter().all(|word| *word == Word::Silent) {
        return Ok(Ok(None));
    }
    let idxs: Vec<usize> = near.iter().flat_map(|kin| kin.idxs.iter().copied()).collect();
    let kept = if words.contains(&Word::Named) { Word::Named } else { Word::Silent };
    let mut is_kept = words.iter().map(|word| *word == kept);
    near.iter_mut().for_each(|kin| kin.idxs.retain(|_| is_kept.next().unwrap_or(false)));
    near.retain(|kin| !kin.idxs.is_empty());
    Ok(if near.is_empty() { Err(imprints::told(templates, &idxs, &words)) } else { Ok(Some(near)) })
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
