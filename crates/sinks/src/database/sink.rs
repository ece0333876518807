//! A run -> the tables of a database.

use std::borrow::Cow;

use formread_core::rows::PageRows;
use formread_raster::error::{Error, Result};

use super::{
    Engine,
    batch::{Batch, Ended, TEMPORARY_TABLES},
    ensure_schema,
    schema::columns,
};
use crate::{
    form::{ColumnType, Form},
    identifiers::{self, literal},
    record::Scan,
    rows::{Committed, Counts, DocumentRow, Run, Sink},
};

/// Names of scans that are written together.
const MAX_NAMES: usize = 10_000;

/// Merges a run into the tables of a database.
pub struct DatabaseSink<E> {
    engine: E,
    overwrite_settled: bool,
    run: Option<OpenRun>,
    counts: Counts,
}

/// The run that is being merged.
struct OpenRun {
    run: Run,
    /// Whether the tables have its names already.
    is_known: bool,
    /// Cells of `scans` that wait to be written.
    names: Vec<Option<Cow<'static, str>>>,
    batch: Batch,
    /// The scan whose pages come now; `None` where they are copies.
    content: Option<Ended>,
}

impl<E: Engine> DatabaseSink<E> {
    /// Merges into the tables behind `engine`. With `overwrite_settled` a value that a person settled is replaced like any other.
    pub fn new(engine: E, overwrite_settled: bool) -> Self {
        Self { engine, overwrite_settled, run: None, counts: Counts::default() }
    }

    fn open(&mut self) -> Result<(&mut E, &mut OpenRun, &mut Counts)> {
        let run = self.run.as_mut().ok_or_else(|| Error::internal("rows before the run"))?;
        Ok((&mut self.engine, run, &mut self.counts))
    }

    fn merge(&mut self) -> Result<()> {
        let overwrite_settled = self.overwrite_settled;
        let (engine, OpenRun { run, batch, .. }, counts) = self.open()?;
        batch.merge(engine, run.key, &run.forms, overwrite_settled, counts)
    }

    fn write_names(&mut self) -> Result<()> {
        let (engine, OpenRun { names, .. }, _) = self.open()?;
        engine.insert("scans", &columns::SCANS, &std::mem::take(names))
    }

    fn end_content(&mut self) -> Result<()> {
        let (_, run, _) = self.open()?;
        if let Some(ended) = run.content.take() {
            run.batch.end(ended);
        }
        Ok(())
    }
}

impl<E: Engine> Sink for DatabaseSink<E> {
    fn begin(&mut self, run: &Run) -> Result<()> {
        identifiers::check(&run.forms)?;
        ensure_schema(&mut self.engine)?;
        self.engine.execute(TEMPORARY_TABLES)?;
        let is_known = note_run(&mut self.engine, run)?;
        let (run, batch) = (run.clone(), Batch::default());
        self.run = Some(OpenRun { run, is_known, names: Vec::new(), batch, content: None });
        Ok(())
    }

    fn scan(&mut self, scan: &Scan) -> Result<()> {
        self.end_content()?;
        let (_, open, _) = self.open()?;
        let content = scan.content();
        if !open.is_known {
            let cells = [open.run.key.to_string(), scan.position.to_string(), scan.name.clone(), content.clone()];
            open.names.extend(cells.map(|cell| Some(cell.into())));
        }
        open.content = (!scan.is_copy).then(|| Ended {
            content,
            scan: scan.name.clone(),
            n_pages: 0,
            documents: open.run.has_documents.then(Vec::new),
        });
        if open.names.len() >= MAX_NAMES * columns::SCANS.len() {
            self.write_names()?;
        }
        Ok(())
    }

    fn page(&mut self, rows: &PageRows) -> Result<()> {
        let (_, OpenRun { batch, content, .. }, _) = self.open()?;
        let Some(content) = content else { return Ok(()) };
        content.n_pages = content.n_pages.max(rows.page.into());
        batch.push(&content.content, rows);
        if batch.is_full() { self.merge() } else { Ok(()) }
    }

    fn document(&mut self, document: &DocumentRow) -> Result<()> {
        let (_, OpenRun { content, .. }, _) = self.open()?;
        if let Some(documents) = content.as_mut().and_then(|content| content.documents.as_mut()) {
            documents.push(document.clone());
        }
        Ok(())
    }

    fn prepare(&mut self) -> Result<()> {
        self.end_content()?;
        self.merge()?;
        self.write_names()?;
        let (engine, OpenRun { run, .. }, _) = self.open()?;
        run.forms.iter().try_for_each(|form| update_view(engine, form))
    }

    fn commit(mut self: Box<Self>) -> Result<Committed> {
        self.engine.commit()?;
        Ok(Committed { counts: self.counts, files: Vec::new() })
    }
}

/// Notes that this run is the last one that was loaded. Returns whether the tables had it already.
fn note_run(engine: &mut dyn Engine, run: &Run) -> Result<bool> {
    let key = run.key.to_string();
    let mut last: Option<(String, i64)> = None;
    engine.query("SELECT run, sequence FROM runs ORDER BY sequence DESC LIMIT 1", &mut |cells| {
        let [run, sequence] = [0, 1].map(|i| cells[i].as_deref().unwrap_or_default());
        last = Some((run.to_owned(), sequence.parse().unwrap_or(0)));
        Ok(())
    })?;
    let mut is_known = false;
    engine.query(&format!("SELECT run FROM runs WHERE run = {}", literal(&key)), &mut |_| {
        is_known = true;
        Ok(())
    })?;
    let (last, sequence) = last.unwrap_or_default();
    let next = (sequence + 1).to_string();
    if is_known {
        if last != key {
            engine.execute(&format!("UPDATE runs SET sequence = {next} WHERE run = {}", literal(&key)))?;
        }
        return Ok(true);
    }
    let head = &run.record;
    let has_documents = if run.has_documents { "1" } else { "0" };
    let cells = [&key, &next, &head.identity, &head.weights, &head.templates, &head.options, &head.text];
    let cells = cells.into_iter().map(String::as_str).chain([has_documents]);
    engine.insert("runs", &columns::RUNS, &cells.map(|cell| Some(cell.into())).collect::<Vec<_>>())?;
    Ok(false)
}

/// Makes the view of a form anew if its fields are not those that the tables know.
fn update_view(engine: &mut dyn Engine, form: &Form) -> Result<()> {
    let number = |number: usize| Some(number.to_string());
    let text = |text: &str| Some(text.to_owned());
    let mut cells: Vec<Option<String>> = Vec::new();
    for (position, field) in form.fields.iter().enumerate() {
        let (digits, decimals) = match field.column {
            ColumnType::Integer { digits } => (number(digits), None),
            ColumnType::Amount { digits, decimals } => (number(digits), number(decimals)),
            ColumnType::Text | ColumnType::Date | ColumnType::Mark => (None, None),
        };
        cells.extend([text(&form.name), number(position), text(&field.name), text(field.kind), digits, decimals]);
    }
    let name = literal(&form.name);
    let list = columns::FORM_FIELDS.join(", ");
    let mut stored: Vec<Option<String>> = Vec::new();
    engine.query(&format!("SELECT {list} FROM form_fields WHERE form = {name} ORDER BY position"), &mut |row| {
        stored.extend(row.iter().map(|cell| cell.as_deref().map(str::to_owned)));
        Ok(())
    })?;
    if stored == cells {
        return Ok(());
    }
    engine.execute(&format!("DELETE FROM form_fields WHERE form = {name}"))?;
    let cells: Vec<_> = cells.into_iter().map(|cell| cell.map(Cow::from)).collect();
    engine.insert("form_fields", &columns::FORM_FIELDS, &cells)?;
    let view = engine.dialect().view(form);
    engine.execute(&view).map_err(|error| error.in_file(format!("view of the form {}", form.name)))
}
