//! The file of the template: read, and replaced as a whole where nobody else has changed it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use formread_raster::{
    error::{Error, ErrorKind, Result},
    fsio::{read_text_bounded, write_atomic},
    hash::{Sha256, sha256},
};

/// Largest template that is read, bytes.
const MAX_BYTES: u64 = 4 << 20;

/// The file of a template.
#[derive(Debug)]
pub struct SavedTemplate {
    path: PathBuf,
}

/// What is in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OnDisk {
    /// Its text, with line ends as browsers have them: `\n`.
    pub text: String,
    /// Names its bytes.
    pub sha256: Sha256,
}

/// What became of a save.
#[derive(Debug, PartialEq, Eq)]
pub enum Save {
    /// The file has the text; its new bytes are named.
    Done(Sha256),
    /// The file is not the one that was read, and was left alone: what it is now, if it is there.
    Changed(Option<OnDisk>),
}

impl SavedTemplate {
    /// The file that `path` leads to, through links.
    ///
    /// # Errors
    /// `Io` where there is none.
    pub fn open(path: &Path) -> Result<Self> {
        let found = fs::canonicalize(path).map_err(|error| Error::from(error).in_file(path.to_string_lossy()))?;
        Ok(Self { path: found })
    }

    /// Its name, for people.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Reads it.
    ///
    /// # Errors
    /// `Io`, or a text that is none.
    pub fn read(&self) -> Result<OnDisk> {
        let text =
            read_text_bounded(&self.path, MAX_BYTES).map_err(|error| error.in_file(self.path.to_string_lossy()))?;
        Ok(OnDisk { sha256: sha256(text.as_bytes()), text: text.replace("\r\n", "\n") })
    }

    /// Replaces it by `text` where it still is what `base` names; `None`: where it is not there. It keeps its line ends and who
    /// may read it.
    ///
    /// # Errors
    /// `Io`; the file is then as it was.
    pub fn save(&self, text: &str, base: Option<Sha256>) -> Result<Save> {
        let before = match read_text_bounded(&self.path, MAX_BYTES) {
            Ok(before) => Some(before),
            Err(error) if is_absent(&error) => None,
            Err(error) => return Err(error.in_file(self.path.to_string_lossy())),
        };
        if before.as_ref().map(|before| sha256(before.as_bytes())) != base {
            let now = before.map(|text| OnDisk { sha256: sha256(text.as_bytes()), text: text.replace("\r\n", "\n") });
            return Ok(Save::Changed(now));
        }
        let text = text.replace("\r\n", "\n");
        let has_crlf = before.is_some_and(|before| before.contains("\r\n"));
        let text = if has_crlf { text.replace('\n', "\r\n") } else { text };
        let permissions = fs::metadata(&self.path).map(|metadata| metadata.permissions());
        write_atomic(&self.path, text.as_bytes())?;
        if let Ok(permissions) = permissions {
            fs::set_permissions(&self.path, permissions)?;
        }
        Ok(Save::Done(sha256(text.as_bytes())))
    }
}

fn is_absent(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io(error) if error.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_that_changed_meanwhile_is_left_alone_and_shown() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("x.toml");
        fs::write(&path, "a = 1\r\n").expect("it is writable");
        let file = SavedTemplate::open(&path).expect("it is there");
        let read = file.read().expect("it is text");
        assert_eq!(read.text, "a = 1\n");
        let Ok(Save::Done(saved)) = file.save("a = 2\n", Some(read.sha256)) else { panic!("nobody changed it") };
        assert_eq!(fs::read(&path).expect("it is there"), b"a = 2\r\n");
        fs::write(&path, "a = 3\n").expect("it is writable");
        let changed = file.save("a = 4\n", Some(saved)).expect("it can be read");
        assert_eq!(changed, Save::Changed(Some(file.read().expect("it is text"))));
        assert_eq!(fs::read(&path).expect("it is there"), b"a = 3\n");
        fs::remove_file(&path).expect("it is there");
        assert_eq!(file.save("a = 4\n", Some(saved)).expect("it can be read"), Save::Changed(None));
        assert!(!path.exists());
        assert!(matches!(file.save("a = 4\n", None), Ok(Save::Done(_))));
        assert_eq!(fs::read(&path).expect("it is there"), b"a = 4\n");
    }

    #[cfg(unix)]
    #[test]
    fn saved_file_keeps_its_mode_and_a_link_to_it_stays_a_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let (path, link) = (dir.path().join("x.toml"), dir.path().join("link.toml"));
        fs::write(&path, "a = 1\n").expect("it is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
        symlink(&path, &link).expect("links are known here");
        let file = SavedTemplate::open(&link).expect("it leads to a file");
        let base = file.read().expect("it is text").sha256;
        assert!(matches!(file.save("a = 2\n", Some(base)), Ok(Save::Done(_))));
        assert_eq!(fs::read(&path).expect("it is there"), b"a = 2\n");
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
    }
}
