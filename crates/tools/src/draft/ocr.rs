//! Reads the words printed on a blank with Tesseract, a program of the system that carries its own models.
//!
//! The lines of the form are painted over first, and Tesseract is asked for scattered text: a form is no page of a book.

use std::{
    collections::BTreeMap,
    io::{Seek, Write},
    process::{Command, Stdio},
    time::Duration,
};

use image::{GrayImage, ImageFormat, Luma, imageops};
use process_control::{ChildExt, Control, Output};
use serde::Deserialize;

use super::{ink::in_px, sheet::Sheet, upright::median};
use formread_page::pdf::TextWord;
use formread_raster::{
    error::{Error, Result},
    geometry::{MM_PER_INCH, Rect},
};

/// Its name on the PATH.
const PROGRAM: &str = "tesseract";
/// The language of the words if none is given.
const DEFAULT_LANGUAGE: &str = "eng";
/// Longest time for a page.
const MAX_TIME: Duration = Duration::from_secs(120);
/// Its way to divide a page: as much text as there is, in no order.
const SCATTERED_TEXT: &str = "11";
/// A word of which Tesseract is less sure is none, of 100. Chosen on the blanks of `form-cases`, where what is no word has up to 21.
const MIN_CONFIDENCE: f64 = 30.0;
/// Half of the breadth that is painted over along a line, millimetres.
const HALF_LINE_MM: f64 = 0.35;
/// Breadth of the paper around it by which it is painted, millimetres.
const PAPER_MM: f64 = 1.0;
/// Letters that hang below their line.
const HANGING: &str = "gjpqyQ,;()[]{}/|$@_";
/// Letters in lower case that rise to the height of a capital.
const RISING: &str = "bdfhklt";

/// Tesseract with the languages of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ocr {
    languages: String,
}

/// A row of its table. All are numbers of pixels but the text.
#[derive(Debug, Deserialize)]
struct Row {
    level: u32,
    block_num: u32,
    par_num: u32,
    line_num: u32,
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    conf: f64,
    text: String,
}

/// The level of a word.
const WORD: u32 = 5;

impl Ocr {
    /// Tesseract with `languages`, as it names them: `eng`, `deu+eng`.
    ///
    /// # Errors
    /// `Usage` if it is not installed, or lacks one of them.
    pub fn with_languages(languages: &str) -> Result<Self> {
        let installed = installed_languages().ok_or_else(|| {
            Error::usage("Tesseract is not installed").with_hint("on Debian: apt-get install tesseract-ocr")
        })?;
        match languages.split('+').find(|language| !installed.iter().any(|known| known == language)) {
            None => Ok(Self { languages: languages.to_owned() }),
            Some(missing) => {
                let hint = format!("it has {}", installed.join(", "));
                Err(Error::usage(format!("Tesseract has no language {missing:?}")).with_hint(hint))
            }
        }
    }

    /// Tesseract with English; `None` if it is not installed, or lacks it.
    pub fn installed() -> Option<Self> {
        Self::with_languages(DEFAULT_LANGUAGE).ok()
    }

    /// The words on `sheet`, in millimetres of it. `lines` is where its lines are, the frames among them, millimetres.
    ///
    /// # Errors
    /// `Io`, `TimedOut` or `Usage` if Tesseract cannot be run, takes too long, or fails.
    pub(super) fn words(&self, sheet: &Sheet, lines: &[Rect]) -> Result<Vec<TextWord>> {
        let mut image = sheet.pixels.clone();
        lines.iter().for_each(|line| paint_over(&mut image, line.inflate(HALF_LINE_MM), sheet.px_per_mm));
        let table = self.run(&image, sheet.px_per_mm * MM_PER_INCH)?;
        let rows = csv::ReaderBuilder::new().delimiter(b'\t').quoting(false).from_reader(&*table).into_deserialize();
        // its rows without text lack the last column
        let words = rows.filter_map(|row| row.ok()).filter(is_word).collect();
        Ok(text_words(words, sheet.px_per_mm))
    }

    /// The table that it makes of a picture.
    fn run(&self, image: &GrayImage, dpi: f64) -> Result<Vec<u8>> {
        let mut input = tempfile::tempfile()?;
        let mut png = std::io::Cursor::new(Vec::new());
        image.write_to(&mut png, ImageFormat::Png).map_err(|error| Error::internal(error.to_string()))?;
        input.write_all(png.get_ref())?;
        input.rewind()?;
        let mut command = Command::new(PROGRAM);
        command.args(["stdin", "stdout", "-l", &self.languages, "--psm", SCATTERED_TEXT]);
        command.args(["--dpi", &format!("{dpi:.0}"), "tsv"]).env("OMP_THREAD_LIMIT", "1").stdin(input);
        let hint = "without it the fields have no names: --ocr off";
        let Output { status, stdout, stderr } = output_of(command)?.ok_or_else(|| {
            Error::timed_out(format!("Tesseract took longer than {} s", MAX_TIME.as_secs())).with_hint(hint)
        })?;
        if !status.success() {
            let said = String::from_utf8_lossy(&stderr);
            let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it gave no reason");
            return Err(Error::usage(format!("Tesseract failed: {last}")).with_hint(hint));
        }
        Ok(stdout)
    }
}

/// What it has; `None` if it is not installed.
fn installed_languages() -> Option<Vec<String>> {
    let mut command = Command::new(PROGRAM);
    command.arg("--list-langs").stdin(Stdio::null());
    let listed = output_of(command).ok()??.stdout;
    // the first line is a heading
    Some(String::from_utf8_lossy(&listed).lines().skip(1).map(|line| line.trim().to_owned()).collect())
}

/// How a program ended, and what it said; `None` if it took longer than [`MAX_TIME`].
fn output_of(mut command: Command) -> std::io::Result<Option<Output>> {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    child.controlled_with_output().time_limit(MAX_TIME).terminate_for_timeout().wait()
}

fn is_word(row: &Row) -> bool {
    row.level == WORD
        && row.conf >= MIN_CONFIDENCE
        && row.text.chars().any(char::is_alphanumeric)
        && !row.text.chars().any(char::is_whitespace)
}

/// Makes an area as light as the paper around it: as the upper quarter of the pixels there.
fn paint_over(image: &mut GrayImage, area: Rect, px_per_mm: f64) {
    let bounds = Rect::from_edges(0.0, 0.0, f64::from(image.width()), f64::from(image.height()));
    let place = |area: Rect| in_px(area, px_per_mm).intersection(bounds).and_then(|area| pixels_of(area, image));
    let (Some(around), Some(area)) = (place(area.inflate(PAPER_MM)), place(area)) else { return };
    let [x0, y0, width, height] = around;
    let mut levels: Vec<u8> = imageops::crop_imm(image, x0, y0, width, height).to_image().into_raw();
    let quarter = levels.len() / 4;
    let (_, paper, _) = levels.select_nth_unstable_by(quarter, |a, b| b.cmp(a));
    let [x0, y0, width, height] = area;
    imageops::replace(image, &GrayImage::from_pixel(width, height, Luma([*paper])), i64::from(x0), i64::from(y0));
}

/// The pixels that an area touches: left, top, width and height; `None` if there are none.
fn pixels_of(area: Rect, image: &GrayImage) -> Option<[u32; 4]> {
    let [x0, y0] = [area.x0, area.y0].map(|px| px.floor() as u32);
    let x1 = (area.x1.ceil() as u32).min(image.width());
    let y1 = (area.y1.ceil() as u32).min(image.height());
    (x1 > x0 && y1 > y0).then_some([x0, y0, x1 - x0, y1 - y0])
}

/// The words with the bounds that a PDF gives them: from the foot of their line to the head of its capitals.
fn text_words(words: Vec<Row>, px_per_mm: f64) -> Vec<TextWord> {
    let mut lines: BTreeMap<[u32; 3], Vec<Row>> = BTreeMap::new();
    for word in words {
        lines.entry([word.block_num, word.par_num, word.line_num]).or_default().push(word);
    }
    let of_line = |line: &Vec<Row>| {
        let has_foot = |word: &&Row| !word.text.contains(|c: char| HANGING.contains(c));
        let has_head =
            |word: &&Row| word.text.contains(|c: char| c.is_uppercase() || c.is_numeric() || RISING.contains(c));
        let foot = median(line.iter().filter(has_foot).map(|word| word.top + word.height));
        let head = median(line.iter().filter(has_head).map(|word| word.top));
        let text_word = |word: &Row| {
            let [y0, y1] = [head.unwrap_or(word.top), foot.unwrap_or(word.top + word.height)].map(|px| px / px_per_mm);
            let [x0, x1] = [word.left, word.left + word.width].map(|px| px / px_per_mm);
            TextWord { text: word.text.clone(), bounds: Rect::from_edges(x0, y0, x1, y1) }
        };
        line.iter().map(text_word).collect::<Vec<_>>()
    };
    lines.values().flat_map(of_line).filter(|word| word.bounds.height() > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, [left, top, width, height]: [f64; 4]) -> Row {
        Row {
            level: WORD,
            block_num: 1,
            par_num: 1,
            line_num: 1,
            left,
            top,
            width,
            height,
            conf: 90.0,
            text: text.to_owned(),
        }
    }

    #[test]
    fn words_of_a_line_reach_from_its_foot_to_the_head_of_its_capitals() {
        // at 10 pixels a millimetre: capitals are 2 mm high, small letters 1.4, what hangs reaches 0.6 mm lower
        let line = vec![
            word("Taxes", [100.0, 50.0, 60.0, 20.0]),
            word("you", [170.0, 56.0, 40.0, 20.0]),
            word("owe", [220.0, 56.0, 40.0, 14.0]),
        ];
        let bounds: Vec<Rect> = text_words(line, 10.0).into_iter().map(|word| word.bounds).collect();
        for (found, [x0, x1]) in bounds.iter().zip([[10.0, 16.0], [17.0, 21.0], [22.0, 26.0]]) {
            assert_eq!((found.x0, found.x1, found.y0, found.y1), (x0, x1, 5.0, 7.0), "{bounds:?}");
        }
        let [alone] = &text_words(vec![word("you", [0.0, 6.0, 40.0, 20.0])], 10.0)[..] else { panic!("one word") };
        assert_eq!((alone.bounds.y0, alone.bounds.y1), (0.6, 2.6), "nothing tells its foot");
    }

    #[test]
    fn unsure_and_empty_rows_are_no_words() {
        let sure = word("Total", [0.0; 4]);
        assert!(is_word(&sure));
        assert!(!is_word(&Row { conf: MIN_CONFIDENCE - 1.0, ..word("Total", [0.0; 4]) }));
        assert!(!is_word(&word("|_|", [0.0; 4])) && !is_word(&Row { level: WORD - 1, ..sure }));
    }

    #[test]
    fn line_is_painted_over_with_the_paper_beside_it_and_ink_further_away_is_kept() {
        let mut image = GrayImage::from_fn(200, 100, |x, y| match (x, y) {
            (_, 49..=51) => Luma([20]),
            (150, 20) => Luma([30]),
            _ => Luma([if x < 100 { 210 } else { 180 }]),
        });
        paint_over(&mut image, Rect::from_edges(0.0, 5.0, 9.0, 5.0).inflate(HALF_LINE_MM), 10.0);
        assert_eq!(
            (image.get_pixel(50, 50).0, image.get_pixel(150, 50).0, image.get_pixel(150, 20).0),
            ([210], [20], [30])
        );
        paint_over(&mut image, Rect::from_edges(-5.0, -5.0, -4.0, -4.0), 10.0);
        paint_over(&mut image, Rect::from_edges(19.0, 9.0, 40.0, 40.0), 10.0);
        assert_eq!(image.dimensions(), (200, 100));
    }
}
