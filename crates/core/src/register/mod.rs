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
pub struct RegistrationFailure {
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
) -> Result<(usize, Registration), RegistrationFailure> {
    identify_among(page, templates, &Families::new(templates), params, &read_no_number)
}

/// Finds the template that fits `page` best and lays it on; of those that fit alike, one that the page's barcodes and
/// numbers name. Returns its index and the registration. `families` are those of `templates`; `read_number` is asked where
/// templates that may be the page declare a number.
///
/// A template that takes the whole image fits every page, so it is only taken where it is the only one.
///
/// # Errors
/// [`RegistrationFailure`]: a verdict on the page, not a fault.
pub fn identify_among(
    page: &Page,
    templates: &[FormTemplate],
    families: &Families,
    params: &RegisterParams,
    read_number: &ReadNumber<'_>,
) -> Result<(usize, Registration), RegistrationFailure> {
    if let [FormTemplate { layout: PageLayout::WholeImage, .. }] = templates {
        return Ok((0, whole_image(page, &templates[0])));
    }
    let failure = |template_idx, reason, detail| RegistrationFailure { template_idx, reason, detail };
    let evidence = PageEvidence::measure(page);
    if evidence.ink_share() < params.min_ink_share {
        let detail = format!("share of ink: {:.5}", evidence.ink_share());
        return Err(failure(None, PageReject::BlankPage, detail));
    }
    let Some((found, near)) = best_placement(&evidence, families, params) else {
        return Err(failure(None, PageReject::UnknownForm, "no template's lines are on the page".to_owned()));
    };
    if found.placement.score() < params.min_score {
        let Placement { support, printed, explained, .. } = found.placement;
        let detail = format!(
            "nearest template: {}, lines found: {support:.2}, words and marks: {printed:.2}, lines explained: {explained:.2}",
            templates[found.idx].name
        );
        return Err(failure(None, PageReject::UnknownForm, detail));
    }
    let named = match named_by_imprints(page, templates, near, read_number) {
        Ok(named) => named.map_err(|detail| failure(None, PageReject::UnknownForm, detail))?,
        Err(error) => return Err(failure(None, PageReject::InternalError, error.to_string())),
    };
    let found = named.and_then(|near| told_apart(&evidence, families, near)).map_or(found, |(found, _)| found);
    let Found { idx, placement, twin } = found;
    if let Some(twin) = twin {
        let detail = format!("fits two templates alike: {} and {}", templates[idx].name, templates[twin].name);
        return Err(failure(None, PageReject::UnknownForm, detail));
    }
    let registration = settle::settle(page, &templates[idx], &placement);
    let px_per_mm = placement.page_from_template.scale_at(templates[idx].centre());
    if registration.residual_px > params.max_residual_mm * px_per_mm {
        let detail = format!("residual: {:.2} px at {px_per_mm:.2} px/mm", registration.residual_px);
        return Err(failure(Some(idx), PageReject::PoorRegistration, detail));
    }
    let (n_framed, n_settled) = frames(&templates[idx], &registration);
    if (n_settled as f64) < params.min_fields_settled * n_framed as f64 {
        let detail = format!("frames found: {n_settled} of {n_framed}");
        return Err(failure(Some(idx), PageReject::PoorRegistration, detail));
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

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::*;
    use crate::form::parse_template;
    use formread_raster::geometry::Segment;

    /// Pixels a millimetre of the pages that are drawn here.
    pub(super) const PX_PER_MM: f64 = 6.0;
    /// Width and height of these pages, pixels.
    pub(super) const PAGE_PX: [u32; 2] = [600, 840];
    /// Half the thickness of a line that is drawn, pixels.
    const HALF_LINE_PX: f64 = 1.2;

    /// A form of 100 x 140 mm, with two fields and those in `more`.
    pub(super) fn form(name: &str, more: &str) -> FormTemplate {
        let text = "title = \"t\"\npage = [100, 140]\n\
            lines = [[8, 20, 92, 20], [8, 24, 92, 24], [30, 6, 30, 17], [8, 128, 70, 128]]\n\
            frames = [[8, 92, 40, 25], [60, 6, 32, 10]]\n\
            [[field]]\nname = \"a\"\nkind = \"integer\"\nbox = [30, 34, 50, 9]\n\
            [[field]]\nname = \"b\"\nkind = \"integer\"\ncomb = { at = [20, 56], cell = [6, 8], groups = [3, 4], gap = 3 }\n";
        parse_template(&format!("name = \"{name}\"\n{text}{more}")).expect("it is well formed")
    }

    /// Another form of that size, with no line where [`form`] has one.
    pub(super) fn other_form() -> FormTemplate {
        let text = "name = \"other\"\ntitle = \"t\"\npage = [100, 140]\n\
            lines = [[12, 66, 12, 134], [16, 70, 16, 134], [20, 83, 96, 83], [40, 104, 96, 104], [40, 108, 96, 108]]\n\
            [[field]]\nname = \"a\"\nkind = \"integer\"\ncomb = { at = [45, 112], cell = [9, 11], groups = [5] }\n";
        parse_template(text).expect("it is well formed")
    }

    /// A form of this template as large as the page, upright.
    pub(super) const UPRIGHT: Projection = Projection::scaling(PX_PER_MM, PX_PER_MM);

    /// The same, turned about the middle of the page and then shifted.
    pub(super) fn turned(degrees: f64, shift_px: [f64; 2]) -> Projection {
        let middle = Point::new(f64::from(PAGE_PX[0]) / 2.0, f64::from(PAGE_PX[1]) / 2.0);
        let turn = Projection::rotation(degrees.to_radians()).about(middle);
        Projection::translation(shift_px[0], shift_px[1]).compose(&turn).compose(&UPRIGHT)
    }

    /// A page with nothing on it but these lines (millimetres), laid on it by `map`.
    pub(super) fn drawn(lines: &[Segment], map: &Projection) -> Page {
        let lines: Vec<Segment> = lines.iter().map(|line| map.apply_segment(*line)).collect();
        let pixels = GrayImage::from_fn(PAGE_PX[0], PAGE_PX[1], |x, y| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            let distance = |line: &Segment| {
                let along = line.direction();
                let t = (p - line.a).dot(along).clamp(0.0, line.length());
                (p - line.a - along * t).norm()
            };
            let nearest = lines.iter().map(distance).fold(f64::INFINITY, f64::min);
            let ink = (HALF_LINE_PX + 0.5 - nearest).clamp(0.0, 1.0);
            Luma([(240.0 - 200.0 * ink) as u8])
        });
        Page::upright(pixels, None)
    }

    /// The largest distance of a corner of the form from where `map` should lay it, millimetres.
    pub(super) fn off_mm(form: &FormTemplate, found: &Projection, map: &Projection) -> f64 {
        let bounds = form.printed_lines().into_iter().flat_map(|line| [line.a, line.b]);
        let corners = Rect::around(bounds).expect("it has lines").corners();
        let off = corners.map(|corner| (found.apply(corner) - map.apply(corner)).norm() / PX_PER_MM);
        off.into_iter().fold(0.0, f64::max)
    }

    fn identified(page: &Page, forms: &[FormTemplate]) -> Result<(usize, Registration), RegistrationFailure> {
        identify(page, forms, &RegisterParams::default())
    }

    #[test]
    fn identify_form_turned_and_shifted_lies_where_it_was_drawn() {
        let form = form("x", "");
        for (degrees, shift_px) in [(0.0, [0.0, 0.0]), (4.0, [11.0, -8.0]), (90.0, [0.0, 0.0]), (178.0, [-9.0, 5.0])] {
            let map = turned(degrees, shift_px);
            let page = drawn(&form.printed_lines(), &map);
            let (idx, registration) =
                identified(&page, &[other_form(), form.clone()]).unwrap_or_else(|failure| panic!("{failure:?}"));
            assert_eq!(idx, 1, "{degrees} degrees");
            let off = off_mm(&form, &registration.page_from_template, &map);
            assert!(off < 0.15, "{degrees} degrees: {off:.2} mm off");
            assert!(registration.residual_px < 0.5, "{degrees} degrees: {}", registration.residual_px);
            assert!(registration.fields.iter().all(|field| field.on_page && field.residual_px.is_some()));
        }
    }

    #[test]
    fn identify_form_in_perspective_lies_where_it_was_drawn() {
        let form = form("x", "");
        let corners = Rect::from_edges(0.0, 0.0, 100.0, 140.0).corners();
        let seen = [[62.0, 38.0], [548.0, 70.0], [585.0, 800.0], [25.0, 770.0]].map(|[x, y]| Point::new(x, y));
        let map = Projection::from_quads(corners, seen).expect("no three corners are in line");
        let page = drawn(&form.printed_lines(), &map);
        let (_, registration) =
            identified(&page, std::slice::from_ref(&form)).unwrap_or_else(|failure| panic!("{failure:?}"));
        let off = off_mm(&form, &registration.page_from_template, &map);
        assert!(off < 0.3 && !registration.page_from_template.is_affine(), "{off:.2} mm off");
    }

    #[test]
    fn identify_page_without_ink_is_rejected_as_blank() {
        let failure = identified(&drawn(&[], &UPRIGHT), &[form("x", "")]).expect_err("nothing is on it");
        assert_eq!((failure.reason, failure.template_idx), (PageReject::BlankPage, None));
    }

    #[test]
    fn identify_page_of_another_form_is_rejected_as_unknown() {
        let page = drawn(&other_form().printed_lines(), &UPRIGHT);
        let failure = identified(&page, &[form("x", "")]).expect_err("it is another form");
        assert_eq!((failure.reason, failure.template_idx), (PageReject::UnknownForm, None));
    }

    #[test]
    fn identify_two_templates_with_the_same_lines_is_rejected_as_unknown() {
        let forms = [form("x", ""), form("y", "")];
        let page = drawn(&forms[0].printed_lines(), &UPRIGHT);
        let failure = identified(&page, &forms).expect_err("it may be either");
        assert_eq!(failure.reason, PageReject::UnknownForm);
        assert!(failure.detail.contains('x') && failure.detail.contains('y'), "{}", failure.detail);
    }

    #[test]
    fn identify_templates_that_differ_in_one_field_takes_the_one_drawn() {
        let more = "[[field]]\nname = \"c\"\nkind = \"integer\"\nbox = [30, 72, 50, 9]\n";
        let forms = [form("x", ""), form("y", more)];
        for (idx, drawn_form) in forms.iter().enumerate() {
            let page = drawn(&drawn_form.printed_lines(), &turned(1.0, [4.0, 3.0]));
            let (found, _) = identified(&page, &forms).unwrap_or_else(|failure| panic!("{failure:?}"));
            assert_eq!(found, idx);
        }
    }

    #[test]
    fn identify_template_of_the_whole_image_takes_any_page() {
        let text = "name = \"s\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"a\"\nkind = \"integer\"\n";
        let strip = parse_template(text).expect("it is well formed");
        let (idx, registration) = identified(&drawn(&[], &UPRIGHT), &[strip]).expect("it fits every page");
        assert_eq!((idx, registration.fields.len()), (0, 1));
        assert!(registration.fields[0].on_page);
    }

    #[test]
    fn frames_of_small_boxes_count_only_where_there_are_no_others() {
        let small = "[[field]]\nname = \"c\"\nkind = \"mark\"\nbox = [30, 72, 3, 3]\n";
        let fit = |residual_px| FieldRegistration { page_from_template: UPRIGHT, residual_px, on_page: true };
        let registration =
            |fields| Registration { page_from_template: UPRIGHT, residual_px: 0.1, support: 1.0, fields };
        let mixed = form("x", small);
        let found = registration(vec![fit(Some(0.1)), fit(None), fit(Some(0.1))]);
        assert_eq!(frames(&mixed, &found), (2, 1), "the small box is not counted");
        let mut small_only = mixed.clone();
        small_only.fields.drain(..2);
        assert_eq!(frames(&small_only, &registration(vec![fit(Some(0.1))])), (1, 1));
        let gone = FieldRegistration { on_page: false, ..fit(None) };
        assert_eq!(
            frames(&mixed, &registration(vec![gone.clone(), gone, fit(None)])),
            (2, 2),
            "off the page is not lost"
        );
    }
}
