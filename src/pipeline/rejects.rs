//! Collects the scans that have an unreadable page in a folder, for a person.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, ErrorKind},
    path::{Path, PathBuf},
};

use super::journal::Journal;
use formread_core::rows::{PageRows, Verdict};
use formread_page::scans::Scan;
use formread_raster::{
    error::{Error, Result},
    fsio::{create_private, write_atomic},
    hash::shorten_name,
};

/// Maximum length of the name of a file or folder, bytes: file systems allow 255, and a number, `.txt` and `.new` may follow.
const MAX_NAME_BYTES: usize = 240;

/// Puts each scan with a rejected page into `folder`, under its own name and in its own subfolders, as a hard link or else as a
/// copy. The reasons go beside it, to the same name with `.txt` added. Nothing in the folder is replaced: if another file has
/// the name, a number is added before the extension. A scan that was collected before is left as it is.
///
/// # Errors
/// Where the folder cannot be written to.
pub fn collect(folder: &Path, scans: &[&Scan], journal: &mut Journal<'_>) -> Result<()> {
    for scan in scans {
        let mut reasons = String::new();
        journal.visit(&scan.name, |PageRows { page, verdict, attention, .. }, detail| {
            if verdict == Verdict::Rejected {
                let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
                reasons += &format!("page {page}: {attention}{detail}\n");
            }
            Ok(())
        })?;
        if !reasons.is_empty() {
            let sha256 = journal.sha256(&scan.name).map_or(String::new(), |sha256| format!("sha256 {sha256}\n"));
            let note = format!("scan {}\n{sha256}{reasons}", scan.name);
            let at = folder.join(safe_path(&scan.name));
            put(&scan.path, &at, &note).map_err(|error| Error::from(error).in_file(at.to_string_lossy()))?;
        }
    }
    Ok(())
}

/// A relative path that stays below the folder it is joined to.
fn safe_path(name: &str) -> PathBuf {
    let safe = |part: &str| match part {
        ".." => "%2E%2E".to_owned(),
        part => shorten_name(part.replace('\\', "%5C").replace(':', "%3A"), MAX_NAME_BYTES),
    };
    name.split('/').filter(|part| !matches!(*part, "" | ".")).map(safe).collect()
}

fn put(scan: &Path, at: &Path, note: &str) -> io::Result<()> {
    fs::create_dir_all(at.parent().unwrap_or(at))?;
    let mut number = 1;
    loop {
        let at = numbered(at, number);
        let mut note_path = at.clone().into_os_string();
        note_path.push(".txt");
        match fs::read(&note_path) {
            Ok(there) if there == note.as_bytes() => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if place(scan, &at)? {
                    return write_atomic(Path::new(&note_path), note.as_bytes()).map_err(io::Error::other);
                }
            }
            Err(error) => return Err(error),
        }
        number += 1;
    }
}

/// `a.tif`, `a.2.tif`, `a.3.tif` ...
fn numbered(at: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return at.to_owned();
    }
    let mut name = at.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{number}"));
    if let Some(extension) = at.extension() {
        name.push(".");
        name.push(extension);
    }
    at.with_file_name(name)
}

/// Links or copies `scan` to `at`. `false` if another file is there. A scan that is missing, is no file, or cannot be read is
/// not placed, and its note is written without it.
fn place(scan: &Path, at: &Path) -> io::Result<bool> {
    // Follow a symbolic link: a relative one may be broken in another folder.
    let Ok(scan) = fs::canonicalize(scan) else { return Ok(true) };
    if !scan.is_file() {
        return Ok(true);
    }
    if fs::symlink_metadata(at).is_ok() {
        return Ok(have_same_content(&scan, at).unwrap_or(false));
    }
    if fs::hard_link(&scan, at).is_ok() {
        return Ok(true);
    }
    let Ok(mut from) = File::open(&scan) else { return Ok(true) };
    let mut beside = at.to_owned().into_os_string();
    beside.push(".new");
    let mut to = create_private(Path::new(&beside))?;
    let copied = io::copy(&mut from, &mut to).and_then(|_| to.sync_all()).and_then(|()| fs::rename(&beside, at));
    if copied.is_err() {
        // If it stays, the next run replaces it.
        let _ = fs::remove_file(&beside);
    }
    copied.map(|()| true)
}

fn have_same_content(a: &Path, b: &Path) -> io::Result<bool> {
    if same_file::is_same_file(a, b)? {
        return Ok(true);
    }
    let (mut a, mut b) = (BufReader::new(File::open(a)?), BufReader::new(File::open(b)?));
    loop {
        let (left, right) = (a.fill_buf()?, b.fill_buf()?);
        let n = left.len().min(right.len());
        if n == 0 || left[..n] != right[..n] {
            return Ok(left.is_empty() && right.is_empty());
        }
        a.consume(n);
        b.consume(n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_with_parent_folders_stays_inside_the_folder() {
        let cases = [("a/b c.tif", "a/b c.tif"), ("/etc/../x", "etc/%2E%2E/x"), ("../../x", "%2E%2E/%2E%2E/x")];
        for (name, path) in cases.into_iter().chain([("./a\\b", "a%5Cb"), ("c:/x", "c%3A/x")]) {
            assert_eq!(safe_path(name), Path::new(path));
        }
        let long = safe_path(&format!("{}/{}.tif", "a".repeat(300), "b".repeat(300)));
        assert!(long.iter().all(|part| part.len() == MAX_NAME_BYTES) && long.extension().is_some_and(|e| e == "tif"));
    }

    #[test]
    fn existing_file_is_not_replaced_and_collected_scan_is_not_collected_again() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("it is writable");
        let read = |name: &str| fs::read_to_string(dir.path().join("to/deep").join(name)).expect("it was put there");
        let names = || fs::read_dir(dir.path().join("to/deep")).expect("it is there").count();
        write("scan.tif", "first");
        let put = |name: &str, note: &str| {
            put(&dir.path().join(name), &dir.path().join("to/deep/a.tif"), note).expect("it is writable");
        };
        put("scan.tif", "reasons");
        put("scan.tif", "reasons");
        assert_eq!((read("a.tif").as_str(), read("a.tif.txt").as_str(), names()), ("first", "reasons", 2));
        put("scan.tif", "other reasons");
        write("other.tif", "other");
        put("other.tif", "others");
        assert_eq!((read("a.2.tif").as_str(), read("a.2.tif.txt").as_str()), ("first", "other reasons"));
        assert_eq!((read("a.3.tif").as_str(), read("a.tif").as_str(), names()), ("other", "first", 6));

        // killed after the scan was placed
        fs::remove_file(dir.path().join("to/deep/a.3.tif.txt")).expect("it was written");
        put("other.tif", "others");
        assert_eq!((read("a.3.tif.txt").as_str(), names()), ("others", 6));
        put("gone.tif", "no such file");
        assert_eq!((read("a.4.tif.txt").as_str(), names()), ("no such file", 7), "only the reasons are written");
    }

    #[test]
    fn content_is_compared_to_the_last_byte() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = |name: &str| dir.path().join(name);
        for (name, text) in [("a", "text"), ("b", "text"), ("longer", "text and"), ("other", "texd"), ("none", "")] {
            fs::write(path(name), text).expect("it is writable");
        }
        let same = ["a", "b", "longer", "other", "none"]
            .map(|name| have_same_content(&path("a"), &path(name)).expect("it is there"));
        assert_eq!(same, [true, true, false, false, false]);
    }
}
