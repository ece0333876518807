//! Several forms on one picture: what lies beside the form that was found.

use super::{
    candidates::{TemplateMatch, best_placement},
    evidence::PageEvidence,
    families::Families,
    params::RegisterParams,
    search::LineModel,
    turn::upright_turn,
};
use formread_page::Page;
use formread_raster::geometry::{Point, Projection, Rect};

/// Another form on the page beside the one that `best` is. It is searched for only where there are lines enough beside that
/// one, so it takes no time on an ordinary page. `evidence` is that of `page`.
pub(super) fn find_other_form(
    page: &Page,
    evidence: &PageEvidence,
    families: &Families,
    best: &TemplateMatch,
    params: &RegisterParams,
) -> Option<TemplateMatch> {
    let several = &params.several;
    let map = best.placement.clone().on_page(evidence).page_from_template;
    let template_from_page = map.inverse()?;
    let footprint = printed_bounds(families.model(best.idx)?)?.inflate(several.margin_mm);
    let is_taken = |on_page: Point| footprint.contains(template_from_page.apply(on_page));
    let rest_of = |evidence: &PageEvidence| {
        let is_taken = |p: Point| is_taken(evidence.page_from_turned().map_or(p, |map| map.apply(p)));
        evidence.without(is_taken, &params.evidence)
    };

    let whole = &evidence.lines.whole;
    let from = evidence.page_from_turned().copied().unwrap_or(Projection::IDENTITY);
    let beside = whole.horizontal.iter().chain(&whole.vertical).filter(|line| !is_taken(from.apply(line.middle())));
    let beside_mm = beside.map(|line| line.length()).sum::<f64>() / map.scale_at(footprint.centre());
    let smallest_mm = families.each().map(|family| length_mm(family.model)).fold(f64::INFINITY, f64::min);
    if beside_mm < several.min_lines_beside * smallest_mm {
        return None;
    }
    let form_in = |rest: &PageEvidence| {
        let (other, _) = best_placement(rest, families, params)?;
        let model = families.model(other.idx)?;
        let is_form = other.placement.score(&params.fit) >= params.min_score
            && visible_share(rest, model, &other.placement.page_from_template) >= several.min_visible;
        is_form.then_some(other)
    };
    let rest = rest_of(evidence);
    form_in(&rest).or_else(|| {
        let turn = upright_turn(&rest.lines, &params.turn)?;
        let turn = turn + evidence.turn_radians();
        form_in(&rest_of(&PageEvidence::measure_turned(page, turn, &params.evidence)))
    })
}

/// All that a form's template has printed, millimetres.
fn printed_bounds(model: &LineModel) -> Option<Rect> {
    let ends = model.lines.iter().flat_map(|line| [line.a, line.b]);
    Rect::around(ends.chain(model.printed.iter().flat_map(|bounds| bounds.corners())))
}

/// The length of all its lines, millimetres.
fn length_mm(model: &LineModel) -> f64 {
    model.lines.iter().map(|line| line.length()).sum()
}

/// The share of a form's lines that lies on the page.
fn visible_share(evidence: &PageEvidence, model: &LineModel, map: &Projection) -> f64 {
    let n_visible = model.samples.iter().filter(|(p, _)| evidence.is_on_page(map.apply(*p))).count();
    n_visible as f64 / model.samples.len().max(1) as f64
}
