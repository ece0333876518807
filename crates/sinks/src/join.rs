//! Rows of three tables that are in the same order -> calls of a sink. The tables must agree with each other: what is sent is
//! what a dump writes again.

use std::collections::{HashMap, HashSet};

use csv::StringRecord;

use formread_core::rows::{FieldRow, PageRows, Verdict};
use formread_raster::error::{Error, Format, Result};

use crate::{
    record::Scan,
    rows::{DocumentRow, Sink, digest},
};

/// Columns of the table of pages before those of the fields.
const N_PAGE_COLUMNS: usize = 5;

/// Rows with the columns of a CSV table.
pub type Rows<'a> = Box<dyn Iterator<Item = Result<StringRecord>> + 'a>;

/// The tables of a run.
pub struct RunTables<'a> {
    /// The columns of fields in the table of pages.
    pub columns: &'a [String],
    /// Rows as in `OUT.csv`, or only their first five cells.
    pub pages: Rows<'a>,
    /// Rows as in `OUT.fields.csv`.
    pub fields: Rows<'a>,
    /// Rows as in `OUT.documents.csv`.
    pub documents: Option<Rows<'a>>,
}

impl RunTables<'_> {
    /// Sends all rows of these scans to `sink`.
    ///
    /// # Errors
    /// `Format` where the tables differ from each other or from the scans; `Usage` where scans of the same content differ; whatever
    /// the sink fails with.
    pub fn send(self, scans: &[Scan], sink: &mut dyn Sink) -> Result<()> {
        let Self { columns, mut pages, fields, documents } = self;
        let mut fields = Table::new(fields)?;
        let mut documents = documents.map(Table::new).transpose()?;
        let copied: HashSet<String> = scans.iter().filter(|scan| scan.is_copy).map(Scan::content).collect();
        let mut digests: HashMap<(String, u64), String> = HashMap::new();
        for scan in scans {
            sink.scan(scan)?;
            let content = Some(scan.content()).filter(|content| copied.contains(content));
            for number in 1..=scan.pages {
                let rows = page_of(scan, number, &mut pages, &mut fields, columns)?;
                if let Some(content) = &content {
                    let digest = digest(&rows);
                    if *digests.entry((content.clone(), number)).or_insert_with(|| digest.clone()) != digest {
                        let message = format!("files of the same content differ: {}, page {number}", scan.name);
                        return Err(Error::usage(message).with_hint("settle the same values on all of them"));
                    }
                }
                sink.page(&rows)?;
            }
            while let Some(row) = documents.as_mut().map(|table| table.next_of(&[&scan.name])).transpose()?.flatten() {
                let cell = |i: usize| row.get(i).unwrap_or_default().to_owned();
                sink.document(&DocumentRow { cells: std::array::from_fn(|i| cell(i + 1)) })?;
            }
        }
        if pages.next().is_some() || fields.next.is_some() || documents.is_some_and(|table| table.next.is_some()) {
            return Err(Error::format(Format::Table, "rows of pages that the record of the run does not have"));
        }
        Ok(())
    }
}

/// Page `number` of `scan`, with its fields.
fn page_of(
    scan: &Scan,
    number: u64,
    pages: &mut Rows<'_>,
    fields: &mut Table<'_>,
    columns: &[String],
) -> Result<PageRows> {
    let broken = |detail: String| Error::format(Format::PageTable, format!("{}, page {number}: {detail}", scan.name));
    let row = pages.next().transpose()?;
    let row = row.ok_or_else(|| broken("it is missing".to_owned()))?;
    let cell = |i: usize| row.get(i).unwrap_or_default();
    let page = number.to_string();
    if (cell(0), cell(1)) != (scan.name.as_str(), page.as_str()) {
        return Err(broken(format!("found page {} of {}", cell(1), cell(0))));
    }
    let verdicts = [Verdict::Accepted, Verdict::Review, Verdict::Rejected];
    let verdict = verdicts.into_iter().find(|verdict| verdict.as_str() == cell(3));
    let verdict = verdict.ok_or_else(|| broken(format!("verdict: {}", cell(3))))?;
    let mut rows = PageRows {
        scan: scan.name.clone(),
        page: u32::try_from(number).map_err(|_| broken("too many pages".to_owned()))?,
        form: cell(2).to_owned(),
        verdict,
        attention: cell(4).to_owned(),
        fields: Vec::new(),
        readings: Vec::new(),
    };
    while let Some(row) = fields.next_of(&[&scan.name, &page])? {
        if row[2] != rows.form {
            return Err(broken(format!("a field of another form: {}", &row[3])));
        }
        rows.fields.push(field_row(row).ok_or_else(|| broken(format!("malformed row of the field {}", &row[3])))?);
    }
    let n_values = rows.fields.iter().filter(|field| !field.value.is_empty()).count();
    let mut n_cells = 0;
    for (column, value) in columns.iter().zip(row.iter().skip(N_PAGE_COLUMNS)) {
        let found = rows.fields.iter().find(|field| field.field == *column).map_or("", |field| field.value.as_str());
        if found != value {
            return Err(broken(format!("the tables differ in the field {column}")));
        }
        n_cells += usize::from(!value.is_empty());
    }
    if row.len() > N_PAGE_COLUMNS && n_cells != n_values {
        return Err(broken("a value without a column, or a field twice".to_owned()));
    }
    Ok(rows)
}

/// A row of `OUT.fields.csv`; `None` where no run writes such a row.
fn field_row(row: &StringRecord) -> Option<FieldRow> {
    let text = |i: usize| row[i].to_owned();
    let edge = |i: usize| row[i].parse::<i64>().ok().filter(|edge| edge.to_string() == row[i]);
    let row = FieldRow {
        field: text(3),
        state: text(4),
        value: text(5),
        guess: text(6),
        confidence: text(7),
        reason: text(8),
        bounds: [edge(9)?, edge(10)?, edge(11)?, edge(12)?],
    };
    let is_confidence = |text: &str| {
        let is_digit = |at: usize| text.as_bytes()[at].is_ascii_digit();
        text.is_empty() || text.len() == 6 && &text[1..2] == "." && [0, 2, 3, 4, 5].into_iter().all(is_digit)
    };
    let is_whole = match row.state.as_str() {
        "accepted" => !row.value.is_empty(),
        "blank" | "review" => row.value.is_empty(),
        _ => false,
    };
    (is_whole && row.confidence.is_ascii() && is_confidence(&row.confidence)).then_some(row)
}

/// A table that is read beside another one, row by row.
struct Table<'a> {
    rows: Rows<'a>,
    next: Option<StringRecord>,
    current: StringRecord,
}

impl<'a> Table<'a> {
    fn new(mut rows: Rows<'a>) -> Result<Self> {
        let next = rows.next().transpose()?;
        Ok(Self { rows, next, current: StringRecord::new() })
    }

    /// The next row if it begins with these cells.
    fn next_of(&mut self, cells: &[&str]) -> Result<Option<&StringRecord>> {
        if !self.next.as_ref().is_some_and(|row| row.iter().take(cells.len()).eq(cells.iter().copied())) {
            return Ok(None);
        }
        self.current = self.next.take().unwrap_or_default();
        self.next = self.rows.next().transpose()?;
        Ok(Some(&self.current))
    }
}
