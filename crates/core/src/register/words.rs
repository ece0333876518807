//! Words in place of lines that are too pale to be found.

use super::{
    evidence::PageEvidence,
    fit::{Placement, find_anchors},
    params::FitParams,
    search::LineModel,
};
use formread_raster::geometry::Projection;

/// The placement with its [`words`](Placement::words) measured.
pub fn measure_words(
    evidence: &PageEvidence,
    model: &LineModel,
    placement: Placement,
    params: &FitParams,
) -> Placement {
    let share = |map: &Projection| {
        let on_page = model.anchors.iter().filter(|word| evidence.is_on_page(map.apply(word.centre()))).count();
        let found = find_anchors(evidence, &model.anchors, map, params.found_mm, params).len() / 2;
        (on_page >= params.anchor.min_deciding).then(|| found as f64 / on_page as f64)
    };
    let map = &placement.page_from_template;
    let words = share(map).map(|found| {
        let shifted = params.chance_shifts_mm.iter().map(|(dx, dy)| map.compose(&Projection::translation(*dx, *dy)));
        let by_chance: Vec<f64> = shifted.filter_map(|map| share(&map)).collect();
        let chance = by_chance.iter().sum::<f64>() / by_chance.len().max(1) as f64;
        ((found - chance) / (1.0 - chance).max(f64::MIN_POSITIVE)).max(0.0)
    });
    Placement { words, ..placement }
}
