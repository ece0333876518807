//! A draft proves itself: it is laid on its own blank and on worse copies of it, and every field must lie where it was drafted
//! and be blank.

use std::fmt;

use image::{GrayImage, Luma, imageops};

use super::{Draft, sheet::warp};
use formread_core::{
    assemble::{AcceptTable, AssembleParams, FieldState, FieldValue, PageReading, ReviewReason, assemble_page},
    form::FormTemplate,
    register::{RegisterParams, Registration, identify},
    segment::{outside_ink, segment},
};
use formread_page::Page;
use formread_raster::geometry::{MM_PER_INCH, Point, Projection, Rect};

/// Farthest that a field may be laid from where it was drafted, millimetres.
const MAX_OFF_MM: f64 = 0.8;
/// The coarse copy, dots per inch.
const COARSE_DPI: f64 = 150.0;
/// Turn of the turned copy, degrees.
const TURN_DEGREES: f64 = 1.0;
/// Contrast of the light copy; gamma of the dark one.
const LIGHT_CONTRAST: f64 = 0.65;
const DARK_GAMMA: f64 = 1.6;
/// The photo: by how much its upper edge is shorter, and how dark one side of it is.
const PHOTO_TAPER: f64 = 0.04;
const PHOTO_SHADE: f64 = 0.3;

/// What does not hold of a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Flaw {
    /// The copy of the blank on which it does not hold.
    pub copy: BlankCopy,
    /// What went wrong.
    pub fault: Fault,
}

/// A copy of the blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlankCopy {
    /// The blank itself.
    Own,
    /// Turned by a degree.
    Turned,
    /// With less contrast.
    Lighter,
    /// With more ink.
    Darker,
    /// At 150 dots per inch.
    Coarse,
    /// From the side, in uneven light.
    Photo,
}

/// What went wrong with a draft on a blank.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The draft is not laid on it, and why.
    Rejected(String),
    /// These fields lie elsewhere, the farthest by so many millimetres.
    Displaced {
        /// Indices of the fields.
        field_idxs: Vec<usize>,
        /// Largest distance, millimetres.
        max_mm: f64,
    },
    /// Nothing holds these fields in some direction, or their own frames were not found: they will await review.
    Loose(Vec<usize>),
    /// These fields are not blank.
    Written(Vec<usize>),
    /// In so many places beside the fields something seems to be written.
    Outside(usize),
}

impl fmt::Display for BlankCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "on its own blank",
            Self::Turned => "on the blank turned by a degree",
            Self::Lighter => "on a lighter copy",
            Self::Darker => "on a darker copy",
            Self::Coarse => "at 150 dpi",
            Self::Photo => "on a photo",
        })
    }
}

impl Flaw {
    /// Whether the draft may not be used because of it: it fails on the blank itself.
    pub fn is_fatal(&self) -> bool {
        self.copy == BlankCopy::Own && matches!(self.fault, Fault::Rejected(_) | Fault::Displaced { .. })
    }

    /// The fields it is about.
    pub fn field_idxs(&self) -> &[usize] {
        match &self.fault {
            Fault::Rejected(_) | Fault::Outside(_) => &[],
            Fault::Displaced { field_idxs, .. } | Fault::Loose(field_idxs) | Fault::Written(field_idxs) => field_idxs,
        }
    }

    /// A line for a person; `names` are those of the fields.
    pub fn describe(&self, names: &[String]) -> String {
        let Self { copy, fault } = self;
        let named = |idxs: &[usize]| {
            let first: Vec<&str> = idxs.iter().take(3).filter_map(|idx| names.get(*idx)).map(String::as_str).collect();
            let more = if idxs.len() > first.len() {
                format!(" and {} more", idxs.len() - first.len())
            } else {
                String::new()
            };
            format!("{}{more}", first.join(", "))
        };
        match fault {
            Fault::Rejected(reason) => format!("{copy} the draft is not laid: {reason}"),
            Fault::Displaced { field_idxs, max_mm } => {
                format!(
                    "{copy} {} of {} fields lie up to {max_mm:.1} mm off: {}",
                    field_idxs.len(),
                    names.len(),
                    named(field_idxs)
                )
            }
            Fault::Loose(idxs) => {
                format!(
                    "{copy} too little holds {} of {} fields, and they will await review: {}",
                    idxs.len(),
                    names.len(),
                    named(idxs)
                )
            }
            Fault::Outside(n) => format!("{copy} print is taken for writing in {n} places"),
            Fault::Written(idxs) => {
                format!("{copy} {} of {} fields are not blank: {}", idxs.len(), names.len(), named(idxs))
            }
        }
    }
}

/// Lays `draft` on its blank, a page with the map from the template to it, and on copies of it. Returns what does not hold.
pub(super) fn prove(draft: &Draft, template: &FormTemplate, blank: &(Page, Projection)) -> Vec<Flaw> {
    let (blank, page_from_template) = blank;
    let own = (BlankCopy::Own, blank.clone(), Projection::IDENTITY);
    let copies = [own].into_iter().chain(worse_copies(blank, draft.px_per_mm));
    let flaws = copies.flat_map(|(copy, page, copy_from_page)| {
        let expected = copy_from_page.compose(page_from_template);
        faults(template, &page, &expected).into_iter().map(move |fault| Flaw { copy, fault })
    });
    flaws.collect()
}

/// Faults of `template` on `page`, on which it lies by `expected`.
fn faults(template: &FormTemplate, page: &Page, expected: &Projection) -> Vec<Fault> {
    let registration = match identify(page, std::slice::from_ref(template), &RegisterParams::default()) {
        Ok((_, registration)) => registration,
        Err(failure) => return vec![Fault::Rejected(format!("{}: {}", failure.reason, failure.detail))],
    };
    let all = 0..template.fields.len();
    let off_mm: Vec<f64> = all.clone().map(|idx| off_mm(template, &registration, expected, idx)).collect();
    let displaced: Vec<usize> = all.clone().filter(|idx| off_mm[*idx] > MAX_OFF_MM).collect();
    let is_loose = |idx: &usize| {
        let fit = &registration.fields[*idx];
        let has_frame = !template.fields[*idx].layout.printed_lines().is_empty();
        fit.is_loose || has_frame && fit.residual_px.is_none()
    };
    let loose: Vec<usize> = all.clone().filter(is_loose).collect();
    let (written, n_outside) = written_fields(template, &registration, page);
    let mut faults = Vec::new();
    if !displaced.is_empty() {
        let max_mm = displaced.iter().map(|idx| off_mm[*idx]).fold(0.0, f64::max);
        faults.push(Fault::Displaced { field_idxs: displaced, max_mm });
    }
    faults.extend((!loose.is_empty()).then_some(Fault::Loose(loose)));
    faults.extend((!written.is_empty()).then_some(Fault::Written(written)));
    faults.extend((n_outside > 0).then_some(Fault::Outside(n_outside)));
    faults
}

/// How far a field lies from where it is expected, millimetres.
fn off_mm(template: &FormTemplate, registration: &Registration, expected: &Projection, idx: usize) -> f64 {
    let bounds = template.fields[idx].layout.bounds();
    let px_per_mm = expected.scale_at(bounds.centre()).max(f64::MIN_POSITIVE);
    let corners = bounds.corners().into_iter();
    let off = |p: Point| (registration.fields[idx].locate(p) - expected.apply(p)).norm() / px_per_mm;
    corners.map(off).fold(0.0, f64::max)
}

/// The fields in which something seems to be written, and in how many places beside them.
fn written_fields(template: &FormTemplate, registration: &Registration, page: &Page) -> (Vec<usize>, usize) {
    let mut cuts = segment(page, registration, template);
    let n_outside = outside_ink(page, registration, template, &mut cuts).len();
    let (params, accept) = (AssembleParams::default(), AcceptTable::default());
    let record = assemble_page(1, template, registration, &cuts, &[], &params, &accept);
    let PageReading::Read { fields, .. } = record.reading else { return (Vec::new(), n_outside) };
    let is_written = |value: &FieldValue| {
        !matches!(
            value.state,
            FieldState::Blank | FieldState::Review(ReviewReason::FrameNotFound | ReviewReason::OffPage)
        )
    };
    (fields.iter().enumerate().filter(|(_, value)| is_written(value)).map(|(idx, _)| idx).collect(), n_outside)
}

/// Copies of a blank as scanners and cameras make them, each with the map from the blank to it.
fn worse_copies(blank: &Page, px_per_mm: f64) -> Vec<(BlankCopy, Page, Projection)> {
    let (width, height) = blank.pixels.dimensions();
    let size = [width, height];
    let bounds = Rect::from_edges(0.0, 0.0, f64::from(width), f64::from(height));
    let map_levels = |of: &dyn Fn(f64) -> f64| {
        GrayImage::from_fn(width, height, |x, y| {
            Luma([of(f64::from(blank.pixels.get_pixel(x, y)[0])).clamp(0.0, 255.0) as u8])
        })
    };
    let lighter = map_levels(&|level| 255.0 - (255.0 - level) * LIGHT_CONTRAST);
    let darker = map_levels(&|level| 255.0 * (level / 255.0).powf(DARK_GAMMA));
    let turn = Projection::rotation(TURN_DEGREES.to_radians()).about(bounds.centre());
    let turned = turn.inverse().map(|back| on_paper(warp(&blank.pixels, &back, size), &back, bounds));
    let taper =
        Projection([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, PHOTO_TAPER / f64::from(height), 1.0]).about(bounds.centre());
    let photo = taper.inverse().map(|back| {
        let mut seen = on_paper(warp(&blank.pixels, &back, size), &back, bounds);
        for (x, _, pixel) in seen.enumerate_pixels_mut() {
            let shade = 1.0 - PHOTO_SHADE * f64::from(x) / f64::from(width.max(1));
            pixel[0] = (f64::from(pixel[0]) * shade) as u8;
        }
        seen
    });
    let mut copies = vec![
        (BlankCopy::Lighter, Page::upright(lighter, blank.dpi), Projection::IDENTITY),
        (BlankCopy::Darker, Page::upright(darker, blank.dpi), Projection::IDENTITY),
    ];
    copies.extend(turned.map(|pixels| (BlankCopy::Turned, Page::upright(pixels, blank.dpi), turn)));
    copies.extend(photo.map(|pixels| (BlankCopy::Photo, Page::upright(pixels, None), taper)));
    let scale = COARSE_DPI / MM_PER_INCH / px_per_mm;
    if scale < 0.95 {
        let [w, h] = size.map(|side| ((f64::from(side) * scale).round() as u32).max(1));
        let coarse = imageops::resize(&blank.pixels, w, h, imageops::FilterType::Triangle);
        let map = Projection::scaling(f64::from(w) / f64::from(width), f64::from(h) / f64::from(height));
        copies.push((BlankCopy::Coarse, Page::upright(coarse, Some(COARSE_DPI)), map));
    }
    copies
}

/// The copy with white where there is nothing of the blank.
fn on_paper(mut copy: GrayImage, blank_from_copy: &Projection, bounds: Rect) -> GrayImage {
    for (x, y, pixel) in copy.enumerate_pixels_mut() {
        if !bounds.contains(blank_from_copy.apply(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5))) {
            pixel[0] = 255;
        }
    }
    copy
}
