//! Draws blank forms at random: what is on them, and where their fields are.

use formread_core::form::{FormTemplate, PageLayout, parse_template};
use formread_raster::geometry::{Point, Rect};
use formread_tools::synth::print_blank;
use image::{GrayImage, imageops};
use rand::{Rng, RngExt};

pub const WIDTH: f64 = 210.0;
pub const HEIGHT: f64 = 297.0;
const LEFT: f64 = 14.0;
const RIGHT: f64 = WIDTH - 14.0;

/// A blank form: its fields as a template, and what no template draws.
pub struct Blank {
    /// The fields where they are drawn, and the lines and words beside them.
    pub form: FormTemplate,
    shapes: Vec<Shape>,
}

/// Where the lines to write on are.
#[cfg(feature = "torch")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineStyle {
    Below,
    SideBySide,
    AtTheMargin,
}

/// Print that is neither a straight line nor a word, millimetres.
enum Shape {
    /// An ellipse that touches the sides of a box.
    Ring(Rect),
    /// Dots of this diameter and pitch from one point to the right.
    Dots { from: Point, to_x: f64, diameter: f64, pitch: f64 },
    /// Dashes of this length and pitch from one point to the right.
    Dashes { from: Point, to_x: f64, length: f64, pitch: f64 },
    /// A grey area with white boxes in it; 0 is paper, 1 is black.
    Shade { area: Rect, level: f64, holes: Vec<Rect> },
}

/// The text of a template that grows from top to bottom.
struct Text {
    fields: String,
    words: Vec<String>,
    lines: Vec<String>,
    shapes: Vec<Shape>,
    n_fields: usize,
    y: f64,
    /// Darkness of grey areas, 0 to 1.
    shade: f64,
}

impl Text {
    /// A heading with a line below it.
    fn new(rng: &mut impl Rng) -> Self {
        let mut form = Self {
            fields: String::new(),
            words: Vec::new(),
            lines: Vec::new(),
            shapes: Vec::new(),
            n_fields: 0,
            y: 12.0,
            shade: rng.random_range(0.08..0.3),
        };
        form.word(LEFT, rng.random_range(50.0..110.0), 6.0);
        form.y = 24.0;
        form.lines.push(format!("[{LEFT}, 22, {RIGHT}, 22]"));
        form
    }

    /// A word whose top is at the present height.
    fn word(&mut self, x: f64, width: f64, height: f64) {
        let y = self.y;
        self.word_at(Rect::from_xywh(x, y, width, height));
    }

    fn word_at(&mut self, at: Rect) {
        self.words.push(format!("{{ at = [{:.2}, {:.2}, {:.2}, {:.2}] }}", at.x0, at.y0, at.width(), at.height()));
    }

    fn field(&mut self, layout: &str) {
        self.n_fields += 1;
        // a line is held by its ends: how high the room above it is, is free
        let (prefix, layout) = layout.strip_prefix("line ").map_or(("f", layout), |layout| ("line", layout));
        let kind = layout.split(' ').next().filter(|word| ["mark", "choice"].contains(word)).unwrap_or("code");
        let layout = layout.trim_start_matches("mark ").trim_start_matches("choice ");
        let digits = if kind == "code" && layout.starts_with("box") { "digits = [1, 9]\n" } else { "" };
        self.fields +=
            &format!("[[field]]\nname = \"{prefix}{}\"\nkind = \"{kind}\"\n{digits}{layout}\n", self.n_fields);
    }

    /// A box of which these sides are printed: `top`, `right`, `bottom`, `left`.
    fn partial_box(&mut self, kind: &str, r: Rect, sides: &[&str]) {
        let place = format!("box = [{:.2}, {:.2}, {:.2}, {:.2}]", r.x0, r.y0, r.width(), r.height());
        self.field(&format!("{kind}{place}\nprinted = {sides:?}"));
    }

    /// Boxes beside their captions, one to three a row; all in a grey area, or with grey bands around them, or neither.
    fn boxes(&mut self, rng: &mut impl Rng) {
        let n = rng.random_range(1..=3);
        let (pitch, height) = ((RIGHT - LEFT) / f64::from(n), rng.random_range(6.0..11.0));
        let (surroundings, is_outlined) = (rng.random_range(0..4), rng.random_bool(0.5));
        let top = self.y;
        if surroundings == 0 {
            self.y += 3.0;
        }
        let mut holes = Vec::new();
        for _ in 0..rng.random_range(1..=3) {
            for i in 0..n {
                let x = LEFT + 2.0 + pitch * f64::from(i);
                let width = rng.random_range(16.0..(pitch - 30.0).clamp(17.0, 70.0));
                self.y += height / 3.0;
                self.word(x, rng.random_range(10.0..20.0), 2.8);
                self.y -= height / 3.0;
                let frame = Rect::from_xywh(x + 25.0, self.y, width, height);
                let is_plain = surroundings > 1 || is_outlined;
                self.partial_box("", frame, if is_plain { &["top", "right", "bottom", "left"] } else { &[] });
                match surroundings {
                    0 => holes.push(frame),
                    1 => {
                        let area = frame.inflate(rng.random_range(1.2..2.0));
                        self.shapes.push(Shape::Shade { area, level: self.shade + 0.1, holes: vec![frame] });
                    }
                    _ => {}
                }
            }
            self.y += height + rng.random_range(4.2..6.0);
        }
        if surroundings == 0 {
            let area = Rect::from_edges(LEFT - 2.0, top, RIGHT + 2.0, self.y - 1.0);
            self.shapes.push(Shape::Shade { area, level: self.shade, holes });
            self.y += 2.0;
        }
    }

    /// Combs below their captions, of adjoining or of separate cells, in one group or several.
    fn combs(&mut self, rng: &mut impl Rng) {
        let cell = [rng.random_range(4.5..7.0), rng.random_range(6.0..9.0)];
        for _ in 0..rng.random_range(1..=3) {
            self.word(LEFT, rng.random_range(15.0..40.0), 2.8);
            self.y += 4.5;
            let mut x = LEFT;
            loop {
                let groups = match rng.random_range(0..3) {
                    0 => vec![2, 2, 4],
                    _ => vec![rng.random_range(3..=11)],
                };
                let pitch = if rng.random_bool(0.3) { cell[0] + rng.random_range(1.0..2.5) } else { cell[0] };
                let gap = if groups.len() > 1 { 4.0 } else { 0.0 };
                let n: i32 = groups.iter().sum();
                let width = f64::from(n) * pitch + gap * (groups.len() - 1) as f64;
                if x + width > RIGHT {
                    break;
                }
                let gap = if groups.len() > 1 { format!(", gap = {gap}") } else { String::new() };
                let (y, [w, h]) = (self.y, cell);
                let at = format!("at = [{x:.2}, {y:.2}], cell = [{w:.2}, {h:.2}]");
                self.field(&format!("comb = {{ {at}, groups = {groups:?}, pitch = {pitch:.2}{gap} }}"));
                x += width + rng.random_range(9.0..30.0);
            }
            self.y += cell[1] + rng.random_range(2.5..5.0);
        }
    }

    /// Boxes to tick before their words, in columns.
    fn ticks(&mut self, rng: &mut impl Rng) {
        let n = rng.random_range(2..=4);
        let (pitch, side) = ((RIGHT - LEFT) / f64::from(n), rng.random_range(2.4..5.0));
        for _ in 0..rng.random_range(2..=4) {
            for i in 0..n {
                let x = LEFT + pitch * f64::from(i);
                self.field(&format!("mark box = [{x:.2}, {:.2}, {side:.2}, {side:.2}]", self.y));
                self.word(x + side + 1.5, rng.random_range(12.0..(pitch - 12.0).min(30.0)), 2.6);
            }
            self.y += side + rng.random_range(1.5..3.0);
        }
    }

    /// Rows of circles or ellipses to fill in, each after its question, with words above the columns.
    fn bubbles(&mut self, rng: &mut impl Rng) {
        let n = rng.random_range(3..=6);
        let height = rng.random_range(2.8..4.6);
        let width = if rng.random_bool(0.5) { height } else { height * rng.random_range(1.2..1.7) };
        let (pitch, first) = (width + rng.random_range(2.5..7.0), LEFT + rng.random_range(35.0..70.0));
        for i in 0..n {
            self.word(first + pitch * f64::from(i), width.min(3.0), 2.4);
        }
        self.y += 4.5;
        for _ in 0..rng.random_range(2..=6) {
            let y = self.y;
            self.word_at(Rect::from_xywh(LEFT, y + height / 2.0 - 1.3, rng.random_range(14.0..30.0), 2.6));
            let rings: Vec<Rect> =
                (0..n).map(|i| Rect::from_xywh(first + pitch * f64::from(i), y, width, height)).collect();
            let cells: Vec<[f64; 4]> = rings.iter().map(|r| [r.x0, r.y0, r.width(), r.height()]).collect();
            let values: Vec<String> = (1..=n).map(|i| i.to_string()).collect();
            self.field(&format!("choice filled = \"marked\"\nvalues = {values:?}\ncells = {cells:?}\nprinted = []"));
            self.shapes.extend(rings.into_iter().map(Shape::Ring));
            self.y += height + rng.random_range(1.5..3.5);
        }
    }

    /// Lines to write on, after their captions: solid, dotted, or of underscores.
    fn writing_lines(&mut self, rng: &mut impl Rng) {
        let n = rng.random_range(1..=3);
        let (pitch, style) = ((RIGHT - LEFT) / f64::from(n), rng.random_range(0..3));
        for _ in 0..rng.random_range(2..=4) {
            self.y += 8.0;
            for i in 0..n {
                let x = LEFT + pitch * f64::from(i);
                let caption = rng.random_range(10.0..22.0);
                self.word_at(Rect::from_xywh(x, self.y - 2.8, caption, 2.8));
                let from = Point::new(x + caption + 2.0, self.y);
                let to_x = (from.x + rng.random_range(20.0..70.0)).min(x + pitch - 6.0);
                let room = Rect::from_edges(from.x, self.y - 7.0, to_x, self.y);
                match style {
                    0 => self.partial_box("line ", room, &["bottom"]),
                    1 => {
                        let (diameter, pitch) = (rng.random_range(0.3..0.5), rng.random_range(0.9..1.6));
                        self.partial_box("line ", room, &[]);
                        self.shapes.push(Shape::Dots { from, to_x, diameter, pitch });
                    }
                    _ => {
                        let length = rng.random_range(1.6..2.4);
                        self.partial_box("line ", room, &[]);
                        self.shapes.push(Shape::Dashes {
                            from,
                            to_x,
                            length,
                            pitch: length + rng.random_range(0.0..0.4),
                        });
                    }
                }
            }
        }
        self.y += 4.0;
    }

    /// A table: words in the first row and column, the other cells to be filled in. Its head may be grey, a row may be one cell with a
    /// heading, and the last two cells of a row may be one.
    fn table(&mut self, rng: &mut impl Rng) {
        let (n_columns, n_rows) = (rng.random_range(2..=5), rng.random_range(2..=5));
        let (first, row) = (rng.random_range(30.0..50.0), rng.random_range(6.0..9.0));
        let column = (RIGHT - LEFT - first) / f64::from(n_columns);
        let (top, bottom) = (self.y, self.y + row * f64::from(n_rows + 1));
        let left_of = |j: i32| if j == 0 { LEFT } else { LEFT + first + column * f64::from(j - 1) };
        let heading_row = rng.random_bool(0.3).then(|| rng.random_range(1..=n_rows));
        let merged: Vec<bool> = (0..=n_rows).map(|_| n_columns > 2 && rng.random_bool(0.15)).collect();
        if rng.random_bool(0.4) {
            let area = Rect::from_edges(LEFT, top, RIGHT, top + row);
            self.shapes.push(Shape::Shade { area, level: self.shade, holes: Vec::new() });
        }
        for i in 0..=n_rows + 1 {
            let y = top + row * f64::from(i);
            self.lines.push(format!("[{LEFT:.2}, {y:.2}, {RIGHT:.2}, {y:.2}]"));
            self.y = y + row / 2.0 - 1.3;
            if i <= n_rows {
                self.word(LEFT + 2.0, rng.random_range(10.0..first - 6.0), 2.6);
            }
        }
        self.y = top + row / 2.0 - 1.3;
        for j in 1..=n_columns {
            self.word(left_of(j) + 2.0, (column - 4.0).min(rng.random_range(8.0..20.0)), 2.6);
        }
        for i in 0..=n_rows {
            let (y, below) = (top + row * f64::from(i), top + row * f64::from(i + 1));
            let is_heading = heading_row == Some(i);
            let is_merged = i > 0 && merged[i as usize];
            for j in 1..=n_columns {
                let is_open = is_heading || is_merged && j == n_columns;
                if !is_open {
                    self.lines.push(format!("[{:.2}, {y:.2}, {:.2}, {below:.2}]", left_of(j), left_of(j)));
                }
                if i > 0 && !is_open {
                    let n_cells = if is_merged && j == n_columns - 1 { 2.0 } else { 1.0 };
                    let x = left_of(j);
                    self.field(&format!("box = [{x:.2}, {y:.2}, {:.2}, {row:.2}]", n_cells * column));
                }
            }
        }
        self.lines.push(format!("[{LEFT:.2}, {top:.2}, {LEFT:.2}, {bottom:.2}]"));
        self.lines.push(format!("[{RIGHT:.2}, {top:.2}, {RIGHT:.2}, {bottom:.2}]"));
        self.y = bottom + 4.0;
    }

    fn finish(self) -> Blank {
        let Self { fields, words, lines, shapes, .. } = self;
        let text = format!(
            "name = \"drawn\"\ntitle = \"Drawn\"\npage = [{WIDTH}, {HEIGHT}]\nlines = [{}]\nwords = [{}]\n{fields}",
            lines.join(", "),
            words.join(", ")
        );
        let form = parse_template(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        Blank { form, shapes }
    }
}

impl Blank {
    /// A form of some blocks of fields, from top to bottom. It has lines to write on or cells for digits, and not both.
    pub fn draw(rng: &mut impl Rng) -> Self {
        let mut text = Text::new(rng);
        let has_lines = rng.random_bool(0.3);
        while text.y < HEIGHT - 75.0 {
            match rng.random_range(0..5) {
                0 => text.boxes(rng),
                1 if has_lines => text.writing_lines(rng),
                1 => text.combs(rng),
                2 => text.ticks(rng),
                3 => text.bubbles(rng),
                _ => text.table(rng),
            }
            text.y += rng.random_range(3.0..9.0);
        }
        text.finish()
    }

    /// A form of 14 to 18 lines to write on and nothing else: one below the other after their captions, side by side after their captions,
    /// or at the right margin far behind their captions.
    #[cfg(feature = "torch")]
    pub fn of_lines(style: LineStyle, rng: &mut impl Rng) -> Self {
        let mut text = Text::new(rng);
        text.y = 40.0;
        let n_columns = if style == LineStyle::SideBySide { 2 } else { 1 };
        let width = (RIGHT - LEFT) / f64::from(n_columns);
        let n_rows = rng.random_range(14..=18) / n_columns;
        for i in 0..n_rows * n_columns {
            let x = LEFT + width * f64::from(i % n_columns);
            let caption = rng.random_range(12.0..35.0);
            text.word_at(Rect::from_xywh(x, text.y - 2.8, caption, 2.8));
            let (from, to) = match style {
                LineStyle::Below | LineStyle::SideBySide => (x + 40.0, x + 40.0 + rng.random_range(35.0..50.0)),
                LineStyle::AtTheMargin => (RIGHT - 45.0, RIGHT),
            };
            text.partial_box("line ", Rect::from_edges(from, text.y - 7.0, to, text.y), &["bottom"]);
            if i % n_columns == n_columns - 1 {
                text.y += rng.random_range(11.0..13.0);
            }
        }
        text.finish()
    }

    /// The print at this resolution: [H, W] u8, 250 paper. Frames and lines have the darkness `frames`, words and signs that of `words`,
    /// 0 to 1.
    pub fn print(&self, dpi: f64, [frames, words]: [f64; 2], seed: u64) -> GrayImage {
        let (mut lines, mut letters) = (self.form.clone(), self.form.clone());
        if let PageLayout::Printed(landmarks) = &mut lines.layout {
            landmarks.words.clear();
        }
        if let PageLayout::Printed(landmarks) = &mut letters.layout {
            landmarks.lines.clear();
        }
        letters.fields.clear();
        let printed = |form: &FormTemplate| print_blank(form, dpi, seed).expect("the resolution is allowed");
        let (mut lines, letters) = (printed(&lines), printed(&letters));
        let k = dpi / 25.4;
        for shape in self.shapes.iter().filter(|shape| !matches!(shape, Shape::Shade { .. })) {
            draw(&mut lines, k, shape);
        }
        let mut shades = GrayImage::from_pixel(lines.width(), lines.height(), image::Luma([PAPER]));
        for shape in self.shapes.iter().filter(|shape| matches!(shape, Shape::Shade { .. })) {
            draw(&mut shades, k, shape);
        }
        let paper = f64::from(PAPER);
        let pixels = lines.iter().zip(letters.iter()).zip(shades.iter());
        let ink = |level: &u8, darkness: f64| 1.0 - darkness * (1.0 - f64::from(*level) / paper);
        let levels = pixels
            .map(|((line, letter), shade)| {
                let level = ink(line, frames).min(ink(letter, words)) * f64::from(*shade) / paper;
                (paper * level).clamp(0.0, 255.0) as u8
            })
            .collect();
        GrayImage::from_raw(lines.width(), lines.height(), levels).expect("it has the pixels of the sheet")
    }
}

const PAPER: u8 = 250;
/// Darkness and width of printed rings and dashes, millimetres.
const DARKNESS: f64 = 0.88;
const LINE_MM: f64 = 0.26;

/// Darkens `sheet`, which has `k` pixels a millimetre, by a shape; edges are smooth over a pixel.
fn draw(sheet: &mut GrayImage, k: f64, shape: &Shape) {
    // how much of a pixel that is so far (millimetres) outside an edge is within
    let within = |mm: f64| (0.5 - mm * k).clamp(0.0, 1.0);
    let in_rect = |r: &Rect, p: Point| within((r.x0 - p.x).max(p.x - r.x1).max(r.y0 - p.y).max(p.y - r.y1));
    let (area, cover): (Rect, Box<dyn Fn(Point) -> f64>) = match shape {
        Shape::Ring(r) => {
            let (centre, radius) = (r.centre(), Point::new(r.width() / 2.0, r.height() / 2.0));
            let off = move |p: Point| {
                let at = Point::new((p.x - centre.x) / radius.x, (p.y - centre.y) / radius.y);
                // distance from the ellipse to the first order
                let gradient = Point::new(at.x / radius.x, at.y / radius.y).norm().max(1e-9);
                (at.dot(at) - 1.0).abs() / (2.0 * gradient)
            };
            (r.inflate(1.0), Box::new(move |p| DARKNESS * within(off(p) - LINE_MM / 2.0)))
        }
        Shape::Dots { from, to_x, diameter, pitch } => {
            let (from, diameter, pitch) = (*from, *diameter, *pitch);
            let area = Rect::from_edges(from.x, from.y - diameter, *to_x, from.y + diameter);
            let off = move |p: Point| {
                let along = ((p.x - from.x) / pitch).fract() * pitch - pitch / 2.0;
                along.hypot(p.y - from.y) - diameter / 2.0
            };
            (area, Box::new(move |p| DARKNESS * within(off(p))))
        }
        Shape::Dashes { from, to_x, length, pitch } => {
            let (from, length, pitch) = (*from, *length, *pitch);
            let area = Rect::from_edges(from.x, from.y - 1.0, *to_x, from.y + 1.0);
            let off = move |p: Point| {
                let along = ((p.x - from.x) / pitch).fract() * pitch;
                (along - length).max((p.y - from.y).abs() - LINE_MM / 2.0)
            };
            (area, Box::new(move |p| DARKNESS * within(off(p))))
        }
        Shape::Shade { area, level, holes } => {
            let (r, level, holes) = (*area, *level, holes.clone());
            let white = move |p: Point| holes.iter().map(|hole| in_rect(hole, p)).fold(0.0, f64::max);
            (r.inflate(0.2), Box::new(move |p| level * in_rect(&r, p) * (1.0 - white(p))))
        }
    };
    let clip = |mm: f64, side: u32| (mm * k).clamp(0.0, f64::from(side)) as u32;
    let (width, height) = sheet.dimensions();
    for y in clip(area.y0, height)..clip(area.y1 + 1.0 / k, height) {
        for x in clip(area.x0, width)..clip(area.x1 + 1.0 / k, width) {
            let p = Point::new((f64::from(x) + 0.5) / k, (f64::from(y) + 0.5) / k);
            let pixel = sheet.get_pixel_mut(x, y);
            pixel[0] = (f64::from(pixel[0]) * (1.0 - cover(p))).round() as u8;
        }
    }
}

/// A scan of a print: blurred, and with the noise of a scanner.
pub fn scanned(print: &GrayImage, blur: f32, rng: &mut impl Rng) -> GrayImage {
    let mut pixels: GrayImage = imageops::blur(print, blur);
    for pixel in pixels.iter_mut() {
        let noise = i16::from(rng.random_range(-3i8..=3));
        *pixel = (i16::from(*pixel) + noise).clamp(0, 255) as u8;
    }
    pixels
}
