//! What is in the place of the outputs before a run.

use std::{
    collections::HashSet,
    fs::{self, FileType},
    path::{self, Path, PathBuf},
};

use same_file::Handle;

use formread_page::scans::Scan;
use formread_raster::error::{Error, Result};
use formread_sinks::Destination;

use super::{RunOptions, journal_path};
use formread_sinks::{documents_path, fields_path, readings_path, run_path};

/// Checks the outputs before anything is written: each that exists is a file, and none is a scan or another input, whatever names or
/// links lead to it. A file is replaced by renaming another: that would destroy a device, a pipe or a link, and what reads from it
/// would get nothing. The folders for overlays and rejects are two, and no scan is in them.
///
/// # Errors
/// `Usage`, with the name of the output and what it is.
pub fn check(options: &RunOptions, scans: &[Scan]) -> Result<()> {
    let mut outputs = outputs(&options.out);
    outputs.extend(options.also.iter().flat_map(Destination::files));
    check_distinct(&outputs)?;
    check_kinds(&outputs)?;
    check_no_input(&outputs, scans, &options.inputs)?;
    if let (Some(overlay), Some(rejects)) = (&options.overlay, &options.rejects)
        && real_path(overlay)? == real_path(rejects)?
    {
        let message = format!("one folder for overlays and rejects: {}", overlay.display());
        return Err(Error::usage(message).with_hint("give each a folder of its own"));
    }
    for folder in [&options.overlay, &options.rejects].into_iter().flatten() {
        check_folder(folder, options.input.as_deref(), scans).map_err(|error| {
            error.with_hint("choose a folder outside of the scans").in_file(folder.to_string_lossy())
        })?;
    }
    Ok(())
}

/// Checks that a folder for output is not among the scans, where the next run would read its files, and has no scan in it.
fn check_folder(folder: &Path, input: Option<&Path>, scans: &[Scan]) -> Result<()> {
    let folder = real_path(folder)?;
    if input.and_then(|input| input.canonicalize().ok()).is_some_and(|input| folder.starts_with(input)) {
        return Err(Error::usage("this folder is inside the folder of scans"));
    }
    let mut folders = HashSet::new();
    for scan in scans {
        let of_scan = scan.path.parent().unwrap_or(Path::new(""));
        let is_in = || real_path(of_scan).is_ok_and(|of_scan| of_scan.starts_with(&folder));
        if folders.insert(of_scan) && is_in() {
            return Err(Error::usage(format!("this folder has a scan in it: {}", scan.name)));
        }
    }
    Ok(())
}

/// The path without links, of a file that need not exist: what exists of it is looked up.
fn real_path(path: &Path) -> Result<PathBuf> {
    let path = path::absolute(path)?;
    let existing = path.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    Ok(match existing {
        Some((ancestor, real)) => match path.strip_prefix(ancestor) {
            Ok(rest) if rest.as_os_str().is_empty() => real,
            Ok(rest) => real.join(rest),
            Err(_) => real,
        },
        None => path,
    })
}

/// Everything that a run writes at or beside `out`.
fn outputs(out: &Path) -> Vec<PathBuf> {
    let mut lock = out.as_os_str().to_owned();
    lock.push(".lock");
    let tables = [out.to_owned(), fields_path(out), documents_path(out), readings_path(out), run_path(out)];
    tables.into_iter().chain([journal_path(out), PathBuf::from(lock)]).collect()
}

/// Checks that no output is in the place of another.
fn check_distinct(outputs: &[PathBuf]) -> Result<()> {
    let mut seen = HashSet::new();
    for output in outputs {
        if !seen.insert(real_path(output)?) {
            let message = format!("two outputs of one name: {}", output.display());
            return Err(Error::usage(message).with_hint("give each a name of its own"));
        }
    }
    Ok(())
}

fn check_kinds(outputs: &[PathBuf]) -> Result<()> {
    for path in outputs {
        // one that is absent or cannot be examined fails where it is written
        let Ok(metadata) = fs::symlink_metadata(path) else { continue };
        if !metadata.is_file() {
            let kind = name_of(metadata.file_type());
            let message = format!("not a file but {kind}: {}", path.display());
            return Err(Error::usage(message).with_hint("choose another name for the table"));
        }
    }
    Ok(())
}

/// Compares files and not names: a hard link, a link and another way to the same folder lead to an input, too.
fn check_no_input(outputs: &[PathBuf], scans: &[Scan], others: &[PathBuf]) -> Result<()> {
    let existing: Vec<(&PathBuf, Handle)> =
        outputs.iter().filter_map(|path| Some((path, Handle::from_path(path).ok()?))).collect();
    if existing.is_empty() {
        return Ok(());
    }
    // a file of another length is another file
    let lengths: Vec<u64> = existing.iter().filter_map(|(path, _)| Some(fs::metadata(path).ok()?.len())).collect();
    for input in scans.iter().map(|scan| &scan.path).chain(others) {
        if !fs::metadata(input).is_ok_and(|metadata| metadata.is_file() && lengths.contains(&metadata.len())) {
            continue;
        }
        let Ok(handle) = Handle::from_path(input) else { continue };
        if let Some((output, _)) = existing.iter().find(|(_, output)| *output == handle) {
            let message = format!("the output is an input: {} is {}", output.display(), input.display());
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
        let check_kinds = |out: &Path| check_kinds(&outputs(out));
        check_kinds(&out).expect("nothing is there");
        fs::write(&out, "old").expect("the folder is writable");
        check_kinds(&out).expect("it is a file");
        for name in ["out.fields.csv", "out.run.json", "out.documents.csv", "out.csv.partial", "out.csv.lock"] {
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
        let check_kinds = |out: &Path| check_kinds(&outputs(out));
        assert!(check_kinds(&out).expect_err("it is a link").to_string().contains("a link"));
        assert!(check_kinds(Path::new("/dev/null")).expect_err("it is a device").to_string().contains("a device"));
    }

    #[test]
    fn output_that_is_an_input_by_any_name_is_refused() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path("in")).expect("the folder is writable");
        fs::write(path("in/a.tif"), "a scan").expect("the folder is writable");
        fs::write(path("form.toml"), "a template").expect("the folder is writable");
        fs::hard_link(path("in/a.tif"), path("out.csv")).expect("there are hard links");
        fs::hard_link(path("form.toml"), path("form.run.json")).expect("there are hard links");
        let scans = [Scan { name: "a.tif".to_owned(), path: path("in/a.tif") }];
        for out in ["in/a.tif", "in/../in/a.tif", "out.csv", "form.toml", "form.csv"] {
            let error = check_no_input(&outputs(&path(out)), &scans, &[path("form.toml")]).expect_err(out).to_string();
            assert!(error.contains("the output is an input: "), "{error}");
        }
        fs::write(path("in/b.csv"), "a table").expect("the folder is writable");
        check_no_input(&outputs(&path("in/b.csv")), &scans, &[]).expect("it is no scan");
    }

    #[test]
    fn folder_that_has_scans_or_is_among_them_is_refused() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = |name: &str| dir.path().join(name);
        fs::create_dir_all(path("in/deep")).expect("the folder is writable");
        let scans = [Scan { name: "deep/a.tif".to_owned(), path: path("in/deep/a.tif") }];
        for (folder, input) in [("in/new/b", Some("in")), ("in", None), ("in/deep", None), (".", None)] {
            let error = check_folder(&path(folder), input.map(path).as_deref(), &scans).expect_err(folder).to_string();
            assert!(error.contains("this folder "), "{error}");
        }
        check_folder(&path("out/new"), Some(&path("in")), &scans).expect("it is beside the scans");
        let options = |overlay: &str, rejects: &str| RunOptions {
            overlay: Some(path(overlay)),
            rejects: Some(path(rejects)),
            ..RunOptions::new(path("out.csv"), std::num::NonZeroUsize::MIN)
        };
        let error = check(&options("out/a", "out/./a"), &[]).expect_err("it is one folder").to_string();
        assert!(error.contains("one folder for overlays and rejects"), "{error}");
        check(&options("out/a", "out/b"), &scans).expect("they are two folders");
    }
}
