//! Compares a placement with its neighbours, one pitch of the form further.
//!
//! Where nothing that is printed once discriminates two placements, the page is not read: each value would be in the next field.

use super::{
    discriminate::is_on_line,
    evidence::PageEvidence,
    fit::{Placement, refine},
    params::RegisterParams,
    pitch::{Unrepeated, moved},
    search::LineModel,
};
use formread_raster::geometry::{Point, Projection, Rect};

/// Most pitches that a placement is moved by, one after the other.
const MAX_MOVES: usize = 4;

/// The placement, or the neighbour of it that the page's unrepeated print is for. Where that does not decide, the placement has
/// a rival.
pub fn best_of_neighbours(
    evidence: &PageEvidence,
    model: &LineModel,
    mut placement: Placement,
    params: &RegisterParams,
) -> Placement {
    for _ in 0..MAX_MOVES {
        let Some(neighbour) = strongest_neighbour(evidence, model, &placement.page_from_template, params) else {
            break;
        };
        let Neighbour { shift, own, n_own, n_rival } = neighbour;
        let n_all = (n_own + n_rival).max(1) as f64;
        let margin = (n_own as f64 - n_rival as f64) / n_all;
        // on a full page much of the neighbour's is found by chance
        let is_whole = n_own as f64 >= params.pitch.whole_share * own.len() as f64;
        let min_margin = if is_whole { params.pitch.min_margin_of_whole } else { params.pitch.min_margin };
        if margin >= min_margin && n_own >= n_rival + params.pitch.min_found {
            break;
        }
        placement.rival_mm = Some(shift);
        if margin > -params.pitch.min_margin {
            break;
        }
        let start = placement.page_from_template.compose(&Projection::translation(shift.x, shift.y));
        match refine(evidence, model, vec![start], &params.fit) {
            Some(better) => placement = better,
            None => break,
        }
    }
    placement
}

/// A placement one pitch further, and what is printed on the page that only one of the two explains.
struct Neighbour<'a> {
    /// Millimetres of the template.
    shift: Point,
    /// What only the placement explains.
    own: &'a Unrepeated,
    /// How much of it was found, and how much of what only the neighbour explains.
    n_own: usize,
    n_rival: usize,
}

/// The neighbour for which the page is most; `None` of a form that does not repeat itself.
fn strongest_neighbour<'a>(
    evidence: &PageEvidence,
    model: &'a LineModel,
    map: &Projection,
    params: &RegisterParams,
) -> Option<Neighbour<'a>> {
    let n_found = |print: &Unrepeated, shift: Point| {
        let has_line = |&&(p, direction): &&(Point, Point)| {
            evidence.is_on_page(map.apply(p + shift))
                && is_on_line(evidence, map, p + shift, direction, &params.discriminate)
        };
        let has_ink = |word: &&Rect| {
            let quad = map.apply_rect(moved(**word, shift).inflate(-0.05 * word.height()));
            let share = Rect::around(quad).and_then(|bounds| evidence.ink_share_within(bounds));
            share.is_some_and(|share| share > params.discriminate.min_printed_ink_share)
        };
        print.samples.iter().filter(has_line).count() + print.words.iter().filter(has_ink).count()
    };
    let still = Point::default();
    let neighbours = model.pitches().iter().flat_map(|pitch| {
        let (forward, back) = (pitch.shift, pitch.shift * -1.0);
        let (first, last) = (&pitch.first, &pitch.last);
        [
            Neighbour { shift: forward, own: first, n_own: n_found(first, still), n_rival: n_found(last, forward) },
            Neighbour { shift: back, own: last, n_own: n_found(last, still), n_rival: n_found(first, back) },
        ]
    });
    let lead = |neighbour: &Neighbour| neighbour.n_rival as f64 - neighbour.n_own as f64;
    neighbours.max_by(|a, b| lead(a).total_cmp(&lead(b)))
}

#[cfg(test)]
mod tests {
    use crate::{
        form::{FormTemplate, parse_template},
        register::{
            RegisterParams, identify,
            tests::{drawn, turned},
        },
    };
    use formread_raster::{
        error::PageReject,
        geometry::{Point, Segment},
    };

    /// Nine rows of cells, 10 mm apart, and perhaps a heading.
    fn form(heading: &str) -> FormTemplate {
        let row = |i: u32| {
            let place = format!("comb = {{ at = [30, {}], cell = [5, 6], groups = [10] }}", 24 + 10 * i);
            format!("[[field]]\nname = \"f{i}\"\nkind = \"code\"\n{place}\n")
        };
        let rows: String = (0..9).map(row).collect();
        let head = format!("name = \"x\"\ntitle = \"t\"\npage = [100, 140]\n{heading}\n");
        parse_template(&(head + &rows)).expect("it is well formed")
    }

    /// The lines of the first six rows: the others are too pale.
    fn six_rows() -> Vec<Segment> {
        let is_seen = |line: &Segment| line.middle().y < 82.0;
        form("").printed_lines().into_iter().filter(is_seen).collect()
    }

    #[test]
    fn heading_decides_between_rows_and_without_it_the_page_is_rejected() {
        let map = turned(0.3, [4.0, 2.0]);
        let strokes = (0..24).map(|i| 10.0 + 1.6 * f64::from(i));
        let heading = strokes.map(|x| Segment::new(Point::new(x, 8.0), Point::new(x, 12.5)));
        let lines: Vec<Segment> = six_rows().into_iter().chain(heading).collect();
        let params = RegisterParams { min_fields_settled: 0.0, min_score: 0.5, ..RegisterParams::default() };
        let with_heading = form("words = [{ at = [9.8, 7.8, 37.2, 4.9] }]");
        let (_, registration) =
            identify(&drawn(&lines, &map), std::slice::from_ref(&with_heading), &params).expect("it is found");
        let first = Point::new(30.0, 24.0);
        let off = (registration.page_from_template.apply(first) - map.apply(first)).norm();
        assert!(off < 3.0, "{off:.1} px off");

        let failure = identify(&drawn(&six_rows(), &map), &[form("")], &params).expect_err("nothing decides");
        assert_eq!(failure.reason, PageReject::PoorRegistration, "{failure:?}");
    }
    /// As of a form whose page is full, or has a row of another one below.
    #[test]
    fn form_found_whole_is_laid_there_though_half_of_another_row_follows() {
        let map = turned(0.3, [4.0, 2.0]);
        let form = form("");
        let more = form.printed_lines().into_iter().filter(|line| line.middle().y > 105.0 && line.middle().x < 67.0);
        let more = more.map(|line| Segment::new(line.a + Point::new(0.0, 10.0), line.b + Point::new(0.0, 10.0)));
        let lines: Vec<Segment> = form.printed_lines().into_iter().chain(more).collect();
        let (_, registration) = identify(&drawn(&lines, &map), std::slice::from_ref(&form), &RegisterParams::default())
            .unwrap_or_else(|failure| panic!("{failure:?}"));
        let first = Point::new(30.0, 24.0);
        let off = (registration.page_from_template.apply(first) - map.apply(first)).norm();
        assert!(off < 3.0, "{off:.1} px off");
    }
}
