//! The nets' shapes, as tables: what the weights file must hold, what the nets compute, what the learner trains.
//!
//! All layers are convolutions: a fully connected layer is a convolution whose kernel
//! covers all that is left of its input. Strides in place of pooling (Springenberg et al., "Striving for simplicity",
//! 2015) keep them cheap; every layer but the last ones is followed by batch normalisation (folded into the weights once
//! trained) or dropout, and by ReLU.

use formread_core::scores::{N_CLASSES, N_DIGITS, N_SYMBOLS};

/// Name that weights carry in their sidecar; it changes with the tables below.
pub const ARCHITECTURE: &str = "glyph-v7+strip-v3";

/// One convolution. Pairs are rows, then columns.
#[derive(Debug, Clone, Copy)]
pub struct Conv {
    /// Prefix of its tensors.
    pub name: &'static str,
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Its kernel, pixels.
    pub kernel: [usize; 2],
    /// Its step, pixels.
    pub stride: [usize; 2],
    /// Zeros around the input, pixels.
    pub padding: [usize; 2],
    /// What follows it.
    pub activation: Activation,
}

/// What follows a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Batch normalisation (Ioffe and Szegedy, 2015), then ReLU.
    BatchNormRelu,
    /// ReLU, then, while learning, dropout (Srivastava et al., JMLR 15, 2014).
    ReluDropout,
    /// Nothing: these are logits.
    Logits,
}

/// A net: convolutions one after the other, and heads that all take what the last of them gives.
#[derive(Debug, Clone, Copy)]
pub struct Architecture {
    /// First part of its tensors' names.
    pub name: &'static str,
    /// What comes first.
    pub trunk: &'static [Conv],
    /// What gives logits.
    pub heads: &'static [Conv],
}

const fn conv(
    name: &'static str,
    channels: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    activation: Activation,
) -> Conv {
    Conv { name, inputs: channels[0], outputs: channels[1], kernel, stride, padding, activation }
}

/// One glyph, 28 x 28 -> ten logits for the digit, nineteen for its class.
macro_rules! glyph_net {
    ($name:literal) => {
        Architecture {
            name: $name,
            trunk: &[
                conv(concat!($name, ".conv1"), [1, 40], [5, 5], [2, 2], [2, 2], Activation::BatchNormRelu), // 14 x 14
                conv(concat!($name, ".conv2"), [40, 40], [3, 3], [1, 1], [1, 1], Activation::BatchNormRelu), // 14 x 14
                conv(concat!($name, ".conv3"), [40, 64], [3, 3], [2, 2], [1, 1], Activation::BatchNormRelu), // 7 x 7
                conv(concat!($name, ".conv4"), [64, 80], [3, 3], [1, 1], [1, 1], Activation::BatchNormRelu), // 7 x 7
                conv(concat!($name, ".conv5"), [80, 96], [3, 3], [1, 1], [0, 0], Activation::BatchNormRelu), // 5 x 5
                conv(concat!($name, ".hidden"), [96, 104], [5, 5], [1, 1], [0, 0], Activation::ReluDropout), // 1 x 1
            ],
            heads: &[
                conv(concat!($name, ".digits"), [104, N_DIGITS], [1, 1], [1, 1], [0, 0], Activation::Logits),
                conv(concat!($name, ".classes"), [104, N_CLASSES], [1, 1], [1, 1], [0, 0], Activation::Logits),
            ],
        }
    };
}

/// Classifies every glyph.
pub const GLYPH: Architecture = glyph_net!("glyph");

/// The second member of the ensemble, for ambiguous glyphs: the same net, trained from another start. Two trained apart err less
/// together than one that is twice as large (Lakshminarayanan et al., "Simple and scalable predictive uncertainty
/// estimation using deep ensembles", NIPS 2017).
pub const GLYPH_ENSEMBLE: Architecture = glyph_net!("second");

/// A strip, 32 x W -> for each of W / 4 columns 32 logits for the symbol that ends there, or the blank (Graves
/// et al., "Connectionist temporal classification", ICML 2006).
pub const STRIP: Architecture = Architecture {
    name: "strip",
    trunk: &[
        conv("strip.conv1", [1, 32], [5, 5], [2, 2], [2, 2], Activation::BatchNormRelu), // 16 x W/2
        conv("strip.conv2", [32, 40], [3, 3], [1, 1], [1, 1], Activation::BatchNormRelu), // 16 x W/2
        conv("strip.conv3", [40, 64], [3, 3], [2, 2], [1, 1], Activation::BatchNormRelu), // 8 x W/4
        conv("strip.conv4", [64, 80], [3, 3], [1, 1], [1, 1], Activation::BatchNormRelu), // 8 x W/4
        conv("strip.conv5", [80, 112], [3, 3], [2, 1], [1, 1], Activation::BatchNormRelu), // 4 x W/4
        conv("strip.conv6", [112, 192], [4, 3], [1, 1], [0, 1], Activation::BatchNormRelu), // 1 x W/4
        conv("strip.conv7", [192, 192], [1, 3], [1, 1], [0, 1], Activation::BatchNormRelu), // 1 x W/4
        conv("strip.conv8", [192, 192], [1, 3], [1, 1], [0, 1], Activation::ReluDropout), // 1 x W/4
    ],
    heads: &[conv("strip.symbols", [192, N_SYMBOLS], [1, 1], [1, 1], [0, 0], Activation::Logits)],
};

/// Columns of a strip, pixels, for each column of its logits.
pub const COLUMN_PX: usize = 4;

/// All nets of a weights file.
pub const NETS: [Architecture; 3] = [GLYPH, GLYPH_ENSEMBLE, STRIP];

impl Conv {
    /// Shape of its kernel.
    pub fn kernel_shape(&self) -> [usize; 4] {
        [self.outputs, self.inputs, self.kernel[0], self.kernel[1]]
    }

    /// Whether its kernel covers all of an input of `size`.
    pub fn covers(&self, size: [usize; 2]) -> bool {
        self.padding == [0, 0] && self.kernel == size
    }

    /// Rows and columns that it makes of an input of `size`.
    pub fn output_size(&self, size: [usize; 2]) -> [usize; 2] {
        std::array::from_fn(|i| (size[i] + 2 * self.padding[i] - self.kernel[i]) / self.stride[i] + 1)
    }
}

impl Architecture {
    /// All its convolutions, trunk and heads.
    pub fn convs(&self) -> impl Iterator<Item = &'static Conv> {
        self.trunk.iter().chain(self.heads)
    }

    /// Its tensors: name and shape.
    pub fn tensor_shapes(&self) -> Vec<(String, Vec<usize>)> {
        let shapes = |conv: &Conv| {
            let (weight, bias) = (format!("{}.weight", conv.name), format!("{}.bias", conv.name));
            [(weight, conv.kernel_shape().to_vec()), (bias, vec![conv.outputs])]
        };
        self.convs().flat_map(shapes).collect()
    }

    /// Numbers in its tensors.
    pub fn n_parameters(&self) -> usize {
        self.tensor_shapes().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }

    /// Multiply-adds for an input of `size` (rows, columns).
    pub fn n_multiply_adds(&self, size: [usize; 2]) -> usize {
        let (mut size, mut sum) = (size, 0);
        for conv in self.trunk {
            size = conv.output_size(size);
            sum += conv.kernel_shape().iter().product::<usize>() * size[0] * size[1];
        }
        sum + self.heads.iter().map(|head| head.inputs * head.outputs * size[0] * size[1]).sum::<usize>()
    }
}

/// Every tensor of a weights file: name and shape.
pub fn tensor_shapes() -> Vec<(String, Vec<usize>)> {
    NETS.iter().flat_map(Architecture::tensor_shapes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_core::normalise::{GLYPH_SIDE, STRIP_HEIGHT};

    /// The size that the trunk makes of `size`, all layers checked against one another.
    fn trunk_size(net: &Architecture, size: [usize; 2]) -> [usize; 2] {
        let (mut size, mut channels) = (size, 1);
        for conv in net.trunk {
            assert_eq!(conv.inputs, channels, "{}", conv.name);
            (size, channels) = (conv.output_size(size), conv.outputs);
        }
        assert!(net.heads.iter().all(|head| head.inputs == channels && head.activation == Activation::Logits));
        size
    }

    #[test]
    fn the_layers_fit_one_another() {
        assert_eq!(trunk_size(&GLYPH, [GLYPH_SIDE, GLYPH_SIDE]), [1, 1]);
        for columns in [1, 2, 25] {
            assert_eq!(trunk_size(&STRIP, [STRIP_HEIGHT, columns * COLUMN_PX]), [1, columns]);
        }
    }

    #[test]
    fn they_are_small_enough_to_be_carried_and_fast_enough_to_be_run() {
        let n_parameters: usize = NETS.iter().map(Architecture::n_parameters).sum();
        // two bytes a number
        assert!(2 * n_parameters < 3_000_000, "{n_parameters}");
        assert!(GLYPH.n_multiply_adds([GLYPH_SIDE; 2]) < 9_000_000);
        assert!(STRIP.n_multiply_adds([STRIP_HEIGHT, 200]) < 100_000_000);
    }
}
