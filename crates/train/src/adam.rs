//! Adam (Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1). Written
//! here because a checkpoint must store the moments for bit-identical resumption, and `tch` does not expose LibTorch's.

use tch::{Tensor, no_grad};

use formread_torch::NetResult;

/// Decay of the first moment (the paper's default).
const BETA1: f64 = 0.9;
/// Decay of the second moment (the paper's default).
const BETA2: f64 = 0.999;
/// Keeps the quotient finite (the paper's default).
const EPSILON: f64 = 1e-8;

/// The optimiser's state for one tensor.
pub struct Moments {
    /// Decayed mean of the gradient.
    pub first: Tensor,
    /// Decayed mean of its square.
    pub second: Tensor,
}

impl Moments {
    /// Zero moments with the shape of `parameter`.
    pub fn zeros_like(parameter: &Tensor) -> NetResult<Self> {
        let zeros = || parameter.f_detach()?.f_zeros_like();
        Ok(Self { first: zeros()?, second: zeros()? })
    }

    /// Updates `parameter` by one step of Adam and sets its gradient to zero. `step` counts from 1; `decay` is decoupled weight decay (Loshchilov
    /// and Hutter, "Decoupled weight decay regularization", ICLR 2019), as a fraction of the learning rate.
    pub fn update(&mut self, parameter: &mut Tensor, step: usize, lr: f64, decay: f64) -> NetResult<()> {
        no_grad(|| {
            let mut gradient = parameter.f_grad()?;
            // the loss does not depend on it
            if !gradient.defined() {
                return Ok(());
            }
            let _ = self.first.f_lerp_(&gradient, 1.0 - BETA1)?;
            let _ = self.second.f_lerp_(&gradient.f_square()?, 1.0 - BETA2)?;
            let steps = step as f64;
            let first_bias = 1.0 - BETA1.powf(steps);
            let second_bias = 1.0 - BETA2.powf(steps);
            let mut denominator = self.second.f_div_scalar(second_bias)?.f_sqrt()?;
            let denominator = denominator.f_add_scalar_(EPSILON)?;
            let update = self.first.f_mul_scalar(-lr / first_bias)?.f_div(&denominator)?;
            if decay > 0.0 {
                let _ = parameter.f_mul_scalar_(1.0 - lr * decay)?;
            }
            let _ = parameter.f_add_(&update)?;
            let _ = gradient.f_zero_()?;
            Ok(())
        })
    }
}
