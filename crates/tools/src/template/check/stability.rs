//! Findings about the stability of registration. It needs printed lines in two directions, far apart, in a pattern that is
//! unlike itself when turned and unlike other forms.

use crate::synth::print_blank;
use crate::template::{
    file::TemplateFile,
    finding::{Finding, FindingKind, Severity},
};
use formread_core::{
    form::{Field, FormTemplate, PageLayout},
    register::{Families, NumberReading, NumberToRead, RegisterParams, find_candidates, loose_fields, resolve},
};
use formread_page::Page;
use formread_raster::{
    error::{PageReject, Result},
    geometry::{Point, Projection, Rect, Segment},
};

/// Total length of printed lines, millimetres: the smallest for registration, and one that is stable. The fit needs 12
/// samples, one every 4 mm; with few, dirt and writing outweigh them.
const MIN_LINES_MM: f64 = 48.0;
const GOOD_LINES_MM: f64 = 400.0;
/// A form with fewer frames of fields needs so many lines, marks and words besides: boxes of one size are on many forms.
const MIN_FRAMES: usize = 8;
const MIN_OTHERS: usize = 3;
/// Lines that span less than this, millimetres, lie in one line; less than this share of the page, in a corner.
const MIN_SPAN_MM: f64 = 15.0;
const MIN_SPAN_SHARE: f64 = 0.4;
/// Lines within this distance are the same, millimetres: the search range of registration.
const NEAR_MM: f64 = 1.0;
/// Similarity of a form to its turned self, 0 to 1, from which it is a risk, and from which it is a fault. A form scores 0.86
/// and more on its own pages.
const SELF_SIMILARITY: [f64; 2] = [0.75, 0.86];
/// Weight of lines in that similarity, as in the score of a placement; words and marks have the rest.
const LINES_WEIGHT: f64 = 0.8;
/// Largest offset of the turned form, millimetres, and the step.
const OFFSET_MM: f64 = 6.0;
const OFFSET_STEP_MM: f64 = 1.0;
/// Resolution of the drawn blank that is compared with other forms, dots per inch.
const BLANK_DPI: f64 = 150.0;
/// Seed of the words that the template has no text for.
const BLANK_SEED: u64 = 1;

/// Too few lines, lines close together, and lines in one direction only.
pub(super) fn few_landmarks(file: &TemplateFile) -> Vec<Finding> {
    let template = &file.template;
    let PageLayout::Printed(landmarks) = &template.layout else { return Vec::new() };
    let lines = template.printed_lines();
    let length = |is_level: bool| -> f64 {
        lines.iter().filter(|line| line.is_horizontal() == is_level).map(|line| line.length()).sum()
    };
    let (level, upright) = (length(true), length(false));
    let total = level + upright;
    let few = |severity, detail: String| {
        let finding = file.of_landmarks(severity, FindingKind::FewLandmarks, detail);
        vec![finding.with_remedy("add more printed lines and frames, also those outside fields")]
    };
    let Some(span) = Rect::around(lines.iter().flat_map(|line| [line.a, line.b])) else {
        return few(Severity::Fault, "no printed lines to register".to_owned());
    };
    if total < MIN_LINES_MM {
        return few(Severity::Fault, format!("{total:.0} mm of printed lines; at least {MIN_LINES_MM:.0} are needed"));
    }
    let mut findings = Vec::new();
    let n_others = landmarks.lines.len() + landmarks.marks.len() + landmarks.words.len();
    let n_frames = template.fields.iter().filter(|field| !field.layout.printed_lines().is_empty()).count();
    if total < GOOD_LINES_MM {
        findings.extend(few(
            Severity::Risk,
            format!("only {total:.0} mm of printed lines: writing and dirt may outweigh them"),
        ));
    } else if n_others < MIN_OTHERS && n_frames < MIN_FRAMES {
        findings.extend(few(
            Severity::Risk,
            format!(
                "{n_frames} frames of fields and {n_others} other landmarks: boxes of another form may fit as well"
            ),
        ));
    }
    let in_line = |severity, detail: String| {
        let finding = file.of_landmarks(severity, FindingKind::LandmarksInLine, detail);
        finding.with_remedy("add printed lines far from these, in both directions")
    };
    let [width, height] = [landmarks.page.width(), landmarks.page.height()];
    if span.width().min(span.height()) < MIN_SPAN_MM {
        let detail =
            format!("all printed lines lie within {:.0} mm: the angle is uncertain", span.width().min(span.height()));
        findings.push(in_line(Severity::Fault, detail));
    } else if span.width() < MIN_SPAN_SHARE * width && span.height() < MIN_SPAN_SHARE * height {
        let detail = format!("all printed lines lie within {:.0} x {:.0} mm of the page", span.width(), span.height());
        findings.push(in_line(Severity::Risk, detail));
    }
    let loose = loose_fields(template, &RegisterParams::default());
    for (axis, way) in [(0, "sideways"), (1, "up and down")] {
        let is_loose = |(_, axes): &(&Field, &[bool; 2])| axes[axis];
        let names: Vec<&str> =
            template.fields.iter().zip(&loose).filter(is_loose).map(|(field, _)| field.name.as_str()).collect();
        if let Some(first) = names.first() {
            let (n, n_all) = (names.len(), template.fields.len());
            let detail = format!("too little print holds {n} of {n_all} fields {way}: {first}");
            let finding = file.of_landmarks(Severity::Risk, FindingKind::LandmarksInLine, detail);
            findings.push(finding.with_remedy("add words near them, or printed lines in the other direction"));
        }
    }
    findings
}

/// A form that looks the same when it is turned: then chance decides which side is up.
pub(super) fn symmetric(file: &TemplateFile) -> Option<Finding> {
    let template = &file.template;
    let lines = template.printed_lines();
    let span = Rect::around(lines.iter().flat_map(|line| [line.a, line.b]))?;
    let turned = (1..4u8).map(|quarters| (quarters, self_similarity(template, &lines, span, quarters)));
    let (quarters, similarity) = turned.max_by(|a, b| a.1.total_cmp(&b.1))?;
    let [risk, fault] = SELF_SIMILARITY;
    if similarity < risk {
        return None;
    }
    let severity = if similarity < fault { Severity::Risk } else { Severity::Fault };
    let how = match quarters {
        2 => "upside down",
        _ => "on its side",
    };
    let detail = format!("turned {how} it looks {:.0} % the same", 100.0 * similarity);
    let finding = file.of_landmarks(severity, FindingKind::Symmetric, detail);
    Some(
        finding.with_remedy(
            "add a landmark that breaks the symmetry: a heading among words, a mark in one corner, a line",
        ),
    )
}

/// Similarity of the form, 0 to 1, to itself turned by `quarters` about the centre of its lines, at the best offset.
fn self_similarity(template: &FormTemplate, lines: &[Segment], span: Rect, quarters: u8) -> f64 {
    let centre = span.centre();
    let turn = Projection::rotation(f64::from(quarters) * std::f64::consts::FRAC_PI_2);
    let turned = turn.about(centre);
    let boxes = template.printed_boxes();
    let n_steps = (OFFSET_MM / OFFSET_STEP_MM) as i32;
    let offsets = (-n_steps..=n_steps).map(|step| f64::from(step) * OFFSET_STEP_MM);
    // a line gives no information along itself, so each axis can be searched alone
    let best = |along: &dyn Fn(f64) -> Projection| {
        let score = |offset: f64| (template.line_overlap(lines, &along(offset).compose(&turned), NEAR_MM), offset);
        offsets.clone().map(score).max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0.0, |best| best.1)
    };
    let dx = best(&|offset| Projection::translation(offset, 0.0));
    let dy = best(&|offset| Projection::translation(dx, offset));
    let placed = Projection::translation(dx, dy).compose(&turned);
    let on_lines = template.line_overlap(lines, &placed, NEAR_MM);
    if boxes.is_empty() {
        return on_lines;
    }
    let is_inked = |r: &&Rect| {
        let there = Rect::around(placed.apply_rect(**r)).unwrap_or_default();
        boxes.iter().any(|other| covers(*other, there.centre()))
    };
    let inked = boxes.iter().filter(is_inked).count() as f64 / boxes.len() as f64;
    LINES_WEIGHT * on_lines + (1.0 - LINES_WEIGHT) * inked
}

fn covers(r: Rect, p: Point) -> bool {
    r.inflate(NEAR_MM).contains(p)
}

/// Whether a blank of the form is taken for one of `others`, or would be if this template were not given.
///
/// # Errors
/// If the form cannot be drawn.
pub(super) fn alike(file: &TemplateFile, others: &[FormTemplate]) -> Result<Vec<Finding>> {
    let template = &file.template;
    let others: Vec<FormTemplate> = others
        .iter()
        .filter(|other| other.name != template.name && other.layout != PageLayout::WholeImage)
        .cloned()
        .collect();
    if template.layout == PageLayout::WholeImage || others.is_empty() {
        return Ok(Vec::new());
    }
    let page = Page::upright(print_blank(template, BLANK_DPI, BLANK_SEED)?, Some(BLANK_DPI));
    let params = RegisterParams::default();
    let n_others = others.len();
    let with_this: Vec<FormTemplate> = others.iter().cloned().chain([template.clone()]).collect();
    let finding = |severity, detail: String| {
        let remedy = "add landmarks in which they differ: lines, words, a barcode or a number; or give only one of them to a run";
        vec![file.finding(severity, FindingKind::Alike, detail).with_remedy(remedy)]
    };
    // the numbers on the blank are known
    let read_number = |to_read: &NumberToRead| {
        let number = template.numbers.iter().find(|number| number.bounds.intersection(to_read.bounds).is_some());
        number.map(|number| NumberReading { digits: number.digits(), confidence: 1.0 })
    };
    let identify = |among: &[FormTemplate]| {
        let families = Families::new(among, &params);
        let candidates = find_candidates(&page, among, &families, &params)?;
        let numbers: Vec<_> = candidates.numbers_to_read().iter().map(read_number).collect();
        resolve(candidates, &numbers)
    };
    Ok(match identify(&with_this) {
        Ok((idx, _)) if idx < n_others => {
            finding(Severity::Fault, format!("a blank is taken for {}", others[idx].name))
        }
        // the drawn form is not recognised
        Err(failure) if failure.reason == PageReject::UnknownForm => {
            finding(Severity::Fault, format!("a blank is not recognised: {}", failure.detail))
        }
        _ => {
            // a run gets all pages of a document or none
            let name = |form: &FormTemplate| form.document.as_ref().map(|document| document.name.clone());
            let is_apart = |other: &FormTemplate| name(other).is_none() || name(other) != name(template);
            let apart: Vec<FormTemplate> = others.into_iter().filter(is_apart).collect();
            match identify(&apart) {
                Ok((idx, _)) => {
                    let other = &apart[idx].name;
                    finding(Severity::Risk, format!("a blank is read as {other} if this template is not given"))
                }
                Err(_) => Vec::new(),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_core::form::known_templates;

    fn template_file(landmarks: &str) -> TemplateFile {
        let head = "name = \"t\"\ntitle = \"t\"\npage = [210, 297]\n";
        let field = "[[field]]\nname = \"a\"\nkind = \"integer\"\nbox = [80, 140, 50, 10]\nprinted = []\n";
        TemplateFile::parse("t.toml", &format!("{head}{landmarks}\n{field}"))
            .unwrap_or_else(|finding| panic!("{finding}"))
    }

    fn kinds(findings: &[Finding]) -> Vec<(Severity, FindingKind)> {
        findings.iter().map(|finding| (finding.severity, finding.kind)).collect()
    }

    /// Four boxes of 560 mm of lines in both directions hold no form: those of another one may lie so.
    #[test]
    fn boxes_with_nothing_else_printed_are_too_few() {
        let field = |(i, name): (usize, &str)| {
            let y = 40 + 50 * i;
            format!("[[field]]\nname = \"{name}\"\nkind = \"integer\"\nbox = [60, {y}, 60, 10]\n")
        };
        let head = "name = \"t\"\ntitle = \"t\"\npage = [210, 297]\n";
        let fields: String = ["a", "b", "c", "d"].into_iter().enumerate().map(field).collect();
        let found = |landmarks: &str| {
            let text = format!("{head}{landmarks}{fields}");
            let file = TemplateFile::parse("t.toml", &text).unwrap_or_else(|finding| panic!("{finding}"));
            few_landmarks(&file).iter().any(|finding| finding.kind == FindingKind::FewLandmarks)
        };
        assert!(found(""));
        let words = "{ at = [20, 20, 60, 6] }, { at = [20, 43, 30, 3] }, { at = [20, 93, 30, 3] }";
        assert!(!found(&format!("words = [{words}]\n")));
    }

    #[test]
    fn unstable_landmarks_are_found() {
        use FindingKind::{FewLandmarks, LandmarksInLine};
        use Severity::{Fault, Risk};
        for (landmarks, want) in [
            ("", vec![(Fault, FewLandmarks)]),
            ("lines = [[20, 20, 50, 20]]", vec![(Fault, FewLandmarks)]),
            ("frames = [[20, 20, 10, 5]]", vec![(Fault, FewLandmarks)]),
            (
                "lines = [[20, 20, 190, 20], [20, 24, 190, 24], [20, 28, 190, 28]]",
                vec![(Fault, LandmarksInLine), (Risk, LandmarksInLine)],
            ),
            ("frames = [[20, 20, 60, 60]]", vec![(Risk, FewLandmarks), (Risk, LandmarksInLine)]),
            ("lines = [[20, 20, 190, 20], [20, 150, 190, 150], [20, 270, 190, 270]]", vec![(Risk, LandmarksInLine)]),
            ("frames = [[20, 20, 170, 250]]", vec![]),
        ] {
            assert_eq!(kinds(&few_landmarks(&template_file(landmarks))), want, "{landmarks}");
        }
    }

    #[test]
    fn symmetric_form_is_found_and_heading_breaks_symmetry() {
        let frames = "frames = [[20, 20, 170, 60], [20, 217, 170, 60]]";
        let same = symmetric(&template_file(frames)).expect("it is the same");
        assert_eq!(
            (same.severity, same.detail.as_str()),
            (Severity::Fault, "turned upside down it looks 100 % the same")
        );
        let square = symmetric(&template_file("frames = [[20, 20, 170, 170]]")).expect("it is the same");
        assert_eq!(square.severity, Severity::Fault);
        let with_heading = format!(
            "{frames}\nlines = [[20, 100, 190, 100], [20, 110, 190, 110], [60, 20, 60, 80], [120, 20, 120, 80]]"
        );
        assert_eq!(symmetric(&template_file(&with_heading)), None);
    }

    /// Two forms that share their combs: without the second, its pages are taken for the first. Pages of one document are
    /// always given together.
    #[test]
    fn pages_of_document_may_be_alike() {
        let form = |name: &str, more: &str, lines: &str, combs: [u32; 3]| {
            let head = format!("name = \"{name}\"\ntitle = \"t\"\n{more}\npage = [148, 210]\nlines = [{lines}]\n");
            let comb = |(i, y): (usize, &u32)| {
                let comb = format!("{{ at = [40, {y}], cell = [7, 9], pitch = 8.5, groups = [6] }}");
                format!("[[field]]\nname = \"f{i}\"\nkind = \"code\"\ncomb = {comb}\n")
            };
            let combs: String = combs.iter().enumerate().map(comb).collect();
            TemplateFile::parse(name, &(head + &combs)).unwrap_or_else(|finding| panic!("{finding}"))
        };
        let cover = "[10, 30, 138, 30], [10, 33, 138, 33], [20, 200, 138, 200], [10, 190, 100, 190]";
        let income =
            "[10, 30, 138, 30], [10, 33, 138, 33], [15, 70, 15, 180], [20, 200, 138, 200], [30, 195, 138, 195]";
        let found = |of: &dyn Fn(usize) -> String| {
            let first = form("cover", &of(1), cover, [50, 90, 130]);
            let second = form("income", &of(2), income, [50, 90, 130]);
            kinds(&alike(&second, &[first.template, second.template.clone()]).expect("it can be drawn"))
        };
        assert_eq!(found(&|_| String::new()), [(Severity::Risk, FindingKind::Alike)]);
        assert_eq!(found(&|page| format!("document = {{ name = \"tax\", page = {page}, of = 2 }}")), []);
    }

    #[test]
    fn known_forms_are_neither_symmetric_nor_alike() {
        let known = known_templates().expect("they parse");
        for template in &known {
            let file =
                TemplateFile { path: "t.toml".to_owned(), template: template.clone(), lines: Default::default() };
            assert_eq!(symmetric(&file), None, "{}", template.name);
            assert_eq!(alike(&file, &known).expect("it can be drawn"), [], "{}", template.name);
        }
    }
}
