//! What is to be read, in which order.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use walkdir::{DirEntry, WalkDir};

use crate::{
    error::{Error, Result},
    page::is_image_name,
};

/// One file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// As the table names it: relative to the input, `/` between folders.
    pub name: String,
    /// Where it stands.
    pub path: PathBuf,
}

/// The scans of `input`: the images of a folder and its folders, each in the order of their names; or the one file,
/// whatever it is called. Hidden files are left out. A folder within that cannot be opened stands in the list, to
/// become a row and a reason.
///
/// # Errors
/// Where there is no such file or folder.
pub fn find_scans(input: &Path) -> Result<Vec<Scan>> {
    let metadata = input.metadata().map_err(|error| Error::from(error).in_file(input.to_string_lossy()))?;
    if !metadata.is_dir() {
        let name = name_of(Path::new(input.file_name().unwrap_or(input.as_os_str())));
        return Ok(vec![Scan { name, path: input.to_owned() }]);
    }
    let is_shown = |entry: &DirEntry| entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".");
    let entries = WalkDir::new(input).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_shown);
    let scan = |entry: walkdir::Result<DirEntry>| match entry {
        Ok(entry) => {
            let is_scan = entry.file_type().is_file() && is_image_name(&entry.file_name().to_string_lossy());
            is_scan.then(|| entry.into_path())
        }
        Err(error) => error.path().map(Path::to_owned),
    };
    let named = |path: PathBuf| Scan { name: name_of(path.strip_prefix(input).unwrap_or(&path)), path };
    Ok(entries.filter_map(scan).map(named).collect())
}

/// The scans of a list, in its order, each named as it is listed.
pub fn listed_scans(paths: impl IntoIterator<Item = PathBuf>) -> Vec<Scan> {
    paths.into_iter().map(|path| Scan { name: name_of(&path), path }).collect()
}

/// A spreadsheet takes a cell that begins with one of these for a formula (OWASP, "CSV Injection").
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

fn name_of(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(shown).collect();
    // An absolute path begins with a part that is itself a slash.
    let name = parts.join("/").replacen("//", "/", 1);
    if name.starts_with(FORMULA_STARTS) { format!("./{name}") } else { name }
}

/// A name as text. Bytes that are not UTF-8 are written as in an address (`%FF`), so that no two files have one name.
fn shown(part: &OsStr) -> String {
    if let Some(text) = part.to_str() {
        return text.to_owned();
    }
    let mut shown = String::new();
    for chunk in part.as_encoded_bytes().utf8_chunks() {
        shown += &chunk.valid().replace('%', "%25");
        chunk.invalid().iter().for_each(|byte| shown += &format!("%{byte:02X}"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_is_walked_in_the_order_of_names() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        for name in ["b/2.png", "b/10.TIF", "a.jpg", "c.png", ".hidden/x.png", "b/.x.png", "notes.txt"] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("it is writable");
            fs::write(path, b"").expect("it is writable");
        }
        let names: Vec<_> = find_scans(dir.path()).expect("it is there").into_iter().map(|scan| scan.name).collect();
        assert_eq!(names, ["a.jpg", "b/10.TIF", "b/2.png", "c.png"]);
    }

    #[test]
    fn one_file_is_named_by_itself_and_a_missing_one_is_a_fault() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("page.dat");
        fs::write(&path, b"").expect("it is writable");
        assert_eq!(find_scans(&path).expect("it is there"), [Scan { name: "page.dat".to_owned(), path: path.clone() }]);
        let error = find_scans(&dir.path().join("none")).expect_err("it is not there");
        assert!(error.to_string().contains("none"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn every_name_is_text_of_its_own_and_none_is_a_formula() {
        use std::os::unix::ffi::OsStrExt;
        let names = [
            &b"\xFF.png"[..],
            b"\xFE.png",
            b"50%\xFE.png",
            b"=1+1.png",
            b"a b,\"c\"\n.png",
            b"-d/e.png",
            b"\xC3\xA9.png",
        ];
        let scans = listed_scans(names.map(|name| PathBuf::from(OsStr::from_bytes(name))));
        let names: Vec<_> = scans.iter().map(|scan| scan.name.as_str()).collect();
        let expected = ["%FF.png", "%FE.png", "50%25%FE.png", "./=1+1.png", "a b,\"c\"\n.png", "./-d/e.png", "é.png"];
        assert_eq!(names, expected);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_loop_and_folders_in_folders_end() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let deep = (0..100).fold(dir.path().to_owned(), |folder, _| folder.join("f"));
        fs::create_dir_all(&deep).expect("it is writable");
        fs::write(deep.join("deep.png"), b"").expect("it is writable");
        std::os::unix::fs::symlink(dir.path(), deep.join("loop")).expect("it is writable");
        let scans = find_scans(dir.path()).expect("it is there");
        let ends: Vec<_> = scans.iter().filter_map(|scan| scan.name.rsplit('/').next()).collect();
        assert_eq!(ends, ["deep.png", "loop"], "the loop stands in the list, to become a row and a reason");
    }

    #[test]
    fn a_list_keeps_its_order_and_its_names() {
        let scans = listed_scans(["/in/z.png", "a/b.png"].map(PathBuf::from));
        let names: Vec<_> = scans.iter().map(|scan| scan.name.as_str()).collect();
        assert_eq!(names, ["/in/z.png", "a/b.png"]);
    }
}
