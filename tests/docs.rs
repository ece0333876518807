//! The documentation: its commands run, its links lead somewhere, and its tables and file names are those of this tree.
//!
//! - A block fenced `sh` in README.md or docs/guide is run with bash in a copy of the fixtures. Blocks of one page run in
//!   one folder, from top to bottom. A block fenced `console` or `text` is not run.
//! - A block fenced `csv` whose columns are those of `OUT.csv` or `OUT.fields.csv` has the rows of the golden files.
//! - A table in docs/design whose first column is `parameter` has the names and values of the sources.
//! - Reasons and verdicts in the guide are those of the sources, and options those of `--help`.
//! - Tables that are made from sources are in `docs_tables`.
//!
//! `GOLDEN=renew` writes the rows anew.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use walkdir::WalkDir;

/// Folders of this tree. A name in code style that begins with one is the name of a file or folder.
const FOLDERS: [&str; 9] =
    ["benches/", "crates/", "docs/", "examples/", "fixtures/", "fuzz/", "pipelines/", "src/", "tests/"];

/// What the commands find in their folder, besides the program on their PATH: few scans, so that they are fast.
const INPUTS: [&str; 7] = [
    "fixtures/scans/fax",
    "fixtures/scans/office",
    "fixtures/truth.csv",
    "fixtures/signs",
    "fixtures/marks",
    "fixtures/walk",
    "pipelines",
];

/// Around the tables of a `params.rs` in docs/design.
pub const PARAMETERS_BEGIN: &str = "<!-- parameters of ";
pub const PARAMETERS_END: &str = "<!-- parameters: end -->";

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files of `folder` whose names end in `ending`, relative to the tree, sorted.
pub fn files(folder: &str, ending: &str) -> Vec<String> {
    let entries = WalkDir::new(root().join(folder)).sort_by_file_name().into_iter().filter_map(Result::ok);
    let path_of = |path: &Path| path.strip_prefix(root()).ok().map(|path| path.to_string_lossy().into_owned());
    entries.filter_map(|entry| path_of(entry.path())).filter(|path| path.ends_with(ending)).collect()
}

fn pages() -> Vec<String> {
    let top = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(str::to_owned);
    top.into_iter().chain(files("docs", ".md")).collect()
}

/// A fenced block.
struct Block {
    /// What follows the opening fence.
    kind: String,
    /// 1-based line of the opening fence.
    line: usize,
    text: String,
}

/// The fenced blocks of a page, and its lines outside of them (empty within).
fn parse(page: &str) -> (Vec<Block>, Vec<String>) {
    let (mut blocks, mut prose) = (Vec::new(), Vec::new());
    let mut open: Option<Block> = None;
    for (number, line) in (1..).zip(page.lines()) {
        let outside = match (open.as_mut(), line.trim_start().strip_prefix("```")) {
            (None, Some(kind)) => {
                open = Some(Block { kind: kind.trim().to_owned(), line: number, text: String::new() });
                ""
            }
            (None, None) => line,
            (Some(_), Some(_)) => {
                blocks.extend(open.take());
                ""
            }
            (Some(block), None) => {
                block.text += line;
                block.text += "\n";
                ""
            }
        };
        prose.push(outside.to_owned());
    }
    (blocks, prose)
}

/// The anchor that GitHub and mdBook give a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(page: &str) -> HashSet<String> {
    let (_, prose) = parse(page);
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut anchors = HashSet::new();
    for heading in prose.iter().filter(|line| line.starts_with('#')) {
        let name = anchor(heading.trim_start_matches('#'));
        let n = seen.entry(name.clone()).or_default();
        anchors.insert(if *n == 0 { name } else { format!("{name}-{n}") });
        *n += 1;
    }
    anchors
}

/// Without what is in code style.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// What is in code style.
fn code_of(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Targets of the links and pictures of a line.
fn targets(line: &str) -> Vec<String> {
    let between = |open: &str, close: char| -> Vec<String> {
        let parts = line.split(open).skip(1);
        parts.filter_map(|part| part.split_once(close)).map(|(target, _)| target.to_owned()).collect()
    };
    [between("](", ')'), between("src=\"", '"'), between("href=\"", '"')].concat()
}

#[test]
fn links_of_every_page_resolve() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = read(&page);
        let (_, prose) = parse(&text);
        for (number, line) in (1..).zip(&prose) {
            for target in targets(&without_code(line)) {
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                let (path, fragment) = target.split_once('#').unwrap_or((&target, ""));
                let folder = Path::new(&page).parent().unwrap_or(Path::new(""));
                let file = if path.is_empty() { root().join(&page) } else { root().join(folder).join(path) };
                let is_heading = || fs::read_to_string(&file).is_ok_and(|text| anchors(&text).contains(fragment));
                if !file.exists() || !(fragment.is_empty() || is_heading()) {
                    broken.push(format!("{page}:{number}: {target}"));
                }
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn summary_has_every_page_once() {
    let (_, prose) = parse(&read("docs/SUMMARY.md"));
    let mut listed: Vec<String> =
        prose.iter().flat_map(|line| targets(line)).map(|page| format!("docs/{page}")).collect();
    listed.sort();
    let mut all: Vec<String> = files("docs", ".md").into_iter().filter(|page| page != "docs/SUMMARY.md").collect();
    all.sort();
    assert_eq!(listed, all);
}

#[test]
fn readme_fits_on_120_lines() {
    assert!(read("README.md").lines().count() <= 120);
}

#[test]
fn file_names_in_pages_exist() {
    let mut missing = BTreeSet::new();
    let is_kept_as_written = |page: &String| matches!(page.as_str(), "docs/lab-notebook.md" | "CHANGELOG.md");
    for page in pages().iter().filter(|page| !is_kept_as_written(page)) {
        let (_, prose) = parse(&read(page));
        for (number, line) in (1..).zip(&prose) {
            for name in code_of(line).filter(|name| FOLDERS.iter().any(|folder| name.starts_with(folder))) {
                let is_path = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'));
                if is_path && !root().join(name).exists() {
                    missing.insert(format!("{page}:{number}: {name}"));
                }
            }
        }
    }
    let missing: Vec<String> = missing.into_iter().collect();
    assert!(missing.is_empty(), "files that do not exist:\n{}", missing.join("\n"));
}

/// The cells of a row of a Markdown table.
fn cells(line: &str) -> Vec<String> {
    let Some(row) = line.trim().strip_prefix('|').and_then(|row| row.strip_suffix('|')) else { return Vec::new() };
    row.split('|').map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn parameters_of_design_pages_have_the_values_of_the_sources() {
    let sources: Vec<String> = ["crates", "src"].into_iter().flat_map(|folder| files(folder, ".rs")).collect();
    let lines: Vec<String> =
        sources.iter().flat_map(|path| read(path).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let is_in_sources = |name: &str, value: &str| {
        let is_word = |line: &str| line.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name);
        lines.iter().any(|line| is_word(line) && line.contains(value))
    };
    let mut wrong = Vec::new();
    for page in files("docs/design", ".md") {
        let (_, prose) = parse(&read(&page));
        let (mut is_parameters, mut is_generated) = (false, false);
        for (number, line) in (1..).zip(&prose) {
            is_generated = line.starts_with(PARAMETERS_BEGIN) || is_generated && line != PARAMETERS_END;
            if is_generated {
                continue;
            }
            let cells = cells(line);
            let [first, second, ..] = cells.as_slice() else {
                is_parameters = false;
                continue;
            };
            is_parameters |= first == "parameter";
            let (name, value) = (first.trim_matches('`'), second.trim_matches('`'));
            let is_row = is_parameters && first.starts_with('`');
            if is_row && !is_in_sources(name, value) {
                wrong.push(format!("{page}:{number}: {name} = {value}"));
            }
        }
    }
    assert!(wrong.is_empty(), "parameters that the sources do not have:\n{}", wrong.join("\n"));
}

/// The commands of the program.
const COMMANDS: [&str; 22] = [
    "run",
    "explain",
    "eval values",
    "eval glyphs",
    "eval paired",
    "calibrate",
    "review",
    "review status",
    "review apply",
    "review truth",
    "review samples",
    "bench",
    "load",
    "dump",
    "synth",
    "train",
    "template new",
    "template list",
    "template show",
    "template check",
    "template edit",
    "template schema",
];

/// The options (`--name`) that are in a text.
fn options_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter(|word| word.len() > 2 && word.starts_with("--")).map(str::to_owned).collect()
}

#[test]
fn options_in_pages_exist() {
    let help = |command: &&str| {
        let output = formread().args(command.split(' ')).arg("--help").output().expect("the program can be started");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let known: BTreeSet<String> = COMMANDS.iter().flat_map(|command| options_in(&help(command))).collect();
    let mut unknown = Vec::new();
    for page in pages().iter().filter(|page| *page != "docs/lab-notebook.md") {
        let (blocks, prose) = parse(&read(page));
        let is_of_formread = |code: &&str| code.starts_with("--") || code.starts_with("formread ");
        let inline = prose.iter().flat_map(|line| code_of(line)).filter(is_of_formread);
        let lines = blocks.iter().flat_map(|block| block.text.lines()).filter(|line| line.contains("formread "));
        for option in inline.chain(lines).flat_map(options_in).filter(|option| !known.contains(option)) {
            unknown.push(format!("{page}: {option}"));
        }
    }
    assert!(unknown.is_empty(), "options that the program does not have:\n{}", unknown.join("\n"));
}

/// The words that a type of the sources has for tables: the string literals of its first `impl`, up to a `:`.
fn words_of(kind: &str, sources: &[String]) -> BTreeSet<String> {
    let head = format!("\nimpl {kind} {{\n");
    let body = sources.iter().find_map(|text| text.split_once(&head)?.1.split_once("\n}\n"));
    let (body, _) = body.unwrap_or_else(|| panic!("no source has: impl {kind}"));
    let literals = body.split('"').skip(1).step_by(2).map(|literal| literal.split(':').next().unwrap_or_default());
    literals.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What is in code style in the first cells of the table below a heading, up to a `:`.
fn words_below(heading: &str, page: &str) -> BTreeSet<String> {
    let (_, prose) = parse(&read(page));
    let below = prose.iter().skip_while(|line| !line.starts_with('#') || !line.ends_with(heading)).skip(1);
    let rows = below.take_while(|line| !line.starts_with('#')).filter_map(|line| cells(line).into_iter().next());
    let words = |cell: String| code_of(&cell).map(str::to_owned).collect::<Vec<_>>();
    rows.flat_map(words).map(|word| word.split(':').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn words_of_the_guide_equal_those_of_the_sources() {
    let sources: Vec<String> = ["crates", "src"].into_iter().flat_map(|folder| files(folder, ".rs")).collect();
    let sources: Vec<String> = sources.iter().map(|path| read(path)).collect();
    for (kind, page, heading) in [
        ("ReviewReason", "docs/guide/output.md", "Reasons for review"),
        ("PageReject", "docs/guide/output.md", "Reasons for a rejected page"),
        ("Verdict", "docs/guide/output.md", "Verdicts of a page"),
        ("FindingKind", "docs/guide/templates.md", "Check a template"),
    ] {
        assert_eq!(words_below(heading, page), words_of(kind, &sources), "{kind} and {page}, {heading}");
    }
}

pub fn renew() -> bool {
    env::var_os("GOLDEN").is_some_and(|value| value == "renew")
}

/// The rows of a table by what names them: scan, page and, in a table of fields, field.
struct Golden {
    columns: Vec<String>,
    rows: BTreeMap<Vec<String>, Vec<String>>,
}

const ROW_NAMES: [&str; 3] = ["scan", "page", "field"];

fn key(columns: &[String], row: &[String]) -> Vec<String> {
    let at = |name: &str| columns.iter().position(|column| column == name).and_then(|at| row.get(at));
    ROW_NAMES.iter().filter_map(|name| at(name).cloned()).collect()
}

fn records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let records = reader.records().map(|record| record.expect("it is CSV with rows of one length"));
    records.map(|record| record.iter().map(str::to_owned).collect()).collect()
}

impl Golden {
    fn read(path: &str) -> Self {
        let mut records = records(&read(path)).into_iter();
        let columns = records.next().unwrap_or_default();
        let rows = records.map(|row| (key(&columns, &row), row)).collect();
        Self { columns, rows }
    }

    /// The cell of a row; `None` where there is none.
    fn cell(&self, key: &[String], column: &str) -> Option<&String> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.rows.get(key)?.get(at)
    }

    /// The same row with the columns of `columns`.
    fn row(&self, columns: &[String], row: &[String]) -> Option<String> {
        let key = key(columns, row);
        let cells: Option<Vec<&str>> =
            columns.iter().map(|column| self.cell(&key, column).map(String::as_str)).collect();
        cells.map(|cells| cells.join(","))
    }
}

#[test]
fn rows_of_tables_equal_golden_files() {
    let golden: Vec<Golden> = files("fixtures/golden/nets", ".csv").iter().map(|path| Golden::read(path)).collect();
    let mut wrong = Vec::new();
    for page in pages() {
        let mut text = read(&page);
        let (blocks, _) = parse(&text);
        for Block { line, text: table, .. } in blocks.iter().filter(|block| block.kind == "csv") {
            let lines: Vec<&str> = table.lines().collect();
            let records = records(table);
            let Some((columns, rows)) = records.split_first() else { continue };
            let is_of_a_run = columns.iter().any(|column| column == "form");
            for (row, as_written) in rows.iter().zip(&lines[1..]).filter(|_| is_of_a_run) {
                let found = golden.iter().find_map(|golden| golden.row(columns, row));
                match found {
                    Some(found) if found == *as_written => {}
                    Some(found) if renew() => text = text.replace(as_written, &found),
                    found => wrong.push(format!("{page}:{line}: {as_written}\n  golden: {found:?}")),
                }
            }
        }
        if renew() {
            fs::write(root().join(&page), text).expect("the tree is writable");
        }
    }
    assert!(wrong.is_empty(), "rows that differ (GOLDEN=renew writes them anew):\n{}", wrong.join("\n"));
}

pub fn formread() -> Command {
    Command::new(env!("CARGO_BIN_EXE_formread"))
}

fn copy(from: &Path, to: &Path) {
    for entry in WalkDir::new(from).into_iter().map(|entry| entry.expect("it comes with the program")) {
        let at = match entry.path().strip_prefix(from) {
            Ok(path) if path.as_os_str().is_empty() => to.to_owned(),
            Ok(path) => to.join(path),
            Err(_) => continue,
        };
        if entry.file_type().is_dir() {
            fs::create_dir_all(&at).expect("the temporary folder is writable");
        } else {
            fs::create_dir_all(at.parent().unwrap_or(to)).expect("the temporary folder is writable");
            fs::copy(entry.path(), &at).expect("the temporary folder is writable");
        }
    }
}

/// The PATH of the commands: the program first.
fn path() -> OsString {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_formread"));
    let folder = program.parent().map(Path::to_owned);
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths(folder.into_iter().chain(env::split_paths(&rest))).expect("no folder has a colon in its name")
}

/// Runs the `sh` blocks of a page.
#[track_caller]
fn assert_commands_run(page: &str) {
    let (blocks, _) = parse(&read(page));
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    for input in INPUTS {
        copy(&root().join(input), &dir.path().join(input));
    }
    for Block { line, text, .. } in blocks.iter().filter(|block| block.kind == "sh") {
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", text]).current_dir(dir.path()).env("PATH", path()).stdin(Stdio::null());
        let output = bash.output().expect("bash can be started");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{page}:{line}: {}\n{text}\n{stderr}", output.status);
    }
}

#[test]
fn commands_of_the_readme_run() {
    assert_commands_run("README.md");
}

#[test]
fn commands_of_the_guide_run() {
    files("docs/guide", ".md").iter().for_each(|page| assert_commands_run(page));
}
