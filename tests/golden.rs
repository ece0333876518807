//! Golden outputs: what the stages and the whole pipeline make of the fixtures, compared with files in `fixtures/golden`.
//!
//! - `stand-in`: the tables of a run with a recogniser of plain arithmetic, byte for byte.
//! - `nets`: the tables of a run with the shipped nets in float32; confidences may differ by [`CONFIDENCE_TOLERANCE`].
//! - `pieces`: how a template lies on a page, how a field was cut, and its ink, field by field.
//!
//! A failure names a picture of the difference. `make golden` renews the files; their diff is reviewed like code.

mod compare;
mod stand_in;

use std::{
    fmt::Write,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use formread::{
    pipeline::{RunOptions, run},
    sink::fields_path,
};
use formread_core::{
    assemble::PageReading,
    form::{FormTemplate, known_templates, parse_template},
    normalise::{GLYPH_SIDE, normalise},
    reader::{CutPage, Reader},
    recognise::FnBackend,
    segment::{FieldCut, FieldInk, Lattice, Signs, field_pictures},
};
use formread_page as page;
use formread_page::{Limits, Page, scans::find_scans};
use formread_raster::{
    error::Result,
    geometry::{Point, Rect},
};
use image::{GenericImage, GrayImage, Luma, imageops};

use compare::{assert_picture, assert_text, is_close, panels};
use stand_in::StandIn;

/// How far corners and residuals may lie from the golden ones, pixels.
const REGISTRATION_TOLERANCE_PX: f64 = 0.01;
/// How far the costs of a lattice may be from the golden ones.
const COST_TOLERANCE: f64 = 0.001;
/// How far a confidence of the nets may be from the golden one.
#[cfg(feature = "torch")]
const CONFIDENCE_TOLERANCE: f64 = 0.001;

/// Scans and the template they are read with.
struct Deck {
    /// Of its tables in the golden folders.
    name: &'static str,
    scans: &'static str,
    /// `None`: all templates that the program carries.
    template: Option<&'static str>,
}

const DECKS: [Deck; 3] = [
    Deck { name: "out", scans: "scans", template: None },
    Deck { name: "signs", scans: "signs/scans", template: Some("signs/cash-book.toml") },
    Deck { name: "marks", scans: "marks/scans", template: Some("marks/ballot.toml") },
];

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}

fn templates(file: Option<&str>) -> Vec<FormTemplate> {
    let Some(file) = file else { return known_templates().expect("they parse") };
    let text = fs::read_to_string(fixture(file)).expect("it comes with the program");
    vec![parse_template(&text).expect("it is well formed")]
}

fn stand_in(template: Option<&str>) -> Reader {
    let make = || Ok(StandIn);
    Reader::builder()
        .templates(templates(template))
        .backend(FnBackend::new("stand-in", make))
        .build()
        .expect("the stand-in is easily made")
}

/// The tables of a run over a deck: pages, then fields.
fn tables(reader: &Reader, deck: &Deck) -> [String; 2] {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let out = dir.path().join("out.csv");
    let scans = find_scans(&fixture(deck.scans)).expect("they come with the program");
    let options = RunOptions::new(out.clone(), NonZeroUsize::new(2).expect("it is two"));
    run(reader, &scans, &options, |_| {}).expect("it can run");
    [out.clone(), fields_path(&out)].map(|path| fs::read_to_string(path).expect("it was written"))
}

fn is_same(expected: &str, found: &str) -> bool {
    expected == found
}

#[test]
fn tables_of_the_stand_in_equal_the_golden_ones() {
    for deck in DECKS {
        let [pages, fields] = tables(&stand_in(deck.template), &deck);
        assert_text(&format!("stand-in/{}.csv", deck.name), &pages, is_same, |_| None);
        assert_text(&format!("stand-in/{}.fields.csv", deck.name), &fields, is_same, |_| None);
    }
}

/// Whether two lines of a table of fields are the same but for the confidence.
#[cfg(feature = "torch")]
fn is_same_but_confidence(expected: &str, found: &str) -> bool {
    const CONFIDENCE: usize = 7;
    let split = |line: &str| {
        let mut columns: Vec<String> = line.split(',').map(str::to_owned).collect();
        let confidence = if columns.len() > CONFIDENCE { columns.remove(CONFIDENCE) } else { String::new() };
        (columns, confidence)
    };
    let ((expected, sure), (found, found_sure)) = (split(expected), split(found));
    let off = sure.parse::<f64>().ok().zip(found_sure.parse::<f64>().ok()).map(|(a, b)| (a - b).abs());
    expected == found && off.map_or(sure == found_sure, |off| off <= CONFIDENCE_TOLERANCE)
}

#[cfg(feature = "torch")]
#[test]
fn tables_of_the_shipped_nets_equal_the_golden_ones() {
    use formread_torch::{TorchBackend, Weights};

    for deck in DECKS {
        let weights = Weights::shipped().expect("the weights are sound");
        // on the processor, in single precision
        let reader = Reader::builder()
            .templates(templates(deck.template))
            .backend(TorchBackend::new(weights, formread_core::scores::Compute::default()))
            .build()
            .expect("the nets can be made");
        let [pages, fields] = tables(&reader, &deck);
        assert_text(&format!("nets/{}.csv", deck.name), &pages, is_same, |_| None);
        assert_text(&format!("nets/{}.fields.csv", deck.name), &fields, is_same_but_confidence, |_| None);
    }
}

#[cfg(feature = "torch")]
#[test]
fn confidences_alone_may_differ_a_little() {
    let row =
        |guess: &str, confidence: &str| format!("a.png,1,strip,digits,accepted,{guess},{guess},{confidence},,0,0,9,9");
    assert!(is_same_but_confidence(&row("17", "0.9912"), &row("17", "0.9921")));
    assert!(!is_same_but_confidence(&row("17", "0.9912"), &row("17", "0.9929")));
    assert!(!is_same_but_confidence(&row("17", "0.9912"), &row("11", "0.9912")));
    assert!(!is_same_but_confidence(&row("17", "0.9912"), &row("17", "")));
}

/// One field on one page of a scan.
struct Piece {
    /// Of its golden files.
    name: &'static str,
    scan: &'static str,
    /// From 0.
    page: usize,
    template: Option<&'static str>,
    field: &'static str,
}

const PIECES: [Piece; 5] = [
    Piece { name: "comb", scan: "scans/office/page-0001.jpg", page: 0, template: None, field: "ssn" },
    Piece { name: "box", scan: "scans/feeder/file-0001.tif", page: 0, template: None, field: "line03_dividends" },
    Piece {
        name: "written-point",
        scan: "signs/scans/file-0001.tif",
        page: 1,
        template: Some("signs/cash-book.toml"),
        field: "refund",
    },
    Piece {
        name: "mark",
        scan: "marks/scans/page-0001.png",
        page: 0,
        template: Some("marks/ballot.toml"),
        field: "g2b",
    },
    Piece { name: "perspective", scan: "scans/photo/page-0001.jpg", page: 0, template: None, field: "line01_wages" },
];

/// A field that was read, and all it was read from.
struct Read {
    page: Page,
    template: FormTemplate,
    cut: CutPage,
    field_idx: usize,
}

impl Read {
    fn new(piece: &Piece) -> Self {
        let bytes = fs::read(fixture(piece.scan)).expect("it comes with the program");
        let mut pages = page::open(&bytes, &Limits::default()).expect("it is a picture");
        let page = pages.nth(piece.page).expect("it has so many pages").expect("it is sound");
        let reader = stand_in(piece.template);
        let report = reader.stages().read_page(1, &page).expect("the stand-in does not fail");
        if let PageReading::Rejected { reason, detail, .. } = report.record.reading {
            panic!("{}: {reason}: {detail}", piece.name);
        }
        let cut = report.cut.expect("the page was read");
        let template = reader.templates()[cut.template_idx].clone();
        let field_idx = template.fields.iter().position(|field| field.name == piece.field).expect("the form has it");
        Self { page, template, cut, field_idx }
    }

    fn field(&self) -> &FieldCut {
        &self.cut.cuts[self.field_idx]
    }

    /// How the template lies on the page, and on the field.
    fn registration(&self) -> String {
        let Self { template, cut, field_idx, .. } = self;
        let fit = &cut.registration.fields[*field_idx];
        let field = &template.fields[*field_idx];
        let mut text = format!("form {}\nfield {}\n", template.name, field.name);
        let residual = |px: Option<f64>| px.map_or("none".to_owned(), |px| format!("{px:.4}"));
        let mut add = |line: String| writeln!(text, "{line}").expect("memory does not run out");
        add(format!("page residual {}", residual(Some(cut.registration.residual_px))));
        add(format!("field residual {}", residual(fit.residual_px)));
        add(format!("on page {}", fit.on_page));
        for corner in field.layout.bounds().corners() {
            let Point { x, y } = fit.locate(corner);
            add(format!("corner {x:.4} {y:.4}"));
        }
        text
    }

    /// How the field was cut.
    fn lattice(&self) -> String {
        let FieldCut { ink, strip, .. } = self.field();
        let mut text = String::new();
        let mut add = |line: String| writeln!(text, "{line}").expect("memory does not run out");
        match ink {
            FieldInk::Blank => add("blank".to_owned()),
            FieldInk::OffPage => add("off the page".to_owned()),
            FieldInk::Marks(boxes) => boxes.iter().for_each(|mark| {
                add(format!("mark covered {:.5} least ninth {:.5}", mark.covered, mark.min_ninth));
            }),
            FieldInk::Written(Lattice { n_nodes, edges, signs }) => {
                add(format!("nodes {n_nodes}"));
                for edge in edges {
                    let ink = edge.crop.as_ref().map_or("empty".to_owned(), |crop| {
                        let (width, height) = crop.ink.dimensions();
                        format!("at {} {} size {width} {height}", crop.x, crop.y)
                    });
                    add(format!("edge {} {} cost {:.5} {ink}", edge.from, edge.to, 0.0 - edge.log_prior));
                }
                let Signs { is_negative, ends_in_dash, points, is_doubtful } = signs;
                add(format!(
                    "signs: negative {is_negative}, dash {ends_in_dash}, points {points:?}, doubtful {is_doubtful}"
                ));
            }
        }
        if let Some(strip) = strip {
            let bounds = strip.bounds;
            let (middle, height) = (bounds.middle, bounds.digit_height);
            add(format!("strip {:.3} to {:.3} middle {middle:.3} digits {height:.3}", bounds.left, bounds.right));
        }
        text
    }

    /// The field's ink, black on white.
    fn ink(&self) -> GrayImage {
        let Self { page, template, cut, field_idx } = self;
        let mut ink = match &self.field().strip {
            Some(strip) => strip.ink.clone(),
            None => field_pictures(page, &cut.registration, template, *field_idx).expect("it is on the page").cleaned,
        };
        imageops::invert(&mut ink);
        ink
    }

    /// What the nets are to see of each candidate, black on white, in rows; `None` where there is none.
    fn glyphs(&self) -> Option<GrayImage> {
        const GLYPHS_A_ROW: u32 = 12;
        const PITCH: u32 = GLYPH_SIDE as u32 + 2;
        let FieldInk::Written(lattice) = &self.field().ink else { return None };
        let crops = lattice.edges.iter().filter_map(|edge| edge.crop.as_ref());
        let glyphs: Vec<_> = crops.filter_map(|crop| normalise(&crop.ink)).collect();
        let n_glyphs = glyphs.len() as u32;
        let (width, height) = (n_glyphs.min(GLYPHS_A_ROW) * PITCH, n_glyphs.div_ceil(GLYPHS_A_ROW) * PITCH);
        let mut sheet = GrayImage::from_pixel(width, height, Luma([200]));
        for (i, glyph) in (0..).zip(glyphs) {
            let picture = GrayImage::from_fn(GLYPH_SIDE as u32, GLYPH_SIDE as u32, |x, y| {
                Luma([255 - (glyph[y as usize * GLYPH_SIDE + x as usize] * 255.0).round() as u8])
            });
            let (x, y) = (i % GLYPHS_A_ROW * PITCH + 1, i / GLYPHS_A_ROW * PITCH + 1);
            sheet.copy_from(&picture, x, y).expect("there is room for all");
        }
        Some(sheet)
    }
}

/// The numbers behind the word `key` of each line that has it, `n` of them.
fn numbers_behind(text: &str, key: &str, n: usize) -> Vec<Vec<f64>> {
    let behind = |line: &str| -> Option<Vec<f64>> {
        let words = line.split(' ').skip_while(|word| *word != key).skip(1).take(n);
        let numbers: Vec<f64> = words.map(str::parse).collect::<Result<_, _>>().ok()?;
        (numbers.len() == n).then_some(numbers)
    };
    text.lines().filter_map(behind).collect()
}

/// Draws a closed line through `corners`, black.
fn draw_outline(picture: &mut GrayImage, corners: &[Point]) {
    const STEPS: u32 = 400;
    for (i, &from) in corners.iter().enumerate() {
        let to = corners[(i + 1) % corners.len()];
        for step in 0..=STEPS {
            let at = from + (to - from) * (f64::from(step) / f64::from(STEPS));
            if let Some(pixel) = picture.get_pixel_mut_checked(at.x.round() as u32, at.y.round() as u32) {
                *pixel = Luma([0]);
            }
        }
    }
}

/// Both registrations on the page around the field.
fn draw_registrations(read: &Read, expected: &str, found: &str) -> Option<GrayImage> {
    const MARGIN_PX: f64 = 10.0;
    let corners = |text: &str| -> Vec<Point> {
        numbers_behind(text, "corner", 2).into_iter().map(|xy| Point::new(xy[0], xy[1])).collect()
    };
    let (expected, found) = (corners(expected), corners(found));
    let bounds = Rect::around(expected.iter().chain(&found).copied())?.inflate(MARGIN_PX);
    let [left, top] = [bounds.x0, bounds.y0].map(|side| side.max(0.0).floor());
    let (width, height) = (bounds.width().ceil() as u32, bounds.height().ceil() as u32);
    let mut ground = imageops::crop_imm(&read.page.pixels, left as u32, top as u32, width, height).to_image();
    // pale, so that the outlines are seen
    ground.pixels_mut().for_each(|pixel| pixel[0] = 128 + pixel[0] / 2);
    let drawn = |corners: Vec<Point>| {
        let mut picture = ground.clone();
        let corners: Vec<Point> = corners.into_iter().map(|corner| corner - Point::new(left, top)).collect();
        draw_outline(&mut picture, &corners);
        picture
    };
    Some(panels(&drawn(expected), &drawn(found)))
}

/// The candidates of both lattices on the field's ink.
fn draw_lattices(read: &Read, expected: &str, found: &str) -> Option<GrayImage> {
    let mut ground = read.ink();
    ground.pixels_mut().for_each(|pixel| pixel[0] = 128 + pixel[0] / 2);
    let drawn = |text: &str| {
        let mut picture = ground.clone();
        let places = numbers_behind(text, "at", 2).into_iter().zip(numbers_behind(text, "size", 2));
        for (at, size) in places {
            let bounds = Rect::from_xywh(at[0], at[1], size[0], size[1]);
            draw_outline(&mut picture, &bounds.corners());
        }
        picture
    };
    Some(panels(&drawn(expected), &drawn(found)))
}

#[test]
fn registrations_of_fields_equal_the_golden_ones() {
    for piece in PIECES {
        let read = Read::new(&piece);
        let found = read.registration();
        let is_equal = |expected: &str, found: &str| is_close(expected, found, REGISTRATION_TOLERANCE_PX);
        let name = format!("pieces/{}.registration.txt", piece.name);
        assert_text(&name, &found, is_equal, |expected| draw_registrations(&read, expected, &found));
    }
}

#[test]
fn lattices_of_fields_equal_the_golden_ones() {
    for piece in PIECES {
        let read = Read::new(&piece);
        let found = read.lattice();
        let is_equal = |expected: &str, found: &str| is_close(expected, found, COST_TOLERANCE);
        let name = format!("pieces/{}.lattice.txt", piece.name);
        assert_text(&name, &found, is_equal, |expected| draw_lattices(&read, expected, &found));
    }
}

#[test]
fn crops_of_fields_equal_the_golden_ones() {
    for piece in PIECES {
        let read = Read::new(&piece);
        assert_picture(&format!("pieces/{}.ink.png", piece.name), &read.ink());
        if let Some(glyphs) = read.glyphs() {
            assert_picture(&format!("pieces/{}.glyphs.png", piece.name), &glyphs);
        }
    }
}
