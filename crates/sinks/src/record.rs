//! `OUT.run.json`, taken apart into a head and the list of scans, and put together again to the same bytes.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use formread_raster::{
    error::{Error, Format, Result},
    hash::{Sha256, sha256},
};

/// Between the head and the list of scans, which is the last key.
const SCANS: &str = ",\n  \"scans\": ";
/// The end of the record.
const END: &str = "\n}\n";

/// A scan of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Place in the run, from 0.
    pub position: u32,
    /// The `scan` column.
    pub name: String,
    /// SHA-256 of its content; `None` where it could not be opened.
    pub sha256: Option<Sha256>,
    /// Number of its pages, as the record of the run has it.
    pub pages: u64,
    /// Whether an earlier scan of the run has the same content, and so the same pages.
    pub is_copy: bool,
}

/// Begins the key of a scan that could not be opened: its name follows.
const UNOPENED: &str = "unopened:";

impl Scan {
    /// What its pages are filed under: the SHA-256 of the content. A scan that could not be opened has none, and is filed
    /// under its name.
    pub fn content(&self) -> String {
        match self.sha256 {
            Some(sha256) => sha256.to_string(),
            None => format!("{UNOPENED}{}", self.name),
        }
    }

    /// The SHA-256 of a key that [`Scan::content`] made, as text; empty where there is none.
    pub fn sha256_of(content: &str) -> &str {
        if content.starts_with(UNOPENED) { "" } else { content }
    }
}

/// One file of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScanRecord<'a> {
    /// Its name in the tables.
    pub scan: &'a str,
    /// SHA-256 of its content, 64 hexadecimal digits; empty if the file could not be opened.
    #[serde(serialize_with = "or_empty")]
    pub sha256: Option<Sha256>,
    /// Number of its rows in `OUT.csv`, at least 1.
    pub pages: u64,
    /// The first file with the same content, if that is another file: this one's rows are copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<&'a str>,
}

fn or_empty<S: Serializer>(sha256: &Option<Sha256>, serializer: S) -> Result<S::Ok, S::Error> {
    match sha256 {
        Some(sha256) => sha256.serialize(serializer),
        None => serializer.serialize_str(""),
    }
}

/// The record of a run without its scans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHead {
    /// JSON, as it is in `OUT.run.json`.
    pub text: String,
    /// The identity of the reader: SHA-256.
    pub identity: String,
    /// SHA-256 of the weights.
    pub weights: String,
    /// The templates, as JSON.
    pub templates: String,
    /// The options of reading, as JSON.
    pub options: String,
}

/// The record of a run.
#[derive(Debug, Clone)]
pub struct Record {
    /// SHA-256 of the text.
    pub key: Sha256,
    /// All but the scans.
    pub head: RecordHead,
    /// In the order of the run.
    pub scans: Vec<Scan>,
    /// Fingerprints of the templates by name.
    pub templates: HashMap<String, String>,
}

#[derive(Deserialize)]
struct ParsedHead {
    identity: String,
    weights: String,
    templates: Vec<Value>,
    options: Value,
}

#[derive(Deserialize)]
struct ParsedScan {
    scan: String,
    sha256: String,
    pages: u64,
    copy_of: Option<String>,
}

impl RecordHead {
    /// # Errors
    /// `Format` where it is not the head of a record.
    pub fn parse(text: &str) -> Result<Self> {
        let ParsedHead { identity, weights, templates, options } = parsed(text)?;
        let (templates, options) = (Value::from(templates).to_string(), options.to_string());
        Ok(Self { text: text.to_owned(), identity, weights, templates, options })
    }

    /// The record with these scans: their names, contents and numbers of pages.
    ///
    /// # Errors
    /// `Internal` where JSON cannot express them.
    pub fn with_scans(&self, scans: &[Scan]) -> Result<String> {
        let mut first_of: HashMap<Sha256, &str> = HashMap::new();
        let records = scans.iter().map(|Scan { name, sha256, pages, .. }| {
            let first = sha256.map(|sha256| *first_of.entry(sha256).or_insert(name));
            ScanRecord { scan: name, sha256: *sha256, pages: *pages, copy_of: first.filter(|first| first != name) }
        });
        let list = serde_json::to_string_pretty(&records.collect::<Vec<_>>()).map_err(Error::internal)?;
        // no text of JSON has a line end
        let list = list.replace('\n', "\n  ");
        Ok([self.text.trim_end_matches(END.trim_end()), SCANS, &list, END].concat())
    }
}

impl Record {
    /// # Errors
    /// `Format` where it is not a record as a run writes it.
    pub fn parse(text: &str) -> Result<Self> {
        let broken = || Error::format(Format::RunRecord, "it is not as a run wrote it");
        let (head, list) = text.rsplit_once(SCANS).ok_or_else(broken)?;
        let head = RecordHead::parse(&format!("{head}{}", END.trim_end()))?;
        let list: Vec<ParsedScan> = parsed(list.strip_suffix(END).ok_or_else(broken)?)?;
        let mut contents = HashSet::new();
        let mut scans = Vec::with_capacity(list.len());
        for (position, ParsedScan { scan: name, sha256, pages, copy_of }) in (0..).zip(list) {
            let sha256 = if sha256.is_empty() { None } else { Some(hash_of(&sha256)?) };
            let is_copy = sha256.is_some_and(|sha256| !contents.insert(sha256));
            if copy_of.is_some() != is_copy {
                return Err(broken());
            }
            scans.push(Scan { position, name, sha256, pages, is_copy });
        }
        let templates: Vec<Value> = parsed(&head.templates)?;
        let word = |template: &Value, key: &str| template[key].as_str().unwrap_or_default().to_owned();
        let templates = templates.iter().map(|template| (word(template, "name"), word(template, "fingerprint")));
        Ok(Self { key: sha256(text.as_bytes()), templates: templates.collect(), head, scans })
    }
}

/// A SHA-256 from its 64 digits.
///
/// # Errors
/// `Format` where it is none.
pub fn hash_of(text: &str) -> Result<Sha256> {
    serde_json::from_value(Value::from(text)).map_err(|error| Error::format(Format::RunRecord, error))
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::format(Format::RunRecord, error))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A record of these scans: name, content, pages. Scans without a content could not be opened.
    pub fn record_of(scans: &[(&str, &str, u64)]) -> String {
        let head = "{\n  \"identity\": \"i\",\n  \"weights\": \"w\",\n  \"templates\": [],\n  \"options\": {},\n  \"pages\": 2\n}";
        let scans: Vec<Scan> = scans
            .iter()
            .map(|&(name, content, pages)| Scan {
                position: 0,
                name: name.to_owned(),
                sha256: (!content.is_empty()).then(|| sha256(content.as_bytes())),
                pages,
                is_copy: false,
            })
            .collect();
        RecordHead::parse(head).and_then(|head| head.with_scans(&scans)).expect("it is a record")
    }

    #[test]
    fn record_taken_apart_and_put_together_has_the_same_bytes() {
        for scans in
            [&[][..], &[("a\n.tif", "x", 3), ("b", "", 1), ("copy.tif", "x", 3), ("\",\n  \"scans\": ", "y", 1)]]
        {
            let text = record_of(scans);
            let record = Record::parse(&text).expect("it was written so");
            assert_eq!(record.head.with_scans(&record.scans).expect("it can be written"), text);
            let copies: Vec<bool> = record.scans.iter().map(|scan| scan.is_copy).collect();
            assert_eq!(copies, [false, false, true, false][..copies.len()]);
        }
        assert!(Record::parse("{}").is_err());
        let forged = record_of(&[("a", "x", 1), ("b", "x", 1)]).replace("\"copy_of\": \"a\"", "\"copy_of\": null");
        assert!(Record::parse(&forged).is_err(), "a copy that is none");
    }
}
