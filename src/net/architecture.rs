//! The net's shape, as a table: what the weights file must hold, what the convnet computes, what the learner trains.
//!
//! 28 x 28 -> five convolutions, each followed by batch normalisation (folded into the weights once trained) and ReLU
//! -> one hidden layer -> two heads: ten logits that say which digit it is, four that say whether it is one. Strides
//! in place of pooling (Springenberg et al., "Striving for simplicity", 2015) keep it under 7 million multiply-adds;
//! nothing is computed at 28 x 28, where memory is the bottleneck.

use super::{N_CLASSES, N_DIGITS};
use crate::normalise::GLYPH_SIDE;

/// Name that weights carry in their sidecar; it changes with the table below.
pub const ARCHITECTURE: &str = "conv5-v2";

/// One convolution.
#[derive(Debug, Clone, Copy)]
pub struct ConvLayer {
    /// Prefix of its tensors.
    pub name: &'static str,
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Side of its square kernel, pixels.
    pub kernel: usize,
    /// Step, pixels.
    pub stride: usize,
    /// Zeros around the input, pixels.
    pub padding: usize,
}

/// One fully connected layer.
#[derive(Debug, Clone, Copy)]
pub struct LinearLayer {
    /// Prefix of its tensors.
    pub name: &'static str,
    /// Values in.
    pub inputs: usize,
    /// Values out.
    pub outputs: usize,
}

const fn conv(
    name: &'static str,
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
) -> ConvLayer {
    ConvLayer { name, inputs, outputs, kernel, stride, padding }
}

/// The convolutions, in their order.
pub const CONVS: [ConvLayer; 5] = [
    conv("conv1", 1, 32, 5, 2, 2),  // 14 x 14
    conv("conv2", 32, 32, 3, 1, 1), // 14 x 14
    conv("conv3", 32, 64, 3, 2, 1), // 7 x 7
    conv("conv4", 64, 64, 3, 1, 1), // 7 x 7
    conv("conv5", 64, 96, 3, 1, 0), // 5 x 5
];

/// Values that the convolutions leave of a glyph.
pub const N_FEATURES: usize = 96 * 5 * 5;

/// The hidden layer.
pub const HIDDEN: LinearLayer = LinearLayer { name: "hidden", inputs: N_FEATURES, outputs: 128 };

/// The head that says which digit it is.
pub const DIGIT_HEAD: LinearLayer = LinearLayer { name: "digits", inputs: HIDDEN.outputs, outputs: N_DIGITS };

/// The head that says whether it is a digit.
pub const CLASS_HEAD: LinearLayer = LinearLayer { name: "classes", inputs: HIDDEN.outputs, outputs: N_CLASSES };

/// The fully connected layers, in their order.
pub const LINEARS: [LinearLayer; 3] = [HIDDEN, DIGIT_HEAD, CLASS_HEAD];

/// Every tensor of a weights file: name and shape.
pub fn tensor_shapes() -> Vec<(String, Vec<usize>)> {
    let convs = CONVS.iter().flat_map(|layer| {
        let kernel = vec![layer.outputs, layer.inputs, layer.kernel, layer.kernel];
        [(format!("{}.weight", layer.name), kernel), (format!("{}.bias", layer.name), vec![layer.outputs])]
    });
    let linears = LINEARS.iter().flat_map(|layer| {
        let matrix = vec![layer.outputs, layer.inputs];
        [(format!("{}.weight", layer.name), matrix), (format!("{}.bias", layer.name), vec![layer.outputs])]
    });
    convs.chain(linears).collect()
}

/// Numbers in a weights file.
pub fn n_parameters() -> usize {
    tensor_shapes().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
}

/// Multiply-adds for one glyph.
pub fn n_multiply_adds() -> usize {
    let mut side = GLYPH_SIDE;
    let mut sum = 0;
    for layer in CONVS {
        side = (side + 2 * layer.padding - layer.kernel) / layer.stride + 1;
        sum += layer.kernel * layer.kernel * layer.inputs * layer.outputs * side * side;
    }
    sum + LINEARS.iter().map(|layer| layer.inputs * layer.outputs).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layers_fit_one_another() {
        let mut side = GLYPH_SIDE;
        let mut channels = 1;
        for layer in CONVS {
            assert_eq!(layer.inputs, channels, "{}", layer.name);
            side = (side + 2 * layer.padding - layer.kernel) / layer.stride + 1;
            channels = layer.outputs;
        }
        assert_eq!(channels * side * side, N_FEATURES);
    }

    #[test]
    fn it_is_small_enough_to_be_carried_and_fast_enough_to_be_run() {
        assert!(n_parameters() * size_of::<f32>() < 3_000_000, "{}", n_parameters());
        assert!(n_multiply_adds() < 7_000_000, "{}", n_multiply_adds());
    }
}
