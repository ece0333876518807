//! Collects the scans that have an unreadable page in a folder, for a person.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, ErrorKind, Write},
    path::{Path, PathBuf},
};

use super::journal::Journal;
use formread_core::rows::{PageRows, Verdict};
use formread_page::scans::Scan;
use formread_raster::{
    error::{Error, Result},
    fsio::AtomicFile,
    hash::shorten_name,
    printable,
};

/// Maximum length of the name of a file or folder, bytes: file systems allow 255, and a number, `.txt` and `.new` may follow.
const MAX_NAME_BYTES: usize = 240;

/// Puts each scan with a rejected page into `folder`, under its own name and in its own subfolders, as a hard link or else as a
/// copy. The reasons go beside it, to the same name with `.txt` added. Nothing in the folder is replaced: if another file has
/// the name, a number is added before the extension. A scan that was collected before is left as it is. `root` is the folder of
/// the scans; `None`: they came from a list.
///
/// # Errors
/// Where the folder cannot be written to.
pub fn collect(folder: &Path, scans: &[&Scan], root: Option<&Path>, journal: &mut Journal<'_>) -> Result<()> {
    for scan in scans {
        let mut reasons = String::new();
        journal.visit(&scan.name, |PageRows { page, verdict, attention, .. }, detail| {
            if verdict == Verdict::Rejected {
                let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
                reasons += &format!("page {page}: {}\n", printable(&format!("{attention}{detail}")));
            }
            Ok(())
        })?;
        if !reasons.is_empty() {
            let sha256 = journal.sha256(&scan.name).map_or(String::new(), |sha256| format!("sha256 {sha256}\n"));
            let note = format!("scan {}\n{sha256}{reasons}", printable(&scan.name));
            let at = folder.join(safe_path(&scan.name));
            let placed = make_folders(folder, &at).and_then(|()| put(&scan.path, &at, &note, root));
            placed.map_err(|error| Error::from(error).in_file(at.to_string_lossy()))?;
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

/// Makes the folders between `folder` and the file `at` in it. A link among them would lead elsewhere: it is an error.
fn make_folders(folder: &Path, at: &Path) -> io::Result<()> {
    let inside = at.parent().and_then(|parent| parent.strip_prefix(folder).ok()).unwrap_or(Path::new(""));
    let mut made = folder.to_owned();
    for part in inside {
        made.push(part);
        match fs::create_dir(&made) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            Err(error) if !fs::symlink_metadata(&made)?.is_dir() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn put(scan: &Path, at: &Path, note: &str, root: Option<&Path>) -> io::Result<()> {
    let mut number = 1;
    loop {
        let at = numbered(at, number);
        let mut note_path = at.clone().into_os_string();
        note_path.push(".txt");
        match fs::symlink_metadata(&note_path) {
            Ok(there) if there.is_file() && fs::read(&note_path)? == note.as_bytes() => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if place(scan, &at, root)? {
                    let mut file = AtomicFile::create(PathBuf::from(note_path)).map_err(io::Error::other)?;
                    file.write_all(note.as_bytes())?;
                    if file.commit_new().map_err(io::Error::other)? {
                        return Ok(());
                    }
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
/// not placed, and its note is written without it; nor is one that a link leads to, out of the folder of scans `root`: whose
/// file that is, is not known.
fn place(scan: &Path, at: &Path, root: Option<&Path>) -> io::Result<bool> {
    // Follow a symbolic link: a relative one may be broken in another folder.
    let Ok(real) = fs::canonicalize(scan) else { return Ok(true) };
    let is_inside = match root.and_then(|root| fs::canonicalize(root).ok()) {
        Some(root) => real.starts_with(root),
        // of a list each name is given by the user, but not where a link in its place leads
        None => fs::symlink_metadata(scan).is_ok_and(|metadata| !metadata.is_symlink()),
    };
    let scan = real;
    if !is_inside || !scan.is_file() {
        return Ok(true);
    }
    if let Ok(there) = fs::symlink_metadata(at) {
        return Ok(there.is_file() && have_same_content(&scan, at).unwrap_or(false));
    }
    if fs::hard_link(&scan, at).is_ok() {
        return Ok(true);
    }
    let Ok(mut from) = File::open(&scan) else { return Ok(true) };
    let mut to = AtomicFile::create(at.to_owned()).map_err(io::Error::other)?;
    io::copy(&mut from, &mut to)?;
    to.commit_new().map_err(io::Error::other)
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
        fs::create_dir_all(dir.path().join("to/deep")).expect("it is writable");
        let put = |name: &str, note: &str| {
            put(&dir.path().join(name), &dir.path().join("to/deep/a.tif"), note, Some(dir.path()))
                .expect("it is writable");
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

    #[cfg(unix)]
    #[test]
    fn link_out_of_the_scans_is_not_followed() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path("in")).expect("it is writable");
        fs::write(path("private"), "of somebody").expect("it is writable");
        fs::write(path("in/own.tif"), "a scan").expect("it is writable");
        std::os::unix::fs::symlink(path("private"), path("in/out.tif")).expect("there are links");
        std::os::unix::fs::symlink("own.tif", path("in/same.tif")).expect("there are links");
        for (root, is_followed) in [(Some(path("in")), true), (None, false)] {
            let to = path(if is_followed { "a" } else { "b" });
            fs::create_dir(&to).expect("it is writable");
            for name in ["out.tif", "same.tif", "own.tif"] {
                put(&path("in").join(name), &to.join(name), "reasons", root.as_deref()).expect("it is writable");
            }
            assert!(!to.join("out.tif").exists() && to.join("out.tif.txt").exists());
            assert_eq!(to.join("same.tif").exists(), is_followed);
            assert!(to.join("own.tif").exists());
        }
    }

    #[cfg(unix)]
    #[test]
    fn link_among_the_folders_of_rejects_is_an_error() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = |name: &str| dir.path().join(name);
        fs::create_dir_all(path("rejects/a")).expect("it is writable");
        fs::create_dir(path("elsewhere")).expect("it is writable");
        std::os::unix::fs::symlink(path("elsewhere"), path("rejects/b")).expect("there are links");
        make_folders(&path("rejects"), &path("rejects/a/new/x.tif")).expect("these are folders");
        make_folders(&path("rejects"), &path("rejects/b/new/x.tif")).expect_err("it leads elsewhere");
        assert_eq!(fs::read_dir(path("elsewhere")).expect("it is there").count(), 0);
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
