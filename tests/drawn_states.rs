//! Draws a form with fields in every state: blank, filled in, struck out, overwritten, with too many digits, and more.

use formread_core::form::{FieldLayout, FormTemplate, parse_template};
use formread_raster::geometry::Rect;
use image::{GrayImage, Luma, imageops};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Pixels a millimetre: 254 dpi.
pub const PX_PER_MM: f64 = 10.0;
/// Width and height of a page, millimetres.
const PAGE: (f64, f64) = (200.0, 262.0);
/// Maximum number of digits that fit in a box.
const MAX_DIGITS: usize = 4;

/// What a person does in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Blank,
    Number,
    Zero,
    Crosses,
    Dash,
    StruckOut,
    ScribbledOver,
    Overwritten,
    Overflow,
    Scribble,
    OffPage,
}

impl State {
    pub const ALL: [Self; 11] = [
        Self::Blank,
        Self::Number,
        Self::Zero,
        Self::Crosses,
        Self::Dash,
        Self::StruckOut,
        Self::ScribbledOver,
        Self::Overwritten,
        Self::Overflow,
        Self::Scribble,
        Self::OffPage,
    ];
}

/// A drawn page, with the state and the number of each field, in the template's order.
pub struct DrawnPage {
    pub image: GrayImage,
    pub fields: Vec<(State, String)>,
}

/// A form with combs of five cells, in which crosses and dashes are fillers, and boxes for up to four digits. The last row may
/// be cut off.
pub fn form() -> FormTemplate {
    let mut text = format!(
        "name = \"states\"\ntitle = \"Fields in every state\"\npage = [{}, {}]\n\
        lines = [[8, 10, 192, 10], [8, 14, 192, 14], [8, 22, 120, 22], [60, 12, 60, 26], [150, 10, 150, 24]]\n",
        PAGE.0, PAGE.1
    );
    for row in 0..14 {
        let y = 32 + 16 * row;
        for (side, x) in [("a", 15), ("b", 110)] {
            text += &format!(
                "[[field]]\nname = \"comb{row}{side}\"\nkind = \"integer\"\ncells = [{}]\n\
                fillers = [\"cross\", \"dash\"]\nfillers_mean = \"0\"\n",
                (0..5).map(|i| format!("[{}, {y}, 6, 9]", x + 6 * i)).collect::<Vec<_>>().join(", ")
            );
            text += &format!(
                "[[field]]\nname = \"box{row}{side}\"\nkind = \"integer\"\nbox = [{}, {y}, 36, 9]\ndigits = [1, {MAX_DIGITS}]\n",
                x + 40
            );
        }
    }
    parse_template(&text).expect("the template is well formed")
}

/// Page number `page`. The states follow each other from field to field.
pub fn page(form: &FormTemplate, stock: &[(GrayImage, u8)], seed: u64, page: usize) -> DrawnPage {
    let mut rng = ChaCha8Rng::seed_from_u64(seed + page as u64);
    let mut pen = Pen {
        image: GrayImage::from_pixel((PAGE.0 * PX_PER_MM) as u32, (PAGE.1 * PX_PER_MM) as u32, Luma([248])),
        width: rng.random_range(3.0..5.5),
        rng,
    };
    for line in form.printed_lines() {
        let (a, b) = (line.a * PX_PER_MM, line.b * PX_PER_MM);
        pen.draw_line(&[(a.x, a.y), (b.x, b.y)], 2.5, 0.75);
    }
    let n_states = State::ALL.len() - 1;
    let last_row = form.fields.len() - 4;
    let is_cut = page.is_multiple_of(2);
    let mut fields = Vec::new();
    for (i, field) in form.fields.iter().enumerate() {
        let state = State::ALL[(i / 2 + i + 3 * page) % n_states];
        let (digits, is_comb) = match &field.layout {
            FieldLayout::Comb { cells, .. } => (pen.write_field(stock, state, cells), true),
            FieldLayout::Box { frame, .. } => (pen.write_field(stock, state, &[*frame]), false),
        };
        let state = if is_cut && i >= last_row {
            State::OffPage
        } else if is_comb && state == State::Overflow {
            State::Number
        } else {
            state
        };
        fields.push((state, digits));
    }
    let mut image = pen.image;
    if is_cut {
        let height = (32.0 + 16.0 * 13.0 + 4.0) * PX_PER_MM;
        image = imageops::crop_imm(&image, 0, 0, image.width(), height as u32).to_image();
    }
    DrawnPage { image, fields }
}

struct Pen {
    image: GrayImage,
    /// Width of its strokes, pixels.
    width: f64,
    rng: ChaCha8Rng,
}

impl Pen {
    /// Fills in one field. Returns the number that was written last, or nothing where there is none.
    fn write_field(&mut self, stock: &[(GrayImage, u8)], state: State, cells: &[Rect]) -> String {
        let is_comb = cells.len() > 1;
        let n = match state {
            State::Overflow if !is_comb => MAX_DIGITS + 1,
            State::Zero => 1,
            _ => self.rng.random_range(2..=MAX_DIGITS),
        };
        let places = self.places(cells, n);
        let height = cells[0].height() * PX_PER_MM * self.rng.random_range(0.6..0.75);
        match state {
            State::Blank => return String::new(),
            State::Zero => {
                self.write_digit(stock, Some(0), places[0], height);
                return "0".to_owned();
            }
            State::Crosses => {
                for (x, y) in if is_comb { self.places(cells, cells.len()) } else { places } {
                    let (w, h) = (0.35 * height, 0.4 * height);
                    self.draw_curve((x - w, y - h), (x + w, y + h));
                    self.draw_curve((x + w, y - h), (x - w, y + h));
                }
                return if is_comb { "0".to_owned() } else { String::new() };
            }
            State::Dash => {
                let (x, y) = places[n / 2];
                let half = self.rng.random_range(0.25..0.5) * height;
                self.draw_curve((x - half, y), (x + half, y));
                return if is_comb { "0".to_owned() } else { String::new() };
            }
            State::Scribble => {
                let (x, y) = places[n / 2];
                self.draw_scribble((x, y), 0.45 * height, 0.45 * height, 18);
                return String::new();
            }
            _ => {}
        }
        let mut digits = Vec::new();
        for &place in &places {
            digits.push(self.write_digit(stock, None, place, height));
        }
        let changed = self.rng.random_range(0..n);
        let (x, y) = places[changed];
        match state {
            State::StruckOut => {
                // One digit or all of them, with one line or two.
                let (first, last) = if self.rng.random_bool(0.5) { (x, x) } else { (places[0].0, places[n - 1].0) };
                let overhang = self.rng.random_range(0.4..0.6) * height;
                let rise = self.rng.random_range(-0.1..0.35) * height;
                for k in 0..self.rng.random_range(1..=2) {
                    let y = y + f64::from(k) * self.rng.random_range(0.1..0.25) * height;
                    self.draw_curve((first - overhang, y + rise / 2.0), (last + overhang, y - rise / 2.0));
                }
            }
            State::ScribbledOver => self.draw_scribble((x, y), 0.42 * height, 0.5 * height, 16),
            State::Overwritten => {
                let other = (digits[changed] + self.rng.random_range(1..10)) % 10;
                let offset = |rng: &mut ChaCha8Rng| rng.random_range(-0.08..0.08) * height;
                let place = (x + offset(&mut self.rng), y + offset(&mut self.rng));
                let size = height * self.rng.random_range(0.9..1.15);
                self.write_digit(stock, Some(other), place, size);
                digits[changed] = other;
            }
            _ => {}
        }
        let number = digits.iter().fold(0u32, |number, &digit| 10 * number + u32::from(digit));
        number.to_string()
    }

    /// Centres of `n` digits, pixels: in the last cells of a comb, or side by side in a box.
    fn places(&mut self, cells: &[Rect], n: usize) -> Vec<(f64, f64)> {
        let wander = |rng: &mut ChaCha8Rng| rng.random_range(-0.3..0.3);
        let pitch = 6.2;
        (0..n)
            .map(|i| {
                let centre = match cells {
                    [frame] => frame.centre().x + pitch * (i as f64 - (n as f64 - 1.0) / 2.0),
                    cells => cells[cells.len() - n + i].centre().x,
                };
                let y = cells[0].centre().y;
                ((centre + wander(&mut self.rng)) * PX_PER_MM, (y + wander(&mut self.rng)) * PX_PER_MM)
            })
            .collect()
    }

    /// Writes the digit `wanted`, or any digit, `height` pixels high. Returns the digit that was written.
    fn write_digit(&mut self, stock: &[(GrayImage, u8)], wanted: Option<u8>, centre: (f64, f64), height: f64) -> u8 {
        let candidates: Vec<_> = stock.iter().filter(|glyph| wanted.is_none_or(|wanted| glyph.1 == wanted)).collect();
        let (ink, digit) = candidates[self.rng.random_range(0..candidates.len())];
        let scale = height / f64::from(ink.height());
        let width = (f64::from(ink.width()) * scale).clamp(1.0, 0.85 * height).max(self.width);
        let ink = imageops::resize(ink, width as u32, height as u32, imageops::FilterType::CatmullRom);
        let (left, top) = (centre.0 - width / 2.0, centre.1 - height / 2.0);
        for (u, v, level) in ink.enumerate_pixels() {
            // Sharpens the edges: a pen leaves no wide grey fringe.
            let level = ((f64::from(level[0]) / 255.0 - 0.45) * 2.5 + 0.5).clamp(0.0, 1.0);
            self.darken(left as i64 + i64::from(u), top as i64 + i64::from(v), level * 0.85);
        }
        *digit
    }

    /// A slightly bent stroke from `a` to `b`.
    fn draw_curve(&mut self, a: (f64, f64), b: (f64, f64)) {
        let bulge = self.rng.random_range(-0.06..0.06);
        let middle = ((a.0 + b.0) / 2.0 + bulge * (b.1 - a.1), (a.1 + b.1) / 2.0 - bulge * (b.0 - a.0));
        let path: Vec<_> = (0..=12)
            .map(|i| {
                let t = f64::from(i) / 12.0;
                let at = |a: f64, m: f64, b: f64| (1.0 - t).powi(2) * a + 2.0 * t * (1.0 - t) * m + t * t * b;
                (at(a.0, middle.0, b.0), at(a.1, middle.1, b.1))
            })
            .collect();
        self.draw_line(&path, self.width, 0.85);
    }

    /// A zigzag from left to right.
    fn draw_scribble(&mut self, centre: (f64, f64), half_width: f64, half_height: f64, n_turns: usize) {
        let path: Vec<_> = (0..n_turns)
            .map(|i| {
                let along = 2.0 * i as f64 / (n_turns - 1) as f64 - 1.0;
                let side = if i % 2 == 0 { -1.0 } else { 1.0 };
                let reach = self.rng.random_range(0.6..1.0);
                let wander = self.rng.random_range(-0.2..0.2);
                (centre.0 + (along + wander) * half_width, centre.1 + side * reach * half_height)
            })
            .collect();
        self.draw_line(&path, self.width, 0.85);
    }

    /// A stroke with round ends, through the points of `path`.
    fn draw_line(&mut self, path: &[(f64, f64)], width: f64, darkness: f64) {
        let half = width / 2.0;
        let xs = path.iter().map(|p| p.0);
        let ys = path.iter().map(|p| p.1);
        let low = |v: f64| (v - half - 1.0) as i64;
        let high = |v: f64| (v + half + 1.0) as i64;
        let (x0, x1) = (low(xs.clone().fold(f64::MAX, f64::min)), high(xs.fold(f64::MIN, f64::max)));
        let (y0, y1) = (low(ys.clone().fold(f64::MAX, f64::min)), high(ys.fold(f64::MIN, f64::max)));
        for y in y0..=y1 {
            for x in x0..=x1 {
                let (px, py) = (x as f64 + 0.5, y as f64 + 0.5);
                let distance = path.windows(2).map(|pair| {
                    let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
                    let (dx, dy) = (bx - ax, by - ay);
                    let t = (((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy).max(1e-9)).clamp(0.0, 1.0);
                    (px - ax - t * dx).hypot(py - ay - t * dy)
                });
                let nearest = distance.fold(f64::MAX, f64::min);
                self.darken(x, y, (half + 0.5 - nearest).clamp(0.0, 1.0) * darkness);
            }
        }
    }

    fn darken(&mut self, x: i64, y: i64, share: f64) {
        if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
            && let Some(pixel) = self.image.get_pixel_mut_checked(x, y)
        {
            pixel[0] = (f64::from(pixel[0]) * (1.0 - share)) as u8;
        }
    }
}
