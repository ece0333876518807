//! Findings about what registration can hold on to: printed lines in two directions, far apart, that look like nothing else.

use crate::synth::print_blank;
use crate::template::{
    file::TemplateFile,
    finding::{Finding, FindingKind, Severity},
};
use formread_core::{
    form::{FormTemplate, PageLayout},
    register::{Families, NumberReading, NumberToRead, RegisterParams, find_candidates, resolve},
};
use formread_page::Page;
use formread_raster::{
    error::{PageReject, Result},
    geometry::{Point, Projection, Rect, Segment},
};

/// Length of printed lines, millimetres, without which nothing can be laid on, and with which a form holds well. The fit
/// needs 12 samples, one every 4 mm; with few, dirt and writing outweigh them.
const MIN_LINES_MM: f64 = 48.0;
const GOOD_LINES_MM: f64 = 400.0;
/// Lines that run one way need this much of the other one, as a share of all: else the form slips along them.
const MIN_ACROSS: f64 = 0.05;
/// A form whose lines span less than this, millimetres, has them in one line; less than this share of the page, in a corner.
const MIN_SPAN_MM: f64 = 15.0;
const MIN_SPAN_SHARE: f64 = 0.4;
/// A line that is met within this is the same one, millimetres: as near as registration looks.
const NEAR_MM: f64 = 1.0;
/// How much of a form may lie on itself when it is turned, 0 to 1, before it is a risk and before it is a fault. Forms that
/// fit a page score 0.86 and more on it.
const LIKE_ITSELF: [f64; 2] = [0.75, 0.86];
/// What lines, and words and marks, weigh in that; as in the score of a placement.
const LINES_WEIGHT: f64 = 0.8;
/// Offsets at which a turned form is held against itself, millimetres either way, and their step.
const OFFSET_MM: f64 = 6.0;
const OFFSET_STEP_MM: f64 = 1.0;
/// Resolution of the blank that is drawn to be taken for another form, dots per inch.
const BLANK_DPI: f64 = 150.0;
/// Seed of its words that the template does not spell out.
const BLANK_SEED: u64 = 1;

/// Too few lines, lines that lie together, lines that all run one way.
pub(super) fn few_landmarks(candidate: &TemplateFile) -> Vec<Finding> {
    let template = &candidate.template;
    let PageLayout::Printed(landmarks) = &template.layout else { return Vec::new() };
    let lines = template.printed_lines();
    let length = |is_level: bool| -> f64 {
        lines.iter().filter(|line| line.is_horizontal() == is_level).map(|line| line.length()).sum()
    };
    let (level, upright) = (length(true), length(false));
    let total = level + upright;
    let few = |severity, detail: String| {
        let finding = candidate.of_landmarks(severity, FindingKind::FewLandmarks, detail);
        vec![finding.with_remedy("add the form's printed lines and frames, those of no field as well")]
    };
    let Some(span) = Rect::around(lines.iter().flat_map(|line| [line.a, line.b])) else {
        return few(Severity::Fault, "no printed line: nothing to lay the template on".to_owned());
    };
    if total < MIN_LINES_MM {
        return few(Severity::Fault, format!("{total:.0} mm of printed lines, where {MIN_LINES_MM:.0} are the least"));
    }
    let mut findings = Vec::new();
    if total < GOOD_LINES_MM {
        findings
            .extend(few(Severity::Risk, format!("{total:.0} mm of printed lines: writing and dirt may outweigh them")));
    }
    let in_line = |severity, detail: String| {
        let finding = candidate.of_landmarks(severity, FindingKind::LandmarksInLine, detail);
        finding.with_remedy("add printed lines far from these, in both directions")
    };
    let [width, height] = [landmarks.page.width(), landmarks.page.height()];
    if span.width().min(span.height()) < MIN_SPAN_MM {
        let detail = format!(
            "all printed lines lie within {:.0} mm: the form turns about them",
            span.width().min(span.height())
        );
        findings.push(in_line(Severity::Fault, detail));
    } else if span.width() < MIN_SPAN_SHARE * width && span.height() < MIN_SPAN_SHARE * height {
        let detail = format!("all printed lines lie in {:.0} x {:.0} mm of the page", span.width(), span.height());
        findings.push(in_line(Severity::Risk, detail));
    }
    if level.min(upright) < MIN_ACROSS * total {
        let (way, other) = if level < upright { ("up and down", "across") } else { ("across", "up and down") };
        let detail = format!(
            "of {total:.0} mm of printed lines {:.0} % run {way}: nothing holds the form {other}",
            100.0 * level.max(upright) / total
        );
        findings.push(in_line(Severity::Risk, detail));
    }
    findings
}

/// A form that lies on itself when it is turned: then chance decides which side is up.
pub(super) fn symmetric(candidate: &TemplateFile) -> Option<Finding> {
    let template = &candidate.template;
    let lines = template.printed_lines();
    let span = Rect::around(lines.iter().flat_map(|line| [line.a, line.b]))?;
    let turned = (1..4u8).map(|quarters| (quarters, likeness_turned(template, &lines, span, quarters)));
    let (quarters, likeness) = turned.max_by(|a, b| a.1.total_cmp(&b.1))?;
    let [risk, fault] = LIKE_ITSELF;
    if likeness < risk {
        return None;
    }
    let severity = if likeness < fault { Severity::Risk } else { Severity::Fault };
    let how = match quarters {
        2 => "upside down",
        _ => "on its side",
    };
    let detail = format!("{how} it looks like itself to {:.0} %", 100.0 * likeness);
    let finding = candidate.of_landmarks(severity, FindingKind::Symmetric, detail);
    Some(
        finding
            .with_remedy("add what tells its head from its foot: a heading among words, a mark in one corner, a line"),
    )
}

/// How much of the form lies on itself, 0 to 1, turned by `quarters` about the middle of its lines, where it does best.
fn likeness_turned(template: &FormTemplate, lines: &[Segment], span: Rect, quarters: u8) -> f64 {
    let centre = span.centre();
    let turn = Projection::rotation(f64::from(quarters) * std::f64::consts::FRAC_PI_2);
    let turned = turn.about(centre);
    let boxes = template.printed_boxes();
    let n_steps = (OFFSET_MM / OFFSET_STEP_MM) as i32;
    let offsets = (-n_steps..=n_steps).map(|step| f64::from(step) * OFFSET_STEP_MM);
    // lines across say nothing of an offset along them, so each axis can be tried by itself
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

/// Whether a blank of the form is taken for another one of `others`, or would be where this one is not given.
///
/// # Errors
/// Where the form cannot be drawn.
pub(super) fn alike(candidate: &TemplateFile, others: &[FormTemplate]) -> Result<Vec<Finding>> {
    let template = &candidate.template;
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
        let remedy = "add to both what only one of them has: a line, a frame, a word, a barcode, a number; or give only one of them to a run";
        vec![candidate.finding(severity, FindingKind::Alike, detail).with_remedy(remedy)]
    };
    // what the blank says is known without nets
    let read_number = |to_read: &NumberToRead| {
        let number = template.numbers.iter().find(|number| number.bounds.intersection(to_read.bounds).is_some());
        number.map(|number| NumberReading { digits: number.digits(), confidence: 1.0 })
    };
    let identify = |among: &[FormTemplate]| {
        let families = Families::new(among);
        let candidates = find_candidates(&page, among, &families, &params)?;
        let numbers: Vec<_> = candidates.numbers_to_read().iter().map(read_number).collect();
        resolve(candidates, &numbers)
    };
    Ok(match identify(&with_this) {
        Ok((idx, _)) if idx < n_others => {
            finding(Severity::Fault, format!("a blank of it is taken for {}", others[idx].name))
        }
        // the whole form as drawn, and yet not this one
        Err(failure) if failure.reason == PageReject::UnknownForm => {
            finding(Severity::Fault, format!("a blank of it is not recognised: {}", failure.detail))
        }
        _ => {
            // a run is given all pages of a document or none
            let name = |form: &FormTemplate| form.document.as_ref().map(|document| document.name.clone());
            let is_apart = |other: &FormTemplate| name(other).is_none() || name(other) != name(template);
            let apart: Vec<FormTemplate> = others.into_iter().filter(is_apart).collect();
            match identify(&apart) {
                Ok((idx, _)) => {
                    let other = &apart[idx].name;
                    finding(Severity::Risk, format!("where it is not given, a blank of it is read as {other}"))
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

    fn candidate(landmarks: &str) -> TemplateFile {
        let head = "name = \"t\"\ntitle = \"t\"\npage = [210, 297]\n";
        let field = "[[field]]\nname = \"a\"\nkind = \"integer\"\nbox = [80, 140, 50, 10]\nprinted = []\n";
        TemplateFile::parse("t.toml", &format!("{head}{landmarks}\n{field}"))
            .unwrap_or_else(|finding| panic!("{finding}"))
    }

    fn kinds(findings: &[Finding]) -> Vec<(Severity, FindingKind)> {
        findings.iter().map(|finding| (finding.severity, finding.kind)).collect()
    }

    #[test]
    fn lines_that_do_not_hold_a_form_are_found() {
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
            assert_eq!(kinds(&few_landmarks(&candidate(landmarks))), want, "{landmarks}");
        }
    }

    #[test]
    fn a_form_that_is_the_same_upside_down_is_found_and_a_heading_tells() {
        let frames = "frames = [[20, 20, 170, 60], [20, 217, 170, 60]]";
        let same = symmetric(&candidate(frames)).expect("it is the same");
        assert_eq!(
            (same.severity, same.detail.as_str()),
            (Severity::Fault, "upside down it looks like itself to 100 %")
        );
        let square = symmetric(&candidate("frames = [[20, 20, 170, 170]]")).expect("it is the same");
        assert_eq!(square.severity, Severity::Fault);
        let told = format!(
            "{frames}\nlines = [[20, 100, 190, 100], [20, 110, 190, 110], [60, 20, 60, 80], [120, 20, 120, 80]]"
        );
        assert_eq!(symmetric(&candidate(&told)), None);
    }

    /// Two forms that share their combs: without the second, its pages are taken for the first. The pages of a document
    /// are given all together.
    #[test]
    fn pages_of_a_document_may_be_alike_where_one_is_not_given() {
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
    fn no_known_form_is_like_itself_or_another() {
        let known = known_templates().expect("they parse");
        for template in &known {
            let candidate =
                TemplateFile { file: "t.toml".to_owned(), template: template.clone(), lines: Default::default() };
            assert_eq!(symmetric(&candidate), None, "{}", template.name);
            assert_eq!(alike(&candidate, &known).expect("it can be drawn"), [], "{}", template.name);
        }
    }
}
