//! Connected components.

use image::{GrayImage, Luma};
use imageproc::region_labelling::{Connectivity, connected_components};

/// The number of the component of each pixel.
pub type Labels = imageproc::definitions::Image<Luma<u32>>;

/// Numbers the 8-connected components of `mask`: [H, W] u32, 0 where `mask` is 0, else from 1.
pub fn label_components(mask: &GrayImage) -> Labels {
    if mask.len() == 1 {
        // imageproc fails on a picture of one pixel
        return Labels::from_fn(1, 1, |x, y| Luma([u32::from(mask.get_pixel(x, y)[0] > 0)]));
    }
    connected_components(mask, Connectivity::Eight, Luma([0]))
}
