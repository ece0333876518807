//! A run -> Parquet files.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{BufReader, ErrorKind, Read},
    path::{Path, PathBuf},
};

use formread_core::rows::{FieldRow, PageRows};
use formread_raster::{
    error::{Error, Format, Result},
    fsio::{AtomicFile, Change},
};

use super::{
    CONFIDENCE, NUMBER, RECORD_KEY, RUN_KEY, SettledField, files,
    read::settled_fields,
    write::{Cell, Kind, Table},
};
use crate::{
    form::{ColumnType, Form, Typed},
    identifiers,
    record::Scan,
    rows::{Committed, Counts, DocumentRow, Run, Sink, is_by_person},
};

/// Columns of the table of pages before those of the fields.
const PAGE_COLUMNS: [(&str, Kind); 6] = [
    ("scan", Kind::Text),
    ("page", Kind::Integer),
    ("form", Kind::Text),
    ("verdict", Kind::Text),
    ("attention", Kind::Text),
    ("sha256", Kind::Text),
];
/// Columns of the table of fields.
const FIELD_COLUMNS: [(&str, Kind); 18] = [
    ("scan", Kind::Text),
    ("page", Kind::Integer),
    ("form", Kind::Text),
    ("field", Kind::Text),
    ("state", Kind::Text),
    ("value", Kind::Text),
    ("number", Kind::Decimal(NUMBER.0, NUMBER.1)),
    ("date", Kind::Date),
    ("mark", Kind::Boolean),
    ("guess", Kind::Text),
    ("confidence", Kind::Decimal(CONFIDENCE.0, CONFIDENCE.1)),
    ("reason", Kind::Text),
    ("x0", Kind::Integer),
    ("y0", Kind::Integer),
    ("x1", Kind::Integer),
    ("y1", Kind::Integer),
    ("by_person", Kind::Boolean),
    ("sha256", Kind::Text),
];
/// Columns of the table of documents.
const DOCUMENT_COLUMNS: [(&str, Kind); 7] = [
    ("scan", Kind::Text),
    ("document", Kind::Text),
    ("verdict", Kind::Text),
    ("pages", Kind::Text),
    ("missing", Kind::Text),
    ("surplus", Kind::Text),
    ("unread", Kind::Text),
];

/// Writes a run to Parquet files, which take the place of those that are there.
pub struct ParquetSink {
    paths: [PathBuf; 3],
    overwrite: bool,
    /// Fields that a person settled in the files that are there, and not yet in this run.
    settled: HashSet<SettledField>,
    forms: Vec<Form>,
    /// Columns of accepted values.
    columns: Vec<(String, ColumnType)>,
    /// Pages, fields, documents; none before the run, and no documents where it has none.
    tables: [Option<Table<AtomicFile>>; 3],
    finished: [Option<AtomicFile>; 3],
    scan: Option<Scan>,
    is_unchanged: bool,
    n_pages: u64,
}

impl ParquetSink {
    /// Writes to `out` and the files beside it. Files that are there and differ are replaced with `overwrite` alone, and lose
    /// values that a person settled with `overwrite_settled` alone.
    ///
    /// # Errors
    /// Where those that are there cannot be read.
    pub fn new(out: &Path, overwrite: bool, overwrite_settled: bool) -> Result<Self> {
        let paths = files(out);
        let settled =
            if overwrite_settled || !fs::exists(&paths[1])? { HashSet::new() } else { settled_fields(&paths[1])? };
        Ok(Self {
            paths,
            overwrite,
            settled,
            forms: Vec::new(),
            columns: Vec::new(),
            tables: [None, None, None],
            finished: [None, None, None],
            scan: None,
            is_unchanged: false,
            n_pages: 0,
        })
    }

    fn table(&mut self, idx: usize) -> Result<&mut Table<AtomicFile>> {
        self.tables[idx].as_mut().ok_or_else(|| Error::internal("rows before the run"))
    }
}

impl Sink for ParquetSink {
    fn begin(&mut self, run: &Run) -> Result<()> {
        identifiers::check(&run.forms)?;
        for name in &run.columns {
            let types = run.forms.iter().filter_map(|form| form.field(name)).map(|field| field.column);
            let column = types.reduce(ColumnType::union).unwrap_or(ColumnType::Text);
            self.columns.push((name.clone(), column));
        }
        let key = run.key.to_string();
        let metadata = [(RECORD_KEY, run.record.text.as_str()), (RUN_KEY, key.as_str())];
        let typed = self.columns.iter().map(|(name, column)| (name.as_str(), Kind::of(*column)));
        let pages: Vec<_> = PAGE_COLUMNS.into_iter().chain(typed).collect();
        let [of_pages, of_fields, of_documents] = self.paths.clone().map(AtomicFile::create);
        self.tables = [
            Some(Table::new(of_pages?, &pages, &metadata)?),
            Some(Table::new(of_fields?, &FIELD_COLUMNS, &[])?),
            run.has_documents
                .then_some(of_documents)
                .transpose()?
                .map(|file| Table::new(file, &DOCUMENT_COLUMNS, &[]))
                .transpose()?,
        ];
        self.forms = run.forms.clone();
        Ok(())
    }

    fn scan(&mut self, scan: &Scan) -> Result<()> {
        self.scan = Some(scan.clone());
        Ok(())
    }

    fn page(&mut self, rows: &PageRows) -> Result<()> {
        self.n_pages += 1;
        let Self { tables: [Some(pages), Some(fields), _], scan: Some(scan), columns, forms, settled, .. } = self
        else {
            return Err(Error::internal("rows before the run"));
        };
        let content = scan.content();
        let content = Scan::sha256_of(&content);
        let PageRows { scan, page, form, verdict, attention, .. } = rows;
        let head = [
            Cell::text(scan),
            Cell::Integer((*page).into()),
            Cell::text(form),
            Cell::text(verdict.as_str()),
            Cell::text(attention),
            Cell::text(content),
        ];
        let value_of = |(name, column): &(String, ColumnType)| {
            let row = rows.fields.iter().find(|row| row.field == *name);
            row.map_or(Ok(Cell::Null), |row| value_cell(rows, row, *column))
        };
        let values = columns.iter().map(value_of).collect::<Result<Vec<_>>>()?;
        pages.push(head.into_iter().chain(values))?;

        let known = forms.iter().find(|known| known.name == *form);
        for row in &rows.fields {
            let FieldRow { field, state, value, guess, confidence, reason, bounds } = row;
            let column = known.and_then(|form| form.field(field)).map_or(ColumnType::Text, |field| field.column);
            let [number, date, mark] = match value_cell(rows, row, column)? {
                cell @ (Cell::Integer(_) | Cell::Decimal(_)) => [wide(cell, column), Cell::Null, Cell::Null],
                date @ Cell::Date(_) => [Cell::Null, date, Cell::Null],
                mark @ Cell::Boolean(_) => [Cell::Null, Cell::Null, mark],
                Cell::Null | Cell::Text(_) => [Cell::Null; 3],
            };
            let by_person = is_by_person(row);
            if by_person && !settled.is_empty() {
                settled.remove(&(content.to_owned(), (*page).into(), field.clone()));
            }
            let cells = head[..3].iter().copied().chain([
                Cell::text(field),
                Cell::text(state),
                Cell::text(value),
                number,
                date,
                mark,
                Cell::text(guess),
                confidence.replace('.', "").parse().map_or(Cell::Null, Cell::Decimal),
                Cell::text(reason),
            ]);
            let bounds = bounds.iter().map(|&edge| Cell::Integer(edge));
            fields.push(cells.chain(bounds).chain([Cell::Boolean(by_person), Cell::text(content)]))?;
        }
        Ok(())
    }

    fn document(&mut self, document: &DocumentRow) -> Result<()> {
        let scan = self.scan.as_ref().map(|scan| scan.name.clone()).unwrap_or_default();
        let cells = [Cell::text(&scan)].into_iter().chain(document.cells.iter().map(|cell| Cell::text(cell)));
        self.table(2)?.push(cells)
    }

    fn prepare(&mut self) -> Result<()> {
        if !self.settled.is_empty() {
            let message = format!("{} values that a person settled would be lost", self.settled.len());
            let error = Error::usage(message).in_file(self.paths[1].to_string_lossy());
            return Err(error.with_hint("load the tables with these values, or replace them with --overwrite-settled"));
        }
        let mut is_unchanged = true;
        for (idx, table) in self.tables.iter_mut().enumerate() {
            let Some(table) = table.take() else {
                is_unchanged &= !fs::exists(&self.paths[idx])?;
                continue;
            };
            let file = table.finish()?;
            is_unchanged &= has_content_of(&self.paths[idx], file.reopen()?)?;
            self.finished[idx] = Some(file);
        }
        self.is_unchanged = is_unchanged;
        match self.paths.iter().find(|path| fs::exists(path).unwrap_or(true)) {
            Some(path) if !is_unchanged && !self.overwrite => {
                let error = Error::usage("it exists, and its content differs").in_file(path.to_string_lossy());
                Err(error.with_hint("replace it with --overwrite, or choose another name"))
            }
            _ => Ok(()),
        }
    }

    fn commit(self: Box<Self>) -> Result<Committed> {
        let Self { paths, finished, is_unchanged, n_pages, .. } = *self;
        if is_unchanged {
            return Ok(Committed { counts: Counts { n_unchanged: n_pages, ..Counts::default() }, files: Vec::new() });
        }
        let files = paths.into_iter().zip(finished).map(|(path, file)| match file {
            Some(file) => Change::Write(file),
            None => Change::Remove(path),
        });
        // the pages last: where they are, everything is
        let files = files.rev().collect();
        Ok(Committed { counts: Counts { n_new: n_pages, ..Counts::default() }, files })
    }
}

/// The accepted value of a field in the type of a column.
fn value_cell<'a>(rows: &PageRows, row: &'a FieldRow, column: ColumnType) -> Result<Cell<'a>> {
    if row.value.is_empty() {
        return Ok(Cell::Null);
    }
    Ok(match (column.typed(&row.value), Kind::of(column)) {
        (Some(Typed::Number(number)), Kind::Decimal(..)) => Cell::Decimal(number),
        (Some(Typed::Number(number)), _) => {
            Cell::Integer(i64::try_from(number).map_err(|_| Error::internal("more digits than its column has"))?)
        }
        (Some(Typed::Date(days)), _) => Cell::Date(days),
        (Some(Typed::Mark(is_marked)), _) => Cell::Boolean(is_marked),
        (Some(Typed::Text), _) => Cell::Text(&row.value),
        (None, _) => {
            let what = "it is not of the field's kind and number of digits";
            let detail = format!("{}, page {}, field {}: {what}: {}", rows.scan, rows.page, row.field, row.value);
            return Err(Error::format(Format::FieldTable, detail));
        }
    })
}

/// A number in the column of all numbers; none where its type has more digits than that.
fn wide(cell: Cell<'_>, column: ColumnType) -> Cell<'static> {
    let (digits, decimals) = match column {
        ColumnType::Amount { digits, decimals } => (digits, decimals),
        ColumnType::Integer { digits } => (digits, 0),
        _ => return Cell::Null,
    };
    let number = match cell {
        Cell::Integer(number) => number.into(),
        Cell::Decimal(number) => number,
        _ => return Cell::Null,
    };
    let Some(missing) = NUMBER.1.checked_sub(decimals) else { return Cell::Null };
    if digits + missing > NUMBER.0 {
        return Cell::Null;
    }
    let factor = u32::try_from(missing).ok().and_then(|missing| 10i128.checked_pow(missing));
    factor.and_then(|factor| number.checked_mul(factor)).map_or(Cell::Null, Cell::Decimal)
}

/// Whether the file at `path` is there and has the same bytes.
fn has_content_of(path: &Path, file: File) -> Result<bool> {
    let existing = match File::open(path) {
        Ok(existing) => existing,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::from(error).in_file(path.to_string_lossy())),
    };
    if existing.metadata()?.len() != file.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (BufReader::new(existing).bytes(), BufReader::new(file).bytes());
    loop {
        match (one.next().transpose()?, other.next().transpose()?) {
            (None, None) => return Ok(true),
            (one, other) if one != other => return Ok(false),
            _ => {}
        }
    }
}
