//! Writing beside the fields, on drawn forms: numbers above and below blank boxes, notes in the margin; and print that the
//! template does not declare.

use formread_core::{
    form::{FormTemplate, parse_template},
    register::{RegisterParams, identify},
    segment::{FieldInk, StrayInk, outside_ink, segment},
};
use formread_page::Page;
use formread_raster::geometry::{MM_PER_INCH, Rect};
use formread_tools::synth::{Degradations, SynthOptions, print_blank, synthesise};
use image::{GrayImage, imageops};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    registration::{forms, glyphs},
    util::digits_of_fixtures,
};

/// Resolution of the drawn pages.
const DPI: f64 = 200.0;
const PX_PER_MM: f64 = DPI / MM_PER_INCH;

/// A form of boxes with room between them.
struct Form {
    /// Left edges of its columns, millimetres.
    columns: &'static [f64],
    /// Width and height of a box, and the room between two rows, millimetres.
    cell: [f64; 2],
    gap: f64,
    /// Whether a field is a comb of this many cells.
    n_cells: Option<u32>,
    /// Height of the captions that are printed above the boxes, millimetres; their text.
    caption: Option<(f64, &'static str)>,
}

const FORMS: [Form; 4] = [
    Form { columns: &[70.0], cell: [60.0, 9.0], gap: 5.0, n_cells: None, caption: None },
    Form { columns: &[20.0, 85.0], cell: [45.0, 8.0], gap: 8.0, n_cells: None, caption: Some((2.5, "Amount paid")) },
    Form { columns: &[25.0, 90.0], cell: [36.0, 7.0], gap: 9.0, n_cells: Some(6), caption: Some((3.0, "Item number")) },
    Form {
        columns: &[15.0, 60.0, 105.0],
        cell: [30.0, 10.0],
        gap: 7.0,
        n_cells: None,
        caption: Some((3.6, "Total due")),
    },
];

impl Form {
    /// The boxes, in rows.
    fn boxes(&self) -> Vec<Rect> {
        let [width, height] = self.cell;
        let n_rows = (150.0 / (height + self.gap)) as u32;
        let row = |row: u32| 42.0 + f64::from(row) * (height + self.gap);
        let in_row = |y: f64| self.columns.iter().map(move |&x| Rect::from_xywh(x, y, width, height));
        (0..n_rows).flat_map(|idx| in_row(row(idx))).collect()
    }

    /// The template, with or without its captions, and with other keys.
    fn template(&self, has_captions: bool, keys: &str) -> FormTemplate {
        let mut text = format!(
            "name = \"boxes\"\ntitle = \"Boxes\"\npage = [148, 210]\n\
             lines = [[10, 30, 138, 30], [10, 33, 138, 33], [30, 8, 30, 26], [10, 200, 120, 200], [20, 204, 138, 204]]\n\
             frames = [[60, 8, 78, 18], [8, 8, 15, 10]]\n{keys}\n"
        );
        let boxes = self.boxes();
        let caption = |frame: &Rect| {
            let (height, caption) = self.caption?;
            let width = 0.6 * height * caption.len() as f64;
            let y = frame.y0 - height - 0.9;
            Some(format!("{{ at = [{}, {y}, {width}, {height}], text = \"{caption}\" }}", frame.x0))
        };
        if has_captions {
            text += &format!("words = [{}]\n", boxes.iter().filter_map(caption).collect::<Vec<_>>().join(", "));
        }
        for (idx, frame) in boxes.iter().enumerate() {
            let (x, y, width, height) = (frame.x0, frame.y0, frame.width(), frame.height());
            let place = match self.n_cells {
                None => format!("box = [{x}, {y}, {width}, {height}]\ndigits = [1, 7]"),
                Some(n) => {
                    format!("comb = {{ at = [{x}, {y}], cell = [{}, {height}], groups = [{n}] }}", width / f64::from(n))
                }
            };
            text += &format!("[[field]]\nname = \"n{idx}\"\nkind = \"integer\"\n{place}\n");
        }
        parse_template(&text).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Writes numbers with digits of real hands.
struct Pen {
    stock: Vec<(GrayImage, u8)>,
    rng: ChaCha8Rng,
}

impl Pen {
    fn new(seed: u64) -> Self {
        Self { stock: digits_of_fixtures(), rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A number of 2 to 4 digits from `x` on, whose middle is at `y`, `height` high on average; all in millimetres.
    fn write(&mut self, page: &mut GrayImage, x: f64, y: f64, height: f64) {
        let mut x = x;
        for _ in 0..self.rng.random_range(2..=4) {
            let idx = self.rng.random_range(0..self.stock.len());
            x = self.write_digit(page, idx, x, y, height);
        }
    }

    /// The digits of `number`, likewise.
    fn write_number(&mut self, page: &mut GrayImage, number: &str, x: f64, y: f64, height: f64) {
        let mut x = x;
        for digit in number.bytes().map(|byte| byte - b'0') {
            let idx = self.stock.iter().position(|(_, label)| *label == digit).expect("the fixtures have all digits");
            x = self.write_digit(page, idx, x, y, height);
        }
    }

    /// Where the next digit begins.
    fn write_digit(&mut self, page: &mut GrayImage, idx: usize, x: f64, y: f64, height: f64) -> f64 {
        let (ink, _) = &self.stock[idx];
        let high = height * self.rng.random_range(0.85..1.15);
        let wide = high * f64::from(ink.width()) / f64::from(ink.height());
        let size = [wide, high].map(|mm| (mm * PX_PER_MM).round().max(2.0) as u32);
        let ink = imageops::resize(ink, size[0], size[1], imageops::FilterType::Triangle);
        let top = y - high / 2.0 + self.rng.random_range(-0.06..0.06) * height;
        for (u, v, level) in ink.enumerate_pixels() {
            let at = [x * PX_PER_MM + f64::from(u), top * PX_PER_MM + f64::from(v)].map(|px| px as u32);
            if let Some(pixel) = page.get_pixel_mut_checked(at[0], at[1]) {
                pixel[0] = pixel[0].min(255 - level[0].saturating_sub(30));
            }
        }
        x + wide + self.rng.random_range(0.3..1.0)
    }
}

/// Draws the four sides of `frame`, millimetres.
fn draw_frame(page: &mut GrayImage, frame: Rect) {
    let [x0, y0, x1, y1] = [frame.x0, frame.y0, frame.x1, frame.y1].map(|mm| (mm * PX_PER_MM).round() as u32);
    for (x, y) in (y0..=y1).flat_map(|y| (x0..=x1).map(move |x| (x, y))) {
        if x < x0 + 2 || x + 2 > x1 || y < y0 + 2 || y + 2 > y1 {
            page.put_pixel(x, y, image::Luma([30]));
        }
    }
}

/// Number of places with writing outside, and for each field whether it may be its own.
fn found(image: GrayImage, template: &FormTemplate) -> (usize, Vec<bool>) {
    let (n_outside, stray) = stray(image, template);
    (n_outside, stray.iter().map(|stray| *stray == Some(StrayInk::Beside)).collect())
}

/// Number of places with writing outside, and what makes each field doubtful.
fn stray(image: GrayImage, template: &FormTemplate) -> (usize, Vec<Option<StrayInk>>) {
    let page = Page::upright(image, Some(DPI));
    let templates = std::slice::from_ref(template);
    let (_, registration) = identify(&page, templates, &RegisterParams::default())
        .unwrap_or_else(|failure| panic!("{}: {}", failure.reason, failure.detail));
    let mut cuts = segment(&page, &registration, template);
    let outside = outside_ink(&page, &registration, template, &mut cuts);
    (outside.len(), cuts.iter().map(|cut| cut.stray).collect())
}

#[test]
fn numbers_above_and_below_blank_boxes_are_found() {
    let mut pen = Pen::new(1);
    let (mut n, mut n_found) = (0, 0);
    for form in &FORMS {
        // a caption leaves no room above
        for above in [true, false].into_iter().filter(|above| !above || form.caption.is_none()) {
            for offset in [0.2, 0.35, 0.5] {
                let (printed, template) = (form.template(true, ""), form.template(false, ""));
                let mut page = print_blank(&printed, DPI, 1).expect("the resolution is in range");
                for frame in form.boxes() {
                    let height = (0.45 * frame.height()).min(0.8 * form.gap);
                    let y = if above { frame.y0 - offset * form.gap } else { frame.y1 + offset * form.gap };
                    let x = frame.x0 + pen.rng.random_range(1.0..8.0);
                    pen.write(&mut page, x, y, height);
                }
                let (n_outside, fields) = found(page, &template);
                let n_here = fields.iter().filter(|is_found| **is_found).count();
                assert!(n_outside > 0 && n_here > 0, "{:?}, above: {above}, {offset}: none", form.cell);
                println!("{:?} {above} {offset}: {n_here} of {}", form.cell, fields.len());
                (n, n_found) = (n + fields.len(), n_found + n_here);
            }
        }
    }
    assert!(100 * n_found >= 75 * n, "{n_found} of {n}");
}

#[test]
fn captions_that_no_template_declares_are_no_writing() {
    let mut pen = Pen::new(2);
    for form in &FORMS {
        let (printed, template) = (form.template(true, ""), form.template(false, ""));
        let blank = print_blank(&printed, DPI, 1).expect("the resolution is in range");
        let mut filled = blank.clone();
        for frame in form.boxes().iter().step_by(2) {
            pen.write(&mut filled, frame.x0 + 2.0, frame.centre().y, 0.55 * frame.height());
        }
        for (case, page) in [("blank", blank), ("filled", filled)] {
            let (n_outside, fields) = found(page, &template);
            assert!(n_outside == 0 && !fields.contains(&true), "{:?}, {case}: {n_outside}, {fields:?}", form.cell);
        }
    }
}

#[test]
fn pages_of_shipped_forms_have_no_writing_outside() {
    let glyphs = glyphs();
    for degradations in [Degradations::NONE, Degradations::MODERATE] {
        let options = SynthOptions { dpi: DPI, degradations, blanks: 0.5, seed: 9, ..SynthOptions::default() };
        for (template, page_idx) in forms().iter().flat_map(|form| (0..3).map(move |page_idx| (form, page_idx))) {
            let drawn = synthesise(template, &glyphs, &options, page_idx).expect("the options are in range");
            let (n_outside, fields) = found(drawn.image, template);
            assert!(n_outside == 0 && !fields.contains(&true), "{}, page {page_idx}: {n_outside}", template.name);
        }
    }
}

#[test]
fn note_in_the_margin_is_found_where_all_print_is_declared() {
    let form = &FORMS[0];
    let mut pen = Pen::new(3);
    for (keys, note, n_expected) in [
        ("", true, 0),
        ("print_is_complete = true", false, 0),
        ("print_is_complete = true", true, 1),
        ("print_is_complete = true\nfree = [[12, 100, 40, 20]]", true, 0),
        ("print_is_complete = true\nprint = [[12, 100, 40, 20]]", true, 0),
        ("print_is_complete = true\nfree = [[12, 140, 40, 20]]", true, 1),
    ] {
        let template = form.template(false, keys);
        let mut page = print_blank(&template, DPI, 1).expect("the resolution is in range");
        if note {
            pen.write(&mut page, 16.0, 110.0, 5.0);
        }
        let (n_outside, fields) = found(page, &template);
        assert_eq!(n_outside.min(1), n_expected, "{keys}");
        assert!(!fields.contains(&true), "{keys}: it is far from the fields");
    }
}

#[test]
fn number_above_a_blank_box_belongs_to_it_and_not_to_a_written_one() {
    let form = &FORMS[0];
    let mut pen = Pen::new(4);
    let template = form.template(false, "");
    let mut page = print_blank(&template, DPI, 1).expect("the resolution is in range");
    let boxes = form.boxes();
    for (idx, frame) in boxes.iter().enumerate().filter(|(idx, _)| *idx != 4) {
        assert!(idx < boxes.len());
        pen.write(&mut page, frame.x0 + 3.0, frame.centre().y, 5.0);
    }
    pen.write(&mut page, boxes[4].x0 + 40.0, boxes[4].y0 - 1.8, 4.0);
    let (n_outside, fields) = found(page.clone(), &template);
    assert!(n_outside >= 1, "{n_outside}");
    let idx: Vec<usize> = fields.iter().enumerate().filter(|(_, is_found)| **is_found).map(|(idx, _)| idx).collect();
    assert_eq!(idx, [4]);
    let scan = Page::upright(page, Some(DPI));
    let (_, registration) =
        identify(&scan, std::slice::from_ref(&template), &RegisterParams::default()).expect("it is the form");
    let cuts = segment(&scan, &registration, &template);
    assert!(matches!(cuts[4].ink, FieldInk::Blank) && matches!(cuts[3].ink, FieldInk::Written(_)));
}

#[test]
fn number_that_goes_on_beside_its_box_overflows() {
    let form = Form { columns: &[30.0], ..FORMS[0] };
    let template = form.template(false, "");
    let mut pen = Pen::new(5);
    let mut page = print_blank(&template, DPI, 1).expect("the resolution is in range");
    let boxes = form.boxes();
    for (idx, frame) in boxes.iter().enumerate() {
        // so large that the crop of a field shows those beside it in pieces
        let (height, y) = (0.75 * frame.height(), frame.centre().y);
        pen.write_number(&mut page, "38", frame.x1 - 13.0, y, height);
        match idx % 2 {
            1 => pen.write_number(&mut page, "36", frame.x1 + 1.0, y, height),
            // an empty cell at its side, which the template does not declare
            _ => draw_frame(&mut page, Rect::from_xywh(frame.x1, frame.y0, 8.0, frame.height())),
        }
    }
    let (_, found) = stray(page, &template);
    for (idx, stray) in found.iter().enumerate() {
        assert_eq!(*stray == Some(StrayInk::Overflow), idx % 2 == 1, "row {idx}: {stray:?}");
    }
}
