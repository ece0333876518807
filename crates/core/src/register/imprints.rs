//! Templates that lie on a page alike: which of them do its imprints name, barcodes and printed numbers?

use crate::{
    barcode::barcode_readings,
    form::{Barcode, FormTemplate, Number},
};
use formread_page::Page;
use formread_raster::{
    error::Result,
    geometry::{Projection, Rect},
    rectify,
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

/// Confidence, 0 to 1, from which a number that was read names the templates that declare it. Lowering it reads worse pages,
/// and takes a number of another form for one that is declared.
const NAMING: f64 = 0.7;
/// Confidence from which it denies those that declare another one of as many digits: a page is lost where it is wrong. Of 2,400
/// drawn numbers of four digits in six typefaces, of 9 and 18 points, at 150 and 300 dpi, 2,245 were read so surely and none of
/// these wrong; of the five that were misread the surest had 0.55.
const DENYING: f64 = 0.9;

/// What was read where a number is printed.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberReading {
    /// ASCII digits, nothing else.
    pub digits: String,
    /// The chance that these are the number's digits, 0 to 1.
    pub confidence: f64,
}

/// Reads the number printed at a place of a form (millimetres) that lies on the page by a map (millimetres to pixels).
/// `None` where there are no digits. Registration has no nets: whoever has them hands it this.
pub type ReadNumber<'a> = dyn Fn(&Page, Rect, &Projection) -> Result<Option<NumberReading>> + 'a;

/// Reads no number: what there is to hand on without nets.
///
/// # Errors
/// None.
pub fn read_no_number(_: &Page, _: Rect, _: &Projection) -> Result<Option<NumberReading>> {
    Ok(None)
}

/// What the imprints on a page say to a template.
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
        /// What it was read from, for a person.
        imprint: &'static str,
    },
    /// There is none, or none that can be read.
    Silent,
}

/// What was read on a page that none of the templates `idxs` declares, by the `words` to each, and what they declare there.
pub fn told(templates: &[FormTemplate], idxs: &[usize], words: &[Word]) -> String {
    let denied = idxs.iter().zip(words).filter_map(|(&idx, word)| match word {
        Word::Denied { read, expected, imprint } => {
            Some(((imprint, read), format!("{expected:?} ({})", templates[idx].name)))
        }
        Word::Named | Word::Silent => None,
    });
    let (read, expected): (Vec<_>, Vec<String>) = denied.unzip();
    let (imprint, read) = read.first().copied().map_or(("imprint", ""), |(imprint, read)| (*imprint, read.as_str()));
    let read: String = read.chars().take(MOST_TOLD).collect();
    let more = if expected.len() > MOST_EXPECTED { ", ..." } else { "" };
    format!("{imprint}: {read:?}, expected: {}{more}", expected[..expected.len().min(MOST_EXPECTED)].join(", "))
}

/// What is declared, where, and what was read of it.
type Seen<K, T> = Vec<(Rect, K, Option<T>)>;

/// What `read` gives of the imprint of a `kind` at `bounds`, looked at once a page.
fn once<K: PartialEq, T: Clone>(
    seen: &mut Seen<K, T>,
    bounds: Rect,
    kind: K,
    read: impl FnOnce() -> Result<Option<T>>,
) -> Result<Option<T>> {
    if let Some((.., found)) = seen.iter().find(|of| of.0 == bounds && of.1 == kind) {
        return Ok(found.clone());
    }
    let found = read()?;
    seen.push((bounds, kind, found.clone()));
    Ok(found)
}

/// What the imprints on `page` say to each of the templates `idxs`, which lie on it by `map` (millimetres to pixels).
///
/// # Errors
/// Where `read_number` fails.
pub fn words(
    page: &Page,
    templates: &[FormTemplate],
    idxs: &[usize],
    map: &Projection,
    read_number: &ReadNumber<'_>,
) -> Result<Vec<Word>> {
    let (mut barcodes, mut numbers) = (Seen::new(), Seen::new());
    let mut said = |imprint: Imprint<'_>| -> Result<Word> {
        match imprint {
            Imprint::Barcode(barcode) => {
                let read = || Ok(reading(page, barcode, map));
                let read = once(&mut barcodes, barcode.bounds, barcode.symbology, read)?;
                Ok(read.map_or(Word::Silent, |read| by_barcode(barcode, read)))
            }
            Imprint::Number(number) => {
                let read = once(&mut numbers, number.bounds, (), || read_number(page, number.bounds, map))?;
                Ok(read.map_or(Word::Silent, |read| by_number(number, read)))
            }
        }
    };
    let mut word = |&idx: &usize| {
        let FormTemplate { barcodes, numbers, .. } = &templates[idx];
        let imprints = barcodes.iter().map(Imprint::Barcode).chain(numbers.iter().map(Imprint::Number));
        let mut word = Word::Silent;
        for imprint in imprints {
            match said(imprint)? {
                Word::Silent => {}
                denied @ Word::Denied { .. } => return Ok(denied),
                Word::Named => word = Word::Named,
            }
        }
        Ok(word)
    };
    idxs.iter().map(&mut word).collect()
}

/// One of the two.
enum Imprint<'a> {
    Barcode(&'a Barcode),
    Number(&'a Number),
}

fn by_barcode(barcode: &Barcode, read: String) -> Word {
    if barcode.matches(&read) {
        return Word::Named;
    }
    Word::Denied { read, expected: barcode.pattern.clone(), imprint: "barcode" }
}

fn by_number(number: &Number, read: NumberReading) -> Word {
    let NumberReading { digits, confidence } = read;
    match digits == number.digits() {
        true if confidence >= NAMING => Word::Named,
        // one with fewer or more digits may be cut off, or have something beside it
        false if confidence >= DENYING && digits.len() == number.digits().len() => {
            Word::Denied { read: digits, expected: number.text.clone(), imprint: "number" }
        }
        _ => Word::Silent,
    }
}

/// What the barcode says that lies where `barcode` is declared. A linear one has little or nothing to check itself by, so it
/// must be read twice alike: one look in a thousand at a bad copy takes one character for another.
fn reading(page: &Page, barcode: &Barcode, map: &Projection) -> Option<String> {
    let area = barcode.bounds.inflate(MARGIN_MM);
    let px_per_mm = CROP_PX_PER_MM.min((MAX_CROP_PX / area.area()).sqrt());
    let crop = rectify(&page.pixels, map, area, px_per_mm);
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
