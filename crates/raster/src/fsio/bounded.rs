//! Files that are read to their end, within bounds.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::error::{Error, ErrorKind, Format, Result, Unit};

/// Opens the file at `path`; reading past `max_bytes` of it fails, so that what is read whole takes no more memory.
///
/// # Errors
/// `Limit` where it is too large, `Io` where it cannot be opened.
pub fn open_bounded(path: &Path, max_bytes: u64) -> Result<impl Read + use<>> {
    let file = File::open(path)?;
    let actual = file.metadata()?.len();
    if actual > max_bytes {
        return Err(ErrorKind::Limit { limit: max_bytes, actual, unit: Unit::Bytes }.into());
    }
    Ok(Bounded { file, bytes_left: max_bytes })
}

/// What stands in the file at `path`.
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

/// The text of the file at `path`.
///
/// # Errors
/// As [`read_bounded`], and `Format` where it is no UTF-8.
pub fn read_text_bounded(path: &Path, max_bytes: u64) -> Result<String> {
    String::from_utf8(read_bounded(path, max_bytes)?).map_err(|_| Error::format(Format::Text, "it is not UTF-8"))
}

/// A file that may grow while it is read, but not for ever.
struct Bounded {
    file: File,
    bytes_left: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // one byte more tells a file that ends here from one that goes on
        let n = (&mut self.file).take(self.bytes_left.saturating_add(1)).read(buffer)?;
        self.bytes_left = self.bytes_left.checked_sub(n as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_refused() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("ten");
        std::fs::write(&path, "ten bytes.").expect("it is writable");
        assert_eq!(read_text_bounded(&path, 10).expect("it is as long as it may be"), "ten bytes.");
        let refused = read_bounded(&path, 9).expect_err("it is longer");
        assert!(matches!(refused.kind(), ErrorKind::Limit { limit: 9, actual: 10, .. }), "{refused}");
        read_bounded(dir.path(), 1 << 20).expect_err("a folder is no file");

        let mut grown = Bounded { file: File::open(&path).expect("it is there"), bytes_left: 9 };
        let error = grown.read_to_end(&mut Vec::new()).expect_err("there is a tenth byte");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
