//! Ink of a grey picture of one sign on paper.

use image::{GrayImage, ImageBuffer, Luma, imageops};
use imageproc::region_labelling::{Connectivity, connected_components};

use crate::params::PARAMS;

/// Extracts the ink of a grey `picture` ([H, W] u8, one or a few signs on paper): 0 paper .. 255 full ink. The ground may be
/// uneven and the ink faint. Light signs on dark ground are recognised by the picture's edge. All 0 where there is no ink.
pub fn extract_ink(picture: &GrayImage) -> GrayImage {
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return GrayImage::new(width, height);
    }
    let mut picture = if is_light_on_dark(picture) { inverted(picture) } else { picture.clone() };
    let mut ground = ground_of(&picture);
    if width.min(height) >= PARAMS.min_smoothed_px && texture_of(&picture, &ground) > PARAMS.max_clean_texture {
        picture = imageproc::filter::gaussian_blur_f32(&picture, PARAMS.smooth_px);
        ground = ground_of(&picture);
    }
    let texture = PARAMS.texture_deviations * texture_of(&picture, &ground);
    let pairs = || ground.as_raw().iter().zip(picture.as_raw());
    let depths = || pairs().map(|(&ground, &grey)| ground.saturating_sub(grey));
    let deepest = depths().max().unwrap_or(0);
    let strong = texture.max(f64::from(deepest) / 2.0);
    let full = f64::from(
        GreyHistogram::of(depths().filter(|&depth| f64::from(depth) > strong)).quantile(PARAMS.full_ink_quantile),
    );
    if full < PARAMS.min_contrast {
        return GrayImage::new(width, height);
    }
    let floor = texture.min(full / 3.0);
    let ink =
        depths().map(|depth| (((f64::from(depth) - floor) / (full - floor)).clamp(0.0, 1.0) * 255.0).round() as u8);
    GrayImage::from_raw(width, height, ink.collect()).expect("it has the pixels of the picture")
}

/// Standard deviation of the paper's texture, grey levels. Most pixels are paper, so it is the median distance from the ground (1.4826:
/// from a median to a deviation).
fn texture_of(picture: &GrayImage, ground: &GrayImage) -> f64 {
    let pairs = ground.as_raw().iter().zip(picture.as_raw());
    let distances = GreyHistogram::of(pairs.map(|(&ground, &grey)| ground.abs_diff(grey)));
    1.4826 * f64::from(distances.quantile(0.5))
}

/// Removes pieces of neighbours from the `ink` (0 paper .. 255 ink) of one sign: components that touch the edge and are much
/// smaller than the largest one. Faint or separate components that do not touch the edge stay.
pub fn remove_neighbours(ink: &GrayImage) -> GrayImage {
    let (width, height) = ink.dimensions();
    if width == 0 || height == 0 {
        return ink.clone();
    }
    let strong = GrayImage::from_fn(width, height, |x, y| {
        Luma([if ink.get_pixel(x, y)[0] >= PARAMS.min_component_ink { 255 } else { 0 }])
    });
    let labels = connected_components(&strong, Connectivity::Eight, Luma([0]));
    let n_labels = labels.pixels().map(|p| p[0]).max().unwrap_or(0) as usize + 1;
    let mut mass = vec![0.0f64; n_labels];
    let mut at_edge = vec![false; n_labels];
    for (x, y, label) in labels.enumerate_pixels() {
        let label = label[0] as usize;
        mass[label] += f64::from(ink.get_pixel(x, y)[0]);
        at_edge[label] |= x == 0 || y == 0 || x + 1 == width || y + 1 == height;
    }
    let largest = mass.iter().skip(1).copied().fold(0.0, f64::max);
    let is_neighbour = |label: usize| label > 0 && at_edge[label] && mass[label] < PARAMS.max_neighbour_ink * largest;
    if !(1..n_labels).any(is_neighbour) {
        return ink.clone();
    }
    // with the pale edge of their strokes
    let mut kept = ink.clone();
    for (x, y, label) in labels.enumerate_pixels() {
        if is_neighbour(label[0] as usize) {
            for v in y.saturating_sub(2)..(y + 3).min(height) {
                for u in x.saturating_sub(2)..(x + 3).min(width) {
                    let there = labels.get_pixel(u, v)[0] as usize;
                    if there == 0 || is_neighbour(there) {
                        kept.put_pixel(u, v, Luma([0]));
                    }
                }
            }
        }
    }
    kept
}

/// Whether signs are light on dark ground. The light that falls on the picture from one side is taken away first. Then the edge, most
/// of which is ground, is dark or light; where it is neither, because the signs are faint, the ink is what is farthest from the mean.
fn is_light_on_dark(picture: &GrayImage) -> bool {
    let (width, height) = picture.dimensions();
    let points = picture.enumerate_pixels().map(|(x, y, p)| [f64::from(x), f64::from(y), f64::from(p[0])]);
    let plane = Plane::through(points.clone());
    let off = points.map(|[x, y, level]| level - plane.at(x, y));
    let at_edge = |x: u32, y: u32| x == 0 || y == 0 || x + 1 == width || y + 1 == height;
    let on_edge = picture.enumerate_pixels().zip(off.clone()).filter(|((x, y, _), _)| at_edge(*x, *y));
    let mut edge: Vec<f64> = on_edge.map(|(_, off)| off).collect();
    edge.sort_by(f64::total_cmp);
    let (low, high) = off.clone().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let of_range = (edge[edge.len() / 2] - low) / (high - low).max(f64::MIN_POSITIVE);
    if (of_range - 0.5).abs() >= PARAMS.min_edge_contrast {
        of_range < 0.5
    } else {
        off.map(|off| off.powi(3)).sum::<f64>() > 0.0
    }
}

fn inverted(picture: &GrayImage) -> GrayImage {
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| Luma([255 - picture.get_pixel(x, y)[0]]))
}

/// The paper's grey under every pixel: a plane, as light from one side makes it, and what a grid of tiles differs from it.
fn ground_of(picture: &GrayImage) -> GrayImage {
    let (width, height) = picture.dimensions();
    let (across, down) = ((width / PARAMS.ground_tile_px).max(1), (height / PARAMS.ground_tile_px).max(1));
    // bounds of a tile, pixels
    let columns = |i: u32| (i * width / across, (i + 1) * width / across);
    let rows = |j: u32| (j * height / down, (j + 1) * height / down);
    let level = |i: u32, j: u32| {
        let ((x0, x1), (y0, y1)) = (columns(i), rows(j));
        let places = (y0..y1).flat_map(|y| (x0..x1).map(move |x| (x, y)));
        f64::from(GreyHistogram::of(places.map(|(x, y)| picture.get_pixel(x, y)[0])).quantile(PARAMS.ground_quantile))
    };
    let middle = |(from, to): (u32, u32)| f64::from(from + to) / 2.0;
    let places = (0..down).flat_map(|j| (0..across).map(move |i| (i, j)));
    let tiles: Vec<[f64; 3]> = places.map(|(i, j)| [middle(columns(i)), middle(rows(j)), level(i, j)]).collect();
    let plane = Plane::around(&tiles);
    let lightest = tiles.iter().map(|tile| tile[2]).fold(0.0, f64::max);
    let darkest = f64::from(picture.as_raw().iter().copied().min().unwrap_or(0));
    let drop = (PARAMS.max_ground_drop * (lightest - darkest)).max(PARAMS.ground_drop_levels);
    let beside: Vec<f32> = tiles.iter().map(|&[x, y, level]| (level - plane.at(x, y)).max(-drop) as f32).collect();
    let beside: ImageBuffer<Luma<f32>, Vec<f32>> =
        ImageBuffer::from_raw(across, down, beside).expect("there is a value for each tile");
    let beside = imageops::resize(&beside, width, height, imageops::FilterType::Triangle);
    GrayImage::from_fn(width, height, |x, y| {
        let ground = plane.at(f64::from(x) + 0.5, f64::from(y) + 0.5) + f64::from(beside.get_pixel(x, y)[0]);
        Luma([ground.round().clamp(0.0, 255.0) as u8])
    })
}

/// A grey that changes evenly over a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Plane {
    /// Where it has the grey `level`, pixels.
    centre: [f64; 2],
    level: f64,
    /// Grey levels a pixel to the right, and downwards.
    slope: [f64; 2],
}

impl Plane {
    /// The plane through `points` (x, y, grey level; at least one), by least squares; points that are darker than most are left
    /// out, because they have ink.
    fn around(points: &[[f64; 3]]) -> Self {
        let mut plane = Self::through(points.iter().copied());
        for _ in 0..PARAMS.n_plane_rounds {
            let off = |[x, y, level]: [f64; 3]| level - plane.at(x, y);
            let mut sizes: Vec<f64> = points.iter().map(|point| off(*point).abs()).collect();
            sizes.sort_by(f64::total_cmp);
            let darkest = -sizes[sizes.len() / 2].max(1.0);
            plane = Self::through(points.iter().copied().filter(|point| off(*point) >= darkest));
        }
        plane
    }

    /// The plane through all of `points` by least squares.
    fn through(points: impl Iterator<Item = [f64; 3]> + Clone) -> Self {
        let n = points.clone().count().max(1) as f64;
        let means = points.clone().fold([0.0; 3], |sums, point| [0, 1, 2].map(|i| sums[i] + point[i] / n));
        let product =
            |i: usize, j: usize| points.clone().map(|point| (point[i] - means[i]) * (point[j] - means[j])).sum::<f64>();
        let (xx, xy, yy, xz, yz) = (product(0, 0), product(0, 1), product(1, 1), product(0, 2), product(1, 2));
        let determinant = xx * yy - xy * xy;
        // points in one row or column, or one point, say nothing about the other direction
        let slope = if determinant > 1e-6 * xx * yy && determinant > 0.0 {
            [(xz * yy - yz * xy) / determinant, (yz * xx - xz * xy) / determinant]
        } else {
            [(xx, xz), (yy, yz)].map(|(own, with_level)| if own > 0.0 && xy == 0.0 { with_level / own } else { 0.0 })
        };
        Self { centre: [means[0], means[1]], level: means[2], slope }
    }

    fn at(&self, x: f64, y: f64) -> f64 {
        self.level + self.slope[0] * (x - self.centre[0]) + self.slope[1] * (y - self.centre[1])
    }
}

/// How often each grey level occurs, 0 to 255.
pub struct GreyHistogram([usize; 256]);

impl GreyHistogram {
    /// Counts `levels`.
    pub fn of(levels: impl Iterator<Item = u8>) -> Self {
        let mut counts = [0; 256];
        levels.for_each(|level| counts[usize::from(level)] += 1);
        Self(counts)
    }

    /// The quantile `q` (0 to 1): the least level that this share of all levels does not exceed. 0 where there are none.
    pub fn quantile(&self, q: f64) -> u8 {
        let total: usize = self.0.iter().sum();
        let rank = (total.saturating_sub(1) as f64 * q).round() as usize;
        let mut n_counted = 0;
        let level = self.0.iter().position(|&count| {
            n_counted += count;
            n_counted > rank
        });
        level.and_then(|level| u8::try_from(level).ok()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A vertical bar of `ink` on a ground that falls off from left to right, with a texture of one grey level.
    fn bar(ink: u8) -> GrayImage {
        GrayImage::from_fn(90, 100, |x, y| {
            let ground = 240 - x / 3 - (x * 7 + y * 13) % 2;
            let stroke = (40..46).contains(&x) && (20..80).contains(&y);
            Luma([if stroke { (ground as u8).saturating_sub(ink) } else { ground as u8 }])
        })
    }

    #[test]
    fn ink_faint_on_uneven_ground_is_extracted_in_full() {
        for depth in [180, 60, 25] {
            let ink = extract_ink(&bar(depth));
            assert!(ink.get_pixel(43, 50)[0] > 200, "{depth}: {:?}", ink.get_pixel(43, 50));
            assert_eq!(ink.get_pixel(10, 10)[0], 0, "{depth}");
            assert_eq!(ink.get_pixel(85, 90)[0], 0, "{depth}");
        }
    }

    #[test]
    fn ink_in_light_from_one_side_is_extracted_and_the_shadow_is_not() {
        // a photo: the ground falls by more than half, the stroke is as deep everywhere
        let photo = GrayImage::from_fn(160, 150, |x, y| {
            let ground = 230.0 - 0.5 * x as f64 - 0.4 * y as f64;
            let stroke = (70..78).contains(&x) && (30..120).contains(&y);
            Luma([if stroke { ground - 60.0 } else { ground } as u8])
        });
        let ink = extract_ink(&photo);
        assert!(ink.get_pixel(74, 40)[0] > 200 && ink.get_pixel(74, 110)[0] > 200);
        let elsewhere = ink.enumerate_pixels().filter(|(x, _, _)| !(60..88).contains(x));
        assert_eq!(elsewhere.map(|(_, _, p)| p[0]).max(), Some(0));
    }

    #[test]
    fn ink_faint_in_light_from_one_side_is_dark_on_light() {
        for slope in [0.6, -0.6] {
            let photo = GrayImage::from_fn(160, 150, |x, y| {
                let ground = 150.0 + slope * (f64::from(x) - 80.0);
                let stroke = (70..78).contains(&x) && (30..120).contains(&y);
                Luma([if stroke { ground - 25.0 } else { ground } as u8])
            });
            assert!(extract_ink(&photo).get_pixel(74, 75)[0] > 200, "{slope}");
            assert!(extract_ink(&inverted(&photo)).get_pixel(74, 75)[0] > 200, "{slope}");
        }
    }

    #[test]
    fn ink_of_a_grainy_photo_has_no_specks() {
        let grain = |x: u32, y: u32| match (x * 7919 + y * 104_729 + x * y * 31) % 47 {
            0 => -50.0,
            other => f64::from(other % 9) - 4.0,
        };
        let photo = GrayImage::from_fn(160, 150, |x, y| {
            let stroke = (70..78).contains(&x) && (30..120).contains(&y);
            Luma([(if stroke { 100.0 } else { 190.0 } + grain(x, y)) as u8])
        });
        let ink = extract_ink(&photo);
        let n_specks = ink.enumerate_pixels().filter(|(x, _, p)| !(62..86).contains(x) && p[0] > 64).count();
        assert!(ink.get_pixel(74, 75)[0] > 180 && n_specks == 0, "{n_specks}");
    }

    #[test]
    fn ink_light_on_dark_equals_dark_on_light() {
        assert_eq!(extract_ink(&inverted(&bar(120))), extract_ink(&bar(120)));
    }

    #[test]
    fn paper_without_ink_gives_none() {
        assert!(extract_ink(&bar(0)).as_raw().iter().all(|&v| v == 0));
        assert_eq!(extract_ink(&GrayImage::new(0, 3)).dimensions(), (0, 3));
    }

    #[test]
    fn neighbour_at_the_edge_is_removed_and_inner_fragment_stays() {
        let ink = GrayImage::from_fn(60, 60, |x, y| {
            let digit = (20..26).contains(&x) && (10..50).contains(&y);
            let fragment = (40..43).contains(&x) && (20..24).contains(&y);
            let neighbour = x < 3 && (20..30).contains(&y);
            Luma([if digit || fragment || neighbour { 255 } else { 0 }])
        });
        let kept = remove_neighbours(&ink);
        assert_eq!(kept.get_pixel(1, 25)[0], 0);
        assert_eq!(kept.get_pixel(41, 22)[0], 255);
        assert_eq!(kept.get_pixel(22, 30)[0], 255);
    }
}
