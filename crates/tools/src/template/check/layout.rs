//! Findings about the place and size of fields and cells.

use crate::template::{
    file::TemplateFile,
    finding::{Finding, FindingKind, Severity},
    params::CheckParams,
};
use formread_core::form::{Field, FieldLayout, PageLayout};
use formread_raster::geometry::{MM_PER_INCH, Rect};

/// Frames that share a line, or are measured slightly too wide, overlap by less than this, millimetres.
const SHARED_LINE_MM: f64 = 0.3;
/// Overlap of two cells, as a share of the smaller, from which it is a fault: below that, writing is rarely in both.
const FAULTY_OVERLAP: f64 = 0.1;
/// Width of the edge of a page that scanners and copiers cut off, millimetres.
const EDGE_MM: f64 = 4.0;
/// Width of a printed line, millimetres: the inside of a frame is smaller by it.
const LINE_MM: f64 = 0.3;
/// Height of a digit as a share of its cell's height, 0 to 1. Chosen on `c1` and `hsf`.
const DIGIT_SHARE: f64 = 0.6;
/// Height of a digit, pixels, below which it is not read, and below which it is read less well. The nets see it 20 pixels
/// high.
const MIN_DIGIT_PX: f64 = 9.0;
const GOOD_DIGIT_PX: f64 = 16.0;
/// Smallest width and height inside a cell, millimetres, in which people keep their digits. Chosen between `mtc` (2.6 x 3.6,
/// digits leave the cells) and `c1` (8 x 15, they do not).
const MIN_CELL_MM: [f64; 2] = [4.0, 5.0];
/// Smallest width of a box per digit, millimetres.
const MIN_PITCH_MM: f64 = 3.5;
/// Smallest width of a tick box, pixels: 2 mm at 200 dpi. A tick in a smaller one looks like dirt.
const MIN_MARK_PX: f64 = 16.0;
/// Smallest gap between separate boxes, millimetres.
const SEPARATE_MM: f64 = 0.5;
/// Gap between separate boxes that the remedy proposes, millimetres.
const GOOD_GAP_MM: f64 = 1.5;

/// Fields that overlap, and cells of one field that do.
pub(super) fn overlaps(file: &TemplateFile) -> Vec<Finding> {
    let fields = &file.template.fields;
    let mut findings = Vec::new();
    for (idx, field) in fields.iter().enumerate() {
        let cells = field.layout.cells();
        let pairs = cells.iter().enumerate().flat_map(|(i, a)| cells[i + 1..].iter().map(move |b| (*a, *b)));
        if let Some(share) = worst_overlap(pairs) {
            let detail = format!("two of its cells overlap by {}", percent(share));
            let finding = file.of_field(idx, severity_of(share), FindingKind::Overlap, detail);
            findings.push(finding.with_remedy("move the cells apart, or set pitch to the width of a cell or more"));
        }
        for other in &fields[..idx] {
            let pairs = cells.iter().flat_map(|a| other.layout.cells().iter().map(move |b| (*a, *b)));
            if let Some(share) = worst_overlap(pairs) {
                let detail = format!("overlaps field {} by {}", other.name, percent(share));
                let finding = file.of_field(idx, severity_of(share), FindingKind::Overlap, detail);
                findings.push(finding.with_remedy("move or remove one of them: writing in both is read twice"));
            }
        }
    }
    findings
}

fn severity_of(share: f64) -> Severity {
    if share >= FAULTY_OVERLAP { Severity::Fault } else { Severity::Risk }
}

/// The largest overlap of two cells, as a share of the smaller; `None` if no two share more than a line.
fn worst_overlap(pairs: impl Iterator<Item = (Rect, Rect)>) -> Option<f64> {
    let share = |(a, b): (Rect, Rect)| {
        let both = a.intersection(b)?;
        let is_area = both.width() > SHARED_LINE_MM && both.height() > SHARED_LINE_MM;
        is_area.then(|| both.area() / a.area().min(b.area()))
    };
    pairs.filter_map(share).max_by(f64::total_cmp)
}

/// Fields that leave the page, or are so near its edge that a scanner cuts them.
pub(super) fn off_page(file: &TemplateFile) -> Vec<Finding> {
    let PageLayout::Printed(landmarks) = &file.template.layout else { return Vec::new() };
    let page = landmarks.page;
    let finding = |(idx, field): (usize, &Field)| {
        let r = field.layout.bounds();
        let margin =
            [r.x0 - page.x0, r.y0 - page.y0, page.x1 - r.x1, page.y1 - r.y1].into_iter().fold(f64::MAX, f64::min);
        let (severity, detail) = match margin {
            m if m < 0.0 => (Severity::Fault, format!("leaves the page by {:.1} mm", -m)),
            m if m < EDGE_MM => (Severity::Risk, format!("{m:.1} mm from the edge of the page")),
            _ => return None,
        };
        let remedy =
            format!("move it inwards: scanners cut off up to {EDGE_MM} mm, and a field that is cut needs review");
        Some(file.of_field(idx, severity, FindingKind::OffPage, detail).with_remedy(remedy))
    };
    file.template.fields.iter().enumerate().filter_map(finding).collect()
}

/// Cells and boxes that are too small to write in, or too small at the given resolution.
pub(super) fn too_small(file: &TemplateFile, params: &CheckParams) -> Vec<Finding> {
    if file.template.layout == PageLayout::WholeImage {
        return Vec::new();
    }
    let px_per_mm = params.dpi / MM_PER_INCH;
    let finding = |(idx, field): (usize, &Field)| {
        let (severity, detail, remedy) = size_of(field, px_per_mm, params.dpi)?;
        Some(file.of_field(idx, severity, FindingKind::TooSmall, detail).with_remedy(remedy))
    };
    file.template.fields.iter().enumerate().filter_map(finding).collect()
}

/// The worst fault in the size of `field`: severity, detail and remedy.
fn size_of(field: &Field, px_per_mm: f64, dpi: f64) -> Option<(Severity, String, String)> {
    let cells = field.layout.cells();
    let min = |of: &dyn Fn(&Rect) -> f64| cells.iter().map(of).fold(f64::MAX, f64::min);
    let (width, height) = (min(&|cell| cell.width()) - LINE_MM, min(&|cell| cell.height()) - LINE_MM);
    let finer = |px: f64, wanted: f64| format!("scan at {:.0} dpi, or print it larger", (dpi * wanted / px).ceil());
    if field.kind.is_marked() {
        let px = width.min(height) * px_per_mm;
        let detail = format!("tick box of {px:.0} pixels at {dpi} dpi: a tick looks like dirt");
        return (px < MIN_MARK_PX).then(|| (Severity::Risk, detail, finer(px, MIN_MARK_PX)));
    }
    let digit_px = DIGIT_SHARE * height * px_per_mm;
    let at = |severity, wanted| {
        let detail = format!("digits about {digit_px:.0} pixels high at {dpi} dpi; {wanted:.0} are needed");
        Some((severity, detail, finer(digit_px, wanted)))
    };
    if digit_px < MIN_DIGIT_PX {
        return at(Severity::Fault, MIN_DIGIT_PX);
    }
    if digit_px < GOOD_DIGIT_PX {
        return at(Severity::Risk, GOOD_DIGIT_PX);
    }
    let [min_width, min_height] = MIN_CELL_MM;
    match field.layout {
        FieldLayout::Comb { .. } if width < min_width || height < min_height => {
            let detail = format!("cells of {width:.1} x {height:.1} mm inside: digits will not fit");
            Some((Severity::Risk, detail, format!("make them {min_width} x {min_height} mm or more inside")))
        }
        FieldLayout::Box { .. } if height < min_height => {
            let detail = format!("box {height:.1} mm high inside: digits will not fit");
            Some((Severity::Risk, detail, format!("make it {min_height} mm or more inside")))
        }
        FieldLayout::Box { .. } if width < MIN_PITCH_MM * field.digits.max as f64 => {
            let n = field.digits.max;
            let detail = format!("box {width:.1} mm wide for up to {n} digits: they will touch");
            let fitting = (width / MIN_PITCH_MM).floor().max(1.0);
            Some((
                Severity::Advice,
                detail,
                format!("use a wider box, or digits = [1, {fitting}] if there are never more"),
            ))
        }
        _ => None,
    }
}

/// Combs whose cells share their sides. Separate boxes are read better: a digit that touches a shared side touches the next
/// digit (Garris and Dimmick, "Form design for high accuracy optical character recognition", 1996).
pub(super) fn adjoining_cells(file: &TemplateFile) -> Vec<Finding> {
    let finding = |(idx, field): (usize, &Field)| {
        let FieldLayout::Comb { cells, printed } = &field.layout else { return None };
        let gaps = cells.windows(2).map(|two| two[1].x0 - two[0].x1);
        let n_adjoining = gaps.filter(|gap| *gap < SEPARATE_MM).count();
        if n_adjoining == 0 || !printed.between || field.is_choice() {
            return None;
        }
        let detail = format!("{n_adjoining} of its {} cells share a side with the next cell", cells.len());
        let width = cells[0].width();
        let remedy = format!(
            "print separate boxes, cells of {width:.1} mm with pitch = {:.1}: they are read better (Garris and Dimmick, 1996)",
            width + GOOD_GAP_MM
        );
        Some(file.of_field(idx, Severity::Advice, FindingKind::AdjoiningCells, detail).with_remedy(remedy))
    };
    file.template.fields.iter().enumerate().filter_map(finding).collect()
}

fn percent(share: f64) -> String {
    format!("{:.0} % of the smaller", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template_file(fields: &str) -> TemplateFile {
        let head = "name = \"t\"\ntitle = \"t\"\npage = [210, 297]\nlines = [[20, 20, 190, 20]]\n";
        TemplateFile::parse("t.toml", &format!("{head}{fields}")).unwrap_or_else(|finding| panic!("{finding}"))
    }

    fn field(name: &str, rest: &str) -> String {
        format!("[[field]]\nname = \"{name}\"\n{rest}\n")
    }

    fn summary(findings: &[Finding]) -> Vec<(Severity, Option<&str>)> {
        findings.iter().map(|finding| (finding.severity, finding.field.as_deref())).collect()
    }

    #[test]
    fn fields_sharing_line_do_not_overlap_and_others_do() {
        let beside = template_file(
            &(field("a", "kind = \"integer\"\nbox = [20, 30, 40, 8]")
                + &field("b", "kind = \"integer\"\nbox = [60, 30, 40, 8]")),
        );
        assert_eq!(overlaps(&beside), []);
        let across = template_file(
            &(field("a", "kind = \"integer\"\nbox = [20, 30, 40, 8]")
                + &field("b", "kind = \"integer\"\nbox = [50, 30, 40, 8]")
                + &field("c", "kind = \"integer\"\ncells = [[20, 50, 6, 8], [25.5, 50, 6, 8]]")),
        );
        let findings = overlaps(&across);
        assert_eq!(summary(&findings), [(Severity::Fault, Some("b")), (Severity::Risk, Some("c"))]);
        assert!(findings[0].detail.contains("overlaps field a by 25 %"), "{}", findings[0]);
        assert_eq!(findings[0].line, Some(9));
    }

    #[test]
    fn field_near_edge_is_risk_and_field_off_page_is_fault() {
        let three = template_file(
            &(field("a", "kind = \"integer\"\nbox = [-0.5, 30, 40, 8]")
                + &field("b", "kind = \"integer\"\nbox = [2, 50, 40, 8]")
                + &field("c", "kind = \"integer\"\nbox = [5, 70, 40, 8]")),
        );
        let findings = off_page(&three);
        assert_eq!(summary(&findings), [(Severity::Fault, Some("a")), (Severity::Risk, Some("b"))]);
    }

    #[test]
    fn small_cells_are_found_in_pixels_and_in_millimetres() {
        let all = template_file(
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
    fn cells_sharing_side_are_found_and_separate_cells_are_not() {
        let two = template_file(
            &(field("joined", "kind = \"code\"\ncomb = { at = [20, 30], cell = [6, 8], groups = [3, 2], gap = 3 }")
                + &field(
                    "apart",
                    "kind = \"code\"\ncomb = { at = [20, 50], cell = [6, 8], groups = [3], pitch = 7.5 }",
                )),
        );
        let findings = adjoining_cells(&two);
        assert_eq!(summary(&findings), [(Severity::Advice, Some("joined"))]);
        assert!(
            findings[0].detail.starts_with("3 of its 5") && findings[0].remedy.contains("pitch = 7.5"),
            "{}",
            findings[0]
        );
    }
}
