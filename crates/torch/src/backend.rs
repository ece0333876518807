//! The nets as a backend of a reader.

use std::sync::Arc;

use super::{convnet::ConvNet, weights::Weights};
use formread_core::{
    recognise::{Backend, Recogniser},
    scores::{Compute, ConfidenceModel},
};
use formread_raster::{error::Result, hash::Sha256};

/// Makes recognisers of one set of weights on one device.
#[derive(Debug, Clone)]
pub struct TorchBackend {
    weights: Arc<Weights>,
    sha256: Sha256,
    compute: Compute,
}

impl TorchBackend {
    /// A backend of `weights` that computes by `compute`. Whether the device exists shows when the first recogniser is made.
    pub fn new(weights: Weights, compute: Compute) -> Self {
        Self { sha256: weights.sha256(), weights: Arc::new(weights), compute }
    }

    /// A backend of the weights that the program carries, on the processor, in single precision.
    ///
    /// # Errors
    /// As [`Weights::shipped`].
    pub fn shipped() -> Result<Self> {
        Ok(Self::new(Weights::shipped()?, Compute::default()))
    }

    /// The same weights on another device or in another precision.
    #[must_use]
    pub fn with_compute(self, compute: Compute) -> Self {
        Self { compute, ..self }
    }
}

impl Backend for TorchBackend {
    fn id(&self) -> String {
        self.sha256.to_string()
    }

    fn compute(&self) -> Compute {
        self.compute
    }

    fn confidence(&self) -> ConfidenceModel {
        self.weights.sidecar().confidence
    }

    fn recogniser(&self) -> Result<Box<dyn Recogniser>> {
        Ok(Box::new(ConvNet::new(&self.weights, self.compute)?))
    }
}
