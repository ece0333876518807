//! Writes a deck to disk: scans and their truth.

use std::{fs, path::Path};

use image::GrayImage;
use rayon::prelude::*;

use super::{GlyphStock, HostileMark, ScanFormat, SynthOptions, SynthPage, encode_scan, synthesise_document};
use crate::dataset::read_folder;
use formread_core::form::FormTemplate;
use formread_raster::error::{Error, Result};

/// Reads the glyphs in `folder`: MNIST's IDX files, or `<class>/` or `<writer>/<class>/` folders of images. If the source
/// reserves glyphs for testing (MNIST's `t10k`), only those are used, so that no deck contains glyphs used in training.
///
/// # Errors
/// `Usage` if there are none or a digit is missing; `Format`, `Limit` or `Io` with the path of the file.
pub fn read_glyphs(folder: &Path) -> Result<GlyphStock> {
    let found = read_folder(folder)?;
    let samples = found.test.or(found.train).map_or(Vec::new(), |set| set.samples);
    GlyphStock::new(samples.into_iter().map(|sample| (sample.ink, sample.digit, sample.writer)))
}

/// Largest difference between the proportions of a blank and of its template, as a share.
const MAX_STRETCH: f64 = 0.01;

/// How a deck is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeckOptions {
    /// Number of pages; for documents of several pages a multiple of their number of pages. Default 10.
    pub n_pages: u64,
    /// Format of the files. Default PNG.
    pub format: ScanFormat,
    /// Pages per file; more than 1 only in TIFF; for documents of several pages a multiple of their number of pages.
    /// Default 1.
    pub pages_per_file: u64,
    /// Pictures of the blank pages to write on, one for each template. Default none: what the templates declare is printed.
    pub prints: Vec<GrayImage>,
}

impl Default for DeckOptions {
    fn default() -> Self {
        Self { n_pages: 10, format: ScanFormat::Png, pages_per_file: 1, prints: Vec::new() }
    }
}

/// Draws a deck into `folder`, which is created if it is missing. It writes scans `page-0001.png` and so on
/// (`file-0001.tif` with several pages per file) and `truth.csv` with the columns `scan,page` and one column for each
/// field. An empty cell is a blank field; `!` is a field off the page, or with hostile writing that is no value; `?` is a field
/// that is cut off in part, or not on this page of a document, or whose number may be void or hidden. With hostile writing it
/// also writes `hostile.csv` with the columns `scan,page,field,kind`: a row for each field with such writing or touched by
/// it, and a row without a field for ink over the page. Several `templates` are the pages of a document, in order. `on_page` is called once for each
/// page done, from any worker.
///
/// # Errors
/// `Usage` if an option is out of range; `Io` with the path if a file cannot be written.
pub fn write_deck(
    templates: &[FormTemplate],
    glyphs: &GlyphStock,
    options: &SynthOptions,
    deck: &DeckOptions,
    folder: &Path,
    on_page: impl Fn() + Sync,
) -> Result<()> {
    options.check()?;
    if deck.pages_per_file == 0 || (deck.pages_per_file > 1 && !deck.format.is_multi_page()) {
        let (n, format) = (deck.pages_per_file, deck.format.extension());
        return Err(Error::usage(format!("pages per file in {format}: {n}")).with_hint("more than one page needs tif"));
    }
    if templates.is_empty() {
        return Err(Error::usage("no template given"));
    }
    check_prints(templates, &deck.prints)?;
    let n_document_pages = templates.len() as u64;
    for (what, n) in [("pages", deck.n_pages), ("pages per file", deck.pages_per_file)] {
        if !n.is_multiple_of(n_document_pages) {
            return Err(Error::usage(format!("{what}: {n}"))
                .with_hint(format!("use a multiple of {n_document_pages}, the pages of a document")));
        }
    }
    let in_folder = |error: std::io::Error| Error::from(error).in_file(folder.display().to_string());
    fs::create_dir_all(folder).map_err(in_folder)?;

    let mut columns: Vec<&str> = Vec::new();
    for field in templates.iter().flat_map(|template| &template.fields) {
        if !columns.contains(&field.name.as_str()) {
            columns.push(&field.name);
        }
    }
    let n_files = deck.n_pages.div_ceil(deck.pages_per_file);
    let width = n_files.max(1).to_string().len().max(4);
    let stem = if deck.pages_per_file > 1 { "file" } else { "page" };
    let write_file = |file_idx: u64| -> Result<(Vec<Row>, Vec<Row>)> {
        let name = format!("{stem}-{:0width$}.{}", file_idx + 1, deck.format.extension());
        let first = file_idx * deck.pages_per_file;
        let (mut rows, mut marks) = (Vec::new(), Vec::new());
        let mut images = Vec::new();
        let last = (first + deck.pages_per_file).min(deck.n_pages);
        for document_idx in first / n_document_pages..last / n_document_pages {
            for SynthPage { image, truth, hostile, .. } in
                synthesise_document(templates, &deck.prints, glyphs, options, document_idx)?
            {
                let value = |column: &&str| truth.iter().find(|field| field.name == **column).map(|field| &field.value);
                let values = columns.iter().map(|column| value(column).cloned().unwrap_or_else(|| "?".to_owned()));
                let page = [name.clone(), (rows.len() + 1).to_string()];
                marks.extend(hostile.into_iter().map(|HostileMark { field, kind }| {
                    page.iter().cloned().chain([field.unwrap_or_default(), kind.as_str().to_owned()]).collect()
                }));
                rows.push(page.into_iter().chain(values).collect());
                images.push(image);
                on_page();
            }
        }
        let path = folder.join(&name);
        let bytes = encode_scan(&images, deck.format, options.dpi)?;
        fs::write(&path, bytes).map_err(|error| Error::from(error).in_file(path.display().to_string()))?;
        Ok((rows, marks))
    };
    let files: Vec<(Vec<Row>, Vec<Row>)> = (0..n_files).into_par_iter().map(write_file).collect::<Result<_>>()?;

    let header: Vec<&str> = ["scan", "page"].into_iter().chain(columns).collect();
    write_table(&folder.join("truth.csv"), &header, files.iter().flat_map(|(rows, _)| rows))?;
    if options.hostile > 0.0 {
        let header = ["scan", "page", "field", "kind"];
        write_table(&folder.join("hostile.csv"), &header, files.iter().flat_map(|(_, marks)| marks))?;
    }
    Ok(())
}

/// Checks that there is a blank for each template, of its proportions.
fn check_prints(templates: &[FormTemplate], prints: &[GrayImage]) -> Result<()> {
    if !prints.is_empty() && prints.len() != templates.len() {
        let (n, n_templates) = (prints.len(), templates.len());
        return Err(Error::usage(format!("blank pages: {n}; templates: {n_templates}"))
            .with_hint("give a blank page for each template, in the same order"));
    }
    for (template, print) in templates.iter().zip(prints) {
        let bounds = template.bounds();
        let proportions = f64::from(print.width()) / f64::from(print.height().max(1));
        if (proportions * bounds.height() / bounds.width() - 1.0).abs() > MAX_STRETCH {
            return Err(Error::usage(format!("the blank has other proportions than its template: {}", template.name))
                .with_hint("cut it at the edges of the paper"));
        }
    }
    Ok(())
}

/// A row of a table.
type Row = Vec<String>;

fn write_table<'a>(path: &Path, header: &[&str], rows: impl Iterator<Item = &'a Row>) -> Result<()> {
    let mut rows = rows;
    let mut table = csv::Writer::from_writer(Vec::new());
    let written = table.write_record(header).and_then(|()| rows.try_for_each(|row| table.write_record(row)));
    written.map_err(|error| Error::from(std::io::Error::other(error)))?;
    let bytes = table.into_inner().map_err(|error| Error::from(std::io::Error::other(error.to_string())))?;
    fs::write(path, bytes).map_err(|error| Error::from(error).in_file(path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::tests::{bars, template};
    use formread_core::form::parse_template;

    #[test]
    fn deck_with_the_same_options_has_the_same_bytes_and_its_truth() {
        let strip = template("strip");
        let options = SynthOptions { dpi: 75.0, blanks: 0.0, ..SynthOptions::default() };
        let deck =
            DeckOptions { n_pages: 5, format: ScanFormat::TiffBilevel, pages_per_file: 2, ..DeckOptions::default() };
        let draw = || {
            let folder = tempfile::tempdir().expect("there is room for a few small files");
            write_deck(std::slice::from_ref(&strip), &bars(), &options, &deck, folder.path(), || ())
                .expect("the options are good");
            let mut names: Vec<_> = fs::read_dir(folder.path())
                .expect("it was just made")
                .map(|entry| entry.expect("it can be listed").path())
                .collect();
            names.sort();
            let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
            names.iter().map(|path| (name(path), fs::read(path).expect("it was just written"))).collect::<Vec<_>>()
        };
        let files = draw();
        assert_eq!(files, draw());
        let names: Vec<_> = files.iter().filter_map(|(name, _)| name.as_deref()).collect();
        assert_eq!(names, ["file-0001.tif", "file-0002.tif", "file-0003.tif", "truth.csv"]);

        let truth = String::from_utf8(files[3].1.clone()).expect("it is text");
        let lines: Vec<&str> = truth.lines().collect();
        assert_eq!((lines.len(), lines[0]), (6, "scan,page,digits"));
        assert!(lines[4].starts_with("file-0002.tif,2,") && lines[5].starts_with("file-0003.tif,1,"), "{truth}");
    }

    #[test]
    fn document_keeps_rules_across_pages_and_is_in_one_file() {
        let form = |name: &str, rules: &str, fields: [&str; 3]| {
            let head = format!("name = \"{name}\"\ntitle = \"t\"\npage = [100, 80]\nrules = [{rules}]\n");
            let field = |(i, field): (usize, &&str)| {
                let y = 10 + 20 * i;
                let kind = if field.ends_with("id") {
                    "kind = \"code\"\ndigits = 9"
                } else {
                    "kind = \"integer\"\ndigits = [1, 5]"
                };
                format!("[[field]]\nname = \"{field}\"\n{kind}\nbox = [10, {y}, 50, 9]\n")
            };
            let fields: String = fields.iter().enumerate().map(field).collect();
            parse_template(&(head + &fields)).expect("it is well formed")
        };
        let templates = [
            form("cover", "\"sum = own + sheet.total\", \"own > other.x\"", ["id", "own", "sum"]),
            form("sheet", "\"total = 2 * item\", \"again_id = cover.id\"", ["item", "total", "again_id"]),
        ];
        let options = SynthOptions { dpi: 75.0, blanks: 0.0, ..SynthOptions::default() };
        let folder = tempfile::tempdir().expect("there is room for a few small files");
        let draw = |n_pages, pages_per_file| {
            let deck =
                DeckOptions { n_pages, format: ScanFormat::TiffBilevel, pages_per_file, ..DeckOptions::default() };
            write_deck(&templates, &bars(), &options, &deck, folder.path(), || ())
        };
        draw(6, 2).expect("the options are good");
        let truth = fs::read_to_string(folder.path().join("truth.csv")).expect("it was written");
        let rows: Vec<Vec<&str>> = truth.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!((rows.len(), &rows[0][2..]), (7, &["id", "own", "sum", "item", "total", "again_id"][..]));
        for (n, two) in (1..).zip(rows[1..].chunks(2)) {
            let [[scan, "1", id, own, sum, "?", "?", "?"], [other, "2", "?", "?", "?", item, total, again]] =
                [&two[0][..], &two[1][..]]
            else {
                panic!("{truth}")
            };
            assert_eq!((*scan, *other, *again), (format!("file-000{n}.tif").as_str(), *scan, *id));
            let [own, sum, item, total] =
                [own, sum, item, total].map(|text| text.parse::<u64>().expect("it is no blank"));
            assert_eq!((total, sum), (2 * item, own + total));
        }
        for (n_pages, pages_per_file, message) in
            [(5, 2, "pages: 5\nhint: use a multiple of 2"), (6, 3, "pages per file: 3\n")]
        {
            let error = draw(n_pages, pages_per_file).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
        let none = write_deck(&[], &bars(), &options, &DeckOptions::default(), folder.path(), || ())
            .expect_err("there is no template");
        assert!(none.to_string().contains("no template"), "{none}");
    }

    #[test]
    fn hostile_deck_lists_each_hostile_field_with_its_kind() {
        let form = template("tax-return");
        let deck = DeckOptions { n_pages: 3, ..DeckOptions::default() };
        let folder = tempfile::tempdir().expect("there is room for a few small files");
        let draw = |hostile| {
            let options = SynthOptions { dpi: 75.0, hostile, ..SynthOptions::default() };
            write_deck(std::slice::from_ref(&form), &bars(), &options, &deck, folder.path(), || ())
                .expect("the options are good");
            fs::read_to_string(folder.path().join("truth.csv")).expect("it was written")
        };
        let plain = draw(0.0);
        assert!(!folder.path().join("hostile.csv").exists());
        let truth = draw(0.5);
        let table = fs::read_to_string(folder.path().join("hostile.csv")).expect("it was written");
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(rows[0], ["scan", "page", "field", "kind"]);
        assert!(rows.len() > 15, "{table}");
        let columns: Vec<&str> = plain.lines().next().expect("it has a header").split(',').collect();
        for (before, after) in plain.lines().zip(truth.lines()).skip(1) {
            let pairs = before.split(',').zip(after.split(',')).zip(&columns).filter(|((b, a), _)| b != a);
            for (_, column) in pairs {
                let scan = after.split(',').next().expect("it has a scan");
                assert!(rows.iter().any(|row| row[0] == scan && row[2] == *column), "{scan} {column}");
            }
        }
    }

    #[test]
    fn several_pages_per_file_need_tiff() {
        let strip = template("strip");
        let deck = DeckOptions { pages_per_file: 2, ..DeckOptions::default() };
        let folder = Path::new("never made");
        let error = write_deck(std::slice::from_ref(&strip), &bars(), &SynthOptions::default(), &deck, folder, || ())
            .expect_err("png has one");
        assert!(error.to_string().contains("pages per file in png: 2"), "{error}");
    }
}
