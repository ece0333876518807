//! What the source must never do. Each rule is also said in words where a reader meets it: the front page of the library.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Rooms by floor, the lowest first. A room uses rooms below its own floor.
const FLOORS: [&[&str]; 5] = [
    &["error", "geometry", "hash"],
    &["form", "page", "raster"],
    &["register", "segment", "normalise", "assemble"],
    &["reader", "overlay", "explain", "net", "sink"],
    &["pipeline", "train", "evaluate", "synth", "draft", "template"],
];
/// The floor on which neighbours do not know each other.
const STAGES: usize = 2;
/// What is handed from stage to stage, and so is known to the next one: the room that uses it, the room that has it.
const HANDED_ON: [(&str, &str); 5] = [
    ("segment", "register"),
    ("normalise", "segment"),
    ("assemble", "register"),
    ("assemble", "segment"),
    ("assemble", "net"),
];
/// The binary's own files.
const BINARY: [&str; 4] = ["main", "cli", "options", "report"];
/// A room that has grown past this hides a second noun.
const MOST_LINES: usize = 600;

struct Source {
    /// Below `src`.
    path: PathBuf,
    /// Directly below `src`, without extension.
    room: String,
    text: String,
}

impl Source {
    /// Without comments and without its unit tests, which may do more.
    fn code(&self) -> String {
        let own = self.text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
        own.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    }

    fn floor(&self) -> Option<usize> {
        FLOORS.iter().position(|rooms| rooms.contains(&self.room.as_str()))
    }

    fn is_library(&self) -> bool {
        !BINARY.contains(&self.room.as_str())
    }
}

fn sources() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = walkdir::WalkDir::new(&src).sort_by_file_name().into_iter().filter_map(Result::ok);
    let files = files.filter(|entry| entry.path().extension().is_some_and(|e| e == "rs"));
    let source = |entry: walkdir::DirEntry| {
        let path = entry.path().strip_prefix(&src).expect("it was found there").to_owned();
        let first = path.components().next().expect("it has a name").as_os_str();
        let room = Path::new(first).file_stem().expect("it has a name").to_string_lossy().into_owned();
        Source { room, text: fs::read_to_string(entry.path()).expect("it is text"), path }
    };
    files.map(source).collect()
}

/// The rooms that `code` uses: the name after each `crate::`, or each name on the first level of `crate::{...}`.
fn rooms_used(code: &str) -> Vec<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut rooms = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            rooms.push(rest.chars().take_while(|&c| is_name(c)).collect());
            continue;
        };
        let (mut depth, mut name, mut is_first) = (1, String::new(), true);
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => is_first = true,
                c if depth == 1 && is_first && is_name(c) => name.push(c),
                c if c.is_whitespace() => {}
                _ => is_first = false,
            }
            if (!is_first || c == ',' || depth == 0) && !name.is_empty() {
                rooms.push(std::mem::take(&mut name));
            }
            if depth == 0 {
                break;
            }
        }
    }
    rooms
}

#[test]
fn the_rooms_of_a_use_are_found() {
    let code =
        "use crate::{\n    error::{Error, page},\n    raster,\n    form::FormTemplate,\n};\nfn f() { crate::net::g() }";
    assert_eq!(rooms_used(code), ["error", "raster", "form", "net"]);
}

#[test]
fn rooms_use_those_below_them() {
    for source in sources().iter().filter(|source| source.is_library() && source.room != "lib") {
        let room = source.room.as_str();
        let floor = source.floor().unwrap_or_else(|| panic!("{room} stands on no floor: give it one"));
        for used in rooms_used(&source.code()).iter().filter(|used| *used != room) {
            let Some(below) = FLOORS.iter().position(|rooms| rooms.contains(&used.as_str())) else { continue };
            let is_neighbour = below == floor && floor != STAGES;
            let is_handed_on = HANDED_ON.contains(&(room, used));
            assert!(below < floor || is_neighbour || is_handed_on, "{}: uses {used}", source.path.display());
        }
    }
}

#[test]
fn the_library_neither_prints_nor_exits_nor_reads_the_environment() {
    let never = ["println!", "eprintln!", "print!(", "eprint!(", "dbg!(", "process::exit", "std::env", "env::var"];
    for source in sources().iter().filter(|source| source.is_library()) {
        let code = source.code();
        let found = never.into_iter().find(|word| code.contains(word));
        assert_eq!(found, None, "{}", source.path.display());
    }
}

#[test]
fn the_lower_floors_see_no_file_clock_or_thread() {
    let never =
        ["std::fs", "fs::", "std::thread", "thread::", "std::time", "Instant", "SystemTime", "std::net", "rayon"];
    for source in sources().iter().filter(|source| source.floor().is_some_and(|floor| floor <= STAGES)) {
        let code = source.code();
        let found = never.into_iter().find(|word| code.contains(word));
        assert_eq!(found, None, "{}", source.path.display());
    }
}

#[test]
fn only_the_net_names_libtorch() {
    for source in sources().iter().filter(|source| !["net", "train"].contains(&source.room.as_str())) {
        let code = source.code();
        let is_named = code.match_indices("tch::").any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric()));
        assert!(!is_named, "{}", source.path.display());
    }
}

#[test]
fn nothing_is_left_for_later_and_nothing_is_too_long() {
    let never = ["todo!(", "unimplemented!(", "TODO", "FIXME", "#[ignore"];
    for source in sources() {
        let found = never.into_iter().find(|word| source.text.contains(word));
        assert_eq!(found, None, "{}", source.path.display());
        let n_lines = source.text.lines().count();
        assert!(n_lines <= MOST_LINES, "{}: {n_lines} lines", source.path.display());
    }
}

#[test]
fn there_is_no_unsafe_code() {
    for source in sources().iter().filter(|source| source.path.parent() == Some(Path::new(""))) {
        if ["lib", "main"].contains(&source.room.as_str()) {
            assert!(source.text.contains("#![forbid(unsafe_code)]"), "{}", source.path.display());
        }
    }
}
