//! Findings about a template on real pages: whether it lies on them, how well, and whether its frames can be removed.

use std::fmt;

use image::GrayImage;
use rayon::prelude::*;
use serde::Serialize;

use super::{
    file::TemplateFile,
    finding::{Finding, FindingKind, Severity},
};
use formread_core::{
    form::{Field, FieldKind, FormTemplate},
    register::{RegisterParams, Registration, identify},
    segment::{CROP_PX_PER_MM, field_pictures},
};
use formread_page as page;
use formread_page::{
    Limits, Page,
    scans::{Scan, read_file},
};
use formread_raster::{
    error::{Error, PageReject},
    geometry::{Point, Rect, Segment},
};

/// Residual of a page, millimetres, from which the template was measured ill or the paper is bent. Those of `c1`, `hsf`
/// and `mtc` are 0.03 to 0.2.
const ILL_RESIDUAL_MM: f64 = 0.4;
/// A frame that is not found on more than this share of the pages is measured wrong, or not printed.
const MOSTLY: f64 = 0.5;
/// Where a frame's line may lie off its place in the field's crop, millimetres.
const LINE_REACH_MM: f64 = 0.4;
/// Near a corner two lines meet, and strokes begin: that much of each end is left out, millimetres.
const CORNER_MM: f64 = 1.0;
/// Darkness, of 255, from which a pixel is ink.
const INK: u8 = 60;
/// Share of a frame's lines that may be left where they are removed: strokes that cross them are, and must be.
const MAX_LEFT: f64 = 0.25;

/// How a template lies on one page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScanFit {
    /// The file, as the tables would name it.
    pub scan: String,
    /// 1-based page in the file.
    pub page: u32,
    /// The template that lies on it; `None` where none does.
    pub form: Option<String>,
    /// Why none does, a word of the `attention` column, and what was measured.
    pub reject: Option<[String; 2]>,
    /// Root mean square distance of the landmarks from the fit, pixels and millimetres; 0 where none lies on it.
    pub residual_px: f64,
    /// The same in millimetres.
    pub residual_mm: f64,
    /// Share of the template's lines that were found, 0 (chance) to 1.
    pub support: f64,
    /// Fields with printed frames, and those of them that were found.
    pub frames: usize,
    /// Those of them that settled on their frame.
    pub frames_found: usize,
}

impl ScanFit {
    fn refused(scan: &str, page: u32, reason: PageReject, detail: String) -> Self {
        let reject = Some([reason.as_str().to_owned(), detail]);
        let (residual_px, residual_mm, support) = (0.0, 0.0, 0.0);
        Self {
            scan: scan.to_owned(),
            page,
            form: None,
            reject,
            residual_px,
            residual_mm,
            support,
            frames: 0,
            frames_found: 0,
        }
    }

    /// `a.tif page 2`.
    pub(super) fn place(&self) -> String {
        format!("{} page {}", self.scan, self.page)
    }

    /// One line of a table, the place `width` wide.
    pub(super) fn write_row(&self, f: &mut fmt::Formatter<'_>, width: usize) -> fmt::Result {
        let Self { form, reject, residual_px, residual_mm, support, frames, frames_found, .. } = self;
        let place = self.place();
        match (form, reject) {
            (Some(form), _) => {
                let residual = format!("{residual_px:.2} px {residual_mm:.2} mm");
                writeln!(
                    f,
                    "{place:width$}  {residual:>14}  {support:>7.2}  {:>9}  {form}",
                    format!("{frames_found}/{frames}")
                )
            }
            (None, Some([reason, detail])) => writeln!(f, "{place:width$}  {reason}: {detail}"),
            (None, None) => writeln!(f, "{place:width$}"),
        }
    }
}

/// What one page says of the fields of its template.
struct FieldsSeen {
    template_idx: usize,
    /// Of each field: whether its frame was found, where it has one and is on the page.
    is_found: Vec<Option<bool>>,
    /// Of each field: the share of its frame that is left where it should be removed; `None` where there is no telling.
    left: Vec<Option<f64>>,
}

/// Lays the `candidates` on every page of `scans`, the one that fits best on each.
pub fn check_scans(candidates: &[TemplateFile], scans: &[Scan], limits: &Limits) -> (Vec<ScanFit>, Vec<Finding>) {
    let templates: Vec<FormTemplate> = candidates.iter().map(|candidate| candidate.template.clone()).collect();
    let looked: Vec<Vec<(ScanFit, Option<FieldsSeen>)>> =
        scans.par_iter().map(|scan| look_at_file(&templates, scan, limits)).collect();
    let (pages, seen): (Vec<ScanFit>, Vec<Option<FieldsSeen>>) = looked.into_iter().flatten().unzip();
    let mut findings: Vec<Finding> = pages.iter().filter_map(|page| page_finding(candidates, page)).collect();
    let seen: Vec<FieldsSeen> = seen.into_iter().flatten().collect();
    for (idx, candidate) in candidates.iter().enumerate() {
        let seen: Vec<&FieldsSeen> = seen.iter().filter(|seen| seen.template_idx == idx).collect();
        findings.extend(field_findings(candidate, &seen));
    }
    (pages, findings)
}

fn look_at_file(templates: &[FormTemplate], scan: &Scan, limits: &Limits) -> Vec<(ScanFit, Option<FieldsSeen>)> {
    let unreadable = |page: u32, error: &Error| {
        (ScanFit::refused(&scan.name, page, PageReject::Unreadable, error.kind().to_string()), None)
    };
    let bytes = match read_file(&scan.path, limits) {
        Ok(bytes) => bytes,
        Err(error) => return vec![unreadable(1, &error)],
    };
    match page::open(&bytes, limits) {
        Err(error) => vec![unreadable(1, &error)],
        Ok(pages) => (1..)
            .zip(pages)
            .map(|(number, page)| match page {
                Ok(page) => look_at_page(templates, &scan.name, number, &page),
                Err(error) => unreadable(number, &error),
            })
            .collect(),
    }
}

fn look_at_page(templates: &[FormTemplate], scan: &str, number: u32, page: &Page) -> (ScanFit, Option<FieldsSeen>) {
    let (template_idx, registration) = match identify(page, templates, &RegisterParams::default()) {
        Ok(found) => found,
        Err(failure) => return (ScanFit::refused(scan, number, failure.reason, failure.detail), None),
    };
    let template = &templates[template_idx];
    let framed = template.fields.iter().zip(&registration.fields);
    let is_found: Vec<Option<bool>> = framed
        .map(|(field, at)| {
            let counts = !field.layout.printed_lines().is_empty() && at.on_page;
            counts.then_some(at.residual_px.is_some())
        })
        .collect();
    let left = (0..template.fields.len()).map(|idx| left_of_frame(page, &registration, template, idx)).collect();
    let px_per_mm = registration.page_from_template.scale_at(template.centre());
    let fit = ScanFit {
        scan: scan.to_owned(),
        page: number,
        form: Some(template.name.clone()),
        reject: None,
        residual_px: registration.residual_px,
        residual_mm: registration.residual_px / px_per_mm.max(f64::MIN_POSITIVE),
        support: registration.support,
        frames: is_found.iter().flatten().count(),
        frames_found: is_found.iter().flatten().filter(|found| **found).count(),
    };
    (fit, Some(FieldsSeen { template_idx, is_found, left }))
}

/// The share of the frame of the field `idx` that is still there when it was removed, 0 to 1. `None` where nothing is
/// printed of it, and of boxes to be ticked, of which only the inside is looked at.
fn left_of_frame(page: &Page, registration: &Registration, template: &FormTemplate, idx: usize) -> Option<f64> {
    let field = &template.fields[idx];
    if let FieldKind::Mark { .. } = field.kind {
        return None;
    }
    let pictures = field_pictures(page, registration, template, idx)?;
    share_left(&pictures.cleaned, &frame_lines(field, &pictures.cells))
}

/// The printed lines of a field's frame, pixels of its crop.
fn frame_lines(field: &Field, cells: &[Rect]) -> Vec<Segment> {
    let first = field.layout.cells()[0];
    let Some(origin) = cells.first() else { return Vec::new() };
    let at = |line: Segment| {
        let from_first = |p: Point| (p - Point::new(first.x0, first.y0)) * CROP_PX_PER_MM;
        let place = |p: Point| Point::new(origin.x0, origin.y0) + from_first(p);
        Segment::new(place(line.a), place(line.b))
    };
    field.layout.printed_lines().into_iter().map(at).collect()
}

/// Share of the places along `lines` at which there is ink across them.
fn share_left(cleaned: &GrayImage, lines: &[Segment]) -> Option<f64> {
    let (reach, corner) = ((LINE_REACH_MM * CROP_PX_PER_MM) as i64, CORNER_MM * CROP_PX_PER_MM);
    let (mut n_left, mut n) = (0usize, 0usize);
    for line in lines.iter().filter(|line| line.length() > 3.0 * corner) {
        let (along, steps) = (line.direction(), (line.length() - 2.0 * corner) as usize);
        for step in 0..steps {
            let p = line.a + along * (corner + step as f64);
            let is_ink = (-reach..=reach).any(|off| {
                let (dx, dy) = if line.is_horizontal() { (0, off) } else { (off, 0) };
                let at = |v: f64, d: i64| u32::try_from(v as i64 + d).ok();
                let pixel = at(p.x, dx).zip(at(p.y, dy)).and_then(|(x, y)| cleaned.get_pixel_checked(x, y));
                pixel.is_some_and(|pixel| pixel.0[0] >= INK)
            });
            n_left += usize::from(is_ink);
            n += 1;
        }
    }
    (n > 0).then(|| n_left as f64 / n as f64)
}

/// What a page as a whole says.
fn page_finding(candidates: &[TemplateFile], page: &ScanFit) -> Option<Finding> {
    let place = page.place();
    let named = page.form.as_ref().and_then(|form| candidates.iter().find(|own| own.template.name == *form));
    let of = |severity, kind, detail: String| match named.or(candidates.first()) {
        Some(candidate) => candidate.of_landmarks(severity, kind, detail).on_scan(&place),
        None => Finding::new(severity, kind, "", detail).on_scan(&place),
    };
    match &page.reject {
        Some([reason, detail]) if reason == PageReject::Unreadable.as_str() => {
            let finding = of(Severity::Fault, FindingKind::Unreadable, detail.clone());
            Some(Finding { line: None, ..finding }.with_remedy("scan it again, or leave it out"))
        }
        Some([reason, detail]) => {
            let finding = of(Severity::Fault, FindingKind::NotRegistered, format!("{reason}: {detail}"));
            Some(finding.with_remedy(
                "look at it with `formread template show`: is this the form, and are its lines where the template says",
            ))
        }
        None if page.residual_mm > ILL_RESIDUAL_MM => {
            let detail =
                format!("residual {:.2} px, {:.2} mm: lines lie off their places", page.residual_px, page.residual_mm);
            let finding = of(Severity::Risk, FindingKind::NotRegistered, detail);
            Some(
                finding.with_remedy("measure the template again, on a flat scan of a blank form; or flatten the paper"),
            )
        }
        None => None,
    }
}

/// What all pages say of each field.
fn field_findings(candidate: &TemplateFile, seen: &[&FieldsSeen]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for idx in 0..candidate.template.fields.len() {
        let found: Vec<bool> = seen.iter().filter_map(|seen| seen.is_found.get(idx).copied().flatten()).collect();
        let n_lost = found.iter().filter(|found| !**found).count();
        if n_lost > 0 {
            let is_most = n_lost as f64 > MOSTLY * found.len() as f64;
            let severity = if is_most { Severity::Fault } else { Severity::Risk };
            let detail = format!("its printed frame was not found on {n_lost} of {} pages", found.len());
            let finding = candidate.of_field(idx, severity, FindingKind::FrameNotFound, detail);
            findings.push(finding.with_remedy("is it printed there on all sides? say which with printed = [..]"));
        }
        let left: Vec<f64> = seen.iter().filter_map(|seen| seen.left.get(idx).copied().flatten()).collect();
        let dark: Vec<f64> = left.iter().copied().filter(|share| *share > MAX_LEFT).collect();
        if let Some(most) = dark.iter().copied().max_by(f64::total_cmp) {
            let is_most = dark.len() as f64 > MOSTLY * left.len() as f64;
            let severity = if is_most { Severity::Fault } else { Severity::Risk };
            let detail = format!(
                "on {} of {} pages its frame is not removed whole: up to {:.0} % of it is left",
                dark.len(),
                left.len(),
                100.0 * most
            );
            let finding = candidate.of_field(idx, severity, FindingKind::FrameTooDark, detail);
            findings.push(
                finding.with_remedy("print frames thinner than 1.5 mm and in a pale colour, or measure them again"),
            );
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use image::{Luma, imageops};

    use super::*;
    use crate::synth::print_blank;
    use formread_raster::geometry::MM_PER_INCH;

    const FORM: &str = "name = \"t\"\ntitle = \"t\"\npage = [120, 150]\nframes = [[10, 10, 100, 130]]\n\
                        lines = [[10, 30, 110, 30], [10, 36, 80, 36], [60, 30, 60, 80]]\n\
                        [[field]]\nname = \"a\"\nkind = \"integer\"\ndigits = [1, 5]\nbox = [65, 90, 40, 10]\n\
                        [[field]]\nname = \"b\"\nkind = \"integer\"\ndigits = [1, 5]\nbox = [15, 90, 40, 10]\n\
                        [[field]]\nname = \"c\"\nkind = \"integer\"\ndigits = [1, 5]\nbox = [65, 115, 40, 10]\n\
                        [[field]]\nname = \"d\"\nkind = \"integer\"\ndigits = [1, 5]\nbox = [15, 115, 40, 10]\n";

    fn form() -> TemplateFile {
        TemplateFile::parse("t.toml", FORM).unwrap_or_else(|finding| panic!("{finding}"))
    }

    fn scanned(image: GrayImage) -> (Vec<ScanFit>, Vec<Finding>) {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("a.png");
        image.save_with_format(&path, image::ImageFormat::Png).expect("it is writable");
        check_scans(&[form()], &[Scan { name: "a.png".to_owned(), path }], &Limits::default())
    }

    fn kinds(findings: &[Finding]) -> Vec<(FindingKind, Option<&str>)> {
        findings.iter().map(|finding| (finding.kind, finding.field.as_deref())).collect()
    }

    #[test]
    fn a_clean_scan_has_a_small_residual_and_no_finding() {
        let (pages, findings) = scanned(print_blank(&form().template, 200.0, 1).expect("it can be drawn"));
        assert_eq!(findings, []);
        assert_eq!((pages[0].form.as_deref(), pages[0].frames, pages[0].frames_found), (Some("t"), 4, 4));
        assert!(pages[0].residual_mm < 0.1 && pages[0].support > 0.9, "{pages:?}");
    }

    #[test]
    fn a_frame_that_is_gone_and_one_that_stays_are_found() {
        let mut image = print_blank(&form().template, 200.0, 1).expect("it can be drawn");
        let px = |mm: f64| (mm * 200.0 / MM_PER_INCH) as i64;
        let paint = |image: &mut GrayImage, at: [f64; 4], level: u8| {
            let patch = GrayImage::from_pixel(px(at[2]) as u32, px(at[3]) as u32, Luma([level]));
            imageops::replace(image, &patch, px(at[0]), px(at[1]));
        };
        // b is wiped away; a is a bar wherever it was a line
        paint(&mut image, [12.0, 87.0, 46.0, 16.0], 250);
        for at in [[64.0, 88.8, 42.0, 2.4], [64.0, 98.8, 42.0, 2.4], [63.8, 89.0, 2.4, 12.0], [103.8, 89.0, 2.4, 12.0]]
        {
            paint(&mut image, at, 20);
        }
        let (_, findings) = scanned(image);
        let found = kinds(&findings);
        assert!(found.contains(&(FindingKind::FrameTooDark, Some("a"))), "{findings:#?}");
        assert!(found.contains(&(FindingKind::FrameNotFound, Some("b"))), "{findings:#?}");
        assert!(found.iter().all(|(_, field)| [Some("a"), Some("b")].contains(field)), "{findings:#?}");
    }

    #[test]
    fn pages_that_are_no_form_are_named_and_so_is_what_is_no_picture() {
        let (pages, findings) = scanned(GrayImage::from_pixel(900, 1200, Luma([250])));
        assert_eq!(kinds(&findings), [(FindingKind::NotRegistered, None)]);
        assert!(findings[0].detail.starts_with("blank-page") && pages[0].form.is_none(), "{findings:?}");
        let none = Scan { name: "none.png".to_owned(), path: "no/such.png".into() };
        let (_, findings) = check_scans(&[form()], &[none], &Limits::default());
        assert_eq!((findings[0].kind, findings[0].scan.as_deref()), (FindingKind::Unreadable, Some("none.png page 1")));
    }
}
