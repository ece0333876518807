//! Connected components.

use image::{GrayImage, Luma};
use imageproc::region_labelling::{Connectivity, connected_components};

/// Numbers of components, pixel by pixel.
pub type Labels = imageproc::definitions::Image<Luma<u32>>;

/// [H, W] u32: 0 where `mask` is 0, else the number, from 1, of the 8-connected component.
pub fn label_components(mask: &GrayImage) -> Labels {
    if mask.len() == 1 {
        // imageproc has no room for the label of a picture's only pixel.
        return Labels::from_fn(1, 1, |x, y| Luma([u32::from(mask.get_pixel(x, y)[0] > 0)]));
    }
    connected_components(mask, Connectivity::Eight, Luma([0]))
}
