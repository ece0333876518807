//! The strokes of signs and letters.

use rand::RngExt;

use crate::synth::Dice;
use formread_raster::geometry::Point;

/// Maximum displacement of a point of a sign, as a share of the height of a digit.
const MAX_WANDER: f64 = 0.035;

/// Signs and letters with their strokes. A character that is there several times has several variants.
///
/// Strokes are separated by `;`, their points by spaces. A point is `x,y` in hundredths of the height of a digit: x from the
/// left side of the character, y from the top of a digit (0) to its foot (100). A point given twice is a corner.
const SHAPES: &[(char, &str)] = &[
    ('-', "0,52 42,50"),
    ('-', "0,50 22,47 46,53"),
    ('-', "0,56 30,50"),
    ('.', "4,97"),
    ('.', "4,95 5,98"),
    (',', "8,92 8,94 2,112"),
    (',', "7,88 10,98 3,118"),
    ('/', "46,-6 0,108"),
    ('/', "42,-4 0,104"),
    ('/', "58,2 28,54 0,106"),
    (':', "5,42; 4,90"),
    (':', "4,38 5,40; 3,94 4,96"),
    ('~', "0,56 12,43 28,55 42,44"),
    ('~', "0,60 16,40 34,62 52,44"),
    ('>', "0,22 44,50 44,50 0,78"),
    ('>', "2,30 36,54 36,54 0,86"),
    ('<', "44,22 0,50 0,50 44,78"),
    ('<', "38,28 0,56 0,56 40,84"),
    ('=', "0,40 44,38; 0,62 44,60"),
    ('=', "0,36 36,38; 2,58 40,57"),
    ('(', "20,-6 3,26 1,70 18,108"),
    ('(', "14,-2 0,48 12,104"),
    (')', "0,-6 17,26 19,70 2,108"),
    (')', "0,-2 14,48 2,104"),
    ('$', "44,20 22,8 4,26 22,48 44,68 26,92 0,82; 24,-8 21,108"),
    ('$', "40,16 14,12 10,38 38,60 30,88 0,84; 18,-6 16,106; 28,-6 26,106"),
    ('€', "52,14 30,2 12,30 12,70 30,98 54,88; 0,42 40,40; 0,60 38,58"),
    ('%', "14,4 0,18 10,36 24,20 14,4; 62,0 8,104; 56,64 42,80 52,100 66,82 56,64"),
    ('%', "10,8 2,24 16,30 20,12 10,8; 54,2 4,98; 48,70 40,88 54,96 60,76 48,70"),
    ('"', "8,20 2,50; 24,18 18,50"),
    ('"', "4,60 0,94; 20,58 16,92"),
    ('"', "8,34 10,46 2,62; 26,34 28,46 20,62"),
    ('I', "4,0 3,100"),
    ('I', "10,2 9,98; 0,2 22,0; 0,100 21,98"),
    ('V', "0,0 24,100 24,100 50,0"),
    ('V', "0,4 20,100 20,100 38,0 52,2"),
    ('X', "0,0 46,100; 46,0 2,100"),
    ('X', "4,4 40,96; 50,-2 0,104"),
    ('a', "40,52 14,46 0,72 12,100 36,88 42,50; 42,48 41,90 52,100"),
    ('a', "36,56 16,48 2,74 14,98 34,84 38,50 38,92 50,98"),
    ('b', "4,0 2,98; 3,62 24,46 42,68 28,98 3,94"),
    ('c', "38,56 18,46 0,72 14,99 40,92"),
    ('d', "40,54 16,46 0,72 12,100 36,90 42,60; 45,0 42,92 52,100"),
    ('e', "2,74 38,68 30,46 8,52 0,80 16,100 42,90"),
    ('f', "42,6 26,0 16,20 14,100; 0,48 34,46"),
    ('g', "40,52 14,46 0,70 12,94 36,86 42,50 40,120 20,134 2,122"),
    ('h', "4,0 2,100; 3,68 24,46 38,60 38,100"),
    ('i', "6,46 5,96 14,98; 8,22"),
    ('k', "4,0 2,100; 38,46 4,74 4,74 40,100"),
    ('k', "6,0 2,100; 4,66 32,50 20,72 6,72 6,72 34,100"),
    ('l', "14,20 8,0 4,84 16,100"),
    ('l', "6,0 4,100"),
    ('m', "2,46 2,100; 2,64 18,46 28,60 28,100; 28,64 44,46 56,60 56,100"),
    ('n', "2,46 2,100; 2,66 20,46 36,60 36,100"),
    ('o', "22,46 2,62 4,92 24,100 42,82 36,52 20,46"),
    ('p', "3,46 0,140; 3,60 24,46 42,68 28,98 3,92"),
    ('r', "2,46 3,100; 3,70 16,48 34,50"),
    ('s', "36,52 14,46 6,62 34,78 30,98 2,94"),
    ('t', "14,10 12,88 30,100 38,92; 0,44 34,42"),
    ('u', "2,46 2,84 16,100 34,86 38,46; 38,46 38,90 48,100"),
    ('v', "0,46 18,100 18,100 38,46"),
    ('w', "0,46 12,100 12,100 26,56 26,56 40,100 40,100 54,46"),
    ('x', "0,46 38,100; 38,46 0,100"),
    ('x', "0,30 44,84; 44,28 4,88"),
    ('y', "0,46 18,90; 38,46 4,136"),
    ('z', "0,48 38,46 38,46 0,100 0,100 40,98"),
    ('N', "2,100 4,0 4,0 44,100 44,100 46,0"),
    ('S', "46,10 22,0 4,22 24,46 46,70 26,100 0,90"),
    ('F', "4,0 2,100; 4,2 44,0; 3,48 34,46"),
    ('K', "4,0 2,100; 44,0 4,56 4,56 46,100"),
];

/// A character as strokes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sign {
    /// Strokes, as shares of the height of a digit: x from its left side, y from the top of a digit downwards.
    pub strokes: Vec<Vec<Point>>,
    /// Width, as a share of the height of a digit.
    pub width: f64,
}

/// A character as one person writes it once, slanted by `slant` heights to the right; `None` if it has no strokes.
pub(super) fn draw_sign(character: char, slant: f64, dice: &mut Dice) -> Option<Sign> {
    let variants: Vec<&str> = SHAPES.iter().filter(|(known, _)| *known == character).map(|(_, shape)| *shape).collect();
    if variants.is_empty() {
        return None;
    }
    let shape = variants[dice.random_range(0..variants.len())];
    let stretch = dice.random_range(0.88..1.12);
    let mut strokes: Vec<Vec<Point>> = Vec::new();
    for stroke in shape.split(';') {
        let exact: Vec<Point> = stroke.split_whitespace().filter_map(parse_point).collect();
        let mut near: Vec<Point> = Vec::with_capacity(exact.len());
        for (i, point) in exact.iter().enumerate() {
            let is_corner = i > 0 && exact[i - 1] == *point;
            let mut wander = || dice.random_range(-MAX_WANDER..MAX_WANDER);
            let moved = Point::new(point.x * stretch + slant * (0.5 - point.y) + wander(), point.y + wander());
            near.push(if is_corner { near[i - 1] } else { moved });
        }
        strokes.push(near);
    }
    let xs = || strokes.iter().flatten().map(|point| point.x);
    let (left, right) = (xs().fold(f64::MAX, f64::min), xs().fold(f64::MIN, f64::max));
    strokes.iter_mut().flatten().for_each(|point| point.x -= left);
    Some(Sign { strokes, width: right - left })
}

fn parse_point(text: &str) -> Option<Point> {
    let (x, y) = text.split_once(',')?;
    Some(Point::new(x.parse::<f64>().ok()? / 100.0, y.parse::<f64>().ok()? / 100.0))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_shape_parses() {
        for (character, shape) in SHAPES {
            let points: Vec<_> = shape.split(';').flat_map(str::split_whitespace).map(parse_point).collect();
            let is_near = |point: &Option<Point>| {
                point.is_some_and(|p| (0.0..=0.7).contains(&p.x) && (-0.1..=1.45).contains(&p.y))
            };
            assert!(!points.is_empty() && points.iter().all(is_near), "{character}: {points:?}");
        }
    }

    #[test]
    fn sign_begins_at_its_left_side_and_varies() {
        let dice = &mut Dice::seed_from_u64(4);
        let mut draw = |slant| draw_sign('V', slant, dice).expect("it is known");
        let (first, second) = (draw(0.0), draw(0.0));
        assert_ne!(first, second);
        for sign in [first, second, draw(0.2)] {
            let xs: Vec<f64> = sign.strokes.iter().flatten().map(|point| point.x).collect();
            assert!(xs.iter().all(|x| (0.0..=sign.width).contains(x)) && xs.contains(&0.0), "{sign:?}");
            assert!((0.35..0.8).contains(&sign.width), "{}", sign.width);
            assert_eq!(sign.strokes[0][1], sign.strokes[0][2], "its corner stays a corner");
        }
        assert_eq!(draw_sign('Ω', 0.0, dice), None);
    }

    #[test]
    fn slant_moves_the_top_to_the_right() {
        let dice = &mut Dice::seed_from_u64(4);
        for _ in 0..10 {
            let slanted = draw_sign('I', 0.4, dice).expect("it is known");
            let line = slanted.strokes.first().expect("it has a stroke");
            let by_height = |a: &&Point, b: &&Point| a.y.total_cmp(&b.y);
            let (top, foot) = (line.iter().min_by(by_height), line.iter().max_by(by_height));
            assert!(top.expect("it has points").x > foot.expect("it has points").x, "{line:?}");
        }
    }
}
