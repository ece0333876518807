//! Reads hand-filled numbers from scanned forms.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod assemble;
pub mod error;
pub mod evaluate;
pub mod form;
pub mod geometry;
pub mod net;
pub mod normalise;
pub mod overlay;
pub mod page;
pub mod pipeline;
pub mod raster;
pub mod reader;
pub mod register;
pub mod segment;
pub mod sink;
pub mod synth;
pub mod train;
