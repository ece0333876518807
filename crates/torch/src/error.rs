//! What can go wrong where LibTorch is called.

use formread_raster::error::Error;

/// A fault of LibTorch, or of what is handed to it: an [`Error`], to which a [`tch::TchError`] can be turned with `?`.
#[derive(Debug)]
pub struct NetError(Error);

/// The result of what calls LibTorch.
pub type NetResult<T> = Result<T, NetError>;

impl From<tch::TchError> for NetError {
    fn from(source: tch::TchError) -> Self {
        Self(Error::net(source))
    }
}

impl From<Error> for NetError {
    fn from(source: Error) -> Self {
        Self(source)
    }
}

impl From<NetError> for Error {
    fn from(NetError(source): NetError) -> Self {
        source
    }
}
