//! The nets of formread on LibTorch. Behind [`formread_core::scores::Recogniser`], a convnet; in front of it, plain numbers.

pub mod architecture;
mod convnet;
mod error;
mod tta;
pub mod weights;
pub mod writer;

pub use convnet::{CHUNK, ConvNet, convolved, fastest_compute, set_threads, tensor_kind, to_tensor, to_vec};
pub use error::{NetError, NetResult};
pub use weights::Weights;

use formread_core::{
    Reader,
    form::{FormTemplate, known_templates},
    scores::{Compute, Recogniser},
};
use formread_raster::error::Result;

/// A reader of `templates` with the nets of `weights`, computed on `compute`.
///
/// # Errors
/// As [`Reader::new`]; `Usage` where there is no such device; `Net` where LibTorch fails.
pub fn reader(templates: Vec<FormTemplate>, weights: Weights, compute: Compute) -> Result<Reader> {
    let fingerprint = weights.fingerprint();
    let make = move || -> Result<Box<dyn Recogniser>> { Ok(Box::new(ConvNet::new(&weights, compute)?)) };
    Ok(Reader::new(templates, fingerprint, Box::new(make))?.with_compute(compute))
}

/// A reader of every form known to the program, with the weights it carries, on the processor.
///
/// # Errors
/// `Net` where LibTorch fails.
pub fn shipped_reader() -> Result<Reader> {
    reader(known_templates()?, Weights::shipped()?, Compute::default())
}
