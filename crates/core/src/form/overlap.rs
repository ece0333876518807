//! How much of a form's print another form shares.

use super::{FormTemplate, PageLayout};
use formread_raster::geometry::{Point, Projection, Rect, Segment};

/// Distance between the samples along lines, millimetres.
const STEP_MM: f64 = 4.0;
/// Largest number of samples of a form: enough for a difference of a hundredth.
const MAX_SAMPLES: usize = 600;
/// Sine of the largest angle between lines that are one: 8 degrees, as in registration.
const MAX_SINE: f64 = 0.14;

impl FormTemplate {
    /// Share of this form's printed lines, by length, that lie within `near_mm` of another form's lines (`others`) after
    /// `other_from_this`: 0 to 1. Lines along the form and lines across it have the same weight. 0 where it has no lines.
    pub fn line_overlap(&self, others: &[Segment], other_from_this: &Projection, near_mm: f64) -> f64 {
        let lines = self.printed_lines();
        let total_mm: f64 = lines.iter().map(|line| line.length()).sum();
        let step_mm = STEP_MM.max(total_mm / MAX_SAMPLES as f64);
        let (mut found, mut all) = ([0.0; 2], [0.0; 2]);
        for line in lines {
            let family = usize::from(!line.is_horizontal());
            let n = (line.length() / step_mm).ceil().max(1.0) as usize;
            let line = other_from_this.apply_segment(line);
            let points = (0..n).map(|i| line.at((i as f64 + 0.5) / n as f64));
            let n_found =
                points.filter(|&p| others.iter().any(|other| passes(other, p, line.direction(), near_mm))).count();
            found[family] += n_found as f64;
            all[family] += n as f64;
        }
        match all.map(|n| n > 0.0) {
            [true, true] => (found[0] / all[0] + found[1] / all[1]) / 2.0,
            [true, false] => found[0] / all[0],
            [false, true] => found[1] / all[1],
            [false, false] => 0.0,
        }
    }

    /// The boxes in which ink is printed, millimetres: words and marks.
    pub fn printed_boxes(&self) -> Vec<Rect> {
        match &self.layout {
            PageLayout::Printed(landmarks) => {
                landmarks.words.iter().map(|word| word.bounds).chain(landmarks.marks.iter().copied()).collect()
            }
            PageLayout::WholeImage => Vec::new(),
        }
    }
}

/// Whether `segment` runs within `near` of `p`, in `direction` (a unit vector) or against it.
fn passes(segment: &Segment, p: Point, direction: Point, near: f64) -> bool {
    let along = segment.direction();
    let t = (p - segment.a).dot(along);
    along.cross(direction).abs() < MAX_SINE
        && along.cross(p - segment.a).abs() < near
        && (-near..=segment.length() + near).contains(&t)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::known_templates;

    #[test]
    fn line_overlap_is_full_with_itself_and_low_with_other_forms() {
        let known = known_templates().expect("they parse");
        let printed: Vec<&FormTemplate> = known.iter().filter(|form| form.layout != PageLayout::WholeImage).collect();
        for a in &printed {
            for b in &printed {
                let shared = a.line_overlap(&b.printed_lines(), &Projection::IDENTITY, 1.0);
                assert_eq!(shared > 0.99, a.name == b.name, "{} has {shared:.2} of {}", b.name, a.name);
                assert!(a.name == b.name || shared < 0.6, "{} has {shared:.2} of {}", b.name, a.name);
            }
        }
    }
}
