//! Documents of several pages, on drawn forms whose rules tie the pages together.

use std::{fs, num::NonZeroUsize, path::Path};

use formread::{
    pipeline::{ExistingOutput, RunOptions, journal_path, run},
    sink::{fields_path, run_path},
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
/// Of the cover.
pub const RULE: &str = "sum = own + tax-schedule.total";

/// A form with two combs; its lines distinguish it from others.
pub fn form(name: &str, lines: &str, more: &str, fields: [(&str, u32); 2]) -> FormTemplate {
    let mut text = format!("name = \"{name}\"\ntitle = \"For tests\"\npage = [120, 160]\nlines = [{lines}]\n{more}\n");
    for (field, y) in fields {
        let comb = format!("comb = {{ at = [30, {y}], cell = [9, 12], groups = [3] }}");
        text += &format!("[[field]]\nname = \"{field}\"\nkind = \"integer\"\ndigits = [1, 3]\n{comb}\n");
    }
    parse_template(&text).expect("it is well formed")
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

/// A digit of straight strokes, as a pocket calculator shows it: 0 paper, 255 ink.
fn digit_ink(digit: usize) -> GrayImage {
    const STROKES: [[u32; 4]; 7] =
        [[4, 0, 18, 4], [18, 0, 4, 20], [18, 20, 4, 20], [4, 36, 18, 4], [4, 20, 4, 20], [4, 0, 4, 20], [4, 18, 18, 4]];
    const LIT: [u8; N_DIGITS] = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f];
    let lit = |(i, _): &(usize, &[u32; 4])| LIT[digit] >> i & 1 == 1;
    GrayImage::from_fn(26, 40, |x, y| {
        let on = |[left, top, w, h]: &[u32; 4]| (*left..left + w).contains(&x) && (*top..top + h).contains(&y);
        Luma([if STROKES.iter().enumerate().filter(lit).any(|(_, stroke)| on(stroke)) { 255 } else { 0 }])
    })
}

/// Knows the digits of [`digit_ink`], and takes a 7 for a 1 rather than for what it is.
struct Calculator {
    digits: Vec<Glyph>,
}

impl GlyphClassifier for Calculator {
    fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
        let glyphs = batch.pixels.chunks(batch.pixels.len() / batch.n_glyphs.max(1));
        let score = |glyph: &[f32]| {
            let off = |known: &Glyph| -> f32 { known.iter().zip(glyph).map(|(a, b)| (a - b).powi(2)).sum() };
            let nearest = (0..N_DIGITS).min_by(|&a, &b| off(&self.digits[a]).total_cmp(&off(&self.digits[b])));
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
        .expect("the rules name what is there")
}

fn reader() -> Reader {
    reader_of(forms())
}

/// A page of `form` with these numbers in its fields; nothing where there is none.
pub fn page(form: &FormTemplate, numbers: [&str; 2]) -> GrayImage {
    let stock =
        GlyphStock::new((0..N_DIGITS).map(|digit| (digit_ink(digit), digit as u8, None))).expect("all are there");
    let options = SynthOptions { dpi: DPI, blanks: 1.0, ..SynthOptions::default() };
    let mut drawn = synthesise(form, &stock, &options, 0).expect("there are no values to find");
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
fn a_reader_wants_every_form_that_rules_name() {
    let make = || Ok(GlyphsOnly(Calculator { digits: Vec::new() }));
    let of =
        |templates| Reader::builder().templates(templates).backend(FnBackend::new("calculator", make)).build().err();
    let [cover, schedule] = forms().try_into().expect("there are two");
    assert!(of(vec![schedule.clone(), cover.clone()]).is_none());
    let error = of(vec![cover.clone()]).expect("the schedule is missing");
    assert!(error.to_string().starts_with("line 5: malformed template: tax-return: rule: "), "{error}");
    let mut other = schedule;
    other.fields.retain(|field| field.name != "total");
    let error = of(vec![other, cover]).expect("its total is missing");
    assert!(error.to_string().ends_with("unknown field of tax-schedule: total\nhint: its fields are item"), "{error}");
}

#[test]
fn another_page_says_what_a_digit_is() {
    let (reader, bytes) = (reader(), two_schedules());
    let records = reader.stages().read(&bytes).expect("the net does not fail");
    let fields = records.iter().flat_map(|record| match &record.reading {
        PageReading::Read { fields, .. } => fields.as_slice(),
        rejected @ PageReading::Rejected { .. } => panic!("{rejected:?}"),
    });
    let said: Vec<(&str, &FieldState)> = fields.map(|field| (field.guess.as_str(), &field.state)).collect();
    let (accepted, blank) = (&FieldState::Accepted, &FieldState::Blank);
    let want = [("3", accepted), ("47", accepted), ("10", accepted), ("82", accepted), ("", blank), ("25", accepted)];
    assert_eq!(said, want);

    // what is explained is what was read, by whatever page
    let explained = explain(&reader, "a.tif", &bytes, 1, &["total".to_owned()]).expect("there is such a field");
    let total = &explained.fields[0];
    assert_eq!((total.value.as_str(), total.rules.as_slice()), ("47", &[RULE.to_owned()][..]));
    assert_eq!(total.correction.as_ref().map(|change| (change.from.as_str(), change.by.as_str())), Some(("41", RULE)));

    // a page by itself knows nothing of the others
    let alone = reader.stages().read(&tiff(&[schedule("3", "47")])).expect("the net does not fail");
    let PageReading::Read { fields, .. } = &alone[0].reading else { panic!("it is a schedule") };
    assert!(matches!(fields[1].state, FieldState::Review(_)) && fields[1].guess == "41", "{:?}", fields[1]);
}

/// Documents of all sorts, and files that are none.
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

fn tables(out: &Path) -> [String; 3] {
    [out.to_owned(), fields_path(out), run_path(out)].map(|path| fs::read_to_string(path).expect("it was written"))
}

#[test]
fn the_same_bytes_with_any_number_of_workers_and_wherever_a_run_is_cut_off() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let scans_dir = dir.path().join("in");
    fs::create_dir(&scans_dir).expect("it is writable");
    write_scans(&scans_dir);
    let (reader, scans) = (reader(), find_scans(&scans_dir).expect("it is there"));
    let read = |name: &str, jobs: usize, existing| {
        let (out, jobs) = (dir.path().join(name), NonZeroUsize::new(jobs).expect("the tests ask for some"));
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

    // a folder in the table's place: everything is read, but the table cannot take its name
    let out = dir.path().join("cut.csv");
    fs::create_dir(&out).expect("it is writable");
    read("cut.csv", 2, ExistingOutput::Overwrite).expect_err("a folder is in the way");
    fs::remove_dir(&out).expect("it is empty");
    let journal = fs::read(journal_path(&out)).expect("what was read is kept");
    for part in 0..=5 {
        for path in [out.clone(), fields_path(&out), run_path(&out)] {
            let _ = fs::remove_file(path);
        }
        fs::write(journal_path(&out), &journal[..journal.len() * part / 5]).expect("it is writable");
        assert_eq!(read("cut.csv", 2, ExistingOutput::Resume).expect("it can go on"), want, "cut at {part}/5");
    }
}
