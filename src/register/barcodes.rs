//! Templates that lie on a page alike: which of them do its barcodes name?

use crate::{
    form::{Barcode, FormTemplate},
    geometry::{Projection, Rect},
    page::Page,
    raster::{Symbology, barcode_readings, rectified},
};

/// White around a barcode, and how far bent paper may move it, millimetres.
const MARGIN_MM: f64 = 3.0;
/// Resolution of the crop, pixels a millimetre.
const CROP_PX_PER_MM: f64 = 12.0;
/// Most pixels of the crop: what is larger is cut coarser. A barcode is seldom larger than 50 x 30 mm.
const MAX_CROP_PX: f64 = 2e6;
/// Longest part of a reading that is told to a person, characters.
const MOST_TOLD: usize = 60;
/// Most templates that are told with it.
const MOST_EXPECTED: usize = 4;

/// What the barcodes on a page say to a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// They name it: what was read is what it declares.
    Named,
    /// They name another form.
    Denied {
        /// What was read.
        read: String,
        /// What the template declares there.
        expected: String,
    },
    /// There is none, or none that can be read.
    Silent,
}

/// What was read on a page that none of the templates `idxs` declares, by the `words` to each, and what they declare there.
pub fn told(templates: &[FormTemplate], idxs: &[usize], words: &[Word]) -> String {
    let denied = idxs.iter().zip(words).filter_map(|(&idx, word)| match word {
        Word::Denied { read, expected } => Some((read, format!("{expected:?} ({})", templates[idx].name))),
        Word::Named | Word::Silent => None,
    });
    let (read, expected): (Vec<&String>, Vec<String>) = denied.unzip();
    let read: String = read.first().map(|read| read.chars().take(MOST_TOLD).collect()).unwrap_or_default();
    let more = if expected.len() > MOST_EXPECTED { ", ..." } else { "" };
    format!("barcode: {read:?}, expected: {}{more}", expected[..expected.len().min(MOST_EXPECTED)].join(", "))
}

/// What the barcodes on `page` say to each of the templates `idxs`, which lie on it by `map` (millimetres to pixels).
pub fn words(page: &Page, templates: &[FormTemplate], idxs: &[usize], map: &Projection) -> Vec<Word> {
    let mut read: Vec<(Rect, Symbology, Option<String>)> = Vec::new();
    let mut reading_of = |barcode: &Barcode| {
        let is_there = |of: &&(Rect, Symbology, Option<String>)| (of.0, of.1) == (barcode.bounds, barcode.symbology);
        if let Some((.., text)) = read.iter().find(is_there) {
            return text.clone();
        }
        let text = reading(page, barcode, map);
        read.push((barcode.bounds, barcode.symbology, text.clone()));
        text
    };
    let mut word = |&idx: &usize| {
        let mut word = Word::Silent;
        for barcode in &templates[idx].barcodes {
            match reading_of(barcode) {
                Some(read) if !barcode.is(&read) => {
                    return Word::Denied { read, expected: barcode.says.clone() };
                }
                Some(_) => word = Word::Named,
                None => {}
            }
        }
        word
    };
    idxs.iter().map(&mut word).collect()
}

/// What the barcode says that lies where `barcode` is declared. A linear one has little or nothing to check itself by, so it
/// must be read twice alike: one look in a thousand at a bad copy takes one character for another.
fn reading(page: &Page, barcode: &Barcode, map: &Projection) -> Option<String> {
    let area = barcode.bounds.grown(MARGIN_MM);
    let px_per_mm = CROP_PX_PER_MM.min((MAX_CROP_PX / area.area()).sqrt());
    let crop = rectified(&page.pixels, map, area, px_per_mm);
    let n_alike = if barcode.symbology.is_linear() { 2 } else { 1 };
    let mut seen: Vec<String> = Vec::new();
    for text in barcode_readings(&crop, barcode.symbology) {
        seen.push(text);
        let is_last = |text: &&String| seen.last() == Some(*text);
        if seen.iter().filter(is_last).count() >= n_alike {
            return seen.pop();
        }
    }
    None
}
