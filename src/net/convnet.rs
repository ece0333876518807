//! The convnet.

/// The convnet.
pub struct ConvNet;
