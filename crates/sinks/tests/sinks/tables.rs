//! Tables of runs that never were: forms by chance, names that are hard to store, and values of every kind.

use std::{collections::BTreeMap, fs, path::Path};

use formread_core::{
    form::{FieldKind, FormTemplate, parse_template},
    rows::{FieldRow, PageRows, Verdict},
};
use formread_raster::{fsio::commit_all, hash::sha256};
use formread_sinks::{CsvSink, DocumentRow, DocumentTable, ScanRecord, run_path};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Names of scans that a table, SQL or a text format might break on.
pub const HARD_NAMES: [&str; 12] = [
    "plain.tif",
    "with, comma.tif",
    "a \"quoted\" name.tif",
    "it's; DROP TABLE pages; --.tif",
    "two\nlines\r\n.tif",
    "tab\tand\\backslash\\N.tif",
    "\\N",
    "%3Dformula%09.tif",
    "not-utf8-%FF%FE.tif",
    "percent %2541.tif",
    "größe/日本/\u{202e}gnp.tif",
    " leading and trailing ",
];

/// A file of a run.
#[derive(Debug, Clone)]
pub struct File {
    pub name: String,
    /// `None` where it could not be opened.
    pub content: Option<String>,
    pub pages: Vec<PageRows>,
    pub documents: Vec<DocumentRow>,
}

/// A run: what its templates are, and what it found.
#[derive(Debug, Clone)]
pub struct Run {
    pub templates: Vec<FormTemplate>,
    pub files: Vec<File>,
    pub has_documents: bool,
}

#[derive(Serialize)]
struct Record<'a> {
    identity: String,
    version: &'a str,
    weights: &'a str,
    templates: Vec<BTreeMap<&'a str, String>>,
    options: BTreeMap<&'a str, u32>,
    files: usize,
    pages: usize,
    scans: Vec<ScanRecord<'a>>,
}

impl Run {
    /// Writes the tables, as a run does.
    pub fn write(&self, out: &Path) {
        let Self { templates, files, has_documents } = self;
        let found: BTreeMap<&str, &FormTemplate> = files
            .iter()
            .flat_map(|file| &file.pages)
            .filter_map(|page| templates.iter().find(|template| template.name == page.form))
            .map(|template| (template.name.as_str(), template))
            .collect();
        let mut columns: Vec<String> = Vec::new();
        for field in found.values().flat_map(|template| &template.fields) {
            if !columns.contains(&field.name) {
                columns.push(field.name.clone());
            }
        }
        let mut tables = CsvSink::create(out, columns).expect("the folder is writable");
        let mut documents = DocumentTable::create(out, *has_documents).expect("the folder is writable");
        let mut first_of: BTreeMap<&str, &str> = BTreeMap::new();
        let mut scans = Vec::new();
        for File { name, content, pages, documents: of_file } in files {
            pages.iter().for_each(|page| tables.write(page).expect("the disk has room"));
            of_file.iter().for_each(|row| documents.write_row(name, row).expect("the disk has room"));
            let first = content.as_deref().map(|content| *first_of.entry(content).or_insert(name));
            scans.push(ScanRecord {
                scan: name,
                sha256: content.as_ref().map(|content| sha256(content.as_bytes())),
                pages: pages.len() as u64,
                copy_of: first.filter(|first| first != name),
            });
        }
        let identity = |template: &FormTemplate| {
            [("name", template.name.clone()), ("fingerprint", template.fingerprint().to_string())].into()
        };
        let record = Record {
            identity: sha256(b"reader").to_string(),
            version: "0",
            weights: "w",
            templates: templates.iter().map(identity).collect(),
            options: [("jobs", 1)].into(),
            files: files.len(),
            pages: scans.iter().map(|scan| scan.pages as usize).sum(),
            scans,
        };
        let text = serde_json::to_string_pretty(&record).expect("it is plain data") + "\n";
        fs::write(run_path(out), text).expect("the folder is writable");
        let mut files = vec![documents.finish().expect("the disk has room")];
        files.extend(tables.finish().expect("the disk has room"));
        commit_all(files).expect("the disk has room");
    }

    /// Writes `number` of these pages by chance.
    pub fn by_chance(seed: u64, n_forms: usize, n_files: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let templates: Vec<FormTemplate> = (0..n_forms).map(|i| template_by_chance(i, &mut rng)).collect();
        let mut files: Vec<File> = Vec::new();
        for i in 0..n_files {
            let name = match HARD_NAMES.get(i) {
                Some(name) => (*name).to_owned(),
                None => format!("batch-{}/{i:05}.tif", i % 7),
            };
            // some are copies of an earlier file
            if let Some(original) = files.iter().find(|file| file.content.is_some() && rng.random_ratio(1, 60)) {
                let mut copy = original.clone();
                copy.pages.iter_mut().for_each(|page| page.scan.clone_from(&name));
                files.push(File { name, ..copy });
                continue;
            }
            let is_open = rng.random_ratio(29, 30);
            let n_pages = if is_open { rng.random_range(1..4) } else { 1 };
            let page = |number: u32, rng: &mut ChaCha8Rng| {
                let template = &templates[rng.random_range(0..templates.len())];
                if is_open { page_by_chance(&name, number, template, rng) } else { unread_page(&name) }
            };
            let pages: Vec<PageRows> = (1..=n_pages).map(|number| page(number, &mut rng)).collect();
            let documents = if is_open && rng.random_bool(0.5) {
                let cells = ["tax, return", "incomplete", "1=1;2=2", "3", "", "?=4"].map(str::to_owned);
                vec![DocumentRow { cells }]
            } else {
                Vec::new()
            };
            files.push(File { content: is_open.then(|| format!("{seed} {i}")), name, pages, documents });
        }
        Self { templates, files, has_documents: true }
    }

    /// The field of the first page that is accepted and of this kind.
    pub fn first_accepted(&self, kind: &str) -> (usize, usize, usize) {
        for (i, file) in self.files.iter().enumerate() {
            for (j, page) in file.pages.iter().enumerate() {
                let template = self.templates.iter().find(|template| template.name == page.form);
                let is_wanted = |row: &FieldRow| {
                    let field = template.and_then(|template| template.fields.iter().find(|f| f.name == row.field));
                    row.state == "accepted" && field.is_some_and(|field| field.kind.as_str() == kind)
                };
                if let Some(k) = page.fields.iter().position(is_wanted) {
                    return (i, j, k);
                }
            }
        }
        panic!("no accepted field of kind {kind}");
    }
}

fn unread_page(scan: &str) -> PageRows {
    PageRows {
        scan: scan.to_owned(),
        page: 1,
        form: String::new(),
        verdict: Verdict::Rejected,
        attention: "unreadable".to_owned(),
        fields: Vec::new(),
        readings: Vec::new(),
    }
}

/// A form of up to ten fields of every kind; some names are those of other forms, one is longer than PostgreSQL keeps.
fn template_by_chance(number: usize, rng: &mut impl Rng) -> FormTemplate {
    let mut text = format!("name = \"form-{number}\"\ntitle = \"t\"\npage = [200, 300]\n");
    for i in 0..rng.random_range(1..10) {
        let name = match i {
            0 => format!("f{number}_{}", "long_".repeat(15)),
            _ => format!("Field_{i}"),
        };
        let at = format!("box = [10, {}, 100, 9]", 10 + 12 * i);
        let kind = match rng.random_range(0..7) {
            0 => format!("kind = \"integer\"\ndigits = [1, 6]\nsigned = true\n{at}"),
            1 => format!("kind = \"amount\"\nsigned = true\ndigits = [1, 9]\n{at}"),
            2 => format!("kind = \"amount\"\ndecimals = {}\n{at}", rng.random_range(0..5)),
            3 => format!("kind = \"code\"\n{at}"),
            4 => format!("kind = \"date\"\norder = \"dmy\"\n{at}"),
            5 => format!("kind = \"mark\"\nbox = [10, {}, 5, 5]", 10 + 12 * i),
            _ => format!("kind = \"integer\"\n{at}\nfillers = [\"cross\"]\nfillers_mean = \"0.5\""),
        };
        text += &format!("[[field]]\nname = \"{name}\"\n{kind}\n");
    }
    parse_template(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn page_by_chance(scan: &str, page: u32, template: &FormTemplate, rng: &mut impl Rng) -> PageRows {
    let mut rows = PageRows {
        scan: scan.to_owned(),
        page,
        form: template.name.clone(),
        verdict: Verdict::Accepted,
        attention: String::new(),
        fields: Vec::new(),
        readings: Vec::new(),
    };
    if rng.random_ratio(1, 12) {
        // a form that was recognised, and could not be read
        (rows.verdict, rows.attention) = (Verdict::Rejected, "poor-registration".to_owned());
        return rows;
    }
    for field in &template.fields {
        let value = value_by_chance(&field.kind, field.digits.max, field.fillers_mean.as_deref(), rng);
        let (state, value, guess, reason) = match rng.random_range(0..5) {
            0 => ("blank", String::new(), String::new(), ""),
            1 => {
                ("review", String::new(), ["5/34", "12 15", "?", ""][rng.random_range(0..4)].to_owned(), "not-a-number")
            }
            _ => ("accepted", value.clone(), value, ""),
        };
        rows.fields.push(FieldRow {
            field: field.name.clone(),
            state: state.to_owned(),
            value,
            guess,
            confidence: format!("{:.4}", f64::from(rng.random_range(0..=10_000)) / 10_000.0),
            reason: reason.to_owned(),
            bounds: std::array::from_fn(|_| rng.random_range(-50..5_000)),
        });
    }
    judge(&mut rows);
    rows
}

/// The verdict that follows from the fields.
pub fn judge(rows: &mut PageRows) {
    let open: Vec<&str> =
        rows.fields.iter().filter(|row| row.state == "review").map(|row| row.field.as_str()).collect();
    rows.attention = open.join(";");
    rows.verdict = if open.is_empty() { Verdict::Accepted } else { Verdict::Review };
}

fn value_by_chance(kind: &FieldKind, max_digits: usize, fillers_mean: Option<&str>, rng: &mut impl Rng) -> String {
    if let Some(meaning) = fillers_mean.filter(|_| rng.random_bool(0.3)) {
        return meaning.to_owned();
    }
    let n_digits = rng.random_range(1..=max_digits.min(14));
    let digits: String = (0..n_digits).map(|_| char::from(b'0' + rng.random_range(0..10u8))).collect();
    let number = |digits: &str| {
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
    };
    let sign = if rng.random_bool(0.3) { "-" } else { "" };
    match kind {
        FieldKind::Integer => match number(&digits) {
            zero if zero == "0" => zero,
            number => format!("{sign}{number}"),
        },
        FieldKind::Amount { decimals: 0, .. } => number(&digits),
        FieldKind::Amount { decimals, .. } => {
            let padded = format!("{digits:0>width$}", width = decimals + 1);
            let (whole, fraction) = padded.split_at(padded.len() - decimals);
            let sign = if padded.bytes().all(|byte| byte == b'0') { "" } else { sign };
            format!("{sign}{}.{fraction}", number(whole))
        }
        FieldKind::Code => digits,
        FieldKind::Date { .. } => {
            let (year, month, day) = (rng.random_range(0..3000), rng.random_range(1..13), rng.random_range(1..29));
            format!("{year:04}-{month:02}-{day:02}")
        }
        FieldKind::Mark { .. } => rng.random_range(0..2).to_string(),
        FieldKind::Choice { values, .. } => values[rng.random_range(0..values.len())].clone(),
    }
}
