//! A deck on disk: scans and their truth.

use std::{fs, path::Path};

use rayon::prelude::*;

use super::{GlyphStock, ScanFormat, SynthOptions, encode_scan, synthesise};
use crate::{
    error::{Error, Result},
    form::FormTemplate,
    train::dataset::read_folder,
};

/// The glyphs in `folder`: MNIST's IDX files, or `<class>/` or `<writer>/<class>/` folders of images. Where a source sets
/// glyphs apart for testing (MNIST's `t10k`), a deck is written with those, so that what was trained on is not tested on.
///
/// # Errors
/// `Usage` where there are none, or some digit is missing; `Format`, `Limit` or `Io` of a file, with its path.
pub fn read_glyphs(folder: &Path) -> Result<GlyphStock> {
    let found = read_folder(folder)?;
    let samples = found.test.or(found.train).map_or(Vec::new(), |set| set.samples);
    GlyphStock::new(samples.into_iter().map(|sample| (sample.ink, sample.digit, sample.writer)))
}

/// How a deck is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeckOptions {
    /// How many pages. Default 10.
    pub n_pages: u64,
    /// Format of the files. Default PNG.
    pub format: ScanFormat,
    /// Pages a file; more than 1 in TIFF alone. Default 1.
    pub pages_per_file: u64,
}

impl Default for DeckOptions {
    fn default() -> Self {
        Self { n_pages: 10, format: ScanFormat::Png, pages_per_file: 1 }
    }
}

/// Draws a deck into `folder`, which is made where it is missing: scans `page-0001.png` and so on (`file-0001.tif` where
/// a file has several pages) and `truth.csv` with the columns `scan,page` and one a field. In it an empty cell is a
/// blank field, `!` one that is off the page, `?` one that is cut off in part. `on_page` is called once for each
/// page done, from any worker.
///
/// # Errors
/// `Usage` where an option is out of its range; `Io` where a file cannot be written, with its path.
pub fn write_deck(
    template: &FormTemplate,
    glyphs: &GlyphStock,
    options: &SynthOptions,
    deck: &DeckOptions,
    folder: &Path,
    on_page: impl Fn() + Sync,
) -> Result<()> {
    options.check()?;
    if deck.pages_per_file == 0 || (deck.pages_per_file > 1 && !deck.format.is_multi_page()) {
        let (n, format) = (deck.pages_per_file, deck.format.extension());
        return Err(Error::usage(format!("pages a file in {format}: {n}\nhint: more than one needs tif")));
    }
    let in_folder = |error: std::io::Error| Error::from(error).in_file(folder.display().to_string());
    fs::create_dir_all(folder).map_err(in_folder)?;

    let n_files = deck.n_pages.div_ceil(deck.pages_per_file);
    let width = n_files.max(1).to_string().len().max(4);
    let stem = if deck.pages_per_file > 1 { "file" } else { "page" };
    let write_file = |file_idx: u64| -> Result<Vec<Vec<String>>> {
        let name = format!("{stem}-{:0width$}.{}", file_idx + 1, deck.format.extension());
        let first = file_idx * deck.pages_per_file;
        let mut rows = Vec::new();
        let mut images = Vec::new();
        for page_idx in first..(first + deck.pages_per_file).min(deck.n_pages) {
            let page = synthesise(template, glyphs, options, page_idx)?;
            let mut row = vec![name.clone(), (page_idx - first + 1).to_string()];
            row.extend(page.truth.into_iter().map(|field| field.value));
            rows.push(row);
            images.push(page.image);
            on_page();
        }
        let path = folder.join(&name);
        let bytes = encode_scan(&images, deck.format, options.dpi)?;
        fs::write(&path, bytes).map_err(|error| Error::from(error).in_file(path.display().to_string()))?;
        Ok(rows)
    };
    let rows: Vec<Vec<Vec<String>>> = (0..n_files).into_par_iter().map(write_file).collect::<Result<_>>()?;

    let header = ["scan", "page"].into_iter().chain(template.fields.iter().map(|field| field.name.as_str()));
    let mut table = csv::Writer::from_writer(Vec::new());
    let written =
        table.write_record(header).and_then(|()| rows.iter().flatten().try_for_each(|row| table.write_record(row)));
    written.map_err(|error| Error::from(std::io::Error::other(error)))?;
    let bytes = table.into_inner().map_err(|error| Error::from(std::io::Error::other(error.to_string())))?;
    let path = folder.join("truth.csv");
    fs::write(&path, bytes).map_err(|error| Error::from(error).in_file(path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::tests::{bars, template};

    #[test]
    fn a_deck_is_the_same_twice_and_has_its_truth() {
        let strip = template("strip");
        let options = SynthOptions { dpi: 75.0, blanks: 0.0, ..SynthOptions::default() };
        let deck = DeckOptions { n_pages: 5, format: ScanFormat::TiffBilevel, pages_per_file: 2 };
        let draw = || {
            let folder = tempfile::tempdir().expect("there is room for a few small files");
            write_deck(&strip, &bars(), &options, &deck, folder.path(), || ()).expect("the options are good");
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
    fn several_pages_a_file_need_tiff() {
        let strip = template("strip");
        let deck = DeckOptions { pages_per_file: 2, ..DeckOptions::default() };
        let folder = Path::new("never made");
        let error =
            write_deck(&strip, &bars(), &SynthOptions::default(), &deck, folder, || ()).expect_err("png has one");
        assert!(error.to_string().contains("pages a file in png: 2"), "{error}");
    }
}
