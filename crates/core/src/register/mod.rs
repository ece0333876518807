//! Registration: finds the template that a page is of, and lays it on the page by the form's own printed lines.
//!
//! No registration mark is needed. Words and marks confirm a placement where a template has any.
//!
//! 1. [`PageEvidence`] is measured once a page: pieces of straight lines, and where there is ink.
//! 2. `search` proposes placements. Each line of the template on each line of the page gives a similarity; the few that put
//!    most lines on lines are kept. Templates that differ little are searched for together ([`Families`]), and of many
//!    families only those with the best coarse scores.
//! 3. `fit` refines the placements to an affine or projective map by iterated closest lines.
//! 4. `perspective` makes a page level by its vanishing points where no flat fit is good enough. Then it is a flat page.
//!    A page that lies askew is measured again, turned upright (`turn`).
//! 5. [`find_candidates`] gives the templates that fit about equally well. [`resolve`] picks one: by the page's barcodes and
//!    printed numbers (`imprints`) where templates declare any, then by what only one of two templates has
//!    (`discriminate`). Where nothing decides, the form is unknown.
//!    Before that, a page that is a mirror image, or that has another form beside the one found (`several`), is rejected.
//!    Of a form of evenly spaced rows, the placement one row further is compared as well (`pitch`, `neighbour`).
//! 6. `settle` lets each field find its own printed frame, because paper bends.
//!
//! Registration has no nets. [`Candidates::numbers_to_read`] lists the printed numbers that a caller with nets reads
//! between the two calls.

mod anchors;
mod bands;
mod candidates;
mod discriminate;
mod evidence;
mod families;
mod fit;
mod frames;
mod hold;
mod imprints;
mod neighbour;
mod params;
mod perspective;
mod pitch;
mod print_params;
mod search;
mod settle;
mod several;
mod turn;
mod words;

use crate::form::{FormTemplate, PageLayout};
use formread_page::Page;
use formread_raster::{
    error::PageReject,
    geometry::{Point, Projection},
};

use candidates::{FamilyMatch, Located, TemplateMatch, find_mirrored, locate, pick_best};
use fit::Placement;
use imprints::{ImprintMatch, describe_conflict, keep_matching, match_barcodes, match_numbers, unread_numbers};
use several::find_other_form;

pub use evidence::PageEvidence;
pub use families::Families;
pub use imprints::{NumberReading, NumberToRead};
pub use params::{
    DiscriminateParams, Distortion, EvidenceParams, FamilyParams, FitParams, ImprintParams, LevelParams,
    RegisterParams, SearchParams, SettleParams, SeveralParams, TurnParams,
};
pub use print_params::{AnchorParams, PitchParams};

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
    /// Template millimetres to page pixels, exact near this field.
    pub page_from_template: Projection,
    /// RMS distance of the frame's lines from where the fit puts them, pixels; `None` where no printed frame was found
    /// and the page's fit is used.
    pub residual_px: Option<f64>,
    /// Whether the whole field lies on the page.
    pub on_page: bool,
    /// Whether nothing holds the field in some direction: neither lines of its own frame nor enough print on the page.
    pub is_loose: bool,
}

impl FieldRegistration {
    /// Where the template's point lies on the page.
    pub fn locate(&self, template_mm: Point) -> Point {
        self.page_from_template.apply(template_mm)
    }
}

/// A page that is of no known form, or cannot be read as the form it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct RegistrationFailure {
    /// Index of the template that was recognised, if one was.
    pub template_idx: Option<usize>,
    /// Why the page is not read.
    pub reason: PageReject,
    /// What was measured, for a person.
    pub detail: String,
    /// The placement that fits best, where there is one.
    pub nearest: Option<Box<Nearest>>,
}

/// A placement that does not fit well enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// Index of its template.
    pub template_idx: usize,
    /// Template millimetres to page pixels.
    pub page_from_template: Projection,
}

impl RegistrationFailure {
    /// A failure without a placement.
    pub fn new(template_idx: Option<usize>, reason: PageReject, detail: String) -> Self {
        Self { template_idx, reason, detail, nearest: None }
    }

    fn unknown_form(detail: String) -> Self {
        Self::new(None, PageReject::UnknownForm, detail)
    }

    /// With the placement of `template_idx` that comes nearest.
    fn near(self, template_idx: usize, page_from_template: Projection) -> Self {
        Self { nearest: Some(Box::new(Nearest { template_idx, page_from_template })), ..self }
    }
}

/// The templates that fit a page about equally well, their printed numbers unread.
pub struct Candidates<'a> {
    page: &'a Page,
    templates: &'a [FormTemplate],
    families: &'a Families,
    params: &'a RegisterParams,
    /// `None` where the only template takes the whole image.
    placed: Option<PlacedCandidates>,
    numbers_to_read: Vec<NumberToRead>,
}

/// The candidates where templates are printed forms.
struct PlacedCandidates {
    evidence: PageEvidence,
    /// The one that fits best.
    best: TemplateMatch,
    /// All that fit about as well, with the best one.
    near: Vec<FamilyMatch>,
    /// What the page's barcodes are to each member of each of these, in their order.
    barcodes: Vec<ImprintMatch>,
}

impl Candidates<'_> {
    /// The printed numbers that would help to decide; none where no candidate declares one.
    pub fn numbers_to_read(&self) -> &[NumberToRead] {
        &self.numbers_to_read
    }
}

/// As [`identify_among`], for templates that are used once.
///
/// # Errors
/// As there.
pub fn identify(
    page: &Page,
    templates: &[FormTemplate],
    params: &RegisterParams,
) -> Result<(usize, Registration), RegistrationFailure> {
    identify_among(page, templates, &Families::new(templates, params), params)
}

/// Finds the template that fits `page` best and lays it on, without reading printed numbers. Returns its index and the
/// registration. `families` are those of `templates`.
///
/// # Errors
/// As [`find_candidates`] and [`resolve`].
pub fn identify_among(
    page: &Page,
    templates: &[FormTemplate],
    families: &Families,
    params: &RegisterParams,
) -> Result<(usize, Registration), RegistrationFailure> {
    resolve(find_candidates(page, templates, families, params)?, &[])
}

/// Finds the templates that may be the one `page` is of. `families` are those of `templates`.
///
/// A template that takes the whole image fits every page, so it is only taken where it is the only one.
///
/// # Errors
/// [`RegistrationFailure`], a verdict on the page and not a fault, where the page is blank or no template fits it, where it is
/// a mirror image, or where there are several forms on it.
pub fn find_candidates<'a>(
    page: &'a Page,
    templates: &'a [FormTemplate],
    families: &'a Families,
    params: &'a RegisterParams,
) -> Result<Candidates<'a>, RegistrationFailure> {
    if let [FormTemplate { layout: PageLayout::WholeImage, .. }] = templates {
        return Ok(Candidates { page, templates, families, params, placed: None, numbers_to_read: Vec::new() });
    }
    let evidence = PageEvidence::measure(page, &params.evidence);
    if evidence.ink_share() < params.min_ink_share {
        let detail = format!("share of ink: {:.5}", evidence.ink_share());
        return Err(RegistrationFailure::new(None, PageReject::BlankPage, detail));
    }
    let located = locate(page, evidence, families, params);
    let score = located.score(params);
    if score < params.sure_score
        && let Some(form) = find_mirrored(&located, families, score, params)
    {
        return Err(mirrored(templates, &form, params));
    }
    let Located { evidence, found } = located;
    let Some((best, near)) = found else { return Err(unknown_form(templates, None)) };
    if score < params.min_score {
        return Err(unknown_form(templates, Some((&evidence, &best))));
    }
    if let Some(other) = find_other_form(page, &evidence, families, &best, params) {
        return Err(several_forms(templates, [&best, &other], params));
    }
    let near_on_page: Vec<FamilyMatch> = near.iter().map(|family| family.on_page(&evidence)).collect();
    let barcodes: Vec<ImprintMatch> =
        near_on_page.iter().flat_map(|family| match_barcodes(page, templates, family, &params.imprints)).collect();
    let numbers_to_read = unread_numbers(templates, &near_on_page, &barcodes);
    let placed = Some(PlacedCandidates { evidence, best, near, barcodes });
    Ok(Candidates { page, templates, families, params, placed, numbers_to_read })
}

/// Picks one of `candidates` and settles its fields. Returns the template's index and the registration. `numbers` are the
/// readings of [`Candidates::numbers_to_read`], in that order; `None`, or none at the end, where nothing was read.
///
/// # Errors
/// [`RegistrationFailure`], a verdict on the page and not a fault: the barcodes or numbers are another form's, nothing
/// decides between two templates, or the one that fits best fits too badly to be read.
pub fn resolve(
    candidates: Candidates<'_>,
    numbers: &[Option<NumberReading>],
) -> Result<(usize, Registration), RegistrationFailure> {
    let Candidates { page, templates, families, params, placed, numbers_to_read } = candidates;
    let Some(PlacedCandidates { evidence, best, near, barcodes }) = placed else {
        return Ok((0, whole_image(page, &templates[0])));
    };
    let numbers: Vec<(&NumberToRead, &NumberReading)> =
        numbers_to_read.iter().zip(numbers).filter_map(|(number, read)| Some((number, read.as_ref()?))).collect();
    let matches = match_numbers(templates, &near, barcodes, &numbers, &params.imprints);
    let best = if matches.iter().all(|of| *of == ImprintMatch::Unreadable) {
        best
    } else {
        let member_idxs: Vec<usize> = near.iter().flat_map(|family| family.member_idxs.iter().copied()).collect();
        let kept = keep_matching(near, &matches);
        if kept.is_empty() {
            return Err(RegistrationFailure::unknown_form(describe_conflict(templates, &member_idxs, &matches)));
        }
        pick_best(&evidence, families, kept, params).map_or(best, |(picked, _)| picked)
    };
    let TemplateMatch { idx, placement, ambiguous_with } = best;
    let placement = placement.on_page(&evidence);
    let page_from_template = placement.page_from_template;
    if let Some(other) = ambiguous_with {
        let detail = format!("fits two templates alike: {} and {}", templates[idx].name, templates[other].name);
        return Err(RegistrationFailure::unknown_form(detail).near(idx, page_from_template));
    }
    let poor = |detail| {
        RegistrationFailure::new(Some(idx), PageReject::PoorRegistration, detail).near(idx, page_from_template)
    };
    if let Some(Point { x, y }) = placement.rival_mm {
        let detail =
            format!("fits as well {x:.0} mm further right and {y:.0} mm further down: nothing printed once decides");
        return Err(poor(detail));
    }
    let registration = settle::settle(page, &templates[idx], &placement, &params.settle);
    let px_per_mm = page_from_template.scale_at(templates[idx].centre());
    if registration.residual_px > params.max_residual_mm * px_per_mm {
        return Err(poor(format!("residual: {:.2} px at {px_per_mm:.2} px/mm", registration.residual_px)));
    }
    if let Err([n_framed, n_found]) = frames::check(&templates[idx], &registration, params) {
        return Err(poor(format!("frames found: {n_found} of {n_framed}")));
    }
    Ok((idx, registration))
}

/// For each field of `template` whether nothing printed holds it sideways, and up and down, even where all print is found.
pub fn loose_fields(template: &FormTemplate, params: &RegisterParams) -> Vec<[bool; 2]> {
    let families = Families::new(std::slice::from_ref(template), params);
    let Some(hold) = families.model(0).and_then(|model| fit::ideal_hold(model, &params.fit)) else {
        return vec![[false; 2]; template.fields.len()];
    };
    template.fields.iter().map(|field| settle::loose_axes(field, true, &hold, &params.settle)).collect()
}

/// No template fits; `nearest` is the one that fits best, of those whose lines are on the page.
fn unknown_form(templates: &[FormTemplate], nearest: Option<(&PageEvidence, &TemplateMatch)>) -> RegistrationFailure {
    let Some((evidence, TemplateMatch { idx, placement, .. })) = nearest else {
        return RegistrationFailure::unknown_form("no template's lines are on the page".to_owned());
    };
    let Placement { support, printed, explained, .. } = placement;
    let name = &templates[*idx].name;
    let failure = RegistrationFailure::unknown_form(format!(
        "nearest template: {name}, lines found: {support:.2}, words and marks: {printed:.2}, lines explained: {explained:.2}"
    ));
    failure.near(*idx, placement.clone().on_page(evidence).page_from_template)
}

/// The page's mirror image is a form.
fn mirrored(templates: &[FormTemplate], form: &TemplateMatch, params: &RegisterParams) -> RegistrationFailure {
    let score = form.placement.score(&params.fit);
    let detail = format!("mirror image of: {}, score: {score:.2}", templates[form.idx].name);
    RegistrationFailure::new(Some(form.idx), PageReject::Mirrored, detail)
}

/// Two forms are on the page.
fn several_forms(
    templates: &[FormTemplate],
    [first, second]: [&TemplateMatch; 2],
    params: &RegisterParams,
) -> RegistrationFailure {
    let [first_score, second_score] = [first, second].map(|form| form.placement.score(&params.fit));
    let [first_name, second_name] = [first, second].map(|form| &templates[form.idx].name);
    let detail = format!("beside {first_name} (score: {first_score:.2}): {second_name} (score: {second_score:.2})");
    RegistrationFailure::new((first.idx == second.idx).then_some(first.idx), PageReject::SeveralForms, detail)
}

/// The map after which the page's lines are level and plumb, near its middle neither stretched nor turned by more than
/// an eighth of a circle; `None` where they have no two directions. Proportions are not corrected.
pub fn level_from_page(evidence: &PageEvidence, params: &LevelParams) -> Option<Projection> {
    perspective::level(&evidence.lines, evidence.page_bounds(), params)
}

/// The whole page as one field: the template's unit square is stretched over it.
fn whole_image(page: &Page, template: &FormTemplate) -> Registration {
    let (width, height) = page.pixels.dimensions();
    let bounds = template.bounds();
    let page_from_template = Projection::scaling(
        f64::from(width) / bounds.width().max(f64::MIN_POSITIVE),
        f64::from(height) / bounds.height().max(f64::MIN_POSITIVE),
    );
    let field = FieldRegistration { page_from_template, residual_px: None, on_page: true, is_loose: false };
    Registration { page_from_template, residual_px: 0.0, support: 1.0, fields: vec![field; template.fields.len()] }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::*;
    use crate::form::{Word, parse_template};
    use formread_raster::geometry::{Rect, Segment};

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

    /// A form with twelve words, and its page, laid by `map`, with the frames of its fields alone and the words `shift_mm` to the right
    /// of their places.
    fn pale(shift_mm: f64, map: &Projection) -> (FormTemplate, Page) {
        let words: Vec<Rect> = (0..12)
            .map(|i| Rect::from_xywh(8.0 + 24.0 * f64::from(i % 4), 67.0 + 8.0 * f64::from(i / 4), 9.0, 3.0))
            .collect();
        let mut form = form("x", "");
        let PageLayout::Printed(landmarks) = &mut form.layout else { panic!("it is printed") };
        landmarks.words.extend(words.iter().map(|&bounds| Word { bounds, text: String::new() }));
        let shift = Point::new(shift_mm, 0.0);
        let letters = letters(&form).map(|letter| Segment::new(letter.a + shift, letter.b + shift));
        let kept = form.fields.iter().flat_map(|field| field.layout.printed_lines());
        let page = drawn(&kept.chain(letters).collect::<Vec<_>>(), map);
        (form, page)
    }

    /// Strokes in the places of its words.
    fn letters(form: &FormTemplate) -> impl Iterator<Item = Segment> {
        let PageLayout::Printed(landmarks) = &form.layout else { panic!("it is printed") };
        let stroke = |r: Rect, i: u32| {
            let x = r.x0 + 0.5 + f64::from(i);
            Segment::new(Point::new(x, r.y0 + 0.3), Point::new(x, r.y1 - 0.3))
        };
        landmarks.words.iter().flat_map(move |word| (0..9).map(move |i| stroke(word.bounds, i)))
    }

    #[test]
    fn identify_page_without_ink_is_rejected_as_blank() {
        let failure = identified(&drawn(&[], &UPRIGHT), &[form("x", "")]).expect_err("nothing is on it");
        assert_eq!((failure.reason, failure.template_idx), (PageReject::BlankPage, None));
    }

    #[test]
    fn identify_form_whose_lines_are_lost_by_its_words() {
        for map in [UPRIGHT, turned(1.8, [2.0, 1.0])] {
            let (form, page) = pale(0.0, &map);
            let (_, registration) =
                identified(&page, std::slice::from_ref(&form)).unwrap_or_else(|failure| panic!("{failure:?}"));
            let off = off_mm(&form, &registration.page_from_template, &map);
            assert!(registration.support < 0.6 && off < 0.3, "support {}, {off:.2} mm off", registration.support);
        }
        let (form, page) = pale(12.0, &UPRIGHT);
        let failure = identified(&page, std::slice::from_ref(&form)).expect_err("its words are elsewhere");
        assert_eq!(failure.reason, PageReject::UnknownForm);
        assert_eq!(failure.nearest.map(|nearest| nearest.template_idx), Some(0));
    }

    /// A form of few lines finds them in several places.
    #[test]
    fn identify_form_with_all_its_lines_elsewhere_lies_where_its_words_are() {
        let (form, _) = pale(0.0, &UPRIGHT);
        let half = Projection::translation(2.0, 60.0).compose(&Projection::scaling(0.5, 0.5));
        let frames = form.fields.iter().flat_map(|field| field.layout.printed_lines());
        let elsewhere = form.printed_lines().into_iter().map(|line| half.apply_segment(line));
        let lines: Vec<Segment> = frames.chain(letters(&form)).chain(elsewhere).collect();
        let (_, registration) = identified(&drawn(&lines, &UPRIGHT), std::slice::from_ref(&form))
            .unwrap_or_else(|failure| panic!("{failure:?}"));
        let off = off_mm(&form, &registration.page_from_template, &UPRIGHT);
        assert!(off < 0.3, "{off:.2} mm off");
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
    fn resolve_templates_that_differ_in_a_number_takes_the_one_that_was_read() {
        let number = |text: &str| format!("[[number]]\nat = [62, 8, 10, 4]\nsays = \"{text}\"\n");
        let forms = [form("x", &number("1040")), form("y", &number("1041")), form("z", "")];
        let page = drawn(&forms[0].printed_lines(), &UPRIGHT);
        let params = RegisterParams::default();
        let families = Families::new(&forms, &params);
        let resolved = |digits: &str, confidence: f64| {
            let candidates = find_candidates(&page, &forms, &families, &params).expect("it fits three");
            let [to_read] = candidates.numbers_to_read() else { panic!("both declare it at the same place") };
            assert!((to_read.bounds.x0 - 62.0).abs() < 1e-9, "{to_read:?}");
            let read = NumberReading { digits: digits.to_owned(), confidence };
            resolve(candidates, &[Some(read)]).map(|(idx, _)| idx).map_err(|failure| failure.detail)
        };
        assert_eq!((resolved("1040", 0.95), resolved("1041", 0.75)), (Ok(0), Ok(1)));
        let ambiguous = resolved("1041", 0.6).expect_err("it is read too unsurely");
        assert!(ambiguous.starts_with("fits two templates alike: "), "{ambiguous}");
        assert_eq!(resolved("7777", 0.95), Ok(2), "another number leaves the form that declares none");
        let unread = identify(&page, &forms, &params).map(|(idx, _)| idx).map_err(|failure| failure.detail);
        assert_eq!(unread, Err(ambiguous));
    }

    #[test]
    fn identify_template_of_the_whole_image_takes_any_page() {
        let text = "name = \"s\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"a\"\nkind = \"integer\"\n";
        let strip = parse_template(text).expect("it is well formed");
        let (idx, registration) = identified(&drawn(&[], &UPRIGHT), &[strip]).expect("it fits every page");
        assert_eq!((idx, registration.fields.len()), (0, 1));
        assert!(registration.fields[0].on_page);
    }
}
