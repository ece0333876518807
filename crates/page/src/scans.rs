//! The list of scans: which files are read, in which order, under which name.

use std::{
    collections::HashSet,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use formread_raster::fsio::read_bounded;
use walkdir::{DirEntry, WalkDir};

use crate::{
    Limits, has_scan_extension,
    kind::{SNIFFED_BYTES, is_image},
};
use formread_raster::error::{Error, Result};

/// One file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The name in the tables: relative to the input, `/` between folders.
    ///
    /// Some bytes are percent-encoded (RFC 3986), as `%` and two hexadecimal digits: bytes that are not UTF-8, and a
    /// character that makes a spreadsheet read the cell as a formula (`=`, `+`, `-`, `@`, tab or line end, at the start of
    /// the name or after a `;` or tab, at which some programs split cells, also behind spaces and a byte order mark). A `%` that looks like an encoding is encoded
    /// too. Decoding gives the path; different paths have different names.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// What a folder contains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The files that are read.
    pub scans: Vec<Scan>,
    /// Names of the other files that are not hidden, in the same order: they are no images.
    pub not_images: Vec<String>,
}

/// Most files of a folder. Their list takes some 0.6 kB each.
const MAX_FILES: usize = 10_000_000;

/// What distinguishes one folder from another, whatever names and links lead to it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FolderId {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
    #[cfg(not(unix))]
    path: PathBuf,
}

impl FolderId {
    fn of(path: &Path) -> Option<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            fs::metadata(path).ok().map(|folder| Self { device_and_inode: (folder.dev(), folder.ino()) })
        }
        #[cfg(not(unix))]
        fs::canonicalize(path).ok().map(|path| Self { path })
    }
}

/// Lists the scans of `input`. Of a folder these are the images in it and in its folders, each folder in the order of names: files
/// with the extension of an image, and files that begin as one, whether their format is read or not. A file is a scan whatever
/// it contains. Hidden files are skipped, and links to a folder that contains them. A file that cannot be opened is listed, so
/// that it gets a row with a reason.
///
/// # Errors
/// Where there is no such file or folder, or it cannot be listed.
pub fn list_input(input: &Path) -> Result<Listing> {
    let metadata = input.metadata().map_err(|error| Error::from(error).in_file(input.to_string_lossy()))?;
    if !metadata.is_dir() {
        let name = name_of(Path::new(input.file_name().unwrap_or(input.as_os_str())));
        return Ok(Listing { scans: vec![Scan { name, path: input.to_owned() }], not_images: Vec::new() });
    }
    let mut walked = HashSet::new();
    // a folder to which several links lead is walked once, under its first name
    let mut is_first = |entry: &DirEntry| {
        !entry.file_type().is_dir() || FolderId::of(entry.path()).is_none_or(|folder| walked.insert(folder))
    };
    let is_shown = |entry: &DirEntry| {
        let is_hidden = entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
        !is_hidden && is_first(entry)
    };
    let entries = WalkDir::new(input).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_shown);
    let mut listing = Listing::default();
    for entry in entries {
        let path = match entry {
            Ok(entry) if !entry.file_type().is_file() => continue,
            Ok(entry) => entry.into_path(),
            Err(error) if error.loop_ancestor().is_some() => continue,
            Err(error) => match error.path() {
                Some(path) if error.depth() > 0 => path.to_owned(),
                // scans would be missing from the list without notice
                _ => return Err(Error::from(io::Error::from(error)).in_file(input.to_string_lossy())),
            },
        };
        if listing.scans.len() + listing.not_images.len() >= MAX_FILES {
            let message = format!("more than {MAX_FILES} files: {}", input.display());
            return Err(Error::usage(message).with_hint("read the folders one by one"));
        }
        let name = name_of(path.strip_prefix(input).unwrap_or(&path));
        if has_scan_extension(&name) || begins_as_image(&path) {
            listing.scans.push(Scan { name, path });
        } else {
            listing.not_images.push(name);
        }
    }
    Ok(listing)
}

/// The scans of [`list_input`].
///
/// # Errors
/// As [`list_input`].
pub fn find_scans(input: &Path) -> Result<Vec<Scan>> {
    Ok(list_input(input)?.scans)
}

/// Whether the first bytes of a file are those of an image. One that cannot be read may be one.
fn begins_as_image(path: &Path) -> bool {
    let mut bytes = Vec::with_capacity(SNIFFED_BYTES);
    let read = fs::File::open(path).and_then(|file| file.take(SNIFFED_BYTES as u64).read_to_end(&mut bytes));
    read.is_err() || is_image(&bytes)
}

/// Lists the scans of `paths`, in their order, each under its path. A path that occurs twice is one scan.
pub fn listed_scans(paths: impl IntoIterator<Item = PathBuf>) -> Vec<Scan> {
    let mut names = HashSet::new();
    let scans = paths.into_iter().map(|path| Scan { name: name_of(&path), path });
    scans.filter(|scan| names.insert(scan.name.clone())).collect()
}

/// Reads the file at `path`, within the limits.
///
/// # Errors
/// `Usage` where it is a folder or a device, `Limit` where it is too large, `Io` where it cannot be read.
pub fn read_file(path: &Path, limits: &Limits) -> Result<Arc<[u8]>> {
    // before it is opened, since opening a pipe waits for a writer
    if !fs::metadata(path)?.is_file() {
        return Err(Error::usage("not a file"));
    }
    Ok(read_bounded(path, limits.file_bytes)?.into())
}

/// See [`Scan::name`].
fn name_of(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| readable(part.as_encoded_bytes())).collect();
    // the first part of an absolute path is a slash itself
    let path = parts.join("/").replacen("//", "/", 1);
    let mut name = String::with_capacity(path.len());
    // a spreadsheet may part cells there, and may pass over what is not seen before a formula
    let mut begins_cell = true;
    for c in path.chars() {
        // the last four are full-width forms
        let is_formula = matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
        if is_formula && begins_cell {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| escape_into(&mut name, byte));
            begins_cell = false;
        } else {
            name.push(c);
            begins_cell = matches!(c, ';' | '\t') || begins_cell && (c.is_whitespace() || c == '\u{feff}');
        }
    }
    name
}

/// `bytes` as text; bytes that are not UTF-8 are percent-encoded, and so is a `%` that looks like an encoding.
fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid().chars();
        while let Some(c) = rest.next() {
            let is_escape = c == '%'
                && matches!(rest.as_str().as_bytes(), [a, b, ..] if [a, b].iter().all(|b| b.is_ascii_hexdigit()));
            if is_escape { text.push_str("%25") } else { text.push(c) }
        }
        chunk.invalid().iter().for_each(|&byte| escape_into(&mut text, byte));
    }
    text
}

fn escape_into(text: &mut String, byte: u8) {
    text.push_str(&format!("%{byte:02X}"));
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn folder_is_listed_in_the_order_of_names() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        for name in ["b/2.png", "b/10.TIF", "a.jpg", "c.png", ".hidden/x.png", "b/.x.png", "notes.txt"] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("it is writable");
            fs::write(path, b"").expect("it is writable");
        }
        fs::write(dir.path().join("b/PAGE"), b"GIF89a").expect("it is writable");
        fs::write(dir.path().join("photo.HEIC"), b"\0\0\0\x18ftypheic").expect("it is writable");
        let listing = list_input(dir.path()).expect("it is there");
        let names: Vec<_> = listing.scans.into_iter().map(|scan| scan.name).collect();
        assert_eq!(names, ["a.jpg", "b/10.TIF", "b/2.png", "b/PAGE", "c.png", "photo.HEIC"]);
        assert_eq!(listing.not_images, ["notes.txt"]);
    }

    #[test]
    fn file_is_listed_by_its_name_and_missing_one_is_an_error() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("page.dat");
        fs::write(&path, b"").expect("it is writable");
        assert_eq!(find_scans(&path).expect("it is there"), [Scan { name: "page.dat".to_owned(), path: path.clone() }]);
        let error = find_scans(&dir.path().join("none")).expect_err("it is not there");
        assert!(error.to_string().contains("none"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn folder_to_which_many_links_lead_is_walked_once() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        fs::create_dir(dir.path().join("18")).expect("it is writable");
        fs::write(dir.path().join("18/a.tif"), b"").expect("it is writable");
        for level in 0..18 {
            let folder = dir.path().join(level.to_string());
            fs::create_dir(&folder).expect("it is writable");
            for name in ["left", "right"] {
                let to = format!("../{}", level + 1);
                std::os::unix::fs::symlink(to, folder.join(name)).expect("there are links");
            }
        }
        let names: Vec<String> =
            find_scans(dir.path()).expect("it is there").into_iter().map(|scan| scan.name).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert!(names[0].ends_with("a.tif"));
    }

    #[test]
    fn list_keeps_its_order_and_names() {
        let scans = listed_scans(["/in/z.png", "a/b.png", "/in//z.png"].map(PathBuf::from));
        let names: Vec<_> = scans.iter().map(|scan| scan.name.as_str()).collect();
        assert_eq!(names, ["/in/z.png", "a/b.png"], "a path that occurs twice is one scan");
    }

    #[cfg(unix)]
    #[test]
    fn name_is_no_formula_and_decodes_to_its_path() {
        struct Case(&'static [u8], &'static str);
        let cases = [
            Case(b"a b,\"c\"\n.png", "a b,\"c\"\n.png"),
            Case(b"=1+1.png", "%3D1+1.png"),
            Case(b" =1.png", " %3D1.png"),
            Case("\u{feff}\u{a0}@a.png".as_bytes(), "\u{feff}\u{a0}%40a.png"),
            Case(b"a - b.png", "a - b.png"),
            Case(b"-1/-1.png", "%2D1/-1.png"),
            Case(b"\t@x.png", "%09@x.png"),
            Case(b"a;=b.png", "a;%3Db.png"),
            Case("＝a＝.png".as_bytes(), "%EF%BC%9Da＝.png"),
            Case(b"100%.png", "100%.png"),
            Case(b"%3D.png", "%253D.png"),
            Case(b"a\xff%\xfe.png", "a%FF%%FE.png"),
        ];
        for Case(path, name) in cases {
            assert_eq!(name_of_bytes(path), name);
            assert_eq!(decode_name(name), path, "{name}");
        }
    }

    #[cfg(unix)]
    fn name_of_bytes(path: &[u8]) -> String {
        use std::os::unix::ffi::OsStrExt;
        name_of(Path::new(std::ffi::OsStr::from_bytes(path)))
    }

    /// Decodes a name as its documentation describes.
    #[cfg(unix)]
    fn decode_name(name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = name.as_bytes();
        while let [first, after @ ..] = rest {
            let escaped = name_byte(rest);
            bytes.push(escaped.unwrap_or(*first));
            rest = if escaped.is_some() { &after[2..] } else { after };
        }
        bytes
    }

    #[cfg(unix)]
    fn name_byte(text: &[u8]) -> Option<u8> {
        let [b'%', a, b, ..] = text else { return None };
        u8::from_str_radix(std::str::from_utf8(&[*a, *b]).ok()?, 16).ok()
    }

    #[cfg(unix)]
    #[test]
    fn circular_links_and_deep_folders_end() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let deep = (0..100).fold(dir.path().to_owned(), |folder, _| folder.join("d"));
        fs::create_dir_all(&deep).expect("it is writable");
        fs::write(deep.join("x.png"), b"").expect("it is writable");
        symlink(dir.path(), dir.path().join("again")).expect("there are links");
        symlink("y.png", dir.path().join("y.png")).expect("there are links");
        symlink(deep.join("x.png"), dir.path().join("z.png")).expect("there are links");
        let names: Vec<_> = find_scans(dir.path()).expect("it is there").into_iter().map(|scan| scan.name).collect();
        let deep = "d/".repeat(100) + "x.png";
        assert_eq!(names, [deep.as_str(), "y.png", "z.png"], "the folder again leads nowhere else, y.png to itself");
    }
}
