//! The templates that fit a page best: searched for by family, refined, and compared.

use super::{
    discriminate::{PlacedDistinct, Preference, discriminate},
    evidence::{PageEvidence, PageLines},
    families::{Families, Family},
    fit::{self, Placement},
    neighbour::best_of_neighbours,
    params::RegisterParams,
    perspective,
    search::{DistanceMaps, LineModel, Scope, Start, search},
    turn::{tilt, upright_turn},
    words::measure_words,
};
use formread_page::Page;
use formread_raster::geometry::{Projection, Rect};

/// A template that fits the page.
pub(super) struct TemplateMatch {
    pub idx: usize,
    pub placement: Placement,
    /// Another template, from which the page does not discriminate it.
    pub ambiguous_with: Option<usize>,
}

/// A family that fits the page: any of its templates may be the one.
#[derive(Clone)]
pub(super) struct FamilyMatch {
    /// Indices of these templates.
    pub member_idxs: Vec<usize>,
    /// How one of the family lies on the page.
    pub placement: Placement,
    /// Which one of the family that is.
    pub placed_idx: usize,
}

impl FamilyMatch {
    /// The same on the page as it is, where `evidence` was measured on the page turned.
    pub fn on_page(&self, evidence: &PageEvidence) -> Self {
        Self { placement: self.placement.clone().on_page(evidence), ..self.clone() }
    }
}

/// A page and how it was measured, with what fits it: as [`best_placement`] returns it.
pub(super) struct Located {
    /// As the page is, or turned.
    pub evidence: PageEvidence,
    /// `None` where no template's lines are on the page.
    pub found: Option<(TemplateMatch, Vec<FamilyMatch>)>,
}

impl Located {
    /// The score of the template that fits best, 0 to 1.
    pub fn score(&self, params: &RegisterParams) -> f64 {
        self.found.as_ref().map_or(0.0, |(best, _)| best.placement.score(&params.fit))
    }
}

/// The best placement on the page as it is. Where that is not sure, it may be one on the page with its pale ink, or, where the
/// page's lines are far from level and plumb, on the page turned upright. `evidence` is that of `page`.
pub(super) fn locate(page: &Page, evidence: PageEvidence, families: &Families, params: &RegisterParams) -> Located {
    let found = best_placement(&evidence, families, params);
    let mut best = Located { evidence, found };
    let better = |evidence: PageEvidence, best: Located, min_gain: f64| {
        let found = best_placement(&evidence, families, params);
        let other = Located { evidence, found };
        if other.score(params) > best.score(params) + min_gain { other } else { best }
    };
    if best.score(params) < params.sure_score {
        best = better(PageEvidence::measure(page, &params.evidence.pale()), best, params.near_score_margin);
    }
    if best.score(params) < params.turn.max_score
        && let Some(turn) = upright_turn(&best.evidence.lines, &params.turn)
    {
        best = better(PageEvidence::measure_turned(page, turn, &params.evidence), best, 0.0);
    }
    best
}

/// The template that the mirror image of a page is of, where that fits clearly better than the page itself, which scores
/// `score`. Of the families, the one that fits the mirror image best at first sight; of a page that is a form, its own.
pub(super) fn find_mirrored(
    Located { evidence, found }: &Located,
    families: &Families,
    score: f64,
    params: &RegisterParams,
) -> Option<TemplateMatch> {
    let mirrored = evidence.mirrored(&params.evidence);
    let (lines, bounds) = (&mirrored.lines, mirrored.page_bounds());
    let maps = DistanceMaps::new(lines, bounds, &params.search);
    let coarse =
        |family: Family<'_>| search(&maps, lines, bounds, family.model, &[1.0], Scope::CoarseAllPoses, &params.search);
    let own = found.as_ref().filter(|_| score >= params.min_score).map(|(best, _)| best.idx);
    let may_be = families.each().filter(|family| own.is_none_or(|own| family.members.contains(&own)));
    let ranked = may_be.map(|family| (family, coarse(family)));
    let (Family { members, model }, starts) =
        ranked.max_by(|(_, a), (_, b)| best_score(a).total_cmp(&best_score(b)))?;
    let starts = starts.iter().map(|start| start.map).collect();
    let placement = fit::refine(&mirrored, model, starts, &params.fit)?;
    let min_score = params.min_score.max(score + params.min_mirror_margin);
    let is_form = placement.score(&params.fit) >= min_score;
    is_form.then(|| TemplateMatch { idx: members[0], placement, ambiguous_with: None })
}

/// The template that fits the page best, and all families that fit about as well. Pages in perspective are tried only
/// where no flat fit is sure.
pub(super) fn best_placement(
    evidence: &PageEvidence,
    families: &Families,
    params: &RegisterParams,
) -> Option<(TemplateMatch, Vec<FamilyMatch>)> {
    let best_of = |lines: &PageLines, bounds: Rect, stretches: &[f64], page_from_lines: &Projection| {
        let maps = DistanceMaps::new(lines, bounds, &params.search);
        let search =
            |model: &LineModel, scope: Scope| search(&maps, lines, bounds, model, stretches, scope, &params.search);
        let found = search_upright(families, search, params)
            .unwrap_or_else(|| search_all_poses(families, search, params.max_searched_families));
        let best = found.iter().map(|(_, starts)| best_score(starts)).fold(0.0, f64::max);
        let rivals = found.into_iter().filter(|(_, starts)| best_score(starts) >= params.min_rival_share * best);
        let refined = rivals.filter_map(|(Family { members, model }, starts)| {
            let refine = |starts: Vec<Projection>| {
                let starts = starts.iter().map(|start| page_from_lines.compose(start)).collect();
                fit::refine(evidence, model, starts, &params.fit)
            };
            let score = |placement: &Placement| placement.score(&params.fit);
            let by_lines = refine(starts.iter().map(|start| start.map).collect());
            let is_form =
                |by_lines: &Placement| score(by_lines) >= params.min_score && by_lines.printed >= params.min_printed;
            let placement = match by_lines {
                Some(placement) if is_form(&placement) => placement,
                // where few lines are found, or few are printed, its words may lead to it
                _ => {
                    let tilts = [Some(0.0), tilt(lines, &params.turn)].into_iter().flatten();
                    let sheets = tilts.filter_map(|tilt| model.filling(bounds, tilt, &params.search)).collect();
                    let measured = |placement| measure_words(evidence, model, placement, &params.fit);
                    let both = by_lines.into_iter().chain(refine(sheets)).map(measured);
                    both.max_by(|a, b| score(a).total_cmp(&score(b)))?
                }
            };
            let placement = best_of_neighbours(evidence, model, placement, params);
            Some(FamilyMatch { member_idxs: members.to_vec(), placement, placed_idx: members[0] })
        });
        pick_best(evidence, families, refined.collect(), params)
    };
    let flat = best_of(&evidence.lines, evidence.page_bounds(), &[1.0], &Projection::IDENTITY);
    if flat.as_ref().is_some_and(|(found, _)| found.placement.score(&params.fit) >= params.sure_score) {
        return flat;
    }
    let level =
        perspective::level(&evidence.lines, evidence.page_bounds(), &params.level).and_then(|level_from_page| {
            let page_from_level = level_from_page.inverse()?;
            let (lines, bounds) = evidence.warped(&level_from_page, &params.evidence)?;
            best_of(&lines, bounds, &params.search.foreshortenings, &page_from_level)
        });
    let score = |found: &TemplateMatch| found.placement.score(&params.fit);
    flat.into_iter().chain(level).max_by(|(a, _), (b, _)| score(a).total_cmp(&score(b)))
}

/// The best of the members of several families, and the families whose best member fits about as well. Where more than one
/// does, what is printed on the page decides.
pub(super) fn pick_best(
    evidence: &PageEvidence,
    families: &Families,
    mut near: Vec<FamilyMatch>,
    params: &RegisterParams,
) -> Option<(TemplateMatch, Vec<FamilyMatch>)> {
    let mut found: Vec<TemplateMatch> =
        near.iter().map(|family| best_member(evidence, families, family, params)).collect();
    let scores: Vec<f64> = found.iter().map(|found| found.placement.score(&params.fit)).collect();
    // ties: last wins (`max_by`)
    let best_idx = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]))?;
    let min_score = scores[best_idx] - params.near_score_margin;
    let mut is_near = scores.iter().map(|&score| score >= min_score);
    near.retain(|_| is_near.next().unwrap_or(false));

    let mut best = found.swap_remove(best_idx);
    for other in found.into_iter().filter(|other| other.placement.score(&params.fit) >= min_score) {
        let distinct = |own: &TemplateMatch, other: &TemplateMatch| {
            let [own_map, other_map] = [own, other].map(|found| &found.placement.page_from_template);
            let other_from_own = other_map.inverse().map(|other_from_page| other_from_page.compose(own_map));
            other_from_own.map(|map| families.distinct(own.idx, other.idx, &map)).unwrap_or_default()
        };
        let (own, others) = (distinct(&best, &other), distinct(&other, &best));
        let first = PlacedDistinct { distinct: &own, map: &best.placement.page_from_template };
        let second = PlacedDistinct { distinct: &others, map: &other.placement.page_from_template };
        match discriminate(evidence, first, second, &params.discriminate) {
            Preference::Second => best = other,
            Preference::Neither => best.ambiguous_with = Some(other.idx),
            Preference::First => {}
        }
    }
    Some((best, near))
}

/// The member of `family` that the page is of.
fn best_member(
    evidence: &PageEvidence,
    families: &Families,
    family: &FamilyMatch,
    params: &RegisterParams,
) -> TemplateMatch {
    let preference = |first: usize, second: usize, map: &Projection| {
        let (own, others) = (families.distinct_member(first, second), families.distinct_member(second, first));
        let [first, second] = [&own, &others].map(|distinct| PlacedDistinct { distinct, map });
        discriminate(evidence, first, second, &params.discriminate)
    };
    let FamilyMatch { member_idxs, placement, placed_idx } = family;
    let map = placement.page_from_template;
    let idx = member_idxs[1..].iter().fold(member_idxs[0], |best, &other| match preference(best, other, &map) {
        Preference::Second => other,
        Preference::First | Preference::Neither => best,
    });
    let own = families.model(idx).filter(|_| idx != *placed_idx);
    let own = own.and_then(|own| fit::refine(evidence, own, vec![map], &params.fit));
    let placement = own.unwrap_or_else(|| placement.clone());
    let is_ambiguous =
        |&&other: &&usize| other != idx && preference(idx, other, &placement.page_from_template) != Preference::First;
    let ambiguous_with = member_idxs.iter().find(is_ambiguous).copied();
    TemplateMatch { idx, placement, ambiguous_with }
}

/// Score of the best of some placements; 0 of none.
fn best_score(starts: &[Start]) -> f64 {
    starts.first().map_or(0.0, |start| start.score)
}

/// Families, and where each may lie, best first.
type Ranked<'a> = Vec<(Family<'a>, Vec<Start>)>;

/// The `max_families` families with the best scores in the coarse search `scope`, best first.
fn rank_coarse(
    families: &Families,
    search: impl Fn(&LineModel, Scope) -> Vec<Start>,
    scope: Scope,
    max_families: usize,
) -> Ranked<'_> {
    let mut ranked: Ranked<'_> = families.each().map(|family| (family, search(family.model, scope))).collect();
    ranked.sort_by(|(_, a), (_, b)| best_score(b).total_cmp(&best_score(a)));
    ranked.truncate(max_families);
    ranked
}

/// Where the families lie on a page that one of them surely fills, upright as a scanner sees it; `None` where none surely
/// does. Of the others only those that may be rivals of it.
fn search_upright<'a>(
    families: &'a Families,
    search: impl Fn(&LineModel, Scope) -> Vec<Start>,
    params: &RegisterParams,
) -> Option<Ranked<'a>> {
    let ranked = rank_coarse(families, &search, Scope::CoarseUpright, params.max_searched_families);
    let mut ranked = ranked.into_iter();
    let (best, _) = ranked.next()?;
    let starts = search(best.model, Scope::Upright);
    let score = Some(best_score(&starts)).filter(|score| *score >= params.sure_upright_score)?;
    let min_score = params.min_rival_share * score;
    let rivals = ranked.filter(|(_, coarse)| best_score(coarse) >= min_score);
    let rivals = rivals.map(|(family, _)| (family, search(family.model, Scope::Upright)));
    Some([(best, starts)].into_iter().chain(rivals).collect())
}

/// Where the families may lie, in any pose. Of more than `max_families`, those with the best coarse scores.
fn search_all_poses(
    families: &Families,
    search: impl Fn(&LineModel, Scope) -> Vec<Start>,
    max_families: usize,
) -> Ranked<'_> {
    let likely: Vec<Family<'_>> = if families.each().count() > max_families {
        let ranked = rank_coarse(families, &search, Scope::CoarseAllPoses, max_families);
        ranked.into_iter().map(|(family, _)| family).collect()
    } else {
        families.each().collect()
    };
    likely.into_iter().map(|family| (family, search(family.model, Scope::AllPoses))).collect()
}
