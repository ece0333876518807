//! What is to be read, in which order.

use std::path::{Path, PathBuf};

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
        let name = input.file_name().unwrap_or(input.as_os_str()).to_string_lossy().into_owned();
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

fn name_of(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    // An absolute path begins with a part that is itself a slash.
    parts.join("/").replacen("//", "/", 1)
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

    #[test]
    fn a_list_keeps_its_order_and_its_names() {
        let scans = listed_scans(["/in/z.png", "a/b.png"].map(PathBuf::from));
        let names: Vec<_> = scans.iter().map(|scan| scan.name.as_str()).collect();
        assert_eq!(names, ["/in/z.png", "a/b.png"]);
    }
}
