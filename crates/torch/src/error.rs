//! What can go wrong where LibTorch is called.

use formread_raster::error::Error;

/// An error of LibTorch or of its input: an [`Error`], to which a [`tch::TchError`] can be turned with `?`.
#[derive(Debug)]
pub struct NetError(Error);

/// The result of a call of LibTorch.
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
