//! Documents of several pages, on drawn forms with rules across pages.

use std::{fs, num::NonZeroUsize, path::Path};

use formread::{
    pipeline::{ExistingOutput, RunOptions, journal_path, run},
    sink::{fields_path, readings_path, run_path},
};
use formread_core::{
    assemble::{FieldState, PageReading},
    form::{FormTemplate, parse_template},
    normalise::{Glyph, GlyphBatch, normalise},
    reader::Reader,
    recognise::{FnBackend, GlyphClassifier, GlyphsOnly},
    scores::{GlyphScores, N_DIGITS},
};
use formread_page::scans::find_scans;
use formread_raster::{error::Result, geometry::Rect};
use formread_tools::{
    explain::explain,
    synth::{GlyphStock, ScanFormat, SynthOptions, encode_scan, synthesise},
};
use image::{GrayImage, Luma, imageops::overlay};

const DPI: f64 = 150.0;
/// The rule of the cover.
pub const RULE: &str = "sum = own + tax-schedule.total";

/// A form with two combs; its lines distinguish it from others.
pub fn form(name: &str, lines: &str, more: &str, fields: [(&str, u32); 2]) -> FormTemplate {
    let mut text = format!("name = \"{name}\"\ntitle = \"For tests\"\npage = [120, 160]\nlines = [{lines}]\n{more}\n");
    for (field, y) in fields {
        let comb = format!("comb = {{ at = [30, {y}], cell = [9, 12], groups = [3] }}");
        text += &format!("[[field]]\nname = \"{field}\"\nkind = \"integer\"\ndigits = [1, 3]\n{comb}\n");
    }
    parse_template(&text).expect("the template is well formed")
}

/// A cover and its schedule.
pub fn forms() -> Vec<FormTemplate> {
    let cover = "[8, 30, 112, 30], [8, 33, 112, 33], [8, 140, 90, 140], [20, 150, 112, 150], [75, 40, 75, 130]";
    let schedule = "[8, 12, 60, 12], [8, 60, 112, 60], [8, 64, 112, 64], [15, 70, 15, 150], [100, 70, 100, 120]";
    let rule = format!("rules = [\"{RULE}\"]");
    vec![
        form("tax-return", cover, &rule, [("own", 60), ("sum", 90)]),
        form("tax-schedule", schedule, "", [("item", 80), ("total", 110)]),
    ]
}

/// A seven-segment digit, as a pocket calculator shows it: 0 paper, 255 ink.
fn digit_ink(digit: usize) -> GrayImage {
    const STROKES: [[u32; 4]; 7] =
        [[4, 0, 18, 4], [18, 0, 4, 20], [18, 20, 4, 20], [4, 36, 18, 4], [4, 20, 4, 20], [4, 0, 4, 20], [4, 18, 18, 4]];
    const SEGMENTS: [u8; N_DIGITS] = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f];
    let is_lit = |(i, _): &(usize, &[u32; 4])| SEGMENTS[digit] >> i & 1 == 1;
    GrayImage::from_fn(26, 40, |x, y| {
        let contains = |[left, top, w, h]: &[u32; 4]| (*left..left + w).contains(&x) && (*top..top + h).contains(&y);
        Luma([if STROKES.iter().enumerate().filter(is_lit).any(|(_, stroke)| contains(stroke)) { 255 } else { 0 }])
    })
}

/// Recognises the digits of [`digit_ink`], but gives a 1 a higher score than a 7 where a 7 is written.
struct Calculator {
    digits: Vec<Glyph>,
}

impl GlyphClassifier for Calculator {
    fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
        let glyphs = batch.pixels.chunks(batch.pixels.len() / batch.n_glyphs.max(1));
        let score = |glyph: &[f32]| {
            let distance = |known: &Glyph| -> f32 { known.iter().zip(glyph).map(|(a, b)| (a - b).powi(2)).sum() };
            let nearest =
                (0..N_DIGITS).min_by(|&a, &b| distance(&self.digits[a]).total_cmp(&distance(&self.digits[b])));
            let mut digits = [0.000_01; N_DIGITS];
            match nearest {
                Some(7) => (digits[1], digits[7]) = (0.55, 0.449_9),
                nearest => digits[nearest.unwrap_or(0)] = 0.999_9,
            }
            GlyphScores::of_digit(digits)
        };
        Ok(glyphs.map(score).collect())
    }
}

pub fn reader_of(templates: Vec<FormTemplate>) -> Reader {
    let make = || {
        let digits = (0..N_DIGITS).map(|digit| normalise(&digit_ink(digit)).expect("it is ink")).collect();
        Ok(GlyphsOnly(Calculator { digits }))
    };
    Reader::builder()
        .templates(templates)
        .backend(FnBackend::new("calculator", make))
        .build()
        .expect("the rules name existing fields")
}

fn reader() -> Reader {
    reader_of(forms())
}

/// A page of `form` with these numbers in its fields. An empty text leaves a field blank.
pub fn page(form: &FormTemplate, numbers: [&str; 2]) -> GrayImage {
    let stock = GlyphStock::new((0..N_DIGITS).map(|digit| (digit_ink(digit), digit as u8, None)))
        .expect("the stock has every digit");
    let options = SynthOptions { dpi: DPI, blanks: 1.0, ..SynthOptions::default() };
    let mut drawn = synthesise(form, &stock, &options, 0).expect("all fields are blank");
    for (field, number) in form.fields.iter().zip(numbers) {
        for (cell, digit) in field.layout.cells().iter().zip(number.bytes()) {
            let ink = digit_ink(usize::from(digit - b'0'));
            let on_page = Rect::around(drawn.page_from_template.apply_rect(*cell)).expect("it has corners");
            let mut dark = GrayImage::from_fn(ink.width(), ink.height(), |x, y| Luma([255 - ink.get_pixel(x, y)[0]]));
            dark.pixels_mut().for_each(|pixel| pixel[0] = pixel[0].max(20));
            let [left, top] = [on_page.centre().x - 13.0, on_page.centre().y - 20.0].map(|edge| edge.round() as i64);
            overlay(&mut drawn.image, &dark, left, top);
        }
    }
    drawn.image
}

pub fn cover(own: &str, sum: &str) -> GrayImage {
    page(&forms()[0], [own, sum])
}

pub fn schedule(item: &str, total: &str) -> GrayImage {
    page(&forms()[1], [item, total])
}

pub fn tiff(pages: &[GrayImage]) -> Vec<u8> {
    encode_scan(pages, ScanFormat::Tiff, DPI).expect("it holds several pages")
}

/// 10 + 47 + 25 = 82; the 7 is read as a 1.
fn two_schedules() -> Vec<u8> {
    tiff(&[schedule("3", "47"), cover("10", "82"), schedule("", "25")])
}

#[test]
fn reader_without_a_form_or_field_that_rules_name_is_an_error() {
    let make = || Ok(GlyphsOnly(Calculator { digits: Vec::new() }));
    let build_error =
        |templates| Reader::builder().templates(templates).backend(FnBackend::new("calculator", make)).build().err();
    let [cover, schedule] = forms().try_into().expect("there are two");
    assert!(build_error(vec![schedule.clone(), cover.clone()]).is_none());
    let error = build_error(vec![cover.clone()]).expect("the schedule is missing");
    assert!(error.to_string().starts_with("line 5: malformed template: tax-return: rule: "), "{error}");
    let mut other = schedule;
    other.fields.retain(|field| field.name != "total");
    let error = build_error(vec![other, cover]).expect("its total is missing");
    assert!(error.to_string().ends_with("unknown field of tax-schedule: total\nhint: its fields are item"), "{error}");
}

#[test]
fn doubtful_digit_is_corrected_by_other_pages() {
    let (reader, bytes) = (reader(), two_schedules());
    let records = reader.stages().read(&bytes).expect("the net does not fail");
    let fields = records.iter().flat_map(|record| match &record.reading {
        PageReading::Read { fields, .. } => fields.as_slice(),
        rejected @ PageReading::Rejected { .. } => panic!("{rejected:?}"),
    });
    let readings: Vec<(&str, &FieldState)> = fields.map(|field| (field.guess.as_str(), &field.state)).collect();
    let (accepted, blank) = (&FieldState::Accepted, &FieldState::Blank);
    let want = [("3", accepted), ("47", accepted), ("10", accepted), ("82", accepted), ("", blank), ("25", accepted)];
    assert_eq!(readings, want);

    // The explanation has the corrected value, though the correction comes from other pages.
    let explained = explain(&reader, "a.tif", &bytes, 1, &["total".to_owned()]).expect("there is such a field");
    let total = &explained.fields[0];
    assert_eq!((total.value.as_str(), total.rules.as_slice()), ("47", &[RULE.to_owned()][..]));
    assert_eq!(total.correction.as_ref().map(|change| (change.from.as_str(), change.by.as_str())), Some(("41", RULE)));

    // A page alone is not corrected.
    let alone = reader.stages().read(&tiff(&[schedule("3", "47")])).expect("the net does not fail");
    let PageReading::Read { fields, .. } = &alone[0].reading else { panic!("it is a schedule") };
    assert!(matches!(fields[1].state, FieldState::Review(_)) && fields[1].guess == "41", "{:?}", fields[1]);
}

/// Writes documents on which the rule holds or fails, with missing or blank pages, and a file that is not a scan.
fn write_scans(folder: &Path) {
    for (name, bytes) in [
        ("a.tif", two_schedules()),
        ("b.tif", tiff(&[cover("10", "84"), schedule("8", "25")])),
        ("c.tif", tiff(&[cover("10", "84")])),
        ("d.tif", b"no picture".to_vec()),
        ("e.tif", tiff(&[cover("10", "84"), schedule("8", "25"), GrayImage::from_pixel(700, 900, Luma([255]))])),
        ("f.tif", tiff(&[schedule("", "25")])),
    ] {
        fs::write(folder.join(name), bytes).expect("it is writable");
    }
}

fn tables(out: &Path) -> [String; 4] {
    [out.to_owned(), fields_path(out), readings_path(out), run_path(out)]
        .map(|path| fs::read_to_string(path).expect("it was written"))
}

#[test]
fn output_is_the_same_for_any_number_of_workers_and_any_interruption() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let scans_dir = dir.path().join("in");
    fs::create_dir(&scans_dir).expect("it is writable");
    write_scans(&scans_dir);
    let (reader, scans) = (reader(), find_scans(&scans_dir).expect("the folder exists"));
    let read = |name: &str, jobs: usize, existing| {
        let (out, jobs) = (dir.path().join(name), NonZeroUsize::new(jobs).expect("it is not zero"));
        let options = RunOptions { existing, ..RunOptions::new(out.clone(), jobs) };
        run(&reader, &scans, &options, |_| {}).map(|_| tables(&out))
    };
    let want = read("one.csv", 1, ExistingOutput::Refuse).expect("it can run");
    let failed = format!("failed-check:{RULE}");
    assert_eq!(
        want[0],
        "scan,page,form,verdict,attention,own,sum,item,total\n\
         a.tif,1,tax-schedule,accepted,,,,3,47\n\
         a.tif,2,tax-return,accepted,,10,82,,\n\
         a.tif,3,tax-schedule,accepted,,,,,25\n\
         b.tif,1,tax-return,review,own;sum,,,,\n\
         b.tif,2,tax-schedule,review,total,,,8,\n\
         c.tif,1,tax-return,accepted,,10,84,,\n\
         d.tif,1,,rejected,unreadable,,,,\n\
         e.tif,1,tax-return,review,own;sum,,,,\n\
         e.tif,2,tax-schedule,review,total,,,8,\n\
         e.tif,3,,rejected,blank-page,,,,\n\
         f.tif,1,tax-schedule,accepted,,,,,25\n"
    );
    assert_eq!(want[1].lines().filter(|line| line.contains(&failed)).count(), 6, "{}", want[1]);
    assert_eq!(read("four.csv", 4, ExistingOutput::Refuse).expect("it can run"), want);

    // A folder gets the name of the table during the run: everything is read, but the table cannot be renamed.
    let out = dir.path().join("cut.csv");
    let options = RunOptions::new(out.clone(), NonZeroUsize::new(2).expect("it is not zero"));
    run(&reader, &scans, &options, |_| drop(fs::create_dir(&out))).expect_err("the name is that of a folder");
    fs::remove_dir(&out).expect("it is empty");
    let journal = fs::read(journal_path(&out)).expect("the journal is kept");
    for part in 0..=5 {
        for path in [out.clone(), fields_path(&out), readings_path(&out), run_path(&out)] {
            let _ = fs::remove_file(path);
        }
        fs::write(journal_path(&out), &journal[..journal.len() * part / 5]).expect("it is writable");
        assert_eq!(read("cut.csv", 2, ExistingOutput::Resume).expect("it can be resumed"), want, "cut at {part}/5");
    }
}
