//! Imprints: the barcodes and printed numbers that discriminate templates which fit a page equally well.

use super::{candidates::FamilyMatch, params::ImprintParams};
use crate::{
    barcode::barcode_readings,
    form::{Barcode, FormTemplate, Number},
};
use formread_page::Page;
use formread_raster::{
    geometry::{Projection, Rect},
    rectify,
};

/// Largest area of the crop, pixels: what is larger is cut coarser. A barcode is seldom larger than 50 x 30 mm.
const MAX_CROP_PX: f64 = 2e6;
/// Longest part of a reading that is shown to a person, characters.
const MAX_SHOWN_CHARS: usize = 60;
/// Number of templates that are shown with it.
const MAX_SHOWN_TEMPLATES: usize = 4;

/// A printed number that a template which fits the page declares.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberToRead {
    /// Its ink, millimetres of the template.
    pub bounds: Rect,
    /// Template millimetres to page pixels.
    pub page_from_template: Projection,
    /// Of which of the families that fit.
    family_idx: usize,
}

/// What was read of a printed number.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberReading {
    /// ASCII digits, nothing else.
    pub digits: String,
    /// The chance that these are the number's digits, 0 to 1.
    pub confidence: f64,
}

/// What the imprints on a page are to a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ImprintMatch {
    /// What was read is what the template declares.
    Matches,
    /// They are another form's.
    Conflicts {
        /// What was read.
        read: String,
        /// What the template declares there.
        expected: String,
        /// What it was read from, for a person.
        imprint: &'static str,
    },
    /// There is none, or none that can be read.
    Unreadable,
}

impl ImprintMatch {
    /// A template's match after one more of its imprints: the first conflict decides, one match is enough.
    fn and(self, next: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Conflicts { .. } => self,
            Self::Matches | Self::Unreadable => match next() {
                Self::Unreadable => self,
                other => other,
            },
        }
    }
}

/// What was read on a page that none of the templates `idxs` declares, by their `matches`, and what they declare there.
pub(super) fn describe_conflict(templates: &[FormTemplate], idxs: &[usize], matches: &[ImprintMatch]) -> String {
    let conflicts = idxs.iter().zip(matches).filter_map(|(&idx, of)| match of {
        ImprintMatch::Conflicts { read, expected, imprint } => {
            Some(((imprint, read), format!("{expected:?} ({})", templates[idx].name)))
        }
        ImprintMatch::Matches | ImprintMatch::Unreadable => None,
    });
    let (read, expected): (Vec<_>, Vec<String>) = conflicts.unzip();
    let (imprint, read) = read.first().copied().map_or(("imprint", ""), |(imprint, read)| (*imprint, read.as_str()));
    let read: String = read.chars().take(MAX_SHOWN_CHARS).collect();
    let more = if expected.len() > MAX_SHOWN_TEMPLATES { ", ..." } else { "" };
    format!("{imprint}: {read:?}, expected: {}{more}", expected[..expected.len().min(MAX_SHOWN_TEMPLATES)].join(", "))
}

/// What the barcodes on `page` are to each member of `family`. Each is read once, however many templates declare it.
pub(super) fn match_barcodes<'a>(
    page: &Page,
    templates: &'a [FormTemplate],
    family: &FamilyMatch,
    params: &ImprintParams,
) -> Vec<ImprintMatch> {
    let map = &family.placement.page_from_template;
    let mut readings: Vec<(&'a Barcode, Option<String>)> = Vec::new();
    let mut read = |barcode: &'a Barcode| {
        let is_same = |other: &Barcode| (other.bounds, other.symbology) == (barcode.bounds, barcode.symbology);
        if let Some((_, reading)) = readings.iter().find(|(other, _)| is_same(other)) {
            return reading.clone();
        }
        let reading = read_barcode(page, barcode, map, params);
        readings.push((barcode, reading.clone()));
        reading
    };
    let mut match_template = |&idx: &usize| {
        templates[idx].barcodes.iter().fold(ImprintMatch::Unreadable, |so_far, barcode| {
            so_far.and(|| read(barcode).map_or(ImprintMatch::Unreadable, |read| match_barcode(barcode, read)))
        })
    };
    family.member_idxs.iter().map(&mut match_template).collect()
}

/// The numbers that the members of `families` declare, each once a family, but for members whose barcodes conflict.
/// `barcodes` are the matches of the members, in their order.
pub(super) fn unread_numbers(
    templates: &[FormTemplate],
    families: &[FamilyMatch],
    barcodes: &[ImprintMatch],
) -> Vec<NumberToRead> {
    let mut unread: Vec<NumberToRead> = Vec::new();
    let mut barcodes = barcodes.iter();
    for (family_idx, family) in families.iter().enumerate() {
        let page_from_template = family.placement.page_from_template;
        for (&idx, of_barcodes) in family.member_idxs.iter().zip(barcodes.by_ref()) {
            if matches!(of_barcodes, ImprintMatch::Conflicts { .. }) {
                continue;
            }
            for &Number { bounds, .. } in &templates[idx].numbers {
                if !unread.iter().any(|number| number.family_idx == family_idx && number.bounds == bounds) {
                    unread.push(NumberToRead { bounds, page_from_template, family_idx });
                }
            }
        }
    }
    unread
}

/// What all imprints on the page are to each member of `families`: its `barcodes`, and then the `numbers` that were read.
pub(super) fn match_numbers(
    templates: &[FormTemplate],
    families: &[FamilyMatch],
    barcodes: Vec<ImprintMatch>,
    numbers: &[(&NumberToRead, &NumberReading)],
    params: &ImprintParams,
) -> Vec<ImprintMatch> {
    let members = families.iter().enumerate();
    let members = members.flat_map(|(family_idx, family)| family.member_idxs.iter().map(move |&idx| (family_idx, idx)));
    let match_template = |((family_idx, idx), of_barcodes): ((usize, usize), ImprintMatch)| {
        templates[idx].numbers.iter().fold(of_barcodes, |so_far, number| {
            let is_here = |to_read: &NumberToRead| to_read.family_idx == family_idx && to_read.bounds == number.bounds;
            let read = numbers.iter().find(|(to_read, _)| is_here(to_read));
            so_far.and(|| read.map_or(ImprintMatch::Unreadable, |(_, read)| match_number(number, read, params)))
        })
    };
    members.zip(barcodes).map(match_template).collect()
}

/// The families with only those members left that match, or, where none does, those whose imprints are unreadable.
pub(super) fn keep_matching(mut families: Vec<FamilyMatch>, matches: &[ImprintMatch]) -> Vec<FamilyMatch> {
    let any_matches = matches.contains(&ImprintMatch::Matches);
    let kept = if any_matches { ImprintMatch::Matches } else { ImprintMatch::Unreadable };
    let mut is_kept = matches.iter().map(|of| *of == kept);
    families.iter_mut().for_each(|family| family.member_idxs.retain(|_| is_kept.next().unwrap_or(false)));
    families.retain(|family| !family.member_idxs.is_empty());
    families
}

fn match_barcode(barcode: &Barcode, read: String) -> ImprintMatch {
    if barcode.matches(&read) {
        return ImprintMatch::Matches;
    }
    ImprintMatch::Conflicts { read, expected: barcode.pattern.clone(), imprint: "barcode" }
}

fn match_number(number: &Number, read: &NumberReading, params: &ImprintParams) -> ImprintMatch {
    let NumberReading { digits, confidence } = read;
    match *digits == number.digits() {
        true if *confidence >= params.match_confidence => ImprintMatch::Matches,
        // one with fewer or more digits may be cut off, or have something beside it
        false if *confidence >= params.conflict_confidence && digits.len() == number.digits().len() => {
            ImprintMatch::Conflicts { read: digits.clone(), expected: number.text.clone(), imprint: "number" }
        }
        _ => ImprintMatch::Unreadable,
    }
}

/// The text of the barcode where `barcode` is declared. A linear one has little or nothing to check itself by, so two
/// readings must agree: of a bad copy one in a thousand takes one character for another.
fn read_barcode(page: &Page, barcode: &Barcode, map: &Projection, params: &ImprintParams) -> Option<String> {
    let area = barcode.bounds.inflate(params.barcode_margin_mm);
    let px_per_mm = params.barcode_px_per_mm.min((MAX_CROP_PX / area.area()).sqrt());
    let crop = rectify(&page.pixels, map, area, px_per_mm);
    let n_agreeing = if barcode.symbology.is_linear() { 2 } else { 1 };
    let mut readings: Vec<String> = Vec::new();
    for text in barcode_readings(&crop, barcode.symbology) {
        readings.push(text);
        let is_last = |text: &&String| readings.last() == Some(*text);
        if readings.iter().filter(is_last).count() >= n_agreeing {
            return readings.pop();
        }
    }
    None
}
