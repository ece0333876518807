//! Reduction of a picture by a whole factor.

use image::GrayImage;

/// Reduces `image` by a whole `factor`: each pixel is the rounded mean of a square of the source. Pixels at the right and lower edge
/// that do not fill a square are dropped. A factor of 1 is a copy.
pub fn reduce(image: &GrayImage, factor: u32) -> GrayImage {
    // with a factor that is known when it is compiled, several pixels are summed at once
    match factor {
        0 | 1 => image.clone(),
        2 => halve(image),
        3 => reduce_by(image, factor, |row, sums| add(row.as_chunks::<3>().0, sums)),
        4 => reduce_by(image, factor, |row, sums| add(row.as_chunks::<4>().0, sums)),
        _ => reduce_by(image, factor, |row, sums| add(row.chunks_exact(factor as usize), sums)),
    }
}

/// Reduces by 2, as [`reduce`] does: in numbers of 16 bits, the narrowest that hold a sum.
fn halve(image: &GrayImage) -> GrayImage {
    let (width, height) = (image.width() / 2, image.height() / 2);
    let mut reduced = GrayImage::new(width, height);
    let rows_of_source = (2 * image.width()).max(1) as usize;
    let sum = |pair: [u8; 2]| (u16::from_le_bytes(pair) & 0xff) + (u16::from_le_bytes(pair) >> 8);
    let rows = image.as_raw().chunks_exact(rows_of_source);
    for (reduced, rows) in reduced.chunks_exact_mut(width.max(1) as usize).zip(rows) {
        let (upper, lower) = rows.split_at(image.width() as usize);
        let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
        for (mean, (&upper, &lower)) in reduced.iter_mut().zip(pairs) {
            *mean = ((sum(upper) + sum(lower) + 2) / 4) as u8;
        }
    }
    reduced
}

/// `add_row` adds each `factor` pixels of a row of the source to one of the sums.
fn reduce_by(image: &GrayImage, factor: u32, add_row: impl Fn(&[u8], &mut [u32])) -> GrayImage {
    let (width, height) = (image.width() / factor, image.height() / factor);
    let area = factor * factor;
    let mut sums = vec![0u32; width as usize];
    let mut reduced = Vec::with_capacity(width as usize * height as usize);
    let rows_of_source = (factor * image.width()).max(1) as usize;
    for rows in image.as_raw().chunks_exact(rows_of_source).take(height as usize) {
        sums.fill(0);
        rows.chunks_exact(image.width() as usize).for_each(|row| add_row(row, &mut sums));
        reduced.extend(sums.iter().map(|sum| ((sum + area / 2) / area) as u8));
    }
    GrayImage::from_raw(width, height, reduced).expect("it has a pixel for each square")
}

fn add<P: AsRef<[u8]>>(groups: impl IntoIterator<Item = P>, sums: &mut [u32]) {
    for (sum, pixels) in sums.iter_mut().zip(groups) {
        *sum += pixels.as_ref().iter().map(|&v| u32::from(v)).sum::<u32>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reduce_of_odd_width_drops_the_last_column() {
        let image = GrayImage::from_raw(5, 2, vec![0, 100, 200, 200, 9, 50, 50, 0, 0, 9]).expect("5 x 2");
        assert_eq!(reduce(&image, 2).as_raw(), &vec![50, 100]);
    }

    #[test]
    fn reduce_by_every_factor_is_the_mean() {
        let image = GrayImage::from_fn(31, 23, |x, y| image::Luma([((x * 37 + y * 91) % 251) as u8]));
        for factor in 1..=24 {
            let reduced = reduce(&image, factor);
            assert_eq!(reduced.dimensions(), (31 / factor, 23 / factor));
            for (x, y, pixel) in reduced.enumerate_pixels() {
                let at = |i: u32| image.get_pixel(x * factor + i % factor, y * factor + i / factor)[0];
                let mean = (0..factor * factor).map(|i| f64::from(at(i))).sum::<f64>() / f64::from(factor * factor);
                assert_eq!(f64::from(pixel[0]), (mean + 0.5).floor(), "({x}, {y}) by {factor}");
            }
        }
    }
}
