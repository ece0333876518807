//! Files that are read to their end, up to a limit of bytes.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::error::{Error, ErrorKind, Format, Result, Unit};

/// Opens the file at `path` for at most `max_bytes`; reading more fails. So a file that is read whole takes no more memory.
///
/// # Errors
/// `Limit` where it is too large, `Io` where it cannot be opened.
pub fn open_bounded(path: &Path, max_bytes: u64) -> Result<impl Read + use<>> {
    let file = File::open(path)?;
    let actual = file.metadata()?.len();
    if actual > max_bytes {
        return Err(ErrorKind::Limit { limit: max_bytes, actual, unit: Unit::Bytes }.into());
    }
    Ok(BoundedReader { file, bytes_left: max_bytes })
}

/// Reads the file at `path`, of at most `max_bytes`.
///
/// # Errors
/// As [`open_bounded`], and `Io` where it cannot be read.
pub fn read_bounded(path: &Path, max_bytes: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_bounded(path, max_bytes)?.read_to_end(&mut bytes).map_err(|error| match error.kind() {
        // it grew while it was read
        io::ErrorKind::FileTooLarge => {
            ErrorKind::Limit { limit: max_bytes, actual: max_bytes.saturating_add(1), unit: Unit::Bytes }.into()
        }
        _ => Error::from(error),
    })?;
    Ok(bytes)
}

/// Reads the text file at `path`, of at most `max_bytes`.
///
/// # Errors
/// As [`read_bounded`], and `Format` where it is not UTF-8.
pub fn read_text_bounded(path: &Path, max_bytes: u64) -> Result<String> {
    String::from_utf8(read_bounded(path, max_bytes)?).map_err(|_| Error::format(Format::Text, "it is not UTF-8"))
}

/// A file whose length is checked while it is read, since it may grow.
struct BoundedReader {
    file: File,
    bytes_left: u64,
}

impl Read for BoundedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // with one byte more, a file that ends here differs from one that goes on
        let n = (&mut self.file).take(self.bytes_left.saturating_add(1)).read(buffer)?;
        self.bytes_left = self.bytes_left.checked_sub(n as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_over_the_limit_is_refused() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("ten");
        std::fs::write(&path, "ten bytes.").expect("it is writable");
        assert_eq!(read_text_bounded(&path, 10).expect("it has the length of the limit"), "ten bytes.");
        let refused = read_bounded(&path, 9).expect_err("it is longer");
        assert!(matches!(refused.kind(), ErrorKind::Limit { limit: 9, actual: 10, .. }), "{refused}");
        read_bounded(dir.path(), 1 << 20).expect_err("a folder is no file");

        let mut growing = BoundedReader { file: File::open(&path).expect("it is there"), bytes_left: 9 };
        let error = growing.read_to_end(&mut Vec::new()).expect_err("there is a tenth byte");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
