//! Ink of a grey picture of one sign on paper.

use image::{GrayImage, Luma, imageops};
use imageproc::region_labelling::{Connectivity, connected_components};

use crate::params::PARAMS;

/// Extracts the ink of a grey `picture` ([H, W] u8, one or a few signs on paper): 0 paper .. 255 full ink. The ground may be
/// uneven and the ink faint. Light signs on dark ground are recognised by the picture's edge. All 0 where there is no ink.
pub fn extract_ink(picture: &GrayImage) -> GrayImage {
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return GrayImage::new(width, height);
    }
    let picture = if edge_is_dark(picture) { inverted(picture) } else { picture.clone() };
    let ground = ground_of(&picture);
    // most pixels are paper, so the median distance from the ground is the texture's (1.4826: MAD to deviation)
    let pairs = || ground.as_raw().iter().zip(picture.as_raw());
    let distances = GreyHistogram::of(pairs().map(|(&ground, &grey)| ground.abs_diff(grey)));
    let texture = PARAMS.texture_deviations * 1.4826 * f64::from(distances.quantile(0.5));

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

/// Whether the median grey of the edge is in the lower half of the picture's range.
fn edge_is_dark(picture: &GrayImage) -> bool {
    let (width, height) = picture.dimensions();
    let at_edge = |x: u32, y: u32| x == 0 || y == 0 || x + 1 == width || y + 1 == height;
    let edge = GreyHistogram::of(picture.enumerate_pixels().filter(|&(x, y, _)| at_edge(x, y)).map(|(_, _, p)| p[0]));
    let range = picture.as_raw().iter().fold((255u8, 0u8), |(low, high), &v| (low.min(v), high.max(v)));
    f64::from(edge.quantile(0.5)) < (f64::from(range.0) + f64::from(range.1)) / 2.0
}

fn inverted(picture: &GrayImage) -> GrayImage {
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| Luma([255 - picture.get_pixel(x, y)[0]]))
}

/// The paper's grey under every pixel, from a grid of tiles.
fn ground_of(picture: &GrayImage) -> GrayImage {
    let (width, height) = picture.dimensions();
    let (across, down) = ((width / PARAMS.ground_tile_px).max(1), (height / PARAMS.ground_tile_px).max(1));
    let mut tiles = GrayImage::from_fn(across, down, |i, j| {
        let (x0, x1) = (i * width / across, (i + 1) * width / across);
        let (y0, y1) = (j * height / down, (j + 1) * height / down);
        let places = (y0..y1).flat_map(|y| (x0..x1).map(move |x| (x, y)));
        Luma([GreyHistogram::of(places.map(|(x, y)| picture.get_pixel(x, y)[0])).quantile(PARAMS.ground_quantile)])
    });
    let lightest = tiles.as_raw().iter().copied().max().unwrap_or(255);
    let darkest = picture.as_raw().iter().copied().min().unwrap_or(0);
    let drop = (PARAMS.max_ground_drop * (f64::from(lightest) - f64::from(darkest))).max(PARAMS.ground_drop_levels);
    let lowest = (f64::from(lightest) - drop).max(0.0);
    for tile in tiles.pixels_mut() {
        tile[0] = tile[0].max(lowest as u8);
    }
    imageops::resize(&tiles, width, height, imageops::FilterType::Triangle)
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
