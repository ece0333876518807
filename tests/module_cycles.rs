//! No two modules of a crate use each other, directly or through others, so that each can be read before those that use it.
//!
//! Checked for the modules of each folder: the files and folders in one folder form no cycle. A folder's `mod.rs` and its files
//! may use each other: they count as one module.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// A path of modules from the root of a crate.
type ModulePath = Vec<String>;

#[test]
fn modules_in_one_folder_form_no_cycle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = fs::read_dir(root.join("crates")).expect("the crates are in the checkout");
    let folders =
        crates.map(|entry| entry.expect("the folder can be listed").path().join("src")).chain([root.join("src")]);
    for folder in folders {
        let mut sources = BTreeMap::new();
        read_modules(&folder, &mut Vec::new(), &mut sources);
        assert_eq!(find_cycle(&sources), None, "{}", folder.display());
    }
}

/// Adds the code of each module below `folder` to `sources`. The code of `mod.rs`, `lib.rs` and `main.rs` belongs to their
/// folder.
fn read_modules(folder: &Path, module: &mut ModulePath, sources: &mut BTreeMap<ModulePath, String>) {
    for entry in fs::read_dir(folder).expect("sources can be listed") {
        let path = entry.expect("sources can be listed").path();
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        if path.is_dir() {
            // Each program in `bin` is a crate of its own.
            if name != "bin" {
                module.push(name);
                read_modules(&path, module, sources);
                module.pop();
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("sources are text");
            let own = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
            let code: String =
                own.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect();
            let is_folder = ["mod", "lib", "main"].contains(&name.as_str());
            let path = if is_folder { module.clone() } else { [module.as_slice(), &[name]].concat() };
            sources.entry(path).or_default().push_str(&code);
        }
    }
}

/// A cycle of modules in one folder, the first one repeated at its end.
fn find_cycle(sources: &BTreeMap<ModulePath, String>) -> Option<Vec<String>> {
    let mut used: BTreeMap<ModulePath, BTreeSet<ModulePath>> = BTreeMap::new();
    for (module, code) in sources {
        for path in paths_in(code) {
            let path = resolve(module, &path);
            let n_common = module.iter().zip(&path).take_while(|(a, b)| a == b).count();
            let (Some(user), Some(target)) = (module.get(..=n_common), path.get(..=n_common)) else { continue };
            if sources.contains_key(target) {
                used.entry(user.to_vec()).or_default().insert(target.to_vec());
            }
        }
    }
    let mut finished = BTreeSet::new();
    used.keys().find_map(|module| cycle_from(module, &used, &mut Vec::new(), &mut finished))
}

fn cycle_from(
    module: &ModulePath,
    used: &BTreeMap<ModulePath, BTreeSet<ModulePath>>,
    trail: &mut Vec<ModulePath>,
    finished: &mut BTreeSet<ModulePath>,
) -> Option<Vec<String>> {
    if let Some(start) = trail.iter().position(|earlier| earlier == module) {
        return Some(trail[start..].iter().chain([module]).map(|path| path.join("::")).collect());
    }
    if finished.contains(module) {
        return None;
    }
    trail.push(module.clone());
    let cycle = used.get(module).into_iter().flatten().find_map(|next| cycle_from(next, used, trail, finished));
    trail.pop();
    finished.insert(module.clone());
    cycle
}

/// The path from the root of the crate, for a path that begins with `crate` or `super`.
fn resolve(module: &[String], path: &[String]) -> ModulePath {
    let n_up = path.iter().take_while(|part| *part == "super").count();
    let (base, rest) = match path.first().map(String::as_str) {
        Some("crate") => (&[][..], &path[1..]),
        _ => (&module[..module.len().saturating_sub(n_up)], &path[n_up..]),
    };
    [base, rest].concat()
}

/// Every path in `code` that begins with `crate` or `super`; a use tree is expanded.
fn paths_in(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            if !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                expand(&code[at..], &mut Vec::new(), &mut paths);
            }
        }
    }
    paths
}

/// Adds the paths of the use tree at the start of `code` to `paths`; returns the code after it.
fn expand<'a>(code: &'a str, parents: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> &'a str {
    let code = code.trim_start();
    if let Some(mut rest) = code.strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let after = expand(rest, parents, paths);
            if after.len() == rest.len() {
                return rest;
            }
            rest = after;
        }
    }
    let length = code.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '*')).unwrap_or(code.len());
    let (name, rest) = code.split_at(length);
    parents.push(name.to_owned());
    let rest = match rest.strip_prefix("::") {
        Some(inner) => expand(inner, parents, paths),
        None => {
            paths.push(parents.clone());
            let renamed = rest
                .strip_prefix(" as ")
                .map(|rest| rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'));
            renamed.unwrap_or(rest)
        }
    };
    parents.pop();
    rest
}

#[test]
fn cycle_through_use_tree_is_found() {
    let sources = |pairs: &[(&str, &str)]| -> BTreeMap<ModulePath, String> {
        let path = |module: &str| module.split("::").map(str::to_owned).collect();
        pairs.iter().map(|(module, code)| (path(module), (*code).to_owned())).collect()
    };
    let acyclic =
        [("room::a", "use super::{\n    b::{X as Y, Z},\n    Own,\n};"), ("room::b", "fn f() {}"), ("room", "")];
    assert_eq!(find_cycle(&sources(&acyclic)), None);
    let cyclic = [acyclic[0], ("room::b", "fn f() { crate::room::c::g() }"), ("room::c", "use super::a::X;")];
    let cycle = find_cycle(&sources(&cyclic)).expect("a uses b, b uses c, c uses a");
    assert_eq!(cycle, ["room::a", "room::b", "room::c", "room::a"]);
}
