//! What is in the place of the outputs before a run.

use std::{
    fs::{self, FileType},
    path::{Path, PathBuf},
};

use formread_raster::error::{Error, Result};

use super::journal_path;
use crate::sink::{documents_path, fields_path, run_path};

/// Checks that the outputs are files where they exist. A file is replaced by renaming another: that would destroy a device, a pipe
/// or a link, and what reads from it would get nothing.
///
/// # Errors
/// `Usage`, with the name of the output and what it is.
pub fn check_kinds(out: &Path) -> Result<()> {
    let with = |path: &Path, suffix: &str| {
        let mut path = path.as_os_str().to_owned();
        path.push(suffix);
        PathBuf::from(path)
    };
    let tables = [out.to_owned(), fields_path(out), documents_path(out), run_path(out), journal_path(out)];
    let temporary = tables.clone().map(|table| with(&table, ".new"));
    for path in tables.into_iter().chain(temporary).chain([with(out, ".lock")]) {
        // one that is absent or cannot be examined fails where it is written
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if !metadata.is_file() {
            let kind = name_of(metadata.file_type());
            let message = format!("not a file but {kind}: {}", path.display());
            return Err(Error::usage(message).with_hint("choose another name for the table"));
        }
    }
    Ok(())
}

fn name_of(kind: FileType) -> &'static str {
    if kind.is_symlink() {
        return "a link";
    }
    if kind.is_dir() {
        return "a folder";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_block_device() || kind.is_char_device() {
            return "a device";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    "something else"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_that_is_no_file_is_refused_by_name() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let out = dir.path().join("out.csv");
        check_kinds(&out).expect("nothing is there");
        fs::write(&out, "old").expect("the folder is writable");
        check_kinds(&out).expect("it is a file");
        for name in
            ["out.fields.csv", "out.run.json", "out.documents.csv", "out.csv.partial", "out.csv.lock", "out.csv.new"]
        {
            let path = dir.path().join(name);
            fs::create_dir(&path).expect("the folder is writable");
            let error = check_kinds(&out).expect_err(name).to_string();
            assert!(error.contains("a folder") && error.contains(name), "{error}");
            fs::remove_dir(&path).expect("it is empty");
        }
    }

    #[cfg(unix)]
    #[test]
    fn link_and_device_are_refused() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let out = dir.path().join("out.csv");
        std::os::unix::fs::symlink("elsewhere.csv", &out).expect("there are links");
        assert!(check_kinds(&out).expect_err("it is a link").to_string().contains("a link"));
        assert!(check_kinds(Path::new("/dev/null")).expect_err("it is a device").to_string().contains("a device"));
    }
}
