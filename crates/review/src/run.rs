//! The finished run that is reviewed: its record, and the readings of its pages.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;

use crate::solve::Rules;
use formread_core::{
    assemble::{AcceptParams, AcceptTable, PageRecord, RuleParams},
    form::FormTemplate,
    rows::PageRows,
};
use formread_raster::{
    error::{Error, Format, Result},
    fsio::open_bounded,
    hash::{Sha256, sha256_of},
};

/// Largest record of a run that is read, bytes.
const MAX_RECORD_BYTES: u64 = 2 << 30;

/// The files of a run that review reads.
#[derive(Debug, Clone, Copy)]
pub struct RunPaths<'a> {
    /// `OUT.run.json`.
    pub record: &'a Path,
    /// `OUT.readings.jsonl`.
    pub readings: &'a Path,
}

/// A run.
#[derive(Debug)]
pub struct Run {
    /// Of the reader, from `OUT.run.json`.
    pub identity: Sha256,
    /// How its rules were solved.
    pub rules: Rules,
    documents: Vec<Document>,
    file: Mutex<File>,
    name: String,
}

/// A scan file.
#[derive(Debug, Clone)]
struct Document {
    scan: String,
    /// The first file of the same content, if that is another one.
    copy_of: Option<u32>,
    /// Of its content; `None` where it could not be read.
    sha256: Option<Sha256>,
    /// Where its pages are among the readings.
    offset: u64,
    bytes: u64,
}

#[derive(Deserialize)]
struct Record {
    identity: Sha256,
    templates: Vec<TemplateRecord>,
    options: OptionsRecord,
    scans: Vec<ScanRecord>,
}

#[derive(Deserialize)]
struct TemplateRecord {
    name: String,
    fingerprint: Sha256,
}

#[derive(Deserialize)]
struct OptionsRecord {
    accept: AcceptRecord,
}

#[derive(Deserialize)]
struct AcceptRecord {
    otherwise: LevelRecord,
    by_field: BTreeMap<String, BTreeMap<String, LevelRecord>>,
}

/// JSON has no infinity: a level that nothing reaches is `null`.
#[derive(Deserialize)]
struct LevelRecord {
    min_confidence: Option<f64>,
    min_confidence_corrected: Option<f64>,
}

#[derive(Deserialize)]
struct ScanRecord {
    scan: String,
    sha256: Option<Sha256>,
    pages: u64,
    copy_of: Option<String>,
}

impl LevelRecord {
    fn level(&self) -> AcceptParams {
        let level = |stored: Option<f64>| stored.unwrap_or(f64::INFINITY);
        AcceptParams {
            min_confidence: level(self.min_confidence),
            min_confidence_corrected: level(self.min_confidence_corrected),
        }
    }
}

impl AcceptRecord {
    fn table(&self) -> AcceptTable {
        let of_form = |(form, fields): (&String, &BTreeMap<String, LevelRecord>)| {
            (form.clone(), fields.iter().map(|(field, level)| (field.clone(), level.level())).collect())
        };
        AcceptTable { otherwise: self.otherwise.level(), by_field: self.by_field.iter().map(of_form).collect() }
    }
}

impl Run {
    /// Opens a run. `known` are templates among which those of the run are; `visit` gets each file, in order: its index, whether it is a
    /// copy, and its pages.
    ///
    /// # Errors
    /// `Usage` where a template of the run is not known as it was; `Format` where a file is none of a run, or both are not of
    /// the same one.
    pub fn open(
        paths: RunPaths<'_>,
        known: Vec<FormTemplate>,
        mut visit: impl FnMut(u32, bool, &[PageRows], &Rules) -> Result<()>,
    ) -> Result<Self> {
        let name = paths.readings.to_string_lossy().into_owned();
        let record: Record = read_record(paths)?;
        let (accept, params) = (record.options.accept.table(), RuleParams::default());
        let rules = Rules { templates: templates_of(&record.templates, known)?, accept, params };
        let at = |error: Error| error.in_file(name.clone());
        let file = File::open(paths.readings).map_err(|error| at(error.into()))?;
        let mut run = Self { identity: record.identity, rules, documents: Vec::new(), file: Mutex::new(file), name };
        run.read_all(record.scans, &mut visit)?;
        Ok(run)
    }

    fn read_all(
        &mut self,
        scans: Vec<ScanRecord>,
        visit: &mut impl FnMut(u32, bool, &[PageRows], &Rules) -> Result<()>,
    ) -> Result<()> {
        let file =
            self.file.lock().unwrap_or_else(PoisonError::into_inner).try_clone().map_err(|error| self.at(error))?;
        let mut reader = BufReader::new(file);
        reader.seek(SeekFrom::Start(0)).map_err(|error| self.at(error))?;
        let mut first_of = HashMap::new();
        let (mut offset, mut line) = (0, Vec::new());
        for ScanRecord { scan, sha256, pages: n_pages, copy_of } in scans {
            let start = offset;
            let mut pages = Vec::new();
            for _ in 0..n_pages {
                line.clear();
                offset += reader.read_until(b'\n', &mut line).map_err(|error| self.at(error))? as u64;
                let page: PageRows = serde_json::from_slice(&line).map_err(|error| self.malformed(error))?;
                if page.scan != scan {
                    return Err(self.malformed(format!("a page of {} where one of {scan} is due", page.scan)));
                }
                pages.push(page);
            }
            let idx = self.documents.len() as u32;
            let copy_of = copy_of.and_then(|first| first_of.get(&first).copied());
            first_of.insert(scan.clone(), idx);
            self.documents.push(Document { scan, copy_of, sha256, offset: start, bytes: offset - start });
            visit(idx, copy_of.is_some(), &pages, &self.rules)?;
        }
        line.clear();
        match reader.read_until(b'\n', &mut line).map_err(|error| self.at(error))? {
            0 => Ok(()),
            _ => Err(self.malformed("it has more pages than the run")),
        }
    }

    /// Number of files.
    pub fn n_documents(&self) -> u32 {
        self.documents.len() as u32
    }

    /// The name of a file, and of its first copy: its answers count for all copies.
    pub fn scan(&self, document: u32) -> (&str, u32) {
        let of = &self.documents[document as usize];
        (&of.scan, of.copy_of.unwrap_or(document))
    }

    /// Of the content of a file; `None` where it could not be read.
    pub fn sha256(&self, document: u32) -> Option<Sha256> {
        self.documents[document as usize].sha256
    }

    /// The pages of a file.
    ///
    /// # Errors
    /// `Format`, `Io` where they cannot be read.
    pub fn pages(&self, document: u32) -> Result<Vec<PageRows>> {
        let Document { offset, bytes, .. } = self.documents[document as usize];
        let mut text = Vec::new();
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(offset)).map_err(|error| self.at(error))?;
            (&mut *file).take(bytes).read_to_end(&mut text).map_err(|error| self.at(error))?;
        }
        let pages = serde_json::Deserializer::from_slice(&text).into_iter();
        pages.collect::<Result<_, _>>().map_err(|error| self.malformed(error))
    }

    fn at(&self, error: std::io::Error) -> Error {
        Error::from(error).in_file(self.name.clone())
    }

    fn malformed(&self, detail: impl std::fmt::Display) -> Error {
        Error::format(Format::Readings, detail).in_file(self.name.clone())
    }
}

fn read_record<T: for<'de> Deserialize<'de>>(paths: RunPaths<'_>) -> Result<T> {
    let at = |error: Error| error.in_file(paths.record.to_string_lossy());
    let file = open_bounded(paths.record, MAX_RECORD_BYTES).map_err(at)?;
    serde_json::from_reader(BufReader::new(file)).map_err(|error| at(Error::format(Format::RunRecord, error)))
}

/// What binds a review to a run: the identity of its reader, and the SHA-256 of its readings.
///
/// # Errors
/// Where one of its files cannot be read.
pub fn identities(paths: RunPaths<'_>) -> Result<(Sha256, Sha256)> {
    #[derive(Deserialize)]
    struct Identity {
        identity: Sha256,
    }
    let Identity { identity } = read_record(paths)?;
    let at = |error: std::io::Error| {
        let error = Error::from(error).in_file(paths.readings.to_string_lossy());
        error.with_hint("formread run writes it since version 0.4: read the scans again")
    };
    Ok((identity, sha256_of(File::open(paths.readings).map_err(at)?).map_err(at)?))
}

/// The records of the pages of a file.
///
/// # Errors
/// `Format` where a word is none of this program's.
pub fn records(pages: &[PageRows]) -> Result<Vec<PageRecord>> {
    let record = |page: &PageRows| {
        page.record().ok_or_else(|| {
            Error::format(Format::Readings, format!("{} page {}: an unknown word", page.scan, page.page))
        })
    };
    pages.iter().map(record).collect()
}

/// The templates of a run among `known`, in its order.
fn templates_of(wanted: &[TemplateRecord], known: Vec<FormTemplate>) -> Result<Vec<FormTemplate>> {
    let mut known: Vec<Option<FormTemplate>> = known.into_iter().map(Some).collect();
    let mut find = |TemplateRecord { name, fingerprint }: &TemplateRecord| {
        let is_it = |template: &FormTemplate| template.name == *name && template.fingerprint() == *fingerprint;
        let found = known.iter_mut().find(|known| known.as_ref().is_some_and(is_it)).and_then(Option::take);
        found.ok_or_else(|| {
            let error = Error::usage(format!(
                "the run was made with another template of this name, or with one that is not given: {name}"
            ));
            error.with_hint("give the templates of the run with --pipeline")
        })
    };
    wanted.iter().map(&mut find).collect()
}
