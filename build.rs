//! Computes what identifies this build, and finds out which data sets are there, so that tests which need an absent one
//! are reported as ignored, by name.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

/// The cfg that a data set turns on, and its folder.
const DATA_SETS: [(&str, &str); 2] = [("shared_data", "../shared/data"), ("mnist_data", ".mnist")];

/// What the program is made of, except its weights, which have an identity of their own.
const SOURCES: [&str; 4] = ["Cargo.toml", "Cargo.lock", "src", "crates"];
/// The folder of the weights.
const WEIGHTS: &str = "crates/torch/src/shipped";

fn main() -> io::Result<()> {
    // Cargo runs this again for every build where a watched folder is absent, so the data sets are not watched: after one
    // was added, `touch build.rs`.
    println!("cargo::rerun-if-changed=build.rs");
    for (cfg, folder) in DATA_SETS {
        println!("cargo::rustc-check-cfg=cfg({cfg})");
        if Path::new(folder).is_dir() {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
    for source in SOURCES.into_iter().filter(|source| Path::new(source).exists()) {
        println!("cargo::rerun-if-changed={source}");
    }
    println!("cargo::rustc-env=FORMREAD_BUILD={}", sources_sha256()?);
    println!("cargo::rustc-env=FORMREAD_REVISION={}", revision());
    Ok(())
}

/// SHA-256 over the name and content of every source file, in the order of their names, `/` between folders.
fn sources_sha256() -> io::Result<String> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(Path::new(source), &mut files)?;
    }
    let name = |path: &PathBuf| path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
    let mut files: Vec<(String, PathBuf)> = files.into_iter().map(|path| (name(&path), path)).collect();
    files.sort();
    let mut hash = Sha256::new();
    for (name, path) in files {
        let content = fs::read(path)?;
        for part in [name.as_bytes(), &content] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Appends the files at or below `path`. Nothing for a path that is absent, as in a package without the workspace.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path == Path::new(WEIGHTS) || !path.exists() {
        return Ok(());
    }
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    fs::read_dir(path)?.try_for_each(|entry| collect(&entry?.path(), files))
}

/// The git commit that was checked out when the sources were last compiled; empty where there is no git. It is shown by
/// `--version` and identifies nothing: the sources may have changed since that commit.
fn revision() -> String {
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let text = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    text.map(|text| String::from_utf8_lossy(&text).trim().to_owned()).unwrap_or_default()
}
