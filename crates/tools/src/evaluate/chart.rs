//! Charts as SVG for the HTML report.

use maud::{Markup, html};

/// Width and height of a chart with its labels, in SVG units; the page scales it.
const SIZE: [f64; 2] = [460.0, 300.0];
/// Left, top, right and bottom margin for the labels, in SVG units.
const MARGIN: [f64; 4] = [76.0, 12.0, 16.0, 44.0];
/// Number of intervals on each axis.
const N_TICKS: u32 = 5;

/// A chart with its labels and the ranges of its axes.
pub(super) struct Chart<'a> {
    /// Accessible name, for screen readers.
    pub title: &'a str,
    pub x_label: &'a str,
    pub y_label: &'a str,
    /// Range of each axis, the lower end first.
    pub x: [f64; 2],
    pub y: [f64; 2],
    pub series: Vec<Series<'a>>,
}

/// A curve through points, in order.
pub(super) struct Series<'a> {
    /// Class in the style sheet, which sets colour and stroke.
    pub class: &'a str,
    pub points: Vec<[f64; 2]>,
    /// Radius of the dot at each point, whose tooltip shows the coordinates; empty for a line without dots.
    pub dots: Vec<f64>,
}

impl Chart<'_> {
    /// Draws the chart as SVG.
    pub fn draw(&self) -> Markup {
        let [left, top, right, bottom] = MARGIN;
        let [width, height] = SIZE;
        let ticks = |[from, to]: [f64; 2]| (0..=N_TICKS).map(move |i| from + (to - from) * f64::from(i) / 5.0);
        html! {
            svg viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(self.title) {
                @for x in ticks(self.x) {
                    @let [px, _] = self.position([x, self.y[0]]);
                    line.grid x1=(px) x2=(px) y1=(top) y2=(height - bottom) {}
                    text.tick x=(px) y=(height - bottom + 15.0) text-anchor="middle" { (label(x)) }
                }
                @for y in ticks(self.y) {
                    @let [_, py] = self.position([self.x[0], y]);
                    line.grid x1=(left) x2=(width - right) y1=(py) y2=(py) {}
                    text.tick x=(left - 6.0) y=(py + 4.0) text-anchor="end" { (label(y)) }
                }
                text.axis x=((left + width - right) / 2.0) y=(height - 8.0) text-anchor="middle" { (self.x_label) }
                text.axis transform={ "translate(13 " ((top + height - bottom) / 2.0) ") rotate(-90)" } text-anchor="middle" {
                    (self.y_label)
                }
                @for series in &self.series {
                    path class=(series.class) d=(self.path(&series.points)) {}
                    @for (point, radius) in series.points.iter().zip(&series.dots) {
                        @let [px, py] = self.position(*point);
                        circle class=(series.class) cx=(px) cy=(py) r=(radius) {
                            title { (label(point[0])) ", " (label(point[1])) }
                        }
                    }
                }
            }
        }
    }

    /// Position of a point in the chart; a point outside the ranges moves to the edge.
    fn position(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [left, top, right, bottom] = MARGIN;
        let share = |value: f64, [from, to]: [f64; 2]| ((value - from) / (to - from)).clamp(0.0, 1.0);
        let px = left + share(x, self.x) * (SIZE[0] - left - right);
        let py = SIZE[1] - bottom - share(y, self.y) * (SIZE[1] - top - bottom);
        [px, py].map(|edge| (edge * 10.0).round() / 10.0)
    }

    fn path(&self, points: &[[f64; 2]]) -> String {
        let step = |(i, point): (usize, &[f64; 2])| {
            let [x, y] = self.position(*point);
            format!("{}{x} {y}", if i == 0 { "M" } else { "L" })
        };
        points.iter().enumerate().map(step).collect()
    }
}

/// A share in per cent, with at most three decimals.
fn label(share: f64) -> String {
    let percent = 100.0 * share;
    let text = if percent.abs() < 1.0 { format!("{percent:.3}") } else { format!("{percent:.2}") };
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chart_points_follow_the_axes_and_text_is_escaped() {
        let chart = Chart {
            title: "a<b",
            x_label: "x",
            y_label: "y",
            x: [0.0, 1.0],
            y: [0.0, 0.1],
            series: vec![Series {
                class: "curve",
                points: vec![[0.0, 0.0], [1.0, 0.1], [2.0, 9.0]],
                dots: vec![3.0; 3],
            }],
        };
        let svg = chart.draw().into_string();
        assert!(svg.contains("M76 256L444 12L444 12"), "{svg}");
        assert!(svg.contains("a&lt;b") && !svg.contains("a<b"), "{svg}");
    }

    #[test]
    fn share_label_has_no_trailing_zeros() {
        assert_eq!([0.0, 0.0005, 0.5, 1.0].map(label), ["0 %", "0.05 %", "50 %", "100 %"]);
    }
}
