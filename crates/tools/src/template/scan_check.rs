//! Checks templates on real pages: whether they register, how well they fit, and whether their frames are removed.

use std::fmt;

use image::GrayImage;
use rayon::prelude::*;
use serde::Serialize;

use super::{
    file::TemplateFile,
    finding::{Finding, FindingKind, Severity},
};
use formread_core::{
    form::{Field, FormTemplate},
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

/// Largest good residual of a page, millimetres: above it, the template was measured badly or the paper is bent. The residuals
/// of `c1`, `hsf` and `mtc` are 0.03 to 0.2.
const MAX_RESIDUAL_MM: f64 = 0.4;
/// A frame that fails on more than this share of the pages was measured wrong or is not printed: a fault.
const MAX_FAILED_SHARE: f64 = 0.5;
/// How far a line of a frame may be from its place in the crop of the field, millimetres.
const LINE_REACH_MM: f64 = 0.4;
/// Length at each end of a line that is not measured, millimetres: lines meet there.
const CORNER_MM: f64 = 1.0;
/// Smallest darkness of a pixel with ink, of 255.
const MIN_INK_LEVEL: u8 = 60;
/// Largest share of a frame that may be left after removal: strokes that cross it must stay.
const MAX_SHARE_LEFT: f64 = 0.25;

/// How a template fits one page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScanFit {
    /// The file, as in the tables.
    pub scan: String,
    /// 1-based page in the file.
    pub page: u32,
    /// The template that fits; `None` if none does.
    pub form: Option<String>,
    /// Why none does: a word of the `attention` column, and the measurement.
    pub reject: Option<[String; 2]>,
    /// Root mean square distance of the landmarks from the fit, pixels; 0 if no template fits.
    pub residual_px: f64,
    /// The same in millimetres.
    pub residual_mm: f64,
    /// Share of the lines of the template that were found, 0 (chance) to 1.
    pub support: f64,
    /// Number of fields with a printed frame.
    pub frames: usize,
    /// Number of them whose frame was found.
    pub frames_found: usize,
}

impl ScanFit {
    fn rejected(scan: &str, page: u32, reason: PageReject, detail: String) -> Self {
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

/// What was measured of the fields on one page.
struct FieldFits {
    template_idx: usize,
    /// Per field: whether its frame was found; `None` without a frame or off the page.
    is_found: Vec<Option<bool>>,
    /// Per field: the share of its frame that is left after removal; `None` if it cannot be measured.
    left: Vec<Option<f64>>,
}

/// Registers `files` on every page of `scans`; the best one of each page counts.
pub fn check_scans(files: &[TemplateFile], scans: &[Scan], limits: &Limits) -> (Vec<ScanFit>, Vec<Finding>) {
    let templates: Vec<FormTemplate> = files.iter().map(|file| file.template.clone()).collect();
    let checked: Vec<Vec<(ScanFit, Option<FieldFits>)>> =
        scans.par_iter().map(|scan| check_file(&templates, scan, limits)).collect();
    let (pages, fits): (Vec<ScanFit>, Vec<Option<FieldFits>>) = checked.into_iter().flatten().unzip();
    let mut findings: Vec<Finding> = pages.iter().filter_map(|page| page_finding(files, page)).collect();
    let fits: Vec<FieldFits> = fits.into_iter().flatten().collect();
    for (idx, file) in files.iter().enumerate() {
        let fits: Vec<&FieldFits> = fits.iter().filter(|fit| fit.template_idx == idx).collect();
        findings.extend(field_findings(file, &fits));
    }
    (pages, findings)
}

fn check_file(templates: &[FormTemplate], scan: &Scan, limits: &Limits) -> Vec<(ScanFit, Option<FieldFits>)> {
    let unreadable = |page: u32, error: &Error| {
        (ScanFit::rejected(&scan.name, page, PageReject::Unreadable, error.kind().to_string()), None)
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
                Ok(page) => check_page(templates, &scan.name, number, &page),
                Err(error) => unreadable(number, &error),
            })
            .collect(),
    }
}

fn check_page(templates: &[FormTemplate], scan: &str, number: u32, page: &Page) -> (ScanFit, Option<FieldFits>) {
    let (template_idx, registration) = match identify(page, templates, &RegisterParams::default()) {
        Ok(found) => found,
        Err(failure) => return (ScanFit::rejected(scan, number, failure.reason, failure.detail), None),
    };
    let template = &templates[template_idx];
    let framed = template.fields.iter().zip(&registration.fields);
    let is_found: Vec<Option<bool>> = framed
        .map(|(field, at)| {
            let counts = !field.layout.printed_lines().is_empty() && at.on_page;
            counts.then_some(at.residual_px.is_some())
        })
        .collect();
    let left = (0..template.fields.len()).map(|idx| frame_share_left(page, &registration, template, idx)).collect();
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
    (fit, Some(FieldFits { template_idx, is_found, left }))
}

/// The share of the frame of the field `idx` that is left after removal, 0 to 1. `None` for a field without a printed frame,
/// and for a tick box, of which only the inside is read.
fn frame_share_left(page: &Page, registration: &Registration, template: &FormTemplate, idx: usize) -> Option<f64> {
    let field = &template.fields[idx];
    if field.kind.is_marked() {
        return None;
    }
    let pictures = field_pictures(page, registration, template, idx)?;
    ink_share_along(&pictures.cleaned, &frame_lines(field, &pictures.cells))
}

/// The printed lines of the frame of a field, pixels of its crop.
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

/// Share of the places along `lines` with ink on them.
fn ink_share_along(cleaned: &GrayImage, lines: &[Segment]) -> Option<f64> {
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
                pixel.is_some_and(|pixel| pixel.0[0] >= MIN_INK_LEVEL)
            });
            n_left += usize::from(is_ink);
            n += 1;
        }
    }
    (n > 0).then(|| n_left as f64 / n as f64)
}

/// The finding about a page as a whole.
fn page_finding(files: &[TemplateFile], page: &ScanFit) -> Option<Finding> {
    let place = page.place();
    let named = page.form.as_ref().and_then(|form| files.iter().find(|own| own.template.name == *form));
    let of = |severity, kind, detail: String| match named.or(files.first()) {
        Some(file) => file.of_landmarks(severity, kind, detail).on_scan(&place),
        None => Finding::new(severity, kind, "", detail).on_scan(&place),
    };
    match &page.reject {
        Some([reason, detail]) if reason == PageReject::Unreadable.as_str() => {
            let finding = of(Severity::Fault, FindingKind::Unreadable, detail.clone());
            Some(Finding { line: None, ..finding }.with_remedy("scan it again, or remove it"))
        }
        Some([reason, detail]) => {
            let finding = of(Severity::Fault, FindingKind::NotRegistered, format!("{reason}: {detail}"));
            Some(finding.with_remedy(
                "view it with `formread template show`: is it this form, and are its lines where the template has them",
            ))
        }
        None if page.residual_mm > MAX_RESIDUAL_MM => {
            let detail = format!(
                "residual {:.2} px, {:.2} mm: printed lines are not where the template has them",
                page.residual_px, page.residual_mm
            );
            let finding = of(Severity::Risk, FindingKind::NotRegistered, detail);
            Some(finding.with_remedy("measure the template again on a flat scan of a blank form, or flatten the paper"))
        }
        None => None,
    }
}

/// The findings about each field over all pages.
fn field_findings(file: &TemplateFile, fits: &[&FieldFits]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for idx in 0..file.template.fields.len() {
        let found: Vec<bool> = fits.iter().filter_map(|fit| fit.is_found.get(idx).copied().flatten()).collect();
        let n_lost = found.iter().filter(|found| !**found).count();
        if n_lost > 0 {
            let is_frequent = n_lost as f64 > MAX_FAILED_SHARE * found.len() as f64;
            let severity = if is_frequent { Severity::Fault } else { Severity::Risk };
            let detail = format!("printed frame not found on {n_lost} of {} pages", found.len());
            let finding = file.of_field(idx, severity, FindingKind::FrameNotFound, detail);
            findings.push(finding.with_remedy("declare the printed sides with printed = [..]"));
        }
        let left: Vec<f64> = fits.iter().filter_map(|fit| fit.left.get(idx).copied().flatten()).collect();
        let dark: Vec<f64> = left.iter().copied().filter(|share| *share > MAX_SHARE_LEFT).collect();
        if let Some(max) = dark.iter().copied().max_by(f64::total_cmp) {
            let is_frequent = dark.len() as f64 > MAX_FAILED_SHARE * left.len() as f64;
            let severity = if is_frequent { Severity::Fault } else { Severity::Risk };
            let detail = format!(
                "frame not removed completely on {} of {} pages: up to {:.0} % is left",
                dark.len(),
                left.len(),
                100.0 * max
            );
            let finding = file.of_field(idx, severity, FindingKind::FrameTooDark, detail);
            findings.push(
                finding.with_remedy("print frames in a pale colour and thinner than 1.5 mm, or measure them again"),
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
    fn clean_scan_has_small_residual_and_no_finding() {
        let (pages, findings) = scanned(print_blank(&form().template, 200.0, 1).expect("it can be drawn"));
        assert_eq!(findings, []);
        assert_eq!((pages[0].form.as_deref(), pages[0].frames, pages[0].frames_found), (Some("t"), 4, 4));
        assert!(pages[0].residual_mm < 0.1 && pages[0].support > 0.9, "{pages:?}");
    }

    #[test]
    fn missing_frame_and_dark_frame_are_found() {
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
    fn blank_page_is_not_registered_and_missing_file_is_unreadable() {
        let (pages, findings) = scanned(GrayImage::from_pixel(900, 1200, Luma([250])));
        assert_eq!(kinds(&findings), [(FindingKind::NotRegistered, None)]);
        assert!(findings[0].detail.starts_with("blank-page") && pages[0].form.is_none(), "{findings:?}");
        let none = Scan { name: "none.png".to_owned(), path: "no/such.png".into() };
        let (_, findings) = check_scans(&[form()], &[none], &Limits::default());
        assert_eq!((findings[0].kind, findings[0].scan.as_deref()), (FindingKind::Unreadable, Some("none.png page 1")));
    }
}
