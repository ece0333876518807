//! Findings about where fields and cells lie, and how large they are.

use crate::template::{
    file::TemplateFile,
    finding::{Finding, FindingKind, Severity},
    params::CheckParams,
};
use formread_core::form::{Field, FieldKind, FieldLayout, PageLayout};
use formread_raster::geometry::{MM_PER_INCH, Rect};

/// Frames that share a line, or are measured a little wide, overlap by less than this, millimetres.
const SHARED_LINE_MM: f64 = 0.3;
/// Share of the smaller of two cells from which their overlap is a fault: below that writing seldom stands in both.
const FAULTY_OVERLAP: f64 = 0.1;
/// What scanners and copiers cut off at a page's edge, millimetres: most print and see all but some 4 mm.
const EDGE_MM: f64 = 4.0;
/// Width of a printed line, millimetres: what one writes on is that much smaller than a frame.
const LINE_MM: f64 = 0.3;
/// What of a cell's height a digit takes, 0 to 1: empirically chosen from `c1` and `hsf`.
const DIGIT_SHARE: f64 = 0.6;
/// Height of a digit, pixels, below which it is not read, and below which it is read worse. The nets see it 20 pixels high.
const MIN_DIGIT_PX: f64 = 9.0;
const GOOD_DIGIT_PX: f64 = 16.0;
/// Smallest cell in which people write without leaving it, inside, millimetres; empirically chosen: digits leave those of
/// `mtc`, 2.6 x 3.6, and stay in those of `c1`, 8 x 15.
const MIN_CELL_MM: [f64; 2] = [4.0, 5.0];
/// Least width that a box has for each digit, millimetres.
const MIN_PITCH_MM: f64 = 3.5;
/// A box to be ticked is told from an empty one at this width, pixels: 2 mm at 200 dpi.
const MIN_MARK_PX: f64 = 16.0;
/// Cells further apart than this are separate boxes, millimetres.
const SEPARATE_MM: f64 = 0.5;
/// Gap that the remedy gives separate boxes, millimetres.
const GOOD_GAP_MM: f64 = 1.5;

/// Fields that cover each other, and cells of one field that do.
pub(super) fn overlaps(candidate: &TemplateFile) -> Vec<Finding> {
    let fields = &candidate.template.fields;
    let mut findings = Vec::new();
    for (idx, field) in fields.iter().enumerate() {
        let cells = field.layout.cells();
        let pairs = cells.iter().enumerate().flat_map(|(i, a)| cells[i + 1..].iter().map(move |b| (*a, *b)));
        if let Some(share) = worst_overlap(pairs) {
            let detail = format!("two of its cells cover each other by {}", percent(share));
            let finding = candidate.of_field(idx, severity_of(share), FindingKind::Overlap, detail);
            findings
                .push(finding.with_remedy("give each cell its own place, or make pitch the width of a cell or more"));
        }
        for other in &fields[..idx] {
            let pairs = cells.iter().flat_map(|a| other.layout.cells().iter().map(move |b| (*a, *b)));
            if let Some(share) = worst_overlap(pairs) {
                let detail = format!("it covers {} by {}", other.name, percent(share));
                let finding = candidate.of_field(idx, severity_of(share), FindingKind::Overlap, detail);
                findings.push(
                    finding.with_remedy("what is written there is read twice: move one of them, or leave it out"),
                );
            }
        }
    }
    findings
}

fn severity_of(share: f64) -> Severity {
    if share >= FAULTY_OVERLAP { Severity::Fault } else { Severity::Risk }
}

/// The largest share of the smaller of two cells that the other one covers; `None` where no two share more than a line.
fn worst_overlap(pairs: impl Iterator<Item = (Rect, Rect)>) -> Option<f64> {
    let share = |(a, b): (Rect, Rect)| {
        let both = a.intersection(b)?;
        let is_area = both.width() > SHARED_LINE_MM && both.height() > SHARED_LINE_MM;
        is_area.then(|| both.area() / a.area().min(b.area()))
    };
    pairs.filter_map(share).max_by(f64::total_cmp)
}

/// Fields that leave the page, or come so near its edge that a scanner cuts them.
pub(super) fn off_page(candidate: &TemplateFile) -> Vec<Finding> {
    let PageLayout::Printed(landmarks) = &candidate.template.layout else { return Vec::new() };
    let page = landmarks.page;
    let finding = |(idx, field): (usize, &Field)| {
        let r = field.layout.bounds();
        let margin =
            [r.x0 - page.x0, r.y0 - page.y0, page.x1 - r.x1, page.y1 - r.y1].into_iter().fold(f64::MAX, f64::min);
        let (severity, detail) = match margin {
            m if m < 0.0 => (Severity::Fault, format!("it leaves the page by {:.1} mm", -m)),
            m if m < EDGE_MM => (Severity::Risk, format!("it lies {m:.1} mm from the page's edge")),
            _ => return None,
        };
        let remedy =
            format!("scanners cut off up to {EDGE_MM} mm, and a field that is cut is for a person: move it inwards");
        Some(candidate.of_field(idx, severity, FindingKind::OffPage, detail).with_remedy(remedy))
    };
    candidate.template.fields.iter().enumerate().filter_map(finding).collect()
}

/// Cells and boxes that are too small to write in, or for a scan of the stated resolution.
pub(super) fn too_small(candidate: &TemplateFile, params: &CheckParams) -> Vec<Finding> {
    if candidate.template.layout == PageLayout::WholeImage {
        return Vec::new();
    }
    let px_per_mm = params.dpi / MM_PER_INCH;
    let finding = |(idx, field): (usize, &Field)| {
        let (severity, detail, remedy) = size_of(field, px_per_mm, params.dpi)?;
        Some(candidate.of_field(idx, severity, FindingKind::TooSmall, detail).with_remedy(remedy))
    };
    candidate.template.fields.iter().enumerate().filter_map(finding).collect()
}

/// What is wrong with the size of `field`, the worst of it, and what to do.
fn size_of(field: &Field, px_per_mm: f64, dpi: f64) -> Option<(Severity, String, String)> {
    let cells = field.layout.cells();
    let least = |of: &dyn Fn(&Rect) -> f64| cells.iter().map(of).fold(f64::MAX, f64::min);
    let (width, height) = (least(&|cell| cell.width()) - LINE_MM, least(&|cell| cell.height()) - LINE_MM);
    let finer = |px: f64, wanted: f64| format!("scan at {:.0} dpi, or print it larger", (dpi * wanted / px).ceil());
    if let FieldKind::Mark { .. } = field.kind {
        let px = width.min(height) * px_per_mm;
        let detail = format!("a box of {px:.0} pixels at {dpi} dpi: a tick is hard to tell from dirt");
        return (px < MIN_MARK_PX).then(|| (Severity::Risk, detail, finer(px, MIN_MARK_PX)));
    }
    let digit_px = DIGIT_SHARE * height * px_per_mm;
    let at = |severity, wanted| {
        let detail = format!("digits of some {digit_px:.0} pixels at {dpi} dpi, where {wanted:.0} are needed");
        Some((severity, detail, finer(digit_px, wanted)))
    };
    if digit_px < MIN_DIGIT_PX {
        return at(Severity::Fault, MIN_DIGIT_PX);
    }
    if digit_px < GOOD_DIGIT_PX {
        return at(Severity::Risk, GOOD_DIGIT_PX);
    }
    let [least_width, least_height] = MIN_CELL_MM;
    match field.layout {
        FieldLayout::Comb { .. } if width < least_width || height < least_height => {
            let detail = format!("cells of {width:.1} x {height:.1} mm inside: digits will leave them");
            Some((Severity::Risk, detail, format!("{least_width} x {least_height} mm inside and more")))
        }
        FieldLayout::Box { .. } if height < least_height => {
            let detail = format!("a box {height:.1} mm high inside: digits will leave it");
            Some((Severity::Risk, detail, format!("{least_height} mm inside and more")))
        }
        FieldLayout::Box { .. } if width < MIN_PITCH_MM * field.digits.max as f64 => {
            let n = field.digits.max;
            let detail = format!("a box {width:.1} mm wide for up to {n} digits: they will touch");
            let fitting = (width / MIN_PITCH_MM).floor().max(1.0);
            Some((Severity::Advice, detail, format!("digits = [1, {fitting}] if there are never more, or a wider box")))
        }
        _ => None,
    }
}

/// Combs whose cells share their sides, where separate boxes read better: digits that touch a shared side touch a stroke of
/// the next one (Garris and Dimmick, "Form design for high accuracy optical character recognition", 1996).
pub(super) fn adjoining_cells(candidate: &TemplateFile) -> Vec<Finding> {
    let finding = |(idx, field): (usize, &Field)| {
        let FieldLayout::Comb { cells, printed } = &field.layout else { return None };
        let gaps = cells.windows(2).map(|two| two[1].x0 - two[0].x1);
        let n_adjoining = gaps.filter(|gap| *gap < SEPARATE_MM).count();
        if n_adjoining == 0 || !printed.between {
            return None;
        }
        let detail = format!("{n_adjoining} of its {} cells share a side with the next one", cells.len());
        let width = cells[0].width();
        let remedy = format!(
            "separate boxes read better (Garris and Dimmick, 1996): on a new printing, cells of {width:.1} mm with pitch = {:.1}",
            width + GOOD_GAP_MM
        );
        Some(candidate.of_field(idx, Severity::Advice, FindingKind::AdjoiningCells, detail).with_remedy(remedy))
    };
    candidate.template.fields.iter().enumerate().filter_map(finding).collect()
}

fn percent(share: f64) -> String {
    format!("{:.0} % of the smaller", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(fields: &str) -> TemplateFile {
        let head = "name = \"t\"\ntitle = \"t\"\npage = [210, 297]\nlines = [[20, 20, 190, 20]]\n";
        TemplateFile::parse("t.toml", &format!("{head}{fields}")).unwrap_or_else(|finding| panic!("{finding}"))
    }

    fn field(name: &str, rest: &str) -> String {
        format!("[[field]]\nname = \"{name}\"\n{rest}\n")
    }

    fn told(findings: &[Finding]) -> Vec<(Severity, Option<&str>)> {
        findings.iter().map(|finding| (finding.severity, finding.field.as_deref())).collect()
    }

    #[test]
    fn fields_that_share_a_line_do_not_overlap_and_others_do() {
        let beside = candidate(
            &(field("a", "kind = \"integer\"\nbox = [20, 30, 40, 8]")
                + &field("b", "kind = \"integer\"\nbox = [60, 30, 40, 8]")),
        );
        assert_eq!(overlaps(&beside), []);
        let across = candidate(
            &(field("a", "kind = \"integer\"\nbox = [20, 30, 40, 8]")
                + &field("b", "kind = \"integer\"\nbox = [50, 30, 40, 8]")
                + &field("c", "kind = \"integer\"\ncells = [[20, 50, 6, 8], [25.5, 50, 6, 8]]")),
        );
        let findings = overlaps(&across);
        assert_eq!(told(&findings), [(Severity::Fault, Some("b")), (Severity::Risk, Some("c"))]);
        assert!(findings[0].detail.contains("covers a by 25 %"), "{}", findings[0]);
        assert_eq!(findings[0].line, Some(9));
    }

    #[test]
    fn a_field_near_the_edge_may_be_cut() {
        let three = candidate(
            &(field("a", "kind = \"integer\"\nbox = [-0.5, 30, 40, 8]")
                + &field("b", "kind = \"integer\"\nbox = [2, 50, 40, 8]")
                + &field("c", "kind = \"integer\"\nbox = [5, 70, 40, 8]")),
        );
        let findings = off_page(&three);
        assert_eq!(told(&findings), [(Severity::Fault, Some("a")), (Severity::Risk, Some("b"))]);
    }

    #[test]
    fn small_cells_are_found_by_the_resolution_and_by_the_hand() {
        let all = candidate(
            &(field("low", "kind = \"code\"\ncomb = { at = [20, 30], cell = [6, 4], groups = [2], pitch = 8 }")
                + &field("good", "kind = \"code\"\ncomb = { at = [20, 40], cell = [6, 8], groups = [2], pitch = 8 }")
                + &field("narrow", "kind = \"integer\"\nbox = [20, 60, 20, 8]")
                + &field("tick", "kind = \"mark\"\nbox = [20, 80, 2.3, 2.3]")),
        );
        let at = |dpi| too_small(&all, &CheckParams { dpi });
        let names = |findings: Vec<Finding>| -> Vec<(Severity, String)> {
            findings.into_iter().map(|f| (f.severity, f.field.expect("it is about one"))).collect()
        };
        let of = |severity, name: &str| (severity, name.to_owned());
        assert_eq!(names(at(300.0)), [of(Severity::Risk, "low"), of(Severity::Advice, "narrow")]);
        assert_eq!(
            names(at(100.0)),
            [of(Severity::Fault, "low"), of(Severity::Advice, "narrow"), of(Severity::Risk, "tick")]
        );
        assert_eq!(names(at(50.0)).len(), 4);
    }

    #[test]
    fn cells_that_share_a_side_are_named_and_separate_ones_are_not() {
        let two = candidate(
            &(field("joined", "kind = \"code\"\ncomb = { at = [20, 30], cell = [6, 8], groups = [3, 2], gap = 3 }")
                + &field(
                    "apart",
                    "kind = \"code\"\ncomb = { at = [20, 50], cell = [6, 8], groups = [3], pitch = 7.5 }",
                )),
        );
        let findings = adjoining_cells(&two);
        assert_eq!(told(&findings), [(Severity::Advice, Some("joined"))]);
        assert!(
            findings[0].detail.starts_with("3 of its 5") && findings[0].remedy.contains("pitch = 7.5"),
            "{}",
            findings[0]
        );
    }
}
