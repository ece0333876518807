//! The nets of formread on LibTorch: a [`TorchBackend`] makes the recognisers of a reader.

pub mod architecture;
mod backend;
mod convnet;
mod error;
mod params;
mod recognise;
mod threads;
mod tta;
pub mod weights;
pub mod writer;

pub use backend::TorchBackend;
pub use convnet::{CHUNK, ConvNet, convolved, fastest_compute, tensor_kind, to_tensor, to_vec};
pub use error::{NetError, NetResult};
pub use params::{RefinementParams, WriterParams};
pub use threads::{set_threads, use_set_threads};
pub use weights::Weights;
