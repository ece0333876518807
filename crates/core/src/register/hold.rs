//! How firmly the print that was found holds a placement, from the covariance of its fit.

use formread_raster::geometry::{Point, Projection, solve_augmented};

/// The covariance of an affine fit, for a landmark of unit weight that is off by 1.
#[derive(Debug, Clone)]
pub struct Hold {
    page_from_template: Projection,
    unit_from_template: Projection,
    covariance: [[f64; 6]; 6],
    /// Standard deviation of a landmark of unit weight, millimetres.
    landmark_mm: f64,
}

impl Hold {
    /// The hold of a fit with these normal equations, in coordinates `unit_from_template`.
    pub fn new(
        page_from_template: Projection,
        unit_from_template: Projection,
        normal_equations: &[[f64; 6]; 6],
        landmark_mm: f64,
    ) -> Option<Self> {
        let mut covariance = [[0.0; 6]; 6];
        // it is symmetric: its columns are its rows
        for (row, values) in covariance.iter_mut().enumerate() {
            let unit = |i: usize| if i == row { 1.0 } else { 0.0 };
            let augmented: [[f64; 7]; 6] =
                std::array::from_fn(|i| std::array::from_fn(|j| if j < 6 { normal_equations[i][j] } else { unit(i) }));
            *values = solve_augmented(augmented)?;
        }
        Some(Self { page_from_template, unit_from_template, covariance, landmark_mm })
    }

    /// Standard deviation of the place of a template's point along the template's x and y, millimetres.
    pub fn deviation_mm(&self, p: Point) -> [f64; 2] {
        let [a, b, c, d] = self.page_from_template.jacobian(p);
        let unit = self.unit_from_template.apply(p);
        [Point::new(a, c), Point::new(b, d)].map(|axis| {
            let axis = axis * (1.0 / axis.norm().max(f64::MIN_POSITIVE));
            let row = [axis.x * unit.x, axis.x * unit.y, axis.x, axis.y * unit.x, axis.y * unit.y, axis.y];
            let variance: f64 = (0..6)
                .flat_map(|i| (0..6).map(move |j| (i, j)))
                .map(|(i, j)| row[i] * self.covariance[i][j] * row[j])
                .sum();
            self.landmark_mm * variance.max(0.0).sqrt()
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        form::{FormTemplate, parse_template},
        register::{
            RegisterParams, Registration, identify,
            tests::{PX_PER_MM, drawn, off_mm, turned},
        },
    };
    use formread_raster::geometry::{Point, Projection, Rect, Segment};

    /// A form of lines to write on, of different lengths, with these words before them.
    fn form_of_lines(words: &[Rect]) -> FormTemplate {
        let field = |i: u32| {
            let (left, width) = (28 + 3 * (i % 3), 30 + 4 * i);
            let place = format!("box = [{left}, {}, {width}, 6]", 24 + 13 * i);
            format!("[[field]]\nname = \"f{i}\"\nkind = \"integer\"\n{place}\nprinted = [\"bottom\"]\n")
        };
        let fields: String = (0..8).map(field).collect();
        let words: Vec<String> =
            words.iter().map(|r| format!("{{ at = [{}, {}, {}, {}] }}", r.x0, r.y0, r.width(), r.height())).collect();
        let head = format!("name = \"x\"\ntitle = \"t\"\npage = [100, 140]\nwords = [{}]\n", words.join(", "));
        parse_template(&(head + &fields)).expect("it is well formed")
    }

    fn words() -> Vec<Rect> {
        let captions = (0..8).map(|i| Rect::from_xywh(8.0, 26.0 + 13.0 * f64::from(i), 12.0 + f64::from(i % 3), 3.0));
        [Rect::from_xywh(20.0, 8.0, 34.0, 5.0)].into_iter().chain(captions).collect()
    }

    /// The page of that form, with its words, laid on by `map`.
    fn page(map: &Projection) -> formread_page::Page {
        let strokes = words().into_iter().flat_map(|word| {
            let n = (word.width() / 1.5).round();
            (0..=n as u32).map(move |i| {
                let x = word.x0 + 0.2 + (word.width() - 0.4) * f64::from(i) / n;
                Segment::new(Point::new(x, word.y0 + 0.2), Point::new(x, word.y1 - 0.2))
            })
        });
        let lines: Vec<Segment> = form_of_lines(&[]).printed_lines().into_iter().chain(strokes).collect();
        drawn(&lines, map)
    }

    fn registered(form: &FormTemplate, map: &Projection) -> Registration {
        let found = identify(&page(map), std::slice::from_ref(form), &RegisterParams::default());
        found.unwrap_or_else(|failure| panic!("{failure:?}")).1
    }

    #[test]
    fn form_of_lines_is_held_along_them_by_its_words() {
        for (degrees, shift_px) in [(0.0, [0.0, 0.0]), (0.9, [9.0, -6.0]), (-1.5, [-12.0, 4.0])] {
            let map = turned(degrees, shift_px);
            let form = form_of_lines(&words());
            let registration = registered(&form, &map);
            let off = off_mm(&form, &registration.page_from_template, &map);
            assert!(off < 0.6, "{degrees} degrees: {off:.2} mm off");
            assert!(registration.fields.iter().all(|field| !field.is_loose), "{degrees} degrees");
        }
    }

    #[test]
    fn fields_of_a_form_of_lines_without_words_are_loose() {
        let form = form_of_lines(&[]);
        let registration = registered(&form, &turned(0.0, [0.0, 0.0]));
        assert!(registration.fields.iter().all(|field| field.is_loose));
        let px = (registration.fields[0].locate(Point::new(30.0, 30.0)).y - 30.0 * PX_PER_MM).abs();
        assert!(px < PX_PER_MM, "across the lines it lies well");
    }
}
