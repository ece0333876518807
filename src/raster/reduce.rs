//! Smaller pictures.

use image::{GrayImage, Luma};

/// `image` reduced by a whole `factor`, each pixel the mean of a square of the source; what is left over at the right
/// and lower edge is dropped. A factor of 1 is a copy.
pub fn reduce(image: &GrayImage, factor: u32) -> GrayImage {
    if factor <= 1 {
        return image.clone();
    }
    let (width, height) = (image.width() / factor, image.height() / factor);
    let area = factor * factor;
    let stride = image.width() as usize;
    let source = image.as_raw();
    let mut sums = vec![0u32; width as usize];
    let mut reduced = GrayImage::new(width, height);
    for y in 0..height {
        sums.fill(0);
        for source_y in y * factor..(y + 1) * factor {
            let row = &source[source_y as usize * stride..][..(width * factor) as usize];
            for (sum, pixels) in sums.iter_mut().zip(row.chunks_exact(factor as usize)) {
                *sum += pixels.iter().map(|&v| u32::from(v)).sum::<u32>();
            }
        }
        for (x, sum) in sums.iter().enumerate() {
            reduced.put_pixel(x as u32, y, Luma([((sum + area / 2) / area) as u8]));
        }
    }
    reduced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_is_the_mean_of_its_square() {
        let image = GrayImage::from_raw(5, 2, vec![0, 100, 200, 200, 9, 50, 50, 0, 0, 9]).expect("5 x 2");
        assert_eq!(reduce(&image, 2).as_raw(), &vec![50, 100]);
    }
}
