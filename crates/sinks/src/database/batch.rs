//! Some pages of a run, merged into the tables together.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use formread_core::rows::{FieldRow, PageRows};
use formread_raster::{
    error::{Error, Format, Result},
    hash::Sha256,
};

use super::{Engine, schema::columns};
use crate::{
    form::{ColumnType, Form, Typed},
    rows::{Counts, DocumentRow, digest, is_by_person, non_empty},
};

/// Fields in a batch: enough that a round trip to a server costs little for each, some megabytes.
const MAX_FIELDS: usize = 20_000;
/// Pages in a batch, for forms of few fields.
const MAX_PAGES: usize = 5_000;

/// Tables of the connection alone: the pages and contents of a batch.
pub const TEMPORARY_TABLES: &str = "\
CREATE TEMPORARY TABLE batch_contents (sha256 text PRIMARY KEY);
CREATE TEMPORARY TABLE batch_pages (sha256 text, page bigint, PRIMARY KEY (sha256, page));
";

/// Pages that wait to be merged.
#[derive(Debug, Default)]
pub struct Batch {
    pages: Vec<Incoming>,
    n_fields: usize,
    /// Contents whose pages are all there: how many they are, and the documents.
    ended: Vec<Ended>,
}

#[derive(Debug)]
struct Incoming {
    content: String,
    digest: String,
    rows: PageRows,
}

#[derive(Debug)]
pub struct Ended {
    /// The content.
    pub content: String,
    /// The name of its scan.
    pub scan: String,
    /// Number of its pages.
    pub n_pages: u64,
    /// Its documents; `None` where the run has no table of them, so that those which are there stay.
    pub documents: Option<Vec<DocumentRow>>,
}

/// What the tables have of a page.
#[derive(Debug, Default)]
struct Stored {
    digest: String,
    /// Fields that a person settled.
    by_person: Vec<String>,
}

type Key = (String, u64);

impl Batch {
    /// Adds a page of this content.
    pub fn push(&mut self, content: &str, rows: &PageRows) {
        self.n_fields += rows.fields.len();
        self.pages.push(Incoming { content: content.to_owned(), digest: digest(rows), rows: rows.clone() });
    }

    /// Notes the end of a content.
    pub fn end(&mut self, ended: Ended) {
        self.ended.push(ended);
    }

    /// Whether it should be merged now.
    pub fn is_full(&self) -> bool {
        self.n_fields >= MAX_FIELDS || self.pages.len() >= MAX_PAGES
    }

    /// Merges it into the tables, and empties it. `forms` are those of the run of this key. With `overwrite_settled` a value that
    /// a person settled is replaced like any other.
    ///
    /// # Errors
    /// `Format` where a value is not of its field's kind; whatever the database fails with.
    pub fn merge(
        &mut self,
        engine: &mut dyn Engine,
        run: Sha256,
        forms: &[Form],
        overwrite_settled: bool,
        counts: &mut Counts,
    ) -> Result<()> {
        let Self { pages, ended, .. } = std::mem::take(self);
        let contents: HashSet<&str> = pages
            .iter()
            .map(|page| page.content.as_str())
            .chain(ended.iter().map(|end| end.content.as_str()))
            .collect();
        let rows: Vec<_> = contents.iter().map(|&content| Some(Cow::Borrowed(content))).collect();
        engine.execute("DELETE FROM batch_contents; DELETE FROM batch_pages;")?;
        engine.insert("batch_contents", &["sha256"], &rows)?;
        let mut stored = stored_pages(engine)?;

        let mut removed: Vec<Key> = Vec::new();
        let mut added: Vec<&Incoming> = Vec::new();
        for page in &pages {
            let key = (page.content.clone(), page.rows.page.into());
            let Some(Stored { digest, by_person }) = stored.remove(&key) else {
                counts.n_new += 1;
                added.push(page);
                continue;
            };
            let is_settled_again =
                |name: &String| page.rows.fields.iter().any(|field| field.field == *name && is_by_person(field));
            if digest == page.digest {
                counts.n_unchanged += 1;
            } else if overwrite_settled || by_person.iter().all(is_settled_again) {
                counts.n_replaced += 1;
                added.push(page);
                removed.push(key);
            } else {
                counts.keep(&page.rows.scan, page.rows.page);
            }
        }
        for Ended { content, scan, n_pages, .. } in &ended {
            let mut surplus: Vec<(Key, bool)> = stored
                .iter()
                .filter(|((stored, page), _)| stored == content && page > n_pages)
                .map(|(key, stored)| (key.clone(), overwrite_settled || stored.by_person.is_empty()))
                .collect();
            surplus.sort();
            for (key, may_go) in surplus {
                if may_go {
                    counts.n_removed += 1;
                    removed.push(key);
                } else {
                    counts.keep(scan, u32::try_from(key.1).unwrap_or(u32::MAX));
                }
            }
        }
        remove_pages(engine, &removed)?;
        add_pages(engine, run, forms, &added)?;
        merge_documents(engine, &ended)
    }
}

/// The pages that the tables have of the contents in `batch_contents`.
fn stored_pages(engine: &mut dyn Engine) -> Result<HashMap<Key, Stored>> {
    let mut stored: HashMap<Key, Stored> = HashMap::new();
    let text = |cell: &Option<Cow<'_, str>>| cell.as_deref().unwrap_or_default().to_owned();
    engine.query(
        "SELECT p.sha256, p.page, p.digest, f.field FROM batch_contents b JOIN pages p ON p.sha256 = b.sha256 \
         LEFT JOIN fields f ON f.sha256 = p.sha256 AND f.page = p.page AND f.by_person",
        &mut |cells| {
            let page = text(&cells[1]).parse().map_err(|_| Error::format(Format::Table, "a page that is no number"))?;
            let page = stored.entry((text(&cells[0]), page)).or_default();
            page.digest = text(&cells[2]);
            page.by_person.extend(cells[3].as_deref().map(str::to_owned));
            Ok(())
        },
    )?;
    Ok(stored)
}

/// Removes these pages with their fields.
fn remove_pages(engine: &mut dyn Engine, pages: &[Key]) -> Result<()> {
    if pages.is_empty() {
        return Ok(());
    }
    let numbers = pages.iter().map(|(content, page)| [Some(content.into()), Some(page.to_string().into())]);
    engine.insert("batch_pages", &["sha256", "page"], &numbers.flatten().collect::<Vec<_>>())?;
    for table in ["fields", "pages"] {
        let keys = "(SELECT sha256, page FROM batch_pages)";
        engine.execute(&format!("DELETE FROM {table} WHERE (sha256, page) IN {keys}"))?;
    }
    Ok(())
}

fn add_pages(engine: &mut dyn Engine, run: Sha256, forms: &[Form], pages: &[&Incoming]) -> Result<()> {
    if pages.is_empty() {
        return Ok(());
    }
    let run = run.to_string();
    let (mut page_cells, mut field_cells) = (Vec::new(), Vec::new());
    for Incoming { content, digest, rows } in pages {
        let PageRows { page, form, verdict, attention, fields, .. } = rows;
        let page = page.to_string();
        page_cells.extend([
            Some(Cow::from(content)),
            Some(page.clone().into()),
            non_empty(form),
            Some(verdict.as_str().into()),
            non_empty(attention),
            Some(run.as_str().into()),
            Some(digest.into()),
        ]);
        let form = forms.iter().find(|known| known.name == *form);
        for (position, row) in fields.iter().enumerate() {
            let column = form.and_then(|form| form.field(&row.field)).map(|field| field.column);
            let column = column.ok_or_else(|| fault(rows, row, "the form has no such field"))?;
            let has_decimals = engine.dialect().has_decimals;
            let [number, date, mark] = typed_cells(row, column, has_decimals).ok_or_else(|| {
                fault(rows, row, &format!("it is not of the field's kind and number of digits: {}", row.value))
            })?;
            let FieldRow { field, state, value, guess, confidence, reason, bounds } = row;
            let by_person = if is_by_person(row) { "1" } else { "0" };
            field_cells.extend([
                Some(Cow::from(content)),
                Some(page.clone().into()),
                Some(field.into()),
                Some(position.to_string().into()),
                Some(state.into()),
                non_empty(value),
                number,
                date,
                mark,
                non_empty(guess),
                non_empty(confidence),
                non_empty(reason),
            ]);
            field_cells.extend(bounds.iter().map(|edge| Some(edge.to_string().into())));
            field_cells.push(Some(by_person.into()));
        }
    }
    engine.insert("pages", &columns::PAGES, &page_cells)?;
    let columns = engine.dialect().field_columns();
    engine.insert("fields", &columns, &field_cells)
}

fn fault(rows: &PageRows, row: &FieldRow, what: &str) -> Error {
    Error::format(Format::FieldTable, format!("{}, page {}, field {}: {what}", rows.scan, rows.page, row.field))
}

/// The accepted value of a field as a number, a date and a mark; `None` where it is not of its column's type.
fn typed_cells(row: &FieldRow, column: ColumnType, has_decimals: bool) -> Option<[Option<Cow<'_, str>>; 3]> {
    if row.value.is_empty() {
        return Some([None, None, None]);
    }
    Some(match column.typed(&row.value)? {
        Typed::Number(_) if has_decimals => [non_empty(&row.value), None, None],
        Typed::Number(units) if column.has_units() => [Some(i64::try_from(units).ok()?.to_string().into()), None, None],
        Typed::Number(_) => [None, None, None],
        // PostgreSQL counts the year before 1 as 1 BC
        Typed::Date(_) if has_decimals && row.value.starts_with("0000") => {
            [None, Some(format!("0001{} BC", &row.value[4..]).into()), None]
        }
        Typed::Date(_) => [None, non_empty(&row.value), None],
        Typed::Mark(is_marked) => [None, None, Some(if is_marked { "1" } else { "0" }.into())],
        Typed::Text => [None, None, None],
    })
}

/// Replaces the documents of contents that have other ones now.
fn merge_documents(engine: &mut dyn Engine, ended: &[Ended]) -> Result<()> {
    let mut stored: HashMap<String, Vec<DocumentRow>> = HashMap::new();
    engine.query(
        "SELECT d.sha256, d.document, d.verdict, d.pages, d.missing, d.surplus, d.unread FROM batch_contents b \
         JOIN documents d ON d.sha256 = b.sha256 ORDER BY d.sha256, d.position",
        &mut |cells| {
            let text = |i: usize| cells[i].as_deref().unwrap_or_default().to_owned();
            stored.entry(text(0)).or_default().push(DocumentRow { cells: std::array::from_fn(|i| text(i + 1)) });
            Ok(())
        },
    )?;
    let none = Vec::new();
    let changed = ended.iter().filter_map(|Ended { content, documents, .. }| {
        let documents = documents.as_ref()?;
        (stored.get(content).unwrap_or(&none) != documents).then_some((content, documents))
    });
    let changed: Vec<_> = changed.collect();
    if changed.is_empty() {
        return Ok(());
    }
    let contents: Vec<_> = changed.iter().map(|(content, _)| Some(Cow::from(*content))).collect();
    engine.execute("DELETE FROM batch_contents")?;
    engine.insert("batch_contents", &["sha256"], &contents)?;
    engine.execute("DELETE FROM documents WHERE sha256 IN (SELECT sha256 FROM batch_contents)")?;
    let mut cells = Vec::new();
    for (content, documents) in &changed {
        for (position, DocumentRow { cells: texts }) in documents.iter().enumerate() {
            let [document, verdict, rest @ ..] = texts;
            cells.extend([Some(Cow::from(*content)), Some(position.to_string().into())]);
            cells.extend([document, verdict].map(|text| Some(Cow::from(text))));
            cells.extend(rest.iter().map(|text| non_empty(text)));
        }
    }
    engine.insert("documents", &columns::DOCUMENTS, &cells)
}
